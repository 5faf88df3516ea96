"""The results of the experiments in a file, and the processes that compute what it lacks."""

import contextlib
import dataclasses
import json
import multiprocessing
import numbers
import os
from pathlib import Path

import filelock
import numpy as np
from tqdm import tqdm

from sagan_experiments import measures
from sagan_experiments.arms import Arm, Protocol, run
from sagan_experiments.ways import KNOWN
from sagan_lib import checks, devices, shipped
from sagan_lib.cli import process, provenance
from sagan_lib.evaluation import judge

KINDS = ("arms", "measures")
#: What every arm's result has: any claim, and the expected time, may ask for it.
IN_EVERY_RUN = (
    "frechet", "live", "steepness", "outside", "curve", "diverged", "seconds_with_scores",
)  # fmt: skip
#: What are lists of pairs (step, value).
CURVES = ("curve", "agreement_curve", "coverage_curve")
#: Seconds to wait for another process that writes; it takes a moment.
PATIENCE = 60


class Store:
    """The results of all arms and measures in one JSON file; what fits is not computed again.

    Several processes may fill one file: each result is added to what the file holds then, under a
    lock in the hidden file `.NAME.lock` beside it.

    Args:
        path: of the file, which need not exist.
        protocol: an `arms.Protocol`.

    Raises:
        ValueError: the file is damaged, or holds results of another protocol.
    """

    def __init__(self, path, protocol):
        self.path, self.protocol = Path(path), protocol
        self.data = self._read()

    def _read(self):
        """What the file holds, checked; nothing yet if there is none."""
        fresh = {"protocol": dataclasses.asdict(self.protocol), "arms": {}, "measures": {}}
        if not self.path.exists():
            return fresh | {"provenance": []}
        try:
            data = json.loads(self.path.read_text(), parse_constant=_refuse_constant)
            _check(data)
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"{self.path} is damaged: {error}") from error
        if Protocol(**data["protocol"]) != self.protocol:
            raise ValueError(
                f"{self.path} holds results of another protocol: {_short(data['protocol'])}"
            )
        return data

    def seeds(self, kind, name):
        """{seed: result} of an arm, only if it is still defined alike, or of a measure.

        Args:
            kind: "arms" or "measures".
            name: of the arm or measure.
        """
        entry = self.data[kind].get(name, {"seeds": {}})
        if kind == "arms" and (not entry["seeds"] or Arm(**entry["arm"]) != KNOWN[name]):
            return {}
        return {int(seed): value for seed, value in entry["seeds"].items()}

    def add(self, kind, name, seed, value, made=None):
        """Keep one result beside all that the file holds by now.

        Args:
            kind: "arms" or "measures".
            name: of the arm or measure.
            seed: of the result.
            value: the result, as JSON takes it.
            made: its provenance, which is kept once.

        Raises:
            ValueError: unknown kind or name, or a result that is not finite or lacks a number that
                every one has.
            OSError: the file cannot be locked or written.
        """
        checks.one_of("kind", kind, KINDS)
        known = KNOWN if kind == "arms" else measures.MEASURES
        checks.one_of(kind.removesuffix("s"), name, known)
        arm = {"arm": dataclasses.asdict(KNOWN[name])} if kind == "arms" else {}
        _check_entry(kind, name, arm | {"seeds": {str(seed): value}})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path):
            self.data = self._read()
            seeds = self.seeds(kind, name) | {seed: value}
            ordered = {str(s): seeds[s] for s in sorted(seeds)}
            self.data[kind][name] = arm | {"seeds": ordered}
            if made and made not in self.data["provenance"]:
                self.data["provenance"].append(made)
            with shipped.replacing(self.path) as part:
                part.write_text(dump(self.data) + "\n")


