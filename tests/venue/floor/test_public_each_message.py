"""The feed's book at every sequence number, within commands too: a slow twin hears each REPORT.

A command may say many messages (a taker through a queue, a cancel of all, a cross). The engine's
books are those of its end; what they are after each of its messages, the twin knows from plain
lists. At the end of each command it is held against the engine's own books, and at each number
the feed handler's book is held against it: equal, or, where messages are missing, marked stale.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from floor_desk import Floor, standing

from hftlib.venue.floor import obeying
from hftlib.venue.floor.agents import AGENT, CROWD
from hftlib.venue.matching import records as r

ROOM = {"orders_max": 1 << 10, "feed_messages_max": 1 << 17}


class Heard:
    """What shows, order by order, from the reports alone."""

    def __init__(self) -> None:
        self.orders: dict[int, list[int]] = {}  # number: row, side, price, quantity; as they came

    def hear(self, report: Any) -> None:
        letter = chr(report["public"])
        number, other, shown = int(report["order"]), int(report["other"]), int(report["shown"])
        if letter in "AU":
            if letter == "U":
                del self.orders[other]
            side = 1 if report["side"] == r.BUY else 2
            self.orders[number] = [int(report["symbol"]), side, int(report["price"]), shown]
        elif letter == "D":
            del self.orders[other if report["kind"] == r.REPLACED else number]
        elif letter in "XEC":
            self.orders[number][3] -= shown
            if not self.orders[number][3]:
                del self.orders[number]

    def rows(self) -> list[tuple[int, ...]]:
        """As `standing` has them: a level, then its orders; best first, bids before asks."""
        levels: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for number, (row, side, price, quantity) in self.orders.items():
            key = (row, side, -price if side == 1 else price)
            levels.setdefault(key, []).append((quantity, number))
        made = []
        for (row, side, price), queue in sorted(levels.items()):
            place = (row, side, abs(price))
            made.append((*place, sum(quantity for quantity, _ in queue), 0))
            made += [(*place, quantity, number) for quantity, number in queue]
        return made


class Listening(Floor):
    """A floor that obeys one command at a time, and a twin that hears what it says."""

    def __init__(self, seed: int) -> None:
        market = {"flow": "agents", "events_per_second": 300.0, "seed": seed}
        super().__init__(market=market, exchange=ROOM, step_ns=1)
        self.twin, self.wanted = Heard(), dict[int, Any]()
        self.longest = self.stale = self.urn = 0
        # No two agents act at one time, or a step would obey two commands.
        agents_of(self.exchange.flow.memory)["due"] += range(1, 3)
        self.before = self.exchange.counts
        self.wanted |= {number: [] for number in range(1, self.before["messages"] + 1)}
        self.ear = self.ears()
        self.ear.at_each = self.look

    def next_act(self) -> None:
        """Up to the next act of an agent, which is one command."""
        self.now = max(self.now + 1, int(agents_of(self.exchange.flow.memory)["due"].min()))
        self.exchange.step(self.now)
        self.heard()
        self.ear.turn()

    def does(self, kind: int, **fields: Any) -> None:
        self.exchange.command(kind, **fields)
        self.heard()

    def heard(self) -> None:
        """The reports of the command that was obeyed, if one was."""
        counts = self.exchange.counts
        commands = counts["commands"] - self.before["commands"]
        assert commands <= 1
        said = counts["reports"] - self.before["reports"]
        number = self.before["messages"]
        for report in self.exchange.engine.arena["reports"][:said].copy():
            if report["public"]:
                self.twin.hear(report)
                number += 1
                self.wanted[number] = self.twin.rows()
        assert number == counts["messages"]
        self.longest = max(self.longest, number - self.before["messages"])
        assert self.twin.rows() == standing(self.exchange.engine.books, 2)
        self.before = counts

    def look(self) -> None:
        """At each message that the feed handler takes in."""
        number = self.ear.next - 1
        assert standing(self.ear.books, 2) == self.wanted[number], f"at message {number}"
        self.stale += bool(self.ear.receiver.stale)


def agents_of(crowd: Any) -> Any:
    return crowd[CROWD.itemsize :].view(AGENT)


def orders(draw: Random, floor: Listening) -> None:
    """A participant's: large takers, reserves, hidden ones; one command."""
    row = floor.exchange.record["command"]
    floor.urn += 1
    obeying.blank_command(floor.exchange.floor)
    side = draw.choice((r.BUY, r.SELL))
    row["kind"], row["session"], row["firm"], row["urn"] = r.ENTER, 1, 1, floor.urn
    row["symbol"], row["side"], row["style"] = draw.randrange(2), side, r.PLAIN
    row["quantity"] = draw.choice((100, 700, 5_000))
    away = draw.choice((-30, -5, 0, 5, 10)) * 100
    row["price"] = 100_0000 + (-away if side == r.BUY else away)
    row["lasts"] = draw.choice((r.DAY, r.DAY, r.IOC))
    row["shows"] = draw.choice((r.SHOWN, r.SHOWN, r.HIDDEN))
    if row["shows"][0] == r.SHOWN:
        row["display"] = draw.choice((0, 100))
    obeying.obey(floor.exchange.floor)
    floor.heard()


