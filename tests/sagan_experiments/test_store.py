"""The store: what is there and fits is not computed again, nothing is lost, damage is told."""

import dataclasses
import errno
import json

import filelock
import pytest
from records import TINY, record

from sagan_experiments import arms, ledger, measures, ways
from sagan_experiments import store as stores
from sagan_experiments.__main__ import main


@pytest.mark.full
def test_processes_share_the_work_that_is_left(tmp_path):
    path = tmp_path / "store.json"
    store = stores.Store(path, TINY)
    store.add("measures", "double_count", 0, 7.5)
    stores.fill(store, [("measures", "double_count")], range(3), jobs=2)
    found = stores.Store(path, TINY).seeds("measures", "double_count")
    assert found == {0: 7.5} | {seed: measures.double_count(seed) for seed in (1, 2)}


def test_an_arm_that_is_defined_anew_is_run_anew(store, monkeypatch):
    store.add("arms", "base", 0, record())
    assert ledger.open_store(store.path).seeds("arms", "base") == {0: record()}
    changed = dataclasses.replace(arms.ARMS["base"], g_rate=1.0)
    monkeypatch.setitem(ways.KNOWN, "base", changed)
    assert ledger.open_store(store.path).seeds("arms", "base") == {}


def test_what_was_stored_before_a_field_existed_still_counts(store):
    """A new field has a default that is what was done before; no run is lost by it."""
    store.add("arms", "base", 0, record())
    data = json.loads(store.path.read_text())
    del data["arms"]["base"]["arm"]["resolution"], data["protocol"]["first_weights"]
    store.path.write_text(json.dumps(data))
    assert ledger.open_store(store.path).seeds("arms", "base") == {0: record()}


@pytest.mark.parametrize("other", [{"steps": 7}, {"first_weights": "by layer"}])
def test_a_store_of_another_protocol_is_refused(store, other):
    store.add("arms", "base", 0, record())
    with pytest.raises(ValueError, match=rf"{store.path} holds results of another protocol"):
        stores.Store(store.path, arms.Protocol(**other))


def test_the_expected_time_follows_from_runs_that_are_there(store):
    assert stores.expected_seconds(store, [("arms", "base", 1), ("measures", "frobenius", 1)]) == 61
    for seed, seconds in ((0, 30.0), (1, 50.0), (2, 34.0)):
        store.add("arms", "base", seed, record(seconds_with_scores=seconds))
    store.add("arms", "ratio1", 0, record(seconds_with_scores=80.0))
    missing = [("arms", "base", 3, None), ("arms", "bce", 0, None)]
    assert stores.expected_seconds(store, missing) == 34 + (34 + 80) / 2


def test_a_result_is_added_to_what_the_file_holds_by_then(store):
    """So two processes on one store lose nothing: each adds under its lock."""
    other = ledger.open_store(store.path)
    store.add("measures", "frobenius", 1, 0.5, {"command": "one"})
    other.add("measures", "frobenius", 2, 0.7, {"command": "two"})
    other.add("measures", "frobenius", 0, 0.25)
    store.add("arms", "base", 1, record())
    text = store.path.read_text()
    assert text.index('"0": 0.25') < text.index('"1": 0.5'), "in their order, a line each"
    for each in (store, ledger.open_store(store.path)):
        assert each.seeds("measures", "frobenius") == {0: 0.25, 1: 0.5, 2: 0.7}
        assert sorted(made["command"] for made in each.data["provenance"]) == ["one", "two"]


def test_a_store_that_stays_locked_is_told_and_not_written(store, monkeypatch):
    monkeypatch.setattr(stores, "PATIENCE", 0.1)
    store.add("measures", "frobenius", 1, 0.5)
    before, lock = store.path.read_bytes(), store.path.with_name(f".{store.path.name}.lock")
    with (
        filelock.FileLock(lock),
        pytest.raises(OSError, match=r"\.claims\.json\.lock is held by another process for 0\.1 s"),
    ):
        store.add("measures", "frobenius", 2, 0.5)
    assert store.path.read_bytes() == before


