"""PyTorch's twin."""

import pytest

from sagan_experiments.speed import baselines, case, worker


@pytest.mark.parametrize("name", ["torch", "torch_tuned"])
def test_pytorchs_twin_has_our_parameters_and_trains(name):
    pytest.importorskip("torch")
    from sagan_experiments.speed import baselines_torch

    tiny = case.case("16x4", batch=4)
    assert worker.prepare(name, tiny, baselines.parameters(*baselines.networks(tiny)))[0] > 0
    step, *nets = baselines_torch.build(name, tiny)
    before = [next(net.parameters()).clone() for net in nets]
    step()
    assert not any(old.equal(next(x.parameters())) for old, x in zip(before, nets, strict=True))
