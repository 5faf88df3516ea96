"""The built pages where they are read: in a browser, light and dark, on a desk and on a phone."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
PAGES = [path for path in sorted(HTML.glob("chapters/*.html"))
         if "This page has moved" not in path.read_text(encoding="utf-8")]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAPER = {"width": 700, "height": 1000}
#: What is cut at its right side, or scrolls.
CUT = """all => all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
    .map(e => e.innerText.slice(0, 60))"""


@pytest.fixture
def page(chromium):
    """A page that notes what it complains of and what it asks other hosts for: `page.noted`."""
    page = chromium.new_page(viewport=WIDE)
    page.noted = []
    page.on("console", lambda m: m.type in ("error", "warning") and page.noted.append(m.text))
    page.on("pageerror", lambda error: page.noted.append(str(error)))
    page.on("requestfailed", lambda request: page.noted.append(f"failed: {request.url[:200]}"))
    page.on("request", lambda request: request.url.split(":")[0] in ("file", "data", "blob")
            or page.noted.append(f"another host: {request.url}"))  # fmt: skip
    yield page
    page.close()


def serious(page, rules=None):
    """What axe-core finds of accessibility that is serious: rule and place, a line each.

    Formulas are left out: they are MathJax's, many thousand shapes a page. By `rules` only some
    rules are asked. Words in the very colour of their ground axe only asks about; here they count.
    """
    options = {"preload": False, "resultTypes": ["violations", "incomplete"]}  # in detail
    options |= {"runOnly": rules} if rules else {}
    inside = {"exclude": [["mjx-container"]]}
    response = Axe().run(page, context=inside, options=options).response
    found = [
        (each["id"], node)
        for each in response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    found += [
        ("unseen", node)
        for each in response["incomplete"]
        for node in each["nodes"]
        if any((check["data"] or {}).get("messageKey") == "equalRatio" for check in node["any"])
    ]
    return [f"{name}: {node['target'][0]}: {node['html'][:120]}" for name, node in found]


#: The page that `make test` looks at: formulas, figures, folds, and a piece that moves.
ONE = "03_attention"


def tier(path):
    return pytest.mark.book if path.stem == ONE else pytest.mark.full


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=tier(path)) for path in PAGES]
)
def test_a_page_is_sound_light_and_dark_wide_and_narrow(page, path):
    page.goto(path.as_uri())
    page.add_style_tag(content="* { transition: none !important; }")  # or colours are half-way
    if page.locator(".touch[data-touch]").count():
        page.wait_for_selector(".touch[data-ready]", timeout=60_000, state="attached")
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], f"{theme}: scrolls sideways, {width} px"
        rules = None if theme == "light" else ["color-contrast"]  # a theme changes no more
        assert serious(page, rules) == [], theme
    broken = "images => images.filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert page.locator("img").evaluate_all(broken) == []
    page.evaluate("() => window.MathJax?.startup?.promise")
    whole = page.locator("article pre, article span.math, article div.math mjx-container")
    assert whole.evaluate_all(CUT) == []
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    assert whole.evaluate_all(CUT) == [], "on paper"
    assert page.noted == []


@pytest.mark.full
def test_the_search_finds_spectral_norm(page):
    page.goto((HTML / "search.html").as_uri() + "?q=spectral+norm")
    page.wait_for_selector("#search-results li a", timeout=30_000)
    found = page.locator("#search-results li a").all_inner_texts()
    assert any("Spectral norm" in text for text in found), found


@pytest.mark.full
def test_a_folded_solution_opens(page):
    page.goto((HTML / "chapters" / "02_spectral_norm.html").as_uri())
    solution = page.locator("div.solution").first
    words = solution.locator("p:not(.admonition-title)").last
    assert not words.is_visible()
    solution.locator("button.toggle-button").click()
    assert words.is_visible()
