# %% [markdown]
# # Few pictures
#
# You have 300 pictures, not 50,000. $D$ sees each again and again, until it knows them by heart. From then on it
# may tell $G$ less and less. This chapter shows how to see that coming, and what to do: never show $D$ a picture
# as it is.
#
# ```{admonition} What you will see
# - $D$'s scores of training pictures and of others, as they part;
# - differentiable augmentation, and which changes leak into the samples;
# - how many pictures are few, what a trained pair is worth then, and what to do.
# ```
#
# ```{figure} ../_book/static/diagrams/augment.svg
# :name: fig-augment-idea
# :alt: Generated and real pictures are each changed before D scores them. The gradient of G's loss comes back from the score through the change to G.
#
# What $D$ sees of both is changed, each picture by a draw of its own.
# ```
#
# ```{glue:figure} fig_shown
# :name: fig-shown
# :alt: Five rows of eight drawn faces: as they are; in other colours; moved, with grey where nothing came in; with a grey square over a part; all at once.
#
# Eight faces, and what $D$ is shown: as they are; in other colours; moved; cut out; all at once.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapters {doc}`01_dcgan` and {doc}`02_spectral_norm`. The page takes
# {glue:text}`core-seconds:s` seconds of one core, where it was made. Its trainings are one seed each, at 32
# pixels: they show what can happen.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started = time.perf_counter()

# %% [markdown]
# ## D learns by heart
#
# Held-out data tell whether a classifier knows its training set by heart. $D$ is a classifier. Where it tells
# *training* pictures from *held-out* ones, it recognizes pictures.

# %%
from sagan_lib.datasets import faces

PICTURES, STEPS = 24, 260
training, held_out = faces.Faces(32, PICTURES).split(200)
assert training.size == PICTURES
assert held_out.shape == (200, 32, 32, 3)

# %% [markdown]
# `fit` takes the held-out pictures. Each row of its history then has the mean scores `d_train`, `d_held_out` and
# `d_fake`, and `d_gap`, the first less the second.

# %%
import keras
from sagan_lib import gan, sagan, ttur

def train(augment):
    """(the model, its history) after a short training on the few faces."""
    keras.utils.set_random_seed(8)
    nets = [make(32, 16, attention_at=None) for make in (sagan.generator, sagan.discriminator)]
    model = gan.GAN(*nets, ema_decay=0.99)
    model.compile(**ttur.preset("sagan_x10"), augment=augment)
    history = model.fit(training, steps=STEPS, batch_size=16, log_every=STEPS // 10,
                        held_out=held_out, verbose=0)
    return model, history.history

# %%
models, histories = {}, {}
models["as they are"], histories["as they are"] = train(None)

# %% [markdown]
# ## What D is shown
#
# Show $D$ other pictures each time: paler, moved, with a part cut out. But change the real ones alone, and
# $D$ calls exactly these changes real, and $G$ draws them. So {cite:t}`zhao2020diffaugment` change *both* by a
# random $T$ in front of $D$:
#
# $$
# \begin{aligned}
# L_D &= \mathbb{E}\, f\bigl(-D(T(x))\bigr) + \mathbb{E}\, f\bigl(D(T(G(z)))\bigr), \\
# L_G &= \mathbb{E}\, g\bigl(D(T(G(z)))\bigr) .
# \end{aligned}
# $$ (eq-augmented)
#
# Here $f$ and $g$ are those of the loss: for cross-entropy $f(s) = \log(1 + e^s)$ and $g(s) = f(-s)$. $G$ learns
# through $T$, so $T$ must have a gradient. The paper's three changes are colour, a move, and a cutout:

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
# `compile(augment="color,translation,cutout")` puts them in front of $D$. Now the same training, with only that
# changed: the same faces in the same order, the same noise, the same first weights.

# %%
models["changed"], histories["changed"] = train("color,translation,cutout")

# %% tags=["long", "remove-cell"]
import matplotlib.pyplot as plt

