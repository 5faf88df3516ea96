"""One picture: whatever wrote it, the pixels are those that a viewer shows."""

import io
import threading

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


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_scaled(kind):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image, size = decode.picture(stored(Image.fromarray(ramp), kind), 8)
    expected = np.rint(ramp / 257).astype(int)
    assert np.abs(np.array(grey(image)) - expected).max() <= 1
    assert size == (8, 8)


def test_numbers_from_0_to_1_are_scaled_and_what_is_no_number_is_refused():
    ramp = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    image, _ = decode.picture(stored(Image.fromarray(ramp), "TIFF"), 4)
    assert np.abs(image[..., 0] - 255 * ramp).max() <= 1
    with pytest.raises(ValueError, match="not a number"):
        decode.picture(stored(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"), 4)


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


def test_more_pixels_than_any_photograph_are_refused(monkeypatch):
    monkeypatch.setattr(decode, "MOST_PIXELS", 99)
    with pytest.raises(ValueError, match="10 x 10 pixels are more than 99"):
        decode.picture(stored(Image.new("RGB", (10, 10))), 8)


def test_large_pictures_are_decoded_one_at_a_time(monkeypatch):
    monkeypatch.setattr(decode, "MANY_PIXELS", 50)
    at_once, most, lock = [0], [0], threading.Lock()
    real = decode._square

    def watched(*args):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        found = real(*args)
        with lock:
            at_once[0] -= 1
        return found

    monkeypatch.setattr(decode, "_square", watched)
    files = [stored(Image.new("RGB", (300, 300), "red")) for _ in range(8)]
    threads = [threading.Thread(target=decode.picture, args=(file, 8)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


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
