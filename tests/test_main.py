"""The command line, from its options to its files and exit codes."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from PIL import Image

from sagan_lib import devices, gan, sampling, shipped
from sagan_lib.__main__ import main
from sagan_lib.book import plots
from sagan_lib.cli import doctor, recipes, runs
from sagan_lib.evaluation import judge, scores

TINY = recipes.Recipe(
    resolution=32, latent_dim=4, attention_at=16, batch_size=4, ema_decay=0.5, faces=20
)
SMALL = ["--recipe", "tiny", "--resolution", "16", "--width", "4", "--log-every", "1"]


@pytest.fixture(autouse=True)
def tiny():
    """A preset that trains in seconds; the precision is float32 again afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "tiny", TINY)
        yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def run(tmp_path_factory, eager):
    """The folder of a run of two steps, made by the command line."""
    out = tmp_path_factory.mktemp("run") / "new folder"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "tiny", TINY)
        assert main(["train", *SMALL, "--steps", "2", "--out", str(out)]) == 0
    return out


@pytest.fixture
def asked(monkeypatch):
    """What `train` hands to `runs.train`, which does nothing."""
    calls = []

    def train(*args):
        calls.append(args)
        args[1].mkdir(parents=True, exist_ok=True)
        return None, {}

    monkeypatch.setattr(runs, "train", train)
    return calls


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.mark.book
def test_training_writes_the_run_and_its_report(run):
    files = {file.name for file in run.iterdir()}
    assert files >= {"run.keras", "generator.weights.h5", "log.csv", "run.json", "samples.png"}
    report = json.loads((run / "run.json").read_text())
    assert report["step"] == 2
    assert report["recipe"]["resolution"] == 16
    assert report["recipe"]["attention_at"] == 8  # it moved with the resolution
    assert report["seconds_this_time"] > 0
    # The folder's name has a space: the recorded command can be pasted into a shell.
    assert report["command"].startswith("python -m sagan_lib train --recipe tiny --resolution 16")
    assert report["command"].endswith(f"--out '{run}'")


def test_another_command_in_the_same_folder_is_refused(run, capsys):
    command = ["train", *SMALL, "--steps", "9", "--rates", "dcgan", "--out", str(run)]
    assert main(command) == 2
    assert "another run: rates was 'sagan_x4', not 'dcgan'" in capsys.readouterr().err


def test_every_option_of_train_reaches_the_recipe(asked, tmp_path):
    wanted = {
        "data": "folder", "resolution": 64, "width": 8, "latent_dim": 5, "rates": "dcgan",
        "loss": "bce", "variant": "pooled", "steps": 7, "batch_size": 3, "ema_decay": 0.9,
        "seed": 11, "population": 12,
    }  # fmt: skip
    options = [f"--{name.replace('_', '-')}={value}" for name, value in wanted.items()]
    out = tmp_path / "out"
    command = ["train", "--recipe", "faces32", *options, "--out", str(out), "--log-every", "13"]
    assert main([*command, "--mixed", "--devices", "mirrored", "--deterministic"]) == 0
    ((recipe, *rest),) = asked
    assert recipe == dataclasses.replace(recipes.RECIPES["faces32"], **wanted, attention_at=32)
    assert rest[:4] == [out, 13, True, "mirrored"]
    assert rest[4].startswith("python -m sagan_lib train --recipe faces32")
    assert rest[5] is True


