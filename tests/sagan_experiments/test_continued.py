"""Few pictures of a new kind: what goes on from what, and what was kept."""

import dataclasses

import numpy as np
import pytest
from records import TINY

from sagan_experiments import arms, continued, ways
from sagan_lib.finetune import freeze

TINY = dataclasses.replace(TINY, steps=2, first_weights="by layer", follow=True)


@pytest.mark.full
@pytest.mark.usefixtures("eager")
def test_both_kinds_that_go_on_begin_with_one_trained_pair_and_the_other_does_not():
    began = {kind: continued.train(kind, 1, 2, 2, TINY) for kind in continued.KINDS}
    firsts = {kind: found["frechet"][0] for kind, (found, _) in began.items()}
    assert firsts["on"] == firsts["frozen"] != firsts["anew"]
    for found, samples in began.values():
        assert [step for step, _ in found["frechet"]] == [0, 1, 2]
        assert [step for step, _ in found["share"]] == [0, 1, 2]
        assert 0 <= found["copies"] <= 1
        assert (samples.shape, samples.dtype) == ((continued.SHOWN, 32, 32, 3), np.uint8)


def test_the_arms_differ_in_where_they_begin_and_what_is_frozen_alone():
    anew, on, frozen = (ways.arm(name) for name in continued.KINDS.values())
    assert dataclasses.replace(anew, continues=True) == on
    assert dataclasses.replace(on, frozen=2) == frozen
    assert (anew.hair, anew.pictures) == ("red", 100)
    net = arms.networks_of(anew, TINY)[1]
    freeze(net, frozen.frozen)
    kernels = [layer for layer in net.layers if hasattr(layer, "kernel")]
    assert [layer.trainable for layer in kernels] == [False, False, True, True]


def test_what_comes_with_the_book_says_what_chapter_8_says():
    record, samples = continued.stored()
    assert record["runs"].keys() == samples.keys() == continued.KINDS.keys()
    assert all(images.shape == (continued.SHOWN, 32, 32, 3) for images in samples.values())
    ends = {kind: [run["frechet"][-1][1] for run in runs.values()]
            for kind, runs in record["runs"].items()}  # fmt: skip
    assert all(ends.values()), "each kind was run"
    assert 2 * max(ends["on"]) < min(ends["anew"])
    assert max(ends["on"]) < min(ends["frozen"]) < min(ends["anew"])
