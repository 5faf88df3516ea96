"""The course's command line: `python assignments/course.py COMMAND`; `-h` tells the options.

build       release/ (what students get) and solutions/ (with outputs) from source/
roster      who is in the class, from a platform's list
collect     a learning platform's zip file or folder into submitted/
grade       all of submitted/, side by side; what is graded already is left alone
similar     which hand-ins of a set look alike
feedback    the pages of one set again, with the essays' points and comments, and as a zip file
export      all tables: hand-ins, problems, students, Canvas
"""

import argparse
import contextlib
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import collect  # noqa: E402 (their folder was put on the path above)
import grades  # noqa: E402
import grading  # noqa: E402
import repair  # noqa: E402
import roster  # noqa: E402
import sandbox  # noqa: E402
import sheets  # noqa: E402
import variants  # noqa: E402

SEED_LINE = "SEED = 0  # set by your instructor"


def sets(root=ROOT):
    """Names of all problem sets, in order: ps1_dcgan, ..."""
    return sorted(path.parent.name for path in root.glob("source/ps*/*.py"))


def last_seed(root=ROOT):
    """The seed of the last build, 0 before the first."""
    for path in root.glob("source/ps*/*.ipynb"):
        if found := re.search(SEED_LINE.replace("0", r"(\d+)", 1), path.read_text()):
            return int(found[1])
    return 0


def build(root=ROOT, solutions=True, seed=None):
    """Make the notebooks of source/, release/ and solutions/ of the sets that have changed.

    A set that is as it was is left alone, and so are its points.

    Args:
        root: the course's folder. solutions: execute these, too.
        seed: what the tests' random numbers start from, so that each class has its own; by default
            that of the last build.

    Returns:
        The names of the sets that were made.

    Raises:
        RuntimeError: nbgrader refused a notebook, or a solution raised; it names the notebook.
        ValueError: a problem set has no line for the seed.
    """
    made, seed = [], last_seed(root) if seed is None else seed
    for name in sets(root):
        folder = root / "source" / name
        notebook = _notebook(folder, seed)
        if _is_there(root, name, notebook, solutions):
            continue
        jupytext.write(notebook, folder / f"{name}.ipynb")
        shutil.rmtree(root / "release" / name, ignore_errors=True)
        shutil.rmtree(root / "solutions" / name, ignore_errors=True)
        with grades.essays_kept(root, name):
            grading.nbgrader(root, "generate_assignment", name, "--force", "--create")
        made.append(name)
    if solutions:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: _solve(root, name), made))
    return made


def _notebook(folder, seed):
    """The source notebook of a set, made from its text."""
    text = (folder / f"{folder.name}.py").read_text()
    if text.count(SEED_LINE) != 1:
        raise ValueError(f"{folder.name}.py: the line {SEED_LINE!r} must be there once")
    text = variants.apply(text, folder, seed)
    text = text.replace(SEED_LINE, SEED_LINE.replace("0", str(seed), 1))
    notebook = jupytext.reads(text, fmt="py:percent")
    for cell in notebook.cells:  # "Run All" goes on after a test that fails
        if repair.is_test(cell):
            cell.metadata["tags"] = ["raises-exception"]
    return notebook


def _is_there(root, name, notebook, solutions):
    """Whether a set was made from this very notebook, and nothing of it is gone."""
    files = [root / place / name / f"{name}.ipynb"
             for place in ("source", "release", *(["solutions"] if solutions else []))]  # fmt: skip
    if not all(path.exists() for path in files) or not grades.has(root, name):
        return False
    cells = [[(cell.source, cell.metadata) for cell in each.cells]
             for each in (notebook, nbformat.read(files[0], as_version=4))]  # fmt: skip
    return cells[0] == cells[1]


@contextlib.contextmanager
def unharmed(root, names=("release", "solutions", "gradebook.db")):
    """Meanwhile these may be made anew; if that fails, they are as they were.

    Args:
        root: the course's folder.
        names: of files and folders in it.
    """
    with tempfile.TemporaryDirectory() as kept:
        kept = Path(kept)
        for name in (name for name in names if (root / name).exists()):
            copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            copy(root / name, kept / name)
        try:
            yield
        except BaseException:
            for name in names:
                old, new = kept / name, root / name
                shutil.rmtree(new) if new.is_dir() else new.unlink(missing_ok=True)
                if old.exists():
                    shutil.move(old, new)
            raise


