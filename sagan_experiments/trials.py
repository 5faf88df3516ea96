"""Fair trials: each way to train at its own best rates, until its curve has levelled off.

A verdict that is taken in the warm-up, at one pair of rates, cannot be told from the effect of the
rates. So every way gets the same search: all pairs of `ways.RATES` with one tuning seed, the best
`RACE` of them with the other, too, for one alone may flatter a pair; the mean decides. A variant
chooses among its way's best `FINALISTS`, on which both seeds have agreed, by the first seed alone.
Tuning seeds decide nothing else. A run is scored by its last half, not by its end, which wobbles;
and how soon it is good is another question.
"""

import itertools
import math

import numpy as np

from sagan_experiments import ledger, ways
from sagan_experiments.store import fill
from sagan_lib import checks

#: Seeds that choose rates and decide nothing: the first for all pairs, the other for the best.
TUNING = (51, 52)
#: A way's pairs of rates that get the second seed.
RACE = 5
#: Those of them that are best by both, among which its variants choose.
FINALISTS = 3
#: A pair of rates is good for a way if its run ends within this factor of the best of all ways.
GOOD = 1.5
#: What the pilot trains for twice as long, to find the length: each way at one rate, one slow pair.
#: From 1,800 to 2,400 steps SN, R1 and DCGAN at 1e-3 fall by 29, 6 and 5 %, in the 2,400 steps
#: after by another 21, 48 and 16 %. So a trial ends at 2,400.
PILOT = [*(ways.at_rates(way, 1e-3, 1e-3) for way in ways.WAYS), ways.at_rates("sn", 5e-4, 2e-3)]


def quality(run):
    """How good a run is where it has levelled off: lower is better.

    Args:
        run: a result of `arms.run`.

    Returns:
        Mean natural logarithm of the Fréchet distance over the checkpoints of the last half;
        infinite for a run that diverged.
    """
    return math.inf if run["diverged"] else late(run["curve"], math.log)


def late(curve, of=float):
    """The mean of a curve over its last half: one value of a run that wobbles.

    Args:
        curve: pairs (step, value).
        of: what is taken of each value first.
    """
    last = curve[-1][0]
    return float(np.mean([of(value) for step, value in curve if step > last / 2]))


def steps_to(run, distance):
    """How soon a run is good: when it comes to a Fréchet distance, in steps.

    Args:
        run: a result of `arms.run`.
        distance: the Fréchet distance.

    Returns:
        The step, between checkpoints on the straight line through their logarithms; the first
        checkpoint if that is so good already; infinity if none is.
    """
    goal = math.log(checks.number("distance", distance, 0, open_low=True))
    steps, values = zip(*((step, math.log(value)) for step, value in run["curve"]), strict=True)
    k = next((k for k, value in enumerate(values) if value <= goal), None)
    if not k:
        return math.inf if k is None else float(steps[0])
    share = (values[k - 1] - goal) / (values[k - 1] - values[k])
    return steps[k - 1] + share * (steps[k] - steps[k - 1])


def open_store(path=None):
    """The results of the trials; by default those that come with the book.

    Args:
        path: of the file, which need not exist.
    """
    return ledger.open_store(path, "fair")


def grid(name, store, seeds=TUNING[:1]):
    """What a way or a variant gives at each pair of rates.

    Args:
        name: of `ways.WAYS` or `ways.VARIANTS`.
        store: of `open_store`.
        seeds: over which the mean is taken.

    Returns:
        Float array (rates of G, rates of D): mean `quality`; NaN where a seed was not run, infinite
        where one diverged.
    """
    found = np.full((len(ways.RATES), len(ways.RATES)), np.nan)
    for i, g_rate in enumerate(ways.RATES):
        for k, d_rate in enumerate(ways.RATES):
            runs = store.seeds("arms", ways.at_rates(name, g_rate, d_rate))
            if set(seeds) <= set(runs):
                found[i, k] = np.mean([quality(runs[seed]) for seed in seeds])
    return found


def _split(name):
    """("sn", "") of "sn", ("sn", "4") of "sn:4"."""
    side, _, ratio = name.partition(":")
    return checks.one_of("name", side, [*ways.WAYS, *ways.VARIANTS]), ratio


def _pair(name, place):
    i, k = np.unravel_index(place, (len(ways.RATES), len(ways.RATES)))
    return ways.at_rates(name, ways.RATES[i], ways.RATES[k])


def _seeds(name):
    """The tuning seeds that decide for a way, at one ratio too, or for a variant."""
    return TUNING if _split(name)[0] in ways.WAYS else TUNING[:1]


