"""Submissions that misbehave: each gets its mark and a sentence, and harms nobody else."""

import copy
import csv
import json
import os
import re
import shutil

import course
import forbidden
import grades
import grading
import nbformat
import pytest
from harness import SOURCES, ProblemSet, one_set, submission
from jupyter_client import AsyncKernelManager

pytestmark = pytest.mark.full

NAME = "ps2_spectral_norm"
MODEL = ProblemSet("ps2").answers
HEAD = "def kernel_matrix(kernel, kind):\n"
WRONG = HEAD + "    return np.reshape(kernel, (-1, kernel.shape[-1]))"
_FRAMES = ("import sys\ndef frames():\n    frame = sys._getframe()\n    while frame:\n"
           "        yield frame\n        frame = frame.f_back\n")  # fmt: skip
CELLS = {  # student -> what stands in the cell of kernel_matrix
    "right": MODEL["kernel_matrix"],
    "wrong": WRONG,
    "magic": "%load_ext autoreload\n%autoreload 2\n" + MODEL["kernel_matrix"],
    "times": "%%time\n" + MODEL["kernel_matrix"],
    "bars": "import sys\nprint('50%', file=sys.stderr)\n" + MODEL["kernel_matrix"].replace(
        "    ", "    print('bar', file=sys.stderr)\n    ", 1),
    "loops": HEAD + "    while True:\n        pass",
    "stubborn": "while True:\n    try:\n        while True:\n            pass\n"
    "    except BaseException:\n        pass",
    "exits": "import sys\nsys.exit()", "quits": "exit()", "dies": "import os\nos._exit(0)",
    "deletes": "import shutil\nshutil.rmtree(VICTIM)",
    "links": "import os\nfrom pathlib import Path\nfor place in (VICTIM, GRADEBOOK):\n"
    "    for name in ('NAME.ipynb', 'gradebook.db', 'run/connection.json', 'link'):\n"
    "        Path(name).unlink(missing_ok=True)\n        os.symlink(place, name)\n"
    "        try:\n            open(name, 'w').write('x')\n        except OSError:\n"
    "            pass\n" + MODEL["kernel_matrix"],
    "peeks": "text = open(SOURCE).read()\n" + MODEL["kernel_matrix"],
    "eats": "x = np.ones(10**11)\n" + HEAD + "    return kernel",
    "floods": "for _ in range(200):\n    print('x' * 10**5)\n" + MODEL["kernel_matrix"],
    "shows": "from IPython.display import HTML, Javascript, display\n"
    "display(HTML('<script>evil()</script>' * 10**5))\ndisplay(Javascript('evil()'))\n"
    "display({'text/html': '<b onclick=evil()>', 'image/png': '\"><script>evil()</script>'},"
    " raw=True)\n" + MODEL["kernel_matrix"],
    "nests": "import os\nfor _ in range(1500):\n    os.mkdir('x')\n    os.chdir('x')\n" + WRONG,
    "fills": "with open('big', 'wb') as file:\n    file.write(bytes(10**8))",
    "huge": HEAD + "    return np.zeros((10**4, 10**4))",
    "knows": HEAD + "    return expected",
    "frames": _FRAMES + HEAD + "    for frame in frames():\n"
    "        frame.f_globals.update(close=lambda *a, **k: None, call=lambda *a, **k: 1)\n"
    + WRONG.partition("\n")[2],
    "compiles": "get_ipython().compile = lambda *a, **k: compile('None', 'x', 'exec')\n" + WRONG,
    "reads": _FRAMES + "class Knows:\n    def __array__(self, *a, **k):\n"
    "        return next(f.f_locals['expected'] for f in frames() if 'expected' in f.f_locals)\n"
    + HEAD + "    return Knows()",
    "shadows": "call = close = power_pair = lambda *a, **k: 1\n" + WRONG,
    "forges": "import sagan_lib.book.classroom as c\nc.answer = lambda *a: '{\"value\": 1}'\n"
    + WRONG,
    "asks": "import numpy.linalg\nfrom sagan_lib import book\n" + MODEL["kernel_matrix"],
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
    (path.parent / "variants.toml").unlink()


def hand_in(root, student, text):
    folder = root / "submitted" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text(text)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """(the course's folder, {student: row}, lines told) after all were graded in one go."""
    if course.sandbox.best() is None:
        pytest.skip("needs bubblewrap")
    root = tmp_path_factory.mktemp("course")
    one_set(root, NAME)
    shorten(root)
    course.build(root, solutions=False)
    release = (root / "release" / NAME / f"{NAME}.ipynb").read_text()
    places = {"VICTIM": root / "submitted" / "right" / NAME, "GRADEBOOK": root / "gradebook.db",
              "SOURCE": SOURCES / NAME / f"{NAME}.py"}  # fmt: skip
    for student, cell in CELLS.items():
        for word, place in places.items():
            cell = cell.replace(word, repr(str(place)))
        cell = cell.replace("NAME", NAME)
        made = submission(release, MODEL | {"kernel_matrix": cell})
        hand_in(root, student, nbformat.writes(made))
    hand_in(root, "broken", "{ this is no notebook")
    hand_in(root, "nested", "[" * 100_000)
    hand_in(root, "empty", release)
    (root / "submitted" / "absent" / NAME).mkdir(parents=True)
    (root / "submitted" / "renamed" / NAME).mkdir(parents=True)
    (root / "submitted" / "renamed" / NAME / "ps2 final version.ipynb").write_text(release)
    (root / "submitted" / "pipe" / NAME).mkdir(parents=True)
    os.mkfifo(root / "submitted" / "pipe" / NAME / f"{NAME}.ipynb")
    hand_in(root, "halves", release.replace("# your code here", "# \\ud800", 1))
    (root / "submitted" / "linked").symlink_to(root / "submitted" / "right")
    (root / "submitted" / "links a file" / NAME).mkdir(parents=True)
    (root / "submitted" / "links a file" / NAME / f"{NAME}.ipynb").symlink_to(
        root / "submitted" / "right" / NAME / f"{NAME}.ipynb"
    )
    for student, change in CHANGES.items():
        notebook = submission(release, MODEL)
        change(notebook)
        hand_in(root, student, nbformat.writes(notebook))
    patch, said = pytest.MonkeyPatch(), []
    patch.setattr(grading, "CELL", 20)  # seconds, with room for a busy machine
    rows = course.grade(root, report=said.append)
    patch.undo()
    return root, {row["student"]: row for row in rows}, said


def _cell(notebook, name):
    return next(c for c in notebook.cells
                if c.metadata.get("nbgrader", {}).get("grade_id") == name)  # fmt: skip


def _rename(notebook):
    _cell(notebook, "kernel_matrix").metadata.nbgrader["grade_id"] = "my_matrix"


def _no_tests(notebook):
    for cell in notebook.cells:
        if "_test_" in cell.metadata.get("nbgrader", {}).get("grade_id", ""):
            cell.source = "pass"


def _put(notebook, name, new, after=1):
    notebook.cells.insert(notebook.cells.index(_cell(notebook, name)) + after, new)


def _helper(notebook):
    _cell(notebook, "kernel_matrix").source = HEAD + "    return my_own_way(kernel, kind)"
    code = MODEL["kernel_matrix"].replace("kernel_matrix", "my_own_way")
    _put(notebook, "kernel_matrix", nbformat.v4.new_code_cell(code), 0)


def _split(notebook):
    """As JupyterLab splits a cell: both parts have the same id."""
    head = copy.deepcopy(_cell(notebook, "kernel_matrix"))
    head.source = "def swapped(x):\n    return np.swapaxes(x, 2, 3)"
    _put(notebook, "kernel_matrix", head, 0)


def _below(notebook):
    text = "The guess is kept. <script>evil()</script><img src=x onerror=evil()>"
    text += " [x](javascript:evil()) [y] ![z](https://example.org/z.png)\n\n[y]: data:evil"
    _put(notebook, "one_round", nbformat.v4.new_markdown_cell(text))


def _prints(notebook):
    for _ in range(10):
        _put(notebook, "kernel_matrix", nbformat.v4.new_code_cell("print('x' * 10**6)"))


def _long(notebook):
    _put(notebook, "kernel_matrix", nbformat.v4.new_code_cell("pass\n" * 2**18))


def _seed(notebook):
    cell = _cell(notebook, "setup")
    cell.source = cell.source.replace("SEED = 0", "SEED = 7")


CHANGES = {
    "misses": lambda notebook: notebook.cells.remove(_cell(notebook, "kernel_matrix")),
    "renames": _rename, "reorders": lambda notebook: notebook.cells.reverse(),
    "cheats": _no_tests, "helper": _helper, "splits": _split, "below": _below, "seeded": _seed,
    "prints": _prints, "long": _long,
}  # fmt: skip
ALL = ("right", "magic", "times", "bars", "links", "floods", "shows", "asks", "helper", "reorders",
       "cheats", "splits", "below", "seeded", "prints")  # fmt: skip
NONE = ("stubborn", "dies", "long", "empty", "broken", "nested", "absent", "renamed", "pipe",
        "halves", "linked", "links a file")  # fmt: skip
LESS = dict.fromkeys(("wrong", "shadows", "nests"), FULL - 15)


@pytest.mark.parametrize("student", [*CELLS, *CHANGES, *NONE[3:]])
def test_points(graded, student):
    points = FULL if student in ALL else 0 if student in NONE else LESS.get(student, REST)
    row = graded[1][student]
    if student in ("forges", "compiles", "frames"):  # whoever breaks the own notebook
        assert row["auto"] <= FULL - 15
    else:
        assert row["auto"] == points, row
    assert row["of"] == FULL


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("broken", "cannot be read"), ("nested", "cannot be read"), ("absent", "not handed in"),
        ("pipe", "not handed in"), ("linked", "not handed in"), ("links a file", "not handed in"),
        ("halves", "surrogates not allowed"), ("long", "more than 1 MiB of code and text"),
        ("dies", "ended the kernel"),
        ("renamed", f"there is ps2 final version.ipynb: name the right one {NAME}.ipynb"),
        ("stubborn", "did not stop when interrupted"), ("misses", "kernel_matrix is missing"),
        ("renames", "unknown cell id my_matrix"),
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
        ("loops", "It ran for more than 20 s"), ("floods", "printed more than 1,048,576"),
        ("fills", "File too large"), ("eats", "MemoryError"), ("huge", "far too many numbers"),
        ("knows", "kernel_matrix stopped with NameError"), ("peeks", "No such file"),
        ("broken", "Not graded: the file cannot be read"),
        ("empty", "kernel_matrix is not written yet"), ("misses", "From the grader"),
    ],
)  # fmt: skip
def test_feedback_page_says_why(graded, student, words):
    page = (graded[0] / "feedback" / student / NAME / f"{NAME}.html").read_text()
    assert words in page


