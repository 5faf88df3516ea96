"""What the tests of the command line share."""

import signal

import pytest


@pytest.fixture
def handle():
    """A function that sets a signal's handler; all are as before afterwards."""
    before = {}

    def handle(number, handler):
        before.setdefault(number, signal.getsignal(number))
        signal.signal(number, handler)

    yield handle
    for number, handler in before.items():
        signal.signal(number, handler)
