"""What a session may touch at all: refused before it starts, not order by order.

Worst case: a look at each instrument.
"""

from __future__ import annotations

from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.risk.controls import MONEY_ONE, NO_LIMIT
from hftlib.risk.limits import Limits


def require_launch(instruments: Instruments, limits: Limits) -> None:
    """Refuse to start where a release may not go."""
    launch = limits.launch
    for field, allowed in (("symbol", "instruments"), ("venue", "venues")):
        if allowed in launch:
            for one in instruments:
                if getattr(one, field) not in launch[allowed]:
                    raise InputError(
                        f"{getattr(one, field)} is not among the {allowed} that may be traded",
                        where=f"Limits(launch={{{allowed!r}: ...}})",
                        do=f"Trade only {', '.join(launch[allowed])}: tape.only(...).",
                    )
    for name in ("position_lots", "order_value_money"):
        if name in launch:
            most = launch[name] * (MONEY_ONE if name.endswith("money") else 1)
            for symbol in instruments.symbols:
                if limits.of_instrument(symbol).get(name, NO_LIMIT) > most:
                    raise InputError(
                        f"{symbol} may be launched with {name} of {launch[name]:,} at most",
                        where=f"Limits(launch={{{name!r}: ...}})",
                        do=f"Set {name} for it, not above {launch[name]:,}.",
                    )