def test_what_is_forbidden_is_told_to_the_teacher_and_takes_no_points(graded):
    assert graded[1]["asks"]["look"] == "kernel_matrix, line 2: sagan_lib"
    with (graded[0] / "graded" / "report.csv").open() as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert table["asks"]["to_look_at"] == "kernel_matrix, line 2: sagan_lib"
    page = (graded[0] / "feedback" / "asks" / NAME / f"{NAME}.html").read_text()
    assert "kernel_matrix, line 2" not in page
    assert {s: float(row["tests"]) for s, row in table.items()} == {
        s: row["auto"] for s, row in graded[1].items()
    }


def test_pages_have_no_script_of_a_student_and_need_no_network(graded):
    for page in graded[0].glob("feedback/*/*/*.html"):
        text = page.read_text()
        assert len(text) < 6 * 10**6
        assert "MathJax = {tex:" in text
        assert not re.search(
            r"<script>evil|<img[^>]*evil|<b[^>]*evil|(href|src)=\W*java|href=\W*data", text
        ), page
        if page.parent.parent.name == "below":  # what is no page of the web is no link
            assert "[x](javascript:evil())" in text
        network = r"""<(script|link|img|iframe)[^>]*(src|href)=["']?(https?:)?//"""
        assert not re.search(network, text)