def test_a_file_system_without_locks_is_told(store, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(OSError, match=r"claims\.json\.lock cannot be locked: No locks available"):
        store.add("measures", "frobenius", 2, 0.5)


def change(*path, value):
    """A function that sets what lies at a path in a store's data."""

    def apply(data):
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        return data

    return apply


RUN = ("arms", "base", "seeds", "1")
#: One for each rule of a store.
DAMAGE = {
    "a list": (lambda data: [data], "it must be a dict, got ["),
    "a key too many": (change("scale", value={}), "must have the keys"),
    "protocol's fields": (change("protocol", "size", value=1), "unknown fields ['size']"),
    "protocol's type": (change("protocol", "steps", value="600"), "another protocol"),
    "unknown arm": (change("arms", "bass", value={}), "no arm is called 'bass'"),
    "an arm's keys": (change("arms", "base", value={"seeds": {}}), "must have the keys ['arm', 's"),
    "its fields": (change("arms", "base", "arm", "lr", value=3), "unknown fields ['lr']"),
    "a seed": (change("measures", "frobenius", "seeds", "01", value=1), "number, got '01'"),
    "a run's number": (change(*RUN, value={}), "arm base, seed 1 lacks ['"),
    "true": (change(*RUN, "live", value=True), "live of arm base, seed 1 must be a finite"),
    "diverged": (change(*RUN, "diverged", value=0), "diverged of arm base, seed 1 must be true"),
    "curve": (change(*RUN, "curve", value=[1, 2]), "curve of arm base, seed 1 must have pairs"),
    "no curve": (change(*RUN, "curve", value={}), "must be a list of points, got {}"),
    "NaN": (change(*RUN, "curve", value=[[1, float("nan")]]), "NaN is no result"),
    "huge": (
        change("measures", "frobenius", "seeds", "1", value=10**400),
        "seed 1 must be a finite",
    ),
    "provenance": (change("provenance", value={}), "provenance must be a list, got {}"),
    "its machine": (change("provenance", value=[{"machine": []}]), "machine of provenance must"),
    "no ratio": (change(*RUN, "frechet", value=0.0), "cannot be computed from seed 1"),
}


def refused(path, capsys):
    """What the command line says of a store: one line, which names the file."""
    assert main(["claims", "list", "--out", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"error: {path}")
    return line


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_store_is_refused_in_one_line(name, store, capsys):
    damage, words = DAMAGE[name]
    store.add("measures", "frobenius", 1, 0.5, {"command": "x", "machine": {}})
    store.add("arms", "base", 1, record())
    assert main(["claims", "list", "--out", str(store.path)]) == 0
    capsys.readouterr()
    store.path.write_text(json.dumps(damage(json.loads(store.path.read_text()))))
    assert words in refused(store.path, capsys)


@pytest.mark.parametrize(
    ("text", "words"),
    [(b'{"protocol": {"resol', "Unterminated"), (b"[" * 100_000, "depth"),
     (b'{"protocol": "\xff\xfe"}', "codec")],
)  # fmt: skip
def test_what_is_no_json_is_refused_in_one_line(text, words, store, capsys):
    store.path.write_bytes(text)
    assert words in refused(store.path, capsys)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [("measures", "frobenius", float("nan")), ("measures", "l2", 1.0), ("arms", "base", {}),
     ("arms", "base", record(frechet=float("inf"))), ("runs", "base", record())],
)  # fmt: skip
def test_what_a_store_would_refuse_is_not_added(kind, name, value, store):
    with pytest.raises(ValueError, match=rf"{name}|kind"):
        store.add(kind, name, 1, value)
    assert not store.path.exists()


def test_a_result_that_is_not_finite_stops_no_other(store, monkeypatch):
    monkeypatch.setitem(measures.MEASURES, "frobenius", lambda s: float("nan") if s == 1 else 2.0)
    monkeypatch.setattr(stores, "_from_processes", lambda tasks, _: map(stores._work, tasks))
    with pytest.raises(ValueError, match=r"not kept: measure frobenius, seed 1 must be a finite"):
        stores.fill(store, [("measures", "frobenius")], range(3))
    assert ledger.open_store(store.path).seeds("measures", "frobenius") == {0: 2.0, 2: 2.0}


def test_a_run_that_fails_stops_no_other_and_is_named(store, monkeypatch):
    def measure(seed):
        if seed == 1:
            raise MemoryError("no room")
        return 2.0

    monkeypatch.setitem(measures.MEASURES, "frobenius", measure)
    monkeypatch.setattr(stores, "_from_processes", lambda tasks, _: map(stores._work, tasks))
    with pytest.raises(ValueError, match="not kept: measure frobenius, seed 1: MemoryError: no r"):
        stores.fill(store, [("measures", "frobenius")], range(3))
    assert store.seeds("measures", "frobenius") == {0: 2.0, 2: 2.0}
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        stores.fill(store, [("measures", "frobenius")], range(3), jobs=0)
