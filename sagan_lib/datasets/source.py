"""What all collections of images share: numbered images, and batches that a step number decides.

Batch k is a pure function of (seed, k): an index shuffle decides which images it holds, so a run
that was interrupted goes on with exactly the images it would have seen.
"""

import types
import warnings

import numpy as np

from sagan_lib import checks


class Source:
    """A numbered collection of images that says by itself what it is and who judges it.

    Attributes:
        size: how many images there are.
        resolution: their side in pixels.
        images: uint8 (size, resolution, resolution, 3), an array or a memory map.
        description: which images `held_out` draws, in words for a score's protocol.
        extractor: whose features judge generated images: a name of `scores.EXTRACTORS`.
        fingerprint: of the pictures, where they come from files; else empty.
        labels: what the images are labelled by, a `labels.Labels`; None where they have none.
        numbers: the labels themselves, int32 (size, factors); None likewise.
        endless: whether the images are drawn, so that there are always others like them.
    """

    size = 0
    resolution = 0
    images = None
    description = ""
    extractor = "inception"
    fingerprint = ""
    labels = None
    numbers = None
    endless = False

    def taken(self):
        """What was taken from the reader's files, in one line; empty where nothing was."""
        return ""

    def label(self, labels, numbers):
        """Label all images; a warning names the values that no image has, or only one.

        Args:
            labels: a `labels.Labels`.
            numbers: integers (size, factors).

        Raises:
            TypeError, ValueError: no such labels, or not one for each image.
        """
        numbers = labels.checked(numbers)
        if len(numbers) != self.size:
            raise ValueError(f"numbers must be {self.size}, one for each image, got {len(numbers)}")
        self.labels, self.numbers = labels, numbers
        counts = labels.counts(numbers)
        for few, said in ((0, "no image: what is made for it will mean nothing"),
                          (1, "one image, which is all that can be made for it")):  # fmt: skip
            if rare := [name for name, count in counts.items() if count == few]:
                more = f", ... {len(rare)} in all" if len(rare) > 10 else ""
                warnings.warn(f"{', '.join(rare[:10])}{more}: {said}", stacklevel=3)

    def told(self):
        """How many images each label has, in words; empty where they have none."""
        if self.labels is None:
            return ""
        counts = [f"{n:,} {name}" for name, n in self.labels.counts(self.numbers).items()]
        more = f", ... {len(counts)} labels" if len(counts) > 20 else ""
        return f"{', '.join(counts[:20])}{more}; each is trained as often as it has images"

    def held_out(self, real, held_out):
        """Two sets of real images to score generated ones with; no image is in both.

        Args:
            real: images of the reference.
            held_out: further ones, to be scored in place of generated ones.

        Returns:
            (real, held_out), float32 (n, resolution, resolution, 3) in [-1, 1].

        Raises:
            ValueError: there are fewer images, or less than one is asked for.
        """
        chosen = self._held_out(real, held_out)
        images = from_bytes(self.images[chosen])
        return images[:real], images[real:]

    def held_out_numbers(self, real, held_out):
        """The labels of the images that `held_out` gives, two arrays int32 (n, factors).

        Args:
            real: as in `held_out`.
            held_out: likewise.

        Raises:
            ValueError: as in `held_out`, or there are no labels.
        """
        self._check_labelled()
        numbers = self.numbers[self._held_out(real, held_out)]
        return numbers[:real], numbers[real:]

    def _check_labelled(self):
        if self.numbers is None:
            raise ValueError(f"{type(self).__name__} has no labels: none were asked for")

    def _held_out(self, real, held_out):
        """The indices of the images that `held_out` gives."""
        checks.integer("real", real, 1)
        checks.integer("held_out", held_out, 1)
        if self.size < real + held_out:
            raise ValueError(
                f"{self.description}: {self.size} images; {real} real ones and {held_out} held out "
                f"make {real + held_out}"
            )
        return np.random.default_rng(0).permutation(self.size)[: real + held_out]

    def split(self, count):
        """Images to train on, and others that training never sees.

        Args:
            count: of the others, 1 to `size` - 1. Drawn images are as many as before, the others
                are fresh; else always the same ones are set aside, in a shuffled order: so the
                first few of them are of all kinds, though the images be sorted by kind.

        Returns:
            (a `Source`, float32 (count, resolution, resolution, 3) in [-1, 1]); with labels, in
            place of the latter a pair: these and int32 (count, factors).

        Raises:
            TypeError, ValueError: no such count.
        """
        if self.endless:
            others = self.held_out(1, checks.integer("count", count, 1))[1]
            if self.labels:
                others = others, self.held_out_numbers(1, count)[1]
            return self, others
        checks.integer("count", count, 1, self.size - 1)
        order = np.random.default_rng(0).permutation(self.size)
        apart = order[:count]
        others = from_bytes(self.images[apart])
        if self.labels:
            others = others, self.numbers[apart]
        return Part(self, np.sort(order[count:])), others

    def batches(self, batch_size, seed=0, start=0, count=None):
        """A `tf.data.Dataset` of image batches, from batch number `start` on.

        Args:
            batch_size: images in a batch, 1 to `size`.
            seed: of the shuffle. Every epoch has its own full permutation.
            start: number of the first batch; batch k is the same whatever the start.
            count: how many there are, at least 1; None: without end.

        Returns:
            Batches float32 (batch_size, resolution, resolution, 3) in [-1, 1], prefetched.
        """
        steps, indices_of = self._schedule(batch_size, seed, start, count)
        return self.look_up(steps, indices_of, batch_size)

    def pairs(self, batch_size, seed=0, start=0, count=None):
        """As `batches`, with the labels of the images: (images, int32 (batch_size, factors)).

        Args:
            batch_size: as in `batches`, and so are the others.
            seed: likewise.
            start: likewise.
            count: likewise.

        Raises:
            ValueError: the images have no labels.
        """
        import tensorflow as tf

        self._check_labelled()
        steps, indices_of = self._schedule(batch_size, seed, start, count)
        table = tf.constant(self.numbers)
        numbers = steps.map(lambda step: tf.gather(table, indices_of(step)))
        return tf.data.Dataset.zip(self.look_up(steps, indices_of, batch_size), numbers)

    def _schedule(self, batch_size, seed, start, count):
        """The batches' numbers as a dataset, and the function from one to its images' indices."""
        import tensorflow as tf

        checks.integer("batch_size", batch_size, 1, self.size)
        checks.integer("seed", seed, 0)
        checks.integer("start", start, 0)
        last = np.iinfo(np.int64).max
        if count is not None:
            last = start + checks.integer("count", count, 1)
        steps = tf.data.Dataset.range(start, last)
        return steps, lambda step: shuffled_indices(step, batch_size, self.size, seed)

    def rows(self, dataset, indices_of, batch_size):
        """The array that `look_up` takes images from; where they are made, those it will need.

        Args:
            dataset: as in `look_up`, and so are the others.
            indices_of: likewise.
            batch_size: likewise.
        """
        return self.images

    def look_up(self, dataset, indices_of, batch_size):
        """Batches of images by their indices.

        Args:
            dataset: a `tf.data.Dataset`.
            indices_of: function of one of its elements that gives int64 (batch_size,).
            batch_size: images in a batch.
        """
        import tensorflow as tf

        images = self.rows(dataset, indices_of, batch_size)
        shape = (batch_size, self.resolution, self.resolution, 3)

        def fetch(element):
            # numpy does the look-up: as a tensor the whole set would be copied into the graph.
            batch = tf.numpy_function(
                lambda i: images[i], [indices_of(element)], tf.uint8, stateful=False
            )
            return tf.cast(tf.ensure_shape(batch, shape), tf.float32) / 127.5 - 1

        return dataset.map(fetch, num_parallel_calls=2).prefetch(tf.data.AUTOTUNE)


