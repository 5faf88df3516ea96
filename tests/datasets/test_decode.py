"""One picture: whatever wrote it, the pixels are those that a viewer shows."""

import io
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from sagan_lib.datasets import decode


def stored(image, kind="PNG", **options):
    """The image as a file in memory."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def grey(image):
    return image[..., 0].astype(int).tolist()


@pytest.mark.parametrize(
    ("kind", "dtype", "white"), [("PNG", "u2", 65535), ("TIFF", "u2", 65535), ("TIFF", "f4", 1)]
)
def test_sixteen_bits_of_grey_and_numbers_from_0_to_1_are_scaled(kind, dtype, white):
    ramp = np.linspace(0, white, 64).astype(dtype).reshape(8, 8)
    image, size = decode.picture(stored(Image.fromarray(ramp), kind), 8)
    assert np.abs(image[..., 0] - ramp * (255 / white)).max() <= 1
    assert size == (8, 8)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 8, 4))
    found, _ = decode.picture(stored(image.convert(mode)), 8)
    assert grey(found)[0] == [0] * 8
    assert grey(found)[7] == [255] * 8


def test_a_colour_that_is_declared_transparent_is_white():
    image = Image.new("RGB", (8, 8), (10, 20, 30))
    found, _ = decode.picture(stored(image, transparency=(10, 20, 30)), 8)
    assert (found == 255).all()


def test_the_first_frame_of_a_moving_picture():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode.picture(file, 8)[0][0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "YCbCr"])
def test_other_colour_spaces(mode):
    image = Image.new("RGB", (16, 16), "white").convert(mode)
    kind = "TIFF" if mode != "L" else "PNG"
    assert decode.picture(stored(image, kind), 8)[0].min() >= 250


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright_once(orientation, kind, options):
    """Stored as a camera would that is held so; white above, black on the left below."""
    upright = Image.new("RGB", (60, 40), "grey")
    upright.paste("white", (0, 0, 60, 10))
    upright.paste("black", (10, 10, 20, 40))
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    lying = upright if back is None else upright.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found, _ = decode.picture(stored(lying, kind, exif=exif, **options), 40)
    np.testing.assert_array_equal(found, np.asarray(upright.crop((10, 0, 50, 40))))


def test_an_odd_exif_block_does_not_lose_the_pixels(monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (16, 16), "red")
    data = stored(image, "JPEG", exif=exif.tobytes()).getvalue()
    at = data.index(b"Exif\\0\\0".decode("unicode_escape").encode("latin-1"))
    odd = data[: at + 12] + b"\xff" * 12 + data[at + 24 :]
    for file in (data, odd):
        found, _ = decode.picture(io.BytesIO(file), 8)
        assert found[4, 4, 0] > 200
        assert found[4, 4, 2] < 60


def test_a_turn_that_cannot_be_noted_is_made(monkeypatch):
    """Taking the orientation out of a damaged block fails when the pixels are turned already."""

    def fails(self, offset=8):
        raise ValueError("bad block")

    upright = Image.new("RGB", (16, 16), "white")
    upright.paste("black", (0, 8, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = 3
    file = stored(upright.rotate(180), exif=exif)
    monkeypatch.setattr(Image.Exif, "tobytes", fails)
    found, _ = decode.picture(file, 16)
    assert (found[:8] == 255).all()
    assert (found[8:] == 0).all()


def test_pictures_together_take_no_more_memory_than_one_may(monkeypatch):
    """Two of three large ones, or one that claims all of it, or whatever small ones fit."""
    room = decode.Room(250)
    monkeypatch.setattr(decode, "ROOM", room)
    inside, most, lock = [], [0], threading.Lock()
    real = decode._square

    def watched(opened, *args):
        size = min(250, 8 * opened.width * opened.height)
        with lock:
            inside.append(size)
            most[0] = max(most[0], sum(inside))
        time.sleep(0.01)
        found = real(opened, *args)
        with lock:
            inside.remove(size)
        return found

    monkeypatch.setattr(decode, "_square", watched)
    files = [stored(Image.new("RGB", (side, side), "red")) for side in (1, 3, 5, 300) * 4]
    with ThreadPoolExecutor(len(files)) as pool:
        found = list(pool.map(lambda file: decode.picture(file, 8)[0], files))
    assert all((image == [255, 0, 0]).all() for image in found)
    assert 200 < most[0] <= 250  # several at once, never more
    with room.hold(250):  # and all was given back
        assert decode.picture(files[0], 8)[1] == (1, 1)  # who holds it does not wait for itself


def test_a_large_picture_waits_for_its_turn_and_no_longer():
    """Small ones that keep coming do not keep it waiting."""
    room, order, entered = decode.Room(10), [], threading.Event()

    def hold(name, size):
        with room.hold(size):
            order.append(name)
            entered.set()

    with ThreadPoolExecutor(3) as pool:
        with room.hold(5):
            large = pool.submit(hold, "large", 10)
            time.sleep(0.05)
            small = pool.submit(hold, "small", 1)  # there is room for it
            assert not entered.wait(0.1)
        large.result(5), small.result(5)
    assert order == ["large", "small"]


def test_what_is_no_picture_is_refused_and_a_file_by_its_size_before_it_is_opened(monkeypatch):
    monkeypatch.setattr(decode, "MOST_PIXELS", 99)
    monkeypatch.setattr(decode, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="not a number"):
        decode.picture(stored(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"), 4)
    with pytest.raises(ValueError, match="10 x 10 pixels are more than 99"):
        decode.picture(stored(Image.new("RGB", (10, 10))), 8)
    with pytest.raises(ValueError, match="1,001 bytes are more than 1,000"):
        decode.file(lambda: pytest.fail("opened"), 1001, 8)


def test_a_large_file_is_read_while_nothing_else_is(monkeypatch):
    room = decode.Room(10**6)
    monkeypatch.setattr(decode, "ROOM", room)
    monkeypatch.setattr(decode, "MANY_BYTES", 10)
    data = stored(Image.new("RGB", (9, 9), "blue"))

    def opened():
        assert room._free == 0
        return data

    image, size, crc = decode.file(opened, 11, 8)
    assert (image[0, 0].tolist(), size) == ([0, 0, 255], (9, 9))
    assert crc == zlib.crc32(stored(Image.new("RGB", (9, 9), "blue")).getvalue())


PEAK = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from sagan_lib.datasets import decode
def peak():
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // 2**10 if sys.platform == "darwin" else used
decode.picture(sys.argv[1], 16)
before = peak()
decode.ROOM = decode.Room(8 * 3000**2)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda path: decode.picture(path, 16), sys.argv[2:] * 3))
print(peak() - before)
"""


