"""A case: its sizes, and what attention needs at least, counted by hand."""

from sagan_experiments.speed import baselines, bench
from sagan_experiments.speed import case as cases

TINY = cases.case("16x4", batch=4)


def test_the_attention_floor_is_what_one_counts_by_hand():
    # 16 px, width 4: attention at side 8, N = 64 positions, 8 channels: keys 1, values 8 or 4.
    # G: 2 forward + 2 * 1 backward = 4 times, D: 3 + 2 * 3 = 9 times; softmax in 5 forward passes.
    article = cases.attention_work(*baselines.our_networks(TINY), batch=4)
    assert article == (4 * 2 * 64 * 64 * (1 + 8) * 13, 4 * 64 * 64 * 5)
    paper = cases.attention_work(*baselines.our_networks(TINY, "pooled"), batch=4)
    assert paper == (4 * 2 * 64 * 16 * (1 + 4) * 13, 4 * 64 * 16 * 5)
    assert cases.attention_work(*baselines.our_networks(TINY, attention=False), batch=4) == (0, 0)
    count = {"attention_flops": 30, "attention_exps": 20}
    times = {"ours": {"median_s": 19.0}, "ours_no_attention": {"median_s": 10.0}}
    rates = {"matmul_flops_per_s": 30, "exp_per_s": 10}
    found = bench._attention(TINY, times, {"article": count, "pooled": count}, rates)
    assert found["article"] == {"bound_s": 3.0, "extra_s": 9.0, "extra_over_bound": 3.0}
    assert found["pooled"] == {"bound_s": 3.0}
