"""What a runner is and does now, as plain data: for `hft status`, for its own table, for machines.

    status(runner)   mode, counts, scopes with their states, strategies, positions, feeds, links

It is read beside the hot thread, field by field: figures of one answer may be a few events apart.
Worst case: one row for each instrument of each strategy, and each scope.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

from hftlib.book.books import Books
from hftlib.core import clock
from hftlib.core.histogram import Histogram
from hftlib.core.orders import REASONS
from hftlib.engine.seating import Seat
from hftlib.execution.ouch.memory import STATES as GATEWAY_STATES
from hftlib.ops.exchanges import venues_of
from hftlib.ops.modes import mode_text
from hftlib.ops.runner import Runner
from hftlib.risk.controls import TRADING_STATES

MODEL = "MODEL"  # the state of a shadow's link: there is none
_MULTIPLIER_ONE = 10**6
_PERCENTILES = ("p50", "p99", "p99.9", "max")


def status(runner: Runner) -> dict[str, Any]:
    """All that can be told of it."""
    live, session = runner.live, runner.live.session
    venues = venues_of(runner.about)
    return {
        "mode": runner.mode,
        "mode_says": mode_text(runner.about),
        "release": runner.about.get("release"),
        "is_running": runner.is_running,
        "is_handed_over": runner.is_handed_over,
        "why": runner.why,
        "pid": os.getpid(),
        "time_ns": clock.now_ns(),
        "clock": runner.clocks.told,
        "hours": runner.hours,
        "journal": str(runner.journal.folder),
        "standby": runner.standby.told if runner.standby is not None else None,
        "counts": runner.counts,
        "open_orders": runner.open_orders,
        "scopes": _scopes(runner),
        "strategies": [
            {
                "name": seat.name,
                "stopped": seat.why_stopped(len(session.seats)),
                "parameters": _parameters(seat),
            }
            for seat in session.seats
        ],
        "positions": [row for seat in session.seats for row in _positions(seat, session.books)],
        "feeds": [
            {"venue": venue, "state": one.state, "why": one.reason, "next": one.expected}
            for venue, one in zip(venues, live.sequencers, strict=True)
        ],
        "latencies_ns": {name: _told(one) for name, one in runner.latencies.items()},
        "links": [
            {
                "venue": venues[n],
                "state": MODEL if live.shadow else GATEWAY_STATES[int(live.gateway(n)["state"])],
                "is_up": bool(link["is_up"]),
                "why": runner.dialler.why[n],
                "commands": int(link["commands"]),
                "reports": int(link["reports"]),
                "strangers": int(live.gateway(n)["strangers"]),
            }
            for n, link in enumerate(live.links)
        ],
    }


def _told(one: Histogram) -> dict[str, int]:
    """Its percentiles; nothing where nothing was measured yet."""
    told = one.summary()
    return {name: int(told[name]) for name in ("count", *_PERCENTILES) if name in told}


def _parameters(seat: Seat) -> dict[str, Any]:
    """Those of its strategy as they are now."""
    strategy: Any = seat.strategy
    return dict(strategy.parameters_in(seat["state"]))


def _scopes(runner: Runner) -> list[dict[str, Any]]:
    """Each scope's state and why it has it."""
    room, rows = runner.live.session.risk, runner.live.session.arena["scopes"]
    return [
        {
            "scope": name,
            "state": "flattening" if row["flattening"] else TRADING_STATES[int(row["state"])],
            "since_ns": int(row["since"]),
            "why": REASONS[int(row["why"])] if row["state"] else "",
        }
        for name, row in zip(room.names, rows, strict=False)
    ]


def _positions(seat: Seat, books: Books) -> list[dict[str, Any]]:
    """What a strategy holds of each instrument, and what came of it at the middle of the book."""
    made = []
    for one in seat.instruments:
        row, book = seat["positions"][one.row], books.of(one.symbol, one.venue)
        bid, ask = book.best_bid, book.best_ask
        worth = _money(seat, one)
        quantity, cash, fees = (int(row[name]) for name in ("quantity", "cash", "fees"))
        profit: float | None = None
        if quantity == 0:
            profit = float((cash - fees) * worth)
        elif bid and ask:
            middle = Fraction(bid.price + ask.price) / 2 / one.price_unit.size
            profit = float((cash - fees + quantity * middle) * worth)
        made.append(
            {
                "strategy": seat.name,
                "symbol": one.symbol,
                "venue": one.venue,
                "quantity": float(quantity * one.lot_unit.size),
                "bid": bid.price if bid else None,
                "ask": ask.price if ask else None,
                "multiplier": _times(seat, one) / _MULTIPLIER_ONE,
                "profit": profit,
                "currency": one.currency,
                "open_orders": int(row["open_orders"]),
                "fills": int(row["fills"]),
            }
        )
    return made


def _money(seat: Seat, one: Any) -> Fraction:
    """What one price unit times one lot is in the instrument's currency."""
    return Fraction(one.price_unit.size) * one.lot_unit.size * _times(seat, one) / _MULTIPLIER_ONE


def _times(seat: Seat, one: Any) -> int:
    return int(seat.instruments.table[one.row]["multiplier"]) or _MULTIPLIER_ONE
