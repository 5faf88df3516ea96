"""Several devices and several machines train the run of one device."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from device_runs import RECIPE
from small_gan import state

from sagan_lib import devices, gan, sagan, ttur
from sagan_lib.cli import runs
from sagan_lib.spectral_norm import SNConv2D


@pytest.fixture
def float32_after():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("variable", "visible", "expected"),
    [("cpu", ["a GPU"], "cpu"), ("gpu", [], "gpu"), (None, ["a GPU"], "gpu"), (None, [], "cpu"),
     ("", [], "cpu")],
)  # fmt: skip
def test_the_variable_decides_the_scale_then_the_hardware(monkeypatch, variable, visible, expected):
    monkeypatch.delenv("SAGAN_SCALE", raising=False)
    if variable is not None:
        monkeypatch.setenv("SAGAN_SCALE", variable)
    monkeypatch.setattr(devices, "gpus", lambda: visible)
    assert devices.scale() == expected
    assert devices.use_jit() == bool(visible)
    monkeypatch.setenv("SAGAN_SCALE", "tpu")
    with pytest.raises(ValueError, match=r"SAGAN_SCALE must be one of \['cpu', 'gpu'\], got 'tpu'"):
        devices.scale()


@pytest.mark.parametrize(("mixed", "compute"), [(False, "float32"), (True, "bfloat16")])
def test_setup_chooses_the_precision_of_nets_and_of_a_gpus_products(mixed, compute, float32_after):
    tf.config.experimental.enable_tensor_float_32_execution(True)  # TensorFlow's own choice
    devices.setup(mixed=not mixed)
    devices.setup(mixed=mixed)
    layer = SNConv2D(4, 3)
    layer.build((None, 8, 8, 4))
    assert (layer.compute_dtype, layer.kernel.dtype) == (compute, "float32")
    assert tf.config.experimental.tensor_float_32_execution_enabled() == mixed


def test_setup_asks_for_the_same_bits_each_time_where_that_is_wanted(monkeypatch, float32_after):
    asked = []
    monkeypatch.setattr(
        tf.config.experimental, "enable_op_determinism", lambda: asked.append("asked")
    )
    devices.setup()
    assert asked == []
    devices.setup(deterministic=True)
    assert asked == ["asked"]


def test_setup_lets_gpu_memory_grow_and_bears_a_gpu_in_use(monkeypatch):
    asked = []

    def grow(gpu, on):
        asked.append((gpu, on))
        raise RuntimeError("in use")

    monkeypatch.setattr(devices, "gpus", lambda: ["first", "second"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grow)
    devices.setup()
    assert asked == [("first", True), ("second", True)]


# Sums over two halves round differently. Plain gradient descent keeps that small: measured 3e-6 of
# a variable's largest entry after ten steps, where forgetting to synchronize batch normalization,
# to slice the noise or to deal the images in parts gave 0.2 and more.
CLOSE = 2e-5
# Adam with beta_1 = 0 divides each gradient by its own size, so rounding of a tiny one counts in
# full: measured 2e-6, but it may be more on another processor.
CLOSE_ADAM = 1e-3


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("device_runs.py"), *map(str, arguments)],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(process):
    """What a process printed; a failure shows it."""
    try:
        printed, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, printed[-3000:]
    return printed


@pytest.fixture(scope="module")
def one_case(tmp_path_factory):
    """SAGAN on two devices and on one."""
    folder = tmp_path_factory.mktemp("two")
    finish(start(2, folder, "sagan"))
    return folder


@pytest.fixture(scope="module")
def two(one_case):
    """All runs on two devices."""
    finish(start(2, one_case, "rest"))
    return one_case


@pytest.fixture(scope="module")
def one_recipe(tmp_path_factory):
    """RECIPE's model, trained by one device."""
    return runs.train(RECIPE, tmp_path_factory.mktemp("one"), log_every=5)[0]


def variables(path):
    with np.load(path) as file:
        return dict(file)


def gap(ours, theirs):
    """The largest difference of any variable, relative to that variable's largest entry."""
    assert len(ours) == len(theirs)
    return max(
        np.abs(a.astype(float) - b).max() / (np.abs(b).max() + 1e-6)
        for a, b in zip(ours, theirs, strict=True)
    )


