"""Far discs, with attention and without: the smallest case in which a GAN needs it.

Two discs must have one colour, so far apart that no place of D's convolutions sees both. What is
kept is a demonstration at one pair of rates; whether it holds is for `questions` to say.
"""

import json
from pathlib import Path

import numpy as np

from sagan_experiments import arms, ways
from sagan_lib import checks, shipped
from sagan_lib.cli.provenance import provenance
from sagan_lib.datasets import discs
from sagan_lib.datasets.source import to_bytes
from sagan_lib.evaluation import metrics
from sagan_lib.evaluation.sight import related

RATES, SEEDS, SHOWN = (1e-3, 4e-3), (1, 2, 3), 10
#: Name -> what of `ways.VARIANTS` is trained.
KINDS = {"without": "r1_discs22", "with": "r1_discs22_att8"}


def train(kind, seed, steps=960, checkpoints=12):
    """Train one kind with one seed, and look at both networks.

    Args:
        kind: of `KINDS`.
        seed: of weights, shuffles and noise.
        steps: of training, a multiple of `checkpoints`.
        checkpoints: how often it is looked.

    Returns:
        ({"agreement": [[step, of 500 samples beyond chance]], "related": D's sight before and after
        (`sight.related`), "g_gamma" and "d_gamma" where there is attention}, samples (10, 32, 32,
        3), uint8).
    """
    name = KINDS[checks.one_of("kind", kind, KINDS)]
    arm = ways.TRIALS[ways.at_rates(name, *RATES)]
    checks.integer("checkpoints", checkpoints, 1)
    each, rest = divmod(checks.integer("steps", steps, 1), checkpoints)
    if rest:
        raise ValueError(f"steps must be a multiple of {checkpoints}, got {steps}")
    protocol = arms.PROTOCOLS["fair"]
    model, data = arms.build(arm, protocol, seed), arms.source(arm, protocol)
    quartet = discs.recoloured(100, distance=arm.discs)
    sight, curve = [related(model.discriminator, quartet)], []
    for part in range(1, checkpoints + 1):
        model.fit(data, steps=each, batch_size=protocol.batch_size, log_every=each, verbose=0)
        images = model.sample(500, seed=1, batch_size=250)
        agreement = metrics.agreement(*discs.read(images, arm.discs).T)
        curve.append([part * each, round(agreement, 4)])
    sight.append(related(model.discriminator, quartet))
    found = {"agreement": curve, "related": sight} | model.gammas()
    return found, to_bytes(images[:SHOWN])


def _files(path):
    path = Path(path or shipped.folder() / "results" / "far_discs.json")
    return path, {kind: path.with_name(f"{path.stem}_{kind}.png") for kind in KINDS}


def run(path=None, seeds=SEEDS, line="", **options):
    """Train what is not stored yet, and store it; it goes on where it was stopped.

    Args:
        path: of the JSON file; samples of each kind's first run lie beside it.
        seeds: which.
        line: the command, for the provenance.
        options: of `train`.

    Returns:
        The path.

    Raises:
        ValueError: the file has runs of other rates.
    """
    from PIL import Image

    path, pictures = _files(path)
    record = {"rates": list(RATES), "runs": {kind: {} for kind in KINDS}}
    if path.is_file():
        record = json.loads(path.read_text())
        if record["rates"] != list(RATES):
            raise ValueError(f"{path} has runs of rates {record['rates']}, these have {RATES}")
    for seed in seeds:
        for kind, runs in record["runs"].items():
            if str(seed) in runs:
                continue
            found, samples = train(kind, seed, **options)
            if not runs:
                with shipped.replacing(pictures[kind]) as part:
                    Image.fromarray(np.hstack(samples)).save(part, "PNG")
            runs[str(seed)] = found
            with shipped.replacing(path) as part:
                part.write_text(json.dumps(record | provenance(line), indent=1) + "\n")
    return path


def stored(path=None):
    """What `run` stored: (the record, {kind: its samples (10, 32, 32, 3), uint8}).

    Args:
        path: of the JSON file; by default the one that comes with the book.

    Raises:
        FileNotFoundError: nothing was run.
    """
    from PIL import Image

    path, pictures = _files(path)
    sheets = {kind: np.asarray(Image.open(picture)) for kind, picture in pictures.items()}
    samples = {kind: np.stack(np.hsplit(sheet, SHOWN)) for kind, sheet in sheets.items()}
    return json.loads(path.read_text()), samples
