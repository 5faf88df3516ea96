"""What the problem sets' tests use: call an answer, compare its values, say what is wrong.

A test is a cell that ends in an error or does not. In a student's notebook it calls the answers
beside it. In grading it runs in another process, which never has a student's code: there an answer
is a `Remote`, and what goes there and back is plain numbers.
"""

import base64
import json
import numbers

import numpy as np

#: Under this type a kernel publishes its replies; the most characters that one may have.
MIME, LARGEST = "application/vnd.sagan.answer", 2**25


def beside_answers(function):
    """Mark a given function that handles answers themselves, such as layers: it runs beside them.

    Args:
        function: it takes plain numbers, and gives them.

    Returns:
        The function.
    """
    function.beside_answers = True
    return function


def call(function, *arguments, **options):
    """`function(*arguments, **options)`; what goes wrong becomes a sentence that names it.

    Args:
        function: the answer, or what was marked by `beside_answers`.
        arguments: for it; arrays must stay as they are.
        options: for it.

    Raises:
        AssertionError: the function raised, gave None, or changed an array.
    """
    if isinstance(function, Remote):
        return function(*arguments, **options)
    name = getattr(function, "__name__", type(function).__name__)
    arrays = list(_arrays(arguments))
    before = [array.copy() for array in arrays]
    try:
        result = function(*arguments, **options)
    except NotImplementedError:
        raise AssertionError(f"{name} is not written yet.") from None
    except Exception as error:
        if hasattr(function, "beside_answers"):  # it says itself what is wrong
            raise
        first = (str(error).splitlines() or [""])[0][:200]
        raise AssertionError(f"{name} stopped with {type(error).__name__}: {first}") from error
    if result is None:
        raise AssertionError(f"{name} gives None. Does it return its result, or only print it?")
    if not all(map(np.array_equal, arrays, before)):
        raise AssertionError(f"{name} changed an array that it was given. Leave those as they are.")
    return result


def _arrays(things):
    for thing in things:
        if isinstance(thing, np.ndarray):
            yield thing
        elif isinstance(thing, list | tuple):
            yield from _arrays(thing)


def is_pair(result):
    """Whether a result is two things: a tuple, a list, or an array of two.

    Args:
        result: of an answer.
    """
    return np.iterable(result) and not isinstance(result, dict | str) and len(result) == 2


def close(what, got, expected, hint="", tolerance=1e-4):
    """Check a result against the expected one; the message tells how far off, not the solution.

    Args:
        what: the result in words, such as "sigma".
        got: anything that numpy takes as numbers.
        expected: array; its shape is the right shape.
        hint: a sentence for who is wrong here.
        tolerance: of the largest difference, as a share of the largest expected number, or as it
            is where that is 0.

    Raises:
        AssertionError: no numbers, another shape, NaN or infinity, or too far off; that a result
            is nearly right is said, since then it is its precision that is wrong.
    """
    expected = np.asarray(expected, "float64")
    try:
        found = np.asarray(got, "float64")
    except (TypeError, ValueError):
        kind = getattr(got, "kind", type(got).__name__)
        said = f"{what}: numbers of shape {expected.shape} are expected, not {kind}."
        raise AssertionError(said) from None
    assert found.shape == expected.shape, (
        f"{what}: the shape is {found.shape}, expected {expected.shape}. {hint}"
    )
    nan, infinite = np.isnan(found).sum(), np.isinf(found).sum()
    assert not nan, f"{what}: {nan} of {found.size} numbers are NaN, such as 0 / 0 gives. {hint}"
    assert not infinite, f"{what}: {infinite} of {found.size} numbers are infinite. {hint}"
    error = np.abs(found - expected).max(initial=0.0) / (np.abs(expected).max(initial=0.0) or 1.0)
    size = f"{error:.2g} of its size" if error < 1 else f"{error:.3g} times its size"
    near = "Nearly right: look at the precision (rounding, differences, an epsilon). "
    assert error <= tolerance, f"{what}: wrong by {size}. {near if error < 1e-3 else ''}{hint}"


class Other:
    """In the place of a result that is no number: its `kind`, in words."""

    def __init__(self, kind):
        self.kind = kind


