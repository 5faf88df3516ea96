"""Make the chapters' notebooks from their text.

A chapter is two files: `NN_name.py`, which people edit, and `NN_name.ipynb`, which is made from it
here and keeps the outputs. Nothing is ever made in the other direction.

    python _book/notebooks.py run [02 ...]    make and execute; no number means all chapters
    python _book/notebooks.py prose [02 ...]  make, but keep the outputs; only if no code changed
    python _book/notebooks.py check [02 ...]  say where the two files differ
    python _book/notebooks.py tests [02 ...]  name the notebook and the tests of its topic
"""

import argparse
import functools
import hashlib
import os
import sys
import time
import tomllib
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupytext.combine import combine_inputs_with_outputs
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from sagan_lib import shipped
from sagan_lib.book import scales

CHAPTERS = shipped.root() / "chapters"
TESTS = shipped.root() / "tests"
#: Notebooks of which a cell failed, as they were executed.
FAILED = shipped.root() / "_build" / "failed"
#: How an execution ends before its end.
UNFINISHED = CellExecutionError, CellTimeoutError, DeadKernelError
CELL_TIMEOUT = 1800  # seconds; a slow and busy machine takes ten minutes for some

ELSEWHERE = (
    scales.TITLE
    + """ This installs the book where it is missing. {{ display-mode: "form" }}
import importlib.util

if importlib.util.find_spec("sagan_lib") is None:
    %pip install -q "{package}"
"""
)

#: Nothing here names a machine or a version, so that a notebook opens on any kernel.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


def sources(numbers=(), folder=CHAPTERS):
    """The text files of the chapters with these numbers ("02"), or of all.

    Raises:
        SystemExit: a number fits no chapter, or more than one.
    """
    found = sorted(Path(folder).glob("[0-9][0-9]_*.py"))
    if not numbers:
        return found
    chosen = []
    for number in numbers:
        fits = [path for path in found if path.stem.split("_")[0] == number.zfill(2)]
        if len(fits) != 1:
            there = ", ".join(path.stem for path in found) or "none"
            raise SystemExit(f"CH={number}: no such chapter; there are: {there}")
        chosen += fits
    return chosen


def cells(notebook):
    """What both files must agree on: the type, the text and the tags of every cell."""
    return [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells]


@functools.cache
def elsewhere():
    """The first code of every notebook: where it is opened alone, it installs the library."""
    address = yaml.safe_load((shipped.root() / "_config.yml").read_text())["repository"]["url"]
    project = tomllib.loads((shipped.root() / "pyproject.toml").read_text())["project"]
    return ELSEWHERE.format(package=f"sagan_lib @ git+{address}@v{project['version']}").strip()


def read(path):
    """A notebook without outputs from a chapter's text, with what it takes to open it alone."""
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    first = nbformat.v4.new_code_cell(elsewhere(), metadata={"tags": ["remove-cell"]})
    # Below the title; JupyterLab writes the one of before into the text.
    others = [cell for cell in notebook.cells if not cell.source.startswith(scales.TITLE)]
    notebook.cells = [*others[:1], first, *others[1:]]
    seen = {}
    for cell in notebook.cells:
        # A name made from the text: random ones would be new in every diff.
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return notebook


