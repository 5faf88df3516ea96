"""nbgrader's settings for this course; `nbgrader` is called from this folder."""

import os
import sys
from pathlib import Path

# The grader runs nbgrader in another folder, with a copy of this file.
sys.path.append(os.environ.get("GRADER", str(Path(__file__).resolve().parent)))
import witness

c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "sagan"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# The answers are in the .py.
c.CourseDirectory.ignore = ["*.py", "*.pyc", "__pycache__", ".ipynb_checkpoints"]
c.CourseDirectory.solution_directory = "solutions"
c.IncludeHeaderFooter.header = ""
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"
# Submissions are run by the grader alone, behind its guard: Formgrader's button says so.
c.Autograde.autograde_preprocessors = witness.preprocessors()
if "GRADING_KERNEL" in os.environ:  # sockets in a folder: a sandbox needs no network
    c.Execute.kernel_name = "graded"
    c.KernelManager.transport = "ipc"
    c.KernelManager.ip = os.environ["GRADING_KERNEL"]
# Seconds for one cell.
c.Execute.timeout = int(os.environ.get("CELL_SECONDS", 45))
