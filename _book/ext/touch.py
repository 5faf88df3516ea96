"""Interactive pieces: each page loads the scripts of those that it has, and no others.

`page.touch` puts `<div class="touch" data-touch="NAME">` into a page; `_book/static/touch` has the
scripts.
"""

import re
from pathlib import Path

#: What runs a trained network, and the judge.
RUNTIME = ("tfjs/tf-core.min.js", "tfjs/tf-backend-wasm.min.js",
           "tfjs/tf-backend-wasm-simd.wasm.js", "judge32.js", "network.js", "noise.js")  # fmt: skip
#: The same with the generator that draws as it likes, and with the one that draws to order.
NETWORK, ORDER = (*RUNTIME, "faces64.js"), (*RUNTIME, "order32.js")
#: What trains points in the plane, and the piece around it.
POINTS = (
    "noise.js",
    *(f"playground/{name}.js" for name in (
        "network", "gan", "plane", "run", "settings", "view", "pane", "shares", "lessons", "piece",
    )),
)  # fmt: skip
#: Piece -> a style sheet of its own.
STYLES = {"playground": "playground/playground.css"}
#: Piece -> its scripts, in their order.
SCRIPTS = {
    "faces": (*NETWORK, "faces.js"),
    "attention": (*NETWORK, "attention.js"),
    "order": (*ORDER, "order.js"),
    "power": ("power.js",),
    "game": ("game.js",),
    "film": ("film.js",),
    "ledger": ("ledger.js",),
    "playground": POINTS,
}
PIECE = re.compile(r'<div class="touch" data-touch="([^"]*)"')


def scripts(body):
    """The scripts that a page needs, each once; none for a page without a piece.

    Args:
        body: the page's HTML.

    Raises:
        ValueError: a piece that there is not.
    """
    needed = []
    for piece in PIECE.findall(body or ""):
        if piece not in SCRIPTS:
            raise ValueError(f"data-touch must be one of {sorted(SCRIPTS)}, got {piece!r}")
        needed += [name for name in ("touch.js", *SCRIPTS[piece]) if name not in needed]
    return needed


def _load(app, page, template, context, doctree):
    if app.builder.name == "singlehtml":  # for print, which shows the still pictures
        return
    needed = scripts(context.get("body"))
    for name in needed:
        app.add_js_file(f"touch/{name}", loading_method="defer")
    if needed:
        app.add_css_file("touch/touch.css")
    for piece in sorted(set(PIECE.findall(context.get("body") or "")) & set(STYLES)):
        app.add_css_file(f"touch/{STYLES[piece]}")


def _changed(app, env, added, changed, removed):
    """A page to be written again where a static file is newer: without one, none is copied."""
    for source in (Path(app.confdir) / path for path in app.config.html_static_path):
        for path in source.rglob("*"):
            copy = Path(app.outdir) / "_static" / path.relative_to(source)
            stale = copy.exists() and copy.stat().st_mtime < path.stat().st_mtime
            if path.is_file() and (stale or not copy.exists()):
                return [app.config.root_doc]
    return []


def setup(app):
    """Called by Sphinx."""
    app.connect("env-get-outdated", _changed)
    app.connect("html-page-context", _load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
