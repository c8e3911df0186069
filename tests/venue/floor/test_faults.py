"""What goes wrong on purpose, and that feed handler, gateway and drop copy live through it."""

from __future__ import annotations

import pytest
from floor_desk import BUY, Floor, standing

AGENTS = {"flow": "agents", "events_per_second": 400.0, "seed": 3}


def run(floor: Floor, messages: int) -> None:
    """So many messages of the feed."""
    while floor.exchange.counts["messages"] < messages:
        floor.step()


def same_books(floor: Floor, ears) -> bool:
    if ears.next <= floor.exchange.counts["messages"]:
        return False
    assert standing(ears.books, 2) == standing(floor.exchange.engine.books, 2)
    return not ears.books.stale and not ears.books.impossible


@pytest.mark.parametrize("do", ["drop", "duplicate", "reorder", "corrupt", "delay", "silence"])
@pytest.mark.parametrize("line", ["a", "both"])
def test_the_books_of_the_feed_are_right_whatever_happens_to_datagrams(do, line):
    with Floor(market=AGENTS, step_ns=1_000_000) as floor:
        ears = floor.ears()
        run(floor, 200)
        chance = 1.0 if do in ("delay", "silence") else 0.3
        floor.exchange.faults.begin(floor.exchange, do, line, chance, milliseconds=20)
        run(floor, 1_500)
        floor.exchange.faults.end(floor.exchange, do, line)
        assert floor.exchange.faults.counts[do] > 20
        run(floor, 1_600)
        floor.until(lambda: same_books(floor, ears))
        assert not ears.receiver.stale


def test_a_session_that_is_killed_comes_back_to_all_that_was_said():
    with Floor() as floor:
        floor.market()
        desk, other = floor.desk("frm1a"), floor.plain("frm2a")
        stands = desk.new(300, BUY, 99_9500)
        floor.until(lambda: "ACCEPTED" in desk.kinds(stands))
        for urn in (1, 2, 3):
            floor.exchange.faults.begin(floor.exchange, "kill sessions", user="frm1a")
            other.enter(urn, "S", 100, "99.95")
            floor.until(lambda urn=urn: len(desk.fills()) == urn)
        assert desk.fills(stands) == [(99_9500, 100)] * 3 and desk.position() == 300
        assert floor.exchange.parts.entry.counts["gone: the server stops"] == 3


def test_answers_that_are_held_come_all_at_once_in_order():
    with Floor() as floor:
        one = floor.plain("frm1a")
        floor.exchange.faults.begin(floor.exchange, "hold answers")
        for urn in range(1, 6):
            one.enter(urn, "B", 100, "99.00")
        floor.until(lambda: floor.exchange.counts["orders"] == 5)
        assert not one.letters("A")
        floor.exchange.faults.end(floor.exchange, "hold answers")
        floor.until(lambda: len(one.letters("A")) == 5)
        assert [m.urn for m in one.letters("A")] == [1, 2, 3, 4, 5]


def test_a_storm_of_refusals_is_refusals_and_then_it_is_over():
    with Floor() as floor:
        desk = floor.desk("frm1a")
        floor.exchange.faults.begin(floor.exchange, "refuse orders")
        storm = [desk.new(100) for _ in range(20)]
        floor.until(lambda: len(desk.kinds()) == 20)
        assert desk.kinds() == ["REJECTED"] * 20
        floor.exchange.faults.end(floor.exchange, "refuse orders")
        after = desk.new(100)
        floor.until(lambda: "ACCEPTED" in desk.kinds(after))
        assert len(storm) == 20 and floor.exchange.counts["orders"] == 1


def test_an_execution_that_its_owner_missed_is_in_the_drop_copy():
    with Floor() as floor:
        floor.market()
        desk, copy = floor.desk("frm1a"), floor.plain("frm1d", "drop_copy")
        floor.exchange.faults.begin(floor.exchange, "miss execution")
        first = desk.new(100, BUY, 100_1000)
        floor.until(lambda: copy.letters("E"))
        second = desk.new(200, BUY, 100_1000)
        floor.until(lambda: desk.fills(second))
        assert desk.fills(first) == [] and desk.position() == 200
        heard = sum(m.quantity for m in copy.letters("E"))
        assert heard == 300  # what a reconciliation with the drop copy would find


def test_a_clock_that_jumps_ends_what_is_over_by_then():
    with Floor() as floor:
        one = floor.plain("frm1a")
        one.enter(1, "B", 100, "99.00", tif="6", options={"expire_time": 3_600})
        one.enter(2, "B", 100, "99.00")
        floor.until(lambda: len(one.letters("A")) == 2)
        floor.exchange.faults.begin(floor.exchange, "step clock", milliseconds=3_599_000)
        floor.step()
        assert floor.exchange.counts["orders"] == 2
        floor.exchange.faults.begin(floor.exchange, "step clock", milliseconds=1_000)
        floor.until(lambda: one.letters("C"))
        (ended,) = one.letters("C")
        assert (ended.urn, ended.reason) == (1, "T")


