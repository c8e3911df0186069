"""The figures of order entry are taken from whole laps, each beside its probe."""

import pytest

from hftlib.bench import ouch
from hftlib.core import jit


@pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")
def test_every_lap_did_what_it_says():
    for bench in ouch.benches():
        assert bench.probe is not None
        assert bench.probe() > 0 and 0 < bench.run() < 1_000_000, bench.name
