"""The playground: its arithmetic is the library's, its lessons hold, its switches switch.

The browser is the system's Chromium; where there is none, these tests are skipped and say so.
"""

import itertools
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import losses, penalties, ttur
from sagan_lib.gan import frozen_call
from sagan_lib.spectral_norm import SNDense, normalized_layers

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "_book" / "static" / "touch"
sys.path.insert(0, str(ROOT / "_book" / "ext"))

import touch

STEPS, BATCH, WIDTH = 50, 16, 12
#: Of Adam. A bias may have a gradient of exactly 0 (where a unit passes all points, and as many pull
#: up as down). Adam with 1e-8 would make a whole step of its rounding, which no two programs share.
EPSILON = 1e-5


@pytest.fixture(scope="module")
def bare(chromium, tmp_path_factory):
    """A page with the playground's arithmetic and nothing else."""
    scripts = [each for each in touch.SCRIPTS["playground"] if each != "playground/piece.js"]
    tags = "".join(f'<script src="{(STATIC / each).as_uri()}"></script>' for each in scripts)
    path = tmp_path_factory.mktemp("playground") / "bare.html"
    path.write_text(f"<!doctype html>{tags}")
    page = chromium.new_page()
    page.goto(path.as_uri())
    yield page
    page.close()


def perceptron(start, dense, last):
    """Keras's twin of `Perceptron`: two hidden layers with leaky ReLUs, as the page has them."""
    x = start if len(start.shape) == 2 else keras.layers.Flatten()(start)
    for _ in range(2):
        x = keras.layers.LeakyReLU(0.2)(dense(WIDTH)(x))
    x = dense(last)(x)
    return keras.Model(start, keras.layers.Reshape((1, 1, 2))(x) if last == 2 else x)


def library(settings):
    """The library's own GAN on points: images of one pixel with two channels."""

    def dense(units):
        rounds = settings["sn"]
        return SNDense(units, power_iterations=rounds) if rounds else keras.layers.Dense(units)

    model = penalties.PenalizedGAN(
        perceptron(keras.Input((2,)), keras.layers.Dense, 2),
        perceptron(keras.Input((1, 1, 2)), dense, 1),
        ema_decay=settings["ema"],
    )
    rates = {name: settings[name] for name in ("g_rate", "d_rate", "beta_1", "n_dis")}
    held = {"penalty": "r1", "weight": settings["r1"]} if settings["r1"] else {}
    model.compile(
        **ttur.two_time_scale(**rates), loss=settings["loss"], run_eagerly=True, **held
    )
    for optimizer in (model.g_optimizer, model.d_optimizer):
        optimizer.epsilon = settings["epsilon"]
    return model


def started(network):
    """A network's first weights as the page takes them."""
    us = [layer.u.numpy().tolist() for layer in normalized_layers(network)]
    return {"weights": [w.numpy().ravel().tolist() for w in network.trainable_variables], "u": us}


#: The page's side: the same weights, then the same steps; all losses, and samples at the end.
IN_THE_PAGE = """([settings, generator, discriminator, real, noise, probe]) => {
    const gan = new Gan.Gan(settings);
    for (const [network, given] of [[gan.generator, generator], [gan.discriminator, discriminator]]) {
        network.weights().forEach((w, k) => w.set(given.weights[k]));
        given.u.forEach((u, k) => { network.layers[k].u = Float64Array.from(u); });
    }
    gan.ready();
    const rows = (values) => Float64Array.from(values);
    const losses = noise.map((z, step) => {
        const d = real[step].map((x, k) => gan.dStep(rows(x), rows(z[k]), settings.batch));
        return [...d, gan.gStep(rows(z.at(-1)), settings.batch)];
    });
    const drawn = [false, true].map((mean) => Array.from(gan.draw(rows(probe), probe.length / 2, mean)));
    const u = gan.discriminator.layers.map((layer) => Array.from(layer.u));
    return { losses, drawn, u };
}"""


def both(page, settings):
    """(the page's losses and ends, the library's) from the same weights, noise and data."""
    random = np.random.default_rng(3)
    n_dis = settings["n_dis"]
    real = random.normal(size=(STEPS, n_dis, 1, BATCH, 2)).astype("float32")
    real[..., 0] += np.sign(real[..., 1])  # no symmetric blob, for which G's bias alone would do
    noise = random.normal(size=(STEPS, n_dis + 1, BATCH, 2)).astype("float32")
    probe = random.normal(size=(20, 2)).astype("float32")
    model = library(settings)
    start = [started(net) for net in (model.generator, model.discriminator)]
    flat = [x.reshape(*x.shape[:2], -1).tolist() for x in (real, noise)]
    there = page.evaluate(IN_THE_PAGE, [settings, *start, *flat, probe.ravel().tolist()])
    here = []
    for xs, zs in zip(real, noise, strict=True):
        row = [model.d_step(tf.constant(x.reshape(BATCH, 1, 1, 2)), z, k)
               for k, (x, z) in enumerate(zip(xs, zs, strict=False))]  # fmt: skip
        row.append(model.g_step(zs[-1]))
        model._update_ema()
        model.step.assign_add(1)
        here.append([float(loss) for loss in row])
    ends = [frozen_call(net, probe).numpy().ravel()
            for net in (model.generator, model.ema_generator)]  # fmt: skip
    us = [layer.u.numpy() for layer in normalized_layers(model.discriminator)]
    return there, {"losses": here, "drawn": ends, "u": us}


def case(loss, sn, r1, **others):
    ways = ", ".join([loss, *(["SN"] if sn else []), *(["R1"] if r1 else [])])
    settings = {"loss": loss, "sn": sn, "r1": r1, "g_rate": 2e-3, "d_rate": 4e-3, "n_dis": 1,
                "beta_1": 0.0, "batch": BATCH, "width": WIDTH, "ema": 0.9, "seed": 0,
                "epsilon": EPSILON}  # fmt: skip
    return pytest.param(settings | others, id=ways)


ALL = [
    case(*ways, n_dis=2 if ways[0] == "bce" else 1, beta_1=0.5 if ways[2] else 0.0)
    for ways in itertools.product(losses.LOSSES, (0, 1), (0.0, 1.0))
]


def assert_equal(page, settings):
    there, here = both(page, settings)
    np.testing.assert_allclose(there["losses"], here["losses"], atol=1e-4, rtol=1e-4)
    for ours, theirs in zip(there["drawn"], here["drawn"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    assert np.abs(np.subtract(*here["drawn"])).max() > 0.01, "the average is not G"
    for ours, theirs in zip(there["u"], here["u"], strict=False):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.book
def test_a_step_of_the_page_is_the_librarys(bare):
    """One case of each thing: SN of two rounds, R1, momentum, two D steps, the average."""
    assert_equal(bare, case("hinge", 2, 1.0, n_dis=2, beta_1=0.5).values[0])


@pytest.mark.full
@pytest.mark.parametrize("settings", ALL)
def test_every_loss_with_and_without_sn_and_r1_is_the_librarys(bare, settings):
    assert_equal(bare, settings)
