"""Run the chapters at the large scale, whole, and keep what they gave.

    python _book/large.py [01 ...]   those that changed since they were kept; no number: all

The notebooks with all figures go to _build/large/, the numbers that the prose quotes to
data/results/scale_gpu.json, and one picture of each chapter beside it. A chapter that is done is
kept at once, so a run that was stopped goes on with the next one.
"""

import os
import re
import sys
import time

import nbformat
import notebooks

from sagan_lib import shipped
from sagan_lib.book import scales
from sagan_lib.cli import provenance

NOTEBOOKS = shipped.root() / "_build" / "large"
CELL_TIMEOUT = 7200  # seconds


def run(path):
    """Execute a chapter at the large scale; keep what it gave if no cell failed.

    Returns:
        (seconds, how many cells failed); what failed was printed.
    """
    notebook, start = notebooks.read(path), time.monotonic()
    library = scales.library(notebook)  # before: half an hour is time to edit it
    # To the end in any case: one run shows every sentence that is not true there.
    notebooks.execute(notebook, path.parent, CELL_TIMEOUT, allow_errors=True)
    NOTEBOOKS.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, NOTEBOOKS / path.with_suffix(".ipynb").name)
    errors = [output for cell in notebook.cells for output in cell.get("outputs", ())
              if output.output_type == "error"]  # fmt: skip
    for error in errors:
        plain = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))  # without colours
        print(f"{path.stem}: {plain}")
    seconds = time.monotonic() - start
    if not errors:
        made = provenance.provenance(f"make large CH={path.stem[:2]}")
        scales.keep(path.stem, notebook, seconds, made, library)
    return seconds, len(errors)


def main(numbers):
    """The command line; the exit status is 1 when a cell failed."""
    failed = False
    os.environ["SAGAN_SCALE"] = "gpu"
    chosen = [path for path in notebooks.sources(numbers) if path.stem in scales.PICTURES]
    if not chosen:
        raise SystemExit(f"no chapter with a large scale: {' '.join(numbers)}; there are "
                         f"{' '.join(scales.PICTURES)}")  # fmt: skip
    for path in chosen:
        kept = scales.large().get(path.stem)
        changed = scales.newer(path.stem, notebooks.read(path)) if kept else "was not run yet"
        if not changed:
            print(f"{path.stem}: kept from {kept['date']}, its code and library are the same")
            continue
        why = f"its {changed} changed" if kept else changed
        print(f"{path.stem}: {why}; executing at the large scale ...", flush=True)
        seconds, wrong = run(path)
        failed |= wrong > 0
        print(f"{path.stem}: {seconds / 60:.1f} min, {wrong} cells failed", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
