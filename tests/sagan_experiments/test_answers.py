"""What the fair trials say, on the ledger's page and as a table."""

import csv
import dataclasses
import io
import itertools
import json
import math

import pytest
from records import run

from sagan_experiments import answers, questions, trials, ways


@pytest.fixture
def store(tmp_path):
    """All ways searched; SN and R1 at their best rates with five seeds, R1 a third better."""
    store, data = trials.open_store(tmp_path / "fair.json"), {}
    for way, g_rate, d_rate in itertools.product(ways.WAYS, ways.RATES, ways.RATES):
        best = g_rate == 2e-3 and d_rate == 1e-3
        runs = {str(seed): level(40 if best else 90) for seed in trials.TUNING}
        name = ways.at_rates(way, g_rate, d_rate)
        data[name] = {"arm": dataclasses.asdict(ways.TRIALS[name]), "seeds": runs}
    for seed in range(1, 6):
        data["sn@0.002/0.001"]["seeds"][str(seed)] = level(60 + seed)
        data["r1@0.002/0.001"]["seeds"][str(seed)] = level(40 + seed / 2)
    store.path.write_text(json.dumps(store.data | {"arms": data}))
    return trials.open_store(store.path)


def level(distance, **values):
    return run(*16 * [distance], live=1.2 * distance, raw=9.0 * distance, **values)


def test_only_questions_with_a_whole_look_are_answered(store):
    found = answers.answered(store)
    assert list(found) == ["sn-r1", "r1-soon", "averaging", "raw-inference"]
    assert found["sn-r1"].verdict == "holds"
    assert list(answers.answered(store, "04_ttur")) == ["averaging"]
    store.add("arms", "dcgan@0.002/0.001", 1, level(70))  # a part of a look
    assert "sn-dcgan" not in answers.answered(store)


def test_the_page_says_each_answer_its_rates_and_what_is_still_asked(store):
    text, unfolded = answers.part(store)
    decided = [each for each in answers.answered(store).values() if each.verdict != "undecided"]
    assert 0 < len(decided) < 4
    assert f"4 of {len(questions.QUESTIONS)} questions have had a look so far" in text
    assert f"and {len(decided)} of these have a verdict." in text
    assert "Between seeds" not in text  # two ways were not run with seeds
    (row,) = (line for line in text.splitlines() if "`fair:sn-r1`" in line)
    assert "| 20 and 10 |" in row
    assert row.endswith("| **holds** |")
    waiting = [line[2:] for line in text.splitlines() if line.startswith("- A")]
    assert questions.QUESTIONS["attention-faces"].answer in waiting
    assert questions.QUESTIONS["sn-r1"].answer not in waiting
    shown = unfolded["fair:sn-r1"]
    assert shown["limit"] == "above 1.20x"
    assert len(shown["seeds"]) == 5
    assert shown["seeds"][0] == f"{61 / 40.5:.2f}x"


def test_an_open_answer_says_how_many_seeds_the_next_look_has(store):
    for seed, times in zip(range(1, 6), (0.7, 2.5, 1.1, 1.6, 0.9), strict=True):
        store.add("arms", "r1@0.002/0.001", seed, level(60 / times))
    text, _ = answers.part(store)
    (row,) = (line for line in text.splitlines() if "`fair:sn-r1`" in line)
    assert row.endswith("| **undecided** (a look at 10 seeds to come) |")


def test_a_run_that_diverged_is_told_as_that(store):
    store.add("arms", "sn@0.002/0.001", 3, level(60, diverged=True))
    text, unfolded = answers.part(store)
    assert "one side diverged in 1 of 5 seeds" in text
    assert unfolded["fair:sn-r1"]["seeds"][2] == "diverged"
    store.add("arms", "r1@0.002/0.001", 4, level(60, diverged=True))  # once each: no mean
    row = answers.part(store)[1]["fair:sn-r1"]["row"]
    assert row == [-answers.FAR, 0, answers.FAR]


def test_how_much_scores_spread_is_told_once_all_ways_had_a_look(store):
    with pytest.raises(ValueError, match="was not run with seeds"):
        answers.spreads(store)
    for way, seed in itertools.product(("none", "dcgan"), range(1, 6)):
        store.add("arms", f"{way}@0.002/0.001", seed, run(50) | {"live": 50 * 2.0 ** (seed % 2)})
    assert answers.spreads(store)["frechet"] == answers.spreads(store)["half"] < 0.05
    noisy = math.log(2) * math.sqrt(0.3) / 2 + answers.spreads(store)["half"]
    assert answers.spreads(store)["live"] == pytest.approx(noisy, rel=1e-6)
    (said,) = (line for line in answers.part(store)[0].splitlines() if "Between seeds" in line)
    assert f"spreads by {answers.spreads(store)['half']:.2f} " in said
    store.add("arms", "none@0.002/0.001", 1, run(50, diverged=True))
    assert "Between seeds" not in answers.part(store)[0]


def test_the_table_has_every_question_with_every_seed_of_those_answered(store):
    rows = {row["question"]: row for row in csv.DictReader(io.StringIO(answers.table(store)))}
    assert list(rows) == list(questions.QUESTIONS)
    assert rows["bn"]["verdict"] == "not run"
    one = rows["sn-r1"]
    assert one["trials"] == "r1@0.002/0.001 sn@0.002/0.001"
    effects = [float(x) for x in one["effects"].split()]
    expected = [math.log((60 + seed) / (40 + seed / 2)) for seed in range(1, 6)]
    assert effects == pytest.approx(expected, rel=1e-5)
