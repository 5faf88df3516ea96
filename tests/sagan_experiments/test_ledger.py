"""The ledger: verdicts follow from numbers by rule, and a flipped result does not pass."""

import contextlib
import dataclasses
import math

import numpy as np
import pytest
from records import record
from scipy import stats

from sagan_experiments import arms, ledger
from sagan_experiments import store as stores
from sagan_experiments.claims import CLAIMS, Claim
from sagan_experiments.measures import MEASURES

LIMIT = Claim("says", "where", "01_dcgan", "quantity", 0.1, measure="x")


@pytest.mark.parametrize(
    ("low", "high", "below", "expected"),
    [
        (0.11, 0.2, False, "holds"), (0.05, 0.09, False, "does not hold here"),
        (0.05, 0.2, False, "undecided"), (0.1, 0.2, False, "undecided"),
        (-2.0, -0.11, False, "the opposite holds"), (-2.0, 0.05, False, "does not hold here"),
        (-0.05, 0.05, False, "does not hold here"), (0.05, 0.09, True, "holds"),
        (-2.0, -1.0, True, "holds"),
        (0.11, 0.2, True, "does not hold here"), (0.05, 0.2, True, "undecided"),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_interval(low, high, below, expected):
    assert ledger.verdict(dataclasses.replace(LIMIT, below=below), low, high) == expected


def test_the_interval_is_students():
    values = {1: 0.5, 2: 0.7, 3: 0.4, 4: 0.9}
    found = ledger.decide(LIMIT, values)
    test = stats.ttest_1samp(list(values.values()), 0).confidence_interval(0.975)
    np.testing.assert_allclose((found.low, found.high), (test.low, test.high))
    assert found.mean == pytest.approx(0.625)
    plain = ledger.decide(dataclasses.replace(LIMIT, ratio=False), values)
    assert str(plain) == f"0.625 ({test.low:.3g} to {test.high:.3g}; n = 4)"


def test_both_looks_together_miss_the_truth_in_at_most_one_of_twenty_cases():
    rng, missed = np.random.default_rng(0), 0
    for _ in range(2000):
        found = ledger.decide(LIMIT, dict(enumerate(rng.normal(0.3, 1.0, 21))))
        missed += not found.low < 0.3 < found.high
    assert missed / 2000 < 0.055


def test_an_effect_that_is_no_number_is_no_verdict():
    with pytest.raises(ValueError, match="effect of seed 3 must be finite, got nan"):
        ledger.decide(LIMIT, {1: 0.1, 2: 0.2, 3: math.nan})


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_seeds_decide_nothing(count):
    assert ledger.decide(LIMIT, dict.fromkeys(range(1, count + 1), 5.0)).verdict == "undecided"


def test_a_second_look_is_for_what_the_first_left_open_and_takes_twenty_seeds():
    clear = {seed: 0.5 + 0.01 * seed for seed in range(1, 6)}
    later = dict.fromkeys(range(6, 21), -9.0)
    assert ledger.decide(LIMIT, clear | later).seeds == tuple(range(1, 6)), "it was decided"
    open_ones = {1: 0.0, 2: 0.3, 3: 0.1, 4: 0.2, 5: 0.3}
    assert ledger.decide(LIMIT, open_ones).verdict == "undecided"
    some = dict.fromkeys(range(6, 20), 0.5)
    assert ledger.decide(LIMIT, open_ones | some).seeds == (1, 2, 3, 4, 5), "nineteen are no look"
    second = ledger.decide(LIMIT, open_ones | some | {20: 0.5})
    assert (second.verdict, len(second.seeds)) == ("holds", 20)


def test_an_undecided_claim_says_how_many_seeds_would_decide_it():
    values = {seed: 0.3 + (-1) ** seed for seed in range(1, 21)}
    found = ledger.decide(LIMIT, values)
    assert found.verdict == "undecided"
    spread = np.std(found.counted, ddof=1)

    def width(n):
        return stats.t.ppf(1.975 / 2, n - 1) * spread / math.sqrt(n)

    assert width(found.needed) < abs(found.mean - 0.1) <= width(found.needed - 1)
    assert ledger.decide(LIMIT, {s: 0.1 + (-1) ** s for s in range(1, 21)}).needed is None
    assert ledger.decide(LIMIT, dict.fromkeys(range(1, 6), 5.0)).needed is None, "decided"


def test_the_runs_that_count_are_those_of_one_look(store):
    """Seed 0 never, and a second look not before the arms beside it have theirs whole, too."""

    def counted(*names):
        return [[run["frechet"] for run in each] for each in ledger.runs(*names, store=store)]

    for seed in range(20):
        store.add("arms", "base", seed, record(frechet=float(seed)))
    assert counted("base") == [[1.0, 2.0, 3.0, 4.0, 5.0]], "the second look lacks one"
    store.add("arms", "base", 20, record(frechet=20.0))
    store.add("arms", "ratio1", 2, record(frechet=0.5))
    assert counted("base") == [[float(seed) for seed in range(1, 21)]]
    assert counted("base", "ratio1") == [[1.0, 2.0, 3.0, 4.0, 5.0], [0.5]]
    with pytest.raises(ValueError, match=r"arm.*'bas'"):
        ledger.runs("bas", store=store)


def test_an_error_is_averaged_as_a_logarithm_and_shown_as_it_is(store):
    for seed, error in ((1, 0.01), (2, 0.02), (3, 0.04)):
        store.add("measures", "kept_u_error", seed, error)
    found = ledger.result("one-round", store)
    assert found.mean == pytest.approx(math.log(0.02))
    assert str(found).startswith("0.02 (")
    assert found.verdict == "undecided"


def test_seeds_are_paired_and_those_that_lack_an_arm_are_left_out(store):
    for seed, (better, worse) in enumerate([(1.0, 2.0), (3.0, 6.0), (1.0, 1.0)]):
        store.add("arms", "base", seed, record(frechet=better))
        if seed < 2:
            store.add("arms", "ratio1", seed, record(frechet=worse))
    assert ledger.effects("ttur", store) == pytest.approx({0: math.log(2), 1: math.log(2)})


def test_an_interaction_is_a_difference_of_gains(store):
    for arm, value in (("base", 1.0), ("ratio1", 4.0), ("sn_none", 1.0), ("none_ratio1", 2.0)):
        store.add("arms", arm, 0, record(frechet=value))
    assert ledger.effects("ttur-needs-sn", store) == pytest.approx({0: math.log(2)})


def test_run_computes_what_is_missing_and_only_that(store, monkeypatch, capsys):
    """The first look at both claims, then the second at the one that it leaves open."""
    done = []

    def fake(name, effect):
        return lambda seed: done.append((name, seed)) or effect(seed)

    monkeypatch.setitem(MEASURES, "frobenius", fake("clear", lambda seed: 5 + 0.01 * seed))
    monkeypatch.setitem(MEASURES, "operator_norm", fake("open", lambda seed: seed % 2))
    monkeypatch.setattr(stores.multiprocessing, "get_context", lambda _: Here)
    names = ["l2", "operator"]
    first = ledger.run(names, looks=1, store=store)
    assert sorted(done) == [(m, s) for m in ("clear", "open") for s in range(1, 6)]
    assert [first[name].verdict for name in names] == ["holds", "undecided"]
    assert "10 results are missing: about" in capsys.readouterr().out
    done.clear()
    found = ledger.run(names, store=ledger.open_store(store.path), line="the second")
    assert sorted(done) == [("open", seed) for seed in range(6, 21)]
    assert len(found["operator"].seeds) == 20
    kept = ledger.open_store(store.path).data["provenance"]
    assert [made["command"] for made in kept] == ["", "the second"]
    assert kept[0]["versions"]["tensorflow"]


class Here(contextlib.nullcontext):
    """A pool that computes in this process, so that a test's measurements are seen."""

    Pool = staticmethod(lambda *_, **__: Here())
    imap_unordered = map


def test_each_protocol_has_its_own_file():
    paths = {protocol: ledger.results_path(protocol).name for protocol in arms.PROTOCOLS}
    assert paths == {name: f"claims_{name}.json" for name in ("cpu", "fair", "gpu", "pilot")}
    with pytest.raises(ValueError, match="protocol must be one of"):
        ledger.open_store(protocol="tpu")


def test_unknown_claims_and_claims_that_need_training_are_told(store):
    with pytest.raises(ValueError, match="claim must be one of"):
        ledger.run(["no-such"], store=store)
    with pytest.raises(ValueError, match="needs training runs"):
        ledger.recheck(["ttur"], store=store)
    with pytest.raises(ValueError, match="claim operator was not run"):
        ledger.recheck(["operator"], store=store)


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.fast])
@pytest.mark.full
def test_a_published_verdict_holds_when_measured_again(name):
    ledger.recheck([name])
