"""CelebA as published: its layouts, its list of splits, its checksums."""

import zipfile

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from sagan_lib.datasets import celeba as published
from sagan_lib.datasets import registry
from sagan_lib.datasets.celeba import CelebA


def test_celeba_from_its_folder_its_parent_and_its_zip(celeba, cache):
    with zipfile.ZipFile(celeba.parent / "img_align_celeba.zip", "w") as archive:
        for file in sorted(celeba.iterdir()):
            archive.write(file, f"img_align_celeba/{file.name}")
    ways = [celeba, celeba.parent, celeba.parent / "img_align_celeba.zip"]
    sources = [CelebA(path, 32, cache=cache) for path in ways]
    for source in sources:
        assert [name[-10:] for name in source.names] == [f"{n:06}.jpg" for n in range(1, 7)]
        np.testing.assert_array_equal(source.images, sources[0].images)
    assert len(np.unique(sources[0].images.reshape(6, -1), axis=0)) == 6


@pytest.mark.parametrize(
    ("split", "numbers"), [("train", range(1, 7)), ("valid", (7, 8)), ("test", (9, 10)),
                           ("all", range(1, 11))]
)  # fmt: skip
def test_the_partition_list_decides_the_split(celeba, cache, split, numbers):
    source = CelebA(celeba, 16, split=split, cache=cache)
    assert source.names == [f"{n:06}.jpg" for n in numbers]
    assert len(source.images) == source.size == len(numbers)


def test_the_list_is_found_where_celebas_own_download_has_it(celeba, cache):
    (celeba.parent / "Img").mkdir()
    (celeba.parent / "Eval").mkdir()
    moved = celeba.rename(celeba.parent / "Img" / celeba.name)
    lists = moved.parent.parent / "list_eval_partition.txt"
    lists.rename(moved.parent.parent / "Eval" / lists.name)
    for path in (moved, moved.parent, moved.parent.parent):
        assert CelebA(path, 16, split="valid", cache=cache).size == 2


def test_check_celeba_compares_with_the_published_sums(tmp_path, monkeypatch):
    assert published.check(tmp_path) == {}
    (tmp_path / "img_align_celeba.zip").write_bytes(b"cut off")
    assert published.check(tmp_path) == {"img_align_celeba.zip": False}
    # RFC 1321 gives the MD5 of "abc".
    monkeypatch.setitem(published.MD5, "img_align_celeba.zip", "900150983cd24fb0d6963f7d28e17f72")
    (tmp_path / "img_align_celeba.zip").write_bytes(b"abc")
    assert published.check(tmp_path) == {"img_align_celeba.zip": True}


def test_celeba_is_found_where_it_is_put(celeba):
    assert published.find(celeba.parent) == str(celeba)
    zipped = celeba.parent / "img_align_celeba.zip"
    zipped.touch()
    assert published.find(celeba.parent) == str(celeba)  # unpacked, it is quicker
    celeba.rename(celeba.parent / "elsewhere")
    assert published.find(celeba.parent) == str(zipped)
    zipped.unlink()
    assert published.find(celeba.parent) is None


def test_kaggles_folders_and_list(celeba, cache):
    """A folder in one of its own name, and a list with commas and a head."""
    root, list_of = celeba.parent, celeba.parent / "list_eval_partition.txt"
    lines = list_of.read_text().replace(" ", ",")
    list_of.unlink()
    (root / "list_eval_partition.csv").write_text("image_id,partition\n" + lines)
    celeba.rename(root / "moved")
    celeba.mkdir()
    folder = (root / "moved").rename(celeba / celeba.name)
    for path in (root, celeba, folder):
        assert published.is_celeba(path)
        assert CelebA(path, 16, cache=cache).size == 6
        assert CelebA(path, 16, "test", cache=cache).size == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_list_in_the_encoding_of_an_editor(celeba, cache, encoding):
    file = celeba.parent / "list_eval_partition.txt"
    file.write_text(file.read_text(), encoding=encoding)
    assert CelebA(celeba, 16, "valid", cache=cache).size == 2


def test_copies_in_another_format_are_matched_without_their_ending(celeba, cache):
    for file in list(celeba.iterdir()):
        Image.open(file).save(file.with_suffix(".png"))
        file.unlink()
    assert CelebA(celeba, 16, cache=cache).names == [f"{n:06}.png" for n in range(1, 7)]


def test_lists_inside_the_zip(celeba, cache):
    path = celeba.parent / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(celeba.iterdir()):
            archive.write(file, file.name)
        for each in [celeba.parent / "list_eval_partition.txt", attributes(celeba.parent, "txt")]:
            archive.write(each, each.name)
            each.unlink()
    assert published.is_celeba(path)
    assert CelebA(path, 16, "all", cache=cache, label="Male").numbers[:, 0].sum() == 5
    assert CelebA(path, 16, "test", cache=cache).size == 2
    assert CelebA(path, 16, cache=cache).description.endswith(
        "split train of list_eval_partition.txt"
    )


def test_a_split_without_a_list_and_a_list_that_leaves_nothing(celeba, cache):
    file = celeba.parent / "list_eval_partition.txt"
    file.write_text("".join(f"{n:06}.jpg 1\n" for n in range(1, 11)))
    with pytest.raises(ValueError, match="has none of its files in split 'train'"):
        CelebA(celeba, 16, cache=cache)
    file.unlink()
    assert CelebA(celeba, 16, cache=cache).size == 10
    for split in ("valid", "test"):
        with pytest.raises(ValueError, match=f"no list of splits .*so split '{split}'"):
            CelebA(celeba, 16, split, cache=cache)
    with pytest.raises(ValueError, match=r"split must be one of \['all', 'test', 'train',"):
        CelebA(celeba, 16, "dev")
    file.write_text("000001.jpg\n")
    with pytest.raises(ValueError, match=r"partition.txt: each line must be 'name split'"):
        CelebA(celeba, 16, cache=cache)


