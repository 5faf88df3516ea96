"""Fair verdicts: the rule wherever an interval can be, three looks, checks that do not vote."""

import itertools
import math

import numpy as np
import pytest
from records import run

from sagan_experiments import trials, verdicts, ways
from sagan_experiments.__main__ import main
from sagan_experiments.questions import Question
from sagan_experiments.verdicts import FAILS, HOLDS, OPEN, OPPOSITE, SAME

BETTER = Question("a is better", "01_dcgan", ("a", "b"), None, "x", limit=0.2)
ALIKE = Question("a is like b", "01_dcgan", ("a", "b"), None, "x", limit=0.2, same=True)


@pytest.mark.parametrize(
    ("low", "high", "better", "alike"),
    [
        (0.3, 0.5, HOLDS, OPPOSITE),
        (0.1, 0.3, OPEN, OPEN),
        (-0.1, 0.1, SAME, HOLDS),
        (0.05, 0.1, SAME, HOLDS),
        (-0.3, 0.3, OPEN, OPEN),
        (-0.3, -0.1, FAILS, OPEN),
        (-0.5, -0.3, OPPOSITE, OPPOSITE),
    ],
)
def test_the_rule(low, high, better, alike):
    assert verdicts.verdict(BETTER, low, high) == better
    assert verdicts.verdict(ALIKE, low, high) == alike


def spread(mean, sd, count):
    """Effects of seeds 1 to `count` with exactly this mean and deviation."""
    values = np.random.default_rng(1).normal(size=count)
    values = (values - values.mean()) / values.std(ddof=1)
    return dict(zip(range(1, count + 1), mean + sd * values, strict=True))


def test_a_look_needs_all_its_seeds_and_the_next_comes_where_one_is_open():
    assert verdicts.decide(BETTER, (), spread(1, 0.1, 4)).verdict == OPEN
    clear = verdicts.decide(BETTER, (), spread(1, 0.1, 20))
    assert (clear.verdict, len(clear.values)) == (HOLDS, 5)
    first = spread(0.3, 0.2, 5)
    assert verdicts.decide(BETTER, (), first).verdict == OPEN
    assert len(verdicts.decide(BETTER, (), first | dict.fromkeys(range(6, 10), 0.3)).values) == 5
    second = verdicts.decide(BETTER, (), first | dict.fromkeys(range(6, 20), 0.3))
    assert (second.verdict, len(second.values)) == (OPEN, 10)
    last = verdicts.decide(BETTER, (), first | dict.fromkeys(range(6, 21), 0.3))
    assert (last.verdict, len(last.values)) == (HOLDS, 20)
    assert last.mean == pytest.approx(0.3)


def test_the_interval_is_students_and_as_sure_as_three_looks_need():
    found = verdicts.decide(BETTER, (), spread(1.0, 0.2, 5))
    half = 3.9608 * 0.2 / math.sqrt(5)  # t of 4 degrees of freedom, 99.17 %
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half), rel=1e-3)
    assert str(found).endswith("n = 5)")


def test_a_run_that_diverged_decides_nothing_and_hides_nothing():
    found = verdicts.decide(BETTER, (), spread(1, 0.1, 4) | {5: math.inf})
    assert (found.verdict, found.mean, found.open) == (OPEN, math.inf, False)
    assert str(found) == "one side diverged in 1 of 5 seeds"
    assert str(verdicts.decide(BETTER, (), spread(1, 0.1, 4))) == "not run"
    with pytest.raises(ValueError, match="effect of seed 3 must be a number"):
        verdicts.decide(BETTER, (), {3: math.nan})


def test_the_checks_say_where_they_see_it_otherwise_and_do_not_vote():
    clear = verdicts.decide(BETTER, (), spread(1, 0.1, 5))
    assert clear.doubts() == []
    assert clear.sign_test() == pytest.approx(2 / 2**5)
    low, high = clear.bootstrap()
    assert clear.low < low < clear.mean < high < clear.high  # percentiles are narrower
    few = {seed: 9.0 if seed < 3 else 0.3 for seed in range(1, 11)}  # two carry it all
    skewed = verdicts.Answer(BETTER, (), few, 2.0, 0.25, 4.0, HOLDS)
    assert skewed.sign_test() < 0.05
    mixed = verdicts.Answer(BETTER, (), spread(0.0, 1.0, 10), 0.5, 0.3, 0.7, HOLDS)
    assert any("sign test" in doubt for doubt in mixed.doubts())
    assert any("bootstrap" in doubt for doubt in mixed.doubts())


def test_an_answer_runs_searches_then_seeds_then_more_if_needed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ways, "RATES", (1e-3, 2e-3))
    monkeypatch.setattr(trials, "FINALISTS", 2)
    store, asked = trials.open_store(tmp_path / "t.json"), []

    def instead(store, wanted, seeds, jobs, line):
        asked.append((sorted({name.partition("@")[0] for _, name in wanted}), tuple(seeds)))
        for _, name in wanted:
            for seed in seeds:
                value = 50 if name.startswith("dcgan") else 45 + 10 * (seed % 2)
                store.add("arms", name, seed, run(value, value))

    monkeypatch.setattr(trials, "fill", instead)
    monkeypatch.setattr(verdicts, "fill", instead)
    assert "rates not chosen yet" in verdicts.table(["sn-dcgan"], store)
    found = verdicts.run(["sn-dcgan"], store=store)["sn-dcgan"]
    looks = [seeds for _, seeds in asked if seeds[0] not in trials.TUNING]
    assert looks == [tuple(range(1, 6)), tuple(range(1, 11))]
    assert found.verdict == SAME
    assert set(found.values) == set(range(1, 11))
    assert main(["questions", "list", "sn-dcgan", "--out", str(store.path)]) == 0
    assert SAME in capsys.readouterr().out
    assert main(["questions", "list", "what", "--out", str(store.path)]) == 2


def test_where_each_way_ends_is_over_the_first_seeds_at_its_best_rates(tmp_path, monkeypatch):
    monkeypatch.setattr(ways, "RATES", (1e-3, 2e-3))
    store = trials.open_store(tmp_path / "t.json")
    kept = {"steepness": 1.0, "outside": 0.0, "seconds_with_scores": 1.0, "diverged": False}
    for number, way in enumerate(ways.WAYS):
        with pytest.raises(ValueError, match=f"the search of '{way}' is not finished"):
            verdicts.ends(store)
        for g_rate, d_rate in itertools.product(ways.RATES, repeat=2):
            best = (g_rate, d_rate) == (1e-3, 2e-3)
            for seed in (*trials.TUNING, *(range(1, 11) if best else ())):
                value = 10.0 * (1 + number) * (1 if best else 2) * (9 if 5 < seed < 50 else 1)
                run = kept | {"curve": [[1, value], [2, value]], "frechet": value, "live": value}
                store.add("arms", ways.at_rates(way, g_rate, d_rate), seed, run)
    ends = verdicts.ends(store)
    assert list(ends.values()) == pytest.approx([10, 20, 30, 40])
    partial = trials.open_store(tmp_path / "p.json")
    for pair in itertools.product(ways.RATES, repeat=2):
        for way, seed in itertools.product(ways.WAYS, trials.TUNING):
            partial.add("arms", ways.at_rates(way, *pair), seed, run)
        for seed in trials.TUNING:
            partial.add("arms", ways.at_rates(way, g_rate, d_rate), seed, run)
    with pytest.raises(ValueError, match=r"was not run with seeds \[1, 2, 3, 4, 5\]"):
        verdicts.ends(partial)
