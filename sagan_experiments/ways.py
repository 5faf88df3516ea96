"""What is put to a fair trial: ways to train, and variants of them, each at its own best rates.

A *way* is tried at every pair of `RATES`. A *variant* differs from its way in what is named here,
and is tried at the best pairs of that way, so that each of both had a choice. `trials` chooses.
"""

import dataclasses
import functools

from sagan_experiments.arms import ARMS, Arm
from sagan_lib import checks

#: What is best may lie outside, above all at higher rates of G.
RATES = (5e-4, 1e-3, 2e-3, 4e-3)

_PENALTY = functools.partial(Arm, sn="none", loss="bce")

#: Name -> arm; its own rates count for nothing.
WAYS = {
    "sn": Arm(), "none": Arm(sn="none"), "r1": _PENALTY(penalty="r1"), "dcgan": ARMS["dcgan"],
}  # fmt: skip

_ATTENTION = {
    "": {}, "_att8": {"attention_at": 8}, "_att8_d": {"attention_at": 8, "attends": "d"},
    "_att8_g": {"attention_at": 8, "attends": "g"},
}  # fmt: skip

_SHOWN = {"augment": "color,translation,cutout"}
#: What a reader may bring; and as many of a new kind: faces of one hair, after those of all others.
_FEW = {"pictures": 100}
_NEW = {"hair": "red"} | _FEW | _SHOWN

#: Name -> (its way, what is changed).
VARIANTS = {
    # Chapter 1: what DCGAN's recipe is made of
    "dcgan_no_bn": ("dcgan", {"batch_norm": False}),
    "dcgan_pooling": ("dcgan", {"pooling": True}),
    "dcgan_momentum": ("dcgan", {"beta_1": 0.9}),
    # Chapter 2: where, how exactly, and the article's mistakes
    "sn_d": ("sn", {"sn": "d"}),
    "sn_scrambled": ("sn", {"bug": "scrambled"}),
    "sn_bce": ("sn", {"loss": "bce"}),
    # Chapter 3: faces, then two discs that must agree, so many pixels apart
    "sn_att16": ("sn", {"attention_at": 16}),
    **{f"r1_discs22{name}": ("r1", {"discs": 22} | change) for name, change in _ATTENTION.items()},
    **{f"sn_discs22{name}": ("sn", {"discs": 22} | _ATTENTION[name]) for name in ("", "_att8")},
    # Chapter 4
    "sn_five_to_one": ("sn", {"n_dis": 5, "equal_work": True}),
    # Chapter 6: what came after
    "r3gan": ("r1", {"loss": "relativistic", "penalty": "r1r2"}),
    # Chapter 7: labels, and two other ways to tell them
    "sn_hair": ("sn", {"label": "hair"}),
    "sn_hair_join": ("sn", {"label": "hair", "tell_g": "join"}),
    "sn_hair_concatenate": ("sn", {"label": "hair", "tell_d": "concatenate"}),
    "sn_hair_att16": ("sn", {"label": "hair", "attention_at": 16}),
    # Chapter 8: few pictures, D shown them as they are or changed
    "sn_100": ("sn", _FEW),
    "sn_100_aug": ("sn", _FEW | _SHOWN),
    "sn_100_long": ("sn", _FEW | {"length": 2}),
    "sn_100_aug_long": ("sn", _FEW | _SHOWN | {"length": 2}),
    "sn_aug": ("sn", _SHOWN),
    "sn_red_100": ("sn", _NEW),
    "sn_red_100_on": ("sn", _NEW | {"continues": True}),
    "sn_red_100_frozen": ("sn", _NEW | {"continues": True, "frozen": 2}),
}  # fmt: skip


def way_of(name):
    """The way that a way is, or that a variant is one of.

    Args:
        name: of `WAYS` or `VARIANTS`.
    """
    checks.one_of("name", name, [*WAYS, *VARIANTS])
    return name if name in WAYS else VARIANTS[name][0]


def arm(name):
    """The `Arm` of a way or a variant, at rates that count for nothing.

    Args:
        name: of `WAYS` or `VARIANTS`.
    """
    way = way_of(name)
    return WAYS[way] if name == way else dataclasses.replace(WAYS[way], **VARIANTS[name][1])


def at_rates(name, g_rate, d_rate):
    """The name of a way or a variant at a pair of rates.

    Args:
        name: of `WAYS` or `VARIANTS`.
        g_rate: learning rate of G.
        d_rate: learning rate of D.
    """
    return f"{checks.one_of('name', name, [*WAYS, *VARIANTS])}@{g_rate:g}/{d_rate:g}"


def rates_of(name):
    """(learning rate of G, of D) that a name of `TRIALS` says."""
    return TRIALS[name].g_rate, TRIALS[name].d_rate


#: Name -> arm of all that may be tried; and everything that a store may keep a result of.
TRIALS = {
    at_rates(name, g_rate, d_rate): dataclasses.replace(arm(name), g_rate=g_rate, d_rate=d_rate)
    for name in (*WAYS, *VARIANTS) for g_rate in RATES for d_rate in RATES
}  # fmt: skip
KNOWN = ARMS | TRIALS
