"""The ledger: verdicts follow from numbers by rule, and a flipped result does not pass."""

import contextlib
import dataclasses
import math

import numpy as np
import pytest
from records import record
from scipy import stats

from experiments import arms, ledger
from experiments import store as stores
from experiments.claims import CLAIMS, Claim
from experiments.measures import MEASURES

LIMIT = Claim("says", "where", "01_dcgan", "quantity", 0.1, measure="x")


@pytest.mark.parametrize(
    ("low", "high", "below", "expected"),
    [
        (0.11, 0.2, False, "holds"), (0.05, 0.09, False, "does not hold here"),
        (0.05, 0.2, False, "undecided"), (0.1, 0.2, False, "undecided"),
        (-2.0, -1.0, False, "does not hold here"), (0.05, 0.09, True, "holds"),
        (0.11, 0.2, True, "does not hold here"), (0.05, 0.2, True, "undecided"),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_interval(low, high, below, expected):
    assert ledger.verdict(dataclasses.replace(LIMIT, below=below), low, high) == expected


def test_the_interval_is_students():
    values = {0: 0.5, 1: 0.7, 2: 0.4, 3: 0.9}
    found = ledger.decide(LIMIT, values)
    test = stats.ttest_1samp(list(values.values()), 0).confidence_interval(0.95)
    np.testing.assert_allclose((found.low, found.high), (test.low, test.high))
    assert found.mean == pytest.approx(0.625)
    assert found.median == pytest.approx(0.6)


def test_the_interval_holds_the_truth_in_nineteen_of_twenty_cases():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(2000):
        found = ledger.decide(LIMIT, dict(enumerate(rng.normal(0.3, 1.0, 5))))
        hits += found.low < 0.3 < found.high
    assert 0.93 < hits / 2000 < 0.97


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_seeds_decide_nothing(count):
    assert ledger.decide(LIMIT, dict.fromkeys(range(count), 5.0)).verdict == "undecided"


def test_seeds_are_paired_and_those_that_lack_an_arm_are_left_out(store):
    for seed, (better, worse) in enumerate([(1.0, 2.0), (3.0, 6.0), (1.0, 1.0)]):
        store.add("runs", "base", seed, record(frechet=better))
        if seed < 2:
            store.add("runs", "ratio1", seed, record(frechet=worse))
    assert ledger.effects("ttur", store) == pytest.approx({0: math.log(2), 1: math.log(2)})


def test_an_interaction_is_a_difference_of_gains(store):
    for arm, value in (("base", 1.0), ("ratio1", 4.0), ("sn_none", 1.0), ("none_ratio1", 2.0)):
        store.add("runs", arm, 0, record(frechet=value))
    assert ledger.effects("ttur-needs-sn", store) == pytest.approx({0: math.log(2)})


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.arms])
def test_every_trained_claim_points_the_right_way(name, store):
    """With results as the claim would have them it holds, with the opposite it does not."""
    claim = CLAIMS[name]
    good = record(frechet=1.0, live=2.0, raw=2.0, steepness=1.0, outside=0.9, eye_agreement=0.9,
                  agreement=0.9, coverage=200, g_gamma=-0.5)  # fmt: skip
    bad = record(frechet=2.0, live=1.0, raw=1.0, steepness=9.0, outside=0.1, eye_agreement=0.1,
                 agreement=0.1, coverage=100, g_gamma=0.0)  # fmt: skip
    first = claim.arms[0]
    for swap, expected in ((False, "holds"), (True, "does not hold here")):
        for seed in range(3):
            jitter = 1 + 0.001 * seed
            for arm in claim.arms:
                is_good = (arm == first) != (swap != claim.below)
                if name == "ttur-needs-sn":
                    is_good = (arm == "ratio1") == swap
                values = good if is_good else bad
                if len(claim.arms) == 1 and name in ("ema", "raw-inference"):
                    values = bad | {"frechet": 2.0} if swap else good
                store.add("runs", arm, seed, values | {"frechet": values["frechet"] * jitter})
        assert ledger.result(name, store).verdict == expected


def test_run_computes_what_is_missing_and_only_that(store, monkeypatch):
    done = []

    def fake(name):
        return lambda seed: done.append((name, seed)) or 0.5 + 0.01 * seed

    for name in ("frobenius", "operator_norm"):
        monkeypatch.setitem(MEASURES, name, fake(name))
    monkeypatch.setattr(stores.multiprocessing, "get_context", lambda _: Here)
    names = ["l2", "operator"]
    first = ledger.run(names, seeds=2, store=store)
    assert sorted(done) == [(m, s) for m in ("frobenius", "operator_norm") for s in (0, 1)]
    assert first["l2"].verdict == "undecided"
    found = ledger.run(names, seeds=3, store=ledger.open_store(store.path))
    assert len(done) == 6
    assert found["operator"].verdict == "holds"
    kept = ledger.open_store(store.path).data["provenance"]
    assert len(kept) == 1, "one command, on one day, on one machine"
    assert kept[0]["versions"]["tensorflow"]


class Here:
    """A pool that computes in this process, so that a test's measurements are seen."""

    Pool = staticmethod(lambda *_, **__: contextlib.nullcontext(Here))
    imap_unordered = map


def test_each_scale_has_its_own_file():
    paths = {scale: ledger.results_path(scale).name for scale in arms.SCALES}
    assert paths == {"cpu": "claims_cpu.json", "gpu": "claims_gpu.json"}
    with pytest.raises(ValueError, match="scale must be one of"):
        ledger.open_store(scale="tpu")


def test_unknown_claims_and_claims_that_need_training_are_told(store):
    with pytest.raises(ValueError, match="claim must be one of"):
        ledger.run(["no-such"], store=store)
    with pytest.raises(ValueError, match="needs training runs"):
        ledger.recheck(["ttur"], store=store)


# ---- the published results ---------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.fast])
def test_a_published_verdict_holds_when_measured_again(name):
    ledger.recheck([name])


def test_a_flipped_result_fails(monkeypatch):
    """The check above can fail: here one measurement comes out the other way round."""
    before = MEASURES["operator_norm"]
    monkeypatch.setitem(MEASURES, "operator_norm", lambda seed: -before(seed))
    with pytest.raises(ledger.FlippedError, match=r"operator: was 'holds'.*now 'does not hold"):
        ledger.recheck(["operator", "l2"])


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_has_five_published_seeds(name):
    assert len(ledger.result(name).values) >= 5
