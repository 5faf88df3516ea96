"""One contender of `bench` in a process of its own: its memory and its threads are its own."""

import math
import os
import time

from sagan_experiments.speed.case import AS_IT_COMES
from sagan_experiments.speed.memory import peak_memory

_made = []  # this process's one contender


def prepare(name, chosen, parameters):
    """Build a contender in this process and warm it up; gives what `turn` gives.

    Args:
        name: of the contender.
        chosen: a `case.Case`.
        parameters: how many ours trains; another number is refused by a ValueError.
    """
    # Before TensorFlow is imported. An empty value is none of its own: then it decides by itself.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "" if name.endswith(AS_IT_COMES) else "1"
    if name.startswith("torch"):
        from sagan_experiments.speed import baselines_torch as baselines
    else:
        from sagan_experiments.speed import baselines
    _made[:] = [baselines.build(name, chosen)]
    found = baselines.parameters(*_made[0][1:])
    if found != parameters:
        raise ValueError(f"{name} has {found} trainable parameters, ours has {parameters}")
    turn(1)  # compiles, and settles memory and caches
    return turn(1)


def turn(steps):
    """(seconds of a step, bytes of memory held at most) of the contender prepared here.

    Args:
        steps: how many are timed, after one that is not; the last is waited for.

    Raises:
        FloatingPointError: a loss is NaN or infinite.
    """
    step = _made[0].step
    list(map(float, step()))
    start = time.perf_counter()
    for _ in range(steps):
        losses = step()
    found = list(map(float, losses))
    seconds = (time.perf_counter() - start) / steps
    if not all(map(math.isfinite, found)):
        raise FloatingPointError(f"losses of D and G must be finite, got {found}")
    return seconds, peak_memory()
