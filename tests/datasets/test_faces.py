"""Procedural faces: the same index is the same picture, and the picture shows its factors."""

from dataclasses import fields

import numpy as np
import pytest

from sagan_lib.datasets import faces
from sagan_lib.datasets.source import shuffled_indices, to_bytes

NAMES = [field.name for field in fields(faces.Factors)]
PALETTES = {
    "left_iris": faces.IRIS, "right_iris": faces.IRIS, "hair": faces.HAIR, "skin": faces.SKIN,
}  # fmt: skip


@pytest.fixture(scope="module")
def many():
    """The factors of 20,000 faces with independent eyes."""
    return faces.factors(np.arange(20_000), population=3, independent_eyes=True)


@pytest.fixture(scope="module")
def drawn():
    """400 faces with independent eyes and their 32-pixel pictures."""
    record = faces.factors(np.arange(400), population=4, independent_eyes=True)
    return record, faces.render(record, 32)


def splitmix(x):
    """The finaliser in plain Python integers, from the paper's listing."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def draw_by_hand(seed, index, stream):
    golden = 0x9E3779B97F4A7C15
    key = splitmix((seed * golden + stream + golden) % 2**64)
    return (splitmix(splitmix((index * golden + key) % 2**64) ^ key) >> 11) / 2**53


def place(record, x, y, resolution):
    """Row and column of the pixel that shows the point (x, y) of the upright, centred face."""
    x, y = x * record.scale * record.width, y * record.scale
    right = np.cos(record.tilt) * x - np.sin(record.tilt) * y + record.center_x
    down = np.sin(record.tilt) * x + np.cos(record.tilt) * y + record.center_y
    to_pixel = lambda t: np.floor((t + 1) / 2 * resolution).astype(int)  # noqa: E731
    return to_pixel(down), to_pixel(right)


def nearest(colours, palette):
    """Index of the palette's colour nearest to each of colours (n, 3) in [-1, 1]."""
    distance = np.linalg.norm((colours[:, None] + 1) / 2 - palette[None], axis=-1)
    return distance.argmin(1)


def plain(n=1, **changes):
    """Upright, centred faces that look straight ahead."""
    middle = dict.fromkeys(("tilt", "center_x", "center_y", "gaze", "smile"), 0)
    record = faces.factors(np.arange(n))
    return record.replace(**middle, scale=1, width=1).replace(**changes)


def test_factors_are_the_published_hash_of_population_index_and_factor():
    for population in (0, 7, 2**63 + 5):
        record = faces.factors([0, 3, 10**12], population, independent_eyes=True)
        for row, index in enumerate((0, 3, 10**12)):
            for stream, name in enumerate(NAMES):
                u = draw_by_hand(population, index, stream)
                if name in faces.CATEGORIES:
                    assert getattr(record, name)[row] == int(u * faces.CATEGORIES[name])
                else:
                    low, high = faces.RANGES[name]
                    assert getattr(record, name)[row] == pytest.approx(low + (high - low) * u)


@pytest.mark.parametrize("resolution", [16, 32, 50, 64, 128, 256])
def test_a_face_is_the_same_whatever_else_is_drawn(resolution):
    n = 3 if resolution > 32 else 150  # more than two blocks of 64
    together = faces.render(faces.factors(np.arange(n)), resolution)
    alone = faces.render(faces.factors([1, n - 1]), resolution)
    assert together.shape == (n, resolution, resolution, 3)
    np.testing.assert_array_equal(alone, together[[1, n - 1]])
    assert len(np.unique(together.reshape(n, -1), axis=0)) == n
    assert together.dtype == np.float32
    assert -1 <= together.min() < together.max() <= 1


def test_both_irises_are_equal_by_default_and_only_they_depend_on_the_switch(many):
    default = faces.factors(np.arange(len(many)), population=3)
    np.testing.assert_array_equal(default.left_iris, default.right_iris)
    for name in set(NAMES) - {"right_iris"}:
        np.testing.assert_array_equal(getattr(default, name), getattr(many, name))


