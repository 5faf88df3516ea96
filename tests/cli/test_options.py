"""The options: help and refusals come at once, and every part of a recipe is one."""

import dataclasses
import subprocess
import sys

import pytest

from sagan_lib import devices
from sagan_lib.__main__ import main
from sagan_lib.cli import options, recipes


@pytest.mark.parametrize(
    "command",
    [[], ["train", "--recipe", "x"], ["train", "--devices", "none"], ["paint"], ["judge"]],
)
def test_wrong_options_show_the_usage(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main(command)
    assert caught.value.code == 2
    assert "usage: python -m sagan_lib" in capsys.readouterr().err


def test_every_field_of_a_recipe_is_an_option_with_its_meaning(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(recipes.Recipe):
        assert f"--{field.name.replace('_', '-')} " in shown
        assert field.metadata["help"].split()[0] in shown


def test_help_needs_no_tensorflow():
    code = "import sys; from sagan_lib.__main__ import main\ntry: main(['--help'])\n"
    code += "except SystemExit: print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("option", "value"),
    [("data", "./faces"), ("data", "faces/"), ("data", ""),  # the registry refuses the empty one
     *(("devices", name) for name in devices.STRATEGIES)],
)  # fmt: skip
def test_data_is_taken_as_it_was_typed_and_every_set_of_devices_is_a_choice(option, value):
    given = options.parser("").parse_args(["train", f"--{option}", value])
    assert getattr(given, option) == value
