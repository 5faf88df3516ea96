"""The oracles of the chapters on a GPU with tensor cores, emulated: it rounds unless told not to.

A recent GPU takes the factors of float32 products with 10 bits of mantissa (TF32) while
TensorFlow's switch for it is on, which is its default. Here the operations do the same on a CPU.
"""

import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.ops import gen_math_ops, gen_nn_ops

from sagan_lib import devices
from sagan_lib.book import scales

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book"))

import notebooks

PRODUCTS = {
    gen_math_ops: ("mat_mul", "batch_mat_mul", "batch_mat_mul_v2", "batch_mat_mul_v3"),
    gen_nn_ops: ("conv2d", "conv2d_backprop_input", "conv2d_backprop_filter"),
}

#: Chapter -> the first lines of the cells from which its oracle follows, in order.
CELLS = {
    "02": ["import numpy as np\n\ndef power", "from sagan_lib import spectral_norm as sn"],
    "03": ["batch, height, width, channels", "scores = tf.matmul", "np.testing.assert_allclose"],
    "06": [
        "import keras\nimport numpy as np\nimport tensorflow as tf\n\nfrom sagan_lib import pen"
    ],
    "90": ["import numpy as np\nimport tensorflow as tf", "pairs = zip(value_and_gradients"],
}


def tf32(x):
    """float32 numbers with 10 bits after the first, to the nearest, ties to even."""
    bits = tf.bitcast(x, tf.uint32)
    even = tf.bitwise.bitwise_and(tf.bitwise.right_shift(bits, tf.constant(13, tf.uint32)), 1)
    return tf.bitcast(tf.bitwise.bitwise_and(bits + 0x0FFF + even, 0xFFFFE000), tf.float32)


def factor(x):
    """An argument of a product as tensor cores take it."""
    return tf32(x) if tf.is_tensor(x) and x.dtype == tf.float32 else x


@pytest.fixture
def tensor_cores(monkeypatch):
    """Products of rounded factors while the switch is on; how many there were."""
    rounded = []

    def like_a_gpu(product):
        def call(*args, **options):
            if not tf.config.experimental.tensor_float_32_execution_enabled():
                return product(*args, **options)
            rounded.append(product.__name__)
            return product(*map(factor, args), **{k: factor(x) for k, x in options.items()})

        return call

    for module, names in PRODUCTS.items():
        for name in names:
            monkeypatch.setattr(module, name, like_a_gpu(getattr(module, name)))
    yield rounded
    devices.setup()


def run_oracles(number):
    """Execute the cells of a chapter that hold its oracles, as they stand; what they print."""
    (path,) = notebooks.sources([number])
    names = {"np": np, "tf": tf, "keras": keras}
    exec("from sagan_lib.attention import SelfAttention", names)
    printed = []
    names["print"] = lambda *texts: printed.append(" ".join(map(str, texts)))
    for start in CELLS[number]:
        (cell,) = (text for text in scales.code(notebooks.read(path)) if text.startswith(start))
        exec(cell, names)
    return "\n".join(printed)


def hold(number):
    """Do the oracles hold? They assert, or print whether they do."""
    try:
        return "False" not in run_oracles(number)
    except AssertionError:
        return False


def test_the_emulated_rounding_is_tf32s(tensor_cores):
    x = tf.constant([1 + 2**-10, 1 + 2**-12, -(1 + 2**-11 + 2**-12), 3.0])
    np.testing.assert_array_equal(tf32(x), [1 + 2**-10, 1, -(1 + 2**-10), 3])
    tf.config.experimental.enable_tensor_float_32_execution(True)
    product = tf.matmul(tf.fill((1, 1), np.float32(1 + 2**-12)), tf.ones((1, 1)))
    assert float(product[0, 0]) == 1
    assert tensor_cores == ["mat_mul"]


@pytest.mark.parametrize("number", CELLS)
def test_the_oracles_hold_where_a_gpu_would_round(number, tensor_cores):
    tf.config.experimental.enable_tensor_float_32_execution(True)  # TensorFlow's own choice
    devices.setup()  # what every chapter does first
    assert hold(number)
    assert tensor_cores == []


def test_without_setup_they_would_not(tensor_cores):
    """Chapter 3's loop works outside of TensorFlow; page 90's two ways would round alike."""
    tf.config.experimental.enable_tensor_float_32_execution(True)
    assert not hold("03")
    assert hold("90")
    assert len(tensor_cores) > 10


def test_every_oracle_on_a_product_is_among_them():
    """A chapter that holds TensorFlow's numbers against others belongs above, or says why not."""
    without = {"01": "a product of two numbers each, and losses without products"}
    asked = {
        path.name[:2]
        for path in notebooks.sources()
        if re.search(r"assert_allclose|isclose|equal within", "".join(
            scales.code(notebooks.read(path))))
    }  # fmt: skip
    assert asked == set(CELLS) | set(without)
