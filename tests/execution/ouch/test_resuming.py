"""Lost sessions: every order's truth is found again, nothing is doubled, nothing is forgotten."""

from __future__ import annotations

import os
import time
from random import Random

import numpy as np
import pytest
from fuzzing import fuzz_seconds
from ouch_desk import MS, SECOND, Desk
from ouch_venue import OuchVenue

from hftlib.core import jit, orders, ouch
from hftlib.core.events import BUY, SELL

pytestmark = pytest.mark.modes
SURE = dict.fromkeys(
    ("reject", "replace_rejected", "replace_invalid", "dead", "cancel_rejected", "less"), 0.0
)
OVER = orders.OVER
ROUNDS = 30 if jit.COMPILED else 20


def step(desk: Desk, carries: float = 0.5) -> None:
    """Something that a strategy, the venue or the wire does."""
    desk.now += desk.draw.randrange(20 * MS)
    chance, table = desk.draw.random(), desk.room.arena["orders"]
    here = table["id"][(table["state"] > orders.FREE) & (table["state"] < OVER)].tolist()
    if chance < 0.3:
        lasts = desk.draw.choice((orders.DAY,) * 4 + (orders.IOC, orders.FOK))
        desk.new(
            desk.draw.randrange(1, 300),
            desk.draw.choice((BUY, SELL)),
            10_000 + 100 * desk.draw.randrange(5),
            desk.draw.randrange(2),
            lasts=lasts,
            display=desk.draw.choice((0, 0, 10)),
        )
    elif chance < 0.45 and here:
        desk.cancel(desk.draw.choice(here))
    elif chance < 0.6 and here:
        number = desk.draw.choice(here)
        quantity, price = (int(desk.room.order(number)[n]) for n in ("quantity", "price"))
        wanted = desk.draw.choice((max(1, quantity - desk.draw.randrange(40)), quantity + 50))
        if wanted > int(desk.room.order(number)["filled"]):
            desk.replace(number, wanted, desk.draw.choice((price, price + 100)))
    elif chance < 0.8:
        desk.venue.act()
    if desk.draw.random() < carries:
        desk.turn()
        if desk.connection >= 0 and desk.draw.random() < 0.7:
            desk.to_venue()
        if desk.connection >= 0 and desk.draw.random() < 0.7:
            desk.from_venue()
        desk.turn()
    desk.room.check()


def settled(desk: Desk) -> None:
    """All that is under way arrives, and chance stops."""
    desk.now += 3 * SECOND
    desk.open()
    desk.now += 3 * SECOND
    desk.carry(8)


def compare(desk: Desk) -> None:
    """What we believe is what the venue knows: each open order, each position."""
    standing = {one.number: one for one in desk.venue.orders.values() if one.live}
    table = desk.room.arena["orders"]
    ours = table[(table["state"] > orders.FREE) & (table["state"] < OVER)]
    assert sorted(ours["id"].tolist()) == sorted(standing)
    for row in ours:
        one = standing[int(row["id"])]
        left = int(row["quantity"]) - int(row["taken_off"]) - int(row["filled"])
        assert (left, int(row["price"])) == (one.left, one.price), orders.STATES[row["state"]]
        assert row["state"] in (orders.LIVE, orders.PARTLY_FILLED)
    for instrument, symbol in enumerate((b"AAA     ", b"BBB     ")):
        assert desk.room.position(instrument)["quantity"] == desk.venue.position.get(symbol, 0)
    for name in ("strangers", "unreadable", "unexplained", "reports_lost"):
        assert desk.count(name) == 0, name
    assert desk.room.count("impossible") == 0
    assert desk.room.count("unknown") == 0


def lived(seed: int) -> Desk:
    """A day with a session that is often lost; after each loss all is as the venue says."""
    desk = Desk(seed, is_reducing=seed % 3 != 0)
    desk.open()
    for _ in range(12 if jit.COMPILED else 3):
        for _ in range(60 if jit.COMPILED else 30):
            step(desk)
            if desk.connection >= 0 and desk.draw.random() < 0.03:
                desk.cut()
        for _ in range(desk.draw.choice((0, 4, 12))):
            step(desk, carries=0)
        if desk.connection >= 0:
            desk.cut()
            desk.now += desk.draw.choice((1, 10 * MS, 5 * SECOND))
        settled(desk)
        compare(desk)
    assert desk.venue.entered == sorted(desk.venue.entered), "each once, in the order they left"
    assert desk.venue.match > 0
    return desk


