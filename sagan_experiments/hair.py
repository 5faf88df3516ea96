"""Faces of one hair colour, or of all others: a new kind of pictures whose truth is known."""

import numpy as np

from sagan_lib import checks
from sagan_lib.datasets import faces
from sagan_lib.datasets.source import Part

NAMES = faces.LABELS["hair"]


class Hair(Part):
    """The first faces of a population that have one colour of hair, or that have another.

    Args:
        colour: of `NAMES`.
        others: take the faces of all other colours in place of that one's.
        resolution: as for `faces.Faces`.
        size: how many different faces there are.
        population: as for `faces.Faces`.

    Raises:
        TypeError, ValueError: no such colour, or an argument out of range.
    """

    endless = True

    def __init__(self, colour, others=False, resolution=32, size=100, population=0):
        self.colour = NAMES.index(checks.one_of("colour", colour, NAMES))
        self.others = others
        checks.integer("size", size, 1)
        chosen = self._chosen(size, faces.trainable(population))
        super().__init__(faces.Faces(resolution, int(chosen[-1]) + 1, population), chosen)
        kind = f"without {colour} hair" if others else f"with {colour} hair"
        self.description = f"{self.description}, those {kind}"

    def _chosen(self, size, population):
        """The numbers of the first so many faces of a population that are of this kind."""
        indices = np.arange(10 * size + 100)
        fits = (faces.factors(indices, population).hair == self.colour) != self.others
        return indices[fits][:size]

    def held_out(self, real, held_out):
        """As `Source.held_out`: faces of this kind, of populations that nothing is trained on."""
        sizes, kept = {"real": real, "held_out": held_out}, (faces.REFERENCE, faces.HELD_OUT)
        return tuple(
            self._faces(checks.integer(name, size, 1), population)
            for (name, size), population in zip(sizes.items(), kept, strict=True)
        )

    def _faces(self, size, population):
        return faces.render(faces.factors(self._chosen(size, population), population),
                            self.resolution)  # fmt: skip

    def share(self, read):
        """The share of faces that are of this kind.

        Args:
            read: what the judge reads of them, a `judge.Reading`.
        """
        return float(((read.hair == self.colour) != self.others).mean())
