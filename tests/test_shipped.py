"""Shipped weights: a file that is not the recorded one is refused."""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import keras
import pytest

from sagan_lib import shipped
from sagan_lib.cli import publish, runs
from sagan_lib.evaluation import judge


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A data folder of one's own: the judge's weights and the list."""
    data = tmp_path / "data"
    data.mkdir()
    for name in (judge.WEIGHTS, "SHA256SUMS"):
        shutil.copy(shipped.folder() / name, data)
    monkeypatch.setattr(shipped, "folder", lambda: data)
    return data


@pytest.mark.parametrize("name", [judge.WEIGHTS, runs.GENERATOR])
def test_the_books_weights_are_here_whole_and_small(name):
    found = shipped.path(name)
    assert hashlib.sha256(found.read_bytes()).hexdigest() == shipped.checksums()[name]
    assert found.stat().st_size < 5 * 2**20


def test_a_tampered_file_is_refused(copy):
    whole = (copy / judge.WEIGHTS).read_bytes()
    assert shipped.path(judge.WEIGHTS) == copy / judge.WEIGHTS
    (copy / judge.WEIGHTS).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # one bit
    with pytest.raises(ValueError, match=f"{judge.WEIGHTS}: its checksum is not"):
        shipped.path(judge.WEIGHTS)


def test_a_missing_and_an_unknown_file_are_told_apart(copy):
    (copy / judge.WEIGHTS).unlink()
    with pytest.raises(
        FileNotFoundError, match="missing; restore it with git, or install sagan_lib again"
    ):
        shipped.path(judge.WEIGHTS)
    with pytest.raises(ValueError, match=rf"other.h5 is not in .*there are .*{judge.WEIGHTS}"):
        shipped.path("other.h5")


def test_recording_replaces_a_files_line_and_keeps_the_others(copy):
    before = shipped.checksums()
    (copy / judge.WEIGHTS).write_bytes(b"new weights")
    (copy / "a.h5").write_bytes(b"abc")
    publish.record(copy / judge.WEIGHTS)
    publish.record(copy / "a.h5")
    # FIPS 180-2 gives the SHA-256 of "abc".
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    new = hashlib.sha256(b"new weights").hexdigest()
    assert shipped.checksums() == before | {"a.h5": abc, judge.WEIGHTS: new}
    assert shipped.path(judge.WEIGHTS) == copy / judge.WEIGHTS
    lines = (copy / "SHA256SUMS").read_text().splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[1])


def test_without_any_data_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "sagan_lib" / "shipped.py"))
    monkeypatch.setattr(shipped.importlib.resources, "files", lambda name: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"_data: no data; install sagan_lib again"):
        shipped.folder.__wrapped__()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this repository, as `pip install .` builds it."""
    place = tmp_path_factory.mktemp("wheel")
    source, built = place / "source", place / "built"
    for name in ("sagan_lib", "sagan_experiments", "data"):
        skip = shutil.ignore_patterns("__pycache__", "celeba")
        shutil.copytree(shipped.root() / name, source / name, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(shipped.root() / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation",
               "--wheel-dir", str(built), str(source)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (found,) = built.glob("*.whl")
    return found


@pytest.mark.full
def test_the_wheel_is_small_and_has_every_module_and_result(wheel):
    assert wheel.stat().st_size < 12 * 2**20
    names = set(zipfile.ZipFile(wheel).namelist())
    root = shipped.root()
    modules = [
        p for part in ("sagan_lib", "sagan_experiments") for p in (root / part).rglob("*.py")
    ]
    assert len(modules) > 50
    results = [*(root / "data" / "results").iterdir(), *(root / "data").glob("*.h5")]
    wanted = [str(p.relative_to(root)) for p in modules]
    wanted += ["sagan_lib/_data/" + str(p.relative_to(root / "data")) for p in results]
    assert set(wanted) <= names


@pytest.mark.full
def test_a_book_inside_of_a_zip_file_finds_its_weights_and_results(wheel, tmp_path):
    """As zipimport has it; an installed one executes a notebook below."""
    code = f"""
import sys
sys.path.insert(0, {str(wheel)!r})
from sagan_lib import shipped
assert shipped.__file__.startswith({str(wheel)!r}), shipped.__file__
from pathlib import Path
from sagan_experiments import ledger
assert ledger.results_path("cpu").is_file()
assert shipped.root() == Path.cwd()
from sagan_lib.evaluation import judge
judge.load()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_file_is_replaced_as_a_whole_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "file.json"
    for text in ("first", "second"):
        with shipped.replacing(path) as part:
            assert part.suffix == ".json"
            part.write_text(text)
            assert not path.exists() or path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.json"
    path.write_text("old")

    def killed():
        with shipped.replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path):
    def full():
        with shipped.replacing(tmp_path / "run.keras"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left on device: '.*/run\.keras'"):
        full()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The Python of an environment that has what the library needs, and not the library."""
    place = tmp_path_factory.mktemp("bare")
    venv.create(place / "env", with_pip=True)
    (site,) = (place / "env" / "lib").glob("python*/site-packages")
    packages = Path(keras.__file__).parent.parent  # a plain line: its own .pth files do not count
    (site / "theirs.pth").write_text(f"{packages}\n")
    return place / "env" / "bin" / "python"


@pytest.mark.full
def test_a_notebook_alone_installs_the_library_and_runs(wheel, bare, tmp_path):
    """In an empty folder; only the address of its first cell is replaced, by the wheel's."""
    text = (shipped.root() / "chapters" / "00_intro.ipynb").read_text()
    address = re.search(r"git\+https://[^\\\"]+", text)[0]
    (tmp_path / "alone.ipynb").write_text(text.replace(address, wheel.as_uri()))
    kernel = {"argv": [str(bare), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
              "display_name": "bare", "language": "python"}  # fmt: skip
    spec = tmp_path / "jupyter" / "kernels" / "bare" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps(kernel))
    missing = subprocess.run([bare, "-c", "import sagan_lib"], cwd=tmp_path, capture_output=True)
    assert b"No module named 'sagan_lib'" in missing.stderr
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace",
               "--ExecutePreprocessor.kernel_name=bare", "alone.ipynb"]  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True,
                          env=clean | {"JUPYTER_PATH": str(tmp_path / "jupyter")})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    where = subprocess.run([bare, "-c", "import sagan_lib; print(sagan_lib.__file__)"],
                           cwd=tmp_path, capture_output=True, text=True, env=clean)  # fmt: skip
    assert str(bare.parent.parent) in where.stdout
