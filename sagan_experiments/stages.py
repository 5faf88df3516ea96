"""What a Fréchet distance looks like: faces of one run at several stages, beside real ones.

The run is the pilot's of `TRIAL`, up to the last of `STEPS`. `python -m sagan_experiments stages`
makes it again in some minutes of a core, and writes the picture with its record beside it.
"""

import json
import math
from pathlib import Path

import numpy as np

from sagan_experiments import arms, trials, ways
from sagan_lib import checks, shipped
from sagan_lib.book import plots
from sagan_lib.cli import provenance
from sagan_lib.evaluation import metrics, scores

#: Fréchet distances that are looked for; of each, the checkpoint that comes nearest is shown.
GOALS = (1500, 400, 100, 30)
#: Steps after which the averaged generator is scored, closer at the start where it changes fast.
STEPS = (*range(30, 300, 30), *range(300, 2401, 150))
TRIAL, SEED = "sn@0.001/0.001", trials.TUNING[0]
#: Faces of each stage, the first of those that are scored: none is picked.
FACES = 6
NAME = "stages32"


def nearest(distances, goals=GOALS):
    """The places of the distances that come nearest to goals, as factors.

    Args:
        distances: numbers above 0.
        goals: likewise.

    Returns:
        A list of indices, one for each goal.
    """
    logs = np.log([checks.number("distances", each, 0, open_low=True) for each in distances])
    return [int(np.abs(logs - math.log(goal)).argmin()) for goal in goals]


def run(folder=None, line="", steps=STEPS, protocol=arms.PROTOCOLS["pilot"]):
    """Train, score at each checkpoint, and keep faces and distances of the stages.

    Args:
        folder: to write to; by default that of the book's results.
        line: the command, for the provenance.
        steps: increasing.
        protocol: an `arms.Protocol`; its own steps do not count.

    Returns:
        The record that was written.

    Raises:
        ValueError: `steps` do not increase.
    """
    if any(step <= before for before, step in zip((0, *steps), steps, strict=False)):
        raise ValueError(f"steps must increase from at least 1, got {steps}")
    arm = ways.TRIALS[TRIAL]
    model, data = arms.build(arm, protocol, SEED), arms.source(arm, protocol)
    judged = scores.extractor(data.extractor)
    reference, real = data.held_out(protocol.reference, protocol.images)
    expected = judged.features(reference)

    def distance(images):
        return round(metrics.frechet(judged.features(images), expected), 1)

    curve, faces = [], []
    for before, step in zip((0, *steps), steps, strict=False):
        todo = step - before
        model.fit(data, steps=todo, batch_size=protocol.batch_size, log_every=todo, verbose=0)
        images = model.sample(protocol.images, seed=1, batch_size=250)
        curve.append((step, distance(images)))
        faces.append(images[:FACES])
    chosen = nearest([each for _, each in curve])
    found = {"trial": TRIAL, "seed": SEED, "curve": curve, "stages": [curve[k] for k in chosen],
             "real": distance(real), **provenance.provenance(line)}  # fmt: skip
    sheet = plots.grid(np.concatenate([*(faces[k] for k in chosen), real[:FACES]]), FACES, gap=0)
    return _write(found, sheet, shipped.folder() / "results" if folder is None else Path(folder))


def _write(record, sheet, folder):
    from PIL import Image

    with shipped.replacing(folder / f"{NAME}.png") as part:
        Image.fromarray(sheet).save(part, "PNG")
        record |= {"picture": shipped.sha256(part)}
    with shipped.replacing(folder / f"{NAME}.json") as part:
        part.write_text(json.dumps(record) + "\n")
    return record


def stored(folder=None):
    """What `run` has written.

    Args:
        folder: by default that of the book's results.

    Returns:
        (its record, faces: uint8 (stages and the real ones, `FACES`, side, side, 3)).

    Raises:
        ValueError: the picture is not the record's.
    """
    from PIL import Image

    path = (shipped.folder() / "results" if folder is None else Path(folder)) / f"{NAME}.json"
    record, picture = json.loads(path.read_text()), path.with_suffix(".png")
    if shipped.sha256(picture) != record["picture"]:
        raise ValueError(f"{picture}: its checksum is not the one in {path.name}")
    sheet = np.asarray(Image.open(picture).convert("RGB"))
    side, rows = sheet.shape[1] // FACES, len(record["stages"]) + 1
    return record, sheet.reshape(rows, side, FACES, side, 3).swapaxes(1, 2)
