"""Books, orders and fills of a runner's page against the arena, and against what lies there."""

from __future__ import annotations

import os

import numpy as np
import pytest
from paged_day import paged_day

from hftlib.core import orders
from hftlib.core.arena import Arena
from hftlib.core.errors import StateError
from hftlib.core.orders import STATES
from hftlib.engine.live.page_memory import LEVELS, TRAIL_FILLS, room_each
from hftlib.ops.page_reading import PageReader

AT_VENUE = ("live", "partly filled", "pending replace", "pending cancel", "unknown")
LIES = (
    ("views", "bids", 11),
    ("views", "asks", -1),
    ("views", "rows", 1 << 40),
    ("working", "side", 3),
    ("working", "state", 99),
    ("working", "strategy", 7),
    ("trails", "count", -5),
)


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    with paged_day(folder) as (trial, page), PageReader(page.path) as reader:
        yield trial, page, reader.status()


def open_rows(trial):
    """Every open order of ours with its seat: the slow way, slot by slot."""
    return [
        (seat, row)
        for seat in trial.runner.live.session.seats
        for row in seat["own_orders"]
        if orders.FREE < row["state"] < orders.OVER
    ]


def is_there(row):
    told = not int(row["pending"]) & orders.NEW_PENDING
    return STATES[int(row["state"])] in AT_VENUE and told and row["kind"] == orders.LIMIT


def queue_before(book, reference):
    """What stands before an order, one order after the other; None: it is not there."""
    for level in [*book.bids(1_000), *book.asks(1_000)]:
        before = 0.0
        for one in book.orders_at(level.price):
            if one.reference == reference:
                return before
            before += one.quantity
    return None


def test_ladders_are_those_of_the_books(day):
    trial, _, said = day
    books = trial.runner.live.session.books
    assert [one["symbol"] for one in said["ladders"]] == ["AAA", "BBB"]
    for ladder in said["ladders"]:
        book = books.of(ladder["symbol"], ladder["venue"])
        for name, levels in (("bids", book.bids(LEVELS)), ("asks", book.asks(LEVELS))):
            seen = [(one["price"], one["quantity"], one["orders"]) for one in ladder[name]]
            assert seen == [tuple(one) for one in levels]
        assert ladder["time_ns"] == int(trial.runner.live.header["now"])
    assert len(said["ladders"][0]["bids"]) > 2 and len(said["ladders"][0]["asks"]) > 2


def test_own_quantity_and_what_is_ahead_are_as_a_walk_along_the_queue_finds_them(day):
    trial, _, said = day
    books, table = trial.runner.live.session.books, trial.runner.live.session.instruments
    ours = [row for _, row in open_rows(trial) if is_there(row)]
    levels = behind = 0
    for n, ladder in enumerate(said["ladders"]):
        book = books.of(ladder["symbol"], ladder["venue"])
        for side, name in ((1, "bids"), (2, "asks")):
            for rung in ladder[name]:
                units = round(rung["price"] / table[n].price_size)
                here = [
                    row
                    for row in ours
                    if (row["instrument"], row["side"], row["price"]) == (n, side, units)
                ]
                assert rung["own"] == sum(int(row["quantity"] - row["filled"]) for row in here)
                before = [queue_before(book, int(row["venue_number"])) for row in here]
                assert rung["ahead"] == min((b for b in before if b is not None), default=None)
                levels += bool(here)
                behind += bool(rung["ahead"])
    assert levels > 1 and behind > 0, "some of ours stand, and some of those behind others"


def test_an_order_that_was_replaced_is_found_in_its_queue(tmp_path):
    with paged_day(tmp_path, ("Mover",)) as (trial, page), PageReader(page.path) as reader:
        books, said = trial.runner.live.session.books, reader.status()
        shown = {one["id"]: one for one in said["orders"]}
        moved = [row for _, row in open_rows(trial) if row["replaces"] and is_there(row)]
        assert moved, "some of its quotes stand, and were replaced"
        for row in moved:
            one = shown[int(row["id"])]
            ahead = queue_before(books.of(one["symbol"], one["venue"]), int(row["venue_number"]))
            assert ahead is not None and one["ahead"] == ahead


def test_working_orders_are_the_open_ones_the_newest_first(day):
    trial, _, said = day
    table, found = trial.runner.live.session.instruments, open_rows(trial)
    books = trial.runner.live.session.books
    want = {}
    for seat, row in found:
        one = table[int(row["instrument"])]
        ahead = None
        if is_there(row):
            ahead = queue_before(books.of(one.symbol, one.venue), int(row["venue_number"]))
        want[int(row["id"])] = {
            "strategy": seat.name,
            "symbol": one.symbol,
            "venue": one.venue,
            "id": int(row["id"]),
            "side": "buy" if row["side"] == 1 else "sell",
            "price": float(row["price"]) / 10_000,
            "quantity": float(row["quantity"]),
            "filled": float(row["filled"]),
            "state": STATES[int(row["state"])],
            "sent_ns": int(row["sent"]),
            "ahead": ahead,
        }
    assert {one["id"]: one for one in said["orders"]} == want
    assert len(want) == said["open_orders"] > 4
    assert {one["strategy"] for one in want.values()} == {"Rester", "Other"}
    sent = [one["sent_ns"] for one in said["orders"]]
    assert sent == sorted(sent, reverse=True)


