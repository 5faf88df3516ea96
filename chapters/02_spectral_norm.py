# %% [markdown]
# # Spectral normalization: one number for each layer
#
# Spectral normalization (SN) divides each kernel of the discriminator by its largest singular value
# {cite:p}`miyato2018sn`. No layer can then stretch its input by more than a known factor.
#
# ```{admonition} What you will see
# - what a bound on $D$'s slope is good for;
# - the largest singular value, by power iteration and by a full SVD;
# - the matrix of a kernel, and how much more its convolution can stretch;
# - a $D$ trained with and without SN.
# ```
#
# ```{figure} ../_book/static/diagrams/sn_layer.svg
# :name: fig-sn-layer
# :alt: The kernel is folded into a matrix. One round of power iteration makes sigma and a new u of it and the last step's u. The kernel over sigma goes into the convolution.
#
# A normalized layer. Only the kernel is trained; $u$ is carried from step to step.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapter {doc}`01_dcgan`. The page takes {glue:text}`core-seconds:s` seconds of one core,
# where it was made.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 230), (64, 16, 2000))
BATCH, RATE = (32, 1e-3) if SCALE == "cpu" else (64, 2e-4)  # bold in a short run

# %% [markdown]
# ## Why bound the discriminator
#
# All that $G$ learns is the gradient of $D$'s score. If real and fake images do not overlap, a
# perfect $D$ can be flat on both and climb in the gap between {cite:p}`arjovsky2017principled`. Then
# $G$ is told nothing, whatever its loss.

# %% tags=["remove-cell", "long"]
import matplotlib.pyplot as plt
import numpy as np

from sagan_lib.book import page, plots

x = np.linspace(-1.5, 1.5, 601)
scores = {"no bound": (lambda x: np.tanh(12 * x), "0.45"), "slope at most 1": (lambda x: x, plots.COLOURS[2])}
figure, axis = plt.subplots(figsize=(6, 2.6))
for middle, who, colour in ((-0.7, "fake", plots.COLOURS[0]), (0.7, "real", plots.COLOURS[1])):
    axis.fill_between(x, -1.5, -1.5 + np.exp(-((x - middle) / 0.2) ** 2), color=colour, alpha=0.35, lw=0)
    axis.text(middle, -1.42, who, ha="center", color=colour, weight="bold")
for (name, (score, colour)), place, side in zip(scores.items(), ((-0.6, -0.92), (-0.76, -0.6)), ("left", "right")):
    axis.plot(x, score(x), color=colour, lw=2, label=name)
    steep = (score(-0.7 + 1e-4) - score(-0.7 - 1e-4)) / 2e-4
    assert round(float(steep), 4) == (0 if name == "no bound" else 1)
    axis.plot(-0.7, score(-0.7), "o", color=colour)
    axis.text(*place, f"slope {steep:.0f}", color=colour, ha=side)
axis.set(xlabel="images, on a line", ylabel="D's score", ylim=(-1.5, 1.3), xlim=(-1.5, 1.5))
axis.legend(loc="upper left")
page.show("fig_bound", figure)

# %% [markdown]
# ```{glue:figure} fig_bound
# :name: fig-bound
# :alt: Two scores over a line from fakes to real images. The one without a bound jumps between them; its slope at the fakes is 0. The bounded one is straight; its slope is 1.
#
# Both tell fake from real. Only the bounded one tells $G$ which way to go.
# ```
#
# A bound on the slope forbids the cliff. A function is $K$-Lipschitz when
#
# $$
# \lVert f(x) - f(y) \rVert \le K \lVert x - y \rVert \quad \text{for all } x, y .
# $$ (eq-lipschitz)
#
# To climb from $-1$ to 1 $D$ needs a distance of $2/K$: a narrower gap is too short for it.
#
# One can clip weights {cite:p}`arjovsky2017wgan` or penalize singular values {cite:p}`yoshida2017spectral`. SN
# divides. A linear map $x \mapsto Wx$ has $K = \sigma(W)$, its **largest singular value** (no sigmoid here); ReLU and
# leaky ReLU have $K = 1$; a chain has at most the product. So each layer uses
#
# $$
# \bar W = W / \sigma(W) .
# $$ (eq-sn)

