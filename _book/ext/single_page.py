"""Let the book be built as one page (for print), exercises included.

sphinx-exercise registers handlers for the builder "singlehtml". Sphinx takes a builder's own
handlers instead of those of its format, "html", and then knows none of the other extensions' nodes.
"""


def _add_html_handlers(app, config):
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = {**handlers.get("html", {}), **handlers.get("singlehtml", {})}


def setup(app):
    """Called by Sphinx."""
    app.connect("config-inited", _add_html_handlers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
