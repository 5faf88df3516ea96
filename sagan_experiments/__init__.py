"""The evidence behind the book's statements. It uses `sagan_lib`; nothing there uses it."""

import sagan_lib  # noqa: F401  (its settings must be made before TensorFlow is imported)
