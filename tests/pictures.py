"""Pictures for the tests of data sets."""

import numpy as np
from PIL import Image


def picture(value, size=(178, 218)):
    """A picture with soft structure, different for each value; survives JPEG."""
    x, y = np.linspace(0, 3, size[0]), np.linspace(0, 3, size[1])[:, None]
    waves = [np.sin(x + value) * np.cos(y), np.cos(x * y / 3 + value), np.sin(y - value) + 0 * x]
    return Image.fromarray(np.uint8(np.stack(waves, -1) * 100 + 128))
