"""How good a set of images is: distances between feature clouds, and counts of known factors.

A score without its protocol says little, so `evaluate` returns both: how many images, of which
network's features, from which population, and what real images score against real ones.
"""

import warnings
from dataclasses import dataclass

import keras
import numpy as np
from scipy.spatial.distance import cdist

from sagan_lib import checks, faces, judge, shipped
from sagan_lib.images import ImageFolder, from_bytes

REFERENCE_SEED, FLOOR_SEED = 2001, 2002  # populations that no network here is trained on
ATTRIBUTES = ("hair", "skin", "background", "long_hair")


def frechet(a, b):
    """Fréchet distance of two normal distributions fitted to features: Heusel et al. (2017), eq. 6.

    |mean_a - mean_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2)), S the covariances.

    Args:
        a (n, d), b (m, d): features, n and m at least 2.

    Returns:
        A float, at least 0 up to rounding. It is biased: it shrinks as n and m grow.
    """
    a, b = _features("a", a), _features("b", b)
    _same_size(a, b)
    return _frechet(_moments(a), _moments(b))


def kernel_distance(a, b):
    """Kernel distance (KID) of two sets of features, unbiased: Binkowski et al. (2018), section 4.

    The squared maximum mean discrepancy under the kernel (x.y / d + 1)^3. Being unbiased, it can
    be negative where both sets come from one distribution.
    """
    a, b = _features("a", a), _features("b", b)
    _same_size(a, b)
    return _weighted_mmd(*_kernels(a, b), np.ones(len(a)), np.ones(len(b)))


def precision_recall(real, fake, k=3):
    """Share of fakes that look real, and of reals that the fakes reach: Kynkaanniemi et al. (2019).

    A point is inside a set if it is nearer to one of its points than that point's k-th neighbour.

    Args:
        real (n, d), fake (m, d): features, more than k of each.

    Returns:
        (inside_real, inside_fake): a boolean for each fake and for each real. Their means are
        precision and recall.
    """
    real, fake = _features("real", real), _features("fake", fake)
    _same_size(real, fake)
    checks.integer("k", k, 1, min(len(real), len(fake)) - 1)

    return _inside(real, fake, _radii(real, k), k)


def _radii(points, k):
    """Distance of each point to its k-th neighbour; column 0 is the point itself."""
    return np.partition(cdist(points, points), k, axis=1)[:, k]


def _inside(real, fake, real_radii, k):
    distances = cdist(fake, real)
    return (
        (distances <= real_radii[None, :]).any(1),
        (distances <= _radii(fake, k)[:, None]).any(0),
    )


def total_variation(values, count):
    """Distance of a factor's frequencies from uniform: half the sum of differences, 0 to 1."""
    values = np.asarray(values)
    checks.integer("count", count, 1)
    if values.ndim != 1 or not len(values) or values.min() < 0 or values.max() >= count:
        raise ValueError(f"values must be a vector of integers 0..{count - 1}, got {values!r}")
    return 0.5 * float(np.abs(np.bincount(values, minlength=count) / len(values) - 1 / count).sum())


def _features(name, x):
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite, of shape (n, d), n at least 2, got {x.shape}")
    return x


def _same_size(a, b):
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"both sets need the same features, got {a.shape[1]} and {b.shape[1]}")


def _moments(x):
    return x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))


def _root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def _frechet(a, b, root=None):
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    root = _root(cov_a) if root is None else root
    cross = np.linalg.eigvalsh(root @ cov_b @ root)  # symmetric, same eigenvalues as S_a S_b
    spread = np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(np.clip(cross, 0, None)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + spread)


def _kernels(a, b):
    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    return kernel(a, a), kernel(b, b), kernel(a, b)


def _weighted_mmd(k_aa, k_bb, k_ab, w_a, w_b):
    """The unbiased estimate with multiplicities: a point is never paired with itself."""

    def within(k, w):
        return (w @ k @ w - (w**2 * k.diagonal()).sum()) / (w.sum() ** 2 - (w**2).sum())

    return float(within(k_aa, w_a) + within(k_bb, w_b) - 2 * (w_a @ k_ab @ w_b)
                 / (w_a.sum() * w_b.sum()))  # fmt: skip


