"""What an exchange is told while it runs, through its control socket (`core/control`).

    {"do": "drop", "line": "a", "chance": 0.1, "for_seconds": 10}    {"ok": true, "notes": []}
    {"do": "drop", "over": true}                                     {"ok": true, "notes": []}
    {"do": "halt", "symbols": ["AAA"]}       {"ok": true, "notes": ["halt of AAA: why it was not"]}
    {"do": "status"}                         {"ok": true, "counts": {...}, "faults": {...}, ...}

What is told is kept in the journal, if there is one. Worst case: of more than STATES_MAX symbols
the states are not told.
"""

from __future__ import annotations

from typing import Any

from hftlib.venue.matching.records import STATES

STATES_MAX = 4_096


def obey(exchange: Any, said: dict[str, Any]) -> dict[str, Any]:
    """What a line says, done; what is said back."""
    if said.get("do") == "status" and len(said) == 1:
        return status(exchange)
    return {"notes": exchange.tell(said)}


def status(exchange: Any) -> dict[str, Any]:
    """What the exchange is, does, and suffers."""
    rows = exchange.engine.arena["symbols"]["state"]
    names = exchange.parts.symbols if len(exchange.parts.symbols) <= STATES_MAX else ()
    states = {name: STATES[int(rows[n])] for n, name in enumerate(names)}
    return {
        "places": exchange.places,
        "time_ns": int(exchange.record["now"][0]),
        "counts": exchange.counts,
        "faults": exchange.faults.on,
        "faults_done": exchange.faults.counts,
        "notes": exchange.notes[-100:],
    } | ({"states": states} if states else {})
