# %% [markdown]
# # GAN training, chapter by chapter
#
# A generative adversarial network draws faces that never existed, if its training does not fall
# apart. This book trains such networks in front of you, breaks them, and measures what holds them
# together.

# %%
from sagan_lib import sampling
from sagan_lib.cli import runs

generator = runs.generator()
generated = sampling.generate(generator, 500, seed=1)

# %% [markdown]
# These lines draw with the network that comes with the book. In the built book it runs in your
# browser, with nothing installed. Draw new faces; limit the noise (*truncation*), and they
# become alike; walk from the first face to the last. Another network {ref}`draws faces to order <order-a-face>`.

# %% tags=["remove-input"]
from sagan_lib.book import page, plots

page.touch("faces", None, plots.pictures([generated[:8]], columns=8, titles=[""]),
           "eight generated faces in a row")

# %% [markdown]
# ## What a distance looks like
#
# How good is a generator? This book measures the **Fréchet distance** between its faces and real ones;
# less is better. Here is one run on its way:

# %% tags=["remove-cell"]
from sagan_experiments import stages

record, faces = stages.stored()
titles = [f"{distance:,.0f}" for _, distance in record["stages"]]
titles += [f"real faces: {record['real']:.0f}"]
figure = plots.pictures(list(faces), columns=2, titles=titles)
figure.subplots_adjust(wspace=0.12)
page.show("fig_stages", figure)
page.glue("stage-steps", ", ".join(f"{step:,}" for step, _ in record["stages"]))
page.glue("stage-first", record["stages"][0][1], "{:,.0f}")
page.glue("stage-last", record["stages"][-1][1], "{:.0f}")
page.glue("stage-real", record["real"], "{:.0f}")

# %% [markdown]
# ```{glue:figure} fig_stages
# :name: fig-stages
# :alt: Five blocks of six faces with their Fréchet distances, from the largest: pale faces lost in grain, then faces with hair under strong grain, then clearer and clearer ones, and real ones.
#
# The Fréchet distance after {glue:text}`stage-steps:s` steps, nothing picked out. Other real faces, on
# the right, score {glue:text}`stage-real:s` and not 0: {doc}`91_evaluation` says why.
# ```

# %% [markdown]
# ## Why drawn faces?
#
# Because their truth is known. Each is drawn by rules from thirteen factors, and both irises always
# have the same colour. So we can count how often a generator keeps that rule, and which kinds of
# faces it forgot.

# %% tags=["remove-cell"]
from sagan_lib.evaluation import judge

reading = judge.read(generated)
seen, possible = judge.coverage(reading)
page.glue("intro-unequal", 100 * judge.heterochromia(reading), "{:.0f}")
page.glue("intro-seen", seen)
page.glue("intro-perfect", judge.expected_coverage(500, possible), "{:.0f}")

# %% [markdown]
# Of the 500 faces above {glue:text}`intro-unequal:s` % have unequal eyes, where chance would make it
# 83 %. They show {glue:text}`intro-seen:s` of 250 kinds (hair, its length, skin, background); a perfect
# generator shows {glue:text}`intro-perfect:s` on average.

# %% [markdown]
# ## What the book found

# %% tags=["remove-cell", "long"]
import functools
import math

from sagan_experiments import ledger, trials, verdicts, ways
from sagan_lib.evaluation.maps import cut, with_map

LEFT, RIGHT = (0.51, 0.36), (0.51, 0.64)  # the eyes, as fractions of the picture
PATHS = (LEFT, RIGHT), (RIGHT, LEFT), (LEFT, LEFT), (RIGHT, RIGHT)
z = sampling.latent(300, generator.input_shape[-1], seed=6)  # chapter 3's
unequal = {}
for name, count in (("whole", 0), ("cut", 2), ("blind", 4)):
    images = with_map(generator, z, lambda w: functools.reduce(lambda w, p: cut(w, *p), PATHS[:count], w))
    unequal[name] = judge.heterochromia(judge.read(images.numpy()))
    page.glue(f"found-{name}", 100 * unequal[name], "{:.0f}")
