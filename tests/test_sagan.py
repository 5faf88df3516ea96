"""SAGAN: the article's channel plan, normalization everywhere, attention where it is asked for."""

import keras
import pytest

from sagan_lib import dcgan, sagan
from sagan_lib.attention import attention_layers
from sagan_lib.spectral_norm import normalized_layers

BUILDERS = {"generator": sagan.generator, "discriminator": sagan.discriminator}
PLAIN = (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dense)


@pytest.mark.parametrize("resolution", dcgan.RESOLUTIONS)
def test_shapes_at_every_resolution(resolution):
    g, d = sagan.generator(resolution, 8, 10), sagan.discriminator(resolution, 8)
    assert g.output_shape == (None, resolution, resolution, 3)
    assert d.input_shape == g.output_shape
    assert d.output_shape == (None, 1)


def test_the_articles_channels_at_128():
    g, d = sagan.generator(), sagan.discriminator()
    shapes = [g.get_layer(f"up{side}").output.shape[1:] for side in (8, 16, 32, 64, 128)]
    assert shapes == [(8, 8, 256), (16, 16, 128), (32, 32, 64), (64, 64, 32), (128, 128, 16)]
    assert g.get_layer("project").output.shape[1:] == (4 * 4 * 512,)
    shapes = [d.get_layer(f"down{side}").output.shape[1:] for side in (64, 32, 16, 8, 4)]
    assert shapes == [(64, 64, 32), (32, 32, 64), (16, 16, 128), (8, 8, 256), (4, 4, 512)]
    for model in (g, d):
        assert attention_layers(model)[0].output.shape[1:] == (32, 32, 64)


def test_every_weight_layer_is_normalized_dense_ones_too():
    for model in (sagan.generator(32, 8), sagan.discriminator(32, 8)):
        with_kernel = [x for x in model._flatten_layers() if isinstance(x, PLAIN)]
        assert with_kernel == normalized_layers(model)
        kernels = [w for w in model.weights if w.name == "kernel"]
        assert len(kernels) == len(normalized_layers(model))
    for model in (sagan.generator(32, 8, use_sn=False), sagan.discriminator(32, 8, use_sn=False)):
        assert not normalized_layers(model)


def test_norms_and_activations():
    g, d = sagan.generator(32, 8), sagan.discriminator(32, 8)
    names = [type(x).__name__ for x in g.layers]
    assert names.count("BatchNormalization") == names.count("ReLU") == 4
    names = [type(x).__name__ for x in d.layers]
    assert "BatchNormalization" not in names
    assert {x.negative_slope for x in d.layers if type(x).__name__ == "LeakyReLU"} == {0.1}


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("side", [8, 16, 32])
def test_attention_is_where_it_is_asked_for(name, side):
    model = BUILDERS[name](64, 8, attention_at=side)
    assert [x.output.shape[1] for x in attention_layers(model)] == [side]
    assert not attention_layers(BUILDERS[name](64, 8, attention_at=None))


@pytest.mark.parametrize(("resolution", "side"), [(16, 8), (32, 16), (64, 32), (256, 32)])
def test_default_place_of_attention(resolution, side):
    model = sagan.generator(resolution, 8)
    assert attention_layers(model)[0].output.shape[1] == side
