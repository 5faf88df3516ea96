"""A network as a script: the exported numbers compute what the network does."""

import base64
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import conditional, networks, sampling, shipped
from sagan_lib.cli import export, options, runs
from sagan_lib.evaluation import judge

TOUCH = shipped.root() / "_book" / "static" / "touch"


@pytest.fixture(scope="module")
def trained():
    """A small generator whose moments, gamma and biases are those of no fresh network."""
    generator, _ = networks.build("sagan", 16, 8, 6, attention_at=8)
    rng = np.random.default_rng(0)
    for weight in generator.weights:
        if weight.name != "kernel":
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return generator


def drawn(named, z):
    """What the exported numbers draw, in TensorFlow's plain operations."""
    get = {name: tf.constant(array, tf.float32) for name, array in named.items()}.__getitem__
    x = z @ get("g/project/kernel") + get("g/project/bias")
    x = tf.nn.relu(tf.reshape(x, (len(z), 4, 4, -1)))
    for side in (8, 16):
        kernel = get(f"g/up{side}/kernel")
        x = tf.nn.conv2d_transpose(x, kernel, (len(z), side, side, kernel.shape[2]), 2)
        x = tf.nn.relu(x + get(f"g/up{side}/bias"))
        if side == 8:
            flat = tf.reshape(x, (len(z), 64, -1))
            f, g, h = (flat @ get(f"g/attention/{n}") + get(f"g/attention/{n}_bias") for n in "fgh")
            mixed = tf.nn.softmax(g @ tf.transpose(f, (0, 2, 1))) @ h
            x += get("g/attention/gamma") * tf.reshape(mixed, x.shape)
    return tf.tanh(tf.nn.conv2d(x, get("g/to_rgb/kernel"), 1, "SAME") + get("g/to_rgb/bias"))


def test_the_exported_numbers_draw_the_networks_images(trained):
    z = sampling.latent(4, 6)
    named = export.arrays(trained, "g")
    assert not any("bn" in name or name.endswith("/u") for name in named)
    np.testing.assert_allclose(drawn(named, z), trained(z, training=False), atol=2e-5)


def test_the_exported_numbers_draw_to_order():
    plain, _ = networks.build("sagan", 16, 8, 6)
    told, rng = conditional.generator(plain, 5), np.random.default_rng(0)
    for weight in told.weights:
        if weight.name != "kernel":
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    z, y = sampling.latent(4, 6), tf.one_hot([0, 1, 3, 3], 5)
    named = export.arrays(told, "order")
    get = {name: tf.constant(array, tf.float32) for name, array in named.items()}.__getitem__

    def normed(x, name):
        gains, offsets = (
            (y @ get(f"order/{name}/{table}"))[:, None, None] for table in ("gains", "offsets")
        )
        return tf.nn.relu(x * (1 + gains) + offsets)

    x = z @ get("order/project/kernel") + get("order/project/bias")
    x = normed(tf.reshape(x, (4, 4, 4, -1)), "bn4")
    for side in (8, 16):
        kernel = get(f"order/up{side}/kernel")
        x = tf.nn.conv2d_transpose(x, kernel, (4, side, side, kernel.shape[2]), 2)
        x = normed(x + get(f"order/up{side}/bias"), f"bn{side}")
    kernel, bias = get("order/to_rgb/kernel"), get("order/to_rgb/bias")
    x = tf.tanh(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
    np.testing.assert_allclose(x, told([z, y], training=False), atol=2e-5)


def test_the_exported_judge_reads_as_the_judge():
    named = export.arrays(judge.load(), "judge")
    images = np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 3)).astype("float32")
    x = images
    for block in range(3):
        kernel = named[f"judge/conv{block}/kernel"].astype("float32")
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + named[f"judge/conv{block}/bias"])
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
    x = tf.reshape(x, (8, -1)) @ named["judge/features/kernel"].astype("float32")
    x = tf.nn.relu(x + named["judge/features/bias"])
    hair = x @ named["judge/hair/kernel"].astype("float32") + named["judge/hair/bias"]
    expected = judge.load()(images, training=False)["hair"]
    np.testing.assert_allclose(hair, expected, rtol=1e-3, atol=1e-3)


def unpacked(text):
    """{name: array} of a script."""
    shapes = json.loads(re.search(r"shapes: (\{.*?\})", text)[1])
    data = np.frombuffer(base64.b64decode(re.search(r'data: "(.*?)"', text)[1]), "<f2")
    return {
        name: data[start : start + int(np.prod(shape))].reshape(shape)
        for name, (start, *shape) in shapes.items()
    }


def test_a_script_holds_every_array_in_half_precision(trained, tmp_path):
    named = export.arrays(trained, "g")
    for name, array in unpacked(export.script(named)).items():
        np.testing.assert_array_equal(array, np.asarray(named[name], np.float16))
    with pytest.raises(ValueError, match="far must fit into half precision, got 7e"):
        export.script({"far": [70_000.0]})


@pytest.mark.parametrize("name", export.NETWORKS)
def test_the_books_scripts_are_those_of_what_is_shipped(name, tmp_path):
    found = unpacked((TOUCH / f"{name}.js").read_text())
    expected = unpacked(export.export(tmp_path / "net.js", network=name).read_text())
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, rtol=2e-3, atol=1e-5)


def test_all_weights_of_the_pages_are_within_4_megabytes():
    assert sum((TOUCH / f"{name}.js").stat().st_size for name in export.NETWORKS) <= 4_000_000


def test_the_command_line_names_every_network_and_takes_no_second_one(capsys):
    for name in export.NETWORKS:
        given = options.parser("").parse_args(["export", "--network", name, "--out", "net.js"])
        assert (given.network, given.run) == (name, None)
    for wrong in (["--network", "faces32"], ["--network", "order32", "--run", "runs/own"]):
        with pytest.raises(SystemExit):
            options.parser("").parse_args(["export", *wrong, "--out", "net.js"])
    assert "not allowed with argument" in capsys.readouterr().err


def test_what_the_script_cannot_compute_is_refused(tmp_path):
    pooled, _ = networks.build("sagan", 16, 8, 6, attention_at=8, variant="pooled")
    with pytest.raises(ValueError, match="attention must be the article's, got variant 'pooled'"):
        export.arrays(pooled, "g")
    images = keras.Input((4, 4, 3))
    other = keras.Model(images, keras.layers.PReLU()(images))
    with pytest.raises(ValueError, match="must have a kernel, got PReLU"):
        export.arrays(other, "x")
    with pytest.raises(ValueError, match=r"network must be one of .*'order32'.* got 'faces'"):
        export.export(tmp_path / "net.js", network="faces")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            ("dcgan", 16, 8, 6),
            r"latent_dim 64, 64 pixels, attention at \[16\]; got .* 6, 16 .*\[\]",
        ),
        (("sagan", 64, 8, 64, 32), r"got .* 64, 64 pixels, attention at \[32\]"),
        (("to order", 16, 8), r"with labels of latent_dim 32, 32 .*; got .* 64, 16 "),
    ],
)
def test_a_generator_that_the_page_cannot_draw_is_refused(plan, words, monkeypatch, tmp_path):
    kind, *sizes = plan
    if kind == "to order":
        made = conditional.generator(networks.build("sagan", *sizes)[0], 5)
    else:
        made, _ = networks.build(kind, *sizes[:3], attention_at=dict(enumerate(sizes)).get(3))
    monkeypatch.setattr(runs, "generator", lambda run: made)
    with pytest.raises(ValueError, match=words):
        export.export(tmp_path / "net.js", "run")
    assert not list(tmp_path.iterdir())
