# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 2: the spectral norm
#
# This set goes with chapter 2 of the book. You write the three pieces of spectral normalization with numpy alone,
# measure how many rounds one of them needs, and explain the rest in words. 100 points; 60 to 120 minutes.
#
# Write where it says "your code here" or "Your answer here". Cells with tests are locked: run them
# to see what is still wrong. Some tests are run only when your work is graded. Helpers, parameters with
# default values, loops, float32, lists and tensors are yours to choose: what counts is the numbers
# that your functions give. Leave the arrays that you are given as they are. Restart the kernel and
# run all cells once before you hand in.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from sagan_lib.book.classroom import call, close, is_pair

SEED = 0  # set by your instructor

# %% [markdown]
# ## 1. The matrix of a kernel (20 points: 10 for shapes and `conv`, 10 for `conv_transpose`)
#
# The spectral norm belongs to a matrix, a convolution's kernel has four axes. The book's matrix has
# **one column for each output channel**, and its rows run through the other three axes in the
# order height, width, input channel.
#
# Keras stores a `"conv"` kernel as (height, width, in, out), a `"conv_transpose"` kernel as
# (height, width, **out, in**), and a `"dense"` kernel as (in, out).
#
# Write `kernel_matrix(kernel, kind)`, which gives that matrix for each of the three kinds.

# %% nbgrader={"grade": false, "grade_id": "kernel_matrix", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "scipy"]
def kernel_matrix(kernel, kind):
    ### BEGIN SOLUTION
    if kind == "conv_transpose":
        kernel = np.transpose(kernel, (0, 1, 3, 2))
    return np.reshape(kernel, (-1, kernel.shape[-1]))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "kernel_matrix_test_shape", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
for kind, size, expected in [
    ("conv", (3, 3, 2, 5), (18, 5)), ("conv_transpose", (3, 3, 5, 2), (18, 5)), ("dense", (7, 4), (7, 4)),
]:  # fmt: skip
    got = call(kernel_matrix, np.zeros(size), kind)
    close(f"the matrix of a {kind} kernel {size}", got, np.zeros(expected), "One column for each output.")
