"""The command line: python -m sagan_experiments claims|trials|questions|stages|far|..."""

import argparse
import shlex
import sys
from pathlib import Path

from sagan_experiments.speed.case import CONTENDERS, SIZES
from sagan_lib.cli import process


def _parser():
    parser = argparse.ArgumentParser("python -m sagan_experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    claims = commands.add_parser("claims", help="the experiments behind the book's statements")
    claims.add_argument("action", choices=("list", "run", "check", "report"),
                        help="list verdicts; compute what is missing; measure the fast ones "
                        "again; write chapters/claims.md and ERRATA.md")  # fmt: skip
    claims.add_argument("names", nargs="*", metavar="ID", help="which claims; default: all")
    claims.add_argument("--looks", type=int, default=2, choices=(1, 2),
                        help="1: no second look at what seeds 1 to 5 leave undecided")  # fmt: skip
    claims.add_argument("--jobs", type=int, help="processes; default: one for each core")
    claims.add_argument("--scheduler", metavar="ADDRESS",
                        help="run: on the workers of a Dask scheduler, such as "
                        "tcp://10.0.0.1:8786 (the extra `cluster`)")  # fmt: skip
    claims.add_argument("--protocol", default="cpu", choices=("cpu", "gpu"),
                        help="32 pixels, or 64 for longer")  # fmt: skip
    claims.add_argument("--out", type=Path,
                        help="results; default: data/results/claims_PROTOCOL.json")  # fmt: skip

    trials = commands.add_parser("trials", help="each way to train at its own best rates")
    trials.add_argument("action", choices=("pilot", "plan", "run", "list"),
                        help="find the length; plan; run, resumable; show grids")  # fmt: skip
    trials.add_argument("names", nargs="*", metavar="WAY",
                        help="which ways or variants; default: all ways")  # fmt: skip
    trials.add_argument("--jobs", type=int, help="processes; default: one for each core")
    trials.add_argument("--out", type=Path,
                        help="results; default: data/results/claims_fair.json, or "
                        "claims_pilot.json")  # fmt: skip

    asked = commands.add_parser("questions", help="what readers ask, each side at its best rates")
    asked.add_argument("action", choices=("list", "run"), help="show answers; compute, resumable")
    asked.add_argument("names", nargs="*", metavar="ID", help="which questions; default: all")
    asked.add_argument(
        "--looks",
        type=int,
        default=3,
        choices=(1, 2, 3),
        help="how many at what fewer seeds leave open: at 5, 10 and 20",
    )
    asked.add_argument("--jobs", type=int, help="processes; default: one for each core")
    asked.add_argument("--out", type=Path,
                       help="results; default: data/results/claims_fair.json")  # fmt: skip

    stages = commands.add_parser("stages", help="faces of one run at several Fréchet distances")
    stages.add_argument("--out", type=Path, help="folder to write to; default: data/results")

    far = commands.add_parser("far", help="far discs with attention and without: a demonstration")
    far.add_argument("--out", type=Path, help="results; default: data/results/far_discs.json")

    more = commands.add_parser("continued", help="few pictures of a new kind: a demonstration")
    more.add_argument("--out", type=Path, help="results; default: data/results/continued32.json")

    own = commands.add_parser("own", help="real pictures, as they are and changed: a demonstration")
    own.add_argument("--data", type=Path, required=True, help="folder of pictures, or a zip")
    own.add_argument("--out", type=Path, help="results; default: data/results/own32.json")

    bench = commands.add_parser("bench", help="measure the speed of a training step and of others")
    bench.add_argument("--sizes", default=",".join(SIZES), help="RESOLUTIONxWIDTH,...")
    bench.add_argument("--contenders", default=",".join(CONTENDERS), help="default: %(default)s")
    bench.add_argument("--rounds", type=int, default=7, help="rounds of all contenders")
    bench.add_argument("--out", type=Path, help="default: data/results/bench_MACHINE.json")
    return parser


def _bench(args):
    from sagan_experiments.speed import bench

    sizes, contenders = args.sizes.split(","), args.contenders.split(",")
    bench.run(sizes, contenders, args.rounds, args.out, args.line)
    return 0


def _far(args):
    from sagan_experiments import far

    print(far.run(args.out, line=args.line))
    return 0


def _continued(args):
    from sagan_experiments import continued

    print(continued.run(args.out, line=args.line))
    return 0


def _own(args):
    from sagan_experiments import own

    print(own.run(args.data, args.out, line=args.line))
    return 0


def _trials(args):
    from sagan_experiments import ledger, trials

    if args.action == "pilot":
        if args.names:
            raise ValueError(f"the pilot takes no names, got {' '.join(args.names)}")
        store = ledger.open_store(args.out, "pilot")
        print(trials.pilot(args.jobs, store, args.line))
        return 0
    store = trials.open_store(args.out)
    print(trials.plan(args.names, store))
    if args.action == "run":
        for way, name in trials.run(args.names, args.jobs, store, args.line).items():
            print(f"{way}: best at {name.partition('@')[2]}")
    if args.action != "plan":
        print(trials.table(args.names, store))
    return 0


def _questions(args):
    from sagan_experiments import trials, verdicts

    store = trials.open_store(args.out)
    if args.action == "run":
        verdicts.run(args.names, args.jobs, store, args.line, args.looks)
    print(verdicts.table(args.names, store))
    return 0


def _stages(args):
    from sagan_experiments import stages

    for step, distance in stages.run(args.out, args.line)["stages"]:
        print(f"step {step}: {distance:g}")
    return 0


def _claims(args):
    from sagan_experiments import ledger, report

    store = ledger.open_store(args.out, args.protocol)
    if args.action == "report" and args.protocol != "cpu":
        raise ValueError(f"the book's pages are written from the protocol cpu, got {args.protocol}")
    if args.action == "run":
        ledger.run(args.names, args.looks, args.jobs, store, args.line, args.scheduler)
    if args.action == "check":
        ledger.recheck(args.names, store)
        print("every verdict measured again is the published one")
    elif args.action == "report":
        print(*report.write(store), sep="\n")
    else:
        print(ledger.table(store, args.names))
    return 0


def main(argv=None):
    """Run one command; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and (not hasattr(args, "names") or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:  # names after options, which argparse does not give to a list that may be empty
        args.names += rest
    args.line = "python -m sagan_experiments " + shlex.join(argv)
    try:
        with process.ended_by_signals():  # and with it what it started
            commands = {
                "bench": _bench,
                "claims": _claims,
                "continued": _continued,
                "far": _far,
                "own": _own,
                "questions": _questions,
                "stages": _stages,
                "trials": _trials,
            }
            return commands[args.command](args)
    except KeyboardInterrupt as stop:
        goes_on = getattr(args, "action", args.command) in ("run", "far", "continued", "own")
        more = "; what is done is kept, and the same command goes on from there" if goes_on else ""
        print(f"\nstopped{more}", file=sys.stderr)
        return process.status(stop)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    process.patient_streams()
    sys.exit(main())
