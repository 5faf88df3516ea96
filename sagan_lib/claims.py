"""The ledger: what the article says about training, as experiments with verdicts by rule.

A claim is one number for each seed, its *effect*, and a limit: the smallest effect worth naming,
fixed before the seeds were run. The verdict follows from the effects' mean and its 95 % interval
(Student's t, over seeds): the whole interval beyond the limit, "holds"; the whole of it short of
the limit, "does not hold here"; else "undecided". Nobody chooses a verdict.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from sagan_lib import checks, shipped, sweep
from sagan_lib.measures import MEASURES

VERDICTS = ("holds", "does not hold here", "undecided")
TENTH = math.log(1.1)  # a tenth more or less


@dataclass(frozen=True)
class Claim:
    """One statement.

    `arms` are those of `sweep` that it needs, `measure` names one of `measures` instead;
    `effect` makes a number of the arms' results for a seed, by default the log of the second's
    Fréchet distance over the first's. `below`: the claim is that the effect stays short of the
    limit. `ratio`: the effect is a logarithm, and shown as a factor. `fast`: cheap enough that
    every `make test` measures it again.
    """

    says: str
    where: str
    chapter: str
    quantity: str
    limit: float
    arms: tuple = ()
    measure: str = ""
    effect: object = None
    below: bool = False
    ratio: bool = True
    fast: bool = False


def _log_ratio(name="frechet"):
    return lambda better, worse: math.log(worse[name] / better[name])


def _number(name):
    return lambda arm: arm[name]


def _more(name):
    return lambda better, worse: better[name] - worse[name]


def _reach(far, plain_far, near, plain_near):
    return (far["agreement"] - plain_far["agreement"]) - (
        near["agreement"] - plain_near["agreement"]
    )


def _interaction(fast, slow, plain_fast, plain_slow):
    return _log_ratio()(fast, slow) - _log_ratio()(plain_fast, plain_slow)


def _trained(says, where, chapter, arms, quantity="Fréchet distance, {1} over {0}", **options):
    options = {"limit": TENTH, "effect": _log_ratio()} | options
    return Claim(says, where, chapter, quantity.format(*arms), arms=arms, **options)


def _measured(says, where, chapter, name, quantity, limit, **options):
    return Claim(says, where, chapter, quantity, limit, measure=name, **{"fast": True} | options)


_DCGAN, _SN, _ATT, _TTUR = "01_dcgan", "02_spectral_norm", "03_attention", "04_ttur"
_CONV, _SNTEXT, _SNCODE = "Convolutional GAN", "Spectral normalization", "SN, implementation"
_ATTTEXT, _ATTCODE = "Self-attention GAN", "Self-attention, implementation"
_NOTES = "Implementation notes"

CLAIMS = {
    # Chapter 1
    "bn-signal": _measured(
        "Batch normalization repairs poor initialization: more of D's gradient arrives at its "
        "input at the start.", _CONV, _DCGAN, "bn_gradient",
        "gradient at the images, with over without", math.log(2)),
    "bn-quality": _trained(
        "Batch normalization is crucial for deeper models to work.", _CONV, _DCGAN,
        ("dcgan", "dcgan_no_bn")),
    "bn-collapse": _trained(
        "Batch normalization prevents mode collapse.", _CONV, _DCGAN, ("dcgan", "dcgan_no_bn"),
        "combinations of attributes, {0} less {1}", limit=10, ratio=False,
        effect=_more("coverage")),
    "leaky-signal": _measured(
        "Leaky ReLU lets a stronger gradient flow from D into G than ReLU (slope 0.2, no BN).",
        _CONV, _DCGAN, "leaky_gradient_02", "gradient at the images, leaky over ReLU",
        math.log(1.05)),
    "leaky-signal-002": _measured(
        "The same with the slope that the article's text names, 0.02.", _NOTES, _DCGAN,
        "leaky_gradient_002", "gradient at the images, leaky over ReLU", math.log(1.05)),
    "leaky-signal-bn": _measured(
        "Leaky ReLU does so next to batch normalization, as in DCGAN's D.", _CONV, _DCGAN,
        "leaky_gradient_bn", "gradient at the images, leaky over ReLU", math.log(1.05)),
    "leaky-quality": _trained(
        "Leaky ReLU in D makes a better GAN than ReLU.", _CONV, _DCGAN, ("dcgan", "dcgan_relu")),
    "slope": _trained(
        "The slope matters: 0.2 does better than the text's 0.02.", _NOTES, _DCGAN,
        ("dcgan", "dcgan_slope002")),
    "hinge": _trained(
        "The hinge loss is the one to take: it does better than binary cross-entropy.", _NOTES,
        _DCGAN, ("base", "bce")),
    "unscaled": _trained(
        "D's output under the hinge loss is no probability: most scores lie outside 0 to 1.",
        _NOTES, _DCGAN, ("base",), "share of D's scores outside 0 to 1", limit=0.5, ratio=False,
        effect=_number("outside")),
    "ema": _trained(
        "The averaged generator is better than the last one.", "not in the article", _DCGAN,
        ("base",), "Fréchet distance, last generator over averaged",
        effect=lambda a: math.log(a["live"] / a["frechet"])),
    # Chapter 2
    "sn-slope": _trained(
        "SN constrains D's slope.", _SNTEXT, _SN, ("base", "sn_none"),
        "largest gradient of D's score, {1} over {0}", limit=math.log(2),
        effect=_log_ratio("steepness")),
    "sn-d": _trained(
        "SN in D stabilizes training, very effectively.", _SNTEXT, _SN, ("sn_d", "sn_none")),
    "sn-g": _trained(
        "SN in G helps as well.", _SNTEXT, _SN, ("base", "sn_d")),
    "one-round": _measured(
        "One round of power iteration a step gives a very good estimate, because u is kept.",
        _SNCODE, _SN, "one_round_kept", "median relative error of sigma", 0.1, below=True,
        ratio=False),
    "kept-u": _measured(
        "It is the kept u that makes it good.", _SNCODE, _SN, "one_round_fresh",
        "error of sigma, fresh u over kept u", math.log(2)),
    "more-rounds": _trained(
        "One round is enough: five do not train better.", _SNCODE, _SN, ("rounds5", "base"),
        below=True),
    "fresh-u": _trained(
        "A u that never moves trains worse.", _SNCODE, _SN, ("base", "fresh_u")),
    "svd-dear": _measured(
        "A full SVD in every step is too dear.", _SNCODE, _SN, "svd_cost",
        "time of an SVD over that of one round", math.log(10), fast=False),  # a busy machine lies
    "l2": _measured(
        "Power iteration computes an l2 norm: no, a kernel's l2 norm is far from sigma.", _SNCODE,
        _SN, "frobenius", "l2 norm over sigma", math.log(2)),
    "operator": _measured(
        "SN does not bound the convolution itself: its own norm is larger than sigma.", _SNTEXT,
        _SN, "operator_norm", "norm of the operator over sigma", math.log(1.2)),
    "scrambled-sigma": _measured(
        "The reshape without a transpose misses sigma where one direction dominates.", _SNCODE,
        _SN, "scrambled_sigma", "sigma over the scrambled matrix's", math.log(1.2)),
    "scrambled": _trained(
        "The reshape without a transpose trains worse.", _SNCODE, _SN, ("base", "scrambled")),
    "raw-inference": _trained(
        "Raw kernels at inference draw worse pictures.", _SNCODE, _SN, ("base",),
        "Fréchet distance, raw kernels over divided",
        effect=lambda a: math.log(a["raw"] / a["frechet"])),
    "leaky-gradient": _trained(
        "Gradients through u and v train worse.", _SNCODE, _SN, ("base", "leaky_gradient")),
    "plain-dense": _trained(
        "Dense layers without SN train worse.", _NOTES, _SN, ("base", "plain_dense")),
    # Chapter 3
    "gamma-start": _measured(
        "At the start gamma switches attention off.", _ATTCODE, _ATT, "gamma_start",
        "largest change made by the untrained layer", 1e-6, below=True, ratio=False),
    "gamma-grows": _trained(
        "Gamma then lets non-local signals pass.", _ATTCODE, _ATT, ("attention16",),
        "size of G's gamma at the end", limit=0.02, ratio=False,
        effect=lambda a: abs(a["g_gamma"])),
    "copy-convolutions": _measured(
        "Convolutions cannot carry a fact further than their reach.", _ATTTEXT, _ATT,
        "copy_convolutions", "accuracy above chance, 4 layers, 10 pixels", 0.1, below=True,
        ratio=False, fast=False),
    "copy-attention": _measured(
        "One attention layer can.", _ATTTEXT, _ATT, "copy_attention",
        "accuracy, attention less convolutions", 0.3, ratio=False, fast=False),
    "attention-eyes": _trained(
        "Attention makes distant details agree.", _ATTTEXT, _ATT, ("attention16", "rates_text"),
        "agreement of both eyes beyond chance, {0} less {1}", limit=0.05, ratio=False,
        effect=_more("eye_agreement")),
    "attention-quality": _trained(
        "Attention makes better pictures.", _ATTTEXT, _ATT, ("attention16", "rates_text")),
    "attention-long": _trained(
        "Attention makes better pictures after four times the training.", _ATTTEXT, _ATT,
        ("attention16_long", "long")),
    "attention-long-eyes": _trained(
        "Attention makes distant details agree after four times the training.", _ATTTEXT, _ATT,
        ("attention16_long", "long"), "agreement of both eyes beyond chance, {0} less {1}",
        limit=0.05, ratio=False, effect=_more("eye_agreement")),
    "attention-large": _trained(
        "Attention at 32x32 makes better pictures of 64 pixels.", _ATTTEXT, _ATT,
        ("large_pooled32", "large")),
    "attention-large-eyes": _trained(
        "Attention at 32x32 makes distant details agree in pictures of 64 pixels.", _ATTTEXT,
        _ATT, ("large_pooled32", "large"), "agreement of both eyes beyond chance, {0} less {1}",
        limit=0.05, ratio=False, effect=_more("eye_agreement")),
    "far-is-hard": _trained(
        "A convolutional GAN keeps a rule between near places better than between far ones.",
        _ATTTEXT, _ATT, ("pairs_near", "pairs_far"),
        "agreement of two discs beyond chance, {0} less {1}", limit=0.05, ratio=False,
        effect=_more("agreement")),
    "attention-far": _trained(
        "Where a rule over a distance is all there is to learn, attention helps to keep it.",
        _ATTTEXT, _ATT, ("pairs_far_attention", "pairs_far"),
        "agreement of two far discs beyond chance, {0} less {1}", limit=0.05, ratio=False,
        effect=_more("agreement")),
    "attention-reach": _trained(
        "Attention helps a far rule more than a near one.", _ATTTEXT, _ATT,
        ("pairs_far_attention", "pairs_far", "pairs_near_attention", "pairs_near"),
        "gain in agreement, far discs less near ones", limit=0.05, ratio=False, effect=_reach),
    "placement": _trained(
        "Middle to high feature maps are the place: 16x16 does better than 8x8.", _NOTES, _ATT,
        ("attention16", "attention8")),
    "pooled": _trained(
        "Pooling keys and values, as the authors of SAGAN do, costs no quality.", _ATTCODE, _ATT,
        ("attention16", "pooled16"), below=True),
    "frozen-error": _measured(
        "A u that never moves misses sigma in attention's convolutions.", _ATTCODE, _ATT,
        "frozen_error", "median relative error of sigma", 0.1, ratio=False),
    "frozen-attention": _trained(
        "A u that never moves in attention's convolutions trains worse.", _ATTCODE, _ATT,
        ("attention16", "attention16_frozen")),
    # Chapter 4
    "ttur": _trained(
        "Two time scales do better than equal rates.", _SNTEXT, _TTUR, ("base", "ratio1")),
    "ttur-needs-sn": _trained(
        "It is the normalized D that learns slowly: two time scales gain more with SN than "
        "without.", _SNTEXT, _TTUR, ("base", "ratio1", "sn_none", "none_ratio1"),
        "gain of two time scales, with SN over without", effect=_interaction),
    "five-to-one": _trained(
        "Two time scales do better than five D steps for each G step, at equal work.", _SNTEXT,
        _TTUR, ("base", "five_to_one")),
    "ratio-2": _trained(
        "A ratio of 4 does better than 2.", _SNTEXT, _TTUR, ("base", "ratio2")),
    "ratio-8": _trained(
        "A ratio of 4 does better than 8.", _SNTEXT, _TTUR, ("base", "ratio8")),
    "printed-rates": _trained(
        "The rates as printed, ten times those of the code, train worse.", _SNTEXT, _TTUR,
        ("rates_code", "rates_text")),
    "one-forward": _trained(
        "One forward pass for both players trains worse than alternation.", _NOTES, _TTUR,
        ("base", "one_forward")),
    "one-forward-differs": _measured(
        "One forward pass for both players is another algorithm than alternation.", _NOTES, _TTUR,
        "same_images", "largest difference in G's weights after one step", 1e-6, ratio=False),
    "double-count": _measured(
        "A step counter that both optimizers advance counts each step twice.", "the linked code",
        _TTUR, "double_count", "share of counted steps that are G's", 0.55, below=True,
        ratio=False),
    "short-shuffle-colours": _measured(
        "A short shuffle buffer on a sorted file hides most of it from a batch.",
        "the linked code", _TTUR, "short_shuffle_spread",
        "of ten colours, how many the first batch misses", 5, ratio=False),
    "short-shuffle": _trained(
        "A short shuffle buffer on a sorted file trains worse.", "the linked code", _TTUR,
        ("sorted", "short_shuffle")),
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What a claim's seeds say: mean effect, 95 % interval, median, verdict."""

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
    """The verdict that an interval gives: one of `VERDICTS`."""
    beyond, short = low > claim.limit, high < claim.limit
    if claim.below:
        beyond, short = short, beyond
    return VERDICTS[0] if beyond else VERDICTS[1] if short else VERDICTS[2]


