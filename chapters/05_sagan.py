# %% [markdown]
# # The whole SAGAN
#
# The chapters before took the parts one by one. Here they are together, as {cite:t}`zhang2018sagan` put
# them: attention and spectral normalization in both networks, two time scales, the hinge loss. A small
# SAGAN trains live. One that was trained for longer is judged against real faces.
#
# ```{admonition} What you will see
# - the whole network, layer by layer;
# - a small one, trained in this page;
# - a trained one against real faces: scores, nearest neighbours, attention, failures;
# - what each part brought, as far as trials tell.
# ```
#
# ```{figure} ../_book/static/diagrams/sagan.svg
# :name: fig-sagan
# :alt: Above, the generator: noise, maps of 4 to 32 pixels, attention, maps of 64 and 128 pixels, the image. Below, the discriminator the other way round, down to the score. Both are normalized in every layer; G learns at a rate of 0.0001, D at 0.0004.
#
# The whole SAGAN, for 128 pixels.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need the chapters before. The page takes {glue:text}`core-seconds:s` seconds of one core, where it was
# made.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 250), (64, 16, 3000))
BATCH = 16 if SCALE == "cpu" else 32

# %% [markdown]
# ## The network
#
# $G$ starts from a 4x4x512 map and doubles its side five times; $D$ goes back. Both attend at 32x32. Every
# kernel is spectrally normalized ({doc}`02_spectral_norm`).

# %%
import keras

from sagan_lib.cli import recipes, runs
from sagan_lib.attention import attention_layers
from sagan_lib.spectral_norm import normalized_layers

whole = recipes.RECIPES["celeba128"]
keras.utils.set_random_seed(0)
nets = runs.networks_of(whole)
for net in nets:
    with_kernel = [layer for layer in net.layers if hasattr(layer, "kernel")]
    assert all(layer in normalized_layers(net) for layer in with_kernel)
    assert [layer.input.shape[1] for layer in attention_layers(net)] == [32]

# %% tags=["remove-input"]
import itertools
from IPython.display import Markdown

def stages(net):
    """Layer and shape of its output, as cells of a table; batch normalization is left out."""
    for layer in net.layers:
        if layer.count_params() and not layer.name.startswith("bn"):
            yield f"{layer.name} | {'×'.join(map(str, layer.output.shape[1:]))}"


rows = itertools.zip_longest(*map(stages, nets), fillvalue=" | ")
Markdown("| *G*: layer | output | *D*: layer | output |\n|" + "---|" * 4 + "\n"
         + "\n".join(f"| {g} | {d} |" for g, d in rows))

# %% [markdown]
# Each of $G$'s maps but the image passes batch normalization and a ReLU, each of $D$'s a leaky ReLU
# ({doc}`01_dcgan`). Adam's rates are 0.0001 and 0.0004, one step each in turn ({doc}`04_ttur`). The authors'
# networks are made of residual blocks and told a label ({doc}`07_conditional`); these are plain, and told none.

# %% [markdown]
# ## A small one, live
#
# Where CelebA {cite:p}`liu2015celeba` lies in `data/celeba` it is taken, else the faces of this book.

# %%
from sagan_lib.datasets import celeba

DATA = celeba.find() or "faces"
live = recipes.Recipe(
    data=DATA, resolution=RESOLUTION, width=WIDTH, attention_at=16, batch_size=BATCH,
    rates="sagan_x10", steps=STEPS, ema_decay=0.99)  # rates of 0.001 and 0.004
model = runs.build(live)
print(f"scale {SCALE}, data {DATA}: {STEPS} steps;")
print(model.plan(BATCH, STEPS))

# %%
history = model.fit(
    runs.source(live), steps=STEPS, batch_size=BATCH, log_every=STEPS, verbose=0)

# %% tags=["remove-cell"]
from sagan_lib.book import page, plots

page.show("fig_live", plots.pictures(model.sample(24, seed=1), columns=8))

# %% [markdown]
# ```{glue:figure} fig_live
# :name: fig-live
# :alt: Three rows of eight pictures; faces with hair, skin and eyes in their places.
#
# The first 24 samples of the live run, none picked out.
# ```

# %%
from sagan_lib.evaluation import judge

if DATA == "faces":  # the judge knows no others
    reading = judge.read(model.sample(500, seed=1))
    seen, unequal = judge.coverage(reading)[0], judge.heterochromia(reading)
    print(f"500 faces: {seen} of 250 combinations, {unequal:.0%} with unequal eyes")

