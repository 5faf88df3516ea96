"""How fast a training step is, next to other ways to write it."""
