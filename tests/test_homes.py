"""Where the book lives elsewhere: workflows, Binder, containers do what the Makefile does."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ALLOWED = SpecifierSet(PROJECT["requires-python"])
PHONY = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1]
TARGETS = {*PHONY.split(), ".venv/.ready"}


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job["steps"]]


def made(text):
    """The make targets that a shell text calls."""
    words = [word for call in re.findall(r"\bmake ([^\n|&;]+)", text) for word in call.split()]
    return [word for word in words if "=" not in word and word[0] not in "\"'"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_targets_that_exist_and_actions_of_a_version(path):
    for step in steps(path):
        assert set(made(step.get("run", ""))) <= TARGETS, step
        assert "uses" in step or "run" in step
        assert "${{ inputs" not in step.get("run", ""), "hand it on as a variable"
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4"))
    assert all(job["timeout-minutes"] > 0 for job in jobs(path).values())
    assert yaml.safe_load(path.read_text())["permissions"]["contents"] == "read"


@pytest.mark.parametrize(("workflow", "target"), [("ci", "test"), ("nightly", "test-all")])
def test_a_tier_is_run_on_every_python_that_is_allowed(workflow, target):
    path = ROOT / ".github" / "workflows" / f"{workflow}.yml"
    (job,) = (job for job in jobs(path).values() if "strategy" in job)
    versions = job["strategy"]["matrix"]["python"]
    assert versions == [f"3.{k}" for k in range(8, 20) if f"3.{k}.5" in ALLOWED]
    assert made(job["steps"][-1]["run"]) == [target]


def test_binder_installs_the_same_pinned_versions():
    lines = (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    assert lines[1:] == ["-c ../constraints.txt", "-e .[book]"]
    version = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"{version}.5" in ALLOWED


def test_the_container_builds_the_book_with_a_python_that_is_allowed():
    config = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert set(made(config["postCreateCommand"])) <= TARGETS
    image = (ROOT / ".devcontainer" / config["build"]["dockerfile"]).read_text()
    version = re.search(r"^FROM python:(3\.\d+)", image, re.M)[1]
    assert f"{version}.5" in ALLOWED
    assert "make" in image.split()


def test_the_repositorys_address_stands_in_one_place():
    """What needs it takes it from the book's settings, whatever it is."""
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    place = address.partition("://")[2].removesuffix("/")
    assert place.count("/") >= 2, f"_config.yml: {address!r} is no host, owner and name"
    names = ("*.md", "*.toml", "*.yml", "*.cff", "*.py", "*.txt", "*.json", "*.ipynb")
    found = {
        str(path.relative_to(ROOT))
        for name in names
        for path in ROOT.rglob(name)
        if not {".venv", "_build", ".git"} & set(path.relative_to(ROOT).parts)
        and place in path.read_text(errors="ignore")
    }
    # A notebook's first cell is made from it; those of before the last change need `make prose`,
    # as the test of both files of a chapter says.
    assert found - {f"chapters/{path.name}" for path in (ROOT / "chapters").glob("*.ipynb")} == {
        "_config.yml"
    }
