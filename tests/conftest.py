"""Shared by all tests: no window for figures, a cache of one's own, the same seeds every time.

A test without a mark belongs to `make check` and is quick; `book` marks what `make test` adds, and
`full` what only `make test-all` runs.
"""

import collections
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

# The book's tools and extensions come first, then the packages, after which folders of tests are
# named, then tests that are programs as well.
sys.path.insert(0, str(Path(__file__).resolve().parent / "cli"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book" / "ext"))
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="sagan_lib_test_")
os.environ["SAGAN_SCALE"] = "cpu"

import pytest

import sagan_lib  # noqa: F401  (quiets TensorFlow before anything imports it)

# A shell that runs the suite in the background ignores Ctrl-C, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


#: Seconds that a test of `make check` may take on a quiet machine.
QUICK = 5
#: What takes longest, the longest first: begun last, it would run alone beside idle cores.
LONG = (
    "test_gpu_scale.py", "test_grading.py", "test_gan.py", "test_keep.py", "test_answers.py",
    "test_pages.py", "test_playground.py", "test_xla.py", "test_devices.py", "test_class.py",
)  # fmt: skip


def pytest_unconfigure():
    shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The long files first, then the notebooks, then all others, each in its own order."""

    def place(item):
        if item.path.name in LONG:
            return LONG.index(item.path.name)
        return len(LONG) + (item.path.suffix != ".ipynb")

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Whoever runs tests imports Keras before the first, whose seconds it would be."""
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.resume_global_capture()  # TensorFlow's chatter
        import keras  # noqa: F401

        capture.suspend_global_capture()
        capture.read_global_capture()


@pytest.fixture(autouse=True)
def same_seed():
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def eager():
    """In this process TensorFlow traces nothing: that takes longer than a few steps do."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")  # not longer: its event loop would disturb other modules' own
def chromium():
    """The system's Chromium, without a window and without other hosts."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here (Debian: apt-get install chromium): NOT tested in a browser")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


def _tiers_of(config):
    """Lines: tests of `make check` that are slow, the slowest first; counts beyond `make test`."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    kinds = ("passed", "failed", "error", "skipped", "")
    seconds, marks = collections.Counter(), {}
    for each in (each for kind in kinds for each in reporter.stats.get(kind, ())):
        if hasattr(each, "duration"):
            seconds[each.nodeid] += each.duration
            marks[each.nodeid] = {"book", "full"} & set(each.keywords)
    slow = [f"{took:5.1f} s {name}" for name, took in seconds.most_common()
            if took > QUICK and not marks[name] and ".ipynb" not in name]  # fmt: skip
    more = collections.Counter(name.split("::")[0] for name in seconds if "full" in marks[name])
    return slow, [f"{count:5} {name}" for name, count in sorted(more.items())]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """A slow test fails nothing on a busy machine, unless one asks for it: make check SLOW=fail."""
    told = not hasattr(session.config, "workerinput")
    if told and os.environ.get("SLOW") == "fail" and _tiers_of(session.config)[0]:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    """The tiers, and what make took; before pytest's own last line."""
    slow, more = _tiers_of(config)
    if slow:
        terminalreporter.section(f"over {QUICK} s and without a mark")
        terminalreporter.write_line("\n".join(slow))
    if more and len(config.args) > 1:  # not of one file
        terminalreporter.section("run beyond make test")
        terminalreporter.write_line("\n".join(more))
    if "BOOK_STARTED" in os.environ:
        minutes = (time.time() - float(os.environ["BOOK_STARTED"])) / 60
        terminalreporter.write_line(f"{minutes:.1f} minutes since make began")
