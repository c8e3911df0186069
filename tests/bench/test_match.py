"""`hft bench match`: its laps do what their names say, and leave the engine as it was."""

from __future__ import annotations

import pytest

from hftlib.bench.match import ORDERS, Hot, benches
from hftlib.core import jit
from hftlib.core.errors import StateError

LAPS = 3


@pytest.mark.skipif(not jit.COMPILED, reason="it would measure Python")
def test_every_order_of_a_lap_rests_leaves_or_is_taken():
    hot = Hot()
    for lap in range(1, LAPS + 1):
        assert min(hot.lap()) > 0
        symbol, header = hot.engine.arena["symbols"][0], hot.engine.header
        assert symbol["trades"] == lap * ORDERS and symbol["volume"] == lap * ORDERS * 100
        assert header["live"] == 0 and header["refused"] == 0 and header["ignored"] == 0
    # Accepted: twice what rests, and the takers; executed on both sides; cancelled once.
    assert hot.engine.header["reports"] == 1 + LAPS * ORDERS * 6


@pytest.mark.skipif(not jit.COMPILED, reason="it would measure Python")
def test_a_session_cut_off_leaves_nothing():
    hot = Hot(500)
    before = int(hot.engine.header["reports"])
    assert hot.cut_off() > 0 and hot.cut_off() > 0
    assert hot.engine.header["reports"] - before == 2 * (500 + 500 + 1)


@pytest.mark.skipif(jit.COMPILED, reason="there is something to measure")
def test_python_is_not_measured():
    with pytest.raises(StateError, match="measure Python"):
        benches()
