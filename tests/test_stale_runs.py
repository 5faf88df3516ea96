"""The book's own extension: stale runs are dropped in time. `test_build` builds a book with it."""

from pathlib import Path

import nbformat
import pytest
import stale_runs
from jupyter_cache import get_cache

PINS = "# pinned\nnumpy==2.4.6\nsphinx==7.4.7\n"


def notebook(code):
    """A notebook of one code cell, as text."""
    cells = [nbformat.v4.new_code_cell(code)]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


@pytest.fixture
def repository(tmp_path):
    """A small tree with a library, data, pins, and a stored run of each of its two chapters."""
    for name, text in {
        "sagan_lib/__init__.py": "ONE = 1\n",
        "sagan_lib/deep/more.py": "TWO = 2\n",
        "sagan_lib/reads.py": "from sagan_lib.deep import more\nFILE = 'table.json'\n",
        "sagan_experiments/arms.py": "THREE = 3\n",
        "data/results/table.json": "{}\n",
        "data/celeba/000001.jpg": "a picture\n",
        "constraints.txt": PINS,
        "pyproject.toml": '[project]\ndependencies = ["numpy>=2"]\n',
        "chapters/01_a.ipynb": notebook("from sagan_lib import reads"),
        "chapters/02_b.ipynb": notebook("import sagan_experiments.arms"),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert stale_runs.drop_stale(tmp_path, tmp_path / "_build") == ["01_a", "02_b"]
    store(tmp_path)
    return tmp_path


def store(root):
    """What a build leaves: the chapters' runs, and pages."""
    (root / "_build" / ".doctrees").mkdir(exist_ok=True)
    for path in sorted((root / "chapters").glob("*.ipynb")):
        cache(root).cache_notebook_file(str(path), check_validity=False, overwrite=True)


def cache(root):
    return get_cache(str(root / "_build" / ".jupyter_cache"))


def stored(root):
    """The chapters of which there is a run, and whether there are pages."""
    names = sorted(Path(record.uri).stem for record in cache(root).list_cache_records())
    return names, (root / "_build" / ".doctrees").is_dir()


def test_stored_runs_are_kept_while_nothing_changes(repository):
    assert stale_runs.drop_stale(repository, repository / "_build") == []
    assert stored(repository) == (["01_a", "02_b"], True)


@pytest.mark.parametrize(
    ("name", "text", "dropped"),
    [
        ("sagan_lib/deep/more.py", "TWO = 3\n", ["01_a"]),
        ("sagan_lib/reads.py", "FILE = 'table.json'\n", ["01_a"]),
        ("data/results/table.json", "{1: 2}\n", ["01_a"]),
        ("sagan_experiments/arms.py", "FOUR = 4\n", ["02_b"]),
        ("chapters/02_b.ipynb", notebook("import sagan_lib"), ["02_b"]),
        ("constraints.txt", PINS.replace("2.4.6", "2.5.0"), ["01_a", "02_b"]),
        ("chapters/matplotlibrc", "grid.alpha: 0.5\n", ["01_a", "02_b"]),
    ],
)
def test_what_changed_drops_the_runs_that_it_concerns_once(repository, name, text, dropped):
    (repository / name).write_text(text)
    assert stale_runs.drop_stale(repository, repository / "_build") == dropped
    left = [each for each in ("01_a", "02_b") if each not in dropped]
    assert stored(repository) == (left, False)
    store(repository)
    assert stale_runs.drop_stale(repository, repository / "_build") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sagan_lib/deep/more.py", '"""A docstring."""\n\nTWO = 2  # and a comment\n'),
        ("sagan_lib/new.py", "from sagan_lib import reads\n"),
        ("constraints.txt", PINS.replace("7.4.7", "7.5.0")),
        ("data/celeba/000002.jpg", ""),
        ("data/results/other.json", ""),
        ("README.md", ""),
    ],
)
def test_what_no_chapter_runs_with_drops_nothing(repository, name, text):
    (repository / name).write_text(text)
    assert stale_runs.drop_stale(repository, repository / "_build") == []


def test_a_removed_module_and_the_scale_are_changes_too(repository, monkeypatch):
    monkeypatch.setenv("SAGAN_SCALE", "cpu")
    found = [stale_runs.keys(repository)]
    monkeypatch.setenv("SAGAN_SCALE", "gpu")
    found.append(stale_runs.keys(repository))
    (repository / "sagan_lib" / "deep" / "more.py").unlink()
    found.append(stale_runs.keys(repository))
    assert len({each["01_a"] for each in found}) == 3
    assert len({each["02_b"] for each in found}) == 2
