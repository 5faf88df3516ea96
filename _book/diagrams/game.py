"""Chapters 1, 4, 7, 8: game, DCGAN, transposed convolution, gradients, time, labels, changes."""

import itertools

import draw

from sagan_lib import dcgan


def game():
    """The game as a loop."""
    d = draw.sheet()
    z = draw.box(d, "noise z", (0, 0))
    g = draw.box(d, "generator G", (3.3, 0), "g", w=3)
    fake = draw.box(d, "generated\nimage", (7.4, 0))
    real = draw.box(d, "real\nimage", (7.4, -2.2))
    net = draw.box(d, "discriminator D", (11, -1.1), "d", w=3.4)
    score = draw.box(d, "score:\nreal?", (15.6, -1.1), w=1.9)
    for start, end in ((z.E, g.W), (g.E, fake.W), (net.E, score.W)):
        draw.arrow(d, start, end)
    draw.arrow(d, fake.E, (net.W.x, net.W.y + 0.25))
    draw.arrow(d, real.E, (net.W.x, net.W.y - 0.25))
    top, bottom = 1.5, -3.4
    draw.path(d, [score.N, (score.N.x, top), (g.N.x, top), g.N],
              "G learns: make the score of my images high", "g")  # fmt: skip
    draw.path(d, [score.S, (score.S.x, bottom), (net.S.x, bottom), net.S],
              "D learns: tell them apart", "d", loc="bottom")  # fmt: skip
    return d


def networks(resolution=32, width=16):
    """G and D of DCGAN, with the sizes of their maps."""
    d, x = draw.sheet(), 0.0

    def block(side, channels, who, note):
        nonlocal x
        height, thick = 0.5 + 0.13 * side, 0.25 + 0.012 * channels
        draw.rectangle(d, (x, -height / 2), thick, height, who)
        draw.words(d, (x + thick / 2, -3.0), f"{side}x{side}\nx {channels}")
        x += thick
        if note:
            draw.arrow(d, (x + 0.12, 0), (x + 1.0, 0), note)
            x += 1.15

    draw.words(d, (x - 0.5, 0), "z", 14)
    draw.arrow(d, (x - 0.2, 0), (x + 0.6, 0), "dense")
    x += 0.8
    sides = [4, *dcgan.sides(resolution)]
    for side in sides[:-1]:
        block(side, dcgan.channels_at(resolution, side, width), "g", "up")
    block(resolution, 3, "plain", "down")
    for side in dcgan.down_sides(resolution):
        last = side == 4
        channels = dcgan.channels_at(resolution, side, width)
        block(side, channels, "d", "dense" if last else "down")
    draw.words(d, (x + 0.5, 0), "score", 13)
    draw.words(d, (3.4, 3.0), "generator: sides double, channels halve", 13)
    draw.words(d, (x - 3.6, 3.0), "discriminator: the way back", 13)
    return d


def transposed(kernel=4, stride=2, side=2):
    """A transposed convolution, stamp by stamp."""
    d, cell, whole = draw.sheet(), 0.42, (side - 1) * stride + kernel
    steps = [(i, j) for i in range(side) for j in range(side)]
    for k, (i, j) in enumerate(steps):
        left = k * (whole * cell + 0.9)
        _grid(d, left, 0, whole, cell)
        for row, column in steps[: k + 1]:
            corner = (left + column * stride * cell, (whole - row * stride - kernel) * cell)
            draw.rectangle(d, corner, kernel * cell, kernel * cell, "g")
        small = 0.3
        _grid(d, left, whole * cell + 0.35, side, small)
        draw.rectangle(d, (left + j * small, whole * cell + 0.35 + (side - 1 - i) * small),
                       small, small, "new")  # fmt: skip
        draw.words(d, (left + side * small + 0.2, whole * cell + 0.35 + side * small / 2),
                   f"input pixel {k + 1}", halign="left")  # fmt: skip
    edge = (whole - side * stride) // 2 * cell
    draw.rectangle(d, (left + edge, edge), side * stride * cell, side * stride * cell, "d",
                   filled=False, dashed=True)  # fmt: skip
    draw.words(d, (left + whole * cell / 2, -0.4), "dashed: the output that is kept")
    return d


def _grid(d, x, y, count, cell):
    for k in range(count + 1):
        draw.shape(d, [(x, y + k * cell), (x + count * cell, y + k * cell)], closed=False)
        draw.shape(d, [(x + k * cell, y), (x + k * cell, y + count * cell)], closed=False)


def gradients():
    """Which network each gradient reaches."""
    d = draw.sheet()
    for row, (title, who, loss) in enumerate(
        (("D's step", "d", "loss of D"), ("G's step", "g", "loss of G"))
    ):
        y = -3.4 * row
        draw.words(d, (-0.2, y), title, 13, halign="right")
        z = draw.box(d, "z", (0.2, y), w=1)
        g, net = (
            draw.box(d, f"{player.upper()}\nmoves", (x, y), player, w=2) if player == who
            else draw.box(d, f"{player.upper()}\nstays", (x, y), w=2)
            for player, x in (("g", 2.2), ("d", 6.2))
        )  # fmt: skip
        end = draw.box(d, loss, (10.2, y), w=2.2)
        for start, stop, note in ((z.E, g.W, ""), (g.E, net.W, "fake"), (net.E, end.W, "score")):
            draw.arrow(d, start, stop, note)
        low = y - 1.15
        if who == "d":
            real = draw.box(d, "real", (7.2, y + 1.6), w=1.4, h=0.7, anchor="S")
            draw.arrow(d, real.S, net.N)
            draw.path(d, [end.S, (end.S.x, low), (net.S.x, low), net.S], "gradient", "d",
                      loc="bottom")  # fmt: skip
        else:
            draw.path(d, [end.S, (end.S.x, low), (g.S.x, low), g.S],
                      "gradient: through D, to G", "g", loc="bottom")  # fmt: skip
    return d


