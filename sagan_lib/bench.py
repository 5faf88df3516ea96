"""How fast a training step is, next to other ways to write it: python -m sagan_lib bench.

Every contender trains the same networks on the same batch, each in a process of its own
(`bench_child`), all of them warm before the clock starts. In every round each contender does a few
steps in turn, so that a slow moment of the machine meets all of them; the median over the rounds
counts. `ours` also updates an averaged generator, which its peers do not.

The attention floor is the least time its maps can take on this machine: both matrix products and
their gradients at the measured rate of a large product, and one exponential for each number of a
map at the measured rate of `tf.exp`, in each forward pass.
"""

import concurrent.futures
import datetime
import importlib.metadata
import json
import math
import os
import platform
import re
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sagan_lib import checks
from sagan_lib.bench_child import PROBE, Child

CONTENDERS = (
    "ours", "ours_no_sn", "ours_no_attention", "ours_article", "ours_paper", "keras",
    "article", "article_eager", "torch", "torch_compile",
)  # fmt: skip
SIZES = ("32x16", "32x32", "64x32")
RESOLUTIONS = (16, 32, 64, 128, 256)
#: Longest time of one contender in one round, in seconds, unless a single step takes longer.
SLICE = 1.5


@dataclass(frozen=True)
class Case:
    """What is trained: SAGAN's sizes, its kind of attention, the images in a D step."""

    resolution: int
    width: int
    batch: int = 64
    variant: str = "article"
    attention_at: int = 16
    latent_dim: int = 128


