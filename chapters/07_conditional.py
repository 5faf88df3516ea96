# %% [markdown]
# # Labels: a generator that does as it is told
#
# So far $G$ draws whatever it likes. {cite:t}`zhang2018sagan` draw pictures *of a class*. This chapter tells
# $G$ a label, and $D$, too; then it reads in the faces whether the label was obeyed.
#
# ```{admonition} What you will see
# - how $G$ is told a label, and how $D$ is;
# - a generator trained live that is asked for a colour of hair;
# - what changes with the label when the noise stays, and what wrong labels do;
# - faces to order, in your browser.
# ```
#
# ```{figure} ../_book/static/diagrams/labels.svg
# :name: fig-labels-idea
# :alt: Above, the generator. The label is joined to the noise at its start, or gives every normalization its gain and offset. Below, the discriminator. The label is joined to the image, or becomes a vector whose product with the features is added to the score.
#
# The label's ways into $G$ (above) and $D$ (below). Dashed: joined to the input. Green: this chapter's.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapters {doc}`01_dcgan` and {doc}`02_spectral_norm`. The page takes {glue:text}`core-seconds:s`
# seconds of one core, where it was made. Its live runs are of one seed, at 32 pixels on any hardware: they
# show what can happen.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started = time.perf_counter()
RESOLUTION, WIDTH, BATCH, STEPS, RATES = 32, 16, 16, 240, "sagan_x10"

# %% [markdown]
# ## A label is a vector
#
# Faces have five colours of hair. The label $y$ of a face has a 1 in the place of its own, and 0 elsewhere.

# %% tags=["nbval-check-output"]
import keras
import numpy as np
from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192, label="hair")
HAIR = data.labels.factors["hair"]
print(HAIR, data.numbers[:4, 0], data.labels.vectors(data.numbers[:2]), sep="\n")

# %% [markdown]
# ## Telling G
#
# The oldest way joins $y$ to the noise {cite:p}`mirza2014conditional`: it enters at one place, and all that
# follows has to carry it on.
#
# **Conditional batch normalization** lets it in at every layer: the gain and the offset that follow the
# normalization depend on the label {cite:p}`devries2017modulating`, as they do on a style where each picture is
# normalized by itself {cite:p}`dumoulin2017learned`:
#
# $$
# \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad
# x' = \hat x \, (1 + y^\top\! \Gamma) + y^\top\! B .
# $$ (eq-cbn)
#
# $\Gamma$ and $B$ have a row for each class and a column for each channel. Mean and variance are those of
# the whole batch: of each class it has few.

# %%
def conditional_batch_norm(x, y, gains, offsets, epsilon=1e-3):
    """x (batch, h, w, c), y (batch, classes), tables (classes, c)."""
    hat = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + epsilon)
    return hat * (1 + y @ gains)[:, None, None] + (y @ offsets)[:, None, None]


# %%
from sagan_lib import conditional

rng = np.random.default_rng(0)
x, y = rng.normal(3, 2, (6, 4, 4, 8)), np.eye(5)[[0, 1, 1, 2, 3, 4]]
layer = conditional.ConditionalBatchNormalization()
layer([x, y])
tables = rng.normal(size=(2, 5, 8)).astype("float32")
layer.gains.assign(tables[0])
layer.offsets.assign(tables[1])
ours = conditional_batch_norm(x, y, *tables)
np.testing.assert_allclose(layer([x, y], training=True), ours, atol=1e-4)

# %% [markdown]
# ## Telling D
#
# If $D$ is not told, any good face passes, and $G$ has no reason to obey. The oldest way joins it to the image
# {cite:p}`mirza2014conditional`, here beside each pixel's colours.
#
# **Projection.** {cite:t}`miyato2018projection` ask what the best $D$ would compute. For cross-entropy it is the
# logarithm of how much more often a pair of image and label is real than generated, in two parts:
#
# $$
# \log \frac{p(x, y)}{p_G(x, y)} = \log \frac{p(y \mid x)}{p_G(y \mid x)} + \log \frac{p(x)}{p_G(x)} .
# $$ (eq-two-parts)
#
# The second knows no label: it is the score that $D$ had already, $\psi^\top\!\phi(x)$, with the features
# $\phi$ that its last layer sees. If $p(y \mid x)$ and $p_G(y \mid x)$ are a softmax of these features, the
# first is linear in $y$ and in $\phi$, up to a term that has no $y$. So
#
# $$
# D(x, y) = y^\top V \phi(x) + \psi^\top\!\phi(x) .
# $$ (eq-projection)
#
# $V$ has a row for each class. It is one more matrix, and normalized as every other.

