"""A run's folder: one process at a time, whole files, a log without gaps, an end that saves."""

import contextlib
import csv
import itertools
import json
import os
import shutil
import signal
import socket
import stat
import tempfile
import threading
import time
import warnings
import zipfile
from pathlib import Path

import filelock
import h5py
import keras

from sagan_lib import shipped
from sagan_lib.callbacks import previous

#: Classes of models that a run saves.
KINDS = ("GAN", "ConditionalGAN")
RUN, LOCK = "run.keras", ".lock"
#: Seconds to wait for a folder's lock.
PATIENCE = 1.0
#: What a run writes into its folder, each a file of its own; and the folder in it.
FILES = (LOCK, RUN, previous(RUN).name, "recipe.json", "log.csv", "run.json",
         "generator.weights.h5", "samples.png")  # fmt: skip
BOARD = "tensorboard"
#: What a killed run leaves of files that it wrote under the lock.
PARTS = ("run.*.part.keras", "recipe.*.part.json", "log.*.part.csv", "generator.*.part.weights.h5")
#: What ends a run after the step that is under way, where the system has it: a terminal's and the
#: system's ways, and those by which batch systems (Slurm, SGE, LSF) announce that time is up.
SIGNALS = [getattr(signal, x) for x in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2",
                                        "SIGXCPU") if hasattr(signal, x)]  # fmt: skip


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
            What a killed run left half written there is removed.
        who: for the message that others get, such as the command.

    Raises:
        RuntimeError: another process holds it, the message says which; or its file system has no
            locks. The environment variable SAGAN_NO_LOCK=1 then goes without, with a warning.
        ValueError: something there would be written through a link, or is no file.
    """
    folder, made = Path(folder), []
    check_own(folder)
    lock = _lock(folder, who)
    try:
        _take(lock, folder, made)
        check_own(folder)  # again: before, it could still change
        try:
            if lock.is_locked:
                for part in (part for pattern in PARTS for part in folder.glob(pattern)):
                    part.unlink()
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


def check_own(folder):
    """Refuse a folder in which a run would write somewhere else, or wait for ever.

    Args:
        folder: a run's, perhaps a foreign one; it need not exist.

    Raises:
        ValueError: naming the link, the named pipe or whatever stands in a file's place.
    """
    for name in (*FILES, BOARD):
        path = Path(folder) / name
        try:
            mode = path.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not (stat.S_ISDIR if name == BOARD else stat.S_ISREG)(mode):
            kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a named pipe", stat.S_IFDIR: "a folder",
                     stat.S_IFREG: "a file"}  # fmt: skip
            raise ValueError(
                f"{path} must be a {'folder' if name == BOARD else 'file'} of the run's own, got "
                f"{kinds.get(stat.S_IFMT(mode), 'a device')}: remove it, or take another folder "
                "(--out)"
            )


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
    shutil.rmtree(folder / BOARD, ignore_errors=True)
    with contextlib.suppress(OSError):  # Windows keeps an open file
        (folder / LOCK).unlink()


def damage(path):
    """What is wrong with a saved run; an empty text if nothing is.

    Args:
        path: of the `.keras` file. Its members carry checksums, which are compared, and its
            weights must be readable.
    """
    if not Path(path).is_file():  # a named pipe would be waited for
        return "it is no file"
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            if broken:
                return f"{broken} in it is not as it was written"
            kind = json.loads(archive.read("config.json"))["class_name"]
            if kind not in KINDS:
                return f"it holds a {kind}, not a run of this library"
            with archive.open("model.weights.h5") as stream, h5py.File(stream) as weights:
                weights.visititems(lambda name, item: None)
    except Exception as error:  # whatever the readers raise on damaged bytes
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return ""


def miscounted(model):
    """What the counters of a run contradict; an empty text if they agree.

    Each step is one update of G and `n_dis` of D, so no counter can be changed alone.

    Args:
        model: the `GAN` of a run; not one that was compiled anew on the way.
    """
    step, n_dis = int(model.step.numpy()), model.n_dis
    done = [int(each.iterations.numpy()) for each in (model.g_optimizer, model.d_optimizer)]
    if done == [step, step * n_dis]:
        return ""
    return (f"its step is {step} with n_dis={n_dis}, but its optimizers made {done[0]} updates of "
            f"G and {done[1]} of D")  # fmt: skip


def newest(folder, load=lambda path: path):
    """The saved run to go on from: (what `load` makes of it or None, a word about what was lost).

    Args:
        folder: the run's.
        load: function of the path; where it raises ValueError or TypeError, the save is damaged.

    Raises:
        ValueError: there are saves, and all of them are damaged.
    """
    run = Path(folder) / RUN
    found = [path for path in (run, previous(run)) if os.path.lexists(path)]
    said = []
    for path in found:
        wrong = damage(path)
        if not wrong:
            try:
                loaded = load(path)
            except (ValueError, TypeError) as error:
                wrong = str(error).removeprefix(f"{path} ")
            else:
                if path != run:
                    said.append(f"going on from the save before it, {path.name}")
                return loaded, "; ".join(said)
        said.append(f"{path} is damaged ({wrong})")
    if found:
        raise ValueError("; ".join(said) + "; remove the folder's files to start anew")
    return None, ""


def read_json(path):
    """What a JSON file of a run holds, a dict.

    Args:
        path: of the file.

    Raises:
        ValueError: naming the file, where it holds something else.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # of its bytes or of its syntax
        raise ValueError(f"{path} is damaged ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is damaged (it holds a {type(found).__name__})")
    return found


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
        log: path of the CSV file, which need not exist. From step 0 no run goes on: what is there
            is another's, or of one whose saves are gone, and is set aside.
        step: that the run goes on from.
    """
    if not log.exists():
        return
    with open(log, newline="", errors="replace") as stream:
        head, *rows = list(csv.reader(line.replace("\0", "") for line in stream)) or [[]]
    kept = [row for row in rows if len(row) == len(head) and _reached(head, row) <= step]
    if rows and not step:
        aside = next(
            path
            for n in itertools.count(1)
            if not os.path.lexists(path := log.with_suffix(f".{n}{log.suffix}"))
        )
        log.rename(aside)
        warnings.warn(f"{log.parent} has a log but no save: the run begins anew, the log was set "
                      f"aside as {aside.name}", stacklevel=3)  # fmt: skip
    elif not kept:
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
    """The first of `SIGNALS`, such as Ctrl-C, ends the run after the step under way; a second one
    acts at once, as the system has it.

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
