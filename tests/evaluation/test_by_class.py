"""Scores by class on drawn faces: their labels right, wrong by a known share, or copied."""

import numpy as np
import pytest

from sagan_lib.datasets import faces
from sagan_lib.datasets.labels import Labels
from sagan_lib.evaluation import by_class, scores

N = 600
LABELS = faces.labels_of("hair")


@pytest.fixture(scope="module")
def data():
    """((reference, held out), their labels) of faces by hair."""
    source = faces.Faces(32, 100, label="hair")
    return source.held_out(N, N), source.held_out_numbers(N, N)


@pytest.fixture(scope="module")
def extractor():
    return scores.remembering(scores.extractor("judge"))


def drawn(numbers, **changes):
    """Fresh faces with this hair."""
    record = faces.factors(np.arange(len(numbers)), 7).replace(hair=numbers[:, 0], **changes)
    return faces.render(record)


def scored(images, data, extractor, labels=LABELS, asked=None):
    return by_class.evaluate(images, *data[0], *data[1], labels, extractor, asked)


@pytest.mark.book
def test_faces_as_they_are_asked_for_score_as_real_ones(data, extractor):
    found = scored(drawn(data[1][1]), data, extractor)
    assert found["obedience"]["value"] > 0.99
    assert found["obedience"]["real"] > 0.99
    assert set(found["classes"]) == {f"hair={name}" for name in faces.LABELS["hair"]}
    assert found["intra_frechet"]["value"] == pytest.approx(found["intra_frechet"]["real"], rel=0.3)
    assert found["spread"]["value"] == pytest.approx(1, abs=0.1)
    assert found["too_few"] == {}
    for each in found["dependence"]["hair"].values():
        assert each["value"] < 0.12


def test_obedience_is_the_share_that_obeys(data, extractor):
    """Every third face has the next hair colour."""
    numbers = data[1][1]
    given = numbers.copy()
    given[::3] = (given[::3] + 1) % 5
    found = scored(drawn(given), data, extractor)
    assert found["obedience"]["value"] == pytest.approx(2 / 3, abs=0.01)
    assert found["obeyed"]["hair"]["value"] == found["obedience"]["value"]
    right = scored(drawn(numbers), data, extractor)
    assert found["intra_frechet"]["value"] > 2 * right["intra_frechet"]["value"]


def test_a_class_that_is_one_picture_has_no_spread_and_is_the_worst(data, extractor):
    numbers = data[1][1]
    images, red = drawn(numbers), numbers[:, 0] == 3
    images[red] = images[red][:1]
    found = scored(images, data, extractor)
    assert found["worst_class"]["class"] == "hair=red"
    assert found["worst_class"]["value"] == found["classes"]["hair=red"]["frechet"]
    assert found["classes"]["hair=red"]["spread"] < 1e-6
    assert found["classes"]["hair=grey"]["spread"] == pytest.approx(1, abs=0.15)


def test_faces_of_a_generator_without_labels_are_sorted_by_what_is_read_in_them(data, extractor):
    """So diversity within a class can be held against that of a generator that was told none."""
    record = faces.factors(np.arange(N), 9)
    images = faces.render(record)
    asked = faces.numbers_of(extractor.read(images), LABELS)
    found = scored(images, data, extractor, asked=asked)
    assert found["obedience"]["value"] == 1
    assert found["spread"]["value"] == pytest.approx(1, abs=0.1)
    alone = by_class.spread(extractor.features(images)[asked[:, 0] == 3])
    base = by_class.spread(extractor.features(data[0][1])[data[1][1][:, 0] == 3])
    assert found["classes"]["hair=red"]["spread"] == pytest.approx(alone / base)


def test_a_factor_that_follows_the_label_is_seen(data, extractor):
    """Skin as hair; the background stays its own."""
    numbers = data[1][1]
    found = scored(drawn(numbers, skin=numbers[:, 0]), data, extractor)["dependence"]["hair"]
    assert found["skin"]["value"] > 0.95
    assert found["skin"]["real"] < 0.12
    assert found["background"]["value"] < 0.12
    assert set(found) == {"iris", "skin", "background", "long_hair"}


def test_two_factors_are_obeyed_together_or_not(data, extractor):
    source = faces.Faces(32, 100, label="hair,long_hair")
    numbers = source.held_out_numbers(N, N)
    record = faces.factors(np.arange(N), 7).replace(
        hair=numbers[1][:, 0], long_hair=np.where(np.arange(N) % 2, numbers[1][:, 1], 0)
    )
    found = scored(faces.render(record), (data[0], numbers), extractor, labels=source.labels)
    assert found["obeyed"]["hair"]["value"] > 0.99
    wrong = np.mean(numbers[1][::2, 1]) / 2
    assert found["obedience"]["value"] == pytest.approx(1 - wrong, abs=0.01)
    assert len(found["classes"]) == 7


def test_an_iris_is_obeyed_only_by_both_eyes(data, extractor):
    labels = faces.labels_of("iris")
    record = faces.factors(np.arange(100), 7)
    asked = record.left_iris[:, None]
    other = record.replace(right_iris=(record.left_iris + 1) % 6)
    read = [extractor.read(faces.render(each)) for each in (record, other)]
    assert by_class.obedience(asked, read[0], read[0], labels)["obedience"]["value"] > 0.97
    assert by_class.obedience(asked, read[1], read[0], labels)["obedience"]["value"] < 0.03


def test_classes_with_too_few_images_have_no_distance_and_are_named():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 4))
    numbers = np.array([0] * 40 + [1] * 16 + [2] * 4)
    plain = scores.Extractor("points", "", lambda x: x)
    labels = Labels({"folder": ["cats", "dogs", "owls", "eels"]})
    found = by_class.evaluate(points, points, points, numbers, numbers, labels, plain)
    assert found["too_few"] == {"folder=owls": 4, "folder=eels": 0}
    assert set(found["classes"]) == {"folder=cats", "folder=dogs"}
    assert found["intra_frechet"]["value"] == pytest.approx(0, abs=1e-9)
    assert "obedience" not in found
    only = by_class.evaluate(points[56:], points, points[56:], numbers, numbers[56:], labels, plain)
    assert "intra_frechet" not in only
    with pytest.raises(ValueError, match=r"as many, got \[60, 60, 59, 59\]"):
        by_class.evaluate(points, points, points, numbers, numbers[:59], labels, plain)


def test_the_spread_is_the_trace_of_the_covariance():
    points = np.random.default_rng(1).normal(size=(30, 4))
    assert by_class.spread(points) == pytest.approx(np.trace(np.cov(points, rowvar=False)))
