"""Many short trainings that differ in one thing: the arms of the book's experiments.

Every arm is trained with the same seeds, so two arms are compared seed by seed: the same images
in the same order, the same noise and, where the networks are alike, the same first weights.
"""

import contextlib
import dataclasses
import functools
import json
import multiprocessing
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from sagan_lib import (
    checks,
    dcgan,
    hardware,
    judge,
    measures,
    museum,
    pairs,
    sagan,
    scores,
    shipped,
    ttur,
)
from sagan_lib.callbacks import DivergedError
from sagan_lib.faces import Faces
from sagan_lib.gan import GAN
from sagan_lib.images import from_bytes
from sagan_lib.pairs import Pairs
from sagan_lib.spectral_norm import normalized_layers


@dataclass(frozen=True)
class Scale:
    """What all arms of a sweep share. `images` are scored, `checkpoints` times in a run."""

    resolution: int = 32
    width: int = 16
    latent_dim: int = 64
    batch_size: int = 32
    steps: int = 600
    faces: int = 20_000
    images: int = 1000
    reference: int = 5000
    checkpoints: int = 4
    ema_decay: float = 0.99


SCALES = {
    "cpu": Scale(),
    # Where a GPU is at hand: larger faces and networks, trained for longer.
    "gpu": Scale(resolution=64, width=32, latent_dim=128, batch_size=64, steps=5000, faces=50_000,
                 images=2000, ema_decay=0.999),
}  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One way to train; the default is the SAGAN without attention that others are held against.

    `sn` is "both", "d" or "none"; `bug` a name of `museum.BUGS`; `length` multiplies the steps;
    `equal_work` takes as many steps as cost the operations of the default arm's. `resolution`
    replaces that of the scale; `pairs` trains on two discs of one colour, so many pixels apart,
    in place of faces.
    """

    kind: str = "sagan"
    sn: str = "both"
    attention_at: int | None = None
    variant: str = "article"
    g: float = 4e-4
    d: float = 1.6e-3
    beta_1: float = 0.0
    beta_2: float = 0.9
    n_dis: int = 1
    loss: str = "hinge"
    slope: float = 0.1
    batch_norm: bool = True
    rounds: int = 1
    bug: str | None = None
    by_colour: bool = False
    length: int = 1
    equal_work: bool = False
    resolution: int | None = None
    pairs: int | None = None


_FAST = functools.partial(Arm, g=1e-3, d=4e-3)  # the rates that the article prints
_DCGAN = functools.partial(
    Arm, kind="dcgan", sn="none", g=2e-4, d=2e-4, beta_1=0.5, beta_2=0.999, loss="bce", slope=0.2
)

ARMS = {
    "base": Arm(),
    "sn_d": Arm(sn="d"),
    "sn_none": Arm(sn="none"),
    "ratio1": Arm(d=4e-4),
    "ratio2": Arm(d=8e-4),
    "ratio8": Arm(d=3.2e-3),
    "none_ratio1": Arm(sn="none", d=4e-4),
    "five_to_one": Arm(d=4e-4, n_dis=5, equal_work=True),
    "rates_text": _FAST(),
    "rates_code": Arm(g=1e-4, d=4e-4),
    "bce": Arm(loss="bce"),
    "rounds5": Arm(rounds=5),
    "fresh_u": Arm(bug="frozen_u"),
    # Eyes must be drawn before they can agree: attention is judged at rates that get there.
    "attention16": _FAST(attention_at=16),
    "attention8": _FAST(attention_at=8),
    "pooled16": _FAST(attention_at=16, variant="paper"),
    "attention16_frozen": _FAST(attention_at=16, bug="frozen_u"),
    # Where else attention might pay: longer, on larger pictures, over a distance.
    "long": _FAST(length=4),
    "attention16_long": _FAST(length=4, attention_at=16),
    "large": _FAST(resolution=64),
    "large_pooled32": _FAST(resolution=64, attention_at=32, variant="paper"),
    "pairs_near": _FAST(pairs=10, length=2),
    "pairs_near_attention": _FAST(pairs=10, length=2, attention_at=16),
    "pairs_far": _FAST(pairs=22, length=2),
    "pairs_far_attention": _FAST(pairs=22, length=2, attention_at=16),
    "scrambled": Arm(bug="scrambled"),
    "leaky_gradient": Arm(bug="leaky_gradient"),
    "plain_dense": Arm(bug="plain_dense"),
    "one_forward": Arm(bug="one_forward"),
    "sorted": Arm(by_colour=True),
    "short_shuffle": Arm(by_colour=True, bug="short_shuffle"),
    "dcgan": _DCGAN(),
    "dcgan_no_bn": _DCGAN(batch_norm=False),
    "dcgan_relu": _DCGAN(slope=0.0),
    "dcgan_slope002": _DCGAN(slope=0.02),
}


def networks(arm, scale):
    """The untrained (generator, discriminator) of an arm, its bug not yet hung up."""
    size = (arm.resolution or scale.resolution, scale.width)
    if arm.kind == "dcgan":
        generator = dcgan.generator(*size, scale.latent_dim, arm.batch_norm)
        return generator, dcgan.discriminator(*size, arm.batch_norm, arm.slope)
    place = {"attention_at": arm.attention_at, "variant": arm.variant}
    generator = sagan.generator(*size, scale.latent_dim, use_sn=arm.sn == "both", **place)
    return generator, sagan.discriminator(*size, use_sn=arm.sn != "none", slope=arm.slope, **place)


def build(arm, scale, seed):
    """The compiled GAN of an arm, its bug included."""
    checks.one_of("sn", arm.sn, ("both", "d", "none"))
    keras.utils.set_random_seed(seed)
    nets = networks(arm, scale)
    for layer in (layer for net in nets for layer in normalized_layers(net)):
        layer.rounds = arm.rounds
    make = museum.OneForward if arm.bug == "one_forward" else GAN
    model = make(*nets, seed=seed, ema_decay=scale.ema_decay)
    if arm.bug in museum.LAYER_BUGS:
        everywhere = arm.bug == "frozen_u" and arm.attention_at is None
        museum.hang(model, arm.bug, everywhere)
    rates = ttur.two_time_scale(arm.g, arm.d, arm.beta_1, arm.beta_2)
    model.compile(**rates, n_dis=arm.n_dis, loss=arm.loss)
    return model


def steps_of(arm, scale):
    """G updates of an arm; with `equal_work`, those that cost what the default arm's cost."""
    if not arm.equal_work:
        return arm.length * scale.steps
    costs = [
        hardware.plan(*networks(a, scale), scale.batch_size, 1, a.n_dis).step_flops
        for a in (Arm(), arm)
    ]
    return round(arm.length * scale.steps * costs[0] / costs[1])


