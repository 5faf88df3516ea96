"""The command line: python -m sagan_lib train|sample|score|judge|publish|export|doctor."""

import dataclasses
import gc
import json
import shlex
import sys
import time
import warnings
from pathlib import Path

from sagan_lib import checks, shipped
from sagan_lib.cli import options, process, recipes

#: Commands that this one had once -> what they are now.
MOVED = {name: f"python -m sagan_experiments {name}" for name in ("bench", "claims")}


def _train(args):
    from sagan_lib.cli import runs

    given = {k: v for k, v in vars(args).items() if v is not None}
    fields = {field.name for field in dataclasses.fields(recipes.Recipe)}
    chosen = {k: None if v is options.NONE else v for k, v in given.items() if k in fields}
    recipe = recipes.get(args.recipe, **chosen)
    out = args.out or Path("runs") / args.recipe
    started = time.monotonic()  # a clock that is set meanwhile changes nothing
    try:
        report = runs.train(
            recipe, out, args.log_every, args.mixed, args.devices, args.line, args.deterministic
        )[1]
    except runs.keep.Stopped as stop:
        print(f"\n{stop}: saved; the same command goes on from {out}/{runs.keep.RUN}")
        return 128 + stop.number
    except KeyboardInterrupt:
        there = (out / runs.keep.RUN).exists()
        told = f"the same command goes on from {out}/{runs.keep.RUN}" if there else "nothing saved"
        print(f"\nstopped; {told}")
        return 130
    if report is None:
        return 0  # the chief writes the files, or there was nothing to do
    report["seconds_this_time"] = round(time.monotonic() - started, 1)
    with shipped.replacing(out / "run.json") as part:
        part.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{out}: run.keras, generator.weights.h5, log.csv, run.json, samples.png")
    return 0


def _sample(args):
    from sagan_lib.book import plots
    from sagan_lib.cli import runs

    options.check_out(args.out)
    model = runs.trained(args.run) if args.run else runs.generator()
    images = runs.sampled(model, args.n, args.seed, args.truncation, args.label)
    plots.save_grid(args.out, images, args.columns)
    print(args.out)
    return 0


def _judge(args):
    from sagan_lib.cli import publish
    from sagan_lib.evaluation import judge

    options.check_out(args.out)
    for name, share in judge.train(args.out).items():
        print(f"{name:12} {share:.2%} of fresh faces read rightly")
    shipped_copy = shipped.folder() / judge.WEIGHTS
    if args.out.resolve() == shipped_copy.resolve():
        publish.record(args.out)
    return 0


def _publish(args):
    from sagan_lib.cli import publish

    print(publish.publish(args.run))
    return 0


def _export(args):
    from sagan_lib.cli import export

    options.check_out(args.out)
    print(export.export(args.out, args.run, args.network))
    return 0


def _doctor(args):
    from sagan_lib.cli import doctor

    return doctor.main(args.data)


def _score(args):
    from sagan_lib.cli import runs

    if args.out:
        options.check_out(args.out)
    for name in ("n", "real"):
        if getattr(args, name) is not None:
            checks.integer(f"--{name}", getattr(args, name), 4)  # precision looks at 3 neighbours
    model = runs.trained(args.run) if args.run else runs.generator()
    recipe = runs.recipe_of(args.run) if args.run else {"data": "faces", "label": None}
    data = args.data or recipe["data"]
    what = f"averaged generator of {args.run or runs.GENERATOR}"
    own = args.run and args.data is None  # on what it was trained on, as it was trained
    memory, crop = (runs.memory(args.run), recipe.get("crop")) if own else (None, None)
    found = runs.score(
        model, what, data, args.n, args.real, args.seed, memory, recipe["label"], crop
    )
    print(json.dumps(found["protocol"], indent=1))
    for score, value in found.items():
        if "value" in value:
            interval = f"({value['low']:.4g} to {value['high']:.4g})" if "low" in value else ""
            print(f"{score:16} {value['value']:9.4g} {interval:24} real: {value['real']:.4g}")
    for name, value in found.get("classes", {}).items():
        told = ", ".join(f"{k} {x:.4g}" for k, x in value.items())
        print(f"{name}: {told}")
    for factor, others in found.get("dependence", {}).items():
        told = ", ".join(f"{k} {x['value']:.2f} ({x['real']:.2f})" for k, x in others.items())
        print(f"{factor} tells of others (by chance): {told}")
    if few := found.get("too_few"):
        print("too few images for a distance by class: " + ", ".join(few))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def main(argv=None):
    """Run one command; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    argv = [word for word in argv if word != "--debug"]
    if argv and argv[0] in MOVED:
        print(f"error: this is now: {MOVED[argv[0]]}", file=sys.stderr)
        return 2
    args = options.parser(__doc__).parse_args(argv)
    args.line = "python -m sagan_lib " + shlex.join(argv)
    commands = {
        "train": _train, "sample": _sample, "judge": _judge, "publish": _publish,
        "doctor": _doctor, "score": _score, "export": _export,
    }  # fmt: skip
    try:
        return commands[args.command](args)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except Exception as error:
        if debug:
            raise
        print(f"error: {options.told(error)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    process.patient_streams()
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # without a line of code
    status = main()
    gc.freeze()  # or Python looks through all that TensorFlow made before it ends: a second's work
    sys.exit(status)
