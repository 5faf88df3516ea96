"""The adversarial losses of the book, on unbounded scores (logits).

Each takes D's scores of real and of fake images, float (batch, 1), and gives a scalar of the same
dtype: the mean over the batch. Scores of another shape or dtype are refused (`checks.scores`).
"""

from keras import ops

from sagan_lib import checks


def hinge_d(real, fake):
    """D's hinge loss: push real scores above 1 and fake scores below -1, then stop.

    Lim and Ye (2017), arXiv:1705.02894; SAGAN's equation 4.
    """
    checks.scores(real=real, fake=fake)
    return ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))


def hinge_g(fake):
    """G's side of the hinge game: raise the scores of fakes. SAGAN's equation 4."""
    checks.scores(fake=fake)
    return -ops.mean(fake)


def bce_d(real, fake):
    """Binary cross-entropy of "real or fake": Goodfellow et al. (2014), equation 1, negated."""
    checks.scores(real=real, fake=fake)
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def bce_g(fake):
    """The non-saturating loss -log D(G(z)): Goodfellow et al. (2014), section 3."""
    checks.scores(fake=fake)
    return ops.mean(ops.softplus(-fake))


def minimax_g(fake):
    """The saturating loss log(1 - D(G(z))) of equation 1: flat where D is sure of a fake."""
    checks.scores(fake=fake)
    return -ops.mean(ops.softplus(fake))


def wasserstein_d(real, fake):
    """The critic's loss of a Wasserstein GAN: Arjovsky et al. (2017), algorithm 1."""
    checks.scores(real=real, fake=fake)
    return ops.mean(fake) - ops.mean(real)


#: Name -> (loss of D, loss of G).
LOSSES = {
    "hinge": (hinge_d, hinge_g),
    "bce": (bce_d, bce_g),
    "minimax": (bce_d, minimax_g),
    "wasserstein": (wasserstein_d, hinge_g),
}


def get(name):
    """The pair (loss of D, loss of G) of that name; ValueError lists the names there are."""
    return LOSSES[checks.one_of("loss", name, LOSSES)]
