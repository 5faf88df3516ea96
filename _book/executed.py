"""A pytest plugin: what nbval executed is not lost.

A chapter that passed is stored for the builder, so that the book does not execute it once more; of
one that failed, the notebook as it was executed is left in _build/failed/.

PYTHONPATH=_book python -m pytest -p executed --nbval-lax chapters
"""

import copy
import sys
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_cache.base import CacheBundleIn

sys.path.insert(0, str(Path(__file__).resolve().parent / "ext"))

import build
import notebooks
import stale_runs


def filled(notebook, outputs):
    """A notebook with the outputs of a run.

    Args:
        notebook: as it is stored.
        outputs: {number of a code cell: its outputs}; other cells have none.
    """
    made = copy.deepcopy(notebook)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code):
        cell.outputs = nbformat.from_dict(outputs.get(number) or [])
        cell.execution_count = number + 1 if number in outputs else None
    return made


class Executed:
    """Keeps the notebook that runs, cell by cell, until its last one has."""

    def __init__(self):
        self.begin(None)

    def begin(self, file):
        """Forget the last notebook; `file` is nbval's of the next one."""
        self.file, self.outputs, self.seconds, self.failed = file, {}, 0.0, False
        self.key = None if file is None else stale_runs.key(file.path, build.ROOT)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item):
        """After each phase of a cell."""
        report = yield
        if item.path.suffix == ".ipynb":
            if item.parent is not self.file:
                self.end()
                self.begin(item.parent)
            self.failed |= report.failed
            self.seconds += report.duration
            if report.when == "call":
                self.outputs[item.cell_num] = item.test_outputs
        return report

    def pytest_sessionfinish(self):
        """Of the last notebook, or of one that was stopped at its first failure."""
        self.end()

    def end(self):
        """Put the notebook where it belongs, if it was executed as far as it goes."""
        if self.file is None:
            return
        path, made = self.file.path, filled(self.file.nb, self.outputs)
        whole = len(self.outputs) == sum(cell.cell_type == "code" for cell in made.cells)
        if self.failed:
            notebooks.keep_failed(made, path)
        elif whole:
            notebooks.failed(path).unlink(missing_ok=True)
            self.store(path, made)
        self.begin(None)

    def store(self, path, made):
        """For the builder, unless the library has changed since the run began."""
        known = stale_runs.stamped(build.BUILD).get(path.stem)
        if path in build.notebooks() and known == self.key == stale_runs.key(path, build.ROOT):
            bundle = CacheBundleIn(made, path, data={"execution_seconds": self.seconds})
            cache = build.open_cache()
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


class Failed:
    """Names what was left to be looked at; of the process that the workers work for."""

    def __init__(self):
        self.began = time.time()

    def pytest_terminal_summary(self, terminalreporter):
        """Before pytest's own last line."""
        for path in sorted(notebooks.FAILED.glob("*.ipynb")):
            if path.stat().st_mtime >= self.began:
                terminalreporter.write_line(f"as it was executed: {path.relative_to(build.ROOT)}")


def pytest_configure(config):
    """Called by pytest, once in each process."""
    config.pluginmanager.register(Executed(), "executed notebooks")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failed(), "failed notebooks")
        stale_runs.drop_stale(build.ROOT, build.BUILD)
        build.open_cache().list_cache_records()  # makes it, before workers do so at once
