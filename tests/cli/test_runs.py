"""Runs: trained, resumed, told from each other, loaded."""

import contextlib
import csv
import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image
from small_gan import state

from sagan_lib import gan, sampling, shipped
from sagan_lib.attention import attention_layers
from sagan_lib.cli import recipes, runs
from sagan_lib.cli.recipes import RECIPES, Recipe
from sagan_lib.conditional import ConditionalBatchNormalization, ConditionalGAN
from sagan_lib.datasets import faces
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.source import Source, from_bytes
from sagan_lib.evaluation import judge
from sagan_lib.spectral_norm import normalized_layers

RNG = np.random.default_rng(4)
pytestmark = pytest.mark.usefixtures("eager")
TINY = Recipe(
    resolution=16, width=4, latent_dim=4, attention_at=8, batch_size=4, steps=3, ema_decay=0.5,
    faces=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def straight(tmp_path_factory, eager):
    """(folder, model, report) of TINY trained in one go, with rows after 2 and after 3 steps.

    A log that another run left in the folder must be gone afterwards.
    """
    out = tmp_path_factory.mktemp("straight")
    (out / "log.csv").write_text("step\n999\n")
    return out, *runs.train(TINY, out, log_every=2)


def rows(out):
    with open(out / "log.csv", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_a_network_that_can_be_built(name):
    small = recipes.get(name, width=4)  # the plan is the recipe's, its width is not
    g, d = runs.networks_of(small)
    assert g.input_shape == (None, small.latent_dim)
    assert g.output_shape == d.input_shape == (None, small.resolution, small.resolution, 3)
    for model in (g, d):
        sides = [layer.output.shape[1] for layer in attention_layers(model)]
        assert sides == ([small.attention_at] if small.attention_at else [])


def test_the_seed_decides_the_first_weights():
    first, same, other = (runs.build(dataclasses.replace(TINY, seed=s)) for s in (5, 5, 6))
    kernels = [m.generator.get_layer("project").kernel.numpy() for m in (first, same, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_built_model_has_the_recipes_settings():
    model = runs.build(dataclasses.replace(TINY, rates="sngan_5to1", loss="bce", seed=9))
    assert (model.n_dis, model.loss_name, model.seed, model.ema_decay) == (5, "bce", 9, 0.5)
    assert float(model.d_optimizer.learning_rate) == pytest.approx(2e-4)
    plain = runs.build(dataclasses.replace(TINY, kind="dcgan", attention_at=None))
    assert any(isinstance(x, keras.layers.BatchNormalization) for x in plain.discriminator.layers)


@pytest.mark.book
def test_a_run_leaves_what_its_docstring_says(straight):
    out, model, report = straight
    assert [row["step"] for row in rows(out)] == ["2", "3"]
    assert all(np.isfinite(float(row["d_loss"])) for row in rows(out))
    restored = gan.GAN.load(out / "run.keras")
    for a, b in zip(state(restored), state(model), strict=True):
        np.testing.assert_array_equal(a, b)
    averaged = runs.networks_of(TINY)[0]
    averaged.load_weights(out / "generator.weights.h5")
    np.testing.assert_array_equal(sampling.generate(averaged, 3), model.sample(3))
    assert Image.open(out / "samples.png").size == ((16 * 18 - 2) * 3, (4 * 18 - 2) * 3)
    assert report["recipe"] == dataclasses.asdict(TINY)
    assert (report["step"], report["images"]) == (3, 20)
    assert report["parameters"] == sum(m.count_params() for m in runs.networks_of(TINY))
    assert json.loads(json.dumps(report)) == report


@pytest.mark.book
def test_a_run_that_starts_from_another_goes_on_exactly_without_it(straight, tmp_path):
    start = shutil.copytree(straight[0], tmp_path / "start")
    recipe = dataclasses.replace(TINY, steps=2, start_from=str(start), freeze_d=1, population=7)
    model = runs.build(recipe)
    for name in ("generator", "discriminator"):
        pair = (getattr(each, name).get_weights() for each in (model, straight[1]))
        for a, b in zip(*pair, strict=True):
            np.testing.assert_array_equal(a, b)
    whole, _ = runs.train(recipe, tmp_path / "whole")
    runs.train(dataclasses.replace(recipe, steps=1), tmp_path / "parts")
    shutil.rmtree(start)
    parts, report = runs.train(recipe, tmp_path / "parts")
    for a, b in zip(state(whole), state(parts), strict=True):
        np.testing.assert_array_equal(a, b)
    assert report["recipe"]["start_from"] == str(start)
    kernels = [m.discriminator.get_layer("down8").kernel for m in (parts, straight[1])]
    np.testing.assert_array_equal(*kernels)
    for other in ({"start_from": None, "freeze_d": 0}, {"freeze_d": 0}):
        with pytest.raises(ValueError, match="holds another run"):
            runs.train(dataclasses.replace(recipe, **other), tmp_path / "parts")


def test_a_recipe_that_cannot_be_is_refused_and_leaves_nothing(straight, tmp_path):
    for change, words in (
        ({"freeze_d": 1}, "freeze_d must be 0 without start_from, got 1"),
        ({"freeze_d": -1}, "freeze_d must be at least 0, got -1"),
        ({"start_from": str(tmp_path / "none")}, "no such file"),
        ({"start_from": str(straight[0]), "width": 8}, "same kind, resolution, width"),
        ({"start_from": str(straight[0]), "freeze_d": 9}, "frozen must be .* at most 2, got 9"),
        ({"steps": 5, "decay_steps": 4}, r"0 after decay_steps=4, so 5 steps .*at least as many"),
        ({"population": 2001}, "got 2001: it is kept for"),
        ({"holdout": 20}, "holdout must be at least 0 and at most 19, got 20"),
        ({"tell_g": "join"}, "tell_g must be 'normalize' without label, got 'join'"),
        ({"augment": "colour"}, r"augment: policies must be one of .* got 'colour'"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=words):
            runs.train(dataclasses.replace(TINY, **change), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_finished_run_is_not_trained_again(straight, monkeypatch):
    out, model, _ = straight
    monkeypatch.setattr(gan.GAN, "fit", None)
    again, report = runs.train(TINY, out)
    assert report["step"] == 3
    np.testing.assert_array_equal(again.sample(2), model.sample(2))


def test_the_shipped_generator_draws_faces_of_many_kinds():
    images = sampling.generate(runs.generator(), 300)
    assert images.shape == (300, 64, 64, 3)
    assert np.abs(images).max() <= 1
    seen = judge.read(images)
    found, possible = judge.coverage(seen)
    assert found > 0.5 * judge.expected_coverage(300, possible)
    assert judge.heterochromia(seen) < 0.08  # 5/6 without the rule
    for name, count in faces.CATEGORIES.items():
        assert len(np.unique(getattr(seen, name))) == count, name


OLD = shipped.root() / "tests" / "data" / "old_run"


#: Keras reads files of older Kerases, not of newer ones; this one is of 3.15.
READS_OLD = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 15)


@pytest.mark.skipif(not READS_OLD, reason="the file was written by a newer Keras")
@pytest.mark.book
def test_a_run_of_the_library_before_its_names_changed_still_loads_and_goes_on():
    """Its file says "rounds" and variant "paper"; its samples were stored when it was saved."""
    model = gan.GAN.load(OLD.with_suffix(".keras"))
    stored = np.load(OLD.with_suffix(".npz"))
    assert int(model.step.numpy()) == stored["step"] == 3
    np.testing.assert_allclose(model.sample(2, seed=1), stored["sample"], atol=1e-4)
    for net in (model.generator, model.discriminator):
        assert {layer.power_iterations for layer in normalized_layers(net)} == {1}
        assert [layer.variant for layer in attention_layers(net)] == ["pooled"]
    model.fit(Faces(16, 64), steps=1, batch_size=8, verbose=0)
    assert int(model.step.numpy()) == 4


def test_the_seed_is_not_the_population():
    first, second = (runs.source(dataclasses.replace(TINY, seed=seed)) for seed in (1, 2001))
    np.testing.assert_array_equal(first.images, second.images)
    other = runs.source(dataclasses.replace(TINY, population=1))
    assert not np.array_equal(first.images, other.images)
    assert RECIPES["faces64"].population == RECIPES["faces64"].seed == 2, "as it was trained"


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [  # what older runs kept; one number was both seed and population
        ({"seed": 3}, {"seed": 3, "population": 3}, ""),
        ({"seed": 3, "data": "faces"}, {"population": 0}, "population was 3, not 0"),
        ({"seed": 3, "data": "stamps"}, {"seed": 3, "population": 0, "data": "stamps"}, ""),
        ({"variant": "paper"}, {"variant": "pooled"}, ""),
        ({"rates": "article_text"}, {"rates": "sagan_x10"}, ""),
        ({"seed": 3}, {"start_from": None, "freeze_d": 0}, ""),
        ({"seed": 3}, {"start_from": "runs/a"}, "start_from was None, not 'runs/a'"),
        ({"seed": 3}, {"holdout": 3}, "holdout was 0, not 3"),
        ({"seed": 3}, {"augment": "color"}, "augment was None, not 'color'"),
        ({"seed": 3}, {"label": "hair"}, "label was None, not 'hair'"),
        ({"seed": 3}, {"tell_g": "join"}, "tell_g was 'normalize', not 'join'"),
        ({"variant": "paper"}, {"variant": "article"}, "variant was 'pooled', not 'article'"),
    ],
)
def test_an_older_run_is_the_same_under_its_new_names(before, now, words, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(before))
    check_same(now, runs._kept(tmp_path, None), words)


@pytest.mark.parametrize("kept", ["names-bytes", "names", "names-others", "others", "bytes", ""])
def test_pictures_are_those_of_the_run_by_their_bytes_where_it_kept_them(kept):
    """Older runs kept names and sizes alone, and are not refused for it."""
    now = {"pictures": "names-bytes", "data": "here"}
    same = kept in ("names-bytes", "names")
    check_same(now, {"pictures": kept, "data": "there"}, "" if same else "pictures was")


def check_same(now, before, words):
    with pytest.raises(ValueError, match=words) if words else contextlib.nullcontext():
        runs._check_same(now, before, "out")


@pytest.fixture
def twelve(tmp_path):
    """A folder of twelve pictures."""
    (tmp_path / "pictures").mkdir()
    for number, picture in enumerate(RNG.integers(0, 256, (12, 20, 20, 3), np.uint8)):
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{number:02}.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    ("kept", "asked", "wanted"),
    [
        (None, None, 1),  # a new run: a tenth
        (None, 0, 0),
        (None, 4, 4),
        ({"seed": 0}, None, 0),  # a run of before there was this: it goes on with all
        ({"seed": 0, "holdout": 5}, None, 5),
    ],
)
def test_how_many_pictures_a_run_holds_out(twelve, tmp_path, kept, asked, wanted):
    if kept:
        (tmp_path / "recipe.json").write_text(json.dumps(kept))
    recipe = dataclasses.replace(TINY, data=str(twelve), holdout=asked)
    training, held_out = runs._split(recipe, tmp_path)
    assert training.size == 12 - wanted
    assert (held_out is None) if wanted == 0 else (len(held_out) == wanted)


def test_what_a_run_held_out_is_found_again(straight, monkeypatch):
    out = straight[0]
    assert "d_gap" in rows(out)[0]
    assert json.loads((out / "recipe.json").read_text())["holdout"] == 2
    for run in (out, out / "run.keras"):
        training, held_out = runs.memory(run)
        np.testing.assert_array_equal(training, from_bytes(runs.source(TINY).images))
        assert held_out.shape == (2, 16, 16, 3)
    monkeypatch.setattr(runs, "MANY", 19)
    assert runs.memory(out) is None


def test_a_run_that_saw_mirrored_pictures_is_looked_for_copies_of_those_too(tmp_path):
    kept = {"images": 20, "pictures": "", "holdout": 2, "augment": "color, flip"}
    (tmp_path / "recipe.json").write_text(json.dumps(dataclasses.asdict(TINY) | kept))
    plain = from_bytes(runs.source(TINY).images)
    training, held_out = runs.memory(tmp_path)
    np.testing.assert_array_equal(training, [*plain, *(np.fliplr(each) for each in plain)])
    assert len(held_out) == 2


@pytest.mark.book
def test_a_score_counts_copies_where_it_knows_what_was_trained_on(monkeypatch):
    training, held_out = faces.real_faces(40, population=5), faces.real_faces(40, population=6)
    monkeypatch.setattr(runs, "generate", lambda generator, n, *_: training[:n])
    net = runs.networks_of(dataclasses.replace(TINY, resolution=32))[0]
    found = runs.score(net, "a copyist", n=30, real=40, memory=(training, held_out))
    assert found["copies"]["value"] == 1
    assert found["copies"]["real"] < 0.1
    assert (found["protocol"]["trained_on"], found["protocol"]["not_trained_on"]) == (40, 40)
    assert "copies" not in runs.score(net, "a copyist", n=30, real=40)


@pytest.mark.parametrize(
    ("size", "endless", "asked", "wanted"),
    [(300, False, (None, None), (85, 215)), (7000, False, (None, None), (2000, 5000)),
     (20, True, (None, None), (2000, 5000)), (20, True, (50, None), (50, 5000)),
     (9, False, (None, None), (4, 5)), (9000, False, (100, None), (100, 5000)),
     (500, False, (None, 400), (100, 400)), (500, False, (499, None), (499, 4))],
)  # fmt: skip
def test_a_score_takes_as_many_pictures_as_there_are(size, endless, asked, wanted):
    images = Source()
    images.size, images.endless = size, endless
    assert runs._sizes(images, *asked) == wanted


@pytest.mark.book
@pytest.mark.parametrize("tell_g", ["normalize", "join"])
def test_a_run_with_labels_keeps_them_and_samples_by_them(tell_g, tmp_path):
    out = tmp_path / "run"
    recipe = dataclasses.replace(TINY, label="hair", tell_g=tell_g, faces=60)
    model, report = runs.train(recipe, out, log_every=2)
    assert isinstance(model, ConditionalGAN)
    told = [layer for layer in model.generator.layers
            if isinstance(layer, ConditionalBatchNormalization)]  # fmt: skip
    assert bool(told) == (tell_g == "normalize")
    assert report["recipe"]["label"] == "hair"
    loaded = runs.trained(out)
    assert loaded.labels.factors == {"hair": faces.LABELS["hair"]}
    for a, b in zip(state(model), state(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    red = runs.sampled(loaded, 3, label="red")
    np.testing.assert_array_equal(red, model.sample(3, label=3))
    assert runs.recipe_of(out)["label"] == runs.recipe_of(out / "run.keras")["label"] == "hair"
    copy = tmp_path / "best.keras"
    copy.write_bytes((out / "run.keras").read_bytes())
    assert runs.recipe_of(copy)["label"] == "hair"
