"""How the book is built: readable first, executed side by side, and readable after any trouble.

A small book with the real settings is built in a folder of its own.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import build as tool
import nbformat
import pytest
from processes import alive, until

ROOT = tool.ROOT
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@pytest.mark.parametrize(
    ("chapters", "cores", "memory", "expected"),
    [
        (8, 2, 16, (2, 1)), (8, 8, 64, (8, 1)), (8, 16, 64, (8, 2)), (1, 8, 64, (1, 8)),
        (8, 8, 7.5, (3, 2)), (8, 2, 1, (1, 2)), (8, 1, 16, (1, 1)),
    ],
)  # fmt: skip
def test_processes_and_threads_share_the_cores_and_fit_the_memory(
    chapters, cores, memory, expected, monkeypatch
):
    monkeypatch.delenv("CHAPTERS_AT_ONCE", raising=False)
    found = tool.at_once(chapters, cores, memory, "cpu")
    assert found == expected
    assert found[0] * found[1] <= cores


def test_one_gpu_is_not_shared_and_a_wish_is_followed(monkeypatch):
    monkeypatch.delenv("CHAPTERS_AT_ONCE", raising=False)
    assert tool.at_once(8, 16, 64, "gpu") == (1, 16)
    monkeypatch.setenv("CHAPTERS_AT_ONCE", "3")
    assert tool.at_once(8, 16, 64, "gpu") == (3, 5)
    for wrong in ("two", "0"):
        monkeypatch.setenv("CHAPTERS_AT_ONCE", wrong)
        with pytest.raises(SystemExit, match=f"CHAPTERS_AT_ONCE must be .* got '{wrong}'"):
            tool.at_once(8, 16, 64, "gpu")


def test_all_pages_with_a_notebook_are_executed():
    found = [path.stem for path in tool.notebooks()]
    assert sorted(found) == sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))


def test_the_stored_outputs_say_which_chapter_takes_long(tmp_path):
    """So it can begin first."""
    assert tool.core_seconds(ROOT / "chapters" / "01_dcgan.ipynb") > 0
    (tmp_path / "chapters").mkdir()
    chapter(tmp_path, "a", "print(1)", "1")
    assert tool.core_seconds(tmp_path / "chapters" / "a.ipynb") == 0


def chapter(folder, name, code, stored):
    """A notebook of one code cell with an output that it did not make here."""
    out = nbformat.v4.new_output("stream", name="stdout", text=stored + "\n")
    cells = [
        nbformat.v4.new_markdown_cell(f"# Page {name}"),
        nbformat.v4.new_code_cell(code, outputs=[out], execution_count=1),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    nbformat.write(notebook, folder / "chapters" / f"{name}.ipynb")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A folder with our builder and two chapters."""
    root = tmp_path_factory.mktemp("book")
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copytree(ROOT / "_book", root / "_book")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, root)
    for name in ("chapters", "data/results"):
        (root / name).mkdir(parents=True)
    chapters = "[{file: chapters/b}]"
    (root / "_toc.yml").write_text(
        f"format: jb-book\nroot: chapters/a\nparts:\n- caption: P\n  chapters: {chapters}\n"
    )
    return root


@pytest.fixture
def fresh(book):
    """The book before its first build; chapter a reads a file."""
    shutil.rmtree(book / "_build", ignore_errors=True)
    (book / "data" / "results" / "value.json").write_text("1")
    chapter(book, "a", "print('here', open('../data/results/value.json').read())", "stored a")
    chapter(book, "b", "print('here', 2)", "stored b")
    return book


