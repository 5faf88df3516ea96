"""Try the playground's lessons with ten seeds each, in Chromium, and store how many hold.

    python _book/lessons.py            all; writes _book/static/touch/playground/shares.js
    python _book/lessons.py momentum   some; prints what each seed gave, and writes nothing
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "ext"))

import touch
from printed import chromium

STATIC = Path(__file__).resolve().parent / "static" / "touch"
STORED = STATIC / "playground" / "shares.js"
SEEDS = 10
HEAD = "/* Of how many seeds each lesson holds: written by `python _book/lessons.py`; do not edit. */\n"


def bare(page, folder):
    """Open a page that has the playground's scripts and none of the book.

    Args:
        page: of a browser.
        folder: where its file may lie.
    """
    scripts = ["touch.js", *touch.SCRIPTS["playground"]]
    tags = "".join(f'<script src="{(STATIC / each).as_uri()}"></script>' for each in scripts)
    path = Path(folder) / "bare.html"
    path.write_text(f"<!doctype html><title>playground</title>{tags}")
    page.goto(path.as_uri())


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


def main(arguments=None):
    """The command line."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="names; none means all, and stores the result")
    asked = parser.parse_args(arguments).lessons
    shares = {}
    with sync_playwright() as player, tempfile.TemporaryDirectory() as folder:
        browser = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        bare(page, folder)
        for name in asked or names(page):
            results = [tried(page, name, seed) for seed in range(SEEDS)]
            shares[name] = {"held": sum(each["holds"] for each in results), "of": SEEDS}
            print(name, f"{shares[name]['held']} of {SEEDS}", flush=True)
            for seed, each in enumerate(results if asked else ()):
                print(f"  seed {seed}:", *(f"{side} {each[side]}" for side in ("left", "right")))
        browser.close()
    if not asked:
        STORED.write_text(f"{HEAD}window.PLAYGROUND_SHARES = {json.dumps(shares, indent=2)};\n")


if __name__ == "__main__":
    main()
