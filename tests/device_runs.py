"""Runs on several devices, for test_devices.py: a process of its own, because the number of
(logical) devices must be chosen before TensorFlow starts.

python device_runs.py 2 FOLDER sagan|conditional|rest: runs on two devices and on one, each written
as FOLDER/NAME.npz.
python device_runs.py worker FOLDER: one worker's part of a recipe, with TF_CONFIG set.
"""

import dataclasses
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from sagan_lib import conditional, dcgan, devices, gan, sagan
from sagan_lib.cli import recipes, runs
from sagan_lib.datasets.faces import Faces

RECIPE = recipes.Recipe(
    resolution=16, width=4, latent_dim=8, attention_at=None, batch_size=16, steps=10, faces=100
)


def model(kind, strategy):
    """A small GAN under a strategy: plain SAGAN with hinge, or with augmentation or as a DCGAN
    two D steps."""
    with strategy.scope():
        keras.utils.set_random_seed(7)
        # With other seeds, within ten steps, some ReLU lies so near its kink that rounding decides
        # its side, and one pixel's gradient is there or not.
        if kind == "sagan":
            built = gan.GAN(sagan.generator(16, 4, 8), sagan.discriminator(16, 4))
            options = {"loss": "hinge"}
        elif kind == "augmented":
            built = gan.GAN(sagan.generator(16, 4, 8), sagan.discriminator(16, 4), seed=1)
            options = {"n_dis": 2, "augment": "color,translation,cutout,flip"}
        elif kind == "conditional":
            pair = sagan.generator(16, 4, 8), sagan.discriminator(16, 4)
            told = conditional.generator(pair[0], 5), conditional.discriminator(pair[1], 5)
            built = conditional.ConditionalGAN(*told, Faces(16, 1, label="hair").labels)
            options = {"loss": "hinge", "n_dis": 2}
        else:
            built = gan.GAN(dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4), seed=1)
            options = {"loss": "bce", "n_dis": 2}
        built.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.04), **options)
    return built


def run(folder, name, kind, count):
    """Train for ten steps on `count` logical CPUs; write each replica's copy of all variables."""
    names = [f"CPU:{i}" for i in range(count)]
    strategy = devices.strategy("mirrored", names) if count > 1 else devices.strategy()
    trained = model(kind, strategy)
    history = trained.fit(
        Faces(16, 100, label="hair"), steps=10, batch_size=16, log_every=4, verbose=0
    ).history
    copies = {"log": np.stack([history["d_loss"], history["g_loss"]])[None]}
    for number, variable in enumerate(trained.variables):
        local = strategy.experimental_local_results(variable.value)
        copies[f"{number} {variable.name}"] = np.stack([v.numpy() for v in local])
    np.savez(folder / f"{name}.npz", **copies)


def uneven(folder):
    """What two devices say of batches that they cannot share evenly, by the batch's remainder."""
    trained = model("sagan", devices.strategy("mirrored", ["CPU:0", "CPU:1"]))
    said = {}
    for size in (24, 21):  # a last batch of 8 and of 5, after one of 16
        images = tf.data.Dataset.from_tensor_slices(Faces(16, size).images)
        batches = images.map(lambda x: tf.cast(x, tf.float32) / 127.5 - 1).batch(16)
        try:
            trained.fit(batches, verbose=0)
            said[size % 16] = "trained"
        except Exception as error:
            said[size % 16] = str(error)
    (folder / "uneven.json").write_text(json.dumps(said))


def mirrored(folder, part):
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = 2 * [tf.config.LogicalDeviceConfiguration()]
    tf.config.set_logical_device_configuration(cpu, parts)
    if part != "rest":
        for n in (2, 1):
            run(folder, f"{part}{n}", part, n)
        return
    for n in (1, 2):
        run(folder, f"dcgan{n}", "dcgan", n)
        run(folder, f"augmented{n}", "augmented", n)
    uneven(folder)
    # In two parts: the second goes on, on two devices, from what one device saved.
    half = dataclasses.replace(RECIPE, steps=5)
    runs.train(half, folder / "recipe2", log_every=5)
    runs.train(RECIPE, folder / "recipe2", log_every=5, device_set="mirrored")


if __name__ == "__main__":
    if sys.argv[1] != "worker":
        mirrored(Path(sys.argv[2]), sys.argv[3])
    else:
        report = runs.train(RECIPE, sys.argv[2], log_every=5, device_set="workers")[1]
        print("leads" if report else "follows")
