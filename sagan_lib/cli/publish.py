"""How a finished run becomes the generator that comes with the book; the list of checksums."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

from sagan_lib import shipped
from sagan_lib.cli import keep, recipes, runs


def publish(out):
    """Copy a finished run of the recipe `SHIPPED` into `data/`, scored, with its log.

    Args:
        out: the run's folder.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: it is a run of another recipe.
    """
    out, recipe = Path(out), recipes.RECIPES[recipes.SHIPPED]
    report = keep.read_json(out / "run.json")
    if report.get("recipe") != dataclasses.asdict(recipe):
        raise ValueError(f"{out}: its recipe is not {recipes.SHIPPED}: {report.get('recipe')}")
    report["log"] = _log(out / "log.csv")
    generator, _ = runs.networks_of(recipe)
    generator.load_weights(out / "generator.weights.h5")
    report["scores"] = runs.score(generator, f"averaged generator of {recipes.SHIPPED}")
    target = shipped.folder() / runs.GENERATOR
    shutil.copyfile(out / "generator.weights.h5", target)
    record(target)
    with shipped.replacing(shipped.folder() / "results" / runs.RESULTS) as part:
        part.write_text(json.dumps(report, indent=1) + "\n")
    return target


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
