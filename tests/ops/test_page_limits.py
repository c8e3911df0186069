"""Limits of a runner's page: each figure against what risk itself holds in the arena."""

from __future__ import annotations

import math

import numpy as np
import pytest
from paged_day import paged_day

from hftlib.core import jit
from hftlib.engine.live.page_trail import _within
from hftlib.ops.page_limits import _limit, _rates, limits_told
from hftlib.ops.page_reading import PageReader
from hftlib.risk.controls import CONTROLS, MONEY_ONE, MS, NAMES, NO_LIMIT, RING_LIMITS
from hftlib.risk.memory import FIRM_ROW, SCOPE, scope_of
from hftlib.risk.windows import count_within

PER_ORDER = ("order_quantity_lots", "order_value_money", "duplicate_ms", "trade_loss_money")


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    with paged_day(folder) as (trial, page), PageReader(page.path) as reader:
        yield trial, page, reader.status()


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def counted_slowly(risk: int, row: int, ring: int, window: int, now: int) -> int:
    return count_within(risk, scope_of(risk, row), ring, window, now)


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def counted_by_halves(risk: int, row: int, ring: int, window: int, now: int) -> int:
    return _within(risk, scope_of(risk, row), ring, window, now)


def asked(session, now):
    """What is used of each limit, from risk's own rows: holdings, sums, stamps one by one."""
    arena, room = session.arena, session.risk
    count, risk = len(session.instruments) + 1, arena.address_of("risk")
    holdings, rules = arena["holdings"].reshape(-1, count), arena["rules"]
    found = {}
    for row, name in enumerate(room.names):
        scope = arena["scopes"][row]
        n = row - room.uppers
        rows = holdings[FIRM_ROW, n : n + 1] if n >= 0 else holdings[row, :-1]
        marks = (rules["mark"] * rules["factor"])[slice(n, n + 1) if n >= 0 else slice(0, -1)] / 2
        worst = [
            max(abs(one["quantity"] + one["open_buy"]), abs(one["quantity"] - one["open_sell"]))
            for one in rows
        ]
        source = rows[0] if n >= 0 else scope
        gain = int(source["flow"] + source["worth"])
        used = {
            "open_orders": int(sum(rows["open_orders"])),
            "position_lots": int(max(worst)),
            "position_value_money": max(
                math.floor(w * p + 0.5) for w, p in zip(worst, marks, strict=True)
            ),
            "gross_exposure_money": int(source["gross"]),
            "net_exposure_money": max(int(source["long"]), -int(source["short"]), 0),
            "capital_money": int(source["capital"]),
            "daily_loss_money": max(0, -gain),
            "drawdown_money": int(scope["peak"]) - gain,
            "value_at_risk_money": int(scope["value_at_risk"]),
        }
        for ring, limit in enumerate(RING_LIMITS):
            window = int(scope["windows"][1 if limit == "executions" else 0]) * MS
            used[limit] = int(counted_slowly(risk, row, ring, window, now))
        found[name] = used
    return found


def test_what_is_used_is_what_risk_holds_against_the_limit(day):
    trial, _, said = day
    session = trial.runner.live.session
    want = asked(session, int(trial.runner.live.header["now"]))
    compared = positive = 0
    for one in said["limits"]:
        used = want[one["scope"]].get(one["name"])
        if used is not None:
            size = MONEY_ONE if one["unit"] == "USD" else 1
            assert one["used"] == used / size, one
            compared += 1
            positive += used > 0
    assert compared > 20 and positive > 12


def test_every_limit_that_somebody_set_is_told_with_its_figure(day):
    trial, _, said = day
    room, scopes = trial.runner.live.session.risk, trial.runner.live.session.arena["scopes"]
    want = {
        (name, control, int(scopes[row]["limits"][n]))
        for row, name in enumerate(room.names)
        for n, control in enumerate(NAMES)
        if scopes[row]["limits"][n] not in (NO_LIMIT, 0) and control not in PER_ORDER
    }
    money = {one.name for one in CONTROLS if one.unit == "money"}
    seen = {
        (
            one["scope"],
            one["name"],
            round(one["limit"] * (MONEY_ONE if one["name"] in money else 1)),
        )
        for one in said["limits"]
    }
    assert seen == want and len(want) > 25
    for one in said["limits"]:
        if one["name"] != "fill_rate_percent":
            assert one["share"] == pytest.approx(one["used"] / one["limit"], abs=1e-12)
    assert {one["unit"] for one in said["limits"]} == {
        "USD", "bps", "count", "lots", "ms", "percent"
    }  # fmt: skip


