"""The cells of a notebook that depend on the scale, with what they need of the others.

The others give the same at both scales, so a test that executes the whole notebook at the small
one has executed them.
"""

import ast
import builtins

#: What a chapter calls its choice of the scale.
SCALE = {"RESOLUTION", "WIDTH", "STEPS", "SCALE"}


def _names(node, *contexts):
    found = (x for x in ast.walk(node) if isinstance(x, ast.Name))
    return {x.id for x in found if isinstance(x.ctx, contexts)}


def imported(tree):
    """The names that a piece of code has from other modules."""
    nodes = [x for x in ast.walk(tree) if isinstance(x, ast.Import | ast.ImportFrom)]
    return {(alias.asname or alias.name).split(".")[0] for x in nodes for alias in x.names}


def _changed(tree):
    """The names of which an item or an attribute is set or a method is called."""
    parts = ast.Attribute | ast.Subscript
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and isinstance(node.func, parts)
        if called or (isinstance(node, parts) and isinstance(node.ctx, ast.Store)):
            base = node.func if called else node
            while isinstance(base, parts):
                base = base.value
            if isinstance(base, ast.Name):
                yield base.id


def reads_binds_changes(source):
    """The names that a cell takes from before, that it makes, and whose objects it may change."""
    tree = ast.parse(source)
    reads, binds = set(), set()
    for statement in tree.body:
        inner = [x for x in ast.walk(statement) if isinstance(x, ast.FunctionDef | ast.ClassDef)]
        stored = _names(statement, ast.Store) | {x.name for x in inner}
        own = {x.arg for x in ast.walk(statement) if isinstance(x, ast.arg)} | stored
        if isinstance(statement, ast.Assign):  # its value is taken before it is given a name
            own = own - stored | _names(statement.value, ast.Store)
        elif isinstance(statement, ast.AugAssign):
            own, reads = own - stored, reads | (stored - binds)
        reads |= _names(statement, ast.Load) - own - binds - set(dir(builtins))
        binds |= stored | imported(statement)
    return reads, binds, set(_changed(tree)) & reads


def _uses(sources):
    """`reads_binds_changes` of all cells, of which modules that any cell imports are left out."""
    modules = set().union(*(imported(ast.parse(source)) for source in sources))
    return [(r, b - modules, c - modules) for r, b, c in map(reads_binds_changes, sources)]


def of_the_scale(sources):
    """All cells of a chapter, in order, of which those that neither depend on the scale nor are
    needed by what does have their imports alone."""
    touched, kept, uses = set(SCALE), set(), _uses(sources)
    for place, (reads, binds, changes) in enumerate(uses):
        if reads & touched:
            touched |= binds | changes
        if reads & touched or binds & SCALE:
            kept.add(place)
        else:
            touched -= binds
    needed = set()
    for place, (reads, binds, changes) in [*enumerate(uses)][::-1]:
        if place in kept or (binds | changes) & needed:
            kept.add(place)
            needed = needed - binds | reads
    return [source if place in kept else _imports(source) for place, source in enumerate(sources)]


def _imports(source):
    lines = (x for x in ast.parse(source).body if isinstance(x, ast.Import | ast.ImportFrom))
    return "\n".join(map(ast.unparse, lines))
