# %% [markdown]
# # Self-attention: looking across the picture
#
# A convolution sees its neighbourhood and nothing else. Self-attention {cite:p}`zhang2018sagan` lets
# every position look at every other in one layer. The idea is that of machine translation, where a
# word looks for the words it depends on {cite:p}`bahdanau2014neural,vaswani2017attention`.
#
# ```{admonition} What you will see
# - what convolutions cannot see, and so what $D$ cannot punish;
# - attention in ten lines, and its gate $\gamma$;
# - a rule that a GAN with R1 begins to learn with attention, and not without;
# - where a trained generator looks, and what cutting that path does and does not tell.
# ```
#
# ```{figure} ../_book/static/diagrams/attention.svg
# :name: fig-attention-module
# :alt: From the input x three 1x1 convolutions make keys f, queries g and values h. Queries times keys give scores, N by N; a softmax makes each row a map, which mixes the values into o. The output is x plus gamma times o.
#
# The module, for a feature map of $N$ positions and $C$ channels.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need {doc}`02_spectral_norm`, matrix products and the softmax. The page takes
# {glue:text}`core-seconds:s` seconds of one core, where it was made.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 120), (64, 16, 2000))
BATCH = 16 if SCALE == "cpu" else 64

# %%
import keras

from sagan_lib import gan, sagan, ttur

# %% [markdown]
# ## What convolutions cannot see
#
# A 3x3 convolution of stride 1 carries information one pixel far, a stack of $L$ carries it $L$ pixels. Beyond
# that the output *cannot* depend on the input, whatever the weights. Strides help: each doubles how
# far the next convolution sees.
#
# ```{figure} ../_book/static/diagrams/reach.svg
# :name: fig-reach
# :alt: A face of 32 pixels with three squares around its left eye: 4 pixels hold the pupil, 10 the eye, 22 most of the face. The eyes are 9 pixels apart.
#
# What one number depends on after 1, 2 and 3 convolutions, 4x4 with stride 2.
# ```
#
# A small task shows it. A grid of 4 by 16 holds one pixel of one of four colours and, $d$ columns to
# its right, a mark. The network must name the colour **at the mark**.

# %%
import numpy as np

ROWS, SIDE, COLOURS = 4, 16, 4


def copy_task(n, distance=None, seed=0):
    """Grids (n, 4, 16, 5), the marks' places (n, 2), colours to name (n,)."""
    rng = np.random.default_rng(seed)
    d = rng.integers(1, 13, n) if distance is None else np.full(n, distance)
    row, column = rng.integers(0, ROWS, n), rng.integers(0, SIDE - d)
    colour = rng.integers(0, COLOURS, n)
    grid = np.zeros((n, ROWS, SIDE, COLOURS + 1), np.float32)
    grid[np.arange(n), row, column, colour] = 1
    grid[np.arange(n), row, column + d, COLOURS] = 1
    return grid, np.stack([row, column + d], 1), colour

# %%
from sagan_lib.attention import SelfAttention

def network(depth, attend=False):
    """`depth` 3x3 convolutions, or attention between two 1x1 convolutions."""
    inputs = x = keras.Input((ROWS, SIDE, COLOURS + 1))
    for _ in range(depth):
        x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    if attend:
        x = keras.layers.Conv2D(16, 1, activation="relu")(x)
        x = SelfAttention(use_sn=False)(x)
        x = keras.layers.Conv2D(16, 1, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Conv2D(COLOURS, 1)(x))

# %% tags=["remove-cell", "long"]
import tensorflow as tf

def accuracy_at(model, distance):
    """Share of 400 fresh grids whose colour the network names."""
    grids, marks, colours = copy_task(400, distance, seed=10**6 + distance)
    scores = tf.gather_nd(model(grids), marks, batch_dims=1)
    return float(np.mean(tf.argmax(scores, 1) == colours))


def learn(model, steps=400, batch=64):
    """Train on all distances at once; return the accuracy at each distance."""
    adam = keras.optimizers.Adam(3e-3)

    @tf.function
    def step(grids, marks, colours):
        with tf.GradientTape() as tape:
            scores = tf.gather_nd(model(grids, training=True), marks, batch_dims=1)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(
                colours, scores, from_logits=True))
        adam.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    for k in range(steps):
        step(*map(tf.constant, copy_task(batch, seed=k + 1)))
    return [accuracy_at(model, d) for d in range(1, 13)]