assert unequal["blind"] < unequal["cut"] / 3

# %% tags=["remove-cell", "long"]
claims = ("bn-quality", "bn-quality-glorot", "bn-quality-he", "operator")
assert {ledger.result(name).verdict for name in claims} == {"holds"}
page.glue("found-stretch", math.exp(ledger.result("operator").mean), "{:.1f}")
pilot = ledger.open_store(None, "pilot")
long = {way: dict(pilot.seeds("arms", ways.at_rates(way, 1e-3, 1e-3))[trials.TUNING[0]]["curve"])
        for way in ways.WAYS}
page.glue("found-best", min(long["none"].values()), "{:.0f}")
page.glue("found-end", long["none"][4800], "{:.0f}")
first, last = (min(long, key=lambda way: long[way][step]) for step in (600, 4800))
assert (first, last) == ("dcgan", "r1")  # as the text says
fair = trials.open_store()
ends = verdicts.ends(fair)
for way, value in ends.items():
    page.glue(f"found-best-{way}", value, "{:.0f}")
assert max(ends[way] for way in ("dcgan", "sn", "r1")) < 1.3 * min(ends.values())
assert ends["none"] > 1.5 * min(ends.values())
pairs = {way: ways.rates_of(trials.best(way, fair)) for way in ways.WAYS}
assert [way for way, (g_rate, d_rate) in pairs.items() if d_rate > g_rate] == ["sn"]

# %% [markdown]
# - **{doc}`DCGAN <01_dcgan>`:** without batch normalization its short runs never start, with any of three
#   scales of the first weights.
# - **{doc}`Evaluation <91_evaluation>`:** a Fréchet distance cannot tell a good generator from one that replays its
#   training set.
# - **{doc}`Spectral normalization <02_spectral_norm>`** bounds a matrix; a random 3x3 convolution still
#   stretches {glue:text}`found-stretch:s` times as much, a box filter three times.
# - **{doc}`Attention <03_attention>`:** cut the path between the eyes, and unequal ones rise from
#   {glue:text}`found-whole:s` % to {glue:text}`found-cut:s` %; cut each eye off from both, and only
#   {glue:text}`found-blind:s` % are unequal. A path that is used need not be needed.
# - **{doc}`Claims <claims>`:** who is ahead early need not end best. In one run each, DCGAN led after 600 steps,
#   {doc}`R1 <06_penalties>` after 4,800; with nothing to hold $D$ the distance fell to {glue:text}`found-best:s`, then
#   rose to {glue:text}`found-end:s`.
# - **{doc}`Penalties <06_penalties>` and {doc}`rates <04_ttur>`:** each at the best of 16 pairs of rates and over five
#   seeds, R1 ends at {glue:text}`found-best-r1:s`, SN at {glue:text}`found-best-sn:s`, DCGAN's recipe at
#   {glue:text}`found-best-dcgan:s`, a hinge loss with nothing to hold $D$ at {glue:text}`found-best-none:s`: clearly
#   behind. SN's best pair had a faster $D$, the others' a slower one.

# %% [markdown]
# ## How to read it
#
# You need to know what a convolution and a gradient are. Start with {doc}`01_dcgan` and go on from page
# to page: what a score sees and how training fails come right after it. In the {doc}`playground` a
# whole GAN trains beside your reading, with each chapter's idea as a switch.
#
# Measured numbers come from cells that you can change, or from longer runs stored with the book. A chapter
# takes one or two minutes of one core at 32 pixels; on a GPU most work at 64. One run is an example; what holds
# over seeds, and what does not, is in {doc}`claims`.
#
# {doc}`setup` gets the notebooks running, {doc}`92_own_pictures` trains on yours, {doc}`glossary` has the
# words, and {doc}`course_plan` is for those who teach.

# %% [markdown]
# ## Where this book comes from
#
# It began with one article {cite:p}`thalles2018article`, read in its Chinese version
# {cite:p}`atyun2018article`: DCGAN, spectral normalization, attention and two time scales are its ideas,
# and their papers' claims became experiments here. What it gets wrong is in the {download}`list of errata <../ERRATA.md>`.
