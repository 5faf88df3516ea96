# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 5: labels
#
# This set goes with chapter 7 of the book. You write the projection that tells D a label, the
# normalization that tells G, and the scores that say whether it was obeyed; you measure what
# moments by class would cost, and explain the rest in words. 100 points; 60 to 120 minutes.
#
# Write where it says "your code here" or "Your answer here". Cells with tests are locked: run them
# to see what is still wrong. Some tests are run only when your work is graded. Helpers, parameters
# with default values, loops, float32, lists and tensors are yours to choose: what counts is the
# numbers that your functions give. Leave the arrays that you are given as they are. Restart the
# kernel and run all cells once before you hand in.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from sagan_lib.book.classroom import call, close, is_pair

import keras  # after sagan_lib, which keeps TensorFlow quiet
import numpy as np
import tensorflow as tf
from scipy.stats import contingency

SEED = 0  # set by your instructor

# %% [markdown]
# ## 1. The projection (20 points: 12 for `projection_score`, 8 for `projection_gradients`)
#
# D is told the label by a product with its last features. For each image, with its features $\phi$
# and its label $y$, the score is
#
# $$D = y^\top V \phi + \psi^\top \phi + b .$$
#
# Write `projection_score(phi, y, V, psi, b)`, which gives the scores with shape (batch,). `phi` is
# (batch, d), one row for each image; `y` is (batch, classes), one row for each label; `V` is
# (classes, d), `psi` is (d,), and `b` is a number. A row of `y` has a 1 in the place of its class,
# as a whole number. But it may also be a mixture of classes, have a 1 for each of several factors,
# or be zero everywhere. Any of these sizes may be 1.
#
# Then the way back. Let $a$ = `upstream`, (batch,), be the gradient of a loss with respect to the
# scores. Write `projection_gradients(phi, y, V, psi, b, upstream)`, which gives a pair,
# `(d_phi, d_V)`: the gradients of that loss with respect to $\phi$ and $V$, of the same shapes as
# these. Derive the formulas on paper: do without differences and automatic differentiation.

# %% nbgrader={"grade": false, "grade_id": "projection", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["GradientTape", "autograd", "differences", "approx_fprime"]
def projection_score(phi, y, V, psi, b):
    ### BEGIN SOLUTION
    matched = np.sum((y @ V) * phi, axis=1)
    return matched + phi @ psi + b
    ### END SOLUTION


def projection_gradients(phi, y, V, psi, b, upstream):
    ### BEGIN SOLUTION
    d_phi = upstream[:, None] * (y @ V + psi)
    d_V = (upstream[:, None] * y).T @ phi
    return d_phi, d_V
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "projection_helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
def projection_example(seed, batch=4, classes=3, d=5):
    """Features, labels of one class each, V, psi, b and a gradient on the scores."""
    draw = np.random.default_rng([SEED, seed])
    labels = draw.integers(classes, size=batch)
    sizes = (batch, d), (classes, d), (d,), (), (batch,)
    phi, V, psi, b, upstream = (draw.normal(size=size) for size in sizes)
    return phi, np.eye(classes, dtype=int)[labels], V, psi, float(b), upstream


def score_by_loop(phi, y, V, psi, b):
    """The formula, one number at a time."""
    scores = []
    for features, label in zip(phi.tolist(), y.tolist(), strict=True):
        terms = [share * v * f for share, row in zip(label, V.tolist(), strict=True) for v, f in zip(row, features, strict=True)]
        scores.append(sum(terms) + sum(p * f for p, f in zip(psi.tolist(), features, strict=True)) + b)
    return np.array(scores)


def differences(loss, at):
    """The gradient of a loss by moving one number at a time; exact where the loss is a straight line in it."""
    gradient = np.zeros(at.shape)
    for place in np.ndindex(*at.shape):
        move = np.zeros(at.shape)
        move[place] = 0.5
        gradient[place] = loss(at + move) - loss(at - move)
    return gradient


def gradient_pair(phi, y, V, psi, b, upstream):
    """Your gradients as (d_phi, d_V), checked to be a pair."""
    pair = call(projection_gradients, phi, y, V, psi, b, upstream)
    assert is_pair(pair), "projection_gradients must give two things: d_phi and d_V."
    return pair

