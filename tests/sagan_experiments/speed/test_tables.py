"""The benchmark's results as text and figure."""

import pytest

from sagan_experiments.speed import tables as speed_report


def test_what_cannot_run_is_recorded_with_its_reason(results):
    assert results["cases"][0]["contenders"]["torch"] == {"failed": "ImportError: no torch here"}
    assert "no torch here" in speed_report.table(results)


def test_the_figure_has_a_bar_for_every_contender(results):
    figure = speed_report.figure(results)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "ours", "keras", "torch",
    ]  # fmt: skip
    assert "not run" in [text.get_text() for text in figure.axes[0].texts]


def result(date, **times):
    """A result of one case with these times over ours."""
    contenders = {name: {"time_over_ours": ratio} for name, ratio in times.items()}
    contenders["torch_compile"] = {"failed": "no compiler"}
    case = {
        "size": "32x16", "variant": "article", "contenders": contenders,
        "counts": {"article": {"step_flops": 5}},
        "attention": {"article": {"extra_over_bound": 2.04}},
    }  # fmt: skip
    return {"machine": "one", "provenance": {"date": date}, "cases": [case]}


def test_the_newest_result_is_one():
    old, new = result("2026-11-02"), result("2026-11-10")
    assert speed_report.newest([new, old]) is new
    for tie in ([new, old, result("2026-11-10")], []):
        with pytest.raises(ValueError, match="one result must be the newest"):
            speed_report.newest(tie)


def test_the_largest_case_is_that_of_most_operations():
    found = result("2026-11-02")
    found["cases"].append(found["cases"][0] | {"counts": {"article": {"step_flops": 7}}})
    found["cases"].append(found["cases"][0])
    assert speed_report.largest(found) is found["cases"][1]


def test_others_are_compared_as_they_come_and_tuned():
    found = result("2026-11-02", keras=1.2, keras_default=2.5, torch=1.9, article_default=4)
    row = speed_report.against(found).splitlines()[-1]
    assert row == "| 32x16 | torch: 1.90 times ours | keras: 1.20 times ours | 2.0 |"
    nobody = speed_report.against(result("2026-11-02")).splitlines()[-1]
    assert nobody == "| 32x16 | not measured | not measured | 2.0 |"
