"""The life of an order as a table: what may happen, and what it makes of an order in each state.

    TABLE[state, happening] = (next state, how it is counted)

This is the law; `life.py`, `answering.py` and `filling.py` are the machine that keeps it. A test
drives the machine through every cell, and `docs/orders.md` is drawn from here. Nothing of this is
read on the tick path.

A happening is a report with what it means for the order it names: the same CANCELED is one thing
where all fills were told and another where some are still to come. `classify` in the tests says
which is which. Next states that hang on the order's own facts have names below.

Worst case: a cell that two rules give, or a kind that a state has no rule for, stops the import.
"""

from __future__ import annotations

from hftlib.core import orders
from hftlib.core.orders import (
    ENDING,
    FILLED_WHOLE,
    HELD,
    LIVE,
    OVER,
    PARTLY_FILLED,
    PENDING_CANCEL,
    PENDING_NEW,
    PENDING_REPLACE,
    STATES,
    UNKNOWN,
    WAS_CANCELED,
    WAS_EXPIRED,
    WAS_REFUSED,
    WAS_REJECTED,
)

# Rows beyond the states: an order of ours whose slot is another's by now, a number never given.
GONE, NONE = len(STATES), len(STATES) + 1
ROWS = (*range(HELD, len(STATES)), GONE, NONE)
ROW_NAMES = {**dict(enumerate(STATES)), GONE: "gone", NONE: "no order of ours"}

# How a report is counted, in `execution`: not at all, or in the field of this name.
TAKEN, REPEATED, LATE, IMPOSSIBLE, UNMATCHED = "", "repeated", "late", "impossible", "unmatched"

# Next states that hang on the order itself.
SAME = -1  # as it was
STANDS = -2  # as it stands now: see STANDING
ENDS = -3  # see STANDING
NEXT_NAMES = {SAME: "same", STANDS: "as it stands", ENDS: "over"}
STANDING = """
`as it stands`: `pending cancel` while a cancel is not answered, else `pending replace` while a
replace is not, else `partly filled` if anything is filled, else `pending new` while nothing has
shown that the venue has it, else `live`. `over`: `filled` if all that it asks for is, else
`expired` where the reason is that its time was over, else `canceled`.
"""

# name: (the report's kind, when it is this happening: the first one that fits)
HAPPENINGS = {
    "accepted again": (orders.ACCEPTED, "an acceptance was heard before"),
    "accepted": (orders.ACCEPTED, "else"),
    "rejected": (orders.REJECTED, "nothing has shown yet that the venue has it"),
    "rejected late": (orders.REJECTED, "else"),
    "filled by none": (orders.FILLED, "not above zero, or of a gone order without its side"),
    "filled again": (orders.FILLED, "this order and match number were told before"),
    "filled late": (orders.FILLED, "the order is over, gone or none of ours"),
    "filled in part": (orders.FILLED, "more may still be filled"),
    "filled whole": (orders.FILLED, "nothing more can be filled"),
    "filled beyond": (orders.FILLED, "more than was asked for in all"),
    "canceled early": (orders.CANCELED, "it took off less than we count: fills are to come"),
    "canceled": (orders.CANCELED, "else"),
    "expired early": (orders.EXPIRED, "it took off less than we count: fills are to come"),
    "expired": (orders.EXPIRED, "else"),
    "replaced again": (
        orders.REPLACED,
        "heard before, by its number or since none is under way now",
    ),
    "replaced unasked": (orders.REPLACED, "no replace is under way, nor was one done before"),
    "replaced": (orders.REPLACED, "something stays open"),
    "replaced to nothing": (orders.REPLACED, "nothing stays open"),
    "cancel rejected again": (orders.CANCEL_REJECTED, "heard before, by its number"),
    "cancel not asked": (orders.CANCEL_REJECTED, "no cancel is under way"),
    "cancel of unknown": (orders.CANCEL_REJECTED, "the venue does not know the order"),
    "cancel rejected": (orders.CANCEL_REJECTED, "else"),
    "replace rejected again": (orders.REPLACE_REJECTED, "heard before, by its number"),
    "replace not asked": (orders.REPLACE_REJECTED, "no replace is under way"),
    "replace for nothing": (orders.REPLACE_REJECTED, "without the replace nothing is open"),
    "replace of unknown": (orders.REPLACE_REJECTED, "the venue does not know the order"),
    "replace rejected": (orders.REPLACE_REJECTED, "else"),
    "restated again": (orders.RESTATED, "heard before, by its number"),
    "restated late": (orders.RESTATED, "something newer was heard, by their numbers"),
    "restated below none": (orders.RESTATED, "the quantity is below zero"),
    "restated to nothing": (orders.RESTATED, "nothing stays open"),
    "restated": (orders.RESTATED, "else"),
    "broken by none": (orders.BROKEN, "it names no trade, or no order of ours"),
    "broken": (orders.BROKEN, "a trade that was counted"),
    "broken again": (orders.BROKEN, "a break that was told before"),
    "broken early": (orders.BROKEN, "a trade that was not told yet, or is forgotten"),
    "lost": (orders.LOST, "always"),
    "cut off": (orders.DISCONNECTED, "always"),
    "found known": (orders.RECONCILED, "what became of it is known"),
    "found against": (orders.RECONCILED, "below none is open, or less is filled than was told"),
    "found open": (orders.RECONCILED, "something is open"),
    "found over": (orders.RECONCILED, "nothing is open, and all fills were told"),
    "found over early": (orders.RECONCILED, "nothing is open, and fills are to come"),
    "no report": (0, "always"),
}

