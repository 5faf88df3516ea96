"""Bad calls over the public functions: each is refused with the argument's name, none is silent.

What is wrong follows from an argument's name, so a new function is looked at by itself: one value
of a wrong kind and one out of range. All that a check refuses is `test_checks`' subject.
"""

import importlib
import inspect
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_experiments import arms, patches, pooling
from sagan_experiments.speed import baselines, case
from sagan_lib import (
    attend,
    augment,
    callbacks,
    conditional,
    cost,
    dcgan,
    devices,
    finetune,
    losses,
    networks,
    penalties,
    sagan,
    sampling,
    ttur,
)
from sagan_lib.attention import SelfAttention
from sagan_lib.book import page, plots
from sagan_lib.book.imports import modules
from sagan_lib.cli import recipes
from sagan_lib.datasets import discs, faces, registry, source
from sagan_lib.datasets.keras_sets import KerasImages
from sagan_lib.evaluation import by_class, judge, maps, metrics, scores, sight
from sagan_lib.spectral_norm import (
    SNConv2D,
    SNConv2DTranspose,
    SNDense,
    exact_sigma,
    kernel_matrix,
    power_iteration,
    spectrally_normalized,
)

IMAGES = np.zeros((4, 32, 32, 3), np.float32)
POINTS = np.random.default_rng(0).normal(size=(8, 3))
NET = dcgan.generator(16, 4, 2)
ATTENDS = sagan.generator(16, 8, 2, attention_at=8)
MAP = np.full((2, 64, 64), 1 / 64, np.float32)
FACES = faces.factors(range(3))
SCORES = np.zeros((4, 1), np.float32)


def alike(names, value):
    """A dict of this value for several keys, given as words or one by one."""
    return dict.fromkeys(names.split() if isinstance(names, str) else names, value)


COUNT = [0, 1.5]  # where an integer from 1 on is wanted
NAME = ["no-such", 3]
RATE = [0, "x", math.nan]  # a number greater than 0
FEATURES = [POINTS[0], POINTS * np.nan]
OF_D = [SCORES[:, 0], SCORES.astype(int)]
LABELS = [[], [[1, 2]], [0.5, 1.0], [-1, 0], ["a", "b"]]
PICTURES = [IMAGES[0], IMAGES[:0], IMAGES[..., :1], IMAGES + 100, IMAGES * np.nan,
            IMAGES.astype(np.int64)]  # fmt: skip
TWO_SCORES = (losses.hinge_d, losses.bce_d, losses.wasserstein_d, penalties.relativistic_d,
              penalties.relativistic_g)  # fmt: skip
