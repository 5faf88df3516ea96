"""What the chapters gave at both scales, read and kept."""

import base64
import io
import json

import pytest
from PIL import Image

from sagan_lib import shipped
from sagan_lib.book import scales


def test_what_was_kept_fits_the_chapters():
    """Every chapter that trains; its numbers have the names that the chapter glues today."""
    assert set(scales.large()) == set(scales.PICTURES)
    for chapter, entry in scales.large().items():
        numbers, pictures, _ = scales.small(chapter)
        assert set(entry["numbers"]) <= set(numbers), chapter
        assert scales.PICTURES[chapter] in pictures
    files = [*scales.kept_in().parent.glob("scale_gpu*")]
    assert len(files) == 1 + len(scales.PICTURES)
    assert sum(path.stat().st_size for path in files) < 3e6


def test_a_chapter_that_was_not_run_is_named(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"chapter must be one of \[.*got '07_nowhere'"):
        scales.large("07_nowhere")
    monkeypatch.setattr(shipped, "root", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match="this needs the book's repository"):
        scales.small("01_dcgan")


def test_a_damaged_file_is_named_with_the_cure(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    assert scales.large() == {}
    scales.kept_in().parent.mkdir()
    scales.kept_in().write_text('{"01_dcgan"')
    with pytest.raises(ValueError, match=r"scale_gpu.json: no JSON; git checkout"):
        scales.large()


def test_numbers_and_figures_are_read_as_a_notebook_holds_them():
    png = io.BytesIO()
    Image.new("RGB", (4, 4)).save(png, "PNG")
    text = base64.b64encode(png.getvalue()).decode()
    prefix = "application/papermill.record/"
    outputs = [
        {"data": {"image/png": text}, "metadata": {"scrapbook": {"name": "f", "mime_prefix": ""}}},
        {"data": {f"{prefix}text/plain": ["'1.5", "x'"]},
         "metadata": {"scrapbook": {"name": "n", "mime_prefix": prefix}}},
        {"name": "stdout", "text": "n = 1.5x"},
    ]  # fmt: skip
    found = scales.glued(json.loads(json.dumps({"cells": [{"outputs": outputs}, {}]})))
    assert found == ({"n": "1.5x"}, {"f": text})
