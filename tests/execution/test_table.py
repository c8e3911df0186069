"""Every cell of the table of an order's life: each report, in each state, with each quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from hftlib.core import orders
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import (
    CANCEL_PENDING,
    ENDING,
    HELD,
    MOMENT_OVER,
    NEW_PENDING,
    OVER,
    REPLACE_PENDING,
    TIME_OVER,
    UNKNOWN,
    UNKNOWN_ORDER,
    WAS_REFUSED,
)
from hftlib.execution.table import ENDS, GONE, HAPPENINGS, NONE, ROWS, SAME, STANDS, TABLE
from tests.room import COUNTERS, Room, worst_case

pytestmark = pytest.mark.modes

KNOWN, TAKEN_BACK, AWAITED, NEW_TRADE = 500, 501, 502, 999
ANSWERED = 50  # numbers of reports: what is heard from here on is new


class Case:
    """An order in some state, reached by what really leads there."""

    def __init__(self, name: str, row: int, *steps: Callable[[Room, int], Any], **new: Any) -> None:
        self.name, self.row = name, row
        self.room = Room(slots=4)
        self.number = self.room.new(**new)
        for step in steps:
            step(self.room, self.number)
        self.room.take_away()
        self.room.check()
        self.saved = self.room.arena.snapshot()
        order = self.room.order(self.number)
        if row < GONE:
            assert order is not None and order["state"] == row, name

    def again(self) -> Room:
        self.room.arena.restore(self.saved)
        return self.room


def told(kind: int, **fields: int) -> Callable[[Room, int], Any]:
    return lambda room, number: room.tell(kind, number, **fields)


def filled(quantity: int, match: int = KNOWN) -> Callable[[Room, int], Any]:
    return told(orders.FILLED, quantity=quantity, price=10_000, other=match)


def replaced(quantity: int) -> Callable[[Room, int], Any]:
    return lambda room, number: room.replace(number, quantity)


def canceled(room: Room, number: int) -> None:
    assert room.cancel(number) == 0


def refused(room: Room, number: int) -> None:
    assert room.refuse(number, orders.STALE) == 0


def reused(room: Room, number: int) -> None:
    """Its slot becomes another's."""
    while room.order(number) is not None:
        room.tell(orders.REJECTED, room.new(quantity=5), other=orders.HALTED)


ACCEPT = told(orders.ACCEPTED, other=9_000)
LOSE = told(orders.LOST)
RESTATE = told(orders.RESTATED, quantity=90, price=10_050, sequence=ANSWERED)
EARLY = told(orders.CANCELED, quantity=40, other=orders.HALTED)
OFF = told(orders.CANCELED, quantity=0, other=orders.ASKED)


def broken_once(room: Room, number: int) -> None:
    filled(10, TAKEN_BACK)(room, number)
    told(orders.BROKEN, other=TAKEN_BACK)(room, number)


def broken_early(room: Room, number: int) -> None:
    told(orders.BROKEN, other=AWAITED)(room, number)


def answered(room: Room, number: int) -> None:
    """A first replace has had its answer, with a number."""
    room.replace(number, 110)
    room.tell(orders.REPLACED, number, quantity=110, price=10_100, sequence=ANSWERED)


ALL_OFF = told(orders.CANCELED, quantity=100, other=orders.HALTED)
NO = told(orders.REJECTED, other=orders.HALTED)
OVERDUE = told(orders.EXPIRED, other=TIME_OVER)
KEPT = (told(orders.CANCEL_REJECTED, other=orders.HALTED, sequence=ANSWERED),)
REFUSED_ONCE = (canceled, *KEPT)
IN_TRADES = (filled(20), broken_once, broken_early)
FIRST = (answered,)
MORE = (replaced(150), filled(100))
LESS = (ACCEPT, filled(30), replaced(50), filled(30, 504))
MUCH = (ACCEPT, *IN_TRADES, *REFUSED_ONCE, answered, RESTATE)


