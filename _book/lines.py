"""A pytest plugin: one line for each file, with its seconds, in place of a dot for each test; what
fails is told at once and not after all others.

PYTHONPATH=_book python -m pytest -p lines ... chapters tests
"""

import collections

import pytest


class Lines:
    """Counts the tests of each file, a notebook's cells too, and says when the last is done."""

    def __init__(self, config):
        self.config, self.left = config, {}
        self.seconds, self.failed = collections.Counter(), collections.Counter()

    def _plan(self, names):
        if not self.left:
            self.left = collections.Counter(name.split("::")[0] for name in names)

    def pytest_collection_finish(self, session):
        """Without workers: pytest itself has collected."""
        self._plan([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        """With workers: the first of them has."""
        self._plan(ids)

    def pytest_runtest_logreport(self, report):
        """A phase of a test is over; the file is, when its last test's last phase is."""
        name = report.nodeid.split("::")[0]
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.failed:
            reporter.write_sep("_", report.nodeid)
            reporter.write_line(report.longreprtext)
        self.seconds[name] += report.duration
        self.failed[name] += report.failed
        if report.when != "teardown":
            return
        self.left[name] -= 1
        if self.left[name] == 0:
            open_ones = sum(count > 0 for count in self.left.values())
            wrong = f"{self.failed[name]} FAILED" if self.failed[name] else "passed"
            took = f"{self.seconds[name]:.0f} s"
            reporter.write_line(f"{name}: {wrong}, {took}; {open_ones} left")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        """Each failure was told; the summary at the end names them."""
        self.config.option.tbstyle = "no"

    def pytest_report_teststatus(self, report):
        """No dots and letters."""
        if report.passed:
            return ("passed" if report.when == "call" else ""), "", "PASSED"
        if report.failed:
            return ("failed" if report.when == "call" else "error"), "", "FAILED"
        return None


def pytest_configure(config):
    """Called by pytest; the workers of pytest-xdist print nothing."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Lines(config), "lines of files")
