"""What D is shown: each policy against a picture moved by hand, and a training that goes on."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gan import same, small, values

from sagan_lib import augment, gan, penalties, sagan, ttur
from sagan_lib.augment import DRAWS, POLICIES, Augmentation
from sagan_lib.datasets.faces import Faces

RNG = np.random.default_rng(5)
IMAGES = RNG.uniform(-1, 1, (6, 16, 16, 3)).astype(np.float32)
NUMBERS = RNG.uniform(0, 1, (6, DRAWS)).astype(np.float32)
ALMOST = np.float32(1 - 2**-24)
EVERYTHING = "color,translation,cutout,flip"


@pytest.fixture(scope="module")
def images():
    return Faces(16, 100)


def of(policy, draws, pictures=IMAGES, strength=1.0):
    draws = np.broadcast_to(np.float32(draws), (len(pictures), len(draws)))
    return POLICIES[policy][0](tf.constant(pictures), tf.constant(draws), strength).numpy()


@pytest.mark.parametrize(
    ("draws", "down", "right"),
    [((0, 0), -2, -2), ((0.5, 0.5), 0, 0), ((0.5, ALMOST), 0, 2), ((ALMOST, 0.3), 2, -1)],
)
def test_a_translation_moves_by_up_to_an_eighth_and_brings_in_grey(draws, down, right):
    wanted = np.zeros_like(IMAGES)
    for y in range(16):
        for x in range(16):
            if 0 <= y - down < 16 and 0 <= x - right < 16:
                wanted[:, y, x] = IMAGES[:, y - down, x - right]
    np.testing.assert_array_equal(of("translation", draws), wanted)


@pytest.mark.parametrize(
    ("draws", "rows", "columns"),
    [((0, 0), (0, 4), (0, 4)), ((ALMOST, 0.5), (12, 16), (4, 12)), ((0.5, 0.3), (4, 12), (1, 9))],
)
def test_a_cutout_hides_a_square_of_half_the_side_around_any_place(draws, rows, columns):
    wanted = IMAGES.copy()
    wanted[:, slice(*rows), slice(*columns)] = 0
    np.testing.assert_array_equal(of("cutout", draws), wanted)


def test_colours_change_as_the_paper_has_it():
    for brightness, saturation, contrast in [(0.1, 0.5, 0.5), (0.5, 0.9, 0.5), (0.5, 0.5, 0.2),
                                             (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]:  # fmt: skip
        x = IMAGES + brightness - 0.5
        grey = x.mean(3, keepdims=True)
        x = grey + 2 * saturation * (x - grey)
        mean = x.mean((1, 2, 3), keepdims=True)
        wanted = mean + (contrast + 0.5) * (x - mean)
        found = of("color", (brightness, saturation, contrast))
        np.testing.assert_allclose(found, wanted, atol=2e-6)


@pytest.mark.parametrize("policy", POLICIES)
def test_strength_0_leaves_a_picture_as_it_is_and_1_does_not(policy):
    columns = POLICIES[policy][1]
    nothing = Augmentation(policy, strength=0.0)(tf.constant(IMAGES), tf.constant(NUMBERS))
    np.testing.assert_allclose(nothing, IMAGES, atol=1e-6)
    weak, whole = (
        np.abs(Augmentation(policy, strength=s)(tf.constant(IMAGES), NUMBERS) - IMAGES).mean()
        for s in (0.5, 1.0)
    )
    assert 0 < weak < whole
    assert columns.stop <= augment.COIN


def test_policies_are_independent_and_come_in_one_order():
    """Whatever else is chosen, an image keeps its colour's numbers; no column serves two."""
    by_hand = tf.constant(IMAGES)
    for policy, columns in POLICIES.values():
        by_hand = policy(by_hand, tf.constant(NUMBERS[:, columns]))
    for text in ("color,translation,cutout", "cutout, color, translation"):
        np.testing.assert_array_equal(Augmentation(text)(tf.constant(IMAGES), NUMBERS), by_hand)
    taken = [list(range(DRAWS)[columns]) for _, columns in POLICIES.values()]
    columns = [column for each in taken for column in each]
    assert sorted([*columns, augment.COIN, augment.FLIP]) == list(range(DRAWS))


def test_with_a_probability_so_many_pictures_are_untouched():
    pictures = tf.constant(np.repeat(IMAGES[:1], 2000, 0))
    draws = tf.random.stateless_uniform((2000, DRAWS), (1, 2))
    changed = Augmentation("color,cutout", 0.5)(pictures, draws).numpy()
    always = Augmentation("color,cutout")(pictures, draws).numpy()
    untouched = (changed == pictures.numpy()).all((1, 2, 3))
    assert 0.46 < untouched.mean() < 0.54
    np.testing.assert_array_equal(changed[~untouched], always[~untouched])
    never = Augmentation("color,cutout", 0.0)(pictures, draws)
    np.testing.assert_array_equal(never, pictures)


