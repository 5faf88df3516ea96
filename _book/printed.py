"""The book to take along: one PDF, printed by Chromium, or a zip of its pages.

python _book/printed.py pdf   _build/book.pdf: all chapters, the solutions at the end
python _book/printed.py zip   _build/book.zip: unpack it anywhere and open index.html
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"

#: Leaves out folded code and what only a screen can do, opens other folds, moves the solutions to
#: the end.
PREPARE = """() => {
  document.querySelectorAll("details.hide.above-input").forEach((fold) => fold.remove());
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.querySelectorAll(".toggle, .toggle-hidden").forEach((fold) => {
    fold.classList.remove("toggle-hidden", "toggle");
  });
  document.querySelectorAll(".headerlink, .toggle-button, .copybtn").forEach((x) => x.remove());
  const article = document.querySelector("article");
  const end = document.createElement("section");
  end.innerHTML = "<h1>Solutions</h1>";
  end.style.breakBefore = "page";
  for (const solution of article.querySelectorAll("div.solution")) end.append(solution);
  article.append(end);
  return end.children.length - 1;
}"""
STYLE = """
.bd-container, .bd-container__inner, .bd-main, .bd-content, .bd-article-container, article {
  display: block !important; max-width: none !important; }
article h1 { break-before: page; }
figure, tr, .touch, div.solution, div.exercise { break-inside: avoid; }
.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .bd-footer, .prev-next-area,
.header-article-items, #rtd-footer-container { display: none !important; }
.skip-link, #pst-skip-link, #pst-back-to-top, details.hide > summary { display: none !important; }
pre { white-space: pre-wrap !important; overflow: visible !important; }
"""
FOOT = (
    '<div style="font-size: 8px; width: 100%; text-align: center">'
    '<span class="pageNumber"></span></div>'
)


def chromium():
    """The system's Chromium.

    Raises:
        SystemExit: there is none; the message says how to get it.
    """
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("a PDF needs Chromium (Debian: apt-get install chromium)")
    return path


def pdf(target):
    """Build the book as one page and print it.

    Args:
        target: the file to write.

    Returns:
        The file, and how many solutions stand at its end.
    """
    from playwright.sync_api import sync_playwright

    path, log = chromium(), BUILD / "log" / "print.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    builder = Path(sys.executable).with_name("jupyter-book")
    command = [str(builder), "build", str(ROOT), "--builder", "singlehtml"]
    with log.open("w") as stream:
        done = subprocess.run(
            command, stdout=stream, stderr=subprocess.STDOUT, check=False,
            env=os.environ | {"BOOK_OUTPUTS": "stored"},
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the build failed; all of it: {log.relative_to(ROOT)}")
    # Its links are those of a page at the top, where the builder puts another one.
    one = shutil.copyfile(
        BUILD / "singlehtml/chapters/00_intro.html", BUILD / "singlehtml/book.html"
    )
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(one.as_uri())
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.add_style_tag(content=STYLE)
        solutions = page.evaluate(PREPARE)
        page.pdf(
            path=target, format="A4", print_background=True, outline=True, tagged=True,
            display_header_footer=True, header_template="<span></span>", footer_template=FOOT,
            margin=dict.fromkeys(("top", "bottom", "left", "right"), "16mm"),
        )  # fmt: skip
        browser.close()
    return target, solutions


def archive(target):
    """Pack the built pages.

    Args:
        target: the file to write, which ends in .zip.

    Raises:
        SystemExit: the book is not built, or the file has another ending.
    """
    if target.suffix != ".zip":
        raise SystemExit(f"the file must end in .zip, got {target}")
    pages = BUILD / "html"
    if not (pages / "index.html").exists():
        raise SystemExit("the book is not built: make read")
    shutil.make_archive(str(target.with_suffix("")), "zip", pages)
    return target


def main():
    """One of both; says where it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("pdf", "zip"))
    parser.add_argument("--out", type=Path, help="file to write; in _build/ by default")
    options = parser.parse_args()
    out = options.out or BUILD / f"book.{options.what}"
    if options.what == "pdf":
        target, solutions = pdf(out)
        print(f"{target}: with {solutions} solutions at its end")
    else:
        print(archive(out))


if __name__ == "__main__":
    main()
