"""Every chapter's cells that depend on the scale, executed at the large one with few steps.

What is drawn after a few steps means nothing, so nothing is compared; that is for the small scale,
at which the notebook's own test executes all cells.
"""

import os

import nbformat
import notebooks
import pytest
import slices

from sagan_lib import devices, shipped
from sagan_lib.book import scales

CHAPTERS = sorted(
    path.stem for path in (shipped.root() / "chapters").glob("*.py")
    if "devices.at_scale(" in path.read_text()
)  # fmt: skip


def test_each_chapter_that_trains_keeps_a_picture_of_the_large_scale():
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
    # Traced once for two steps, the networks would take most of the time.
    eagerly = "import sagan_lib, tensorflow as tf\ntf.config.run_functions_eagerly(True)"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(eagerly))
    check = nbformat.v4.new_code_cell("assert (RESOLUTION, WIDTH, STEPS) == (64, 16, 2)")
    notebook.cells.append(check)
    notebooks.execute(notebook, chapters)  # an error of a cell is one of this test, with the cell


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