def gap_of_files(ours, theirs):
    ours, theirs = variables(ours), variables(theirs)
    assert set(ours) == set(theirs)
    return gap(ours.values(), theirs.values())


@pytest.mark.book
def test_two_devices_train_the_run_of_one(one_case):
    """SAGAN with one D step: kernels, `u`, moments, averages, losses."""
    assert gap_of_files(one_case / "sagan2.npz", one_case / "sagan1.npz") < CLOSE


@pytest.mark.full
def test_two_devices_train_the_run_of_one_with_two_d_steps(two):
    assert gap_of_files(two / "dcgan2.npz", two / "dcgan1.npz") < CLOSE


@pytest.mark.full
def test_two_devices_show_each_image_to_d_as_one_does(two):
    assert gap_of_files(two / "augmented2.npz", two / "augmented1.npz") < CLOSE
    assert gap_of_files(two / "augmented1.npz", two / "sagan1.npz") > 0.05


@pytest.mark.book
def test_both_devices_hold_the_same_values_bit_for_bit(one_case):
    """`u`, averages and moments are computed on each device by itself."""
    found = variables(one_case / "sagan2.npz")
    names = {name.split(" ")[-1] for name in found}
    assert {"kernel", "u", "moving_mean", "gamma", "step"} <= names
    for name, copies in found.items():
        assert len(copies) == (1 if name == "log" else 2)
        assert (copies == copies[:1]).all(), name


@pytest.mark.full
def test_batches_that_devices_cannot_share_evenly_are_refused(two):
    said = json.loads((two / "uneven.json").read_text())
    assert said["8"] == "trained"
    assert "as many images for each device" in said["5"]


@pytest.mark.full
def test_a_recipe_on_all_devices_is_the_recipe_on_one(two, one_recipe):
    run = gan.GAN.load(two / "recipe2" / "run.keras")
    assert int(run.step.numpy()) == RECIPE.steps
    assert gap(state(run), state(one_recipe)) < CLOSE_ADAM
    assert not any(layer.synchronized for layer in gan._batch_norms(run.generator))


@pytest.mark.full
def test_two_workers_train_the_run_of_one_process(one_recipe, tmp_path):
    places = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            places.append(f"127.0.0.1:{free.getsockname()[1]}")
    cluster = {"cluster": {"worker": places}}
    tasks = [cluster | {"task": {"type": "worker", "index": i}} for i in (0, 1)]
    workers = [start("worker", tmp_path, TF_CONFIG=json.dumps(task)) for task in tasks]
    printed = [finish(worker) for worker in workers]
    assert ["leads" in printed[0], "leads" in printed[1]] == [True, False]
    run = gan.GAN.load(tmp_path / "run.keras")
    assert int(run.step.numpy()) == RECIPE.steps
    assert gap(state(run), state(one_recipe)) < CLOSE_ADAM
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 3  # the first worker's only
    assert (tmp_path / "generator.weights.h5").exists()


def test_one_device_needs_no_strategy(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"task": {"type": "worker", "index": 1}}')
    assert devices.strategy() is devices.strategy("one") is tf.distribute.get_strategy()
    assert devices.is_chief(devices.strategy("one"))


def test_a_device_has_many_names_and_one_strategy():
    made = devices.strategy("mirrored")
    assert made.num_replicas_in_sync == len(devices.gpus() or [1])
    assert devices.is_chief(made)
    same = [devices.strategy("mirrored", [name]) for name in ("CPU:0", "/cpu:0", "/device:CPU:0")]
    assert same[0] is same[1] is same[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one", ["CPU:0"]), "goes with 'mirrored'"),
        (("workers",), "needs the environment variable TF_CONFIG"),
    ],
)
def test_wrong_strategies(arguments, words, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=words):
        devices.strategy(*arguments)


def pretended(count):
    """As many replicas as asked, to test the arguments without devices."""
    return SimpleNamespace(num_replicas_in_sync=count)


@pytest.fixture
def on_two(monkeypatch):
    """A GAN to be compiled, and a function after which it seems to be on two devices."""

    def pretend():
        monkeypatch.setattr(gan.GAN, "_check_scope", lambda *_: None)
        monkeypatch.setattr(gan.GAN, "distribute_strategy", pretended(2))

    return gan.GAN(sagan.generator(16, 4, 8), sagan.discriminator(16, 4)), pretend


