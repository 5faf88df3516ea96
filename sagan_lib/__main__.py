"""The command line: python -m sagan_lib train|sample|score|judge|publish|doctor."""

import argparse
import dataclasses
import json
import os
import shlex
import sys
import time
import types
import typing
import warnings
from pathlib import Path

from sagan_lib import checks, recipes, shipped

#: Commands that this one had once -> what they are now.
MOVED = {name: f"python -m experiments {name}" for name in ("bench", "claims")}


def _recipe_options(train):
    """One option for each field of `Recipe`, with the field's meaning as its help."""
    for field in dataclasses.fields(recipes.Recipe):
        kind = field.type
        if isinstance(kind, types.UnionType):
            kind = next(each for each in typing.get_args(kind) if each is not types.NoneType)
        if field.name == "data":
            kind = os.path.normpath  # with a slash at its end it is the same folder
        option = f"--{field.name.replace('_', '-')}"
        train.add_argument(option, type=kind, help=field.metadata["help"])


def _add_run(command):
    command.add_argument("--run", type=Path, help="run to load: folder or file; default: shipped")


def _parser():
    parser = argparse.ArgumentParser("python -m sagan_lib", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a recipe on faces, a folder or CelebA")
    train.add_argument(
        "--recipe", "--preset", default="faces32", choices=sorted(recipes.RECIPES),
        help="named run, faces32 by default; most options below change a part of it",
    )  # fmt: skip
    _recipe_options(train)
    train.add_argument("--log-every", type=int, default=100, help="steps between two log rows")
    train.add_argument("--mixed", action="store_true", help="compute in bfloat16")
    train.add_argument(
        "--devices", default="one", choices=("one", "mirrored", "workers"),
        help="one device; all GPUs of this machine; those of all machines that TF_CONFIG lists",
    )  # fmt: skip
    train.add_argument("--out", type=Path, help="folder of the run; runs/RECIPE by default")

    sample = commands.add_parser("sample", help="write a grid of generated images")
    _add_run(sample)
    sample.add_argument("--out", type=Path, default=Path("samples.png"), help="picture to write")
    sample.add_argument("--n", type=int, default=64, help="how many images")
    sample.add_argument("--seed", type=int, default=0, help="seed of the noise")
    sample.add_argument("--columns", type=int, default=16, help="images in a row")
    sample.add_argument("--truncation", type=float, help="cut the noise off at plus and minus this")

    judge = commands.add_parser("judge", help="train the judge network anew")
    judge.add_argument("--out", type=Path, required=True, help="file of weights to write")

    publish = commands.add_parser("publish", help="make a finished run the book's: into data/")
    publish.add_argument("--run", type=Path, required=True, help="folder of the run")

    doctor = commands.add_parser("doctor", help="check versions, GPU and data; say what to do")
    doctor.add_argument("--data", type=Path, help="folder or zip of images to check as well")

    score = commands.add_parser("score", help="score a generator: intervals, and real images")
    _add_run(score)
    score.add_argument(
        "--data",
        help="real images: 'faces', or a folder or zip, whose training split counts; default: "
        "the run's own",
    )
    score.add_argument(
        "--n", type=int, default=2000, help="generated images, and real ones for the floor"
    )
    score.add_argument("--real", type=int, default=5000, help="real images of the reference")
    score.add_argument("--seed", type=int, default=0, help="seed of the noise")
    score.add_argument("--out", type=Path, help="file for the scores and their protocol")
    return parser


def _train(args):
    from sagan_lib import runs

    given = {k: v for k, v in vars(args).items() if v is not None}
    fields = {field.name for field in dataclasses.fields(recipes.Recipe)}
    recipe = recipes.get(args.recipe, **{k: v for k, v in given.items() if k in fields})
    out = args.out or Path("runs") / args.recipe
    started = time.time()
    try:
        report = runs.train(recipe, out, args.log_every, args.mixed, args.devices, args.line)[1]
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {out}/run.keras")
        return 130
    if report is None:
        return 0  # the chief writes the files
    report["seconds_this_time"] = round(time.time() - started, 1)
    with shipped.replacing(out / "run.json") as part:
        part.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{out}: run.keras, generator.weights.h5, log.csv, run.json, samples.png")
    return 0


def _sample(args):
    from sagan_lib import gan, runs
    from sagan_lib.book import plots

    images = gan.generate(runs.generator(args.run), args.n, args.seed, args.truncation)
    plots.save_grid(args.out, images, args.columns)
    print(args.out)
    return 0


def _judge(args):
    from sagan_lib.evaluation import judge

    for name, share in judge.train(args.out).items():
        print(f"{name:12} {share:.2%} of fresh faces read rightly")
    shipped_copy = shipped.folder() / judge.WEIGHTS
    if args.out.resolve() == shipped_copy.resolve():
        shipped.record(args.out)
    return 0


def _publish(args):
    from sagan_lib import runs

    print(runs.publish(args.run))
    return 0


def _doctor(args):
    from sagan_lib.book import doctor

    return doctor.main(args.data)


def _score(args):
    from sagan_lib import runs

    for name in ("n", "real"):
        checks.integer(f"--{name}", getattr(args, name), 4)  # precision looks at 3 neighbours
    model = runs.generator(args.run)
    data = args.data or (runs.data_of(args.run) if args.run else "faces")
    what = f"averaged generator of {args.run or runs.GENERATOR}"
    found = runs.score(model, what, data, args.n, args.real, args.seed)
    print(json.dumps(found["protocol"], indent=1))
    for score, value in found.items():
        if score != "protocol":
            interval = f"({value['low']:.4g} to {value['high']:.4g})" if "low" in value else ""
            print(f"{score:16} {value['value']:9.4g} {interval:24} real: {value['floor']:.4g}")
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def main(argv=None):
    """Run one command; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in MOVED:
        print(f"error: this is now: {MOVED[argv[0]]}", file=sys.stderr)
        return 2
    args = _parser().parse_args(argv)
    args.line = "python -m sagan_lib " + shlex.join(argv)
    commands = {
        "train": _train, "sample": _sample, "judge": _judge, "publish": _publish,
        "doctor": _doctor, "score": _score,
    }  # fmt: skip
    try:
        return commands[args.command](args)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # without a line of code
    sys.exit(main())
