"""Fair trials: each way to train at its own best rates, until its curve has levelled off.

A verdict that is taken in the warm-up, at one pair of rates, cannot be told from the effect of the
rates. So every way gets the same search: all pairs of `arms.RATES` with the first tuning seed, then
the best `FINALISTS` of them with the others. Tuning seeds decide nothing else. A run is scored by
its last half, not by its end, which wobbles; and how soon it is good is another question.
"""

import math

import numpy as np

from sagan_experiments import arms, ledger
from sagan_experiments.store import fill
from sagan_lib import checks

#: Seeds that choose rates and decide nothing.
TUNING = (51, 52, 53)
#: Pairs of rates that are tried with all of them.
FINALISTS = 5
#: A pair of rates is good for a way if its run ends within this factor of the best of all ways.
GOOD = 1.5
#: What the pilot trains for twice as long, to find the length: each way at one rate, one slow pair.
PILOT = [*(arms.at_rates(way, 1e-3, 1e-3) for way in arms.WAYS), arms.at_rates("sn", 5e-4, 2e-3)]


def quality(run):
    """How good a run is where it has levelled off: lower is better.

    Args:
        run: a result of `arms.run`.

    Returns:
        Mean natural logarithm of the Fréchet distance over the checkpoints of the last half;
        infinite for a run that diverged.
    """
    if run["diverged"]:
        return math.inf
    last = run["curve"][-1][0]
    return float(np.mean([math.log(value) for step, value in run["curve"] if step > last / 2]))


def steps_to(run, distance):
    """How soon a run is good: the first checkpoint at or below a Fréchet distance, in steps.

    Args:
        run: a result of `arms.run`.
        distance: the Fréchet distance.

    Returns:
        The step; infinity if no checkpoint is so good.
    """
    checks.number("distance", distance, 0, open_low=True)
    return next((step for step, value in run["curve"] if value <= distance), math.inf)


def open_store(path=None):
    """The results of the trials; by default those that come with the book.

    Args:
        path: of the file, which need not exist.
    """
    return ledger.open_store(path, "fair")


def grid(way, store):
    """What a way gives at each pair of rates, with the first tuning seed.

    Args:
        way: of `arms.WAYS`.
        store: of `open_store`.

    Returns:
        Float array (rates of G, rates of D): `quality`; NaN where nothing was run yet, infinite
        where a run diverged.
    """
    found = np.full((len(arms.RATES), len(arms.RATES)), np.nan)
    for i, g_rate in enumerate(arms.RATES):
        for k, d_rate in enumerate(arms.RATES):
            runs = store.seeds("arms", arms.at_rates(way, g_rate, d_rate))
            if TUNING[0] in runs:
                found[i, k] = quality(runs[TUNING[0]])
    return found


def finalists(way, store):
    """Names of the pairs that are tried with all tuning seeds; none until the grid is whole.

    Args:
        way: of `arms.WAYS`.
        store: of `open_store`.
    """
    values = grid(way, store)
    if np.isnan(values).any():
        return []
    places = np.argsort(values, axis=None, kind="stable")[:FINALISTS]
    pairs = (np.unravel_index(place, values.shape) for place in places)
    return [arms.at_rates(way, arms.RATES[i], arms.RATES[k]) for i, k in pairs]


def best(way, store):
    """The name of a way at its own best rates: the mean quality over all tuning seeds decides.

    Args:
        way: of `arms.WAYS`.
        store: of `open_store`.

    Raises:
        ValueError: its search is not finished.
    """
    means = {}
    for name in finalists(way, store):
        runs = store.seeds("arms", name)
        if not set(TUNING) <= set(runs):
            break
        means[name] = np.mean([quality(runs[seed]) for seed in TUNING])
    if len(means) < FINALISTS:
        raise ValueError(f"the search of {way!r} is not finished: run 'trials run {way}'")
    return min(means, key=means.get)


def good_share(ways, store):
    """How much room for error each way leaves: the share of pairs of rates that are good for it.

    Args:
        ways: names of `arms.WAYS`, whose grids are whole; "good" is within `GOOD` of the best pair
            of all of these.
        store: of `open_store`.

    Returns:
        {way: share, 0 to 1}.
    """
    grids = {way: grid(way, store) for way in ways}
    if missing := [way for way, values in grids.items() if np.isnan(values).any()]:
        raise ValueError(f"ways must have whole grids, got {missing} without")
    edge = min(values.min() for values in grids.values()) + math.log(GOOD)
    return {way: float((values <= edge).mean()) for way, values in grids.items()}


def missing(ways, store):
    """What the searches of some ways still need, as far as that is known: [(name, seed)].

    Args:
        ways: names of `arms.WAYS`.
        store: of `open_store`.
    """
    wanted = []
    for way in ways:
        pairs = [arms.at_rates(way, g, d) for g in arms.RATES for d in arms.RATES]
        wanted += [(name, TUNING[0]) for name in pairs]
        wanted += [(name, seed) for seed in TUNING[1:] for name in finalists(way, store)]
    return [(name, seed) for name, seed in wanted if seed not in store.seeds("arms", name)]


def run(ways=(), jobs=None, store=None, line=""):
    """Finish the searches of some ways: the grids first, then the finalists.

    Args:
        ways: names of `arms.WAYS`; by default all.
        jobs: processes; by default one for each core.
        store: of `open_store`; by default the published one.
        line: the command, for the provenance.

    Returns:
        {way: the name of its best pair}.
    """
    ways, store = list(ways or arms.WAYS), store or open_store()
    for way in ways:
        checks.one_of("way", way, arms.WAYS)
    while todo := missing(ways, store):
        seed = min(seed for _, seed in todo)
        fill(store, [("arms", name) for name, each in todo if each == seed], [seed], jobs, line)
    return {way: best(way, store) for way in ways}


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


def plan(ways=(), store=None):
    """What the searches will take, in words.

    Args:
        ways: names of `arms.WAYS`; by default all.
        store: of `open_store`; by default the published one.
    """
    ways, store = list(ways or arms.WAYS), store or open_store()
    each = len(arms.RATES) ** 2 + FINALISTS * (len(TUNING) - 1)
    runs = [run for name in arms.TRIALS for run in store.seeds("arms", name).values()]
    text = f"{len(ways)} ways, {each} runs each of {store.protocol}; {len(runs)} runs are done"
    if not runs:
        return text
    hours = np.median([run["seconds_with_scores"] for run in runs]) / 3600
    left = len(ways) * each - len(runs)
    return f"{text}, {left} to do: about {left * hours:.1f} core-hours"


def table(ways=(), store=None):
    """The grids as text: rates of G down, of D across, Fréchet distances.

    Args:
        ways: names of `arms.WAYS`; by default all.
        store: of `open_store`; by default the published one.
    """
    ways, store, lines = list(ways or arms.WAYS), store or open_store(), []
    for way in ways:
        lines.append(f"{way:>9}" + "".join(f"{rate:9g}" for rate in arms.RATES))
        for rate, row in zip(arms.RATES, grid(way, store), strict=True):
            shown = ("-" if math.isnan(x) else f"{math.exp(x):.0f}" for x in row)
            lines.append(f"{rate:9g}" + "".join(f"{x:>9}" for x in shown))
    return "\n".join(lines)
