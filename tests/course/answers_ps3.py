"""Problem set 3: wrong answers with the misconception each stands for, and other right ones."""

from harness import right, wrong

_SHAPE, _HAND, _PIXELS, _LARGE, _IMAGES = (
    f"attention_map_test_{word}" for word in ("shape", "hand", "pixels", "large", "images")
)
_START, _GATE, _LOOKS, _LEARNS, _TRAINING = (
    f"SelfAttention_test_{word}" for word in ("start", "gate", "looks", "learns", "training")
)
_BYHAND, _DIFF, _ROWS, _SHUT = (
    f"attention_gradient_test_{word}" for word in ("hand", "differences", "rows", "gate")
)
_COUNT, _NUMBER, _VALUES = (
    f"experiment_test_{word}" for word in ("rows", "number", "values")
)

_KEYS = "keys = f.reshape(f.shape[0], -1, f.shape[-1])"
_QUERIES = "queries = g.reshape(g.shape[0], -1, g.shape[-1])"
_SCORES = "queries @ keys.transpose(0, 2, 1)"
_STABLE = "scores - scores.max(axis=-1, keepdims=True)"
_SHARES = "weights / weights.sum(axis=-1, keepdims=True)"

_ZEROS = 'self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")'
_FLAT = "(t, (t.shape[0], -1, t.shape[-1]))"
_OUT = "x + self.gamma * keras.ops.reshape(mixed, x.shape)"
_TURNED = "keras.ops.transpose(keys, (0, 2, 1))"

_D_P = "gamma * upstream @ values.transpose(0, 2, 1)"
_D_GAMMA = "np.sum(upstream * (p @ values))"
_PAIR = "p * (d_p - inner), d_gamma"

_NORMS = "f, g = f / np.linalg.norm(f, 2), g / np.linalg.norm(g, 2)"

