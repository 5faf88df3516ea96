"""Noise and images of a generator: repeatable, and cut where that is asked."""

import numpy as np
from scipy.stats import kstest, truncnorm

from sagan_lib import dcgan, sampling


def test_truncation_cuts_the_noise_and_keeps_its_shape():
    z = sampling.latent(4000, 8, truncation=0.5).numpy()
    assert np.abs(z).max() <= 0.5
    assert abs(z.mean()) < 0.01
    assert kstest(z.ravel(), truncnorm(-0.5, 0.5).cdf).pvalue > 1e-3
    assert kstest(sampling.latent(4000, 8).numpy().ravel(), "norm").pvalue > 1e-3


def test_image_i_is_the_same_however_many_there_are_and_however_they_are_made():
    net = dcgan.generator(16, 4, 8)
    images = sampling.generate(net, 5, seed=3)
    assert images.shape == (5, 16, 16, 3)
    assert images.dtype == np.float32
    np.testing.assert_allclose(sampling.generate(net, 2, seed=3), images[:2], atol=1e-6)
    np.testing.assert_allclose(sampling.generate(net, 5, 3, batch_size=2), images, atol=1e-5)
    assert not np.array_equal(sampling.generate(net, 5, seed=4), images)
