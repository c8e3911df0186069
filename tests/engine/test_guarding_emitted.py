"""The whole way of an order through risk as object code: no allocation, no exception, no Python."""

import pytest

from hftlib.bench.risk import ASK, BID, TYPICAL, session_with
from hftlib.core import events, jit, object_code
from hftlib.engine.intents import place
from hftlib.engine.path import directive, look_around
from hftlib.risk.limits import Limits


@jit.callback("int64(int64, int64, int64, int64)")
def asks(base: int, side: int, price: int, quantity: int) -> int:
    """An order as a strategy would ask for it, and what a live runner's thread does beside it."""
    return place(base, 0, side, float(price), quantity, 1, 1, 0, 0, 0.0)


@jit.callback("int64(int64, int64, int64)")
def tells(base: int, address: int, time: int) -> int:
    """What people say, and a look around while nothing comes."""
    if address != 0:
        directive(base, address)
    look_around(base, time)
    return 0


@pytest.mark.skipif(
    jit.BOUNDS_CHECKED or not jit.COMPILED, reason="checks raise, and what raises is not emitted"
)
def test_emitted_risk_allows_and_refuses_the_same():
    call = jit.caller(asks.signature)
    emitted = object_code.link(jit.emit(asks))
    answers = []
    for address in (emitted, asks.address):
        session = session_with(Limits(**TYPICAL))
        told = [
            call(address, session.address, side, price, quantity)
            for side, price in ((events.BUY, BID), (events.SELL, ASK), (events.BUY, 2 * BID))
            for quantity in (100, 20_000)
        ]
        answers.append((told, session.arena["holdings"].tolist()))
    assert answers[0] == answers[1]
    assert min(answers[0][0]) < 0 < max(answers[0][0]), "some leave, some do not"
    assert object_code.link(jit.emit(tells)) != 0
