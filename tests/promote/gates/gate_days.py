"""Small days for gates, and strategies that are judged on them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import hftlib as hft
from hftlib.promote.gates.subject import Subject

LIBRARY = Path(hft.__file__).parent / "strategy" / "library"
MARKET = {
    "order_latency": "250us", "feed_latency": "50us", "queue": "auto", "maker": "0.05bp",
    "taker": "0.2bp",
}  # fmt: skip


@cache
def day(seed: int = 7, seconds: int = 60, date: str = "2026-01-05"):
    return hft.to_tape(hft.synthetic(symbols=1, seconds=seconds, seed=seed, date=date))


def subject(limits: str = "[firm]\nmessages = 1_000\n", **params) -> Subject:
    place = Path(mkdtemp()) / "limits.toml"
    place.write_text(limits)
    module = LIBRARY / "queue_imbalance.py"
    return Subject.made(module, "QueueImbalance", params, MARKET | {"limits": str(place)})
