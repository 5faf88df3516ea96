"""A class through a term: roster, due dates, tables, pages to give back, a set built anew."""

import copy
import csv
import datetime
import os
import shutil
import zipfile

import answers_ps2
import collect
import course
import grades
import grading
import nbformat
import pages
import pytest
import repair
import roster
import sheets
import similar
import terms
from harness import ProblemSet, one_set, submission
from test_collect import archive

pytestmark = pytest.mark.full

NAME = "ps2_spectral_norm"
MODEL = ProblemSet("ps2").answers
TESTS = sum(ProblemSet("ps2").points.values())
ROSTER = """id,first_name,last_name,email,lms_id,github
ada,Ada,Lovelace,ada@example.org,12345,
jürgen,Jürgen,"Müller, B",j@example.org,88,
cleo,Cleo,Late,cleo@example.org,777,cleo-git
absent,Never,Came,never@example.org,999,
"""
TERMS = """per_day = 0.1
at_most = 0.25
[due]
ps2_spectral_norm = 2026-11-02T10:00:00+01:00
[extended.ada]
ps2_spectral_norm = 2026-11-03T10:00:00+01:00
"""
WAY = "no sandbox"  # nothing is run
IN_CANVAS, LATER = (2026, 11, 2, 9, 30, 0), (2026, 11, 4, 8, 0, 0)


def run_quietly(root, student, name, way):
    """In the place of grading.run: as if every test had passed."""
    release, handed = (
        nbformat.read(root / place / name / f"{name}.ipynb", as_version=4)
        for place in ("release", f"submitted/{student}")
    )
    whole, _ = repair.make_whole(release, handed)
    return {"notebook": whole, "notes": [], "look": [],
            "digest": grading.digest(root, student, name)}  # fmt: skip


@pytest.fixture(scope="module")
def term(tmp_path_factory):
    """The course's folder after roster, two platforms' archives and one grading."""
    root = tmp_path_factory.mktemp("term")
    one_set(root, NAME)
    course.build(root, solutions=False)
    (root / "list.csv").write_text(ROSTER, encoding="utf-8")
    roster.keep(root, roster.read(root / "list.csv")[0])
    (root / "course.toml").write_text(TERMS)
    release = (root / "release" / NAME / f"{NAME}.ipynb").read_text()
    text = nbformat.writes(submission(release, MODEL | {"one_round": "A thought of my own."}))
    for number, files in enumerate([
        {f"lovelaceada_12345_1_{NAME}.ipynb": (text, IN_CANVAS),
         f"latecleo_LATE_777_3_{NAME}-1.ipynb": (text, IN_CANVAS)},
        {f"Jürgen Müller, B_4711_assignsubmission_file_/{NAME}.ipynb": (text, LATER)},
        {f"guest/{NAME}.ipynb": (text, LATER)},
    ]):  # fmt: skip
        made = archive(root / f"{number}.zip", files)
        collect.collect(made, root, course.sets(root), lambda line: None)
    patch = pytest.MonkeyPatch()
    patch.setattr(grading, "run", run_quietly)
    yield root, course.grade(root, way=WAY, report=lambda line: None)
    patch.undo()