def _solve(root, name):
    grading.nbgrader(root, "generate_solution", name, "--force")
    path = root / "solutions" / name / f"{name}.ipynb"
    for cell in json.loads(path.read_text())["cells"]:
        graded = cell["metadata"].get("nbgrader", {}).get("grade")
        for output in cell.get("outputs", []):
            # nbgrader takes a test's word on stderr for a failure; elsewhere it is TensorFlow's.
            if output["output_type"] == "error" or (graded and output.get("name") == "stderr"):
                raise RuntimeError(f"{path.name}: {cell['metadata']}: {output}")


def back_up(root, most=10):
    """Copy the gradebook into backups/, under the time; the newest `most` are kept."""
    folder = root / "backups"
    folder.mkdir(exist_ok=True)
    target = folder / time.strftime("gradebook-%Y%m%d-%H%M%S.db")
    with (contextlib.closing(sqlite3.connect(root / "gradebook.db")) as book,
          contextlib.closing(sqlite3.connect(target)) as copy):  # fmt: skip
        book.backup(copy)
    for old in sorted(folder.glob("gradebook-*.db"))[:-most]:
        old.unlink()


def grade(root=ROOT, jobs=2, force=False, student=None, name=None, report=print, way=None):
    """Grade what lies in submitted/STUDENT/SET/SET.ipynb; returns the results, one for each.

    Args:
        root: the course's folder. jobs: submissions at a time. force: grade again what is done.
        student, name: only this student's, only this set's.
        report: called with a line for each submission.
        way: of `sandbox.WAYS`, default the best that there is.

    Raises:
        FileNotFoundError: the problem sets were not built yet.
        ValueError: nothing was handed in under this student's or set's name, or no sandbox.
    """
    way = way or sandbox.best()
    if way is None:
        raise ValueError("no sandbox: install bubblewrap; or type --without-sandbox, and students' "
                         "code runs with your rights, on all your files")  # fmt: skip
    book = grades.Book(root, sets(root))
    waiting = _waiting(root, student, name, report)
    back_up(root)
    started = time.monotonic()

    def one(path):
        return _grade_one(book, root, path, way, force, report)

    with ThreadPoolExecutor(jobs) as pool:
        rows = [row for row in pool.map(one, waiting) if row]
    sheets.tables(root, sets(root))
    took = time.monotonic() - started
    report(f"{len(rows)} of {len(waiting)} submissions, {took:.0f} s, {way}: graded/report.csv")
    for line in unknown_names(root, [row["student"] for row in rows], book.terms.extended):
        report(line)
    return rows


def _waiting(root, student, name, report):
    """The folders submitted/STUDENT/SET to grade; what is of no set is told."""
    found = sorted(path for path in root.glob(f"submitted/{student or '*'}/{name or '*'}")
                   if path.is_dir())  # fmt: skip
    if not found and (student or name):
        raise ValueError(f"nothing handed in: student {student or 'any'}, set {name or 'any'}")
    names = sets(root)
    for path in found:
        if path.name not in names:
            report(f"{path.parent.name}/{path.name}: no such problem set, left alone")
    return [path for path in found if path.name in names]


def _grade_one(book, root, path, way, force, report):
    """One submission's row, as it was or graded now; None where that failed, which is told."""
    student, name = path.parent.name, path.name
    try:
        if not force and (row := book.finished(student, name)):
            return row
        row = book.enter(student, name, grading.run(root, student, name, way))
    except Exception as error:  # one that fails must not stop the others
        report(f"{student}/{name}: NOT GRADED, next time again: {error}")
        return None
    look = f"; to look at: {row['look']}" if row["look"] else ""
    report(f"{student}/{name}: {row['auto']:g} of {row['of']:g}; {row['notes'] or 'fine'}{look}")
    return row


