"""Draw the diagrams of the ideas anew, into _book/static/diagrams: python _book/diagrams"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import draw
import game
import layers

FOLDER = Path(__file__).resolve().parent.parent / "static" / "diagrams"
DIAGRAMS = game.DIAGRAMS | layers.DIAGRAMS


def main():
    """Write every diagram as an SVG file."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in DIAGRAMS.items():
        (FOLDER / f"{name}.svg").write_text(draw.svg(make()))
        print(name)


if __name__ == "__main__":
    main()
