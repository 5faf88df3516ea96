"""One short benchmark that the tests of its parts share."""

import json

import pytest

from sagan_experiments.__main__ import main
from sagan_experiments.speed import bench

NO_TORCH = """import sys
raise ImportError(f"no torch here, and TensorFlow beside it: {'tensorflow' in sys.modules}")
"""


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A run of three of ours and a PyTorch that cannot be imported, by the command line."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "torch.py").write_text(NO_TORCH)
    out = folder / "new" / "bench.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setattr(bench, "SLICE", 0.1)
        line = "bench --sizes 16x4 --contenders ours,ours_no_attention,keras,torch --rounds 2"
        assert main([*line.split(), "--out", str(out)]) == 0
    return json.loads(out.read_text())