def _mean(pairs, store, seeds=TUNING):
    """{pair: its mean `quality` over tuning seeds}, of pairs that were run with all of them."""
    runs = {pair: store.seeds("arms", pair) for pair in pairs}
    return {pair: float(np.mean([quality(of[seed]) for seed in seeds]))
            for pair, of in runs.items() if set(seeds) <= set(of)}  # fmt: skip


def raced(way, store):
    """The pairs of a way that the second tuning seed looks at, best first by the first one.

    Args:
        way: of `ways.WAYS`.
        store: of `open_store`.

    Returns:
        `RACE` names of `ways.TRIALS`; none until the first seed has all pairs.
    """
    values = grid(checks.one_of("way", way, ways.WAYS), store)
    if np.isnan(values).any():
        return []
    return [_pair(way, place) for place in np.argsort(values, axis=None, kind="stable")[:RACE]]


def candidates(name, store):
    """What a way or a variant chooses its rates from: its way's finalists.

    Args:
        name: of `ways.WAYS` or `ways.VARIANTS`.
        store: of `open_store`.

    Returns:
        Names of `ways.TRIALS`, at the best pairs of the way, the best one first; none until the
        way's search is finished.
    """
    pairs = raced(ways.way_of(name), store)
    means = _mean(pairs, store)
    if not pairs or len(means) < len(pairs):
        return []
    finalists = sorted(pairs, key=means.get)[:FINALISTS]
    return [ways.at_rates(name, *ways.rates_of(pair)) for pair in finalists]


def best(name, store):
    """Something at its own best rates: its mean quality over tuning seeds decides.

    Args:
        name: of `ways.WAYS` or `ways.VARIANTS`, or "WAY:RATIO" for a way at the best pair of which
            D's rate is so many times G's. Pairs at the grid's rim, by their geometric mean, do not
            count, so that ratios of 1/4, 1 and 4 have two pairs each.
        store: of `open_store`.

    Returns:
        A name of `ways.TRIALS`.

    Raises:
        ValueError: the search is not finished, the grid has no such ratio, or all runs of it
            diverged.
    """
    way, ratio = _split(name)
    pairs = _at_ratio(way, float(ratio)) if ratio else candidates(name, store)
    if not pairs or missing([name], store):
        raise ValueError(f"the search of {name!r} is not finished: run 'trials run {name}'")
    means = _mean(pairs, store, _seeds(name))
    if math.isinf(min(means.values())):
        raise ValueError(f"all candidates of {name!r} diverged")
    return min(pairs, key=means.get)


def _at_ratio(way, ratio):
    """The pairs of a way of which D's rate is so many times G's, but for the grid's rim."""
    low, high = ways.RATES[1], ways.RATES[-2]
    found = [
        ways.at_rates(way, g_rate, d_rate)
        for g_rate, d_rate in itertools.product(ways.RATES, repeat=2)
        if math.isclose(d_rate, ratio * g_rate)
        and 0.99 * low < math.sqrt(g_rate * d_rate) < 1.01 * high
    ]
    if not found:
        raise ValueError(f"ratio must be one of the grid's, got {ratio:g}")
    return found


def good_share(store, seeds=TUNING[:1]):
    """How much room for error each way leaves: the share of pairs of rates that are good for it.

    Args:
        store: of `open_store`, with the whole grids of all ways.
        seeds: as in `grid`.

    Returns:
        {way: share, 0 to 1}.
    """
    edge = good_edge(store, seeds)
    return {way: float((grid(way, store, seeds) <= edge).mean()) for way in ways.WAYS}


def good_edge(store, seeds=TUNING[:1]):
    """The `quality` up to which a pair of rates is good: within `GOOD` of the best of all ways.

    Args:
        store: of `open_store`, with the whole grids of all ways.
        seeds: as in `grid`.

    Raises:
        ValueError: a grid is not whole.
    """
    grids = {way: grid(way, store, seeds) for way in ways.WAYS}
    if missing := [way for way, values in grids.items() if np.isnan(values).any()]:
        raise ValueError(f"store must have whole grids, got {missing} without")
    return min(values.min() for values in grids.values()) + math.log(GOOD)


