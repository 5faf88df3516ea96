# %% [markdown]
# # Two time scales: let the discriminator keep up
#
# A constrained discriminator often learns slowly, say {cite:t}`zhang2018sagan`. The usual remedy moves it five
# times for each step of the generator, and pays for all five. Their remedy, after {cite:t}`heusel2017ttur`, is a
# larger **learning rate** for it, and one move each.
#
# ```{admonition} What you will see
# - when two players circle and when they settle, in a game solved on paper;
# - what the theorem behind two time scales says;
# - equal rates, two time scales and five-to-one, for the **same work**;
# - what an average of $G$'s weights brings.
# ```
#
# ```{figure} ../_book/static/diagrams/time_scales.svg
# :name: fig-time-scales
# :alt: Two rows of bars. Above, five low bars of D for each low bar of G. Below, a tall bar of D and a low bar of G in turn.
#
# Two ways to let $D$ keep up. Each bar is an update, its height the learning rate.
# ```
#
# ```{admonition} Before you start
# :class: tip
# You need {doc}`02_spectral_norm` and, for one exercise, eigenvalues of a 2x2 matrix. The page takes
# {glue:text}`core-seconds:s` seconds of one core, where it was made.
# ```

# %%
import time
from sagan_lib import devices

devices.setup()
started, SCALE = time.perf_counter(), devices.scale()
RESOLUTION, WIDTH, STEPS = devices.at_scale((32, 8, 300), (64, 16, 1500))
BATCH = 16 if SCALE == "cpu" else 64

# %% [markdown]
# ## The smallest game
#
# Let the data be the point 0, $G$'s fake the point $\theta$, and $D(x) = \psi x$. Then $G$ lowers and
# $D$ raises
#
# $$
# V(\theta, \psi) = \theta\psi - \tfrac{\beta}{2}\,\psi^2 .
# $$ (eq-toy)
#
# This is the *Dirac-GAN* of {cite:t}`mescheder2018which` with the Wasserstein loss. $D$ scores the fake
# high here, the reverse of {doc}`01_dcgan`. The last term penalizes $D$'s slope: a **brake**. The
# equilibrium is $(0, 0)$. The players step *at once*, or *in turn*: $D$ first, then $G$ against the $D$
# that has moved.

# %%
import numpy as np

def play(ratio, brake=1.0, in_turn=False, steps=400, rate_g=0.05):
    """The path of (theta, psi) from (1, 0); D's rate is `ratio` times G's."""
    path = [(1.0, 0.0)]
    for _ in range(steps):
        theta, psi = path[-1]
        moved = psi + ratio * rate_g * (theta - brake * psi)
        path.append((theta - rate_g * (moved if in_turn else psi), moved))
    return np.array(path)

# %% tags=["nbval-check-output"]
def outcome(brake, in_turn):
    """What comes of the game at ratios of 1, 4 and 16, in 2,000 steps."""
    ends = [np.hypot(*play(r, brake, in_turn, 2000)[-1]) for r in (1, 4, 16)]
    if max(ends) < 1e-3:
        return "settles"
    return "runs away" if min(ends) > 10 else "goes round"

for brake in (0.0, 1.0):
    print(f"brake {brake:g}: {outcome(brake, False)} at once, {outcome(brake, True)} in turn")

# %% tags=["remove-cell"]
import matplotlib.pyplot as plt
from sagan_lib.book import page, plots

figure, axes = plt.subplots(1, 2, figsize=(6, 3), sharex=True, sharey=True)
for axis, in_turn in zip(axes, (False, True)):
    path = play(1, 0.0, in_turn, steps=377)  # three rounds
    axis.plot(*path.T, color=plots.COLOURS[0])
    axis.plot(*path[0], "o", color=plots.COLOURS[1])
    axis.plot(*path.mean(0), "kx", ms=8)
    axis.set(xlabel="$\\theta$ (generator)", title="in turn" if in_turn else "at once", aspect="equal")
