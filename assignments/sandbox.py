"""Where a submission's kernel runs: with nothing of the machine but what it needs, if that goes.

By bubblewrap, a small program for containers that needs no service and no image; where there is
none and the grader is root, as another user; else behind the guard alone.
"""

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

NOBODY = 65534
WAYS = ("bubblewrap", "another user's name", "the guard alone")
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
    library = Path(importlib.util.find_spec("sagan_lib").origin).parent
    return [sys.base_prefix, sys.prefix, library, library.parent / "data"]


def prefix(way, own=()):
    """The words before a command that run it in one of the `WAYS`.

    Args:
        way: of `WAYS`.
        own: folders that it may write to. With bubblewrap all others can only be read, and there
            are none but the system's and Python's. For another user these change their owner.

    Raises:
        ValueError: unknown way.
    """
    if way == "the guard alone":
        return []
    if way == "another user's name":
        return [sys.executable, "-c", _AS_NOBODY, *map(str, own), "--"]
    if way != "bubblewrap":
        raise ValueError(f"way must be one of {WAYS}, got {way!r}")
    # An interrupt goes to the whole group. It is meant for the kernel, and would end bubblewrap.
    words = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", "bwrap", "--die-with-parent",
             "--unshare-all", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev",
             "--tmpfs", "/tmp",
             "--unsetenv", "JPY_PARENT_PID"]  # fmt: skip  # a parent of another world
    for folder in (*_SYSTEM, *map(str, _needed())):
        words += ["--ro-bind-try", folder, folder]
    for folder in map(str, own):
        words += ["--bind", folder, folder]
    return words


@functools.cache
def best():
    """The first of `WAYS` that works on this machine, tried once with a short command."""
    tried = {
        "bubblewrap": shutil.which("bwrap") is not None,
        "another user's name": hasattr(os, "getuid") and os.getuid() == 0,
    }
    for way, there in tried.items():
        test = [*prefix(way), sys.executable, "-c", "import ipykernel, nbformat, sagan_lib"]
        if there and subprocess.run(test, capture_output=True).returncode == 0:
            return way
    return WAYS[-1]


def write_kernel(home, done, way):
    """Describe a kernel to Jupyter that runs in the sandbox.

    Args:
        home: the submission's own folder; the kernel's name in it is "graded".
        done: the folder in which the notebook runs.
        way: of `WAYS`.

    Returns:
        The folder for JUPYTER_PATH.
    """
    folder = home / "jupyter" / "kernels" / "graded"
    folder.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {
        "display_name": "graded", "language": "python",
        "argv": [*prefix(way, [home, done]), *start],
    }  # fmt: skip
    (folder / "kernel.json").write_text(json.dumps(described))
    return folder.parent.parent


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
