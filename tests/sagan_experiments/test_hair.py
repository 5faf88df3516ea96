"""Faces of one colour of hair: which they are, and that scoring and training share none."""

import numpy as np
import pytest

from sagan_experiments.hair import NAMES, Hair
from sagan_lib.datasets import faces
from sagan_lib.datasets.source import from_bytes


@pytest.mark.parametrize("others", [False, True])
def test_all_faces_are_of_the_kind_and_those_to_train_on_are_none_of_those_that_score(others):
    data = Hair("red", others, 16, 30, population=4)
    hair = faces.factors(data.indices, 4).hair
    assert ((hair == NAMES.index("red")) != others).all()
    assert (data.size, data.images.shape) == (30, (30, 16, 16, 3))
    np.testing.assert_array_equal(data.indices[:5], Hair("red", others, 16, 5, 4).indices)
    whole = faces.Faces(16, 200, 4).images
    np.testing.assert_array_equal(data.images, whole[data.indices])
    sets = [from_bytes(data.images), *data.held_out(20, 10)]
    assert [len(each) for each in sets] == [30, 20, 10]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        distances = np.abs(sets[first][:, None] - sets[second][None]).mean((2, 3, 4))
        assert distances.min() > 0.01
    read = faces.factors(np.arange(50), 4)
    expected = np.mean((read.hair == 3) != others)
    assert data.share(read) == pytest.approx(expected)


def test_training_sees_all_of_them_and_what_is_set_aside_is_fresh():
    data = Hair("red", size=12, resolution=16)
    batch = next(iter(data.batches(12, count=1))).numpy()
    ours = sorted(map(bytes, from_bytes(data.images)))
    sums = (np.sort(each.sum((1, 2, 3))) for each in (batch, from_bytes(data.images)))
    np.testing.assert_allclose(*sums, rtol=1e-3)
    same, fresh = data.split(7)
    assert same is data
    assert not set(map(bytes, fresh)) & set(ours)
    assert len(fresh) == 7


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match=r"colour must be one of .*got 'green'"):
        Hair("green")
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        Hair("red", size=0)
    with pytest.raises(ValueError, match="population must be none of"):
        Hair("red", population=2001)
    with pytest.raises(ValueError, match="real must be at least 1, got 0"):
        Hair("red").held_out(0, 1)
