"""A case from its size."""

from sagan_experiments.speed import case


def test_a_size_gives_a_case_with_attention_at_its_default_place():
    assert case.case("32x16") == case.Case(32, 16, 64, 16, 128)
    assert case.case("128x8", 4) == case.Case(128, 8, 4, 32, 128)
