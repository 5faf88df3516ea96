"""The chapters' notebooks: made from their text, executed, small."""

import json
import shutil
from pathlib import Path

import jupytext
import nbformat
import notebooks as tool
import pytest

from sagan_lib.book import scales

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
TEXTS = tool.sources()
NOTEBOOKS = sorted(CHAPTERS.glob("*.ipynb"))
MOST_LINES = 15
MOST_BYTES = 2_000_000


def code(path):
    """The code cells of a notebook that hold anything."""
    cells = nbformat.read(path, 4).cells
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def complain(path, cell, what):
    return f"{path.name}, cell starting {cell.source.splitlines()[0]!r}: {what}"


def test_there_are_chapters_and_each_is_a_pair():
    assert TEXTS, "no chapter in chapters/"
    assert [path.stem for path in TEXTS] == [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_notebook_is_in_sync_with_its_text(path):
    assert tool.difference(path) == ""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_clean(path):
    for cell in code(path):
        for out in cell.outputs:
            assert out.output_type != "error", complain(path, cell, "an error")
            assert out.get("name") != "stderr", complain(path, cell, "stderr: make run drops it")
            widgets = [kind for kind in out.get("data", {}) if "widget" in kind]
            assert not widgets, complain(path, cell, "a widget shows nothing in the book")
            text = str(out.get("text", "")) + str(out.get("data", {}).get("text/plain", ""))
            assert str(ROOT) not in text, complain(path, cell, "a path of this machine")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_opens_on_any_kernel(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert notebook.metadata == tool.METADATA
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}, complain(path, cell, "metadata but tags")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_show_no_code_that_only_serves_the_page(path):
    for cell in code(path):
        lines, tags = len(cell.source.splitlines()), set(cell.metadata.get("tags", []))
        allowed = lines <= MOST_LINES or "long" in tags
        assert allowed, complain(path, cell, f"{lines} lines, at most {MOST_LINES}")
        for call in ("page.glue", "page.show", "page.touch", "savefig(", "set_xlabel("):
            hidden = tags & {"remove-cell", "remove-input"}
            assert hidden or call not in cell.source, complain(path, cell, f"{call}, and is shown")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_all_was_executed_in_order_and_something_is_compared(path):
    counts = [cell.execution_count for cell in code(path)]
    assert counts == list(range(1, len(counts) + 1)), "nbval compares only what was executed"
    tags = [tag for cell in code(path) for tag in cell.metadata.get("tags", [])]
    lines = [line for cell in code(path) for line in cell.source.splitlines()]
    asserts = any(line.startswith("assert ") for line in lines)
    assert "nbval-check-output" in tags or asserts, "no output is compared, and nothing asserted"
    assert path.stat().st_size < MOST_BYTES


# The tool that makes the notebooks.

CHAPTER = """# %% [markdown]
# # A title

# %% tags=["nbval-check-output"]
import sys
print(2)
print("note", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "07_small.py"
    path.write_text(CHAPTER)
    tool.run(path)
    return path


@pytest.fixture
def chapter(made, tmp_path, monkeypatch):
    """A chapter that was executed."""
    monkeypatch.setattr(tool, "FAILED", tmp_path / "failed")
    for path in made.parent.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path / made.name


def test_run_makes_a_clean_notebook(chapter):
    notebook = nbformat.read(chapter.with_suffix(".ipynb"), 4)
    assert notebook.metadata == tool.METADATA
    assert notebook.cells[1].source == tool.elsewhere()
    assert [out.text for out in notebook.cells[2].outputs] == ["2\n"]
    assert tool.difference(chapter) == ""


def test_run_again_writes_the_same_bytes(chapter):
    twin = chapter.with_suffix(".ipynb")
    before = twin.read_bytes()
    tool.run(chapter)
    assert twin.read_bytes() == before


def test_an_error_leaves_the_old_notebook_and_the_new_one_elsewhere(chapter, capsys, monkeypatch):
    monkeypatch.setattr(tool, "sources", lambda numbers: [chapter])
    before = chapter.with_suffix(".ipynb").read_bytes()
    chapter.write_text(CHAPTER + "\n# %%\n1 / 0\n")
    assert tool.main(["run", "07"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert f"as it was executed: {tool.failed(chapter)}" in said
    assert chapter.with_suffix(".ipynb").read_bytes() == before
    left = nbformat.read(tool.failed(chapter), 4)
    assert left.cells[2].outputs[0].text == "2\n"
    assert left.cells[3].outputs[0].ename == "ZeroDivisionError"

    chapter.write_text(CHAPTER)
    assert tool.main(["run", "07"]) == 0
    assert not tool.failed(chapter).exists()


def test_a_kernel_that_dies_ends_its_own_chapter_alone(chapter, capsys, monkeypatch):
    def dies(path):
        raise tool.DeadKernelError("Kernel died")

    monkeypatch.setattr(tool, "sources", lambda numbers: [chapter, chapter])
    monkeypatch.setattr(tool, "run", dies)
    assert tool.main(["run"]) == 1
    said = capsys.readouterr().err
    assert said.count("Kernel died") == said.count("as it was executed: ") == 2


def test_one_chapters_tests_are_its_notebook_and_its_topics(capsys):
    assert tool.main(["tests", "03"]) == 0
    assert [Path(name).name for name in capsys.readouterr().out.split()] == [
        "03_attention.ipynb", "test_attention.py",
    ]  # fmt: skip


def test_every_kind_of_difference_is_found(chapter):
    for changed in (
        CHAPTER.replace("title", "heading"),
        CHAPTER.replace("print(2)", "print(3)"),
        CHAPTER.replace("nbval-check-output", "remove-output"),
        CHAPTER + "\n# %%\nprint(4)\n",
    ):
        chapter.write_text(changed)
        assert "make run CH=07" in tool.difference(chapter)
    chapter.with_suffix(".ipynb").unlink()
    assert "missing" in tool.difference(chapter)


def test_prose_keeps_the_outputs_and_refuses_new_code(chapter):
    chapter.write_text(CHAPTER.replace("title", "heading"))
    tool.prose(chapter)
    notebook = nbformat.read(chapter.with_suffix(".ipynb"), 4)
    assert "heading" in notebook.cells[0].source
    assert notebook.cells[2].outputs[0].text == "2\n"
    assert [cell.execution_count for cell in code(chapter.with_suffix(".ipynb"))] == [1, 2]
    chapter.write_text(CHAPTER.replace("print(2)", "print(3)"))
    with pytest.raises(ValueError, match="make run CH=07"):
        tool.prose(chapter)


def test_a_text_that_was_saved_from_the_notebook_has_that_cell_once(chapter):
    before = tool.cells(tool.read(chapter))
    notebook = nbformat.read(chapter.with_suffix(".ipynb"), 4)
    jupytext.write(notebook, chapter, fmt="py:percent")  # as JupyterLab does
    assert scales.TITLE in chapter.read_text()
    assert tool.cells(tool.read(chapter)) == before


def test_another_address_needs_no_new_run(chapter, monkeypatch):
    monkeypatch.setattr(tool, "elsewhere", lambda: f"{scales.TITLE} at another place")
    assert "make run CH=07" in tool.difference(chapter)
    tool.prose(chapter)
    assert tool.difference(chapter) == ""
    assert [cell.execution_count for cell in code(chapter.with_suffix(".ipynb"))] == [1, 2]


def test_an_unknown_chapter_names_the_ones_there_are(chapter):
    assert tool.sources(["7"], chapter.parent) == [chapter]
    with pytest.raises(SystemExit, match="07_small"):
        tool.sources(["08"], chapter.parent)


ORACLES = ("assert_allclose", "isclose", "allclose")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_precision_is_chosen_before_anything_is_held_against_an_oracle(path):
    """On a recent GPU TensorFlow rounds products to 10 bits, unless it is told not to."""
    text = "\n".join(scales.code(tool.read(path)))
    asked = [text.index(name) for name in ORACLES if name in text]
    chosen = text.find("devices.setup()")
    assert chosen >= 0 or not asked
    assert all(chosen < place for place in asked)
    assert "setup(mixed" not in text, "all that follows would be rounded"


#: Processor's seconds that a chapter may take at the small scale.
BUDGET = 60


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_chapter_keeps_to_its_budget(path):
    """By what its stored run says, which depends on where: one chapter took 64 s, and 136 s of a
    slower processor.
    """
    numbers, _ = scales.glued(json.loads(path.with_suffix(".ipynb").read_text()))
    told = float(numbers.get("core-seconds", 0))
    assert told <= 2.5 * BUDGET, f"{path.stem} took {told:.0f} s of a core, its budget is {BUDGET}"
    trains = ".fit(" in path.read_text()
    assert told > 0 or not trains, f"{path.stem} trains and does not say what it takes: page.took"
