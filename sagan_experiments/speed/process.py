"""One contender's process, seen from the one that measures."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict

from sagan_experiments.speed.case import AS_IT_COMES

#: The name of the process that measures the machine instead of a contender.
PROBE = "probe"


class Child:
    """A contender's process. Each method raises RuntimeError, with the reason, if it failed.

    Args:
        name: of the contender, or `PROBE`.
        chosen: a `case.Case`.
        seconds: to wait until it is warm.
    """

    def __init__(self, name, chosen, seconds):
        self.name, self._lines = name, queue.Queue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        command = [
            sys.executable,
            "-m",
            "sagan_experiments.speed.worker",
            name,
            json.dumps(asdict(chosen)),
        ]
        # An empty value is none of TensorFlow's: then it decides by itself.
        onednn = "" if name.endswith(AS_IT_COMES) else "1"
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": onednn},
        )  # fmt: skip
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
        """The answer to a request.

        Args:
            seconds: to wait for it.
            request: as `worker` takes it.
        """
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
            with contextlib.suppress(BrokenPipeError):  # a request that it did not live to read
                stream.close()
