"""The book's own extension: stale runs are dropped in time.

The last part builds a book of one page with the real settings.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book" / "ext"))

import stale_runs

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def repository(tmp_path):
    """A small tree with a library, data, pins, and stored runs that fit them."""
    for name, text in {
        "sagan_lib/__init__.py": "ONE = 1\n",
        "sagan_lib/deep/more.py": "TWO = 2\n",
        "sagan_experiments/arms.py": "THREE = 3\n",
        "data/results/table.json": "{}\n",
        "data/celeba/000001.jpg": "a picture\n",
        "constraints.txt": "numpy==2.4.6\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    stale_runs.drop_stale(tmp_path, tmp_path / "_build")
    store(tmp_path)
    return tmp_path


def store(root):
    """Pretend that a build left its runs and pages."""
    for folder in (".jupyter_cache", ".doctrees"):
        (root / "_build" / folder).mkdir(exist_ok=True)
        (root / "_build" / folder / "something").write_text("kept")


def stored(root):
    return [each.name for each in (root / "_build").iterdir() if each.is_dir()]


def test_stored_runs_are_kept_while_nothing_changes(repository):
    assert not stale_runs.drop_stale(repository, repository / "_build")
    assert sorted(stored(repository)) == [".doctrees", ".jupyter_cache"]


@pytest.mark.parametrize(
    "name",
    ["sagan_lib/__init__.py", "sagan_lib/deep/more.py", "data/results/table.json",
     "constraints.txt", "sagan_experiments/arms.py", "sagan_lib/new.py", "data/new.h5"],
)  # fmt: skip
def test_a_changed_or_new_file_drops_them_once(repository, name):
    (repository / name).write_text("changed\n")
    assert stale_runs.drop_stale(repository, repository / "_build")
    assert stored(repository) == []
    store(repository)
    assert not stale_runs.drop_stale(repository, repository / "_build")


def test_a_removed_and_a_renamed_file_drop_them(repository):
    first = stale_runs.fingerprint(repository)
    more = repository / "sagan_lib" / "deep" / "more.py"
    more.rename(more.with_name("less.py"))
    second = stale_runs.fingerprint(repository)
    more.with_name("less.py").unlink()
    assert len({first, second, stale_runs.fingerprint(repository)}) == 3


@pytest.mark.parametrize("name", ["data/celeba/000002.jpg", "README.md", "sagan_lib/x.pyc"])
def test_what_no_chapter_depends_on_drops_nothing(repository, name):
    (repository / name).write_text("changed\n")
    assert not stale_runs.drop_stale(repository, repository / "_build")


def test_the_scale_belongs_to_the_fingerprint(repository, monkeypatch):
    monkeypatch.setenv("SAGAN_SCALE", "cpu")
    small = stale_runs.fingerprint(repository)
    monkeypatch.setenv("SAGAN_SCALE", "gpu")
    assert stale_runs.fingerprint(repository) != small


@pytest.mark.parametrize(("error", "warnings", "kept"), [(None, 0, 1), (None, 1, 0), (1, 0, 0)])
def test_a_failed_build_is_read_again(tmp_path, error, warnings, kept):
    pickled = tmp_path / "environment.pickle"
    pickled.write_text("")
    app = SimpleNamespace(_warncount=warnings, doctreedir=str(tmp_path))
    stale_runs._distrust_a_failed_build(app, error)
    assert pickled.exists() == bool(kept)


# A real book of one page.

TEXT = """# A page

The value is {glue:text}`value`.

```{exercise} One
:label: ex-one

A question.
```

```{solution} ex-one
:class: dropdown

An answer.
```
"""

CODE = """import sys
sys.path.insert(0, "..")
from sagan_lib.value import VALUE
from myst_nb import glue
glue("value", VALUE, display=False)"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A folder that builds with our _config.yml, and its builder: (folder, build)."""
    root = tmp_path_factory.mktemp("book")
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copytree(ROOT / "_book", root / "_book")
    (root / "sagan_lib").mkdir()
    (root / "sagan_lib" / "value.py").write_text("VALUE = 'one'\n")
    (root / "_toc.yml").write_text("format: jb-book\nroot: chapters/page\n")
    (root / "chapters").mkdir()
    cells = [nbformat.v4.new_markdown_cell(TEXT), nbformat.v4.new_code_cell(CODE)]
    cells[1].metadata["tags"] = ["hide-input"]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, root / "chapters" / "page.ipynb")

    def build(*more):
        return subprocess.run(
            [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "--keep-going",
             "-n", *more],
            cwd=root, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    return root, build


def test_an_edit_in_the_library_runs_the_chapter_again(book):
    root, build = book
    page = root / "_build" / "html" / "chapters" / "page.html"
    first = build()
    assert first.returncode == 0, first.stdout + first.stderr
    assert 'The value is <span class="pasted-text">one</span>' in page.read_text()
    assert "Executing notebook" not in build().stdout

    (root / "sagan_lib" / "value.py").write_text("VALUE = 'two'\n")
    second = build()
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Executing notebook" in second.stderr + second.stdout
    assert 'The value is <span class="pasted-text">two</span>' in page.read_text()
    assert page.read_text().count("const THEBE_JS_URL") == 1


def test_a_second_strict_build_fails_like_the_first(book):
    root, build = book
    value = root / "sagan_lib" / "value.py"
    value.write_text("VALUE = 1 / 0\n")
    assert [build().returncode for _ in range(2)] == [1, 1]
    value.write_text("VALUE = 'three'\n")
    assert build().returncode == 0


def test_the_book_builds_as_one_page_with_exercises(book):
    _, build = book
    done = build("--builder", "singlehtml")
    assert done.returncode == 0, done.stdout + done.stderr
