"""Fair trials: the same search for every way, scored where the curve has levelled off."""

import itertools
import math

import numpy as np
import pytest
from records import run

from sagan_experiments import arms, ledger, trials, ways
from sagan_experiments.__main__ import main


@pytest.fixture
def store(tmp_path):
    return trials.open_store(tmp_path / "trials.json")


def fill_grid(store, way, of, seeds=trials.TUNING):
    for g_rate, d_rate, seed in itertools.product(ways.RATES, ways.RATES, seeds):
        found = run(*4 * [of(g_rate, d_rate)], seconds_with_scores=36.0)
        store.add("arms", ways.at_rates(way, g_rate, d_rate), seed, found)


def test_quality_is_the_mean_of_the_last_half_and_not_the_last_value():
    assert trials.quality(run(900, 400, 20, 80)) == pytest.approx(math.log(40))
    assert trials.quality(run(900, 400, 100, 20, 80)) == pytest.approx(math.log(160_000) / 3)
    assert trials.quality(run(9, 9, diverged=True)) == math.inf


def test_how_soon_is_another_question():
    fast, good = run(90, 50, 50, 50), run(400, 200, 60, 20)
    assert trials.steps_to(fast, 100) == 100  # its first checkpoint: no earlier one is known
    assert trials.steps_to(good, 60) == 300
    assert 200 < trials.steps_to(good, 100) < 300
    assert trials.steps_to(good, math.sqrt(200 * 60)) == pytest.approx(250)
    assert trials.quality(good) < trials.quality(fast)
    assert trials.steps_to(fast, 40) == math.inf


def test_a_search_takes_all_pairs_once_the_best_again_and_the_mean_decides(store):
    pairs = len(ways.RATES) ** 2
    assert [seed for _, seed in trials.missing(["sn"], store)] == pairs * [51]
    assert trials.raced("sn", store) == []
    fill_grid(store, "sn", lambda g, d: 100 + abs(math.log(g / 1e-3)), seeds=[51])
    lucky, sure = "sn@0.002/0.001", "sn@0.002/0.004"
    for name, value in ((lucky, 39), (sure, 41)):
        store.add("arms", name, 51, run(*4 * [value]))
    again = trials.missing(["sn"], store)
    assert [name for name, _ in again] == trials.raced("sn", store)
    assert len(again) == trials.RACE
    assert again[:2] == [(lucky, 52), (sure, 52)]
    assert trials.candidates("sn", store) == []
    with pytest.raises(ValueError, match="the search of 'sn' is not finished"):
        trials.best("sn", store)
    for name, seed in again:
        store.add("arms", name, seed, run(*4 * [{lucky: 204, sure: 38}.get(name, 90)]))
    store.add("arms", "sn@0.0005/0.0005", 52, run(*4 * [1]))  # not in the race
    assert trials.missing(["sn"], store) == []
    names = trials.candidates("sn", store)
    assert len(names) == trials.FINALISTS
    assert trials.best("sn", store) == names[0] == sure
    assert np.exp(trials.grid("sn", store)[2, 1]) == pytest.approx(39)
    assert np.isnan(trials.grid("sn", store, trials.TUNING)[3, 3])
    fill_grid(store, "sn", lambda g, d: 70, seeds=[52])
    assert np.exp(trials.grid("sn", store, trials.TUNING)[2, 1]) == pytest.approx((39 * 70) ** 0.5)


def test_a_variant_chooses_among_its_ways_best_pairs_by_the_first_seed(store):
    assert trials.missing(["sn_bce"], store) == []  # its way comes first
    fill_grid(store, "sn", lambda g, d: 100 * d / g)
    mine = trials.candidates("sn_bce", store)
    assert [ways.rates_of(x) for x in mine] == [ways.rates_of(x) for x in
                                                trials.candidates("sn", store)]  # fmt: skip
    assert trials.missing(["sn_bce"], store) == [(name, 51) for name in mine]
    for name in mine:
        store.add("arms", name, 51, run(*4 * [50 if name == mine[2] else 90]))
    store.add("arms", mine[0], 52, run(*4 * [1]))  # asks nobody
    assert trials.best("sn_bce", store) == mine[2]


