"""Faces at several Fréchet distances: from one run, which is the pilot's, and its own record's."""

import dataclasses
import shutil

import numpy as np
import pytest

from sagan_experiments import arms, ledger, stages
from sagan_experiments.__main__ import main
from sagan_lib import shipped


def test_the_nearest_is_taken_by_factor():
    assert stages.nearest([1600, 900, 110, 35, 20], (1500, 30)) == [0, 3]
    assert stages.nearest([400, 25], (100,)) == [0]  # 4 and 4: the first
    with pytest.raises(ValueError, match="distances must"):
        stages.nearest([10, 0])


def test_the_stored_run_is_the_pilots_and_its_stages_are_those_nearest():
    record, faces = stages.stored()
    pilot = ledger.open_store(None, "pilot").seeds("arms", record["trial"])[record["seed"]]
    shared = dict(map(tuple, pilot["curve"]))
    curve = dict(map(tuple, record["curve"]))
    both = sorted(set(shared) & set(curve))
    assert len(both) >= 16
    np.testing.assert_allclose([curve[k] for k in both], [shared[k] for k in both], atol=0.06)
    distances = [distance for _, distance in record["curve"]]
    assert record["stages"] == [record["curve"][k] for k in stages.nearest(distances)]
    assert record["real"] < min(distances)
    assert record["command"] == "python -m sagan_experiments stages"
    assert record["versions"].keys() >= {"tensorflow", "keras"}
    assert faces.shape == (len(stages.GOALS) + 1, stages.FACES, 32, 32, 3)


def test_another_picture_than_the_records_is_refused(tmp_path):
    for ending in ("json", "png"):
        shutil.copy(shipped.folder() / "results" / f"{stages.NAME}.{ending}", tmp_path)
    stages.stored(tmp_path)
    with open(tmp_path / f"{stages.NAME}.png", "ab") as stream:
        stream.write(b"x")
    with pytest.raises(ValueError, match=r"stages32.png: its checksum is not the one"):
        stages.stored(tmp_path)


@pytest.mark.book
def test_a_run_keeps_what_it_scored_and_is_the_same_again(tmp_path):
    small = dataclasses.replace(arms.PROTOCOLS["pilot"], width=4, faces=64, images=20, reference=40)
    record = stages.run(tmp_path, "a line", (1, 2, 3), small)
    found, faces = stages.stored(tmp_path)
    assert found["command"] == "a line"
    assert [step for step, _ in found["curve"]] == [1, 2, 3]
    assert len(faces) == len(stages.GOALS) + 1
    assert (tmp_path / f"{stages.NAME}.png").stat().st_size > 1000
    again = stages.run(tmp_path, "a line", (1, 2, 3), small)
    assert again["picture"] == record["picture"]


def test_the_command_line_says_which_stages(monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(
        stages, "run", lambda *given: asked.append(given) or {"stages": [(7, 90.5)]}
    )
    assert main(["stages", "--out", str(tmp_path)]) == 0
    line = f"python -m sagan_experiments stages --out {tmp_path}"
    assert asked == [(tmp_path, line)]
    assert capsys.readouterr().out == "step 7: 90.5\n"