assert np.linalg.norm(path.mean(0)) < 0.1  # "close to it", below
axes[0].set_ylabel("$\\psi$ (discriminator)")
figure.tight_layout()
page.show("fig_toy", figure)

# %% [markdown]
# ```{glue:figure} fig_toy
# :name: fig-toy
# :alt: Two paths of theta and psi. Left, a spiral outwards; right, a closed ring. The mean of the right path is a cross in its middle.
#
# Without a brake, at equal rates. Dot: the start. Cross: the mean of the path.
# ```
#
# Without the brake the game never settles. At once, it runs away; in turn, as GANs are trained, it goes
# round for ever. With the brake it settles, and the ratio decides whether it circles on the way. (Spectral
# normalization is no such brake: it bounds $D$'s slope and does not pull it to zero.) Move the ratio, and
# find where the circling ends:

# %% tags=["remove-input"]
RATIOS = (0.25, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 3.9, 4.1, 5, 6, 8, 12, 16)

def circles(ratio, rate_g=0.05):
    """Whether a step at once, with the brake, has complex eigenvalues: whether it rotates."""
    step = np.array([[1, -rate_g], [ratio * rate_g, 1 - ratio * rate_g]])
    return bool(np.iscomplex(np.linalg.eigvals(step)).any())

assert [circles(ratio) for ratio in RATIOS] == [ratio < 4 for ratio in RATIOS]
paths = [{"ratio": ratio, "path": play(ratio, steps=200).round(4).tolist(), "turns": circles(ratio)}
         for ratio in RATIOS]
still, axis = plt.subplots(figsize=(3, 3))
axis.plot(*play(1).T, color=plots.COLOURS[0])
page.touch("game", {"paths": paths}, still,
           "the path of both parameters where D is as fast as G: it circles towards the middle")

# %% [markdown]
# At 4, exactly, where both step at once, as here ({ref}`ex-ttur-four`): a property of this toy, and no reason for
# SAGAN's 4. Two real networks, on points in the plane ({doc}`playground`):
#
# <div class="touch" data-touch="playground"><p class="touch-still">In the built book, where scripts run, a GAN trains here.</p><script type="application/json">{"setting": "lesson=circle"}</script></div>
#
# ## What the theorem says
#
# {cite:t}`heusel2017ttur` prove that the pair converges to a local equilibrium if
#
# - both rates shrink, so that their sums diverge, but not those of their squares;
# - $\eta_G / \eta_D \to 0$: in the end $D$ is faster by *any* factor;
# - the gradients are Lipschitz, and their noise has mean 0 and bounded variance;
# - for each $G$ held still, $D$ is drawn to one best answer, Lipschitz in $G$;
# - $G$, facing that best $D$, is drawn to an equilibrium, and nothing runs away.
#
# So $G$ descends as if $D$ were always done. The theorem names no ratio, says nothing of constant rates,
# and does not promise good pictures. In its authors' table 1, $D$'s rate is 3 times $G$'s for a Wasserstein
# GAN, and a fifth to a fiftieth of it for DCGAN. The 4 is SAGAN's choice.

# %% [markdown]
# ## Four settings, equal work
#
# SAGAN has rates of 0.0001 and 0.0004. Our runs are short, so $G$'s is larger in all. Five-to-one does more in
# each step, so it gets fewer, for the same floating-point operations.

# %%
from sagan_lib import cost, dcgan, sagan

def networks():
    """A fresh pair: DCGAN's G, SAGAN's D without attention."""
    return (dcgan.generator(RESOLUTION, WIDTH, 64),
            sagan.discriminator(RESOLUTION, WIDTH, attention_at=None))

SETTINGS = {
    "equal rates": dict(g_rate=4e-4, d_rate=4e-4, n_dis=1),
    "D 4 times": dict(g_rate=4e-4, d_rate=1.6e-3, n_dis=1),
    "5 D steps": dict(g_rate=4e-4, d_rate=4e-4, n_dis=5),
    "both larger": dict(g_rate=1e-3, d_rate=4e-3, n_dis=1),
}