NAMES = {"d_train": "training faces", "d_held_out": "held-out faces", "d_fake": "generated faces"}
figure, axes = plt.subplots(1, 2, figsize=(7, 2.6), sharey=True)
for axis, (name, history) in zip(axes, histories.items()):
    for number, (key, label) in enumerate(NAMES.items()):
        axis.plot(history["step"], history[key], color=plots.COLOURS[number], label=label)
    axis.set_title(f"D is shown faces {name}")
    axis.set_xlabel("step")
    axis.grid()
axes[0].set_ylabel("mean score of D")
axes[1].legend()
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
# :alt: Two panels of D's mean score over the steps. Where D trains on faces as they are, those score well above held-out ones; where it trains on changed ones, both lines stay close together.
#
# $D$'s mean scores of faces as they are, while it trains without and with changes. Where the upper lines part, $D$
# knows faces by heart.
# ```
#
# After training on them as they are, $D$ scores its {glue:text}`few-pictures:s` faces {glue:text}`gap-plain:s` above
# held-out ones, and after training on changed ones {glue:text}`gap-changed:s` (all scored unchanged).
#
# Without pictures to hold out, {cite:t}`karras2020ada` read $r_t = \mathbb{E}\,[\operatorname{sign} D(x)]$ of the
# training pictures: near 1, $D$ is sure of all of them. They raise or lower the probability of their changes to hold
# $r_t$ at 0.6, and report better results than with the best fixed one. Here it is fixed, as DiffAugment has it:
# whether changes pay at all comes first.

# %% [markdown]
# Does $G$ draw its training faces again? A *copy* lies nearer to a training face than 95 % of the held-out
# faces do, in the judge's features (after {cite:t}`meehan2020copying`); 5 % would be chance.

# %%
from sagan_lib.datasets.source import from_bytes
from sagan_lib.evaluation import metrics, scores

judged, known = scores.judge_extractor(), from_bytes(training.images)
held, copied = {}, {}
for name, model in models.items():
    images = model.sample(500)
    copied[name] = scores.copies(images, known, held_out, judged)["value"]
    held[name] = metrics.frechet(judged.features(images), judged.features(held_out))
    print(f"{name:12} copies {copied[name]:3.0%}, Fréchet distance {held[name]:.0f}")

# %% tags=["remove-cell"]
assert held["as they are"] < held["changed"]  # as the text says
assert max(copied.values()) <= 0.05

# %% [markdown]
# So far neither copies more than by chance, and by the distance to held-out faces the plain one is ahead, perhaps
# because changes make $D$'s task harder. Where each *ends* the trials below tell.

# %% [markdown]
# ## What leaks
#
# Why does $G$ not draw grey squares? Because to $D$ a picture *with* a square, once changed, still looks different on
# average from one without. That fails where a change hides a difference altogether. Let a share $q$ of the faces
# have brown hair, and let the change swap brown and blond with probability $p$. Then $D$ sees
#
# $$
# q' = (1 - p)\, q + p\, (1 - q) .
# $$ (eq-leak)

# %% tags=["nbval-check-output"]
def seen_by_d(share, p):
    """The share of brown hair after the swap."""
    return (1 - p) * share + p * (1 - share)

shares = np.linspace(0, 1, 5)
for p in (0.0, 0.2, 0.5, 0.8):
    print(f"p = {p:.1f}: D sees", np.round(seen_by_d(shares, p), 2))
assert np.ptp(seen_by_d(shares, 0.5)) == 0  # all shares look alike: G may draw any
assert len({*np.round(seen_by_d(shares, 0.2), 9)}) == len(shares)  # each looks different

# %% [markdown]
# At $p = \tfrac12$ all shares look alike: nothing keeps $G$ from drawing any of them, and the swap has *leaked*.
# At any other $p$ only the right $q$ gives the right $q'$. In general a change cannot leak if the distribution of
# pictures can be computed back from that of the changed ones {cite:p}`karras2020ada`. In practice they find
# leaks unlikely where each change has a probability below 0.8 (in their random pipeline; DiffAugment always applies
# its three).
#
# A **flip** is the case of $p = \tfrac12$. So the library takes it as more data: `"flip"` mirrors half of the real
# pictures and no generated one. Of faces that is right; of letters it is not.

