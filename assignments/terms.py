"""When each set is due and what it costs to be late: course.toml, which the instructor writes.

per_day = 0.1  # of the points reached, for each day begun; 0 without
at_most = 0.5  # of the points reached; 1 without

[due]
ps1_dcgan = 2026-11-09T23:59:00+01:00

[extended.ada]  # an id as in roster.csv; one with an @ in quotes: [extended."ada@example.org"]
ps1_dcgan = 2026-11-16T23:59:00+01:00
"""

import contextlib
import datetime
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import collect
import roster

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Terms:
    """Due dates and the price of a day.

    Args:
        per_day: the share of the points reached that each begun day costs, 0 to 1.
        at_most: the largest share that lateness costs, 0 to 1.
        due: {set: datetime with a zone}.
        extended: {student: {set: datetime with a zone}}, who has longer.

    Raises:
        ValueError: a share outside 0 to 1, a date without a zone, an extension of what is not due.
    """

    per_day: float = 0.0
    at_most: float = 1.0
    due: dict = field(default_factory=dict)
    extended: dict = field(default_factory=dict)

    def __post_init__(self):
        for key in ("per_day", "at_most"):
            if not 0 <= getattr(self, key) <= 1:
                raise ValueError(f"{key} must be from 0 to 1, got {getattr(self, key)!r}")
        for where, dates in (("due", self.due), *self.extended.items()):
            if not isinstance(dates, dict):
                raise ValueError(f"{where} must have sets and their times, got {dates!r}")
            for name, time in dates.items():
                if not isinstance(time, datetime.datetime) or time.tzinfo is None:
                    raise ValueError(f"{where}.{name} must be a time with its zone, such as "
                                     f"2026-11-09T23:59:00+01:00, got {time!r}")  # fmt: skip
                if name not in self.due:
                    raise ValueError(f"extended.{where}.{name}: {name} has no due date")

    def deadline(self, student, name):
        """When this set is due for this student, or None."""
        return self.extended.get(student, {}).get(name, self.due.get(name))

    def days(self, student, name, handed_in):
        """Begun days after the deadline: 0 in time, None where the time is not known.

        Args:
            student: the folder's name. name: of the set. handed_in: a `HandedIn`.
        """
        due = self.deadline(student, name)
        if due is None:
            return 0
        # The platform knows no extension that is in course.toml alone.
        late = handed_in.late and name not in self.extended.get(student, {})
        if handed_in.time is None:
            return 1 if late else None
        return max(math.ceil((handed_in.time - due) / _DAY), int(late))

    def share(self, days):
        """The share of the points reached that so many days cost; an unknown number costs none."""
        return min(self.at_most, self.per_day * (days or 0))


@dataclass(frozen=True)
class HandedIn:
    """What is known of a hand-in: its time, or None; whether the platform calls it late."""

    time: datetime.datetime | None
    late: bool


def _joined(table, before=""):
    """{student's id: dates}, where TOML took the dots of an id for tables in tables."""
    found = {}
    for key, value in table.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and any(isinstance(each, dict) for each in value.values()):
            found |= _joined(value, f"{name}.")
        else:
            found[roster.student_id(name)] = value
    return found


def read(root, names):
    """The `Terms` of course.toml; without that file nothing is due.

    Args:
        root: the course's folder. names: of all problem sets.

    Raises:
        ValueError: what is wrong in the file, with its name.
    """
    path = Path(root) / "course.toml"
    if not path.exists():
        return Terms()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        found["extended"] = _joined(found.get("extended", {}))
        terms = Terms(**found)
        unknown = {n for dates in (terms.due, *terms.extended.values()) for n in dates} - {*names}
        if unknown:
            raise ValueError(f"no such problem set: {sorted(unknown)}; there are {names}")
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    return terms


def handed_in(folder):
    """The `HandedIn` of submitted/STUDENT/SET, from the files that `collect` or nbgrader keeps."""
    stamp, time = folder / "timestamp.txt", None
    with contextlib.suppress(OSError, ValueError):  # one that cannot be read is as if not there
        words = stamp.read_text() if stamp.is_file() else ""
        time = datetime.datetime.fromisoformat(words.strip().removesuffix("UTC").strip())
        time = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    return HandedIn(time, collect.platform(folder)[1])
