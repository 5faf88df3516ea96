"""Slides for a lecture: of each chapter its aims, figures, equations, summary and exercises.

python _book/slides.py 03      _build/html/slides/03_attention.html; no number: all chapters

Made from the built pages, so what is on a slide is what the chapter says. Arrow keys and the wheel
go from slide to slide; printed from the browser, each is one page.
"""

import argparse
import copy
import re
import sys
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
#: What a page has for its own sake.
DROP = (".headerlink, .touch, script, style, .solution, .toggle-button, .eqno, button, "
        ".sphinx-design-title-prefix")  # fmt: skip
STYLE = """
html { scroll-snap-type: y mandatory; font: 26px/1.4 system-ui, sans-serif; color: #222; }
body { margin: 0; background: #fff; }
section { box-sizing: border-box; height: 100vh; padding: 3vh 6vw; scroll-snap-align: start;
  display: flex; flex-direction: column; justify-content: center; overflow: hidden; }
h1 { font-size: 2em; } h2 { font-size: 1.3em; margin: 0 0 0.6em; }
figure { margin: 0; display: contents; text-align: center; }
figure img, figure svg:not(mjx-container svg) { flex: 1; min-height: 0; max-width: 100%;
  object-fit: contain; }
figure svg:not(mjx-container svg) { height: 55vh; width: 100%; }
figcaption, .caption { font-size: 0.75em; margin-top: 0.6em; }
.caption-number { color: #666; }
.math { text-align: center; font-size: 1.2em; overflow-x: auto; }
li { margin: 0.35em 0; } footer { font-size: 0.6em; color: #666; margin-top: 1em; }
a { color: inherit; } .admonition-title { font-weight: bold; }
@media print { @page { size: 13.33in 7.5in; margin: 0; }
  html { font-size: 20px; } section { break-after: page; height: 7.5in; } }
"""
#: Keys; without scripts one scrolls.
KEYS = """
addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1,
                 PageUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const here = Math.round(scrollY / innerHeight);
  document.querySelectorAll("section")[here + step]?.scrollIntoView();
});
"""


def _clean(tag):
    """A copy of a part of a page without what only a page needs."""
    part = copy.copy(tag)
    for extra in part.select(DROP):
        extra.decompose()
    for each in [part, *part.find_all(id=True)]:
        if each.name != "symbol" and each.find_parent("svg") is None:
            each.attrs.pop("id", None)
    return part


def _title(section):
    head = _clean(section.find(["h1", "h2", "h3"]))
    return re.sub(r"^[\d.]+\s*", "", head.get_text().strip())


def slides(page):
    """The slides of a built chapter.

    Args:
        page: its HTML, as text.

    Returns:
        [(title, HTML of what is shown)]: aims first, then each figure and numbered equation under
        the heading where it stands, then the summary and the exercises.

    Raises:
        ValueError: the page has no article with a title.
    """
    article = BeautifulSoup(page, "html.parser").find("article")
    if article is None or article.find("h1") is None:
        raise ValueError("page must have an article with a title")
    chapter = article.find("section")
    found, aims = [], chapter.find("div", class_="admonition-what-you-will-see")
    found.append((_title(chapter), str(_clean(aims)) if aims else ""))
    shown = chapter.select('figure, div.math[id^="equation-"], section#summary, div.exercise')
    for tag in shown:
        inside = tag if tag.name == "section" else tag.find_parent("section")
        part = _clean(tag)
        if tag.name == "section":
            part.find(["h2", "h3"]).decompose()
        found.append((_title(inside), str(part)))
    return found


def document(page, name):
    """A file of slides.

    Args:
        page: HTML of a built chapter, as text.
        name: of the chapter's file, which each slide leads back to.
    """
    (first, aims), *rest = slides(page)
    parts = [f"<section><h1>{first}</h1>{aims}</section>"]
    for title, shown in rest:
        parts.append(f"<section><h2>{title}</h2>{shown}</section>")
    foot = f'<footer><a href="../chapters/{name}.html">{first}</a></footer></section>'
    body = "\n".join(part.removesuffix("</section>") + foot for part in parts)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{first}: slides</title>'
        '<meta name="viewport" content="width=device-width"><style>' + STYLE + "</style>"
        '<script>window.MathJax = {tex: {inlineMath: [["\\\\(", "\\\\)"]]}}</script>'
        '<script defer src="../_static/mathjax/tex-svg.js"></script>'
        f"<body>{body}<script>{KEYS}</script></body></html>\n"
    )


def write(numbers=()):
    """Write the slides of chapters; returns their paths.

    Args:
        numbers: the first letters of the chapters' files, such as "03"; by default all chapters.

    Raises:
        SystemExit: the book is not built, or has no such chapter.
    """
    found = sorted((HTML / "chapters").glob("[0-9][0-9]_*.html"))
    pages = [path for path in found if "<article" in path.read_text(encoding="utf-8")]  # not moved
    if not pages:
        raise SystemExit("the book is not built: run make read first")
    chosen = [path for path in pages if not numbers or path.name.startswith(tuple(numbers))]
    if missing := [n for n in numbers if not any(path.name.startswith(n) for path in pages)]:
        raise SystemExit(f"no chapter begins with {', '.join(missing)}")
    written = []
    for path in chosen:
        target = HTML / "slides" / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(document(path.read_text(encoding="utf-8"), path.stem), encoding="utf-8")
        written.append(target)
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="NN", help="default: all")
    for made in write(parser.parse_args(sys.argv[1:]).chapters):
        print(made.relative_to(ROOT))
