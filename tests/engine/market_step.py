"""The tick path's market steps as functions of their own, so that Python can call them."""

from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.engine import path
from hftlib.engine.seats import is_alone

_event_at = jit.record_at(EVENT)


@jit.compiled("void(int64, int64, int64)")
def market_step(base: int, event_address: int, received: int) -> None:
    path.market(base, event_address, received)


@jit.compiled("void(int64, int64, int64, int64, int64)")
def feed_step(base: int, event_address: int, received: int, routes: int, feed: int) -> None:
    path.reached(base, _event_at(event_address).time, received, is_alone(base))
    path.seen_by_feed(base, event_address, routes, feed)
