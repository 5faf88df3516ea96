"""Arms: many short trainings that differ in one thing.

Every arm is trained with the same seeds, so two arms are compared seed by seed: the same images
in the same order, the same noise and, as `Protocol.first_weights` says, the same first weights.
"""

import contextlib
import dataclasses
import functools
import time
import zlib
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from sagan_experiments import bugs, exact, patches, pooling
from sagan_experiments.hair import NAMES, Hair
from sagan_lib import checks, conditional, cost, finetune, networks, ttur
from sagan_lib.book import imports
from sagan_lib.callbacks import DivergedError, Gap
from sagan_lib.conditional import ConditionalGAN
from sagan_lib.datasets import discs
from sagan_lib.datasets.faces import Faces, labels_of, numbers_of
from sagan_lib.datasets.source import from_bytes
from sagan_lib.evaluation import judge, metrics, scores
from sagan_lib.gan import GAN
from sagan_lib.penalties import PenalizedGAN
from sagan_lib.spectral_norm import WARM_UP, kernel_matrix, normalized_layers, power_iteration

#: Where the first weights of an arm's layers come from: `Protocol` tells the two.
FIRST_WEIGHTS = ("in order", "by layer")


@dataclass(frozen=True)
class Protocol:
    """What all arms share. `images` are scored, `checkpoints` times in a run.

    With `follow`, every checkpoint also keeps how far eyes (or discs) agree and how many
    combinations of attributes there are, as curves of their own.

    `first_weights` "in order" draws all kernels from one stream, as they are made: two arms agree
    up to the first layer in which they differ. "by layer" gives each kernel a stream of its own
    (`draw_by_layer`): they agree in every layer that both have. Results of the two do not mix.
    """

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
    first_weights: str = "in order"
    follow: bool = False

    def __post_init__(self):
        checks.one_of("first_weights", self.first_weights, FIRST_WEIGHTS)

    def __str__(self):
        return (f"pictures of {self.resolution} pixels, networks of width {self.width}, "
                f"{self.steps:,} steps of {self.batch_size} images")  # fmt: skip


