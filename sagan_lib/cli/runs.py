"""Carrying out a recipe: train, go on, score; and loading what came of it."""

import contextlib
import dataclasses
import json
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from sagan_lib import checks, conditional, cost, devices, finetune, networks, shipped, ttur
from sagan_lib.attention import OLD_NAMES
from sagan_lib.augment import augmentation
from sagan_lib.book import plots
from sagan_lib.cli import keep, provenance, recipes
from sagan_lib.datasets import registry
from sagan_lib.datasets.source import from_bytes
from sagan_lib.evaluation import by_class, scores
from sagan_lib.gan import GAN
from sagan_lib.sampling import generate

GENERATOR, RESULTS = f"{recipes.SHIPPED}.weights.h5", f"{recipes.SHIPPED}.json"


def networks_of(recipe, labels=None):
    """The untrained (generator, discriminator) of a `recipes.Recipe`.

    Args:
        recipe: the recipe.
        labels: the `datasets.labels.Labels` that both are told; None for none.
    """
    r = recipe
    place = {"attention_at": r.attention_at, "variant": r.variant}
    pair = networks.build(r.kind, r.resolution, r.width, r.latent_dim, **place)
    if labels is None:
        return pair
    g, d = pair
    told = conditional.generator(g, labels.width, r.tell_g)
    return told, conditional.discriminator(d, labels.width)


def build(recipe, labels=None):
    """The compiled `GAN` of a recipe, at step 0.

    Its first weights follow from the seed, or are those of the run that it starts from.

    Args:
        recipe: the recipe.
        labels: as in `networks_of`; with some it is a `conditional.ConditionalGAN`.

    Raises:
        MemoryError: the networks, or a step of theirs, do not fit into this machine's memory.
        FileNotFoundError, ValueError: no run to start from, or its networks have other shapes.
    """
    keras.utils.set_random_seed(recipe.seed)
    try:
        pair = networks_of(recipe, labels)
        if recipe.start_from:
            finetune.start(pair, trained(recipe.start_from), recipe.freeze_d)
        kind = GAN if labels is None else conditional.ConditionalGAN
        named = {} if labels is None else {"labels": labels}
        model = kind(*pair, **named, seed=recipe.seed, ema_decay=recipe.ema_decay)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise MemoryError(
            f"the networks do not fit: take a smaller latent_dim (now {recipe.latent_dim}) or "
            f"width (now {recipe.width})"
        ) from None
    needed, there = cost.memory_bytes(*pair, recipe.batch_size), devices.memory()
    if not devices.gpus() and there and needed > there:  # or the system ends it without a word
        raise MemoryError(
            f"a step takes about {needed / 2**30:.0f} GiB, this machine has {there / 2**30:.0f}: "
            f"take a smaller batch_size (now {recipe.batch_size}), then a smaller width"
        )
    rates = ttur.preset(recipe.rates, recipe.decay_steps)
    model.compile(**rates, loss=recipe.loss, augment=recipe.augment)
    return model


def source(recipe):
    """The images of a recipe, a `datasets.source.Source`."""
    r = recipe
    return registry.by_name(r.data, r.resolution, r.faces, r.population, r.crop, r.label)


def _kept(out, run):
    """What the run in folder `out` is: as its save `run` says, or as older ones have it beside."""
    path = out / "recipe.json"
    kept = keep.about(run) if run else {}
    if not kept:
        kept = keep.read_json(path) if path.is_file() else {}
    for field, names in (("variant", OLD_NAMES), ("rates", ttur.OLD_NAMES)):
        if field in kept:
            kept[field] = names.get(kept[field], kept[field])
    if "seed" in kept and kept.get("data", "faces") == "faces":
        kept.setdefault("population", kept["seed"])  # one number was both
    if kept:
        kept.setdefault("holdout", 0)  # older ones trained on all
        kept.setdefault("augment", None)
        kept.setdefault("label", None)
        kept.setdefault("tell_g", "normalize")
        kept.setdefault("start_from", None)
        kept.setdefault("freeze_d", 0)
    return kept


def _split(recipe, out):
    """(the images that the run in folder `out` trains on, those held out or None)."""
    whole, count = source(recipe), recipe.holdout
    if count is None:
        kept = _kept(out, keep.newest(out)[0])
        count = kept.get("holdout", recipes.holdout(whole.size))
    checks.integer("holdout", count, 0, whole.size - 1)
    return whole.split(count) if count else (whole, None)


