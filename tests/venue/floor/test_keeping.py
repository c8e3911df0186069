"""An exchange that ends in mid-session and goes on with its journal: nothing lost or doubled."""

from __future__ import annotations

import random

import pytest
from floor_desk import BUY, Floor, standing

from hftlib.core.errors import InputError, StateError
from hftlib.core.events import SELL
from hftlib.core.journal import frames, kinds
from hftlib.venue.floor.configuration import checked
from hftlib.venue.floor.exchange import Exchange
from hftlib.venue.floor.replaying import digest, replayed
from hftlib.venue.matching import records as r

AGENTS = {"flow": "agents", "events_per_second": 400.0, "seed": 3}


def same_books(floor: Floor, ears) -> bool:
    if ears.next <= floor.exchange.counts["messages"]:
        return False
    assert standing(ears.books, 2) == standing(floor.exchange.engine.books, 2)
    return not ears.books.stale and not ears.books.impossible


def test_everybody_comes_back_to_where_they_were(tmp_path):
    folder = {"journal": str(tmp_path / "day.journal")}
    with Floor(exchange=folder, market=AGENTS) as floor:
        places = floor.exchange.places
        ears, copy = floor.ears(), floor.plain("frm1d", "drop_copy")
        ann, bob = floor.desk("frm1a"), floor.desk("frm2a")
        stands = ann.new(300, BUY, 90_0000)
        sold = bob.new(200, SELL, 90_0000)
        floor.until(lambda: ann.kinds(stands) and bob.kinds(sold))
        before, said = digest(floor.exchange), floor.exchange.counts["said"]
        floor.restart()
        assert floor.exchange.places == places
        assert digest(floor.exchange) == before and floor.exchange.counts["said"] == said
        for desk in (ann, bob):
            floor.until(lambda desk=desk: "DISCONNECTED" in desk.kinds())
            floor.until(lambda desk=desk: desk.gateway.state == "OPEN")
        again = floor.plain("frm1d", "drop_copy", sequence=copy.next)
        ann.cancel(stands)
        after = bob.new(100, SELL, 90_0000)
        floor.until(lambda: "ACCEPTED" in bob.kinds(after))
        floor.until(lambda: set(ann.kinds(stands)) & {"CANCELED", "FILLED"})
        floor.until(lambda: floor.exchange.counts["messages"] > 300)
        floor.until(lambda: same_books(floor, ears))
        # The feed's numbers go on: every message came once, in order.
        blocks, offsets = floor.exchange.parts.feed.store
        whole = [
            blocks[int(offsets[n]) + 2 : int(offsets[n + 1])].tobytes()
            for n in range(floor.exchange.counts["messages"])
        ]
        assert ears.messages == whole[: len(ears.messages)] and len(ears.messages) > 300
        heard = [m.type for m in [*copy.heard(), *again.heard()]]
        assert heard.count("A") == 1 and not set(copy.messages) & set(again.messages)
        counters = ann.room.arena["execution"][0]
        assert [int(counters[n]) for n in ("repeated", "impossible")] == [0, 0]


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(2))
def test_a_journal_says_the_same_bytes_again_whatever_happened(tmp_path, seed):
    draw = random.Random(seed)
    folder = tmp_path / "day.journal"
    schedule = [
        {"after_seconds": 0.4, "do": "halt", "symbols": ["BBB"], "reason": "T1"},
        {"after_seconds": 0.7, "do": "auction", "symbols": ["BBB"]},
        {"after_seconds": 0.9, "do": "reopening cross", "symbols": ["BBB"]},
    ]
    faults = [{"after_seconds": 0.5, "do": "step clock", "milliseconds": 50}]
    market = AGENTS if seed else {"flow": "off"}
    given = {"schedule": schedule, "faults": faults, "market": market}
    with Floor(exchange={"journal": str(folder)}, **given) as floor:
        sessions = [floor.plain(f"frm{n}a") for n in (1, 2)]
        urn = [0, 0]
        for _ in range(1_200):
            who = draw.randrange(2)
            one, price = sessions[who], f"99.{draw.randint(90, 99)}"
            what = draw.random()
            if what < 0.2:
                one.send("X", urn=draw.randint(max(1, urn[who] - 5), urn[who] + 1), quantity=0)
            elif what < 0.3 and urn[who]:
                urn[who] += 1
                said = {"tif": "0", "display": "Y", "iso": "N", "price": price, "quantity": 300}
                one.send("U", original=urn[who] - 1, urn=urn[who], **said)
            elif what < 0.8:
                urn[who] += 1
                tif = draw.choice("0036")
                more = {"options": {"expire_time": 1}} if tif == "6" else {}
                more |= {"symbol": draw.choice(["AAA", "BBB"]), "tif": tif}
                one.enter(urn[who], draw.choice("BS"), 100 * draw.randint(1, 9), price, **more)
            elif what < 0.82:
                do = draw.choice(["late fill", "reject orders", "miss execution", "refuse orders"])
                floor.exchange.tell({"do": do, "chance": 0.5, "for_seconds": 0.05})
            elif what < 0.83:
                floor.exchange.command(r.DISCONNECT, session=who + 1)
            elif what < 0.84:
                floor.exchange.tell({"do": "halt", "symbols": ["AAA"], "after_seconds": 0.01})
                floor.exchange.tell({"do": "trade", "symbols": ["AAA"], "after_seconds": 0.02})
            floor.step_ns = draw.choice([1_000, 1_000_000, 5_000_000])
            floor.step()
        counts, said = floor.exchange.counts, digest(floor.exchange)
        assert counts["heard"] > 500 and counts["executions"] > 50
        floor.exchange.close()
        closed = digest(floor.exchange)
    assert closed != said
    found = replayed(folder)
    try:
        assert digest(found) == closed and found.is_over
        for name in ("heard", "commands", "reports", "executions", "said", "copied", "messages"):
            assert found.counts[name] == floor.exchange.counts[name]
        assert found.counts["stormed"] > 0
        assert found.notes == floor.exchange.notes
    finally:
        found.parts.close()
    used = {frame.kind for frame in frames(folder)}
    assert {kinds.SESSION_IN, kinds.TIMER, kinds.ORDER, kinds.CONTROL, kinds.CLOSED} <= used
    assert b"secret" not in b"".join(frame.payload for frame in frames(folder))


