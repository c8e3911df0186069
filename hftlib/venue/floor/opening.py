"""What an exchange is made of, from its configuration: engine, doors, feed, and the floor between.

    accounts of one kind ─▶ logins of a door, in the order of the file; login n is session n + 1
    firms                ─▶ numbers from 1; the last one is the exchange's own, for its agents
    ports of 0           ─▶ any that is free

Worst case: whatever was opened before something failed is closed again.
"""

from __future__ import annotations

import contextlib
import math
import socket
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.soup.logins import Login
from hftlib.feed.mold import MoldServer
from hftlib.feed.mold import packet as p
from hftlib.feed.mold import sockets as udp
from hftlib.venue.floor import memory as m
from hftlib.venue.floor.configuration import AccountTable, Configuration, price_units
from hftlib.venue.floor.doors import FRAME_BYTES_MAX, CopyDoor, Door
from hftlib.venue.floor.sending import lines_memory
from hftlib.venue.matching.engine import MatchingEngine, Size
from hftlib.venue.matching.records import PREVENTIONS

HOUSE = "HFTX"
PAGES_A_SYMBOL = 64


@dataclass(slots=True)
class Parts:
    """All that runs, and what must be closed."""

    symbols: list[str]
    prices: list[int]
    ticks: list[int]
    engine: MatchingEngine
    memory: np.ndarray[Any, Any]
    entry: Door
    copies: CopyDoor | None
    feed: MoldServer
    wires: list[socket.socket]
    places: list[Any]  # where the lines go, whether they are silent or not
    lines: np.ndarray[Any, Any]
    house: int  # the session of the exchange's own agents
    house_firm: int

    def close(self) -> None:
        self.entry.close()
        if self.copies is not None:
            self.copies.close()
        self.feed.close()
        for wire in self.wires:
            wire.close()


def opened(given: Configuration) -> Parts:
    """Everything, listening."""
    with contextlib.ExitStack() as undo:
        made = _made(given, undo)
        undo.pop_all()
        return made


def _made(given: Configuration, undo: contextlib.ExitStack) -> Parts:
    settings = given.exchange
    traders = [one for one in given.accounts if one.hears == "orders"]
    hearers = [one for one in given.accounts if one.hears != "orders"]
    symbols = [one.name for one in given.symbols]
    ticks = [price_units(one.tick_money) for one in given.symbols]
    firms = [*(one.name for one in given.firms), HOUSE]
    engine = _engine(given, symbols, ticks, len(traders) + 1, len(firms))
    memory = m.laid_out(symbols, firms, len(traders) + 1)
    prices = [price_units(one.reference_price_money) for one in given.symbols]
    m.part(memory, "symbols", m.LISTED, len(symbols))["reference"] = prices
    room = {
        "connections_max": settings.connections_max,
        "messages_max": settings.session_messages_max,
        "stream_bytes_max": settings.session_store_bytes_max,
    }
    where = (settings.host, settings.order_entry_port)
    entry = Door(where, _logins(traders), frame_bytes_max=FRAME_BYTES_MAX, **room)
    undo.callback(entry.close)
    copies = None
    if hearers:
        where = (settings.host, settings.drop_copy_port)
        copies = CopyDoor(where, [_login(one, one.firm) for one in hearers], **room)
        undo.callback(copies.close)
    feed, wires = _feed(settings, undo)
    _members(given, traders, firms, memory, entry, copies)
    floor = memory[: m.FLOOR.itemsize].view(m.FLOOR)
    blocks, offsets = feed.store
    floor["engine"], floor["entry"] = engine.address, entry.base
    floor["copies"] = copies.base if copies is not None else 0
    floor["blocks"], floor["offsets"] = blocks.ctypes.data, offsets.ctypes.data
    floor["blocks_max"], floor["messages_max"] = len(blocks), len(offsets) - 1
    entry.floor = memory.ctypes.data
    lines = lines_memory(memory.ctypes.data, feed.session, p.PAYLOAD_BYTES_MAX, wires)
    places = list(feed.destinations)
    made = (symbols, prices, ticks, engine, memory, entry, copies, feed, wires, places, lines)
    return Parts(*made, house=len(traders) + 1, house_firm=len(firms))


def _engine(
    given: Configuration, symbols: list[str], ticks: list[int], sessions: int, firms: int
) -> MatchingEngine:
    """The matching engine; its ladders are made for the finest tick that divides all others."""
    orders = given.exchange.orders_max
    size = Size(
        orders=orders,
        levels=max(orders, 1 << 12),
        pages=max(1 << 12, PAGES_A_SYMBOL * len(symbols)),
        sessions=sessions,
        firms=firms,
    )
    engine = MatchingEngine(symbols, size=size, tick=math.gcd(*ticks))
    engine.arena["symbols"]["tick"] = ticks
    return engine


def _logins(accounts: list[AccountTable]) -> list[Login]:
    return [_login(one, one.user) for one in accounts]


def _login(account: AccountTable, stream: str) -> Login:
    return Login(
        account.user,
        account.password,
        stream=stream,
        cancel_on_disconnect=account.cancel_on_disconnect,
    )


def _members(
    given: Configuration,
    traders: list[AccountTable],
    firms: list[str],
    memory: np.ndarray[Any, Any],
    entry: Door,
    copies: CopyDoor | None,
) -> None:
    """A row for each session: the traders' in their order, then the exchange's own."""
    rows = m.part(memory, "members", m.MEMBER, len(traders) + 2)
    ways = {one.name: PREVENTIONS.index(one.self_match) for one in given.firms}
    marks: dict[str, int] = {}
    for n, account in enumerate(traders, 1):
        row = rows[n : n + 1]
        row["stream"] = entry.streams[account.user]
        if copies is not None and account.firm in copies.streams:
            row["copy"] = copies.streams[account.firm]
        row["firm"] = firms.index(account.firm) + 1
        row["group"], row["prevention"] = account.group, ways[account.firm]
        row["purges"] = account.purges
        if not account.purges:
            row["mark"] = marks[account.firm] = marks.get(account.firm, 0) + 1
    rows["firm"][len(traders) + 1] = len(firms)


def _feed(settings: Any, undo: contextlib.ExitStack) -> tuple[MoldServer, list[socket.socket]]:
    """The server of the feed, and a connected socket for each of its lines."""
    lines = [
        (settings.line_a_group, settings.line_a_port or _free_port()),
        (settings.line_b_group, settings.line_b_port or _free_port()),
    ]
    feed = MoldServer(
        settings.session,
        lines,
        (settings.host, settings.recovery_port),
        messages_max=settings.feed_messages_max,
        store_bytes_max=settings.feed_store_bytes_max,
        interface=settings.interface,
    )
    undo.callback(feed.close)
    wires = []
    for line in lines:
        wires.append(udp.sending(settings.interface))
        undo.callback(wires[-1].close)
        wires[-1].connect(line)
    return feed, wires


def _free_port() -> int:
    """A UDP port that nobody has at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("", 0))
        port: int = own.getsockname()[1]
        return port