# %% [markdown]
# ## How many are few?
#
# The authors of DiffAugment took parts of FFHQ, 70,000 photographs of faces {cite:p}`zhao2020diffaugment`. With
# 1,000 to 30,000 the changes help, by more than half at 1,000 and 5,000; with all they cost a little.

# %% tags=["long", "remove-cell"]
# From the authors' table of trained models: github.com/mit-han-lab/data-efficient-gans, the README
# of DiffAugment-stylegan2, fid50k-train on FFHQ.
COUNTS = (1000, 5000, 10_000, 30_000, 70_000)
REPORTED = {"as they are": (62.16, 26.60, 14.75, 6.16, 3.81),
            "changed": (25.66, 10.45, 7.86, 5.05, 4.24)}
gains = np.divide(*REPORTED.values())
assert min(gains[:2]) > 2  # as the text says
assert min(gains[:-1]) > 1 > gains[-1]
figure, axis = plt.subplots(figsize=(5, 2.8))
for number, (name, values) in enumerate(REPORTED.items()):
    axis.plot(COUNTS, values, "o-", ms=4, color=plots.COLOURS[number], label=name)
axis.set(xscale="log", yscale="log", xlabel="photographs", ylabel="FID, 0 is best")
axis.set_xticks(COUNTS, [f"{count:,}" for count in COUNTS], fontsize=8)
axis.set_yticks([4, 8, 16, 32, 64], ["4", "8", "16", "32", "64"])
axis.minorticks_off()
axis.grid()
axis.legend()
figure.tight_layout()
page.show("fig_reported", figure)

# %% [markdown]
# ```{glue:figure} fig_reported
# :name: fig-reported
# :alt: FID over the number of photographs. Both lines fall; with changes it is far lower at 1,000, and slightly higher at 70,000.
#
# Not measured here: FID of StyleGAN2 at 256 pixels, as the authors of DiffAugment publish it.
# ```

# %% [markdown]
# ## Over seeds
#
# Is it so with this book's networks and faces? Fair trials ({doc}`claims`), {glue:text}`few-steps:s` steps each:

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import answers, figures, trials

store = trials.open_store()
judged = answers.answered(store, "08_few_pictures")
page.show("fig_few_seeds", figures.forest(judged))
verdicts = {name: each.verdict for name, each in judged.items()}
assert verdicts == {"few": "holds", "few-100": "the opposite holds", "few-gap": "holds",
                    "few-copies": "no difference worth naming"}  # as the text says
