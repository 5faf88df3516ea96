"""nbgrader's settings for this course; `nbgrader` is called from this folder."""

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor


class Refused(NbGraderPreprocessor):
    """In the place of all that nbgrader's own autograde does: that has no sandbox."""

    def preprocess(self, notebook, resources):
        raise RuntimeError("grade with: python assignments/course.py grade")


c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "sagan"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# The answers are in the .py, other ways to ask in the .toml.
c.CourseDirectory.ignore = ["*.py", "*.toml", "*.pyc", "__pycache__", ".ipynb_checkpoints"]
c.CourseDirectory.solution_directory = "solutions"
c.IncludeHeaderFooter.header = ""
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.Autograde.sanitize_preprocessors = [Refused]
c.Autograde.autograde_preprocessors = [Refused]
# Seconds for one cell of a solution.
c.Execute.timeout = 120
