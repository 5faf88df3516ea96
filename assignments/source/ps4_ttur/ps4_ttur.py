# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 4: two time scales
#
# This set goes with chapter 4 of the book. You write a training step with two optimizers, find on paper when a small
# game converges, mend five faults of published code, measure what a second learning rate buys, and
# explain the rest in words. 100 points; 60 to 120 minutes.
#
# Write where it says "your code here" or "Your answer here". Cells with tests are locked: run them
# to see what is still wrong. Some tests are run only when your work is graded. Helpers, parameters with
# default values, loops, float32, lists and tensors are yours to choose: what counts is the numbers
# that your functions give. Leave the arrays that you are given as they are. Restart the kernel and
# run all cells once before you hand in.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from types import SimpleNamespace

from sagan_lib.book.classroom import beside_answers, call, close, is_pair

import keras  # after sagan_lib, which keeps TensorFlow quiet
import numpy as np
import tensorflow as tf

SEED = 0  # set by your instructor

# %% [markdown]
# ## 1. A training step with two optimizers (20 points: 8 for each player alone, 8 for order and noise, 4 for `n_dis`)
#
# One step moves $D$ `n_dis` times and then $G$ once, with the hinge loss
#
# $$
# L_D = \overline{\max(0,\, 1 - D(x))} + \overline{\max(0,\, 1 + D(G(z)))}, \qquad
# L_G = -\,\overline{D(G(z))},
# $$
#
# where a bar is the mean over the batch. Write
# `train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1)` with
# TensorFlow:
#
# - `real` holds `n_dis` batches one after another. Each step of $D$ takes the next one.
# - `draw(n)` gives `n` rows of noise, different ones in each call. Each step of $D$ takes new noise,
#   and so does the step of $G$. Noise is drawn in the order in which it is used: $D$'s first, $G$'s last. All batches of noise have as many rows as one batch of real images.
# - $G$ learns from the $D$ that has just moved.
# - Each player moves its own `trainable_variables` only, with its own Keras optimizer:
#   `optimizer.apply(gradients, variables)`.
# - Call both networks with `training=True`, also where they do not learn.
#
# Return the pair `(d_loss, g_loss)`: the loss of $D$'s last step and that of $G$'s step, each as it was
# before the move that it caused. Write the losses yourself, and leave `tf.function` out: `draw` counts its
# calls. The tests look at the numbers: what moved, what was drawn, what comes back. You may call a
# network once more on the same images; what is frozen stays frozen.

# %% nbgrader={"grade": false, "grade_id": "train_step", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["GAN", "hinge_d", "hinge_g"]
def train_step(real, draw, generator, discriminator, g_optimizer, d_optimizer, n_dis=1):
    ### BEGIN SOLUTION
    for part in tf.split(real, n_dis):
        fake = generator(draw(len(part)), training=True)
        with tf.GradientTape() as tape:
            on_real = discriminator(part, training=True)
            on_fake = discriminator(fake, training=True)
            d_loss = tf.reduce_mean(tf.nn.relu(1 - on_real)) + tf.reduce_mean(tf.nn.relu(1 + on_fake))
        of_d = discriminator.trainable_variables
        d_optimizer.apply(tape.gradient(d_loss, of_d), of_d)
    z = draw(len(part))
    with tf.GradientTape() as tape:
        scores = discriminator(generator(z, training=True), training=True)
        g_loss = -tf.reduce_mean(scores)
    of_g = generator.trainable_variables
    g_optimizer.apply(tape.gradient(g_loss, of_g), of_g)
    return d_loss, g_loss
    ### END SOLUTION

# %% [markdown]
# The tests use networks of one dense layer with weights set by hand, and plain gradient descent.
# `played` runs your step on them. `moved` knows the same losses in numpy and takes their slopes
# from differences.

