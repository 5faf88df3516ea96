"""A hundred pictures of a new kind: anew, going on from a trained pair, with a part of D frozen.

The new kind are faces with red hair; the pair was trained on faces of all other colours. What is
kept is a demonstration at one pair of rates; whether it holds is for `questions` to say.
"""

import dataclasses

from sagan_experiments import arms, demo, ways
from sagan_lib import checks, shipped
from sagan_lib.datasets.source import from_bytes, to_bytes
from sagan_lib.evaluation import judge, metrics, scores

RATES, SEEDS, SHOWN = (2e-3, 4e-3), (1, 2, 3), 10
#: Name -> what of `ways.VARIANTS` is trained.
KINDS = {"anew": "sn_red_100", "on": "sn_red_100_on", "frozen": "sn_red_100_frozen"}
#: The others' training has so many steps.
PROTOCOL = dataclasses.replace(arms.PROTOCOLS["fair"], steps=900, images=500, reference=2000)


def train(kind, seed, steps=300, checkpoints=3, protocol=PROTOCOL):
    """Train one kind with one seed, and look at it before the first step and on the way.

    Args:
        kind: of `KINDS`.
        seed: of weights, shuffles and noise.
        steps: of training, a multiple of `checkpoints`.
        checkpoints: how often it is looked.
        protocol: an `arms.Protocol`; its steps are those of what comes before.

    Returns:
        ({"frechet": [[step, to faces with red hair]], "share": [[step, of samples with red hair]],
        "copies": at the end, as `scores.copies`}, samples (10, 32, 32, 3), uint8).
    """
    name = KINDS[checks.one_of("kind", kind, KINDS)]
    each = demo.steps_between(checkpoints, steps)
    arm = ways.TRIALS[ways.at_rates(name, *RATES)]
    model, data = arms.build(arm, protocol, seed), arms.source(arm, protocol)
    judged = scores.extractor(data.extractor)
    real, fresh = data.held_out(protocol.reference, protocol.images)
    expected, found = judged.features(real), {"frechet": [], "share": []}
    for part in range(checkpoints + 1):
        if part:
            model.fit(data, steps=each, batch_size=protocol.batch_size, log_every=each, verbose=0)
        images = model.sample(protocol.images, seed=1, batch_size=250)
        distance = metrics.frechet(judged.features(images), expected)
        found["frechet"].append([part * each, round(distance, 1)])
        found["share"].append([part * each, round(data.share(judge.read(images)), 4)])
    found["copies"] = scores.copies(images, from_bytes(data.images), fresh, judged)["value"]
    return found, to_bytes(images[:SHOWN])


def _path(path):
    return path or shipped.folder() / "results" / "continued32.json"


def run(path=None, seeds=SEEDS, line=""):
    """Train what is not stored yet, and store it: `demo.run`.

    Args:
        path: of the JSON file.
        seeds: which.
        line: the command, for the provenance.
    """
    return demo.run(_path(path), KINDS, RATES, seeds, train, line)


def stored(path=None):
    """What `run` stored: (the record, {kind: its samples (10, 32, 32, 3), uint8}).

    Args:
        path: of the JSON file; by default the one that comes with the book.

    Raises:
        FileNotFoundError: nothing was run.
    """
    return demo.stored(_path(path), KINDS, SHOWN)
