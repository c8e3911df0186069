"""Two journals of one feed: what both heard, and the moments of one by the clock of the other.

    shared = shared_of(mine, other)        two `journal_result`s with what their first frames say
    shared.begin, .end                     ns, by the first one's clock: what both heard live
    shared.times[1](moments)               the second one's moments by the first one's clock
    shared.cut                             sentences on what was left out

The messages of a feed have numbers, so it is by these that two runners are laid beside each other,
and not by their clocks: a moment of one is as far behind the last message that it had heard as the
same moment of the other. Feeds of other venues, days or contents are refused.

Worst case: an array as long as each feed, and one search for each moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import GAP, RECOVERED, RECOVERED_LATE
from hftlib.core.units import shown

Array = np.ndarray[Any, Any]
_SAID = ("kind", "reference", "side", "price", "quantity")
_WHERE = "hft rollout compare"


@dataclass(frozen=True, slots=True)
class Shared:
    """What both heard."""

    begin: int
    end: int
    messages: int
    times: tuple[Callable[[Array], Array], Callable[[Array], Array]]
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    """The first event of each message of one venue's feed, and when it reached us."""

    name: str
    numbers: Array
    received: Array
    events: Array
    live: int  # the place of the first one that was heard when it was sent


def shared_of(results: tuple[Any, Any], abouts: tuple[Any, Any], names: tuple[str, str]) -> Shared:
    """The span of both, or a sentence on why there is none."""
    venue = _same_day(abouts, names)
    one, other = (_heard(result, venue, name) for result, name in zip(results, names, strict=True))
    for heard in (one, other):
        if not len(heard.numbers):
            raise _none(heard.name, "it has heard nothing of the feed")
    first = max(heard.numbers[heard.live] for heard in (one, other))
    last = min(heard.numbers[-1] for heard in (one, other))
    if first >= last:
        raise _none(other.name, f"when it ran, {one.name} did not")
    _require_alike(one, other, first, last)
    begin, end = (int(one.received[_place(one.numbers, number)]) for number in (first, last))
    same = np.intersect1d(one.numbers, other.numbers)
    ours, theirs = one.received[_places(one, same)], other.received[_places(other, same)]

    def as_heard(moments: Array) -> Array:
        return _by_other(np.maximum.accumulate(theirs), np.maximum.accumulate(ours), moments)

    def as_it_is(moments: Array) -> Array:
        return np.asarray(moments)

    cut = [*_cut(one, first, last), *_cut(other, first, last)]
    return Shared(begin, end, int(last - first + 1), (as_it_is, as_heard), tuple(cut))


def _same_day(abouts: tuple[Any, Any], names: tuple[str, str]) -> str:
    """The venue whose feed both are laid beside each other by; refused where days are two."""
    told = []
    for about in abouts:
        feeds = about.get("feeds") or []
        told.append({(f["venue"], f["session"], f["midnight_ns"]) for f in feeds})
    same = sorted(told[0] & told[1])
    if not same:
        here, there = (
            ", ".join(f"{venue} {session}" for venue, session, _ in sorted(one)) for one in told
        )
        what = f"{names[0]} heard {here}, and {names[1]} {there}, or another day of it"
        raise InputError(what, where=_WHERE, do="Give two journals of one feed on one day.")
    return str(same[0][0])


def _heard(result: Any, venue: str, name: str) -> _Heard:
    found, table = result.tape.events, result.tape.instruments
    here = np.array([one.venue == venue for one in table] or [True])
    row = found["instrument"]
    known = row < len(here)
    mine = ~known | here[np.where(known, row, 0)]
    told = mine & (found["sequence"] > 0) & (found["received"] != 0)
    told &= ~np.isin(found["kind"], (GAP, RECOVERED))
    found = found[told]
    numbers, at = np.unique(found["sequence"], return_index=True)
    found = found[at]
    late = found["flags"] & RECOVERED_LATE != 0
    live = 0 if not late.any() else int(np.argmin(late)) if not late.all() else len(late) - 1
    return _Heard(name, numbers.astype(np.int64), found["received"], found, live)


def _require_alike(one: _Heard, other: _Heard, first: int, last: int) -> None:
    """Feeds that have a name in common may still be two: their messages then say other things."""
    same = np.intersect1d(one.numbers, other.numbers)
    same = same[(same >= first) & (same <= last)]
    mine, theirs = one.events[_places(one, same)], other.events[_places(other, same)]
    wrong = np.zeros(len(same), bool)
    for field in _SAID:
        wrong |= mine[field] != theirs[field]
    if not len(same) or wrong.any():
        number = int(same[np.argmax(wrong)]) if len(same) else int(first)
        what = f"{one.name} and {other.name} heard two feeds: message {number:,} of each is another"
        raise InputError(what, where=_WHERE, do="Give two journals of one feed on one day.")


def _by_other(theirs: Array, ours: Array, moments: Array) -> Array:
    """Moments of their clock by ours: so long after the last message, but before the next one."""
    moments = np.asarray(moments)
    at = np.searchsorted(theirs, moments, side="right") - 1
    last = np.maximum(at, 0)
    following = np.append(ours[1:], np.iinfo(np.int64).max)[last]
    since = ours[last] + np.maximum(moments - theirs[last], 0)
    before = ours[0] - (theirs[0] - moments)
    return np.where(at >= 0, np.minimum(since, following), before)


def _places(heard: _Heard, numbers: Array) -> Array:
    return np.searchsorted(heard.numbers, numbers)


def _place(numbers: Array, number: int) -> int:
    """That of the message, or of the next one that was heard."""
    return min(int(np.searchsorted(numbers, number)), len(numbers) - 1)


def _cut(heard: _Heard, first: int, last: int) -> list[str]:
    """What of it the other one did not hear, in seconds of its own clock."""
    begin, end = _place(heard.numbers, first), _place(heard.numbers, last)
    told = []
    for word, messages, ns in (
        ("first", begin, heard.received[begin] - heard.received[0]),
        ("last", len(heard.numbers) - 1 - end, heard.received[-1] - heard.received[end]),
    ):
        if messages:
            told.append(f"of {heard.name} the {word} {messages:,} messages, {ns / 1e9:,.2f} s")
    return told


def _none(name: str, why: str) -> InputError:
    what = f"{shown(name)} cannot be compared: {why}"
    return InputError(what, where=_WHERE, do="Give two journals that ran beside each other.")
