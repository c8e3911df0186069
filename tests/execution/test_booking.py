"""Trades that are told twice, and how long they are known again."""

import pytest

from hftlib.core import orders
from hftlib.core.events import BUY, SELL
from hftlib.core.fees import Fees
from hftlib.core.orders import ENDING, FILLED_WHOLE, PARTLY_FILLED, WAS_CANCELED, WAS_EXPIRED
from tests.room import Room

pytestmark = pytest.mark.modes


def fill(room: Room, number: int, quantity: int, match: int, price: int = 10_000) -> int:
    row = {"price": price, "quantity": quantity, "other": match, "side": BUY}
    return room.tell(orders.FILLED, number, **row)


def test_a_fill_told_twice_counts_once_whatever_comes_between():
    room = Room()
    number, other = room.new(), room.new(100, SELL)
    assert fill(room, number, 10, 5) == 3
    room.tell(orders.ACCEPTED, number)
    assert fill(room, other, 10, 5) == 3, "the other side of the same trade is ours too"
    assert fill(room, number, 20, 6) == 3
    assert fill(room, number, 10, 5) == 0
    assert fill(room, number, 20, 6) == 0
    assert room.order(number)["filled"] == 30
    assert (room.count("repeated"), room.position()["fills"]) == (2, 3)


def test_a_fill_without_a_number_is_never_known_again():
    room = Room()
    number = room.new()
    assert [fill(room, number, 10, 0) for _ in range(3)] == [3, 3, 3]
    assert room.order(number)["filled"] == 30


@pytest.mark.parametrize("remembered", [4, 16])
def test_exactly_the_last_trades_are_known(remembered):
    room = Room(booked=remembered)
    number = room.new(1_000)
    for match in range(1, remembered + 2):
        assert fill(room, number, 1, match) == 3
    assert [fill(room, number, 1, match) for match in range(2, remembered + 2)] == [0] * remembered
    assert fill(room, number, 1, 1) == 3, (
        "it was told too long ago: nothing tells it from a new one"
    )
    assert room.order(number)["filled"] == remembered + 2


def test_trades_in_one_chain_are_told_apart():
    room = Room(booked=16)
    number = room.new(1_000)
    matches = [3 + 16 * n for n in range(8)]
    assert [fill(room, number, 1, match) for match in matches] == [3] * 8
    assert [fill(room, number, 1, match) for match in matches] == [0] * 8


def test_a_break_takes_back_what_was_counted_to_the_last_unit():
    room = Room(fees=Fees(maker="-0.2bp", taker="1.5bp"))
    number = room.new(100, SELL)
    start = room.position()
    row = {"price": 10_007, "quantity": 13, "other": 5, "flags": orders.TAKER}
    room.tell(orders.FILLED, number, **row)
    assert room.order(number)["fees"] == room.position()["fees"] == 20  # 19.51365, rounded up
    fill(room, number, 7, 6, 9_001)
    # Whatever the break says of price and quantity, what was counted is what goes.
    room.tell(orders.BROKEN, number, other=5, price=1, quantity=1)
    room.tell(orders.BROKEN, number, other=6)
    assert room.position() == start | {"open_sell": 80}
    order = room.order(number)
    sums = [int(order[name]) for name in ("filled", "value", "fees", "quantity")]
    assert sums == [0, 0, 0, 80]
    rows = room.arena["fills"][:4]
    assert rows["quantity"].tolist() == [13, 7, -13, -7]
    assert rows["fee"].sum() == 0
    assert rows["taker"].tolist() == [1, 0, 1, 0]
    assert rows["position"].tolist() == [-13, -20, -7, 0]


def test_a_cancel_that_left_fills_behind_keeps_their_room():
    room = Room()
    number = room.new()
    room.tell(orders.ACCEPTED, number)
    room.cancel(number)
    room.tell(orders.CANCELED, number, other=orders.ASKED, quantity=70)
    assert (room.order(number)["state"], room.position()["open_buy"]) == (ENDING, 30)
    fill(room, number, 10, 1)
    assert room.position()["open_buy"] == 20
    fill(room, number, 20, 2)
    assert (room.order(number)["state"], room.order(number)["reason"]) == (
        WAS_CANCELED,
        orders.ASKED,
    )
    assert (room.position()["open_buy"], room.position()["quantity"]) == (0, 30)
    fill(room, number, 5, 3)
    assert (room.count("late"), room.position()["quantity"]) == (1, 35)


def test_an_order_whose_time_was_over():
    room = Room()
    first, second = room.new(), room.new()
    room.tell(orders.EXPIRED, first, other=orders.MOMENT_OVER, quantity=100)
    room.tell(orders.EXPIRED, second, other=0)
    ends = [(int(r["state"]), int(r["reason"])) for r in room.arena["ended"][:2]]
    assert ends == [(WAS_EXPIRED, orders.MOMENT_OVER), (WAS_EXPIRED, orders.TIME_OVER)]


def test_a_replace_keeps_its_total_whichever_fills_are_heard_when():
    """Replaced to 150 in all, 30 filled before and 20 after: heard in each order of the three."""
    words = ("before", "replaced", "after")
    for order in [(0, 1, 2), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1), (2, 1, 0)]:
        room = Room()
        number = room.new()
        room.tell(orders.ACCEPTED, number)
        room.replace(number, 150)
        for word in (words[n] for n in order):
            if word == "replaced":
                room.tell(orders.REPLACED, number, price=10_100, quantity=120)
            else:
                fill(room, number, *((30, 1) if word == "before" else (20, 2)))
            assert room.position()["open_buy"] == 150 - room.position()["quantity"]
        assert (room.order(number)["state"], room.order(number)["quantity"]) == (PARTLY_FILLED, 150)
        fill(room, number, 100, 3)
        assert room.order(number)["state"] == FILLED_WHOLE


def test_a_restatement_from_before_a_replace_that_is_heard_after_it_changes_nothing():
    room = Room()
    number = room.new()
    room.tell(orders.ACCEPTED, number, sequence=1)
    room.replace(number, 150)
    room.tell(orders.REPLACED, number, price=10_100, quantity=150, sequence=3)
    room.tell(orders.RESTATED, number, price=10_000, quantity=80, sequence=2)
    assert (room.order(number)["quantity"], room.order(number)["price"]) == (150, 10_100)
    assert (room.position()["open_buy"], room.count("late")) == (150, 1)
