# %% [markdown]
# # Evaluation: what a score sees, and what it does not
#
# A generator's quality is usually one number, a Fréchet distance. This page damages sets of faces
# in known ways and looks which numbers notice. The faces are drawn from known factors, so each
# damage is exact.
#
# ```{admonition} What you will see
# - what *real* faces score against real faces, and how it falls with their number;
# - ten sets of faces, eight of them doctored, under seven scores, each beside that of real faces;
# - damage that no score sees, because the features behind it do not;
# - the same pictures, resized or stored in another way: another score.
#
# It takes {glue:text}`core-seconds:s` seconds of one core, where it was made. You need means, covariances
# and chapter {doc}`01_dcgan`.
# ```

# %%
import time

from sagan_lib import devices

devices.setup()
started = time.perf_counter()

# %%
from sagan_lib.evaluation import scores

FACES, REAL, TRAIN = 1000, 1500, 2000  # to be scored; to compare with; a training set
extractor = scores.extractor("judge")
print(f"{FACES} faces in each set, against {REAL} real ones; features: {extractor.name}")

# %% [markdown]
# ## Two means and two covariances
#
# The Fréchet distance {cite:p}`heusel2017ttur` describes each set of images by the mean $\mu$ and
# the covariance $\Sigma$ of its features, and compares those:
#
# $$
# d^2 = \lVert \mu_1 - \mu_2 \rVert^2
#     + \operatorname{tr}\bigl(\Sigma_1 + \Sigma_2 - 2\,(\Sigma_1 \Sigma_2)^{1/2}\bigr) .
# $$ (eq-frechet)
#
# The features are a network's. For FID it is Inception, trained on photographs. Here it is the
# book's judge, trained to read the faces' factors; its distances are in another unit.
#
# In one dimension {eq}`eq-frechet` can be worked out by hand. And two sets that share mean and
# variance are the same set to it, whatever their shape.

# %% tags=["nbval-check-output"]
import numpy as np

from sagan_lib.evaluation import metrics

a, b = np.array([[-1.0], [1.0]]), np.array([[2.0], [6.0]])  # means 0 and 4, variances 2 and 8
print("by hand:", 4**2 + 2 + 8 - 2 * np.sqrt(2 * 8))
print("by metrics.frechet:", round(metrics.frechet(a, b), 6))

two_humps = np.array([[-1.0], [-1.0], [1.0], [1.0]])
three_humps = np.sqrt(2) * np.array([[-1.0], [0.0], [0.0], [1.0]])
print("two humps against three:", round(abs(metrics.frechet(two_humps, three_humps)), 6))

# %% [markdown]
# ## Real against real
#
# Two sets of real faces are never quite alike, so their distance is not 0. How large is it, and
# how does it depend on the number $n$ of faces in each? Beside it is the kernel distance, KID
# {cite:p}`binkowski2018kid`.

# %%
from sagan_lib.datasets import faces

real = faces.real_faces(REAL)
features = extractor.features(real)
pool = extractor.features(faces.real_faces(6000, population=2003))
SIZES, DRAWS = np.array([50, 100, 200, 400, 800, 1600]), 20

rng = np.random.default_rng(0)
distance, kernel = np.empty((2, len(SIZES), DRAWS))
for row, n in enumerate(SIZES):
    for k in range(DRAWS):
        one, other = np.split(pool[rng.permutation(len(pool))[: 2 * n]], 2)
        distance[row, k] = metrics.frechet(one, other)
        kernel[row, k] = metrics.kernel_distance(one, other)

# %% tags=["remove-cell", "long"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

figure, axes = plt.subplots(1, 2, figsize=(7, 2.8))
axes[0].loglog(SIZES, distance, ".", color=plots.COLOURS[5])
axes[0].loglog(SIZES, distance.mean(1), "o-", ms=4, color=plots.COLOURS[0], label="mean")
line = np.median(SIZES * distance.mean(1)) / SIZES
axes[0].loglog(SIZES, line, ":", color="black", label="proportional to 1/n")
axes[0].set_title("Fréchet distance", fontsize=10)
axes[0].legend(fontsize=8)
mean, sd = kernel.mean(1) / 1000, kernel.std(1, ddof=1) / 1000
axes[1].fill_between(SIZES, mean - sd, mean + sd, color=plots.COLOURS[4], alpha=0.3, label="draws")
axes[1].errorbar(SIZES, mean, sd / np.sqrt(DRAWS), fmt="o-", ms=4, color=plots.COLOURS[1], label="mean")
axes[1].axhline(0, color="black", lw=0.8)
axes[1].set_xscale("log")
axes[1].legend(fontsize=8)
axes[1].set_title("kernel distance / 1000", fontsize=10)
for axis in axes:
    axis.set_xlabel("n, faces in each set")
    axis.grid(alpha=0.3)
