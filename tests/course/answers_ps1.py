"""Problem set 1: wrong answers with the misconception each stands for, and other right ones."""

from harness import right, wrong

_HAND, _LINEAR, _DIFF, _SHARE = (
    f"gradient_probe_test_{word}" for word in ("hand", "linear", "differences", "share")
)
_SIZE, _PIXEL, _OVERLAP, _KERAS = (
    f"transposed_convolution_test_{word}" for word in ("size", "pixel", "overlap", "keras")
)
_D, _G, _SURE = (f"loss_gradients_test_{word}" for word in ("d", "g", "sure"))
_PLAIN, _NORM, _NUMBER, _VALUES = (
    f"experiment_test_{word}" for word in ("plain", "norm", "number", "values")
)

_KEEP = "kept.append((w, np.where(x > 0, 1.0, slope)))"
_DOWN = "gradient = (gradient * share) @ w.T"
_MEAN = "np.mean(arrived / np.linalg.norm(top, axis=1))"
_ADD = "full[top : top + k, left : left + k] += kernel @ image[i, j]"
_CROP = "full[before : before + stride * height, before : before + stride * width]"
_NEW = "def transposed_convolution(image, kernel, stride=2):\n"
_SIGMOID = "np.exp(-np.logaddexp(0, -scores))"
_REAL, _FAKE = "-sigmoid(-real) / len(real)", "sigmoid(fake) / len(fake)\n    ###"
_MINIMAX = "minimax = -sigmoid(fake) / len(fake)"
_STEEP = "non_saturating = -sigmoid(-fake) / len(fake)"
_BN = "(x - np.mean(x, axis=0)) / np.std(x, axis=0)"

