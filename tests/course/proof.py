"""Which test finds which wrong answer: `python tests/course/proof.py ps2` prints the table.

The bold cross is the test that must. A dagger is at what no test finds that a student can see.
`python tests/course/proof.py ps2 0 199` prints what a set's own answers fail with these seeds.
"""

import functools
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import ProblemSet


def answers(name):
    """The module with the answers to a problem set: WRONG and RIGHT, by problem."""
    return importlib.import_module(f"answers_{name}")


@functools.cache
def problem_set(name, hidden=True):
    """The `ProblemSet` of that name."""
    return ProblemSet(name, hidden=hidden)


def marks(name, problem, answer, hidden=True, only=None):
    """{test: None, or its error's sentence} of an answer to a problem; `only` names one test."""
    problems = problem_set(name, hidden)
    return problems.run(problem, answer.code(problems.answers[problem]), only)


def seeds(name, first, last):
    """Print each test that a set's own answers fail with one of these seeds; how many fail none."""
    passed = 0
    for seed in range(int(first), int(last) + 1):
        failed = {test: said for test, said in ProblemSet(name, seed).solved().items() if said}
        passed += not failed
        for test, said in failed.items():
            print(f"{name}, seed {seed}: {test}: {said}")
    print(f"{name}: {passed} of {int(last) - int(first) + 1} seeds pass")


def table(name):
    """Print which test of a set finds which wrong answer."""
    problems = problem_set(name)
    for problem, each in answers(name).WRONG.items():
        tests = [test for test, (owner, _) in problems.tests.items() if owner == problem]
        heads = [f"{test.partition('_test_')[2]} ({problems.points[test]})" for test in tests]
        print(f"\n**`{problem}`**\n\n| Wrong answer | {' | '.join(heads)} |")
        print("|---|" + ":-:|" * len(tests))
        for answer in each:
            found, seen = (marks(name, problem, answer, hidden) for hidden in (True, False))
            crosses = [("**✗**" if test == answer.test else "✗") if found[test] else ""
                       for test in tests]  # fmt: skip
            dagger = "" if any(seen.values()) else " †"
            print(f"| {answer.story}{dagger} | {' | '.join(crosses)} |")


if __name__ == "__main__":
    (seeds if sys.argv[2:] else table)(*sys.argv[1:])
