"""The market data in a runner's journal, as a source: the tape of what that runner was told.

    tape = to_tape(JournalFeed("day.journal", about))

Datagrams of both lines and of the recovery server go through the sequencer and the translator that
the runner had, and time passes where it passed for them: each message once, in order, lost where it
was lost. `received` is the runner's clock. Rows are those of the runner's own table; what it did
not know is counted and left out. Our own orders and fills are in it as the venue published them.
Of several feeds the numbers of orders are what the runner's books had (`engine/live/feeding.py`).

With `clock="ours"` the times are the runner's too, as the model of a shadow had them; of a shadow
that needs no asking.

Worst case: some 20 microseconds a datagram, in plain Python; one chunk of events in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import ALL, EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.journal import frames, kinds
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.segments import session_of
from hftlib.engine.live.laying import FeedPlan, sequencer_of, translator_of
from hftlib.engine.live.making import instruments_of
from hftlib.engine.live.memory import LINES_EACH
from hftlib.feed.mold import memory as mold
from hftlib.feed.mold.sequencer import Delivery, event_of
from hftlib.feed.source import CHUNK_EVENTS_MAX

Array = np.ndarray[Any, Any]
_ROOM = 1 << 15  # events of one delivery: a datagram holds fewer messages
_STRANGER = -1
VENUES, OURS = CLOCKS = ("venue", "ours")


class JournalFeed:
    """A `Source` of the feeds of one journal."""

    is_one_stream = False  # what was about others is missing from the numbers

    def __init__(
        self, folder: Path | str, about: Mapping[str, Any], clock: str | None = None
    ) -> None:
        self.folder, self.clock = Path(folder), clock or clock_of(about)
        self.name = f"journal {self.folder.name}"
        self.instruments = instruments_of(about)
        self.counts: dict[str, int] = {}
        self.share_done = 0.0
        self._sealed = sealed(folder)
        self._plans = [FeedPlan(**one) for one in about["feeds"]]

    def chunks(self) -> Iterator[Array]:
        """Arrays of events, from the journal's beginning whenever called."""
        several = len(self._plans)
        feeds = [_Feed(one, self.instruments, n, several) for n, one in enumerate(self._plans)]
        held, count, now = [np.zeros(0, EVENT)], 0, 0
        for frame in frames(self.folder):
            now = max(now, frame.time)
            if frame.kind == kinds.DATAGRAM and frame.source < len(feeds) * LINES_EACH:
                n, line = divmod(frame.source, LINES_EACH)
                made = list(feeds[n].datagram(line, frame.payload, now))
            elif frame.kind == kinds.TIMER:
                made = [one for feed in feeds for one in feed.pass_time(now)]
            else:
                continue
            if self.clock == OURS:
                for part in made:
                    part["time"] = now
            held += made
            count += sum(map(len, made))
            if count >= CHUNK_EVENTS_MAX:
                self.share_done = min(1.0, frame.sequence / self._sealed)
                *whole, rest = _cut(held)
                yield from whole
                held, count = [rest], len(rest)
        yield from _cut(held)
        self.counts = dict(sum((feed.counts for feed in feeds), Counter()))
        self.share_done = 1.0


def clock_of(about: Mapping[str, Any]) -> str:
    """Whose clock a runner's day is told by: a shadow's venue is where it hears it."""
    return OURS if about.get("shadow") else VENUES


def sealed(folder: Path | str) -> int:
    """About how many frames a journal has: those that its chain has sealed, and at least one."""
    place = Path(folder)
    return max(1, Chain.index(place, session_of(place)).sealed)


class _Feed:
    """One feed: what its datagrams say about our instruments."""

    def __init__(self, plan: FeedPlan, table: Instruments, number: int, feeds: int) -> None:
        self._number, self._feeds = number, feeds
        self.counts: Counter[str] = Counter()
        self._sequencer, self._translator = sequencer_of(plan), translator_of(plan)
        self._rows = {one.symbol: one.row for one in table if one.venue == plan.venue}
        self._of_feed = np.full(1, _STRANGER)  # our row of each of the feed's; the last is nobody's
        self._own = np.array(sorted(self._rows.values()), np.int64) if feeds > 1 else None
        self._into, self._latest = np.zeros(_ROOM, EVENT), 0

    def datagram(self, line: int, payload: bytes, now: int) -> Iterator[Array]:
        for given in self._sequencer.take(line, payload, now, now):
            yield self._kept(self._events(given))

    def pass_time(self, now: int) -> Iterator[Array]:
        self._sequencer.tick(now)
        for given in self._sequencer.drain():
            yield self._kept(self._events(given))

    def _events(self, given: Delivery) -> Array:
        if given.kind != mold.OUT_MESSAGES:
            told = event_of(given.kind, given.first, given.after, given.received)
            if told is None:
                return self._into[:0]
            told["time"] = self._latest
            return told
        data, begin, made = np.frombuffer(given.blocks, np.uint8), 0, 0
        self._translator.received_ns, self._translator.sequence = given.received, given.first
        while begin < len(data):
            into = self._into[made:]
            address = int(data.ctypes.data) + begin
            taken, count = self._translator.frames(address, len(data) - begin, into)
            begin, made = begin + taken, made + count
            if begin < len(data):  # a message of no length
                made += self._empty(self._into[made : made + 1])
                begin += 2
        found = self._into[:made]
        if given.late:
            found["flags"] |= events.RECOVERED_LATE
        if made:
            self._latest = max(self._latest, int(found["time"].max()))
        return found

    def _empty(self, event: Array) -> int:
        event[:] = 0
        event["kind"], event["reference"] = events.UNREADABLE, events.WRONG_LENGTH
        event["instrument"], event["time"] = ALL, self._latest
        event["received"] = self._translator.received_ns
        event["sequence"] = self._translator.sequence
        self._translator.sequence += 1
        return 1

    def _kept(self, found: Array) -> Array:
        """A copy of what is about our instruments, by our rows."""
        table = self._translator.instruments
        if len(table) + 1 != len(self._of_feed):
            known = [self._rows.get(symbol, _STRANGER) for symbol in table.symbols]
            self._of_feed = np.array([*known, _STRANGER])
        whole = found["instrument"] == ALL
        rows = self._of_feed[np.where(whole, len(table), found["instrument"])]
        ours = found[whole | (rows != _STRANGER)]  # a copy
        self.counts["messages about others"] += len(found) - len(ours)
        ours["instrument"] = np.where(whole, ALL, rows)[whole | (rows != _STRANGER)]
        if self._own is None:
            return ours
        for name, first in (("reference", events.ADD), ("other", events.REPLACE)):
            some = (ours["kind"] >= first) & (ours["kind"] <= events.REPLACE)
            ours[name][some] = ours[name][some] * self._feeds + self._number
        return _spread(ours, self._own)


def _spread(found: Array, rows: Array) -> Array:
    """What one feed of several says of all, said of each of its own instruments."""
    whole = found["instrument"] == ALL
    times = np.where(whole, len(rows), 1)
    made = np.repeat(found, times)
    made["instrument"][np.repeat(whole, times)] = np.tile(rows, int(whole.sum()))
    return made


def _cut(held: list[Array]) -> list[Array]:
    """One behind the other, in pieces of the size of a chunk; the last is what is left over."""
    count = sum(map(len, held))
    whole = np.zeros(count, EVENT)
    begin = 0
    for part in held:
        whole[begin : begin + len(part)] = part
        begin += len(part)
    return [whole[n : n + CHUNK_EVENTS_MAX] for n in range(0, count + 1, CHUNK_EVENTS_MAX)]
