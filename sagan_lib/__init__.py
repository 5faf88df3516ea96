"""SAGAN chapter by chapter: the tested layers and the training loop behind the book."""

import contextlib
import functools
import gc
import importlib.machinery
import os
import re
import sys
import tempfile

#: Then it took its settings before they could be made here; `devices` says what that costs.
TENSORFLOW_CAME_FIRST = "tensorflow" in sys.modules
#: What TensorFlow says at its import whatever its level: information, no warning and no error.
CHATTER = re.compile(rb"I0000 |WARNING: All log messages before absl::InitializeLog")

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if os.environ["KERAS_BACKEND"] != "tensorflow":
    raise ImportError(
        f"sagan_lib needs Keras on TensorFlow, got KERAS_BACKEND={os.environ['KERAS_BACKEND']!r}"
    )
# All before TensorFlow's import. On processors without AVX-512 it leaves oneDNN off by itself, and
# a training step then takes twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Or it fills a notebook with notes; real errors are exceptions anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"


@contextlib.contextmanager
def without_chatter():
    """Meanwhile what is written to file 2, C's stderr, is kept; then all but `CHATTER` is said."""
    with tempfile.TemporaryFile() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            kept.seek(0)
            os.write(2, b"".join(line for line in kept if not CHATTER.match(line)))


class _Imports:
    """Lets TensorFlow be imported without its chatter, and Keras know this package's classes.

    So `import sagan_lib` costs nothing, and is enough to load a saved model. The classes come when
    the outermost import is done, never within a circle. What an import makes stays for good, so
    Python's collector leaves it alone: to go through it took a second at each end of a process.
    """

    depth = 0

    def find_spec(self, name, path=None, target=None):
        if name not in ("tensorflow", "keras") and not name.startswith("sagan_lib."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None:
            execute = spec.loader.exec_module
            quietly = without_chatter()(execute) if name == "tensorflow" else execute
            spec.loader.exec_module = functools.partial(self._run, quietly)
        return spec

    def _run(self, execute, module):
        self.depth, collecting = self.depth + 1, gc.isenabled()
        gc.disable()
        try:
            execute(module)
        finally:
            self.depth -= 1
            if collecting:
                gc.enable()
        if not self.depth and "keras" in sys.modules and self in sys.meta_path:
            sys.meta_path.remove(self)
            _register()
            gc.freeze()


def _register():
    """Import what is saved in files, so that Keras finds it there by name."""
    for name in ("spectral_norm", "attention", "dcgan", "gan"):
        importlib.import_module(f"sagan_lib.{name}")


if "keras" in sys.modules:
    _register()
else:
    sys.meta_path.insert(0, _Imports())