WRONG = {
    "gradient_probe": [
        wrong("a negative input passes a negative gradient, as the article says", _HAND, "sign stays",
              "1.0, slope))", "1.0, -slope))"),
        wrong("DCGAN's slope is written into the code", _LINEAR, "slope 1", "1.0, slope))", "1.0, 0.2))"),
        wrong("the share follows the sign of the gradient, not of the input", _HAND, "negative input",
              "gradient * share", "gradient * np.where(gradient > 0, 1, slope)"),
        wrong("the last layer's activation is forgotten on the way down", _HAND, "negative input",
              "    gradient = top\n", "    kept[-1] = weights[-1], 1.0\n    gradient = top\n"),
        wrong("each layer takes the signs of its input, the image's at the bottom", _DIFF, "its own p",
              "        x = x @ w\n        " + _KEEP, "        " + _KEEP + "\n        x = x @ w",
              _DOWN, "gradient = (gradient @ w.T) * share"),
        wrong("no activation on the way up", _DIFF, "way up", "x = np.maximum(x, slope * x)", "pass"),
        wrong("the signs of the first image serve all", _DIFF, "each image",
              "np.where(x > 0, 1.0, slope)", "np.where(x[:1] > 0, 1.0, slope)"),
        wrong("comes down through the weights in the order of the way up", _LINEAR, "comes first",
              "reversed(kept)", "kept"),
        wrong("no transpose on the way down", _LINEAR, "which way", "@ w.T", "@ w"),
        wrong("the gradient of the output's sum, whatever was put in at the top", _LINEAR, "wrong",
              "    gradient = top\n", "    gradient = np.ones_like(top)\n"),
        wrong("the first layer's activation is forgotten on the way down", _DIFF, "its own p",
              "    gradient = top\n", "    kept[0] = weights[0], 1.0\n    gradient = top\n"),
        wrong("one gradient for the whole batch: the sum over the images", _HAND, "shape",
              "    return gradient\n", "    return gradient.sum(0)\n"),
        wrong("the worked example's numbers are written into the code", _LINEAR, "shape",
              "    return gradient\n", "    return np.array([[1 - 3 * slope, 3 * slope],"
              " [-2 * slope**2, 3 * slope**2]])\n"),
        wrong("a quotient of means", _SHARE, "each image",
              _MEAN, "np.mean(arrived) / np.mean(np.linalg.norm(top, axis=1))"),
        wrong("a share for each image, without their mean", _SHARE, "mean",
              _MEAN, "arrived / np.linalg.norm(top, axis=1)"),
        wrong("images at which no gradient arrives are left out of the mean", _SHARE, "a length and a quotient",
              _MEAN, "np.mean((arrived / np.linalg.norm(top, axis=1))[arrived > 0])"),
        wrong("a stack of one layer is not thought of", _DIFF, "stopped with",
              "    gradient = top\n", "    gradient = top\n    weights[1]\n"),
        wrong("the signs are kept for the next call with such shapes", _DIFF, "the signs of its own p",
              "def input_gradient(", "SIGNS = {}\n\n\ndef input_gradient(",
              "    gradient = top\n", "    kept = SIGNS.setdefault((np.shape(x), slope, *map(np.shape, weights)), kept)\n    gradient = top\n"),
        wrong("1e-5 is added to the lengths", _SHARE, "It is a quotient",
              _MEAN, "np.mean(arrived / (np.linalg.norm(top, axis=1) + 1e-5))"),
    ],
    "transposed_convolution": [
        wrong("the kernel is turned around, as a convolution in mathematics does", _PIXEL, "turned",
              "kernel @", "kernel[::-1, ::-1] @"),
        wrong("the kernel lies on its side", _PIXEL, "as it is",
              "kernel @", "np.swapaxes(kernel, 0, 1) @"),
        wrong("a later kernel replaces the earlier one where they overlap", _OVERLAP, "replaced",
              "] += kernel", "] = kernel"),
        wrong("crops at the bottom and right only", _PIXEL, "crop", "(k - stride) // 2", "0"),
        wrong("the odd row goes at the top, as in PyTorch", _PIXEL, "crop",
              "(k - stride) // 2", "(k - stride + 1) // 2"),
        wrong("nothing is cropped", _SIZE, "cropping", "return " + _CROP, "return full"),
        wrong("the same number of rows goes on both sides", _SIZE, "cropping",
              "return " + _CROP, "return full[before : full.shape[0] - before, before : full.shape[1] - before]"),
        wrong("a kernel of 4 is taken for granted in the crop", _PIXEL, "k = 2",
              "(k - stride) // 2", "1"),
        wrong("stride 2 is written into the code", _SIZE, "stride",
              "    height, width, _", "    stride = 2\n    height, width, _"),
        wrong("a convolution of stride 2 downwards", _SIZE, "shape",
              _NEW + "    height, width, _ = image.shape\n    k, _, out, _ = kernel.shape\n"
              "    padded = np.pad(image, ((1, k), (1, k), (0, 0)))\n"
              "    return np.array([[np.einsum('pqc,pqoc->o', padded[y : y + k, x : x + k], kernel)"
              " for x in range(0, width, stride)] for y in range(0, height, stride)])"),
        wrong("square pictures only", _SIZE, "shape",
              "height, width, _ = image.shape", "height, width = image.shape[0], image.shape[0]",
              "image[i, j]", "image[i, min(j, image.shape[1] - 1)]"),
        wrong("input and output channel of the kernel change places", _KERAS, "kernel's axes",
              "k, _, out, _ =", "k, _, _, out =", "kernel @", "np.swapaxes(kernel, 2, 3) @"),
        wrong("the first input channel only", _KERAS, "all input channels",
              "kernel @ image[i, j]", "kernel[..., 0] * image[i, j, 0]"),
        wrong("a mean over the input channels", _KERAS, "sums over",
              "kernel @ image[i, j]", "kernel @ image[i, j] / image.shape[2]"),
        wrong("channel by channel: each output takes its own input", _KERAS, "all input channels",
              "kernel @ image[i, j]", "np.stack([kernel[:, :, o, o % len(image[i, j])]"
              " * image[i, j, o % len(image[i, j])] for o in range(out)], 2)"),
        wrong("the middle of the kernel comes to the middle of the pixel's square", _KERAS, "sums over",
              "(k - stride) // 2", "k // 2 - stride // 2"),
        wrong("only the three nearest pixels of each place paint: too few for a large kernel", _KERAS, "sums over",
              _ADD, "k3 = min(k, 3 * stride)\n            full[top : top + k3, left : left + k3] += kernel[:k3, :k3] @ image[i, j]"),
        wrong("whole blocks of the kernel only: what is left over is dropped", _PIXEL, "paints the kernel",
              _ADD, "b = k - k % stride\n            full[top : top + b, left : left + b] += kernel[:b, :b] @ image[i, j]"),
        wrong("the kernel is flattened in the order of memory", _KERAS, "not its order in memory",
              "    full =", "    kernel = kernel.ravel(order='K').reshape(kernel.shape)\n    full ="),
        wrong("one output channel is squeezed away", _PIXEL, "the shape is",
              "return " + _CROP, f"return np.squeeze({_CROP})"),
    ],
    "loss_gradients": [
        wrong("the mean's 1/n is forgotten for the real scores", _D, "1/m",
              _REAL, "-sigmoid(-real)"),
        wrong("one mean over real and fake together", _D, "its own",
              _REAL, "-sigmoid(-real) / len([*real, *fake])",
              _FAKE, "sigmoid(fake) / len([*real, *fake])\n    ###"),
        wrong("with respect to the probability, not the score", _D, "through the sigmoid",
              _REAL, "-1 / sigmoid(real) / len(real)", _FAKE, "1 / sigmoid(-fake) / len(fake)\n    ###"),
        wrong("the sigmoid's derivative is multiplied in twice", _D, "through the sigmoid",
              _REAL, "-sigmoid(-real) * sigmoid(-real) * sigmoid(real) / len(real)"),
        wrong("the fakes are treated as real ones", _D, "fake scores",
              _FAKE, "-sigmoid(-fake) / len(fake)\n    ###"),
        wrong("a tanh squeezed to 0 to 1 instead of the sigmoid", _D, "score",
              _SIGMOID, "(1 + np.tanh(scores)) / 2"),
        wrong("only the gradient for the fakes comes back", _D, "two gradients",
              "return " + _REAL + ", ", "return "),
        wrong("the pair of D is in the other order", _D, "shape",
              "return " + _REAL + ", " + _FAKE, "return sigmoid(fake) / len(fake), " + _REAL + "\n    ###"),
        wrong("the two losses of G are exchanged", _G, "minimax",
              "return minimax, non_saturating", "return non_saturating, minimax"),
        wrong("G descends on D's loss: the sign of the minimax loss", _G, "raise the score",
              _MINIMAX, _MINIMAX.replace("-", "")),
        wrong("the non-saturating loss is minimax with the sign turned", _G, "non-saturating",
              _STEEP, "non_saturating = -minimax"),
        wrong("a sum over the batch for G", _G, "mean over the batch",
              _MINIMAX, "minimax = -sigmoid(fake)", _STEEP, "non_saturating = -sigmoid(-fake)"),
        wrong("both losses of G get the same gradient", _G, "minimax",
              _MINIMAX, "minimax = -sigmoid(-fake) / len(fake)"),
        wrong("a sigmoid with e^x above and below", _SURE, "overflows",
              _SIGMOID, "np.exp(scores) / (1 + np.exp(scores))"),
        wrong("probabilities are clipped to 1e-7", _SURE, "clipped",
              _SIGMOID, "np.clip(1 / (1 + np.exp(-np.clip(scores, -500, 500))), 1e-7, 1 - 1e-7)"),
        wrong("a difference in single precision: 1 - sigma where sigma is nearly 1", _SURE, "difference of large",
              _MINIMAX, "minimax = -(1 - sigmoid(-fake).astype('float32')) / len(fake)"),
        wrong("the numbers of the example at -6 are written into the code", _G, "shape",
              "return minimax, non_saturating", "return np.array([-0.0024726]), np.array([-0.9975274])"),
        wrong("the sigmoid fills an array like the scores, which hold whole numbers", _G, "raise the score",
              "return " + _SIGMOID, f"result = np.empty_like(scores)\n    result[:] = {_SIGMOID}\n    return result"),
        wrong("the scores are clipped to 10 in place", _G, "changed an array", "    minimax =", "    np.clip(fake, -1, 1, out=fake)\n    minimax ="),
    ],
    "experiment": [
        wrong("the article's slope of 0.02", _PLAIN, "slope 0.2", "np.maximum(x, 0.2 * x)", "np.maximum(x, 0.02 * x)"),
        wrong("no activation after the last layer", _PLAIN, "each layer",
              "        x = np.maximum", "        if number < len(weights) - 1:\n            x = np.maximum"),
        wrong("one activation at the end", _PLAIN, "each layer",
              "        x = np.maximum", "    x = np.maximum"),
        wrong("every layer's output is kept and all come back", _PLAIN, "shape",
              "    return x\n", "    return np.stack([x, x])\n"),
        wrong("the first layer is normalized as well", _NORM, "first layer",
              "batch_norm and number > 0", "batch_norm"),
        wrong("batch normalization whether asked for or not", _PLAIN, "Without",
              "batch_norm and number > 0", "number > 0"),
        wrong("normalized over the units of each image: layer normalization", _NORM, "Over the batch",
              _BN, "(x - np.mean(x, 1, keepdims=True)) / (np.std(x, 1, keepdims=True) + 1e-9)"),
        wrong("one mean and one deviation for the whole array", _NORM, "for each unit",
              _BN, "(x - np.mean(x)) / np.std(x)"),
        wrong("divided by the variance", _NORM, "the deviation", "/ np.std(", "/ np.var("),
        wrong("the deviation of a sample: n - 1", _NORM, "the deviation",
              "np.std(x, axis=0)", "np.std(x, axis=0, ddof=1)"),
        wrong("normalized after the leaky ReLU", _NORM, "then comes",
              f"        if batch_norm and number > 0:\n            x = {_BN}\n        x = np.maximum(x, 0.2 * x)\n",
              f"        x = np.maximum(x, 0.2 * x)\n        if batch_norm and number > 0:\n            x = {_BN}\n"),
        wrong("normalized before the product", _NORM, "divide",
              f"        x = x @ w\n        if batch_norm and number > 0:\n            x = {_BN}\n",
              f"        if batch_norm and number > 0:\n            x = {_BN}\n        x = x @ w\n"),
        wrong("an epsilon that swallows a small signal", _NORM, "scale",
              "np.std(x, axis=0)", "np.sqrt(np.var(x, axis=0) + 1e-6)"),
        wrong("the quotient upside down", _NUMBER, "divide", "with_bn / without", "without / with_bn"),
        wrong("both with batch normalization", _NUMBER, "raise", "(True, False)", "(True, True)"),
        wrong("all quotients instead of their mean", _NUMBER, "one number", "np.mean(quotients)", "quotients"),
        wrong("the seed is not used", _NUMBER, "Is it drawn in the order of the", "default_rng(seed)", "default_rng(0)"),
        wrong("another random state in each call", _NUMBER, "Is it drawn in the order of the", "default_rng(seed)", "default_rng()"),
        wrong("the median instead of the mean", _VALUES, "mean of all", "np.mean(quotients)", "np.median(quotients)"),
        wrong("the generator made anew in the loop: one discriminator, eight times", _VALUES, "A quotient for each",
              "        weights = [rng", "        rng = np.random.default_rng(seed)\n        weights = [rng"),
        wrong("the mean of the shares first, then one quotient", _VALUES, "A quotient for each",
              "        quotients.append(with_bn / without)\n    return np.mean(quotients)",
              "        quotients.append((with_bn, without))\n    return np.divide(*np.mean(quotients, 0))"),
        wrong("seven discriminators", _VALUES, "A quotient for each", "range(8)", "range(7)"),
        wrong("half of the faces", _VALUES, "A quotient for each", "features(FACES,", "features(FACES[::2],"),
        wrong("five layers in place of six", _VALUES, "A quotient for each", "(768, 32, 32, 32, 32, 32)", "(768, 32, 32, 32, 32)"),
        wrong("a number drawn in the right range", _VALUES, "A quotient for each",
              "    quotients = []\n", "    return rng.uniform(1.4, 1.9)\n"),
        wrong("the number seen for seed 0 is written into the code", _NUMBER, "Is it drawn in the order of the",
              "return np.mean(quotients)", "return 1.64"),
    ],
}  # fmt: skip

