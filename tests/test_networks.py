"""The pair of networks: every switch reaches the layers that it is for."""

import keras
import pytest

from sagan_lib import networks
from sagan_lib.spectral_norm import normalized_layers


@pytest.mark.parametrize(("sn", "expected"), networks.NORMALIZED.items())
def test_sn_is_in_the_networks_that_are_asked_for(sn, expected):
    pair = networks.build("sagan", 16, 4, 8, sn=sn)
    assert tuple(bool(normalized_layers(model)) for model in pair) == expected


def test_every_normalized_layer_gets_the_power_iterations_attention_included():
    for model in networks.build("sagan", 16, 8, 8, attention_at=8, power_iterations=3):
        assert {layer.power_iterations for layer in normalized_layers(model)} == {3}


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [("sagan", None, 0.1), ("dcgan", None, 0.2), ("sagan", 0.0, 0.0), ("dcgan", 0.02, 0.02)],
)
def test_the_slope_is_the_kinds_unless_given(kind, given, expected):
    layers = networks.build(kind, 16, 4, 8, slope=given)[1].layers
    slopes = {x.negative_slope for x in layers if isinstance(x, keras.layers.LeakyReLU)}
    assert list(slopes) == [pytest.approx(expected)]


@pytest.mark.parametrize("kind", networks.KINDS)
def test_batch_norm_is_left_out_where_asked(kind):
    for model in networks.build(kind, 16, 4, 8, batch_norm=False):
        assert not [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]


@pytest.mark.parametrize("kind", networks.KINDS)
def test_a_variant_is_looked_at_though_nothing_attends(kind):
    with pytest.raises(ValueError, match=r"variant must be one of .*got 'poooled'"):
        networks.build(kind, 16, 4, 8, variant="poooled")


def test_without_batch_norm_sagans_generator_has_biases_in_its_place():
    biases = [
        {layer.name for layer in net.layers if getattr(layer, "use_bias", False)}
        for net in (networks.build("sagan", 16, 4, 8, batch_norm=x)[0] for x in (True, False))
    ]
    assert biases[1] - biases[0] == {"up8", "up16"}
