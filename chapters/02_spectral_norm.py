# %% [markdown]
# # Spectral normalization: one number for each layer
#
# Chapter {doc}`01_dcgan` kept the game alive with rules of thumb. This chapter bounds the
# discriminator itself: divide every kernel by its largest singular value, and no layer can
# stretch its input by more than a known factor {cite:p}`miyato2018sn`.
#
# ```{admonition} What you will see
# - why a discriminator without a bound is a bad teacher;
# - the largest singular value by a full SVD and by power iteration: error and cost of both;
# - a bug in the article's code that hides at the start of training, made visible;
# - what is bounded and what is not: the matrix, and the convolution;
# - chapter 1's discriminator and a normalized one, trained side by side.
# ```
#
# ```{figure} ../_book/static/diagrams/sn_layer.svg
# :name: fig-sn-layer
# :alt: The kernel is folded into a matrix. One round of power iteration takes the matrix and the vector u that was kept from the step before, and gives sigma and a new u. The kernel divided by sigma goes into the convolution.
#
# A normalized layer. Only the kernel is trained; $u$ is carried from step to step.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapter {doc}`01_dcgan`, and to have met the singular value decomposition once. The page
# takes {glue:text}`core-seconds:s` seconds of one core, where it was made. What it says of matrices is
# exact. Its verdicts on training hold for one scale: {glue:text}`scale:s`.
# What it gives at 64 pixels is in {doc}`94_two_scales`.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 230), (64, 16, 2000))
BATCH, RATE = (32, 4e-4) if SCALE == "cpu" else (64, 2e-4)  # DCGAN's rate; twice that if short

# %%
import keras

from sagan_lib import dcgan, gan, sagan, ttur

def build(normalized):
    """A DCGAN generator against chapter 1's discriminator, or against a normalized one."""
    keras.utils.set_random_seed(2)
    g = dcgan.generator(RESOLUTION, WIDTH, 64)  # first, so that both runs start from the same G
    if normalized:
        d = sagan.discriminator(RESOLUTION, WIDTH, attention_at=None, slope=0.2)
    else:
        d = dcgan.discriminator(RESOLUTION, WIDTH)
    model = gan.GAN(g, d, ema_decay=0.99)
    model.compile(**ttur.two_time_scale(RATE, RATE, 0.5, 0.999), loss="hinge" if normalized else "bce")
    return model

# %%
plain, normal = build(False), build(True)
print(f"scale {SCALE}: two runs of {STEPS} steps; each {normal.plan(BATCH, STEPS)}")

# %% [markdown]
# ## Why bound the discriminator
#
# All that $G$ learns is the gradient of $D$'s score. If real and fake images do not overlap, a
# perfect $D$ can be flat on all of them and do its climbing in the gap between
# {cite:p}`arjovsky2017principled`. And nothing limits how steep it gets there
# {cite:p}`miyato2018sn`. The Wasserstein GAN was the first to ask for a bound, and clipped weights to
# get it {cite:p}`arjovsky2017wgan`; {cite:t}`yoshida2017spectral` added $\sigma$ to the loss as a
# penalty. Spectral normalization needs neither a clip nor a weight in the loss: it divides.
#
# A bound on the slope rules this out. A function is $K$-Lipschitz when
#
# $$
# \lVert f(x) - f(y) \rVert \le K \lVert x - y \rVert \quad \text{for all } x, y .
# $$ (eq-lipschitz)
#
# A linear map $x \mapsto Wx$ satisfies this with $K = \sigma(W)$, its **largest singular value**,
# the most by which it stretches any vector. ReLU and leaky ReLU have $K = 1$, and a chain of
# layers has at most the product of its parts. So it suffices to use, in each layer,
#
# $$
# \bar W = W / \sigma(W) .
# $$ (eq-sn)

# %% [markdown]
# ## The largest singular value, twice
#
# A singular value decomposition gives $\sigma(W)$ exactly. It also gives all the others, which
# nobody asked for. The article says that it may be too expensive in every step. *Power iteration* asks
# for the largest only: multiply a vector by $W$ and $W^\top$ in turn, and it leans towards the
# direction that is stretched most.
#
# $$
# v \leftarrow \frac{W u}{\lVert W u \rVert}, \qquad
# u \leftarrow \frac{W^\top v}{\lVert W^\top v \rVert}, \qquad
# \sigma(W) \approx v^\top W u .
# $$ (eq-power)
#
# The article says that this computes "the l2 distance" between $u$ and the kernel. There is no
# distance here: {eq}`eq-power` estimates a singular value, from below.

# %%
import numpy as np

def power_iteration(matrix, u, power_iterations):
    """The iteration above as it stands; `sagan_lib.spectral_norm` has the careful version."""
    for _ in range(power_iterations):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return v @ matrix @ u, u

# %%
from sagan_lib import spectral_norm as sn

rng = np.random.default_rng(2)
matrix = rng.normal(size=(512, 64)).astype("float32")
u = rng.normal(size=64).astype("float32")
ours = float(sn.power_iteration(matrix, u, power_iterations=100)[0])
assert np.isclose(power_iteration(matrix, u, 100)[0], ours, rtol=1e-4)
assert np.isclose(ours, np.linalg.svd(matrix, compute_uv=False)[0], rtol=1e-3)

# %% [markdown]
# ### Round by round
#
# In two dimensions it can be seen. A matrix turns the circle of all unit vectors into an ellipse,
# whose half axis is $\sigma$. Each round turns the vector towards the one that is stretched most.
#
# ```{figure} ../_book/static/diagrams/power.svg
# :name: fig-power
# :alt: Three panels with the unit circle and its image, an ellipse. A vector on the circle and its image turn from panel to panel towards the long axis of the ellipse; the image gets longer, from 0.76 to 1.51 to 1.80, where the exact value is 1.81.
#
# The vector $u$ (blue) and $Wu$ (orange) after no round, one and two.
# ```
#
# Try it: each press is a round.