# %%
accuracy = {f"{depth} conv": learn(network(depth)) for depth in (1, 2, 4, 8)}
accuracy["attention"] = learn(network(0, attend=True))

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

figure, axis = plt.subplots(figsize=(6, 2.9))
for colour_, (name, values) in zip(plots.COLOURS, accuracy.items()):
    axis.plot(range(1, 13), values, "o-", ms=3, color=colour_, label=name)
axis.axhline(1 / COLOURS, color="black", lw=1, ls=":")
axis.set_xlabel("distance in pixels")
axis.set_ylabel("accuracy")
axis.grid()
axis.legend(loc="center right")
page.show("fig_copy", figure)

# %% [markdown]
# ```{glue:figure} fig_copy
# :name: fig-copy
# :alt: Accuracy against distance from 1 to 12 pixels. Stacks of 1, 2, 4 and 8 convolutions are near chance beyond their depth; the attention layer is accurate everywhere.
#
# Naming a colour $d$ pixels away. The dotted line is guessing. Each network is trained once, on all distances.
# ```

# %% tags=["remove-cell"]
beyond = [v for depth in (1, 2, 4, 8) for v in accuracy[f"{depth} conv"][depth:]]
inside = {depth: accuracy[f"{depth} conv"][depth - 1] for depth in (1, 2, 4, 8)}
assert max(beyond) < 0.4 < 0.7 < inside[8]
assert min(accuracy["attention"]) > 0.95
page.glue("copy-beyond", 100 * max(beyond), "{:.0f}")
page.glue("copy-attention", 100 * min(accuracy["attention"]), "{:.0f}")

# %% [markdown]
# Beyond its depth no stack is better than guessing: {glue:text}`copy-beyond:s` % at most. One attention
# layer is hardly ever wrong, at any distance.

# %% [markdown]
# ## What D can see
#
# In a picture of 32 pixels each place of $D$'s last feature map sees 22. Then a dense layer *adds up* what the
# places found, and a sum cannot compare two places.
#
# So measure it, on two discs of one colour. Recolour the left one, the right one, or both:
#
# $$ \text{related} = \frac{|D(\text{both}) - D(\text{left}) - D(\text{right}) + D(\text{neither})|}
#    {\tfrac{1}{2}\left(|D(\text{left}) - D(\text{neither})| + |D(\text{right}) - D(\text{neither})|\right)} $$
#
# Above and below the line stand means over pictures. If no part of $D$ sees both discs, this is 0, before
# training and after.

# %%
from sagan_lib.attention import attention_layers
from sagan_lib.datasets import discs
from sagan_lib.evaluation.sight import related

keras.utils.set_random_seed(0)
seeing = {"convolutions": sagan.discriminator(32, 16, attention_at=None),
          "with attention at 8x8": sagan.discriminator(32, 16, attention_at=8)}
layer, = attention_layers(seeing["with attention at 8x8"])
layer.gamma.assign(0.5)  # the gate, opened
APART = (10, 13, 16, 19, 22)
quartets = [discs.recoloured(100, distance=apart) for apart in APART]
sight = {name: [related(net, four) for four in quartets]
         for name, net in seeing.items()}

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6, 2.7), layout="tight")
for colour_, (name, values) in zip(plots.COLOURS, sight.items()):
    axis.plot(APART, values, "o-", ms=4, color=colour_, label=name)
axis.set(xlabel="pixels between the discs' middles", ylabel="related", xticks=APART, yscale="log")
axis.yaxis.set_major_formatter("{x:g}")
axis.grid()
axis.legend()
page.show("fig_sight", figure)
usual, helped = sight.values()
assert usual[0] > 0.1  # both are said below
assert 3 * usual[-1] < helped[-1]
page.glue("sight-near", usual[0], "{:.2f}")
page.glue("sight-far", usual[-1], "{:.3f}")
page.glue("sight-helped", helped[-1], "{:.3f}")

# %% [markdown]
# ```{glue:figure} fig_sight
# :name: fig-sight
# :alt: Two falling curves over the distance of the discs. Both discriminators relate near discs; at 22 pixels the one with attention lies several times higher.
#
# How far two untrained discriminators (one seed) relate two discs.
# ```
#
# $D$ relates discs 10 pixels apart ({glue:text}`sight-near:s`), those 22 apart hardly
# ({glue:text}`sight-far:s`, from their inner rims). With attention, explained next, it is
# {glue:text}`sight-helped:s`: faint, but training can build on it. The eyes of a face are 9 pixels apart;
# $D$ sees them together anyhow.