class Part(Source):
    """Some of the images of a source, as a source of its own.

    Args:
        whole: the `Source`.
        indices: of its images, in order, int (n,).
    """

    def __init__(self, whole, indices):
        self.whole, self.indices, self.size = whole, indices, len(indices)
        self.resolution, self.extractor = whole.resolution, whole.extractor
        self.description, self.fingerprint = whole.description, whole.fingerprint
        self.labels = whole.labels
        self.numbers = None if whole.numbers is None else whole.numbers[indices]

    @property
    def images(self):
        """As a `Source` has them; a copy."""
        return self.whole.images[self.indices]

    def taken(self):
        """What was taken from the reader's files, and how many of them are held out."""
        told = self.whole.taken()
        return told and f"{told}; {self.whole.size - self.size} held out"

    def look_up(self, dataset, indices_of, batch_size):
        """As `Source.look_up`."""
        import tensorflow as tf

        indices = tf.constant(self.indices, tf.int64)
        return self.whole.look_up(
            dataset, lambda element: tf.gather(indices, indices_of(element)), batch_size
        )


def shuffled_indices(step, batch_size, size, seed):
    """Which images batch `step` holds: a fresh permutation of all `size` images every epoch.

    The permutation is computed index by index (TensorFlow's `RandomIndexShuffle`), so no buffer
    limits how far an image can travel.

    Args:
        step: number of the batch, an integer or a scalar tensor.
        batch_size: at most `size`.
        size: how many images there are.
        seed: of the shuffle, at least 0.

    Returns:
        int64 tensor of shape (batch_size,).
    """
    import tensorflow as tf

    checks.integer("batch_size", batch_size, 1, checks.integer("size", size, 1))
    position = tf.cast(step, tf.int64) * batch_size + tf.range(batch_size, dtype=tf.int64)
    epoch, offset = position // size, position % size
    # The op uses only the low bits of its key: given (seed, epoch) as it is, epochs 0 and 256
    # would be alike, and so would seeds 0 and 256. So the key is drawn from (seed, epoch).
    keys = [
        tf.random.stateless_uniform(
            (3,), [tf.constant(seed % 2**63, tf.int64), which], None, None, tf.int32
        )
        for which in (epoch[0], epoch[0] + 1)  # a batch touches two epochs at most
    ]
    return tf.raw_ops.RandomIndexShuffle(
        index=offset, seed=tf.gather(keys, epoch - epoch[0]),
        max_index=tf.constant(size - 1, tf.int64),
    )  # fmt: skip


