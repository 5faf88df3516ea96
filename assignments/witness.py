"""nbgrader's execution of a submission, which believes only a test that proves that it was run.

A cell without an error counts as passed in nbgrader. So a notebook that keeps errors from being
shown would get all points. Here each test ends with a question that the kernel's guard alone can
answer, and an answer is taken once.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

import nbformat
import repair
from guard import PROOF
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

#: In the folder of the course in which a submission is run; the kernel cannot read it.
SECRET = Path("secret.txt")
_SILENT = "This test did not come to its end, and showed no error: it counts as failed."


class Witnessed(Execute):
    """`Execute`, for kernels that are guarded. Without the grader around it, it refuses."""

    def preprocess(self, nb, resources, retries=None):
        if not SECRET.exists():
            raise RuntimeError(
                "this would run a submission without a guard; "
                "grade with: python assignments/course.py grade"
            )
        return super().preprocess(nb, resources, retries)

    def preprocess_cell(self, cell, resources, index):
        if not repair.is_test(cell):
            return super().preprocess_cell(cell, resources, index)
        source, nonce = cell.source, secrets.token_hex(16)
        cell.source = f"{source}\n{PROOF}({nonce!r})"
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        finally:
            cell.source = source
        digest = hmac.new(SECRET.read_bytes(), nonce.encode(), hashlib.sha256).hexdigest()
        answers = [each for each in cell.outputs if each.output_type == "execute_result"]
        cell.outputs = [each for each in cell.outputs if each.output_type != "execute_result"]
        proved = any(each.data.get("text/plain") == repr(digest) for each in answers)
        if not proved and not any(each.output_type == "error" for each in cell.outputs):
            said = {"ename": "NotProved", "evalue": _SILENT, "traceback": [_SILENT]}
            cell.outputs.append(nbformat.v4.new_output("error", **said))
        return cell, resources


def preprocessors():
    """nbgrader's preprocessors of autograde, with `Witnessed` in the place of `Execute`."""
    (usual,) = Autograde.class_traits()["autograde_preprocessors"].default_args
    return [Witnessed if each is Execute else each for each in usual]
