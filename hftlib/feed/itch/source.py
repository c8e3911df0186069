"""ITCH 5.0 files and captures, read into a tape.

    source = ItchSource("12302019.NASDAQ_ITCH50.gz")       # as Nasdaq publishes them
    source = ItchSource("feed.pcap", port=26477)           # MoldUDP64 in a capture
    for chunk in source.chunks(): ...                      # events, in order of arrival

A published file is {length u16, message} repeated, and a frame of length 0 ends the session. Both
kinds may be packed with gzip; the first bytes tell what a file is, never its name. ITCH counts
its time from midnight, so the date must come from somewhere: `date`, else eight digits in the
name (12302019 or 20191230), else the time of capture.

Worst case: memory is one buffer, one chunk and the translator, some 8 MB for a file of any size.
A file without one sound frame among its first is refused; whatever is wrong further on becomes
UNREADABLE events and is counted.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.times import to_text
from hftlib.core.units import shown
from hftlib.feed.blocks import Blocks
from hftlib.feed.itch.datagrams import EVENTS_MAX, Datagrams
from hftlib.feed.itch.messages import LENGTHS
from hftlib.feed.itch.numbered import Run
from hftlib.feed.itch.translate import Translator
from hftlib.feed.pcap import Capture, is_capture
from hftlib.feed.source import CHUNK_EVENTS_MAX

FRAMES_LOOKED_AT = 16
_EIGHT_DIGITS = re.compile(r"(?<!\d)\d{8}(?!\d)")
_YEARS = range(1990, 2100)  # of ITCH; so no eight digits read as a date in both ways


class ItchSource:
    """A file or capture of ITCH 5.0, as a `Source`."""

    is_one_stream = True

    def __init__(
        self,
        path: str | Path,
        *,
        date: str | datetime.date | None = None,
        zone: str = "America/New_York",
        venue: str = "XNAS",
        port: int | None = None,
        session: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.name = f"ITCH 5.0, {self.path.name}"
        with Blocks(self.path) as blocks:
            blocks.fill()
            self.is_capture = is_capture(bytes(blocks.unread[:4]))
            if not self.is_capture:
                _require_itch(blocks)
        self._zone, self._venue, self._port, self._session = zone, venue, port, session
        self.date = self._dated(date)
        self.instruments = Instruments()
        self.counts: dict[str, int] = {}  # messages by type letter, then what was odd
        self._begin()

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Arrays of events, each valid until the next; from the start, whenever called."""
        self._begin()
        try:
            for chunk in self._of_capture() if self.is_capture else self._of_file():
                self._tell()
                yield chunk
            self.share_done = 1.0
        finally:
            self._tell()
            self.instruments = self._translator.instruments

    def _begin(self) -> None:
        self._translator = Translator(date=self.date, zone=self._zone, venue=self._venue)
        self._counts: Counter[str] = Counter()
        self.share_done = 0.0

    def _tell(self) -> None:
        odd = {name: count for name, count in self._counts.items() if count}
        self.counts = self._translator.counts | odd

    def _of_file(self) -> Iterator[np.ndarray[Any, Any]]:
        into, made = np.zeros(CHUNK_EVENTS_MAX, EVENT), 0
        with Blocks(self.path) as blocks:
            while blocks.has(2) and bytes(blocks.unread[:2]) != b"\0\0":
                room = into[made:]
                taken, count = self._translator.frames(blocks.address, blocks.length, room)
                blocks.take(taken)
                made += count
                if made == len(into):
                    self.share_done = blocks.share_done
                    yield into
                    made = 0
                elif not taken and not blocks.fill():
                    break  # the last frame is cut off
            if made:
                yield into[:made]
            made = self._last_words(blocks, into)
            if made:
                yield into[:made]

    def _last_words(self, blocks: Blocks, into: np.ndarray[Any, Any]) -> int:
        """Events for how a file ends, where it does not just end: how many."""
        if blocks.length >= 2 and bytes(blocks.unread[:2]) == b"\0\0":
            blocks.take(2)
            self._counts["end of the session"] += 1
            at, (rest, padded) = blocks.position, _pass_over(blocks)
            made, what = 0, "zero bytes that fill the file up"
            if not padded:  # then the end was none, but a damaged length
                what = "bytes behind the end of the session"
                made = self._unreadable(into, events.NO_PARSE, at, rest)
            self._counts[what] += rest
        else:
            made = self._translator.end(blocks.length, into)
            self._counts["bytes of a frame cut off at the end"] += blocks.length
        if blocks.is_cut_off:
            self._counts["gzip data that ends too early"] += 1
            made += self._unreadable(into[made:], events.CUT_OFF, blocks.position, 0)
        if blocks.garbage_bytes:
            self._counts["bytes behind the gzip data"] += blocks.garbage_bytes
            garbage = blocks.garbage_bytes
            made += self._unreadable(into[made:], events.NO_PARSE, blocks.position, garbage)
        return made

    def _of_capture(self) -> Iterator[np.ndarray[Any, Any]]:
        into, made = np.zeros(CHUNK_EVENTS_MAX, EVENT), 0
        datagrams = Datagrams(self._translator, self._port, self._session)
        with Capture(self.path) as capture:
            for run in _runs(capture, datagrams):
                if made + EVENTS_MAX > len(into):
                    self.share_done = capture.share_done
                    yield into[:made]
                    made = 0
                made += datagrams.write(run, into[made:])
            self._counts = datagrams.counts + capture.counts
            self._counts["bytes of the capture left unread"] += capture.unread_bytes
        if not datagrams.counts["MoldUDP64 datagrams"]:
            found = ", ".join(f"{name}: {n:,}" for name, n in self._counts.items() if n)
            raise InputError(
                f"The capture holds no MoldUDP64 datagram that was asked for ({found or 'empty'})",
                where=str(self.path),
                do="Check the port and the session (--port, --session), and what was captured.",
            )
        if made:
            yield into[:made]

    def _unreadable(self, into: np.ndarray[Any, Any], reason: int, at: int, length: int) -> int:
        event = into[:1]
        event[:] = 0
        event["kind"], event["reference"] = events.UNREADABLE, reason
        event["instrument"] = events.ALL
        event["price"], event["quantity"] = at, length
        return 1

    def _dated(self, given: str | datetime.date | None) -> str:
        """The date as ISO text, from whoever knows it."""
        if given is not None:
            return _iso(given)
        named = _date_in(self.path.name)
        if named:
            return named
        if self.is_capture:
            with Capture(self.path) as capture:
                for packet in capture.packets():
                    if packet.is_readable and packet.time_ns > 0:
                        return to_text(packet.time_ns, zone=self._zone)[:10]
        raise InputError(
            "ITCH tells the time of day but no date, and nothing else here does",
            where=str(self.path),
            do="Pass date='2019-12-30' or --date 2019-12-30, or have it in the name as 12302019.",
        )


