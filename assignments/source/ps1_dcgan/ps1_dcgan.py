# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Problem set 1: DCGAN
#
# This set goes with chapter 1 of the book. You write three pieces of DCGAN with numpy alone, measure what batch
# normalization does to a fresh discriminator, and explain the rest in words. 100 points; 60 to 120
# minutes.
#
# Write where it says "your code here" or "Your answer here". Cells with tests are locked: run them
# to see what is still wrong. Some tests are run only when your work is graded. Helpers, parameters with
# default values, loops, float32, lists and tensors are yours to choose: what counts is the numbers
# that your functions give. Leave the arrays that you are given as they are. Restart the kernel and
# run all cells once before you hand in.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from sagan_lib.book.classroom import call, close, is_pair
from sagan_lib.datasets.faces import Faces

import numpy as np
import tensorflow as tf  # after sagan_lib, which keeps it quiet

SEED = 0  # set by your instructor

# %% [markdown]
# ## 1. The gradient probe (20 points: 15 for `input_gradient`, 5 for `gradient_probe`)
#
# How much of a gradient arrives at the image? Take a stack of dense layers without biases. Each
# row of $x$ is one image, and from $a_0 = x$ on
#
# $$p_l = a_{l-1} W_l,\qquad a_l = \mathrm{lrelu}(p_l) = \max(p_l, \alpha\, p_l),
#   \qquad l = 1, \dots, L .$$
#
# After the last layer, too, there is a leaky ReLU. `top` is the gradient of some loss with respect
# to $a_L$, one row for each image.
#
# Write `input_gradient(x, weights, top, slope)`: the gradient of that loss with respect to $x$. Do
# the backpropagation by hand: go up once, keep what you need, and come down again. `slope` is
# $\alpha$, between 0 and 1. Do without differences, automatic differentiation, TensorFlow and Keras.
#
# Then write `gradient_probe(x, weights, top, slope)`, one number: for each image the length of the
# gradient that arrives at $x$, divided by the length of the gradient put in at the top; and of
# these the mean over the images.

# %% nbgrader={"grade": false, "grade_id": "gradient_probe", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "autograd", "input_differences"]
def input_gradient(x, weights, top, slope):
    ### BEGIN SOLUTION
    kept = []
    for w in weights:
        x = x @ w
        kept.append((w, np.where(x > 0, 1.0, slope)))
        x = np.maximum(x, slope * x)
    gradient = top
    for w, share in reversed(kept):
        gradient = (gradient * share) @ w.T
    return gradient
    ### END SOLUTION


def gradient_probe(x, weights, top, slope):
    ### BEGIN SOLUTION
    arrived = np.linalg.norm(input_gradient(x, weights, top, slope), axis=1)
    return np.mean(arrived / np.linalg.norm(top, axis=1))
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "input_differences", "locked": true, "schema_version": 3, "solution": false, "task": false}
DIFFERENCE_STEP = 1e-8  # the output is made of straight lines


def input_differences(x, weights, top, slope):
    """The gradient of sum(top * output) with respect to x by moving one number at a time."""

    def loss(a):
        for w in weights:
            a = np.maximum(a @ w, slope * (a @ w))
        return np.sum(top * a)

    gradient = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        move = np.zeros_like(x)
        move[place] = DIFFERENCE_STEP
        gradient[place] = (loss(x + move) - loss(x - move)) / (2 * DIFFERENCE_STEP)
    return gradient


def random_stack(seed, *widths, images=5):
    """Images, weights of deviation sqrt(2 / fan-in) and a gradient at the top."""
    draw = np.random.default_rng([SEED, seed])
    x, top = draw.normal(size=(images, widths[0])), draw.normal(size=(images, widths[-1]))
    sizes = [widths[layer : layer + 2] for layer in range(len(widths) - 1)]
    return x, [draw.normal(0, np.sqrt(2 / size[0]), size=size) for size in sizes], top


