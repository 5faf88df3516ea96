"""The ledger's runs on a cluster: a scheduler and two workers here, one of them killed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from processes import until

from sagan_experiments import arms, measures
from sagan_experiments import store as stores

pytestmark = pytest.mark.full

DASK = [sys.executable, "-m", "dask"]


@pytest.fixture
def cluster(tmp_path):
    """(the scheduler's address, the two workers' processes)."""
    where = tmp_path / "scheduler.json"
    one = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    start = lambda *words: subprocess.Popen(  # noqa: E731
        [*DASK, *words, "--no-dashboard"], cwd=tmp_path, env=os.environ | one,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    processes = [
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", where)
    ]
    try:
        until(where.exists)
        address = json.loads(where.read_text())["address"]
        for _ in range(2):
            processes.append(start("worker", address, "--no-nanny", "--nthreads", "1"))
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_killed_worker_costs_nothing_and_nothing_is_stored_twice(cluster, tmp_path, monkeypatch):
    address, workers = cluster
    with stores._cluster(address) as client:
        client.wait_for_workers(2, timeout=120)
    store = stores.Store(tmp_path / "store.json", arms.Protocol())
    keep, added = store.add, []

    def add(kind, name, seed, *result):
        keep(kind, name, seed, *result)
        added.append(seed)
        if len(added) == 3:
            os.killpg(workers[0].pid, signal.SIGKILL)

    monkeypatch.setattr(store, "add", add)
    stores.fill(store, [("measures", "scrambled_sigma")], range(40), scheduler=address)
    assert workers[0].poll() is not None
    assert sorted(added) == list(range(40))
    found = stores.Store(store.path, arms.Protocol()).seeds("measures", "scrambled_sigma")
    assert sorted(found) == list(range(40))
    assert found[7] == pytest.approx(measures.scrambled_sigma(7), rel=1e-5)


def test_an_address_where_nothing_answers_is_named_and_jobs_beside_it_are_refused(store):
    wanted, address = [("measures", "frobenius")], "tcp://127.0.0.1:9"
    with pytest.raises(OSError, match=address):
        stores.fill(store, wanted, [1], scheduler=address)
    with pytest.raises(ValueError, match="2 and a scheduler"):
        stores.fill(store, wanted, [1], 2, scheduler=address)


def test_ctrl_c_leaves_the_cluster_and_says_so_in_one_line(cluster, tmp_path):
    address, workers = cluster
    with stores._cluster(address) as client:
        client.wait_for_workers(2, timeout=120)
    command = [sys.executable, "-m", "sagan_experiments", "claims", "run", "ttur", "--scheduler",
               address, "--out", tmp_path / "claims.json"]  # fmt: skip
    ours = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)  # fmt: skip
    assert b"results are missing" in ours.stdout.readline()
    time.sleep(3)
    os.killpg(ours.pid, signal.SIGINT)
    said = ours.communicate(timeout=60)[1].decode()
    assert ours.returncode == 130
    assert said.endswith(
        "\nstopped; what is done is kept, and the same command goes on from there\n"
    )
    assert "Traceback" not in said
    assert all(each.poll() is None for each in workers)
