"""What the frames of a journal say by themselves, in one pass: needs no replay, believes no figure.

    facts = told_by(folder, about, advance)
    facts.rows, .directives, .clocks, .connections, .seams, .closings, .kinds, .requests

A seam is where another process goes on: after a kill, a repair, a switch. Worst case: some 40
microseconds a message of OUCH, and half a kilobyte for each row of the record of orders.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HftError
from hftlib.core.journal import Frame, frames, kinds
from hftlib.core.journal.layout import DURABILITIES
from hftlib.core.journal.segments import session_of
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.memory import CARRIED
from hftlib.engine.live.taking_over import HEAD_WORDS, POSITION_WORDS
from hftlib.research.day.order_events import OrderRecord
from hftlib.research.day.shadow_orders import ShadowRecord

Told = dict[str, Any]
TOLD_FRAMES = 1 << 12


@dataclass
class Facts:
    """All that was found."""

    frames: int = 0
    begin: int = 0
    end: int = 0
    durability: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    rows: list[Told] = field(default_factory=list)  # of the record of orders
    directives: list[Told] = field(default_factory=list)
    clocks: list[Told] = field(default_factory=list)
    connections: list[Told] = field(default_factory=list)
    seams: list[Told] = field(default_factory=list)
    closings: list[Told] = field(default_factory=list)
    notes: list[Told] = field(default_factory=list)
    carried: list[tuple[int, ...]] = field(default_factory=list)  # as a takeover's frame has them
    carried_ns: int = 0  # when that was; 0: it took over from nobody
    requests: int = 0
    wrong: str = ""  # what stopped the reading; empty: nothing did

    @property
    def latencies(self) -> dict[str, Any]:
        """Of the process that closed the journal last; a kill leaves none."""
        for one in reversed(self.closings):
            if one.get("latencies_ns"):
                return dict(one["latencies_ns"])
        return {}


def told_by(
    folder: Path,
    about: Mapping[str, Any],
    name: str,
    advance: Callable[[int], None] = lambda _frames: None,
) -> Facts:
    """Read it all; a journal that is damaged is read as far as it is whole."""
    facts, decoder = Facts(), Decoder(about)
    record = ShadowRecord(about, name) if about.get("shadow") else OrderRecord(about, name)
    try:
        number = session_of(folder).durability
        facts.durability = {n: word for word, n in DURABILITIES.items()}.get(number, "")
        for frame in frames(folder):
            _take(facts, decoder, record, frame)
            if frame.sequence % TOLD_FRAMES == 0:
                advance(frame.sequence)
    except HftError as error:
        facts.wrong = error.what
    return facts


def _take(facts: Facts, decoder: Decoder, record: Any, frame: Frame) -> None:
    facts.frames += 1
    facts.begin = facts.begin or frame.time
    facts.end = max(facts.end, frame.time)
    facts.kinds[frame.name] += 1
    if frame.kind == kinds.DATAGRAM or frame.kind == kinds.TIMER:
        return  # market data are told by the tape, and there are many
    if frame.kind == kinds.DATAGRAM_OUT:
        facts.requests += 1
        return
    told = decoder.take(frame)
    if frame.kind in (kinds.SESSION_IN, kinds.SESSION_OUT, kinds.SHADOW):
        for one in told:
            facts.rows.extend(record.take(one))
            if one["what"] in _LIFE:
                facts.connections.append(one)
    elif frame.kind == kinds.DIRECTIVE:
        facts.directives += told
    elif frame.kind == kinds.CLOCK:
        facts.clocks += told
    elif frame.kind == kinds.CONNECTED:
        facts.connections += told
        if found := _carried(frame.payload):
            facts.carried, facts.carried_ns = facts.carried + found, frame.time
    elif frame.kind in _SEAMS:
        facts.seams.append(_said(frame))
    elif frame.kind == kinds.CLOSED:
        facts.closings.append(_said(frame))
    elif frame.kind in (kinds.NOTE, kinds.CONTROL):
        facts.notes += told


_LIFE = ("login rejected", "logout", "end of session")
_SEAMS = (kinds.OPENED, kinds.CARRIED_ON, kinds.REPAIRED)


def _said(frame: Frame) -> Told:
    """What a journal says of itself there, with when."""
    head = {"frame": frame.sequence, "time": frame.time, "kind": frame.name}
    try:
        said = json.loads(frame.payload)
    except ValueError:
        said = {}
    told = said if isinstance(said, dict) else {}
    if frame.kind == kinds.OPENED:
        told = {}  # it is known, and long
    return {name: one for name, one in told.items() if name not in head} | head


def _carried(payload: bytes) -> list[tuple[int, ...]]:
    """Seat, instrument, quantity, cash, fees of what another runner held, if it says so."""
    if len(payload) <= 16 or len(payload) % 8:
        return []
    words = np.frombuffer(payload, np.int64)
    if words[0] != CARRIED or not 0 <= words[1] <= (len(words) - HEAD_WORDS) // POSITION_WORDS:
        return []
    rows = words[HEAD_WORDS : HEAD_WORDS + POSITION_WORDS * int(words[1])]
    return [tuple(one[:5]) for one in rows.reshape(-1, POSITION_WORDS).tolist()]
