"""How fast a training step is, next to other ways to write it: python -m sagan_experiments bench.

Every contender trains the same networks on the same batch, each in a process of its own
(`worker`), all of them warm before the clock starts. In every round each contender does a few
steps in turn, so that a slow moment of the machine meets all of them; the median over the rounds
counts. `ours` also updates an averaged generator, which the others do not.

The bound of attention is the least time its maps can take on this machine: both matrix products and
their gradients at the measured rate of a large product, and one exponential for each number of a
map at the measured rate of `tf.exp`, in each forward pass.
"""

import concurrent.futures
import json
import os
import re
import statistics
import time
from dataclasses import asdict
from pathlib import Path

from sagan_experiments.speed import tables
from sagan_experiments.speed.case import CONTENDERS, SIZES, case
from sagan_experiments.speed.process import PROBE, Child
from sagan_lib import checks, shipped
from sagan_lib.cli import provenance

#: Longest time of one contender in one round, in seconds, unless a single step takes longer.
SLICE = 1.5


def check_parameters(name, found, expected):
    """Refuse a contender that trains another number of parameters than ours.

    Args:
        name: of the contender.
        found: its parameters.
        expected: ours.

    Raises:
        ValueError: with both numbers.
    """
    if found != expected:
        raise ValueError(f"{name} has {found} trainable parameters, ours has {expected}")


def _start(names, chosen, end):
    """(children by name, reasons of failure by name): warm processes, some started at a time."""
    children, reasons = {}, {}

    def start(name):
        try:
            children[name] = Child(name, chosen, max(60, end - time.monotonic()))
        except RuntimeError as error:
            reasons[name] = str(error)

    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count())) as pool:
        # From the end: what compiles for long comes last in CONTENDERS.
        list(pool.map(start, [PROBE, *reversed(names)]))
    return children, reasons


def _rounds(children, reasons, rounds, end):
    """Fill each child's `samples` with its answers, round by round; returns the rounds done."""
    limit = (end - time.monotonic()) / (rounds * len(children))
    for done in range(rounds):
        started = time.monotonic()
        for name, child in list(children.items()):
            step = child.first["step_s"]
            steps = max(1, min(100, int(min(limit, SLICE) / step) - 1))
            request = {"rates": True} if name == PROBE else {"steps": steps}
            try:
                child.samples.append(child.ask(60 + 20 * step * steps, **request))
            except RuntimeError as error:
                reasons[name] = str(error)
                children.pop(name).close()
        if time.monotonic() * 2 - started > end:  # another such round would be too long
            return done + 1
    return rounds


def measure(chosen, names, rounds=7, seconds=190.0):
    """Measure one case.

    Args:
        chosen: a `Case`.
        names: of `CONTENDERS`.
        rounds: at most.
        seconds: about what it may take; three quarters of it, or a minute, is the most for
            starting, and one round is done whatever it takes.

    Returns:
        The case's entry in `run`'s "cases".

    Raises:
        RuntimeError: the machine's own rates could not be measured.
    """
    end = time.monotonic() + checks.number("seconds", seconds, 0, open_low=True)
    children, reasons = _start(names, chosen, end - 0.25 * seconds)
    try:
        if PROBE not in children:
            raise RuntimeError(f"the machine's rates could not be measured: {reasons[PROBE]}")
        counts = children[PROBE].first["counts"]
        for name in [x for x in names if x in children]:
            count = counts[_variant(name, chosen)]["parameters"]
            try:
                check_parameters(name, children[name].first["parameters"], count)
            except ValueError as error:
                reasons[name] = str(error)
                children.pop(name).close()
        done = _rounds(children, reasons, rounds, end)
        return _case_result(chosen, names, children, reasons, done)
    finally:
        for child in children.values():
            child.close()


def _variant(name, chosen):
    """Which of the probe's counts a contender has."""
    own = {"ours_no_attention": "none", "ours_article": "article", "ours_pooled": "pooled"}
    return own.get(name, chosen.variant)


def _case_result(chosen, names, children, reasons, rounds):
    probe = children[PROBE]
    rates = {name: max(x[name] for x in probe.samples) for name in probe.samples[0]}
    counts = probe.first["counts"]
    contenders = {name: {"failed": reasons[name]} for name in names if name in reasons}
    for name in [x for x in names if x in children]:
        flops = counts[_variant(name, chosen)]["step_flops"]
        contenders[name] = _contender_result(children[name], chosen.batch, flops, rates)
    ours = contenders.get("ours", {}).get("median_s")
    for entry in contenders.values():
        if ours and "median_s" in entry:
            entry["time_over_ours"] = entry["median_s"] / ours
    return {
        "size": f"{chosen.resolution}x{chosen.width}",
        **asdict(chosen),
        "gpu": probe.first["gpu"],
        "rounds": rounds,
        **rates,
        "counts": counts,
        "contenders": {name: contenders[name] for name in names},
        "attention": _attention(chosen, contenders, counts, rates),
    }