# %% tags=["remove-input"]
from sagan_lib.book import page, plots

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
# ### How many rounds?
#
# Each round turns $u$ towards the right direction, by a factor of $(\sigma_2/\sigma_1)^2$ in its
# angle, and the error of $\sigma$ goes with the square of the angle. So it shrinks fast when one
# direction stands out and slowly when several are nearly as long. Below are a random matrix, in which many are, and one with a
# single strong direction, for ten starts each.

# %%
def error_by_round(matrix, rounds, starts=10):
    """Relative error of sigma after 1, 2, ... rounds, one row for each random start."""
    truth = float(sn.exact_sigma(matrix))
    errors = np.zeros((starts, rounds))
    for row in errors:
        u = rng.normal(size=min(matrix.shape)).astype("float32")
        for k in range(rounds):
            sigma, u = power_iteration(matrix, u, 1)
            row[k] = 1 - sigma / truth
    return np.maximum(errors, 1e-7)


strong = matrix + 60 * np.outer(np.eye(512)[0], np.eye(64)[0]).astype("float32")
errors = {"random": error_by_round(matrix, 40), "one strong direction": error_by_round(strong, 40)}

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, (name, rows) in zip(plots.COLOURS, errors.items()):
    axis.semilogy(range(1, 41), rows.T, color=colour, alpha=0.25, lw=1)
    axis.semilogy(range(1, 41), np.median(rows, 0), color=colour, lw=2, label=name)
axis.set_xlabel("rounds of power iteration")
axis.set_ylabel("relative error of $\\sigma$")
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
page.show("fig_rounds", figure)

# %% [markdown]
# ```{glue:figure} fig_rounds
# :name: fig-rounds
# :alt: Relative error on a logarithmic axis against rounds, ten thin lines and a median for each of two matrices; the matrix with one strong direction converges within a few rounds, the random one slowly.
#
# Error of power iteration from a random start. Thin lines are single starts, thick ones medians.
# ```

# %% tags=["remove-cell"]
page.glue("error-one", 100 * np.median(errors["random"][:, 0]), "{:.0f}")

# %% [markdown]
# One round from a random start is {glue:text}`error-one:s` % too low for the random matrix. Yet
# one round is what the paper uses. The trick is in the next section.

# %% [markdown]
# ### One round a step, if `u` is kept
#
# A kernel changes little in one training step. So the vector of the last step is a good start for
# this one, and one round a step adds up over the steps. The article promises "a very good
# estimate" from it. We train the normalized discriminator and hold each layer's estimate against
# numpy's SVD as we go; as a control, one round from a fresh random vector.

# %%
from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192)
watched = [layer for layer in sn.normalized_layers(normal.discriminator) if layer.u.shape[0] > 1]


def estimate_errors(layer):
    """1 - estimate / exact for one layer in training: with the kept u, and with a fresh one."""
    flat = np.asarray(sn.kernel_matrix(layer.kernel, layer.kind))
    fresh = rng.normal(size=layer.u.shape).astype("float32")
    estimates = float(layer.sigma()[0]), float(sn.power_iteration(flat, fresh)[0])
    return 1 - np.array(estimates) / np.linalg.svd(flat, compute_uv=False)[0]


# %%
class WatchSigma(keras.callbacks.Callback):
    """Notes every layer's error at the first steps, then now and then."""

    def __init__(self):
        super().__init__()
        self.steps, self.errors = [], []

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.step.numpy())
        if step <= 10 or step % 20 == 0:
            self.steps.append(step)
            self.errors.append([estimate_errors(layer) for layer in watched])

