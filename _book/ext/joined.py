"""What no line should part: a number and its per cent sign, a formula and the comma after it."""

import re

from docutils import nodes

#: After a digit, or at the start: the number before may be glued, in a node of its own.
GAP = re.compile(r"(?:(?<=\d)|^) (?=%)")
#: What stands right after a formula, and right before it.
AFTER, BEFORE = re.compile(r"\S+"), re.compile(r"[(\[“‘]+$")
KEPT = nodes.FixedTextElement | nodes.literal | nodes.math


def joined(text):
    """The text with a space before each per cent sign at which no line ends.

    Args:
        text: of one node.
    """
    return GAP.sub("\N{NO-BREAK SPACE}", text)


def _taken(text, pattern):
    """(the part of a text node that matches, the node without it)."""
    found = pattern.search(text) if pattern is BEFORE else pattern.match(text)
    part = found[0] if found else ""
    rest = text[: len(text) - len(part)] if pattern is BEFORE else text[len(part) :]
    return part, nodes.Text(rest)


def wrap(formula):
    """Put a formula, and what touches it, into a span that no line parts; see `book.css`.

    Args:
        formula: a `nodes.math`; its parent is changed.
    """
    parent = formula.parent
    place, pieces = parent.index(formula), [formula]
    if place + 1 < len(parent) and isinstance(parent[place + 1], nodes.Text):
        part, parent[place + 1] = _taken(parent[place + 1], AFTER)
        pieces += [nodes.Text(part)] if part else []
    if place and isinstance(parent[place - 1], nodes.Text):
        part, parent[place - 1] = _taken(parent[place - 1], BEFORE)
        pieces[:0] = [nodes.Text(part)] if part else []
    if len(pieces) > 1:
        parent[place] = nodes.inline("", "", *pieces, classes=["joined"])


def _join(app, doctree, page):
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, KEPT) and GAP.search(text):
            text.parent.replace(text, nodes.Text(joined(text)))
    for formula in list(doctree.findall(nodes.math)):
        wrap(formula)


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-resolved", _join)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
