"""The benchmark's results as text and figure."""

import json

import pytest

from experiments.__main__ import main
from experiments.speed import report as speed_report


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run of ours, keras and a PyTorch that cannot be imported, through the command line."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "torch.py").write_text("raise ImportError('no torch here')\n")
    out = folder / "new" / "bench.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        line = "bench --sizes 16x4 --batch-size 4 --contenders ours,keras,torch --rounds 2"
        assert main([*line.split(), "--seconds", "60", "--out", str(out)]) == 0
    return json.loads(out.read_text())


def test_what_cannot_run_is_recorded_with_its_reason(results):
    assert results["cases"][0]["contenders"]["torch"] == {"failed": "ImportError: no torch here"}
    assert "no torch here" in speed_report.table(results)


def test_the_figure_has_a_bar_for_every_contender(results):
    figure = speed_report.figure(results)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "ours", "keras", "torch",
    ]  # fmt: skip
    assert "not run" in [text.get_text() for text in figure.axes[0].texts]
