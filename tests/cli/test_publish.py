"""Publishing: the run becomes the shipped one, and no other run does."""

import dataclasses
import json

import numpy as np
import pytest

from sagan_lib import sampling, shipped
from sagan_lib.cli import publish, recipes, runs
from sagan_lib.cli.recipes import RECIPES, Recipe

TINY = Recipe(resolution=16, width=4, latent_dim=4, attention_at=8, steps=3)


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """A finished run of the shipped recipe, which is TINY here, and an empty data folder."""
    monkeypatch.setitem(RECIPES, recipes.SHIPPED, TINY)
    data, out = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    out.mkdir()
    (data / "SHA256SUMS").write_text("")
    monkeypatch.setattr(shipped, "folder", lambda: data)
    runs.networks_of(TINY)[0].save_weights(out / "generator.weights.h5")
    (out / "run.json").write_text(json.dumps({"recipe": dataclasses.asdict(TINY), "step": 3}))
    (out / "log.csv").write_text("epoch,d_loss,step\n0,1.2345678,2\n0,0.5,3\n")
    # What is scored must be the run's own generator; its pictures are too small for the judge.
    monkeypatch.setattr(runs, "score", lambda g, source: float(g.get_weights()[0].ravel()[0]))
    return out, data


def test_a_published_generator_is_the_shipped_one(finished):
    out, data = finished
    assert publish.publish(out) == data / runs.GENERATOR
    expected = runs.networks_of(TINY)[0]
    expected.load_weights(out / "generator.weights.h5")
    ours, theirs = (sampling.generate(net, 2) for net in (runs.generator(), expected))
    np.testing.assert_array_equal(ours, theirs)
    results = json.loads((data / "results" / runs.RESULTS).read_text())
    assert results["log"] == {"d_loss": [1.2346, 0.5], "step": [2, 3]}
    assert results["step"] == 3
    assert results["scores"] == float(expected.get_weights()[0].ravel()[0])


def test_only_a_finished_run_of_that_recipe_is_published(finished):
    out, data = finished
    other = dataclasses.asdict(TINY) | {"steps": 2}
    (out / "run.json").write_text(json.dumps({"recipe": other}))
    with pytest.raises(ValueError, match=f"its recipe is not {recipes.SHIPPED}"):
        publish.publish(out)
    (out / "run.json").unlink()
    with pytest.raises(FileNotFoundError):
        publish.publish(out)
    assert [file.name for file in data.iterdir()] == ["SHA256SUMS"]
