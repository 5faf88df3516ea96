"""The builder's faults that the book mends; `test_build` and `test_printed` build with them."""

from types import SimpleNamespace

import mended
import pytest
from jupyter_client import KernelManager


@pytest.mark.parametrize(("able", "expected"), [(True, "auto"), (False, "as before")])
def test_kernels_are_encrypted_where_the_machine_can(monkeypatch, able, expected):
    setting = SimpleNamespace(default_value="as before")
    monkeypatch.setattr(KernelManager, "transport_encryption", setting, raising=False)
    monkeypatch.setattr(mended.zmq, "has", lambda what: able)
    mended.encrypt_kernels()
    assert setting.default_value == expected


def test_a_page_without_a_number_counts_its_figures_from_one_in_their_order():
    assert mended.renumbered({"b": (13,), "a": (12,)}) == {"a": (1,), "b": (2,)}
    numbered = {"a": (2, 1), "b": (2, 2)}
    assert mended.renumbered(numbered) == numbered
    assert mended.renumbered({}) == {}


def test_the_title_of_a_solution_has_its_space_before_the_link():
    link = '<p class="admonition-title">Solution to{}<a class="reference" href="#x">{}1.1</a></p>'
    assert mended.mended_body(link.format("", " ")) == link.format(" ", "")
    assert mended.mended_body(link.format(" ", "")) == link.format(" ", "")
