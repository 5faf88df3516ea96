"""One submission: made whole, run in a sandbox, its tests run here on the values that it gives.

A submission that cannot be graded gets no points and a sentence that says why; it never stops the
others. Nothing that its process can write to is opened here: what comes from it are messages.
"""

import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import collect
import forbidden
import marking
import nbformat
import repair
import sandbox
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_output

from sagan_lib.book import classroom

# nbgrader calls a program of its own environment by name, also where none is activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

#: Seconds for one submission and for one cell.
LIMIT, CELL = 400, 60
#: Characters that a cell may print, and all cells; bytes of code and text.
PRINTED, PAGE, WRITTEN = 2**20, 2**21, 2**20
HERE = Path(__file__).resolve().parent
SETTINGS = HERE / "nbgrader_config.py"
#: What a feedback page shows of what a cell displays.
_SHOWN = ("text/plain", "image/png", "image/jpeg")
#: Of the grader's environment, what a submission's processes may have.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def nbgrader(root, *arguments):
    """Run one of nbgrader's commands in the course's folder; its failure is a RuntimeError."""
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=root,
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def run(root, student, name, way="bubblewrap"):
    """Run one submission.

    Args:
        root: the course's folder. student, name: whose, and which set. way: of `sandbox.WAYS`.

    Returns:
        {"notebook": with outputs, "notes": [sentences], "look": [sentences for the teacher],
        "digest": str}.
    """
    known = digest(root, student, name)  # first: a newer file that comes meanwhile is graded then
    path, notes = _handed_in(root, student, name)
    release, source = (nbformat.read(root / place / name / f"{name}.ipynb", as_version=4)
                       for place in ("release", "source"))  # fmt: skip
    notebook, problem, look = release, f"{name}.ipynb was not handed in", []
    if collect.is_own(path, root):
        try:
            whole, more = repair.make_whole(release, _read(path))
            if len(nbformat.writes(whole).encode()) > WRITTEN:
                raise ValueError(f"it has more than {WRITTEN // 2**20} MiB of code and text")
            notes, problem, look = [*notes, *more], None, forbidden.found(whole, source)
            notebook = whole
        except Exception as error:  # nbformat raises many kinds on a damaged file
            problem = f"the file cannot be read as a notebook: {_first_line(error)}"
    if problem is None:
        problem = _execute(notebook, source, way)
    else:
        _fail(notebook.cells, f"Not graded: {problem}.")
    notes = [problem, *notes] if problem else notes
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not repair.is_locked(cell):
            cell.source = _harmless(cell.source)
    return {"notebook": notebook, "notes": [*map(_harmless, notes)], "look": look,
            "digest": known}  # fmt: skip


def _harmless(text):
    """Markdown in which a student's HTML is text, and whose links lead to the web's pages alone."""
    text = re.sub(r"<(?=[a-zA-Z/!?])", "< ", text).replace("![", "! [")
    text = re.sub(r"\](?=[(:][^)\]]*[:&])(?![(:]\s*https?://)", r"]\\", text)
    return re.sub(r"\\(?=href|require)", r"\\ ", text)  # MathJax's own links


def _read(path):
    if path.stat().st_size > collect.LARGEST:
        raise ValueError(f"it has more than {collect.LARGEST // 2**20} MiB")
    return nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)


def _handed_in(root, student, name):
    """(the notebook's path, notes): `SET.ipynb`, or the only copy such as `SET (1).ipynb`."""
    path = root / "submitted" / student / name / f"{name}.ipynb"
    others = [
        each.name for each in sorted(path.parent.glob("*.ipynb")) if collect.is_own(each, root)
    ]
    copies = [each for each in others if collect.problem_set(each, [name])]
    if path.name in others or not others:
        return path, []
    if len(copies) == 1:
        return path.parent / copies[0], [f"{copies[0]} was taken"]
    return path, [f"there is {', '.join(others)}: name the right one {name}.ipynb"]


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def digest(root, student, name):
    """Of what a grade depends on: the submitted file and the problem set, hidden tests and seed."""
    submitted, _ = _handed_in(root, student, name)
    problems = nbformat.read(root / "source" / name / f"{name}.ipynb", as_version=4)
    parts = [cell.source.encode() for cell in problems.cells]
    marks = [cell.metadata.get("nbgrader") for cell in problems.cells]  # points among them
    parts.append(json.dumps(marks, sort_keys=True).encode())
    parts.append(submitted.read_bytes() if collect.is_own(submitted, root) else b"")
    return hashlib.sha256(b"|".join(parts)).hexdigest()


def _fail(cells, sentence):
    """Give each test among some cells an error with this sentence, so that it gets no points."""
    for cell in filter(repair.is_test, cells):
        cell.outputs = [_error(sentence)]


def _error(sentence):
    return new_output("error", ename="AssertionError", evalue=sentence, traceback=[sentence])


