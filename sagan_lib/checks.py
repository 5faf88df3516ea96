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