figure.tight_layout()
page.show("fig_real", figure)

# %% [markdown]
# ```{glue:figure} fig_real
# :name: fig-real
# :alt: Two panels over the number of real faces in each set, from 50 to 1600. Left, on logarithmic axes, the Fréchet distance falls along a dotted line of slope minus one. Right, the kernel distance scatters around zero, ever more narrowly.
#
# Real faces against other real faces. Left: every draw, and the mean. Right: one standard deviation
# of the draws (band), and the mean with its standard error.
# ```

# %%
rate = SIZES * distance.mean(1)
expected = np.median(rate) / 2 * (1 / FACES + 1 / REAL)  # each set has its own part
assert rate.max() < 1.5 * rate.min()  # "falls like 1/n", below
assert (abs(kernel.mean(1)) < kernel.std(1)).all()

# %% tags=["remove-cell"]
page.glue("real-least", distance.mean(1)[0], "{:.0f}")
page.glue("real-most", distance.mean(1)[-1], "{:.1f}")
page.glue("real-rate-low", rate.min() / 1000, "{:.1f}")
page.glue("real-rate-high", rate.max() / 1000, "{:.1f}")
page.glue("real-expected", expected, "{:.1f}")

# %% [markdown]
# From {glue:text}`real-least:s` with 50 faces to {glue:text}`real-most:s` with 1,600: between
# real faces, the Fréchet distance falls like $1/n$. The product of the two stays between
# {glue:text}`real-rate-low:s` and {glue:text}`real-rate-high:s` thousand. This is a bias. With few
# images a covariance is estimated badly, and each mistake makes the sets look different.
#
# The bias is not the same for all generators, so an equal number of images does not quite make two
# scores comparable {cite:p}`chong2019unbiased`. The kernel distance has no bias: its draws lie around
# 0 at every $n$. It can be negative, it is noisy, and now and then a draw is far too large.

# %% [markdown]
# ## Ten sets of faces
#
# Eight sets are doctored, one thing each. Before them stand untouched real faces of another population;
# the last is what the book's own trained generator draws, for comparison. It draws at 64 pixels, so
# its faces are brought down to the 32 of the others.

# %%
rng = np.random.default_rng(31)
record = faces.factors(np.arange(FACES), population=31)
independent = faces.factors(np.arange(FACES), population=31, independent_eyes=True)
wrong = rng.random(FACES) < 0.1
other_colour = (record.left_iris + rng.integers(1, len(faces.IRIS), FACES)) % len(faces.IRIS)
one_in_ten = record.replace(right_iris=np.where(wrong, other_colour, record.left_iris))

plenty = faces.factors(np.arange(2 * FACES), population=31)
not_blond = faces.render(plenty)[plenty.hair != 2][:FACES]
training = faces.render(faces.factors(np.arange(TRAIN), population=0))

# %%
from scipy.ndimage import gaussian_filter

from sagan_lib import sampling
from sagan_lib.cli import runs
from sagan_lib.evaluation import judge

untouched = faces.render(record)
noise = rng.normal(0, 0.1, untouched.shape).astype(np.float32)
blurred = gaussian_filter(untouched, (0, 0.6, 0.6, 0))
made = judge.prepare(sampling.generate(runs.generator(), FACES))

# %%
SETS = {
    "real, other faces": untouched,
    "one eye in ten": faces.render(one_in_ten),
    "independent eyes": faces.render(independent),
    "no blond hair": not_blond,
    "straight mouths": faces.render(record.replace(smile=0)),
    "blurred": blurred,
    "noisy": np.clip(untouched + noise, -1, 1),
    "64 training faces": training[rng.integers(0, 64, FACES)],
    "all training faces": training[:FACES],
    "trained generator": made,
}
assert all(images.shape == (FACES, 32, 32, 3) for images in SETS.values())

