"""Limit up, limit down: a day's pause as a story, and a slow twin on a market that wanders."""

from __future__ import annotations

from typing import Any

import pytest
from floor_desk import Floor, tables

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.feed.itch import messages as itch
from hftlib.venue.floor.configuration import checked
from hftlib.venue.floor.exchange import Exchange
from hftlib.venue.matching import records as r

SECOND, MS = 1_000_000_000, 1_000_000
FAST = jit.COMPILED and not jit.BOUNDS_CHECKED


class Watched(Floor):
    """A floor that steps by seconds where nobody has to be heard."""

    def seconds(self, count: float) -> None:
        until = self.now + round(count * SECOND)
        while self.now < until:
            self.now = min(self.now + SECOND // 2, until) - self.step_ns
            self.step()

    def told(self, ears: Any, letter: str) -> list[Any]:
        self.until(lambda: ears.next > self.exchange.counts["messages"])
        return [itch.parse(m) for m in ears.messages if m[:1] == letter.encode()]

    def states(self, ears: Any) -> list[str]:
        return [m.state for m in self.told(ears, "H") if m.stock == "AAA"]

    def bands(self, ears: Any) -> list[tuple[str, str, str]]:
        found = [m for m in self.told(ears, "J") if m.stock == "AAA"]
        return [tuple(f"{p:.2f}" for p in (m.reference_price, m.lower, m.upper)) for m in found]


def watched(**luld: Any) -> Watched:
    made = Watched(luld={"doubled": []} | luld, step_ns=MS)
    made.seconds(1)  # what it needs is compiled before anybody waits for an answer
    return made


def test_a_limit_state_of_fifteen_seconds_is_a_pause_of_five_minutes_and_a_cross():
    with watched() as floor:
        ears, one, two = floor.ears(), floor.plain("frm1a"), floor.plain("frm2a")
        floor.seconds(1)
        assert floor.bands(ears)[-1] == ("100.00", "95.00", "105.00")
        one.enter(1, "B", 100, "105.01")  # beyond the bands
        floor.until(lambda: one.letters("C"))
        assert [m.reason for m in one.letters("C")] == ["K"]
        one.enter(2, "B", 100, "105.00")
        floor.until(lambda: len(one.letters("A")) == 2)
        begun = floor.now
        floor.seconds(14)
        assert floor.exchange.luld.state_of(0) == "limit state"
        assert floor.states(ears)[-1] == "T"
        floor.seconds(2)
        assert floor.exchange.luld.state_of(0) == "paused" and floor.states(ears)[-1] == "P"
        (paused,) = [m for m in floor.told(ears, "H") if m.state == "P"]
        assert paused.reason == "LUDP"
        since = paused.timestamp + floor.exchange.midnight
        assert 15 * SECOND <= since - begun <= 15 * SECOND + 200 * MS
        assert floor.bands(ears)[-1] == ("100.00", "95.00", "105.00")  # told again, as collars
        two.enter(1, "S", 100, "105.00")
        floor.until(lambda: two.letters("J"))  # only cancels
        floor.seconds(240)
        assert floor.states(ears)[-1] == "Q"
        two.enter(2, "S", 60, "106.00")
        one.enter(3, "B", 80, "107.00")
        floor.until(lambda: two.letters("A") and len(one.letters("A")) == 3)
        assert not one.letters("E")
        floor.seconds(60)
        states = floor.told(ears, "H")
        assert floor.states(ears)[-3:] == ["P", "Q", "T"]
        crossed = states[-1].timestamp - paused.timestamp
        assert 300 * SECOND <= crossed <= 300 * SECOND + 200 * MS
        (cross,) = floor.told(ears, "Q")
        assert (cross.cross, cross.shares, f"{cross.price:.2f}") == ("H", 60, "106.00")
        assert floor.bands(ears)[-1] == ("106.00", "100.70", "111.30")
        counts = floor.exchange.counts
        assert (counts["luld_limits"], counts["luld_pauses"]) == (1, 1)
        assert floor.exchange.luld.state_of(0) == "normal"
        assert floor.exchange.luld.state_of(1) == "normal"


def test_a_limit_state_that_ends_in_time_is_no_pause():
    with watched() as floor:
        ears, one = floor.ears(), floor.plain("frm1a")
        floor.seconds(1)
        for urn, side, price in ((1, "S", "95.00"), (2, "B", "105.00")):
            one.enter(urn, side, 100, price)
            floor.until(lambda urn=urn: len(one.letters("A")) == urn)
            floor.seconds(10)
            assert floor.exchange.luld.state_of(0) == "limit state"
            one.send("X", urn=urn, quantity=0)
            floor.until(lambda urn=urn: len(one.letters("C")) == urn)
            floor.seconds(10)
            assert floor.exchange.luld.state_of(0) == "normal"
        assert floor.exchange.counts["luld_limits"] == 2 and "P" not in floor.states(ears)


def test_a_straddle_is_counted_and_pauses_nothing():
    with watched() as floor:
        ears, one = floor.ears(), floor.plain("frm1a")
        floor.seconds(1)
        one.enter(1, "B", 100, "94.99")
        floor.until(lambda: one.letters("A"))
        floor.seconds(20)
        assert floor.exchange.luld.state_of(0) == "straddle state"
        assert floor.exchange.counts["luld_straddles"] == 1 and floor.states(ears)[-1] == "T"


def test_a_halt_by_somebody_else_ends_a_limit_state_and_is_his_to_lift():
    with watched() as floor:
        one = floor.plain("frm1a")
        floor.seconds(1)
        one.enter(1, "B", 100, "105.00")
        floor.until(lambda: one.letters("A"))
        floor.seconds(5)
        floor.exchange.command(r.SET_STATE, symbol="AAA", state=r.HALTED)
        floor.seconds(400)
        assert int(floor.exchange.engine.arena["symbols"]["state"][0]) == r.HALTED
        assert floor.exchange.luld.state_of(0) == "normal"
        floor.exchange.command(r.SET_STATE, symbol="AAA", state=r.TRADING)
        floor.seconds(14)
        assert floor.exchange.luld.state_of(0) == "limit state"
        floor.seconds(2)
        assert floor.exchange.luld.state_of(0) == "paused"


def test_widths_by_tier_price_and_hour():
    symbols = [
        {"name": name, "reference_price_money": price}
        for name, price in (("AAA", "100.00"), ("BBB", "3.00"), ("CCC", "100.00"))
    ]
    luld = {"tier_2": ["CCC"], "doubled": ["09:30:00-09:31:00"], "end": "09:32:00"}
    with Watched(symbols=symbols, luld=luld, step_ns=MS) as floor:
        rows = floor.exchange.engine.arena["symbols"]

        def widths() -> list[tuple[int, int]]:
            return [(int(row["lower"]), int(row["upper"])) for row in rows]

        floor.seconds(1)
        assert widths() == [(90_0000, 110_0000), (1_8000, 4_2000), (80_0000, 120_0000)]
        floor.seconds(60)
        assert widths() == [(95_0000, 105_0000), (2_4000, 3_6000), (90_0000, 110_0000)]
        floor.seconds(60)
        assert widths() == [(0, r.PRICE_MAX)] * 3


class Twin:
    """The reference of each symbol from a plain list of trades."""

    def __init__(self, exchange: Exchange, window: int, hold: int, move: float) -> None:
        self.engine, self.settings = exchange.engine, (window, hold, move)
        count = len(exchange.parts.symbols)
        self.trades: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self.reference, self.since, self.match = [0] * count, [0] * count, 0
        self.changes = 0

    def look(self, now: int) -> None:
        table = self.engine.arena["trades"]
        window, hold, move = self.settings
        for match in range(self.match + 1, int(self.engine.header["match"]) + 1):
            one = table[match & (len(table) - 1)]
            if one["match"] == match and chr(one["public"]) in "EP":
                self.trades[one["symbol"]].append((now // SECOND, int(one["price"])))
        self.match = int(self.engine.header["match"])
        for n, told in enumerate(self.trades):
            told[:] = [trade for trade in told if trade[0] > now // SECOND - window]
            symbol = self.engine.arena["symbols"][n]
            wanted = self.reference[n]
            if not wanted:
                wanted = int(symbol["last"]) or int(symbol["reference"])
            elif told and now - self.since[n] >= hold * SECOND:
                mean = int(sum(price for _, price in told) / len(told) + 0.5)
                if abs(mean - wanted) / wanted >= move:
                    wanted = mean
            if wanted != self.reference[n]:
                self.reference[n], self.since[n] = wanted, now
                self.changes += 1


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(3 if FAST else 1))
def test_references_are_those_of_a_slow_twin(seed):
    market = {"flow": "agents", "events_per_second": 60.0, "seed": seed}
    luld = {"doubled": [], "window_seconds": 7, "hold_seconds": 2.0, "move_percent": 0.02}
    given = tables(market=market, luld=luld)
    exchange = Exchange(checked(given, "a test"))
    try:
        twin = Twin(exchange, 7, 2, 0.0002)
        now = exchange.clock.first
        for _ in range(600 if FAST else 120):
            now += 100 * MS
            exchange.step(now)
            twin.look(now)
            assert exchange.luld.rows["reference"].tolist() == twin.reference
            assert exchange.luld.rows["count"].tolist() == [len(t) for t in twin.trades]
            for n, row in enumerate(exchange.engine.arena["symbols"]):
                ticks = twin.reference[n] * 95 // 100, twin.reference[n] * 105 // 100
                assert (row["lower"], row["upper"]) == (
                    -(-ticks[0] // 100) * 100,
                    ticks[1] // 100 * 100,
                )
        assert twin.changes > (20 if FAST else 4)
    finally:
        exchange.parts.close()


def test_the_same_market_leads_to_the_same_pauses_however_time_is_cut():
    market = {"flow": "agents", "events_per_second": 200.0, "seed": 5}
    # A price for which the band is a tick or two, so that a wandering market meets it.
    symbols = [{"name": "AAA", "reference_price_money": "1.00", "tick_money": "0.10"}]
    quick = {"limit_seconds": 0.3, "pause_seconds": 1.0, "gather_seconds": 0.5, "doubled": []}

    def feed(steps: list[int]) -> tuple[bytes, dict[str, int]]:
        exchange = Exchange(checked(tables(market=market, symbols=symbols, luld=quick), "a test"))
        try:
            now = exchange.clock.first
            for step in steps:
                now += step
                exchange.step(now)
            count = exchange.counts["messages"]
            blocks, offsets = exchange.parts.feed.store
            return blocks[: int(offsets[count])].tobytes(), exchange.counts
        finally:
            exchange.parts.close()

    whole, counts = feed([SECOND] * 20)
    assert counts["luld_limits"] > counts["luld_pauses"] > 3
    assert feed([25 * MS] * 800)[0] == whole


@pytest.mark.parametrize(
    ("luld", "what"),
    [
        ({"tier_2": ["ZZZ"]}, "There is no symbol 'ZZZ'"),
        ({"gather_seconds": 400.0}, "gather for longer"),
        ({"doubled": ["10:00:00-09:00:00"]}, "ends before it begins"),
        ({"doubled": ["10:00"]}, "cannot be"),
        ({"tier": 2}, "There is no 'tier' here"),
    ],
)
def test_what_cannot_be_asked_for_is_said(luld, what):
    with pytest.raises(InputError, match=what):
        checked(tables(luld=luld), "a test")
    symbols = [{"name": "AAA", "bands_bps": 100}]
    with pytest.raises(InputError, match="bands of its own"):
        checked(tables(luld={}, symbols=symbols), "a test")
