"""A trained generator and its judge as a script that a browser can run.

A page that was opened from a disk may fetch nothing, so the weights travel inside a script: half
precision, in base64. Batch normalization and spectral normalization are constants in inference, so
they are multiplied into the kernels; what is left are convolutions and the attention layer.
`_book/static/touch/network.js` computes with them.
"""

import base64
import json
from pathlib import Path

import keras
import numpy as np

from sagan_lib import shipped
from sagan_lib.attention import SelfAttention, attention_layers
from sagan_lib.cli import runs
from sagan_lib.evaluation import judge

#: What the script calls itself.
NAME = "SAGAN_NETWORK"
#: What `network.js` draws: size of the noise, side of the images, sides that attend.
PLAN = (64, 64, [16])


def _kernel(layer):
    """The kernel that a layer computes with: divided by sigma where it is normalized."""
    divided = hasattr(layer, "normalized_kernel")
    return np.asarray(layer.normalized_kernel() if divided else layer.kernel, np.float64)


def _folded(layer, norm):
    """(kernel, bias) of a layer and of the batch normalization that follows it, if one does."""
    kernel = _kernel(layer)
    outputs = kernel.shape[-2 if "Transpose" in type(layer).__name__ else -1]
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(outputs)
    if norm is None:
        return kernel, bias
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (np.asarray(getattr(norm, n), np.float64) for n in names)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    if isinstance(layer, keras.layers.Dense) or kernel.ndim == 2:  # a map of `gamma`'s channels
        times = kernel.shape[-1] // len(scale)
        scale, beta, mean = (np.tile(x, times) for x in (scale, beta, mean))
    across = scale[:, None] if "Transpose" in type(layer).__name__ else scale
    return kernel * across, (bias - mean) * scale + beta


def arrays(model, prefix):
    """The numbers of a chain of layers, by name: {"prefix/layer/kernel": array, ...}.

    Args:
        model: a functional model of dense layers, convolutions, batch normalization after some of
            them, and self-attention of the article's variant.
        prefix: of the names.

    Raises:
        ValueError: it has a layer that the script cannot compute.
    """
    found = {}
    layers = [layer for layer in model.layers if layer.weights]
    for index, layer in enumerate(layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            continue  # in the layer before
        if isinstance(layer, SelfAttention):
            if layer.variant != "article":
                raise ValueError(f"attention must be the article's, got variant {layer.variant!r}")
            found[f"{prefix}/{layer.name}/gamma"] = np.asarray(layer.gamma)
            for name in "fgh":
                conv = getattr(layer, name)
                found[f"{prefix}/{layer.name}/{name}"] = _kernel(conv)[0, 0]
                found[f"{prefix}/{layer.name}/{name}_bias"] = np.asarray(conv.bias)
            continue
        if not hasattr(layer, "kernel"):
            raise ValueError(f"layer {layer.name} must have a kernel, got {type(layer).__name__}")
        after = layers[index + 1] if index + 1 < len(layers) else None
        norm = after if isinstance(after, keras.layers.BatchNormalization) else None
        kernel, bias = _folded(layer, norm)
        found[f"{prefix}/{layer.name}/kernel"] = kernel
        found[f"{prefix}/{layer.name}/bias"] = bias
    return found


def script(named):
    """A script that holds arrays in half precision: one text.

    Args:
        named: {name: array}.

    Raises:
        ValueError: a number that half precision cannot hold.
    """
    shapes, parts, offset = {}, [], 0
    for name, array in named.items():
        half = np.asarray(array, "<f2")
        if not np.isfinite(half).all():
            raise ValueError(f"{name} must fit into half precision, got {np.abs(array).max():.3g}")
        shapes[name] = [offset, *half.shape]
        parts.append(half.tobytes())
        offset += half.size
    data = base64.b64encode(b"".join(parts)).decode()
    return f'window.{NAME} = {{\n shapes: {json.dumps(shapes)},\n data: "{data}"\n}};\n'


def _check_plan(generator):
    """ValueError unless `network.js` has this generator's layers: it draws by their names."""
    if len(generator.inputs) > 1:
        raise ValueError("the page draws a generator without labels, got one that takes some")
    sides = [layer.output.shape[1] for layer in attention_layers(generator)]
    found = (generator.input_shape[-1], generator.output_shape[1], sides)
    if found != PLAN:
        plans = [
            "latent_dim {}, {} pixels, attention at {}".format(*each) for each in (PLAN, found)
        ]
        raise ValueError(f"the page draws a SAGAN of {plans[0]}; got a generator of {plans[1]}")


def export(path, run=None):
    """Write a run's averaged generator, and the judge, as a script.

    Args:
        path: of the script.
        run: the run's folder or its run.keras; None for the generator that comes with the book.

    Returns:
        The path.

    Raises:
        ValueError: a network that the page cannot compute.
    """
    generator = runs.generator(run)
    _check_plan(generator)
    named = arrays(generator, "g") | arrays(judge.load(), "judge")
    with shipped.replacing(Path(path)) as part:
        part.write_text(script(named))
    return Path(path)
