"""The experiments' command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import until

from sagan_experiments import ledger, measures
from sagan_experiments.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def test_claims_are_listed_with_their_verdicts(capsys):
    assert main(["claims", "list", "ttur", "operator"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ttur", "operator"]
    assert all(any(verdict in line for verdict in ledger.VERDICTS) for line in lines)


def test_claims_are_checked_and_a_flip_is_an_error(monkeypatch, capsys):
    assert main(["claims", "check", "double-count"]) == 0
    monkeypatch.setitem(measures.MEASURES, "double_count", lambda seed: 1.0 + seed / 100)
    assert main(["claims", "check", "double-count"]) == 2
    assert "double-count: was 'holds'" in capsys.readouterr().err


def test_the_pilot_takes_no_names(capsys):
    assert main(["trials", "pilot", "sn"]) == 2
    assert "the pilot takes no names, got sn" in capsys.readouterr().err


def test_names_may_stand_before_or_after_options(monkeypatch):
    asked = []
    monkeypatch.setattr(ledger, "run", lambda *arguments: asked.append(arguments[:3]))
    for words in (["ttur", "hinge", "--looks", "1", "--jobs", "2"],
                  ["--looks", "1", "ttur", "hinge", "--jobs", "2"],
                  ["--looks", "1", "--jobs", "2", "ttur", "hinge"]):  # fmt: skip
        assert main(["claims", "run", *words]) == 0
    assert asked == [(["ttur", "hinge"], 1, 2)] * 3
    with pytest.raises(SystemExit):
        main(["claims", "run", "ttur", "--nothing"])


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_ends_what_it_started(number, tmp_path):
    """A terminal's Ctrl-C comes to the workers, too."""
    command = [sys.executable, "-m", "sagan_experiments", "claims", "run", "ttur", "--jobs", "2",
               "--out", str(tmp_path / "claims.json")]  # fmt: skip
    ours = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip

    def alive():
        listed = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(ours.pid)],
                                capture_output=True, text=True)  # fmt: skip
        return [line for line in listed.stdout.splitlines() if " Z" not in line]

    until(lambda: len(alive()) >= 4, 120)  # itself, a tracker, two workers
    if number == signal.SIGINT:
        os.killpg(ours.pid, number)
    else:
        ours.kill()
    said = ours.communicate(timeout=60)[1]
    if number == signal.SIGINT:
        assert ours.returncode == 128 + number
        assert said.endswith("\nstopped; what is done is kept, and the same command goes on from "
                             "there\n")  # fmt: skip
    assert "Traceback" not in said
    until(lambda: not alive())


@pytest.mark.parametrize("command", ["stages", "far", "bench"])
def test_a_word_that_a_command_does_not_take_is_refused(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "foo"])
    assert stopped.value.code == 2
    assert "unrecognized arguments: foo" in capsys.readouterr().err
