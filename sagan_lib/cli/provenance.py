"""Where and with what a result was made."""

import contextlib
import importlib.metadata
import os
import platform
import re
import time
from pathlib import Path

from sagan_lib import devices


def processor():
    """The processor's model, as the machine calls it."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else []
    return re.sub(r"\s+", " ", names[0]) if names else platform.processor() or platform.machine()


def provenance(command=""):
    """Where and with what a result was made: {"command", "date", "versions", "machine"}.

    Args:
        command: the line that makes it again.
    """
    versions = {"python": platform.python_version()}
    for package in ("tensorflow", "keras", "numpy", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    machine = {"processor": processor(), "cores": os.cpu_count(), "gpus": len(devices.gpus())}
    date = time.strftime("%Y-%m-%d")
    return {"command": command, "date": date, "versions": versions, "machine": machine}
