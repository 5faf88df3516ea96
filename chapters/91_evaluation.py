# %% [markdown]
# # Evaluation: what a score sees, and what it does not
#
# How well a generator draws is usually told by one number, a Fréchet distance. It sees what its features
# carry, and it depends on how many pictures there are. This page damages real faces in known ways, and
# asks which score notices.
#
# ```{admonition} What you will see
# - what *real* faces score against real faces;
# - ten sets of faces, eight of them doctored, under six scores;
# - the same faces, stored in another way: another score;
# - why one training run decides little.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need means, covariances and {doc}`01_dcgan`. The page takes {glue:text}`core-seconds:s` seconds of
# one core, where it was made.
# ```

# %%
import time

from sagan_lib import devices

devices.setup()
started = time.perf_counter()

# %% [markdown]
# ## Two means and two covariances
#
# The Fréchet distance {cite:p}`heusel2017ttur` sums up each set of images by the mean $\mu$ and the
# covariance $\Sigma$ of its features:
#
# $$
# d^2 = \lVert \mu_1 - \mu_2 \rVert^2
#     + \operatorname{tr}\bigl(\Sigma_1 + \Sigma_2 - 2\,(\Sigma_1 \Sigma_2)^{1/2}\bigr) .
# $$ (eq-frechet)
#
# The number reported is $d^2$. The features are a network's. FID takes Inception's, trained on photographs.
# This book takes its judge's, a small network that reads hair and its length, skin, background and both eyes of a
# face. The two units cannot be compared. How faces look at several distances, the {doc}`start page <00_intro>` shows.
#
# In one dimension it is worked out by hand. Sets that share mean and variance are the same to it,
# whatever their shape:

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
# ## The floor, and how many images
#
# Two sets of real faces are never quite alike. How large is their distance with $n$ faces in each? And
# where every tenth face has a wrong eye?

# %%
from sagan_lib.datasets import faces

def wrong_eyes(share, count, population=31):
    """Factors of real faces; in a share of them the right eye has another colour than the left."""
    record = faces.factors(np.arange(count), population=population)
    rng = np.random.default_rng(population)
    other = (record.left_iris + rng.integers(1, len(faces.IRIS), count)) % len(faces.IRIS)
    wrong = rng.random(count) < share
    return record.replace(right_iris=np.where(wrong, other, record.left_iris))

# %%
from sagan_lib.evaluation import scores

extractor = scores.extractor("judge")
pool = extractor.features(faces.real_faces(5000, population=2003))
faulty = extractor.features(faces.render(wrong_eyes(0.1, 2500, population=32)))
SIZES, DRAWS = np.array([50, 100, 200, 400, 800, 1600]), 12

rng = np.random.default_rng(0)
floor, fault = np.empty((2, len(SIZES), DRAWS))
for row, n in enumerate(SIZES):
    for k in range(DRAWS):
        one, other = np.split(rng.permutation(pool)[: 2 * n], 2)
        floor[row, k] = metrics.frechet(one, other)
        fault[row, k] = metrics.frechet(rng.permutation(faulty)[:n], other)

# %% tags=["remove-cell", "long"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

figure, axis = plt.subplots(figsize=(5.6, 3.2))
for colour, name, values in ((0, "real faces", floor), (1, "every tenth with a wrong eye", fault)):
    axis.loglog(SIZES, values, ".", color=plots.COLOURS[colour], alpha=0.35)
    axis.loglog(SIZES, values.mean(1), "o-", ms=4, color=plots.COLOURS[colour], label=name)
line = np.median(SIZES * floor.mean(1)) / SIZES
axis.loglog(SIZES, line, ":", color="black", label="proportional to 1/n")
axis.set(xlabel="n, faces in each set", ylabel="Fréchet distance to real faces")
axis.set_xticks(SIZES, [str(n) for n in SIZES], minor=False)
axis.minorticks_off()
axis.set_yticks([10, 30, 100, 300], ["10", "30", "100", "300"])
axis.legend()
axis.grid()
figure.tight_layout()
page.show("fig_real", figure)

