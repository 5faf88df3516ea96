"""What the chapters' cells stored; what they gave at the large scale is kept with the results."""

import base64
import contextlib
import hashlib
import io
import json

from sagan_lib import checks, shipped
from sagan_lib.book import imports, page

#: The picture of each chapter's live training that is kept of the large scale.
PICTURES = {
    "01_dcgan": "fig_collapse", "02_spectral_norm": "fig_sn_samples", "03_attention": "fig_gamma",
    "04_ttur": "fig_ttur_samples", "05_sagan": "fig_live", "06_penalties": "fig_ways",
}  # fmt: skip

#: The first line of the code that opens a notebook alone; Colab folds a cell with such a title.
TITLE = "# @title Running this elsewhere?"
#: The tag of cells that read the ledger of claims and nothing of their chapter: the same at both
#: scales, and no part of what a run at one gives.
LEDGER = "ledger"


def glued(notebook):
    """What a notebook's cells stored with `page.glue` and `page.show`, those of the ledger not.

    Args:
        notebook: as JSON gives it, or nbformat.

    Returns:
        ({name: text} of the numbers, {name: PNG in base64} of the figures).
    """
    numbers, pictures = {}, {}
    for cell in _own(notebook):
        for output in cell.get("outputs", ()):
            book = output.get("metadata", {}).get("scrapbook")
            if book and "image/png" in output["data"]:
                pictures[book["name"]] = output["data"]["image/png"]
            elif book:
                text = output["data"][f"{book['mime_prefix']}text/plain"]
                numbers[book["name"]] = "".join(text).strip("'")
    return numbers, pictures


def opened(picture, width=900):
    """A PNG in base64 as a Pillow image of three colours.

    Args:
        picture: the text.
        width: most pixels of a side.
    """
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image.thumbnail((width, width))
    return image


def kept_in():
    """The file with what the chapters gave at the large scale; the pictures lie beside it."""
    return shipped.folder() / "results" / "scale_gpu.json"


def _picture(chapter):
    return kept_in().with_name(f"scale_gpu_{chapter}.jpg")


def large(chapter=None):
    """What chapters gave at the large scale: {chapter: its entry}, or one entry.

    Args:
        chapter: such as "01_dcgan".

    Returns:
        "numbers" ({name: text}), "code" (`digest`), "library" (`library`), "seconds", and with
        what it was made.

    Raises:
        ValueError: it was not run yet, or the file is damaged.
    """
    path = kept_in()
    try:
        entries = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        raise ValueError(f"{path}: no JSON; git checkout -- data, or install it again") from error
    return entries if chapter is None else entries[checks.one_of("chapter", chapter, entries)]


def code(notebook):
    """The text of a chapter's own code cells, without the one that opens it alone.

    Args:
        notebook: as JSON gives it, or nbformat.
    """
    texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [text for text in texts if not text.startswith(TITLE)]


def _own(notebook):
    """The cells that are not tagged as the ledger's."""
    return [c for c in notebook["cells"] if LEDGER not in c.get("metadata", {}).get("tags", ())]


def digest(notebook):
    """Of a notebook's code: what it gave stays true when its text changes, not when this does.

    The cells that are tagged as the ledger's do not count.

    Args:
        notebook: as for `code`.
    """
    return hashlib.sha256("\0".join(code({"cells": _own(notebook)})).encode()).hexdigest()[:16]


def library(notebook):
    """Of what a notebook's code imports of this library, for what `digest` is for its code.

    The cells that are tagged as the ledger's do not count.

    Args:
        notebook: as for `code`.
    """
    return imports.digest("\n".join(code({"cells": _own(notebook)})))


def newer(chapter, notebook=None):
    """What changed since a chapter was run at the large scale.

    Args:
        chapter: such as "01_dcgan".
        notebook: as for `code`; the repository's if not given.

    Returns:
        "code", "library", or "" where what was kept is of today; an entry that says nothing of its
        library is an older one's.
    """
    kept, notebook = large(chapter), notebook or stored(chapter)
    if kept["code"] != digest(notebook):
        return "code"
    return "" if kept.get("library") == library(notebook) else "library"


def keep(chapter, notebook, seconds, made, trained):
    """Put what a chapter gave at the large scale with the others'.

    Args:
        chapter: such as "01_dcgan".
        notebook: executed.
        seconds: that it took.
        made: of `runs.provenance.provenance`.
        trained: `library` of the notebook, from before the run.
    """
    numbers, pictures = glued(notebook)
    of = {"code": digest(notebook), "library": trained, "seconds": round(seconds)}
    entry = {**of, **made, "numbers": numbers}
    entries = dict(sorted((large() | {chapter: entry}).items()))
    with shipped.replacing(_picture(chapter)) as part:
        opened(pictures[PICTURES[chapter]]).save(part, "JPEG", quality=85)
    with shipped.replacing(kept_in()) as part:
        part.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def stored(chapter):
    """A chapter's notebook in the repository, as JSON gives it.

    Args:
        chapter: such as "01_dcgan".

    Raises:
        FileNotFoundError: the notebooks are not here; they are part of the repository.
    """
    path = shipped.root() / "chapters" / f"{checks.one_of('chapter', chapter, PICTURES)}.ipynb"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no notebook; this needs the book's repository")
    return json.loads(path.read_text())


def picture(chapter):
    """A chapter's picture of the large scale, as it was kept: a Pillow image.

    Args:
        chapter: such as "01_dcgan".
    """
    from PIL import Image

    return Image.open(_picture(checks.one_of("chapter", chapter, PICTURES)))


def state(chapter):
    """What a chapter's run at the large scale is, in words for a caption.

    Outside the repository, where no notebook is to be held against it, that is "one run".

    Args:
        chapter: such as "01_dcgan".
    """
    with contextlib.suppress(FileNotFoundError):
        if newer(chapter):
            return "one run, of an earlier state of this page"
    return "one run"


def fold(chapter, *names):
    """Show a chapter's picture of the large scale, and glue what its fold says of that run.

    The figure is "fig_01_large" of chapter 01; glued are "large-state", as `state` has it, and
    "large-NAME", without the "live-" of a name.

    Args:
        chapter: such as "01_dcgan".
        names: which of the run's numbers are glued.

    Returns:
        {name: text} of all numbers of the run.
    """
    import matplotlib.pyplot as plt

    image, numbers = picture(chapter), large(chapter)["numbers"]
    figure = plt.figure(figsize=(7, 7 * image.height / image.width))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.imshow(image)
    axis.axis("off")
    page.show(f"fig_{chapter[:2]}_large", figure, "jpeg")
    page.glue("large-state", state(chapter))
    for name in names:
        page.glue(
            f"large-{name.removeprefix('live-')}", numbers[checks.one_of("name", name, numbers)]
        )
    return numbers
