# %% [markdown]
# # Few pictures
#
# You have 300 pictures, not 50,000. $D$ sees each of them again and again, until it knows them by
# heart. From then on it may tell $G$ less and less. This chapter shows how to see that coming, and
# what to do: never show $D$ a picture as it is.
#
# ```{admonition} What you will see
# - $D$'s scores of training pictures and of others, as they part;
# - differentiable augmentation: what $D$ is shown in place of a picture, real or generated;
# - two short trainings on few faces, without and with it, and what each knows by heart;
# - when a change leaks into the samples, and when it cannot;
# - how many pictures are few, by what the papers report.
# ```
#
# ```{figure} ../_book/static/diagrams/augment.svg
# :name: fig-augment-idea
# :alt: Noise goes through G to a generated picture. Generated and real pictures are each changed before D sees them; D gives a score. The gradient of G's loss comes back from the score through the change to G.
#
# What $D$ sees of both is changed, each picture by a draw of its own.
# ```
#
# ```{glue:figure} fig_shown
# :name: fig-shown
# :alt: Five rows of eight drawn faces: as they are; in other brightness and colours; moved, with grey where nothing came in; with a grey square over a part; and with all three changes at once.
#
# Eight faces, and what $D$ is shown of them: as they are; in other colours; moved; cut out; all at once.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapters {doc}`01_dcgan` and {doc}`02_spectral_norm`. The page takes
# {glue:text}`core-seconds:s` seconds of one core, where it was made. Its trainings are one seed each, at 32
# pixels on any hardware: they show what can happen. Figures from papers are cited as theirs.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started = time.perf_counter()

# %% [markdown]
# ## D learns by heart
#
# A classifier that knows its training set by heart is wrong about everything else, and one finds out by
# data that were held out. $D$ is a classifier. So hold pictures out here, too: $D$ scores the ones it
# trains on, the held-out ones, and generated ones. To be of use to $G$, it must tell real from generated.
# Where it tells *training* from *held out*, it recognizes pictures.

# %%
from sagan_lib.datasets import faces

PICTURES, STEPS = 24, 260
training, held_out = faces.Faces(32, PICTURES).split(200)
assert training.size == PICTURES
assert held_out.shape == (200, 32, 32, 3)

# %% [markdown]
# `fit` takes the held-out pictures, and every row of its history then has the mean scores: `d_train`,
# `d_held_out`, `d_fake`, and `d_gap`, the first less the second.

# %%
import keras
from sagan_lib import gan, sagan, ttur

def train(augment):
    """(the model, its history) after a short training on the few faces."""
    keras.utils.set_random_seed(8)
    nets = [make(32, 16, attention_at=None) for make in (sagan.generator, sagan.discriminator)]
    model = gan.GAN(*nets, ema_decay=0.99)
    model.compile(**ttur.preset("article_text"), augment=augment)
    history = model.fit(training, steps=STEPS, batch_size=16, log_every=STEPS // 10,
                        held_out=held_out, verbose=0)
    return model, history.history

# %%
models, histories = {}, {}
models["as they are"], histories["as they are"] = train(None)

# %% [markdown]
# ## What D is shown
#
# Show $D$ other pictures each time: brighter, paler, moved, with a part cut out. But change the real ones
# alone, and $D$ will call exactly these changes real, and $G$ will draw them. So {cite:t}`zhao2020diffaugment`
# change *both*, real and generated, by a random change $T$ in front of $D$:
#
# $$
# \begin{aligned}
# L_D &= \mathbb{E}\, f\bigl(-D(T(x))\bigr) + \mathbb{E}\, f\bigl(D(T(G(z)))\bigr), \\
# L_G &= \mathbb{E}\, g\bigl(D(T(G(z)))\bigr) .
# \end{aligned}
# $$ (eq-augmented)
#
# For the hinge loss $f(s) = \max(0, 1 + s)$ and $g(s) = -s$, for cross-entropy $f(s) = \log(1 + e^s)$ and
# $g(s) = f(-s)$.
#
# $G$ learns through $T$, so $T$ must have a gradient: that is the *differentiable* in its name. Their three
# changes are colour, a move, and a cutout. The library has them as a function of pictures and of random
# numbers; `GAN.compile(augment="color,translation,cutout")` puts it in front of $D$, with numbers that
# follow from seed and step, so that a run can still be stopped and goes on exactly.

# %%
import numpy as np
import tensorflow as tf
from sagan_lib import augment

change = augment.Augmentation("color,translation,cutout")
eight = tf.constant(held_out[:8])
draws = tf.random.stateless_uniform((8, augment.DRAWS), (1, 2))