_BEFORE = (HELD,)
_SENT = (PENDING_NEW, LIVE, PARTLY_FILLED, PENDING_REPLACE, PENDING_CANCEL)
_OPEN = (*_SENT, UNKNOWN)
_AT_VENUE = (*_OPEN, ENDING)
_SHOWN = (LIVE, PARTLY_FILLED, PENDING_REPLACE, PENDING_CANCEL, UNKNOWN)  # the venue has had it
_REPLACING = (PENDING_REPLACE, PENDING_CANCEL, UNKNOWN)  # a replace may be under way
_STOPPED = (WAS_CANCELED, WAS_EXPIRED)
_WERE_THERE = (FILLED_WHOLE, *_STOPPED)
_NEVER = (WAS_REJECTED, WAS_REFUSED)
_ENDED = (*_WERE_THERE, *_NEVER)
_ALL = (*_BEFORE, *_AT_VENUE, *_ENDED, GONE, NONE)
_OURS = _ALL[:-1]
assert tuple(sorted(_ALL)) == ROWS and min(_ENDED) == OVER

_Rule = tuple[tuple[int, ...], int, str]
# The venue speaks of an order that is held: it has what we thought had never left.
_HELD: _Rule = (_BEFORE, UNKNOWN, IMPOSSIBLE)
_GONE: _Rule = ((GONE,), SAME, LATE)
_NONE: _Rule = ((NONE,), SAME, IMPOSSIBLE)
_REST = (_HELD, _GONE, _NONE)
_ENDING: _Rule = ((ENDING,), SAME, TAKEN)
# Of orders that are over: overtaken by the end, or against it.
_OVERTAKEN: tuple[_Rule, ...] = ((_WERE_THERE, SAME, LATE), (_NEVER, SAME, IMPOSSIBLE))
_LATE_NO: tuple[_Rule, ...] = (
    ((*_WERE_THERE, WAS_REJECTED), SAME, LATE),
    ((WAS_REFUSED,), SAME, IMPOSSIBLE),
)
_END: tuple[_Rule, ...] = (
    (_OPEN, ENDS, TAKEN),
    ((ENDING, *_STOPPED), SAME, REPEATED),
    ((FILLED_WHOLE, *_NEVER), SAME, IMPOSSIBLE),
    *_REST,
)
_END_EARLY: tuple[_Rule, ...] = ((_OPEN, ENDING, TAKEN),)
_ALWAYS_IMPOSSIBLE: tuple[_Rule, ...] = ((_ALL, SAME, IMPOSSIBLE),)

