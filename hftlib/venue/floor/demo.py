"""An exchange for those who have no file yet: what `hft exchange --demo` runs.

Worst case: none, it is a configuration like any other.
"""

from __future__ import annotations

from typing import Any

from hftlib.venue.floor.configuration import Configuration, checked

ACCOUNTS = [
    {"user": f"frm{n}{letter}", "password": "secret", "firm": f"FRM{n}", "hears": hears}
    for n in (1, 2)
    for letter, hears in (("a", "orders"), ("b", "orders"), ("d", "drop copy"))
] + [{"user": f"frm{n}k", "password": "secret", "firm": f"FRM{n}", "purges": True} for n in (1, 2)]


def demo(seed: int = 7, events_per_second: float = 200.0, **exchange: Any) -> Configuration:
    """Four symbols, two firms with two traders each, and a market of agents."""
    prices = {"AAA": "100.00", "BBB": "25.00", "CCC": "250.00", "DDD": "12.50"}
    tables: dict[str, Any] = {
        "exchange": exchange,
        "symbols": [{"name": n, "reference_price_money": p} for n, p in prices.items()],
        "firms": [{"name": "FRM1"}, {"name": "FRM2"}],
        "accounts": ACCOUNTS,
        "market": {"flow": "agents", "seed": seed, "events_per_second": events_per_second},
    }
    return checked(tables, "the demo")
