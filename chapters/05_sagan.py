# %% [markdown]
# # The whole SAGAN
#
# Four chapters took the parts one by one. Here they work together, as in the article's closing
# section: attention in both networks, spectral normalization in every layer, two time scales, the
# hinge loss. Then comes a generator that was trained for long, and it is asked everything that the
# known data set lets us ask.
#
# ```{admonition} What you will see
# - the article's network for 128 pixels, stage by stage, and what its training would cost;
# - a small SAGAN that trains live, on CelebA where it is there, else on faces;
# - uncurated samples, paths between faces, truncation, nearest training faces, attention maps;
# - what the generator gets wrong, counted.
# ```
#
# ```{figure} ../_book/static/diagrams/sagan.svg
# :name: fig-sagan
# :alt: Above, the generator: noise, maps of 4, 8, 16 and 32 pixels, attention, maps of 64 and 128 pixels, the image. Below, the discriminator: the image, 128, 64 and 32 pixels, attention, 16, 8 and 4, the score. Both are normalized in every layer; G learns at a rate of 0.0001, D at 0.0004.
#
# The whole SAGAN of the article, for 128 pixels.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need the four chapters before. The page takes {glue:text}`core-seconds:s` seconds of one core, where
# it was made. It is about two networks, one trained live and one for long: what it counts is true of
# those, and no law.
# What it gives at 64 pixels is in {doc}`94_two_scales`.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 250), (64, 16, 3000))
BATCH = 16 if SCALE == "cpu" else 32

# %% [markdown]
# ## The network of the article
#
# $G$ starts from a 4x4 map and doubles it five times; $D$ goes the other way. Both attend at 32x32,
# "between middle and high feature maps". The article normalizes all layers, dense ones too.

# %%
import keras

from sagan_lib.cli import recipes, runs
from sagan_lib.attention import attention_layers
from sagan_lib.spectral_norm import normalized_layers

article = recipes.RECIPES["celeba128"]
keras.utils.set_random_seed(0)
nets = runs.networks_of(article)
for net in nets:
    bare = [layer.name for layer in net.layers if hasattr(layer, "kernel")
            and layer not in normalized_layers(net)]
    assert not bare  # every layer with a kernel is normalized
    assert [layer.input.shape[1] for layer in attention_layers(net)] == [32]

# %% tags=["remove-input"]
from IPython.display import Markdown

def stages(net):
    """One row of a Markdown table for each layer with weights of its own."""
    shown = [layer for layer in net.layers if layer.count_params()]
    return "".join(
        f"| {layer.name} | {type(layer).__name__} | {' x '.join(map(str, layer.output.shape[1:]))} "
        f"| {layer.count_params():,} |\n" for layer in shown)


head = "| layer of {} | kind | output | parameters |\n|---|---|---|---|\n"
Markdown("\n\n".join(head.format("*G*" if i == 0 else "*D*") + stages(net)
                     for i, net in enumerate(nets)))

# %% [markdown]
# The settings, each with the chapter that argues for it:
#
# | setting | here | why |
# |---|---|---|
# | normalization | SN in both networks, and batch normalization in $G$ | {doc}`02_spectral_norm`, {doc}`01_dcgan` |
# | activations | ReLU in $G$, leaky ReLU with slope 0.1 in $D$ | {doc}`01_dcgan` |
# | attention | at 32x32, in both | {doc}`03_attention` |
# | loss | hinge | the article; {doc}`claims` (`hinge`) |
# | rates | 0.0001 for $G$, 0.0004 for $D$, Adam with $\beta = (0, 0.9)$ | {doc}`04_ttur` |
# | updates | one of $D$, then one of $G$ | {doc}`04_ttur` |

# %% [markdown]
# This book's networks are not the linked code's to the letter. There $G$'s first, dense layer has a ReLU
# and no batch normalization, and batch normalization elsewhere has no scale; here every map but the last
# is normalized, and scaled.

# %% [markdown]
# ## A small one, live
#
# One argument chooses the data. Where CelebA {cite:p}`liu2015celeba` lies in `data/celeba` it is
# taken, else the faces of this book. Everything else is one recipe.

# %%
from sagan_lib.datasets import celeba

DATA = celeba.find() or "faces"
live = recipes.Recipe(data=DATA, resolution=RESOLUTION, width=WIDTH, attention_at=16,
                      rates="article_text", batch_size=BATCH, steps=STEPS, ema_decay=0.99)
