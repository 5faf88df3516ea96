"""What a piece of code runs with: the modules of ours that it imports, and the files they name.

So a stored result is made again when something that it came from changed, and only then.
"""

import ast
import contextlib
import fnmatch
import functools
import hashlib
import io
import re
import tokenize
from pathlib import Path

#: The folder of both packages.
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sagan_lib", "sagan_experiments")
#: What a notebook's code has besides Python: lines for the shell and for IPython itself.
MAGIC = re.compile(r"^\s*[%!].*$", re.M)


def modules(root=ROOT):
    """{module's name: its path} of both packages.

    Args:
        root: the folder that they lie in.
    """
    found = {}
    for package in PACKAGES:
        for path in sorted((Path(root) / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.lru_cache(512)
def _tree(code):
    try:
        return ast.parse(MAGIC.sub("", code))
    except SyntaxError:  # whoever runs it is told; here it imports nothing
        return ast.Module([], [])


@functools.lru_cache(512)
def plain(code):
    """Python code without what does nothing: docstrings, comments, empty lines.

    The text itself and no tree of it, which each Python writes differently.

    Args:
        code: the text.
    """
    owners = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    docstrings = {
        (node.body[0].lineno, node.body[0].col_offset)
        for node in ast.walk(_tree(code))
        if isinstance(node, owners) and ast.get_docstring(node, clean=False) is not None
    }
    lines, tokens = code.splitlines(), []
    with contextlib.suppress(SyntaxError, tokenize.TokenError):  # of unfinished code, what there is
        tokens.extend(tokenize.generate_tokens(io.StringIO(code).readline))
    for token in tokens[::-1]:
        if token.type == tokenize.COMMENT or token.start in docstrings:
            (first, left), (last, right) = token.start, token.end
            lines[first - 1 : last] = [lines[first - 1][:left] + lines[last - 1][right:]]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _names(code):
    """Of a piece of code: whole names that it imports, or runs as a process (`python -m NAME`)."""
    for node in ast.walk(_tree(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield node.value


def reached(code, root=ROOT):
    """The modules of both packages that run when code does, their packages too.

    Args:
        code: the text.
        root: the folder that the packages lie in.

    Returns:
        {module's name: its text}, by name.
    """
    known, found, todo = modules(root), {}, [code]
    while todo:
        for name in _names(todo.pop()):
            parts = name.split(".")
            for each in (".".join(parts[:k]) for k in range(1, len(parts) + 1)):
                if each in known and name in known and each not in found:
                    found[each] = known[each].read_text(encoding="utf-8")
                    todo.append(found[each])
    return dict(sorted(found.items()))


def digest(code, root=ROOT):
    """Of what code imports of both packages; the same on every Python.

    Args:
        code: the text; it does not count itself.
        root: the folder that the packages lie in.
    """
    told = (f"{name}\0{plain(text)}\0" for name, text in reached(code, root).items())
    return hashlib.sha256("".join(told).encode()).hexdigest()[:16]


def _patterns(code):
    """Names of files in a piece of code, with a star for what it puts in."""
    for node in ast.walk(_tree(code)):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(x.value if isinstance(x, ast.Constant) else "*" for x in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        if re.fullmatch(r"[\w*./-]*[\w*]\.[A-Za-z]\w*", text):
            yield text.rpartition("/")[2]


def files(code, candidates, root=ROOT):
    """Those of some files that code, or a module that it reaches, names.

    Args:
        code: the text.
        candidates: paths.
        root: the folder that the packages lie in.

    Returns:
        A sorted list of paths.
    """
    patterns = {p for text in (code, *reached(code, root).values()) for p in _patterns(text)}
    return sorted(p for p in candidates if any(fnmatch.fnmatch(p.name, each) for each in patterns))