def judge(claim, values):
    """A `Result` from {seed: effect}; with fewer than three seeds it is undecided."""
    effects = np.array(list(values.values()), float)
    if len(effects) < 3:
        mean = float(effects.mean()) if len(effects) else math.nan
        return Result(claim, values, mean, -math.inf, math.inf, VERDICTS[2])
    half = stats.t.ppf(0.975, len(effects) - 1) * effects.std(ddof=1) / math.sqrt(len(effects))
    low, high = float(effects.mean() - half), float(effects.mean() + half)
    return Result(claim, values, float(effects.mean()), low, high, verdict(claim, low, high))


def effects(name, store):
    """{seed: effect} of a claim, over the seeds for which the store has all that it needs."""
    claim = CLAIMS[checks.one_of("claim", name, CLAIMS)]
    if claim.measure:
        return store.seeds("measures", claim.measure)
    runs = [store.seeds("runs", arm) for arm in claim.arms]
    seeds = sorted(set(runs[0]).intersection(*runs[1:]))
    return {seed: claim.effect(*(run[seed] for run in runs)) for seed in seeds}


def of_chapter(chapter, store=None):
    """{name: `Result`} of the claims that a chapter shows."""
    store = store or published()
    found = {name: result(name, store) for name, c in CLAIMS.items() if c.chapter == chapter}
    if not found:
        raise ValueError(f"no claim belongs to chapter {chapter!r}")
    return found


