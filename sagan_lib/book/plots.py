"""Figures of the book: picture grids, curves over training, attention laid over a picture."""

import numpy as np

from sagan_lib import checks
from sagan_lib.datasets.source import as_images, to_bytes

#: Colours that stay apart for colour-blind readers and in grey (Okabe and Ito, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def grid(images, columns=8, gap=2):
    """Tile images into one picture.

    Args:
        images: float (n, h, w, 3) in [-1, 1], or uint8.
        columns: pictures in a row.
        gap: white pixels between them.

    Returns:
        uint8 (height, width, 3); the last row is filled up with white.
    """
    images = to_bytes(as_images("images", images))
    checks.integer("columns", columns, 1)
    n, height, width, _ = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def save_grid(path, images, columns=8, zoom=3):
    """Write a grid as a PNG, without smoothing.

    Args:
        path: of the file.
        images: as in `grid`.
        columns: pictures in a row.
        zoom: how many times as large every pixel becomes.
    """
    from PIL import Image

    checks.integer("zoom", zoom, 1)
    sheet = Image.fromarray(grid(images, columns))
    sheet = sheet.resize((sheet.width * zoom, sheet.height * zoom), Image.Resampling.NEAREST)
    sheet.save(path)


def pictures(images, columns=8, titles=None, width=7.0):
    """A matplotlib figure of one grid, or of several side by side.

    Args:
        images: float (n, h, w, 3) in [-1, 1], or a list of such arrays.
        columns: pictures in a row.
        titles: one for each grid.
        width: of the figure in inches.

    Returns:
        The figure.

    Raises:
        ValueError: no grid, or another number of titles.
    """
    import matplotlib.pyplot as plt

    sets = images if isinstance(images, list | tuple) else [images]
    checks.integer("number of grids", len(sets), 1)
    if titles is not None and len(titles) != len(sets):
        raise ValueError(f"titles must be {len(sets)}, one for each grid, got {titles!r}")
    sheets = [grid(each, columns) for each in sets]
    height = width / len(sets) * max(s.shape[0] / s.shape[1] for s in sheets)
    extra = 0.3 if titles else 0.0
    figure, axes = plt.subplots(1, len(sets), figsize=(width, height + extra), squeeze=False)
    for index, (axis, sheet) in enumerate(zip(axes[0], sheets, strict=True)):
        axis.imshow(sheet, interpolation="nearest")
        axis.axis("off")
        if titles:
            axis.set_title(titles[index], fontsize=10)
    figure.tight_layout(pad=0.3)
    return figure


def curves(histories, names=("d_loss", "g_loss"), width=7.0):
    """One panel for each quantity, one line for each run, over training steps.

    Args:
        histories: {label: history dict with "step"}, at most six; runs without a quantity are
            left out of its panel.
        names: the quantities.
        width: of the figure in inches.
    """
    import matplotlib.pyplot as plt

    checks.integer("number of histories", len(histories), 1, len(COLOURS))
    shape = (width, width / max(len(names), 2) * 0.8)
    figure, axes = plt.subplots(1, len(names), figsize=shape, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for colour, (label, history) in zip(COLOURS, histories.items(), strict=False):
            if name in history:
                axis.plot(history["step"], history[name], color=colour, label=label)
        axis.set_xlabel("training step")
        axis.set_title(name.replace("_", " "), fontsize=10)
        axis.grid(alpha=0.3)
    if len(histories) > 1:
        axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    return figure


def seeds(results, width=7.0):
    """Every seed of several claims, one row a claim, as factors on a logarithmic axis.

    Args:
        results: {name: `ledger.Result`}; claims whose effect is no ratio are left out.
        width: of the figure in inches.

    Returns:
        The figure: a dot for each seed, a bar for the interval of the mean, a tick for the limit.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    shown = {n: r for n, r in results.items() if r.claim.ratio and r.claim.unit and r.seeds}
    checks.integer("number of claims with a ratio", len(shown), 1)
    figure, axis = plt.subplots(figsize=(width, 0.6 + 0.32 * len(shown)))
    for row, result in enumerate(shown.values()):
        if np.isfinite(result.low):
            interval = np.exp([result.low, result.high])
            axis.plot(interval, [row, row], lw=5, color=COLOURS[5], alpha=0.6)
        values = np.exp(result.counted)
        axis.plot(values, np.full(len(values), row), "o", ms=4, color=COLOURS[0])
        axis.plot(np.exp(result.claim.limit), row, "|", ms=14, mew=2, color=COLOURS[1])
    axis.axvline(1, color="black", lw=0.8)
    axis.set(xscale="log", xlabel="factor", yticks=range(len(shown)), yticklabels=list(shown))
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_ylim(len(shown) - 0.4, -0.6)  # the first row on top, all marks whole
    axis.grid(alpha=0.3, axis="x", which="both")
    figure.tight_layout()
    return figure


def ellipse(matrix, vectors, width=3.0):
    """A matplotlib figure of what a matrix makes of the unit circle, and of some vectors on it.

    Args:
        matrix: (2, 2).
        vectors: of length 1, each drawn fainter than the one after it.
        width: of the figure in inches.
    """
    import matplotlib.pyplot as plt

    angles = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    figure, axis = plt.subplots(figsize=(width, width))
    axis.plot(*circle, color=COLOURS[0], lw=1)
    axis.plot(*(np.asarray(matrix) @ circle), color=COLOURS[1], lw=1)
    for k, vector in enumerate(vectors, 1):
        alpha = k / len(vectors)
        for end, colour in ((vector, COLOURS[0]), (np.asarray(matrix) @ vector, COLOURS[1])):
            axis.plot(*zip((0, 0), end, strict=True), color=colour, alpha=alpha, lw=2)
    axis.set_aspect("equal")
    return figure


def overlay(image, weights, query, axis=None):
    """A picture with one row of its attention map laid over it.

    Args:
        image: float (h, w, 3) in [-1, 1].
        weights: (M,), where the query looks; M a square number.
        query: (row, column) of the query as fractions of the height and width, 0 to 1.
        axis: matplotlib axes, by default new ones.

    Returns:
        The axes. Bright places are looked at; the cross marks the query.
    """
    import matplotlib.pyplot as plt
    from PIL import Image

    side = round(len(weights) ** 0.5)
    if side * side != len(weights):
        raise ValueError(f"weights must be those of a square map, got {len(weights)} of them")
    axis = axis or plt.subplots(figsize=(2, 2))[1]
    h, w = image.shape[:2]
    heat = Image.fromarray(np.asarray(weights, np.float32).reshape(side, side))
    heat = np.asarray(heat.resize((w, h), Image.Resampling.NEAREST))
    heat = heat / max(float(heat.max()), 1e-12)
    grey = to_bytes(image).mean(-1, keepdims=True) / 255
    red = np.array([1.0, 0.25, 0.05])
    axis.imshow(np.clip(grey * 0.55 * (1 - heat[..., None]) + red * heat[..., None], 0, 1))
    axis.plot(query[1] * w - 0.5, query[0] * h - 0.5, "+", color="cyan", ms=9, mew=2)
    axis.axis("off")
    return axis
