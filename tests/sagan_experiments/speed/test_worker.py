"""The worker: steps are timed and waited for, equal networks only."""

import os

import pytest

from sagan_experiments.speed import baselines, case, worker

pytestmark = pytest.mark.full

TINY = case.case("16x4", batch=4)


def test_a_step_is_timed_after_one_that_is_not(monkeypatch):
    calls = []
    made = case.Contender(lambda: calls.append(1) or (0.5, 1.0), None, None)
    monkeypatch.setattr(worker, "_made", [made])
    seconds, memory = worker.turn(3)
    assert (len(calls), seconds > 0, memory > 2**20) == (1 + 3, True, True)
    monkeypatch.setattr(worker, "_made", [made._replace(step=lambda: (float("nan"), 1.0))])
    with pytest.raises(FloatingPointError, match="must be finite, got"):
        worker.turn(1)


@pytest.mark.parametrize(("name", "setting"), [("keras", "1"), ("keras_default", "")])
def test_onednn_is_on_or_left_to_tensorflow_and_the_networks_are_equal(name, setting, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "other")
    ours = baselines.parameters(*baselines.networks(TINY))
    assert worker.prepare(name, TINY, ours)[0] > 0
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == setting
    with pytest.raises(ValueError, match=f"{name} has {ours} trainable parameters, ours has 7"):
        worker.prepare(name, TINY, 7)
