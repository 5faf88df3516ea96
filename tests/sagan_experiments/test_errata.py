"""The errata: each with a demonstration and a test."""

from sagan_experiments import errata
from sagan_experiments.claims import CLAIMS
from sagan_lib import shipped


def test_every_erratum_has_its_number_a_demonstration_and_a_test_that_exists():
    assert list(errata.ERRATA) == [f"E{k}" for k in range(1, 16)]
    folder = str(shipped.root() / "tests") + "/"
    for number, erratum in errata.ERRATA.items():
        assert set(erratum.claims) <= set(CLAIMS)
        assert erratum.claims or number == "E14"  # which is about links
        file, _, test = erratum.test.partition("::")
        with open(folder + file) as stream:
            assert not test or f"def {test}(" in stream.read(), erratum.test
