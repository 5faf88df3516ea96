"""Distances between clouds of features, and between frequencies: plain numbers in and out.

numpy and scipy only: nothing here knows what an image or a network is.
"""

import numpy as np
from scipy.spatial.distance import cdist

from sagan_lib import checks


def frechet(a, b):
    """Fréchet distance of two normal distributions fitted to features: Heusel et al. (2017), eq. 6.

    ``|mean_a - mean_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2))``, S the covariances.

    Args:
        a: features (n, d), n at least 2.
        b: features (m, d), m at least 2.

    Returns:
        A float, at least 0 up to rounding. It is biased: it shrinks as n and m grow.
    """
    a, b = features("a", a), features("b", b)
    _same_size(a, b)
    return frechet_of_moments(moments(a), moments(b))


def kernel_distance(a, b):
    """Kernel distance (KID) of two sets of features, unbiased: Binkowski et al. (2018), section 4.

    The squared maximum mean discrepancy under the kernel (x.y / d + 1)^3. Being unbiased, it can
    be negative where both sets come from one distribution.

    Args:
        a: features (n, d), n at least 2.
        b: features (m, d), m at least 2.
    """
    a, b = features("a", a), features("b", b)
    _same_size(a, b)
    return weighted_mmd(*kernels(a, b), np.ones(len(a)), np.ones(len(b)))


def precision_recall(real, fake, k=3):
    """Share of fakes that look real, and of reals that the fakes reach: Kynkaanniemi et al. (2019).

    A point is inside a set if it is nearer to one of its points than that point's k-th neighbour.

    Args:
        real: features (n, d), more than k.
        fake: features (m, d), more than k.
        k: which neighbour.

    Returns:
        (inside_real, inside_fake): a boolean for each fake and for each real. Their means are
        precision and recall.
    """
    real, fake = features("real", real), features("fake", fake)
    _same_size(real, fake)
    checks.integer("k", k, 1, min(len(real), len(fake)) - 1)

    return inside(real, fake, radii(real, k), k)


def radii(points, k):
    """Distance of each point to its k-th neighbour.

    Args:
        points: (n, d).
        k: which neighbour, 1 to n - 1.
    """
    checks.integer("k", k, 1, len(features("points", points)) - 1)
    # Column 0 would be the point itself.
    return np.partition(cdist(points, points), k, axis=1)[:, k]


def inside(real, fake, real_radii, k):
    """As `precision_recall`, for sets that are checked, and radii that are known.

    Args:
        real: (n, d).
        fake: (m, d).
        real_radii: `radii` of the real points, (n,).
        k: which neighbour.
    """
    distances = cdist(fake, real)
    return (
        (distances <= real_radii[None, :]).any(1),
        (distances <= radii(fake, k)[:, None]).any(0),
    )


def nearest(points, others):
    """Distance of each point to the nearest of others, (n,).

    Args:
        points: features (n, d).
        others: features (m, d).
    """
    points, others = features("points", points), features("others", others)
    _same_size(points, others)
    blocks = (points[i : i + 256] for i in range(0, len(points), 256))
    return np.concatenate([cdist(block, others).min(1) for block in blocks])


def total_variation(values, count):
    """Distance of a factor's frequencies from uniform: half the sum of differences, 0 to 1.

    Args:
        values: integers (n,), each from 0 to below `count`.
        count: how many values there are.
    """
    values = np.asarray(values)
    checks.integer("count", count, 1)
    whole = values.dtype.kind in "iu" and values.ndim == 1 and len(values)
    if not whole or values.min() < 0 or values.max() >= count:
        raise ValueError(f"values must be a vector of integers 0..{count - 1}, got {values!r}")
    return 0.5 * float(np.abs(np.bincount(values, minlength=count) / len(values) - 1 / count).sum())


def features(name, x):
    """Features (n, d) as float64; ValueError, with their name, if they are none.

    Args:
        name: of the argument, for the message.
        x: the features.
    """
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, of shape (n, d), n at least 2, got {x.shape}")
    return x


