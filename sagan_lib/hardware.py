"""What this machine can do: scale, GPU settings, several devices, a plan before a long run."""

import contextlib
import functools
import math
import os
import time
from dataclasses import dataclass

import keras
import tensorflow as tf

from sagan_lib import checks
from sagan_lib.attention import SelfAttention, keeps_map

#: Share of the measured matmul rate that a training step of these nets reaches: seen, on two
#: cores, between 0.2 and 0.5. It turns counted operations into a rough time.
EFFICIENCY = 0.3


def gpus():
    """The GPUs TensorFlow can see."""
    return tf.config.list_physical_devices("GPU")


def scale():
    """ "gpu" when a GPU is visible, else "cpu"; the variable SAGAN_SCALE decides first.

    Raises:
        ValueError: SAGAN_SCALE is set to something else.
    """
    chosen = os.environ.get("SAGAN_SCALE") or ("gpu" if gpus() else "cpu")
    return checks.one_of("SAGAN_SCALE", chosen, ("cpu", "gpu"))


def setup(mixed=False):
    """Prepare TensorFlow: GPU memory grows on demand; `mixed` computes in bfloat16.

    Call it before any network is built. Mixed precision keeps weights and norms in float32.
    """
    for gpu in gpus():
        with contextlib.suppress(RuntimeError):  # in use already: too late to change
            tf.config.experimental.set_memory_growth(gpu, True)
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")


def use_jit():
    """Whether to compile with XLA: on a GPU yes; on a CPU XLA's convolutions are slower."""
    return bool(gpus())


def strategy(name="one", devices=None):
    """Where a model lives and trains; build and compile it under the result's `scope()`.

    Args:
        name: "one": a single device. "mirrored": every GPU of this machine (its logical CPUs
            where there is none). "workers": every GPU of several machines; each runs the same
            program, and TF_CONFIG tells it the addresses of all and its own place.
        devices: for "mirrored", the names of the devices to use, such as ["GPU:0", "GPU:1"].

    Returns:
        A `tf.distribute.Strategy`, the same one for the same arguments. Each replica takes an
        equal part of the batch. TensorFlow bears one set of several devices in each process.

    Raises:
        ValueError: unknown name; devices without "mirrored"; "workers" without TF_CONFIG.
    """
    checks.one_of("devices", name, ("one", "mirrored", "workers"))
    if devices is not None and name != "mirrored":
        raise ValueError(f"a list of devices goes with 'mirrored', got {name!r} with {devices}")
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        names = devices or [device.name for device in found]
        # "/device:GPU:0", "/gpu:0" and "GPU:0" are one device.
        short = (":".join(name.split(":")[-2:]).split("/")[-1].upper() for name in names)
        return _mirrored(tuple(short))
    if not os.environ.get("TF_CONFIG"):
        raise ValueError(
            "'workers' needs the environment variable TF_CONFIG on each machine, such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}; index is the machine\'s own place'
        )
    return _workers()


# Made once: two strategies in a process number their messages alike, and so mix them up.
@functools.cache
def _mirrored(devices):
    return tf.distribute.MirroredStrategy(devices)


@functools.cache
def _workers():
    return tf.distribute.MultiWorkerMirroredStrategy()


def leads(chosen):
    """Whether this process writes the files of a run: the only one, or the first worker."""
    resolver = chosen.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    chiefs = {"chief", "master"} & set(resolver.cluster_spec().jobs)
    first = resolver.task_type == "worker" and not chiefs and resolver.task_id == 0
    return first or resolver.task_type in chiefs


