"""What goes on beside a run: the guard, the clock, the file that is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gan import same, small, values

from sagan_lib import gan, ttur
from sagan_lib.callbacks import DivergedError, Gap, listed
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.source import Source


@pytest.fixture(scope="module")
def images():
    return Faces(16, 100)


def test_divergence_restores_the_last_good_weights(images, tmp_path):
    model = small()
    path = tmp_path / "run.keras"
    model.fit(images, steps=2, batch_size=10, log_every=1, save_to=path, verbose=0)
    good = values(model.generator) + values(model.discriminator)
    model.g_optimizer.learning_rate.assign(float("inf"))
    with pytest.raises(DivergedError, match=r"before step 3.*holds the weights of step 2"):
        model.fit(images, steps=4, batch_size=10, log_every=1, verbose=0)
    assert int(model.step.numpy()) == 2
    assert same(good, values(model.generator) + values(model.discriminator))
    loaded = gan.GAN.load(path)
    assert same(good, values(loaded.generator) + values(loaded.discriminator))


def test_a_killed_save_leaves_the_previous_file(images, tmp_path, monkeypatch):
    path = tmp_path / "run.keras"
    model = small()
    model.fit(images, steps=1, batch_size=10, save_to=path, verbose=0)

    def killed(self, where):
        where.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(gan.GAN, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        model.fit(images, steps=1, batch_size=10, save_to=path, verbose=0)
    assert int(gan.GAN.load(path).step.numpy()) == 1


class Life(keras.callbacks.Callback):
    """Writes down what happens to it."""

    def __init__(self):
        super().__init__()
        self.seen, self.batches = [], []

    def on_train_begin(self, logs=None):
        self.seen.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(epoch)

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)

    def on_train_end(self, logs=None):
        self.seen.append("end")


@pytest.mark.parametrize("steps", [6, 7, 2])
def test_a_training_has_one_begin_and_one_end_though_steps_leave_a_rest(images, steps):
    model, life = small("dcgan"), Life()
    history = model.fit(images, steps=steps, batch_size=8, log_every=3, verbose=0, callbacks=life)
    epochs = -(-steps // 3)
    assert life.seen == ["begin", *range(epochs), "end"]
    assert life.batches == [step % 3 for step in range(steps)]
    assert history.epoch == [*range(epochs)]
    assert len(history.history["d_loss"]) == epochs
    assert int(model.step.numpy()) == steps


def test_epochs_are_numbered_on_where_a_run_goes_on(images):
    model, lives = small("dcgan"), [Life(), Life()]
    model.fit(images, steps=7, batch_size=8, log_every=3, verbose=0, callbacks=lives[0])
    model.fit(images, steps=4, batch_size=8, log_every=3, verbose=0, callbacks=[lives[1]])
    assert [life.seen for life in lives] == [["begin", 0, 1, 2, "end"], ["begin", 3, 4, "end"]]


def test_early_stopping_counts_over_the_whole_training_and_says_what_it_put_back(images):
    model, life = small("dcgan"), Life()
    stop = keras.callbacks.EarlyStopping("d_loss", patience=2, mode="max", baseline=1e9)
    model.fit(images, steps=9, batch_size=8, log_every=2, verbose=0, callbacks=[stop, life])
    assert life.seen == ["begin", 0, 1, "end"]
    best = keras.callbacks.EarlyStopping("step", patience=9, mode="min", restore_best_weights=True)
    with pytest.warns(UserWarning, match="weights of step 6 back at the end .* step 9 had been"):
        model.fit(images, steps=5, batch_size=8, log_every=2, verbose=0, callbacks=best)
    assert int(model.step.numpy()) == 6


@pytest.mark.book
def test_backup_and_restore_ends_as_an_unbroken_run_does(images, tmp_path):
    class Killed(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole = small("dcgan")
    whole.fit(images, steps=9, batch_size=8, log_every=2, verbose=0)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        small("dcgan").fit(images, steps=9, batch_size=8, log_every=2, verbose=0,
                           callbacks=[backup, Killed()])  # fmt: skip
    again, life = small("dcgan"), Life()
    again.fit(images, steps=9, batch_size=8, log_every=2, verbose=0, callbacks=[backup, life])
    assert life.seen == ["begin", 2, 3, 4, "end"]
    assert int(again.step.numpy()) == 9
    nets = ("generator", "discriminator", "ema_generator", "g_optimizer", "d_optimizer")
    for name in nets:
        assert same(values(getattr(whole, name)), values(getattr(again, name))), name


def test_every_form_of_the_argument_is_taken():
    one, two = Life(), [Life(), Life()]
    given = {None: [], (): [], one: [one], tuple(two): two}
    for callbacks, expected in given.items():
        assert listed(callbacks) == expected
    assert listed(keras.callbacks.CallbackList([one]))[0] is one


def rates(model):
    return [float(x.learning_rate) for x in (model.g_optimizer, model.d_optimizer)]


def test_a_scheduler_moves_both_rates_and_keeps_their_ratio(images):
    model = small("dcgan")
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(images, steps=5, batch_size=8, log_every=2, verbose=0, callbacks=halve)
    np.testing.assert_allclose(rates(model), [1e-3 / 8, 4e-3 / 8], rtol=1e-5)


def test_a_rate_that_a_schedule_decides_or_that_is_zero_is_not_set():
    model = small("dcgan")
    model.compile(**ttur.preset("sagan_x4", decay_steps=10))
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        model.optimizer.learning_rate = 1e-3
    model.compile(**ttur.two_time_scale())
    model.g_optimizer.learning_rate.assign(0.0)
    with pytest.raises(ValueError, match="learning_rate cannot be set while that of G is 0"):
        model.optimizer.learning_rate = 1e-3


class Knows(keras.layers.Layer):
    """A D that scores pictures above 0 by 2 and others by -1."""

    def call(self, images):
        return 3 * tf.cast(tf.reduce_mean(images, (1, 2, 3))[:, None] > 0, "float32") - 1


class Two(Source):
    """Training pictures that are white."""

    size, resolution = 300, 16
    images = np.full((300, 16, 16, 3), 255, np.uint8)


@pytest.mark.parametrize("held_out", [7, 300])
def test_the_gap_is_the_mean_of_training_scores_less_that_of_held_out_ones(held_out):
    model = small("dcgan")
    model.discriminator.call = lambda images, training: Knows()(images)
    gap = Gap(Two(), np.full((held_out, 16, 16, 3), -0.5, np.float32))
    gap.set_model(model)
    model.sample = lambda n, ema: np.full((n, 16, 16, 3), -0.1, np.float32)
    gap.on_epoch_end(0, logs := {"d_loss": 1.0})
    assert logs == {"d_loss": 1.0, "d_train": 2.0, "d_held_out": -1.0, "d_fake": -1.0,
                    "d_gap": 3.0, "r_t": 1.0}  # fmt: skip


def test_held_out_images_add_the_gap_to_each_row_and_change_nothing_else(images, capsys):
    plain, watched = (small() for _ in range(2))
    options = {"steps": 3, "batch_size": 8, "log_every": 2}
    before = plain.fit(images, **options, verbose=0).history
    training, held_out = images.split(9)
    after = watched.fit(training, **options, held_out=held_out).history
    assert same(values(plain), values(watched))
    assert set(after) - set(before) == {"d_train", "d_held_out", "d_fake", "d_gap", "r_t"}
    assert len(after["d_gap"]) == 2
    assert all(-1 <= r <= 1 for r in after["r_t"])
    assert f"d_gap={after['d_gap'][-1]:.3f}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("held_out", "error", "words"),
    [
        (np.zeros((4, 32, 32, 3), np.float32), ValueError, "held_out must be images of shape"),
        (np.zeros((4, 16, 16, 3), int), TypeError, "held_out must be uint8, or float"),
    ],
)
def test_held_out_images_of_another_kind_are_refused(held_out, error, words, images):
    with pytest.raises(error, match=words):
        small().fit(images, steps=1, held_out=held_out, verbose=0)