# %%
watch = WatchSigma()
tenth = max(1, STEPS // 10)
runs = {"SN": normal.fit(data, steps=STEPS, batch_size=BATCH, log_every=tenth, callbacks=[watch]).history}
kept, fresh_start = 100 * np.maximum(np.array(watch.errors), 1e-6).transpose(2, 0, 1)

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, layer, line, control in zip(plots.COLOURS, watched, kept.T, fresh_start.T):
    axis.loglog(watch.steps, line, color=colour, label=f"{layer.name}: u of length {layer.u.shape[0]}")
    axis.loglog(watch.steps, control, color=colour, ls=":", lw=1)
axis.set_xlabel("training step")
axis.set_ylabel("error of $\\sigma$ in %")
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
page.show("fig_persistent", figure)

# %% [markdown]
# ```{glue:figure} fig_persistent
# :name: fig-persistent
# :alt: Error of sigma in percent against the training step on logarithmic axes, a solid and a dotted line for each layer; the solid lines lie below the dotted ones and move up and down.
#
# One round a step, in a network that is being trained: `u` kept (solid) and drawn anew (dotted).
# Exact values are numpy's SVD. The last layer has one column, so its $\sigma$ is always exact.
# ```

# %%
late = np.array(watch.steps) > STEPS // 2
assert np.median(kept[late]) < np.median(fresh_start[late])

# %% tags=["remove-cell"]
page.glue("sn-kept", np.median(kept[late]), "{:.1f}")
page.glue("sn-kept-worst", kept[late].max(), "{:.0f}")
page.glue("sn-fresh", np.median(fresh_start[late]), "{:.0f}")
page.glue("sn-times", np.median(fresh_start[late]) / np.median(kept[late]), "{:.1f}")

# %% [markdown]
# In the second half of the run the kept vector's estimate is {glue:text}`sn-kept:s` % too low in
# the median, {glue:text}`sn-kept-worst:s` % at worst; a fresh one is {glue:text}`sn-fresh:s` % too
# low. Whether that is "very good" depends on the layer: compare the lines. While a kernel changes
# fast and its largest singular values lie close together, the estimate lags, and the division is
# by slightly too little.
#
# The memory is what does it. So `u` must be stored with the weights, saved with them, and moved in
# training only.
#
# A walk is easier to follow than a training. On a kernel that only drifts, as Adam would move it, the
# error is {glue:text}`one-round:s` (`one-round`: {glue:text}`one-round-verdict:s`), and a fresh $u$
# does {glue:text}`kept-u:s` as badly (`kept-u`: {glue:text}`kept-u-verdict:s`). In the training above
# it is {glue:text}`sn-times:s` times. Both say that the memory helps; how much depends on the kernel.

# %% [markdown]
# ### What it costs
#
# Both ways, on every kernel of a SAGAN's two networks, as a training step needs them. The ways are
# timed in turn within one loop, since a busy machine would otherwise favour one of them; the medians
# are shown.

# %%
import tensorflow as tf

def matrices(resolution):
    """The folded kernels of both networks at a resolution, 16 channels wide."""
    nets = sagan.generator(resolution, 16, 64), sagan.discriminator(resolution, 16)
    layers = [layer for net in nets for layer in sn.normalized_layers(net)]
    return [tf.constant(sn.kernel_matrix(layer.kernel, layer.kind)) for layer in layers]

# %%
def ways(folded):
    """Functions that find every sigma of a step: by a full SVD, and by 1 and 2 rounds."""
    starts = [tf.random.normal((min(m.shape),)) for m in folded]
    calls = [lambda: [tf.linalg.svd(m, compute_uv=False)[0] for m in folded]]
    calls += [lambda k=k: [sn.power_iteration(m, u, k)[0] for m, u in zip(folded, starts)] for k in (1, 2)]
    return [tf.function(call) for call in calls]


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start

# %%
sizes, cost = (32, 64, 128), []
for size in sizes:
    calls = ways(matrices(size))
    turns = [[seconds(call) for call in calls] for _ in range(8)]  # the first one traces
    cost.append(np.median(turns[1:], axis=0))
cost = 1000 * np.array(cost)
print("pixels     SVD   1 round  2 rounds   (milliseconds a step)")
for size, row in zip(sizes, cost):
    print(f"{size:6} {row[0]:8.1f}" + "".join(f"{ms:10.2f}" for ms in row[1:]))

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, label, values in zip(plots.COLOURS, ("full SVD", "1 round", "2 rounds"), cost.T):
    axis.loglog(sizes, values, "o-", color=colour, label=label)
axis.set_xticks(sizes, [str(size) for size in sizes], minor=False)
axis.minorticks_off()
axis.set(xlabel="pixels of the pictures", ylabel="milliseconds a step")
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
page.show("fig_cost", figure)
page.glue("cost-ratio", cost[-1, 0] / cost[-1, 1], "{:,.0f}")
page.glue("cost-svd", cost[-1, 0], "{:,.0f}")
page.glue("cost-two", cost[-1, 2] / cost[-1, 1], "{:.1f}")

# %% [markdown]
# ```{glue:figure} fig_cost
# :name: fig-cost
# :alt: Milliseconds a step against the resolution on logarithmic axes; the line of the full SVD lies far above the lines of one and two rounds.
#
# Time for all $\sigma$ of a step: a full SVD of every kernel (all singular values, no vectors), and
# one and two rounds of power iteration.
# ```
#
# At 128 pixels the SVDs of one step take {glue:text}`cost-svd:s` ms, {glue:text}`cost-ratio:s` times
# one round. Two rounds cost {glue:text}`cost-two:s` times one. The article is right: in every step,
# a full SVD is too dear. Whether it would *train* better is answered over seeds, below.

# %% [markdown]
# ## Which matrix?
#
# A kernel has four axes, (height, width, in, out). To speak of singular values we must fold it
# into a matrix, and the SN paper folds so that each output channel is one row (here: one column).
#
# The article's code calls `reshape(kernel, [out, -1])`. In TensorFlow `out` is the *last* axis,
# so this does not put one channel into a row. It mixes them: the numbers are all there, the
# matrix is not the layer's.

# %%
def article_matrix(kernel):
    """The article's fold: a reshape where a transpose was needed first."""
    return kernel.reshape(kernel.shape[-1], -1)


def wrong_over_right(kernel):
    top = [np.linalg.svd(m, compute_uv=False)[0]
           for m in (article_matrix(kernel), kernel.reshape(-1, kernel.shape[-1]))]
    return top[0] / top[1]


shapes = [(4, 4, 32, 64), (4, 4, 64, 128), (3, 3, 128, 128)]
fresh = [wrong_over_right(keras.initializers.GlorotUniform(s)(shape).numpy())
         for shape in shapes for s in range(3)]
print("right after initialization:", np.round(fresh, 3))

# %% [markdown]
# At the start the wrong matrix has almost the right $\sigma$: a random matrix stays random when
# its entries are shuffled. So the bug passes every glance at a fresh network. Training can give a
# kernel structure. Let one input pattern dominate, as a detector's would:

# %%
def with_detector(shape, strength, seed):
    """A fresh kernel plus `strength` (in units of sigma) in one direction of its own matrix."""
    generator = np.random.default_rng(seed)
    kernel = keras.initializers.GlorotUniform(seed)(shape).numpy()
    rows, columns = np.prod(shape[:-1]), shape[-1]
    pattern = np.outer(generator.normal(size=rows), generator.normal(size=columns))
    pattern /= np.linalg.norm(pattern)
    size = np.linalg.svd(kernel.reshape(rows, columns), compute_uv=False)[0]
    return kernel + strength * size * pattern.reshape(shape).astype("float32")


strengths = np.array([0, 1, 2, 4, 8])
drift = np.array([[wrong_over_right(with_detector(shape, k, seed)) for k in strengths]
                  for shape in shapes for seed in range(3)])

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6, 2.6))
axis.plot(strengths, drift.T, color=plots.COLOURS[1], alpha=0.5)
axis.axhline(1, color="black", lw=1)
axis.set_xlabel("strength of the detector, in units of $\\sigma$")
axis.set_ylabel("wrong $\\sigma$ / right $\\sigma$")
axis.grid(alpha=0.3)
page.show("fig_reshape", figure)