def table(root, name):
    with (root / "graded" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_roster_knows_every_platforms_names(term):
    folders = {path.name for path in (term[0] / "submitted").iterdir()}
    assert folders == {"ada", "cleo", "jürgen", "guest"}


def test_days_late_and_what_they_cost(term):
    root, _ = term
    rows = {row["student"]: row for row in table(root, "report")}
    # Cleo's file is in time by its date; the platform says it was late.
    days = {student: row["days_late"] for student, row in rows.items()}
    assert days == {"ada": "0", "cleo": "1", "jürgen": "2", "guest": "2"}
    cost = {student: float(row["penalty"]) for student, row in rows.items()}
    assert cost == pytest.approx({"ada": 0, "cleo": 7, "jürgen": 14, "guest": 14})
    assert rows["jürgen"]["handed_in"] == "2026-11-04 08:00:00 UTC"
    assert rows["jürgen"]["total"] == f"{TESTS - 14} so far, 1 essays to grade"
    page = (root / "feedback" / "jürgen" / NAME / f"{NAME}.html").read_text()
    assert "Late submission penalty (Score: -14.0)" in page


def test_the_tables_have_every_student_problem_and_number(term):
    root, _ = term
    students = {row["student"]: row for row in table(root, "grades")}
    assert students["absent"][NAME] == ""
    assert students["jürgen"]["last_name"] == "Müller, B"
    assert students["ada"][NAME] == f"{TESTS} so far, 1 essays to grade"
    canvas = {row["ID"]: row for row in table(root, "canvas")}
    assert {row[NAME] for row in canvas.values()} == {""}  # no part of a grade goes to Canvas
    assert set(canvas) == {"12345", "88", "777", "999"}
    parts = [row for row in table(root, "problems") if row["student"] == "ada"]
    assert sum(float(row["points"]) for row in parts if row["kind"] == "test") == TESTS
    essays = [row for row in parts if row["kind"] == "essay"]
    assert sum(float(row["of"]) for row in essays) == 100 - TESTS
    # The one that was written waits for a human, the empty ones have no points.
    assert [row["part"] for row in essays if row["points"] == ""] == ["one_round"]
    assert course.unknown_names(root, ["guest", "ada"], {}) == ["guest: not in roster.csv"]


def test_nbgraders_own_export_says_the_same(term, tmp_path):
    root, _ = term
    target = tmp_path / "grades.csv"
    grading.nbgrader(root, "export", "--to", str(target), "--student", "['ada', 'cleo']")
    with target.open() as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    ours = {r["student"]: float(r["total"].split()[0]) for r in table(root, "report")}
    assert theirs == {name: ours[name] for name in ("ada", "cleo")}


def test_an_essay_that_waits_is_no_zero(term):
    root, _ = term
    page = (root / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    most = next(float(row["of"]) for row in table(root, "problems") if row["part"] == "one_round")
    assert f"(So far: {TESTS} of {100 - most:g}; 1 not yet graded)" in page
    assert page.count(f"not yet graded, of {most:g}") == 2  # in the list, and at the answer


def test_a_page_of_another_kind_is_refused():
    with pytest.raises(RuntimeError, match="no place like"):
        pages.with_open_essays("<h4>x (Score: 1.0 / 2.0)</h4>", {"essay": 5})


def test_pages_go_back_under_the_platforms_names(term):
    root, _ = term
    assert set(course.feedback(NAME, root)) == {"ada", "cleo", "jürgen", "guest"}
    with zipfile.ZipFile(root / "handback" / f"{NAME}.zip") as made:
        assert set(made.namelist()) == {
            f"lovelaceada_12345_1_{NAME}.html",
            f"latecleo_LATE_777_3_{NAME}-1.html",
            f"Jürgen Müller, B_4711_assignsubmission_file_/{NAME}.html",
            f"guest/{NAME}.html",
        }
        assert "not yet graded" in made.read(f"guest/{NAME}.html").decode()


def test_a_hand_in_that_could_not_be_graded_is_not_as_if_it_was_missing(term, monkeypatch):
    root, _ = term
    (root / "submitted" / "unlucky" / NAME).mkdir(parents=True)
    monkeypatch.setattr(grading, "run", lambda *_: 1 / 0)
    course.grade(root, way=WAY, student="unlucky", report=lambda line: None)
    assert {row["student"]: row[NAME] for row in table(root, "grades")}["unlucky"] == "grade again"
    shutil.rmtree(root / "submitted" / "unlucky")


def test_one_student_is_graded_again_and_the_table_keeps_the_others(term):
    root, rows = term
    said = []
    again = course.grade(root, way=WAY, force=True, student="ada", name=NAME, report=said.append)
    assert [row["student"] for row in again] == ["ada"]
    assert len(table(root, "report")) == len(rows)
    with pytest.raises(ValueError, match="nothing handed in: student nobody"):
        course.grade(root, way=WAY, student="nobody", report=said.append)


def test_the_exchange_brings_pages_back(tmp_path, monkeypatch):
    """nbgrader's own way from release to feedback, as on a JupyterHub."""
    root, home = tmp_path / "course", tmp_path / "home"
    root.mkdir()
    one_set(root, NAME)
    exchange = tmp_path / "exchange"
    for folder, mode in ((exchange, 0o777), (home, 0o755), (tmp_path / "cache", 0o755)):
        folder.mkdir()
        folder.chmod(mode)
    settings = (root / "nbgrader_config.py").read_text()
    places = (
        f"c.Exchange.root = {str(exchange)!r}\nc.Exchange.cache = {str(tmp_path / 'cache')!r}\n"
    )
    (root / "nbgrader_config.py").write_text(settings + places)
    (home / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\n"
        "c.CourseDirectory.course_id = 'sagan'\n" + places
    )
    course.build(root, solutions=False)
    grading.nbgrader(root, "release_assignment", NAME)
    grading.nbgrader(home, "fetch_assignment", NAME)
    handed = home / NAME / f"{NAME}.ipynb"
    handed.write_text(nbformat.writes(submission(handed.read_text(), MODEL)))
    grading.nbgrader(home, "submit", NAME)
    grading.nbgrader(root, "collect", NAME)
    (student,) = (path.name for path in (root / "submitted").iterdir())
    monkeypatch.setattr(grading, "run", run_quietly)
    (row,) = course.grade(root, way=WAY, report=lambda line: None)
    assert row["student"] == student
    assert table(root, "report")[0]["handed_in"]
    grading.nbgrader(root, "release_feedback", NAME)
    grading.nbgrader(home, "fetch_feedback", NAME)
    (page,) = home.glob(f"{NAME}/feedback/*/{NAME}.html")
    assert "MathJax = {tex:" in page.read_text()


def test_a_set_with_other_cells_keeps_what_humans_wrote(term):
    """Last of the term's tests: it builds the set anew over what was handed in."""
    root, _ = term
    with grades.opened(root) as book:
        for student, points in (("ada", 8), ("cleo", 3)):
            book.find_grade("one_round", NAME, NAME, student).manual_score = points
            book.find_comment("one_round", NAME, NAME, student).manual_comment = f"{points}!"
        book.db.commit()
    path = root / "source" / NAME / f"{NAME}.py"
    text = path.read_text()
    assert text.count('"kernel_matrix_test_shape"') == 1
    path.write_text(text.replace('"kernel_matrix_test_shape"', '"kernel_matrix_test_other"'))
    course.build(root, solutions=False)
    sheets.tables(root, course.sets(root))
    between = table(root, "report")
    assert {row["total"] for row in between} == {"grade again"}
    grades_of = {row["student"]: row[NAME] for row in table(root, "grades")}
    assert grades_of["ada"] == "grade again"  # and is not as if nothing was handed in
    assert grades_of["absent"] == ""
    assert {row[NAME] for row in table(root, "canvas")} == {""}
    rows = course.grade(root, way=WAY, report=lambda line: None)
    assert {row["of"] for row in rows} == {TESTS}
    report = {row["student"]: row for row in table(root, "report")}
    assert (float(report["ada"]["essays"]), float(report["cleo"]["essays"])) == (8, 3)
    assert float(report["cleo"]["penalty"]) == pytest.approx(0.1 * (TESTS + 3))
    canvas = {row["ID"]: row[NAME] for row in table(root, "canvas")}
    assert float(canvas["12345"]) == TESTS + 8  # whole, and so it goes to Canvas
    names = {row["part"] for row in table(root, "problems")}
    assert "kernel_matrix_test_other" in names
    assert "kernel_matrix_test_shape" not in names
    assert "8!" in (root / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()


def test_what_loses_its_cell_is_told(term):
    root, _ = term
    said = []
    with grades.opened(root) as book:
        book.find_grade("one_round", NAME, NAME, "ada").manual_score = 5
        book.db.commit()
    path = root / "source" / NAME / f"{NAME}.py"
    path.write_text(path.read_text().replace('"one_round"', '"some_rounds"'))
    with grades.essays_kept(root, NAME, said.append):
        course.build(root, solutions=False)
    assert any(f"ada/{NAME}: one_round is no cell now: (5.0, None)" in line for line in said)


@pytest.mark.parametrize("ask", [sheets.tables, grades.Book])
def test_before_the_build_nothing_is_made_up(tmp_path, ask):
    with pytest.raises(FileNotFoundError, match="run make course first"):
        ask(tmp_path, [NAME])
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="no such problem set"):
        similar.pairs(tmp_path, NAME)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("id,email\nada,a@b.c\n,x\n", ["ada"]),
        ("Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
         '"Lovelace, Ada",12345,s1,ada@x.org,A\n"Student, Test",9,,x,A\n', ["ada_x.org"]),
        ('Student,ID,Section\n"Lovelace, Ada",12345,A\n', ["lovelaceada"]),
        ("First name,Last name,ID number,Email address\nAda,Lovelace,7,a@x.org\n",
         ["Ada_Lovelace"]),
        ("First name,Last name,Email address\nAda,L,a@x.org\nAda,L,b@x.org\n",
         ["a_x.org", "b_x.org"]),
        ("\ufeffFirst name,Surname,Username,Email address\nAda,Lovelace,ada,a@x.org\n", ["ada"]),
    ],
)  # fmt: skip
def test_lists_of_three_kinds_are_read(tmp_path, text, ids):
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    students, left_out = roster.read(tmp_path / "list.csv")
    assert [each.id for each in students] == ids
    assert left_out == text.count("\n,x") + text.count("Possible") + text.count(", Test")
    roster.keep(tmp_path, students)
    assert roster.known(tmp_path) == students


