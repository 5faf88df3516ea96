"""Processes that tests start: whether they live, and waiting for what they do."""

import time


def alive(number):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{number}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true, seconds=60):
    """Wait until a function gives true; AssertionError where it does not in so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
