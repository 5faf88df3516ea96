# %% [markdown]
# # DCGAN: rules that keep the game going
#
# A generative adversarial network is two networks with opposite goals. Left alone they rarely
# settle. DCGAN {cite:p}`radford2015dcgan` was the first recipe of plain architectural rules under
# which, most of the time, they do.
#
# ```{admonition} What you will see
# - the game and its two losses, and why one of them is not used as written;
# - a DCGAN that learns to draw faces in front of you;
# - DCGAN's rules one by one, with the gradient measured where a rule is said to help it;
# - mode collapse: what it is, and how to count it.
# ```
#
# ```{figure} ../_book/static/diagrams/game.svg
# :name: fig-game
# :alt: A loop. Noise goes into the generator G, which draws an image. The discriminator D gets that image and a real one and gives a score. From the score one arrow leads back to D, which learns to tell them apart, and one to G, which learns to make its score high.
#
# The game. $G$ never sees a real image: all that it learns comes back through $D$.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need convolutions, gradients and a first idea of Keras. The page takes
# {glue:text}`core-seconds:s` seconds of one core, where it was made. Its verdicts hold for one scale:
# {glue:text}`scale:s`.
# What it gives at 64 pixels is in {doc}`94_two_scales`.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 400), (64, 16, 2000))
BATCH = 32 if SCALE == "cpu" else 64

# %% [markdown]
# The chapter chooses its scale by the hardware it finds: 32 pixels on a CPU, 64 on a GPU. The
# variable `SAGAN_SCALE` overrules it. The cell below builds the two networks and says what their
# training will take here.

# %%
import keras

from sagan_lib import dcgan, gan, ttur

keras.utils.set_random_seed(1)
generator = dcgan.generator(RESOLUTION, WIDTH, latent_dim=64)
discriminator = dcgan.discriminator(RESOLUTION, WIDTH)
model = gan.GAN(generator, discriminator, ema_decay=0.99)
model.compile(**ttur.preset("dcgan"), loss="bce")
print(f"scale {SCALE}: {STEPS} steps; {model.plan(BATCH, STEPS)}")

# %% [markdown]
# ## What it is for
#
# A network that can draw from a distribution has many uses. The article names some: made-up data
# where real data are few, features for other tasks {cite:p}`radford2015dcgan`, learning with few
# labels {cite:p}`salimans2016improved`, larger pictures from small ones {cite:p}`ledig2017srgan`,
# pictures from a sentence {cite:p}`reed2016text`.
#
# All of them need a training that ends well. That is what this book is about.

# %% [markdown]
# ## Data whose truth is known
#
# The book trains on faces that it draws itself. Each face is made from thirteen factors, such as
# hair colour, skin, tilt and smile, and the factors are a pure function of the face's number.
#
# One rule holds for all of them: **the left iris has the colour of the right one**. The eyes are a
# quarter of the picture apart, so whoever draws faces well must carry a colour across it. The rule
# will tell us, from chapter to chapter, what a network understood.

# %%
from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192)
record = data.factors()
real = data.images[:2000] / 127.5 - 1
print(f"{data.size} faces; face 0 has hair {record.hair[0]}, skin {record.skin[0]},",
      f"irises {record.left_iris[0]} and {record.right_iris[0]}")

# %% tags=["remove-cell"]
from sagan_lib.book import page, plots

page.show("fig_faces", plots.pictures(real[:32], columns=16))

# %% [markdown]
# ```{glue:figure} fig_faces
# :name: fig-faces
# :alt: Thirty-two cartoon faces with different hair, skin and background colours; in each face both irises have the same colour.
#
# The first 32 faces of the embedded data set, at the resolution that the networks see.
# ```

# %% [markdown]
# Hair, skin, background and hair length alone give hundreds of combinations. The set shows all of
# them, about equally often. A good generator should too.

# %% tags=["nbval-check-output"]
from sagan_lib.evaluation import judge

combinations, possible = judge.coverage(record)
print(f"{combinations} of {possible} attribute combinations are in the data")
assert (record.left_iris == record.right_iris).all()

