# %% [markdown]
# # What came after: penalties on the slope
#
# SN bounds every layer of $D$, whether that layer needs it or not. Others asked $D$ itself to be flat,
# by a penalty in its loss. This chapter puts the main ones beside SN, on the same known truth, and asks
# whether one still needs SN and two rates.
#
# ```{admonition} What you will see
# - clipped weights, the gradient penalty, R1 and relativistic pairs: each in a few lines;
# - why a penalty around zero lets the smallest GAN settle, and one around one does not;
# - four of them trained live, and five over seeds, against SN with hinge;
# - where SAGAN's ideas went.
# ```
#
# ```{figure} ../_book/static/diagrams/slopes.svg
# :name: fig-slopes-idea
# :alt: Three curves of a score over a line from fake to real. Without a bound it is flat with a cliff between; with spectral normalization every layer is bounded and the curve is gentle everywhere; with R1 the curve is flat at the real images and climbs between.
#
# Three ways for $D$ to tell fake (left) from real (right). $G$ climbs the curve.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapters {doc}`02_spectral_norm` and {doc}`04_ttur`, and the gradient of a gradient. The page
# takes {glue:text}`core-seconds:s` seconds of one core, where it was made. What it says of the small game is
# exact. Its verdicts on training hold for one scale: {glue:text}`scale:s`.
# What it gives at 64 pixels is in {doc}`94_two_scales`.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 180), (64, 16, 1500))
BATCH, RATES = (16, "article_text") if SCALE == "cpu" else (32, "cpu")

# %% [markdown]
# ## Four ways to hold D
#
# **Clipped weights.** A Wasserstein GAN's $D$ gives a score whose mean difference between real and fake
# is to be as large as a slope of 1 allows {cite:p}`arjovsky2017wgan`. Its first version keeps the slope
# bounded by force: after each step every weight is cut off at $\pm c$.
#
# **The gradient penalty** asks for the slope itself {cite:p}`gulrajani2017improved`. Between a real
# image and a fake one, at $\hat x = (1 - t) x + t\, G(z)$ with $t$ drawn evenly from 0 to 1, it should be 1:
#
# $$
# \lambda \, \mathbb{E}_{\hat x} \bigl( \lVert \nabla D(\hat x) \rVert - 1 \bigr)^2 .
# $$ (eq-gp)
#
# **R1** asks for less: that $D$ be flat *at the real images* {cite:p}`mescheder2018which`. At the
# equilibrium it is flat there anyway, so the penalty does not move the equilibrium:
#
# $$
# \frac{\lambda}{2} \, \mathbb{E}_{x} \lVert \nabla D(x) \rVert^2 .
# $$ (eq-r1)
#
# The {doc}`playground` has it as a switch. Its lesson *R1 settles* shows $D$'s surface with and without, side by
# side, while both train.
#
# **Relativistic pairs** change the question: is this real image more real than that fake
# {cite:p}`huang2024gan`? With R1, and R2, which is the same at the fakes:
#
# $$
# \begin{aligned}
# L_D &= \mathbb{E}\,\mathrm{softplus}\bigl(D(G(z)) - D(x)\bigr), \\
# L_G &= \mathbb{E}\,\mathrm{softplus}\bigl(D(x) - D(G(z))\bigr) .
# \end{aligned}
# $$ (eq-pairs)
#
# The library's `penalties` has all four. Hold its slopes against a $D$ whose slope is known: a linear
# one, where it is the length of the weights.

# %%
import keras
import numpy as np
import tensorflow as tf

from sagan_lib import penalties

images = keras.Input((8, 8, 3))
score = keras.layers.Dense(1, use_bias=False)
linear = keras.Model(images, score(keras.layers.Flatten()(images)))
length = float(tf.norm(score.kernel))

x, fake = tf.random.stateless_normal((2, 5, 8, 8, 3), (1, 2))
np.testing.assert_allclose(penalties.zero_centred(linear, x), length**2 / 2, rtol=1e-4)
np.testing.assert_allclose(
    penalties.one_centred(linear, x, fake, tf.linspace(0.0, 1.0, 5)), (length - 1) ** 2, rtol=1e-3)

# %% [markdown]
# ## Zero or one?
#
# Chapter {doc}`04_ttur` has the Dirac-GAN: data at 0, a fake at $\theta$, and $D(x) = \psi x$. Its slope
# is $\psi$ everywhere. R1 pulls $\psi$ to 0, where the equilibrium is. The gradient penalty pulls
# $\lvert\psi\rvert$ to 1, and so away from it: near the equilibrium $D$ pushes $G$ with a slope of 1, past
# the data. With a weight of 1 the game then rests at a wrong place; with a smaller one it runs round and
# round. (It is played here with the Wasserstein loss, for which it was made.)

