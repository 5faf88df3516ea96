"""Training images: procedural ones whose truth is known, folders of any pictures, known sets."""
