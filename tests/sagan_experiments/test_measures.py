"""The direct measurements: each is held against another way to the same number."""

import math

import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments import measures
from sagan_experiments.measures import MEASURES
from sagan_lib.spectral_norm import exact_sigma, kernel_matrix

pytestmark = pytest.mark.full


def test_every_measurement_depends_on_its_seed_or_is_exact():
    exact = {"gamma_start", "double_count", "short_shuffle_spread"}
    slow = {"copy_convolutions", "copy_attention", "svd_cost"}
    for name in set(MEASURES) - exact - slow:
        assert MEASURES[name](0) != MEASURES[name](1), name


@pytest.mark.parametrize(
    "name", ["bn_gradient", "frozen_error", "scrambled_sigma", "operator_norm"]
)
def test_a_seed_gives_the_same_number_twice(name):
    assert MEASURES[name](3) == pytest.approx(MEASURES[name](3), rel=1e-5)


def test_the_operators_norm_is_that_of_its_matrix():
    """A 3x3 convolution with circular padding on 6x6, written out as a matrix."""
    kernel = measures._kernel(0, (3, 3, 32, 32))
    matrix = np.zeros((6, 6, 32, 6, 6, 32))
    for y, x, dy, dx in np.ndindex(6, 6, 3, 3):
        matrix[y, x, :, (y + dy - 1) % 6, (x + dx - 1) % 6, :] += kernel[dy, dx].T
    norms = [np.linalg.norm(m, 2) for m in (matrix.reshape(1152, 1152), kernel.reshape(-1, 32))]
    expected = math.log(norms[0] / norms[1])
    assert measures.operator_norm(0, side=6) == pytest.approx(expected, rel=1e-4)


def test_frobenius_of_a_random_kernel_is_near_its_law():
    """Entries of variance s: l2 is s sqrt(mn), sigma about s (sqrt(m) + sqrt(n))."""
    law = math.log(math.sqrt(576 * 128) / (math.sqrt(576) + math.sqrt(128)))
    assert measures.frobenius(5) == pytest.approx(law, abs=0.03)


def test_a_kept_u_follows_a_kernel_that_stands_still_to_the_exact_sigma():
    """A random kernel has close singular values, so it takes many rounds."""
    assert measures._drifting(0, kept=True, steps=300, rate=0.0) < 0.003
    # One that walks does move: else the claim about a kept u would be one about a fixed matrix.
    still, walking = (measures._drifting(2, kept=True, steps=60, rate=rate) for rate in (0.0, 4e-3))
    assert still != walking


def test_frozen_error_is_that_of_one_round_from_a_random_vector():
    rng, errors = np.random.default_rng(0), []
    for _ in range(60):
        matrix = rng.normal(size=(64, 8)).astype(np.float32)
        u = rng.normal(size=8).astype(np.float32)
        v = matrix @ u
        v /= np.linalg.norm(v)
        exact = float(exact_sigma(kernel_matrix(tf.constant(matrix), "dense")))
        errors.append(1 - np.linalg.norm(matrix.T @ v) / exact)
    measured = np.median([measures.frozen_error(seed) for seed in range(4)])
    assert measured == pytest.approx(np.median(errors), abs=0.12)


def test_copy_grids_hold_one_colour_and_one_mark_at_the_distance():
    made = measures._copy_grids(50, np.random.default_rng(0), 10)
    grid, marks, colours = (each.numpy() for each in made)
    assert (grid.sum((1, 2)).sum(1) == 2).all()
    for one, (row, column), colour in zip(grid, marks, colours, strict=True):
        assert one[row, column, 4] == 1
        assert one[row, column - 10, colour] == 1


def test_four_convolutions_are_at_chance_beyond_their_reach_whatever_the_training():
    assert abs(measures.copy_convolutions(7)) < 0.08


def test_a_short_buffer_on_a_sorted_file_shows_one_colour_of_ten():
    assert measures.short_shuffle_spread(0) == 9
    assert measures.short_shuffle_spread(0, buffer=20_000) <= 0  # a buffer that holds all is full
