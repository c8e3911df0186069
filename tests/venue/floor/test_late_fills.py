"""An execution that is told behind the cancel of its order: told late, and never wrongly."""

from __future__ import annotations

import random
from typing import Any

import pytest
from floor_desk import BUY, Floor, standing

from hftlib.core import orders
from hftlib.core.events import SELL

LATE = "late fill"


def begin(floor: Floor, **how: Any) -> None:
    floor.exchange.faults.begin(floor.exchange, LATE, **how)


def test_a_fill_from_before_the_cancel_is_told_behind_it_and_our_books_are_right():
    with Floor() as floor:
        ears, copy = floor.ears(), floor.plain("frm1d", "drop_copy")
        ann, bob = floor.desk("frm1a"), floor.desk("frm2a")
        stands = ann.new(300, BUY, 99_9500)
        floor.until(lambda: "ACCEPTED" in ann.kinds(stands))
        begin(floor, user="frm1a")
        sold = bob.new(100, SELL, 99_9500)
        floor.until(lambda: copy.letters("E"))
        for _ in range(5):
            floor.step()
        # Everybody but the owner knows: the counterparty, the drop copy, the public.
        assert bob.position() == -100 and bob.fills(sold) == [(99_9500, 100)]
        assert [m.quantity for m in copy.letters("E")] == [100]
        floor.until(lambda: ears.next > floor.exchange.counts["messages"])
        assert standing(ears.books, 2) == standing(floor.exchange.engine.books, 2)
        assert standing(ears.books, 2)[0][3] == 200
        assert ann.fills() == [] and ann.position() == 0
        ann.cancel(stands)
        floor.until(ann.fills)
        kinds = ann.kinds(stands)
        assert kinds == ["ACCEPTED", "RESTATED", "FILLED"], kinds
        told = {one["kind"]: one for one in ann.reports if one["reference"] == stands}
        restated, filled = told[orders.RESTATED], told[orders.FILLED]
        assert restated["quantity"] == 100 and filled["time"] < restated["time"]
        assert filled["sequence"] == restated["sequence"] + 1
        # Three hundred were asked for: two hundred taken off, one bought, none open.
        assert ann.position() + bob.position() == 0 and ann.position() == 100
        rows = ann.room.arena["positions"][0]
        assert int(rows["open_buy"]) == 0 and not ears.books.impossible
        counters = ann.room.arena["execution"][0]
        assert [int(counters[n]) for n in ("repeated", "late", "impossible")] == [0, 0, 0]
        gateway = ann.gateway.counts
        assert not gateway.get("late") and not gateway.get("repeated")
        floor.until(lambda: len(copy.letters("C")) == 1)
        assert [m.type for m in copy.heard()] == ["A", "E", "C"]
        assert floor.exchange.counts["overtaken"] == 1


def test_the_owners_stream_says_the_cancel_then_what_was_executed_with_its_own_time():
    with Floor() as floor:
        one, other = floor.plain("frm1a"), floor.plain("frm2a")
        one.enter(1, "B", 300, "99.95")
        floor.until(lambda: one.letters("A"))
        begin(floor)
        other.enter(1, "S", 100, "99.95")
        other.enter(2, "S", 50, "99.95")
        floor.until(lambda: len(other.letters("E")) == 2)
        one.send("X", urn=1, quantity=200)  # some of it: the order goes on
        floor.until(lambda: one.letters("C"))
        assert [m.type for m in one.heard()] == ["S", "A", "C"]
        one.send("X", urn=1, quantity=0)
        floor.until(lambda: len(one.letters("E")) == 2)
        heard = [m for m in one.heard() if m.type in "CE"]
        assert [(m.type, m.quantity) for m in heard] == [
            ("C", 100),
            ("C", 50),
            ("E", 100),
            ("E", 50),
        ]
        assert heard[2].timestamp <= heard[3].timestamp < heard[0].timestamp
        assert sum(m.quantity for m in heard) == 300