# %% [markdown]
# Because the factors are known, the truth behind a score can be counted. The judge reads pictures;
# it should find the same.

# %% tags=["nbval-check-output"]
truth = {name: int((x.left_iris != x.right_iris).sum())
         for name, x in (("one eye in ten", one_in_ten), ("independent eyes", independent))}
print("faces with unequal eyes, of", FACES, truth)
print("hair colours left:", sorted(set(plenty.hair[plenty.hair != 2].tolist())))
for name, count in truth.items():
    assert abs(FACES * judge.heterochromia(judge.read(SETS[name])) - count) < 0.02 * FACES

# %% tags=["remove-cell"]
first = int(np.flatnonzero(wrong)[0])
shown = [images[first : first + 12] for images in SETS.values()]
figure, axis = plt.subplots(figsize=(7, 5.4))
axis.imshow(plots.grid(np.concatenate(shown), columns=12))
axis.set_yticks(34 * np.arange(len(SETS)) + 16, SETS, fontsize=9)
axis.set_xticks([])
axis.tick_params(length=0)
for side in axis.spines.values():
    side.set_visible(False)
figure.tight_layout()
page.show("fig_doctored", figure)

# %% [markdown]
# ```{glue:figure} fig_doctored
# :name: fig-doctored
# :alt: Ten rows of twelve small cartoon faces, one row for each set: untouched, some right eyes of another colour, all right eyes drawn independently, no yellow hair, straight mouths, blurred, noisy, and three rows of ordinary faces.
#
# Twelve faces of each set; the first of *one eye in ten* has a wrong eye. The rows *real*, *one eye
# in ten*, *independent eyes*, *straight mouths*, *blurred* and *noisy* show the same faces.
# ```

# %% [markdown]
# ### Seven scores, and what chance does to them
#
# The Fréchet and the kernel distance; *precision* and *recall* {cite:p}`kynkaanniemi2019precision`,
# the share of images that lie among real ones, and of real ones that the images reach; and three
# counts. *Unequal eyes* is the share of faces with two colours, *variation* the mean distance of hair,
# skin, background and hair length from uniform, *combinations* how many of 250 appear.
#
# To know what chance does, ten sets of real faces are scored. A value is **seen** if it is more than
# four of their standard deviations away from their mean.

# %%
def plain(images):
    """All seven scores of a set of images, without intervals."""
    found = extractor.features(images)
    inside = [x.mean() for x in metrics.precision_recall(features, found)]
    counts = scores.counts(judge.read(images))
    del counts["eye_agreement"]
    return {"frechet": metrics.frechet(found, features),
            "kernel_distance": metrics.kernel_distance(found, features),
            "precision": inside[0], "recall": inside[1]} | counts

by_chance = [plain(faces.real_faces(FACES, population=3000 + k)) for k in range(10)]
chance = {name: np.array([one[name] for one in by_chance]) for name in by_chance[0]}
middle = {name: values.mean() for name, values in chance.items()}
spread = {name: max(values.std(ddof=1), 1 / FACES) for name, values in chance.items()}

# %% [markdown]
# `scores.evaluate` gives the same seven with 95 % intervals, from resampling the images.

# %%
held_out = faces.real_faces(FACES, population=faces.HELD_OUT)
found = {name: scores.evaluate(images, real, held_out, extractor, name, bootstrap=100)
         for name, images in SETS.items()}

def seen(name, score):
    return abs(found[name][score]["value"] - middle[score]) > 4 * spread[score]

print(found["blurred"]["protocol"])

# %% [markdown]
# One more check is needed, which none of the seven is: **are the images copies of training images?**
# So we look for each image's nearest neighbour in the training set. (The trained generator's own has
# 50,000 faces; these are the first of them.)

# %%
def nearest(images):
    """Distance of each image to the nearest training face: root mean square over pixels."""
    x, y = (part.reshape(len(part), -1) for part in (images, training))
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.sqrt(np.clip(squared.min(1), 0, None) / x.shape[1])

