"""SAGAN chapter by chapter: the tested layers and the training loop behind the book."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Before TensorFlow's import, or it fills a notebook with notes; real errors are exceptions anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