# %%
from sagan_lib import networks

keras.utils.set_random_seed(6)
plain = networks.build("sagan", RESOLUTION, WIDTH, attention_at=None)
G = conditional.generator(plain[0], len(HAIR))
D = conditional.discriminator(plain[1], len(HAIR))

image, y = data.images[:1] / 127.5 - 1, np.eye(5)
features = keras.Model(D.inputs, D.get_layer("score").input)
phi = features([image, y[:1]]).numpy()[0]
V = D.get_layer("label_embedding").kernel.numpy()
of_label = [D([image, y[k : k + 1]]).numpy().item() for k in range(5)]
sigma = np.linalg.svd(V, compute_uv=False)[0]
np.testing.assert_allclose(np.diff(of_label), np.diff(V @ phi) / sigma, rtol=0.1)

# %% [markdown]
# ## Live
#
# `conditional.generator` puts {eq}`eq-cbn` in the place of every batch normalization,
# `conditional.discriminator` adds {eq}`eq-projection` to the score. In each step a generated image gets the
# label of the real image beside it, so a label alone tells $D$ nothing.

# %%
from sagan_lib import ttur

model = conditional.ConditionalGAN(G, D, data.labels, ema_decay=0.99)
model.compile(**ttur.preset(RATES))
trained = [*model.variables, *model.g_optimizer.variables, *model.d_optimizer.variables]
first = [variable.numpy() for variable in trained]  # to begin anew, further down

# %%
from sagan_lib.evaluation import by_class, judge

asked = np.arange(500) % 5


def obedience():
    """The share of 500 faces whose hair is read as the colour that was asked for."""
    reading = judge.read(model.sample(500, label=asked))
    return float(np.mean(reading.hair == asked))

