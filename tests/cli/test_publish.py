"""Publishing: the run becomes the shipped one, and no other run does."""

import dataclasses
import json

import numpy as np
import pytest

from sagan_lib import sampling, shipped
from sagan_lib.cli import publish, recipes, runs
from sagan_lib.cli.recipes import RECIPES, Recipe
from sagan_lib.datasets import faces

TINY = Recipe(resolution=16, width=4, latent_dim=4, attention_at=8, steps=3)
#: Recipe that is published -> what stands for it here.
TINIES = {
    recipes.SHIPPED: TINY,
    recipes.TO_ORDER: dataclasses.replace(TINY, attention_at=None, label="hair,long_hair"),
}


@pytest.fixture(params=recipes.PUBLISHED)
def finished(request, tmp_path, monkeypatch):
    """(name, folder of a finished run, data folder without any) of each published recipe."""
    name, data, out = request.param, tmp_path / "data", tmp_path / "run"
    for each, tiny in TINIES.items():
        monkeypatch.setitem(RECIPES, each, tiny)
    data.mkdir()
    out.mkdir()
    (data / "SHA256SUMS").write_text("")
    monkeypatch.setattr(shipped, "folder", lambda: data)
    labels = faces.labels_of(TINIES[name].label) if TINIES[name].label else None
    runs.networks_of(TINIES[name], labels)[0].save_weights(out / "generator.weights.h5")
    report = {"recipe": dataclasses.asdict(TINIES[name]), "step": 3}
    (out / "run.json").write_text(json.dumps(report))
    (out / "log.csv").write_text("epoch,d_loss,step\n0,1.2345678,2\n0,0.5,3\n")
    # What is scored must be the run's own generator; its pictures are too small for the judge.
    scored = []
    monkeypatch.setattr(
        runs, "score", lambda g, *told, **named: scored.append((g, named)) or len(scored)
    )
    return name, out, data, scored


def test_a_published_generator_is_the_shipped_one(finished):
    name, out, data, scored = finished
    assert publish.publish(out) == data / f"{name}.weights.h5"
    model, (of_score, named) = publish.published(name), scored[0]
    expected = model.generator  # of the same layers, and with fresh weights until here
    expected.load_weights(out / "generator.weights.h5")
    label = None if model.generator.inputs[1:] == [] else model.labels.vectors([[3, 1], [0, 0]])
    ours, theirs, judged = (
        sampling.generate(net, 2, label=label)
        for net in (model.ema_generator, expected, of_score.ema_generator)
    )
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(judged, theirs)
    assert named == {"label": TINIES[name].label}
    results = json.loads(publish.results(name).read_text())
    assert results["log"] == {"d_loss": [1.2346, 0.5], "step": [2, 3]}
    assert results["step"] == 3
    assert results["scores"] == 1
    if name == recipes.SHIPPED:  # what is loaded where no run is named
        np.testing.assert_array_equal(sampling.generate(runs.generator(), 2), theirs)


def test_only_a_finished_run_of_such_a_recipe_is_published(finished):
    name, out, data, _ = finished
    other = dataclasses.asdict(TINIES[name]) | {"steps": 2}
    (out / "run.json").write_text(json.dumps({"recipe": other}))
    with pytest.raises(ValueError, match=r"its recipe must be one of .*faces64.*order32.* got "):
        publish.publish(out)
    (out / "run.json").unlink()
    with pytest.raises(FileNotFoundError):
        publish.publish(out)
    assert [file.name for file in data.iterdir()] == ["SHA256SUMS"]


@pytest.mark.parametrize("call", [publish.results, publish.published])
def test_a_recipe_that_is_not_published_is_refused(call):
    with pytest.raises(ValueError, match=r"name must be one of .*'order32'.* got 'faces32'"):
        call("faces32")
