"""SAGAN chapter by chapter: the tested layers and the training loop behind the book."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# All before TensorFlow's import. On processors without AVX-512 it leaves oneDNN off by itself, and
# a training step then takes twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Or it fills a notebook with notes; real errors are exceptions anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