def pack(thing):
    """A result as what JSON can hold: numbers, arrays of them, lists, tuples, dictionaries.

    Args:
        thing: a result. A tensor becomes an array; of what is none of these the kind remains.

    Returns:
        Dictionaries, lists, numbers and strings, for `unpack`.

    Raises:
        AssertionError: an array is too large.
    """
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, list | tuple):  # with a name of its own, too
        return {"list" if isinstance(thing, list) else "tuple": [pack(each) for each in thing]}
    if isinstance(thing, dict):
        return {"dict": [[str(key), pack(value)] for key, value in thing.items()]}
    if isinstance(thing, np.random.Generator):
        return {"generator": thing.bit_generator.state}
    if isinstance(thing, numbers.Rational):
        return float(thing)
    try:
        array = np.asarray(thing)
    except Exception:  # whatever an object's own conversion does
        return {"other": type(thing).__name__}
    if array.dtype.kind not in "biufc":
        return {"other": type(thing).__name__}
    if array.nbytes > LARGEST // 2:
        raise AssertionError(f"A result of shape {array.shape} has far too many numbers.")
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    text = base64.b64encode(array.tobytes(order)).decode()
    return {"array": [array.dtype.str, array.shape, order, text]}


def unpack(packed):
    """What `pack` was given, arrays as numpy's.

    Args:
        packed: from `pack`, in whatever process.

    Raises:
        ValueError, TypeError, KeyError: it is nothing that `pack` makes.
    """
    if not isinstance(packed, dict):
        return packed
    ((kind, held),) = packed.items()
    if kind in ("list", "tuple"):
        return {"list": list, "tuple": tuple}[kind](unpack(each) for each in held)
    if kind == "dict":
        return {key: unpack(value) for key, value in held}
    if kind == "generator":
        generator = np.random.default_rng()
        generator.bit_generator.state = held
        return generator
    if kind == "other":
        return Other(str(held))
    dtype, shape, order, text = held
    if kind != "array" or np.dtype(dtype).kind not in "biufc":
        raise ValueError(f"packed must be what pack makes, got {kind!r}")
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape, order=order).copy("K")


class Remote:
    """A function of another process, called by its name.

    Args:
        name: the function's, there.
        ask: takes the text of a question to that process, and gives the text of its reply.
    """

    def __init__(self, name, ask):
        self.__name__, self._ask = name, ask

    def __call__(self, *arguments, **options):
        """The function's values; generators among the arguments go on as they did there.

        Raises:
            AssertionError: what the other process says, or that it says nothing that can be read.
        """
        question = [self.__name__, pack(list(arguments)), pack(options)]
        text = self._ask(json.dumps(question))
        try:
            reply = json.loads(text)
            if said := reply.get("said"):
                raise AssertionError(str(said))
            value = unpack(reply["value"])
            for argument, state in zip(_generators(arguments), reply["states"], strict=True):
                argument.bit_generator.state = state
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MemoryError):
            raise AssertionError(f"{self.__name__} gave nothing that can be read.") from None
        return value


def _generators(arguments):
    return [each for each in arguments if isinstance(each, np.random.Generator)]


def answer(question, space):
    """The reply to a `Remote`'s question, from the process that has the answers.

    Args:
        question: text.
        space: the names of that process.

    Returns:
        Text.
    """
    name, arguments, options = json.loads(question)
    arguments, options = unpack(arguments), unpack(options)
    reply = {}
    try:
        if name not in space:
            raise NameError(f"{name} is not there: its cell stopped before it, or was changed.")
        reply["value"] = pack(call(space[name], *arguments, **options))
    except Exception as error:
        reply["said"] = str(error) or type(error).__name__
    reply["states"] = [each.bit_generator.state for each in _generators(arguments)]
    text = json.dumps(reply)
    if len(text) > LARGEST:
        return json.dumps(reply | {"said": f"{name} gives far too many numbers.", "value": None})
    return text


def publish(question):
    """In a kernel: publish the reply to a question.

    Args:
        question: text, for `answer`.
    """
    from IPython import display, get_ipython

    display.publish_display_data({MIME: answer(question, get_ipython().user_ns)})
