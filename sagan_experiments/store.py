"""The results of the experiments in a file, and the processes that compute what it lacks."""

import contextlib
import dataclasses
import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sagan_experiments import measures
from sagan_experiments.arms import ARMS, Arm, Scale, run
from sagan_lib import devices, shipped
from sagan_lib.cli import provenance
from sagan_lib.evaluation import judge


class Store:
    """The results of all arms and measures in one JSON file; what fits is not computed again.

    Args:
        path: of the file, which need not exist.
        scale: an `arms.Scale`.

    Raises:
        ValueError: the file holds results of another scale.
    """

    def __init__(self, path, scale):
        self.path, self.scale = Path(path), dataclasses.asdict(scale)
        self.data = {"scale": self.scale, "runs": {}, "measures": {}, "provenance": []}
        if self.path.exists():
            self.data = json.loads(self.path.read_text())
            if isinstance(self.data["provenance"], dict):  # as older files keep the last command
                self.data["provenance"] = [self.data["provenance"]]
            if self.data["scale"] != self.scale:
                raise ValueError(f"{path} holds results of another scale: {self.data['scale']}")

    def seeds(self, kind, name):
        """{seed: result} of an arm, only if it is still defined alike, or of a measure.

        Args:
            kind: "runs" or "measures".
            name: of the arm or measure.
        """
        entry = self.data[kind].get(name, {"seeds": {}})
        if kind == "runs" and (not entry["seeds"] or Arm(**entry["arm"]) != ARMS[name]):
            return {}
        return {int(seed): value for seed, value in entry["seeds"].items()}

    def add(self, kind, name, seed, value):
        """Keep one result, and write the file as a whole.

        Args:
            kind: "runs" or "measures".
            name: of the arm or measure.
            seed: of the result.
            value: the result, as JSON takes it.
        """
        arm = {"arm": dataclasses.asdict(ARMS[name])} if kind == "runs" else {}
        seeds = self.seeds(kind, name) | {seed: value}
        ordered = {str(s): seeds[s] for s in sorted(seeds)}
        self.data[kind][name] = arm | {"seeds": ordered}
        with shipped.replacing(self.path) as part:
            part.write_text(dump(self.data) + "\n")


def dump(data):
    """JSON with one line for each seed's result."""
    if isinstance(data, dict) and any(isinstance(v, dict) for v in data.values()):
        inner = ",\n".join(f"{json.dumps(k)}: {dump(v)}" for k, v in data.items())
        return "{\n" + inner + "\n}"
    return json.dumps(data)


def _work(task):
    """One task, in a process of the pool; returns it with its result."""
    kind, name, seed, scale = task
    if kind == "runs":
        return task, run(ARMS[name], seed, scale)
    return task, measures.MEASURES[name](seed)


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
        for name in ARMS
        if (runs := store.seeds("runs", name))
    }
    usual = np.median(list(known.values())) if known else 60.0
    return sum(known.get(name, usual) if kind == "runs" else 1.0 for kind, name, *_ in missing)


def _from_processes(tasks, jobs):
    """The results of tasks, as they come, from processes of this machine."""
    context = multiprocessing.get_context("spawn")
    # A process is replaced after a few runs, because TensorFlow keeps some memory of each. Not
    # with concurrent.futures: its pool can hang when it replaces processes (Python issue 115634).
    with (
        _threads(1 if jobs > 1 else None),
        context.Pool(jobs, maxtasksperchild=8) as pool,
    ):
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
        ValueError: jobs and a scheduler, or Dask is not installed.
        OSError: no scheduler answers.
    """
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
    scale = Scale(**store.scale)
    missing = [(*w, s, scale) for s in seeds for w in wanted if s not in store.seeds(*w)]
    if not missing:
        return
    minutes = expected_seconds(store, missing) / jobs / 60
    print(f"{len(missing)} results are missing: about {minutes:.0f} min with {jobs} process(es)")
    made = provenance.provenance(line) | {"jobs": jobs, "judge": shipped.checksums()[judge.WEIGHTS]}
    if made not in store.data["provenance"]:
        store.data["provenance"].append(made)
    with tqdm(total=len(missing), unit="run") as bar:
        for (kind, name, seed, _), value in compute(missing):
            store.add(kind, name, seed, value)
            bar.set_postfix_str(f"{kind}/{name}/{seed}")
            bar.update()
