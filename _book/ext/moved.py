"""Old addresses lead on: where a page went, a small file leads to what has its place."""

from pathlib import Path

#: Old page -> new one, with a place on it if need be. A page that is still built stays.
MOVED = {
    "chapters/errata": "chapters/00_intro.html#where-this-book-comes-from",
    "chapters/94_two_scales": "chapters/00_intro.html#how-to-read-it",
}
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>This page has moved</title>'
    '<meta http-equiv="refresh" content="0; url={to}"><link rel="canonical" href="{to}">'
    '<p>This page has moved: <a href="{to}">{to}</a></p></html>\n'
)


def write(folder, pages, moved=MOVED):
    """Write a file for each page that went and whose new one is there.

    Args:
        folder: of the built pages.
        pages: names of those that were built, such as "chapters/01_dcgan".
        moved: {old name: new address}.
    """
    for old, new in moved.items():
        there = Path(folder, new.partition("#")[0]).is_file()
        if old not in pages and there:
            text = PAGE.format(to="../" * old.count("/") + new)
            Path(folder, f"{old}.html").write_text(text, encoding="utf-8")


def _finished(app, error):
    if error is None and app.builder.name == "html":
        write(app.outdir, app.env.found_docs)


def setup(app):
    """Called by Sphinx."""
    app.connect("build-finished", _finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
