"""Named training runs: data, networks, rates and length, each one command away."""

import csv
import dataclasses
import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from sagan_lib import checks, dcgan, hardware, plots, sagan, scores, shipped, ttur
from sagan_lib.faces import Faces
from sagan_lib.gan import GAN, generate
from sagan_lib.images import ImageFolder

SHIPPED = "faces64"  # the recipe of the generator that comes with the book
GENERATOR, RESULTS = f"{SHIPPED}.weights.h5", f"{SHIPPED}.json"


@dataclass(frozen=True)
class Recipe:
    """One run. `kind` is "dcgan" or "sagan"; `rates` names a preset of `ttur`.

    With `decay_steps` both rates fall linearly to 0 over so many steps.
    """

    kind: str = "sagan"
    data: str = "faces"
    resolution: int = 32
    width: int = 32
    latent_dim: int = 64
    attention_at: int | None = 16
    variant: str = "article"
    rates: str = "cpu"
    decay_steps: int | None = None
    loss: str = "hinge"
    batch_size: int = 64
    steps: int = 1000
    ema_decay: float = 0.999
    seed: int = 0
    faces: int = 50_000  # how many different procedural faces there are


RECIPES = {
    # Smaller pictures, half the steps: the shortest way to faces of one's own.
    "faces32": Recipe(steps=6000, rates="cpu_long"),
    # Chapter 1's, longer.
    "dcgan32": Recipe("dcgan", attention_at=None, rates="dcgan", loss="bce", steps=4000),
    # The generator that comes with the book: the rates that the article prints, falling to 0.
    "faces64": Recipe(
        resolution=64, width=16, rates="article_text", decay_steps=12000, steps=12000, seed=2,
    ),
    # The article's: 128 pixels, channels 512 to 16, attention at 32x32, 1:1 updates.
    "celeba128": Recipe(
        data="data/celeba/img_align_celeba", resolution=128, width=16, latent_dim=128,
        attention_at=32, rates="article_code", steps=300_000,
    ),
    "celeba64": Recipe(
        data="data/celeba/img_align_celeba", resolution=64, latent_dim=128, attention_at=32,
        rates="article_code", steps=100_000,
    ),
}  # fmt: skip


def get(name, **changes):
    """The recipe of that name with some fields changed; attention moves with the resolution."""
    recipe = RECIPES[checks.one_of("preset", name, RECIPES)]
    fields = {field.name for field in dataclasses.fields(Recipe)}
    for field in changes:
        checks.one_of("recipe field", field, fields)
    new = dataclasses.replace(recipe, **changes)
    moved = new.resolution != recipe.resolution and "attention_at" not in changes
    if moved and recipe.attention_at is not None:
        new = dataclasses.replace(new, attention_at=sagan.default_attention(new.resolution))
    return new


def networks(recipe):
    """The untrained (generator, discriminator) of a recipe."""
    r = recipe
    checks.one_of("kind", r.kind, ("dcgan", "sagan"))
    if r.kind == "dcgan":
        generator = dcgan.generator(r.resolution, r.width, r.latent_dim)
        return generator, dcgan.discriminator(r.resolution, r.width)
    attention = {"attention_at": r.attention_at, "variant": r.variant}
    return (
        sagan.generator(r.resolution, r.width, r.latent_dim, **attention),
        sagan.discriminator(r.resolution, r.width, **attention),
    )


def build(recipe):
    """The compiled, untrained GAN of a recipe; its first weights follow from the seed."""
    keras.utils.set_random_seed(recipe.seed)
    model = GAN(*networks(recipe), seed=recipe.seed, ema_decay=recipe.ema_decay)
    model.compile(**ttur.preset(recipe.rates, recipe.decay_steps), loss=recipe.loss)
    return model


def source(recipe):
    """The recipe's images: procedural faces, or a folder or zip."""
    if recipe.data == "faces":
        return Faces(recipe.resolution, recipe.faces, recipe.seed)
    return ImageFolder(recipe.data, recipe.resolution)


def data_of(run):
    """The `data` of a run's recipe, "faces" if it has none; `run` is its folder or run.keras."""
    kept = (run if run.is_dir() else run.parent) / "recipe.json"
    return json.loads(kept.read_text())["data"] if kept.exists() else "faces"


def _check_same(now, out):
    """ValueError if the run in folder `out` is of another recipe; only its length may change."""
    kept = out / "recipe.json"
    before = json.loads(kept.read_text()) if kept.exists() else {}
    others = [name for name in before if name != "steps" and before[name] != now.get(name)]
    if others:
        told = ", ".join(f"{name} was {before[name]!r}, not {now.get(name)!r}" for name in others)
        raise ValueError(f"{out} holds another run: {told}; take another folder (--out)")


