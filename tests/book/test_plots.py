"""Figures: where each pixel goes, and what is drawn."""

import dataclasses

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import flat
from PIL import Image

from sagan_experiments import claims, ledger
from sagan_lib.book import plots


def test_grid_puts_pictures_in_reading_order_with_white_between():
    sheet = plots.grid(flat(10, 20, 30, 40, 50), columns=3, gap=2)
    expected = np.full((2 * 4 + 2, 3 * 6 + 2 * 2), 255)
    for value, top, left in ((10, 0, 0), (20, 0, 8), (30, 0, 16), (40, 6, 0), (50, 6, 8)):
        expected[top : top + 4, left : left + 6] = value
    assert sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet, np.stack([expected] * 3, -1))


def test_grid_is_no_wider_than_its_pictures():
    assert plots.grid(flat(1, 2), columns=8, gap=0).shape == (4, 12, 3)
    assert plots.grid(flat(1, 2), columns=1, gap=0).shape == (8, 6, 3)


def test_saved_grids_are_zoomed_without_smoothing(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (3, 4, 6, 3))
    plots.save_grid(tmp_path / "grid.png", images, columns=2, zoom=3)
    saved = np.asarray(Image.open(tmp_path / "grid.png"))
    np.testing.assert_array_equal(saved, plots.grid(images, 2).repeat(3, 0).repeat(3, 1))


def test_pictures_shows_one_grid_or_several():
    alone = plots.pictures(flat(1, 2, 3, 4), columns=2)
    np.testing.assert_array_equal(
        alone.axes[0].images[0].get_array(), plots.grid(flat(1, 2, 3, 4), 2)
    )
    pair = plots.pictures([flat(1, 2), flat(3)], titles=["before", "after"])
    assert [axis.get_title() for axis in pair.axes] == ["before", "after"]
    np.testing.assert_array_equal(pair.axes[1].images[0].get_array(), plots.grid(flat(3)))


def test_curves_draws_each_run_that_has_the_quantity():
    histories = {
        "a": {"step": [1, 2], "d_loss": [3.0, 2.0], "g_loss": [0.5, 0.6]},
        "b": {"step": [1, 2], "d_loss": [5.0, 4.0]},
    }
    figure = plots.curves(histories)
    d_axis, g_axis = figure.axes
    assert [line.get_ydata().tolist() for line in d_axis.lines] == [[3, 2], [5, 4]]
    assert [line.get_ydata().tolist() for line in g_axis.lines] == [[0.5, 0.6]]
    assert g_axis.lines[0].get_xdata().tolist() == [1, 2]
    assert (d_axis.get_title(), g_axis.get_title()) == ("d loss", "g loss")
    assert [text.get_text() for text in d_axis.get_legend().get_texts()] == ["a", "b"]
    # A run has one colour in all panels, and no two runs share one.
    assert to_hex(g_axis.lines[0].get_color()) == to_hex(d_axis.lines[0].get_color())
    assert to_hex(d_axis.lines[0].get_color()) != to_hex(d_axis.lines[1].get_color())


def test_curves_drops_no_run_silently():
    history = {"step": [1], "d_loss": [1.0], "g_loss": [1.0]}
    six = {str(i): history for i in range(6)}
    assert len(plots.curves(six).axes[0].lines) == 6
    with pytest.raises(ValueError, match="at most 6, got 7"):
        plots.curves(six | {"seventh": history})


def test_overlay_is_bright_where_the_query_looks():
    weights = np.zeros(16)
    weights[7] = 0.8  # row 1, column 3 of a 4x4 map
    axis = plots.overlay(flat(255, height=32, width=32)[0], weights, (0.25, 0.75))
    shown = np.asarray(axis.images[0].get_array())
    hot = np.zeros((32, 32), bool)
    hot[8:16, 24:32] = True
    np.testing.assert_allclose(shown[hot], [[1, 0.25, 0.05]] * 64, atol=1e-6)
    np.testing.assert_allclose(shown[~hot], 0.55, atol=1e-6)  # the picture, darkened and grey


def test_overlay_marks_the_query():
    axis = plots.overlay(flat(0, height=32, width=64)[0], np.ones(4), (0.25, 0.75))
    (mark,) = axis.lines
    # Pixel centres are whole numbers, so the left edge of the picture is at -0.5.
    np.testing.assert_allclose(mark.get_xydata(), [[0.75 * 64 - 0.5, 0.25 * 32 - 0.5]])
    assert axis.get_xlim() == (-0.5, 63.5)


def test_seeds_shows_a_dot_for_every_seed_that_counts_and_leaves_out_what_is_no_ratio():
    claim = claims.Claim("s", "w", "01_dcgan", "q", 0.1, measure="m")
    results = {
        "factor": ledger.decide(claim, {0: 9.0, 1: 0.1, 2: 0.4, 3: 0.2}),
        "number": ledger.decide(dataclasses.replace(claim, ratio=False), {1: 1.0}),
        "not run": ledger.decide(claim, {}),
    }
    (axis,) = plots.seeds(results).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["factor"]
    dots = next(line for line in axis.lines if line.get_marker() == "o")
    np.testing.assert_allclose(sorted(dots.get_xdata()), np.exp([0.1, 0.2, 0.4]))
    tick = next(line for line in axis.lines if line.get_marker() == "|")
    np.testing.assert_allclose(tick.get_xdata(), np.exp(0.1))
    with pytest.raises(ValueError, match="claims with a ratio"):
        plots.seeds({"number": results["number"]})


def test_an_ellipse_is_the_circles_image():
    figure = plots.ellipse([[2.0, 0.0], [0.0, 0.5]], [[1.0, 0.0], [0.0, 1.0]])
    circle, image, *vectors = figure.axes[0].lines
    x, y = image.get_data()
    np.testing.assert_allclose((x / 2) ** 2 + (y / 0.5) ** 2, 1)
    np.testing.assert_allclose(np.hypot(*circle.get_data()), 1)
    assert len(vectors) == 4
    assert [list(line.get_xdata()) for line in vectors[:2]] == [[0, 1.0], [0, 2.0]]
