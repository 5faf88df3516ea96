"""The training loop: ownership of variables, exact resume, one counter, divergence."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gan import same, small, state, values

from sagan_lib import dcgan, gan, sampling, ttur
from sagan_lib.callbacks import DivergedError
from sagan_lib.datasets.faces import Faces
from sagan_lib.datasets.source import from_bytes
from sagan_lib.spectral_norm import exact_sigma, kernel_matrix, normalized_layers


@pytest.fixture(scope="module")
def images():
    return Faces(16, 100)


def real(images, n=8):
    return tf.constant(images.images[:n], tf.float32) / 127.5 - 1


def optimizers_of(model):
    return model.g_optimizer, model.d_optimizer


@pytest.mark.parametrize("kind", ["sagan", "attention", "dcgan"])
def test_each_step_changes_its_own_network_only(kind, images):
    model = small(kind)
    z = model.noise(8, 0)
    g, g_adam = values(model.generator), values(model.g_optimizer)
    model.d_step(real(images), z)
    assert same(g, values(model.generator))
    assert same(g_adam, values(model.g_optimizer))
    d, d_adam = values(model.discriminator), values(model.d_optimizer)
    model.g_step(z)
    assert same(d, values(model.discriminator))
    assert same(d_adam, values(model.d_optimizer))
    for before, variable in zip(g, model.generator.variables, strict=True):
        moved = not np.array_equal(before, variable.numpy())
        # at gamma = 0 nothing reaches the attention's convolutions but gamma itself
        asleep = "attention/" in variable.path and variable.name in ("kernel", "bias")
        assert moved != asleep, variable.path


def test_u_moves_one_round_for_each_step_of_its_own_network(images):
    model, n_dis = small("sagan", n_dis=3), 3
    wide = model.discriminator.get_layer("down4")
    model.d_optimizer.learning_rate.assign(0.0)  # the kernel stands still, u alone moves
    u = wide.u.numpy()
    model.train_step(real(images, 6 * n_dis))
    flat = wide.kernel.numpy().reshape(-1, wide.kernel.shape[-1])
    for _ in range(n_dis):
        u = flat.T @ (flat @ u)
        u /= np.linalg.norm(u)
    np.testing.assert_allclose(wide.u.numpy(), u, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "loss", "decay_steps"), [("attention", "hinge", None), ("dcgan", "bce", 8)]
)
@pytest.mark.book
def test_n_and_n_steps_are_2n_steps_bit_for_bit(kind, loss, decay_steps, images, tmp_path):
    """Here step by step; traced, by the command line: cli/kills.py. A decay goes on, too."""
    whole = small(kind, loss=loss, decay_steps=decay_steps)
    whole.fit(images, steps=6, batch_size=10, log_every=4, verbose=0)
    first = small(kind, loss=loss, decay_steps=decay_steps)
    first.fit(images, steps=3, batch_size=10, log_every=2, verbose=0)
    first.save(tmp_path / "run.keras")
    second = gan.GAN.load(tmp_path / "run.keras")
    second.run_eagerly = True
    assert same(state(first), state(second))
    second.fit(images, steps=3, batch_size=10, log_every=3, verbose=0)
    assert int(second.step.numpy()) == 6
    assert same(state(whole), state(second))


@pytest.mark.book
def test_no_noise_of_a_run_is_drawn_twice_though_it_is_compiled_anew(images, monkeypatch):
    """Also not by two draws whose step and index have the same sum, product or the like."""
    drawn, plain = [], gan.GAN.noise
    monkeypatch.setattr(
        gan.GAN, "noise", lambda *a: drawn.append(z := plain(*a)) or z
    )  # fmt: skip
    model = small("dcgan", n_dis=5)
    model.fit(images, steps=4, batch_size=2, verbose=0)
    for n_dis in (1, 2):
        model.compile(**ttur.two_time_scale(n_dis=n_dis), run_eagerly=True)
        model.fit(images, steps=4, batch_size=2, verbose=0)
    assert len(drawn) == 4 * 6 + 4 * 2 + 4 * 3
    assert len({z.numpy().tobytes() for z in drawn}) == len(drawn)
    same_seed, other_seed = small("dcgan"), small("dcgan", seed=1)
    for other in (same_seed, other_seed):
        other.step.assign(4)
    np.testing.assert_array_equal(same_seed.noise(2, 1), drawn[25])  # of seed, step and index
    assert not np.array_equal(other_seed.noise(2, 1), drawn[25])


@pytest.mark.parametrize(("kind", "dtype"), [("dcgan", "float64"), ("sagan", "float16")])
def test_batches_of_any_float_dtype_train_as_float32(kind, dtype, images):
    moved = []
    for as_dtype in (dtype, "float32"):
        model = small(kind)
        batch = tf.cast(tf.cast(real(images), dtype), as_dtype)
        model.fit(tf.data.Dataset.from_tensors(batch), verbose=0)
        moved.append(state(model))
    assert same(*moved)


def test_regularizers_of_layers_are_part_of_the_loss(images):
    """Their gradient, written out: 2 * 0.5 * W for half the sum of squares."""

    def dense(regularizer):
        keras.utils.set_random_seed(3)
        x, z = keras.Input((16, 16, 3)), keras.Input((8,))
        made = keras.layers.Dense(768, kernel_regularizer=regularizer, name="k")(z)
        score = keras.layers.Dense(1, kernel_regularizer=regularizer, name="k")
        pair = (keras.Model(z, keras.layers.Reshape((16, 16, 3))(made)),
                keras.Model(x, score(keras.layers.Flatten()(x))))  # fmt: skip
        model = gan.GAN(*pair)
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), run_eagerly=True)
        start = [net.get_layer("k").kernel.numpy() for net in pair]
        losses = model.d_step(real(images), z := model.noise(8)), model.g_step(z)
        moved = [net.get_layer("k").kernel.numpy() - w for net, w in zip(pair, start, strict=True)]
        return moved, start, losses

    moved, start, losses = dense(keras.regularizers.L2(0.5))
    plain, _, plain_losses = dense(None)
    assert float(losses[0] - plain_losses[0]) == pytest.approx(np.sum(start[1] ** 2) / 2, rel=1e-3)
    np.testing.assert_allclose(moved[1] - plain[1], -0.1 * start[1], atol=1e-5)
    assert float(losses[1]) > float(plain_losses[1]) + 1


@pytest.mark.book
def test_float16_scales_its_losses_and_moves_as_float32_does(images, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small("attention")
    finally:
        keras.config.set_dtype_policy("float32")
    exact = small("attention")
    for each in (model, exact):
        each.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), run_eagerly=True)
    assert isinstance(model.d_optimizer, keras.optimizers.LossScaleOptimizer)
    assert not isinstance(exact.d_optimizer, keras.optimizers.LossScaleOptimizer)
    start = values(exact.discriminator)
    for each in (model, exact):
        each.d_step(real(images), each.noise(8))
    whole = [np.concatenate([np.ravel(now - old) for now, old in zip(v, start, strict=True)])
             for v in (values(model.discriminator), values(exact.discriminator))]  # fmt: skip
    assert np.linalg.norm(whole[1]) > 0
    assert np.linalg.norm(whole[0] - whole[1]) < 0.05 * np.linalg.norm(whole[1])
    model.fit(images, steps=2, batch_size=8, verbose=0)
    model.save(tmp_path / "run.keras")
    assert same(state(model), state(gan.GAN.load(tmp_path / "run.keras")))


def test_a_plain_dataset_trains_with_keras_own_arguments(images):
    ours, keras_own = small("dcgan", seed=3), small("dcgan", seed=3)
    ours.fit(images, steps=2, batch_size=10, verbose=0)
    data = images.batches(10, keras_own.seed)
    history = keras_own.fit(data, epochs=2, steps_per_epoch=1, verbose=0).history
    assert len(history["d_loss"]) == 2
    assert same(state(ours), state(keras_own))
    with pytest.raises(ValueError, match="steps, save_to and held_out need a Source"):
        keras_own.fit(data, steps=2)


def test_train_step_is_the_written_out_algorithm(images):
    """One hinge step of plain gradient descent, done again with nothing but TensorFlow."""
    rate_g, rate_d, batch = 0.1, 0.2, real(images)
    model, other = small(), small()
    model.compile(keras.optimizers.SGD(rate_g), keras.optimizers.SGD(rate_d), loss="hinge")
    model.train_step(batch)

    g, d, start = other.generator, other.discriminator, values(other.generator)
    fake = g(other.noise(8, 0), training=True)
    for variable, value in zip(g.variables, start, strict=True):
        variable.assign(value)  # D's step leaves no trace in G
    with tf.GradientTape() as tape:
        scores = d(tf.concat([batch, fake], 0), training=True)
        loss = tf.reduce_mean(tf.nn.relu(1 - scores[:8])) + tf.reduce_mean(
            tf.nn.relu(1 + scores[8:])
        )
    for v, gradient in zip(
        d.trainable_variables, tape.gradient(loss, d.trainable_variables), strict=True
    ):
        v.assign_sub(rate_d * gradient)
    after_d = values(d)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(d(g(other.noise(8, 1), training=True), training=True))
    for v, gradient in zip(
        g.trainable_variables, tape.gradient(loss, g.trainable_variables), strict=True
    ):
        v.assign_sub(rate_g * gradient)

    for ours, theirs in zip(
        values(model.discriminator) + values(model.generator), after_d + values(g), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def policy(request):
    """In bfloat16, with three decimal digits, the small steps of an average would be lost."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def test_ema_follows_its_recursion_and_copies_u(images, policy):
    model = small()
    pairs = list(zip(model.ema_generator.weights, model.generator.weights, strict=True))
    for step in range(3):
        before = [mean.numpy() for mean, _ in pairs]
        model.train_step(real(images))
        decay = min(0.999, (1 + step) / (10 + step))
        for old, (mean, weight) in zip(before, pairs, strict=True):
            now = weight.numpy()
            expected = now if weight.name == "u" else decay * old + (1 - decay) * now
            np.testing.assert_allclose(mean.numpy(), expected, rtol=1e-4, atol=1e-6)
    names = {weight.name for _, weight in pairs}
    assert {"u", "moving_mean", "moving_variance", "kernel"} <= names


