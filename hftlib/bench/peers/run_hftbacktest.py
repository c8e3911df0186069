# mypy: ignore-errors
"""A feed through hftbacktest: what an event costs, and every fill, as JSON on standard output.

    python run_hftbacktest.py FILE.npz --strategy quote --depth roi --exchange whole --runs 5

Runs in the peer's environment and imports nothing of hftlib. The feed is read once, before the
clock starts. Compilation happens in a first run over the feed's first rows and is told apart;
each timed run then has a backtest of its own, whose making is not timed either. A run that differs
from the first in any count or fill ends with an error: only equal work may be compared.

Fills: [order, side (1 buys, -1 sells), price in ticks, quantity in lots, exchange ns, local ns].
They are sorted by exchange time and order, for fills of one event come in the order of a hash.

`own_ns_per_event` is the thread's own time, without what other processes took of the core.

Worst case: FILLS_MAX fills; one more is an error of the compiled code's bounds, not of the figures.
"""

from __future__ import annotations

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import statistics  # noqa: E402
from types import SimpleNamespace  # noqa: E402

import hftbacktest  # noqa: E402
import numpy as np  # noqa: E402
import strategies  # noqa: E402

FILLS_MAX = 4_000_000
COMPILE_ROWS = 2_000
ROI_MARGIN_TICKS = 200


def main() -> None:
    asked = arguments()
    rows = np.load(asked.file)["data"]
    imported = time.perf_counter() - STARTED
    begun = time.perf_counter()
    run(rows[:COMPILE_ROWS], asked)
    compiled = time.perf_counter() - begun
    runs = [run(rows, asked) for _ in range(asked.runs)]
    first = runs[0]
    for other in runs[1:]:
        if other.counts != first.counts or other.fills != first.fills:
            raise SystemExit("Two runs over the same feed differ.")
    costs = [one.nanoseconds / len(rows) for one in runs]
    own_costs = [one.own_nanoseconds / len(rows) for one in runs]
    said = {
        "peer": f"hftbacktest {hftbacktest.__version__}",
        "strategy": asked.strategy,
        "depth": asked.depth,
        "exchange": asked.exchange,
        "events": len(rows),
        "ns_per_event": statistics.median(costs),
        "ns_per_event_runs": costs,
        "own_ns_per_event": statistics.median(own_costs),
        "import_seconds": imported,
        "compile_seconds": compiled,
        "rules": {name: getattr(asked, name) for name in strategies.RULES},
        "entry_ns": asked.entry_ns,
        "fees": [asked.maker_fee, asked.taker_fee],
        "counts": dict(zip(strategies.COUNTS, first.counts, strict=True)),
        "own_account": first.account,
        "fills": first.fills if asked.fills else [],
    }
    print(json.dumps(said))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a level feed through hftbacktest.")
    parser.add_argument("file")
    parser.add_argument("--strategy", choices=("watch", "quote"), default="quote")
    parser.add_argument("--depth", choices=("roi", "hash"), default="roi")
    parser.add_argument("--exchange", choices=("whole", "partial"), default="whole")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-fills", dest="fills", action="store_false")
    parser.add_argument("--one-by-one", action="store_true", help="see each partial fill by itself")
    for name, default in (
        ("step-ns", 10_000_000),
        ("entry-ns", 1_000_000),
        ("response-ns", 1_000_000),
        ("levels", 1),
        ("spread-ticks", 1),
        ("gap-ticks", 1),
        ("order-lots", 15),
        ("skew-ticks", 1),
        ("position-max-lots", 150),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--roi", type=float, nargs=2, help="lowest and highest price kept by roi")
    for name, default in (
        ("tick-size", 0.1),
        ("lot-size", 0.001),
        ("maker-fee", 0.0),
        ("taker-fee", 0.0),
    ):
        parser.add_argument(f"--{name}", type=float, default=default)
    return parser.parse_args()


def run(rows: np.ndarray, asked: argparse.Namespace) -> SimpleNamespace:
    """One backtest over `rows`: how long its loop took, and what came of it."""
    hbt = backtest(rows, asked)
    rules = np.array([getattr(asked, name) for name in strategies.RULES], np.int64)
    fills = np.zeros((min(FILLS_MAX, len(rows)), len(strategies.FILL_FIELDS)), np.int64)
    counts = np.zeros(len(strategies.COUNTS), np.int64)
    begun, own_begun = time.perf_counter_ns(), time.thread_time_ns()
    if asked.strategy == "watch":
        strategies.watch(hbt, asked.step_ns, counts)
    else:
        strategies.quote(hbt, rules, asked.lot_size, fills, counts)
    elapsed, own = time.perf_counter_ns() - begun, time.thread_time_ns() - own_begun
    if counts[strategies.END] != strategies.DATA_ENDS:
        code = counts[strategies.END]
        raise SystemExit(f"hftbacktest stopped with its error {code} at {hbt.current_timestamp}.")
    values = hbt.state_values(0)
    account = {
        name: getattr(values, name)
        for name in ("position", "balance", "fee", "num_trades", "trading_volume")
    }
    hbt.close()
    told = fills[: counts[strategies.FILLS]].tolist()
    told.sort(key=lambda fill: (fill[4], fill[0]))
    return SimpleNamespace(
        nanoseconds=elapsed,
        own_nanoseconds=own,
        counts=counts.tolist(),
        fills=told,
        account=account,
    )


def backtest(rows: np.ndarray, asked: argparse.Namespace) -> object:
    asset = (
        hftbacktest.BacktestAsset()
        .data([rows])
        .linear_asset(1.0)
        .constant_order_latency(asked.entry_ns, asked.response_ns)
        .risk_adverse_queue_model()
        .trading_value_fee_model(asked.maker_fee, asked.taker_fee)
        .tick_size(asked.tick_size)
        .lot_size(asked.lot_size)
        .last_trades_capacity(0)
    )
    partial = asked.exchange == "partial"
    asset = asset.partial_fill_exchange() if partial else asset.no_partial_fill_exchange()
    if asked.depth == "hash":
        return hftbacktest.HashMapMarketDepthBacktest([asset])
    # Prices beyond the range are ignored by this kind of depth: unless told, it is the feed's own.
    low, high = asked.roi or (rows["px"].min(), rows["px"].max())
    margin = ROI_MARGIN_TICKS * asked.tick_size
    asset = asset.roi_lb(max(low - margin, 0)).roi_ub(high + margin)
    return hftbacktest.ROIVectorMarketDepthBacktest([asset])


if __name__ == "__main__":
    main()