@contextlib.contextmanager
def _locked(path):
    """Meanwhile no other process writes this store."""
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=PATIENCE)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise OSError(f"{lock.lock_file} is held by another process for {PATIENCE} s") from error
    except OSError as error:  # such as a file system that has no locks
        raise OSError(f"{lock.lock_file} cannot be locked: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


# ---- is what a file holds what a store may hold? -----------------------------------------------


def _refuse_constant(name):
    raise ValueError(f"{name} is no result")


def _short(value):
    text = repr(value)
    return text if len(text) < 80 else f"{text[:76]} ..."


def _dict(what, value, keys=None):
    """`value`, if it is a dict, with these keys and no others if they are given."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a dict, got {_short(value)}")
    if keys is not None and set(value) != set(keys):
        raise ValueError(f"{what} must have the keys {sorted(keys)}, got {_short(sorted(value))}")
    return value


def _number(what, value):
    # A whole number may be too large for a float: then it is infinite to all who compute with it.
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not -1e300 < value < 1e300:
        raise ValueError(f"{what} must be a finite number, got {_short(value)}")


def _check_run(what, value):
    """An arm's result for one seed: numbers by name, "diverged", and a curve of pairs."""
    missing = [name for name in IN_EVERY_RUN if name not in _dict(what, value)]
    if missing:
        raise ValueError(f"{what} lacks {missing}")
    for name, number in value.items():
        where = f"{name} of {what}"
        if name == "diverged":
            if not isinstance(number, bool):
                raise ValueError(f"{where} must be true or false, got {_short(number)}")
        elif name == "library":
            if not isinstance(number, str):
                raise ValueError(f"{where} must be a text, got {_short(number)}")
        elif name in CURVES:
            if not isinstance(number, list) or not number:
                raise ValueError(f"{where} must be a list of points, got {_short(number)}")
            for point in number:
                if not isinstance(point, list) or len(point) != 2:
                    raise ValueError(f"{where} must have pairs (step, value), got {point!r}")
                for part in point:
                    _number(where, part)
        else:
            _number(where, number)


def _check_entry(kind, name, entry):
    """What is kept of one arm or measure."""
    known = KNOWN if kind == "arms" else measures.MEASURES
    if name not in known:
        raise ValueError(f"no {kind.removesuffix('s')} is called {name!r}")
    what = f"{kind.removesuffix('s')} {name}"
    _dict(what, entry, ("arm", "seeds") if kind == "arms" else ("seeds",))
    if kind == "arms":
        _fields(f"the definition of {what}", entry["arm"], Arm)
    for seed, value in _dict(f"seeds of {what}", entry["seeds"]).items():
        if not (seed.isascii() and seed.isdigit() and str(int(seed)) == seed):
            raise ValueError(f"a seed of {what} must be a whole number, got {seed!r}")
        (_check_run if kind == "arms" else _number)(f"{what}, seed {seed}", value)


def _fields(what, value, made):
    """A dict that gives a dataclass: old files may lack a field, none has one more."""
    unknown = set(_dict(what, value)) - {field.name for field in dataclasses.fields(made)}
    if unknown:
        raise ValueError(f"{what} has unknown fields {sorted(unknown)}")
    made(**value)


def _check(data):
    """All of a file's content; ValueError says what is wrong first."""
    _dict("it", data, ("protocol", *KINDS, "provenance"))
    _fields("protocol", data["protocol"], Protocol)
    for kind in KINDS:
        for name, entry in _dict(kind, data[kind]).items():
            _check_entry(kind, name, entry)
    if not isinstance(data["provenance"], list):
        raise ValueError(f"provenance must be a list, got {_short(data['provenance'])}")
    for made in data["provenance"]:
        for key in ("machine", "versions"):
            _dict(f"{key} of provenance", _dict("an entry of provenance", made).get(key, {}))


def dump(data):
    """JSON with one line for each seed's result."""
    if isinstance(data, dict) and any(isinstance(v, dict) for v in data.values()):
        inner = ",\n".join(f"{json.dumps(k)}: {dump(v)}" for k, v in data.items())
        return "{\n" + inner + "\n}"
    return json.dumps(data)


def _work(task):
    """One task, in a process of the pool; returns it with its result, or with what it raised."""
    kind, name, seed, protocol = task
    try:
        if kind == "arms":
            return task, run(KNOWN[name], seed, protocol)
        return task, measures.MEASURES[name](seed)
    except Exception as error:  # whatever it is, the other runs go on
        return task, RuntimeError(f"{type(error).__name__}: {str(error)[:300]}")


@contextlib.contextmanager
def _threads(count):
    """Meanwhile new processes compute with so many threads; None leaves it to TensorFlow."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    before = {name: os.environ[name] for name in names if name in os.environ}
    if count:
        os.environ |= dict.fromkeys(names, str(count))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ |= before


def expected_seconds(store, missing):
    """About how long the missing results take in one process, from those that are there.

    Args:
        store: a `Store`.
        missing: tasks (kind, name, seed, ...). A measure counts as one second, and an arm that was
            never run like the median of those that were.
    """
    known = {
        name: np.median([run["seconds_with_scores"] for run in runs.values()])
        for name in KNOWN
        if (runs := store.seeds("arms", name))
    }
    usual = np.median(list(known.values())) if known else 60.0
    return sum(known.get(name, usual) if kind == "arms" else 1.0 for kind, name, *_ in missing)


def _from_processes(tasks, jobs):
    """The results of tasks, as they come, from processes of this machine."""
    context = multiprocessing.get_context("spawn")
    # A process is replaced after a few runs, because TensorFlow keeps some memory of each. Not
    # with concurrent.futures: its pool can hang when it replaces processes (Python issue 115634).
    with _threads(1 if jobs > 1 else None):
        with process.deaf_to_ctrl_c():
            pool = context.Pool(jobs, process.end_with_parent, maxtasksperchild=8)
        with pool:
            yield from pool.imap_unordered(_work, tasks)


@contextlib.contextmanager
def _cluster(address):
    """A client of Dask's scheduler at an address.

    Raises:
        ValueError: `distributed` is not installed. OSError: nothing answers there.
    """
    try:
        import distributed
    except ImportError as error:
        raise ValueError("a scheduler needs Dask: pip install -e '.[cluster]'") from error
    try:
        client = distributed.Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise OSError(f"no scheduler answers at {address!r}: {error}") from error
    with client:
        yield client


def _from_cluster(tasks, client):
    """The results of tasks, as they come, from a cluster's workers.

    A worker that is lost takes only what it was computing with it; the scheduler gives that to
    another.
    """
    from distributed import as_completed

    futures = client.map(_work, tasks, pure=False)
    for future in as_completed(futures):
        yield future.result()
        future.release()


def fill(store, wanted, seeds, jobs=None, line="", scheduler=None):
    """Compute what a store lacks; the first seed of everything comes first.

    Several processes share the cores, one thread each: these networks are too small for more.
    Ctrl-C loses the runs that are under way only.

    Args:
        store: a `Store`.
        wanted: pairs (kind, name).
        seeds: which.
        jobs: processes; by default one for each core.
        line: the command, for the provenance.
        scheduler: address of a Dask scheduler whose workers compute instead, such as
            "tcp://10.0.0.1:8786"; each needs this library and should have one thread.

    Raises:
        ValueError: no such number of jobs, or jobs and a scheduler; Dask is not installed; runs
            that failed, or gave what no store keeps, such as NaN: they are named when all others
            are kept.
        OSError: no scheduler answers, or the file cannot be written.
    """
    if jobs is not None:
        checks.integer("jobs", jobs, 1)
    if jobs and scheduler:
        raise ValueError(f"jobs are this machine's processes, got {jobs} and a scheduler")
    if scheduler:
        with _cluster(scheduler) as client:
            jobs = max(1, len(client.scheduler_info()["workers"]))
            _fill(store, wanted, seeds, jobs, line, lambda tasks: _from_cluster(tasks, client))
        return
    jobs = jobs or (1 if devices.gpus() else os.cpu_count() or 1)
    _fill(store, wanted, seeds, jobs, line, lambda tasks: _from_processes(tasks, jobs))


def _fill(store, wanted, seeds, jobs, line, compute):
    missing = [(*w, s, store.protocol) for s in seeds for w in wanted if s not in store.seeds(*w)]
    if not missing:
        return
    minutes = expected_seconds(store, missing) / jobs / 60
    print(f"{len(missing)} results are missing: about {minutes:.0f} min with {jobs} process(es)")
    made = provenance.provenance(line) | {"jobs": jobs, "judge": shipped.checksums()[judge.WEIGHTS]}
    refused = []
    with tqdm(total=len(missing), unit="run") as bar:
        for (kind, name, seed, _), value in compute(missing):
            if isinstance(value, RuntimeError):
                refused.append(f"{kind.removesuffix('s')} {name}, seed {seed}: {value}")
            else:
                try:
                    store.add(kind, name, seed, value, made)
                except ValueError as error:
                    refused.append(str(error))
            bar.set_postfix_str(f"{kind}/{name}/{seed}")
            bar.update()
    if refused:
        raise ValueError(f"not kept: {'; '.join(refused)}")
