"""Is a label obeyed, and what does it cost: scores of images that were asked for by label.

The Fréchet distance within classes is Miyato and Koyama's (2018, section 4), and SAGAN's paper has
it, too. Obedience and the factors' independence can be read where an extractor reads factors.
"""

import numpy as np

from sagan_lib import checks
from sagan_lib.datasets import faces
from sagan_lib.evaluation import metrics


def evaluate(images, real, held_out, real_numbers, numbers, labels, extractor, asked=None):
    """Scores by class of generated images, each with what real images score in their place.

    Args:
        images: generated, float (n, h, w, 3) in [-1, 1].
        real: the reference, likewise, (m, ...).
        held_out: n further real images.
        real_numbers: the labels of the reference, int (m, factors).
        numbers: of the held-out images, int (n, factors).
        labels: a `datasets.labels.Labels`.
        extractor: a `scores.Extractor`.
        asked: the labels that the generated images were asked for, int (n, factors); by default
            `numbers`. Of a generator without labels take what is read in its faces
            (`faces.numbers_of`; not for the iris, as its eyes may differ): then classes compare,
            and obedience says nothing.

    Returns:
        {"intra_frechet": {"value", "real"}, the mean over all classes; "worst_class": likewise, and
        which; "spread": the spread of features within a class over that of real images;
        "classes": {"factor=name": {"frechet", "real", "spread"}}; "too_few": {"factor=name":
        images}, the classes with no more images than the extractor has features: a covariance of
        so few is singular, so they have no distance}. Where the extractor reads the labels' factors
        also "obedience": {"value", "real"}, the share of images that have all that was asked for;
        "obeyed": {factor: likewise}; "dependence": {factor: {another: {"value", "real"}}}, how far
        the label tells the other factors (`metrics.association`): in the data they are independent.

    Raises:
        ValueError: other numbers of images than of labels.
    """
    numbers, real_numbers = labels.checked(numbers), labels.checked(real_numbers)
    asked = numbers if asked is None else labels.checked(asked)
    sizes = [len(x) for x in (images, held_out, numbers, asked)]
    if len(set(sizes)) > 1 or len(real) != len(real_numbers):
        raise ValueError(
            f"images, held_out, numbers and asked must be as many, got {sizes}, and real and "
            f"real_numbers, got {len(real)} and {len(real_numbers)}"
        )
    sets = [extractor.features(x) for x in (images, held_out, real)]
    found, few = {}, {}
    for name, chosen, of_base, of_real in _classes(labels, asked, numbers, real_numbers):
        count = int(min(chosen.sum(), of_base.sum(), of_real.sum()))
        if count <= sets[0].shape[1]:
            few[name] = count
            continue
        fake, base, reference = sets[0][chosen], sets[1][of_base], sets[2][of_real]
        found[name] = {
            "frechet": metrics.frechet(fake, reference),
            "real": metrics.frechet(base, reference),
            "spread": spread(fake) / spread(base),
        }
    result = {"classes": found, "too_few": few}
    if found:
        worst = max(found, key=lambda name: found[name]["frechet"])
        result |= {
            "intra_frechet": {"value": _mean(found, "frechet"), "real": _mean(found, "real")},
            "worst_class": {"value": found[worst]["frechet"], "real": found[worst]["real"],
                            "class": worst},
            "spread": {"value": _mean(found, "spread"), "real": 1.0},
        }  # fmt: skip
    if extractor.read and set(labels.factors) <= set(faces.LABELS):
        fake, base = extractor.read(images), extractor.read(held_out)
        result |= obedience(asked, fake, base, labels, numbers)
        result["dependence"] = dependence(asked, fake, base, labels, numbers)
    return result


def _classes(labels, *numbers):
    """("factor=name", which images of each set have it), of all values of all factors."""
    for place, (factor, names) in enumerate(labels.factors.items()):
        for value, name in enumerate(names):
            yield f"{factor}={name}", *(each[:, place] == value for each in numbers)


def _mean(found, what):
    return float(np.mean([each[what] for each in found.values()]))


def spread(features):
    """The mean squared distance of features from their mean: the trace of their covariance.

    Args:
        features: (n, d), n at least 2.
    """
    return float(metrics.features("features", features).var(0, ddof=1).sum())


def obedience(asked, reading, base, labels, numbers=None):
    """The share of faces whose factors, as they are read, are those that were asked for.

    Args:
        asked: what was asked for, int (n, factors).
        reading: a `judge.Reading` of the faces.
        base: of as many real faces: how often the judge is right.
        labels: of `faces.labels_of`. For an iris both eyes must be read as it.
        numbers: the labels of the real faces, by default `asked`.

    Returns:
        {"obedience": {"value", "real"}, of all factors at once; "obeyed": {factor: likewise}}.
    """
    both = _both(labels, asked, numbers)
    right = [faces.numbers_of(x, labels) == y for x, y in zip((reading, base), both, strict=True)]
    return {
        "obedience": dict(zip(("value", "real"), (_share(x.all(1)) for x in right), strict=True)),
        "obeyed": {
            factor: {"value": _share(right[0][:, k]), "real": _share(right[1][:, k])}
            for k, factor in enumerate(labels.factors)
        },
    }


def _both(labels, asked, numbers):
    """The labels of generated and of real images, checked."""
    asked = labels.checked(asked)
    return asked, asked if numbers is None else labels.checked(numbers)


def _share(flags):
    return float(np.mean(flags))


def dependence(asked, reading, base, labels, numbers=None):
    """How far a label tells the factors that it does not name (`metrics.association`).

    Args:
        asked: as in `obedience`, and so are the others.
        reading: likewise.
        base: likewise: what chance gives with as many independent faces.
        labels: likewise.
        numbers: likewise.

    Returns:
        {factor of the labels: {other factor of faces: {"value", "real"}}}.
    """
    asked, numbers = _both(labels, asked, numbers)
    others = {"iris": "left_iris"} | {x: x for x in faces.LABELS if x != "iris"}
    return {
        factor: {
            other: {
                "value": metrics.association(asked[:, k], getattr(reading, name)),
                "real": metrics.association(numbers[:, k], getattr(base, name)),
            }
            for other, name in others.items()
            if other not in labels.factors
        }
        for k, factor in enumerate(checks.one_of("factor", x, faces.LABELS) for x in labels.factors)
    }
