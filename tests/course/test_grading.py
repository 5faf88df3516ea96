"""Submissions that misbehave: each gets its mark and a sentence, and harms nobody else."""

import copy
import csv
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from harness import SOURCES, ProblemSet

sys.path.insert(0, str(SOURCES.parent))
import course
import grades
import grading
from thirty import one_set, submission

pytestmark = pytest.mark.full

NAME = "ps2_spectral_norm"
MODEL = ProblemSet("ps2").answers
HEAD = "def kernel_matrix(kernel, kind):\n"
CELLS = {  # student -> what stands in the cell of kernel_matrix
    "right": MODEL["kernel_matrix"],
    "wrong": HEAD + "    return np.reshape(kernel, (-1, kernel.shape[-1]))",
    "loops": HEAD + "    while True:\n        pass",
    "stubborn": "while True:\n    try:\n        while True:\n            pass\n"
    "    except BaseException:\n        pass",
    "exits": "import sys\nsys.exit()",
    "quits": "exit()",
    "dies": "import os\nos._exit(0)",
    "deletes": "import shutil\nshutil.rmtree(VICTIM)",
    "writes": "open(VICTIM + '/x.txt', 'w').write('x')",
    "eats": "x = np.ones(10**11)\n" + HEAD + "    return kernel",
    "hoards": "x = []\nwhile True:\n    x.append(np.zeros(10**8))",
    "peeks": "import glob\ntext = open(SOURCE).read()",
    "database": "import sqlite3\nsqlite3.connect('../../../gradebook.db')",
    "replaces": "import os\nopen('junk', 'w').write('x')\n"
    "os.replace('junk', VICTIM + '/NAME.ipynb')",
    "floods": "for _ in range(2000):\n    print('x' * 10**5)",
    "fills": "with open('big', 'wb') as file:\n    file.write(bytes(10**8))",
    "bars": "import sys\nprint('50%', file=sys.stderr)\n" + MODEL["kernel_matrix"].replace(
        "    ", "    print('bar', file=sys.stderr)\n    ", 1),
    "starts": "import subprocess\nsubprocess.run(['ls'])",
    "patches": "np.allclose = lambda *a, **k: True\n" + MODEL["kernel_matrix"],
    "shadows": "call = close = own_work = power_pair = lambda *a, **k: 1\n" + HEAD + "    return 1",
    "recodes": "close.__code__ = (lambda *a, **k: None).__code__\n" + HEAD + "    return kernel",
    "skips": "get_ipython().input_transformers_post.insert(0, lambda lines: ['pass\\n'])\n"
    + HEAD + "    return kernel",
    "hides": "get_ipython().showtraceback = lambda *a, **k: None\n" + HEAD + "    return kernel",
    "catches": "get_ipython().set_custom_exc((AssertionError,), lambda *a, **k: None)\n" + HEAD
    + "    return kernel",
    "unguards": "get_ipython().input_transformers_post.clear()\n"
    "get_ipython().events.callbacks['pre_run_cell'].clear()\n" + HEAD + "    return kernel",
    "swaps": "import types, sagan_lib.book.classroom as c\n"
    "c.np = types.SimpleNamespace(**{**vars(np), 'abs': lambda x: np.zeros(1)})\n" + HEAD
    + "    return kernel",
    "knows": HEAD + "    return expected",
    "lasts": "import os, signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nos.forkpty()",
    "silences": "import sagan_lib.book.classroom as c\nc.close = close = lambda *a, **k: None\n"
    + HEAD + "    return kernel",
}  # fmt: skip
KEPT = ("kernel_matrix", "power_iteration")  # problems 1 and 2
FULL = sum(points for test, points in ProblemSet("ps2").points.items() if test.startswith(KEPT))
REST = FULL - 20  # without problem 1


