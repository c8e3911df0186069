"""Reference strategies: whole ideas to start from, each with a word on when it loses money.

    hft.backtest(hft.library.QueueImbalance, tape)         in a notebook
    hft backtest QueueImbalance --tape day.tape            at the prompt

They hold to the same rules as anybody's: no service that others lack, plain memory, and the same
orders compiled or not. All of them stand back from halted books and empty sides, and take a refusal
of their limits as an answer. Worst case: they are made to be read; none is made to earn.
"""

from hftlib.strategy.library.avellaneda_stoikov import AvellanedaStoikov
from hftlib.strategy.library.cross_venue_arbitrage import CrossVenueArbitrage
from hftlib.strategy.library.momentum_taker import MomentumTaker
from hftlib.strategy.library.pairs import Pairs
from hftlib.strategy.library.queue_imbalance import QueueImbalance

__all__ = [
    "AvellanedaStoikov",
    "CrossVenueArbitrage",
    "MomentumTaker",
    "Pairs",
    "QueueImbalance",
]