# %% [markdown]
# ## The largest singular value
#
# A singular value decomposition writes $W = \sum_i \sigma_i\, v_i u_i^\top$: unit vectors $u_i$ at right
# angles to each other, $v_i$ likewise, and $\sigma_1 \ge \sigma_2 \ge \dots \ge 0$. $W$ turns $u_i$ into
# $\sigma_i v_i$, and stretches nothing by more than $\sigma_1 = \sigma(W)$.
#
# *Power iteration* finds $\sigma_1$ alone, from below. Each round multiplies the part of $u$ along $u_i$ by
# $\sigma_i^2$, and the first outgrows the others:
#
# $$
# v \leftarrow \frac{W u}{\lVert W u \rVert}, \qquad
# u \leftarrow \frac{W^\top v}{\lVert W^\top v \rVert}, \qquad
# \sigma(W) \approx v^\top W u .
# $$ (eq-power)

# %%
def power_iteration(matrix, u, power_iterations):
    """The iteration above; `sagan_lib.spectral_norm` has the careful version."""
    for _ in range(power_iterations):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return v @ matrix @ u, u

# %%
import numpy as np
from sagan_lib import spectral_norm as sn

rng = np.random.default_rng(2)
matrix = rng.normal(size=(512, 64)).astype("float32")
u = rng.normal(size=64).astype("float32")
ours = float(sn.power_iteration(matrix, u, power_iterations=100)[0])
assert np.isclose(power_iteration(matrix, u, 100)[0], ours, rtol=1e-4)
assert np.isclose(ours, np.linalg.svd(matrix, compute_uv=False)[0], rtol=1e-3)

# %% [markdown]
# A matrix turns the circle of all unit vectors into an ellipse, whose long half axis is $\sigma$. Each round
# turns the vector towards the one that is stretched most.

# %% tags=["remove-input"]
small = np.array([[1.3, 0.9], [0.2, 1.1]], "float32")
u = np.array([-0.6, 0.8], "float32")
turns = [{"u": u.tolist(), "sigma": float(np.linalg.norm(small @ u))}]
for _ in range(8):
    u = sn.power_iteration(small, u)[1].numpy()
    turns.append({"u": u.tolist(), "sigma": float(np.linalg.norm(small @ u))})
truth = float(sn.exact_sigma(small))
assert abs(turns[-1]["sigma"] / truth - 1) < 1e-4
page.touch("power", {"matrix": small.tolist(), "rounds": turns, "sigma": truth},
           plots.ellipse(small, [turn["u"] for turn in turns[:3]]),
           "a circle, its image the ellipse, and three vectors that turn towards its long axis")

# %% [markdown]
# In the end a round multiplies the error of $\sigma$ by about $(\sigma_2/\sigma_1)^4$: it falls fast where one
# direction stands out, slowly where several are nearly as long.

# %%
def error_by_round(matrix, rounds, starts=10):
    """Relative error of sigma after 1, 2, ... rounds, a row for each start."""
    truth = float(sn.exact_sigma(matrix))
    errors = np.zeros((starts, rounds))
    for row in errors:
        u = rng.normal(size=min(matrix.shape)).astype("float32")
        for k in range(rounds):
            sigma, u = power_iteration(matrix, u, 1)
            row[k] = 1 - sigma / truth
    return np.maximum(errors, 1e-7)


strong = matrix.copy()
strong[0, 0] += 60  # one strong direction
errors = [error_by_round(each, 40) for each in (matrix, strong)]

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, name, rows in zip(plots.COLOURS, ("random", "one strong direction"), errors):
    axis.fill_between(range(1, 41), rows.min(0), rows.max(0), color=colour, alpha=0.25, lw=0)
    axis.semilogy(range(1, 41), np.median(rows, 0), color=colour, lw=2, label=name)
