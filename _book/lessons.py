"""Try the playground's lessons with ten seeds each, in Chromium, and store how many hold.

python _book/lessons.py            all; writes _book/static/touch/playground/shares.js
python _book/lessons.py momentum   some; prints what each seed gave, and writes their shares
"""

import argparse
import hashlib
import io
import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "ext"))

import touch
from PIL import Image
from printed import chromium

STATIC = Path(__file__).resolve().parent / "static" / "touch"
STORED = STATIC / "playground" / "shares.js"
BUILT = Path(__file__).resolve().parent.parent / "_build" / "html" / "chapters"
SEEDS = 10
HEAD = "/* Of how many seeds each lesson holds. By `python _book/lessons.py`; do not edit. */\n"
#: What decides how a lesson ends; no sentence or picture of the others does.
DECIDE = ("noise.js", *(
    f"playground/{name}.js" for name in ("network", "gan", "plane", "run", "settings", "lessons")
))  # fmt: skip


def bare(page, folder, piece=False, address=""):
    """Open a page that has the playground's scripts and none of the book.

    Args:
        page: of a browser.
        folder: where its file may lie.
        piece: whether the playground itself is in it, too.
        address: what follows the file's name, such as "#sn=1".
    """
    scripts = ["touch.js", *touch.SCRIPTS["playground"]]
    tags = "".join(f'<script src="{(STATIC / each).as_uri()}"></script>' for each in scripts)
    if piece:
        styles = ("touch.css", touch.STYLES["playground"])
        tags += "".join(f'<link rel="stylesheet" href="{(STATIC / x).as_uri()}">' for x in styles)
        tags += '<div class="touch" data-touch="playground"></div>'
    path = Path(folder) / "bare.html"
    path.write_text(f'<!doctype html><meta charset="utf-8"><title>playground</title>{tags}')
    page.goto(f"{path.as_uri()}{address}")


def names(page):
    """The lessons' names, in their order."""
    return page.evaluate("() => Lessons.LESSONS.map(({ name }) => name)")


def tried(page, name, seed):
    """What a lesson gives with some seed: {"left", "right", "holds"}."""
    return page.evaluate("([name, seed]) => Lessons.tried(name, seed)", [name, seed])


def stored():
    """The shares that the page shows: {name: {"held", "of"}}."""
    text = STORED.read_text()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def digest():
    """Of the scripts that decide how a lesson ends."""
    scripts = b"".join((STATIC / each).read_bytes() for each in DECIDE)
    return hashlib.sha256(scripts).hexdigest()


def counted():
    """The digest of the scripts with which all the lessons' shares were counted."""
    return re.search(r'PLAYGROUND_SCRIPTS = "(\w+)"', STORED.read_text())[1]


def count(page, asked):
    """Try lessons with all seeds, and store their shares.

    Args:
        page: that `bare` opened.
        asked: names; none means all.
    """
    shares, scripts = (stored(), counted()) if asked else ({}, digest())
    for name in asked or names(page):
        results = [tried(page, name, seed) for seed in range(SEEDS)]
        shares[name] = {"held": sum(each["holds"] for each in results), "of": SEEDS}
        print(name, f"{shares[name]['held']} of {SEEDS}", flush=True)
        for seed, each in enumerate(results if asked else ()):
            print(f"  seed {seed}: left {each['left']}, right {each['right']}", flush=True)
    STORED.write_text(
        f'{HEAD}window.PLAYGROUND_SCRIPTS = "{scripts}";\n'
        f"window.PLAYGROUND_SHARES = {json.dumps(shares, indent=2)};\n"
    )


def still(page):
    """Store a picture of the lesson on momentum at its end, in light colours.

    Args:
        page: of a browser.
    """
    address = (BUILT / "playground.html").as_uri()
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(address)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.get_by_role("button", name="Momentum 0.9").click()
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "document.querySelector('.lesson').innerText.includes('And:')", timeout=300_000
    )
    picture = Image.open(io.BytesIO(page.locator(".touch .stage").screenshot()))
    picture.convert("RGB").quantize(128).save(STATIC / "playground" / "still.png", optimize=True)


def main(arguments=None):
    """The command line."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="names, or still; none means all lessons")
    asked = parser.parse_args(arguments).lessons
    with sync_playwright() as player, tempfile.TemporaryDirectory() as folder:
        browser = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        if asked == ["still"]:
            still(page)
        else:
            bare(page, folder)
            count(page, asked)
        browser.close()


if __name__ == "__main__":
    main()
