"""How much memory the attention product takes: python -m sagan_lib.peak --side 64 --method dense.

A process of its own for each measurement: the peak of a process's memory never goes down.
"""

import argparse

import tensorflow as tf

from sagan_lib import attention, checks
from sagan_lib.bench_child import peak_memory


def product_mib(side, batch, channels=64, method="auto"):
    """MiB that one product and its gradients add to the memory of this process.

    Args:
        side: of the feature map; the attention map is (side^2, side^2) for each image.
        batch: images. channels: of the values; queries and keys have an eighth of them.
        method: of `attention.attend`.
    """
    checks.integer("side", side, 1)
    checks.integer("batch", batch, 1)
    checks.integer("channels", channels, 8)

    @tf.function
    def work(queries, keys, values):
        with tf.GradientTape() as tape:
            tape.watch([queries, keys, values])
            total = tf.reduce_sum(attention.attend(queries, keys, values, method) ** 2)
        return tape.gradient(total, [queries, keys, values])

    def inputs(batch, positions):
        sizes = (channels // 8, channels // 8, channels)
        return [tf.random.stateless_normal((batch, positions, c), (1, c)) for c in sizes]

    work(*inputs(1, 16))  # the libraries' own memory is taken before the count begins
    before = peak_memory()
    work(*inputs(batch, side**2))
    return (peak_memory() - before) / 2**20


def main(argv=None):
    """Print one measurement."""
    parser = argparse.ArgumentParser("python -m sagan_lib.peak", description=__doc__)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--method", default="auto", choices=attention.METHODS)
    args = parser.parse_args(argv)
    print(f"{product_mib(args.side, args.batch, args.channels, args.method):.1f}")


if __name__ == "__main__":
    main()
