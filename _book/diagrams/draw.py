"""One style for the diagrams: boxes and arrows by schemdraw, as SVG that takes the page's colours.

Lines and words are in `currentColor`, so that a diagram inside a page follows its theme. A box of
one player has that player's colour as its edge and, thin, as its ground.
"""

import itertools
import re

import schemdraw
from schemdraw import elements, flow
from schemdraw.segments import SegmentPoly

INK = "#010203"  # what stands for the page's own colour, which schemdraw does not know
#: The players' colours (Okabe and Ito, 2008, as in the figures), of what is new, and of the rest.
COLOURS = {"g": "#0072B2", "d": "#D55E00", "new": "#009E73", "plain": INK}
TINTS = {who: colour[:-1] + "7" for who, colour in COLOURS.items()}  # stand for thin ones
SMALL = 11


def sheet():
    """An empty drawing; a unit is 36 points."""
    schemdraw.use("svg")
    schemdraw.svgconfig.text = "text"
    return schemdraw.Drawing(show=False, color=INK, fontsize=13, font="sans-serif", lw=1.6, unit=1)


def box(d, words, at, who="plain", w=2.2, h=1.0, anchor="W"):
    """A box with words in it; `at` is the point of its `anchor`. Returns the element."""
    element = flow.Box(w=w, h=h).anchor(anchor).at(at).color(COLOURS[who]).fill(TINTS[who])
    return d.add(element.label(words, color=INK))


def arrow(d, start, end, words="", who="plain", dashed=False, loc="top"):
    """An arrow between two points or anchors, with words beside it."""
    element = elements.Arrow().at(start).to(end).color(COLOURS[who])
    if dashed:
        element = element.linestyle("--")
    if words:
        element = element.label(words, loc=loc, fontsize=SMALL, color=INK, ofst=0.12)
    return d.add(element)


def path(d, points, words="", who="plain", dashed=True, loc="top"):
    """A line through points that ends in an arrow; the words stand beside its middle part."""
    middle = max(len(points) // 2 - 1, 0)
    for k, (start, end) in enumerate(itertools.pairwise(points)):
        last = k == len(points) - 2
        element = (elements.Arrow() if last else elements.Line()).at(start).to(end)
        element = element.color(COLOURS[who]).linestyle("--" if dashed else "-")
        if k == middle and words:
            element = element.label(words, loc=loc, fontsize=SMALL, color=INK, ofst=0.12)
        d.add(element)


def words(d, at, text, size=SMALL, halign="center", valign="center"):
    """Words at a point."""
    label = elements.Label().at(at)  # which schemdraw takes for a box with a side of 0.2
    label = label.label(text, fontsize=size, halign=halign, valign=valign, ofst=-0.1)
    return d.add(label.color(INK))


def shape(d, points, who="plain", filled=True, dashed=False, closed=True):
    """A polygon, or an open line, through points."""
    element = elements.Element()
    element.segments.append(SegmentPoly(
        [tuple(map(float, point)) for point in points], closed=closed, color=COLOURS[who],
        fill=TINTS[who] if filled else None, lw=1.2, ls="--" if dashed else "-",
    ))  # fmt: skip
    return d.add(element.at((0, 0)).theta(0))


def rectangle(d, corner, w, h, who="plain", filled=True, dashed=False):
    """A rectangle from its lower left corner."""
    x, y = corner
    return shape(d, [(x, y), (x + w, y), (x + w, y + h), (x, y + h)], who, filled, dashed)


def svg(d):
    """The drawing's SVG: it scales with the page, and says nothing of the program that drew it."""
    text = d.get_imagedata("svg").decode()
    width = float(re.search(r'viewBox="\S+ \S+ (\S+) ', text)[1])
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" style="width:100%;max-width:{width * 1.2:.0f}px"'
    )
    text = re.sub(r"<svg .*?(?= viewBox=)", head, text, count=1)
    for who, colour in COLOURS.items():
        thin = "none" if who == "plain" else f"{colour}26"
        text = re.sub(TINTS[who], thin, text, flags=re.IGNORECASE)
    text = re.sub(INK, "currentColor", text)
    text = re.sub(r"-?\d+\.\d{5,}", lambda m: f"{float(m[0]):.2f}", text)  # alike on all machines
    text = text.replace('font-family="sans"', 'font-family="sans-serif"')
    return text.replace("stroke-dasharray:-;", "") + "\n"