# %%
def dirac(penalty, wasserstein=False, rate=0.02, steps=4000, start=(1.0, 0.5)):
    """The path of (theta, psi) with a penalty whose slope in psi is given."""
    theta, psi = start
    path = [start]
    for _ in range(steps):
        push = 1.0 if wasserstein else 1 / (1 + np.exp(theta * psi))
        theta, psi = theta - rate * push * psi, psi + rate * (push * theta - penalty(psi))
        path.append((theta, psi))
    return np.array(path)


def to_one(weight):
    """The slope of the gradient penalty in psi."""
    return lambda psi: 2 * weight * np.sign(psi) * (abs(psi) - 1)

# %%
paths = {"no penalty": dirac(lambda psi: 0.0), "R1": dirac(lambda psi: psi),
         "GP, weight 1": dirac(to_one(1.0), wasserstein=True),
         "GP, weight 0.3": dirac(to_one(0.3), wasserstein=True)}
for name, path in paths.items():
    print(f"{name:15} |theta| in the last quarter: {np.abs(path[-1000:, 0]).max():.1e}")

# %% tags=["remove-cell"]
# As the text says.
assert np.abs(paths["R1"][-1]).max() < 1e-6
assert min(np.abs(paths[name][-1000:, 0]).max() for name in paths if name != "R1") > 0.3
assert np.ptp(paths["GP, weight 1"][-100:, 0]) < 0.01
assert np.ptp(paths["GP, weight 0.3"][-1000:, 0]) > 0.3

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

figure, axes = plt.subplots(1, 4, figsize=(7.4, 2.2))
for axis, (name, path) in zip(axes, paths.items()):
    axis.plot(*path.T, color=plots.COLOURS[0], lw=0.8)
    axis.plot(0, 0, "k+", ms=9)
    axis.set_title(name, fontsize=10)
    axis.tick_params(labelsize=7)
    axis.set_xlabel("$\\theta$")
axes[0].set_ylabel("$\\psi$")
figure.tight_layout()
page.show("fig_dirac", figure)

# %% [markdown]
# ```{glue:figure} fig_dirac
# :name: fig-dirac
# :alt: Four paths of theta and psi. Without a penalty the path circles outwards around the equilibrium; with R1 it goes straight into it; with the gradient penalty of weight 1 it comes to rest beside it, and with weight 0.3 it runs round a loop.
#
# The Dirac-GAN without a penalty, with R1, and with the gradient penalty (GP) of two weights. The cross
# is the equilibrium.
# ```
#
# {cite:t}`mescheder2018which` prove that R1 makes a GAN settle near its equilibrium, under conditions, and
# show by this game that the gradient penalty need not. That is about what happens close to the goal.
# Whether a training of hundreds of steps ever comes close is for seeds to say.

# %% [markdown]
# ## Live
#
# One generator, four ways to hold $D$, the same rates and steps. None of the penalized networks has SN,
# and none may have batch normalization in $D$: a penalty needs the slope at *one* image.

# %%
from sagan_lib import gan, sagan, ttur
from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192)
WAYS = {"SN, hinge": None, "WGAN-GP": dict(loss="wasserstein", penalty="gp"),
        "R1": dict(loss="bce", penalty="r1"),
        "pairs, R1 + R2": dict(loss="relativistic", penalty="r1r2")}

# %%
def build(way):
    """One of the ways, ready to train."""
    keras.utils.set_random_seed(6)
    nets = [make(RESOLUTION, WIDTH, attention_at=None, use_sn=way is None)
            for make in (sagan.generator, sagan.discriminator)]
    model = (gan.GAN if way is None else penalties.PenalizedGAN)(*nets, ema_decay=0.99)
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
shown = [pictures[:20] for pictures in samples.values()]
page.show("fig_ways", plots.pictures(shown, columns=4, titles=list(samples)))

# %% [markdown]
# ```{glue:figure} fig_ways
# :name: fig-ways
# :alt: Four grids of twenty generated faces after the same number of steps: with spectral normalization and hinge, with the gradient penalty, with R1, and with relativistic pairs and R1 and R2.
#
# Twenty faces of each after the same number of steps, from the same noise. Nothing picked.
# ```
#
# One run of each shows that all four train, and no more. A penalty has a price: the gradient of $D$'s
# slope is a second pass backwards. SN costs, too, but little: two products for each kernel.

