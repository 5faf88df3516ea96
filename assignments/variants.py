"""Variants of a problem set: the same ideas, asked for in another way, so that a copy fails.

`source/SET/variants.toml` lists them. Each is a set of changes to the text of `source/SET/SET.py`:
to the problem's words, its solution and its tests. The seed of a course chooses one, or the text
as it is.
"""

import tomllib


def of(folder):
    """The variants of a problem set: a list of {"says": what is other, "changes": [...]}.

    Args:
        folder: of the set's text.
    """
    path = folder / "variants.toml"
    return tomllib.loads(path.read_text())["variant"] if path.exists() else []


def apply(text, folder, seed):
    """A problem set's text in the variant that a seed chooses; seed 0 leaves it as it is.

    Args:
        text: of the set.
        folder: of the set's text.
        seed: of the course.

    Raises:
        ValueError: a change does not fit as often as it says; it names the set and the change.
    """
    choices = of(folder)
    number = seed % (len(choices) + 1)
    for old, new, *times in choices[number - 1]["changes"] if number else []:
        expected, found = (times or [1])[0], text.count(old)
        if found != expected:
            raise ValueError(
                f"{folder.name}: variant {number}: {old!r} is {found} times in the set, "
                f"not {expected}"
            )
        text = text.replace(old, new)
    return text
