"""Where a submission runs: what it finds there, and that nothing of it stays."""

import json
import os
import shutil
import subprocess
import sys
import time
import types

import pytest
import sandbox
from harness import SOURCES

needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")


def inside(way, own, code):
    """What Python code prints in the sandbox."""
    command = [*sandbox.prefix(way, own), sys.executable, "-c", code]
    done = subprocess.run(command, cwd=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_bubblewrap
def test_in_bubblewrap_there_is_nothing_but_the_own_folder_and_python(tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
    (other / "gradebook.db").write_text("x")
    found = inside(
        "bubblewrap",
        own,
        f"""
import json, os, socket, sagan_lib
from pathlib import Path
def tried(call):
    try:
        call()
    except OSError as error:
        return type(error).__name__
print(json.dumps({{
    "gradebook": os.path.exists({str(other / "gradebook.db")!r}),
    "problem sets": os.path.exists({str(SOURCES)!r}),
    "tests": os.path.exists({os.path.dirname(__file__)!r}),
    "processes": len([p for p in os.listdir("/proc") if p.isdigit()]),
    "own": Path("mine.txt").write_text("x"),
    "shared memory": tried(lambda: Path("/dev/shm/x").write_bytes(bytes(2**25))),
    "devices": tried(lambda: Path("/dev/x").write_text("x")),
    "library": tried(lambda: Path(sagan_lib.__file__).write_text("x")),
    "network": tried(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
}}))""",
    )
    processes = found.pop("processes")
    assert processes <= 4
    assert found == {
        "gradebook": False, "problem sets": False, "tests": False, "own": 1,
        "library": "OSError", "network": "OSError", "shared memory": "OSError",
        "devices": "OSError",
    }  # fmt: skip
    assert (own / "mine.txt").read_text() == "x"


def test_a_process_that_left_its_group_is_ended_by_its_mark():
    child = subprocess.Popen(
        [sys.executable, "-c", "import os, time\nif os.fork():\n    os._exit(0)\nos.setsid()\n"
         "print(os.getpid(), flush=True)\ntime.sleep(60)"],
        env=os.environ | {"GRADING": "this-one"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    orphan = int(child.stdout.readline())
    child.wait()
    sandbox.end("another")
    os.kill(orphan, 0)  # still there
    sandbox.end("this-one")
    for _ in range(100):
        status = subprocess.run(["ps", "-o", "stat=", "-p", str(orphan)], capture_output=True)
        if not status.stdout.strip() or status.stdout.startswith(b"Z"):
            return
        time.sleep(0.1)
    pytest.fail("the orphan is still running")


def test_the_way_is_one_that_works_and_an_unknown_one_is_refused():
    assert sandbox.best() in ("bubblewrap", None)
    assert sandbox.prefix("no sandbox", "own") == []
    with pytest.raises(ValueError, match=r"way must be one of .*bubblewrap.* got 'jail'"):
        sandbox.prefix("jail", "own")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import mmap\nm = mmap.mmap(-1, 2**29)\nm.write(bytes(2**29))", "GiB of memory"),
        ("for k in range(400):\n    open(f'f{k}', 'w').close()", "wrote more than 300 files"),
        ("for k in range(3):\n    open(f'g{k}', 'wb').write(bytes(2**20))", "or 2 MiB"),
        ("import os\nfor k in range(400):\n    os.mkdir(f'd{k}')", "wrote more than 300 files"),
        ("import os\nfor _ in range(20):\n    os.mkdir(250 * 'x')\n    os.chdir(250 * 'x')",
         "a folder that cannot be read"),
        ("import os\nfor _ in range(9):\n    os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '30')",
         "processes"),
        ("pass", "ran for too long"),
    ],
)  # fmt: skip
def test_what_takes_too_much_is_ended(tmp_path, monkeypatch, code, says):
    """Memory that processes share counts, too, and small files, and folders in folders."""
    for name, most in {"MEMORY": 2**28, "FILES": 2**21, "MANY": 300, "PROCESSES": 8}.items():
        monkeypatch.setattr(sandbox, name, most)
    child = subprocess.Popen([sys.executable, "-c", f"{code}\nimport time\ntime.sleep(60)"],
                             cwd=tmp_path, env=os.environ | {"GRADING": "much"})  # fmt: skip
    kernel = types.SimpleNamespace(provisioner=types.SimpleNamespace(pid=child.pid))
    with sandbox.Watch("much", kernel, tmp_path, 1 if code == "pass" else 30) as watch:
        child.wait(30)
    assert says in watch.said


def test_folders_in_folders_do_not_blind_the_watch(tmp_path, monkeypatch):
    """Python's own walk stops at its limit of recursion, and with it all that is counted."""
    monkeypatch.setattr(sandbox, "MANY", 1050)
    monkeypatch.chdir(tmp_path)
    for _ in range(1100):
        os.mkdir("x")
        os.chdir("x")
    assert "more than 1050 files" in sandbox._too_many(tmp_path)
    subprocess.run(["rm", "-rf", tmp_path / "x"], check=True)  # nor does Python's own removal work