def _runs(capture: Capture, datagrams: Datagrams) -> Iterator[Run]:
    for packet in capture.packets():
        yield from datagrams.take(packet)
    yield from datagrams.end()


def _require_itch(blocks: Blocks) -> None:
    """Refuse a file in which not one of the first frames has the length of its type."""
    head, place = bytes(blocks.unread[: 1 << 16]), 0
    for _ in range(FRAMES_LOOKED_AT):
        if place + 3 > len(head):
            break
        length = head[place] << 8 | head[place + 1]
        if length and LENGTHS[head[place + 2]] == length:
            return
        place += 2 + length
    raise InputError(
        f"The file is neither ITCH 5.0 nor a capture; it begins with {shown(head[:16])}",
        where=str(blocks.path),
        do="Name a file of {length, message} frames as Nasdaq publishes it, or a pcap; "
        "messages without their lengths are not read.",
    )


def _pass_over(blocks: Blocks) -> tuple[int, bool]:
    """Read to the end of the file: how many bytes that were, and whether all of them are 0."""
    start, padded = blocks.position, not np.any(blocks.unread)
    blocks.take(blocks.length)
    while blocks.fill():
        padded = padded and not np.any(blocks.unread)
        blocks.take(blocks.length)
    return blocks.position - start, padded


def _iso(given: str | datetime.date) -> str:
    try:
        if isinstance(given, str):
            return datetime.date.fromisoformat(given).isoformat()
        return datetime.date(given.year, given.month, given.day).isoformat()
    except (ValueError, TypeError, AttributeError):
        raise InputError(
            f"{shown(given)} is not a date",
            where="the value given as date",
            do="Write it as '2019-12-30'.",
        ) from None


def _date_in(name: str) -> str | None:
    for digits in _EIGHT_DIGITS.findall(name):
        american = f"{digits[4:]}-{digits[:2]}-{digits[2:4]}"
        for text in (american, f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"):
            try:
                found = datetime.date.fromisoformat(text)
            except ValueError:
                continue
            if found.year in _YEARS:
                return found.isoformat()
    return None
