"""The figures of the exchange are taken from whole laps in which nothing was lost."""

import pytest

from hftlib.bench import exchange
from hftlib.core import jit


@pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")
def test_every_lap_lost_nothing():
    for bench in exchange.benches():
        assert 0 < bench.run() < 1_000_000, bench.name
        assert bench.probe is not None and bench.probe() > 0
