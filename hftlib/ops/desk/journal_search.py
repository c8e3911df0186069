"""A search in a journal that may still be written: bounded in time, in frames and in rows.

    searched(folder, Wanted(text="reject", kind="DIRECTIVE", since="", limit=200))
        {"rows": [{"sequence", "time_ns", "kind", "text"}], "seen": 41_000, "is_cut": "..."}

Without `since` (a frame's number, or a time) it is looked at from its end backwards, CHUNK frames
at a time, and the newest that were found are given. The writer does not notice. Worst case:
SECONDS_MAX of one thread; what was not looked at is said in `is_cut`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown

SECONDS_MAX, FRAMES_MAX, ROWS_MAX, TEXT_MAX = 2.0, 400_000, 500, 300
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for."""

    text: str = ""
    kind: str = ""
    since: str = ""
    limit: int = 100

    def checked(self) -> Wanted:
        """Itself, or a sentence."""
        from hftlib.core.journal import kinds

        where = "the search"
        if len(self.text) > 100 or not self.text.isprintable():
            raise InputError("This is no text to look for", where=where, do="Use 100 letters.")
        if self.kind and self.kind.upper() not in kinds.BY_NAME:
            do = f"Use one of: {', '.join(kinds.BY_NAME)}."
            raise InputError(f"There is no kind {shown(self.kind)}", where=where, do=do)
        if not 1 <= self.limit <= ROWS_MAX:
            do = f"Ask for 1 to {ROWS_MAX} rows."
            raise InputError(f"{self.limit} rows cannot be shown", where=where, do=do)
        self.bounds()
        return self

    def bounds(self) -> tuple[int, int | None]:
        """The first frame, 0: it is not said; and the first time."""
        from hftlib.core.times import to_ns

        if not self.since:
            return 0, None
        if self.since.isdecimal() and len(self.since) < 19:
            return int(self.since), None
        return 0, to_ns(self.since, zone="UTC", field="from")


def searched(folder: Path, wanted: Wanted) -> dict[str, Any]:
    """What was found, the newest last; how many frames were looked at."""
    first, since = wanted.bounds()
    search = _Search(wanted)
    if first or since is not None:
        search.look(folder, max(1, first), since, 0)
        return search.told()
    from hftlib.core.journal.reading import sealed_in

    begin, end = max(1, sealed_in(folder) - CHUNK), 0
    while True:  # from the end backwards, so that what is newest is found if time is over
        search.look(folder, begin, None, end)
        if begin == 1 or search.cut:
            return search.told()
        begin, end = max(1, begin - CHUNK), begin


class _Search:
    """What was found so far, and whether time, frames or rows are over."""

    def __init__(self, wanted: Wanted) -> None:
        from hftlib.core.journal import kinds

        self._wanted, self._sought = wanted, wanted.text.casefold()
        self._number = kinds.BY_NAME[wanted.kind.upper()].number if wanted.kind else 0
        self._until = time.monotonic() + SECONDS_MAX
        self._rows: list[dict[str, Any]] = []
        self._seen, self.cut = 0, ""

    def look(self, folder: Path, first: int, since: int | None, end: int) -> None:
        """From a frame on, or from a time; up to the frame `end`, where that is not 0."""
        from hftlib.core.journal import frames
        from hftlib.core.journal.layout import TIME_MIN

        rows: list[dict[str, Any]] = []
        is_forward = since is not None or (not end and self._wanted.since != "")
        for frame in frames(folder, first, since=TIME_MIN if since is None else since):
            if end and frame.sequence >= end:
                break
            if self._is_over(frame.sequence):
                break
            self._take(frame, rows)
            if is_forward and len(rows) == self._wanted.limit:
                self.cut = f"at frame {frame.sequence:,}: there may be more"
                break
        if not is_forward:
            every = rows + self._rows
            rows = every[-self._wanted.limit :]
            if len(rows) == self._wanted.limit and (first > 1 or len(every) > len(rows)):
                self.cut = self.cut or f"before frame {rows[0]['sequence']:,}: there may be more"
        self._rows = rows

    def told(self) -> dict[str, Any]:
        return {"rows": self._rows, "seen": self._seen, "is_cut": self.cut}

    def _take(self, frame: Any, rows: list[dict[str, Any]]) -> None:
        self._seen += 1
        if self._number and frame.kind != self._number:
            return
        text = _words(frame)
        if self._sought in f"{frame.name} {text}".casefold():
            rows.append(_row(frame, text))

    def _is_over(self, sequence: int) -> bool:
        if self._seen >= FRAMES_MAX:
            self.cut = f"after {FRAMES_MAX:,} frames, at frame {sequence:,}"
        elif self._seen % 64 == 0 and time.monotonic() > self._until:
            self.cut = f"after {SECONDS_MAX:.0f} s, at frame {sequence:,}"
        return bool(self.cut)


def _row(frame: Any, text: str) -> dict[str, Any]:
    return {
        "sequence": frame.sequence,
        "time_ns": frame.time,
        "kind": frame.name,
        "text": text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…",
    }


def _words(frame: Any) -> str:
    """Messages of sessions as what they say, all else as `hft journal show` has it."""
    from hftlib.core.journal import kinds, showing
    from hftlib.engine.live.telling import payload_text

    if frame.kind in (kinds.SESSION_IN, kinds.SESSION_OUT):
        return payload_text(frame.kind, frame.payload)
    if frame.kind == kinds.DIRECTIVE:
        return _directive(frame.payload)
    return showing.words(frame)


def _directive(payload: bytes) -> str:
    """What somebody told risk: who, why, what."""
    import numpy as np

    from hftlib.risk.authority import ROLES
    from hftlib.risk.controls import NAMES, TRADING_STATES
    from hftlib.risk.directives import DIRECTIVE, DIRECTIVES, SET_LIMIT, SET_PARAMETER, SET_STATE

    if len(payload) != DIRECTIVE.itemsize:
        return payload.hex(" ", 4)[:TEXT_MAX]
    one = np.frombuffer(payload, DIRECTIVE)[0]
    words = {n: bytes(one[n]).rstrip(b"\0").decode(errors="replace") for n in ("who", "why")}
    second = bytes(one["second"]).rstrip(b"\0").decode(errors="replace")
    role = int(one["role"])
    by = f"{words['who']} ({ROLES[role] if 0 <= role < len(ROLES) else role})"
    what, value, which = (int(one[name]) for name in ("what", "value", "which"))
    done = DIRECTIVES[what] if 0 <= what < len(DIRECTIVES) else str(what)
    if what == SET_STATE and 0 <= value < len(TRADING_STATES):
        done = TRADING_STATES[value]
    elif what == SET_LIMIT and 0 <= which < len(NAMES):
        done = f"limit {NAMES[which]}={value}"
    if second and what != SET_PARAMETER:
        by = f"{by} with {second}"
    return f"{by}: {done}, scope {int(one['scope'])}: {words['why']}"
