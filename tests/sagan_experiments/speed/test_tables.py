"""The benchmark's results: which is looked at, and as text."""

import json

import pytest

from sagan_experiments.speed import tables
from sagan_lib import shipped


@pytest.mark.full
def test_what_was_not_run_is_in_the_table(results):
    assert "no torch here" in tables.table(results)


def test_the_stored_result_can_be_read():
    stored = json.loads((shipped.folder() / "results" / "bench_amd_epyc.json").read_text())
    assert len(tables.table(stored).splitlines()) > 4 * len(stored["cases"])


def result(date):
    """A result of one case."""
    case = {"size": "32x16", "contenders": {}, "counts": {"article": {"step_flops": 5}}}
    return {"machine": "one", "provenance": {"date": date}, "cases": [case]}


def test_the_newest_result_is_one_and_its_largest_case_has_most_operations():
    old, new = result("2026-11-02"), result("2026-11-10")
    assert tables.newest([new, old]) is new
    for tie in ([new, old, result("2026-11-10")], []):
        with pytest.raises(ValueError, match="one result must be the newest"):
            tables.newest(tie)
    new["cases"].insert(0, new["cases"][0] | {"counts": {"article": {"step_flops": 7}}})
    assert tables.largest(new) is new["cases"][0]