#: Argument -> what is wrong for it in whatever public function has one of this name.
WRONG = {
    **alike(
        "n latent_dim batch_size steps n_dis size epochs columns zoom power_iterations units "
        "filters kernel_size strides depth_multiplier input_dim output_dim block_bytes k count "
        "possible distance depth", COUNT),
    **alike("crop limit decay_steps", COUNT),
    **alike("kind variant method sn attention_at", NAME),
    **alike("g_rate d_rate seconds", RATE),
    **alike("beta_1 beta_2", [1.0, "x"]),
    **alike("generator discriminator", [None, "net"]),
    **alike("ema_decay probability strength slope", [-0.1, 1.5, math.nan]),
    **alike("augment policies", [*NAME, ""]),
    "images": PICTURES,
    "population": [-1, 1.5, 2**64, 2001],
    "resolution": [15, 512, 32.0],
    "seed": [-1, 1.5, 2**31],
    "width": [3, 200, 8.0],
}  # fmt: skip
#: Function -> what is wrong where a name means something else there, or nothing to be checked.
OWN = {
    **alike(
        (losses.get, ttur.preset, devices.strategy, KerasImages, scores.extractor), {"name": NAME}),
    **alike((maps.looks_at, maps.cut), {"width": RATE}),
    **alike(TWO_SCORES, {"real": OF_D, "fake": OF_D}),
    **alike((losses.hinge_g, losses.bce_g, losses.minimax_g), {"fake": OF_D}),
    **alike((metrics.frechet, metrics.kernel_distance), {"a": FEATURES, "b": FEATURES}),
    **alike(
        (plots.curves, plots.ellipse, plots.seeds, plots.pictures), {"width": []}),
    **alike((cost.memory_bytes, sight.related),
            {"generator": [], "discriminator": []}),
    patches.discriminator: {"resolution": [], "width": [], "slope": []},
    source.shuffled_indices: {"seed": []},
    metrics.precision_recall: {"real": FEATURES, "fake": FEATURES},
    **alike((metrics.radii, metrics.nearest), {"points": FEATURES}),
    **alike((conditional.generator, conditional.discriminator),
            {"width": COUNT, "how": NAME, "network": [None, "net"]}),
    faces.labels_of: {"label": NAME},
    finetune.start: {"trained": [None, NET]},
    finetune.freeze: {"frozen": [-1, 3, 1.5, True, "2", None]},
    metrics.total_variation: {"values": LABELS},
    metrics.agreement: {"left": LABELS, "right": LABELS},
    spectrally_normalized: {"layer_class": NAME},
    exact_sigma: {"matrix": [*FEATURES, POINTS[None]]},
    faces.render: {"record": NAME},
    faces.factors: {"population": []}, faces.real_faces: {"population": []},
    registry.by_name: {"data": ["", 3, None, b"faces"]},
    source.to_bytes: {"images": [IMAGES.astype(np.uint8), IMAGES.astype(int), IMAGES * np.nan]},
    source.from_bytes: {"images": [IMAGES, IMAGES.astype(int), None]},
}  # fmt: skip
#: Right values of what a call needs, and of what keeps a network small.
RIGHT = {
    "resolution": 32, "width": 8, "latent_dim": 2, "n": 2, "size": 4, "batch_size": 2, "steps": 3,
    "generator": NET, "discriminator": dcgan.discriminator(16, 4), "units": 3, "filters": 3,
    "kernel_size": 3, "input_dim": 3, "output_dim": 2, "kernel": np.zeros((3, 3, 2, 4)),
    "kind": "conv", "matrix": POINTS, "u": POINTS[0], "queries": MAP, "keys": MAP, "values": MAP,
    "images": IMAGES, "distance": 10, "real": POINTS, "fake": POINTS, "points": POINTS, "k": 3,
    "count": 2, "left": [0, 1], "right": [0, 1], "a": POINTS, "b": POINTS, "path": ".",
    "model": NET, "weights": MAP, "query": (0, 0), "target": (0, 0), "depth": 2, "possible": 5,
    "record": FACES, "data": "faces", "step": 0, "seed": 0, "name": "mnist",
    "layer_class": keras.layers.Conv1D, "policies": "color",
    "others": POINTS, "frozen": 1,
}  # fmt: skip
OTHERWISE = {
    networks.build: {"kind": "sagan", "attention_at": 16}, source.as_images: {"name": "images"},
    conditional.generator: {"network": NET, "width": 5},
    conditional.discriminator: {"network": dcgan.discriminator(16, 4), "width": 5},
    conditional.ConditionalGAN: {"labels": 5}, finetune.start: {"pair": (NET, NET)},
    judge.train: {"size": 128}, ttur.preset: {"name": "sagan_x4"},
    metrics.total_variation: {"values": [0, 1]},
    **alike(TWO_SCORES, {"real": SCORES, "fake": SCORES}),
}  # fmt: skip
#: Modules whose arguments are files, commands or students' answers: their own tests attack them.
ELSEWHERE = (
    "sagan_experiments.", "sagan_lib.cli.", "sagan_lib.book.classroom", "sagan_lib.book.page",
    "sagan_lib.book.scales", "sagan_lib.callbacks", "sagan_lib.checks", "sagan_lib.datasets.decode",
)  # fmt: skip
#: Functions that another public one calls, which has checked; and records that others fill.
INSIDE = {
    attend.keeps_map, attend.largest_divisor, augment.color, augment.cutout, augment.translation,
    cost.Plan, cost.best_time, dcgan.channels_at, dcgan.down_sides, dcgan.sides, faces.Factors,
    faces.population_number, metrics.inside, penalties.one_centred, penalties.squared_slopes,
    penalties.zero_centred, sagan.default_attention, scores.copies, scores.evaluate, ttur.Preset,
    by_class.evaluate,
}  # fmt: skip
#: Where the message says it in another word than the argument's.
WORDS = {
    (KerasImages, "name"): "data", (losses.get, "name"): "loss",
    (devices.strategy, "name"): "devices", (ttur.preset, "name"): "preset",
    (scores.extractor, "name"): "extractor",
}  # fmt: skip


