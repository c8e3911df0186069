"""A whole order-entry path without sockets: orders, gateway, session, wire, session, venue."""

from __future__ import annotations

from random import Random
from typing import Any

from ouch_venue import OuchVenue
from soup_pair import Client, Server, pieces

from hftlib.core import orders
from hftlib.core.events import BUY, EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.orders import COMMAND
from hftlib.core.soup import client as session
from hftlib.core.soup import memory as soup
from hftlib.core.soup import sockets
from hftlib.core.soup.changes import IN
from hftlib.execution import life, sending
from hftlib.execution.ouch import asking, exchanging, laying
from hftlib.execution.ouch import memory as m
from tests.room import Room

MS, SECOND = 1_000_000, 1_000_000_000
SETTINGS: dict[str, Any] = {
    "firm": "ABCD",
    "capacity": "P",
    "is_dropping": False,
    "is_reducing": True,
    "orders_max": 64,
    "entries_max": 4_096,
    "window_max": 0,
    "window_ns": SECOND,
    "window_reserve": 0,
    "resend_ns": SECOND,
    "query_ns": SECOND,
    "day_start": 0,
}


def table() -> Instruments:
    made = Instruments()
    for symbol in ("AAA", "BBB"):
        made.add(symbol, venue="XNAS")
    return made


class Desk:
    """`reports` are all reports so far, as dictionaries; `wire` what the venue was sent."""

    def __init__(
        self, seed: int = 0, venue: OuchVenue | None = None, slots: int = 64, **settings: Any
    ) -> None:
        self.draw = Random(seed)
        self.room = Room(slots=slots, booked=512)
        self.venue = venue or OuchVenue(Random(seed + 1), self.draw.random() < 0.5)
        self.client = Client(backoff_ns_min=1, backoff_ns_max=1)
        self.server = Server(messages=1 << 15)
        self.memory = laying.gateway_memory(table(), venue="XNAS", **{**SETTINGS, **settings})
        self.row = self.memory[: m.GATEWAY.itemsize].view(m.GATEWAY)
        self.base = self.memory.ctypes.data
        begin, count = (int(self.row[name][0]) for name in ("reports_at", "reports_max"))
        self.events = self.memory[begin : begin + 64 * count].view(EVENT)
        self.now, self.connection = SECOND, -1
        self.reports: list[dict[str, int]] = []
        self.wire: list[bytes] = []

    @property
    def state(self) -> str:
        return m.STATES[int(self.row["state"][0])]

    def count(self, name: str) -> int:
        return int(self.row[name][0])

    # What the strategy does.

    def new(self, quantity=100, side=BUY, price=10_000, instrument=0, **more: int) -> int:
        given = {"kind": orders.LIMIT, "lasts": orders.DAY, "flags": 0, "display": 0} | more
        place = (self.room.base, self.now, instrument, side, given["kind"], given["lasts"])
        rest = (given["flags"], price, quantity, given["display"], 0, 0)
        number = int(sending.new_order(*place, *rest, 0))
        self.leave()
        return number

    def cancel(self, number: int) -> int:
        done = int(sending.send_cancel(self.room.base, self.now, number))
        self.leave()
        return done

    def replace(self, number: int, quantity: int, price: int = 10_000) -> int:
        done = int(sending.send_replace(self.room.base, self.now, number, price, quantity))
        self.leave()
        return done

    def leave(self) -> None:
        """What execution wants to send goes to the gateway."""
        row = self.room.arena["execution"][0]
        commands = self.room.arena["commands"]
        for n in range(int(row["commands"])):
            place = commands.ctypes.data + n * COMMAND.itemsize
            asking.submit(self.base, place, self.now)
        row["commands"] = 0
        self.turn()

    # What time and the wire do.

    def turn(self) -> None:
        """One turn of the gateway; its reports go to execution."""
        while True:
            told = int(exchanging.exchange(self.base, self.client.base, -1, self.now, self.now))
            self.take_reports()
            if told == soup.OUT_DIAL:
                session.dialled(self.client.base, self.client.login.ctypes.data, self.now)
                self.connection = self.server.admit(self.now)
                assert self.connection >= 0
            elif told == 0:
                return

    def take_reports(self) -> None:
        assert self.count("reports_lost") == 0
        for n in range(self.count("reports")):
            event = self.events[n : n + 1].copy()
            self.reports.append({name: int(event[name][0]) for name in EVENT.names})
            life.report(self.room.base, event.ctypes.data, 0)
            self.room.take_away()
        self.row["reports"] = 0

    def to_venue(self) -> None:
        """What was said to the venue arrives, as TCP cuts it, and is answered."""
        for part in pieces(self.client.said(self.now), self.draw):
            self.server.hear(self.connection, part, self.now)
        for kind, *data in self.server.told:
            if kind == "MESSAGE":
                self.wire.append(data[0])
                self.venue.hear(data[0])
        self.server.told.clear()
        self.publish()

    def publish(self) -> None:
        for message in self.venue.said:
            assert self.server.publish(message) > 0
        self.venue.said.clear()

    def from_venue(self) -> None:
        """What the venue says arrives."""
        self.publish()
        for part in pieces(self.server.said(self.connection, self.now), self.draw):
            sockets.put(self.client.base + IN, part)

            session.received(self.client.base, len(part), self.now)
            self.turn()

    def carry(self, times: int = 1) -> None:
        """Both ways, so often."""
        for _ in range(times):
            self.turn()
            if self.connection >= 0:
                self.to_venue()
                self.from_venue()
            self.turn()

    def open(self) -> None:
        """Until orders may leave."""
        for _ in range(50):
            self.now += 2
            self.carry()
            if self.state == "OPEN":
                return
        raise AssertionError(self.state)

    def cut(self) -> None:
        """The connection breaks: what is under way to the venue is lost, all or from some point."""
        said = self.client.said(self.now)
        self.server.hear(self.connection, said[: self.draw.randrange(len(said) + 1)], self.now)
        for kind, *data in self.server.told:
            if kind == "MESSAGE":
                self.wire.append(data[0])
                self.venue.hear(data[0])
        self.server.told.clear()
        self.server.hear(self.connection, b"", self.now)
        self.server.told.clear()
        self.connection = -1
        session.received(self.client.base, 0, self.now)
        self.quiet_turn()

    def quiet_turn(self) -> None:
        """A turn that does not dial yet."""
        exchanging.exchange(self.base, self.client.base, -1, self.now, self.now)
        self.take_reports()

    def kinds(self, number: int = 0) -> list[str]:
        """The kinds of the reports about an order, or of all."""
        chosen = [one for one in self.reports if number in (0, one["reference"])]
        return [orders.REPORTS[one["kind"] - orders.ACCEPTED] for one in chosen]

    def last(self) -> dict[str, int]:
        return self.reports[-1]