def test_other_students_work_and_the_gradebook_are_untouched(graded):
    root, rows, _ = graded
    folder = root / "submitted" / "right" / NAME
    assert nbformat.read(folder / f"{NAME}.ipynb", as_version=4).cells
    assert [path.name for path in folder.iterdir()] == [f"{NAME}.ipynb"]
    with grades.opened(root) as book:
        assert len(book.students) == len(rows) == len(list((root / "submitted").iterdir()))
    copies = list((root / "backups").glob("gradebook-*.db"))
    with grades.Gradebook(f"sqlite:///{copies[0]}") as book:
        assert [each.name for each in book.assignments] == [NAME]


def test_graded_again_only_what_changed(graded):
    root, _, _ = graded
    right = (root / "submitted" / "right" / NAME / f"{NAME}.ipynb").read_text()
    (root / "submitted" / "empty" / NAME / f"{NAME}.ipynb").write_text(right)
    (root / "submitted" / "empty" / "ps9_unknown").mkdir()
    said = []
    rows = {row["student"]: row for row in course.grade(root, report=said.append)}
    assert rows["empty"]["auto"] == FULL
    assert sum("empty/ps2" in line for line in said) == 1
    assert any("ps9_unknown: no such problem set" in line for line in said)
    assert len(said) == 3