@functools.cache
def _source(scale, resolution, by_colour, pairs):
    if pairs:
        return Pairs(resolution, scale.faces, distance=pairs)
    source = Faces(resolution, scale.faces)
    if by_colour:  # a file whose neighbours are alike: by background, then by hair
        record = source.factors()
        source._images = source.images[np.lexsort((record.hair, record.background))]
    return source


def source(arm, scale):
    """What an arm is trained on."""
    return _source(scale, arm.resolution or scale.resolution, arm.by_colour, arm.pairs)


@functools.cache
def _extractor():
    return scores.judge_extractor()


@functools.cache
def _real(scale, resolution, pairs):
    if pairs:
        images = Pairs(resolution, scale.reference, scores.REFERENCE_SEED, pairs).images
        return _extractor().features(from_bytes(images))
    return _extractor().features(scores.real_faces(scale.reference, resolution))


def score(model, arm, scale, ema=True, whole=False):
    """{"frechet": ...} of a model's images; with `whole` all point scores.

    The judge has never seen pairs of discs; its features serve them as any network's would.
    """
    images = model.sample(scale.images, seed=1, ema=ema, batch_size=250)
    features = _extractor().features(images)
    real = _real(scale, arm.resolution or scale.resolution, arm.pairs)
    found = {"frechet": scores.frechet(features, real)}
    if not whole:
        return found
    precision, recall = scores.precision_recall(real[: scale.images], features)
    known = scores.counts(judge.read(images)) if not arm.pairs else {
        "agreement": scores.agreement(*pairs.read(images, arm.pairs).T)}  # fmt: skip
    return found | {
        "kernel_distance": scores.kernel_distance(features, real),
        "precision": float(precision.mean()),
        "recall": float(recall.mean()),
    } | known  # fmt: skip


def _steepness(model, data):
    """(the largest slope of D's score over 256 images, the share of scores outside 0 to 1)."""
    images = tf.constant(from_bytes(data.images[:256]))
    with tf.GradientTape() as tape:
        tape.watch(images)
        values = model.discriminator(images, training=False)
    slopes = tf.norm(tf.reshape(tape.gradient(values, images), (len(images), -1)), axis=1)
    return float(tf.reduce_max(slopes)), float(tf.reduce_mean(tf.cast(
        (values < 0) | (values > 1), tf.float32)))  # fmt: skip


