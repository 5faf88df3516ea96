"""`python -m sagan_lib doctor`: is this machine ready, and if not, what to do."""

import importlib.metadata
import math
import os
import shutil
import subprocess
import sys
import time

import keras
import tensorflow as tf

from sagan_lib import cost, devices, gan, networks, shipped, ttur
from sagan_lib.cli import recipes
from sagan_lib.datasets import cache, celeba, folder

WANTED = ("tensorflow", "keras", "numpy", "matplotlib", "pillow")


def _python():
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return fine, f"Python {version}", "install Python 3.11, 3.12 or 3.13; TensorFlow has no other"


def _packages():
    """Are the installed versions inside the ranges that the package asks for?"""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in importlib.metadata.requires("sagan_lib") or []]
    except importlib.metadata.PackageNotFoundError:
        yield False, "sagan_lib is not installed", "pip install -e . in the repository's folder"
        return
    for requirement in needed:
        if requirement.name in WANTED and requirement.marker is None:
            try:
                have = importlib.metadata.version(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                have = None
            yield (
                have is not None and have in requirement.specifier,
                f"{requirement.name} {have or 'is not installed'}",
                f"pip install '{requirement}'",
            )


def _layout():
    layout = keras.config.image_data_format()
    advice = 'set "image_data_format": "channels_last" in ~/.keras/keras.json'
    return layout == "channels_last", f"Keras's image_data_format is {layout}", advice


def _gpu():
    found = devices.gpus()
    if found:
        return True, f"{len(found)} GPU visible to TensorFlow", ""
    if shutil.which("nvidia-smi"):
        answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip():
            return (
                False,
                "a GPU is there, TensorFlow does not see it",
                "pip install -c constraints.txt -e '.[gpu]', then restart the kernel",
            )
    return True, "no GPU: the chapters run at cpu scale, in minutes", ""


def convolution_seconds():
    """Shortest time of one convolution as a training step has them, measured for half a second."""
    images = tf.random.stateless_normal((64, 32, 32, 32), (1, 2))
    kernel = tf.random.stateless_normal((4, 4, 32, 64), (3, 4))
    return cost.best_time(lambda x: tf.nn.conv2d(x, kernel, 2, "SAME"), images, 0.5)


def onednn():
    """Is oneDNN on, and what does it bring? Measured here and in a process with the other setting.

    Returns:
        (whether it is as it should be, what was found, what to do).
    """
    on = devices.onednn()
    code = "from sagan_lib.cli import doctor; print(doctor.convolution_seconds())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": "0" if on else "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    if done.returncode:
        return True, f"oneDNN is {'on' if on else 'off'}; the other way could not be measured", ""
    ratio = convolution_seconds() / float(done.stdout)
    if on:
        return True, f"oneDNN is on: a convolution takes {ratio:.2f} of the time without it", ""
    text = f"oneDNN is off: with it a convolution would take {1 / ratio:.2f} of the time"
    return ratio < 1.2, text, "set the environment variable TF_ENABLE_ONEDNN_OPTS=1"


def step(seconds=3):
    """One training step of the scale's network, as a run on this machine would compile it.

    Args:
        seconds: to measure for, after the step was compiled.

    Returns:
        (whether its losses are finite, what was found, what to do).
    """
    resolution, batch_size = {"cpu": 32, "gpu": 64}[devices.scale()], 64
    model = gan.GAN(*networks.build(resolution=resolution, width=16, attention_at=16))
    model.compile(**ttur.preset("sagan_x4"))
    images = tf.zeros((batch_size, resolution, resolution, 3))
    jit, started = devices.use_jit(), time.perf_counter()
    one = tf.function(model.train_step, jit_compile=jit)
    losses = [float(x) for x in one(images).values()]  # a number: waits for the step
    compiled, least = time.perf_counter() - started, math.inf
    while time.perf_counter() < started + compiled + seconds:
        begun = time.perf_counter()
        losses = [float(x) for x in one(images).values()]
        least = min(least, time.perf_counter() - begun)
    memory = cost.memory_bytes(model.generator, model.discriminator, batch_size)
    if devices.gpus():
        memory = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    by = "compiled by XLA" if jit else "traced without XLA"
    tf32 = "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off"
    text = (
        f"a step of {batch_size} images of {resolution} pixels: {batch_size / least:,.0f} "
        f"images/s, about {memory / 2**30:.1f} GiB, {keras.config.dtype_policy().compute_dtype}, "
        f"TF32 {tf32}, {by} in {compiled:.0f} s"
    )
    return all(map(math.isfinite, losses)), text, "its losses are not finite: SAGAN_SCALE=cpu?"


def _shipped():
    for name in shipped.checksums():
        try:
            shipped.path(name)
            yield True, f"data/{name}: checksum right", ""
        except (OSError, ValueError) as error:
            yield False, str(error), "git checkout -- data"


def _images(path):
    try:
        source = folder.ImageFolder(path, resolution=32, limit=100)
    except (OSError, ValueError) as error:
        return False, str(error), "data/README.md says how to get CelebA"
    advice = recipes.advice(source.found)
    told = f"{path}: {source.found} pictures, the first {source.size} decode"
    return True, f"{told}\n      {advice}" if advice else told, ""


def _cache():
    """Where decoded pictures are kept; where that is not the first choice, a warning says why."""
    try:
        place = cache.writable(cache.places())
    except OSError as error:
        advice = "set XDG_CACHE_HOME to a folder that can be written to"
        return False, f"decoded pictures cannot be kept: {error}", advice
    return True, f"decoded pictures are kept in {place}", ""


def _caches(path):
    for place, whole in cache.check(path).items():
        found = f"{place}: decoded pictures, {'as they were written' if whole else 'damaged'}"
        yield whole, found, f"remove {place}; the next run decodes them anew"


def _celeba(path):
    place = path if path.is_dir() else path.parent
    for name, right in celeba.check(place).items():
        word = "checksum as published" if right else "another checksum than the published file"
        yield right, f"{place / name}: {word}", "download it again; data/README.md"


def checks(data=None):
    """All checks, each (passed, what was found, what to do about it).

    Args:
        data: a folder or zip of images to check as well.
    """
    yield _python()
    yield from _packages()
    yield _layout()
    yield _gpu()
    if not devices.gpus():
        yield onednn()
    yield step()
    yield from _shipped()
    yield _cache()
    if data is not None:
        yield _images(data)
        yield from _caches(data)
        yield from _celeba(data)


def main(data=None):
    """Print the checks.

    Args:
        data: as in `checks`.

    Returns:
        0 when all passed, else 1.
    """
    devices.setup()
    failed = 0
    for passed, found, advice in checks(data):
        print(f"{'ok  ' if passed else 'FAIL'}  {found}" + ("" if passed else f"\n      {advice}"))
        failed += not passed
    print(f"scale: {devices.scale()} (set SAGAN_SCALE to cpu or gpu to choose)")
    print("precision: train --mixed computes in bfloat16, all else in full float32")
    print("ready" if not failed else f"{failed} to mend")
    return int(failed > 0)
