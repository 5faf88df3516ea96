"""Chapters 2, 3 and 5: the normalized layer, attention, reach, the whole SAGAN."""

import draw
import numpy as np

from sagan_experiments import patches
from sagan_lib import dcgan, ttur
from sagan_lib.cli import recipes


def sn_layer():
    """A spectrally normalized layer."""
    d = draw.sheet()
    kernel = draw.box(d, "kernel\n(h, w, in, out)", (0, 0), w=3.2, h=1.1)
    matrix = draw.box(d, "matrix\n(h w in, out)", (4.6, 0), w=3, h=1.1)
    both = draw.box(d, "one round:\nu to v, v to u", (9, 0), "new", w=3, h=1.1)
    sigma = draw.box(d, "sigma", (13.4, 0), "new", w=1.8, h=1.1)
    kept = draw.box(d, "u of the step before", (10.5, 2.3), w=4, h=0.8, anchor="center")
    divided = draw.box(d, "kernel / sigma", (14.3, -2.4), w=3, h=0.9, anchor="center")
    layer = draw.box(d, "convolution", (10.2, -2.4), w=2.8, h=0.9, anchor="center")
    draw.arrow(d, kernel.E, matrix.W, "fold")
    draw.arrow(d, matrix.E, both.W)
    draw.arrow(d, both.E, sigma.W)
    draw.arrow(d, (kept.S.x - 0.5, kept.S.y), (both.N.x - 0.5, both.N.y))
    draw.arrow(d, (both.N.x + 0.5, both.N.y), (kept.S.x + 0.5, kept.S.y), "kept", loc="bottom")
    draw.arrow(d, sigma.S, divided.N)
    draw.path(d, [kernel.S, (kernel.S.x, -1.25), (13.6, -1.25), (13.6, divided.N.y)],
              dashed=False)  # fmt: skip
    draw.arrow(d, divided.W, layer.E)
    draw.arrow(d, (6.4, -2.4), layer.W, "input")
    draw.path(d, [layer.S, (layer.S.x, -3.7), (6.4, -3.7)], "output", dashed=False, loc="bottom")
    return d


def attention():
    """The attention module with its shapes."""
    d = draw.sheet()
    x = draw.box(d, "x\nN x C", (0, 0), w=1.6, h=1.1)
    rows = (("keys f\nN x C/8", 2.2, "new"), ("queries g\nN x C/8", 0, "new"),
            ("values h\nN x C", -2.2, "new"))  # fmt: skip
    f, g, h = (draw.box(d, text, (3.2, y), who, w=2.2, h=1.1) for text, y, who in rows)
    for each in (f, g, h):
        draw.arrow(d, x.E, each.W, "1x1" if each is g else "")
    scores = draw.box(d, "scores\nN x N", (7, 1.1), w=2, h=1.1)
    weights = draw.box(d, "map\nN x N", (11, 1.1), "new", w=2, h=1.1)
    mixed = draw.box(d, "o\nN x C", (14, -0.55), w=1.6, h=1.1)
    y = draw.box(d, "y = x + gamma o", (16.6, -0.55), w=3.4, h=1.1)
    draw.arrow(d, f.E, scores.W)
    draw.arrow(d, g.E, scores.W)
    draw.arrow(d, scores.E, weights.W, "softmax of\neach row")
    draw.arrow(d, weights.S, mixed.W)
    draw.arrow(d, h.E, mixed.W)
    draw.arrow(d, mixed.E, y.W)
    low = -3.3
    draw.path(d, [x.S, (x.S.x, low), (y.S.x, low), y.S], "x itself", dashed=False, loc="bottom")
    return d