# %% [markdown]
# ## The game
#
# Play it first, on points in place of faces. Orange points are real, blue ones are $G$'s; the ground is $D$'s
# opinion, orange where it says *real*; the arrows are all that $G$ gets to know. Press *Play*.
#
# <div class="touch" data-touch="playground"><p class="touch-still">In the built book, where scripts run, a GAN trains here.</p><script type="application/json">{"setting": "data=ring"}</script></div>
#
# The {doc}`playground` has all switches, and lessons: *Minimax stops* is the weak spot below.
#
# The generator $G$ turns noise $z$ into an image. The discriminator $D$ gives an image a score
# $s$, high if it takes it for a real one; $\sigma(s)$ is then its probability of being real.
# {cite:t}`goodfellow2014gan` let them play for one number:
#
# $$
# \min_G \max_D \; \mathbb{E}_{x}\bigl[\log \sigma(D(x))\bigr]
#   + \mathbb{E}_{z}\bigl[\log\bigl(1 - \sigma(D(G(z)))\bigr)\bigr] .
# $$ (eq-gan)
#
# $D$ is an ordinary classifier of real against fake. $G$ never sees a real image: all it learns
# comes through the gradient of $D$.
#
# That gradient is the weak spot. Early in training $D$ is sure of the fakes, so $s$ is very
# negative, and there $\log(1 - \sigma(s))$ is flat. The same paper proposes to maximise
# $\log \sigma(s)$ instead, the *non-saturating* loss: it has the same fixed point, and its slope
# is largest where $G$ is worst.

# %%
import numpy as np
import tensorflow as tf

from sagan_lib import losses

scores = tf.Variable(np.linspace(-8, 8, 161, dtype="float32"))
slopes = {}
for name in ("minimax", "bce", "hinge"):
    with tf.GradientTape() as tape:
        loss = tf.add_n([losses.get(name)[1](s[None, None]) for s in tf.unstack(scores)])
    slopes[name] = -tape.gradient(loss, scores).numpy()

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6, 2.6))
labels = {"minimax": "minimax, saturates", "bce": "non-saturating", "hinge": "hinge (chapter 2 on)"}
for colour, (name, slope) in zip(plots.COLOURS, slopes.items()):
    axis.plot(scores.numpy(), slope, color=colour, label=labels[name])
axis.set_xlabel("score that D gives a fake")
axis.set_ylabel("push on the score")
axis.legend(fontsize=8)
axis.grid(alpha=0.3)
page.show("fig_losses", figure)

# %% [markdown]
# ```{glue:figure} fig_losses
# :name: fig-losses
# :alt: Three curves of gradient against score. The minimax curve is near zero for negative scores and rises to one; the non-saturating curve is its mirror image; the hinge curve is constant at one.
#
# How strongly each loss of $G$ pushes the score of a fake upwards. Where $D$ is sure (left), the
# minimax loss of {eq}`eq-gan` pushes least.
# ```

# %% tags=["remove-cell"]
page.glue("push-minimax", slopes["minimax"][20], "{:.4f}")
page.glue("push-bce", slopes["bce"][20], "{:.4f}")

# %% [markdown]
# At a score of $-6$ the minimax loss pushes with {glue:text}`push-minimax:s`, the non-saturating
# one with {glue:text}`push-bce:s`.

# %% [markdown]
# ### Where it should end
#
# The article hopes for a *Nash equilibrium*: a pair $(G, D)$ from which neither player gains by
# moving alone. What does such a pair look like?
#
# Hold $G$ fixed. Let $p(x)$ be the density of the data and $q(x)$ that of the fakes. At each $x$,
# $D$ chooses $d = \sigma(D(x))$ to make $p \log d + q \log(1 - d)$ large. The derivative vanishes at
#
# $$
# d^*(x) = \frac{p(x)}{p(x) + q(x)}, \qquad \text{that is,} \qquad D^*(x) = \log p(x) - \log q(x) .
# $$ (eq-best-d)
#
# Put this into {eq}`eq-gan`. What is left for $G$ to make small is
#
# $$
# 2\,\mathrm{JSD}(p, q) - \log 4, \qquad
# \mathrm{JSD}(p, q) = \tfrac12 \mathrm{KL}\bigl(p \,\Vert\, \tfrac{p + q}{2}\bigr)
#                    + \tfrac12 \mathrm{KL}\bigl(q \,\Vert\, \tfrac{p + q}{2}\bigr) .
# $$ (eq-jsd)
#
# The Jensen-Shannon divergence is 0 only if $p = q$. So the equilibrium is a $G$ that draws the data's
# distribution, and a $D$ that says "one half" everywhere {cite:p}`goodfellow2014gan`. The cell below
# lets a free $D$ learn on five points, and holds it against both formulas.