# %% nbgrader={"grade": false, "grade_id": "nets", "locked": true, "schema_version": 3, "solution": false, "task": false}
class Net(keras.Sequential):
    """One dense layer on two numbers; it notes in which mode it is called."""

    def __init__(self, weights):
        super().__init__([keras.Input((2,)), keras.layers.Dense(len(weights) // 3)])
        self.set_weights([weights[: -len(weights) // 3].reshape(2, -1), weights[-len(weights) // 3 :]])
        self.modes = []

    def call(self, inputs, training=None, **options):
        self.modes.append(training)
        return super().call(inputs, training=training, **options)

    def flat(self):
        return np.concatenate([w.ravel() for w in self.get_weights()])


@beside_answers
def one_step(d, g, real, noises, g_rate, d_rate, n_dis, frozen):
    """Your step on such networks, in numbers."""
    generator, discriminator = Net(g), Net(d)
    for network in (generator, discriminator):
        network.layers[-1].bias.trainable = not frozen
    optimizers = [keras.optimizers.SGD(rate) for rate in (g_rate, d_rate)]
    for optimizer in optimizers:  # on all, so that a wrong owner is found by what moves
        optimizer.build(generator.variables + discriminator.variables)
    drawn = []

    def draw(n):
        drawn.append(int(n))
        return tf.constant(np.resize(noises[(len(drawn) - 1) % len(noises)], (int(n), 2)), tf.float32)

    pair = call(train_step, tf.constant(real, tf.float32), draw, generator, discriminator, *optimizers, n_dis)
    assert is_pair(pair), "train_step must give two things: d_loss and g_loss."
    return {
        "d": discriminator.flat(), "g": generator.flat(), "d_loss": pair[0], "g_loss": pair[1], "drawn": drawn,
        "updates": [int(o.iterations.numpy()) for o in optimizers], "modes": generator.modes + discriminator.modes,
        "free": [v.trainable for network in (generator, discriminator) for v in network.variables],
    }


def played(d, g, real, noises, g_rate, d_rate, n_dis=1, frozen=False):
    """Your step: both networks' weights after it, the losses, what was drawn, the updates."""
    return SimpleNamespace(**call(one_step, d, g, real, noises, g_rate, d_rate, n_dis, frozen))


def d_loss_of(d, g, real, z):
    fake = z @ g[:4].reshape(2, 2) + g[4:]
    return np.maximum(0, 1 - real @ d[:2] - d[2]).mean() + np.maximum(0, 1 + fake @ d[:2] + d[2]).mean()


def g_loss_of(g, d, z):
    return -np.mean((z @ g[:4].reshape(2, 2) + g[4:]) @ d[:2] + d[2])


def moved(loss, weights, rate, *rest):
    """The weights after one step down the loss, by moving one weight at a time."""
    steps = 1e-8 * np.eye(len(weights))  # the losses are made of straight lines
    return weights - rate * np.array([(loss(weights + s, *rest) - loss(weights - s, *rest)) / 2e-8 for s in steps])


def drawn_game(seed, n_dis=1, size=8):
    """Weights of D (two and a bias) and of G (four and two biases), real images, batches of noise."""
    rng = np.random.default_rng([SEED, seed])
    d, g, real = rng.normal(size=3), rng.normal(size=6), rng.normal(0, 1.5, size=(n_dis * size, 2))
    return d, g, real, list(rng.normal(size=(n_dis + 1, size, 2)))

# %% nbgrader={"grade": true, "grade_id": "train_step_test_d", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# G passes its noise on and stands still (rate 0). D gives the first number as the score.
d, g = np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
real, z = np.array([[0.5, 0.0], [3.0, 1.0]]), np.array([[0.0, 2.0], [-2.0, 5.0]])
after = played(d, g, real, [z], 0.0, 0.1)
close("G's weights when G's rate is 0", after.g, g, "Something else than G's own optimizer moves G.")
hint = "Scores: 0.5 and 3 of the real images, 0 and -2 of the fakes. Only the first of each costs anything."
close("d_loss", after.d_loss, (0.5 + 0.0) / 2 + (1.0 + 0.0) / 2, hint)
assert np.abs(after.d - d).max() > 0, "D did not move at a rate of 0.1. Which optimizer moves it, and which variables?"
close("D's weights", after.d, [1.025, -0.1, 0.0], hint)
assert all(after.modes), "A network was called without training=True."
### BEGIN HIDDEN TESTS
for seed in (1, 2):
    d, g, real, noises = drawn_game(seed)
    after = played(d, g, real, noises[:1], 0.0, 0.3)
    hint = "D's loss has a real side and a fake side; look at each."
    close("G's weights when G's rate is 0", after.g, g, "Something else than G's own optimizer moves G.")
    close("d_loss", after.d_loss, d_loss_of(d, g, real, noises[0]), hint, 1e-3)
    close("D's weights", after.d, moved(d_loss_of, d, 0.3, g, real, noises[0]), hint, 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "train_step_test_g", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# D stands still (rate 0) and gives twice the first number; G's noise has the mean (1, 1).
d, g = np.array([2.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
real, z = np.zeros((2, 2)), np.array([[0.0, 2.0], [2.0, 0.0]])
after = played(d, g, real, [z], 0.1, 0.0)
close("D's weights when D's rate is 0", after.d, d, "Something else than D's own optimizer moves D.")
assert np.abs(after.g - g).max() > 0, "G did not move at a rate of 0.1. Which optimizer moves it, and which variables?"
hint = "G wants D's scores of its images as high as it can get them, without a limit."
close("g_loss", after.g_loss, -2.0, hint)
close("G's weights", after.g, [1.2, 0.0, 0.2, 1.0, 0.2, 0.0], hint)
### BEGIN HIDDEN TESTS
for seed in (4, 5):
    d, g, real, noises = drawn_game(seed)
    after = played(d, g, real, noises[:1], 0.3, 0.0)
    close("D's weights when D's rate is 0", after.d, d, "Something else than D's own optimizer moves D.")
    close("g_loss", after.g_loss, g_loss_of(g, d, noises[0]), hint, 1e-3)
    close("G's weights", after.g, moved(g_loss_of, g, 0.3, d, noises[0]), hint, 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "train_step_test_order", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Both move, at two rates. The same noise in each draw, so that only the order counts.
d, g, real, noises = drawn_game(7)
after = played(d, g, real, noises[:1], 0.1, 0.4)
new_d = moved(d_loss_of, d, 0.4, g, real, noises[0])
close("D's weights", after.d, new_d, "Does D learn from the G of before this step, at its own rate?", 1e-3)
close("G's weights", after.g, moved(g_loss_of, g, 0.1, new_d, noises[0]), "From which D did G learn, and at whose rate?", 1e-3)
close("g_loss", after.g_loss, g_loss_of(g, new_d, noises[0]), "It is the loss of G's own step, with the D that has moved, before G moves.", 1e-3)
### BEGIN HIDDEN TESTS
after = played(d, g, real, noises[:1], 0.1, 0.4, frozen=True)
far = 100 * real  # large gradients
close("D's weights after images of large numbers", played(d, g, far, noises[:1], 0.0, 0.01).d, moved(d_loss_of, d, 0.01, g, far, noises[0]), "The optimizer gets the gradients as they are: nothing is clipped.", 1e-3)
close("the weights that are not trainable", [after.d[2], *after.g[4:]], [d[2], *g[4:]], "Each player moves its trainable_variables only; here the biases are frozen.")
assert list(after.free) == [True, False, True, False], "After the step other variables are frozen than before it. Leave `trainable` as it is."
d, g, real, noises = drawn_game(8)
after = played(d, g, real, noises[:1], 0.5, 0.2)
new_d = moved(d_loss_of, d, 0.2, g, real, noises[0])
close("D's weights", after.d, new_d, "Does D learn from the G of before this step, at its own rate?", 1e-3)
close("G's weights", after.g, moved(g_loss_of, g, 0.5, new_d, noises[0]), "From which D did G learn, and at whose rate?", 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "train_step_test_fresh", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
d, g, real, noises = drawn_game(10)
after = played(d, g, real, noises, 0.3, 0.0)
assert len(after.drawn) == 2, f"Noise was drawn {len(after.drawn)} time(s) for one step of D and one of G."
assert after.drawn == [8, 8], f"Batches of noise had {after.drawn} rows, and the batch of real images has 8."
close("G's weights", after.g, moved(g_loss_of, g, 0.3, d, noises[1]), "Is it the noise drawn for G that G learns from?", 1e-3)
### BEGIN HIDDEN TESTS
after = played(d, g, real, noises, 0.0, 0.3)
close("D's weights", after.d, moved(d_loss_of, d, 0.3, g, real, noises[0]), "Is the first noise that is drawn D's?", 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "train_step_test_ndis", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
d, g, real, noises = drawn_game(11, n_dis=3)
after = played(d, g, real, noises, 0.0, 0.2, n_dis=3)
assert after.updates == [1, 3], f"With n_dis = 3 there were {after.updates[0]} updates of G and {after.updates[1]} of D."
assert len(after.drawn) == 4, f"With n_dis = 3 noise was drawn {len(after.drawn)} times, not for each step of each player."
assert after.drawn == [8] * 4, f"Batches of noise had {after.drawn} rows; three batches of real images have 8 each."
new_d = d
for part, z in zip(np.split(real, 3), noises[:3], strict=True):
    last, new_d = d_loss_of(new_d, g, part, z), moved(d_loss_of, new_d, 0.2, g, part, z)
close("D's weights after three steps", after.d, new_d, "Does each step of D take the next batch of real images, and new noise?", 1e-3)
close("d_loss", after.d_loss, last, "The loss of D's last step is asked for.", 1e-3)
### BEGIN HIDDEN TESTS
d, g, real, noises = drawn_game(12, n_dis=2, size=5)
after = played(d, g, real, noises, 0.1, 0.2, n_dis=2)
new_d = d
for part, z in zip(np.split(real, 2), noises[:2], strict=True):
    new_d = moved(d_loss_of, new_d, 0.2, g, part, z)
close("D's weights after two steps", after.d, new_d, "Does each step of D take the next batch of real images, and new noise?", 1e-3)
close("G's weights after two steps of D", after.g, moved(g_loss_of, g, 0.1, new_d, noises[2]), "Does G learn from the last D, on noise of its own?", 1e-3)
close("g_loss after two steps of D", after.g_loss, g_loss_of(g, new_d, noises[2]), "It is the loss of G's own step: the D that has moved, on G's noise.", 1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. When does a game converge? (15 points: 7 for `step_matrix`, 3 for `radius`, 5 for `fastest`)
#
# $G$ has one parameter $\theta$, $D$ has one parameter $\psi$, and they play for
#
# $$V(\theta, \psi) = \theta\psi - \tfrac{c}{2}\psi^2 .$$
#
# $G$ goes down the slope of $V$ with rate $\eta_G$, $D$ goes up with rate $\eta_D$. The chapter has
# $c = 1$; here the decay $c \ge 0$ is free. One step is linear: a matrix times the column
# $(\theta, \psi)$. In a **simultaneous** step both take the slope at the old point. In an
# **alternating** step $D$ moves first, and $G$ takes its slope at the new $\psi$.
#
# Derive both matrices on paper. Then write
#
# - `step_matrix(rate_g, rate_d, decay, alternating)`: the 2 x 2 matrix of one step;
# - `radius(matrix)`: the spectral radius, the largest modulus of an eigenvalue. The game converges
#   where it is below 1;
# - `fastest(rate_g, decay)`: the rate $\eta_D$ at which the **alternating** game has the smallest
#   spectral radius, for $0 < \eta_G < c$. It is where the eigenvalues stop being complex. A formula or
#   a search with your own `step_matrix`, as you like.
#
# The cell below plays the game from $V$ alone, without your formulas. Do not call it.

# %% nbgrader={"grade": false, "grade_id": "run_game", "locked": true, "schema_version": 3, "solution": false, "task": false}
def run_game(rate_g, rate_d, decay, alternating, start, steps=1):
    """(theta, psi) after so many steps; the slopes are differences, exact for a quadratic V."""

    def worth(theta, psi):
        return theta * psi - decay / 2 * psi**2

    theta, psi = start
    for _ in range(steps):
        old = psi
        psi = old + rate_d * (worth(theta, old + 0.5) - worth(theta, old - 0.5))
        seen = psi if alternating else old
        theta = theta - rate_g * (worth(theta + 0.5, seen) - worth(theta - 0.5, seen))
    return np.array([theta, psi])


def game_radius(rate_g, rate_d, decay, alternating):
    """The spectral radius of the game itself, from two steps of it."""
    columns = [run_game(rate_g, rate_d, decay, alternating, start) for start in ((1.0, 0.0), (0.0, 1.0))]
    return np.abs(np.linalg.eigvals(np.stack(columns, 1))).max()


# %% nbgrader={"grade": false, "grade_id": "game", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["run_game", "game_radius"]
def step_matrix(rate_g, rate_d, decay, alternating):
    ### BEGIN SOLUTION
    d_row = np.array([rate_d, 1 - rate_d * decay])
    old_psi = np.array([0.0, 1.0])
    seen = d_row if alternating else old_psi
    g_row = np.array([1.0, 0.0]) - rate_g * seen
    return np.stack([g_row, d_row])
    ### END SOLUTION


def radius(matrix):
    ### BEGIN SOLUTION
    return np.max(np.abs(np.linalg.eigvals(matrix)))
    ### END SOLUTION


def fastest(rate_g, decay):
    ### BEGIN SOLUTION
    # Trace 2 - d (g + c) and determinant 1 - d c: trace^2 = 4 determinant.
    return 4 * rate_g / (rate_g + decay) ** 2
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "game_test_simultaneous", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
matrix = np.asarray(call(step_matrix, 0.1, 0.2, 0.5, False))
assert matrix.shape == (2, 2), f"The matrix has shape {matrix.shape}, not (2, 2)."
# From (1, 0): D's slope is 1, so psi goes to 0.2; G's slope is psi = 0, so theta stays.
close("the step from (1, 0)", matrix @ [1.0, 0.0], [1.0, 0.2], "The first column is where (theta, psi) = (1, 0) goes.")
# From (0, 1): D's slope is -0.5, so psi goes to 0.9; G's slope is 1, so theta goes to -0.1.
close("the step from (0, 1)", matrix @ [0.0, 1.0], [-0.1, 0.9], "The second column is where (theta, psi) = (0, 1) goes.")
### BEGIN HIDDEN TESTS
for rates in np.random.default_rng([SEED, 21]).uniform(0.05, 1.5, size=(4, 3)):
    matrix = call(step_matrix, *rates, False)
    for start in ([1.0, 0.0], [0.0, 1.0]):
        hint = "Play one simultaneous step by hand: both slopes are those of the old point."
        close(f"the step from {start}", np.asarray(matrix) @ start, run_game(*rates, False, start), hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "game_test_alternating", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
matrix = np.asarray(call(step_matrix, 0.1, 0.2, 0.5, True))
assert matrix.shape == (2, 2), f"The matrix has shape {matrix.shape}, not (2, 2)."
hint = "D moves first; then G takes its slope where D is now."
close("the alternating step from (1, 0)", matrix @ [1.0, 0.0], [0.98, 0.2], hint)
### BEGIN HIDDEN TESTS
for rates in np.random.default_rng([SEED, 22]).uniform(0.05, 1.5, size=(4, 3)):
    matrix = call(step_matrix, *rates, True)
    for start in ([1.0, 0.0], [0.0, 1.0]):
        close(f"the alternating step from {start}", np.asarray(matrix) @ start, run_game(*rates, True, start), hint)
    steps = np.linalg.matrix_power(matrix, 5) @ [1.0, -2.0]
    close("five alternating steps", steps, run_game(*rates, True, (1.0, -2.0), 5), hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "game_test_radius", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
hint = "All eigenvalues count, by their modulus."
close("the radius of diag(0.5, -0.9)", call(radius, np.diag([0.5, -0.9])), 0.9, hint)
close("the radius of a quarter turn", call(radius, np.array([[0.0, -1.0], [1.0, 0.0]])), 1.0, hint)
close("the radius of [[0.5, 8], [0, 0.2]]", call(radius, np.array([[0.5, 8.0], [0.0, 0.2]])), 0.5, hint)
# In the next one (1, 1) shrinks tenfold, and another direction does not.
close("the radius of [[0.5, -0.4], [-0.4, 0.5]]", call(radius, np.array([[0.5, -0.4], [-0.4, 0.5]])), 0.9, hint)
# Without decay: the simultaneous game spirals outwards. Its matrix with rates 0.1 and 0.4 is this.
got = call(radius, np.array([[1.0, -0.1], [0.4, 1.0]]))
growth = np.linalg.norm(run_game(0.1, 0.4, 0.0, False, (1.0, 0.0), 400)) ** (1 / 400)
close("the radius of a game that goes away", got, growth, "It must be the growth of the distance in each step. " + hint, 0.01)
### BEGIN HIDDEN TESTS
close("the radius of [[0, 1], [0, 0]]", call(radius, np.array([[0.0, 1.0], [0.0, 0.0]])), 0.0, hint)
draw = np.random.default_rng([SEED, 23])
for _ in range(5):
    basis, values = draw.normal(size=(2, 2)), draw.uniform(-2, 2, size=2)
    matrix = basis @ np.diag(values) @ np.linalg.inv(basis)
    close("the radius of a matrix with real eigenvalues", call(radius, matrix), np.abs(values).max(), hint, 1e-3)
    real, imaginary = values
    matrix = basis @ np.array([[real, -imaginary], [imaginary, real]]) @ np.linalg.inv(basis)
    close("the radius of a matrix with complex eigenvalues", call(radius, matrix), np.hypot(real, imaginary), hint, 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "game_test_fastest", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
got = call(fastest, 0.1, 1.0)
assert np.ndim(got) == 0 and np.isrealobj(got), "fastest must give one real number, a rate of D."
reached = game_radius(0.1, got, 1.0, True)
around = {rate: game_radius(0.1, rate, 1.0, True) for rate in np.linspace(0.01, 2.0, 200)}
assert reached < 1, f"At this rate of D the game does not converge: its radius is {reached:.3f}."
assert reached <= min(around.values()) + 1e-3, f"At this rate of D the radius is {reached:.3f}, and another rate does better. Set the discriminant of the alternating matrix to zero."
### BEGIN HIDDEN TESTS
pairs = np.random.default_rng([SEED, 24]).uniform((0.05, 0.6), (0.4, 3.0), size=(5, 2))
for rate_g, decay in [(0.2, 0.3), (0.04, 0.05), *pairs]:
    got = call(fastest, rate_g, decay)
    reached, best = game_radius(rate_g, got, decay, True), (decay - rate_g) / (decay + rate_g)
    assert reached <= best + 0.005, f"With G's rate {rate_g:.2f} and decay {decay:.2f} the radius is {reached:.3f}, and another rate of D does better. Is your formula that of the alternating game with any decay?"
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Find the bug (20 points: 4 for each function)
#
# Five short functions, each with one fault that the article or its code has too. Nothing crashes.
# Below each is what was noticed. Write the mended functions, without `_faulty` in their names.
# You may copy what is right, and call the faulty ones.

# %% nbgrader={"grade": false, "grade_id": "faulty", "locked": true, "schema_version": 3, "solution": false, "task": false}
def sigma_faulty(kernel):
    """The largest singular value of a convolution's matrix; kernel (height, width, in, out)."""
    return np.linalg.norm(np.reshape(kernel, (kernel.shape[-1], -1)), 2)


# Noticed: for random kernels it is off by a few percent. For a 3 x 3 x 2 x 4 kernel of zeros whose
# output 2 has ones it should be the length of that one column, 4.24, and it is 3.16.


def dense_faulty(x, kernel, u, training):
    """A spectrally normalized dense layer: its output, and the guess u for the next call."""
    if not training:
        return x @ kernel, u
    v = kernel @ u / np.linalg.norm(kernel @ u)
    new_u = kernel.T @ v / np.linalg.norm(kernel.T @ v)
    sigma = v @ kernel @ new_u
    return x @ (kernel / sigma), new_u


# Noticed: losses in training are fine, and the pictures sampled afterwards are not. For the same
# kernel, x and u the layer must give the same output when it is sampled, and leave its u alone.


class Layer:
    """x @ kernel. In training each call also moves u, the guess of a singular vector, once."""

    def __init__(self, kernel, u):
        self.kernel, self.u = kernel, u

    def __call__(self, x, training=False):
        if training:
            moved_u = self.kernel.T @ (self.kernel @ self.u)
            self.u = moved_u / np.linalg.norm(moved_u)
        return x @ self.kernel


def attend_faulty(x, query, key, value, training=False):
    """Attention over the rows of x with a residual; the last three are `Layer`s."""
    scores = query(x) @ key(x).T
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return x + weights / weights.sum(1, keepdims=True) @ value(x)


# Noticed: after 1,000 training steps the u of all three layers is still the random start.


def count_faulty(until, n_dis):
    """Trains until the step counter says `until`: (the counter, D's updates, G's updates)."""
    step = d_updates = g_updates = 0
    while step < until:
        for _ in range(n_dis):
            d_updates += 1
            step += 1
        g_updates += 1
        step += 1
    return step, d_updates, g_updates


# Noticed: asked for 600 steps with n_dis = 1, it stops after 300 updates of G. A step is n_dis
# updates of D and one of G, and after 600 steps the counter must say 600.


def epoch_faulty(n, rng, buffer=100):
    """The order in which n images are used once each in an epoch, shuffled."""
    waiting, order = [], []
    for index in range(n):
        waiting.append(index)
        if len(waiting) == buffer:
            order.append(waiting.pop(rng.integers(buffer)))
    while waiting:
        order.append(waiting.pop(rng.integers(len(waiting))))
    return np.array(order)


# Noticed: 2,000 images are sorted by colour, 200 of each of ten. The first 32 are all of one colour.

# %% nbgrader={"grade": false, "grade_id": "find_the_bug", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigma(kernel):
    ### BEGIN SOLUTION
    return np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2)
    ### END SOLUTION


def dense(x, kernel, u, training):
    ### BEGIN SOLUTION
    v = kernel @ u / np.linalg.norm(kernel @ u)
    new_u = kernel.T @ v / np.linalg.norm(kernel.T @ v)
    norm = v @ kernel @ new_u
    return x @ (kernel / norm), new_u if training else u
    ### END SOLUTION


def attend(x, query, key, value, training=False):
    ### BEGIN SOLUTION
    scores = query(x, training) @ key(x, training).T
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return x + weights / weights.sum(1, keepdims=True) @ value(x, training)
    ### END SOLUTION


def count(until, n_dis):
    ### BEGIN SOLUTION
    step = d_updates = g_updates = 0
    while step < until:
        d_updates += n_dis
        g_updates += 1
        step += 1
    return step, d_updates, g_updates
    ### END SOLUTION


def epoch(n, rng):
    ### BEGIN SOLUTION
    return rng.permutation(n)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "find_the_bug_test_sigma", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
kernel = np.zeros((3, 3, 2, 4))
kernel[..., 2] = 1.0
hint = "All weights of one output belong together, and the output is the kernel's last axis."
close("sigma of a kernel with one output", call(sigma, kernel), np.sqrt(18), hint)
### BEGIN HIDDEN TESTS
kernel = np.zeros((1, 2, 3, 2))
kernel[0, 0, 0, 0] = kernel[0, 1, 0, 1] = 1.0  # one input, two outputs at two places
close("sigma of a kernel with one input", call(sigma, kernel), 1.0, hint)
opposite = np.ones((2, 1, 3, 2)) * [1.0, -1.0]
close("sigma of a kernel with two opposite outputs", call(sigma, opposite), np.sqrt(12), "It must be the largest singular value of every kernel: on what does yours depend?")
for shape in [(3, 2, 4, 5), (2, 2, 3, 3), (1, 1, 6, 2), (1, 2, 2, 9), (1, 1, 1, 4)]:
    kernel = np.random.default_rng([SEED, 31]).normal(size=shape)
    expected = np.linalg.norm(np.stack([kernel[..., out].ravel() for out in range(shape[3])]), 2)
    close(f"sigma of a {shape} kernel", call(sigma, kernel), expected, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "find_the_bug_test_inference", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
for seed, (rows, columns) in [(32, (4, 6)), (33, (6, 4))]:
    draw = np.random.default_rng([SEED, seed])
    x, kernel, u = draw.normal(size=(5, rows)), draw.normal(size=(rows, columns)), np.eye(columns)[0]
    trained = call(dense, x, kernel, u, True)
    sampled = call(dense, x, kernel, u, False)
    assert is_pair(trained) and is_pair(sampled), "dense must give two things: the output and u."
    first = dense_faulty(x, kernel, u, True)
    close("the output in training", trained[0], first[0], "In training the faulty function is right.")
    close("u after a training call", trained[1], first[1], "In training the faulty function is right.")
    close("the output of sampling", sampled[0], first[0], "Which kernel is used in training, and which in sampling?")
    close("u after sampling", sampled[1], u, "Sampling must not change the network.")
### BEGIN HIDDEN TESTS
u = np.array([0.6, 0.8, 0.0, 0.0])
for _ in range(3):
    sampled = call(dense, x, kernel, u, False)
    trained, u = call(dense, x, kernel, u, True)
    close("the output of sampling", sampled[0], trained, "Which kernel is used in training, and which in sampling?")
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "attended", "locked": true, "schema_version": 3, "solution": false, "task": false}
@beside_answers
def attended(x, kernels, modes):
    """Your attend with three `Layer`s, once for each `training` (None: not given): outputs, and every u."""
    layers, outputs, us = [Layer(kernel, np.full(kernel.shape[1], 0.5)) for kernel in kernels], [], []
    for mode in modes:
        outputs.append(call(attend, x, *layers, **({} if mode is None else {"training": mode})))
        us.append([np.array(layer.u) for layer in layers])
    return outputs, us

# %% nbgrader={"grade": true, "grade_id": "find_the_bug_test_flag", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
draw = np.random.default_rng([SEED, 34])
x, kernels = draw.normal(size=(6, 4)), draw.normal(0, 0.5, size=(3, 4, 4))
expected = attend_faulty(x, *(Layer(kernel, np.full(4, 0.5)) for kernel in kernels))
(sampled, trained, last), us = call(attended, x, kernels, [False, True, None])
close("the output", sampled, expected, "The output of the faulty function is right.")
close("the u of the three layers after a call outside of training", us[0], np.full((3, 4), 0.5), "It must not move.")
close("the output in training", trained, expected, "The output of the faulty function is right.")
stuck = [name for name, u in zip(("query", "key", "value"), us[1], strict=True) if np.all(np.asarray(u) == 0.5)]
assert not stuck, f"After a training call u is where it was in: {', '.join(stuck)}. How would such a layer know that it is being trained?"
### BEGIN HIDDEN TESTS
moved_u = [kernel.T @ kernel @ np.full(4, 0.5) for kernel in kernels]
close("each layer's u after one training call", us[1], [u / np.linalg.norm(u) for u in moved_u], "Call each layer once.")
close("each layer's u after sampling", us[2], us[1], "Sampling must not change the network.")
for size in (7, 2):
    kernels = [*draw.normal(0, 0.5, size=(2, 4, size)), draw.normal(size=(4, 4))]
    expected = attend_faulty(x, *(Layer(kernel, np.full(kernel.shape[1], 0.5)) for kernel in kernels))
    close(f"the output with {size} numbers in a query", call(attended, x, kernels, [False])[0][0], expected, "The output of the faulty function is right.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "find_the_bug_test_counter", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
got = call(count, 600, 1)
assert np.size(got) == 3, "count must give three numbers: the counter, D's updates, G's updates."
close("the counter after 600 steps", got[0], 600, "The counter must say how many steps were done.")
close("the updates of G and D in 600 steps", got[1:], [600, 600], "How often is the counter advanced in one step?")
### BEGIN HIDDEN TESTS
for until, n_dis in [(601, 1), (20, 5), (7, 2), (0, 5)]:
    got = call(count, until, n_dis)
    assert np.size(got) == 3, "count must give three numbers: the counter, D's updates, G's updates."
    close(f"the counter after {until} steps with n_dis = {n_dis}", got[0], until, "The counter must say how many steps were done.")
    close(f"D's and G's updates in {until} steps with n_dis = {n_dis}", got[1:], [until * n_dis, until], "A step has n_dis updates of D and one of G, and it is one step.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "find_the_bug_test_shuffle", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
order = np.asarray(call(epoch, 2000, np.random.default_rng([SEED, 35])))
close("all images of an epoch, sorted", np.sort(order), np.arange(2000), "An epoch uses each image exactly once.", 1e-9)
colours = len(set(order[:32] // 200))
assert colours >= 7, f"The first 32 images have {colours} of ten colours. How far can an image of the file's end come forward?"
### BEGIN HIDDEN TESTS
for part in np.split(order, 4):  # a full shuffle of 2,000: the means scatter around 1,000 by 26
    assert abs(part.mean() - 999.5) < 160, "The order still follows the file: an early part of the epoch holds other images than a late one. How far can an image come forward?"
jumps = np.abs(np.diff(order))
assert 600 < jumps.mean() < 740, "Neighbours in the epoch are not independent of each other: the order has a pattern."
draw = np.random.default_rng([SEED, 36])
first, second = (np.asarray(call(epoch, 2000, draw)) for _ in range(2))
assert (first != second).any(), "Two epochs have the same order: do they use the rng that they are given?"
again = np.asarray(call(epoch, 2000, np.random.default_rng([SEED, 36])))
assert (first == again).all(), "The same rng must give the same order."
draw = np.random.default_rng([SEED, 37])
orders = np.array([call(epoch, 20, draw) for _ in range(400)])
places = np.stack([(orders == index).any(0) for index in range(20)])
assert places.all(), "In 400 epochs of 20 images some image never comes to some place. How far can an image come forward?"
long = np.asarray(call(epoch, 30_000, draw))
assert long[:64].max() > 20_000, "Of 30,000 images none of the last third comes among the first 64. Does the shuffle know how many there are?"
### END HIDDEN TESTS

# %% [markdown]
# ## 4. An experiment: what does a faster D buy? (15 points: 7 for `distance`, 8 for `experiment`)
#
# Real numbers are normal around 0. $G$ shifts noise by its one parameter $\mu$, $D(x) = \psi x$. In each
# step draw 8 real numbers from $N(0, s^2)$ and 8 fake ones from $N(\mu, s^2)$, with the standard
# deviation $s$ (`spread`), and then
#
# $$
# \psi \leftarrow \psi + \eta_D\,(\overline{\text{real}} - \overline{\text{fake}} - \psi), \qquad
# \mu \leftarrow \mu + \eta_G\,\psi ,
# $$
#
# where $G$ uses the new $\psi$. The last term, $-\psi$, is the decay of problem 2 with $c = 1$. Fresh noise
# for $G$ would change nothing here: its slope is $\psi$ whatever the noise. All runs start at
# $\mu = 4$, $\psi = 0$; the equilibrium is at 0.
#
# Write `distance(rate_g, rate_d, steps, spread, rng)`: the mean of $|\mu|$ after so many steps, over
# **100 runs** that each draw their own numbers from the generator `rng`: in each step first the real
# numbers of all runs, as an array (100, 8), and then the fake ones, likewise.
#
# Then write `experiment(seed)`, always with $\eta_G = 0.05$ and a spread of 1. The *gain* of a ratio is
# the distance at equal rates over the distance with $\eta_D$ so many times $\eta_G$, after the same
# number of steps. Give three gains, in this order: ratio 4 after 60 steps, ratio 16 after 60 steps,
# ratio 4 after 400 steps. Each takes two calls of your `distance`, first at equal rates and then at
# its ratio. One generator, `np.random.default_rng(seed)`, serves all six. Whoever draws in this order gets
# the same numbers from the same seed; a test has some for you to compare with.

# %% nbgrader={"grade": false, "grade_id": "experiment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def distance(rate_g, rate_d, steps, spread, rng):
    ### BEGIN SOLUTION
    mu, psi = np.full(100, 4.0), np.zeros(100)
    for _ in range(steps):
        real = rng.normal(0.0, spread, size=(100, 8))
        fake = mu[:, None] + rng.normal(0.0, spread, size=(100, 8))
        psi = psi + rate_d * (real.mean(1) - fake.mean(1) - psi)
        mu = mu + rate_g * psi
    return np.mean(np.abs(mu))
    ### END SOLUTION


def experiment(seed):
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    gains = []
    for ratio, steps in [(4, 60), (16, 60), (4, 400)]:
        equal = distance(0.05, 0.05, steps, 1.0, rng)
        gains.append(equal / distance(0.05, 0.05 * ratio, steps, 1.0, rng))
    return np.array(gains)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "experiment_test_exact", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Without spread nothing is random. Step 1: psi = -0.5 * 4 = -2, mu = 4 - 0.1 * 2 = 3.8.
# Step 2: psi = -2 + 0.5 * (-3.8 + 2) = -2.9, mu = 3.8 - 0.29 = 3.51.
for steps, expected in [(1, 3.8), (2, 3.51)]:
    got = call(distance, 0.1, 0.5, steps, 0.0, np.random.default_rng(SEED))
    close(f"the distance after {steps} step(s) without spread", got, expected, "Do these steps by hand.")
### BEGIN HIDDEN TESTS
for rate_g, rate_d, steps in [(0.05, 0.2, 7), (0.05, 0.05, 60), (0.3, 0.9, 3)]:
    mu, psi = 4.0, 0.0
    for _ in range(steps):
        psi += rate_d * (-mu - psi)
        mu += rate_g * psi
    got = call(distance, rate_g, rate_d, steps, 0.0, np.random.default_rng(SEED))
    close(f"the distance after {steps} steps without spread", got, abs(mu), "Do two steps by hand.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_noise", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# At rates 1 and 1 the first step takes mu to the mean of 8 real numbers less that of 8 noises.
draw = np.random.default_rng([SEED, 41])
real, fake = draw.normal(size=(2, 100, 8))
got = call(distance, 1.0, 1.0, 1, 1.0, np.random.default_rng([SEED, 41]))
close("the distance after one step at rates 1 and 1", got, np.abs(real.mean(1) - fake.mean(1)).mean(), "Look at the noise of both means, the order in which it is drawn, and what is averaged: |mu|, over 100 runs with numbers of their own.")
### BEGIN HIDDEN TESTS
for rate_g, rate_d, steps, spread in [(0.05, 0.2, 30, 1.0), (0.1, 0.3, 12, 2.5), (0.1, 0.5, 9, 0.2)]:
    draw, mu, psi = np.random.default_rng([SEED, 42]), 4.0, 0.0
    for _ in range(steps):
        real, fake = draw.normal(0, spread, size=(2, 100, 8)).mean(-1)
        psi = psi + rate_d * (real - fake - mu - psi)
        mu = mu + rate_g * psi
    used = np.random.default_rng([SEED, 42])
    got = call(distance, rate_g, rate_d, steps, spread, used)
    close(f"the distance after {steps} steps with the spread {spread}", got, np.abs(mu).mean(), "Each step draws new numbers for each run, of this standard deviation.")
    assert used.random() == draw.random(), "The generator has given more numbers than the text asks for, or fewer."
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_number", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = call(experiment, 1)
assert np.shape(result) == (3,), "experiment(seed) must give three numbers, the gains."
assert np.min(result) > 0, "A gain is a factor, so it is positive."
close("experiment(1)", result, [5.13163, 2.81898, 0.820220], "Is a gain the equal rates' distance over the other? Do the six runs come in the order of the text, from one generator?", 1e-3)

# %% nbgrader={"grade": true, "grade_id": "experiment_test_values", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
results = [np.asarray(call(experiment, seed), float) for seed in (SEED + 10, SEED + 11, SEED + 10)]
close("the experiment with the same seed again", results[2], results[0], "The same seed must give the same numbers.", 1e-9)
assert (results[0] != results[1]).any(), "Two seeds give the same numbers: does the seed reach your random numbers?"
### BEGIN HIDDEN TESTS
for seed, got in zip((SEED + 10, SEED + 11), results, strict=False):
    draw, gains = np.random.default_rng(seed), []
    for ratio, steps in [(4, 60), (16, 60), (4, 400)]:
        equal = call(distance, 0.05, 0.05, steps, 1.0, draw)
        gains.append(equal / call(distance, 0.05, 0.05 * ratio, steps, 1.0, draw))
    close("the gains, with your own distance", got, gains, "Each gain is made of its own two distances, at the text's rates, steps and spread.", 1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. In words (30 points)
#
# Three to six sentences each.
#
# **a) (10 points)** The article says that two time scales means that $D$ learns four times as fast.
# What do Heusel et al. prove, and where is the four from? What do the book's runs say about four
# against two and eight, and your experiment about ratio 16 and about long runs? Up to ten sentences.
# (The book's numbers are in chapter 4, *Over seeds*; `python -m sagan_experiments claims list ratio-2 ratio-8`
# prints them, too.)

# %% [markdown] nbgrader={"grade": true, "grade_id": "four", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# Heusel et al. prove that the pair converges to a local equilibrium when $D$ is on the faster time
# scale, under conditions on rates that shrink; no ratio stands in the theorem. Four is the choice
# of SAGAN's authors. In the book, two time scales beat equal rates, four against two is undecided,
# and eight was not worse than four: nothing singles four out. In the experiment ratio 4 gains a factor
# of about five in 60 steps, ratio 16 only about half of that: once $D$ follows $G$, the limit is $G$'s
# own rate. After 400 steps the gain is 1: both settings have arrived, and how far the noise then
# throws $G$ about depends on $G$'s rate and the batch, not on the ratio.
#
# **Rubric.** 3: what is proved (faster $D$, shrinking rates, local equilibrium), no ratio in it. 2:
# four is SAGAN's; 2 against 4 undecided, 8 not worse. 2: ratio 16 gains less than 4, with a reason.
# 3: no gain in the long run, with a reason (noise, same floor).

# %% [markdown]
# **b) (10 points)** Two settings: five steps of $D$ for each step of $G$ at equal rates, or one to one
# with $D$'s rate four times $G$'s. A colleague compares them after 10,000 steps of $G$. What is unfair
# about it? Estimate how much more work one step of five-to-one is, counting a backward pass as two
# forward ones and taking $D$ and $G$ as equally large. How would you compare?

# %% [markdown] nbgrader={"grade": true, "grade_id": "five", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# After the same number of $G$ steps, five-to-one has moved $D$ five times as often and seen five times
# as many real images. A step of $D$ is $G$ forward once, and $D$ forward and backward on two batches:
# $1 + 2 \cdot 3 = 7$. A step of $G$ is $G$ forward and backward, 3, and $D$ forward and backward to
# its input only, about 2: in all 5. One to one costs $7 + 5 = 12$, five-to-one $35 + 5 = 40$, 3.3 times
# as much. I would give both the same work (or the same wall time on one machine), several seeds each,
# and look at the spread; the book did so, and five-to-one did worse at equal work in its short runs.
#
# **Rubric.** 3: unequal work or images, $D$'s fivefold. 4: an estimate with its counting, about 3 to 4
# (5 without $G$'s part: 2 points). 3: equal work or time, and seeds.

# %% [markdown]
# **c) (10 points)** The article's text prints rates ten times those of its code. The book expected
# these to harm, and measured the opposite: a much smaller Fréchet distance than with the code's rates
# (over five seeds, 600 steps each; the ledger of claims has the numbers). What is the honest conclusion, what is not shown, and which experiment would tell?

# %% [markdown] nbgrader={"grade": true, "grade_id": "printed", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# That the printed rates do worse does not hold here: over five seeds they did clearly better, and
# the expectation was wrong at this scale. A run of 600 steps pays for speed, and small rates have
# hardly started. It is not shown that the printed rates are good for runs of days: a large rate
# may end at a higher floor of noise or diverge later, as problem 4's long run shows that an early
# gain need not last. And it is still an erratum, since text and code disagree. To tell, run both
# settings for lengths that grow, until the slow one no longer improves, with several seeds, and
# compare the curves and how many runs diverge.
#
# **Rubric.** 4: accepts the result (the expectation failed here), with the seeds. 3: what is not
# shown: long runs, larger scale, stability, with a reason. 3: an experiment over length and seeds.