def test_flips_mirror_half_of_the_real_pictures_and_no_generated_one():
    draws = tf.constant(NUMBERS)
    flip = Augmentation("flip", probability=0.0)  # flips do not ask the coin
    np.testing.assert_array_equal(flip(tf.constant(IMAGES), draws), IMAGES)
    shown = flip(tf.constant(IMAGES), draws, real=True).numpy()
    mirrored = NUMBERS[:, augment.FLIP] < 0.5
    assert 0 < mirrored.sum() < 6
    np.testing.assert_array_equal(shown[mirrored], IMAGES[mirrored, :, ::-1])
    np.testing.assert_array_equal(shown[~mirrored], IMAGES[~mirrored])


@pytest.mark.parametrize("policy", POLICIES)
def test_the_gradient_runs_back_through_each_policy(policy):
    """Each is affine in the picture, so a difference gives its gradient exactly."""
    x, weights = tf.constant(IMAGES), RNG.normal(size=IMAGES.shape).astype(np.float32)
    direction = RNG.normal(size=IMAGES.shape).astype(np.float32)

    def value(pictures):
        return tf.reduce_sum(weights * Augmentation(policy)(pictures, NUMBERS))

    with tf.GradientTape() as tape:
        tape.watch(x)
        result = value(x)
    slope = np.sum(tape.gradient(result, x) * direction)
    np.testing.assert_allclose(slope, value(x + direction) - result, rtol=1e-3, atol=0.02)
    assert abs(slope) > 1


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "xla"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_shape_and_dtype_stay_traced_compiled_and_in_bfloat16(dtype, jit):
    made = Augmentation(EVERYTHING)
    shown = tf.function(lambda x, u: made(x, u, real=True), jit_compile=jit)(
        tf.cast(IMAGES, dtype), tf.constant(NUMBERS)
    )
    assert (shown.shape, shown.dtype) == (IMAGES.shape, dtype)
    if dtype == "float32":
        wanted = made(tf.constant(IMAGES), NUMBERS, real=True)
        np.testing.assert_allclose(shown, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("colour", ValueError, r"augment: policies must be one of \['color', 'translation', "),
        ("color,color", ValueError, "policies must name each one once, got 'color,color'"),
        (3, TypeError, "augment must be a text or an Augmentation, got 3"),
        ({"policies": "color", "probability": 1.5}, ValueError, "probability must be"),
    ],
)
def test_what_is_no_augmentation_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        small().compile(**ttur.two_time_scale(), augment=given)


@pytest.mark.parametrize(
    ("pictures", "draws", "words"),
    [(IMAGES[0], NUMBERS, r"images must have shape \(n, h, w, 3\), got \(16, 16, 3\)"),
     (IMAGES, NUMBERS[:, :5], r"draws must have shape \(n, 9\), got \(6, 5\)")],
)  # fmt: skip
def test_pictures_or_draws_of_another_shape_are_refused(pictures, draws, words):
    with pytest.raises(ValueError, match=words):
        Augmentation("color")(tf.constant(pictures), draws)


def augmented(given=EVERYTHING, kind="sagan", traced=False, n_dis=1):
    model = small(kind, n_dis=n_dis)
    model.compile(**ttur.two_time_scale(n_dis=n_dis), augment=given, run_eagerly=not traced)
    return model


def test_each_picture_has_a_draw_of_its_own_that_seed_and_step_decide():
    model, again = augmented("color"), augmented("color")
    pictures = tf.constant(np.repeat(IMAGES[:1], 4, 0))
    shown = [model._changed(pictures, 0), model._changed(pictures, 0, real=True)]
    shown += [model._changed(pictures, 1)]
    np.testing.assert_array_equal(shown[0], again._changed(pictures, 0))
    model.step.assign(1)
    shown += [model._changed(pictures, 0)]
    each = [picture.tobytes() for batch in shown for picture in batch.numpy()]
    assert len(set(each)) == len(each) == 16
    model.step.assign(0)
    np.testing.assert_array_equal(model._changed(pictures, 0), shown[0])
    again.seed = 1
    assert not np.array_equal(again._changed(pictures, 0), shown[0])


def test_labels_beside_the_pictures_stay_as_they_are():
    model, labels = augmented("color"), tf.eye(6)
    changed, same_labels = model._changed([tf.constant(IMAGES), labels], 0)
    assert same_labels is labels
    np.testing.assert_array_equal(changed, model._changed(tf.constant(IMAGES), 0))