def strip(notebook):
    """Drop what differs between two runs or two machines, and what the book does not show."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    return notebook


def write(notebook, path):
    """Write a notebook whole or not at all."""
    nbformat.validate(notebook)
    with shipped.replacing(path) as part:
        nbformat.write(notebook, part)


def execute(notebook, folder, timeout=CELL_TIMEOUT, **options):
    """Execute a notebook where it lies, in a kernel of its own.

    Args:
        notebook: gets its outputs.
        folder: in which its cells work.
        timeout: of a cell, in seconds.
        options: nbclient's.
    """
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # how prints fall into pieces differs from run to run
        resources={"metadata": {"path": str(folder)}},
        **options,
    ).execute()


def tests(path):
    """What pytest is given for one chapter: its notebook, and the file of tests with its topic.

    Args:
        path: of the chapter's text.
    """
    topic = path.stem.partition("_")[2]
    own = [path.with_suffix(".ipynb"), *sorted(TESTS.rglob(f"test_{topic}.py"))]
    return [os.path.relpath(each) for each in own]


def failed(path):
    """Where a notebook is left to be looked at when a cell of it failed.

    Args:
        path: of the chapter, either file.
    """
    return FAILED / path.with_suffix(".ipynb").name


def keep_failed(notebook, path):
    """Leave a notebook to be looked at, as it was executed.

    Args:
        notebook: with its outputs.
        path: of the chapter, either file.

    Returns:
        Where it lies.
    """
    write(notebook, failed(path))
    return failed(path)


def run(path):
    """Make a chapter's notebook and execute it; on an error the old notebook stays.

    Returns:
        Seconds it took.

    Raises:
        CellExecutionError: a cell failed; what was executed is in `FAILED`.
    """
    notebook = read(path)
    start = time.monotonic()
    try:
        execute(notebook, path.parent)
    except Exception:  # a timeout and a kernel that died, too
        keep_failed(notebook, path)
        raise
    failed(path).unlink(missing_ok=True)
    write(strip(notebook), path.with_suffix(".ipynb"))
    return time.monotonic() - start


def prose(path):
    """Make a chapter's notebook again with its old outputs.

    Raises:
        ValueError: a code cell changed, so the outputs would be another code's.
    """
    new, twin = read(path), path.with_suffix(".ipynb")
    before = nbformat.read(twin, 4)
    if scales.code(before) != scales.code(new):
        raise ValueError("the code changed too: make run CH=" + path.stem.split("_")[0])
    whole = combine_inputs_with_outputs(new, before, "py:percent")
    whole.cells[1].execution_count = 1  # it may name another address; it printed nothing
    write(strip(whole), twin)


def difference(path):
    """What is wrong with a chapter's pair of files; an empty text if nothing is."""
    twin, remedy = path.with_suffix(".ipynb"), f"make run CH={path.stem.split('_')[0]}"
    if not twin.is_file():
        return f"{twin.name} is missing: {remedy}"
    text, notebook = cells(read(path)), cells(nbformat.read(twin, 4))
    for index, (ours, theirs) in enumerate(zip(text, notebook, strict=False)):
        if ours != theirs:
            first = (ours[1] or theirs[1]).strip().split("\n")[0]
            return f"cell {index} ({first!r}) differs in {twin.name}: {remedy}"
    if len(text) != len(notebook):
        return f"{len(text)} cells, but {len(notebook)} in {twin.name}: {remedy}"
    return ""


def main(arguments=None):
    """The command line; the exit status is 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=("run", "prose", "check", "tests"))
    parser.add_argument("numbers", nargs="*", metavar="NN", help="chapters, for example 02")
    options = parser.parse_args(arguments)
    # What is committed is made at the small scale, whatever hardware it is made on.
    os.environ.setdefault("SAGAN_SCALE", "cpu")
    chosen, wrong = sources(options.numbers), False
    if not chosen:
        raise SystemExit(f"there are no chapters in {CHAPTERS.name}/")
    for path in chosen:
        try:
            if options.action == "run":
                print(f"{path.stem}: executing ...", flush=True)
                print(f"{path.stem}: {run(path):.0f} s, written to {path.stem}.ipynb", flush=True)
            elif options.action == "prose":
                prose(path)
                print(f"{path.stem}: text renewed, outputs kept")
            elif options.action == "tests":
                print(*tests(path))
            elif problem := difference(path):
                raise ValueError(problem)
        except (*UNFINISHED, ValueError, FileNotFoundError) as error:
            wrong = True
            print(f"{path.stem}: {error}", file=sys.stderr)
            if isinstance(error, UNFINISHED):
                print(f"as it was executed: {failed(path)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
