"""Runs inside the kernel that grades one submission: refuses harm, notices tampering.

The grader starts the kernel with this file as a startup script of IPython. It is a fence: `sandbox`
is the wall round it, where the machine has one.
"""

import contextlib
import functools
import hashlib
import hmac
import os
import resource
import sys
import types
from pathlib import Path

#: Bytes that the kernel of one submission may ask for, that a file may have, that a cell may print.
MEMORY, FILE, PRINTED = 6 * 2**30, 64 * 2**20, 2**20
#: Seconds of the processor, over all threads, and how many processes and threads of its user.
PROCESSOR, PROCESSES = 1800, 2048
#: What `witness` puts at the end of a test, and only this file can answer.
PROOF = "_graded_"
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
_ALSO = {"__import__", "__build_class__"}
#: What runs a cell and shows its error: methods of the shell, of its kernel and of the session.
_METHODS = {
    "shell": ("run_cell", "_run_cell", "run_cell_async", "run_code", "run_ast_nodes",
              "transform_cell", "transform_ast", "showtraceback", "_showtraceback",
              "showsyntaxerror", "set_custom_exc"),
    "kernel": ("do_execute", "execute_request", "_do_execute"),
    "session": ("send", "serialize"),
}  # fmt: skip


class Watch:
    """Functions, classes and modules as they were: by name, and by the code behind the name."""

    def __init__(self):
        self._named, self._inside, self._modules = {}, {}, set()

    def add(self, holder, name, thing):
        """Watch `holder.name`, and what is inside of the function or class that it is."""
        self._named[id(holder), name] = (holder, name, thing)
        self.add_inside(name, thing)

    def add_inside(self, name, thing):
        """Watch a function's code and default values, or the methods of a class."""
        for each in (thing, getattr(thing, "_implementation", None)):  # numpy wraps its functions
            if isinstance(each, types.FunctionType):
                kept = {k: getattr(each, k) for k in ("__code__", "__defaults__", "__kwdefaults__")}
            elif isinstance(each, type) and each.__module__ == "__main__":
                kept = {k: v for k, v in vars(each).items() if callable(v)}
            else:
                continue
            self._inside[id(each)] = (each, name, kept)

    def add_module(self, name, private=False):
        """Watch what a loaded module has that can be called; if `private`, all that it has."""
        if name in self._modules or name not in sys.modules:
            return
        self._modules.add(name)
        for each, thing in list(vars(sys.modules[name]).items()):
            wanted = (callable(thing) and not each.startswith("_")) or private
            wanted = (wanted and not each.startswith("__")) or each in _ALSO
            if wanted and each not in _KERNELS_OWN:
                self.add(sys.modules[name], each, thing)

    def mend(self):
        """Put everything back; the names of what had been changed."""
        changed = []
        for holder, name, thing in self._named.values():
            if getattr(holder, name, None) is not thing:
                setattr(holder, name, thing)
                changed.append(f"{getattr(holder, '__name__', type(holder).__name__)}.{name}")
        for thing, name, kept in self._inside.values():
            read = vars(thing).get if isinstance(thing, type) else functools.partial(getattr, thing)
            if any(read(key) is not value for key, value in kept.items()):
                for key, value in kept.items():
                    setattr(thing, key, value)
                changed.append(f"the code of {name}")
        return changed


class Machine:
    """The parts of IPython that run a cell and show its error, as they were."""

    def __init__(self, shell):
        kernel = getattr(shell, "kernel", None)
        things = {"shell": shell, "kernel": kernel, "session": getattr(kernel, "session", None)}
        self._methods = [
            (thing, name, getattr(type(thing), name), vars(thing).get(name))
            for which, thing in things.items() for name in _METHODS[which]
            if hasattr(type(thing), name)
        ]  # fmt: skip
        self._shell = shell
        self._lists = [(each, list(each)) for each in self._found_lists()]

    def _found_lists(self):
        manager = getattr(self._shell, "input_transformer_manager", None)
        names = ("cleanup_transforms", "line_transforms", "token_transformers")
        yield from (getattr(manager, name) for name in names if hasattr(manager, name))
        yield from (self._shell.input_transformers_post, self._shell.ast_transformers)
        callbacks = self._shell.events.callbacks
        yield from (callbacks[event] for event in ("pre_execute", "pre_run_cell"))

    def mend(self):
        """Put everything back; the names of what had been changed."""
        changed = []
        for thing, name, method, own in self._methods:
            if getattr(type(thing), name) is not method or vars(thing).get(name) is not own:
                setattr(type(thing), name, method)
                vars(thing).pop(name, None)
                if own is not None:  # the kernel's start-up leaves some
                    vars(thing)[name] = own
                changed.append(f"{type(thing).__name__}.{name}")
        for each, kept in self._lists:
            if len(each) != len(kept) or any(a is not b for a, b in zip(each, kept, strict=True)):
                each[:] = kept
                changed.append("how IPython reads a cell")
        if self._shell.custom_exceptions:
            self._shell.custom_exceptions = ()
            changed.append("how IPython shows an error")
        if sys.gettrace() or sys.getprofile():
            sys.settrace(None)
            sys.setprofile(None)
            changed.append("the trace function")
        return changed