# %% tags=["remove-cell"]
if DATA == "faces":
    page.glue("live-seen", seen)
    page.glue("live-mismatch", 100 * unequal, "{:.0f}")

# %% [markdown]
# ## Against real faces
#
# The generator that comes with this book, and draws on the first page, is such a network for 64 pixels,
# trained for longer. Each score stands beside what as many *real* faces score in its place
# ({doc}`91_evaluation`).

# %%
from sagan_lib import sampling
from sagan_lib.datasets import registry
from sagan_lib.evaluation import scores

generator = runs.generator()
size = generator.output_shape[1]
made = sampling.generate(generator, 1000, seed=0)
real, held_out = registry.by_name("faces", size).held_out(2000, len(made))
judged = scores.remembering(scores.extractor("judge"))
found = scores.evaluate(made, real, held_out, judged, "shipped", bootstrap=50)

# %% tags=["remove-input"]
NAMES = {"frechet": "Fréchet distance", "precision": "precision", "recall": "recall",
         "heterochromia": "unequal eyes", "coverage": "combinations of 250"}
FORMS, rows = {"frechet": "{:.1f}", "heterochromia": "{:.1%}", "coverage": "{:.0f}"}, []
for name, label in NAMES.items():
    score = {key: FORMS.get(name, "{:.2f}").format(number) for key, number in found[name].items()}
    interval = f"{score['low']} to {score['high']}" if "low" in score else ""
    rows.append(f"| {label} | {score['value']} | {interval} | {score['real']} |\n")
Markdown("| score | generated | interval | real |\n|---|---|---|---|\n" + "".join(rows))

# %% tags=["remove-cell"]
page.glue("fd-ratio", found["frechet"]["value"] / found["frechet"]["real"], "{:.1f}")
page.glue("unequal", 100 * found["heterochromia"]["value"], "{:.1f}")
page.glue("missing", 250 - found["coverage"]["value"])
page.glue("missing-real", 250 - found["coverage"]["real"])
page.glue("count-made", len(made), "{:,}")
page.glue("count-real", len(real), "{:,}")

# %% [markdown]
# Its Fréchet distance is {glue:text}`fd-ratio:s` times the floor (with {glue:text}`count-made:s` faces against
# {glue:text}`count-real:s`: with more the floor falls). {glue:text}`unequal:s` % of its faces have unequal eyes; if each
# eye were drawn alone, 83 % would. It leaves out {glue:text}`missing:s` of 250 combinations; as
# many real faces leave out {glue:text}`missing-real:s`.
#
# ### Copies?
#
# A copy would be nearer to a *training* face than a fresh real face is, in the judge's features.

# %%
import json
import numpy as np
from scipy.spatial.distance import cdist

from sagan_lib import shipped
from sagan_lib.datasets import faces
from sagan_lib.datasets.source import from_bytes

record = json.loads((shipped.folder() / "results" / runs.RESULTS).read_text())
trained_on = faces.Faces(size, 5000, record["recipe"]["population"])
known = judged.features(from_bytes(trained_on.images))
apart = cdist(judged.features(made), known)
nearest, fresh = apart.min(1), cdist(judged.features(held_out), known).min(1)

# %% tags=["remove-cell", "long"]
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), width_ratios=(1.5, 1))
pair = np.stack([made[:10], from_bytes(trained_on.images[apart[:10].argmin(1)])])
halves = pair.reshape(2, 2, 5, size, size, 3).swapaxes(0, 1)  # five above their nearest, twice
axes[0].imshow(plots.grid(halves.reshape(-1, size, size, 3), columns=5))
axes[0].axis("off")
axes[0].set_title("sample, and its nearest training face", fontsize=9)
for values, label, colour in ((nearest, "samples", 0), (fresh, "fresh real faces", 1)):
    axes[1].hist(values, np.linspace(0, np.quantile(nearest, 0.99), 40), alpha=0.6,
                 color=plots.COLOURS[colour], label=label)
axes[1].set(yticks=[], xlabel="distance to the nearest training face")
axes[1].legend()
figure.tight_layout()
page.show("fig_nearest", figure)
page.glue("copies", int(np.sum(nearest < np.quantile(fresh, 0.001))))
assert len(known) == 5000 < record["recipe"]["faces"]  # "the others", below

# %% [markdown]
# ```{glue:figure} fig_nearest
# :name: fig-nearest
# :alt: Left, ten generated faces over their nearest training faces; right, histograms of the distance to the nearest training face, for samples and for fresh real faces.
#
# The first ten samples over the nearest of 5,000 training faces, and how near they are.
# ```
#
# {glue:text}`copies:s` of 1,000 samples are nearer to one of these 5,000 than 999 of 1,000 fresh faces are. The
# others it was trained on were not searched.
#
# ### What it gets wrong
#
# The samples farthest from any real face, and the first with unequal eyes:

