"""Old addresses: each leads on to a place that is there, and no page is written over."""

from pathlib import Path

import moved
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent


def test_an_old_address_leads_on_and_a_page_that_is_there_stays(tmp_path):
    (tmp_path / "chapters").mkdir()
    for name in ("new", "kept"):
        (tmp_path / f"chapters/{name}.html").write_text(name)
    pairs = {"chapters/old": "chapters/new.html#a", "chapters/kept": "chapters/new.html",
             "chapters/lost": "chapters/none.html"}  # fmt: skip
    moved.write(tmp_path, {"chapters/new", "chapters/kept"}, pairs)
    page = (tmp_path / "chapters/old.html").read_text()
    assert 'content="0; url=../chapters/new.html#a"' in page
    assert (tmp_path / "chapters/kept.html").read_text() == "kept"
    assert not (tmp_path / "chapters/lost.html").exists()


@pytest.mark.book
def test_each_old_address_of_the_book_leads_to_a_place_that_is_there():
    html = ROOT / "_build" / "html"
    for old, new in moved.MOVED.items():
        if any((ROOT / f"{old}.{ending}").exists() for ending in ("md", "py")):
            continue  # it has not gone yet
        assert f'href="../{new}"' in (html / f"{old}.html").read_text(), old
        page, _, place = new.partition("#")
        soup = BeautifulSoup((html / page).read_text(encoding="utf-8"), "html.parser")
        assert not place or soup.find(id=place), new
