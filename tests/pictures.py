"""Pictures for the tests."""

import numpy as np
from PIL import Image


def picture(value, size=(178, 218)):
    """A picture with soft structure, different for each value; survives JPEG."""
    x, y = np.linspace(0, 3, size[0]), np.linspace(0, 3, size[1])[:, None]
    waves = [np.sin(x + value) * np.cos(y), np.cos(x * y / 3 + value), np.sin(y - value) + 0 * x]
    return Image.fromarray(np.uint8(np.stack(waves, -1) * 100 + 128))


def flat(*values, height=4, width=6):
    """Pictures of one grey level each; levels 0..255 as floats in [-1, 1]."""
    ones = np.ones((len(values), height, width, 3), np.float32)
    return ones * (np.float32(values)[:, None, None, None] / 127.5 - 1)
