"""Take what a learning platform gives, and put it where the grader looks: submitted/STUDENT/SET/.

Known names, in a zip file or a folder:

- Canvas: `student_[LATE_]USER_SUBMISSION_ps1_dcgan.ipynb`, with `-1` for a second try;
- Moodle: `Name_NUMBER_assignsubmission_file_ps1_dcgan.ipynb`, or a folder so named with the file;
- GitHub Classroom: a folder `ASSIGNMENT-USER`, with the file anywhere in it;
- a folder of the student's name with the file in it.

Nothing is unpacked by its name: a notebook's text is read and written under the student's name, or
under the id that roster.csv has for the platform's number or name. Beside it timestamp.txt has the
time, and platform.json the file's name and whether the platform calls it late.
"""

import datetime
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import roster

LARGEST = 20 * 2**20  # bytes of a notebook
_CANVAS = re.compile(r"^(?P<who>[^_/]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_(?P<file>.+)$")
_MOODLE = re.compile(r"^(?P<who>.+?)_\d+_assignsubmission_file_?(?P<file>.*)$")
_NUMBER = re.compile(r"_(\d+)_assignsubmission_file")
_COPY = re.compile(r"( \(\d+\)|-\d+|-Copy\d+| - Copy)+$")


@dataclass(frozen=True)
class Entry:
    """A file of the archive or folder: its path in it, when it was handed in, how to read it."""

    path: PurePosixPath
    time: datetime.datetime
    size: int
    read: object


def entries(source):
    """Every file of a zip file or folder, in the order of their paths.

    Raises:
        FileNotFoundError: there is no such file or folder. ValueError: a file that is no zip.
    """
    source = Path(source)
    if source.is_dir():
        return [
            Entry(PurePosixPath(path.relative_to(source).as_posix()),
                  datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC),
                  path.stat().st_size, path.read_bytes)
            for path in sorted(source.rglob("*"))
            if path.is_file() and not path.is_symlink()
        ]  # fmt: skip
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder")
    if not zipfile.is_zipfile(source):
        raise ValueError(f"{source} must be a zip file or a folder")
    archive = zipfile.ZipFile(source)
    return [
        Entry(PurePosixPath(info.filename.replace("\\", "/")),
              datetime.datetime(*info.date_time, tzinfo=datetime.UTC), info.file_size,
              lambda info=info: archive.read(info))
        for info in sorted(archive.infolist(), key=lambda info: info.filename)
        if not info.is_dir()
    ]  # fmt: skip


def whose(path):
    """(student's name, file's name) that a path tells; the name is None where it tells none."""
    name, folders = path.name, path.parts[:-1]
    for pattern in (_MOODLE, _CANVAS):
        if found := pattern.match(name):
            return found["who"], found["file"]
    for folder in folders:
        if found := _MOODLE.match(folder):
            return found["who"], name
    for folder in folders:  # a repository of GitHub Classroom
        found = re.match(r"^ps\d[\w.]*?-(?P<who>.+)$", folder)
        if found and not folder.endswith("-submissions"):
            return found["who"], name
    return (folders[-1], name) if folders else (None, name)


def _canvas(path):
    """The match of a file that Canvas named, or None."""
    return None if _MOODLE.match(path.name) else _CANVAS.match(path.name)


def sender(path, known):
    """(student's id, file's name, name as it stands there) of a path; None for what it tells not.

    Args:
        path: of the file in the archive.
        known: {what a platform may write: id}, of `roster.aliases`.
    """
    who, file = whose(path)
    if who is None:
        return None, file, None
    canvas = _canvas(path)
    ways = [canvas["number"] if canvas else None, who, roster.squeezed(who)]
    found = next((known[way] for way in ways if way in known), None)
    return found or roster.student_id(who), file, found or who


def problem_set(file, names):
    """The set that a file's name is one of, copies like `ps1_dcgan (1).ipynb` included, or None."""
    if not file.endswith(".ipynb"):
        return None
    stem = _COPY.sub("", file.removesuffix(".ipynb"))
    return stem if stem in names else None