# %% [markdown]
# ## Over seeds
#
# Each with several seeds, at equal steps ({doc}`claims`). The claims are all on SN's side; the rule
# decides.
#
# ```{admonition} Short runs, one pair of rates
# :class: warning
# These are verdicts on who starts fast at the rates named. {ref}`longer-look` shows how the order
# changes in longer runs at other rates.
# ```

# %% tags=["remove-input", "ledger"]
from IPython.display import Markdown

from sagan_experiments import ledger, report

results = ledger.of_chapter("06_penalties")
Markdown(report.table(results, brief=True))

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import arms

ARMS = {"base": "SN, hinge", "wgan_clip": "WGAN, clipped", "wgan_gp": "WGAN-GP", "r1": "R1",
        "r1_equal": "R1, equal rates", "r3gan": "pairs, R1 + R2"}
figure, axis = plt.subplots(figsize=(6.6, 3))
scores = {arm: [run["frechet"] for run in runs] for arm, runs in zip(ARMS, ledger.runs(*ARMS))}
for row, values in enumerate(scores.values()):
    axis.plot(values, np.full(len(values), row), "o", ms=5, color=plots.COLOURS[0], alpha=0.7)
    axis.plot(np.exp(np.mean(np.log(values))), row, "|", ms=18, mew=2, color=plots.COLOURS[1])
axis.set(xscale="log", yticks=range(len(ARMS)), yticklabels=list(ARMS.values()),
         xlabel="Fréchet distance, 0 is best")
axis.set_xticks([150, 200, 300, 500, 800], ["150", "200", "300", "500", "800"], minor=False)
axis.minorticks_off()
axis.invert_yaxis()
axis.grid(alpha=0.3, axis="x")
figure.tight_layout()
page.show("fig_penalty_seeds", figure)
page.glue("scale", arms.Protocol())
page.glue_results(results, *results)
page.glue("spread-runs", len(scores["base"]))
for short, arm in (("sn", "base"), ("r1", "r1")):
    page.glue(f"spread-{short}", max(scores[arm]) / min(scores[arm]), "{:.1f}")
assert results["sn-r1"].verdict == ledger.OPPOSITE  # as the summary says
WAYS = {"SN, hinge": "sn", "WGAN-GP": "gp", "R1": "r1"}
distances = {name: {s: [run["frechet"] for run in runs] for s, runs in ledger.setting_runs(way).items()}
             for name, way in WAYS.items()}
page.show("fig_penalty_settings", plots.dots(distances, "Fréchet distance, 0 is best"))

# %% [markdown]
# ```{glue:figure} fig_penalty_seeds
# :name: fig-penalty-seeds
# :alt: One row for each way to hold D, with a dot for the Fréchet distance of each seed and a bar for their mean, on a logarithmic axis.
#
# Every seed that was run of all six; the bar is the mean of the logarithms.
# ```
#
# | held against SN with hinge | Fréchet distance, its over SN's | claim, and verdict |
# |---|---|---|
# | clipped weights | {glue:text}`sn-clip:s` | `sn-clip`: {glue:text}`sn-clip-verdict:s` |
# | gradient penalty | {glue:text}`sn-gp:s` | `sn-gp`: {glue:text}`sn-gp-verdict:s` |
# | R1 | {glue:text}`sn-r1:s` | `sn-r1`: {glue:text}`sn-r1-verdict:s` |
# | pairs, R1 + R2 | {glue:text}`sn-r3gan:s` | `sn-r3gan`: {glue:text}`sn-r3gan-verdict:s` |
#
# **The rule of the eyes.** Agreement beyond chance, SN less R1: {glue:text}`sn-r1-eyes:s` (`sn-r1-eyes`:
# {glue:text}`sn-r1-eyes-verdict:s`).
#
# **Two rates.** With R1 and equal rates the distance is {glue:text}`r1-rates:s` as large as with two
# (`r1-rates`: {glue:text}`r1-rates-verdict:s`).
#
# **A narrower spread.** Look at {numref}`fig-penalty-seeds` once more: with SN and hinge the best of
# {glue:text}`spread-runs:s` runs has {glue:text}`spread-sn:s` times as small a distance as the worst; with
# R1 it is {glue:text}`spread-r1:s` times.
#
# **Batch normalization in $G$.** Without it the distance is {glue:text}`bn-sn:s` as large with SN
# (`bn-sn`: {glue:text}`bn-sn-verdict:s`), and {glue:text}`bn-r1:s` with R1 (`bn-r1`:
# {glue:text}`bn-r1-verdict:s`). R1's over SN's, both without it: {glue:text}`sn-r1-no-bn:s` (`sn-r1-no-bn`:
# {glue:text}`sn-r1-no-bn-verdict:s`).
#
# **Other settings.** {numref}`fig-penalty-settings` has the six settings of chapter
# {doc}`02_spectral_norm`, at equal work. SN's share of good ones less R1's:
# {glue:text}`r1-settings:s` (`r1-settings`: {glue:text}`r1-settings-verdict:s`).
#
# ```{glue:figure} fig_penalty_settings
# :name: fig-penalty-settings
# :alt: Six columns for the settings A to F; in each, dots for the seeds with spectral normalization and hinge, with the gradient penalty and with R1, on a logarithmic axis of the Fréchet distance.
#
# Every seed of Miyato et al.'s six settings, three ways to hold $D$. The bar is the mean of the logarithms.
# ```
#
# **The price.** A step with R1 takes {glue:text}`r1-cost:s` as long as one with SN in both networks
# (`r1-cost`: {glue:text}`r1-cost-verdict:s`).
#
# The rates are this book's for SN, and the weights of the penalties are 10 throughout; nothing was tuned
# for the penalties. Other rates, longer runs or larger pictures may order the rows differently.

