"""Names and numbers of labels: what is asked for, what is drawn, what is refused."""

import numpy as np
import pytest

from sagan_lib.datasets.labels import Labels

ONE = Labels({"hair": ["black", "red", "a, b"]})
TWO = Labels({"hair": ["black", "red"], "iris": ["blue", "red", "green"]})


def test_vectors_have_a_one_for_each_factor():
    np.testing.assert_array_equal(TWO.vectors([[0, 2], [1, 0]]), [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0]])
    np.testing.assert_array_equal(ONE.vectors(np.array([2, 0])), [[0, 0, 1], [1, 0, 0]])
    assert TWO.vectors([[0, 2]]).dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "label", "wanted"),
    [
        (ONE, "red", [1]), (ONE, 2, [2]), (ONE, "a, b", [2]), (ONE, "hair=red", [1]),
        (ONE, {"hair": "black"}, [0]), (TWO, "black,blue", [0, 0]),
        (TWO, "green, hair=red", [1, 2]), (TWO, "iris=red , black", [0, 1]),
        (TWO, {"iris": 1, "hair": 1}, [1, 1]),
    ],
)  # fmt: skip
def test_what_is_asked_for(labels, label, wanted):
    np.testing.assert_array_equal(labels.numbers(3, label), [wanted] * 3)


def test_each_image_may_have_its_own():
    np.testing.assert_array_equal(ONE.numbers(2, ["red", 0]), [[1], [0]])
    np.testing.assert_array_equal(ONE.numbers(2, np.array([2, 1])), [[2], [1]])
    found = TWO.numbers(400, ["black", "green"] * 200, seed=2)
    assert {*found[::2, 0]} == {0}
    assert {*found[1::2, 1]} == {2}
    assert {*found[1::2, 0]} == {0, 1}
    assert {*found[::2, 1]} == {0, 1, 2}


def test_what_is_not_named_is_drawn_evenly_and_alike_for_every_n():
    many = TWO.numbers(6000, seed=4)
    np.testing.assert_array_equal(TWO.numbers(10, seed=4), many[:10])
    assert not np.array_equal(TWO.numbers(6000, seed=5), many)
    for column, size in zip(many.T, TWO.sizes, strict=True):
        shares = np.bincount(column, minlength=size) / 6000
        np.testing.assert_allclose(shares, 1 / size, atol=0.03)
    together = np.bincount(many[:, 0] * 3 + many[:, 1]) / 6000
    np.testing.assert_allclose(together, 1 / 6, atol=0.03)  # each factor by itself


@pytest.mark.parametrize(
    ("labels", "label", "words"),
    [
        (ONE, "green", r"'green' is none of hair \(black, red, a, b\)"),
        (ONE, 3, "label of hair must be at least 0 and at most 2, got 3"),
        (ONE, "eyes=red", r"factor must be one of \['hair'\], got 'eyes'"),
        (ONE, {"hair": "green"}, "label of hair must be one of .* got 'green'"),
        (TWO, "red", "'red' is several: hair=red or iris=red"),
        (TWO, 1, "label must name a value, got 1; there are hair .*; iris"),
        (ONE, "black,hair=red", "label 'black,hair=red' names hair twice"),
        (TWO, ["blue"] * 4, "label must be one, or 3, got 4"),
        (TWO, np.array([[0, 3]] * 3), r"numbers of hair .* got \[0 3\]"),
        (TWO, np.array([0, 1, 1]), r"shape \(n, 2\), got \(3,\)"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(labels, label, words):
    with pytest.raises(ValueError, match=words):
        labels.numbers(3, label)


def test_labels_by_their_count_and_wrong_ones():
    assert Labels(3).factors == {"class": ("0", "1", "2")}
    assert Labels(3) == Labels({"class": ["0", "1", "2"]}) != ONE
    for wrong, words in (({}, "factors"), ({"a": []}, "labels of a"), ({"a": ["x", "x"]}, "once"),
                         ({"a": [1]}, "texts, got 1"), (0, "at least 1"),
                         ({"a": "red"}, "a list of names, got 'red'"),
                         ({"a": 5}, "names, got 5")):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=words):
            Labels(wrong)
    with pytest.raises(TypeError, match="integers, got float64"):
        ONE.checked([0.5])


def test_many_names_are_told_in_short():
    assert str(Labels(100)).endswith("19, ... 100 in all)")
