"""Two discs of one colour: what is drawn, what is read, and what is refused."""

import numpy as np
import pytest

from sagan_lib.datasets import discs
from sagan_lib.datasets.discs import Discs
from sagan_lib.datasets.faces import IRIS
from sagan_lib.datasets.source import from_bytes, to_bytes
from sagan_lib.evaluation import metrics


@pytest.mark.parametrize(("resolution", "distance"), [(32, 10), (32, 22), (64, 54)])
def test_the_reader_reads_what_was_drawn(resolution, distance):
    data = Discs(resolution, 500, population=3, distance=distance)
    seen = discs.read(from_bytes(data.images), distance)
    np.testing.assert_array_equal(seen, np.stack([data.colours] * 2, 1))
    assert metrics.agreement(*seen.T) == 1
    assert set(data.colours) == set(range(len(IRIS)))


def test_one_disc_of_another_colour_is_seen():
    left, right = (from_bytes(Discs(32, 200, number).images) for number in (1, 2))
    mixed = np.concatenate([left[:, :, :16], right[:, :, 16:]], 2)
    expected = np.stack([Discs(32, 200, number).colours for number in (1, 2)], 1)
    np.testing.assert_array_equal(discs.read(mixed, 22), expected)
    assert metrics.agreement(*discs.read(mixed, 22).T) < 0.2


def test_the_discs_stand_apart_and_inside():
    """Between and around the discs is background, whatever moved them."""
    images = Discs(32, 2000, distance=10).images.astype(int)
    background = images[:, :1, :1]
    assert (images[:, :, 15:17] == background).all((1, 2, 3)).mean() > 0.5  # at most edges meet
    far = Discs(32, 2000, distance=22).images.astype(int)
    assert (far[:, :, 15:17] == background).all()
    assert (far[:, :10] == far[:, :1, :1]).all()
    assert (far[:, 22:] == far[:, :1, :1]).all()


def test_the_two_discs_move_on_their_own():
    images = from_bytes(Discs(32, 1000, distance=22).images)
    ink = np.abs(images - images[:, :1, :1]).sum(-1) > 0.1
    rows = np.arange(32)[:, None]
    centers = [(ink[:, :, half] * rows).sum((1, 2)) / ink[:, :, half].sum((1, 2))
               for half in (slice(0, 16), slice(16, 32))]  # fmt: skip
    assert abs(np.corrcoef(*centers)[0, 1]) < 0.1
    assert np.ptp(centers[0]) > 2


def test_held_out_pairs_are_of_two_other_populations():
    data = Discs(32, 20)
    real, held_out = data.held_out(6, 4)
    assert (real.shape, held_out.shape) == ((6, 32, 32, 3), (4, 32, 32, 3))
    known = {image.tobytes() for image in data.images}
    shown = [to_bytes(image).tobytes() for image in (*real, *held_out)]
    assert len({*known, *shown}) == 20 + 10


def test_recoloured_changes_the_disc_that_it_says_and_nothing_else():
    neither, left, right, both = discs.recoloured(20, 32, 22, turn=2)
    before, half = discs.read(neither, 22), 16
    assert (before[:, 0] == before[:, 1]).all()
    turned = (before[:, 0] + 2) % len(IRIS)
    for images, changed in ((left, [True, False]), (right, [False, True]), (both, [True, True])):
        now = discs.read(images, 22)
        for side, moved in enumerate(changed):
            assert (now[:, side] == (turned if moved else before[:, side])).all()
    np.testing.assert_array_equal(left[:, :, half:], neither[:, :, half:])
    np.testing.assert_array_equal(right[:, :, :half], neither[:, :, :half])
    np.testing.assert_array_equal(both[:, :, :half], left[:, :, :half])
    with pytest.raises(ValueError, match="turn must be"):
        discs.recoloured(2, turn=len(IRIS))
