"""The figures of fair trials: where rates are good, and what was answered."""

import textwrap

import numpy as np

from sagan_experiments import trials, verdicts, ways
from sagan_experiments.answers import FAR
from sagan_lib import checks
from sagan_lib.book.plots import COLOURS

#: What a way is called in a figure.
TITLES = {"sn": "SN, hinge", "none": "no SN, hinge", "r1": "R1, cross-entropy", "dcgan": "DCGAN"}
#: The colour of each verdict.
VERDICTS = dict(zip(verdicts.VERDICTS, (COLOURS[2], COLOURS[1], "0.45", COLOURS[3], COLOURS[0]),
                    strict=True))  # fmt: skip
#: Height of a line of a sentence in a forest, and what a row has below its sentence, in inches.
LINE, GAP = 0.15, 0.45


def rate_maps(store, names=tuple(ways.WAYS), width=7.0, seeds=trials.TUNING[:1]):
    """Quality over both rates: one panel for each way, with the Fréchet distance in each cell.

    Args:
        store: of `trials.open_store`, with the whole grids of all ways.
        names: of `ways.WAYS`: which are drawn.
        width: of the figure in inches.
        seeds: over which each cell is a geometric mean.

    Returns:
        A matplotlib `Figure`. A frame marks the pairs that are good, as `trials.good_share` has it.

    Raises:
        ValueError: a grid is not whole.
    """
    import matplotlib.pyplot as plt

    shares, edge = trials.good_share(store, seeds), trials.good_edge(store, seeds)
    grids = [trials.grid(name, store, seeds) for name in names]
    low, count = edge - np.log(trials.GOOD), len(ways.RATES)
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    size = (width, 0.93 * width / columns * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat[len(names) :]:
        axis.axis("off")
    for axis, name, grid in zip(axes.flat, names, grids, strict=False):
        axis.imshow(grid, cmap="cividis_r", vmin=low, vmax=low + np.log(20), origin="lower")
        for (row, column), value in np.ndenumerate(grid):
            bright = not np.isfinite(value) or value < low + np.log(20) * 0.6
            text = f"{np.exp(value):.0f}" if np.isfinite(value) else "-"
            axis.text(column, row, text, ha="center", va="center", fontsize=9,
                      color="black" if bright else "white")  # fmt: skip
            if value <= edge:
                axis.add_patch(plt.Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False,
                                             lw=1.8, ec=COLOURS[1]))  # fmt: skip
        labels = [f"{1e4 * rate:g}" for rate in ways.RATES]
        axis.set(xticks=range(count), xticklabels=labels, yticks=range(count), yticklabels=labels)
        axis.set_title(f"{TITLES[name]}: {100 * shares[name]:.0f} % good", fontsize=10)
    for axis in axes.flat[: len(names)][-columns:]:
        axis.set_xlabel("rate of D, x 1e-4")
    for axis in axes[:, 0]:
        axis.set_ylabel("rate of G, x 1e-4")
    return figure


def curves(store, names=tuple(trials.PILOT), width=6.4):
    """The Fréchet distance over training steps, one line for each trial; both axes logarithmic.

    Args:
        store: of `ledger.open_store`, such as the pilot's.
        names: of `ways.TRIALS`, whose first tuning seed is stored.
        width: of the figure in inches.

    Returns:
        A matplotlib `Figure`; a way's second line is dashed.

    Raises:
        ValueError: a trial was not run.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullLocator

    figure, axis = plt.subplots(figsize=(width, 0.55 * width), layout="constrained")
    colours = dict(zip(ways.WAYS, COLOURS, strict=False))
    seen = set()
    for name in names:
        runs, way = store.seeds("arms", name), name.partition("@")[0]
        if trials.TUNING[0] not in runs:
            raise ValueError(f"names must have been run, got {name!r} without")
        g_rate, d_rate = (f"{1e4 * rate:g}" for rate in ways.rates_of(name))
        axis.plot(*zip(*runs[trials.TUNING[0]]["curve"], strict=True), color=colours[way],
                  ls="--" if way in seen else "-", lw=1.6,
                  label=f"{TITLES[way]}: {g_rate} and {d_rate}")  # fmt: skip
        seen.add(way)
    axis.set(xscale="log", yscale="log", xlabel="training step", ylabel="Fréchet distance")
    ticks = [store.protocol.steps // 2**k for k in range(6)]
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=8, title="rates of G and D, x 1e-4", title_fontsize=8)
    return figure


def forest(answers, width=3.3):
    """What was answered: a row for each question, its sentence above its seeds.

    The axis counts limits: between -1 and 1 no difference is worth naming, and to the right the
    sentence is right.

    Args:
        answers: {name: `verdicts.Answer`}, each with all seeds of a look.
        width: of the figure in inches; as it is, a phone shows it whole.

    Returns:
        A matplotlib `Figure`: a dot for each seed, a bar for the interval of the mean, the verdict
        in a word and its colour.

    Raises:
        ValueError: no answer, or one without a look.
    """
    import matplotlib.pyplot as plt

    checks.integer("number of answers", len(answers), 1)
    for name, answer in answers.items():
        if not answer.whole:
            raise ValueError(f"answers must have all seeds of a look, got {name!r} without")
    said = [textwrap.wrap(each.question.answer, round(12 * width)) for each in answers.values()]
    tops = np.cumsum([0, *(LINE * len(lines) + GAP for lines in said)])  # in inches, downwards
    size = (width, tops[-1] + 0.5)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    axis.axvspan(-1, 1, color="0.92", lw=0)
    axis.axvline(0, color="0.4", lw=0.8)
    for top, lines, answer in zip(tops, said, answers.values(), strict=False):
        axis.text(-FAR - 0.3, top, "\n".join(lines), fontsize=9, va="top")
        _forest_row(axis, top + LINE * len(lines) + 0.13, answer)
    axis.set(xlim=(-FAR - 0.3, FAR + 0.3), ylim=(tops[-1], -0.05), yticks=[],
             xticks=range(-FAR, FAR + 1))  # fmt: skip
    axis.set_xlabel("effect, in smallest differences worth naming", fontsize=9)
    for side in ("left", "right", "top"):
        axis.spines[side].set_visible(False)
    return figure


def _forest_row(axis, row, answer):
    limit, colour = answer.question.limit, VERDICTS[answer.verdict]
    if np.isfinite(answer.low):
        ends = np.clip(np.array([answer.low, answer.high]) / limit, -FAR, FAR)
        axis.plot(ends, [row] * 2, lw=6, color=colour, alpha=0.5, solid_capstyle="butt")
    values = np.array(list(answer.values.values())) / limit
    inside = np.abs(values) <= FAR
    axis.plot(values[inside], np.full(inside.sum(), row), "o", ms=3.5, color=colour)
    for beyond in values[~inside]:
        axis.plot(np.sign(beyond) * (FAR + 0.15), row, ">" if beyond > 0 else "<", ms=5,
                  color=colour)  # fmt: skip
    told = answer.shown(answer.mean) if np.isfinite(answer.mean) else str(answer)
    axis.text(FAR + 0.3, row + 0.08, f"{answer.verdict}: {told}", fontsize=9, va="top",
              ha="right", color=colour, weight="bold")  # fmt: skip
