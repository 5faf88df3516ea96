"""The benchmark: a bound that can be counted by hand, nothing dropped silently."""

import pytest

from sagan_experiments.speed import baselines, bench, case
from sagan_lib import cost

pytestmark = pytest.mark.full

TINY = case.case("16x4", batch=4)


def test_attentions_bound_is_what_one_counts_by_hand():
    # 16 px, width 4: attention at side 8, N = 64 positions, 8 channels: keys 1, values 8 or 4.
    # G: 2 forward + 2 * 1 backward = 4 times, D: 3 + 2 * 3 = 9 times; softmax in 5 forward passes.
    article = bench.attention_work(*baselines.networks(TINY), batch=4)
    assert article == (4 * 2 * 64 * 64 * (1 + 8) * 13, 4 * 64 * 64 * 5)
    pooled = bench.attention_work(*baselines.networks(TINY, "pooled"), batch=4)
    assert pooled == (4 * 2 * 64 * 16 * (1 + 4) * 13, 4 * 64 * 16 * 5)
    assert bench.attention_work(*baselines.networks(TINY, "none"), batch=4) == (0, 0)


def test_a_run_writes_machine_protocol_and_numbers(results):
    assert results["machine"] == results["provenance"]["machine"]["processor"]
    assert results["provenance"]["command"].startswith("python -m sagan_experiments bench --sizes")
    (case,) = results["cases"]
    reason = "ImportError: no torch here, and TensorFlow beside it: False"
    assert case["contenders"]["torch"] == {"failed": reason}
    assert (case["size"], case["batch"], case["attention_at"], case["rounds"]) == ("16x4", 64, 8, 2)
    count, found = case["counts"]["article"], case["attention"]["article"]
    assert count["step_flops"] == cost.plan(*baselines.networks(TINY), 64, 1).step_flops
    ours, without, keras = list(case["contenders"].values())[:3]
    for entry in (ours, keras):
        assert 0 < entry["min_s"] <= entry["median_s"] < 10
        assert entry["images_per_s"] == pytest.approx(64 / entry["median_s"])
        assert 0 < entry["share_of_matmul_peak"] < 1
        assert entry["peak_memory_mib"] > 50
        assert entry["parameters"] == count["parameters"] > without["parameters"]
        assert entry["time_over_ours"] == entry["median_s"] / ours["median_s"]
    products = count["attention_flops"] / case["matmul_flops_per_s"]
    assert found["bound_s"] == products + count["attention_exps"] / case["exp_per_s"]
    assert found["extra_s"] == ours["median_s"] - without["median_s"]
    assert set(case["attention"]["pooled"]) == {"bound_s"}, "ours_pooled was not measured"


@pytest.mark.parametrize(
    ("options", "words"),
    [({"contenders": ["jax"]}, "contender must be one of .*'keras'.* got 'jax'"),
     ({"contenders": []}, "there must be sizes and contenders"),
     ({"sizes": ["32"]}, "size must be RESOLUTIONxWIDTH, such as 32x16, got '32'"),
     ({"rounds": 0}, "rounds must be at least 1, got 0")],
)  # fmt: skip
def test_wrong_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        bench.run(**options)
