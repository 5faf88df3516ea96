# %% [markdown]
# # Your own pictures
#
# One argument trains on pictures of your own: `--data FOLDER`. What comes of it depends on them: below,
# many pictures of one kind gave clothes within minutes, a few of many kinds gave blots.
#
# ```{admonition} What you will see
# - what the loader takes from a folder as people have it, and what it leaves out;
# - how many pictures are few, and what to do then; what 128 pixels cost;
# - what a few minutes make of Fashion-MNIST, and of a few hundred photographs;
# - which scores make sense for photographs.
#
# The page takes {glue:text}`core-seconds:s` seconds of one core, where it was made.
# ```

# %%
import tempfile
import time
from pathlib import Path

from sagan_lib import devices

devices.setup()
started = time.perf_counter()
folder = Path(tempfile.mkdtemp()) / "holiday"
folder.mkdir()

# %% [markdown]
# ## A folder as people have it
#
# Two photographs, one not square, the other taken with the camera turned; a drawing with a transparent
# ground; a grey scan with 16 bits; an animation. And what else lies in a folder: notes, a hidden file, a
# download that broke off.

# %%
import numpy as np
from PIL import Image

from sagan_lib.datasets import faces
from sagan_lib.datasets.source import to_bytes

drawn = faces.render(faces.factors(range(5)), 200)
pictures = [Image.fromarray(image) for image in to_bytes(drawn)]
wide = Image.new("RGB", (400, 200), "darkgreen")
wide.paste(pictures[0], (100, 0))
wide.save(folder / "wide.jpg", quality=95)

# %%
exif = Image.Exif()
exif[0x0112] = 6  # EXIF's orientation: turn it clockwise to view it
lying = pictures[1].transpose(Image.Transpose.ROTATE_90)
lying.save(folder / "turned.jpg", exif=exif, quality=95)

# %%
transparent = pictures[2].convert("RGBA")
below = np.indices((200, 200)).sum(0) > 150  # all but a corner
transparent.putalpha(Image.fromarray(np.uint8(255 * below)))
transparent.save(folder / "drawing.png")

grey = np.asarray(pictures[3].convert("L"), np.uint16) * 257  # 0 to 65,535
Image.fromarray(grey).save(folder / "scan.png")
pictures[4].save(folder / "moving.gif", save_all=True, append_images=[pictures[0]])

(folder / "notes.txt").write_text("where we were")
(folder / ".hidden").write_text("")
broken = (folder / "wide.jpg").read_bytes()[:900]
size = (folder / "broken.jpg").write_bytes(broken)

# %% [markdown]
# A warning names what the loader skipped, and `taken()` says the rest in a line; the command line prints
# both.

# %% tags=["nbval-check-output"]
import warnings

from sagan_lib.datasets import registry

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    source = registry.by_name(str(folder), 64)
for text in (str(caught[0].message), source.taken()):
    print(text.replace(f"{folder}: ", ""))

# %% tags=["remove-cell"]
from sagan_lib.book import page, plots

page.show("fig_own", plots.pictures(source.images, columns=5, width=6))

# %% [markdown]
# ```{glue:figure} fig_own
# :name: fig-own
# :alt: Five faces of equal size in a row: in colour with a white corner, in colour, in grey, upright, and the middle of a wide picture.
#
# What training sees: transparency is white, grey of 16 bits keeps its shades, the turned one stands
# upright, and of the wide one the middle is left.
# ```
#
# The square is the largest that fits, from the middle. `--crop 300` takes 300 pixels instead, where the
# thing of interest is small.

# %% tags=["nbval-check-output"]
(folder / "broken.jpg").unlink()
middle = registry.by_name(str(folder), 64, crop=100)
print(middle.taken().split("; ")[1])

# %% [markdown]
# ## How many
#
# A GAN learns a distribution, so it needs to see it. A few hundred pictures $D$ may soon know by heart, and
# then it tells $G$ less and less ({doc}`08_few_pictures`). The commands `doctor` and `train` say so beforehand:

# %% tags=["nbval-check-output"]
from sagan_lib.cli import recipes

for count in (50, 300, 10_000):
    print(recipes.advice(count) or f"{count} pictures: nothing to say")

# %% [markdown]
# ```sh
# python -m sagan_lib doctor --data ~/Pictures/birds
# python -m sagan_lib train --data ~/Pictures/birds --augment color,translation,cutout --out runs/birds
# tensorboard --logdir runs/birds
# python -m sagan_lib score --run runs/birds
# ```
#
# A tenth of the pictures, 500 at most, is held out (`--holdout` chooses how many). Each row of the log then
# has `d_gap`, $D$'s mean score of training pictures less that of held-out ones. Where it grows, look at
# samples and at copies, which `score` counts; a small gap alone proves nothing. Add `flip` to the changes
# only if a mirrored picture could be one of yours. If you have a run on something similar, `--start-from` goes on
# from its networks ({doc}`08_few_pictures`).
#
# The command says what the run will need, and how long it will take. Ctrl-C, or a shutdown of the machine,
# saves first; the same command goes on. With other pictures it is another run, and you are told so.

