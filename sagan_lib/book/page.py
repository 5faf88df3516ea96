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

from sagan_lib import checks


def show(name, figure):
    """Display a figure and store it, so that the book can give it a caption.

    Args:
        name: under which it is stored.
        figure: a matplotlib figure; it is closed.
    """
    from IPython.display import display

    _publish(display, name, {"image/png": _encoded(figure), "text/plain": f"<figure {name}>"})


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


def _encoded(figure):
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
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


def glue_results(results, *names):
    """`glue` for claims: the result under the claim's name, its verdict under name-verdict.

    Args:
        results: {name: `ledger.Result`}.
        names: those that the prose quotes.
    """
    for name in names:
        checks.one_of("claim", name, results)
        glue(name, results[name])
        glue(f"{name}-verdict", results[name].verdict)


def _publish(display, name, bundle):
    # Numbers are stored under a prefix that notebooks do not show; pictures are shown as well.
    prefix = "" if "image/png" in bundle else "application/papermill.record/"
    data = {prefix + kind: value for kind, value in bundle.items()}
    display(data, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": prefix}})
