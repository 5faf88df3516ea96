"""Distances and frequencies against closed forms and plain loops."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import contingency

from sagan_lib.evaluation import metrics


def cloud(mean, covariance, n=50, seed=0):
    """A sample whose mean and covariance are exactly these."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False)).T)
    return x @ np.linalg.cholesky(np.asarray(covariance)).T + mean


def test_frechet_of_covariances_that_do_not_commute_is_scipys():
    s, t = np.array([[2.0, 1.5], [1.5, 3.0]]), np.array([[4.0, -1.0], [-1.0, 1.0]])
    expected = np.trace(s + t - 2 * np.real(sqrtm(s @ t)))
    found = metrics.frechet(cloud([1, 1], s), cloud([1, 1], t, seed=2))
    assert found == pytest.approx(expected)


def test_frechet_is_zero_for_the_same_points_and_the_shift_squared_for_moved_ones():
    x = cloud([0, 0, 0], np.eye(3))
    assert metrics.frechet(x, x[::-1]) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet(x, x + np.array([1, 2, 2])) == pytest.approx(9)


def test_kernel_distance_is_the_plain_double_loop():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(0.5, 1, size=(5, 3))

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    within = [np.mean([k(x, y) for x in s for y in s if x is not y]) for s in (list(a), list(b))]
    between = np.mean([k(x, y) for x in a for y in b])
    assert metrics.kernel_distance(a, b) == pytest.approx(sum(within) - 2 * between)


def test_precision_and_recall_on_points_by_hand():
    real = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1], [10, 10], [11, 10], [10, 11], [11, 11]])
    fake = np.vstack([real[:4] + 0.1, [[50.0, 50], [50.5, 50]]])
    precise, recalled = metrics.precision_recall(real, fake, k=1)
    assert precise.tolist() == [True] * 4 + [False] * 2
    assert recalled.tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize(
    ("values", "expected"), [([0, 1, 2, 3, 4], 0), ([2, 2, 2], 0.8), ([0, 0, 1, 1], 0.6)]
)
def test_total_variation_from_uniform_over_five(values, expected):
    assert metrics.total_variation(values, 5) == pytest.approx(expected)


def test_agreement_is_cohens_kappa():
    """By hand: 3 of 4 agree; by chance 1/2 * 3/4 + 1/2 * 1/4 = 1/2 would."""
    assert metrics.agreement([0, 0, 1, 1], [0, 0, 0, 1]) == pytest.approx((3 / 4 - 1 / 2) / (1 / 2))
    with pytest.raises(ValueError, match="two vectors alike"):
        metrics.agreement([0], [0, 1])


def test_multiplicities_count_copies_but_never_pair_a_point_with_itself():
    rng = np.random.default_rng(2)
    a, b, w = rng.normal(size=(4, 2)), rng.normal(size=(6, 2)), [0, 1, 3, 2]
    copies = np.repeat(np.arange(4), w)
    k_aa, k_bb, k_ab = metrics.kernels(a, b)
    within = np.mean([k_aa[i, j] for i in copies for j in copies if i != j])
    others = np.mean([k_bb[i, j] for i in range(6) for j in range(6) if i != j])
    found = metrics.weighted_mmd(k_aa, k_bb, k_ab, np.array(w, float), np.ones(6))
    assert found == pytest.approx(within + others - 2 * k_ab[copies].mean())


def test_the_nearest_is_that_of_the_plain_double_loop():
    rng = np.random.default_rng(3)
    points, others = rng.normal(size=(300, 3)), rng.normal(size=(20, 3))
    wanted = [min(np.linalg.norm(p - o) for o in others) for p in points]
    np.testing.assert_allclose(metrics.nearest(points, others), wanted)
    assert not metrics.nearest(others, others).any()


def test_association_is_scipys_and_0_and_1_at_its_ends():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 3, 500), rng.integers(0, 4, 500)
    b[:200] = a[:200]
    expected = contingency.association(contingency.crosstab(a, b).count, method="cramer")
    assert metrics.association(a, b) == pytest.approx(expected)
    assert metrics.association(a, (a + 1) % 3) == pytest.approx(1)
    assert metrics.association(a, np.zeros(500, int)) == 0
    pairs = np.array([[i, j] for i in range(3) for j in range(4)])
    assert metrics.association(*pairs.T) == pytest.approx(0)
    for wrong in ([-1, 0], [0.5, 1.0], [], [[1, 2]]):
        with pytest.raises(ValueError, match="a must be a vector of integers at least 0, got"):
            metrics.association(wrong, [0, 1])
    with pytest.raises(ValueError, match="as many, got 2 and 3"):
        metrics.association([0, 1], [0, 1, 1])
