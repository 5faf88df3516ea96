"""What came after: penalties on the slope of D, in place of a bound on its layers.

- clipped weights: Arjovsky et al. (2017), *Wasserstein GAN*, arXiv:1701.07875, algorithm 1;
- gradient penalty: Gulrajani et al. (2017), arXiv:1704.00028, equation 3;
- R1 and R2: Mescheder, Geiger and Nowozin (2018), arXiv:1801.04406, equations 9 and 10;
- relativistic pairing with R1 and R2: Huang et al. (2024), *The GAN is dead; long live the GAN!*,
  arXiv:2501.05441, whose loss pairs each real image with a fake (Jolicoeur-Martineau, 2018).
"""

import keras
import tensorflow as tf
from keras import ops

from sagan_lib import checks
from sagan_lib.gan import GAN, frozen_call

#: Name -> its weight unless another is given: the papers' (for "clip" the bound of D's weights).
PENALTIES = {"none": 1.0, "clip": 0.01, "gp": 10.0, "r1": 10.0, "r1r2": 10.0}


def relativistic_d(real, fake):
    """D's loss in pairs: each real image must beat the fake beside it. Scores are (batch, 1)."""
    checks.scores(paired=True, real=real, fake=fake)
    return ops.mean(ops.softplus(fake - real))


def relativistic_g(fake, real):
    """G's side: each fake must beat the real image beside it."""
    checks.scores(paired=True, fake=fake, real=real)
    return ops.mean(ops.softplus(real - fake))


def squared_slopes(discriminator, images):
    """The squared length of D's gradient at each image, float32 (batch,).

    Args:
        discriminator: images (batch, h, w, 3) -> scores (batch, 1).
        images: where the slope is taken.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = discriminator(images, training=True)
    gradient = tf.cast(tape.gradient(scores, images), tf.float32)
    return tf.reduce_sum(tf.square(gradient), axis=(1, 2, 3))


def zero_centred(discriminator, images):
    """R1 on real images, R2 on fakes, without their weight: half the mean squared slope."""
    return tf.reduce_mean(squared_slopes(discriminator, images)) / 2


def one_centred(discriminator, real, fake, shares):
    """WGAN-GP's penalty, without its weight: how far slopes between real and fake are from 1.

    Args:
        discriminator: as in `squared_slopes`.
        real: images (batch, h, w, 3).
        fake: generated ones, as many.
        shares: of the fake in each mixture, 0 to 1, (batch,).
    """
    shares = tf.reshape(tf.cast(shares, real.dtype), (-1, 1, 1, 1))
    squared = squared_slopes(discriminator, real + shares * (fake - real))
    return tf.reduce_mean(tf.square(tf.sqrt(squared + 1e-12) - 1))


@keras.saving.register_keras_serializable("sagan_lib")
class PenalizedGAN(GAN):
    """A `GAN` whose D is held by a penalty, or whose losses pair real and fake images.

    D must not normalize by batch: a slope is that of one image. One device only. With `augment` a
    slope is taken where D is asked, at the changed images, and so are mixtures; StyleGAN2-ADA, too,
    takes R1 at the changed ones, but with respect to the pixels before the change.
    """

    def compile(self, g_optimizer, d_optimizer, loss="bce", n_dis=1, penalty="none", weight=None,
                **options):  # fmt: skip
        """As `GAN.compile`, and with what holds D.

        Args:
            g_optimizer: for G.
            d_optimizer: for D.
            loss: as in `GAN.compile`, or "relativistic".
            n_dis: D steps for each G step.
            penalty: a name of `PENALTIES`; "clip" cuts D's weights after each of its steps.
            weight: of the penalty in D's loss; the bound of the weights for "clip". By default
                that of `PENALTIES`: 10, and for "clip" 0.01.
            options: Keras's.

        Raises:
            ValueError: unknown penalty, a weight that is not above 0 or has no penalty, a D that
                normalizes by batch, or several devices.
        """
        checks.one_of("penalty", penalty, PENALTIES)
        if penalty == "none" and weight not in (None, PENALTIES["none"]):
            raise ValueError(f"weight must not be given without a penalty, got {weight}")
        weight = PENALTIES[penalty] if weight is None else weight
        checks.number("weight", weight, 0, open_low=True)
        if penalty != "none" and not self._join:
            raise ValueError(f"penalty {penalty!r} needs a discriminator without batch statistics")
        if (count := self.distribute_strategy.num_replicas_in_sync) > 1:
            raise ValueError(f"PenalizedGAN trains on one device, got {count}")
        pairs = loss == "relativistic"
        super().compile(g_optimizer, d_optimizer, "bce" if pairs else loss, n_dis, **options)
        if pairs:
            self.loss_name, self._game = loss, (relativistic_d, relativistic_g)
        self.penalty, self.penalty_weight = penalty, float(weight)

    def d_step(self, real, z, index=0):
        """As `GAN.d_step`, on D's loss and its penalty; clips D's weights where that is asked."""
        loss = super().d_step(real, z, index)
        if self.penalty == "clip":
            for variable in self.discriminator.trainable_variables:
                variable.assign(
                    tf.clip_by_value(variable, -self.penalty_weight, self.penalty_weight)
                )
        return loss

    def _d_loss(self, real, fake, index):
        loss = super()._d_loss(real, fake, index)
        if self.penalty in ("none", "clip"):
            return loss
        if self.penalty == "gp":
            key = self.draw_key(index, stream=1)
            shares = tf.random.stateless_uniform(tf.shape(real)[:1], key, alg="philox")
            penalty = one_centred(self.discriminator, real, fake, shares)
        else:
            penalty = zero_centred(self.discriminator, real)
            if self.penalty == "r1r2":
                penalty += zero_centred(self.discriminator, fake)
        return loss + self.penalty_weight * penalty

    def _g_loss(self, fake_scores, real):
        if self.loss_name != "relativistic":
            return super()._g_loss(fake_scores, real)
        return self._game[1](fake_scores, frozen_call(self.discriminator, real))

    def get_compile_config(self):
        kept = super().get_compile_config()
        return kept and kept | {"penalty": self.penalty, "weight": self.penalty_weight}
