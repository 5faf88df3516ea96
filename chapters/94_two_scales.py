# %% [markdown]
# # The same book at two scales
#
# Every chapter runs the same cells at 32 pixels, for a minute on one core, or at 64, for a GPU. This
# page holds what both gave side by side. What is arithmetic stays. Training mostly draws better with size
# and time, and where it failed, it fails more plainly. Orders between single runs turn round.
#
# ```{admonition} What you will see
# - what each scale asks for;
# - chapter by chapter: the pictures, the numbers, and what follows.
#
# The large scale was run once, with one seed, on the machine named below the first table, and of an
# earlier state of the book: what changed since is said there. The verdicts
# of {doc}`claims` are those of the small one: there every arm has many seeds.
# ```

# %%
from sagan_lib.book import scales

large = scales.large()
small = {chapter: scales.small(chapter) for chapter in large}

# %% tags=["remove-cell"]
import re

import matplotlib.pyplot as plt
from IPython.display import Markdown

from sagan_lib import shipped
from sagan_lib.book import page


def settings(chapter):
    """(pixels, steps) of both scales, as the chapter's text has them."""
    text = (shipped.root() / "chapters" / f"{chapter}.py").read_text()
    return re.findall(r"\((\d+), \d+, (\d+)\)", re.search(r"at_scale\((.*)\)", text)[1])

# %% tags=["remove-input"]
rows = ["| chapter | small: pixels, steps | core-minutes | large: pixels, steps | minutes | run on |",
        "|---|---|---|---|---|---|"]
for chapter, entry in large.items():
    (size, steps), (large_size, large_steps) = settings(chapter)
    minutes = float(small[chapter][0]["core-seconds"]) / 60
    rows.append(f"| {{doc}}`{chapter}` | {size}, {steps} | {minutes:.1f} "
                f"| {large_size}, {large_steps} | {entry['numbers']['minutes']} | {entry['date']} |")
Markdown("\n".join(rows))

# %% tags=["remove-cell"]
from sagan_lib import cost, dcgan, sagan

made = next(iter(large.values()))
page.glue("large-processor", made["machine"]["processor"])
page.glue("large-cores", made["machine"]["cores"])
page.glue("large-gpus", made["machine"]["gpus"])
page.glue("large-tensorflow", made["versions"]["tensorflow"])
networks = dcgan.generator(64, 16, 64), sagan.discriminator(64, 16, attention_at=None)
most = 4 * int(settings("04_ttur")[1][1]) * cost.plan(*networks, 64, 1).step_flops
page.glue("large-most", most / 1e12, "{:.0f}")
page.glue("large-rate", most / 180 / 1e12, "{:.1f}")
changed = [chapter for chapter in large if scales.newer(chapter)]
assert changed  # the text below says so
page.glue("large-changed", ", ".join(chapter[:2] for chapter in changed))

# %% [markdown]
# The large scale ran on {glue:text}`large-processor:s`, {glue:text}`large-cores:s` cores and
# {glue:text}`large-gpus:s` GPUs, two chapters side by side with one thread each, with TensorFlow
# {glue:text}`large-tensorflow:s`. `make large` does it again, chapter by chapter; a chapter of which
# nothing changed is not run again.
#
# **These results are older than the book.** Since they were made, the code of these chapters changed, or
# the library under it: {glue:text}`large-changed:s`. What the same command gives today may differ. And the
# small scale is not only smaller: it takes fewer steps, shorter batches and, in some chapters, narrower
# networks or other rates. Each chapter's first cells say which.
#
# What would a GPU need? The four runs of chapter {doc}`04_ttur` are the most: {glue:text}`large-most:s`
# trillion operations, counted. A GPU that sustains {glue:text}`large-rate:s` trillion a second trains
# them in three minutes. None was at hand, so no time on one is given.

# %% tags=["remove-cell"]
def show(chapter):
    """A chapter's picture at both scales, the small one above."""
    figure, axes = plt.subplots(2, 1, figsize=(7, 4.6))
    for axis, picture, title in zip(axes, scales.pair(chapter, small[chapter][1]), ("32 pixels", "64 pixels")):
        axis.imshow(picture)
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    figure.tight_layout()
    page.show(f"fig_two_{chapter[:2]}", figure, "jpeg")

# %% tags=["remove-cell"]
def both(chapter, name):
    """A number of a chapter at both scales as it is quoted, the small one first."""
    return small[chapter][0][name], large[chapter]["numbers"][name]


