"""What the problem sets' tests say to a student: is it your own, did it run, is it right.

The tests of `assignments/` are cells that end in an error or do not. These functions make the error
a sentence that a student understands. They know nothing of single problems.
"""

import contextlib
import functools
import inspect
import sys
import types

import numpy as np

#: Packages whose own functions are no answer.
_LIBRARIES = ("sagan_lib", "sagan_experiments", "keras", "tensorflow", "numpy", "scipy")
#: Names behind which code hides what it does, or reads what a test knows.
_HIDING = {
    "eval", "exec", "compile", "globals", "locals", "vars", "getattr", "attrgetter", "methodcaller",
    "__import__", "importlib", "import_module", "inspect", "gc", "ctypes", "_getframe",
    "currentframe", "f_back", "f_locals", "f_globals", "tb_frame", "__globals__", "__code__",
    "__closure__", "__dict__", "__builtins__", "builtins", "get_ipython", "settrace", "setprofile",
    "pickle", "marshal", "open",
}  # fmt: skip


def own_work(name, answer, forbidden=(), allowed=()):
    """Check that an answer was written by the student, as far as its code can tell.

    Followed are the names that the code uses, in its helpers, methods, default values and closures
    too, and what lies in containers. It does not look at what is computed.

    Args:
        name: of the answer, for the message.
        answer: the function or class.
        forbidden: what the problem asks to do without: names of libraries' functions, such as
            "svd" ("complex" forbids complex constants, too), in any spelling; of packages, which
            forbids all that is theirs, under whatever name; or functions of the notebook.
        allowed: names of the library that it may use.

    Raises:
        AssertionError: nothing there, no function or class with code of its own, from a library,
            or with a name of `forbidden`, of `sagan_lib`, or one that hides what the code does.
    """
    assert answer is not None, f"{name} is None: run the cell that defines it."
    home = _package(answer)
    assert home not in _LIBRARIES, f"{name} is {home}'s own. Write it yourself."
    assert isinstance(answer, types.FunctionType | type), (
        f"{name} must be a function or class, not {type(answer).__name__}."
    )
    words = {_plain(each) for each in forbidden if isinstance(each, str)}
    for used, value, own in _reached(answer):
        names = [used, getattr(value, "__name__", used)]
        theirs = [*names, _package(value)]
        found = [] if own else [each for each in theirs if _plain(each) in words]
        found += [used for each in forbidden if each is value and not isinstance(each, str)]
        assert not found, f"{name} uses {found[0]}, which this problem does without."
        if own or set(names) & set(allowed):
            continue
        assert used not in _HIDING or isinstance(value, str), (
            f"{name} uses {used}, which hides what the code does. Write it plainly."
        )
        for ours in ("sagan_lib", "sagan_experiments"):
            packages = {used.partition(".")[0], _package(value)}
            assert ours not in packages, f"{name} uses {used} of {ours}. Write that part yourself."


def _plain(name):
    """A name without what libraries spell differently: log_softmax is LogSoftmax."""
    return str(name).lower().replace("_", "")


def _package(thing):
    """The package that a module, function or class is from; that of an object's class."""
    if isinstance(thing, types.ModuleType):
        return thing.__name__.partition(".")[0]
    found = getattr(thing, "__module__", None)
    return found.partition(".")[0] if isinstance(found, str) else ""


def _reached(answer):
    """Triples (name, value, own) of what an answer's code can use; its helpers are gone through.

    A function or class of the notebook itself is own, and may be called what it likes.
    """
    home, waiting, seen = answer.__module__, [("", answer)], []
    while waiting:
        name, thing = waiting.pop(0)
        if any(thing is each for each in seen) and not isinstance(thing, str | None):
            continue
        own = getattr(thing, "__module__", None) == home
        if name:
            yield name, thing, own and isinstance(thing, types.FunctionType | type)
        if thing is not None:
            seen.append(thing)
            waiting += _parts(thing, own, home)


def _parts(thing, own, home):
    """Pairs (name, value) of what is in a thing, one step deep."""
    if isinstance(thing, types.FunctionType):
        return list(_in_function(thing)) if own else []
    if isinstance(thing, type):
        skip = str | types.GetSetDescriptorType | None
        inside = [each for each in vars(thing).values() if not isinstance(each, skip)]
        return _named([*thing.__mro__[1:], *inside]) if own else []
    if isinstance(thing, staticmethod | classmethod | types.MethodType):
        return _named([thing.__func__, getattr(thing, "__self__", None)])
    if isinstance(thing, property):
        return _named([thing.fget])
    if isinstance(thing, functools.partial):
        return _named([thing.func, *thing.args, *thing.keywords.values()])
    if isinstance(thing, list | tuple | set | frozenset | dict):
        inside = thing.values() if isinstance(thing, dict) else thing
        return _named(each for each in inside if not isinstance(each, str))
    if getattr(type(thing), "__module__", None) == home:  # an object of the student's own class
        return _named([type(thing), *getattr(thing, "__dict__", {}).values()])
    return []


def _named(things):
    """Pairs (its own name, thing) of callables, modules and containers."""
    return [(getattr(each, "__name__", type(each).__name__), each) for each in things]


def _in_function(function):
    """Pairs (name, value) of a function's defaults and closure, and of the names in its code."""
    yield from _named([*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()])
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        yield from ((name, function.__globals__.get(name)) for name in code.co_names)
        for each in code.co_consts:
            if isinstance(each, types.CodeType):
                codes.append(each)
            elif isinstance(each, str):  # such as the name for a getattr
                yield each, each
            elif isinstance(each, complex):
                yield "complex", None


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


