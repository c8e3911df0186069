"""What stories of sweeps share: a registry of their own, a strategy that may fail, small tapes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import hftlib as hft
from hftlib.research.tape import to_tape

VENUE = hft.Venue(order_latency="250us")


@hft.strategy
class Chancy:
    """A maker; with an edge of 13 it divides by nothing, with one of 14 it stops by itself."""

    edge: int = hft.param(2, low=1, high=20)
    lean: float = hft.param(1.0, low=0.0, high=3.0)
    clip: int = hft.param(100, low=1)
    careful: bool = hft.param(False)
    wait: int = hft.param("1ms", low=0, high=10**9, duration=True)
    seen: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        self.seen += 1
        if self.edge == 14 and self.seen > 100:
            ctx.stop(7)
        if not (b.is_open and b.has_both):
            return
        fair = b.mid + self.lean * b.imbalance * b.tick
        if self.edge == 13:
            fair = fair / (self.edge - 13)
        edge = self.edge * b.tick
        ctx.quote(
            i,
            bid=min(fair - edge, b.ask - b.tick),
            ask=max(fair + edge, b.bid + b.tick),
            quantity=self.clip,
            post_only=True,
        )


@cache
def registry() -> str:
    """A store for the tests of this process alone: making one takes seconds."""
    place = tempfile.mkdtemp(prefix="hft-registry-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return f"sqlite:///{place}/mlflow.db"


@cache
def tapes() -> tuple[Path, ...]:
    """Two small days."""
    place = Path(tempfile.mkdtemp(prefix="hft-days-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    for number in (1, 2):
        market = hft.synthetic(symbols=1, seconds=60, seed=number)
        to_tape(market, place / f"day{number}.tape")
    return tuple(sorted(place.iterdir()))


def counted_here(patched: Any) -> None:
    """From now on sweeps of this process count in the tests' own registry."""
    patched.setenv("HFT_TRACKING_URI", registry())


def same(one: Any, other: Any) -> bool:
    """Whether two sweeps found the same, however long it took them and wherever files lay."""
    frames = []
    for each in (one, other):
        frame = each.frame.drop(columns="seconds")
        frames.append(frame.assign(why=frame["why"].str.partition(" Where:")[0]))
    return bool(frames[0].equals(frames[1]) and one.pnl.equals(other.pnl))
