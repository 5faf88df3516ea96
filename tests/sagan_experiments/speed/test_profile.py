"""The profile of a step: every operation has its part, and the parts are the step."""

import pytest

from sagan_experiments.speed import baselines, case, profile

pytestmark = pytest.mark.full


@pytest.mark.parametrize(
    ("operation", "part"),
    [("gradient_tape/discriminator_1/down8_1/convolution/Conv2DBackpropFilter:"
      "_MklNativeConv2DBackpropFilter", "convolutions"),
     ("MatMul_3:_MklBatchMatMulV2", "attention"),
     ("discriminator_1/down4_1/truediv_4:RealDiv", "spectral normalization"),
     ("clip_by_value:Minimum", "the rest"), ("KernelAndDeviceFunc::Run", None),
     ("EagerLocalExecute: __inference_step_7451", None), ("ParallelFor", None)],
)  # fmt: skip
def test_an_operation_has_its_part(operation, part):
    assert profile.part_of(operation) == part


def test_the_parts_of_a_step_are_found():
    made = baselines.build("ours", case.case("32x8", batch=8))
    made.step()
    found, clock = profile.parts(made.step, repeats=3)
    assert all(found[part] > 0 for part in profile.PARTS)
    assert found["convolutions"] + found["attention"] > 0.3 * sum(found.values())
    assert clock > 0
    assert all(name in profile.table(found, clock) for name in found)
