"""Questions: each can be tried, says a positive sentence, and has an effect that favours it."""

import math

import pytest
from records import run

from sagan_experiments import trials, ways
from sagan_experiments.questions import QUARTER, QUESTIONS


def test_questions_ask_what_can_be_tried_and_say_a_positive_sentence():
    for name, question in QUESTIONS.items():
        for side in question.sides:
            assert side.partition(":")[0] in {*ways.WAYS, *ways.VARIANTS}, name
        assert question.limit > 0
        assert not question.same or question.limit == QUARTER, name
        assert question.answer.endswith(".")
        assert " not " not in question.answer, name
    asked = {side.partition(":")[0] for q in QUESTIONS.values() for side in q.sides}
    assert asked == {*ways.WAYS, *ways.VARIANTS}  # nothing is tried that nobody asks


def curve(*values, agreement=0.5):
    steps = [100 * (k + 1) for k in range(len(values))]
    return run(
        *values, live=2 * values[-1], raw=4 * values[-1], d_gap=1 - agreement,
        copies=1 - agreement, obeyed=agreement,
        agreement_curve=[[step, agreement] for step in steps],
        coverage_curve=[[step, 200 * agreement] for step in steps],
    )  # fmt: skip


def test_effects_are_positive_where_the_sentence_is_right():
    good, bad = curve(400, 90, 20, 20, agreement=0.9), curve(400, 200, 40, 40, agreement=0.4)
    for name, question in QUESTIONS.items():
        pair = (good, bad)[: len(question.sides)]
        assert question.effect(*pair) > 0, name
    assert QUESTIONS["sn-none"].effect(good, bad) == pytest.approx(math.log(2))
    assert QUESTIONS["attention-far"].effect(good, bad) == pytest.approx(0.5)
    assert QUESTIONS["averaging"].effect(good) == pytest.approx(math.log(2))
    assert QUESTIONS["few-copies"].effect(good, bad) == pytest.approx(0.5)
    assert QUESTIONS["label-variety"].effect(good, bad) == pytest.approx(math.log(0.9 / 0.4))
    assert QUESTIONS["label-obeyed"].effect(good, bad) == pytest.approx(0.5)
    never = curve(400, 300, 200, 150)
    assert QUESTIONS["ttur-soon"].effect(good, never) == pytest.approx(
        math.log(800 / trials.steps_to(good, 100))
    )
    gone = bad | {"diverged": True}
    for question in QUESTIONS.values():  # whatever is asked: a run that ends early has no score
        pair = len(question.sides) == 2
        assert question.compare(*[gone, gone][: 1 + pair]) == 0
        if pair:
            assert question.compare(good, gone) == math.inf
            assert question.compare(gone | {"curve": [[0, 9.0]]}, good) == -math.inf
    assert QUESTIONS["sn-none"].compare(good, bad) == pytest.approx(math.log(2))