# %% [markdown]
# ```{glue:figure} fig_reshape
# :name: fig-reshape
# :alt: Ratio of the wrong to the right sigma against the strength of one dominant direction; all lines start near one and fall well below it.
#
# The article's reshape against the right matrix, for three kernel shapes and three seeds each.
# ```

# %% tags=["remove-cell"]
page.glue("fresh-off", 100 * np.abs(np.array(fresh) - 1).max(), "{:.1f}")
page.glue("drift-low", 1 / drift[:, -1].max(), "{:.1f}")
page.glue("drift-high", 1 / drift[:, -1].min(), "{:.1f}")

# %% [markdown]
# Fresh kernels: at most {glue:text}`fresh-off:s` % off. With a strong detector the right $\sigma$
# is {glue:text}`drift-low:s` to {glue:text}`drift-high:s` times the wrong one, so the
# "normalized" layer stretches by that factor. A test that only looks at fresh weights is no test.
#
# Transposed convolutions have their own trap: Keras stores them as (height, width, **out**, in).
# `sn.kernel_matrix` takes the kind of layer for this reason.

# %% tags=["nbval-check-output"]
kernel = rng.normal(size=(4, 4, 8, 16)).astype("float32")
for kind in ("conv", "conv_transpose"):
    print(f"{kind:15} kernel {kernel.shape} -> matrix {tuple(sn.kernel_matrix(kernel, kind).shape)}")

# %% [markdown]
# ## What is bounded, and what is not
#
# The article says that SN constrains the Lipschitz constant of the convolution. It does, but not
# to 1. It divides by the norm of the *folded kernel*. The convolution uses that kernel at every position,
# patches overlap, and the whole map can stretch more. With circular padding its exact norm is
# known: it is the largest singular value over all frequencies of the kernel's Fourier transform
# {cite:p}`sedghi2018singular`.

# %%
def convolution_norm(kernel, side=32):
    """Exact operator norm of a stride-1 convolution with circular padding, by FFT."""
    spectrum = np.fft.fft2(kernel, (side, side), axes=(0, 1))  # (side, side, in, out)
    return np.linalg.svd(spectrum, compute_uv=False).max()


def matrix_norm(kernel):
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


random_kernel = rng.normal(size=(3, 3, 32, 32))
box = np.ones((3, 3, 1, 1))
ratios = [convolution_norm(k) / matrix_norm(k) for k in (random_kernel, box)]

# %% tags=["remove-cell"]
page.glue("fft-random", ratios[0], "{:.2f}")
page.glue("fft-box", ratios[1], "{:.2f}")

# %% [markdown]
# A random 3x3 convolution stretches {glue:text}`fft-random:s` times as much as its matrix, a box
# filter {glue:text}`fft-box:s` times, which is the most that a 3x3 kernel can reach
# ({ref}`ex-sn-bound`). SN sets a bound on each layer, and the bound is not 1. That it works all
# the same is an observation.

# %% [markdown]
# ## Chapter 1's discriminator against a normalized one
#
# The normalized $D$ plays with the *hinge* loss {cite:p}`lim2017geometric,zhang2018sagan`, which the
# article prints too:
#
# $$
# \begin{aligned}
# L_D &= \mathbb{E}_x\bigl[\max(0, 1 - D(x))\bigr] + \mathbb{E}_z\bigl[\max(0, 1 + D(G(z)))\bigr], \\
# L_G &= -\mathbb{E}_z\bigl[D(G(z))\bigr] .
# \end{aligned}
# $$ (eq-hinge)
#
# The article calls $D$'s output an unscaled probability. It is a score without bounds: {eq}`eq-hinge`
# only asks that real ones exceed 1 and fakes fall below $-1$.
#
# The normalized run is done already. Now the same generator from the same start, the same rates and
# steps, with chapter 1's discriminator: batch normalization, cross-entropy, weights from a normal
# of deviation 0.02. (At the small scale both rates are twice DCGAN's, because the runs are short.) The normalized one has none of the three; its last, dense layer is normalized
# as well. (The article's text promises that for dense layers; its code leaves them out.)

# %%
runs["BN"] = plain.fit(data, steps=STEPS, batch_size=BATCH, log_every=tenth).history
samples = {"BN": plain.sample(500), "SN": normal.sample(500)}

# %% tags=["remove-cell"]
page.show("fig_sn_samples", plots.pictures(
    [samples["BN"][:32], samples["SN"][:32]], titles=["batch normalization in D", "spectral normalization in D"]))

# %% [markdown]
# ```{glue:figure} fig_sn_samples
# :name: fig-sn-samples
# :alt: Two grids of 32 generated faces, one from training against a batch-normalized discriminator, one against a spectrally normalized discriminator.
#
# The same generator after the same number of steps against two discriminators. Nothing picked.
# ```

