"""The run at the large scale: what it keeps, what it does not run again, what it does on errors."""

import large
import pytest
from PIL import Image

from sagan_lib import shipped
from sagan_lib.book import scales

pytestmark = pytest.mark.full

#: Not TensorFlow, so that a kernel starts at once.
CHAPTER = """# %% [markdown]
# # A title

# %%
import os
import matplotlib.pyplot as plt
from sagan_lib.book import page
page.glue("scale-here", os.environ["SAGAN_SCALE"])
page.show("fig_small", plt.figure(figsize=(20, 1)))
"""


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A chapter of its own, in a repository that keeps its results in a folder of the test."""
    monkeypatch.setattr(scales, "PICTURES", {"07_small": "fig_small"})
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "data")
    monkeypatch.setattr(large, "NOTEBOOKS", tmp_path / "large")
    monkeypatch.setenv("SAGAN_SCALE", "cpu")  # and this is restored afterwards
    path = tmp_path / "07_small.py"
    path.write_text(CHAPTER)
    monkeypatch.setattr(large.notebooks, "sources", lambda numbers: [path])
    return path


def test_a_chapter_is_run_at_the_large_scale_and_kept(chapter, capsys, monkeypatch):
    assert large.main([]) == 0
    entry = scales.large("07_small")
    assert entry["numbers"] == {"scale-here": "gpu"}
    assert {"date", "versions", "machine", "command", "seconds"} <= set(entry)
    with Image.open(scales.kept_in().with_name("scale_gpu_07_small.jpg")) as picture:
        assert picture.format == "JPEG"
        assert picture.width == 900
    assert (large.NOTEBOOKS / "07_small.ipynb").is_file()
    before = scales.kept_in().read_bytes()

    # Unchanged code is not run again, changed text neither; changed code is, and a changed library.
    chapter.write_text(CHAPTER.replace("A title", "Another title"))
    assert large.main([]) == 0
    assert "its code and library are the same" in capsys.readouterr().out
    assert scales.kept_in().read_bytes() == before
    with monkeypatch.context() as patch:
        patch.setattr(scales.imports, "digest", lambda code: "another")
        assert large.main([]) == 0
    assert "its library changed" in capsys.readouterr().out
    before = scales.kept_in().read_bytes()
    chapter.write_text(CHAPTER + "page.glue('more', 1)\n1 / 0\n")
    assert large.main([]) == 1
    said = capsys.readouterr().out
    assert "its code changed" in said
    assert "ZeroDivisionError" in said
    assert scales.kept_in().read_bytes() == before, "a chapter that fails is not kept"


def test_a_library_that_changes_during_a_run_is_not_the_one_that_ran(chapter, monkeypatch, capsys):
    execute = large.notebooks.execute

    def edited(*given, **options):
        execute(*given, **options)
        monkeypatch.setattr(scales.imports, "digest", lambda code: "another")

    monkeypatch.setattr(large.notebooks, "execute", edited)
    assert large.main([]) == large.main([]) == 0
    assert "its library changed" in capsys.readouterr().out


def test_a_chapter_without_a_large_scale_is_named(chapter, monkeypatch):
    monkeypatch.setattr(scales, "PICTURES", {"01_dcgan": "fig"})
    with pytest.raises(SystemExit, match="no chapter with a large scale: 07; there are 01_dcgan"):
        large.main(["07"])


def test_a_failing_cell_does_not_hide_the_next_one(chapter, capsys):
    chapter.write_text(CHAPTER + "\n# %%\nassert 1 == 2\n\n# %%\nassert 'b' in 'a'\n")
    assert large.main([]) == 1
    out = capsys.readouterr().out
    assert "2 cells failed" in out
    assert "1 == 2" in out
    assert "'b' in 'a'" in out
