"""Procedural faces with known factors: the book's embedded data set.

Face ``index`` of a ``population`` is always the same picture, on every machine: each factor is a
hash of ``(population, index, factor)``, so there is no file to download and no state to carry.
Because the factors are known, a generated face can be judged exactly; the rule that matters for
attention is that **both irises have the same colour**, although they are far apart in the picture.
"""

from dataclasses import dataclass, fields

import numpy as np

from sagan_lib import checks
from sagan_lib.datasets.labels import Labels
from sagan_lib.datasets.source import Source, to_bytes

# Colours in sRGB, 0..1. They are far enough apart to be told from each other at 16 px.
IRIS = np.array(
    [[0.05, 0.25, 0.85], [0.1, 0.65, 0.15], [0.45, 0.2, 0.02], [0.85, 0.1, 0.1],
     [0.6, 0.1, 0.75], [0.0, 0.7, 0.75]], np.float32
)  # fmt: skip
HAIR = np.array(
    [[0.1, 0.08, 0.08], [0.45, 0.25, 0.1], [0.92, 0.78, 0.35], [0.75, 0.28, 0.08],
     [0.68, 0.68, 0.72]], np.float32
)  # fmt: skip
SKIN = np.array(
    [[1.0, 0.88, 0.77], [0.93, 0.74, 0.57], [0.78, 0.56, 0.38], [0.56, 0.37, 0.24],
     [0.37, 0.23, 0.15]], np.float32
)  # fmt: skip
BACKGROUND = np.array(
    [[0.62, 0.8, 0.95], [0.7, 0.9, 0.65], [0.95, 0.75, 0.8], [0.98, 0.93, 0.65],
     [0.35, 0.4, 0.55]], np.float32
)  # fmt: skip
EYE_WHITE = np.array([0.97, 0.97, 0.97], np.float32)
MOUTH = np.array([0.72, 0.2, 0.25], np.float32)

#: Populations of drawn pictures that no generator can be trained on -> what they are kept for.
REFERENCE, HELD_OUT, JUDGE_TRAINING, JUDGE_TEST = 2001, 2002, 1001, 1002
RESERVED = {
    REFERENCE: "the reference that scores compare with",
    HELD_OUT: "the real images that are scored beside the generated ones",
    JUDGE_TRAINING: "the training of the judge",
    JUDGE_TEST: "the test of the judge",
}

#: Number of values of each categorical factor.
CATEGORIES = {
    "left_iris": len(IRIS), "right_iris": len(IRIS), "hair": len(HAIR),
    "skin": len(SKIN), "background": len(BACKGROUND), "long_hair": 2,
}  # fmt: skip

#: What faces can be labelled by -> the names of its values, in their order. The iris is of both
#: eyes, which have one colour.
LABELS = {
    "iris": ("blue", "green", "brown", "red", "violet", "turquoise"),
    "hair": ("black", "brown", "blond", "red", "grey"),
    "skin": ("pale", "light", "tan", "brown", "dark"),
    "background": ("sky", "meadow", "pink", "yellow", "slate"),
    "long_hair": ("short", "long"),
}

