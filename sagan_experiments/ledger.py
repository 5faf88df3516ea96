"""The ledger: verdicts by rule.

Limits were set after a look at seed 0, so seed 0 decides nothing. Seeds 1 to 5 are the first look
at a claim. If that leaves it undecided, seeds 1 to 20 are the second look, and there is no third.
Each look takes the mean of the effects and its 97.5 % interval (Student's t, over seeds), so that
both together miss a true mean in at most 5 % of the claims. Nobody chooses a verdict.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from sagan_experiments import arms
from sagan_experiments.claims import CLAIMS, Claim
from sagan_experiments.measures import MEASURES
from sagan_experiments.store import Store, fill
from sagan_lib import checks, shipped

HOLDS, SHORT, OPPOSITE, OPEN = VERDICTS = (
    "holds", "does not hold here", "the opposite holds", "undecided",
)  # fmt: skip
#: The seeds of the two looks, and how sure each interval is.
FIRST, SECOND = range(1, 6), range(1, 21)
CONFIDENCE = 0.975


@dataclass(frozen=True)
class Result:
    """What a claim's seeds say.

    Args:
        claim: a `claims.Claim`.
        values: {seed: effect}, of all seeds that were run.
        seeds: those that the verdict rests on.
        mean: of their effects.
        low: end of the interval of the mean.
        high: its other end.
        verdict: of `VERDICTS`.
    """

    claim: Claim
    values: dict
    seeds: tuple
    mean: float
    low: float
    high: float
    verdict: str

    @property
    def counted(self):
        """The effects that the verdict rests on."""
        return [self.values[seed] for seed in self.seeds]

    @property
    def needed(self):
        """How many seeds would decide an undecided claim if its mean and spread stayed as they are.

        None: it is decided, or more than a thousand would not do.
        """
        if self.verdict != OPEN or len(self.seeds) < 3:
            return None
        distance, spread = abs(self.mean - self.claim.limit), np.std(self.counted, ddof=1)
        counts = np.arange(len(self.seeds), 1001)
        widths = stats.t.ppf((1 + CONFIDENCE) / 2, counts - 1) * spread / np.sqrt(counts)
        enough = counts[widths < distance]
        return int(enough[0]) if len(enough) else None

    def shown(self, value):
        """An effect as readers see it: a factor, or an error, if it is a logarithm."""
        if not self.claim.ratio:
            return f"{value if abs(value) > 1e-12 else 0.0:.3g}"  # a mean of shares can round
        return f"{math.exp(value):.2f}x" if self.claim.unit else f"{math.exp(value):.2g}"

    def __str__(self):
        if not self.seeds:
            return "not run"
        if not math.isfinite(self.low):
            return f"{self.shown(self.mean)} (n = {len(self.seeds)})"
        bounds = f"{self.shown(self.low)} to {self.shown(self.high)}"
        return f"{self.shown(self.mean)} ({bounds}; n = {len(self.seeds)})"


def verdict(claim, low, high):
    """The verdict that an interval gives: one of `VERDICTS`.

    Args:
        claim: a `claims.Claim`.
        low: end of the interval.
        high: its other end.
    """
    if claim.below:
        return HOLDS if high < claim.limit else SHORT if low > claim.limit else OPEN
    if low > claim.limit:
        return HOLDS
    if high < -abs(claim.limit):
        return OPPOSITE
    return SHORT if high < claim.limit else OPEN


def interval(effects, confidence=CONFIDENCE):
    """(mean, low, high) of effects: Student's interval of the mean.

    Args:
        effects: finite numbers, float (n,), at least two.
        confidence: how sure it is, 0 to 1.
    """
    mean, spread = float(effects.mean()), stats.sem(effects)
    if not spread > 0:
        return mean, mean, mean
    return mean, *map(float, stats.t.interval(confidence, len(effects) - 1, mean, spread))


def _look(claim, values, seeds):
    """The `Result` of one look; with fewer than three seeds it is undecided."""
    seeds = tuple(seed for seed in seeds if seed in values)
    counted = np.array([values[seed] for seed in seeds], float)
    if len(counted) < 3:
        mean = float(counted.mean()) if len(counted) else math.nan
        return Result(claim, values, seeds, mean, -math.inf, math.inf, OPEN)
    mean, low, high = interval(counted)
    return Result(claim, values, seeds, mean, low, high, verdict(claim, low, high))


def decide(claim, values):
    """The `Result` of a claim: of the first look, or of the second where that was undecided.

    Args:
        claim: a `claims.Claim`.
        values: {seed: effect}.

    Raises:
        ValueError: an effect is not finite.
    """
    for seed, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"effect of seed {seed} must be finite, got {value}")
    first = _look(claim, values, FIRST)
    if first.verdict == OPEN and all(seed in values for seed in SECOND):
        return _look(claim, values, SECOND)
    return first


def effects(name, store):
    """{seed: effect} of a claim, over the seeds for which the store has all that it needs.

    Args:
        name: of the claim.
        store: a `Store`.

    Raises:
        ValueError: the claim cannot be computed from what is stored, such as a ratio with zero.
    """
    claim = CLAIMS[checks.one_of("claim", name, CLAIMS)]
    parts = [("measures", claim.measure)] if claim.measure else [("arms", a) for a in claim.arms]
    stored = [store.seeds(*part) for part in parts]
    found = {}
    for seed in sorted(set(stored[0]).intersection(*stored[1:])):
        try:
            found[seed] = _effect(claim, *(each[seed] for each in stored))
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ValueError(
                f"{store.path}: claim {name} cannot be computed from seed {seed}: {error!r}"
            ) from error
    return found


def runs(*names, store=None):
    """The runs of arms that count: of the second look where all of these arms have it whole.

    Until then the first look counts, whatever else is stored: seed 0 never, and a second look that
    is half done not yet.

    Args:
        names: of the arms.
        store: a `Store`; by default the published one.

    Returns:
        A list for each arm: its results, in the order of the seeds.
    """
    store = store or published()
    kept = [store.seeds("arms", checks.one_of("arm", name, arms.ARMS)) for name in names]
    seeds = SECOND if all(set(SECOND) <= set(each) for each in kept) else FIRST
    return [[each[seed] for seed in seeds if seed in each] for each in kept]


def _effect(claim, *values):
    """The claim's effect, from a measure's value or from its arms' results."""
    return claim.effect(*values) if claim.effect else values[0]


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


