"""The results of the benchmark as text and as a figure."""

#: The other ways, as a user gets them who sets nothing, and tuned.
AS_THEY_COME = ("keras_default", "article_default", "torch", "torch_compile")
TUNED = ("keras", "article", "torch_tuned", "torch_compile")


def newest(results):
    """The latest of several results; a tie is refused, because then nothing says which is meant.

    Args:
        results: what `bench.run` wrote, one for each machine.

    Raises:
        ValueError: none, or two of the latest date.
    """
    dates = sorted((each["provenance"]["date"] for each in results), reverse=True)
    if not dates or dates[0] in dates[1:]:
        machines = [each["machine"] for each in results]
        raise ValueError(f"one result must be the newest, got {dates} of {machines}; remove one")
    return next(each for each in results if each["provenance"]["date"] == dates[0])


def largest(result):
    """The case of a result whose step takes the most operations."""
    return max(result["cases"], key=lambda case: case["counts"]["article"]["step_flops"])


def best(case, names):
    """(name, its time over ours) of the fastest of some contenders; None if none was measured.

    Args:
        case: one of a result's "cases".
        names: of contenders.
    """
    found = {n: case["contenders"].get(n, {}).get("time_over_ours") for n in names}
    found = {n: ratio for n, ratio in found.items() if ratio}
    return min(found.items(), key=lambda each: each[1]) if found else None


def against(result):
    """A Markdown table: at each size the best of the others, and what attention adds.

    Args:
        result: what `bench.run` wrote.
    """
    lines = [
        "| pixels x width | best of the others as they come | best of them tuned "
        "| attention's extra time over its bound |",
        "|---|---|---|---|",
    ]
    for case in result["cases"]:
        pairs = [best(case, AS_THEY_COME), best(case, TUNED)]
        cells = [f"{p[0]}: {p[1]:.2f} times ours" if p else "not measured" for p in pairs]
        over = case["attention"][case["variant"]].get("extra_over_bound")
        cells.append(f"{over:.1f}" if over else "not measured")
        lines.append(f"| {case['size']} | {' | '.join(cells)} |")
    return "\n".join(lines)


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
            line = f"{each['size']:7} attention ({variant}): bound {1e3 * x['bound_s']:.1f} ms"
            if "extra_s" in x:
                line += f", measured {1e3 * x['extra_s']:.1f} ms, {x['extra_over_bound']:.1f} times"
            lines.append(line)
    return "\n".join(lines)


def figure(results):
    """A matplotlib figure: images a second of each contender, one panel for each size."""
    import matplotlib.pyplot as plt

    from sagan_lib.book.plots import COLOURS

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
