"""A saved run, changed by hand."""

import io
import json
import zipfile

import h5py


def members(path):
    """{name: bytes} of a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, parts):
    """Write a `.keras` file of these members, with right checksums."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def rewritten(path, change, settings=lambda config: None):
    """Change the weights of a `.keras` file, an open h5py.File, and its config, a dict."""
    parts = members(path)
    weights = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(weights, "r+") as opened:
        change(opened)
    config = json.loads(parts["config.json"])
    settings(config)
    write(path, parts | {"model.weights.h5": weights.getvalue(), "config.json": json.dumps(config)})
