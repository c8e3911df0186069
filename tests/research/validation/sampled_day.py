"""A result made of samples: what was held and what the market asked, minute by minute."""

import numpy as np

from hftlib.core.instruments import Instruments
from hftlib.engine.log import EQUITY
from hftlib.research.result import Result
from hftlib.research.result_files import RECORDS

T0 = 1_577_716_200_000_000_000  # 2019-12-30 09:30 in New York
MINUTE = 60 * 10**9


def day(prices, cash=None):
    """Instruments in columns, minutes in rows: prices in cents, cash of the first in cents."""
    prices = np.atleast_2d(np.asarray(prices, np.int64).T).T
    minutes, symbols = prices.shape
    made = Instruments()
    for number in range(symbols):
        made.add(f"S{number}", venue="XNAS", calendar="XNAS", price_unit="0.01")
    rows = np.zeros(minutes * symbols, EQUITY)
    rows["time"] = T0 + MINUTE * np.repeat(np.arange(1, minutes + 1), symbols)
    rows["instrument"] = np.tile(np.arange(symbols), minutes)
    rows["twice_mid"] = 2 * prices.ravel()
    if cash is not None:
        rows["cash"][::symbols] = np.cumsum(np.asarray(cash, np.int64))
    about = {"strategy": "Maker", "tape": "day.tape", "zone": "America/New_York"}
    about |= {"begin": T0, "end": T0 + minutes * MINUTE}
    none = {name: np.zeros(0, RECORDS[name]) for name in ("orders", "fills")}
    return Result(made, equity=rows, **none, about=about)
