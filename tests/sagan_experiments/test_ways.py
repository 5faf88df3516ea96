"""Ways and variants: a variant differs in what it names, a trial in its rates."""

import dataclasses

import pytest
from records import TINY

from sagan_experiments import arms, ledger, ways
from sagan_lib.conditional import ConditionalBatchNormalization
from sagan_lib.datasets import faces
from sagan_lib.datasets.labels import Labels


def test_a_trial_differs_from_what_it_tries_in_its_rates_alone():
    assert len(ways.TRIALS) == len([*ways.WAYS, *ways.VARIANTS]) * len(ways.RATES) ** 2
    for name, arm in ways.TRIALS.items():
        tried = name.partition("@")[0]
        free = {"g_rate": 1.0, "d_rate": 1.0}
        assert vars(arm) | free == vars(ways.arm(tried)) | free
        assert name == ways.at_rates(tried, arm.g_rate, arm.d_rate)
        assert ways.rates_of(name) == (arm.g_rate, arm.d_rate)


@pytest.mark.parametrize("name", ways.VARIANTS)
def test_a_variant_changes_what_it_names_and_does_change_it(name):
    way, changes = ways.VARIANTS[name]
    assert changes.items() <= vars(ways.arm(name)).items()
    assert ways.arm(name) != ways.WAYS[way]


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of .*got 'svd'"):
        ways.at_rates("svd", 1e-3, 1e-3)


def test_other_batches_see_as_many_images_and_a_long_run_twice_as_many():
    fair = arms.PROTOCOLS["fair"]
    small = dataclasses.replace(ways.arm("r1"), batch_size=fair.batch_size // 2)
    assert arms.steps_of(small, fair) == 2 * fair.steps
    assert arms.steps_of(ways.arm("sn_100_long"), fair) == 2 * fair.steps


@pytest.mark.full
@pytest.mark.parametrize(("name", "joined", "beside"), [
    ("sn_hair", 0, 0), ("sn_hair_join", 5, 0), ("sn_hair_concatenate", 0, 5),
])  # fmt: skip
def test_a_label_is_told_as_a_variant_says_and_its_obedience_is_scored(name, joined, beside, store):
    arm, told = ways.TRIALS[f"{name}@0.001/0.001"], Labels(faces.labels_of("hair").factors)
    tiny = dataclasses.replace(TINY, follow=True, first_weights="by layer")
    model = arms.build(arm, tiny, 1)
    first = [next(layer for layer in net.layers if hasattr(layer, "kernel"))
             for net in (model.generator, model.discriminator)]  # fmt: skip
    assert model.labels == told
    assert [x.kernel.shape[-2] for x in first] == [4 + joined, 3 + beside]
    norms = [layer for layer in model.generator.layers
             if isinstance(layer, ConditionalBatchNormalization)]  # fmt: skip
    assert bool(norms) == (not joined)
    found = arms.run(arm, 1, tiny)
    assert 0 <= found["obeyed"] <= 1
    assert found["library"] == arms.library(labels=True) != arms.library()
    for curve in ("curve", "agreement_curve", "coverage_curve"):
        assert [step for step, _ in found[curve]] == [2, 4]
    assert found["coverage"] == found["coverage_curve"][-1][1]
    store.add("arms", f"{name}@0.001/0.001", 1, found)
    assert ledger.open_store(store.path).seeds("arms", f"{name}@0.001/0.001") == {1: found}
