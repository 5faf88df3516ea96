"""The benchmark: equal networks, a floor that can be counted by hand, nothing dropped silently."""

import dataclasses
import json

import numpy as np
import pytest

from sagan_lib import bench, bench_child, hardware, peers
from sagan_lib.__main__ import main

TINY = bench.case("16x4", batch=4)


def weights(model):
    return [v.numpy() for v in model.trainable_variables]


@pytest.mark.parametrize("variant", ["article", "paper"])
@pytest.mark.parametrize("kit", ["KERAS", "ARTICLE"])
def test_a_peers_networks_have_our_shapes_and_parameters(kit, variant):
    case = bench.case("32x8", variant)
    ours = peers.our_networks(case)
    theirs = peers.networks(case, getattr(peers, kit))
    for a, b in zip(ours, theirs, strict=True):
        assert (a.input_shape, a.output_shape) == (b.input_shape, b.output_shape)
        shapes = [sorted(tuple(v.shape) for v in m.trainable_variables) for m in (a, b)]
        assert shapes[0] == shapes[1]
    expected = peers.Contender(None, *ours).parameters
    assert expected == sum(m.count_params() for m in ours) - sum(
        v.numpy().size for m in ours for v in m.non_trainable_variables
    )
    bench.check_parameters(kit, peers.Contender(None, *theirs).parameters, expected)


@pytest.mark.parametrize("name", ["ours", "keras", "article", "article_eager"])
def test_a_step_trains_both_networks(name):
    made = peers.build(name, TINY)
    before = [weights(m) for m in (made.generator, made.discriminator)]
    assert bench_child.timed(made.step, 1) > 0
    assert all(np.isfinite(float(loss)) for loss in made.step())
    for old, model in zip(before, (made.generator, made.discriminator), strict=True):
        moved = [not np.array_equal(a, b) for a, b in zip(old, weights(model), strict=True)]
        assert np.mean(moved) > 0.5  # what is behind gamma = 0 waits for gamma
        assert moved[0]
        assert moved[-2]  # a hinge with no score beyond 1 leaves the last bias where it is


def test_the_articles_normalization_divides_by_the_largest_singular_value():
    made = peers.build("article_eager", dataclasses.replace(TINY, width=8))
    layer = next(x for x in made.discriminator.layers if isinstance(x, peers.ArticleNorm))
    x = peers.images(TINY)
    for _ in range(100):
        y = layer(x)
    kernel, bias = (v.numpy() for v in (layer.layer.kernel, layer.layer.bias))
    raw = layer._apply(x, kernel).numpy() - bias
    sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
    np.testing.assert_allclose(y.numpy() - bias, raw / sigma, rtol=1e-4, atol=1e-5)


def test_another_number_of_parameters_is_refused():
    bench.check_parameters("torch", 7, 7)
    with pytest.raises(ValueError, match="torch has 8 trainable parameters, ours has 7"):
        bench.check_parameters("torch", 8, 7)


def test_the_attention_floor_is_what_one_counts_by_hand():
    # 16 px, width 4: attention at side 8, N = 64 positions, 8 channels: keys 1, values 8 or 4.
    # G: 2 forward + 2 * 1 backward = 4 times, D: 3 + 2 * 3 = 9 times; softmax in 5 forward passes.
    article = bench.attention_work(*peers.our_networks(TINY), batch=4)
    assert article == (4 * 2 * 64 * 64 * (1 + 8) * 13, 4 * 64 * 64 * 5)
    paper = bench.attention_work(*peers.our_networks(TINY, "paper"), batch=4)
    assert paper == (4 * 2 * 64 * 16 * (1 + 4) * 13, 4 * 64 * 16 * 5)
    assert bench.attention_work(*peers.our_networks(TINY, attention=False), batch=4) == (0, 0)
    count = {"attention_flops": 30, "attention_exps": 20}
    times = {"ours": {"median_s": 19.0}, "ours_no_attention": {"median_s": 10.0}}
    rates = {"matmul_flops_per_s": 30, "exp_per_s": 10}
    found = bench._attention(TINY, times, {"article": count, "paper": count}, rates)
    assert found["article"] == {"floor_s": 3.0, "extra_s": 9.0, "extra_over_floor": 3.0}
    assert found["paper"] == {"floor_s": 3.0}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run of ours, keras and a PyTorch that cannot be imported, through the command line."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "torch.py").write_text("raise ImportError('no torch here')\n")
    out = folder / "new" / "bench.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        line = "bench --sizes 16x4 --batch-size 4 --contenders ours,keras,torch --rounds 2"
        assert main([*line.split(), "--seconds", "60", "--out", str(out)]) == 0
    return json.loads(out.read_text())