def result(name, store=None):
    """The `Result` of a claim from the published results, or from another store."""
    return judge(CLAIMS[checks.one_of("claim", name, CLAIMS)], effects(name, store or published()))


def results_path(scale="cpu"):
    """Where the results of a scale of `sweep.SCALES` are kept."""
    checks.one_of("scale", scale, sweep.SCALES)
    return shipped.folder() / "results" / f"claims_{scale}.json"


def published():
    """The results that come with the book."""
    return open_store()


def open_store(path=None, scale="cpu"):
    """The results in a file, which need not exist yet; by default those of the book."""
    path = Path(path) if path else results_path(scale)
    return sweep.Store(path, sweep.SCALES[checks.one_of("scale", scale, sweep.SCALES)])


def needs(names):
    """What these claims need, each thing once: a list of (kind, name)."""
    wanted = []
    for name in names:
        claim = CLAIMS[checks.one_of("claim", name, CLAIMS)]
        parts = [("runs", a) for a in claim.arms] or [("measures", claim.measure)]
        wanted += [part for part in parts if part not in wanted]
    return wanted


def run(names=None, seeds=5, jobs=None, store=None, line=""):
    """Compute what the named claims (by default all) still lack; returns {name: Result}."""
    checks.integer("seeds", seeds, 1)
    names, store = list(names or CLAIMS), store or published()
    sweep.fill(store, needs(names), seeds, jobs, line)
    return {name: result(name, store) for name in names}


class FlippedError(RuntimeError):
    """A claim that was measured again has another verdict than the published one."""


def recheck(names=None, seeds=5, store=None):
    """Measure the fast claims again and hold their verdicts against the published ones.

    Raises:
        FlippedError: naming every claim whose verdict is another one, with both results.
    """
    store = store or published()
    flipped = []
    for name in names or [name for name, claim in CLAIMS.items() if claim.fast]:
        if not CLAIMS[checks.one_of("claim", name, CLAIMS)].measure:
            raise ValueError(f"claim {name} needs training runs; 'claims run' computes those")
        claim, before = CLAIMS[name], result(name, store)
        now = judge(claim, {seed: MEASURES[claim.measure](seed) for seed in range(seeds)})
        if now.verdict != before.verdict:
            flipped.append(f"{name}: was {before.verdict!r} at {before}, now {now.verdict!r} {now}")
    if flipped:
        raise FlippedError("; ".join(flipped))


def table(store=None, names=()):
    """One line a claim for the terminal: name, verdict, effect."""
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
