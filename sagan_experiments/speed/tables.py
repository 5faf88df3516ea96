"""The results of the benchmark: which to look at, and as text."""


def newest(results):
    """The latest of several results; a ValueError if there is none, or two of one date.

    Args:
        results: what `bench.run` wrote, one for each machine.
    """
    dates = sorted((each["provenance"]["date"] for each in results), reverse=True)
    if not dates or dates[0] in dates[1:]:
        machines = [each["machine"] for each in results]
        raise ValueError(f"one result must be the newest, got {dates} of {machines}; remove one")
    return next(each for each in results if each["provenance"]["date"] == dates[0])


def largest(result):
    """The case of a result whose step takes the most operations."""
    return max(result["cases"], key=lambda case: case["counts"]["article"]["step_flops"])


def table(results):
    """The results as text: a row for each size and contender."""
    rows = [("size", "contender", "ms/step", "images/s", "time/ours", "of peak", "MiB",
             "parameters")]  # fmt: skip
    for each in results["cases"]:
        for name, x in each["contenders"].items():
            cells = [x["failed"]] if "failed" in x else [
                f"{1e3 * x['median_s']:.1f}", f"{x['images_per_s']:.1f}",
                f"{x['time_over_ours']:.2f}" if "time_over_ours" in x else "-",
                f"{x['share_of_matmul_peak']:.2f}", f"{x['peak_memory_mib']:.0f}",
                str(x["parameters"]),
            ]  # fmt: skip
            rows.append((each["size"], name, *cells))
    lines = [f"{r[0]:7} {r[1]:18} " + "".join(f"{c:>11}" for c in r[2:]) for r in rows]
    for each in results["cases"]:
        for variant, x in each["attention"].items():
            line = f"{each['size']:7} attention ({variant}): bound {1e3 * x['bound_s']:.1f} ms"
            if "extra_s" in x:
                line += f", measured {1e3 * x['extra_s']:.1f} ms, {x['extra_over_bound']:.1f} times"
            lines.append(line)
    return "\n".join(lines)
