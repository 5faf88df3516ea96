"""Build the book: readable at once, then executed.

    python _book/build.py read   the pages from the outputs that the notebooks hold
    python _book/build.py make   those; then every chapter that is new or changed is executed, side
                                by side on the cores; then the pages from the fresh outputs

What the builder says goes to _build/log/; here stands what a reader wants to know. BOOK_STARTED
(seconds since 1970) is when the clock began, CHAPTERS_AT_ONCE how many chapters run side by side.
"""

import argparse
import collections
import concurrent.futures
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent / "ext"))

import mended
import stale_runs

from sagan_lib.cli import process

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
PAGES = BUILD / "html" / "index.html"
STARTED = float(os.environ.get("BOOK_STARTED") or time.time())
#: Memory that a chapter may take at the small scale, in GiB; seen: 1.4.
GIB_EACH = 2
#: Strict: a warning is an error, all of them are shown, and a broken reference is one.
BUILDER = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT), "-W",
           "--keep-going", "-n"]  # fmt: skip


def say(text):
    """One line for the reader, with the minutes and seconds since the clock began."""
    # By the system's clock, which make began with; if it is set back meanwhile, at 0.
    minutes, seconds = divmod(max(0, round(time.time() - STARTED)), 60)
    print(f"[{minutes:2}:{seconds:02}] {text}", flush=True)


def tail(path, lines=30):
    """The last lines of a log."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        return "".join(collections.deque(stream, lines))


def build(log, **environment):
    """Build the pages, strictly, into a log.

    Args:
        log: the file's name in _build/log/.
        environment: variables to add for the builder.

    Raises:
        SystemExit: the build failed; the log's end was printed.
    """
    path = BUILD / "log" / log
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        done = subprocess.run(
            BUILDER, stdout=stream, stderr=subprocess.STDOUT, check=False, cwd=ROOT,
            preexec_fn=process.killed_with_parent,
            env=os.environ | {"NO_COLOR": "1"} | environment,
        )  # fmt: skip
    if done.returncode:
        print(tail(path), file=sys.stderr)
        raise SystemExit(f"the build failed; all of it: {path.relative_to(ROOT)}")


def notebooks():
    """The executed pages of the book, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    names = [toc["root"], *(page["file"] for part in toc["parts"] for page in part["chapters"])]
    return [path for path in (ROOT / f"{name}.ipynb" for name in names) if path.is_file()]


def open_cache():
    """The store of executed chapters that the builder looks into."""
    from jupyter_cache import get_cache

    return get_cache(str(BUILD / ".jupyter_cache"))


def missing(cache):
    """The chapters that the store does not hold as they are now."""
    found = []
    for path in notebooks():
        try:
            cache.match_cache_file(str(path))
        except KeyError:
            found.append(path)
    return found


