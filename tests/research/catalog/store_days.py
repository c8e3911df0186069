"""Days for the store, small and made by hand: tapes of every kind of event, of one day or three."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tapes import OPEN, SECOND, ArraySource, flow

from hftlib.core.events import ALL
from hftlib.core.instruments import Instruments
from hftlib.feed.tape_file import write_tape
from hftlib.research.catalog.writing import EVERY_ONE
from hftlib.research.tape import Tape, open_tape

DAY = 86_400 * SECOND
SYMBOLS = ("MSFT", "AAPL", "BTC-USD", "O'Neil")  # not in the order of the alphabet


def table() -> Instruments:
    made = Instruments()
    for symbol, unit, lot in zip(
        SYMBOLS, ("0.0001", "0.01", "1/3", "1"), ("1", "1", "0.00001", "100"), strict=True
    ):
        made.add(symbol, venue="XNAS", calendar="XNAS", price_unit=unit, lot_unit=lot)
    return made


def events(count: int = 3000, seed: int = 1, days: int = 1, start: int = OPEN) -> Any:
    """Of all instruments, some that concern every one, some of an instrument that is in no row."""
    made = flow(count, seed=seed, rows=len(SYMBOLS), orderly=False)
    made["time"] += start - OPEN
    if days > 1:
        made["time"] += np.sort(np.arange(count) * days // count) * DAY
    made["received"][::7] = 0
    made["price"][::11] = 0
    made["instrument"][::97] = ALL
    made["instrument"][5::501] = 77
    made["kind"][::403] = 25  # of a later version
    return made


def tape_of(path: Path, **wanted: Any) -> Tape:
    write_tape(path, ArraySource(events(**wanted), table()))
    return open_tape(path)


def named(frame: Any) -> Any:
    """A frame of a tape with the store's words for strangers, and plain words for categories."""
    made = frame.copy()
    for name in ("symbol", "kind", "side", "venue"):
        if name in made:
            made[name] = made[name].astype(str)
    if "symbol" in made:
        made["symbol"] = made["symbol"].replace(f"#{ALL}", EVERY_ONE)
    made.index = made.index.astype("int64")
    return made