def test_faults_of_the_file_begin_and_end_at_their_times():
    faults = [
        {"after_seconds": 1.0, "for_seconds": 1.0, "do": "drop", "line": "a", "chance": 0.5},
        {"at": "09:30:03", "for_seconds": 0.5, "do": "refuse orders"},
    ]
    with Floor(market=AGENTS, faults=faults, step_ns=20_000_000) as floor:
        ears, one = floor.ears(), floor.plain("frm1a")
        begun = floor.exchange.clock.first
        seen = set()
        while floor.now < begun + 5_000_000_000:
            floor.step()
            seen.add((bool(floor.exchange.faults.lines[0]), floor.exchange.faults.lines[1] == {}))
        assert seen == {(False, True), (True, True)}
        assert 5 < floor.exchange.faults.counts["drop"] < 45
        one.enter(1, "B", 100, "99.00")
        floor.until(lambda: one.letters("A"))
        floor.until(lambda: same_books(floor, ears))


def test_answers_that_are_slow_come_late_by_the_exchanges_clock_and_in_order():
    with Floor() as floor:
        one, other = floor.plain("frm1a"), floor.plain("frm2a")
        floor.exchange.faults.begin(floor.exchange, "slow answers", milliseconds=50)
        for urn in range(1, 4):
            one.enter(urn, "B", 100, "99.00")
        floor.until(lambda: floor.exchange.counts["orders"] == 3)
        obeyed = floor.now
        other.enter(1, "S", 150, "99.00")
        floor.until(lambda: len(one.letters("A")) == 3)
        assert 49 <= (floor.now - obeyed) // 1_000_000 <= 60
        floor.until(lambda: len(one.letters("E")) == 2 and len(other.letters("E")) == 2)
        again = floor.plain("frm1a")  # its login is late too, and what it missed is all there
        floor.until(lambda: len(again.messages) == 6)
        assert again.messages == one.messages
        floor.exchange.faults.end(floor.exchange, "slow answers")
        one = again
        one.enter(4, "B", 100, "99.00")
        one.enter(5, "B", 100, "99.00")
        floor.until(lambda: len(one.letters("A")) == 5, seconds=5)
        assert [m.urn for m in one.letters("A")] == [1, 2, 3, 4, 5]


def test_a_client_that_does_not_read_slow_answers_is_let_go_and_keeps_no_memory():
    with Floor() as floor:
        entry = floor.exchange.parts.entry
        one = floor.plain("frm1a")
        floor.exchange.faults.begin(floor.exchange, "slow answers", milliseconds=3_600_000)
        for urn in range(1, 200):
            one.enter(urn, "B", 100, "99.00")
            floor.step()
        floor.until(lambda: floor.exchange.counts["orders"] == 199)  # no answer carries an ack
        assert sum(map(len, entry._late.values())) > 0
        floor.others.remove(one)
        one.close()
        floor.until(lambda: not entry._sockets)
        assert not entry._late


@pytest.mark.parametrize(("chance", "low", "high"), [(1.0, 60, 60), (0.5, 18, 42)])
def test_a_storm_of_rejects_takes_orders_and_replaces_by_chance_and_no_cancel(chance, low, high):
    with Floor() as floor:
        one = floor.plain("frm1a")
        one.enter(1, "B", 100, "99.00")
        floor.until(lambda: one.letters("A"))
        floor.exchange.faults.begin(floor.exchange, "reject orders", chance=chance)
        for urn in range(2, 42):
            one.enter(urn, "B", 100, "98.00")
        said = {"quantity": 100, "tif": "0", "display": "Y", "iso": "N"}
        for urn in range(42, 62):
            one.send("U", original=1, urn=urn, price="99.00", **said)
        one.send("X", urn=1, quantity=0)
        one.send("Q")
        floor.until(lambda: one.letters("Q"))
        stormed = floor.exchange.counts["stormed"]
        assert low <= stormed <= high
        assert len(one.letters("J")) >= stormed  # a replace of one that was replaced is one too
        assert one.letters("Q")[0].next_urn == 62  # what was refused is used all the same
        assert (chance == 1.0) == bool(one.letters("C"))
        floor.exchange.faults.end(floor.exchange, "reject orders")
        one.enter(62, "B", 100, "98.00")
        floor.until(lambda: any(m.urn == 62 for m in one.letters("A")))
