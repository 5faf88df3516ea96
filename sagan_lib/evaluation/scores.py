"""How good a set of images is, told with its protocol, its interval and what real images score.

A score without its protocol says little, so `evaluate` returns both: how many images, of which
network's features, from which population, and what real images score against real ones.
"""

import dataclasses
import functools
import warnings
from dataclasses import dataclass

import keras
import numpy as np

from sagan_lib import checks, shipped
from sagan_lib.datasets import faces
from sagan_lib.datasets.source import as_images
from sagan_lib.evaluation import judge, metrics

ATTRIBUTES = ("hair", "skin", "background", "long_hair")
#: Precision and recall look at each image's neighbour of this number (Kynkaanniemi et al. 2019).
NEIGHBOUR = 3


@dataclass(frozen=True)
class Extractor:
    """A network's features for scoring.

    Args:
        name: of the network.
        checksum: of its weights.
        features: function, images (n, h, w, 3) in [-1, 1] -> (n, d).
        read: function, images -> a `judge.Reading`; None where no factors are known.
    """

    name: str
    checksum: str
    features: object
    read: object = None


def judge_extractor():
    """The 64 features of the judge, which was trained on faces with independent eyes."""
    model = judge.load()
    inner = keras.Model(model.input, model.get_layer("features").output)

    def features(images):
        return inner.predict(judge.prepare(images), batch_size=256, verbose=0)

    return Extractor("judge32", shipped.checksums()[judge.WEIGHTS], features, judge.read)


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
        images, size = as_images("images", images), (299, 299)
        blocks = (images[i : i + 64] for i in range(0, len(images), 64))
        resized = (keras.ops.image.resize(block, size, antialias=True) for block in blocks)
        return np.concatenate([model.predict_on_batch(block) for block in resized])

    return Extractor("keras inception_v3 imagenet", f"keras {keras.__version__}", features)


#: Name -> function that makes the `Extractor`; a `Source` says which one is its own.
EXTRACTORS = {"judge": judge_extractor, "inception": inception_extractor}


def extractor(name):
    """The extractor of that name in `EXTRACTORS`; ValueError lists the names there are."""
    return EXTRACTORS[checks.one_of("extractor", name, EXTRACTORS)]()


def remembering(extractor):
    """An extractor that looks at a set of images once, however often it is asked.

    Args:
        extractor: an `Extractor`; its images are told apart as objects, and kept.
    """
    known = {}

    def once(function, images):
        key = function, id(images)
        if key not in known:
            known[key] = function(images), images  # kept: the number of what is gone is used again
        return known[key][0]

    return dataclasses.replace(
        extractor,
        features=functools.partial(once, extractor.features),
        read=extractor.read and functools.partial(once, extractor.read),
    )


def evaluate(images, real, held_out, extractor, source, bootstrap=200, seed=0):
    """All scores of generated images, each with an interval and with what real images score.

    Args:
        images: generated, float (n, h, w, 3) in [-1, 1].
        real: the reference, likewise.
        held_out: n further real images, scored in place of the generated ones.
        extractor: an `Extractor`.
        source: what the images are, such as "EMA generator of run 3": kept in the protocol.
        bootstrap: resamples for the 95 % intervals.
        seed: of the resampling.

    Raises:
        ValueError: fewer than four images, others held out than generated, or none for the
            extractor.

    Returns:
        {"protocol": ..., "frechet": {"value", "low", "high", "real"}, "kernel_distance",
        "precision", "recall"}; with the judge also "heterochromia", "variation" (mean total
        variation from uniform over the factors) and "coverage" (no interval: resampling can only
        lose combinations). "real" is what the held-out images score. An interval is the value
        and 1.96 standard deviations of its resamples to either side: the spread of this protocol.
        Resampled are the generated images, for recall the real ones; the reference stays. It does
        not correct the bias that a Fréchet distance has with so many images; "real", with as
        many, shows that.
    """
    checks.integer("bootstrap", bootstrap, 10)
    for name, each in {"images": images, "real": real}.items():
        if len(each) <= NEIGHBOUR:
            raise ValueError(
                f"{name} must be at least {NEIGHBOUR + 1}, got {len(each)}: precision and recall "
                f"look at the neighbour number {NEIGHBOUR} of each"
            )
    if len(held_out) != len(images):
        raise ValueError(f"held_out must be as many as images, {len(images)}, got {len(held_out)}")
    rng = np.random.default_rng(seed)
    given = {"images": images, "real": real, "held_out": held_out}
    sets = [metrics.features(name, extractor.features(x)) for name, x in given.items()]
    result = {
        "protocol": {
            "fake": len(images), "real": len(real), "held_out": len(held_out), "source": source,
            "extractor": extractor.name, "checksum": extractor.checksum, "bootstrap": bootstrap,
        }
    }  # fmt: skip
    result |= _distances(*sets, bootstrap, rng)
    if extractor.read:
        result |= _counts(extractor.read(images), extractor.read(held_out), bootstrap, rng)
    return result