PROTOCOLS = {
    "cpu": Protocol(),
    # Fair trials: until the curve has levelled off, scored often enough to take a mean of its end.
    "fair": Protocol(steps=2400, checkpoints=16, first_weights="by layer", follow=True),
    # What that length was found with: the same for twice as long.
    "pilot": Protocol(steps=4800, checkpoints=32, first_weights="by layer", follow=True),
    # Where a GPU is at hand: larger faces and networks, trained for longer.
    "gpu": Protocol(resolution=64, width=32, latent_dim=128, batch_size=64, steps=5000,
                    faces=50_000, images=2000, ema_decay=0.999),
}  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One way to train; the default is the SAGAN without attention that others are held against.

    `sn` is "both", "d" or "none"; `bug` a name of `bugs.BUGS`; `length` multiplies the steps;
    `equal_work` takes as many steps as cost the operations of the default arm's. `resolution`
    replaces that of the protocol; `discs` trains on two discs of one colour, so many pixels apart,
    in place of faces. `patch` gives D so many convolutions and lets it see patches only
    (`patches.discriminator`); `attends` says which network has the attention: "both", "g" or "d".
    `pooling` gives a DCGAN's D pooling in place of strides; `init` draws all its kernels anew:
    "glorot" or "he" (uniform) instead of a normal of deviation 0.02. `svd` takes every sigma from a
    full singular value decomposition. `penalty` and `weight` are those of `PenalizedGAN.compile`.
    `batch_size` and `width` replace those of the protocol; as many images are seen then.
    `pictures` is how many different ones there are in place of the protocol's `faces`, and then it
    is looked what D and G know of them by heart; `augment` is that of `GAN.compile`. `label` names
    the factor of faces that both networks are told, as `conditional.generator` (`tell_g`) and
    `conditional.discriminator` (`tell_d`) have it. `hair` takes faces of one colour of hair alone;
    `continues` lets both networks begin with the weights that the same training had in them at its
    end on faces of all other colours, as many as the protocol says; `frozen` is that of
    `finetune.start`.
    """

    kind: str = "sagan"
    sn: str = "both"
    attention_at: int | None = None
    variant: str = "article"
    g_rate: float = 4e-4
    d_rate: float = 1.6e-3
    beta_1: float = 0.0
    beta_2: float = 0.9
    n_dis: int = 1
    loss: str = "hinge"
    slope: float = 0.1
    batch_norm: bool = True
    power_iterations: int = 1
    bug: str | None = None
    by_colour: bool = False
    length: int = 1
    equal_work: bool = False
    resolution: int | None = None
    discs: int | None = None
    patch: int | None = None
    attends: str = "both"
    pooling: bool = False
    init: str | None = None
    svd: bool = False
    penalty: str | None = None
    weight: float = 10.0
    batch_size: int | None = None
    width: int | None = None
    pictures: int | None = None
    augment: str | None = None
    label: str | None = None
    tell_g: str = "normalize"
    tell_d: str = "project"
    hair: str | None = None
    continues: bool = False
    frozen: int = 0

    def __post_init__(self):
        checks.one_of("attends", self.attends, ["both", "g", "d"])
        if self.label and (self.penalty or self.bug == "one_forward"):
            raise ValueError(f"label={self.label!r} has a GAN of its own, so no penalty and no bug "
                             "that is one")  # fmt: skip
        checks.one_of("hair", self.hair, [None, *NAMES])
        if self.hair and (self.label or self.discs or self.by_colour):
            raise ValueError(f"hair={self.hair!r} has faces of its own, so no label, no discs and "
                             "no order by colour")  # fmt: skip
        if (self.continues and not self.hair) or (self.frozen and not self.continues):
            raise ValueError("frozen layers need a trained pair that continues, and that needs "
                             f"hair, got {self.hair}, {self.continues}, {self.frozen}")  # fmt: skip


_FAST = functools.partial(Arm, g_rate=1e-3, d_rate=4e-3)  # the rates that the article prints
_PATCH = functools.partial(_FAST, discs=22, length=2)  # far discs, unless told otherwise
_PENALTY = functools.partial(Arm, sn="none", loss="bce")  # what came after, in place of SN
_DCGAN = functools.partial(
    Arm,
    kind="dcgan",
    sn="none",
    g_rate=2e-4,
    d_rate=2e-4,
    beta_1=0.5,
    beta_2=0.999,
    loss="bce",
    slope=0.2,
)

ARMS = {
    "base": Arm(),
    "sn_d": Arm(sn="d"),
    "sn_none": Arm(sn="none"),
    "ratio1": Arm(d_rate=4e-4),
    "ratio2": Arm(d_rate=8e-4),
    "ratio8": Arm(d_rate=3.2e-3),
    "none_ratio1": Arm(sn="none", d_rate=4e-4),
    "five_to_one": Arm(d_rate=4e-4, n_dis=5, equal_work=True),
    "rates_text": _FAST(),
    "rates_code": Arm(g_rate=1e-4, d_rate=4e-4),
    "bce": Arm(loss="bce"),
    "power5": Arm(power_iterations=5),
    "exact_svd": Arm(svd=True),
    "frozen_u": Arm(bug="frozen_u"),
    # Eyes must be drawn before they can agree: attention is judged at rates that get there.
    "attention16": _FAST(attention_at=16),
    "attention8": _FAST(attention_at=8),
    "pooled16": _FAST(attention_at=16, variant="pooled"),
    "pooled_keys16": _FAST(attention_at=16, variant="pooled_keys"),
    "half_values16": _FAST(attention_at=16, variant="half_values"),
    "attention16_frozen": _FAST(attention_at=16, bug="frozen_u"),
    # Where else attention might pay: longer, on larger pictures, over a distance.
    "long": _FAST(length=4),
    "attention16_long": _FAST(length=4, attention_at=16),
    "large": _FAST(resolution=64),
    "large_pooled32": _FAST(resolution=64, attention_at=32, variant="pooled"),
    "discs_near": _FAST(discs=10, length=2),
    "discs_near_attention": _FAST(discs=10, length=2, attention_at=16),
    "discs_far": _FAST(discs=22, length=2),
    "discs_far_attention": _FAST(discs=22, length=2, attention_at=16),
    # Where only attention can see the rule: D's patches are 10, 22 or 46 pixels wide.
    "patch10_far": _PATCH(patch=2),
    "patch10_far_d": _PATCH(patch=2, attention_at=16, attends="d"),
    "patch10_far_g": _PATCH(patch=2, attention_at=16, attends="g"),
    "patch10_far_both": _PATCH(patch=2, attention_at=16),
    "patch22_far": _PATCH(patch=3),
    "patch22_far_d": _PATCH(patch=3, attention_at=16, attends="d"),
    "patch46_far": _PATCH(patch=4),
    "patch46_far_d": _PATCH(patch=4, attention_at=16, attends="d"),
    "patch10_near": _PATCH(patch=2, discs=10),
    "patch10_near_d": _PATCH(patch=2, discs=10, attention_at=16, attends="d"),
    "patch22_near": _PATCH(patch=3, discs=10),
    "patch22_near_d": _PATCH(patch=3, discs=10, attention_at=16, attends="d"),
    "patch46_near": _PATCH(patch=4, discs=10),
    "patch46_near_d": _PATCH(patch=4, discs=10, attention_at=16, attends="d"),
    "patch10_faces": _PATCH(patch=2, discs=None),
    "patch10_faces_d": _PATCH(patch=2, discs=None, attention_at=16, attends="d"),
    "wgan_clip": _PENALTY(loss="wasserstein", penalty="clip", weight=0.01),
    "wgan_gp": _PENALTY(loss="wasserstein", penalty="gp"),
    "r1": _PENALTY(penalty="r1"),
    "r1_equal": _PENALTY(penalty="r1", d_rate=4e-4),
    "r3gan": _PENALTY(loss="relativistic", penalty="r1r2"),
    "base_no_bn": Arm(batch_norm=False),
    "r1_no_bn": _PENALTY(penalty="r1", batch_norm=False),
    "scrambled": Arm(bug="scrambled"),
    "leaky_gradient": Arm(bug="leaky_gradient"),
    "plain_dense": Arm(bug="plain_dense"),
    "one_forward": Arm(bug="one_forward"),
    "sorted": Arm(by_colour=True),
    "short_shuffle": Arm(by_colour=True, bug="short_shuffle"),
    "short_shuffle_mixed": Arm(bug="short_shuffle"),
    "dcgan": _DCGAN(),
    "dcgan_no_bn": _DCGAN(batch_norm=False),
    "dcgan_no_bn_glorot": _DCGAN(batch_norm=False, init="glorot"),
    "dcgan_no_bn_he": _DCGAN(batch_norm=False, init="he"),
    "dcgan_pooling": _DCGAN(pooling=True),
    # How much hangs on the settings: a quarter and four times the rate, Adam's default momentum.
    "dcgan_slow": _DCGAN(g_rate=5e-5, d_rate=5e-5),
    "dcgan_fast": _DCGAN(g_rate=8e-4, d_rate=8e-4),
    "dcgan_momentum": _DCGAN(beta_1=0.9),
    "dcgan_relu": _DCGAN(slope=0.0),
    "dcgan_slope002": _DCGAN(slope=0.02),
}

#: Settings A to F of Miyato et al. (2018), arXiv:1802.05957, table 1: alpha, beta_1, beta_2, n_dis.
SETTINGS = {
    "a": (1e-4, 0.5, 0.9, 5), "b": (1e-4, 0.5, 0.999, 1), "c": (2e-4, 0.5, 0.999, 1),
    "d": (1e-3, 0.5, 0.9, 5), "e": (1e-3, 0.5, 0.999, 5), "f": (1e-3, 0.9, 0.999, 5),
}  # fmt: skip
#: What is held against what under these settings, each with the loss of its paper.
CONSTRAINTS = {
    "sn": Arm, "plain": functools.partial(Arm, sn="none"),
    "gp": functools.partial(_PENALTY, loss="wasserstein", penalty="gp"),
    "r1": functools.partial(_PENALTY, penalty="r1"),
}  # fmt: skip
ARMS |= {
    f"{constraint}_setting_{setting}": make(
        g_rate=rate, d_rate=rate, beta_1=beta_1, beta_2=beta_2, n_dis=n_dis, equal_work=n_dis > 1
    )
    for setting, (rate, beta_1, beta_2, n_dis) in SETTINGS.items()
    for constraint, make in CONSTRAINTS.items()
}


def networks_of(arm, protocol):
    """The untrained (generator, discriminator) of an `Arm` under a `Protocol`, without its bug."""
    if not arm.label:
        return _unlabelled(arm, protocol)
    (generator, discriminator), width = _unlabelled(arm, protocol), labels_of(arm.label).width
    return (conditional.generator(generator, width, arm.tell_g),
            conditional.discriminator(discriminator, width, arm.tell_d))  # fmt: skip


def _unlabelled(arm, protocol):
    resolution, width = _side(arm, protocol), arm.width or protocol.width
    in_g, in_d = (arm.attention_at if arm.attends in ("both", x) else None for x in "gd")
    make = functools.partial(
        networks.build, arm.kind, resolution, width, protocol.latent_dim,
        variant=arm.variant, sn=arm.sn, slope=arm.slope, power_iterations=arm.power_iterations,
        batch_norm=arm.batch_norm,
    )  # fmt: skip
    if arm.pooling:
        return make()[0], pooling.discriminator(resolution, width, arm.slope)
    generator, discriminator = make(attention_at=in_g)
    if not arm.patch:
        return generator, discriminator if in_d == in_g else make(attention_at=in_d)[1]
    return generator, patches.discriminator(resolution, width, arm.patch, in_d, arm.slope)


_INITS = {"glorot": keras.initializers.GlorotUniform, "he": keras.initializers.HeUniform}


def _draw_in_order(net, init, seed):
    """Give every kernel of a network other first weights, by its place in the network."""
    for k, layer in enumerate(layer for layer in net.layers if hasattr(layer, "kernel")):
        layer.kernel.assign(_INITS[init](seed=1000 * seed + k)(layer.kernel.shape))


def draw_by_layer(net, seed, init=None):
    """Draw every kernel of a network anew, as a function of seed, network's and layer's name.

    So a layer that two arms share begins with the same kernel, whatever stands before it. The `u`
    of a normalized layer is warmed up on the new kernel; all other weights stay as they are.

    Args:
        net: a `keras.Model`, built; layers inside of layers count, by their path.
        seed: an integer, at least 0.
        init: "glorot" or "he" for all kernels; by default each layer's own initializer.

    Raises:
        TypeError, ValueError: a wrong seed or initializer.
    """
    checks.integer("seed", seed, 0)
    checks.one_of("init", init, [None, *_INITS])
    for layer in (layer for layer in net._flatten_layers() if hasattr(layer, "kernel")):
        own = layer.kernel_initializer
        make, options = (_INITS[init], {}) if init else (type(own), own.get_config())
        key = zlib.crc32(f"{seed} {net.name} {layer.kernel.path}".encode())
        layer.kernel.assign(make(**options | {"seed": key})(layer.kernel.shape))
    for layer in normalized_layers(net):
        matrix = kernel_matrix(layer.kernel, layer.kind)
        layer.u.assign(power_iteration(matrix, layer.u, WARM_UP)[1])


def build(arm, protocol, seed):
    """The compiled GAN of an arm, its bug included.

    Args:
        arm: an `Arm`.
        protocol: a `Protocol`.
        seed: of weights, shuffles and noise.

    Returns:
        A `GAN`, or one of its kinds, compiled and untrained.
    """
    keras.utils.set_random_seed(seed)
    penalized = {"penalty": arm.penalty, "weight": arm.weight} if arm.penalty else {}
    make = PenalizedGAN if penalized else bugs.OneForward if arm.bug == "one_forward" else GAN
    if arm.label:
        make = functools.partial(ConditionalGAN, labels=labels_of(arm.label))
    nets = networks_of(arm, protocol)
    for net in nets:
        if protocol.first_weights == "by layer":
            draw_by_layer(net, seed, arm.init)
        elif arm.init:
            _draw_in_order(net, arm.init, seed)
    if arm.continues:
        finetune.start(nets, trained_on_others(arm, protocol, seed), arm.frozen)
    model = make(*nets, seed=seed, ema_decay=protocol.ema_decay)
    if arm.svd:
        exact.apply(model)
    if arm.bug in bugs.LAYER_BUGS:
        everywhere = arm.bug == "frozen_u" and arm.attention_at is None
        bugs.apply(model, arm.bug, everywhere)
    rates = ttur.two_time_scale(arm.g_rate, arm.d_rate, arm.beta_1, arm.beta_2, n_dis=arm.n_dis)
    model.compile(**rates, loss=arm.loss, augment=arm.augment, **penalized)
    return model


def trained_on_others(arm, protocol, seed):
    """What an arm continues from: a GAN like it, trained on faces of all other colours of hair.

    Args:
        arm: an `Arm` with `hair`.
        protocol: a `Protocol`; its faces and steps count, as it is not for few pictures.
        seed: as in `build`.

    Returns:
        A `GAN`; where its training diverged, with the last good weights.
    """
    plain = {"continues": False, "frozen": 0, "pictures": None, "augment": None}
    return _trained_on_others(dataclasses.replace(arm, **plain), protocol, seed)


@functools.lru_cache(1)  # arms that differ in what comes after share it
def _trained_on_others(arm, protocol, seed):
    model, steps = build(arm, protocol, seed), steps_of(arm, protocol)
    data = _source(protocol.faces, _side(arm, protocol), False, None, None, arm.hair, True)
    with contextlib.suppress(DivergedError):
        model.fit(data, steps=steps, batch_size=_batch_size(arm, protocol),
                  log_every=max(1, steps // protocol.checkpoints), verbose=0)  # fmt: skip
    return model


def _batch_size(arm, protocol):
    return arm.batch_size or protocol.batch_size


def steps_of(arm, protocol):
    """G updates of an arm: on as many images as the default arm's, or as cost what those cost."""
    if not arm.equal_work:
        seen = arm.length * protocol.steps * protocol.batch_size
        return seen // _batch_size(arm, protocol)
    costs = [
        cost.plan(*networks_of(a, protocol), protocol.batch_size, 1, a.n_dis).step_flops
        for a in (Arm(), arm)
    ]
    return round(arm.length * protocol.steps * costs[0] / costs[1])


