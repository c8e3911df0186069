"""A runner's day over again, with everything kept that a backtest keeps: orders, fills, equity.

    run = Recording(folder, about(folder))
    run.go()                             all of it through `take`, held to every byte that went out
    run.parts[0].fills, .orders, ...     as `keeping.py` has them
    run.begin, run.end, run.why          of the day: ns, our clock; why it ended early

The engine is the runner's own and decides as it did; where it would not, that is a StateError, for
figures of another day are none. Logs are taken away between frames, and within one that brings
thousands of events, as of a gap that fills; equity is noted before a frame beside which it is due.
Doors lead through Python on their way: each event; what is sent, for when an order was asked to go;
and what is answered, for fills get their numbers and that moment there.

The market around fills lies in the feed, which a venue's answers overtake and are overtaken by, so
it is looked at afterwards (`research/journal_market.py`) and given to `look_back`.

Worst case: some 60 microseconds a frame in plain Python, and a hundred bytes for each order that
was asked to be cancelled or replaced.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from ctypes import string_at
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.core import jit, orders
from hftlib.core.errors import StateError
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame, frames
from hftlib.core.numbers import whose
from hftlib.core.orders import CANCEL, CANCEL_PENDING, COMMAND, COMMAND_BYTES, NEW, REPLACE_PENDING
from hftlib.engine import path
from hftlib.engine.keeping import Array, Keeping
from hftlib.engine.live.doors import market
from hftlib.engine.live.laying import Output
from hftlib.engine.live.making import laid
from hftlib.engine.live.memory import FAULTS
from hftlib.engine.live.replaying import COMPARED, TAKEN
from hftlib.engine.log import MARKOUT
from hftlib.engine.recorder import copied
from hftlib.engine.watching import sample_all
from hftlib.execution.ouch.asking import submit

EVERY_NS = 1_000_000_000
# Between two times that logs are taken away: a strategy may be refused many times at each event.
TAKE_FRAMES, TAKE_EVENTS = 8, 8
PROGRESS_FRAMES = 1 << 10
_DOOR = "void(int64, int64, int64)"
_CUT = "the journal ends in mid-day: its runner was killed, or still runs"
_WANTS_OUT = CANCEL_PENDING | REPLACE_PENDING


@jit.compiled("void(int64, int64, int64)")
def sample(watches: int, base: int, time: int) -> None:
    """`sample_all`, for Python."""
    sample_all(watches, base, time)


class Recording(Keeping):
    """One journal of a runner, replayed."""

    def __init__(
        self, folder: Path | str, about: Mapping[str, Any], *, every_ns: int = EVERY_NS
    ) -> None:
        self.folder, self.live = Path(folder), laid(about)
        super().__init__(self.live.session, every_ns)
        self.begin = self.end = self.frames = self.numbered = 0
        self.why = "its journal was not read to the end"
        self._every, self._next_sample = every_ns, 0
        self._events = 0
        self._asked: dict[int, int] = {}  # when, by order; below zero: to be replaced
        self._failure: BaseException | None = None
        self._beside: dict[str, Array] = {}
        self._after = np.zeros(0, MARKOUT)

    def go(self, progress: Callable[[int], None] = lambda _frames: None) -> None:
        """Take the whole journal in; `progress` is told how much of it."""
        gateways = [int(one["gateway"]) for one in self.live.links]
        header = self.live.header
        header["answer"] = jit.python_address(_answered, _DOOR)
        header["submit"] = jit.python_address(_submitted, _DOOR)
        header["market"] = jit.python_address(_seen, _DOOR)
        for address in (self.session.address, *gateways):
            _BY_ADDRESS[address] = self
        try:
            self._all(progress)
        finally:
            for address in (self.session.address, *gateways):
                del _BY_ADDRESS[address]

    def look_back(self, markouts: Array, **beside: Array) -> None:
        """The market around fills: MARKOUTs, and fields of FILL, each by the fill's number."""
        self._after, self._beside = markouts, beside

    def with_middles(self, fills: Array) -> Array:
        """The same with all that was found by looking back."""
        fills = copied(fills)
        fills["twice_mid"] = NO_PRICE
        for name, values in self._beside.items():
            fills[name] = values[fills["number"]]
        return fills

    @property
    def markouts(self) -> Array:
        return self._after

    @property
    def steps(self) -> int:
        return self.frames

    @property
    def dropped(self) -> int:
        return 0

    def _all(self, progress: Callable[[int], None]) -> None:
        ours: deque[Output] = deque()
        fault = 0
        self.why = _CUT
        for frame in frames(self.folder):
            self.frames += 1
            if self.frames % PROGRESS_FRAMES == 0:
                progress(self.frames)
            if frame.kind in TAKEN:
                if ours or fault:
                    raise self._other(frame)
                fault = self._take(frame)
                ours.extend(() if fault else self.live.outputs())
            elif frame.kind in COMPARED:
                if not ours or ours.popleft() != (frame.kind, frame.source, frame.payload):
                    raise self._other(frame)
            elif frame.kind == kinds.CLOSED:
                self.why = str(json.loads(frame.payload).get("why") or "")
                if ours and not self.why:
                    raise self._other(frame)
            elif frame.kind == kinds.CARRIED_ON:
                ours.clear()  # what was not in the journal never left
                self.why = _CUT
        self._take_logs()
        if fault:
            self.why = FAULTS[fault]

    def _take(self, frame: Frame) -> int:
        """One frame: 0, or why the runner had to stop."""
        if self.begin == 0:
            self.begin = self._next_sample = frame.time
        elif frame.time >= self._next_sample:
            sample(self._watch.ctypes.data, self.session.address, frame.time)
            late = (frame.time - self._next_sample) // self._every
            self._next_sample += (late + 1) * self._every
        self.end = max(self.end, frame.time)
        fault = self.live.take(frame.kind, frame.source, frame.time, frame.payload)
        if self._failure is not None:
            raise self._failure
        if self.frames % TAKE_FRAMES == 0:
            self._take_logs()
        if self.live.header["emptied"]:
            raise StateError(
                f"More ended at frame {frame.sequence:,} than the logs of a strategy hold",
                where=str(self.folder),
                do="That is a fault of ours, or of a strategy that floods: please report it.",
            )
        return fault

    def _other(self, frame: Frame) -> StateError:
        return StateError(
            f"This journal does not replay: from frame {frame.sequence:,} on something else is"
            " decided now",
            where=str(self.folder),
            do=f"`hft replay {self.folder}` shows both sides; run it with the hftlib and the files"
            " that the runner had.",
        )

    def _see(self, base: int, address: int, received: int) -> None:
        market(base, address, received)
        self._events += 1
        if self._events % TAKE_EVENTS == 0:
            self._take_logs()

    def _submit(self, gateway: int, address: int, time: int) -> None:
        command = np.frombuffer(string_at(address, COMMAND_BYTES), COMMAND)[0]
        if command["what"] != NEW:
            self._asked[int(command["order"])] = _asked_at(command)
        if self.live.shadow is None:
            submit(gateway, address, time)

    def _answer(self, base: int, address: int, entered: int) -> None:
        event = np.frombuffer(string_at(address, EVENT_BYTES), EVENT)[0]
        asked = self._wanted_out(int(event["reference"])) if event["kind"] == orders.FILLED else 0
        seats = self.session.seats
        before = [int(seat["execution"]["fills"][0]) for seat in seats]
        path.answer(base, address, entered)
        for seat, first in zip(seats, before, strict=True):
            for n in range(first, int(seat["execution"]["fills"][0])):
                row = seat["fills"][n : n + 1]
                self.numbered += 1
                row["number"] = self.numbered
                if self.live.shadow is None:  # a model says itself where an order stood
                    row["ahead"] = 0
                row["asked"] = asked if row["quantity"][0] > 0 else 0

    def _wanted_out(self, number: int) -> int:
        """When we had asked an order to go or to change, where that is not answered yet; 0."""
        seat = self.session.seats[whose(number) if len(self.session.seats) > 1 else 0]
        order = seat["own_orders"][number & (seat.slots - 1)]
        if int(order["id"]) != number or not int(order["pending"]) & _WANTS_OUT:
            return 0
        for command in reversed(seat["commands"][: int(seat["execution"]["commands"][0])]):
            if int(command["order"]) == number and command["what"] != NEW:
                return _asked_at(command)  # in this frame: it is not on its way yet
        return self._asked.get(number, 0)


def _asked_at(command: Any) -> int:
    """When a command left its strategy; of a replace, minus that."""
    return int(command["time"]) if command["what"] == CANCEL else -int(command["time"])


_BY_ADDRESS: dict[int, Recording] = {}


def _answered(base: int, address: int, entered: int) -> None:
    """A report on its way to the tick path."""
    recording = _BY_ADDRESS[base]
    try:
        recording._answer(base, address, entered)
    except BaseException as error:  # ctypes would print it and go on
        recording._failure = recording._failure or error


def _submitted(gateway: int, address: int, time: int) -> None:
    """A command on its way to a gateway."""
    recording = _BY_ADDRESS[gateway]
    try:
        recording._submit(gateway, address, time)
    except BaseException as error:
        recording._failure = recording._failure or error


def _seen(base: int, address: int, received: int) -> None:
    """An event of the feed on its way to the tick path."""
    recording = _BY_ADDRESS[base]
    try:
        recording._see(base, address, received)
    except BaseException as error:
        recording._failure = recording._failure or error
