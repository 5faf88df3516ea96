"""The builder's faults that the book mends; `test_stale_runs` builds a book with all of them."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyter_client import KernelManager

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_book" / "ext"))

import mended


def test_repeated_scripts_are_dropped_in_order():
    scripts = [("a.js", None), (None, "x = 1"), ("", "x = 1"), ("b.js", None), ("a.js", None)]
    scripts = [SimpleNamespace(filename=f, attributes={"body": b} if b else {}) for f, b in scripts]
    context = {"script_files": scripts}
    mended._drop_repeated(None, "page", "page.html", context, None)
    assert context["script_files"] == [scripts[0], scripts[1], scripts[3]]


def test_the_single_page_knows_the_nodes_of_html_and_its_own():
    handlers = {"html": {"cell": 1, "exercise": 2}, "singlehtml": {"exercise": 3}}
    app = SimpleNamespace(registry=SimpleNamespace(translation_handlers=handlers))
    mended._add_html_handlers(app, None)
    assert handlers["singlehtml"] == {"cell": 1, "exercise": 3}
    assert handlers["html"] == {"cell": 1, "exercise": 2}


@pytest.mark.parametrize(("able", "expected"), [(True, "auto"), (False, "as before")])
def test_kernels_are_encrypted_where_the_machine_can(monkeypatch, able, expected):
    setting = SimpleNamespace(default_value="as before")
    monkeypatch.setattr(KernelManager, "transport_encryption", setting, raising=False)
    monkeypatch.setattr(mended.zmq, "has", lambda what: able)
    mended.encrypt_kernels()
    assert setting.default_value == expected