@pytest.mark.parametrize("begin", range(0, ROUNDS, 10))
def test_orders_are_what_the_venue_says_however_often_the_session_is_lost(begin):
    seeds = range(begin, begin + 10) if jit.COMPILED else range(begin, begin + 1)
    desks = [lived(seed) for seed in seeds]
    if jit.COMPILED:
        for name in ("resent", "refused", "late", "notices"):
            assert sum(desk.count(name) for desk in desks) > 0, name
        kinds = {kind for desk in desks for kind in desk.kinds()}
        assert kinds == set(orders.REPORTS) - {"LOST"}


def test_more_days_for_as_long_as_there_is_time():
    end, seed = time.monotonic() + fuzz_seconds(), 1_000
    while time.monotonic() < end and (jit.COMPILED or seed < 1_002):
        lived(seed + 10_000 * int(os.environ.get("HFT_FUZZ_SEED") or "0"))
        seed += 1
    assert seed > 1_000


def reopened(desk: Desk, after: int = 10 * MS) -> None:
    desk.now += after
    desk.open()
    desk.carry(3)


def test_what_never_arrived_is_sent_again_with_its_own_reference():
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.open()
    first, second = desk.new(100), desk.new(200)
    desk.client.said(desk.now)  # lost on the way
    desk.cut()
    assert desk.kinds() == ["DISCONNECTED"]
    assert desk.room.order(first)["state"] == orders.UNKNOWN
    assert desk.new(300) > 0 and desk.last()["other"] == orders.CUT_OFF
    reopened(desk)
    entered = [ouch.decode(data, ouch.INBOUND) for data in desk.wire if data[:1] == b"O"]
    assert [(one.urn, one.quantity) for one in entered] == [(1, 100), (2, 200)]
    assert desk.kinds(first)[-1] == "ACCEPTED" and desk.room.order(first)["state"] == orders.LIVE
    assert desk.count("resent") == 2 and desk.room.order(second)["state"] == orders.LIVE


def test_what_arrived_is_not_sent_again_and_its_answer_is_heard():
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.open()
    number = desk.new(100)
    desk.to_venue()
    desk.cut()
    desk.venue.fill(desk.venue.orders[1], 40)
    reopened(desk)
    assert desk.kinds(number) == ["ACCEPTED", "FILLED", "RECONCILED"]
    assert (desk.last()["other"], desk.last()["quantity"]) == (40, 60)
    assert desk.room.order(number)["state"] == orders.PARTLY_FILLED
    assert [data[:1] for data in desk.wire] == [b"Q", b"O", b"Q"] and desk.count("resent") == 0


def test_what_is_old_is_refused_instead():
    desk = Desk(venue=OuchVenue(Random(1), **SURE), resend_ns=SECOND)
    desk.open()
    stood = desk.new(100)
    desk.carry(2)
    number = desk.new(100)
    assert desk.replace(stood, 150) == 0
    desk.client.said(desk.now)
    desk.cut()
    reopened(desk, after=SECOND)
    assert desk.kinds(number) == ["REJECTED"]
    assert desk.kinds(stood) == ["ACCEPTED", "REPLACE_REJECTED", "RECONCILED"]
    assert desk.room.order(stood)["state"] == orders.LIVE and desk.count("resent") == 0
    assert desk.room.count("impossible") == desk.room.count("unknown") == 0
    compare(desk)


def test_with_cancel_on_disconnect_nothing_is_sent_again_and_all_is_cancelled():
    desk = Desk(venue=OuchVenue(Random(1), **SURE), is_dropping=True)
    desk.open()
    stood = desk.new(100)
    desk.carry(2)
    number = desk.new(100)
    desk.client.said(desk.now)
    desk.cut()
    reopened(desk, after=1)
    desk.carry(3)
    assert desk.kinds(number) == ["REJECTED"]
    assert desk.kinds(stood) == ["ACCEPTED", "RECONCILED", "CANCELED"]
    assert desk.room.count("open_orders") == 0


