"""Hand-ins as learning platforms name them; nothing is lost silently, nothing lands elsewhere."""

import contextlib
import json
import os
import zipfile

import collect
import course
import pytest

NAMES = ["ps1_dcgan", "ps2_spectral_norm"]
BOOK = json.dumps({"cells": []})


def archive(path, files):
    """A zip file of {name: text}, or {name: (text, date)}."""
    with zipfile.ZipFile(path, "w") as target:
        for name, value in files.items():
            text, date = value if isinstance(value, tuple) else (value, (2026, 11, 2, 9, 30, 0))
            target.writestr(zipfile.ZipInfo(name, date), text)
    return path


def taken(tmp_path, files, names=NAMES):
    """({student/set: text}, the lines told) of an archive with these files."""
    said = []
    collect.collect(archive(tmp_path / "in.zip", files), tmp_path, names, said.append)
    root = tmp_path / "submitted"
    found = {str(p.parent.relative_to(root)): p.read_text() for p in root.rglob("*.ipynb")}
    return found, said


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("lovelaceada_12345_678901_ps1_dcgan.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_12345_678901_ps1_dcgan-2.ipynb", "lovelaceada"),
        ("Ada Lovelace_4711_assignsubmission_file_ps1_dcgan.ipynb", "Ada_Lovelace"),
        ("Ada Lovelace_4711_assignsubmission_file_/ps1_dcgan.ipynb", "Ada_Lovelace"),
        ("Ada Lovelace_4711_assignsubmission_file/ps1_dcgan (1).ipynb", "Ada_Lovelace"),
        ("ps1_dcgan-submissions/ps1_dcgan-ada-l/ps1_dcgan.ipynb", "ada-l"),
        ("ps1_dcgan-ada-l/work/ps1_dcgan-Copy1.ipynb", "ada-l"),
        ("ada/ps1_dcgan.ipynb", "ada"),
        ("ada/ps1_dcgan/ps1_dcgan.ipynb", "ada"),
        ("Müller, Jürgen (B)_88_assignsubmission_file_ps1_dcgan.ipynb", "Müller_Jürgen_B"),
        ("Ng [2]/ps1_dcgan.ipynb", "Ng_2"),
    ],
)
def test_every_platforms_names_are_known(tmp_path, name, student):
    found, said = taken(tmp_path, {name: BOOK})
    assert found == {f"{student}/ps1_dcgan": BOOK}
    assert len(said) == 1
    stamp = tmp_path / "submitted" / student / "ps1_dcgan" / "timestamp.txt"
    assert stamp.read_text() == "2026-11-02 09:30:00 UTC\n"


def test_what_is_not_taken_is_told_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "LARGEST", 2**20)
    found, said = taken(tmp_path, {
        "ada/ps1_dcgan.ipynb": BOOK, "ada/notes.txt": "x", "ada/ps9_other.ipynb": BOOK,
        "ps1_dcgan.ipynb": BOOK, "---/ps1_dcgan.ipynb": BOOK,
        "bob/ps1_dcgan.ipynb": "x" * (2**20 + 1),
    })  # fmt: skip
    assert list(found) == ["ada/ps1_dcgan"]
    told = "\n".join(said)
    assert "notes.txt: left alone: no problem set" in told
    assert "ps9_other.ipynb: left alone" in told
    assert told.count("ps1_dcgan.ipynb: left alone: it tells no student") == 2
    assert "bob/ps1_dcgan.ipynb: left alone" in told


def test_an_odd_entry_of_a_zip_stops_no_other(tmp_path):
    """One without a date, as some tools write it, and one that is damaged."""
    files = {"ada/ps1_dcgan.ipynb": (BOOK, (1980, 1, 1, 0, 0, 0)),
             "bob/ps1_dcgan.ipynb": "damaged" * 9, "cleo/ps1_dcgan.ipynb": BOOK}  # fmt: skip
    source = archive(tmp_path / "in.zip", files)
    # The fields of a date are 0 0 for day and month; they stand in both headers.
    day_one = (1 << 5 | 1).to_bytes(2, "little")
    packed = source.read_bytes().replace(b"\x00\x00" + day_one, b"\x00\x00\x00\x00")
    source.write_bytes(packed.replace(b"damaged", b"Damaged", 1))
    said = []
    assert collect.collect(source, tmp_path, NAMES, said.append) == 2
    assert (tmp_path / "submitted" / "ada" / "ps1_dcgan" / "ps1_dcgan.ipynb").read_text() == BOOK
    (why,) = (line for line in said if line.startswith("bob"))
    assert "left alone: it cannot be read: Bad CRC-32" in why


