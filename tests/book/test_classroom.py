"""What the problem sets' tests say: each mistake has its sentence, right work passes silently."""

import numpy as np
import pytest

from sagan_lib import spectral_norm
from sagan_lib.book import classroom


def helper(matrix):
    return np.linalg.svd(matrix)


def calls_helper(matrix):
    return helper(matrix)[1]


def calls_library(kernel):
    return spectral_norm.kernel_matrix(kernel)


def imports_library(kernel):
    from sagan_lib.spectral_norm import kernel_matrix

    return kernel_matrix(kernel)


class Inherits(spectral_norm.SNDense):
    pass


class WithMethod:
    def call(self, x):
        return spectral_norm.kernel_matrix(x)


def honest(x):
    return np.asarray(x) + 1


@pytest.mark.parametrize("answer", [honest, lambda x: x, type("Layer", (), {"call": honest})])
def test_own_work_passes(answer):
    classroom.own_work("answer", answer, forbidden=("svd",))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "answer is None"), (3, "must be a function or class, not int"),
        (spectral_norm.kernel_matrix, "answer is sagan_lib's own"), (np.mean, "numpy's own"),
        (calls_helper, "answer uses svd, which this problem does without"),
        (calls_library, "of sagan_lib"), (imports_library, "of sagan_lib"),
        (WithMethod, "of sagan_lib"), (Inherits, "uses SNDense of sagan_lib"),
        (lambda x: [spectral_norm.kernel_matrix(each) for each in x], "of sagan_lib"),
    ],
)  # fmt: skip
def test_what_is_not_own_work_is_named(answer, says):
    with pytest.raises(AssertionError, match=says):
        classroom.own_work("answer", answer, forbidden=("svd",))


def test_an_allowed_name_of_the_library_passes():
    classroom.own_work("answer", calls_library, allowed=("spectral_norm", "kernel_matrix"))


def fails(kind):
    def answer(*_, **__):
        raise kind("two\nlines")

    return answer


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (fails(NotImplementedError), "answer is not written yet"),
        (fails(KeyError), "answer stopped with KeyError: 'two"),
        (fails(ValueError), "answer stopped with ValueError: two$"),
        (print, "answer gives None. Does it return its result, or only print it?"),
    ],
)
def test_call_names_the_answer(function, says):
    with pytest.raises(AssertionError, match=says):
        classroom.call("answer", function)


def test_call_gives_the_result():
    assert classroom.call("answer", max, 3, 4, key=lambda x: -x) == 3


@pytest.mark.parametrize(
    ("got", "says"),
    [
        ("word", r"sigma: numbers of shape \(2,\) are expected, not str"),
        ([1.0, 2.0, 3.0], r"sigma: the shape is \(3,\), expected \(2,\). Hint."),
        ([1.0, np.nan], "sigma: there is NaN or infinity. Hint."),
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
