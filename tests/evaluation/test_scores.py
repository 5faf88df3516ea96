"""Scores: their protocol, their intervals, and face sets doctored so that one thing is wrong."""

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sagan_lib import shipped
from sagan_lib.datasets import faces, registry
from sagan_lib.datasets.source import to_bytes
from sagan_lib.evaluation import judge, metrics, scores

N = 1000


def reading(left, right):
    others = dict.fromkeys(faces.CATEGORIES, np.zeros(len(left), int))
    return judge.Reading(**others | {"left_iris": np.array(left), "right_iris": np.array(right)})


def test_eyes_agree_beyond_chance_only_if_more_than_one_colour_is_seen():
    rng = np.random.default_rng(3)
    left, right = rng.integers(0, 6, (2, 20_000))
    assert scores.eye_agreement(reading(left, left)) == 1
    assert scores.eye_agreement(reading(left, right)) == pytest.approx(0, abs=0.02)
    assert scores.eye_agreement(reading([0] * 9, [0] * 9)) == 0
    # nine in ten read as one colour: few unequal eyes, and yet no agreement
    often = np.where(rng.random((2, 20_000)) < 0.9, 0, rng.integers(0, 6, (2, 20_000)))
    assert judge.heterochromia(reading(*often)) < 0.2
    assert scores.eye_agreement(reading(*often)) == pytest.approx(0, abs=0.03)


@pytest.fixture(scope="module")
def real():
    return faces.real_faces(3 * N // 2)


@pytest.fixture(scope="module")
def scored(real):
    """{doctoring: scores} of N faces each."""
    rng, record = np.random.default_rng(0), faces.factors(np.arange(3 * N), population=5)
    fresh = faces.render(record)
    sets = {
        "fresh": fresh[:N],
        "mismatched": faces.render(faces.factors(np.arange(N), 5, independent_eyes=True)),
        "dropped": fresh[record.hair != 2][:N],
        "blurred": gaussian_filter(fresh[:N], (0, 1.2, 1.2, 0)),
        "copied": fresh[rng.integers(0, 10, N)],
    }
    extractor = scores.extractor("judge")
    held_out = registry.by_name("faces", 32).held_out(1, N)[1]
    return {
        name: scores.evaluate(images, real, held_out, extractor, name, bootstrap=20)
        for name, images in sets.items()
    }


def value(scored, name, score):
    return scored[name][score]["value"]


@pytest.mark.book
def test_fresh_faces_score_like_held_out_ones_throughout(scored):
    fresh = scored["fresh"]
    assert fresh["precision"]["value"] > 0.9 < fresh["recall"]["value"]
    for score in ("frechet", "variation"):
        assert 0.5 < fresh[score]["value"] / fresh[score]["real"] < 2
    for score in ("precision", "recall", "heterochromia"):
        assert fresh[score]["value"] == pytest.approx(fresh[score]["real"], abs=0.03)
    assert fresh["coverage"]["value"] == pytest.approx(judge.expected_coverage(N, 250), abs=6)


@pytest.mark.book
def test_mismatched_eyes_are_seen_but_not_by_what_counts_attributes(scored):
    assert value(scored, "mismatched", "heterochromia") == pytest.approx(5 / 6, abs=0.04)
    assert value(scored, "mismatched", "frechet") > 10 * scored["fresh"]["frechet"]["real"]
    assert value(scored, "mismatched", "precision") < 0.5
    for score in ("coverage", "variation", "recall"):
        fresh = value(scored, "fresh", score)
        assert value(scored, "mismatched", score) == pytest.approx(fresh, rel=0.03)


def test_a_dropped_mode_blur_and_memorised_copies_are_each_seen_by_their_scores(scored):
    assert value(scored, "dropped", "variation") > value(scored, "fresh", "variation") + 0.03
    assert value(scored, "dropped", "recall") < value(scored, "fresh", "recall") - 0.03
    for name, combinations in (("dropped", 200), ("copied", 10)):
        assert value(scored, name, "coverage") <= combinations
        assert value(scored, name, "precision") > 0.9
    assert value(scored, "copied", "recall") < 0.2
    for score in ("frechet", "kernel_distance"):
        assert value(scored, "blurred", score) > 10 * abs(scored["fresh"][score]["real"])
    assert value(scored, "blurred", "heterochromia") < 0.03


def test_a_score_travels_with_its_protocol(scored):
    assert scored["fresh"]["protocol"] == {
        "fake": N, "real": 3 * N // 2, "held_out": N, "source": "fresh", "extractor": "judge32",
        "checksum": shipped.checksums()[judge.WEIGHTS], "bootstrap": 20,
    }  # fmt: skip


def colours(images):
    return np.asarray(images).mean((1, 2))


PLAIN = scores.Extractor("mean colours", "-", colours)


def test_values_and_those_of_real_images_are_those_of_the_plain_functions(real, scored):
    fake, held_out = np.clip(1.2 * real[:100], -1, 1), real[100:200]
    found = scores.evaluate(fake, real[200:600], held_out, PLAIN, "contrast", bootstrap=10)
    assert set(found) == {"protocol", "frechet", "kernel_distance", "precision", "recall"}
    a, b, c = map(colours, (fake, real[200:600], held_out))
    for key, x in (("value", a), ("real", c)):
        shares = [inside.mean() for inside in metrics.precision_recall(b, x)]
        assert found["frechet"][key] == pytest.approx(metrics.frechet(x, b))
        assert found["kernel_distance"][key] == pytest.approx(metrics.kernel_distance(x, b))
        assert [found["precision"][key], found["recall"][key]] == shares
    for key, population in (("value", 5), ("real", faces.HELD_OUT)):
        seen = scores.counts(judge.read(faces.real_faces(N, population=population)))
        assert seen.pop("eye_agreement") == 1
        assert seen == {name: scored["fresh"][name][key] for name in seen}


def test_an_interval_holds_its_value_and_shrinks_with_more_images(real, scored):
    for name in ("frechet", "kernel_distance", "precision", "recall", "variation"):
        one = scored["mismatched"][name]
        assert one["low"] < 0.999 * one["value"] < 1.001 * one["value"] < one["high"]
    widths = []
    for n in (100, 900):
        found = scores.evaluate(real[:n], real[1000:], real[-n:], PLAIN, "real", bootstrap=60)
        widths.append([found[k]["high"] - found[k]["low"] for k in ("frechet", "kernel_distance")])
    assert (np.array(widths[1]) < np.array(widths[0]) / 2).all()  # a third is expected


def test_the_interval_is_as_wide_as_fresh_samples_spread():
    """The bootstrap's standard deviation against that of 40 new samples."""
    real = faces.render(faces.factors(np.arange(4500), 8))
    values, halves = [], []
    for k in range(40):
        part = real[100 * k : 100 * (k + 1)]
        found = scores.evaluate(part, real[4000:], part, PLAIN, "k", bootstrap=50, seed=k)
        values.append(found["frechet"]["value"])
        halves.append((found["frechet"]["high"] - found["frechet"]["value"]) / 1.96)
    assert 0.5 < np.median(halves) / np.std(values) < 2


def test_the_same_seed_gives_the_same_intervals(real):
    def once(seed):
        return scores.evaluate(real[:90], real[90:], real[-90:], PLAIN, "", 20, seed)["frechet"]

    assert once(1) == once(1)
    assert once(1)["high"] != once(2)["high"]


def test_inception_without_its_weights_says_what_to_do(monkeypatch):
    def missing(**_):
        raise OSError("no network")

    monkeypatch.setattr(keras.applications, "InceptionV3", missing)
    with (
        pytest.warns(UserWarning, match="not the network of the papers"),
        pytest.raises(RuntimeError, match=r"no network.*use the judge for faces"),
    ):
        scores.inception_extractor()


def test_inception_gets_pictures_of_its_own_size_in_order(monkeypatch, real):
    only = keras.layers.Reshape((299 * 299, 3))  # fails at any other size
    tiny = keras.Sequential([only, keras.layers.GlobalAveragePooling1D()])
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **_: tiny)
    with pytest.warns(UserWarning, match="compare scores among themselves"):
        extractor = scores.inception_extractor()
    features = extractor.features(real[:70])
    assert features == pytest.approx(colours(real[:70]), abs=0.01)
    assert extractor.features(to_bytes(real[:70])) == pytest.approx(features, abs=0.01)


