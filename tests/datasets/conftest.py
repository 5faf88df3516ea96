"""What the tests of data sets share: CelebA in small, and a cache of their own."""

import time
from collections import Counter

import pytest
from pictures import picture

from sagan_lib.datasets import cache as caches
from sagan_lib.datasets.folder import ImageFolder


@pytest.fixture
def celeba(tmp_path):
    """Ten pictures as CelebA publishes them: numbers 7 and 8 valid, 9 and 10 test."""
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    lines = []
    for number in range(1, 11):
        picture(number).save(folder / f"{number:06}.jpg", quality=95)
        lines.append(f"{number:06}.jpg {0 if number < 7 else 1 if number < 9 else 2}\n")
    (folder.parent / "list_eval_partition.txt").write_text("".join(lines))
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def work(monkeypatch):
    """Counts how often each file is decoded and, as "read", caches that are for their checksum."""
    counts, decode, sha256 = Counter(), ImageFolder.decode, caches.shipped.sha256

    def decoding(self, name):
        counts[name] += 1
        time.sleep(0.02)
        return decode(self, name)

    def reading(path):
        counts["read"] += 1
        return sha256(path)

    monkeypatch.setattr(ImageFolder, "decode", decoding)
    monkeypatch.setattr(caches.shipped, "sha256", reading)
    return counts
