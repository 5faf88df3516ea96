"""What a problem asks to do without, and a hand-in names all the same: for the teacher to look at.

By the syntax tree alone: imports, names and attributes. It takes no points, since a word proves
nothing, and who hides one is not found here: ask.
"""

import ast
import re

import repair

#: Never part of an answer: the library itself, and what hides code or looks into a test.
ALWAYS = ("sagan_lib", "sagan_experiments", "eval", "exec", "__import__", "importlib",
          "get_ipython", "inspect", "gc", "ctypes", "_getframe", "pickle", "marshal")  # fmt: skip


def named(code):
    """{word: its line} of the modules, names and attributes in a cell that are not its own.

    Its own are the names that it gives: `gradient = ...` is no word for `np.gradient`.
    """
    code = re.sub(r"^([^\S\n]*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)  # IPython's own lines
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    methods = {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    own = methods | {each.arg for each in nodes if isinstance(each, ast.arg)}
    own |= {each.id for each in nodes if isinstance(each, ast.Name) and not _is_read(each)}
    lines = {}
    for node in nodes:
        words = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            words = [getattr(node, "module", None) or "", *(each.name for each in node.names)]
        elif isinstance(node, ast.Attribute) and node.attr not in methods:
            words = [node.attr]
        elif isinstance(node, ast.Name) and node.id not in own:
            words = [node.id]
        for word in filter(None, ".".join(words).split(".")):
            lines.setdefault(word, node.lineno)
    return lines


def _is_read(name):
    return isinstance(name.ctx, ast.Load)


def found(notebook, source):
    """Sentences such as "power_iteration, line 3: svd", one for each cell and word.

    Args:
        notebook: the hand-in, made whole.
        source: the course's own notebook, whose answers' cells have the words in `without`.
    """
    without = {repair.grade_id(cell): cell.metadata.get("without", [])
               for cell in source.cells if repair.is_answer(cell)}  # fmt: skip
    everywhere = [word for words in without.values() for word in words]
    theirs = [cell for cell in notebook.cells
              if cell.cell_type == "code" and not repair.is_locked(cell)]  # fmt: skip
    said = []
    for cell in theirs:
        name = repair.grade_id(cell)
        lines = named(cell.source)
        words = [*without.get(name, everywhere), *ALWAYS]
        said += [f"{name or 'a cell of their own'}, line {lines[word]}: {word}"
                 for word in words if word in lines]  # fmt: skip
    return [*dict.fromkeys(said)]
