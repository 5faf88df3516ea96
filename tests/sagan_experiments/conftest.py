"""What the tests of the experiments share."""

import pytest

from sagan_experiments import ledger


@pytest.fixture
def store(tmp_path):
    """An empty store that no other test shares."""
    return ledger.open_store(tmp_path / "claims.json")
