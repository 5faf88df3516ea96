"""Keras callbacks of a GAN run: what is measured, the guard against divergence, the bar."""

import math
import tempfile
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from sagan_lib import devices, shipped


class DivergedError(RuntimeError):
    """Training met NaN or infinity. The model holds the last good weights."""


def listed(callbacks):
    """Callbacks as a list, whether none, one, several or Keras's own list was given.

    Args:
        callbacks: the argument of `fit`.

    Raises:
        TypeError: something in it is no callback.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    if callbacks is None or isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [] if callbacks is None else [callbacks]
    for each in (callbacks := list(callbacks)):
        if not isinstance(each, keras.callbacks.Callback):
            raise TypeError(f"callbacks must be of keras.callbacks.Callback, got {each!r}")
    return callbacks


class OneLife(keras.callbacks.CallbackList):
    """Keras's list of callbacks for a training in several calls of `fit`: one begin, one end."""

    def on_train_begin(self, logs=None):
        pass

    def on_train_end(self, logs=None):
        self._last = logs

    def begin(self):
        """Training begins."""
        self._last = None
        super().on_train_begin()

    def end(self):
        """Training ends."""
        super().on_train_end(self._last)


def previous(path):
    """Where the save before the one at `path` is kept."""
    return Path(path).with_suffix(f".previous{Path(path).suffix}")


class Measure(keras.callbacks.Callback):
    """Adds the step, attention's gamma and the largest sigmas to each row of the history."""

    def on_epoch_end(self, epoch, logs=None):
        logs |= {"step": int(self.model.step.numpy())} | self.model.gammas() | self.model.sigmas()


class Guard(keras.callbacks.Callback):
    """Keeps the last good state, in memory and in a file, and stops a run that diverges.

    A state is good when the losses and all weights are finite. The file is replaced as a whole,
    so a killed run leaves the previous one; and the save before stays beside it (`previous`).

    Args:
        path: of the `.keras` file; None for none.

    Raises:
        DivergedError: from `fit`, when a state is not good.
    """

    def __init__(self, path=None):
        super().__init__()
        self.path = Path(path) if path else None
        if self.path and self.path.suffix != ".keras":
            raise ValueError(f"save_to must end in .keras, got {str(path)!r}")

    def _variables(self):
        model = self.model
        return model.variables + model.g_optimizer.variables + model.d_optimizer.variables

    def on_train_begin(self, logs=None):
        self._good = [v.numpy() for v in self._variables()]

    def on_epoch_end(self, epoch, logs=None):
        reached = int(self.model.step.numpy())
        values = [v.numpy() for v in self._variables()]
        bad = [f"{k} is {v}" for k, v in logs.items() if not math.isfinite(v)]
        if not all(np.isfinite(v).all() for v in values):
            bad.append("a weight is not finite")
        if not bad:
            self._good = values
            if self.path:
                self._write()
            return
        for variable, value in zip(self._variables(), self._good, strict=True):
            variable.assign(value)
        where = f", and {self.path} too" if self.path and self.path.exists() else ""
        raise DivergedError(
            f"training diverged before step {reached}: {'; '.join(bad)}. The model holds the "
            f"weights of step {int(self.model.step.numpy())}{where}. Try lower learning rates."
        )

    def _write(self):
        if not devices.is_chief(self.model.distribute_strategy):
            # A save adds the metrics up over all workers, so all must take part in it.
            with tempfile.TemporaryDirectory() as folder:
                self.model.save(Path(folder) / "other.keras")
            return
        with shipped.replacing(self.path) as part:
            self.model.save(part)
            if self.path.exists():
                self.path.replace(previous(self.path))


class Progress(keras.callbacks.Callback):
    """One bar for the whole run, with the time left and the last losses.

    Args:
        steps: of the run.
        disable: show nothing.
    """

    def __init__(self, steps, disable=False):
        super().__init__()
        self.bar = tqdm(total=steps, unit="step", disable=disable, mininterval=1.0)

    def on_epoch_begin(self, epoch, logs=None):
        self._done = 0

    def on_train_batch_end(self, batch, logs=None):
        # Counted here: to ask the model for its step would wait for the device in every batch.
        self.bar.update(batch + 1 - self._done)
        self._done = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix({k: f"{logs[k]:.3f}" for k in ("d_loss", "g_loss")})

    def on_train_end(self, logs=None):
        self.bar.close()
