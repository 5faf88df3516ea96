"""Which hand-ins look alike: the code with its names taken out, and the essays' words.

By copydetect, which compares fingerprints as MOSS does (Schleimer, Wilkerson and Aiken, 2003). What
the students' copy has for all is left out. Two that look alike are a reason to ask, no proof.
"""

import io
import itertools
import re

import collect
import nbformat
import repair
import sheets
from copydetect import CodeFingerprint, compare_files

#: Letters of code without names that must agree in a row, and of words; and the window.
CODE, WORDS, WINDOW = 25, 40, 5


def pairs(root, name):
    """Write graded/similar_SET.csv, the likest first; returns its lines as dictionaries.

    Args:
        root: the course's folder.
        name: of the set.

    Raises:
        FileNotFoundError: no such set was built.
        ValueError: fewer than two hand-ins of that set can be read.
    """
    path = root / "release" / name / f"{name}.ipynb"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such problem set; make course builds them")
    release = nbformat.read(path, as_version=4)
    common = {cell.source for cell in release.cells}
    texts = {}
    for path in sorted(root.glob(f"submitted/*/{name}/{name}.ipynb")):
        if not collect.is_own(path, root):
            continue
        try:
            notebook = nbformat.read(path, as_version=4)
            own = [cell for cell in notebook.cells if cell.source not in common]
            both = tuple(_fingerprint(own, kind) for kind in ("code", "words"))
        except Exception:  # nbformat raises many kinds on a damaged file; the grader names it
            continue
        texts[path.parent.parent.name] = both
    if len(texts) < 2:
        raise ValueError(f"name: {len(texts)} readable hand-ins of {name!r}, two are needed")
    lines = []
    for one, other in itertools.combinations(texts, 2):
        code, words = (_alike(*two) for two in zip(texts[one], texts[other], strict=True))
        lines.append({"one": one, "other": other, "code": code, "essays": words})
    lines.sort(key=lambda line: (-line["code"], -line["essays"]))
    sheets.write(root / "graded" / f"similar_{name}.csv", lines)
    return lines


def _fingerprint(cells, kind):
    """Of a student's own cells: the code that is no test, or the words in lower case."""
    if kind == "code":
        text = "\n\n".join(c.source for c in cells
                           if c.cell_type == "code" and not repair.is_test(c))  # fmt: skip
        return CodeFingerprint("own.py", CODE, WINDOW, fp=io.StringIO(text), language="python")
    text = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"\W+", " ", text).lower()
    return CodeFingerprint("own.txt", WORDS, WINDOW, filter=False, fp=io.StringIO(text))


def _alike(one, other):
    """The larger of the shares that two texts have in common, 0 to 1."""
    if not (len(one.hashes) and len(other.hashes)):
        return 0.0
    _, shares, _ = compare_files(one, other)
    return round(float(max(shares)), 3)