TWO_LAYERS = [np.array([[1.0, -1.0], [0.0, 1.0]]), np.array([[1.0], [3.0]])]
TWO_IMAGES = np.array([[2.0, 1.0], [-2.0, -3.0]])

# %% nbgrader={"grade": true, "grade_id": "gradient_probe_test_hand", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Image 0 has p_1 = (2, -1), image 1 has p_1 = (-2, -1) and a negative p_2.
hint = "A negative input passes the share `slope` of the gradient, whose sign stays; a positive one passes all."
for slope, expected in [
    (0.0, [[1.0, 0.0], [0.0, 0.0]]), (0.1, [[0.7, 0.3], [-0.02, 0.03]]), (0.2, [[0.4, 0.6], [-0.08, 0.12]]),
]:  # fmt: skip
    got = call(input_gradient, TWO_IMAGES, TWO_LAYERS, np.ones((2, 1)), slope)
    close(f"the gradient at the input for slope {slope}", got, expected, hint)
### BEGIN HIDDEN TESTS
for slope in (0.02, 0.5):
    got = call(input_gradient, TWO_IMAGES, TWO_LAYERS, np.full((2, 1), -3.0), slope)
    expected = [[9 * slope - 3, -9 * slope], [6 * slope**2, -9 * slope**2]]
    close(f"the gradient at the input for slope {slope} and a negative gradient at the top", got, expected, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "gradient_probe_test_linear", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
hint = "A leaky ReLU of slope 1 does nothing: the way down is one product of matrices. Which comes first, and which way do they lie?"
x, weights, top = random_stack(1, 4, 4, 4, 4)
got = call(input_gradient, x, weights, top, 1.0)
close("the gradient through three linear layers", got, top @ (weights[0] @ weights[1] @ weights[2]).T, hint)
### BEGIN HIDDEN TESTS
x, weights, top = random_stack(2, 3, 6, 2)
got = call(input_gradient, x, weights, top, 1.0)
close("the gradient through two linear layers", got, top @ (weights[0] @ weights[1]).T, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "gradient_probe_test_differences", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
hint = "Each layer needs the signs of its own p, for each image, from the way up."
x, weights, top = random_stack(3, 5, 5, 5, 5)
got = call(input_gradient, x, weights, top, 0.2)
close("the gradient through three layers", got, input_differences(x, weights, top, 0.2), hint)
dark = call(input_gradient, 1e-9 * x, weights, top, 0.2)
close("the gradient at images a billion times darker", dark, got, "The signs of p are the same, and so is the gradient.")
### BEGIN HIDDEN TESTS
for seed, slope, widths in [(4, 0.2, (6, 3, 7, 2)), (5, 0.0, (4, 8, 8)), (6, 0.1, (3, 3, 3, 3, 3, 3)), (7, 0.3, (4, 2)), (8, 0.2, (1, 5, 1))]:
    x, weights, top = random_stack(seed, *widths)
    got = call(input_gradient, x, weights, top, slope)
    close(f"the gradient through layers {widths}", got, input_differences(x, weights, top, slope), hint)
    got = call(input_gradient, -x, weights, top, slope)  # the same shapes, other signs
    close("the gradient at other images", got, input_differences(-x, weights, top, slope), hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "gradient_probe_test_share", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
hint = "First a length and a quotient for each image, then the mean."
top = np.array([[1.0], [-2.0]])
got = call(gradient_probe, TWO_IMAGES, TWO_LAYERS, top, 0.2)
close("the share for two images and slope 0.2", got, np.sqrt([0.52, 0.0208]).mean(), hint)
### BEGIN HIDDEN TESTS
for seed, slope, widths in [(8, 0.2, (6, 4, 3)), (9, 0.0, (5, 9, 9, 4)), (10, 1.0, (4, 4, 4, 4))]:
    x, weights, top = random_stack(seed, *widths, images=6)
    lengths = [np.sqrt(np.sum(each**2, 1)) for each in (input_differences(x, weights, top, slope), top)]
    got = call(gradient_probe, x, weights, top, slope)
    close(f"the share for layers {widths}", got, sum(lengths[0] / lengths[1]) / 6, hint)
    small = call(gradient_probe, x, weights, 1e-6 * top, slope)
    close("the share for a gradient a million times smaller", small, got, "It is a quotient: the size of what is put in goes out of it.")
### END HIDDEN TESTS

# %% [markdown]
# ## 2. The transposed convolution (20 points: 3 for the size, 10 for one channel, 7 for several)
#
# DCGAN's generator doubles the side of a picture with a transposed convolution of stride $s = 2$.
# Each pixel of the small picture paints the whole kernel, of size $k$, into the large one, weighted
# with the pixel's value. The pixel at row $i$ and column $j$ adds
#
# $$\sum_{c} \mathrm{image}[i, j, c]\;\mathrm{kernel}[p, q, o, c] \quad\text{to}\quad
#   \mathrm{full}[s i + p,\; s j + q,\; o]$$
#
# for all $p$ and $q$ from 0 to $k - 1$ and every output channel $o$. Where the kernels of two pixels
# overlap, they add up. The result is $k - s$ rows and columns too large. `padding="same"` crops them: $\lfloor (k-s)/2\rfloor$ rows at the top and the rest at the
# bottom, and the columns likewise left and right. Then the height is $s$ times the image's.
#
# Write `transposed_convolution(image, kernel, stride=2)` for `image` (height, width, in) and
# `kernel` (k, k, **out, in**), as Keras stores it. The result has the shape (stride · height,
# stride · width, out). $k$ is at least the stride. Image and kernel hold floats. Use numpy alone.

# %% nbgrader={"grade": false, "grade_id": "transposed_convolution", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "scipy", "keras_output"]
def transposed_convolution(image, kernel, stride=2):
    ### BEGIN SOLUTION
    height, width, _ = image.shape
    k, _, out, _ = kernel.shape
    full = np.zeros((stride * (height - 1) + k, stride * (width - 1) + k, out))
    for i in range(height):
        for j in range(width):
            top, left = stride * i, stride * j
            full[top : top + k, left : left + k] += kernel @ image[i, j]
    before = (k - stride) // 2
    return full[before : before + stride * height, before : before + stride * width]
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "keras_output", "locked": true, "schema_version": 3, "solution": false, "task": false}
def keras_output(image, kernel, stride):
    """What Keras's layer computes."""
    size = (1, stride * image.shape[0], stride * image.shape[1], kernel.shape[2])
    return tf.nn.conv2d_transpose(image[None], kernel, size, stride, "SAME").numpy()[0]


# %% nbgrader={"grade": true, "grade_id": "transposed_convolution_test_size", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
hint = "Height and width are the image's times the stride, after cropping."
got = call(transposed_convolution, np.zeros((4, 4, 1)), np.zeros((4, 4, 2, 1)))
close("the picture from 4 x 4 pixels", got, np.zeros((8, 8, 2)), hint)
### BEGIN HIDDEN TESTS
for height, width, k, stride in [(3, 5, 4, 2), (5, 2, 3, 2), (2, 2, 5, 3), (3, 4, 3, 1), (1, 1, 4, 2)]:
    got = call(transposed_convolution, np.zeros((height, width, 2)), np.zeros((k, k, 3, 2)), stride)
    close(f"the picture from {height} x {width} pixels with k = {k} and stride {stride}", got, np.zeros((stride * height, stride * width, 3)), hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "transposed_convolution_test_pixel", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
hint = "One pixel alone paints the kernel as it is, turned in no way. It starts at stride times the pixel's place, minus what is cropped before it."
kernel = np.arange(1.0, 17.0).reshape(4, 4, 1, 1)
image, expected = np.zeros((3, 4, 1)), np.zeros((6, 8, 1))
image[1, 2] = 2.0
expected[1:5, 3:7] = 2 * kernel[:, :, 0]
got = call(transposed_convolution, image, kernel)
close("the picture from one pixel, k = 4", got, expected, hint)
### BEGIN HIDDEN TESTS
for k, rows, columns in [(2, slice(2, 4), slice(4, 6)), (3, slice(2, 5), slice(4, 7)), (5, slice(1, 6), slice(3, 8))]:
    kernel, expected = np.random.default_rng(SEED + k).normal(size=(k, k, 1, 1)), np.zeros((6, 8, 1))
    expected[rows, columns] = 2 * kernel[:, :, 0]
    got = call(transposed_convolution, image, kernel)
    close(f"the picture from one pixel, k = {k}", got, expected, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "transposed_convolution_test_overlap", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
hint = "How many pixels paint into each place? Their kernels add up, nothing is replaced and nothing is averaged."
got = call(transposed_convolution, np.ones((3, 3, 1)), np.ones((4, 4, 1, 1)))
once = np.array([1.0, 2, 2, 2, 2, 1])  # along one axis; in two the counts multiply
close("the picture from 3 x 3 ones with a kernel of ones", got, np.outer(once, once)[..., None], hint)
### BEGIN HIDDEN TESTS
got = call(transposed_convolution, np.ones((3, 3, 1)), np.ones((3, 3, 1, 1)))
once = np.array([1.0, 1, 2, 1, 2, 1])
close("the picture from 3 x 3 ones with a 3 x 3 kernel of ones", got, np.outer(once, once)[..., None], hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "transposed_convolution_test_keras", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
hint = "Every output channel sums over all input channels; the kernel's axes are (k, k, out, in)."
draw = np.random.default_rng([SEED, 11])
for channels, out in [(2, 2), (3, 2)]:
    image, kernel = draw.normal(size=(3, 3, channels)), draw.normal(size=(4, 4, out, channels))
    got = call(transposed_convolution, image, kernel)
    close(f"the picture with {channels} channels in and {out} out", got, keras_output(image, kernel, 2), hint)
### BEGIN HIDDEN TESTS
for height, width, channels, k, stride in [(3, 2, 1, 4, 2), (2, 3, 2, 4, 2), (3, 2, 3, 5, 2), (2, 2, 2, 4, 3), (3, 3, 2, 3, 1), (4, 5, 2, 7, 2), (5, 4, 2, 4, 1)]:
    image, kernel = draw.normal(size=(height, width, channels)), draw.normal(size=(k, k, channels, channels))
    got = call(transposed_convolution, image, kernel, stride)
    close(f"the picture with k = {k} and stride {stride}", got, keras_output(image, kernel, stride), hint)
    turned = np.asfortranarray(kernel)  # the same numbers, in another order of memory
    got = call(transposed_convolution, image, turned, stride)
    close("the picture from a kernel that lies otherwise in memory", got, keras_output(image, kernel, stride), "The same kernel: use its axes, not its order in memory.")
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The losses' gradients (15 points: 5 for D's, 5 for G's, 5 for scores where D is sure)
#
# Let $r_1, \dots, r_m$ be D's scores (logits) of real images and $f_1, \dots, f_n$ those of fakes,
# and $\sigma$ the sigmoid. The losses of chapter 1 are means over the batch:
#
# $$L_D = -\frac1m\sum_i \log\sigma(r_i) - \frac1n\sum_j \log\bigl(1-\sigma(f_j)\bigr),$$
#
# $$L_G^{\text{minimax}} = \frac1n\sum_j \log\bigl(1-\sigma(f_j)\bigr),\qquad
#   L_G^{\text{non-saturating}} = -\frac1n\sum_j \log\sigma(f_j) .$$
#
# Derive their gradients with respect to the scores on paper. Then write
#
# - `d_gradients(real, fake)`, the pair $\partial L_D/\partial r,\ \partial L_D/\partial f$, and
# - `g_gradients(fake)`, the pair of $\partial L_G/\partial f$, first minimax, then non-saturating.
#
# Write the formulas, not differences. Hidden tests also try scores as large as $\pm 1000$, where a
# sigmoid written without care gives NaN, and scores that are whole numbers. `sigmoid` is there for your convenience and is not tested.

# %% nbgrader={"grade": false, "grade_id": "loss_gradients", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "autograd", "score_differences", "gradient"]
def sigmoid(scores):
    ### BEGIN SOLUTION
    return np.exp(-np.logaddexp(0, -scores))
    ### END SOLUTION


def d_gradients(real, fake):
    ### BEGIN SOLUTION
    return -sigmoid(-real) / len(real), sigmoid(fake) / len(fake)
    ### END SOLUTION


def g_gradients(fake):
    ### BEGIN SOLUTION
    minimax = -sigmoid(fake) / len(fake)
    non_saturating = -sigmoid(-fake) / len(fake)
    return minimax, non_saturating
    ### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "score_differences", "locked": true, "schema_version": 3, "solution": false, "task": false}
SCORE_STEP = 1e-5


def minus_log_sigmoid(scores):
    return np.logaddexp(0, -scores)


def score_differences(loss, scores):
    """The gradient of loss(scores) by moving one score at a time."""
    moves = SCORE_STEP * np.eye(len(scores))
    return np.array([(loss(scores + move) - loss(scores - move)) / (2 * SCORE_STEP) for move in moves])


def gradient_pair(function, *scores):
    """Your function's result, checked to be a pair."""
    pair = call(function, *scores)
    assert is_pair(pair), f"{function.__name__} must give two gradients."
    return pair


# %% nbgrader={"grade": true, "grade_id": "loss_gradients_test_d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
draw = np.random.default_rng([SEED, 12])
hint = "Differentiate with respect to the score, through the sigmoid; each sum has its own 1/m or 1/n."
real, fake = draw.normal(1, 2, size=6), draw.normal(-1, 2, size=4)
for_real, for_fake = gradient_pair(d_gradients, real, fake)
expected = score_differences(lambda r: np.mean(minus_log_sigmoid(r)) + np.mean(minus_log_sigmoid(-fake)), real)
close("D's gradient for the real scores", for_real, expected, hint)
expected = score_differences(lambda f: np.mean(minus_log_sigmoid(real)) + np.mean(minus_log_sigmoid(-f)), fake)
close("D's gradient for the fake scores", for_fake, expected, hint)
### BEGIN HIDDEN TESTS
for_real, for_fake = gradient_pair(d_gradients, np.zeros(1), np.array([0.0, np.log(3)]))
close("D's gradient for a real score of 0", for_real, [-0.5], hint)
close("D's gradient for fakes that D finds real by 1/2 and 3/4", for_fake, [0.25, 0.375], hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "loss_gradients_test_g", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
draw = np.random.default_rng([SEED, 13])
hint = "A step against this gradient must raise the score; each loss is a mean over the batch."
fake = draw.normal(-1, 2, size=5)
minimax, non_saturating = gradient_pair(g_gradients, fake)
close("the minimax gradient", minimax, score_differences(lambda f: -np.mean(minus_log_sigmoid(-f)), fake), hint)
close("the non-saturating gradient", non_saturating, score_differences(lambda f: np.mean(minus_log_sigmoid(f)), fake), hint)
### BEGIN HIDDEN TESTS
minimax, non_saturating = gradient_pair(g_gradients, np.array([0.0, np.log(3)]))
close("the minimax gradient for fakes that D finds real by 1/2 and 3/4", minimax, [-0.25, -0.375], hint)
close("the non-saturating gradient for fakes that D finds real by 1/2 and 3/4", non_saturating, [-0.25, -0.125], hint)
minimax, non_saturating = gradient_pair(g_gradients, np.array([0, 0]))
close("the minimax gradient at scores of 0, as whole numbers", minimax, [-0.25, -0.25], hint)
close("the non-saturating gradient at scores of 0, as whole numbers", non_saturating, [-0.25, -0.25], hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "loss_gradients_test_sure", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
hint = "Where D is sure of the fake the minimax loss must be flat, and the other steep."
minimax, non_saturating = gradient_pair(g_gradients, np.array([-6.0]))
close("the minimax gradient at a score of -6", minimax, [-0.0024726], hint)
close("the non-saturating gradient at a score of -6", non_saturating, [-0.9975274], hint)
### BEGIN HIDDEN TESTS
tail = "It is tiny but not zero, and the formula gives it: is anything rounded, clipped or a difference of large numbers?"
minimax, non_saturating = gradient_pair(g_gradients, np.array([-20.0]))
close("the minimax gradient at a score of -20", minimax, [-np.exp(-20.0)], tail, 1e-3)
close("D's gradient at a fake score of -20", gradient_pair(d_gradients, np.zeros(1), np.array([-20.0]))[1], [np.exp(-20.0)], tail, 1e-3)
large = "An exponential of a large number overflows: write the sigmoid so that it never needs one."
far = np.array([-1000.0, 1000.0])
minimax, non_saturating = gradient_pair(g_gradients, far)
close("the minimax gradient at scores of -1000 and 1000", minimax, [0.0, -0.5], large)
close("the non-saturating gradient at scores of -1000 and 1000", non_saturating, [-0.5, 0.0], large)
for_real, for_fake = gradient_pair(d_gradients, far, far)
close("D's gradient at real scores of -1000 and 1000", for_real, [-0.5, 0.0], large)
close("D's gradient at fake scores of -1000 and 1000", for_fake, [0.0, 0.5], large)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. An experiment: does a fresh D tell faces apart? (15 points: 7 for `features`, 8 for `experiment`)
#
# Chapter 1 says that without batch normalization a fresh D hardly tells one image from another,
# because its weights are small. Here is a second reason, which has nothing to do with the scale of
# the weights. A signal that is the same for every face tells D nothing. The cell below draws 64 faces and gives the share of a layer's signal that **varies** from face to face: 1 if the
# mean over the faces is zero in every unit, 0 if all faces look the same.
#
# Write `features(x, weights, batch_norm)`, the signal after a stack of layers as in DCGAN's D, with
# dense layers in place of convolutions. Each layer multiplies by its matrix and ends with a leaky
# ReLU of slope 0.2. If `batch_norm` is true, every layer **but the first** also brings each unit to
# mean 0 and variance 1 over the batch (that of `np.var`), between the product and the leaky ReLU.
# Leave out the trained scale and shift, and Keras's small epsilon.
#
# Then write `experiment(seed)`. Draw 8 discriminators one after the other from one
# `np.random.default_rng(seed)`: six weight matrices each, first 768 x 32 and then five times 32 x 32,
# with normal entries of mean 0 and standard deviation 0.02.
# For each take the varying share of `FACES`' features with batch normalization, divided by that
# without, at the same weights. Give the **mean** of the 8 quotients. Whoever draws in this order gets
# the same number from the same seed; a test has one for you to compare with.

# %% nbgrader={"grade": false, "grade_id": "varying_share", "locked": true, "schema_version": 3, "solution": false, "task": false}
FACES = Faces(16, 64, population=0).images.reshape(64, 768) / 127.5 - 1  # (face, pixel and colour)


def varying_share(signal):
    """Share of the signal (image, unit) that varies from image to image, from 0 to 1."""
    return np.sqrt(np.mean(np.var(signal, axis=0)) / np.mean(signal**2))

# %% nbgrader={"grade": false, "grade_id": "experiment", "locked": false, "schema_version": 3, "solution": true, "task": false} without=["tensorflow", "tf", "keras", "torch", "jax", "BatchNormalization"]
def features(x, weights, batch_norm):
    ### BEGIN SOLUTION
    for number, w in enumerate(weights):
        x = x @ w
        if batch_norm and number > 0:
            x = (x - np.mean(x, axis=0)) / np.std(x, axis=0)
        x = np.maximum(x, 0.2 * x)
    return x
    ### END SOLUTION


def experiment(seed):
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    quotients = []
    for _ in range(8):
        weights = [rng.normal(0, 0.02, size=(n, 32)) for n in (768, 32, 32, 32, 32, 32)]
        with_bn, without = (varying_share(features(FACES, weights, b)) for b in (True, False))
        quotients.append(with_bn / without)
    return np.mean(quotients)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "experiment_test_plain", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
hint = "Without batch normalization each layer is a product and a leaky ReLU of slope 0.2."
x, unit = np.array([[1.0], [-2.0], [3.0]]), np.ones((1, 1))
close("the features after one layer", call(features, x, [unit], False), [[1.0], [-0.4], [3.0]], hint)
close("the features after two layers", call(features, x, [unit, -unit], False), [[-0.2], [0.4], [-0.6]], hint)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng([SEED, 14])
x, weights = draw.normal(size=(7, 5)), [draw.normal(size=size) for size in [(5, 4), (4, 6), (6, 3)]]
expected = x
for w in weights:
    expected = expected @ w * np.where(expected @ w > 0, 1, 0.2)
close("the features after three layers", call(features, x, weights, False), expected, hint)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_norm", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
x, unit = np.array([[1.0], [3.0], [5.0], [7.0]]), np.ones((1, 1))
close("the features after one layer", call(features, x, [unit], True), x, "The first layer of D has no batch normalization.")
hint = "Over the batch, for each unit: subtract the mean, divide by the deviation; then comes the leaky ReLU."
z = np.array([[-3.0], [-1.0], [1.0], [3.0]]) / np.sqrt(5)
close("the features after two layers", call(features, x, [unit, 2 * unit], True), np.where(z > 0, z, z / 5), hint)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng([SEED, 15])
x, weights = draw.normal(1, 1, size=(8, 5)), [draw.normal(size=size) for size in [(5, 4), (4, 6), (6, 3)]]
p, expected = x @ weights[0], None
for w in weights[1:]:
    p = np.where(p > 0, p, p / 5) @ w
    p = (p - p.sum(0) / 8) / np.sqrt(np.mean((p - p.sum(0) / 8) ** 2, 0))
expected = np.where(p > 0, p, p / 5)
got = call(features, x, weights, True)
close("the features after three layers", got, expected, hint)
w = draw.normal(size=(5, 5))
p = x @ w
p = np.where(p > 0, p, p / 5) @ w
p = (p - p.mean(0)) / p.std(0)
close("the features with one matrix used twice", call(features, x, [w, w], True), np.where(p > 0, p, p / 5), "Every layer but the first is normalized, whatever its matrix.")
close("the features of small weights", call(features, x, [w / 1000 for w in weights], True), expected, "Batch normalization takes the weights' scale away.")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "experiment_test_number", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = call(experiment, 1)
assert np.ndim(result) == 0, "experiment(seed) must give one number, the mean."
assert result > 1, "Batch normalization must raise the varying share. Did you divide by the share without it?"
close("experiment(1)", result, 1.61201, "Is it drawn in the order of the text, from one generator, at the text's sizes and deviation?")

# %% nbgrader={"grade": true, "grade_id": "experiment_test_values", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
results = [call(experiment, seed) for seed in (SEED + 10, SEED + 11, SEED + 10)]
close("the experiment with the same seed again", results[2], results[0], "The same seed must give the same number.", 1e-9)
assert results[0] != results[1], "Two seeds give the same number: does the seed reach your random numbers?"
### BEGIN HIDDEN TESTS
for seed, got in zip((SEED + 10, SEED + 11), results, strict=False):
    draw, quotients = np.random.default_rng(seed), []
    for _ in range(8):
        weights = [draw.normal(0, 0.02, size=(n, 32)) for n in (768, 32, 32, 32, 32, 32)]
        with_bn, without = (varying_share(call(features, FACES, weights, each)) for each in (True, False))
        quotients.append(with_bn / without)
    close("the experiment, with your own features", got, sum(quotients) / len(quotients), "A quotient for each discriminator, of two shares at the same weights; then the mean of all.")
### END HIDDEN TESTS

# %% [markdown]
# ## 5. In words (30 points)
#
# Three to six sentences each.
#
# **a) (10 points)** A colleague says: "Adam divides each gradient by its size, so it does not matter
# that the minimax loss is flat where D is sure." Take a batch in which D gives seven fakes a score of $-6$ and one
# fake a score of $2$. Which fakes does each of the two losses of G learn from, and in what does the
# colleague err?

# %% [markdown] nbgrader={"grade": true, "grade_id": "adam", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# Minimax pushes each score with $\sigma(s)$: the seven bad fakes with 0.0025 each, the good one with
# 0.88. Nearly the whole gradient of the batch comes from the one fake that D already believes. The
# non-saturating loss pushes with $1 - \sigma(s)$: the seven with 0.998 each, the good one with 0.12,
# so G learns where it is worst. Adam divides the gradient of a *weight*, after the sum over the
# batch, by a running size. That repairs a gradient that is small as a whole; it cannot give the
# seven fakes back their part of the sum.
#
# **Rubric.** 3: under minimax the good fake outweighs the seven, with numbers or the formula.
# 3: under the non-saturating loss it is the other way round. 4: Adam rescales the sum over the
# batch, not each fake's part in it.

# %% [markdown]
# **b) (10 points)** A generator draws every face 20 % too dark and is otherwise perfect. As in the
# book, real and fake batches pass through D apart. Suppose that D had batch normalization on its
# input, the image itself. Could D see the mistake, and what would G learn about it? Then use the
# answer to explain why DCGAN leaves it out there, and say what batch normalization at G's output
# would do to the single picture.

# %% [markdown] nbgrader={"grade": true, "grade_id": "no_norm", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# Batch normalization subtracts the mean of each colour channel over the batch and divides by the
# deviation. Real and fake batches are each brought to mean 0 and variance 1, so the darkness is gone
# before D's first convolution: both look alike. D's score then does not depend on the fakes' mean and
# scale, so no gradient about them reaches G and the mistake stays. Hence the rule: D must see the
# images as they are. At G's output the pixels of one picture would be shifted and scaled by what
# else is in its batch: a dark face would come out lighter among other dark faces. Through
# gamma and beta G could choose the brightness of all its pictures together, but not of one.
#
# **Rubric.** 3: both batches are brought to the same mean and variance, so D cannot see it.
# 3: no gradient about it reaches G. 1: the conclusion, the rule. 3: at G's output a picture depends
# on its batch.

# %% [markdown]
# **c) (10 points)** After many steps D's loss stands at 1.386, which is $2\log 2$, and does not move.
# Among 500 generated faces the judge reads 24 of 250 combinations; a perfect generator would show
# 216 on average. A colleague reads from the loss that the game has reached its solution. What does
# the loss say, and why does it not say that? Name two different things that the 24 may mean and how
# you would tell them apart.

# %% [markdown] nbgrader={"grade": true, "grade_id": "collapse", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# A loss of $2\log 2$ is that of a D which gives every image the probability one half: at the moment
# *this* D tells nothing. At the solution it would be so, but it is also so for a D that is too weak
# or has hardly been trained, and its loss is measured against an opponent that moves. The loss does
# not see how many different faces there are. The 24 may be mode collapse, few kinds of good faces,
# or no faces at all, since the judge always answers. Look at a page of samples, measure the spread
# of the pixels relative to the data's, or train a fresh D on these fakes: if it separates them at
# once, the game was not at its solution.
#
# **Rubric.** 3: what $2\log 2$ means. 3: a weak D gives it as well, or the loss is relative to the
# opponent. 2: the two meanings, collapse and no faces. 2: a sound way to tell them apart.
