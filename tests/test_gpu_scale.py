"""Every chapter runs at the large scale: each cell of that branch, with a few steps of training.

What is drawn after a few steps means nothing, so nothing is compared; that is for the small scale.
"""

import os
import sys
from pathlib import Path

import nbformat
import pytest

from sagan_lib import devices, shipped

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book"))

import notebooks

CHAPTERS = sorted(
    path.stem for path in (shipped.root() / "chapters").glob("*.py")
    if "devices.at_scale(" in path.read_text()
)  # fmt: skip


def test_these_are_the_chapters_that_train():
    assert [name[:2] for name in CHAPTERS] == ["01", "02", "03", "04", "05", "06"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_at_the_large_scale(name, monkeypatch):
    monkeypatch.setenv("SAGAN_SCALE", "gpu")
    monkeypatch.setenv("SAGAN_STEPS", "4")
    paths = [str(shipped.root() / "_book"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    chapters = shipped.root() / "chapters"
    notebook = notebooks.read(chapters / f"{name}.py")
    check = nbformat.v4.new_code_cell("assert (RESOLUTION, WIDTH, STEPS) == (64, 16, 4)")
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