def at_once(chapters, cores=None, memory=None, scale=None):
    """How many of so many chapters run side by side, and how many threads each gets.

    Args:
        chapters: how many are to be executed.
        cores: of this machine; asked if not given.
        memory: of this machine in GiB; asked if not given.
        scale: that they run at; asked if not given. One GPU is not shared.

    Returns:
        (processes, threads), both at least 1; their product is at most `cores`.
    """
    cores = cores or os.cpu_count() or 1
    memory = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    asked = os.environ.get("CHAPTERS_AT_ONCE")
    if asked:
        if not asked.isdigit() or not int(asked):
            raise SystemExit(f"CHAPTERS_AT_ONCE must be a number from 1, got {asked!r}")
        most = int(asked)
    elif (scale or stale_runs.scale()) == "gpu":
        most = 1
    else:
        most = min(cores, int(memory // GIB_EACH))
    processes = max(1, min(most, chapters))
    return processes, max(1, cores // processes)


def _begin():
    """In a process of the pool: what it and its kernels say goes to a log, Ctrl-C elsewhere."""
    process.end_with_parent()
    os.setpgrp()  # a terminal's Ctrl-C reaches the parent alone, which then ends its children
    for number in process.ENDS:
        signal.signal(number, signal.SIG_DFL)  # the parent's handlers came with the fork
    log = os.open(BUILD / "log" / "kernels.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    multiprocessing.log_to_stderr(logging.ERROR)


def core_seconds(path):
    """What a chapter took when its stored outputs were made, of one core; 0 where it is silent."""
    from sagan_lib.book import scales

    return float(scales.glued(json.loads(path.read_text()))[0].get("core-seconds", 0))


def execute(paths, cache, timeout=1800):
    """Execute chapters side by side, into the store: one line each, as they end.

    The longest first: begun last, it would run alone beside idle cores.

    Args:
        paths: of the notebooks.
        cache: the store.
        timeout: of a cell, in seconds.

    Returns:
        {path: what was wrong} of the chapters that failed.
    """
    from jupyter_cache.cache.db import NbProjectRecord
    from jupyter_cache.executors.basic import ExecutionWorkerLocalMProc, ProcessData

    mended.encrypt_kernels()
    processes, threads = at_once(len(paths))
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    say(f"executing {len(paths)} chapters, {processes} at once with {threads} thread(s) each")
    records = {
        str(path): cache.add_nb_to_project(str(path))
        for path in sorted(paths, key=core_seconds, reverse=True)
    }
    NbProjectRecord.remove_tracebacks([each.pk for each in records.values()], cache.db)
    work = [ProcessData(each.pk, uri, cache, timeout, False) for uri, each in records.items()]
    failed = {}
    pool = concurrent.futures.ProcessPoolExecutor(processes, initializer=_begin)
    try:
        running = [pool.submit(ExecutionWorkerLocalMProc(), each) for each in work]
        ended = concurrent.futures.as_completed(running)
        for left, future in zip(range(len(work) - 1, -1, -1), ended, strict=True):
            status, uri = future.result()
            if status == 0:
                seconds = cache.get_cached_project_nb(uri).data["execution_seconds"]
                say(f"{Path(uri).stem}: {seconds:.0f} s; {left} left")
            else:
                text = (
                    cache.get_project_record(uri).traceback
                    or "it could not be executed: _build/log/kernels.log"
                )
                failed[Path(uri)] = text
                say(f"{Path(uri).stem}: FAILED; {left} left")
    except BaseException:
        stop(pool)
        raise
    pool.shutdown()
    return failed


def stop(pool):
    """End a pool's processes, and with them their kernels."""
    pool.shutdown(wait=False, cancel_futures=True)
    processes = multiprocessing.active_children()
    for each in processes:
        each.terminate()  # each ends its kernel first
    for each in processes:
        each.join(5)
        each.kill()


def make():
    """Pages first, then the execution, then the pages again. Returns the exit status."""
    stale_runs.drop_stale(ROOT, BUILD)
    cache = open_cache()
    todo = missing(cache)
    if todo:
        read()
        try:
            failed = execute(todo, cache)
        except KeyboardInterrupt as stopped:
            say(f"stopped; the book with the stored outputs stays in {PAGES.relative_to(ROOT)}")
            print("        The same command goes on with the chapters that are left.")
            return process.status(stopped)
        for path, text in failed.items():
            print(f"\n{path.name}: this cell failed\n{text}", file=sys.stderr)
        if failed:
            return 1
    say("building the pages from the outputs of this machine")
    build("executed.log")
    say(f"the book, executed: {PAGES.relative_to(ROOT)}")
    return 0


def read():
    """The pages from the stored outputs."""
    say("building the pages from the outputs that the notebooks hold")
    build("stored.log", BOOK_OUTPUTS="stored")
    say(f"ready to read: {PAGES.relative_to(ROOT)}")
    return 0


def main(arguments=None):
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=("read", "make"))
    options = parser.parse_args(arguments)
    try:
        with process.ended_by_signals():
            return {"read": read, "make": make}[options.action]()
    except KeyboardInterrupt as stopped:
        say("stopped; the same command goes on")
        return process.status(stopped)


if __name__ == "__main__":
    process.patient_streams()
    sys.exit(main())
