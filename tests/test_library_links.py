"""The library's page: all modules are on it, and names lead there that mean one thing."""

import re
from pathlib import Path

import library_links

ROOT = Path(__file__).resolve().parent.parent
#: What serves other modules only; the command line has its own help.
INNER = {"checks", "datasets.cache", "datasets.decode", "book.imports", "book.scales"}


def test_every_module_of_the_library_is_on_its_page():
    files = (
        path.relative_to(ROOT / "sagan_lib").with_suffix("")
        for path in (ROOT / "sagan_lib").rglob("*.py")
        if not path.stem.startswith("__")
    )
    modules = {".".join(path.parts) for path in files if path.parts[0] != "cli"}
    shown = re.findall(r"automodule:: sagan_lib\.(\S+)", (ROOT / "chapters/library.md").read_text())
    assert sorted(shown) == sorted(modules - INNER)


def test_a_name_leads_to_the_one_thing_that_it_can_mean():
    names = library_links.known({
        "lib.attention.SelfAttention", "lib.attention.SelfAttention.build", "lib.dcgan.generator",
        "lib.sagan.generator", "lib.gan.GAN", "lib.gan.GAN.get_config", "lib.ttur.two_time_scale",
    })  # fmt: skip
    assert names["SelfAttention"] == "lib.attention.SelfAttention"
    assert names["SelfAttention.build"] == "lib.attention.SelfAttention.build"
    assert names["dcgan.generator"] == "lib.dcgan.generator"
    assert names["two_time_scale"] == names["ttur.two_time_scale"] == "lib.ttur.two_time_scale"
    assert "generator" not in names  # two are called so
    assert "get_config" not in names  # everybody's method