def cases() -> list[Case]:
    s = orders
    return [
        Case("held", HELD, held=True),
        Case("held, a break told", HELD, broken_early, held=True),
        Case("sent", s.PENDING_NEW),
        Case("sent, a cancel refused", s.PENDING_NEW, *REFUSED_ONCE),
        Case("live", s.LIVE, ACCEPT),
        Case("live, a cancel refused", s.LIVE, ACCEPT, *REFUSED_ONCE),
        Case("partly, a cancel refused", s.PARTLY_FILLED, *REFUSED_ONCE, ACCEPT, filled(30)),
        Case("replace, a cancel refused", s.PENDING_REPLACE, *REFUSED_ONCE, replaced(150)),
        Case("live, trades broken", s.LIVE, ACCEPT, broken_once, broken_early),
        Case("live, replaced", s.LIVE, ACCEPT, answered),
        Case("live, restated", s.LIVE, ACCEPT, RESTATE),
        Case("live, not accepted", s.LIVE, broken_once),
        Case("sent, a break told", s.PENDING_NEW, broken_early),
        Case("live, sells", s.LIVE, ACCEPT, side=SELL, instrument=1),
        Case("partly", s.PARTLY_FILLED, ACCEPT, filled(30)),
        Case("partly, not accepted", s.PARTLY_FILLED, filled(30), broken_early),
        Case("replace for more", s.PENDING_REPLACE, ACCEPT, broken_early, replaced(150)),
        Case("replace for less", s.PENDING_REPLACE, ACCEPT, filled(30), replaced(50)),
        Case("replace of a new one", s.PENDING_REPLACE, replaced(150)),
        Case("second replace", s.PENDING_REPLACE, ACCEPT, answered, replaced(150)),
        Case("replace, restated", s.PENDING_REPLACE, ACCEPT, replaced(150), RESTATE),
        Case("replace for more, filled", s.PENDING_REPLACE, ACCEPT, replaced(150), filled(100)),
        Case("replace for less, filled", s.PENDING_REPLACE, *LESS),
        Case("cancel", s.PENDING_CANCEL, ACCEPT, canceled),
        Case("cancel, told of much", s.PENDING_CANCEL, *MUCH, canceled),
        Case(
            "cancel beside replace, told of much", s.PENDING_CANCEL, *MUCH, replaced(150), canceled
        ),
        Case("cancel beside replace, filled", s.PENDING_CANCEL, ACCEPT, *MORE, canceled),
        Case("cancel beside less, filled", s.PENDING_CANCEL, *LESS, canceled),
        Case("cancel of a new one", s.PENDING_CANCEL, canceled),
        Case("cancel, partly", s.PENDING_CANCEL, ACCEPT, filled(30), canceled),
        Case("cancel beside replace", s.PENDING_CANCEL, ACCEPT, replaced(150), canceled),
        Case("unknown, new", UNKNOWN, LOSE),
        Case("unknown, partly", UNKNOWN, ACCEPT, filled(30), LOSE),
        Case("unknown, replace", UNKNOWN, ACCEPT, replaced(150), filled(30), LOSE),
        Case("unknown, cancel asked", UNKNOWN, ACCEPT, LOSE, canceled),
        Case("unknown, told of much", UNKNOWN, *MUCH, LOSE),
        Case("unknown, replace, filled", UNKNOWN, ACCEPT, *MORE, LOSE),
        Case("unknown, less, filled", UNKNOWN, *LESS, LOSE),
        Case("unknown, restated", UNKNOWN, ACCEPT, RESTATE, LOSE),
        Case("ending", ENDING, ACCEPT, EARLY),
        Case("ending, partly", ENDING, ACCEPT, filled(30), canceled, EARLY),
        Case("ending, replace", ENDING, ACCEPT, replaced(150), EARLY),
        Case("ending, told of much", ENDING, *MUCH, EARLY),
        Case("ending, cancel asked", ENDING, ACCEPT, canceled, EARLY),
        Case("ending, replace, nothing else", ENDING, ACCEPT, replaced(150), ALL_OFF),
        Case("ending, less", ENDING, ACCEPT, replaced(40), EARLY),
        Case("ending, not accepted", ENDING, told(orders.EXPIRED, quantity=40, other=MOMENT_OVER)),
        Case("filled", s.FILLED_WHOLE, ACCEPT, filled(100)),
        Case("filled, not accepted", s.FILLED_WHOLE, broken_once, filled(90)),
        Case("canceled", s.WAS_CANCELED, ACCEPT, filled(30), OFF, broken_early),
        Case("canceled while held", s.WAS_CANCELED, canceled, held=True),
        Case("rejected", s.WAS_REJECTED, told(orders.REJECTED, other=orders.HALTED)),
        Case("rejected, filled", s.WAS_REJECTED, NO, filled(5), broken_once, broken_early),
        Case("refused, filled", WAS_REFUSED, refused, *IN_TRADES, held=True),
        Case("filled, in trades", s.FILLED_WHOLE, ACCEPT, *IN_TRADES, filled(80, 503)),
        Case("expired, in trades", s.WAS_EXPIRED, ACCEPT, *IN_TRADES, OVERDUE),
        Case("partly, in trades", s.PARTLY_FILLED, ACCEPT, *IN_TRADES, *FIRST),
        Case("partly, restated", s.PARTLY_FILLED, ACCEPT, filled(20), RESTATE),
        Case("expired, not accepted", s.WAS_EXPIRED, OVERDUE),
        Case("expired", s.WAS_EXPIRED, ACCEPT, told(orders.EXPIRED, other=TIME_OVER)),
        Case("refused", WAS_REFUSED, refused, held=True),
        Case("gone", GONE, ACCEPT, filled(30), broken_once, broken_early, OFF, reused),
    ]


