# %% [markdown]
# # What came after: penalties on the slope
#
# SN bounds every layer of $D$. Penalties leave the layers alone and make $D$ pay for its slope at a few
# images instead. Does one still need SN?
#
# ```{admonition} What you will see
# - what each way to hold $D$ bounds, and where; R1 in plain TensorFlow;
# - why R1 lets the smallest GAN settle, and the gradient penalty does not;
# - four ways trained live, and over seeds.
# ```
#
# ```{figure} ../_book/static/diagrams/slopes.svg
# :name: fig-slopes-idea
# :alt: Three curves of a score from fake to real. Without a bound it is flat with a cliff between; with spectral normalization gentle everywhere; with R1 flat at the real images, climbing between.
#
# Three ways for $D$ to tell fake (left) from real (right). $G$ climbs the curve.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapters {doc}`02_spectral_norm` and {doc}`04_ttur`. The page takes {glue:text}`core-seconds:s`
# seconds of one core, where it was made.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 180), (64, 16, 1500))
BATCH, RATES = (16, "sagan_x10") if SCALE == "cpu" else (32, "sagan_x4")

# %% [markdown]
# ## What is held, and where
#
# | way | asks for | where |
# |---|---|---|
# | SN {cite:p}`miyato2018sn` | $\sigma = 1$ in each layer | at every image |
# | clipped weights {cite:p}`arjovsky2017wgan` | each weight in $[-c, c]$ | at every image |
# | gradient penalty, GP {cite:p}`gulrajani2017improved` | slope 1 | between real and fake images |
# | R1 {cite:p}`mescheder2018which` | slope 0 | at real images |
#
# The first two bound $D$'s slope. A penalty bounds nothing: it is a price in $D$'s loss, for the slope where
# it is taken. GP takes it at $\hat x = (1 - t)\, x + t\, G(z)$, with $t$ drawn evenly from 0 to 1:
#
# $$
# \text{GP:}\quad \lambda \, \mathbb{E}_{\hat x} \bigl( \lVert \nabla D(\hat x) \rVert - 1 \bigr)^2,
# \qquad
# \text{R1:}\quad \frac{\lambda}{2} \, \mathbb{E}_{x} \lVert \nabla D(x) \rVert^2 .
# $$ (eq-r1)
#
# Where $G$ has reached the data, the best $D$ is flat. R1 asks for just that.
#
# ## R1 in plain TensorFlow
#
# The slope is a gradient by the *image*. Each score depends on its own image alone (so no batch
# normalization in $D$), and one call gives the slopes of a whole batch.

# %%
import tensorflow as tf

def r1(D, real):
    """Half the mean squared slope of D at the real images."""
    with tf.GradientTape() as tape:
        tape.watch(real)
        scores = D(real, training=True)  # (batch, 1)
    slopes = tape.gradient(scores, real)  # (batch, h, w, 3)
    return tf.reduce_mean(tf.reduce_sum(slopes**2, axis=(1, 2, 3))) / 2

# %%
def priced(penalty, D, real):
    """A penalty, and what D's kernels get of it: a gradient through the gradient above."""
    kernels = [variable for variable in D.trainable_variables if variable.name == "kernel"]
    with tf.GradientTape() as tape:
        price = penalty(D, real)
    return [price, *tape.gradient(price, kernels)]

# %% [markdown]
# That second pass backwards is what a penalty costs. The library's R1 has the same value and gradients:

# %%
import keras
import numpy as np
from sagan_lib import gan, penalties, sagan, ttur
from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192)

def networks(use_sn=False):
    """A fresh pair; SN is in D alone, or nowhere."""
    keras.utils.set_random_seed(6)
    return [sagan.generator(RESOLUTION, WIDTH, attention_at=None, use_sn=False),
            sagan.discriminator(RESOLUTION, WIDTH, attention_at=None, use_sn=use_sn)]

# %%
D, real = networks()[1], tf.constant(data.images[:4] / 127.5 - 1, tf.float32)
for ours, library in zip(priced(r1, D, real), priced(penalties.zero_centred, D, real)):
    np.testing.assert_allclose(ours, library, rtol=1e-3, atol=1e-6)

# %% [markdown]
# ## Zero or one?
#
# The Dirac-GAN of {cite:t}`mescheder2018which` has its data at 0, one fake at $\theta$, and
# $D(x) = \psi x$ of slope $\psi$. With the Wasserstein loss $D$ lowers $\psi\theta$ and $G$ raises it, in
# turn.

# %%
def dirac(penalty, rate=0.02, steps=4000):
    """The path of (theta, psi) where the penalty has this slope in psi."""
    theta, psi = 1.0, 0.5
    path = [(theta, psi)]
    for _ in range(steps):
        psi = psi - rate * (theta + penalty(psi))  # D
        theta = theta + rate * psi  # G, against the D that has moved
        path.append((theta, psi))
    return np.array(path)


