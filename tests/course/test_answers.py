"""The graders, proved: every wrong answer loses its points and is told why; right ones pass."""

import re

import proof
import pytest
from harness import SOURCES, ProblemSet, variants

pytestmark = pytest.mark.full

SETS = {name: proof.problem_set(name) for name in proof.NAMES}
RIGHT = [(n, p, a) for n in SETS for p, each in proof.answers(n).RIGHT.items() for a in each]
WRONG = [(n, p, a) for n in SETS for p, each in proof.wrong(n).items() for a in each]
SHORTCUTS = [(n, p, a) for n in SETS for p, a in proof.ways(n)]


def _id(case):
    return case if isinstance(case, str) else re.sub(r"\W+", "-", case.story)


@pytest.mark.parametrize(("name", "problem", "answer"), RIGHT, ids=_id)
def test_right_answer_gets_all_points(name, problem, answer):
    marks = proof.marks(name, problem, answer)
    assert marks
    assert not any(marks.values()), marks


@pytest.mark.parametrize(("name", "problem", "answer"), [*WRONG, *SHORTCUTS], ids=_id)
def test_wrong_answer_loses_the_points_of_its_test(name, problem, answer):
    marks = proof.marks(name, problem, answer)
    said = marks[answer.test]
    assert said, f"{answer.test} did not find it: {marks}"
    assert said.startswith("AssertionError: "), f"no sentence for a student: {said}"
    assert answer.says in said


def test_there_are_six_hundred_wrong_answers_and_no_two_are_one():
    kinds = {(name, problem, answer.changes) for name, problem, answer in [*WRONG, *SHORTCUTS]}
    assert len(kinds) == len(WRONG) + len(SHORTCUTS) >= 600


@pytest.mark.parametrize("name", SETS)
def test_enough_answers_and_each_test_has_one(name):
    wrong, right = proof.wrong(name), proof.answers(name).RIGHT
    problems = {problem for problem, _ in SETS[name].tests.values()}
    assert set(wrong) == set(right) == set(SETS[name].answers) == problems
    assert min(map(len, wrong.values())) >= 12
    assert min(map(len, right.values())) >= 3
    assert {a.test for each in wrong.values() for a in each} == set(SETS[name].tests)
    stories = [a.story for each in (*wrong.values(), *right.values()) for a in each]
    assert len(stories) == len(set(stories))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("seed", range(1, 6))
def test_the_model_passes_with_other_seeds(name, seed):
    varied = ProblemSet(name, seed)
    for problem, code in varied.answers.items():
        assert not any(varied.run(problem, code).values()), problem


@pytest.mark.parametrize("name", SETS)
def test_last_years_answers_lose_points_under_another_seed(name):
    for seed in range(1, len(variants.of(SETS[name].name)) + 1):
        varied, lost = ProblemSet(name, seed), 0
        for problem, code in SETS[name].answers.items():  # the solutions of seed 0
            marks = varied.run(problem, code)
            lost += sum(varied.points[test] for test, said in marks.items() if said)
        assert lost >= 10, f"variant {seed} costs a copy {lost} points"


@pytest.mark.parametrize("name", SETS)
def test_the_matrix_in_the_repository_is_this_one(name):
    path = proof.TABLES / f"{SETS[name].name}.md"
    assert path.read_text() == proof.matrix(name), "run python tests/course/proof.py"


@pytest.mark.parametrize(("file", "table"), [
    ("summary.md", proof.table), ("shortcuts.md", proof.shortcut_table),
])  # fmt: skip
def test_the_tables_of_all_sets_are_these(file, table):
    assert (proof.TABLES / file).read_text() == table(), "run python tests/course/proof.py"


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_100_points(name):
    assert sum(SETS[name].points.values()) + SETS[name].essays == 100


def test_each_set_has_its_answers():
    assert [each.name for each in SETS.values()] == sorted(
        path.name for path in SOURCES.glob("ps*")
    )
