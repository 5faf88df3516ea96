"""A run's folder: one process at a time, whole files, a log without gaps, an end that saves."""

import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
import warnings
import zipfile
from pathlib import Path

import filelock
import keras

from sagan_lib import shipped
from sagan_lib.callbacks import previous

RUN, LOCK = "run.keras", ".lock"
#: Seconds to wait for a folder's lock.
PATIENCE = 1.0
#: What ends a run after the step that is under way, where the system has it.
SIGNALS = [getattr(signal, x) for x in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, x)]


class Stopped(RuntimeError):
    """A signal ended the training; everything up to the last step is saved.

    Args:
        number: of the signal.
        step: that was reached.
    """

    def __init__(self, number, step):
        super().__init__(f"stopped by {signal.Signals(number).name} after step {step}")
        self.number, self.step = number, step


@contextlib.contextmanager
def alone(folder, who=""):
    """Hold a folder for this process; the system lets go of it when the process dies.

    Args:
        folder: the run's; it is made, and removed again where the body fails and saves nothing.
        who: for the message that others get, such as the command.

    Raises:
        RuntimeError: another process holds it, the message says which; or its file system has no
            locks. The environment variable SAGAN_NO_LOCK=1 then goes without, with a warning.
    """
    folder, made = Path(folder), []
    lock = _lock(folder, who)
    try:
        _take(lock, folder, made)
        try:
            yield
        except BaseException:
            if folder in made and not (folder / RUN).exists():
                _forget(folder)
            raise
    except BaseException:
        with contextlib.suppress(OSError):  # somebody else put something there
            for each in reversed(made):
                each.rmdir()
        raise
    finally:
        lock.release()


def _lock(folder, who):
    """The system's lock on a folder, not taken yet; its file says who took it, and since when."""

    def sign(descriptor):
        since = time.strftime("%Y-%m-%d %H:%M")
        text = f"process {os.getpid()} on {socket.gethostname()}, since {since}: {who}"
        with contextlib.suppress(OSError):  # without it, only others' message lacks something
            os.ftruncate(descriptor, 0)
            os.write(descriptor, text.encode(errors="backslashreplace"))

    return filelock.FileLock(folder / LOCK, fallback_to_soft=False, on_acquired=sign)


def _take(lock, folder, made):
    """Take a folder's lock, before all else; the folders that this needed are added to `made`."""
    for left in reversed(range(10)):
        try:
            for each in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
                with contextlib.suppress(FileExistsError):  # another process was faster
                    each.mkdir()
                    made.append(each)
            lock.acquire(timeout=PATIENCE)  # who holds it may be about to end
            return
        except filelock.Timeout:
            raise RuntimeError(
                f"{folder}: another process trains there ({_holder(folder)}); wait for its end, "
                "or take another folder (--out)"
            ) from None
        except FileNotFoundError:  # who held it found nothing to train, and removed the folder
            if not left:
                raise
        except (OSError, NotImplementedError) as error:
            if getattr(error, "filename", None):  # it could not even be opened
                raise
            return _go_without(folder, made, getattr(error, "strerror", None) or error)


def _go_without(folder, made, why):
    """A file system without locks: refuse, unless the user has said to do without."""
    wrong = f"{folder} cannot be locked ({why})"
    if os.environ.get("SAGAN_NO_LOCK") == "1":
        warnings.warn(f"{wrong}: nothing keeps others from training there", stacklevel=5)
        return
    if folder in made:
        (folder / LOCK).unlink(missing_ok=True)
    raise RuntimeError(
        f"{wrong}, so two commands could train there at once: take a folder on another file "
        "system (--out), or set SAGAN_NO_LOCK=1 if no other command trains there"
    ) from None


def _holder(folder):
    try:
        text = (folder / LOCK).read_text(errors="replace")
    except OSError:  # it has just ended; or Windows, where what is locked cannot be read
        text = ""
    return text.strip() or "it does not say which"


def _forget(folder):
    """Remove what a run without a save wrote; the lock's file last: a new one is another's."""
    for name in ("recipe.json", "log.csv"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)
    with contextlib.suppress(OSError):  # Windows keeps an open file
        (folder / LOCK).unlink()


def damage(path):
    """What is wrong with a saved run; an empty text if nothing is.

    Args:
        path: of the `.keras` file. Its members carry checksums, which are compared.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            if broken:
                return f"{broken} in it is not as it was written"
            kind = json.loads(archive.read("config.json"))["class_name"]
            return "" if kind == "GAN" else f"it holds a {kind}, not a run of this library"
    except Exception as error:  # whatever the archive's reader raises on damaged bytes
        return f"{type(error).__name__}: {error}".splitlines()[0]


def newest(folder):
    """The saved run to go on from: (path or None, a word about what was lost).

    Args:
        folder: the run's.

    Raises:
        ValueError: there are saves, and all of them are damaged.
    """
    run = Path(folder) / RUN
    found = [path for path in (run, previous(run)) if path.exists()]
    said = []
    for path in found:
        wrong = damage(path)
        if not wrong:
            if path != run:
                said.append(f"going on from the save before it, {path.name}")
            return path, "; ".join(said)
        said.append(f"{path} is damaged ({wrong})")
    if found:
        raise ValueError("; ".join(said) + "; remove the folder's files to start anew")
    return None, ""


def about(path):
    """What a saved run says of itself: its recipe, precision and pictures; {} in older files.

    Args:
        path: of the `.keras` file.
    """
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))["config"].get("about") or {}


def trim(log, step):
    """Drop the rows of a log that a run which goes on from a step writes again, and torn ones.

    Args:
        log: path of the CSV file, which need not exist.
        step: that the run goes on from.
    """
    if not log.exists():
        return
    with open(log, newline="", errors="replace") as stream:
        head, *rows = list(csv.reader(stream)) or [[]]
    kept = [row for row in rows if len(row) == len(head) and _reached(head, row) <= step]
    if not kept:
        log.unlink()
    elif len(kept) < len(rows):
        with shipped.replacing(log) as part, open(part, "w", newline="") as stream:
            csv.writer(stream).writerows([head, *kept])


def _reached(head, row):
    try:
        return int(row[head.index("step")])
    except ValueError:
        return float("inf")


class Board(keras.callbacks.TensorBoard):
    """Keras's log for TensorBoard, at the run's own step in place of the epoch's number.

    Args:
        folder: where to.

    Raises:
        OSError: it cannot be written to.
    """

    def __init__(self, folder):
        super().__init__(folder, write_graph=False)
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # else TensorFlow says it, amid the training

    def on_epoch_end(self, epoch, logs=None):
        scalars = {name: value for name, value in logs.items() if name != "step"}
        super().on_epoch_end(logs["step"], scalars)


class Signals(keras.callbacks.Callback):
    """SIGTERM, SIGHUP and Ctrl-C end the run after the step under way; a second one at once.

    Attributes:
        number: of the signal that came, or None.
    """

    def __init__(self):
        super().__init__()
        self.number, self._before = None, {}

    def on_train_begin(self, logs=None):
        if threading.current_thread() is threading.main_thread():  # others may not set them
            taken = [x for x in SIGNALS if signal.getsignal(x) != signal.SIG_IGN]  # as nohup does
            self._before = {each: signal.signal(each, self._came) for each in taken}

    def _came(self, number, frame):
        self.number = number
        self.on_train_end()

    def on_train_batch_end(self, batch, logs=None):
        if self.number is not None:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