# %% [markdown]
# ## Where the ideas went
#
# - **BigGAN** took SAGAN whole: SN in both networks, attention, two rates, and scaled it up
#   {cite:p}`brock2018biggan`.
# - **StyleGAN2** went without SN and without attention; its $D$ is held by R1
#   {cite:p}`karras2020analyzing`.
# - **R3GAN** drops normalization and most tricks, and keeps the pairs with R1 and R2
#   {cite:p}`huang2024gan`.
# - **Diffusion models** train no $D$ at all; their networks have self-attention at 16x16
#   {cite:p}`ho2020denoising`, the layer of chapter {doc}`03_attention` in other company.

# %% [markdown]
# ## Summary
#
# - A penalty holds $D$'s own slope, where SN holds every layer's.
# - Around zero it lets the smallest GAN settle; around one it does not.
# - It costs a second pass backwards.
# - One does not need SN: at this scale cross-entropy with R1 does clearly better than SN with hinge, and
#   keeps the rule of the eyes better, for a step that takes longer.

# %% [markdown]
# ## Exercises
#
# ```{exercise} Why R1 keeps the equilibrium
# :label: ex-penalties-equilibrium
#
# At the equilibrium of {eq}`eq-best-d` $D$ is constant. Show that R1 is 0 there, and that the gradient
# penalty is not.
# ```
#
# ```{solution} ex-penalties-equilibrium
# :class: dropdown
#
# A constant $D$ has slope 0 everywhere, so {eq}`eq-r1` is 0, its smallest value: nobody gains by moving.
# {eq}`eq-gp` is $\lambda$ there, and a small slope in any direction makes it smaller.
# ```
#
# ```{exercise} The brake, in numbers
# :label: ex-penalties-brake
#
# Linearize the Dirac-GAN with R1 of weight $\lambda$ at $(0, 0)$, for equal rates $\eta$. For which
# $\lambda$ does it stop circling?
# ```
#
# ```{solution} ex-penalties-brake
# :class: dropdown
#
# The push at 0 is $\tfrac12$, so the step is
# $\begin{pmatrix} 1 & -\eta/2 \\ \eta/2 & 1 - \eta\lambda \end{pmatrix}$. Its eigenvalues are $1 - \eta\mu$
# with $\mu^2 - \lambda\mu + \tfrac14 = 0$: real for $\lambda \ge 1$.
# ```
#
# ```{exercise} Too much of it
# :label: ex-penalties-weight
#
# Train R1 with weights of 0.1, 1, 10 and 100, three seeds each. Where is it best, and what does a large
# weight do to the samples?
# ```
#
# ```{solution} ex-penalties-weight
# :class: dropdown
#
# Pass `weight=` to `compile`. A very flat $D$ tells $G$ little in each step: look at how much the samples
# change from step to step, and report all seeds.
# ```

# %% tags=["remove-cell"]
page.took(started)

# %% tags=["nbval-check-output"]
print(list(WAYS), penalties.PENALTIES)
