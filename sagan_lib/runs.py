"""Carrying out a recipe: train, go on, score; and loading what came of it."""

import dataclasses
import json
from pathlib import Path

import keras

from sagan_lib import checks, datasets, devices, recipes, shipped, ttur
from sagan_lib import networks as pairs
from sagan_lib.attention import OLD_NAMES
from sagan_lib.book import plots
from sagan_lib.evaluation import scores
from sagan_lib.gan import GAN, generate

GENERATOR, RESULTS = f"{recipes.SHIPPED}.weights.h5", f"{recipes.SHIPPED}.json"


def networks(recipe):
    """The untrained (generator, discriminator) of a `recipes.Recipe`."""
    r = recipe
    place = {"attention_at": r.attention_at, "variant": r.variant}
    return pairs.build(r.kind, r.resolution, r.width, r.latent_dim, **place)


def build(recipe):
    """The compiled, untrained `GAN` of a recipe; its first weights follow from the seed."""
    keras.utils.set_random_seed(recipe.seed)
    model = GAN(*networks(recipe), seed=recipe.seed, ema_decay=recipe.ema_decay)
    model.compile(**ttur.preset(recipe.rates, recipe.decay_steps), loss=recipe.loss)
    return model


def source(recipe):
    """The images of a recipe, a `datasets.source.Source`."""
    return datasets.by_name(recipe.data, recipe.resolution, recipe.faces, recipe.seed)


def _kept(out):
    """The recipe of the run in folder `out` as it was written, {} without one."""
    path = out / "recipe.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    if "variant" in kept:
        kept["variant"] = OLD_NAMES.get(kept["variant"], kept["variant"])
    return kept


def data_of(run):
    """The `data` of a run's recipe, "faces" if it has none; `run` is its folder or run.keras."""
    return _kept(run if run.is_dir() else run.parent).get("data", "faces")


def _check_same(now, out):
    """ValueError if the run in folder `out` is of another recipe; only its length may change."""
    before = _kept(out)
    others = [name for name in before if name != "steps" and before[name] != now.get(name)]
    if others:
        told = ", ".join(f"{name} was {before[name]!r}, not {now.get(name)!r}" for name in others)
        raise ValueError(f"{out} holds another run: {told}; take another folder (--out)")


def _fit(model, recipe, images, out, log_every, chief):
    """Do the steps that are left; only the chief writes the logs."""
    callbacks = []
    if chief:
        if not (out / "run.keras").exists():
            (out / "log.csv").unlink(missing_ok=True)
        log = keras.callbacks.CSVLogger(out / "log.csv", append=True)  # GAN.fit starts it twice
        callbacks = [log, keras.callbacks.TensorBoard(out / "tensorboard", write_graph=False)]
    model.fit(
        images, steps=recipe.steps - int(model.step.numpy()), batch_size=recipe.batch_size,
        log_every=log_every, save_to=out / "run.keras", callbacks=callbacks, verbose=int(chief),
    )  # fmt: skip


def train(recipe, out, log_every=100, mixed=False, device_set="one", command=""):
    """Train a recipe in a folder; a run that is there goes on where it stopped.

    Writes run.keras (everything needed to go on), generator.weights.h5 (the averaged generator),
    recipe.json, log.csv and samples.png.

    Args:
        recipe: a `recipes.Recipe`.
        out: the folder. All workers need the same one, into which the chief writes.
        log_every: steps between two rows of the log and two saves.
        mixed: compute in bfloat16.
        device_set: "one", "mirrored" or "workers" (see `devices.strategy`); a run may go on with
            another number of devices.
        command: the line that does this, for the report.

    Returns:
        (the trained `GAN`, a report: the recipe, the step reached, versions, the machine). A
        worker that is not the chief returns None for the report.

    Raises:
        ValueError: the run in `out` has another recipe; more steps are not another recipe. Or the
            images are fewer than a step needs.
    """
    out = Path(out)
    checks.integer("steps", recipe.steps, 1)
    devices.setup(mixed)
    strategy = devices.strategy(device_set)
    chief = devices.is_chief(strategy)
    images = source(recipe)
    now = dataclasses.asdict(recipe) | {"images": images.size}  # of other images it is another run
    run = out / "run.keras"
    if run.exists():
        _check_same(now, out)
    with strategy.scope():
        model = GAN.load(run) if run.exists() else build(recipe)
    needed = recipe.batch_size * model.n_dis
    if images.size < needed:
        raise ValueError(f"{recipe.data} has {images.size} images to train on, a step needs "
                         f"{needed}: take a smaller batch_size")  # fmt: skip
    if chief:  # not before: what cannot be trained leaves no folder
        with shipped.replacing(out / "recipe.json") as part:
            part.write_text(json.dumps(now, indent=1) + "\n")
    if recipe.steps > int(model.step.numpy()):
        _fit(model, recipe, images, out, log_every, chief)
    if not chief:
        return model, None
    model.ema_generator.save_weights(out / "generator.weights.h5")
    plots.save_grid(out / "samples.png", model.sample(64), columns=16)
    return model, {
        "recipe": dataclasses.asdict(recipe),
        "step": int(model.step.numpy()),
        "parameters": model.generator.count_params() + model.discriminator.count_params(),
        "images": images.size,
        "devices_used": model.distribute_strategy.num_replicas_in_sync,
    } | devices.provenance(command)


def score(generator, what, data="faces", n=2000, real=5000, seed=0):
    """All scores of a generator (`scores.evaluate`), by the extractor of its data.

    Args:
        generator: the network.
        what: what it is, kept in the protocol.
        data: as for `datasets.by_name`.
        n: generated images, and real ones for the floor.
        real: images of the reference.
        seed: of the noise.
    """
    images = datasets.by_name(data, generator.output_shape[1])
    reference, floor = images.held_out(real, n)
    extractor = scores.extractor(images.extractor)
    fakes = generate(generator, n, seed)
    found = scores.evaluate(fakes, reference, floor, extractor, f"{what}, noise of seed {seed}")
    found["protocol"]["data"] = images.description
    return found


def generator(run=None):
    """The averaged generator of a run.

    Args:
        run: its folder or its run.keras; None for the generator that comes with the book.

    Raises:
        FileNotFoundError: no such run.
    """
    if run is not None:
        return GAN.load(run / "run.keras" if run.is_dir() else run).ema_generator
    shipped_one, _ = networks(recipes.RECIPES[recipes.SHIPPED])
    shipped_one.load_weights(shipped.path(GENERATOR))
    return shipped_one
