"""Recipes: named runs that can be changed, resumed and told from each other."""

import dataclasses

import pytest

from sagan_lib import attention, conditional, dcgan, losses, networks, ttur
from sagan_lib.cli import recipes
from sagan_lib.cli.recipes import RECIPES
from sagan_lib.datasets import registry

#: Field of a recipe -> the names that it takes, from the code that takes them.
NAMES = {
    "kind": networks.KINDS, "data": registry.SOURCES, "resolution": dcgan.RESOLUTIONS,
    "variant": attention.VARIANTS, "rates": ttur.PRESETS, "loss": losses.LOSSES,
    "tell_g": conditional.TELL_G,
}  # fmt: skip


def test_changes_are_made_to_a_copy_and_attention_moves_with_the_resolution():
    before = dataclasses.asdict(RECIPES["faces32"])
    changed = recipes.get("faces32", resolution=128, rates="dcgan")
    assert (changed.resolution, changed.attention_at, changed.rates) == (128, 32, "dcgan")
    assert recipes.get("faces32", resolution=16).attention_at == 8
    assert recipes.get("faces32", resolution=64, attention_at=16).attention_at == 16
    assert recipes.get("faces32", resolution=64, attention_at=None).attention_at is None
    assert recipes.get("dcgan32", resolution=64).attention_at is None
    assert recipes.get("faces32") == RECIPES["faces32"]
    assert dataclasses.asdict(RECIPES["faces32"]) == before


@pytest.mark.parametrize("field", dataclasses.fields(recipes.Recipe), ids=lambda each: each.name)
def test_the_help_of_a_field_lists_every_name_that_it_takes(field):
    names = tuple(NAMES.get(field.name, ()))
    assert field.metadata["names"] == names
    for name in names:
        assert str(name) in field.metadata["help"]
    assert not names or field.default in names


@pytest.mark.parametrize(
    ("pictures", "augment", "said", "unsaid"),
    [
        (300, None, ["300 pictures are few", "d_gap", "--augment color,translation"], "copies"),
        (300, "color", ["300 pictures are few"], "--augment"),
        (60, None, ["--augment", "copies of them"], "many"),
    ],
)
def test_few_pictures_are_told_what_to_expect(pictures, augment, said, unsaid):
    told = recipes.advice(pictures, augment)
    assert all(words in told for words in said)
    assert unsaid not in told
    assert recipes.advice(recipes.FEW) == ""


@pytest.mark.parametrize(("pictures", "wanted"), [(9, 0), (300, 30), (5000, 500), (60_000, 500)])
def test_a_tenth_is_held_out_but_500_at_most(pictures, wanted):
    assert recipes.holdout(pictures) == wanted
