"""nbgrader's settings for this course; `nbgrader` is called from this folder."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "sagan"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# The answers are in the .py.
c.CourseDirectory.ignore = ["*.py", "*.pyc", "__pycache__", ".ipynb_checkpoints"]
c.CourseDirectory.solution_directory = "solutions"
c.IncludeHeaderFooter.header = ""
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"
# Seconds for one cell.
c.Execute.timeout = int(os.environ.get("CELL_SECONDS", 45))
