"""What the problem sets' tests say to a student: is it your own, did it run, is it right.

The tests of `assignments/` are cells that end in an error or do not. These functions make the error
a sentence that a student understands. They know nothing of single problems.
"""

import types

import numpy as np

#: Packages whose own functions are no answer.
_LIBRARIES = ("sagan_lib", "experiments", "keras", "tensorflow", "numpy", "scipy")


def own_work(name, answer, forbidden=(), allowed=()):
    """Check that an answer was written by the student, as far as its code can tell.

    Names that the code uses are looked at, in its helpers and methods too, not what it computes.

    Args:
        name: of the answer, for the message.
        answer: the function or class.
        forbidden: names that the problem asks to do without, such as "svd".
        allowed: names of the library that it may use.

    Raises:
        AssertionError: nothing there, not callable, from a library, or with a name of
            `forbidden` or of `sagan_lib` in it.
    """
    assert answer is not None, f"{name} is None: run the cell that defines it."
    assert callable(answer), f"{name} must be a function or class, not {type(answer).__name__}."
    home = (getattr(answer, "__module__", None) or "").partition(".")[0]
    assert home not in _LIBRARIES, f"{name} is {home}'s own. Write it yourself."
    for used, value in _names(answer):
        if used in allowed:
            continue
        assert used not in forbidden, f"{name} uses {used}, which this problem does without."
        is_module = isinstance(value, types.ModuleType)
        home = value.__name__ if is_module else getattr(value, "__module__", None)
        packages = {used.partition(".")[0], str(home).partition(".")[0]}
        for ours in ("sagan_lib", "experiments"):
            assert ours not in packages, f"{name} uses {used} of {ours}. Write that part yourself."


def _names(answer):
    """Pairs (name, its global value or None) in the code of a function or class and its helpers."""
    waiting, seen = [answer], set()
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, type):
            yield from ((base.__name__, base) for base in thing.__mro__[1:])
            waiting += [each for each in vars(thing).values() if _has_code(each)]
            continue
        code = getattr(thing, "__code__", thing)
        if not isinstance(code, types.CodeType) or code in seen:
            continue
        seen.add(code)
        space = getattr(thing, "__globals__", {})
        waiting += [types.FunctionType(c, space) if not c.co_freevars else c
                    for c in code.co_consts if isinstance(c, types.CodeType)]  # fmt: skip
        for name in code.co_names:
            value = space.get(name)
            if _has_code(value) and value.__module__ == getattr(thing, "__module__", None):
                waiting.append(value)
            else:
                yield name, value


def _has_code(thing):
    return isinstance(thing, types.FunctionType | type)


def call(name, function, *arguments, **options):
    """`function(*arguments, **options)`; its error becomes a sentence that names the answer.

    Args:
        name: of the answer, for the message.
        function: the answer.
        arguments: for it.
        options: for it.

    Raises:
        AssertionError: the function raised, or gave None.
    """
    try:
        result = function(*arguments, **options)
    except NotImplementedError:
        raise AssertionError(f"{name} is not written yet.") from None
    except Exception as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise AssertionError(f"{name} stopped with {type(error).__name__}: {first}") from error
    assert result is not None, f"{name} gives None. Does it return its result, or only print it?"
    return result


def close(what, got, expected, hint="", tolerance=1e-4):
    """Check a result against the expected one; the message tells how far off, not the solution.

    Args:
        what: the result in words, such as "sigma".
        got: anything that numpy takes as numbers.
        expected: array; its shape is the right shape.
        hint: a sentence for who is wrong here.
        tolerance: of the largest difference, as a share of the largest expected number, or as it
            is where that is below 1e-12.

    Raises:
        AssertionError: no numbers, another shape, NaN or infinity, or too far off.
    """
    expected = np.asarray(expected, "float64")
    try:
        numbers = np.asarray(got, "float64")
    except (TypeError, ValueError):
        raise AssertionError(
            f"{what}: numbers of shape {expected.shape} are expected, not {type(got).__name__}."
        ) from None
    assert numbers.shape == expected.shape, (
        f"{what}: the shape is {numbers.shape}, expected {expected.shape}. {hint}"
    )
    assert np.isfinite(numbers).all(), f"{what}: there is NaN or infinity. {hint}"
    largest = np.abs(expected).max(initial=0.0)
    error = np.abs(numbers - expected).max(initial=0.0) / (largest if largest > 1e-12 else 1.0)
    size = f"{error:.2g} of its size" if error < 1 else f"{error:.3g} times its size"
    assert error <= tolerance, f"{what}: wrong by {size}. {hint}"
