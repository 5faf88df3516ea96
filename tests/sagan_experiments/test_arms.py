"""Arms of the experiments: each differs in what its name says, and is repeatable."""

import dataclasses
import json
import math

import numpy as np
import pytest
from records import TINY

from sagan_experiments import arms, bugs, ways
from sagan_lib import cost
from sagan_lib.attention import attention_layers
from sagan_lib.datasets.discs import Discs
from sagan_lib.spectral_norm import exact_sigma, kernel_matrix, normalized_layers

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("eager")]


def built(name, protocol=TINY, seed=0):
    return arms.build(arms.ARMS[name], protocol, seed)


def test_no_two_arms_are_the_same():
    assert len(set(arms.ARMS.values())) == len(arms.ARMS)


def facts(model):
    """What an arm may choose, read off the built model."""
    nets = {"g": model.generator, "d": model.discriminator}
    attends = {name: layer for name, net in nets.items() for layer in attention_layers(net)}
    layers = model.discriminator.layers
    found = {
        "n_dis": model.n_dis, "loss": model.loss_name,
        "sn": "".join(name for name, net in nets.items() if normalized_layers(net)),
        "attends": "".join(attends),
        "at": {layer.input.shape[1] for layer in attends.values()},
        "half": {(layer.pools, layer.halves) for layer in attends.values()},
        "power_iterations": {x.power_iterations for x in normalized_layers(model.discriminator)},
        "slope": {x.negative_slope for x in layers if type(x).__name__ == "LeakyReLU"},
        "batch_norm": any(type(x).__name__ == "BatchNormalization" for x in layers),
    }  # fmt: skip
    for name in "gd":
        config = getattr(model, f"{name}_optimizer").get_config()
        rate = round(float(config["learning_rate"]), 9)
        found[name] = rate, config["beta_1"], config["beta_2"]
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("base", {"sn": "gd", "attends": "", "n_dis": 1, "loss": "hinge", "power_iterations": {1},
                  "g": (4e-4, 0.0, 0.9), "d": (1.6e-3, 0.0, 0.9)}),
        ("sn_d", {"sn": "d"}), ("sn_none", {"sn": ""}),
        ("five_to_one", {"n_dis": 5}), ("ratio8", {"d": (3.2e-3, 0.0, 0.9)}),
        ("bce", {"loss": "bce"}), ("power5", {"power_iterations": {5}}),
        ("attention16", {"attends": "gd", "at": {16}, "half": {(False, False)}}),
        ("attention8", {"attends": "gd", "at": {8}}),
        ("pooled_keys16", {"attends": "gd", "half": {(True, False)}}),
        ("half_values16", {"attends": "gd", "half": {(False, True)}}),
        ("dcgan", {"sn": "", "slope": {0.2}, "batch_norm": True}),
        ("dcgan_relu", {"slope": {0.0}, "batch_norm": True}),
        ("dcgan_slope002", {"slope": {0.02}}), ("dcgan_no_bn", {"batch_norm": False}),
        ("patch10_far", {"attends": ""}), ("patch10_far_g", {"attends": "g"}),
        ("patch10_far_d", {"attends": "d"}), ("patch10_far_both", {"attends": "gd"}),
        ("r1_discs22_att8@0.001/0.001", {"attends": "gd", "at": {8}}),
        ("r1_discs22_att8_d@0.001/0.001", {"attends": "d", "at": {8}}),
        ("r1_discs22_att8_g@0.001/0.001", {"attends": "g", "at": {8}}),
        *((f"{constraint}_setting_{setting}",
           {"g": tuple(adam), "d": tuple(adam), "n_dis": n_dis, "sn": "gd" * (constraint == "sn")})
          for constraint in arms.CONSTRAINTS for setting, (*adam, n_dis) in arms.SETTINGS.items()),
    ],
)  # fmt: skip
def test_what_an_arm_says_reaches_the_model(name, wanted):
    found = facts(arms.build(ways.KNOWN[name], TINY, 0))
    assert {each: found[each] for each in wanted} == wanted


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
    [("base", "r1"), ("base", "attention16"), ("attention16", "pooled16"),
     ("patch10_far", "patch10_far_d"), ("dcgan", "dcgan_pooling"),
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


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [("discs_far", "agreement", "eye_agreement"),
     ("patch10_faces_d", "late_agreement", "agreement")],
)  # fmt: skip
def test_discs_and_faces_seen_in_patches_are_scored_by_their_own_rule(name, has, lacks):
    found = arms.run(dataclasses.replace(arms.ARMS[name], length=1), 0, TINY)
    assert -1 <= found[has] <= 1
    assert lacks not in found


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
