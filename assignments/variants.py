"""Variants of a problem set: the same ideas, asked for in another way, so that a copy fails.

`variants/SET.toml` lists them. Each is a set of changes to the text of `source/SET/SET.py`: to the
problem's words, its solution and its tests. The seed of a course chooses one, or the text as it is.
"""

import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "variants"


def of(name, folder=FOLDER):
    """The variants of a problem set: a list of {"says": what is other, "changes": [...]}.

    Args:
        name: of the set.
        folder: with the lists.
    """
    path = folder / f"{name}.toml"
    return tomllib.loads(path.read_text())["variant"] if path.exists() else []


def apply(text, name, seed, folder=FOLDER):
    """A problem set's text in the variant that a seed chooses; seed 0 leaves it as it is.

    Args:
        text: of the set.
        name: of the set.
        seed: of the course.
        folder: with the lists.

    Raises:
        ValueError: a change does not fit as often as it says; it names the set and the change.
    """
    choices = of(name, folder)
    number = seed % (len(choices) + 1)
    for old, new, *times in choices[number - 1]["changes"] if number else []:
        expected, found = (times or [1])[0], text.count(old)
        if found != expected:
            raise ValueError(
                f"{name}.toml: variant {number}: {old!r} is {found} times in the set, "
                f"not {expected}"
            )
        text = text.replace(old, new)
    return text
