"""One picture from a file, whatever wrote it: upright, opaque, 8 bits, cropped, resized."""

import contextlib
import threading

import numpy as np
from PIL import Image, ImageOps

from sagan_lib import checks

#: Pictures with more pixels than this are refused: no photograph has them, and a file of half a
#: megabyte can claim them.
MOST_PIXELS = 200_000_000
#: Pictures with more pixels than this are decoded one at a time, so that memory holds only one.
MANY_PIXELS = 25_000_000

_ONE_AT_A_TIME = threading.Lock()
Image.MAX_IMAGE_PIXELS = None  # the limit above is said in its place


def suffixes():
    """The endings of file names that Pillow can read, in small letters, with their dot."""
    Image.init()
    return {ending for ending, kind in Image.EXTENSION.items() if kind in Image.OPEN}


def picture(stream, resolution, crop=None):
    """A picture as training takes it.

    The first frame of a moving one; turned as its camera says; transparency on white; 16 bits of
    grey scaled to 8; a centred square, resized with an anti-aliasing filter.

    Args:
        stream: a path, or an open binary file.
        resolution: side of the result in pixels.
        crop: side of the centred square, in pixels of the file; None, and where a picture is
            smaller, takes the largest square.

    Returns:
        (uint8 (resolution, resolution, 3), (width, height) of the file).

    Raises:
        Exception: whatever a decoder raises on a file that is no picture; ValueError for more
            than `MOST_PIXELS`.
    """
    checks.integer("resolution", resolution, 1)
    with Image.open(stream) as opened:
        width, height = opened.size
        if width * height > MOST_PIXELS:
            raise ValueError(f"{width} x {height} pixels are more than {MOST_PIXELS:,}")
        many = width * height > MANY_PIXELS
        with _ONE_AT_A_TIME if many else contextlib.nullcontext():
            return _square(opened, resolution, crop), (width, height)


def _square(opened, resolution, crop):
    side = min(*opened.size, crop or min(opened.size))
    if opened.width * opened.height > MANY_PIXELS and opened.format == "JPEG":
        whole = opened.width
        # The decoder itself makes it smaller, but not below four times what is wanted.
        opened.draft("RGB", [4 * resolution * size // side for size in opened.size])
        side = max(1, side * opened.width // whole)
    # The square is the same before and after the turn; large pictures are cut first.
    left, top = (opened.width - side) // 2, (opened.height - side) // 2
    image = opened.crop((left, top, left + side, top + side))
    # In place, so that it is turned although what else is in a damaged block cannot be written
    # anew. Whatever the block's parser raises, the pixels are not in it.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    image = _opaque(image, opened.info).resize((resolution, resolution), Image.Resampling.LANCZOS)
    return np.asarray(image, np.uint8)


def _opaque(image, info):
    """8 bits of red, green and blue; what is transparent is white."""
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in info:
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), colours).convert("RGB")
    return image.convert("RGB")


def _scaled(image):
    """Grey of 16 bits, or of numbers from 0 to 1, as 8 bits of colour."""
    values = np.asarray(image, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a pixel is not a number")
    most = 65535 if image.mode.startswith("I") else 1 if values.max() <= 1 else 255
    grey = Image.fromarray(np.uint8(np.clip(np.rint(values * 255 / most), 0, 255)))
    return grey.convert("RGB")