QUANTITIES = (-1, 0, 1, 30, 50, 60, 70, 90, 100, 120, 150, 200)


def reports() -> list[tuple[int, dict[str, int]]]:
    """Every kind, with the fields that may mean something for it."""
    made: list[tuple[int, dict[str, int]]] = []
    for kind in (orders.CANCELED, orders.EXPIRED):
        for quantity in QUANTITIES:
            made += [
                (kind, {"quantity": quantity, "other": r}) for r in (orders.ASKED, MOMENT_OVER)
            ]
    for match in (0, KNOWN, TAKEN_BACK, AWAITED, NEW_TRADE):
        made.append((orders.BROKEN, {"other": match, "quantity": 10}))
        for quantity in QUANTITIES:
            row = {"other": match, "quantity": quantity, "price": 9_990, "side": BUY}
            made.append((orders.FILLED, row))
            made.append((orders.FILLED, row | {"side": 0}))
    for kind in (orders.REPLACED, orders.RESTATED):
        for quantity in QUANTITIES:
            for sequence in (0, ANSWERED - 1, ANSWERED, ANSWERED + 1):
                made.append((kind, {"quantity": quantity, "sequence": sequence, "price": 10_200}))
    for kind in (orders.REJECTED, orders.CANCEL_REJECTED, orders.REPLACE_REJECTED):
        for reason in (orders.HALTED, UNKNOWN_ORDER):
            for sequence in (0, ANSWERED, ANSWERED + 1):
                made.append((kind, {"other": reason, "sequence": sequence}))
    for quantity in QUANTITIES:
        for in_all in (0, 10, 29, 30, 60, 100, 150):
            row = {"quantity": quantity, "other": in_all, "price": 10_300}
            made.append((orders.RECONCILED, row))
    made += [(kind, {}) for kind in (orders.ACCEPTED, orders.LOST, orders.DISCONNECTED)]
    made += [(kind, {}) for kind in (0, 1, 31, 45, 255)]
    return made