def start(root, action):
    """The builder at work; both of its streams in one."""
    return subprocess.Popen(
        [sys.executable, "_book/build.py", action], cwd=root, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(root, action):
    """(exit status, what was printed) of the builder."""
    process = start(root, action)
    text = process.communicate(timeout=300)[0]
    return process.returncode, text


def page(root, name):
    return (root / "_build" / "html" / "chapters" / f"{name}.html").read_text()


@pytest.mark.full
def test_make_reads_first_then_executes_and_executes_again_only_what_changed(fresh):
    status, text = run(fresh, "make")
    assert status == 0, text
    assert text.index("ready to read") < text.index("executing 2 chapters") < text.index("1 left")
    assert "the book, executed: _build/html/index.html" in text
    assert "here 1" in page(fresh, "a")
    assert "here 2" in page(fresh, "b")
    assert "stored" not in page(fresh, "a") + page(fresh, "b")

    status, text = run(fresh, "make")
    assert status == 0, text
    assert "executing" not in text

    (fresh / "data" / "results" / "value.json").write_text("3")
    status, text = run(fresh, "make")
    assert status == 0, text
    assert "executing 1 chapters" in text
    assert "here 3" in page(fresh, "a")


@pytest.mark.full
def test_a_cell_that_fails_is_shown_and_the_book_stays_readable(fresh):
    chapter(fresh, "b", "nothing = 1\nnothing / 0", "stored b")
    status, text = run(fresh, "make")
    assert status == 1
    assert "b: FAILED" in text
    assert "b.ipynb: this cell failed" in text
    assert "nothing / 0" in text
    assert "ZeroDivisionError" in text
    assert "stored b" in page(fresh, "b")

    chapter(fresh, "b", "print('mended')", "stored b")
    status, text = run(fresh, "make")
    assert status == 0, text
    assert "executing 1 chapters" in text, "the other one is kept"


@pytest.mark.full
def test_a_page_that_does_not_build_ends_with_the_logs_end_each_time(fresh):
    """Sphinx would take a page with warnings for one that is up to date."""
    notebook = nbformat.read(fresh / "chapters" / "a.ipynb", 4)
    notebook.cells[0].source = "# A\n\n{ref}`nowhere`"
    nbformat.write(notebook, fresh / "chapters" / "a.ipynb")
    for _ in range(2):
        status, text = run(fresh, "read")
        assert status == 1
        assert "nowhere" in text
        assert "_build/log/stored.log" in text


def below(number):
    """A process and all that it started, and what these did."""
    found, pairs = {number}, []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pairs.append(
                (int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1]))
            )
    for _ in pairs:
        found |= {child for child, parent in pairs if parent in found}
    return found


def ended(process, number, least):
    """End the builder and its family, of so many at least; what it still printed."""
    family = below(process.pid)
    assert len(family) >= least
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    text = process.communicate(timeout=120)[0]
    assert number == signal.SIGKILL or process.returncode == 128 + number, text
    assert "Traceback" not in text
    until(lambda: not any(map(alive, family)), 40)
    return text


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_while_chapters_run_leaves_a_readable_book_and_no_process(fresh, number):
    both = [fresh / f"pid_{name}" for name in "ab"]
    for name, path in zip("ab", both, strict=True):
        path.unlink(missing_ok=True)
        code = f"import time\nopen({str(path)!r}, 'w').write('x')\ntime.sleep(300)"
        chapter(fresh, name, code, f"stored {name}")
    process = start(fresh, "make")
    until(lambda: all(path.is_file() for path in both), 240)
    text = ended(process, number, 5)  # the builder, two workers, two kernels
    stays = "stopped; the book with the stored outputs stays"
    assert number == signal.SIGKILL or stays in text
    assert "stored b" in page(fresh, "b")


@pytest.mark.full
def test_whatever_ends_it_while_pages_are_built_is_one_line_and_leaves_no_process(fresh):
    process = start(fresh, "make")
    first = process.stdout.readline()
    assert "building the pages from the outputs that the notebooks hold" in first
    time.sleep(1)
    (line,) = ended(process, signal.SIGTERM, 2).splitlines()
    assert "stopped; the same command goes on" in line


def test_a_clock_that_is_set_back_shows_no_time_below_zero(monkeypatch, capsys):
    monkeypatch.setattr(tool, "STARTED", time.time() + 3600)
    tool.say("here")
    assert capsys.readouterr().out == "[ 0:00] here\n"
