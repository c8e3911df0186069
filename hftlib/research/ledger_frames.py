"""What a ledger holds in detail, as DataFrames: the lots that are open, and every fill.

Prices and money are in the currency, quantities in shares, coins or contracts; times are UTC.
Worst case: some 150 bytes a fill.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.events import SIDES
from hftlib.core.instruments import Instruments
from hftlib.research.ledger_tables import names_of
from hftlib.research.result_money import Scales

Array = np.ndarray[Any, Any]
_STATES = ("booked", "broken", "left out")


def lots_frame(instruments: Instruments, arena: Any) -> Any:
    """The lots that are open, by account and age."""
    import pandas as pd

    made, names = [], names_of(instruments)
    accounts, lots = arena["accounts"], arena["lots"]
    for account in accounts[1 : int(arena["ledger"]["accounts"][0]) + 1]:
        row, number = int(account["instrument"]), int(account["first_lot"])
        sign = 1 if account["quantity"] > 0 else -1
        one = instruments[row]
        while number:
            lot = lots[number]
            made.append(
                {
                    "strategy": int(account["strategy"]),
                    "instrument": names[row],
                    "since": pd.Timestamp(int(lot["since"]), tz="UTC"),
                    "quantity": sign * float(int(lot["quantity"]) * one.lot_unit.size),
                    "price": float(int(lot["price"]) * one.price_unit.size),
                }
            )
            number = int(lot["next"])
    return pd.DataFrame(made, columns=["strategy", "instrument", "since", "quantity", "price"])


def entries_frame(instruments: Instruments, accounts: Array, booked: Array) -> Any:
    """Every fill with what it realised."""
    import pandas as pd

    scales, names = Scales(instruments), np.array([*names_of(instruments), ""], object)
    number = booked["account"].astype(np.int64) - 1
    rows = accounts["instrument"][number]
    columns = {
        "time": pd.DatetimeIndex(booked["time"].copy().view("datetime64[ns]")).tz_localize("UTC"),
        "strategy": accounts["strategy"][number],
        "instrument": names[rows],
        "side": np.array(SIDES, object)[booked["side"]],
        "price": scales.prices(booked["price"], rows),
        "quantity": scales.quantities(booked["quantity"], rows),
        "fee": scales.money(booked["fee"], rows),
        "realised": scales.money(booked["realised"], rows),
        "match": booked["match"].copy(),
        "order": booked["order"].copy(),
        "state": np.array(_STATES, object)[booked["state"]],
    }
    return pd.DataFrame(columns, index=pd.Index(booked["number"].copy(), name="fill"))
