"""OUCH's letters as the engine's codes and back, by the byte: what each side of the floor looks up.

    SIDES_IN[ord("T")] ─▶ SHORT       SIDES_OUT[SHORT] ─▶ ord("T")

A letter that is none is NONE_SUCH, which the engine refuses with the reason of that field. OUCH
5.0's own list of what self-match prevention may do is not public; the letters here are ours:

    N the newest is cancelled    O the oldest    B both    D both lose what they would have traded

Worst case: none, these are tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.ouch.codes import REJECTS
from hftlib.venue.matching import reasons as why
from hftlib.venue.matching import records as r

NONE_SUCH = 255
Table = np.ndarray[Any, Any]


def _into(letters: str, codes: tuple[int, ...]) -> Table:
    table = np.full(256, NONE_SUCH, np.int64)
    for letter, code in zip(letters, codes, strict=True):
        table[ord(letter)] = code
    return table


def _out(letters: str, codes: tuple[int, ...]) -> Table:
    table = np.full(256, ord(" "), np.int64)
    for letter, code in zip(letters, codes, strict=True):
        table[code] = ord(letter)
    return table


_SIDES = ("BSTE", (r.BUY, r.SELL, r.SHORT, r.EXEMPT))
_LASTING = ("0356", (r.DAY, r.IOC, r.GTX, r.GTT))
_SHOWING = ("YNA", (r.SHOWN, r.HIDDEN, r.ATTRIBUTED))
_CROSSES = ("NOCH", (r.CONTINUOUS, r.OPENING, r.CLOSING, r.REOPENING))
_PREVENTIONS = ("NOBD", (r.NEWEST, r.OLDEST, r.BOTH, r.DECREMENT))
SIDES_IN, SIDES_OUT = _into(*_SIDES), _out(*_SIDES)
LASTS_IN, LASTS_OUT = _into("0356E", (*_LASTING[1], r.GTX)), _out(*_LASTING)
SHOWS_IN, SHOWS_OUT = _into(*_SHOWING), _out(*_SHOWING)
CROSSES_IN, CROSSES_OUT = _into(*_CROSSES), _out(*_CROSSES)
PREVENTIONS_IN, PREVENTIONS_OUT = _into(*_PREVENTIONS), _out(*_PREVENTIONS)
# A market peg follows the other side, a primary peg its own.
STYLES_IN = _into("LPRMm", (r.PLAIN, r.PEG_OTHER, r.PEG_SAME, r.PEG_MID, r.PEG_MID))
STATES_OUT = _out("HQTHP", (r.CLOSED, r.AUCTION, r.TRADING, r.HALTED, r.PAUSED))
PUBLIC_SIDES = _out("BSSS", _SIDES[1])
LIQUIDITY_OUT = _out("ARJ", (r.ADDS, r.REMOVES, r.ADDS_UNSEEN))
CANCELS_OUT = np.array([ord(letter or "Z") for letter in why.LETTERS], np.int64)

_REJECTS = {
    0x02: (why.NOT_OPEN,),
    0x03: (why.BAD_DISPLAY,),
    0x05: (why.BAD_STYLE,),
    0x07: (why.IS_HALTED, why.NOT_TRADING),
    0x09: (why.NO_SIDE,),
    0x0A: (why.NO_ROOM,),
    0x0C: (why.NO_SESSION, why.NO_FIRM, why.FIRM_DISABLED),
    0x0D: (why.BAD_MINIMUM,),
    0x13: (why.BAD_QUANTITY,),
    0x14: (why.BAD_CROSS,),
    0x15: (why.NO_ORDER,),
    0x17: (why.NO_SYMBOL,),
    0x1D: (why.BAD_PRICE, why.OFF_GRID),
}
OTHER_REASON = 0x0F
REJECTS_OUT = np.full(len(why.NAMES), OTHER_REASON, np.int64)
for _code, _reasons in _REJECTS.items():
    assert _code in REJECTS
    REJECTS_OUT[list(_reasons)] = _code