def derived(name, function, small, large):
    """Check that an answer does not do its work once for each number, as differences must.

    Counted are the lines that run: a formula for whole arrays has as many for large ones.

    Args:
        name: of the answer, for the message.
        function: the answer.
        small: a tuple of arguments.
        large: the same with many more numbers along an axis that needs no loop.

    Raises:
        AssertionError: much more was done for the large arguments, or as `call`.
    """
    few, many = (_lines(name, function, arguments) for arguments in (small, large))
    assert many <= 2 * few + 50, (
        f"{name} does {many} lines of work where it did {few}, because there are more numbers. The "
        "formula is asked, written for whole arrays: no differences, and no loop over the numbers."
    )


def _lines(name, function, arguments):
    """How many lines of Python a call runs, in all functions that it uses."""
    counted, before = [0], sys.gettrace()

    def trace(frame, event, argument):
        counted[0] += event == "line"
        return trace

    sys.settrace(trace)
    try:
        call(name, function, *arguments)
    finally:
        sys.settrace(before)
    return counted[0]


@contextlib.contextmanager
def _replaced(places, new):
    """Meanwhile `new` stands at each of the (namespace, name); then what was there again."""
    kept = [(space, word, space[word]) for space, word in places]
    for space, word in places:
        space[word] = new
    try:
        yield
    finally:
        for space, word, real in kept:
            space[word] = real


def without_decompositions():
    """Meanwhile numpy's singular values and eigenvalues refuse, whatever calls them."""
    from numpy.linalg import _linalg

    words = ("svd", "eig", "eigh", "eigvals", "eigvalsh", "lstsq", "pinv")

    def refuse(*arguments, **options):
        raise AssertionError(
            "singular values and eigenvalues are what this problem does without, and "
            "np.linalg.norm(matrix, 2) takes them, too."
        )

    return _replaced(
        [(vars(part), word) for part in (_linalg, np.linalg) for word in words], refuse
    )


def planted(name, function, helper, give, *arguments):
    """Run an experiment whose helper gives what the test has planted, and look at how it is called.

    An experiment that averages, pairs or repeats wrongly shows in its result, whatever the seed.

    Args:
        name: of the experiment, for the message.
        function: the experiment, a function that calls `helper` by its global name.
        helper: the name of the helper that is replaced meanwhile.
        give: function of how many calls came before, and of {parameter: argument}, that makes the
            helper's result.
        arguments: of the experiment.

    Returns:
        (the experiment's result, a list with {parameter: argument} of each call).

    Raises:
        AssertionError: the experiment raised, gave None or never called its helper.
    """
    space, calls = function.__globals__, []
    real = space[helper]
    signature = inspect.signature(real)

    def stand_in(*positional, **named):
        bound = signature.bind(*positional, **named)
        bound.apply_defaults()
        calls.append(dict(bound.arguments))
        return give(len(calls) - 1, calls[-1])

    with _replaced([(space, helper)], stand_in):
        result = call(name, function, *arguments)
    assert calls, f"{name} never calls {helper}. Use your function, so that its results count."
    return result, calls


def draws(name, function, seed, count, *arguments):
    """Check that an experiment takes so many normal numbers from one generator made from its seed.

    The order and the sizes in which they are drawn are free: the generator's state tells how many
    there were. Two generators, numbers used twice or never, and another seed all show.

    Args:
        name: of the experiment, for the message.
        function: the experiment; its first argument is the seed.
        seed: for it.
        count: how many numbers from a normal distribution it needs.
        arguments: the rest of its arguments.

    Raises:
        AssertionError: another number of generators or of numbers, or as `call`.
    """
    made, real = [], np.random.default_rng

    def watched(*given, **named):
        made.append((given or tuple(named.values()), real(*given, **named)))
        return made[-1][1]

    spaces = [vars(np.random), function.__globals__]
    places = [(space, word) for space in spaces for word, each in space.items() if each is real]
    with _replaced(places, watched):
        call(name, function, seed, *arguments)
    assert [given for given, _ in made] == [(seed,)], (
        f"{name} makes {len(made)} generators. Make one, by np.random.default_rng(seed), and let "
        "it serve all."
    )
    assert_drawn(name, made[0][1], lambda: real(seed), count)


def assert_drawn(name, generator, fresh, *counts):
    """Check that a generator has given so many normal numbers since it was like `fresh`.

    Args:
        name: of the answer, for the message.
        generator: a `numpy.random.Generator` after its use.
        fresh: function that makes another one, as the first was before.
        counts: of numbers; any of them is right.

    Raises:
        AssertionError: it has given more, fewer, or others.
    """
    for count in counts:
        other = fresh()
        other.normal(size=count)
        if generator.bit_generator.state == other.bit_generator.state:
            return
    raise AssertionError(
        f"{name} does not draw the {counts[0]} normal numbers that the text asks for. Are some "
        "drawn once and used twice, or drawn and not used, or from another distribution?"
    )


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
        AssertionError: no numbers, another shape, NaN or infinity, or too far off; that a result
            is nearly right is said, since then it is its precision that is wrong.
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
    nan, infinite = np.isnan(numbers).sum(), np.isinf(numbers).sum()
    assert not nan, f"{what}: {nan} of {numbers.size} numbers are NaN, such as 0 / 0 gives. {hint}"
    assert not infinite, f"{what}: {infinite} of {numbers.size} numbers are infinite. {hint}"
    largest = np.abs(expected).max(initial=0.0)
    error = np.abs(numbers - expected).max(initial=0.0) / (largest if largest > 1e-12 else 1.0)
    size = f"{error:.2g} of its size" if error < 1 else f"{error:.3g} times its size"
    near = "Nearly right: look at the precision (rounding, float32, differences). "
    assert error <= tolerance, f"{what}: wrong by {size}. {near if error < 1e-3 else ''}{hint}"
