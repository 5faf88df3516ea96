"""Run a chapter again when what it ran with has changed, and no other chapter.

Jupyter Book recognises a chapter's stored run by its cells alone. An edit in the library would
leave yesterday's numbers in today's book. So a key of everything else that each chapter's run
depends on is kept in the build folder: the modules of ours that it reaches by imports, the files
that they name, the pins of what the library needs. Where it differs, that chapter's stored run is
dropped before it is used.

With BOOK_OUTPUTS=stored nothing is run: the pages show the outputs that the notebooks hold. The
tests build so, because nbval runs every notebook once more anyway, and keeps that run (`executed`).
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

from sphinx.util import logging

from sagan_lib.book import imports, scales

LOG = logging.getLogger(__name__)
STAMP = ".ran-with"
#: What Matplotlib reads where a chapter runs.
STYLE = "chapters/matplotlibrc"


def scale():
    """The scale that chapters will run at. A guess at a GPU is enough: a wrong one costs a run."""
    return os.environ.get("SAGAN_SCALE") or ("gpu" if shutil.which("nvidia-smi") else "cpu")


def pins(root):
    """The lines of constraints.txt about what the library itself needs; the builder's do not count.

    Args:
        root: the repository.
    """
    project = tomllib.loads((Path(root) / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w.-]+", each)[0].lower() for each in project["dependencies"]}
    lines = (Path(root) / "constraints.txt").read_text().splitlines()
    return sorted(line for line in lines if line.partition("==")[0].lower() in wanted)


def candidates(root):
    """The files that a chapter may read: what is shipped, and the other chapters.

    Args:
        root: the repository. `data/celeba` is left out: it is the reader's and may be huge.
    """
    patterns = ("data/*", "data/results/*", "chapters/*.ipynb", "chapters/*.py")
    return [path for each in patterns for path in Path(root).glob(each) if path.is_file()]


def key(notebook, root):
    """A hash of what a chapter's run depends on besides its own cells.

    Args:
        notebook: its path.
        root: the repository.

    Returns:
        64 hexadecimal digits.
    """
    code = "\n".join(scales.code(json.loads(Path(notebook).read_text())))
    total = hashlib.sha256(f"{scale()}\n{pins(root)}\n{imports.digest(code, root)}\n".encode())
    others = [path for path in candidates(root) if path.stem != Path(notebook).stem]
    for path in [*imports.files(code, others, root), *Path(root).glob(STYLE)]:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(root).as_posix()}\n{content}\n".encode())
    return total.hexdigest()


def keys(root):
    """{chapter: its key} of all notebooks.

    Args:
        root: the repository.
    """
    root = Path(root)
    return {path.stem: key(path, root) for path in sorted(root.glob("chapters/*.ipynb"))}


def stamped(build):
    """The keys that the stored runs were made with; none where there is no book yet.

    Args:
        build: the builder's folder.
    """
    with contextlib.suppress(FileNotFoundError, ValueError):
        return dict(json.loads((Path(build) / STAMP).read_text()))
    return {}


def drop_stale(root, build):
    """Drop the stored runs in a folder that were made with something else.

    Args:
        root: the repository.
        build: the builder's folder.

    Returns:
        The names of the chapters that are to run again.
    """
    build, before, now = Path(build), stamped(build), keys(root)
    if before == now:
        return []
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    _forget(build / ".jupyter_cache", changed)
    # All pages are read again: Sphinx would not where a page's own file is unchanged.
    shutil.rmtree(build / ".doctrees", ignore_errors=True)
    # Last, so that a build stopped halfway through this starts over.
    build.mkdir(parents=True, exist_ok=True)
    (build / STAMP).write_text(json.dumps(now, indent=1))
    return changed


def _forget(folder, chapters):
    """Remove chapters' runs from the builder's store."""
    if not folder.is_dir():
        return
    from jupyter_cache import get_cache

    cache = get_cache(str(folder))
    for record in cache.list_cache_records():
        if Path(record.uri).stem in chapters:
            cache.remove_cache(record.pk)


def _before_the_cache_opens(app, config):
    if os.environ.get("BOOK_OUTPUTS") == "stored":
        config.nb_execution_mode = "off"
    # `config-inited` comes before Sphinx loads its doctrees and before MyST-NB opens its cache.
    if changed := drop_stale(app.srcdir, Path(app.outdir).parent):
        LOG.info("To be run again, because what they run with changed: %s", ", ".join(changed))


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
