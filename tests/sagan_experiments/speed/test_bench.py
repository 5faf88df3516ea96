"""The benchmark: equal networks, a floor that can be counted by hand, nothing dropped silently."""

import pytest

from sagan_experiments.speed import baselines, bench
from sagan_experiments.speed import case as cases
from sagan_lib import cost

TINY = cases.case("16x4", batch=4)


def test_another_number_of_parameters_is_refused():
    bench.check_parameters("torch", 7, 7)
    with pytest.raises(ValueError, match="torch has 8 trainable parameters, ours has 7"):
        bench.check_parameters("torch", 8, 7)


def test_a_run_writes_machine_protocol_and_numbers(results):
    assert results["machine"] == results["provenance"]["machine"]["processor"]
    assert results["provenance"]["machine"]["cores"] >= 1
    assert results["load_before"] >= 0
    assert results["provenance"]["versions"]["tensorflow"].startswith("2.")
    assert results["provenance"]["command"].startswith(
        "python -m sagan_experiments bench --sizes 16x4"
    )
    assert results["protocol"]["interleaved"][1:] == ["ours", "keras", "torch"]
    (case,) = results["cases"]
    assert (case["size"], case["batch"], case["attention_at"], case["rounds"]) == ("16x4", 4, 8, 2)
    nets = baselines.our_networks(TINY)
    assert case["counts"]["article"]["step_flops"] == cost.plan(*nets, 4, 1).step_flops
    for name in ("ours", "keras"):
        entry = case["contenders"][name]
        assert 0 < entry["min_s"] <= entry["median_s"] < 10
        assert entry["images_per_s"] == pytest.approx(4 / entry["median_s"])
        assert entry["time_over_ours"] > 0
        assert 0 < entry["share_of_matmul_peak"] < 1
        assert entry["peak_memory_mib"] >= entry["import_memory_mib"] > 50
        assert entry["parameters"] == case["counts"]["article"]["parameters"]
    assert case["contenders"]["ours"]["time_over_ours"] == 1
    assert case["attention"]["article"]["bound_s"] > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contenders": ["ours", "jax"]}, "contender must be one of .*'keras'.* got 'jax'"),
        ({"sizes": ["32"]}, "size must be RESOLUTIONxWIDTH, such as 32x16, got '32'"),
        ({"sizes": ["20x8"]}, "resolution of size 20x8 must be one of .*32.* got 20"),
        ({"sizes": ["32x6"]}, "width of size 32x6 must be a multiple of 4, got 6"),
        ({"sizes": []}, "sizes must have at least one size, got none"),
        ({"variant": "x"}, "variant must be one of .*'pooled'.* got 'x'"),
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
        ({"seconds": 0}, "seconds must be greater than 0, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
    ],
)
def test_wrong_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        bench.run(**options)
    with pytest.raises(ValueError, match="contender must be one of"):
        baselines.build("torch", TINY)
