"""CelebA through the command line, on a small folder laid out as published: train, kill, go on,
sample, score."""

import csv
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

from sagan_lib import callbacks, gan
from sagan_lib.__main__ import main
from sagan_lib.book import plots
from sagan_lib.cli import recipes
from sagan_lib.datasets import faces
from sagan_lib.datasets.celeba import CelebA
from sagan_lib.datasets.source import from_bytes, to_bytes
from sagan_lib.evaluation import metrics, scores

COUNT = 16
VALID, TEST, DAMAGED = (4, 12), (8, 16), 3
TRAIN = [number for number in range(1, COUNT + 1) if number % 4 and number != DAMAGED]
OVERRIDES = {"resolution": 32, "width": 4, "latent_dim": 4, "batch_size": 4, "ema_decay": 0.5}
SMALL = [f"--{name.replace('_', '-')}={value}" for name, value in OVERRIDES.items()]
SMALL += ["--log-every", "1"]
STEPS = 6

pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore:.*skipped 1 undecodable.*000003.jpg"),
]


def publish(root, img="", lists=""):
    """16 portraits of 178 x 218 and their list below `root`; returns the folder of the images.

    One training image is cut off.
    """
    portraits = to_bytes(faces.render(faces.factors(np.arange(COUNT)), 178))
    portraits = np.pad(portraits, ((0, 0), (20, 20), (0, 0), (0, 0)), "edge")
    folder = root / img / "img_align_celeba"
    folder.mkdir(parents=True)
    for number, portrait in enumerate(portraits, 1):
        Image.fromarray(portrait).save(folder / f"{number:06}.jpg", quality=95)
    whole = (folder / f"{DAMAGED:06}.jpg").read_bytes()
    (folder / f"{DAMAGED:06}.jpg").write_bytes(whole[:1000])
    (root / lists).mkdir(exist_ok=True)
    splits = ((n, 1 if n in VALID else 2 if n in TEST else 0) for n in range(1, COUNT + 1))
    text = "".join(f"{number:06}.jpg {split}\n" for number, split in splits)
    (root / lists / "list_eval_partition.txt").write_text(text)
    return folder


def state(out):
    """Everything that the run in folder `out` is made of: weights, moments, counters."""
    model = gan.GAN.load(out / "run.keras")
    variables = model.variables + model.g_optimizer.variables + model.d_optimizer.variables
    return [variable.numpy() for variable in variables]


def assert_same_run(a, b):
    for one, other in zip(state(a), state(b), strict=True):
        np.testing.assert_array_equal(one, other)


def logged(out):
    with open(out / "log.csv", newline="") as stream:
        return {int(row["step"]): (row["d_loss"], row["g_loss"]) for row in csv.DictReader(stream)}


def one_line(capsys):
    """The error that was printed, which must be a single line."""
    *_, error = capsys.readouterr().err.strip().split("error: ")
    assert len(error.splitlines()) == 1
    return error


@pytest.fixture(scope="module")
def celeba(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("celeba"))


@pytest.fixture(scope="module")
def run(celeba, tmp_path_factory):
    """The folder of a run of "celeba64" made small, trained without an interruption."""
    out = tmp_path_factory.mktemp("runs") / "celeba64"
    command = ["train", "--recipe", "celeba64", *SMALL, "--steps", str(STEPS)]
    with pytest.warns(UserWarning, match=f"celeba.*: skipped 1 undecodable: .*{DAMAGED:06}.jpg"):
        assert main([*command, "--data", str(celeba), "--out", str(out)]) == 0
    return out


@pytest.fixture
def no_inception(monkeypatch):
    """Whoever asks for Inception's network fails the test."""
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **_: pytest.fail("Inception"))


def test_the_run_is_the_preset_with_its_overrides(run, celeba):
    report = json.loads((run / "run.json").read_text())
    changes = OVERRIDES | {"data": str(celeba), "attention_at": 16, "steps": STEPS}
    expected = dataclasses.replace(recipes.RECIPES["celeba64"], **changes)
    assert report["recipe"] == dataclasses.asdict(expected)
    assert (report["step"], report["images"]) == (STEPS, len(TRAIN))
    assert list(logged(run)) == list(range(1, STEPS + 1))


