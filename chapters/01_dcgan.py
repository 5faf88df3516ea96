# %% [markdown]
# # DCGAN: rules that keep the game going
#
# A generative adversarial network is two networks with opposite goals. Left alone they rarely
# settle. DCGAN {cite:p}`radford2015dcgan` is a recipe of plain rules under which they often do.
#
# ```{admonition} What you will see
# - the game on a line, where all of it can be drawn;
# - DCGAN's networks and their training loop, written out, and the same from the library;
# - what batch normalization does, and variety, counted.
# ```
#
# ```{figure} ../_book/static/diagrams/game.svg
# :name: fig-game
# :alt: Noise goes into G, which draws an image. D scores it and a real one. From the score an arrow leads back to each network.
#
# The game. $G$ never sees a real image: all that it learns comes back through $D$.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need convolutions, gradients and a first idea of Keras. The page took {glue:text}`core-seconds:s`
# seconds of one core; on a GPU it draws 64 pixels in place of 32.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 16, 400), (64, 16, 2000))
BATCH, LATENT = (32 if SCALE == "cpu" else 64), 64
print(f"scale {SCALE}: {RESOLUTION} pixels, {STEPS} steps of {BATCH} faces")

# %% [markdown]
# ## The game
#
# Play it first, on points. Orange ones are real, blue ones $G$'s; the ground is $D$'s opinion, orange
# where it says *real*; the arrows are all that $G$ gets to know.
#
# <div class="touch" data-touch="playground"><p class="touch-still">In the built book, where scripts run, a GAN trains here.</p><script type="application/json">{"setting": "data=ring"}</script></div>
#
# $G$ turns noise $z$ into an image. $D$ gives an image a score $s$, high for images it believes real; the
# sigmoid $\sigma(s) = 1 / (1 + e^{-s})$ is that probability. {cite:t}`goodfellow2014gan` let them play for one number:
#
# $$
# \min_G \max_D \; \mathbb{E}_{x}\bigl[\log \sigma(D(x))\bigr]
#   + \mathbb{E}_{z}\bigl[\log\bigl(1 - \sigma(D(G(z)))\bigr)\bigr] .
# $$ (eq-gan)
#
# $D$ is an ordinary classifier, and what it maximizes is, with a minus, its loss. With
# $\mathrm{softplus}(s) = \log(1 + e^{s})$ that is short, for $-\log \sigma(s) = \mathrm{softplus}(-s)$ and
# $1 - \sigma(s) = \sigma(-s)$; this is binary cross-entropy, `bce`:

# %%
import keras
import numpy as np
import tensorflow as tf
from keras import layers


def d_loss(real, fake):
    of_real, of_fake = tf.nn.softplus(-real), tf.nn.softplus(fake)
    return tf.reduce_mean(of_real) + tf.reduce_mean(of_fake)


def g_loss(fake):
    return tf.reduce_mean(tf.nn.softplus(-fake))

# %% [markdown]
# $G$'s loss is not that of {eq}`eq-gan`. Where $D$ is sure of the fakes, $s$ is very negative and
# $\log(1 - \sigma(s))$ is flat. The same paper proposes to maximise $\log \sigma(s)$ instead: the
# *non-saturating* loss, which pushes most where $G$ is worst.

# %% tags=["remove-cell", "long"]
import matplotlib.pyplot as plt

from sagan_lib import losses
from sagan_lib.book import page, plots

scores, slopes = tf.linspace(-8.0, 8.0, 161)[:, None], {}
for name, loss_of in {"here": g_loss, **{n: losses.get(n)[1] for n in ("minimax", "bce", "hinge")}}.items():
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = loss_of(scores)
    slopes[name] = -161 * tape.gradient(loss, scores).numpy().ravel()
np.testing.assert_allclose(slopes.pop("here"), slopes["bce"], rtol=1e-5)
figure, axis = plt.subplots(figsize=(6, 2.6))
labels = {"minimax": "minimax, saturates", "bce": "non-saturating", "hinge": "hinge (later chapters)"}
for colour, (name, slope) in zip(plots.COLOURS, slopes.items()):
    axis.plot(scores, slope, color=colour, label=labels[name])
