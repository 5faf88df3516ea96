"""Grades as tables, for a human and for a learning platform, and the pages to give back.

In graded/:

- report.csv: a line for each hand-in; problems.csv: a line for each test and essay of it;
- grades.csv: a line for each student, a column for each set; what was not handed in is empty; where
  essays wait, or the hand-in itself, the total says so;
- canvas.csv: whole totals under Canvas's names, where roster.csv has its numbers.
"""

import csv
import zipfile
from pathlib import PurePosixPath

import collect
import grades
import roster

#: In place of the total of what was not graded, or is not as it was then.
AGAIN = "grade again"


def tables(root, sets):
    """Write all tables anew; returns {file's name: number of lines}.

    Args:
        root: the course's folder.
        sets: names of the problem sets, in order.
    """
    book = grades.Book(root, sets)
    folders = [path for path in root.glob("submitted/*/*") if path.is_dir()]
    places = sorted((path.parent.name, path.name) for path in folders if path.name in sets)
    handed_in, parts, totals = [], [], dict.fromkeys(places, AGAIN)
    with grades.opened(root) as gradebook:
        for student, _ in places:
            gradebook.update_or_create_student(student)
        people = [
            {"student": each.id, "first_name": each.first_name or "",
             "last_name": each.last_name or "", "email": each.email or "",
             "lms_id": each.lms_user_id or ""}
            for each in sorted(gradebook.students, key=lambda each: each.id)
        ]  # fmt: skip
        for place in places:
            if row := book.row(*place):
                line, cells = _submission(book, gradebook, row)
                handed_in.append(line)
                parts += cells
                totals[place] = line["total"]
    for person in people:
        person |= {name: totals.get((person["student"], name), "") for name in sets}
    columns = roster.columns(root)
    canvas = [
        {"Student": ", ".join(filter(None, (one.last_name, one.first_name))), "ID": one.lms_id,
         "SIS User ID": one.sis_id, "SIS Login ID": one.login, "Section": one.section,
         **{columns.get(name, name): _whole(totals.get((one.id, name), "")) for name in sets}}
        for one in roster.known(root) if one.lms_id
    ]  # fmt: skip
    written = {"report.csv": handed_in, "problems.csv": parts, "grades.csv": people,
               "canvas.csv": canvas}  # fmt: skip
    return {name: write(root / "graded" / name, lines) for name, lines in written.items() if lines}


def _whole(total):
    """A total with all its points, or nothing: a platform takes what it gets for the grade."""
    return "" if isinstance(total, str) else total


def _submission(book, gradebook, row):
    """(a hand-in's line of report.csv, its lines of problems.csv).

    One that changed since it was graded, or whose set did, has no total until it is graded again.
    """
    student, name = row["student"], row["set"]
    days = book.charge(gradebook, student, name)
    fresh = book.finished(student, name) is not None
    submission = gradebook.find_submission(name, student)
    (notebook,) = submission.notebooks
    open_ones = [grade for grade in notebook.grades if grades.waits(grade)]
    penalty = notebook.late_submission_penalty or 0
    comments = {comment.name: comment.comment or "" for comment in notebook.comments}
    cells = [
        {"student": student, "set": name, "part": grade.name,
         "kind": "test" if grade.cell_type == "code" else "essay",
         "points": "" if grades.waits(grade) else grade.score, "of": grade.max_score,
         "comment": comments.get(grade.name, "")}
        for grade in notebook.grades
    ]  # fmt: skip
    total = round(max(0, notebook.score - penalty), 2) if fresh else AGAIN
    if fresh and open_ones:
        total = f"{total:g} so far, {len(open_ones)} essays to grade"
    line = {
        "student": student, "set": name,
        "tests": notebook.code_score, "tests_of": notebook.max_code_score,
        "essays": notebook.written_score, "essays_of": notebook.max_written_score,
        "not_yet_graded": len(open_ones),
        "handed_in": f"{submission.timestamp} UTC" if submission.timestamp else "",
        "days_late": "time not known" if days is None else days, "penalty": penalty,
        "total": total, "of": notebook.max_score,
        "notes": row["notes"], "to_look_at": row.get("look", ""),
    }  # fmt: skip
    return line, cells


def write(path, lines):
    """Write dictionaries with the same keys, one at least, as a table; returns their number."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(lines[0]))
        table.writeheader()
        table.writerows(lines)
    return len(lines)


def hand_back(root, name, students):
    """handback/SET.zip: each student's page under the name that the platform gave the hand-in.

    Canvas and Moodle know by that name whom a page is for. Without a platform the pages lie in
    folders with the students' names.

    Args:
        root: the course's folder. name: of the set. students: whose pages are written.

    Returns:
        The zip file's path.
    """
    target = root / "handback" / f"{name}.zip"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in students:
            page = root / "feedback" / student / name / f"{name}.html"
            archive.write(page, _given_name(root / "submitted" / student / name, student, name))
    return target


def _given_name(folder, student, name):
    path = PurePosixPath(collect.platform(folder)[0])
    if "_assignsubmission_file" in str(path) or (path.suffix and len(path.parts) == 1):
        parts = [each for each in path.parts if each not in ("/", "..")]
        return str(PurePosixPath(*parts).with_suffix(".html"))
    return f"{student}/{name}.html"
