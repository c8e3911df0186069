"""An order's life as a picture, with the times between its steps.

    hft.journey(result, 17)               of a backtest, or of hft.journal_result("day.journal")
    hft.journey("day.journal", 17)        of a runner: each message as it went over the wire

    decided ─ sent ─ venue has it ─ heard ─ in the queue behind so many ─ filled ─ heard ─ over

A result knows the ends of each leg; a journal has every message, each with the frame it came in and
the frame that it was decided on. The time between a decision and the kernel is not in the journal's
frames, which have one time for both: the medians of each stage that the runner measured are said
behind the first. Times of the venue are by its clock, and stand where ours allow them.

Worst case: a journal is read once to its end, 2 us a frame and 40 us a message of a session.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.events import SIDES
from hftlib.core.journal import Frame, frames, kinds
from hftlib.core.orders import REASONS, STATES
from hftlib.core.times import duration_text, to_text
from hftlib.core.units import is_whole, shown
from hftlib.engine.live.decoding import Decoder
from hftlib.lab.picture import Picture
from hftlib.research.journal_files import TOLD_FRAMES
from hftlib.research.journal_result import about_of
from hftlib.research.result import Result
from hftlib.research.sheets import Sheet
from hftlib.terminal import patience

WHERE = "hft.journey(source, order)"
STEPS_MAX = 200
_CAUSES = {"DATAGRAM": "market data", "TIMER": "a timer", "SESSION_IN": "an answer"}
_CAUSES |= {"DIRECTIVE": "a person's word"}
_MORE = ("reason", "liquidity", "match", "decrement")
Step = dict[str, Any]


def journey(source: Any, order: int) -> Picture:
    """The life of one order of a result, or of a runner's journal."""
    if not is_whole(order) or order < 1:
        do = "Give its number: `result.orders` and `hft journal show` have it."
        raise InputError(f"{shown(order)} is no number of an order", where=WHERE, do=do)
    if isinstance(source, Result):
        title, steps = _of_result(source, int(order))
    elif isinstance(source, str | Path):
        title, steps = _of_journal(Path(source), int(order))
    else:
        do = "Give a result, or the folder of a runner's journal."
        raise InputError(f"{shown(source)} has no orders", where=WHERE, do=do)
    told = {"title": title, "steps": steps[:STEPS_MAX]}
    return Picture("journey", told, _page)


def _of_result(result: Result, order: int) -> tuple[str, list[Step]]:
    orders, fills = result.records["orders"], result.records["fills"]
    found = orders[orders["id"] == order]
    if not len(found):
        raise _none(order, len(orders), f"{result!r}")
    one = found[0]
    instrument = result.instruments[int(one["instrument"])]
    units, lots = instrument.price_unit, instrument.lot_unit
    what = f"{SIDES[int(one['side'])]} {lots.text(int(one['quantity']))} {instrument.symbol}"
    price = units.text(int(one["price"])) if one["price"] else "the market"
    moved = f", replaced {int(one['replaces'])} times: this is its last price"
    steps = [_step(one["sent"], "sent", f"{what} at {price}{moved if one['replaces'] else ''}")]
    steps.append(_step(one["venue_accepted"], "venue", "the venue has it"))
    steps.append(_step(one["accepted"], "accepted", "its acceptance reached us"))
    for fill in fills[fills["order"] == order]:
        size, at = lots.text(int(fill["quantity"])), units.text(int(fill["price"]))
        if fill["entered"] and not fill["taker"]:
            ahead = lots.text(int(fill["ahead"]))
            steps.append(_step(fill["entered"], "queue", f"a place at {at}, {ahead} before it"))
        role = "took" if fill["taker"] else "stood and was filled"
        steps.append(_step(fill["time"], "filled", f"{role}: {size} at {at}"))
        steps.append(_step(fill["received"], "heard", f"of the fill of {size} at {at}"))
    why = f": {REASONS[int(one['reason'])]}" if one["reason"] else ""
    steps.append(_step(one["done"], "over", f"{STATES[int(one['state'])]}{why}"))
    return f"order {order}: {what}", _in_order(steps)


def _step(time: Any, kind: str, text: str) -> Step:
    return {"time_ns": str(int(time)), "kind": kind, "text": text}


def _in_order(steps: list[Step]) -> list[Step]:
    """By time, those of no time left out, and each told once."""
    made: list[Step] = []
    for one in sorted((one for one in steps if int(one["time_ns"]) > 0), key=_time):
        if one not in made:
            made.append(one)
    return made


def _time(step: Step) -> int:
    return int(step["time_ns"])