page.glue("few-steps", store.protocol.steps, "{:,}")
page.glue("few-all", store.protocol.faces, "{:,}")
page.glue("few-worse", np.exp(judged["few"].mean), "{:.1f}")
page.glue("few-slower", np.exp(-judged["few-100"].mean), "{:.1f}")
for kind, trial in zip(("changed", "plain"), judged["few-100"].trials):
    stored = store.seeds("arms", trial)
    runs = [stored[seed] for seed in judged["few-100"].values]
    page.glue(f"few-gap-{kind}", np.mean([run["d_gap"] for run in runs]), "{:.1f}")
    page.glue(f"few-copies-{kind}", 100 * np.mean([run["copies"] for run in runs]), "{:.0f}")
    curves = np.log([[value for _, value in run["curve"]] for run in runs])
    page.glue(f"few-falls-{kind}", 100 * (1 - np.exp((curves[:, -1] - curves[:, -5]).mean())), "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_few_seeds
# :name: fig-few-seeds
# :alt: Four sentences, each above a row of dots and a bar, with its verdict below.
#
# Each side at its own best rates. Dot: a seed. Bar: 98.3 % interval of the mean. In the grey band no difference is
# worth naming; a bar wholly right of it says that the sentence is right, wholly left that its reverse is.
# ```
#
# **100 faces are few**: the Fréchet distance is {glue:text}`few-worse:s` times that of training on {glue:text}`few-all:s`.
#
# **Changes close the gap, and do not pay in so many steps.** $D$'s gap ends at {glue:text}`few-gap-plain:s` as they are,
# at {glue:text}`few-gap-changed:s` changed. Yet with changes the distance is {glue:text}`few-slower:s` times as large. It
# had not levelled off: over the last quarter it fell by {glue:text}`few-falls-changed:s` %, as they are by
# {glue:text}`few-falls-plain:s` %. Who trains for longer may find the order of {numref}`fig-reported`.
#
# **Nor are there copies to prevent**: {glue:text}`few-copies-plain:s` % of the samples lie as near to a training face as
# 5 % of the held-out ones do; changed, {glue:text}`few-copies-changed:s` %.

# %% [markdown]
# ## Going on from a trained pair
#
# If you have a GAN of something similar, you need not begin anew. Say, faces with red hair are new, and there are 100
# of them; all other colours are known. Stored runs begin anew, or go on from a pair trained on the other colours, or
# go on with $D$'s lower layers frozen, here two; {cite:t}`mo2020freeze` report better results with that. All three
# changes are on. In code:

# %%
from sagan_lib import finetune

pair = [make(32, 16, attention_at=None) for make in (sagan.generator, sagan.discriminator)]
finetune.start(pair, models["changed"], frozen=2)
onward = gan.GAN(*pair, ema_decay=0.99)
onward.compile(**ttur.preset("sagan_x10"), augment="color,translation,cutout")
learn = {weight.path.split("/")[0] for weight in onward.discriminator.trainable_variables}
assert learn == {"down4", "score"}

# %% [markdown]
# Both pairs need one shape, otherwise an error says which weight differs. The generator that comes with the book is
# no pair: its $D$ was not kept, and $D$ matters more than $G$ here {cite:p}`wang2018transferring`.

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import continued
from sagan_lib.book import page, plots
from sagan_lib.datasets.source import from_bytes

BEGIN = {"anew": "anew", "on": "going on", "frozen": "going on, frozen"}
record, samples = continued.stored()
figure, axes = plt.subplots(1, 2, figsize=(7.5, 2.6), width_ratios=(1, 1.5), layout="constrained")
for colour_, (kind, seeds) in zip(plots.COLOURS, record["runs"].items()):
    for k, run in enumerate(seeds.values()):
        label = None if k else BEGIN[kind]
        axes[0].plot(*zip(*run["frechet"]), "o-", ms=3, color=colour_, label=label)
axes[0].set(xlabel="training step", ylabel="Fréchet distance, 0 is best", yscale="log")
axes[0].grid()
axes[0].legend()
sheet = plots.grid(from_bytes(np.concatenate([*samples.values()])), continued.SHOWN)
axes[1].imshow(sheet, interpolation="nearest")
axes[1].set_yticks(np.linspace(0, len(sheet), 7)[1::2], BEGIN.values(), fontsize=8)
axes[1].set_xticks([])
page.show("fig_continued", figure)

# %% tags=["remove-cell", "ledger"]
runs = record["runs"]
ends = {kind: [run["frechet"][-1][1] for run in of.values()] for kind, of in runs.items()}
assert 2 * max(ends["on"]) < min(ends["anew"])  # as the text says
assert max(ends["on"]) < min(ends["frozen"]) < min(ends["anew"])
first = {kind: of["1"]["share"][1] for kind, of in runs.items()}
for kind, distances in ends.items():
    page.glue(f"continued-{kind}", np.mean(distances), "{:.0f}")
    page.glue(f"share-{kind}", first[kind][1], "{:.0%}")
counts = sorted({len(of) for of in runs.values()})
page.glue("continued-seeds", " or ".join(map(str, counts)))
page.glue("continued-steps", runs["anew"]["1"]["frechet"][-1][0])
page.glue("continued-first", first["anew"][0])

# %% [markdown]
# ```{glue:figure} fig_continued
# :name: fig-continued
# :alt: Left, the Fréchet distance to faces with red hair over the steps, on a logarithmic axis: the lines that go on from a trained pair lie below the one that begins anew. Right, three rows of ten drawn faces with red hair: blurred where training began anew, clear where it went on.
#
# 100 faces with red hair. Left: every run. Right: the first samples of seed 1 at its end, none picked.
# ```
#
# After {glue:text}`continued-steps:s` steps the distance is {glue:text}`continued-anew:s` anew,
# {glue:text}`continued-on:s` going on, and {glue:text}`continued-frozen:s` with frozen layers (seeds of each:
# {glue:text}`continued-seeds:s`, all at one pair of rates). By the judge, {glue:text}`share-on:s` of the samples have
# red hair after {glue:text}`continued-first:s` steps where training goes on, and {glue:text}`share-anew:s` where it
# began anew. So going on was a head start here, of which freezing took a part away. Where each *ends*, fair trials
# are to say.

# %% [markdown]
# ## What to do
#
# | you have | do | who says so |
# |---|---|---|
# | 100 or fewer | Go on from a pair trained on something similar, or look for more. Count copies. | {numref}`fig-continued`: short runs, for 100 |
# | a few hundred | All three changes. Stop where the gap or the copies grow. | {cite:t}`zhao2020diffaugment`, down to 100 pictures of one thing, seen alike; the gap: {numref}`fig-parting` |
# | a few thousand | All three changes. | {numref}`fig-reported`; {cite:t}`karras2020ada`, with changes of their own, get good results |
# | tens of thousands | Try without, and look at the gap first. | {numref}`fig-reported`: with all pictures changes cost a little |
#
# Changes are the papers' advice, and for longer runs than those here, where they closed the gap and did not pay.
#
# On the command line, with a second run that goes on from the first:
#
# ```sh
# python -m sagan_lib train --data ~/Pictures/birds --augment color,translation,cutout --out runs/birds
# python -m sagan_lib train --data ~/Pictures/owls --augment color,translation,cutout \
#     --start-from runs/birds --out runs/owls
# ```
#
# More on own pictures: {doc}`92_own_pictures`.

# %% [markdown]
# ## Summary
#
# - With few pictures $D$ learns them by heart. Held-out pictures show it.
# - Change all that $D$ is shown, real and generated, with the gradient running through the change.
# - A change leaks where it hides a difference altogether. A flip does: take it as more data, or not at all.
# - With 100 pictures of a new kind, going on from a trained pair was a head start in a short run.
# - With 100 pictures changes kept $D$ from knowing them by heart, and in {glue:text}`few-steps:s` steps did not pay. By
#   the papers they pay below some tens of thousands of pictures.

# %% [markdown]
# ## Exercises
#
# ```{exercise} Real ones alone
# :label: ex-few-real-alone
#
# Someone changes the real pictures alone, by {eq}`eq-leak` with $p = 0.2$. In the data, $q = 0.9$. Which share does
# $G$ draw at the equilibrium?
# ```
#
# ```{solution} ex-few-real-alone
# :class: dropdown
#
# $D$ compares the changed data with the samples as they are. They agree where $G$ draws $q' = 0.8 \cdot 0.9 +
# 0.2 \cdot 0.1 = 0.74$. $G$ has learned the change.
# ```
#
# ```{exercise} Turned pictures
# :label: ex-few-turned
#
# A change turns each picture by 0, 90, 180 or 270 degrees, all equally often. Does it leak? And if it leaves half
# of the pictures as they are, and turns the others by 90, 180 or 270?
# ```
#
# ```{solution} ex-few-turned
# :class: dropdown
#
# First: yes, all four orientations come to look alike. Second: no. $D$ sees the orientations mixed by a matrix
# with $\tfrac12$ on its diagonal and $\tfrac16$ elsewhere, which can be inverted.
# ```

# %% tags=["remove-cell"]
page.took(started)
