"""The options of `python -m sagan_lib`; no TensorFlow, so that help and errors come at once."""

import argparse
import dataclasses
import os
import types
import typing
from pathlib import Path

from sagan_lib.cli import recipes

#: "none" on the command line: the field is None, which is not the same as an option not given.
NONE = object()


def _or_none(kind):
    """A reader of a value, or of the word "none"."""

    def read(text):
        return NONE if text.lower() == "none" else kind(text)

    read.__name__ = f"{kind.__name__}, or none"  # argparse says it where a value is wrong
    return read


def _recipe_options(train):
    """One option for each field of `Recipe`, with the field's meaning as its help."""
    for field in dataclasses.fields(recipes.Recipe):
        kind = field.type
        if isinstance(kind, types.UnionType):
            inner = next(each for each in typing.get_args(kind) if each is not types.NoneType)
            kind = _or_none(inner)
        option = f"--{field.name.replace('_', '-')}"
        train.add_argument(option, type=kind, help=field.metadata["help"])


def _add_run(command):
    command.add_argument("--run", type=Path, help="run to load: folder or file; default: shipped")


def parser(description):
    """The parser of the whole command line.

    Args:
        description: what its help begins with.
    """
    whole = argparse.ArgumentParser("python -m sagan_lib", description=description)
    whole.epilog = "--debug, anywhere, shows where an error came from"
    commands = whole.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a recipe on faces, a folder or CelebA")
    train.add_argument(
        "--recipe", "--preset", default="faces32", choices=sorted(recipes.RECIPES),
        help="named run, faces32 by default; most options below change a part of it",
    )  # fmt: skip
    _recipe_options(train)
    train.add_argument("--log-every", type=int, default=100, help="steps between two log rows")
    train.add_argument("--mixed", action="store_true", help="compute in bfloat16")
    train.add_argument(
        "--deterministic", action="store_true",
        help="sums in a fixed order: slower, but a run that is resumed on a GPU is then exact, too",
    )  # fmt: skip
    train.add_argument(
        "--devices", default="one", choices=("one", "mirrored", "workers"),
        help="one device; all GPUs of this machine; those of all machines that TF_CONFIG lists",
    )  # fmt: skip
    train.add_argument("--out", type=Path, help="folder of the run; runs/RECIPE by default")

    sample = commands.add_parser("sample", help="write a grid of generated images")
    _add_run(sample)
    sample.add_argument("--out", type=Path, default=Path("samples.png"), help="picture to write")
    sample.add_argument("--n", type=int, default=64, help="how many images")
    sample.add_argument(
        "--label", help="what a conditional run shall draw: red, or hair=red,long_hair=long; what "
        "is not named is drawn by chance",
    )  # fmt: skip
    sample.add_argument("--seed", type=int, default=0, help="seed of the noise")
    sample.add_argument("--columns", type=int, default=16, help="images in a row")
    sample.add_argument("--truncation", type=float, help="cut the noise off at plus and minus this")

    judge = commands.add_parser("judge", help="train the judge network anew")
    judge.add_argument("--out", type=Path, required=True, help="file of weights to write")

    publish = commands.add_parser("publish", help="make a finished run the book's: into data/")
    publish.add_argument("--run", type=Path, required=True, help="folder of the run")

    export = commands.add_parser("export", help="write a network as a script for a browser")
    one = export.add_mutually_exclusive_group()
    one.add_argument("--run", type=Path, help="run whose generator to write: folder or file")
    one.add_argument(
        "--network", choices=(*recipes.PUBLISHED, "judge32"), default=recipes.SHIPPED,
        help="or what comes with the book; default: faces64",
    )  # fmt: skip
    export.add_argument("--out", type=Path, required=True, help="script to write, such as net.js")

    doctor = commands.add_parser("doctor", help="check versions, GPU and data; say what to do")
    doctor.add_argument("--data", type=Path, help="folder or zip of images to check, and its cache")

    score = commands.add_parser("score", help="score a generator: intervals, and real images")
    _add_run(score)
    score.add_argument(
        "--data",
        help="real images: 'faces', or a folder or zip, whose training split counts; default: "
        "the run's own",
    )
    score.add_argument(
        "--n",
        type=int,
        help="generated images, and real ones that are scored too; 2000, of few pictures 2 in 7",
    )
    score.add_argument(
        "--real", type=int, help="real images of the reference; 5000, of few pictures the others"
    )
    score.add_argument("--seed", type=int, default=0, help="seed of the noise")
    score.add_argument("--out", type=Path, help="file for the scores and their protocol")
    return whole


def check_out(path):
    """Refuse a file that cannot be written, before minutes of work for it.

    Args:
        path: of the file.

    Raises:
        ValueError: its folder cannot be written to, or it is a folder itself.
    """
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"--out: {path.parent} is no folder that can be written to")
    if path.is_dir():
        raise ValueError(f"--out: {path} is a folder, not a file to write")


def told(error):
    """An error in one line, with what to do where that is known.

    Args:
        error: any exception.
    """
    first = next(iter(str(error).strip().splitlines()), "")
    if type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's, in a step
        first = f"take a smaller --batch-size, then a smaller --width ({first[:200]})"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory: {first}"
    unnamed = isinstance(error, OSError) and error.errno is not None and error.filename is None
    if isinstance(error, ValueError | TypeError | OSError | RuntimeError) and not unnamed:
        return first[:1000]
    return f"{type(error).__name__}: {first[:1000]} (--debug shows where)"