def test_history_has_losses_gamma_and_sigma(images):
    model = small("attention")
    history = model.fit(images, steps=3, batch_size=4, log_every=2, verbose=0).history
    assert history["step"] == [2, 3]
    wanted = {"d_loss", "g_loss", "g_gamma", "d_gamma", "g_sigma", "d_sigma"}
    assert wanted <= set(history)
    assert all(len(history[name]) == 2 for name in wanted)
    largest = max(
        float(exact_sigma(kernel_matrix(layer.kernel, layer.kind)))
        for layer in normalized_layers(model.discriminator)
    )
    assert history["d_sigma"][-1] <= largest * 1.001
    assert history["d_sigma"][-1] >= largest * 0.7  # few steps, so u is not yet settled


@pytest.mark.book
def test_grouped_steps_are_the_same_steps(images):
    """Four steps an execution do not divide this run, which must not grow for that."""
    states, seen, traced = [], [], []
    for group in (1, 4):
        model = small("dcgan", traced=True)
        model.compile(**ttur.two_time_scale(1e-3, 4e-3), steps_per_execution=group)
        step = model.train_step
        model.train_step = lambda real, step=step, group=group: traced.append(group) or step(real)
        history = model.fit(images, steps=15, batch_size=4, log_every=4, verbose=0).history
        assert int(model.step.numpy()) == 15
        assert model.steps_per_execution == group
        states.append(state(model))
        seen.append((history["step"], history["d_loss"], history["g_loss"]))
    assert traced.count(1) == 1
    assert traced.count(4) <= 2, "once for a whole group, once for the rest"
    assert seen[0][0] == [4, 8, 12, 15]
    assert seen[0] == seen[1]
    assert same(*states)