# %% [markdown]
# ## How large
#
# Start at 32 or 64 pixels. `width` is the number of channels at full resolution, and it doubles each time
# the side halves, down to 4x4. So a width that is modest at 32 pixels is not so at 128:

# %%
from sagan_lib import cost
from sagan_lib.cli import runs

print("side  width  channels at 4x4  parameters  work of a step   memory")
base = None
for side, width in ((32, 32), (64, 32), (64, 16), (128, 32), (128, 16), (128, 8)):
    recipe = recipes.get("faces32", resolution=side, width=width)
    pair = runs.networks_of(recipe)
    deepest = max(x.output.shape[-1] for x in pair[0].layers if x.output.shape[1:3] == (4, 4))
    plan = cost.plan(*pair, recipe.batch_size, 1)
    base = base or plan.step_flops
    print(f"{side:4}  {width:5}  {deepest:15}  {plan.parameters / 1e6:8.1f} M"
          f"  {plan.step_flops / base:13.1f}x  {plan.memory_bytes / 2**30:4.1f} GiB")

# %% [markdown]
# Work is held against the first row's; memory is an estimate for a batch of 64. On two cores stay at the
# first row or the third. For 128 pixels take a GPU and `--recipe celeba128 --data ...`, whose width is 16.

# %% [markdown]
# ## Many of one kind
#
# Fashion-MNIST has many small pictures of one kind. A part of `--recipe fashion32` took minutes on two cores:

# %% tags=["remove-cell"]
import json

import matplotlib.pyplot as plt

from sagan_lib import shipped

results = shipped.folder() / "results"
run = json.loads((results / "fashion32.json").read_text())
page.glue("fashion-steps", run["step"], "{:,}")
page.glue("fashion-minutes", run["seconds_this_time"] / 60, "{:.0f}")
page.glue("fashion-images", run["images"], "{:,}")
picture = plt.imread(results / "fashion32.png")

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(6.5, 6.5 * picture.shape[0] / picture.shape[1]))
axis.imshow(picture, interpolation="nearest")
axis.axis("off")
page.show("fig_fashion", figure)

# %% [markdown]
# ```{glue:figure} fig_fashion
# :name: fig-fashion
# :alt: A grid of 64 small grey pictures of clothes, drawn by a generator: mostly shirts and coats, some shoes and bags.
#
# Nothing picked: {glue:text}`fashion-steps:s` steps, {glue:text}`fashion-minutes:s` minutes, trained on
# {glue:text}`fashion-images:s` pictures.
# ```

# %% [markdown]
# ## Few of many kinds
#
# Debian's package `tuxpaint-stamps-default` has cut-out photographs, and some drawings. Its animals, plants, food and
# vehicles make a folder of {glue:text}`own-all:s` pictures, of which {glue:text}`own-held:s` are held out:
#
# ```sh
# mkdir things; cp -r /usr/share/tuxpaint/stamps/{animals,plants,food,vehicles} things
# python -m sagan_lib train --recipe fashion32 --data things --rates sagan_x10 \
#     --attention-at none --batch-size 32 --steps 6000 --ema-decay 0.99 --seed 1 \
#     --augment color,translation,cutout --out runs/things
# ```

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import own
from sagan_lib.datasets.source import from_bytes

record, samples = own.stored()
SHOWN = {"plain": "as they are", "changed": "changed"}
figure, axes = plt.subplots(1, 2, figsize=(7.5, 2.5), width_ratios=(1, 2.1), layout="constrained")
for colour, (kind, each) in zip(plots.COLOURS, record["runs"].items()):
    for k, run in enumerate(each.values()):
        axes[0].plot(*zip(*run["gap"]), color=colour, label=None if k else SHOWN[kind])