def to_one(weight):
    """The slope of weight * (|psi| - 1)**2."""
    return lambda psi: 2 * weight * np.sign(psi) * (abs(psi) - 1)

# %% tags=["nbval-check-output"]
paths = {"no penalty": dirac(lambda psi: 0.0), "R1": dirac(lambda psi: psi),
         "GP, weight 1": dirac(to_one(1.0)), "GP, weight 0.3": dirac(to_one(0.3))}
for name, path in paths.items():
    print(f"{name:15} farthest from the data at last: {np.abs(path[-1000:, 0]).max():.2f}")

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt
from sagan_lib.book import page, plots

# As the text says.
assert np.abs(paths["R1"][-1000:]).max() < 1e-6
assert min(np.abs(paths[name][-1000:, 0]).max() for name in paths if name != "R1") > 1
assert np.ptp(paths["GP, weight 1"][-100:, 0]) < 0.01
assert np.ptp(paths["GP, weight 0.3"][-1000:, 0]) > 1

# %% tags=["remove-cell"]
figure, axes = plt.subplots(1, 4, figsize=(7.4, 2.2), sharex=True, sharey=True)
for axis, (name, path) in zip(axes, paths.items()):
    axis.plot(*path.T, color=plots.COLOURS[0], lw=0.8)
    axis.plot(0, 0, "k+", ms=9)
    axis.set_title(name)
    axis.tick_params(labelsize=7)
    axis.set_xlabel("$\\theta$")
axes[0].set_ylabel("$\\psi$")
figure.tight_layout()
page.show("fig_dirac", figure)

# %% [markdown]
# ```{glue:figure} fig_dirac
# :name: fig-dirac
# :alt: Four paths of theta and psi. Without a penalty a circle round the equilibrium; with R1 a spiral into it; with the gradient penalty of weight 1 a rest beside it, of weight 0.3 a loop round it.
#
# The Dirac-GAN; the cross is its equilibrium.
# ```
#
# R1 pulls $\psi$ to 0, where the equilibrium is. GP pulls $\lvert\psi\rvert$ to 1, and so away from it: the
# pair rests at a wrong place, or circles on.
#
# Under conditions R1 makes a GAN settle once it is *near* its equilibrium {cite:p}`mescheder2018which`. Real
# networks in the {doc}`playground`, without and with it:
#
# <div class="touch" data-touch="playground"><p class="touch-still">In the built book, where scripts run, a GAN trains here.</p><script type="application/json">{"setting": "lesson=r1"}</script></div>
#
# ## Live
#
# The same generator, rates and steps; only $D$ and the loss differ, and $\lambda = 10$ in all three penalties.
# WGAN-GP has the Wasserstein loss, which is a difference of means and has no bound of its own
# {cite:p}`arjovsky2017wgan`: $L_D = \mathbb{E}[D(G(z))] - \mathbb{E}[D(x)]$, $L_G = -\mathbb{E}[D(G(z))]$. The last way is **relativistic pairs**: is this real image more real than that fake
# {cite:p}`jolicoeur2018relativistic`? {cite:t}`huang2024gan` add R1, and R2, the same at the fakes:
#
# $$
# \begin{aligned}
# L_D &= \mathbb{E}\,\mathrm{softplus}\bigl(D(G(z)) - D(x)\bigr), \\
# L_G &= \mathbb{E}\,\mathrm{softplus}\bigl(D(x) - D(G(z))\bigr) .
# \end{aligned}
# $$ (eq-pairs)

# %%
WAYS = {"SN in D, hinge": None, "WGAN-GP": dict(loss="wasserstein", penalty="gp"),
        "R1": dict(loss="bce", penalty="r1"),
        "pairs, R1 + R2": dict(loss="relativistic", penalty="r1r2")}

def build(way):
    """One of the ways, ready to train."""
    kind = gan.GAN if way is None else penalties.PenalizedGAN
    model = kind(*networks(use_sn=way is None), ema_decay=0.99)
    model.compile(**ttur.preset(RATES), **(way or {"loss": "hinge"}))
    return model

# %%
from sagan_lib.evaluation import judge

samples, readings = {}, {}
for name, way in WAYS.items():
    model = build(way)
    model.fit(data, steps=STEPS, batch_size=BATCH, log_every=STEPS, verbose=0)
    samples[name] = model.sample(500)
    readings[name] = judge.read(samples[name])
    print(f"{name:15} {judge.coverage(readings[name])[0]:3} combinations of 250")

