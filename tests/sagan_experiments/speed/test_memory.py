"""A process's memory is that of the product that it computed."""

import pytest

from sagan_experiments.speed import memory


def test_a_map_takes_its_memory_and_wrong_arguments_are_refused():
    maps = 8 * 4 * 32**4 / 2**20  # MiB
    assert memory.product_mib(32, 8, "dense") > 0.9 * maps
    for arguments in ((0, 1, "dense"), (4, 0, "dense"), (4, 1, "x")):
        with pytest.raises(ValueError, match="must be"):
            memory.product_mib(*arguments)