def run(floor: Listening, acts: int, seed: int) -> None:
    draw = Random(seed)
    for n in range(acts):
        floor.next_act()
        if n % 6 == 0:
            orders(draw, floor)
        if n % 150 == 149:
            kind = draw.choice((r.MASS_CANCEL, r.CROSS, r.SET_STATE))
            if kind == r.MASS_CANCEL:
                floor.does(kind, session=draw.randrange(2))
            elif kind == r.CROSS:
                floor.does(r.SET_STATE, symbol="AAA", state=r.AUCTION)
                for _ in range(20):
                    floor.next_act()
                floor.does(kind, symbol="AAA", cross=r.REOPENING, state=r.TRADING)
            else:
                floor.does(kind, symbol="BBB", state=r.HALTED)
                floor.does(kind, symbol="BBB", state=r.TRADING)


def arrived(floor: Listening) -> None:
    """Until the feed handler has all of it."""
    for _ in range(20_000):
        floor.next_act()
        if floor.ear.next > floor.exchange.counts["messages"]:
            return
    raise AssertionError(f"{floor.ear.next} of {floor.exchange.counts['messages']}")


@pytest.mark.parametrize("seed", (1, 2))
def test_the_books_are_the_engines_at_every_number_within_commands_too(seed):
    with Listening(seed) as floor:
        run(floor, 1_500, seed)
        arrived(floor)
        assert floor.longest > 20 and floor.ear.next > 1_500
        assert not floor.ear.books.stale and not floor.ear.books.impossible


@pytest.mark.parametrize("do", ["drop", "duplicate", "reorder", "corrupt", "delay", "silence"])
def test_under_faults_they_are_so_too_or_known_to_be_stale(do):
    with Listening(3) as floor:
        run(floor, 100, 3)
        chance = 0.5 if do == "silence" else 0.3
        faults, found = floor.exchange.faults, 0
        faults.begin(floor.exchange, do, "both", 1.0 if do == "delay" else chance, milliseconds=20)
        for n in range(8):
            run(floor, 40, 10 + n)
            missing = floor.ear.next <= floor.exchange.counts["messages"]
            found += missing and bool(floor.ear.receiver.stale)
        faults.end(floor.exchange, do, "both")
        assert faults.counts[do] > 30
        arrived(floor)
        if do in ("drop", "corrupt"):
            assert found + floor.stale > 0  # it was behind, and it was known
        assert not floor.ear.receiver.stale and not floor.ear.books.impossible
        assert standing(floor.ear.books, 2) == standing(floor.exchange.engine.books, 2)