model = runs.build(live)
print(f"scale {SCALE}, data {DATA}: {STEPS} steps; {model.plan(BATCH, STEPS)}")

# %%
history = model.fit(runs.source(live), steps=STEPS, batch_size=BATCH,
                    log_every=max(1, STEPS // 5), verbose=0).history

# %% tags=["remove-cell"]
from sagan_lib.book import page, plots

figure = plots.pictures(model.sample(48, seed=1), columns=16)
page.show("fig_live", figure)
page.glue("live-d-loss", history["d_loss"][-1], "{:.2f}")
page.glue("live-gamma-g", history["g_gamma"][-1], "{:.2f}")
if DATA == "faces":  # the judge knows no others
    from sagan_lib.evaluation import judge

    reading = judge.read(model.sample(500, seed=1))
    page.glue("live-seen", judge.coverage(reading)[0])
    page.glue("live-mismatch", 100 * judge.heterochromia(reading), "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_live
# :name: fig-live
# :alt: Three rows of sixteen small pictures from the live run; faces with hair, skin and eyes in their places.
#
# The first 48 samples of seed 1, after the live run, none picked out.
# ```
#
# The rates are those that the article prints, ten times its code's: in short runs they pay
# ({doc}`claims`). What follows needs a longer run, and the book comes with one.

# %% [markdown]
# ## A long run
#
# Its recipe, its log and its command are stored beside its weights.

# %%
import json

from sagan_lib import shipped

generator = runs.generator()
record = json.loads((shipped.folder() / "results" / runs.RESULTS).read_text())
size = generator.output_shape[1]
print(record["command"])
print(f"{record['step']:,} steps, {size} pixels, {generator.count_params() / 1e6:.1f} M parameters")

# %% tags=["remove-cell"]

from sagan_lib import sampling

page.show("fig_samples", plots.pictures(sampling.generate(generator, 48, seed=1), columns=12))

# %% [markdown]
# ```{glue:figure} fig_samples
# :name: fig-samples
# :alt: Four rows of twelve generated cartoon faces with different hair, skin, eyes and backgrounds.
#
# The first 48 samples of seed 1, none picked out.
# ```

# %% [markdown]
# ### Scores
#
# How right are the faces of {numref}`fig-samples`? Each score stands beside what *real* faces score in
# its place ({doc}`91_evaluation` tells what each one sees).

# %%
from sagan_lib.datasets import registry
from sagan_lib.evaluation import scores

made = sampling.generate(generator, 1000, seed=0)
real, held_out = registry.by_name("faces", size).held_out(2000, len(made))
judge_features = scores.extractor("judge")
found = scores.evaluate(made, real, held_out, judge_features, "shipped generator", bootstrap=50)
print(json.dumps(found["protocol"], indent=1))

# %% tags=["remove-input"]
NAMES = {"frechet": "Fréchet distance", "kernel_distance": "kernel distance / 1000",
         "precision": "precision", "recall": "recall", "heterochromia": "unequal eyes",
         "variation": "variation from uniform", "coverage": "combinations of 250"}
rows = []
for name, label in NAMES.items():
    unit = 1000 if name == "kernel_distance" else 1
    score = {key: f"{number / unit:.3g}" for key, number in found[name].items()}
    interval = f"{score['low']} to {score['high']}" if "low" in score else ""
    rows.append(f"| {label} | {score['value']} | {interval} | {score['real']} |\n")
Markdown("| score | generated | interval | real |\n|---|---|---|---|\n" + "".join(rows))

# %% tags=["remove-cell"]
page.glue("fd", found["frechet"]["value"], "{:.1f}")
page.glue("fd-real", found["frechet"]["real"], "{:.1f}")
page.glue("fd-ratio", found["frechet"]["value"] / found["frechet"]["real"], "{:.1f}")
page.glue("unequal", 100 * found["heterochromia"]["value"], "{:.1f}")
page.glue("combinations", found["coverage"]["value"])

# %% [markdown]
# The Fréchet distance is {glue:text}`fd:s`, where as many real faces score {glue:text}`fd-real:s`: a factor
# of {glue:text}`fd-ratio:s`. Unequal eyes: {glue:text}`unequal:s` %; drawn apart they would be 83 %.
# {glue:text}`combinations:s` of the 250 combinations of attributes appear.

# %% [markdown]
# ### Factor by factor
#
# A single number hides what is missing. The judge reads every factor of every sample; in the data
# each value of a factor is equally frequent.

# %%
import numpy as np

from sagan_lib.datasets import faces
from sagan_lib.evaluation import judge, metrics

reading = judge.read(made)
rows, rarest = [], (1,)
for name, count in faces.CATEGORIES.items():
    share = np.bincount(getattr(reading, name), minlength=count) / len(made)
    variation = metrics.total_variation(getattr(reading, name), count)
    assert share.min() > 0  # no value is missing
    numbers = (1 / count, share.min(), share.max(), variation)
    rarest = min(rarest, (share.min() * count, share.min(), 1 / count, name))
    rows.append(f"| {name} | {' | '.join(f'{number:.3f}' for number in numbers)} |\n")

# %% tags=["remove-input"]
Markdown("| factor | each value in the data | rarest | commonest | variation from uniform |\n"
         "|---|---|---|---|---|\n" + "".join(rows))

# %% [markdown]
# ## Between two faces
#
# If the generator had learned single pictures by heart, a walk between two latent vectors would
# jump. We walk on the sphere: the straight line between two normal vectors passes through lengths
# that training never saw.

# %%
def walk(start, end, count):
    """Vectors from start to end along the arc between them (spherical interpolation)."""
    cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end))
    angle, t = np.arccos(cosine), np.linspace(0, 1, count)[:, None]
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


z = sampling.latent(8, generator.input_shape[-1], seed=4).numpy()
paths = np.concatenate([walk(z[i], z[i + 1], 12) for i in range(0, 8, 2)])
steps_between = generator(paths.astype(np.float32), training=False).numpy()
moved = np.abs(np.diff(steps_between.reshape(4, 12, -1), axis=1)).mean(-1)
largest = (moved.max(1) / moved.sum(1)).max()

# %% tags=["remove-cell"]
page.show("fig_walk", plots.pictures(steps_between, columns=12))
page.glue("walk-largest", 100 * largest, "{:.0f}")
assert 2 / 11 < largest < 0.5  # "switches", below

# %% [markdown]
# ```{glue:figure} fig_walk
# :name: fig-walk
# :alt: Four rows of twelve faces; in each row the first face turns step by step into the last.
#
# Four walks in latent space, the first pairs of seed 4.
# ```
#
# Measured in pixels, the largest single step makes up {glue:text}`walk-largest:s` % of its walk; eleven
# equal steps would be 9 % each. Pose, gaze and mouth drift; hair, background and eyes switch from one
# kind to the next, mostly one at a time. The data has nothing between two hair colours, and the
# generator has learned to pass through it quickly. No step changes the whole face.

# %% [markdown]
# ## Truncation
#
# Draw $z$ from a normal that is cut off at $\pm\tau$ {cite:p}`brock2018biggan`. Near the middle a
# generator is on familiar ground: samples should get more typical, and more alike.

# %%
CUTS = (3.0, 1.5, 1.0, 0.5, 0.3)
trade = []
known = judge_features.features(real)  # all 2,000, as in the table of scores
for cut in CUTS:
    cut_off = sampling.generate(generator, 500, seed=0, truncation=cut)
    inside = metrics.precision_recall(known, judge_features.features(cut_off))
    read = judge.read(cut_off)
    trade.append([*(part.mean() for part in inside), judge.coverage(read)[0] / 250,
                  judge.heterochromia(read)])

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 2.8))
labels = ("precision", "recall", "combinations seen", "unequal eyes")
for colour, label, values in zip(plots.COLOURS, labels, np.transpose(trade)):
    axis.plot(CUTS, values, "o-", ms=4, color=colour, label=label)
