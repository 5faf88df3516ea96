"""Kill a training with -9 again and again; what comes of it must be the run that was left alone.

    python tests/cli/kills.py 5

kills five runs, each ten times. `test_keep.py` does it with fewer kills.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import sagan_lib  # noqa: F401  (its settings come before TensorFlow's import)

STEPS, EVERY = 200, 10
WORDS = [
    "--recipe", "dcgan32", "--resolution", "16", "--width", "4", "--latent-dim", "4",
    "--batch-size", "4", "--faces", "20", "--augment", "color,translation,cutout,flip",
]  # fmt: skip


def start(out, steps=STEPS, every=EVERY):
    """The training command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sagan_lib", "train", *WORDS, "--steps", str(steps),
         "--log-every", str(every), "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def state(model):
    """All but the means of the losses, which go over the steps since the last row of the log."""
    parts = (model.generator, model.discriminator, model.ema_generator, model.g_optimizer,
             model.d_optimizer)  # fmt: skip
    return [v.numpy() for part in parts for v in part.variables]


def kill_soon(process, saved, rng):
    """Wait for a new save, and a moment more; then kill. Returns whether it was still alive."""
    before = saved.stat().st_mtime_ns if saved.exists() else 0
    while process.poll() is None:
        if saved.exists() and saved.stat().st_mtime_ns != before:
            time.sleep(rng.uniform(0, 0.4))  # in the middle of steps, saves and rows of the log
            break
        time.sleep(0.01)
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


def finish(out):
    """Let the run end; returns its weights and the steps in its log."""
    from sagan_lib import gan

    process = start(out)
    _, error = process.communicate()
    if process.returncode:
        raise RuntimeError(error.strip().splitlines()[-1])
    model = gan.GAN.load(out / "run.keras")
    rows = (out / "log.csv").read_text().splitlines()
    column = rows[0].split(",").index("step")
    return state(model), [int(row.split(",")[column]) for row in rows[1:]]


def chain(folder, kills, seed=0):
    """Kill a run at most so often, at moments of this seed, let it end, and compare it with one
    that was left alone: no weight differs, no row of the log is lost or doubled.

    Returns:
        How many kills met a living process.
    """
    rng, killed, done = random.Random(seed), Path(folder) / "killed", 0
    for _ in range(kills):
        done += kill_soon(start(killed), killed / "run.keras", rng)
    weights, steps = finish(killed)
    expected, rows = finish(Path(folder) / "alone")
    assert steps == rows == list(range(EVERY, STEPS + 1, EVERY)), steps
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    return done


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        with tempfile.TemporaryDirectory() as place:
            met = chain(place, 10, number)
        print(f"chain {number}: {met} kills, bit for bit the run that was left alone", flush=True)