#: Numbers further from 0 than this are no picture in [-1, 1], however noisy: those from 0 to 255.
FARTHEST = 2.0


def as_images(name, images):
    """Pictures as the library computes with them: the one rule for all that take some.

    Args:
        name: of the argument, for the message.
        images: uint8 (n, h, w, 3), or float of that shape in [-1, 1].

    Returns:
        float32 (n, h, w, 3). Numbers up to 2 from 0 are left as they are: noise adds some. Where
        none is below 0, as in images from 0 to 1, a warning says so.

    Raises:
        TypeError: neither uint8 nor float.
        ValueError: another shape, none at all, NaN, or numbers that are not from -1 to 1.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or len(images) == 0:
        raise ValueError(f"{name} must have shape (n, h, w, 3) with n > 0, got {images.shape}")
    if images.dtype == np.uint8:
        return from_bytes(images)
    if not np.issubdtype(images.dtype, np.floating):
        raise TypeError(f"{name} must be uint8, or float in [-1, 1], got {images.dtype}")
    images = images.astype(np.float32, copy=False)
    if not np.isfinite(images).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    low, high = float(images.min()), float(images.max())
    if max(-low, high) > FARTHEST:
        raise ValueError(f"{name} must be uint8, or float in [-1, 1], got {low:.4g} to {high:.4g}")
    if low >= 0 and high > 0.5:  # so might be a white picture, but no usual batch
        warnings.warn(f"{name}: no number is below 0. Are they in [0, 1]? In [-1, 1], black is -1, "
                      "and 2 * x - 1 takes them there", stacklevel=3)  # fmt: skip
    return images


def looked_at(data, shape):
    """Data for Keras's `fit` of which the first batch is looked at when it passes by.

    Nothing is drawn ahead: a generator gives each batch once, and a `tf.data.Dataset` that shuffles
    would go on with another order.

    Args:
        data: a `tf.data.Dataset` or a generator; a `PyDataset` is asked for its first batch; all
            else is left as it is.
        shape: of an image.

    Returns:
        (the data, a list that holds the ValueError if there is one: TensorFlow raises its own).
    """
    import keras
    import tensorflow as tf

    wrong = []

    def look(batch):
        try:
            if batch.ndim != 4 or batch.shape[1:] != shape:
                wanted = ", ".join(map(str, shape))
                raise ValueError(f"a batch must be float images in [-1, 1] of shape (n, {wanted}), "
                                 f"got {batch.dtype} {batch.shape}")  # fmt: skip
            as_images("a batch", batch)
        except ValueError as error:
            wrong.append(error)
            raise
        return True

    def look_if_float(batch):
        images = np.asarray(batch[0] if isinstance(batch, tuple) else batch)
        if images.dtype.kind == "f":  # of all else the step says what it is
            look(images)

    def pass_on(number, batch):
        if isinstance(batch, tuple):  # with labels
            return (pass_on(number, batch[0]), *batch[1:])
        if not tf.is_tensor(batch) or not batch.dtype.is_floating:
            return batch
        floats = tf.cast(batch, tf.float32)  # numpy has no bfloat16
        seen = tf.cond(
            number == 0, lambda: tf.numpy_function(look, [floats], tf.bool), lambda: True
        )
        with tf.control_dependencies([seen]):
            return tf.identity(batch)

    def generated():
        for number, batch in enumerate(data):
            if number == 0:
                look_if_float(batch)
            yield batch if isinstance(batch, tuple) else (batch,)  # as Keras wants it

    if isinstance(data, tf.data.Dataset):
        return data.enumerate().map(pass_on), wrong
    if isinstance(data, types.GeneratorType):
        return generated(), wrong
    if isinstance(data, keras.utils.PyDataset):
        look_if_float(data[0])
    return data, wrong


def to_bytes(images):
    """Images in [-1, 1] as uint8 0..255, rounded to the nearest level; what lies outside is cut.

    Args:
        images: float, any shape.

    Raises:
        TypeError: integers, such as images that are bytes already.
        ValueError: NaN or infinity.
    """
    if (dtype := np.asarray(images).dtype).kind in "iub":
        raise TypeError(f"images must be float in [-1, 1], got {dtype}")
    if not np.isfinite(images).all():
        raise ValueError("images must be finite, got NaN or infinity")
    return np.clip(np.rint((np.asarray(images, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def from_bytes(images):
    """uint8 images as float32 in [-1, 1]: the inverse of `to_bytes`.

    Args:
        images: uint8, any shape.

    Raises:
        TypeError: another dtype, such as images that are float already.
    """
    if np.asarray(images).dtype != np.uint8:
        raise TypeError(f"images must be uint8, got {np.asarray(images).dtype}")
    return np.asarray(images).astype(np.float32) / 127.5 - 1
