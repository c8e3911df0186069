"""What an instrument's own rules say of an order, before anybody's limits are asked.

    restricted, not to be sold short, not trading, price not above zero  from lists and calendars
    cut off                            no session to its venue takes orders: a new one never leaves
    stale, crossed, clocks apart       its data are not to be trusted
    outside of the volatility bands    see `bands.py`

What the rules need of the market stands in the RULE record: `observed` brings it there, from the
numbers that the strategy sees too. The limits on data (`stale_ms`, `clock_skew_ms`) may be set for
any scope; here the tightest of the four counts.

Worst case: an instrument of which nothing was heard yet: only its lists and calendar are asked.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import HALTED, PAUSED, SELL
from hftlib.risk import controls
from hftlib.risk.bands import outside
from hftlib.risk.checks import refused
from hftlib.risk.controls import FIRM, G_DATA, INSTRUMENT, MS, NO_LIMIT, STRATEGY
from hftlib.risk.exposure import one_sided
from hftlib.risk.memory import (
    ANY_PRICE,
    FIRM_ROW,
    INTENT_AT,
    NO_SHORT,
    RESTRICTED,
    holding_of,
    instrument_row,
    intent_at,
    risk_at,
    rule_of,
    scope_of,
    strategy_row,
)


@jit.compiled("int64(int64)")
def by_rules(base: int) -> int:
    """May the intent in the header leave, as far as its instrument goes? 0, or the reason."""
    intent = intent_at(base + INTENT_AT)
    rule = rule_of(base, intent.instrument)
    firm = holding_of(base, FIRM_ROW, intent.instrument)
    flags = rule.flags
    if flags & RESTRICTED:
        return refused(base, INSTRUMENT, orders.RESTRICTED, 0, 0)
    if intent.limited != 0 and intent.price <= 0 and flags & ANY_PRICE == 0:
        return refused(base, INSTRUMENT, orders.PRICE_NOT_POSITIVE, 0, intent.price)
    if intent.calmer != 0:
        return 0
    if rule.cut_off != 0 and intent.what == orders.NEW:
        return refused(base, INSTRUMENT, orders.CUT_OFF, 0, 0)
    if rule.high != 0 and intent.limited != 0 and not rule.low <= intent.price <= rule.high:
        edge = rule.low if intent.price < rule.low else rule.high
        return refused(base, INSTRUMENT, orders.NOT_LAUNCHED, edge, intent.price)
    if flags & NO_SHORT and intent.side == SELL and intent.more > 0:
        seen = one_sided(firm, SELL, intent.more)
        if seen > 0:
            return refused(base, INSTRUMENT, orders.NO_SHORT, 0, seen)
    if not _trades(rule, intent.time):
        return refused(base, INSTRUMENT, orders.NOT_TRADING, 0, rule.state)
    reason = untrusted(base, intent.strategy, intent.instrument, intent.time)
    if reason != 0:
        return reason
    beyond = outside(rule, intent.side, intent.price, intent.time)
    if rule.bands != 0 and intent.limited != 0 and beyond:
        return refused(base, INSTRUMENT, orders.OUTSIDE_BANDS, rule.band_mean, intent.price)
    return 0


@jit.inlined
def _trades(rule: Any, now: int) -> bool:
    """Whether its venue takes orders in it, as last told, and its calendar lets them leave."""
    # In a period for quotations only, orders are entered for the auction that ends it.
    if rule.state == HALTED or rule.state == PAUSED:
        return False
    if rule.phases == 0:
        return True
    inside = False
    for n in range(rule.phases):
        inside = inside or rule.begins[n] <= now < rule.ends[n]
    return inside


@jit.compiled()
def untrusted(base: int, strategy: int, instrument: int, now: int) -> int:
    """Why the instrument's data are not to be trusted now; 0: they are."""
    risk, rule = risk_at(base), rule_of(base, instrument)
    if rule.stale != 0 and risk.stale_books == 0:
        return refused(base, INSTRUMENT, orders.STALE, 0, rule.stale)
    if rule.crossed != 0 and risk.crossed_books == 0:
        return refused(base, INSTRUMENT, orders.CROSSED, 0, rule.middle)
    if risk.groups & G_DATA == 0 or rule.venue_time == 0:
        return 0
    reason = _too_old(base, instrument_row(base, instrument), rule, now, INSTRUMENT)
    row, level = strategy_row(base, strategy), STRATEGY
    while reason == 0:
        reason = _too_old(base, row, rule, now, level)
        if level == FIRM:
            return reason
        row = scope_of(base, row).parent
        level += 1
    return reason


@jit.inlined
def _too_old(base: int, row: int, rule: Any, now: int, level: int) -> int:
    limits = scope_of(base, row).limits
    most = limits[controls.STALE]
    if most != NO_LIMIT and now - rule.venue_time > most * MS:
        return refused(base, level, orders.STALE, most, -(-(now - rule.venue_time) // MS))
    most = limits[controls.CLOCK_SKEW]
    if most != NO_LIMIT and abs(rule.skew) > most * MS:
        return refused(base, level, orders.CLOCKS_DISAGREE, most, -(-abs(rule.skew) // MS))
    return 0