_RULES: dict[str, tuple[_Rule, ...]] = {
    "accepted again": (((*_SHOWN, ENDING, *_WERE_THERE), SAME, REPEATED),),
    "accepted": ((_OPEN, STANDS, TAKEN), _ENDING, *_OVERTAKEN, *_REST),
    "rejected": (
        ((PENDING_NEW, *_REPLACING), WAS_REJECTED, TAKEN),
        ((ENDING,), SAME, IMPOSSIBLE),
    ),
    "rejected late": (
        (_SHOWN, UNKNOWN, IMPOSSIBLE),
        ((ENDING, *_WERE_THERE, WAS_REFUSED), SAME, IMPOSSIBLE),
        ((WAS_REJECTED,), SAME, REPEATED),
        *_REST,
    ),
    "filled by none": _ALWAYS_IMPOSSIBLE,
    "filled again": (((*_SHOWN, ENDING, *_ENDED, GONE), SAME, REPEATED),),
    "filled late": (
        (_STOPPED, SAME, LATE),
        ((FILLED_WHOLE, *_NEVER), SAME, IMPOSSIBLE),
        _GONE,
        _NONE,
    ),
    "filled in part": ((_SENT, STANDS, TAKEN), ((UNKNOWN, ENDING), SAME, TAKEN), _HELD),
    "filled whole": (
        (_OPEN, FILLED_WHOLE, TAKEN),
        ((ENDING,), ENDS, TAKEN),
        (_BEFORE, FILLED_WHOLE, IMPOSSIBLE),
    ),
    "filled beyond": (
        ((*_BEFORE, *_OPEN), FILLED_WHOLE, IMPOSSIBLE),
        ((ENDING,), ENDS, IMPOSSIBLE),
    ),
    "canceled early": _END_EARLY,
    "canceled": _END,
    "expired early": _END_EARLY,
    "expired": _END,
    "replaced again": (((*_SHOWN, ENDING), SAME, REPEATED),),
    "replaced unasked": (
        (
            (PENDING_NEW, LIVE, PARTLY_FILLED, PENDING_CANCEL, UNKNOWN, ENDING),
            SAME,
            IMPOSSIBLE,
        ),
        *_OVERTAKEN,
        *_REST,
    ),
    "replaced": ((_REPLACING, STANDS, TAKEN), _ENDING),
    "replaced to nothing": ((_REPLACING, FILLED_WHOLE, TAKEN), ((ENDING,), ENDS, TAKEN)),
    "cancel rejected again": (((PENDING_NEW, *_SHOWN, ENDING), SAME, REPEATED),),
    "cancel not asked": (
        ((UNKNOWN, ENDING), SAME, LATE),
        ((PENDING_NEW, LIVE, PARTLY_FILLED, PENDING_REPLACE), SAME, IMPOSSIBLE),
        *_LATE_NO,
        *_REST,
    ),
    "cancel of unknown": (((PENDING_CANCEL, UNKNOWN), UNKNOWN, TAKEN), _ENDING),
    "cancel rejected": (((PENDING_CANCEL, UNKNOWN), STANDS, TAKEN), _ENDING),
    "replace rejected again": (((*_SHOWN, ENDING), SAME, REPEATED),),
    "replace not asked": (
        ((UNKNOWN, ENDING), SAME, LATE),
        ((PENDING_NEW, LIVE, PARTLY_FILLED, PENDING_CANCEL), SAME, IMPOSSIBLE),
        *_LATE_NO,
        *_REST,
    ),
    "replace for nothing": ((_REPLACING, FILLED_WHOLE, TAKEN), ((ENDING,), ENDS, TAKEN)),
    "replace of unknown": ((_REPLACING, UNKNOWN, TAKEN), _ENDING),
    "replace rejected": ((_REPLACING, STANDS, TAKEN), _ENDING),
    "restated again": ((_SHOWN, SAME, REPEATED),),
    "restated late": ((_SHOWN, SAME, LATE),),
    "restated below none": ((_OPEN, SAME, IMPOSSIBLE),),
    "restated to nothing": ((_OPEN, ENDS, TAKEN),),
    "restated": ((_OPEN, STANDS, TAKEN), ((ENDING,), SAME, LATE), *_OVERTAKEN, *_REST),
    "broken by none": _ALWAYS_IMPOSSIBLE,
    "broken": (
        ((PARTLY_FILLED, PENDING_REPLACE, PENDING_CANCEL), STANDS, TAKEN),
        ((UNKNOWN, ENDING, *_ENDED, GONE), SAME, TAKEN),
    ),
    "broken again": ((_OURS, SAME, REPEATED),),
    "broken early": ((_OURS, SAME, UNMATCHED),),
    "lost": (
        (_SENT, UNKNOWN, TAKEN),
        ((UNKNOWN,), SAME, REPEATED),
        ((*_BEFORE, ENDING, *_ENDED, GONE), SAME, LATE),
        _NONE,
    ),
    "cut off": (
        (_SENT, UNKNOWN, TAKEN),
        ((*_BEFORE, UNKNOWN, ENDING, *_ENDED, GONE, NONE), SAME, TAKEN),
    ),
    "found known": (((*_BEFORE, *_SENT, *_ENDED, GONE), SAME, LATE), _NONE),
    "found against": (((UNKNOWN, ENDING), SAME, IMPOSSIBLE),),
    "found open": (((UNKNOWN,), STANDS, TAKEN), ((ENDING,), SAME, LATE)),
    "found over": (((UNKNOWN, ENDING), ENDS, TAKEN),),
    "found over early": (((UNKNOWN,), ENDING, TAKEN), _ENDING),
    "no report": _ALWAYS_IMPOSSIBLE,
}


def _spread() -> dict[tuple[int, str], tuple[int, str]]:
    """The rules as one cell for each state and happening; a pair that has none cannot be."""
    made: dict[tuple[int, str], tuple[int, str]] = {}
    for happening in HAPPENINGS:
        for rows, following, counted in _RULES[happening]:
            for row in rows:
                assert (row, happening) not in made, f"two rules for {happening} when {row}"
                made[row, happening] = (following, counted)
    for row in ROWS:
        kinds = {HAPPENINGS[name][0] for other, name in made if other == row}
        assert kinds == {kind for kind, _ in HAPPENINGS.values()}, f"no rule when {row}"
    return made


TABLE = _spread()