# %%
PAIR = networks()
work = {n_dis: cost.plan(*PAIR, BATCH, 1, n_dis).step_flops for n_dis in (1, 5)}
for setting in SETTINGS.values():
    setting["steps"] = round(STEPS * work[1] / work[setting["n_dis"]])
print(f"scale {SCALE}: four runs, each like {STEPS} steps;")
print(cost.plan(*PAIR, BATCH, STEPS))

# %%
import functools
import keras
from sagan_lib import gan, ttur
from sagan_lib.datasets import faces

data = faces.Faces(RESOLUTION, size=8192)

@functools.cache
def build(n_dis):
    """A model, all that changes in it, and the values of that at the start."""
    keras.utils.set_random_seed(4)
    model = gan.GAN(*networks(), ema_decay=0.99)
    model.compile(**ttur.two_time_scale(n_dis=n_dis))
    state = [*model.variables, *model.g_optimizer.variables, *model.d_optimizer.variables]
    return model, state, [np.array(variable) for variable in state]

# %%
def run(g_rate, d_rate, n_dis, steps):
    """Train one setting from the start; the model."""
    model, state, start = build(n_dis)
    for variable, value in zip(state, start):
        variable.assign(value)
    of_g, of_d = model.g_optimizer, model.d_optimizer
    of_g.learning_rate, of_d.learning_rate = g_rate, d_rate
    model.fit(data, steps=steps, batch_size=BATCH, log_every=STEPS, verbose=0)
    assert int(of_d.iterations) == n_dis * int(of_g.iterations)
    return model

# %%
from sagan_lib.datasets.source import from_bytes
from sagan_lib.evaluation import judge, metrics, scores

features = scores.extractor("judge").features
real = features(from_bytes(data.images[:2000]))
samples, seen, distance = {}, {}, {}
for name, setting in SETTINGS.items():
    model = run(**setting)
    samples[name] = [model.sample(500, ema=average) for average in (True, False)]
    distance[name] = [metrics.frechet(real, features(x)) for x in samples[name]]
    seen[name] = judge.coverage(judge.read(samples[name][0]))[0]

# %% tags=["remove-cell"]
shown = [averaged[:8] for averaged, _ in samples.values()]
page.show("fig_ttur_samples", plots.pictures(shown, columns=2, titles=list(samples)))
for key, name in zip(("equal", "ttur", "five", "text"), SETTINGS):
    page.glue(f"seen-{key}", seen[name])
page.glue("price", SETTINGS["equal rates"]["steps"] / SETTINGS["5 D steps"]["steps"], "{:.1f}")

# %% [markdown]
# ```{glue:figure} fig_ttur_samples
# :name: fig-ttur-samples
# :alt: Four grids of eight samples, one for each setting.
#
# Eight samples of each setting, from the same noise. Nothing picked.
# ```

# %% tags=["remove-input"]
from IPython.display import Markdown

rows = ["| setting | steps of G | combinations of 250 | Fréchet distance | without averaging |",
        "|---|---|---|---|---|"]
for name, setting in SETTINGS.items():
    averaged, last = distance[name]
    rows.append(f"| {name} | {setting['steps']:,} | {seen[name]} | {averaged:,.0f} | {last:,.0f} |")
Markdown("\n".join(rows))

# %% [markdown]
# Another seed may order the rows otherwise. The price is sure: for the same work, one-to-one makes
# {glue:text}`price:s` times as many steps of $G$ as five-to-one.

# %% [markdown]
# ## Average the generator
#
# In {numref}`fig-toy`, right, the mean of the path is close to the equilibrium. So average $G$'s weights $w$
# after each step:
#
# $$
# \bar w \leftarrow \alpha\,\bar w + (1 - \alpha)\,w .
# $$ (eq-average)
#
# Images are drawn with $\bar w$ {cite:p}`karras2017progressive,brock2018biggan`; training does not see it.
# The average remembers about $1/(1 - \alpha)$ steps, so in a short run it can lag behind: compare the table's
# last two columns.

