# %% [markdown]
# # Your own pictures
#
# One argument trains on pictures of your own: `--data FOLDER`. What comes of it depends on them: below,
# many pictures of one kind gave clothes within minutes, a folder of everything gave blobs.
#
# ```{admonition} What you will see
# - what the loader takes from a folder as people have it, and what it leaves out;
# - how many pictures are few, and what to do then; what 128 pixels cost;
# - what a few minutes make of Fashion-MNIST, and of a folder of everything;
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
# then it tells $G$ less and less ({doc}`08_few_pictures`). The doctor and the training say so beforehand:

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
# ## The first minutes
#
# One recipe, `--recipe fashion32`, a few minutes on two cores, two sources. Fashion-MNIST has many small
# pictures of one kind. The stamps of Tux Paint (Debian's package `tuxpaint-stamps-default`) are photographs
# and drawings of animals, fruit, coins, letters and much else. Only `--data` differs: kind and number at once.

# %% tags=["remove-cell"]
import json

from sagan_lib import shipped

for name in ("fashion", "stamps"):
    run = json.loads((shipped.folder() / "results" / f"{name}32.json").read_text())
    page.glue(f"{name}-steps", run["step"])
    page.glue(f"{name}-minutes", run["seconds_this_time"] / 60, "{:.0f}")
    page.glue(f"{name}-images", run["images"])

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

for name in ("fashion", "stamps"):
    picture = plt.imread(shipped.folder() / "results" / f"{name}32.png")
    figure, axis = plt.subplots(figsize=(6.5, 6.5 * picture.shape[0] / picture.shape[1]))
    axis.imshow(picture, interpolation="nearest")
    axis.axis("off")
    page.show(f"fig_{name}", figure)

# %% [markdown]
# ```{glue:figure} fig_fashion
# :name: fig-fashion
# :alt: A grid of 64 small grey pictures of clothes, drawn by a generator: mostly shirts and coats, some shoes and bags.
#
# Nothing picked: {glue:text}`fashion-steps:s` steps, {glue:text}`fashion-minutes:s` minutes, trained on
# {glue:text}`fashion-images:s` pictures.
# ```
#
# ```{glue:figure} fig_stamps
# :name: fig-stamps
# :alt: A grid of 64 small pictures, drawn by a generator: blobs of red, yellow, grey and black on white, none of which can be named.
#
# The folder, after {glue:text}`stamps-steps:s` steps and {glue:text}`stamps-minutes:s` minutes on
# {glue:text}`stamps-images:s` pictures. It has learned what all of them share: one thing in the
# middle, on white.
# ```
#
# Which of both did it is open; try one kind, and more of it, before other rates. And watch the samples, not the
# losses ({doc}`93_failures`).

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
# - Of a few hundred pictures hold some out, augment, watch the gap, count copies.
# - A run can be stopped and goes on; other pictures are another run.
