"""What a command is to the system: its streams, the signals that end it, what it starts."""

import contextlib
import ctypes
import io
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import resource_tracker

#: What ends a command besides Ctrl-C, where the system has it.
ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: Linux's number of "send me this signal when my parent ends" (prctl(2), PR_SET_PDEATHSIG).
PARENT_ENDS = 1


class _Raw(io.FileIO):
    """A descriptor to which writing never fails: what nobody takes any more goes nowhere."""

    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), self.fileno())  # others write there, too
            if not isinstance(error, BrokenPipeError) and self.fileno() == 1:
                print(f"warning: nothing more can be printed ({error.strerror})", file=sys.stderr)
            return len(data)


def patient_streams():
    """Printing ends no command from here on.

    A letter that the terminal does not have is written as its number, and where the reader has
    left, as `head` does, or the disk is full, the rest goes nowhere.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):  # a notebook's, or none
            continue
        stream.flush()
        stream.reconfigure(errors="backslashreplace")
        if os.name == "posix":
            raw = io.BufferedWriter(_Raw(stream.fileno(), "wb", closefd=False))
            lines = {"line_buffering": stream.line_buffering, "write_through": stream.write_through}
            setattr(sys, name, io.TextIOWrapper(raw, stream.encoding, stream.errors, **lines))


class Ended(KeyboardInterrupt):
    """A signal ends the command, as Ctrl-C would.

    Args:
        number: of the signal.
    """

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def status(stop):
    """The exit status of a command that was stopped, 128 and the signal's number.

    Args:
        stop: the KeyboardInterrupt.
    """
    return 128 + getattr(stop, "number", signal.SIGINT)


@contextlib.contextmanager
def ended_by_signals():
    """Meanwhile `ENDS` raise `Ended`, so that what was started is ended, too.

    What is ignored, as under nohup, stays so.
    """

    def end(number, frame):
        raise Ended(number)

    if threading.current_thread() is not threading.main_thread():  # others may not set them
        yield
        return
    taken = [each for each in ENDS if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, end) for each in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def deaf_to_ctrl_c():
    """Meanwhile what is started, and what threads that are started start, does not hear Ctrl-C.

    A terminal sends it to all of them; the parent alone says what happened, and ends the others.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # a pool's first start of it would open the ears again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent():
    """For a process of a pool: it, and what it started, end when its parent does, even by kill -9.

    In any other process it does nothing.
    """
    parent = multiprocessing.parent_process()

    def watch():
        parent.join()
        with contextlib.suppress(ImportError):  # Jupyter brings it, which alone starts others here
            import psutil

            for each in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    each.kill()
        os._exit(1)

    if parent is not None:
        threading.Thread(target=watch, daemon=True).start()


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def killed_with_parent():
    """For `subprocess`'s preexec_fn: on Linux, the program is killed when its parent ends."""
    if _prctl is not None:
        _prctl(PARENT_ENDS, signal.SIGKILL)