BROKEN = scores.Extractor("broken", "-", lambda x: x * np.nan)
X = np.random.default_rng(0).normal(size=(6, 2))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.kernel_distance(X, X[:, :1]), "same features, got 2 and 1"),
        (lambda: metrics.precision_recall(X, X, k=6), "k must be at least 1 and at most 5"),
        (lambda: metrics.total_variation([0, 5], 5), r"integers 0\.\.4"),
        (lambda: scores.evaluate(X, X, X, PLAIN, "", 9), "bootstrap must be at least 10"),
        (lambda: scores.evaluate(X, X, X, BROKEN, ""), "images must be finite"),
        (lambda: scores.evaluate(X, X, X[:3], PLAIN, ""), "held_out must be as many as images"),
        (lambda: scores.evaluate(X[:3], X, X[:3], PLAIN, ""), "images .* got 3: precision and rec"),
        (lambda: scores.evaluate(X, X[:2], X, PLAIN, ""), "real .* got 2: precision and recall"),
    ],
)
def test_bad_input_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_so_many_copies_are_found_as_there_are():
    """Training faces with noise that no eye sees, among fresh ones."""
    training = faces.real_faces(60, population=7)
    fresh, held_out = faces.real_faces(400, population=8), faces.real_faces(300, population=9)
    noise = np.random.default_rng(0).normal(0, 0.01, (40, 32, 32, 3)).astype(np.float32)
    judged = scores.judge_extractor()
    shares = []
    for count in (0, 40):
        fakes = np.concatenate([training[:count] + noise[:count], fresh[count:]])
        found = scores.copies(fakes, training, held_out, judged)
        assert found["low"] <= found["value"] <= found["high"]
        assert found["real"] == pytest.approx(scores.NEAR, abs=0.01)
        shares.append(found["value"])
    assert abs(shares[0] - scores.NEAR) < 0.04
    assert shares[1] - shares[0] == pytest.approx(0.1, abs=0.02)


def test_an_extractor_that_remembers_looks_once(real):
    seen = []
    plain = scores.Extractor("counted", "", lambda x: seen.append(len(x)) or x.mean((1, 2)))
    once = scores.remembering(plain)
    for images in (real[:5], real[:3]):
        found = [once.features(images) for _ in range(2)]
        assert found[0] is found[1]
        np.testing.assert_array_equal(found[0], images.mean((1, 2)))
    assert seen == [5, 3]
    assert once.read is None