def _count(held_out):
    """How many images are held out; with labels they are a pair."""
    if held_out is None:
        return 0
    return len(held_out[0] if isinstance(held_out, tuple) else held_out)


def recipe_of(run):
    """The recipe of a run, as a dict; "data" is "faces" and "label" None where it says nothing.

    Args:
        run: its folder or run.keras.
    """
    run = Path(run)
    kept = _kept(run, keep.newest(run)[0]) if run.is_dir() else _kept(run.parent, run)
    return {"data": "faces", "label": None} | kept


def _check_same(now, before, out):
    """ValueError if `before`, the run in folder `out`, is of another recipe; it may be longer."""
    free = {"steps"}
    # Older runs kept the first half alone, of names and sizes: of the bytes they say nothing.
    if (kept := before.get("pictures")) and kept in (
        now["pictures"],
        now["pictures"].partition("-")[0],
    ):
        free |= {"pictures", "data"}  # the same pictures, perhaps in another place
    others = [k for k in before if k not in free and k in now and before[k] != now[k]]
    if others:
        told = ", ".join(f"{name} was {before[name]!r}, not {now[name]!r}" for name in others)
        raise ValueError(f"{out} holds another run: {told}; take another folder (--out)")


def _check_steps(recipe, log_every):
    """ValueError if a recipe's numbers cannot be."""
    checks.integer("steps", recipe.steps, 1)
    checks.integer("log_every", log_every, 1)
    checks.integer("seed", recipe.seed, 0, 2**31 - 1)
    checks.one_of("rates", recipe.rates, ttur.PRESETS)
    augmentation(recipe.augment)
    if checks.integer("freeze_d", recipe.freeze_d, 0) and not recipe.start_from:
        raise ValueError(f"freeze_d must be 0 without start_from, got {recipe.freeze_d}: first "
                         "layers that nothing has trained would stay as they are")  # fmt: skip
    if checks.one_of("tell_g", recipe.tell_g, conditional.TELL_G) == "join" and not recipe.label:
        raise ValueError("tell_g must be 'normalize' without label, got 'join'")
    if recipe.decay_steps and recipe.steps > recipe.decay_steps:
        raise ValueError(
            f"both rates are 0 after decay_steps={recipe.decay_steps}, so {recipe.steps} steps "
            "would train nothing at their end: give decay_steps at least as many"
        )


def _check_images(recipe, images):
    """ValueError if there are fewer images than a step needs."""
    needed = recipe.batch_size * ttur.PRESETS[recipe.rates].n_dis
    if images.size < needed:
        raise ValueError(f"{recipe.data} has {images.size} images to train on, a step needs "
                         f"{needed}: take a smaller batch_size")  # fmt: skip


def _logs(out):
    """The callbacks that write the logs, of which only the chief has any."""
    board = keep.Board(out / keep.BOARD)
    return [keras.callbacks.CSVLogger(out / "log.csv", append=True), board]


def _fit(model, recipe, split, out, log_every, logs):
    """Do the steps that are left."""
    images, held_out = split
    signals = keep.Signals()
    callbacks, chief = [signals, *logs], bool(logs)
    if chief:
        keep.trim(out / "log.csv", int(model.step.numpy()))
    try:
        model.fit(
            images, steps=recipe.steps - int(model.step.numpy()), batch_size=recipe.batch_size,
            log_every=log_every, save_to=out / keep.RUN, held_out=held_out, callbacks=callbacks,
            verbose=int(chief),
        )  # fmt: skip
    finally:  # Keras does not end its callbacks where training fails: Ctrl-C would be deaf then
        signals.on_train_end()
    if signals.number is not None:
        raise keep.Stopped(signals.number, int(model.step.numpy()))