def test_an_interrupt_changes_nothing_and_neither_does_what_is_held_back(
    run, tmp_path, monkeypatch, capsys
):
    """From a zip whose validation and test images are white, and stopped in its third step."""
    folder = publish(tmp_path)
    for number in (*VALID, *TEST):
        Image.new("RGB", (178, 218), "white").save(folder / f"{number:06}.jpg")
    with zipfile.ZipFile(tmp_path / "img_align_celeba.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"img_align_celeba/{file.name}")
            file.unlink()
    out = tmp_path / "run"
    command = ["train", "--recipe", "celeba64", *SMALL, "--steps", str(STEPS), "--out", str(out)]
    command += ["--data", str(tmp_path / "img_align_celeba.zip")]

    def interrupt(progress, batch, logs=None):
        if int(progress.model.step.numpy()) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Progress, "on_train_batch_end", interrupt)
        assert main(command) == 130
    assert f"goes on from {out}/run.keras" in capsys.readouterr().out
    assert int(gan.GAN.load(out / "run.keras").step.numpy()) == 2  # the third step is lost
    assert not (out / "run.json").exists()

    assert main(command) == 0
    assert_same_run(out, run)
    assert logged(out) == logged(run)
    assert (out / "samples.png").read_bytes() == (run / "samples.png").read_bytes()


def test_a_killed_process_goes_on_exactly(run, tmp_path):
    """In the layout of the full download, whose test images are cut off too: nobody reads them."""
    root, out = tmp_path / "CelebA", tmp_path / "run"
    folder = publish(root, "Img", "Eval")
    for number in (*VALID, *TEST):
        (folder / f"{number:06}.jpg").write_bytes(b"cut off")
    command = ["train", "--recipe", "celeba128", *SMALL, "--data", str(root), "--out", str(out)]
    program = [sys.executable, "-m", "sagan_lib", *command, "--steps", "1000000"]
    with (
        open(tmp_path / "err", "w") as err,
        subprocess.Popen(program, cwd=tmp_path, stdout=err, stderr=err) as process,
    ):
        end = time.monotonic() + 240
        while not (out / "run.keras").exists() and time.monotonic() < end and not process.poll():
            time.sleep(0.01)
        process.kill()
    said = (tmp_path / "err").read_text()
    assert process.returncode == -signal.SIGKILL, said
    assert f"warning: {root}: skipped 1 undecodable: Img/img_align_celeba/000003.jpg\n" in said
    reached = int(gan.GAN.load(out / "run.keras").step.numpy())
    assert 1 <= reached < STEPS
    assert not (out / "run.json").exists()

    assert main([*command, "--steps", str(STEPS)]) == 0
    small = OVERRIDES | {"steps": STEPS}  # at one size both presets are one recipe
    assert recipes.get("celeba128", **small) == recipes.get("celeba64", **small)
    assert_same_run(out, run)
    # A kill between the save and the log costs a row, never an image.
    whole = logged(run)
    assert logged(out) in (whole, {k: v for k, v in whole.items() if k != reached})
    report = json.loads((out / "run.json").read_text())
    assert (report["step"], report["images"]) == (STEPS, len(TRAIN))


def test_a_run_does_not_go_on_with_other_images(run, celeba, tmp_path, capsys):
    """Without the list the validation and test images would join in."""
    folder, out = publish(tmp_path), shutil.copytree(run, tmp_path / "run")
    recipe = (out / "recipe.json").read_text()
    (out / "recipe.json").write_text(recipe.replace(str(celeba), str(folder)))
    command = ["train", "--recipe", "celeba64", *SMALL, "--data", f"{folder}/", "--out", str(out)]
    assert main([*command, "--steps", str(STEPS)]) == 0
    (tmp_path / "list_eval_partition.txt").unlink()
    assert main([*command, "--steps", str(STEPS + 1)]) == 2
    assert f"images was {len(TRAIN)}, not {COUNT - 1}" in one_line(capsys)
    assert json.loads((out / "recipe.json").read_text())["steps"] == STEPS


def test_sample_draws_a_grid_of_the_run(run, tmp_path):
    out = tmp_path / "grid.png"
    assert (
        main(["sample", "--run", str(run), "--n", "10", "--columns", "4", "--out", str(out)]) == 0
    )
    grid = np.asarray(Image.open(out))
    assert grid.shape == ((3 * 34 - 2) * 3, (4 * 34 - 2) * 3, 3)
    model = gan.GAN.load(run / "run.keras")
    np.testing.assert_array_equal(grid[::3, ::3], plots.grid(model.sample(10), 4))


@pytest.fixture
def scored(monkeypatch):
    """What `score` hands to `scores.evaluate`; Inception is its last layer alone."""
    calls, evaluate = [], scores.evaluate

    def noted(*args):
        calls.append(args)
        return evaluate(*args)

    pool = keras.Sequential([keras.layers.GlobalAveragePooling2D()])
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **_: pool)
    monkeypatch.setattr(scores, "evaluate", noted)
    return calls


