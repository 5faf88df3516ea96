"""CelebA through the command line, on a small folder laid out as published: train and score."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from PIL import Image

from sagan_lib import gan
from sagan_lib.__main__ import main
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


@pytest.fixture(scope="module")
def celeba(tmp_path_factory):
    """The folder of 16 portraits of 178 x 218, beside their list; a training image is cut off."""
    folder = tmp_path_factory.mktemp("celeba") / "img_align_celeba"
    folder.mkdir()
    portraits = to_bytes(faces.render(faces.factors(np.arange(COUNT)), 178))
    portraits = np.pad(portraits, ((0, 0), (20, 20), (0, 0), (0, 0)), "edge")
    for number, portrait in enumerate(portraits, 1):
        Image.fromarray(portrait).save(folder / f"{number:06}.jpg", quality=95)
    whole = (folder / f"{DAMAGED:06}.jpg").read_bytes()
    (folder / f"{DAMAGED:06}.jpg").write_bytes(whole[:1000])
    splits = ((n, 1 if n in VALID else 2 if n in TEST else 0) for n in range(1, COUNT + 1))
    text = "".join(f"{number:06}.jpg {split}\n" for number, split in splits)
    (folder.parent / "list_eval_partition.txt").write_text(text)
    return folder


@pytest.fixture(scope="module")
def run(celeba, tmp_path_factory):
    """The folder of a run of "celeba64" made small, trained without an interruption."""
    out = tmp_path_factory.mktemp("runs") / "celeba64"
    command = ["train", "--recipe", "celeba64", *SMALL, "--steps", str(STEPS)]
    with pytest.warns(UserWarning, match=f"celeba.*: skipped 1 undecodable: .*{DAMAGED:06}.jpg"):
        assert main([*command, "--data", str(celeba), "--out", str(out)]) == 0
    return out


def test_the_run_is_the_preset_with_its_overrides(run, celeba):
    report = json.loads((run / "run.json").read_text())
    changes = OVERRIDES | {"data": str(celeba), "attention_at": 16, "steps": STEPS}
    expected = dataclasses.replace(recipes.RECIPES["celeba64"], **changes)
    assert report["recipe"] == dataclasses.asdict(expected)
    assert (report["step"], report["images"]) == (STEPS, len(TRAIN))


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


def test_drawn_faces_are_read_by_the_judge(run, scored, monkeypatch, capsys):
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **_: pytest.fail("Inception"))
    command = ["score", "--run", str(run), "--data", "faces", "--n", "6", "--real", "8"]
    capsys.readouterr()
    assert main(command) == 0
    protocol = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")
    assert protocol["extractor"] == "judge32"
    assert protocol["data"] == "procedural faces of populations 2001 and 2002, kept for scoring"
    np.testing.assert_array_equal(scored[0][1], faces.real_faces(8))
