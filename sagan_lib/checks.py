"""Checks of arguments, said once: each names the argument, the value and what was expected."""

import math
import numbers


def integer(name, value, low=None, high=None):
    """`value` as an int.

    Args:
        name: of the argument, for the message.
        value: any integer type but bool.
        low: the least value that is allowed, if any.
        high: the largest one, if any.

    Raises:
        TypeError: `value` is no integer.
        ValueError: it lies outside of low..high.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if (low is not None and value < low) or (high is not None and value > high):
        upper = "" if high is None else f" and at most {high}"
        raise ValueError(f"{name} must be at least {low}{upper}, got {value}")
    return int(value)


def number(name, value, low, high=float("inf"), *, open_low=False):
    """`value` as a float.

    Args:
        name: of the argument, for the message.
        value: any real number but bool.
        low: the least value that is allowed.
        high: the largest one; infinity itself never is.
        open_low: `low` itself is not allowed.

    Raises:
        TypeError: `value` is no number.
        ValueError: it lies outside of low..high.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not (low < value if open_low else low <= value) or not value <= high or math.isinf(value):
        bound = f"greater than {low}" if open_low else f"at least {low}"
        upper = "" if high == float("inf") else f" and at most {high}"
        raise ValueError(f"{name} must be {bound}{upper}, got {value}")
    return float(value)


def one_of(name, value, allowed):
    """`value`, if it is among those that are allowed.

    Args:
        name: of the argument, for the message.
        value: anything that can be compared; 32.0 and True are not the integers they equal.
        allowed: the values there are.

    Raises:
        ValueError: it is none of them; the message lists them.
    """
    kinds = (float, bool)
    alike = (a for a in allowed if [isinstance(a, k) for k in kinds]
             == [isinstance(value, k) for k in kinds])  # fmt: skip
    if value not in list(alike):
        shown = sorted(allowed, key=str) if isinstance(allowed, set | dict) else list(allowed)
        raise ValueError(f"{name} must be one of {shown}, got {value!r}")
    return value


def each_once(name, values):
    """Refuse a value that is there twice.

    Args:
        name: of the argument, for the message.
        values: a list of texts.

    Raises:
        ValueError: the message names those that are.
    """
    if double := sorted({value for value in values if values.count(value) > 1}):
        raise ValueError(f"{name} must name each once, got {', '.join(double)} twice")


def network(name, value):
    """Refuse what has no inputs and layers: a `GAN`, a function, a model of a class of its own.

    Args:
        name: of the argument, for the message.
        value: a functional `keras.Model` or a `keras.Sequential`.

    Raises:
        TypeError: it is none.
    """
    if not getattr(value, "inputs", None) or not hasattr(value, "layers"):
        raise TypeError(f"{name} must be a functional keras.Model, got {type(value).__name__}")


def scores(*, paired=False, **given):
    """Refuse what is not a discriminator's scores: other shapes broadcast, and no one notices.

    Args:
        paired: they belong to each other one by one, so there must be as many of each.
        given: name of the argument = its value, which must be float (batch, 1).

    Raises:
        TypeError: no numbers, or not of a float dtype.
        ValueError: another shape, or unequal numbers of pairs.
    """
    shapes = []
    for name, value in given.items():
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        if shape is None or "float" not in str(getattr(dtype, "name", dtype)):
            found = type(value).__name__ if shape is None else f"dtype {dtype}"
            raise TypeError(f"{name} must be scores of a float dtype, got {found}")
        if len(shape) != 2 or shape[1] != 1:
            raise ValueError(f"{name} must be scores of shape (batch, 1), got {tuple(shape)}")
        shapes.append(shape[0])
    if paired and len(set(shapes) - {None}) > 1:
        raise ValueError(f"{' and '.join(given)} must be as many scores, got {shapes}")