def _fit(model, recipe, images, out, log_every, lead):
    """Do the steps that are left; only the process that leads writes the logs."""
    callbacks = []
    if lead:
        if not (out / "run.keras").exists():
            (out / "log.csv").unlink(missing_ok=True)
        log = keras.callbacks.CSVLogger(out / "log.csv", append=True)  # GAN.fit starts it twice
        callbacks = [log, keras.callbacks.TensorBoard(out / "tensorboard", write_graph=False)]
    model.fit(
        images, steps=recipe.steps - int(model.step.numpy()), batch_size=recipe.batch_size,
        log_every=log_every, save_to=out / "run.keras", callbacks=callbacks, verbose=int(lead),
    )  # fmt: skip


def train(recipe, out, log_every=100, mixed=False, devices="one"):
    """Train a recipe in folder `out`; a run that is there goes on where it stopped.

    `devices` is "one", "mirrored" or "workers" (see `hardware.strategy`); a run may go on with
    another number of them. All workers need the same folder `out`, into which the first writes.

    Writes run.keras (everything needed to go on), generator.weights.h5 (the averaged generator),
    recipe.json, log.csv and samples.png.

    Returns:
        (the trained `GAN`, a report: the recipe, the step reached, versions, the machine). A
        worker that is not the first returns None for the report.

    Raises:
        ValueError: the run in `out` has another recipe; more steps are not another recipe. Or the
            images are fewer than a step needs.
    """
    out = Path(out)
    checks.integer("steps", recipe.steps, 1)
    hardware.setup(mixed)
    strategy = hardware.strategy(devices)
    lead = hardware.leads(strategy)
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
    if lead:  # not before: what cannot be trained leaves no folder
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.json").write_text(json.dumps(now, indent=1) + "\n")
    if recipe.steps > int(model.step.numpy()):
        _fit(model, recipe, images, out, log_every, lead)
    if not lead:
        return model, None
    model.ema_generator.save_weights(out / "generator.weights.h5")
    plots.save_grid(out / "samples.png", model.sample(64), columns=16)
    return model, _report(recipe, model, images)


def _report(recipe, model, images):
    return {
        "recipe": dataclasses.asdict(recipe),
        "step": int(model.step.numpy()),
        "parameters": model.generator.count_params() + model.discriminator.count_params(),
        "images": images.size,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        "machine": {
            "processor": platform.machine(), "gpus": len(hardware.gpus()),
            "devices_used": model.distribute_strategy.num_replicas_in_sync,
        },
    }  # fmt: skip


def score(generator, source, data="faces", n=2000, real=5000, seed=0):
    """All scores of a generator (`scores.evaluate`): by the judge for faces, else by Inception.

    Args:
        generator: the network. source: what it is, kept in the protocol.
        data: "faces", or a folder or zip of images. n, real: generated images, and reference.
        seed: of the noise.
    """
    reference, floor = scores.reference(data, generator.output_shape[1], real, n)
    extractor = scores.judge_extractor() if data == "faces" else scores.inception_extractor()
    source, images = f"{source}, noise of seed {seed}", generate(generator, n, seed)
    found = scores.evaluate(images, reference, floor, extractor, source)
    found["protocol"]["data"] = scores.population(data)
    return found


def publish(out):
    """Copy a finished run of the recipe `SHIPPED` from `out` into `data/`, scored, with its log.

    Raises:
        FileNotFoundError: the run is not finished. ValueError: it is a run of another recipe.
    """
    out = Path(out)
    report = json.loads((out / "run.json").read_text())
    if report["recipe"] != dataclasses.asdict(RECIPES[SHIPPED]):
        raise ValueError(f"{out}: its recipe is not {SHIPPED}: {report['recipe']}")
    with open(out / "log.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [name for name in rows[0] if name != "epoch" and not name.startswith("val_")]
    report["log"] = {name: [float(f"{float(row[name]):.5g}") for row in rows] for name in kept}
    generator, _ = networks(RECIPES[SHIPPED])
    generator.load_weights(out / "generator.weights.h5")
    report["scores"] = score(generator, f"averaged generator of {SHIPPED}")
    target = shipped.folder() / GENERATOR
    shutil.copyfile(out / "generator.weights.h5", target)
    shipped.record(target)
    results = shipped.folder() / "results"
    results.mkdir(exist_ok=True)
    (results / RESULTS).write_text(json.dumps(report, indent=1) + "\n")
    return target


def shipped_generator():
    """The generator that comes with the book: averaged weights of the recipe `SHIPPED`."""
    generator, _ = networks(RECIPES[SHIPPED])
    generator.load_weights(shipped.path(GENERATOR))
    return generator
