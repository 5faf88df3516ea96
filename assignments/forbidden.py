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
    """({word: line} of all modules, names and attributes, {own functions' names}) of a cell."""
    code = re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)  # IPython's own lines
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}, set()
    lines, own = {}, set()
    for node in nodes:
        words = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            words = [getattr(node, "module", None) or "", *(each.name for each in node.names)]
        elif isinstance(node, ast.Attribute):
            words = [node.attr]
        elif isinstance(node, ast.Name) and node.id not in own:
            words = [node.id]
        for word in ".".join(words).split("."):
            lines.setdefault(word, node.lineno if words else 0)
    return lines, own


def found(notebook, source):
    """Sentences such as "power_iteration, line 3: svd", one for each cell and word.

    Args:
        notebook: the hand-in, made whole.
        source: the course's own notebook, whose answers' cells have the words in `without`.
    """
    without = {repair.grade_id(cell): cell.metadata.get("without", []) for cell in source.cells}
    everywhere = [word for words in without.values() for word in words]
    theirs = [cell for cell in notebook.cells
              if cell.cell_type == "code" and not repair.is_locked(cell)]  # fmt: skip
    said = []
    for cell in theirs:
        name = repair.grade_id(cell)
        lines, own = named(cell.source)
        for word in (*without.get(name, everywhere), *ALWAYS):
            sentence = f"{name or 'a cell of their own'}, line {lines.get(word)}: {word}"
            if word in lines and word not in own and sentence not in said:
                said.append(sentence)
    return said
