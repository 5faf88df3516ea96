"""Problem set 5: wrong answers with the misconception each stands for, and other right ones."""

from harness import right, wrong

_HAND, _LABEL, _SIZES, _GRADIENT = (
    f"projection_test_{word}" for word in ("hand", "label", "sizes", "gradient")
)
_PLAIN, _TABLES, _SHARED, _INFERENCE, _MOVING = (
    f"conditional_norm_test_{word}" for word in ("plain", "tables", "shared", "inference", "moving")
)
_OBEYED, _CLASSES, _DEPENDENCE, _VALUE = (
    f"obedience_test_{word}" for word in ("hand", "classes", "dependence", "values")
)
_TOGETHER, _BY_CLASS, _NUMBER, _VALUES = (
    f"experiment_test_{word}" for word in ("together", "by_class", "number", "values")
)

_MATCHED, _SCORE = "np.sum((y @ V) * phi, axis=1)", "return matched + phi @ psi + b"
_D_PHI, _D_V = "upstream[:, None] * (y @ V + psi)", "(upstream[:, None] * y).T @ phi"

_MOMENTS = "mean, variance = np.mean(x, axis=axes), np.var(x, axis=axes)"
_NEW = "moving = 0.9 * moving[0] + 0.1 * mean, 0.9 * moving[1] + 0.1 * variance"
_END = "return (1 + gain) * hat + offset, moving"
_AXES, _IF = "axes = tuple(range(x.ndim - 1))", "    if training:\n"
_GAIN, _OFFSET = "gains[labels].reshape(wide)", "offsets[labels].reshape(wide)"

_IN_ALL = "return np.mean(right), by_class"
_VALUES_OF = "rows, columns = np.unique(labels), np.unique(factor)"
_ONE = "    if m == 1:\n        return 0.0\n"
_E = "np.outer(table.sum(axis=1), table.sum(axis=0)) / len(labels)"
_V = "np.sqrt(np.sum((table - expected) ** 2 / expected) / (len(labels) * (m - 1)))"
_TABLE = "np.array([[np.sum((labels == i) & (factor == j)) for j in columns] for i in rows])"

_ALL = "(x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + 0.001)"
_ROWS = "result[labels == k] = normalized(x[labels == k], None, False)"
_CENTRES, _IMAGE = "centres = rng.normal(size=(classes, 16))", "image = centres[0] + rng.normal(size=16)"
_BATCH = "x, labels = np.vstack([image, others]), np.append(0, labels)"
_QUOTIENT = "moved[True] / moved[False]"

