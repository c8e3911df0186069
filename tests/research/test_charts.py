"""Small pictures: each value stands where it belongs, and nothing breaks the page."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from hftlib.research import charts

SPACE = "{http://www.w3.org/2000/svg}"


def parts(picture: str, kind: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in ElementTree.fromstring(picture).iter(SPACE + kind)]


def words(picture: str) -> list[str]:
    return [str(one.text) for one in ElementTree.fromstring(picture).iter(SPACE + "text")]


def test_a_line_rises_where_its_values_do_and_leaves_out_what_is_not_known():
    made = charts.lines({"a": ([0, 1, 2, 3], [0.0, math.nan, 5.0, 10.0])}, title="t", across="day")
    points = [
        tuple(map(float, one.split(","))) for one in parts(made, "polyline")[0]["points"].split()
    ]
    assert len(points) == 3
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert points[-1] == (charts.WIDTH - charts.RIGHT, charts.TOP)
    assert points[0] == (charts.LEFT, charts.HEIGHT - charts.BOTTOM)


def test_a_million_points_keep_their_spike_and_stay_small():
    values = np.sin(np.arange(1_000_000) / 1e5)
    values[654_321] = 50.0
    made = charts.lines({"a": (np.arange(1_000_000), values)}, title="t")
    assert len(made) < 40_000
    assert f",{charts.TOP:.1f}" in made


def test_bars_of_losses_hang_down_in_another_colour():
    made = charts.bars(
        ["up", "down", "<none>"], [2.0, -1.0, math.nan], title="t", errors=[0.5, 0, 0]
    )
    boxes = parts(made, "rect")
    assert len({one["fill"] for one in boxes}) == 2
    heights = [float(one["height"]) for one in boxes]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.02) and heights[2] == 0
    assert "<none>" in words(made)


def test_a_histogram_counts_every_value_and_shows_the_mark():
    values = np.random.default_rng(1).normal(size=10_000)
    made = charts.histogram(values, title="t", marks={"observed": 2.5})
    counts = np.histogram(values, 40, (values.min(), max(values.max(), 2.5)))[0]
    assert len(parts(made, "rect")) == np.count_nonzero(counts)
    assert "observed" in words(made)


def test_a_heat_map_has_a_cell_for_each_value_and_its_names():
    cells = np.array([[1.0, -2.0, math.nan], [0.0, 4.0, 2.0]])
    made = charts.heat(
        cells, across=("edge", [1, 2, 3]), down=("clip", [100, 200]), title="t", mark=(1, 1)
    )
    boxes = parts(made, "rect")
    assert len(boxes) == 7  # six cells and the frame around the best
    strengths = [float(one["fill-opacity"]) for one in boxes[:6]]
    assert max(strengths) == strengths[4]
    assert {"edge", "clip", "200", "-2"} <= set(words(made))


@pytest.mark.parametrize("values", [[], [math.nan], [3.0], [0.0, 0.0], [1e-300, 2e-300], [1e300]])
def test_hardly_anything_to_draw_is_drawn(values):
    for made in (
        charts.lines({"a": (range(len(values)), values)}, title="<&>", marks={"m": 1.0}),
        charts.lines({"a": (range(len(values)), values)}, title="<&>", dots=True),
        charts.histogram(values, title="<&>"),
        charts.bars(range(len(values)), values, title="<&>"),
        charts.heat(
            np.array([values or [0.0]]),
            across=("x", range(max(1, len(values)))),
            down=("y", [1]),
            title="<&>",
        ),
    ):
        ElementTree.fromstring(made)
        assert not re.search(r"\bnan\b|\binf\b", made)