# %% [markdown]
# How steep is each $D$? The normalized one has a guarantee. A 4x4 kernel with stride 2 copies each
# pixel into four patches, so a layer stretches by at most $2\sigma(\bar W)$
# ({ref}`ex-sn-bound`), and the network by the product. The next cell measures $\lVert \nabla_x D(x) \rVert$ on the way from real
# images to fake ones, where $G$ must find its way.

# %%
def slopes(model, n=64):
    """Length of the score's gradient at mixtures of real and fake images, one row a mixture."""
    real = tf.constant(data.images[:n] / 127.5 - 1, tf.float32)
    fake = tf.constant(model.sample(n, ema=False))
    rows = []
    for images in ((1 - share) * real + share * fake for share in np.linspace(0, 1, 9)):
        with tf.GradientTape() as tape:
            tape.watch(images)
            score = tf.reduce_sum(model.discriminator(images, training=False))
        gradient = tape.gradient(score, images)
        rows.append(tf.norm(tf.reshape(gradient, (n, -1)), axis=1).numpy())
    return np.array(rows)

# %%
steep = {"BN": slopes(plain), "SN": slopes(normal)}

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6, 2.8))
for colour, (name, rows) in zip(plots.COLOURS, steep.items()):
    low, middle, high = np.percentile(rows, (10, 50, 90), axis=1)
    axis.fill_between(np.linspace(0, 1, 9), low, high, color=colour, alpha=0.2)
    axis.semilogy(np.linspace(0, 1, 9), middle, color=colour, label=name)
axis.set_xlabel("real (0) to fake (1)")
axis.set_ylabel("length of the gradient")
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
page.show("fig_steep", figure)

# %% [markdown]
# ```{glue:figure} fig_steep
# :name: fig-steep
# :alt: Gradient length of two trained discriminators on a logarithmic axis along mixtures of real and fake images, with bands from the 10th to the 90th percentile.
#
# How steep the trained discriminators are between real and fake. Bands: 10th to 90th percentile.
# ```

# %% tags=["remove-cell"]
from sagan_lib.evaluation import judge

for name, images in samples.items():
    reading = judge.read(images)
    page.glue(f"seen-{name}", judge.coverage(reading)[0])
    page.glue(f"mismatch-{name}", 100 * judge.heterochromia(reading), "{:.0f}")
    page.glue(f"slope-{name}", np.median(steep[name]), "{:.2g}")
convolutions = [x for x in sn.normalized_layers(normal.discriminator) if x.kind == "conv"]
page.glue("slope-bound", 2 ** len(convolutions))
assert steep["SN"].max() < 2 ** len(convolutions)

# %% [markdown]
# The median length is {glue:text}`slope-BN:s` with batch normalization and {glue:text}`slope-SN:s`
# with SN, whose guarantee is {glue:text}`slope-bound:s` when $\sigma$ is exact. Nothing bounds the
# first.
#
# Attribute combinations among 500 faces: {glue:text}`seen-BN:s` with BN, {glue:text}`seen-SN:s`
# with SN. Unequal eyes: {glue:text}`mismatch-BN:s` % and {glue:text}`mismatch-SN:s` %. This is
# one run of each. It shows that SN trains, not that it is better. The article says that a bounded
# $D$ learns slowly and needs a larger rate; chapter {doc}`04_ttur` asks whether it does.
#
# The article, after {cite:t}`odena2018conditioning`, normalizes $G$ too. From chapter
# {doc}`03_attention` on, so do we: `sagan.generator` has SN in every layer.

# %% [markdown]
# ### Does it tame the generator?
#
# The article says that SN in $G$ keeps its parameters from growing. It does not: it divides by their
# size, so nothing holds that size back. In the long run of the shipped generator the largest raw
# singular value in $G$ went from {glue:text}`raw-first:s` to {glue:text}`raw-last:s`. What stays bounded
# is the *normalized* kernel, and that is the one that draws.
#
# {cite:t}`odena2018conditioning` look at the Jacobian $J = \partial G/\partial z$: how far a picture
# moves for a small move of the noise, in the direction that moves it most against the one that moves it
# least. Generators whose ratio is small scored better in their runs, and so did those whose ratio they
# pushed down.

# %%
def jacobian(generator, z):
    """dG/dz at one z, (latent_dim, pixels): all directions at once, forwards."""
    count = z.shape[-1]
    repeated = tf.repeat(z[None], count, axis=0)
    with tf.autodiff.ForwardAccumulator(repeated, tf.eye(count)) as forward:
        pictures = generator(repeated, training=False)
    return tf.reshape(forward.jvp(pictures), (count, -1)).numpy()


def conditions(generator, n=5):
    """Largest over smallest singular value of the Jacobian, at n noise vectors."""
    values = [np.linalg.svd(jacobian(generator, z), compute_uv=False)
              for z in sampling.latent(n, generator.input_shape[-1], seed=3)]
    return np.array([each[0] / each[-1] for each in values])

# %%
from sagan_lib import sampling
from sagan_lib.cli import runs as stored_runs

generators = {"untrained, no SN": dcgan.generator(RESOLUTION, WIDTH, 64),
              "untrained, SN": sagan.generator(RESOLUTION, WIDTH, 64, attention_at=None),
              "trained above, no SN": normal.ema_generator, "shipped, SN": stored_runs.generator()}
condition = {name: conditions(each) for name, each in generators.items()}
for name, values in condition.items():
    print(f"{name:20} {np.median(values):9,.0f}   ({values.min():,.0f} to {values.max():,.0f})")