def missing(names, store):
    """What the searches still need, as far as that is known: [(name of a trial, seed)].

    Args:
        names: as `best` takes them; a variant waits for its way.
        store: of `open_store`.
    """
    wanted = []
    for name in names:
        way, ratio = _split(name)
        if name in ways.WAYS:
            whole = [_pair(name, place) for place in range(len(ways.RATES) ** 2)]
            wanted += [(pair, TUNING[0]) for pair in whole]
            wanted += [(pair, seed) for seed in TUNING[1:] for pair in raced(name, store)]
        else:
            pairs = _at_ratio(way, float(ratio)) if ratio else candidates(name, store)
            wanted += [(pair, seed) for seed in _seeds(name) for pair in pairs]
    return [(pair, seed) for pair, seed in wanted if seed not in store.seeds("arms", pair)]


def _with_ways(names):
    """What must be searched for names, each once: a variant's way first."""
    each = ((ways.way_of(_split(name)[0]), name) for name in names or ways.WAYS)
    return list(dict.fromkeys(itertools.chain.from_iterable(each)))


def run(names=(), jobs=None, store=None, line=""):
    """Finish searches, side by side: all that is known to be missing is run before more is asked.

    Args:
        names: as `best` takes them; by default all ways. A variant's way comes before.
        jobs: processes; by default one for each core.
        store: of `open_store`; by default the published one.
        line: the command, for the provenance.

    Returns:
        {name: its best trial}.
    """
    names, store = list(names or ways.WAYS), store or open_store()
    wanted = _with_ways(names)
    while todo := missing(wanted, store):
        seed = min(seed for _, seed in todo)
        pairs = dict.fromkeys(pair for pair, s in todo if s == seed)
        fill(store, [("arms", pair) for pair in pairs], [seed], jobs, line)
    return {name: best(name, store) for name in names}


def pilot(jobs=None, store=None, line=""):
    """Train what `PILOT` names for twice the length of a trial.

    Args:
        jobs: processes; by default one for each core.
        store: of the protocol "pilot"; by default the published one.
        line: the command, for the provenance.

    Returns:
        Text: for each, the Fréchet distance at every 600 steps, each a geometric mean over the 600
        steps before.
    """
    store = store or ledger.open_store(None, "pilot")
    fill(store, [("arms", name) for name in PILOT], TUNING[:1], jobs, line)
    ends = range(600, store.protocol.steps + 1, 600)
    lines = [" " * 16 + "".join(f"{end:>7}" for end in ends)]
    for name in PILOT:
        curve = store.seeds("arms", name)[TUNING[0]]["curve"]
        means = [np.mean([math.log(v) for s, v in curve if end - 600 < s <= end]) for end in ends]
        lines.append(f"{name:16}" + "".join(f"{math.exp(mean):7.0f}" for mean in means))
    return "\n".join(lines)


def plan(names=(), store=None):
    """What searches will take, in words.

    Args:
        names: as `best` takes them; by default all ways.
        store: of `open_store`; by default the published one.
    """
    store, names = store or open_store(), _with_ways(names)
    ours = {_split(name)[0] for name in names}
    done = [(name, seed) for name in ways.TRIALS for seed in store.seeds("arms", name)
            if name.partition("@")[0] in ours and seed in TUNING]  # fmt: skip
    left = sum(_left(name, store) for name in names)
    text = f"{len(names)} searches, of {store.protocol}; {len(done)} runs are done, {left} to do"
    if not done:
        return text
    took = [store.seeds("arms", name)[seed]["seconds_with_scores"] for name, seed in done]
    return f"{text}: about {left * np.median(took) / 3600:.1f} core-hours"


def _left(name, store):
    """How many runs a search still needs: those `missing`, and those that these will lead to."""
    left = len(missing([name], store))
    if name in ways.WAYS and not raced(name, store):
        return left + RACE * len(TUNING[1:])
    if name in ways.VARIANTS and not candidates(name, store):
        return left + FINALISTS
    return left


def table(names=(), store=None):
    """The grids as text, one for each tuning seed: rates of G down, of D across, Fréchet distances.

    Args:
        names: as `best` takes them; by default all ways.
        store: of `open_store`; by default the published one.
    """
    store, lines = store or open_store(), []
    sides = [_split(name)[0] for name in names or ways.WAYS]
    for name, seed in itertools.product(sides, TUNING):
        lines.append(f"{name}, {seed}".rjust(9) + "".join(f"{rate:9g}" for rate in ways.RATES))
        for rate, row in zip(ways.RATES, grid(name, store, [seed]), strict=True):
            shown = ("-" if math.isnan(x) else f"{math.exp(x):.0f}" for x in row)
            lines.append(f"{rate:9g}" + "".join(f"{x:>9}" for x in shown))
    return "\n".join(lines)