def test_score_compares_with_the_runs_own_training_images(run, celeba, scored, capsys, tmp_path):
    command = ["score", "--run", str(run / "run.keras"), "--n", "5", "--real", "6"]
    capsys.readouterr()
    with pytest.warns(UserWarning, match="compare scores among themselves"):
        assert main([*command, "--out", str(tmp_path / "scores.json")]) == 0
    ((fake, real, held_out, extractor, source),) = scored
    np.testing.assert_array_equal(fake, gan.GAN.load(run / "run.keras").sample(5))

    # The training images that can be decoded, each once: none is in both sets.
    whole = CelebA(celeba, 32, split="all")
    wanted = [k for k, name in enumerate(whole.names) if int(name[:6]) in TRAIN]
    ordered = [
        sorted(image.tobytes() for image in to_bytes(part))
        for part in (np.concatenate([real, held_out]), from_bytes(whole.images[wanted]))
    ]
    assert (len(real), len(held_out)) == (6, 5)
    assert ordered[0] == ordered[1]

    protocol, table = capsys.readouterr().out.split("\n}\n")
    protocol = json.loads(protocol + "}")
    assert protocol == {
        "fake": 5, "real": 6, "held_out": 5, "source": source, "bootstrap": 200,
        "extractor": "keras inception_v3 imagenet", "checksum": f"keras {keras.__version__}",
        "data": f"{celeba}: split train of list_eval_partition.txt",
    }  # fmt: skip
    assert str(run / "run.keras") in source
    lines = {line.split()[0]: line.split()[1:] for line in table.splitlines()}
    assert list(lines) == ["frechet", "kernel_distance", "precision", "recall"]
    a, b, c = map(extractor.features, (fake, real, held_out))
    for name in ("frechet", "kernel_distance"):
        distance = getattr(metrics, name)
        value, *_, word, base = lines[name]
        assert word == "real:"
        assert [float(value), float(base)] == pytest.approx(
            [distance(a, b), distance(c, b)], rel=1e-3
        )
    assert json.loads((tmp_path / "scores.json").read_text())["protocol"] == protocol


def test_drawn_faces_are_read_by_the_judge(run, scored, no_inception, capsys):
    command = ["score", "--run", str(run), "--data", "faces", "--n", "6", "--real", "8"]
    capsys.readouterr()
    assert main(command) == 0
    protocol = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")
    assert protocol["extractor"] == "judge32"
    assert protocol["data"] == "procedural faces of populations 2001 and 2002, kept for scoring"
    np.testing.assert_array_equal(scored[0][1], faces.real_faces(8))


def test_inception_that_cannot_be_fetched_is_one_line(run, monkeypatch, capsys):
    def missing(**_):
        raise OSError("URL fetch failure on https://host/inception_notop.h5")

    monkeypatch.setattr(keras.applications, "InceptionV3", missing)
    with pytest.warns(UserWarning, match="not the network of the papers' FID"):
        assert main(["score", "--run", str(run), "--n", "5", "--real", "6"]) == 2
    error = one_line(capsys)
    for words in ("cannot be fetched", "host/inception_notop.h5", "~/.keras/models"):
        assert words in error


@pytest.mark.parametrize(
    ("command", "words"),
    [
        # 11 training images, though the folder has 16: nothing is fetched to find that out.
        (
            ["score", "--n", "6", "--real", "6"],
            "partition.txt: 11 images; 6 real ones and 6",
        ),
        (["score", "--n", "3"], "--n must be at least 4, got 3"),
        (["score", "--real", "0"], "--real must be at least 4, got 0"),
        (["score", "--data", "nowhere"], "nowhere: no such folder or zip; see data/README.md"),
        (["sample", "--run", "."], "run.keras: no such file"),
    ],
)
def test_what_cannot_be_scored_or_sampled(
    command, words, run, no_inception, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    given = [] if "--run" in command else ["--run", str(run)]
    assert main([*command, *given]) == 2
    assert words in one_line(capsys)


@pytest.mark.parametrize("preset", ["celeba64", "celeba128"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "data/celeba/img_align_celeba: no such folder or zip; see data/README.md"),
        (["--steps", "0"], "steps must be at least 1, got 0"),
        (["--data", "nowhere"], "nowhere: no such folder or zip; see data/README.md"),
        (
            ["--data", "{celeba}", "--batch-size", "12"],
            "has 11 images to train on, a step needs 12",
        ),
        (["--data", "{celeba}", "--rates", "sngan_5to1"], "a step needs 20"),  # 5 of D at 4 each
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_no_run(
    preset, options, words, celeba, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    options = [option.format(celeba=celeba) for option in options]
    assert main(["train", "--recipe", preset, *SMALL, *options]) == 2
    assert words in one_line(capsys)
    assert list(tmp_path.iterdir()) == []
