"""One trial for every reference strategy: what must hold of any run, whatever the idea."""

import numpy as np

import hftlib as hft
from hftlib.core import events
from hftlib.core.instruments import Instruments
from tests.tapes import ArraySource

FEED_NS = 50_000
VENUE = hft.Venue(order_latency="250us", feed_latency="50us")
MARKET = hft.synthetic(symbols=3, seconds=60, seed=3, halts=2)


def tried(strategy, tape, limit, venue=VENUE, **params):
    """The result of a run that is sound, within its limit, and the same in both modes."""
    settings = {"params": params, "venue": venue, "limits": hft.Limits(position_lots=limit)}
    result = hft.backtest(strategy, tape, **settings)
    assert result.ok, result.ended
    assert result.check() == []
    assert most_held(result, len(tape.instruments)) <= limit
    assert orders_while_halted(result, tape) == 0
    again = hft.backtest(strategy, tape, **settings)
    assert again.digest == result.digest
    plain = hft.backtest(strategy, tape, compiled=False, **settings)
    assert plain.digest == result.digest
    return result


def held(result, row):
    """What is held after each fill of an instrument."""
    mine = result.records["fills"][result.records["fills"]["instrument"] == row]
    sign = np.where(mine["side"] == events.BUY, 1, -1)
    return mine["received"], np.cumsum(sign * mine["quantity"])


def most_held(result, rows):
    return max((abs(held(result, row)[1]).max(initial=0) for row in range(rows)), default=0)


def halts(tape, row):
    """When trading was off, as we were told; both ends included in neither."""
    of_it = np.array(tape.events)
    of_it = of_it[(of_it["kind"] == events.STATUS) & (of_it["instrument"] == row)]
    found, since = [], None
    for one in of_it:
        is_open = one["reference"] == events.TRADING
        if not is_open and since is None:
            since = int(one["time"]) + FEED_NS
        elif is_open and since is not None:
            found.append((since, int(one["time"]) + FEED_NS))
            since = None
    return found


def orders_while_halted(result, tape):
    orders, count = result.records["orders"], 0
    for row in range(len(tape.instruments)):
        sent = orders["sent"][orders["instrument"] == row]
        for begin, end in halts(tape, row):
            count += int(((sent > begin) & (sent < end)).sum())
    return count


def late_venue(market, lag_ns):
    """The first stock of a market at two venues; the second shows it so much later."""
    tape = hft.to_tape(market)
    first = np.array(tape.events)
    first = first[(first["instrument"] == 0) & (first["kind"] <= events.STATUS)]
    later = first.copy()
    later["instrument"] = 1
    later["time"] += lag_ns
    later["received"] += lag_ns
    later["reference"][later["kind"] <= events.REPLACE] += 1 << 40
    later["other"][later["kind"] == events.REPLACE] += 1 << 40
    both = np.concatenate([first, later])
    both = both[np.argsort(both["time"], kind="stable")]
    table, one = Instruments(), tape.instruments[0]
    for venue in ("XNAS", "XBOS"):
        table.add(one.symbol, venue=venue, tick=one.tick, round_lot=one.round_lot)
    return hft.to_tape(ArraySource(both, table))
