"""A submission's cells, put back into the released notebook."""

import repair
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def known(name, source, make=new_code_cell, solution=False):
    mark = {"grade_id": name, "solution": solution, "locked": not solution, "grade": False}
    return make(source, metadata={"nbgrader": mark})


def release():
    return new_notebook(cells=[
        new_markdown_cell("# The set"), known("setup", "import numpy"),
        known("answer", "raise NotImplementedError", solution=True),
        new_markdown_cell("Three sentences."),
        known("essay", repair.STUB, new_markdown_cell, solution=True),
    ])  # fmt: skip


def whole(change):
    """(all sources, notes) of a notebook that was changed as `change` does with its cells."""
    handed_in = release()
    change(handed_in.cells)
    made, notes = repair.make_whole(release(), handed_in)
    return [cell.source for cell in made.cells], notes


def test_own_cells_stay_where_they_were():
    def change(cells):
        cells[2].source = "def f(): pass"
        cells.insert(3, new_code_cell("after"))
        cells.insert(0, new_code_cell("top"))

    sources, notes = whole(change)
    assert sources[:5] == ["top", "# The set", "import numpy", "def f(): pass", "after"]
    assert notes == []


def test_what_is_the_course_s_own_is_put_back_and_told():
    def change(cells):
        cells[1].source = "import os"
        del cells[2]

    sources, notes = whole(change)
    assert sources == [cell.source for cell in release().cells]
    assert notes == ["locked cell setup was changed, the original is used",
                     "cell answer is missing"]  # fmt: skip


def test_text_below_an_essay_is_part_of_it():
    def change(cells):
        cells += [new_markdown_cell("My thought."), new_markdown_cell("Three sentences.")]

    sources, notes = whole(change)
    assert sources[-1] == "My thought."
    assert notes == ["text below cell essay was added to it"]


def test_the_second_part_of_an_answer_runs_after_the_first():
    sources, notes = whole(lambda cells: cells.insert(3, known("answer", "part two")))
    assert sources[2:4] == ["raise NotImplementedError", "part two"]
    assert notes == ["cell answer was split, its second part is kept"]