@dataclass(frozen=True)
class Extractor:
    """A network's features for scoring: `features(images)` -> (n, d), its name and checksum."""

    name: str
    checksum: str
    features: object


def judge_extractor():
    """The 64 features of the judge, which was trained on faces with independent eyes."""
    model = judge.load()
    inner = keras.Model(model.input, model.get_layer("features").output)

    def features(images):
        return inner.predict(judge.prepare(images), batch_size=256, verbose=0)

    return Extractor("judge32", shipped.checksums()[judge.WEIGHTS], features)


def inception_extractor():
    """Inception's 2,048 features as Keras Applications ships them, for photographs.

    It warns: these are not the weights of the papers, so the numbers cannot stand beside theirs.

    Raises:
        RuntimeError: the weights are not on this machine and cannot be fetched.
    """
    warnings.warn(
        "Keras's Inception is not the network of the papers' FID: compare scores among "
        "themselves only", stacklevel=2,
    )  # fmt: skip
    try:
        model = keras.applications.InceptionV3(weights="imagenet", include_top=False, pooling="avg")
    except Exception as error:
        raise RuntimeError(
            f"Inception's weights cannot be fetched ({error}); use the judge for faces that "
            "are drawn, for photographs put the file that Keras names into ~/.keras/models"
        ) from error

    def features(images):
        size = (299, 299)
        blocks = (images[i : i + 64] for i in range(0, len(images), 64))
        resized = (keras.ops.image.resize(block, size, antialias=True) for block in blocks)
        return np.concatenate([model.predict_on_batch(block) for block in resized])

    return Extractor("keras inception_v3 imagenet", f"keras {keras.__version__}", features)


def real_faces(n, resolution=32, seed=REFERENCE_SEED):
    """n faces of the data set from a population that is kept for scoring."""
    return faces.render(faces.factors(np.arange(n), seed), resolution)


def reference(data, resolution, real, floor):
    """(real, floor): so many real images each, none in both; float in [-1, 1].

    `data` is "faces", or a folder or zip as for `images.ImageFolder`.

    Raises:
        ValueError: the folder has fewer images.
    """
    if data == "faces":
        return real_faces(real, resolution), real_faces(floor, resolution, FLOOR_SEED)
    source = ImageFolder(data, resolution)
    if source.size < real + floor:
        raise ValueError(
            f"{data} has {source.size} images (in its training split, if it lists one), --real "
            f"and --n need {real + floor}"
        )
    chosen = np.random.default_rng(0).permutation(source.size)[: real + floor]
    images = from_bytes(source.images[chosen])
    return images[:real], images[real:]


def population(data):
    """Which images `reference` draws, in words for a protocol."""
    if data == "faces":
        return f"procedural faces of seeds {REFERENCE_SEED} and {FLOOR_SEED}, kept for scoring"
    return f"{data}: split train of list_eval_partition.txt, or all images without that list"


def evaluate(images, real, floor, extractor, source, bootstrap=200, seed=0):
    """All scores of generated images, each with an interval and with what real images score.

    Args:
        images: float (n, h, w, 3) in [-1, 1]. real: the reference. floor: as many further real
            images as there are generated ones, scored in their place.
        extractor: an `Extractor`.
        source: what the images are, such as "EMA generator of run 3": kept in the protocol.
        bootstrap: resamples for the 95 % intervals. seed: of the resampling.

    Returns:
        {"protocol": ..., "frechet": {"value", "low", "high", "floor"}, "kernel_distance",
        "precision", "recall"}; with the judge also "heterochromia", "variation" (mean total
        variation from uniform over the factors) and "coverage" (no interval: resampling can only
        lose combinations). An interval is the value and 1.96 standard deviations of its
        resamples to either side: the spread of this protocol. Resampled are the generated
        images, for recall the real ones; the reference stays. It does not correct the bias that
        a Fréchet distance has with so many images; the floor, with as many, shows that.
    """
    checks.integer("bootstrap", bootstrap, 10)
    if len(floor) != len(images):
        raise ValueError(f"floor must be as many as images, {len(images)}, got {len(floor)}")
    rng = np.random.default_rng(seed)
    given = {"images": images, "real": real, "floor": floor}
    sets = [_features(name, extractor.features(x)) for name, x in given.items()]
    result = {
        "protocol": {
            "fake": len(images), "real": len(real), "floor": len(floor), "source": source,
            "extractor": extractor.name, "checksum": extractor.checksum, "bootstrap": bootstrap,
        }
    }  # fmt: skip
    result |= _distances(*sets, bootstrap, rng)
    if extractor.name == "judge32":
        result |= _counts(judge.read(images), judge.read(floor), bootstrap, rng)
    return result