# %% [markdown]
# ## Which player should be faster?
#
# What holds $D$ decides. In fair trials ({doc}`claims`) four ways to train each had the same search over 16 pairs of
# rates:

# %% tags=["remove-input", "ledger"]
from sagan_experiments import answers, figures, ledger, trials, ways

store = trials.open_store()
rows = ["| what holds $D$ | best rates of $G$ and $D$, x 1e-4 | $D$'s over $G$'s | second and third |",
        "|---|---|---|---|"]
HOLD = {"sn": "SN, hinge", "r1": "R1, cross-entropy", "dcgan": "DCGAN's recipe", "none": "nothing, hinge"}
ratios = {}
for way, words in HOLD.items():
    pairs = [ways.rates_of(name) for name in trials.candidates(way, store)]
    ratios[way] = [d_rate / g_rate for g_rate, d_rate in pairs]
    shown = [f"{ratio:g}" if ratio >= 1 else f"1/{1 / ratio:g}" for ratio in ratios[way]]
    rows.append(f"| {words} | {1e4 * pairs[0][0]:g} and {1e4 * pairs[0][1]:g} | {shown[0]} | {', '.join(shown[1:])} |")
assert min(ratios["sn"]) >= 1  # as the text says
assert max(r for way in ("r1", "dcgan", "none") for r in ratios[way]) <= 1
Markdown("\n".join(rows))

# %% [markdown]
# With SN the best three have a $D$ as fast as $G$ or faster, the others' as fast or slower. {cite:t}`heusel2017ttur`
# chose likewise: a faster $D$ for their Wasserstein GAN, a slower one for DCGAN. The rates tried end at 5 and at 40, so
# R1 and hinge alone may do better still with rates further apart. {numref}`fig-penalty-rates` has all 16 pairs of each,
# with one seed; two decide here.

# %% [markdown]
# ## Over seeds
#
# Each ratio has its own best pair, {glue:text}`fair-steps:s` steps, and the mean over the last half.

# %% tags=["remove-cell", "long", "ledger"]
found = answers.answered(store, "04_ttur")
page.show("fig_ttur_seeds", figures.forest(found))
page.glue("fair-steps", store.protocol.steps, "{:,}")
for name, each in found.items():
    page.glue(f"fair-{name}", np.exp(each.mean), "{:.1f}")
sides = {"quarter": "sn:0.25", "1": "sn:1", "4": "sn:4", "best": "sn"}
for name, side in sides.items():
    runs = store.seeds("arms", trials.best(side, store))
    counted = sorted(np.exp(trials.quality(runs[seed])) for seed in found["ttur"].values)
    page.glue(f"ends-{name}", f"{counted[0]:.0f} and {counted[-1]:.0f}")
page.glue("fair-seeds", len(found["ttur"].values))
assert found["ttur"].verdict == found["ttur-turned"].verdict == "undecided"  # as the text says
assert found["averaging"].verdict == found["averaging-dcgan"].verdict == "holds"
assert ratios["sn"][0] == 2
assert min(found["ttur-turned"].values.values()) > 0
once = ledger.result("one-forward")
assert once.verdict == ledger.HOLDS
page.glue("one-forward-factor", np.exp(once.mean), "{:.1f}")

