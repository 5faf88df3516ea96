"""Problem set 2: wrong answers with the misconception each stands for, and other right ones."""

from harness import right, wrong

_SHAPE, _CONV, _BACK = (f"kernel_matrix_test_{word}" for word in ("shape", "conv", "transpose"))
_HAND, _SVD, _KEPT, _BOUND = (
    f"power_iteration_test_{word}" for word in ("hand", "svd", "kept", "bound")
)
_DIFF, _SIZE, _ALONG = (f"sn_gradient_test_{word}" for word in ("differences", "size", "along"))
_ROUNDS, _NUMBER, _VALUES = (f"experiment_test_{word}" for word in ("rounds", "number", "values"))

_SWAP = '    if kind == "conv_transpose":\n        kernel = np.transpose(kernel, (0, 1, 3, 2))\n'
_LAST = "np.reshape(kernel, (-1, kernel.shape[-1]))"

_FORMULA = """    sigma = v @ matrix @ u
    inner = np.sum(upstream * matrix) / sigma
    return (upstream - inner * np.outer(v, u)) / sigma
"""
_DIFFERENCES = """    def loss(w):
        return np.sum(upstream * w / (v @ w @ u))

    found, h = np.zeros_like(matrix), 1e-5
    for place in np.ndindex(*matrix.shape):
        move = np.zeros_like(matrix)
        move[place] = h
        found[place] = (loss(matrix + move) - loss(matrix - move)) / (2 * h)
    return found
"""