def test_a_limit_that_is_changed_while_it_runs_is_told_as_it_is(day):
    trial, page, _ = day
    scopes = trial.runner.live.session.arena["scopes"]
    row, which = 0, NAMES.index("open_orders")
    before = int(scopes[row]["limits"][which])
    scopes["limits"][row, which] = 41
    page.arena["scopes"]["limits"][row, which] = 41
    with PageReader(page.path) as reader:
        found = [one for one in reader.status()["limits"] if one["name"] == "open_orders"]
    scopes["limits"][row, which] = page.arena["scopes"]["limits"][row, which] = before
    assert [one["limit"] for one in found if one["scope"] == "firm"] == [41]


def test_stamps_are_counted_by_halves_as_one_by_one(day):
    """Rings that are empty, partly full, just full and long over; windows from nothing on."""
    session = day[0].runner.live.session
    risk, random = session.arena.address_of("risk"), np.random.default_rng(3)
    scopes, stamps = session.arena["scopes"].copy(), session.arena["stamps"].copy()
    mask, begin = int(scopes[0]["ring_mask"][0]), int(scopes[0]["ring_at"][0])
    for tail in (0, 1, 5, mask, mask + 1, mask + 2, 3 * mask + 7):
        times = np.cumsum(random.integers(0, 3, tail)) if tail else np.zeros(0, np.int64)
        for n, time in enumerate(times):
            session.arena["stamps"][begin + (n & mask)] = time
        session.arena["scopes"]["ring_tail"][0, 0] = tail
        now = int(times[-1]) if tail else 0
        for window in (0, 1, 2, 7, 100, now, now + 1, 10**9):
            slow = counted_slowly(risk, 0, 0, window, now)
            assert counted_by_halves(risk, 0, 0, window, now) == slow, (tail, window)
    session.arena["scopes"][:], session.arena["stamps"][:] = scopes, stamps


def test_averages_say_nothing_before_they_speak_and_a_minimum_is_turned_round():
    scope = np.zeros(1, SCOPE)[0]
    scope["ended"], scope["filled_bits"], scope["rejected_bits"] = 19, 0, 2**19 - 1
    scope["slipped"], scope["slippage"] = 7, 12_345
    quiet = {"fill_rate_percent": 100.0, "reject_rate_percent": 0.0, "slippage_bps": 0.0}
    assert _rates(scope) == quiet
    scope["ended"], scope["filled_bits"], scope["slipped"] = 40, 0b1111, 8
    assert _rates(scope) == {
        "fill_rate_percent": 10.0,
        "reject_rate_percent": 47.5,
        "slippage_bps": 123.45,
    }
    about = {"currency": "USD"}
    told = _limit(about, "firm", "fill_rate_percent", "percent", 20, 10.0)
    assert told["share"] == 90 / 80 and told["limit"] == 20 and told["used"] == 10.0
    assert _limit(about, "firm", "open_orders", "count", 0, 3)["share"] is None
    assert _limit(about, "firm", "daily_loss_money", "money", 50_000, 20_000)["used"] == 2.0


def test_of_many_instruments_those_of_which_nothing_is_used_are_left_out(day, monkeypatch):
    from hftlib.ops import page_limits

    _, page, said = day
    with PageReader(page.path) as reader:
        arrays = reader._seen()
        monkeypatch.setattr(page_limits, "INSTRUMENTS_TOLD", 1)
        few = limits_told(reader.about, arrays)
    gone = [one for one in said["limits"] if one not in few]
    assert gone and all(one["scope"].startswith("instrument:") for one in gone)
    assert not any(one["used"] for one in gone)