# %%
p = np.array([0.1, 0.2, 0.4, 0.2, 0.1], "float32")
q = np.array([0.3, 0.3, 0.2, 0.1, 0.1], "float32")
free, adam = tf.Variable(tf.zeros(5)), keras.optimizers.Adam(0.1)
for _ in range(300):
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(p * tf.math.log_sigmoid(free) + q * tf.math.log_sigmoid(-free))
    adam.apply([-tape.gradient(value, free)], [free])

jsd = sum(np.sum(a * np.log(2 * a / (p + q))) for a in (p, q)) / 2
np.testing.assert_allclose(free, np.log(p / q), atol=1e-3)
np.testing.assert_allclose(value, 2 * jsd - np.log(4), atol=1e-5)
print("D learned", np.round(free.numpy(), 2), "and the game is worth", round(float(value), 3))

# %% [markdown]
# This is the theory, for a $D$ that may be any function and is always at its best. A network is
# neither. Whether *training* reaches such a pair is another question, and the rest of the book.

# %% [markdown]
# ## DCGAN's rules
#
# The paper's rules. `sagan_lib.dcgan` keeps them all, with 4x4 kernels as in the article's code
# where the paper has 5x5:
#
# 1. strided convolutions instead of pooling, transposed ones to go up;
# 2. batch normalization in both networks, except at $G$'s output and $D$'s input;
# 3. no dense layers in between;
# 4. ReLU in $G$, with tanh at the end;
# 5. leaky ReLU of slope 0.2 in $D$;
# 6. weights that start from a normal of deviation 0.02;
# 7. Adam {cite:p}`kingma2014adam` with rate 0.0002 and $\beta_1 = 0.5$.
#
# The networks mirror each other. Each time the picture's side doubles, the channels halve.
#
# ```{figure} ../_book/static/diagrams/networks.svg
# :name: fig-networks
# :alt: Blocks for the feature maps of both networks, as tall as their side and as wide as their channels. In G they grow from 4x4 with 128 channels to a picture of 32x32 with 3; in D they shrink again to 4x4 with 128, and a dense layer gives the score.
#
# DCGAN's two networks at 32 pixels and width 16: taller is a larger map, wider is more channels.
# ```

# %%
for layer in generator.layers:
    if layer.name.startswith(("project", "reshape", "up", "to_rgb")):
        print(f"{layer.name:10} {tuple(layer.output.shape[1:])}")
side = RESOLUTION // 2
assert generator.get_layer(f"up{side}").output.shape[1:] == (side, side, 2 * WIDTH)
assert discriminator.get_layer("down4").output.shape[1] == 4
assert generator.output_shape == discriminator.input_shape

# %% [markdown]
# A convolution has one small kernel and uses it at every place. So its weights are few, and what it
# has learned in one corner it knows in all. A stack of them is a hierarchy: what one layer has found the
# next one combines, and each sees more of the picture than the one before ({doc}`03_attention` shows how
# much).

# %% tags=["nbval-check-output"]
shared = int(np.prod(discriminator.get_layer(f"down{side}").kernel.shape))
maps = [np.prod(net.shape[1:]) for net in (discriminator.input, discriminator.get_layer(f"down{side}").output)]
print(f"D's first layer: {shared:,} weights; between the same maps a dense one has {np.prod(maps):,}")

# %% [markdown]
# ### Up by transposed convolutions
#
# A strided convolution makes a map smaller. To go up, $G$ runs one backwards: each input pixel stamps
# the kernel, scaled by its value, onto the output; the next one stamps two pixels further; what
# overlaps is added.
#
# ```{figure} ../_book/static/diagrams/transposed.svg
# :name: fig-transposed
# :alt: Four grids of six by six pixels. Each input pixel stamps a square of four by four onto the output, two pixels after the last one; after four stamps the middle is covered four times. A dashed square marks the inner four by four pixels that are kept.
#
# A transposed convolution, stamp by stamp: two by two pixels in, kernel 4, stride 2, four by four out.
# ```

# %%
def stamp(signal, kernel, stride=2):
    """A transposed convolution of one dimension, written out."""
    whole = np.zeros((len(signal) - 1) * stride + len(kernel))
    for i, value in enumerate(signal):
        whole[i * stride:i * stride + len(kernel)] += value * kernel
    cut = (len(kernel) - stride) // 2  # what "same" throws away in front
    return whole[cut:cut + len(signal) * stride]


