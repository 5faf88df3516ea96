"""One contender of `bench` in a process of its own: its memory and its threads are its own.

    python -m sagan_experiments.speed.worker NAME CASE

CASE is a `case.Case` as JSON. Every answer is one line of JSON. The first says that the contender
is built and warm, or why it failed; then each line on standard input asks for something: {"steps":
k} to be timed, {"rates": true}, {"memory": true}. End of input ends the process.
"""

import json
import math
import os
import sys
import time

from sagan_experiments.speed.case import Case, attention_work, exp_rate
from sagan_experiments.speed.memory import peak_memory
from sagan_experiments.speed.process import PROBE


def _gpu_memory(name):
    """Bytes of GPU memory held at most, or None without a GPU."""
    if name.startswith("torch"):
        import torch

        return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    import tensorflow as tf

    from sagan_lib import devices

    if not devices.gpus():
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def timed(step, steps):
    """Seconds a step takes: one untimed step, then the mean of many, waited for at the end.

    Args:
        step: function that does one and gives (d_loss, g_loss).
        steps: how many are timed.

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
            from sagan_experiments.speed import baselines_torch as baselines
        else:
            from sagan_experiments.speed import baselines
            from sagan_lib import devices

            devices.setup()  # several processes share a GPU
        self.name, self.before = name, peak_memory()  # before: after the imports
        self.made = baselines.build(name, case)
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

        from sagan_experiments.speed import baselines
        from sagan_lib import cost, devices

        devices.setup()
        self.gpu = bool(devices.gpus())
        counts = {}
        for variant in ("article", "pooled", "none"):
            attends = variant != "none"
            nets = baselines.our_networks(case, variant if attends else None, attends)
            flops, exps = attention_work(*nets, case.batch)
            counts[variant] = {
                "parameters": baselines.Contender(None, *nets).parameters,
                "step_flops": cost.plan(*nets, case.batch, 1).step_flops,
                "attention_flops": flops,
                "attention_exps": exps,
            }
        details = [tf.config.experimental.get_device_details(x) for x in devices.gpus()]
        self.first = {
            "counts": counts,
            "gpu": details[0].get("device_name", "GPU") if details else None,
            "gpus": len(details),
            "step_s": 0.5,
        }

    def answer(self, request):
        from sagan_lib import cost

        # Large, or starting the operation is what is measured; then the bound would be none.
        return {
            "matmul_flops_per_s": cost.matmul_rate(8192 if self.gpu else 2048),
            "exp_per_s": exp_rate(2**26 if self.gpu else 2**24),
        }


def main(name, case_json):
    """Serve one contender until the input ends; returns the exit status.

    Args:
        name: of the contender, or `PROBE`.
        case_json: a `case.Case` as JSON.
    """
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
        served.append((Probe if name == PROBE else Contender)(name, Case(**case)))
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
