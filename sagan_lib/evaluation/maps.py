"""Reading the maps of self-attention, and changing them on the way.

A map is (batch, N, M): row by row, how much each of N positions looks at each of M. Places are
(row, column) as fractions of the picture, so that they mean the same at every size.
"""

import keras
import numpy as np
import tensorflow as tf

from sagan_lib import checks
from sagan_lib.attention import attention_layers


def attention_map(model, inputs):
    """The map of a model's attention layer for given inputs.

    Args:
        model: a functional model with exactly one `SelfAttention`, such as `sagan.generator`.
        inputs: what the model takes.

    Returns:
        (outputs, weights): the model's outputs and the map (batch, N, M).

    Raises:
        ValueError: the model has not exactly one attention layer.
    """
    layer = _only(model)
    probe = keras.Model(model.input, [layer.input, model.output])
    features, outputs = probe(inputs, training=False)
    return outputs, layer(features, training=False, return_attention=True)[1]


def _only(model):
    layers = attention_layers(model)
    if len(layers) != 1:
        raise ValueError(f"model must have one SelfAttention, {model.name} has {len(layers)}")
    return layers[0]


def with_map(model, inputs, change):
    """A model's outputs for given inputs with its attention's map changed on the way.

    Args:
        model: as in `attention_map`.
        inputs: what the model takes.
        change: function of the map, an array (batch, N, M), that gives the map to be used.

    Raises:
        ValueError: the model has not exactly one attention layer, or the change gives no such map.
    """
    layer = _only(model)
    features = keras.Model(model.input, layer.input)(inputs, training=False)
    weights = layer(features, training=False, return_attention=True)[1].numpy()
    changed = np.asarray(change(weights), np.float32)
    if changed.shape != weights.shape:
        raise ValueError(f"change must give a map of shape {weights.shape}, got {changed.shape}")
    mixed = layer(features, training=False, weights=tf.constant(changed))
    return keras.Model(layer.output, model.output)(mixed, training=False)


def looks_at(weights, query, target, width=3 / 16):
    """How much of one point's attention falls on a square around another point.

    Args:
        weights: a map (batch, N, M); N and M are square numbers, row by row.
        query: the point that asks: (row, column) as fractions of the picture, 0 to below 1.
        target: the point that is looked at, likewise.
        width: side of the square around it, as a fraction of the picture.

    Returns:
        (share, even): the share for each picture, (batch,), and the share that attention spread
        evenly would give. The square is cut off at the border of the picture.

    Raises:
        TypeError, ValueError: no such map or place.
    """
    (asks, side), query = _sides(weights), _check_point("query", query)
    checks.number("width", width, 0, 1, open_low=True)
    row = int(query[0] * asks) * asks + int(query[1] * asks)
    square = _square(_check_point("target", target), side, width)
    return np.asarray(weights)[:, row, square].sum(1), square.mean()


def cut(weights, query, target, width=3 / 16):
    """A map in which the square around one point does not look at the square around another.

    What these rows gave to the target goes to all other places in equal parts.

    Args:
        weights: as in `looks_at`.
        query: middle of the square that asks.
        target: middle of the square that is no longer looked at.
        width: side of both squares, as a fraction of the picture.

    Returns:
        A new map, (batch, N, M).

    Raises:
        TypeError, ValueError: no such map or place.
    """
    asks, side = _sides(weights)
    checks.number("width", width, 0, 1, open_low=True)
    rows = _square(_check_point("query", query), asks, width)
    taken = _square(_check_point("target", target), side, width)
    if taken.all():
        raise ValueError(f"target must leave places to look at, got all with width {width}")
    changed = np.array(weights)
    part = changed[:, rows]
    part[..., ~taken] += part[..., taken].sum(-1, keepdims=True) / np.sum(~taken)
    part[..., taken] = 0
    changed[:, rows] = part
    return changed


def _sides(weights):
    """(side of the map that asks, side of the one that is looked at)."""
    if weights.ndim != 3:
        raise ValueError(f"weights must have shape (batch, N, M), got {weights.shape}")
    sides = [round(n**0.5) for n in weights.shape[1:]]
    if [side * side for side in sides] != list(weights.shape[1:]):
        raise ValueError(f"weights must be those of square maps, got {weights.shape}")
    return sides


def _check_point(name, point):
    if not (len(point) == 2 and all(0 <= x < 1 for x in point)):
        raise ValueError(f"{name} must be (row, column) from 0 to below 1, got {point!r}")
    return point


def _square(point, side, width):
    """Which of side * side positions lie in the square around a point: bool, flat."""
    reach = int(width * side / 2)
    near = [abs(np.arange(side) - int(x * side)) <= reach for x in point]
    return np.outer(*near).ravel()
