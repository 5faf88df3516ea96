"""Diagrams stand in a page as SVG of its own, not as pictures, so that they take its colours."""

import html
from pathlib import Path

from docutils import nodes

FOLDER = "_book/static/diagrams/"


def inline(svg, alt):
    """An SVG for a page: one picture to a screen reader, with these words.

    Args:
        svg: its text.
        alt: what it shows, in words.

    Raises:
        ValueError: there are none.
    """
    if not alt:
        raise ValueError("a diagram needs words that say what it shows (:alt:)")
    label = html.escape(alt, quote=True)
    return svg.strip().replace("<svg ", f'<svg role="img" aria-label="{label}" class="diagram" ', 1)


def _replace(app, doctree, docname):
    if app.builder.format != "html":
        return
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].startswith(FOLDER):
            text = (Path(app.srcdir) / image["uri"]).read_text()
            image.replace_self(nodes.raw("", inline(text, image.get("alt")), format="html"))


def setup(app):
    app.connect("doctree-resolved", _replace)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
