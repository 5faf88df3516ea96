"""What cannot be measured is refused; that a map takes its memory is test_attend's subject."""

import pytest

from sagan_experiments.speed import memory


@pytest.mark.parametrize(
    "arguments", [((0,), 1, "dense"), ((4,), 0, "dense"), ((4,), 1, "x"), ((), 1, "dense")]
)
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        memory.product_mib(*arguments)
