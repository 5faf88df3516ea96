# %% [markdown]
# # Labels: a generator that does as it is told
#
# So far $G$ draws whatever it likes. SAGAN's paper is about something else: pictures *of a class*. This
# chapter tells $G$ a label and $D$, too, and then reads in the faces whether the label was obeyed.
#
# ```{admonition} What you will see
# - two ways to tell $G$ a label, and two to tell $D$, and what happens if it is not told;
# - a generator trained live that is asked for a colour of hair;
# - what changes with the label when the noise stays, and what should not;
# - what labels that are wrong do.
# ```
#
# ```{figure} ../_book/static/diagrams/labels.svg
# :name: fig-labels-idea
# :alt: Above, the generator as a row of layers with a normalization after each. The label is joined to the noise at its start, or gives every normalization its gain and offset. Below, the discriminator. The label is joined to the image at its start, or is turned into a vector whose product with the features is added to the score.
#
# The label's ways into $G$ (above) and $D$ (below). Dashed: joined to the input. Green: this chapter's.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need chapters {doc}`01_dcgan` and {doc}`02_spectral_norm`. The page takes {glue:text}`core-seconds:s`
# seconds of one core, where it was made. Its pictures come from live runs of one seed, on faces of 32
# pixels: they show what happens, and prove nothing about other scales.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started = time.perf_counter()
RESOLUTION, WIDTH, BATCH, STEPS, RATES = 32, 16, 16, 240, "article_text"

# %% [markdown]
# ## A label is a vector
#
# Faces have five colours of hair. The label $y$ of a face has a 1 in the place of its own, and 0 elsewhere.
# Several factors at once are such vectors side by side, and a mixture of two labels is a vector between
# them.

# %%
import keras
import numpy as np

from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192, label="hair")
HAIR = data.labels.factors["hair"]
print(HAIR, data.numbers[:4, 0], data.labels.vectors(data.numbers[:2]), sep="\n")

# %% [markdown]
# ## Telling G
#
# **Joined to the noise.** The oldest way: $G$ gets $z$ and $y$ side by side {cite:p}`mirza2014conditional`.
# The label enters at one place, and all that follows has to carry it on.
#
# **Conditional batch normalization.** Batch normalization takes the mean out of every channel, divides by
# the deviation, and then gives each channel a gain and an offset of its own. Let these depend on the label
# {cite:p}`dumoulin2017learned,devries2017modulating`, and it enters at every layer:
#
# $$
# \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad
# x' = \hat x \, (1 + y^\top\! \Gamma) + y^\top\! B .
# $$ (eq-cbn)
#
# $\Gamma$ and $B$ have a row for each class and a column for each channel. Mean and variance are those of
# the whole batch, not of each class: a batch has few of each, and moments by class would wipe out what
# earlier layers had drawn differently for it.

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
# **Not at all.** Then any good face passes, whatever was asked for, and $G$ has no reason to obey.
#
# **Joined to the image.** The label is laid beside the colours of every pixel, as further channels
# {cite:p}`mirza2014conditional`. $D$ has to find out by itself what it has to do with the picture.
#
# **Projection.** {cite:t}`miyato2018projection` ask what the best $D$ would compute. Up to a function, it is
# the logarithm of how much more often a pair of image and label is real than generated, and that falls into
# two parts:
#
# $$
# \log \frac{p(x, y)}{p_G(x, y)} = \log \frac{p(y \mid x)}{p_G(y \mid x)} + \log \frac{p(x)}{p_G(x)} .
# $$ (eq-two-parts)
#
# The second does not know the label: it is the score that $D$ had already, $\psi^\top\!\phi(x)$, with
# the features $\phi$ that its last layer sees. If both conditionals of the first are a softmax of the same
# features, what is left of it is linear in $y$ and in $\phi$ (and a term that joins the second). So
#
# $$
# D(x, y) = y^\top V \phi(x) + \psi^\top\!\phi(x) .
# $$ (eq-projection)
#
# $V$ has a row for each class: $D$'s idea of its features. It is one more matrix, and normalized as every
# other.

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
# The networks are those of the earlier chapters, told a label: `conditional.generator` puts {eq}`eq-cbn` in
# the place of every batch normalization, `conditional.discriminator` adds {eq}`eq-projection` to the score.
#
# ## Live
#
# In each step a generated image gets the label of the real image beside it. So both have the same labels,
# and $D$ can tell nothing from a label alone.

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
page.show("fig_by_label", plots.pictures(
    [model.sample(8, seed=k, label=k) for k in range(5)], columns=2, titles=list(HAIR)))

