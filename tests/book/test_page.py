"""What a cell shows or glues is found again by the book."""

import base64
import io
import json
import os
import time

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from myst_nb.ext.glue import extract_glue_data_cell
from pictures import flat
from PIL import Image
from traitlets.config import Config

from sagan_lib.book import page, plots


@pytest.fixture
def shell(tmp_path):
    """The shell that a notebook's kernel has; without one, displayed things are only printed."""
    quiet = Config({"HistoryManager": {"enabled": False}})
    yield InteractiveShell.instance(ipython_dir=str(tmp_path), config=quiet)
    InteractiveShell.clear_instance()


def cell_of(captured):
    """A notebook's code cell with the outputs that were displayed."""
    outputs = [
        nbformat.v4.new_output("display_data", dict(o.data), metadata=dict(o.metadata))
        for o in captured.outputs
    ]
    return nbformat.v4.new_code_cell(outputs=outputs)


def test_glued_numbers_are_found_by_the_book_and_seen_by_the_reader(shell):
    with capture_output() as captured:
        page.glue("rate", 0.12345, "{:.1%}")
    assert captured.stdout == "rate = 12.3%\n"
    cell = cell_of(captured)
    ((key, output),) = extract_glue_data_cell(cell)
    assert key == "rate"
    # MyST-NB's own glue stores the repr of a text, and its roles take the quotes off.
    assert output["data"] == {"text/plain": repr("12.3%")}
    assert cell.outputs == []  # nothing is shown twice


def test_a_chapter_says_what_it_took_on_the_clock_and_of_a_core(shell):
    busy = time.process_time()
    while time.process_time() < busy + 0.5:
        sum(range(1000))
    with capture_output() as captured:
        page.took(time.perf_counter() - 90)
    stored = dict(extract_glue_data_cell(cell_of(captured)))
    texts = {name: eval(out["data"]["text/plain"]) for name, out in stored.items()}
    assert texts["minutes"] == "1.5"
    assert 0.5 <= int(texts["core-seconds"]) + 0.5 < sum(os.times()[:4]) + 1


def test_shown_figures_are_found_by_the_book_and_shown_in_the_notebook(shell):
    figure = plots.pictures(flat(0, 255))
    number = figure.number
    with capture_output() as captured:
        page.show("faces", figure)
    cell = cell_of(captured)
    ((key, output),) = extract_glue_data_cell(cell)
    assert key == "faces"
    assert len(cell.outputs) == 1
    picture = Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
    assert picture.format == "PNG"
    assert picture.width > 300
    assert not plt.fignum_exists(number)  # or the notebook would show it once more


def test_a_figure_of_pictures_alone_may_be_a_jpeg(shell):
    with capture_output() as captured:
        page.show("faces", plots.pictures(flat(0, 255)), "jpeg")
    ((key, output),) = extract_glue_data_cell(cell_of(captured))
    assert key == "faces"
    picture = Image.open(io.BytesIO(base64.b64decode(output["data"]["image/jpeg"])))
    assert picture.format == "JPEG"
    with pytest.raises(ValueError, match=r"kind must be one of \['png', 'jpeg'\], got 'gif'"):
        page.show("faces", plots.pictures(flat(0)), "gif")


def test_the_same_figure_is_the_same_bytes(shell):
    """So that a chapter that is run again differs only where its results do."""
    stored = []
    for _ in range(2):
        with capture_output() as captured:
            page.show("faces", plots.pictures(flat(0, 128, 255), titles=["three"]))
        stored.append(captured.outputs[0].data["image/png"])
    assert stored[0] == stored[1]


def test_a_piece_to_touch_holds_its_picture_and_its_data(shell):
    figure, _ = plt.subplots()
    with capture_output() as captured:
        page.touch("power", {"text": "</script><b>"}, figure, 'a "vector"')
    (shown,) = captured.outputs
    soup = BeautifulSoup(shown.data["text/html"], "html.parser")
    piece = soup.select_one(".touch")
    assert piece["data-touch"] == "power"
    assert piece.img["alt"] == 'a "vector"'
    assert piece.img["src"].startswith("data:image/png;base64,iVBOR")
    assert json.loads(piece.script.string) == {"text": "</script><b>"}
    assert soup.b is None


def test_a_picture_that_a_page_holds_in_itself():
    sheet = np.full((8, 8, 3), 200, np.uint8)
    kind, data = page.jpeg(sheet).split(",")
    assert kind == "data:image/jpeg;base64"
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert np.abs(decoded.astype(int) - sheet).max() <= 2