# %% tags=["remove-cell"]
rate = SIZES * floor.mean(1)
assert rate.max() < 1.5 * rate.min()  # "falls like 1/n", below
assert floor[1].min() > fault[-1].max()  # "a hundred perfect faces score worse", below
page.glue("real-least", floor.mean(1)[0], "{:.0f}")
page.glue("real-most", floor.mean(1)[-1], "{:.0f}")
page.glue("hundred", floor.mean(1)[1], "{:.0f}")
page.glue("fault-most", fault.mean(1)[-1], "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_real
# :name: fig-real
# :alt: Two curves over the number of faces, on logarithmic axes. That of real faces falls along a straight line; that of faces with some wrong eyes levels off.
#
# Distance to real faces: every draw, and their mean.
# ```
#
# Between real faces the distance falls like $1/n$, from {glue:text}`real-least:s` with 50 to
# {glue:text}`real-most:s` with 1,600. A perfect generator scores this **floor**, not 0. It is a bias: with
# few images a covariance is estimated badly, and each mistake makes two sets look different.
#
# A hundred *perfect* faces score {glue:text}`hundred:s`: worse than 1,600 of which every tenth is wrong
# ({glue:text}`fault-most:s`). So compare only scores of equally many images, against equally many. (The
# kernel distance, KID {cite:p}`binkowski2018kid`, has no such bias.)

# %% [markdown]
# ## Ten sets of faces
#
# Eight sets are doctored, one thing each. The first set is of untouched real faces, the last is drawn by
# the book's trained generator.

# %%
FACES, REAL, TRAIN = 1000, 1500, 2000  # to be scored; to compare with; a training set
record = faces.factors(np.arange(FACES), population=31)
independent = faces.factors(np.arange(FACES), population=31, independent_eyes=True)
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
    "one eye in ten": faces.render(wrong_eyes(0.1, FACES)),
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

# %% tags=["remove-cell"]
wrong = np.flatnonzero(wrong_eyes(0.1, FACES).right_iris != record.left_iris)
shown = [images[wrong[0] : wrong[0] + 12] for images in SETS.values()]
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
# :alt: Ten rows of twelve cartoon faces, one row for each set: untouched, some eyes unequal, many eyes unequal, no yellow hair, straight mouths, blurred, noisy, and three ordinary rows.
#
# Twelve faces of each set; the first of *one eye in ten* has a wrong eye.
# ```

# %% [markdown]
# Six scores look at them: the Fréchet distance; *precision* and *recall*
# {cite:p}`kynkaanniemi2019precision`, the share of images whose features lie among real ones, and of real ones
# that lie among theirs; two counts by the judge, faces with *unequal eyes* and how many of 250 *combinations*
# of attributes appear; and *copies* of training faces, to the pixel.

# %%
real = faces.real_faces(REAL)
features = extractor.features(real)

def nearest(images):
    """Distance of each image to the nearest training face: root mean square over pixels."""
    x, y = (part.reshape(len(part), -1) for part in (images, training))
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.sqrt(np.clip(squared.min(1), 0, None) / x.shape[1])

# %%
def score(images):
    """All six scores of a set of images."""
    found, reading = extractor.features(images), judge.read(images)
    precision, recall = (inside.mean() for inside in metrics.precision_recall(features, found))
    return {"Fréchet": metrics.frechet(found, features), "precision": precision, "recall": recall,
            "unequal eyes, %": 100 * judge.heterochromia(reading),
            "combinations": judge.coverage(reading)[0],
            "copies, %": 100 * np.mean(nearest(images) < 0.01)}

# %% [markdown]
# Ten sets of real faces say what chance does. A fault is **seen** if the score is more than four of their
# standard deviations from their mean.

# %%
chance = [score(faces.real_faces(FACES, population=3000 + k)) for k in range(10)]
middle = {name: np.mean([one[name] for one in chance]) for name in chance[0]}
spread = {name: max(np.std([one[name] for one in chance], ddof=1), 1e-3) for name in chance[0]}
scored = {name: score(images) for name, images in SETS.items()}

def seen(name, by):
    return abs(scored[name][by] - middle[by]) > 4 * spread[by]

# %% tags=["remove-input"]
from IPython.display import Markdown

def text(by, value):
    return f"{value:.2f}" if by in ("precision", "recall") else f"{value:.0f}"

rows = [["set", *middle], ["---"] * (1 + len(middle)), ["*ten real sets*", *map(text, middle, middle.values())]]
for name, found in scored.items():
    entries = [(by, text(by, value)) for by, value in found.items()]
    rows.append([name, *(f"**{entry}**" if seen(name, by) else entry for by, entry in entries)])
Markdown("\n".join(f"| {' | '.join(row)} |" for row in rows))

# %% tags=["remove-cell", "long"]
ALL = set(middle)
SAID = {  # seen by, not seen by: what the text below says, checked
    "real, other faces": (set(), ALL),
    "straight mouths": (set(), ALL),
    "all training faces": ({"copies, %"}, ALL - {"copies, %"}),
    "one eye in ten": ({"Fréchet", "unequal eyes, %"}, {"combinations"}),
    "independent eyes": ({"Fréchet", "unequal eyes, %"}, {"combinations"}),
    "no blond hair": ({"Fréchet", "recall", "combinations"}, {"precision"}),
    "blurred": ({"Fréchet"}, {"unequal eyes, %"}),
    "noisy": ({"Fréchet"}, {"unequal eyes, %"}),
    "64 training faces": ({"Fréchet", "recall", "combinations", "copies, %"}, set()),
}
for name, (by, not_by) in SAID.items():
    assert all(seen(name, score) for score in by), name
    assert not any(seen(name, score) for score in not_by), name
frechet = {name: found["Fréchet"] for name, found in scored.items()}
assert scored["64 training faces"]["precision"] > 0.9
assert 0.5 < frechet["one eye in ten"] / frechet["noisy"] < 2
for name, short in (("one eye in ten", "tenth"), ("noisy", "noisy"),
                    ("all training faces", "replay"), ("straight mouths", "mouth")):
    page.glue(f"fd-{short}", frechet[name], "{:.0f}")
for short, name in (("few", "64 training faces"), ("blond", "no blond hair")):
    page.glue(f"recall-{short}", scored[name]["recall"], "{:.2f}")

# %% [markdown]
# *Bold: seen. First row: means.*
#
# ### Which score sees what
#
# **Wrong eyes** move the Fréchet distance, to {glue:text}`fd-tenth:s` if one face in ten is wrong: the
# judge has features for each eye, and their correlation changes. The count says *what* is wrong.
#
# **A lost kind.** Without blond hair each face is still a good one, so precision does not notice. Recall
# does, a little ({glue:text}`recall-blond:s`), and the combinations do.
#
# **Few faces, repeated.** Each is perfect, and precision is high. Recall is
# {glue:text}`recall-few:s`: exact copies reach no further than themselves.
#
# **Memory.** A generator that replays its training set scores {glue:text}`fd-replay:s`, like real faces.
# All scores but the count of copies call it perfect.
#
# **One number, several faults.** Noise scores {glue:text}`fd-noisy:s`, about what wrong eyes in every tenth
# face do. The number does not say which it is.

# %% [markdown]
# ### A damage that none of them sees
#
# The straight mouths score {glue:text}`fd-mouth:s`, like untouched faces. The judge was never asked about
# mouths, so its features do not carry them. With the pixels around the mouth as features, the distance
# sees it at once:

# %%
def around_the_mouth(images):
    return images[:, 21:27, 10:22].reshape(len(images), -1)

mouths = around_the_mouth(real)
by_mouth = [metrics.frechet(around_the_mouth(faces.real_faces(FACES, population=3000 + k)), mouths)
            for k in range(10)]
straight = metrics.frechet(around_the_mouth(SETS["straight mouths"]), mouths)
assert straight > np.mean(by_mouth) + 4 * np.std(by_mouth, ddof=1)

# %% [markdown]
# ## The protocol belongs to the number
#
# Now nothing is doctored. Real faces of 96 pixels are brought down to 32 and compared with others. The
# reference is resized as it should be: each small pixel is a mean over all that it covers (*antialias*).

# %% tags=["long"]
import io

import keras
from PIL import Image

from sagan_lib.datasets.source import from_bytes, to_bytes

def shrink(images, antialias=True):
    small = keras.ops.image.resize(images, (32, 32), antialias=antialias)
    return keras.ops.convert_to_numpy(small)

def jpeg(images):
    files = [io.BytesIO() for _ in images]
    for image, file in zip(to_bytes(images), files):
        Image.fromarray(image).save(file, "JPEG", quality=75)
    return from_bytes([np.asarray(Image.open(file)) for file in files])

# %%
large = faces.real_faces(500, 96, population=77)
WAYS = {"antialias": shrink(large), "no antialias": shrink(large, antialias=False),
        "JPEG 75": jpeg(shrink(large))}
same_way = extractor.features(shrink(faces.real_faces(1000, 96)))
ways = {name: metrics.frechet(extractor.features(x), same_way) for name, x in WAYS.items()}
unequal = {name: 100 * judge.heterochromia(judge.read(x)) for name, x in WAYS.items()}
assert 4 * ways["antialias"] < ways["no antialias"] < ways["JPEG 75"]

# %% tags=["remove-cell"]
for name, short in zip(WAYS, ("honest", "aliased", "jpeg")):
    page.glue(f"way-{short}", ways[name], "{:.0f}")
page.glue("jpeg-unequal", unequal["JPEG 75"], "{:.0f}")
page.show("fig_pipelines", plots.pictures([x[:12] for x in WAYS.values()], columns=4, titles=list(WAYS)))

# %% [markdown]
# ```{glue:figure} fig_pipelines
# :name: fig-pipelines
# :alt: Three grids of the same twelve cartoon faces: smooth edges, jagged edges, and colours that run over their edges.
#
# The same real faces, three ways. Distances: {glue:text}`way-honest:s`, {glue:text}`way-aliased:s`,
# {glue:text}`way-jpeg:s`.
# ```
#
# Without antialias one pixel of nine is kept. JPEG stores colour at half the resolution and rounds it; after
# it {glue:text}`jpeg-unequal:s` % of the real faces are read as having unequal eyes, because of a *file
# format*. {cite:t}`parmar2021aliased` found that both move FID as it is commonly computed.
#
# A published score cannot be separated from its pipeline. One SAGAN's weights have an FID of 34.7 on
# ImageNet by StudioGAN {cite:p}`kang2022studiogan`, which published them, and of 40.1 by MMGeneration
# {cite:p}`mmgeneration2021`.

# %% [markdown]
# ## Over seeds
#
# All this measures *one* generator. Another seed gives another one, so several are trained.
#
# Two ways to train are compared by a **factor**, the ratio of their distances: 2 means that the second has
# twice the distance. Its mean over a few seeds is uncertain. **Student's interval** says between which
# bounds the true mean lies, from how much the seeds differ. With the mean $\bar x$ and the standard
# deviation $s$ of the logarithms of $n$ factors it is
#
# $$
# \bar x \pm t_{n-1}\,\frac{s}{\sqrt n} ,
# $$ (eq-student)
#
# where $t_{n-1}$ is the larger the fewer seeds there are. Say that five gave these factors:

# %% tags=["nbval-check-output"]
from scipy import stats

factors = np.array([1.9, 1.2, 1.6, 0.9, 1.5])
x = np.log(factors)
t = stats.t.ppf(0.5 + 0.975 / 2, len(x) - 1)  # 97.5 % sure
half = t * x.std(ddof=1) / np.sqrt(len(x))
print(f"t = {t:.1f}: {np.exp(x.mean()):.2f}, from {np.exp(x.mean() - half):.2f}"
      f" to {np.exp(x.mean() + half):.2f}")
assert x.mean() - half < 0 < x.mean() + half

# %% [markdown]
# Four of five are above 1, and still 1 lies within the bounds: **undecided**. The first seed alone would
# have said "almost twice". {doc}`claims` decides by such an interval, and asks for more: it must lie beyond the
# smallest difference worth naming.

# %% [markdown]
# ## What to write next to a score
#
# - the network behind the features, and its exact weights;
# - how many images, against how many real ones, resized how;
# - what as many real images score;
# - an interval, and over how many training runs.
#
# `scores.evaluate` gives this with the number, but for the resizing and the training runs; so does the command:
#
# ```sh
# python -m sagan_lib score --run runs/faces64/run.keras --n 2000 --real 5000
# ```

# %% tags=["remove-cell"]
rare = {share: score(faces.render(wrong_eyes(share / 100, FACES))) for share in (1, 2, 5)}
rare[10] = scored["one eye in ten"]
for by, short in (("Fréchet", "distance"), ("unequal eyes, %", "count")):
    page.glue(f"rare-{short}", min(share for share in rare if abs(rare[share][by] - middle[by]) > 4 * spread[by]))
page.took(started)

# %% [markdown]
# ## Summary
#
# - Real faces do not score 0 but the floor, which falls like $1/n$.
# - A Fréchet distance sees what its features carry: eyes, hair, blur, and not the mouths.
# - It does not say what is wrong. Counts do; precision and recall narrow it down.
# - Only a search for copies exposes a generator that replays its training set.
# - Protocol and seeds belong to the number.

# %% [markdown]
# ## Exercises
#
# ```{exercise} As many faces as you like
# :label: ex-evaluation-infinity
#
# Draw both curves of {numref}`fig-real` over $1/n$. Where do they meet $1/n = 0$?
# ```
#
# ```{solution} ex-evaluation-infinity
# :class: dropdown
#
# `np.polyfit(1 / SIZES, floor.mean(1), 1)[1]` is near 0; with `fault` it is what the wrong eyes cost.
# {cite:t}`chong2019unbiased` propose this for FID.
# ```
#
# ```{exercise} How rare a fault?
# :label: ex-evaluation-rare
#
# Give 1, 2 and 5 % of the faces a wrong eye. From which share on does the Fréchet distance see it, and
# the count?
# ```
#
# ```{solution} ex-evaluation-rare
# :class: dropdown
#
# `score(faces.render(wrong_eyes(0.02, FACES)))`. The count sees {glue:text}`rare-count:s` %, the distance
# none below the {glue:text}`rare-distance:s` % of this page: chance in all features hides what the eyes change.
# ```
