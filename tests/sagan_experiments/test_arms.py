"""Arms of the experiments: each differs in what its name says, and is repeatable."""

import dataclasses
import json
import math

import numpy as np
import pytest

from sagan_experiments import arms, bugs
from sagan_lib import cost
from sagan_lib.attention import attention_layers
from sagan_lib.datasets.discs import Discs
from sagan_lib.spectral_norm import exact_sigma, kernel_matrix, normalized_layers

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("eager")]

TINY = arms.Protocol(
    resolution=32, width=4, latent_dim=4, batch_size=4, steps=4, faces=40, images=24,
    reference=30, checkpoints=2,
)  # fmt: skip


def built(name, protocol=TINY, seed=0):
    return arms.build(arms.ARMS[name], protocol, seed)


def test_no_two_arms_are_the_same():
    assert len(set(arms.ARMS.values())) == len(arms.ARMS)


@pytest.mark.parametrize(
    ("name", "in_g", "in_d"),
    [("base", True, True), ("sn_d", False, True), ("sn_none", False, False),
     ("dcgan", False, False)],
)  # fmt: skip
def test_an_arm_normalizes_what_it_says(name, in_g, in_d):
    model = built(name)
    assert bool(normalized_layers(model.generator)) == in_g
    assert bool(normalized_layers(model.discriminator)) == in_d


def test_rates_losses_steps_and_power_iterations_reach_the_model():
    five, ratio8, bce, power5 = (built(n) for n in ("five_to_one", "ratio8", "bce", "power5"))
    assert five.n_dis == 5
    assert float(ratio8.d_optimizer.learning_rate) == pytest.approx(
        8 * float(ratio8.g_optimizer.learning_rate)
    )
    assert bce.loss_name == "bce"
    assert {layer.power_iterations for layer in normalized_layers(power5.discriminator)} == {5}
    assert {layer.power_iterations for layer in normalized_layers(built("base").discriminator)} == {
        1
    }


@pytest.mark.parametrize(("name", "side"), [("attention16", 16), ("attention8", 8)])
def test_attention_is_where_the_arm_says(name, side):
    for net in (built(name).generator, built(name).discriminator):
        (layer,) = attention_layers(net)
        assert layer.input.shape[1:3] == (side, side)


def test_slopes_and_batch_normalization_of_dcgan_arms():
    def kinds(name):
        layers = built(name).discriminator.layers
        slopes = {x.negative_slope for x in layers if type(x).__name__ == "LeakyReLU"}
        return slopes, any(type(x).__name__ == "BatchNormalization" for x in layers)

    assert kinds("dcgan") == ({0.2}, True)
    assert kinds("dcgan_relu") == ({0.0}, True)
    assert kinds("dcgan_slope002") == ({0.02}, True)
    assert kinds("dcgan_no_bn") == ({0.2}, False)


@pytest.mark.parametrize("constraint", arms.CONSTRAINTS)
def test_settings_reach_the_optimizers(constraint):
    for setting, (rate, beta_1, beta_2, n_dis) in arms.SETTINGS.items():
        model = built(f"{constraint}_setting_{setting}")
        for optimizer in (model.g_optimizer, model.d_optimizer):
            found = optimizer.get_config()
            assert found["learning_rate"] == pytest.approx(rate)
            assert (found["beta_1"], found["beta_2"]) == (beta_1, beta_2)
        assert model.n_dis == n_dis
        assert bool(normalized_layers(model.discriminator)) == (constraint == "sn")


@pytest.mark.parametrize(("init", "gain"), [("glorot", 1.0), ("he", 2.0)])
def test_first_weights_have_the_variance_that_their_name_says(init, gain):
    model = built(f"dcgan_no_bn_{init}", arms.Protocol(), 3)
    for net in (model.generator, model.discriminator):
        for layer in (layer for layer in net.layers if hasattr(layer, "kernel")):
            *field, rows, columns = layer.kernel.shape
            area = np.prod(field)
            fan = rows * area if init == "he" else (rows + columns) * area / 2
            assert np.var(layer.kernel) == pytest.approx(gain / fan, rel=0.15), layer.name


BY_LAYER = dataclasses.replace(TINY, first_weights="by layer")


def kernels(name, protocol=BY_LAYER, seed=0):
    """{network and layer: first kernel} of an arm."""
    model = built(name, protocol, seed)
    return {
        f"{net.name}/{layer.kernel.path}": layer.kernel.numpy()
        for net in (model.generator, model.discriminator)
        for layer in net._flatten_layers()
        if hasattr(layer, "kernel")
    }


def common(first, second):
    """Names of the kernels of equal shape that two arms share."""
    return [k for k, v in first.items() if k in second and second[k].shape == v.shape]