def test_without_options_train_is_the_books_own_run(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train"]) == 0
    ((recipe, out, _, mixed, devices, _, deterministic),) = asked
    assert recipe == recipes.RECIPES["faces32"]
    assert (str(out), mixed, devices, deterministic) == ("runs/faces32", False, "one", False)


@pytest.mark.book
def test_a_deterministic_run_reaches_tensorflow_and_is_kept_as_one(tmp_path):
    """In a process of its own: TensorFlow cannot go back."""
    command = ["train", "--recipe", "dcgan32", *SMALL[2:], "--latent-dim", "4", "--faces", "20",
               "--batch-size", "4", "--deterministic"]  # fmt: skip
    code = f"""
import json, numpy as np
from pathlib import Path
from sagan_lib.__main__ import main
from sagan_lib import gan
import tensorflow as tf
from tensorflow.python.framework import config

tf.config.run_functions_eagerly(True)  # no tracing, which takes longer
command, there = {command!r}, Path({str(tmp_path)!r})
for steps, out in ((2, "run"), (3, "run"), (3, "straight")):
    assert main([*command, "--steps", str(steps), "--out", str(there / out)]) == 0
assert config.is_op_determinism_enabled()
for name in ("run.json", "recipe.json"):
    assert json.loads((there / "run" / name).read_text())["deterministic"] is True
a, b = (gan.GAN.load(there / out / "run.keras").get_weights() for out in ("run", "straight"))
for one, other in zip(a, b, strict=True):
    np.testing.assert_array_equal(one, other)
command.remove("--deterministic")
print(main([*command, "--steps", "4", "--out", str(there / "run")]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["2"], done.stderr
    assert "another run: deterministic was True, not False" in done.stderr


def test_an_interrupted_run_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    ends = [runs.keep.Stopped(signal.SIGTERM, 7), KeyboardInterrupt, KeyboardInterrupt]

    def train(*_):
        raise ends.pop(0)

    monkeypatch.setattr(runs, "train", train)
    assert main(["train", "--out", str(tmp_path)]) == 128 + signal.SIGTERM
    assert "stopped by SIGTERM after step 7: saved; the same command" in capsys.readouterr().out
    assert main(["train", "--out", str(tmp_path)]) == 130
    assert "stopped; nothing saved" in capsys.readouterr().out
    (tmp_path / "run.keras").touch()
    assert main(["train", "--out", str(tmp_path)]) == 130
    assert f"the same command goes on from {tmp_path}/run.keras" in capsys.readouterr().out
    assert not (tmp_path / "run.json").exists()


def test_a_clock_that_is_set_back_changes_nothing(asked, tmp_path, monkeypatch):
    back = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(back)))
    assert main(["train", "--out", str(tmp_path)]) == 0
    assert 0 <= json.loads((tmp_path / "run.json").read_text())["seconds_this_time"] < 60


def test_ctrl_c_in_any_command_is_one_line(monkeypatch, capsys, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "sampled", interrupted)
    assert main(["sample", "--out", str(tmp_path / "a.png")]) == 130
    assert capsys.readouterr().err == "\nstopped\n"


def test_sample_writes_a_grid_of_the_runs_averaged_generator(run, tmp_path):
    command = ["sample", "--run", str(run / "run.keras"), "--n", "5", "--columns", "3"]
    out = []
    for more in ([], [], ["--seed", "1"], ["--truncation", "0.5"]):
        assert main([*command, *more, "--out", str(tmp_path / "a.png")]) == 0
        out.append(pixels(tmp_path / "a.png"))
    assert out[0].shape == ((2 * 18 - 2) * 3, (3 * 18 - 2) * 3, 3)
    expected = plots.grid(gan.GAN.load(run / "run.keras").sample(5), 3)
    np.testing.assert_array_equal(out[0][::3, ::3], expected)
    assert [np.array_equal(out[0], other) for other in out[1:]] == [True, False, False]


def test_sample_takes_the_shipped_generator_by_default(tmp_path):
    assert main(["sample", "--n", "2", "--out", str(tmp_path / "faces.png")]) == 0
    expected = plots.grid(sampling.generate(runs.generator(), 2), 16)
    np.testing.assert_array_equal(pixels(tmp_path / "faces.png")[::3, ::3], expected)


def test_judge_trains_and_records_only_the_shipped_copy(tmp_path, monkeypatch, capsys):
    def train(path):
        path.write_bytes(b"weights")
        return {"hair": 0.987}

    monkeypatch.setattr(judge, "train", train)
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    (tmp_path / "SHA256SUMS").write_text("")
    assert main(["judge", "--out", str(tmp_path / "other.weights.h5")]) == 0
    assert "98.70% of fresh faces" in capsys.readouterr().out
    assert shipped.checksums() == {}
    assert main(["judge", "--out", str(tmp_path / judge.WEIGHTS)]) == 0
    assert shipped.path(judge.WEIGHTS).read_bytes() == b"weights"


def test_doctors_verdict_is_the_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda _: None)  # no GPU to complain about
    for slow in ("step", "onednn"):
        monkeypatch.setattr(doctor, slow, lambda: (True, "measured", ""))
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    assert main(["doctor", "--data", str(tmp_path)]) == 0
    assert "1 pictures, the first 1 decode" in capsys.readouterr().out
    assert main(["doctor", "--data", str(tmp_path / "missing")]) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sample", "--run", "missing.keras"], "missing.keras: no such file"),
        (["sample", "--n", "0"], "n must be at least 1"),
        (["train", "--recipe", "tiny", "--loss", "mse"], "loss must be one of"),
        (["train", "--recipe", "tiny", "--data", "missing"], "missing: no such folder or zip"),
        (["publish", "--run", "missing"], "missing"),
        (["train", "--recipe", "tiny", "--log-every", "0"], "log_every must be at least 1"),
        (
            ["train", "--recipe", "tiny", "--latent-dim", "1000000000"],
            "out of memory: the networks do not fit: take a smaller latent_dim (now 1000000000)",
        ),
        (["score", "--out", "missing/scores.json"], "--out: missing is no folder"),
        (["sample", "--out", "missing/grid.png"], "--out: missing is no folder"),
        (["judge", "--out", "."], "--out: . is a folder"),
    ],
)
def test_wrong_values_end_in_one_line_and_code_2(command, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert words in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_step_that_cannot_fit_is_refused_before_the_system_ends_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(devices, "gpus", lambda: [])
    monkeypatch.setattr(devices, "memory", lambda: 2**20)
    assert main(["train", "--recipe", "tiny", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "this machine has 0: take a smaller batch_size (now 4)" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.book
def test_the_module_runs_as_a_program(tmp_path):
    """In a terminal that lacks the folder's letters, too."""
    command = [sys.executable, "-m", "sagan_lib", "sample", "--run", "Köln.keras"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False,
                          env=os.environ | {"PYTHONIOENCODING": "ascii"})  # fmt: skip
    assert done.returncode == 2
    assert "error: K\\xf6ln.keras: no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_scores_of_the_shipped_generator_stand_beside_real_faces(tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert main(["score", "--n", "150", "--real", "300", "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["protocol"]["fake"] == 150
    assert found["frechet"]["real"] < found["frechet"]["value"]
    assert found["heterochromia"]["real"] == 0 < found["heterochromia"]["value"]
    assert "frechet" in capsys.readouterr().out


def test_scores_of_a_run_on_a_folder_ask_for_enough_images(run, tmp_path, capsys, monkeypatch):
    for k in range(6):
        Image.fromarray(np.full((40, 40, 3), 40 * k, np.uint8)).save(tmp_path / f"{k}.png")
    monkeypatch.setattr(scores, "inception_extractor", scores.judge_extractor)
    command = ["score", "--run", str(run / "run.keras"), "--data", str(tmp_path), "--n", "4"]
    assert main([*command, "--real", "4"]) == 2
    assert "6 images; 4 real ones and 4 held out make 8" in capsys.readouterr().err


@pytest.mark.parametrize("own", [True, False])
def test_a_score_on_the_runs_own_pictures_has_their_crop(own, tmp_path, monkeypatch):
    """Black pictures with a white square, which is all that the run saw."""
    picture = Image.new("RGB", (40, 40))
    picture.paste("white", (10, 10, 30, 30))
    data, out, seen = tmp_path / "pictures", tmp_path / "run", []
    data.mkdir(), out.mkdir()
    for k in range(12):
        picture.save(data / f"{k}.png")
    (out / "recipe.json").write_text(json.dumps({"data": str(data), "crop": 20}))
    net = runs.networks_of(TINY)[0]
    monkeypatch.setattr(runs, "trained", lambda run: net)
    monkeypatch.setitem(scores.EXTRACTORS, "inception", scores.judge_extractor)
    monkeypatch.setattr(scores, "evaluate", lambda *sets: seen.extend(sets) or {"protocol": {}})
    command = ["score", "--run", str(out), "--n", "4"]
    assert main(command if own else [*command, "--data", str(data)]) == 0
    np.testing.assert_array_equal(seen[0], sampling.generate(net, 4))
    assert (len(seen[1]), len(seen[2])) == (8, 4)
    assert (seen[1].min() == 1) == own


@pytest.mark.book
def test_a_run_with_labels_by_the_command_line(tmp_path, capsys):
    out, picture = tmp_path / "run", tmp_path / "red.png"
    command = ["train", *SMALL, "--resolution", "32", "--steps", "1", "--label", "hair", "--faces"]
    assert main([*command, "200", "--out", str(out)]) == 0
    assert "hair=black, " in capsys.readouterr().out  # how many there are of each
    sample = ["sample", "--run", str(out), "--n", "3", "--out", str(picture), "--label"]
    assert main([*sample, "red"]) == 0
    model = runs.trained(out)
    np.testing.assert_array_equal(pixels(picture)[::3, ::3], plots.grid(
        model.sample(3, label="red"), 16))  # fmt: skip
    assert main([*sample, "green"]) == 2
    assert (
        "label 'green' is none of hair (black, brown, blond, red, grey)" in capsys.readouterr().err
    )
    assert main(["score", "--run", str(out), "--n", "400", "--real", "400"]) == 0
    with pytest.raises(ValueError, match=r"faces must have the labels hair .* got skin"):
        runs.score(model, "it", n=4, real=4, label="skin")
    said = capsys.readouterr().out
    assert "obedience" in said
    assert "hair=red: frechet" in said
    assert "hair tells of others (by chance): iris 0." in said
    assert main(["sample", "--label", "red", "--out", str(picture)]) == 2
    assert "trained without labels" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["claims", "bench"])
def test_a_command_that_moved_says_where_it_went(name, capsys):
    assert main([name, "list"]) == 2
    assert f"error: this is now: python -m sagan_experiments {name}" in capsys.readouterr().err


def test_the_old_name_of_recipe_is_accepted(asked, tmp_path):
    assert main(["train", "--preset", "dcgan32", "--out", str(tmp_path)]) == 0
    assert asked[0][0] == recipes.RECIPES["dcgan32"]