def classify(row: int, order: Any, trades: dict[int, str], kind: int, e: dict[str, int]) -> str:
    """Which happening a report is, from the order as it was: the table's own sentences, in turn."""
    if kind in (orders.FILLED, orders.BROKEN):
        return classify_trade(row, order, trades, kind, e)
    if kind == orders.LOST or kind == orders.DISCONNECTED:
        return "lost" if kind == orders.LOST else "cut off"
    if kind == orders.RECONCILED:
        return classify_found(row, order, e)
    is_open = orders.PENDING_NEW <= row < ENDING
    if kind in (orders.CANCELED, orders.EXPIRED):
        name = "canceled" if kind == orders.CANCELED else "expired"
        early = is_open and 0 < e["quantity"] < worst_case(order) - int(order["filled"])
        return f"{name} early" if early else name
    if kind == orders.RESTATED:
        return classify_restated(order, e) if is_open else "restated"
    there = row not in (GONE, NONE)
    pending = int(order["pending"]) if there else 0
    if kind == orders.ACCEPTED:
        return "accepted again" if there and order["accepted"] else "accepted"
    if kind == orders.REJECTED:
        return "rejected" if pending & NEW_PENDING else "rejected late"
    if kind == orders.CANCEL_REJECTED:
        if orders.PENDING_NEW <= row <= ENDING and 0 < e["sequence"] <= int(order["kept"]):
            return "cancel rejected again"
        if not pending & CANCEL_PENDING:
            return "cancel not asked"
        return "cancel of unknown" if e["other"] == UNKNOWN_ORDER else "cancel rejected"
    if kind in (orders.REPLACED, orders.REPLACE_REJECTED):
        return classify_replace(row, order, pending, kind, e)
    return "no report"


def classify_trade(
    row: int, order: Any, trades: dict[int, str], kind: int, e: dict[str, int]
) -> str:
    told = trades.get(e["other"], "")
    if kind == orders.BROKEN:
        if e["other"] == 0 or row == NONE:
            return "broken by none"
        return {"counted": "broken", "": "broken early"}.get(told, "broken again")
    quantity = e["quantity"]
    if quantity <= 0:
        return "filled by none"
    if told in ("counted", "taken back"):
        return "filled again"
    if row == GONE and e["side"] not in (BUY, SELL):
        return "filled by none"
    if row >= OVER:
        return "filled late"
    more = worst_case(order) - int(order["filled"]) - quantity
    return "filled in part" if more > 0 else "filled whole" if more == 0 else "filled beyond"


def classify_replace(row: int, order: Any, pending: int, kind: int, e: dict[str, int]) -> str:
    at_venue = orders.PENDING_NEW <= row <= ENDING
    sequence = e["sequence"]
    again = at_venue and 0 < sequence <= int(order["answered"])
    waits = bool(pending & REPLACE_PENDING)
    if kind == orders.REPLACED:
        if at_venue and (again or (not waits and order["replaces"])):
            return "replaced again"
        if not waits:
            return "replaced unasked"
        newer = 0 < sequence <= int(order["stated"])
        asked = max(int(order["wanted_quantity"]), e["quantity"])
        left = (int(order["quantity"]) if newer else asked) - int(order["taken_off"])
        return "replaced" if left > order["filled"] else "replaced to nothing"
    if again:
        return "replace rejected again"
    if not waits:
        return "replace not asked"
    if int(order["quantity"]) - int(order["taken_off"]) <= order["filled"]:
        return "replace for nothing"
    return "replace of unknown" if e["other"] == UNKNOWN_ORDER else "replace rejected"


def classify_restated(order: Any, e: dict[str, int]) -> str:
    sequence, stated = e["sequence"], int(order["stated"])
    if 0 < sequence <= stated:
        return "restated again" if sequence == stated else "restated late"
    if e["quantity"] < 0:
        return "restated below none"
    wanted = int(order["wanted_quantity"]) if int(order["pending"]) & REPLACE_PENDING else 0
    return "restated" if max(e["quantity"], wanted) > order["filled"] else "restated to nothing"


def classify_found(row: int, order: Any, e: dict[str, int]) -> str:
    if row not in (UNKNOWN, ENDING):
        return "found known"
    if e["quantity"] < 0 or e["other"] < order["filled"]:
        return "found against"
    if e["quantity"] > 0:
        return "found open"
    return "found over" if e["other"] == order["filled"] else "found over early"