def test_pictures_that_the_list_does_not_name_are_counted(celeba, cache):
    picture(1, (300, 300)).save(next(celeba.rglob("000001.jpg")).with_name("new.jpg"))
    data = CelebA(celeba, 16, cache=cache)
    assert "new.jpg" not in data.names
    assert data.left_out["not in the list of splits"] == 1


def test_a_file_that_is_no_zip_is_not_celeba(celeba):
    other = celeba.parent / "other.zip"  # beside the list
    other.write_bytes(b"no zip")
    assert not published.is_celeba(other)


def test_a_list_of_other_files_is_not_applied(celeba, cache, tmp_path):
    own = tmp_path / "celeba" / "own"
    own.mkdir()
    picture(1, (300, 300)).save(own / "holiday.png")
    assert not published.is_celeba(own)
    assert CelebA(own, 16, cache=cache).names == ["holiday.png"]


def test_only_celebas_pictures_are_cropped_to_178(tmp_path, celeba):
    wide = Image.new("RGB", (400, 400), "red")
    wide.paste("blue", (100, 100, 300, 300))
    (tmp_path / "own").mkdir()
    wide.save(tmp_path / "own" / "one.png")
    found = registry.by_name(str(tmp_path / "own"), 16)
    assert found.images[0, 0, 0].tolist() == [255, 0, 0]
    chosen = registry.by_name(str(tmp_path / "own"), 16, crop=178)
    assert chosen.images[0, 0, 0].tolist() == [0, 0, 255]
    (celeba.parent / "list_eval_partition.txt").unlink()  # the folder's name says it
    assert registry.by_name(str(celeba), 16).crop == 178


def test_a_list_that_claims_too_much_is_not_read(celeba, monkeypatch):
    path = celeba.parent / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(celeba.parent / "list_eval_partition.txt", "list_eval_partition.txt")
        archive.write(celeba / "000001.jpg", "000001.jpg")
    monkeypatch.setattr(published, "LONGEST", 100)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("read"))
    for place in (path, celeba):
        with pytest.raises(ValueError, match=r"partition\.txt: 130 bytes are no list of CelebA's"):
            CelebA(place, 16)


def attributes(folder, kind, rows=range(1, 11)):
    """CelebA's list, in both forms: odd numbers are male, multiples of three smile."""
    rows = [[f"{n:06}.jpg", "-1", "1" if n % 2 else "-1", "-1" if n % 3 else "1"] for n in rows]
    head = {"txt": f"{len(rows)}\nBald Male Smiling \n", "csv": "image_id,Bald,Male,Smiling\n"}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"list_attr_celeba.{kind}"
    between = "  " if kind == "txt" else ","
    path.write_text(head[kind] + "".join(f"{between.join(row)}\n" for row in rows))
    return path


@pytest.mark.filterwarnings("ignore:Bald=yes")
@pytest.mark.parametrize("kind", ["txt", "csv"])
@pytest.mark.parametrize("where", [".", "..", "../Anno"])
def test_attributes_are_labels(celeba, cache, kind, where):
    attributes(celeba / where, kind)
    source = CelebA(celeba, 16, split="all", cache=cache, label="Smiling, Male")
    assert source.labels.factors == {"Smiling": ("no", "yes"), "Male": ("no", "yes")}
    numbers = [int(name[:6]) for name in source.names]
    np.testing.assert_array_equal(source.numbers, [[n % 3 == 0, n % 2] for n in numbers])
    train = registry.by_name(celeba, 16, label="Male")
    np.testing.assert_array_equal(train.numbers[:, 0], [1, 0] * 3)


def test_what_is_wrong_with_attributes_is_said_before_anything_is_decoded(celeba, cache):
    with pytest.raises(FileNotFoundError, match=r"needs the list of attributes \(list_attr_"):
        CelebA(celeba, 16, cache=cache, label="Male")
    path = attributes(celeba, "txt")
    with pytest.raises(ValueError, match=r"label must be one of .*'Bald', .*'Smiling'.*'Nose'"):
        CelebA(celeba, 16, cache=cache, label="Nose")
    with pytest.raises(ValueError, match="label must name each once, got Male twice"):
        CelebA(celeba, 16, cache=cache, label="Male,Male")
    with pytest.raises(TypeError, match="label must be a text"):
        CelebA(celeba, 16, cache=cache, label=3)
    path.write_text(path.read_text().replace("000003.jpg  -1", "000003.jpg  7"))
    with pytest.raises(ValueError, match=r"a name and 3 numbers that are -1 or 1.*line 3 of them"):
        CelebA(celeba, 16, cache=cache, label="Male")
    path.write_text("")
    with pytest.raises(ValueError, match="no attributes in it"):
        CelebA(celeba, 16, cache=cache, label="Male")
    assert not cache.exists()
    attributes(celeba, "txt", rows=range(1, 6))
    with pytest.raises(ValueError, match="lacks 1 of its images, such as '000006'"):
        CelebA(celeba, 16, cache=cache, label="Male")