#: (factor, point of the face where its colour shows). "hair" is above the forehead.
POINTS = [("left_iris", -0.28, 0.02), ("right_iris", 0.28, 0.02), ("hair", 0, -0.66),
          ("skin", 0.35, 0.4)]  # fmt: skip


@pytest.mark.parametrize(("name", "x", "y"), POINTS)
def test_colours_can_be_read_off_a_32_pixel_picture(drawn, name, x, y):
    record, images = drawn
    row, column = place(record, x + (record.gaze if "iris" in name else 0), y, 32)
    colours = images[np.arange(len(record)), row, column]
    assert np.mean(nearest(colours, PALETTES[name]) == getattr(record, name)) > 0.995


def test_an_iris_has_the_radius_that_the_card_gives():
    record = plain(left_iris=0, right_iris=3, skin=0)
    image = (faces.render(record, 256)[0] + 1) / 2
    for colour, side in ((faces.IRIS[0], slice(0, 128)), (faces.IRIS[3], slice(128, 256))):
        area = (np.abs(image[:, side] - colour).max(-1) < 0.1).mean() * 0.5 * 4  # picture is 2 x 2
        assert np.sqrt(area / np.pi) == pytest.approx(0.14, rel=0.03)


def test_an_upright_face_is_its_own_mirror_image():
    image = faces.render(plain(8), 64)
    np.testing.assert_allclose(image, image[:, :, ::-1], atol=1e-5)


@pytest.mark.parametrize("name", faces.RANGES)
def test_each_continuous_factor_shows(name):
    low, high = faces.RANGES[name]
    ends = faces.render(plain(2, left_iris=0, right_iris=0, hair=0, skin=0, background=0,
                              long_hair=0, **{name: [low, high]}), 32)  # fmt: skip
    assert np.abs(ends[0] - ends[1]).max() > 0.5
    same = plain(2, left_iris=0, right_iris=0, hair=0, skin=0, background=0, long_hair=0)
    np.testing.assert_array_equal(*faces.render(same, 32))


def test_centers_and_tilt_move_the_face_in_their_direction():
    def eye(**changes):
        image = faces.render(plain(left_iris=0, right_iris=3, **changes), 256)[0]
        where = np.abs((image + 1) / 2 - faces.IRIS[3]).max(-1) < 0.05
        return np.array([axis.mean() for axis in np.nonzero(where)])  # row, column

    middle = eye()
    np.testing.assert_allclose(eye(center_x=0.05) - middle, [0, 0.05 * 128], atol=0.3)
    np.testing.assert_allclose(eye(center_y=0.05) - middle, [0.05 * 128, 0], atol=0.3)
    # Turned clockwise, the viewer's right eye goes down by sin(0.1) of its distance.
    np.testing.assert_allclose((eye(tilt=0.1) - middle)[0], np.sin(0.1) * 0.28 * 128, atol=0.3)
    np.testing.assert_allclose((eye(gaze=-0.05) - middle)[1], -0.05 * 128, atol=0.3)


def test_small_pictures_are_what_large_ones_average_to():
    record = faces.factors(np.arange(12), population=5)
    large, small = faces.render(record, 256), faces.render(record, 32)
    averaged = large.reshape(12, 32, 8, 32, 8, 3).mean((2, 4))
    sampled = large[:, 4::8, 4::8]  # what a renderer without anti-aliasing would draw
    error, aliased = np.abs(small - averaged).mean(), np.abs(sampled - averaged).mean()
    assert error < 0.02
    assert error < 0.5 * aliased


def test_replace_changes_a_copy_of_the_named_factors_only():
    record = faces.factors(np.arange(4))
    other = record.replace(hair=2, tilt=[0, 0.1, 0, 0.1])
    assert other.hair.tolist() == [2] * 4
    assert other.hair.dtype == record.hair.dtype
    np.testing.assert_allclose(other.tilt, [0, 0.1, 0, 0.1])
    np.testing.assert_array_equal(other.skin, record.skin)
    np.testing.assert_array_equal(record.hair, faces.factors(np.arange(4)).hair)
    assert len(other) == 4