# %% [markdown]
# ```{glue:figure} fig_by_label
# :name: fig-by-label
# :alt: Five grids of eight generated faces, asked for with black, brown, blond, red and grey hair.
#
# Eight faces of each label after {glue:text}`steps:s` steps of 16 images. Nothing picked.
# ```
#
# At first {glue:text}`chance:s` % of the faces have the hair that was asked for, as one in five would by
# chance; after {glue:text}`steps:s` steps it is {glue:text}`obeyed:s` %. The faces themselves are far from
# good by then: here the colour of the hair came before the rest.

# %% [markdown]
# ## The same noise under every label
#
# Keep $z$ and change $y$. What $G$ makes of the label alone is then seen in a row.

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
for name, both in stays.items():
    for kind, each in zip(("one", "two"), both):
        page.glue(f"{name}-{kind}", 100 * each, "{:.0f}")
assert stays["hair"][0] < 0.1  # as the text says
assert all(one > two for name, (one, two) in stays.items() if name != "hair")

# %% [markdown]
# ```{glue:figure} fig_same_noise
# :name: fig-same-noise
# :alt: Six rows of five generated faces. In a row the noise is the same and the hair goes from black to brown, blond, red and grey.
#
# One noise in each row, the five labels in its columns.
# ```
#
# The hair changes. Of what the label does not name, more stays than two noises would have in common:
#
# | alike under two labels, % | one noise | two noises |
# |---|---|---|
# | hair | {glue:text}`hair-one:s` | {glue:text}`hair-two:s` |
# | skin | {glue:text}`skin-one:s` | {glue:text}`skin-two:s` |
# | background | {glue:text}`background-one:s` | {glue:text}`background-two:s` |
# | left iris | {glue:text}`left_iris-one:s` | {glue:text}`left_iris-two:s` |
# | length of hair | {glue:text}`long_hair-one:s` | {glue:text}`long_hair-two:s` |
#
# Nobody asked $G$ for that: its layers are shared by all classes, and only their gains and offsets differ.

# %% [markdown]
# ## From label to label
#
# A label need not be one of the five. Between black and blond lie vectors that no training ever had.

# %%
from sagan_lib.sampling import latent

share = np.linspace(0, 1, 8, dtype="float32")[:, None]
mixed = (1 - share) * data.labels.vectors([0]) + share * data.labels.vectors([2])
noises = [np.repeat(latent(1, model.latent_dim, seed), 8, 0) for seed in (1, 2, 3)]
walks = [model([z, mixed]).numpy() for z in noises]

# %% tags=["remove-cell"]
page.show("fig_walk", plots.pictures(np.concatenate(walks), columns=8, width=5.5))

# %% [markdown]
# ```{glue:figure} fig_walk
# :name: fig-label-walk
# :alt: Three rows of eight generated faces of one noise each, from a label of black hair at the left to one of blond hair at the right.
#
# Three noises, each from black to blond by mixing both labels.
# ```
#
# {cite:t}`miyato2018projection` walk from class to class in this way. By {eq}`eq-cbn` a mixed label has the
# mixed gains and offsets; whether the pictures between are faces, no loss has asked.

# %% [markdown]
# ## Scores by class
#
# A Fréchet distance of all faces together does not see a $G$ that ignores its labels. So SAGAN's paper,
# as {cite:t}`miyato2018projection` before it, gives the mean over classes of the distance *within* each
# {cite:p}`zhang2018sagan`. Here obedience can be read as well, and whether the other factors keep out of
# it: in the data they are independent of the hair.

# %%
from sagan_lib.evaluation import scores

real, held_out = data.held_out(600, 600)
numbers = data.held_out_numbers(600, 600)
fakes = model.sample(600, label=numbers[1])
found = by_class.evaluate(fakes, real, held_out, *numbers, data.labels, scores.extractor("judge"))
for name in ("obedience", "intra_frechet", "worst_class", "spread"):
    print(f"{name:14}", {k: v if k == "class" else round(v, 2) for k, v in found[name].items()})
for name, each in found["dependence"]["hair"].items():
    print(f"hair and {name:11}", {k: round(v, 2) for k, v in each.items()})

# %% tags=["remove-cell"]
for name, form in (("intra_frechet", "{:.0f}"), ("spread", "{:.2f}"), ("obedience", "{:.2f}")):
    page.glue(f"{name}-value", found[name]["value"], form)
    page.glue(f"{name}-real", found[name]["real"], form)