def table(chapter, **names):
    """Numbers of a chapter at both scales, each under its name in words."""
    rows = ["| | 32 pixels | 64 pixels |", "|---|---|---|"]
    for name, words in names.items():
        rows.append(f"| {words} | {' | '.join(both(chapter, name.replace('_', '-')))} |")
    return Markdown("\n".join(rows))

# %% tags=["remove-cell"]
def at(chapter, name):
    """The same two, to reckon with."""
    return [float(text.replace(",", "")) for text in both(chapter, name)]

# %% [markdown]
# ## DCGAN

# %% tags=["remove-cell"]
show("01_dcgan")

# %% [markdown]
# ```{glue:figure} fig_two_01
# :name: fig-two-01
# :alt: Two rows of two grids of generated faces. Above, at 32 pixels, with batch normalization faces and without it blurs. Below, at 64 pixels, with it sharper faces, and without it one and the same pattern of dots everywhere.
#
# Chapter {doc}`01_dcgan`: after training with batch normalization (left) and without (right).
# ```

# %% tags=["remove-input"]
table("01_dcgan", dcgan_seen="combinations among 500 faces, of 250", dcgan_mismatch="unequal eyes, %",
      dcgan_spread="spread, % of the data's", bare_seen="without batch normalization: combinations",
      bare_spread="and spread, %", grad_ratio="first gradient, with over without",
      d_loss_last="D's loss at the end")

# %% tags=["remove-cell"]
for name in ("dcgan-seen", "grad-ratio"):  # as the text says
    assert at("01_dcgan", name)[1] > at("01_dcgan", name)[0]
for name in ("dcgan-mismatch", "bare-seen"):
    assert at("01_dcgan", name)[1] < at("01_dcgan", name)[0]

# %% [markdown]
# **Stays:** batch normalization decides. **Changes:** with it, the longer run on larger pictures shows
# more combinations and fewer unequal eyes. Without it the failure is plainer: one pattern, whatever the
# noise. There is one more layer for the gradient to fade in, and at the start it fades by a larger
# factor.

# %% [markdown]
# ## Spectral normalization

# %% tags=["remove-cell"]
show("02_spectral_norm")

# %% [markdown]
# ```{glue:figure} fig_two_02
# :name: fig-two-02
# :alt: Two rows of two grids of generated faces, at 32 pixels above and at 64 pixels below; right of each trained against a spectrally normalized discriminator.
#
# Chapter {doc}`02_spectral_norm`: $D$ with SN (right); left without it, at 64 pixels with batch
# normalization.
# ```

# %% tags=["remove-input"]
table("02_spectral_norm", sn_kept="error of sigma, u kept, %", sn_fresh="u drawn anew, %",
      slope_SN="slope of D, SN", slope_bound="its guarantee")

# %% tags=["remove-cell"]
kept, fresh = (at("02_spectral_norm", f"sn-{kind}") for kind in ("kept", "fresh"))
assert max(kept) < 10 < min(fresh)  # per cent
slope, bound = (at("02_spectral_norm", f"slope-{kind}") for kind in ("SN", "bound"))
assert all(10 * each < most for each, most in zip(slope, bound))

# %% [markdown]
# **Stays:** the slope of the normalized $D$ is far below its guarantee; one round with a kept $u$ comes
# close. **Changes:** the guarantee, which doubles with one layer more.

# %% [markdown]
# ## Attention

# %% tags=["remove-cell"]
show("03_attention")

# %% [markdown]
# ```{glue:figure} fig_two_03
# :name: fig-two-03
# :alt: Two pairs of curves of gamma in both networks against the training step, at 32 pixels above and at 64 below. On the left the live run, longer below than above; on the right the same long run in both.
#
# Chapter {doc}`03_attention`: the gate in the live run (left) and in the shipped generator's (right).
# ```

# %% tags=["remove-input"]
table("03_attention", live_gamma_g="gamma of G at the end of the live run",
      live_gamma_d="gamma of D", gamma_g="gamma of G, the shipped generator's run", copy_attention="facts carried by one attention layer, %")

# %% tags=["remove-cell"]
opened = [at("03_attention", f"live-gamma-{net}") for net in "gd"]
assert max(abs(short) for short, _ in opened) < max(abs(long) for _, long in opened)

# %% [markdown]
# **Stays:** reach, the map's arithmetic, the shipped generator: they have no scale. **Changes:** in more
# steps the gate opens further.

# %% [markdown]
# ## Two time scales

# %% tags=["remove-cell"]
show("04_ttur")