def reach(resolution=32):
    """What a stack of strided convolutions sees, on a face, layer by layer."""
    d, unit = draw.sheet(), 9.0 / 32
    middle = resolution / 2

    def at(x, y):
        return (x * unit, (resolution - y) * unit)

    angles = np.linspace(0, 2 * np.pi, 49)
    draw.rectangle(d, (0, 0), resolution * unit, resolution * unit)
    for centre, radii in (((0, 0.05), (0.6, 0.75)), ((-0.28, 0.02), (0.12, 0.09)),
                          ((0.28, 0.02), (0.12, 0.09)), ((-0.28, 0.02), (0.05, 0.05)),
                          ((0.28, 0.02), (0.05, 0.05))):  # fmt: skip
        curve = [(middle * (1 + centre[0] + radii[0] * np.cos(a)),
                  middle * (1 + centre[1] + radii[1] * np.sin(a))) for a in angles]  # fmt: skip
        draw.shape(d, [at(*point) for point in curve])
    smile = [(middle * (1 + s), middle * (1.42 + 0.08 * np.cos(3 * s)))
             for s in np.linspace(-0.25, 0.25, 9)]  # fmt: skip
    draw.shape(d, [at(*point) for point in smile], filled=False, closed=False)
    eye = (middle * 0.72, middle * 1.02)
    for depth, who in ((1, "new"), (2, "g"), (3, "d")):
        field = patches.receptive_field(depth)
        left, top = (max(0, c - field / 2) for c in eye)
        right, bottom = (min(resolution, c + field / 2) for c in eye)
        corner = at(left, bottom)
        draw.rectangle(d, corner, (right - left) * unit, (bottom - top) * unit, who)
        draw.words(d, (resolution * unit + 0.5, (7.2 - 1.1 * depth)),
                   f"{depth} convolution{'s' * (depth > 1)}, 4x4, stride 2: {field} pixels", 13,
                   halign="left")  # fmt: skip
        draw.rectangle(d, (resolution * unit + 0.1, 7.05 - 1.1 * depth), 0.3, 0.3, who)
    apart = 0.56 * middle
    draw.words(d, (resolution * unit + 0.1, 2.4), f"the eyes are {apart:.0f} pixels apart", 13,
               halign="left")  # fmt: skip
    return d


def sagan():
    """The whole SAGAN of the article."""
    d, recipe = draw.sheet(), recipes.RECIPES["celeba128"]
    sides = [4, *dcgan.sides(recipe.resolution)]
    for row, (name, who, order) in enumerate((("G", "g", sides), ("D", "d", sides[::-1]))):
        y, x = -3.0 * row, 0.0
        draw.words(d, (x - 0.4, y), "noise z" if who == "g" else "image", 12, halign="right")
        for side in order:
            draw.arrow(d, (x - 0.2, y), (x + 0.4, y))
            draw.box(d, f"{side}x{side}", (x + 0.4, y), who, w=1.8, h=0.9)
            x += 2.4
            if side == recipe.attention_at:
                draw.arrow(d, (x - 0.2, y), (x + 0.4, y))
                draw.box(d, "attention", (x + 0.4, y), "new", w=2, h=0.9)
                x += 2.6
        draw.arrow(d, (x - 0.2, y), (x + 0.4, y))
        draw.words(d, (x + 0.6, y), "image" if who == "g" else "score", 12, halign="left")
        draw.words(d, (x / 2, y - 0.9), _about(name, recipe), 12)
    return d


def _about(name, recipe):
    preset = ttur.PRESETS[recipe.rates]
    rate = preset.g_rate if name == "G" else preset.d_rate
    inside = "batch normalization, ReLU" if name == "G" else "leaky ReLU"
    return f"{name}: spectral normalization in every layer, {inside}; hinge loss; rate {rate:g}"


def slopes():
    """Three scores over a line from fake to real: no bound, bounded layers, flat at the real."""
    d, x = draw.sheet(), np.linspace(-1, 1, 81)
    curves = (
        ("no bound", np.tanh(40 * x), "flat, then a cliff"),
        ("SN", 0.8 * x, "every layer bounded"),
        ("R1", np.where(x < 0.6, 0.9 - 0.7 * (x - 0.6) ** 2, 0.9), "flat at real images"),
    )
    for k, (title, y, note) in enumerate(curves):
        left = 5.6 * k
        draw.arrow(d, (left, -1.3), (left + 4.4, -1.3))
        draw.arrow(d, (left, -1.3), (left, 1.6))
        points = np.stack([left + 2.1 + 1.9 * x, 1.1 * y], 1)
        draw.shape(d, points, "d", filled=False, closed=False)
        for place, label in ((0.5, "fake"), (3.7, "real")):
            draw.words(d, (left + place, -1.7), label)
        draw.words(d, (left + 2.1, 2.0), f"{title}: {note}", 12)
    draw.words(d, (-0.35, 1.4), "D")
    return d


DIAGRAMS = {
    "sn_layer": sn_layer, "attention": attention, "reach": reach, "sagan": sagan,
    "slopes": slopes,
}  # fmt: skip