def test_turns_that_did_nothing_are_not_kept(tmp_path):
    folder = tmp_path / "day.journal"
    with Floor(exchange={"journal": str(folder)}) as floor:
        for _ in range(100):
            floor.step()
        floor.exchange.stop()
    assert [frame.kind for frame in frames(folder)] == [kinds.OPENED, kinds.CLOSED]


def test_who_asked_to_be_cancelled_when_cut_off_is_cancelled_by_a_restart(tmp_path):
    accounts = [
        {"user": "one", "password": "secret", "firm": "FRM1", "cancel_on_disconnect": True},
        {"user": "two", "password": "secret", "firm": "FRM1"},
    ]
    folder = {"journal": str(tmp_path / "day.journal")}
    with Floor(accounts=accounts, exchange=folder) as floor:
        for user in ("one", "two"):
            floor.plain(user).enter(1, "B", 100, "99.00")
        floor.until(lambda: floor.exchange.counts["orders"] == 2)
        floor.restart()
        assert floor.exchange.counts["orders"] == 1
        again = floor.plain("one")
        floor.until(lambda: again.letters("C"))
        assert [m.type for m in again.heard()] == ["S", "A", "C"]
        assert again.letters("C")[0].reason == "Z"
        floor.restart()  # and a second time, with what the first one did in the journal
        assert floor.exchange.counts["orders"] == 1


def test_faults_and_what_is_still_to_be_done_outlive_a_restart(tmp_path):
    schedule = [{"after_seconds": 0.2, "do": "halt", "symbols": ["AAA"]}]
    folder = {"journal": str(tmp_path / "day.journal")}
    with Floor(exchange=folder, schedule=schedule) as floor:
        floor.exchange.tell({"do": "drop", "line": "a", "chance": 0.5, "for_seconds": 0.3})
        floor.exchange.tell({"do": "restart", "milliseconds": 5})
        assert floor.exchange.is_restarting and floor.exchange.away_ms == 5
        floor.restart()
        assert not floor.exchange.is_restarting
        assert floor.exchange.faults.lines[0] == {"drop": 0.5} and floor.exchange.told == 2
        states = floor.exchange.engine.arena["symbols"]["state"]
        floor.until(lambda: int(states[0]) == r.HALTED)
        floor.until(lambda: floor.exchange.faults.lines[0] == {})


def test_a_journal_of_something_else_is_not_gone_on_with(tmp_path):
    folder = tmp_path / "day.journal"
    with Floor(exchange={"journal": str(folder)}) as floor:
        with pytest.raises(StateError, match="writing"):
            Exchange(floor.configuration)
        floor.step()
        floor.exchange.stop()
        from floor_desk import tables

        other = checked(tables(exchange={"journal": str(folder)}, market=AGENTS), "a test")
        with pytest.raises(
            StateError, match=r"began with market.events_per_second = 200.0, and now it is 400.0"
        ):
            Exchange(other)
    with Floor(exchange={"journal": str(tmp_path / "over.journal")}) as floor:
        floor.exchange.close()
        with pytest.raises(StateError, match="The day in this journal is over"):
            Exchange(floor.configuration)
    (tmp_path / "none").mkdir()
    with pytest.raises((StateError, InputError)):
        Exchange(checked(tables(exchange={"journal": str(tmp_path / "none")}), "a test"))


def test_what_the_journal_does_not_take_is_not_obeyed_and_stops_the_exchange(tmp_path):
    with Floor(exchange={"journal": str(tmp_path / "day.journal")}) as floor:
        one = floor.plain("frm1a")
        one.enter(1, "B", 100, "99.00")
        floor.until(lambda: one.letters("A"))
        journal = floor.exchange.keeping.journal
        journal._record["failure"], before = 1, digest(floor.exchange)
        one.enter(2, "B", 100, "99.00")
        one.enter(3, "B", 100, "99.00")
        with pytest.raises(StateError, match="A message could not be kept"):
            floor.until(lambda: len(one.letters("A")) == 2)
        assert digest(floor.exchange) == before and floor.exchange.counts["heard"] == 1
        one.turn()
        assert len(one.letters("A")) == 1
        journal._record["failure"] = 0
        floor.restart()
        again = floor.plain("frm1a")
        again.enter(2, "B", 100, "99.00")  # sent again, as who was not answered does
        floor.until(lambda: len(again.letters("A")) == 2)


def test_without_a_journal_there_is_no_restart():
    with Floor() as floor:
        assert floor.exchange.tell({"do": "restart"}) == [
            "restart: there is no journal to go on from"
        ]
        assert not floor.exchange.is_restarting
