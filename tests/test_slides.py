"""Slides: every figure, equation and exercise of a chapter once, and nothing of a page's own."""

import pytest
import slides
from bs4 import BeautifulSoup

PAGE = """<html><nav><h1>Menu</h1></nav><article><section id="t"><h1>3. Title<a
class="headerlink">#</a></h1><div class="admonition-what-you-will-see admonition"><p
class="admonition-title">What you will see</p><ul><li>an aim;</li></ul></div>
<section id="one"><h2>3.1. One</h2><p>Prose.</p><figure id="fig-a"><img
alt="A" src="../_images/a.png">
<figcaption><span class="caption-number">Fig. 3.1</span> It.<a class="headerlink">#</a></figcaption>
</figure><div class="math" id="equation-e"><span class="eqno">(3.1)</span>\\[x\\]</div>
<div class="math">\\[unnumbered\\]</div></section>
<section id="summary"><h2>3.2. Summary</h2><ul><li>It is so.</li></ul></section>
<section id="exercises"><h2>3.3. Exercises</h2><div class="exercise admonition"><p>Why?</p></div>
<div class="solution admonition"><p>Because.</p></div></section></section></article></html>"""


def test_a_slide_for_the_aims_each_figure_equation_summary_and_exercise():
    made = slides.slides(PAGE)
    assert [title for title, _ in made] == ["Title", "One", "One", "Summary", "Exercises"]
    aims, figure, equation, summary, exercise = (shown for _, shown in made)
    assert "an aim;" in aims
    assert 'src="../_images/a.png"' in figure
    assert "Fig. 3.1" in figure
    assert "\\[x\\]" in equation
    assert "It is so." in summary
    assert "Why?" in exercise
    text = slides.document(PAGE, "03_title")
    for left_out in ("#</a>", "Because.", "unnumbered", "Prose.", "Menu", 'id="', "(3.1)"):
        assert left_out not in text, left_out
    assert text.count('href="../chapters/03_title.html"') == len(made)
    with pytest.raises(ValueError, match="page must have an article"):
        slides.slides("<p>nothing</p>")


@pytest.mark.book
def test_the_slides_of_the_book_have_all_its_figures_and_ask_no_other_host():
    for path in slides.write():
        page = (slides.HTML / "chapters" / path.name).read_text()
        there, here = (BeautifulSoup(text, "html.parser") for text in (page, path.read_text()))
        alts = [img.get("alt") for img in there.select("article figure img")]
        assert [img.get("alt") for img in here.select("figure img")] == alts, path.name
        for tag in here.find_all(src=True):
            assert (path.parent / tag["src"]).is_file(), tag["src"]


def test_what_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(slides, "HTML", tmp_path)
    with pytest.raises(SystemExit, match="run make read first"):
        slides.write()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "03_title.html").write_text(PAGE)
    (tmp_path / "chapters" / "07_gone.html").write_text("<p>This page has moved.</p>")
    with pytest.raises(SystemExit, match="no chapter begins with 07"):
        slides.write(["07"])
    assert [path.name for path in slides.write(["03"])] == ["03_title.html"]
