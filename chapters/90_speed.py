# %% [markdown]
# # Speed and scale
#
# A book whose statements are reproduced in front of the reader's eyes has to train fast enough to
# be watched. This page shows where a training step spends its time, what was done about it, and
# what a full run costs on one device or on many.
#
# ```{admonition} What you will see
# - a step of this library next to other ways to write the same step, all measured in one run;
# - attention without its map in memory: the same numbers, block by block;
# - how to train on several GPUs or machines, and what stays the same;
# - what the article's run and the paper's run would take, with every assumption named.
#
# It takes {glue:text}`core-seconds:s` seconds of one core, where it was made; the memory curve needs up to
# 1.5 GiB. You need chapter {doc}`03_attention`.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started = time.perf_counter()

# %% [markdown]
# ## Where the time goes
#
# TensorFlow's profiler writes down when each operation ran. Added up by the part of the step that
# an operation belongs to, for 32 pixels, width 16 and attention at 16x16:

# %%
from sagan_experiments.speed import baselines, case, profile

made = baselines.build("ours", case.case("32x16"))
for _ in range(2):
    made.step()  # traced by the first; memory and caches are settled by the second
parts, clock = profile.parts(made.step)
print(profile.table(parts, clock))

# %% tags=["remove-cell"]
from sagan_lib.book import page

ranked = sorted(parts, key=parts.get, reverse=True)
for place, name in enumerate(ranked[:2], 1):
    page.glue(f"part-{place}", name)
    page.glue(f"part-{place}-share", 100 * parts[name] / sum(parts.values()), "{:.0f}")
page.glue("sn-share", 100 * parts["spectral normalization"] / sum(parts.values()), "{:.0f}")

# %% [markdown]
# Most of it is {glue:text}`part-1:s` ({glue:text}`part-1-share:s` %) and {glue:text}`part-2:s`
# ({glue:text}`part-2-share:s` %). Spectral normalization takes {glue:text}`sn-share:s` %: its
# products are with one vector.
#
# ## A switch that nobody names
#
# TensorFlow has two sets of operations for a processor: its own, and Intel's oneDNN, which serves
# AMD's processors as well. Where a processor lacks the AVX-512 instructions, TensorFlow leaves
# oneDNN off. `sagan_lib` switches it on before TensorFlow is imported
# (`TF_ENABLE_ONEDNN_OPTS=1`), unless you chose otherwise. What it does here, for one convolution:

# %%
from sagan_lib.cli import doctor

print(doctor.onednn()[1])

# %% [markdown]
# ## One step, several ways
#
# `make bench` trains the same networks on the same batch in several ways: this library's step, the
# same with Keras's own `SpectralNormalization` layer, the article's structure written for
# TensorFlow 2, and a twin in PyTorch where PyTorch is installed. Each runs in a process of its own,
# and they take turns, so that a busy moment of the machine meets all of them.
#
# Nobody shall win by a switch alone. So the others are measured twice: **as they come**, with the
# settings a user gets who sets none (`keras_default`, `article_default`, `torch`), and **tuned**:
# oneDNN on (`keras`, `article`), images laid out as oneDNN wants them (`torch_tuned`).
#
# A contender of the same networks must have the same number of trained parameters, or it is
# refused. The rows that leave a part out, or pool the keys, have their own number, in the last
# column. The results are stored in `data/results/`, with the machine's name and the protocol.

# %%
import json

from sagan_experiments.speed import tables as speed
from sagan_lib import shipped

RESULTS = [json.loads(path.read_text())
           for path in sorted((shipped.folder() / "results").glob("bench_*.json"))]
for result in RESULTS:
    made_on = result["provenance"]
    print(result["machine"], f"({made_on['machine']['cores']} cores), TensorFlow",
          made_on["versions"]["tensorflow"], "PyTorch", made_on["versions"]["torch"])
    print(speed.table(result))

# %% tags=["remove-cell"]
newest = speed.newest(RESULTS)
page.show("fig_bench", speed.figure(newest))