def test_the_gradient_reaches_g_and_is_that_of_what_d_saw():
    """Where all is hidden from D, nothing moves G; where nothing is, G moves as without."""

    def g_moves(change):
        model = augmented("color")
        model.augment, trained = change, model.generator.trainable_variables
        before = [v.numpy() for v in trained]
        model.g_step(model.noise(8, 1))
        return [v.numpy() - b for b, v in zip(before, trained, strict=True)]

    plain = g_moves(None)
    assert same(plain, g_moves(lambda x, draws, real: x))
    assert not any(np.abs(move).any() for move in g_moves(lambda x, draws, real: 0 * x))
    shown = g_moves(Augmentation("color,translation,cutout"))
    assert all(np.abs(move).any() for move in shown)
    assert not same(plain, shown)


def test_d_is_shown_no_picture_as_it_is_in_its_step_and_in_gs():
    seen = []
    model = augmented("cutout")
    model.augment = lambda x, draws, real: seen.append(real) or x + 9
    plain = model.discriminator.call

    def look(x, **options):
        assert float(tf.reduce_min(x)) > 5
        return plain(x, **options)

    model.discriminator.call = look
    model.train_step(tf.constant(IMAGES))
    assert sorted(seen) == [False, False, True, True]  # in D's step and in G's


def test_off_it_adds_nothing_to_the_step_and_on_it_leaves_the_noise():
    on, off = augmented(), augmented(None)
    pictures = tf.constant(IMAGES)
    assert off._changed(pictures, 0) is off._changed(pictures, 0, real=True) is pictures
    assert on._changed(pictures, 0) is not pictures
    np.testing.assert_array_equal(on.noise(4), off.noise(4))


@pytest.mark.parametrize("penalty", ["r1", "r1r2", "gp"])
def test_a_penalty_is_taken_at_what_d_is_changed(penalty, monkeypatch):
    seen = []
    keras.utils.set_random_seed(1)
    nets = sagan.generator(16, 4, 8), sagan.discriminator(16, 4, use_sn=False)
    model = penalties.PenalizedGAN(*nets)
    model.compile(**ttur.two_time_scale(), loss="bce", penalty=penalty, augment="color",
                  run_eagerly=True)  # fmt: skip
    model.augment = lambda x, draws, real: x * 0 + (0.25 if real else -0.25)

    def look(discriminator, pictures):
        seen.extend([float(tf.reduce_min(pictures)), float(tf.reduce_max(pictures))])
        return tf.zeros(len(pictures))

    monkeypatch.setattr(penalties, "squared_slopes", look)
    model.d_step(tf.constant(IMAGES), model.noise(6))
    wanted = {"r1": [0.25] * 2, "r1r2": [0.25] * 2 + [-0.25] * 2}
    if penalty == "gp":
        assert -0.25 <= seen[0] < seen[1] <= 0.25
    else:
        assert seen == wanted[penalty]


def test_it_is_saved_with_the_run(tmp_path):
    given = Augmentation("color,flip", 0.5, 0.75)
    model = augmented(given)
    model.save(tmp_path / "run.keras")
    assert gan.GAN.load(tmp_path / "run.keras").augment == given
    model.compile(**ttur.two_time_scale())
    assert model.get_compile_config()["augment"] is None


def state(model):
    found = (model.generator, model.discriminator, model.g_optimizer, model.d_optimizer)
    return [value for each in found for value in values(each)]


@pytest.mark.parametrize("traced", [
    pytest.param(False, marks=pytest.mark.book), pytest.param(True, marks=pytest.mark.full),
])  # fmt: skip
def test_n_and_n_steps_are_2n_steps_bit_for_bit(traced, images, tmp_path):
    whole, first = (augmented(traced=traced, n_dis=2) for _ in range(2))
    whole.fit(images, steps=6, batch_size=10, verbose=0)
    first.fit(images, steps=3, batch_size=10, verbose=0)
    first.save(tmp_path / "run.keras")
    second = gan.GAN.load(tmp_path / "run.keras")
    second.run_eagerly = not traced
    second.fit(images, steps=3, batch_size=10, verbose=0)
    assert same(state(whole), state(second))


@pytest.mark.parametrize("mixed", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.full
def test_a_compiled_step_trains_in_both_precisions_and_in_one_graph(mixed, images):
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else "float32")
    try:
        model = augmented(traced=True)
        model.compile(**ttur.two_time_scale(), augment=EVERYTHING, jit_compile=True)
        history = model.fit(images, steps=4, batch_size=8, log_every=2, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history["d_loss"] + history["g_loss"]).all()