signal, kernel = np.random.default_rng(0).normal(size=6), np.arange(1.0, 5)
theirs = tf.nn.conv1d_transpose(signal[None, :, None], kernel[:, None, None], (1, 12, 1), 2, "SAME")
np.testing.assert_allclose(stamp(signal, kernel), np.ravel(theirs), rtol=1e-5)
for size in (3, 4, 5):
    print(f"kernel of {size}: stamps on each pixel", stamp(np.ones(6), np.ones(size))[2:10].astype(int))

# %% [markdown]
# With a kernel of 3 or 5, neighbours get different numbers of stamps: a pattern like a chessboard that
# the weights must learn to undo {cite:p}`odena2016checkerboard`. With 4, twice the stride, all get
# the same. The pattern can still come back from the weights; {doc}`93_failures` shows one.
#
# ### Batch normalization carries the signal through
#
# With weights of deviation 0.02, layers as thin as ours shrink their signal. Batch normalization
# {cite:p}`ioffe2015bn` sets each channel back to mean 0 and variance 1. Below, the gradient that reaches the image from $D$'s score is measured at the
# start of training: it is what $G$ would learn from.

# %%
def image_gradient(discriminator, images):
    """Mean length of d score / d image over a batch, D in training mode."""
    images = tf.constant(images, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        score = tf.reduce_sum(discriminator(images, training=True))
    gradient = tape.gradient(score, images)
    return float(tf.reduce_mean(tf.norm(tf.reshape(gradient, (len(images), -1)), axis=1)))


# %%
def measure(seeds=5, **switches):
    """The gradient's length for several random starts of D."""
    values = []
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        values.append(image_gradient(dcgan.discriminator(RESOLUTION, WIDTH, **switches), real[:64]))
    return np.array(values)


with_bn, without_bn = measure(), measure(batch_norm=False)

# %% tags=["remove-cell"]
page.glue("grad-bn", np.median(with_bn), "{:.3g}")
page.glue("grad-nobn", np.median(without_bn), "{:.2g}")
page.glue("grad-ratio", np.median(with_bn / without_bn), "{:,.0f}")

# %% [markdown]
# With batch normalization the gradient has length {glue:text}`grad-bn:s`, without it
# {glue:text}`grad-nobn:s` (medians of five starts): {glue:text}`grad-ratio:s` times less.
#
# Adam divides by the gradient's size, so a small gradient alone does not stop the training. But
# it starts the game with a $D$ that hardly tells one image from another.

# %% [markdown]
# ### Leaky ReLU lets more gradient through
#
# A ReLU passes nothing where its input is negative. A leaky one passes a share there, its slope:
#
# $$
# \mathrm{lrelu}(x) = \max(x, \alpha x), \qquad 0 \le \alpha < 1 .
# $$ (eq-lrelu)
#
# The article gives $\alpha = 0.02$ in its text, its code has 0.1, DCGAN has 0.2. What does it
# change? The gradient below is measured without batch normalization, which would hide the effect.
#
# Note what the slope does *not* do: the article says that a negative input passes "a small
# negative gradient". It passes a small **share** of the gradient, with the gradient's own sign.

# %%
alphas = (0.0, 0.02, 0.1, 0.2)
by_slope = np.array([measure(batch_norm=False, slope=a) for a in alphas])
gain = by_slope / by_slope[0]
for alpha, row in zip(alphas, gain):
    print(f"slope {alpha:4}: {np.median(row):.2f} times ReLU's gradient",
          f"({row.min():.2f} to {row.max():.2f})")

# %% tags=["remove-cell"]
page.glue("gain-002", np.median(gain[1]), "{:.2f}")
page.glue("gain-02", np.median(gain[3]), "{:.2f}")

# %% tags=["remove-cell"]
figure, axis = plt.subplots(figsize=(5, 2.4))
axis.plot(alphas, gain, "o", color=plots.COLOURS[0], alpha=0.5)
axis.plot(alphas, np.median(gain, axis=1), color=plots.COLOURS[1], label="median")
axis.set_xlabel("slope of the leaky ReLU")
axis.set_ylabel("gradient, ReLU = 1")
axis.set_xticks(alphas)
axis.grid(alpha=0.3)
axis.legend(fontsize=8)
page.show("fig_slopes", figure)

# %% [markdown]
# ```{glue:figure} fig_slopes
# :name: fig-slopes
# :alt: Gradient relative to plain ReLU against the slope, five dots for each of four slopes; the median rises with the slope.
#
# The gradient that reaches the image, relative to plain ReLU. Each dot is one random start of $D$.
# ```
#
# So the effect is real, and its size depends on the slope: 0.2 gives {glue:text}`gain-02:s` times
# ReLU's gradient, the 0.02 of the article's text gives {glue:text}`gain-002:s` times.

# %% [markdown]
# ## Training
#
# Each step moves $D$ once, on a batch of real and a batch of fake images, and then $G$ once, on
# fresh noise. Real and fake pass through this $D$ apart. Then $D$ meets fakes under the same batch
# statistics in its own step and in $G$'s.
#
# `model.sample` draws from the *averaged generator*. $G$'s weights jump about from step to step; a
# running mean of them, $\bar w \leftarrow \beta \bar w + (1 - \beta) w$ with $\beta = 0.99$, does
# not {cite:p}`karras2017progressive`. It is not in the article, and costs next to nothing.

# %%
before = model.sample(32)
film = [(0, before[:16])]
watch = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: film.append((logs["step"], model.sample(16))))
history = model.fit(data, steps=STEPS, batch_size=BATCH, log_every=max(1, STEPS // 14),
                    callbacks=[watch]).history
after = model.sample(32)

# %% tags=["remove-cell"]
titles = ["before", f"after {STEPS} steps"]
page.show("fig_trained", plots.pictures([before, after], columns=8, titles=titles))

# %% [markdown]
# ```{glue:figure} fig_trained
# :name: fig-trained
# :alt: Left, a grid of 32 even grey squares; right, a grid of 32 generated cartoon faces with recognisable hair, skin and eyes.
#
# The same 32 noise vectors before and after training. Nothing was picked out.
# ```

# %% [markdown]
# How it came there, scrubbed by hand:

# %% tags=["remove-input"]
frames = [{"step": step, "image": page.jpeg(plots.grid(faces_then))} for step, faces_then in film]
page.touch("film", {"frames": frames},
           plots.pictures([film[len(film) // 3][1], film[-1][1]], columns=8, titles=["early", "late"]),
           "sixteen generated faces early in training, as blurs, and late, with hair and eyes")

# %% tags=["remove-cell"]
strip = [film[k] for k in np.linspace(0, len(film) - 1, 6).astype(int)]
page.show("fig_filmstrip", plots.pictures([faces_then[:8] for _, faces_then in strip], columns=2,
                                          titles=[f"step {step}" for step, _ in strip]))

# %% [markdown]
# ```{glue:figure} fig_filmstrip
# :name: fig-filmstrip
# :alt: Six grids of eight pictures at growing steps of the training: grey, then blurs of one colour, then heads, then faces with eyes and hair.
#
# The same eight noise vectors while the training goes on.
# ```

# %% tags=["remove-cell"]
page.show("fig_curves", plots.curves({"DCGAN": history}))

# %% [markdown]
# ```{glue:figure} fig_curves
# :name: fig-curves
# :alt: Two curves over training steps, the discriminator's loss and the generator's loss.
#
# Both losses. They do not fall to zero as a classifier's would: each is measured against an
# opponent that moves. Do not read quality from them.
# ```

# %% tags=["remove-cell"]
page.glue("d-loss-last", history["d_loss"][-1], "{:.2f}")
page.glue("d-loss-even", np.log(4), "{:.2f}")
fine = {name: np.abs(np.fft.fft2(images.mean(-1)))[:, RESOLUTION // 2].mean()
        for name, images in (("real", real[:200]), ("fake", model.sample(200)))}
page.glue("fine", fine["fake"] / fine["real"], "{:.2f}")

# %% [markdown]
# At the equilibrium of {eq}`eq-jsd`, $D$'s loss would be $\log 4 \approx$
# {glue:text}`d-loss-even:s`. It ends at {glue:text}`d-loss-last:s`: $D$ still tells them apart.
#
# And the chessboard? Stripes of two pixels, the finest that a picture can hold, are
# {glue:text}`fine:s` times as strong in generated faces as in real ones.

# %% [markdown]
# ## Mode collapse, counted
#
# A generator may win by drawing few pictures well. This is *mode collapse*. On points it can be seen: the
# data have two places, and on the left all that $G$ makes lands on one of them.
#
# <div class="touch" data-touch="playground"><p class="touch-still">In the built book, where scripts run, a GAN trains here.</p><script type="application/json">{"setting": "lesson=collapse"}</script></div>
#
# On pictures it is easy to miss by eye. Here it can be counted: a judge network reads the factors of every generated face,
# and we count how many attribute combinations appear among 500 faces.
#
# The judge was trained on faces with **independent** eyes, so it has never seen the rule that it
# will check. On fresh real faces it is right nearly always (`tests/evaluation/test_judge.py`).
#
# A second number needs no judge: the *spread*, how much a pixel varies from sample to sample,
# relative to the data.

# %%
COUNT = 500


def tell(name, images):
    reading = judge.read(images)
    seen, _ = judge.coverage(reading)
    mismatch = judge.heterochromia(reading)
    spread = images.std(0).mean() / real[:COUNT].std(0).mean()
    print(f"{name:18} {seen:4} combinations, {mismatch:4.0%} with unequal eyes,",
          f"{spread:4.0%} of the data's spread")
    return seen, mismatch, spread


real_seen, _, _ = tell("real faces", real[:COUNT])
seen, mismatch, spread = tell("DCGAN", model.sample(COUNT))

# %% [markdown]
# The article says that batch normalization is what keeps deep models from collapse. Take it out of
# both networks, change nothing else, and train for as long. What happens?

# %%
keras.utils.set_random_seed(1)
bare = gan.GAN(dcgan.generator(RESOLUTION, WIDTH, 64, batch_norm=False),
               dcgan.discriminator(RESOLUTION, WIDTH, batch_norm=False), ema_decay=0.99)
bare.compile(**ttur.preset("dcgan"), loss="bce")
bare.fit(data, steps=STEPS, batch_size=BATCH, log_every=max(1, STEPS // 2))
bare_seen, _, bare_spread = tell("without batch norm", bare.sample(COUNT))

# %% tags=["remove-cell"]
titles = ["with batch normalization", "without"]
page.show("fig_collapse", plots.pictures([after, bare.sample(32)], columns=8, titles=titles))

# %% [markdown]
# ```{glue:figure} fig_collapse
# :name: fig-collapse
# :alt: Two grids of generated faces after equal training, with batch normalization on the left and without on the right.
#
# The same number of steps with and without batch normalization.
# ```

# %% tags=["remove-cell"]
page.glue("real-seen", real_seen)
page.glue("dcgan-seen", seen)
page.glue("bare-seen", bare_seen)
page.glue("perfect-seen", judge.expected_coverage(COUNT, possible), "{:.0f}")
page.glue("bare-spread", 100 * bare_spread, "{:.0f}")
page.glue("dcgan-spread", 100 * spread, "{:.0f}")
page.glue("dcgan-mismatch", 100 * mismatch, "{:.0f}")

# %% [markdown]
# Among 500 faces a perfect generator shows {glue:text}`perfect-seen:s` of the combinations on
# average, and the data show {glue:text}`real-seen:s`. Our DCGAN shows {glue:text}`dcgan-seen:s`;
# without batch normalization it is {glue:text}`bare-seen:s`. The spread is
# {glue:text}`dcgan-spread:s` % of the data's with it and {glue:text}`bare-spread:s` % without.
#
# Look at {numref}`fig-collapse` before you trust a count. The judge always answers, even where
# there is no face. Few combinations can mean few *kinds* of face, which is mode collapse, or no
# faces at all, which is a training that never got going.
#
# One run is an anecdote, not a law: it shows what *can* happen. Many seeds follow below.
#
# And the rule? In {glue:text}`dcgan-mismatch:s` % of the DCGAN's faces the eyes have different
# colours. Two eyes drawn independently from six colours would differ in five cases of six. Where
# they differ, the picture is right locally and wrong globally. Chapter {doc}`03_attention` asks
# why.

# %% [markdown]
# ## Over seeds
#
# Each run above is one seed, and one run is an anecdote. So each statement of the article that this
# chapter is about was made an experiment, run with several seeds. {doc}`claims` tells the protocol,
# and the rule by which the verdict follows. Nobody chooses it.
#
# ```{admonition} Two words for the table
# **Quality** is a *Fréchet distance*. A network, here the judge, turns each picture into a list of
# numbers, its features. Real and generated features are each summed up by a mean and a covariance,
# and the distance is between those two ({doc}`91_evaluation` has the formula). 0 is best. A *factor*
# is the ratio of two runs' distances: 2.00x means that the second has twice the distance.
#
# **The interval** is *Student's*. A mean over five seeds is itself uncertain: with other seeds it would
# be another. From how much the seeds differ, Student's $t$ says between which bounds the true mean
# lies, with 97.5 % confidence. If the bounds do not settle a statement, the table says "undecided".
# ```
#
# ```{admonition} Short runs, one pair of rates
# :class: warning
# These are verdicts on who starts fast at the rates named. This DCGAN at four times its rates
# (`rate-high`) is ahead of all that later chapters teach, after as many steps. {ref}`longer-look` shows how the order
# changes in longer runs at other rates.
# ```

# %% tags=["remove-input", "ledger"]
from IPython.display import Markdown

from sagan_experiments import ledger, report

results = ledger.of_chapter("01_dcgan")
Markdown(report.table(results, brief=True))

# %% tags=["remove-cell", "ledger"]
page.show("fig_dcgan_seeds", plots.seeds(results))

# %% [markdown]
# ```{glue:figure} fig_dcgan_seeds
# :name: fig-dcgan-seeds
# :alt: One row for each claim of the chapter; dots for the seeds, a bar for the interval, a tick for the limit, on a logarithmic axis of factors.
#
# Every seed of the claims whose effect is a factor. Bar: 97.5 % interval of the mean. Tick: limit,
# the smallest effect worth naming. Right of the tick is in the claim's favour.
# ```

# %% tags=["remove-cell", "long", "ledger"]
page.glue_results(
    results, "bn-signal", "bn-quality", "bn-variety", "leaky-signal-bn", "leaky-quality",
    "bn-quality-glorot", "bn-quality-he", "strided", "rate-low", "rate-high", "momentum",
)
from sagan_experiments import arms

page.glue("scale", arms.Protocol())
bare_runs = [run["frechet"] for name in ("dcgan_no_bn", "dcgan_no_bn_glorot", "dcgan_no_bn_he")
             for run in ledger.runs(name)[0]]
worst = max(run["frechet"] for run in ledger.runs("dcgan")[0])
page.glue("bare-runs", len(bare_runs))
page.glue("bare-best", min(bare_runs), "{:,.0f}")
page.glue("bn-worst", worst, "{:,.0f}")
# As the text below says.
assert results["leaky-signal-bn"].verdict == ledger.OPPOSITE
assert results["leaky-quality"].verdict == ledger.HOLDS
assert min(bare_runs) > 2 * worst

# %% [markdown]
# A published number is worth what a repetition says. Seed 0 of the gradient measurement again:

# %%
from sagan_experiments import measures

again = measures.bn_gradient(0)
stored = results["bn-signal"].values
print(f"now {np.exp(again):.1f}, published {np.exp(stored[0]):.1f}",
      f"(all seeds {np.exp(min(stored.values())):.1f} to {np.exp(max(stored.values())):.1f})")
assert abs(again - stored[0]) < 0.05 * abs(stored[0])

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# **Batch normalization rescues a bad start.** With it the first gradient is {glue:text}`bn-signal:s`
# as large (`bn-signal`: {glue:text}`bn-signal-verdict:s`). Without it, from weights of deviation 0.02,
# the distance is {glue:text}`bn-quality:s` as large (`bn-quality`: {glue:text}`bn-quality-verdict:s`).
#
# **A better start alone does not do it.** {cite:t}`glorot2010understanding` and
# {cite:t}`he2015delving` choose each layer's deviation by its size. Without batch normalization the
# distance is then {glue:text}`bn-quality-glorot:s` as large with Glorot's weights
# (`bn-quality-glorot`: {glue:text}`bn-quality-glorot-verdict:s`) and {glue:text}`bn-quality-he:s` with
# He's (`bn-quality-he`: {glue:text}`bn-quality-he-verdict:s`).
#
# **Does it prevent collapse?** Without it {glue:text}`bn-variety:s` fewer combinations appear
# (`bn-variety`: {glue:text}`bn-variety-verdict:s`). But collapse is to draw few kinds of *face*, and
# there was none (the {doc}`playground` shows one: all points on one place of two): the best of {glue:text}`bare-runs:s` runs without it, over three kinds of first
# weights, has a distance of {glue:text}`bare-best:s`, where the worst with it has
# {glue:text}`bn-worst:s`. So these runs say that it lets the training start, and nothing about
# collapse. {doc}`93_failures` shows a collapse that is one.
#
# **Strides or pooling?** With a maximum over 2x2 pixels in place of each stride, at four times the
# work, $D$ makes a GAN whose distance is {glue:text}`strided:s` of the strided one's (`strided`:
# {glue:text}`strided-verdict:s`).
#
# **Settings matter.** The article calls training very sensitive to them. A quarter of DCGAN's rates:
# {glue:text}`rate-low:s` the distance (`rate-low`: {glue:text}`rate-low-verdict:s`). Four times its
# rates: {glue:text}`rate-high:s` (`rate-high`, which claims that they do worse:
# {glue:text}`rate-high-verdict:s`). Adam's default momentum, $\beta_1 = 0.9$ in place of 0.5:
# {glue:text}`momentum:s` (`momentum`: {glue:text}`momentum-verdict:s`). So the settings decide more than
# most of the rules above. All runs have equal steps: a slow one may only be late, and a fast one may
# pay for it later.
#
# **The leaky ReLU helps, but not for the reason that is given.** Next to batch normalization, which
# rescales whatever passes, the gradient that it lets through at the start is *smaller* than ReLU's:
# {glue:text}`leaky-signal-bn:s` of it (of the claim that it is larger,
# {glue:text}`leaky-signal-bn-verdict:s`). And still ReLU in its place makes the trained GAN worse, by
# a factor of {glue:text}`leaky-quality:s`. The size of the first gradient does not explain that.

# %% [markdown]
# ## Summary
#
# - The game's equilibrium is a $G$ that draws the data's distribution. Nothing says that training
#   gets there.
# - $G$ learns only through $D$'s gradient, so whatever makes that gradient vanish stops the game.
# - The non-saturating loss pushes most where $G$ is worst; the minimax loss least.
# - At the start, batch normalization keeps the gradient from fading. What the leaky ReLU brings
#   shows in the trained GAN, not in that gradient.
# - Diversity must be counted. Losses do not show it, and a page of samples shows little.

# %% [markdown]
# ## Exercises
#
# ```{exercise} The slope's limit
# :label: ex-dcgan-slope
#
# A signal passes $n$ layers with leaky ReLUs of slope $\alpha$. Inputs are positive or negative
# with equal chance, independently. By which factor does the mean square of the gradient shrink
# through the activations alone? Compare $\alpha = 0$ and $\alpha = 0.2$ with {numref}`fig-slopes`,
# where $n$ is 3 at 32 pixels and 4 at 64.
# ```
#
# ```{solution} ex-dcgan-slope
# :class: dropdown
#
# Each activation multiplies the mean square by $(1 + \alpha^2)/2$. For three layers and
# $\alpha = 0$ this is $1/8$; for $\alpha = 0.2$ it is $0.52^3 \approx 0.141$. The ratio of the
# lengths is $\sqrt{1.04^3} \approx 1.06$. The measured gain can differ, because signs in
# neighbouring positions and layers are not independent.
# ```
#
# ```{exercise} Does it collapse every time?
# :label: ex-dcgan-seeds
#
# Train without batch normalization again, for three other seeds. Take it out of one network only.
# Then try the minimax loss. Count the combinations each time. Which collapse?
# ```
#
# ```{solution} ex-dcgan-seeds
# :class: dropdown
#
# The switches are `batch_norm=` of either network, `loss=` in `compile`, and the two seeds:
# `keras.utils.set_random_seed` and `GAN(..., seed=...)`. Report all seeds, not the best. With the
# minimax loss look at `history["g_loss"]` too: where it is close to 0 the loss is flat.
# ```
#
# ```{exercise} How many faces to look at?
# :label: ex-dcgan-coverage
#
# Derive the number of distinct combinations that $n$ draws from $p$ equally likely ones show on
# average. How large must $n$ be to see 99 % of 250?
# ```
#
# ```{solution} ex-dcgan-coverage
# :class: dropdown
#
# A given combination is missed with chance $(1 - 1/p)^n$, so $p\,(1 - (1 - 1/p)^n)$ are seen. For
# 99 % we need $(1 - 1/250)^n = 0.01$, so $n = \ln 0.01 / \ln 0.996 \approx 1149$. The function is
# `judge.expected_coverage`.
# ```

# %% [markdown]
# ## Problem set
#
# Problem set 1 goes on from here: the gradient probe, a transposed convolution and the gradients of the losses, each written by you and tested, and an experiment whose
# answer is not in the book. {doc}`problem_sets` says how to get it.
