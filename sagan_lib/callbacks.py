"""Keras callbacks of a GAN run: what is measured, the guard against divergence, the bar."""

import math
import tempfile
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from sagan_lib import devices, shipped
from sagan_lib.datasets.source import as_images


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


class Gap(keras.callbacks.Callback):
    """Adds to each row of the history what D says of images it trains on and of others.

    D scores them as they are, whatever `augment` shows it in training. Where it scores training
    images above held-out ones, it knows them by heart. Columns: d_train, d_held_out and d_fake (the
    mean scores; of the generator that is not averaged), d_gap (the first less the second), and r_t,
    the mean sign of D's scores of training images: Karras et al. (2020), arXiv:2006.06676, eq. 1,
    hold it at 0.6.

    Args:
        source: the `Source` that is trained on.
        held_out: images of the same kind that are not, float (n, h, w, 3) in [-1, 1].
    """

    COUNT = 256  # at most so many of each are scored

    def __init__(self, source, held_out):
        super().__init__()
        self.held_out = as_images("held_out", held_out)[: self.COUNT]
        some = source.batches(min(self.COUNT, source.size), count=1)
        self.training = next(iter(some)).numpy()
        if self.held_out.shape[1:] != self.training.shape[1:]:
            raise ValueError(f"held_out must be images of shape {self.training.shape[1:]}, got "
                             f"{self.held_out.shape[1:]}")  # fmt: skip

    def on_epoch_end(self, epoch, logs=None):
        train, held_out, fake = (self._scores(*given) for given in self.sets())
        means = {"d_train": train, "d_held_out": held_out, "d_fake": fake,
                 "d_gap": train.mean() - held_out.mean(), "r_t": np.sign(train)}  # fmt: skip
        logs |= {name: float(np.mean(value)) for name, value in means.items()}

    def sets(self):
        """What D scores, as it takes it: training, held-out and generated images."""
        fake = self.model.sample(len(self.held_out), ema=False)
        return (self.training,), (self.held_out,), (fake,)

    def _scores(self, *given):
        blocks = ([x[i : i + 64] for x in given] for i in range(0, len(given[0]), 64))
        shown = (block if len(block) > 1 else block[0] for block in blocks)
        scored = [self.model.discriminator(each, training=False) for each in shown]
        return np.concatenate([np.asarray(each, np.float32) for each in scored])


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
        shown = [k for k in ("d_loss", "g_loss", "d_gap") if k in logs]
        self.bar.set_postfix({k: f"{logs[k]:.3f}" for k in shown})

    def on_train_end(self, logs=None):
        self.bar.close()