WRONG = {
    "kernel_matrix": [
        wrong("a transposed convolution is taken for a convolution", _BACK, "output channel",
              _SWAP, ""),
        wrong("every kernel of four axes is swapped", _CONV, "shape",
              'kind == "conv_transpose"', 'kind != "dense"'),
        wrong("the output channel becomes the row, by reshaping alone", _SHAPE, "column",
              _LAST, "np.reshape(kernel, (kernel.shape[-1], -1))"),
        wrong("height and width are swapped as well", _BACK, "wrong", "(0, 1, 3, 2)", "(1, 0, 3, 2)"),
        wrong("a mean over space instead of one row for each place", _SHAPE, "shape",
              "return " + _LAST,
              "return kernel if kind == 'dense' else np.mean(kernel, (0, 1))"),
        wrong("input channels come before the places", _CONV, "order",
              "return ", "if kernel.ndim == 4:\n        kernel = np.moveaxis(kernel, 2, 0)\n    return "),
        wrong("the example's shape is written into the code", _SHAPE, "stopped",
              "(-1, kernel.shape[-1])", "(18, 5) if kernel.size == 90 else (7, 4)"),
        wrong("prints the matrix and returns nothing", _SHAPE, "print",
              "return " + _LAST, f"print({_LAST})"),
        wrong("not written", _SHAPE, "not written",
              "def kernel_matrix(kernel, kind):\n    raise NotImplementedError"),
        wrong("a 1 x 1 kernel comes back as it is, whatever its kind", _SHAPE, "the matrix of a conv_transpose",
              "    if kind ==", "    if kernel.shape[:2] == (1, 1):\n        return kernel[0, 0]\n    if kind =="),
        wrong("rows are counted with the height where the width belongs", _CONV, "order height, width",
              "    return " + _LAST, "    if kernel.ndim == 4:\n        kernel = kernel.reshape(kernel.shape[1], kernel.shape[0], *kernel.shape[2:]).swapaxes(0, 1)\n    return " + _LAST),
        wrong("one output is squeezed away", _SHAPE, "the shape is", "return " + _LAST, f"return np.squeeze({_LAST})"),
    ],
    "power_iteration": [
        wrong("v is not brought to length 1", _HAND, "sigma", "v = v / np.linalg.norm(v)", "pass"),
        wrong("u is not brought to length 1", _HAND, "length 1", "u = u / np.linalg.norm(u)", "pass"),
        wrong("u is never updated: the caller's comes back", _KEPT, "go on",
              "def power_iteration(matrix, u, rounds=1):\n",
              "def power_iteration(matrix, u, rounds=1):\n    first = u\n",
              "matrix @ u, u\n", "matrix @ u, first\n"),
        wrong("a wide matrix loses its last columns", _SVD, "many rounds", "    for _ in", "    if matrix.shape[1] > len(matrix):\n        matrix, u = matrix[:, : len(matrix)], u[: len(matrix)]\n    for _ in"),
        wrong("one round whatever was asked for", _SVD, "many rounds", "range(rounds)", "range(1)"),
        wrong("one round too many", _HAND, "one round", "range(rounds)", "range(rounds + 1)"),
        wrong("no transpose on the way back", _SVD, "stopped", "matrix.T @ v", "matrix @ v"),
        wrong("the exact norm instead of the estimate", _HAND, "Do one round by hand",
              "return v @ matrix @ u, u", "return np.linalg.norm(matrix, 2), u"),
        wrong("divided by the largest entry", _HAND, "sigma",
              "v = v / np.linalg.norm(v)", "v = v / np.max(v)"),
        wrong("writes into the caller's array", _BOUND, "Leave those as they are.",
              "u = u / np.linalg.norm(u)", "u_in[:] = u = u / np.linalg.norm(u)",
              "(matrix, u, rounds=1):\n", "(matrix, u, rounds=1):\n    u_in = u\n"),
        wrong("only sigma comes back", _HAND, "two things",
              "return v @ matrix @ u, u", "return v @ matrix @ u"),
        wrong("the worked example's numbers are written into the code", _SVD, "largest",
              "return v @ matrix @ u, u",
              "return np.sqrt(8.2), np.array([9.0, 1.0]) / np.sqrt(82.0)"),
        wrong("v, not u, comes back", _KEPT, "stopped", "matrix @ u, u\n", "matrix @ u, v\n"),
        wrong("the Frobenius norm: above the largest singular value", _BOUND, "above",
              "return v @ matrix @ u, u", "return np.linalg.norm(matrix) * (1 - 1 / (9 + rounds)), u"),
        wrong("at most 100 rounds", _KEPT, "So many rounds were asked", "range(rounds)", "range(min(rounds, 100))"),
        wrong("the new u is written into a copy of a guess of whole numbers", _KEPT, "The guess has whole numbers",
              "    for", "    kind = np.asarray(u).dtype\n    for", "        u = u / np.linalg.norm(u)\n", "        u = (u / np.linalg.norm(u)).astype(kind)\n        u = u + (0 if u.any() else 1e-30)\n"),
        wrong("all rounds but one are a matrix power, which underflows", _SVD, "After many rounds",
              "    for _ in range(rounds):", "    gram = matrix.T @ matrix / np.trace(matrix.T @ matrix)\n    u = np.linalg.matrix_power(gram, rounds - 1) @ u\n    for _ in range(1):"),
        wrong("1e-5 is added to the lengths", _HAND, "nothing is added to it", "v / np.linalg.norm(v)", "v / (np.linalg.norm(v) + 1e-5)"),
    ],
    "sn_gradient": [
        wrong("sigma is a constant: the second term is missing", _ALONG, "along W",
              "inner * np.outer(v, u)", "0 * inner"),
        wrong("not divided by sigma", _SIZE, "twice", "np.outer(v, u)) / sigma", "np.outer(v, u))"),
        wrong("u and v have changed places", _DIFF, "stopped", "np.outer(v, u)", "np.outer(u, v)"),
        wrong("the inner product is taken with the raw kernel", _SIZE, "twice",
              "np.sum(upstream * matrix) / sigma", "np.sum(upstream * matrix)"),
        wrong("projects along the kernel instead of along v u^T", _DIFF, "quotient rule",
              "np.outer(v, u)", "matrix / sigma"),
        wrong("the exact sigma instead of the estimate from u and v", _DIFF, "quotient rule",
              "v @ matrix @ u", "np.linalg.norm(matrix, 2)"),
        wrong("its own singular vectors instead of the given ones", _DIFF, "quotient rule",
              "    sigma =", "    left, _, back = np.linalg.svd(matrix)\n"
              "    v, u = left[:, 0], back[0]\n    sigma ="),
        wrong("a mean in place of the sum", _ALONG, "along W", "np.sum(", "np.mean("),
        wrong("one number instead of one for each weight", _DIFF, "shape",
              "np.outer(v, u)) / sigma", "np.outer(v, u)).sum() / sigma"),
        wrong("differences of a loss of its own", _SIZE, "It is a million times larger",
              _FORMULA, _DIFFERENCES),
        wrong("zero, because a normalized kernel has nothing to learn", _ALONG, "zero everywhere",
              "return (upstream - inner * np.outer(v, u)) / sigma", "return 0 * upstream"),
        wrong("sigma is never below 1e-12, as if it had no sign", _DIFF, "Whatever u and v are", "    inner =", "    sigma = max(sigma, 1e-12)\n    inner ="),
        wrong("u and v are brought to length 1 first", _DIFF, "Whatever u and v are",
              "    sigma =", "    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)\n    sigma ="),
    ],
    "experiment": [
        wrong("counts the first round as 0", _ROUNDS, "first round", "rounds = 1\n", "rounds = 1\n",
              "return rounds\n", "return rounds - 1\n"),
        wrong("an absolute error instead of a share", _ROUNDS, "rounds_needed",
              "(1 - share) * exact", "exact - share"),
        wrong("the seed is not used", _NUMBER, "Is it drawn in the order of the", "default_rng(seed)", "default_rng(0)"),
        wrong("another random state in each call", _NUMBER, "Is it drawn in the order of the",
              "default_rng(seed)", "default_rng()"),
        wrong("all counts instead of their mean", _NUMBER, "one number",
              "np.mean(counts)", "counts"),
        wrong("the number seen for seed 0 is written into the code", _NUMBER, "Is it drawn in the order of the",
              "return np.mean(counts)", "return 6.3"),
        wrong("the slowest matrix is left out", _VALUES, "the slow ones too", "np.mean(counts)", "np.mean(sorted(counts)[:-1])"),
        wrong("thirty matrices", _VALUES, "Every matrix counts the same, the", "range(40)", "range(30)"),
        wrong("one guess for all matrices", _VALUES, "Every matrix counts the same, the",
              "    counts = []\n", "    counts, u = [], rng.normal(size=32)\n",
              "matrix, u = rng.normal(size=(144, 32)), rng.normal(size=32)", "matrix = rng.normal(size=(144, 32))"),
        wrong("the generator made anew in the loop", _VALUES, "Every matrix counts the same, the",
              "        matrix, u =", "        rng = np.random.default_rng(seed)\n        matrix, u ="),
        wrong("matrices of 32 x 144", _VALUES, "Every matrix counts the same, the", "rng.normal(size=(144, 32)), rng.normal(size=32)",
              "rng.normal(size=(32, 144)), rng.normal(size=144)"),
        wrong("a number drawn in the right range", _VALUES, "Every matrix counts the same, the",
              "    counts = []\n", "    return rng.uniform(5.5, 7.5)\n"),
        wrong("a share of the estimate, not of the exact sigma", _ROUNDS, "Count the first round",
              "sigma_after(matrix, u, rounds) < (1 - share) * exact", "exact - sigma_after(matrix, u, rounds) > share * sigma_after(matrix, u, rounds)"),
        wrong("at most 100 rounds are tried", _ROUNDS, "as many rounds as it takes", "        rounds += 1\n", "        rounds += 1\n        if rounds == 100:\n            break\n"),
        wrong("a wide matrix is not thought of", _ROUNDS, "A wide matrix", "np.linalg.norm(matrix, 2)", "np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix)[matrix.shape[0] - 1])"),
        wrong("no guess is drawn: it is made of the matrix", _VALUES, "counts the same", "rng.normal(size=(144, 32)), rng.normal(size=32)", "(m := rng.normal(size=(144, 32))), m.sum(0) / 12"),
    ],
}  # fmt: skip