def train(recipe, out, log_every=100, mixed=False, device_set="one", command="",
          deterministic=False):  # fmt: skip
    """Train a recipe in a folder; a run that is there goes on where it stopped.

    What comes of it is exactly what an unbroken run gives: on a CPU always, on a GPU where
    `deterministic` is set from the start.

    Writes run.keras (everything needed to go on), run.previous.keras (the save before it),
    generator.weights.h5 (the averaged generator), recipe.json, log.csv and samples.png.

    Args:
        recipe: a `recipes.Recipe`.
        out: the folder. All workers need the same one, into which the chief writes.
        log_every: steps between two rows of the log and two saves.
        mixed: compute in bfloat16.
        device_set: "one", "mirrored" or "workers" (see `devices.strategy`); a run may go on with
            another number of devices.
        command: the line that does this, for the report.
        deterministic: as in `devices.setup`.

    Returns:
        (the trained `GAN`, a report: the recipe, the step reached, versions, the machine). The
        report is None where nothing was to be written: by a worker that is not the chief, and
        where the run had more steps already.

    Raises:
        ValueError: the run in `out` has another recipe, precision, determinism or pictures; more
            steps are not another recipe. Or its saves are damaged, the images are fewer than a step
            needs, or the rates would be 0.
        RuntimeError: another process trains in `out`.
        keep.Stopped: a signal came; the run is saved.
    """
    out = Path(out)
    _check_steps(recipe, log_every)
    keep.check_own(out)  # before anything there is read
    images, held_out = _split(recipe, out)
    _check_images(recipe, images)
    devices.setup(mixed, deterministic)
    strategy = devices.strategy(device_set)
    chief = devices.is_chief(strategy)
    told = images.taken(), images.told()
    if told[0]:
        told += (recipes.advice(images.size, recipe.augment),)
    for said in filter(None, told if chief else ()):
        print(said)
    now = dataclasses.asdict(recipe) | {  # of other images it is another run
        "images": images.size, "pictures": images.fingerprint, "mixed": mixed,
        "deterministic": deterministic, "holdout": _count(held_out),
    }  # fmt: skip
    if images.labels:
        now["labels"] = images.labels.digest(images.numbers)
    with keep.alone(out, command) if chief else contextlib.nullcontext():
        return _train_alone(recipe, out, log_every, (images, held_out), strategy, now, command)


def _to_go_on(path):
    """The model of a save, if its counters agree."""
    model = GAN.load(path)
    if wrong := keep.miscounted(model):
        raise ValueError(wrong)
    return model


def _train_alone(recipe, out, log_every, split, strategy, now, command):
    """`train`, in a folder that nobody else trains in."""
    if run := keep.newest(out)[0]:
        _check_same(now, _kept(out, run), out)
    with strategy.scope():
        model, lost = keep.newest(out, _to_go_on)
        model = model or build(recipe, split[0].labels)
    if lost:
        warnings.warn(lost, stacklevel=2)
    before, chief = int(model.step.numpy()), devices.is_chief(strategy)
    if recipe.steps < before:
        print(f"{out}: {before} steps are done already, {recipe.steps} were asked for")
        return model, None
    model.about = now
    logs = _logs(out) if chief and recipe.steps > before else []
    if chief:  # not before: what cannot be trained leaves nothing
        with shipped.replacing(out / "recipe.json") as part:
            part.write_text(json.dumps(now, indent=1) + "\n")
    if recipe.steps > before:
        _fit(model, recipe, split, out, log_every, logs)
    if not chief:
        return model, None
    with shipped.replacing(out / "generator.weights.h5") as part:
        model.ema_generator.save_weights(part)
    plots.save_grid(out / "samples.png", sampled(model, 64), columns=16)
    return model, {
        "recipe": dataclasses.asdict(recipe),
        "step": int(model.step.numpy()),
        "deterministic": now["deterministic"],
        "parameters": model.generator.count_params() + model.discriminator.count_params(),
        "images": split[0].size,
        "devices_used": model.distribute_strategy.num_replicas_in_sync,
    } | provenance.provenance(command)


#: With more training images than this nobody looks for copies: it would take long.
MANY = 10_000


def memory(run):
    """What tells whether a run copies: (its training images, those it held out), or None.

    Where "flip" showed it mirrored images as well, those are there too, after the others.

    Args:
        run: its folder or its run.keras.

    Returns:
        Two arrays, float (n, h, w, 3); None where it held out none, trained on more than `MANY`, or
        the pictures are others now.
    """
    run = Path(run)
    out = run if run.is_dir() else run.parent
    kept = _kept(out, run if run.is_file() else keep.newest(out)[0])
    fields = {field.name for field in dataclasses.fields(recipes.Recipe)}
    recipe = recipes.Recipe(**{k: v for k, v in kept.items() if k in fields})
    if not kept.get("holdout") or kept.get("images", MANY + 1) > MANY:
        return None
    images, held_out = _split(recipe, out)
    if images.fingerprint != kept.get("pictures", ""):
        return None
    training, augment = images.images, augmentation(recipe.augment)
    if augment and "flip" in augment.names:
        training = np.concatenate([training, training[:, :, ::-1]])
    return from_bytes(training), held_out if recipe.label is None else held_out[0]


