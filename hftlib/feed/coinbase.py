"""Recorded Coinbase streams (as cryptofeed records them), one product of them as a source.

    1617678817.077736: {"type":"snapshot","product_id":"BAND-GBP","bids":[["14.7","12.77"], ...
    1617678817.118783: {"type":"l2update","product_id":"SKL-BTC","changes":[["sell","0.1","6"]], ...
    received, seconds; then the message. Lines that begin with wss:// are the recorder's own.

Level updates carry no numbers, so only the connection keeps their order (Rule.UNNUMBERED): a loss
cannot be seen, and a second snapshot begins the book again. The side of a match is the resting
order's; who came is on the other side. Everything else works as in `hftlib.feed.depth_json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.times import to_ns
from hftlib.core.units import Exact
from hftlib.feed.decimals import OffGridError, counter
from hftlib.feed.depth import Diff, Row, Rule, Snapshot, take_diff, take_snapshot
from hftlib.feed.depth_json import DepthSource

_SIDES = {"buy": events.BUY, "sell": events.SELL}
_CAME = {"buy": events.SELL, "sell": events.BUY}
_STAMP = re.compile(rb"[0-9]{9,10}\.[0-9]{1,9}")
_ns_of_seconds = counter("0.000000001", "received")


class CoinbaseSource(DepthSource):
    """One product of a recording, such as BAND-GBP."""

    _named = (*DepthSource._named, "snapshots")

    def __init__(
        self,
        path: str | Path,
        *,
        symbol: str,
        price_unit: Exact,
        lot_unit: Exact,
        venue: str = "COINBASE",
        currency: str | None = None,
        kind: str = "spot",
        tick: int = 1,
        round_lot: int = 1,
    ) -> None:
        super().__init__(
            path,
            symbol=symbol,
            price_unit=price_unit,
            lot_unit=lot_unit,
            venue=venue,
            currency=currency or symbol.upper().partition("-")[2] or "USD",
            kind=kind,
            tick=tick,
            round_lot=round_lot,
        )
        self.name = f"Coinbase stream, {Path(path).name}"
        self.state.rule = Rule.UNNUMBERED
        self._met["recorder's own lines"] = 0

    def _take(self, line: bytes, rows: list[Row]) -> None:
        if not line.strip() or line.startswith(b"wss://"):
            found = _STAMP.search(line)
            received = _received(found[0].decode()) if found else 0
            self._notice("recorder's own lines", "recorder", received, rows)
            return
        stamp, _, text = line.decode().partition(": ")
        received = _received(stamp)
        data = json.loads(text, parse_float=str)
        kind = data["type"]
        if self._is_of_another(data.get("product_id", self._symbol), received, rows):
            return
        if kind == "snapshot":
            levels = self._changes(data["bids"], events.BUY)
            levels += self._changes(data["asks"], events.SELL)
            take_snapshot(self.state, Snapshot(0, self._time or received, received, levels), rows)
        elif kind == "l2update":
            price, quantity = self._price, self._quantity
            changes = [
                (_SIDES[side], price(at), quantity(size)) for side, at, size in data["changes"]
            ]
            self._time = _moment(data["time"])
            take_diff(self.state, Diff(0, 0, 0, self._time, received, changes), rows)
        elif kind == "match":
            rows.append(self._match(data, received))
            self._met["trades"] += 1
        else:
            is_quote = kind == "ticker"
            count, letters = ("best quotes", "quote") if is_quote else ("other messages", "other")
            self._notice(count, letters, received, rows)

    def _match(self, data: dict[str, Any], received: int) -> Row:
        side, number = _CAME[data["side"]], int(data["trade_id"])
        price, quantity = self._price(data["price"]), self._quantity(data["size"])
        self._time = _moment(data["time"])
        row = self._row(events.TRADE, 0, price, quantity, received=received, other=number)
        return (*row[:9], side, row[10])


def _received(text: str) -> int:
    try:
        return _ns_of_seconds(text)
    except OffGridError:
        raise ValueError("finer than a nanosecond, or beyond int64") from None


def _moment(text: object) -> int:
    """A venue's ISO time; one that does not read makes its line UNREADABLE, not the file."""
    try:
        return to_ns(str(text))
    except InputError as error:
        raise ValueError(error.what) from None