def case(size, variant="article", batch=64):
    """The case of a size such as "32x16": 32 pixels, width 16. Attention is at its default."""
    found = re.fullmatch(r"(\d+)x(\d+)", str(size))
    if not found:
        raise ValueError(f"size must be RESOLUTIONxWIDTH, such as 32x16, got {size!r}")
    resolution, width = map(int, found.groups())
    checks.one_of(f"resolution of size {size}", resolution, RESOLUTIONS)
    checks.integer(f"width of size {size}", width, 4, 128)
    if width % 4:
        raise ValueError(f"width of size {size} must be a multiple of 4, got {width}")
    checks.one_of("variant", variant, ("article", "paper"))
    checks.integer("batch", batch, 1)
    return Case(resolution, width, batch, variant, min(32, resolution // 2))


def attention_work(generator, discriminator, batch):
    """(flops, exps) that attention's maps need in one step, at least.

    One image's map of N x M takes 2 N M (c_qk + c_v) operations forward and twice that backward.
    A step of `GAN` runs G forward on 2 batches and backward on 1, D forward on 3 and backward on
    3 (real, fake, and G's step). A map that is kept needs no new exponentials backward.
    """
    from sagan_lib import hardware
    from sagan_lib.attention import attention_layers

    flops = exps = 0
    for model, forward, backward in ((generator, 2, 1), (discriminator, 3, 3)):
        for layer in attention_layers(model):
            map_size = math.prod(hardware.map_shape(layer))
            channels = layer.f.kernel.shape[-1] + layer.h.kernel.shape[-1]
            flops += batch * 2 * map_size * channels * (forward + 2 * backward)
            exps += batch * map_size * forward
    return flops, exps


def check_parameters(name, found, expected):
    """ValueError, with both numbers, unless a contender trains as many parameters as ours."""
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
        chosen: a `Case`. names: of `CONTENDERS`. rounds: at most. seconds: about what it may take;
            three quarters of it, or a minute, is the most for starting, and one round is done
            whatever it takes.

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
    own = {"ours_no_attention": "none", "ours_article": "article", "ours_paper": "paper"}
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
    """Variant -> floor_s and, where measured, extra_s and their ratio, of one step."""
    without = contenders.get("ours_no_attention", {}).get("median_s")
    result = {}
    for variant in ("article", "paper"):
        name = "ours" if variant == chosen.variant else f"ours_{variant}"
        count = counts[variant]
        floor = count["attention_flops"] / rates["matmul_flops_per_s"]
        floor += count["attention_exps"] / rates["exp_per_s"]
        result[variant] = {"floor_s": floor}
        with_it = contenders.get(name, {}).get("median_s")
        if without and with_it:
            extra = with_it - without
            result[variant] |= {"extra_s": extra, "extra_over_floor": extra / floor}
    return result


def processor():
    """The processor's model, as the machine calls it."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else []
    return re.sub(r"\s+", " ", names[0]) if names else platform.processor() or platform.machine()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def run(
    sizes=SIZES, variant="article", contenders=None, rounds=7, seconds=190.0, batch=64, out=None,
    command="",
):  # fmt: skip
    """Measure all sizes and write the results.

    Args:
        sizes: such as "64x32" (pixels and width). variant: of attention, for all but those
            contenders that name theirs. contenders: of `CONTENDERS`; default: all.
        rounds, seconds: of `measure`, for each size. batch: images in a D step.
        out: file for the results; default data/results/bench_MACHINE.json. command: recorded.

    Returns:
        What was written: machine, versions, protocol and, under "cases", the numbers. A
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
    cases = []
    for chosen in [case(size, variant, batch) for size in sizes]:
        print(f"{chosen.resolution}x{chosen.width}: {len(names)} contenders", flush=True)
        cases.append(measure(chosen, names, rounds, seconds))
    if not cases:
        raise ValueError("sizes must have at least one size, got none")
    machine = " ".join(filter(None, [cases[0]["gpu"], processor()]))
    results = {
        "machine": machine,
        "cores": os.cpu_count(),
        "load_before": load,
        "versions": {x: _version(x) for x in ("tensorflow", "keras", "torch")}
        | {"python": platform.python_version()},
        "date": datetime.date.today().isoformat(),
        "command": command,
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
    out = Path(out) if out else _default_path(cases[0]["gpu"] or processor())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{table(results)}\n{out}")
    return results


def _default_path(machine):
    from sagan_lib import shipped

    slug = re.sub(r"\((r|tm)\)", "", machine.lower())
    slug = re.sub(r"[^a-z0-9]+", "_", slug).strip("_")
    return shipped.folder() / "results" / f"bench_{slug}.json"


def table(results):
    """The results as text: a row for each size and contender."""
    head = ("size", "contender", "ms/step", "images/s", "time/ours", "of peak", "MiB", "parameters")
    rows = [head]
    for each in results["cases"]:
        for name, x in each["contenders"].items():
            if "failed" in x:
                rows.append((each["size"], name, x["failed"]))
                continue
            ratio = f"{x['time_over_ours']:.2f}" if "time_over_ours" in x else "-"
            rows.append((
                each["size"], name, f"{1e3 * x['median_s']:.1f}", f"{x['images_per_s']:.1f}", ratio,
                f"{x['share_of_matmul_peak']:.2f}", f"{x['peak_memory_mib']:.0f}",
                str(x["parameters"]),
            ))  # fmt: skip
    lines = [f"{r[0]:7} {r[1]:18} " + "".join(f"{c:>11}" for c in r[2:]) for r in rows]
    for each in results["cases"]:
        for variant, x in each["attention"].items():
            line = f"{each['size']:7} attention ({variant}): floor {1e3 * x['floor_s']:.1f} ms"
            if "extra_s" in x:
                line += f", measured {1e3 * x['extra_s']:.1f} ms, {x['extra_over_floor']:.1f} times"
            lines.append(line)
    return "\n".join(lines)


def figure(results):
    """A matplotlib figure: images a second of each contender, one panel for each size."""
    import matplotlib.pyplot as plt

    from sagan_lib.plots import COLOURS

    cases = results["cases"]
    most = max(len(each["contenders"]) for each in cases)
    figure, axes = plt.subplots(
        1, len(cases), figsize=(2.6 * len(cases) + 1, 0.28 * most + 1.1), sharey=True, squeeze=False
    )
    for axis, each in zip(axes[0], cases, strict=True):
        names = list(each["contenders"])
        heights = [each["contenders"][name].get("images_per_s", 0) for name in names]
        colours = [COLOURS[0] if name.startswith("ours") else COLOURS[4] for name in names]
        axis.barh(names, heights, color=colours)
        axis.bar_label(axis.containers[0], [f"{h:.0f}" if h else "not run" for h in heights],
                       padding=2, fontsize=8)  # fmt: skip
        axis.margins(x=0.2)
        axis.set_title(f"{each['resolution']} px, width {each['width']}", fontsize=10)
        axis.set_xlabel("images/s")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].invert_yaxis()
    figure.tight_layout()
    return figure
