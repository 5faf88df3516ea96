"""The judge reads faces that it has never seen, so the counts made with it are true."""

import functools

import keras
import numpy as np
import pytest

from sagan_lib.datasets import faces
from sagan_lib.evaluation import judge

SEED = 77  # neither the judge's training population nor its own test population


@pytest.fixture(scope="module")
def strangers():
    """1,500 faces with independent eyes: their factors and the judge's reading."""
    truth = faces.factors(np.arange(1500), SEED, independent_eyes=True)
    return truth, judge.read(faces.render(truth, 32))


def reading(**values):
    """A reading whose unnamed factors are 0."""
    n = len(next(iter(values.values())))
    return judge.Reading(**dict.fromkeys(faces.CATEGORIES, np.zeros(n, int)) | values)


class Blind:
    """A judge that answers class 1 whatever it is shown."""

    def predict(self, images, **_):
        return {k: np.tile(np.eye(n)[1], (len(images), 1)) for k, n in faces.CATEGORIES.items()}


@pytest.mark.parametrize("name", faces.CATEGORIES)
def test_the_shipped_judge_reads_every_factor_of_fresh_faces(strangers, name):
    truth, seen = strangers
    assert np.mean(getattr(seen, name) == getattr(truth, name)) >= 0.99


def test_accuracy_is_the_share_read_rightly():
    got = judge.accuracy(Blind(), n=600)
    truth = faces.factors(np.arange(600), faces.JUDGE_TEST, independent_eyes=True)
    for name in faces.CATEGORIES:
        assert got[name] == np.mean(getattr(truth, name) == 1)


@pytest.mark.parametrize("resolution", [48, 64, 128])
def test_other_sizes_are_resized_and_read_as_well(resolution):
    truth = faces.factors(np.arange(200), SEED, independent_eyes=True)
    seen = judge.read(faces.render(truth, resolution))
    for name in faces.CATEGORIES:
        assert np.mean(getattr(seen, name) == getattr(truth, name)) >= 0.99


def test_patterns_too_fine_for_32_pixels_do_not_shift_colours():
    truth = faces.factors(np.arange(100), SEED, independent_eyes=True)
    columns = np.where(np.isin(np.arange(128) % 4, (1, 2)), 0.6, -0.6)  # 0 on average
    seen = judge.read(faces.render(truth, 128) + columns[:, None])
    for name in faces.CATEGORIES:
        assert np.mean(getattr(seen, name) == getattr(truth, name)) >= 0.97


def test_heterochromia_is_rare_in_the_data_set_and_5_in_6_without_the_rule(strangers):
    ordinary = judge.read(faces.render(faces.factors(np.arange(600), SEED), 32))
    assert judge.heterochromia(ordinary) <= 0.005
    truth, seen = strangers
    assert judge.heterochromia(seen) == pytest.approx(judge.heterochromia(truth), abs=0.01)
    assert judge.heterochromia(seen) == pytest.approx(5 / 6, abs=0.04)


def test_coverage_counts_combinations_not_faces():
    hair, skin = np.array([0, 0, 1, 1, 0]), np.array([0, 0, 0, 2, 0])
    assert judge.coverage(reading(hair=hair, skin=skin)) == (3, 5 * 5 * 5 * 2)
    assert judge.coverage(reading(hair=hair, skin=skin), ["hair"]) == (2, 5)
    assert judge.coverage(reading(left_iris=hair), ("left_iris", "long_hair")) == (2, 12)


@pytest.mark.parametrize(("n", "possible"), [(1, 250), (100, 250), (1000, 250), (30, 6)])
def test_expected_coverage_is_what_uniform_draws_show(n, possible):
    rng = np.random.default_rng(n)
    seen = [len(np.unique(rng.integers(0, possible, n))) for _ in range(400)]
    error = np.std(seen) / 20 * 4 + 1e-9  # four standard errors
    assert judge.expected_coverage(n, possible) == pytest.approx(np.mean(seen), abs=error)


@pytest.mark.usefixtures("eager")
def test_training_writes_weights_that_read_as_the_trained_network_did(tmp_path, monkeypatch):
    accuracy = functools.partial(judge.accuracy, n=300)
    monkeypatch.setattr(judge, "accuracy", accuracy)
    drawn, factors = [], faces.factors

    def noted(indices, population, independent_eyes):
        drawn.append((population, independent_eyes))
        return factors(indices, population, independent_eyes)

    monkeypatch.setattr(faces, "factors", noted)
    path = tmp_path / "judge.weights.h5"
    report = judge.train(path, size=256, epochs=1, seed=3)
    keras.utils.set_random_seed(3)
    again = judge.build()
    first = again.get_weights()
    again.load_weights(path)
    assert accuracy(again) == report
    assert set(report) == set(faces.CATEGORIES)
    # Trained on one and tested on the other, and not taught the rule that it checks.
    assert drawn == [(1001, True), (1002, True), (1002, True)]
    for before, after in zip(first, again.get_weights(), strict=True):
        assert not np.array_equal(before, after)
