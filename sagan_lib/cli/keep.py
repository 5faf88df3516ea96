"""A run's folder: one process at a time, whole files, a log without gaps, an end that saves."""

import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import threading
import time
import zipfile
from pathlib import Path

import keras
import tensorflow as tf

from sagan_lib import shipped
from sagan_lib.callbacks import previous

RUN = "run.keras"
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
        RuntimeError: another process holds it; the message says which.
    """
    folder = Path(folder)
    fresh = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with open(folder / ".lock", "a+") as file:
            try:
                _lock(file)
            except OSError:
                file.seek(0)
                raise RuntimeError(
                    f"{folder}: another process trains there ({file.read().strip()}); wait for "
                    "its end, or take another folder (--out)"
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}, since "
                       f"{time.strftime('%Y-%m-%d %H:%M')}: {who}")  # fmt: skip
            file.flush()
            yield
    except BaseException:
        if fresh and not (folder / RUN).exists():
            for name in (".lock", "recipe.json", "log.csv"):
                (folder / name).unlink(missing_ok=True)
            shutil.rmtree(folder / "tensorboard", ignore_errors=True)
            with contextlib.suppress(OSError):  # somebody else put something there
                for each in fresh:
                    each.rmdir()
        raise


def _lock(file):
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


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


class Board(keras.callbacks.Callback):
    """TensorBoard's log, by the run's own step.

    Args:
        folder: where to.

    Raises:
        OSError: it cannot be written to.
    """

    def __init__(self, folder):
        super().__init__()
        try:
            self.writer = tf.summary.create_file_writer(str(folder))
        except tf.errors.OpError as error:
            raise OSError(f"{folder}: TensorBoard's log cannot be written there "
                          f"({type(error).__name__})") from None  # fmt: skip

    def on_epoch_end(self, epoch, logs=None):
        with self.writer.as_default():
            for name in set(logs) - {"step"}:
                tf.summary.scalar(name, logs[name], step=logs["step"])
        self.writer.flush()


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
