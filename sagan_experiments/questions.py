"""What a reader asks, as fair trials: each side at its own best rates, where its curve is level.

An answer is a sentence; its *effect* is one number for each seed, positive where the sentence is
right, and its limit the smallest difference worth naming, fixed before any of these seeds was run.
To ask something new, add an entry here.
"""

import functools
import math
from dataclasses import dataclass

from sagan_experiments import trials

#: A fifth more or less: below that, nobody should choose by it.
FIFTH = math.log(1.2)
#: Where the answer is that there is no difference: with a spread of a quarter between seeds, twenty
#: of them seldom show that it is below a fifth.
QUARTER = math.log(1.25)
#: A tenth of the way from chance to a rule that is always kept.
TENTH = 0.1
#: Half of what the hinge loss asks D to put between real and generated pictures, from 0.
HALF = 0.5
#: How good is good enough to ask how soon: a Fréchet distance.
SOON = 100


@dataclass(frozen=True)
class Question:
    """One question, and the answer that is put to the test.

    Args:
        answer: the sentence.
        chapter: that asks.
        sides: names as `trials.best` takes them: the side that the answer favours, then the other;
            one alone if it is held against itself.
        effect: function of a run of each side; how much the first is ahead.
        quantity: what that is, in words.
        limit: the smallest difference worth naming.
        same: the answer is that there is no such difference.
        ratio: the effect is a logarithm, and shown as a factor.
    """

    answer: str
    chapter: str
    sides: tuple
    effect: object
    quantity: str
    limit: float = FIFTH
    same: bool = False
    ratio: bool = True

    def compare(self, *runs):
        """The effect of one seed: infinite where one of two runs diverged, 0 where all did.

        Args:
            runs: a result of `arms.run` for each side.
        """
        gone = [run["diverged"] for run in runs]
        if all(gone):
            return 0.0
        if any(gone):
            return -math.inf if gone[0] else math.inf
        return self.effect(*runs)


def _better(first, second):
    return trials.quality(second) - trials.quality(first)


def _sooner(first, second):
    """A run that never comes there counts as if it had at twice its length."""
    reached = []
    for run in (first, second):
        reached.append(min(trials.steps_to(run, SOON), 2 * run["curve"][-1][0]))
    return math.log(reached[1] / reached[0])


def _curve(name, first, second):
    return trials.late(first[name]) - trials.late(second[name])


def _within(worse, run):
    return math.log(run[worse] / run["frechet"])


def _more(name, first, second):
    return first[name] - second[name]


def _less(name, first, second):
    return _more(name, second, first)


def _log_curve(name, first, second):
    return trials.late(first[name], math.log) - trials.late(second[name], math.log)


def _by_heart(answer, name, quantity, limit, *sides):
    return Question(
        answer, _FEW, sides, functools.partial(_less, name), quantity, limit, ratio=False
    )


def _good(answer, chapter, *sides, **options):
    quantity = "Fréchet distance over the last half, second over first"
    return Question(answer, chapter, sides, _better, quantity, **options)


def _fast(answer, chapter, *sides):
    quantity = f"steps to a Fréchet distance of {SOON}, second over first"
    return Question(answer, chapter, sides, _sooner, quantity)


def _agree(answer, chapter, *sides):
    quantity = "agreement beyond chance over the last half, first less second"
    effect = functools.partial(_curve, "agreement_curve")
    return Question(answer, chapter, sides, effect, quantity, TENTH, ratio=False)


def _one(answer, chapter, side, worse, quantity, **options):
    return Question(
        answer, chapter, (side,), functools.partial(_within, worse), quantity, **options
    )


_DCGAN, _SN, _ATT, _TTUR, _AFTER, _LABEL, _FEW = (
    "01_dcgan", "02_spectral_norm", "03_attention", "04_ttur", "06_penalties", "07_conditional",
    "08_few_pictures",
)  # fmt: skip