def test_a_ratio_has_its_own_best_pair(store):
    with pytest.raises(ValueError, match="the search of 'sn:4' is not finished"):
        trials.best("sn:4", store)
    wanted = trials.missing(["sn:4"], store)
    assert wanted == [(f"sn@{pair}", seed) for seed in trials.TUNING
                      for pair in ("0.0005/0.002", "0.001/0.004")]  # fmt: skip
    fill_grid(store, "sn", lambda g, d: 100 + 1e3 * abs(g - 5e-4))
    assert trials.best("sn:4", store) == "sn@0.0005/0.002"
    assert trials.best("sn:0.25", store) == "sn@0.002/0.0005"
    fill_grid(store, "sn", lambda g, d: 100 + 1e3 * g)  # two pairs each: the rim does not count
    assert trials.best("sn:1", store) == "sn@0.001/0.001"
    with pytest.raises(ValueError, match="ratio must be one of the grid's, got 3"):
        trials.best("sn:3", store)
    for name in ("sn@0.0005/0.002", "sn@0.001/0.004"):
        store.add("arms", name, 51, run(1, 1, diverged=True))
    with pytest.raises(ValueError, match="all candidates of 'sn:4' diverged"):
        trials.best("sn:4", store)


def test_a_run_that_diverged_is_never_among_the_good(store):
    fill_grid(store, "sn", lambda g, d: 100)
    store.add("arms", "sn@0.001/0.001", 51, run(1, 1, diverged=True))
    values = trials.grid("sn", store)
    assert np.isinf(values).sum() == 1
    assert "sn@0.001/0.001" not in trials.candidates("sn", store)
    fill_grid(store, "none", lambda g, d: 140 if g < d else 160)
    with pytest.raises(ValueError, match=r"whole grids, got \['r1', 'dcgan'\] without"):
        trials.good_share(store)
    for way in ("r1", "dcgan"):
        fill_grid(store, way, lambda g, d: 151)
    assert trials.good_share(store) == {"sn": 15 / 16, "none": 6 / 16, "r1": 0, "dcgan": 0}


def test_the_command_says_what_is_to_do_and_shows_the_grids(store, capsys):
    fill_grid(store, "sn", lambda g, d: 100, seeds=[51])
    assert main(["trials", "plan", "sn", "--out", str(store.path)]) == 0
    said = capsys.readouterr().out
    assert "1 searches, of pictures of 32 pixels" in said
    assert "16 runs are done, 5 to do: about 0.1 core-hours" in said
    assert main(["trials", "plan", "sn_d", "--out", str(store.path)]) == 0  # its way comes first
    assert "16 runs are done, 8 to do" in capsys.readouterr().out
    assert main(["trials", "list", "sn", "none", "--out", str(store.path)]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[1].split() == ["0.0005", *4 * ["100"]]
    assert lines[6].split() == ["0.0005", *4 * ["-"]]
    heads = [line.split("0.")[0].strip() for line in lines[::5]]
    assert heads == ["sn, 51", "sn, 52", "none, 51", "none, 52"]
    assert main(["trials", "run", "svd", "--out", str(store.path)]) == 2


def test_a_search_runs_to_its_end_and_its_way_before_it(tmp_path, monkeypatch):
    """With two rates, and numbers in place of runs."""
    monkeypatch.setattr(ways, "RATES", (1e-3, 2e-3))
    monkeypatch.setattr(trials, "RACE", 3)
    monkeypatch.setattr(trials, "FINALISTS", 2)
    store, done = trials.open_store(tmp_path / "t.json"), []

    def instead(store, wanted, seeds, jobs, line):
        for _, name in wanted:
            done.append((name.partition("@")[0], *seeds))
            store.add("arms", name, seeds[0], run(*4 * [100 * ways.TRIALS[name].d_rate]))

    monkeypatch.setattr(trials, "fill", instead)
    assert trials.run(["r3gan"], store=store) == {"r3gan": "r3gan@0.001/0.001"}
    assert done == 4 * [("r1", 51)] + 3 * [("r1", 52)] + 2 * [("r3gan", 51)]


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
