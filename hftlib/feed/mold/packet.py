"""One MoldUDP64 datagram: what it says, what is wrong with it, and how one is made.

    0            10          18      20
    ┌────────────┬───────────┬───────┬────────┬──────────┬────────┬──────────┬───
    │ session    │ sequence  │ count │ length │ message  │ length │ message  │ ...
    │ 10 letters │ u64       │ u16   │ u16    │          │ u16    │          │
    └────────────┴───────────┴───────┴────────┴──────────┴────────┴──────────┴───
      all numbers big-endian           `count` blocks, the first one has number `sequence`

A count of 0 is a heartbeat, of 0xFFFF the end of the session; both tell the next number in
`sequence` and carry no block. A request for lost messages is such a header alone: the first number
wanted and how many.

`examine` walks every block before a byte of it is used. A datagram with anything wrong counts as
lost as a whole, under its reason: then its messages come from the other line or from recovery,
and nobody has to guess which half of it was right. Worst case: some 1,400 bytes hold 700 empty
messages, a few microseconds; 65,535 bytes hold 32,757.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.records import field_offset, record
from hftlib.core.units import is_whole, shown

HEADER = record(
    "mold header",
    20,
    """
    0   session   uint8[10]  letters, padded with blanks on the right
    10  sequence  uint8[8]   of the first message here; the next one in a heartbeat and at the end
    18  count     uint8[2]   messages here; 0 heartbeat, 0xFFFF end of session
    """,
)
HEADER_BYTES = HEADER.itemsize
SESSION_BYTES = 10
SEQUENCE_OFFSET = field_offset(HEADER, "sequence")
COUNT_OFFSET = field_offset(HEADER, "count")
BLOCK_BYTES = 2  # the length in front of each message
END_COUNT = 0xFFFF
MESSAGES_MAX = 0xFFFE  # in a packet and in a request
MESSAGE_BYTES_MAX = 0xFFFF
PAYLOAD_BYTES_MAX = 1400
DATAGRAM_BYTES_MAX = 65_507  # what UDP over IPv4 carries
SEQUENCE_MAX = 1 << 62  # so that no sum of two numbers wraps

# What a datagram is, or why it is refused; the later ones are for the sequencer to find.
VERDICTS = (
    "offer it again",
    "messages",
    "heartbeat",
    "end of session",
    "shorter than a header",
    "a message reaches beyond its end",
    "fewer messages than its count",
    "bytes after its last message",
    "a sequence number beyond 2**62",
    "cut off by the receive buffer",
    "a sequence number of zero",
    "another session",
    "far ahead of all others",
    "an end before messages already seen",
    "from a line that there is not",
)
AGAIN, MESSAGES, HEARTBEAT, END = range(4)
SHORT, CUT_OFF, TOO_FEW, TRAILING, BEYOND, TRUNCATED = range(4, 10)
UNNUMBERED, OTHER_SESSION, FAR_AHEAD, END_TOO_EARLY, NO_SUCH_LINE = range(10, 15)


@jit.compiled("int64(int64, int64)")
def examine(datagram: int, length: int) -> int:
    """The verdict on a datagram: MESSAGES, HEARTBEAT or END, or what is wrong with it."""
    if length < HEADER_BYTES:
        return SHORT
    if not 0 <= jit.load_be_i64(datagram + SEQUENCE_OFFSET) <= SEQUENCE_MAX:
        return BEYOND
    count = jit.load_be_u16(datagram + COUNT_OFFSET)
    if count == 0 or count == END_COUNT:
        if length > HEADER_BYTES:
            return TRAILING
        return END if count else HEARTBEAT
    place = HEADER_BYTES
    for _ in range(count):
        if place == length:
            return TOO_FEW
        if place + BLOCK_BYTES > length:
            return CUT_OFF
        place += BLOCK_BYTES + jit.load_be_u16(datagram + place)
        if place > length:
            return CUT_OFF
    return MESSAGES if place == length else TRAILING


@jit.compiled("int64(int64, int64)")
def skip(block: int, count: int) -> int:
    """The address behind `count` blocks that `examine` has seen."""
    for _ in range(count):
        block += BLOCK_BYTES + jit.load_be_u16(block)
    return block


@jit.compiled("void(int64, int64, int64, int64)")
def write_header(target: int, session: int, sequence: int, count: int) -> None:
    """Write the 20 bytes at `target`; `session` is the address of its ten letters."""
    for place in range(SESSION_BYTES):
        jit.store_u8(target + place, jit.load_u8(session + place))
    jit.store_be_i64(target + SEQUENCE_OFFSET, sequence)
    jit.store_be_u16(target + COUNT_OFFSET, count)


def verdict(datagram: bytes) -> int:
    """`examine`, for bytes."""
    memory = np.frombuffer(datagram + b"\0", np.uint8)  # an empty array has no address
    return int(examine(memory.ctypes.data, len(datagram)))


def header_of(datagram: bytes) -> tuple[bytes, int, int]:
    """Session, sequence and count of a datagram that is long enough."""
    sequence = int.from_bytes(datagram[SEQUENCE_OFFSET:COUNT_OFFSET], "big")
    return datagram[:SESSION_BYTES], sequence, int.from_bytes(datagram[COUNT_OFFSET:20], "big")


def messages_of(datagram: bytes) -> list[bytes]:
    """The messages of a datagram in which nothing is wrong; none in any other."""
    if verdict(datagram) != MESSAGES:
        return []
    return list(blocks_of(datagram[HEADER_BYTES:]))


def blocks_of(blocks: bytes) -> Iterator[bytes]:
    """The messages of a run of {length, message} blocks, up to the first that is cut off."""
    place = 0
    while place + BLOCK_BYTES <= len(blocks):
        begin = place + BLOCK_BYTES
        place = begin + int.from_bytes(blocks[place:begin], "big")
        if place <= len(blocks):
            yield blocks[begin:place]


def session_bytes(session: str | bytes) -> bytes:
    """The ten bytes of a session's name: up to ten ASCII characters, padded on the right."""
    try:
        name = session.encode("ascii") if isinstance(session, str) else session
    except UnicodeEncodeError:
        name = b""
    if not isinstance(name, bytes) or not 1 <= len(name) <= SESSION_BYTES:
        raise InputError(
            f"{shown(session)} is no session of MoldUDP64",
            where="session",
            do="Give one to ten ASCII characters, or ten bytes.",
        )
    return name.ljust(SESSION_BYTES)


