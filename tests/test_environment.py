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
from packaging.specifiers import SpecifierSet
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


def test_every_pin_is_one_exact_version():
    for pin in PINS:
        operators = [each.operator for each in pin.specifier]
        assert operators == ["=="], f"constraints.txt: {pin} is not an exact version"
        assert not pin.url
    assert len(pinned()) == len(PINS), "constraints.txt names a package twice"


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


def test_every_dependency_is_installed():
    for wanted in declared():
        assert wanted.specifier.contains(metadata.version(wanted.name), prereleases=True), wanted


def test_conda_environment_installs_the_same_as_make():
    plain = [each for each in CONDA["dependencies"] if isinstance(each, str)]
    by_pip = next(each for each in CONDA["dependencies"] if isinstance(each, dict))["pip"]
    names = [re.split(r"[ <>=]", each)[0] for each in plain]
    assert names == ["python", "pip"], "packages are pip's, or their versions would be other ones"
    assert by_pip == ["-c constraints.txt", "-e .[" + ",".join(INSTALLED_EXTRAS) + "]"]
    makes = (ROOT / "_book" / "setup.sh").read_text()
    assert all(each.split()[1] in makes for each in by_pip)


def test_conda_environment_has_a_python_that_fits():
    spec = next(each for each in CONDA["dependencies"] if str(each).startswith("python"))
    conda, ours = (
        SpecifierSet(spec.removeprefix("python")),
        SpecifierSet(PROJECT["requires-python"]),
    )
    versions = [f"3.{minor}" for minor in range(8, 20)]
    assert [v for v in versions if v in conda] == [v for v in versions if v in ours]
    assert ".".join(map(str, sys.version_info[:3])) in ours


def repository_files():
    """Files that are, or would be, committed."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout.split("\0")  # fmt: skip
    except (OSError, subprocess.CalledProcessError):  # unpacked from an archive
        skipped = {".venv", "_build", ".git", "runs"}
        listed = [
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if not skipped & set(path.relative_to(ROOT).parts)
        ]
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


# Put together here, so that this file does not name them either.
REGISTRIES = [
    ".".join(parts).encode()
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("anaconda", "org"), ("npmjs", "org"),
        ("npmjs", "com"), ("yarnpkg", "com"), ("pypi", "python", "org"),
    )
]  # fmt: skip


@pytest.mark.parametrize("host", REGISTRIES, ids=lambda host: host.decode().replace(".", "-"))
def test_no_file_names_a_package_registry(host):
    named = [str(p.relative_to(ROOT)) for p in repository_files() if host in p.read_bytes()]
    assert not named, f"{named}: where packages come from is each installation's choice"


def python(code, **environment):
    """What another interpreter prints, on both streams; without this one's settings for it."""
    ours = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=kept | environment,
    )  # fmt: skip


def test_onednn_is_on_without_a_word_unless_the_user_chose_otherwise():
    code = "from sagan_lib import devices; print(devices.onednn())"
    done = python(code)
    assert done.stderr == "", "TensorFlow's chatter at its import"
    if done.stdout == "False\n":
        pytest.skip("this TensorFlow has no oneDNN")
    chosen = python(code, TF_ENABLE_ONEDNN_OPTS="0")
    assert (chosen.stdout, chosen.stderr) == ("False\n", "")


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


@pytest.mark.parametrize(
    "first", ["import sagan_lib, keras", "import keras, sagan_lib",
              "from sagan_lib.spectral_norm import SNDense; import keras"],
)  # fmt: skip
def test_importing_the_library_is_enough_to_load_what_it_saved(first):
    saved = ROOT / "tests" / "data" / "old_run.keras"
    code = f"{first}; print(type(keras.models.load_model({str(saved)!r})).__name__)"
    assert python(code).stdout == "GAN\n"


@pytest.mark.parametrize("enabled", [True, False])
def test_pythons_collector_leaves_what_the_import_made_alone_and_works_as_before(enabled):
    code = (
        f"import gc; gc.enable() if {enabled} else gc.disable()\n"
        "import sagan_lib, keras\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 10**5, gc.get_count()[0] < 10**5)\n"
    )
    assert python(code).stdout == f"{enabled} True True\n"


def test_a_real_error_at_tensorflows_import_is_still_said():
    code = (
        "import os, sagan_lib\n"
        "with sagan_lib.without_chatter():\n"
        "    os.write(2, b'I0000 00:00:17 port.cc:153] a note\\nE0000 a real error\\n')\n"
    )
    assert python(code).stderr == "E0000 a real error\n"


def test_another_backend_of_keras_is_refused_in_one_line():
    code = "import sys\ntry: import sagan_lib\nexcept ImportError as e: print(e)"
    assert python(code, KERAS_BACKEND="jax").stdout == (
        "sagan_lib needs Keras on TensorFlow, got KERAS_BACKEND='jax'\n"
    )
