"""Six faults of the book's builder, each mended by a few lines.

1. The theme lists one inline script twice on every page, and the browser then complains that
   `THEBE_JS_URL` has already been declared. Each script is loaded once.
2. sphinx-exercise registers handlers for the builder "singlehtml". Sphinx takes a builder's own
   handlers instead of those of its format, "html", and then knows none of the other extensions'
   nodes. Both tables are merged, so that the book can be built as one page, for print.
3. docutils calls the list of references a list, but its parts no items of one; then screen readers
   find an empty list. It is no list then.
4. Each kernel begins with a warning about an open connection, which worries a newcomer for
   nothing. The connection is encrypted instead.
5. All pages without a chapter number share one count of figures, equations and exercises, so that a
   page begins with figure 12. Each of them counts from 1, but in print, where they are one page.
6. The title of a solution begins its link with a space, which is underlined. It stands before it.
"""

import re

import zmq
from jupyter_client import KernelManager


def _drop_repeated(app, page, template, context, doctree):
    # Inline scripts have no file name: None for one extension, "" for another.
    kept = {}
    for script in context.get("script_files", []):
        kept.setdefault((script.filename or "", script.attributes.get("body")), script)
    context["script_files"] = list(kept.values())


def mended_body(body):
    """A page's HTML without the faults 3 and 6.

    Args:
        body: of the page.
    """
    body = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    return re.sub(r'(<p class="admonition-title">[^<]*)(<a [^>]*>) ', r"\1 \2", body)


def _mend_body(app, page, template, context, doctree):
    if context.get("body"):
        context["body"] = mended_body(context["body"])


def _add_html_handlers(app, config):
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = {**handlers.get("html", {}), **handlers.get("singlehtml", {})}


def renumbered(numbers):
    """Numbers of one kind on one page, from 1 on where the page has no number of its own.

    Args:
        numbers: {id: tuple}, such as (12,) without a chapter and (2, 3) with one.
    """
    if any(len(number) != 1 for number in numbers.values()):
        return dict(numbers)
    return {key: (k,) for k, key in enumerate(sorted(numbers, key=numbers.get), 1)}


def _count_by_page(app, env):
    if app.builder.name != "singlehtml":
        for kinds in env.toc_fignumbers.values():
            kinds.update({kind: renumbered(numbers) for kind, numbers in kinds.items()})
    return []


def encrypt_kernels():
    """Encrypt the connection to kernels that say they can, where this machine's library can."""
    # The book's builder gives no way to configure its kernels but this default.
    encryption = getattr(KernelManager, "transport_encryption", None)
    if encryption is not None and zmq.has("curve"):
        encryption.default_value = "auto"


def setup(app):
    """Called by Sphinx."""
    # Late, when all other extensions have added theirs.
    app.connect("html-page-context", _drop_repeated, priority=900)
    app.connect("html-page-context", _mend_body)
    app.connect("config-inited", _add_html_handlers)
    app.connect("env-get-updated", _count_by_page, priority=900)  # after they were counted
    encrypt_kernels()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
