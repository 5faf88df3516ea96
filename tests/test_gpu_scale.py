"""Every chapter's cells that depend on the scale, executed at the large one with few steps.

What is drawn after a few steps means nothing, so nothing is compared; that is for the small scale,
at which the notebook's own test executes all cells.
"""

import os
import sys
from pathlib import Path

import nbformat
import pytest
import slices

from sagan_lib import devices, shipped
from sagan_lib.book import scales

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book"))

import notebooks

CHAPTERS = sorted(
    path.stem for path in (shipped.root() / "chapters").glob("*.py")
    if "devices.at_scale(" in path.read_text()
)  # fmt: skip


def test_each_chapter_that_trains_has_its_picture_on_the_page_of_both_scales():
    assert sorted(scales.PICTURES) == CHAPTERS


@pytest.mark.full
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_at_the_large_scale(name, monkeypatch):
    monkeypatch.setenv("SAGAN_SCALE", "gpu")
    monkeypatch.setenv("SAGAN_STEPS", "2")
    paths = [str(shipped.root() / "_book"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    chapters = shipped.root() / "chapters"
    notebook = notebooks.read(chapters / f"{name}.py")
    notebook.cells = [cell for cell in notebook.cells if scales.code({"cells": [cell]})]
    sources = slices.of_the_scale([cell.source for cell in notebook.cells])
    assert sum("fit(" in source for source in sources) >= 1
    for cell, source in zip(notebook.cells, sources, strict=True):
        cell.source = source
    check = nbformat.v4.new_code_cell("assert (RESOLUTION, WIDTH, STEPS) == (64, 16, 2)")
    notebook.cells.append(check)
    notebooks.execute(notebook, chapters)  # an error of a cell is one of this test, with the cell


CELLS = {
    "the scale": "RESOLUTION, STEPS = 64, 4",
    "alone": "import numpy as np\nright = np.arange(3)\nright[0] = 1",
    "needed": "model, rows = {}, [1]",
    "changes what is needed": "model.update(a=2)",
    "on the scale": "for row in rows:\n    sides = [RESOLUTION * row]",
    "on what came of it": "np.sum(sides), model['a']",
    "the name anew": "sides = [3]",
    "on the new one": "row = sides[0]\nfor row in sides:\n    print(row)",
    "adds": "total = 0\ntotal += len(right)",
}


def test_a_cell_is_left_out_only_if_nothing_of_the_scale_needs_it():
    kept = dict(zip(CELLS, slices.of_the_scale([*CELLS.values()]), strict=True))
    assert [name for name in CELLS if kept[name] == CELLS[name]] == [
        "the scale", "needed", "changes what is needed", "on the scale", "on what came of it",
    ]  # fmt: skip
    assert kept["alone"] == "import numpy as np"
    with_all = {}
    exec("\n".join(kept.values()), with_all)
    assert with_all["sides"] == [64]


@pytest.mark.parametrize("steps", ["0", "-3", "many", "1.5"])
def test_steps_that_are_no_number_are_refused(monkeypatch, steps):
    monkeypatch.setenv("SAGAN_STEPS", steps)
    with pytest.raises(ValueError, match="SAGAN_STEPS must be a whole number, at least 1, got"):
        devices.at_scale((32, 16, 10), (64, 16, 20))


def test_the_scale_chooses_and_the_variable_replaces_the_steps(monkeypatch):
    monkeypatch.delenv("SAGAN_STEPS", raising=False)
    for scale, expected in (("cpu", (32, 16, 10)), ("gpu", (64, 16, 20))):
        monkeypatch.setenv("SAGAN_SCALE", scale)
        assert devices.at_scale((32, 16, 10), (64, 16, 20)) == expected
    monkeypatch.setenv("SAGAN_STEPS", "7")
    assert devices.at_scale((32, 16, 10), (64, 16, 20)) == (64, 16, 7)
