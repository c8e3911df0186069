"""A soaked day afterwards, from the runner's journal: what came, how fast, and what was held.

    day = looked_over(folder, since)
    day.missing                 messages of the feed, from the first on, that no datagram brought
    day.most_held, day.most_messages        by symbol; of orders that left in any second
    day.most_within             messages of the feed in the busiest 1 ms, 10 ms, 100 ms, 1 s

Compiled code walks over all frames and marks each message that came; the few that are a session's
are read in Python, as a person would: an execution moves what is held by what the order's own side
says. So neither risk nor the books of the runner are asked whether a limit held.

Worst case: a byte of memory for each message of the feed, some 20 µs for each message of an order.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import jit, ouch
from hftlib.core.journal.kinds import CONNECTED, DATAGRAM, DATAGRAM_OUT, SESSION_IN, SESSION_OUT
from hftlib.core.journal.layout import FRAME_BYTES, FRAME_HEAD
from hftlib.core.journal.reading import Frame, frame_at, pieces, sealed_in
from hftlib.core.journal.walking import STEP_FRAMES
from hftlib.core.records import field_offset, record
from hftlib.core.soup import frames as soup
from hftlib.engine.live.memory import LINES_EACH
from hftlib.feed.mold import packet
from hftlib.terminal import Advance

BIN_NS, SECOND_NS = 1_000_000, 1_000_000_000
SPANS_MS = (1, 10, 100, 1_000)
SIDES = {"B": 1, "S": -1, "T": -1, "E": -1}

SEEN = record(
    "soak seen",
    128,
    """
    0   since     int64     messages before it are not counted into bins
    8   begin     int64     time of the first frame; 0: none came yet
    16  highest   int64     number of a message
    24  fresh     int64     messages that came for the first time
    32  bytes     int64     of them, with their lengths
    40  beyond    int64     messages whose number has no place
    48  asked     int64     requests for what was lost, and
    56  late      int64     of them since `since`
    64  last      int64     time of the last frame
    72  lines     int64[4]  datagrams of each line
    """,
)
_TIME, _ABOUT = field_offset(FRAME_HEAD, "time"), field_offset(FRAME_HEAD, "length")
_LINES_AT = field_offset(SEEN, "lines")
_seen_at = jit.record_at(SEEN)


@jit.compiled("int64(int64, int64, int64, int64, int64, int64, int64, int64, int64)")
def look(
    seen: int, segment: int, places: int, count: int, marks: int, room: int, bins: int,
    bins_max: int, kept: int,
) -> int:  # fmt: skip
    """So many frames: places of those that are a session's are kept; how many."""
    s = _seen_at(seen)
    found = 0
    for n in range(count):
        position = jit.load_i64(jit.nth(places, n, count, 8))
        told = jit.load_i64(segment + position + _ABOUT)
        kind, length, source = (told >> 32) & 0xFFFF, told & 0xFFFF_FFFF, (told >> 48) & 0xFFFF
        time = jit.load_i64(segment + position + _TIME)
        s.last = time
        if s.begin == 0:
            s.begin = time
        if kind == DATAGRAM:
            line = seen + _LINES_AT + 8 * (source % LINES_EACH)
            jit.store_i64(line, jit.load_i64(line) + 1)
            fresh = _mark(seen, segment + position + FRAME_BYTES, length, marks, room)
            place = (time - s.since) // BIN_NS
            if fresh != 0 and 0 <= place < bins_max:
                jit.store_i64(bins + 8 * place, jit.load_i64(bins + 8 * place) + fresh)
        elif kind == DATAGRAM_OUT:
            s.asked += 1
            if time >= s.since:
                s.late += 1
        elif kind in (SESSION_IN, SESSION_OUT, CONNECTED):
            jit.store_i64(jit.nth(kept, found, count, 8), position)
            found += 1
    return found


@jit.compiled()
def _mark(seen: int, datagram: int, length: int, marks: int, room: int) -> int:
    """The messages of a datagram: how many of them are new."""
    s = _seen_at(seen)
    if packet.examine(datagram, length) != packet.MESSAGES:
        return 0
    first = jit.load_be_i64(datagram + packet.SEQUENCE_OFFSET)
    count = jit.load_be_u16(datagram + packet.COUNT_OFFSET)
    block, fresh = datagram + packet.HEADER_BYTES, 0
    for number in range(first, first + count):
        size = packet.BLOCK_BYTES + jit.load_be_u16(block)
        block += size
        if number >= room:
            s.beyond += 1
        elif jit.load_u8(marks + number) == 0:
            jit.store_u8(marks + number, 1)
            s.bytes += size
            fresh += 1
    s.highest = max(s.highest, first + count - 1)
    s.fresh += fresh
    return fresh