def test_an_order_whose_cancel_is_not_answered_is_not_sent_again():
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.open()
    number, stood = desk.new(100), 0
    desk.client.said(desk.now)
    assert desk.cancel(number) == 0
    desk.cut()
    reopened(desk, after=1)
    assert desk.kinds(number) == ["REJECTED"] and stood == 0
    assert not desk.venue.orders


def test_a_cancel_that_was_lost_is_sent_again():
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.open()
    number = desk.new(100)
    desk.carry(2)
    desk.cancel(number)
    desk.client.said(desk.now)
    desk.cut()
    reopened(desk)
    desk.carry(2)
    assert desk.kinds(number) == ["ACCEPTED", "RECONCILED", "CANCELED"]
    assert [data[:1] for data in desk.wire] == [b"Q", b"O", b"Q", b"X"]
    compare(desk)


def test_an_answer_to_an_earlier_question_is_not_taken_for_one_to_this():
    """Two sessions ago the venue said 1; it was never heard, and an order has arrived since."""
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.turn()
    desk.to_venue()
    desk.from_venue()
    desk.to_venue()  # the question arrives; its answer is lost with the connection
    assert [data[:1] for data in desk.wire] == [b"Q"] and desk.state == "ASKING"
    desk.cut()
    reopened(desk, after=1)
    assert desk.state == "OPEN" and [data[:1] for data in desk.wire] == [b"Q"] * 3
    number = desk.new(100)
    desk.to_venue()
    desk.cut()
    reopened(desk, after=5 * SECOND)
    assert "REJECTED" not in desk.kinds(number)
    compare(desk)


def test_a_venue_that_does_not_say_what_it_takes_next_is_sent_what_is_young():
    class Silent(OuchVenue):
        def hear(self, data: bytes) -> None:
            if data[:1] != b"Q":
                super().hear(data)

    desk = Desk(venue=Silent(Random(1), **SURE), query_ns=SECOND, resend_ns=5 * SECOND)
    desk.now += 2
    desk.carry(3)
    assert desk.state == "ASKING"
    desk.now += SECOND
    desk.carry(1)
    assert desk.state == "OPEN"
    arrived, lost = desk.new(100), 0
    desk.to_venue()
    lost = desk.new(200)
    desk.client.said(desk.now)
    desk.cut()
    desk.now += 2
    desk.carry(3)
    desk.now += SECOND
    desk.carry(3)
    assert [one.total for one in desk.venue.orders.values()] == [100, 200]
    assert desk.kinds(lost)[-1] == "ACCEPTED" and desk.count("resent") == 1
    assert desk.kinds(arrived)[-1] == "RECONCILED"
    old = desk.new(300)
    desk.client.said(desk.now)
    desk.cut()
    desk.now += 9 * SECOND
    desk.carry(3)
    desk.now += SECOND
    desk.carry(3)
    assert desk.kinds(old) == [] and desk.room.order(old)["state"] == orders.UNKNOWN


def test_another_session_leaves_every_order_to_a_person():
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.open()
    number = desk.new(100)
    desk.carry(2)
    desk.server.name[:] = np.frombuffer(b"OTHER".rjust(10).ljust(30), np.uint8)
    desk.cut()
    reopened(desk)
    assert desk.count("restarts") == 1 and desk.room.order(number)["state"] == orders.UNKNOWN
    assert desk.kinds(number) == ["ACCEPTED"]


def test_lost_messages_leave_the_orders_they_may_be_about_unknown():
    desk = Desk(venue=OuchVenue(Random(1), **SURE))
    desk.open()
    number = desk.new(100)
    desk.carry(2)
    desk.cut()
    desk.venue.fill(desk.venue.orders[1], 40)
    desk.publish()
    n = int(desk.server.stream["count"][0])
    desk.now += 2
    desk.turn()
    hello = desk.client.said(desk.now)
    # The server goes on behind the fill, as if it had lost it.
    desk.server.hear(desk.connection, hello[:-20] + b"%20d" % (n + 1), desk.now)
    desk.from_venue()
    desk.carry(3)
    assert desk.client.lost == 1
    assert desk.room.order(number)["state"] == orders.UNKNOWN and desk.kinds(number) == ["ACCEPTED"]
