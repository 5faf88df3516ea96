"""What nbval executed is kept: what passed for the builder, what failed to be looked at."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import notebooks
import pytest
from jupyter_cache import get_cache

pytestmark = pytest.mark.full
BOOK = Path(__file__).resolve().parent.parent / "_book"
#: `executed` for a repository in the folder where it works.
ELSEWHERE = """import pathlib, build, notebooks, stale_runs
build.ROOT = pathlib.Path.cwd()
build.BUILD, notebooks.FAILED = build.ROOT / "_build", build.ROOT / "_build" / "failed"
from executed import pytest_configure
"""


def chapter(path, cells):
    """Write a notebook of (code, tags, stored output) each."""
    made = []
    for number, (code, tags, stored) in enumerate(cells):
        outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
        cell = nbformat.v4.new_code_cell(code, outputs=outputs, execution_count=number + 1)
        cell.metadata["tags"] = tags
        made.append(cell)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=notebooks.METADATA), path)


@pytest.fixture
def repository(tmp_path):
    """A repository of two chapters: 01_a passes though its output differs, 02_b is to be filled."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["numpy>=2"]\n')
    (tmp_path / "_toc.yml").write_text("root: chapters/01_a\nparts: []\n")
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    chapter(tmp_path / "chapters" / "01_a.ipynb", [("1 + 1", [], "stored"), ("print(3)", [], "")])
    return tmp_path


def nbval(root, *names):
    """Run chapters as `make test` does; what pytest did."""
    paths = os.pathsep.join([str(root), str(BOOK), str(BOOK / "ext")])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "elsewhere", "--nbval-lax", "--nbval-current-env",
         "-c", "/dev/null", "--rootdir", root, "-p", "no:cacheprovider", "-p", "no:xdist", *names],
        cwd=root, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip


def test_a_chapter_that_passed_is_stored_for_the_book(repository):
    done = nbval(repository, "chapters")
    assert done.returncode == 0, done.stdout + done.stderr
    path = repository / "chapters" / "01_a.ipynb"
    cache = get_cache(str(repository / "_build" / ".jupyter_cache"))
    record = cache.match_cache_file(str(path))
    assert (record.uri, record.data["execution_seconds"] > 0) == (str(path), True)
    cells = cache.get_cache_bundle(record.pk).nb.cells
    assert cells[0].outputs[0].data["text/plain"] == "2"
    assert (cells[1].outputs[0].text, cells[1].execution_count) == ("3\n", 2)
    assert not (repository / "_build" / "failed").exists()


@pytest.mark.parametrize(
    "wrong",
    [("print(2)", ["nbval-check-output"], "1\n"), ("print(2)\nassert 1 == 2", [], "")],
    ids=["another output", "an error"],
)
def test_a_chapter_that_failed_is_left_to_be_looked_at_and_not_stored(repository, wrong):
    path = repository / "chapters" / "01_a.ipynb"
    chapter(path, [wrong, ("print(3)", [], "")])
    before = path.read_bytes()
    done = nbval(repository, "-x", "chapters/01_a.ipynb")
    assert done.returncode == 1
    assert "as it was executed: _build/failed/01_a.ipynb" in done.stdout
    left = nbformat.read(repository / "_build" / "failed" / "01_a.ipynb", 4).cells
    assert left[0].outputs[0].text == "2\n"
    assert (left[0].execution_count, left[1].execution_count) == (1, None), "the first ended it"
    assert path.read_bytes() == before
    cache = get_cache(str(repository / "_build" / ".jupyter_cache"))
    assert cache.list_cache_records() == []


def test_a_part_of_a_chapter_is_neither(repository):
    done = nbval(repository, "chapters/01_a.ipynb::Cell 1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert get_cache(str(repository / "_build" / ".jupyter_cache")).list_cache_records() == []
    assert not (repository / "_build" / "failed").exists()


def test_a_chapter_whose_library_changed_meanwhile_is_not_stored(repository):
    """Though another command noticed the change, and stamped it, before the chapter ended."""
    edit = """import pathlib, stale_runs
root = pathlib.Path.cwd().parent
(root / "constraints.txt").write_text("numpy==2.4.7")
assert stale_runs.drop_stale(root, root / "_build") == ["01_a"]"""
    chapter(repository / "chapters" / "01_a.ipynb", [(edit, [], "")])
    done = nbval(repository, "chapters")
    assert done.returncode == 0, done.stdout + done.stderr
    assert get_cache(str(repository / "_build" / ".jupyter_cache")).list_cache_records() == []
