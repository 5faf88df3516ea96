"""Where a submission's kernel runs: with nothing of the machine but what it needs, and limits.

By bubblewrap, a small program for containers that needs no service and no image. Where there is
none, the instructor must say that students' code may run with the instructor's own rights: another
user's name alone hides neither the solutions nor one submission from the next.
"""

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil

WAYS = ("bubblewrap", "no sandbox")
#: Bytes of memory and of files, files and folders, and processes of one submission.
MEMORY, FILES, MANY, PROCESSES = 6 * 2**30, 2**28, 5000, 64
#: Starts a kernel that has set limits for itself: bytes of a file, of memory, seconds of processor.
_START = f"""
import contextlib, resource, sys
for name, most in (("FSIZE", 2**26), ("DATA", {MEMORY}), ("CPU", 1800), ("CORE", 0)):
    with contextlib.suppress(ValueError, AttributeError):
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (most, most))
sys.path.insert(0, "")
sys.argv.append("--IPKernelApp.exec_lines=import sys; exit = quit = sys.exit")  # ends a cell only
from ipykernel.kernelapp import launch_new_instance
launch_new_instance()
"""
#: Of the system, all that Python and TensorFlow may need; other folders are not even there.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/sys")


def _needed():
    """Folders of this environment: Python, its packages, the library and what comes with it."""
    library = library_folder()
    return [sys.base_prefix, sys.prefix, library, library.parent / "data"]


def library_folder():
    """The folder of `sagan_lib`."""
    return Path(importlib.util.find_spec("sagan_lib").origin).parent


def prefix(way, own):
    """The words before a command that run it in one of the `WAYS`.

    Args:
        way: of `WAYS`.
        own: the folder that it may write to. With bubblewrap all others can only be read, and there
            are none but the system's and Python's.

    Raises:
        ValueError: unknown way.
    """
    if way == "no sandbox":
        return []
    if way != "bubblewrap":
        raise ValueError(f"way must be one of {WAYS}, got {way!r}")
    # An interrupt goes to the whole group. It is meant for the kernel, and would end bubblewrap.
    words = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", "bwrap", "--die-with-parent",
             "--unshare-all", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev",
             "--size", str(2**24), "--tmpfs", "/dev/shm", "--remount-ro", "/dev",
             "--size", str(2**24), "--tmpfs", "/tmp",
             "--unsetenv", "JPY_PARENT_PID"]  # fmt: skip  # a parent of another world
    for folder in (*_SYSTEM, *map(str, _needed())):
        words += ["--ro-bind-try", folder, folder]
    return [*words, "--bind", str(own), str(own)]


@functools.cache
def best():
    """The sandbox if it works here, tried once, or None."""
    if shutil.which("bwrap") is None:
        return None
    words = [*prefix(WAYS[0], tempfile.gettempdir()), sys.executable, "-c"]
    done = subprocess.run([*words, "import ipykernel, nbformat, sagan_lib"], capture_output=True)
    return WAYS[0] if done.returncode == 0 else None


def write_kernel(folder, own, way):
    """Describe a kernel to Jupyter that runs in the sandbox, under the name "graded".

    Args:
        folder: for the description.
        own: the submission's own folder.
        way: of `WAYS`.
    """
    (folder / "graded").mkdir(parents=True)
    start = [sys.executable, "-c", _START, "-f", "{connection_file}"]
    described = {"display_name": "graded", "language": "python",
                 "argv": [*prefix(way, own), *start]}  # fmt: skip
    (folder / "graded" / "kernel.json").write_text(json.dumps(described))


class Watch:
    """Ends a submission that takes more than it may; used in a `with`.

    Args:
        mark: what `end` knows its processes by.
        kernel: the manager of its kernel.
        own: the folder that it may write to.
        seconds: how long it may run.

    Attributes:
        said: why it was ended, or None.
    """

    def __init__(self, mark, kernel, own, seconds):
        self._mark, self._kernel, self._own, self._left = mark, kernel, own, seconds
        self.said, self._done = None, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()

    def _look(self):
        while not self._done.wait(0.5):
            self._left -= 0.5
            self.said = self._too_much()
            if self.said:
                end(self._mark)
                return

    def _too_much(self):
        """A sentence on what there is too much of, or None."""
        if self._left < 0:
            return "it ran for too long"
        try:
            first = psutil.Process(self._kernel.provisioner.pid)
            all_of_it = [first, *first.children(recursive=True)]
        except (psutil.Error, AttributeError):  # it has ended
            return None
        memory = 0
        for each in all_of_it:
            with contextlib.suppress(psutil.Error):
                memory += each.memory_info().rss
        if memory > MEMORY:
            return f"it took more than {MEMORY // 2**30} GiB of memory"
        if len(all_of_it) > PROCESSES:
            return f"it started more than {PROCESSES} processes"
        return _too_many(self._own)


def _too_many(own):
    """A sentence on too many files in a folder, or None; by a list, since folders nest deeply."""
    files, size, folders = 0, 0, [own]
    while folders:
        try:
            inside = os.scandir(folders.pop())
        except FileNotFoundError:  # it is gone by now
            continue
        except OSError:  # what is in it could not be counted
            return "it made a folder that cannot be read"
        with inside:
            for each in inside:
                if each.is_dir(follow_symlinks=False):
                    folders.append(each.path)
                files += 1
                with contextlib.suppress(OSError):
                    size += each.stat(follow_symlinks=False).st_blocks * 512
                if files > MANY or size > FILES:
                    return f"it wrote more than {MANY} files or {FILES // 2**20} MiB"
    return None


def end(mark):
    """Kill every process that was started with an environment variable of this value.

    A process may leave its group and its session; the environment that it began with stays.

    Args:
        mark: the value of GRADING, one for each submission.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("GRADING") == mark:
                process.kill()
