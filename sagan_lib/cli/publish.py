"""How a finished run becomes a generator that comes with the book; the list of checksums."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

from sagan_lib import checks, shipped
from sagan_lib.cli import keep, recipes, runs
from sagan_lib.datasets import faces


def publish(out):
    """Copy a finished run of a recipe of `PUBLISHED` into `data/`, scored, with its log.

    Args:
        out: the run's folder.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: it is a run of another recipe.
    """
    out = Path(out)
    report = keep.read_json(out / "run.json")
    known = {name: dataclasses.asdict(recipes.RECIPES[name]) for name in recipes.PUBLISHED}
    names = [name for name, recipe in known.items() if recipe == report.get("recipe")]
    if not names:
        raise ValueError(f"{out}: its recipe must be one of {recipes.PUBLISHED}, got "
                         f"{report.get('recipe')}")  # fmt: skip
    report["log"] = _log(out / "log.csv")
    model = _with_weights(names[0], out / "generator.weights.h5")
    told = f"averaged generator of {names[0]}"
    report["scores"] = runs.score(model, told, label=known[names[0]]["label"])
    target = shipped.folder() / f"{names[0]}.weights.h5"
    shutil.copyfile(out / "generator.weights.h5", target)
    record(target)
    with shipped.replacing(results(names[0])) as part:
        part.write_text(json.dumps(report, indent=1) + "\n")
    return target


def results(name):
    """The path of what is known of a published run: recipe, command, versions, log, scores.

    Args:
        name: of the recipe, one of `recipes.PUBLISHED`.

    Raises:
        ValueError: another one.
    """
    name = checks.one_of("name", name, recipes.PUBLISHED)
    return shipped.folder() / "results" / f"{name}.json"


def published(name):
    """The `GAN` of a recipe; its averaged generator is the one that comes with the book.

    Args:
        name: of the recipe, one of `recipes.PUBLISHED`.

    Raises:
        FileNotFoundError, ValueError: another recipe, or its weights as in `shipped.path`.
    """
    name = checks.one_of("name", name, recipes.PUBLISHED)
    return _with_weights(name, shipped.path(f"{name}.weights.h5"))


def _with_weights(name, path):
    recipe = recipes.RECIPES[name]
    model = runs.build(recipe, faces.labels_of(recipe.label) if recipe.label else None)
    model.ema_generator.load_weights(path)
    return model


def _log(path):
    """The columns of a run's log, {name: numbers of five digits}.

    Raises:
        ValueError: naming the file, where it has no rows, or one that is torn.
    """
    with open(path, newline="", errors="replace") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise ValueError(f"{path} is damaged (it has no rows)")
    kept = [name for name in rows[0] if name != "epoch" and not str(name).startswith("val_")]
    try:
        return {name: [float(f"{float(row[name]):.5g}") for row in rows] for name in kept}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error})") from error


def record(path):
    """Write the checksum of the file at `path` into `data/SHA256SUMS`, replacing its old line."""
    sums = shipped.checksums() | {Path(path).name: shipped.sha256(path)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    with shipped.replacing(shipped.folder() / "SHA256SUMS") as part:
        part.write_text(text)