def test_fills_are_the_newest_of_the_log_and_of_all_strategies(day):
    trial, _, said = day
    logs = [
        (int(row["received"]), seat.name, row)
        for seat in trial.runner.live.session.seats
        for row in seat["fills"][: int(seat["execution"]["fills"][0])]
    ]
    assert len(logs) > 4 and len({name for _, name, _ in logs}) == 2
    logs.sort(key=lambda one: one[0], reverse=True)
    want = sorted(
        (int(row["received"]), name, "buy" if row["side"] == 1 else "sell",
         int(row["price"]) / 10_000, float(row["quantity"]), int(row["fee"]) / 10_000,
         not row["taker"])
        for _, name, row in logs[:TRAIL_FILLS]
    )  # fmt: skip
    names = ("time_ns", "strategy", "side", "price", "quantity", "fee", "is_maker")
    assert sorted(tuple(one[name] for name in names) for one in said["fills"]) == want
    times = [one["time_ns"] for one in said["fills"]]
    assert times == sorted(times, reverse=True)


def test_a_brief_look_says_the_same_of_all_else(day):
    _, page, said = day
    beside = {"ladders", "orders", "fills", "refusals", "limits"}
    with PageReader(page.path) as reader:
        brief = reader.status(is_brief=True)
    assert said.keys() - brief.keys() == beside
    same = brief.keys() - {"time_ns", "page"}
    assert {name: brief[name] for name in same} == {name: said[name] for name in same}


def test_refusals_are_counted_by_reason_and_strategy(day):
    trial, _, said = day
    total = sum(int(seat["session"]["refused"].sum()) for seat in trial.runner.live.session.seats)
    assert sum(one["count"] for one in said["refusals"]) == total > 0
    assert {one["strategy"] for one in said["refusals"]} == {"Rester", "Other"}
    assert all(one["reason"] and not one["reason"].startswith("reason") for one in said["refusals"])


def test_in_shadow_nothing_is_looked_for_in_the_queues_of_others(tmp_path):
    from hftlib.ops.modes import Mode

    with paged_day(tmp_path, ("Rester",), 12, mode=Mode("shadow")) as (trial, page):
        with PageReader(page.path) as reader:
            said = reader.status()
        assert said["orders"] and not any(one["ahead"] for one in said["orders"])
        own = sum(rung["own"] for one in said["ladders"] for rung in one["bids"] + one["asks"])
        assert own > 0 and any(is_there(row) for _, row in open_rows(trial))


def test_a_view_that_lies_is_a_sentence(day, tmp_path):
    _, page, _ = day
    for n, (name, field, value) in enumerate(LIES):
        copy = page.arena.save(tmp_path / f"copy{n}.page")
        with Arena.open(copy, writable=True) as arena:
            arena[name][field] = value
        with PageReader(copy) as reader, pytest.raises(StateError, match="nonsense"):
            reader.status()


def test_views_of_random_bytes_never_crash(day, tmp_path):
    copy = day[1].arena.save(tmp_path / "copy.page")
    names, random = ("views", "working", "trails", "counts", "scopes"), np.random.default_rng(7)
    said = 0
    for seed in range(60):
        with Arena.open(copy, writable=True) as arena:
            for name in names[seed % 5 :]:
                arena[name].view("u1")[:] = np.frombuffer(os.urandom(arena[name].nbytes), "u1")
            if seed % 2:  # counts that can be, and all else noise
                for field in ("bids", "asks", "rows"):
                    arena["views"][field] = random.integers(0, 4, len(arena["views"]))
        with PageReader(copy) as reader:
            try:
                reader.status()
            except StateError as error:
                said += 1
                assert "nonsense" in str(error)
    assert said > 10


def test_a_view_that_is_being_written_is_left_out_and_the_others_are_told(day, tmp_path):
    copy = day[1].arena.save(tmp_path / "copy.page")
    with Arena.open(copy, writable=True) as arena:
        arena["moments"][0] |= 1
    with PageReader(copy) as reader:
        said = reader.status()
    assert [one["symbol"] for one in said["ladders"]] == ["BBB"]
    assert {one["symbol"] for one in said["orders"]} <= {"BBB"}


def test_each_instrument_has_room_and_all_together_not_too_much():
    assert [room_each(n) for n in (1, 16, 50, 256, 5_000)] == [64, 64, 20, 4, 4]