def test_the_plan_is_printed_before_training(images, capsys):
    small("dcgan").fit(images, steps=1, batch_size=10)
    printed = capsys.readouterr().out
    assert "1 steps; 0.0" in printed
    assert "GFLOP a step" in printed


def test_sample_is_of_the_averaged_generator_unless_asked_otherwise():
    model = small("dcgan")
    model.ema_generator.set_weights([w + 0.1 for w in model.ema_generator.get_weights()])
    for ema, net in ((True, model.ema_generator), (False, model.generator)):
        expected = sampling.generate(net, 3, 5, 0.7, batch_size=2)
        np.testing.assert_array_equal(model.sample(3, 5, 0.7, ema, batch_size=2), expected)


def test_mixed_precision_trains_with_float32_weights(images):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small("dcgan")
        history = model.fit(images, steps=2, batch_size=10, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history["d_loss"][-1])
    assert {w.dtype for w in model.generator.weights} == {"float32"}
    assert model.d_step(real(images), sampling.latent(8, 8)).dtype == tf.float32
    assert model.g_step(sampling.latent(8, 8)).dtype == tf.float32
    assert model.sample(2).dtype == np.float32
    assert model.generator.get_layer("up8").compute_dtype == "bfloat16"


@pytest.mark.book
def test_mixed_precision_leaves_no_large_product_in_float32():
    """In the traced step, float32 products have a vector for a factor (power iteration, score), or
    are attention's scores, a sum of c/8 = 2 products each."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small("attention")
        step = tf.function(model.train_step).get_concrete_function(tf.TensorSpec((8, 16, 16, 3)))
    finally:
        keras.config.set_dtype_policy("float32")
    assert not step.graph.as_graph_def().library.function  # nothing is hidden in a nested graph
    kinds = ("MatMul", "Conv", "Einsum")
    products = [op for op in step.graph.get_operations() if any(k in op.type for k in kinds)]
    dtypes = {op.type: set() for op in products}
    for op in products:
        dtypes[op.type].add(op.outputs[0].dtype.name)
        if op.outputs[0].dtype == tf.float32:
            scores = op.type == "BatchMatMulV2" and op.inputs[0].shape[-1] == 2
            assert scores or 1 in op.inputs[0].shape or 1 in op.inputs[1].shape, op.name
    for kind in ("MatMul", "BatchMatMulV2"):
        assert dtypes.pop(kind) == {"float32", "bfloat16"}
    assert {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"} <= set(dtypes)
    assert set().union(*dtypes.values()) == {"bfloat16"}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, i: m.fit(i, steps=0), ValueError, "steps"),
        (lambda m, i: m.fit(i.images, batch_size=0), ValueError, "batch_size must be at least 1"),
        (lambda m, i: m.fit(i.images[:0]), ValueError, r"x must have shape .* with n > 0"),
        (lambda m, i: m.fit(i, steps=1, initial_epoch=5), ValueError, "takes no initial_epoch"),
        (lambda m, i: m.fit(real(i), validation_split=0.5), ValueError, "no validation_split"),
        (lambda m, i: m.fit(i, steps=1, callbacks=[print]), TypeError, "callbacks must be of"),
        (lambda m, i: m.compile(m.g_optimizer, m.g_optimizer), ValueError, "two optimizers"),
        (lambda m, i: m.compile(m.g_optimizer, m.d_optimizer, loss="x"), ValueError, "loss must"),
        (lambda m, i: m.train_on_batch(real(i)[:0]), ValueError, r"x must have shape .* n > 0"),
        (lambda m, i: gan.GAN.load("nowhere.keras"), FileNotFoundError, "nowhere"),
        (lambda m, i: gan.GAN(m.generator, dcgan.discriminator(32, 4)), ValueError, "takes"),
    ],
)  # fmt: skip
def test_refuses(call, error, words, images):
    with pytest.raises(error, match=words):
        call(small("dcgan"), images)


@pytest.mark.book
def test_batches_with_labels_and_last_batches_that_do_not_divide_are_named():
    images = np.zeros((8, 16, 16, 3), np.float32)
    with pytest.raises(ValueError, match="a batch must be images alone, got a tuple"):
        small("dcgan").fit(tf.data.Dataset.from_tensors((images, np.zeros(8))), verbose=0)
    data = tf.data.Dataset.from_tensor_slices(images[:7]).batch(4)
    with pytest.raises(Exception, match="a batch must hold a multiple of n_dis=2 images"):
        small("dcgan", n_dis=2, traced=True).fit(data, verbose=0)


def test_batch_size_is_passed_on_with_arrays_and_nan_is_found_in_any_data():
    images = np.zeros((8, 16, 16, 3), np.float32)
    model = small("dcgan")
    model.fit(images, batch_size=2, verbose=0)
    assert int(model.step.numpy()) == 4
    images[3] = np.nan
    with pytest.raises(DivergedError):
        model.fit(tf.data.Dataset.from_tensor_slices(images).batch(2), verbose=0)


def test_fit_before_compile_and_with_images_of_another_size(images):
    model = small("dcgan")
    with pytest.raises(ValueError, match="x has images of 32 pixels, the networks take 16"):
        model.fit(Faces(32, 20), steps=1)
    model = gan.GAN(dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4))
    with pytest.raises(ValueError, match="loss must be one of"):
        model.compile(**ttur.preset("dcgan"), loss="hing")
    with pytest.raises(ValueError, match="compile the model first"):
        model.fit(images, steps=1)


def test_what_was_not_compiled_can_be_saved(tmp_path):
    model = gan.GAN(dcgan.generator(16, 4, 8), dcgan.discriminator(16, 4))
    model.save(tmp_path / "a.keras")
    again = gan.GAN.load(tmp_path / "a.keras")
    np.testing.assert_array_equal(again.sample(2), model.sample(2))


def test_keras_own_methods_of_one_batch_and_of_noise(images):
    """`train_on_batch` is a step, `predict` draws images of noise."""
    stepped, fitted = small(), small()
    batch = from_bytes(images.images[:8])
    losses = stepped.train_on_batch(batch, return_dict=True)
    fitted.fit(batch, batch_size=8, verbose=0, shuffle=False)
    assert losses.keys() == {"d_loss", "g_loss"}
    assert int(stepped.step.numpy()) == 1
    for ours, theirs in zip(stepped.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    z = sampling.latent(3, 8)
    np.testing.assert_allclose(stepped.predict(z, verbose=0), stepped.sample(3), atol=1e-6)


def test_a_file_that_is_none_of_ours_is_refused_by_name(tmp_path):
    (tmp_path / "run.keras").write_bytes(b"not a zip")
    with pytest.raises(ValueError, match=r"run\.keras cannot be loaded: "):
        gan.GAN.load(tmp_path / "run.keras")


def batches_of(images, n=4):
    for at in range(0, len(images), n):
        yield images[at : at + n]


def as_dataset(images):
    return tf.data.Dataset.from_tensor_slices(images).batch(4)


def without_shapes(images):
    return tf.data.Dataset.from_generator(lambda: batches_of(images), output_types=tf.float32)


class Batches(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = list(batches_of(images))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


KINDS = [as_dataset, without_shapes, batches_of, Batches, tf.constant, np.asarray]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_any_data_is_looked_at_once_before_it_is_trained_on(kind, images):
    floats = real(images).numpy()
    model = small("dcgan")
    before = values(model.discriminator)
    with pytest.raises(ValueError, match=r"float in \[-1, 1\], got 5 to 25"):
        model.fit(kind(np.float32(images.images[:8])), verbose=0)
    with pytest.raises(ValueError, match="must be finite"):
        model.fit(kind(floats * np.nan), verbose=0)
    with pytest.raises(ValueError, match=r"\(n, 16, 16, 3\), got float32 \(.*, 8, 16, 3\)"):
        model.fit(kind(floats[:, :8]), verbose=0)
    assert same(before, values(model.discriminator))
    with pytest.warns(UserWarning, match="no number is below 0"):
        model.fit(kind(floats / 2 + 0.5), verbose=0)


@pytest.mark.book
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_generator_that_ends_trains_as_the_array_does_and_no_step_more(images):
    """No batch is lost, and where there is none nothing moves: neither step nor moments nor u."""
    floats = real(images).numpy()
    found = []
    for kind in (as_dataset, batches_of):
        model = small("sagan", traced=True)
        model.fit(kind(floats), verbose=0)
        found.append(state(model))
    assert found[0][-1] == 2
    assert same(*found)