# %% [markdown]
# ```{glue:figure} fig_bench
# :name: fig-bench
# :alt: Bars of images a second for each way to write the training step, one panel for each size of network.
#
# Images a second in training. Every contender trains with the same batch.
# ```

# %% tags=["remove-input"]
from IPython.display import Markdown

Markdown(speed.against(newest))

# %%
case_at = speed.largest(newest)
times = {name: x.get("median_s") for name, x in case_at["contenders"].items()}
others = {n: t for n, t in times.items() if t and not n.startswith("ours")}
share = case_at["contenders"]["ours_no_attention"]["share_of_matmul_peak"]

# %% tags=["remove-cell"]
page.glue("bench-size", case_at["size"])
page.glue("worst-other", max(others, key=others.get))
page.glue("worst-ratio", max(others.values()) / times["ours"], "{:.1f}")
page.glue("attention-cost", times["ours"] / times["ours_no_attention"], "{:.2f}")
page.glue("share", 100 * share, "{:.0f}")
page.glue("left", 1 / share, "{:.1f}")
page.glue("bfloat16", times["ours_bfloat16"] / times["ours"], "{:.2f}")

# %% [markdown]
# At the largest size ({glue:text}`bench-size:s`, pixels times width) the slowest way,
# {glue:text}`worst-other:s`, takes {glue:text}`worst-ratio:s` times as long as this library's step.
#
# Without attention the step reaches {glue:text}`share:s` % of the rate of a large matrix product,
# measured in the same run. So no rearrangement could make it more than {glue:text}`left:s` times as
# fast: convolutions are matrix products.
#
# Attention multiplies the step's time by {glue:text}`attention-cost:s`. Its arithmetic is small.
# What costs is the map, $N \times N$ numbers for each image, which go to memory and back.
#
# The **bound** in the table counts the products and their gradients at the measured rate, and one
# exponential for each number of the map.
#
# In bfloat16 (`--mixed`) the step takes {glue:text}`bfloat16:s` of its time in float32. That pays
# where the processor, or the GPU, has units for it; weights and norms stay float32. The chapters
# compute in float32, so that their numbers are alike on all machines.

# %% [markdown]
# ## Attention without its map
#
# For the gradient, automatic differentiation keeps the map $B$. It does not have to be kept: it
# can be computed again, a block at a time, from queries and keys, which are small. Blocks that fit
# into the processor's caches are even faster than the whole map
# {cite:p}`rabe2021memory,dao2022flash`.
#
# One more saving is in the gradient of the softmax. With $R$ the gradient by the map $B$, and row
# sums written as $\langle\cdot,\cdot\rangle$, the gradient by the scores $S$ is
#
# $$
# \frac{\partial L}{\partial S_{ij}} = B_{ij}\,\bigl(R_{ij} - \langle B_i, R_i\rangle\bigr),
# \qquad \langle B_i, R_i\rangle = \Bigl\langle o_i, \frac{\partial L}{\partial o_i}\Bigr\rangle .
# $$ (eq-softmax-gradient)
#
# The right-hand form of the row sum needs the output $o$ alone, not the map. It is subtracted by
# one more column in the product that makes $R$, so the block is gone through once.
#
# All of this is exact. Every row of the map is complete within its block; nothing is approximated.

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
# How much memory does it save? The peak of a process never goes down, so each measurement below is
# a process of its own (`python -m sagan_experiments.speed.memory`).

# %%
import subprocess
import sys

SIDES, BATCH = (16, 32, 64), 8

def measure(side, method):
    line = [sys.executable, "-m", "sagan_experiments.speed.memory", "--side", str(side),
            "--batch", str(BATCH), "--method", method]
    return float(subprocess.run(line, capture_output=True, text=True, check=True).stdout)

memory = {method: [measure(side, method) for side in SIDES] for method in ("dense", "chunked")}
print(f"{BATCH} images, MiB:", memory)

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

from sagan_lib.book import plots

fig, axis = plt.subplots(figsize=(5.5, 3.2))
for (method, values_mib), colour in zip(memory.items(), plots.COLOURS):
    axis.loglog(SIDES, np.maximum(values_mib, 1), "o-", color=colour, label=method)
