"""What binds a cell's results into the book: figures and numbers that prose can quote.

The outputs carry the metadata that MyST-NB's `glue` looks for, without needing MyST-NB where the
notebook runs.
"""

import base64
import html
import io
import json
import math
import numbers
import os
import time

from sagan_lib import checks


def show(name, figure, kind="png"):
    """Display a figure and store it, so that the book can give it a caption.

    Args:
        name: under which it is stored.
        figure: a matplotlib figure; it is closed.
        kind: "png", or "jpeg" for one that is all pictures: a fifth of the bytes.
    """
    from IPython.display import display

    checks.one_of("kind", kind, ("png", "jpeg"))
    bundle = {f"image/{kind}": _encoded(figure, kind), "text/plain": f"<figure {name}>"}
    _publish(display, name, bundle)


def touch(piece, data, still, alt):
    """Display an interactive piece of the book; elsewhere, and without scripts, a still picture.

    Args:
        piece: a name of those in `_book/ext/touch.py`.
        data: what its script gets, as JSON takes it.
        still: a matplotlib figure; it is closed.
        alt: what the picture shows, in words.
    """
    from IPython.display import HTML, display

    picture = f"data:image/png;base64,{_encoded(still)}"
    text = json.dumps(data).replace("</", "<\\/")  # nothing in it may end the script
    display(HTML(
        f'<div class="touch" data-touch="{html.escape(piece)}">'
        f'<img class="touch-still" alt="{html.escape(alt)}" src="{picture}">'
        f'<script type="application/json">{text}</script></div>'
    ))  # fmt: skip


def jpeg(sheet):
    """The address of a picture that a page holds in itself.

    Args:
        sheet: uint8 (height, width, 3), such as `plots.grid` gives.
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _encoded(figure, kind="png"):
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    options = {"metadata": {"Software": None}} if kind == "png" else {"pil_kwargs": {"quality": 88}}
    figure.savefig(buffer, format=kind, dpi=110, bbox_inches="tight", **options)
    plt.close(figure)
    return base64.b64encode(buffer.getvalue()).decode()


def glue(name, value, form="{}"):
    """Store a number, so that prose can quote it; a reader of the notebook sees it printed.

    Args:
        name: under which it is stored.
        value: anything that can be formatted.
        form: how it is formatted.

    Raises:
        ValueError: a number that is NaN or infinite, which no sentence should quote.
    """
    if isinstance(value, numbers.Real) and not math.isfinite(value):
        raise ValueError(f"value of {name} must be finite, got {value}")
    from IPython.display import display

    text = form.format(value)
    _publish(display, name, {"text/plain": repr(text)})  # the role evaluates what it finds
    print(f"{name} = {text}")


def took(started):
    """Store what a chapter took: `minutes` on the clock, `core-seconds` of all cores together.

    The second does not depend on what else the machine does. It counts from the kernel's start.

    Args:
        started: `time.perf_counter()` at the chapter's start.
    """
    glue("minutes", (time.perf_counter() - started) / 60, "{:.1f}")
    glue("core-seconds", sum(os.times()[:4]), "{:.0f}")


def _publish(display, name, bundle):
    # Numbers are stored under a prefix that notebooks do not show; pictures are shown as well.
    shown = any(kind.startswith("image/") for kind in bundle)
    prefix = "" if shown else "application/papermill.record/"
    data = {prefix + kind: value for kind, value in bundle.items()}
    display(data, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": prefix}})
