"""Results of runs for the tests of the ledger."""

NUMBERS = (
    "frechet", "live", "raw", "steepness", "outside", "eye_agreement", "agreement",
    "late_agreement", "coverage", "g_gamma", "seconds_with_scores",
)  # fmt: skip


def record(**values):
    """One run's result with numbers that every claim can read."""
    return dict.fromkeys(NUMBERS, 1.0) | {"diverged": False, "curve": [[1, 1.0]]} | values
