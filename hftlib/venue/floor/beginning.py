"""How an exchange begins: a day from its directory of symbols on, or where its journal ends.

    begin(exchange)     the day, the directory, states and bands, into streams and store
    go_on(exchange)     then whatever the journal has, if there is one; only now is anything sent
    places(exchange)    where it listens

What comes first follows from the configuration, so a journal need not have it. After a restart
nobody is connected: whoever asked to be cancelled when that happens is, before anything else.

Worst case: three messages a symbol, and then a replay of all that was heard.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import ouch
from hftlib.core.errors import StateError
from hftlib.core.soup import server as sessions
from hftlib.feed.itch import messages as itch
from hftlib.venue.floor import public, replaying, sending
from hftlib.venue.matching import records as r

_STATES = {"closed": r.CLOSED, "auction": r.AUCTION, "trading": r.TRADING}


def begin(exchange: Any) -> None:
    given = exchange.configuration
    exchange.command(r.SYSTEM, letter=ord("O"))
    for row, symbol in enumerate(given.symbols):
        _publish(
            exchange.floor,
            itch.build(
                "R",
                locate=row + 1,
                timestamp=exchange.clock.first - exchange.midnight,
                stock=symbol.name,
                market_category="Q",
                financial_status="N",
                round_lot=symbol.round_lot_shares,
                round_lots_only="N",
                classification="C",
                subtype="Z",
                authenticity="T",  # a test symbol's letter: this market is none of the real
            ),
        )
    exchange.command(r.SYSTEM, letter=ord("S"))
    tell_sessions(exchange, "S")
    if given.exchange.state == "trading":
        exchange.opens()
    exchange.command(r.SET_STATE, state=_STATES[given.exchange.state])
    for symbol, price in zip(given.symbols, exchange.parts.prices, strict=True):
        exchange.command(r.SET_BANDS, symbol=symbol.name, price=price, bps=symbol.bands_bps)


def _publish(floor: int, message: Any) -> None:
    data = np.frombuffer(bytes(message), np.uint8)
    public.append(floor, data.ctypes.data, len(data))


def go_on(exchange: Any) -> None:
    """Begin the day, or go on where the journal ends."""
    keeping, was = exchange.keeping, exchange.keeping.is_going_on
    try:
        if was:
            exchange.replayed = replaying.replay(exchange, keeping.folder)
        if exchange.is_over:
            raise StateError(
                "The day in this journal is over",
                where=str(keeping.folder),
                do="Name another folder; `hft exchange replay` looks at this one.",
            )
        keeping.begin(exchange)
        exchange.is_silent = False
        if was:
            _come_back(exchange)
        exchange.send()
    except BaseException:
        exchange.parts.close()
        keeping.close()
        raise


def tell_sessions(exchange: Any, event: str) -> None:
    """The start or the end of the day, to every session."""
    since = int(exchange.record["now"][0]) - exchange.midnight
    data = np.frombuffer(bytes(ouch.outbound("S", timestamp=since, event=event)), np.uint8)
    entry = exchange.parts.entry
    for place in entry.streams.values():
        sessions.publish(entry.base, place, data.ctypes.data, len(data))


def places(exchange: Any) -> dict[str, Any]:
    """Hosts and ports as they were given or found."""
    parts = exchange.parts
    found: dict[str, Any] = {"simulator": True, "session": parts.feed.session.decode().strip()}
    found["order_entry"] = list(parts.entry.address)
    if parts.copies is not None:
        found["drop_copy"] = list(parts.copies.address)
    for name, line in zip("ab", parts.places, strict=True):
        found[f"line_{name}"] = list(line)
    assert parts.feed.recovery_address is not None
    found["recovery"] = list(parts.feed.recovery_address)
    found["interface"] = exchange.configuration.exchange.interface
    found["midnight_ns"] = exchange.midnight
    listed = exchange.engine.arena["symbols"]["tick"].tolist()
    found["ticks"] = dict(zip(parts.symbols, listed, strict=False))  # in 0.0001
    return found


def _come_back(exchange: Any) -> None:
    """What was sent stays sent, and the feed says how far it is."""
    messages = int(exchange.record["messages"][0])
    exchange.parts.lines[: sending.LINES.itemsize].view(sending.LINES)["sent"] = messages
    exchange.parts.feed.resume(messages)
    for login in exchange.parts.entry.logins:
        if login.cancel_on_disconnect:
            exchange.set_time()
            exchange.command(r.DISCONNECT, session=exchange.session_of(login.user))
