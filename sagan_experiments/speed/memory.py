"""Memory that the attention product takes: `python -m sagan_experiments.speed.memory --sides 64`.

A process of its own for each way, and maps that grow: a process's peak never goes down.
"""

import argparse
import resource
import sys
from pathlib import Path

from sagan_lib import checks


def peak_memory():
    """Bytes of main memory that this process has held at most."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would include what the parent held when it started this one
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def product_mib(sides, batch, method):
    """MiB that one product of 64 channels and its gradients add to the memory of this process.

    Args:
        sides: of feature maps, rising; an attention map is (side^2, side^2) for each image.
        batch: images.
        method: of `attend.attend`.

    Returns:
        [MiB] of each side.

    Raises:
        ValueError: not as told above; a smaller map would not show in the peak.
    """
    import tensorflow as tf  # here: a process that never needs it must not hold it

    from sagan_lib.attend import attend

    for side in sides:
        checks.integer("side", side, 1)
    if not sides or sorted(set(sides)) != list(sides):
        raise ValueError(f"sides must be rising numbers, got {list(sides)}")
    checks.integer("batch", batch, 1)

    @tf.function
    def work(queries, keys, values):
        with tf.GradientTape() as tape:
            tape.watch([queries, keys, values])
            total = tf.reduce_sum(attend(queries, keys, values, method) ** 2)
        return tape.gradient(total, [queries, keys, values])

    def inputs(batch, positions):
        return [tf.random.stateless_normal((batch, positions, c), (1, c)) for c in (8, 8, 64)]

    work(*inputs(1, 16))  # the libraries' own memory is taken before the count begins
    before, found = peak_memory(), []
    for side in sides:
        work(*inputs(batch, side**2))
        found.append((peak_memory() - before) / 2**20)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m sagan_experiments.speed.memory")
    parser.add_argument("--sides", type=int, nargs="+", required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--method", default="auto", choices=("auto", "dense", "chunked"))
    print(*(f"{mib:.1f}" for mib in product_mib(**vars(parser.parse_args()))))