RIGHT = {
    "gradient_probe": [
        right("signs of the activations, einsum", """
def forward(x, weights, slope):
    activations = [x]
    for w in weights:
        p = np.einsum("ni,ij->nj", activations[-1], w)
        activations.append(np.where(p < 0, slope * p, p))
    return activations


def input_gradient(x, weights, top, slope):
    gradient = np.array(top, dtype=float)
    activations = forward(x, weights, slope)
    for layer in range(len(weights) - 1, -1, -1):
        gradient[activations[layer + 1] <= 0] *= slope
        gradient = np.einsum("nj,ij->ni", gradient, weights[layer])
    return gradient


def gradient_probe(x, weights, top, slope):
    length = lambda rows: np.linalg.norm(rows, axis=-1)
    return np.average(length(input_gradient(x, weights, top, slope)) / length(top))
"""),
        right("float32, an own parameter, and prints that say gradient", """
import statistics


def input_gradient(x, weights, top, slope, verbose=True):
    x, kept = np.asarray(x, "float32"), []
    for w in weights:
        x = x @ np.asarray(w, "float32")
        kept.append(x > 0)
        x = np.where(x > 0, x, np.float32(slope) * x)
    gradient = np.asarray(top, "float32")
    for w, positive in zip(weights[::-1], kept[::-1]):
        gradient = np.where(positive, gradient, np.float32(slope) * gradient) @ np.asarray(w, "float32").T
        if verbose:
            print("gradient", gradient.shape)
    return gradient


def gradient_probe(x, weights, top, slope):
    lengths = [[float(np.linalg.norm(row)) for row in rows] for rows in (input_gradient(x, weights, top, slope, False), top)]
    return statistics.mean(a / b for a, b in zip(*lengths))
"""),
        right("a dataclass for each layer, type annotations, an early return", """
from dataclasses import dataclass


@dataclass
class Layer:
    weights: np.ndarray
    share: np.ndarray | float = 1.0

    def up(self, x: np.ndarray, slope: float) -> np.ndarray:
        p = x @ self.weights
        self.share = np.where(p > 0, 1.0, slope)
        return self.share * p

    def down(self, gradient: np.ndarray) -> np.ndarray:
        return (gradient * self.share) @ self.weights.T


def input_gradient(x: np.ndarray, weights: list[np.ndarray], top: np.ndarray, slope: float) -> np.ndarray:
    layers = [Layer(w) for w in weights]
    if slope == 1:  # a product of matrices
        for w in reversed(weights):
            top = top @ w.T
        return top
    for layer in layers:
        x = layer.up(x, slope)
    for layer in layers[::-1]:
        top = layer.down(top)
    return top


def gradient_probe(x: np.ndarray, weights: list[np.ndarray], top: np.ndarray, slope: float = 0.2) -> float:
    arrived = input_gradient(x, weights, top, slope)
    return float((np.linalg.norm(arrived, axis=1) / np.linalg.norm(top, axis=1)).mean())
"""),
        right("in place on copies of its own, and a lambda", """
def input_gradient(x, weights, top, slope):
    a, signs = x.copy(), []
    for w in weights:
        a = a @ w
        signs.append(a < 0)
        a[signs[-1]] *= slope
    gradient = top.copy()
    for w, negative in zip(weights[::-1], signs[::-1]):
        gradient[negative] *= slope
        gradient = gradient @ w.T
    return gradient


length = lambda rows: np.linalg.norm(rows, axis=1)
gradient_probe = lambda x, weights, top, slope: np.mean(length(input_gradient(x, weights, top, slope)) / length(top))
"""),
    ],
    "transposed_convolution": [
        right("np.add.at over all products", """
def transposed_convolution(image, kernel, stride=2):
    height, width, _ = image.shape
    k = kernel.shape[0]
    products = np.einsum("ijc,pqoc->ipjqo", image, kernel)
    rows = stride * np.arange(height)[:, None] + np.arange(k)
    columns = stride * np.arange(width)[:, None] + np.arange(k)
    full = np.zeros((rows.max() + 1, columns.max() + 1, kernel.shape[2]))
    np.add.at(full, (rows[:, :, None, None], columns[None, None]), products)
    cut = int(np.floor((k - stride) / 2))
    return full[cut:][:, cut:][: stride * height, : stride * width]
"""),
        right("float32, type annotations, itertools and math", """
import itertools
import math


def transposed_convolution(image: np.ndarray, kernel: np.ndarray, stride: int = 2) -> np.ndarray:
    image, kernel = image.astype("float32"), kernel.astype("float32")
    (height, width, _), k = image.shape, len(kernel)
    canvas = np.zeros((stride * height + k, stride * width + k, kernel.shape[2]), "float32")
    for i, j in itertools.product(range(height), range(width)):
        canvas[stride * i : stride * i + k, stride * j : stride * j + k] += np.tensordot(kernel, image[i, j], axes=1)
    top = math.floor((k - stride) / 2)
    return canvas[top:, top:][: stride * height, : stride * width]
"""),
        right("try and except where paint falls beside the picture", """
def paint(picture, y, x, colour):
    if min(y, x) < 0:
        raise IndexError("beside the picture")
    picture[y, x] += colour


def transposed_convolution(image, kernel, stride=2):
    picture = np.zeros((stride * image.shape[0], stride * image.shape[1], kernel.shape[2]))
    before = (len(kernel) - stride) // 2
    for i, j in np.ndindex(*image.shape[:2]):
        for p, q in np.ndindex(*kernel.shape[:2]):
            try:
                paint(picture, stride * i + p - before, stride * j + q - before, kernel[p, q] @ image[i, j])
            except IndexError:
                continue
    return picture
"""),
    ],
    "loss_gradients": [
        right("the plain sigmoid, cut where it is 0 anyway", """
def sigmoid(scores):
    return 1 / (1 + np.exp(-np.clip(scores, -700, 700)))


def d_gradients(real, fake):
    return (sigmoid(real) - 1) / real.size, sigmoid(fake) / fake.size


def g_gradients(fake):
    p = sigmoid(fake)
    return -p / fake.size, (p - 1) / fake.size
"""),
        right("tanh of half the score, lists", """
def sigmoid(scores):
    return [0.5 + 0.5 * np.tanh(s / 2) for s in scores]


def d_gradients(real, fake):
    m, n = len(real), len(fake)
    return [(p - 1) / m for p in sigmoid(real)], [p / n for p in sigmoid(fake)]


def g_gradients(fake):
    n = len(fake)
    return np.array([-p / n for p in sigmoid(fake)]), np.array([(p - 1) / n for p in sigmoid(fake)])
"""),
        right("float32, and both gradients of G in one array", """
def sigmoid(scores):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.asarray(scores, np.float32)))


def d_gradients(real, fake):
    return [-sigmoid(-real) / np.float32(len(real)), sigmoid(fake) / np.float32(len(fake))]


def g_gradients(fake):
    return np.array([-sigmoid(fake), -sigmoid(-fake)]) / np.float32(len(fake))
"""),
        right("math, try and except, one score at a time, a named tuple", """
import math
from collections import namedtuple

Gradients = namedtuple("Gradients", "minimax non_saturating")


def sigmoid(score: float) -> float:
    try:
        return 1 / (1 + math.exp(-score))
    except OverflowError:
        return 0.0


def d_gradients(real, fake):
    return [-sigmoid(-r) / len(real) for r in real], [sigmoid(f) / len(fake) for f in fake]


def g_gradients(fake):
    for_real = [-sigmoid(-f) / len(fake) for f in fake]
    return Gradients([-sigmoid(f) / len(fake) for f in fake], for_real)
"""),
    ],
    "experiment": [
        right("recursion from the top layer down", """
def leaky(p):
    return p * (0.6 + 0.4 * np.sign(p))


def features(x, weights, batch_norm):
    if len(weights) == 1:
        return leaky(x @ weights[0])
    p = features(x, weights[:-1], batch_norm) @ weights[-1]
    if batch_norm:
        p -= p.mean(0)
        p /= p.std(0)
    return leaky(p)


def quotient(rng):
    weights = [rng.normal(scale=0.02, size=(768, 32)), *rng.normal(scale=0.02, size=(5, 32, 32))]
    return np.divide(*(varying_share(features(FACES, weights, b)) for b in (True, False)))


def experiment(seed):
    rng = np.random.default_rng(seed)
    return np.mean([quotient(rng) for _ in range(8)])
"""),
        right("row by row, statistics.mean, an own parameter", """
import statistics


def features(x, weights, batch_norm, slope=0.2):
    for number, w in enumerate(weights):
        x = np.array([row @ w for row in x])
        if batch_norm and number:
            x = np.stack([(unit - unit.mean()) / unit.std() for unit in x.T], axis=1)
        x = np.where(x > 0, x, slope * x)
    return x


def experiment(seed, count=8):
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        weights = [0.02 * rng.normal(size=(rows, 32)) for rows in [768] + 5 * [32]]
        found.append(float(varying_share(features(FACES, weights, batch_norm=True)) / varying_share(features(FACES, weights, False))))
    return statistics.mean(found)
"""),
        right("a class with methods of any name, float32", """
class Discriminator:
    def __init__(self, rng, widths=(768, 32, 32, 32, 32, 32)):
        self.weights = [rng.normal(0, 0.02, size=(n, 32)) for n in widths]

    @staticmethod
    def leaky(p):
        return np.where(p > 0, p, np.float32(0.2) * p)

    @classmethod
    def call(cls, x, weights, batch_norm):
        x = np.asarray(x, "float32")
        for k, w in enumerate(weights):
            x = x @ np.asarray(w, "float32")
            if batch_norm and k:
                x = (x - x.mean(0)) / x.std(0)
            x = cls.leaky(x)
        return x

    def close(self):
        with_bn, without = (varying_share(features(FACES, self.weights, b)) for b in (True, False))
        return with_bn / without


def features(x, weights, batch_norm):
    return Discriminator.call(x, weights, batch_norm)


def experiment(seed):
    rng = np.random.default_rng(seed)
    return np.float32(np.mean([Discriminator(rng).close() for _ in range(8)]))
"""),
    ],
}
