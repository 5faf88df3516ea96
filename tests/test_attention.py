"""Self-attention against a plain loop, and what its definition promises."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import attention, sagan
from sagan_lib.attention import SelfAttention


def features(shape=(2, 4, 6, 16), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ready(variant, x, gamma=0.7, **options):
    layer = SelfAttention(variant, **options)
    layer.build(x.shape)
    layer.gamma.assign(gamma)
    return layer


def conv1x1(layer, x):
    kernel = np.asarray(layer.normalized_kernel()) if layer.kind else np.asarray(layer.kernel)
    return x @ kernel[0, 0] + np.asarray(layer.bias)


def pool(x):
    h, w, c = x.shape
    return x.reshape(h // 2, 2, w // 2, 2, c).max((1, 3))


def reference(layer, image):
    """One image, one position at a time, in numpy."""
    keys, queries, values = (conv1x1(part, image) for part in (layer.f, layer.g, layer.h))
    if layer.variant == "paper":
        keys, values = pool(keys), pool(values)
    keys, values = keys.reshape(-1, keys.shape[-1]), values.reshape(-1, values.shape[-1])
    out, rows = np.zeros_like(image), []
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            scores = np.array([queries[i, j] @ key for key in keys])
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            mixed = sum(w * v for w, v in zip(weights, values, strict=True))
            if layer.variant == "paper":
                mixed = conv1x1(layer.out, mixed)
            out[i, j] = image[i, j] + float(layer.gamma) * mixed
            rows.append(weights)
    return out, np.array(rows)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_equals_the_plain_loop(variant):
    x = features()
    layer = ready(variant, x)
    y, weights = layer(x, return_attention=True)
    for index, image in enumerate(x):
        expected, rows = reference(layer, image)
        np.testing.assert_allclose(y[index], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(weights[index], rows, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_identity_at_gamma_zero_and_gamma_receives_gradient(variant):
    x = features()
    layer = SelfAttention(variant)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(y * features(seed=1))
    np.testing.assert_array_equal(y, x)
    assert abs(float(tape.gradient(loss, layer.gamma))) > 1e-3


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_rows_of_the_map_sum_to_one(variant):
    x = features()
    _, weights = ready(variant, x)(x, return_attention=True)
    assert weights.shape == (2, 24, 24 if variant == "article" else 6)
    np.testing.assert_allclose(tf.reduce_sum(weights, -1), np.ones((2, 24)), rtol=1e-5)


def test_unpooled_form_does_not_know_positions():
    x = features()
    layer = ready("article", x)
    order = np.random.default_rng(1).permutation(24)
    shuffled = x.reshape(2, 24, 16)[:, order].reshape(x.shape)
    moved = np.asarray(layer(x)).reshape(2, 24, 16)[:, order]
    np.testing.assert_allclose(np.asarray(layer(shuffled)).reshape(2, 24, 16), moved, atol=1e-5)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_channels_are_the_articles(variant):
    layer = ready(variant, features((1, 4, 4, 64)))
    assert layer.f.kernel.shape[-1] == layer.g.kernel.shape[-1] == 8
    assert layer.h.kernel.shape[-1] == (64 if variant == "article" else 32)
    assert hasattr(layer, "out") == (variant == "paper")


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_training_reaches_the_convolutions_inside(variant):
    x = features()
    layer = ready(variant, x)
    inner = [layer.f, layer.g, layer.h, *([layer.out] if variant == "paper" else [])]
    before = [np.asarray(conv.u) for conv in inner]
    layer(x, training=False)
    for conv, old in zip(inner, before, strict=True):
        np.testing.assert_array_equal(conv.u, old)
    layer(x, training=True)
    for conv, old in zip(inner, before, strict=True):
        assert not np.array_equal(conv.u, old)


def test_every_weight_receives_gradient_once_gamma_has_left_zero():
    x = features()
    layer = ready("paper", x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * features(seed=1))
    gradients = tape.gradient(loss, layer.trainable_variables)
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        # softmax does not see a constant added to all its scores, so the keys' bias is free
        if variable.path.endswith("f/bias"):
            continue
        assert float(tf.reduce_max(tf.abs(gradient))) > 0, variable.path


@pytest.mark.parametrize(
    ("variant", "shape", "words"),
    [
        ("sketch", (1, 4, 4, 16), "variant"),
        ("article", (1, 4, 4, 12), "multiple of 8"),
        ("paper", (1, 5, 4, 16), "even height"),
    ],
)
def test_refuses(variant, shape, words):
    with pytest.raises(ValueError, match=words):
        SelfAttention(variant)(np.zeros(shape, np.float32))


def test_without_spectral_norm_the_layers_are_keras_own():
    layer = ready("article", features(), use_sn=False)
    assert type(layer.f) is keras.layers.Conv2D


def test_mixed_precision_softmax_stays_float32():
    x = features()
    layer = ready("article", x)
    half = SelfAttention("article", dtype="mixed_bfloat16")
    half.build(x.shape)
    half.set_weights(layer.get_weights())
    y, weights = half(x, return_attention=True)
    assert (y.dtype, weights.dtype) == ("bfloat16", "float32")
    np.testing.assert_allclose(tf.cast(y, tf.float32), layer(x), atol=0.05)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_config_and_weights_survive_saving(variant, tmp_path):
    x = features()
    model = keras.Sequential([keras.Input(x.shape[1:]), SelfAttention(variant)])
    model.layers[0].gamma.assign(0.3)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(model(x), again(x))


def test_attention_map_is_the_one_the_model_used():
    model = sagan.generator(16, 8, 8, attention_at=8)
    attention.attention_layers(model)[0].gamma.assign(1.0)
    z = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    images, weights = attention.attention_map(model, z)
    np.testing.assert_allclose(images, model(z), rtol=1e-5, atol=1e-6)
    assert weights.shape == (3, 64, 64)
    with pytest.raises(ValueError, match="one SelfAttention"):
        attention.attention_map(sagan.generator(16, 8, 8, attention_at=None), z)


def test_a_cut_map_hands_out_what_it_takes():
    """Rows around the query lose the target, keep their sum; no other row and no input changes."""
    weights = np.random.default_rng(0).dirichlet(np.ones(16), (2, 64)).astype(np.float32)
    before = weights.copy()
    changed = attention.cut(weights, (0.3, 0.7), (0.8, 0.3), width=0.25)  # 3x3 rows, 1 place
    rows = [8 * r + c for r in (1, 2, 3) for c in (4, 5, 6)]
    others = np.setdiff1d(np.arange(64), rows)
    np.testing.assert_array_equal(weights, before)
    np.testing.assert_array_equal(changed[:, others], weights[:, others])
    assert (changed[:, rows, 4 * 3 + 1] == 0).all()
    kept = np.delete(changed[:, rows] - weights[:, rows], 4 * 3 + 1, axis=-1)
    share = weights[:, rows, 4 * 3 + 1] / 15
    np.testing.assert_allclose(kept, np.repeat(share[..., None], 15, -1), rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(changed.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_a_changed_map_is_what_the_rest_of_the_network_gets(variant):
    generator = sagan.generator(16, 8, 8, attention_at=8, variant=variant)
    layer = attention.attention_layers(generator)[0]
    # Large noise: the map of an untrained layer is nearly even otherwise.
    z = 200 * np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    layer.gamma.assign(0.7)
    plain, weights = attention.attention_map(generator, z)
    np.testing.assert_allclose(
        attention.with_map(generator, z, lambda w: w), plain, rtol=1e-4, atol=1e-5
    )
    seen = []
    even = attention.with_map(
        generator, z, lambda w: seen.append(w) or np.full_like(w, 1 / w.shape[2])
    )
    np.testing.assert_allclose(seen[0], weights, rtol=1e-4, atol=1e-6)
    assert np.abs(even - plain).max() > 1e-4
    layer.f.kernel.assign(0 * layer.f.kernel)  # keys that say nothing: attention spread evenly
    layer.f.bias.assign(0 * layer.f.bias)
    np.testing.assert_allclose(even, generator(z), rtol=1e-3, atol=1e-4)


def test_a_changed_map_needs_one_attention_layer():
    with pytest.raises(ValueError, match="must have one SelfAttention"):
        attention.with_map(sagan.generator(16, 8, 8, attention_at=None), np.zeros((1, 8)), id)


def test_looks_at_measures_the_square_around_the_target():
    """All attention on one place of a 4x4 map: inside the square it counts whole, else not."""
    weights = np.zeros((2, 64, 16), np.float32)  # 8x8 positions ask, 4x4 can be looked at
    weights[0, 8 * 2 + 5, 4 * 3 + 1] = 1  # the query at (2, 5) looks at (3, 1)
    weights[1, 8 * 2 + 5] = 1 / 16
    share, even = attention.looks_at(weights, (0.3, 0.7), (0.8, 0.3), width=0.25)
    assert even == 1 / 16
    np.testing.assert_allclose(share, [1, 1 / 16])
    share, even = attention.looks_at(weights, (0.3, 0.7), (0.6, 0.6), width=0.5)
    assert even == 9 / 16
    np.testing.assert_allclose(share, [1, 9 / 16])
    share, even = attention.looks_at(weights, (0.3, 0.7), (0.0, 0.99), width=0.5)
    assert even == 4 / 16  # cut off at the corner
    np.testing.assert_allclose(share, [0, 4 / 16])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.zeros((64, 16)), (0, 0), (0, 0)), "shape \\(batch, N, M\\)"),
        ((np.zeros((1, 60, 16)), (0, 0), (0, 0)), "square maps"),
        ((np.zeros((1, 64, 16)), (1.0, 0), (0, 0)), "query must be"),
        ((np.zeros((1, 64, 16)), (0, 0), (0, -0.1)), "target must be"),
        ((np.zeros((1, 64, 16)), (0, 0), (0, 0), 0), "width"),
    ],
)
def test_looks_at_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        attention.looks_at(*arguments)