# %% tags=["remove-cell"]
for reading, short in zip(readings.values(), ("sn", "gp", "r1", "pairs")):
    page.glue(f"live-seen-{short}", judge.coverage(reading)[0])
    page.glue(f"live-mismatch-{short}", 100 * judge.heterochromia(reading), "{:.0f}")
shown = [pictures[:8] for pictures in samples.values()]
page.show("fig_ways", plots.pictures(shown, columns=2, titles=list(samples)))

# %% [markdown]
# ```{glue:figure} fig_ways
# :name: fig-ways
# :alt: Four grids of eight generated faces: with spectral normalization in D and hinge, with the gradient penalty, with R1, and with relativistic pairs.
#
# Eight of each, from the same noise. Nothing picked.
# ```
#
# One run of each shows that all four train, no more.
#
# ```{admonition} At 64 pixels
# :class: dropdown
#
# :::{glue:figure} fig_06_large
# :name: fig-06-large
# :alt: The same four grids at 64 pixels, with clear hair, eyes and mouths.
#
# The four ways at 64 pixels, longer: {glue:text}`large-state:s`. There SN was in $G$, too.
# :::
#
# All four draw faces. SN's run shows the fewest combinations, {glue:text}`large-seen-sn:s` of 250 (the pairs
# {glue:text}`large-seen-pairs:s`), and the fewest unequal eyes, {glue:text}`large-mismatch-sn:s` % (the pairs
# {glue:text}`large-mismatch-pairs:s` %).
# ```

# %% tags=["remove-cell", "ledger"]
from sagan_lib.book import scales

NAMES = [f"live-{kind}-{way}" for kind in ("seen", "mismatch") for way in ("sn", "pairs", "gp", "r1")]
large = scales.fold("06_penalties", *NAMES)
for kind in (NAMES[:4], NAMES[4:]):  # as the text says
    assert int(large[kind[0]]) == min(int(large[name]) for name in kind)
assert scales.large("06_penalties")["date"] < "2026-11-29"  # until then SN's G had it, too

# %% [markdown]
# ## At which rates?
#
# A fair trial gives each way its own best rates. Its search, {glue:text}`rates-steps:s` steps for every pair, is worth
# looking at in itself:
#
# ```{glue:figure} fig_penalty_rates
# :name: fig-penalty-rates
# :alt: Four maps of Fréchet distances over the rates of G and D. SN, R1 and DCGAN each have framed cells, SN's along a fast G and a fast D. Without a constraint no cell is framed, and distances grow from left to right with D's rate.
#
# Fréchet distance over the last half of a run, SN in both networks; one seed a pair. Framed: at most 1.5 times the
# best of all.
# ```
#
# **In one seed three end close.** Of 16 pairs the best ended at {glue:text}`rates-dcgan:s` with DCGAN's recipe,
# {glue:text}`rates-sn:s` with SN, {glue:text}`rates-r1:s` with R1, and at {glue:text}`rates-none:s` with hinge
# alone. What differs is the room for error. No pair of DCGAN's ended above {glue:text}`rates-worst-dcgan:s`, SN's
# worst at {glue:text}`rates-worst-sn:s`. Hinge alone bears only a slow $D$: at the smallest rate of $D$ it ended
# at {glue:text}`rates-slow-none:s` or less once $G$ was faster, at the largest at {glue:text}`rates-fast-none:s` or
# more. With SN or DCGAN's recipe the fastest $D$ still has good pairs, with R1 one half as fast.

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import answers, figures, ledger, trials, verdicts, ways

store = trials.open_store()
page.show("fig_penalty_rates", figures.rate_maps(store))
page.glue("rates-steps", store.protocol.steps, "{:,}")
maps = {way: np.exp(trials.grid(way, store)) for way in ways.WAYS}  # rates of G, of D
for way, values in maps.items():
    page.glue(f"rates-{way}", values.min(), "{:.0f}")
    page.glue(f"rates-worst-{way}", values.max(), "{:.0f}")
best, worst = ({way: of(values) for way, values in maps.items()} for of in (np.min, np.max))
lowest = min(best.values())
assert max(best[way] for way in ("dcgan", "sn", "r1")) < 1.2 * lowest  # all as the text says
assert best["none"] > 1.5 * lowest
assert worst["dcgan"] == min(worst.values())
assert worst["sn"] == max(worst.values())
none = maps["none"]
page.glue("rates-slow-none", none[1:, 0].max(), "{:.0f}")
page.glue("rates-fast-none", none[:, -1].min(), "{:.0f}")
assert none[1:, 0].max() < none[:, 1:].min()
good = {way: np.log(values) <= trials.good_edge(store) for way, values in maps.items()}
assert [max(np.array(ways.RATES)[good[way].any(0)]) for way in ("sn", "dcgan", "r1")] == [4e-3, 4e-3, 2e-3]

