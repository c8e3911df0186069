"""The exchange over real sockets: sessions that trade, break and come back; drop copies."""

from __future__ import annotations

from floor_desk import BUY, Floor

from hftlib.core import ouch
from hftlib.core.events import SELL
from hftlib.core.orders import FILLED
from hftlib.venue.matching.records import BREAK


def test_our_gateway_trades_against_what_stands_and_sees_its_fills():
    with Floor() as floor:
        floor.market()
        desk = floor.desk("frm1a")
        bought = desk.new(300, BUY, 100_1000)
        floor.until(lambda: "FILLED" in desk.kinds(bought))
        assert desk.kinds(bought) == ["ACCEPTED", "FILLED"]
        assert desk.fills(bought) == [(100_1000, 300)]
        assert desk.position() == 300
        rests = desk.new(100, BUY, 99_9500)
        floor.until(lambda: "ACCEPTED" in desk.kinds(rests))
        desk.replace(rests, 200, 99_9600)
        floor.until(lambda: "REPLACED" in desk.kinds(rests))
        assert floor.exchange.engine.books.of("AAA").best_bid.price == 99.96
        desk.cancel(rests)
        floor.until(lambda: "CANCELED" in desk.kinds(rests))
        assert floor.exchange.engine.books.of("AAA").best_bid.price == 99.90
        accepted = next(one for one in desk.reports if one["reference"] == bought)
        assert accepted["time"] <= floor.now and floor.now - accepted["time"] < 10**10


def test_two_gateways_trade_with_each_other_and_both_see_the_same_match():
    with Floor() as floor:
        ann, bob = floor.desk("frm1a"), floor.desk("frm2a")
        sold = bob.new(500, SELL, 100_0000)
        floor.until(lambda: "ACCEPTED" in bob.kinds(sold))
        first, second = ann.new(200, BUY, 100_0500), ann.new(400, BUY, 100_0000)
        floor.until(lambda: len(ann.fills()) == 2 and len(bob.fills()) == 2)
        assert ann.fills(first) == [(100_0000, 200)] and ann.fills(second) == [(100_0000, 300)]
        assert bob.fills(sold) == [(100_0000, 200), (100_0000, 300)]
        matches = [
            [one["other"] for one in desk.reports if one["kind"] == FILLED] for desk in (ann, bob)
        ]
        assert matches[0] == matches[1] and len(set(matches[0])) == 2
        assert (ann.position(), bob.position()) == (500, -500)


def test_a_session_that_breaks_loses_nothing_and_hears_nothing_twice():
    with Floor() as floor:
        floor.market()
        desk = floor.desk("frm1a")
        stands = desk.new(300, BUY, 99_9500)
        floor.until(lambda: "ACCEPTED" in desk.kinds(stands))
        floor.others.remove(desk)
        (connection,) = [
            n
            for n in floor.exchange.parts.entry._sockets
            if int(floor.exchange.parts.entry._rows["account"][n]) == 0
        ]
        floor.exchange.parts.entry.drop(connection)
        other = floor.plain("frm2a")
        other.enter(1, "S", 200, "99.95")  # while it is away
        floor.until(lambda: other.letters("E"))
        assert desk.fills() == []
        floor.others.append(desk)
        floor.until(lambda: desk.gateway.state == "OPEN" and desk.fills())
        assert desk.fills(stands) == [(99_9500, 200)] and desk.position() == 200
        assert "RECONCILED" in desk.kinds(stands)
        other.enter(2, "S", 100, "99.95")
        floor.until(lambda: desk.position() == 300)
        assert len(desk.fills()) == 2


def test_what_is_sent_again_is_not_obeyed_again():
    with Floor() as floor:
        one = floor.plain("frm1a")
        for _ in range(3):
            one.enter(1, "B", 100, "99.00")
        one.enter(2, "B", 100, "99.00")
        floor.until(lambda: len(one.letters("A")) == 2)
        one.send("Q")
        floor.until(lambda: one.letters("Q"))
        assert one.letters("Q")[0].next_urn == 3
        assert len(one.letters("A")) == 2 and not one.letters("J")


