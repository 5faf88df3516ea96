"""Sight: zero for a sum of parts, known for a product, and the book's own discriminators."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments import patches
from sagan_lib import sagan
from sagan_lib.attention import attention_layers
from sagan_lib.datasets import discs
from sagan_lib.evaluation.sight import related


def halves(x):
    x = tf.convert_to_tensor(x)
    return tf.reduce_mean(x[:, :, :16], (1, 2, 3)), tf.reduce_mean(x[:, :, 16:], (1, 2, 3))


def test_a_sum_of_what_two_parts_see_relates_nothing_and_a_product_does():
    quartet = discs.recoloured(50, 32, 22)
    far = lambda x, training: halves(x)[0] + 3 * halves(x)[1] ** 2  # noqa: E731
    assert related(far, quartet) < 1e-4
    together = lambda x, training: halves(x)[0] * halves(x)[1]  # noqa: E731
    left, right = (np.array([halves(batch)[k] for batch in quartet]) for k in (0, 1))
    moved_l, moved_r = left[1] - left[0], right[2] - right[0]
    alone = (np.abs(moved_l * right[0]).mean() + np.abs(left[0] * moved_r).mean()) / 2
    expected = np.abs(moved_l * moved_r).mean() / alone
    assert related(together, quartet) == pytest.approx(expected, rel=1e-3)


def test_the_usual_d_cannot_relate_what_is_further_apart_than_its_convolutions_reach():
    """Three strided convolutions see 22 pixels; flatten and dense add up what each place found.

    Discs 22 pixels apart are 16 or less at their edges: where they moved, a place sees a sliver.
    """
    keras.utils.set_random_seed(1)
    plain = sagan.discriminator(32, width=4)
    assert related(plain, discs.recoloured(10, 32, 10)) > 0.05
    assert related(plain, discs.recoloured(10, 32, 22)) < 0.01
    keras.utils.set_random_seed(1)
    seeing = sagan.discriminator(32, width=4, attention_at=8)
    far = discs.recoloured(10, 32, 22)
    shut = related(seeing, far)  # gamma is 0
    assert shut < 0.01
    attention_layers(seeing)[0].gamma.assign(1.0)
    assert related(seeing, far) > 3 * shut
    assert related(patches.discriminator(32, 4, 4), far) > 0.05  # its last maps see 46 pixels


def test_what_is_no_quartet_is_refused():
    quartet = discs.recoloured(2, 32, 22)
    score = lambda x, training: halves(x)[0]  # noqa: E731
    with pytest.raises(ValueError, match="pictures must be four batches of one shape, got 3"):
        related(score, quartet[:3])
    with pytest.raises(ValueError, match="pictures must differ in what"):
        related(score, [quartet[0]] * 4)
