"""A network as a script: the exported numbers compute what the network does."""

import base64
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import conditional, networks, sampling, shipped
from sagan_lib.cli import export, runs
from sagan_lib.evaluation import judge


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


def test_the_books_script_is_that_of_the_shipped_generator():
    text = (shipped.root() / "_book" / "static" / "touch" / "faces64.js").read_text()
    found = unpacked(text)
    expected = export.arrays(runs.generator(), "g") | export.arrays(judge.load(), "judge")
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=2e-3, atol=1e-5)


def test_what_the_script_cannot_compute_is_refused():
    pooled, _ = networks.build("sagan", 16, 8, 6, attention_at=8, variant="pooled")
    with pytest.raises(ValueError, match="attention must be the article's, got variant 'pooled'"):
        export.arrays(pooled, "g")
    images = keras.Input((4, 4, 3))
    other = keras.Model(images, keras.layers.PReLU()(images))
    with pytest.raises(ValueError, match="must have a kernel, got PReLU"):
        export.arrays(other, "x")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            ("dcgan", 16, 8, 6),
            r"latent_dim 64, 64 pixels, attention at \[16\]; got .* 6, 16 .*\[\]",
        ),
        (("sagan", 64, 8, 64, 32), r"got .* 64, 64 pixels, attention at \[32\]"),
    ],
)
def test_a_generator_that_the_page_cannot_draw_is_refused(plan, words, monkeypatch, tmp_path):
    kind, *sizes = plan
    made, _ = networks.build(kind, *sizes[:3], attention_at=dict(enumerate(sizes)).get(3))
    monkeypatch.setattr(runs, "generator", lambda run: made)
    with pytest.raises(ValueError, match=words):
        export.export(tmp_path / "net.js", "run")
    assert not list(tmp_path.iterdir())


def test_the_books_own_generator_is_one_that_the_page_draws(tmp_path):
    text = export.export(tmp_path / "net.js").read_text()
    assert "g/attention/gamma" in text


def test_a_generator_that_takes_labels_is_refused(monkeypatch, tmp_path):
    told = conditional.generator(networks.build("sagan", 16, 8)[0], 5)
    monkeypatch.setattr(runs, "generator", lambda run: told)
    with pytest.raises(ValueError, match="without labels, got one that takes some"):
        export.export(tmp_path / "net.js", "run")