axes[0].set(xlabel="training step", ylabel="D's gap")
axes[0].grid()
axes[0].legend()
sheet = plots.grid(from_bytes(np.concatenate([*samples.values()])), own.SHOWN // 2)
axes[1].imshow(sheet, interpolation="nearest")
axes[1].set_yticks(np.linspace(0, len(sheet), 5)[1::2], SHOWN.values(), rotation=90, va="center", fontsize=8)
axes[1].set_xticks([])
page.show("fig_things", figure)

# %% tags=["remove-cell", "ledger"]
first = record["runs"]["plain"]["1"]
page.glue("own-all", first["images"] + first["held_out"])
page.glue("own-held", first["held_out"])
page.glue("own-seeds", len(own.SEEDS))
gaps = {}
for kind, each in record["runs"].items():
    gaps[kind] = [run["gap"][-1][1] for run in each.values()]
    assert len(each) == len(own.SEEDS)
    page.glue(f"own-gap-{kind}", np.mean(gaps[kind]), "{:.1f}")
    copies = np.mean([run["copies"]["value"] for run in each.values()])
    page.glue(f"own-copies-{kind}", 100 * copies, "{:.0f} %")
page.glue("own-chance", 100 * first["copies"]["real"], "{:.0f} %")
assert max(gaps["changed"]) < 0.5 < 2 < min(gaps["plain"])  # as the text says

# %% [markdown]
# ```{glue:figure} fig_things
# :name: fig-things
# :alt: Left, D's gap over the steps: it grows to more than two where the pictures are shown as they are and stays at zero where they are changed. Right, two rows of samples each: blots of fruit, animals and cars as they are; grey and brown blots with a pattern of scales where changed.
#
# Left: {glue:text}`own-seeds:s` runs of each. Right: the first samples of seed 1, none picked.
# ```
#
# Where pictures are shown as they are, $D$ knows them by heart: its gap ends at {glue:text}`own-gap-plain:s`. Where they
# are changed, it ends at {glue:text}`own-gap-changed:s`. **Yet the samples are not better for it.** As they are, some
# could pass for fruit or for an animal; changed, they are blots with a pattern. By colour {glue:text}`own-copies-plain:s`
# and {glue:text}`own-copies-changed:s` of the samples lie as near to a training picture as {glue:text}`own-chance:s` of
# the held-out ones do: no clear sign of copies.
#
# So these pictures of many kinds were too few for this small GAN, whatever $D$ was shown. Bring more, of one kind,
# or go on from a run on something similar. And watch the samples, not the losses ({doc}`93_failures`).

# %% [markdown]
# ## What we would do
#
# One evening, own pictures, two cores: what we carry over from fair trials on drawn faces of 32 pixels
# ({doc}`claims`).

# %% tags=["remove-cell", "ledger"]
from sagan_experiments import answers, trials, ways

store = trials.open_store()
found = answers.answered(store)
for way in ("sn", "r1"):
    pair = [f"{1e4 * rate:g}" for rate in ways.rates_of(trials.best(way, store))]
    page.glue(f"rates-{way}", f"{pair[0]} and {pair[1]}")
for name in ("averaging", "averaging-dcgan", "sn-none"):
    assert found[name].verdict == "holds"  # as the text says
    page.glue(f"fair-{name}", np.exp(found[name].mean), "{:.1f}")
good = trials.grid("sn", store) <= trials.good_edge(store)
assert good[1, 3]
assert not good[0].any()

# %% [markdown]
# - **Hold $D$** by SN or R1: which is better is undecided. A hinge loss alone ends at {glue:text}`fair-sn-none:s` times
#   the distance of SN.
# - **Take a large rate of $G$.** Best were, for $G$ and $D$ and x 1e-4, {glue:text}`rates-sn:s` with SN and
#   {glue:text}`rates-r1:s` with R1. `--rates sagan_x10`, 10 and 40, is good for SN; a $G$ at 5 never was.
# - **Average $G$**, as `train` does: at the end of those runs the last weights have {glue:text}`fair-averaging:s` times
#   the distance with SN, {glue:text}`fair-averaging-dcgan:s` times with DCGAN's recipe.
# - **Judge late.** Who is ahead early need not lead at the end ({numref}`fig-longer`). With few pictures stop where the
#   gap or the copies grow.

# %% [markdown]
# ## Scores for photographs
#
# The judge of this book has only seen its own faces. For other pictures `python -m sagan_lib score` takes
# Inception's features, which Keras fetches once, and warns that its numbers are not those of the papers
# ({doc}`91_evaluation`).
#
# Any trained Keras model gives features, too. A kernel distance suits few pictures better than a Fréchet
# distance, because it has no floor that falls with their number.
#
# ```python
# from sagan_lib.evaluation import metrics
#
# features = lambda images: your_model.predict(images, batch_size=64)   # (n, h, w, 3) -> (n, d)
# real, held_out = source.held_out(100, 100)
# print(metrics.kernel_distance(features(model.sample(100)), features(real)))
# print(metrics.kernel_distance(features(held_out), features(real)))      # what real pictures score
# ```

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Summary
#
# - Bring a folder or a zip; the loader turns, crops and resizes, and says what it took.
# - Nothing is lost silently: files are left out by kind, skipped by name, or refused.
# - Of a few hundred pictures hold some out, watch the gap, count copies, look at the samples. Changes closed the gap
#   here, and the samples were no better.
# - Hold $D$, let $G$ learn fast, average it, judge late.
# - A run can be stopped and goes on; other pictures are another run.
