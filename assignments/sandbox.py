"""Where a submission's kernel runs: with nothing of the machine but what it needs, and limits.

By bubblewrap, a small program for containers that needs no service and no image; where there is
none and the grader is root, as another user. Where there is neither, the instructor must say that
students' code may run with the instructor's own rights.
"""

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psutil

NOBODY = 65534
WAYS = ("bubblewrap", "another user's name", "no sandbox")
#: Bytes of memory and of files, files, and processes of one submission.
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
#: Give folders, the words before "--", to a user who has nothing else; then be that user.
_AS_NOBODY = f"""
import os, sys
place = sys.argv.index("--")
for folder in sys.argv[1:place]:
    for path, folders, files in os.walk(folder):
        for each in (path, *(os.path.join(path, name) for name in files)):
            os.chown(each, {NOBODY}, {NOBODY}, follow_symlinks=False)
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
os.execv(sys.argv[place + 1], sys.argv[place + 1 :])
"""


def _needed():
    """Folders of this environment: Python, its packages, the library and what comes with it."""
    library = library_folder()
    return [sys.base_prefix, sys.prefix, library, library.parent / "data"]


def library_folder():
    """The folder of `sagan_lib`."""
    return Path(importlib.util.find_spec("sagan_lib").origin).parent


def prefix(way, own=()):
    """The words before a command that run it in one of the `WAYS`.

    Args:
        way: of `WAYS`.
        own: folders that it may write to. With bubblewrap all others can only be read, and there
            are none but the system's and Python's. For another user these change their owner.

    Raises:
        ValueError: unknown way.
    """
    if way == "no sandbox":
        return []
    if way == "another user's name":
        return [sys.executable, "-c", _AS_NOBODY, *map(str, own), "--"]
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
    for folder in map(str, own):
        words += ["--bind", folder, folder]
    return words


@functools.cache
def best():
    """The first of `WAYS` that works here, tried once; None where there is no sandbox."""
    tried = {
        "bubblewrap": shutil.which("bwrap") is not None,
        "another user's name": hasattr(os, "getuid") and os.getuid() == 0,
    }
    for way, there in tried.items():
        test = [*prefix(way), sys.executable, "-c", "import ipykernel, nbformat, sagan_lib"]
        if there and subprocess.run(test, capture_output=True).returncode == 0:
            return way
    return None


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
                 "argv": [*prefix(way, [own]), *start]}  # fmt: skip
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
        files, size = 0, 0
        for path, _, names in os.walk(self._own):
            files += len(names)
            for name in names:
                with contextlib.suppress(OSError):
                    size += os.lstat(os.path.join(path, name)).st_blocks * 512
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
