# %% [markdown]
# # When it fails: a gallery
#
# A GAN that does not work fails in one of a few ways, and the losses alone rarely say which. This page
# makes six failures on purpose, beside a healthy run.
#
# ```{admonition} What you will see
# - one healthy run, and six that fail, from the same seed;
# - for each: its samples, its losses, and what gives it away;
# - a table of what to try.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need {doc}`01_dcgan`. The page takes {glue:text}`core-seconds:s` seconds of one core, where it was
# made. One short run of each is an example: another seed may fail otherwise.
# ```

# %%
import functools
import time

import keras
import numpy as np

from sagan_lib import dcgan, devices, gan, ttur
from sagan_lib.datasets import faces
from sagan_lib.evaluation import judge

devices.setup()
started = time.perf_counter()
data = faces.Faces(32, 4096)
real = data.images[:300] / 127.5 - 1

# %% [markdown]
# ## One recipe, one switch
#
# The healthy recipe is that of {doc}`01_dcgan` with both rates doubled, because these runs are short.
# Every other run changes one argument of `train` or `build`; divergence, both rates.

# %%
def three_by_three(generator):
    """The same generator with kernels of 3 in its transposed convolutions."""
    config = generator.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "Conv2DTranspose":
            layer["config"]["kernel_size"] = (3, 3)
    return generator.__class__.from_config(config)

# %%
@functools.cache
def build(loss="bce", beta_1=0.5, kernel=4):
    """A small DCGAN for 32 pixels, all that changes in it, and the values of that at the start."""
    keras.utils.set_random_seed(1)
    generator, discriminator = dcgan.generator(32, 8, 32), dcgan.discriminator(32, 8)
    model = gan.GAN(generator if kernel == 4 else three_by_three(generator), discriminator)
    model.compile(**ttur.two_time_scale(4e-4, 4e-4, beta_1, 0.999), loss=loss)
    state = model.variables + model.g_optimizer.variables + model.d_optimizer.variables
    return model, state, [np.array(variable) for variable in state]

# %%
def train(steps=240, g_rate=4e-4, d_rate=4e-4, **switch):
    """Train, and keep what tells: the history, samples, and samples of twenty steps before."""
    model, state, start = build(**switch)  # built once for all rates, and put back to its start
    for variable, value in zip(state, start):
        variable.assign(value)
    model.g_optimizer.learning_rate, model.d_optimizer.learning_rate = g_rate, d_rate
    early = model.fit(data, steps=steps - 20, batch_size=16, log_every=10, verbose=0).history
    before = model.sample(300, ema=False)  # the current weights, not their average
    late = model.fit(data, steps=20, batch_size=16, log_every=10, verbose=0).history
    history = {name: values + late[name] for name, values in early.items()}
    return {"history": history, "before": before, "images": model.sample(300, ema=False)}

# %%
SWITCHES = {
    "healthy": dict(), "D wins": dict(loss="minimax"), "G wins": dict(d_rate=1e-6),
    "collapse": dict(g_rate=4e-2), "momentum": dict(beta_1=0.9),
    "divergence": dict(g_rate=5.0, d_rate=5.0), "chessboard": dict(kernel=3),
}
results = {name: train(**switch) for name, switch in SWITCHES.items()}

# %% [markdown]
# ## What gives it away
#
# - *$D$'s loss*: $\log 4 \approx 1.39$ where it only guesses, 0 where it is always right; *$G$'s loss*;
# - *kinds*: how many combinations of attributes 300 faces show, by the judge;
# - *spread*: how much a pixel varies from sample to sample, as a share of the data's;
# - *moves*: how far a picture from the same noise moves in twenty steps, as a share of the data's spread;
# - *finest pattern*: how strong the pattern of single pixels is, as a multiple of the data's. (Textures of
#   failed runs have it, too: look for heads.)

# %%
def finest(images):
    """Strength of the pattern that changes from pixel to pixel, both ways, in each colour."""
    spectrum = np.abs(np.fft.fft2(images, axes=(1, 2))) ** 2
    return np.sqrt(spectrum[:, 16, 16].mean())