def shorten(root):
    """Take out problems 3 and 4: most of a submission's time, and nothing misbehaves there."""
    path = root / "source" / NAME / f"{NAME}.py"
    text = path.read_text()
    begin, end = (text.index(f"# %% [markdown]\n# ## {number}. ") for number in (3, 5))
    path.write_text(text[:begin] + text[end:])


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """(the course's folder, {student: row}) after all were graded in one go."""
    root = tmp_path_factory.mktemp("course")
    one_set(root, NAME)
    shorten(root)
    course.build(root, solutions=False)
    release = (root / "release" / NAME / f"{NAME}.ipynb").read_text()
    victim = root / "submitted" / "right" / NAME

    def hand_in(student, text):
        folder = root / "submitted" / student / NAME
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_text(text)

    for student, cell in CELLS.items():
        cell = cell.replace("VICTIM", repr(str(victim))).replace("NAME", NAME)
        cell = cell.replace("SOURCE", repr(str(SOURCES / NAME / f"{NAME}.py")))
        hand_in(student, nbformat.writes(submission(release, MODEL | {"kernel_matrix": cell})))
    hand_in("broken", "{ this is no notebook")
    (root / "submitted" / "absent" / NAME).mkdir(parents=True)
    hand_in("empty", release)
    for student, change in {"misses": _drop, "renames": _rename, "reorders": _reorder,
                            "cheats": _no_tests, "helper": _helper, "splits": _split,
                            "below": _below, "seeded": _seed,
                            "regives": _regive}.items():  # fmt: skip
        notebook = submission(release, MODEL)
        change(notebook)
        hand_in(student, nbformat.writes(notebook))
    patch = pytest.MonkeyPatch()
    patch.setenv("CELL_SECONDS", "15")  # with room for a busy machine
    patch.setattr(grading, "LIMIT", 150)
    said = []
    rows = course.grade(root, report=said.append)
    patch.undo()
    return root, {row["student"]: row for row in rows}, said


def _answer(notebook):
    return next(c for c in notebook.cells
                if c.metadata.get("nbgrader", {}).get("grade_id") == "kernel_matrix")  # fmt: skip


def _drop(notebook):
    notebook.cells.remove(_answer(notebook))


def _rename(notebook):
    _answer(notebook).metadata.nbgrader["grade_id"] = "my_matrix"


def _reorder(notebook):
    notebook.cells.reverse()


def _no_tests(notebook):
    for cell in notebook.cells:
        if "_test_" in cell.metadata.get("nbgrader", {}).get("grade_id", ""):
            cell.source = "pass"


def _helper(notebook):
    place = notebook.cells.index(_answer(notebook))
    _answer(notebook).source = HEAD + "    return my_own_way(kernel, kind)"
    code = MODEL["kernel_matrix"].replace("kernel_matrix", "my_own_way")
    notebook.cells.insert(place, nbformat.v4.new_code_cell(code))


def _split(notebook):
    """As JupyterLab splits a cell: both parts have the same id."""
    head, tail = copy.deepcopy(_answer(notebook)), _answer(notebook)
    code = MODEL["kernel_matrix"]
    head.source, tail.source = "def swapped(x):\n    return np.swapaxes(x, 2, 3)", code
    notebook.cells.insert(notebook.cells.index(tail), head)


def _put_behind(notebook, name, new):
    place = next(k for k, c in enumerate(notebook.cells)
                 if c.metadata.get("nbgrader", {}).get("grade_id") == name)  # fmt: skip
    notebook.cells.insert(place + 1, new)


def _below(notebook):
    new = nbformat.v4.new_markdown_cell("The guess is kept, and the kernel moves little.")
    _put_behind(notebook, "one_round", new)


def _regive(notebook):
    code = "power_pair.__code__ = (lambda *a: (1, 2)).__code__"
    _put_behind(notebook, "power_pair", nbformat.v4.new_code_cell(code))


def _seed(notebook):
    (cell,) = (c for c in notebook.cells if "SEED = 0  #" in c.source)
    cell.source = cell.source.replace("SEED = 0", "SEED = 7")