axis.set(xlabel="side of the feature map", ylabel=f"MiB for {BATCH} images", xticks=SIDES)
axis.set_xticks(SIDES, [str(side) for side in SIDES])
axis.minorticks_off()
axis.legend(frameon=False)
page.show("fig_memory", fig)

# %% [markdown]
# ```{glue:figure} fig_memory
# :name: fig-memory
# :alt: Memory against the side of the feature map on logarithmic axes; the line of the dense form rises with the fourth power of the side, that of the chunked form far more slowly.
#
# Memory of one attention product and its gradients. The whole map grows with the fourth power of
# the side; with blocks, what grows is the inputs and outputs, with its square.
# ```

# %%
less = [s for s, d, c in zip(SIDES, memory["dense"], memory["chunked"]) if c < d]

# %% tags=["remove-cell"]
page.glue("memory-ratio", memory["dense"][-1] / memory["chunked"][-1], "{:.0f}")
page.glue("memory-batch", BATCH)
page.glue("memory-from", min(less))
page.glue("dense-limit", attend.DENSE_BYTES["CPU"] // 2**20)

# %% [markdown]
# At a $64 \times 64$ map and {glue:text}`memory-batch:s` images the whole map takes
# {glue:text}`memory-ratio:s` times the memory of the blocks. With more images the factor grows. Blocks
# take less from a side of {glue:text}`memory-from:s` on.
#
# `SelfAttention` chooses by size: up to {glue:text}`dense-limit:s` MiB of map it keeps the whole
# on a CPU, beyond that it goes by blocks. `SelfAttention(method="dense")` or `"chunked"` forces one.

# %% [markdown]
# ### What was tried
#
# Kept:
#
# - blocks, and the gradient of {eq}`eq-softmax-gradient`;
# - $f$, $g$ and $h$ as one product instead of three $1 \times 1$ convolutions;
# - $D$ once on real and fake images together; one round of power iteration for each step;
# - batch normalization in one fused operation (`dcgan.BatchNormalization`) instead of Keras's
#   several;
# - oneDNN on, whatever the processor; bfloat16 where you ask for it.
#
# Dropped, because it was not faster on a CPU:
#
# - XLA, for the attention product alone or for the whole step (it is the default on a GPU);
# - blocks for maps that fit into the caches anyway, and blocks smaller than a few MiB;
# - TensorFlow's fused kernel for Adam: it brought less than the twentieth that a change has to;
# - the row sums of {eq}`eq-softmax-gradient` moved into further products with the map;
# - another memory allocator: TensorFlow's does not give memory back between steps.

# %% [markdown]
# ## More than one device
#
# One argument does it:
#
# ```bash
# python -m sagan_lib train --recipe celeba128 --devices mirrored   # all GPUs of this machine
# python -m sagan_lib train --recipe celeba128 --devices workers    # several machines
# ```
#
# For several machines, the same command runs on each of them, and the variable `TF_CONFIG` holds
# the addresses of all and the machine's own place:
#
# ```bash
# export TF_CONFIG='{"cluster": {"worker": ["host1:2222", "host2:2222"]},
#                    "task": {"type": "worker", "index": 0}}'
# ```
#
# In a notebook, make the networks, the optimizers and the GAN under the strategy's scope:
#
# ```python
# with devices.strategy("mirrored").scope():
#     model = gan.GAN(sagan.generator(64, 32), sagan.discriminator(64, 32))
#     model.compile(**ttur.preset("article_code"))
# model.fit(source, steps=1000, batch_size=256)
# ```
#
# The batch size is that of **all devices together**. Each device gets its part of the images and
# of the noise, batch normalization takes its moments over all parts, and $u$ is the same
# everywhere. So the run is that of one device, up to rounding; `tests/test_devices.py` checks it.

# %% [markdown]
# ## What a full run costs
#
# The operations of a step are counted. Time follows from a rate. For this machine the rate of a
# large product is measured, and the share of it that a step reaches is `cost.EFFICIENCY`.
#
# For the GPUs nothing is measured here. The rate is the vendor's peak for dense 16-bit products
# {cite:p}`nvidia2019t4,nvidia2021a100,nvidia2023h100`, and the share of it is **assumed**: one
# twentieth, because small networks leave a large GPU waiting for the next operation. Take the
# hours as an order of magnitude, and put in the share that `make bench` shows on your GPU.

# %%
from sagan_lib import cost, sagan
from sagan_lib.cli import recipes

RUNS = {  # images in a batch, steps, width
    "article, CelebA 128": (64, recipes.get("celeba128").steps, 16),
    "paper, ImageNet 128": (256, 1_000_000, 32),
}
GPU_SHARE = 0.05  # assumed, not measured
DEVICES = {"this machine": cost.EFFICIENCY * cost.matmul_rate(), "T4": GPU_SHARE * 65e12,
           "A100": GPU_SHARE * 312e12, "8 A100": GPU_SHARE * 8 * 312e12, "H100": GPU_SHARE * 989e12}

# %%
for name, (batch, steps, width) in RUNS.items():
    kw = {"attention_at": 32, "variant": "article" if "article" in name else "pooled"}
    plan = cost.plan(sagan.generator(128, width, **kw), sagan.discriminator(128, width, **kw),
                     batch, steps)
    print(f"{name}: {steps} steps of {batch} images, {plan.step_flops / 1e12:.2f} TFLOP each")
    for device, rate in DEVICES.items():
        print(f"  {device:13} {steps * plan.step_flops / rate / 3600:10.1f} hours")

# %% [markdown]
# Assumptions: the number of steps of the CelebA run is this book's recipe, since the article does
# not state its own. The ImageNet run has the batch and the number of steps of a public
# reproduction {cite:p}`mmgeneration2021`. Its networks are this book's plain ones at width 32,
# which have 1,024 channels at 4x4; the paper's residual, class-conditional ones cost more. Several
# devices are taken to share the work without loss.
#
# ```{admonition} What is not measured here
# :class: note
#
# No GPU is behind the numbers on this page unless a file `bench_*` in `data/results/` names one.
# `make bench` on a GPU adds it, and the table above then shows it.
# ```

# %% [markdown]
# ## Summary
#
# - Without attention a step takes {glue:text}`left:s` times what its matrix products need at least.
# - Attention costs because of its map. Blocks make its memory small, exactly.
# - On several devices a run is the same run.

# %% [markdown]
# ## Exercises
#
# ```{exercise} The row sum without the map
# :label: ex-speed-rowsum
#
# Show the right-hand form in {eq}`eq-softmax-gradient`: with $o_i = \sum_j B_{ij} v_j$ and
# $R_{ij} = \langle \partial L/\partial o_i, v_j \rangle$, the two row sums are equal.
# ```
#
# ```{solution} ex-speed-rowsum
# :class: dropdown
#
# $\langle B_i, R_i \rangle = \sum_j B_{ij} \langle \partial L/\partial o_i, v_j \rangle
# = \langle \partial L/\partial o_i, \sum_j B_{ij} v_j \rangle$, and the last sum is $o_i$.
# ```
#
# ```{exercise} Where the line bends
# :label: ex-speed-batch
#
# Repeat {numref}`fig-memory` with 1, 4 and 16 images at a side of 64. Which of the two lines grows
# with the batch, and why does the other not grow in proportion?
# ```
#
# ```{solution} ex-speed-batch
# :class: dropdown
#
# Call `measure` with another `BATCH`. The whole map grows in proportion to the batch. With blocks
# only the inputs, outputs and their gradients do; the block itself has the same size.
# ```
#
# ```{exercise} A block that is too small
# :label: ex-speed-block
#
# Time `attend.attend` with `method="chunked"` at a side of 32 and 64 images for `block_bytes`
# from $2^{18}$ to $2^{28}$. Where is it fastest, and what is your processor's cache?
# ```
#
# ```{solution} ex-speed-block
# :class: dropdown
#
# Wrap the call in a `tf.function`, run it twice to warm up, and take the median of ten runs with
# `time.perf_counter`. Small blocks pay for starting many operations, large ones for memory.
# ```

# %% tags=["remove-cell"]
page.took(started)
