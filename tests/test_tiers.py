"""The tiers by marks: what is slow without one is told, and what ran beyond `make test`."""

from types import SimpleNamespace

import tiers


def test_a_slow_test_without_a_mark_is_told_and_one_beyond_make_test_is_counted():
    slow, more = tiers.told(
        SimpleNamespace(nodeid=name, duration=seconds, keywords=dict.fromkeys(marks, 1))
        for name, seconds, marks in [
            ("a.py::quick", 1.0, []), ("a.py::slow", 3.0, ["a.py"]), ("a.py::slow", 2.5, ["a.py"]),
            ("b.py::more[1]", 9.0, ["full"]), ("b.py::more[2]", 1.0, ["full"]),
            ("c.py::page", 9.0, ["book"]), ("chapters/01_a.ipynb::Cell 1", 9.0, []),
        ]
    )  # fmt: skip
    assert slow == ["  5.5 s a.py::slow"]
    assert more == ["    2 b.py"]
