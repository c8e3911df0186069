"""A modification keeps the place of an order exactly when it only shrinks."""

from __future__ import annotations

from hftlib.core import events
from hftlib.feed.orders_kept import OrdersKept

NOTHING = (events.NOTICE, events.code("modify"), 0, 0)


def test_an_order_keeps_its_place_only_while_it_shrinks():
    orders = OrdersKept()
    assert orders.add(7, 100, 30) == (events.ADD, 7, 0, 30)
    assert orders.modify(7, 100, 20) == (events.CANCEL, 7, 0, 10)
    assert orders.modify(7, 100, 20) == NOTHING
    assert orders.modify(7, 100, 21) == (events.REPLACE, 7, 7, 21)
    assert orders.modify(7, 101, 5) == (events.REPLACE, 7, 7, 5)
    assert orders.modify(8, 101, 5) == (events.REPLACE, 8, 8, 5)
    assert orders.modify(8, 101, 4) == (events.CANCEL, 8, 0, 1)


def test_what_is_taken_counts_and_all_of_it_is_the_end():
    orders = OrdersKept()
    orders.add(7, 100, 30)
    assert orders.take(7, 10, events.EXECUTE) == (events.EXECUTE, 7, 0, 10)
    assert orders.modify(7, 100, 15) == (events.CANCEL, 7, 0, 5)
    assert orders.take(7, 5, events.CANCEL) == (events.CANCEL, 7, 0, 5)
    assert orders.take(7, 10, events.CANCEL) == (events.DELETE, 7, 0, 10)
    assert len(orders) == 0
    assert orders.take(7, 10, events.CANCEL) == (events.DELETE, 7, 0, 10)
    orders.add(9, 100, 3)
    assert orders.take(9, 5, events.EXECUTE) == (events.EXECUTE, 9, 0, 5)
    orders.add(10, 100, 3)
    assert orders.delete(10)[0] == events.DELETE and len(orders) == 0
    orders.add(11, 100, 3)
    orders.clear()
    assert len(orders) == 0
