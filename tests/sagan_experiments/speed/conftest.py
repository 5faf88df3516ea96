"""One short benchmark that the tests of its parts share."""

import json

import pytest

from sagan_experiments.__main__ import main


@pytest.fixture(scope="session")
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