# %% [markdown]
# ```{glue:figure} fig_ttur_seeds
# :name: fig-ttur-seeds
# :alt: Five sentences, each above a row of dots and a bar, with its verdict below.
#
# Dot: a seed. Bar: 98.3 % interval of the mean. In the grey band no difference is worth naming; a bar wholly right of
# it says that the sentence is right.
# ```
#
# **Is four times better than equal?** Undecided, and so is whether a quarter is worse, though it was in every seed.
# The spread differs, too. Over {glue:text}`fair-seeds:s` seeds a quarter ends between {glue:text}`ends-quarter:s`, equal rates between
# {glue:text}`ends-1:s`, four times between {glue:text}`ends-4:s`, and SN's best pair of all, with $D$ twice as fast,
# between {glue:text}`ends-best:s`.
#
# **Averaging pays**: in the end the last weights have {glue:text}`fair-averaging:s` times the distance of their average with
# SN, and {glue:text}`fair-averaging-dcgan:s` times in DCGAN.
#
# ````{admonition} In turn, or from one forward pass?
# :class: dropdown
#
# The code of the article that this book grew from ({download}`errata <../ERRATA.md>`) takes both gradients from one forward
# pass, so $G$ learns from the old $D$. In short runs that makes {glue:text}`one-forward-factor:s` times the distance.
#
# ```{figure} ../_book/static/diagrams/gradients.svg
# :name: fig-gradients
# :alt: Two rows. In D's step the loss sends its gradient to D alone, and G stays. In G's step it goes through D, which stays, to G.
#
# Which network each gradient reaches, and which one moves.
# ```
# ````

# %% tags=["remove-cell", "ledger"]
from sagan_lib.book import scales

large = scales.fold("04_ttur", "seen-equal", "seen-ttur", "seen-five")
assert int(large["seen-five"]) < int(large["seen-equal"]) < int(large["seen-ttur"])

# %% [markdown]
# ````{admonition} At 64 pixels
# :class: dropdown
#
# ```{glue:figure} fig_04_large
# :name: fig-04-large
# :alt: Four grids of faces at 64 pixels; all four settings draw faces.
#
# At 64 pixels: {glue:text}`large-state:s`. Two grids have old names: the second is *D 4 times*, the last *both
# larger*.
# ```
#
# Five-to-one is last again, now with {glue:text}`large-seen-five:s` combinations. $D$ 4 times has
# {glue:text}`large-seen-ttur:s`, equal rates {glue:text}`large-seen-equal:s`.
# ````

# %% tags=["remove-cell"]
page.took(started)

# %% [markdown]
# ## Summary
#
# - In the small game a brake on $D$ makes the pair settle; the ratio decides whether it circles.
# - The theorem names no ratio.
# - A larger rate and more steps both speed $D$ up. Only the larger rate costs no work.
# - SN's best pairs of rates had a $D$ as fast as $G$ or faster, the others' as fast or slower.
# - An averaged $G$ costs a copy, and paid in the trials.
#
# ## Exercises
#
# ```{exercise} Why four
# :label: ex-ttur-four
#
# In {eq}`eq-toy` with $\beta = 1$, at which $\eta_D/\eta_G$ does the rotation stop: at once, and in turn?
# ```
#
# ```{solution} ex-ttur-four
# :class: dropdown
#
# The step is $\begin{pmatrix} 1 & -\eta_G \\ \eta_D & 1 - \eta_D \end{pmatrix}$. Its eigenvalues $1 - \mu$
# have $\mu^2 - \eta_D\mu + \eta_G\eta_D = 0$, and are real for $\eta_D \ge 4\eta_G$. In turn, the trace is
# $2 - \eta_D(1 + \eta_G)$ and the determinant $1 - \eta_D$: real for $\eta_D \ge 4\eta_G/(1 + \eta_G)^2$.
# ```
#
# ```{exercise} A sweep
# :label: ex-ttur-sweep
#
# Run ratios 1, 2, 4 and 8 with three seeds each, and plot all runs. Is there a best ratio?
# ```
#
# ```{solution} ex-ttur-sweep
# :class: dropdown
#
# Give `build` a seed (`set_random_seed`, `gan.GAN(..., seed=...)`). Name the smallest difference that you would act
# on; if the interval of the mean has it inside, the honest answer is "undecided".
# ```
#
# Problem set 4 goes on from here: {doc}`problem_sets`.
