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


def shaken(network):
    """It, with moments, gamma and biases that are those of no fresh network."""
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if weight.name != "kernel":
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return network


@pytest.fixture(scope="module")
def trained():
    return shaken(networks.build("sagan", 16, 8, 6, attention_at=8)[0])


def drawn(named, prefix, z, y=None):
    """What the exported numbers draw, in TensorFlow's plain operations; with labels, to order."""

    def get(name):
        return tf.constant(named[f"{prefix}/{name}"], tf.float32)

    def active(x, norm):
        if y is not None:
            x *= 1 + (y @ get(f"{norm}/gains"))[:, None, None]
            x += (y @ get(f"{norm}/offsets"))[:, None, None]
        return tf.nn.relu(x)

    x = z @ get("project/kernel") + get("project/bias")
    x = active(tf.reshape(x, (len(z), 4, 4, -1)), "bn4")
    for side in (8, 16):
        kernel = get(f"up{side}/kernel")
        x = tf.nn.conv2d_transpose(x, kernel, (len(z), side, side, kernel.shape[2]), 2)
        x = active(x + get(f"up{side}/bias"), f"bn{side}")
        if side == 8 and y is None:
            flat = tf.reshape(x, (len(z), 64, -1))
            f, g, h = (flat @ get(f"attention/{n}") + get(f"attention/{n}_bias") for n in "fgh")
            mixed = tf.nn.softmax(g @ tf.transpose(f, (0, 2, 1))) @ h
            x += get("attention/gamma") * tf.reshape(mixed, x.shape)
    return tf.tanh(tf.nn.conv2d(x, get("to_rgb/kernel"), 1, "SAME") + get("to_rgb/bias"))


def test_the_exported_numbers_draw_the_networks_images_to_order_too(trained):
    z, y = sampling.latent(4, 6), tf.one_hot([0, 1, 3, 3], 5)
    named = export.arrays(trained, "g")
    assert not any("bn" in name or name.endswith("/u") for name in named)
    np.testing.assert_allclose(drawn(named, "g", z), trained(z, training=False), atol=2e-5)
    told = shaken(conditional.generator(networks.build("sagan", 16, 8, 6)[0], 5))
    found = drawn(export.arrays(told, "order"), "order", z, y)
    np.testing.assert_allclose(found, told([z, y], training=False), atol=2e-5)


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
    ("plan", "at", "labels", "words"),
    [
        (("dcgan", 16, 8, 6), None, 0, r"64, 64 pixels, attention at \[16\]; got .* 6, 16 .*\[\]"),
        (("sagan", 64, 8), 32, 0, r"got .* 64, 64 pixels, attention at \[32\]"),
        (("sagan", 16, 8), None, 5, r"with labels of latent_dim 32, 32 .*; got .* 64, 16 "),
        (("sagan", 32, 8, 32), None, "join", r"with labels .*layers \[.*'concatenate'"),
        (("dcgan", 32, 8, 32), None, 5, r"with labels .*layers \[.*'bn4'"),
    ],
)
def test_a_generator_that_the_page_cannot_draw_is_refused(
    plan, at, labels, words, monkeypatch, tmp_path
):
    plain, _ = networks.build(*plan, attention_at=at)
    how = "join" if labels == "join" else "normalize"
    made = conditional.generator(plain, 5, how) if labels else plain
    monkeypatch.setattr(runs, "generator", lambda run: made)
    with pytest.raises(ValueError, match=words):
        export.export(tmp_path / "net.js", "run")
    assert not list(tmp_path.iterdir())
