"""The diagrams of the ideas: drawn by code, in the page's colours, told in words, each in use."""

import re
import subprocess
import sys
from pathlib import Path

import diagrams
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_book" / "static" / "diagrams"
NAMES = sorted(path.stem for path in FOLDER.glob("*.svg"))
CHAPTERS = sorted((ROOT / "chapters").glob("0[1-9]_*.py"))
USE = re.compile(
    r"# ```\{figure\} \.\./_book/static/diagrams/(\w+)\.svg\n"
    r"# :name: fig-[\w-]+\n# :alt: (\S.{40,})\n"
)


def uses():
    """{diagram: its alt texts} over all chapters."""
    found = {}
    for path in sorted((ROOT / "chapters").glob("*.py")):
        for name, alt in USE.findall(path.read_text()):
            found.setdefault(name, []).append(alt)
    return found


@pytest.mark.book
def test_the_stored_diagrams_are_those_that_the_code_draws(tmp_path):
    code = (
        "import sys; sys.path.insert(0, '_book/diagrams'); import runpy, pathlib;"
        "main = runpy.run_path('_book/diagrams/__main__.py')['main'];"
        f"main.__globals__['FOLDER'] = pathlib.Path({str(tmp_path)!r}); main()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    drawn = {path.name: path.read_text() for path in tmp_path.glob("*.svg")}
    assert drawn == {path.name: path.read_text() for path in FOLDER.glob("*.svg")}


def test_every_diagram_is_in_a_chapter_with_its_words():
    assert sorted(uses()) == NAMES


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_opens_with_the_picture_of_its_idea(path):
    opening = path.read_text().split("\n# %%\n")[0]
    assert USE.search(opening), "no diagram before the first code cell"


@pytest.mark.parametrize("name", NAMES)
def test_a_diagram_has_the_colours_of_the_page_and_of_the_players_only(name):
    text = (FOLDER / f"{name}.svg").read_text()
    colours = set(re.findall(r"(?:stroke|fill)[:=]\s*\"?([^;\"\s]+)", text))
    allowed = {"none", "currentColor", "#0072B2", "#D55E00", "#009E73"}
    allowed |= {f"{c}26" for c in allowed if c.startswith("#")}
    assert colours <= allowed | {c.lower() for c in allowed}, colours - allowed
    assert " id=" not in text  # two diagrams on one page share no names


def test_a_diagram_is_one_picture_to_a_screen_reader():
    shown = diagrams.inline('<svg viewBox="0 0 1 1"><path/></svg>\n', 'a "loop" & more')
    assert shown.startswith('<svg role="img" aria-label="a &quot;loop&quot; &amp; more" class=')


def test_a_diagram_without_words_is_refused():
    with pytest.raises(ValueError, match="words"):
        diagrams.inline("<svg></svg>", "")