axis.set(xlabel="truncation $\\tau$", ylim=(-0.03, 1.03), xscale="log")
axis.set_xticks(CUTS, [f"{cut:g}" for cut in CUTS], minor=False)
axis.minorticks_off()
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
figure.tight_layout()
page.show("fig_truncation", figure)

# %% [markdown]
# ```{glue:figure} fig_truncation
# :name: fig-truncation
# :alt: Precision, recall, share of combinations seen and share of unequal eyes against the truncation, from 0.3 to 3.
#
# What truncation gives and takes, on 500 samples of one seed for each cut, against the 2,000 real
# faces of the table above.
# ```

# %% tags=["remove-cell"]
for name, cut in (("whole", 3.0), ("cut", 0.5)):
    precision, _, combinations, differ = trade[CUTS.index(cut)]
    page.glue(f"{name}-precision", precision, "{:.2f}")
    page.glue(f"{name}-unequal", 100 * differ, "{:.1f}")
    page.glue(f"{name}-combinations", round(250 * combinations))

# %% [markdown]
# From $\tau = 3$ to $\tau = 0.5$ combinations fall from {glue:text}`whole-combinations:s` to
# {glue:text}`cut-combinations:s`: more alike, as promised. Precision goes from
# {glue:text}`whole-precision:s` to {glue:text}`cut-precision:s`, unequal eyes from
# {glue:text}`whole-unequal:s` % to {glue:text}`cut-unequal:s` %: whether samples get more *typical*
# depends on the generator. {cite:t}`brock2018biggan` found the same: some networks do not bear
# truncation, unless they are regularized for it. A score without its truncation says little.

