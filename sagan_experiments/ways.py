"""What is put to a fair trial: ways to train, and variants of them, each at its own best rates.

A *way* is tried at every pair of `RATES`. A *variant* differs from its way in one thing, and is
tried at the best pairs of that way, so that each of both had a choice. `trials` chooses.
"""

import dataclasses
import functools

from sagan_experiments.arms import ARMS, Arm
from sagan_lib import checks

RATES = (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3)

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
#: How many pictures a reader may bring; the smallest number is a batch's.
PICTURES = (32, 100, 300, 1000, 3000)

#: Name -> (its way, what is changed).
VARIANTS = {
    **{f"{way}_long": (way, {"length": 2}) for way in WAYS},
    # Chapter 1: what DCGAN's recipe is made of
    "dcgan_no_bn": ("dcgan", {"batch_norm": False}),
    "dcgan_pooling": ("dcgan", {"pooling": True}),
    "dcgan_momentum": ("dcgan", {"beta_1": 0.9}),
    "dcgan_relu": ("dcgan", {"slope": 0.0}),
    # Chapter 2: where, how exactly, and the article's mistakes
    "sn_d": ("sn", {"sn": "d"}),
    "sn_power5": ("sn", {"power_iterations": 5}),
    "sn_svd": ("sn", {"svd": True}),
    "sn_frozen_u": ("sn", {"bug": "frozen_u"}),
    "sn_scrambled": ("sn", {"bug": "scrambled"}),
    "sn_bce": ("sn", {"loss": "bce"}),
    "sn_wasserstein": ("sn", {"loss": "wasserstein"}),
    # Chapter 3: faces, then two discs that must agree, so many pixels apart
    "sn_att16": ("sn", {"attention_at": 16}),
    **{f"r1_discs{apart}{name}": ("r1", {"discs": apart} | _ATTENTION[name])
       for apart in (10, 16, 22) for name in ("", "_att8")},
    **{f"r1_discs22{name}": ("r1", {"discs": 22} | _ATTENTION[name])
       for name in ("_att8_d", "_att8_g")},
    **{f"sn_discs22{name}": ("sn", {"discs": 22} | _ATTENTION[name]) for name in ("", "_att8")},
    # Chapter 4
    "sn_five_to_one": ("sn", {"n_dis": 5, "equal_work": True}),
    # Chapter 6: what came after
    "gp": ("r1", {"loss": "wasserstein", "penalty": "gp"}),
    "r3gan": ("r1", {"loss": "relativistic", "penalty": "r1r2"}),
    "r1_weight1": ("r1", {"weight": 1.0}),
    "r1_weight100": ("r1", {"weight": 100.0}),
    "r1_no_bn": ("r1", {"batch_norm": False}),
    "sn_no_bn": ("sn", {"batch_norm": False}),
    # Chapter 8: few pictures, D shown them as they are or changed
    **{f"sn_{n}": ("sn", {"pictures": n}) for n in PICTURES},
    **{f"sn_{n}_aug": ("sn", {"pictures": n} | _SHOWN) for n in PICTURES},
    "sn_aug": ("sn", _SHOWN),
    "sn_3000_color": ("sn", {"pictures": 3000, "augment": "color"}),
    # What else a reader sets
    "sn_beta_2": ("sn", {"beta_2": 0.999}),
    "sn_batch16": ("sn", {"batch_size": 16}),
    "sn_batch128": ("sn", {"batch_size": 128}),
    "sn_width32": ("sn", {"width": 32}),
}  # fmt: skip


def arm(name):
    """The `Arm` of a way or a variant, at rates that count for nothing.

    Args:
        name: of `WAYS` or `VARIANTS`.
    """
    checks.one_of("name", name, [*WAYS, *VARIANTS])
    if name in WAYS:
        return WAYS[name]
    way, changes = VARIANTS[name]
    return dataclasses.replace(WAYS[way], **changes)


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