#: In the order in which readers ask: what is asked first is run first.
QUESTIONS = {
    # Which way?
    "sn-dcgan": _good("A GAN with spectral normalization ends better than DCGAN.",
                      _SN, "sn", "dcgan"),
    "dcgan-soon": _fast("DCGAN is good sooner than a GAN with spectral normalization.",
                        _SN, "dcgan", "sn"),
    "sn-none": _good("Spectral normalization ends better than no constraint on D.",
                     _SN, "sn", "none"),
    "sn-r1": _good("R1 ends better than spectral normalization.", _AFTER, "r1", "sn"),
    "r1-soon": _fast("R1 is good sooner than spectral normalization.", _AFTER, "r1", "sn"),
    "averaging": _one("The averaged generator is better than the last one.", _TTUR, "sn", "live",
                      "Fréchet distance at the end, last generator over averaged"),
    "averaging-dcgan": _one("It is so in DCGAN too.", _TTUR, "dcgan", "live",
                            "Fréchet distance at the end, last generator over averaged"),
    "raw-inference": _one("Kernels must be divided when pictures are drawn, too.", _SN, "sn", "raw",
                          "Fréchet distance at the end, raw kernels over divided"),
    # Two time scales
    "ttur": _good("A D that learns four times as fast as G ends better than equal rates.",
                  _TTUR, "sn:4", "sn:1"),
    "ttur-soon": _fast("A D that learns four times as fast as G is good sooner than equal rates.",
                       _TTUR, "sn:4", "sn:1"),
    "ttur-turned": _good("A D that learns four times as slowly as G ends worse than equal rates.",
                         _TTUR, "sn:1", "sn:0.25"),
    # Attention
    "attention-far": _agree("Attention in both networks lets two places keep a rule that is "
                            "further apart than D's convolutions reach.",
                            _ATT, "r1_discs22_att8", "r1_discs22"),
    "attention-faces": _good("Attention makes better faces.", _ATT, "sn_att16", "sn"),
    "attention-eyes": _agree("Attention makes the eyes of a face agree.", _ATT, "sn_att16", "sn"),
    "attention-d": _agree("For the far rule attention in D alone is enough to help.",
                          _ATT, "r1_discs22_att8_d", "r1_discs22"),
    "attention-g": _agree("For the far rule attention in G alone is enough to help.",
                          _ATT, "r1_discs22_att8_g", "r1_discs22"),
    "attention-sn": _agree("Attention keeps the far rule with spectral normalization as well.",
                           _ATT, "sn_discs22_att8", "sn_discs22"),
    # What the two recipes are made of
    "bn": _good("Batch normalization makes a better DCGAN.", _DCGAN, "dcgan", "dcgan_no_bn"),
    "sn-d": _good("Spectral normalization in D alone ends better than none.", _SN, "sn_d", "none"),
    "sn-g": _good("Spectral normalization in G as well ends better than in D alone.",
                  _SN, "sn", "sn_d"),
    "hinge": _good("Hinge loss and cross-entropy end alike under spectral normalization.",
                   _SN, "sn", "sn_bce", limit=QUARTER, same=True),
    "scrambled": _good("The right matrix of a kernel ends better than a scrambled one.",
                       _SN, "sn", "sn_scrambled"),
    "momentum": _good("A momentum of 0.5 makes a better DCGAN than 0.9.",
                      _DCGAN, "dcgan", "dcgan_momentum"),
    "strides": _good("Strides in D make a better DCGAN than pooling.",
                     _DCGAN, "dcgan", "dcgan_pooling"),
    # Few pictures
    "few": _good("A GAN ends worse with 100 pictures than with all.", _FEW, "sn", "sn_100"),
    "few-100": _good("With 100 pictures, changing what D is shown makes a GAN end better.",
                     _FEW, "sn_100_aug", "sn_100"),
    "few-long": _good("With 100 pictures and twice the training such changes make a GAN end "
                      "better.", _FEW, "sn_100_aug_long", "sn_100_long"),
    "few-all": _good("With all pictures a GAN ends better without such changes.",
                     _FEW, "sn", "sn_aug"),
    "few-gap": _by_heart("With 100 pictures such changes keep D from knowing them by heart.",
                         "d_gap", "D's gap at the end, second less first", HALF,
                         "sn_100_aug", "sn_100"),
    "few-copies": _by_heart("With 100 pictures such changes leave fewer copies among the samples.",
                            "copies", "share of copies, second less first", TENTH,
                            "sn_100_aug", "sn_100"),
    "few-continue": _good("With 100 pictures of a new kind, going on from a GAN of other kinds "
                          "ends better than beginning anew.",
                          _FEW, "sn_red_100_on", "sn_red_100"),
    "few-freeze": _good("With 100 pictures of a new kind, going on ends better where D's first two "
                        "layers stay as they are.", _FEW, "sn_red_100_frozen", "sn_red_100_on"),
    # Labels
    "label": _good("A GAN that is told the hair ends better.", _LABEL, "sn_hair", "sn"),
    "label-variety": Question("With a label as many combinations appear as without.", _LABEL,
                              ("sn_hair", "sn"), functools.partial(_log_curve, "coverage_curve"),
                              "combinations over the last half, first over second",
                              limit=QUARTER, same=True),
    "label-projection": _good("A projection ends better than a label beside the colours.",
                              _LABEL, "sn_hair", "sn_hair_concatenate"),
    "label-obeyed": Question("A projection is obeyed more than a label beside the colours.", _LABEL,
                             ("sn_hair", "sn_hair_concatenate"), functools.partial(_more, "obeyed"),
                             "share of faces with the hair asked for, first less second", TENTH,
                             ratio=False),
    "label-normalization": _good("Conditional batch normalization ends better than a label joined "
                                 "to the noise.", _LABEL, "sn_hair", "sn_hair_join"),
    "label-attention": _good("With a label attention makes better faces.",
                             _LABEL, "sn_hair_att16", "sn_hair"),
    "label-ttur": _good("With a label a D that learns four times as fast as G ends better than "
                        "equal rates.", _LABEL, "sn_hair:4", "sn_hair:1"),
    # What came after, and what else a reader sets
    "r3gan": _good("Relativistic pairs with R1 and R2 end better than cross-entropy with R1.",
                   _AFTER, "r3gan", "r1"),
    "five-to-one": _good("One D step with a fast D is better than five for each G step, at equal "
                         "work.", _TTUR, "sn", "sn_five_to_one"),
}  # fmt: skip
