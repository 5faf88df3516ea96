"""The command line: python -m sagan_lib train|sample|score|judge|publish|doctor|bench|claims."""

import argparse
import json
import os
import shlex
import sys
import time
import warnings
from pathlib import Path

from sagan_lib import checks, recipes, shipped


def _parser():
    parser = argparse.ArgumentParser("python -m sagan_lib", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a recipe on faces, a folder or CelebA")
    train.add_argument(
        "--preset", default="faces32", choices=sorted(recipes.RECIPES),
        help="the recipe, faces32 by default; most options below change a part of it",
    )  # fmt: skip
    train.add_argument(
        "--data", type=os.path.normpath,  # with a slash at its end it is the same folder
        help="'faces', a folder of images, or a zip (CelebA's works)",
    )  # fmt: skip
    for name, kind, text in (
        ("resolution", int, "pixels: 16, 32, 64, 128 or 256"),
        ("width", int, "channels at full resolution"),
        ("latent-dim", int, "size of the noise vector"),
        ("rates", str, "a preset of sagan_lib.ttur"),
        ("loss", str, "hinge, bce or minimax"),
        ("variant", str, "of attention: article or paper"),
        ("steps", int, "G updates in all; a run that is resumed does the rest"),
        ("batch-size", int, "real images in a D step"),
        ("ema-decay", float, "of the averaged generator"),
        ("seed", int, "of weights, shuffles and noise"),
    ):
        train.add_argument(f"--{name}", type=kind, help=text)
    train.add_argument("--log-every", type=int, default=100, help="steps between log rows")
    train.add_argument("--mixed", action="store_true", help="compute in bfloat16")
    train.add_argument(
        "--devices", default="one", choices=("one", "mirrored", "workers"),
        help="one; all GPUs of this machine; those of all machines that TF_CONFIG lists",
    )  # fmt: skip
    train.add_argument("--out", type=Path, help="folder of the run; runs/PRESET by default")

    sample = commands.add_parser("sample", help="write a grid of generated images")
    sample.add_argument("--run", type=Path, help="a run, folder or file; default: the shipped one")
    sample.add_argument("--out", type=Path, default=Path("samples.png"), help="the picture")
    sample.add_argument("--n", type=int, default=64, help="how many images")
    sample.add_argument("--seed", type=int, default=0, help="of the noise")
    sample.add_argument("--columns", type=int, default=16, help="images in a row")
    sample.add_argument("--truncation", type=float, help="cut the noise off at plus and minus this")

    judge = commands.add_parser("judge", help="train the judge network anew")
    judge.add_argument("--out", type=Path, required=True, help="where to write its weights")

    publish = commands.add_parser("publish", help="make a finished run the book's: into data/")
    publish.add_argument("--run", type=Path, required=True, help="the run's folder")

    doctor = commands.add_parser("doctor", help="check versions, GPU and data; say what to do")
    doctor.add_argument("--data", type=Path, help="also check this folder or zip of images")

    bench = commands.add_parser("bench", help="measure the speed of a training step and of peers")
    bench.add_argument("--sizes", default="32x16,32x32,64x32", help="RESOLUTIONxWIDTH,...")
    bench.add_argument("--variant", default="article", help="of attention: article or paper")
    bench.add_argument("--contenders", help="such as ours,keras; default: all that there are")
    bench.add_argument("--rounds", type=int, default=7, help="at most, of all contenders in turn")
    bench.add_argument("--seconds", type=float, default=190, help="about the limit for each size")
    bench.add_argument("--batch-size", type=int, default=64, help="real images in a D step")
    bench.add_argument("--out", type=Path, help="default: data/results/bench_MACHINE.json")
    score = commands.add_parser("score", help="score a generator: intervals, and real images")
    score.add_argument("--run", type=Path, help="a run, folder or file; default: the shipped one")
    score.add_argument(
        "--data",
        help="'faces', or a folder or zip, whose training split counts; default: the run's own",
    )
    score.add_argument(
        "--n", type=int, default=2000, help="generated images, and real ones for the floor"
    )
    score.add_argument("--real", type=int, default=5000, help="images of the reference")
    score.add_argument("--seed", type=int, default=0, help="of the noise")
    score.add_argument("--out", type=Path, help="also write the scores and their protocol here")

    claims = commands.add_parser("claims", help="the experiments behind the book's statements")
    claims.add_argument("action", choices=("list", "run", "check", "report"),
                        help="list verdicts; compute what is missing; measure the fast ones "
                        "again; write the pages claims.md and errata.md")  # fmt: skip
    claims.add_argument("names", nargs="*", metavar="ID", help="which claims; default: all")
    claims.add_argument("--seeds", type=int, default=5, help="how many, from 0 on")
    claims.add_argument("--jobs", type=int, help="processes; default: one for each core")
    claims.add_argument("--scale", default="cpu", choices=("cpu", "gpu"),
                        help="32 pixels, or 64 for longer")  # fmt: skip
    claims.add_argument("--out", type=Path, help="default: data/results/claims_SCALE.json")
    return parser


def _train(args):
    given = {k: v for k, v in vars(args).items() if v is not None}
    fields = set(recipes.Recipe.__dataclass_fields__)
    recipe = recipes.get(args.preset, **{k: v for k, v in given.items() if k in fields})
    out = args.out or Path("runs") / args.preset
    started = time.time()
    try:
        report = recipes.train(recipe, out, args.log_every, args.mixed, args.devices)[1]
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {out}/run.keras")
        return 130
    if report is None:
        return 0  # another worker writes the files
    report["seconds_this_time"] = round(time.time() - started, 1)
    report["command"] = args.line
    (out / "run.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"{out}: run.keras, generator.weights.h5, log.csv, run.json, samples.png")
    return 0


def _generator(run):
    """The averaged generator of a run, given its folder or its file; without one, the shipped."""
    from sagan_lib import gan

    if run is None:
        return recipes.shipped_generator()
    return gan.GAN.load(run / "run.keras" if run.is_dir() else run).ema_generator


def _sample(args):
    from sagan_lib import gan, plots

    model = _generator(args.run)
    images = gan.generate(model, args.n, args.seed, args.truncation)
    plots.save_grid(args.out, images, args.columns)
    print(args.out)
    return 0


def _judge(args):
    from sagan_lib import judge

    for name, share in judge.train(args.out).items():
        print(f"{name:12} {share:.2%} of fresh faces read rightly")
    shipped_copy = shipped.folder() / judge.WEIGHTS
    if args.out.resolve() == shipped_copy.resolve():
        shipped.record(args.out)
    return 0


def _publish(args):
    print(recipes.publish(args.run))
    return 0


def _doctor(args):
    from sagan_lib import doctor

    return doctor.main(args.data)


def _bench(args):
    from sagan_lib import bench

    bench.run(
        args.sizes.split(","), args.variant, args.contenders and args.contenders.split(","),
        args.rounds, args.seconds, args.batch_size, args.out, args.line,
    )  # fmt: skip
    return 0


def _score(args):
    for name in ("n", "real"):
        checks.integer(f"--{name}", getattr(args, name), 4)  # precision looks at 3 neighbours
    model = _generator(args.run)
    data = args.data or (recipes.data_of(args.run) if args.run else "faces")
    name = f"averaged generator of {args.run or recipes.GENERATOR}"
    found = recipes.score(model, name, data, args.n, args.real, args.seed)
    print(json.dumps(found["protocol"], indent=1))
    for score, value in found.items():
        if score != "protocol":
            interval = f"({value['low']:.4g} to {value['high']:.4g})" if "low" in value else ""
            print(f"{score:16} {value['value']:9.4g} {interval:24} real: {value['floor']:.4g}")
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _claims(args):
    from sagan_lib import claims, report

    store = claims.open_store(args.out, args.scale)
    if args.action == "report" and args.scale != "cpu":
        raise ValueError(f"the book's pages are written from the cpu scale, got {args.scale}")
    if args.action == "run":
        claims.run(args.names, args.seeds, args.jobs, store, args.line)
    if args.action == "check":
        claims.recheck(args.names, args.seeds, store)
        print("every verdict measured again is the published one")
    elif args.action == "report":
        print(*report.write(store), sep="\n")
    else:
        print(claims.table(store, args.names))
    return 0


def main(argv=None):
    """Run one command; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    args = _parser().parse_args(argv)
    args.line = "python -m sagan_lib " + shlex.join(argv)
    commands = {
        "train": _train, "sample": _sample, "judge": _judge, "publish": _publish,
        "doctor": _doctor, "bench": _bench, "claims": _claims, "score": _score,
    }  # fmt: skip
    try:
        return commands[args.command](args)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # without a line of code
    sys.exit(main())