WRONG = {
    "attention_map": [
        wrong("the softmax goes over the positions that ask", _HAND, "spreads an attention of 1",
              _STABLE, "scores - scores.max(axis=1, keepdims=True)",
              _SHARES, "weights / weights.sum(axis=1, keepdims=True)"),
        wrong("the softmax goes over the whole map of an image", _HAND, "spreads an attention of 1",
              _SHARES, "weights / weights.sum(axis=(1, 2), keepdims=True)"),
        wrong("f asks and g is looked at", _SHAPE, "One row for each position of g",
              _SCORES, "keys @ queries.transpose(0, 2, 1)"),
        wrong("nothing is subtracted before exp", _LARGE, "are NaN", _STABLE, "scores"),
        wrong("the maximum of the whole map is subtracted", _LARGE, "far below",
              _STABLE, "scores - scores.max(axis=(1, 2), keepdims=True)"),
        wrong("the logits are cut off at 50, so that exp stays finite", _LARGE, "large logits",
              _STABLE, "np.clip(scores, -50, 50)"),
        wrong("the mean is subtracted, not the maximum", _LARGE, "subtract",
              _STABLE, "scores - scores.mean(axis=-1, keepdims=True)"),
        wrong("the logits are divided by the root of the channels, as in a transformer", _HAND,
              "log 3", _SCORES, "queries @ keys.transpose(0, 2, 1) / np.sqrt(f.shape[-1])"),
        wrong("all images share one row of positions", _SHAPE, "shape",
              _KEYS, "keys = f.reshape(1, -1, f.shape[-1])",
              _QUERIES, "queries = g.reshape(1, -1, g.shape[-1])"),
        wrong("all images look at the first image's keys", _IMAGES, "no image may look",
              _SCORES, "queries @ keys[0].T"),
        wrong("logits are summed over the images", _IMAGES, "no image may look",
              _SCORES, "queries @ keys.transpose(0, 2, 1)\n"
              "    scores = np.broadcast_to(scores.sum(axis=0), scores.shape)"),
        wrong("a reshape in place of a transpose: channels and pixels are scrambled", _PIXELS,
              "stay together", _SCORES, "queries @ f.reshape(f.shape[0], f.shape[-1], -1)"),
        wrong("positions are counted column by column", _PIXELS, "row by row",
              _KEYS, "keys = f.transpose(0, 2, 1, 3).reshape(f.shape[0], -1, f.shape[-1])",
              _QUERIES, "queries = g.transpose(0, 2, 1, 3).reshape(g.shape[0], -1, g.shape[-1])"),
        wrong("keys and queries must have equally many positions", _SHAPE, "stopped",
              _KEYS, "keys = f.reshape(f.shape[0], g.shape[1] * g.shape[2], f.shape[-1])"),
        wrong("each row of the picture looks at itself only", _SHAPE, "shape",
              "return " + _SHARES,
              "scores = np.einsum('bhqc,bhkc->bhqk', g, f[:, : g.shape[1]]) if f.shape == g.shape else scores\n"
              "    weights = np.exp(scores)\n    return " + _SHARES),
        wrong("the keys are centred, which changes the caller's array and nothing else", _IMAGES, "Leave those as they are.",
              "scores = ", "f -= f.mean(axis=(1, 2), keepdims=True)\n    scores = "),
        wrong("the worked example's map is written into the code", _SHAPE, "shape",
              "return " + _SHARES, "return np.array([[[1 / 4, 3 / 4], [1 / 10, 9 / 10]]])"),
        wrong("shifted logits are clipped at -12", _LARGE, "A small weight is small", f"np.exp({_STABLE})", f"np.exp(np.maximum({_STABLE}, -12))"),
        wrong("the map is made block by block, and the rest is forgotten", _HAND, "however many",
              "    weights = np.exp", "    rest = scores.shape[1] % max(1, scores.shape[1] // 64)\n    weights = np.exp",
              "return " + _SHARES, f"result = {_SHARES}\n    result[:, len(result[0]) - rest :] = 0\n    return result"),
    ],
    "SelfAttention": [
        wrong("gamma starts at 1", _START, "without attention", '"zeros"', '"ones"'),
        wrong("gamma is frozen", _START, "no optimizer",
              'name="gamma")', 'name="gamma", trainable=False)'),
        wrong("gamma is a plain number", _START, "gamma is not among the layer's", _ZEROS, "self.gamma = 0.0"),
        wrong("a gamma for each channel", _START, "one number", "shape=()", "shape=(channels,)"),
        wrong("keys and queries with all channels", _START, "filters",
              "self.f = conv(channels // 8, 1)\n        self.g = conv(channels // 8, 1)",
              "self.f = conv(channels, 1)\n        self.g = conv(channels, 1)"),
        wrong("one convolution for keys and queries", _START, "There are kernel and bias of f, g",
              "self.g = conv(channels // 8, 1)", "self.g = self.f"),
        wrong("an output convolution that nobody asked for", _START, "trainable weights",
              _ZEROS, _ZEROS + "\n        self.out = conv(channels, 1)",
              "self.gamma * keras.ops.reshape(mixed, x.shape)",
              "self.gamma * self.out(keras.ops.reshape(mixed, x.shape))"),
        wrong("3x3 convolutions for the values", _START, "1x1",
              "self.h = conv(channels, 1)", "self.h = conv(channels, 3, padding='same')"),
        wrong("values without a bias", _GATE, "must have a kernel and a bias",
              "self.h = conv(channels, 1)", "self.h = conv(channels, 1, use_bias=False)"),
        wrong("Keras's convolutions whatever conv is given", _TRAINING, "made by the conv",
              "        self.f = conv(", "        conv = keras.layers.Conv2D\n        self.f = conv("),
        wrong("the residual is missing", _START, "what it is given", _OUT, _OUT.removeprefix("x + ")),
        wrong("a blend: gamma takes from x what it gives to o", _GATE, "x + gamma b", _OUT,
              "(1 - self.gamma) * x + self.gamma * keras.ops.reshape(mixed, x.shape)"),
        wrong("the values are the input itself", _GATE, "values", "scores, axis=-1), values)",
              "scores, axis=-1), flat(x))"),
        wrong("no softmax", _GATE, "mean of equal", "keras.ops.softmax(scores, axis=-1)", "scores"),
        wrong("f asks and g is looked at in the layer", _LOOKS, "by_loop", "keras.ops.matmul(queries, keras.ops.transpose(keys, (0, 2, 1)))",
              "keras.ops.matmul(keys, keras.ops.transpose(queries, (0, 2, 1)))"),
        wrong("the logits are divided by the root of the key channels", _LOOKS, "by_loop",
              "keras.ops.softmax(scores,", "keras.ops.softmax(scores / keys.shape[-1] ** 0.5,"),
        wrong("a reshape in place of the keys' transpose", _LOOKS, "by_loop", _TURNED,
              "keras.ops.reshape(keys, (x.shape[0], keys.shape[2], keys.shape[1]))"),
        wrong("the result is reshaped with its channels in front", _LOOKS, "both reshapes",
              "keras.ops.reshape(mixed, x.shape)",
              "keras.ops.reshape(keras.ops.transpose(keras.ops.reshape(mixed, (x.shape[0], x.shape[2], x.shape[1], x.shape[3])), (0, 2, 1, 3)), x.shape)"),
        wrong("pictures are taken to be square", _START, "stopped", "keras.ops.reshape(mixed, x.shape)",
              "keras.ops.reshape(mixed, (len(x), *[int(mixed.shape[1] ** 0.5)] * 2, x.shape[3]))"),
        wrong("the article's slip: training is not handed on", _TRAINING, "never moved",
              "self.f(x, training=training)", "self.f(x)", "self.g(x, training=training)", "self.g(x)",
              "self.h(x, training=training)", "self.h(x)"),
        wrong("the values' convolution is forgotten when training is handed on", _TRAINING, "self.h",
              "self.h(x, training=training)", "self.h(x)"),
        wrong("training unless told otherwise", _TRAINING, "was not training",
              "def call(self, x, training=False)", "def call(self, x, training=True)"),
        wrong("each convolution is called twice", _TRAINING, "times",
              "values = flat(self.h(x, training=training))",
              "values = flat(self.h(x, training=training))\n"
              "        assert self.h(x, training=training).shape == x.shape"),
        wrong("the map comes back as well", _START, "output of a new layer", "return " + _OUT,
              f"return {_OUT}, scores"),
        wrong("no layer but a function", _START, "Keras layer",
              "def SelfAttention(channels, conv=keras.layers.Conv2D):\n    return lambda x, training=False: x"),
        wrong("the values leave TensorFlow", _LEARNS, "No gradient arrives at h",
              "values = flat(self.h(x, training=training))", "values = np.array(flat(self.h(x, training=training)))"),
        wrong("the queries are cut off from the gradient", _LEARNS, "No gradient arrives at g",
              "queries = flat(self.g(x, training=training))", "queries = keras.ops.stop_gradient(flat(self.g(x, training=training)))"),
        wrong("gamma's value, taken out with numpy", _LEARNS, "No gradient arrives at gamma", "x + self.gamma *", "x + self.gamma.numpy() *"),
        wrong("half of the gradient of the map", _LEARNS, "Does it stay with keras.ops or",
              "        mixed = keras", "        scores = (scores + keras.ops.stop_gradient(scores)) / 2\n        mixed = keras"),
        wrong("works eagerly only: a Python loop over values that are not known yet", _LEARNS, "In a tf.function",
              "        scores = ", "        if float(keras.ops.max(keys)) > 1e9:\n            return x\n        scores = "),
        wrong("keys and queries look at a picture that learns nothing", _LEARNS, "The layers before this one",
              "self.f(x, training=training)", "self.f(keras.ops.stop_gradient(x), training=training)",
              "self.g(x, training=training)", "self.g(keras.ops.stop_gradient(x), training=training)"),
        wrong("the map is cut off from the gradient in training", _LEARNS, "No gradient arrives at f",
              "        mixed =", "        if training:\n            scores = keras.ops.stop_gradient(scores)\n        mixed ="),
        wrong("once in training, always in training", _TRAINING, "not training any more",
              "        keys =", "        self.mode = training = training or getattr(self, 'mode', False)\n        keys ="),
        wrong("the gate is clipped to 1", _GATE, "A mean of equal", "self.gamma *", "keras.ops.clip(self.gamma, -1.0, 1.0) *"),
        wrong("a tenth of the map is dropped in training", _LEARNS, "the gradient of gamma",
              _ZEROS, _ZEROS + "\n        self.drop = keras.layers.Dropout(0.1, seed=1)",
              "        mixed =", "        scores = self.drop(scores, training=training)\n        mixed ="),
        wrong("the number of positions is kept from the first call", _LOOKS, "from the first call",
              _FLAT, "(t, (-1, self.size, t.shape[-1]))", "        def flat", "        self.size = getattr(self, 'size', x.shape[1] * x.shape[2])\n\n        def flat"),
        wrong("the layer's softmax has nothing subtracted before exp", _LOOKS, "in the hundreds",
              "keras.ops.softmax(scores, axis=-1)", "keras.ops.exp(scores) / keras.ops.sum(keras.ops.exp(scores), axis=-1, keepdims=True)"),
    ],
    "attention_gradient": [
        wrong("the softmax's second term is missing", _ROWS, "sums to 0", "(d_p - inner)", "d_p"),
        wrong("p (1 - p), as if each weight hung on its own logit only", _ROWS, "sums to 0",
              "p * (d_p - inner)", "p * (1 - p) * d_p"),
        wrong("summed over the positions that ask", _ROWS, "sums to 0", "p * d_p, axis=-1",
              "p * d_p, axis=1"),
        wrong("the mean is taken off after the product with p", _DIFF, "Every logit",
              "p * (d_p - inner)", "p * d_p - np.mean(p * d_p, axis=-1, keepdims=True)"),
        wrong("stops at the map: the gradient of p", _BYHAND, "d_logits", "p * (d_p - inner)", "d_p"),
        wrong("a square of p", _BYHAND, "d_logits", "p * (d_p - inner)", "p**2 * (d_p - inner)"),
        wrong("the map's gradient is turned", _DIFF, "Every logit", _D_P,
              "gamma * (values @ upstream.transpose(0, 2, 1)).reshape(p.shape)"),
        wrong("the values of the first image for all", _DIFF, "Every logit", _D_P,
              "gamma * upstream @ values[0].T"),
        wrong("upstream is taken for the gradient of the map", _DIFF, "stopped", _D_P, "gamma * upstream"),
        wrong("gamma is forgotten on the way to the logits", _SHUT, "shut gate", "gamma * upstream @", "upstream @"),
        wrong("gamma multiplies its own gradient", _SHUT, "never open", _D_GAMMA, "gamma * " + _D_GAMMA),
        wrong("only the size of gamma counts", _SHUT, "gamma multiplies all", "gamma * upstream @",
              "abs(gamma) * upstream @"),
        wrong("a gamma gradient for each image", _BYHAND, "d_gamma has shape", _D_GAMMA,
              "np.sum(upstream * (p @ values), axis=(1, 2))"),
        wrong("the mean over the images for gamma", _DIFF, "add up", _D_GAMMA, _D_GAMMA + " / len(p)"),
        wrong("the gradient from above is forgotten for gamma", _DIFF, "add up", _D_GAMMA,
              "np.sum(p @ values)"),
        wrong("a number for each image and row in place of the logits", _BYHAND, "d_logits has shape",
              _PAIR, "(p * (d_p - inner)).sum(-1), d_gamma"),
        wrong("zero, because the gate begins shut", _ROWS, "zero everywhere", "p * (d_p - inner)",
              "0 * p"),
        wrong("gamma first, logits second", _BYHAND, "d_logits has shape", _PAIR, "d_gamma, p * (d_p - inner)"),
        wrong("only the gradient of the logits", _BYHAND, "two things", _PAIR, "p * (d_p - inner)"),
        wrong("the worked example's numbers are written into the code", _DIFF, "shape", _PAIR,
              "np.array([[[-0.25, 0.25]]]), 0.5"),
        wrong("as many rows as there are keys", _DIFF, "Every logit of a row", "return " + _PAIR,
              "d_logits = p * (d_p - inner)\n    d_logits[:, p.shape[2] :] = 0\n    return d_logits, d_gamma"),
    ],
    "experiment": [
        wrong("the entropy itself", _COUNT, "entropies", "np.exp(-np.sum(weights * logs, axis=-1))",
              "-np.sum(weights * logs, axis=-1)"),
        wrong("a weight of 0 becomes NaN", _COUNT, "NaN", "np.where(weights > 0, weights, 1.0)", "weights"),
        wrong("one number for the whole map", _COUNT, "shape", "logs, axis=-1", "logs"),
        wrong("one over the sum of squares", _COUNT, "entropies", "np.exp(-np.sum(weights * logs, axis=-1))",
              "1 / np.sum(weights**2, axis=-1)"),
        wrong("counts the weights above 0", _COUNT, "entropies", "np.exp(-np.sum(weights * logs, axis=-1))",
              "np.sum(weights > 0, axis=-1)"),
        wrong("the kernels are not normalized", _NUMBER, "Is it drawn in the order of the", _NORMS, "pass"),
        wrong("the Frobenius norm in place of the spectral norm", _NUMBER, "Is it drawn in the order of the", _NORMS,
              "f, g = f / np.linalg.norm(f), g / np.linalg.norm(g)"),
        wrong("one round of power iteration from a random u takes the norm's place", _NUMBER, "Is it drawn in the order of the", _NORMS,
              "u = rng.normal(size=channels // 8)\n"
              "        for kernel in (f, g):\n"
              "            v = kernel @ u\n"
              "            kernel /= np.linalg.norm(kernel.T @ v) / np.linalg.norm(v)"),
        wrong("as many key channels as channels", _NUMBER, "Is it drawn in the order of the", "channels // 8))", "channels))"),
        wrong("one kernel for keys and queries", _NUMBER, "Is it drawn in the order of the", _NORMS,
              "f = g = f / np.linalg.norm(f, 2)"),
        wrong("64 channels whatever was asked for", _NUMBER, "Is it drawn in the order of the", "    rng = ", "    channels = 64\n    rng = "),
        wrong("the median instead of the mean", _VALUES, "counts the same", "np.mean(seen)", "np.median(seen)"),
        wrong("three layers", _VALUES, "Every row of every layer counts the", "range(4)", "range(3)"),
        wrong("the generator made anew for each layer", _VALUES, "Every row of every layer counts the",
              "        x = rng", "        rng = np.random.default_rng(seed)\n        x = rng"),
        wrong("a number drawn in the right range", _VALUES, "Every row of every layer counts the",
              "    seen = []\n", "    return {16: 210.0, 128: 52.0}.get(channels, 84.0) + rng.uniform(-2, 2)\n"),
        wrong("the seed is not used", _NUMBER, "Is it drawn in the order of the", "default_rng(seed)", "default_rng(0)"),
        wrong("another random state in each call", "experiment_test_values", "The same seed must give the same", "default_rng(seed)", "default_rng()"),
        wrong("the sum over the layers", _NUMBER, "256 pixels", "return np.mean(seen)",
              "return sum(np.mean(rows) for rows in seen)"),
        wrong("the mean of each row over the layers", _NUMBER, "one number", "return np.mean(seen)", "return np.mean(seen, axis=0)"),
        wrong("the numbers seen for seed 0 are written into the code", _NUMBER, "Is it drawn in the order of the", "return np.mean(seen)",
              "return {16: 163.0, 64: 83.0, 128: 39.0}[channels]"),
        wrong("1e-5 is added in the logarithm", _COUNT, "A small weight counts", "np.where(weights > 0, weights, 1.0)", "weights + 1e-5"),
        wrong("keys and queries come from two pictures", _VALUES, "counts the same", "(x @ f).T", "(rng.normal(size=x.shape) @ f).T"),
        wrong("the features are normalized", _NUMBER, "in the order of the text", "        f, g = rng", "        x = x / x.std(0)\n        f, g = rng"),
        wrong("the mean is rounded to one decimal", _VALUES, "wrong by", "return np.mean(seen)", "return np.round(np.mean(seen) / 10, 1) * 10"),
    ],
}  # fmt: skip

