"""The built pages: complete, self-contained, every figure described and numbered.

`make book` builds them; these tests only look.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
import stale_runs
import yaml
from bs4 import BeautifulSoup

pytestmark = pytest.mark.book

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
HTML = BUILD / "html"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [TOC["root"], *(each["file"] for part in TOC["parts"] for each in part["chapters"])]
CHAPTERS = [page for page in PAGES if (ROOT / f"{page}.py").exists()]
# Where a style sheet loads a font, a picture or another sheet from another host.
FROM_ELSEWHERE = re.compile(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^'\")]*")


@pytest.fixture(scope="module")
def page():
    """A function from a page's name ("chapters/00_intro") to its parsed HTML."""
    parsed = {}

    def get(name):
        path = HTML / f"{name}.html"
        assert path.is_file(), f"_build/html/{name}.html is missing: run make book first"
        if name not in parsed:
            parsed[name] = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        return parsed[name]

    return get


def prose(soup):
    """The text of a page's article without code and formulas."""
    article = BeautifulSoup(str(soup.find("article")), "html.parser")
    for tag in article.select("pre, code, script, .math, .highlight"):
        tag.decompose()
    return article.get_text()


def other_host(address):
    return bool(urlsplit(address.strip()).netloc)


def test_names_of_the_library_lead_to_its_page_and_on_to_the_code(page):
    library = page("chapters/library")
    for name in ("attention.SelfAttention", "gan.GAN", "evaluation.maps.attention_map"):
        assert library.find(id=f"sagan_lib.{name}"), name
    there = {a["href"] for a in page("chapters/03_attention").find_all("a", href=True)}
    assert "library.html#sagan_lib.evaluation.maps.attention_map" in there
    code = page("_modules/sagan_lib/attention").find("pre").get_text()
    assert "class SelfAttention" in code


def test_the_book_was_built_with_this_library():
    before = stale_runs.stamped(BUILD)
    assert before, "the book is not built: run make book first"
    now = stale_runs.keys(ROOT)
    changed = [name for name in now if before.get(name) != now[name]]
    assert not changed, "what these run with changed since the book was built: run make book"


def test_the_start_page_leads_to_the_book(page):
    refresh = page("index").find("meta", attrs={"http-equiv": "Refresh"})
    assert refresh is not None
    assert refresh["content"].endswith(f"{TOC['root']}.html")


def test_style_sheets_load_nothing_from_elsewhere():
    sheets = list((HTML / "_static").rglob("*.css"))
    assert sheets, "run make book first"
    for sheet in sheets:
        found = FROM_ELSEWHERE.search(sheet.read_text(errors="replace"))
        assert found is None, f"{sheet.relative_to(HTML)}: {found.group()}"


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_described(page, name):
    for image in page(name).select("article img"):
        text = image.get("alt", "").strip()
        # Without an alt text, Sphinx puts the picture's path there.
        assert text, image["src"]
        assert text != image["src"], f"{text}: no alt text"


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_in_a_numbered_figure(page, name):
    soup = page(name)
    for image in soup.select("article img:not(.touch-still)"):
        assert image.find_parent("figure"), (
            f"{image['src']}: shown without a caption; tag its cell remove-cell"
        )
    numbers = []
    for figure in soup.select("article figure"):
        number = figure.select_one("figcaption .caption-number")
        assert number is not None, f"{figure.get('id')}: no number"
        numbers.append(number.get_text())
        caption = figure.select_one("figcaption .caption-text")
        assert caption.get_text().strip(), f"{figure.get('id')}: no caption"
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title_each_script_once_and_nothing_unresolved(page, name):
    soup = page(name)
    (title,) = soup.select("article h1")
    assert title.get_text().strip()
    scripts = [tag.get("src") or tag.get_text().strip() for tag in soup.select("head script")]
    assert len(scripts) == len(set(scripts))
    text = prose(soup)
    for sign in ("[?]", "(??)", "{glue", "{cite", "{numref", "{eq}", "{ref}", "None]"):
        assert sign not in text
    assert not soup.select("article .problematic, article .system-message, article .error")
    assert "Traceback (most recent call last)" not in soup.get_text()


@pytest.mark.parametrize("name", PAGES)
def test_every_link_within_the_book_leads_somewhere(page, name):
    here = HTML / f"{name}.html"
    for link in page(name).select("article a[href]"):
        address, place = urldefrag(link["href"])
        if urlsplit(link["href"]).scheme or other_host(link["href"]):
            continue
        target = (here.parent / unquote(address)).resolve() if address else here
        assert target.is_file(), link["href"]
        if place and target.suffix == ".html":
            soup = page(str(target.relative_to(HTML).with_suffix("")))
            assert soup.find(id=unquote(place)), link["href"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_solution_is_folded_and_belongs_to_an_exercise(page, name):
    soup = page(name)
    solutions = soup.select("article div.solution")
    assert len(solutions) == len(soup.select("article div.exercise"))
    assert all("dropdown" in each["class"] for each in solutions)