@pytest.mark.parametrize(
    ("text", "words"),
    [("name\nada\n", r"list.csv: columns must be"), ("id\nada\nada\n", r"the id \['ada'\]")],
)
def test_a_list_of_another_kind_is_refused(tmp_path, text, words):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        roster.read(tmp_path / "list.csv")


def test_canvas_gets_its_own_columns_and_logins(tmp_path):
    (tmp_path / "list.csv").write_text(
        f"Student,ID,SIS User ID,SIS Login ID,Section,{NAME} (4711),Other (1)\n"
        '"Lovelace, Ada",12345,s1,ada,A,,\n'
    )
    roster.keep(tmp_path, roster.read(tmp_path / "list.csv")[0], tmp_path / "list.csv", [NAME])
    assert roster.columns(tmp_path) == {NAME: f"{NAME} (4711)"}
    (ada,) = roster.known(tmp_path)
    assert (ada.login, ada.sis_id, ada.section, ada.lms_id) == ("ada", "s1", "A", "12345")


def test_ids_with_dots_and_at_signs_and_nobodies_have_their_dates(tmp_path):
    late = f"{NAME} = 2026-11-03T10:00:00Z\n"
    (tmp_path / "course.toml").write_text(
        f"[due]\n{late}[extended.ada_x.org]\n{late}[extended.'bob@x.org']\n{late}"
        f"[extended.adda]\n{late}"
    )
    found = terms.read(tmp_path, [NAME])
    assert set(found.extended) == {"ada_x.org", "bob_x.org", "adda"}
    (tmp_path / "roster.csv").write_text("id\nada_x.org\n")
    (tmp_path / "submitted" / "bob_x.org").mkdir(parents=True)
    (said,) = course.unknown_names(tmp_path, [], found.extended)
    assert "extended.adda: no such student" in said


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"path": 1, "late": "x"}'])
def test_what_a_student_puts_beside_a_notebook_stops_nobody(tmp_path, text):
    """With nbgrader's exchange the whole folder is the student's."""
    for name in ("timestamp.txt", "platform.json"):
        (tmp_path / name).write_text(text)
    assert terms.handed_in(tmp_path) == terms.HandedIn(None, False)
    assert isinstance(collect.platform(tmp_path)[0], str)
    for name in ("timestamp.txt", "platform.json"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
    assert terms.handed_in(tmp_path) == terms.HandedIn(None, False)


def test_a_list_in_another_encoding_says_how_to_save_it(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("id,first_name,last_name\n1,Jürgen,Müller\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"list\.csv: save it as 'CSV UTF-8'"):
        roster.read(path)


def test_a_damaged_row_is_graded_again(tmp_path):
    book = grades.Book.__new__(grades.Book)
    book._root = tmp_path
    path = book._path("ada", NAME)
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert book.row("ada", NAME) is None
    assert book.finished("ada", NAME) is None


def test_a_name_of_two_students_tells_nobody():
    two = [roster.Student("a1", "Ada", "L", lms_id="1"), roster.Student("a2", "Ada", "L")]
    known = roster.aliases(two)
    assert known["1"] == "a1"
    assert "adal" not in known


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("per_day = 2", "per_day must be from 0 to 1, got 2"),
        ("[due]\nps9 = 2026-11-02T10:00:00Z", r"no such problem set: \['ps9'\]"),
        (f"[due]\n{NAME} = 2026-11-02T10:00:00", "must be a time with its zone"),
        (f"[extended.ada]\n{NAME} = 2026-11-02T10:00:00Z", "has no due date"),
        ("[extended]\nada = 2026-11-02T10:00:00Z", "ada must have sets and their times"),
        ("late = 1", "unexpected keyword argument 'late'"), ("per_day = ", "course.toml: Invalid"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_meant_are_refused(tmp_path, text, words):
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(ValueError, match=words):
        terms.read(tmp_path, [NAME])


def test_a_hand_in_without_a_time_is_charged_nothing_unless_the_platform_says_late():
    due = datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
    some = terms.Terms(per_day=0.1, at_most=0.25, due={NAME: due})
    assert some.days("ada", NAME, terms.HandedIn(None, False)) is None
    assert some.days("ada", NAME, terms.HandedIn(None, True)) == 1
    hour = terms.HandedIn(due + datetime.timedelta(hours=1), False)
    assert some.days("ada", NAME, hour) == 1
    assert [some.share(days) for days in (None, 0, 1, 2, 3)] == [0, 0, 0.1, 0.2, 0.25]
    week = {"ada": {NAME: due + datetime.timedelta(days=7)}}  # of which the platform knows nothing
    longer = terms.Terms(per_day=0.1, due={NAME: due}, extended=week)
    called_late = terms.HandedIn(due + datetime.timedelta(days=3), True)
    assert (longer.days("ada", NAME, called_late), longer.days("bob", NAME, called_late)) == (0, 3)


def test_a_copy_with_other_names_is_the_likest_pair(tmp_path):
    """Each writes the problems in a right way of their own, but for one who has another's."""
    release = nbformat.v4.new_notebook()
    for name in MODEL:
        cell = nbformat.v4.new_code_cell("# your code here\nraise NotImplementedError")
        cell.metadata["nbgrader"] = {"grade_id": name, "grade": False, "solution": True}
        release.cells.append(cell)
    place = tmp_path / "release" / NAME
    place.mkdir(parents=True)
    nbformat.write(release, place / f"{NAME}.ipynb")

    def hand_in(student, code):
        made = copy.deepcopy(release)
        for cell in made.cells:
            cell.source = code[cell.metadata["nbgrader"]["grade_id"]]
        target = tmp_path / "submitted" / student / NAME / f"{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(made, target)

    ways = [{name: each[k].code(MODEL[name]) for name, each in answers_ps2.RIGHT.items()}
            for k in range(3)]  # fmt: skip
    for number, way in enumerate(ways):
        hand_in(f"own{number}", {**MODEL, **way})
    changed = {"kernel": "weights", "matrix": "m2", "result": "res"}
    copied = {}
    for name, code in {**MODEL, **ways[2]}.items():
        for old, new in changed.items():
            code = code.replace(old, new)
        copied[name] = "# all my own work\n\n" + code.replace("\n    ", "\n\n    ")
    hand_in("copy", copied)
    odd = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    odd.cells[0].metadata["nbgrader"] = "x"  # one that is odd is its own trouble
    target = tmp_path / "submitted" / "odd" / NAME / f"{NAME}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(odd, target)
    (tmp_path / "submitted" / "pipe" / NAME).mkdir(parents=True)
    os.mkfifo(tmp_path / "submitted" / "pipe" / NAME / f"{NAME}.ipynb")
    lines = similar.pairs(tmp_path, NAME)
    assert {lines[0]["one"], lines[0]["other"]} == {"copy", "own2"}
    assert lines[0]["code"] > 0.9
    others = [line["code"] for line in lines[1:] if "copy" not in (line["one"], line["other"])]
    assert max(others) < lines[0]["code"]
    for student in ("own0", "own1", "copy", "odd"):
        shutil.rmtree(tmp_path / "submitted" / student)
    with pytest.raises(ValueError, match=f"1 readable hand-ins of '{NAME}', two are needed"):
        similar.pairs(tmp_path, NAME)