def results_path(protocol="cpu"):
    """Where the results under a protocol of `arms.PROTOCOLS` are kept."""
    checks.one_of("protocol", protocol, arms.PROTOCOLS)
    return shipped.folder() / "results" / f"claims_{protocol}.json"


def published():
    """The results that come with the book."""
    return open_store()


def open_store(path=None, protocol="cpu"):
    """The results in a file, which need not exist yet.

    Args:
        path: of the file; by default that of the book.
        protocol: of `arms.PROTOCOLS`.
    """
    path = Path(path) if path else results_path(protocol)
    return Store(path, arms.PROTOCOLS[checks.one_of("protocol", protocol, arms.PROTOCOLS)])


def needs(names):
    """What these claims need, each thing once: a list of (kind, name)."""
    wanted = []
    for name in names:
        claim = CLAIMS[checks.one_of("claim", name, CLAIMS)]
        parts = [("arms", a) for a in claim.arms] or [("measures", claim.measure)]
        wanted += [part for part in parts if part not in wanted]
    return wanted


def run(names=None, looks=2, jobs=None, store=None, line="", scheduler=None):
    """Compute what claims still lack: the first look, and the second where that is undecided.

    Args:
        names: of the claims; by default all.
        looks: 1 leaves the second out.
        jobs: processes; by default one for each core.
        store: a `Store`; by default the published one.
        line: the command, for the provenance.
        scheduler: address of a Dask scheduler whose workers compute instead.

    Returns:
        {name: `Result`}.
    """
    checks.integer("looks", looks, 1, 2)
    names, store = list(names or CLAIMS), store or published()
    fill(store, needs(names), FIRST, jobs, line, scheduler)
    if looks == 2:
        still = [name for name in names if result(name, store).verdict == OPEN]
        fill(store, needs(still), SECOND, jobs, line, scheduler)
    return {name: result(name, store) for name in names}


class FlippedError(RuntimeError):
    """A claim that was measured again has another verdict than the published one."""


def recheck(names=None, store=None):
    """Measure the fast claims again and hold their verdicts against the published ones.

    Args:
        names: of the claims; by default all fast ones.
        store: a `Store`; by default the published one.

    Raises:
        ValueError: a claim that needs training, or was never measured.
        FlippedError: naming every claim whose verdict is another one, with both results.
    """
    store = store or published()
    flipped = []
    for name in names or [name for name, claim in CLAIMS.items() if claim.fast]:
        if not CLAIMS[checks.one_of("claim", name, CLAIMS)].measure:
            raise ValueError(f"claim {name} needs training runs; 'claims run' computes those")
        claim, before = CLAIMS[name], result(name, store)
        if not before.seeds:
            raise ValueError(f"claim {name} was not run, so there is nothing to hold it against")
        measure = MEASURES[claim.measure]
        now = decide(claim, {seed: _effect(claim, measure(seed)) for seed in before.seeds})
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
        f"{name:24} {r.verdict if r.seeds else 'not run':20} {r.claim.quantity}: {r}"
        for name, r in rows
    )
