"""Who is in the class: roster.csv, made from Canvas's, Moodle's or a plain list.

- plain: `id`, and if you like `first_name`, `last_name`, `email`, `lms_id`, `github`;
- Canvas, the gradebook's export: `Student` ("Lovelace, Ada"), `ID`, `SIS Login ID`; its test
  student is left out, and its columns for the problem sets are kept in canvas.json;
- Moodle, participants or grades: `First name`, `Last name` or `Surname`, `Email address`,
  `Username` or `ID number`.
"""

import csv
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path


@dataclass(frozen=True)
class Student:
    """One line: the folder's name, the human's, and the numbers of other systems."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    github: str = ""
    login: str = ""
    sis_id: str = ""
    section: str = ""


def student_id(name):
    """A student's name as a folder's: letters of any script, digits, dot, dash, underscore.

    Raises:
        ValueError: nothing of the name is left.
    """
    kept = re.sub(r"[^\w.-]+", "_", name.strip()).strip("._-")
    if not kept:
        raise ValueError(f"student must have a name with letters or digits, got {name!r}")
    return kept


def squeezed(name):
    """Letters and digits in lower case, as Canvas writes a name before a file's."""
    return re.sub(r"[\W_]+", "", name).lower()


def read(path):
    """(students, lines left out) of a list in one of the three forms.

    Raises:
        FileNotFoundError: no such file.
        ValueError: none of the three forms, or two students with one id.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        try:
            lines = file.read().splitlines(keepends=True)
        except UnicodeDecodeError:
            raise ValueError(
                f"{Path(path).name}: save it as 'CSV UTF-8', as Excel calls it"
            ) from None
        table = csv.DictReader(lines)
        columns = set(table.fieldnames or ())
        make = next((make for needed, make in _FORMS if needed <= columns), None)
        if make is None:
            raise ValueError(f"{Path(path).name}: columns must be {_WANTED}, got {sorted(columns)}")
        rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in table]
    made = [make(row) for row in rows]
    students = [each for each in made if each]
    times = Counter(each.id for each in students)
    students = [  # two of one full name
        replace(each, id=student_id(each.email)) if times[each.id] > 1 and each.email else each
        for each in students
    ]
    twice = [name for name, times in Counter(each.id for each in students).items() if times > 1]
    if twice:
        raise ValueError(f"{Path(path).name}: more than one student with the id {sorted(twice)}")
    return students, len(made) - len(students)


def _plain(row):
    known = {field.name for field in fields(Student)}
    found = {key: value for key, value in row.items() if key in known}
    return Student(**found | {"id": student_id(row["id"])}) if row["id"] else None


def _canvas(row):
    if not row["ID"].isdigit() or row["Student"] == "Student, Test":  # or "Points Possible"
        return None
    last, _, first = row["Student"].partition(", ")
    login = row.get("SIS Login ID", "")
    return Student(student_id(login or squeezed(row["Student"])), first, last, _mail(login),
                   row["ID"], login=login, sis_id=row.get("SIS User ID", ""),
                   section=row.get("Section", ""))  # fmt: skip


def _moodle(row):
    first, last = row["First name"], row.get("Last name") or row.get("Surname", "")
    if not first + last:
        return None
    name = row.get("Username") or f"{first} {last}"
    return Student(student_id(name), first, last, row["Email address"], row.get("ID number", ""))


def _mail(text):
    return text if "@" in text else ""


_FORMS = [
    ({"Student", "ID"}, _canvas),
    ({"First name", "Email address"}, _moodle),
    ({"id"}, _plain),
]
_WANTED = " or ".join(str(sorted(columns)) for columns, _ in _FORMS)


def keep(root, students, source=None, sets=()):
    """Write roster.csv anew; of a Canvas export, `source`, also which columns the `sets` have."""
    if source is not None:
        with Path(source).open(newline="", encoding="utf-8-sig") as file:
            heads = next(csv.reader(file), [])
        found = {name: head for name in sets for head in heads
                 if re.match(rf"{re.escape(name)} \(\d+\)$", head)}  # fmt: skip
        (root / "canvas.json").write_text(json.dumps(found))
    with (root / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Student)])
        table.writeheader()
        table.writerows(map(asdict, students))


def known(root):
    """The students of roster.csv; [] without that file."""
    path = root / "roster.csv"
    return read(path)[0] if path.exists() else []


def columns(root):
    """{set: Canvas's name of its column}; {} without canvas.json."""
    path = root / "canvas.json"
    return json.loads(path.read_text()) if path.exists() else {}


def aliases(students):
    """{what a platform may write: id}: the number, the name in two forms, the account at GitHub.

    A name that two students share tells nobody, so it is not there.
    """
    pairs = {
        (alias, each.id)
        for each in students
        for alias in (each.id, each.lms_id, each.github, squeezed(each.last_name + each.first_name),
                      squeezed(each.first_name + each.last_name))
        if alias
    }  # fmt: skip
    times = Counter(alias for alias, _ in pairs)
    return {alias: name for alias, name in pairs if times[alias] == 1}
