"""The book to take along: the PDF has every solution, the zip every page."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import printed
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.full
def test_the_pdf_has_all_solutions_at_its_end(tmp_path):
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("no Chromium here: the PDF was NOT tested")
    target = tmp_path / "book.pdf"
    command = [sys.executable, ROOT / "_book" / "printed.py", "pdf", "--out", target]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    written = sum(
        len(re.findall(r"^# ```+\{solution\}", path.read_text(), re.M))
        for path in (ROOT / "chapters").glob("*.py")
    )
    assert written > 10
    assert done.stdout == f"{target}: with {written} solutions at its end\n"
    content = target.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 2**20, "its pictures are in it"


@pytest.mark.book
def test_the_zip_has_the_pages_and_what_they_run(tmp_path):
    with zipfile.ZipFile(printed.archive(tmp_path / "book.zip")) as packed:
        names = set(packed.namelist())
    assert {"index.html", "chapters/03_attention.html", "_static/touch/network.js"} <= names


def test_without_chromium_the_pdf_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(printed.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        printed.chromium()


def test_a_book_that_is_not_built_is_not_packed(monkeypatch, tmp_path):
    monkeypatch.setattr(printed, "BUILD", tmp_path)
    with pytest.raises(SystemExit, match="make read"):
        printed.archive(tmp_path / "book.zip")
    with pytest.raises(SystemExit, match=r"must end in \.zip, got .*book\.tgz"):
        printed.archive(tmp_path / "book.tgz")
