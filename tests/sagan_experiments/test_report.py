"""The pages that are written from results."""

import csv
import io
import re

import numpy as np
import pytest
from records import record

from sagan_experiments import arms, errata, ledger, report
from sagan_experiments.claims import CLAIMS
from sagan_lib import shipped


def test_the_pages_say_what_the_results_say(tmp_path):
    """The pages and the tables are those that `claims report` writes."""
    for path in report.write(ledger.published(), tmp_path):
        name = path.relative_to(tmp_path)
        with open(shipped.root() / name) as stream:
            assert stream.read() == path.read_text(), f"{name}: run 'claims report' again"


def test_every_link_of_the_errata_leads_to_a_file():
    links = re.findall(r"\]\(([^):]+)\)", report.errata_page(ledger.published()))
    assert len(links) > 2 * len(errata.ERRATA)
    assert [link for link in links if not (shipped.root() / link).is_file()] == []


def test_a_table_lists_every_arm_with_what_differs_and_its_medians(store):
    for seed, frechet in enumerate((99.0, 5.0, 9.0, 7.0)):  # seed 0 does not count
        store.add("arms", "discs_far", seed, record(frechet=frechet, agreement=0.25))
    head, *rows = csv.reader(io.StringIO(report.arms_table(store)))
    assert len(rows) == len(arms.ARMS)
    assert head[0] == "arm"
    assert ["base", "", "", ""] in rows
    assert ["discs_far", "g_rate=0.001, d_rate=0.004, length=2, discs=22", "7", "0.25"] in rows


def test_the_table_has_every_claim_with_its_verdict_and_every_seed_that_counts():
    store = ledger.published()
    results = {name: ledger.result(name, store) for name in CLAIMS}
    rows = list(csv.DictReader(io.StringIO(report.claims_table(results))))
    assert [row["claim"] for row in rows] == list(CLAIMS)
    for row in rows:
        found = results[row["claim"]]
        assert row["verdict"] == found.verdict
        effects = [float(x) for x in row["effects"].split()]
        assert effects == pytest.approx(list(found.counted), rel=1e-5)
        assert len(row["seeds"].split()) == len(effects)
        if effects:
            assert float(row["mean"]) == pytest.approx(np.mean(effects), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "**not run**"), (2, "**undecided (first look to come)**"),
        (5, "**undecided (about {} seeds would decide it; second look to come)**"),
        (20, "**undecided (about {} seeds would decide it)**"),
    ],
)  # fmt: skip
def test_an_undecided_claim_says_what_it_would_take(count, words, store):
    for seed in range(1, count + 1):
        wanders = 112.0 * (1 + 0.3 * (-1) ** seed)
        store.add("arms", "base", seed, record(frechet=100.0, live=wanders))
    found = ledger.result("ema", store)
    assert words.format(found.needed) in report.table({"ema": found})
    assert "None" not in report.table({"ema": found})


def test_the_page_shows_what_is_measured_and_leaves_short_runs_to_a_file(store):
    page = report.claims_page(store)
    shown = {name for name in CLAIMS if f"(`{name}`)" in page}
    assert shown == {name for name, claim in CLAIMS.items() if claim.measure} != set(CLAIMS)
    assert f"{len(CLAIMS) - len(shown)} of them are kept" in page
    assert "seeds 1\nto 20 are the last" in page