@pytest.mark.parametrize(
    ("one", "other"),
    [("base", "r1"), ("base", "attention16"), ("attention16", "attention8"),
     ("attention16", "pooled16"), ("patch10_far", "patch10_far_d"), ("dcgan", "dcgan_pooling"),
     ("dcgan_no_bn_he", "dcgan_no_bn_he")],
)  # fmt: skip
def test_by_layer_arms_that_share_a_layer_share_its_first_kernel(one, other):
    first, second = kernels(one), kernels(other)
    names = common(first, second)
    for name in names:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    if (one, other) == ("base", "r1"):
        assert set(names) == set(first) == set(second)
        assert len(names) == 9
        in_order = kernels(one, TINY), kernels(other, TINY)
        same = [np.array_equal(*(each[name] for each in in_order)) for name in names]
        assert sum(same) < 9, "and by that it differs from the other way to draw"


def test_by_layer_each_layer_each_network_and_each_seed_has_its_own_kernel():
    found = [*kernels("attention16").values(), *kernels("attention16", seed=1).values()]
    flat = [each.ravel()[:16] / each.std() for each in found]
    for k, each in enumerate(flat):
        assert not any(np.allclose(each, other) for other in flat[:k] if len(other) == len(each))


def test_only_kernels_are_drawn_by_layer_and_u_follows():
    net, _ = arms.networks_of(arms.ARMS["attention16"], TINY)
    before = {w.path: w.numpy() for w in net.weights}
    arms.draw_by_layer(net, 3)
    moved = {w.path for w in net.weights if not np.array_equal(before[w.path], w.numpy())}
    assert {path.rpartition("/")[2] for path in moved} == {"kernel", "u"}
    for layer in normalized_layers(net):
        exact = float(exact_sigma(kernel_matrix(layer.kernel, layer.kind)))
        assert float(layer.sigma()[0]) == pytest.approx(exact, rel=0.1), layer.name


@pytest.mark.parametrize("name", [n for n, arm in arms.ARMS.items() if arm.bug])
def test_a_bug_is_in_the_arm_that_has_it(name, monkeypatch):
    applied = []
    monkeypatch.setattr(bugs, "apply", lambda model, *args: applied.append(args))
    model, bug = built(name), arms.ARMS[name].bug
    if bug in bugs.LAYER_BUGS:
        assert [args[0] for args in applied] == [bug]
    else:
        assert not applied
    assert isinstance(model, bugs.OneForward) == (bug == "one_forward")


def test_equal_work_costs_what_the_default_costs():
    protocol = arms.Protocol(steps=1000)
    base, five = (arms.ARMS[name] for name in ("base", "five_to_one"))
    assert arms.steps_of(base, protocol) == 1000
    costs = [
        cost.plan(*arms.networks_of(arm, protocol), protocol.batch_size, 1, arm.n_dis).step_flops
        for arm in (base, five)
    ]
    assert arms.steps_of(five, protocol) * costs[1] == pytest.approx(1000 * costs[0], rel=0.002)


def test_a_sorted_file_has_alike_neighbours_and_all_faces():
    plain, by_colour = (arms.source(arms.ARMS[name], TINY) for name in ("base", "sorted"))
    assert sorted(map(bytes, plain.images)) == sorted(map(bytes, by_colour.images))
    assert not np.array_equal(plain.images, by_colour.images)
    corners = by_colour.images[:, 0, 0].astype(int)
    assert (np.abs(np.diff(corners, axis=0)).sum(1) > 20).sum() <= 4  # five backgrounds


@pytest.mark.parametrize(("name", "shape"), [("large", 64), ("discs_far", 32)])
def test_an_arm_trains_on_its_own_data(name, shape):
    arm = arms.ARMS[name]
    data, model = arms.source(arm, TINY), built(name)
    assert data.images.shape == (40, shape, shape, 3) == (40, *model.generator.output_shape[1:])
    assert isinstance(data, Discs) == bool(arm.discs)
    if arm.discs:
        assert data.distance == arm.discs


def test_discs_are_scored_by_their_own_rule():
    arm = dataclasses.replace(arms.ARMS["discs_far"], length=1)
    found = arms.run(arm, 0, TINY)
    assert -1 <= found["agreement"] <= 1
    assert "eye_agreement" not in found


@pytest.fixture(scope="module")
def record(eager):
    return arms.run(arms.ARMS["attention16"], 1, TINY)


def test_a_run_reports_finite_numbers_at_every_checkpoint(record):
    assert [step for step, _ in record["curve"]] == [2, 4]
    assert record["curve"][-1][1] == record["frechet"]
    numbers = [v for v in record.values() if not isinstance(v, list | bool | str)]
    assert all(map(math.isfinite, numbers))
    assert record["library"] == arms.library()
    assert not record["diverged"]
    assert {"g_gamma", "raw", "live", "steepness", "outside", "eye_agreement"} <= set(record)
    json.dumps(record)


