"""Commands on their way: what each becomes on the wire, what is refused, what overtakes what."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from ouch_desk import SECOND, Desk
from ouch_venue import OuchVenue

from hftlib.core import orders, ouch
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import COMMAND
from hftlib.execution.ouch import asking
from hftlib.execution.ouch import memory as m

pytestmark = pytest.mark.modes
SURE = dict.fromkeys(
    ("reject", "replace_rejected", "replace_invalid", "dead", "cancel_rejected", "less"), 0.0
)


def desk_of(**settings) -> Desk:
    """A desk whose venue does nothing by chance, ready to trade."""
    chances = {name: settings.pop(name) for name in list(settings) if name in SURE}
    desk = Desk(venue=OuchVenue(Random(1), **(SURE | chances)), **settings)
    desk.open()
    desk.wire.clear()
    return desk


def on_the_wire(desk: Desk) -> list[ouch.OuchMessage]:
    """What has arrived since the desk was opened, decoded."""
    desk.to_venue()
    return [ouch.decode(data, ouch.INBOUND) for data in desk.wire]


def command(desk: Desk, **fields) -> None:
    """A command that execution would not make."""
    usual = {"what": orders.NEW, "side": BUY, "kind": orders.LIMIT, "lasts": orders.DAY}
    usual |= {"order": 1, "price": 10_000, "quantity": 100} | fields
    row = np.zeros(1, COMMAND)
    for name, value in usual.items():
        row[name] = value
    asking.submit(desk.base, row.ctypes.data, desk.now)
    begin = len(desk.reports)
    for n in range(desk.count("reports")):
        event = desk.events[n]
        desk.reports.append({name: int(event[name]) for name in event.dtype.names})
    desk.row["reports"] = 0
    assert len(desk.reports) - begin <= 1


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ({}, {"side": "B", "tif": "0", "options": {}}),
        ({"side": SELL}, {"side": "S"}),
        ({"lasts": orders.IOC}, {"tif": "3", "options": {}}),
        ({"lasts": orders.FOK}, {"tif": "3", "options": {"min_quantity": 100}}),
        ({"display": 10}, {"options": {"max_floor": 10}}),
        ({"flags": orders.POST_ONLY}, {"options": {"post_only": "P"}}),
        ({"kind": orders.MARKET, "price": 0}, {"price": "214748.3647"}),
        ({"instrument": 1, "price": 12_345}, {"symbol": "BBB", "price": "1.2345"}),
    ],
)
def test_a_new_order_on_the_wire(given, wire):
    desk = desk_of()
    number = desk.new(**given)
    (message,) = on_the_wire(desk)
    seen = {name: getattr(message, name) for name in wire}
    seen |= {"price": str(seen["price"])} if "price" in wire else {}
    assert seen == wire
    fixed = ("urn", "quantity", "display", "capacity", "iso", "cross", "client_id")
    assert [getattr(message, name) for name in fixed] == [
        *(1, 100, "Y", "P", "N", "N", f"{number:014}")
    ]


def test_references_rise_with_each_order_and_each_replace():
    desk = desk_of()
    first, second = desk.new(), desk.new()
    desk.carry(2)
    desk.replace(first, 150, 10_100)
    desk.replace(second, 200)
    desk.carry(2)
    desk.cancel(first)
    desk.cancel(second)
    seen = on_the_wire(desk)
    assert [(one.type, one.urn) for one in seen] == [
        *(("O", 1), ("O", 2), ("U", 3), ("U", 4), ("X", 3), ("X", 4))
    ]
    assert [(one.original, one.quantity, str(one.price)) for one in seen[2:4]] == [
        (1, 150, "1.0100"),
        (2, 200, "1.0000"),
    ]
    desk.from_venue()
    assert desk.room.count("open_orders") == 0


def test_less_at_the_same_price_is_a_cancel_in_part_that_keeps_the_place():
    desk = desk_of()
    number = desk.new(100)
    desk.carry(2)
    desk.replace(number, 60)
    desk.carry(2)
    assert [(one.type, one.quantity) for one in on_the_wire(desk)[1:]] == [("X", 60)]
    assert desk.kinds(number) == ["ACCEPTED", "REPLACED"]
    assert desk.room.order(number)["quantity"] == 60
    other = desk_of(is_reducing=False)
    number = other.new(100)
    other.carry(2)
    other.replace(number, 60)
    assert [one.type for one in on_the_wire(other)[1:]] == ["U"]


def test_a_cancel_beside_a_replace_asks_for_the_end_of_both():
    for rejected in (0.0, 1.0):
        desk = desk_of(replace_rejected=rejected)
        number = desk.new(100)
        desk.carry(2)
        desk.replace(number, 200)
        desk.cancel(number)
        assert [(one.type, one.urn) for one in on_the_wire(desk)[1:]] == [
            *(("U", 2), ("X", 1), ("X", 2))
        ]
        desk.carry(2)
        answer = "REPLACE_REJECTED" if rejected else "REPLACED"
        assert desk.kinds(number) == ["ACCEPTED", answer, "CANCELED"]
        assert desk.room.count("open_orders") == 0 == desk.room.count("impossible")


def test_what_is_too_fast_waits_and_cancels_go_first():
    desk = desk_of(window_max=4, window_ns=SECOND, window_reserve=1)
    desk.now += 2 * SECOND
    numbers = [desk.new() for _ in range(6)]
    assert [one.type for one in on_the_wire(desk)] == ["O"] * 3, "one is kept for cancels"
    desk.from_venue()
    desk.cancel(numbers[0])
    desk.cancel(numbers[1])
    assert [one.type for one in on_the_wire(desk)] == ["O"] * 3 + ["X"]
    desk.cancel(numbers[5])
    desk.now += SECOND - 1
    desk.carry()
    assert len(desk.wire) == 4 and desk.kinds(numbers[5]) == ["CANCELED"]
    desk.now += 1
    desk.carry(2)
    seen = [(one.type, getattr(one, "urn", 0)) for one in on_the_wire(desk)]
    assert seen[4:] == [("X", 2), ("O", 4), ("O", 5)], "the sixth never left"
    desk.now += SECOND
    desk.carry(2)
    assert desk.count("held_up") > 0 and len(desk.wire) == 7
    assert desk.room.count("open_orders") == 3


def test_the_window_is_never_overstepped():
    desk = desk_of(window_max=5, window_ns=100, window_reserve=2)
    desk.now += SECOND
    times: list[int] = []
    numbers: list[int] = []
    for _ in range(400):
        desk.now += desk.draw.randrange(30)
        before = int(desk.row["stamps"][0])
        if desk.draw.random() < 0.6:
            numbers.append(desk.new(1))
        elif numbers:
            desk.cancel(numbers.pop(desk.draw.randrange(len(numbers))))
        desk.turn()
        if desk.draw.random() < 0.5:
            desk.carry()
        times += [desk.now] * (int(desk.row["stamps"][0]) - before)
    assert len(times) > 150
    assert all(late - early >= 100 for early, late in zip(times, times[5:], strict=False))


def test_a_replace_that_waits_is_dropped_by_a_cancel():
    desk = desk_of(window_max=2, window_ns=SECOND)
    desk.now += 2 * SECOND
    number = desk.new()
    desk.new()
    desk.carry(2)
    desk.replace(number, 200, 10_100)
    desk.cancel(number)
    assert desk.kinds(number) == ["ACCEPTED", "REPLACE_REJECTED"]
    desk.now += SECOND
    desk.carry(2)
    assert desk.kinds(number)[-1] == "CANCELED"
    assert [one.type for one in on_the_wire(desk)] == ["O", "O", "X"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"instrument": 2}, orders.NO_INSTRUMENT),
        ({"order": 0}, orders.NO_INSTRUMENT),
        ({"side": 0}, orders.VENUE_NO_KIND),
        ({"side": 3}, orders.VENUE_NO_KIND),
        ({"kind": orders.STOP}, orders.VENUE_NO_KIND),
        ({"kind": orders.STOP_LIMIT}, orders.VENUE_NO_KIND),
        ({"kind": 0}, orders.VENUE_NO_KIND),
        ({"lasts": 0}, orders.VENUE_NO_KIND),
        ({"lasts": 4}, orders.VENUE_NO_KIND),
        ({"what": 9}, orders.VENUE_NO_KIND),
        ({"quantity": 0}, orders.NO_QUANTITY),
        ({"quantity": -5}, orders.NO_QUANTITY),
        ({"display": -1}, orders.NO_QUANTITY),
        ({"quantity": 1_000_000}, orders.ORDER_TOO_LARGE),
        ({"price": 0}, orders.OFF_GRID),
        ({"price": -100}, orders.OFF_GRID),
        ({"price": 0x7735939D}, orders.OFF_GRID),
        ({"price": 2**62}, orders.OFF_GRID),
    ],
)
def test_what_the_venue_could_not_take_never_leaves(fields, reason):
    desk = desk_of()
    command(desk, **fields)
    assert (desk.last()["kind"], desk.last()["other"]) == (orders.REJECTED, reason)
    assert on_the_wire(desk) == [] and desk.count("refused") == 1
    command(desk, quantity=999_999, price=0x7735939C)
    desk.turn()
    assert len(on_the_wire(desk)) == 1


def test_what_no_order_is_there_for_is_refused():
    desk = desk_of()
    for what, kind in (
        (orders.CANCEL, orders.CANCEL_REJECTED),
        (orders.REPLACE, orders.REPLACE_REJECTED),
    ):
        command(desk, what=what, order=7)
        assert (desk.last()["kind"], desk.last()["other"]) == (kind, orders.UNKNOWN_ORDER)
    number = desk.new()
    command(desk, order=number + 64)
    assert desk.last()["other"] == orders.VENUE_FULL, "its slot is another's"
    desk.carry(2)
    for quantity, price, reason in (
        (1_000_000, 10_000, orders.ORDER_TOO_LARGE),
        (200, 0, orders.OFF_GRID),
    ):
        command(desk, what=orders.REPLACE, order=number, quantity=quantity, price=price)
        assert desk.last()["other"] == reason
    command(desk, what=orders.REPLACE, order=number, quantity=200, side=SELL)
    assert desk.last()["other"] == orders.VENUE_NO_KIND
    command(desk, what=orders.REPLACE, order=number, quantity=200)
    command(desk, what=orders.REPLACE, order=number, quantity=300)
    assert desk.last()["other"] == orders.BUSY
    command(desk, what=orders.CANCEL, order=number)
    command(desk, what=orders.CANCEL, order=number)
    assert desk.last()["other"] == orders.BUSY


def test_an_order_that_rests_is_found_however_many_come_and_go_after_it():
    desk = desk_of(orders_max=4, slots=4, entries_max=16)
    resting = desk.new(100)
    desk.carry(2)
    for _ in range(100):
        number = desk.new(10)
        desk.carry(2)
        desk.cancel(number)
        desk.carry(2)
    assert desk.room.count("open_orders") == 1 and desk.count("last_urn") > 100
    desk.venue.fill(desk.venue.orders[1], 60)
    desk.carry(2)
    assert desk.kinds(resting) == ["ACCEPTED", "FILLED"] and desk.count("strangers") == 0
    urns = [one.urn for one in on_the_wire(desk) if one.type == "O"]
    assert urns == sorted(set(urns)) and not {17, 33, 49} & set(urns), "these are passed over"


def test_a_queue_that_is_full_refuses_the_rest():
    desk = desk_of(orders_max=4, window_max=1, window_ns=10**15)
    for n in range(1, 4):
        command(desk, order=n)
    for _ in range(30):
        command(desk, what=orders.CANCEL, order=1)
        command(desk, order=1)
    reasons = [one["other"] for one in desk.reports if one["kind"] == orders.REJECTED]
    assert set(reasons) == {orders.VENUE_FULL} and desk.count("reports_lost") == 0


def test_before_the_session_is_open_nothing_new_is_taken():
    desk = Desk()
    number = desk.new()
    assert desk.kinds(number) == ["REJECTED"] and desk.last()["other"] == orders.CUT_OFF
    assert desk.room.order(number)["state"] == orders.WAS_REJECTED
    assert m.STATES[desk.count("state")] in ("SHUT", "ASKING")
