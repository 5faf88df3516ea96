"""Self-attention against a plain loop, and what its definition promises."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import attention
from sagan_lib.attention import SelfAttention

HALF = ("pooled", "half_values")  # half the value channels and a convolution at the output


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
    if layer.variant in ("pooled", "pooled_keys"):
        keys, values = pool(keys), pool(values)
    keys, values = keys.reshape(-1, keys.shape[-1]), values.reshape(-1, values.shape[-1])
    out, rows = np.zeros_like(image), []
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            scores = np.array([queries[i, j] @ key for key in keys])
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            mixed = sum(w * v for w, v in zip(weights, values, strict=True))
            if layer.variant in HALF:
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
def test_training_reaches_the_convolutions_inside(variant):
    x = features()
    layer = ready(variant, x)
    inner = [layer.f, layer.g, layer.h, *([layer.out] if variant in HALF else [])]
    before = [np.asarray(conv.u) for conv in inner]
    layer(x, training=False)
    for conv, old in zip(inner, before, strict=True):
        np.testing.assert_array_equal(conv.u, old)
    layer(x, training=True)
    for conv, old in zip(inner, before, strict=True):
        assert not np.array_equal(conv.u, old)


def test_every_weight_receives_gradient_once_gamma_has_left_zero():
    x = features()
    layer = ready("pooled", x)
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
        ("article", (1, 4, 4, 12), "multiple of 8"),
        ("pooled", (1, 5, 4, 16), "even height"),
        ("pooled_keys", (1, 4, 5, 16), "'pooled_keys' needs even height and width"),
    ],
)
def test_refuses(variant, shape, words):
    with pytest.raises(ValueError, match=words):
        SelfAttention(variant)(np.zeros(shape, np.float32))


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


def test_an_old_name_of_the_pooled_variant_is_understood():
    assert SelfAttention("paper").variant == "pooled"


@pytest.mark.parametrize(
    ("variant", "shape", "of_map", "of_convs"),
    [
        # f and g 16 -> 2, h 16 -> 16 at 64 positions; 64 x 64 scores of 2, and sums of 16.
        ("article", (64, 64), 2 * 64 * 64 * (2 + 16), 2 * 64 * 16 * (2 + 2 + 16)),
        # h 16 -> 8, out 8 -> 16; keys and values at 16 positions.
        ("pooled", (64, 16), 2 * 64 * 16 * (2 + 8), 2 * 64 * 16 * (2 + 2 + 8 + 8)),
        ("pooled_keys", (64, 16), 2 * 64 * 16 * (2 + 16), 2 * 64 * 16 * (2 + 2 + 16)),
        ("half_values", (64, 64), 2 * 64 * 64 * (2 + 8), 2 * 64 * 16 * (2 + 2 + 8 + 8)),
    ],
)
def test_a_layer_says_what_it_costs(variant, shape, of_map, of_convs):
    layer = ready(variant, features((1, 8, 8, 16)))
    assert layer.map_shape() == shape
    assert (layer.map_flops(), layer.flops()) == (of_map, of_map + of_convs)


@pytest.mark.parametrize(
    ("variant", "method"),
    [("article", "chunked"), ("pooled", "auto"), ("pooled_keys", "chunked"),
     ("half_values", "auto")],
)  # fmt: skip
def test_pictures_of_any_size_give_what_a_layer_of_their_size_gives(variant, method):
    layer = SelfAttention(variant, method=method)
    inputs = keras.Input((None, None, 16))
    model = keras.Model(inputs, layer(inputs))
    layer.gamma.assign(0.7)
    traced = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 16))])
    for shape in ((2, 4, 6, 16), (3, 8, 2, 16)):
        x = features(shape)
        sized = ready(variant, x)
        sized.set_weights(layer.get_weights())
        np.testing.assert_allclose(model(x), sized(x), atol=1e-6)
        np.testing.assert_allclose(traced(x), sized(x), atol=1e-5)
    with pytest.raises(ValueError, match=r"height and width of .* are unknown, got \(None, None\)"):
        layer.map_shape()


@pytest.mark.parametrize("sides", [(4, 6), (None, None)])
def test_a_functional_model_gives_the_map_too(sides):
    x = features()
    inputs = keras.Input((*sides, 16))
    layer = SelfAttention("pooled")
    y, weights = layer(inputs, return_attention=True)
    assert y.shape == (None, *sides, 16)
    assert weights.shape == (None, *((24, 6) if sides[0] else (None, None)))
    for found, expected in zip(
        keras.Model(inputs, [y, weights])(x), layer(x, return_attention=True), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_without_bias_it_is_the_layer_whose_biases_are_zero(variant):
    x = features()
    plain, without = ready(variant, x), ready(variant, x, use_bias=False, method="chunked")
    for name in "fgh" + "o" * (variant in HALF):
        ours, theirs = (getattr(layer, {"o": "out"}.get(name, name)) for layer in (plain, without))
        assert not hasattr(theirs, "bias") or theirs.bias is None
        ours.kernel.assign(theirs.kernel)
        ours.u.assign(theirs.u)
    np.testing.assert_allclose(plain(x), without(x), rtol=1e-5, atol=1e-6)
    again = SelfAttention.from_config(without.get_config())
    assert (again.use_bias, again.method) == (False, "chunked")