#: Range of each continuous factor: tilt in radians, the others in halves of the picture's width.
RANGES = {
    "tilt": (-0.12, 0.12), "center_x": (-0.06, 0.06), "center_y": (-0.05, 0.05),
    "scale": (0.92, 1.06), "width": (0.9, 1.1), "gaze": (-0.05, 0.05), "smile": (-0.5, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Kinds:
    """The categorical factors of faces: for each an integer array of length n.

    ``CATEGORIES`` gives how many values each has. ``left`` and ``right`` are the viewer's.
    """

    left_iris: np.ndarray
    right_iris: np.ndarray
    hair: np.ndarray
    skin: np.ndarray
    background: np.ndarray
    long_hair: np.ndarray

    def __len__(self):
        return len(self.hair)


@dataclass(frozen=True)
class Factors(Kinds):
    """What faces are made of: their kinds, and float32 factors within ``RANGES``, length n each."""

    tilt: np.ndarray
    center_x: np.ndarray
    center_y: np.ndarray
    scale: np.ndarray
    width: np.ndarray
    gaze: np.ndarray
    smile: np.ndarray

    def replace(self, **values):
        """A copy in which the named factors are changed.

        Args:
            values: factor=value; a scalar is repeated for every face.

        Raises:
            TypeError, ValueError: no such factor, no value of it (see ``CATEGORIES``; continuous
                ones may leave ``RANGES``, but are finite), or one of another length.
        """
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in values.items():
            checks.one_of("factor", name, known)
            new, kind = np.asarray(value), known[name].dtype
            if new.shape not in ((), (len(self),)):
                raise ValueError(f"{name} must be one value, or {len(self)}, got shape {new.shape}")
            if name in CATEGORIES:
                if new.dtype.kind not in "bui":
                    raise TypeError(f"{name} must be integers, got {value!r}")
                if not ((new >= 0) & (new < CATEGORIES[name])).all():
                    raise ValueError(
                        f"{name} must be from 0 to {CATEGORIES[name] - 1}, got {value!r}"
                    )
            elif new.dtype.kind not in "uif" or not np.isfinite(new).all():
                raise ValueError(f"{name} must be finite numbers, got {value!r}")
            known[name] = np.broadcast_to(new.astype(kind), len(self)).copy()
        return Factors(**known)


def labels_of(label):
    """The `labels.Labels` of faces by some factors.

    Args:
        label: a name of `LABELS`, or several joined by commas.

    Raises:
        TypeError, ValueError: `label` is no text, or no such factor.
    """
    if not isinstance(label, str):
        raise TypeError(f"label must be a text such as 'hair' or 'hair,skin', got {label!r}")
    names = [checks.one_of("label", name.strip(), LABELS) for name in label.split(",")]
    checks.each_once("label", names)
    return Labels({name: LABELS[name] for name in names})


def numbers_of(record, labels):
    """The labels of faces: int32 (n, factors); an iris is -1 where both eyes differ.

    Args:
        record: a `Kinds`: the faces' factors, or what was read of them.
        labels: of `labels_of`.
    """
    alike = np.where(record.left_iris == record.right_iris, record.left_iris, -1)
    columns = (alike if name == "iris" else getattr(record, name) for name in labels.factors)
    return np.stack([*columns], 1).astype(np.int32)


def _hash(x):
    """The splitmix64 finaliser (Steele, Lea and Flood, 2014): uint64 in, scrambled uint64 out."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _uniform(population, indices, stream):
    """One number in [0, 1) for each index: a pure function of (population, index, stream)."""
    golden = 0x9E3779B97F4A7C15
    with np.errstate(over="ignore"):
        start = np.array([(population * golden + stream) % 2**64], np.uint64)
        key = _hash(start + np.uint64(golden))
        bits = _hash(_hash(indices.astype(np.uint64) * np.uint64(golden) + key) ^ key)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def population_number(population):
    """`population` as an int: the numbers that differ as the hash sees them, 0 to 2^64 - 1.

    Args:
        population: any integer type.

    Raises:
        TypeError, ValueError: it is none of them.
    """
    return checks.integer("population", population, 0, 2**64 - 1)


def trainable(population):
    """`population` as an int, if it may be trained on.

    Args:
        population: as in `population_number`.

    Raises:
        TypeError, ValueError: it is no such number, or one of `RESERVED`.
    """
    population = population_number(population)
    if population in RESERVED:
        raise ValueError(
            f"population must be none of {sorted(RESERVED)}, which nothing is trained on, got "
            f"{population}: it is kept for {RESERVED[population]}"
        )
    return population


def factors(indices, population=0, independent_eyes=False):
    """The factors of the faces with these indices.

    Args:
        indices: integers of shape (n,), each at least 0.
        population: which faces, 0 to 2^64 - 1; those of `RESERVED` can be drawn, not trained on.
        independent_eyes: draw the right iris on its own. By default it equals the left one.

    Returns:
        A `Factors` record of length n.

    Raises:
        TypeError, ValueError: `indices` are not non-negative integers, or no such population.
    """
    indices = np.atleast_1d(np.asarray(indices))
    if not np.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"indices must be integers, got dtype {indices.dtype}")
    if indices.ndim != 1 or (indices < 0).any():
        raise ValueError(f"indices must be a vector of integers >= 0, got {indices!r}")
    population = population_number(population)  # Python's: a numpy one would overflow
    names = [f.name for f in fields(Factors)]
    draw = {name: _uniform(population, indices, stream) for stream, name in enumerate(names)}
    values = {name: (draw[name] * count).astype(np.int32) for name, count in CATEGORIES.items()}
    for name, (low, high) in RANGES.items():
        values[name] = (low + (high - low) * draw[name]).astype(np.float32)
    if not independent_eyes:
        values["right_iris"] = values["left_iris"].copy()
    return Factors(**values)


def _ellipse(x, y, cx, cy, rx, ry, soft):
    """Coverage in 0..1 of an ellipse, its edge one pixel (`soft`) wide: the anti-aliasing."""
    distance = (np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) - 1) * np.minimum(rx, ry)
    return np.clip(0.5 - distance / soft, 0, 1)


def _paint(canvas, cover, colour):
    """Lay `colour` (n or 1, 3) over canvas (n, h, w, 3) where cover (n, h, w) says."""
    canvas += cover[..., None] * (colour[:, None, None, :] - canvas)


def _draw(record, resolution):
    """Paint the faces of one block, back to front. Coordinates run from -1 to 1, y downwards."""
    n, soft = len(record), np.float32(2 / resolution)
    axis = (np.arange(resolution, dtype=np.float32) + 0.5) * soft - 1

    def column(name):
        return getattr(record, name)[:, None, None]

    dx, dy = axis[None, None, :] - column("center_x"), axis[None, :, None] - column("center_y")
    cos, sin = np.cos(column("tilt")), np.sin(column("tilt"))
    x = (cos * dx + sin * dy) / (column("scale") * column("width"))
    y = (cos * dy - sin * dx) / column("scale")
    skin, hair = SKIN[record.skin], HAIR[record.hair]

    canvas = np.empty((n, resolution, resolution, 3), np.float32)
    canvas[:] = BACKGROUND[record.background][:, None, None, :]
    cap = _ellipse(x, y, 0, -0.12, 0.74, 0.74, soft) * np.clip(0.5 - (y + 0.05) / soft, 0, 1)
    curtain = np.clip(0.5 + (y + 0.12) / soft, 0, 1) * np.clip(0.5 - (y - 0.8) / soft, 0, 1)
    curtain *= np.clip(0.5 + (0.74 - np.abs(x)) / soft, 0, 1) * column("long_hair")
    _paint(canvas, np.maximum(cap, curtain), hair)
    _paint(canvas, _ellipse(x, y, 0, 0.12, 0.58, 0.72, soft), skin)
    fringe = _ellipse(x, y, 0, -0.12, 0.72, 0.7, soft)
    _paint(canvas, fringe * np.clip(0.5 - (y + 0.34 - 0.12 * x * x) / soft, 0, 1), hair)

    for side, iris in ((-1, record.left_iris), (1, record.right_iris)):
        _paint(canvas, _ellipse(x, y, side * 0.28, 0.02, 0.21, 0.16, soft), EYE_WHITE[None])
        _paint(canvas, _ellipse(x, y, side * 0.28 + column("gaze"), 0.02, 0.14, 0.14, soft),
               IRIS[iris])  # fmt: skip
    _paint(canvas, _ellipse(x, y, 0, 0.26, 0.05, 0.1, soft) * 0.6, 0.7 * skin)
    bend = y - 0.5 - 0.09 * column("smile") * (1 - (x / 0.24) ** 2)
    mouth = np.clip(0.5 - (np.abs(bend) - 0.05) / soft, 0, 1)
    _paint(canvas, mouth * np.clip(0.5 - (np.abs(x) - 0.24) / soft, 0, 1), MOUTH[None])
    return canvas


def render(record, resolution=32):
    """Pictures of the faces in a `Factors` record.

    Args:
        record: what to draw, n faces.
        resolution: height and width in pixels, 16 to 256.

    Returns:
        float32 of shape (n, resolution, resolution, 3) in [-1, 1].

    Raises:
        TypeError, ValueError: `record` is not a `Factors`, or `resolution` is out of range.
    """
    if not isinstance(record, Factors):
        raise TypeError(f"record must be a Factors, got {type(record).__name__}")
    checks.integer("resolution", resolution, 16, 256)
    out = np.empty((len(record), resolution, resolution, 3), np.float32)
    block = max(1, 2**16 // resolution**2)  # small enough to stay in the processor's cache
    for start in range(0, len(record), block):
        part = slice(start, start + block)
        piece = Factors(**{f.name: getattr(record, f.name)[part] for f in fields(Factors)})
        out[part] = _draw(piece, resolution)
    return out * 2 - 1


def real_faces(n, resolution=32, population=REFERENCE):
    """The first faces of a population: float32 (n, resolution, resolution, 3) in [-1, 1].

    Args:
        n: how many.
        resolution: their side in pixels.
        population: as in `factors`; by default the reference that scores compare with.
    """
    return render(factors(np.arange(checks.integer("n", n, 1)), population), resolution)


class Faces(Source):
    """The embedded data set as a `Source` of training images.

    Args:
        resolution: 16 to 256 pixels.
        size: how many different faces there are; each is drawn once, when it is first needed, and
            kept in memory.
        population: which faces, 0 to 2^64 - 1, but none of `RESERVED`. It is no seed of a training:
            two runs of other seeds see the same faces.
        independent_eyes: see `factors`.
        label: a name of `LABELS`, several joined by commas ("hair,skin"), or None for no labels.

    Raises:
        TypeError, ValueError: an argument is out of range, the population is kept for scoring, or
            irises that differ are to be a label.
    """

    extractor, endless = "judge", True
    description = f"procedural faces of populations {REFERENCE} and {HELD_OUT}, kept for scoring"

    def __init__(self, resolution=32, size=8192, population=0, independent_eyes=False, label=None):
        checks.integer("size", size, 1)
        checks.integer("resolution", resolution, 16, 256)
        self.resolution, self.size, self.population = resolution, size, trainable(population)
        self.independent_eyes = independent_eyes
        # Room that takes no memory yet: the system gives a page of it at the first write.
        self._images = np.empty((size, resolution, resolution, 3), np.uint8)
        self._drawn, self._order = np.zeros(size, bool), np.arange(size)
        if label is not None:
            self.labels = labels_of(label)
            if independent_eyes and "iris" in self.labels.factors:
                raise ValueError("label 'iris' needs eyes of one colour, got independent_eyes=True")
            self.label(self.labels, numbers_of(self.factors(), self.labels))

    def _complete(self, indices):
        """Draw those of these faces that were not drawn yet."""
        missing = np.unique(indices[~self._drawn[indices]])
        for start in range(0, len(missing), 1024):  # all at once as floats could fill the memory
            part = missing[start : start + 1024]
            self._images[part] = to_bytes(render(self.factors(part), self.resolution))
            self._drawn[part] = True

    def rows(self, dataset, indices_of, batch_size):
        """As `Source.rows`; where a few batches are all there is, only their faces are drawn.

        Before the first batch, and not beside the training: a process that ends while another
        thread of it is still drawing would wait for that thread, and the thread for it.
        """
        count, needed = int(dataset.cardinality()), np.arange(self.size)
        if 0 <= count * batch_size < self.size:  # a count below 0 says that it is not known
            needed = np.concatenate([*dataset.map(indices_of).as_numpy_iterator()])
        self._complete(needed)
        return self._images

    def reorder(self, order):
        """Put the images into another order, as a sorted file would hold them.

        Args:
            order: a permutation of 0 to `size` - 1.

        Raises:
            ValueError: it is none; some images would be lost.
        """
        if not np.array_equal(np.sort(order), np.arange(self.size)):
            raise ValueError(f"order must be a permutation of 0 to {self.size - 1}, got {order!r}")
        self._images, self._order = self.images[order], self._order[order]
        if self.labels:
            self.numbers = self.numbers[order]

    def factors(self, indices=None):
        """The factors of these faces.

        Args:
            indices: which, as `images` has them; by default all.
        """
        indices = self._order if indices is None else self._order[indices]
        return factors(indices, self.population, self.independent_eyes)

    @property
    def images(self):
        """All faces, uint8 (size, resolution, resolution, 3)."""
        self._complete(np.arange(self.size))
        return self._images

    def held_out(self, real, held_out):
        """As `Source.held_out`: faces of two populations that nothing is trained on."""
        return (
            real_faces(real, self.resolution),
            real_faces(held_out, self.resolution, HELD_OUT),
        )

    def held_out_numbers(self, real, held_out):
        """As `Source.held_out_numbers`, of the faces of `held_out`."""
        self._check_labelled()
        return tuple(
            numbers_of(factors(np.arange(checks.integer(name, n, 1)), population), self.labels)
            for name, n, population in (
                ("real", real, REFERENCE), ("held_out", held_out, HELD_OUT),
            )
        )  # fmt: skip
