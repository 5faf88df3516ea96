"""What a piece of code runs with: followed through imports, compared without what does nothing."""

import pytest

from sagan_lib.book import imports


@pytest.fixture
def root(tmp_path):
    """Two packages of a few modules; `names` prints what it likes and imports nothing."""
    for name, text in {
        "sagan_lib/__init__.py": "",
        "sagan_lib/base.py": "ONE = 1\n",
        "sagan_lib/wing/__init__.py": "from sagan_lib import base\n",
        "sagan_lib/wing/inner.py": "def f():\n    import sagan_lib.late\n",
        "sagan_lib/late.py": 'FILE, OTHER = f"{1}32.json", "kept.h5"\n',
        "sagan_lib/alone.py": "from sagan_lib import wing\nRUN = 'sagan_experiments.program'\n",
        "sagan_experiments/program.py": "TWO = 2\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import numpy", []),
        ("from sagan_lib import base", ["base"]),
        ("import sagan_lib.base as b", ["base"]),
        ("from sagan_lib.wing import inner", ["base", "late", "wing", "wing.inner"]),
        ("%pip install this\nfrom sagan_lib.base import ONE", ["base"]),
        ("print('the sagan_lib.base of old', 'sagan_lib.nowhere')", []),
        ("no = code at all", []),
    ],
)
def test_imports_are_followed_to_the_ground_with_their_packages(root, code, names):
    expected = [f"sagan_lib.{name}" for name in names]
    assert list(imports.reached(code, root)) == (["sagan_lib"] if names else []) + expected


def test_a_module_that_is_run_as_a_process_counts(root):
    assert "sagan_experiments.program" in imports.reached("from sagan_lib import alone", root)


#: A change of sagan_lib/base.py -> does it do something?
CHANGES = {
    "ONE = 2\n": True,
    "ONE = 1\nTWO = 2\n": True,
    '"""What it is."""\n\nONE = 1  # why\n\n\n# The end.\n': False,
    "ONE = '# 1'\n": True,
    "TEXT = '''1\n2\n'''\nONE = 1\n": True,
}


@pytest.mark.parametrize("text", CHANGES)
def test_only_what_does_something_changes_the_digest(root, text):
    code = "from sagan_lib import base"
    before = imports.digest(code, root)
    (root / "sagan_lib" / "base.py").write_text(text)
    assert (imports.digest(code, root) != before) == CHANGES[text]
    assert imports.digest("import numpy", root) == imports.digest("import scipy", root)


def test_docstrings_and_comments_go_and_other_texts_stay():
    code = (
        '"""Of the module,\n# two lines."""\nimport a  # why\n\n\nclass B:\n    "Of the class."\n\n'
        '    def f(self, x="#"):\n        """Of f."""  # and more\n        "no docstring"\n'
        '        return f"{x}#"\n'
    )
    assert imports.plain(code) == (
        'import a\nclass B:\n    def f(self, x="#"):\n        "no docstring"\n'
        '        return f"{x}#"'
    )


def test_a_file_counts_for_the_code_that_names_it(root):
    there = [root / name for name in ("a32.json", "b64.json", "kept.h5", "more.h5")]
    found = imports.files("from sagan_lib.wing import inner", there, root)
    assert [path.name for path in found] == ["a32.json", "kept.h5"]
    assert imports.files("import numpy\nopen('results/b64.json')", there, root) == [there[1]]
    assert imports.files("import numpy", there, root) == []


def test_ours_are_all_found():
    known = imports.modules()
    assert {"sagan_lib", "sagan_lib.gan", "sagan_lib.book.imports", "sagan_experiments"} <= {*known}
    trained = imports.reached("from sagan_lib import gan")
    assert "sagan_lib.losses" in trained
    assert "sagan_lib.book.imports" not in trained