def _contender_result(child, batch, flops, rates):
    times = [x["step_s"] for x in child.samples]
    memory = child.ask(memory=True)
    median = statistics.median(times)
    return {
        "median_s": median,
        "min_s": min(times),
        "images_per_s": batch / median,
        "share_of_matmul_peak": flops / median / rates["matmul_flops_per_s"],
        "peak_memory_mib": memory["peak"] / 2**20,
        "import_memory_mib": memory["import_peak"] / 2**20,
        "gpu_memory_mib": memory["gpu_peak"] and memory["gpu_peak"] / 2**20,
        "parameters": child.first["parameters"],
    }


def _attention(chosen, contenders, counts, rates):
    """Variant -> bound_s and, where measured, extra_s and their ratio, of one step."""
    without = contenders.get("ours_no_attention", {}).get("median_s")
    result = {}
    for variant in ("article", "pooled"):
        name = "ours" if variant == chosen.variant else f"ours_{variant}"
        count = counts[variant]
        bound = count["attention_flops"] / rates["matmul_flops_per_s"]
        bound += count["attention_exps"] / rates["exp_per_s"]
        result[variant] = {"bound_s": bound}
        with_it = contenders.get(name, {}).get("median_s")
        if without and with_it:
            extra = with_it - without
            result[variant] |= {"extra_s": extra, "extra_over_bound": extra / bound}
    return result


def run(
    sizes=SIZES, variant="article", contenders=None, rounds=7, seconds=190.0, batch=64, out=None,
    command="",
):  # fmt: skip
    """Measure all sizes and write the results.

    Args:
        sizes: such as "64x32" (pixels and width).
        variant: of attention, for all but those contenders that name theirs.
        contenders: of `CONTENDERS`; default: all.
        rounds: of `measure`, for each size.
        seconds: of `measure`, for each size.
        batch: images in a D step.
        out: file for the results; default data/results/bench_MACHINE.json.
        command: recorded.

    Returns:
        What was written: machine, provenance, protocol and, under "cases", the numbers. A
        contender that could not run has {"failed": reason} instead.

    Raises:
        ValueError, TypeError: a wrong argument. RuntimeError: see `measure`.
    """
    checks.integer("rounds", rounds, 1)
    checks.number("seconds", seconds, 0, open_low=True)
    every = [name for name in CONTENDERS if name != f"ours_{variant}"]  # that one is "ours"
    names = list(dict.fromkeys(every if contenders is None else contenders))
    for name in names:
        checks.one_of("contender", name, CONTENDERS)
    load = os.getloadavg()[0]  # of others: above 0.2 or so, the numbers are not to be trusted
    chosen = [case(size, variant, batch) for size in sizes]
    if not chosen:
        raise ValueError("sizes must have at least one size, got none")
    cases, results = [], {}
    for each in chosen:
        print(f"{each.resolution}x{each.width}: {len(names)} contenders", flush=True)
        cases.append(measure(each, names, rounds, seconds))
        results = {
            "machine": " ".join(filter(None, [cases[0]["gpu"], provenance.processor()])),
            "provenance": provenance.provenance(command),
            "load_before": load,
            "protocol": {
                "processes": "one for each contender, all warm and alive, one at work at a time",
                "warm_up": "3 steps before the first round, 1 before each timing",
                "rounds_at_most": rounds,
                "seconds_of_a_case": seconds,
                "interleaved": [f"{PROBE} (rates of matmul and exp)", *names],
                "statistic": "median over the rounds of the mean seconds of a step in a round",
                "batch": batch,
            },
            "cases": cases,
        }
        target = Path(out) if out else _default_path(cases[0]["gpu"] or provenance.processor())
        with shipped.replacing(target) as part:  # after each size: a later one may fail
            part.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{tables.table(results)}\n{target}")
    return results


def _default_path(machine):
    slug = re.sub(r"\((r|tm)\)", "", machine.lower())
    slug = re.sub(r"[^a-z0-9]+", "_", slug).strip("_")
    return shipped.folder() / "results" / f"bench_{slug}.json"