def test_orders_of_one_that_is_cut_off_are_cancelled_if_it_asked_for_that():
    accounts = [
        {"user": "one", "password": "secret", "firm": "FRM1", "cancel_on_disconnect": True},
        {"user": "two", "password": "secret", "firm": "FRM1"},
    ]
    with Floor(accounts=accounts) as floor:
        one, two = floor.plain("one"), floor.plain("two")
        for each in (one, two):
            each.enter(1, "B", 100, "99.00")
        floor.until(lambda: floor.exchange.counts["orders"] == 2)
        for each in (one, two):
            each.close()
            floor.others.remove(each)
        floor.until(lambda: floor.exchange.counts["orders"] == 1)
        again = floor.plain("one", sequence=1)
        floor.until(lambda: again.letters("C"))
        assert [m.type for m in again.heard()] == ["S", "A", "C"]
        assert again.letters("C")[0].reason == "Z"


def test_the_drop_copy_hears_of_all_sessions_of_its_firm_from_the_first_message_on():
    with Floor() as floor:
        a, b, other = floor.plain("frm1a"), floor.plain("frm1b"), floor.plain("frm2a")
        early = floor.plain("frm1d", "drop_copy")
        a.enter(1, "B", 100, "99.00")
        b.enter(1, "B", 100, "99.00")
        floor.until(lambda: a.letters("A") and b.letters("A"))
        other.enter(1, "S", 150, "99.00")
        floor.until(lambda: len(other.letters("E")) == 2)
        b.send("X", urn=1, quantity=0)
        floor.until(lambda: b.letters("C") and len(early.messages) == 5)
        late = floor.plain("frm1d", "drop_copy")
        floor.until(lambda: len(late.messages) == 5)
        assert early.messages == late.messages
        told = [(m.type, m.options["urn_index"], m.urn) for m in late.heard()]
        assert told == [("A", 1, 1), ("A", 2, 1), ("E", 1, 1), ("E", 2, 1), ("C", 2, 1)]
        for n, session in ((1, a), (2, b)):
            own = [fill(m) for m in session.letters("E")]
            assert own == [fill(m) for m in late.letters("E") if m.options["urn_index"] == n]
        theirs = floor.plain("frm2d", "drop_copy")
        floor.until(lambda: len(theirs.letters("E")) == 2)
        assert {m.match for m in theirs.letters("E")} == {m.match for m in late.letters("E")}
        assert len(theirs.messages) == 3  # its own order, its own executions, nobody else's


def fill(message) -> tuple:
    return message.quantity, message.price, message.match, message.liquidity


def test_an_execution_that_is_broken_is_told_to_both_to_their_copies_and_to_the_public():
    with Floor() as floor:
        ears = floor.ears()
        a, b = floor.plain("frm1a"), floor.plain("frm2a")
        copy = floor.plain("frm1d", "drop_copy")
        a.enter(1, "B", 100, "99.00")
        b.enter(1, "S", 100, "99.00")
        floor.until(lambda: a.letters("E") and b.letters("E"))
        match = a.letters("E")[0].match
        assert floor.exchange.command(BREAK, match=match) == ""
        floor.until(lambda: a.letters("B") and b.letters("B") and copy.letters("B"))
        floor.until(lambda: any(m[:1] == b"B" for m in ears.messages))
        assert {one.letters("B")[0].match for one in (a, b, copy)} == {match}
        assert "too old, or broken already" in floor.exchange.command(BREAK, match=match)


def test_the_day_ends_for_everybody():
    with Floor() as floor:
        ears = floor.ears()
        one, copy = floor.plain("frm1a"), floor.plain("frm1d", "drop_copy")
        one.enter(1, "B", 100, "99.00")
        floor.until(lambda: one.letters("A"))
        floor.exchange.end()
        floor.until(lambda: one.is_over and copy.is_over and ears.receiver.ended)
        assert [m.type for m in one.heard()] == ["S", "A", "C", "S"]
        assert one.letters("C")[0].reason == "E"
        events = [m[11:12] for m in ears.messages if m[:1] == b"S"]
        assert events == [b"O", b"S", b"Q", b"M", b"E", b"C"]
        assert ouch.decode(list(one.messages.values())[-1], ouch.OUTBOUND).event == "E"
