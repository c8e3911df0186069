"""How sessions are laid into memory: one piece each, settings checked, pipes where they belong.

    client_memory(...)     CLIENT │ bytes in │ bytes out
    server_memory(...)     SERVER │ CONNECTIONs │ STREAMs │ bytes of connections │ frames, index

Worst case: a setting out of its range is refused with a sentence before anything is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.records import field_offset, rounded_up
from hftlib.core.soup import memory as m
from hftlib.core.units import is_whole, shown

FRAME_BYTES_MAX = 0xFFFF
PIPE_BYTES_MIN = 1 << 17  # two of the longest frames
_LIMITS = {
    "frame_bytes_max": (47, FRAME_BYTES_MAX),
    "heartbeat_ns": (1, 1 << 60),
    "silence_ns": (1, 1 << 60),
    "login_ns": (1, 1 << 60),
    "stall_ns": (1, 1 << 60),
    "backoff_ns_min": (1, 1 << 60),
    "backoff_ns_max": (1, 1 << 60),
    "connections_max": (1, 1 << 16),
    "messages_max": (1, 1 << 32),
    "stream_bytes_max": (1, 1 << 40),
}
CLIENT_SETTINGS: dict[str, int] = {
    "frame_bytes_max": FRAME_BYTES_MAX,
    "heartbeat_ns": m.HEARTBEAT_NS,
    "silence_ns": m.SILENCE_NS,
    "login_ns": 10 * m.SECOND_NS,
    "backoff_ns_min": m.SECOND_NS // 4,
    "backoff_ns_max": 30 * m.SECOND_NS,
}
SERVER_SETTINGS: dict[str, int] = {
    "frame_bytes_max": 1_024,
    "heartbeat_ns": m.HEARTBEAT_NS,
    "silence_ns": m.SILENCE_NS,
    "login_ns": 5 * m.SECOND_NS,
    "stall_ns": 10 * m.SECOND_NS,
}


def client_memory(next_one: int, session: str, **settings: int) -> np.ndarray[Any, Any]:
    """The memory of a client that wants this session from this message on; its CLIENT is first."""
    given = _settled("SoupClient", CLIENT_SETTINGS, settings)
    size = m.CLIENT.itemsize
    memory = np.zeros((size + 2 * PIPE_BYTES_MIN) // 8, np.int64).view(np.uint8)
    client = memory[:size].view(m.CLIENT)
    for name, value in given.items():
        client[name] = value
    client["next"], client["backoff_ns"] = next_one, given["backoff_ns_min"]
    name_bytes = session.encode("ascii")
    client["session_length"] = len(name_bytes)
    padded = name_bytes.ljust(m.SESSION_BYTES).ljust(16, b"\0")
    client["session"] = np.frombuffer(padded, np.uint8)
    for n, name in enumerate(("incoming", "outgoing")):
        at = size + n * PIPE_BYTES_MIN - field_offset(m.CLIENT, name)
        client[name] = (at, PIPE_BYTES_MIN, 0, 0, 0)
    return memory


def server_memory(
    streams: int, connections_max: int, messages_max: int, stream_bytes_max: int, **settings: int
) -> np.ndarray[Any, Any]:
    """The memory of a server; its SERVER is first."""
    sizes = {"connections_max": connections_max, "messages_max": messages_max}
    sizes["stream_bytes_max"] = stream_bytes_max
    _check("SoupServer", sizes)
    given = _settled("SoupServer", SERVER_SETTINGS, settings)
    incoming = rounded_up(2 * (given["frame_bytes_max"] + 2), 64)
    connections_at = m.SERVER.itemsize
    streams_at = connections_at + connections_max * m.CONNECTION_BYTES
    pipes_at = streams_at + streams * m.STREAM_BYTES
    of_one = incoming + PIPE_BYTES_MIN
    stores_at = pipes_at + connections_max * of_one
    of_store = rounded_up(stream_bytes_max, 8) + 8 * (messages_max + 1)
    # Zeros are not touched until they are written: a large bound costs address space only.
    memory = np.zeros((stores_at + streams * of_store) // 8, np.int64).view(np.uint8)
    server = memory[:connections_at].view(m.SERVER)
    for name, value in given.items():
        server[name] = value
    server["connections"], server["streams"] = connections_max, streams
    server["connections_at"], server["streams_at"] = connections_at, streams_at
    rows = memory[connections_at:streams_at].view(m.CONNECTION)
    begins = np.arange(connections_max, dtype=np.int64)
    for name, room, before in (("incoming", incoming, 0), ("outgoing", PIPE_BYTES_MIN, incoming)):
        own = connections_at + begins * m.CONNECTION_BYTES + field_offset(m.CONNECTION, name)
        rows[name]["at"] = pipes_at + begins * of_one + before - own
        rows[name]["room"] = room
    stores = memory[streams_at:pipes_at].view(m.STREAM)
    begins = np.arange(streams, dtype=np.int64)
    stores["blocks_at"] = stores_at + begins * of_store
    stores["bytes_max"] = stream_bytes_max
    stores["index_at"] = stores["blocks_at"] + rounded_up(stream_bytes_max, 8)
    stores["messages_max"] = messages_max
    return memory


def _settled(where: str, usual: dict[str, int], given: dict[str, int]) -> dict[str, int]:
    unknown = given.keys() - usual.keys()
    if unknown:
        raise InputError(
            f"There is no setting {shown(min(unknown))}",
            where=f"{where}(...)",
            do=f"The settings are {', '.join(usual)}.",
        )
    _check(where, given)
    return {**usual, **given}


def _check(where: str, given: dict[str, int]) -> None:
    for name, value in given.items():
        low, high = _LIMITS[name]
        if not is_whole(value) or not low <= value <= high:
            raise InputError(
                f"{shown(value)} is no {name}",
                where=f"{where}({name}=...)",
                do=f"Give a whole number from {low:,} to {high:,}.",
            )
