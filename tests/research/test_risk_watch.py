"""Risk through a whole backtest: refusals and changes in the result, people, portfolio risk."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.tape import to_tape
from tests.strategy.sample_strategies import QueueImbalance

VENUE = hft.Venue(order_latency="150us", feed_latency="40us")
SAID = {"who": "ann", "why": "odd fills"}


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    path = tmp_path_factory.mktemp("tapes") / "market.tape"
    return to_tape(hft.synthetic(symbols=2, seconds=8, seed=4), path)


@pytest.fixture(scope="module")
def free(tape):
    return hft.backtest(QueueImbalance, tape, venue=VENUE)


def at(tape, share):
    """A moment of the tape, in ns."""
    return tape.begin + int(share * tape.duration)


def sent_between(result, begin, end):
    sent = result.records["orders"]["sent"]
    return int(((sent >= begin) & (sent < end)).sum())


def test_a_run_without_limits_refuses_nothing_of_risk(free):
    assert len(free.risk_log) == 0
    assert set(free.refusals.level) <= {""}


def test_a_halt_stops_all_and_a_lift_by_two_lets_it_go_on(tape, free):
    halted, tried, lifted = (at(tape, share) for share in (0.3, 0.5, 0.6))
    told = [
        hft.halt("firm", at=halted, **SAID),
        hft.lift("firm", at=tried, **SAID),
        hft.lift("firm", at=lifted, second="bob", **SAID),
    ]
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, directives=told)
    assert sent_between(free, halted, lifted) > 10
    assert sent_between(result, halted, lifted) == 0, "not one new order after the halt"
    assert sent_between(result, tape.begin, halted) == sent_between(free, tape.begin, halted)
    assert sent_between(result, lifted, tape.end) > 10
    log = result.risk_log
    assert log.what.tolist() == ["state", "refused", "state"]
    assert log.after.tolist()[::2] == ["halted", "active"]
    assert log.reason[1] == "it takes two people, of the role risk or higher"
    assert log.who.tolist() == ["ann"] * 3 and log.second.tolist() == ["", "", "bob"]
    refused = result.refusals
    assert "all trading is halted" in set(refused.reason)
    assert set(refused[refused.reason == "all trading is halted"].level) == {"firm"}
    # A millisecond later all that stood is gone: two ways to the venue take 300 us.
    done = result.records["orders"]
    standing = (done["sent"] < halted) & ((done["done"] == 0) | (done["done"] > halted + 10**6))
    assert not standing.any()
    assert result.check() == []


def test_what_is_flattened_is_flat_and_stays_so(tmp_path):
    tape = to_tape(hft.synthetic(symbols=2, seconds=60, seed=4), tmp_path / "minute.tape")
    begin = at(tape, 0.6)
    told = [hft.flatten("strategy", at=begin, **SAID)]
    result, slow = (
        hft.backtest(
            hft.library.QueueImbalance, tape, venue=VENUE, directives=told, compiled=compiled
        )
        for compiled in (True, False)
    )
    assert slow.fills.equals(result.fills)
    log = result.risk_log
    assert log.after.tolist() == ["reducing", "halted"]
    assert set(log.reason) == {"positions are being closed"}
    assert log.who.tolist() == ["ann", ""]
    fills = result.fills
    signed = fills.quantity.where(fills.side == "buy", -fills.quantity)
    begun, over = log.time
    assert signed[fills.time < begun].groupby(fills.symbol).sum().abs().sum() > 0
    assert signed.groupby(fills.symbol).sum().eq(0).all()
    assert (fills.time <= over).all() and (over - begun).total_seconds() < 1.0
    assert result.check() == []


def test_while_reducing_the_position_only_shrinks(tape):
    begin = at(tape, 0.4)
    told = [hft.reduce("strategy", at=begin, **SAID)]
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, directives=told)
    for row in range(2):
        fills = result.records["fills"]
        fills = fills[(fills["instrument"] == row) & (fills["received"] > begin + 10**6)]
        sizes = np.abs(fills["position"])
        assert (np.diff(sizes) <= 0).all() and (sizes >= 0).all()
    assert "only orders that reduce the risk may leave" in set(result.refusals.reason)


def test_one_instrument_halted_leaves_the_other(tape):
    begin, symbol = at(tape, 0.4), tape.symbols[0]
    told = [hft.halt(f"instrument:{symbol}", at=begin, **SAID)]
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, directives=told)
    late = result.records["orders"]
    late = late[late["sent"] > begin]
    assert set(late["instrument"].tolist()) == {1}


def test_a_limit_made_tighter_on_the_way_holds_from_then_on(tape):
    begin = at(tape, 0.5)
    told = [hft.set_limit("strategy", at=begin, **SAID, role="trader", order_quantity_lots=50)]
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, directives=told)
    assert sent_between(result, tape.begin, begin) > 10
    assert sent_between(result, begin, tape.end) == 0
    refused = result.refusals[result.refusals.level == "strategy"]
    assert set(refused.limit) == {50} and set(refused.seen) == {100}
    assert set(refused.unit) == {"lots"}
    row = result.risk_log.iloc[0]
    assert (row.what, row.reason, row.before, row.after) == (
        "limit", "order_quantity_lots", "none", "50",
    )  # fmt: skip


def test_a_breaker_of_the_day_ends_it(tape, free):
    loss = hft.Limits(firm={"daily_loss_money": 0})
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, limits=loss)
    log = result.risk_log
    assert log.after.tolist()[-1] == "halted" and log.who.tolist()[-1] == "breaker"
    assert set(log.reason) == {"the loss is above its limit"}
    assert len(result.fills) < len(free.fills)
    halted = log.time.iloc[-1].value
    assert sent_between(result, halted + 1, tape.end) == 0


def test_refusals_and_the_log_are_kept_with_a_result(tape, tmp_path):
    told = [hft.halt("firm", at=at(tape, 0.5), **SAID)]
    limits = hft.Limits(order_value_money=1)
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, limits=limits, directives=told)
    assert len(result.refusals) > 10 and len(result.risk_log) == 1
    result.save(tmp_path / "kept")
    kept = hft.Result.load(tmp_path / "kept")
    assert kept.digest == result.digest
    assert kept.refusals.equals(result.refusals)
    assert kept.risk_log.equals(result.risk_log)


def returns(tape):
    drawn = np.random.default_rng(1)
    return {symbol: drawn.normal(0, 0.01, 500) for symbol in tape.symbols}


def test_portfolio_risk_is_fed_back_and_stops_what_would_add_to_it(tape):
    limits = hft.Limits(firm={"value_at_risk_money": 0.01})
    watch = hft.RiskWatch(returns(tape), every="500ms", delay="20ms", confidence=0.95)
    result = hft.backtest(QueueImbalance, tape, venue=VENUE, limits=limits, risk_watch=watch)
    log = result.risk_log
    half = 500_000_000
    assert len(log) == 2 * len(range(tape.begin + half, tape.end, half)), "two figures each"
    assert set(log.reason) == {"value at risk", "expected shortfall"}
    assert set(log.who) == {"portfolio risk"}
    times = log.time[log.reason == "value at risk"]
    assert (times.diff().dropna().dt.total_seconds() == 0.5).all()
    refused = result.refusals
    refused = refused[refused.reason == "the value at risk is above its limit"]
    assert len(refused) > 10 and (refused.seen > refused.limit).all()
    figures = {float(one) for one in log.after.str.replace(",", "")}
    assert {round(one, 2) for one in refused.seen} <= figures


def test_the_same_watch_gives_the_same_bytes(tape):
    limits = hft.Limits(firm={"value_at_risk_money": 0.01})
    digests = set()
    for steps in (1 << 20, 97):
        watch = hft.RiskWatch(returns(tape), every="1s", delay="0ms")
        result = hft.backtest(
            QueueImbalance, tape, venue=VENUE, limits=limits, risk_watch=watch, steps=steps
        )
        digests.add(result.digest)
    assert len(digests) == 1


def test_what_cannot_be_watched_is_a_sentence(tape):
    with pytest.raises(InputError, match="cannot be told"):
        hft.RiskWatch(returns(tape), every="1s", delay="1s")
    with pytest.raises(InputError, match="cannot be told"):
        hft.RiskWatch(returns(tape), every=0)
    watch = hft.RiskWatch({tape.symbols[0]: [0.1, 0.2, -0.1]})
    with pytest.raises(InputError, match=f"no returns of {tape.symbols[1]}"):
        hft.backtest(QueueImbalance, tape, risk_watch=watch)
    watch = hft.RiskWatch(returns(tape), scope=f"instrument:{tape.symbols[0]}")
    with pytest.raises(InputError, match="is one instrument, not a portfolio"):
        hft.backtest(QueueImbalance, tape, risk_watch=watch)
    with pytest.raises(InputError, match="would be asked for"):
        hft.backtest(
            QueueImbalance, tape, risk_watch=hft.RiskWatch(returns(tape), every="1us", delay=0)
        )
    with pytest.raises(InputError, match="tells risk nothing"):
        hft.backtest(QueueImbalance, tape, directives=["halt"])
    with pytest.raises(InputError, match="There is no strategy 'none' here"):
        hft.backtest(QueueImbalance, tape, directives=[hft.halt("strategy:none", at=0, **SAID)])