def collect(source, root, names, report=print):
    """Put the notebooks of a platform's zip file or folder into submitted/; returns how many.

    Of several files of one student the newest is taken; a file that came later than the one that is
    there replaces it. Every file that is not taken is told, with the reason.

    Args:
        source: the zip file or folder.
        root: the course's folder.
        names: of the problem sets.
        report: called with a line for each file.

    Raises:
        FileNotFoundError, ValueError: no such source.
    """
    taken, called = {}, {}
    known = roster.aliases(roster.known(Path(root)))
    found = entries(source)
    twins = _twins(found, root, known, names)
    for entry in found:
        folder, file, student = sender(entry.path, known)
        name = problem_set(file, names)
        number = _moodle_number(entry.path)
        if number and twins.get((folder, name), number) != number:
            folder = student = f"{folder}-{number}"
            report(f"{entry.path}: two students have this name: taken as {folder}")
        if why := _refused(entry, student, name, names):
            report(f"{entry.path}: left alone: {why}")
            continue
        if known and folder not in known.values() and (folder, name) not in twins:
            report(f"{entry.path}: {folder} is not in roster.csv, taken all the same")
        if called.setdefault(folder, student) != student:
            both = f"{student!r} and {called[folder]!r} would share the folder {folder}"
            report(f"{entry.path}: left alone: {both}; put them into roster.csv")
            continue
        key = folder, name
        if key in taken:
            older, newer = sorted((taken[key], entry), key=lambda each: each.time)
            report(f"{older.path}: left alone: {newer.path} is newer")
            entry = newer
        taken[key] = entry
    return sum(_put(entry, root / "submitted" / folder / name, name, report)
               for (folder, name), entry in sorted(taken.items()))  # fmt: skip


def _moodle_number(path):
    """Moodle's number of who handed in, another one for each set; None on other platforms."""
    found = _NUMBER.search(str(path))
    return found[1] if found else None


def _twins(entries, root, known, names):
    """{(folder, set): whose it is} where Moodle has several numbers: students of one full name.

    Whose it is says the number of what was collected before, or "" where nothing was.
    """
    numbers, owners = {}, {}
    for entry in entries:
        folder, file, _ = sender(entry.path, known)
        place = folder, problem_set(file, names)
        if None in place:
            continue
        kept = root / "submitted" / folder / place[1] / "platform.json"
        before = [json.loads(kept.read_text())["path"]] if kept.exists() else []
        owners[place] = next(filter(None, map(_moodle_number, before)), "")
        numbers.setdefault(place, {owners[place]}).add(_moodle_number(entry.path))
    return {place: owners[place] for place, found in numbers.items()
            if len(found - {None, ""}) > 1}  # fmt: skip


def _refused(entry, student, name, names):
    """Why a file is not taken, or None."""
    if name is None:
        file = entry.path.name.lower()
        like = [each for each in names if each.partition("_")[0] in file]
        if file.endswith(".ipynb") and like:
            return f"a renamed {like[0]}? Name it {like[0]}.ipynb, and collect again"
        return "no problem set's notebook"
    if student is None:
        return "it tells no student"
    if entry.size > LARGEST:
        return f"{entry.size / 2**20:.0f} MiB, at most {LARGEST // 2**20}"
    return None


def _put(entry, folder, name, report):
    """Write one notebook and its time, unless a later one is there; whether it was written."""
    text, target, stamp = entry.read(), folder / f"{name}.ipynb", folder / "timestamp.txt"
    time = entry.time.strftime("%Y-%m-%d %H:%M:%S UTC")
    label = f"{folder.parent.name}/{name}"
    try:
        json.loads(text)
        odd = ""
    except (ValueError, RecursionError):
        odd = "; it is no notebook, and will get no points"
    if target.exists():
        if target.read_bytes() == text:
            report(f"{label}: there already")
            return False
        if stamp.exists() and stamp.read_text().strip() > time:
            report(f"{label}: {entry.path} is older than what is there, left alone")
            return False
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text)
    stamp.write_text(time + "\n")
    canvas = _canvas(entry.path)
    kept = {"path": str(entry.path), "late": bool(canvas and canvas["late"])}
    (folder / "platform.json").write_text(json.dumps(kept))
    note = "" if entry.path.name.endswith(f"{name}.ipynb") else f" ({entry.path.name})"
    report(f"{label}: {time}{note}{odd}")
    return True
