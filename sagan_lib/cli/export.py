"""A trained network as a script that a browser can run.

A page that was opened from a disk may fetch nothing, so the weights travel inside a script: half
precision, in base64. Batch normalization and spectral normalization are constants in inference, so
they are multiplied into the kernels; what is left are convolutions, the attention layer, and each
label's gains and offsets. `_book/static/touch/network.js` computes with them.
"""

import base64
import json
from pathlib import Path

import keras
import numpy as np

from sagan_lib import checks, shipped
from sagan_lib.attention import SelfAttention, attention_layers
from sagan_lib.cli import publish, recipes, runs
from sagan_lib.conditional import ConditionalBatchNormalization
from sagan_lib.evaluation import judge

#: The list that a script adds its network to.
NAME = "SAGAN_WEIGHTS"
#: What `network.js` draws, without labels and with them: what its arrays' names begin with; size of
#: the noise, side of the images, sides that attend.
PLANS = {False: ("g", (64, 64, [16])), True: ("order", (32, 32, []))}
#: What can be exported of what comes with the book.
NETWORKS = (*recipes.PUBLISHED, Path(judge.WEIGHTS).name.partition(".")[0])


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
    names = ("moving_mean", "moving_variance", "gamma", "beta")
    mean, variance, *own = (getattr(norm, name) for name in names)
    mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    gamma, beta = (
        np.full(len(mean), without) if given is None else np.asarray(given, np.float64)
        for given, without in zip(own, (1.0, 0.0), strict=True)
    )
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
            them, conditional or not, and self-attention of the article's variant.
        prefix: of the names.

    Raises:
        ValueError: it has a layer that the script cannot compute.
    """
    found = {}
    layers = [layer for layer in model.layers if layer.weights]
    for index, layer in enumerate(layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            if isinstance(layer, ConditionalBatchNormalization):  # the rest is in the layer before
                found[f"{prefix}/{layer.name}/gains"] = np.asarray(layer.gains)
                found[f"{prefix}/{layer.name}/offsets"] = np.asarray(layer.offsets)
            continue
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
    told = f' shapes: {json.dumps(shapes)},\n data: "{data}"\n'
    return f"(window.{NAME} ??= []).push({{\n{told}}});\n"


def _planned(generator):
    """What the names of a generator's arrays begin with.

    Raises:
        ValueError: `network.js` has not its layers, which it draws by their names.
    """
    told = len(generator.inputs) > 1
    prefix, plan = PLANS[told]
    sides = [layer.output.shape[1] for layer in attention_layers(generator)]
    found = (generator.inputs[0].shape[-1], generator.output_shape[1], sides)
    names = [layer.name for layer in generator.layers]
    norms = [x for x in generator.layers if isinstance(x, ConditionalBatchNormalization)]
    if found != plan or f"up{plan[1]}" not in names or told != bool(norms):
        told_of = "latent_dim {}, {} pixels, attention at {}".format
        plans = told_of(*plan), told_of(*found)
        raise ValueError(f"the page draws a SAGAN {'with' if told else 'without'} labels of "
                         f"{plans[0]}; got a generator of {plans[1]}, layers {names}")  # fmt: skip
    return prefix


def export(path, run=None, network=recipes.SHIPPED):
    """Write a network as a script: a run's averaged generator, or what comes with the book.

    Args:
        path: of the script.
        run: the run's folder or its run.keras; None for `network`.
        network: of `NETWORKS`, where no run is given.

    Returns:
        The path.

    Raises:
        ValueError: a network that the page cannot compute, or another name.
    """
    checks.one_of("network", network, NETWORKS)
    if run is None and network not in recipes.PUBLISHED:
        named = arrays(judge.load(), "judge")
    else:
        model = publish.published(network).ema_generator if run is None else runs.generator(run)
        named = arrays(model, _planned(model))
    with shipped.replacing(Path(path)) as part:
        part.write_text(script(named))
    return Path(path)
