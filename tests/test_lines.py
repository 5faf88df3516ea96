"""One line for each file, with and without workers; a failure is told when it happens, and once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

BOOK = Path(__file__).resolve().parent.parent / "_book"


@pytest.mark.parametrize("workers", [["-p", "no:xdist"], ["-n", "2", "--dist", "loadfile"]])
def test_each_file_has_one_line_and_the_files_left(tmp_path, workers):
    (tmp_path / "test_a.py").write_text("def test_1(): pass\ndef test_2(): assert 0, 'why'\n")
    (tmp_path / "test_b.py").write_text("def test_1(): pass\ndef test_2(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "lines", "-c", "/dev/null", "-ra", *workers, "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(BOOK)},
    )  # fmt: skip
    lines = [line.strip() for line in done.stdout.splitlines()]
    told = sorted(line for line in lines if "left" in line)
    assert [line.split(";")[0] for line in told] == [
        "test_a.py: 1 FAILED, 0 s", "test_b.py: passed, 0 s",
    ]  # fmt: skip
    assert sorted(line.split("; ")[1] for line in told) == ["0 left", "1 left"]
    assert done.returncode == 1
    assert done.stdout.count("AssertionError: why") == 2, "its trace, and the summary's line"
    assert done.stdout.index("AssertionError: why") < done.stdout.index("0 left")
    assert lines[-1].startswith("=") or "1 failed, 3 passed" in lines[-1]
    assert not [line for line in lines if line.startswith("..")], "dots"
