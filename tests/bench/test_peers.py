"""The peer's side of the comparison, held to the rules that its README states.

The peer has an environment of its own (`make peers`, or HFT_PEER_PYTHON); without it only the
twin's own stories run.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from level_venue_twin import BUYS, EXCH, LOCAL, Backtest, Order, Quoter

from hftlib.core import events
from hftlib.feed.recorded_npz import HFTBACKTEST_EVENT, HftBacktestSource

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "hftlib/bench/peers"
PYTHON = Path(os.environ.get("HFT_PEER_PYTHON", ROOT / ".peers/bin/python"))
SELLS = 1 << 28
LEVEL, TRADE = 1, 2
needs_peer = pytest.mark.skipif(not PYTHON.exists(), reason="`make peers` makes its environment")


def rows_of(*told):
    """(time, kind, side's mark, ticks, lots), received 5 later."""
    rows = np.zeros(len(told), HFTBACKTEST_EVENT)
    for row, (time, kind, side, ticks, lots) in zip(rows, told, strict=True):
        row["ev"] = EXCH | LOCAL | kind | side
        row["exch_ts"], row["local_ts"] = time, time + 5
        row["px"], row["qty"] = ticks / 10, lots / 1000
    return rows


BOOK = ((0, LEVEL, BUYS, 100, 10), (0, LEVEL, SELLS, 101, 10))


def played(rows, *orders, partial=False):
    """What is heard of orders sent at 10, as (order, state, left, venue's time, heard)."""
    backtest, heard = Backtest(rows, entry_ns=10, response_ns=7, partial=partial), []
    backtest.heard = lambda order, time: heard.append(
        (order.number, order.state, order.left, order.exchange_ns, time)
    )
    backtest.elapse(10)
    for order in orders:
        backtest.send(order)
    while backtest.elapse(10):
        pass
    return heard


def test_an_order_stands_behind_its_level_and_fills_once_a_trade_goes_beyond():
    rows = rows_of(*BOOK, (30, TRADE, SELLS, 100, 10), (31, TRADE, SELLS, 100, 1))
    told = [(1, "live", 4, 20, 27), (1, "filled", 0, 31, 38)]
    assert played(rows, Order(1, 1, 100, 4)) == told


def test_a_level_that_shrinks_brings_an_order_forward_only_below_what_stood_ahead():
    rows = rows_of(
        *BOOK,
        (25, LEVEL, BUYS, 100, 50),
        (26, LEVEL, BUYS, 100, 6),
        (30, TRADE, SELLS, 100, 7),
    )
    assert played(rows, Order(1, 1, 100, 4), partial=True)[1:] == [(1, "live", 3, 30, 37)]


def test_market_rows_come_before_requests_of_the_same_time():
    rows = rows_of(*BOOK, (20, TRADE, SELLS, 99, 1), (20, LEVEL, SELLS, 101, 0))
    assert played(rows, Order(1, 1, 101, 4)) == [(1, "live", 4, 20, 27)]
    rows = rows_of(*BOOK, (21, LEVEL, SELLS, 101, 0))
    assert played(rows, Order(1, 1, 101, 4)) == [(1, "refused", 4, 20, 27)]


def test_a_better_price_of_the_other_side_fills_all_it_reaches_at_their_own_prices():
    rows = rows_of(*BOOK, (40, LEVEL, SELLS, 99, 1))
    told = played(rows, Order(1, 1, 100, 4), Order(2, 1, 99, 4), Order(3, 1, 98, 4))
    assert [line[:2] for line in told[3:]] == [(1, "filled"), (2, "filled")]


def asked(script, *words):
    done = subprocess.run(
        [PYTHON, SCRIPTS / script, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def made(folder, *words):
    asked("level_feed.py", folder / "made.npz", *words)
    return folder / "made.npz"


@needs_peer
def test_a_made_feed_is_the_same_bytes_for_a_seed_and_never_crossed(tmp_path):
    digests = [asked("level_feed.py", tmp_path / f"{n}.npz", "--events", 20_000) for n in range(2)]
    assert digests[0] == digests[1]
    source = HftBacktestSource(tmp_path / "0.npz", symbol="MADE", tick_size="0.1", lot_size="0.001")
    tape = np.concatenate(list(source.chunks()))
    assert len(tape) > 19_900
    assert set(tape["kind"]) == {events.LEVEL, events.TRADE}
    levels = {events.BUY: {}, events.SELL: {}}
    for place, event in enumerate(tape):
        side = levels[int(event["side"])]
        if event["kind"] == events.TRADE:
            against = levels[events.BUY + events.SELL - int(event["side"])]
            assert against[int(event["price"])] >= event["quantity"]
        elif event["quantity"]:
            side[int(event["price"])] = event["quantity"]
        else:
            side.pop(int(event["price"]), None)
        whole = place + 1 == len(tape) or tape["time"][place + 1] > event["time"]
        if whole:
            assert max(levels[events.BUY]) < min(levels[events.SELL])
            assert min(map(len, levels.values())) >= 8


@needs_peer
@pytest.mark.parametrize(
    ("feed", "words"),
    [
        ("", ""),
        ("", "--depth hash --levels 3 --gap-ticks 2 --entry-ns 12000000 --response-ns 7000000"),
        ("", "--exchange partial --one-by-one --step-ns 1000000 --entry-ns 3000000"),
        ("--grid-us 1000 --feed-latency-ns 1000000", "--step-ns 1000000 --response-ns 0"),
    ],
)
def test_the_twin_has_every_fill_of_the_peer(tmp_path, feed, words):
    file = made(tmp_path, "--events", 60_000, "--seed", 5, *feed.split())
    said = json.loads(asked("run_hftbacktest.py", file, "--runs", 1, *words.split()))
    rules = said["rules"]
    backtest = Backtest(
        np.load(file)["data"],
        entry_ns=said["entry_ns"],
        response_ns=rules.pop("response_ns"),
        partial=said["exchange"] == "partial",
    )
    del rules["one_by_one"]
    quoter = Quoter(backtest, **rules)
    quoter.run()
    assert len(said["fills"]) > 300
    assert merged(quoter.fills) == said["fills"]
    counts = said["counts"]
    assert quoter.position == counts["position_lots"] == sum(f[1] * f[3] for f in said["fills"])
    counted = [counts[name] for name in ("looks", "sent", "cancels", "refused post-only")]
    assert [quoter.looks, quoter.sent, quoter.cancels, quoter.refused] == counted


def merged(fills):
    """As the peer can tell them: those of one order at one time are one."""
    kept = {}
    for fill in fills:
        same = kept.setdefault((fill[4], fill[0]), [*fill[:3], 0, *fill[4:]])
        same[3] += fill[3]
    return [kept[key] for key in sorted(kept)]