# %% [markdown]
# ## Has it learned the faces by heart?
#
# Look for the nearest *training* face of each sample, in the judge's features. A copy would be
# nearer to a training face than a fresh real face is.

# %%
from scipy.spatial.distance import cdist

from sagan_lib.datasets.source import from_bytes

trained_on = faces.Faces(size, 5000, record["recipe"]["population"])
train_features = judge_features.features(from_bytes(trained_on.images))
apart = cdist(judge_features.features(made), train_features)
fresh = cdist(judge_features.features(held_out), train_features)
nearest, fresh_nearest = apart.min(1), fresh.min(1)

# %% tags=["remove-cell"]
figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.3), width_ratios=(1.5, 1))
pair = np.stack([made[:10], from_bytes(trained_on.images[apart[:10].argmin(1)])])
axes[0].imshow(plots.grid(pair.reshape(-1, size, size, 3), columns=10))
axes[0].axis("off")
axes[0].set_title("sample, and its nearest training face", fontsize=9)
for values, label, colour in ((nearest, "samples", 0), (fresh_nearest, "fresh real faces", 1)):
    axes[1].hist(values, np.linspace(0, np.quantile(nearest, 0.99), 40), alpha=0.6,
                 color=plots.COLOURS[colour], label=label)
axes[1].set(yticks=[], xlabel="distance to the nearest training face")
axes[1].legend(fontsize=7)
figure.tight_layout()
page.show("fig_nearest", figure)

# %% [markdown]
# ```{glue:figure} fig_nearest
# :name: fig-nearest
# :alt: Left, ten generated faces over their nearest training faces; right, histograms of the distance to the nearest training face, for samples and for fresh real faces.
#
# Left: the first ten samples and, below each, the nearest of 5,000 training faces. Right: how near
# that is, beside real faces that were never trained on.
# ```

# %% tags=["remove-cell"]
page.glue("nearest", np.median(nearest), "{:.1f}")
page.glue("fresh-nearest", np.median(fresh_nearest), "{:.1f}")
page.glue("copies", int(np.sum(nearest < np.quantile(fresh_nearest, 0.001))))

# %% [markdown]
# The median distance is {glue:text}`nearest:s` for samples and {glue:text}`fresh-nearest:s` for fresh
# real faces. {glue:text}`copies:s` of 1,000 samples are nearer to a training face than 999 of
# 1,000 fresh faces are. A generator that copies would have nearly all of them there.

# %% [markdown]
# ## Where it looks
#
# One row of the attention map for each of four points: the eyes, the hair, the background
# ({doc}`03_attention`).

# %%
from sagan_lib.evaluation.maps import attention_map

POINTS = {"left eye": (0.51, 0.36), "right eye": (0.51, 0.64), "hair": (0.2, 0.5),
          "background": (0.06, 0.06)}
z = sampling.latent(200, generator.input_shape[-1], seed=5)
drawn, maps = (part.numpy() for part in attention_map(generator, z))
asks = round(maps.shape[1] ** 0.5)
print(f"{asks * asks} positions ask, each can look at {maps.shape[2]}")