def stands(order: Any) -> int:
    """The table's sentence of `as it stands`."""
    pending = int(order["pending"])
    if pending & CANCEL_PENDING:
        return orders.PENDING_CANCEL
    if pending & REPLACE_PENDING:
        return orders.PENDING_REPLACE
    if order["filled"] > 0:
        return orders.PARTLY_FILLED
    return orders.PENDING_NEW if pending & NEW_PENDING else orders.LIVE


def over(order: Any) -> int:
    """The table's sentence of `over`."""
    if order["filled"] >= order["quantity"]:
        return orders.FILLED_WHOLE
    timed = int(order["reason"]) in (MOMENT_OVER, TIME_OVER)
    return orders.WAS_EXPIRED if timed else orders.WAS_CANCELED


def trades_of(room: Room, number: int) -> dict[int, str]:
    """What is remembered of an order's trades, by match number."""
    names = ("", "counted", "taken back", "awaited")
    rows = [one for one in room.arena["booked"] if one["order"] == number and one["what"]]
    return {int(one["match"]): names[int(one["what"])] for one in rows}


def test_each_report_does_in_each_state_what_the_table_says():
    seen: Counter[tuple[int, str]] = Counter()
    for case in cases():
        for kind, fields in reports():
            seen[step(case, case.row, case.number, kind, fields)] += 1
    stranger = Case("no order of ours", orders.LIVE, ACCEPT)
    for number in (0, -1, 777, 2**62):
        for kind, fields in reports():
            seen[step(stranger, NONE, number, kind, fields)] += 1
    unseen = sorted(cell for cell in TABLE if not seen[cell])
    assert not unseen, f"never driven: {unseen}"


def step(case: Case, row: int, number: int, kind: int, fields: dict[str, int]) -> tuple[int, str]:
    room = case.again()
    before = None if row in (GONE, NONE) else room.order(number).copy()
    trades = trades_of(room, number)
    happening = classify(row, before, trades, kind, fields)
    told_of = f"{case.name}: {HAPPENINGS[happening]}, {kind} {fields}"
    following, counted = TABLE[row, happening]
    counts = {name: room.count(name) for name in COUNTERS}
    whole = room.arena.snapshot()
    instrument = int(before["instrument"]) if before is not None else 0
    room.tell(kind, number, **({"instrument": instrument} | fields))
    room.check()
    for name in COUNTERS:
        assert room.count(name) == counts[name] + (name == counted), f"{told_of}: {name}"
    if row in (GONE, NONE):
        return row, happening
    order = room.order(number)
    at_end = order.copy()
    if kind == orders.FILLED and trades.get(fields["other"]) == "awaited":
        at_end["filled"] += fields["quantity"]  # it was counted first, then taken back
    expected = {SAME: row, STANDS: stands(order), ENDS: over(at_end)}.get(following, following)
    assert order["state"] == expected, f"{told_of}: {orders.STATES[int(order['state'])]}"
    ended_now = row < OVER <= expected
    assert room.count("ended") == ended_now, told_of
    assert (order["done"] == room.time) == ended_now or row >= OVER, told_of
    if ended_now and at_end == order:
        written = room.arena["ended"][0]
        assert bytes(written.tobytes()) == bytes(order.tobytes()), told_of
    if counted and kind not in (orders.FILLED, orders.BROKEN) and following == SAME:
        compared = room.arena.compare(whole)
        changed = {difference.field for difference in compared if difference.array != "execution"}
        assert changed <= ({"pending"} if kind == orders.LOST else set()), f"{told_of}: {changed}"
    return row, happening


def test_the_table_has_every_state_and_every_kind_of_report():
    assert set(ROWS) == {*range(1, len(orders.STATES)), GONE, NONE}
    kinds = {kind for kind, _ in HAPPENINGS.values()}
    assert kinds == {0, *range(orders.ACCEPTED, orders.RECONCILED + 1)}
    assert len(orders.REPORTS) == len(kinds) - 1
    assert {row for row, _ in TABLE} == set(ROWS)
