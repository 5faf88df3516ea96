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
import contextlib
import json
import math
import multiprocessing
import os
import re
import statistics
from pathlib import Path

import tensorflow as tf

from sagan_experiments.speed import baselines, tables, worker
from sagan_experiments.speed.case import CONTENDERS, SIZES, VARIANT, case
from sagan_lib import checks, cost, devices, shipped
from sagan_lib.attention import attention_layers
from sagan_lib.cli import provenance

#: Seconds of one contender in one round, unless a single step takes longer.
SLICE = 1.0


def attention_work(generator, discriminator, batch):
    """(flops, exps) that attention's maps need in one step, at least.

    One image's map of N x M takes 2 N M (c_qk + c_v) operations forward and twice that backward.
    A step of `GAN` runs G forward on 2 batches and backward on 1, D forward on 3 and backward on
    3 (real, fake, and G's step). A map that is kept needs no new exponentials backward.

    Args:
        generator: with or without attention.
        discriminator: likewise.
        batch: real images in a D step.
    """
    flops = exps = 0
    for model, forward, backward in ((generator, 2, 1), (discriminator, 3, 3)):
        for layer in attention_layers(model):
            flops += batch * layer.map_flops() * (forward + 2 * backward)
            exps += batch * math.prod(layer.map_shape()) * forward
    return flops, exps


def _counts(chosen, variant):
    nets = baselines.networks(chosen, variant)
    flops, exps = attention_work(*nets, chosen.batch)
    return {
        "parameters": baselines.parameters(*nets),
        "step_flops": cost.plan(*nets, chosen.batch, 1).step_flops,
        "attention_flops": flops, "attention_exps": exps,
    }  # fmt: skip


def _rates():
    # Large, or starting the operation is what is measured; then the bound would be none.
    side, size = (8192, 2**26) if devices.gpus() else (2048, 2**24)
    x = tf.random.stateless_uniform((size,), (1, 2), -1.0, 0.0)
    exps = size / cost.best_time(tf.exp, x, 0.2)
    return {"matmul_flops_per_s": cost.matmul_rate(side), "exp_per_s": exps}


def _samples(chosen, counts, names, rounds):
    """{name: (seconds, bytes) of each round, or why it failed}, and the machine's best rates."""
    samples, failed, rates = {name: [] for name in names}, {}, []

    def keep(name, future):
        try:
            samples[name].append(future.result())
        except Exception as error:  # whatever it is, the others go on
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:300]

    with contextlib.ExitStack() as stack:
        make, spawn = concurrent.futures.ProcessPoolExecutor, multiprocessing.get_context("spawn")
        pools = {name: stack.enter_context(make(1, spawn)) for name in names}
        for name, future in [
            (name, pool.submit(worker.prepare, name, chosen, counts[name]["parameters"]))
            for name, pool in pools.items()
        ]:
            keep(name, future)
        for _ in range(rounds):
            rates.append(_rates())
            for name in [name for name in names if name not in failed]:
                steps = max(1, min(100, int(SLICE / samples[name][-1][0])))
                keep(name, pools[name].submit(worker.turn, steps))
    best = {key: max(rate[key] for rate in rates) for key in rates[0]}
    return {name: failed.get(name, samples[name][1:]) for name in names}, best


def measure(chosen, names, rounds):
    """Measure one case: its entry in `run`'s "cases".

    Args:
        chosen: a `Case`.
        names: of `CONTENDERS`.
        rounds: of all contenders.
    """
    variants = {variant: _counts(chosen, variant) for variant in ("article", "pooled", "none")}
    counts = {name: variants[VARIANT.get(name, "article")] for name in names}
    samples, rates = _samples(chosen, counts, names, rounds)
    contenders = {
        name: {"failed": each} if isinstance(each, str)
        else _result(each, chosen.batch, counts[name], rates)
        for name, each in samples.items()
    }  # fmt: skip
    times = {name: entry.get("median_s") for name, entry in contenders.items()}
    for name in names if times.get("ours") else ():
        if times[name]:
            contenders[name]["time_over_ours"] = times[name] / times["ours"]
    return {
        "size": f"{chosen.resolution}x{chosen.width}", **chosen._asdict(), "gpu": _gpu(),
        "rounds": rounds, **rates, "counts": variants, "contenders": contenders,
        "attention": _attention(times, variants, rates),
    }  # fmt: skip


def _result(samples, batch, count, rates):
    times = [seconds for seconds, _ in samples]
    median = statistics.median(times)
    return {
        "median_s": median, "min_s": min(times), "images_per_s": batch / median,
        "share_of_matmul_peak": count["step_flops"] / median / rates["matmul_flops_per_s"],
        "peak_memory_mib": samples[-1][1] / 2**20, "parameters": count["parameters"],
    }  # fmt: skip


def _attention(times, counts, rates):
    """Variant -> bound_s and, where measured, extra_s and their ratio, of one step."""
    without, result = times.get("ours_no_attention"), {}
    for variant, name in (("article", "ours"), ("pooled", "ours_pooled")):
        bound = counts[variant]["attention_flops"] / rates["matmul_flops_per_s"]
        bound += counts[variant]["attention_exps"] / rates["exp_per_s"]
        result[variant] = {"bound_s": bound}
        if without and times.get(name):
            extra = times[name] - without
            result[variant] |= {"extra_s": extra, "extra_over_bound": extra / bound}
    return result


def run(sizes=SIZES, contenders=CONTENDERS, rounds=7, out=None, command=""):
    """Measure all sizes and write the results.

    Args:
        sizes: such as "64x32" (pixels and width).
        contenders: of `CONTENDERS`.
        rounds: of all contenders, for each size.
        out: file for the results; default data/results/bench_MACHINE.json.
        command: recorded.

    Returns:
        What was written: machine, provenance, protocol and, under "cases", the numbers. A
        contender that could not run has {"failed": reason} instead.

    Raises:
        ValueError, TypeError: a wrong argument, or a size that cannot be built.
    """
    checks.integer("rounds", rounds, 1)
    names = [checks.one_of("contender", name, CONTENDERS) for name in dict.fromkeys(contenders)]
    chosen = [case(size) for size in sizes]
    if not chosen or not names:
        raise ValueError(f"there must be sizes and contenders, got {list(sizes)} and {names}")
    devices.setup()  # several processes share a GPU
    machine = " ".join(filter(None, [_gpu(), provenance.processor()]))
    results = {
        "machine": machine,
        "provenance": provenance.provenance(command),
        "load_before": os.getloadavg()[0],  # above 0.2 or so, the numbers are not to be trusted
        "protocol": {
            "processes": "one for each contender, all warm and alive, one at work at a time",
            "interleaved": ["rates of matmul and exp", *names],
            "statistic": "median over the rounds of the mean seconds of a step in a round",
        },
        "cases": [],
    }
    slug = re.sub(r"[^a-z0-9]+", "_", re.sub(r"\((r|tm)\)", "", machine.lower())).strip("_")
    target = Path(out or shipped.folder() / "results" / f"bench_{slug}.json")
    for each in chosen:
        print(f"{each.resolution}x{each.width}: {len(names)} contenders", flush=True)
        results["cases"].append(measure(each, names, rounds))
        with shipped.replacing(target) as part:  # after each size: a later one may fail
            part.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{tables.table(results)}\n{target}")
    return results


def _gpu():
    """The name of the first GPU; None without one."""
    details = [tf.config.experimental.get_device_details(gpu) for gpu in devices.gpus()]
    return details[0].get("device_name", "GPU") if details else None
