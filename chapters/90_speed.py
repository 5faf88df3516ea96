# %% [markdown]
# # Speed: where the time goes
#
# A training step is mostly convolutions and attention. Spectral normalization costs next to nothing,
# attention a great deal, for its map. This page measures both, says what to switch on, and shows how
# attention does without its map in memory.
#
# ```{admonition} Before you start
# :class: tip
# You need {doc}`03_attention`. The page takes {glue:text}`core-seconds:s` seconds of one core, where it was
# made, and up to 1.5 GiB of memory.
# ```

# %%
import time

from sagan_lib import devices

devices.setup()
started = time.perf_counter()

# %% [markdown]
# ## Where the time goes
#
# TensorFlow's profiler writes down when each operation ran. Added up by the part of the step that an
# operation belongs to, for SAGAN at 32 pixels, width 16 and attention at 16x16:

# %%
from sagan_experiments.speed import baselines, case, profile

made = baselines.build("ours", case.case("32x16"))
for _ in range(2):
    made.step()  # traced by the first; memory and caches are settled by the second
parts, clock = profile.parts(made.step, repeats=5)

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

from sagan_lib.book import page, plots

shares = {name: 100 * parts[name] / sum(parts.values()) for name in sorted(parts, key=parts.get)}
figure, axis = plt.subplots(figsize=(5.6, 2.4))
axis.barh(list(shares), list(shares.values()), color=plots.COLOURS[0])
axis.bar_label(axis.containers[0], [f"{share:.0f} %" for share in shares.values()], padding=3, fontsize=8)
axis.set(xticks=[], xlim=(0, 1.1 * max(shares.values())))
axis.spines[["top", "right", "bottom"]].set_visible(False)
page.show("fig_parts", figure)
page.glue("sn-share", shares["spectral normalization"], "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_parts
# :name: fig-parts
# :alt: Bars for the parts of a training step, in per cent of its processor time. Attention and convolutions are far longer than all others.
#
# A step's processor time. Spectral normalization takes {glue:text}`sn-share:s` %: its products are with one
# vector.
# ```

# %% [markdown]
# ## What to switch on
#
# `make bench` trains the same networks on the same batch in several ways, each in a process of its own,
# in turns. Its results lie in `data/results/`, with the machine's name. Of the newest, the largest size:

# %%
import json

from sagan_experiments.speed import tables as speed
from sagan_lib import shipped

found = (shipped.folder() / "results").glob("bench_*.json")
newest = speed.newest([json.loads(path.read_text()) for path in found])
largest = speed.largest(newest)
print(newest["machine"], "| pixels x width:", largest["size"])

# %% tags=["remove-cell", "long"]
WORDS = {"ours": "all of SAGAN, float32", "ours_no_sn": "without spectral normalization",
         "ours_bfloat16": "in bfloat16", "ours_pooled": "with pooled attention",
         "ours_no_attention": "without attention"}
ways = largest["contenders"]
seconds = {text: ways[name]["median_s"] for name, text in WORDS.items()}
figure, axis = plt.subplots(figsize=(5.6, 1.8))
axis.barh(list(seconds), list(seconds.values()), color=plots.COLOURS[0])
axis.bar_label(axis.containers[0], [f"{s:.1f} s" for s in seconds.values()], padding=3, fontsize=8)
axis.invert_yaxis()
axis.set(xticks=[], xlim=(0, 1.15 * max(seconds.values())))
axis.spines[["top", "right", "bottom"]].set_visible(False)
page.show("fig_bench", figure)

times = {name: x["median_s"] for name, x in ways.items() if "median_s" in x}
page.glue("attention-cost", times["ours"] / times["ours_no_attention"], "{:.1f}")
page.glue("bfloat16", 100 * times["ours_bfloat16"] / times["ours"], "{:.0f}")
page.glue("left", 1 / ways["ours_no_attention"]["share_of_matmul_peak"], "{:.1f}")
for others in ("keras", "torch"):
    ratios = [x["time_over_ours"] for each in newest["cases"] for name, x in each["contenders"].items()
              if name.startswith(others) and "time_over_ours" in x]
    page.glue(f"{others}-low", min(ratios), "{:.2f}")
    page.glue(f"{others}-high", max(ratios), "{:.2f}")

# %% [markdown]
# ```{glue:figure} fig_bench
# :name: fig-bench
# :alt: Bars for the seconds of a training step: all of SAGAN, without spectral normalization, in bfloat16, with pooled attention, without attention. The first two are alike, the last is about half.
#
# Seconds of one step with 64 images.
# ```
#
# **Attention** multiplies the step's time by {glue:text}`attention-cost:s`. Its map has $N \times N$ numbers
# for each image, which go to memory and back. Pooled keys (`--variant pooled`) need a quarter of these numbers.
#
# **bfloat16** (`--mixed`) takes {glue:text}`bfloat16:s` % of the time on this processor, which has units for it.
# Weights and norms stay float32.
#
# **oneDNN**, Intel's operations, which serve AMD's processors as well: where a processor lacks AVX-512,
# TensorFlow leaves them off. `sagan_lib` switches them on, unless you chose otherwise
# (`TF_ENABLE_ONEDNN_OPTS`); `python -m sagan_lib doctor` measures what they bring.
#
# **What is left.** Without attention a step takes {glue:text}`left:s` times what its matrix products need at
# least. Over all sizes measured there, Keras's own layers take {glue:text}`keras-low:s` to
# {glue:text}`keras-high:s` times as long as the library's, PyTorch's {glue:text}`torch-low:s` to
# {glue:text}`torch-high:s` times.
#
# **More devices:** `--devices mirrored` takes all GPUs of a machine, `--devices workers` several machines.
# The batch size is that of all together, so the run is that of one device, up to rounding.

# %% [markdown]
# ## Attention without its map
#
# For the gradient, automatic differentiation keeps the map. It need not: a block of rows can be computed
# again from queries and keys, which are small {cite:p}`rabe2021memory,dao2022flash`. Each row of the map is
# complete within its block, so nothing is approximated.

# %%
import numpy as np
import tensorflow as tf

from sagan_lib import attend

rng = np.random.default_rng(0)
queries, keys, values = (tf.constant(rng.normal(size=(4, 256, c)), "float32") for c in (4, 4, 32))

def value_and_gradients(method):
    with tf.GradientTape() as tape:
        tape.watch([queries, keys, values])
        mixed = attend.attend(queries, keys, values, method, block_bytes=2**16)
        loss = tf.reduce_sum(mixed**2)
    return [mixed, *tape.gradient(loss, [queries, keys, values])]

# %% tags=["nbval-check-output"]
pairs = zip(value_and_gradients("dense"), value_and_gradients("chunked"), strict=True)
for name, (dense, blocks) in zip(("output", "by queries", "by keys", "by values"), pairs):
    off = float(tf.reduce_max(abs(dense - blocks)) / tf.reduce_max(abs(dense)))
    print(f"{name:10} equal within 1e-5 of the largest number: {off < 1e-5}")

# %% [markdown]
# How much memory does it save? A process's peak never goes down, so each way is measured in a process of
# its own, with maps that grow.

# %%
import subprocess
import sys

SIDES, BATCH = (16, 32, 64), 8

def measure(method):
    line = [sys.executable, "-m", "sagan_experiments.speed.memory", "--method", method,
            "--batch", str(BATCH), "--sides", *map(str, SIDES)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return [float(mib) for mib in done.stdout.split()]

memory = {method: measure(method) for method in ("dense", "chunked")}

# %% tags=["remove-cell", "long"]
figure, axis = plt.subplots(figsize=(5.6, 2.8))
for (method, mib), colour in zip(memory.items(), plots.COLOURS):
    axis.loglog(SIDES, np.maximum(mib, 1), "o-", color=colour)
    axis.text(1.04 * SIDES[-1], mib[-1], {"dense": "whole map", "chunked": "by blocks"}[method],
              color=colour, va="center", fontsize=9)
axis.set(xlabel="side of the feature map", ylabel=f"MiB for {BATCH} images", xlim=(14, 110))
axis.set_xticks(SIDES, [str(side) for side in SIDES])
axis.set_yticks([10, 100, 1000], ["10", "100", "1000"])
axis.minorticks_off()
axis.spines[["top", "right"]].set_visible(False)
page.show("fig_memory", figure)
page.glue("memory-ratio", memory["dense"][-1] / memory["chunked"][-1], "{:.0f}")
page.glue("memory-batch", BATCH)
page.glue("dense-limit", attend.DENSE_BYTES["CPU"] // 2**20)
assert memory["chunked"][-1] < memory["dense"][-1] / 2

# %% [markdown]
# ```{glue:figure} fig_memory
# :name: fig-memory
# :alt: Memory against the side of the feature map on logarithmic axes; the line of the whole map rises with the fourth power of the side, that of the blocks far more slowly.
#
# Memory of one attention product and its gradients. The whole map grows with the fourth power of the
# side, inputs and outputs with its square.
# ```
#
# At a $64 \times 64$ map and {glue:text}`memory-batch:s` images the whole map takes
# {glue:text}`memory-ratio:s` times the memory of the blocks. `SelfAttention` chooses by size: on a CPU it
# keeps maps up to {glue:text}`dense-limit:s` MiB whole, on a GPU up to 1 GiB. `method="dense"` or
# `"chunked"` forces one.

# %% tags=["remove-cell"]
assert attend.DENSE_BYTES["GPU"] == 2**30  # as the text says
page.took(started)

# %% [markdown]
# ## Summary
#
# - A step is convolutions and attention; spectral normalization costs next to nothing.
# - Attention costs because of its map. Blocks make its memory small, exactly.
# - bfloat16 saves time where there are units for it; pooled keys save time too, but are another layer.

# %% [markdown]
# ## Exercises
#
# ```{exercise} What grows with the batch
# :label: ex-speed-batch
#
# Repeat {numref}`fig-memory` with 1, 4 and 16 images, at a side of 64 alone. Which line grows with the batch?
# ```
#
# ```{solution} ex-speed-batch
# :class: dropdown
#
# Call `measure` with another `BATCH` and `SIDES`. The whole map grows in proportion. With blocks only the inputs,
# outputs and their gradients do; the block has the same size.
# ```
#
# ```{exercise} A block that is too small
# :label: ex-speed-block
#
# Time `attend.attend` with `method="chunked"` on 64 images with a side of 32, for `block_bytes` from
# $2^{18}$ to $2^{28}$. Where is it fastest?
# ```
#
# ```{solution} ex-speed-block
# :class: dropdown
#
# Wrap the call in a `tf.function`, run it twice to warm up, and take the median of ten. Small blocks pay
# for starting many operations, large ones for memory.
# ```