def tell(run):
    """The six numbers of a run."""
    images, whole = run["images"], real.std(0).mean()
    return {"D's loss": np.mean(run["history"]["d_loss"][-5:]),
            "G's loss": np.mean(run["history"]["g_loss"][-5:]),
            "kinds": judge.coverage(judge.read(images))[0],
            "spread": images.std(0).mean() / whole,
            "moves": np.abs(images - run["before"]).mean() / whole,
            "finest pattern": finest(images) / finest(real)}

# %%
told = {name: tell(run) for name, run in results.items()}
print(f"{'':12}" + "".join(f"{name:>15}" for name in told["healthy"]))
for name, numbers in told.items():
    print(f"{name:12}" + "".join(f"{value:15.3g}" for value in numbers.values()))

# %% tags=["remove-cell", "long"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

figure, axes = plt.subplots(len(results), 3, figsize=(7.4, 12.5), width_ratios=(1, 1, 1.1))
for (before, after, right), (name, run) in zip(axes, results.items()):
    for axis, images, title in ((before, run["before"], name), (after, run["images"], "20 steps later")):
        axis.imshow(plots.grid(images[:12], columns=4))
        axis.axis("off")
        axis.set_title(title, loc="left")
    for colour, key in zip(plots.COLOURS, ("g_loss", "d_loss")):
        right.plot(run["history"]["step"], run["history"][key], color=colour, label=key[0].upper())
    right.set_yscale("symlog" if max(run["history"]["g_loss"]) > 100 else "linear")
    right.tick_params(labelsize=8)
    right.grid()
axes[0, 2].legend()
axes[0, 2].set_title("losses", loc="left")
axes[-1, 2].set_xlabel("training step")
figure.tight_layout(pad=0.5)
page.show("fig_failures_gallery", figure)
for name, numbers in told.items():
    for key, value in numbers.items():
        form = "{:,.0f}" if key == "kinds" or abs(value) >= 10 else "{:.1f}" if value > 1 else "{:.1g}"
        form = "{:.2f}" if key == "moves" else form
        page.glue(f"{name}: {key}", round(value, -3) if value > 9999 else value, form)

# %% [markdown]
# ```{glue:figure} fig_failures_gallery
# :name: fig-failures-gallery
# :alt: Seven rows, each with twelve samples, the same twenty steps later, and both losses. Healthy: rough faces. D wins: grey squares. G wins: one texture. Collapse: nearly empty squares, then nearly one face. Momentum: one reddish texture. Divergence: one bright pattern, losses far above a thousand. Chessboard: blurred heads under a grid.
#
# Samples from the same noise, twenty steps apart, and both losses (logarithmic beyond 2 where they
# diverge). Nothing picked.
# ```

# %% tags=["remove-cell"]
fine, wins = told["healthy"], {name: told[name] for name in told if name != "healthy"}
# As the text below says.
assert wins["D wins"]["D's loss"] < 0.05 < fine["D's loss"]
assert wins["G wins"]["D's loss"] > 2
assert wins["collapse"]["kinds"] < 0.7 * fine["kinds"]
assert wins["momentum"]["D's loss"] < 0.1
assert wins["momentum"]["kinds"] < 0.2 * fine["kinds"]
assert wins["momentum"]["spread"] < 0.4
assert wins["divergence"]["G's loss"] > 100
assert wins["divergence"]["spread"] < 0.5
assert min(wins["chessboard"]["finest pattern"], fine["finest pattern"]) > 5

