"""Bad calls over the public functions: each is refused with the argument's name, none is silent.

A table names each function, a call that is right, and the kind of each argument; the kinds say what
is wrong for it. So a new function needs one line here.
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
    callbacks,
    cost,
    dcgan,
    devices,
    gan,
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
from sagan_lib.datasets.folder import ImageFolder
from sagan_lib.datasets.keras_sets import KerasImages
from sagan_lib.evaluation import judge, maps, metrics, scores
from sagan_lib.spectral_norm import (
    SNConv2D,
    SNConv2DTranspose,
    SNDense,
    SNDepthwiseConv2D,
    SNEmbedding,
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
D_NET = dcgan.discriminator(16, 4)

#: What is wrong for each kind of argument.
WRONG = {
    "count": [0, -1, 1.5, "3", None, True],  # an integer from 1 on
    "seed": [-1, 1.5, "3", None, 2**31],
    "population": [-1, 1.5, "3", None, 2**64, 2001, 2002, 1001, 1002],
    "data": ["", 3, None, b"faces"],
    "rate": [0, -1.0, "x", math.nan, math.inf, None],  # a number greater than 0
    "share": [-0.1, 1.5, "x", math.nan, None],  # a number from 0 to 1
    "slope": [-0.1, 1.5, "x", math.nan],
    "beta": [-0.1, 1.0, "x", math.nan],
    "name": ["no-such", 3],
    "resolution": [0, 17, 512, 32.0, "32"],
    "width": [0, 3, 6, 200, 8.0, "8"],
    "side": [15, 300, 32.0, "32"],
    "images": [
        IMAGES[0], IMAGES[:0], IMAGES[..., :1], IMAGES + 100, IMAGES * np.nan,
        IMAGES.astype(np.int64),
    ],
    "features": [POINTS[0], POINTS * np.nan],
    "scores": [SCORES[:, 0], SCORES.reshape(2, 2), SCORES.astype(int), SCORES.tolist(), None],
    "matrix": [POINTS[0], POINTS[None], POINTS * np.nan],
    "floats": [IMAGES.astype(np.uint8), IMAGES.astype(int), IMAGES * np.nan],
    "bytes": [IMAGES, IMAGES.astype(int), None],
    "labels": [[], [[1, 2]], [0.5, 1.0], [-1, 0], ["a", "b"]],
    "model": [None, "net", 3],
}  # fmt: skip

#: Function -> (a right call's arguments, {argument: kind}).
TABLE = {
    dcgan.generator: (
        {"resolution": 16, "width": 4, "latent_dim": 2},
        {"resolution": "resolution", "width": "width", "latent_dim": "count"},
    ),
    dcgan.discriminator: (
        {"resolution": 16, "width": 4, "slope": 0.2},
        {"resolution": "resolution", "width": "width", "slope": "slope"},
    ),
    sagan.generator: (
        {"resolution": 16, "width": 4, "latent_dim": 2, "attention_at": None, "variant": "article"},
        {"resolution": "resolution", "width": "width", "latent_dim": "count",
         "attention_at": "name"},
    ),
    sagan.discriminator: (
        {"resolution": 16, "width": 4, "attention_at": None, "slope": 0.1},
        {"resolution": "resolution", "width": "width", "attention_at": "name", "slope": "slope"},
    ),
    networks.build: (
        {"kind": "sagan", "resolution": 16, "width": 4, "sn": "both", "power_iterations": 1},
        {"kind": "name", "sn": "name", "power_iterations": "count", "resolution": "resolution",
         "width": "width"},
    ),
    SelfAttention: (
        {"variant": "article", "method": "auto"}, {"variant": "name", "method": "name"},
    ),
    SNDense: (
        {"units": 3, "power_iterations": 1}, {"units": "count", "power_iterations": "count"},
    ),
    SNConv2D: (
        {"filters": 3, "kernel_size": 3, "strides": 1},
        {"filters": "count", "kernel_size": "count", "strides": "count"},
    ),
    SNConv2DTranspose: (
        {"filters": 3, "kernel_size": 4, "strides": 2},
        {"filters": "count", "kernel_size": "count", "strides": "count"},
    ),
    SNDepthwiseConv2D: (
        {"kernel_size": 3, "strides": 1, "depth_multiplier": 1},
        {"kernel_size": "count", "strides": "count", "depth_multiplier": "count"},
    ),
    SNEmbedding: (
        {"input_dim": 3, "output_dim": 2}, {"input_dim": "count", "output_dim": "count"},
    ),
    spectrally_normalized: (
        {"layer_class": keras.layers.Conv1D, "kind": "conv"},
        {"layer_class": "name", "kind": "name"},
    ),
    kernel_matrix: ({"kernel": np.zeros((3, 3, 2, 4)), "kind": "conv"}, {"kind": "name"}),
    power_iteration: (
        {"matrix": np.ones((3, 2), "f"), "u": np.ones(2, "f"), "power_iterations": 1},
        {"power_iterations": "count"},
    ),
    attend.attend: (
        dict.fromkeys(("queries", "keys", "values"), np.zeros((2, 4, 1), "f"))
        | {"method": "auto", "block_bytes": 64},
        {"method": "name", "block_bytes": "count"},
    ),
    losses.get: ({"name": "hinge"}, {"name": "name"}),
    ttur.preset: ({"name": "cpu", "decay_steps": 5}, {"name": "name", "decay_steps": "count"}),
    ttur.two_time_scale: (
        {"g_rate": 1e-4, "d_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.9, "n_dis": 1},
        {"g_rate": "rate", "d_rate": "rate", "beta_1": "beta", "beta_2": "beta",
         "n_dis": "count"},
    ),
    sampling.latent: (
        {"n": 2, "latent_dim": 3, "seed": 0},
        {"n": "count", "latent_dim": "count", "seed": "seed"},
    ),
    sampling.generate: (
        {"generator": NET, "n": 2, "seed": 0, "batch_size": 2},
        {"n": "count", "seed": "seed", "batch_size": "count"},
    ),
    **dict.fromkeys(
        [losses.hinge_d, losses.bce_d, losses.wasserstein_d, penalties.relativistic_d,
         penalties.relativistic_g],
        ({"real": SCORES, "fake": SCORES}, {"real": "scores", "fake": "scores"}),
    ),
    **dict.fromkeys(
        [losses.hinge_g, losses.bce_g, losses.minimax_g], ({"fake": SCORES}, {"fake": "scores"})
    ),
    **dict.fromkeys(
        [gan.GAN, penalties.PenalizedGAN],
        ({"generator": NET, "discriminator": D_NET, "seed": 0, "ema_decay": 0.9},
         {"generator": "model", "discriminator": "model", "seed": "seed", "ema_decay": "share"}),
    ),
    exact_sigma: ({"matrix": POINTS}, {"matrix": "matrix"}),
    faces.trainable: ({"population": 0}, {"population": "population"}),
    faces.real_faces: ({"n": 2, "resolution": 16}, {"n": "count", "resolution": "side"}),
    source.as_images: ({"name": "images", "images": IMAGES}, {"images": "images"}),
    source.to_bytes: ({"images": IMAGES}, {"images": "floats"}),
    source.from_bytes: ({"images": IMAGES.astype(np.uint8)}, {"images": "bytes"}),
    source.shuffled_indices: (
        {"step": 0, "batch_size": 2, "size": 4, "seed": 0},
        {"batch_size": "count", "size": "count"},
    ),
    judge.train: (
        {"path": "judge.weights.h5", "size": 10, "epochs": 1, "seed": 0},
        {"size": "count", "epochs": "count", "seed": "seed"},
    ),
    judge.accuracy: ({"model": NET, "n": 2}, {"n": "count"}),
    metrics.precision_recall: (
        {"real": POINTS, "fake": POINTS, "k": 3},
        {"real": "features", "fake": "features", "k": "count"},
    ),
    metrics.radii: ({"points": POINTS, "k": 3}, {"points": "features", "k": "count"}),
    metrics.total_variation: (
        {"values": [0, 1], "count": 2}, {"values": "labels", "count": "count"},
    ),
    metrics.agreement: (
        {"left": [0, 1], "right": [0, 1]}, {"left": "labels", "right": "labels"},
    ),
    plots.save_grid: (
        {"path": "grid.png", "images": IMAGES, "columns": 2, "zoom": 1},
        {"images": "images", "columns": "count", "zoom": "count"},
    ),
    plots.pictures: ({"images": IMAGES, "columns": 2}, {"images": "images", "columns": "count"}),
    cost.memory_bytes: (
        {"generator": NET, "discriminator": D_NET, "batch_size": 2}, {"batch_size": "count"},
    ),
    cost.activation_bytes: ({"model": NET, "batch_size": 2}, {"batch_size": "count"}),
    cost.matmul_rate: ({"size": 8, "seconds": 0.01}, {"size": "count", "seconds": "rate"}),
    cost.check_pair: (
        {"generator": NET, "discriminator": D_NET},
        {"generator": "model", "discriminator": "model"},
    ),
    devices.strategy: ({"name": "one"}, {"name": "name"}),
    faces.Faces: (
        {"resolution": 16, "size": 4, "population": 0},
        {"resolution": "side", "size": "count", "population": "population"},
    ),
    discs.Discs: (
        {"resolution": 32, "size": 4, "distance": 10},
        {"resolution": "side", "size": "count", "distance": "count",
         "population": "population"},
    ),
    discs.read: ({"images": IMAGES, "distance": 10}, {"images": "images", "distance": "count"}),
    faces.render: (
        {"record": FACES, "resolution": 16}, {"record": "name", "resolution": "side"},
    ),
    KerasImages: ({"name": "mnist", "resolution": 32}, {"name": "name", "resolution": "side"}),
    ImageFolder: (
        {"path": ".", "resolution": 32, "crop": 10, "limit": 1},
        {"resolution": "side", "crop": "count", "limit": "count"},
    ),
    registry.by_name: (
        {"data": "faces", "resolution": 32, "size": 4, "population": 0},
        {"data": "data", "resolution": "side", "size": "count", "population": "population"},
    ),
    judge.read: ({"images": IMAGES}, {"images": "images"}),
    judge.expected_coverage: ({"n": 3, "possible": 5}, {"n": "count", "possible": "count"}),
    scores.extractor: ({"name": "judge"}, {"name": "name"}),
    maps.looks_at: (
        {"weights": MAP, "query": (0, 0), "target": (0, 0), "width": 0.2}, {"width": "rate"},
    ),
    maps.cut: (
        {"weights": MAP, "query": (0, 0), "target": (0, 0), "width": 0.2}, {"width": "rate"},
    ),
    patches.discriminator: (
        {"resolution": 32, "width": 4, "depth": 2, "attention_at": None},
        {"depth": "count", "attention_at": "name"},
    ),
    pooling.discriminator: (
        {"resolution": 32, "width": 8, "slope": 0.2},
        {"resolution": "resolution", "width": "width", "slope": "slope"},
    ),
    plots.grid: ({"images": IMAGES, "columns": 2}, {"images": "images", "columns": "count"}),
    metrics.frechet: ({"a": POINTS, "b": POINTS}, {"a": "features", "b": "features"}),
    metrics.kernel_distance: ({"a": POINTS, "b": POINTS}, {"a": "features", "b": "features"}),
    cost.plan: (
        {"generator": NET, "discriminator": dcgan.discriminator(16, 4), "batch_size": 2,
         "steps": 3, "n_dis": 1},
        {"batch_size": "count", "steps": "count", "n_dis": "count"},
    ),
}  # fmt: skip
#: What of the public functions is not in the table, by module or by name, and why.
EXCEPTIONS = {
    "sagan_experiments": "the evidence, chosen by names; tests/sagan_experiments",
    "sagan_lib.cli": "the command line, whose options and files are attacked in tests/cli",
    "sagan_lib.checks": "what all checks are made of; tests/test_checks.py",
    "sagan_lib.shipped": "paths of files that come with the book; tests/test_shipped.py",
    "sagan_lib.book.classroom": "has students' answers for arguments; tests/course",
    "sagan_lib.book.imports": "reads the repository; tests/book/test_imports.py",
    "sagan_lib.book.page": "figures and numbers of a page; tests/book/test_page.py",
    "sagan_lib.book.scales": "reads notebooks; tests/book/test_scales.py",
    "sagan_lib.callbacks": "Keras makes the calls; wrong ones are among those below",
    "sagan_lib.datasets.cache": "files of our own; tests/datasets",
    "sagan_lib.datasets.celeba": "files of others; tests/datasets/test_celeba.py",
    "sagan_lib.datasets.decode": "files of others; tests/datasets/test_decode.py",
    "sagan_lib.devices": "has TensorFlow's strategies for arguments; tests/test_devices.py",
    **dict.fromkeys(
        ["source.looked_at", "attend.keeps_map", "attend.largest_divisor", "dcgan.sides",
         "dcgan.down_sides",
         "dcgan.check_size", "sagan.default_attention", "attend.map_of", "attend.mix",
         "metrics.inside", "metrics.features", "metrics.moments", "metrics.root_of",
         "metrics.frechet_of_moments", "metrics.kernels", "metrics.weighted_mmd",
         "gan.frozen_call", "gan.descend", "penalties.squared_slopes",
         "penalties.zero_centred", "penalties.one_centred", "dcgan.channels_at",
         "ttur.scaled", "ttur.clipping", "ttur.Rates", "cost.best_time"],
        "a step inside another public function, which has checked",
    ),
    **dict.fromkeys(
        ["attention.attention_layers", "spectral_norm.normalized_layers", "cost.forward_flops",
         "dcgan.BatchNormalization"],
        "has a Keras model for its argument, or Keras's own arguments",
    ),
    **dict.fromkeys(
        ["cost.Plan", "faces.Kinds", "faces.Factors", "judge.Reading", "scores.Extractor",
         "ttur.Preset", "source.Source"],
        "a record that another function makes and checks",
    ),
    **dict.fromkeys(
        ["faces.factors", "faces.population_number", "judge.coverage", "judge.heterochromia",
         "judge.prepare", "maps.attention_map", "maps.with_map", "plots.curves", "plots.dots",
         "plots.seeds", "plots.ellipse", "plots.overlay", "scores.evaluate",
         "scores.eye_agreement", "scores.counts"],
        "what is wrong lies between its arguments: below, or in the module's own test",
    ),
}  # fmt: skip
#: Where the message says it in another word than the argument's.
WORDS = {
    (SNDense, "units"): "units", (KerasImages, "name"): "data", (losses.get, "name"): "loss",
    (devices.strategy, "name"): "devices", (ttur.preset, "name"): "preset",
    (scores.extractor, "name"): "extractor",
}  # fmt: skip
#: None is a right value of these.
NONE_IS_FINE = {(ImageFolder, "crop"), (ImageFolder, "limit"), (ttur.preset, "decay_steps")}


def calls():
    """(function, arguments, the argument that is wrong, its value) of every bad call."""
    for function, (right, kinds) in TABLE.items():
        for argument, kind in kinds.items():
            for value in WRONG[kind]:
                if value is None and (function, argument) in NONE_IS_FINE:
                    continue
                yield pytest.param(function, right | {argument: value}, argument, id=(
                    f"{function.__module__.removeprefix('sagan_lib.')}.{function.__name__}-"
                    f"{argument}={getattr(value, 'dtype', value)!s:.12}"))  # fmt: skip


def public():
    """{its name with its module: function or class} of all that others may call with arguments."""
    found = {}
    for name in modules():
        if name.endswith("__main__") or name == "sagan_experiments.speed.baselines_torch":
            continue
        for word, each in vars(importlib.import_module(name)).items():
            ours = getattr(each, "__module__", None) == name and not word.startswith("_")
            if not ours or not callable(each):
                continue
            error = inspect.isclass(each) and issubclass(each, BaseException)
            if not error and (inspect.isclass(each) or inspect.signature(each).parameters):
                found[f"{name}.{word}"] = each
    return found


def excepted(name, exceptions):
    """The exceptions that a function falls under."""
    short = name.split(".", 1)[1]
    return [
        e for e in exceptions if name.startswith(f"{e}.") or short == e or short.endswith(f".{e}")
    ]


def test_every_public_function_is_in_the_table_or_has_its_reason():
    functions = public()
    named = {name for name, each in functions.items() if each in TABLE}
    assert {functions[name] for name in named} == set(TABLE), "the table has what is not public"
    without = {name for name in set(functions) - named if not excepted(name, EXCEPTIONS)}
    assert not without, "give each a line of the table"
    used = {e for name in set(functions) - named for e in excepted(name, EXCEPTIONS)}
    assert used == set(EXCEPTIONS), "an exception that excepts nothing"


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
        (lambda: exact_sigma(tf.zeros((3, 3, 2, 4))), r"matrix must have rank 2.*\(3, 3, 2, 4\)"),
        (lambda: sampling.latent(2, 3, truncation=-1.0), "truncation"),
        (lambda: sampling.latent(2, 3, truncation="x"), "truncation"),
        (lambda: devices.strategy("mirrored", ["GPU:7"]), "GPU:7"),
        (lambda: callbacks.Guard("run.h5"), r"save_to must end in \.keras"),
        (lambda: discs.read(np.full((1, 32, 32, 3), np.nan), 10), "finite"),
        (lambda: exact_sigma(np.full((3, 3), np.nan)), "matrix must be finite"),
        (lambda: cost.plan(dcgan.discriminator(16, 4), NET, 2, 3), "discriminator takes"),
        (lambda: cost.plan(None, NET, 2, 3), "generator must be a keras.Model, got None"),
        (lambda: gan.GAN(NET, None), "discriminator must be a keras.Model, got None"),
        (lambda: SNConv2D(4, 3)(IMAGES[0]), r"sn_conv2d.* expected min_ndim=4.*\(32, 32, 3\)"),
        (lambda: SNConv2DTranspose(4, 4)(IMAGES[0]), r"min_ndim=4.*\(32, 32, 3\)"),
        (lambda: SNDense(4)(tf.zeros(3)), r"sn_dense.* expected min_ndim=2.*\(3,\)"),
        (lambda: SNConv2D(4, (3, 0)), "kernel_size must be at least 1, got 0"),
        (lambda: SNConv2D(4, (3, 3, 3)), "kernel_size.*3"),
        (lambda: SNConv2D(4, 3, data_format="channels_first"), "data_format .*'channels_first'"),
        (lambda: SelfAttention()(IMAGES[0]), r"\(batch, h, w, c\), got \(32, 32, 3\)"),
        (lambda: source.from_bytes(IMAGES), "images must be uint8, got float32"),
        (lambda: source.to_bytes(IMAGES * np.nan), "images must be finite"),
        (lambda: FACES.replace(hair=99), "hair must be from 0 to 4, got 99"),
        (lambda: FACES.replace(long_hair=-1), "long_hair must be from 0 to 1, got -1"),
        (lambda: FACES.replace(skin=1.5), "skin must be integers, got 1.5"),
        (lambda: FACES.replace(skin=[0, 1]), r"skin must be one value, or 3, got shape \(2,\)"),
        (lambda: FACES.replace(tilt=math.nan), "tilt must be finite numbers, got nan"),
        (lambda: FACES.replace(nose=1), "factor must be one of .* got 'nose'"),
        (lambda: faces.Faces(16, 3).reorder([0, 0, 1]), "order must be a permutation of 0 to 2"),
        (lambda: faces.real_faces(0), "n must be at least 1, got 0"),
        (lambda: maps.cut(MAP, (0.5, 0.5), (0.5, 0.5), 1), "target must leave places"),
        (lambda: maps.with_map(ATTENDS, np.zeros((2, 2)), lambda weights: weights[:1]),
         r"change must give a map of shape \(2, 64, 64\), got \(1, 64, 64\)"),
        (lambda: devices.strategy("mirrored", []), "devices must name at least one"),
        (lambda: networks.build("dcgan", 16, 4, attention_at=8), "attention_at of a dcgan"),
        (lambda: power_iteration(np.ones((3, 3), int), np.ones(3)), "matrix must be of a float"),
        (lambda: plots.pictures([]), "number of grids must be at least 1, got 0"),
        (lambda: plots.pictures([IMAGES], titles=["a", "b"]), "titles must be 1, one for each"),
        (lambda: source.shuffled_indices(0, 9, 4, 0), "batch_size .* at most 4, got 9"),
        (lambda: page.glue("quality", math.nan), "value of quality must be finite, got nan"),
        (lambda: attend.attend(MAP, MAP[..., :5], MAP), r"keys .*\(2, 64, 5\)"),
        (lambda: attend.attend(MAP, MAP, MAP[:, :9]), r"values .*\(2, 9, 64\)"),
        (lambda: attend.attend(MAP[0], MAP, MAP), r"queries .*\(64, 64\)"),
        (lambda: power_iteration(np.ones((3, 2), "f"), np.ones(3, "f")), r"u must have shape \(2"),
        (lambda: power_iteration(np.ones(3, "f"), np.ones(3, "f")), "matrix must have rank 2"),
        (lambda: kernel_matrix(np.zeros((3, 4)), "conv"), "rank 3 to 5"),
        (lambda: kernel_matrix(np.zeros((3, 3, 1, 1)), "dense"), "rank 2"),
        (lambda: kernel_matrix(np.zeros(9), "embedding"), "rank 2"),
        (lambda: sagan.generator(32, 8, attention_at=32), r"one of \[None, 8, 16\], got 32"),
        (lambda: ttur.two_time_scale(decay_steps=0), "decay_steps must be at least 1, got 0"),
        (lambda: discs.Discs(32, 4, distance=9), "at least 10 and at most 22, got 9"),
        (lambda: discs.Discs(32, 4, distance=23), "at least 10 and at most 22, got 23"),
        (lambda: discs.Discs(32, 4).held_out(0, 1), "real must be at least 1, got 0"),
        (lambda: discs.read(IMAGES[:, :, :30], 10), r"\(n, h, h, 3\), got \(4, 32, 30, 3\)"),
        (lambda: faces.factors([0.5]), "indices must be integers, got dtype float64"),
        (lambda: faces.factors([3, -1]), "a vector of integers >= 0, got .*-1"),
        (lambda: faces.factors([[1, 2]]), "a vector of integers"),
        (lambda: faces.factors([1], 2**64 + 2001), "population .* at most"),
        (lambda: faces.Faces(16, 4).batches(5), "batch_size .* at most 4, got 5"),
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
    ],
)  # fmt: skip
def test_what_is_wrong_between_arguments(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()


def test_images_from_0_to_1_are_warned_about():
    with pytest.warns(UserWarning, match=r"images: no number is below 0\. Are they in \[0, 1\]"):
        judge.read(np.random.default_rng(0).random((2, 32, 32, 3)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"x": IMAGES[:, :16, :16] * np.nan}, "x must be finite"),
        ({"x": IMAGES[:, :16, :16] + 9}, r"x must be uint8, or float in \[-1, 1\], got 9 to 9"),
        ({"x": IMAGES[:0]}, r"x must have shape \(n, h, w, 3\) with n > 0"),
        ({"x": IMAGES}, r"a batch must be float images .* got float32 \(2, 32, 32, 3\)"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_fit_refuses_what_it_cannot_train_on(wrong, words):
    model = gan.GAN(dcgan.generator(16, 4, 2), dcgan.discriminator(16, 4))
    model.compile(**ttur.preset("cpu"))
    arguments = {"x": IMAGES[:, :16, :16], "batch_size": 2, "verbose": 0} | wrong
    with pytest.raises(ValueError, match=words):
        model.fit(**arguments)


def test_a_large_truncation_gives_finite_noise():
    assert np.isfinite(sampling.latent(2000, 64, truncation=6.0)).all()
