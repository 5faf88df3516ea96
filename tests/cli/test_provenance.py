"""A result says where and with what it was made."""

import re

import keras
import numpy as np
import tensorflow as tf

from sagan_lib.cli import provenance


def test_a_result_names_command_date_versions_and_machine():
    made = provenance.provenance("python -m sagan_lib train")
    assert made["command"] == "python -m sagan_lib train"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", made["date"])
    for module in (tf, keras, np):
        assert made["versions"][module.__name__.partition(".")[0]] == module.__version__
    assert made["machine"]["processor"] == provenance.processor() != ""
    assert "  " not in provenance.processor()
    assert made["machine"]["cores"] >= 1