def test_the_newest_of_several_counts_and_a_later_one_replaces(tmp_path):
    old, new = (2026, 11, 1, 8, 0, 0), (2026, 11, 2, 8, 0, 0)
    two = {"a_1_2_ps1_dcgan.ipynb": (BOOK, old), "a_1_3_ps1_dcgan-1.ipynb": ('{"n": 2}', new)}
    found, said = taken(tmp_path, two)
    assert found == {"a/ps1_dcgan": '{"n": 2}'}
    assert any("is newer" in line for line in said)
    found, said = taken(tmp_path, {"a_1_2_ps1_dcgan.ipynb": (BOOK, old)})
    assert found == {"a/ps1_dcgan": '{"n": 2}'}
    assert "older than what is there" in said[0]
    found, _ = taken(tmp_path, {"a_1_4_ps1_dcgan-2.ipynb": ('{"n": 3}', (2026, 11, 3, 8, 0, 0))})
    assert found == {"a/ps1_dcgan": '{"n": 3}'}
    assert "there already" in taken(tmp_path, {"a/ps1_dcgan.ipynb": '{"n": 3}'})[1][0]


def test_a_folder_is_taken_like_an_archive_and_links_are_not_followed(tmp_path):
    inside = tmp_path / "in" / "ada"
    inside.mkdir(parents=True)
    (inside / "ps1_dcgan.ipynb").write_text(BOOK)
    os.utime(inside / "ps1_dcgan.ipynb", (1_700_000_000, 1_700_000_000))
    (tmp_path / "secret").write_text("{}")
    (inside / "ps2_spectral_norm.ipynb").symlink_to(tmp_path / "secret")
    assert collect.collect(tmp_path / "in", tmp_path, NAMES, lambda line: None) == 1
    stamp = tmp_path / "submitted" / "ada" / "ps1_dcgan" / "timestamp.txt"
    assert stamp.read_text() == "2023-11-14 22:13:20 UTC\n"


def test_no_path_of_an_archive_leads_out_of_the_course(tmp_path):
    found, _ = taken(tmp_path, {"../../evil/ps1_dcgan.ipynb": BOOK, "/etc/ps1_dcgan.ipynb": BOOK})
    assert set(found) == {"evil/ps1_dcgan", "etc/ps1_dcgan"}
    outside = [p for p in tmp_path.rglob("*.ipynb") if tmp_path / "submitted" not in p.parents]
    assert not outside


@pytest.mark.parametrize("text", ["no notebook", "[" * 200_000])
def test_what_is_no_notebook_is_taken_and_told(tmp_path, text):
    found, said = taken(tmp_path, {"ada/ps1_dcgan.ipynb": text})
    assert found
    assert "no notebook" in said[0]


MOODLE, CANVAS = "Ada L_{}_assignsubmission_file_/ps1_dcgan.ipynb", "Ada L_{}_9_ps1_dcgan.ipynb"


def test_two_of_one_full_name_whom_the_roster_knows_by_their_numbers_are_those(tmp_path):
    (tmp_path / "roster.csv").write_text("id,lms_id\nada1,4711\nada2,4712\n")
    found, _ = taken(tmp_path, {CANVAS.format(n): BOOK for n in (4711, 4712)})
    assert set(found) == {"ada1/ps1_dcgan", "ada2/ps1_dcgan"}


def test_a_namesake_who_is_not_in_the_roster_takes_nobody_s_place(tmp_path):
    (tmp_path / "roster.csv").write_text("id,lms_id,last_name\nada_l,4711,Ada L\n")
    for numbers in ((4711, 4712), (4712,), (4711,)):
        files = {f"adal_{n}_9_ps1_dcgan.ipynb": f'{{"n": {n}}}' for n in numbers}
        found, _ = taken(tmp_path, files)
        assert found == {"ada_l/ps1_dcgan": '{"n": 4711}', "ada_l-4712/ps1_dcgan": '{"n": 4712}'}


