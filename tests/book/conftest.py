"""What the tests of the book's parts share."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")
