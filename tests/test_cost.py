"""Counted operations and memory, and the plan that is printed."""

import keras
import numpy as np
import pytest

from sagan_lib import attend, cost, dcgan, sagan
from sagan_lib.attention import SelfAttention
from sagan_lib.spectral_norm import SNConv2D, SNConv2DTranspose, SNDense


def one_layer(layer, shape):
    x = keras.Input(shape)
    return keras.Model(x, layer(x))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (SNDense(7), (5,), 2 * 5 * 7),
        (keras.layers.Dense(7), (5,), 2 * 5 * 7),
        (SNConv2D(6, 3), (8, 8, 4), 2 * 3 * 3 * 4 * 6 * 8 * 8),
        (SNConv2D(6, 4, strides=2), (8, 8, 4), 2 * 4 * 4 * 4 * 6 * 4 * 4),
        # Each input pixel is spread over the kernel once: its positions are the input's.
        (SNConv2DTranspose(6, 4, strides=2), (8, 8, 4), 2 * 4 * 4 * 4 * 6 * 8 * 8),
        (keras.layers.ReLU(), (8, 8, 4), 0),
        # Of what this is made: test_attention.
        (SelfAttention("pooled"), (8, 8, 16), 2 * 64 * (16 * (2 + 2 + 8 + 8) + 16 * (2 + 8))),
    ],
)
def test_operations_of_one_layer_by_hand(layer, shape, expected):
    assert cost.forward_flops(one_layer(layer, shape)) == expected


def test_spectral_normalization_adds_no_operation_for_each_image():
    plain, normalized = (sagan.discriminator(32, 8, use_sn=use) for use in (False, True))
    assert cost.forward_flops(plain) == cost.forward_flops(normalized) > 0


def test_bytes_of_all_outputs_by_hand():
    x = keras.Input((8, 8, 16))
    model = keras.Model(x, keras.layers.Flatten()(SelfAttention()(SNConv2D(16, 3)(x))))
    outputs = 4 * 8 * 8 * 16  # input, convolution, attention, flattened
    assert cost.activation_bytes(model) == 4 * (outputs + 2 * 64 * 64)
    assert cost.activation_bytes(model, 5) == 5 * cost.activation_bytes(model)


def test_a_map_that_goes_by_blocks_takes_no_memory_in_the_plan(monkeypatch):
    x = keras.Input((8, 8, 16))
    model = keras.Model(x, SelfAttention()(x))
    for device in ("CPU", "GPU"):
        monkeypatch.setitem(attend.DENSE_BYTES, device, 4 * 3 * 64 * 64)
    outputs = 2 * 8 * 8 * 16
    assert cost.activation_bytes(model, 3) == 3 * 4 * (outputs + 2 * 64 * 64)
    assert cost.activation_bytes(model, 4) == 4 * 4 * outputs
    forced = keras.Model(x, SelfAttention(method="dense")(x))
    assert cost.activation_bytes(forced, 4) == 4 * 4 * (outputs + 2 * 64 * 64)


def test_bfloat16_halves_all_but_attentions_map():
    x = keras.Input((8, 8, 16), dtype="bfloat16")
    model = keras.Model(x, SelfAttention(dtype="mixed_bfloat16")(x))
    assert cost.activation_bytes(model) == 2 * (2 * 8 * 8 * 16) + 4 * (2 * 64 * 64)


def test_the_plan_adds_up():
    g, d = dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)
    one = cost.plan(g, d, batch_size=8, steps=10)
    weights = sum(np.prod(w.shape) for model in (g, d) for w in model.weights)
    assert one.parameters == weights
    work_g, work_d = cost.forward_flops(g), cost.forward_flops(d)
    # D: G forward, D forward and twice backward on 2 batches. G: G likewise, D forward and back.
    assert one.step_flops == 8 * ((work_g + 2 * 3 * work_d) + (3 * work_g + 2 * work_d))
    five = cost.plan(g, d, batch_size=8, steps=10, n_dis=5)
    assert five.step_flops - one.step_flops == 4 * 8 * (work_g + 6 * work_d)


def test_the_planned_time_follows_steps_and_the_machines_speed(monkeypatch):
    g, d = dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4)
    monkeypatch.setattr(cost, "matmul_rate", lambda: 1e9)
    short, long = (cost.plan(g, d, 8, steps) for steps in (10, 1000))
    assert short.seconds == pytest.approx(10 * short.step_flops / (cost.EFFICIENCY * 1e9))
    assert long.seconds == pytest.approx(100 * short.seconds)
    assert cost.plan(g, d, 64, 10).memory_bytes > 4 * short.memory_bytes


def test_memory_holds_at_least_the_weights_and_adams_two_moments():
    g, d = sagan.generator(16, 8, 8), sagan.discriminator(16, 8)
    assert cost.plan(g, d, 1, 1).memory_bytes > 3 * 4 * (g.count_params() + d.count_params())


@pytest.mark.parametrize(("seconds", "words"), [(7.4, "7 s"), (99, "99 s"), (600, "10 min")])
def test_the_plan_reads_as_a_sentence(seconds, words):
    plan = cost.Plan(1_234_567, 2_500_000_000, 3 * 2**30, seconds)
    expected = f"1.23 M parameters, 2.5 GFLOP a step, about 3.0 GiB and {words} on this machine"
    assert str(plan) == expected
    small = cost.Plan(1, 1, 30 * 2**20, 1)
    assert "about 30 MiB" in str(small)


def test_the_measured_rate_is_one_of_a_machine_of_this_century():
    assert 1e8 < cost.matmul_rate(size=256, seconds=0.05) < 1e16