@pytest.mark.parametrize("way", [MOODLE, CANVAS])
def test_two_of_one_full_name_are_two(tmp_path, way):
    one, other = way.format(4711), way.format(4712)
    found, said = taken(tmp_path, {one: BOOK, other: '{"n": 2}'})
    assert found == {"Ada_L-4711/ps1_dcgan": BOOK, "Ada_L-4712/ps1_dcgan": '{"n": 2}'}
    assert "two students have this name: taken as Ada_L-4711" in said[0]


@pytest.mark.parametrize("way", [MOODLE, CANVAS])
def test_the_second_of_one_full_name_does_not_replace_the_first(tmp_path, way):
    one, other = way.format(4711), way.format(4712)
    taken(tmp_path, {one: BOOK})
    for files in ({other: '{"n": 2}'}, {one: BOOK, other: '{"n": 2}'}):
        found, _ = taken(tmp_path, files)
        assert found == {"Ada_L/ps1_dcgan": BOOK, "Ada_L-4712/ps1_dcgan": '{"n": 2}'}


@pytest.mark.parametrize("name", ["ps1 final version.ipynb", "ps1_dcgan_final.ipynb"])
def test_a_renamed_file_is_told_with_what_to_do(tmp_path, name):
    found, said = taken(tmp_path, {f"ada/{name}": BOOK})
    assert not found
    assert "a renamed ps1_dcgan? Name it ps1_dcgan.ipynb, and collect again" in said[0]


def test_two_students_never_share_a_folder(tmp_path):
    found, said = taken(tmp_path, {
        "a b/ps1_dcgan.ipynb": BOOK, "a,b/ps2_spectral_norm.ipynb": BOOK,
        "c/ps1_dcgan.ipynb": "{}",
    })  # fmt: skip
    assert set(found) == {"a_b/ps1_dcgan", "c/ps1_dcgan"}  # and the others are taken
    assert any("left alone" in line and "would share the folder a_b" in line for line in said)


@pytest.mark.parametrize("what", ["missing.zip", "text.zip"])
def test_a_source_that_is_none_is_named(tmp_path, what):
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises((FileNotFoundError, ValueError), match=what):
        collect.collect(tmp_path / what, tmp_path, NAMES)


def test_a_build_that_fails_leaves_the_old_release_in_place(tmp_path):
    for name in ("release", "solutions"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old.txt").write_text(name)
    (tmp_path / "gradebook.db").write_text("old")
    with pytest.raises(RuntimeError, match="broken"), course.unharmed(tmp_path):  # noqa: PT012
        (tmp_path / "release" / "old.txt").unlink()
        (tmp_path / "gradebook.db").write_text("new")
        raise RuntimeError("broken")
    assert (tmp_path / "release" / "old.txt").read_text() == "release"
    assert (tmp_path / "gradebook.db").read_text() == "old"
    with course.unharmed(tmp_path):
        (tmp_path / "release" / "old.txt").write_text("new")
    assert (tmp_path / "release" / "old.txt").read_text() == "new"


def test_only_the_sets_that_changed_are_built_again(tmp_path, monkeypatch):
    """Building takes a set's points out of the gradebook until it is graded again."""
    made = []

    def generate(root, command, name, *options):
        made.append(name)
        (root / "release" / name).mkdir(parents=True)
        (root / "release" / name / f"{name}.ipynb").write_text(BOOK)

    monkeypatch.setattr(course.grading, "nbgrader", generate)
    monkeypatch.setattr(course.grades, "has", lambda root, name: name in made)
    monkeypatch.setattr(course.grades, "essays_kept", lambda *_: contextlib.nullcontext())
    texts = [tmp_path / "source" / name / f"{name}.py" for name in ("ps8_one", "ps9_two")]
    for text in texts:
        text.parent.mkdir(parents=True)
        text.write_text('# %% without=["svd"]\nSEED = 0  # set by your instructor\n\n# %%\nx = 1\n')
    assert course.build(tmp_path, solutions=False) == ["ps8_one", "ps9_two"]
    assert course.build(tmp_path, solutions=False) == []
    texts[1].write_text(texts[1].read_text().replace("x = 1", "x = 2"))
    assert course.build(tmp_path, solutions=False) == ["ps9_two"]
    assert course.build(tmp_path, solutions=False, seed=3) == ["ps8_one", "ps9_two"]
    assert course.build(tmp_path, solutions=False) == []  # a class keeps its seed
    assert course.last_seed(tmp_path) == 3
    assert course.build(tmp_path, solutions=False, seed=0) == ["ps8_one", "ps9_two"]
