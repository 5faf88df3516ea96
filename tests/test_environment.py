"""What is declared, what is pinned and what is installed are the same things."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]
# `gpu` replaces a dependency that is pinned anyway.
INSTALLED_EXTRAS = ("book", "test")
BROUGHT_EXTRAS = ("course", "cluster")  # by `test`


def declared():
    """Requirements of the library and of the installed extras that apply to this machine."""
    texts = list(PROJECT["dependencies"])
    for extra in INSTALLED_EXTRAS + BROUGHT_EXTRAS:
        texts += PROJECT["optional-dependencies"][extra]
    found = [Requirement(text) for text in texts]
    ours = canonicalize_name(PROJECT["name"])
    return [
        each
        for each in found
        if canonicalize_name(each.name) != ours and (each.marker is None or each.marker.evaluate())
    ]


def pinned():
    """Package name -> the one version that constraints.txt allows."""
    return {canonicalize_name(pin.name): pin for pin in PINS}


def needs(name, extras=()):
    """Names of the packages that an installed package requires on this machine."""
    for text in metadata.requires(name) or []:
        wanted = Requirement(text)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield wanted


def test_every_dependency_is_pinned_within_its_range():
    for wanted in declared():
        pin = pinned().get(canonicalize_name(wanted.name))
        assert pin is not None, f"{wanted.name} is not in constraints.txt: make pins"
        version = str(next(iter(pin.specifier))).removeprefix("==")
        assert wanted.specifier.contains(version), f"{pin} is outside pyproject's {wanted}"


def everything():
    """Names of all packages that the installation brings in here, but pip and wheel."""
    todo, seen = [(each.name, tuple(each.extras)) for each in declared()], set()
    while todo:
        name, extras = todo.pop()
        if (canonicalize_name(name), extras) not in seen:
            seen.add((canonicalize_name(name), extras))
            todo += [(each.name, tuple(each.extras)) for each in needs(name, extras)]
    return {name for name, _ in seen} - {"pip", "wheel"}


def test_pins_are_those_of_an_installation_and_no_others():
    missing = everything() - set(pinned())
    assert not missing, f"not in constraints.txt: {sorted(missing)}: make pins"
    idle = {name for name in pinned() if is_installed(name)} - everything()
    assert not idle, f"pinned, but nothing needs it: {sorted(idle)}: make pins"


def is_installed(name):
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:  # a package for another system or Python
        return False


def test_what_is_installed_is_what_is_pinned():
    here = {name: metadata.version(name) for name in pinned() if is_installed(name)}
    wrong = [
        f"{name} {version} is installed, {pinned()[name]} is pinned"
        for name, version in here.items()
        if not pinned()[name].specifier.contains(version, prereleases=True)
    ]
    assert not wrong, wrong


def test_conda_environment_installs_the_same_as_make():
    plain = [each for each in CONDA["dependencies"] if isinstance(each, str)]
    by_pip = next(each for each in CONDA["dependencies"] if isinstance(each, dict))["pip"]
    names = [re.split(r"[ <>=]", each)[0] for each in plain]
    assert names == ["python", "pip"], "packages are pip's, or their versions would be other ones"
    assert by_pip == ["-c constraints.txt", "-e .[" + ",".join(INSTALLED_EXTRAS) + "]"]
    makes = [(ROOT / name).read_text() for name in ("Makefile", "_book/setup.sh")]
    assert f"setup.sh {','.join(INSTALLED_EXTRAS)}" in makes[0]
    assert '-c constraints.txt -e ".[$1]"' in makes[1]


def python(code, **environment):
    """What another interpreter prints, on both streams; without this one's settings for it."""
    ours = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=kept | environment,
    )  # fmt: skip


#: What TensorFlow says at its import at any level: information, no warning and no error.
INFORMATION = ("I0000 ", "WARNING: All log messages before absl::InitializeLog")


@pytest.mark.book
def test_onednn_is_on_and_little_is_said():
    done = python("from sagan_lib import devices; print(devices.onednn())")
    more = [line for line in done.stderr.splitlines() if not line.startswith(INFORMATION)]
    assert not more, "TensorFlow's notes at its import"
    if done.stdout == "False\n":
        pytest.skip("this TensorFlow has no oneDNN")
    assert done.stdout == "True\n"


@pytest.mark.book
def test_tensorflow_first_is_told_once_with_the_cure():
    code = (
        "import tensorflow\n"
        "from tensorflow.python.util import _pywrap_util_port as port\n"
        "port.IsMklEnabled = lambda: False\n"
        "from sagan_lib import devices, gan\n"
    )
    warned = [line for line in python(code).stderr.splitlines() if "UserWarning" in line]
    assert len(warned) == 1
    assert "set TF_ENABLE_ONEDNN_OPTS=1" in warned[0]


@pytest.mark.book
def test_one_import_is_enough_to_load_what_the_library_saved(tmp_path):
    """A run, and networks alone; the import may come after Keras's."""
    from sagan_lib import networks

    for kind in networks.KINDS:
        for part, model in zip("gd", networks.build(kind, 16, 4, 4), strict=True):
            model.save(tmp_path / f"{kind}_{part}.keras")
    (tmp_path / "run.keras").write_bytes((ROOT / "tests/data/old_run.keras").read_bytes())
    code = f"""
import pathlib, keras, sagan_lib.gan
for path in sorted(pathlib.Path({str(tmp_path)!r}).iterdir()):
    print(type(keras.models.load_model(path)).__name__)
"""
    names = ["Functional"] * 2 * len(networks.KINDS)
    names.insert(2, "GAN")  # dcgan, run, sagan
    assert python(code).stdout.split() == names


@pytest.mark.book
def test_the_import_changes_nothing_but_unset_variables():
    """What is set stays as it is; TensorFlow is not imported, and Python imports as before."""
    code = (
        "import gc, os, sys\n"
        "seen = lambda: (list(sys.meta_path), sorted(sys.path_hooks, key=id), gc.isenabled())\n"
        "before, was = dict(os.environ), seen()\n"
        "import sagan_lib\n"
        "print(seen() == was, 'tensorflow' in sys.modules, before.items() <= os.environ.items())\n"
        "print(*sorted(set(os.environ) - set(before)))"
    )
    set_before = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_ENABLE_ONEDNN_OPTS": "0"}
    assert python(code, **set_before).stdout.splitlines() == ["True False True", "KERAS_BACKEND"]


@pytest.mark.book
def test_another_backend_of_keras_is_refused_in_one_line():
    code = "import sys\ntry: import sagan_lib\nexcept ImportError as e: print(e)"
    assert python(code, KERAS_BACKEND="jax").stdout == (
        "sagan_lib needs Keras on TensorFlow, got KERAS_BACKEND='jax'\n"
    )
