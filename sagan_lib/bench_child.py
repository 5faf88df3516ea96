"""One contender of `bench` in a process of its own: its memory and its threads are its own.

    python -m sagan_lib.bench_child NAME CASE

CASE is a `bench.Case` as JSON. Every answer is one line of JSON. The first says that the contender
is built and warm, or why it failed; then each line on standard input asks for something: {"steps":
k} to be timed, {"rates": true}, {"memory": true}. End of input ends the process.
"""

import json
import math
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

#: The name of the process that measures the machine instead of a contender.
PROBE = "probe"


def peak_memory():
    """Bytes of main memory that this process has held at most."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would include what the parent held when it started this one
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _gpu_memory(name):
    """Bytes of GPU memory held at most, or None without a GPU."""
    if name.startswith("torch"):
        import torch

        return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    import tensorflow as tf

    from sagan_lib import hardware

    if not hardware.gpus():
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def timed(step, steps):
    """Seconds a step takes: one untimed step, then the mean of `steps`, waited for at the end.

    Raises:
        FloatingPointError: a loss is NaN or infinite.
    """
    _wait(step())
    start = time.perf_counter()
    for _ in range(steps):
        losses = step()
    found = _wait(losses)
    seconds = (time.perf_counter() - start) / steps
    if not all(map(math.isfinite, found)):
        raise FloatingPointError(f"losses of D and G must be finite, got {found}")
    return seconds


def _wait(losses):
    return [float(x) for x in losses]


class Contender:
    """Builds and warms up one contender, then times it."""

    def __init__(self, name, case):
        if name.startswith("torch"):
            # No helper processes, which would go on when this one is ended.
            os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
            from sagan_lib import peers_torch as peers
        else:
            from sagan_lib import hardware, peers

            hardware.setup()  # several processes share a GPU
        self.name, self.before = name, peak_memory()  # before: after the imports
        self.made = peers.build(name, case)
        for _ in range(2):  # compiled by the first; memory and caches are settled by the second
            _wait(self.made.step())
        self.first = {"parameters": self.made.parameters, "step_s": timed(self.made.step, 1)}

    def answer(self, request):
        if "steps" in request:
            return {"step_s": timed(self.made.step, request["steps"])}
        return {
            "peak": peak_memory(), "import_peak": self.before, "gpu_peak": _gpu_memory(self.name),
        }  # fmt: skip


class Probe:
    """Counts a case's operations and parameters, and measures the machine's rates."""

    def __init__(self, name, case):
        import tensorflow as tf

        from sagan_lib import bench, hardware, peers

        hardware.setup()
        self.gpu = bool(hardware.gpus())
        counts = {}
        for variant in ("article", "paper", "none"):
            attends = variant != "none"
            nets = peers.our_networks(case, variant if attends else None, attends)
            flops, exps = bench.attention_work(*nets, case.batch)
            counts[variant] = {
                "parameters": peers.Contender(None, *nets).parameters,
                "step_flops": hardware.plan(*nets, case.batch, 1).step_flops,
                "attention_flops": flops,
                "attention_exps": exps,
            }
        details = [tf.config.experimental.get_device_details(x) for x in hardware.gpus()]
        self.first = {
            "counts": counts,
            "gpu": details[0].get("device_name", "GPU") if details else None,
            "gpus": len(details),
            "step_s": 0.5,
        }

    def answer(self, request):
        from sagan_lib import hardware

        # Large, or starting the operation is what is measured; then the floor would be none.
        return {
            "matmul_flops_per_s": hardware.matmul_rate(8192 if self.gpu else 2048),
            "exp_per_s": hardware.exp_rate(2**26 if self.gpu else 2**24),
        }


class Child:
    """A contender's process. Each method raises RuntimeError, with the reason, if it failed."""

    def __init__(self, name, chosen, seconds):
        self.name, self._lines = name, queue.Queue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        command = [sys.executable, "-m", "sagan_lib.bench_child", name, json.dumps(asdict(chosen))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.first = self._answer(seconds)
        except BaseException:
            self.close()
            raise
        self.samples = []

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _answer(self, seconds):
        try:
            line = self._lines.get(timeout=max(1, seconds))
        except queue.Empty:
            raise RuntimeError(f"no answer within {seconds:.0f} s") from None
        if line is None:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
            status = self._process.wait()
            raise RuntimeError(f"its process ended with status {status}: {''.join(said)[:200]}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        return answer

    def ask(self, seconds=120, **request):
        """The answer to a request of `bench_child`, waited for so long."""
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise RuntimeError("its process has ended") from None
        return self._answer(seconds)

    def close(self):
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            stream.close()


def main(name, case_json):
    """Serve one contender until the input ends; returns the exit status."""
    from sagan_lib import bench

    # Libraries print; the answers must not be mixed up with that.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def reply(function, *args):
        try:
            value = function(*args)
        except Exception as error:  # whatever it is, the run goes on without this contender
            value = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(value), file=answers)
        return value

    served = []

    def start():
        served.append((Probe if name == PROBE else Contender)(name, bench.Case(**case)))
        return served[0].first

    case = json.loads(case_json)
    if "failed" in reply(start):
        return 1
    for line in sys.stdin:
        if "failed" in reply(served[0].answer, json.loads(line)):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