shown = change(eight, draws)
assert shown.shape == eight.shape
assert not np.allclose(shown, eight)

# %%
with tf.GradientTape() as tape:
    tape.watch(eight)
    hidden = augment.Augmentation("translation,cutout")(eight, draws)
reached = tape.gradient(hidden, eight).numpy() != 0
print(f"the gradient reaches {reached.mean():.0%} of the pixels; the others are not shown to D")

weak = augment.Augmentation("color,translation,cutout", strength=0.0)
np.testing.assert_allclose(weak(eight, draws), eight, atol=1e-6)

# %% tags=["remove-cell"]
from sagan_lib.book import page, plots

assert 0.4 < reached.mean() < 1
rows = [eight] + [augment.Augmentation(name)(eight, draws) for name in augment.POLICIES] + [shown]
rows = [np.clip(row, -1, 1) for row in rows]
page.show("fig_shown", plots.pictures([np.concatenate(rows)], columns=8, width=5))

# %% [markdown]
# Where a penalty holds $D$ (chapter {doc}`06_penalties`), its slope is taken at what $D$ is shown.
#
# Now the same training, with only that changed: the same faces in the same order, the same noise, the
# same first weights.

# %%
models["changed"], histories["changed"] = train("color,translation,cutout")

# %% tags=["long", "remove-cell"]
import matplotlib.pyplot as plt

NAMES = {"d_train": "training faces", "d_held_out": "held-out faces", "d_fake": "generated faces"}
figure, axes = plt.subplots(1, 2, figsize=(7, 2.6), sharey=True)
for axis, (name, history) in zip(axes, histories.items()):
    for number, (key, label) in enumerate(NAMES.items()):
        axis.plot(history["step"], history[key], color=plots.COLOURS[number], label=label)
    axis.set_title(f"D is shown faces {name}", fontsize=10)
    axis.set_xlabel("step")
    axis.grid(alpha=0.3)
axes[0].set_ylabel("mean score of D")
axes[1].legend(fontsize=8)
figure.tight_layout()
page.show("fig_parting", figure)
gaps = [history["d_gap"][-1] for history in histories.values()]
assert gaps[0] > gaps[1] + 0.1  # as the text says
page.glue("gap-plain", gaps[0], "{:.2f}")
page.glue("gap-changed", gaps[1], "{:.2f}")
page.glue("few-pictures", PICTURES)

# %% [markdown]
# ```{glue:figure} fig_parting
# :name: fig-parting
# :alt: Two panels of D's mean score over the steps. On the left, where D is shown faces as they are, training faces score well above held-out faces all along. On the right, where they are changed, both lines stay close together.
#
# $D$'s mean scores, without and with changes. Where the upper two lines part, $D$ knows faces by heart.
# ```
#
# At the end $D$ scores its {glue:text}`few-pictures:s` training faces {glue:text}`gap-plain:s` above held-out
# ones where it is shown them as they are, and {glue:text}`gap-changed:s` where they are changed. The losses do
# not show it: a $D$ that knows its faces by heart has a fine loss.
#
# Without pictures to hold out, {cite:t}`karras2020ada` read the signs of $D$'s scores of training pictures,
# $r_t = \mathbb{E}\,[\operatorname{sign} D(x)]$: near 1, $D$ is sure of all of them. The history has `r_t`, too.

# %% [markdown]
# ## Copies
#
# Does $G$ draw its training faces again? The share of generated faces that lie nearer to a training face
# than nearly all held-out ones do, in the features of the judge, says so; 5 % would be chance. The
# comparison with held-out data is that of {cite:t}`meehan2020copying`.

# %%
from sagan_lib.datasets.source import from_bytes
from sagan_lib.evaluation import judge, metrics, scores

judged, known = scores.judge_extractor(), from_bytes(training.images)
samples = {name: model.sample(500) for name, model in models.items()}
for name, images in samples.items():
    copies = scores.copies(images, known, held_out, judged)["value"]
    seen, possible = judge.coverage(judge.read(images))
    print(f"{name:12} copies {copies:4.0%}, {seen} of {possible} combinations of attributes")

# %% tags=["remove-cell"]
def beside(images, count=8):
    """The generated faces that are nearest to a training face, and below each that face."""
    features = [judged.features(x) for x in (images, known)]
    distance = np.linalg.norm(features[0][:, None] - features[1][None], axis=-1)
    first = np.argsort(distance.min(1))[:count]
    return np.concatenate([images[first], known[distance[first].argmin(1)]])


