"""Names of the library lead to its page: those that docstrings quote, and those in the chapters.

A name leads there if the library's page has exactly one thing that is called so: `SelfAttention`,
`GAN.sample` or `ttur.two_time_scale`. A small word without a dot, such as `read`, or a method by
its name alone may mean anything, and stays as it is.
"""

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.nodes import make_refnode

PAGE = "chapters/library"
NAME = re.compile(r"[A-Za-z_][\w.]*")


def ends(full):
    """The names by which one may mean a thing: "a.b.c", "b.c" and "c"."""
    parts = full.split(".")
    return [".".join(parts[k:]) for k in range(len(parts))]


def known(objects):
    """{name: full name} of all names that mean exactly one thing.

    Args:
        objects: full names, as Sphinx's Python domain keeps them, without modules.
    """
    found = {}
    for full in objects:
        method = full.rpartition(".")[0] in objects  # of a class; or a module's own
        for name in ends(full):
            if "." in name or (re.search(r"[A-Z_]", name.strip("_")) and not method):
                found.setdefault(name, set()).add(full)
    return {name: each.pop() for name, each in found.items() if len(each) == 1}


def _link(app, from_page, text, content):
    """A link to what a name means, or None."""
    objects = app.env.get_domain("py").objects
    mine = {name for name, each in objects.items() if each.docname == PAGE}
    names = known({name for name in mine if objects[name].objtype != "module"})
    full = names.get(text.strip().removesuffix("()")) if NAME.match(text) else None
    if full is None:
        return None
    return make_refnode(app.builder, from_page, PAGE, objects[full].node_id, content, full)


def _missing(app, env, node, content):
    """Of a docstring's name that its own module does not have."""
    if node.get("refdomain") != "py":
        return None
    found = _link(app, node["refdoc"], node["reftarget"], content)
    return found or nodes.literal(content.astext(), content.astext())


def _in_chapters(app, doctree, page):
    if page == PAGE or app.builder.format != "html":
        return
    for literal in list(doctree.findall(nodes.literal)):
        inside = literal.parent
        if isinstance(inside, nodes.reference | nodes.title | pending_xref):
            continue
        if link := _link(app, page, literal.astext(), literal.deepcopy()):
            inside.replace(literal, link)


def setup(app):
    """Called by Sphinx."""
    app.connect("missing-reference", _missing)
    app.connect("doctree-resolved", _in_chapters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