WRONG = {
    "projection": [
        wrong("psi is forgotten", _HAND, "without a label", _SCORE, "return matched + b"),
        wrong("b is forgotten", _HAND, "without a label", _SCORE, "return matched + phi @ psi"),
        wrong("V is transposed, which a square one allows", _HAND, "picks a row of V", _MATCHED, "np.sum((y @ V.T) * phi, axis=1)"),
        wrong("the scores keep a second axis", _HAND, "the shape is (2, 1)", _SCORE, "return (matched + phi @ psi + b)[:, None]"),
        wrong("labels off by one", _HAND, "picks a row of V", "matched = np.sum((y @ V)", "y = np.roll(y, 1, axis=1)\n    matched = np.sum((y @ V)"),
        wrong("all images have the first one's label", _HAND, "picks a row of V", _MATCHED, "np.sum((y[0] @ V) * phi, axis=1)"),
        wrong("the class with the largest share takes all", _LABEL, "linear in y", _MATCHED, "np.sum(V[np.argmax(y, axis=1)] * phi, axis=1)"),
        wrong("the label is brought to the sum 1", _LABEL, "Each factor", "matched = np.sum((y @ V)", "y = y / np.sum(y, axis=1, keepdims=True)\n    matched = np.sum((y @ V)"),
        wrong("a label is 0 or 1: a share of a class counts whole", _LABEL, "linear in y", _MATCHED, "np.sum(((y > 0) @ V) * phi, axis=1)"),
        wrong("squeezed: a batch of one loses its axis", _SIZES, "shape (batch,)", _SCORE, "return np.squeeze(matched + phi @ psi + b)"),
        wrong("squeezed features: a single one loses its axis", _SIZES, "shape (batch,)", "matched = np.sum((y @ V) * phi, axis=1)", "matched = np.sum((y @ V) * np.squeeze(phi), axis=-1)"),
        wrong("scores in an array of the label's type: whole numbers", _HAND, "without a label",
              _SCORE, "scores = np.zeros_like(y[:, 0])\n    scores[:] = matched + phi @ psi + b\n    return scores"),
        wrong("half precision", _SIZES, "the scores", "matched = np.sum((y @ V)", "phi, V, psi = (np.asarray(part, 'float16') for part in (phi, V, psi))\n    matched = np.sum((y @ V)"),
        wrong("V is centred, in the caller's array", _HAND, "Leave those as they are", "matched = np.sum((y @ V)", "V -= V.mean(axis=0)\n    matched = np.sum((y @ V)"),
        wrong("the gradient without psi", _GRADIENT, "d_phi", _D_PHI, "upstream[:, None] * (y @ V)"),
        wrong("b is in the gradient, too", _GRADIENT, "d_phi", _D_PHI, "upstream[:, None] * (y @ V + psi + b)"),
        wrong("the gradient of the score, not of the loss", _GRADIENT, "d_phi", _D_PHI, "y @ V + psi"),
        wrong("V is transposed in the gradient", _GRADIENT, "d_phi", _D_PHI, "upstream[:, None] * ((y @ V.T if V.shape[0] == V.shape[1] else y @ V) + psi)"),
        wrong("the sum of V's rows in place of the label's", _GRADIENT, "d_phi", _D_PHI, "upstream[:, None] * (V.sum(axis=0) + psi)"),
        wrong("d_V is turned", _GRADIENT, "d_V: the shape", _D_V, "phi.T @ (upstream[:, None] * y)"),
        wrong("d_V without the gradient from above", _GRADIENT, "d_V", _D_V, "y.T @ phi"),
        wrong("d_V is the mean of each class's images", _GRADIENT, "d_V", _D_V, "(upstream[:, None] * y).T @ phi / np.maximum(1, y.sum(axis=0))[:, None]"),
        wrong("d_V is the mean over the batch", _GRADIENT, "d_V", _D_V, "(upstream[:, None] * y).T @ phi / len(phi)"),
        wrong("d_V: every row learns from every image", _GRADIENT, "d_V", _D_V, "np.ones((y.shape[1], 1)) * (upstream @ phi)"),
        wrong("d_V: later images of a class replace earlier ones", _GRADIENT, "d_V", "d_V = (upstream[:, None] * y).T @ phi",
              "d_V = np.zeros(V.shape)\n    d_V[y.argmax(axis=1)] += upstream[:, None] * phi"),
        wrong("d_V has rows for the classes of the batch only", _GRADIENT, "d_V: the shape", _D_V, "((upstream[:, None] * y).T @ phi)[y.any(axis=0)]"),
        wrong("d_V takes in psi", _GRADIENT, "d_V", _D_V, "(upstream[:, None] * y).T @ (phi + psi)"),
        wrong("V first, then phi", _GRADIENT, "d_phi", "return d_phi, d_V", "return d_V, d_phi"),
        wrong("the gradient of phi alone", _GRADIENT, "two things", "return d_phi, d_V", "return d_phi"),
    ],
    "conditional_norm": [
        wrong("the gain without 1", _PLAIN, "plain batch", _END, "return gain * hat + offset, moving"),
        wrong("moments of each class apart", _SHARED, "all images together", "    return (1 + gain)", """    if training:
        hat = np.array(x, dtype=float)
        for k in np.unique(labels):
            part = x[labels == k]
            hat[labels == k] = (part - part.mean(axis=axes)) / np.sqrt(part.var(axis=axes) + 0.001)
    return (1 + gain)"""),
        wrong("the mean of each class, the variance of all", _SHARED, "all images together", "    return (1 + gain)", """    if training:
        hat = np.array(x, dtype=float)
        for k in np.unique(labels):
            hat[labels == k] -= x[labels == k].mean(axis=axes)
        hat /= np.sqrt(variance + 0.001)
    return (1 + gain)"""),
        wrong("moments over the images only: each pixel has its own", _PLAIN, "a mean and a variance for each channel", _AXES, "axes = 0"),
        wrong("moments over the pixels only: each image has its own", _PLAIN, "plain batch", _MOMENTS,
              "mean, variance = np.mean(x, axis=axes[1:], keepdims=True), np.var(x, axis=axes[1:], keepdims=True)",
              _NEW, "moving = 0.9 * moving[0] + 0.1 * mean.mean(axis=axes), 0.9 * moving[1] + 0.1 * variance.mean(axis=axes)"),
        wrong("four axes are taken for granted", _PLAIN, "stopped", _AXES, "axes = (0, 1, 2)"),
        wrong("the variance of a sample: n - 1", _PLAIN, "plain batch", "np.var(x, axis=axes)", "np.var(x, axis=axes, ddof=1)"),
        wrong("epsilon outside the root", _PLAIN, "0.001 under the root", "np.sqrt(variance + 0.001)", "(np.sqrt(variance) + 0.001)"),
        wrong("epsilon of 1e-5", _PLAIN, "0.001 under the root", "variance + 0.001", "variance + 1e-5"),
        wrong("the largest of variance and epsilon", _PLAIN, "0.001 under the root", "variance + 0.001", "np.maximum(variance, 0.001)"),
        wrong("the mean of squares less the square of the mean, in float32", _PLAIN, "lost its digits", "np.var(x, axis=axes)\n", "np.mean(x**2, axis=axes) - np.mean(x, axis=axes) ** 2\n"),
        wrong("half precision for the images", _PLAIN, "the output", "    hat = ", "    x, mean = np.asarray(x, 'float16'), np.asarray(mean, 'float16')\n    hat = "),
        wrong("gains and offsets changed places", _TABLES, "the image's own class", "gain, offset =", "offset, gain ="),
        wrong("the mean row of the batch for all", _TABLES, "the image's own class", _GAIN, "gains[labels].mean(axis=0)"),
        wrong("the offset comes before the gain", _TABLES, "the offset comes last", "(1 + gain) * hat + offset", "(1 + gain) * (hat + offset)"),
        wrong("the exponential of the gain", _TABLES, "the image's own class", "(1 + gain)", "np.exp(gain)"),
        wrong("rows for the pixels in place of the images", _TABLES, "in all of its pixels", "gain, offset = gains[labels].reshape(wide), offsets[labels].reshape(wide)",
              "gain, offset = gains[labels], offsets[labels]"),
        wrong("one-hot labels as wide as the batch's largest", _TABLES, "stopped", _GAIN, "(np.eye(labels.max() + 1)[labels] @ gains).reshape(wide)"),
        wrong("the tables are read as (channels, classes)", _TABLES, "stopped", _GAIN, "gains.T[labels].reshape(wide)"),
        wrong("a square table is transposed", _TABLES, "its own class", _OFFSET, "(offsets.T if len(offsets) == x.shape[-1] else offsets)[labels].reshape(wide)"),
        wrong("the moments of the batch outside training, too", _INFERENCE, "does not depend on its batch", _IF, "    if True:\n",
              _NEW, _NEW.replace("= ", "= (") + ") if training else moving"),
        wrong("the moving moments in training, too", _PLAIN, "plain batch", "    hat = ", "    mean, variance = moving\n    hat = "),
        wrong("the moving moments move without training", _INFERENCE, "Only training moves them", "    hat = ",
              "    if not training:\n        moving = 0.9 * moving[0] + 0.1 * x.mean(axis=tuple(range(x.ndim - 1))), moving[1]\n    hat = "),
        wrong("a deviation is kept as if it were the variance", _MOVING, "for the variance of np.var", "0.1 * variance", "0.1 * np.sqrt(variance)"),
        wrong("a batch of one is normalized by itself", _INFERENCE, "1 images", _IF, "    if training or len(x) == 1:\n"),
        wrong("no epsilon outside training", _INFERENCE, "Nearly right", "    hat = ", "    if not training:\n        variance = variance - 0.001\n    hat = "),
        wrong("shares of 0.99 and 0.01, as Keras has them", _MOVING, "0.9 of the old one", _NEW, "moving = 0.99 * moving[0] + 0.01 * mean, 0.99 * moving[1] + 0.01 * variance"),
        wrong("the moving variance is that of a sample", _MOVING, "np.var", "0.1 * variance", "0.1 * np.var(x, axis=axes, ddof=1 if x.size > x.shape[-1] else 0)"),
        wrong("the moving moments of what was normalized", _MOVING, "0.9 of the old one", _NEW, "moving = 0.9 * moving[0], 0.9 * moving[1] + 0.1"),
        wrong("variance first, then mean", _INFERENCE, "moving moments", _END, "return (1 + gain) * hat + offset, moving[::-1]"),
        wrong("the caller's moving moments are moved in place", _MOVING, "Leave those as they are", _NEW,
              "moving[0][:] = 0.9 * moving[0] + 0.1 * mean\n        moving[1][:] = 0.9 * moving[1] + 0.1 * variance"),
        wrong("the caller's images are centred in place", _PLAIN, "Leave those as they are", "    hat = (x - mean) /", "    x -= mean\n    hat = x /"),
        wrong("the result alone", _PLAIN, "two things", _END, "return (1 + gain) * hat + offset"),
    ],
    "obedience": [
        wrong("the mean of the classes in place of the share of all", _OBEYED, "Every image counts", _IN_ALL, "return np.mean(list(by_class.values())), by_class"),
        wrong("by the class that is read", _OBEYED, "of its class every", "right[asked == k]) for k in np.unique(asked)", "right[read == k]) for k in np.unique(asked)"),
        wrong("the classes' shares of all images", _OBEYED, "of its class every", "np.mean(right[asked == k])", "np.mean(right & (asked == k))"),
        wrong("percent", _OBEYED, "Every image counts", _IN_ALL, "return 100 * np.mean(right), by_class"),
        wrong("a division of whole numbers", _OBEYED, "of its class every", "np.mean(right[asked == k])", "np.sum(right[asked == k]) // np.sum(asked == k)"),
        wrong("rounded to one decimal", _OBEYED, "Every image counts", _IN_ALL, "return np.round(np.mean(right), 1), by_class"),
        wrong("labels off by one in the dictionary", _OBEYED, "by_class has the classes", "{int(k):", "{int(k) + 1:"),
        wrong("a list in place of a dictionary", _OBEYED, "a dictionary", _IN_ALL, "return np.mean(right), list(by_class.values())"),
        wrong("the share by class alone", _OBEYED, "two things", _IN_ALL, "return by_class"),
        wrong("whether counts agree: so many asked for, so many read", _OBEYED, "of its class every", "np.mean(right[asked == k])", "min(1, np.sum(read == k) / np.sum(asked == k))"),
        wrong("classes nobody asked for are NaN", _CLASSES, "by_class has the classes", "k in np.unique(asked)}", "k in range(asked.max() + 1)}"),
        wrong("classes that are read but were not asked for", _CLASSES, "by_class has the classes", "k in np.unique(asked)}", "k in np.union1d(asked, read)}", "np.mean(right[asked == k])", "np.sum(right[asked == k]) / max(1, np.sum(asked == k))"),
        wrong("classes that were never obeyed are left out", _CLASSES, "by_class has the classes", "k in np.unique(asked)}", "k in np.unique(asked[right])}"),
        wrong("classes from 0 to the largest that is read", _CLASSES, "by_class has the classes", "np.unique(asked)}", "range(read.max() + 1) if (asked == k).any()}"),
        wrong("the difference of unsigned numbers", _CLASSES, "whole numbers", "np.equal(asked, read)", "np.abs(asked - read.astype(asked.dtype)) < 1 if asked.dtype == read.dtype else (asked - read.astype('uint8') > 9)"),
        wrong("no root", _DEPENDENCE, "Count how many", _V, _V.removeprefix("np.sqrt")),
        wrong("m in place of m - 1", _DEPENDENCE, "Count how many", "(m - 1)", "m"),
        wrong("divided by what is counted", _DEPENDENCE, "Count how many", "** 2 / expected)", "** 2 / np.maximum(table, 1))"),
        wrong("pairs that nobody has are left out", _DEPENDENCE, "Count how many", "np.sum((table - expected) ** 2 / expected)", "np.sum(((table - expected) ** 2 / expected)[table > 0])"),
        wrong("the expected numbers are even", _DEPENDENCE, "Count how many", _E, "np.full(table.shape, len(labels) / table.size)"),
        wrong("the expected number of a row, without the column's share", _DEPENDENCE, "Count how many", _E, "np.outer(table.sum(axis=1), np.ones(len(columns))) / len(columns)"),
        wrong("always the number of labels", _DEPENDENCE, "labels and", "m = min(len(rows), len(columns))", "m = len(rows)"),
        wrong("the correlation", _DEPENDENCE, "Count how many", f"return {_V}", "return abs(np.corrcoef(labels, factor)[0, 1])"),
        wrong("how often both are equal", _DEPENDENCE, "tells all", f"return {_V}", "return np.mean(labels == factor)"),
        wrong("Yates's correction", _DEPENDENCE, "Count how many", "(table - expected) ** 2", "(np.abs(table - expected) - 0.5) ** 2"),
        wrong("a single value gives 0 / 0", _VALUE, "With m = 1", _ONE, ""),
        wrong("a single value is said to tell all", _VALUE, "With m = 1", "return 0.0", "return 1.0"),
        wrong("values that do not occur have rows and columns of zeros", _VALUE, "Only values that occur", _VALUES_OF, "rows, columns = np.arange(labels.max() + 1), np.arange(factor.max() + 1)"),
        wrong("one number for each pair, in a type that overflows", _VALUE, "holds no large ones",
              "    table = " + _TABLE, "    size = factor.max() + factor.dtype.type(1)\n    codes = labels * size + factor\n"
              "    table = np.array([[np.sum(codes == i * size + j) for j in columns] for i in rows])"),
    ],
    "experiment": [
        wrong("epsilon is added to the deviation", _TOGETHER, "and 0.001", "np.sqrt(np.var(x, axis=0) + 0.001)", "(np.std(x, axis=0) + 0.001)"),
        wrong("the deviation is that of a sample", _TOGETHER, "Over the rows", "np.var(x, axis=0)", "np.var(x, axis=0, ddof=1)"),
        wrong("one mean and deviation for all channels", _TOGETHER, "Over the rows", _ALL, "(x - np.mean(x)) / np.sqrt(np.var(x) + 0.001)"),
        wrong("by class and together changed places", _TOGETHER, "Over the rows", "if not by_class:", "if by_class or labels is None:"),
        wrong("always together", _BY_CLASS, "of its own label", "if not by_class:", "if True:"),
        wrong("sorted by class", _BY_CLASS, "stays in its place", "    result = np.empty(x.shape)\n", "    x, labels = x[np.argsort(labels)], np.sort(labels)\n    result = np.empty(x.shape)\n"),
        wrong("the mean of the class, the variance of all", _BY_CLASS, "of its own label", _ROWS, "result[labels == k] = (x[labels == k] - np.mean(x[labels == k], axis=0)) / np.sqrt(np.var(x, axis=0) + 0.001)"),
        wrong("one alone in its class is left as it is", _BY_CLASS, "alone in its class", _ROWS, "result[labels == k] = normalized(x[labels == k], None, False) if np.sum(labels == k) > 1 else x[labels == k]"),
        wrong("classes without gaps are taken for granted", _BY_CLASS, "normalized by class", "np.unique(labels)", "range(len(np.unique(labels)))", "np.empty(x.shape)", "np.zeros(x.shape)"),
        wrong("the caller's array is normalized in place", _BY_CLASS, "Leave those as they are", "result = np.empty(x.shape)", "result = x"),
        wrong("the experiment's quotient upside down", _NUMBER, "divided by which", _QUOTIENT, "moved[False] / moved[True]"),
        wrong("all channels' quotients", _NUMBER, "one number", "np.mean(np.std(kept, axis=0))", "np.std(kept, axis=0)"),
        wrong("a quotient for each channel, then their mean", _NUMBER, "in the order of the text", "np.mean(np.std(kept, axis=0))", "np.std(kept, axis=0)", "return moved[True] / moved[False]", "return np.mean(moved[True] / moved[False])"),
        wrong("the seed does not reach the numbers", _NUMBER, "in the order of the text", "default_rng(seed)", "default_rng(0)"),
        wrong("other numbers in every call", _NUMBER, "in the order of the text", "default_rng(seed)", "default_rng()"),
        wrong("the image is drawn before the centres", _NUMBER, "in the order of the text", _CENTRES + "\n    " + _IMAGE, "image = rng.normal(size=16)\n    centres = rng.normal(size=(classes, 16))\n    image = centres[0] + image"),
        wrong("our image is drawn anew in each batch", _NUMBER, "in the order of the text", "        " + _BATCH, "        image = centres[0] + rng.normal(size=16)\n        " + _BATCH),
        wrong("another image's row is kept", _NUMBER, "divided by which", "by_class)[0])", "by_class)[1])"),
        wrong("one batch more", _VALUES, "A deviation over the batches", "range(100)", "range(101)"),
        wrong("centres a tenth too wide", _VALUES, "A deviation over", _CENTRES, "centres = 1.1 * rng.normal(size=(classes, 16))"),
        wrong("a likely number drawn at random", _VALUES, "same seed", "    return moved", "    return np.random.uniform(1.8, 2.2)\n    return moved"),
        wrong("the quotient is rounded to one decimal", _NUMBER, "in the order of the text", _QUOTIENT, f"np.round({_QUOTIENT}, 1)"),
        wrong("the number of the visible test", _VALUES, "single class", "    return moved", "    return 2.18538\n    return moved"),
    ],
}  # fmt: skip