# %% [markdown]
# ## Attention, line by line
#
# Take a feature map $x$ of $N$ positions (height times width) and $C$ channels. Three 1x1 convolutions
# make *keys* $f(x)$ and *queries* $g(x)$ of $C/8$ channels, and *values* $h(x)$ of $C$:
#
# $$
# \begin{aligned}
# s_{ij} &= f(x_i)^\top g(x_j), \\
# \beta_{j,i} &= \exp s_{ij} \Big/ \sum_{k=1}^{N} \exp s_{kj}, \\
# o_j &= \sum_{i=1}^{N} \beta_{j,i}\, h(x_i) .
# \end{aligned}
# $$ (eq-attention)
#
# $\beta_{j,i}$ says how much position $j$ looks at position $i$. A gate adds the result to the input:
#
# $$
# y_j = \gamma\, o_j + x_j, \qquad \gamma = 0 \text{ at the start.}
# $$ (eq-gamma)
#
# A 1x1 convolution is a matrix, applied at every position:

# %%
def attention(x, f, g, h, gamma):
    """The output, of x's shape, and the map; f, g, h are matrices (C, .)."""
    b, height, width, channels = x.shape
    flat = tf.reshape(x, (b, height * width, channels))  # (b, N, C)
    keys, queries, values = flat @ f, flat @ g, flat @ h  # C/8, C/8, C channels
    scores = tf.matmul(queries, keys, transpose_b=True)  # (b, N, N)
    weights = tf.nn.softmax(scores, axis=-1)  # row j: what j looks at; sum 1
    mixed = tf.reshape(weights @ values, x.shape)  # (b, h, w, C)
    return x + gamma * mixed, weights

# %% [markdown]
# The library's `SelfAttention` gives the same, its kernels normalized ({doc}`02_spectral_norm`).

# %%
x = tf.random.stateless_normal((2, 8, 8, 16), seed=(1, 2))
layer = SelfAttention(use_bias=False)
layer.build(x.shape)
assert np.array_equal(layer(x), x)  # the gate is shut
layer.gamma.assign(0.5)
kernels = [conv.normalized_kernel()[0, 0] for conv in (layer.f, layer.g, layer.h)]

y, weights = attention(x, *kernels, gamma=0.5)
theirs, their_map = layer(x, return_attention=True)
assert weights.shape == their_map.shape == (2, 64, 64)
np.testing.assert_allclose(weights, their_map, rtol=1e-4, atol=1e-6)
np.testing.assert_allclose(y, theirs, rtol=1e-4, atol=1e-5)

# %% [markdown]
# Attention has no notion of near and far: shuffle the input's positions, and the output is shuffled alike.

# %%
order = np.random.default_rng(0).permutation(64)

def shuffled(t):
    flat = tf.gather(tf.reshape(t, (2, 64, 16)), order, axis=1)
    return tf.reshape(flat, t.shape)

moved, _ = attention(shuffled(x), *kernels, gamma=0.5)
np.testing.assert_allclose(moved, shuffled(y), rtol=1e-4, atol=1e-5)

# %% [markdown]
# The price is the map, $N^2$ numbers for each image: a million at 32x32 ({doc}`90_speed`).
#
# ```{admonition} The layer in the authors' code
# :class: dropdown
# Keys and values are pooled 2x2 first, which quarters the map; values have half the channels, and one more
# 1x1 convolution brings them back: `SelfAttention("pooled")`.
# ```

# %% [markdown]
# ## The gate
#
# With $\gamma = 0$ a network begins as a plain convolutional one. {cite:t}`zhang2018sagan` want it to learn
# what is near first and what is far later. Here a SAGAN takes its first steps, beside the log of the longer run
# whose generator comes with the book.

# %%
from sagan_lib.datasets import faces

keras.utils.set_random_seed(3)
live = gan.GAN(sagan.generator(RESOLUTION, WIDTH, 64, attention_at=16),
               sagan.discriminator(RESOLUTION, WIDTH, attention_at=16))
