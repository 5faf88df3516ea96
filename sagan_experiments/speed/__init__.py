"""How fast a training step is, next to other ways to write it.

Tried, and dropped because it was not faster on a CPU: XLA (it is the default on a GPU), for the
attention product or the whole step; blocks for maps that fit into the caches, and of less than a
few MiB; TensorFlow's fused kernel for Adam (less than a twentieth); another memory allocator.
"""
