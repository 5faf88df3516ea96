"""The table of claims: each can be measured, nothing is run for nothing."""

import pytest

from sagan_experiments import arms
from sagan_experiments.claims import CLAIMS
from sagan_experiments.measures import MEASURES


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_names_arms_or_a_measure_that_exist(name):
    claim = CLAIMS[name]
    assert bool(claim.arms) != bool(claim.measure)
    assert set(claim.arms) <= set(arms.ARMS)
    assert not claim.measure or claim.measure in MEASURES
    assert not claim.fast or claim.measure


def test_no_arm_and_no_measure_is_run_for_nothing():
    used = {arm for claim in CLAIMS.values() for arm in claim.arms}
    assert used == set(arms.ARMS)
    assert {claim.measure for claim in CLAIMS.values() if claim.measure} == set(MEASURES)


def run_of(frechet, diverged=False):
    return {"frechet": frechet, "diverged": diverged}


def test_settings_that_train_well_are_those_within_twice_the_best_of_both():
    effect = CLAIMS["sn-settings"].effect
    first = [run_of(x) for x in (1.0, 1.9, 2.0, 2.1, 5.0, 9.0)]  # three of six
    second = [run_of(x) for x in (1.5, 8.0, 8.0, 8.0, 8.0, 8.0)]  # one
    assert effect(*first, *second) == pytest.approx(1 / 3)
    assert effect(*second, *first) == pytest.approx(-1 / 3)


def test_a_run_that_diverged_is_counted_as_one_that_did_not_train():
    effect = CLAIMS["sn-settings"].effect
    good, bad = [run_of(1.0)] * 6, [run_of(0.1, diverged=True)] * 6
    assert effect(*good, *bad) == 1.0  # 0.1 would be the best, but the run is lost
    assert effect(*bad, *bad) == 0.0