assert found["spread"]["value"] < 0.8  # as the text says
assert found["intra_frechet"]["value"] > 3 * found["intra_frechet"]["real"]
page.glue("worst-class", found["worst_class"]["class"].removeprefix("hair="))
dependent = {k: v["value"] for k, v in found["dependence"]["hair"].items()}
page.glue("most-dependent", max(dependent, key=dependent.get).replace("_", " "))
page.glue("dependence-value", max(dependent.values()), "{:.2f}")
page.glue("dependence-real", found["dependence"]["hair"][max(dependent, key=dependent.get)]["real"], "{:.2f}")

# %% [markdown]
# Beside each value stands what real faces score in the place of generated ones: the floor. The mean distance
# within a class is {glue:text}`intra_frechet-value:s`, its floor {glue:text}`intra_frechet-real:s`; the worst
# class is {glue:text}`worst-class:s`. The features of a class spread {glue:text}`spread-value:s` times as
# far as those of real faces: there are too few kinds of faces in it. So a label can be obeyed to the last
# face, and the faces be poor: one score does not stand for the other.
#
# The last rows are Cramér's $V$ between the label and what else is read in the face: 0 where the label
# tells nothing of it, 1 where it tells all. The largest is that of {glue:text}`most-dependent:s`,
# {glue:text}`dependence-value:s`; with as many real faces chance gives {glue:text}`dependence-real:s`. What
# lies well above that was not in the data: with few kinds of faces, each class has its own.

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
by_share = {0.0: shares[STEPS * 3 // 4]} | {share: with_wrong(share) for share in (0.1, 0.3, 0.5)}
data.numbers = right
for share, obeyed in by_share.items():
    print(f"{share:4.0%} wrong: {obeyed:.0%} obeyed")

# %% tags=["remove-cell"]
for share, obeyed in by_share.items():
    page.glue(f"wrong-{100 * share:.0f}", 100 * obeyed, "{:.0f}")
    assert obeyed < 1 - share + 0.03  # as the text says
page.glue("wrong-steps", STEPS * 3 // 4)

# %% [markdown]
# | labels that are wrong, % | a perfect $G$, % | hair as asked for, after {glue:text}`wrong-steps:s` steps, % |
# |---|---|---|
# | 0 | 100 | {glue:text}`wrong-0:s` |
# | 10 | 90 | {glue:text}`wrong-10:s` |
# | 30 | 70 | {glue:text}`wrong-30:s` |
# | 50 | 50 | {glue:text}`wrong-50:s` |
#
# A perfect $G$ learns what it is shown: where half of the labels are wrong, every second face of a class
# has other hair, in the data and so in what is drawn. It cannot know which half is meant. After so few steps
# each row lies below that. A label that is often wrong tells $D$ less, and perhaps $G$ only learns it
# later; a longer run would tell.
# {cite:t}`kaneko2019label` build what is known of the mistakes into $D$.

# %% [markdown]
# ## Where it went
#
# - **SAGAN** is this chapter's pair with attention: conditional batch normalization in $G$, a projection in
#   $D$ {cite:p}`zhang2018sagan`.
# - **BigGAN** shares one embedding of the labels among all layers of $G$, and joins it with parts of the
#   noise {cite:p}`brock2018biggan`.
# - **StyleGAN** lets the noise itself give every layer its gain and offset {cite:p}`karras2019style`.
# - **Diffusion models** tell their one network the label in the same way, at its normalizations, and then
#   push harder: by the gradient of a classifier {cite:p}`dhariwal2021diffusion`, or by going further from
#   what the network draws without a label towards what it draws with it {cite:p}`ho2022guidance`.

# %% [markdown]
# ## Summary
#
# - $G$ obeys a label only because $D$ is told it, too.
# - Conditional batch normalization lets the label into every layer; the projection adds one product to the
#   score.
# - With drawn faces obedience is read, and so is what else the label drags along.
# - Wrong labels set a ceiling to obedience; in these short runs it stayed below that.

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
# $G$ is not told the label, but its images are shown to $D$ with labels drawn at random. What does $G$
# learn? And if $G$ is told, but $D$ is not?
# ```
#
# ```{solution} ex-conditional-half
# :class: dropdown
#
# In the first case $G$ can do no better than draw the data as a whole: the label is right by chance, and $D$
# sees that it often is not. In the second $G$ may use the label as it likes; with conditional batch
# normalization it is noise of five values. Nothing ties it to hair.
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
# Probably more: hair is a large surface at a place of its own, an iris a few pixels, and both must have the colour
# to count. `faces.Faces(32, label="iris")`, and `by_class.obedience` for the reading.
# ```

# %% tags=["remove-cell"]
page.took(started)

# %% tags=["nbval-check-output"]
print(conditional.TELL_G, conditional.TELL_D, HAIR)