@pytest.mark.parametrize(
    ("student", "points"),
    [
        ("right", FULL), ("helper", FULL), ("reorders", FULL), ("cheats", FULL),
        ("wrong", FULL - 15), ("loops", REST), ("exits", REST), ("quits", REST), ("deletes", REST),
        ("writes", REST), ("eats", REST), ("hoards", REST), ("peeks", REST), ("database", REST),
        ("replaces", REST), ("floods", REST), ("fills", REST), ("bars", FULL),
        ("starts", REST), ("shadows", REST), ("misses", REST), ("empty", 0), ("broken", 0),
        ("absent", 0), ("dies", 0), ("stubborn", 0), ("patches", 0), ("silences", 0),
        ("recodes", 0), ("skips", 0), ("hides", 0), ("catches", 0), ("unguards", 0), ("swaps", 0),
        ("knows", REST), ("regives", 20), ("lasts", REST), ("splits", FULL), ("below", FULL),
        ("seeded", FULL),
    ],
)  # fmt: skip
def test_points(graded, student, points):
    _, rows, _ = graded
    assert rows[student]["auto"] == points
    assert rows[student]["of"] == FULL


def test_renamed_answer_still_runs_as_the_students_own_cell(graded):
    row = graded[1]["renames"]
    assert "unknown cell id my_matrix" in row["notes"]
    assert "kernel_matrix is missing" in row["notes"]


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("broken", "cannot be read"), ("absent", "not handed in"), ("dies", "ended the kernel"),
        ("stubborn", "did not stop when interrupted"), ("misses", "kernel_matrix is missing"),
        ("cheats", "kernel_matrix_test_shape was changed"),
        ("splits", "cell kernel_matrix was split, its second part is kept"),
        ("below", "text below cell one_round was added to it"),
        ("seeded", "made with SEED 7, this course has 0"),
    ],
)  # fmt: skip
def test_notes(graded, student, words):
    assert words in graded[1][student]["notes"]


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("wrong", "stores its output channel before its input channel"),
        ("loops", "No reply from kernel before timeout"),
        ("deletes", "Grading does not let a notebook delete"),
        ("replaces", "Grading does not let a notebook delete, move, link"),
        ("floods", "This cell printed more than 1,048,576 characters"),
        ("fills", "File too large"),
        ("writes", "Grading does not let a notebook write to"),
        ("peeks", "Grading does not let a notebook read the problem set"),
        ("database", "Grading does not let a notebook open a database"),
        ("starts", "Grading does not let a notebook start another program"),
        ("eats", "MemoryError"), ("hoards", "MemoryError"),
        ("patches", "This notebook replaced numpy.allclose"),
        ("silences", "This notebook replaced sagan_lib.book.classroom.close"),
        ("recodes", "This notebook replaced the code of close"),
        ("skips", "This notebook replaced how IPython reads a cell"),
        ("hides", "This notebook replaced ZMQInteractiveShell.showtraceback"),
        ("catches", "This notebook replaced how IPython shows an error"),
        ("swaps", "This notebook replaced sagan_lib.book.classroom.np"),
        ("regives", "This notebook replaced the code of power_pair"),
        ("below", "The guess is kept, and the kernel moves little."),
        ("knows", "kernel_matrix stopped with NameError"),
        ("broken", "Not graded: the file cannot be read"),
        ("empty", "NotImplementedError"), ("misses", "From the grader"),
    ],
)  # fmt: skip
def test_feedback_page_says_why(graded, student, words):
    page = (graded[0] / "feedback" / student / NAME / f"{NAME}.html").read_text()
    assert words in page


def test_feedback_needs_no_network(graded):
    for page in graded[0].glob("feedback/*/*/*.html"):
        text = page.read_text()
        assert "MathJax = {tex:" in text
        assert not re.search(
            r"""<(script|link|img|iframe)[^>]*(src|href)=["']?(https?:)?//""", text
        )