def encode(session: str | bytes, sequence: int, messages: Iterable[bytes]) -> bytes:
    """One datagram of these messages, numbered from `sequence`; none of them is a heartbeat."""
    blocks = [block(message) for message in messages]
    if len(blocks) > MESSAGES_MAX:
        raise InputError(
            f"{len(blocks):,} messages do not fit one packet, whose count ends at {MESSAGES_MAX:,}",
            where="encode(session, sequence, messages)",
            do="Make several packets: packets(...) does.",
        )
    datagram = header(session, sequence, len(blocks)) + b"".join(blocks)
    if len(datagram) > DATAGRAM_BYTES_MAX:
        raise InputError(
            f"A packet of {len(datagram):,} bytes is more than UDP carries",
            where="encode(session, sequence, messages)",
            do="Make several packets: packets(...) does.",
        )
    return datagram


def header(session: str | bytes, sequence: int, count: int) -> bytes:
    """A header alone: a heartbeat (0), an end of session (END_COUNT), or a request for `count`."""
    for number, most, name in ((sequence, SEQUENCE_MAX, "sequence"), (count, END_COUNT, "count")):
        if not is_whole(number) or not 0 <= number <= most:
            raise InputError(
                f"{shown(number)} is no {name} of MoldUDP64",
                where=f"the header's {name}",
                do=f"Give a whole number from 0 to {most:,}.",
            )
    return session_bytes(session) + int(sequence).to_bytes(8, "big") + int(count).to_bytes(2, "big")


def packets(
    session: str | bytes,
    sequence: int,
    messages: Iterable[bytes],
    payload_bytes_max: int = PAYLOAD_BYTES_MAX,
) -> Iterator[bytes]:
    """The datagrams that carry these messages, each as full as `payload_bytes_max` allows.

    A message that is larger on its own goes alone in a larger datagram.
    """
    waiting: list[bytes] = []
    size = HEADER_BYTES
    for message in messages:
        more = BLOCK_BYTES + len(message)
        if waiting and (size + more > payload_bytes_max or len(waiting) == MESSAGES_MAX):
            yield encode(session, sequence, waiting)
            sequence += len(waiting)
            waiting, size = [], HEADER_BYTES
        waiting.append(message)
        size += more
    if waiting:
        yield encode(session, sequence, waiting)


def block(message: Any) -> bytes:
    """The message as it travels, behind its length."""
    if not isinstance(message, bytes | bytearray | memoryview) or len(message) > MESSAGE_BYTES_MAX:
        raise InputError(
            f"{shown(message)} is no message of at most {MESSAGE_BYTES_MAX:,} bytes",
            where="a message of a packet",
            do="Give bytes, and split what is longer.",
        )
    return len(message).to_bytes(BLOCK_BYTES, "big") + bytes(message)