def _execute(notebook, source, way):
    """Run a whole notebook in place; None, or why it ended early.

    Every cell runs in the sandbox, but for the tests: these run here, at their places, and what
    they call is asked for there.
    """
    mark, waiting = secrets.token_hex(16), [c for c in notebook.cells if repair.is_test(c)]
    work = Path(tempfile.mkdtemp(prefix="grading-"))
    home = work / "home"
    (home / "run").mkdir(parents=True)
    sandbox.write_kernel(work / "kernels", home, way)
    kernel = AsyncKernelManager(
        kernel_name="graded", transport="ipc", ip=str(home / "run" / "kernel"),
        connection_file=str(home / "run" / "connection.json"),
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(work / "kernels")]),
    )  # fmt: skip
    client, watch = Client(kernel), None
    started = {"cwd": str(home), "env": _environment(home, mark), "cleanup_kc": True,
               "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # fmt: skip
    try:
        with client.setup_kernel(**started), sandbox.Watch(mark, kernel, home, LIMIT) as watch:
            _cells(client, notebook, source, waiting)
    except Exception as error:  # a student's process can send whatever it likes
        if watch is None:  # the sandbox did not start, which is nobody's fault
            raise
        ended = "its code ended the kernel (os._exit, a crash, or more memory than there is)"
        died = isinstance(error, DeadKernelError) or "died" in str(error)
        problem = watch.said or (ended if died else _first_line(error))
        _fail(waiting, f"Not graded: {problem}.")
        return problem
    finally:  # nothing of it may stay
        sandbox.end(mark)
        subprocess.run(["rm", "-rf", work])  # Python's own fails where folders nest deeply
    return None


def _environment(home, mark):
    library = str(sandbox.library_folder().parent)
    return {key: os.environ[key] for key in _KEPT if key in os.environ} | {
        "HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "TMPDIR": str(home),
        "MPLCONFIGDIR": str(home / "mpl"), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": library,
        "GRADING": mark,
    }  # fmt: skip


def _cells(client, notebook, source, waiting):
    """Run all cells in order; tests leave the list of those that wait."""
    theirs = {repair.grade_id(cell): cell.source for cell in source.cells}
    answers = [cell.source for cell in source.cells if repair.is_answer(cell)]
    marker, room = marking.Marker(answers, client.ask), PAGE
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        if repair.is_test(cell):
            said = marker.test(theirs[repair.grade_id(cell)])
            if client.ended:
                raise client.ended
            cell.outputs = [_error(said)] if said else []
            waiting.remove(cell)
        else:
            cell.outputs = _shown(client.run(cell.source, min(room, PRINTED)))
            room -= len(str(cell.outputs))
            if repair.is_locked(cell):
                marker.give(theirs[repair.grade_id(cell)])


def _shown(outputs):
    """Outputs as the feedback page has them: text and pictures, no scripts and no HTML.

    What was written to stderr becomes an ordinary print, since progress bars write there.
    """
    kept = []
    for each in outputs:
        if each.output_type == "stream":
            kept.append(new_output("stream", name="stdout", text=each.text))
        elif each.output_type == "error":
            kept.append(each)
        else:
            data = {kind: each.data[kind] for kind in _SHOWN if kind in each.data}
            data = {kind: text for kind, text in data.items()
                    if kind == "text/plain" or re.fullmatch(r"[\w+/=\s]*", text)}  # fmt: skip
            kept.append(new_output("display_data", data=data))
    return kept


def _too_long():
    return f"It ran for more than {CELL} s."


class Client(NotebookClient):
    """Runs code in a kernel, keeps so much of its output as there is room for, asks for values.

    Args:
        kernel: its manager.
    """

    def __init__(self, kernel):
        slow = {"ename": "TimeoutError", "evalue": "", "traceback": []}
        super().__init__(nbformat.v4.new_notebook(cells=[new_code_cell()]), km=kernel,
                         allow_errors=True, timeout=CELL, interrupt_on_timeout=True,
                         error_on_timeout=slow, shutdown_kernel="immediate")  # fmt: skip
        self._room = self._most = 0
        self._slow, self.ended = set(), None

    def run(self, code, room):
        """The outputs of some code; code that cannot be interrupted is the end.

        Args:
            code: Python. room: characters of output to keep, at most.

        Raises:
            RuntimeError: it goes on after the interrupt, or the kernel has ended.
        """
        self._room = self._most = max(room, 0)
        started, cell = time.monotonic(), new_code_cell(code)
        self.execute_cell(cell, 0)
        if time.monotonic() - started >= CELL:
            cell.outputs.append(new_output("error", ename="TimeoutError", evalue=_too_long(),
                                           traceback=[_too_long()]))  # fmt: skip
            started, self.timeout = time.monotonic(), 10
            self.execute_cell(new_code_cell("pass"), 0)
            if time.monotonic() - started >= self.timeout:
                raise RuntimeError("a cell did not stop when interrupted")
            self.timeout = CELL
        return cell.outputs

    def process_message(self, message, cell, index):
        """Leave out widgets, and displays that are changed afterwards."""
        if message["msg_type"].startswith(("comm", "update")):
            return None
        message["content"].pop("transient", None)
        return super().process_message(message, cell, index)

    def output(self, outputs, message, display_id, index):
        """Keep an output if there is room for it."""
        self._room -= len(str(message["content"]))
        if self._room >= 0:
            return super().output(outputs, message, display_id, index)
        said = f"This cell printed more than {self._most:,} characters; the rest is left out.\n"
        if not outputs or outputs[-1].get("text") != said:
            outputs.append(new_output("stream", name="stdout", text=said))
        return None

    def ask(self, question):
        """The text of the reply to a `Remote`'s question, from the kernel.

        What once took too long is not asked again: other problems need the time. `ended` is what
        ended the kernel meanwhile, which in a test would count as the test's own failure.
        """
        code = "__import__('sagan_lib.book.classroom', fromlist=['publish']).publish"
        name = json.loads(question)[0]
        if name in self._slow:
            return json.dumps({"said": _too_long(), "states": []})
        try:
            outputs = self.run(f"{code}({question!r})", room=2 * classroom.LARGEST)
        except Exception as error:
            self.ended = error
            raise
        for each in outputs:
            if classroom.MIME in each.get("data", {}):
                return str(each.data[classroom.MIME])
        errors = [each.evalue for each in outputs if each.output_type == "error"]
        if _too_long() in errors:
            self._slow.add(name)
        return json.dumps({"said": (errors or ["It gave no reply."])[-1], "states": []})