def _side(arm, protocol):
    return arm.resolution or protocol.resolution


@functools.cache
def _source(size, resolution, by_colour, distance, label, hair=None, others=False):
    if hair:
        return Hair(hair, others, resolution, size)
    if distance:
        return discs.Discs(resolution, size, distance=distance)
    source = Faces(resolution, size, label=label)
    if by_colour:  # a file whose neighbours are alike: by background, then by hair
        record = source.factors()
        source.reorder(np.lexsort((record.hair, record.background)))
    return source


def source(arm, protocol):
    """What an arm is trained on under a protocol."""
    size = arm.pictures or protocol.faces
    kind = arm.by_colour, arm.discs, arm.label, arm.hair
    return _source(size, _side(arm, protocol), *kind)


_extractor = functools.cache(scores.extractor)


@functools.cache
def _real(data, count):
    """Features of real images like those of a source."""
    return _extractor(data.extractor).features(data.held_out(count, 1)[0])


def score(model, arm, protocol, ema=True, whole=False):
    """Point scores of a model's images.

    Args:
        model: a `GAN`.
        arm: its `Arm`, which says what real images are.
        protocol: its `Protocol`.
        ema: of the averaged generator, else of the current one.
        whole: all scores, not the Fréchet distance alone.

    Returns:
        {"frechet": ...}; what the known truth says too where D sees patches or the protocol follows
        it, and all with `whole`.
    """
    data = source(arm, protocol)
    images = model.sample(protocol.images, seed=1, ema=ema, batch_size=250)
    features, real = _extractor(data.extractor).features(images), _real(data, protocol.reference)
    found = {"frechet": metrics.frechet(features, real)}
    if whole or arm.patch or protocol.follow:
        found |= _known(images, arm)
    if not whole:
        return found
    precision, recall = metrics.precision_recall(real[: protocol.images], features)
    if arm.label:  # the labels that `sample` drew
        asked = data.labels.numbers(protocol.images, None, seed=1)
        found["obeyed"] = float((numbers_of(judge.read(images), data.labels) == asked).mean())
    return found | {
        "kernel_distance": metrics.kernel_distance(features, real),
        "precision": float(precision.mean()),
        "recall": float(recall.mean()),
    }  # fmt: skip


