"""One submission: made whole, and run behind the guard in a folder of its own.

A submission that cannot be graded gets no points and a sentence that says why; it never stops the
others. nbgrader runs the notebook and compares it.
"""

import contextlib
import copy
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import collect
import nbformat
import repair
import sandbox
import witness
from nbgrader import utils

# nbgrader calls a program of its own environment by name, also where none is activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

#: Seconds for one submission; nbgrader_config.py limits the single cell.
LIMIT = 400
HERE = Path(__file__).resolve().parent
SETTINGS = HERE / "nbgrader_config.py"


def nbgrader(root, *arguments):
    """Run one of nbgrader's commands in the course's folder; its failure is a RuntimeError."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=root, capture_output=True, text=True,
        env=os.environ | {"GRADER": str(HERE)},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def run(root, student, name):
    """Run one submission: {"notebook": with outputs, "notes": [sentences], "digest": str}."""
    path, took = _handed_in(root, student, name)
    release = nbformat.read(root / "release" / name / f"{name}.ipynb", as_version=4)
    notebook, notes, problem = None, [], f"{name}.ipynb was not handed in"
    if path.exists():
        try:
            whole, notes = repair.make_whole(release, nbformat.read(path, as_version=4))
            notes = [*took, *notes]
            notebook, problem = _execute(root, student, name, whole)
        except Exception as error:  # nbformat raises many kinds on a damaged file
            problem = f"the file cannot be read as a notebook: {_first_line(error)}"
    if notebook is None:
        notes, notebook = [problem, *notes], _failed(release, problem)
    return {"notebook": notebook, "notes": notes, "digest": digest(root, student, name)}


def _handed_in(root, student, name):
    """(the notebook's path, notes): `SET.ipynb`, or the only copy such as `SET (1).ipynb`."""
    path = root / "submitted" / student / name / f"{name}.ipynb"
    copies = [each for each in path.parent.glob("*.ipynb")
              if collect.problem_set(each.name, [name])]  # fmt: skip
    if path.exists() or len(copies) != 1:
        return path, []
    return copies[0], [f"{copies[0].name} was taken"]


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def digest(root, student, name):
    """Of what a grade depends on: the submitted file and the problem set, hidden tests and seed."""
    submitted, _ = _handed_in(root, student, name)
    problems = nbformat.read(root / "source" / name / f"{name}.ipynb", as_version=4)
    parts = [cell.source.encode() for cell in problems.cells]
    marks = [cell.metadata.get("nbgrader") for cell in problems.cells]  # points among them
    parts.append(json.dumps(marks, sort_keys=True).encode())
    parts.append(submitted.read_bytes() if submitted.exists() else b"")
    return hashlib.sha256(b"|".join(parts)).hexdigest()


def _failed(release, problem):
    """The released notebook with an error in each test, so that it gets no points anywhere."""
    notebook = copy.deepcopy(release)
    text = f"Not graded: {problem}."
    error = {"ename": "NotGraded", "evalue": text, "traceback": [text]}
    for cell in notebook.cells:
        if cell.cell_type == "code" and utils.is_grade(cell):
            cell.outputs = [nbformat.v4.new_output("error", **error)]
    return notebook


def _execute(root, student, name, whole):
    """(notebook with outputs, None), or (None, why not), from nbgrader in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="grading-") as work:
        course, home = Path(work, "course"), Path(work, "home")
        submitted = course / "submitted" / student / name
        for folder in (submitted, course / "source" / name, home):
            folder.mkdir(parents=True)
        shutil.copy(root / "gradebook.db", course)
        shutil.copy(SETTINGS, course)
        secret = secrets.token_hex(32)
        (course / witness.SECRET).write_text(secret)
        nbformat.write(whole, submitted / f"{name}.ipynb")
        done = course / "autograded" / student / name
        hidden = [HERE, HERE.parent / "tests", course / "gradebook.db", course / witness.SECRET,
                  submitted]  # fmt: skip
        _startup(home, [done, home], hidden, root / "source" / name / f"{name}.ipynb", secret)
        for folder in (Path(work), course):  # another user may pass, and read nothing
            folder.chmod(0o711)
        for each in course.iterdir():
            each.chmod(0o711 if each.name == "autograded" else 0o700)
        problem = _autograde(course, home, done, student, name)
        if problem:
            return None, problem
        return _printed(nbformat.read(done / f"{name}.ipynb", as_version=4)), None


def _printed(notebook):
    """The notebook with what cells wrote to stderr as ordinary prints.

    nbgrader takes a line on stderr for a failed test, and progress bars write there.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                output["name"] = "stdout"
    return notebook


def _given(cell):
    """Whether a cell is the course's own and no test."""
    mark = cell.metadata.get("nbgrader")
    return cell.cell_type == "code" and mark and mark["locked"] and not mark["grade"]


def _startup(home, writable, hidden, source, secret):
    """Let the kernel run the guard first, from a copy: a container sees nothing but `home`.

    The files go before the first cell: they have the tests and the secret in them.
    """
    cells = nbformat.read(source, as_version=4).cells
    given, tests = ([c.source for c in cells if wanted(c)] for wanted in (_given, repair.is_test))
    lists = [[str(each) for each in part] for part in (writable, hidden, given, tests)]
    folder = home / "ipython" / "profile_default" / "startup"
    folder.mkdir(parents=True)
    files = [str(home / "guard.py"), str(folder / "00_guard.py")]
    shutil.copy(HERE / "guard.py", files[0])
    Path(files[1]).write_text(
        f"import os, sys\nsys.path.insert(0, {str(home)!r})\nimport guard\nsys.path.pop(0)\n"
        f"for file in {files!r}:\n    os.remove(file)\n"
        f"guard.engage(get_ipython(), *{lists!r}, {secret!r})\n"
        "del guard, sys.modules['guard'], file, os, sys\n"
    )


def _autograde(course, home, done, student, name):
    """Run nbgrader's autograde; None, or a sentence on what went wrong."""
    kernels = sandbox.write_kernel(home, done, sandbox.best())
    jupyter, mark = os.environ.get("JUPYTER_PATH", ""), secrets.token_hex(16)
    settings = {
        "HOME": home, "IPYTHONDIR": home / "ipython", "TMPDIR": home, "MPLCONFIGDIR": home / "mpl",
        "TF_CPP_MIN_LOG_LEVEL": "3", "GRADER": HERE, "GRADING": mark,
        "GRADING_KERNEL": home / "kernel", "JUPYTER_PATH": f"{kernels}{os.pathsep}{jupyter}",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "nbgrader", "autograde", name, "--student", student, "--force",
         "--create"],
        cwd=course, env=os.environ | {key: str(value) for key, value in settings.items()},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        _, said = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"it ran for more than {LIMIT} s"
    finally:  # nothing of it may stay
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sandbox.end(mark)
    if process.returncode == 0:
        return None
    if "DeadKernelError" in said or "Kernel died" in said:
        return "its code ended the kernel (os._exit, a crash, or more memory than there is)"
    if "CellTimeoutError" in said:
        return "a cell ran too long, and did not stop when interrupted"
    errors = [
        line.strip() for line in said.splitlines() if re.match(r"\s*[\w.]+(Error|Exit)\b", line)
    ]
    return f"nbgrader could not run it: {errors[-1] if errors else process.returncode}"