copied = {name: float(np.mean(nearest(images) < 0.01)) for name, images in SETS.items()}

# %% tags=["remove-input", "long"]
from IPython.display import Markdown

DISTANCES = {  # score: heading, factor, format
    "frechet": ("Fréchet", 1, "{:.0f}"), "kernel_distance": ("kernel / 1000", 1e-3, "{:.1f}"),
    "precision": ("precision", 1, "{:.2f}"), "recall": ("recall", 1, "{:.2f}"),
}
COUNTS = {
    "heterochromia": ("unequal eyes, %", 100, "{:.0f}"),
    "variation": ("variation", 1, "{:.2f}"), "coverage": ("combinations", 1, "{:.0f}"),
}
COLUMNS = DISTANCES | COUNTS

def entry(name, score):
    _, factor, form = COLUMNS[score]
    one = found[name][score]
    text = form.format(factor * one["value"])
    if "high" in one:
        text += " ± " + form.format(factor * (one["high"] - one["value"]))
    return f"**{text}**" if seen(name, score) else text

def table(columns, **more):
    """A row for real faces and one for each set; `more` are further columns, {name: text} each."""
    rows = [["set", *(columns[s][0] for s in columns), *more], ["---"] * (1 + len(columns) + len(more))]
    rows.append(["*chance: ten real sets*"] + [
        f"{form.format(factor * middle[s])} (sd {form.format(factor * chance[s].std(ddof=1))})"
        for s, (_, factor, form) in columns.items()] + [""] * len(more))
    for name in SETS:
        rows.append([name, *(entry(name, s) for s in columns), *(one[name] for one in more.values())])
    return Markdown("\n".join("| " + " | ".join(row) + " |" for row in rows))

table(DISTANCES)

# %% tags=["remove-input"]
copies = {name: "**100 %**" if share == 1 else f"{100 * share:.0f} %" for name, share in copied.items()}
table(COUNTS, copies=copies)

# %% [markdown]
# *Bold: seen.* Behind ± is half of the 95 % interval. The row *chance* has the mean and the
# standard deviation of ten sets of real faces.

# %% tags=["long"]
SAID = {  # seen by, not seen by: what the text below says, checked
    "real, other faces": ([], COLUMNS),
    "straight mouths": ([], COLUMNS),
    "all training faces": ([], COLUMNS),
    "one eye in ten": (["frechet", "heterochromia"], ["variation", "coverage"]),
    "independent eyes": (["frechet", "heterochromia"], ["variation", "coverage"]),
    "no blond hair": (["frechet", "recall", "variation", "coverage"], ["precision"]),
    "blurred": (["frechet", "kernel_distance"], ["heterochromia"]),
    "noisy": (["frechet", "kernel_distance"], ["heterochromia"]),
    "64 training faces": (["frechet", "recall", "variation", "coverage"], []),
}
for name, (by, not_by) in SAID.items():
    assert all(seen(name, score) for score in by), name
    assert not any(seen(name, score) for score in not_by), name

# %% tags=["long"]
def value(name, score="frechet"):
    return found[name][score]["value"]
assert value("64 training faces", "precision") > 0.9
assert 0.5 < value("one eye in ten") / value("noisy") < 2
assert copied["64 training faces"] == copied["all training faces"] == 1
assert copied["real, other faces"] == 0

# %% tags=["remove-cell"]
for name, short in (("independent eyes", "eyes"), ("one eye in ten", "tenth"), ("noisy", "noisy"),
                    ("all training faces", "replay"), ("straight mouths", "mouth"),
                    ("trained generator", "generator")):
    page.glue(f"fd-{short}", value(name), "{:.0f}")
page.glue("fd-chance", middle["frechet"], "{:.1f}")
page.glue("fd-chance-sd", spread["frechet"], "{:.1f}")
page.glue("recall-few", value("64 training faces", "recall"), "{:.2f}")
page.glue("precision-few", value("64 training faces", "precision"), "{:.2f}")
page.glue("recall-blond", value("no blond hair", "recall"), "{:.2f}")
page.glue("recall-chance", middle["recall"], "{:.2f}")