# %% nbgrader={"grade": true, "grade_id": "projection_test_hand", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Two images with the features (1, 2) and (3, -1); V has the rows (1, 0) and (2, 5).
phi, V, psi = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[1.0, 0.0], [2.0, 5.0]]), np.array([10.0, 100.0])
hint = "The label picks a row of V, whose product with the image's own features is added to what D says without a label."
got = call(projection_score, phi, np.array([[1, 0], [0, 1]]), V, psi, 0.5)
close("the scores of two images of classes 0 and 1", got, [1 + 210 + 0.5, 1 - 70 + 0.5], hint)
### BEGIN HIDDEN TESTS
got = call(projection_score, phi, np.array([[0, 1], [1, 0]]), V, psi, -0.25)
close("the scores of two images of classes 1 and 0", got, [12 + 210 - 0.25, 3 - 70 - 0.25], hint)
got = call(projection_score, phi, np.array([[0, 1], [0, 1]]), V, np.zeros(2), 0.25)
close("the scores with psi at zero", got, [12.25, 1.25], hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "projection_test_label", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
phi, _, V, psi, b, _ = projection_example(1, batch=3)
y = np.array([[0.25, 0.75, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
hint = "The score is linear in y: a mixture of labels has the mixture of their scores."
close("the scores of mixed labels", call(projection_score, phi, y, V, psi, b), score_by_loop(phi, y, V, psi, b), hint)
### BEGIN HIDDEN TESTS
phi, _, V, psi, b, _ = projection_example(2, batch=4, classes=5)
y = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]])  # factors of 2 and 3 values
close("the scores of labels of two factors", call(projection_score, phi, y, V, psi, b), score_by_loop(phi, y, V, psi, b), "Each factor adds its own row of V.")
got = call(projection_score, phi, np.zeros((4, 5), int), V, psi, b)
close("the scores without any class", got, phi @ psi + b, "A label of zeros leaves what D says without one.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "projection_test_sizes", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "One score for each image: shape (batch,), whatever the sizes."
for sizes in [(6, 2, 3), (1, 4, 3), (5, 3, 3)]:
    phi, y, V, psi, b, _ = projection_example(3, *sizes)
    got = call(projection_score, phi, y, V, psi, b)
    close(f"the scores for (batch, classes, d) = {sizes}", got, score_by_loop(phi, y, V, psi, b), hint)
### BEGIN HIDDEN TESTS
for sizes in [(4, 4, 4), (1, 1, 1), (7, 1, 3), (3, 5, 1), (2, 3, 400), (1, 2, 6), (300, 10, 16)]:
    phi, y, V, psi, b, _ = projection_example(4, *sizes)
    got = call(projection_score, phi, y, V, psi, b)
    close(f"the scores for (batch, classes, d) = {sizes}", got, score_by_loop(phi, y, V, psi, b), hint)
phi, y, V, psi, b, _ = projection_example(5, 4, 3, 64)
small = [part.astype("float32") for part in (phi, V, psi)]
got = call(projection_score, small[0], y, small[1], small[2], b)
close("the scores in float32", got, score_by_loop(phi, y, V, psi, b), "Nothing is rounded or made a whole number on the way.", 1e-3)
got = call(projection_score, 1e-3 * phi, y, V, 1e3 * psi, b)
close("the scores for small features", got, score_by_loop(1e-3 * phi, y, V, 1e3 * psi, b), "Features and weights count as they are: nothing is normalized.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "projection_test_gradient", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
def compare(seed, *sizes, y=None):  # with differences of the formula
    phi, drawn, V, psi, b, upstream = projection_example(seed, *sizes)
    y = drawn if y is None else y
    d_phi, d_V = gradient_pair(phi, y, V, psi, b, upstream)
    true = differences(lambda at: upstream @ score_by_loop(at, y, V, psi, b), phi)
    close("d_phi", d_phi, true, "Of which terms is phi a factor? Each image has its own label and its own gradient from above.")
    true = differences(lambda at: upstream @ score_by_loop(phi, y, at, psi, b), V)
    close("d_V", d_V, true, "Each image adds to the row of its class, with its features and its own gradient from above.")


compare(6, 4, 3, 2)
### BEGIN HIDDEN TESTS
compare(7, 6, 4, 4)
compare(8, 1, 3, 2)
compare(9, 3, 1, 1)
compare(10, 3, 3, 3)
compare(11, 3, 8, 4)  # classes that no image has
compare(12, 2, 4, 3, y=np.array([[0.5, 0.25, 0.25, 0.0], [1.0, 0.0, 1.0, 0.0]]))
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Conditional batch normalization (20 points: 12 for the output in training, 8 for the moving moments)
#
# G is told the label by every normalization. For `x` of shape (batch, ..., channels), such as
# (batch, h, w, channels) or (batch, channels), and `labels`, (batch,), the whole numbers of the
# classes,
#
# $$
# \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad x' = (1 + \Gamma_{\text{label}})\, \hat x + B_{\text{label}} .
# $$
#
# The tables `gains` $\Gamma$ and `offsets` $B$ are (classes, channels). Each channel has one mean $\mu$
# and one variance $\sigma^2$ (that of `np.var`); $\epsilon$ is 0.001. Where they come from depends
# on `training`:
#
# - In training they are those of the batch, over **all** of its images and pixels, whatever their class.
# - Else they are the moving ones, `moving`, a pair (mean, variance) of arrays (channels,).
#
# Write `conditional_norm(x, labels, gains, offsets, moving, training)`, which gives the pair
# `(result, new_moving)`. In training each of the new moving moments is 0.9 times the old one and
# 0.1 times the batch's. Else they are the old ones. `x` holds floats, also float32, and a channel's
# mean may be thousands of times its deviation: take the variance from what is left after the mean.
# Write it yourself, with numpy.

# %% nbgrader={"grade": false, "grade_id": "conditional_norm", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "BatchNormalization", "plain_norm"]
def conditional_norm(x, labels, gains, offsets, moving, training):
    ### BEGIN SOLUTION
    mean, variance = moving
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = np.mean(x, axis=axes), np.var(x, axis=axes)
        moving = 0.9 * moving[0] + 0.1 * mean, 0.9 * moving[1] + 0.1 * variance
    hat = (x - mean) / np.sqrt(variance + 0.001)
    wide = (len(x), *[1] * (x.ndim - 2), x.shape[-1])  # (batch, c) -> (batch, 1, 1, c)
    gain, offset = gains[labels].reshape(wide), offsets[labels].reshape(wide)
    return (1 + gain) * hat + offset, moving
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "norm_helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
def norm_pair(x, labels, gains, offsets, moving, training):
    """Your (result, (mean, variance)), checked to be such."""
    pair = call(conditional_norm, x, labels, gains, offsets, moving, training)
    assert is_pair(pair), "conditional_norm must give two things: the result and the moving moments."
    assert np.shape(pair[1]) == np.shape(moving), f"The new moving moments have shape {np.shape(pair[1])} in place of {np.shape(moving)}: a mean and a variance for each channel."
    return pair


def norm_example(seed, *shape, classes=3):
    """Images, labels, both tables and moving moments."""
    draw = np.random.default_rng([SEED, seed])
    x, labels = draw.normal(1.0, 3.0, size=shape), draw.integers(classes, size=shape[0])
    moving = draw.normal(size=shape[-1]), draw.uniform(0.5, 4, size=shape[-1])
    return x, labels, *draw.normal(size=(2, classes, shape[-1])), moving


def plain_norm(x):
    """Keras's batch normalization without gamma and beta, in training."""
    layer = keras.layers.BatchNormalization(epsilon=1e-3, center=False, scale=False, dtype="float64")
    return layer(tf.constant(x, "float64"), training=True).numpy()


def norm_by_loop(x, labels, gains, offsets, moving):
    """What must come out with these moments, one number at a time."""
    result = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        k, c = labels[place[0]], place[-1]
        deviation = (moving[1][c] + 1e-3) ** 0.5
        result[place] = (float(x[place]) - moving[0][c]) / deviation * (1 + gains[k, c]) + offsets[k, c]
    return result


def batch_moments(x):
    """Mean and variance of each channel, in float64."""
    rows = np.asarray(x, "float64").reshape(-1, x.shape[-1])
    mean = rows.sum(0) / len(rows)
    return mean, ((rows - mean) ** 2).sum(0) / len(rows)

# %% nbgrader={"grade": true, "grade_id": "conditional_norm_test_plain", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "With tables of zeros it is plain batch normalization: one mean and one variance for each channel, over images and pixels, and 0.001 under the root."
x, labels, gains, offsets, moving = norm_example(21, 4, 3, 2, 5)
got, _ = norm_pair(x, labels, 0 * gains, 0 * offsets, moving, True)
close("the output with tables of zeros", got, plain_norm(x), hint)
### BEGIN HIDDEN TESTS
for shape in [(3, 2, 2, 2), (5, 4), (6, 3, 2), (2, 1, 1, 3), (1, 4, 3, 2), (4, 4, 4, 4)]:
    x, labels, gains, offsets, moving = norm_example(22, *shape)
    for scale in (1.0, 0.02):
        got, _ = norm_pair(scale * x, labels, 0 * gains, 0 * offsets, moving, True)
        close(f"the output for x of shape {shape}, tables of zeros", got, plain_norm(scale * x), hint)
x = (np.random.default_rng([SEED, 23]).normal(size=(4, 4, 4, 2)) + 3000).astype("float32")
got, _ = norm_pair(x, np.array([0, 1, 1, 0]), np.zeros((2, 2)), np.zeros((2, 2)), (np.zeros(2), np.ones(2)), True)
close("the output for float32 with a mean of 3000", got, plain_norm(x), "A difference of two large squares has lost its digits.", 1e-2)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "conditional_norm_test_tables", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# One channel: the numbers -1 and 1, of classes 1 and 0.
x, table = np.array([[-1.0], [1.0]]), np.array([[0.5], [3.0]])
size = 1 / np.sqrt(1.001)
hint = "The gain is 1 and what the table adds for the image's own class; the offset comes last."
got, _ = norm_pair(x, np.array([1, 0]), table, np.zeros((2, 1)), (np.zeros(1), np.ones(1)), True)
close("the output with gains", got, [[-4 * size], [1.5 * size]], hint)
got, _ = norm_pair(x, np.array([1, 0]), np.zeros((2, 1)), table, (np.zeros(1), np.ones(1)), True)
close("the output with offsets", got, [[3 - size], [0.5 + size]], hint)
### BEGIN HIDDEN TESTS
for shape, classes in [((4, 3, 4, 4), 4), ((5, 3), 3), ((1, 2, 2, 3), 5), ((3, 2, 1, 1), 2), ((6, 2, 6, 2), 9), ((3, 2, 2, 2), 1)]:
    x, labels, gains, offsets, moving = norm_example(24, *shape, classes=classes)
    got, _ = norm_pair(x, labels, gains, offsets, moving, True)
    expected = norm_by_loop(x, labels, gains, offsets, batch_moments(x))
    close(f"the output for x of shape {shape} and {classes} classes", got, expected, "Each image gets the row of its own class, in all of its pixels; the offset comes last.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "conditional_norm_test_shared", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Mean and variance are those of all images together. What earlier layers drew differently for a class must not be wiped out."
x, none = np.array([[4.0], [6.0], [-6.0], [-4.0]]), np.zeros((2, 1))
got, _ = norm_pair(x, np.array([0, 0, 1, 1]), none, none, (np.zeros(1), np.ones(1)), True)
close("the output where class 0 is bright and class 1 dark", got, x / np.sqrt(26.001), hint)
### BEGIN HIDDEN TESTS
x, labels, gains, offsets, moving = norm_example(25, 6, 2, 3, 2)
labels = np.array([0, 1, 2, 0, 1, 2])
x += 5.0 * labels[:, None, None, None]
got, _ = norm_pair(x, labels, gains, offsets, moving, True)
close("the output where each class is brighter", got, norm_by_loop(x, labels, gains, offsets, batch_moments(x)), hint)
turned, _ = norm_pair(x[::-1].copy(), labels[::-1].copy(), gains, offsets, moving, True)
close("the output in another order", turned, np.asarray(got)[::-1], "The order of the images changes nothing but the order.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "conditional_norm_test_inference", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Outside training the moments are those that were kept, so that an image does not depend on its batch."
x, labels, gains, offsets, moving = norm_example(26, 3, 2, 2, 4)
got, kept = norm_pair(x, labels, gains, offsets, moving, False)
close("the output without training", got, norm_by_loop(x, labels, gains, offsets, moving), hint)
close("the moving moments after a use without training", kept, moving, "Only training moves them.")
### BEGIN HIDDEN TESTS
x, labels, gains, offsets, moving = norm_example(27, 5, 3, classes=4)
moving = moving[0], np.array([1e-4, 0.0, 30.0])
for n in (5, 1):
    got, kept = norm_pair(x[:n], labels[:n], gains, offsets, moving, False)
    close(f"the output of {n} images without training", got, norm_by_loop(x[:n], labels[:n], gains, offsets, moving), hint)
    close("the moving moments after a use without training", kept, moving, "Only training moves them.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "conditional_norm_test_moving", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "0.9 of the old one and 0.1 of the batch's, for the mean and for the variance of np.var."
x = np.array([[1.0], [3.0]])
_, kept = norm_pair(x, np.array([0, 1]), np.ones((2, 1)), np.ones((2, 1)), (np.array([10.0]), np.array([20.0])), True)
close("the moving moments after 10, 20 and a batch of 1 and 3", kept, [[9.2], [18.1]], hint)
### BEGIN HIDDEN TESTS
for shape in [(3, 2, 2, 4), (4, 3), (1, 2, 3, 2)]:
    x, labels, gains, offsets, moving = norm_example(28, *shape)
    _, kept = norm_pair(x, labels, gains, offsets, moving, True)
    mean, variance = batch_moments(x)
    close(f"the moving moments after x of shape {shape}", kept, [0.9 * moving[0] + 0.1 * mean, 0.9 * moving[1] + 0.1 * variance], hint)
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Obeyed or not (15 points: 8 for `obedience`, 7 for `dependence`)
#
# A judge reads a factor in each generated image, such as the colour of the hair. `asked` and
# `read`, both (n,), are whole numbers of any integer type: the class that an image was asked for,
# and the one that is read in it.
#
# Write `obedience(asked, read)`, which gives the pair `(in_all, by_class)`: the share of all images
# in which the class asked for is read; and a dictionary {class: share} with, for each class that
# somebody asked for, this share among the images that were asked for it. Classes that nobody asked
# for are not in the dictionary.
#
# The other factors should stay independent of the label. Write `dependence(labels, factor)`, which
# says by one number how far the label tells another factor: Cramér's
#
# $$
# V = \sqrt{\frac{1}{n\,(m - 1)} \sum_{i,j} \frac{(n_{ij} - e_{ij})^2}{e_{ij}}}, \qquad e_{ij} = \frac{n_{i\cdot}\, n_{\cdot j}}{n} .
# $$
#
# Of the $n$ images, $n_{ij}$ have the label $i$ and the value $j$ of the factor, $n_{i\cdot}$ have
# the label $i$, and $n_{\cdot j}$ the value $j$. The sum goes over all labels $i$ and all values
# $j$ that occur, also where $n_{ij}$ is 0; $m$ is the number of these labels or of these values,
# whichever is smaller. If $m$ is 1, then $V$ is 0. Use numpy alone.

# %% nbgrader={"grade": false, "grade_id": "obedience", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["scipy", "contingency", "association", "crosstab", "chi2_contingency", "sklearn", "pandas"]
def obedience(asked, read):
    ### BEGIN SOLUTION
    right = np.equal(asked, read)
    by_class = {int(k): np.mean(right[asked == k]) for k in np.unique(asked)}
    return np.mean(right), by_class
    ### END SOLUTION


def dependence(labels, factor):
    ### BEGIN SOLUTION
    rows, columns = np.unique(labels), np.unique(factor)
    m = min(len(rows), len(columns))
    if m == 1:
        return 0.0
    table = np.array([[np.sum((labels == i) & (factor == j)) for j in columns] for i in rows])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(labels)
    return np.sqrt(np.sum((table - expected) ** 2 / expected) / (len(labels) * (m - 1)))
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "obedience_helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
def obedience_pair(asked, read):
    """Your (in_all, by_class), checked to be such; the classes as whole numbers."""
    pair = call(obedience, asked, read)
    assert is_pair(pair), "obedience must give two things: in_all and by_class."
    assert isinstance(pair[1], dict), "by_class must be a dictionary {class: share}."
    return pair[0], {int(float(str(key))): share for key, share in pair[1].items()}


def check_obedience(asked, read, in_all, by_class, hint):
    """Compare both with what is expected."""
    got_in_all, got = obedience_pair(np.array(asked), np.array(read))
    close("the share of all images", got_in_all, in_all, hint)
    assert sorted(got) == sorted(by_class), f"by_class has the classes {sorted(got)}, asked for were {sorted(by_class)}."
    for k, share in by_class.items():
        close(f"the share of class {k}", got[k], share, hint)


def factors(seed, n, rows, columns, tied=0.5):
    """Labels, and a factor that a share of the images has from its label."""
    draw = np.random.default_rng([SEED, seed])
    labels, other = draw.integers(rows, size=n), draw.integers(columns, size=n)
    return labels, np.where(draw.random(n) < tied, labels % columns, other)

# %% nbgrader={"grade": true, "grade_id": "obedience_test_hand", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Every image counts the same in the share of all, and in that of its class every image asked for it."
check_obedience([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0], 4 / 6, {0: 3 / 4, 1: 1 / 2}, hint)
### BEGIN HIDDEN TESTS
check_obedience([2, 0, 2, 2, 0, 1, 2], [2, 1, 0, 2, 0, 1, 2], 5 / 7, {0: 1 / 2, 1: 1.0, 2: 3 / 4}, hint)
draw = np.random.default_rng([SEED, 31])
asked = np.sort(draw.integers(6, size=400) % 5)  # class 0 twice as often
read = np.where(draw.random(400) < 0.5 + 0.1 * asked, asked, draw.integers(5, size=400))
each = {k: [r == a for a, r in zip(asked.tolist(), read.tolist(), strict=True) if a == k] for k in range(5)}
by_class = {k: sum(flags) / len(flags) for k, flags in each.items()}
in_all = sum(map(sum, each.values())) / 400
check_obedience(asked, read, in_all, by_class, hint)
order = draw.permutation(400)
check_obedience(asked[order], read[order], in_all, by_class, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "obedience_test_classes", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Classes are those that somebody asked for, whatever is read."
check_obedience([0, 0, 3, 3], [0, 2, 1, 3], 1 / 2, {0: 1 / 2, 3: 1 / 2}, hint)
### BEGIN HIDDEN TESTS
check_obedience([1, 1, 4], [0, 3, 0], 0.0, {1: 0.0, 4: 0.0}, "A class that is never obeyed has the share 0.")
check_obedience([2, 2, 2], [2, 0, 7], 1 / 3, {2: 1 / 3}, hint)
check_obedience([5], [5], 1.0, {5: 1.0}, "One image is enough.")
asked, read = np.repeat([7, 200], 300).astype("uint8"), np.repeat([7, 9, 200], 200).astype("int64")
check_obedience(asked, read, 2 / 3, {7: 2 / 3, 200: 2 / 3}, "Labels are whole numbers of any integer type.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "obedience_test_dependence", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Count how many images have each pair of values, and how many would if they were independent."
close("V where the label tells all", call(dependence, np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])), 1.0, hint)
close("V where it tells nothing", call(dependence, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])), 0.0, hint)
# Counts 3, 1 and 1, 3: each expected one is 2.
close("V of eight images", call(dependence, np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 0, 1, 1, 1])), 0.5, hint)
### BEGIN HIDDEN TESTS
for seed, n, rows, columns in [(32, 500, 5, 2), (33, 80, 3, 4), (34, 200, 2, 5), (35, 1000, 5, 5), (36, 400, 4, 3)]:
    labels, factor = factors(seed, n, rows, columns)
    table = contingency.crosstab(labels, factor).count
    close(f"V of {n} images with {rows} labels and {columns} values", call(dependence, labels, factor), contingency.association(table, "cramer"), hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "obedience_test_values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
hint = "Only values that occur have a row or a column, and whole numbers may be of a type that holds no large ones."
close("V with a single label", call(dependence, np.zeros(4, int), np.array([0, 1, 0, 1])), 0.0, "With m = 1 it is 0.")
close("V of labels 0 and 9", call(dependence, np.array([0, 0, 9, 9]), np.array([4, 4, 4, 2])), np.sqrt(1 / 3), hint)
### BEGIN HIDDEN TESTS
close("V with a single value", call(dependence, np.array([3, 1, 2]), np.array([4, 4, 4])), 0.0, "With m = 1 it is 0.")
close("V of one image", call(dependence, np.array([3]), np.array([4])), 0.0, "With m = 1 it is 0.")
labels, factor = factors(37, 300, 4, 3)
expected = contingency.association(contingency.crosstab(labels, factor).count, "cramer")
small = np.array([0, 1, 86, 255])[labels].astype("uint8")
close("V of labels 0, 1, 86 and 255, both as uint8", call(dependence, small, factor.astype("uint8")), expected, hint)
got = call(dependence, small, np.array([-100, 7, 127])[factor].astype("int8"))
close("V with the values -100, 7 and 127 as int8", got, expected, hint)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. An experiment: what would moments by class cost? (15 points: 7 for `normalized`, 8 for `experiment`)
#
# Conditional batch normalization takes the moments of all images together. Why not those of each
# class? Then an image would depend on the few of its own class that happen to be in the batch.
# Measure how much.
#
# Write `normalized(x, labels, by_class)` for `x` (n, channels) and `labels` (n,), whole numbers:
# for each channel $(x - \mu) / \sqrt{\sigma^2 + 0.001}$ with mean and variance (that of `np.var`)
# over all rows; or, if `by_class` is true, for each row those over the rows of the same label,
# itself among them.
#
# Then write `experiment(seed, classes)`. From one `np.random.default_rng(seed)` draw in this order:
#
# 1. the centres of the classes, `classes` x 16 normal numbers of mean 0 and standard deviation 1;
# 2. our image, of class 0: 16 normal numbers around its centre, of standard deviation 1;
# 3. and then 100 batches, one after the other. For each draw the labels of 31 other images with `rng.integers(classes, size=31)`, and then
#    their 31 x 16 normal numbers, each around the centre of its label, of standard deviation 1.
#
# In each batch our image comes first, then the others. Normalize it in both ways, and keep what
# becomes of our image. How far that is moved by the rest of the batch is the standard deviation
# (`np.std`) of each channel over the 100 batches; take the **mean** over the channels. Give this
# number by class, divided by that of all together. Whoever draws in this order gets the same number
# from the same seed; a test has one for you to compare with.
#
# Before you run it, guess: what is it for 1, 4, 16 and 64 classes? You will need the answer in
# problem 5.

# %% nbgrader={"grade": false, "grade_id": "experiment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalized(x, labels, by_class):
    ### BEGIN SOLUTION
    if not by_class:
        return (x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + 0.001)
    result = np.empty(x.shape)
    for k in np.unique(labels):
        result[labels == k] = normalized(x[labels == k], None, False)
    return result
    ### END SOLUTION


def experiment(seed, classes):
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, 16))
    image = centres[0] + rng.normal(size=16)
    ours = {True: [], False: []}
    for _ in range(100):
        labels = rng.integers(classes, size=31)
        others = centres[labels] + rng.normal(size=(31, 16))
        x, labels = np.vstack([image, others]), np.append(0, labels)
        for by_class, kept in ours.items():
            kept.append(normalized(x, labels, by_class)[0])
    moved = {by_class: np.mean(np.std(kept, axis=0)) for by_class, kept in ours.items()}
    return moved[True] / moved[False]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "experiment_test_together", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
hint = "Over the rows, for each channel: subtract the mean, divide by the root of the variance and 0.001."
x = np.array([[4.0, 0.0], [6.0, 0.1], [-6.0, 0.1], [-4.0, 0.0]])
got = call(normalized, x, np.array([0, 0, 1, 1]), False)
close("the rows normalized together", got, (x - [0, 0.05]) / np.sqrt([26.001, 0.0035]), hint)
### BEGIN HIDDEN TESTS
for seed, n, channels in [(41, 7, 3), (42, 4, 4), (43, 5, 1)]:
    draw = np.random.default_rng([SEED, seed])
    x = draw.normal(2, 1, size=(n, channels))
    mean = x.sum(0) / n
    expected = (x - mean) / (((x - mean) ** 2).sum(0) / n + 0.001) ** 0.5
    close(f"{n} x {channels} numbers normalized together", call(normalized, x, draw.integers(3, size=n), False), expected, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_by_class", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "Each row is normalized by the rows of its own label, and stays in its place."
x = np.array([[4.0], [-6.0], [6.0], [-2.0]])
got = call(normalized, x, np.array([0, 1, 0, 1]), True)
close("the rows normalized by class", got, np.array([[-1.0], [-2.0], [1.0], [2.0]]) / np.sqrt([[1.001], [4.001], [1.001], [4.001]]), hint)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng([SEED, 44])
for n, labels in [(6, [2, 0, 2, 2, 0, 0]), (5, [3, 3, 3, 3, 3]), (7, [0, 7, 9, 7, 0, 0, 7]), (4, [1, 2, 5, 8])]:
    x, expected = draw.normal(2, 1, size=(n, 4)), np.zeros((n, 4))
    for row in range(n):
        rows = [x[k] for k in range(n) if labels[k] == labels[row]]
        mean = sum(rows) / len(rows)
        expected[row] = (x[row] - mean) / (sum((each - mean) ** 2 for each in rows) / len(rows) + 0.001) ** 0.5
    got = call(normalized, x, np.array(labels), True)
    close(f"the rows of labels {labels} normalized by class", got, expected, hint + " One alone in its class becomes 0.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_number", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = call(experiment, 1, 4)
assert np.ndim(result) == 0, "experiment must give one number."
assert result > 1, "With moments by class an image must be moved further. Which is divided by which?"
close("experiment(1, 4)", result, 2.18538, "Is it drawn in the order of the text, from one generator, with the text's sizes?")

# %% nbgrader={"grade": true, "grade_id": "experiment_test_values", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
cases = [(SEED + 10, 4), (SEED + 11, 4), (SEED + 10, 16)]
results = [call(experiment, *case) for case in cases]
close("the experiment with the same seed again", call(experiment, *cases[0]), results[0], "The same seed must give the same number.", 1e-9)
close("the experiment with a single class", call(experiment, SEED + 12, 1), 1.0, "With one class both ways are the same.")
assert results[0] != results[1], "Two seeds give the same number: does the seed reach your random numbers?"
### BEGIN HIDDEN TESTS
for (seed, classes), got in list(zip(cases, results, strict=True))[::2]:
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(classes, 16))
    image, rows = centres[0] + draw.normal(size=16), []
    for _ in range(100):
        labels = draw.integers(classes, size=31)
        x = np.concatenate([image[None], centres[labels] + draw.normal(size=(31, 16))])
        labels = np.concatenate([[0], labels])
        rows.append([np.asarray(call(normalized, x, labels, by_class))[0] for by_class in (True, False)])
    moved = np.std(rows, axis=0).mean(axis=1)
    close(f"the experiment with {classes} classes, with your own normalized", got, moved[0] / moved[1], "A deviation over the batches for each channel, then the mean over the channels, then one quotient.")
### END HIDDEN TESTS

# %% [markdown]
# ## 5. In words (30 points)
#
# Three to six sentences each.
#
# **a) (10 points)** In a data set nine of ten images are of class 0, and the rest of class 1. In
# the book a generated image gets the label of the real image beside it. A colleague asks G for both
# classes equally often instead, and shows D these labels. What can D then tell from a label alone,
# without a look at the image? What would the best D's score under cross-entropy contain because of that, how can the
# formula of problem 1 hold it, and what does G learn from it?

# %% [markdown] nbgrader={"grade": true, "grade_id": "unequal", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# A pair with class 0 is real in nine of fourteen cases, one with class 1 in one of six: D is often
# right with its eyes shut. The best score contains the logarithm of $p(y)/q(y)$ of the label's
# frequencies among real and generated images, $\log 1.8$ for class 0 and $\log 0.2$ for class 1.
# The projection has no constant for each class, but any feature that is about the same for all
# images serves as one: the rows of $V$ then differ in its place. Its gradient with respect to the
# image is about 0, and G does not choose its label. So from this part of the score G learns
# nothing. But it shifts the scores of each class, so that a hinge may be flat where there would be
# something to learn; D's weights and steps go into what helps nobody.
#
# **Rubric.** 3: with other frequencies a label alone tells real from generated, for both classes.
# 3: the log ratio of the frequencies, held by a feature that is (nearly) constant. 4: no gradient
# reaches G by it, as G cannot change the label; and one harm, such as a flat loss or a wasted D.

# %% [markdown]
# **b) (10 points)** Of 600 faces the judge reads in 99 % the hair that was asked for; of 600 real
# faces it reads the true one in 97 %. Within a class, features spread 0.5 times as far as those of
# real faces. Between hair and background $V$ is 0.45; of 600 real faces, where both are
# independent, it is 0.08. A colleague says: "It obeys better than reality, and a little dependence
# is there in the data, too." What do the three pairs of numbers say, and why is $V$ not 0 for the
# real faces? What is probably wrong with G, and how would you check?

# %% [markdown] nbgrader={"grade": true, "grade_id": "three_scores", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# The 97 % are the judge's own errors on real faces, some of which are hard to read. A G that draws
# few, clear kinds of hair is read more surely: 99 % means that the label is obeyed, and not that
# the faces are better. The spread of 0.5 says that within a class there are too few kinds of faces.
# $V$ is a sum of squares, so chance alone makes it positive; with a finite number of images it
# would be near 0.08 though nothing depends on anything. 0.45 is far above that floor: G ties
# backgrounds to hair, which the data do not. All fits a partial collapse, in which each class has
# its own few faces. Check it with the same noise under all labels, a table of hair and background,
# pages of samples of one class, or more images: the floor sinks, and the 0.45 stays.
#
# **Rubric.** 3: 97 % is the judge's error, and 99 % does not mean better faces. 2: $V$ is above 0
# by chance with finitely many images. 3: too little spread and dependence far above its floor: few
# kinds, each class with its own. 2: a sound check.

# %% [markdown]
# **c) (10 points)** Give the results of your experiment for 1, 4, 16 and 64 classes, for one seed
# that you name. Why does the number grow at first, about how fast would you expect it, and why does
# it not grow like that for ever: what becomes of an image that is alone in its class? Name a second
# reason against moments by class that this number does not show, and say what the tables $\Gamma$ and
# $B$ can and cannot give back.

# %% [markdown] nbgrader={"grade": true, "grade_id": "by_class", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# Seed 1: 1, 2.19, 3.40 and 2.61 for 1, 4, 16 and 64 classes. Of 32 images about $32/K$ are of our
# class, and a mean of $m$ numbers scatters like $1/\sqrt m$, so the number should grow like $\sqrt{K}$:
# 2 for 4 classes and 4 for 16. With few companions that ends: an image that is alone is its own
# mean and becomes 0 in every channel, and of two each channel becomes about 1 or $-1$. These
# scatter no further, but nothing of the image is left: with 64 classes it is often alone, the
# number hardly grows or falls, and nothing is gained. Second, moments by class take out what
# earlier layers had drawn differently for the class: every class leaves with the same mean and
# deviation. $\Gamma$ and $B$ can give each class a mean and a deviation again, the same for every batch.
# They cannot give back which image it was, or take out the scatter.
#
# **Rubric.** 2: the results, which grow first, and between 16 and 64 hardly or not. 3: about
# $\sqrt{K}$, as a mean of $32/K$ images scatters. 2: alone it becomes 0, whatever it shows. 3: the classes'
# differences are wiped out; the tables give back the class's mean and scale, and neither the image
# nor the batch's scatter (1 of the 3).
