"""CelebA through the command line, on a small folder laid out as published: train and score."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from sagan_lib import gan
from sagan_lib.__main__ import main
from sagan_lib.cli import recipes
from sagan_lib.datasets import faces
from sagan_lib.datasets.celeba import CelebA
from sagan_lib.datasets.source import from_bytes, to_bytes
from sagan_lib.evaluation import scores

pytestmark = [
    pytest.mark.full,
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:.*skipped 1 undecodable.*000003.jpg"),
]
TRAIN = [1, 2, 4, 5, 6, 7, 8, 9]  # 3 is damaged, 10 for tests
OVERRIDES = {"resolution": 32, "width": 4, "latent_dim": 4, "batch_size": 4, "ema_decay": 0.5,
             "steps": 2}  # fmt: skip


@pytest.fixture
def run(celeba, tmp_path):
    """The folder of a run of "celeba64" made small."""
    (celeba / "000003.jpg").write_bytes((celeba / "000003.jpg").read_bytes()[:1000])
    splits = "".join(f"{number:06}.jpg {2 * (number == 10)}\n" for number in range(1, 11))
    (celeba.parent / "list_eval_partition.txt").write_text(splits)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OVERRIDES.items()]
    command = ["train", "--recipe", "celeba64", *options, "--log-every", "1"]
    with pytest.warns(UserWarning, match=r"celeba.*: skipped 1 undecodable: .*000003.jpg"):
        assert main([*command, "--data", str(celeba), "--out", str(tmp_path / "run")]) == 0
    return tmp_path / "run"


@pytest.fixture
def scored(monkeypatch):
    """What `score` hands to `scores.evaluate`; Inception is its last layer alone."""
    calls, evaluate = [], scores.evaluate
    pool = keras.Sequential([keras.layers.GlobalAveragePooling2D()])
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **_: pool)
    monkeypatch.setattr(scores, "evaluate", lambda *given: calls.append(given) or evaluate(*given))
    return calls


def test_a_run_on_celeba_is_compared_with_its_own_training_images(run, celeba, scored, capsys):
    report = json.loads((run / "run.json").read_text())
    changes = OVERRIDES | {"data": str(celeba), "attention_at": 16}
    expected = dataclasses.replace(recipes.RECIPES["celeba64"], **changes)
    assert report["recipe"] == dataclasses.asdict(expected)
    assert (report["step"], report["images"]) == (2, len(TRAIN))

    out, saved = run / "scores.json", run / "run.keras"
    command = ["score", "--run", str(saved), "--n", "4", "--real", "4", "--out", str(out)]
    capsys.readouterr()
    with pytest.warns(UserWarning, match="compare scores among themselves"):
        assert main(command) == 0
    ((fake, real, held_out, _, source),) = scored
    np.testing.assert_array_equal(fake, gan.GAN.load(saved).sample(4))
    # The training images that can be decoded, each once: none is in both sets.
    whole = CelebA(celeba, 32, split="all")
    wanted = [k for k, name in enumerate(whole.names) if int(name[:6]) in TRAIN]
    assert (len(real), len(held_out)) == (4, 4)
    assert sorted(image.tobytes() for image in to_bytes([*real, *held_out])) == sorted(
        image.tobytes() for image in to_bytes(from_bytes(whole.images[wanted]))
    )
    protocol, table = capsys.readouterr().out.split("\n}\n")
    protocol = json.loads(protocol + "}")
    assert protocol == {
        "fake": 4, "real": 4, "held_out": 4, "source": source, "bootstrap": 200,
        "extractor": "keras inception_v3 imagenet", "checksum": f"keras {keras.__version__}",
        "data": f"{celeba}: split train of list_eval_partition.txt",
    }  # fmt: skip
    assert str(saved) in source
    named = [line.split()[0] for line in table.splitlines()]
    assert named == ["frechet", "kernel_distance", "precision", "recall"]
    assert json.loads(out.read_text())["protocol"] == protocol

    # The same run against drawn faces, which the judge reads.
    assert main([*command[:3], "--data", "faces", "--n", "6", "--real", "8"]) == 0
    protocol = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")
    assert protocol["extractor"] == "judge32"
    assert protocol["data"] == "procedural faces of populations 2001 and 2002, kept for scoring"
    np.testing.assert_array_equal(scored[1][1], faces.real_faces(8))
