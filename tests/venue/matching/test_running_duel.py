"""The matching engine and its slow twin on the same commands: every report, queue and digest.

The flow has all kinds of commands, auctions, halts and nonsense. Beside the duel, what must hold of
any run: every share is somewhere, every trade has a buyer and a seller, a book that trades is not
crossed, and a reader of the public reports alone has the book that shows.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any

import numpy as np
import pytest
from fuzzing import fuzz_seconds
from matching_flow import FIRMS, ROOM, SESSIONS, SYMBOLS, Flow, engine
from matching_twin import Twin

from hftlib.core import jit
from hftlib.venue.matching import records as r
from hftlib.venue.matching.tables import HELD_ROW, HIDDEN_ROW, SHOWN_ROW, STOP_ROW

pytestmark = pytest.mark.modes
FAST = jit.COMPILED and not jit.BOUNDS_CHECKED
STEPS, STEPS_LONG = 1500 if FAST else 400, 1500 if jit.COMPILED else 400
ROW_OF = {"shown": SHOWN_ROW, "hidden": HIDDEN_ROW, "stop": STOP_ROW}


def twin() -> Twin:
    return Twin(len(SYMBOLS), SESSIONS, FIRMS, 100, ROOM)


def standing(found: Any) -> list[tuple[int, ...]]:
    """Orders in the engine's queues: row, symbol, side, price, number, quantity; in order."""
    count, rows = len(SYMBOLS), []
    for one in found.books.standing():
        row, symbol = divmod(int(one["instrument"]), count)
        if one["reference"] != 0:
            place = (int(one["side"]), int(one["price"]), int(one["reference"]))
            rows.append((row, symbol, *place, int(one["quantity"])))
    return rows


def expected(slow: Twin) -> list[tuple[int, ...]]:
    """The same of the twin."""
    rows = []
    for number, symbol in enumerate(slow.symbols):
        for o in symbol.orders:
            if o.place in ("", "parked", "moving"):
                continue
            row = HELD_ROW + o.cross - 1 if o.place == "held" else ROW_OF[o.place]
            stop = o.place == "stop"
            buys = o.buys != stop
            price = o.trigger if stop else o.price
            if price == r.MARKET and not buys:
                price = 0
            key = -price if buys else price
            place = (row, number, 1 if buys else 2, price, o.number, o.quantity)
            rows.append(((row, number, place[2], key, o.stamp), place))
    return [place for _, place in sorted(rows)]


def duel(seed: int, steps: int, batch: int = 50) -> tuple[Any, Twin, Flow]:
    fast, slow, flow = engine(), twin(), Flow(seed, meets=seed % 2 == 1)
    done, digest = 0, hashlib.sha256()
    while done < steps:
        commands = flow.commands(batch)
        told = fast.obey(commands).tolist()
        for values in commands.tolist():  # plain numbers: the twin is twice as fast with them
            slow.obey(dict(zip(r.COMMAND.names, values, strict=True)))
        wanted = slow.taken()
        digest.update(np.array(wanted, r.REPORT).tobytes())
        if told != wanted:
            both = zip(told, wanted, strict=False)
            n = next((n for n, (a, b) in enumerate(both) if a != b), min(len(told), len(wanted)))
            pytest.fail(f"seed {seed}: {difference(told[n : n + 1], wanted[n : n + 1])}")
        assert standing(fast) == expected(slow), f"seed {seed}"
        done += batch
    assert fast.digest == digest.hexdigest(), f"seed {seed}"
    return fast, slow, flow


def difference(told: Any, wanted: Any) -> str:
    names = r.REPORT.names
    shown = [
        {name: value for name, value in zip(names, one, strict=True) if value}
        | {"is": r.REPORTS[one[names.index("kind")]]}
        for one in (*told, *wanted)
    ]
    return "\n".join(map(str, shown)) + f"\n{len(told)} and {len(wanted)}"


@pytest.mark.parametrize("seed", range(12 if FAST else 4))
def test_every_report_and_every_queue(seed):
    duel(seed, STEPS)


def test_for_as_long_as_it_may():
    """What it came to is printed: `pytest -rP` shows it."""
    end = time.monotonic() + fuzz_seconds()
    first = seed = int(os.environ.get("HFT_FUZZ_SEED") or 1000)
    commands = reports = 0
    while time.monotonic() < end:
        fast, _, _ = duel(seed, STEPS_LONG)
        commands += int(fast.header["commands"])
        reports += int(fast.header["reports"])
        seed += 1
    print(f"{commands:,} commands, {reports:,} reports, seeds {first} to {seed - 1}: no difference")
