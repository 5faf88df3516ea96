"""Real pictures, as they are and changed: what is trained, and what was kept."""

import dataclasses
import signal

import numpy as np
import pytest
from PIL import Image

from sagan_experiments import own
from sagan_experiments.__main__ import main


@pytest.fixture
def folder(tmp_path):
    """40 pictures of noise."""
    folder, rng = tmp_path / "pictures", np.random.default_rng(0)
    folder.mkdir()
    for k in range(40):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / f"{k}.png")
    return folder


def test_both_differ_in_what_d_is_shown_alone(folder):
    plain, changed = (own.recipe(kind, 1, folder) for kind in own.KINDS)
    assert dataclasses.replace(plain, augment="color,translation,cutout") == changed
    with pytest.raises(ValueError, match="kind must be one of"):
        own.recipe("both", 1, folder)


@pytest.mark.full
@pytest.mark.usefixtures("eager")
def test_the_command_trains_what_a_reader_would_and_each_once(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(own, "SEEDS", (1,))
    monkeypatch.setattr(own, "STEPS", 2)
    path = tmp_path / "own.json"
    for _ in range(2):
        assert main(["own", "--data", str(folder), "--out", str(path)]) == 0
        monkeypatch.setattr(own, "train", None)  # the second time nothing is left to train
    record, samples = own.stored(path)
    for kind, runs in record["runs"].items():
        assert samples[kind].shape == (own.SHOWN, 32, 32, 3)
        assert [step for step, _ in runs["1"]["gap"]] == [1, 2]
        assert (runs["1"]["images"], runs["1"]["held_out"]) == (36, 4)
        assert 0 <= runs["1"]["copies"]["value"] <= 1
    assert record["command"].startswith("python -m sagan_experiments own --data ")


def test_ctrl_c_is_told_as_that(folder, tmp_path, monkeypatch, capsys):
    def stopped(*_, **__):
        raise own.keep.Stopped(signal.SIGINT, 812)

    monkeypatch.setattr(own.runs, "train", stopped)
    assert main(["own", "--data", str(folder), "--out", str(tmp_path / "own.json")]) == 130
    assert "what is done is kept" in capsys.readouterr().err


def test_what_comes_with_the_book_is_not_taken_for_a_readers_own(folder, capsys):
    assert main(["own", "--data", str(folder)]) == 2
    assert "own32.json has runs on other pictures" in capsys.readouterr().err


def test_what_comes_with_the_book_says_what_its_page_says():
    record, samples = own.stored()
    assert samples.keys() == own.KINDS.keys()
    gaps = {kind: [run["gap"][-1][1] for run in runs.values()]
            for kind, runs in record["runs"].items()}  # fmt: skip
    assert {len(each) for each in gaps.values()} == {len(own.SEEDS)}
    assert max(gaps["changed"]) < 0.5 < 2 < min(gaps["plain"])
