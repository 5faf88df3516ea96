"""What the labels of images say: factors, each with the names of its values.

The hair of a face is a factor, red is one of its values. An image's label is a number for each
factor; a network takes it as a vector with a 1 for each value that the image has, and 0 elsewhere.
"""

import hashlib
from collections.abc import Iterable

import numpy as np

from sagan_lib import checks


class Labels:
    """The factors that an image is labelled by, and what each of their values is called.

    Args:
        factors: {factor: names of its values}, such as {"hair": ["black", "red"]}; or how many
            classes there are, which are then called "0", "1", ...

    Attributes:
        factors: {factor: tuple of names}. sizes: how many values each has.
        width: of a label's vector, the sum of the sizes.

    Raises:
        TypeError, ValueError: no factor, no value of one, a text in place of the names, or a name
            that is no text or is there twice.
    """

    def __init__(self, factors):
        if not isinstance(factors, dict):
            factors = {"class": [str(i) for i in range(checks.integer("labels", factors, 1))]}
        checks.integer("number of factors", len(factors), 1)
        for factor, names in factors.items():
            if isinstance(names, str) or not isinstance(names, Iterable):  # letters are no names
                raise TypeError(f"labels of {factor} must be a list of names, got {names!r}")
            for name in (factor, *names):
                if not isinstance(name, str):
                    raise TypeError(f"labels must have names that are texts, got {name!r}")
            if not names or len(set(names)) < len(names):
                raise ValueError(f"labels of {factor} must be names, each once, got {list(names)}")
        self.factors = {factor: tuple(names) for factor, names in factors.items()}
        self.sizes = tuple(map(len, self.factors.values()))
        self.width = sum(self.sizes)

    def __eq__(self, other):
        return isinstance(other, Labels) and [*self.factors.items()] == [*other.factors.items()]

    __hash__ = None

    def __str__(self):
        """All names there are, for a message."""
        shown = (f"{k} ({_told(names)})" for k, names in self.factors.items())
        return "; ".join(shown)

    def checked(self, numbers):
        """Labels as int32 (n, factors).

        Args:
            numbers: integers (n, factors); (n,) where there is one factor.

        Raises:
            TypeError: no integers. ValueError: another shape, or no value of the factor.
        """
        numbers = np.asarray(numbers)
        if numbers.dtype.kind not in "ui":
            raise TypeError(f"labels must be integers, got {numbers.dtype}")
        if numbers.ndim == 1 and len(self.sizes) == 1:
            numbers = numbers[:, None]
        if numbers.ndim != 2 or numbers.shape[1] != len(self.sizes):
            raise ValueError(f"labels must have shape (n, {len(self.sizes)}), got {numbers.shape}")
        wrong = (numbers < 0) | (numbers >= self.sizes)
        if wrong.any():
            raise ValueError(f"labels must be numbers of {self}, got {numbers[wrong.any(1)][0]}")
        return numbers.astype(np.int32)

    def counts(self, numbers):
        """How many images each value has: {"hair=red": 12, ...}.

        Args:
            numbers: as in `checked`.
        """
        found = {}
        for column, (factor, names) in zip(self.checked(numbers).T, self.factors.items(),
                                           strict=True):  # fmt: skip
            many = np.bincount(column, minlength=len(names))
            found |= {f"{factor}={name}": int(n) for name, n in zip(names, many, strict=True)}
        return found

    def digest(self, numbers):
        """24 hexadecimal digits of the names and of the labels of all images.

        Args:
            numbers: as in `checked`.
        """
        names = repr(self.factors).encode(errors="surrogateescape")
        return hashlib.sha256(names + self.checked(numbers).tobytes()).hexdigest()[:24]

    def vectors(self, numbers):
        """Labels as networks take them: float32 (n, width), a 1 for each factor's value.

        Args:
            numbers: as in `checked`.
        """
        columns = zip(self.checked(numbers).T, self.sizes, strict=True)
        return np.concatenate([np.eye(size, dtype=np.float32)[x] for x, size in columns], 1)

    def numbers(self, n, label=None, seed=0):
        """The labels of n images that are asked for: int32 (n, factors).

        Args:
            n: how many.
            label: what all shall have, or a list of n such. A name ("red"), names ("red, long"),
                "factor=name", a number where there is one factor, {factor: name or number}, or
                all numbers (integers (n, factors)). A factor that is not named is drawn evenly, as
                all are with None.
            seed: of what is drawn; image i draws the same for every n.

        Raises:
            ValueError: no such label, and the message lists those there are; or a factor twice.
        """
        checks.integer("n", n, 1)
        checks.integer("seed", seed, 0)
        drawn = [
            (np.random.default_rng((seed, k)).random(n) * size).astype(np.int32)
            for k, size in enumerate(self.sizes)
        ]
        found = np.stack(drawn, 1)
        if isinstance(label, np.ndarray):
            label = self.checked(label)
        if isinstance(label, list | tuple | np.ndarray):
            if len(label) != n:
                raise ValueError(f"label must be one, or {n}, got {len(label)}")
            if isinstance(label, np.ndarray):
                return label
        each = label if isinstance(label, list | tuple) else [label] * n
        known = {}  # the same one is looked up once
        for row, one in zip(found, each, strict=True):
            if repr(one) not in known:
                known[repr(one)] = self._meant(one)
            for column, value in known[repr(one)].items():
                row[column] = value
        return found

    def _meant(self, label):
        """{place of a factor: number of its value} of one label."""
        if label is None:
            return {}
        if isinstance(label, dict):
            places = [self._place(factor) for factor in label]
            return {k: self._value(k, x) for k, x in zip(places, label.values(), strict=True)}
        if not isinstance(label, str):
            if len(self.sizes) > 1:
                raise ValueError(f"label must name a value, got {label!r}; there are {self}")
            return {0: self._value(0, label)}
        if places := self._having(label):
            return {self._only(places, label): self._value(places[0], label)}
        found, parts = {}, [part.strip() for part in label.split(",")]
        for part in parts:
            factor, equals, name = (word.strip() for word in part.partition("="))
            place = self._place(factor) if equals else self._only(self._having(part), part)
            if place in found:
                raise ValueError(f"label {label!r} names {[*self.factors][place]} twice")
            found[place] = self._value(place, name if equals else part)
        return found

    def _having(self, name):
        return [k for k, names in enumerate(self.factors.values()) if name in names]

    def _only(self, places, name):
        if len(places) != 1:
            many = [f"{list(self.factors)[k]}={name}" for k in places]
            told = f"is several: {' or '.join(many)}" if many else f"is none of {self}"
            raise ValueError(f"label {name!r} {told}")
        return places[0]

    def _place(self, factor):
        return list(self.factors).index(checks.one_of("factor", factor, list(self.factors)))

    def _value(self, place, value):
        factor, names = list(self.factors.items())[place]
        if isinstance(value, str):
            return names.index(checks.one_of(f"label of {factor}", value, names))
        return checks.integer(f"label of {factor}", value, 0, len(names) - 1)


def _told(names, most=20):
    more = f", ... {len(names)} in all" if len(names) > most else ""
    return ", ".join(names[:most]) + more
