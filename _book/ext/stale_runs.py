"""Run chapters again when what they ran with has changed.

Jupyter Book recognises a chapter's stored run by its cells alone. An edit in the library would
leave yesterday's numbers in today's book. So the fingerprint of everything else that a run depends
on is kept in the build folder; when it differs, the stored runs are dropped before they are used.

With BOOK_OUTPUTS=stored nothing is run: the pages show the outputs that the notebooks hold. The
tests build so, because nbval runs every notebook once more anyway.
"""

import hashlib
import os
import shutil
from pathlib import Path

from sphinx.util import logging

LOG = logging.getLogger(__name__)
STAMP = ".ran-with"


def scale():
    """The scale that chapters will run at. A guess at a GPU is enough: a wrong one costs a run."""
    return os.environ.get("SAGAN_SCALE") or ("gpu" if shutil.which("nvidia-smi") else "cpu")


def fingerprint(root):
    """A hash of the scale and of the code's, the data's and the pins' names and contents.

    Args:
        root: the repository. `data/celeba` is left out: it is the reader's and may be huge.

    Returns:
        64 hexadecimal digits.
    """
    root = Path(root)
    inner = ("sagan_lib/**/*.py", "sagan_experiments/**/*.py", "data/**/*", "constraints.txt")
    found = [path for pattern in inner for path in root.glob(pattern)]
    celeba = root / "data" / "celeba"
    total = hashlib.sha256(f"{scale()}\n".encode())
    for path in sorted(p for p in found if p.is_file() and celeba not in p.parents):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(root).as_posix()}\n{content}\n".encode())
    return total.hexdigest()


def drop_stale(root, build):
    """Drop the stored runs in folder `build` if they were made with something else.

    Returns:
        Whether there was anything to drop.
    """
    build = Path(build)
    stamp = build / STAMP
    now = fingerprint(root)
    if stamp.is_file() and stamp.read_text() == now:
        return False
    dropped = False
    # The doctrees too: Sphinx would not read a page again whose own file is unchanged.
    for folder in (build / ".jupyter_cache", build / ".doctrees"):
        if folder.is_dir():
            shutil.rmtree(folder)
            dropped = True
    # Last, so that a build stopped halfway through this starts over.
    build.mkdir(parents=True, exist_ok=True)
    stamp.write_text(now)
    return dropped


def _before_the_cache_opens(app, config):
    if os.environ.get("BOOK_OUTPUTS") == "stored":
        config.nb_execution_mode = "off"
    # `config-inited` comes before Sphinx loads its doctrees and before MyST-NB opens its cache.
    if drop_stale(app.srcdir, Path(app.outdir).parent):
        LOG.info("The library, the data or the pins changed: every chapter runs again.")


def _distrust_a_failed_build(app, error):
    # Sphinx calls a page with warnings up to date, so that a second strict build would pass.
    if error is None and app._warncount == 0:
        return
    pickled = Path(app.doctreedir) / "environment.pickle"
    pickled.unlink(missing_ok=True)


def setup(app):
    """Called by Sphinx."""
    app.connect("config-inited", _before_the_cache_opens)
    app.connect("build-finished", _distrust_a_failed_build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