axis.set_xlabel("score that D gives a fake")
axis.set_ylabel("push on the score")
axis.legend()
axis.grid()
page.show("fig_losses", figure)

# %% [markdown]
# ```{glue:figure} fig_losses
# :name: fig-losses
# :alt: Push against score: minimax rises from zero to one, non-saturating is its mirror image, hinge is constant at one.
#
# How strongly each loss of $G$ pushes up the score of a fake. On the left $D$ is sure.
# ```
#
# ## A GAN on a line
#
# Let the data be numbers, normal around 1.5, with density $p$, and $G(z) = wz + b$ with normal noise $z$:
# then the density $q$ of its fakes is known, too.
#
# A step of the game is two moves: $D$ goes down its loss, then $G$ down its own, on fresh noise. Each
# optimizer is handed the variables of its own network and no others.

# %%
@tf.function
def train_step(G, D, g_adam, d_adam, real, z):
    """D moves, then G; z is the noise of both moves."""
    fake = G(z[0], training=True)  # outside the tape: this move is D's
    with tf.GradientTape() as tape:
        # Apart: batch normalization, further down, must not mix the two.
        d = d_loss(D(real, training=True), D(fake, training=True))
    gradients = tape.gradient(d, D.trainable_variables)
    d_adam.apply(gradients, D.trainable_variables)

    with tf.GradientTape() as tape:
        g = g_loss(D(G(z[1], training=True), training=True))
    gradients = tape.gradient(g, G.trainable_variables)  # through D to G
    g_adam.apply(gradients, G.trainable_variables)
    return d, g

# %%
def adam(network, rate):
    """Adam as DCGAN sets it, with its moments in place."""
    optimizer = keras.optimizers.Adam(rate, beta_1=0.5, epsilon=1e-8)
    optimizer.build(network.trainable_variables)
    return optimizer


keras.utils.set_random_seed(1)
line_G = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
line_D = keras.Sequential([keras.Input((1,)),
                           layers.Dense(32, "tanh"), layers.Dense(1)])
line_G.set_weights([np.array([[0.5]]), np.array([-2.0])])  # w, b

# %%
rng = np.random.default_rng(0)
xs = np.linspace(-4.5, 4.5, 181, dtype="float32")[:, None]
g_adam, d_adam = adam(line_G, 0.01), adam(line_D, 0.05)
path, opinions = [], {}
for step in range(801):
    path.append([weight.item() for weight in line_G.get_weights()])
    if step in (0, 100, 400, 800):
        opinions[step] = tf.sigmoid(line_D(xs)).numpy()
    normal = rng.normal(size=(3, 256, 1)).astype("float32")
    train_step(line_G, line_D, g_adam, d_adam, 1.5 + normal[0], normal[1:])

# %% tags=["remove-cell", "long"]
def density(mean, deviation):
    return np.exp(-0.5 * ((xs - mean) / deviation) ** 2) / deviation / np.sqrt(2 * np.pi)


p, apart = density(1.5, 1), []
figure, axes = plt.subplots(1, 4, figsize=(7, 2.3), sharey=True)
for axis, (step, opinion) in zip(axes, opinions.items()):
    w, b = path[step]
    q = density(b, abs(w))
    apart.append(np.abs(opinion - p / (p + q))[p + q > 0.02].max())
    axis.fill_between(xs[:, 0], p[:, 0], color=plots.COLOURS[1], alpha=0.4, label="p, data")
    axis.fill_between(xs[:, 0], q[:, 0], color=plots.COLOURS[0], alpha=0.4, label="q, fakes")
    axis.plot(xs, opinion, color="black", label=r"$\sigma(D)$")
    axis.plot(xs, p / (p + q), "--", color=plots.COLOURS[2], label=r"$\sigma(D^*)$")
    axis.set(xlabel="x", ylim=(0, 1.05))
    axis.set_title(f"step {step}")
figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=4, fontsize=9)
figure.tight_layout(rect=(0, 0.1, 1, 1))
page.show("fig_line", figure)
narrowest = min(abs(w) for w, _ in path)
page.glue("line-apart", max(apart[1:]), "{:.2f}")
page.glue("line-mean", b, "{:.1f}")
page.glue("line-width", abs(w), "{:.1f}")
page.glue("line-narrowest", narrowest, "{:.1f}")
assert max(apart[1:]) < 0.2  # as the text says
assert abs(b - 1.5) < 0.3
assert narrowest < 0.5 < 0.85 < abs(w) < 1.15

# %% [markdown]
# ```{glue:figure} fig_line
# :name: fig-line
# :alt: Four panels. An orange bell, the data, stays; a blue one, the fakes, moves from its left until it covers it. The opinion of D rises to the right and ends near one half; the dashed best one lies close to it in all panels but the first.
#
# The fakes follow the slope of $D$ until there is none. Dashed: the best answer to these fakes.
# ```
#
# For a fixed $G$ the best $D$ is known:
#
# $$
# D^*(x) = \log p(x) - \log q(x), \qquad \sigma(D^*(x)) = \frac{p(x)}{p(x) + q(x)} .
# $$ (eq-best-d)
#
# In the last three panels $\sigma(D)$ is within {glue:text}`line-apart:s` of it, where there are data or
# fakes. $G$ ends at $b \approx$ {glue:text}`line-mean:s`, $|w| \approx$ {glue:text}`line-width:s`, where $p$
# has 1.5 and 1. If $q = p$, the best $D$ says "one half" everywhere, and neither player gains by moving alone:
# a *Nash equilibrium*.
#
# On the way $|w|$ falls to {glue:text}`line-narrowest:s`. Against a $D$ that stands still, the best $G$ draws
# only the point of the highest score: a pull that we shall meet again, as mode collapse.
#
# ```{admonition} Why, and what is left for G
# :class: dropdown
#
# $D$ chooses $d = \sigma(D(x))$ to make $p \log d + q \log(1-d)$ large. The derivative $p/d - q/(1-d)$
# vanishes at $d^* = p/(p+q)$, whose logit is $D^*$. With $m = (p+q)/2$ the value of {eq}`eq-gan` is then
#
# $$
# \begin{aligned}
# \mathbb{E}_p\Bigl[\log\frac{p}{2m}\Bigr] + \mathbb{E}_q\Bigl[\log\frac{q}{2m}\Bigr]
# &= \mathrm{KL}(p\Vert m) + \mathrm{KL}(q\Vert m) - \log 4 \\
# &= 2\,\mathrm{JSD}(p, q) - \log 4 .
# \end{aligned}
# $$ (eq-jsd)
#
# The Jensen-Shannon divergence is 0 only if $p = q$: $G$ can do no better than to draw the data's
# distribution.
# ```
#
# All this is for a $D$ that may be any function and is always at its best. A network is neither.

# %% tags=["remove-cell"]
points = np.linspace(-12, 12, 4001)
one, other = (np.exp(-0.5 * (points - c) ** 2) / np.sqrt(2 * np.pi) for c in (-1, 1))
middle, width = (one + other) / 2, points[1] - points[0]
jsd = sum(np.sum(each * np.log(each / middle)) * width for each in (one, other)) / 2
value = np.sum(one * np.log(one / (one + other)) + other * np.log(other / (one + other))) * width
np.testing.assert_allclose(value, 2 * jsd - np.log(4), atol=1e-6)

# %% [markdown]
# ## Data whose truth is known
#
# The book trains on faces that it draws itself, from thirteen factors such as hair colour and smile.
# Hair, skin, background and hair length alone have hundreds of combinations, about equally frequent.
#
# One rule holds for all: **both irises have one colour**. So whoever draws faces well must make two places
# agree, a quarter of the picture apart. From chapter to chapter the rule will tell what a network understood.

# %% tags=["nbval-check-output"]
from sagan_lib.datasets import faces
from sagan_lib.evaluation import judge

