"""What stays on one line: a number and its per cent sign, a formula and the comma after it."""

import sys
from pathlib import Path

import pytest
from docutils import nodes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book" / "ext"))

import joined

JOIN = "\N{NO-BREAK SPACE}%"


def test_no_line_ends_before_a_per_cent_sign():
    assert joined.joined("from 2 % to 65 %; a % b, 3%") == f"from 2{JOIN} to 65{JOIN}; a % b, 3%"
    assert joined.joined(" % of a glued number") == f"{JOIN} of a glued number"


def test_prose_is_joined_and_code_and_formulas_are_left():
    prose = nodes.paragraph("", "", nodes.inline("", "65"), nodes.Text(" % differ, not 2 %"))
    code, formula = nodes.literal_block("", "7 % 2"), nodes.math("", r"5 \% of 7 % 2")
    page = nodes.section("", prose, code, nodes.paragraph("", "", formula))
    joined._join(None, page, "chapters/page")
    assert prose.astext() == f"65{JOIN} differ, not 2{JOIN}"
    assert code.astext() == "7 % 2"
    assert formula.astext() == r"5 \% of 7 % 2"


@pytest.mark.parametrize(
    ("before", "after", "together"),
    [
        ("by ", ", and the first", "x,"),
        ("by (", ") it", "(x)"),
        ("of ", "'s slope", "x's"),
        ("", " alone", None),
        ("no ", "", None),
    ],
)
def test_what_touches_a_formula_stays_with_it(before, after, together):
    texts = [nodes.Text(before)] if before else []
    texts += [nodes.math("", "x")] + ([nodes.Text(after)] if after else [])
    prose = nodes.paragraph("", "", *texts)
    joined.wrap(next(prose.findall(nodes.math)))
    assert prose.astext() == f"{before}x{after}"
    spans = [each.astext() for each in prose.findall(nodes.inline) if each["classes"] == ["joined"]]
    assert spans == ([together] if together else [])
