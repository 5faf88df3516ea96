"""Demonstrations: a few runs of each kind at one pair of rates, kept with samples of the first."""

import json
from pathlib import Path

import numpy as np

from sagan_lib import checks, shipped
from sagan_lib.cli.provenance import provenance


def _pictures(path, kinds):
    return {kind: path.with_name(f"{path.stem}_{kind}.png") for kind in kinds}


def steps_between(checkpoints, steps):
    """How many steps lie between two looks at a run.

    Args:
        checkpoints: how often it is looked.
        steps: of the run, a multiple of that.
    """
    checks.integer("checkpoints", checkpoints, 1)
    each, rest = divmod(checks.integer("steps", steps, 1), checkpoints)
    if rest:
        raise ValueError(f"steps must be a multiple of {checkpoints}, got {steps}")
    return each


def run(path, kinds, rates, seeds, train, line="", pictures=None):
    """Train what is not stored yet, and store it; it goes on where it was stopped.

    Args:
        path: of the JSON file; samples of each kind's first run lie beside it.
        kinds: names.
        rates: of G and of D.
        seeds: which.
        train: function of a kind and a seed; gives (what JSON takes, samples (n, h, w, 3), uint8).
        line: the command, for the provenance.
        pictures: fingerprint of what is trained on, where that is the reader's own.

    Returns:
        The path.

    Raises:
        ValueError: the file has runs of other rates, or on other pictures.
    """
    from PIL import Image

    path, rates = Path(path), list(rates)
    record = {"rates": rates, "runs": {}} | ({"pictures": pictures} if pictures else {})
    if path.is_file():
        record = json.loads(path.read_text())
        if record["rates"] != rates:
            raise ValueError(f"{path} has runs of rates {record['rates']}, these have {rates}")
        if record.get("pictures") != pictures:
            raise ValueError(f"{path} has runs on other pictures; write to another file (--out)")
    for seed in seeds:
        for kind in kinds:
            runs = record["runs"].setdefault(kind, {})
            if str(seed) in runs:
                continue
            found, samples = train(kind, seed)
            if not runs:
                with shipped.replacing(_pictures(path, kinds)[kind]) as part:
                    Image.fromarray(np.hstack(samples)).save(part, "PNG")
            runs[str(seed)] = found
            with shipped.replacing(path) as part:
                part.write_text(json.dumps(record | provenance(line), indent=1) + "\n")
    return path


def stored(path, kinds, count):
    """What `run` stored: (the record, {kind: its samples (count, h, w, 3), uint8}).

    Args:
        path: of the JSON file.
        kinds: names.
        count: of samples.

    Raises:
        FileNotFoundError: nothing was run.
    """
    from PIL import Image

    path = Path(path)
    sheets = {kind: np.asarray(Image.open(each)) for kind, each in _pictures(path, kinds).items()}
    samples = {kind: np.stack(np.hsplit(sheet, count)) for kind, sheet in sheets.items()}
    return json.loads(path.read_text()), samples
