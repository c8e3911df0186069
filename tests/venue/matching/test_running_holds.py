"""What must hold of any run of the matching engine, whoever wrote the rules.

Every share is somewhere and every trade has a buyer and a seller; a book that trades is not
crossed; who hears only what is public has the very book that shows, queue for queue; the same
commands say the same bytes, from the start, from a log, from a snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from matching_flow import SYMBOLS, Flow, engine
from public_reader import Reader, as_events

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import jit
from hftlib.venue.matching import records as r
from hftlib.venue.matching.engine import read_log, replay, write_log
from hftlib.venue.matching.reasons import NO_ROOM

pytestmark = pytest.mark.modes
FAST = jit.COMPILED and not jit.BOUNDS_CHECKED
SEEDS = range(50, 62 if FAST else 53)
BATCHES = 40 if FAST else 10


# Room enough, hardly any for prices, hardly any for pages of them.
ROOMS = ({}, {"levels": 7}, {"pages": 5})


def run(seed: int, batches: int = BATCHES, room: Any = None) -> tuple[Any, Any, Any]:
    """An engine, the commands it got, the reports it gave."""
    made, flow = engine(**(room or {})), Flow(seed)
    commands = [flow.commands(50) for _ in range(batches)]
    reports = [made.obey(one) for one in commands]
    return made, np.concatenate(commands), np.concatenate(reports)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_who_hears_the_public_has_the_book_that_shows(seed, room):
    made, _, reports = run(seed, room=room)
    reader = Reader()
    for report in reports:
        reader.hear(report)
    rows = made.books.standing()
    rows = rows[(rows["instrument"] < len(SYMBOLS)) & (rows["reference"] != 0)]
    found = {int(one["reference"]): one for one in rows}
    assert set(found) == set(reader.orders)
    for number, (symbol, side, price, quantity) in reader.orders.items():
        one = found[number]
        assert (one["instrument"], one["side"], one["price"]) == (symbol, side, price)
        assert one["quantity"] == quantity
    volume = int(made.arena["symbols"]["volume"].sum())
    assert reader.volume == volume and volume > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_book_room_builds_the_same_book(seed):
    made, _, reports = run(seed)
    capacity = Capacity(instruments=len(SYMBOLS), orders=4096, levels=4096, pages=1024)
    books = Books(made.books.instruments, capacity=capacity)
    books.apply(as_events(reports))
    assert not books.impossible
    rows = made.books.standing()
    shown = rows[rows["instrument"] < len(SYMBOLS)]
    assert len(shown) and books.standing().tolist() == shown.tolist()


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_share_is_somewhere(seed, room):
    """What an owner hears adds up, report for report, and at the end to what is open."""
    made, commands, reports = run(seed, room=room)
    open_now: dict[tuple[int, int], int] = {}
    executed: dict[tuple[int, int], int] = defaultdict(int)
    trades = defaultdict(list)
    for one in reports:
        name = int(one["session"]), int(one["urn"])
        kind, quantity, left = int(one["kind"]), int(one["quantity"]), int(one["open"])
        if kind == r.ACCEPTED:
            assert name not in open_now and quantity == left > 0
        elif kind == r.REPLACED:
            before = one["session"], one["original"]
            del open_now[int(before[0]), int(before[1])]
            executed[name] = executed[int(before[0]), int(before[1])]
            wanted = commands[int(one["command"]) - 1]["quantity"]
            assert quantity == left == wanted - executed[name]
        elif kind in (r.EXECUTED, r.CANCELLED, r.PREVENTED, r.MODIFIED):
            assert open_now[name] - quantity == left >= 0
        elif kind in (r.PRIORITY, r.ADDED):
            assert open_now[name] == left
        if kind == r.EXECUTED:
            executed[name] += quantity
            trades[int(one["other"])].append(one)
        if kind in range(r.ACCEPTED, r.MODIFIED + 1) and kind not in (r.REJECTED, r.BROKEN):
            open_now[name] = left
    for both in trades.values():
        buy, sell = sorted(both, key=lambda one: int(one["side"] != r.BUY))
        assert buy["side"] == r.BUY != sell["side"]
        assert (buy["price"], buy["quantity"]) == (sell["price"], sell["quantity"])
    assert sorted(trades) == list(trades) and trades
    owns, used = made.arena["owns"], int(made.header["used"])
    queued = made.arena["orders"][1 : used + 1]
    live = [n for n in range(1, used + 1) if owns[n]["place"] != 0]
    assert {
        (int(owns[n]["session"]), int(owns[n]["urn"])): int(
            queued[n - 1]["quantity"] + owns[n]["reserve"]
        )
        for n in live
    } == {name: left for name, left in open_now.items() if left}
    assert len(live) == made.header["live"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_book_that_trades_is_never_crossed(seed):
    made, flow = engine(), Flow(seed)
    looked = 0
    for _ in range(6):
        for one in flow.commands(50):
            made.obey(np.array([one], r.COMMAND))
            rows = made.books.standing()
            rows = rows[rows["reference"] == 0]
            for symbol in range(len(SYMBOLS)):
                if made.arena["symbols"][symbol]["state"] != r.TRADING:
                    continue
                mine = rows[np.isin(rows["instrument"], (symbol, len(SYMBOLS) + symbol))]
                bids, asks = mine[mine["side"] == 1]["price"], mine[mine["side"] == 2]["price"]
                if len(bids) and len(asks):
                    looked += 1
                    assert bids.max() < asks.min()
    assert looked > 30


def test_all_or_at_least_the_minimum_at_once():
    asked = sum(minimums_met(seed) for seed in SEEDS)
    assert asked > len(SEEDS)


def minimums_met(seed: int) -> int:
    """Orders with a minimum that took: each as much at least, at once; the others nothing."""
    _, commands, reports = run(seed)
    asked = 0
    entered = {int(one["command"]): one for one in reports if one["kind"] == r.ACCEPTED}
    for number, accepted in entered.items():
        command = commands[number - 1]
        if command["minimum"]:
            mine = (reports["command"] == number) & (reports["urn"] == accepted["urn"])
            mine &= (reports["kind"] == r.EXECUTED) & (reports["session"] == accepted["session"])
            done = int(reports[mine]["quantity"].sum())
            asked += done > 0
            assert done == 0 or done >= command["minimum"]
    return asked


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_only_rise(seed):
    _, commands, reports = run(seed)
    assert (np.diff(reports["sequence"]) == 1).all() and reports["sequence"][0] == 1
    assert (np.diff(reports["time"]) >= 0).all()
    new = reports[np.isin(reports["kind"], (r.ACCEPTED, r.PRIORITY, r.REPLACED))]
    new = new[new["order"] != new["other"]]
    assert (np.diff(new["order"]) > 0).all()
    assert len(commands) >= reports["command"].max()


def test_where_room_is_short_orders_of_every_kind_end_for_that():
    ended = set()
    for seed, room in ((seed, room) for seed in SEEDS for room in ROOMS[1:]):
        _, _, reports = run(seed, room=room)
        told = reports[(reports["kind"] == r.CANCELLED) & (reports["reason"] == NO_ROOM)]
        ended |= set(zip(told["style"].tolist(), told["shows"].tolist(), strict=True))
    assert ended >= {(r.PLAIN, r.SHOWN), (r.PLAIN, r.HIDDEN), (r.STOP, r.SHOWN)}


def test_the_same_commands_say_the_same_bytes(tmp_path):
    first, commands, reports = run(70)
    for part in np.array_split(commands, 7):
        write_log(tmp_path / "commands.log", part)
    assert (read_log(tmp_path / "commands.log") == commands).all()
    again = engine()
    assert replay(tmp_path / "commands.log", again).tobytes() == reports.tobytes()
    assert again.digest == first.digest
    for one in (first, again):
        one.arena["reports"][:] = 0  # taken in other parts, they lay elsewhere
    assert not again.arena.compare(first.arena)


def test_a_copy_goes_on_as_the_engine_does():
    made, flow = engine(), Flow(71)
    made.obey(flow.commands(500))
    copy, later = made.snapshot(), flow.commands(500)
    told = made.obey(later)
    end = made.digest
    other = engine()
    other.restore(copy)
    assert other.obey(later).tobytes() == told.tobytes() and other.digest == end
    made.restore(copy)
    assert made.digest != end
    assert made.obey(later).tobytes() == told.tobytes() and made.digest == end