# %% [markdown]
# ### Which score sees what
#
# **Chance.** Real faces have a distance of {glue:text}`fd-chance:s`, with a standard deviation of
# {glue:text}`fd-chance-sd:s`; the bias alone, worked out from {numref}`fig-real`, would make it
# {glue:text}`real-expected:s`. A distance says something only next to this number.
#
# **Unequal eyes.** The Fréchet distance sees them ({glue:text}`fd-eyes:s`), and one face in ten is
# enough ({glue:text}`fd-tenth:s`), because the judge has features for each eye and their covariance
# changes. The count says *what* is wrong. The counts of attributes do not move: every hair, skin and
# background is still there.
#
# **A lost mode.** Without blond hair every face is still a good one, so precision does not notice.
# Recall does, a little: {glue:text}`recall-blond:s` instead of {glue:text}`recall-chance:s`. The
# counts do, and they say what is missing.
#
# **Blur and noise.** Both distances see them, the counts of eyes do not. A blur may even help a
# count: where all eyes are read as brown, none are unequal. `scores.eye_agreement` takes that out.
#
# **Few faces, repeated.** Each one is perfect, and precision is {glue:text}`precision-few:s`; a mark
# there would mean little, because chance was measured on a thousand different faces, not on 64. Recall
# falls to {glue:text}`recall-few:s`, and the combinations fall, too.
#
# **Memory.** A generator that replays its training set, each face once, scores
# {glue:text}`fd-replay:s`. Every score calls it perfect. Only the last column tells. {doc}`05_sagan`
# asks the same of a trained generator.
#
# **One number, several faults.** Noise has a distance of {glue:text}`fd-noisy:s`, wrong eyes in every
# tenth face {glue:text}`fd-tenth:s`; the trained generator has {glue:text}`fd-generator:s`. The
# number alone does not say which of them it is. (For the generator, {doc}`05_sagan` compares with
# real faces that were brought down from 64 pixels in the same way, which is fairer.)

# %% [markdown]
# ### A damage that nothing sees
#
# The straight mouths score {glue:text}`fd-mouth:s`, like untouched faces, although nobody smiles and
# nobody is sad any more. The judge was never asked about mouths, so its features do not carry them.
# A distance between features is blind wherever the features are.
#
# Another ruler sees it at once. Below, the features are simply the pixels around the mouth.

# %%
def around_the_mouth(images):
    return images[:, 21:27, 10:22].reshape(len(images), -1)

mouths = around_the_mouth(real)
by_mouth = [metrics.frechet(around_the_mouth(faces.real_faces(FACES, population=3000 + k)), mouths)
            for k in range(10)]
straight = metrics.frechet(around_the_mouth(SETS["straight mouths"]), mouths)
assert straight > np.mean(by_mouth) + 4 * np.std(by_mouth, ddof=1)

# %% tags=["remove-cell"]
page.glue("mouth-straight", straight, "{:.2f}")
page.glue("mouth-chance", np.mean(by_mouth), "{:.2f}")
page.glue("mouth-chance-sd", np.std(by_mouth, ddof=1), "{:.2f}")

# %% [markdown]
# In these features the straight mouths have {glue:text}`mouth-straight:s`, real faces
# {glue:text}`mouth-chance:s` with a standard deviation of {glue:text}`mouth-chance-sd:s`. No set of
# features sees everything. Inception's were made to tell a thousand kinds of things apart, and
# nobody asked it for equal eyes.

# %% [markdown]
# ## Few images against many
#
# Because of the bias, the number of images is part of the score. Here are *perfect* faces, but only
# a hundred of them, against a thousand of which every tenth has a wrong eye.

# %%
hundred = [metrics.frechet(pool[100 * k : 100 * (k + 1)], features) for k in range(20)]
assert np.min(hundred) > value("one eye in ten")

# %% tags=["remove-cell"]
page.glue("hundred", np.mean(hundred), "{:.0f}")
page.glue("hundred-least", np.min(hundred), "{:.0f}")

# %% [markdown]
# A hundred perfect faces score {glue:text}`hundred:s` on average over 20 draws, never below
# {glue:text}`hundred-least:s`. The thousand with the fault score {glue:text}`fd-tenth:s`: better. So
# compare only scores of equally many images, against equally many, and show what as many real ones score.