def test_a_batch_that_cannot_be_dealt_evenly_is_refused():
    batches = tf.data.Dataset.from_tensors(tf.zeros((30, 4, 4, 3)))
    with pytest.raises(ValueError, match="batch_size must be a multiple of 4 devices, got 10"):
        devices.shard(batches, pretended(4), parts=3)
    assert devices.shard(batches, pretended(1)) is batches


def test_networks_and_optimizers_belong_under_the_models_scope():
    outside = sagan.generator(16, 4, 8), sagan.discriminator(16, 4)
    strategy = devices.strategy("mirrored", ["CPU:0"])
    with strategy.scope(), pytest.raises(ValueError, match=r"under the same strategy.scope\(\)"):
        gan.GAN(*outside)
    with strategy.scope():
        model = gan.GAN(sagan.generator(16, 4, 8), sagan.discriminator(16, 4))
    with pytest.raises(ValueError, match=r"this GAN is under MirroredStrategy, with 1 device"):
        model.compile(**ttur.two_time_scale())


@pytest.mark.parametrize(
    ("clips", "wrap"),
    [({"global_clipnorm": 1.0}, lambda x: x), ({"clipnorm": 0.1}, lambda x: x),
     ({"clipvalue": 1}, keras.optimizers.LossScaleOptimizer)],
)  # fmt: skip
def test_clipping_is_refused_on_several_devices(clips, wrap, on_two):
    """Keras clips the gradient of each device's share of the batch, before it adds them up."""
    model, pretend = on_two

    def given():
        return ttur.two_time_scale() | {"d_optimizer": wrap(keras.optimizers.Adam(1e-3, **clips))}

    model.compile(**given())  # with one device it is Keras's business
    pretend()
    with pytest.raises(ValueError, match="d_optimizer must not clip on several devices, got"):
        model.compile(**given())


def test_an_array_that_leaves_a_rest_for_some_devices_is_refused(on_two):
    model, pretend = on_two
    model.compile(**ttur.two_time_scale())
    pretend()
    with pytest.raises(ValueError, match=r"batches of a multiple of 2 images, .* got 21 in batch"):
        model.fit(np.zeros((21, 16, 16, 3), np.float32), batch_size=8)


@pytest.mark.parametrize("option", [{"jit_compile": True}, {"steps_per_execution": 2}])
def test_options_for_one_device_are_refused_on_several(option, on_two):
    model, pretend = on_two
    pretend()
    with pytest.raises(ValueError, match="work with one device only"):
        model.compile(**ttur.two_time_scale(), **option)


MIB = 2**20


@pytest.mark.parametrize(
    ("proc", "files", "expected"),
    [
        # version 2: a group, one above it, and a container, whose own group is the root
        ("0::/a/b", {"a/memory.max": 700 * MIB, "a/b/memory.max": "max"}, 700 * MIB),
        ("0::/a/b", {"a/memory.max": 700 * MIB, "a/b/memory.max": 300 * MIB}, 300 * MIB),
        ("0::/", {"memory.max": 700 * MIB}, 700 * MIB),
        # version 1, in which a container sees a name that it does not have
        ("9:name=systemd:/\n4:cpu,memory:/job", {"memory/job/memory.limit_in_bytes": MIB}, MIB),
        ("4:memory:/docker/1f", {"memory/memory.limit_in_bytes": 5 * MIB}, 5 * MIB),
        # no limit, others' groups, no such files
        ("4:memory:/", {"memory/memory.limit_in_bytes": 9223372036854771712}, None),
        ("0::/a", {"a/memory.max": "max", "b/memory.max": MIB}, None),
        ("0::/a\nodd", {}, None),
    ],
)
def test_memory_is_what_the_machine_and_the_group_give(tmp_path, proc, files, expected):
    (tmp_path / "proc").write_text(proc + "\n")
    for name, limit in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(f"{limit}\n")
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = devices.memory(tmp_path / "proc", tmp_path / "groups")
    assert found == (expected or machine)
    assert devices.memory(tmp_path / "none", tmp_path / "groups") == machine