@pytest.mark.book
@pytest.mark.skipif(sys.platform == "win32", reason="no module resource")
def test_large_pictures_leave_no_memory_behind_in_their_threads(tmp_path):
    """Twice 34 MiB at a time, not five times so much in each thread."""
    Image.new("RGBA", (8, 8)).save(tmp_path / "small.png")
    Image.new("RGBA", (3000, 3000), (9, 9, 9, 99)).save(tmp_path / "large.png", compress_level=1)
    files = [tmp_path / "small.png", *[tmp_path / "large.png"] * 2]
    done = subprocess.run([sys.executable, "-c", PEAK, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) / 2**10 < 110


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "I;16", "F", "CMYK"])
def test_strips_are_the_whole_picture(mode, monkeypatch):
    """What takes several copies is done in strips; here of one row, and of all."""
    if mode in ("I;16", "F"):
        dtype = {"I;16": np.uint16, "F": np.float32}[mode]
        image = Image.fromarray(np.arange(400).reshape(20, 20).astype(dtype) * 160)
    else:
        pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 4), np.uint8)
        image = Image.fromarray(pixels).convert(mode)
    whole = decode._opaque(image)
    strips = decode._strips
    monkeypatch.setattr(decode, "_strips", lambda image: strips(image, 1))
    assert len(list(decode._strips(image))) == 20
    np.testing.assert_array_equal(decode._opaque(image), whole)


def test_a_large_jpeg_is_the_same_picture(monkeypatch):
    x, y = np.linspace(0, 3, 640), np.linspace(0, 3, 480)[:, None]
    waves = np.stack([np.sin(x) * np.cos(y), np.cos(x * y), np.sin(y) + 0 * x], -1)
    data = stored(Image.fromarray(np.uint8(waves * 100 + 128)), "JPEG", quality=95).getvalue()
    small = [decode.picture(io.BytesIO(data), 32, crop)[0] for crop in (None, 200)]
    monkeypatch.setattr(decode, "MANY_PIXELS", 1000)
    for crop, plain in zip((None, 200), small, strict=True):
        drafted, size = decode.picture(io.BytesIO(data), 32, crop)
        assert size == (640, 480)
        assert np.abs(drafted.astype(int) - plain).mean() < 2
