"""The model that trains: two networks, two optimizers, one step counter.

A run is its weights and its counter: the images and the noise of step k are pure functions of
(seed, k). So training N steps, saving, loading and training N more gives what 2N steps give: to
the last bit on a CPU, and on a GPU where `devices.setup(deterministic=True)` was called.
"""

import contextlib
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import sagan_lib.networks  # noqa: F401  (then Keras knows all classes that a saved GAN names)
from sagan_lib import checks, cost, devices, finetune, losses, ttur
from sagan_lib.attend import largest_divisor
from sagan_lib.attention import attention_layers
from sagan_lib.augment import DRAWS, augmentation
from sagan_lib.callbacks import Gap, Guard, Measure, OneLife, Progress, listed
from sagan_lib.datasets.source import Source, as_images, looked_at
from sagan_lib.sampling import generate
from sagan_lib.spectral_norm import normalized_layers

#: Where held-out images have their place, for who looks for it in Keras's methods.
SCORES = "scores of held-out images: evaluation.scores, python -m sagan_lib score"
#: The streams of draws for what D is shown of generated images, and next to it of real ones.
AUGMENT = 8


@keras.saving.register_keras_serializable("sagan_lib")
class GAN(keras.Model):
    """A generator and a discriminator trained against each other.

    Args:
        generator: functional model, (batch, latent_dim) -> images (batch, h, w, 3) in [-1, 1].
        discriminator: functional model, images -> scores (batch, 1).
            For several devices, make both networks, the GAN and its optimizers under the scope of
            `devices.strategy`; then batch sizes are those of all devices together, and a run
            is, up to rounding, that of one device. What would make it another run is refused.
        seed: of all randomness in training: shuffles, noise, mixtures of a penalty.
        ema_decay: of the exponential moving average of G's weights that `sample` uses; the
            average is shorter at the start of a run (Karras et al. use such an average too).
        about: a dict that JSON takes, kept in the saved file: what the run is.

    Attributes:
        step: G updates so far (int64 variable). ema_generator: the averaged generator.
    """

    _unused = ("y", "sample_weight", "class_weight")  #: options of Keras's `fit`

    def __init__(self, generator, discriminator, seed=0, ema_decay=0.999, about=None,
                 **options):  # fmt: skip
        super().__init__(**options)
        self.about = dict(about or {})
        self.generator, self.discriminator = generator, discriminator
        self.seed = checks.integer("seed", seed, 0, 2**31 - 1)
        self.ema_decay = checks.number("ema_decay", ema_decay, 0, 1)
        cost.check_pair(generator, discriminator)
        self._check_inputs()
        self._check_scope(generator.variables + discriminator.variables)
        several = self.distribute_strategy.num_replicas_in_sync > 1
        for layer in _batch_norms(generator) + _batch_norms(discriminator):
            # Moments of the whole batch. Not with one device: Keras then computes the same
            # variance by another formula, which rounds worse.
            layer.synchronized = several
        self.latent_dim = generator.inputs[0].shape[-1]
        self.ema_generator = generator.__class__.from_config(generator.get_config())
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.step = self.add_weight((), "zeros", dtype="int64", trainable=False, name="step")
        self.g_loss = keras.metrics.Mean("g_loss")
        self.d_loss = keras.metrics.Mean("d_loss")
        # With batch normalization, real and fake must not share a batch's statistics: D would be
        # trained on mixed statistics, and G would meet it on fake ones. Without it, one call on
        # the joined batch costs less and uses one sigma.
        self._join = not _batch_norms(discriminator)
        self.built = True

    def train_step(self, real):
        """n_dis steps of D, then one of G with fresh noise.

        Args:
            real: images (n_dis * batch, h, w, 3) in [-1, 1].

        Returns:
            {"d_loss", "g_loss"}, the means since the last reset.
        """
        real = self._checked(real)
        with tf.control_dependencies(tf.nest.flatten(real)):  # data that ends here moves nothing,
            return self._step(self._parts(real))  # not even `u`

    def _step(self, parts):
        first = tf.nest.flatten(parts[0])[0]
        batch = first.shape[0] or tf.shape(first)[0]
        for index, part in enumerate(parts):
            self.d_loss.update_state(self.d_step(part, self.noise(batch, index), index))
        z = self.noise(batch, self.n_dis)  # fresh: D has moved since
        self.g_loss.update_state(self.g_step(z, parts[-1]))
        self._update_ema()
        self.step.assign_add(1)
        results = self.get_metrics_result()
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return {name: value[None] for name, value in results.items()}  # Keras takes axis 0
        return results

    def draw_key(self, index, stream=0):
        """The key of one draw of the present step, int64 (2,): none is used twice in a run.

        Args:
            index: number of the draw within the step, 0 to 2**20.
            stream: what it is for: 0 for noise, `AUGMENT` and the next for what D is shown.
        """
        # Two indices lie beside each other, the others on planes of their own, so that a step's
        # draws do not depend on how many there are, nor on how many other steps had.
        plane = self.seed + (((stream << 20) + index // 2) << 32)
        number = 2 * tf.cast(self.step.value, tf.int64) + index % 2
        return tf.stack([tf.constant(plane, tf.int64), number])

    def noise(self, n, index=0):
        """The noise of one draw of the present step, float32 (n, latent_dim).

        A pure function of (seed, step, index). A replica gets its own n rows of the draw that one
        device makes for the whole batch. XLA has a generator of its own, so a compiled run draws
        other numbers than a plain one.

        Args:
            n: rows.
            index: number of the draw: the D steps have 0 to n_dis - 1, the G step n_dis.
        """
        return _rows(tf.random.stateless_normal, n, self.latent_dim, self.draw_key(index))

    def _changed(self, given, index, real=False):
        """What D is given, its images changed by a draw for each, where `compile` asked for it."""
        if self.augment is None or given is None:
            return given
        images, *labels = tf.nest.flatten(given)
        n = images.shape[0] or tf.shape(images)[0]
        key = self.draw_key(index, AUGMENT + real)
        changed = self.augment(images, _rows(tf.random.stateless_uniform, n, DRAWS, key), real)
        return [changed, *labels] if labels else changed

    def d_step(self, real, z, index=0):
        """One optimizer step of D; nothing of G moves, its moments and `u` included.

        Args:
            real: images (batch, h, w, 3).
            z: noise (batch, latent_dim).
            index: number of this D step within the training step.

        Returns:
            D's loss, regularizers of its layers included.
        """
        fake = self._changed(self._shown(frozen_call(self.generator, z), z), index)
        real = self._changed(real, index, real=True)
        with tf.GradientTape() as tape:
            loss = self._d_loss(real, fake, index) + sum(self.discriminator.losses)
        descend(self.d_optimizer, tape, loss, self.discriminator)
        return loss

    def _d_loss(self, real, fake, index):
        """D's loss; what draws numbers for it takes `draw_key(index, ...)`."""
        return self._game[0](*self._scores(real, fake))

    def _scores(self, real, fake):
        """D's scores of real and of fake images in training mode, in one call where it may be."""
        if self._join:
            both = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), real, fake)
            return tf.split(self.discriminator(both, training=True), 2)
        return self.discriminator(real, training=True), self.discriminator(fake, training=True)

    def g_step(self, z, real=None):
        """One optimizer step of G; nothing of D moves, its moments and `u` included.

        Args:
            z: noise (batch, latent_dim).
            real: the last D step's images, for losses that pair real and fake.

        Returns:
            G's loss, regularizers of its layers included.
        """
        real = self._changed(real, self.n_dis, real=True)
        with tf.GradientTape() as tape:
            fake = self._changed(self._shown(self.generator(z, training=True), z), self.n_dis)
            loss = self._g_loss(frozen_call(self.discriminator, fake), real)
            loss += sum(self.generator.losses)
        descend(self.g_optimizer, tape, loss, self.generator)
        return loss

    # What a GAN with labels does otherwise: there `real` and `z` are pairs with their labels.

    def _check_inputs(self):
        if (count := len(self.generator.inputs)) > 1:
            raise ValueError(
                f"a {type(self).__name__}'s networks take one input each, got a generator of "
                f"{count}; conditional.ConditionalGAN trains networks that take labels"
            )

    def _parts(self, real):
        """The images of each D step."""
        return tf.split(real, self.n_dis)

    def _shown(self, fake, z):
        """What D is shown of the images that G made of `z`."""
        return fake

    def _batches(self, source, *which):
        """A `Source`'s batches for `train_step`."""
        return source.batches(*which)

    def _gap(self, source, held_out):
        """The callback that compares D's scores of a `Source` and of held-out images."""
        return Gap(source, held_out)

    def _g_loss(self, fake_scores, real):
        """G's loss from D's scores; a loss that pairs would score `real`, too."""
        return self._game[1](fake_scores)

    def _update_ema(self):
        """Average G's weights and moments; `u` is copied, because a mean of directions is none."""
        t = tf.cast(self.step.value, tf.float32)
        decay = tf.minimum(self.ema_decay, (1 + t) / (10 + t))
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        with tf.name_scope("average"):
            for mean, weight in pairs:
                kept = 0 if weight.name == "u" else decay * (mean - weight)
                mean.assign(weight + kept)

    def compile(self, g_optimizer, d_optimizer, loss="hinge", n_dis=1, augment=None, **options):
        """Choose optimizers, loss, the number of D steps for each G step, and what D is shown.

        `optimizer` then stands for both, for Keras's callbacks: its rate is G's, and who sets it
        moves D's by the same factor. In mixed_float16 both scale their loss, as Keras's do.

        Args:
            g_optimizer: Keras's, for G; `ttur.preset` and `ttur.two_time_scale` make both.
            d_optimizer: another one, for D.
            loss: a name of `losses.LOSSES`, such as "hinge" or "bce" (non-saturating).
            n_dis: D steps for each G step.
            augment: how D's images are changed, real and generated ones, where there are few: such
                as "color,translation,cutout", or an `augment.Augmentation`; None: not at all.
            options: Keras's `steps_per_execution`, `jit_compile` (default: on a GPU), these two
                with one device only, and `run_eagerly`.

        Raises:
            TypeError: an optimizer, or `augment`, that is none.
            ValueError: unknown loss or augmentation, one optimizer twice, one made under another
                scope or for another model, or an option that several devices, or a GAN, cannot
                have.
        """
        for name in options:
            checks.one_of("option", name, ("steps_per_execution", "jit_compile", "run_eagerly"))
        checks.integer("steps_per_execution", options.get("steps_per_execution", 1), 1)
        if g_optimizer is d_optimizer:
            raise ValueError("g_optimizer and d_optimizer must be two optimizers, got one twice")
        _check_optimizer("g_optimizer", g_optimizer, self.generator)
        _check_optimizer("d_optimizer", d_optimizer, self.discriminator)
        self._check_scope([g_optimizer.iterations, d_optimizer.iterations])
        several = self.distribute_strategy.num_replicas_in_sync > 1
        # XLA compiles for one device; TensorFlow 2.21 cannot run Keras's loop over grouped steps
        # on several ("You must feed a value for placeholder").
        grouped = options.get("steps_per_execution", 1) > 1
        if several and (options.get("jit_compile") is True or grouped):
            raise ValueError("jit_compile and steps_per_execution work with one device only")
        options.setdefault("jit_compile", devices.use_jit() and not several)
        for name, optimizer in (("g_optimizer", g_optimizer), ("d_optimizer", d_optimizer)):
            if several and (clips := ttur.clipping(optimizer)):
                raise ValueError(f"{name} must not clip on several devices, got {clips}: Keras "
                                 "clips each device's share, which is another step")  # fmt: skip
        # Before Keras calls the model compiled.
        self.loss_name, self._game = loss, losses.get(loss)
        self.n_dis = checks.integer("n_dis", n_dis, 1)
        self.augment = augmentation(augment)
        super().compile(optimizer=None, **options)
        self.g_optimizer = ttur.scaled(g_optimizer, self.generator)
        self.d_optimizer = ttur.scaled(d_optimizer, self.discriminator)
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.optimizer = ttur.Rates(self.g_optimizer, self.d_optimizer)

    def fit(self, x, *, steps=None, batch_size=None, log_every=100, save_to=None, held_out=None,
            callbacks=(), verbose=1, **options):  # fmt: skip
        """Train. With a `Source`, the run goes on from the model's own step counter.

        Args:
            x: a `Source` (faces, an image folder), or anything that Keras's `fit` takes; then
                the options are Keras's own, and a batch holds n_dis times the images of a step.
                An array may be uint8, or float in [-1, 1]; batches of other data must be float.
                Of a `tf.data.Dataset`, a generator and a `PyDataset` the numbers of the first
                batch are looked at, of other data none.
            steps: G updates to do. Keras's epoch is here `log_every` of them, the last one may be
                shorter; their numbers go on where a run does.
            batch_size: real images in one D step, on all devices together; 64 with a `Source`,
                else Keras's own.
            log_every: steps between two rows of the history, two checks for NaN and two saves.
            save_to: a `.keras` file that is kept up to date, if given.
            held_out: images like those of a `Source` that are not trained on, float in [-1, 1]:
                each row then says whether D knows its training images by heart (`callbacks.Gap`).
            callbacks: further Keras callbacks, or one. What they restore when training begins
                counts: the run then goes on from there to the same end.
            verbose: 1 first prints what the run will take (see `plan`) and then shows a progress
                bar with the time left; 0 nothing.
            options: Keras's own; with a `Source` there are none.

        Returns:
            Keras's History: d_loss, g_loss (means over `log_every` steps), step, and, where there
            are such layers, g_gamma, d_gamma (attention) and g_sigma, d_sigma (the largest raw
            singular value of a network's normalized kernels); with `held_out` d_train, d_held_out,
            d_fake, d_gap and r_t.

        Raises:
            TypeError: a callback is none.
            ValueError: the model is not compiled, x is no data for its networks, or an option that
                a GAN has no use for.
            DivergedError: a loss or weight became NaN or infinite; the model then holds the last
                good weights.
        """
        if not self.compiled:
            raise ValueError("compile the model first: model.compile(**ttur.preset('sagan'))")
        callbacks = listed(callbacks)
        source = isinstance(x, Source)
        for name in options:
            unused = name in self._unused or name.startswith("validation")
            if source or unused:
                raise ValueError(f"fit of a GAN on {type(x).__name__} takes no {name}; {SCORES}")
        if (first := options.get("initial_epoch", 0)) >= (last := options.get("epochs", 1)):
            raise ValueError(f"epochs must be more than initial_epoch={first}, got {last}")
        if not source:
            if any(each is not None for each in (steps, save_to, held_out)):
                raise ValueError(
                    "steps, save_to and held_out need a Source; else use Keras's epochs, "
                    f"steps_per_epoch and callbacks, got x of type {type(x).__name__}"
                )
            if batch_size is not None:
                options["batch_size"] = checks.integer("batch_size", batch_size, 1)
            if isinstance(x, np.ndarray) or tf.is_tensor(x):
                x = self._checked_array(np.asarray(x), batch_size or 32)
            x, wrong = looked_at(x, self.discriminator.inputs[0].shape[1:])
            try:
                return super().fit(x, callbacks=[*callbacks, Guard()], verbose=verbose, **options)
            except tf.errors.OpError:
                if wrong:
                    raise wrong[0] from None
                raise
        batch_size = 64 if batch_size is None else batch_size
        side = self.discriminator.inputs[0].shape[1]
        if x.resolution != side:
            raise ValueError(f"x has images of {x.resolution} pixels, the networks take {side}")
        checks.integer("steps", steps, 1)
        checks.integer("log_every", log_every, 1)
        gap = [] if held_out is None else [self._gap(x, held_out)]
        if verbose:
            print(f"{steps} steps; {self.plan(batch_size, steps)}")
        # The save comes last: a row of a log whose save is missing is written again.
        extra = [*gap, Measure(), *callbacks, Guard(save_to), Progress(steps, disable=not verbose)]
        life = OneLife(extra, add_history=True, model=self, epochs=-(-steps // log_every),
                       steps=log_every)  # fmt: skip
        self._fit_source(x, batch_size, int(self.step.numpy()) + steps, log_every, life)
        return self.history

    def _fit_source(self, x, batch_size, goal, log_every, life):
        """Train to step `goal`: whole epochs, then a shorter one, in one life of callbacks."""
        life.begin()
        self._initial_epoch = None  # BackupAndRestore's; here the step says where the run stands
        todo, self.stop_training = goal - int(self.step.numpy()), False
        for epochs, length in ((todo // log_every, log_every), (1, todo % log_every)):
            if epochs > 0 and length > 0 and not self.stop_training:
                start = int(self.step.numpy())
                which = batch_size * self.n_dis, self.seed, start, epochs * length
                data = self._batches(x, *which)
                data = devices.shard(data, self.distribute_strategy, self.n_dis)
                first = -(-start // log_every)
                with self._groups_that_divide(length):
                    super().fit(
                        data, initial_epoch=first, epochs=first + epochs, steps_per_epoch=length,
                        callbacks=life, verbose=0, shuffle=False,
                    )  # fmt: skip
        reached = int(self.step.numpy())
        life.end()
        if (kept := int(self.step.numpy())) != reached:
            warnings.warn(f"a callback put the weights of step {kept} back at the end of training; "
                          f"step {reached} had been reached", stacklevel=3)  # fmt: skip

    def evaluate(self, *data, **options):
        """Refused: a GAN's losses say how its players stand, not how good its images are.

        Args:
            data: Keras's arguments, of `test_on_batch` too.
            options: likewise.

        Raises:
            ValueError: always; it says what scores images.
        """
        raise ValueError(f"evaluate and test_on_batch are no methods of a GAN; {SCORES}")

    test_on_batch = evaluate

    def train_on_batch(self, x, *labels, **options):
        """One training step, as Keras's method; without the guard against divergence of `fit`.

        Args:
            x: images as in `fit`, n_dis times those of a step.
            labels: Keras's further arguments; a GAN takes none.
            options: Keras's `return_dict`.

        Raises:
            ValueError: x is no batch for the networks, or there are labels.
        """
        x = np.asarray(x)
        x = tf.convert_to_tensor(self._checked_array(x, max(1, len(x))))
        return super().train_on_batch(x, *labels, **options)

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def call(self, z, training=False):
        """Images of the averaged generator for noise z (batch, latent_dim)."""
        return self.ema_generator(z, training=False)

    def sample(self, n, seed=0, truncation=None, ema=True, batch_size=64):
        """Generate images.

        Args:
            n: how many.
            seed: of the noise; image i is the same for every n.
            truncation: draw z from a normal cut off at plus and minus this value (Brock et al.
                2018, section 3.1); None does not cut.
            ema: use the averaged generator, else the current one.
            batch_size: images at a time.

        Returns:
            numpy float32 (n, h, w, 3) in [-1, 1].
        """
        model = self.ema_generator if ema else self.generator
        return generate(model, n, seed, truncation, batch_size)

    def plan(self, batch_size=64, steps=1000):
        """What so many steps take (`cost.plan`); `batch_size` real images in a D step."""
        return cost.plan(self.generator, self.discriminator, batch_size, steps, self.n_dis)

    def gammas(self):
        """Attention's gamma of each network that has one: {"g_gamma": ..., "d_gamma": ...}."""
        return self._of_both("gamma", attention_layers, lambda layer: layer.gamma)

    def sigmas(self):
        """The largest raw singular value in each normalized network: {"g_sigma", "d_sigma"}."""
        return self._of_both("sigma", normalized_layers, lambda layer: layer.sigma()[0])

    def _of_both(self, name, layers_of, read):
        layers = {"g": layers_of(self.generator), "d": layers_of(self.discriminator)}
        found = {k: [float(read(x).numpy()) for x in v] for k, v in layers.items() if v}
        return {f"{k}_{name}": max(values) for k, values in found.items()}

    @contextlib.contextmanager
    def _groups_that_divide(self, length):
        """Meanwhile steps_per_execution divides `length`: Keras always finishes a group."""
        asked = self.steps_per_execution
        fits = largest_divisor(length, asked)
        if fits == asked:
            yield  # and keeps the traced function
            return
        self.steps_per_execution, self.train_function = fits, None  # the size is traced into it
        try:
            yield
        finally:
            self.steps_per_execution, self.train_function = asked, None

    def _checked(self, real):
        """`real`, if it is what a step takes: float images for the networks, in n_dis parts."""
        if isinstance(real, tuple) and real and all(each is None for each in real[1:]):
            real = real[0]  # as `train_on_batch` and generators hand on what has no labels
        if not tf.is_tensor(real):
            raise ValueError(f"a batch must be images alone, got a {type(real).__name__}")
        wanted = self.discriminator.inputs[0].shape[1:]
        if not real.dtype.is_floating or not real.shape.is_compatible_with((None, *wanted)):
            raise ValueError(
                f"a batch must be float images in [-1, 1] of shape (n, {str(wanted)[1:]}, got "
                f"{real.dtype.name} {real.shape}; datasets.source.from_bytes makes them of uint8"
            )
        real = tf.cast(real, tf.float32)  # the networks' own; fakes are joined to it
        real = tf.ensure_shape(real, (None, *wanted))  # a generator may not say its own
        said = f"a batch must hold a multiple of n_dis={self.n_dis} images"
        if real.shape[0] is not None and real.shape[0] % self.n_dis:
            raise ValueError(f"{said}, got {real.shape[0]}")
        if real.shape[0] is not None:
            return real
        size, asserted = tf.shape(real)[0], []
        if self.n_dis > 1:
            asserted.append(tf.debugging.assert_equal(size % self.n_dis, 0, message=said))
        replica = tf.distribute.get_replica_context()
        if replica and (count := replica.num_replicas_in_sync) > 1:
            total = replica.all_reduce("sum", tf.cast(size, tf.float32))
            asserted.append(tf.debugging.assert_equal(
                total, tf.cast(count * size, tf.float32),
                message="a batch must hold as many images for each device; drop the remainder",
            ))  # fmt: skip
        with tf.control_dependencies(asserted):
            return tf.identity(real)

    def _checked_array(self, images, batch_size):
        """`as_images`, if every batch of it can be dealt evenly to the devices."""
        count, rest = self.distribute_strategy.num_replicas_in_sync, len(images) % batch_size
        if count > 1 and (rest % count or batch_size % count):
            raise ValueError(
                f"x must come in batches of a multiple of {count} images, one share for each "
                f"device, got {len(images)} in batches of {batch_size}"
            )
        return as_images("x", images)

    def _check_scope(self, variables):
        """ValueError unless these variables were made under the scope that this model is in."""
        strategy = self.distribute_strategy
        if not all(strategy.extended.variable_created_in_scope(v.value) for v in variables):
            raise ValueError(
                "make the networks, the optimizers and the GAN under the same strategy.scope(); "
                f"this GAN is under {type(strategy).__name__}, with "
                f"{strategy.num_replicas_in_sync} device(s)"
            )

    def get_config(self):
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "seed": self.seed,
            "ema_decay": self.ema_decay,
            "about": self.about,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        nets = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("generator", "discriminator")
        }
        finetune.freeze_again(*nets.values())
        return cls(**config | nets)

    def get_compile_config(self):
        if not self.compiled:
            return None
        return {
            "g_optimizer": keras.saving.serialize_keras_object(self.g_optimizer),
            "d_optimizer": keras.saving.serialize_keras_object(self.d_optimizer),
            "loss": self.loss_name,
            "n_dis": self.n_dis,
            "augment": self.augment and self.augment.get_config(),
        }

    def compile_from_config(self, config):
        optimizers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("g_optimizer", "d_optimizer")
        }
        self.compile(**config | optimizers)

    @classmethod
    def load(cls, path):
        """A GAN from the `.keras` file that `save` wrote, ready to sample or to train on.

        Args:
            path: of the file.

        Raises:
            FileNotFoundError: no such file. TypeError: the file holds another kind of model.
            ValueError: it is damaged, or lacks something of the model or of its optimizers.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such file")
        with warnings.catch_warnings():  # else Keras goes on without an optimizer's variables
            warnings.filterwarnings("error", "Skipping variable loading for optimizer")
            try:
                model = keras.models.load_model(path)
            except (MemoryError, tf.errors.OpError):
                raise
            except Exception as error:  # whatever Keras and HDF5 raise; without the file's name
                said = " ".join(str(error).split())[:300]
                raise ValueError(f"{path} cannot be loaded: {said}") from error
        if not isinstance(model, cls):
            raise TypeError(f"{path} holds a {type(model).__name__}, expected a GAN")
        return model


def _rows(draw, n, width, key):
    """A replica's own n rows of the numbers that one device draws for the whole batch."""
    replica = tf.distribute.get_replica_context()
    count = replica.num_replicas_in_sync if replica else 1
    drawn = draw((n * count, width), key, alg="philox")
    if count == 1:
        return drawn
    return tf.reshape(drawn, (count, n, width))[replica.replica_id_in_sync_group]


def frozen_call(model, inputs):
    """A training-mode call whose side effects (moments, `u`) are dropped."""
    outputs, _ = model.stateless_call(
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
        inputs, training=True,
    )  # fmt: skip
    return outputs


def _check_optimizer(name, optimizer, network):
    """Refuse what is no optimizer, and one whose moments are those of another network."""
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(f"{name} must be a Keras optimizer, got {optimizer!r}")
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    moved = {id(v) for v in getattr(inner, "_trainable_variables", ())}
    if inner.built and moved != {id(v) for v in network.trainable_variables}:
        raise ValueError(f"{name} must be new, or this network's own, got one that moves other "
                         "variables")  # fmt: skip


def _batch_norms(model):
    found = model._flatten_layers()
    return [layer for layer in found if isinstance(layer, keras.layers.BatchNormalization)]


def descend(optimizer, tape, loss, model):
    """One step down the mean of all replicas' losses: the optimizer adds their gradients up.

    Args:
        optimizer: of the model.
        tape: that saw the loss.
        loss: scalar.
        model: whose trainable variables move.
    """
    variables = model.trainable_variables
    share = tf.ones_like(loss) / tf.distribute.get_strategy().num_replicas_in_sync
    gradients = tape.gradient(loss, variables, optimizer.scale_loss(share))
    with tf.name_scope("optimizer"):
        optimizer.apply(gradients, variables)
