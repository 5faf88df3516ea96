"""SAGAN chapter by chapter: the tested layers and the training loop behind the book.

Importing it sets environment variables that TensorFlow and Keras read, where they are not set yet,
and nothing else. `import sagan_lib.gan` makes Keras know the classes that a saved model names; then
`keras.models.load_model` loads it, as `sagan_lib.gan.GAN.load` does.
"""

import os
import sys

#: Then it took its settings before they could be made here; `devices` says what that costs.
TENSORFLOW_CAME_FIRST = "tensorflow" in sys.modules

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if os.environ["KERAS_BACKEND"] != "tensorflow":
    raise ImportError(
        f"sagan_lib needs Keras on TensorFlow, got KERAS_BACKEND={os.environ['KERAS_BACKEND']!r}"
    )
# All before TensorFlow's import. On processors without AVX-512 it leaves oneDNN off by itself, and
# a training step then takes twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Or it fills a notebook with notes; real errors are exceptions anyway. Two or three lines of
# information ("I0000 ...") it writes whatever the level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