@dataclass(slots=True)
class Day:
    """What the journal says of a day."""

    seconds: float = 0.0
    messages: int = 0
    missing: int = 0
    message_bytes: int = 0
    requests: int = 0
    requests_late: int = 0
    datagrams: dict[str, int] = field(default_factory=dict)
    most_within: dict[str, int] = field(default_factory=dict)
    mean_rate: float = 0.0
    least_rate: int = 0
    commands: int = 0
    cancels: int = 0
    executions: int = 0
    answers: int = 0
    answer_bytes: int = 0
    most_messages: int = 0
    most_held: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)


def looked_over(folder: Path, since: int, messages_max: int, advance: Advance) -> Day:
    """All of a day; rates are of what came from `since` on, ns since the epoch."""
    seen, marks = np.zeros(1, SEEN), np.zeros(messages_max + 1, np.uint8)
    bins, kept = np.zeros(1 << 23, np.int64), np.zeros(STEP_FRAMES, np.int64)
    seen["since"] = since
    book, sealed, done = Book(), max(sealed_in(folder), 1), 0
    for walk in pieces(folder):
        found = look(
            seen.ctypes.data, walk.segment.address, walk.places, walk.found, marks.ctypes.data,
            len(marks), bins.ctypes.data, len(bins), kept.ctypes.data,
        )  # fmt: skip
        for position in kept[:found].tolist():
            book.take(frame_at(walk.segment, position))
        done += walk.found
        advance(min(1.0, done / sealed), "reading the journal")
    told = seen[0]
    day = Day(
        seconds=float(told["last"] - told["begin"]) / SECOND_NS,
        messages=int(told["fresh"]),
        missing=int(told["highest"] - told["fresh"] + told["beyond"]),
        message_bytes=int(told["bytes"]),
        requests=int(told["asked"]),
        requests_late=int(told["late"]),
        datagrams=dict(zip(("a", "b", "recovery"), told["lines"].tolist(), strict=False)),
        commands=book.commands,
        cancels=book.cancels,
        executions=book.executions,
        answers=book.answers,
        answer_bytes=book.answer_bytes,
        most_messages=book.most_messages,
        most_held=dict(sorted(book.most_held.items())),
        held=dict(sorted(book.held.items())),
    )
    _rates(day, bins[: max(0, int(told["last"]) - since) // BIN_NS])
    return day


def _rates(day: Day, bins: np.ndarray[Any, Any]) -> None:
    """From how many came in each millisecond."""
    sums = np.concatenate([[0], np.cumsum(bins)])
    for span in SPANS_MS:
        within = sums[span:] - sums[:-span] if len(sums) > span else sums[-1:]
        day.most_within[f"{span} ms"] = int(within.max())
    whole = bins[: len(bins) // 1_000 * 1_000].reshape(-1, 1_000).sum(axis=1)
    if len(whole):
        day.mean_rate, day.least_rate = float(whole.mean()), int(whole.min())


class Book:
    """What is held, by the session's own messages: whose order was executed, on which side."""

    def __init__(self) -> None:
        self.held: dict[str, int] = defaultdict(int)
        self.most_held: dict[str, int] = defaultdict(int)
        self.commands = self.cancels = self.executions = self.most_messages = 0
        self.answers = self.answer_bytes = 0
        self._orders: dict[int, tuple[str, int]] = {}
        self._times: deque[int] = deque()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._streams = {
            SESSION_OUT: soup.Frames(soup.CLIENT),
            SESSION_IN: soup.Frames(soup.SERVER),
        }

    def take(self, frame: Frame) -> None:
        """One frame of the session: connected, heard or said."""
        if frame.kind == CONNECTED:
            self._begin_anew()
            return
        for told in self._messages(frame):
            if frame.kind == SESSION_OUT:
                self._said(told, frame.time)
            elif told.type == "E":
                self._executed(told)

    def _messages(self, frame: Frame) -> Iterator[Any]:
        is_ours = frame.kind == SESSION_OUT
        letter, direction = (b"U", ouch.INBOUND) if is_ours else (b"S", ouch.OUTBOUND)
        for one in self._streams[frame.kind].take(frame.payload):
            if one.type != letter or not one.payload:
                continue
            if not is_ours:
                self.answers += 1
                self.answer_bytes += len(one.payload)
            if one.payload[:1] in (b"OUX" if is_ours else b"E"):
                yield ouch.decode(one.payload, direction)

    def _said(self, told: Any, time: int) -> None:
        if told.type == "X":
            self.cancels += 1
            return
        if told.type == "O":
            self._orders[told.urn] = told.symbol.strip(), SIDES[told.side]
        else:
            self._orders[told.urn] = self._orders[told.original]
        self.commands += 1
        self._times.append(time)
        while self._times[0] <= time - SECOND_NS:
            self._times.popleft()
        self.most_messages = max(self.most_messages, len(self._times))

    def _executed(self, told: Any) -> None:
        symbol, sign = self._orders[told.urn]
        self.executions += 1
        self.held[symbol] += sign * told.quantity
        self.most_held[symbol] = max(self.most_held[symbol], abs(self.held[symbol]))
