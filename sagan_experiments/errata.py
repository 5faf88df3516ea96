"""What the article and the code that it links to get wrong, each with its demonstration.

And remarks on reading: what is right there, or only unclear, and easily read wrongly.
"""

from dataclasses import dataclass

from sagan_experiments.claims import CHAPTERS


@dataclass(frozen=True)
class Erratum:
    """One mistake: where, what stands there, what is right, and what shows it.

    `claims` are names in `claims.CLAIMS` whose results tell how large it is and whether it changes
    the outcome; `test` is the test that fails if the library makes the mistake. A `remark` is no
    mistake of the article's, but a help in reading it.
    """

    where: str
    says: str
    right: str
    chapter: str
    test: str
    claims: tuple = ()
    remark: bool = False


_DCGAN, _SN, _ATT, _TTUR, _ = CHAPTERS
_TESTS = "sagan_experiments/test_bugs.py"

ERRATA = {
    "E1": Erratum(
        "code of SN",
        "The kernel is reshaped to (out, -1) without a transpose. Its axes are height, width, in, "
        "out, so the rows mix weights of different outputs.",
        "Reshape to (-1, out); swap the last two axes of a transposed convolution first.",
        _SN, f"{_TESTS}::test_scrambled_misses_a_dominant_direction",
        ("scrambled-sigma", "scrambled"),
    ),
    "E2": Erratum(
        "listing of SN",
        "The printed listing has lost its indentation, and so seems to return the raw kernel when "
        "not training. The linked code divides in both cases. Keras's own layer runs the stored "
        "kernel.",
        "Divide always, move `u` only in training: the network that is sampled is the trained one.",
        _SN, f"{_TESTS}::test_raw_inference_is_another_network", ("raw-inference",),
        remark=True,
    ),
    "E3": Erratum(
        "code of attention",
        "The 1x1 convolutions are called without `training`, so their `u` stays at its random "
        "start.",
        "Pass `training` on.", _ATT, f"{_TESTS}::test_frozen_u_never_moves",
        ("frozen-error", "frozen-attention", "fresh-u"),
    ),
    "E4": Erratum(
        "code of SN", "Gradients flow through u and v of the power iteration.",
        "Treat both as constants: the gradient of sigma is then their outer product, equation 9 "
        "of the SN paper.",
        _SN, f"{_TESTS}::test_leaky_gradient_is_not_equation_9", ("leaky-gradient",),
    ),
    "E5": Erratum(
        "text against code",
        "The text normalizes all layers, the dense ones too. In the code G's is not, and D's "
        "dense path skips it.",
        "Normalize them, or say that you do not.", _SN,
        f"{_TESTS}::test_plain_dense_is_not_normalized", ("plain-dense",),
    ),
    "E6": Erratum(
        "text against code",
        "The text updates D and G alternately. The code computes both gradients from one forward "
        "pass.",
        "A step of D, then a step of G with fresh noise against the new D.", _TTUR,
        f"{_TESTS}::test_one_forward_uses_the_old_discriminator",
        ("one-forward-differs", "one-forward"),
    ),
    "E7": Erratum(
        "text", "The learning rates are 0.004 and 0.001.",
        "0.0004 and 0.0001, as in the code and in the SAGAN paper.", _TTUR,
        "test_ttur.py", ("printed-rates",),
    ),
    "E8": Erratum(
        "text against code",
        "Leaky ReLU's slope is 0.02 in the text, 0.1 in the code; DCGAN has 0.2 and the authors "
        "of SAGAN use plain ReLU.",
        "State which, and why.", _DCGAN, "test_dcgan.py", ("leaky-signal-002", "slope"),
    ),
    "E9": Erratum(
        "text", "Power iteration computes the l2 distance between u and the kernel.",
        "It estimates the largest singular value.", _SN, "test_spectral_norm.py", ("l2",),
    ),
    "E10": Erratum(
        "text", "D puts out an unscaled probability: logits are meant.",
        "An unbounded score. Under cross-entropy a sigmoid makes a probability of it, under the "
        "hinge loss nothing does.", _DCGAN,
        "test_losses.py", ("unscaled",), remark=True,
    ),
    "E11": Erratum(
        "text", "D learns four times as fast as G. That is what the article does, not how it "
        "defines two time scales.",
        "Four is SAGAN's choice; the rule asks for two rates, not for a ratio.", _TTUR,
        "test_ttur.py", ("ratio-2", "ratio-8"), remark=True,
    ),
    "E12": Erratum(
        "code", "One global step counter is advanced by both optimizers.",
        "One counter for training steps: the code's 600,000 are 300,000.", _TTUR,
        f"{_TESTS}::test_two_optimizers_on_one_counter_count_double",
        ("double-count",),
    ),
    "E13": Erratum(
        "text", "SN constrains the Lipschitz constant of the convolution.",
        "It bounds the reshaped matrix. The convolution's own norm is larger.", _SN,
        "test_spectral_norm.py", ("operator",),
    ),
    "E14": Erratum(
        "text",
        "The link to 1802.08768, on the conditioning of generators, is right where it stands. The "
        "papers of the four techniques are not linked.",
        "SAGAN is 1805.08318, SN 1802.05957, TTUR 1706.08500, DCGAN 1511.06434.", _SN,
        "test_book.py", (), remark=True,
    ),
    "E15": Erratum(
        "code", "A shuffle buffer of 1,000 on a file of 200,000.",
        "A full shuffle of indices.", _TTUR,
        f"{_TESTS}::test_a_short_shuffle_cannot_carry_far",
        ("short-shuffle-colours", "short-shuffle"),
    ),
}  # fmt: skip
