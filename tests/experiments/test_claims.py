"""The table of claims: each can be measured, nothing is run for nothing."""

import pytest

from experiments import arms, report
from experiments.claims import CLAIMS
from experiments.measures import MEASURES


def test_the_ledger_has_at_least_twenty_claims_for_all_four_chapters():
    assert len(CLAIMS) >= 20
    assert {claim.chapter for claim in CLAIMS.values()} == set(report.CHAPTERS)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_names_arms_or_a_measure_that_exist(name):
    claim = CLAIMS[name]
    assert bool(claim.arms) != bool(claim.measure)
    assert set(claim.arms) <= set(arms.ARMS)
    assert not claim.measure or claim.measure in MEASURES
    assert not claim.fast or claim.measure


def test_what_is_timed_is_not_measured_again_by_the_tests():
    assert not CLAIMS["svd-dear"].fast


def test_no_arm_and_no_measure_is_run_for_nothing():
    used = {arm for claim in CLAIMS.values() for arm in claim.arms}
    assert used == set(arms.ARMS)
    assert {claim.measure for claim in CLAIMS.values() if claim.measure} == set(MEASURES)