# %%
reading = judged.read(made)
distance = cdist(judged.features(made), judged.features(real)).min(1)
farthest = np.argsort(-distance)[:len(made) // 20]
differ = reading.left_iris != reading.right_iris
unequal = np.flatnonzero(differ)

# %% tags=["remove-cell"]
sets = [made[farthest[:12]], made[unequal[:12]]]
page.show("fig_failures", plots.pictures(sets, columns=6, titles=["farthest from the data", "unequal eyes"]))
page.glue("far-unequal", 100 * differ[farthest].mean(), "{:.0f}")
assert differ[farthest].mean() > 2 * differ.mean()  # as the text says

# %% [markdown]
# ```{glue:figure} fig_failures
# :name: fig-failures
# :alt: Two grids of generated faces; on the left those farthest from the data, on the right faces whose two eyes have different colours.
#
# The farthest of 1,000 samples, and the first whose eyes the judge reads as different.
# ```
#
# Of the farthest twentieth {glue:text}`far-unequal:s` % have unequal eyes, of all {glue:text}`unequal:s` %. Do
# such eyes look at each other ({doc}`03_attention`)?

# %%
from sagan_lib.evaluation.maps import attention_map, looks_at

LEFT, RIGHT = (0.51, 0.36), (0.51, 0.64)
z = sampling.latent(len(made), generator.input_shape[-1], seed=0).numpy()

def looks(chosen):
    """Share in which one eye gives the other more than half of its attention."""
    maps = attention_map(generator, z[chosen])[1].numpy()
    there, back = looks_at(maps, LEFT, RIGHT)[0], looks_at(maps, RIGHT, LEFT)[0]
    return np.mean(np.maximum(there, back) > 0.5)

# %% tags=["remove-cell"]
page.glue("looks-equal", 100 * looks(np.flatnonzero(~differ)[:200]), "{:.0f}")
page.glue("looks-unequal", 100 * looks(unequal), "{:.0f}")
page.glue("unequal-count", len(unequal))

# %% [markdown]
# In {glue:text}`looks-equal:s` % of 200 faces with equal eyes, one eye gives the other more than half of its
# attention; in {glue:text}`looks-unequal:s` % of the {glue:text}`unequal-count:s` with unequal ones. A look is
# no guarantee.

# %% [markdown]
# ## What each part brought

# %% tags=["remove-cell", "ledger"]
from sagan_experiments import answers, figures, ledger, trials

judged = answers.answered(trials.open_store())
PARTS = "sn-none", "averaging", "ttur", "sn-g", "hinge", "attention-faces"
parts = {name: judged[name] for name in PARTS if name in judged}
page.show("fig_parts", figures.forest(parts))
assert parts.keys() == set(PARTS[:3])  # as the text says
assert [each.verdict for each in parts.values()] == ["holds", "holds", "undecided"]
for name, each in parts.items():
    page.glue(f"part-{name}", np.exp(each.mean), "{:.1f}")
short = {name: ledger.result(name) for name in ("bn-sn", "hinge", "sn-g", "attention-quality")}
assert [each.verdict for each in short.values()] == [ledger.HOLDS, ledger.OPEN, ledger.SHORT, ledger.SHORT]
page.glue("part-bn-sn", np.exp(short["bn-sn"].mean), "{:.1f}")

# %% [markdown]
# ```{glue:figure} fig_parts
# :name: fig-what-parts
# :alt: Three sentences, each above a row of dots and a bar. Spectral normalization and the averaged generator lie right of the grey band; a D four times as fast lies on both sides of it.
#
# Each side at its own best rates. Dot: a seed. Bar: 98.3 % interval of the mean. In the grey band no difference is
# worth naming; a bar wholly right of it says that the sentence is right ({doc}`claims`).
# ```
#
# **SN pays**: without it the Fréchet distance is {glue:text}`part-sn-none:s` times as large. **So does averaging**, by
# {glue:text}`part-averaging:s` times, though it is no part of SAGAN. A faster $D$ is undecided ({doc}`04_ttur`).
#
# **Four are not tried fairly yet.** In short runs at one pair of rates batch normalization in $G$ paid most, by
# {glue:text}`part-bn-sn:s` times; SN in $G$ and attention did not, and the loss is undecided. {doc}`03_attention` shows
# where attention can pay.

# %% [markdown]
# ## How the shipped generator was made

# %% tags=["remove-input", "nbval-check-output"]
print(record["command"])

# %% tags=["remove-cell"]
made_by = record["recipe"]
for name in ("steps", "batch_size", "faces"):
    page.glue(f"made-{name}", made_by[name], "{:,}")
page.glue("made-parameters", generator.count_params() / 1e6, "{:.1f}")

# %% [markdown]
# This command makes it again: {glue:text}`made-steps:s` steps of {glue:text}`made-batch_size:s` images out of
# {glue:text}`made-faces:s`, {glue:text}`made-parameters:s` million parameters in $G$, attention at 16x16, rates
# of 0.001 and 0.004 that fall to 0, the average of $G$. Its log and scores are stored beside its weights.

# %% tags=["remove-cell"]
from sagan_lib import cost

plan = cost.plan(*nets, whole.batch_size, whole.steps)
page.glue("plan-parameters", plan.parameters / 1e6, "{:.1f}")
page.glue("plan-memory", plan.memory_bytes / 2**30, "{:.1f}")
page.glue("plan-hours", whole.steps * plan.step_flops / 5 / 3.6e15, "{:.0f}")
assert (whole.rates, whole.loss, whole.attention_at) == ("sagan", "hinge", 32)
assert (made_by["rates"], made_by["attention_at"]) == ("sagan_x10", 16)

# %% [markdown]
# ````{admonition} On photographs, 128 pixels
# :class: dropdown
#
# With CelebA (`data/README.md` tells how to get it) and a GPU; `--devices mirrored` takes all of a machine's:
#
# ```sh
# python -m sagan_lib train --recipe celeba128 --data data/celeba/img_align_celeba.zip
# ```
#
# {glue:text}`plan-parameters:s` million parameters, {glue:text}`plan-memory:s` GiB, and
# {glue:text}`plan-hours:s` hours at 5 trillion operations a second. It was not run for this book.
#
# What to expect? SAGAN on ImageNet at 128 pixels has a Fréchet inception distance of 18.7 by its authors
# {cite:p}`zhang2018sagan`, of 34.7 by StudioGAN {cite:p}`kang2022studiogan`, of 34.8 by MMGeneration, and there
# of 12.8 with BigGAN's schedule {cite:p}`mmgeneration2021`. What papers pass over can matter as much as the method.
# ````

# %% tags=["remove-cell", "ledger"]
from sagan_lib.book import scales

scales.fold("05_sagan", "live-seen", "live-mismatch")

# %% [markdown]
# ````{admonition} At 64 pixels
# :class: dropdown
#
# ```{glue:figure} fig_05_large
# :name: fig-05-large
# :alt: Three rows of sixteen faces with clear hair, eyes and mouths.
#
# The live run at 64 pixels, for more steps: {glue:text}`large-state:s`.
# ```
#
# Larger and trained for longer, the faces are clearer. Among 500, {glue:text}`large-mismatch:s` % have unequal eyes; they show
# {glue:text}`large-seen:s` of 250 combinations.
# ````


# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Summary
#
# - The whole SAGAN is two networks, two rates, one loss. Each part is a few lines of code.
# - The shipped generator has {glue:text}`fd-ratio:s` times the floor's distance and {glue:text}`unequal:s` % unequal
#   eyes; {glue:text}`copies:s` of 1,000 samples come nearer to one of 5,000 training faces than 99.9 % of fresh faces do.
# - SN and averaging pay, each side at its best rates. A faster $D$ is undecided; attention showed no gain in short runs.
#
# ## Exercises
#
# ```{exercise} What does the average do?
# :label: ex-sagan-average
#
# Score the live run's samples with `ema=True` and `ema=False`. Why does the book take the average?
# ```
#
# ```{solution} ex-sagan-average
# :class: dropdown
#
# Compare `metrics.frechet` on the judge's features. High rates make the last weights jump; the average
# does not ({doc}`04_ttur`).
# ```
#
# ```{exercise} Truncation
# :label: ex-sagan-truncation
#
# Draw with `truncation=0.5`, which takes noise from the middle only {cite:p}`brock2018biggan`. What becomes of
# precision, of the combinations?
# ```
#
# ```{solution} ex-sagan-truncation
# :class: dropdown
#
# Combinations fall by far: samples get alike. Precision may rise or fall; {cite:t}`brock2018biggan`, too, found
# networks that do not bear it. A score needs its truncation beside it.
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
# Not precision: every copy is a real face. Recall and combinations fall, the Fréchet distance rises, and
# the distance to the nearest training face is 0.
# ```