# %% tags=["remove-cell"]
import json
from sagan_lib import shipped

log = json.loads((shipped.folder() / "results" / stored_runs.RESULTS).read_text())["log"]
page.glue("raw-first", log["g_sigma"][0], "{:.0f}")
page.glue("raw-last", log["g_sigma"][-1], "{:.0f}")
page.glue("condition-sn", np.median(condition["shipped, SN"]), "{:,.0f}")
page.glue("condition-fresh", np.median(condition["untrained, SN"]), "{:,.0f}")
assert log["g_sigma"][-1] > 2 * log["g_sigma"][0]
assert np.median(condition["shipped, SN"]) > np.median(condition["untrained, SN"])

# %% [markdown]
# The shipped generator is normalized in every layer, and its ratio is {glue:text}`condition-sn:s`;
# untrained it is about {glue:text}`condition-fresh:s`. So SN alone does not keep a generator's
# Jacobian well conditioned: batch normalization multiplies by weights of its own, and ReLUs cut whole
# directions off. Whether SN in $G$ pays is a question for seeds (`sn-g`, below).

# %% [markdown]
# ## Inference must divide too
#
# The listing in the article has lost its indentation. Read one way, it returns the raw kernel
# when `training=False`; the code it links to divides always, and only `u` waits for training.
# That is right: the network that one samples must be the one that was trained.
#
# Keras's own layer does something else. It writes $W/\sigma$ back into the weight during training,
# and at inference it runs whatever is stored. Here is a kernel with $\sigma = 8$ in both:

# %% tags=["nbval-check-output"]
kernel, unit = np.diag([8.0, 1, 1, 1]).astype("float32"), np.eye(4, dtype="float32")
theirs = keras.layers.SpectralNormalization(keras.layers.Dense(4, use_bias=False))
ours = sn.SNDense(4, use_bias=False, power_iterations=20)
theirs.build((None, 4))
ours.build((None, 4))
for weight in (theirs.layer.kernel, ours.kernel):
    weight.assign(kernel)
largest = [float(np.max(layer(unit, training=False))) for layer in (theirs, ours)]
print(f"largest output at inference: Keras {largest[0]:.2f}, sagan_lib {largest[1]:.2f}")
theirs(unit, training=True), ours(unit, training=True)
largest = [float(np.max(w)) for w in (theirs.layer.kernel, ours.kernel)]
print(f"stored weight after a training call: Keras {largest[0]:.1f}, sagan_lib {largest[1]:.1f}")

# %% [markdown]
# ## Algorithm 1, the listing, and today
#
# The same steps three times: as {cite:t}`miyato2018sn` print them, as the article's listing has them,
# and as `sagan_lib.spectral_norm` does.
#
# | step of algorithm 1 | the article's listing | here, with today's TensorFlow |
# |---|---|---|
# | a random $u$ for each layer | `K.random_normal_variable` of shape `[1, out]`, in the layer's `float64` | `add_weight(..., trainable=False)` in `float32`, on the kernel's smaller side; saved with the model |
# | the matrix of a kernel | `K.reshape(kernel, [out, -1])`: mixes channels ({doc}`errata`, E1) | `kernel_matrix`: a column for each output channel; transposed kernels are swapped first |
# | $v \leftarrow W^\top u / \lVert\cdot\rVert$ | `K.dot(_u, W)`, divided by its length plus $10^{-12}$ | `tf.linalg.matvec`; the largest entry is taken out first, so that tiny kernels do not underflow |
# | $u \leftarrow W v / \lVert\cdot\rVert$ | `K.dot(_v, K.transpose(W))` | the same with `transpose_a` turned |
# | $\sigma = u^\top W v$ | `K.sum(K.dot(_u, W) * _v)` | `tf.tensordot(v, matvec(W, u), 1)` |
# | $u$, $v$ are constants for the gradient | not said, so it flows through them (E4) | `tf.stop_gradient` |
# | keep $u$ for the next step | `self.u.assign(u)` if `training` | the same |
# | use $W/\sigma$ | divides in training; the raw kernel else, as the listing is printed (E2) | divides always |
#
# One of these hardly matters, and one can see why. At the right $u$ and $v$, $\sigma = v^\top W u$ is at
# its largest, so a small change of either does nothing to it. What the gradient picks up on its way
# through them (E4) vanishes as $u$ converges. Below: that part, as a share of the whole gradient, after
# so many rounds.

# %%
from sagan_experiments import bugs

def leak(rounds, start):
    """Share of the gradient that runs through u and v, if u has had so many rounds before."""
    weight, u = tf.Variable(matrix), start
    if rounds:
        u = sn.power_iteration(matrix, start, rounds)[1]
    with tf.GradientTape(persistent=True) as tape:
        right, wrong = sn.power_iteration(weight, u)[0], bugs.leaky_iteration(weight, u)[0]
    ours, theirs = tape.gradient(right, weight), tape.gradient(wrong, weight)
    return float(tf.norm(ours - theirs) / tf.norm(ours))

# %%
start = rng.normal(size=64).astype("float32")
leaks = {rounds: leak(rounds, start) for rounds in (0, 5, 20, 100, 500)}
print("  ".join(f"{rounds} rounds: {share:.1%}" for rounds, share in leaks.items()))
assert leaks[500] < leaks[0] / 5

# %% [markdown]
# ## Over seeds
#
# What this chapter's matrices show is exact. What SN does for a *training* is not: that takes
# seeds. The statements of the article about SN, and the mistakes of its code, each as an experiment
# ({doc}`claims`; the mistakes are told in {doc}`errata`):