def test_the_data_set_is_the_rendered_faces_as_bytes():
    data = faces.Faces(16, size=2100, population=9, independent_eyes=True)  # more than two blocks
    record = faces.factors(np.arange(2100), 9, independent_eyes=True)
    np.testing.assert_array_equal(data.images, to_bytes(faces.render(record, 16)))
    assert data.images.dtype == np.uint8
    assert data.images is data.images  # drawn once
    np.testing.assert_array_equal(data.factors([5, 2]).right_iris, record.right_iris[[5, 2]])
    assert len(data.factors()) == data.size == 2100


def test_a_run_of_a_few_steps_waits_for_the_faces_that_it_sees_alone(monkeypatch):
    drawn, render = [], faces.render

    def counting(record, resolution):
        drawn.append(len(record))
        return render(record, resolution)

    monkeypatch.setattr(faces, "render", counting)
    data, whole = (faces.Faces(16, 3000, population=2) for _ in "ab")
    whole = whole.images
    drawn.clear()
    # 299 and 300 are the last batch of an epoch and the first of the next one.
    for start, count, more in ((0, 3, 30), (1, 2, 0), (2, 2, 10), (299, 2, None)):
        before, batches = sum(drawn), [*data.batches(10, 1, start, count).as_numpy_iterator()]
        assert len(batches) == count
        assert more in (None, sum(drawn) - before)
        for step, batch in enumerate(batches, start):
            expected = whole[shuffled_indices(step, 10, 3000, 1).numpy()]
            np.testing.assert_array_equal(to_bytes(batch), expected)
    assert sum(drawn) <= 60
    np.testing.assert_array_equal(data.images, whole)
    assert sum(drawn) == 3000, "each once"
    data = faces.Faces(16, size=50, population=2)
    assert next(iter(data.batches(10))).shape == (10, 16, 16, 3)
    assert sum(drawn) == 3050, "without an end all are needed"


def test_held_out_faces_are_of_two_populations_that_nothing_is_trained_on():
    real, held_out = faces.Faces(16, 10).held_out(3, 2)
    np.testing.assert_array_equal(real, faces.real_faces(3, 16, 2001))
    np.testing.assert_array_equal(held_out, faces.real_faces(2, 16, 2002))


@pytest.mark.parametrize(
    ("population", "kept_for"),
    [(2001, "scores compare"), (2002, "scored"), (1001, "training of the judge"),
     (np.int64(1002), "test of the judge")],
)  # fmt: skip
def test_what_is_kept_for_scoring_is_never_trained_on(population, kept_for):
    with pytest.raises(ValueError, match=f"population must be .* got {population}: .*{kept_for}"):
        faces.Faces(16, 4, population)
    assert len(faces.factors([0, 1], population)) == 2, "but it can be drawn"


def test_labels_are_the_factors_in_the_order_that_is_asked_for():
    source = faces.Faces(16, 50, population=3, label="hair, iris")
    record = source.factors()
    np.testing.assert_array_equal(source.numbers, np.stack([record.hair, record.left_iris], 1))
    assert source.labels.factors["iris"][5] == "turquoise"
    assert {f: len(v) for f, v in faces.LABELS.items()} == {
        ("iris" if f == "left_iris" else f): n for f, n in faces.CATEGORIES.items()
        if f != "right_iris"
    }  # fmt: skip
    numbers, images = source.numbers, source.images
    source.reorder(np.arange(50)[::-1])
    np.testing.assert_array_equal(source.numbers, numbers[::-1])
    np.testing.assert_array_equal(source.images, images[::-1])
    np.testing.assert_array_equal(source.factors().hair, record.hair[::-1])
    np.testing.assert_array_equal(source.factors([0, 49]).hair, record.hair[[49, 0]])
    assert faces.Faces(16, 5).labels is None


def test_eyes_that_differ_are_no_label():
    with pytest.raises(ValueError, match="needs eyes of one colour, got independent_eyes=True"):
        faces.Faces(16, 5, independent_eyes=True, label="iris")
    with pytest.raises(ValueError, match=r"label must be one of .*'hair'.*, got 'nose'"):
        faces.Faces(16, 5, label="hair,nose")
    with pytest.raises(ValueError, match="label must name each once, got hair twice"):
        faces.Faces(16, 5, label="hair,skin,hair")