data = faces.Faces(RESOLUTION, size=8192)
record = data.factors()
real = data.images[:2000] / 127.5 - 1
assert (record.left_iris == record.right_iris).all()
combinations, possible = judge.coverage(record)
print(f"{combinations} of {possible} attribute combinations are in the data")

# %% tags=["remove-cell"]
page.show("fig_faces", plots.pictures(real[:24], columns=8))

# %% [markdown]
# ```{glue:figure} fig_faces
# :name: fig-faces
# :alt: Twenty-four cartoon faces with different hair, skin and background; in each both irises have one colour.
#
# The first 24 faces, as the networks see them.
# ```

# %% [markdown]
# ## The two networks
#
# DCGAN's rules, here with 4x4 kernels where the paper has 5x5:
#
# 1. strided convolutions instead of pooling, transposed ones to go up;
# 2. batch normalization in both networks, except at $G$'s output and $D$'s input;
# 3. no dense layers in between;
# 4. ReLU in $G$, with tanh at the end;
# 5. leaky ReLU of slope 0.2 in $D$;
# 6. weights that start from a normal of deviation 0.02;
# 7. Adam {cite:p}`kingma2014adam` with rate 0.0002 and $\beta_1 = 0.5$.
#
# ```{figure} ../_book/static/diagrams/networks.svg
# :name: fig-networks
# :alt: Blocks for feature maps. In G they grow from 4x4 with 128 channels to a picture of 32x32 with 3, and in D they shrink again, to a score.
#
# Both networks at 32 pixels: taller is a larger map, wider is more channels.
# ```
#
# Here they are in full, with shapes at 32 pixels and a batch of $b$.

