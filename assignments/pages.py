"""nbgrader's feedback page as this course gives it back: no network, and no 0 for what waits."""

import re

import sandbox

WAITS = "not yet graded"


def without_network(page):
    """An HTML page with the book's MathJax in place of the scripts that it would fetch."""
    book = sandbox.library_folder().parent / "_book"
    script = (book / "static" / "mathjax" / "tex-svg.js").read_text()
    dollars = "MathJax = {tex: {inlineMath: [['$', '$'], ['\\\\(', '\\\\)']]}}"
    page = re.sub(r'<script[^>]*src="https?:[^>]*>\s*</script>', "", page)
    page = re.sub(r'<script type="text/x-mathjax-config">.*?</script>', "", page, flags=re.DOTALL)
    scripts = f"<script>{dollars}</script>\n<script>{script}</script>\n</head>"
    return page.replace("</head>", scripts, 1)


def with_open_essays(page, waiting):
    """The page with "not yet graded" in place of 0 points, and the sum without these.

    Args:
        page: nbgrader's HTML.
        waiting: {cell's id: its most points} of the essays that nobody has graded.

    Raises:
        RuntimeError: nbgrader writes its pages in another way now.
    """
    for name, most in waiting.items():
        in_list = rf'(<a href="#{re.escape(name)}">[^<]*</a> )\(Score: [^)]*\)'
        in_cell = rf'(<a name="{re.escape(name)}"></a>.*?)Score: [\d.]+ / [\d.]+'
        page = _change(page, in_list, rf"\g<1>({WAITS}, of {most:g})")
        page = _change(page, in_cell, rf"\g<1>{WAITS}, of {most:g}")
    if waiting:
        head = re.search(r"<h4>.*?\(Score: ([-\d.]+) / ([\d.]+)\)</h4>", page)
        if head is None:
            raise RuntimeError("the feedback page has no line with the sum of points")
        rest = float(head[2]) - sum(waiting.values())
        so_far = f"(So far: {float(head[1]):g} of {rest:g}; {len(waiting)} {WAITS})</h4>"
        page = page.replace(head[0], head[0].partition("(Score")[0] + so_far, 1)
    return page


def _change(page, pattern, new):
    page, times = re.subn(pattern, new, page, count=1, flags=re.DOTALL)
    if not times:
        raise RuntimeError(f"the feedback page has no place like {pattern!r}")
    return page