def _of_journal(folder: Path, order: int) -> tuple[str, list[Step]]:
    if not folder.is_dir():
        do = "Give the folder that `hft live --journal FOLDER` wrote."
        raise InputError(f"There is no journal {str(folder)!r}", where=WHERE, do=do)
    about = about_of(folder)
    heard = _Heard(order, about)
    with patience() as advance:
        for frame in frames(folder):
            heard.take(frame)
            if frame.sequence % TOLD_FRAMES == 0:
                advance(0.0, f"frame {frame.sequence:,}")
    if not heard.steps:
        raise _none(order, heard.most, str(folder))
    if heard.measured:  # stands where it belongs: between a decision and its first byte
        heard.steps.insert(1, heard.steps[0] | heard.measured)
    return f"order {order}: {heard.what}", heard.steps


class _Heard:
    """The messages of one order, as they pass."""

    def __init__(self, order: int, about: Mapping[str, Any]) -> None:
        self.order, self.most, self.what = order, 0, ""
        self.measured: Step = {}
        self.steps: list[Step] = []
        self._decoder = Decoder(about)
        self._midnights = [int(one["midnight_ns"]) for one in about.get("links", ())]
        self._urns: dict[tuple[int, int], int] = {}
        self._cause: Frame | None = None

    def take(self, frame: Frame) -> None:
        if frame.kind in (kinds.SESSION_IN, kinds.SESSION_OUT):
            for told in self._decoder.take(frame):
                self._message(frame, told)
        elif frame.kind == kinds.CLOSED:
            self.measured = _measured(frame)
        if frame.kind != kinds.SESSION_OUT:
            self._cause = frame

    def _message(self, frame: Frame, told: Mapping[str, Any]) -> None:
        source, urn = frame.source, int(told.get("urn") or 0)
        if frame.kind == kinds.SESSION_OUT and str(told.get("client_id", "")).strip().isdigit():
            number = int(told["client_id"])
            self._urns[source, urn] = number
            self.most = max(self.most, number)
        if self._urns.get((source, urn)) != self.order:
            return
        what, text = str(told["what"]), _text(told)
        if frame.kind == kinds.SESSION_OUT:
            if not self.steps:
                self.what = text
            self.steps += self._decided(frame)
            self.steps.append(_framed(frame, "sent", f"{what} {text}"))
            return
        self.steps.append(_framed(frame, what, f"{text}{self._ago(frame, told)}"))

    def _decided(self, frame: Frame) -> Iterator[Step]:
        cause = self._cause
        if cause is not None:
            name = _CAUSES.get(cause.name, cause.name)
            yield _framed(frame, "decided", f"on {name}, frame {cause.sequence:,}")

    def _ago(self, frame: Frame, told: Mapping[str, Any]) -> str:
        """How long before we heard of it the venue says it did it."""
        stamp, midnights = told.get("timestamp"), self._midnights
        if not isinstance(stamp, int) or frame.source >= len(midnights):
            return ""
        ago = frame.time - midnights[frame.source] - stamp
        return f"; the venue's time is {duration_text(ago)} before" if ago >= 0 else ""


def _framed(frame: Frame, kind: str, text: str) -> Step:
    return _step(frame.time, kind, text) | {"sequence": f"{frame.sequence} {kind}"}


def _text(told: Mapping[str, Any]) -> str:
    """What a message says of an order: buy 100 AAA at 100.1700, and what else it has."""
    side = {"B": "buy", "S": "sell"}.get(str(told.get("side")), "")
    parts = [side, *(str(told.get(name) or "") for name in ("quantity", "symbol"))]
    parts += [f"at {told['price']}"] if told.get("price") else []
    parts += [f"{name} {told[name]}" for name in _MORE if told.get(name) not in (None, "")]
    return " ".join(part for part in parts if part)


def _measured(frame: Frame) -> Step:
    """What a runner's last frame says of its stages."""
    try:
        told = json.loads(frame.payload).get("latencies_ns", {})
        parts = [f"{name} {duration_text(int(one['p50']))}" for name, one in told.items()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    text = f"medians of this runner's day: {', '.join(parts)}"
    return {"kind": "stages", "text": text, "sequence": "stages"} if parts else {}


def _page(told: dict[str, Any]) -> str:
    rows, before = [], None
    for one in told["steps"]:
        time = _time(one)
        since = "" if before is None else duration_text(max(0, time - before))
        rows.append((to_text(time), since, one["kind"], one["text"]))
        before = time
    return Sheet(told["title"], ("time (UTC)", "after", "what", ""), rows).html()


def _none(order: int, most: int, where: str) -> InputError:
    do = f"Its orders are 1 to {most:,}." if most else "It has none."
    return InputError(f"There is no order {order}", where=where, do=do)
