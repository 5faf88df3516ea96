"""Where a training step spends its time, by TensorFlow's own profiler.

It writes down when each operation ran, on every thread; name and type say to which part it belongs.
"""

import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import tensorflow as tf

from sagan_lib import checks

#: Part of a step -> what the names of its operations look like ("layers/name:Type"); the first that
#: fits counts. The gradient of a layer has its name, too.
PARTS = {
    "averaged generator": r"^(.*/)?average/",
    "optimizer": r"^(.*/)?optimizer/",
    "attention": r"attention|BatchMatMul|Softmax",
    "batch normalization": r"(^|/)bn\d+|BatchNorm",
    "convolutions": r":.*Conv2D",
    "spectral normalization": r"(^|/)(up|down)\d[^:]*:|(to_rgb|project|score)[^:]*/(truediv|norm)",
    "dense layers": r":.*MatMul",
    "the rest": r":",
}


def part_of(operation):
    """The key of `PARTS` that an operation belongs to; None for what is none of the step's.

    Args:
        operation: "name:Type", as the profiler calls it.
    """
    if ":" not in operation or "::" in operation or operation.startswith("Eager"):
        return None
    return next(name for name, looks in PARTS.items() if re.search(looks, operation))


def parts(step, repeats=10):
    """({part: processor seconds a step, over all threads}, seconds a step by the clock).

    Args:
        step: does one training step; warm.
        repeats: steps to look at.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    checks.integer("repeats", repeats, 1)
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            started = time.perf_counter()
            for _ in range(repeats):
                step()
            clock = (time.perf_counter() - started) / repeats
        space = xplane_pb2.XSpace()
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    found = Counter(dict.fromkeys(PARTS, 0.0))
    for plane in space.planes:
        names = {key: part_of(each.name) for key, each in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                if names.get(event.metadata_id):
                    found[names[event.metadata_id]] += event.duration_ps / 1e12 / repeats
    return dict(found), clock


def table(found, clock):
    """What `parts` gives as text, largest first: milliseconds of the processor, and shares."""
    total = sum(found.values())
    ordered = sorted(found.items(), key=lambda each: -each[1])
    lines = [f"{name:24} {1e3 * s:8.1f} ms {s / total:6.1%}" for name, s in ordered]
    whole = f"{'all, on all cores':24} {1e3 * total:8.1f} ms; by the clock {1e3 * clock:.1f} ms"
    return "\n".join([*lines, whole])