# %% [markdown]
# ## The protocol belongs to the number
#
# Now nothing is doctored at all. Real faces of 96 pixels are compared with real faces of 96 pixels;
# for the judge both are brought down to 32. The reference is resized as it should be: every pixel of
# the small picture is a mean over all that it covers (*antialias*). The others are resized
# differently, or stored as JPEG on the way.

# %%
import keras

SIDE, SMALL = 96, (32, 32)
large = faces.real_faces(500, SIDE, population=77)

def shrink(images, **how):
    return keras.ops.convert_to_numpy(keras.ops.image.resize(images, SMALL, **how))

# %%
import io
from PIL import Image

from sagan_lib.datasets.source import from_bytes, to_bytes

def lanczos(images):
    """As Pillow does it: another filter, also with antialias, and rounded to 256 levels."""
    pictures = (Image.fromarray(image) for image in to_bytes(images))
    return from_bytes([np.asarray(x.resize(SMALL, Image.Resampling.LANCZOS)) for x in pictures])

def jpeg(images, **how):
    files = [io.BytesIO() for _ in images]
    for image, file in zip(to_bytes(images), files):
        Image.fromarray(image).save(file, "JPEG", **how)
    return from_bytes([np.asarray(Image.open(file)) for file in files])

# %% [markdown]
# Resizing without antialias looks at few pixels. Down to a third, "bilinear" looks at one: it keeps
# every third pixel and throws eight of nine away, as the plainest method does.

# %% tags=["nbval-check-output"]
one_in_nine = large[:, 1::3, 1::3]
for how in ({"antialias": False}, {"interpolation": "nearest"}):
    same = np.array_equal(shrink(large, **how), one_in_nine)
    print(how, "keeps one pixel in nine:", same)

# %%
proper = shrink(large, antialias=True)
PIPELINES = {
    "bilinear, antialias: as the reference": proper,
    "Lanczos, antialias (Pillow)": lanczos(large),
    "bilinear, no antialias": shrink(large, antialias=False),
    "JPEG 75, full colour resolution": jpeg(proper, quality=75, subsampling=0),
    "JPEG 75, as Pillow saves it": jpeg(proper, quality=75),
}
same_way = extractor.features(shrink(faces.real_faces(1000, SIDE), antialias=True))
by_pipeline, unequal = {}, {}
for name, images in PIPELINES.items():
    by_pipeline[name] = metrics.frechet(extractor.features(images), same_way)
    unequal[name] = judge.heterochromia(judge.read(images))

# %% tags=["remove-input"]
Markdown("| real faces, brought to 32 pixels | Fréchet | unequal eyes, % |\n|---|---|---|\n" + "\n".join(
    f"| {name} | {by_pipeline[name]:.0f} | {100 * unequal[name]:.0f} |" for name in PIPELINES))

# %%
ways = dict(zip(("honest", "lanczos", "aliased", "fine", "jpeg"), by_pipeline.values()))
assert ways["fine"] < ways["lanczos"] < ways["aliased"] < ways["jpeg"]
assert 2 * ways["honest"] < ways["lanczos"]

# %% tags=["remove-cell"]
for name, number in ways.items():
    page.glue(f"way-{name}", number, "{:.0f}")
page.glue("jpeg-unequal", 100 * unequal["JPEG 75, as Pillow saves it"], "{:.0f}")

# %% tags=["remove-cell"]
titles = ["antialias", "no antialias", "JPEG 75"]
shown = [proper, PIPELINES["bilinear, no antialias"], PIPELINES["JPEG 75, as Pillow saves it"]]
page.show("fig_pipelines", plots.pictures([x[:12] for x in shown], columns=4, titles=titles))

# %% [markdown]
# ```{glue:figure} fig_pipelines
# :name: fig-pipelines
# :alt: Three grids of the same twelve cartoon faces at 32 pixels: smooth edges, jagged edges, and colours that run over their edges.
#
# The same twelve real faces, three ways.
# ```