def _sizes(images, n, real):
    """How many generated and real images to score by default: 2,000 and 5,000, if there are."""
    if images.endless:
        return n or 2000, real or 5000
    n = n or max(4, min(2000, images.size * 2 // 7, images.size - (real or 0)))
    return n, real or max(4, min(5000, images.size - n))


def sampled(model, n, seed=0, truncation=None, label=None):
    """Images of a generator, of whatever kind.

    Args:
        model: a generator without labels, or a `GAN`.
        n: how many.
        seed: as in `GAN.sample`.
        truncation: likewise.
        label: as in `conditional.ConditionalGAN.sample`.

    Raises:
        ValueError: no such label, or the generator takes none.
    """
    if isinstance(model, conditional.ConditionalGAN):
        return model.sample(n, seed, truncation, label=label)
    if label is not None:
        raise ValueError(f"label must not be given, got {label!r}: this generator was trained "
                         "without labels")  # fmt: skip
    generator = model.ema_generator if isinstance(model, GAN) else model
    return generate(generator, n, seed, truncation)


def score(model, what, data="faces", n=None, real=None, seed=0, memory=None, label=None,
          crop=None):  # fmt: skip
    """All scores of a generator (`scores.evaluate`), by the extractor of its data.

    Of a conditional one those of `by_class.evaluate`, too. It is asked for the labels of the real
    images that are scored in its images' place.

    Args:
        model: a generator, or a `GAN`.
        what: what it is, kept in the protocol.
        data: as for `registry.by_name`.
        n: generated images, and real ones that are scored in their place; 2,000 by default, of few
            pictures 2 in 7, or what `real` leaves.
        real: images of the reference; 5,000 by default, of few pictures the others.
        seed: of the noise.
        memory: the training images, mirrored ones too where it was shown any, and those that were
            held out, for the share of copies.
        label: what the images are labelled by, as for `registry.by_name`.
        crop: of own pictures, as for `registry.by_name`: the one that was trained with.

    Raises:
        ValueError: too few images, or other labels than the model's.
    """
    network = model.ema_generator if isinstance(model, GAN) else model
    told = isinstance(model, conditional.ConditionalGAN)
    side = network.output_shape[1]
    images = registry.by_name(data, side, crop=crop, label=label if told else None)
    if told and images.labels != model.labels:
        raise ValueError(f"{data} must have the labels {model.labels}, got {images.labels}")
    n, real = _sizes(images, n, real)
    sets = images.held_out(real, n)
    extractor = scores.remembering(scores.extractor(images.extractor))
    numbers = images.held_out_numbers(real, n) if told else ()
    fakes = sampled(model, n, seed, label=numbers[1] if told else None)
    found = scores.evaluate(fakes, *sets, extractor, f"{what}, noise of seed {seed}")
    found["protocol"]["data"] = images.description
    if memory:
        found["copies"] = scores.copies(fakes, *memory, extractor)
        found["protocol"]["trained_on"], found["protocol"]["not_trained_on"] = map(len, memory)
    if told:
        found |= by_class.evaluate(fakes, *sets, *numbers, images.labels, extractor)
    return found


def _saved(run):
    """The model of a run: of a folder the newest that can be loaded, else that of the file."""
    if run.is_dir():
        model, lost = keep.newest(run, GAN.load)
        if lost:
            warnings.warn(lost, stacklevel=3)
        return model or GAN.load(run / keep.RUN)
    wrong = keep.damage(run) if run.exists() else ""
    if wrong:
        raise ValueError(f"{run} is damaged ({wrong})")
    return GAN.load(run)


def generator(run=None):
    """The averaged generator of a run.

    Args:
        run: its folder or its run.keras; None for the generator that comes with the book.

    Raises:
        FileNotFoundError: no such run.
        ValueError: it is damaged. Of a folder the save before it is taken then, with a warning.
    """
    if run is not None:
        return trained(run).ema_generator
    shipped_one, _ = networks_of(recipes.RECIPES[recipes.SHIPPED])
    shipped_one.load_weights(shipped.path(GENERATOR))
    return shipped_one


def trained(run):
    """The `GAN` of a run, conditional or not.

    Args:
        run: as in `generator`, not None.

    Raises:
        FileNotFoundError, ValueError: as in `generator`.
    """
    return _saved(Path(run))
