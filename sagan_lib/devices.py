"""The machine that a run meets: GPUs, scale, precision, several devices."""

import contextlib
import functools
import os
import warnings
from pathlib import Path

import keras
import tensorflow as tf

import sagan_lib
from sagan_lib import checks

#: What `strategy` takes: one device; all GPUs of this machine; those of several machines.
STRATEGIES = ("one", "mirrored", "workers")


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


def at_scale(cpu, gpu):
    """The settings of the scale: those that a chapter takes.

    Args:
        cpu: (resolution, width, steps) of the small scale.
        gpu: the same of the large one.

    Returns:
        One of the two. The variable SAGAN_STEPS takes the place of its steps, to see in minutes
        that everything runs; what such a run shows means nothing.

    Raises:
        ValueError: SAGAN_SCALE is neither, or SAGAN_STEPS no whole number of at least 1.
    """
    *settings, steps = {"cpu": cpu, "gpu": gpu}[scale()]
    asked = os.environ.get("SAGAN_STEPS") or str(steps)
    if not (asked.isdecimal() and int(asked) >= 1):
        raise ValueError(f"SAGAN_STEPS must be a whole number, at least 1, got {asked!r}")
    return *settings, int(asked)


def setup(mixed=False, deterministic=False):
    """Prepare TensorFlow; call it before any network is built. GPU memory grows on demand.

    Args:
        mixed: compute in bfloat16; weights and norms stay float32, and their products may be in
            TF32, which keeps 10 of 23 bits. Without it all is float32 in full, on a GPU too, where
            TensorFlow would choose TF32 by itself: the book's oracles ask for more than 10 bits.
        deterministic: use only operations that give the same bits each time, for the rest of the
            process. A GPU's sums are in another order each time without it, and faster.
    """
    for gpu in gpus():
        with contextlib.suppress(RuntimeError):  # in use already: too late to change
            tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(mixed)
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def onednn():
    """Whether TensorFlow computes with oneDNN on the CPU; settled when it is imported."""
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()


if sagan_lib.TENSORFLOW_CAME_FIRST and os.environ["TF_ENABLE_ONEDNN_OPTS"] != "0" and not onednn():
    warnings.warn(
        "TensorFlow was imported before sagan_lib and left oneDNN off: on a CPU, training takes "
        "about twice as long. Import sagan_lib first, or set TF_ENABLE_ONEDNN_OPTS=1.",
        stacklevel=2,
    )


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
    checks.one_of("devices", name, STRATEGIES)
    if devices is not None and name != "mirrored":
        raise ValueError(f"a list of devices goes with 'mirrored', got {name!r} with {devices}")
    if devices is not None and not devices:
        raise ValueError(f"devices must name at least one, got {devices}")
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        names = devices or [device.name for device in found]
        there = [_short(device.name) for device in tf.config.list_logical_devices()]
        return _mirrored(tuple(checks.one_of("device", _short(each), there) for each in names))
    if not os.environ.get("TF_CONFIG"):
        raise ValueError(
            "'workers' needs the environment variable TF_CONFIG on each machine, such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}; index is the machine\'s own place'
        )
    return _workers()


def _short(name):
    """One name for a device: "/device:GPU:0", "/gpu:0" and "GPU:0" are the same."""
    return ":".join(name.split(":")[-2:]).split("/")[-1].upper()


# Made once: two strategies in a process number their messages alike, and so mix them up.
@functools.cache
def _mirrored(devices):
    return tf.distribute.MirroredStrategy(devices)


@functools.cache
def _workers():
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(strategy):
    """Whether this process writes the files of a run: the only one, or a strategy's first worker.

    Args:
        strategy: a `tf.distribute.Strategy`.
    """
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    chiefs = {"chief", "master"} & set(resolver.cluster_spec().jobs)
    first = resolver.task_type == "worker" and not chiefs and resolver.task_id == 0
    return first or resolver.task_type in chiefs


def shard(batches, strategy, parts=1):
    """Deal each batch out to a strategy's replicas, as one device would use it.

    A batch is `parts` sub-batches, one after the other; replica r of n gets the r-th n-th of each
    sub-batch. So the D steps of a training step see the same images on any number of devices.

    Args:
        batches: a `tf.data.Dataset` of tensors (batch, ...) of known shape, or of pairs of them.
        strategy: the `tf.distribute.Strategy`.
        parts: sub-batches in a batch.

    Returns:
        A dataset that Keras's `fit` takes; with one replica, `batches` itself.

    Raises:
        ValueError: a sub-batch cannot be divided evenly.
    """
    count, pairs = strategy.num_replicas_in_sync, isinstance(batches.element_spec, tuple)
    size = tf.nest.flatten(batches.element_spec)[0].shape[0]
    share, rest = divmod(size // parts, count)
    if rest:
        raise ValueError(f"batch_size must be a multiple of {count} devices, got {size // parts}")
    if count == 1:
        return batches

    def of_worker(context):
        here = count // context.num_input_pipelines
        first = context.input_pipeline_id * here

        def of_replicas(batch):
            shape = batch.shape[1:]
            table = tf.reshape(batch, (parts, count, share, *shape))
            mine = [table[:, replica] for replica in range(first, first + here)]
            return tf.reshape(tf.stack(mine), (here, parts * share, *shape))

        def of_both(*pair):
            return tuple(map(of_replicas, pair))

        return batches.map(of_both if pairs else of_replicas).unbatch().prefetch(here)

    return strategy.distribute_datasets_from_function(of_worker)


def memory(proc="/proc/self/cgroup", groups="/sys/fs/cgroup"):
    """Bytes of memory that this process may use; None where the system does not say.

    The smaller of the machine's and of the limits of Linux's control groups, version 1 and 2, as
    containers and batch systems set them: beyond these a process is ended without a word.

    Args:
        proc: the file that says which groups the process is in.
        groups: where they are mounted.
    """
    limits = list(_group_limits(Path(proc), Path(groups)))
    with contextlib.suppress(AttributeError, ValueError, OSError):  # Windows; a system without them
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits, default=None)


def _group_limits(proc, groups):
    """The limits of a process's group and of all above it; in a container its own is the root."""
    try:
        lines = proc.read_text().splitlines()
    except OSError:
        return
    for _, controllers, inner in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and "memory" not in controllers.split(","):
            continue
        root = groups / "memory" if controllers else groups
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        path = root / inner.lstrip("/")
        for folder in (path, *path.parents):
            if folder.is_relative_to(root):
                with contextlib.suppress(OSError, ValueError):  # none; "max" is no limit
                    yield int((folder / name).read_text())
