"""The table of claims: what the article says about training, as experiments.

A claim is one number for each seed, its *effect*, and a limit: the smallest effect worth naming,
fixed before the seeds were run. `ledger` makes the verdict. To add a claim, add an entry here.
"""

import math
from dataclasses import dataclass

TENTH = math.log(1.1)  # a tenth more or less

#: The chapters that have claims, and their titles; in the order of the book.
CHAPTERS = {
    "01_dcgan": "DCGAN", "02_spectral_norm": "Spectral normalization",
    "03_attention": "Self-attention", "04_ttur": "Two time scales",
    "06_penalties": "What came after",
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One statement.

    Args:
        says: the statement.
        where: it stands in the article.
        chapter: that shows it, of `CHAPTERS`.
        quantity: what the effect is, in words.
        limit: the smallest effect worth naming.
        arms: those of `arms.ARMS` that it needs.
        measure: one of `measures.MEASURES` instead.
        effect: function of the arms' results for a seed, in their order, that gives a number; or
            of the measure, if it is not the effect itself.
        below: the claim is that the effect stays short of the limit.
        ratio: the effect is a logarithm, and shown as a factor.
        unit: of what is shown then; "" for an error, whose logarithm is averaged too.
        fast: cheap enough that every `make test` measures it again.
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
    unit: str = "x"
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


def _share_of_good(runs, best):
    """Share of runs that come within twice the best Fréchet distance; one that diverged does not.

    That a run blew up is thereby counted, and not dropped.
    """
    good = [not run["diverged"] and run["frechet"] <= 2 * best for run in runs]
    return sum(good) / len(good)


def _more_settings(*runs):
    """Share of the settings that train well, first constraint less second: A to F of each."""
    half = len(runs) // 2
    best = min((run["frechet"] for run in runs if not run["diverged"]), default=0.0)
    return _share_of_good(runs[:half], best) - _share_of_good(runs[half:], best)


def _trained(says, where, chapter, arms, quantity="Fréchet distance, {1} over {0}", **options):
    options = {"limit": TENTH, "effect": _log_ratio()} | options
    return Claim(says, where, chapter, quantity.format(*arms), arms=arms, **options)


def _robust(says, where, chapter, first, second):
    arms = tuple(f"{name}_setting_{setting}" for name in (first, second) for setting in "abcdef")
    quantity = f"share of six settings within twice the best of both, {first} less {second}"
    return _trained(says, where, chapter, arms, quantity, limit=1 / 6, effect=_more_settings,
                    ratio=False)  # fmt: skip


def _measured(says, where, chapter, name, quantity, limit, **options):
    return Claim(says, where, chapter, quantity, limit, measure=name, **{"fast": True} | options)


_DCGAN, _SN, _ATT, _TTUR, _AFTER = CHAPTERS
_CONV, _SNTEXT, _SNCODE = "Convolutional GAN", "Spectral normalization", "SN, implementation"
_ATTTEXT, _ATTCODE = "Self-attention GAN", "Self-attention, implementation"
_NOTES, _LATER = "Implementation notes", "not in the article"


def _patched(says, *arms):
    """Attention where D sees patches. Agreement wanders, so the later half of a run counts."""
    quantity = "agreement beyond chance, mean of the later half, {0} less {1}"
    return _trained(says, _ATTTEXT, _ATT, arms, quantity, limit=0.05, ratio=False,
                    effect=_more("late_agreement"))  # fmt: skip


CLAIMS = {
    # Chapter 1
    "bn-signal": _measured(
        "Batch normalization repairs poor initialization: more of D's gradient arrives at its "
        "input at the start.", _CONV, _DCGAN, "bn_gradient",
        "gradient at the images, with over without", math.log(2)),
    "bn-quality": _trained(
        "Batch normalization is crucial for deeper models to work.", _CONV, _DCGAN,
        ("dcgan", "dcgan_no_bn")),
    "bn-variety": _trained(
        "More combinations of attributes appear with batch normalization than without.", _CONV,
        _DCGAN, ("dcgan", "dcgan_no_bn"), "combinations of attributes, {0} less {1}", limit=10,
        ratio=False, effect=_more("coverage")),
    "bn-quality-glorot": _trained(
        "Batch normalization is crucial even where the first weights are Glorot's.", _CONV,
        _DCGAN, ("dcgan", "dcgan_no_bn_glorot")),
    "bn-quality-he": _trained(
        "Batch normalization is crucial even where the first weights are He's.", _CONV, _DCGAN,
        ("dcgan", "dcgan_no_bn_he")),
    "strided": _trained(
        "Strided convolutions do better than pooling in D.", _CONV, _DCGAN,
        ("dcgan", "dcgan_pooling")),
    "rate-low": _trained(
        "Training is sensitive to settings: a quarter of DCGAN's rates does worse.",
        "Introduction", _DCGAN, ("dcgan", "dcgan_slow")),
    "rate-high": _trained(
        "Training is sensitive to settings: four times DCGAN's rates do worse.", "Introduction",
        _DCGAN, ("dcgan", "dcgan_fast")),
    "momentum": _trained(
        "Training is sensitive to settings: Adam's default momentum, 0.9, does worse than 0.5.",
        "Introduction", _DCGAN, ("dcgan", "dcgan_momentum")),
    "leaky-signal": _measured(
        "Leaky ReLU lets a stronger gradient flow from D into G than ReLU (slope 0.2, no BN).",
        _CONV, _DCGAN, "leaky_gradient_02", "gradient at the images, leaky over ReLU",
        math.log(1.05)),
    "leaky-signal-002": _measured(
        "The same with a slope of 0.02.", _NOTES, _DCGAN,
        "leaky_gradient_002", "gradient at the images, leaky over ReLU", math.log(1.05)),
    "leaky-signal-bn": _measured(
        "Leaky ReLU does so next to batch normalization, as in DCGAN's D.", _CONV, _DCGAN,
        "leaky_gradient_bn", "gradient at the images, leaky over ReLU", math.log(1.05)),
    "leaky-quality": _trained(
        "Leaky ReLU in D makes a better GAN than ReLU.", _CONV, _DCGAN, ("dcgan", "dcgan_relu")),
    "slope": _trained(
        "The slope matters: 0.2 does better than 0.02.", _NOTES, _DCGAN,
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
    "sn-settings": _robust(
        "SN in both networks trains well under more settings than none.", _SNTEXT, _SN, "sn",
        "plain"),
    "sn-settings-gp": _robust(
        "SN trains well under more settings than the Wasserstein GAN with a gradient penalty.",
        "Miyato et al. (2018), figure 2", _SN, "sn", "gp"),
    "sn-g": _trained(
        "SN in G helps as well.", _SNTEXT, _SN, ("base", "sn_d")),
    "one-round": _measured(
        "Where a kernel moves little, one power iteration a step gives a very good estimate, "
        "because u is kept.", _SNCODE, _SN, "kept_u_error", "median relative error of sigma",
        math.log(0.1), below=True, unit="", effect=math.log),
    "kept-u": _measured(
        "It is the kept u that makes it good.", _SNCODE, _SN, "fresh_u_error",
        "error of sigma, fresh u over kept u", math.log(2)),
    "more-rounds": _trained(
        "One power iteration is enough: five do not train better.", _SNCODE, _SN,
        ("power5", "base"), below=True),
    "exact-svd": _trained(
        "One power iteration is enough: exact singular values do not train better.", _SNCODE, _SN,
        ("exact_svd", "base"), below=True),
    "fresh-u": _trained(
        "A u that never moves trains worse.", _SNCODE, _SN, ("base", "frozen_u")),
    # Timed, and a busy machine lies: not fast.
    "svd-dear": _measured(
        "A full SVD takes at least ten times as long as one power iteration.", _SNCODE, _SN,
        "svd_cost", "time of an SVD over that of one power iteration", math.log(10), fast=False),
    "l2": _measured(
        "A kernel's l2 norm is far from sigma, which power iteration estimates.", _SNCODE,
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
        _ATTTEXT, _ATT, ("discs_near", "discs_far"),
        "agreement of two discs beyond chance, {0} less {1}", limit=0.05, ratio=False,
        effect=_more("agreement")),
    "attention-far": _trained(
        "Where a rule over a distance is all there is to learn, attention helps to keep it.",
        _ATTTEXT, _ATT, ("discs_far_attention", "discs_far"),
        "agreement of two far discs beyond chance, {0} less {1}", limit=0.05, ratio=False,
        effect=_more("agreement")),
    "attention-reach": _trained(
        "Attention helps a far rule more than a near one.", _ATTTEXT, _ATT,
        ("discs_far_attention", "discs_far", "discs_near_attention", "discs_near"),
        "gain in agreement, far discs less near ones", limit=0.05, ratio=False, effect=_reach),
    "attention-patches": _patched(
        "Where a rule reaches further than D sees, attention in D lets the pair keep it.",
        "patch10_far_d", "patch10_far"),
    "attention-patches-g": _patched(
        "There, attention in G alone helps as well.", "patch10_far_g", "patch10_far"),
    "attention-patches-both": _patched(
        "There, attention in both networks, as in the article, helps.", "patch10_far_both",
        "patch10_far"),
    "attention-patches-22": _patched(
        "Attention in D helps where its patches are as wide as the rule.", "patch22_far_d",
        "patch22_far"),
    "attention-patches-46": _patched(
        "Attention in D helps where its patches are wider than the picture.", "patch46_far_d",
        "patch46_far"),
    "attention-patches-near": _patched(
        "Attention in D helps where the rule fits into a patch.", "patch10_near_d",
        "patch10_near"),
    "attention-patches-near-22": _patched(
        "Attention in D helps where its patches are twice as wide as the rule.", "patch22_near_d",
        "patch22_near"),
    "attention-patches-near-46": _patched(
        "Attention in D helps where its patches see the picture and the rule is near.",
        "patch46_near_d", "patch46_near"),
    "attention-patches-faces": _patched(
        "Attention in D makes the eyes of a face agree where D sees patches of 10 pixels.",
        "patch10_faces_d", "patch10_faces"),
    "placement": _trained(
        "Middle to high feature maps are the place: 16x16 does better than 8x8.", _NOTES, _ATT,
        ("attention16", "attention8")),
    "pooled": _trained(
        "The layer of SAGAN's authors costs no quality: keys and values pooled, half the value "
        "channels, an output convolution.", _ATTCODE, _ATT,
        ("attention16", "pooled16"), below=True),
    "pooled-keys": _trained(
        "Pooling keys and values costs no quality.", _ATTCODE, _ATT,
        ("attention16", "pooled_keys16"), below=True),
    "half-values": _trained(
        "Half the value channels, with an output convolution, cost no quality.", _ATTCODE, _ATT,
        ("attention16", "half_values16"), below=True),
    "frozen-error": _measured(
        "A u that never moves misses sigma in attention's convolutions.", _ATTCODE, _ATT,
        "frozen_error", "median relative error of sigma", math.log(0.1), unit="", effect=math.log),
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
    "short-shuffle-mixed": _trained(
        "A short shuffle buffer trains worse even where the file's order means nothing.",
        "the linked code", _TTUR, ("base", "short_shuffle_mixed")),
    # Chapter 6
    "sn-clip": _trained(
        "SN and hinge do better than the Wasserstein GAN with clipped weights.", _LATER, _AFTER,
        ("base", "wgan_clip")),
    "sn-gp": _trained(
        "SN and hinge do better than the Wasserstein GAN with a gradient penalty.", _LATER, _AFTER,
        ("base", "wgan_gp")),
    "sn-r1": _trained(
        "SN and hinge do better than cross-entropy with R1.", _LATER, _AFTER, ("base", "r1")),
    "sn-r3gan": _trained(
        "SN and hinge do better than relativistic pairs with R1 and R2.", _LATER, _AFTER,
        ("base", "r3gan")),
    "sn-r1-eyes": _trained(
        "SN and hinge keep the rule of the eyes better than cross-entropy with R1.", _LATER, _AFTER,
        ("base", "r1"), "agreement of both eyes beyond chance, {0} less {1}", limit=0.05,
        ratio=False, effect=_more("eye_agreement")),
    "r1-rates": _trained(
        "With R1 too, two time scales do better than equal rates.", _LATER, _AFTER,
        ("r1", "r1_equal")),
    "r1-settings": _robust(
        "SN trains well under more settings than cross-entropy with R1.", _LATER, _AFTER, "sn",
        "r1"),
    "bn-sn": _trained(
        "With SN, a G with batch normalization does better than one without.", _LATER, _AFTER,
        ("base", "base_no_bn")),
    "bn-r1": _trained(
        "With R1, a G with batch normalization does better than one without.", _LATER, _AFTER,
        ("r1", "r1_no_bn")),
    "sn-r1-no-bn": _trained(
        "Without batch normalization too, SN and hinge do better than cross-entropy with R1.",
        _LATER, _AFTER, ("base_no_bn", "r1_no_bn")),
    "r1-cost": _measured(
        "R1 makes a step dearer than SN does.", _LATER, _AFTER, "r1_cost",
        "time of a step, R1 over SN", math.log(1.2), fast=False),  # a busy machine lies
}  # fmt: skip