# %% [markdown]
# ## Over seeds
#
# ```{glue:figure} fig_penalty_seeds
# :name: fig-penalty-seeds
# :alt: Sentences, each above a row of dots and a bar, with its verdict below.
#
# Each way at its own best rates. Dot: a seed. Bar: 98.3 % interval of the mean. In the grey band no difference is
# worth naming; a bar wholly right of it says that the sentence is right ({doc}`claims`).
# ```
#
# At its own best rates R1 ends at {glue:text}`end-r1:s`, SN at {glue:text}`end-sn:s`, DCGAN's recipe at
# {glue:text}`end-dcgan:s`, hinge alone at {glue:text}`end-none:s`.
#
# **Neither R1 nor SN is clearly ahead.** SN's Fréchet distance is {glue:text}`fair-sn-r1:s` times R1's, and SN takes
# {glue:text}`fair-r1-soon:s` times as many steps to come to 100; whether either is more than a fifth,
# {glue:text}`fair-seeds:s` seeds leave undecided. A step of R1 takes {glue:text}`seeds-cost:s` times as long as one of SN.
#
# ```{admonition} Other scores of the same runs
# :class: dropdown
# Nothing was said of them beforehand, and they do not agree. In every seed R1 has the smaller kernel distance, on
# average {glue:text}`both-kernel_distance:s` times SN's, and the larger recall, but also the smaller precision, and
# eyes that agree less ({glue:text}`both-eye_agreement:s` times).
# ```

# %% tags=["remove-cell", "long", "ledger"]
found = answers.answered(store, "06_penalties")
page.show("fig_penalty_seeds", figures.forest(found))
for way, value in verdicts.ends(store).items():
    page.glue(f"end-{way}", value, "{:.0f}")
for name, each in found.items():
    page.glue(f"fair-{name}", np.exp(each.mean), "{:.1f}")
    assert each.verdict == "undecided"  # as the text says
page.glue("fair-seeds", len(found["sn-r1"].values))
r1, sn = (store.seeds("arms", trial) for trial in found["sn-r1"].trials)
for score, sign in {"kernel_distance": -1, "recall": 1, "precision": -1, "eye_agreement": -1}.items():
    change = np.log([r1[seed][score] / sn[seed][score] for seed in found["sn-r1"].values])
    assert (sign * change > 0).all()
    page.glue(f"both-{score}", np.exp(change.mean()), "{:.1f}" if score == "kernel_distance" else "{:.2f}")
cost = ledger.result("r1-cost")
assert cost.verdict == ledger.HOLDS
page.glue("seeds-cost", np.exp(cost.mean), "{:.1f}")

# %% [markdown]
# ## Where the ideas went
#
# **BigGAN** started from SAGAN, SN included, and scaled it up {cite:p}`brock2018biggan`. **StyleGAN2** has no SN;
# its $D$ is held by R1 {cite:p}`karras2020analyzing`. **R3GAN** drops most of StyleGAN2's tricks and adds the pairs
# with both penalties {cite:p}`huang2024gan`. **Diffusion models** train no $D$ {cite:p}`ho2020denoising`.
#
# ## Summary
#
# - SN bounds $D$'s slope everywhere; a penalty puts a price on it, at some images.
# - A penalty towards slope 0 lets the smallest GAN settle; one towards slope 1 does not.
# - A penalty costs a second pass backwards.
# - One can do without SN: at their best rates R1, and DCGAN's recipe, are not shown to be worse.
#
# ## Exercises
#
# ```{exercise} From R1 to the gradient penalty
# :label: ex-penalties-gp
#
# Change `r1` into the gradient penalty of {eq}`eq-r1`, and hold it against `penalties.one_centred`.
# ```
#
# ```{solution} ex-penalties-gp
# :class: dropdown
#
# Take the slope at `real + t * (fake - real)`, `t` of shape (batch, 1, 1, 1), and return
# `tf.reduce_mean((tf.sqrt(squared + 1e-12) - 1) ** 2)`, `squared` being each image's sum. The small number
# is there because the root has no derivative at 0.
# ```
#
# ```{exercise} The brake, in numbers
# :label: ex-penalties-brake
#
# From which weight $\lambda$ of R1 on does the Dirac-GAN no longer circle, at small equal rates?
# ```
#
# ```{solution} ex-penalties-brake
# :class: dropdown
#
# Then $\dot\theta = \psi$, $\dot\psi = -\theta - \lambda\psi$, with eigenvalues from
# $\mu^2 + \lambda\mu + 1 = 0$: real from $\lambda = 2$ on.
# ```

# %% tags=["remove-cell"]
page.took(started)
