"""The same in, the same out; what was earned balances; nothing is filled where there was no market.

Stories of what a user passes to `hft.backtest` stand at the end.
"""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from recorded import recorded
from tapes import ArraySource, event, flow

import hftlib as hft
from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.orders import ASKED, MOMENT_OVER, OVER, REASONS, WOULD_TAKE
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.lobster import LobsterSource
from hftlib.research.tape import to_tape
from tests.engine.restless import Restless
from tests.strategy.sample_strategies import QueueImbalance

ROOT = Path(__file__).parent.parent.parent
PROGRAM = [sys.executable, "-m", "tests.research.run_backtest"]
MANY = int(os.environ.get("HFT_MANY_BACKTESTS", "500"))  # 10_000 where there is time
SECONDS_LONG = int(os.environ.get("HFT_LONG_BACKTEST_SECONDS", "300"))
VENUE = hft.Venue(order_latency="150us", feed_latency="40us")
DRAWN = hft.Latency.lognormal("1ms", "5ms")
SLOW = hft.Venue(feed_latency=DRAWN, order_latency=hft.Latency(DRAWN, response=DRAWN), seed=5)
LIMITS = hft.Limits(position_lots=2_000)
ACTIVE = (events.EXECUTE, events.TRADE, events.ADD, events.REPLACE, events.LEVEL, events.CROSS)


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    path = tmp_path_factory.mktemp("tapes") / "market.tape"
    return to_tape(hft.synthetic(symbols=3, seconds=15, seed=4), path)