def test_a_run_writes_machine_protocol_and_numbers(results):
    assert results["machine"]
    assert results["cores"] >= 1
    assert results["load_before"] >= 0
    assert results["versions"]["tensorflow"].startswith("2.")
    assert results["command"].startswith("python -m sagan_lib bench --sizes 16x4")
    assert results["protocol"]["interleaved"][1:] == ["ours", "keras", "torch"]
    (case,) = results["cases"]
    assert (case["size"], case["batch"], case["attention_at"], case["rounds"]) == ("16x4", 4, 8, 2)
    nets = peers.our_networks(TINY)
    assert case["counts"]["article"]["step_flops"] == hardware.plan(*nets, 4, 1).step_flops
    for name in ("ours", "keras"):
        entry = case["contenders"][name]
        assert 0 < entry["min_s"] <= entry["median_s"] < 10
        assert entry["images_per_s"] == pytest.approx(4 / entry["median_s"])
        assert entry["time_over_ours"] > 0
        assert 0 < entry["share_of_matmul_peak"] < 1
        assert entry["peak_memory_mib"] >= entry["import_memory_mib"] > 50
        assert entry["parameters"] == case["counts"]["article"]["parameters"]
    assert case["contenders"]["ours"]["time_over_ours"] == 1
    assert case["attention"]["article"]["floor_s"] > 0


def test_what_cannot_run_is_recorded_with_its_reason(results):
    assert results["cases"][0]["contenders"]["torch"] == {"failed": "ImportError: no torch here"}
    assert "no torch here" in bench.table(results)


def test_the_figure_has_a_bar_for_every_contender(results):
    figure = bench.figure(results)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "ours", "keras", "torch",
    ]  # fmt: skip
    assert "not run" in [text.get_text() for text in figure.axes[0].texts]


def test_a_process_that_dies_gives_a_reason():
    child = object.__new__(bench_child.Child)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_child.sys, "executable", "/bin/false")
        with pytest.raises(RuntimeError, match="ended with status 1"):
            child.__init__("ours", TINY, 20)


def test_pytorchs_twin_has_our_parameters():
    pytest.importorskip("torch")
    from sagan_lib import peers_torch

    for variant in ("article", "paper"):
        case = dataclasses.replace(TINY, variant=variant)
        made = peers_torch.build("torch", case)
        ours = peers.Contender(None, *peers.our_networks(case)).parameters
        bench.check_parameters("torch", made.parameters, ours)
        before = [next(m.parameters()).clone() for m in (made.generator, made.discriminator)]
        assert all(np.isfinite(float(loss)) for loss in made.step())
        for old, model in zip(before, (made.generator, made.discriminator), strict=True):
            assert not old.equal(next(model.parameters()))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contenders": ["ours", "jax"]}, "contender must be one of .*'keras'.* got 'jax'"),
        ({"sizes": ["32"]}, "size must be RESOLUTIONxWIDTH, such as 32x16, got '32'"),
        ({"sizes": ["20x8"]}, "resolution of size 20x8 must be one of .*32.* got 20"),
        ({"sizes": ["32x6"]}, "width of size 32x6 must be a multiple of 4, got 6"),
        ({"sizes": []}, "sizes must have at least one size, got none"),
        ({"variant": "x"}, "variant must be one of .*'paper'.* got 'x'"),
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
        ({"seconds": 0}, "seconds must be greater than 0, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
    ],
)
def test_wrong_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        bench.run(**options)
    with pytest.raises(ValueError, match="contender must be one of"):
        peers.build("torch", TINY)
