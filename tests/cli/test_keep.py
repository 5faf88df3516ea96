"""A run's folder under fire: two at once, damaged saves, torn logs, signals."""

import csv
import dataclasses
import errno
import json
import os
import re
import shutil
import signal
import threading
import time
from types import SimpleNamespace

import keras
import kills
import numpy as np
import pytest
import races
from PIL import Image
from saved import members, rewritten, write
from small_gan import state

from sagan_lib.callbacks import previous
from sagan_lib.cli import keep, runs
from sagan_lib.cli.recipes import Recipe

pytestmark = pytest.mark.usefixtures("eager")
# DCGAN, the quicker one; that a run goes on exactly with SAGAN's layers is test_gan's subject.
TINY = Recipe(
    "dcgan", resolution=16, width=4, latent_dim=4, attention_at=None, batch_size=4, steps=3,
    ema_decay=0.5, faces=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory, eager):
    """The folder of a run with two saves: at step 2 and at step 3."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    runs.train(TINY, folder, log_every=2)
    return folder


@pytest.fixture
def saved(trained, tmp_path):
    """A copy of it."""
    return shutil.copytree(trained, tmp_path / "run")


def test_a_folder_is_held_by_one_command_and_the_next_is_told_which(tmp_path):
    said = rf"another process trains there \(process {os.getpid()} on .*train the first"
    with (
        keep.alone(tmp_path / "run", "train the first"),
        pytest.raises(RuntimeError, match=said),
        keep.alone(tmp_path / "run", "the second"),
    ):
        pass
    with keep.alone(tmp_path / "run"):
        pass


@pytest.mark.full
def test_of_commands_that_start_at_one_instant_one_holds_the_folder(tmp_path):
    """And the others, refused, leave what is its own: so often that a race would show."""
    races.race(tmp_path, 40)


def test_a_command_waits_for_one_that_ends_just_now(tmp_path):
    ended = threading.Event()

    def hold():
        with keep.alone(tmp_path):
            ended.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    threading.Timer(0.3, ended.set).start()
    while not (tmp_path / keep.LOCK).exists():
        time.sleep(0.01)
    with keep.alone(tmp_path):
        assert ended.is_set()
    other.join()


@pytest.mark.parametrize("name", [*keep.FILES, keep.BOARD])
def test_a_link_or_a_pipe_in_a_runs_place_is_named_and_neither_followed_nor_waited_for(
    name, tmp_path
):
    (tmp_path / "other").write_text("precious")
    run = tmp_path / "run"
    run.mkdir()
    os.mkfifo(run / name)
    with pytest.raises(ValueError, match="got a named pipe"):
        runs.train(TINY, run)
    said = rf"run/{re.escape(name)} must be a .* of the run's own, got a link: .*--out"
    for target in ("other", "nowhere"):
        (run / name).unlink()
        (run / name).symlink_to(tmp_path / target)
        with pytest.raises(ValueError, match=said), keep.alone(run):
            pass
    assert (tmp_path / "other").read_text() == "precious"
    assert {each.name for each in run.iterdir()} <= {name, keep.LOCK}


@pytest.mark.parametrize("name", [keep.RUN, previous(keep.RUN).name])
def test_a_pipe_in_a_saves_place_is_not_waited_for_where_a_run_is_loaded(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name} is damaged \(it is no file\)"):
        runs.generator(tmp_path)
    with pytest.raises(ValueError, match=rf"{name} is damaged \(it is no file\)"):
        runs.generator(tmp_path / name)


def test_what_killed_runs_left_half_written_is_removed_and_nothing_else(tmp_path):
    left = ["run.123.part.keras", "log.7.part.csv", "recipe.9.part.json",
            "generator.5.part.weights.h5"]  # fmt: skip
    others = ["run.keras.bak", "mine.part.keras", "run.part.keras", "scores.1.part.json"]
    for name in (*left, *others):
        (tmp_path / name).write_text("half")
    with keep.alone(tmp_path):
        found = {each.name for each in tmp_path.iterdir()}
    assert found == {keep.LOCK, *others}


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "no locks"), NotImplementedError("no locks")]
)
def test_without_locks_a_run_is_refused_and_a_user_may_go_on(error, tmp_path, monkeypatch):
    def flock(*_):
        raise error

    monkeypatch.setattr("fcntl.flock", flock)
    said = r"cannot be locked \(no locks\), so two commands .*SAGAN_NO_LOCK=1"
    with pytest.raises(RuntimeError, match=said), keep.alone(tmp_path / "new" / "run"):
        pass
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("SAGAN_NO_LOCK", "1")
    entered = False
    with pytest.warns(UserWarning, match="nothing keeps others"), keep.alone(tmp_path / "run"):
        entered = (tmp_path / "run").is_dir()
    assert entered


def test_a_run_that_ends_before_its_first_save_leaves_no_folder(tmp_path):
    def ends(folder):
        with keep.alone(folder):
            (folder / "tensorboard").mkdir()
            (folder / "recipe.json").write_text("{}")
            raise KeyError

    (tmp_path / "old").mkdir()
    for name in ("new", "old"):
        with pytest.raises(KeyError):
            ends(tmp_path / name)
        assert (tmp_path / name).exists() == (name == "old")


@pytest.mark.parametrize("number", keep.SIGNALS)
def test_the_first_signal_ends_the_step_and_the_second_at_once(number, handle):
    ended = []
    handle(number, lambda *_: ended.append("at once"))
    signals = keep.Signals()
    signals.set_model(SimpleNamespace(stop_training=False))
    signals.on_train_begin()
    signal.raise_signal(number)
    assert (signals.number, ended) == (number, [])
    signals.on_train_batch_end(0)
    assert signals.model.stop_training
    signal.raise_signal(number)
    assert ended == ["at once"]


def test_a_signal_that_nohup_ignores_stays_ignored(handle):
    handle(signal.SIGHUP, signal.SIG_IGN)
    signals = keep.Signals()
    signals.on_train_begin()
    signal.raise_signal(signal.SIGHUP)
    assert signals.number is None
    signals.on_train_end()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def steps_in(log):
    with open(log, newline="") as stream:
        return [int(row["step"]) for row in csv.DictReader(stream)]


@pytest.mark.book
def test_a_stop_and_a_resume_are_the_run_in_one(tmp_path, monkeypatch):
    recipe = dataclasses.replace(TINY, steps=6)
    straight, _ = runs.train(recipe, tmp_path / "straight", log_every=4)
    real, calls = keep.Signals.on_train_batch_end, []

    def at_the_third(self, batch, logs=None):
        calls.append(batch)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, batch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(keep.Signals, "on_train_batch_end", at_the_third)
        with pytest.raises(keep.Stopped) as caught:
            runs.train(recipe, tmp_path / "run", log_every=4)
    assert (caught.value.number, caught.value.step) == (signal.SIGINT, 3)
    again, report = runs.train(recipe, tmp_path / "run", log_every=4)
    assert report["step"] == 6
    for a, b in zip(state(straight), state(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_that_fails_gives_the_signals_back(tmp_path, monkeypatch):
    def fail(self, batch, logs=None):
        raise OSError("disk full")

    monkeypatch.setattr(keep.Signals, "on_train_batch_end", fail)
    before = {number: signal.getsignal(number) for number in keep.SIGNALS}
    with pytest.raises(OSError, match="disk full"):
        runs.train(dataclasses.replace(TINY, steps=2), tmp_path / "run")
    assert {number: signal.getsignal(number) for number in keep.SIGNALS} == before


WEIGHTS = "model.weights.h5"


def with_weights(of):
    """Others in a whole archive with right checksums."""

    def changed(path):
        found = members(path)
        write(path, found | of(found.pop(WEIGHTS)))

    return changed


def without(name):
    """Weights of which one, or a group, is missing."""
    return lambda path: rewritten(path, lambda weights: weights.__delitem__(name))


def at_step(number):
    return lambda path: rewritten(path, lambda file: file["vars/0"].write_direct(np.array(number)))


def with_n_dis(number):
    return lambda path: rewritten(
        path, lambda _: None, lambda kept: kept["compile_config"].update(n_dis=number)
    )


CHANGES = {
    "truncated file": with_weights(lambda whole: {WEIGHTS: whole[:3000]}),
    f"no item named '{WEIGHTS}'": with_weights(lambda whole: {}),
    "d_adam.* 16 variables whereas the saved optimizer has 15": without("d_optimizer/vars/5"),
    "g_adam.* whereas the saved optimizer has 0": without("g_optimizer"),
    "project": without("generator/layers/dense/vars/0"),
    "its step is 1 with n_dis=1, but its optimizers made 3 updates of G and 3": at_step(1),
    "its step is -5 with n_dis=1, but": at_step(-5),
    "n_dis=2, but its optimizers made 3 updates of G and 3 of D": with_n_dis(2),
    "n_dis must be at least 1, got 0": with_n_dis(0),
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_save_that_was_changed_is_not_gone_on_from_but_the_one_before(saved, words):
    CHANGES[words](saved / keep.RUN)
    model, said = keep.newest(saved, runs._to_go_on)
    assert re.search(rf"run\.keras is damaged .*{words}.*run\.previous", said)
    assert int(model.step.numpy()) == 2


def test_a_damaged_run_goes_on_from_the_save_before(saved):
    at_step(1)(saved / keep.RUN)
    with pytest.warns(UserWarning, match=r"run\.keras is damaged .*run\.previous"):
        model, _ = runs.train(TINY, saved, log_every=2)
    assert int(model.step.numpy()) == TINY.steps
    assert keep.newest(saved, runs.GAN.load)[1] == ""
    assert steps_in(saved / "log.csv") == [2, 3]


def test_where_no_save_is_whole_each_is_named_and_the_log_stays(saved):
    without("d_optimizer/vars/5")(saved / keep.RUN)
    at_step(-5)(previous(saved / keep.RUN))
    log = (saved / "log.csv").read_bytes()
    said = r"run\.keras is damaged .*d_adam.*run\.previous\.keras is damaged .*step is -5.*remove"
    with pytest.raises(ValueError, match=said):
        runs.train(TINY, saved)
    assert (saved / "log.csv").read_bytes() == log


def test_a_log_whose_saves_are_gone_is_set_aside_with_words(saved):
    log = (saved / "log.csv").read_text()
    for path in (saved / keep.RUN, previous(saved / keep.RUN)):
        path.unlink()
    (saved / "log.1.csv").write_text("an older one")
    with pytest.warns(UserWarning, match=r"a log but no save: .* set aside as log\.2\.csv"):
        keep.trim(saved / "log.csv", 0)
    assert (saved / "log.2.csv").read_text() == log
    assert (saved / "log.1.csv").read_text() == "an older one"
    assert not (saved / "log.csv").exists()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[1]"])
def test_a_damaged_text_of_a_run_is_named(content, tmp_path):
    (tmp_path / "recipe.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"recipe\.json is damaged \("):
        runs.recipe_of(tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign", "missing"])
def test_a_damaged_save_is_named_and_the_one_before_is_used(saved, damage):
    run = saved / "run.keras"
    assert keep.newest(saved) == (run, "")
    data = run.read_bytes()
    if damage == "truncated":
        run.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        half = len(data) // 2
        run.write_bytes(data[:half] + 50 * b"?" + data[half + 50 :])
    elif damage == "foreign":
        keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(run)
    else:  # a kill between the two renames
        run.unlink()
    path, said = keep.newest(saved)
    assert path == previous(run)
    assert (f"{run} is damaged" in said) == (damage != "missing")
    assert "going on from the save before it, run.previous.keras" in said


def test_a_generator_is_taken_from_the_save_before_a_damaged_one(saved):
    run = saved / keep.RUN
    shutil.copy(run, previous(run))
    run.write_bytes(run.read_bytes()[:500])
    with pytest.warns(UserWarning, match=r"run\.keras is damaged .*going on from the save before"):
        generator = runs.generator(saved)
    assert generator.output_shape[1] == TINY.resolution
    with pytest.raises(ValueError, match=r"run\.keras is damaged"):
        runs.generator(run)
    with pytest.raises(FileNotFoundError):
        runs.generator(saved / "nowhere.keras")


def test_what_a_run_is_stands_in_its_save(saved):
    """Neither a missing nor an edited recipe.json makes it another run."""
    (saved / "recipe.json").write_text(json.dumps({"rates": "dcgan"}))
    other = dataclasses.replace(TINY, rates="dcgan", steps=4)
    with pytest.raises(ValueError, match="rates was 'sagan_x4', not 'dcgan'"):
        runs.train(other, saved)
    (saved / "recipe.json").unlink()
    with pytest.raises(ValueError, match="rates was 'sagan_x4'"):
        runs.train(other, saved)
    with pytest.raises(ValueError, match="mixed was False, not True"):
        runs.train(dataclasses.replace(TINY, steps=4), saved, mixed=True)
    keras.config.set_dtype_policy("float32")
    assert keep.about(saved / "run.keras")["rates"] == "sagan_x4"


def test_fewer_steps_than_done_change_nothing(saved, capsys):
    def files():
        return {p: p.read_bytes() for p in saved.iterdir() if p.is_file() and p.name != keep.LOCK}

    before = files()
    _, report = runs.train(dataclasses.replace(TINY, steps=1), saved)
    assert report is None
    assert "3 steps are done already, 1 were asked for" in capsys.readouterr().out
    assert files() == before


@pytest.mark.parametrize(
    ("text", "step", "kept"),
    [
        ("step,loss\n2,0.1\n4,0.2\n", 4, [2, 4]),
        ("step,loss\n2,0.1\n4,0.2\n6,0.3\n", 4, [2, 4]),  # its save is missing
        ("step,loss\n2,0.1\n4,0.", 4, [2, 4]),
        ("step,loss\n2,0.1\n4", 4, [2]),  # torn
        ("step,loss\n2,0.1\n4,0.2x4,0.2\n", 4, [2]),  # fused
        ("", 4, []),
        ("step\n999\n", 4, []),  # another run's
    ],
)
def test_a_log_goes_on_without_lost_doubled_or_torn_rows(tmp_path, text, step, kept):
    log = tmp_path / "log.csv"
    log.write_text(text)
    keep.trim(log, step)
    assert (steps_in(log) if log.exists() else []) == kept
    keep.trim(tmp_path / "none.csv", step)


def test_tensorboard_has_the_runs_own_steps(saved):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs.train(dataclasses.replace(TINY, steps=5), saved, log_every=2)
    events = EventAccumulator(str(saved / "tensorboard" / "train"))
    events.Reload()
    assert [each.step for each in events.Tensors("epoch_d_loss")] == [2, 3, 5]
    assert "epoch_step" not in events.Tags()["tensors"]


def test_the_same_pictures_elsewhere_go_on_and_changed_ones_are_refused(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for value in range(5):
        Image.new("RGB", (16, 16), (50 * value, 0, 0)).save(folder / f"{value}.bmp")
    recipe = dataclasses.replace(TINY, data=str(folder), steps=1)
    runs.train(recipe, tmp_path / "run")
    elsewhere = folder.rename(tmp_path / "renamed")
    more = dataclasses.replace(recipe, data=str(elsewhere), steps=2)
    assert runs.train(more, tmp_path / "run")[1]["step"] == 2
    Image.new("RGB", (17, 16)).save(elsewhere / "0.bmp")
    with pytest.raises(ValueError, match="holds another run: pictures was"):
        runs.train(dataclasses.replace(more, steps=3), tmp_path / "run")


@pytest.mark.book
def test_kills_at_any_moment_change_nothing(tmp_path):
    """A few of those that `kills.py` does by hand."""
    assert kills.chain(tmp_path, 2, seed=1) == 2