def process(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("venue", [VENUE, SLOW], ids=["near", "drawn"])
def test_however_it_is_run_it_is_the_same(tape, venue):
    first = hft.backtest(QueueImbalance, tape, venue=venue)
    assert len(first.fills) > 20 and first.check() == []
    others = [
        hft.backtest(QueueImbalance, tape, venue=venue),
        hft.backtest(QueueImbalance, tape, venue=venue, compiled=False),
        hft.backtest(QueueImbalance, tape, venue=venue, steps=97),
        hft.backtest(QueueImbalance(), tape.path, venue=venue),
        hft.backtest(QueueImbalance, str(tape.path), venue=venue),
        hft.backtest(QueueImbalance, tape[:], venue=venue),
    ]
    assert {one.digest for one in others} == {first.digest}
    assert all(one.counts == first.counts for one in others)


@pytest.mark.parametrize("strategy", [QueueImbalance, Restless()], ids=["maker", "restless"])
@pytest.mark.parametrize("part", ["time", "position", "symbol"])
def test_a_slice_gives_what_the_same_slice_gives_saved(tape, tmp_path, strategy, part):
    middle = tape.begin + tape.duration // 2
    piece = {
        "time": lambda: tape.between(middle),
        "position": lambda: tape[2_000:4_000],
        "symbol": lambda: tape.only(tape.symbols[1])[700:],
    }[part]()
    piece.save(tmp_path / "piece.tape")
    sliced = hft.backtest(strategy, piece, venue=VENUE)
    saved = hft.backtest(strategy, tmp_path / "piece.tape", venue=VENUE)
    assert len(sliced.orders) > 10 and sliced.digest == saved.digest
    assert sliced.counts == saved.counts
    assert (sliced.about["begin"], sliced.about["end"]) == (piece.begin, piece.end)


def test_events_without_message_ends_stay_so_when_a_slice_is_saved(tape, tmp_path):
    """The snapshot a saved slice begins with says where messages end; its events do not."""
    plain = tape.events.copy()
    plain["flags"] &= ~np.uint16(events.LAST)
    bare = to_tape(ArraySource(plain, tape.instruments), tmp_path / "bare.tape")
    piece = bare[3_000:]
    piece.save(tmp_path / "piece.tape")
    sliced = hft.backtest(QueueImbalance, piece, venue=VENUE)
    assert len(sliced.orders) > 10
    assert (
        hft.backtest(QueueImbalance, tmp_path / "piece.tape", venue=VENUE).digest == sliced.digest
    )


def test_on_either_cpu_and_in_another_process(tape):
    here = hft.backtest(Restless(), tape, venue=VENUE).digest
    cpus = sorted(os.sched_getaffinity(0))
    assert {process(tape.path, "digest", cpu)[0] for cpu in (cpus[0], cpus[-1])} == {here}


def test_another_seed_draws_other_latencies(tape):
    draws = [
        hft.backtest(QueueImbalance, tape, venue=hft.Venue(order_latency=DRAWN, seed=seed)).digest
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]


def balances(result):
    """Positions, cash and fees from the fills alone, by whole numbers; the last sample has them."""
    assert result.check() == []
    fills, samples = result.records["fills"], result.records["equity"]
    signed = np.where(fills["side"] == events.BUY, fills["quantity"], -fills["quantity"])
    for row in np.unique(fills["instrument"]).tolist():
        mine = fills["instrument"] == row
        last = samples[samples["instrument"] == row][-1]
        assert last["position"] == signed[mine].sum()
        assert last["cash"] == -(signed * fills["price"])[mine].sum()
        assert last["fees"] == fills["fee"][mine].sum()


def had_a_market(result, tape):
    """Each fill that took: at a price that was quoted. Each that stood: the market came to it."""
    array = tape.events
    quoted = {
        (int(row), int(price))
        for row, price in np.unique(array[["instrument", "price"]][array["price"] > 0])
    }
    prices = {}
    for kind, number in (
        (events.ADD, "reference"),
        (events.REPLACE, "reference"),
        (events.REPLACE, "other"),
    ):
        named = array[array["kind"] == kind]
        prices |= dict(zip(named[number].tolist(), named["price"].tolist(), strict=True))
    active = array[np.isin(array["kind"], ACTIVE)]
    for fill in result.records["fills"]:
        price, row = int(fill["price"]), int(fill["instrument"])
        if fill["taker"]:
            assert (row, price) in quoted, fill
            continue
        low, high = np.searchsorted(active["time"], [fill["time"], fill["time"] + 1])
        come = [
            int(one["price"]) or prices.get(int(one["reference"]), 0)
            for one in active[low:high]
            if one["instrument"] == row
        ]
        reached = [one <= price if fill["side"] == events.BUY else one >= price for one in come]
        assert any(reached), (fill, come)


def test_money_balances_and_every_fill_had_a_market(tape):
    fees = hft.Fees(maker="-0.3bp", taker="2.5bp")
    for venue in (VENUE, SLOW, hft.Venue(order_latency="1ns", fees=fees)):
        result = hft.backtest(Restless(), tape, venue=venue, limits=LIMITS)
        assert len(result.fills) > 30
        balances(result)
        had_a_market(result, tape)


def test_money_balances_over_a_long_run(tmp_path):
    market = hft.synthetic(symbols=4, seconds=SECONDS_LONG, seed=9, rate=200)
    long = to_tape(market, tmp_path / "long.tape")
    venue = hft.Venue(order_latency="20us", fees=hft.Fees(maker="-0.3bp", taker="2.5bp"))
    result = hft.backtest(Restless(), long, venue=venue, limits=LIMITS)
    assert len(result.fills) > 20 * SECONDS_LONG
    balances(result)


def test_recorded_lobster_days_balance():
    day = to_tape(LobsterSource(recorded("lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")))
    result = hft.backtest(Restless(), day["09:45":"10:45"], venue=VENUE, limits=LIMITS)
    assert len(result.fills) > 100
    balances(result)


def test_a_recorded_itch_day_balances():
    path = recorded("itch/AAPL_real_20191230_reconstructed_from_karan.itch50")
    day = to_tape(ItchSource(path, date="2019-12-30"))
    result = hft.backtest(Restless(), day, venue=VENUE, limits=LIMITS)
    assert len(result.fills) > 20
    balances(result)
    had_a_market(result, day)


def test_ctrl_c_ends_a_long_run_and_leaves_nothing(tape, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*PROGRAM, str(tape.path), "for_ever"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout.readline() == "begins\n"
        time.sleep(0.5)
        pressed = time.monotonic()
        running.send_signal(signal.SIGINT)
        try:
            told, wrong = running.communicate(timeout=60)
        finally:
            running.kill()
        assert running.returncode == 7 and wrong == "", wrong
    assert float(told.split()[1]) - pressed < 20, "one call of the compiled loop takes a moment"
    assert list(tmp_path.iterdir()) == []


def test_many_small_backtests_leak_nothing(tape):
    digests, grown = map(int, process(tape.path, "many", MANY))
    assert digests == 1
    assert grown < 8 << 20, f"{MANY} backtests grew by {grown:,} bytes"


def test_memory_does_not_grow_with_the_tape(tmp_path):
    for name, seconds in (("short", 30), ("long", 300)):
        market = hft.synthetic(symbols=2, seconds=seconds, seed=2, rate=100)
        to_tape(market, tmp_path / f"{name}.tape")
    (short, few), (long, more) = (
        map(int, process(tmp_path / f"{name}.tape", "memory")) for name in ("short", "long")
    )
    # Orders and fills are what a result is of: some 600 bytes each, with their copies.
    assert more > 4 * few
    assert long - short < (16 << 20) + 2_000 * (more - few)


@hft.strategy
class AnswersEveryAnswer:
    def on_book(self, ctx, i):
        ctx.buy(i, 100.0, 1)

    def on_order(self, ctx, i, order):
        if order.is_open:
            ctx.cancel(order.id)
        else:
            ctx.buy(i, 100.0, 1)


def test_a_clock_that_stands_still_ends_the_run(tape):
    with pytest.warns(UserWarning, match="Time stood still"):
        result = hft.backtest(AnswersEveryAnswer, tape[-500:], venue=hft.Venue(order_latency=0))
    assert "Time stood still" in result.ended and "order_latency" in result.ended
    assert result.check() == [] and not result.ok
    slower = hft.backtest(AnswersEveryAnswer, tape[-500:], venue=hft.Venue(order_latency="1ms"))
    assert slower.ok


def test_a_source_is_read_into_a_tape():
    market = hft.synthetic(symbols=1, seconds=2, seed=1)
    result = hft.backtest(QueueImbalance, market, params={"edge_ticks": 2})
    assert result.ok and len(result.orders) > 0
    assert result.about["parameters"]["edge_ticks"] == 2


def test_times_that_go_back_are_warned_of_and_counted_as_the_highest(tape):
    mixed = tape.events.copy()
    mixed["time"][2_000:2_010] -= 10**7
    odd = to_tape(ArraySource(mixed, tape.instruments))
    with pytest.warns(UserWarning, match="go back in places"):
        result = hft.backtest(QueueImbalance, odd, venue=VENUE)
    assert result.ok and result.check() == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hft.backtest(QueueImbalance, tape, venue=VENUE)


class _NoInstruments(ArraySource):
    def __init__(self, array):
        super().__init__(array)
        self.instruments = Instruments()


def test_what_cannot_be_run_is_a_sentence(tape, tmp_path):
    cases = [
        (lambda: hft.backtest(QueueImbalance, tape[5:5]), "The tape has no events"),
        (lambda: hft.backtest(QueueImbalance, 5), "int is no tape"),
        (lambda: hft.backtest(QueueImbalance, tmp_path / "none"), "cannot be opened"),
        (lambda: hft.backtest(7, tape), "int is no strategy"),
        (lambda: hft.backtest(lambda _tape: 7, tape), "function is no strategy"),
        (lambda: hft.backtest(QueueImbalance, tape, every="0s"), "no time between samples"),
        (lambda: hft.backtest(QueueImbalance, tape, venue="fast"), "no setting of venues"),
        (lambda: hft.backtest(QueueImbalance, tape, venue={}), "has no settings"),
        (lambda: hft.backtest(QueueImbalance, tape, params={"x": 1}), "no parameter 'x'"),
        (lambda: hft.backtest(QueueImbalance, tape, params=["x"]), "no parameters by name"),
        (lambda: hft.backtest(QueueImbalance, tape, params={1: 1}), "no parameters by name"),
        (lambda: hft.backtest(ArraySource, tape), "ArraySource is no strategy"),
        (lambda: hft.backtest(QueueImbalance, tape, limits=1_000), r"Limits\(position_lots=1000\)"),
        (
            lambda: hft.backtest(QueueImbalance, tape, limits={"position": 5}),
            r"Write hft.Limits\(position=5\)",
        ),
        (lambda: hft.check_lookahead(QueueImbalance, tape, limits=9), "no hft.Limits"),
        (lambda: hft.backtest(QueueImbalance, tape, horizons=5), "no time after a fill"),
        (lambda: hft.backtest(QueueImbalance, tape, horizons=["soon"]), "as a duration"),
        (lambda: hft.backtest(QueueImbalance, tape, horizons=["0s"]), "no time after a fill"),
        (lambda: hft.backtest(QueueImbalance, tape, horizons=["1s", 10**9]), "same time twice"),
    ]
    for run, said in cases:
        with pytest.raises(Exception, match=said) as caught:
            run()
        assert caught.type.__module__ == "hftlib.core.errors", caught.value
    notices = np.concatenate([event("NOTICE", time=10**18, instrument=events.ALL)] * 3)
    with pytest.raises(InputError, match="no instruments"):
        hft.backtest(QueueImbalance, to_tape(_NoInstruments(notices)))


def test_events_of_no_market_sense_give_a_sound_result():
    for seed in range(3):
        result = hft.backtest(Restless(), to_tape(ArraySource(flow(3_000, seed))), venue=VENUE)
        assert result.check() == []


def test_horizons_are_durations(tape):
    told = hft.backtest(QueueImbalance, tape, horizons=["100ms", 10**9])
    assert (
        told.horizons == (10**8, 10**9) and "adverse_100ms" in told.stats.to_dict()["totals"]["USD"]
    )
    assert hft.backtest(QueueImbalance, tape, horizons="1s").horizons == (10**9,)
    assert hft.backtest(QueueImbalance, tape, horizons=()).horizons == ()


@hft.strategy
class EndsOrdersInEveryWay:
    """Cancels some, has some refused, and some ended after they were taken."""

    calls_so_far: int = hft.state()
    last: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        self.calls_so_far += 1
        n = self.calls_so_far % 40
        if i != 0 or not b.has_both:
            return
        if n == 1:
            self.last = ctx.buy(i, b.bid - 100 * b.tick, 100)
        if n == 20:
            ctx.cancel(self.last)
        if n == 5:
            ctx.buy(i, b.ask + 5 * b.tick, 100, post_only=True)
        if n == 10:
            ctx.buy(i, b.bid - 50 * b.tick, 100, lasts=hft.IOC)


def test_what_the_venue_ended_is_told_apart_from_what_we_asked_for(tape, tmp_path):
    result = hft.backtest(EndsOrdersInEveryWay, tape, venue=VENUE)
    orders = result.records["orders"]
    done = orders[orders["state"] >= OVER]
    assert (done["reason"] == ASKED).sum() > 5, "none was cancelled"
    told = {**result.rejected, **result.ended_by_venue}
    assert REASONS[ASKED] not in told
    assert result.rejected[REASONS[WOULD_TAKE]] > 3
    assert sum(result.rejected.values()) == result.stats["orders_refused"]
    never = {REASONS[one["reason"]] for one in done if not one["accepted"]}
    assert set(result.rejected) <= never
    assert "orders the venue refused, and why" in result._repr_html_()
    again = hft.Result.load(result.save(tmp_path / "kept"))
    assert (again.rejected, again.ended_by_venue) == (result.rejected, result.ended_by_venue)
    assert result.ended_by_venue[REASONS[MOMENT_OVER]] > 3
