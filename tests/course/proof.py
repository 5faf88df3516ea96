"""The tables wrong answer x test of all sets: `python tests/course/proof.py` writes them."""

import functools
import importlib
import itertools
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import shortcuts
from harness import SOURCES, Answer, ProblemSet

MADE = "% Made by tests/course/proof.py."
TABLES = SOURCES.parent / "matrix"
NAMES = tuple(sorted(path.stem[8:] for path in Path(__file__).parent.glob("answers_*.py")))


def answers(name):
    """The module with the answers to a problem set: WRONG and RIGHT, by problem."""
    return importlib.import_module(f"answers_{name}")


@functools.cache
def wrong(name):
    """{problem: (wrong `Answer`s)}: those of the module, then those of blind.toml."""
    with (Path(__file__).parent / "blind.toml").open("rb") as file:
        blind = tomllib.load(file)[name]
    return {
        problem: (*each, *(Answer(b["story"], b["code"], b["test"], b["says"])
                           for b in blind if b["problem"] == problem))
        for problem, each in answers(name).WRONG.items()
    }  # fmt: skip


@functools.cache
def problem_set(name, hidden=True):
    """The `ProblemSet` of that name."""
    return ProblemSet(name, hidden=hidden)


@functools.cache
def marks(name, problem, answer):
    """{test: None, or its error's sentence} of an answer to a problem; run once only."""
    problems = problem_set(name)
    return problems.run(problem, answer.code(problems.answers[problem]))


def seen(name, problem, answer):
    """Whether a test that a student can see finds an answer: a part of one that finds it does."""
    problems, found = problem_set(name, hidden=False), marks(name, problem, answer)
    code = answer.code(problems.answers[problem])
    return any(problems.run(problem, code, test)[test] for test, said in found.items() if said)


def matrix(name):
    """The table of one problem set as Markdown: a cross where a test found a wrong answer.

    A dagger is at those that no test finds which a student can see.
    """
    problems = problem_set(name)
    counts = [sum(map(len, each.values())) for each in (wrong(name), answers(name).RIGHT)]
    lines = [MADE, "", f"{counts[0]} wrong answers and {counts[1]} right ones.", ""]
    for problem, each in wrong(name).items():
        tests = [test for test, (owner, _) in problems.tests.items() if owner == problem]
        heads = [f"{test.partition('_test_')[2]} ({problems.points[test]})" for test in tests]
        lines += [f"**`{problem}`**", "", f"| Wrong answer | {' | '.join(heads)} |"]
        lines += ["|---|" + ":-:|" * len(tests)]
        for answer in each:
            found = marks(name, problem, answer)
            dagger = "" if seen(name, problem, answer) else " †"
            crosses = [
                ("**✗**" if test == answer.test else "✗") if found[test] else "" for test in tests
            ]
            lines.append(f"| {answer.story}{dagger} | {' | '.join(crosses)} |")
        lines.append("")
    return "\n".join(lines)


@functools.cache
def ways(name):
    """((problem, wrong answer), ...): the shortcuts to every problem of a set."""
    problems = problem_set(name)
    return tuple((p, each) for p in problems.answers for each in shortcuts.answers(problems, p))


def shortcut_table():
    """How many problems of each set were tried with each shortcut, and found it, as Markdown."""
    lines = [MADE, "", f"{sum(len(ways(name)) for name in NAMES)} wrong answers.", ""]
    lines += ["| Not their own work | " + " | ".join(NAMES) + " | What the student is told |"]
    lines.append("|---|" + ":-:|" * len(NAMES) + "---|")
    for story in itertools.chain(shortcuts.WAYS, shortcuts.NO_FUNCTIONS):
        cells, said = [], ""
        for name in NAMES:
            tried = [(p, each) for p, each in ways(name) if each.story == story]
            sentences = [marks(name, p, each)[each.test] for p, each in tried]
            cells.append(f"{sum(map(bool, sentences))} of {len(tried)}")
            said = said or sentences[0].partition(": ")[2]
        lines.append(f"| {story} | {' | '.join(cells)} | {said} |")
    return "\n".join(lines) + "\n"


def table():
    """The table of all problem sets, for students."""
    lines = [MADE, "", "| Problem set | You write | Points: tests, essays |", "|---|---|---|"]
    for name in NAMES:
        each = problem_set(name)
        written = ", ".join(f"`{problem}`" for problem in each.answers)
        lines.append(f"| {each.title} | {written} | {sum(each.points.values())}, {each.essays} |")
    return "\n".join(lines) + "\n"


def files():
    """{file in assignments/matrix/: its text}, all made anew."""
    each = {f"{problem_set(name).name}.md": matrix(name) for name in NAMES}
    return each | {"summary.md": table(), "shortcuts.md": shortcut_table()}


if __name__ == "__main__":
    TABLES.mkdir(exist_ok=True)
    for file, text in files().items():
        (TABLES / file).write_text(text)
        print(file)
