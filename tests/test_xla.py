"""What a GPU runs, here compiled for the CPU: the whole step under XLA, at the large size."""

import functools
import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import gan, networks, sampling

pytestmark = pytest.mark.full

KINDS = {"dcgan": None, "sagan": 16}  # and where each attends
LATENT = 64


@pytest.fixture(autouse=True)
def float32_after():
    yield
    keras.config.set_dtype_policy("float32")


def build(kind, mixed, optimizer=None):
    """A pair as at the large scale, with plain gradient descent unless told otherwise."""
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")
    keras.utils.set_random_seed(7)
    pair = networks.build(kind, 64, 16, LATENT, attention_at=KINDS[kind])
    model = gan.GAN(*pair)
    # Small steps: D's must not change what G's gradient is taken of, where rounding would grow.
    plain = {f"{x}_optimizer": keras.optimizers.SGD(0.01) for x in "gd"}
    model.compile(**optimizer or plain, loss="bce" if kind == "dcgan" else "hinge")
    return model


@functools.cache
def stepped(kind, mixed, jit):
    """All weights after one step of D and one of G, less those before: D's vector and G's."""
    model = build(kind, mixed)
    real = tf.random.stateless_uniform((4, 64, 64, 3), (1, 2), -1, 1)
    z = sampling.latent(4, LATENT)
    nets = model.discriminator.variables, model.generator.variables
    before = [[v.numpy() for v in net] for net in nets]
    for step, given in ((model.d_step, (real, z)), (model.g_step, (z,))):
        (tf.function(step, jit_compile=True) if jit else step)(*given)
    return [
        np.concatenate([np.ravel(v.numpy() - w) for v, w in zip(net, old, strict=True)])
        for net, old in zip(nets, before, strict=True)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_compiled_step_is_the_plain_one(kind):
    both = (stepped(kind, False, jit) for jit in (False, True))
    # Seen: 1e-7 to 8e-5 in D, 2e-2 in G, whose gradient passes D's batch normalization of 4 images;
    # most where oneDNN convolves without AVX-512 and with less than float32's precision.
    for plain, compiled, bound in zip(*both, (2e-3, 0.05), strict=True):
        assert np.linalg.norm(plain) > 0
        assert np.linalg.norm(compiled - plain) < bound * np.linalg.norm(plain)


def test_in_bfloat16_it_is_as_near_to_float32_as_the_plain_one():
    """Two ways to round eight bits differ; neither may be farther off than the other allows."""
    exact = np.concatenate(stepped("sagan", False, False))

    def off(mixed, jit):
        moved = np.concatenate(stepped("sagan", mixed, jit))
        return np.linalg.norm(moved - exact) / np.linalg.norm(exact)

    assert 3 * off(False, True) < off(True, False) < 0.3  # bfloat16 was used
    assert off(True, True) < 2 * off(True, False)


#: Prints XLA's own account of a step's memory and the plan's, both in bytes.
ACCOUNT = """
import pathlib, re, sys
sys.path.insert(0, {here!r})
import tensorflow as tf
import test_xla
from sagan_lib import cost, ttur
model = test_xla.build("sagan", False, ttur.two_time_scale())
tf.function(model.train_step, jit_compile=True)(tf.zeros((64, 64, 64, 3)))
accounts = pathlib.Path({folder!r}).glob("*train_step*buffer-assignment.txt")
used = [int(re.search(r"Total bytes used: (\\d+)", path.read_text())[1]) for path in accounts]
print("bytes", max(used), cost.memory_bytes(model.generator, model.discriminator, 64))
"""


def test_the_plan_is_near_xlas_own_account_of_the_memory(tmp_path):
    code = ACCOUNT.format(here=os.path.dirname(__file__), folder=str(tmp_path))
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    flags += " --xla_dump_hlo_module_re=.*train_step.*"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          env=os.environ | {"XLA_FLAGS": flags})  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    by_xla, planned = map(int, re.search(r"bytes (\d+) (\d+)", done.stdout).groups())
    assert by_xla < planned < 3 * by_xla  # a plan that is too small would let a run die