pairs = [beside(images) for images in samples.values()]
page.show("fig_copies", plots.pictures(pairs, columns=8, titles=list(samples)))
held = {name: metrics.frechet(judged.features(x), judged.features(held_out))
        for name, x in samples.items()}
assert held["as they are"] < held["changed"]  # as the text says
page.glue("few-frechet-plain", held["as they are"], "{:.0f}")
page.glue("few-frechet-changed", held["changed"], "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_copies
# :name: fig-copies
# :alt: Two grids of two rows. Above, the eight generated faces that are nearest to a training face; below each, that training face.
#
# Of 500 generated faces the eight that come nearest to a training face, and below each that face.
# ```
#
# After so few steps neither $G$ is good: the Fréchet distance to the held-out faces is
# {glue:text}`few-frechet-plain:s` without changes and {glue:text}`few-frechet-changed:s` with them. In this one
# run the plain one is ahead: changes make $D$'s task harder. What counts is where each of them ends, and that
# is a question for longer runs, below. Nor does either copy, so far, more often than chance would.

# %% [markdown]
# ## What leaks
#
# Why does $G$ not draw grey squares? Because a real picture without one, changed, and a generated picture
# *with* one, changed, look different to $D$ on average. That fails where the change hides the difference
# altogether. Take one thing that can be counted: a share $q$ of the faces has brown hair, and the change
# swaps brown and blond with probability $p$. Then $D$ sees
#
# $$
# q' = (1 - p)\, q + p\, (1 - q) .
# $$ (eq-leak)

# %%
def seen_by_d(share, p):
    """The share of brown hair after the swap."""
    return (1 - p) * share + p * (1 - share)

shares = np.linspace(0, 1, 5)
for p in (0.0, 0.2, 0.5, 0.8):
    print(f"p = {p:.1f}: D sees", np.round(seen_by_d(shares, p), 2))
assert np.ptp(seen_by_d(shares, 0.5)) == 0  # all shares look alike: G may draw any
assert len({*np.round(seen_by_d(shares, 0.2), 9)}) == len(shares)  # each looks different

# %% [markdown]
# At $p = \tfrac12$ all shares look alike: nothing keeps $G$ from drawing any of them, and the swap has
# *leaked*. At any other $p$ only the right share gives the right $q'$. That is the general rule
# {cite:p}`karras2020ada`: a change cannot leak if the distribution of pictures can be computed back from that of
# the changed ones. In practice they find leaks unlikely as long as each change is applied with a probability
# below 0.8, which leaves some pictures as they are. `augment.Augmentation("color,cutout", probability=0.7)` does that for all of its
# changes together.
#
# A **flip** is the case of $p = \tfrac12$. So the library treats it as what it is, more data: `"flip"` mirrors
# half of the real pictures and no generated one, and $G$ may draw mirrored ones. Of faces that is right; of
# letters, of clocks, of a skyline it is not.

# %% [markdown]
# ## How many are few?
#
# {numref}`fig-reported` has what the authors of DiffAugment measured on parts of FFHQ, 70,000 photographs of
# faces, at 256 pixels with StyleGAN2 {cite:p}`zhao2020diffaugment`. With 1,000 to 30,000 photographs the
# changes help, most where there are fewest. With all of them they cost a little.

# %% tags=["long", "remove-cell"]
# From the authors' table of trained models: github.com/mit-han-lab/data-efficient-gans, the README
# of DiffAugment-stylegan2, fid50k-train on FFHQ.
COUNTS = (1000, 5000, 10_000, 30_000, 70_000)
REPORTED = {"as they are": (62.16, 26.60, 14.75, 6.16, 3.81),
            "changed": (25.66, 10.45, 7.86, 5.05, 4.24)}
figure, axis = plt.subplots(figsize=(5, 2.8))
for number, (name, values) in enumerate(REPORTED.items()):
    axis.plot(COUNTS, values, "o-", ms=4, color=plots.COLOURS[number], label=name)
axis.set(xscale="log", yscale="log", xlabel="photographs", ylabel="FID, 0 is best")
axis.set_xticks(COUNTS, [f"{count:,}" for count in COUNTS], fontsize=8)
axis.set_yticks([4, 8, 16, 32, 64], ["4", "8", "16", "32", "64"])
axis.minorticks_off()
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
figure.tight_layout()
page.show("fig_reported", figure)

# %% [markdown]
# ```{glue:figure} fig_reported
# :name: fig-reported
# :alt: FID over the number of photographs, both axes logarithmic. Both lines fall. With changes the line is far lower at 1,000, and slightly higher at 70,000.
#
# Not measured here: FID on parts of FFHQ as the authors of DiffAugment publish it, one number a point.
# ```
#
# Whether it is so with this book's networks and faces is asked by its own fair trials. The questions,
# and the verdicts there are:

# %% tags=["long", "remove-input", "ledger"]
from IPython.display import Markdown

from sagan_experiments import questions, trials, verdicts

store = trials.open_store()

def told(name):
    """The verdict on a question, if it was run."""
    try:
        found = verdicts.answer(name, store)
    except ValueError:
        return "not run yet"
    return f"{found.verdict}: {found}" if found.values else "not run yet"


asked = {name: each for name, each in questions.QUESTIONS.items() if each.chapter == "08_few_pictures"}
lines = [f"| {each.answer} | {told(name)} |" for name, each in asked.items()]
Markdown("\n".join(["| put to the test | verdict |", "|---|---|", *lines]))

# %% [markdown]
# ## What to do
#
# This table follows the papers, not runs of ours.
#
# | you have | do |
# |---|---|
# | fewer than 100 | Continue from a generator of something similar, or look for more. Expect copies. |
# | 100 to 1,000 | All three changes. The smallest sets of {cite:t}`zhao2020diffaugment` have 100 pictures of one thing, seen alike. Stop where the gap or the copies grow. |
# | a few thousand | All three changes; {cite:t}`karras2020ada` call that enough for good results. |
# | tens of thousands | Try without, and look at the gap first. |
#
# **Continue** from a trained pair where there is one: load both networks, make a new `GAN` of them, and
# compile it. (The command line has no option for that.) {cite:t}`mo2020freeze` keep $D$'s first layers frozen
# meanwhile: edges and colours are the same in all pictures.
#
# On the command line (more in {doc}`92_own_pictures`):
#
# ```sh
# python -m sagan_lib train --data ~/Pictures/birds --augment color,translation,cutout --out runs/birds
# python -m sagan_lib score --run runs/birds
# ```
#
# It holds a tenth of the pictures out, 500 at most; `d_gap` stands beside the losses, and `score` counts
# copies. `doctor --data` says beforehand whether your pictures are few.

# %% [markdown]
# ## Summary
#
# - With few pictures $D$ learns them by heart. Held-out pictures show it, losses do not.
# - Change all that $D$ is shown, real and generated, with the gradient running through the change.
# - A change leaks where it hides a difference altogether. A flip does; take it as more data, or not at all.
# - In the short run here changes cost speed. By their authors' figures they pay below some tens of thousands
#   of pictures.
#
# The {doc}`playground` shows the opposite: there every batch is new, and nothing can be learned by heart.

# %% [markdown]
# ## Exercises
#
# ```{exercise} Real ones alone
# :label: ex-few-real-alone
#
# Someone changes the real pictures alone, by {eq}`eq-leak` with $p = 0.2$. In the data, $q = 0.9$. Which share of
# brown hair does $G$ draw at the equilibrium?
# ```
#
# ```{solution} ex-few-real-alone
# :class: dropdown
#
# $D$ compares the changed data with the samples as they are. They agree where $G$ draws $q' = 0.8 \cdot 0.9 +
# 0.2 \cdot 0.1 = 0.74$. $G$ has learned the change.
# ```
#
# ```{exercise} A brightness that everybody gets
# :label: ex-few-brightness
#
# The colour change adds to every picture a number drawn evenly from $-0.5$ to $0.5$, with no exception. Does it
# leak? Compare $\hat q(t)$, the characteristic function of the brightness, before and after.
# ```
#
# ```{solution} ex-few-brightness
# :class: dropdown
#
# Adding an independent number multiplies characteristic functions: $\hat q'(t) = \hat q(t) \sin(t/2)/(t/2)$. The
# second factor is 0 only at single points, and $\hat q$ of a bounded brightness is continuous, so $\hat q$
# follows from $\hat q'$: in principle nothing leaks. But where the factor is small, a small error of $D$ is a
# large one of $\hat q$: fine differences of brightness are hard to learn.
# ```
#
# ```{exercise} Frozen layers
# :label: ex-few-frozen
#
# Continue from this page's plain model on 100 faces of one hair colour, with $D$'s first two layers frozen. What do
# you set, and how do you check that they stay?
# ```
#
# ```{solution} ex-few-frozen
# :class: dropdown
#
# Set `trainable = False` on them, before a new `GAN` is made of both networks and compiled with new optimizers.
# Compare their kernels before and after `fit`. `faces.factors` says which faces have that hair.
# ```

# %% tags=["remove-cell"]
page.took(started)

# %% tags=["nbval-check-output"]
print(list(augment.POLICIES), augment.DRAWS, list(asked))
