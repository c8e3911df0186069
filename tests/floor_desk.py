"""An exchange in lockstep with real sockets, traders' desks around it, and somebody who listens.

    floor = Floor(); ann = floor.desk("frm1a"); ann.new(100, BUY, 100_0000); floor.until(...)

A Desk is our own gateway and execution; Ears are the receiver, the translator and the books; a
Plain is a SoupBinTCP client that keeps each message as bytes.
"""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from room import Room

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import orders, ouch
from hftlib.core.events import BUY, EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.soup import frames
from hftlib.execution import life, sending
from hftlib.execution.ouch.gateway import OuchGateway
from hftlib.feed.itch.translate import Translator
from hftlib.feed.mold import MoldReceiver
from hftlib.feed.mold import memory as mold
from hftlib.venue.floor.configuration import checked
from hftlib.venue.floor.exchange import Exchange
from hftlib.venue.matching import records as r

DATE, PATIENCE_S, MS = "2026-01-05", 20, 1_000_000
SYMBOLS = ("AAA", "BBB")
FILL_FIELDS = ("reference", "other", "price", "quantity", "side")


def tables(**more: Any) -> dict[str, Any]:
    accounts = [
        {"user": f"frm{n}{letter}", "password": "secret", "firm": f"FRM{n}", "hears": hears}
        for n in (1, 2)
        for letter, hears in (("a", "orders"), ("b", "orders"), ("d", "drop copy"))
    ]
    accounts += [
        {"user": f"frm{n}k", "password": "secret", "firm": f"FRM{n}", "purges": True}
        for n in (1, 2)
    ]
    small = {"feed_messages_max": 1 << 17, "feed_store_bytes_max": 1 << 23, "orders_max": 1 << 10}
    small |= {"session_messages_max": 1 << 14, "session_store_bytes_max": 1 << 21}
    small |= groups()
    return {
        "exchange": small | more.pop("exchange", {}),
        "clock": {"pace": "lockstep", "date": DATE},
        "symbols": [{"name": name} for name in SYMBOLS],
        "firms": [{"name": "FRM1"}, {"name": "FRM2"}],
        "accounts": accounts,
    } | more


def groups() -> dict[str, str]:
    """Multicast groups of this process alone: several may test on one host."""
    low = os.getpid() & 0xFFFF
    return {
        f"line_{n}_group": f"239.{part}.{low >> 8}.{low & 0xFF}"
        for n, part in zip("ab", (193, 194), strict=True)
    }


class Floor:
    """The exchange and all who are connected; `step` gives each of them a turn."""

    def __init__(self, step_ns: int = MS, **more: Any) -> None:
        self.configuration = checked(tables(**more), "a test")
        self.exchange = Exchange(self.configuration)
        self._be_patient()
        self.now, self.step_ns = int(self.exchange.record["now"][0]), step_ns
        self.others: list[Any] = []

    def _be_patient(self) -> None:
        """A step may have to compile something, and nobody is to be let go for that."""
        for door in (self.exchange.parts.entry, self.exchange.parts.copies):
            if door is not None:
                door._record["silence_ns"] = door._record["login_ns"] = PATIENCE_S * 10**10

    def restart(self) -> None:
        """The exchange ends in mid-session, and another goes on with its journal."""
        self.exchange.stop()
        self.exchange = Exchange(self.configuration)
        self._be_patient()

    def step(self) -> None:
        self.now += self.step_ns
        self.exchange.step(self.now)
        for one in self.others:
            one.turn()

    def until(self, holds: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        end, steps = time.monotonic() + seconds, 0
        while not holds():
            late = time.monotonic() > end and steps > 500  # a step may have compiled something
            assert not late, (self.exchange.counts, self.others)
            self.step()
            steps += 1

    def desk(self, user: str, **settings: Any) -> Desk:
        made = Desk(self, user, **settings)
        self.others.append(made)
        self.until(lambda: made.gateway.state == "OPEN")
        return made

    def plain(self, user: str, where: str = "order_entry", sequence: int = 1) -> Plain:
        made = Plain(self.exchange.places[where], user, sequence)
        self.others.append(made)
        self.until(lambda: made.session)
        return made

    def ears(self, lines: str = "ab") -> Ears:
        made = Ears(self.exchange.places, lines)
        self.others.append(made)
        return made

    def market(self) -> None:
        """A quote on either side of AAA, by the second firm's second account."""
        maker = self.plain("frm2b")
        maker.enter(1, "B", 500, "99.90")
        maker.enter(2, "S", 500, "100.10")
        self.until(lambda: len(maker.letters("A")) == 2)

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_failure: Any) -> None:
        for one in self.others:
            one.close()
        self.exchange.parts.close()


