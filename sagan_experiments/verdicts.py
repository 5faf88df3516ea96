"""Verdicts of fair trials, by rule; `questions` says what is asked.

Seeds 1 to 5 are the first look. If that leaves a question open, seeds 1 to 10 are the second, and
seeds 1 to 20 the last. Each look takes the mean of the effects and its 98.3 % interval (Student's
t, over seeds), so that all three together miss a true mean in at most 5 % of the questions. A
bootstrap and a sign test look at the same effects, and do not vote.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from sagan_experiments import trials
from sagan_experiments.ledger import interval
from sagan_experiments.questions import QUESTIONS
from sagan_experiments.store import fill
from sagan_experiments.ways import WAYS
from sagan_lib import checks

HOLDS, OPPOSITE, SAME, FAILS, OPEN = VERDICTS = (
    "holds", "the opposite holds", "no difference worth naming", "does not hold", "undecided",
)  # fmt: skip
#: The seeds of each look.
LOOKS = range(1, 6), range(1, 11), range(1, 21)
#: How sure each look's interval is.
CONFIDENCE = 1 - 0.05 / len(LOOKS)
#: A sign test with a larger chance than this is not sure. Five equal signs have 0.0625.
UNSURE = 0.1


@dataclass(frozen=True)
class Answer:
    """What the seeds say to a question.

    Args:
        question: a `questions.Question`.
        trials: names of the trials that were compared.
        values: {seed: effect} of those that count.
        mean: of the effects.
        low: end of the interval of the mean.
        high: its other end.
        verdict: of `VERDICTS`; for a question whose answer is that there is no difference, `HOLDS`
            in place of `SAME`.
    """

    question: object
    trials: tuple
    values: dict
    mean: float
    low: float
    high: float
    verdict: str

    def shown(self, value):
        """An effect as readers see it: a factor if it is a logarithm."""
        if not self.question.ratio:
            return f"{value:.2f}"
        factor = math.exp(value)
        return f"{factor:.2f}x" if factor < 10 else f"{factor:,.0f}x"

    def bootstrap(self, draws=10_000):
        """(low, high) of the mean by drawing seeds anew: percentiles of as sure an interval."""
        effects, rng = np.array(list(self.values.values())), np.random.default_rng(0)
        means = rng.choice(effects, (draws, len(effects))).mean(1)
        return tuple(np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))

    def sign_test(self):
        """Chance of so unequal signs of the effects, or more so, if both were as likely."""
        signs = np.sign(list(self.values.values()))
        plus, minus = int((signs > 0).sum()), int((signs < 0).sum())
        return float(stats.binomtest(plus, plus + minus).pvalue) if plus + minus else 1.0

    def doubts(self):
        """Where a check sees it otherwise: a list of sentences, mostly empty."""
        if self.verdict == OPEN or not self.whole:
            return []
        found = []
        if (other := verdict(self.question, *self.bootstrap())) != self.verdict:
            found.append(f"a bootstrap says: {other}")
        moved = self.low > 0 or self.high < 0
        if moved and self.verdict in (HOLDS, OPPOSITE) and self.sign_test() > UNSURE:
            found.append(f"a sign test is not sure (p = {self.sign_test():.2f})")
        return found

    @property
    def open(self):
        """Whether a later look may say more; not after a divergence, which stays in all looks."""
        gone = any(map(math.isinf, self.values.values()))
        return self.verdict in (OPEN, FAILS) and not gone

    @property
    def whole(self):
        """Whether all seeds of a look are there."""
        return len(self.values) >= len(LOOKS[0])

    def __str__(self):
        if not self.whole:
            return "not run"
        if gone := sum(map(math.isinf, self.values.values())):
            return f"one side diverged in {gone} of {len(self.values)} seeds"
        bounds = f"{self.shown(self.low)} to {self.shown(self.high)}"
        return f"{self.shown(self.mean)} ({bounds}; n = {len(self.values)})"


def verdict(question, low, high):
    """The verdict that an interval gives: one of `VERDICTS`.

    Args:
        question: a `questions.Question`.
        low: end of the interval.
        high: its other end.
    """
    limit = question.limit
    if -limit < low and high < limit:
        return HOLDS if question.same else SAME
    if question.same:  # a difference either way is the opposite of none
        return OPPOSITE if low > limit or high < -limit else OPEN
    if low > limit:
        return HOLDS
    if high < -limit:
        return OPPOSITE
    return FAILS if high < limit else OPEN


def decide(question, names, values):
    """The `Answer` that effects give: of the first look, or of a later one where that is needed.

    Args:
        question: a `questions.Question`.
        names: of the trials.
        values: {seed: effect}.

    Raises:
        ValueError: an effect is NaN.
    """
    for seed, value in values.items():
        if math.isnan(value):
            raise ValueError(f"effect of seed {seed} must be a number, got {value}")
    found = _look(question, names, {s: values[s] for s in LOOKS[0] if s in values})
    for seeds in LOOKS[1:]:
        if not found.open or not set(seeds) <= set(values):
            break
        found = _look(question, names, {s: values[s] for s in seeds})
    return found


def _look(question, names, values):
    effects = np.array(list(values.values()))
    if len(effects) < len(LOOKS[0]):
        return Answer(question, names, values, math.nan, -math.inf, math.inf, OPEN)
    mean, low, high = float(effects.mean()), -math.inf, math.inf
    if np.isfinite(effects).all():  # a run that diverged leaves no interval
        mean, low, high = interval(effects, CONFIDENCE)
    return Answer(question, names, values, mean, low, high, verdict(question, low, high))


def answer(name, store=None):
    """The `Answer` to a question.

    Args:
        name: of `questions.QUESTIONS`.
        store: of `trials.open_store`; by default the published one.

    Raises:
        ValueError: a side's search for rates is not finished.
    """
    question, store = _question(name), store or trials.open_store()
    names = tuple(trials.best(side, store) for side in question.sides)
    stored = [store.seeds("arms", each) for each in names]
    seeds = sorted(set(LOOKS[-1]).intersection(*stored))
    return decide(question, names, {s: question.compare(*(e[s] for e in stored)) for s in seeds})


def first_look(store=None):
    """What decides first about each way: its runs at its own best rates.

    Args:
        store: of `trials.open_store`; by default the published one.

    Returns:
        {way: a result of `arms.run` for each seed of the first look}.

    Raises:
        ValueError: a way's search is not finished, or a seed is missing.
    """
    store, found = store or trials.open_store(), {}
    for way in WAYS:
        name = trials.best(way, store)
        runs = store.seeds("arms", name)
        if missing := [seed for seed in LOOKS[0] if seed not in runs]:
            raise ValueError(f"{name!r} was not run with seeds {missing}")
        found[way] = [runs[seed] for seed in LOOKS[0]]
    return found


def ends(store=None):
    """Where each way ends at its own best rates, over the seeds of the first look.

    Args:
        store: of `trials.open_store`; by default the published one.

    Returns:
        {way: Fréchet distance over the last half, a geometric mean}.

    Raises:
        ValueError: as `first_look`.
    """
    return {way: math.exp(np.mean([trials.quality(run) for run in runs]))
            for way, runs in first_look(store).items()}  # fmt: skip


def _question(name):
    return QUESTIONS[checks.one_of("question", name, QUESTIONS)]


def run(names=(), jobs=None, store=None, line="", looks=3):
    """Answer questions side by side: their searches, the first look of all, others where needed.

    Args:
        names: of the questions; by default all, in the order of `QUESTIONS`.
        jobs: processes; by default one for each core.
        store: of `trials.open_store`; by default the published one.
        line: the command, for the provenance.
        looks: how many there may be at most.

    Returns:
        {name: `Answer`}.
    """
    store, names = store or trials.open_store(), list(names or QUESTIONS)
    checks.integer("looks", looks, 1, len(LOOKS))
    sides = {name: _question(name).sides for name in names}
    trials.run([side for each in sides.values() for side in each], jobs, store, line)
    for seeds in LOOKS[:looks]:
        still = [n for n in names if seeds is LOOKS[0] or answer(n, store).open]
        wanted = dict.fromkeys(trials.best(side, store) for n in still for side in sides[n])
        if not wanted:
            break
        fill(store, [("arms", name) for name in wanted], seeds, jobs, line)
    return {name: answer(name, store) for name in names}


def table(names=(), store=None):
    """One line a question for the terminal: name, verdict, effect, answer.

    Args:
        names: of the questions; by default all.
        store: of `trials.open_store`; by default the published one.
    """
    lines, store = [], store or trials.open_store()
    for name in names or QUESTIONS:
        question = _question(name)
        try:
            found = answer(name, store)
            shown = found.verdict if found.values else "not run"
            told = "".join(f"; {doubt}" for doubt in found.doubts())
            lines.append(f"{name:20} {shown:27} {found}{told}; {question.answer}")
        except ValueError:
            lines.append(f"{name:20} {'rates not chosen yet':27} {question.answer}")
    return "\n".join(lines)