def _summary(value, resampled, floor):
    half = 1.96 * float(np.std(resampled))
    return {"value": float(value), "low": float(value) - half, "high": float(value) + half,
            "floor": float(floor)}  # fmt: skip


def _draws(n, bootstrap, rng):
    return (rng.integers(0, n, n) for _ in range(bootstrap))


def _distances(fake, real, floor, bootstrap, rng, k=3):
    reference = _moments(real)
    root = _root(reference[1])  # once: with Inception's 2,048 features each takes seconds
    value = _frechet(reference, _moments(fake), root)
    draws = _draws(len(fake), bootstrap, rng)
    again = [_frechet(reference, _moments(fake[i]), root) for i in draws]
    found = {"frechet": _summary(value, again, frechet(floor, real))}

    kernels = _kernels(fake, real)
    ones = np.ones(len(real))
    weights = [np.bincount(i, minlength=len(fake)) for i in _draws(len(fake), bootstrap, rng)]
    again = [_weighted_mmd(*kernels, w.astype(float), ones) for w in weights]
    value = _weighted_mmd(*kernels, np.ones(len(fake)), ones)
    found["kernel_distance"] = _summary(value, again, kernel_distance(floor, real))

    radii = _radii(real, k)  # of the real set, for generated images and floor alike
    inside, floors = (_inside(real, points, radii, k) for points in (fake, floor))
    for name, *both in zip(("precision", "recall"), inside, floors, strict=True):
        found[name] = _share(*both, bootstrap, rng)
    return found


def _share(inside, base, bootstrap, rng):
    again = [inside[i].mean() for i in _draws(len(inside), bootstrap, rng)]
    return _summary(inside.mean(), again, base.mean())


def agreement(left, right):
    """How far two labels agree beyond chance: Cohen's kappa, 1 always, 0 as if drawn apart.

    Args:
        left, right: integers at least 0, both of length n. Where a single value is seen it is 0.
    """
    left, right = np.asarray(left), np.asarray(right)
    if left.ndim != 1 or left.shape != right.shape or not len(left):
        raise ValueError(f"left and right must be two vectors alike, got {left.shape}, "
                         f"{right.shape}")  # fmt: skip
    values = 1 + max(left.max(), right.max())
    shares = [np.bincount(side, minlength=values) / len(left) for side in (left, right)]
    by_chance = float(1 - shares[0] @ shares[1])
    return 1 - float(np.mean(left != right)) / by_chance if by_chance > 0 else 0.0


def eye_agreement(reading):
    """`agreement` of both irises.

    Heterochromia alone would praise a generator whose blurred eyes are all read as one colour;
    here what independent eyes of the same frequencies would show is taken out.
    """
    return agreement(reading.left_iris, reading.right_iris)


def counts(reading):
    """Heterochromia, eyes' agreement, mean total variation of attributes, combinations seen."""
    return {
        "heterochromia": judge.heterochromia(reading),
        "eye_agreement": eye_agreement(reading),
        "variation": _variation(reading),
        "coverage": judge.coverage(reading)[0],
    }


def _variation(reading, chosen=slice(None)):
    factors = ((getattr(reading, name)[chosen], faces.CATEGORIES[name]) for name in ATTRIBUTES)
    return float(np.mean([total_variation(*factor) for factor in factors]))


def _counts(reading, base, bootstrap, rng):
    again = [_variation(reading, i) for i in _draws(len(reading), bootstrap, rng)]
    value, floor = _variation(reading), _variation(base)
    unequal, of_floor = (r.left_iris != r.right_iris for r in (reading, base))
    seen, possible = judge.coverage(reading)
    return {
        "heterochromia": _share(unequal, of_floor, bootstrap, rng),
        "variation": _summary(value, again, floor),
        "coverage": {"value": seen, "of": possible, "floor": judge.coverage(base)[0]},
    }
