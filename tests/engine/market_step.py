"""The tick path's market step as a function of its own, so that Python can call it."""

from hftlib.core import jit
from hftlib.engine import path


@jit.compiled("void(int64, int64, int64)")
def market_step(base: int, event_address: int, received: int) -> None:
    path.market(base, event_address, received)