def test_a_function_of_a_module_that_comes_late_is_watched_too(tmp_path):
    """In a process of its own: the guard cannot be taken off again."""
    code = f"""
import sys, types
sys.path.insert(0, {str(SOURCES.parent)!r})
import guard
calls = dict(pre_execute=[], pre_run_cell=[], post_run_cell=[])
events = types.SimpleNamespace(register=lambda name, call: calls[name].append(call),
                               callbacks=calls)
shell = types.SimpleNamespace(push=lambda names: None, input_transformers_post=[], events=events,
                              ast_transformers=[], custom_exceptions=())
guard.engage(shell, [{str(tmp_path)!r}], [], [], [], "secret")
(check,) = shell.input_transformers_post
assert check(["x"]) == ["x"]
import tensorflow as tf
assert check(["x"]) == ["x"]
relu, tf.nn.relu = tf.nn.relu, None
line = check(["x"])[0]
assert "replaced tensorflow._api.v2.nn.relu: nothing after that counts" in line, line
assert tf.nn.relu is relu
"""
    place = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("os.replace(mine, mine + '2')", True), ("os.replace(mine, theirs)", False),
        ("os.rename(theirs, mine)", False), ("os.link(theirs, mine + '2')", False),
        ("os.symlink(theirs, mine + '2')", False), ("os.symlink(mine, mine + '2')", True),
        ("os.chmod(theirs, 0)", False), ("os.mkdir(theirs + 'x')", False),
        ("os.utime(theirs)", False), ("shutil.copy(mine, theirs)", False),
        ("shutil.move(mine, theirs)", False), ("os.truncate(theirs, 0)", False),
        ("os.forkpty()", False), ("os.fork()", False), ("socket.getaddrinfo('x', 1)", False),
        ("os.listdir(os.path.dirname(theirs))", False), ("os.listdir(os.path.dirname(mine))", True),
        ("os.rename('theirs', mine, src_dir_fd=os.open(os.path.dirname(theirs), 0))", False),
    ],
)  # fmt: skip
def test_the_guard_lets_only_the_own_folder_be_changed(tmp_path, code, allowed):
    """In a process of its own: the guard cannot be taken off again."""
    own, other = tmp_path / "own", tmp_path / "other"
    for folder, name in ((own, "mine"), (other, "theirs")):
        folder.mkdir()
        (folder / name).write_text("x")
    program = f"""
import os, shutil, socket, sys
sys.path.insert(0, {str(SOURCES.parent)!r})
import guard
folders = [[guard.Path(os.path.realpath(f))] for f in ({str(own)!r}, {str(other)!r})]
def audit(event, arguments):
    sys_audit = guard._forbid(event, arguments, *folders)
    if sys_audit:
        raise PermissionError(sys_audit)
sys.addaudithook(audit)
mine, theirs = {str(own / "mine")!r}, {str(other / "theirs")!r}
{code}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode == 0) == allowed, done.stderr
    assert allowed or "PermissionError" in done.stderr
    assert (other / "theirs").read_text() == "x"


def test_a_copys_name_is_taken_if_it_is_the_only_one(tmp_path):
    folder = tmp_path / "submitted" / "ada" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME} (1).ipynb").write_text("{}")
    path, notes = grading._handed_in(tmp_path, "ada", NAME)
    assert path.name == f"{NAME} (1).ipynb"
    assert notes == [f"{NAME} (1).ipynb was taken"]
    (folder / f"{NAME}-Copy1.ipynb").write_text("{}")
    assert grading._handed_in(tmp_path, "ada", NAME) == (folder / f"{NAME}.ipynb", [])


def test_other_students_work_is_untouched(graded):
    root, rows, _ = graded
    victim = (root / "submitted" / "right" / NAME / f"{NAME}.ipynb").read_text()
    assert nbformat.reads(victim, as_version=4).cells
    files = [path.name for path in (root / "submitted" / "right" / NAME).iterdir()]
    assert files == [f"{NAME}.ipynb"]
    assert len(rows) == len(list((root / "submitted").iterdir()))


def test_the_table_has_every_submission(graded):
    with (graded[0] / "graded" / "report.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["student"]: float(row["tests"]) for row in table} == {
        student: row["auto"] for student, row in graded[1].items()
    }


def test_graded_again_only_what_changed(graded):
    root, _, _ = graded
    path = root / "submitted" / "empty" / NAME / f"{NAME}.ipynb"
    path.write_text((root / "submitted" / "right" / NAME / f"{NAME}.ipynb").read_text())
    (root / "submitted" / "empty" / "ps9_unknown").mkdir()
    said = []
    rows = {row["student"]: row for row in course.grade(root, report=said.append)}
    assert rows["empty"]["auto"] == FULL
    assert sum("empty/ps2" in line for line in said) == 1
    assert any("ps9_unknown: no such problem set" in line for line in said)
    assert len(said) == 3


def test_the_kernel_of_the_settings_runs_it(tmp_path, graded, monkeypatch):
    """As the instructors' page has it for a container: another kernel, sockets in a folder."""
    root = tmp_path / "course"
    keep = shutil.ignore_patterns("submitted", "autograded", "feedback", "graded")
    shutil.copytree(graded[0], root, ignore=keep)
    shutil.copytree(graded[0] / "submitted" / "right", root / "submitted" / "right")
    settings = SOURCES.parent / "nbgrader_config.py"
    extra = """
import tempfile
c.Execute.kernel_name = "contained"
c.KernelManager.transport = "ipc"
c.KernelManager.ip = tempfile.mkdtemp() + "/kernel"
"""
    (tmp_path / "nbgrader_config.py").write_text(settings.read_text() + extra)
    kernel = tmp_path / "jupyter" / "kernels" / "contained"
    kernel.mkdir(parents=True)
    start = ["sh", "{resource_dir}/start.sh", "{connection_file}"]
    described = {"display_name": "contained", "language": "python", "argv": start}
    (kernel / "kernel.json").write_text(json.dumps(described))
    (kernel / "start.sh").write_text(
        f'cp "$1" {tmp_path}/seen.json\nexec {sys.executable} -m ipykernel_launcher -f "$1"\n'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setattr(grading, "SETTINGS", tmp_path / "nbgrader_config.py")
    (row,) = course.grade(root, report=lambda line: None)
    assert row["auto"] == FULL
    assert json.loads((tmp_path / "seen.json").read_text())["transport"] == "ipc"


def test_another_seed_is_in_every_copy_and_its_model_passes(tmp_path):
    one_set(tmp_path, NAME)
    course.build(tmp_path, seed=7)  # executes the solution
    for each in ("release", "solutions"):
        text = (tmp_path / each / NAME / f"{NAME}.ipynb").read_text()
        assert "SEED = 7  #" in text
        assert "SEED = 0" not in text


def test_the_students_copy_has_no_solution_and_no_hidden_test(graded):
    text = (graded[0] / "release" / NAME / f"{NAME}.ipynb").read_text()
    for secret in ("BEGIN SOLUTION", "HIDDEN TESTS", "Rubric", "0, 1, 3, 2"):
        assert secret not in text
    assert sorted(path.name for path in (graded[0] / "release" / NAME).iterdir()) == [
        f"{NAME}.ipynb"
    ]
    assert "kernel_matrix_test_shape" in text
    assert "(20 points)" in text


def test_the_gradebook_is_copied_before_each_run(graded):
    copies = list((graded[0] / "backups").glob("gradebook-*.db"))
    assert copies
    with grades.Gradebook(f"sqlite:///{copies[0]}") as book:
        assert [each.name for each in book.assignments] == [NAME]


def test_nbgraders_own_command_is_refused_with_the_right_one(graded):
    with pytest.raises(RuntimeError, match=r"grade with: python assignments/course\.py grade"):
        grading.nbgrader(graded[0], "autograde", NAME, "--student", "right", "--force")


def test_points_are_part_of_what_a_grade_depends_on(graded):
    root, _, _ = graded
    before = grading.digest(root, "right", NAME)
    path = root / "source" / NAME / f"{NAME}.ipynb"
    kept = path.read_text()
    path.write_text(kept.replace('"points": 10', '"points": 11', 1))
    try:
        assert grading.digest(root, "right", NAME) != before
    finally:
        path.write_text(kept)


def test_tests_let_run_all_go_on(graded):
    release = nbformat.read(graded[0] / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    marks = {c.metadata.nbgrader["grade_id"]: c.metadata.get("tags", [])
             for c in release.cells if "nbgrader" in c.metadata}  # fmt: skip
    assert {"_test_" in name for name, tags in marks.items() if tags} == {True}
    assert all(tags == ["raises-exception"] for name, tags in marks.items() if "_test_" in name)


def test_grading_before_the_build_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="run make course first"):
        course.grade(tmp_path)


def test_a_set_without_the_line_of_the_seed_is_refused(tmp_path):
    folder = tmp_path / "source" / "ps9_none"
    folder.mkdir(parents=True)
    (folder / "ps9_none.py").write_text("# %%\nSEED = 1\n")
    with pytest.raises(ValueError, match=r"ps9_none.py: the line 'SEED = 0"):
        course.build(tmp_path)


def test_one_that_cannot_be_entered_stops_nobody(graded, monkeypatch):
    root, rows, _ = graded
    enter = grades.Book.enter

    def fail(book, student, name, result):
        if student == "right":
            raise OSError("disk full")
        return enter(book, student, name, result)

    monkeypatch.setattr(grades.Book, "enter", fail)
    for student in ("right", "broken"):
        (root / "graded" / student / f"{NAME}.json").unlink()
    said = []
    again = course.grade(root, report=said.append)
    assert f"right/{NAME}: NOT GRADED, next time again: disk full" in said
    assert len(again) == len(rows) - 1
    monkeypatch.undo()
    assert len(course.grade(root, report=said.append)) == len(rows)


def test_points_of_essays_are_exported_and_survive_grading_again(graded, tmp_path):
    root, _, _ = graded
    with grades.opened(root) as book:
        essay = book.find_grade("one_round", NAME, NAME, "right")
        essay.manual_score = 8
        book.find_comment("one_round", NAME, NAME, "right").manual_comment = "Well said."
        book.db.commit()
    (root / "graded" / "right" / f"{NAME}.json").unlink()
    course.grade(root, report=lambda line: None)
    target = tmp_path / "grades.csv"
    grading.nbgrader(root, "export", "--to", str(target))
    with target.open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores["right"] == FULL + 8
    assert scores["wrong"] == FULL - 15
    for other in root.glob("autograded/*"):  # pages of all take minutes
        if other.name != "right":
            shutil.rmtree(other)
    assert course.feedback(NAME, root) == ["right"]
    page = (root / "feedback" / "right" / NAME / f"{NAME}.html").read_text()
    assert "Well said." in page
    assert "MathJax = {tex:" in page
    with pytest.raises(ValueError, match="nothing graded under 'ps9'"):
        course.feedback("ps9", root)
    with pytest.raises(RuntimeError, match=r"nbgrader wrote no page:(.|\n)*autograded/wrong"):
        grades.Book(root, course.sets(root)).feedback("wrong", NAME)


def test_a_solution_that_raises_is_named(tmp_path):
    one_set(tmp_path, NAME)
    path = tmp_path / "source" / NAME / f"{NAME}.py"
    path.write_text(path.read_text().replace("(0, 1, 3, 2)", "(0, 1, 2, 3)"))
    with pytest.raises(RuntimeError, match=f"{NAME}.ipynb.*kernel_matrix_test"):
        course.build(tmp_path)
