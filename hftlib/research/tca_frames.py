"""Orders and fills with their costs, as DataFrames: money in the currency, prices per unit, words.

A cost is positive; a markout and the parts of the P&L are gains. What is not known is NaN, a time
that is not there NaT. Worst case: some 250 bytes a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.events import SIDES
from hftlib.core.units import INT64_MIN
from hftlib.research.ledger_tables import names_of
from hftlib.research.result_money import Scales

Array = np.ndarray[Any, Any]
_ASKED = ("", "cancel", "replace")


def orders_frame(tca: Any) -> Any:
    """By the order's number."""
    import pandas as pd

    costs, table = tca.order_costs, tca.result.instruments
    found, scales = costs.records, Scales(tca.result.instruments)
    rows, known = found["instrument"], costs.known
    filled, price = found["filled"], scales.prices(found["value"], found["instrument"])
    with_tape = tca.tape is not None
    columns = {
        "sent": _times(found["sent"], tca.result.zone),
        **_who(table, found),
        "quantity": scales.quantities(found["quantity"], rows),
        "filled": scales.quantities(filled, rows),
        "average": np.where(filled > 0, price / np.maximum(filled, 1), np.nan),
        "arrival_mid": scales.mids(costs.arrival, rows),
        "end_mid": scales.mids(costs.end, rows),
        "vwap": scales.prices(costs.vwap, rows),
        "market_volume": scales.quantities(costs.volume, rows),
        "execution": _money(scales, costs.execution, rows, known),
        "delay": _money(scales, costs.delay, rows, known & with_tape),
        "trading": _money(scales, costs.trading, rows, known & with_tape),
        "opportunity": _money(scales, costs.opportunity, rows, known),
        "fees": scales.money(found["fees"], rows),
        "shortfall": _money(scales, costs.shortfall, rows, known),
        "first_fill_ns": _spans(
            costs.first_fill, found["sent"], (costs.first_fill > 0) & costs.one_clock
        ),
        "filled_ns": _spans(
            *(costs.last_fill, found["sent"]),
            costs.whole & (costs.last_fill > 0) & costs.one_clock,
        ),
        "ended": _times(costs.ended, tca.result.zone),
    }
    return pd.DataFrame(columns, index=pd.Index(found["id"].copy(), name="order"))


def fills_frame(tca: Any) -> Any:
    """By the fill's number."""
    import pandas as pd

    costs, table = tca.fill_costs, tca.result.instruments
    found, scales = costs.records, Scales(tca.result.instruments)
    rows, horizon = found["instrument"], tca.horizon
    asked = np.where(found["asked"] > 0, 1, np.where(found["asked"] < 0, 2, 0))
    queued = (found["taker"] == 0) & (found["entered"] > 0)
    valued = costs.valued
    columns = {
        "time": _times(found["time"], tca.result.zone),
        **_who(table, found),
        "role": np.array(["maker", "taker"], object)[(found["taker"] != 0).astype(np.int64)],
        "order": found["order"].copy(),
        "price": scales.prices(found["price"], rows),
        "quantity": scales.quantities(found["quantity"], rows),
        "cost_arrival": _money(scales, costs.arrival, rows, costs.arrival_known),
        "cost_mid": _money(scales, costs.mid, rows, costs.mid_known),
        "queue_ns": _spans(found["time"], found["entered"], queued),
        "ahead": np.where(queued, scales.quantities(found["ahead"], rows), np.nan),
        **{
            f"markout_{name}": _money(
                scales, costs.markouts[:, n], rows, costs.markouts_known[:, n]
            )
            for n, name in enumerate(tca.horizons)
        },
        "asked": np.array(_ASKED, object)[asked],
        "asked_at": _times(costs.asked, tca.result.zone),
        "lost": costs.lost,
        "spread": _money(scales, costs.spread, rows, costs.mid_known),
        "adverse": _money(scales, costs.adverse, rows, costs.mid_known & valued),
        "inventory": _money(scales, costs.inventory, rows, costs.mid_known & valued),
        "unattributed": _money(scales, costs.unattributed, rows, valued),
        "fee": scales.money(found["fee"], rows),
    }
    made = pd.DataFrame(columns, index=pd.Index(found["number"].copy(), name="fill"))
    made.attrs["adverse selection over"] = horizon
    return made


def _who(instruments: Any, found: Any) -> dict[str, Array]:
    names = np.array([*names_of(instruments), ""], object)
    venues = [value.decode("utf-8", "replace") for value in instruments.table["venue"].tolist()]
    return {
        "symbol": names[found["instrument"]],
        "venue": np.array([*venues, ""], object)[found["instrument"]],
        "side": np.array(SIDES, object)[found["side"]],
        "strategy": found["strategy"].copy(),
    }


def _money(scales: Scales, twice: Array, rows: Array, known: Array) -> Array:
    return np.where(known, scales.money(twice, rows) / 2, np.nan)


def _spans(ends: Array, begins: Array, known: Array) -> Array:
    return np.where(known, (ends - begins).astype(np.float64), np.nan)


def _times(ns: Array, zone: str) -> Any:
    import pandas as pd

    stamps = np.where(ns == 0, INT64_MIN, ns).view("datetime64[ns]")
    return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(zone)