# %% tags=["remove-input", "ledger"]
from IPython.display import Markdown

from sagan_experiments import ledger, report

results = ledger.of_chapter("02_spectral_norm")
Markdown(report.table(results, brief=True))

# %% tags=["remove-cell", "ledger"]
page.show("fig_sn_seeds", plots.seeds(results))

# %% [markdown]
# ```{glue:figure} fig_sn_seeds
# :name: fig-sn-seeds
# :alt: One row for each claim of the chapter; dots for the seeds, a bar for the interval, a tick for the limit, on a logarithmic axis of factors.
#
# Every seed of the claims whose effect is a factor. Bar: 97.5 % interval of the mean. Tick: limit,
# the smallest effect worth naming. A dot right of the tick is for the claim. `more-rounds` and
# `exact-svd` claim that little is lost: there it is a dot left of the tick.
# ```

# %% tags=["remove-cell", "ledger"]
page.glue_results(
    results, "sn-slope", "sn-d", "sn-g", "more-rounds", "scrambled", "raw-inference", "exact-svd",
    "one-round", "kept-u", "sn-settings", "sn-settings-gp",
)
from sagan_experiments import arms

page.glue("scale", arms.Protocol())

# %% [markdown]
# Seed 0 of one of them again, now: how far the scrambled matrix misses $\sigma$.

# %%
from sagan_experiments import measures

again, stored = measures.scrambled_sigma(0), results["scrambled-sigma"].values
print(f"now {np.exp(again):.2f}, published {np.exp(stored[0]):.2f}",
      f"(all seeds {np.exp(min(stored.values())):.2f} to {np.exp(max(stored.values())):.2f})")
assert abs(again - stored[0]) < 0.02

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# **SN makes $D$ flatter.** Without it $D$'s steepest gradient is {glue:text}`sn-slope:s` as large
# (`sn-slope`: {glue:text}`sn-slope-verdict:s`).
#
# **SN in $D$: a better GAN?** Without it the Fréchet distance is {glue:text}`sn-d:s` as large (`sn-d`:
# {glue:text}`sn-d-verdict:s`). Out of $G$ alone (it stays in $D$): {glue:text}`sn-g:s` (`sn-g`:
# {glue:text}`sn-g-verdict:s`).
#
# **Is one round enough?** One round against five: {glue:text}`more-rounds:s` the distance
# (`more-rounds`: {glue:text}`more-rounds-verdict:s`). One round against an exact SVD in every step:
# {glue:text}`exact-svd:s` (`exact-svd`: {glue:text}`exact-svd-verdict:s`). The claim is that less than
# a tenth is lost.
#
# **And the mistakes?** The reshape without a transpose: {glue:text}`scrambled:s` the distance
# (`scrambled`: {glue:text}`scrambled-verdict:s`). No division at inference:
# {glue:text}`raw-inference:s` (`raw-inference`: {glue:text}`raw-inference-verdict:s`).

# %% [markdown]
# ### One setting is no stability
#
# All those runs share their rates. *Stable* is what trains under many. {cite:t}`miyato2018sn` take six
# settings of Adam (their table 1): A to C are those of earlier papers, D to F are bolder.
#
# | | A | B | C | D | E | F |
# |---|---|---|---|---|---|---|
# | rate of both | 0.0001 | 0.0001 | 0.0002 | 0.001 | 0.001 | 0.001 |
# | $\beta_1$, $\beta_2$ | 0.5, 0.9 | 0.5, 0.999 | 0.5, 0.999 | 0.5, 0.9 | 0.5, 0.999 | 0.9, 0.999 |
# | steps of $D$ for one of $G$ | 5 | 1 | 1 | 5 | 5 | 5 |
#
# Here they are with SN in both networks, with none, and with the gradient penalty of chapter
# {doc}`06_penalties`, the rival of their figure 2. All have the same work, so that five steps of $D$
# leave fewer for $G$.

# %% tags=["remove-cell", "ledger"]
WAYS = {"SN": "sn", "none": "plain", "gradient penalty": "gp"}
chosen = {name: ledger.setting_runs(way) for name, way in WAYS.items()}
distances = {name: {s: [run["frechet"] for run in runs] for s, runs in each.items()}
             for name, each in chosen.items()}
page.show("fig_settings", plots.dots(distances, "Fréchet distance, 0 is best"))
every = [run for each in chosen.values() for runs in each.values() for run in runs]
page.glue("setting-runs", len(every))
page.glue("setting-diverged", sum(run["diverged"] for run in every))

# %% [markdown]
# ```{glue:figure} fig_settings
# :name: fig-settings
# :alt: Six columns for the settings A to F; in each, dots for the seeds with spectral normalization, with none and with the gradient penalty, on a logarithmic axis of the Fréchet distance.
#
# Every seed of the six settings, three ways to hold $D$. The bar is the mean of the logarithms.
# ```
#
# Count as good what comes within twice the best of both ways for its seed. SN's share of good settings
# less that of none: {glue:text}`sn-settings:s` (`sn-settings`: {glue:text}`sn-settings-verdict:s`). Less
# that of the gradient penalty: {glue:text}`sn-settings-gp:s` (`sn-settings-gp`:
# {glue:text}`sn-settings-gp-verdict:s`). Of {glue:text}`setting-runs:s` runs
# {glue:text}`setting-diverged:s` diverged; a run that does counts as not good.
#
# That is not what {cite:t}`miyato2018sn` report, who train $G$ for 100,000 steps on photographs and find
# SN the more robust. These are some hundred steps on drawn faces: which way *learns* at a setting, not
# which one breaks in the long run. The claim of robustness is not carried over by itself to a short run.

