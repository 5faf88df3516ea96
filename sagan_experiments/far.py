"""Far discs, with attention and without: the smallest case in which a GAN needs it.

Two discs must have one colour, so far apart that no place of D's convolutions sees both. What is
kept is a demonstration at one pair of rates; whether it holds is for `questions` to say.
"""

from sagan_experiments import arms, demo, ways
from sagan_lib import checks, shipped
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
    each = demo.steps_between(checkpoints, steps)
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


def _path(path):
    return path or shipped.folder() / "results" / "far_discs.json"


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