class Course:
    """The course's own cells: their names stay theirs, and each test has names of its own."""

    def __init__(self, shell, given, tests, watch):
        self._shell, self._given, self._tests, self._watch = shell, given, tests, watch
        self._kept, self._before, self._student = {}, {}, None

    def is_test(self, cell):
        """Whether a cell is a test, as `witness` sends it."""
        source, mark, _ = cell.rpartition(f"\n{PROOF}(")
        return bool(mark) and source.strip() in self._tests

    def start(self, cell, prove):
        """Before a cell: undo what became of given names; put a test where no answer can look."""
        space = self._shell.user_ns
        space.update(self._kept)
        self._before = dict(space)
        if self.is_test(cell):
            self._student = self._shell.user_module, space
            module = types.ModuleType("__main__")
            vars(module).update(space, **{PROOF: prove})
            self._shell.user_module, self._shell.user_ns = module, vars(module)

    def end(self, cell):
        """After a cell: back from a test; keep what a given cell bound, modules and functions."""
        if self._student:
            self._shell.user_module, self._shell.user_ns = self._student
            self._student = None
        if cell.strip() in self._given:
            space = self._shell.user_ns
            bound = {n: t for n, t in space.items() if self._before.get(n) is not t}
            new = {n: t for n, t in bound.items() if callable(t) or hasattr(t, "__spec__")}
            self._kept.update(new)
            for name, thing in new.items():
                self._watch.add_inside(name, thing)


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


def _limit_resources():
    for name, most in (("DATA", MEMORY), ("FSIZE", FILE), ("CPU", PROCESSOR), ("CORE", 0),
                       ("NPROC", PROCESSES)):  # fmt: skip
        with contextlib.suppress(ValueError, AttributeError):  # less is allowed already; no such
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def _audit(writable, hidden):
    """An audit hook that refuses harm."""
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

    return audit


def engage(shell, writable, hidden, given, tests, secret):
    """From now on: no harm outside of `writable`, no reading in `hidden`, no patched function.

    Args:
        shell: IPython's. writable, hidden: folders. given: sources of the locked cells without
            tests, whose names no other cell can take. tests: those of the tests. secret: shared
            with `witness`, to whom a test that came to its end is proved.
    """
    _limit_resources()
    import numpy.linalg  # noqa: F401

    import sagan_lib.book.classroom  # noqa: F401 (what is watched must be there)

    watch, found, running, machine = Watch(), [], [""], None
    for name in _RELIED_ON:
        watch.add_module(name, private=name.endswith("classroom"))
    course = Course(shell, *({s.strip() for s in each} for each in (given, tests)), watch)

    def check(lines=()):
        nonlocal machine
        machine = machine or Machine(shell)  # before the first cell, which is the course's own
        found.extend([*watch.mend(), *machine.mend()])
        for late in _LATE:  # the first cell loads them, and it is the course's own
            watch.add_module(late)
        if not found:
            return lines
        names = ", ".join(sorted(set(found)))
        said = f"This notebook replaced {names}: nothing after that counts."
        return [f"raise RuntimeError({said!r})\n", *lines]

    def prove(nonce):
        check()
        return (
            "" if found else hmac.new(secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()
        )

    def start(info):
        check()
        running[0] = info.raw_cell
        course.start(info.raw_cell, prove)

    shell.push({"exit": sys.exit, "quit": sys.exit})  # IPython's own would end the kernel
    shell.input_transformers_post.append(check)
    _limit_prints(shell)
    shell.events.register("pre_run_cell", start)
    shell.events.register("post_run_cell", lambda result: course.end(running[0]))
    sys.addaudithook(_audit(writable, hidden))