def _known(images, arm):
    """What the known truth says of images: how far discs agree, or the counts of faces."""
    if arm.discs:
        return {"agreement": metrics.agreement(*discs.read(images, arm.discs).T)}
    return scores.counts(judge.read(images))


def _by_heart(model, arm, protocol):
    """What D and G know by heart: "d_gap" of `callbacks.Gap`, and "copies" of `scores.copies`."""
    training, held_out = source(arm, protocol).split(500)
    found = {}
    gap = Gap(training, held_out)
    gap.set_model(model)
    gap.on_epoch_end(0, found)
    images = model.sample(protocol.images, seed=1, batch_size=250)
    judged = _extractor(training.extractor)
    copied = scores.copies(images, from_bytes(training.images), held_out, judged)
    return {"d_gap": found["d_gap"], "copies": copied["value"]}


def _steepness(model, data):
    """(the largest slope of D's score over 256 images, the share of scores outside 0 to 1)."""
    images = tf.constant(from_bytes(data.images[:256]))
    told = [tf.constant(data.labels.vectors(data.numbers[:256]))] if data.labels else []
    with tf.GradientTape() as tape:
        tape.watch(images)
        values = model.discriminator([images, *told] if told else images, training=False)
    slopes = tf.norm(tf.reshape(tape.gradient(values, images), (len(images), -1)), axis=1)
    return float(tf.reduce_max(slopes)), float(tf.reduce_mean(tf.cast(
        (values < 0) | (values > 1), tf.float32)))  # fmt: skip