@pytest.mark.parametrize(
    ("ending", "letters"),
    [("filled", "AEE"), ("replaced", "AEU"), ("over", "AE"), ("broken", "AEB")],
)
def test_what_waits_goes_before_whatever_is_no_cancel(ending, letters):
    with Floor() as floor:
        one, other = floor.plain("frm1a"), floor.plain("frm2a")
        one.enter(1, "B", 300, "99.95")
        floor.until(lambda: one.letters("A"))
        begin(floor)
        other.enter(1, "S", 100, "99.95")
        floor.until(lambda: other.letters("E"))
        assert not one.letters("E")
        if ending == "filled":
            other.enter(2, "S", 200, "99.95")
        elif ending == "replaced":
            said = {"quantity": 400, "price": "99.95", "tif": "0", "display": "Y", "iso": "N"}
            one.send("U", original=1, urn=2, **said)
        elif ending == "broken":
            from hftlib.venue.matching.records import BREAK

            floor.exchange.command(BREAK, match=other.letters("E")[0].match)
        else:
            floor.exchange.faults.end(floor.exchange, LATE)
        floor.until(lambda: len(one.heard()) == 1 + len(letters))
        assert "".join(m.type for m in one.heard()[1:]) == letters
        assert int(floor.exchange.record["kept"][0]) == 0
        assert floor.exchange.counts["overtaken"] == 0


def test_one_more_than_there_is_room_for_is_told_at_once():
    with Floor() as floor:
        one, other = floor.plain("frm1a"), floor.plain("frm2a")
        one.enter(1, "B", 1_000, "99.95")
        floor.until(lambda: one.letters("A"))
        floor.exchange.record["kept_max"] = 2
        begin(floor)
        for urn in (1, 2, 3):
            other.enter(urn, "S", 100, "99.95")
        floor.until(lambda: len(other.letters("E")) == 3)
        floor.until(lambda: len(one.letters("E")) == 3)
        assert [m.quantity for m in one.letters("E")] == [100, 100, 100]
        matches = [m.match for m in one.letters("E")]
        assert matches == sorted(matches)


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_late_adds_up_for_every_order_and_for_all(seed):
    """A duel with the drop copies, which always hear in time."""
    draw = random.Random(seed)
    with Floor() as floor:
        copies = [floor.plain(f"frm{n}d", "drop_copy") for n in (1, 2)]
        sessions = [floor.plain(f"frm{n}a") for n in (1, 2)]
        begin(floor, chance=0.8)
        urn = [0, 0]
        for _ in range(1_000):
            who = draw.randrange(2)
            one = sessions[who]
            if urn[who] and draw.random() < 0.3:
                one.send("X", urn=draw.randint(max(1, urn[who] - 5), urn[who]), quantity=0)
            elif urn[who] and draw.random() < 0.2:
                urn[who] += 1
                more = {
                    "quantity": 100 * draw.randint(1, 40),
                    "price": f"99.{draw.randint(90, 99)}",
                }
                original = draw.randint(max(1, urn[who] - 5), urn[who] - 1)
                one.send(
                    "U", original=original, urn=urn[who], tif="0", display="Y", iso="N", **more
                )
            else:
                urn[who] += 1
                price = f"99.{draw.randint(90, 99)}"
                one.enter(urn[who], "BS"[who], 100 * draw.randint(1, 9 if who else 40), price)
            floor.step()
        floor.exchange.end()
        floor.until(lambda: all(one.is_over for one in (*sessions, *copies)))
    late = floor.exchange.counts["overtaken"]
    assert late > 5, late
    bought = []
    for one, copy in zip(sessions, copies, strict=True):
        told = [(m.urn, m.match, m.quantity, m.price, m.timestamp) for m in one.letters("E")]
        assert sorted(told) == sorted(
            (m.urn, m.match, m.quantity, m.price, m.timestamp) for m in copy.letters("E")
        )
        assert told != sorted(told, key=lambda m: m[1]) and len(set(told)) == len(told)
        bought.append(sum(m[2] for m in told))
        # What is said but for executions is the same, in the same order.
        rest = [[(m.type, m.urn) for m in each.letters("A", "U", "C")] for each in (one, copy)]
        assert rest[0] == rest[1]
        ended: dict[int, int] = {}
        for m in one.letters("A", "U"):
            if m.type == "U":
                ended.pop(m.original, None)
            ended[m.urn] = m.quantity
        for m in one.letters("E", "C"):
            if m.urn in ended:
                ended[m.urn] -= m.quantity
        assert not any(ended.values())
    assert bought[0] == bought[1] > 1_000