def _same_size(a, b):
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"both sets need the same features, got {a.shape[1]} and {b.shape[1]}")


def moments(x):
    """Mean (d,) and covariance (d, d) of features x (n, d)."""
    return x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))


def root_of(matrix):
    """The symmetric root of a covariance matrix (d, d)."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def frechet_of_moments(a, b, root=None):
    """`frechet` of two normal distributions.

    Args:
        a: mean and covariance.
        b: mean and covariance.
        root: of a's covariance, if it is known.
    """
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    root = root_of(cov_a) if root is None else root
    cross = np.linalg.eigvalsh(root @ cov_b @ root)  # symmetric, same eigenvalues as S_a S_b
    spread = np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(np.clip(cross, 0, None)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + spread)


def kernels(a, b):
    """The kernel's values within a, within b and between both: (n, n), (m, m), (n, m).

    Args:
        a: features (n, d).
        b: features (m, d).
    """

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    return kernel(a, a), kernel(b, b), kernel(a, b)


def weighted_mmd(k_aa, k_bb, k_ab, w_a, w_b):
    """The unbiased estimate with multiplicities: a point is never paired with itself.

    Args:
        k_aa: kernel within the first set, (n, n).
        k_bb: within the second, (m, m).
        k_ab: between both, (n, m).
        w_a: how often each point of the first set counts, (n,).
        w_b: of the second, (m,).
    """

    def within(k, w):
        return (w @ k @ w - (w**2 * k.diagonal()).sum()) / (w.sum() ** 2 - (w**2).sum())

    return float(within(k_aa, w_a) + within(k_bb, w_b) - 2 * (w_a @ k_ab @ w_b)
                 / (w_a.sum() * w_b.sum()))  # fmt: skip


def association(a, b):
    """How far one label tells another: Cramér's V, 0 if they are independent, 1 if it tells all.

    Of few images it is above 0 by chance; what independent labels of as many show is its floor.

    Args:
        a: integers at least 0, (n,).
        b: likewise.

    Returns:
        A float; 0 where one of them has a single value.
    """
    a, b = (np.unique(_whole(name, x), return_inverse=True)[1] for name, x in (("a", a), ("b", b)))
    if a.shape != b.shape:
        raise ValueError(f"a and b must be as many, got {len(a)} and {len(b)}")
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    expected = np.outer(table.sum(1), table.sum(0)) / len(a)
    least = min(table.shape) - 1
    squared = ((table - expected) ** 2 / expected).sum() / len(a)
    return float(np.sqrt(squared / least)) if least else 0.0


def _whole(name, values):
    values = np.asarray(values)
    if values.dtype.kind not in "iu" or values.ndim != 1 or not len(values) or values.min() < 0:
        raise ValueError(f"{name} must be a vector of integers at least 0, got {values!r}")
    return values


def agreement(left, right):
    """How far two labels agree beyond chance: Cohen's kappa, 1 always, 0 as if drawn apart.

    Args:
        left: integers at least 0, (n,).
        right: likewise.

    Returns:
        A float; 0 where a single value is seen.
    """
    left, right = np.asarray(left), np.asarray(right)
    whole = all(side.dtype.kind in "iu" and side.min(initial=0) >= 0 for side in (left, right))
    if left.ndim != 1 or left.shape != right.shape or not len(left) or not whole:
        raise ValueError(
            "left and right must be two vectors alike of integers at least 0, got "
            f"{left.dtype} {left.shape} and {right.dtype} {right.shape}"
        )
    values = 1 + max(left.max(), right.max())
    shares = [np.bincount(side, minlength=values) / len(left) for side in (left, right)]
    by_chance = float(1 - shares[0] @ shares[1])
    return 1 - float(np.mean(left != right)) / by_chance if by_chance > 0 else 0.0
