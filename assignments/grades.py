"""The course's gradebook: results entered, essays kept, lateness charged, pages written."""

import contextlib
import functools
import json
import shutil
import threading
import warnings

import collect
import grading
import nbformat
import pages
import repair
import roster
import terms
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveAutoGrades
from traitlets.config import PyFileConfigLoader

# A note of its gradebook about the order in which it stores things.
warnings.filterwarnings("ignore", message="Object of type <Submitted")

#: What nbgrader's exchange keeps beside a notebook, and asks for when it gives feedback back.
_KEPT = ("timestamp.txt", "submission_secret.txt")


def opened(root):
    """nbgrader's gradebook of a course's folder, to be closed by `with`.

    Raises:
        FileNotFoundError: there is none, as the problem sets were not built yet.
    """
    if not (root / "gradebook.db").exists():
        raise FileNotFoundError(f"{root}: no problem sets to grade by; run make course first")
    return Gradebook(f"sqlite:///{root / 'gradebook.db'}")


class Book:
    """The course's gradebook, the graded notebooks and their feedback pages.

    Args:
        root: the course's folder.
        sets: names of all problem sets.

    Raises:
        ValueError: course.toml or roster.csv cannot be read.
    """

    def __init__(self, root, sets):
        self._root, self._lock = root, threading.Lock()
        students = roster.known(root)
        self.terms = terms.read(root, sets)
        with opened(root) as book:
            for each in students:
                book.update_or_create_student(
                    each.id, first_name=each.first_name or None, last_name=each.last_name or None,
                    email=each.email or None, lms_user_id=each.lms_id or None,
                )  # fmt: skip

    @functools.cached_property
    def _nbgrader(self):
        """nbgrader in this process: its command takes seconds to start, for every page."""
        config = PyFileConfigLoader(grading.SETTINGS.name, path=str(self._root)).load_config()
        return NbGraderAPI(CourseDirectory(config=config), config=config)

    def _path(self, student, name):
        return self._root / "graded" / student / f"{name}.json"

    def row(self, student, name):
        """The result that was entered last for a submission; None without, or if it is damaged."""
        path = self._path(student, name)
        try:
            return json.loads(path.read_text()) if path.exists() else None
        except ValueError:
            return None

    def finished(self, student, name):
        """The row of a submission that is graded, entered and unchanged since, or None."""
        row = self.row(student, name)
        if row is None or row["digest"] != grading.digest(self._root, student, name):
            return None
        with opened(self._root) as book:
            try:
                notebook = book.find_submission_notebook(name, name, student)
            except MissingEntry:
                return None
            tests = [grade for grade in notebook.grades if grade.cell_type == "code"]
        return row if all(grade.auto_score is not None for grade in tests) else None

    def enter(self, student, name, result):
        """Put one result in: autograded/, the gradebook, feedback/, and last the row itself."""
        notebook, target = result["notebook"], self._root / "autograded" / student / name
        with self._lock:
            target.mkdir(parents=True, exist_ok=True)
            auto, of = self._scores(student, name, notebook)
            if result["notes"]:
                text = "**From the grader.** " + "; ".join(result["notes"]) + "."
                notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
            look = [*result["look"], *self._rewritten(student, name, notebook)]
            nbformat.write(notebook, target / f"{name}.ipynb")
            for each in _KEPT:
                kept = self._root / "submitted" / student / name / each
                if collect.is_own(kept, self._root):
                    shutil.copy(kept, target)
            self.feedback(student, name)
        row = {
            "student": student, "set": name, "auto": auto, "of": of,
            "notes": "; ".join(result["notes"]), "look": "; ".join(look),
            "digest": result["digest"],
        }  # fmt: skip
        path = self._path(student, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row, indent=1))
        return row

    def _rewritten(self, student, name, notebook):
        """A sentence for each essay that a human graded, and that has another text now."""
        path = self._root / "autograded" / student / name / f"{name}.ipynb"
        if not path.exists():
            return []
        before, now = (
            {repair.grade_id(cell): cell.source for cell in each.cells}
            for each in (nbformat.read(path, as_version=4), notebook)
        )
        with opened(self._root) as book:
            grades = book.find_submission_notebook(name, name, student).grades
            essays = [grade.name for grade in grades if grade.manual_score is not None]
        return [f"essay {each} was changed after it was graded" for each in essays
                if before.get(each) != now.get(each)]  # fmt: skip

    def _scores(self, student, name, notebook):
        """Enter each test's points; (their sum, the most that tests can give)."""
        with opened(self._root) as book:
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student)
            where = {"notebook": name, "assignment": name, "student": student}
            where |= {"db_url": str(book.engine.url)}
        SaveAutoGrades().preprocess(notebook, {"nbgrader": where})
        tests = [cell for cell in notebook.cells if repair.is_test(cell)]
        scores = [utils.determine_grade(cell) for cell in tests]
        return sum(score for score, _ in scores), sum(most for _, most in scores)

    def charge(self, book, student, name):
        """Enter a hand-in's time and what its lateness costs; begun days late, or None.

        Args:
            book: the gradebook, as `opened`. student, name: whose, and which set.
        """
        handed_in = terms.handed_in(self._root / "submitted" / student / name)
        days = self.terms.days(student, name, handed_in)
        book.find_assignment(name).duedate = _utc(self.terms.due.get(name))
        submission = book.update_or_create_submission(name, student)
        submission.timestamp = _utc(handed_in.time)
        longer = self.terms.extended.get(student, {}).get(name)
        submission.extension = longer - self.terms.due[name] if longer else None
        notebook = book.find_submission_notebook(name, name, student)
        cost = round(self.terms.share(days) * notebook.score, 2)
        notebook.late_submission_penalty = cost or None
        book.db.commit()
        return days

    def feedback(self, student, name):
        """Write the feedback page, essays' points and comments included, for no network."""
        with opened(self._root) as book:
            self.charge(book, student, name)
            submission = book.find_submission_notebook(name, name, student)
            waiting = {grade.name: grade.max_score for grade in submission.grades if waits(grade)}
        done = self._nbgrader.generate_feedback(name, student, force=True)
        if not done["success"]:
            raise RuntimeError(f"nbgrader wrote no page:\n{done.get('error', done.get('log'))}")
        page = self._root / "feedback" / student / name / f"{name}.html"
        text = pages.with_open_essays(page.read_text(), waiting)
        page.write_text(pages.without_network(text))


