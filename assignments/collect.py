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
_MOODLE = re.compile(r"^(?P<who>.+?)_(?P<number>\d+)_assignsubmission_file_?(?P<file>.*)$")
_GITHUB = re.compile(r"^ps\d[\w.]*?-(?P<who>.+)(?<!-submissions)$")
_SET = re.compile(r"ps\d+_\w+")  # the folder that students are given
_COPY = re.compile(r"( \(\d+\)|-\d+|-Copy\d+| - Copy)+$")


@dataclass(frozen=True)
class Entry:
    """A file of the archive or folder: its path in it, when it was handed in, how to read it."""

    path: PurePosixPath
    time: datetime.datetime
    size: int
    read: object


@dataclass(frozen=True)
class Sender:
    """What a path tells of who handed in.

    Attributes:
        name: as it stands there, or None. file: the notebook's own name.
        canvas: Canvas's number of the student. moodle: Moodle's number, another one for each set.
        late: whether Canvas says so.
    """

    name: str | None
    file: str
    canvas: str = ""
    moodle: str = ""
    late: bool = False

    @property
    def number(self):
        """What tells two students of one full name apart, or ""."""
        return self.canvas or self.moodle


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
              _written(info), info.file_size,
              lambda info=info: archive.read(info))
        for info in sorted(archive.infolist(), key=lambda info: info.filename)
        if not info.is_dir()
    ]  # fmt: skip


def _written(info):
    """When a file of a zip was written; some tools write no date, and then it has month 0."""
    year, month, day, *rest = info.date_time
    clock = [min(*pair) for pair in zip(rest, (23, 59, 59), strict=True)]
    return datetime.datetime(year, max(1, month), max(1, day), *clock, tzinfo=datetime.UTC)


def sender(path):
    """The `Sender` of a file in an archive or folder."""
    name, folders = path.name, path.parts[:-1]
    if found := _MOODLE.match(name):
        return Sender(found["who"], found["file"], moodle=found["number"])
    if found := _CANVAS.match(name):
        return Sender(found["who"], found["file"], found["number"], late=bool(found["late"]))
    if found := next(filter(None, map(_MOODLE.match, folders)), None):
        return Sender(found["who"], name, moodle=found["number"])
    if found := next(filter(None, map(_GITHUB.match, folders)), None):
        return Sender(found["who"], name)
    students = [each for each in folders if not _SET.fullmatch(each)]  # ada/ps1_dcgan/...
    return Sender(students[-1] if students else None, name)


def platform(folder):
    """(the path that the platform gave a hand-in, whether it calls it late); ("", False) without.

    Args:
        folder: submitted/STUDENT/SET. With nbgrader's exchange all in it is the student's.
    """
    kept = folder / "platform.json"
    try:
        found = json.loads(kept.read_text()) if kept.is_file() else {}
        return str(found.get("path", "")), found.get("late") is True
    except (OSError, ValueError, AttributeError, RecursionError):
        return "", False


def is_own(path, root):
    """Whether a path in submitted/ is a file, and neither it nor its folder a link to another's.

    Args:
        path: of the file. root: the course's folder.
    """
    place = root / "submitted"
    return path.is_file() and path.resolve() == place.resolve() / path.relative_to(place)


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
    for entry, who, student, folder, name in _found(source, root, names, known, report):
        if why := _refused(entry, folder, name, names):
            report(f"{entry.path}: left alone: {why}")
            continue
        if known and folder not in known.values():
            report(f"{entry.path}: {folder} is not in roster.csv, taken all the same")
        if called.setdefault(folder, student) != student:
            both = f"{student!r} and {called[folder]!r} would share the folder {folder}"
            report(f"{entry.path}: left alone: {both}; put them into roster.csv")
            continue
        key, new = (folder, name), (entry, who.late)
        if key in taken:
            older, new = sorted((taken[key], new), key=lambda each: each[0].time)
            report(f"{older[0].path}: left alone: {new[0].path} is newer")
        taken[key] = new
    return sum(_put(*new, root / "submitted" / folder / name, name, report)
               for (folder, name), new in sorted(taken.items()))  # fmt: skip


def _found(source, root, names, known, report):
    """Yield (entry, `Sender`, student's id or name, folder, set) of each file; None for no set.

    Two students of one full name get a folder each, unless Canvas's number is in the roster.
    """
    found = []
    for entry in entries(source):
        who = sender(entry.path)
        found.append((entry, who, _called(who, known), problem_set(who.file, names)))
    twins = _twins(found, root)
    for entry, who, student, name in found:
        folder = _folder(student)
        owner = who.number if who.canvas in known else twins.get((folder, name), who.number)
        if who.number != owner:
            folder = student = f"{folder}-{who.number}"
            report(f"{entry.path}: two students have this name: taken as {folder}")
        yield entry, who, student, folder, name


def _called(who, known):
    """The id that the roster has for a `Sender`'s number or name, or else the name itself."""
    ways = (who.canvas, who.name, roster.squeezed(who.name or ""))
    return next((known[way] for way in ways if way in known), who.name)


def _folder(student):
    """The name of a student's folder; None where there is no name, or nothing of it is left."""
    try:
        return roster.student_id(student or "")
    except ValueError:
        return None


def _twins(found, root):
    """{(folder, set): whose it is} where a platform has several numbers for one full name.

    Whose it is says the number of what was collected before, or "" where nothing was.
    """
    numbers, owners = {}, {}
    for _, who, student, name in found:
        place = _folder(student), name
        if None not in place:
            before, _ = platform(root / "submitted" / Path(*place))
            owners[place] = sender(PurePosixPath(before)).number
            numbers.setdefault(place, {owners[place]}).add(who.number)
    return {place: owners[place] for place, each in numbers.items() if len(each - {""}) > 1}


def _refused(entry, folder, name, names):
    """Why a file is not taken, or None."""
    if name is None:
        file = entry.path.name.lower()
        like = [each for each in names if each.partition("_")[0] in file]
        if file.endswith(".ipynb") and like:
            return f"a renamed {like[0]}? Name it {like[0]}.ipynb, and collect again"
        return "no problem set's notebook"
    if folder is None:
        return "it tells no student"
    if entry.size > LARGEST:
        return f"{entry.size / 2**20:.0f} MiB, at most {LARGEST // 2**20}"
    return None


def _put(entry, late, folder, name, report):
    """Write one notebook and its time, unless a later one is there; whether it was written."""
    try:
        text = entry.read()
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:  # damaged, with a password, ...
        report(f"{entry.path}: left alone: it cannot be read: {error}")
        return False
    target, stamp = folder / f"{name}.ipynb", folder / "timestamp.txt"
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
    kept = {"path": str(entry.path), "late": late}
    (folder / "platform.json").write_text(json.dumps(kept))
    note = "" if entry.path.name.endswith(f"{name}.ipynb") else f" ({entry.path.name})"
    report(f"{label}: {time}{note}{odd}")
    return True