# %%
keras.utils.set_random_seed(1)
init = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
sides = [side for side in (4, 8, 16, 32) if side < RESOLUTION]
CHANNELS = [WIDTH * RESOLUTION // side for side in sides]
print("channels:", CHANNELS)

# %%
G = keras.Sequential([
    keras.Input((LATENT,)),  # (b, 64)
    layers.Dense(4 * 4 * CHANNELS[0], use_bias=False, **init),
    layers.Reshape((4, 4, CHANNELS[0]))])  # (b, 4, 4, 128)
for n in CHANNELS[1:]:  # (b, 8, 8, 64), (b, 16, 16, 32)
    G.add(layers.BatchNormalization(momentum=0.9))
    G.add(layers.ReLU())
    G.add(layers.Conv2DTranspose(n, 4, 2, "same", use_bias=False, **init))
G.add(layers.BatchNormalization(momentum=0.9))
G.add(layers.ReLU())  # and to (b, 32, 32, 3):
G.add(layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh", **init))

# %%
D = keras.Sequential([keras.Input((RESOLUTION, RESOLUTION, 3))])
D.add(layers.Conv2D(CHANNELS[-1], 4, 2, "same", **init))  # (b, 16, 16, 32)
D.add(layers.LeakyReLU(0.2))
for n in CHANNELS[-2::-1]:  # (b, 8, 8, 64), (b, 4, 4, 128)
    D.add(layers.Conv2D(n, 4, 2, "same", use_bias=False, **init))
    D.add(layers.BatchNormalization(momentum=0.9))
    D.add(layers.LeakyReLU(0.2))
D.add(layers.Flatten())
D.add(layers.Dense(1, **init))  # (b, 1): the score, without bounds

# %% [markdown]
# `sagan_lib.dcgan` makes the same two: with the same weights, the same pictures and scores.

# %%
from sagan_lib import dcgan

twins = (dcgan.generator(RESOLUTION, WIDTH, LATENT),
         dcgan.discriminator(RESOLUTION, WIDTH))
for ours, theirs in zip((G, D), twins):
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    theirs.set_weights(ours.get_weights())
    print(f"{ours.count_params():,} parameters in both")
    assert ours.count_params() == theirs.count_params()
z = tf.random.stateless_normal((16, LATENT), (0, 0))
np.testing.assert_allclose(G(z), twins[0](z), atol=1e-5)
np.testing.assert_allclose(D(G(z)), twins[1](G(z)), atol=1e-5)

# %% [markdown]
# ### Up by transposed convolutions
#
# To go up, each input pixel stamps the kernel, scaled by its value, onto the output; the next one stamps
# two pixels further; what overlaps is added.
#
# ```{figure} ../_book/static/diagrams/transposed.svg
# :name: fig-transposed
# :alt: Four grids. Each input pixel stamps a square of four by four, two pixels after the last; the middle is covered four times.
#
# Two by two pixels in, kernel 4, stride 2, four by four out.
# ```

# %% tags=["nbval-check-output"]
for size in (3, 4, 5):
    row, kernel = np.ones((1, 6, 1)), np.ones((size, 1, 1))
    stamps = tf.nn.conv1d_transpose(row, kernel, (1, 12, 1), 2, "SAME")
    inner = np.ravel(stamps)[2:10].astype(int)
    print(f"kernel of {size}: stamps on each pixel", inner)

# %% [markdown]
# With 3 or 5, neighbours get different numbers of stamps: a chessboard that the weights must learn to
# undo {cite:p}`odena2016checkerboard`. With 4, twice the stride, all get the same.

# %% [markdown]
# ## The training loop
#
# It calls the same `train_step`. The noise and the batch of a step are functions of its number, so that
# anyone can repeat it.

# %%
def noise(move):
    """What a move draws; step k has the moves 2k, of D, and 2k + 1, of G."""
    return tf.random.stateless_normal((BATCH, LATENT), (0, move), alg="philox")


FIRST, EVERY = -(-STEPS // 2), max(1, STEPS // 20)
g_adam, d_adam = adam(G, 2e-4), adam(D, 2e-4)
film, curve = [], []
for step, batch in data.batches(BATCH, count=FIRST).enumerate():
    if step % EVERY == 0:
        film.append((int(step), G(z).numpy()))
    z_both = noise(2 * step), noise(2 * step + 1)
    curve.append(train_step(G, D, g_adam, d_adam, batch, z_both))
curve = np.array(curve)

# %% [markdown]
# ## The library does the same, and more
#
# `GAN` takes the twins, which still have the first weights, through the first three steps.

# %%
from sagan_lib import gan, ttur

twin, again = gan.GAN(*twins), []
twin.compile(**ttur.preset("dcgan"), loss="bce")
for batch in data.batches(BATCH, count=min(3, FIRST)):
    twin.reset_metrics()
    told = twin.train_step(batch)
    again.append((float(told["d_loss"]), float(told["g_loss"])))
np.testing.assert_allclose(curve[:1], again[:1], rtol=1e-5)
np.testing.assert_allclose(curve[:3], again, rtol=1e-3)
print("losses of D and G, the loop's and the library's")
print(np.hstack([curve[:3], again]).round(5))

# %% [markdown]
# The same losses, up to rounding. `GAN` adds
#
# - an *averaged generator* to sample from: $G$'s weights jump about from step to step, their running
#   mean does not {cite:p}`karras2017progressive`;
# - Keras's `fit` and callbacks, other losses, several $D$ steps, GPUs;
# - saves, from which an interrupted run goes on exactly: a run is its weights and a step counter.
#
# So it can take over our own networks and optimizers where the loop left them.

# %%
model = gan.GAN(G, D, ema_decay=0.99)
model.compile(g_adam, d_adam, loss="bce")
model.step.assign(FIRST)
watch = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda _, logs: film.append((logs["step"], model(z).numpy())))
history = model.fit(data, steps=max(1, STEPS - FIRST), batch_size=BATCH,
                    log_every=EVERY, callbacks=[watch]).history

# %% [markdown]
# The whole run on the same sixteen noise vectors; the second half is the averaged generator's.

# %% tags=["remove-input"]
frames = [{"step": step, "image": page.jpeg(plots.grid(faces_then))} for step, faces_then in film]
page.touch("film", {"frames": frames},
           plots.pictures([film[len(film) // 3][1], film[-1][1]], columns=8, titles=["early", "late"]),
           "sixteen generated faces early in training, as blurs, and late, with hair and eyes")

# %% tags=["remove-cell"]
ends = np.arange(EVERY, FIRST + 1, EVERY)
means = np.array([curve[end - EVERY:end].mean(0) for end in ends])
loop = {"step": ends, "d_loss": means[:, 0], "g_loss": means[:, 1]}
page.show("fig_curves", plots.curves({"the loop": loop, "the library": history}))
page.glue("d-loss-last", history["d_loss"][-1], "{:.2f}")
page.glue("d-loss-even", np.log(4), "{:.2f}")

# %% [markdown]
# ```{glue:figure} fig_curves
# :name: fig-curves
# :alt: Losses of D and G over training steps: first the loop's, then the library's.
#
# Both losses. Do not read the quality of faces from them: each is measured against an opponent that moves.
# ```
#
# At the equilibrium $D$'s loss would be $\log 4 \approx$ {glue:text}`d-loss-even:s`. It ends at
# {glue:text}`d-loss-last:s`: $D$ still tells them apart.

# %% [markdown]
# ## What batch normalization does
#
# With weights of deviation 0.02, layers as thin as ours shrink their signal. Batch normalization
# {cite:p}`ioffe2015bn` sets each channel back to mean 0 and variance 1. How large is an untrained $D$'s gradient
# at an image, which $G$ would learn from?

# %%
def image_gradient(seed, **switches):
    """Mean length of d score / d image over 64 real faces, for a fresh D."""
    keras.utils.set_random_seed(seed)
    fresh = dcgan.discriminator(RESOLUTION, WIDTH, **switches)
    images = tf.constant(real[:64], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        score = tf.reduce_sum(fresh(images, training=True))
    gradient = tf.reshape(tape.gradient(score, images), (64, -1))
    return tf.reduce_mean(tf.norm(gradient, axis=1)).numpy()


with_bn = np.array([image_gradient(k) for k in range(5)])
without_bn = np.array([image_gradient(k, batch_norm=False) for k in range(5)])

# %% tags=["remove-cell"]
page.glue("grad-bn", np.median(with_bn), "{:.3g}")
page.glue("grad-nobn", np.median(without_bn), "{:.2g}")
page.glue("grad-ratio", np.median(with_bn / without_bn), "{:,.0f}")

# %% [markdown]
# It is {glue:text}`grad-bn:s` with it and {glue:text}`grad-nobn:s` without (medians of five starts):
# {glue:text}`grad-ratio:s` times less. Adam divides by a gradient's size, so this alone need not stop training.

# %% [markdown]
# ## Variety, counted
#
# A generator may win by drawing few pictures well: *mode collapse*. On points it can be seen. The data
# have two places, and on the left nearly all that $G$ makes lands on one.
# (On the right $D$ is held by {doc}`spectral normalization <02_spectral_norm>`.)
#
# <div class="touch" data-touch="playground"><p class="touch-still">In the built book, where scripts run, a GAN trains here.</p><script type="application/json">{"setting": "lesson=collapse"}</script></div>
#
# On pictures it is easy to miss, but it can be counted: a judge network, trained on faces with
# **independent** eyes, reads hair, skin, background and eyes of 500 generated faces. A second number needs no judge: the
# *spread* of a pixel from sample to sample, relative to the data's.

# %%
def tell(name, images):
    """Combinations, share of unequal eyes, and spread of 500 faces."""
    reading = judge.read(images)
    seen, mismatch = judge.coverage(reading)[0], judge.heterochromia(reading)
    spread = images.std(0).mean() / real[:500].std(0).mean()
    print(f"{name:18} {seen:4} combinations, {mismatch:4.0%} unequal eyes,",
          f"spread {spread:4.0%}")
    return seen, mismatch, spread


tell("real faces", real[:500])
seen, mismatch, spread = tell("DCGAN", model.sample(500))

# %% [markdown]
# Now without batch normalization in either network:

# %%
keras.utils.set_random_seed(1)
plain = (dcgan.generator(RESOLUTION, WIDTH, LATENT, batch_norm=False),
         dcgan.discriminator(RESOLUTION, WIDTH, batch_norm=False))
bare = gan.GAN(*plain, ema_decay=0.99)
bare.compile(**ttur.preset("dcgan"), loss="bce")
bare.fit(data, steps=STEPS, batch_size=BATCH, log_every=EVERY, verbose=0)
bare_seen, _, bare_spread = tell("without batch norm", bare.sample(500))

# %% tags=["remove-cell"]
titles = ["with batch normalization", "without"]
page.show("fig_collapse", plots.pictures([model.sample(16), bare.sample(16)], columns=4, titles=titles))
page.glue("dcgan-seen", seen)
page.glue("bare-seen", bare_seen)
page.glue("perfect-seen", judge.expected_coverage(500, possible), "{:.0f}")
page.glue("bare-spread", 100 * bare_spread, "{:.0f}")
page.glue("dcgan-spread", 100 * spread, "{:.0f}")
page.glue("dcgan-mismatch", 100 * mismatch, "{:.0f}")
page.took(started)

# %% [markdown]
# ```{glue:figure} fig_collapse
# :name: fig-collapse
# :alt: Two grids of generated faces after equal training, with batch normalization and without.
#
# After equally many steps, with and without batch normalization. Nothing was picked out.
# ```
#
# A perfect generator shows {glue:text}`perfect-seen:s` combinations on average, our DCGAN
# {glue:text}`dcgan-seen:s`, and without batch normalization it is {glue:text}`bare-seen:s`. The spread is
# {glue:text}`dcgan-spread:s` % with it and {glue:text}`bare-spread:s` % without.
#
# Look at {numref}`fig-collapse` before you trust a count: the judge answers even where there is no face.
# Few combinations can mean few *kinds* of face, which is mode collapse, or no faces at all, which is a
# training that never got going.
#
# And the rule? In {glue:text}`dcgan-mismatch:s` % of the DCGAN's faces the irises differ; drawn
# apart, of six colours, they would in five cases of six. {doc}`03_attention` returns to the rule.

# %% [markdown]
# ## Over seeds
#
# One run is an anecdote; {doc}`claims` has several seeds of each. A smaller *Fréchet distance* from the real
# faces is better ({doc}`91_evaluation`).

# %% tags=["remove-cell", "long", "ledger"]
from sagan_experiments import ledger

results = ledger.of_chapter("01_dcgan")
ROWS = {"no batch normalization": "bn-quality", "the same, Glorot's weights": "bn-quality-glorot",
        "the same, He's weights": "bn-quality-he", "pooling in D": "strided", "ReLU in D": "leaky-quality",
        "a quarter of the rates": "rate-low", r"$\beta_1 = 0.9$": "momentum", "four times the rates": "rate-high"}
page.show("fig_dcgan_seeds", plots.seeds({words: results[name] for words, name in ROWS.items()}))
for name, form in {"bn-quality": "{:.0f}", "rate-low": "{:.0f}", "strided": "{:.1f}", "leaky-quality": "{:.1f}"}.items():
    assert results[name].verdict == ledger.HOLDS, name  # as the text says
    page.glue(f"{name}-times", np.exp(results[name].mean), form)
assert results["rate-high"].verdict == ledger.OPPOSITE
page.glue("rate-high-times", np.exp(-results["rate-high"].mean), "{:.0f}")
for name, like in (("bn-quality-glorot", "bn-quality"), ("bn-quality-he", "bn-quality"), ("momentum", "rate-low")):
    assert results[name].verdict == ledger.HOLDS
    assert abs(results[name].mean - results[like].mean) < 0.3
bare_best = min(run["frechet"] for name in ("dcgan_no_bn", "dcgan_no_bn_glorot", "dcgan_no_bn_he")
                for run in ledger.runs(name)[0])
worst = max(run["frechet"] for run in ledger.runs("dcgan")[0])
page.glue("bare-best", round(bare_best, -2), "{:,.0f}")
page.glue("bn-worst", round(worst, -2), "{:,.0f}")
assert bare_best > 2 * worst

# %% [markdown]
# ```{glue:figure} fig_dcgan_seeds
# :name: fig-dcgan-seeds
# :alt: Eight rows of dots, a bar and a tick each, on a logarithmic axis of factors. Four times the rates lie left of 1, all others right of it.
#
# Fréchet distance after the change, divided by before. Dot: a seed. Bar: 97.5 % interval of the mean. Tick: the
# smallest effect worth naming.
# ```
#
# **At these rates batch normalization starts the game.** Without it the distance is about
# {glue:text}`bn-quality-times:s` times as large, also with weights scaled by a layer's size
# {cite:p}`glorot2010understanding,he2015delving`: small weights are not the reason.
# The best run without it is at about {glue:text}`bare-best:s`, the worst with it at
# {glue:text}`bn-worst:s`: these runs did not collapse, they never started.
#
# **Strides and leaky ReLU help.** Pooling in $D$ gives {glue:text}`strided-times:s` times the distance, plain
# ReLU {glue:text}`leaky-quality-times:s` times.
#
# **The rates decide as much.** A quarter of DCGAN's gives {glue:text}`rate-low-times:s` times the distance,
# and so does Adam's default $\beta_1 = 0.9$; four times its rates divide it by {glue:text}`rate-high-times:s`.
# These are short runs; {ref}`longer-look` shows how the order changes. Whether the next chapter beats DCGAN's
# recipe where each has its best rates, is undecided ({doc}`02_spectral_norm`).

# %% tags=["remove-cell", "ledger"]
from sagan_lib.book import scales

scales.fold("01_dcgan", "dcgan-seen", "dcgan-mismatch", "bare-seen")

# %% [markdown]
# ````{admonition} At 64 pixels
# :class: dropdown
#
# ```{glue:figure} fig_01_large
# :name: fig-01-large
# :alt: Clear faces with batch normalization; without it the same pattern of dots everywhere.
#
# With batch normalization and without it: {glue:text}`large-state:s`.
# ```
#
# It still decides. In the longer run {glue:text}`large-dcgan-seen:s` combinations appear with it, and
# {glue:text}`large-dcgan-mismatch:s` % of the eyes differ; without it there is one pattern.
# ````

# %% [markdown]
# ## Summary
#
# - A step is two moves: $D$ down its loss, then $G$ down its own, each over its own variables.
# - The game ends well if $G$ draws the data's distribution. Nothing says that training gets there.
# - $G$ learns only through $D$'s slope; the non-saturating loss pushes most where $G$ is worst.
# - At these rates our DCGAN does not start without batch normalization.
# - Variety must be counted: losses do not show it.

# %% [markdown]
# ## Exercises
#
# ```{exercise} What narrows the fakes?
# :label: ex-dcgan-push
#
# On the line, let $w = 1$, $b < 1.5$, and $D$ at its best. Which weights does $G$ move under the hinge loss,
# $-\mathbb{E}[D(G(z))]$, and which under the non-saturating one?
# ```
#
# ```{solution} ex-dcgan-push
# :class: dropdown
#
# $D^*$ is a straight line of slope $1.5 - b > 0$. The hinge loss pushes all fakes alike: $b$ grows, and $w$
# stays, as $\mathbb{E}[z] = 0$. The other pushes most where $z$, and so the score, is smallest: $b$ grows and
# $w$ shrinks.
# ```
#
# ```{exercise} How many faces to look at?
# :label: ex-dcgan-coverage
#
# How many of $k$ equally likely combinations do $n$ draws show on average? Which $n$ shows 99 % of 250?
# ```
#
# ```{solution} ex-dcgan-coverage
# :class: dropdown
#
# Each is missed with chance $(1 - 1/k)^n$, so $k\,(1 - (1 - 1/k)^n)$ are seen
# (`judge.expected_coverage`). For 99 %, $n = \ln 0.01 / \ln 0.996 \approx 1149$.
# ```

# %% [markdown]
# ## Problem set
#
# Problem set 1 goes on from here: {doc}`problem_sets` says how to get it.