def deal(batches, chosen, parts=1):
    """Deal each batch out to a strategy's replicas, as one device would use it.

    A batch is `parts` sub-batches, one after the other; replica r of n gets the r-th n-th of each
    sub-batch. So the D steps of a training step see the same images on any number of devices.

    Args:
        batches: a `tf.data.Dataset` of tensors (batch, ...) of known shape.
        chosen: the strategy. parts: sub-batches in a batch.

    Returns:
        A dataset that Keras's `fit` takes; with one replica, `batches` itself.

    Raises:
        ValueError: a sub-batch cannot be divided evenly.
    """
    count, (size, *shape) = chosen.num_replicas_in_sync, batches.element_spec.shape
    share, rest = divmod(size // parts, count)
    if rest:
        raise ValueError(f"batch_size must be a multiple of {count} devices, got {size // parts}")
    if count == 1:
        return batches

    def of_worker(context):
        here = count // context.num_input_pipelines
        first = context.input_pipeline_id * here

        def of_replicas(batch):
            table = tf.reshape(batch, (parts, count, share, *shape))
            mine = [table[:, replica] for replica in range(first, first + here)]
            return tf.reshape(tf.stack(mine), (here, parts * share, *shape))

        return batches.map(of_replicas).unbatch().prefetch(here)

    return chosen.distribute_datasets_from_function(of_worker)


def _positions(shape):
    return math.prod(shape[1:-1])


def map_shape(layer):
    """(N, M) of an attention layer's map: how many positions ask, how many can be looked at."""
    queries = _positions(layer.input.shape)
    return queries, queries // (4 if layer.variant == "paper" else 1)


def forward_flops(model):
    """Floating-point operations of one forward pass for one image: the matrix products'."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, SelfAttention):
            queries, keys = map_shape(layer)
            value_channels = layer.h.kernel.shape[-1]
            total += 2 * queries * keys * (layer.f.kernel.shape[-1] + value_channels)
            convs = [layer.f, layer.g, layer.h, *([layer.out] if layer.variant == "paper" else [])]
            total += sum(2 * queries * math.prod(conv.kernel.shape) for conv in convs)
        elif hasattr(layer, "kernel"):
            transposed = "Transpose" in type(layer).__name__
            shape = layer.input.shape if transposed else layer.output.shape
            total += 2 * math.prod(layer.kernel.shape) * _positions(shape)
    return total


def activation_bytes(model, batch_size=1):
    """Bytes of all layers' float32 outputs for a batch; attention's map where it is kept whole."""
    numbers = sum(math.prod(layer.output.shape[1:]) for layer in model.layers)
    for layer in model.layers:
        if isinstance(layer, SelfAttention):
            shape = map_shape(layer)
            if keeps_map(batch_size, *shape, layer.method):
                numbers += 2 * math.prod(shape)  # scores and weights
    return 4 * batch_size * numbers


def matmul_rate(size=1024, seconds=0.2):
    """Measured float32 operations a second of a square matrix product on this device."""
    a = tf.random.stateless_normal((size, size), (1, 2))
    return 2 * size**3 / _best_time(lambda x: tf.matmul(x, x), a, seconds)


def exp_rate(size=2**24, seconds=0.2):
    """Measured float32 exponentials a second, of an array of `size`: `tf.exp`."""
    x = tf.random.stateless_uniform((size,), (1, 2), -1.0, 0.0)
    return size / _best_time(tf.exp, x, seconds)


def _best_time(function, x, seconds):
    """Shortest time of one call, in seconds, over as many calls as fit; the first is not timed."""
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
        return (
            f"{self.parameters / 1e6:.2f} M parameters, {self.step_flops / 1e9:.1f} GFLOP a step, "
            f"about {self.memory_bytes / 2**30:.1f} GiB and {time_text} on this machine"
        )


def plan(generator, discriminator, batch_size, steps, n_dis=1):
    """Parameters, memory and time of a run, from counted operations and the measured rate.

    A D step runs G forward on a batch and D forward and backward (twice the work) on two; a G
    step runs G forward and backward and D forward and backward to its input only.
    """
    g, d = forward_flops(generator), forward_flops(discriminator)
    flops = batch_size * (n_dis * (g + 6 * d) + 3 * g + 2 * d)
    weights = generator.count_params() + discriminator.count_params()
    # D's step holds real and fake together; G's step a batch in both.
    kept = max(activation_bytes(discriminator, 2 * batch_size),
               activation_bytes(generator, batch_size)
               + activation_bytes(discriminator, batch_size))  # fmt: skip
    memory = 2 * kept + 4 * 6 * weights  # activations and their gradients; Adam, EMA
    seconds = steps * flops / (EFFICIENCY * matmul_rate())
    return Plan(weights, flops, memory, seconds)
