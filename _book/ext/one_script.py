"""Load each script once.

The theme lists one inline script twice on every page, and the browser then complains that
`THEBE_JS_URL` has already been declared.
"""


def _drop_repeated(app, page, template, context, doctree):
    # Inline scripts have no file name: None for one extension, "" for another.
    kept = {}
    for script in context.get("script_files", []):
        kept.setdefault((script.filename or "", script.attributes.get("body")), script)
    context["script_files"] = list(kept.values())


def setup(app):
    """Called by Sphinx."""
    # Late, when all other extensions have added theirs.
    app.connect("html-page-context", _drop_repeated, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