# %% [markdown]
# (longer-look)=
# ### A longer look
#
# All verdicts so far are about {glue:text}`short-steps:s` steps at one pair of rates. Train eight times as
# long, all at one larger pair of rates, and the order is another one.

# %% tags=["remove-cell", "ledger", "long"]
from sagan_experiments import figures, trials, ways

pilot = ledger.open_store(None, "pilot")
page.show("fig_longer", figures.curves(pilot))


def around(way, end, rates=(1e-3, 1e-3)):
    """Geometric mean of the distance over the 600 steps before `end`."""
    curve = pilot.seeds("arms", ways.at_rates(way, *rates))[trials.TUNING[0]]["curve"]
    return np.exp(np.mean([np.log(value) for step, value in curve if end - 600 < step <= end]))


WHEN = (600, 2400, 4800)
long = {way: [around(way, end) for end in WHEN] for way in ways.WAYS}
assert long["none"][2] > 1.5 * long["none"][1] > long["sn"][1]
assert long["dcgan"][0] == min(each[0] for each in long.values())
assert max(long[way][2] for way in ("sn", "r1", "dcgan")) < 1.5 * long["r1"][2]
for way, values in long.items():
    for end, value in zip(WHEN, values):
        page.glue(f"long-{way}-{end}", value, "{:.0f}")
page.glue("short-steps", arms.Protocol().steps)
page.glue("fair-steps", arms.PROTOCOLS["fair"].steps, "{:,}")
page.glue("long-slow", around("sn", 4800, (5e-4, 2e-3)), "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_longer
# :name: fig-longer
# :alt: Five falling curves of the Fréchet distance over 4,800 steps on logarithmic axes. Without a constraint the curve turns up after about 2,000 steps. DCGAN is lowest at first; spectral normalization and R1 come to it later. Spectral normalization with a slower G and a faster D stays behind to the end.
#
# Four ways to train, one with a second pair of rates. One seed each: a look, no verdict.
# ```
#
# | mean distance around step | 600 | 2,400 | 4,800 |
# |---|---|---|---|
# | SN, hinge | {glue:text}`long-sn-600:s` | {glue:text}`long-sn-2400:s` | {glue:text}`long-sn-4800:s` |
# | no SN, hinge | {glue:text}`long-none-600:s` | {glue:text}`long-none-2400:s` | {glue:text}`long-none-4800:s` |
# | R1, cross-entropy | {glue:text}`long-r1-600:s` | {glue:text}`long-r1-2400:s` | {glue:text}`long-r1-4800:s` |
# | DCGAN | {glue:text}`long-dcgan-600:s` | {glue:text}`long-dcgan-2400:s` | {glue:text}`long-dcgan-4800:s` |
#
# **In this seed hinge without SN gets worse again**, and SN and R1 do not; nor does DCGAN, which bounds
# nothing. A run of {glue:text}`short-steps:s` steps ends before that shows. DCGAN, at five times
# its paper's rates, is good first; at the end the other two have caught up with it. SN with half of
# $G$'s rate and twice $D$'s ends at {glue:text}`long-slow:s`.
#
# So read every verdict of short runs, here and in other chapters, as a verdict on who starts fast at those
# rates. `python -m sagan_experiments questions list` names the trials that will tell who is better: each
# way at its own best rates, for {glue:text}`fair-steps:s` steps and whole ways for twice that, over seeds.
# They are not run yet.

# %% [markdown]
# ## Summary
#
# - SN divides each kernel by its largest singular value. That bounds every layer's matrix.
# - One round of power iteration a step comes close *because* `u` is kept between steps.
# - Fold the kernel by output channel. A wrong fold is invisible on fresh weights.
# - The convolution can still stretch more than 1: a 3x3 kernel by up to 3.
# - SN does not keep raw weights small, nor a generator's Jacobian well conditioned.
#
# In the {doc}`playground` a $D$ with and without SN draw their surfaces side by side, with each layer's
# $\sigma$ and the steepest slope beside them: the lesson *SN holds D*.

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
# The convolution first collects all patches, then applies the matrix to each. Collecting copies
# every pixel into $k^2$ patches, so it stretches lengths by exactly $k$. The matrix stretches by
# at most $\sigma$. Together: at most $k\sigma$. With stride $s$ (a divisor of $k$) each pixel is in
# $(k/s)^2$ patches, so the factor is $k/s$: 2 for our layers.
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
# formula. The second term changes the step along $v u^\top$ so that nothing is left along $W$
# itself, since $\bar W$ does not change with $W$'s size. `tests/test_spectral_norm.py` checks it.
# The article's code does not hold $u$ and $v$ constant: its gradient flows through them too.
# ```
#
# ```{exercise} Forgetful normalization
# :label: ex-sn-forget
#
# Draw a new random $u$ in every step instead of keeping it. Measure the error of $\sigma$ over
# training, as in {numref}`fig-persistent`, with 1, 3 and 10 rounds a step.
# ```
#
# ```{solution} ex-sn-forget
# :class: dropdown
#
# Assign `layer.u` from `rng.normal` at the end of each batch in a callback like `WatchSigma`, and
# set `layer.power_iterations` of each of `sn.normalized_layers(...)` before `fit`. The error stays where the dotted lines of {numref}`fig-persistent`
# are for one round, and falls with the rounds as in {numref}`fig-rounds`.
# ```

# %% [markdown]
# ## Problem set
#
# Problem set 2 goes on from here: the matrix of a kernel, power iteration and the gradient through the normalization, each written by you and tested, and an experiment whose
# answer is not in the book. {doc}`problem_sets` says how to get it.
