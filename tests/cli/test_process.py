"""Streams that end no command, signals that end one, processes that end with their parent."""

import os
import signal
import subprocess
import sys

import pytest
from processes import alive, until

from sagan_lib.cli import process

PRINTS = """
import sys
from sagan_lib.cli import process
process.patient_streams()
for number in range(100_000):
    print("Köln, 模型", number)
print("done", file=sys.stderr)
"""


def program(code, **options):
    return subprocess.Popen([sys.executable, "-c", code], text=True, **options)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_lacks_a_letter_shows_its_number(encoding):
    code = PRINTS.replace("100_000", "2")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          encoding=encoding, env=os.environ | {"PYTHONIOENCODING": encoding},
                          check=False)  # fmt: skip
    city = "K\\xf6ln" if encoding == "ascii" else "Köln"
    assert done.stdout.splitlines() == [f"{city}, \\u6a21\\u578b {n}" for n in range(2)]
    assert (done.returncode, done.stderr) == (0, "done\n")


@pytest.mark.parametrize("read", ["stdout", "stderr"])
def test_a_reader_that_leaves_ends_nothing(read, tmp_path):
    code = PRINTS.replace("number)", f"number, file=sys.{read})")
    code += f"open({str(tmp_path / 'x')!r}, 'w')"
    ours = program(code, **{read: subprocess.PIPE})
    assert getattr(ours, read).readline() == "Köln, 模型 0\n"
    getattr(ours, read).close()
    assert ours.wait(60) == 0
    assert (tmp_path / "x").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_ends_nothing_and_is_told():
    with open("/dev/full", "w") as full:
        ours = program(PRINTS, stdout=full, stderr=subprocess.PIPE)
        said = ours.communicate(timeout=60)[1]
    assert ours.returncode == 0
    assert said == "warning: nothing more can be printed (No space left on device)\ndone\n"


def test_streams_of_a_notebook_are_left_alone(monkeypatch):
    other = object()
    monkeypatch.setattr(sys, "stdout", other)
    monkeypatch.setattr(sys, "stderr", None)  # as a program without a console has it
    process.patient_streams()
    assert sys.stdout is other


@pytest.mark.parametrize("number", process.ENDS)
def test_signals_end_as_ctrl_c_does_and_handlers_come_back(number, handle):
    handle(number, signal.default_int_handler)  # the suite may run under nohup
    with pytest.raises(KeyboardInterrupt) as caught, process.ended_by_signals():
        signal.raise_signal(number)
    assert process.status(caught.value) == 128 + number
    assert signal.getsignal(number) == signal.default_int_handler
    assert process.status(KeyboardInterrupt()) == 130


def test_what_nohup_ignores_ends_nothing(handle):
    handle(signal.SIGHUP, signal.SIG_IGN)
    with process.ended_by_signals():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


POOL = """
import concurrent.futures, multiprocessing, subprocess, sys, time
from sagan_lib.cli import process

def work(_):
    child = subprocess.Popen(["sleep", "300"])
    print(multiprocessing.current_process().pid, child.pid, flush=True)
    time.sleep(300)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    pool = concurrent.futures.ProcessPoolExecutor(2, context, process.end_with_parent)
    list(pool.map(work, range(2)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_and_what_it_started_end_with_a_killed_parent(method, tmp_path):
    (tmp_path / "pool.py").write_text(POOL)
    parent = subprocess.Popen([sys.executable, tmp_path / "pool.py", method], text=True,
                              stdout=subprocess.PIPE)  # fmt: skip
    numbers = [int(word) for _ in range(2) for word in parent.stdout.readline().split()]
    assert len(numbers) == 4
    assert all(map(alive, numbers))
    parent.kill()
    parent.wait()
    until(lambda: not any(map(alive, numbers)), 20)


def test_a_process_that_is_of_no_pool_watches_nobody():
    import threading

    before = threading.active_count()
    process.end_with_parent()
    assert threading.active_count() == before


DEAF = """
import multiprocessing, signal
from sagan_lib.cli import process

def hears(_):
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with process.deaf_to_ctrl_c():
        pool = context.Pool(1, maxtasksperchild=1)
    print(pool.map(hears, range(3), 1), hears(0))
    pool.terminate()
"""


def test_a_pool_that_is_started_meanwhile_does_not_hear_ctrl_c(tmp_path):
    """Nor do the processes by which it replaces others later."""
    (tmp_path / "deaf.py").write_text(DEAF)
    command = [sys.executable, tmp_path / "deaf.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[False, False, False] True\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can")
def test_a_program_is_killed_with_its_parent():
    code = (
        "import subprocess, time; from sagan_lib.cli import process\n"
        "child = subprocess.Popen(['sleep', '300'], preexec_fn=process.killed_with_parent)\n"
        "print(child.pid, flush=True); time.sleep(300)"
    )
    parent = program(code, stdout=subprocess.PIPE)
    number = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until(lambda: not alive(number), 10)
