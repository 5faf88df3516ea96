"""PyTorch's twin."""

import dataclasses

import numpy as np
import pytest

from sagan_experiments.speed import baselines, bench
from sagan_experiments.speed import case as cases

TINY = cases.case("16x4", batch=4)


def test_pytorchs_twin_has_our_parameters():
    pytest.importorskip("torch")
    from sagan_experiments.speed import baselines_torch

    for name, variant in (("torch", "article"), ("torch_tuned", "pooled")):
        case = dataclasses.replace(TINY, variant=variant)
        made = baselines_torch.build(name, case)
        ours = baselines.Contender(None, *baselines.our_networks(case)).parameters
        bench.check_parameters("torch", made.parameters, ours)
        before = [next(m.parameters()).clone() for m in (made.generator, made.discriminator)]
        assert all(np.isfinite(float(loss)) for loss in made.step())
        for old, model in zip(before, (made.generator, made.discriminator), strict=True):
            assert not old.equal(next(model.parameters()))