def public():
    """All functions and classes of the library that others may call."""
    for name in modules():
        if not name.endswith("__main__") and not f"{name}.".startswith(ELSEWHERE):
            for word, each in vars(importlib.import_module(name)).items():
                ours = getattr(each, "__module__", None) == name and not word.startswith("_")
                error = inspect.isclass(each) and issubclass(each, BaseException)
                if ours and callable(each) and not error and each not in INSIDE:
                    yield each


def calls():
    """(function, arguments, the argument that is wrong) of every bad call."""
    for function in [*public(), patches.discriminator, pooling.discriminator]:
        parameters, own = inspect.signature(function).parameters, OWN.get(function, {})
        right = {name: RIGHT[name] for name in parameters if name in RIGHT}
        right |= OTHERWISE.get(function, {})
        for argument in parameters:
            for value in own.get(argument, WRONG.get(argument, ())):
                yield pytest.param(function, right | {argument: value}, argument, id=(
                    f"{function.__module__.removeprefix('sagan_lib.')}.{function.__name__}-"
                    f"{argument}={getattr(value, 'dtype', value)!s:.12}"))  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "wrong"), calls())
def test_a_bad_call_names_the_argument(function, arguments, wrong):
    with pytest.raises((ValueError, TypeError)) as caught:
        function(**arguments)
    assert WORDS.get((function, wrong), wrong) in str(caught.value)
    assert "got" in str(caught.value), "the value"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: attend.attend(tf.zeros((2, 4, 1)), tf.zeros((1, 4, 1)), tf.zeros((1, 4, 2))),
         "same batch"),
        (lambda: attend.attend(*[tf.zeros((1, 4, 1), tf.int32)] * 3), "float"),
        (lambda: sampling.latent(2, 3, truncation=-1.0), "truncation"),
        (lambda: devices.strategy("mirrored", ["GPU:7"]), "GPU:7"),
        (lambda: callbacks.Guard("run.h5"), r"save_to must end in \.keras"),
        (lambda: cost.plan(dcgan.discriminator(16, 4), NET, 2, 3), "discriminator takes"),
        (lambda: SNConv2D(4, 3)(IMAGES[0]), r"sn_conv2d.* expected min_ndim=4.*\(32, 32, 3\)"),
        (lambda: SNConv2DTranspose(4, 4)(IMAGES[0]), r"min_ndim=4.*\(32, 32, 3\)"),
        (lambda: SNDense(4)(tf.zeros(3)), r"sn_dense.* expected min_ndim=2.*\(3,\)"),
        (lambda: SNConv2D(4, (3, 0)), "kernel_size must be at least 1, got 0"),
        (lambda: SelfAttention()(IMAGES[0]), r"\(batch, h, w, c\), got \(32, 32, 3\)"),
        (lambda: FACES.replace(hair=99), "hair must be from 0 to 4, got 99"),
        (lambda: FACES.replace(skin=1.5), "skin must be integers, got 1.5"),
        (lambda: FACES.replace(skin=[0, 1]), r"skin must be one value, or 3, got shape \(2,\)"),
        (lambda: FACES.replace(tilt=math.nan), "tilt must be finite numbers, got nan"),
        (lambda: FACES.replace(nose=1), "factor must be one of .* got 'nose'"),
        (lambda: faces.Faces(16, 3).reorder([0, 0, 1]), "order must be a permutation of 0 to 2"),
        (lambda: maps.cut(MAP, (0.5, 0.5), (0.5, 0.5), 1), "target must leave places"),
        (lambda: maps.with_map(ATTENDS, np.zeros((2, 2)), lambda weights: weights[:1]),
         r"change must give a map of shape \(2, 64, 64\), got \(1, 64, 64\)"),
        (lambda: devices.strategy("mirrored", []), "devices must name at least one"),
        (lambda: networks.build("dcgan", 16, 4, attention_at=8), "attention_at of a dcgan"),
        (lambda: power_iteration(np.ones((3, 3), int), np.ones(3)), "matrix must be of a float"),
        (lambda: plots.pictures([]), "number of grids must be at least 1, got 0"),
        (lambda: plots.pictures([IMAGES], titles=["a", "b"]), "titles must be 1, one for each"),
        (lambda: page.glue("quality", math.nan), "value of quality must be finite, got nan"),
        (lambda: attend.attend(MAP, MAP[..., :5], MAP), r"keys .*\(2, 64, 5\)"),
        (lambda: attend.attend(MAP, MAP, MAP[:, :9]), r"values .*\(2, 9, 64\)"),
        (lambda: power_iteration(np.ones((3, 2), "f"), np.ones(3, "f")), r"u must have shape \(2"),
        (lambda: power_iteration(np.ones(3, "f"), np.ones(3, "f")), "matrix must have rank 2"),
        (lambda: kernel_matrix(np.zeros((3, 4)), "conv"), "rank 3 to 5"),
        (lambda: kernel_matrix(np.zeros(9), "embedding"), "rank 2"),
        (lambda: sagan.generator(32, 8, attention_at=32), r"one of \[None, 8, 16\], got 32"),
        (lambda: discs.Discs(32, 4, distance=9), "at least 10 and at most 22, got 9"),
        (lambda: discs.Discs(32, 4).held_out(0, 1), "real must be at least 1, got 0"),
        (lambda: discs.read(IMAGES[:, :, :30], 10), r"\(n, h, h, 3\), got \(4, 32, 30, 3\)"),
        (lambda: faces.factors([0.5]), "indices must be integers, got dtype float64"),
        (lambda: faces.factors([3, -1]), "a vector of integers >= 0, got .*-1"),
        (lambda: faces.factors([1], 2**64 + 2001), "population .* at most"),
        (lambda: faces.Faces(16, 4).batches(2, count=0), "count must be at least 1, got 0"),
        (lambda: judge.read(faces.render(FACES, 16)), r"at least 32 pixels, got \(16, 16\)"),
        (lambda: judge.coverage(judge.read(IMAGES), ["tilt"]), "name must be one of .*'tilt'"),
        (lambda: maps.looks_at(MAP[0], (0, 0), (0, 0)), r"shape \(batch, N, M\)"),
        (lambda: maps.looks_at(MAP[:, :60], (0, 0), (0, 0)), "square maps"),
        (lambda: maps.looks_at(MAP, (1.0, 0), (0, 0)), "query must be"),
        (lambda: maps.looks_at(MAP, (0, 0), (0, -0.1)), "target must be"),
        (lambda: plots.overlay(IMAGES[0], np.ones(6), (0, 0)), "square map, got 6"),
        (lambda: recipes.get("faces"), "recipe must be one of .*'faces32'.* got 'faces'"),
        (lambda: recipes.get("faces32", colour=1), "recipe field .*'latent_dim'.* got 'colour'"),
        (lambda: arms.draw_by_layer(NET, -1), "seed must be at least 0"),
        (lambda: arms.draw_by_layer(NET, 0, "zeros"), "init must be one of"),
        (lambda: arms.Protocol(first_weights="anew"), "first_weights must be one of"),
        (lambda: patches.discriminator(30, 4, 2), "resolution must be a multiple of 4, got 30"),
        (lambda: baselines.build("torch", case.case("16x4")), "contender must be .* got 'torch'"),
        (lambda: penalties.relativistic_d(SCORES, SCORES[:1]), "must be as many scores"),
    ],
)  # fmt: skip
def test_what_is_wrong_between_arguments(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()


@pytest.mark.parametrize("make", [SelfAttention, lambda: dcgan.generator(32, 8)])
def test_another_layout_of_images_is_refused(make, monkeypatch):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    with pytest.raises(ValueError, match=r"image_data_format must be one of .* 'channels_first'"):
        make()


def test_images_from_0_to_1_are_warned_about():
    with pytest.warns(UserWarning, match=r"images: no number is below 0\. Are they in \[0, 1\]"):
        judge.read(np.random.default_rng(0).random((2, 32, 32, 3)))


def test_a_large_truncation_gives_finite_noise():
    assert np.isfinite(sampling.latent(2000, 64, truncation=6.0)).all()