def time_scales():
    """Five steps of D for one of G, and two rates: every bar is an update, its height the rate."""
    d = draw.sheet()
    rows = (("five steps of D", [("d", 0.5)] * 5 + [("g", 0.5)], 0.0),
            ("two time scales", [("d", 2.0), ("g", 0.5)], -3.2))  # fmt: skip
    for title, pattern, y in rows:
        x = 0.0
        draw.words(d, (-0.3, y + 0.4), title, 13, halign="right")
        while x < 12 * 0.8 - 1e-6:
            who, height = pattern[round(x / 0.8) % len(pattern)]
            draw.rectangle(d, (x, y), 0.6, height, who)
            draw.words(d, (x + 0.3, y + height / 2), who.upper())
            x += 0.8
        draw.arrow(d, (-0.2, y - 0.12), (x + 0.3, y - 0.12))
        updates = sum(pattern[k % len(pattern)][0] == "g" for k in range(12))
        draw.words(d, (x + 0.5, y + 0.4), f"{updates} updates of G\namong 12", halign="left")
    return d


def labels():
    """A label's ways into G, above, and into D, below."""
    d = draw.sheet()
    z = draw.box(d, "z", (0, 0), w=1)
    join = draw.box(d, "join", (2, 0), w=1.3)
    row = [join]
    for x, text, who, w in ((4.4, "layer", "g", 1.6), (7, "normalize", "new", 2.3),
                            (10.3, "layer", "g", 1.6), (12.9, "normalize", "new", 2.3),
                            (16.2, "image", "plain", 1.6)):  # fmt: skip
        row.append(draw.box(d, text, (x, 0), who, w=w))
    label, low = draw.box(d, "label y", (7.1, -2.5), w=2.1), -2.5
    for start, end in itertools.pairwise([z, *row]):
        draw.arrow(d, start.E, end.W)
    draw.path(d, [label.W, (join.S.x, low), join.S], "joined to z", loc="bottom")
    draw.arrow(d, label.N, row[2].S, "gain, offset", "new")
    draw.path(d, [label.E, (row[4].S.x, low), row[4].S], "gain, offset", "new", dashed=False,
              loc="bottom")  # fmt: skip
    y = -5.6
    image = draw.box(d, "image", (-0.6, y), w=1.6)
    join, layers, phi, psi, plus, score = (
        draw.box(d, text, (x, y), who, w=w)
        for x, text, who, w in ((2, "join", "plain", 1.3), (4.4, "layers", "d", 1.9),
                                (7.4, "features φ", "plain", 2.4), (10.9, "ψ · φ", "d", 1.9),
                                (14, "+", "plain", 0.9), (16.2, "score", "plain", 1.6))
    )  # fmt: skip
    for start, end in itertools.pairwise((image, join, layers, phi, psi, plus, score)):
        draw.arrow(d, start.E, end.W)
    low = y - 2.5
    label = draw.box(d, "label y", (5.0, low), w=2.1)
    product = draw.box(d, "yV · φ", (10.9, low), "new", w=1.9)
    draw.path(d, [label.W, (join.S.x, low), join.S], "at every pixel", loc="bottom")
    draw.arrow(d, label.E, product.W, "row of V", "new", loc="bottom")
    middle = y - 1.25
    draw.path(d, [phi.S, (phi.S.x, middle), (product.N.x, middle), product.N], dashed=False)
    draw.path(d, [product.E, (plus.S.x, low), plus.S], who="new", dashed=False)
    return d


def augment():
    """Where pictures are changed on their way to D, and how the gradient comes back."""
    d = draw.sheet()
    z = draw.box(d, "z", (0, 0), w=1)
    g = draw.box(d, "G", (2, 0), "g", w=1.4)
    fake = draw.box(d, "generated", (4.6, 0), w=2.4)
    real = draw.box(d, "real", (4.6, -2.2), w=2.4)
    changed = [draw.box(d, "changed", (8.6, y), "new", w=2.2) for y in (0, -2.2)]
    net = draw.box(d, "D", (12.6, -1.1), "d", w=1.4)
    score = draw.box(d, "score", (15.3, -1.1), w=1.7)
    for start, end in ((z.E, g.W), (g.E, fake.W), (fake.E, changed[0].W), (real.E, changed[1].W),
                       (net.E, score.W)):  # fmt: skip
        draw.arrow(d, start, end)
    for box, side in zip(changed, (0.25, -0.25), strict=True):
        draw.arrow(d, box.E, (net.W.x, net.W.y + side))
    top = 1.5
    draw.path(d, [(score.N.x, score.N.y), (score.N.x, top), (g.N.x, top), g.N],
              "the gradient of G's loss comes back through the change", "g")  # fmt: skip
    return d


DIAGRAMS = {
    "game": game, "networks": networks, "transposed": transposed, "gradients": gradients,
    "time_scales": time_scales, "labels": labels,
    "augment": augment,
}  # fmt: skip
