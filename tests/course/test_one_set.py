"""One problem set from its text to the marks, with nbgrader; the others' tests are `full`."""

import nbformat
import pytest
from harness import one_set, submission
from test_grading import CELLS, FULL, MODEL, NAME, course, grades, shorten

pytestmark = pytest.mark.book
WAY = course.sandbox.best() or "no sandbox"  # what is handed in here is harmless


def test_a_right_and_a_wrong_hand_in_get_their_points(tmp_path):
    one_set(tmp_path, NAME)
    shorten(tmp_path)
    course.build(tmp_path, solutions=False)
    release = (tmp_path / "release" / NAME / f"{NAME}.ipynb").read_text()
    for student in ("right", "wrong"):
        target = tmp_path / "submitted" / student / NAME / f"{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(submission(release, MODEL | {"kernel_matrix": CELLS[student]}), target)
    rows = course.grade(tmp_path, way=WAY, report=lambda line: None)
    assert {row["student"]: row["auto"] for row in rows} == {"right": FULL, "wrong": FULL - 15}
    again = []
    assert course.build(tmp_path, solutions=False) == []  # nothing changed, and nothing is lost
    with grades.opened(tmp_path) as book:
        assert book.find_submission(NAME, "right").score == FULL
    assert len(course.grade(tmp_path, way=WAY, report=again.append)) == 2
    assert len(again) == 1
    with grades.opened(tmp_path) as book:  # points that are gone from the gradebook come again
        book.remove_submission(NAME, "right")
    course.sheets.tables(tmp_path, [NAME])
    assert "right,ps2_spectral_norm,0" in (tmp_path / "graded" / "report.csv").read_text()
    rows = course.grade(tmp_path, way=WAY, report=again.append)
    assert len(again) == 3
    with grades.opened(tmp_path) as book:
        assert book.find_submission(NAME, "right").score == FULL
