"""Checks of arguments: what passes comes back as a plain number, the rest says what is allowed."""

import numpy as np
import pytest

from sagan_lib import checks


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_of_any_kind_come_back_as_python_ints(value):
    got = checks.integer("n", value, 3, 3)  # both ends belong to the range
    assert got == 3
    assert type(got) is int


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int16(2)])
def test_numbers_of_any_kind_come_back_as_python_floats(value):
    got = checks.number("rate", value, 2, 2)
    assert got == 2.0
    assert type(got) is float


def test_an_open_end_leaves_its_bound_out():
    assert checks.number("rate", 0, 0) == 0
    assert checks.number("rate", 1e-30, 0, open_low=True) == 1e-30


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: checks.integer("n", 2.0), TypeError, ["n must be an integer", "2.0"]),
        (lambda: checks.integer("n", True), TypeError, ["n must be an integer", "True"]),
        (lambda: checks.integer("n", None), TypeError, ["n must be an integer", "None"]),
        (lambda: checks.integer("n", 0, 1), ValueError, ["n must be at least 1", "got 0"]),
        (lambda: checks.integer("n", 9, 1, 8), ValueError, ["at least 1 and at most 8", "got 9"]),
        (lambda: checks.number("x", "1", 0), TypeError, ["x must be a number", "'1'"]),
        (lambda: checks.number("x", -1, 0), ValueError, ["x must be at least 0", "got -1"]),
        (lambda: checks.number("x", np.nan, 0), ValueError, ["x must be at least 0", "got nan"]),
        (lambda: checks.number("x", np.inf, 0), ValueError, ["x must be at least 0", "got inf"]),
        (lambda: checks.number("x", True, 0), TypeError, ["x must be a number", "True"]),
        (lambda: checks.scores(real=np.ones((2, 2))), ValueError, ["(batch, 1), got (2, 2)"]),
        (lambda: checks.scores(real=[[1.0]]), TypeError, ["real must be scores", "got list"]),
        (lambda: checks.number("x", 2, 0, 1), ValueError, ["at least 0 and at most 1", "got 2"]),
        (lambda: checks.number("x", 0, 0, open_low=True), ValueError, ["greater than 0", "got 0"]),
        (
            lambda: checks.one_of("colour", "pink", {"red", "blue"}),
            ValueError,
            ["colour must be one of ['blue', 'red']", "got 'pink'"],
        ),
    ],
)
def test_the_message_names_the_argument_the_value_and_what_is_allowed(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
