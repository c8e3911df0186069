"""Curves as SVG: well formed, bounded, and no spike lost."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from hftlib.research.result_svg import Line, Panel, picture, thinned


@pytest.mark.parametrize("seed", range(5))
def test_thinning_keeps_every_low_and_high(seed):
    dice = np.random.default_rng(seed)
    times = np.sort(dice.integers(0, 10**6, 20_000))
    values = dice.normal(size=20_000)
    kept, heights = thinned(times, values, 0, 10**6, 100)
    assert len(kept) <= 201 and (np.diff(kept) >= 0).all()
    for column in range(100):
        inside = (times >= column * 10**4) & (times < (column + 1) * 10**4)
        shown = heights[(kept >= column * 10**4) & (kept < (column + 1) * 10**4)]
        assert shown.min() == values[inside].min() and shown.max() == values[inside].max()
    assert heights[-1] == values[-1]


def test_gaps_and_short_curves_are_as_they_are():
    times, values = thinned(np.array([1, 2, 3]), np.array([1.0, np.nan, 3.0]), 0, 4, 100)
    assert times.tolist() == [1, 3] and values.tolist() == [1, 3]


def drawn(values, name="a < b & c"):
    values = np.array(values, float)
    lines = (
        Line(name, np.arange(len(values)), values, filled=True),
        Line("2", np.zeros(0), values[:0]),
    )
    return picture([Panel(name, lines)], 0, max(1, len(values) - 1), ("<", "", "&"))


@pytest.mark.parametrize(
    "values",
    [[], [0.0], [5.0, 5, 5], [-3.0, 7], [1e-9, 2e-9], [1e12, -1e12], [np.nan] * 3, range(5_000)],
)
def test_a_picture_is_well_formed_and_within_its_frame(values):
    made = ElementTree.fromstring(drawn(values))
    assert "nan" not in drawn(values) and len(drawn(values)) < 50_000
    _, _, width, height = map(float, made.get("viewBox").split())
    for one in made.iter():
        for name in ("x", "x1", "x2"):
            assert 0 <= float(one.get(name, 0)) <= width
        for name in ("y", "y1", "y2"):
            assert 0 <= float(one.get(name, 0)) <= height


def test_a_step_holds_until_the_next():
    assert "H" in drawn([0.0, 1, 2]) and "L" not in drawn([0.0, 1, 2], name="x").split("<path")[1]


def test_large_amounts_are_written_out():
    assert ">1,000,000<" in drawn([0.0, 2e6]) and ">0.3<" in drawn([0.0, 0.4])
