"""The doctor finds what is wrong and says what to do about it."""

import importlib.metadata
import re
import shutil
import subprocess
import tempfile
from types import SimpleNamespace

import pytest
from PIL import Image

from sagan_lib import devices, shipped
from sagan_lib.cli import doctor, recipes
from sagan_lib.datasets import cache


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    """So that the other checks have the same result on every machine."""
    monkeypatch.setattr(shutil, "which", lambda _: None)


@pytest.fixture(autouse=True)
def onednn(request, monkeypatch):
    """Both measured once, by the first test; the others only need to know that they are."""
    if request.function is not test_this_machine_is_ready:
        monkeypatch.setattr(doctor, "step", lambda: (True, "a step", ""))
    if request.function is not test_this_machine_is_ready and "onednn" not in request.node.name:
        monkeypatch.setattr(doctor, "onednn", lambda: (True, "oneDNN is on", ""))


def failures(data=None):
    """(what was found, advice) of the checks that did not pass."""
    return [(found, advice) for passed, found, advice in doctor.checks(data) if not passed]


@pytest.mark.book
def test_this_machine_is_ready(capsys):
    assert doctor.main() == 0
    out = capsys.readouterr().out
    assert "FAIL" not in out
    assert out.splitlines()[-1] == "ready"
    assert f"scale: {devices.scale()}" in out
    found = re.search(
        r"ok    a step of 64 images of (\d+) pixels: ([\d,]+) images/s, about (.+) GiB, float32, "
        r"TF32 off, (compiled by|traced without) XLA in \d+ s",
        out,
    )
    assert found[1] == {"cpu": "32", "gpu": "64"}[devices.scale()]
    assert int(found[2].replace(",", "")) > 0
    assert 0.05 < float(found[3]) < 16
    for package in doctor.WANTED:
        assert f"ok    {package} {importlib.metadata.version(package)}" in out
    for name in shipped.checksums():
        assert f"ok    data/{name}: checksum right" in out


def test_an_old_and_a_missing_package_are_named_with_the_command(monkeypatch, capsys):
    version = importlib.metadata.version

    def pretend(name):
        if name == "pillow":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0" if name == "keras" else version(name)

    monkeypatch.setattr(importlib.metadata, "version", pretend)
    found = dict(failures())
    assert set(found) == {"keras 1.0", "pillow is not installed"}
    assert found["keras 1.0"].startswith("pip install 'keras")
    assert found["pillow is not installed"].startswith("pip install 'pillow")
    assert doctor.main() == 1
    assert "2 to mend" in capsys.readouterr().out


def test_a_checkout_that_is_not_installed(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", unknown)
    assert "pip install" in dict(failures())["sagan_lib is not installed"]


def test_an_unsupported_python(monkeypatch):
    version = type("V", (tuple,), {"major": 3, "minor": 10})((3, 10))
    monkeypatch.setattr(doctor, "sys", SimpleNamespace(version_info=version))
    ((found, advice),) = failures()
    assert found == "Python 3.10"
    assert "3.11" in advice


@pytest.mark.parametrize(
    ("visible", "listing", "passed", "words"),
    [
        (["a GPU"], None, True, "1 GPU visible"),
        ([], None, True, "no GPU"),
        ([], "", True, "no GPU"),
        ([], "GPU 0: some card", False, "TensorFlow does not see it"),
    ],
)
def test_a_gpu_that_tensorflow_does_not_see(monkeypatch, visible, listing, passed, words):
    answer = subprocess.CompletedProcess([], 0, stdout=listing)
    monkeypatch.setattr(devices, "gpus", lambda: visible)
    monkeypatch.setattr(shutil, "which", lambda name: listing if listing is None else name)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    result, found, advice = doctor._gpu()
    assert (result, words in found) == (passed, True)
    assert passed or ".[gpu]" in advice


def test_damaged_shipped_weights(monkeypatch, tmp_path):
    (tmp_path / "a.h5").write_bytes(b"weights")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  a.h5\n{'0' * 64}  b.h5\n")
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    (damaged, advice), (missing, _) = failures()
    assert "a.h5: its checksum" in damaged
    assert "b.h5: missing" in missing
    assert advice.startswith("git checkout")


def test_data_that_cannot_be_used(tmp_path):
    ((found, advice),) = failures(tmp_path)
    assert "no image files" in found
    assert "data/README.md" in advice


def test_data_that_decodes_and_a_celeba_file_that_was_cut_off(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    assert failures(tmp_path) == []
    assert recipes.advice(1) in doctor._images(tmp_path)[1], "few pictures are told what to do"
    (tmp_path / "img_align_celeba.zip").write_bytes(b"cut off")
    ((found, advice),) = failures(tmp_path)
    assert "another checksum than the published file" in found
    assert "download it again" in advice


def test_a_damaged_cache_of_the_data_is_named(tmp_path, monkeypatch):
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    monkeypatch.setattr(cache, "check", lambda path: {path / "a.npy": True, path / "b.npy": False})
    ((found, advice),) = failures(tmp_path)
    assert f"{tmp_path}/b.npy: decoded pictures, damaged" in found
    assert f"remove {tmp_path}/b.npy" in advice


def test_another_layout_of_images_is_named(monkeypatch):
    monkeypatch.setattr(doctor.keras.config, "image_data_format", lambda: "channels_first")
    ((found, advice),) = failures()
    assert found == "Keras's image_data_format is channels_first"
    assert "keras.json" in advice


@pytest.mark.parametrize(
    ("on", "here", "other", "passed", "words"),
    [
        (True, 1.0, 2.0, True, "on: a convolution takes 0.50 of the time"),
        (False, 2.0, 1.0, False, "off: with it a convolution would take 0.50 of the time"),
        (False, 1.0, 1.0, True, "would take 1.00"),
    ],
)
def test_onednn_is_on_or_what_it_would_bring(monkeypatch, on, here, other, passed, words):
    asked = {}

    def run(_, env, **options):
        asked.update(env)
        return subprocess.CompletedProcess([], 0, stdout=str(other))

    monkeypatch.setattr(devices, "onednn", lambda: on)
    monkeypatch.setattr(doctor, "convolution_seconds", lambda: here)
    monkeypatch.setattr(subprocess, "run", run)
    result, found, advice = doctor.onednn()
    assert (result, words in found) == (passed, True)
    assert asked["TF_ENABLE_ONEDNN_OPTS"] == "01"[not on]
    assert passed or "TF_ENABLE_ONEDNN_OPTS=1" in advice


def test_no_place_for_decoded_pictures(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    ((found, advice),) = failures()
    assert "Not a directory" in found
    assert "XDG_CACHE_HOME" in advice
