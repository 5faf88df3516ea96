"""A few hundred real pictures, shown to D as they are and changed: a demonstration.

The pictures are a folder of the reader's own, for which the book takes some of Tux Paint's stamps;
none of them is kept. What is trained is what the command line trains.
"""

import csv
import tempfile
from pathlib import Path

from sagan_experiments import demo
from sagan_lib import checks, shipped, ttur
from sagan_lib.cli import keep, process, recipes, runs
from sagan_lib.datasets.source import to_bytes
from sagan_lib.evaluation.scores import Extractor, copies

SEEDS, SHOWN, STEPS = (1, 2), 24, 6000
#: Name -> `recipes.Recipe.augment`.
KINDS = {"plain": None, "changed": "color,translation,cutout"}
#: The others' pictures are too unlike the judge's faces for its features, so copies are looked for
#: among the colours themselves.
PIXELS = Extractor("pixels", "", lambda images: images.reshape(len(images), -1))


def recipe(kind, seed, folder):
    """What is trained: small, and at rates that the fair trials found good.

    Args:
        kind: of `KINDS`.
        seed: of weights, shuffles and noise.
        folder: of the pictures, or a zip.

    Returns:
        A `recipes.Recipe`.
    """
    return recipes.get(
        "fashion32", data=str(folder), rates="sagan_x10", attention_at=None, batch_size=32,
        ema_decay=0.99, augment=KINDS[checks.one_of("kind", kind, KINDS)], seed=seed, steps=STEPS,
    )  # fmt: skip


def train(recipe):
    """Train as `python -m sagan_lib train` does, and look at what came of it.

    Args:
        recipe: a `recipes.Recipe`, such as `recipe` gives.

    Returns:
        ({"gap": [[step, D's mean score of training pictures less that of held-out ones]], "copies":
        as `scores.copies`, among colours, "images": how many were trained on, "held_out": and how
        many not}, samples (24, 32, 32, 3), uint8).
    """
    with tempfile.TemporaryDirectory() as out:
        try:
            model, _ = runs.train(recipe, out, log_every=max(1, recipe.steps // 20))
        except keep.Stopped as stop:  # its save goes with the folder
            raise process.Ended(stop.number) from stop
        rows = list(csv.DictReader(Path(out, "log.csv").read_text().splitlines()))
        training, fresh = runs.memory(out)
    images = model.sample(500, seed=1, batch_size=250)
    return {
        "gap": [[int(row["step"]), round(float(row["d_gap"]), 3)] for row in rows],
        "copies": copies(images, training, fresh, PIXELS),
        "images": len(training),
        "held_out": len(fresh),
    }, to_bytes(images[:SHOWN])


def _path(path):
    return path or shipped.folder() / "results" / "own32.json"


def run(folder, path=None, seeds=None, line=""):
    """Train what is not stored yet, and store it: `demo.run`.

    Args:
        folder: of the pictures, or a zip.
        path: of the JSON file.
        seeds: which; by default `SEEDS`.
        line: the command, for the provenance.

    Raises:
        ValueError: the file has runs on other pictures.
    """
    plain = recipe("plain", 0, folder)
    preset = ttur.PRESETS[plain.rates]
    return demo.run(
        _path(path), KINDS, (preset.g_rate, preset.d_rate), seeds or SEEDS,
        lambda kind, seed: train(recipe(kind, seed, folder)), line, runs.source(plain).fingerprint,
    )  # fmt: skip


def stored(path=None):
    """What `run` stored: (the record, {kind: its samples (24, 32, 32, 3), uint8}).

    Args:
        path: of the JSON file; by default the one that comes with the book.

    Raises:
        FileNotFoundError: nothing was run.
    """
    return demo.stored(_path(path), KINDS, SHOWN)
