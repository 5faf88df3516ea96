"""What the problem sets' tests say: each mistake has its sentence, right work passes silently."""

import functools
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


class Inherits(spectral_norm.SNDense):
    pass


def calls_itself(n):
    return 1 if n == 0 else n * calls_itself(n - 1)


class WithMethod:
    def call(self, x):
        return spectral_norm.kernel_matrix(x)


def honest(x):
    return np.asarray(x) + 1


TOOLS = {"a": [np.linalg.svd]}
RENAMED = np.linalg.svd
PART = functools.partial(np.linalg.svd, full_matrices=False)


def from_a_container(x):
    return TOOLS["a"][0](x)


def renamed(x):
    return RENAMED(x)


def part(x):
    return PART(x)


def by_default(x, way=np.linalg.svd):
    return way(x)


def by_keyword(x, *, way=spectral_norm.kernel_matrix):
    return way(x)


def closes_over(way):
    def answer(x):
        return way(x)

    return answer


def attribute_by_name(x):
    return np.linalg.norm(x, "svd")


def hides(x):
    return eval("np.linalg.svd(x)")


def looks_up(x):
    return globals()["expected"]


def complex_step(x):
    return np.asarray(x + 1e-30j)


class Callable:
    def __call__(self, x):
        return np.linalg.svd(x)


OBJECT = Callable()


def through_an_object(x):
    return OBJECT(x)


class Static:
    way = staticmethod(np.linalg.svd)

    @property
    def other(self):
        return 1


class Kind:
    way = spectral_norm.SNDense

    @classmethod
    def make(cls):
        return cls.way


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
        (calls_library, "of sagan_lib"), (imports_library, "of sagan_lib"),
        (WithMethod, "of sagan_lib"), (Inherits, "uses SNDense of sagan_lib"),
        (lambda x: [spectral_norm.kernel_matrix(each) for each in x], "of sagan_lib"),
    ],
)  # fmt: skip
def test_what_is_not_own_work_is_named(answer, says):
    with pytest.raises(AssertionError, match=says):
        classroom.own_work("answer", answer, forbidden=("svd",))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (from_a_container, "uses svd"), (renamed, "uses svd"), (part, "uses svd"),
        (by_default, "uses svd"), (closes_over(np.linalg.svd), "uses svd"),
        (attribute_by_name, "uses svd"), (through_an_object, "uses svd"), (Static, "uses svd"),
        (by_keyword, "uses kernel_matrix of sagan_lib"), (Kind, "of sagan_lib"),
        (closes_over([calls_library]), "of sagan_lib"), (complex_step, "uses complex"),
        (hides, "uses eval, which hides"), (looks_up, "uses globals, which hides"),
        (PART, "must be a function or class, not partial"), (OBJECT, "not Callable"),
        (max, "not builtin_function"), (np, "numpy's own"),
    ],
)  # fmt: skip
def test_work_of_others_is_found_where_it_is_hidden(answer, says):
    with pytest.raises(AssertionError, match=says):
        classroom.own_work("answer", answer, forbidden=("svd", "complex"))


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


def with_ops(x):
    return multiply(x, 2)


def with_softmax(x):
    return log_softmax(x)


@pytest.mark.parametrize(
    ("answer", "forbidden", "says"),
    [(with_ops, ["keras"], "uses keras, which"), (with_softmax, ["LogSoftmax"], "log_softmax")],
)
def test_a_forbidden_package_and_name_are_found_in_any_spelling(answer, forbidden, says):
    with pytest.raises(AssertionError, match=says):
        classroom.own_work("answer", answer, forbidden)
    classroom.own_work("answer", answer, ["torch"])


def draws_all(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.5, size=(2, 200)).sum() + rng.standard_normal(200).sum()


def draws_fewer(seed):
    return np.random.default_rng(seed).normal(size=500).sum()


def draws_twice(seed):
    return np.random.default_rng(seed).normal(size=300) + np.random.default_rng(seed).normal(
        size=300
    )


def draws_from_the_next(seed):
    return np.random.default_rng(seed + 1).normal(size=600)


def draws_evenly(seed):
    return np.random.default_rng(seed).uniform(size=600)


@pytest.mark.parametrize(
    ("experiment", "says"),
    [(draws_fewer, "does not draw the 600 normal numbers"), (draws_twice, "makes 2 generators"),
     (draws_from_the_next, "makes 1 generators. Make one, by np.random.default_rng"),
     (draws_evenly, "from another distribution"), (honest, "makes 0 generators")],
)  # fmt: skip
def test_an_experiment_draws_what_the_text_asks_for(experiment, says):
    real = np.random.default_rng
    classroom.draws("experiment", draws_all, 3, 600)
    with pytest.raises(AssertionError, match=says):
        classroom.draws("experiment", experiment, 3, 600)
    assert np.random.default_rng is real
