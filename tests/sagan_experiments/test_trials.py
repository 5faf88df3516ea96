"""Fair trials: the same search for every way, scored where the curve has levelled off."""

import itertools
import math

import numpy as np
import pytest

from sagan_experiments import arms, ledger, trials
from sagan_experiments.__main__ import main


def run(*distances, diverged=False):
    """A run whose curve has these Fréchet distances, at steps 100, 200, ..."""
    curve = [[100 * (k + 1), float(x)] for k, x in enumerate(distances)]
    return {"frechet": curve[-1][1], "live": 1.0, "steepness": 1.0, "outside": 0.0, "curve": curve,
            "diverged": diverged, "seconds_with_scores": 36.0}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return trials.open_store(tmp_path / "trials.json")


def fill_grid(store, way, of):
    for g_rate, d_rate in itertools.product(arms.RATES, arms.RATES):
        store.add("arms", arms.at_rates(way, g_rate, d_rate), 51, run(*4 * [of(g_rate, d_rate)]))


def test_quality_is_the_mean_of_the_last_half_and_not_the_last_value():
    assert trials.quality(run(900, 400, 20, 80)) == pytest.approx(math.log(40))
    assert trials.quality(run(900, 400, 100, 20, 80)) == pytest.approx(math.log(160_000) / 3)
    assert trials.quality(run(9, 9, diverged=True)) == math.inf


def test_how_soon_is_another_question():
    fast, good = run(90, 50, 50, 50), run(400, 200, 60, 20)
    assert trials.steps_to(fast, 100) == 100 < trials.steps_to(good, 100) == 300
    assert trials.quality(good) < trials.quality(fast)
    assert trials.steps_to(fast, 40) == math.inf


def test_every_way_has_the_same_trials_and_differs_in_its_rates_alone():
    assert len(arms.TRIALS) == len(arms.WAYS) * len(arms.RATES) ** 2
    for name, arm in arms.TRIALS.items():
        way = name.partition("@")[0]
        free = {"g_rate": 1.0, "d_rate": 1.0}
        assert vars(arm) | free == vars(arms.WAYS[way]) | free
        assert name == arms.at_rates(way, arm.g_rate, arm.d_rate)


def test_the_search_takes_the_grid_first_then_the_finalists_then_decides(store):
    first = trials.missing(["sn"], store)
    assert {seed for _, seed in first} == {51}
    assert len(first) == len(arms.RATES) ** 2
    with pytest.raises(ValueError, match="the search of 'sn' is not finished"):
        trials.best("sn", store)
    fill_grid(store, "sn", lambda g, d: 100 + abs(math.log(g / 1e-3)) + abs(math.log(d / 4e-3)))
    names = trials.finalists("sn", store)
    assert names[0] == "sn@0.001/0.004"
    assert len(names) == trials.FINALISTS
    assert sorted(trials.missing(["sn"], store)) == sorted((n, s) for n in names for s in (52, 53))
    for place, name in enumerate(names):  # the second of the grid is better on the other seeds
        for seed in (52, 53):
            store.add("arms", name, seed, run(*4 * [50 if place == 1 else 90]))
    assert trials.missing(["sn"], store) == []
    assert trials.best("sn", store) == names[1]


def test_a_run_that_diverged_is_never_among_the_good(store):
    fill_grid(store, "sn", lambda g, d: 100)
    store.add("arms", "sn@0.001/0.001", 51, run(1, 1, diverged=True))
    values = trials.grid("sn", store)
    assert np.isinf(values).sum() == 1
    assert "sn@0.001/0.001" not in trials.finalists("sn", store)
    fill_grid(store, "none", lambda g, d: 140 if g < d else 160)
    shares = trials.good_share(["sn", "none"], store)
    assert shares == {"sn": 24 / 25, "none": 10 / 25}
    with pytest.raises(ValueError, match=r"whole grids, got \['r1'\] without"):
        trials.good_share(["sn", "r1"], store)


def test_the_command_says_what_is_to_do_and_shows_the_grids(store, capsys):
    fill_grid(store, "sn", lambda g, d: 100)
    assert main(["trials", "plan", "sn", "--out", str(store.path)]) == 0
    said = capsys.readouterr().out
    assert "1 ways, 35 runs each of pictures of 32 pixels" in said
    assert "25 runs are done, 10 to do: about 0.1 core-hours" in said
    assert main(["trials", "list", "sn", "none", "--out", str(store.path)]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[1].split() == ["0.00025", *5 * ["100"]]
    assert lines[7].split() == ["0.00025", *5 * ["-"]]
    assert main(["trials", "run", "svd", "--out", str(store.path)]) == 2


def test_a_search_runs_to_its_end(tmp_path, monkeypatch):
    """With three rates and tiny runs in this process."""
    monkeypatch.setattr(arms, "RATES", (1e-3, 2e-3))
    monkeypatch.setattr(trials, "FINALISTS", 2)
    store, done = trials.open_store(tmp_path / "t.json"), []

    def instead(store, wanted, seeds, jobs, line):
        for _, name in wanted:
            done.append((name, *seeds))
            store.add("arms", name, seeds[0], run(*4 * [100 * arms.TRIALS[name].d_rate]))

    monkeypatch.setattr(trials, "fill", instead)
    found = trials.run(["r1"], store=store)
    assert found == {"r1": "r1@0.001/0.001"}
    assert [seed for _, seed in done] == 4 * [51] + 2 * [52] + 2 * [53]


@pytest.mark.full
def test_a_run_that_is_followed_keeps_its_curves_and_what_it_was_made_with(store):
    tiny = arms.Protocol(32, 4, 4, 4, 4, 40, 24, 30, checkpoints=2, follow=True,
                         first_weights="by layer")  # fmt: skip
    found = arms.run(arms.TRIALS["sn@0.001/0.001"], 51, tiny)
    for name in ("curve", "agreement_curve", "coverage_curve"):
        assert [step for step, _ in found[name]] == [2, 4]
    assert found["coverage"] == found["coverage_curve"][-1][1]
    assert found["library"] == arms.library() != ""
    store.add("arms", "sn@0.001/0.001", 51, found)
    assert trials.open_store(store.path).seeds("arms", "sn@0.001/0.001") == {51: found}


def test_the_pilot_shows_each_part_of_the_curve_by_its_own_mean(tmp_path, capsys):
    path = tmp_path / "pilot.json"
    store = ledger.open_store(path, "pilot")
    assert store.protocol.steps == 2 * arms.PROTOCOLS["fair"].steps
    for name in trials.PILOT:
        curve = [[300 * k, 400.0 if k < 3 else 50 * 4.0 ** (k % 2)] for k in range(1, 17)]
        store.add("arms", name, 51, run(1) | {"curve": curve})
    assert main(["trials", "pilot", "--out", str(path)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == [str(600 * k) for k in range(1, 9)]
    for name, row in zip(trials.PILOT, rows, strict=True):
        assert row.split() == [name, "400", *7 * ["100"]]
