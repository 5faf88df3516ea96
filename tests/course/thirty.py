"""How long does a class take? `python tests/course/thirty.py` grades 30 mixed submissions.

Each student hands in one of the problem sets, with one wrong answer among the model's.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parent))

import course
import proof
from harness import NAMES, SOURCES


def submission(release, answers):
    """A released notebook, given as its text, with these answers in it, {cell's id: code}."""
    notebook = nbformat.reads(release, as_version=4)
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade_id") in answers:
            cell.source = answers[mark["grade_id"]]
    return notebook


def one_set(root, name):
    """A course's folder with the text of one problem set and nbgrader's settings, nothing built."""
    only = shutil.ignore_patterns("*.ipynb")
    shutil.copytree(SOURCES / name, root / "source" / name, ignore=only)
    shutil.copy(SOURCES.parent / "nbgrader_config.py", root)


def hand_in(root, number):
    """Student `number`'s notebook: sets in turn, and another wrong answer each time."""
    name = NAMES[number % len(NAMES)]
    problems = proof.problem_set(name)
    wrong = [(p, a) for p, each in proof.answers(name).WRONG.items() for a in each]
    problem, answer = wrong[7 * number % len(wrong)]
    code = problems.answers | {problem: answer.code(problems.answers[problem])}
    release = root / "release" / problems.name / f"{problems.name}.ipynb"
    target = root / "submitted" / f"student{number:02}" / problems.name / release.name
    target.parent.mkdir(parents=True)
    nbformat.write(submission(release.read_text(), code), target)


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(SOURCES, root / "source", ignore=shutil.ignore_patterns("*.ipynb"))
        shutil.copy(SOURCES.parent / "nbgrader_config.py", root)
        course.build(root, solutions=False)
        for number in range(30):
            hand_in(root, number)
        course.grade(root)


if __name__ == "__main__":
    main()
