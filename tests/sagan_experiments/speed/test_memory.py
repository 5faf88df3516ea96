"""A process's memory is that of the product that it computed."""

import pytest

from sagan_experiments.speed import memory


def test_the_peak_is_of_this_process_and_never_falls():
    before = memory.peak_memory()
    block = bytearray(64 * 2**20)
    assert memory.peak_memory() >= before > 2**20
    del block


def test_the_command_prints_one_number(capsys):
    memory.main(["--side", "4", "--batch", "2", "--channels", "8", "--method", "dense"])
    assert float(capsys.readouterr().out) >= 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0, 1), "side must be at least 1"), ((4, 0), "batch must be at least 1"),
     ((4, 1, 4), "channels must be at least 8"), ((4, 1, 8, "x"), "method must be one of")],
)  # fmt: skip
def test_wrong_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        memory.product_mib(*arguments)