RIGHT = {
    "kernel_matrix": [
        right("einsum names the axes", """
def kernel_matrix(kernel, kind):
    order = {"conv": "hwio->hwio", "conv_transpose": "hwoi->hwio", "dense": "io->io"}[kind]
    kernel = np.einsum(order, kernel)
    return kernel.reshape(-1, kernel.shape[-1])
"""),
        right("rows of outputs, turned at the end", """
def kernel_matrix(kernel, kind):
    axis = 2 if kind == "conv_transpose" else -1
    kernel = np.moveaxis(kernel, axis, 0)
    return kernel.reshape(len(kernel), -1).T
"""),
        right("match, early returns, float32, type annotations", """
def kernel_matrix(kernel: np.ndarray, kind: str) -> np.ndarray:
    kernel = kernel.astype("float32")
    match kind:
        case "dense":
            return kernel
        case "conv":
            return kernel.reshape(-1, kernel.shape[-1])
        case "conv_transpose":
            return np.vstack([kernel[i, j].T for i in range(kernel.shape[0]) for j in range(kernel.shape[1])])
    raise ValueError(f"kind must be one of three, got {kind!r}")
"""),
        right("a dictionary of lambdas, and lists", """
WAYS = {
    "dense": lambda kernel: kernel,
    "conv": lambda kernel: kernel.reshape(-1, kernel.shape[3]),
    "conv_transpose": lambda kernel: WAYS["conv"](kernel.swapaxes(2, 3)),
}
kernel_matrix = lambda kernel, kind: WAYS[kind](kernel).tolist()
"""),
    ],
    "power_iteration": [
        right("recursion", """
def power_iteration(matrix, u, rounds=1):
    unit = lambda x: x / np.linalg.norm(x)
    v = unit(np.dot(matrix, u))
    u = unit(np.dot(matrix.T, v))
    if rounds > 1:
        return power_iteration(matrix, u, rounds - 1)
    return float(np.dot(v, np.dot(matrix, u))), u
"""),
        right("a helper and a while loop", """
def normalize(x):
    return x / np.sum(x**2) ** 0.5


def power_iteration(matrix, u, rounds=1):
    done = 0
    while done < rounds:
        v = normalize(matrix @ u)
        u = normalize(np.transpose(matrix) @ v)
        done += 1
    return np.einsum("i,ij,j", v, matrix, u), u
"""),
        right("float32 from the start", """
def power_iteration(matrix, u, rounds=1, dtype=np.float32):
    W, u = np.asarray(matrix, dtype), np.array(u, dtype)
    for _ in range(rounds):
        v = W @ u
        v /= np.linalg.norm(v)
        u = W.T @ v
        sigma = np.linalg.norm(u)
        u = u / sigma
    return sigma, u
"""),
        right("an object that is called, in place on arrays of its own, other names of parameters", """
class PowerIteration:
    def __init__(self, dtype="float64"):
        self.dtype = dtype

    def __call__(self, W, start, n=1):
        W, u = np.array(W, self.dtype), np.array(start, self.dtype)
        for _ in range(n):
            v = W @ u
            v /= np.sqrt(np.dot(v, v))
            np.matmul(W.T, v, out=u)
            sigma = np.sqrt(np.dot(u, u))
            u /= sigma
        return [sigma, u]


power_iteration = PowerIteration()
"""),
        right("Greek names, a named tuple with types, an assert, an early return", """
from typing import NamedTuple


class Found(NamedTuple):
    σ: float
    u: np.ndarray


def power_iteration(matrix, u, rounds: int = 1) -> Found:
    \"\"\"Power iteration, after chapter 2.\"\"\"
    assert rounds >= 1, "one round at least"
    done = 0
    while True:
        v = matrix.dot(u) / np.linalg.norm(matrix.dot(u))
        u = matrix.T.dot(v) / np.linalg.norm(matrix.T.dot(v))
        done += 1
        if done == rounds:
            return Found(float(v.dot(matrix).dot(u)), u)


if __name__ == "__main__":
    print("gradient", power_iteration(np.eye(2), np.ones(2)))
"""),
    ],
    "sn_gradient": [
        right("two terms of the quotient rule", """
def sn_gradient(matrix, u, v, upstream):
    sigma = np.einsum("i,ij,j", v, matrix, u)
    return upstream / sigma - np.sum(upstream * matrix) / sigma**2 * np.outer(v, u)
"""),
        right("float32", """
def sn_gradient(matrix, u, v, upstream):
    matrix, u, v, upstream = (np.asarray(each, "float32") for each in (matrix, u, v, upstream))
    sigma = v @ matrix @ u
    return upstream / sigma - np.sum(upstream * (matrix / sigma)) * np.outer(v, u) / sigma
"""),
        right("a lambda, and a sum of numbers one by one", """
import operator
from functools import reduce

σ = lambda matrix, u, v: reduce(operator.add, (float(v[i] * row[j] * u[j]) for i, row in enumerate(matrix) for j in range(len(u))))
sn_gradient = lambda matrix, u, v, upstream: [
    [(upstream[i, j] - np.vdot(upstream, matrix) / σ(matrix, u, v) * v[i] * u[j]) / σ(matrix, u, v) for j in range(len(u))]
    for i in range(len(v))
]
"""),
        right("a dataclass, try and except, in place on a copy", """
from dataclasses import dataclass


@dataclass(frozen=True)
class Kernel:
    matrix: np.ndarray
    u: np.ndarray
    v: np.ndarray

    @property
    def sigma(self) -> float:
        return self.v @ self.matrix @ self.u


def sn_gradient(matrix, u, v, upstream, verbose=True):
    kernel, gradient = Kernel(matrix, u, v), upstream.copy()
    try:
        gradient -= np.sum(upstream * matrix) / kernel.sigma * np.outer(v, u)
        gradient /= kernel.sigma
    except FloatingPointError:
        print("sigma is zero")
    if verbose:
        print(f"gradient {gradient.shape}")
    return gradient
"""),
    ],
    "experiment": [
        right("all numbers drawn at once", """
import itertools


def rounds_needed(matrix, u, share):
    goal = (1 - share) * np.linalg.norm(matrix, 2)
    return next(k for k in itertools.count(1) if sigma_after(matrix, u, k) >= goal)


def experiment(seed):
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((40, 145, 32))
    return sum(rounds_needed(each[:144], each[144], 0.05) for each in drawn) / 40
"""),
        right("statistics.mean of whole numbers", """
import statistics


def rounds_needed(matrix, u, share, first=1):
    exact = np.linalg.svd(matrix)[1].max()
    while exact - sigma_after(matrix, u, first) > share * exact:
        first += 1
    return first


def experiment(seed):
    rng = np.random.default_rng(seed)
    return statistics.mean(rounds_needed(rng.normal(size=(144, 32)), rng.normal(size=32), 0.05) for _ in range(40))
"""),
        right("float32 in the end, a generator, type annotations", """
from collections.abc import Iterator


def pairs(rng: np.random.Generator, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for _ in range(count):
        yield rng.normal(size=(144, 32)), rng.normal(size=32)


def rounds_needed(matrix: np.ndarray, u: np.ndarray, share: float) -> int:
    exact, k = np.linalg.norm(matrix, 2), 0
    while True:
        k += 1
        if exact - sigma_after(matrix, u, k) <= share * exact:
            return np.int64(k)


def experiment(seed: int) -> np.float32:
    counts = np.array([rounds_needed(*pair, 0.05) for pair in pairs(np.random.default_rng(seed), 40)], "float32")
    return counts.mean()
"""),
    ],
}
