"""Runs a problem set's cells with other answers, as the grader does, but without a kernel.

A problem is an answer cell NAME and its test cells NAME_test_WORD. Its tests may use the given
cells and this answer only, so one problem is run on its own.
"""

import contextlib
import functools
import io
import re
import shutil
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

from sagan_lib.book import classroom

SOURCES = Path(__file__).resolve().parents[2] / "assignments" / "source"
sys.path.insert(0, str(SOURCES.parent))

import marking  # noqa: E402 (their folder was put on the path above)
import variants  # noqa: E402

NAMES = tuple(sorted(path.name[:3] for path in SOURCES.glob("ps*")))


@dataclass(frozen=True)
class Answer:
    """An answer: changes (old, new) of the model's code, or one text instead of it.

    For a wrong one: the test that must fail, and a word of the sentence that it must say.
    """

    story: str
    changes: tuple
    test: str = ""
    says: str = ""

    def code(self, model):
        """The answer's code; ValueError where a change does not fit the model exactly once."""
        if isinstance(self.changes, str):
            return self.changes
        for old, new in self.changes:
            if model.count(old) != 1:
                raise ValueError(f"{self.story}: {old!r} is {model.count(old)} times in the model")
            model = model.replace(old, new)
        return model


def wrong(story, test, says, *changes):
    """A wrong answer: a misconception, the test that must find it, a word that it must say."""
    return Answer(story, _changes(changes), test, says)


def right(story, *changes):
    """A right answer, written differently."""
    return Answer(story, _changes(changes))


def _changes(changes):
    if len(changes) == 1 and isinstance(changes[0], str):
        return changes[0]
    return tuple(zip(changes[::2], changes[1::2], strict=True))


class ProblemSet:
    """One problem set's code cells by role, and its problems.

    Args:
        name: "ps2". seed: of the course, which chooses a variant, too. hidden: with the tests that
            no student sees.

    Attributes:
        title: its heading. answers: {problem: the model's code}. without: {problem: words that it
            does without}. tests: {test: (problem, code)}.
        points: {test: int}. essays: points of the cells that a human grades.
    """

    def __init__(self, name, seed=0, hidden=True):
        (path,) = SOURCES.glob(f"{name}*/*.py")
        self.name, self.answers, self.tests, self.points = path.stem, {}, {}, {}
        self.without, self._cells, self.essays = {}, [], 0
        text = variants.apply(path.read_text(), path.parent, seed)
        text = text.replace("SEED = 0  #", f"SEED = {seed}  #")
        cells = jupytext.reads(text, fmt="py:percent").cells
        self.title = cells[0].source.splitlines()[0].removeprefix("# ")
        for cell in cells:
            mark = cell.metadata.get("nbgrader")
            if cell.cell_type != "code" or mark is None:
                self.essays += mark["points"] if mark and mark["grade"] else 0
                continue
            title, code = mark["grade_id"], cell.source
            if not hidden:
                code = re.sub(
                    "### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", code, flags=re.DOTALL
                )
            if mark["grade"]:
                self.tests[title] = (title.partition("_test_")[0], code)
                self.points[title] = mark["points"]
            elif mark["solution"]:
                self.answers[title] = code
                self.without[title] = cell.metadata.get("without", [])
            self._cells.append((title, code))

    def run(self, problem, code, only=None):
        """{test: None, or the sentence of its error} of one problem with this answer.

        All given cells come first, so that the problem's tests find what they use. `only` names
        the one test to run; without it all of the problem's.
        """
        known = {*self.answers, *self.tests}
        given = [(title, text) for title, text in self._cells if title not in known]
        tests = [(title, text) for title, (owner, text) in self.tests.items()
                 if owner == problem and only in (None, title)]  # fmt: skip
        return self._execute([*given, (problem, code), *tests])

    def solved(self):
        """{test: None, or the sentence of its error} of the set's own answers, cell by cell."""
        return self._execute(self._cells)

    def _execute(self, cells):
        space, said = {"__name__": "__main__"}, {}
        marker = marking.Marker(self.answers.values(), functools.partial(self._reply, space))
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for title, code in cells:
                if title in self.tests:
                    said[title] = marker.test(code)
                elif title in self.answers:
                    with contextlib.suppress(Exception):  # as Run All goes on
                        exec(compile(code, title, "exec"), space)
                else:
                    exec(compile(code, title, "exec"), space)
                    marker.give(code)
        return said

    @staticmethod
    def _reply(space, question):
        return classroom.answer(question, space)


def submission(release, answers):
    """A released notebook, given as its text, with these answers in it, {cell's id: code}."""
    notebook = nbformat.reads(release, as_version=4)
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade_id") in answers:
            cell.source = answers[mark["grade_id"]]
    return notebook


def one_set(root, name):
    """A course's folder with the text of one problem set and nbgrader's settings, nothing built."""
    only = shutil.ignore_patterns("*.ipynb")
    shutil.copytree(SOURCES / name, root / "source" / name, ignore=only)
    shutil.copy(SOURCES.parent / "nbgrader_config.py", root)