live.compile(**ttur.preset("sagan_x4"))
data = faces.Faces(RESOLUTION, size=8192)
history = live.fit(data, steps=STEPS, batch_size=BATCH, verbose=0,
                   log_every=STEPS // 20 or 1).history

# %% tags=["remove-cell", "long"]
import json

from sagan_lib import sampling, shipped
from sagan_lib.cli import runs

long_run = json.loads((shipped.folder() / "results" / runs.RESULTS).read_text())
log = long_run["log"]
figure, axes = plt.subplots(1, 2, figsize=(7, 2.7))
for axis, rows, title in ((axes[0], history, "live, first steps"), (axes[1], log, "the long run")):
    for colour_, name in zip(plots.COLOURS, ("g_gamma", "d_gamma")):
        axis.plot(rows["step"], rows[name], color=colour_, label=name.replace("_", " "))
    axis.axhline(0, color="black", lw=0.8)
    axis.set_title(title)
    axis.set_xlabel("training step")
    axis.locator_params("x", nbins=4)
    axis.grid()
axes[0].set_ylabel("$\\gamma$")
axes[0].legend()
figure.tight_layout()
page.show("fig_gamma", figure)

# %% [markdown]
# ```{glue:figure} fig_gamma
# :name: fig-gamma
# :alt: Gamma of both networks against the training step, on the left in the live run, on the right in the long one; all start at zero and move away from it.
#
# The gate $\gamma$ of both networks. The sign is free: $-\gamma$ with $-h$ is the same network.
# ```

# %% tags=["remove-cell"]
for name, rows in (("gamma", log), ("live-gamma", history)):
    page.glue(f"{name}-g", rows["g_gamma"][-1], "{:.2f}")
    page.glue(f"{name}-d", rows["d_gamma"][-1], "{:.2f}")

# %% [markdown]
# The gate opens: in the long run $\gamma$ ends at {glue:text}`gamma-g:s` in $G$ and {glue:text}`gamma-d:s` in $D$. What comes
# through it is another question.

# %% [markdown]
# ## The clean case: far discs
#
# Take a rule that $D$ hardly sees: two discs of one colour, 22 pixels apart. Stored runs train a GAN without
# attention, and one with it at 8x8 in both networks. All else is alike; $D$ is held by R1, a penalty on its
# slope at real images ({doc}`06_penalties`).

# %% tags=["remove-cell", "long"]
from sagan_experiments import far
from sagan_lib.datasets.source import from_bytes

record, samples = far.stored()
rows = {"data": discs.Discs(32, far.SHOWN, 1, 22).images} | samples
figure, axes = plt.subplots(4, 1, figsize=(7, 5), height_ratios=(1, 1, 1, 2.6), layout="constrained")
for axis, (name, images) in zip(axes, rows.items()):
    axis.imshow(plots.grid(from_bytes(images), far.SHOWN), interpolation="nearest")
    axis.set_title(name if name == "data" else f"{name} attention", fontsize=9, loc="left")
    axis.axis("off")
for colour_, (kind, seeds) in zip(plots.COLOURS, record["runs"].items()):
    for k, run in enumerate(seeds.values()):
        label = None if k else f"{kind} attention"
        axes[3].plot(*zip(*run["agreement"]), "o-", ms=3, color=colour_, label=label)
axes[3].set(xlabel="training step", ylabel="agreement", ylim=(-0.1, 1))
axes[3].grid()
axes[3].legend(loc="upper left")
page.show("fig_far", figure)

# %% tags=["remove-cell", "long"]
def later(kind):
    """Agreement over the later half of each run."""
    return [np.mean([v for step, v in run["agreement"] if step > run["agreement"][-1][0] / 2])
            for run in record["runs"][kind].values()]

page.glue("far-without", np.mean(later("without")), "{:.2f}")
page.glue("far-with", np.mean(later("with")), "{:.2f}")
page.glue("far-seeds", len(later("with")))
page.glue("far-steps", record["runs"]["with"]["1"]["agreement"][-1][0])
page.glue("far-least", min(later("with")), "{:.2f}")
page.glue("far-most", max(later("with")), "{:.2f}")
assert max(later("without")) < 0.1 < min(later("with"))
after = {kind: [run["related"][1] for run in runs.values()] for kind, runs in record["runs"].items()}
page.glue("related-without", np.median(after["without"]), "{:.4f}")
page.glue("related-with", np.median(after["with"]), "{:.2f}")
assert 100 * max(after["without"]) < min(after["with"])

# %% [markdown]
# ```{glue:figure} fig_far
# :name: fig-far
# :alt: Above, rows of pictures with two discs, alike in the data, rarely alike in samples without attention, more often with it. Below, agreement over training: flat near zero without attention, higher with it, and rising for two of three seeds.
#
# Above: data and samples (seed 1). Below: agreement of the discs, 0 as if drawn apart, 1 always; a line for
# each seed.
# ```
#
# Without attention discs are drawn and the rule is not kept: over the later half of {glue:text}`far-steps:s` steps
# the discs agree {glue:text}`far-without:s`, and {glue:text}`far-with:s` with attention
# ({glue:text}`far-least:s` to {glue:text}`far-most:s`; {glue:text}`far-seeds:s` seeds, one pair of rates). With it
# $D$ has learned to relate them: {glue:text}`related-with:s` against {glue:text}`related-without:s`, medians of the
# seeds. That is what attention can do: a rule longer than $D$'s view.

# %% [markdown]
# ## Where a trained generator looks
#
# `attention_map` returns a generator's images and the maps behind them. A row of a map is a picture of where
# one position looked.

# %% tags=["nbval-check-output"]
from sagan_lib.evaluation.maps import attention_map

generator = runs.generator()
z = sampling.latent(200, generator.input_shape[-1], seed=5)
images, maps = (part.numpy() for part in attention_map(generator, z))
asks, side = (round(n**0.5) for n in maps.shape[1:])
assert maps.shape == (200, asks * asks, side * side)
print(f"{len(images)} faces of {images.shape[1]} pixels;",
      f"{asks}x{asks} positions ask, {side}x{side} can be looked at")

# %% tags=["remove-cell", "long"]
EYES = {"left": (0.51, 0.36), "right": (0.51, 0.64)}  # (row, column) as fractions
POINTS = {"left eye": EYES["left"], "right eye": EYES["right"], "background": (0.06, 0.06)}


def position(point):
    """Number of the map's row for a point."""
    return int(point[0] * asks) * asks + int(point[1] * asks)


figure, axes = plt.subplots(4, 6, figsize=(7, 4.9))
for column, index in enumerate(range(6)):
    axes[0, column].imshow((images[index] + 1) / 2)
    axes[0, column].axis("off")
    for row, (name, point) in enumerate(POINTS.items(), 1):
        plots.overlay(images[index], maps[index, position(point)], point, axes[row, column])
        if column == 0:
            axes[row, 0].set_title(name, fontsize=9, loc="left")
figure.tight_layout(pad=0.4)
page.show("fig_maps", figure)

# %% [markdown]
# ```{glue:figure} fig_maps
# :name: fig-maps
# :alt: Six generated faces; under each, grey copies with the map in orange for a query at the left eye, the right eye and the background, marked by a cross.
#
# Six faces and where three points look. The cross asks, orange places answer; each map is scaled to its own
# maximum.
# ```
#
# Pictures invite wishful reading, so count: the attention from one eye to a square around the other, and as a
# control to a square below that.

# %%
from sagan_lib.evaluation.maps import looks_at

DOWN, share, control = 5 / 16, {}, {}
for one, other in (("left", "right"), ("right", "left")):
    row, column = EYES[other]
    share[one], even = looks_at(maps, EYES[one], EYES[other])
    control[one], _ = looks_at(maps, EYES[one], (row + DOWN, column))
either = np.maximum(*share.values()) > 0.5

# %% tags=["remove-cell"]
page.glue("either-half", 100 * np.mean(either), "{:.0f}")
page.glue("control-half", 100 * np.mean(np.maximum(*control.values()) > 0.5), "{:.0f}")
page.glue("even", 100 * even, "{:.1f}")
assert np.mean(either) > 0.75

# %% [markdown]
# In {glue:text}`either-half:s` % of 200 faces an eye gives more than half of *all* its attention to the
# other's square; spread evenly it would be {glue:text}`even:s` %. The control square gets as much in
# {glue:text}`control-half:s` %.

# %% [markdown]
# ### Cut one path
#
# Maps show where a layer looks, not what that is good for. So cut the path between the eyes: what one gave the
# other goes to all other places in equal parts. As controls, other places lose the square that *they* look at
# most.

# %%
from sagan_lib.evaluation.maps import cut, with_map

CONTROLS = {"hair": [(0.2, 0.36), (0.2, 0.64)],  # (row, column) as fractions
            "cheeks": [(0.7, 0.36), (0.7, 0.64)],
            "background": [(0.06, 0.06), (0.06, 0.9)]}
places = (np.indices((side, side)).reshape(2, -1).T + 0.5) / side


def busiest(query):
    """The point whose square gets most of the attention from `query`."""
    return max(places, key=lambda point: looks_at(maps, query, point)[0].mean())

# %%
left, right = EYES.values()
paths = {"as trained": [], "cut between the eyes": [(left, right), (right, left)]}
paths["both eyes cut off"] = [*paths["cut between the eyes"], (left, left), (right, right)]
for name, asking in CONTROLS.items():
    paths[name] = [(query, busiest(query)) for query in asking]


def without(pairs):
    """The change of a map that cuts these paths."""
    def change(weights):
        for query, target in pairs:
            weights = cut(weights, query, target)
        return weights
    return change

# %%
from sagan_lib.evaluation import judge

z = sampling.latent(300, generator.input_shape[-1], seed=6)
drawn, unequal = {}, {}
for name, pairs in paths.items():
    drawn[name] = with_map(generator, z, without(pairs)).numpy()
    unequal[name] = judge.heterochromia(judge.read(drawn[name]))
    print(f"{name:20} {unequal[name]:5.1%} unequal eyes")

# %% tags=["remove-cell"]
shown = ["as trained", "cut between the eyes", "both eyes cut off"]
page.show("fig_cut", plots.pictures([drawn[x][:9] for x in shown], columns=3, titles=shown))

# %% [markdown]
# ```{glue:figure} fig_cut
# :name: fig-cut
# :alt: The same nine faces three times: as trained; cut between the eyes, where many have eyes of two colours; with both eyes cut off, where few have, but several eyes are dark and mottled.
#
# The same noise three times, with no path cut, two or four.
# ```

# %% tags=["remove-cell"]
whole, between, blind, *others = unequal.values()
page.glue("unequal-whole", 100 * whole, "{:.0f}")
page.glue("unequal-cut", 100 * between, "{:.0f}")
page.glue("unequal-controls", 100 * max(others), "{:.0f}")
page.glue("unequal-blind", 100 * blind, "{:.0f}")
assert blind < between / 3
assert between > 5 * max(whole, *others)
for name in CONTROLS:  # which take much away
    assert np.mean([looks_at(maps, *pair)[0].mean() for pair in paths[name]]) > 0.15
    assert np.abs(drawn[name] - drawn["as trained"]).max() > 0.2

# %% [markdown]
# Unequal eyes rise from {glue:text}`unequal-whole:s` % to **{glue:text}`unequal-cut:s` %**; with a control
# cut there are at most {glue:text}`unequal-controls:s` %. Does the agreement need that path?
#
# **Perhaps not.** Let neither eye look at any eye, itself included, and only {glue:text}`unequal-blind:s` % read as
# unequal, though some are mottled. As {numref}`fig-maps` shows, both ask one place, beside one eye. The first cut
# took it mostly from the farther eye, so the two saw different things. A cut shows that a path is *used*, not that
# it is *needed*.
#
# Try it: point at a place, or move it by the arrow keys; cut a path and count; turn `gamma` down.

# %% tags=["remove-input"]
layer = generator.get_layer("attention")
page.touch("attention", EYES | {"down": DOWN, "seed": 3, "count": 100, "gamma": float(layer.gamma)},
           plots.pictures([drawn["as trained"][:4], drawn["cut between the eyes"][:4]], columns=4,
                          titles=["as trained", "cut between the eyes"]),
           "four generated faces as trained, and the same four with the path between the eyes cut")

# %% [markdown]
# ## Over seeds
#
# A network that never had attention may find another way, too. So train both, seed by seed, in short runs at
# one pair of rates.

# %% tags=["remove-cell", "ledger"]
from sagan_experiments import ledger

results = ledger.of_chapter("03_attention")
CHANGES = {"no attention": "attention-quality", "none, 4 times the steps": "attention-long",
           "none, 64 pixels": "attention-large", "on 8x8, not 16x16": "placement", "the authors' pooled layer": "pooled"}
page.show("fig_attention_seeds", plots.seeds({words: results[name] for words, name in CHANGES.items()}))
page.glue("far-gap", results["far-is-hard"].mean, "{:.1f}")
page.glue("patches-gain", results["attention-patches"].mean, "{:.1f}")
for name in ("far-is-hard", "attention-patches"):  # and as the text says of the others
    assert results[name].verdict == ledger.HOLDS
for name in ("attention-eyes", "attention-quality", "attention-long", "attention-large", "attention-far"):
    assert results[name].verdict != ledger.HOLDS
for name in ("placement", "pooled", "attention-far", "attention-long", "attention-large"):
    assert results[name].verdict == ledger.OPEN
assert sum(gain < 0 for gain in results["attention-quality"].counted) == 4

# %% [markdown]
# ```{glue:figure} fig_attention_seeds
# :name: fig-attention-seeds
# :alt: Five rows of dots, a bar and a tick each, on a logarithmic axis of factors, around 1 or left of it.
#
# Fréchet distance on faces after the change, divided by before. Dot: a seed. Bar: 97.5 % interval of the mean. Tick:
# the smallest effect worth naming.
# ```
#
# **It can pay where the rule is longer than $D$'s view.** Without attention the agreement of far discs is
# {glue:text}`far-gap:s` lower than that of near ones. Where $D$ averages scores of patches of 10 pixels, attention in
# $D$ raises it by {glue:text}`patches-gain:s`.
# With the usual $D$ under spectral normalization the seeds leave far discs undecided.
#
# **On faces no gain shows** after 600 steps, in the eyes or in the Fréchet distance, which was smaller without
# attention in four of five seeds. After four times the training,
# and at 64 pixels, the distance is undecided. Where the map is best placed, and what pooling costs, is undecided.
#
# {cite:t}`zhang2018sagan` report gains on ImageNet: 128 pixels, a thousand classes, far longer runs. All
# verdicts: {doc}`claims`.

# %% tags=["remove-cell", "ledger"]
from sagan_lib.book import scales

scales.fold("03_attention", "live-gamma-g", "live-gamma-d")

# %% [markdown]
# ````{admonition} At 64 pixels
# :class: dropdown
# ```{glue:figure} fig_03_large
# :name: fig-attention-large
# :alt: Gamma of both networks over 2,000 steps, on the left, leaving zero; on the right the long run as before.
#
# The gate at 64 pixels, for more steps: {glue:text}`large-state:s`.
# ```
#
# There $\gamma$ comes to {glue:text}`large-gamma-g:s` in $G$ and {glue:text}`large-gamma-d:s` in $D$. Reach, the
# layer and the maps above are the same.
# ````

# %% [markdown]
# ## Summary
#
# - A stack of $L$ 3x3 convolutions is blind beyond $L$ pixels, and $D$ cannot punish a rule that none of its
#   places sees whole.
# - Attention is three 1x1 convolutions, a softmax over positions, and a gate that starts at 0.
# - It can pay where a rule is longer than $D$'s view: under R1 far discs agree {glue:text}`far-with:s` with it,
#   {glue:text}`far-without:s` without. On faces no gain shows in short runs.
# - A cut path shows what is used: unequal eyes rise from {glue:text}`unequal-whole:s` % to
#   {glue:text}`unequal-cut:s` %. It does not show what is needed: where neither eye looks at an eye,
#   {glue:text}`unequal-blind:s` %.

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Exercises
#
# ```{exercise} Reach by dilation
# :label: ex-attention-depth
#
# With dilation $2^{k}$ in layer $k = 0, 1, \dots$, how many 3x3 convolutions does it take to see
# 12 pixels far? Change `network` and test it.
# ```
#
# ```{solution} ex-attention-depth
# :class: dropdown
#
# $L$ layers see $1 + 2 + \dots + 2^{L-1} = 2^L - 1$ pixels far, so $L = 4$ is enough. Pass
# `dilation_rate=2**k` to `Conv2D`. Reach is not the same as ease: look at the accuracy.
# ```
#
# ```{exercise} The keys' bias
# :label: ex-attention-bias
#
# Give the convolution that makes the keys a bias. Show that it never changes the map. Does a bias of the
# queries?
# ```
#
# ```{solution} ex-attention-bias
# :class: dropdown
#
# A bias $b$ of the keys adds $b^\top g(x_j)$ to $s_{ij}$, the same number for all $i$, and the
# softmax over $i$ does not see it. A bias of the queries adds $f(x_i)^\top b$, which depends on
# $i$: it does change the map.
# ```

# %% [markdown]
# ## Problem set
#
# Problem set 3 goes on from here: the map, the layer, and the gradient through the softmax, written by you and
# tested ({doc}`problem_sets`).
