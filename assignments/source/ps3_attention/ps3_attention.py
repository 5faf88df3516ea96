# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 3: self-attention
#
# This set goes with chapter 3 of the book. You write the attention map with numpy, the layer with Keras, the
# gradient through the map by hand, measure how sharp the map of an untrained layer is, and explain
# the rest in words. 100 points; 60 to 120 minutes.
#
# Write where it says "your code here" or "Your answer here". Cells with tests are locked: run them
# to see what is still wrong. Some tests are run only when your work is graded. Helpers, parameters with
# default values, loops, float32, lists and tensors are yours to choose: what counts is the numbers
# that your functions give. Leave the arrays that you are given as they are. Restart the kernel and
# run all cells once before you hand in.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from sagan_lib.book.classroom import beside_answers, call, close, is_pair

import keras  # after sagan_lib, which keeps TensorFlow quiet
import numpy as np
import tensorflow as tf
from scipy import special

SEED = 0  # set by your instructor

# %% [markdown]
# ## 1. The map (20 points: 16 for the map, 4 for large logits)
#
# Two feature maps are given, as they come from 1x1 convolutions: `f`, the **keys**, says what there
# is to look at, and `g`, the **queries**, says what each position looks for. As in the book,
#
# $$s_{ij} = f(x_i)^\top g(x_j),\qquad \beta_{j,i} = \exp s_{ij} \Big/ \sum_{k} \exp s_{kj}.$$
#
# Write `attention_map(f, g)`, which gives $\beta$ with shape (batch, N, M): row $j$ tells where
# position $j$ looks. `g` has shape (batch, h, w, c), so $N = hw$, and positions are counted row by
# row of the picture. `f` has the same shape, or fewer positions where the keys were pooled: its
# own $h \times w$ are $M$ positions.
#
# Logits may be large: a trained network can have some in the hundreds, and $e^{1000}$ is infinite.
# Yours must be right for those as well, in each weight, however small. Write the softmax yourself, with numpy.

# %% nbgrader={"grade": false, "grade_id": "attention_map", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["softmax", "Softmax", "log_softmax", "logsumexp", "Attention", "dot_product_attention", "tensorflow", "tf", "keras", "torch", "jax"]
def attention_map(f, g):
    ### BEGIN SOLUTION
    keys = f.reshape(f.shape[0], -1, f.shape[-1])
    queries = g.reshape(g.shape[0], -1, g.shape[-1])
    scores = queries @ keys.transpose(0, 2, 1)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "attention_map_test_shape", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
for keys, queries, expected in [
    ((2, 3, 4, 5), (2, 3, 4, 5), (2, 12, 12)), ((2, 2, 2, 5), (2, 4, 4, 5), (2, 16, 4)),
]:  # fmt: skip
    got = call(attention_map, np.zeros(keys), np.zeros(queries))
    hint = "One row for each position of g, one column for each position of f."
    assert np.shape(got) == expected, f"The map of f {keys} and g {queries} has shape {np.shape(got)}, expected {expected}. {hint}"
### BEGIN HIDDEN TESTS
for keys, queries, expected in [
    ((1, 3, 1, 2), (1, 3, 2, 2), (1, 6, 3)), ((1, 1, 1, 2), (1, 2, 2, 2), (1, 4, 1)), ((2, 2, 2, 1), (2, 1, 1, 1), (2, 1, 4)), ((3, 2, 3, 4), (3, 4, 6, 4), (3, 24, 6)),
]:
    got = call(attention_map, np.zeros(keys), np.zeros(queries))
    assert np.shape(got) == expected, f"The map of f {keys} and g {queries} has shape {np.shape(got)}, expected {expected}. {hint}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "attention_map_test_hand", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
