"""The results of the benchmark as text and as a figure."""

#: The other ways, as a user gets them who sets nothing, and tuned.
AS_THEY_COME = ("keras_default", "article_default", "torch", "torch_compile")
TUNED = ("keras", "article", "torch_tuned", "torch_compile")


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


def _best(case, names):
    """The fastest of some contenders, in words."""
    found = {n: case["contenders"].get(n, {}).get("time_over_ours") for n in names}
    ratio, name = min(((ratio, n) for n, ratio in found.items() if ratio), default=(0, ""))
    return f"{name}: {ratio:.2f} times ours" if name else "not measured"


def against(result):
    """A Markdown table: at each size the best of the others, and what attention adds.

    Args:
        result: what `bench.run` wrote.
    """
    head = ("pixels x width", "best of the others as they come", "best of them tuned",
            "attention's extra time over its bound")  # fmt: skip
    rows = [head, ["---"] * len(head)]
    for case in result["cases"]:
        over = case["attention"]["article"].get("extra_over_bound")
        rows.append((case["size"], _best(case, AS_THEY_COME), _best(case, TUNED),
                     f"{over:.1f}" if over else "not measured"))  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


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


def figure(results):
    """A matplotlib figure: images a second of each contender, one panel for each size."""
    import matplotlib.pyplot as plt

    from sagan_lib.book.plots import COLOURS

    cases = results["cases"]
    size = 2.6 * len(cases) + 1, 0.28 * max(len(each["contenders"]) for each in cases) + 1.1
    figure, axes = plt.subplots(1, len(cases), figsize=size, sharey=True, squeeze=False)
    for axis, each in zip(axes[0], cases, strict=True):
        heights = [x.get("images_per_s", 0) for x in each["contenders"].values()]
        colours = [COLOURS[0 if name.startswith("ours") else 4] for name in each["contenders"]]
        axis.barh(list(each["contenders"]), heights, color=colours)
        axis.bar_label(axis.containers[0], [f"{h:.0f}" if h else "not run" for h in heights],
                       padding=2, fontsize=8)  # fmt: skip
        axis.margins(x=0.2)
        axis.set_title(f"{each['resolution']} px, width {each['width']}", fontsize=10)
        axis.set_xlabel("images/s")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].invert_yaxis()
    figure.tight_layout()
    return figure
