"""Figures of fair trials: every number and verdict is in them, and what is missing is said."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from records import run

from sagan_experiments import figures, trials, verdicts, ways
from sagan_experiments.questions import Question

RATES = (1e-3, 4e-3)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Grids of two by two, but for DCGAN's; the pair (4e-3, 4e-3) of R1 diverged."""
    monkeypatch.setattr(ways, "RATES", RATES)
    store = trials.open_store(tmp_path / "trials.json")
    for name, factor in (("sn", 1), ("r1", 1.4), ("none", 4)):
        for g in RATES:
            for d in RATES:
                value = 40.0 * factor * (2 if g > d else 1)
                found = run(value, value, diverged=name == "r1" and g == d == 4e-3)
                for seed in trials.TUNING:
                    store.add("arms", ways.at_rates(name, g, d), seed, found)
    return store


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_a_map_has_each_pair_and_frames_the_good_ones(store):
    with pytest.raises(ValueError, match=r"whole grids, got \['dcgan'\] without"):
        figures.rate_maps(store, ["sn"])
    for pair in itertools.product(RATES, RATES):
        name = ways.at_rates("sn", *pair)
        store.add("arms", ways.at_rates("dcgan", *pair), 51, store.seeds("arms", name)[51])
    figure = figures.rate_maps(store, ["sn", "r1"])
    sn, r1 = figure.axes
    assert texts(sn) == ["40", "40", "80", "40"]  # rows of G's rate, from the low one up
    assert texts(r1) == ["56", "56", "112", "-"]
    assert (len(sn.patches), len(r1.patches)) == (3, 2)
    assert sn.get_title() == "SN, hinge: 75 % good"
    assert r1.get_title() == "R1, cross-entropy: 50 % good"
    plt.close(figure)


def test_curves_have_every_checkpoint_and_say_the_rates(store):
    names = [ways.at_rates("sn", 1e-3, 1e-3), ways.at_rates("sn", 1e-3, 4e-3),
             ways.at_rates("r1", 4e-3, 1e-3)]  # fmt: skip
    figure = figures.curves(store, names)
    (axis,) = figure.axes
    assert [line.get_label() for line in axis.lines] == [
        "SN, hinge: 10 and 10", "SN, hinge: 10 and 40", "R1, cross-entropy: 40 and 10"]  # fmt: skip
    assert [line.get_linestyle() for line in axis.lines] == ["-", "--", "-"]
    assert list(axis.lines[2].get_ydata()) == [112, 112]
    plt.close(figure)
    with pytest.raises(ValueError, match=r"got 'dcgan@0[.]001/0[.]001' without"):
        figures.curves(store, ["dcgan@0.001/0.001"])


def answer(says, mean, spread=0.05, limit=0.2, same=False):
    question = Question(says, "01_dcgan", ("sn", "r1"), None, "x", limit, same)
    values = dict(zip(range(1, 6), mean + spread * np.linspace(-1, 1, 5), strict=True))
    return verdicts.decide(question, (), values)


def test_a_forest_says_each_sentence_its_verdict_and_shows_every_seed():
    answers = {
        "a": answer("It is so.", 0.6), "b": answer("It is otherwise.", -0.6),
        "c": answer("It is the same.", 0.0, same=True), "d": answer("It is far.", 3.0),
    }  # fmt: skip
    figure = figures.forest(answers)
    (axis,) = figure.axes
    said = texts(axis)
    assert said[::2] == ["It is so.", "It is otherwise.", "It is the same.", "It is far."]
    assert said[1::2] == [f"holds: {math.exp(0.6):.2f}x",
                          f"the opposite holds: {math.exp(-0.6):.2f}x", "holds: 1.00x",
                          f"holds: {math.exp(3):.0f}x"]  # fmt: skip
    marks = [line for line in axis.lines if line.get_marker() in "o<>"]
    assert sum(len(line.get_xdata()) for line in marks) == 20
    beyond = [line.get_xdata()[0] for line in marks if line.get_marker() == ">"]
    assert beyond == 5 * [figures.FAR + 0.15]
    plt.close(figure)
    values = dict.fromkeys(range(1, 5), 0.1) | {5: math.inf}
    figure = figures.forest({"f": verdicts.decide(answers["a"].question, (), values)})
    assert texts(figure.axes[0])[1] == "undecided: one side diverged in 1 of 5 seeds"
    plt.close(figure)
    with pytest.raises(ValueError, match="got 'e' without"):
        figures.forest({"e": verdicts.decide(answers["a"].question, (), {})})
