"""Far discs with attention and without: what is trained, how it is kept, and what was kept."""

import numpy as np
import pytest

from sagan_experiments import far


@pytest.mark.book
def test_a_run_is_looked_at_as_often_as_asked():
    found, samples = far.train("with", 1, steps=2, checkpoints=2)
    assert [step for step, _ in found["agreement"]] == [1, 2]
    assert len(found["related"]) == 2
    assert 0 < abs(found["g_gamma"]) < 0.1
    assert 0 < abs(found["d_gamma"]) < 0.1
    assert (samples.shape, samples.dtype) == ((far.SHOWN, 32, 32, 3), np.uint8)


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
