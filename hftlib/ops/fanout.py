"""What a journal says, published while it is written: read, decoded, handed to a server of streams.

    hot thread ─▶ journal on the disk ─▶ Following ─▶ Decoder ─▶ a Stream: Redis, NATS
                                            ▲                        │
                                            └── where to go on ──────┘

The tailer is a process of its own: it reads the mapped journal, so the hot path does nothing for
it and waits for nothing. It keeps no position of its own. An event's number is its frame's and its
place in the frame, and the last one at the server says where to go on: after a kill of this
process, of the server, or of both, each event is there once and in order.

An event is what `engine/live/decoding.py` tells of a frame, and where a message of a session had
begun before its frame, `rests`: the bytes from which the decoder goes on there.

Worst case: what one look at the journal finds, some thousand frames, is in memory. A stream whose
last event is gone is read from the journal's beginning, to find its place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hftlib.core.errors import HostError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import POLL_S, POLL_S_MAX, Following, Frame, frames
from hftlib.engine.live.decoding import Decoder, Told

EVENTS_MAX = 256  # handed to the server at once
AGAIN_S, AGAIN_S_MAX = 0.1, 5.0  # until it dials again
OVER_S = 0.25  # between two looks whether a journal that ended is carried on
MARKET = (kinds.DATAGRAM, kinds.TIMER)  # what comes a thousand times a second, and is on the tape
Number = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Last:
    """The last event of a stream: its number, and itself where the server still has it."""

    number: Number
    event: Told | None


class AwayError(Exception):
    """The server is not there, or takes nothing now: why."""


class MovedError(Exception):
    """The stream does not end where we thought."""


class Stream(Protocol):
    """Events at a server, in their order."""

    name: str
    place: str  # the server's, without a password

    def connect(self) -> Last | None:
        """Dial; what it ends with. Raises AwayError."""
        ...

    def publish(self, events: list[Told]) -> None:
        """Behind all there is, none without those before it. Raises AwayError and MovedError."""
        ...

    def wait(self, seconds: float) -> None:
        """Nothing to be done, but to stay connected."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Counts:
    """How far it is."""

    frame: int = 0  # the last one whose events are all at the server
    events: int = 0  # published by this process
    dials: int = 0


class Fanout:
    """One journal into one stream. `turn` does what there is to do now, and `say` hears of it."""

    def __init__(
        self,
        folder: Path,
        stream: Stream,
        wanted: frozenset[int],
        say: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self.folder, self.stream, self.wanted, self.say = folder, stream, wanted, say
        self.counts = Counts()
        self.state = "connecting"
        self._about = _about(folder)
        self._place: Following | None = None
        self._decoder = Decoder(self._about)
        self.after: Number = (0, 0)  # the last event that is there
        self._pause, self._again = POLL_S, AGAIN_S

    def turn(self) -> bool:
        """Whether there may be more to do at once; else it has waited a little."""
        try:
            if self._place is None:
                self._connect()
            return self._follow()
        except MovedError:
            self._place = None  # another one publishes here as well: look where it ends now
            self.stream.wait(AGAIN_S)
            return True
        except AwayError as error:
            self._lose(str(error))
            return False

    @property
    def is_done(self) -> bool:
        """All is published, and nobody writes any more. One that is damaged is refused."""
        return self._place is not None and self._place.is_over

    def require_closed(self) -> None:
        """Refuse a journal that does not end with its writer's word."""
        assert self._place is not None
        self._place.require_closed()

    def _connect(self) -> None:
        try:
            last = self.stream.connect()
        except AwayError as error:
            if self.counts.dials:
                raise
            raise HostError(
                f"The server takes nothing: {error}",
                where=self.stream.place,
                do="Start it, or name another one with --to.",
            ) from None
        self.counts.dials += 1
        self._again = AGAIN_S
        self._seek(last)
        self.say("connected", {"stream": self.stream.name, "after": text_of(self.after)})

    def _seek(self, last: Last | None) -> None:
        """To the frame of the last event, which must be what the journal has there."""
        self.after = last.number if last else (0, 0)
        known = last.event if last else None
        rests = json.loads(known.get("rests", "{}")) if known else {}
        self._decoder = Decoder(self._about, rests)
        self._place = Following(self.folder, self.after[0] if known else 1)
        if last is None:
            return
        first = next(frames(self.folder, self.after[0]), None)
        same = first is not None and first.sequence == self.after[0]
        if known is not None and first is not None:
            there = str(known.get("time")), known.get("kind")
            same = same and there == (str(first.time), first.name)
        if not same:
            raise StateError(
                f"The stream ends with event {text_of(self.after)} of another journal",
                where=f"{self.stream.name} at {self.stream.place}",
                do="Name another stream: each journal has one of its own.",
            )

    def _follow(self) -> bool:
        assert self._place is not None
        found = self._place.look()
        if not found:
            self._idle(self._place)
            return False
        self._pause, self.state = POLL_S, "following"
        for events in _batched(self._events(found)):
            self.stream.publish(events)
            self.counts.events += len(events)
            self.after = events[-1]["frame"], events[-1]["n"]
        self.counts.frame = found[-1].sequence
        self.stream.wait(0.0)  # also where nothing of it was wanted
        return True

    def _events(self, found: list[Frame]) -> Iterator[Told]:
        """Of these frames what is wanted, and is not there yet."""
        for frame in found:
            rests = self._decoder.rests
            for told in self._decoder.take(frame):
                if frame.kind in self.wanted and (told["frame"], told["n"]) > self.after:
                    yield told | ({"rests": json.dumps(rests)} if rests else {})

    def _idle(self, place: Following) -> None:
        if place.is_over:
            state = "closed" if place.was_closed else "cut off"
            if state != self.state:
                self.say(state, {"frame": self.counts.frame})
            self.state = state
            self.stream.wait(OVER_S)
            return
        self.state = "following"
        self.stream.wait(self._pause)
        self._pause = min(2 * self._pause, POLL_S_MAX)

    def _lose(self, why: str) -> None:
        """Dial again, a longer wait each time."""
        self._place = None
        if self.state != "away":
            self.say("away", {"why": why})
        self.state = "away"
        self.stream.close()
        time.sleep(self._again)
        self._again = min(2 * self._again, AGAIN_S_MAX)


def text_of(number: Number) -> str:
    """As the event is called at a server."""
    return f"{number[0]}-{number[1]}"


def number_of(text: str) -> Number | None:
    """The number of an event that is called so; none of ours is called otherwise."""
    frame, dash, n = text.partition("-")
    return (int(frame), int(n)) if dash and frame.isdecimal() and n.isdecimal() else None


def _batched(told: Iterator[Told]) -> Iterator[list[Told]]:
    batch: list[Told] = []
    for one in told:
        batch.append(one)
        if len(batch) >= EVENTS_MAX:
            yield batch
            batch = []
    if batch:
        yield batch


def _about(folder: Path) -> dict[str, Any]:
    """What its first frame says of whoever writes it."""
    first = next(frames(folder), None)
    try:
        told = json.loads(first.payload) if first and first.kind == kinds.OPENED else {}
    except ValueError:
        told = {}
    return told if isinstance(told, dict) else {}
