"""The worker: steps are timed and waited for, and whatever fails is an answer."""

import dataclasses
import json
import subprocess
import sys

import pytest

from sagan_experiments.speed import case, worker


def test_a_step_is_timed_after_one_that_is_not():
    calls = []
    assert worker.timed(lambda: calls.append(1) or (0.5, 1.0), 3) > 0
    assert len(calls) == 1 + 3


def test_a_loss_that_is_not_finite_is_no_result():
    with pytest.raises(FloatingPointError, match="must be finite, got"):
        worker.timed(lambda: (float("nan"), 1.0), 1)


def test_a_contender_that_is_unknown_is_answered_in_one_line():
    """As its own process, because it takes the standard output for itself."""
    made = json.dumps(dataclasses.asdict(case.case("16x4", batch=4)))
    command = [sys.executable, "-m", "sagan_experiments.speed.worker", "jax", made]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert "contender must be one of" in json.loads(line)["failed"]
