"""Volatility bands: their reference, their width, when they are doubled, which side they stop."""

from __future__ import annotations

import pytest

from hftlib.core import orders
from hftlib.core.arena import Arena
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.orders import REASONS
from hftlib.risk.bands import printed
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import Limits
from tests.risk.stage import MID, MS, Stage

modes = pytest.mark.modes
SECOND = 1_000 * MS
MINUTE = 60 * SECOND


def banded(percent=5, **rules):
    return Stage(
        limits=Limits(rules={"bands_percent": percent, "outside_bands": "refuse", **rules}), tick=1
    )


def prints(desk, price, at=0):
    printed(desk.session.arena.address_of("risk"), 0, price, at)


def mean(desk):
    return int(desk.session.arena["rules"]["band_mean"][0])


@modes
def test_a_limit_beyond_the_band_on_its_dear_side_does_not_leave():
    desk = banded()
    assert desk.buy(99 * MID, 1) > 0, "there is no band before the first print"
    prints(desk, MID)
    assert desk.buy(MID + 500, 1) > 0
    assert desk.buy(MID + 501, 1) == -orders.OUTSIDE_BANDS
    assert desk.last_refusal() == (REASONS[orders.OUTSIDE_BANDS], "instrument", MID, MID + 501)
    assert desk.sell(MID - 500, 1) > 0
    assert desk.sell(MID - 501, 1) == -orders.OUTSIDE_BANDS
    assert desk.buy(1, 1) > 0 and desk.sell(99 * MID, 1) > 0, "far on the cheap side"
    assert desk.buy(0, 1, kind=orders.MARKET) > 0


@modes
def test_an_instrument_without_bands_has_none():
    desk = Stage(limits=Limits(), tick=1)
    prints(desk, MID)
    assert mean(desk) == 0
    assert desk.buy(99 * MID, 1) > 0


@modes
def test_the_reference_moves_with_a_whole_percent_of_the_mean():
    desk = banded()
    prints(desk, MID)
    prints(desk, MID + 198)  # the mean is 10 099
    assert mean(desk) == MID
    prints(desk, MID + 102)  # 10 100
    assert mean(desk) == MID + 100
    prints(desk, 0)
    prints(desk, -5)
    assert mean(desk) == MID + 100, "that is no price"


@modes
def test_prints_of_ten_half_minutes_count():
    desk = banded()
    prints(desk, 10_000, at=0)
    prints(desk, 20_000, at=270 * SECOND)  # the tenth half minute: the first still counts
    assert mean(desk) == 15_000
    prints(desk, 20_000, at=300 * SECOND)
    assert mean(desk) == 20_000
    prints(desk, 30_000, at=9_000 * SECOND)  # all that was before is long gone
    assert mean(desk) == 30_000


@modes
def test_where_times_go_back_a_little_the_print_counts_all_the_same():
    desk = banded()
    prints(desk, 10_000, at=60 * SECOND)
    prints(desk, 20_000, at=29 * SECOND)
    assert mean(desk) == 15_000


@modes
def test_near_the_open_and_the_close_the_band_is_twice_as_wide():
    desk = banded()
    rule = desk.session.arena["rules"][0]
    prints(desk, MID)
    begin = 10**15
    rule["band_opens"], rule["band_closes"] = begin + 15 * MINUTE, begin + 365 * MINUTE
    for at, twice in (
        (0, True),
        (15 * MINUTE - 1, True),
        (15 * MINUTE, False),
        (365 * MINUTE - 1, False),
        (365 * MINUTE, True),
    ):
        desk.session.arena["session"]["time"] = begin + at
        most = 1_000 if twice else 500
        assert desk.buy(MID + most, 1) > 0
        assert desk.buy(MID + most + 1, 1) == -orders.OUTSIDE_BANDS
        desk.sent()
        assert desk.sell(MID - most, 1) > 0
        assert desk.sell(MID - most - 1, 1) == -orders.OUTSIDE_BANDS


def test_when_they_are_doubled_comes_from_the_calendar():
    table = Instruments()
    table.add("AAA", venue="XNAS", calendar="day")
    table.add("BBB", venue="XNAS")
    table.add_phase("day", "continuous", 1_000 * MINUTE, 1_390 * MINUTE)
    table.add_phase("day", "closing", 1_390 * MINUTE, 1_400 * MINUTE)
    for given, opens, closes in (
        ({}, 1_015, 1_365),
        ({"bands_double_open_minutes": 5, "bands_double_close_minutes": 0}, 1_005, 1_390),
    ):
        room = RiskRoom(table, ["one"], Limits(rules={"bands_percent": {"AAA": 5}, **given}))
        arena = Arena.create(Layout(**room.slots()))
        room.lay(arena)
        rules = arena["rules"]
        assert rules["bands"][:2].tolist() == [500, 0]
        assert rules["band_opens"][:2].tolist() == [opens * MINUTE, 0]
        assert rules["band_closes"][:2].tolist() == [closes * MINUTE, 0]