class Desk:
    """Our gateway with execution behind it; `fills` by number of order."""

    def __init__(self, floor: Floor, user: str, **settings: Any) -> None:
        self.floor = floor
        self.room = Room(slots=64, booked=512)
        table = Instruments()
        for symbol in SYMBOLS:
            table.add(symbol, venue="HFTX", price_unit="0.0001", tick=100)
        places = floor.exchange.places
        usual = {"orders_max": 64, "entries_max": 4_096, "backoff_ns_min": MS, "query_ns": 10**10}
        usual |= {"day_start": places["midnight_ns"], "silence_ns": PATIENCE_S * 10**10}
        usual |= {"login_ns": PATIENCE_S * 10**10, "resend_ns": PATIENCE_S * 10**10}
        self.gateway = OuchGateway(
            tuple(places["order_entry"]),
            user,
            "secret",
            table,
            venue="HFTX",
            **(usual | settings),
        )
        self.reports: list[dict[str, int]] = []

    def turn(self) -> None:
        for report in self.gateway.poll():
            row = np.array([report])
            self.reports.append({name: int(report[name]) for name in EVENT.names})
            life.report(self.room.base, row.ctypes.data, 0)
            self.room.take_away()
        self.leave()

    def new(
        self, quantity: int, side: int = BUY, price: int = 100_0000, instrument: int = 0
    ) -> int:
        place = (self.room.base, self.floor.now, instrument, side, orders.LIMIT, orders.DAY, 0)
        number = int(sending.new_order(*place, price, quantity, 0, 0, 0, 0))
        assert number > 0
        self.leave()
        return number

    def cancel(self, number: int) -> None:
        sending.send_cancel(self.room.base, self.floor.now, number)
        self.leave()

    def replace(self, number: int, quantity: int, price: int) -> None:
        sending.send_replace(self.room.base, self.floor.now, number, price, quantity)
        self.leave()

    def leave(self) -> None:
        count = self.room.count("commands")
        if count:
            self.gateway.submit(self.room.arena["commands"][:count].copy())
            self.room.arena["execution"]["commands"] = 0

    def kinds(self, number: int = 0) -> list[str]:
        chosen = [one for one in self.reports if number in (0, one["reference"])]
        return [orders.REPORTS[one["kind"] - orders.ACCEPTED] for one in chosen]

    def fills(self, number: int = 0) -> list[tuple[int, int]]:
        """Price and quantity of each."""
        kind = orders.FILLED
        chosen = [one for one in self.reports if one["kind"] == kind]
        return [
            (one["price"], one["quantity"]) for one in chosen if number in (0, one["reference"])
        ]

    def position(self, instrument: int = 0) -> int:
        return int(self.room.arena["positions"]["quantity"][instrument])

    def close(self) -> None:
        self.gateway.close()


class Plain:
    """A client of SoupBinTCP that keeps what it hears, with the number of each message."""

    def __init__(self, place: list[Any], user: str, sequence: int = 1) -> None:
        self.socket = socket.create_connection(tuple(place))
        self.socket.sendall(frames.login(user, "secret", sequence=sequence))
        self.socket.setblocking(False)
        self.frames = frames.Frames(frames.SERVER)
        self.session, self.next, self.is_over = "", 0, False
        self.messages: dict[int, bytes] = {}
        self.raw: list[bytes] = []

    def turn(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        self.raw.append(data)
        for frame in self.frames.take(data):
            if frame.type == b"A":
                self.session = frame.payload[:10].decode().strip()
                self.next = frames.number_of(frame.payload[10:])
            elif frame.type == b"S":
                assert self.next not in self.messages
                self.messages[self.next] = frame.payload
                self.next += 1
            self.is_over |= frame.type == b"Z"

    def send(self, letter: str, **fields: Any) -> bytes:
        message = bytes(ouch.inbound(letter, **fields))
        self.socket.sendall(frames.encode(b"U", message))
        return message

    def enter(self, urn: int, side: str, quantity: int, price: str, **more: Any) -> bytes:
        usual = {"symbol": "AAA", "tif": "0", "display": "Y", "capacity": "P", "iso": "N"}
        usual |= {"cross": "N", "client_id": f"order {urn}"}
        given = usual | more
        return self.send("O", urn=urn, side=side, quantity=quantity, price=price, **given)

    def heard(self) -> list[Any]:
        """All messages as a person reads them."""
        return [ouch.decode(one, ouch.OUTBOUND) for one in self.messages.values()]

    def letters(self, *wanted: str) -> list[Any]:
        return [one for one in self.heard() if one.type in wanted]

    def close(self) -> None:
        self.socket.close()


class Ears:
    """What anybody can make of the feed: books, and every message as bytes."""

    def __init__(self, places: dict[str, Any], lines: str = "ab") -> None:
        card = places["interface"]
        wanted = [tuple(places[f"line_{n}"]) for n in lines]
        try:
            self.receiver = MoldReceiver(
                wanted, tuple(places["recovery"]), interfaces=[card] * len(lines), first_sequence=1
            )
        except Exception as error:  # no multicast on this loopback
            pytest.skip(f"no multicast here: {error}")
        self.translator = Translator(date=DATE, venue="HFTX")
        table = Instruments()
        for symbol in SYMBOLS:
            table.add(symbol, venue="HFTX", price_unit="0.0001", tick=100)
        self.books = Books(table, capacity=Capacity(instruments=2, orders=1 << 12))
        self.into = np.zeros(1 << 14, EVENT)
        self.messages: list[bytes] = []
        self.next = 1
        self.at_each: Callable[[], None] | None = None
        self.turn()  # what it needs is compiled before anybody waits for an answer

    def turn(self) -> None:
        for given in self.receiver.poll():
            if given["kind"] != mold.OUT_MESSAGES:
                continue
            assert int(given["first"]) == self.next
            address, left = int(given["address"]), int(given["length"])
            while left:  # one message at a time, so that each number has its book
                length = 2 + int.from_bytes(ctypes.string_at(address, 2))
                self.messages.append(ctypes.string_at(address + 2, length - 2))
                taken, made = self.translator.frames(address, length, self.into)
                assert taken == length
                self.books.apply(self.into[:made])
                self.next += 1
                address, left = address + length, left - length
                if self.at_each is not None:
                    self.at_each()

    def close(self) -> None:
        self.receiver.close()


def standing(books: Books, rows: int) -> list[tuple[int, ...]]:
    """What shows, in the order of its queues: row, side, price, quantity, number of each order."""
    found = books.standing()
    names = ("instrument", "side", "price", "quantity", "reference")
    return [
        tuple(int(one[name]) for name in names) for one in found if int(one["instrument"]) < rows
    ]


__all__ = ["BUY", "DATE", "Desk", "Ears", "Floor", "Plain", "r", "standing", "tables"]