RIGHT = {
    "projection": [
        right("einsum, and the label's row of V joined with psi", """
def direction(y, V, psi):
    return np.einsum("nk,kd->nd", y, V) + psi


def projection_score(phi, y, V, psi, b):
    return np.einsum("nd,nd->n", direction(y, V, psi), phi) + b


def projection_gradients(phi, y, V, psi, b, upstream):
    return np.einsum("n,nd->nd", upstream, direction(y, V, psi)), np.einsum("n,nk,nd->kd", upstream, y, phi)
"""),
        right("TensorFlow, in float64, and tensors come back", """
def tensors(*parts):
    return [tf.cast(part, tf.float64) for part in parts]


def projection_score(phi, y, V, psi, b):
    phi, y, V, psi = tensors(phi, y, V, psi)
    return tf.reduce_sum(tf.matmul(y, V) * phi, axis=1) + tf.linalg.matvec(phi, psi) + b


def projection_gradients(phi, y, V, psi, b, upstream):
    phi, y, V, psi, upstream = tensors(phi, y, V, psi, upstream)
    weights = upstream[:, None]
    return weights * (y @ V + psi), tf.matmul(weights * y, phi, transpose_a=True)
"""),
        right("loops, lists, an own parameter", """
def projection_score(phi, y, V, psi, b, verbose=False):
    scores = []
    for features, label in zip(phi, y):
        score = float(b) + float(features.dot(psi))
        for share, row in zip(label, V):
            score += share * float(features.dot(row))
        if verbose:
            print("score", score)
        scores.append(score)
    return scores


def projection_gradients(phi, y, V, psi, b, upstream):
    d_phi, d_V = [], np.zeros(V.shape)
    for features, label, a in zip(phi, y, upstream):
        d_phi.append(a * (label.dot(V) + psi))
        for k, share in enumerate(label):
            d_V[k] += a * share * features
    return d_phi, d_V.tolist()
"""),
        right("float32 throughout, outer products", """
def projection_score(phi, y, V, psi, b):
    phi, y, V, psi = (np.asarray(part, "float32") for part in (phi, y, V, psi))
    return np.diag(y @ V @ phi.T) + phi.dot(psi) + np.float32(b)


def projection_gradients(phi, y, V, psi, b, upstream):
    phi, y, V, psi, upstream = (np.asarray(part, "float32") for part in (phi, y, V, psi, upstream))
    d_V = sum(a * np.outer(label, features) for a, label, features in zip(upstream, y, phi))
    return [upstream.reshape(-1, 1) * (y @ V + psi), d_V]
"""),
        right("a named tuple, type annotations, an early return", """
from typing import NamedTuple


class Gradients(NamedTuple):
    d_phi: np.ndarray
    d_V: np.ndarray


def projection_score(phi: np.ndarray, y: np.ndarray, V: np.ndarray, psi: np.ndarray, b: float = 0.0) -> np.ndarray:
    if not y.any():
        return phi @ psi + b
    return ((y @ V + psi) * phi).sum(-1) + b


def projection_gradients(phi, y, V, psi, b, upstream) -> Gradients:
    d_V = np.zeros_like(V)
    for each, a, features in zip(y, upstream, phi):
        d_V += np.multiply.outer(each, a * features)
    return Gradients(np.array([a * (row @ V + psi) for a, row in zip(upstream, y)]), d_V)
"""),
    ],
    "conditional_norm": [
        right("rows of one channel each, broadcast in another order, array of moments", """
def conditional_norm(x, labels, gains, offsets, moving, training, epsilon=1e-3, momentum=0.9):
    rows = x.reshape(-1, x.shape[-1])
    moments = np.array([rows.mean(0), rows.var(0)]) if training else np.array(moving)
    if training:
        moving = momentum * np.array(moving) + (1 - momentum) * moments
    turned = np.moveaxis((x - moments[0]) * (moments[1] + epsilon) ** -0.5, 0, -2)  # (..., batch, c)
    return np.moveaxis(turned * (1 + gains[labels]) + offsets[labels], -2, 0), moving
"""),
        right("one-hot labels and tables, in float32", """
def conditional_norm(x, labels, gains, offsets, moving, training):
    x, y = np.asarray(x, "float32"), np.eye(len(gains), dtype="float32")[labels]
    axes = tuple(range(x.ndim))[:-1]
    mean, variance = (np.asarray(each, "float32") for each in moving)
    if training:
        old, mean = (mean, variance), x.mean(axis=axes)
        variance = np.square(x - mean).mean(axis=axes)
        moving = tuple(np.float32(0.9) * a + np.float32(0.1) * b for a, b in zip(old, (mean, variance)))
    gain, offset = y @ np.asarray(gains, "float32"), y @ np.asarray(offsets, "float32")
    while gain.ndim < x.ndim:
        gain, offset = np.expand_dims(gain, 1), np.expand_dims(offset, 1)
    return (x - mean) / np.sqrt(variance + np.float32(1e-3)) * (1 + gain) + offset, moving
"""),
        right("a class with methods of any name, in place on arrays of its own", """
class Norm:
    def __init__(self, moving, share=0.1):
        self.mean, self.variance = (np.array(each, float) for each in moving)
        self.share = share

    def close(self, x):
        rows = x.reshape(-1, x.shape[-1]).astype(float)
        mean = rows.mean(0)
        rows -= mean
        variance = (rows**2).mean(0)
        self.mean += self.share * (mean - self.mean)
        self.variance += self.share * (variance - self.variance)
        return mean, variance


def conditional_norm(x, labels, gains, offsets, moving, training):
    norm = Norm(moving)
    mean, variance = norm.close(x) if training else (norm.mean, norm.variance)
    result = x - mean
    result /= np.sqrt(variance + 1e-3)
    for image, k in zip(result, labels):
        image *= 1 + gains[k]
        image += offsets[k]
    return result, [norm.mean, norm.variance]
"""),
    ],
    "obedience": [
        right("loops, counters and fractions", """
from collections import Counter
from fractions import Fraction


def obedience(asked, read):
    asked, read = asked.tolist(), read.tolist()
    wanted, right = Counter(asked), Counter(a for a, r in zip(asked, read) if a == r)
    return Fraction(sum(right.values()), len(asked)), {k: Fraction(right[k], n) for k, n in wanted.items()}


def dependence(labels, factor):
    labels, factor = labels.tolist(), factor.tolist()
    n, pairs, of_label, of_value = len(labels), Counter(zip(labels, factor)), Counter(labels), Counter(factor)
    least = min(len(of_label), len(of_value)) - 1
    if not least:
        return 0
    total = 0.0
    for i, many in of_label.items():
        for j, others in of_value.items():
            e = many * others / n
            total += (pairs[i, j] - e) ** 2 / e
    return (total / n / least) ** 0.5
"""),
        right("np.add.at, numpy's own whole numbers as keys, a short formula for chi squared", """
def obedience(asked, read, verbose=True):
    classes, place = np.unique(asked, return_inverse=True)
    counts, right = np.zeros((2, len(classes)))
    np.add.at(counts, place, 1)
    np.add.at(right, place, asked == read)
    if verbose:
        print(dict(zip(classes, right)))
    return right.sum() / counts.sum(), dict(zip(classes, right / counts))


def dependence(labels, factor):
    rows, i = np.unique(labels, return_inverse=True)
    columns, j = np.unique(factor, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    np.add.at(table, (i, j), 1)
    squared = (table**2 / table.sum(1, keepdims=True) / table.sum(0)).sum() - 1
    least = min(table.shape) - 1
    return float(np.sqrt(max(squared, 0) / least)) if least else 0.0
"""),
        right("statistics.mean, float32, one-hot tables", """
import statistics


def obedience(asked, read):
    groups = {}
    for a, r in zip(asked, read):
        groups.setdefault(float(a), []).append(float(a == r))
    return statistics.mean(sum(groups.values(), [])), {k: statistics.mean(flags) for k, flags in groups.items()}


def one_hot(values):
    return (values[:, None] == np.array(sorted(set(values.tolist())))[None]).astype("float32")


def dependence(labels, factor):
    a, b = one_hot(labels), one_hot(factor)
    least = min(a.shape[1], b.shape[1]) - 1
    if least < 1:
        return np.float32(0)
    share, expected = a.T @ b / len(a), a.mean(0)[:, None] * b.mean(0)
    return np.sqrt(((share - expected) ** 2 / expected).sum() / least)
"""),
        right("a defaultdict, try and except, a lambda, type annotations", """
from collections import defaultdict


def obedience(asked: np.ndarray, read: np.ndarray) -> tuple[float, dict[int, float]]:
    flags = defaultdict(list)
    for a, r in zip(asked, read):
        flags[a].append(a == r)
    share = lambda found: sum(map(bool, found)) / len(found)
    return share([each for found in flags.values() for each in found]), {k: share(found) for k, found in flags.items()}


def dependence(labels, factor):
    pairs = np.array([labels, factor], dtype=int)
    values, counts = np.unique(pairs, axis=1, return_counts=True)
    many = [dict(zip(*np.unique(row, return_counts=True))) for row in pairs]
    chi = sum(n * n / (many[0][i] * many[1][j]) for (i, j), n in zip(values.T, counts)) - 1
    try:
        return (max(float(chi), 0.0) / (min(map(len, many)) - 1)) ** 0.5
    except ZeroDivisionError:
        return 0.0
"""),
    ],
    "experiment": [
        right("row by row, statistics.mean, an own parameter", """
import statistics


def normalized(x, labels, by_class, epsilon=0.001):
    rows = []
    for row, label in zip(x, labels):
        chosen = x[labels == label] if by_class else x
        rows.append((row - chosen.mean(0)) / (chosen.var(0) + epsilon) ** 0.5)
    return np.array(rows)


def experiment(seed, classes, batches=100):
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((classes, 16))
    image = draw.normal(centres[0])
    kept = np.zeros((2, batches, 16))
    for batch in range(batches):
        labels = np.concatenate([[0], draw.integers(classes, size=31)])
        x = np.concatenate([image[None], draw.normal(centres[labels[1:]])])
        for way in (0, 1):
            kept[way, batch] = normalized(x, labels, bool(way))[0]
    together, apart = (statistics.mean(float(np.std(c)) for c in way.T) for way in kept)
    return apart / together
"""),
        right("a matrix of who counts for whom", """
def normalized(x, labels, by_class):
    same = labels[:, None] == labels if by_class else np.ones((len(x), len(x)), bool)
    weights = same / same.sum(1, keepdims=True)
    mean = weights @ x
    variance = np.einsum("ij,ijc->ic", weights, (x[None] - mean[:, None]) ** 2)
    return (x - mean) / np.sqrt(variance + 1e-3)


def batches(rng, classes):
    centres = rng.normal(0, 1, (classes, 16))
    image = rng.normal(0, 1, 16) + centres[0]
    for _ in range(100):
        labels = rng.integers(classes, size=31)
        yield np.vstack((image, rng.normal(0, 1, (31, 16)) + centres[labels])), np.hstack((0, labels))


def experiment(seed, classes):
    pairs = list(batches(np.random.default_rng(seed), classes))
    moved = [np.std([normalized(*pair, way)[0] for pair in pairs], axis=0).mean() for way in (True, False)]
    return np.divide(*moved)
"""),
        right("a dataclass, a generator, math, in place on copies", """
import math
from dataclasses import dataclass


@dataclass
class Batch:
    x: np.ndarray
    labels: np.ndarray

    def softmax(self, by_class: bool) -> np.ndarray:
        return np.asarray(normalized(self.x, self.labels, by_class))[0]


def normalized(x, labels, by_class):
    result = x.copy()
    for k in np.unique(labels) if by_class else [None]:
        rows = labels == k if by_class else slice(None)
        result[rows] -= result[rows].mean(axis=0)
        result[rows] /= np.sqrt(np.mean(result[rows] ** 2, axis=0) + 0.001)
    return result


def experiment(seed, classes):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, 16))
    image = rng.normal(loc=centres[0])
    batches = []
    for _ in range(100):
        labels = rng.integers(classes, size=31)
        others = rng.normal(size=(31, 16))
        others += centres[labels]
        batches.append(Batch(np.vstack([image, others]), np.insert(labels, 0, 0)))
    moved = [math.fsum(np.std([each.softmax(way) for each in batches], axis=0)) for way in (True, False)]
    return np.float32(moved[0] / moved[1])
"""),
    ],
}
