"""What the chapters gave at both scales, read and kept."""

import ast
import base64
import io
import json

import pytest
import slices
from PIL import Image

from sagan_lib import shipped
from sagan_lib.book import scales

CHAPTERS = shipped.root() / "chapters"


def test_what_was_kept_fits_the_chapters():
    """Every chapter that trains; its numbers have the chapter's names until its code changes."""
    assert set(scales.large()) == set(scales.PICTURES)
    for chapter, entry in scales.large().items():
        numbers, pictures = scales.glued(scales.stored(chapter))
        if scales.newer(chapter) != "code":
            assert set(entry["numbers"]) <= set(numbers), chapter
        assert scales.PICTURES[chapter] in pictures
        assert scales.picture(chapter).format == "JPEG"
    files = [*scales.kept_in().parent.glob("scale_gpu*")]
    assert len(files) == 1 + len(scales.PICTURES)
    assert sum(path.stat().st_size for path in files) < 3e6


def test_a_chapter_that_was_not_run_is_named(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"chapter must be one of \[.*got '07_nowhere'"):
        scales.large("07_nowhere")
    monkeypatch.setattr(shipped, "root", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match="this needs the book's repository"):
        scales.stored("01_dcgan")
    assert scales.state("01_dcgan") == "one run", "a chapter that is read alone has no more to say"


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
    tagged = {"metadata": {"tags": ["remove-cell", "ledger"]}, "outputs": [
        {"data": {f"{prefix}text/plain": ["'7'"]},
         "metadata": {"scrapbook": {"name": "of a claim", "mime_prefix": prefix}}},
    ]}  # fmt: skip
    found = scales.glued(json.loads(json.dumps({"cells": [{"outputs": outputs}, {}, tagged]})))
    assert found == ({"n": "1.5x"}, {"f": text})


def strangers(chapter):
    """The names that a chapter's ledger cells read, though no such cell made them.

    Modules and what was imported may come from any cell.
    """
    notebook = json.loads((CHAPTERS / f"{chapter}.ipynb").read_text())
    tagged = [c for c in notebook["cells"] if scales.LEDGER in c["metadata"].get("tags", [])]
    reads, _, _ = slices.reads_binds_changes("\n".join(scales.code({"cells": tagged})))
    every = ast.parse("\n".join(scales.code(notebook)))
    return reads - slices.imported(every)


@pytest.mark.parametrize("chapter", scales.PICTURES)
def test_the_cells_of_the_ledger_read_nothing_that_their_chapter_trained(chapter):
    """So they give the same at both scales, and need no new run at the large one."""
    assert not strangers(chapter), "a cell with the tag 'ledger' reads these"


def test_only_cells_of_the_ledger_may_change_without_a_new_run_at_the_large_scale():
    def digest(source, tags):
        cell = {"cell_type": "code", "source": [source], "metadata": {"tags": tags}}
        text = {"cell_type": "markdown", "source": [source], "metadata": {}}
        return scales.digest({"cells": [cell, text]})

    assert digest("a", ["ledger"]) == digest("b", ["ledger"])
    assert digest("a", ["long"]) != digest("b", ["long"])
    assert digest("a", []) != digest("a", ["ledger"])


def test_what_was_kept_is_older_than_a_changed_code_or_library(monkeypatch):
    code = {"cell_type": "code", "source": ["from sagan_lib import dcgan"], "metadata": {}}
    ledger = {"cell_type": "code", "source": ["from sagan_experiments import ledger"],
              "metadata": {"tags": ["ledger"]}}  # fmt: skip
    notebook = {"cells": [code, ledger]}
    entry = {"code": scales.digest(notebook), "library": scales.library(notebook)}
    monkeypatch.setattr(scales, "large", lambda chapter: entry)
    assert scales.newer("01_dcgan", notebook) == ""
    assert scales.newer("01_dcgan") == "code", "that of the repository is another"
    assert scales.library({"cells": [code]}) == entry["library"], "the ledger's cells do not count"
    monkeypatch.setattr(scales, "stored", lambda chapter: notebook)
    assert scales.state("01_dcgan") == "one run"
    monkeypatch.setattr(scales.imports, "digest", lambda code: "another")
    assert scales.newer("01_dcgan", notebook) == "library"
    assert scales.state("01_dcgan") == "one run, of an earlier state of this page"
    del entry["library"]
    assert scales.newer("01_dcgan", notebook) == "library"
    assert scales.newer("01_dcgan", {"cells": []}) == "code"


def test_a_fold_shows_the_picture_and_glues_what_is_asked_for(monkeypatch):
    shown, told = {}, {}
    monkeypatch.setattr(scales.page, "show", lambda name, figure, _: shown.update({name: figure}))
    monkeypatch.setattr(scales.page, "glue", told.__setitem__)
    numbers = scales.fold("05_sagan", "live-seen")
    assert told == {"large-state": scales.state("05_sagan"), "large-seen": numbers["live-seen"]}
    width, height = shown["fig_05_large"].get_size_inches()
    picture = scales.picture("05_sagan")
    assert width / height == pytest.approx(picture.width / picture.height)
    with pytest.raises(ValueError, match=r"name must be one of \[.*got 'nothing'"):
        scales.fold("05_sagan", "nothing")