### BEGIN HIDDEN TESTS
for kind, size, expected in [
    ("conv", (1, 4, 6, 3), (24, 3)), ("conv_transpose", (2, 5, 3, 6), (60, 3)), ("dense", (2, 9), (2, 9)),
    ("conv", (1, 1, 4, 2), (4, 2)), ("conv", (3, 3, 2, 1), (18, 1)), ("conv_transpose", (1, 2, 1, 3), (6, 1)), ("dense", (5, 1), (5, 1)), ("dense", (1, 5), (1, 5)), ("conv_transpose", (1, 1, 5, 3), (3, 5)),
]:
    got = call(kernel_matrix, np.zeros(size), kind)
    close(f"the matrix of a {kind} kernel {size}", got, np.zeros(expected), "One column for each output.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "kernel_matrix_test_conv", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
kernel = np.zeros((2, 2, 3, 4))
kernel[1, 0, 2, 3] = 7.0  # height 1, width 0, input 2: row (1 * 2 + 0) * 3 + 2
expected = np.zeros((12, 4))
expected[8, 3] = 7.0
hint = "Weights of one output must stay in one column, in the order height, width, input."
close("the matrix of a conv kernel", call(kernel_matrix, kernel, "conv"), expected, hint)
### BEGIN HIDDEN TESTS
kernel = np.random.default_rng(SEED + 1).normal(size=(3, 2, 4, 5))
expected = np.stack([kernel[..., out].ravel() for out in range(5)], 1)
close("the matrix of a conv kernel", call(kernel_matrix, kernel, "conv"), expected, hint)
kernel = np.random.default_rng(SEED + 2).normal(size=(6, 3))
close("the matrix of a dense kernel", call(kernel_matrix, kernel, "dense"), kernel, "It is one already.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "kernel_matrix_test_transpose", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
kernel = np.zeros((2, 2, 4, 3))
kernel[1, 0, 3, 2] = 7.0  # output 3, input 2
expected = np.zeros((12, 4))
expected[8, 3] = 7.0
hint = "A transposed convolution stores its output channel before its input channel."
close("the matrix of a conv_transpose kernel", call(kernel_matrix, kernel, "conv_transpose"), expected, hint)
### BEGIN HIDDEN TESTS
for size in [(3, 2, 5, 4), (2, 2, 4, 4)]:
    kernel = np.random.default_rng(SEED + 3).normal(size=size)
    expected = np.stack([kernel[:, :, out].ravel() for out in range(size[2])], 1)
    close("the matrix of a conv_transpose kernel", call(kernel_matrix, kernel, "conv_transpose"), expected, hint)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Power iteration (20 points: 5 for one round, 15 for many)
#
# A full singular value decomposition in every training step is too slow. One round of power
# iteration turns a guess $u$ of the right singular vector into better ones,
#
# $$v \leftarrow \frac{W u}{\lVert W u\rVert},\qquad u \leftarrow \frac{W^\top v}{\lVert W^\top v\rVert},$$
#
# and after the last round $\sigma \approx v^\top W u$, with the new $u$.
#
# Write `power_iteration(matrix, u, rounds)`, which gives the pair `(sigma, u)`. The guess `u` may hold
# whole numbers. Do without `np.linalg.svd`, without `np.linalg.norm` of a matrix, which calls it, and
# without routines for eigenvalues.

# %% nbgrader={"grade": false, "grade_id": "power_iteration", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "scipy", "svd", "svdvals", "eig", "eigh", "eigvals", "eigvalsh", "lstsq", "pinv", "cond", "matrix_rank"]
def power_iteration(matrix, u, rounds=1):
    ### BEGIN SOLUTION
    for _ in range(rounds):
        v = matrix @ u
        v = v / np.linalg.norm(v)
        u = matrix.T @ v
        u = u / np.linalg.norm(u)
    return v @ matrix @ u, u
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "power_pair", "locked": true, "schema_version": 3, "solution": false, "task": false}
def power_pair(matrix, u, rounds):
    """Your function's result as (sigma, u), checked to be a pair."""
    pair = call(power_iteration, matrix, u, rounds)
    assert is_pair(pair), "power_iteration must give two things: sigma and u."
    return pair


# %% nbgrader={"grade": true, "grade_id": "power_iteration_test_hand", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
sigma, u = power_pair(np.diag([3.0, 1.0]), np.array([1.0, 1.0]) / np.sqrt(2), 1)
hint = "Do one round by hand: W u is (3, 1) / sqrt(2), and v is that at length 1."
close("sigma after one round on diag(3, 1)", sigma, np.sqrt(8.2), hint)
close("u after one round on diag(3, 1)", u, np.array([9.0, 1.0]) / np.sqrt(82.0), hint)
small, _ = power_pair(1e-6 * np.diag([3.0, 1.0]), np.array([1.0, 1.0]) / np.sqrt(2), 1)
close("sigma of a matrix a million times smaller", small, 1e-6 * np.sqrt(8.2), "A length is a length, and nothing is added to it.")

# %% nbgrader={"grade": true, "grade_id": "power_iteration_test_svd", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
matrix = np.random.default_rng(SEED + 4).normal(size=(12, 5))
sigma, u = power_pair(matrix, np.ones(5), 300)
hint = "After many rounds it must be the largest singular value."
close("sigma of a 12 x 5 matrix", sigma, np.linalg.svd(matrix)[1][0], hint, 1e-3)
### BEGIN HIDDEN TESTS
for shape in [(4, 9), (30, 3), (6, 6), (7, 1), (1, 7)]:
    matrix = np.random.default_rng(SEED + 5).normal(size=shape)
    sigma, u = power_pair(matrix, np.random.default_rng(SEED).normal(size=shape[1]), 500)
    close(f"sigma of a {shape[0]} x {shape[1]} matrix", sigma, np.linalg.svd(matrix)[1][0], hint, 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "power_iteration_test_kept", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
matrix = np.random.default_rng(SEED + 6).normal(size=(8, 6))
u = np.ones(6)
for _ in range(4):
    sigma, u = power_pair(matrix, u, 1)
hint = "Each call must go on from the u that the call before gave back."
close("sigma of four calls with one round", sigma, power_pair(matrix, np.ones(6), 4)[0], hint)
close("sigma of four rounds", sigma, np.linalg.norm(matrix @ u), hint, 0.3)
close("the length of u", np.linalg.norm(u), 1.0, "u must be a unit vector.")
### BEGIN HIDDEN TESTS
gram = np.linalg.matrix_power(matrix.T @ matrix, 4) @ np.ones(6)
close("u after four rounds", u, gram / np.linalg.norm(gram), hint)
whole = power_pair(matrix, np.ones(6, int), 4)
close("sigma from a guess of whole numbers", whole[0], power_pair(matrix, np.ones(6), 4)[0], "The guess has whole numbers, and its direction has none.")
# A guess that is nearly orthogonal to the right vector stays where it is for many rounds.
sigma, u = power_pair(np.diag([3.0, 2.0]), np.array([1e-9, 1.0]), 60)
close("sigma of diag(3, 2) after 60 rounds from a bad guess", sigma, 3.0, "So many rounds were asked, and so many must be done.", 1e-3)
sigma, _ = power_pair(np.diag([1.0, 0.98]), np.array([1e-9, 1.0]), 700)
close("sigma of diag(1, 0.98) after 700 rounds from a bad guess", sigma, 1.0, "So many rounds were asked, and so many must be done.", 1e-3)
close("sigma of diag(3, 2) after 3 rounds from a bad guess", power_pair(np.diag([3.0, 2.0]), np.array([1e-9, 1.0]), 3)[0], 2.0, "After the last round it is v W u, whatever is known of the matrix.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "power_iteration_test_bound", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
matrix = np.random.default_rng(SEED + 7).normal(size=(10, 7))
start = np.ones(7)
sigmas = [power_pair(matrix, start, rounds)[0] for rounds in (1, 2, 5, 20)]
assert np.all(np.diff(sigmas) >= -1e-9), "sigma must grow from round to round, and yours falls."
assert sigmas[-1] <= np.linalg.norm(matrix, 2) + 1e-9, "sigma is above the largest singular value."
### BEGIN HIDDEN TESTS
assert sigmas[-1] - sigmas[0] > 1e-6, "sigma does not change with the rounds."
close("sigma of a matrix twice as large", power_pair(2 * matrix, start, 3)[0], 2 * power_pair(matrix, start, 3)[0], "It must double.")
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The gradient through the normalization (15 points: 7 for its numbers, 8 for its size and direction)
#
# The layer computes with $\bar W = W/\sigma$, where $\sigma = v^\top W u$ and $u, v$ are
# **constants** of any length. Let $A = \partial L/\partial \bar W$ be the gradient that arrives from above.
#
# Derive $\partial L/\partial W$ on paper (quotient rule), then write it as
# `sn_gradient(matrix, u, v, upstream)`. One test compares it with differences of the loss itself.
# Yours must be the formula: do without differences and automatic differentiation.

# %% nbgrader={"grade": false, "grade_id": "sn_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "scipy", "differences", "gradient", "autograd"]
def sn_gradient(matrix, u, v, upstream):
    ### BEGIN SOLUTION
    sigma = v @ matrix @ u
    inner = np.sum(upstream * matrix) / sigma
    return (upstream - inner * np.outer(v, u)) / sigma
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "differences", "locked": true, "schema_version": 3, "solution": false, "task": false}
def differences(matrix, u, v, upstream, step=1e-5):
    """The gradient of sum(upstream * matrix / sigma) by moving one weight at a time."""

    def loss(w):
        return np.sum(upstream * w / (v @ w @ u))

    gradient = np.zeros_like(matrix)
    for place in np.ndindex(*matrix.shape):
        move = np.zeros_like(matrix)
        move[place] = step
        gradient[place] = (loss(matrix + move) - loss(matrix - move)) / (2 * step)
    return gradient


def example(seed, rows=4, columns=3):
    """A matrix, unit vectors u and v that are near its singular vectors, and a gradient."""
    draw = np.random.default_rng([SEED, seed])
    matrix, upstream = draw.normal(size=(2, rows, columns))
    left, _, right = np.linalg.svd(matrix)
    u, v = right[0] + 0.1 * draw.normal(size=columns), left[:, 0] + 0.1 * draw.normal(size=rows)
    return matrix, u / np.linalg.norm(u), v / np.linalg.norm(v), upstream

# %% nbgrader={"grade": true, "grade_id": "sn_gradient_test_differences", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
matrix, u, v, upstream = example(1)
hint = "Compare your formula with the quotient rule, term by term."
close("the gradient", call(sn_gradient, matrix, u, v, upstream), differences(matrix, u, v, upstream), hint, 1e-3)
### BEGIN HIDDEN TESTS
for seed, shape in [(2, (3, 5)), (3, (6, 2)), (4, (4, 4)), (5, (6, 1)), (6, (1, 5))]:
    matrix, u, v, upstream = example(seed, *shape)
    close("the gradient", call(sn_gradient, matrix, u, v, upstream), differences(matrix, u, v, upstream), hint, 1e-3)
for factor, what in [(-1, "the opposite u"), (2, "a u of length 2")]:
    turned = call(sn_gradient, matrix, factor * u, v, upstream)
    close(f"the gradient with {what}", turned, differences(matrix, factor * u, v, upstream), "Whatever u and v are, sigma is v W u, and the formula holds.", 1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "sn_gradient_test_size", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
matrix, u, v, upstream = example(5)
once = call(sn_gradient, matrix, u, v, upstream)
twice = call(sn_gradient, 2 * matrix, u, v, upstream)
close("the gradient of a kernel twice as large", twice, np.asarray(once) / 2, "The same loss moves half as fast with a kernel twice as large.")
small = call(sn_gradient, 1e-6 * matrix, u, v, upstream)
close("the gradient of a kernel a million times smaller", small, 1e6 * np.asarray(once), "It is a million times larger: the formula has no smallest sigma.")

# %% nbgrader={"grade": true, "grade_id": "sn_gradient_test_along", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
matrix, u, v, upstream = example(6)
gradient = call(sn_gradient, matrix, u, v, upstream)
hint = "W and 2 W have the same normalized kernel, so no part of the gradient points along W."
close("the part of the gradient along W", np.sum(gradient * matrix), 0.0, hint, 1e-4)
assert np.abs(gradient).max() > 1e-3, "The gradient is zero everywhere."

# %% [markdown]
# ## 4. An experiment: how many rounds does a fresh guess need? (15 points: 7 for `rounds_needed`, 8 for `experiment`)
#
# The cell below gives power iteration's $\sigma$ after any number of rounds in one formula, from the
# singular values. Use it, so that this problem does not hang on problem 2.
#
# Write `rounds_needed(matrix, u, share)`: the smallest number of rounds, 1 or more, after which
# the exact $\sigma$ minus the estimate from the guess `u` is at most `share` times the exact $\sigma$.
#
# Then write `experiment(seed)`. Draw 40 kernel matrices 144 x 32 and 40 guesses `u` of length 32 with
# normally distributed entries (mean 0, variance 1) from one `np.random.default_rng(seed)`: a matrix,
# its guess, the next matrix, and so on. Give the
# **mean** of `rounds_needed` for a share of 5 %. Here you may use `np.linalg.svd`. Whoever draws in this
# order gets the same number from the same seed; a test has one for you to compare with.

# %% nbgrader={"grade": false, "grade_id": "sigma_after", "locked": true, "schema_version": 3, "solution": false, "task": false}
def sigma_after(matrix, u, rounds):
    """Power iteration's sigma after so many rounds from u."""
    _, sigmas, right = np.linalg.svd(matrix, full_matrices=False)
    weights, relative = (right @ u) ** 2, sigmas / sigmas[0]
    above, below = (np.sum(weights * relative**power) for power in (4 * rounds, 4 * rounds - 2))
    return sigmas[0] * np.sqrt(above / below)

# %% nbgrader={"grade": false, "grade_id": "experiment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rounds_needed(matrix, u, share):
    ### BEGIN SOLUTION
    exact = np.linalg.norm(matrix, 2)
    rounds = 1
    while sigma_after(matrix, u, rounds) < (1 - share) * exact:
        rounds += 1
    return rounds
    ### END SOLUTION


def experiment(seed):
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    counts = []
    for _ in range(40):
        matrix, u = rng.normal(size=(144, 32)), rng.normal(size=32)
        counts.append(rounds_needed(matrix, u, 0.05))
    return np.mean(counts)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "experiment_test_rounds", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
u = np.array([1.0, 1.0]) / np.sqrt(2)
for share, expected in [(0.05, 1), (0.01, 2), (0.0001, 3)]:
    got = call(rounds_needed, np.diag([3.0, 1.0]), u, share)
    close(f"rounds_needed on diag(3, 1) for {share:.2%}", got, expected, "Count the first round as 1.")
### BEGIN HIDDEN TESTS
matrix, u = np.diag([5.0, 4.0, 1.0]), np.array([1.0, 2.0, 1.0])
for share in (0.1, 0.03, 0.004):
    enough = [k for k in range(1, 99) if sigma_after(matrix, u, k) >= (1 - share) * 5]
    got, expected = call(rounds_needed, matrix, u, share), enough[0]
    close(f"rounds_needed on diag(5, 4, 1) for {share:.2%}", got, expected, "Count the first round as 1.")
bad = np.array([1e-12, 1.0])
enough = [k for k in range(1, 99) if sigma_after(np.diag([3.0, 2.0]), bad, k) >= 0.95 * 3]
got = call(rounds_needed, np.diag([3.0, 2.0]), bad, 0.05)
close("rounds_needed on diag(3, 2) from a bad guess", got, enough[0], "An estimate that stands still may be far from the exact sigma.")
flat, bad = np.diag([1.0, 0.98]), np.array([1e-9, 1.0])  # 0.98 for more than 500 rounds
enough = [k for k in range(1, 999) if sigma_after(flat, bad, k) >= 0.995]
got = call(rounds_needed, flat, bad, 0.005)
close("rounds_needed on diag(1, 0.98) from a bad guess", got, enough[0], "It takes as many rounds as it takes, and the exact sigma is exact.")
wide = np.random.default_rng([SEED, 7]).normal(size=(3, 8))
enough = [k for k in range(1, 999) if sigma_after(wide, np.ones(8), k) >= 0.99 * np.linalg.norm(wide, 2)]
got = call(rounds_needed, wide, np.ones(8), 0.01)
close("rounds_needed on a 3 x 8 matrix", got, enough[0], "A wide matrix has a largest singular value, too.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_number", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = call(experiment, 1)
assert np.ndim(result) == 0, "experiment(seed) must give one number, the mean."
close("experiment(1)", result, 6.65, "Is it drawn in the order of the text, from one generator? Is the share 5 %?")

# %% nbgrader={"grade": true, "grade_id": "experiment_test_values", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
results = [call(experiment, seed) for seed in (SEED + 10, SEED + 11, SEED + 12, SEED + 10)]
close("the experiment with the same seed again", results[3], results[0], "The same seed must give the same number.", 1e-9)
assert len({float(each) for each in results}) > 1, "Three seeds give the same number: does the seed reach your random numbers?"
### BEGIN HIDDEN TESTS
for seed, got in zip((SEED + 10, SEED + 11, SEED + 12), results, strict=False):
    draw, counts = np.random.default_rng(seed), []
    for _ in range(40):
        matrix, u = draw.normal(size=(144, 32)), draw.normal(size=32)
        counts.append(call(rounds_needed, matrix, u, 0.05))
    close("the experiment, with your own rounds_needed", got, sum(counts) / len(counts), "Every matrix counts the same, the slow ones too.", 1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. In words (30 points)
#
# Three to six sentences each.
#
# **a) (10 points)** In training the layer does a single round in each step, though your experiment
# shows that a fresh guess needs several. Why is one enough there? When would it not be?

# %% [markdown] nbgrader={"grade": true, "grade_id": "one_round", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# The guess is kept. One training step changes the kernel by a little, so the singular vector of
# the last step is nearly that of this one, and one round more than makes up for the change: the
# rounds add up over the steps. It is not enough at the start, after a large step (learning rate
# too high), where the two largest singular values are close, or if `u` is drawn anew or never
# stored.
#
# **Rubric.** 4: `u` is kept from step to step. 3: the kernel changes slowly, so rounds add up.
# 3: one sound case in which it fails.

# %% [markdown]
# **b) (10 points)** A colleague normalizes a transposed convolution with
# `np.reshape(kernel, (-1, kernel.shape[-1]))` as if it were a convolution. Training does not crash.
# What does the colleague divide by, and is the spectral norm of the layer's matrix still 1?

# %% [markdown] nbgrader={"grade": true, "grade_id": "colleague", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# The last axis of a transposed convolution's kernel is the input, so this matrix has one column
# for each *input* channel. It holds the same numbers in another arrangement, and its largest
# singular value is that of another matrix. The layer is divided by that number: the norm of the
# intended matrix becomes some number near 1, not 1, and it moves during training. Nothing crashes,
# because every number is finite and every shape fits.
#
# **Rubric.** 4: names the wrong axis. 4: another matrix has another largest singular value, so the
# norm is not 1. 2: says why nothing crashes.

# %% [markdown]
# **c) (10 points)** The gradient of problem 3 has no part along $W$. What does that do to the
# length of $W$ under plain gradient descent, and what to the effective learning rate, that is, how far
# one step turns the direction of $W$?

# %% [markdown] nbgrader={"grade": true, "grade_id": "length", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# A step at right angles to $W$ makes $W$ longer: $\lVert W - \eta g\rVert^2 = \lVert W\rVert^2 +
# \eta^2\lVert g\rVert^2$. The length grows in every step, though the function does not depend on
# it. The gradient is divided by $\sigma$, so with a longer $W$ the same loss moves the direction
# of $W$ less: the effective learning rate falls as training goes on.
#
# **Rubric.** 4: the length grows (Pythagoras). 2: the function does not change by it. 4: the
# effective rate falls, with the reason.