#: A generated image is a copy if it is nearer to a training image than all but this share of the
#: held-out images are.
NEAR = 0.05


def copies(images, training, held_out, extractor, bootstrap=200, seed=0):
    """The share of generated images that are nearer to a training image than new ones come to be.

    Held-out images are as near to the training images as new images of that kind come by chance.
    The comparison is that of Meehan et al. (2020), arXiv:2004.05675; they compare all distances,
    this the smallest ones, so that few copies among many images are seen.

    Args:
        images: generated, float (n, h, w, 3) in [-1, 1].
        training: what the generator was trained on, likewise.
        held_out: images of the same kind that it was not trained on, likewise.
        extractor: an `Extractor`.
        bootstrap: resamples of the generated images for the 95 % interval.
        seed: of the resampling.

    Returns:
        {"value", "low", "high", "real"}, a share; "real" is that of the held-out images, near
        `NEAR` by construction.
    """
    checks.integer("bootstrap", bootstrap, 1)
    given = {"images": images, "training": training, "held_out": held_out}
    sets = [metrics.features(name, extractor.features(x)) for name, x in given.items()]
    fake, real = (metrics.nearest(each, sets[1]) for each in (sets[0], sets[2]))
    limit = np.quantile(real, NEAR)
    return _share(fake < limit, real < limit, bootstrap, np.random.default_rng(seed))


def _summary(value, resampled, real):
    half = 1.96 * float(np.std(resampled))
    return {"value": float(value), "low": float(value) - half, "high": float(value) + half,
            "real": float(real)}  # fmt: skip


def _draws(n, bootstrap, rng):
    return (rng.integers(0, n, n) for _ in range(bootstrap))


def _distances(fake, real, held_out, bootstrap, rng, k=NEIGHBOUR):
    reference = metrics.moments(real)
    root = metrics.root_of(reference[1])  # once: with Inception's 2,048 features each takes seconds
    value = metrics.frechet_of_moments(reference, metrics.moments(fake), root)
    draws = _draws(len(fake), bootstrap, rng)
    again = [metrics.frechet_of_moments(reference, metrics.moments(fake[i]), root) for i in draws]
    found = {"frechet": _summary(value, again, metrics.frechet(held_out, real))}

    kernels = metrics.kernels(fake, real)
    ones = np.ones(len(real))
    weights = [np.bincount(i, minlength=len(fake)) for i in _draws(len(fake), bootstrap, rng)]
    again = [metrics.weighted_mmd(*kernels, w.astype(float), ones) for w in weights]
    value = metrics.weighted_mmd(*kernels, np.ones(len(fake)), ones)
    found["kernel_distance"] = _summary(value, again, metrics.kernel_distance(held_out, real))

    radii = metrics.radii(real, k)  # of the real set, for generated and held-out ones alike
    inside, base = (metrics.inside(real, points, radii, k) for points in (fake, held_out))
    for name, *both in zip(("precision", "recall"), inside, base, strict=True):
        found[name] = _share(*both, bootstrap, rng)
    return found


def _share(inside, base, bootstrap, rng):
    again = [inside[i].mean() for i in _draws(len(inside), bootstrap, rng)]
    return _summary(inside.mean(), again, base.mean())


def eye_agreement(reading):
    """`agreement` of both irises.

    Heterochromia alone would praise a generator whose blurred eyes are all read as one colour;
    here what independent eyes of the same frequencies would show is taken out.
    """
    return metrics.agreement(reading.left_iris, reading.right_iris)


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
    return float(np.mean([metrics.total_variation(*factor) for factor in factors]))


def _counts(reading, base, bootstrap, rng):
    again = [_variation(reading, i) for i in _draws(len(reading), bootstrap, rng)]
    value, real = _variation(reading), _variation(base)
    unequal, of_real = (r.left_iris != r.right_iris for r in (reading, base))
    seen, possible = judge.coverage(reading)
    return {
        "heterochromia": _share(unequal, of_real, bootstrap, rng),
        "variation": _summary(value, again, real),
        "coverage": {"value": seen, "of": possible, "real": judge.coverage(base)[0]},
    }
