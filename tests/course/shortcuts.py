"""Answers that are not the student's own work, in the same ways for every problem.

Each way gets its result from a library, from the test or out of sight. None may get a point from a
test that looks at the function.
"""

import re

from harness import Answer

_LIBRARY = "from sagan_lib.spectral_norm import exact_sigma\n"

#: A way -> (code before, expression of the result, a word that the student is told).
WAYS = {
    "the library's function, out of a list": (
        _LIBRARY + "TOOLS = [exact_sigma]", "TOOLS[0](*a)", "of sagan_lib"),
    "the library's function, out of a dictionary in a class": (
        _LIBRARY + "class Tools:\n    each = {'it': (exact_sigma,)}", "Tools.each['it'][0](*a)",
        "of sagan_lib"),
    "the library's function, through two helpers": (
        _LIBRARY + "def one(*a):\n    return exact_sigma(*a)\ndef two(*a):\n    return one(*a)",
        "two(*a)", "of sagan_lib"),
    "the library's function, bound by partial": (
        "import functools\n" + _LIBRARY + "part = functools.partial(exact_sigma)", "part(*a)",
        "of sagan_lib"),
    "the library's function, in an object that is called": (
        _LIBRARY + "class Doer:\n    def __call__(self, *a):\n        return exact_sigma(*a)\n"
        "doer = Doer()", "doer(*a)", "of sagan_lib"),
    "the library's function, as an attribute of an object": (
        _LIBRARY + "class Box:\n    pass\nbox = Box()\nbox.it = exact_sigma", "box.it(*a)",
        "of sagan_lib"),
    "the library's function under another name": (
        "from sagan_lib.spectral_norm import exact_sigma as mine", "mine(*a)", "of sagan_lib"),
    "the library's module under another name": (
        "import sagan_lib.spectral_norm as numbers", "numbers.exact_sigma(*a)", "of sagan_lib"),
    "the library, fetched by importlib": (
        "import importlib", "importlib.import_module('sagan' + '_lib.ttur')", "hides what"),
    "the library, fetched by __import__": (
        "", "__import__('sagan' + '_lib')", "uses __import__, which hides"),
    "what the test expects, by its name": ("", "expected", "stopped with NameError"),
    "what the test expects, from globals()": ("", "globals()['expected']", "uses globals, which"),
    "what the test expects, from the caller's frame": (
        "import sys", "sys._getframe(3).f_globals['expected']", "uses _getframe, which hides"),
    "what the test expects, by inspect": (
        "import inspect", "inspect.stack()[3].frame.f_globals['expected']", "which hides what"),
    "what the test expects, from an error's frames": (
        "def frame():\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n"
        "        return error.__traceback__.tb_frame", "frame().f_back.f_back.f_back.f_globals",
        "which hides what"),
    "what the test expects, from IPython": (
        "", "get_ipython().user_ns['expected']", "uses get_ipython, which hides"),
    "what the test expects, from all objects there are": (
        "import gc", "gc.get_objects()[-1]", "uses gc, which hides"),
    "code in a string": ("", "eval('1 + 1')", "uses eval, which hides"),
    "a function by its spelled name": (
        "import numpy as np", "getattr(np.linalg, 'no' + 'rm')(*a)", "uses getattr, which hides"),
    "a function out of a module's dictionary": (
        "import numpy as np", "np.linalg.__dict__['no' + 'rm'](*a)", "uses __dict__, which hides"),
    "a file": ("", "open('solution.txt').read()", "uses open, which hides"),
    "prepared results, unpickled": (
        "import pickle", "pickle.loads(b'I1\\n.')", "uses pickle, which hides"),
}  # fmt: skip

#: What is not even a function -> (code, a word that the student is told).
NO_FUNCTIONS = {
    "the library's function itself": (_LIBRARY + "NAME = exact_sigma", "sagan_lib's own"),
    "a function bound by partial": (
        "import functools\nNAME = functools.partial(NAME)", "must be a function or class"),
    "an object that can be called": (
        "class Doer:\n    def __call__(self, *a):\n        return 1\nNAME = Doer()",
        "must be a function or class"),
    "a function of Python's own": ("NAME = max", "must be a function or class"),
    "a function of numpy's": ("import numpy as np\nNAME = np.mean", "numpy's own"),
    "a number": ("NAME = 3.0", "must be a function or class"),
    "nothing": ("NAME = None", "NAME is None"),
}  # fmt: skip


def looked_at(problems, problem):
    """(the first test of a problem, the name of the function that it looks at)."""
    test, code = next((t, c) for t, (owner, c) in problems.tests.items() if owner == problem)
    return test, re.search(r'own_work\("(\w+)"', code).group(1)


def _instead(model, name, before, expression):
    """The model's code with one function, or its class's call, that gives an expression."""
    if f"class {name}" in model:
        new = (f"class {name}({name}):\n    def call(self, *a, training=False):\n"
               f"        return {expression}")  # fmt: skip
    else:
        new = f"def {name}(*a, **options):\n    return {expression}"
    return f"{model}\n\n{before}\n\n{new}\n"


def answers(problems, problem):
    """The wrong `Answer`s to a problem: every way, and everything that is no function."""
    test, name = looked_at(problems, problem)
    model = problems.answers[problem]
    for story, (before, expression, says) in WAYS.items():
        yield Answer(story, _instead(model, name, before, expression), test, says)
    for story, (code, says) in NO_FUNCTIONS.items():
        yield Answer(story, f"{model}\n\n{code}\n".replace("NAME", name), test,
                     says.replace("NAME", name))  # fmt: skip