def test_the_students_copy_has_no_solution_and_no_hidden_test(graded):
    folder = graded[0] / "release" / NAME
    text = (folder / f"{NAME}.ipynb").read_text()
    for secret in ("BEGIN SOLUTION", "HIDDEN TESTS", "Rubric", "0, 1, 3, 2"):
        assert secret not in text
    assert [path.name for path in folder.iterdir()] == [f"{NAME}.ipynb"]
    assert "kernel_matrix_test_shape" in text


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
    for cell in (cell for cell in release.cells if "nbgrader" in cell.metadata):
        tags = ["raises-exception"] if "_test_" in cell.metadata.nbgrader["grade_id"] else []
        assert cell.metadata.get("tags", []) == tags


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
        book.find_grade("one_round", NAME, NAME, "right").manual_score = 8
        book.find_comment("one_round", NAME, NAME, "right").manual_comment = "Well said."
        book.db.commit()
    path = root / "submitted" / "right" / NAME / f"{NAME}.ipynb"
    written = nbformat.read(path, as_version=4)
    (essay,) = (cell for cell in written.cells if grading.repair.grade_id(cell) == "one_round")
    essay.source += " And more."
    nbformat.write(written, path)
    rows = course.grade(root, report=lambda line: None)
    (row,) = (row for row in rows if row["student"] == "right")
    assert row["look"] == "essay one_round was changed after it was graded"
    target = tmp_path / "grades.csv"
    grading.nbgrader(root, "export", "--to", str(target))
    with target.open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert (scores["right"], scores["wrong"]) == (FULL + 8, FULL - 15)
    for other in root.glob("autograded/*"):  # pages of all take minutes
        if other.name != "right":
            shutil.rmtree(other)
    assert course.feedback(NAME, root) == ["right"]
    page = (root / "feedback" / "right" / NAME / f"{NAME}.html").read_text()
    assert "Well said." in page
    with pytest.raises(ValueError, match="nothing graded under 'ps9'"):
        course.feedback("ps9", root)
    with pytest.raises(RuntimeError, match=r"nbgrader wrote no page:(.|\n)*autograded/wrong"):
        grades.Book(root, course.sets(root)).feedback("wrong", NAME)


def test_another_seed_is_in_every_copy_and_a_model_that_fails_is_named(tmp_path):
    one_set(tmp_path, NAME)
    course.build(tmp_path, seed=7)  # executes the solution
    for each in ("release", "solutions"):
        text = (tmp_path / each / NAME / f"{NAME}.ipynb").read_text()
        assert "SEED = 7  #" in text
        assert "SEED = 0" not in text
    path = tmp_path / "source" / NAME / f"{NAME}.py"
    path.write_text(path.read_text().replace("(0, 1, 3, 2)", "(0, 1, 2, 3)"))
    with pytest.raises(RuntimeError, match=f"{NAME}.ipynb.*kernel_matrix_test"):
        course.build(tmp_path)