RIGHT = {
    "attention_map": [
        right("einsum keeps height and width apart", """
def attention_map(f, g):
    scores = np.einsum("bijc,bklc->bijkl", g, f)
    scores = scores.reshape(len(g), g.shape[1] * g.shape[2], f.shape[1] * f.shape[2])
    top = np.max(scores, axis=2)[:, :, None]
    weights = np.exp(scores - top)
    return weights / np.sum(weights, axis=2)[:, :, None]
"""),
        right("float32, a class with a method called softmax, type annotations", """
class Attention2D:
    def __init__(self, dtype: str = "float32") -> None:
        self.dtype = dtype

    def flat(self, t: np.ndarray) -> np.ndarray:
        return np.asarray(t, self.dtype).reshape(t.shape[0], t.shape[1] * t.shape[2], t.shape[3])

    def softmax(self, s: np.ndarray) -> np.ndarray:
        s = s - s.max(-1, keepdims=True)
        return np.exp(s) / np.exp(s).sum(-1, keepdims=True)

    def call(self, f: np.ndarray, g: np.ndarray) -> np.ndarray:
        return self.softmax(np.stack([queries @ keys.T for keys, queries in zip(self.flat(f), self.flat(g))]))


def attention_map(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    return Attention2D().call(f, g)
"""),
        right("in place on arrays of its own, an own parameter, a print", """
def attention_map(f, g, verbose=True):
    scores = np.tensordot(g, f, axes=(3, 3))[range(len(g)), :, :, range(len(g))]  # (b, h, w, h', w')
    scores = np.ascontiguousarray(scores).reshape(len(g), g.shape[1] * g.shape[2], -1)
    for row in scores.reshape(-1, scores.shape[2]):
        row -= max(row)
    np.exp(scores, out=scores)
    scores /= np.sum(scores, axis=2, keepdims=True)
    if verbose:
        print("softmax", scores.shape, "no gradient")
    return scores
"""),
    ],
    "SelfAttention": [
        right("parts made in build", """
from keras import ops


class SelfAttention(keras.layers.Layer):
    def __init__(self, channels, conv=keras.layers.Conv2D, **options):
        super().__init__(**options)
        self.channels, self.conv = channels, conv

    def build(self, input_shape):
        self.f, self.g, self.h = (self.conv(n, 1) for n in (self.channels // 8, self.channels // 8, self.channels))
        self.gamma = self.add_weight(shape=(), initializer="zeros")

    def call(self, x, training=False):
        b, h, w, c = x.shape
        f, g, v = (ops.reshape(t(x, training=training), (b, h * w, -1)) for t in (self.f, self.g, self.h))
        weights = ops.softmax(ops.einsum("bqc,bkc->bqk", g, f))
        return ops.reshape(ops.einsum("bqk,bkc->bqc", weights, v), (b, h, w, c)) * self.gamma + x
"""),
        right("TensorFlow, with a Keras variable", """
import tensorflow as tf


def rows(t):
    shape = tf.shape(t)
    return tf.reshape(t, (shape[0], -1, shape[-1]))


class SelfAttention(keras.layers.Layer):
    def __init__(self, channels, conv=keras.layers.Conv2D):
        super().__init__()
        self.f, self.g, self.h = conv(channels // 8, 1), conv(channels // 8, 1), conv(channels, 1)
        self.gamma = keras.Variable(0.0, name="gamma")

    def call(self, x, training=False):
        f, g, h = (rows(conv(x, training=training)) for conv in (self.f, self.g, self.h))
        weights = tf.nn.softmax(tf.matmul(g, f, transpose_b=True))
        return tf.reshape(tf.matmul(weights, h), tf.shape(x)) * self.gamma + x
"""),
        right("a name, a method called softmax, a seen flag", """
class SelfAttention(keras.layers.Layer):
    def __init__(self, channels, conv=keras.layers.Conv2D, verbose=False):
        super().__init__(name="attention")
        self.verbose = verbose
        self.f, self.g = (conv(channels // 8, 1) for _ in range(2))
        self.h = conv(channels, 1)
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def softmax(self, scores):
        powers = keras.ops.exp(scores - keras.ops.max(scores, axis=-1, keepdims=True))
        return powers / keras.ops.sum(powers, axis=-1, keepdims=True)

    def call(self, x, training=False):
        def rows(t):
            return keras.ops.reshape(t, (-1, x.shape[1] * x.shape[2], t.shape[-1]))

        keys, queries, values = (rows(conv(x, training=training)) for conv in (self.f, self.g, self.h))
        if self.verbose:
            print("gradient goes through", keys.shape)
        scores = keras.ops.matmul(queries, keras.ops.swapaxes(keys, 1, 2))
        return x + self.gamma * keras.ops.reshape(keras.ops.matmul(self.softmax(scores), values), keras.ops.shape(x))
"""),
        right("Keras's softmax layer, a configuration, type annotations", """
@keras.saving.register_keras_serializable(package="mine")
class SelfAttention(keras.layers.Layer):
    \"\"\"Self-attention, after chapter 3.\"\"\"

    def __init__(self, channels: int, conv=keras.layers.Conv2D, name: str = "attention", **options):
        super().__init__(name=name, **options)
        self.channels = channels
        self.f: keras.layers.Layer = conv(channels // 8, 1)
        self.g: keras.layers.Layer = conv(channels // 8, 1)
        self.h: keras.layers.Layer = conv(channels, 1)
        self.soft = keras.layers.Softmax(axis=-1)
        self.gamma = self.add_weight(name="gamma", shape=(), initializer=keras.initializers.Zeros(), trainable=True)

    def get_config(self) -> dict:
        return {**super().get_config(), "channels": self.channels}

    def compute_output_shape(self, input_shape):
        return input_shape

    def heads(self, x, training):
        return [keras.ops.reshape(part(x, training=training), (keras.ops.shape(x)[0], -1, n))
                for part, n in ((self.f, self.channels // 8), (self.g, self.channels // 8), (self.h, self.channels))]

    def call(self, x, training: bool = False):
        keys, queries, values = self.heads(x, training)
        weights = self.soft(keras.ops.einsum("bqc,bkc->bqk", queries, keys))
        return keras.ops.add(x, self.gamma * keras.ops.reshape(weights @ values, keras.ops.shape(x)))
"""),
        right("a softmax in logarithms, try and except, lambdas", """
class SelfAttention(keras.layers.Layer):
    def __init__(self, channels, conv=keras.layers.Conv2D):
        super().__init__(name="attention")
        self.f, self.g, self.h = [conv(n, 1) for n in (channels // 8, channels // 8, channels)]
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma", dtype="float32")
        self.seen = None

    def call(self, x, training=None):
        try:
            self.seen = tuple(x.shape)
        except (TypeError, ValueError):
            pass
        rows = lambda t: tf.reshape(t, [tf.shape(t)[0], tf.shape(t)[1] * tf.shape(t)[2], t.shape[3]])
        keys, queries, values = map(rows, (part(x, training=training) for part in (self.f, self.g, self.h)))
        scores = tf.einsum("bqc,bkc->bqk", queries, keys)
        weights = tf.exp(scores - tf.reduce_logsumexp(scores, axis=-1, keepdims=True))
        return x + self.gamma * tf.reshape(tf.einsum("bqk,bkc->bqc", weights, values), tf.shape(x))
"""),
    ],
    "attention_gradient": [
        right("the whole Jacobian of each row", """
def attention_gradient(logits, values, gamma, upstream):
    p = special.softmax(logits, axis=-1)
    on_map = gamma * np.einsum("bnc,bmc->bnm", upstream, values)
    jacobian = np.einsum("bni,ik->bnik", p, np.eye(p.shape[-1])) - np.einsum("bni,bnk->bnik", p, p)
    mixed = np.einsum("bnm,bmc->bnc", p, values)
    return np.einsum("bnik,bnk->bni", jacobian, on_map), float(np.vdot(mixed, upstream))
"""),
        right("row by row, in float32", """
def attention_gradient(logits, values, gamma, upstream, axis=-1):
    s, h, a = (np.asarray(each, "float32") for each in (logits, values, upstream))
    d_logits, d_gamma = [], 0.0
    for b in range(len(s)):
        p = special.softmax(s[b], axis=axis)
        rows = []
        for j in range(len(p)):
            d_p = gamma * h[b] @ a[b, j]
            rows.append(p[j] * (d_p - np.dot(p[j], d_p)))
            d_gamma += a[b, j] @ (p[j] @ h[b])
        d_logits.append(rows)
    return np.array(d_logits), d_gamma
"""),
        right("a named tuple of both, an early return, in place on its own", """
from collections import namedtuple

Slopes = namedtuple("Slopes", "d_logits d_gamma")


def attention_gradient(logits: np.ndarray, values: np.ndarray, gamma: float, upstream: np.ndarray) -> Slopes:
    p = special.softmax(logits, axis=2)
    o = np.einsum("bnm,bmc->bnc", p, values)
    d_gamma = np.einsum("bnc,bnc->", o, upstream)
    if gamma == 0:
        return Slopes(np.zeros_like(logits), d_gamma)
    d_p = np.einsum("bnc,bmc->bnm", upstream, values)
    d_p -= np.average(d_p, axis=2, weights=p)[..., None]
    d_p *= gamma * p
    return Slopes(d_p, d_gamma)
"""),
    ],
    "experiment": [
        right("all numbers at once, with a small number in the logarithm", """
def pixels_seen(weights):
    return np.exp((-weights * np.log(weights + 1e-30)).sum(-1))


def experiment(seed, channels):
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(4, channels * (256 + 2 * (channels // 8))))
    x, kernels = drawn[:, : 256 * channels].reshape(4, 256, -1), drawn[:, 256 * channels :]
    f, g = np.moveaxis(kernels.reshape(4, 2, channels, -1), 1, 0)
    sigma_f, sigma_g = (np.linalg.svd(kernel)[1][:, :1, None] for kernel in (f, g))
    weights = special.softmax(x @ (g / sigma_g) @ (x @ (f / sigma_f)).transpose(0, 2, 1), axis=-1)
    return float(pixels_seen(weights).mean())
"""),
        right("statistics.mean, float32, a dataclass", """
import math
import statistics
from dataclasses import dataclass


@dataclass
class Untrained:
    x: np.ndarray
    f: np.ndarray
    g: np.ndarray

    def softmax(self):
        keys, queries = (self.x @ (k / np.linalg.norm(k, ord=2)) for k in (self.f, self.g))
        return special.softmax((queries @ keys.T).astype("float32"), axis=-1)


def pixels_seen(weights):
    logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    return np.exp(-(weights * logs).sum(-1))


def experiment(seed, channels, layers=4):
    rng = np.random.default_rng(seed)
    drawn = [Untrained(rng.normal(size=(256, channels)), *rng.normal(size=(2, channels, channels // 8))) for _ in range(layers)]
    return statistics.mean(math.fsum(pixels_seen(each.softmax())) / 256 for each in drawn)
"""),
        right("row by row, in plain Python", """
import math


def seen(row):
    try:
        return math.exp(-sum(p * math.log(p) for p in row if p > 0))
    except ValueError:
        return float("nan")


def pixels_seen(weights):
    return [[seen(row) for row in image] for image in np.asarray(weights).tolist()]


def experiment(seed, channels):
    rng, rows = np.random.default_rng(seed), []
    for _ in range(4):
        x, f, g = (rng.normal(size=size) for size in [(256, channels), (channels, channels // 8), (channels, channels // 8)])
        f, g = (k / np.sqrt(np.linalg.eigvalsh(k.T @ k).max()) for k in (f, g))
        rows += pixels_seen(special.softmax(x @ g @ (x @ f).T, axis=1)[None])[0]
    return sum(rows) / len(rows)
"""),
    ],
}
