"""The store: what is there and fits is not computed again."""

import dataclasses
import json

import pytest
from records import record

from sagan_experiments import arms, ledger, measures
from sagan_experiments import store as stores

TINY = arms.Scale(
    resolution=32, width=4, latent_dim=4, batch_size=4, steps=4, faces=40, images=24,
    reference=30, checkpoints=2,
)  # fmt: skip


def test_processes_share_the_work_and_a_second_call_does_the_rest(tmp_path):
    path = tmp_path / "store.json"
    store = stores.Store(path, TINY)
    for seeds in (range(1), range(3)):
        stores.fill(store, [("measures", "double_count")], seeds, jobs=2)
    found = stores.Store(path, TINY).seeds("measures", "double_count")
    assert found == {seed: measures.double_count(seed) for seed in range(3)}


def test_the_file_has_one_line_for_each_seed(tmp_path):
    store = stores.Store(tmp_path / "store.json", TINY)
    for seed in (1, 0):
        store.add("measures", "l2", seed, 0.5)
    text = store.path.read_text()
    assert text.index('"0": 0.5') < text.index('"1": 0.5')
    assert json.loads(text)["measures"] == {"l2": {"seeds": {"0": 0.5, "1": 0.5}}}


def test_an_arm_that_is_defined_anew_is_run_anew(store, monkeypatch):
    store.add("runs", "base", 0, record())
    assert ledger.open_store(store.path).seeds("runs", "base") == {0: record()}
    changed = dataclasses.replace(arms.ARMS["base"], g_rate=1.0)
    monkeypatch.setitem(arms.ARMS, "base", changed)
    assert ledger.open_store(store.path).seeds("runs", "base") == {}


def test_an_arm_that_was_stored_before_a_field_existed_still_counts(store):
    """A new field has a default that is what was done before; no run is lost by it."""
    store.add("runs", "base", 0, record())
    del store.data["runs"]["base"]["arm"]["resolution"]
    assert store.seeds("runs", "base") == {0: record()}


def test_a_store_of_another_scale_is_refused(store):
    store.add("runs", "base", 0, record())
    with pytest.raises(ValueError, match="another scale"):
        stores.Store(store.path, arms.Scale(steps=7))


def test_the_expected_time_follows_from_runs_that_are_there(store):
    assert stores.expected_seconds(store, [("runs", "base", 1), ("measures", "l2", 1)]) == 61
    for seed, seconds in ((0, 30.0), (1, 50.0), (2, 34.0)):
        store.add("runs", "base", seed, record(seconds_with_scores=seconds))
    store.add("runs", "ratio1", 0, record(seconds_with_scores=80.0))
    missing = [("runs", "base", 3, None), ("runs", "bce", 0, None)]
    assert stores.expected_seconds(store, missing) == 34 + (34 + 80) / 2


def test_an_older_file_keeps_its_command(store):
    store.add("measures", "l2", 0, 0.5)
    text = json.loads(store.path.read_text()) | {"provenance": {"command": "long ago"}}
    store.path.write_text(json.dumps(text))
    assert ledger.open_store(store.path).data["provenance"] == [{"command": "long ago"}]
