"""The comparison with hftbacktest: our engine under its rules, and the bench command around it.

`level_venue_twin.py` holds hftbacktest's rules, and `test_peers.py` holds that twin to hftbacktest
itself; so what agrees with the twin here agrees with it, wherever this runs.
"""

import json
import random
import subprocess
import sys

import numpy as np
import pytest
from level_venue_twin import BUYS, EXCH, LOCAL, Backtest, Quoter

import hftlib as hft
from hftlib.bench.backtest import LIMITS
from hftlib.bench.grid_maker import GridMaker
from hftlib.feed.recorded_npz import HFTBACKTEST_EVENT, HftBacktestSource

SELLS = 1 << 28
LEVEL, TRADE = 1, 2
MS = 1_000_000


def made_feed(seed: int, messages: int) -> np.ndarray:
    """A level feed whose touch wanders: trades eat it, levels come and go, never crossed."""
    draw = random.Random(seed)
    levels = {BUYS: {}, SELLS: {}}
    rows, time = [], 1_700_000_000_000_000_000

    def tell(kind: int, mark: int, tick: int, lots: int) -> None:
        rows.append((EXCH | LOCAL | kind | mark, time, time + MS // 2, tick / 10, lots / 1000))
        if kind == LEVEL:
            levels[mark].pop(tick, None)
            if lots:
                levels[mark][tick] = lots

    for depth in range(10):
        tell(LEVEL, BUYS, 1_000 - depth, 2 * draw.randint(5, 60))
        tell(LEVEL, SELLS, 1_001 + depth, 2 * draw.randint(5, 60))
    for _ in range(messages):
        time += draw.randint(1, 400) * 1_000
        mark = draw.choice((BUYS, SELLS))
        sign = 1 if mark == BUYS else -1
        best = max(levels[BUYS]) if mark == BUYS else min(levels[SELLS])
        other = min(levels[SELLS]) if mark == BUYS else max(levels[BUYS])
        what = draw.random()
        if what < 0.2 and len(levels[mark]) > 3:
            there = levels[mark][best]
            lots = there if draw.random() < 0.4 else 2 * draw.randint(1, max(1, there // 2))
            lots = min(lots, there)
            tell(TRADE, SELLS if mark == BUYS else BUYS, best, lots)
            tell(LEVEL, mark, best, there - lots)
        elif what < 0.3 and (other - best) * sign > 1:
            tell(LEVEL, mark, best + sign, 2 * draw.randint(1, 40))
        elif what < 0.35 and len(levels[mark]) > 3:
            tell(LEVEL, mark, best, 0)
        else:
            tell(LEVEL, mark, best - sign * draw.randint(0, 9), 2 * draw.randint(1, 60))
    made = np.zeros(len(rows), HFTBACKTEST_EVENT)
    for n, name in enumerate(("ev", "exch_ts", "local_ts", "px", "qty")):
        made[name] = [row[n] for row in rows]
    return made


@pytest.mark.parametrize(
    ("seed", "partial", "entry", "response", "rules"),
    [
        (1, False, MS, MS, {}),
        (2, False, 0, 0, {"step_ns": MS}),
        (3, False, 12 * MS, 7 * MS, {"levels": 3, "gap_ticks": 2}),
        (4, False, 3 * MS, MS // 3, {"levels": 2, "skew_ticks": 2, "order_lots": 31}),
    ],
)
def test_our_fills_are_those_of_hftbacktests_rules(tmp_path, seed, partial, entry, response, rules):
    rows = made_feed(seed, 30_000)
    np.savez(tmp_path / "feed.npz", data=rows)
    rules = {
        "step_ns": 10 * MS,
        "levels": 1,
        "spread_ticks": 1,
        "gap_ticks": 1,
        "order_lots": 15,
        "skew_ticks": 1,
        "position_max_lots": 150,
    } | rules
    twin = Backtest(rows, entry_ns=entry, response_ns=response, partial=partial)
    quoter = Quoter(twin, **rules)
    quoter.run()

    source = HftBacktestSource(
        tmp_path / "feed.npz", symbol="MADE", tick_size="0.1", lot_size="0.001"
    )
    result = hft.backtest(
        GridMaker,
        source,
        params=rules,
        venue=hft.Venue(
            feed_latency="recorded",
            order_latency=hft.Latency(entry, response=response),
            queue="risk-averse",
            partial_fills=partial,
        ),
        limits=LIMITS,
    )
    records = result.records
    numbers = {int(number): n + 1 for n, number in enumerate(records["orders"]["id"])}
    ours = sorted(
        [
            numbers[int(fill["order"])],
            1 if fill["side"] == 1 else -1,
            int(fill["price"]),
            int(fill["quantity"]),
            int(fill["time"]),
            int(fill["received"]),
        ]
        for fill in records["fills"]
    )
    theirs = sorted([int(value) for value in fill] for fill in quoter.fills)
    assert len(theirs) > 100, "a comparison without fills compares nothing"
    assert ours == theirs
    assert result.check() == []


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    start = "from hftlib.cli import main; main()"
    command = [sys.executable, "-c", start, "bench", "backtest", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_bench_tells_both_rows_and_their_yardstick():
    done = bench("--runs", "1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["name"] for row in told["measurements"]] == [
        "orders, watch",
        "orders, quote: exact queue",
        "orders, two that watch",
        "orders, two that quote",
    ]
    assert all(row["ratio"] > 1 for row in told["measurements"]), "books are part of a backtest"
    assert told["events"]["orders"] > 100_000


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("made.npz",), "A recording is for the comparison with the peer"),
        (("--peer", "/nowhere/python", "--runs", "1"), "did not run level_feed.py"),
    ],
)
def test_what_cannot_be_compared_is_said(words, sentence):
    done = bench(*words)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