@functools.cache
def library(labels=False):
    """Of what an arm trains through and is scored by: kept beside each result, to tell old ones.

    Args:
        labels: of an arm with labels, which trains through more.
    """
    return imports.digest(
        f"from sagan_lib import gan, networks, penalties, ttur{', conditional' * labels}\n"
        "from sagan_lib.datasets import discs, faces\n"
        "from sagan_lib.evaluation import judge, metrics, scores\n"
    )


def run(arm, seed, protocol=Protocol()):
    """Train one arm with one seed and score it.

    Args:
        arm: an `Arm`.
        seed: of weights, shuffles and noise.
        protocol: a `Protocol`.

    Returns:
        A dict of numbers: final scores of the averaged generator, "curve" (step and Fréchet
        distance at each checkpoint), "live" and "raw" (Fréchet distance of the generator that is
        not averaged, and of the averaged one with raw kernels, erratum E2), gamma, D's slope, the
        share of D's scores outside 0..1, "diverged", "seconds" of training, and the state of the
        library that it trained through. With `Protocol.follow` "agreement_curve" and
        "coverage_curve" too; of an arm with few pictures what is known by heart (`_by_heart`); of
        one with labels "obeyed", the share of faces that have what was asked for.
    """
    started, steps = time.perf_counter(), steps_of(arm, protocol)
    model, data = build(arm, protocol, seed), source(arm, protocol)
    if arm.bug == "short_shuffle":
        data = bugs.ShortShuffle(data)
    agree = "agreement" if arm.discs else "eye_agreement"
    curve, known, diverged, trained = [], [], False, 0.0
    for part in range(1, protocol.checkpoints + 1):
        goal = steps * part // protocol.checkpoints
        begin = time.perf_counter()
        try:
            todo = goal - int(model.step.numpy())
            model.fit(data, steps=todo, batch_size=_batch_size(arm, protocol), log_every=todo,
                      verbose=0)  # fmt: skip
        except DivergedError:
            diverged = True
        trained += time.perf_counter() - begin
        last = diverged or part == protocol.checkpoints
        found = score(model, arm, protocol, whole=last)
        curve.append([int(model.step.numpy()), found["frechet"]])
        known.append([found.get(name) for name in (agree, "coverage")])
        if diverged:
            break
    agreements, coverages = zip(*known, strict=True)
    if arm.patch:  # it wanders: the mean of the later half says more than its end
        found["late_agreement"] = float(np.mean(agreements[len(agreements) // 2 :]))
    found |= {"live": score(model, arm, protocol, ema=False)["frechet"]} | model.gammas()
    if arm.pictures:
        found |= _by_heart(model, arm, protocol)
    found["steepness"], found["outside"] = _steepness(model, source(arm, protocol))
    if normalized_layers(model.ema_generator):
        bugs.apply(model.ema_generator, "raw_inference")
        found["raw"] = score(model, arm, protocol)["frechet"]
    curves = {"curve": [value for _, value in curve]}
    if protocol.follow:
        curves["agreement_curve"] = agreements
        if not arm.discs:
            curves["coverage_curve"] = coverages
    steps = [step for step, _ in curve]
    return {name: _rounded(value) for name, value in found.items()} | {
        name: [[step, _rounded(value)] for step, value in zip(steps, values, strict=True)]
        for name, values in curves.items()
    } | {
        "library": library(bool(arm.label)), "diverged": diverged, "seconds": round(trained, 1),
        "seconds_with_scores": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def _rounded(value):
    return float(f"{value:.5g}")