def test_what_cannot_be_graded_or_built_is_said(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="run make course first"):
        course.grade(tmp_path, way="no sandbox")
    monkeypatch.setattr(course.sandbox, "best", lambda: None)
    with pytest.raises(ValueError, match="no sandbox: install bubblewrap; or type --without"):
        course.grade(tmp_path)
    folder = tmp_path / "source" / "ps9_none"
    folder.mkdir(parents=True)
    (folder / "ps9_none.py").write_text("# %%\nSEED = 1\n")
    with pytest.raises(ValueError, match=r"ps9_none.py: the line 'SEED = 0"):
        course.build(tmp_path)


def test_a_submission_s_environment_tells_nothing_of_the_grader(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER", "/secret/place")
    monkeypatch.setenv("TOKEN", "secret")
    assert "secret" not in str(grading._environment(tmp_path, "mark"))


def test_a_copys_name_is_taken_if_it_is_the_only_one(tmp_path):
    folder = tmp_path / "submitted" / "ada" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME} (1).ipynb").write_text("{}")
    path, notes = grading._handed_in(tmp_path, "ada", NAME)
    assert path.name == f"{NAME} (1).ipynb"
    assert notes == [f"{NAME} (1).ipynb was taken"]
    (folder / f"{NAME}-Copy1.ipynb").write_text("{}")
    assert "name the right one" in grading._handed_in(tmp_path, "ada", NAME)[1][0]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import scipy.linalg as s", "power_iteration, line 1: scipy"),
        ("from torch import svd as mine", "power_iteration, line 1: torch"),
        ("y = np.linalg.svd(x)", "power_iteration, line 1: svd"),
        ("eval('1')", "power_iteration, line 1: eval"),
        ("def eig(x):\n    return x\neig(1)", None), ("def f(:", None), ("print('svd')", None),
        ("svd = 1\nprint(svd)", None), ("svd = np.linalg.svd(x)", "power_iteration, line 1: svd"),
        ("f = lambda svd: svd", None), ("%%time\nnp.linalg.svd(x)", "power_iteration, line 2: svd"),
    ],
)  # fmt: skip
def test_forbidden_words_are_found_by_the_syntax_tree(code, said):
    cell = nbformat.v4.new_code_cell(code, metadata={
        "nbgrader": {"grade_id": "power_iteration", "locked": False, "solution": True},
        "without": ["svd", "eig", "scipy", "torch"],
    })  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[cell])
    found = forbidden.found(notebook, notebook)
    assert said in found if said else not found


def test_what_took_too_long_is_not_asked_again_and_an_end_is_kept(monkeypatch):
    asked, client = [], grading.Client(AsyncKernelManager())
    slow = grading.new_output("error", ename="TimeoutError", traceback=[],
                              evalue=f"It ran for more than {grading.CELL} s.")  # fmt: skip

    def run(code, room):
        asked.append(code)
        if "dies" in code:
            raise RuntimeError("Kernel died")
        return [slow]

    monkeypatch.setattr(client, "run", run)
    for name in ("loops", "loops", "other"):
        reply = json.loads(client.ask(json.dumps([name, [], {}])))
        assert reply["said"] == slow.evalue
    assert len(asked) == 2
    assert client.ended is None
    with pytest.raises(RuntimeError, match="Kernel died"):
        client.ask(json.dumps(["dies", [], {}]))
    assert str(client.ended) == "Kernel died"


def test_what_an_honest_essay_writes_stays_as_it_is():
    plain = (
        "If $a < b$, then [x](https://a.org/b:c), see [y][1]: `w[0](x)` > 0.\n\n[1]: http://b.org"
    )
    assert grading._harmless(plain) == plain
    long = "](" * 50_000  # in a moment, not in an hour
    assert grading._harmless(long) == long
    assert grading._harmless("$a<b$, $\\href{x}y$") == "$a< b$, $\\ href{x}y$"
