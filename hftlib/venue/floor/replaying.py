"""From a journal back to the exchange that wrote it: the same inputs at the same times.

    replay(exchange, folder)      obey everything again; nothing is sent
    replayed(folder)              an exchange as it was at the end of a journal, for looking at
    digest(exchange)              SHA-256 of everything that it has said: streams, copies, feed

What an exchange says is all bytes, and a replay says the same bytes: so streams have their numbers,
the feed has its own, and whoever comes back is told what it missed. A journal that was closed has
the digest of its time, and a replay that comes to another is refused.

Worst case: some 20 µs a message, so an exchange that heard ten million is back after minutes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import StateError
from hftlib.core.journal import Frame, frames, kinds
from hftlib.venue.floor import obeying, telling
from hftlib.venue.floor.configuration import checked
from hftlib.venue.floor.keeping import PASSED, PORTS, Keeping, begun

OWN = (kinds.OPENED, kinds.CARRIED_ON, kinds.REPAIRED, kinds.NOTE, kinds.DIGEST)
BYTES_MAX = 1 << 16


def replay(exchange: Any, folder: Path) -> int:
    """Obey all that the journal has: how many inputs."""
    room = np.zeros(BYTES_MAX, np.uint8)
    count, last = 0, exchange.clock.first
    for frame in frames(folder):
        if frame.kind == kinds.CLOSED:
            _compare(exchange, json.loads(frame.payload), folder)
        elif frame.kind not in OWN:
            _again(exchange, frame, room, folder)
            count, last = count + 1, frame.time
    exchange.is_restarting = False
    exchange.clock.go_on(last)
    return count


def replayed(folder: Path | str) -> Any:
    """Close its `parts` when you have seen enough."""
    from hftlib.venue.floor.exchange import Exchange

    about = begun(Path(folder))
    tables = about["configuration"]
    tables["exchange"] |= dict.fromkeys(PORTS.values(), 0)
    configuration = checked(tables, str(folder))
    kept = Keeping(configuration)
    kept.about = about | {"places": {}}
    exchange = Exchange(configuration, kept=kept)
    try:
        exchange.replayed = replay(exchange, Path(folder))
    except BaseException:
        exchange.parts.close()
        raise
    return exchange


def digest(exchange: Any) -> str:
    """Equal digests mean equal bytes to everybody."""
    found = hashlib.sha256()
    for door in (exchange.parts.entry, exchange.parts.copies):
        for stream in door.streams if door is not None else ():
            found.update(f"{stream} {door.count(stream)}\n".encode())
            found.update(door.stored(stream))
    blocks, offsets = exchange.parts.feed.store
    messages = int(exchange.record["messages"][0])
    found.update(f"feed {messages}\n".encode())
    found.update(blocks[: int(offsets[messages])].data)
    return found.hexdigest()


def _again(exchange: Any, frame: Frame, room: np.ndarray[Any, Any], folder: Path) -> None:
    """One input, at its time."""
    if frame.kind == kinds.SESSION_IN:
        exchange.be(frame.time)
        room[: len(frame.payload)] = np.frombuffer(frame.payload, np.uint8)
        obeying.hear(exchange.floor, frame.source, room.ctypes.data, len(frame.payload))
    elif frame.kind == kinds.TIMER and frame.source == PASSED:
        exchange.be(frame.time)
    elif frame.kind == kinds.TIMER:
        exchange.record["now"] = int.from_bytes(frame.payload, "little", signed=True)
        exchange.passes(frame.time)
    elif frame.kind == kinds.ORDER:
        exchange.be(frame.time)
        exchange.record["command"][0] = np.frombuffer(
            frame.payload, exchange.record["command"].dtype
        )[0]
        obeying.obey(exchange.floor)
    elif frame.kind == kinds.CONTROL:
        exchange.be(frame.time)
        telling.hear(exchange, json.loads(frame.payload))
    else:
        raise StateError(
            f"Frame {frame.sequence:,} is a {frame.name}, which no exchange keeps",
            where=str(folder),
            do="Name the journal of an exchange, of this version of hftlib.",
        )


def _compare(exchange: Any, closed: dict[str, Any], folder: Path) -> None:
    """What was said until the journal was closed is what is said again, to the byte."""
    if "digest" in closed and closed["digest"] != digest(exchange):
        raise StateError(
            "What the journal leads to is not what was said: the digests differ",
            where=str(folder),
            do="Replay it with the version of hftlib that wrote it.",
        )
