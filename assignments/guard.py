"""Runs inside the kernel that grades one submission: refuses harm, notices tampering.

The grader starts the kernel with this file as a startup script of IPython. It is a fence against
accidents and simple tricks, not a prison: only a container is one (see the instructors' page).
"""

import os
import resource
import sys
import warnings
from pathlib import Path

#: Bytes that the kernel of one submission may ask for, that a file may have, that a cell may print.
MEMORY, FILE, PRINTED = 6 * 2**30, 64 * 2**20, 2**20
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
             "os.startfile", "pty.spawn")  # fmt: skip
_NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg",
            "socket.getaddrinfo", "socket.gethostbyname")  # fmt: skip
#: Events of the file system, and which of their arguments are paths that they change.
_CHANGED = {
    "os.remove": (0,), "os.rmdir": (0,), "os.truncate": (0,), "shutil.rmtree": (0,),
    "os.rename": (0, 1), "shutil.move": (0, 1), "os.link": (0, 1), "os.symlink": (0, 1),
    "os.mkdir": (0,), "os.chmod": (0,), "os.chown": (0,), "os.utime": (0,), "os.setxattr": (0,),
    "os.removexattr": (0,), "shutil.copyfile": (1,), "shutil.copytree": (1,),
}  # fmt: skip


def _forbid(event, arguments, writable, hidden):
    """The reason why an audited event is refused, or None. All of Python's opens come through."""
    if event in _PROGRAMS:
        return "start another program"
    if event in ("os.kill", "signal.pthread_kill"):
        return "send signals"
    if event in _NETWORK:
        return "use the network"
    if event == "sqlite3.connect" and "memory" not in str(arguments[0]):
        return "open a database"
    for place in _CHANGED.get(event, ()):  # a link would open a door, so its source counts, too
        if not _inside(arguments[place], writable):
            return f"delete, move, link or change {arguments[place]}"
    if event in ("os.listdir", "os.scandir", "glob.glob") and _inside(arguments[0], hidden):
        return "read the problem set's files"
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        path, _, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if writes and not _inside(path, writable) and os.fsdecode(path) != os.devnull:
            return f"write to {os.fsdecode(path)}"
        if os.fsdecode(path).endswith(".ipynb") or _inside(path, hidden):
            return "read the problem set's files"
    return None


def _inside(path, folders):
    """Whether a path, links followed, is in one of the folders; a bare file descriptor is not."""
    try:
        path = Path(os.path.realpath(os.fsdecode(path)))
    except (TypeError, ValueError):
        return False
    return any(path.is_relative_to(folder) for folder in folders)


#: Modules that the tests rely on, and which of them are loaded late, by the notebook itself.
_RELIED_ON = ("builtins", "numpy", "numpy.linalg", "sagan_lib.book.classroom")
_LATE = ("tensorflow", "tensorflow._api.v2.nn", "keras.ops", "keras.layers")


#: The kernel replaces these itself.
_KERNELS_OWN = {"input", "get_ipython", "display", "exit", "quit"}


def _watched(modules):
    """{(module, name): function} of those modules that are loaded."""
    return {
        (sys.modules[name], each): thing
        for name in modules
        if name in sys.modules
        for each, thing in vars(sys.modules[name]).items()
        if callable(thing) and not each.startswith("_") and each not in _KERNELS_OWN
    }


def _mend(watched):
    """Put back whatever was replaced; the names of it."""
    changed = [
        (module, name, thing)
        for (module, name), thing in watched.items()
        if getattr(module, name, None) is not thing
    ]
    for module, name, thing in changed:
        setattr(module, name, thing)
    return [f"{module.__name__}.{name}" for module, name, _ in changed]


def _keep(shell, given):
    """Undo, before each cell, what became of the functions and modules that given cells bound."""
    kept, before = {}, {}

    def start(info):
        shell.user_ns.update(kept)
        before.clear()
        before.update(shell.user_ns)

    def end(result):
        if result.info.raw_cell.strip() in given:
            bound = {n: t for n, t in shell.user_ns.items() if before.get(n) is not t}
            kept.update({n: t for n, t in bound.items() if callable(t) or hasattr(t, "__spec__")})

    shell.events.register("pre_run_cell", start)
    shell.events.register("post_run_cell", end)


def _limit_prints(shell):
    """A cell that prints more than `PRINTED` characters fails, and no page grows without end."""
    count = [0]

    def begin(info=None):
        count[0] = 0

    def limited(write):
        def counted(text):
            count[0] += len(text)
            if count[0] > PRINTED:
                raise RuntimeError(f"This cell printed more than {PRINTED:,} characters.")
            return write(text)

        return counted

    for stream in (sys.stdout, sys.stderr):
        stream.write = limited(stream.write)
    shell.events.register("pre_run_cell", begin)


def engage(shell, writable, hidden, given):
    """From now on: no harm outside of `writable`, no reading in `hidden`, no patched function.

    Args:
        shell: IPython's. writable, hidden: folders. given: sources of the locked cells without
            tests, whose names no other cell can take.
    """
    warnings.simplefilter("ignore")  # nbgrader takes a line on stderr for a failure
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    import numpy.linalg  # noqa: F401

    import sagan_lib.book.classroom  # noqa: F401 (what is watched must be there)

    busy = False
    writable, hidden = ([Path(os.path.realpath(f)) for f in folders] for folders in
                        (writable, hidden))  # fmt: skip

    def audit(event, arguments):
        nonlocal busy
        if busy:
            return
        busy = True  # what this function does is audited as well
        try:
            reason = _forbid(event, arguments, writable, hidden)
        finally:
            busy = False
        if reason:
            raise PermissionError(f"Grading does not let a notebook {reason}.")

    watched, found = _watched(_RELIED_ON), []

    def check(lines):
        found.extend(_mend(watched))
        for late in _LATE:  # the first cell loads them, and it is the course's own
            if late in sys.modules and not any(m is sys.modules[late] for m, _ in watched):
                watched.update(_watched([late]))
        if not found:
            return lines
        names = ", ".join(sorted(set(found)))
        said = f"This notebook replaced {names}: nothing after that counts."
        return [f"raise RuntimeError({said!r})\n", *lines]

    shell.push({"exit": sys.exit, "quit": sys.exit})  # IPython's own would end the kernel
    shell.input_transformers_post.append(check)
    _keep(shell, {source.strip() for source in given})
    _limit_prints(shell)
    sys.addaudithook(audit)
