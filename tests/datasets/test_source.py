"""Sources: every epoch a permutation, batches that a step number decides."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

from sagan_lib.book import plots
from sagan_lib.datasets import discs, faces, source
from sagan_lib.datasets.labels import Labels
from sagan_lib.datasets.source import Source, from_bytes, shuffled_indices, to_bytes
from sagan_lib.evaluation import judge


class Numbered(Source):
    """Image i is filled with the value i, so a batch tells which images it holds."""

    resolution = 16

    def __init__(self, size):
        self.size = size
        shape = (size, 16, 16, 3)
        self.images = np.broadcast_to(np.arange(size, dtype=np.uint8)[:, None, None, None], shape)


def order(source, batch_size, count, seed=0, start=0):
    """The numbers of the images in `count` batches, (count, batch_size)."""
    batches = source.batches(batch_size, seed, start).take(count)
    return np.rint([(batch.numpy()[:, 0, 0, 0] + 1) * 127.5 for batch in batches]).astype(int)


def epochs(size, count, seed=0, first=None):
    """`count` epochs of the shuffle, (count, size), or the first few images of each."""
    steps = tf.data.Dataset.range(count)
    whole = steps.map(lambda step: shuffled_indices(step, size, size, seed)[:first])
    return np.stack(list(whole.as_numpy_iterator()))


@pytest.mark.parametrize(
    ("size", "batch_size"), [(1, 1), (2, 1), (3, 2), (10, 3), (16, 16), (255, 99)]
)
def test_each_epoch_is_a_permutation_whose_batches_straddle_it(size, batch_size):
    seen = order(Numbered(size), batch_size, count=3 * size).ravel()[: 3 * size]
    assert np.array_equal(np.sort(seen.reshape(3, size)), [np.arange(size)] * 3)


@pytest.mark.parametrize("size", [100, 20_000])
def test_epochs_and_seeds_do_not_repeat(size):
    """TensorFlow's index shuffle looks at 8 bits of its key: 0 and 256 would be alike."""
    assert len(np.unique(epochs(size, 300, first=50), axis=0)) == 300
    seeds = [0, 1, 2, 256, 257, 512, 2**16, 2**31, 2**31 + 1, 2**40]
    firsts = [shuffled_indices(0, 50, size, seed).numpy() for seed in seeds]
    assert len(np.unique(firsts, axis=0)) == len(seeds)


def test_the_first_epoch_of_seed_0_is_shuffled_too():
    """A cipher with the key (0, 0, 0) may do nothing."""
    for size in (5, 16, 1000):
        in_place = np.mean(epochs(size, 1)[0] == np.arange(size))
        assert in_place < 0.9


def test_every_image_is_first_equally_often():
    firsts = epochs(5, 1500)[:, 0]
    counts = np.bincount(firsts, minlength=5)
    assert ((counts - 300) ** 2 / 300).sum() < 18.47  # 4 degrees of freedom, p = 0.001


def test_a_batch_is_the_same_whatever_the_start():
    source = Numbered(10)
    whole = order(source, 4, count=12, seed=3)
    np.testing.assert_array_equal(order(source, 4, count=5, seed=3, start=7), whole[7:])
    np.testing.assert_array_equal(order(source, 4, count=12, seed=3), whole)
    assert not np.array_equal(order(source, 4, count=12, seed=4), whole)


def test_no_image_is_both_of_the_reference_and_held_out():
    real, held_out = Numbered(6).held_out(4, 2)
    assert (len(real), len(held_out)) == (4, 2)
    assert sorted(to_bytes([*real, *held_out])[:, 0, 0, 0]) == list(range(6))


def test_batches_are_float32_from_minus_1_to_1():
    source = Numbered(256)
    batch = next(iter(source.batches(256))).numpy()
    assert batch.dtype == np.float32
    assert batch.shape == (256, 16, 16, 3)
    np.testing.assert_allclose(np.unique(batch), np.linspace(-1, 1, 256), atol=1e-6)


def test_bytes_and_floats_go_there_and_back():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(levels / 127.5 - 1), levels)
    np.testing.assert_array_equal(to_bytes(from_bytes(levels)), levels)
    assert from_bytes(levels).dtype == np.float32
    assert to_bytes([-7, 7, 0.0039, -0.0041]).tolist() == [0, 255, 128, 127]


def test_bytes_are_read_as_the_pictures_that_they_are():
    data = faces.Faces(32, 300).images
    floats = source.from_bytes(data)
    np.testing.assert_array_equal(source.as_images("images", data), floats)
    np.testing.assert_array_equal(plots.grid(data), plots.grid(floats))
    assert judge.heterochromia(judge.read(data)) == judge.heterochromia(judge.read(floats)) == 0


def test_a_look_at_the_first_batch_draws_nothing_ahead():
    """A generator gives each batch once, and a data set that shuffles another order each time."""
    drawn = []

    def generator():
        for number in range(3):
            drawn.append(number)
            yield np.full((2, 4, 4, 3), -number / 9, np.float32)

    signature = tf.TensorSpec((2, 4, 4, 3))
    for data in (
        generator(),
        tf.data.Dataset.from_generator(generator, output_signature=signature),
    ):
        drawn.clear()
        looked_at, wrong = source.looked_at(data, (4, 4, 3))
        assert drawn == wrong == []
        got = [np.ravel(batch)[0] for batch in looked_at]
        np.testing.assert_allclose(got, [0, -1 / 9, -2 / 9], rtol=1e-6)
        assert drawn == [0, 1, 2]


