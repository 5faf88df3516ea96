"""The sets' tests, proved: wrong answers lose points and are told why, right ones lose none."""

import re

import forbidden
import proof
import pytest
from harness import NAMES, SOURCES, ProblemSet, variants

SETS = {name: proof.problem_set(name) for name in NAMES}
RIGHT = [(n, p, a) for n in SETS for p, each in proof.answers(n).RIGHT.items() for a in each]
WRONG = [(n, p, a) for n in SETS for p, each in proof.answers(n).WRONG.items() for a in each]


#: Kinds of honest answers, each by what one has: a grader of names and words would take points.
KINDS = {
    "own parameters": r"def \w+\([^)]*\w=",
    "other names of parameters": r"def __call__\(self, W, start",
    "type annotations": r"-> np\.ndarray",
    "float32": r'"float32"|np\.float32',
    "statistics.mean": r"statistics\.mean\(",
    "own imports": r"^import (math|itertools|operator)$",
    "try": r"^ +try:",
    "an assert": r"^ +assert ",
    "lambda": r"^\w+ = lambda ",
    "a dataclass": "@dataclass",
    "a named tuple": r"\(NamedTuple\)|namedtuple\(",
    "a generator": r"^ +yield ",
    "match": r"^ +match ",
    "methods of any name": r"    def (call|close)\(",
    "a method called softmax": r"    def softmax\(self",
    "a layer's name": r'super\(\).__init__\(name="attention"\)',
    "prints gradient": r'print\(f?"gradient',
    "row by row": r"for row in ",
    "vectorized": r"einsum\(",
    "recursion": r"power_iteration\(matrix, u, rounds - 1\)",
    "in place on a copy": r"\.copy\(\)",
    "an early return": r"^ +return .*\n    \S",
    "lists": r"\.tolist\(\)$",
    "tensors": r"tf\.cast\(",
    "letters of another script": "σ",
    "a run of its own": r'__name__ == "__main__"',
}


def _id(case):
    return str(case) if isinstance(case, str | int) else re.sub(r"\W+", "-", case.story)


def tiers(cases, kept="ps2"):
    """One set's in `make test`, all in `make test-all`."""
    marks = {True: pytest.mark.book, False: pytest.mark.full}
    return [pytest.param(*case, marks=marks[case[0] == kept], id="-".join(map(_id, case)))
            for case in cases]  # fmt: skip


@pytest.mark.parametrize(("name", "problem", "answer"), tiers(RIGHT))
def test_right_answer_gets_all_points(name, problem, answer):
    marks = proof.marks(name, problem, answer)
    assert marks
    assert not any(marks.values()), marks


@pytest.mark.parametrize(("name", "problem", "answer"), tiers(WRONG))
def test_wrong_answer_loses_the_points_of_its_test(name, problem, answer):
    said = proof.marks(name, problem, answer, only=answer.test)[answer.test]
    assert said, f"{answer.test} did not find it"
    assert answer.says in said


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_honest_answer_is_among_the_right_ones(kind):
    codes = [answer.code(SETS[name].answers[problem]) for name, problem, answer in RIGHT]
    assert any(re.search(KINDS[kind], code, re.MULTILINE) for code in codes)


@pytest.mark.parametrize(("name", "problem"), [(n, p) for n in SETS for p in SETS[n].answers])
def test_no_right_answer_is_told_to_the_teacher(name, problem):
    words = {*SETS[name].without[problem], *forbidden.ALWAYS}
    model = SETS[name].answers[problem]
    for code in (model, *(each.code(model) for each in proof.answers(name).RIGHT[problem])):
        lines = forbidden.named(code)
        assert lines
        assert not words & {*lines}


@pytest.mark.full
@pytest.mark.parametrize("name", SETS)
def test_numbers_drawn_at_random_lose_all_that_the_experiment_is_worth(name):
    guess = "\n\nmodel = experiment\n\n\ndef experiment(seed, *rest):\n    "
    guess += "return np.random.default_rng(seed).uniform(0.9, 1.1) * model(seed, *rest)"
    text = (SOURCES / SETS[name].name / f"{SETS[name].name}.py").read_text()
    worth = int(re.search(r"^# ## 4\..*\b(\d+) for `experiment`", text, re.MULTILINE)[1])
    marks = SETS[name].run("experiment", SETS[name].answers["experiment"] + guess)
    assert sum(SETS[name].points[test] for test, said in marks.items() if said) == worth


@pytest.mark.parametrize("name", SETS)
def test_enough_answers_and_each_test_has_one(name):
    wrong, right = proof.answers(name).WRONG, proof.answers(name).RIGHT
    problems = {problem for problem, _ in SETS[name].tests.values()}
    assert set(wrong) == set(right) == set(SETS[name].answers) == problems
    assert min(map(len, wrong.values())) >= 12
    assert min(map(len, right.values())) >= 3
    assert {a.test for each in wrong.values() for a in each} == set(SETS[name].tests)
    stories = [a.story for each in (*wrong.values(), *right.values()) for a in each]
    assert len(stories) == len(set(stories))


@pytest.mark.parametrize(("name", "seed"), tiers([(n, s) for n in SETS for s in (1, 2, 24, 199)]))
def test_the_model_passes_with_other_seeds(name, seed):
    assert {test: said for test, said in ProblemSet(name, seed).solved().items() if said} == {}


@pytest.mark.full
@pytest.mark.parametrize("name", SETS)
def test_last_years_answers_lose_points_under_another_seed(name):
    for seed in range(1, len(variants.of(SOURCES / SETS[name].name)) + 1):
        varied, lost = ProblemSet(name, seed), 0
        for problem, code in SETS[name].answers.items():  # the solutions of seed 0
            marks = varied.run(problem, code)
            lost += sum(varied.points[test] for test, said in marks.items() if said)
        assert lost >= 10, f"variant {seed} costs a copy {lost} points"


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_100_points_and_says_what_each_problem_s_are_for(name):
    assert sum(SETS[name].points.values()) + SETS[name].essays == 100
    text = (SOURCES / SETS[name].name / f"{SETS[name].name}.py").read_text()
    heads = re.findall(r"^# ## \d\. .*\((\d+) points:? ?(.*)\)$", text, re.MULTILINE)
    assert len(heads) == 5
    for total, parts in heads[:4]:
        of_each = [int(n) for n in re.findall(r"\b(\d+) for", parts)]
        assert sum(of_each) * (5 if "for each function" in parts else 1) == int(total)


@pytest.mark.parametrize("name", SETS)
def test_the_page_for_students_has_the_sets_as_they_are(name):
    page = (SOURCES.parents[1] / "chapters" / "problem_sets.md").read_text()
    written = ", ".join(f"`{problem}`" for problem in SETS[name].answers)
    points = f"{sum(SETS[name].points.values())}, {SETS[name].essays}"
    assert f"| {SETS[name].title} | {written} | {points} |" in page