def run(arm, seed, scale=Scale()):
    """Train one arm with one seed and score it.

    Returns:
        A dict of numbers: final scores of the averaged generator, "curve" (step and Fréchet
        distance at each checkpoint), "live" and "raw" (Fréchet distance of the generator that is
        not averaged, and of the averaged one with raw kernels, erratum E2), gamma, D's slope, the
        share of D's scores outside 0..1, "diverged" and "seconds" of training.
    """
    started, steps = time.perf_counter(), steps_of(arm, scale)
    model, data = build(arm, scale, seed), source(arm, scale)
    if arm.bug == "short_shuffle":
        data = museum.ShortShuffle(data)
    curve, diverged, trained = [], False, 0.0
    for part in range(1, scale.checkpoints + 1):
        goal = steps * part // scale.checkpoints
        begin = time.perf_counter()
        try:
            todo = goal - int(model.step.numpy())
            model.fit(data, steps=todo, batch_size=scale.batch_size, log_every=todo, verbose=0)
        except DivergedError:
            diverged = True
        trained += time.perf_counter() - begin
        last = diverged or part == scale.checkpoints
        found = score(model, arm, scale, whole=last)
        curve.append([int(model.step.numpy()), found["frechet"]])
        if diverged:
            break
    found |= {"live": score(model, arm, scale, ema=False)["frechet"]} | model.gammas()
    found["steepness"], found["outside"] = _steepness(model, source(arm, scale))
    if normalized_layers(model.ema_generator):
        museum.hang(model.ema_generator, "raw_inference")
        found["raw"] = score(model, arm, scale)["frechet"]
    rounded = {name: float(f"{value:.5g}") for name, value in found.items()}
    return rounded | {
        "curve": [[step, float(f"{value:.5g}")] for step, value in curve],
        "diverged": diverged, "seconds": round(trained, 1),
        "seconds_with_scores": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def provenance(line=""):
    """Where and with what a result was made."""
    return {
        "command": line, "date": time.strftime("%Y-%m-%d"),
        "tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__,
        "machine": platform.machine(), "cores": os.cpu_count(), "gpus": len(hardware.gpus()),
        "judge": shipped.checksums()[judge.WEIGHTS],
    }  # fmt: skip


class Store:
    """The results of a sweep in one JSON file; what is there and fits is not computed again."""

    def __init__(self, path, scale):
        self.path, self.scale = Path(path), dataclasses.asdict(scale)
        self.data = {"scale": self.scale, "runs": {}, "measures": {}, "provenance": {}}
        if self.path.exists():
            self.data = json.loads(self.path.read_text())
            if self.data["scale"] != self.scale:
                raise ValueError(f"{path} holds a sweep of another scale: {self.data['scale']}")

    def seeds(self, kind, name):
        """{seed: result} of an arm ("runs"; only if it is still defined alike) or a measure."""
        entry = self.data[kind].get(name, {"seeds": {}})
        if kind == "runs" and (not entry["seeds"] or Arm(**entry["arm"]) != ARMS[name]):
            return {}
        return {int(seed): value for seed, value in entry["seeds"].items()}

    def add(self, kind, name, seed, value):
        """Keep one result, and write the file as a whole."""
        arm = {"arm": dataclasses.asdict(ARMS[name])} if kind == "runs" else {}
        seeds = self.seeds(kind, name) | {seed: value}
        ordered = {str(s): seeds[s] for s in sorted(seeds)}
        self.data[kind][name] = arm | {"seeds": ordered}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(dump(self.data) + "\n")
        part.replace(self.path)


def dump(data):
    """JSON with one line for each seed's result."""
    if isinstance(data, dict) and any(isinstance(v, dict) for v in data.values()):
        inner = ",\n".join(f"{json.dumps(k)}: {dump(v)}" for k, v in data.items())
        return "{\n" + inner + "\n}"
    return json.dumps(data)


def _work(task):
    """One task, in a process of the pool; returns it with its result."""
    kind, name, seed, scale = task
    if kind == "runs":
        return task, run(ARMS[name], seed, scale)
    return task, measures.MEASURES[name](seed)


@contextlib.contextmanager
def _threads(count):
    """Meanwhile new processes compute with so many threads; None leaves it to TensorFlow."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    before = {name: os.environ[name] for name in names if name in os.environ}
    if count:
        os.environ |= dict.fromkeys(names, str(count))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ |= before


def fill(store, wanted, seeds, jobs=None, line=""):
    """Compute what is missing: `wanted` is a list of (kind, name); seed 0 of all comes first.

    Several processes share the cores, one thread each: these networks are too small for more.
    Ctrl-C loses the runs that are under way only.
    """
    jobs = jobs or (1 if hardware.gpus() else os.cpu_count() or 1)
    scale = Scale(**store.scale)
    missing = [(*w, s, scale) for s in range(seeds) for w in wanted if s not in store.seeds(*w)]
    if not missing:
        return
    store.data["provenance"] = provenance(line) | {"jobs": jobs}
    context = multiprocessing.get_context("spawn")
    # A process is replaced after a few runs, because TensorFlow keeps some memory of each. Not
    # with concurrent.futures: its pool can hang when it replaces processes (Python issue 115634).
    with (
        _threads(1 if jobs > 1 else None),
        context.Pool(jobs, maxtasksperchild=8) as pool,
        tqdm(total=len(missing), unit="run") as bar,
    ):
        for (kind, name, seed, _), value in pool.imap_unordered(_work, missing):
            store.add(kind, name, seed, value)
            bar.set_postfix_str(f"{kind}/{name}/{seed}")
            bar.update()
