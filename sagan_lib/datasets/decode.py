"""One picture from a file, whatever wrote it: upright, opaque, 8 bits, cropped, resized."""

import contextlib
import io
import shutil
import threading
import zlib

import numpy as np
from PIL import Image, ImageOps

from sagan_lib import checks

#: Pictures with more pixels than this are refused: no photograph has them, and a file of half a
#: megabyte can claim them.
MOST_PIXELS = 200_000_000
#: Files with more bytes than this are refused: 8 bits of four colours of so many pixels.
MOST_BYTES = 4 * MOST_PIXELS
#: JPEGs with more pixels than this are made smaller by their decoder.
MANY_PIXELS = 25_000_000
#: Files with more bytes than this are read and decoded while no other picture is.
MANY_BYTES = 2**24

Image.MAX_IMAGE_PIXELS = None  # the limit above is said in its place
# Blocks of this size go back to the system when they are freed. glibc keeps those of up to 32 MiB
# in each thread, so that the memory of pictures decoded one after the other would add up.
Image.core.set_block_size(2**26)


class Room:
    """Memory for the pictures that are being decoded: all together take what one of them may.

    Args:
        size: in bytes.
    """

    def __init__(self, size):
        self.size = self._free = size
        self._freed, self._next, self._mine = threading.Condition(), threading.Lock(), set()

    @contextlib.contextmanager
    def hold(self, size):
        """Meanwhile this thread holds so many bytes, or all there are; inside of that, no more.

        Args:
            size: in bytes. Who comes first is let in first, or many small ones would keep a large
                one waiting, and their results in memory.
        """
        me = threading.get_ident()
        if me in self._mine:
            yield
            return
        size = min(size, self.size)
        with self._next, self._freed:
            self._freed.wait_for(lambda: self._free >= size)
            self._free -= size
        self._mine.add(me)
        try:
            yield
        finally:
            self._mine.discard(me)
            with self._freed:
                self._free += size
                self._freed.notify_all()


#: A pixel takes 4 bytes, and is there twice when the square is cut out of the whole.
ROOM = Room(8 * MOST_PIXELS)


def suffixes():
    """The endings of file names that Pillow can read, in small letters, with their dot."""
    Image.init()
    return {ending for ending, kind in Image.EXTENSION.items() if kind in Image.OPEN}


def file(opened, size, resolution, crop=None):
    """`picture` of a file, refused by its size before it is read.

    Args:
        opened: function that opens the file.
        size: in bytes, as a folder or an archive has it.
        resolution: as in `picture`.
        crop: likewise.

    Returns:
        (uint8 (resolution, resolution, 3), (width, height) of the file, CRC-32 of its bytes).

    Raises:
        Exception: as `picture`; ValueError for more than `MOST_BYTES`. What has an errno is the
            system's and says nothing of the picture: nothing is decoded from the disk.
    """
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes are more than {MOST_BYTES:,}")
    alone = ROOM.hold(ROOM.size) if size > MANY_BYTES else contextlib.nullcontext()
    with alone, io.BytesIO() as stream:
        with opened() as source:
            shutil.copyfileobj(source, stream, 2**20)  # in parts: a member's `read` takes twice
        crc = zlib.crc32(stream.getbuffer())
        return *picture(stream, resolution, crop), crc


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
        with ROOM.hold(8 * width * height):
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
    opened.im = None  # the whole picture's memory, while the square is worked on
    # In place, so that it is turned although what else is in a damaged block cannot be written
    # anew. Whatever the block's parser raises, the pixels are not in it.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    image = _opaque(image).resize((resolution, resolution), Image.Resampling.LANCZOS)
    return np.asarray(image, np.uint8)


def _opaque(image):
    """8 bits of red, green and blue; what is transparent is white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    white = _white(image)
    result = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        result.paste(_opaque_strip(strip, white), (0, top))
    return result


def _strips(image, pixels=2**20):
    """(row, part of the image from there on): what takes several copies takes them of a part."""
    rows = max(1, pixels // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _opaque_strip(image, white):
    if white is not None:
        values = np.asarray(image, np.float64)
        grey = Image.fromarray(np.uint8(np.clip(np.rint(values * 255 / white), 0, 255)))
        return grey.convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), colours).convert("RGB")
    return image.convert("RGB")


def _white(image):
    """White in grey of 16 bits, or of numbers from 0 to 1 or 255; None in other modes."""
    if image.mode.startswith("I"):
        return 65535
    if image.mode != "F":
        return None
    ends = np.array([(np.min(strip), np.max(strip)) for _, strip in _strips(image)])
    if not np.isfinite(ends).all():
        raise ValueError("a pixel is not a number")
    return 1 if ends.max() <= 1 else 255
