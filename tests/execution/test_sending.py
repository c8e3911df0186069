"""What is asked of a venue: which command leaves, what is refused, and what counts from when on."""

import pytest

from hftlib.core import orders
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import (
    BUSY,
    CANCEL,
    HELD,
    NEW,
    NO_ORDER,
    NO_ROOM,
    PENDING_CANCEL,
    PENDING_NEW,
    PENDING_REPLACE,
    REPLACE,
    TOO_MANY_AT_ONCE,
    UNKNOWN,
    WAS_CANCELED,
    WAS_REFUSED,
)
from tests.room import LOG_MAX, Room

pytestmark = pytest.mark.modes


def sent(room: Room) -> list[tuple[int, ...]]:
    """Commands since the last look: what, order, side, price, quantity, instrument, time."""
    names = ("what", "order", "side", "price", "quantity", "instrument", "time")
    rows = room.arena["commands"][: room.count("commands")]
    made = [tuple(int(row[name]) for name in names) for row in rows]
    room.take_away()
    return made


def test_each_thing_asked_leaves_one_command():
    room = Room()
    number = room.new(100, SELL, instrument=1)
    assert sent(room) == [(NEW, number, SELL, 10_000, 100, 1, 1_001)]
    assert room.replace(number, 150, 10_100) == 0
    assert sent(room) == [(REPLACE, number, SELL, 10_100, 150, 1, 1_002)]
    assert room.cancel(number) == 0
    assert sent(room) == [(CANCEL, number, SELL, 10_000, 100, 1, 1_003)]
    assert room.position(1)["open_sell"] == 150
    assert room.count("sent") == 3


def test_an_order_that_is_held_counts_and_sends_nothing_until_it_is_released():
    room = Room()
    number = room.new(100, BUY, held=True)
    assert sent(room) == []
    assert (room.order(number)["state"], room.order(number)["sent"]) == (HELD, 0)
    assert (room.position()["open_buy"], room.position()["open_orders"]) == (100, 1)
    assert room.replace(number, 60, 9_900) == 0
    assert sent(room) == []
    assert (room.position()["open_buy"], room.order(number)["price"]) == (60, 9_900)
    assert room.release(number) == 0
    assert sent(room) == [(NEW, number, BUY, 9_900, 60, 0, 1_003)]
    assert (room.order(number)["state"], room.order(number)["sent"]) == (PENDING_NEW, 1_003)
    assert room.release(number) == -NO_ORDER
    assert room.refuse(number, orders.STALE) == -NO_ORDER


def test_a_held_order_ends_without_a_command():
    room = Room()
    first, second = room.new(held=True), room.new(held=True)
    assert room.cancel(first) == 0
    assert room.refuse(second, orders.STALE) == 0
    ends = [(int(r["id"]), int(r["state"]), int(r["reason"])) for r in room.arena["ended"][:2]]
    assert ends == [
        (first, WAS_CANCELED, orders.ASKED),
        (second, WAS_REFUSED, orders.STALE),
    ]
    assert (room.position()["open_buy"], room.count("open_orders")) == (0, 0)
    assert room.cancel(first) == -NO_ORDER
    assert sent(room) == []


def test_what_may_be_asked_while_something_is_under_way():
    room = Room()
    number = room.new()
    assert room.replace(number, 120) == 0
    assert room.replace(number, 130) == -BUSY
    assert room.cancel(number) == 0, "a cancel waits for no answer"
    assert room.order(number)["state"] == PENDING_CANCEL
    assert room.cancel(number) == -BUSY
    assert room.replace(number, 130) == -BUSY
    room.tell(orders.CANCEL_REJECTED, number, other=orders.HALTED)
    assert room.order(number)["state"] == PENDING_REPLACE
    room.tell(orders.LOST, number)
    assert room.replace(number, 130) == -BUSY
    assert room.cancel(number) == 0, "what became of the first one nobody knows"
    assert room.order(number)["state"] == UNKNOWN
    assert room.cancel(number) == -BUSY
    assert room.position()["open_buy"] == 120
    room.tell(orders.CANCELED, number, other=orders.ASKED, quantity=70)
    assert room.cancel(number) == -NO_ORDER, "its end was told"
    assert room.replace(number, 130) == -BUSY
    assert [room.cancel(n) for n in (0, -1, 77)] == [-NO_ORDER] * 3
    assert [room.replace(n, 5) for n in (0, -1, 77)] == [-NO_ORDER] * 3
    assert [room.release(n) for n in (0, -1, 77)] == [-NO_ORDER] * 3


def test_a_full_table_of_commands_refuses_all_but_what_sends_none():
    room = Room(slots=4)
    number = room.new(held=True)
    live = room.new()
    for _ in range(7):
        room.tell(orders.CANCEL_REJECTED, live, other=orders.HALTED)
        assert room.cancel(live) == 0
    room.tell(orders.CANCEL_REJECTED, live, other=orders.HALTED)
    assert room.new() == -TOO_MANY_AT_ONCE
    assert room.cancel(live) == -TOO_MANY_AT_ONCE
    assert room.replace(live, 120) == -TOO_MANY_AT_ONCE
    assert room.release(number) == -TOO_MANY_AT_ONCE
    assert room.position()["open_buy"] == 200, "what was refused counts nothing"
    assert room.replace(number, 50) == 0
    assert room.cancel(number) == 0
    room.check()


def test_slots_are_all_taken():
    room = Room(slots=4)
    assert all(room.new(held=True) > 0 for _ in range(3))
    assert room.new(held=True) == -NO_ROOM
    assert room.new() == -NO_ROOM
    room.check()


def test_held_orders_that_come_and_go_leave_room_for_their_ends():
    room = Room()
    made = 0
    while (number := room.new(held=True)) > 0:
        assert room.cancel(number) == 0
        made += 1
    assert (number, made) == (-TOO_MANY_AT_ONCE, LOG_MAX)
    assert room.count("ended") == LOG_MAX
    room.take_away()
    assert room.new(held=True) > 0
