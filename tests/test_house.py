"""The house: imports run one way, every module has its test, a chapter has one name everywhere."""

import ast
import re
from importlib.machinery import PathFinder
from pathlib import Path

import yaml

from sagan_experiments.claims import CHAPTERS
from sagan_lib.book.imports import modules

ROOT = Path(__file__).resolve().parent.parent
#: The layers and networks of the chapters, and what may be used by the training loop as well.
CORE = {"checks", "attend", "attention", "losses", "spectral_norm", "dcgan", "sagan", "ttur"}
LOW = CORE | {"networks", "shipped", "devices", "sampling", "cost", "augment", "finetune",
              "datasets", "evaluation", "book"}  # fmt: skip
LOOP = ("gan", "callbacks", "penalties", "conditional")
#: Who (module or wing) imports nothing of whom.
APART = [
    ("sagan_lib", "sagan_experiments"),
    *((f"sagan_lib.{low}", f"sagan_lib.{high}")
      for low in LOW for high in (*LOOP, "cli")),
    *((f"sagan_lib.{low}", f"sagan_lib.{high}")
      for low in CORE for high in ("networks", "datasets", "evaluation", "book")),
    *((f"sagan_lib.{loop}", "sagan_lib.cli") for loop in LOOP),
]  # fmt: skip


def imports(path, known):
    """Pairs (imported module, name taken from it or None), wherever they stand in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, None) if inner in known else (node.module, alias.name)


def private_uses(path, known):
    """Names with a leading underscore that a file takes from modules of ours."""
    tree, bound = ast.parse(path.read_text()), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                if alias.name.startswith("_"):
                    yield f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}" in known:
                    bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if private and node.value.id in bound:
                yield f"{bound[node.value.id]}.{node.attr}"


def under(name, place):
    return f"{name}.".startswith(f"{place}.")


def faults():
    """What is wrong with the imports: circles, upward ones, private names."""
    known = modules()
    edges = {name: {m for m, _ in imports(path, known)} - {name} for name, path in known.items()}
    found = []
    for name, targets in edges.items():
        found += [f"{name} imports {target}, which is above" for low, high in APART
                  for target in targets if under(name, low) and under(target, high)]  # fmt: skip
        found += [f"{name} takes {each}" for each in private_uses(known[name], known)]
    finished, path = set(), []

    def visit(name):
        if name in path:
            found.append("circle: " + " -> ".join([*path[path.index(name) :], name]))
        elif name not in finished:
            path.append(name)
            # To import a module runs the packages that it stands in, too.
            packages = {name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1)}
            for target in sorted(edges[name] | packages):
                visit(target)
            path.pop()
            finished.add(name)

    for name in edges:
        visit(name)
    return found


def test_imports_run_one_way_without_circles_and_private_names():
    assert faults() == []


def test_every_module_has_its_test_under_its_own_name():
    missing = []
    for name, path in modules().items():
        if path.name == "__init__.py":
            continue
        inner = path.relative_to(ROOT / "sagan_lib") if "sagan_lib." in name else None
        inner = inner or path.relative_to(ROOT)
        test = ROOT / "tests" / inner.parent / f"test_{path.stem.strip('_')}.py"
        if not test.is_file():
            missing.append(str(test.relative_to(ROOT)))
    assert not missing, missing


TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [each["file"] for part in TOC["parts"] for each in part["chapters"]]


def numbered():
    """The chapters that have notebooks, by their names."""
    return [Path(page).name for page in PAGES if (ROOT / f"{page}.py").exists()]


def test_a_chapter_is_named_wherever_it_must_be():
    readme = (ROOT / "README.md").read_text()
    assert set(CHAPTERS) <= set(numbered()), "sagan_experiments.claims.CHAPTERS names others"
    assert list(CHAPTERS) == [name for name in numbered() if name in CHAPTERS], "another order"
    for name in numbered():
        assert f"chapters/{name}.ipynb" in readme, f"README.md does not name {name}"


def test_every_path_that_the_texts_name_is_there():
    for text in ("README.md", "CONTRIBUTING.md", "ERRATA.md", "data/README.md"):
        for name in re.findall(r"\b(?:sagan_lib|sagan_experiments|tests|_book)/[\w/]+\.\w+",
                               (ROOT / text).read_text()):  # fmt: skip
            if "psN" not in name and "NAME" not in name:  # any problem set's number, any diagram
                assert (ROOT / name).exists(), f"{text} names {name}"


def test_no_folder_of_tests_is_found_in_place_of_the_package_of_its_name():
    for name in ("sagan_lib", "sagan_experiments"):
        assert PathFinder.find_spec(name).origin == str(ROOT / name / "__init__.py")