f, g = np.zeros((2, 1, 1, 2, 4))  # one picture of two pixels, 4 channels
f[0, 0, :, 0] = 0, np.log(3)
g[0, 0, :, 0] = 1, 2
got = call(attention_map, f, g)
close("the sum of each row", np.sum(got, axis=-1), np.ones((1, 2)), "Each position spreads an attention of 1 over all that it can look at.")
hint = "The first pixel of g has the logits 0 and log 3 for the two pixels of f, the second has 0 and 2 log 3."
close("the map of two pixels", got, np.array([[[1 / 4, 3 / 4], [1 / 10, 9 / 10]]]), hint)
### BEGIN HIDDEN TESTS
f, g = np.random.default_rng(SEED + 1).normal(size=(2, 1, 2, 3, 9))
expected = special.softmax(np.array([[key @ query for key in f.reshape(6, 9)] for query in g.reshape(6, 9)]), axis=1)
close("the map of six pixels", call(attention_map, f, g)[0], expected, "Go back to the equation: what is multiplied, what is summed over?")
f, g = np.random.default_rng(SEED + 1).normal(size=(2, 1, 13, 13, 2))
got = call(attention_map, f, g)
close("the sum of each row of a 13 x 13 picture's map", np.sum(got, axis=-1), np.ones((1, 169)), "Every position has a row, however many there are.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "attention_map_test_pixels", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
f, g = np.zeros((2, 1, 3, 4, 2))
g[0, 1, 2, 1] = 50.0  # row 1, column 2 of the picture: position 1 * 4 + 2
f[0, 2, 0, 1] = 1.0  # row 2, column 0: position 2 * 4 + 0
expected = np.full((1, 12, 12), 1 / 12)
expected[0, 6] = np.eye(12)[8]
hint = "Only position 6 looks for something, and finds it at position 8. Positions go row by row, the channels of a pixel stay together."
close("the map", call(attention_map, f, g), expected, hint)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(SEED + 2)
for high, wide in [(4, 3), (2, 5)]:
    (a, b), (p, q), channel = draw.integers(0, high, 2), draw.integers(0, wide, 2), draw.integers(3)
    f, g = np.zeros((2, 2, high, wide, 3))
    g[1, a, p, channel], f[1, b, q, channel] = 50.0, 1.0
    expected = np.full((2, high * wide, high * wide), 1 / (high * wide))
    expected[1, a * wide + p] = np.eye(high * wide)[b * wide + q]
    close("the map", call(attention_map, f, g), expected, "Positions go row by row, the channels of a pixel stay together.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "attention_map_test_large", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
f, g = np.zeros((2, 1, 1, 3, 1))
f[0, 0, :, 0], g[0, 0, :, 0] = (0, 4000, 4001), 1
got = call(attention_map, f, g)
share = 1 / (1 + np.exp(-1))
hint = "The logits of each row are 0, 4000 and 4001. Which number may you subtract from a row without changing its softmax?"
close("a map with large logits", got, np.full((1, 3, 3), [0, 1 - share, share]), hint)
### BEGIN HIDDEN TESTS
g[0, 0, :, 0] = 1, -1, -2
got = call(attention_map, f, g)
hint = "One row has only logits that are far below those of another row."
close("a map with large logits of both signs", got, np.array([[[0, 1 - share, share], [1, 0, 0], [1, 0, 0]]]), hint)
f[0, 0, :, 0] = 1000, 1001, 1003
g[0, 0, :, 0] = 1, -1, 2
got = call(attention_map, f, g)
close("a map with large logits of both signs", got, special.softmax(np.outer(g, f), axis=-1)[None], hint)
f[0, 0, :, 0], g[0, 0, :, 0] = (0, -30, -60), 1
got = np.log(np.maximum(np.asarray(call(attention_map, f, g), float), 1e-300))
close("the logarithms of a map", got, np.full((1, 3, 3), [0.0, -30, -60]), "A small weight is small, and not cut off at some limit.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "attention_map_test_images", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
f, g = np.random.default_rng(SEED + 3).normal(size=(2, 3, 2, 2, 4))
together = call(attention_map, f, g)
alone = [np.asarray(call(attention_map, f[k : k + 1], g[k : k + 1])) for k in range(3)]
hint = "An image must get the same map alone as among others: no image may look at another one."
close("the map of three images", together, np.concatenate(alone), hint)
assert np.abs(alone[0] - alone[1]).max() > 1e-3, "Every image has the same map."
### BEGIN HIDDEN TESTS
turned = call(attention_map, f[::-1], g[::-1])
close("the maps of the images in another order", turned, np.asarray(together)[::-1], hint)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. The layer (20 points: 8 for its parts and its gate, 4 for what it looks at, 3 for gradients, 5 for `training`)
#
# Write the attention layer of the book and the article: $y_j = \gamma\, o_j + x_j$ with
# $o_j = \sum_i \beta_{j,i}\, h(x_i)$.
#
# - `self.f`, `self.g` and `self.h` are made by `conv(filters, 1)`: 1x1 convolutions with
#   `channels // 8`, `channels // 8` and `channels` filters.
# - `self.gamma` is one trained number, a weight of shape (), that starts at 0.
# - `call` takes x of shape (batch, h, w, channels) and gives $y$ of the same shape.
# - It **hands `training` on** to its three convolutions, as a keyword. A test gives your layer convolutions
#   that are spectrally normalized, and whose `u` moves only if they are told that they are training.
#
# Logits may be large here, too, and the next batch may have pictures of another size. Use `keras.ops` or
# TensorFlow, so that gradients find their way to every weight, in training as well. The softmax may be
# a ready-made one here; the attention may not.

# %% nbgrader={"grade": false, "grade_id": "normalized", "locked": true, "schema_version": 3, "solution": false, "task": false}
class Normalized:
    """A spectrally normalized 1x1 convolution that counts the rounds of its power iteration.

    It is no Keras layer. Keras hands `training` on to its own layers; to this one, only you can.
    """

    def __init__(self, filters, kernel_size):
        self.filters, self.kernel_size = filters, (kernel_size, kernel_size)
        self.kernel, self.rounds = None, 0

    def __call__(self, x, training=False):
        if self.kernel is None:
            draw = np.random.default_rng([SEED, self.filters])
            self.kernel, self.u = draw.normal(size=(x.shape[-1], self.filters)), draw.normal(size=self.filters)
        v = self.kernel @ self.u
        u = self.kernel.T @ (v / np.linalg.norm(v))
        sigma = np.linalg.norm(u)
        if training:
            self.u, self.rounds = u / sigma, self.rounds + 1
        return keras.ops.matmul(x, keras.ops.cast(self.kernel / sigma, x.dtype))

# %% nbgrader={"grade": false, "grade_id": "SelfAttention", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention", "dot_product_attention"]
class SelfAttention(keras.layers.Layer):
    def __init__(self, channels, conv=keras.layers.Conv2D):
        super().__init__()
        ### BEGIN SOLUTION
        self.f = conv(channels // 8, 1)
        self.g = conv(channels // 8, 1)
        self.h = conv(channels, 1)
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")
        ### END SOLUTION

    def call(self, x, training=False):
        ### BEGIN SOLUTION
        def flat(t):  # (batch, h, w, c) -> (batch, h * w, c)
            return keras.ops.reshape(t, (t.shape[0], -1, t.shape[-1]))

        keys = flat(self.f(x, training=training))
        queries = flat(self.g(x, training=training))
        values = flat(self.h(x, training=training))
        scores = keras.ops.matmul(queries, keras.ops.transpose(keys, (0, 2, 1)))
        mixed = keras.ops.matmul(keras.ops.softmax(scores, axis=-1), values)
        return x + self.gamma * keras.ops.reshape(mixed, x.shape)
        ### END SOLUTION

# %% [markdown]
# The tests use your layer through the functions below, which give numbers: what it has, what it
# computes with weights of their own, and how often the `u` of its convolutions moved.

# %% nbgrader={"grade": false, "grade_id": "layer_helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
keras.config.disable_traceback_filtering()  # an error says first what it is


@beside_answers
def layer_parts(x):
    """What a new layer has, and what it gives."""
    layer = call(SelfAttention, x.shape[-1])
    assert isinstance(layer, keras.layers.Layer), "SelfAttention must be a Keras layer."
    y = call(layer, x)
    found = {"y": y, "gamma": getattr(layer, "gamma", None), "trainable": len(layer.trainable_variables)}
    found["gamma_learns"] = any(each is found["gamma"] for each in layer.trainable_variables)
    for name in "fgh":
        part = getattr(layer, name, None)
        is_conv = isinstance(part, keras.layers.Conv2D)
        found[name] = [part.filters, *part.kernel_size, len(part.weights)] if is_conv else None
    return found


@beside_answers
def layer_output(x, gamma, weights, training=False, upstream=None, after=None, compiled=False):
    """The layer's output with this gamma and these {name: (kernel, bias)} of f, g and h.

    With `upstream`, the gradients of sum(y * upstream), too. With `after`, the output for these images,
    after a call on x. With `compiled`, that in a tf.function.
    """
    layer = call(SelfAttention, x.shape[-1])
    call(layer, x)
    for name, (kernel, bias) in weights.items():
        part = getattr(layer, name)
        assert len(part.weights) == 2, f"self.{name} must have a kernel and a bias, as conv(filters, 1) makes them."
        part.set_weights([np.reshape(kernel, (1, 1, *kernel.shape)), bias])
    layer.gamma.assign(gamma)
    if after is not None:
        return call(layer, after)
    if compiled:
        try:
            return tf.function(layer, autograph=False)(tf.constant(x), training=training)
        except Exception as error:
            raise AssertionError(f"In a tf.function, SelfAttention stopped with {type(error).__name__}: {error}") from None
    images = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = call(layer, tf.convert_to_tensor(images), training=training)
        loss = tf.reduce_sum(y * (1.0 if upstream is None else upstream))
    if upstream is None:
        return y
    sources = {name: getattr(layer, name).weights[0] for name in weights} | {"gamma": layer.gamma, "x": images}
    gradients = dict(zip(sources, tape.gradient(loss, list(sources.values())), strict=True))
    return {"y": y, **gradients}


@beside_answers
def rounds_moved(x, modes):
    """How often the u of f, g and h moved in a call with each of these `training` (None: not given)."""
    layer = call(SelfAttention, x.shape[-1], conv=Normalized)
    call(layer, x)
    for name in "fgh":
        assert isinstance(getattr(layer, name), Normalized), f"self.{name} must be made by the conv that the layer is given."
    counts = []
    for mode in modes:
        before = [getattr(layer, name).rounds for name in "fgh"]
        call(layer, x, **({} if mode is None else {"training": mode}))
        counts.append([getattr(layer, name).rounds - n for name, n in zip("fgh", before, strict=True)])
    return counts


def drawn(seed, *shape):
    """Normally distributed float32 numbers."""
    return np.random.default_rng([SEED, *np.ravel(seed)]).normal(size=shape).astype("float32")


def drawn_weights(seed, channels=16):
    """(kernel, bias) of f, g and h."""
    sizes = {"f": channels // 8, "g": channels // 8, "h": channels}
    return {name: (drawn([seed, k], channels, n), drawn([seed, k, 1], n)) for k, (name, n) in enumerate(sizes.items())}


def by_loop(x, gamma, f, g, h):
    """What the layer must give, one position after the other."""
    y = np.array(x, "float64")
    for image, result in zip(x, y, strict=True):
        pixels = np.asarray(image.reshape(-1, image.shape[-1]), "float64")
        keys, queries, values = (pixels @ kernel + bias for kernel, bias in (f, g, h))
        for j, place in enumerate(np.ndindex(*image.shape[:2])):
            result[place] += gamma * (special.softmax(keys @ queries[j]) @ values)
    return y

# %% nbgrader={"grade": true, "grade_id": "SelfAttention_test_start", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
x = drawn(1, 2, 2, 3, 16)
found = call(layer_parts, x)
for name, filters in (("f", 2), ("g", 2), ("h", 16)):
    assert found[name] is not None, f"The layer has no convolution self.{name}."
    assert found[name][0] == filters, f"self.{name} has {found[name][0]} filters for 16 channels, expected {filters}."
    assert list(found[name][1:]) == [1, 1, 2], f"self.{name} must be a 1x1 convolution with a bias, as conv(filters, 1) makes it."
close("gamma of a new layer", found["gamma"], 0.0, "It is one number, and the network begins without attention.")
close("the output of a new layer", found["y"], x, "With gamma at 0 the layer gives back what it is given.", 1e-7)
assert found["gamma_learns"], "gamma is not among the layer's trainable variables, so no optimizer would ever move it."
### BEGIN HIDDEN TESTS
x = drawn(2, 1, 3, 1, 24)
close("the output of a new layer", call(layer_parts, x)["y"], x, "With gamma at 0 the layer gives back what it is given.", 1e-7)
assert found["trainable"] == 7, f"The layer has {found['trainable']} trainable weights. There are kernel and bias of f, g and h, and gamma."
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "SelfAttention_test_gate", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
x, nothing, bias = drawn(3, 2, 2, 3, 16), np.zeros((16, 16)), np.arange(16.0)
hint = "Here all values h(x) are the same vector b. A mean of equal vectors is that vector, so y is x + gamma b."
for gamma in (1.0, -0.5):
    close(f"the output with equal values and gamma {gamma}", call(layer_output, x, gamma, {"h": (nothing, bias)}), x + gamma * bias, hint)
### BEGIN HIDDEN TESTS
close("the output with equal values and gamma 3.0", call(layer_output, x, 3.0, {"h": (nothing, -bias)}), x - 3 * bias, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "SelfAttention_test_looks", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Compare your map, what it is multiplied with, and both reshapes with by_loop above."
weights = drawn_weights(4)
x = drawn(10, 1, 2, 2, 16) / 2
close("the output for one 2 x 2 picture", call(layer_output, x, 0.5, weights), by_loop(x, 0.5, **weights), hint)
### BEGIN HIDDEN TESTS
x = drawn(11, 3, 3, 2, 16) / 2
close("the output for three 3 x 2 pictures", call(layer_output, x, -0.7, weights), by_loop(x, -0.7, **weights), hint)
small = drawn(23, 3, 2, 1, 16) / 2
close("the output for smaller pictures afterwards", call(layer_output, x, -0.7, weights, after=small), by_loop(small, -0.7, **weights), "What is kept from the first call?")
large = 100 * x
close("the output for large logits", call(layer_output, large, -0.7, weights), by_loop(large, -0.7, **weights), "What does the softmax do with logits in the hundreds?", 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "SelfAttention_test_learns", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
weights = drawn_weights(13)
x, upstream = drawn(19, 2, 2, 3, 16) / 2, drawn(20, 2, 2, 3, 16)
hint = "Does it stay with keras.ops or TensorFlow all the way? numpy, float(...) and stop_gradient cut the path."
for training in (False, True):
    got = call(layer_output, x, 0.5, weights, training=training, upstream=upstream)
    lost = [name for name in ("gamma", "f", "g", "h", "x") if got[name] is None]
    assert not lost, f"No gradient arrives at {lost[0]}. {hint}"
    close("the gradient of gamma", got["gamma"], np.sum((by_loop(x, 1.0, **weights) - x) * upstream), hint, 1e-3)
    for name in "fgh":  # slopes along some steps, in float64
        kernel, bias = weights[name]
        steps = 1e-6 * drawn([21, *map(ord, name)], 5, *kernel.shape)
        ends = [[np.sum(by_loop(x, 0.5, **weights | {name: (k, bias)}) * upstream) for k in (kernel + s, kernel - s)] for s in steps.astype("float64")]
        slopes = [np.sum(got[name] * step) for step in steps]
        close(f"slopes of a loss along steps of the kernel of self.{name}", slopes, -np.diff(ends)[:, 0] / 2, hint, 1e-3)
    steps = 1e-6 * drawn(22, 5, *x.shape).astype("float64")
    ends = [[np.sum(by_loop(moved, 0.5, **weights) * upstream) for moved in (x + s, x - s)] for s in steps]
    close("slopes of a loss along steps of x", [np.sum(got["x"] * s) for s in steps], -np.diff(ends)[:, 0] / 2, f"The layers before this one learn through keys, queries and values. {hint}", 1e-3)
    compiled = call(layer_output, x, 0.5, weights, training=training, compiled=True)
    close("the output in a tf.function", compiled, got["y"], "A training step is compiled: it must be the same there.")
    close(f"the output with training={training}", got["y"], by_loop(x, 0.5, **weights), "With plain convolutions it is the same in training: nothing is dropped, and nothing is added.")

# %% nbgrader={"grade": true, "grade_id": "SelfAttention_test_training", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
x = drawn(12, 1, 2, 2, 16)
for name, rounds in zip("fgh", np.sum(call(rounds_moved, x, [True, True, True]), axis=0), strict=True):
    assert rounds > 0, f"In three training steps the u of self.{name} never moved: nobody told it that it is training."
    assert rounds == 3, f"In three training steps the u of self.{name} moved {rounds} times: call each convolution once."
### BEGIN HIDDEN TESTS
after, given, late = np.asarray(call(rounds_moved, x, [None, False, True]))
for name, rounds in zip("fgh", after + given, strict=True):
    assert rounds == 0, f"The u of self.{name} moved though the layer was not training."
(*_, off), on = call(rounds_moved, x, [True, False]), [1, 1, 1]
assert not np.any(off), "The u of a convolution moved though the layer was not training any more."
close("how often each u moves in a training call after others", late, on, "After a use without training, u no longer moves.")
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The gradient through the map (15 points: 11 for its numbers, 4 for the gate)
#
# Now backwards, by hand. Row $j$ of the logits, $s_j$, becomes row $p_j = \mathrm{softmax}(s_j)$ of
# the map, and
#
# $$y_j = x_j + \gamma \sum_i p_{ji}\, h_i .$$
#
# Let $a_j = \partial L/\partial y_j$ be the gradient that arrives from above. Derive
# $\partial L/\partial s_{ji}$ and $\partial L/\partial \gamma$ on paper, where $x$ and $h$ do not
# depend on $s$. Begin with $\partial L/\partial p_{ji}$; then go through the softmax of one row.
#
# Write `attention_gradient(logits, values, gamma, upstream)`, which gives the pair
# `(d_logits, d_gamma)`. `logits` $s$ are (batch, N, M), `values` $h$ (batch, M, c) and `upstream` $a$
# (batch, N, c). `d_gamma` is one number for the whole batch, as $\gamma$ is. You may use `special.softmax`.
# One test compares it with differences of the loss itself. Yours must be the formula: do without
# differences and automatic differentiation.

# %% nbgrader={"grade": false, "grade_id": "attention_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "autograd", "differences", "attention_loss", "gradient"]
def attention_gradient(logits, values, gamma, upstream):
    ### BEGIN SOLUTION
    p = special.softmax(logits, axis=-1)
    d_p = gamma * upstream @ values.transpose(0, 2, 1)
    inner = np.sum(p * d_p, axis=-1, keepdims=True)
    d_gamma = np.sum(upstream * (p @ values))
    return p * (d_p - inner), d_gamma
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "gradient_helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
def gradient_pair(logits, values, gamma, upstream):
    """Your function's result as (d_logits, d_gamma), checked to be a pair."""
    pair = call(attention_gradient, logits, values, gamma, upstream)
    assert is_pair(pair), "attention_gradient must give two things: d_logits and d_gamma."
    for name, got, size in zip(("d_logits", "d_gamma"), pair, (logits.shape, ()), strict=True):
        assert np.shape(got) == size, f"{name} has shape {np.shape(got)}, expected {size}."
    return pair


def differences(loss, at, step=1e-5):
    """The gradient of a loss by moving one number at a time."""
    gradient = np.zeros_like(at)
    for place in np.ndindex(*at.shape):
        move = np.zeros_like(at)
        move[place] = step
        gradient[place] = (loss(at + move) - loss(at - move)) / (2 * step)
    return gradient


def attention_loss(logits, values, gamma, upstream):
    """A loss with the gradient `upstream` on y; x adds a constant, which is left out."""
    return np.sum(upstream * gamma * (special.softmax(logits, axis=-1) @ values))



def gradient_example(seed, batch=2, n=4, m=4, c=3):
    """Logits, values and the gradient from above."""
    draw = np.random.default_rng([SEED, seed])
    return [draw.normal(size=(batch, *shape)) for shape in ((n, m), (m, c), (n, c))]

# %% nbgrader={"grade": true, "grade_id": "attention_gradient_test_hand", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
logits, values, upstream = np.zeros((1, 1, 2)), np.array([[[0.0], [1.0]]]), np.ones((1, 1, 1))
d_logits, d_gamma = gradient_pair(logits, values, 1.0, upstream)
hint = "One position looks at two, with the logits 0 and 0 and the values 0 and 1. With the first logit at t, o is 1 / (1 + exp(t)); with the second at t, 1 / (1 + exp(-t))."
close("d_logits of two pixels", d_logits, np.array([[[-1 / 4, 1 / 4]]]), hint)
close("d_gamma of two pixels", d_gamma, 1 / 2, "What is added to x is gamma / 2 here: by how much does it change if gamma grows by 1?")

# %% nbgrader={"grade": true, "grade_id": "attention_gradient_test_differences", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
def compare(seed, gamma, **sizes):  # with differences of the loss
    logits, values, upstream = gradient_example(seed, **sizes)
    d_logits, d_gamma = gradient_pair(logits, values, gamma, upstream)
    true = differences(lambda s: attention_loss(s, values, gamma, upstream), logits)
    close("d_logits", d_logits, true, "Every logit of a row moves every weight of that row, and no other row.", 1e-3)
    true = attention_loss(logits, values, 1.0, upstream)  # the loss is linear in gamma
    close("d_gamma", d_gamma, true, "gamma multiplies all positions of all images, and their parts of the loss add up.", 1e-3)


compare(1, 1.0)
### BEGIN HIDDEN TESTS
compare(2, 1.0, n=5, m=3, c=2)
compare(3, 1.0, batch=3, n=2, m=4, c=6)
compare(7, 1.0, batch=1, n=1, m=3, c=1)
logits, values, upstream = gradient_example(4)
d_logits, _ = gradient_pair(30 * logits, values, 1.0, upstream)
true = differences(lambda s: attention_loss(s, values, 1.0, upstream), 30 * logits)
close("d_logits of a map that is nearly 0 and 1", d_logits, true, "Is your softmax taken over the last axis?", 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "attention_gradient_test_rows", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
logits, values, upstream = gradient_example(5, n=5, m=6)
d_logits = np.asarray(gradient_pair(logits, values, 1.0, upstream)[0])
hint = "One number added to all logits of a row changes nothing, so the gradient of a row sums to 0."
close("the sum of d_logits over each row", d_logits.sum(-1), np.zeros((2, 5)), hint, 1e-5)
assert np.abs(d_logits).max() > 1e-3, "The gradient is zero everywhere."

# %% nbgrader={"grade": true, "grade_id": "attention_gradient_test_gate", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
logits, values, upstream = gradient_example(6)
d_once, d_gamma = gradient_pair(logits, values, 1.0, upstream)
d_shut, d_gamma_shut = gradient_pair(logits, values, 0.0, upstream)
close("d_logits with gamma 0", d_shut, np.zeros((2, 4, 4)), "With a shut gate the loss does not depend on the map.")
assert np.abs(d_gamma_shut) > 1e-6, "d_gamma is zero with gamma 0. Then the gate would never open."
close("d_gamma with gamma 0", d_gamma_shut, d_gamma, "The loss is a straight line in gamma: its slope is the same everywhere.")
### BEGIN HIDDEN TESTS
d_triple, d_gamma_triple = gradient_pair(logits, values, -3.0, upstream)
close("d_logits with gamma -3", d_triple, -3 * np.asarray(d_once), "gamma multiplies all that goes through the map.")
close("d_gamma with gamma -3", d_gamma_triple, d_gamma, "The loss is a straight line in gamma: its slope is the same everywhere.")
### END HIDDEN TESTS

# %% [markdown]
# ## 4. An experiment: how sharp is the map of an untrained layer? (15 points: 6 for `pixels_seen`, 9 for `experiment`)
#
# A sharp map looks as if the layer had found something. So what does a layer look like that has
# learned nothing? Measure how many pixels a position looks at by $\exp(H)$, where
# $H = -\sum_i p_i \ln p_i$ is the entropy of its row: attention that is spread evenly over $n$
# pixels counts as $n$. A weight of exactly 0 adds nothing to $H$.
#
# Write `pixels_seen(weights)`, which gives this number for each row of a map: from (batch, N, M) to
# (batch, N).
#
# Then write `experiment(seed, channels)`. From one `np.random.default_rng(seed)` draw **4** untrained
# layers, one after the other. For each draw 256 positions with normally distributed features
# (256 x `channels`), then the keys' kernel and then the queries', both `channels` x `channels // 8` and
# normally distributed. There is no bias. Divide each kernel by its **spectral norm**, as the book's layer
# does. Make the map as the book does, and give the **mean** of `pixels_seen` over all rows of all 4 layers. You may use
# `special.softmax` and `np.linalg`. Whoever draws in this order gets the same number from the same
# seed; a test has one for you to compare with.
#
# Before you run it, guess: of 256 pixels, how many are seen with 16, 64 and 256 channels? You will
# need the answer in problem 5.

# %% nbgrader={"grade": false, "grade_id": "experiment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pixels_seen(weights):
    ### BEGIN SOLUTION
    logs = np.log(np.where(weights > 0, weights, 1.0))
    return np.exp(-np.sum(weights * logs, axis=-1))
    ### END SOLUTION


def experiment(seed, channels):
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    seen = []
    for _ in range(4):
        x = rng.normal(size=(256, channels))
        f, g = rng.normal(size=(2, channels, channels // 8))
        f, g = f / np.linalg.norm(f, 2), g / np.linalg.norm(g, 2)
        logits = (x @ g) @ (x @ f).T
        seen.append(pixels_seen(special.softmax(logits, axis=-1)))
    return np.mean(seen)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "experiment_test_rows", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
weights = np.array([[[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0], [1, 0, 0, 0], [0, 0.5, 0.25, 0.25]]])
hint = "The four rows have the entropies ln 4, ln 2, 0 and 1.5 ln 2."
close("pixels_seen", call(pixels_seen, weights), np.array([[4, 2, 1, 2**1.5]]), hint)
### BEGIN HIDDEN TESTS
weights = np.random.default_rng(SEED + 8).dirichlet(np.ones(7), size=(2, 3))
expected = [[np.prod([p**-p for p in row]) for row in image] for image in weights]
close("pixels_seen of a (2, 3, 7) map", call(pixels_seen, weights), np.array(expected), "One number for each row.")
even = np.full((1, 1, 100_000), 1e-5)
close("pixels_seen of an even row of 100,000 pixels", call(pixels_seen, even), [[100_000]], "A small weight counts as it is: nothing is added in the logarithm that it would notice.", 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_number", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = call(experiment, 1, 16)
assert np.ndim(result) == 0, "experiment must give one number, the mean."
assert 1 <= result <= 256, "A position sees at least 1 and at most 256 pixels. Is it the mean over rows and layers?"
close("experiment(1, 16)", result, 171.945, "Is it drawn in the order of the text, from one generator? Is it the spectral norm that the kernels are divided by, and nothing else?", 1e-3)

# %% nbgrader={"grade": true, "grade_id": "experiment_test_values", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
cases = [(SEED + 10, 64), (SEED + 11, 64), (SEED + 10, 128)]
results = [call(experiment, *case) for case in cases]
close("the experiment with the same seed again", call(experiment, *cases[0]), results[0], "The same seed must give the same number.", 1e-9)
assert results[0] != results[1], "Two seeds give the same number: does the seed reach your random numbers?"
assert results[2] < results[0], "A logit is a sum over the key channels. With more of them its spread grows, and the map must become sharper."
### BEGIN HIDDEN TESTS
for (seed, channels), got in zip(cases, results, strict=False):
    draw, seen = np.random.default_rng(seed), []
    for _ in range(4):
        x = draw.normal(size=(256, channels))
        keys, queries = (x @ (k / np.linalg.norm(k, 2)) for k in draw.normal(size=(2, channels, channels // 8)))
        seen.append(call(pixels_seen, special.softmax(queries @ keys.T, axis=-1)[None]))
    close(f"the experiment with {channels} channels, with your own pixels_seen", got, np.mean(seen), "Every row of every layer counts the same.", 1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. In words (30 points)
#
# Three to six sentences each.
#
# **a) (10 points)** In the very first training step $\gamma$ is 0. Which of the layer's weights get a
# gradient then, and which do not? Problem 3 has the formulas for two of the paths; the third is
# through the values. Why does the layer still get going, and what would
# the first steps be like if $\gamma$ began at 1?

# %% [markdown] nbgrader={"grade": true, "grade_id": "gate", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# Whatever reaches $f$, $g$ and $h$ comes through the map and the values, and has the factor
# $\gamma$: their gradients are 0. The gradient of $\gamma$ itself is $\sum_j a_j^\top o_j$, which
# does not contain $\gamma$ and is not 0. So the first step moves $\gamma$ alone, and from the second
# one on a little gradient reaches the rest. With $\gamma = 1$ every position would have the values
# of dozens of random pixels added to its own features from the first step on, a disturbance that the
# other layers must learn to live with; with 0 the network begins as a plain convolutional one and
# lets in only as much as lowers its loss.
#
# **Rubric.** 3: f, g and h get none, because it has the factor gamma. 3: gamma's own does not have
# it, so gamma moves first and the rest follows. 4: with 1, untrained mixtures are added at once; with
# 0 the start is the plain network.

# %% [markdown]
# **b) (10 points)** How much memory does the map take for a batch of 64 in float32, with attention
# at 32x32, and how much at 64x64 (the forward pass alone)? What becomes of both numbers if keys and values are pooled 2x2
# first, and what does the layer lose by it?

# %% [markdown] nbgrader={"grade": true, "grade_id": "memory", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# At 32x32 there are $N = 1024$ positions and $N^2 \approx 10^6$ weights, 4 MiB for an image and
# 256 MiB for the batch. Twice the side means 4 times the positions and 16 times the map: 64 MiB and
# 4 GiB. Training has to keep it for the gradient, or to compute it again. Pooling quarters the keys,
# $N \times N/4$: 64 MiB and 1 GiB. The growth with the fourth power of the side remains. Every
# position still asks for itself, and the output keeps its resolution, but it can look at
# blocks of 2x2 only, whose keys and values are the maxima of each channel: finer detail cannot be
# picked out.
#
# **Rubric.** 3: 256 MiB (2: right method, slip in the arithmetic). 2: 16 times that. 2: pooling
# divides both by 4, not by 16. 3: queries stay, what is looked at gets coarser.

# %% [markdown]
# **c) (10 points)** A friend finds bright maps in the book's figure that point from one eye to the other,
# and concludes: "A GAN needs attention to make the eyes agree." Your experiment gives a reason for
# doubt about maps, the chapter's measurements say more. What do they show about the book's generator,
# what do they leave open, and which comparison would settle the friend's sentence? Up to ten sentences.

# %% [markdown] nbgrader={"grade": true, "grade_id": "proof", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# An untrained layer with many channels has sharp maps too, and in a figure in which each map is scaled
# to its own maximum even a flat map has bright spots. So one must count, against an even share and a
# control area, as the chapter does. A map tells where the layer looks, not what depends on it. The
# chapter therefore cuts the path between the eyes alone, with a control cut: the unequal eyes rise
# steeply, and nothing else changes. So in this generator the eyes agree by way of attention: the path
# is used. That it is *needed* is another sentence. A network without attention may settle the colour
# elsewhere, for instance on a 4x4 map that sees both eyes at once; cutting a trained network cannot
# tell. For that, one trains with and without attention over many seeds and compares the agreement
# beyond chance. In the chapter no gain shows on faces, and much stays undecided, which is not the same
# as refuted; it helps two discs that are further apart than the view of D.
#
# **Rubric.** 2: sharp or bright maps without training, so counting and a control are needed. 3: the
# cut path shows that the eyes of this generator depend on it, with the control. 3: used is not needed;
# training with and without, over seeds. 2: undecided is not refuted.
