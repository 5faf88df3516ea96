"""One contender's process."""

import pytest

from sagan_experiments.speed import case as cases
from sagan_experiments.speed import process

TINY = cases.case("16x4", batch=4)


def test_a_process_that_dies_gives_a_reason():
    child = object.__new__(process.Child)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.sys, "executable", "/bin/false")
        with pytest.raises(RuntimeError, match="ended with status 1"):
            child.__init__("ours", TINY, 20)


@pytest.mark.parametrize(("name", "setting"), [("keras", "1"), ("keras_default", "")])
def test_onednn_is_on_or_left_to_tensorflow(name, setting, monkeypatch):
    asked = {}

    def popen(*_, env, **__):
        asked.update(env)
        raise OSError("seen enough")

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    with pytest.raises(OSError, match="seen enough"):
        process.Child(name, TINY, 20)
    assert asked["TF_ENABLE_ONEDNN_OPTS"] == setting


def test_a_child_that_did_not_read_its_last_request_closes_quietly():
    child = process.Child("ours", TINY, 120)
    child._process.kill()
    child._process.wait()
    child._process.stdin.write("{" * 10)  # stays in the buffer
    child.close()
    with pytest.raises(ValueError, match="closed file"):
        child._process.stdin.write("x")
