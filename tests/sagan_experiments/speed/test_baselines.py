"""Other ways to write the step: equal networks, steps that train."""

import dataclasses

import keras
import numpy as np
import pytest

from sagan_experiments.speed import baselines, bench, worker
from sagan_experiments.speed import case as cases

pytestmark = pytest.mark.full

TINY = cases.case("16x4", batch=4)


def weights(model):
    return [v.numpy() for v in model.trainable_variables]


@pytest.mark.parametrize("variant", ["article", "pooled"])
@pytest.mark.parametrize("kit", ["KERAS", "ARTICLE"])
def test_a_peers_networks_have_our_shapes_and_parameters(kit, variant):
    case = cases.case("32x8", variant)
    ours = baselines.our_networks(case)
    theirs = baselines.skeleton(case, getattr(baselines, kit))
    for a, b in zip(ours, theirs, strict=True):
        assert (a.input_shape, a.output_shape) == (b.input_shape, b.output_shape)
        shapes = [sorted(tuple(v.shape) for v in m.trainable_variables) for m in (a, b)]
        assert shapes[0] == shapes[1]
    expected = baselines.Contender(None, *ours).parameters
    assert expected == sum(m.count_params() for m in ours) - sum(
        v.numpy().size for m in ours for v in m.non_trainable_variables
    )
    bench.check_parameters(kit, baselines.Contender(None, *theirs).parameters, expected)


@pytest.fixture(autouse=True)
def float32_again():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", ["ours", "ours_bfloat16", "keras", "article", "article_eager"])
def test_a_step_trains_both_networks(name):
    made = baselines.build(name, TINY)
    before = [weights(m) for m in (made.generator, made.discriminator)]
    assert worker.timed(made.step, 1) > 0
    assert all(np.isfinite(float(loss)) for loss in made.step())
    for old, model in zip(before, (made.generator, made.discriminator), strict=True):
        moved = [not np.array_equal(a, b) for a, b in zip(old, weights(model), strict=True)]
        assert np.mean(moved) > 0.5  # what is behind gamma = 0 waits for gamma
        assert moved[0]
        assert moved[-2]  # a hinge with no score beyond 1 leaves the last bias where it is


def test_the_articles_normalization_divides_by_the_largest_singular_value():
    made = baselines.build("article_eager", dataclasses.replace(TINY, width=8))
    layer = next(x for x in made.discriminator.layers if isinstance(x, baselines.ArticleNorm))
    x = baselines.images(TINY)
    for _ in range(100):
        y = layer(x)
    kernel, bias = (v.numpy() for v in (layer.layer.kernel, layer.layer.bias))
    raw = layer._apply(x, kernel).numpy() - bias
    sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
    np.testing.assert_allclose(y.numpy() - bias, raw / sigma, rtol=1e-4, atol=1e-5)
