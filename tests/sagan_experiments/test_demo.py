"""Demonstrations: each run is made once, kept at once, and its samples are those of the first."""

import json

import numpy as np
import pytest

from sagan_experiments import continued, demo, far
from sagan_experiments.__main__ import main

KINDS = ("with", "without")


def shade(kind, seed):
    return 10 * seed + KINDS.index(kind)


def test_what_is_stored_is_not_made_again_and_a_stop_loses_one_run(tmp_path):
    asked, path = [], tmp_path / "some.json"

    def train(kind, seed):
        if (kind, seed) == stop:
            raise KeyboardInterrupt
        asked.append((kind, seed))
        return {"n": shade(kind, seed)}, np.full((3, 8, 8, 3), shade(kind, seed), np.uint8)

    stop = ("without", 2)
    with pytest.raises(KeyboardInterrupt):
        demo.run(path, KINDS, (1e-3, 4e-3), (1, 2), train, "first")
    assert json.loads(path.read_text())["command"] == "first"
    stop = None
    assert demo.run(path, KINDS, (1e-3, 4e-3), (1, 2), train, "second") == path
    assert asked == [(kind, seed) for seed in (1, 2) for kind in KINDS]
    record, samples = demo.stored(path, KINDS, 3)
    assert record["rates"] == [1e-3, 4e-3]
    assert record["command"] == "second"
    assert record["runs"] == {
        kind: {str(seed): {"n": shade(kind, seed)} for seed in (1, 2)} for kind in KINDS
    }
    for kind in KINDS:
        np.testing.assert_array_equal(samples[kind], np.full((3, 8, 8, 3), shade(kind, 1)))


@pytest.mark.parametrize(("name", "of"), [("far", far), ("continued", continued)])
def test_a_command_makes_each_run_once_and_a_stop_says_how_to_go_on(
    name, of, tmp_path, monkeypatch, capsys
):
    asked, path = [], tmp_path / "some.json"

    def train(kind, seed):
        asked.append((kind, seed))
        if len(asked) == 4:
            raise KeyboardInterrupt
        return {"n": 0}, np.zeros((of.SHOWN, 32, 32, 3), np.uint8)

    monkeypatch.setattr(of, "train", train)
    assert [main([name, "--out", str(path)]) for _ in range(3)] == [130, 0, 0]
    assert "what is done is kept" in capsys.readouterr().err
    wanted = [(kind, seed) for seed in of.SEEDS for kind in of.KINDS]
    assert asked == wanted[:4] + wanted[3:]
    record, samples = of.stored(path)
    assert record["command"] == f"python -m sagan_experiments {name} --out {path}"
    assert samples.keys() == of.KINDS.keys()


@pytest.mark.parametrize("train", [far.train, continued.train])
def test_wrong_calls_are_refused(train):
    with pytest.raises(ValueError, match="kind must be one of"):
        train("both", 1)
    with pytest.raises(ValueError, match="steps must be a multiple of 3, got 4"):
        train("on" if train is continued.train else "with", 1, steps=4, checkpoints=3)


def test_runs_of_other_rates_are_refused(tmp_path):
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"rates": [1, 2], "runs": {}}))
    with pytest.raises(ValueError, match=r"has runs of rates \[1, 2\], these have \[3, 4\]"):
        demo.run(path, KINDS, (3, 4), (1,), None)
    with pytest.raises(FileNotFoundError):
        demo.stored(tmp_path / "other.json", KINDS, 3)


def test_runs_on_other_pictures_are_refused_and_a_kind_that_came_later_is_trained(tmp_path):
    asked, path = [], tmp_path / "some.json"

    def train(kind, seed):
        asked.append(kind)
        return {}, np.zeros((3, 8, 8, 3), np.uint8)

    for kinds in (KINDS[:1], KINDS):
        demo.run(path, kinds, (3, 4), (1,), train, pictures="birds")
    assert asked == list(KINDS)
    for others in ("owls", None):
        with pytest.raises(ValueError, match=r"some\.json has runs on other pictures"):
            demo.run(path, KINDS, (3, 4), (1,), train, pictures=others)
