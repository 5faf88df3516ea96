"""What the tests' terminal says of the tiers; a mark in a test's file is its tier."""

import collections

#: Seconds that a test of `make check` may take on a quiet machine.
QUICK = 5
MARKS = {"book", "full"}


def told(reports):
    """Tests of `make check` that are slow, and what was run beyond `make test`.

    Args:
        reports: pytest's, of all phases of all tests.

    Returns:
        (lines, lines): the slowest first, and the counts by file.
    """
    seconds, marks = collections.Counter(), {}
    for each in reports:
        seconds[each.nodeid] += each.duration
        marks[each.nodeid] = MARKS & set(each.keywords)
    slow = [name for name, _ in seconds.most_common()
            if seconds[name] > QUICK and not marks[name] and ".ipynb" not in name]  # fmt: skip
    more = collections.Counter(name.split("::")[0] for name in seconds if "full" in marks[name])
    return (
        [f"{seconds[name]:5.1f} s {name}" for name in slow],
        [f"{count:5} {name}" for name, count in sorted(more.items())],
    )
