"""How a finished run becomes the generator that comes with the book; the list of checksums."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

from sagan_lib import shipped
from sagan_lib.cli import recipes, runs


def publish(out):
    """Copy a finished run of the recipe `SHIPPED` into `data/`, scored, with its log.

    Args:
        out: the run's folder.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: it is a run of another recipe.
    """
    out, recipe = Path(out), recipes.RECIPES[recipes.SHIPPED]
    report = json.loads((out / "run.json").read_text())
    if report["recipe"] != dataclasses.asdict(recipe):
        raise ValueError(f"{out}: its recipe is not {recipes.SHIPPED}: {report['recipe']}")
    with open(out / "log.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [name for name in rows[0] if name != "epoch" and not name.startswith("val_")]
    report["log"] = {name: [float(f"{float(row[name]):.5g}") for row in rows] for name in kept}
    generator, _ = runs.networks_of(recipe)
    generator.load_weights(out / "generator.weights.h5")
    report["scores"] = runs.score(generator, f"averaged generator of {recipes.SHIPPED}")
    target = shipped.folder() / runs.GENERATOR
    shutil.copyfile(out / "generator.weights.h5", target)
    record(target)
    with shipped.replacing(shipped.folder() / "results" / runs.RESULTS) as part:
        part.write_text(json.dumps(report, indent=1) + "\n")
    return target


def record(path):
    """Write the checksum of the file at `path` into `data/SHA256SUMS`, replacing its old line."""
    sums = shipped.checksums() | {Path(path).name: shipped.sha256(path)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    with shipped.replacing(shipped.folder() / "SHA256SUMS") as part:
        part.write_text(text)
