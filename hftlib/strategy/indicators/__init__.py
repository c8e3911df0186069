"""Indicators: blocks of plain memory that a strategy has as fields.

    fast: hft.EMA = hft.state(half_life="1s")
    spreads: hft.RollingVariance = hft.state(length=500)
    flows: hft.OrderFlowImbalance = hft.state(size=64, half_life="5s")     one an instrument

    self.fast.update(ctx.time, b.mid)                  what is new; answers the value
    self.fast.value                                    the value as of the last update

Every `update` answers the new value. A value that nothing is known of yet is not a number, and an
input that is no finite number is passed over. Time never goes back: an earlier one counts as now.
Worst case: said in each; none takes memory, and none keeps more than its own fields.
"""

from hftlib.strategy.indicators.averages import EMA, EMAByUpdate
from hftlib.strategy.indicators.hawkes import HawkesIntensity
from hftlib.strategy.indicators.microprice import MicropriceTable
from hftlib.strategy.indicators.order_flow import OrderFlowImbalance
from hftlib.strategy.indicators.rolling import RollingMean, RollingVariance
from hftlib.strategy.indicators.volatility import RealisedVolatility
from hftlib.strategy.indicators.vwap import VWAP

__all__ = [
    "EMA",
    "VWAP",
    "EMAByUpdate",
    "HawkesIntensity",
    "MicropriceTable",
    "OrderFlowImbalance",
    "RealisedVolatility",
    "RollingMean",
    "RollingVariance",
]