# %% [markdown]
# ## One by one
#
# **$D$ wins** (`loss="minimax"`). $D$'s loss falls to {glue:text}`D wins: D's loss:s` and stays, and the
# samples stand still. $D$ is right about every picture, and there the minimax loss has no slope
# ({doc}`01_dcgan`). Adam divides by the size that gradients *had*: while they shrink, so do its steps.
#
# **$G$ wins** (`d_rate=1e-6`). $D$'s loss is {glue:text}`G wins: D's loss:s`, above the 1.39 of
# guessing. A texture fools an opponent that hardly learns.
#
# **Collapse** (`g_rate=4e-2`; on points, in the {doc}`playground`). The losses look no worse than the
# healthy run's. Samples and the count tell: {glue:text}`collapse: kinds:s` kinds among 300 faces, where the healthy run
# has {glue:text}`healthy: kinds:s`. How far it goes is chance: another processor rounds otherwise, and the
# same run may end with a single picture.
#
# **Momentum** (`beta_1=0.9`, Adam's default). $D$ wins, and all pictures are nearly one:
# {glue:text}`momentum: kinds:s` kinds.
#
# **Divergence** (both rates 5). $G$'s loss is about {glue:text}`divergence: G's loss:s`, and all samples are
# nearly the same. Where a loss becomes NaN, `fit` stops by itself and keeps the last good weights.
#
# **Chessboard** (kernels of 3, stride 2). The heads are there, under a grid:
# {glue:text}`chessboard: finest pattern:s` times the data's finest pattern. The stamps of such kernels
# overlap unevenly {cite:p}`odena2016checkerboard`. Kernels of 4 stamp evenly, and still show
# {glue:text}`healthy: finest pattern:s` times after so short a run. Which shows more is chance, too: on another
# processor it was the healthy run.

# %% [markdown]
# ## Summary
#
# | you see | it may be | try |
# |---|---|---|
# | $D$'s loss near 0, no faces | $D$ wins | another loss; less momentum; a bound on $D$ ({doc}`02_spectral_norm`) |
# | $D$'s loss above that of guessing | $G$ wins | a larger rate of $D$, or more steps of it ({doc}`04_ttur`) |
# | few kinds of picture, by sight and by count | collapse | a smaller rate of $G$ |
# | another style every few steps | oscillation ({doc}`playground`) | smaller rates, the averaged $G$ |
# | losses in the thousands, NaN | divergence | far smaller rates |
# | a fine grid over everything | chessboard | a kernel that the stride divides; more steps |

# %% [markdown]
# ## Exercises
#
# ```{exercise} A D that guesses
# :label: ex-failures-guess
#
# $D$'s loss stays at 1.39. A perfect run does this, and a dead one: why? What tells them apart?
# ```
#
# ```{solution} ex-failures-guess
# :class: dropdown
#
# If $G$ draws the data's distribution, the best $D$ guesses. A $D$ that scores everything 0 guesses too, and
# gives $G$ no gradient. Kinds and spread tell: like the data's if it is perfect, like an untrained $G$'s if it is dead.
# ```
#
# ```{exercise} The cure
# :label: ex-failures-cure
#
# Cure the run in which $D$ wins without touching its loss: a tenth of $D$'s rate, or ten times $G$'s?
# ```
#
# ```{solution} ex-failures-cure
# :class: dropdown
#
# Ten times $G$'s. With `g_rate=4e-3` $D$'s loss is {glue:text}`cure, G: D's loss:s`, and
# {glue:text}`cure, G: kinds:s` kinds appear (healthy: {glue:text}`healthy: kinds:s`). With `d_rate=4e-5` it is
# {glue:text}`cure, D: D's loss:s`, with {glue:text}`cure, D: kinds:s` kinds: now $G$ wins.
# ```

# %% tags=["remove-cell"]
for player, rate in (("G", {"g_rate": 4e-3}), ("D", {"d_rate": 4e-5})):
    cured = tell(train(loss="minimax", **rate))
    page.glue(f"cure, {player}: D's loss", cured["D's loss"], "{:.1f}")
    page.glue(f"cure, {player}: kinds", cured["kinds"])
    if player == "G":
        assert 0.7 < cured["kinds"] / fine["kinds"] < 1.5
    else:
        assert cured["D's loss"] > np.log(4)

# %% tags=["remove-cell"]
page.took(started)
