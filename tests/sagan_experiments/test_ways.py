"""Ways and variants: a variant differs in what it names, a trial in its rates."""

import pytest

from sagan_experiments import arms, ways


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


def test_other_batches_see_as_many_images_and_other_widths_are_built():
    fair = arms.PROTOCOLS["fair"]
    assert arms.steps_of(ways.arm("sn_batch16"), fair) == 2 * fair.steps
    assert arms.steps_of(ways.arm("sn_batch128"), fair) == fair.steps // 4
    usual, wide = (arms.networks_of(ways.arm(name), fair)[0].count_params()
                   for name in ("sn", "sn_width32"))  # fmt: skip
    assert wide > 2 * usual