def test_pairs_are_the_batches_with_their_own_labels():
    source = faces.Faces(16, 40, label="hair,skin")
    plain = [x.numpy() for x in source.batches(6, 3, start=2, count=5)]
    pairs = [(x.numpy(), y.numpy()) for x, y in source.pairs(6, 3, start=2, count=5)]
    assert len(pairs) == 5
    for images, (same, numbers) in zip(plain, pairs, strict=True):
        np.testing.assert_array_equal(images, same)
        for image, number in zip(to_bytes(same), numbers, strict=True):
            index = (source.images == image).all((1, 2, 3)).argmax()
            np.testing.assert_array_equal(number, source.numbers[index])
    with pytest.raises(ValueError, match="Faces has no labels"):
        faces.Faces(16, 20).pairs(6)


@pytest.mark.parametrize(("size", "count"), [(10, 1), (10, 9), (200, 20)])
def test_a_split_trains_on_all_images_but_those_that_it_sets_aside(size, count):
    training, held_out = Numbered(size).split(count)
    aside = sorted(to_bytes(held_out)[:, 0, 0, 0])
    seen = sorted(set(order(training, 1, count=2 * size).ravel()))
    assert len(aside) == count
    assert training.size == size - count == len(training.images)
    assert sorted([*seen, *aside]) == list(range(size))
    again = Numbered(size).split(count)
    np.testing.assert_array_equal(again[1], held_out)
    np.testing.assert_array_equal(order(again[0], 1, 5), order(training, 1, 5))


def test_the_first_few_that_a_split_sets_aside_are_of_all_kinds():
    """Images that are sorted by kind: a measure may look at a part of those alone."""
    sorted_by_kind = Numbered(200)
    sorted_by_kind.label(Labels(2), np.arange(200) // 100)
    _, (images, numbers) = sorted_by_kind.split(100)
    np.testing.assert_array_equal(to_bytes(images)[:, 0, 0, 0] // 100, numbers[:, 0])
    assert 0.25 < numbers[:20].mean() < 0.75


def test_a_split_of_drawn_images_costs_training_none():
    for whole in (faces.Faces(16, 20), discs.Discs(32, 20)):
        training, held_out = whole.split(5)
        assert training is whole
        assert held_out.shape == (5, whole.resolution, whole.resolution, 3)
        nearest = np.abs(held_out[:, None] - from_bytes(whole.images)[None]).mean((2, 3, 4)).min(1)
        assert (nearest > 0.01).all()


def test_a_part_keeps_what_its_source_says():
    whole = faces.Faces(16, 20, label="hair")
    part = source.Part(whole, np.array([3, 5, 8]))
    for name in ("resolution", "extractor", "description", "fingerprint", "labels"):
        assert getattr(part, name) == getattr(whole, name)


@pytest.mark.parametrize("count", [0, 10, 11, 2.5])
def test_a_split_leaves_some_to_train_on(count):
    with pytest.raises((ValueError, TypeError), match=f"count must be .* got {count}"):
        Numbered(10).split(count)


def test_rare_labels_are_named_and_all_are_counted():
    source = Numbered(4)
    assert source.told() == ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source.label(Labels({"kind": ["a", "b", "c", "d"]}), [[0], [0], [0], [2]])
    assert [str(each.message) for each in caught] == [
        "kind=b, kind=d: no image: what is made for it will mean nothing",
        "kind=c: one image, which is all that can be made for it",
    ]
    with pytest.raises(ValueError, match="numbers must be 4, one for each image, got 3"):
        source.label(Labels(2), [0, 1, 1])
    assert source.told() == (
        "3 kind=a, 0 kind=b, 1 kind=c, 0 kind=d; each is trained as often as it has images"
    )


def test_held_out_labels_are_those_of_the_held_out_images():
    source = Numbered(20)
    source.label(Labels(2), np.arange(20) % 2)
    sets, numbers = source.held_out(12, 5), source.held_out_numbers(12, 5)
    for images, number in zip(sets, numbers, strict=True):
        np.testing.assert_array_equal(to_bytes(images)[:, 0, 0, 0] % 2, number[:, 0])
    drawn = faces.Faces(32, 100, label="hair,iris")
    sets, numbers = drawn.held_out(30, 40), drawn.held_out_numbers(30, 40)
    for images, number in zip(sets, numbers, strict=True):
        read = faces.numbers_of(judge.read(images), drawn.labels)
        assert np.mean(read == number) > 0.97
    with pytest.raises(ValueError, match="Faces has no labels"):
        faces.Faces(16, 20).held_out_numbers(2, 2)


def test_what_is_split_off_keeps_its_labels():
    source = Numbered(20)
    source.label(Labels(2), np.arange(20) % 2)
    part, (others, numbers) = source.split(6)
    np.testing.assert_array_equal(to_bytes(others)[:, 0, 0, 0] % 2, numbers[:, 0])
    np.testing.assert_array_equal(part.images[:, 0, 0, 0] % 2, part.numbers[:, 0])
    for images, numbers in part.pairs(7, count=3):
        np.testing.assert_array_equal(to_bytes(images)[:, 0, 0, 0] % 2, numbers[:, 0])
    assert sum(part.labels.counts(part.numbers).values()) == 14
    drawn, (others, numbers) = faces.Faces(32, 100, label="hair").split(30)
    assert (drawn.size, len(others)) == (100, 30)
    assert np.mean(judge.read(others).hair == numbers[:, 0]) > 0.97
