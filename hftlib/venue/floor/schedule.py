"""What an exchange does by itself at given times: auctions, crosses, halts, the end of the day.

    schedule.next_at()       when the next doing is due; NEVER: none is left
    schedule.do(exchange)    the next one, for each of its symbols

Worst case: what the engine refuses (a cross of what does not gather) is noted, and the day goes on.
"""

from __future__ import annotations

from typing import Any

from hftlib.venue.floor.doings import DoingTable, FaultTable
from hftlib.venue.matching import records as r

SECOND_NS = 1_000_000_000
NEVER = 1 << 62
_STATES = {
    "auction": r.AUCTION,
    "trade": r.TRADING,
    "halt": r.HALTED,
    "pause": r.PAUSED,
    "close": r.CLOSED,
}
_CROSSES = {
    "opening": (r.OPENING, r.TRADING),
    "closing": (r.CLOSING, r.CLOSED),
    "reopening": (r.REOPENING, r.TRADING),
}


class Schedule:
    """The doings of a day, in order of time; of one time, in order of the file."""

    def __init__(self, doings: list[DoingTable], first: int, midnight: int) -> None:
        timed = [(time_of(one, first, midnight), one) for one in doings]
        self._left = sorted(timed, key=lambda pair: pair[0])

    def add(self, doing: DoingTable, now: int, midnight: int) -> None:
        """One more, told now; of one time the last."""
        due = time_of(doing, now, midnight)
        self._left = sorted([*self._left, (due, doing)], key=lambda pair: pair[0])

    def next_at(self) -> int:
        return self._left[0][0] if self._left else NEVER

    def do(self, exchange: Any) -> None:
        """The next doing. What was refused is in the exchange's notes."""
        _, doing = self._left.pop(0)
        if doing.do == "end":
            exchange.end()
            return
        if doing.do == "trade" or doing.do.endswith(("opening cross", "reopening cross")):
            exchange.opens()
        for symbol in doing.symbols or exchange.parts.symbols:
            refused = exchange.command(**_command(doing, symbol))
            if refused:
                exchange.notes.append(f"{doing.do} of {symbol}: {refused}")


def _command(doing: DoingTable, symbol: str) -> dict[str, Any]:
    """The engine's command that does it for one symbol."""
    reason = int.from_bytes(doing.reason.ljust(4).encode("ascii"), "big") if doing.reason else 0
    if doing.do in _STATES:
        kind = {"kind": r.SET_STATE, "state": _STATES[doing.do]}
        return {**kind, "symbol": symbol, "reason": reason}
    first, _, last = doing.do.partition(" ")
    if first == "indicate":
        return {"kind": r.INDICATE, "symbol": symbol, "cross": _CROSSES[last][0]}
    cross, state = _CROSSES[first]
    kind = {"kind": r.CROSS, "cross": cross, "state": state}
    return {**kind, "symbol": symbol, "reason": reason}


def time_of(doing: DoingTable | FaultTable, first: int, midnight: int) -> int:
    """When it is due: so long after the first time, or at a time of day."""
    if doing.at is None:
        return first + round((doing.after_seconds or 0.0) * SECOND_NS)
    hours, minutes, *seconds = map(int, doing.at.split(":"))
    return midnight + (3600 * hours + 60 * minutes + sum(seconds)) * SECOND_NS
