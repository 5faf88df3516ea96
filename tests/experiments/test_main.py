"""The experiments' command line."""

import keras
import pytest

from experiments import ledger, measures
from experiments.__main__ import main
from sagan_lib import recipes

TINY = recipes.Recipe(
    resolution=32, latent_dim=4, attention_at=16, batch_size=4, ema_decay=0.5, faces=20
)


@pytest.fixture(autouse=True)
def tiny():
    """A preset that trains in seconds; the precision is float32 again afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "tiny", TINY)
        yield
    keras.config.set_dtype_policy("float32")


def test_claims_are_listed_with_their_verdicts(capsys):
    assert main(["claims", "list", "ttur", "operator"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ttur", "operator"]
    assert all(any(verdict in line for verdict in ledger.VERDICTS) for line in lines)


def test_claims_are_checked_and_a_flip_is_an_error(monkeypatch, capsys):
    assert main(["claims", "check", "double-count"]) == 0
    monkeypatch.setitem(measures.MEASURES, "double_count", lambda seed: 1.0 + seed / 100)
    assert main(["claims", "check", "double-count"]) == 2
    assert "double-count: was 'holds'" in capsys.readouterr().err
