"""Shared by all tests: no window for figures, a cache of one's own, the same seeds every time."""

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # device_runs, which is a program as well
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="sagan_lib_test_")
os.environ["SAGAN_SCALE"] = "cpu"

import pytest

import sagan_lib  # noqa: F401  (quiets TensorFlow before anything imports it)


@pytest.fixture(autouse=True)
def same_seed():
    import keras

    keras.utils.set_random_seed(0)


def pytest_terminal_summary(terminalreporter):
    """What `make test` took, before pytest's own last line."""
    if "BOOK_STARTED" in os.environ:
        minutes = (time.time() - float(os.environ["BOOK_STARTED"])) / 60
        terminalreporter.write_line(f"{minutes:.1f} minutes since make began")
