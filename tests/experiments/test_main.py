"""The experiments' command line."""

from experiments import ledger, measures
from experiments.__main__ import main


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
