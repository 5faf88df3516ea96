"""The results of the benchmark as text and as a figure."""


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
