"""Spectral normalization by a full singular value decomposition: what power iteration stands for.

`apply` changes ordinary layers, so that everything else of a run stays as it is.
"""

import functools

import tensorflow as tf

from sagan_lib.spectral_norm import normalized_layers


def leading(matrix):
    """(sigma, u) of a matrix by its SVD; the gradient of sigma is the outer product of u and v.

    Args:
        matrix: float32 (rows, columns).

    Returns:
        sigma, a float32 scalar, and the singular vector of the smaller side.
    """
    matrix = tf.convert_to_tensor(matrix)
    _, left, right = tf.linalg.svd(tf.stop_gradient(matrix), full_matrices=False)
    left, right = left[:, 0], right[:, 0]
    sigma = tf.tensordot(left, tf.linalg.matvec(matrix, right), 1)
    return sigma, right if matrix.shape[0] >= matrix.shape[1] else left


def _sigma(layer):
    return leading(layer.matrix())


def apply(model):
    """Let every normalized layer divide by its exact singular value from now on.

    It is no part of a config: a copy or a loaded model has power iteration again. Apply it before
    the first `fit`, because a compiled step keeps what it was traced with.

    Args:
        model: generator, discriminator or `GAN`, built; of a GAN all three networks change.

    Returns:
        How many layers changed.

    Raises:
        ValueError: the model has no normalized layer.
    """
    found = normalized_layers(model)
    if not found:
        raise ValueError(f"no layer of {model.name} is normalized")
    for layer in found:
        layer.sigma = functools.partial(_sigma, layer)
    return len(found)
