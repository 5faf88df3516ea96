"""Far discs with attention and without: what is trained, how it is kept, and what was kept."""

import numpy as np
import pytest

from sagan_experiments import far
from sagan_experiments.__main__ import main


@pytest.mark.book
def test_a_run_is_looked_at_as_often_as_asked():
    found, samples = far.train("with", 1, steps=2, checkpoints=2)
    assert [step for step, _ in found["agreement"]] == [1, 2]
    assert len(found["related"]) == 2
    assert 0 < abs(found["g_gamma"]) < 0.1
    assert 0 < abs(found["d_gamma"]) < 0.1
    assert (samples.shape, samples.dtype) == ((far.SHOWN, 32, 32, 3), np.uint8)


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match="kind must be one of"):
        far.train("both", 1)
    with pytest.raises(ValueError, match="steps must be a multiple of 3, got 4"):
        far.train("with", 1, steps=4, checkpoints=3)


def test_what_is_stored_is_not_trained_again(tmp_path, monkeypatch, capsys):
    asked = []

    def train(kind, seed):
        if asked and asked[-1] is None:
            raise KeyboardInterrupt
        asked.append((kind, seed))
        shade = 10 * seed + list(far.KINDS).index(kind)
        return {"agreement": [[1, 0.5]]}, np.full((far.SHOWN, 32, 32, 3), shade, np.uint8)

    monkeypatch.setattr(far, "train", train)
    path = tmp_path / "far.json"
    assert far.run(path, (1,), "first") == path
    assert main(["far", "--out", str(path)]) == 0
    assert asked == [(kind, seed) for seed in far.SEEDS for kind in far.KINDS]
    record, samples = far.stored(path)
    assert record["command"] == f"python -m sagan_experiments far --out {path}"
    for kind in far.KINDS:
        assert list(map(int, record["runs"][kind])) == list(far.SEEDS)
    assert [int(images.min()) for images in samples.values()] == [10, 11]
    path.unlink()
    asked.append(None)
    assert main(["far", "--out", str(path)]) > 128
    assert "what is done is kept" in capsys.readouterr().err


def test_what_comes_with_the_book_says_what_chapter_3_says():
    record, samples = far.stored()
    assert set(record["runs"]) == set(samples) == set(far.KINDS)
    assert all(images.shape == (far.SHOWN, 32, 32, 3) for images in samples.values())
    ends = {
        kind: [run["agreement"][-1][1] for run in runs.values()]
        for kind, runs in record["runs"].items()
    }
    assert len(ends["with"]) == len(ends["without"]) == len(far.SEEDS)
    assert max(ends["without"]) < 0.1 < min(ends["with"])
