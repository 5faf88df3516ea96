"""The benchmark's results as text and figure."""

import json

import pytest

from sagan_experiments.speed import tables
from sagan_lib import shipped


@pytest.mark.full
def test_what_was_not_run_is_in_the_table_and_in_the_figure(results):
    assert "no torch here" in tables.table(results)
    axis = tables.figure(results).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["ours", "ours_no_attention", "keras", "torch"]
    assert "not run" in [text.get_text() for text in axis.texts]


def test_the_stored_result_can_be_read():
    stored = json.loads((shipped.folder() / "results" / "bench_amd_epyc.json").read_text())
    assert len(tables.table(stored).splitlines()) > 4 * len(stored["cases"])
    assert "not measured" not in tables.against(stored)
    assert len(tables.figure(stored).axes) == len(stored["cases"])


def result(date, **times):
    """A result of one case with these times over ours."""
    contenders = {name: {"time_over_ours": ratio} for name, ratio in times.items()}
    case = {
        "size": "32x16", "contenders": contenders | {"torch_compile": {"failed": "no compiler"}},
        "counts": {"article": {"step_flops": 5}},
        "attention": {"article": {"extra_over_bound": 2.04}},
    }  # fmt: skip
    return {"machine": "one", "provenance": {"date": date}, "cases": [case]}


def test_the_newest_result_is_one_and_its_largest_case_has_most_operations():
    old, new = result("2026-11-02"), result("2026-11-10")
    assert tables.newest([new, old]) is new
    for tie in ([new, old, result("2026-11-10")], []):
        with pytest.raises(ValueError, match="one result must be the newest"):
            tables.newest(tie)
    new["cases"].insert(0, new["cases"][0] | {"counts": {"article": {"step_flops": 7}}})
    assert tables.largest(new) is new["cases"][0]


def test_others_are_compared_as_they_come_and_tuned():
    found = result("2026-11-02", keras=1.2, keras_default=2.5, torch=1.9, article_default=4)
    row = tables.against(found).splitlines()[-1]
    assert row == "| 32x16 | torch: 1.90 times ours | keras: 1.20 times ours | 2.0 |"
    nobody = tables.against(result("2026-11-02")).splitlines()[-1]
    assert nobody == "| 32x16 | not measured | not measured | 2.0 |"
