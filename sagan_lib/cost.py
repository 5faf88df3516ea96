"""What a network costs: counted operations and memory, measured rates, the plan of a run."""

import math
import time
from dataclasses import dataclass

import tensorflow as tf

from sagan_lib import checks
from sagan_lib.attend import keeps_map

#: Share of the measured matmul rate that a training step of these nets reaches: seen, on two
#: cores, between 0.2 and 0.5. It turns counted operations into a rough time.
EFFICIENCY = 0.3


def forward_flops(model):
    """Floating-point operations of one forward pass for one image: the matrix products'.

    Args:
        model: a functional model. A layer that has `flops()` is asked; else its kernel is counted.
    """
    total = 0
    for layer in model.layers:
        if hasattr(layer, "flops"):
            total += layer.flops()
        elif hasattr(layer, "kernel"):
            transposed = "Transpose" in type(layer).__name__
            shape = layer.input.shape if transposed else layer.output.shape
            total += 2 * math.prod(layer.kernel.shape) * math.prod(shape[1:-1])
    return total


def activation_bytes(model, batch_size=1):
    """Bytes of all layers' outputs, each in its dtype; attention's float32 map if it is kept whole.

    Args:
        model: a functional model.
        batch_size: images.
    """
    checks.integer("batch_size", batch_size, 1)
    outputs = [layer.output for layer in model.layers]
    found = sum(math.prod(x.shape[1:]) * tf.as_dtype(x.dtype).size for x in outputs)
    for layer in model.layers:
        if hasattr(layer, "map_shape"):
            shape = layer.map_shape()
            if keeps_map(batch_size, *shape, layer.method):
                found += 4 * 2 * math.prod(shape)  # scores and weights
    return batch_size * found


def matmul_rate(size=1024, seconds=0.2):
    """Measured float32 operations a second of a square matrix product on this device.

    Args:
        size: side of the matrices.
        seconds: to measure for.
    """
    checks.integer("size", size, 1)
    checks.number("seconds", seconds, 0, open_low=True)
    a = tf.random.stateless_normal((size, size), (1, 2))
    return 2 * size**3 / best_time(lambda x: tf.matmul(x, x), a, seconds)


def best_time(function, x, seconds):
    """Shortest time of one call in seconds, over as many calls as fit; the first is not timed.

    Args:
        function: of one tensor; it is compiled.
        x: the tensor.
        seconds: to measure for.
    """
    compiled = tf.function(function)
    compiled(x).numpy()
    best, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        compiled(x)[(0,) * x.shape.rank].numpy()  # one number: waits, and copies next to nothing
        best = min(best, time.perf_counter() - start)
    return best


@dataclass(frozen=True)
class Plan:
    """What a run will take: printed before training. Bytes and seconds are estimates."""

    parameters: int
    step_flops: int
    memory_bytes: int
    seconds: float

    def __str__(self):
        time_text = f"{self.seconds / 60:.0f} min" if self.seconds > 99 else f"{self.seconds:.0f} s"
        gib = self.memory_bytes / 2**30
        memory = f"{gib:.1f} GiB" if gib >= 0.1 else f"{1024 * gib:.0f} MiB"
        return (
            f"{self.parameters / 1e6:.2f} M parameters, {self.step_flops / 1e9:.1f} GFLOP a step, "
            f"about {memory} and {time_text} on this machine"
        )


def plan(generator, discriminator, batch_size, steps, n_dis=1):
    """Parameters, memory and time of a run, from counted operations and the measured rate.

    A D step runs G forward on a batch and D forward and backward (twice the work) on two; a G
    step runs G forward and backward and D forward and backward to its input only.

    Args:
        generator: functional model.
        discriminator: functional model.
        batch_size: real images in a D step.
        steps: G updates.
        n_dis: D steps for each G step.

    Returns:
        A `Plan`; printed, it is a sentence.

    Raises:
        TypeError, ValueError: the networks are no pair, or a count is less than 1.
    """
    check_pair(generator, discriminator)
    for name, value in (("batch_size", batch_size), ("steps", steps), ("n_dis", n_dis)):
        checks.integer(name, value, 1)
    g, d = forward_flops(generator), forward_flops(discriminator)
    flops = batch_size * (n_dis * (g + 6 * d) + 3 * g + 2 * d)
    weights = generator.count_params() + discriminator.count_params()
    seconds = steps * flops / (EFFICIENCY * matmul_rate())
    return Plan(weights, flops, memory_bytes(generator, discriminator, batch_size), seconds)


def check_pair(generator, discriminator):
    """Refuse two networks that are no pair.

    Args:
        generator: functional model.
        discriminator: functional model, of what the generator gives.

    Raises:
        TypeError: one of them is no functional model.
        ValueError: they do not fit each other.
    """
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        checks.network(name, network)
    takes, gives = discriminator.inputs[0].shape, generator.output_shape
    if takes != gives:
        raise ValueError(f"discriminator takes {takes}, generator gives {gives}")
    labels = [[x.shape[1:] for x in network.inputs[1:]] for network in (generator, discriminator)]
    if labels[0] != labels[1]:
        raise ValueError(f"generator and discriminator must take the same labels, got {labels}")


def memory_bytes(generator, discriminator, batch_size):
    """About how many bytes a training step holds, beside what TensorFlow itself takes.

    Args:
        generator: functional model.
        discriminator: functional model.
        batch_size: real images in a D step.
    """
    checks.integer("batch_size", batch_size, 1)
    # D's step holds real and fake together; G's step a batch in both.
    kept = max(activation_bytes(discriminator, 2 * batch_size),
               activation_bytes(generator, batch_size)
               + activation_bytes(discriminator, batch_size))  # fmt: skip
    weights = generator.count_params() + discriminator.count_params()
    return 2 * kept + 4 * 6 * weights  # activations and their gradients; Adam, EMA
