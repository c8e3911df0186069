"""A runner that is started in the middle of a fast market hears all it missed, and is live.

HFT_LATE_RATE=100000 HFT_LATE_SECONDS=5 python -m pytest -s tests/engine/live/test_feeding_late.py
says how many messages a second it heard meanwhile: two real processes, on whatever else runs here.
"""

from __future__ import annotations

import os
import time

import pytest

from hftlib.bench import soak, soak_host
from hftlib.core import jit
from hftlib.core.control.asking import told
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid

RATE = float(os.environ.get("HFT_LATE_RATE", "45000"))  # of the feed: messages a second
AHEAD_S = float(os.environ.get("HFT_LATE_SECONDS", "2"))  # the market runs before it is started
PATIENCE_S, ROOM_S = 120.0, 60.0


def quiet(_share, _what):
    pass


def live(folder, name):
    """`hft live`, in a process of its own, and where it listens."""
    at = folder / f"{name}.socket"
    given = ["--exchange", "exchange.json", "--user", soak.USER, "--limits", "limits.toml"]
    given += ["--journal", f"{name}.journal", "--json", "--control", str(at)]
    return soak_host.started("live", folder, soak.STRATEGY, *given), at


@pytest.mark.skipif(not jit.COMPILED, reason="no market is fast where nothing is compiled")
def test_who_starts_late_in_a_fast_market_catches_up_and_replays(tmp_path):
    soak.write_configuration(tmp_path, RATE, AHEAD_S + ROOM_S, 1_000, 300)
    at_exchange = tmp_path / "exchange.socket"
    given = ["--config", "exchange.toml", "--json", "--control", str(at_exchange)]
    with soak_host.started("exchange", tmp_path, *given) as exchange:
        exchange.first_line(quiet)
        first, _ = live(tmp_path, "first")  # before the market opens: compiled is it from here on
        with first as runner:
            runner.first_line(quiet)
            runner.end()
        told(at_exchange, {"do": "trade"}, "exchange")
        time.sleep(AHEAD_S)
        late, at = live(tmp_path, "late")
        with late as runner:
            runner.first_line(quiet)
            begun = time.monotonic()
            missed = told(at_exchange, {"do": "status"}, "exchange")["counts"]["messages"]
            feed = {"state": "", "next": 1}
            while feed["state"] != "LIVE":
                assert time.monotonic() < begun + PATIENCE_S, f"{missed:,} missed, {feed}"
                runner.require_alive()
                time.sleep(0.02)
                feed = told(at, {"do": "status"}, "runner")["feeds"][0]
            took = time.monotonic() - begun
            runner.end()
        exchange.end()
    assert feed["next"] > missed > RATE
    asked = [one for one in frames(tmp_path / "late.journal") if one.kind == kinds.DATAGRAM_OUT]
    assert len(asked) > 100
    again = replay(tmp_path / "late.journal", laid)  # to the same requests, byte for byte
    assert again.is_identical, again.difference
    print(
        f"\n{missed:,} messages missed at {RATE:,.0f} a second, live after {took:.2f} s: "
        f"{feed['next'] / took:,.0f} heard a second, {len(asked):,} requests"
    )