def unknown_names(root, graded, extended):
    """Sentences on whose name may be misspelt.

    Args:
        root: the course's folder.
        graded: students with a hand-in, who should be in roster.csv, where there is one.
        extended: who has longer by course.toml, and should be there or in submitted/.
    """
    known = {each.id for each in roster.known(root)}
    strangers = {*graded} - known if known else ()
    nobodies = {*extended} - known - {path.name for path in root.glob("submitted/*")}
    return [
        *(f"{name}: not in roster.csv" for name in sorted(strangers)),
        *(f"course.toml: extended.{name}: no such student, in roster.csv or submitted/"
          for name in sorted(nobodies)),
    ]  # fmt: skip


def feedback(name, root=ROOT):
    """Write the pages of one problem set again, and handback/SET.zip; returns the students.

    Raises:
        ValueError: nothing of that name was graded, or something changed since.
    """
    students = sorted(path.parent.name for path in root.glob(f"autograded/*/{name}"))
    if not students:
        raise ValueError(f"name: nothing graded under {name!r}; there are {sets(root)}")
    book = grades.Book(root, sets(root))
    if stale := [student for student in students if book.finished(student, name) is None]:
        raise ValueError(f"{name}: grade again first: {', '.join(stale)}")
    for student in students:
        book.feedback(student, name)
    sheets.hand_back(root, name, students)
    return students


def _options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="make release/ and solutions/")
    builder.add_argument("--seed", type=int, help="of the tests' random numbers; else the last")
    taker = commands.add_parser("roster", help="who is in the class, from a platform's list")
    taker.add_argument("source", metavar="FILE.csv")
    taker = commands.add_parser("collect", help="a platform's zip file or folder into submitted/")
    taker.add_argument("source", metavar="FILE.zip|FOLDER")
    grader = commands.add_parser("grade", help="grade submitted/")
    grader.add_argument("--jobs", type=int, default=2, help="submissions at a time")
    grader.add_argument("--force", action="store_true", help="grade again what is graded")
    grader.add_argument("--student", help="this one's only")
    grader.add_argument("--without-sandbox", dest="way", action="store_const", const="no sandbox",
                        help="run students' code with your rights, on all your files")  # fmt: skip
    grader.add_argument("--set", dest="name", help="this one only, such as ps2_spectral_norm")
    for command, words in (("feedback", "write a set's pages again, essays included, and the zip"),
                           ("similar", "which hand-ins of a set look alike")):  # fmt: skip
        commands.add_parser(command, help=words).add_argument("name", metavar="SET")
    commands.add_parser("export", help="write all tables of graded/ again")
    return parser.parse_args()


def _build(options):
    if (ROOT / "gradebook.db").exists():
        back_up(ROOT)
    sources = [f"source/{name}/{name}.ipynb" for name in sets()]
    with unharmed(ROOT, ["release", "solutions", "gradebook.db", *sources]):
        made = build(seed=options.seed)
    for name in sets():
        print(f"release/{name}, solutions/{name}{'' if name in made else ': as they were'}")


def _roster(options):
    students, left_out = roster.read(options.source)
    roster.keep(ROOT, students, options.source, sets())
    print(f"roster.csv: {len(students)} students; {left_out} lines without one left out")


def _similar(options):
    import similar

    lines = similar.pairs(ROOT, options.name)
    print(f"graded/similar_{options.name}.csv: {len(lines)} pairs; the likest:")
    for line in lines[:10]:
        print(f"{line['code']:5.0%} of the code, {line['essays']:5.0%} of the essays: "
              f"{line['one']}, {line['other']}")  # fmt: skip


def main():
    options = _options()
    commands = {
        "build": _build, "roster": _roster, "similar": _similar,
        "collect": lambda o: print(f"{collect.collect(o.source, ROOT, sets())} notebooks"),
        "grade": lambda o: grade(jobs=o.jobs, force=o.force, student=o.student, name=o.name,
                                 way=o.way),
        "feedback": lambda o: print(f"feedback/*/{o.name}: {len(feedback(o.name))} pages; "
                                    f"handback/{o.name}.zip"),
        "export": lambda o: print(*(f"graded/{name}: {lines} lines" for name, lines
                                    in sheets.tables(ROOT, sets()).items()), sep="\n"),
    }  # fmt: skip
    try:
        commands[options.command](options)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
