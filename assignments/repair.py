"""A submission made whole: the released notebook with the student's answers in it."""

import copy
import re

import nbformat
from nbgrader import utils

#: What stands in the students' copy for an essay.
STUB = "*Your answer here.*"
_SEED = re.compile(r"^SEED = (\d+)  #", re.MULTILINE)


def grade_id(cell):
    """nbgrader's name of a cell, or None."""
    mark = cell.metadata.get("nbgrader")
    name = mark.get("grade_id") if isinstance(mark, dict) else None
    return name if isinstance(name, str) else None


def is_locked(cell):
    """Whether a cell is the course's own: text, given code or a test."""
    return grade_id(cell) is not None and bool(cell.metadata["nbgrader"].get("locked"))


def is_answer(cell):
    """Whether a cell is where code is to be written."""
    return cell.cell_type == "code" and grade_id(cell) is not None and _is_solution(cell)


def is_test(cell):
    """Whether a cell is one of the automatic tests."""
    known = cell.cell_type == "code" and grade_id(cell) is not None
    return known and utils.is_grade(cell) and not utils.is_solution(cell)


def make_whole(release, submission):
    """The released notebook with a submission's answers, in the released order.

    Cells are known by their nbgrader id. The student's own code cells stay behind the known cell
    that they followed, and so does the second part of an answer that was split. Text that was
    written below an essay's cell is added to the essay. All else that is not an answer is the
    release's.

    Returns:
        (notebook, notes): notes are sentences on what was missing, changed, or there twice.
    """
    whole = copy.deepcopy(release)
    known = {grade_id(cell): cell for cell in whole.cells if grade_id(cell)}
    found, own, below, notes = _sorted(submission.cells, known)
    for name, cell in known.items():
        if name not in found:
            notes.append(f"cell {name} is missing")
        elif _is_solution(cell):
            cell.source = found[name].source
        elif cell.source.strip() != found[name].source.strip():
            notes.append(_changed(name, cell.source, found[name].source))
    plain = {cell.source.strip() for cell in release.cells} | {STUB, ""}
    for name, texts in below.items():
        if texts := [text for text in texts if text.strip() not in plain]:
            first = [] if known[name].source.strip() == STUB else [known[name].source]
            known[name].source = "\n\n".join([*first, *texts])
            notes.append(f"text below cell {name} was added to it")
    top = own.pop(None)
    whole.cells = [each for cell in whole.cells for each in (cell, *own.get(grade_id(cell), []))]
    whole.cells = [*top, *whole.cells]
    return whole, notes


def _sorted(cells, known):
    """({id: cell}, {id: own code after it}, {id of an essay: texts below it}, notes) of cells."""
    found, own, below, notes, last = {}, {None: []}, {}, [], None
    for cell in cells:
        name = grade_id(cell)
        if name in known and name not in found:
            found[name], last = cell, name
        elif name in known and not _is_solution(known[name]):
            notes.append(f"cell {name} is there twice, the first one counts")
        elif cell.cell_type == "code":
            if name in known:
                notes.append(f"cell {name} was split, its second part is kept")
            elif name:
                notes.append(f"unknown cell id {name}")
            own.setdefault(last, []).append(nbformat.v4.new_code_cell(cell.source))
        elif _is_essay(known.get(last)):
            below.setdefault(last, []).append(cell.source)
    return found, own, below, notes


def _is_solution(cell):
    return cell.metadata.nbgrader["solution"]


def _is_essay(cell):
    return cell is not None and cell.cell_type == "markdown" and _is_solution(cell)


def _changed(name, ours, theirs):
    """A sentence on a locked cell that is not the release's."""
    seeds = [_SEED.search(source) for source in (theirs, ours)]
    if all(seeds) and seeds[0].group(1) != seeds[1].group(1):
        return (f"made with SEED {seeds[0].group(1)}, this course has {seeds[1].group(1)}: "
                "its numbers and its wording are others")  # fmt: skip
    return f"locked cell {name} was changed, the original is used"
