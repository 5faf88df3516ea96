"""What the problem sets' tests say: each mistake has its sentence, right work passes silently."""

import sys

import numpy as np
import pytest
from keras.ops import log_softmax, multiply

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


def calls_itself(n):
    return 1 if n == 0 else n * calls_itself(n - 1)


def honest(x):
    return np.asarray(x) + 1


def closes_over(way):
    def answer(x):
        return way(x)

    return answer


def hides(x):
    return eval("np.linalg.svd(x)")


@pytest.mark.parametrize(
    "answer",
    [honest, lambda x: x, type("Layer", (), {"call": honest}), closes_over(honest), calls_itself],
)
def test_own_work_passes(answer):
    classroom.own_work("answer", answer, forbidden=("svd",))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "answer is None"), (3, "must be a function or class, not int"),
        (spectral_norm.kernel_matrix, "answer is sagan_lib's own"), (np.mean, "numpy's own"),
        (calls_helper, "answer uses svd, which this problem does without"),
        (imports_library, "of sagan_lib"),
        (type("Inherits", (spectral_norm.SNDense,), {}), "uses SNDense of sagan_lib"),
        (lambda x: [spectral_norm.kernel_matrix(each) for each in x], "of sagan_lib"),
    ],
)  # fmt: skip
def test_what_is_not_own_work_is_named(answer, says):
    with pytest.raises(AssertionError, match=says):
        classroom.own_work("answer", answer, forbidden=("svd",))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda x, way=np.linalg.svd: way(x), "uses svd"),
        (closes_over(np.linalg.svd), "uses svd"), (closes_over([calls_library]), "of sagan_lib"),
        (lambda x: np.linalg.norm(x, "svd"), "uses svd"),
        (lambda x: np.asarray(x + 1e-30j), "uses complex"),
        (type("Static", (), {"way": staticmethod(np.linalg.svd)}), "uses svd"),
        (lambda x: multiply(x, 2), "uses keras, which"), (hides, "uses eval, which hides"),
        (lambda x: log_softmax(x), "uses log_softmax"),
    ],
)  # fmt: skip
def test_what_is_forbidden_is_found_where_it_is_hidden(answer, says):
    """More ways, for each problem: tests/course/shortcuts.py."""
    with pytest.raises(AssertionError, match=says):
        classroom.own_work("answer", answer, ["svd", "complex", "keras", "LogSoftmax"])


def test_a_function_of_the_notebook_can_be_refused_itself():
    classroom.own_work("answer", calls_helper, forbidden=("helper",))  # a name is free
    with pytest.raises(AssertionError, match="answer uses helper, which this problem"):
        classroom.own_work("answer", calls_helper, forbidden=(helper,))


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


def measured(x, times=2):
    return x * times


def mean_of_three(seed):
    return sum(measured(seed + k) for k in range(3)) / 3


def no_helper(seed):
    return seed


def test_planted_replaces_a_helper_for_once_and_keeps_its_calls():
    result, calls = classroom.planted("e", mean_of_three, "measured", lambda k, _: 10.0**k, 7)
    assert result == 37.0
    assert calls == [{"x": 7, "times": 2}, {"x": 8, "times": 2}, {"x": 9, "times": 2}]
    assert mean_of_three(0) == 2  # as before


def test_an_experiment_that_never_calls_its_helper_is_told():
    with pytest.raises(AssertionError, match="e never calls measured"):
        classroom.planted("e", no_helper, "measured", lambda *_: 0, 1)
    assert measured(1) == 2


def formula(x):
    return 2 * x


def by_differences(x):
    return np.array([((x[k] + 1) ** 2 - (x[k] - 1) ** 2) / 2 for k in range(len(x))])


def test_differences_are_told_from_a_formula_by_the_work_that_they_do():
    few, many = (np.arange(3.0),), (np.arange(300.0),)
    classroom.derived("slope", formula, few, many)
    before = sys.gettrace()
    with pytest.raises(AssertionError, match=r"slope does .* lines of work where it did"):
        classroom.derived("slope", by_differences, few, many)
    assert sys.gettrace() is before


@pytest.mark.parametrize(
    "take",
    [lambda m: np.linalg.svd(m), lambda m: np.linalg.norm(m, 2), np.linalg.pinv, np.linalg.cond,
     np.linalg.matrix_rank],
)  # fmt: skip
def test_singular_values_refuse_whatever_calls_them(take):
    matrix = np.diag([3.0, 1.0])
    with (
        pytest.raises(AssertionError, match="are what this problem does without"),
        classroom.without_decompositions(),
    ):
        take(matrix)
    take(matrix)  # as before
    with classroom.without_decompositions():
        assert np.linalg.norm([3.0, 4.0]) == 5


def draws_all(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.5, size=(2, 200)).sum() + rng.standard_normal(200).sum()


@pytest.mark.parametrize(
    ("experiment", "says"),
    [(lambda k: np.random.default_rng(k).normal(size=500), "does not draw the 600 normal numbers"),
     (lambda k: np.random.default_rng(k + 1).normal(size=600), "makes 1 generators. Make one, by"),
     (lambda k: np.random.default_rng(k).uniform(size=600), "from another distribution"),
     (honest, "makes 0 generators")],
)  # fmt: skip
def test_an_experiment_draws_what_the_text_asks_for(experiment, says):
    real = np.random.default_rng
    classroom.draws("experiment", draws_all, 3, 600)
    with pytest.raises(AssertionError, match=says):
        classroom.draws("experiment", experiment, 3, 600)
    assert np.random.default_rng is real