def test_a_seed_gives_the_same_run_again_and_another_seed_another(record):
    again, other = (arms.run(arms.ARMS["attention16"], seed, TINY) for seed in (1, 2))
    np.testing.assert_allclose(again["curve"], record["curve"], rtol=1e-3)
    assert other["frechet"] != pytest.approx(record["frechet"], rel=1e-3)


def test_a_run_that_diverges_is_kept_and_marked(monkeypatch):
    monkeypatch.setattr(arms.ttur, "two_time_scale", lambda *_, **__: rates(1e30))
    found = arms.run(arms.ARMS["sn_none"], 0, TINY)
    assert found["diverged"]
    assert math.isfinite(found["frechet"])


def rates(rate):
    from keras.optimizers import SGD

    return {"g_optimizer": SGD(rate), "d_optimizer": SGD(rate)}


def test_faces_seen_in_patches_are_scored_by_their_eyes_at_every_checkpoint():
    arm = dataclasses.replace(arms.ARMS["patch10_faces_d"], length=1)
    found = arms.run(arm, 0, TINY)
    assert -1 <= found["late_agreement"] <= 1
    assert "agreement" not in found


@pytest.mark.parametrize(("name", "where"), [("", ""), ("_g", "g"), ("_d", "d"), ("_both", "gd")])
def test_under_patches_the_networks_attend_that_the_arm_names(name, where):
    model = built(f"patch10_far{name}")
    nets = {"g": model.generator, "d": model.discriminator}
    assert "".join(which for which, net in nets.items() if attention_layers(net)) == where


@pytest.mark.parametrize(
    ("name", "pools", "halves"), [("pooled_keys16", True, False), ("half_values16", False, True)]
)
def test_each_arm_changes_one_half_of_the_authors_layer(name, pools, halves):
    for net in (built(name).generator, built(name).discriminator):
        (layer,) = attention_layers(net)
        assert (layer.pools, layer.halves) == (pools, halves)


def test_an_arm_of_few_pictures_trains_on_them_and_says_what_is_known_by_heart():
    arm = arms.Arm(pictures=20, augment="color,cutout")
    assert arms.build(arm, TINY, 0).augment.names == ["color", "cutout"]
    assert arms.source(arm, TINY).size == 20
    found = arms.run(arm, 0, TINY)
    assert {"d_gap", "copies"} <= set(found)
    assert 0 <= found["copies"] <= 1
    assert "d_gap" not in arms.run(arms.Arm(), 0, TINY)


def test_an_arm_that_continues_begins_with_what_was_trained_on_other_faces(monkeypatch):
    arm = arms.Arm(hair="red", pictures=20, augment="color", continues=True, frozen=1)
    seen, fit = [], arms.GAN.fit

    def look(self, data, **options):
        seen.append((data.others, data.size, self.augment))
        return fit(self, data, **options)

    monkeypatch.setattr(arms.GAN, "fit", look)
    before, model = arms.trained_on_others(arm, TINY, 3), arms.build(arm, TINY, 3)
    assert seen == [(True, TINY.faces, None)], "once"
    for net in ("generator", "discriminator"):
        pair = (getattr(each, net).get_weights() for each in (before, model))
        for one, other in zip(*pair, strict=True):
            np.testing.assert_array_equal(one, other)
    frozen = [layer.name for layer in model.discriminator.layers if not layer.trainable]
    assert "down16" in frozen
    assert "down8" not in frozen
    assert (arms.source(arm, TINY).size, arms.source(arm, TINY).others) == (20, False)
    assert not arms.run(arm, 3, TINY)["diverged"]


def test_a_pair_that_diverged_on_other_faces_goes_on_from_its_last_good_weights(monkeypatch):
    arm = arms.Arm(hair="red", pictures=20, continues=True, sn="none")
    monkeypatch.setattr(arms.ttur, "two_time_scale", lambda *_, **__: rates(1e30))
    model = arms.trained_on_others(arm, TINY, 4)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_an_arm_that_would_drop_a_part_is_refused():
    with pytest.raises(ValueError, match="attends must be one of"):
        arms.Arm(attends="x")
    for more in ({"penalty": "r1"}, {"bug": "one_forward"}):
        with pytest.raises(ValueError, match="label='hair' has a GAN of its own"):
            arms.Arm(label="hair", **more)
    with pytest.raises(ValueError, match=r"hair must be one of .*got 'green'"):
        arms.Arm(hair="green")
    for more in ({"label": "skin"}, {"discs": 22}, {"by_colour": True}):
        with pytest.raises(ValueError, match="hair='red' has faces of its own"):
            arms.Arm(hair="red", **more)
    for wrong in ({"continues": True}, {"hair": "red", "frozen": 1}):
        with pytest.raises(ValueError, match="frozen layers need a trained pair that continues"):
            arms.Arm(**wrong)
