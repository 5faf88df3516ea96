"""The tests of a problem set, run in this process on values that come from the answers' process.

Nothing of a student's is executed here: the tests' names for answers are `Remote`s, and what comes
back is plain numbers. So no answer can read what a test expects, or change a test.
"""

import ast
import warnings

from sagan_lib.book.classroom import Remote


def defined(code):
    """The names of the functions and classes that a cell defines at its top level."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [each.name for each in ast.parse(code).body if isinstance(each, kinds)]


class Marker:
    """Runs a set's given cells and tests.

    Args:
        answers: sources of the answers' cells, as the course has them.
        ask: takes the text of a question to the answers' process, and gives the text of its reply.
    """

    def __init__(self, answers, ask):
        self._ask, self._space = ask, {"__name__": "__main__"}
        for name in (name for code in answers for name in defined(code)):
            self._space[name] = Remote(name, ask)

    def give(self, code):
        """Run a given cell here, too; what it marks as `beside_answers` runs where these are."""
        exec(compile(code, "given", "exec"), self._space)
        for name in defined(code):
            if hasattr(self._space[name], "beside_answers"):
                self._space[name] = Remote(name, self._ask)

    def test(self, code):
        """None if a test passes, or the sentence of its error; its own names stay its own."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(compile(code, "test", "exec"), dict(self._space))
        except Exception as error:
            kind = type(error).__name__
            first = (str(error).splitlines() or [""])[0][:600]
            return first if isinstance(error, AssertionError) else f"{kind}: {first}"
        return None