# %% [markdown]
# Real faces score {glue:text}`way-honest:s` here. Another good filter makes it {glue:text}`way-lanczos:s`,
# resizing without antialias {glue:text}`way-aliased:s`, and JPEG {glue:text}`way-jpeg:s`. What costs
# so much in JPEG is that colour is stored at half the resolution, as Pillow does unless told
# otherwise; with full colour it is {glue:text}`way-fine:s`. An iris is little more than two of those
# coarse pixels wide, and {glue:text}`jpeg-unequal:s` % of the real faces are read as having unequal
# eyes, because of a *file format*.
#
# That is known from photographs. {cite:t}`parmar2021aliased` found that common libraries resize
# without antialias, that this and JPEG move FID visibly, and made a version that fixes each step.

# %% [markdown]
# ### The same weights, two numbers
#
# So a published score cannot be separated from its pipeline. MMGeneration {cite:p}`mmgeneration2021`
# took SAGAN weights that StudioGAN {cite:p}`kang2022studiogan` had published and scored them again
# with its own code:
#
# | the same weights | FID by StudioGAN | FID by MMGeneration |
# |---|---|---|
# | SAGAN, CIFAR-10, 32 pixels | 14.0 | 10.2 |
# | SAGAN, ImageNet, 128 pixels | 34.7 | 40.1 |
#
# It names the differences: another copy of Inception, another way to resize, and all training images
# as the reference instead of a sample. Not even the direction agrees: one score is lower, the other
# higher. One caution: that project's page on another network lists the same 10.2011 for CIFAR-10,
# to all digits, so this entry may be a slip. The ImageNet pair has no such twin.

# %% [markdown]
# ## What to write next to a score
#
# - the network behind the features, and its exact weights;
# - how many images, against how many real ones, from which split;
# - how they were resized and stored;
# - what as many real images score;
# - an interval, and over how many training runs.
#
# `scores.evaluate` returns the first four as its `protocol` and `real`, so that the number does not
# travel alone. The command does the same for a trained run:
#
# ```sh
# python -m sagan_lib score --run runs/faces64/run.keras --n 2000 --real 5000
# ```
#
# The last point it cannot do. An interval from resampling says how exactly *this* generator was
# measured, not how another training run would turn out. For that, {doc}`claims` trains several.

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Summary
#
# - Between real faces a Fréchet distance is above 0, and falls like $1/n$. The kernel distance is not.
# - It sees what its features carry: eyes, hair, blur. It did not see the mouths.
# - It does not say what is wrong. Precision, recall and counts do, each for its own kind of damage.
# - No score tells a good generator from a copying machine. The nearest training image does.
# - The protocol belongs to the number. The same pictures, resized differently, have another score.

# %% [markdown]
# ## Exercises
#
# ```{exercise} As many faces as you like
# :label: ex-evaluation-infinity
#
# Score the first 200, 400, 600, 800 and 1000 faces of *independent eyes* and of *real, other faces*
# against `features`. Draw the distances against $1/n$. Where do the two lines meet the axis, and what
# is left of the bias there?
# ```
#
# ```{solution} ex-evaluation-infinity
# :class: dropdown
#
# `np.polyfit(1 / n, distances, 1)` gives the line; its constant term is the score without the part
# that $n$ causes. For the real faces it is small, and not 0, because `features` has a bias of its own:
# 1,500 faces. {cite:t}`chong2019unbiased` propose this for FID.
# ```
#
# ```{exercise} What the kernel sees
# :label: ex-evaluation-kernel
#
# The kernel distance uses $k(x, y) = (x^\top y / d + 1)^3$. Show that it depends on the features'
# moments up to the third only. Can two different sets have a kernel distance of 0?
# ```
#
# ```{solution} ex-evaluation-kernel
# :class: dropdown
#
# Expand the cube: every term is a product of at most three coordinates of $x$ and the same ones of
# $y$. Its expectation is a product of moments of order three or lower, so sets that agree in those
# have distance 0, such as the two and the three humps above, whose third moments are both 0.
# ```
#
# ```{exercise} How rare a fault?
# :label: ex-evaluation-rare
#
# Make sets in which 1, 2, 5 and 10 % of the faces have a wrong eye. From which share on is it seen by
# the Fréchet distance, and by the count? Why is the count so much better?
# ```
#
# ```{solution} ex-evaluation-rare
# :class: dropdown
#
# Change the 0.1 in `wrong` and use `plain`. The count is exactly 0 for real faces, so a few are enough.
# The distance is not, and the chance variation of all its features lies over what
# the eyes change.
# ```
