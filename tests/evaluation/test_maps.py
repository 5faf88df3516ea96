"""Maps: the one that a model used, changed on the way, and read at places of the picture."""

import numpy as np
import pytest
import tensorflow as tf

from sagan_lib import attention, sagan
from sagan_lib.evaluation import maps


def test_attention_map_is_the_one_the_model_used():
    model = sagan.generator(16, 8, 8, attention_at=8)
    attention.attention_layers(model)[0].gamma.assign(1.0)
    z = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    images, weights = maps.attention_map(model, z)
    np.testing.assert_allclose(images, model(z), rtol=1e-5, atol=1e-6)
    assert weights.shape == (3, 64, 64)
    for read in (maps.attention_map, lambda *given: maps.with_map(*given, id)):
        with pytest.raises(ValueError, match="must have one SelfAttention"):
            read(sagan.generator(16, 8, 8, attention_at=None), z)


def test_a_cut_map_hands_out_what_it_takes():
    """Rows around the query lose the target, keep their sum; no other row and no input changes."""
    weights = np.random.default_rng(0).dirichlet(np.ones(16), (2, 64)).astype(np.float32)
    before = weights.copy()
    changed = maps.cut(weights, (0.3, 0.7), (0.8, 0.3), width=0.25)  # 3x3 rows, 1 place
    rows = [8 * r + c for r in (1, 2, 3) for c in (4, 5, 6)]
    others = np.setdiff1d(np.arange(64), rows)
    np.testing.assert_array_equal(weights, before)
    np.testing.assert_array_equal(changed[:, others], weights[:, others])
    assert (changed[:, rows, 4 * 3 + 1] == 0).all()
    kept = np.delete(changed[:, rows] - weights[:, rows], 4 * 3 + 1, axis=-1)
    share = weights[:, rows, 4 * 3 + 1] / 15
    np.testing.assert_allclose(kept, np.repeat(share[..., None], 15, -1), rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(changed.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize("variant", attention.VARIANTS)
def test_a_changed_map_is_what_the_rest_of_the_network_gets(variant):
    generator = sagan.generator(16, 8, 8, attention_at=8, variant=variant)
    layer = attention.attention_layers(generator)[0]
    # Large noise: the map of an untrained layer is nearly even otherwise.
    z = 200 * np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    layer.gamma.assign(0.7)
    plain, weights = maps.attention_map(generator, z)
    np.testing.assert_allclose(
        maps.with_map(generator, z, lambda w: w), plain, rtol=1e-4, atol=1e-5
    )
    seen = []
    even = maps.with_map(generator, z, lambda w: seen.append(w) or np.full_like(w, 1 / w.shape[2]))
    np.testing.assert_allclose(seen[0], weights, rtol=1e-4, atol=1e-6)
    assert np.abs(even - plain).max() > 1e-4
    layer.f.kernel.assign(0 * layer.f.kernel)  # keys that say nothing: attention spread evenly
    layer.f.bias.assign(0 * layer.f.bias)
    np.testing.assert_allclose(even, generator(z), rtol=1e-3, atol=1e-4)


def test_looks_at_measures_the_square_around_the_target():
    """All attention on one place of a 4x4 map: inside the square it counts whole, else not."""
    weights = np.zeros((2, 64, 16), np.float32)  # 8x8 positions ask, 4x4 can be looked at
    weights[0, 8 * 2 + 5, 4 * 3 + 1] = 1  # the query at (2, 5) looks at (3, 1)
    weights[1, 8 * 2 + 5] = 1 / 16
    share, even = maps.looks_at(weights, (0.3, 0.7), (0.8, 0.3), width=0.25)
    assert even == 1 / 16
    np.testing.assert_allclose(share, [1, 1 / 16])
    share, even = maps.looks_at(tf.constant(weights), (0.3, 0.7), (0.6, 0.6), width=0.5)
    assert even == 9 / 16
    np.testing.assert_allclose(share, [1, 9 / 16])
    share, even = maps.looks_at(weights, (0.3, 0.7), (0.0, 0.99), width=0.5)
    assert even == 4 / 16  # cut off at the corner
    np.testing.assert_allclose(share, [0, 4 / 16])
