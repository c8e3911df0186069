"""What a runner holds, said so that another can take it over, and the words in which it does.

    told = carried_of(live)              positions and scopes by name, as plain values
    words = words_of(live, told)         the same for another runner's memory: one frame
    last_word(folder)                    what a journal that was closed says last; None: it is open

Names are what both know: strategies, instruments with their venue, scopes. Where one has another
name the other's only strategy stands for it; what has no place here is refused with a sentence.

Worst case: a row for each instrument of each strategy that ever traded.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames, sealed_in
from hftlib.core.journal.walking import is_live
from hftlib.engine.live.laying import Live
from hftlib.engine.live.memory import CARRIED
from hftlib.engine.seating import Seat
from hftlib.risk.controls import ACTIVE, TRADING_STATES

NUMBERS = ("quantity", "cash", "fees", "bought", "sold", "fills")
Told = dict[str, Any]
_DO = "Switch to one that knows the same, or flatten and begin a day of its own."


def carried_of(live: Live) -> Told:
    """All that it holds; positions that never were anything are left out."""
    rows = [row for seat in live.session.seats for row in _positions(live, seat)]
    room, states = live.session.risk, live.session.arena["scopes"]
    scopes = []
    for name, one in zip(room.names, states, strict=False):
        held = int(one["held_from"])
        state = held - 1 if held else int(one["state"])  # what it has again when it goes on
        scopes.append({"scope": name, "state": TRADING_STATES[state], "peak": int(one["peak"])})
    return {
        "strategies": [seat.name for seat in live.session.seats],
        "positions": rows,
        "scopes": [one for one in scopes if one["peak"] or one["state"] != TRADING_STATES[ACTIVE]],
    }


def _positions(live: Live, seat: Seat) -> list[Told]:
    made = []
    for one in seat.instruments:
        row = seat["positions"][one.row]
        numbers = {name: int(row[name]) for name in NUMBERS}
        if any(numbers.values()):
            cost = int(_holdings(live, seat)[one.row]["cost"])
            made.append({"strategy": seat.name} | _named(seat, one) | numbers | {"cost": cost})
    return made


def _holdings(live: Live, seat: Seat) -> Any:
    """What risk keeps of a strategy, by instrument."""
    header = live.session.arena["risk"][0]
    count = len(seat.instruments) + 1
    begin = (1 + int(header["portfolios"]) + seat.number) * count
    return live.session.arena["holdings"][begin : begin + count]


def _named(seat: Seat, one: Any) -> Told:
    """What an instrument is called, and in which units its numbers are."""
    units = [str(one.price_unit.size), str(one.lot_unit.size), one.currency]
    times = int(seat.instruments.table[one.row]["multiplier"])
    return {"symbol": one.symbol, "venue": one.venue, "units": [*units, str(times)]}


def words_of(live: Live, told: Mapping[str, Any], where: str) -> np.ndarray[Any, Any]:
    """The frame that makes it ours: of this memory's own numbers."""
    seats = {seat.name: seat for seat in live.session.seats}
    given = list(told["strategies"])
    known = dict(zip(given, given, strict=True))
    if not set(given) <= set(seats) and len(seats) == len(given) == 1:
        known = {given[0]: next(iter(seats))}
    positions = [_position(seats, known, one, where) for one in told["positions"]]
    scopes = [row for one in told["scopes"] for row in _scope(live, known, one, where)]
    rows = [word for one in (*positions, *scopes) for word in one]
    return np.array([CARRIED, len(positions), len(scopes), *rows], np.int64)


def _position(
    seats: Mapping[str, Seat], known: Mapping[str, str], told: Mapping[str, Any], where: str
) -> list[int]:
    name = told["strategy"]
    seat = seats.get(known.get(name, ""))
    if seat is None:
        what = f"The other runner's {name} holds what no strategy here takes over"
        raise InputError(what, where=where, do=_DO)
    for one in seat.instruments:
        if (one.symbol, one.venue) == (told["symbol"], told["venue"]):
            if _named(seat, one)["units"] != told["units"]:
                what = f"{one.symbol} is counted in other units by the other runner"
                raise InputError(what, where=where, do=_DO)
            numbers = [int(told[number]) for number in (*NUMBERS, "cost")]
            return [seat.number, one.row, *numbers]
    what = f"The other runner trades {told['symbol']} of {told['venue']}, and this one does not"
    raise InputError(what, where=where, do=_DO)


def _scope(
    live: Live, known: Mapping[str, str], told: Mapping[str, Any], where: str
) -> list[list[int]]:
    """Its row; nothing of a scope that is not here and may trade."""
    kind, colon, name = told["scope"].partition(":")
    here = f"{kind}{colon}{known.get(name, name) if kind == 'strategy' else name}"
    names = list(live.session.risk.names)
    state = TRADING_STATES.index(told["state"])
    if here in names:
        return [[names.index(here), state, int(told["peak"])]]
    if state == ACTIVE:
        return []
    what = f"{told['scope']} is {told['state']} there, and there is no such scope here"
    raise InputError(what, where=where, do="Lift it there first, or switch to one that has it.")


def last_word(folder: Path | str) -> Told | None:
    """What the journal was closed with; None where somebody writes it, or it was cut off."""
    if is_live(Path(folder)):
        return None
    last = next(iter(deque(frames(folder, max(1, sealed_in(folder))), maxlen=1)), None)
    if last is None or last.kind != kinds.CLOSED:
        return None
    return dict(json.loads(last.payload))