# %% tags=["remove-cell"]
figure, axes = plt.subplots(5, 5, figsize=(5.9, 6))
for column in range(5):
    axes[0, column].imshow((drawn[column] + 1) / 2)
    axes[0, column].axis("off")
    for row, (name, point) in enumerate(POINTS.items(), 1):
        query = int(point[0] * asks) * asks + int(point[1] * asks)
        plots.overlay(drawn[column], maps[column, query], point, axes[row, column])
        if column == 0:
            axes[row, 0].set_title(name, fontsize=9, loc="left")
figure.tight_layout(pad=0.4)
page.show("fig_looks", figure)

# %% [markdown]
# ```{glue:figure} fig_looks
# :name: fig-looks
# :alt: Five generated faces; under each, four grey copies with the attention map in orange for a query at the left eye, at the right eye, at the hair and at the background.
#
# The first five faces of seed 5 and where four points look. The cross asks; bright places answer.
# Each map is scaled to its own maximum.
# ```
#
# Does one eye find the other? As in {doc}`03_attention`: the share that goes from one eye to a square
# around the other, against a square as far below, and against attention spread evenly.

# %%
from sagan_lib.evaluation.maps import looks_at

LEFT, RIGHT, DOWN = (0.51, 0.36), (0.51, 0.64), 5 / 16
shares, controls, found_it = [], [], []
side = round(maps.shape[2] ** 0.5)
for eye, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
    share, even = looks_at(maps, eye, other)
    shares.append(share)
    controls.append(looks_at(maps, eye, (other[0] + DOWN, other[1]))[0])
    most = maps[:, int(eye[0] * asks) * asks + int(eye[1] * asks)].argmax(-1)
    off = [abs(n - int(x * side)) for n, x in zip((most // side, most % side), other)]
    found_it.append(np.maximum(*off) <= 1)

# %% tags=["remove-cell"]
page.glue("eye-half", 100 * np.mean(np.maximum(*shares) > 0.5), "{:.0f}")
page.glue("control-half", 100 * np.mean(np.maximum(*controls) > 0.5), "{:.0f}")
page.glue("eye-most", 100 * np.mean(np.logical_or(*found_it)), "{:.0f}")
page.glue("eye-even", 100 * even, "{:.1f}")

# %% [markdown]
# In {glue:text}`eye-half:s` % of 200 faces one of the two eyes gives more than half of all its
# attention to the other; the control area gets as much in {glue:text}`control-half:s` %, and an even
# share would be {glue:text}`eye-even:s` %. In {glue:text}`eye-most:s` % the very place that gets
# *most* attention from one eye is at the other. {doc}`03_attention` cuts this path, and counts what
# becomes of the eyes.

# %% [markdown]
# ## Gate and norms over the run

# %% tags=["remove-cell"]
log = record["log"]
figure, axes = plt.subplots(1, 2, figsize=(7, 2.5))
for axis, letter, label in ((axes[0], "gamma", "$\\gamma$"), (axes[1], "sigma", "largest $\\sigma$")):
    for colour, player in zip(plots.COLOURS, "gd"):
        axis.plot(log["step"], log[f"{player}_{letter}"], color=colour, label=player.upper())
    axis.set(xlabel="training step", ylabel=label)
    axis.grid(alpha=0.3)
axes[0].axhline(0, color="black", lw=0.8)
axes[0].legend(fontsize=8)
figure.tight_layout()
page.show("fig_gate_norms", figure)

# %% [markdown]
# ```{glue:figure} fig_gate_norms
# :name: fig-gate-norms
# :alt: Left, gamma of both networks against the training step; right, the largest raw singular value of the kernels of each network against the step.
#
# Left: the gate of attention. Right: the largest singular value among a network's *raw* kernels. The
# layers divide by it, so its size has no meaning for their output; it shows how far the raw weights
# drift.
# ```

# %% [markdown]
# ## What it gets wrong
#
# The samples farthest from any real face, and the first with unequal eyes:

# %%
distance = cdist(judge_features.features(made), known).min(1)
farthest = np.argsort(-distance)[:len(made) // 20]
differ = reading.left_iris != reading.right_iris
unequal = np.flatnonzero(differ)[:12]
print(f"unequal eyes: {differ[farthest].mean():.0%} of the farthest twentieth, {differ.mean():.0%} of all")

# %% tags=["remove-cell"]
sets = [made[farthest[:12]], made[unequal]]
page.show("fig_failures", plots.pictures(sets, columns=6, titles=["farthest from the data", "unequal eyes"]))

# %% [markdown]
# ```{glue:figure} fig_failures
# :name: fig-failures
# :alt: Two grids of generated faces; on the left those farthest from the data, some of them with eyes of two colours, on the right faces whose two eyes have different colours.
#
# The farthest of 1,000 samples by their distance to the nearest of 2,000 real faces, and the first
# ones whose eyes the judge reads as different.
# ```
#
# What makes a face far? Compare the farthest twentieth with all faces, factor by factor. The first rows
# are faults; the others say which *kinds* the generator draws badly.

# %%
def lift(told, chosen=farthest):
    """Share among the farthest faces, and among all."""
    return told[chosen].mean(), told.mean()


kinds = {"eyes of two colours": lift(differ)}
kinds |= {f"{name} {value}": lift(getattr(reading, name) == value)
          for name, count in faces.CATEGORIES.items() for value in range(count)}
ranked = sorted(kinds, key=lambda kind: kinds[kind][1] - kinds[kind][0])[:5]
for kind in ranked:
    print(f"{kind:22} {kinds[kind][0]:4.0%} of the farthest, {kinds[kind][1]:4.0%} of all")

# %% tags=["remove-cell"]
page.glue("rarest-factor", rarest[3])
page.glue("rarest", 100 * rarest[1], "{:.1f}")
page.glue("rarest-even", 100 * rarest[2], "{:.0f}")
page.glue("outside", 100 * (1 - found["precision"]["value"]), "{:.0f}")
page.glue("outside-real", 100 * (1 - found["precision"]["real"]), "{:.0f}")
page.glue("missing", 250 - found["coverage"]["value"])
page.glue("missing-real", 250 - found["coverage"]["real"])
page.glue("far-unequal", 100 * differ[farthest].mean(), "{:.0f}")
page.glue("far-kind", ranked[0])
assert differ[farthest].mean() > 2 * differ.mean()  # as the list below says

# %% [markdown]
# The list, from this page's own numbers:
#
# - **eyes**: {glue:text}`unequal:s` % of the faces have unequal ones, and the data has none. Among the
#   farthest faces they are {glue:text}`far-unequal:s` %: the fault that takes a face furthest from the
#   data is the one that chapter {doc}`03_attention` is about;
# - **kinds**: they are not equally frequent. The rarest value, of the factor
#   *{glue:text}`rarest-factor:s`*, is drawn in {glue:text}`rarest:s` % of the faces, and should be in
#   {glue:text}`rarest-even:s` %. {glue:text}`missing:s` of 250 combinations do not appear among 1,000
#   faces; among as many real ones {glue:text}`missing-real:s` do not;
# - **off the data**: {glue:text}`outside:s` % of the samples lie outside of where real faces lie;
#   {glue:text}`outside-real:s` % of real ones do.

# %% [markdown]
# ## The article's own experiment
#
# It needs CelebA, which the repository's `data/README.md` tells how to get, and a GPU. One command,
# on one GPU or on all of a machine's; the same command again goes on where a run stopped:
#
# ```sh
# python -m sagan_lib train --recipe celeba128 --data data/celeba/img_align_celeba.zip
# python -m sagan_lib train --recipe celeba128 --devices mirrored   # every GPU of this machine
# python -m sagan_lib sample --run runs/celeba128/run.keras
# python -m sagan_lib score --run runs/celeba128/run.keras --data data/celeba/img_align_celeba.zip
# ```
#
# What will it take? Operations and memory are counted from the layers; the time follows from an
# *assumed* rate, because it depends on a device that is not here.

# %%
from sagan_lib import cost

plan = cost.plan(*nets, article.batch_size, article.steps)
print(f"{plan.parameters / 1e6:.1f} M parameters, {plan.step_flops / 1e12:.2f} TFLOP a step, "
      f"{article.steps:,} steps of {article.batch_size} images")
print(f"memory: about {plan.memory_bytes / 2**30:.1f} GiB in float32, attention's map included")
for rate in (1, 5, 20):
    print(f"at {rate:2} TFLOP/s sustained: {article.steps * plan.step_flops / rate / 3.6e15:6.1f} hours")

# %% [markdown]
# Sustained is far below the figure on a data sheet: on two CPU cores the steps of these networks
# reach between a fifth and a half of what a plain matrix product does. `train` prints the same plan
# for the device that it finds, from a rate that it measures there. With $n$ GPUs the batch is dealt
# out, and the time falls by nearly $n$ where the batch is large enough to fill them.

# %% [markdown]
# ### What others report
#
# The article shows pictures of its run and no score. These are the nearest published ones:
#
# | network and data | Fréchet inception distance | source |
# |---|---|---|
# | SAGAN, ImageNet, 128 pixels, with labels | 18.65 | its authors {cite:p}`zhang2018sagan` |
# | the same, PyTorch-StudioGAN's weights {cite:p}`kang2022studiogan` | 34.7 | as listed by {cite:t}`mmgeneration2021` |
# | the same recipe, another team's run | 34.8 | {cite:t}`mmgeneration2021` |
# | the same with an averaged generator, other initialization and other details | 12.8 | {cite:t}`mmgeneration2021` |
# | SNGAN (residual, no attention), CelebA, 64 pixels | 5.7 | {cite:t}`lee2020mimicry` |
# | SNGAN, CelebA, 128 pixels | 12.9 | {cite:t}`lee2020mimicry` |
#
# One name, one data set, and numbers from 12.8 to 34.8. The differences are in what papers pass
# over: the average of weights, the initialization, the Adam settings, and the pipeline that measures
# ({doc}`91_evaluation`). Networks without attention do well on CelebA. So a run of `celeba128` that
# lands anywhere near its neighbours in this table is a success, and no proof that attention did it.
#
# It was not run for this book, so no picture of it can be shown. The samples that the article and the
# authors of SAGAN print are what to compare with.
#
# ## Summary
#
# - The whole SAGAN is one recipe: two networks, two rates, one loss. None of its parts is long.
# - The shipped generator scores {glue:text}`fd-ratio:s` times what as many real faces score, with
#   {glue:text}`unequal:s` % unequal eyes. It walks from face to face by one attribute after the other, and
#   copies none.
# - Truncation costs variety for sure, and buys quality perhaps; a score needs its truncation beside it.
# - Attention's maps can be counted. In {glue:text}`eye-half:s` % of the faces one eye gives the other
#   more than half of its attention.
#
# The {doc}`playground` has SN, two rates, the losses and averaging as switches of a GAN that trains while you look.

# %% tags=["nbval-check-output"]
print([layer.output.shape[1] for layer in nets[0].layers if layer.name.startswith(("project", "up"))])
print(article.variant, article.loss, article.rates, article.attention_at)

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Exercises
#
# ```{exercise} What does the average do?
# :label: ex-sagan-average
#
# Compare the live run's samples with `ema=True` and `ema=False`, and their Fréchet distances. Why
# does the book score the averaged generator?
# ```
#
# ```{solution} ex-sagan-average
# :class: dropdown
#
# `model.sample(1000, ema=False)` draws from the weights of the last step. High rates make them
# jump; the average over the last steps does not. Score both with `metrics.frechet` on the judge's
# features. {doc}`claims` has the comparison over seeds as `ema`.
# ```
#
# ```{exercise} Walk straight
# :label: ex-sagan-straight
#
# Replace the arc of {numref}`fig-walk` by a straight line. What is the length of its middle, as a
# share of a usual latent vector's? Do the faces there get more typical? Relate it to truncation.
# ```
#
# ```{solution} ex-sagan-straight
# :class: dropdown
#
# Two independent normal vectors are nearly orthogonal, so the middle of the line has $1/\sqrt{2}$ of
# their length. A shorter vector is what truncation makes too. Whether its faces are more typical can be
# counted as in {numref}`fig-truncation`: there precision went from {glue:text}`whole-precision:s` to
# {glue:text}`cut-precision:s`, at the price of most combinations.
# ```
#
# ```{exercise} A copy machine
# :label: ex-sagan-copies
#
# Replace `made` by 1,000 draws, with repetition, from 100 training faces. Which scores notice?
# ```
#
# ```{solution} ex-sagan-copies
# :class: dropdown
#
# Precision does not: every copy is a real face. Recall and the count of combinations fall, and the
# distance to the nearest training face is 0 if they are among the 5,000. The Fréchet distance
# grows by what 100 faces miss of the whole.
# ```
