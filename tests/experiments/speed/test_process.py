"""One contender's process."""

import pytest

from experiments.speed import case as cases
from experiments.speed import process

TINY = cases.case("16x4", batch=4)


def test_a_process_that_dies_gives_a_reason():
    child = object.__new__(process.Child)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.sys, "executable", "/bin/false")
        with pytest.raises(RuntimeError, match="ended with status 1"):
            child.__init__("ours", TINY, 20)
