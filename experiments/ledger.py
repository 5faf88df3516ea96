"""The ledger: verdicts by rule.

A verdict follows from the mean of a claim's effects and its 95 % interval (Student's t, over
seeds): the whole interval beyond the limit, "holds"; the whole of it short of the limit, "does not
hold here"; else "undecided". Nobody chooses a verdict.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from experiments import arms
from experiments.claims import CLAIMS, Claim
from experiments.measures import MEASURES
from experiments.store import Store, fill
from sagan_lib import checks, shipped

VERDICTS = ("holds", "does not hold here", "undecided")


@dataclass(frozen=True)
class Result:
    """What a claim's seeds say.

    Args:
        claim: a `claims.Claim`.
        values: {seed: effect}.
        mean: of the effects.
        low: end of the 95 % interval of the mean.
        high: its other end.
        verdict: of `VERDICTS`.
    """

    claim: Claim
    values: dict
    mean: float
    low: float
    high: float
    verdict: str

    @property
    def median(self):
        return float(np.median(list(self.values.values())))

    def shown(self, value):
        """An effect as readers see it: a factor if it is a logarithm."""
        return f"{math.exp(value):.2f}x" if self.claim.ratio else f"{value:.3g}"

    def __str__(self):
        if not self.values:
            return "not run"
        if not math.isfinite(self.low):
            return f"{self.shown(self.median)} (n = {len(self.values)})"
        bounds = f"{self.shown(self.low)} to {self.shown(self.high)}"
        return f"{self.shown(self.median)} ({bounds}; n = {len(self.values)})"


def verdict(claim, low, high):
    """The verdict that an interval gives: one of `VERDICTS`.

    Args:
        claim: a `claims.Claim`.
        low: end of the interval.
        high: its other end.
    """
    beyond, short = low > claim.limit, high < claim.limit
    if claim.below:
        beyond, short = short, beyond
    return VERDICTS[0] if beyond else VERDICTS[1] if short else VERDICTS[2]


def decide(claim, values):
    """The `Result` of a claim; with fewer than three seeds it is undecided.

    Args:
        claim: a `claims.Claim`.
        values: {seed: effect}.
    """
    effects = np.array(list(values.values()), float)
    if len(effects) < 3:
        mean = float(effects.mean()) if len(effects) else math.nan
        return Result(claim, values, mean, -math.inf, math.inf, VERDICTS[2])
    mean, spread = float(effects.mean()), stats.sem(effects)
    low, high = mean, mean
    if spread > 0:
        low, high = map(float, stats.t.interval(0.95, len(effects) - 1, mean, spread))
    return Result(claim, values, mean, low, high, verdict(claim, low, high))


def effects(name, store):
    """{seed: effect} of a claim, over the seeds for which the store has all that it needs.

    Args:
        name: of the claim.
        store: a `Store`.
    """
    claim = CLAIMS[checks.one_of("claim", name, CLAIMS)]
    if claim.measure:
        return store.seeds("measures", claim.measure)
    runs = [store.seeds("runs", arm) for arm in claim.arms]
    seeds = sorted(set(runs[0]).intersection(*runs[1:]))
    return {seed: claim.effect(*(run[seed] for run in runs)) for seed in seeds}


def of_chapter(chapter, store=None):
    """{name: `Result`} of the claims that a chapter shows.

    Args:
        chapter: of `claims.CHAPTERS`.
        store: a `Store`; by default the published one.
    """
    store = store or published()
    found = {name: result(name, store) for name, c in CLAIMS.items() if c.chapter == chapter}
    if not found:
        raise ValueError(f"no claim belongs to chapter {chapter!r}")
    return found


def result(name, store=None):
    """The `Result` of a claim.

    Args:
        name: of the claim.
        store: a `Store`; by default the published one.
    """
    return decide(CLAIMS[checks.one_of("claim", name, CLAIMS)], effects(name, store or published()))


def results_path(scale="cpu"):
    """Where the results of a scale of `arms.SCALES` are kept."""
    checks.one_of("scale", scale, arms.SCALES)
    return shipped.folder() / "results" / f"claims_{scale}.json"


def published():
    """The results that come with the book."""
    return open_store()


def open_store(path=None, scale="cpu"):
    """The results in a file, which need not exist yet.

    Args:
        path: of the file; by default that of the book.
        scale: of `arms.SCALES`.
    """
    path = Path(path) if path else results_path(scale)
    return Store(path, arms.SCALES[checks.one_of("scale", scale, arms.SCALES)])


def needs(names):
    """What these claims need, each thing once: a list of (kind, name)."""
    wanted = []
    for name in names:
        claim = CLAIMS[checks.one_of("claim", name, CLAIMS)]
        parts = [("runs", a) for a in claim.arms] or [("measures", claim.measure)]
        wanted += [part for part in parts if part not in wanted]
    return wanted


def run(names=None, seeds=5, jobs=None, store=None, line=""):
    """Compute what claims still lack.

    Args:
        names: of the claims; by default all.
        seeds: how many, from 0 on.
        jobs: processes; by default one for each core.
        store: a `Store`; by default the published one.
        line: the command, for the provenance.

    Returns:
        {name: `Result`}.
    """
    checks.integer("seeds", seeds, 1)
    names, store = list(names or CLAIMS), store or published()
    fill(store, needs(names), range(seeds), jobs, line)
    return {name: result(name, store) for name in names}


class FlippedError(RuntimeError):
    """A claim that was measured again has another verdict than the published one."""


def recheck(names=None, seeds=5, store=None):
    """Measure the fast claims again and hold their verdicts against the published ones.

    Args:
        names: of the claims; by default all fast ones.
        seeds: how many, from 0 on.
        store: a `Store`; by default the published one.

    Raises:
        FlippedError: naming every claim whose verdict is another one, with both results.
    """
    store = store or published()
    flipped = []
    for name in names or [name for name, claim in CLAIMS.items() if claim.fast]:
        if not CLAIMS[checks.one_of("claim", name, CLAIMS)].measure:
            raise ValueError(f"claim {name} needs training runs; 'claims run' computes those")
        claim, before = CLAIMS[name], result(name, store)
        now = decide(claim, {seed: MEASURES[claim.measure](seed) for seed in range(seeds)})
        if now.verdict != before.verdict:
            flipped.append(f"{name}: was {before.verdict!r} at {before}, now {now.verdict!r} {now}")
    if flipped:
        raise FlippedError("; ".join(flipped))


def table(store=None, names=()):
    """One line a claim for the terminal: name, verdict, effect.

    Args:
        store: a `Store`; by default the published one.
        names: of the claims; by default all.
    """
    store = store or published()
    rows = [(name, result(name, store)) for name in names or CLAIMS]
    return "\n".join(
        f"{name:24} {r.verdict if r.values else 'not run':20} {r.claim.quantity}: {r}"
        for name, r in rows
    )


def summary(store=None):
    """{verdict: how many claims have it}."""
    store = store or published()
    verdicts = [result(name, store).verdict for name in CLAIMS]
    return {each: verdicts.count(each) for each in VERDICTS}
