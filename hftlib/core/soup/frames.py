"""SoupBinTCP 3.00: the frames in which numbered messages travel over TCP.

    0        2      3
    ┌────────┬──────┬─────────┬────────┬──────┬───
    │ length │ type │ payload │ length │ type │ ...      length u16, big-endian: type and payload
    └────────┴──────┴─────────┴────────┴──────┴───

    from the client   L login 46    U unsequenced any   R heartbeat 0   O logout 0   + debug any
    from the server   A accepted 30   J rejected 1   S sequenced any   H heartbeat 0
                      Z end of session 0   + debug any

A frame with something wrong inside it, a type that is none or a payload of another length, is left
out and counted, and the next one begins where its length says: TCP loses nothing, so the length is
as good as the rest. TCP cuts anywhere; `Frames` waits for what is missing.

Worst case: `Frames` keeps at most one incomplete frame, 65,537 bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.soup.memory import SEQUENCE_BYTES
from hftlib.core.soup.pipes import NUMBER_MAX
from hftlib.core.units import is_whole, shown

LENGTH_BYTES = 2
FRAME_BYTES_MAX = LENGTH_BYTES + 0xFFFF
CLIENT, SERVER, EITHER = 1, 2, 3
_ANY = -1

# type: who sends it, bytes of its payload
TYPES = {
    b"L": (CLIENT, 46),
    b"U": (CLIENT, _ANY),
    b"R": (CLIENT, 0),
    b"O": (CLIENT, 0),
    b"A": (SERVER, 30),
    b"J": (SERVER, 1),
    b"S": (SERVER, _ANY),
    b"H": (SERVER, 0),
    b"Z": (SERVER, 0),
    b"+": (EITHER, _ANY),
}

# What `examine` answers besides the length of a good frame.
INCOMPLETE = 0
NO_TYPE, UNKNOWN_TYPE, WRONG_SENDER, WRONG_LENGTH = range(-1, -5, -1)
REASONS = {
    NO_TYPE: "no type",
    UNKNOWN_TYPE: "an unknown type",
    WRONG_SENDER: "a type that the other side sends",
    WRONG_LENGTH: "a payload of another length than its type has",
}

_senders = np.zeros(256, np.int64)
_payloads = np.zeros(256, np.int64)
for _letter, (_sender, _payload) in TYPES.items():
    _senders[_letter[0]], _payloads[_letter[0]] = _sender, _payload


@jit.compiled("int64(int64, int64, int64)")
def examine(address: int, available: int, sender: int) -> int:
    """The bytes of the whole, good frame here; INCOMPLETE; or what is wrong with it, negative.

    `sender` is who sent it: CLIENT, SERVER, or EITHER if that is not known.
    """
    if available < LENGTH_BYTES:
        return INCOMPLETE
    length = jit.load_be_u16(address)
    if length == 0:
        return NO_TYPE
    if available < LENGTH_BYTES + length:
        return INCOMPLETE
    letter = jit.load_u8(address + LENGTH_BYTES)
    if _senders[letter] == 0:
        return UNKNOWN_TYPE
    if _senders[letter] & sender == 0:
        return WRONG_SENDER
    if _payloads[letter] != _ANY and _payloads[letter] != length - 1:
        return WRONG_LENGTH
    return LENGTH_BYTES + length


@dataclass(frozen=True, slots=True)
class Frame:
    """One good frame."""

    type: bytes
    payload: bytes


class Frames:
    """The frames of one direction of a connection, however TCP cuts them.

    `counts` says how many of each type there were, and how many were refused why.
    """

    def __init__(self, sender: int = EITHER) -> None:
        if sender not in (CLIENT, SERVER, EITHER):
            raise InputError(
                f"{shown(sender)} is no side of a connection",
                where="Frames(sender)",
                do="Use CLIENT, SERVER or EITHER.",
            )
        self._sender = sender
        self._rest = b""
        self.counts: Counter[str] = Counter()

    def take(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Take all of them before the next data."""
        stream = self._rest + bytes(data)
        memory = np.frombuffer(stream + b"\0", np.uint8)  # an empty array has no address
        begin, self._rest = 0, stream
        while True:
            address = memory.ctypes.data + begin
            found = int(examine(address, len(stream) - begin, self._sender))
            if found == INCOMPLETE:
                return
            end = begin + LENGTH_BYTES + int.from_bytes(stream[begin : begin + 2], "big")
            self._rest = stream[end:]
            if found > 0:
                frame = Frame(stream[begin + 2 : begin + 3], stream[begin + 3 : end])
                self.counts[frame.type.decode()] += 1
                yield frame
            else:
                self.counts[f"refused: {REASONS[found]}"] += 1
            begin = end

    @property
    def incomplete_bytes(self) -> int:
        """How much of a frame has come that is not whole yet; at the end, that it was cut off."""
        return len(self._rest)


def encode(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    if kind not in TYPES:
        raise InputError(
            f"{shown(kind)} is no type of SoupBinTCP",
            where="encode(kind, payload)",
            do=f"Use one of {b' '.join(TYPES).decode()}, as bytes.",
        )
    wanted = TYPES[kind][1]
    if len(payload) > 0xFFFE or wanted not in (_ANY, len(payload)):
        raise InputError(
            f"{len(payload):,} bytes are no payload of a frame of type {kind.decode()}",
            where="encode(kind, payload)",
            do=f"Give {'at most 65,534' if wanted == _ANY else wanted} bytes.",
        )
    return (1 + len(payload)).to_bytes(LENGTH_BYTES, "big") + kind + bytes(payload)


def login(user: str, password: str, session: str = "", sequence: int = 1) -> bytes:
    """The frame that logs in: an empty session is the current one, sequence 0 its newest."""
    fields = (("user", user, 6), ("password", password, 10), ("session", session, 10))
    texts = [_text(*field) for field in fields]
    texts[2] = session.encode("ascii").rjust(10)
    return encode(b"L", b"".join(texts) + _digits(sequence))


def accepted(session: str, sequence: int) -> bytes:
    """The frame that says yes to a login, and which message comes next."""
    _text("session", session, 10)
    return encode(b"A", session.encode("ascii").rjust(10) + _digits(sequence))


def number_of(field: bytes) -> int:
    """The number in a sequence field: padded on the left, as specified, or on the right, as done.

    -1 for anything else, and for one beyond NUMBER_MAX.
    """
    text = field.strip(b" ")
    number = int(text) if text.isdigit() and len(text) <= SEQUENCE_BYTES else -1
    return number if number <= NUMBER_MAX else -1


def _digits(sequence: int) -> bytes:
    if not is_whole(sequence) or not 0 <= sequence <= NUMBER_MAX:
        raise InputError(
            f"{shown(sequence)} is no sequence number",
            where="a login or its answer",
            do=f"Give a whole number from 0 to {NUMBER_MAX:,}.",
        )
    return str(int(sequence)).encode().rjust(20)


def _text(name: str, text: str, room: int) -> bytes:
    if not isinstance(text, str) or not text.isascii() or len(text) > room:
        raise InputError(
            f"{shown(text) if name != 'password' else 'That'} is no {name} of SoupBinTCP",
            where=f"login({name}=...)",
            do=f"Give at most {room} ASCII characters.",
        )
    return text.encode("ascii").ljust(room)