axis.set_xlabel("rounds of power iteration")
axis.set_ylabel("relative error of $\\sigma$")
axis.grid()
axis.legend()
page.show("fig_rounds", figure)
page.glue("error-one", 100 * np.median(errors[0][:, 0]), "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_rounds
# :name: fig-rounds
# :alt: Relative error against rounds for two matrices; with one strong direction it falls within a few rounds, for the random one slowly.
#
# Error of power iteration from ten random starts. Lines: medians; bands: all of them.
# ```
#
# One round from a random start is {glue:text}`error-one:s` % too low for the random matrix. Yet the
# paper uses one a step; the training below shows why that works.

# %% [markdown]
# ## Which matrix?
#
# A kernel has four axes, (height, width, in, out). {cite:t}`miyato2018sn` fold it so that each output
# channel is one row; here it is one column, (h w in, out): the same $\sigma$, by one reshape. The reshape to (out, h w in)
# looks as good, and mixes the channels.

# %%
def fold_right(kernel):
    return kernel.reshape(-1, kernel.shape[-1])


def fold_wrong(kernel):
    return kernel.reshape(kernel.shape[-1], -1)  # forgets to transpose first


def right_over_wrong(kernel):
    """Of both sigmas; numpy's 2-norm of a matrix is by a full SVD."""
    right, wrong = (np.linalg.norm(fold(kernel), 2) for fold in (fold_right, fold_wrong))
    return right / wrong

# %%
def fresh_and_strong(shape):
    """A random kernel, and the same with one pattern eight times as strong."""
    fresh = rng.normal(size=shape).astype("float32")
    inputs, outputs = rng.normal(size=np.prod(shape[:-1])), rng.normal(size=shape[-1])
    pattern = np.outer(inputs, outputs)
    pattern *= 8 * np.linalg.norm(fold_right(fresh), 2) / np.linalg.norm(pattern)
    return fresh, fresh + pattern.reshape(shape).astype("float32")


shapes = (4, 4, 32, 64), (4, 4, 64, 128), (3, 3, 128, 128)
kernels = [fresh_and_strong(shape) for shape in shapes]
ratios = np.array([[right_over_wrong(kernel) for kernel in pair] for pair in kernels])

# %% tags=["remove-cell"]
page.glue("fresh-off", 100 * np.abs(ratios[:, 0] - 1).max(), "{:.1f}")
page.glue("drift", ratios[:, 1].mean(), "{:.1f}")
assert np.abs(ratios[:, 0] - 1).max() < 0.05
assert ratios[:, 1].min() > 1.5

# %% [markdown]
# On fresh kernels both agree within {glue:text}`fresh-off:s` %: a shuffled random matrix stays random. Where
# one input pattern dominates, the right $\sigma$ is about {glue:text}`drift:s` times the wrong one, and the
# "normalized" layer stretches by that.
#
# ```{admonition} The mistake in real code
# :class: dropdown
# The article behind this book folds the wrong way ({download}`E1 <../ERRATA.md>`). In short runs over seeds the Fréchet
# distance is then {glue:text}`times-scrambled:s` times as large.
# ```
#
# `sn.kernel_matrix` folds any layer's kernel; that of a transposed convolution has `in` and `out` swapped. Keras's own layer
# must give the same maps:

# %% tags=["nbval-check-output"]
import keras

images = rng.normal(size=(2, 8, 8, 32)).astype("float32")
conv = keras.layers.Conv2D(64, 4, 2, "same", use_bias=False)
theirs = keras.layers.SpectralNormalization(conv, power_iterations=20)
ours = sn.SNConv2D(64, 4, strides=2, use_bias=False, power_iterations=20)
for layer in (theirs, ours):
    layer.build(images.shape)
for layer in (conv, ours):
    layer.kernel.assign(kernels[0][1])
maps = [layer(images, training=True) for layer in (theirs, ours)]
np.testing.assert_allclose(*maps, atol=1e-4)
kept = [np.linalg.norm(fold_right(layer.kernel.numpy()), 2) for layer in (conv, ours)]
print("sigma of the kernel that is kept: Keras {:.0f}, sagan_lib {:.0f}".format(*kept))

# %% [markdown]
# Keras writes the normalized kernel back. Ours keeps the raw one, as the paper does, and divides at
# inference too.

# %% [markdown]
# ## What is bounded, and what is not
#
# SN divides by the norm of the *folded kernel*. The convolution uses it at every position; patches
# overlap, and the whole can stretch more. With circular padding its exact norm is the largest singular
# value over all frequencies of the kernel's Fourier transform {cite:p}`sedghi2018singular`.

# %%
def convolution_norm(kernel, side=32):
    """Exact norm of a stride-1 convolution with circular padding."""
    spectrum = np.fft.fft2(kernel, (side, side), axes=(0, 1))
    # (side, side, in, out): a matrix for each frequency
    return np.linalg.svd(spectrum, compute_uv=False).max()


pair = rng.normal(size=(3, 3, 32, 32)), np.ones((3, 3, 1, 1))  # random, box filter
more = [convolution_norm(k) / np.linalg.norm(fold_right(k), 2) for k in pair]

# %% tags=["remove-cell"]
page.glue("fft-random", more[0], "{:.1f}")
page.glue("fft-box", more[1], "{:.0f}")

# %% [markdown]
# A random 3x3 convolution stretches {glue:text}`fft-random:s` times as much as its matrix, a box
# filter {glue:text}`fft-box:s` times, the most that is possible ({ref}`ex-sn-bound`). SN bounds every
# layer, and the bound is not 1.

# %% [markdown]
# ## With and without, in training
#
# The loss is the *hinge* {cite:p}`lim2017geometric,zhang2018sagan`:
#
# $$
# \begin{aligned}
# L_D &= \mathbb{E}_x\bigl[\max(0, 1 - D(x))\bigr] + \mathbb{E}_z\bigl[\max(0, 1 + D(G(z)))\bigr], \\
# L_G &= -\mathbb{E}_z\bigl[D(G(z))\bigr] .
# \end{aligned}
# $$ (eq-hinge)
#
# Real ones should exceed 1 and fakes fall below $-1$. Beyond, $D$'s loss has no gradient: only images inside
# these margins still train $D$.
#
# Two runs share layers, first weights, rates, images and noise. Only the division is left out of one.

# %%
from sagan_lib import dcgan, gan, sagan, ttur
from sagan_lib.datasets import faces

def build(use_sn):
    """A DCGAN generator against a discriminator with or without SN."""
    keras.utils.set_random_seed(2)
    g = dcgan.generator(RESOLUTION, WIDTH, 64)  # first, so both runs start from one G
    d = sagan.discriminator(RESOLUTION, WIDTH, attention_at=None, use_sn=use_sn)
    model = gan.GAN(g, d, ema_decay=0.99)
    model.compile(**ttur.two_time_scale(RATE, RATE, 0.5, 0.999), loss="hinge")
    return model

# %%
data, tenth = faces.Faces(RESOLUTION, size=8192), max(1, STEPS // 10)
normal, plain = build(True), build(False)
starts = normal.discriminator.trainable_variables
for weight, start in zip(plain.discriminator.trainable_variables, starts):
    weight.assign(start)

# %% [markdown]
# One callback compares each layer's estimate, and one from a fresh $u$, with numpy's SVD. Another notes
# $D$'s slope halfway between real and fake images, and what its layers allow: $2\sigma$ for a 4x4 kernel
# with stride 2 ({ref}`ex-sn-bound`).

# %%
layers = sn.normalized_layers(normal.discriminator)
watched = [layer for layer in layers if layer.kind == "conv"]


def estimate_errors(layer):
    """1 - estimate / exact: with the kept u, and with a fresh one."""
    flat = np.asarray(layer.matrix())
    fresh = rng.normal(size=layer.u.shape).astype("float32")
    estimates = float(layer.sigma()[0]), float(sn.power_iteration(flat, fresh)[0])
    return 1 - np.array(estimates) / np.linalg.svd(flat, compute_uv=False)[0]

# %% tags=["hide-input"]
class WatchSigma(keras.callbacks.Callback):
    """Notes every layer's error now and then, and each step's seconds."""
    def __init__(self):
        super().__init__()
        self.steps, self.errors, self.seconds = [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.step.numpy())  # waits for the step
        self.seconds.append(time.perf_counter() - self.began)
        if step <= 10 or step % 20 == 0:
            self.steps.append(step)
            self.errors.append([estimate_errors(layer) for layer in watched])

# %%
import tensorflow as tf

def slope(d, images):
    """Length of the gradient of D's score at each image."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        score = tf.reduce_sum(d(images, training=False))
    gradients = tf.reshape(tape.gradient(score, images), (len(images), -1))
    return tf.norm(gradients, axis=1).numpy()

# %%
def allowed(d):
    """What D's layers allow: 2 sigma of a convolution, sigma of the dense layer."""
    product = 1.0
    for layer in d.layers:
        if hasattr(layer, "kernel"):
            normalized = hasattr(layer, "u")
            kernel = layer.normalized_kernel() if normalized else layer.kernel
            sigma = np.linalg.norm(fold_right(np.asarray(kernel)), 2)
            product *= sigma if len(kernel.shape) == 2 else 2 * sigma
    return product

# %% tags=["hide-input"]
class WatchSlope(keras.callbacks.Callback):
    """Notes (step, median slope, what is allowed) every tenth of the run."""
    def __init__(self):
        super().__init__()
        self.rows = []

    def on_train_begin(self, logs=None):
        self.on_epoch_end(0)

    def on_epoch_end(self, epoch, logs=None):
        step, d = int(self.model.step.numpy()), self.model.discriminator
        real, fake = data.images[:32] / 127.5 - 1, self.model.sample(32, ema=False)
        steep = slope(d, tf.constant((real + fake) / 2, tf.float32))
        self.rows.append((step, np.median(steep), allowed(d)))

# %%
sigmas, with_sn, without = WatchSigma(), WatchSlope(), WatchSlope()
for model, watches in ((normal, [sigmas, with_sn]), (plain, [without])):
    print("at the scale", SCALE, end=": ")
    model.fit(data, steps=STEPS, batch_size=BATCH, log_every=tenth, callbacks=watches)

# %% tags=["remove-cell", "long"]
kept, fresh_start = 100 * np.maximum(np.array(sigmas.errors), 1e-6).transpose(2, 0, 1)
figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, name, rows in zip(plots.COLOURS, ("u kept", "u drawn anew"), (kept, fresh_start)):
    axis.fill_between(sigmas.steps, rows.min(1), rows.max(1), color=colour, alpha=0.2, lw=0)
    axis.loglog(sigmas.steps, np.median(rows, 1), color=colour, lw=2, label=name)
axis.set_xlabel("training step")
axis.set_ylabel("error of $\\sigma$ in %")
axis.grid()
axis.legend()
page.show("fig_persistent", figure)
late = np.array(sigmas.steps) > STEPS // 2
assert np.median(kept[late]) < np.median(fresh_start[late])
page.glue("sn-kept", np.median(kept[late]), "{:.1f}")
page.glue("sn-kept-worst", kept[late].max(), "{:.0f}")
page.glue("sn-fresh", np.median(fresh_start[late]), "{:.0f}")

# %% [markdown]
# ### One round a step, if `u` is kept
#
# ```{glue:figure} fig_persistent
# :name: fig-persistent
# :alt: Error of sigma against the training step, a line with a band for the kept vector and one for a fresh one; the kept one's line lies below.
#
# One round a step in training. Lines: median of the convolutions; bands: all of them.
# ```
#
# A kernel changes little in one step. So the last step's vector is a good start for this one, and the
# rounds add up. In the second half of the run the estimate is {glue:text}`sn-kept:s` % too low in the
# median, {glue:text}`sn-kept-worst:s` % at worst; from a fresh vector, {glue:text}`sn-fresh:s` %. So $u$ is
# stored with the weights, and moved in training only.
#
# A full SVD in every step can become heavy, warn {cite:t}`miyato2018sn`. Is it?

# %%
def svd_seconds():
    """Least time to find every sigma of D by an SVD, once that is traced."""
    call = tf.function(lambda: [tf.linalg.svd(layer.matrix(), compute_uv=False)[0]
                                for layer in watched])
    times = []
    for _ in range(8):
        begun = time.perf_counter()
        [sigma.numpy() for sigma in call()]
        times.append(time.perf_counter() - begun)
    return min(times[1:])


share = svd_seconds() / min(sigmas.seconds)

# %% tags=["remove-cell"]
page.glue("svd-share", 100 * share, "{:.0f}")

# %% [markdown]
# Here the SVDs of $D$'s convolutions take about {glue:text}`svd-share:s` % of a training step.

# %% tags=["remove-cell", "long"]
figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, name, watch in zip(plots.COLOURS, ("SN", "no SN"), (with_sn, without)):
    steps, median, most = np.array(watch.rows).T
    axis.semilogy(steps, most, ls="--", color=colour, label=f"{name}: allowed")
    axis.semilogy(steps, median, color=colour, lw=2, label=f"{name}: measured")
    short = name.replace(" ", "-")
    page.glue(f"slope-{short}", median[-1], "{:.2f}")
    page.glue(f"allowed-{short}", most[-1], "{:.0f}")
    assert (median < most).all()
    assert median[-1] < 2 ** len(watched)  # as the text says
page.glue("slope-bound", 2 ** len(watched))
axis.set(xlabel="training step", ylabel="slope of D")
axis.grid()
axis.legend(ncols=2)
page.show("fig_steep", figure)
page.show("fig_sn_samples", plots.pictures(
    [model.sample(12) for model in (plain, normal)], columns=4, titles=["D without SN", "D with SN"]))

# %% [markdown]
# ### A bounded slope
#
# ```{glue:figure} fig_steep
# :name: fig-steep
# :alt: Four curves over training, with and without spectral normalization, dashed for the slope that the layers allow and solid for the median slope measured; with it the dashed curve is level.
#
# $D$'s slope halfway between real and fake images, and the most that its layers allow.
# ```
#
# With SN the layers allow {glue:text}`slope-bound:s`, up to the error of $\sigma$. Those of
# the other $D$ end at {glue:text}`allowed-no-SN:s`. The slopes end at {glue:text}`slope-SN:s` with SN,
# {glue:text}`slope-no-SN:s` without: here even the free $D$ stays below SN's bound.
#
# ```{glue:figure} fig_sn_samples
# :name: fig-sn-samples
# :alt: Two grids of twelve generated faces, from training without and with spectral normalization in D.
#
# The same generator against either $D$, not picked.
# ```
#
# One run of each shows that SN trains, not that it is better. SAGAN ({doc}`03_attention`) normalizes $G$ too
# {cite:p}`odena2018conditioning,zhang2018sagan`.

# %% [markdown]
# ## At which rates?
#
# A comparison at one pair of rates cannot tell a way to train from the luck of that pair. So this book's *fair
# trials* begin with a search: the same 16 pairs of rates for every way, {glue:text}`fair-steps:s` steps each.
#
# ```{glue:figure} fig_sn_rates
# :name: fig-sn-rates
# :alt: Two maps of Fréchet distances over the rates of G and D. With SN about half of the cells are framed, most of those where neither rate is the smallest. Without a constraint none is, and fast Ds do worse.
#
# Fréchet distance over the last half of a run; one seed a pair (a second one decides among the best five). Framed: at
# most 1.5 times the best of four ways ({numref}`fig-penalty-rates`).
# ```
#
# **SN lets $D$ learn fast.** Without it a fast $D$ does worse: {glue:text}`none-slow:s` at the smallest of its rates,
# {glue:text}`none-fast:s` at the largest, medians over $G$'s. With SN {glue:text}`sn-good:s` of 16 pairs end at
# {glue:text}`sn-edge:s` or less, none of them at $G$'s smallest rate.

# %% tags=["long", "remove-cell", "ledger"]
from sagan_experiments import answers, figures, ledger, trials, ways

store = trials.open_store()
page.show("fig_sn_rates", figures.rate_maps(store, ["sn", "none"]))
page.glue("fair-steps", store.protocol.steps, "{:,}")
none, normalized = (np.exp(trials.grid(way, store)) for way in ("none", "sn"))
middle = np.median(none, 0)  # over G's rates
assert (np.diff(middle[:3]) > 0).all()
assert middle[3] > middle[1]
page.glue("none-slow", middle[0], "{:.0f}")
page.glue("none-fast", middle[-1], "{:.0f}")
good = np.log(normalized) <= trials.good_edge(store)
assert not good[0].any()
assert good[1:, 1:].mean() > 0.7
page.glue("sn-good", good.sum())
page.glue("sn-edge", np.exp(trials.good_edge(store)), "{:.0f}")

# %% [markdown]
# ## Over seeds

# %% tags=["remove-cell", "long", "ledger"]
found = answers.answered(store, "02_spectral_norm")
page.show("fig_sn_seeds", figures.forest(found))
scrambled = ledger.result("scrambled")
assert scrambled.verdict == ledger.HOLDS
page.glue("times-scrambled", np.exp(scrambled.mean), "{:.1f}")
for name, each in found.items():
    page.glue(f"fair-{name}", np.exp(each.mean), "{:.0f}" if each.mean > 2 else "{:.1f}")
assert found["sn-none"].verdict == found["raw-inference"].verdict == "holds"  # as the text says
assert found["sn-dcgan"].verdict == found["dcgan-soon"].verdict == "undecided"
assert found["sn-dcgan"].low < 0
steep = {}
for way in ("sn", "none", "dcgan"):  # D's steepest gradient at real faces
    runs = store.seeds("arms", trials.best(way, store))
    steep[way] = np.median([runs[seed]["steepness"] for seed in range(1, 6)])
    page.glue(f"steep-{way}", steep[way], "{:.1f}")
assert steep["dcgan"] > steep["none"] > 4 * steep["sn"]

# %% [markdown]
# ```{glue:figure} fig_sn_seeds
# :name: fig-sn-seeds
# :alt: Sentences, each above a row of dots and a bar, with its verdict below.
#
# Each way at its own best rates. Dot: a seed. Bar: 98.3 % interval of the mean. In the grey band no difference is
# worth naming; right of it the sentence is right ({doc}`claims`).
# ```
#
# **SN ends better than no constraint**: without it the Fréchet distance is {glue:text}`fair-sn-none:s` times as large, at
# the slow $D$ that it then needs. **Better than DCGAN?** Undecided: {glue:text}`fair-sn-dcgan:s` times so far, and the
# interval includes 1. So is which of both is good sooner.
#
# **Slope is not all.** $D$'s steepest gradient at 256 real faces, in the median run, is {glue:text}`steep-sn:s` with SN,
# {glue:text}`steep-none:s` without, and {glue:text}`steep-dcgan:s` in DCGAN, which ends well all the same.
#
# A $G$ that was trained with SN must divide its kernels when it draws, too: raw ones make
# {glue:text}`fair-raw-inference:s` times the distance.

# %% [markdown]
# (longer-look)=
# ### A longer look
#
# Twice as long, at one pair of rates (SN at a second, too): the order changes on the way.

# %% tags=["remove-cell", "ledger"]
pilot = ledger.open_store(None, "pilot")
page.show("fig_longer", figures.curves(pilot))
assert pilot.protocol.steps == 2 * store.protocol.steps
long = {}
for way in ways.WAYS:  # geometric means over the 600 steps before each end
    curve = pilot.seeds("arms", ways.at_rates(way, 1e-3, 1e-3))[trials.TUNING[0]]["curve"]
    long[way] = [np.exp(np.mean([np.log(value) for step, value in curve if end - 600 < step <= end]))
                 for end in (600, 2400, 4800)]
assert long["none"][2] > 1.5 * long["none"][1] > long["sn"][1]
assert long["dcgan"][0] == min(each[0] for each in long.values())
assert max(long[way][2] for way in ("sn", "r1", "dcgan")) < 1.5 * long["r1"][2]

# %% [markdown]
# ```{glue:figure} fig_longer
# :name: fig-longer
# :alt: Five falling curves of the Fréchet distance over 4,800 steps. Without a constraint the curve turns up after about 2,000. DCGAN is soon the lowest; SN and R1 come to it later; SN with other rates stays behind.
#
# Four ways to train, one at a second pair of rates. One seed each: no verdict.
# ```
#
# **Hinge without SN gets worse again.** SN does not, nor R1 ({doc}`06_penalties`), nor DCGAN, which
# bounds nothing. DCGAN is ahead early; at the end the other two have caught up.
#
# So short runs say who starts fast, and fair trials ask that as a question of its own.

# %% tags=["remove-cell", "ledger"]
from sagan_lib.book import scales

large = scales.fold("02_spectral_norm", "sn-kept", "sn-fresh", "slope-SN", "slope-bound")
assert float(large["slope-SN"]) < float(large["slope-bound"]) / 10

# %% [markdown]
# ````{admonition} At 64 pixels
# :class: dropdown
# ```{glue:figure} fig_02_large
# :name: fig-02-large
# :alt: Two grids of generated faces of 64 pixels, with batch and with spectral normalization in D.
#
# $D$ of {doc}`01_dcgan` (left) and with SN (right): {glue:text}`large-state:s`.
# ```
#
# **Stays:** a kept $u$ is {glue:text}`large-sn-kept:s` % off, a
# fresh one {glue:text}`large-sn-fresh:s` %; $D$'s slope, {glue:text}`large-slope-SN:s`, is far below what
# is allowed. **Changes:** the bound is {glue:text}`large-slope-bound:s`, with a layer more.
# ````

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Summary
#
# - SN divides each kernel by its largest singular value. That bounds every layer, and so $D$'s slope.
# - One round of power iteration a step comes close *because* $u$ is kept between steps.
# - Fold the kernel by output channel. A wrong fold is invisible on fresh weights.
# - The convolution can still stretch more than 1: a 3x3 kernel by up to 3.
#
# The {doc}`playground` has the lesson *SN holds D*.

# %% [markdown]
# ## Exercises
#
# ```{exercise} The bound for a k x k kernel
# :label: ex-sn-bound
#
# Show that a stride-1 convolution with a $k \times k$ kernel and circular padding has at most $k$
# times the norm of its folded matrix. What is the factor for $k = 4$ and stride 2?
# ```
#
# ```{solution} ex-sn-bound
# :class: dropdown
#
# The convolution collects all patches, then applies the matrix to each. Collecting copies every pixel into
# $k^2$ patches, so it stretches lengths by exactly $k$; the matrix by at most $\sigma$. With stride $s$ (a
# divisor of $k$) each pixel is in $(k/s)^2$ patches: the factor is $k/s$, 2 for our layers.
# ```
#
# ```{exercise} The gradient of the normalized kernel
# :label: ex-sn-gradient
#
# Treat $u$ and $v$ as constants in $\sigma = v^\top W u$. Show that for a loss $L(\bar W)$ with
# $A = \partial L/\partial \bar W$, the gradient by $W$ is
# $\bigl(A - \langle A, \bar W \rangle\, v u^\top\bigr)/\sigma$. What does the second term remove?
# ```
#
# ```{solution} ex-sn-gradient
# :class: dropdown
#
# $\partial \sigma/\partial W = v u^\top$, and $\bar W = W/\sigma$, so the quotient rule gives the
# formula. The second term leaves nothing of the step along $W$ itself, since $\bar W$ does not change with
# $W$'s size.
# ```

# %% [markdown]
# ## Problem set
#
# Problem set 2 goes on from here: the fold, power iteration and the gradient, written by you and tested, and an
# experiment whose answer is not in the book ({doc}`problem_sets`).