# %% [markdown]
# ```{glue:figure} fig_two_04
# :name: fig-two-04
# :alt: Two rows of four grids of generated faces, for equal rates, two time scales, five D steps and the rates of the article's text, at 32 pixels above and at 64 below. Above, the grid of five D steps holds no faces; below, all four do.
#
# Chapter {doc}`04_ttur`: four settings of the rates, after equal work.
# ```

# %% tags=["remove-input"]
table("04_ttur", seen_equal="combinations, equal rates", seen_ttur="two time scales", seen_five="five D steps",
      seen_text="the rates of the article's text", price="G steps, one-to-one over five-to-one")

# %% tags=["remove-cell"]
seen = {name: at("04_ttur", f"seen-{name}") for name in ("equal", "ttur", "five", "text")}
assert seen["five"][0] < 20 < 100 < seen["five"][1]
assert all(min(values[k] for values in seen.values()) == seen["five"][k] for k in (0, 1))
assert seen["equal"][0] > seen["ttur"][0]
assert seen["equal"][1] < seen["ttur"][1]
assert len(set(at("04_ttur", "price"))) == 1

# %% [markdown]
# **Stays:** the price, counted in operations, and that five steps of $D$ for one of $G$ come last at equal
# work. **Changes:** at the small scale they have not drawn a face yet, at the large one they are behind. The
# other three change places, which one run of each may do: that is what the seeds of {doc}`claims` are for.

# %% [markdown]
# ## The whole SAGAN

# %% tags=["remove-cell"]
show("05_sagan")

# %% [markdown]
# ```{glue:figure} fig_two_05
# :name: fig-two-05
# :alt: Two blocks of three rows of sixteen generated faces: at 32 pixels above, blotchy; at 64 below, with clear hair, eyes and mouths.
#
# Chapter {doc}`05_sagan`: the first 48 samples of the live run.
# ```

# %% tags=["remove-input"]
table("05_sagan", live_seen="combinations, live run", live_mismatch="unequal eyes, live run, %")

# %% tags=["remove-cell"]
assert at("05_sagan", "live-mismatch")[1] < at("05_sagan", "live-mismatch")[0]
assert at("05_sagan", "live-seen")[1] > at("05_sagan", "live-seen")[0]

# %% [markdown]
# **Stays:** the shipped generator, which is one and has 64 pixels. **Changes:** the longer live run keeps
# the rule of the eyes better, shows more kinds of faces, and draws them sharper.

# %% [markdown]
# ## What came after

# %% tags=["remove-cell"]
show("06_penalties")

# %% [markdown]
# ```{glue:figure} fig_two_06
# :name: fig-two-06
# :alt: Two rows of four grids of generated faces, for SN and hinge, the gradient penalty, R1, and relativistic pairs with R1 and R2, at 32 pixels above and at 64 below.
#
# Chapter {doc}`06_penalties`: four ways to hold $D$, after equal steps.
# ```

# %% tags=["remove-input"]
table("06_penalties", live_seen_sn="combinations, SN and hinge", live_seen_gp="gradient penalty", live_seen_r1="R1",
      live_seen_pairs="pairs, R1 and R2", live_mismatch_sn="unequal eyes, SN and hinge, %",
      live_mismatch_gp="gradient penalty", live_mismatch_r1="R1", live_mismatch_pairs="pairs, R1 and R2")

# %% tags=["remove-cell"]
ways = ("sn", "gp", "r1", "pairs")
few, many = zip(*(at("06_penalties", f"live-seen-{way}") for way in ways))
assert max(few) < 1.25 * min(few)
assert min(many[ways.index(way)] for way in ("gp", "pairs")) > 1.1 * many[0]
best = [min(ways, key=lambda way: at("06_penalties", f"live-mismatch-{way}")[k]) for k in (0, 1)]
assert best == ["r1", "sn"]

# %% [markdown]
# **Stays:** all four draw faces. **Changes:** after the few steps at 32 pixels all show about as many
# combinations; at 64 the gradient penalty and the pairs show more than SN and hinge. And which keeps the
# eyes best: R1 at 32 pixels, where the seeds of the ledger say the same ({doc}`claims`, `sn-r1-eyes`), and
# SN at 64, where there is one run. Whether the claim turns round with size, more seeds would have to say.

# %% [markdown]
# ## What it comes to
#
# - Nothing that the chapters prove (shapes, norms, gradients, maps) depends on the scale.
# - What they measure in training goes the same way at both where the effect is large: batch
#   normalization's gradient, the kept $u$, the price of five steps of $D$.
# - Where one run of each puts two ways in an order, the order turned round more than once. Read such an
#   order as an example, at either scale.

# %% tags=["remove-cell", "nbval-check-output"]
print(*large)
