"""Two time scales: separate learning rates for the two players, under named presets.

After Heusel et al. (2017), *GANs Trained by a Two Time-Scale Update Rule*, arXiv:1706.08500. The
ratio of 4 is SAGAN's choice (arXiv:1805.08318, section 4); Heusel et al. vary it.
"""

from dataclasses import dataclass

import keras

from sagan_lib import checks


@dataclass(frozen=True)
class Preset:
    """Adam's settings of both players: rates, decay rates of the moments, D steps per G step."""

    g_rate: float
    d_rate: float
    beta_1: float
    beta_2: float
    n_dis: int = 1


PRESETS = {
    # Zhang et al. (2018), section 4.
    "sagan": Preset(1e-4, 4e-4, 0.0, 0.9),
    # The same ratio at twice these rates, four times and ten times, for runs of hours, an hour and
    # minutes; ten times is also what the article prints.
    "sagan_x2": Preset(2e-4, 8e-4, 0.0, 0.9),
    "sagan_x4": Preset(4e-4, 1.6e-3, 0.0, 0.9),
    "sagan_x10": Preset(1e-3, 4e-3, 0.0, 0.9),
    # Radford et al. (2015), section 4.
    "dcgan": Preset(2e-4, 2e-4, 0.5, 0.999),
    # Miyato et al. (2018), the residual nets: five D steps for each G step.
    "sngan_5to1": Preset(2e-4, 2e-4, 0.0, 0.9, n_dis=5),
}
#: In runs that were begun before.
OLD_NAMES = {
    "article_code": "sagan", "cpu_long": "sagan_x2", "cpu": "sagan_x4", "article_text": "sagan_x10",
}  # fmt: skip


def two_time_scale(g_rate=1e-4, d_rate=4e-4, beta_1=0.0, beta_2=0.9, decay_steps=None, n_dis=1):
    """Two Adam optimizers, one a player, and n_dis: for `GAN.compile(**two_time_scale())`.

    Args:
        g_rate: learning rate of G, greater than 0.
        d_rate: learning rate of D, greater than 0.
        beta_1: decay rate of Adam's mean of gradients, in [0, 1).
        beta_2: decay rate of Adam's mean of their squares, in [0, 1).
        decay_steps: if given, both rates fall linearly to 0 over so many G updates, as in the long
            runs of Miyato et al. (2018), appendix B.
        n_dis: updates that D makes for each of them.

    Returns:
        {"g_optimizer": ..., "d_optimizer": ..., "n_dis": ...}.

    Raises:
        TypeError, ValueError: an argument is out of its range.
    """
    for name, rate in (("g_rate", g_rate), ("d_rate", d_rate)):
        checks.number(name, rate, 0, open_low=True)
    for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
        checks.number(name, beta, 0, 0.999999)
    if decay_steps is not None:
        checks.integer("decay_steps", decay_steps, 1)

    def adam(rate, name, updates):
        if decay_steps is not None:
            rate = keras.optimizers.schedules.PolynomialDecay(rate, decay_steps * updates, 0.0)
        return keras.optimizers.Adam(rate, beta_1, beta_2, epsilon=1e-8, name=name)

    updates = checks.integer("n_dis", n_dis, 1)
    return {
        "g_optimizer": adam(g_rate, "g_adam", 1),
        "d_optimizer": adam(d_rate, "d_adam", updates),
        "n_dis": updates,
    }


def preset(name, decay_steps=None):
    """The arguments of `GAN.compile` under a preset's name: both optimizers and n_dis.

    Args:
        name: of `PRESETS`.
        decay_steps: as in `two_time_scale`.

    Raises:
        ValueError: unknown name.
    """
    p = PRESETS[checks.one_of("preset", name, PRESETS)]
    return two_time_scale(p.g_rate, p.d_rate, p.beta_1, p.beta_2, decay_steps, p.n_dis)


class Rates:
    """Both optimizers as Keras's callbacks see one: the rate is G's, and D's keeps its ratio to it.

    Args:
        g_optimizer: of G.
        d_optimizer: of D.
    """

    built = True

    def __init__(self, g_optimizer, d_optimizer):
        self._both = (g_optimizer, d_optimizer)

    @property
    def variables(self):
        """Of both."""
        return [v for optimizer in self._both for v in optimizer.variables]

    @property
    def learning_rate(self):
        """G's; setting it multiplies D's by the same factor.

        Raises:
            TypeError: a schedule decides it.
            ValueError: G's rate is 0, so that there is no ratio to keep.
        """
        return self._both[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        g_optimizer, d_optimizer = self._both
        rate, before = float(rate), float(g_optimizer.learning_rate)
        if before <= 0:
            raise ValueError(f"learning_rate cannot be set while that of G is {before}: D's keeps "
                             "its ratio to it")  # fmt: skip
        of_d = float(d_optimizer.learning_rate) * rate / before
        g_optimizer.learning_rate, d_optimizer.learning_rate = rate, of_d


def clipping(optimizer):
    """An optimizer's settings that clip gradients, as {name: value}; empty where none does.

    Args:
        optimizer: Keras's.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    found = {name: getattr(inner, name) for name in ("clipnorm", "global_clipnorm", "clipvalue")}
    return {name: value for name, value in found.items() if value is not None}


def scaled(optimizer, model):
    """The optimizer, or one around it that scales the loss where a layer computes in float16.

    Args:
        optimizer: Keras's.
        model: whose variables it moves.
    """
    half = any(layer.compute_dtype == "float16" for layer in model._flatten_layers())
    scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    return keras.optimizers.LossScaleOptimizer(optimizer) if half and not scales else optimizer