# %%
shares = {0: obedience()}
while (done := int(model.step.numpy())) < STEPS:
    model.fit(data, steps=STEPS // 4, batch_size=BATCH, log_every=STEPS, verbose=0)
    shares[done + STEPS // 4] = obedience()
print({step: f"{share:.0%}" for step, share in shares.items()})

# %% tags=["remove-cell"]
from sagan_lib.book import page, plots

assert shares[STEPS] > 0.8  # as the text says
page.glue("chance", 100 * shares[0], "{:.0f}")
page.glue("obeyed", 100 * shares[STEPS], "{:.0f}")
page.glue("steps", STEPS)

# %% [markdown]
# At first {glue:text}`chance:s` % of the faces have the hair that was asked for: chance, of five colours. After
# {glue:text}`steps:s` steps it is {glue:text}`obeyed:s` %. The faces are far from good by then: hair came
# first.

# %% [markdown]
# ## The same noise under every label
#
# Keep $z$ and change $y$: so one sees what $G$ makes of the label alone.

# %%
rows = np.concatenate([model.sample(6, seed=3, label=k)[:, None] for k in range(5)], 1)
by_label = [judge.read(model.sample(200, seed=3, label=k)) for k in range(5)]
pairs = [(a, b) for a in by_label for b in by_label if a is not b]


def alike(name, shift):
    """How often a factor is the same under two labels; a shift pairs other noises."""
    return np.mean([getattr(a, name) == np.roll(getattr(b, name), shift) for a, b in pairs])


stays = {name: (alike(name, 0), alike(name, 1))
         for name in ("hair", "skin", "background", "left_iris", "long_hair")}
for name, (same, other) in stays.items():
    print(f"{name:10} one noise {same:4.0%}, two noises {other:4.0%}")

# %% tags=["remove-cell"]
page.show("fig_same_noise", plots.pictures(rows.reshape(-1, *rows.shape[2:]), columns=5, width=3.6))
for kind, each in zip(("one", "two"), stays["skin"]):
    page.glue(f"skin-{kind}", 100 * each, "{:.0f}")
assert stays["hair"][0] < 0.1  # as the text says
rest = np.mean([both for name, both in stays.items() if name != "hair"], 0)
assert rest[0] > rest[1] + 0.03
assert stays["skin"][0] > stays["skin"][1] + 0.1

# %% [markdown]
# ```{glue:figure} fig_same_noise
# :name: fig-same-noise
# :alt: Six rows of five generated faces. In a row the noise is the same and the hair goes from black to brown, blond, red and grey.
#
# One noise in each row, the five labels in its columns, after {glue:text}`steps:s` steps. Nothing picked.
# ```
#
# The hair changes. More of the rest stays than two noises would have in common: the skin is the same in
# {glue:text}`skin-one:s` % of the pairs, and in {glue:text}`skin-two:s` % where the noise differs, too. Nobody
# asked for that: all classes share $G$'s layers, and only gains and offsets differ.

# %% [markdown]
# ## Scores by class
#
# A Fréchet distance of all faces does not see a $G$ that ignores its labels. So the papers give the mean over
# classes of the distance *within* each {cite:p}`miyato2018projection,zhang2018sagan`. Beside each value stands
# what real faces score in the place of generated ones, the floor.

# %%
from sagan_lib.evaluation import scores

real, held_out = data.held_out(600, 600)
numbers = data.held_out_numbers(600, 600)
fakes = model.sample(600, label=numbers[1])
found = by_class.evaluate(fakes, real, held_out, *numbers, data.labels, scores.extractor("judge"))
for name in ("obedience", "intra_frechet", "worst_class", "spread"):
    print(f"{name:14}", {k: v if k == "class" else round(v, 2) for k, v in found[name].items()})

# %% tags=["remove-cell"]
assert found["spread"]["value"] < 0.8  # as the text says
assert found["intra_frechet"]["value"] > 3 * found["intra_frechet"]["real"]
page.glue("intra_frechet-value", found["intra_frechet"]["value"], "{:.0f}")
page.glue("intra_frechet-real", found["intra_frechet"]["real"], "{:.0f}")
page.glue("spread-value", found["spread"]["value"], "{:.1f}")

# %% [markdown]
# The mean distance within a class is {glue:text}`intra_frechet-value:s`, its floor
# {glue:text}`intra_frechet-real:s`, and the variance of a class's features is {glue:text}`spread-value:s` times
# that of real faces: too few kinds of faces. A label can be obeyed to the last face, and the faces be poor.
#
# Without labels $G$ may lose whole groups of the data; the {doc}`playground` counts them. A class that is
# obeyed cannot go missing, but kinds within it can.

# %% [markdown]
# ## Labels that are wrong
#
# Labels of photographs are wrong now and then. Here a known share is made wrong, at random, and the same
# networks begin again.

# %%
right = data.numbers.copy()


def with_wrong(share):
    """Train anew where this share of the labels names another colour."""
    wrong = np.random.default_rng(1).random(data.size) < share
    others = np.random.default_rng(2).integers(1, 5, (data.size, 1))
    data.numbers = np.where(wrong[:, None], (right + others) % 5, right)
    for variable, value in zip(trained, first):
        variable.assign(value)
    model.fit(data, steps=STEPS * 3 // 4, batch_size=BATCH, log_every=STEPS, verbose=0)
    return obedience()

# %%
by_share = {0.0: shares[STEPS * 3 // 4]} | {share: with_wrong(share) for share in (0.1, 0.5)}
data.numbers = right
for share, obeyed in by_share.items():
    print(f"{share:4.0%} wrong: {obeyed:.0%} obeyed")

# %% tags=["remove-cell"]
for share, obeyed in by_share.items():
    page.glue(f"wrong-{100 * share:.0f}", 100 * obeyed, "{:.0f}")
    assert obeyed < 1 - share  # as the text says
page.glue("wrong-steps", STEPS * 3 // 4)

# %% [markdown]
# | labels that are wrong, % | a perfect $G$, % | hair as asked for, after {glue:text}`wrong-steps:s` steps, % |
# |---|---|---|
# | 0 | 100 | {glue:text}`wrong-0:s` |
# | 10 | 90 | {glue:text}`wrong-10:s` |
# | 50 | 50 | {glue:text}`wrong-50:s` |
#
# Colours and mistakes being even, these are a perfect $G$'s shares: a target, no bound. A $G$ that drops the rare,
# wrong kinds obeys more. After so few steps each row lies below its target. {cite:t}`kaneko2019label` build what is
# known of the mistakes into $D$.

# %% [markdown]
# ## Over seeds
#
# The same as fair trials: hair as the label, SN, each side at its own best rates ({doc}`claims`).

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import answers, figures, trials

store = trials.open_store()
judged = answers.answered(store, "07_conditional")
page.show("fig_label_seeds", figures.forest(judged))
SIDES = {"cbn": "sn_hair", "join": "sn_hair_join", "beside": "sn_hair_concatenate", "none": "sn"}
seeds, ends = judged["label-projection"].values, {}
for name, side in SIDES.items():
    runs = store.seeds("arms", trials.best(side, store))
    ends[name] = [float(np.exp(trials.quality(runs[seed]))) for seed in seeds]
    page.glue(f"ends-{name}", f"{min(ends[name]):.0f} and {max(ends[name]):.0f}")
    if side != "sn":
        obeyed = min(runs[seed]["obeyed"] for seed in seeds)
        assert obeyed > 0.99  # as the text says
assert judged["label-variety"].verdict == "holds"
assert {judged[f"label{name}"].verdict for name in ("", "-projection", "-normalization")} == {"does not hold"}
for name, wins in {"none": len(seeds), "cbn": len(seeds) - 1, "beside": len(seeds) - 1}.items():
    assert sum(join < other for join, other in zip(ends["join"], ends[name])) == wins
faster, attends = judged["label-ttur"], judged["label-attention"]
assert faster.verdict == attends.verdict == "undecided"
assert min(faster.values.values()) > 0 > attends.mean
page.glue("label-faster", np.exp(faster.mean), "{:.1f}")
page.glue("label-attends", np.exp(-attends.mean), "{:.1f}")
page.glue("label-seeds", len(seeds))

# %% [markdown]
# ```{glue:figure} fig_label_seeds
# :name: fig-label-seeds
# :alt: Sentences, each above a row of dots and a bar, with its verdict below.
#
# Dot: a seed. Bar: 98.3 % interval of the mean. In the grey band no difference is worth naming: there *as many* is
# right; the other sentences are where the bar is wholly right of it.
# ```
#
# **Every way is obeyed**: in all runs at least 99 % of the faces have the hair asked for. With this chapter's way as many
# combinations appear as without labels.
#
# **SAGAN's way makes no better faces here.** Over {glue:text}`label-seeds:s` seeds this chapter's GAN ends between
# {glue:text}`ends-cbn:s`, without any label between {glue:text}`ends-none:s`. With the label beside the colours of $D$, in
# place of the projection, it ends between {glue:text}`ends-beside:s`.
#
# **The oldest way to tell $G$ did best**: with the label joined to the noise, in place of conditional batch
# normalization (`how="join"`; `--tell-g join`), it ends between {glue:text}`ends-join:s`: in every seed below the run without a label, in
# all but one below each of the others. That it is the best of all was not asked beforehand; that conditional batch
# normalization is better does not hold.
#
# **The paper's setting is undecided**: at four times $G$'s rate $D$ did better in all five seeds, by
# {glue:text}`label-faster:s` times on average; with attention the distance was {glue:text}`label-attends:s` times as
# large.

# %% [markdown]
# (order-a-face)=
# ## Order a face
#
# Labels can be joined: one vector with a 1 for each of hair, skin, background, iris and length of hair. A generator
# that is told all five comes with the book.

# %%
from sagan_lib.cli import publish

to_order = publish.published("order32")
order = {"hair": "red", "skin": "tan", "background": "sky", "iris": "green", "long_hair": "long"}
made = to_order.sample(8, seed=1, label=order)

# %% tags=["remove-input"]
page.touch("order", {"labels": to_order.labels.factors, "first": order},
           plots.pictures([made], columns=8, titles=[""]),
           "eight generated faces in a row, ordered with long red hair, tan skin and green eyes before a blue sky")

# %% [markdown]
# In the built book it runs in your browser, and beside each face stands what the judge reads of it. Try one
# change at a time: the noise stays, so what else changes with the hair?

# %% tags=["remove-cell", "ledger"]
import json

long_run = json.loads(publish.results("order32").read_text())
measured = long_run["scores"]
page.glue("order-count", measured["protocol"]["fake"], "{:,}")
page.glue("order-steps", long_run["step"], "{:,}")
page.glue("order-obeyed", 100 * measured["obedience"]["value"], "{:.1f}")
for name in ("frechet", "intra_frechet"):
    for kind in ("value", "real"):
        page.glue(f"order-{name}-{kind}", measured[name][kind], "{:.0f}")

# %% [markdown]
# Of {glue:text}`order-count:s` faces, ordered with the labels of as many real ones,
# {glue:text}`order-obeyed:s` % are read as ordered in all five. Their Fréchet distance is
# {glue:text}`order-frechet-value:s`, and {glue:text}`order-intra_frechet-value:s` within a class; the floors are
# {glue:text}`order-frechet-real:s` and {glue:text}`order-intra_frechet-real:s`. That is one run of
# {glue:text}`order-steps:s` steps.

# %% [markdown]
# ## Where it went
#
# **SAGAN** tells both networks in this way {cite:p}`zhang2018sagan`. **BigGAN** shares one embedding of
# the labels among all layers of $G$ {cite:p}`brock2018biggan`. **StyleGAN** lets the noise itself give every
# layer its gain and offset {cite:p}`karras2019style`. **Diffusion models** are told the label at their
# normalizations, too {cite:p}`dhariwal2021diffusion`, or step from the picture without it past the one with it
# {cite:p}`ho2022guidance`.

# %% [markdown]
# ## Summary
#
# - $G$ obeys a label only because $D$ is told it, too.
# - Conditional batch normalization lets the label into every layer; the projection adds one product to the
#   score.
# - Obedience can be read in drawn faces, and says nothing about their quality.
# - Wrong labels lower what a perfect $G$ obeys; these short runs fell short of even that.
# - Trained for longer every way is obeyed; this chapter's shows as many combinations as without labels, and makes no
#   better faces. A label joined to the noise ended best.

# %% [markdown]
# ## Exercises
#
# ```{exercise} One class
# :label: ex-conditional-one
#
# There is a single class. What do {eq}`eq-cbn` and {eq}`eq-projection` become?
# ```
#
# ```{solution} ex-conditional-one
# :class: dropdown
#
# $y = 1$ always, so {eq}`eq-cbn` is batch normalization with $\gamma = 1 + \Gamma$ and $\beta = B$, and
# {eq}`eq-projection` is a score with the weights $\psi + V^\top$: nothing is new.
# ```
#
# ```{exercise} D is told, G is not
# :label: ex-conditional-half
#
# $G$ is not told the label, but $D$ sees its images with labels drawn at random. What does $G$ learn? And if
# $G$ is told, but $D$ is not?
# ```
#
# ```{solution} ex-conditional-half
# :class: dropdown
#
# First, with classes equally frequent, $G$ can do no better than draw the data as a whole. In the
# second $G$ may use the label as it likes, as noise of five values. Nothing ties it to hair.
# ```
#
# ```{exercise} Another factor
# :label: ex-conditional-iris
#
# Train on `label="iris"`. How many steps does it take to the obedience that hair had? Why?
# ```
#
# ```{solution} ex-conditional-iris
# :class: dropdown
#
# Probably more: hair is a large surface, an iris a few pixels, and both must have the colour to count. Take
# `faces.Faces(32, label="iris")`, and `by_class.obedience` for the reading.
# ```

# %% [markdown]
# ## Problem set
#
# Problem set 5 goes on from here: the projection, conditional batch normalization and the scores of
# obedience, written by you and tested, and an experiment whose answer is not in the book
# ({doc}`problem_sets`).

# %% tags=["remove-cell"]
page.took(started)
