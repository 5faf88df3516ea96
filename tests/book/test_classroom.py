"""What the problem sets' tests say: each mistake has its sentence, right work passes silently."""

import json
from collections import namedtuple
from fractions import Fraction

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib.book import classroom


def fails(kind):
    def answer(*_, **__):
        raise kind("two\nlines")

    return answer


def changes(x):
    x += 1e-9
    return x


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (fails(NotImplementedError), "answer is not written yet"),
        (fails(KeyError), "answer stopped with KeyError: 'two"),
        (fails(AssertionError), "answer stopped with AssertionError: two$"),
        (print, "print gives None. Does it return its result, or only print it?"),
        (changes, "changes changed an array that it was given"),
        (None, "NoneType stopped with TypeError"),
    ],
)
def test_call_names_the_answer(function, says):
    with pytest.raises(AssertionError, match=says):
        classroom.call(function, np.ones(3))


def test_call_gives_the_result():
    assert classroom.call(max, 3, 4, key=lambda x: -x) == 3


@pytest.mark.parametrize(
    ("got", "says"),
    [
        ("word", r"sigma: numbers of shape \(2,\) are expected, not str"),
        (classroom.Other("Layer"), r"sigma: numbers of shape \(2,\) are expected, not Layer"),
        ([1.0, 2.0, 3.0], r"sigma: the shape is \(3,\), expected \(2,\). Hint."),
        ([1.0, np.nan], "sigma: 1 of 2 numbers are NaN, such as 0 / 0 gives. Hint."),
        ([np.inf, np.inf], "sigma: 2 of 2 numbers are infinite. Hint."),
        ([1.0, 2.001], "sigma: wrong by 0.0005 of its size. Nearly right: look at the precision"),
        ([1.0, 2.1], "sigma: wrong by 0.05 of its size. Hint."),
        ([1.0, 9.0], "sigma: wrong by 3.5 times its size. Hint."),
    ],
)
def test_close_says_what_is_wrong(got, says):
    with pytest.raises(AssertionError, match=says):
        classroom.close("sigma", got, [1.0, 2.0], "Hint.")


@pytest.mark.parametrize(
    ("got", "expected", "tolerance"),
    [([1.0, 2.0001], [1.0, 2.0], 1e-4), (1e-5, 0.0, 1e-4), ([], [], 0.0), (2, 2.0, 0.0)],
)
def test_close_lets_rounding_pass(got, expected, tolerance):
    classroom.close("sigma", got, expected, tolerance=tolerance)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (2.5, 2.5), (None, None), ("conv", "conv"), (np.float32(0.5), np.array(0.5, "f")),
        (tf.constant([1, 2]), np.array([1, 2], "int32")), (keras.Variable(3.0), np.array(3.0, "f")),
        ((1, [np.ones(2)]), (1, [np.ones(2)])), ({"y": (True,)}, {"y": (True,)}),
        (Fraction(1, 2), 0.5), (np.zeros((0, 3)), np.zeros((0, 3))),
        (namedtuple("Pair", "sigma u")(1, 2), (1, 2)), (type("Mine", (list,), {})([1]), [1]),
        (np.arange(6).reshape(2, 3).T, np.arange(6).reshape(2, 3).T),
    ],
)  # fmt: skip
def test_values_come_through_as_they_are(thing, expected):
    got = classroom.unpack(json.loads(json.dumps(classroom.pack(thing))))
    np.testing.assert_equal(got, expected)
    assert type(got) is type(expected)
    assert getattr(got, "flags", {"F": 0})["F"] == getattr(expected, "flags", {"F": 0})["F"]


@pytest.mark.parametrize(
    ("result", "expected"),
    [((1, 2), True), ([1, [2]], True), (np.zeros((2, 5)), True), (tf.zeros((2, 3)), True),
     ((1,), False), (np.zeros(3), False), (1.0, False), (np.array(1.0), False), ("ab", False),
     ({0: 1, 1: 2}, False), (None, False), (tf.constant(1.0), False),
     (classroom.Other("x"), False)],
)  # fmt: skip
def test_two_things_are_a_pair_whatever_holds_them(result, expected):
    assert classroom.is_pair(result) is expected


class Reads:
    """An answer that would read what a test expects."""

    def __array__(self, *_, **__):
        raise RuntimeError("no such frame here")


@pytest.mark.parametrize("thing", [Reads(), np.array([object()]), object, b"x"])
def test_what_is_no_number_is_named_and_never_comes_through(thing):
    got = classroom.unpack(classroom.pack(thing))
    assert isinstance(got, classroom.Other)
    assert got.kind in ("Reads", "ndarray", "type", "bytes")


def rows(matrix, rng):
    return matrix.sum(1), rng.random()


SPACE = {"rows": rows, "fails": fails(ValueError), "huge": lambda: np.zeros(2**23)}


def remote(name):
    return classroom.Remote(name, lambda question: classroom.answer(question, SPACE))


def test_a_remote_gives_values_and_moves_the_generator():
    here, there = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(2):
        sums, drawn = classroom.call(remote("rows"), np.ones((2, 3)), here)
        np.testing.assert_array_equal(sums, [3, 3])
        assert drawn == there.random()


@pytest.mark.parametrize(
    ("name", "says"),
    [("fails", "answer stopped with ValueError: two"), ("gone", "gone is not there"),
     ("huge", r"shape \(8388608,\) has far too many numbers")],
)  # fmt: skip
def test_a_remote_says_what_went_wrong_there(name, says):
    with pytest.raises(AssertionError, match=says):
        classroom.call(remote(name))


def test_what_a_remote_says_is_told_though_no_generator_came_back():
    quiet = classroom.Remote("x", lambda question: '{"said": "It ran for 60 s.", "states": []}')
    with pytest.raises(AssertionError, match="It ran for 60 s"):
        quiet(np.random.default_rng(3))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "[" * 100_000, '{"value": {"array": ["O", [1], "C", "AAAA"]}, "states": []}',
     '{"value": {"array": ["<f8", [9], "C", "AAAA"]}, "states": []}', '{"value": 1, "states": [1]}',
     '{"value": {"a": 1, "b": 2}, "states": []}', '{"value": {"dict": 3}, "states": []}'],
)  # fmt: skip
def test_a_reply_that_cannot_be_read_is_a_sentence(text):
    with pytest.raises(AssertionError, match="x gave nothing that can be read"):
        classroom.Remote("x", lambda question: text)()