def waits(grade):
    """Whether a written answer has no points yet, neither a human's nor 0 for an empty one."""
    return grade.auto_score is None and grade.manual_score is None


def _utc(time):
    """As nbgrader keeps times: in UTC, without saying so."""
    return None if time is None else time.astimezone(terms.datetime.UTC).replace(tzinfo=None)


@contextlib.contextmanager
def essays_kept(root, name, report=print):
    """Meanwhile a set may get other cells; then essays have their points and comments again.

    nbgrader adds or removes no cell of a set that was handed in. So the set leaves the gradebook,
    and comes back with what humans wrote. The tests' points follow with the next grading.

    Args:
        root: the course's folder.
        name: of the set.
        report: called with a line for each thing that has no cell any more.
    """
    kept = _by_hand(root, name)
    yield
    with opened(root) as book:
        for student, (scores, comments) in kept.items():
            book.update_or_create_submission(name, student)
            for cell, values in scores.items():
                with _told(report, f"{student}/{name}: {cell} is no cell now: {values}"):
                    grade = book.find_grade(cell, name, name, student)
                    grade.manual_score, grade.extra_credit = values
                    grade.needs_manual_grade = True
            for cell, text in comments.items():
                with _told(report, f"{student}/{name}: {cell} is no cell now: {text!r}"):
                    book.find_comment(cell, name, name, student).manual_comment = text
        book.db.commit()


def _by_hand(root, name):
    """{student: (points by hand, comments)} of a set, which then leaves the gradebook."""
    kept = {}
    if not has(root, name):
        return kept
    with opened(root) as book:
        submissions = book.assignment_submissions(name)
        for submission in submissions:
            for notebook in submission.notebooks:
                scores = {g.name: (g.manual_score, g.extra_credit) for g in notebook.grades
                          if (g.manual_score, g.extra_credit) != (None, None)}  # fmt: skip
                comments = {c.name: c.manual_comment for c in notebook.comments if c.manual_comment}
                kept[submission.student.id] = scores, comments
        if submissions:
            book.remove_assignment(name)
    return kept


def has(root, name):
    """Whether the gradebook knows a set."""
    if not (root / "gradebook.db").exists():
        return False
    with opened(root) as book:
        return name in [each.name for each in book.assignments]


@contextlib.contextmanager
def _told(report, line):
    try:
        yield
    except MissingEntry:
        report(line)
