"""The oracles of the chapters on a GPU with tensor cores, emulated: it rounds unless told not to.

A recent GPU takes the factors of float32 products with 10 bits of mantissa (TF32) while
TensorFlow's switch for it is on, which is its default. Here the operations do the same on a CPU.
"""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import slices
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

#: How a cell holds TensorFlow's numbers against others.
ORACLE = re.compile(r"assert_allclose|isclose|equal within")


def oracles(path):
    """The cells of a chapter that hold its oracles, and those that they need; none without any."""
    sources = scales.code(notebooks.read(path))
    wanted = [place for place, source in enumerate(sources) if ORACLE.search(source)]
    return slices.with_needs(sources, wanted) if wanted else []


CELLS = {path.stem: found for path in notebooks.sources() if (found := oracles(path))}


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


def run_oracles(name):
    """Execute the cells of a chapter that hold its oracles, as they stand; what they print."""
    printed = []
    names = {"print": lambda *texts: printed.append(" ".join(map(str, texts)))}
    for cell in CELLS[name]:
        exec(cell, names)
    return "\n".join(printed)


def hold(name):
    """Do the oracles hold? They assert, or print whether they do."""
    try:
        return "False" not in run_oracles(name)
    except AssertionError:
        return False


def test_the_emulated_rounding_is_tf32s(tensor_cores):
    x = tf.constant([1 + 2**-10, 1 + 2**-12, -(1 + 2**-11 + 2**-12), 3.0])
    np.testing.assert_array_equal(tf32(x), [1 + 2**-10, 1, -(1 + 2**-10), 3])
    tf.config.experimental.enable_tensor_float_32_execution(True)
    product = tf.matmul(tf.fill((1, 1), np.float32(1 + 2**-12)), tf.ones((1, 1)))
    assert float(product[0, 0]) == 1
    assert tensor_cores == ["mat_mul"]


@pytest.mark.parametrize("name", CELLS)
def test_the_oracles_hold_where_a_gpu_would_round(name, tensor_cores):
    tf.config.experimental.enable_tensor_float_32_execution(True)  # TensorFlow's own choice
    devices.setup()  # what every chapter does first
    assert hold(name)
    assert tensor_cores == []


def test_without_setup_they_would_not(tensor_cores):
    """Chapter 3's loop works outside of TensorFlow; page 90's two ways would round alike."""
    tf.config.experimental.enable_tensor_float_32_execution(True)
    assert not hold("03_attention")
    assert hold("90_speed")
    assert len(tensor_cores) > 10
