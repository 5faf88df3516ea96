"""The discriminator that pools: DCGAN's, with each stride replaced by a maximum."""

import numpy as np

from sagan_experiments import pooling
from sagan_lib import cost, dcgan


def test_it_has_the_parameters_of_dcgan_and_computes_about_four_times_as_much():
    ours, theirs = pooling.discriminator(32, 8), dcgan.discriminator(32, 8)
    assert ours.count_params() == theirs.count_params()
    generator = dcgan.generator(32, 8, 8)
    work = [cost.plan(generator, net, 4, 1).step_flops for net in (ours, theirs)]
    assert 2 < work[0] / work[1] < 4  # G's part is the same in both


def test_no_convolution_strides_and_every_map_is_halved_by_a_maximum():
    net = pooling.discriminator(32, 4)
    assert {layer.strides for layer in net.layers if "conv" in layer.name} == {(1, 1)}
    sides = [layer.output.shape[1] for layer in net.layers if "pooling" in layer.name]
    assert sides == dcgan.down_sides(32)
    images = np.zeros((2, 32, 32, 3), np.float32)
    assert net(images).shape == (2, 1)
