"""Where the tick path meets risk: every order asks here, and what happens is told here.

    place, change ─▶ may_send ─▶ rules, limits ─▶ 0: it leaves (`left`) │ a reason (`refuse_order`)
    a report ─▶ reported ─▶ positions of all scopes, breakers

A refused order becomes a row of its own, an ORDER with its reason, the limit and what was seen; the
strategy hears of it as `on_order` once the present callback is over, so that nothing calls itself.

Worst case: more refusals in one callback than the log holds: they are counted and not kept.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import events, jit, orders
from hftlib.engine.counted import count
from hftlib.engine.memory import (
    context_address,
    context_at,
    execution_base,
    market_of,
    refuse,
    refused_of,
    risk_base,
    session_at,
)
from hftlib.execution.memory import fill_of
from hftlib.risk import breakers
from hftlib.risk.bands import printed
from hftlib.risk.checks import allowed
from hftlib.risk.collars import anchored
from hftlib.risk.controls import G_BREAK, G_COLLAR, G_DUPLICATE, G_PACE
from hftlib.risk.memory import (
    INTENT_AT,
    intent_at,
    risk_at,
    rule_of,
)
from hftlib.risk.rules import by_rules
from hftlib.risk.windows import sent

_STAMPED = G_PACE | G_DUPLICATE


@jit.compiled()
def may_send(
    base: int,
    what: int,
    instrument: int,
    side: int,
    price: int,
    limited: int,
    worth_price: int,
    quantity: int,
    more: int,
    calmer: int,
) -> int:
    """Ask whether this may leave: 0, or the reason. The intent stays in risk's header."""
    here = risk_base(base)
    intent = intent_at(here + INTENT_AT)
    intent.time = session_at(base).time
    intent.strategy = context_at(context_address(base)).strategy
    intent.instrument, intent.side, intent.what = instrument, side, what
    intent.price, intent.limited, intent.worth_price = price, limited, worth_price
    intent.quantity, intent.more, intent.calmer = quantity, more, calmer
    observed(base, here, instrument)
    rule = rule_of(here, instrument)
    if rule.mark == 0:
        rule.mark = 2 * worth_price
    risk_at(here).level = 0
    reason = by_rules(here)
    return reason if reason != 0 else allowed(here)


@jit.inlined
def tried(base: int, instrument: int) -> None:
    """The strategy tries to send, whatever comes of it; asking again for what waits is no try."""
    here = risk_base(base)
    if risk_at(here).groups & G_BREAK:
        strategy = context_at(context_address(base)).strategy
        breakers.attempted(here, strategy, instrument, session_at(base).time)


@jit.inlined
def worth_of(base: int, instrument: int, side: int, limit: int, limited: bool) -> int:
    """What a lot may cost: its limit, or what the market says where that is dearer or all."""
    market = market_of(base, instrument)
    if not limited:
        best = market.ask if side == events.BUY else market.bid
        return best if best != NO_PRICE else market.last
    if side == events.SELL:  # it may trade far above its limit
        return max(abs(limit), market.bid, market.last)
    return limit


@jit.inlined
def left(base: int, instrument: int) -> None:
    """What was asked about has left: stamps, and what every scope could come to."""
    here = risk_base(base)
    if risk_at(here).groups & _STAMPED:
        sent(here)
    count(base, instrument)


@jit.compiled()
def refuse_order(
    base: int, reason: int, order: int, instrument: int, side: int, price: int, quantity: int
) -> int:
    """Count an order that never left us and keep it with its reason: minus the reason."""
    log_refused(base, reason, order, instrument, side, price, quantity)
    return refuse(base, reason)


@jit.compiled()
def log_refused(
    base: int, reason: int, order: int, instrument: int, side: int, price: int, quantity: int
) -> None:
    """Keep it with its reason, the limit and what was seen; the strategy is told afterwards."""
    session = session_at(base)
    if session.refusals >= session.refusals_max:
        session.refusals_lost += 1
        return
    row = refused_of(base, session.refusals)
    session.refusals += 1
    row.id, row.instrument, row.side = order, instrument, side
    row.strategy = context_at(context_address(base)).strategy
    row.price, row.quantity = price, quantity
    row.sent = session.time
    row.done = session.time
    row.state, row.reason = orders.WAS_REFUSED, reason
    risk = risk_at(risk_base(base))
    row.level, row.limit, row.seen = risk.level, risk.limit, risk.seen
    if risk.level == 0:
        row.limit, row.seen = 0, 0


@jit.inlined
def observed(base: int, here: int, instrument: int) -> None:
    """What the rules need of the market, as the strategy sees it."""
    market, rule = market_of(base, instrument), rule_of(here, instrument)
    rule.state, rule.stale, rule.last = market.state, market.stale, market.last
    rule.middle, was, rule.crossed = 0, rule.crossed, 0
    if market.bid != NO_PRICE and market.ask != NO_PRICE:
        rule.middle = market.bid + market.ask
        rule.crossed = 1 if market.bid >= market.ask else 0
        rule.mark = rule.middle
        if rule.crossed != 0 and was == 0:
            rule.crossed_since = session_at(base).time
    elif market.last != 0:
        rule.mark = 2 * market.last
    if market.time > rule.venue_time:
        rule.venue_time = market.time
        rule.skew = session_at(base).time - market.time
    if risk_at(here).groups & G_COLLAR:
        anchored(here, instrument, session_at(base).time)


@jit.compiled()
def reported(base: int, instrument: int, fills_before: int, fills: int) -> None:
    """A report came in: positions of all scopes, and what breakers make of a fill."""
    here = risk_base(base)
    count(base, instrument)
    breaks = risk_at(here).groups & G_BREAK
    for n in range(fills_before, fills):
        # A late fill may be of an order that is long gone: its own row says what traded.
        fill = fill_of(execution_base(base), n)
        if fill.instrument != instrument:
            count(base, fill.instrument)
        if fill.quantity > 0:  # what is taken back is no trade of ours
            breakers.filled(here, context_at(context_address(base)).strategy, fill)
        if breaks:
            breakers.marked(here, fill.instrument, session_at(base).time)


@jit.compiled()
def order_ended(base: int, order: Any) -> None:
    """An order of ours is over."""
    here = risk_base(base)
    if risk_at(here).groups & G_BREAK == 0:
        return
    rejected = 1 if order.accepted == 0 and order.filled == 0 and order.reason > orders.OURS else 0
    was_filled = 1 if order.filled > 0 else 0
    now = session_at(base).time
    breakers.ended(here, order.strategy, order.instrument, was_filled, rejected, now)


@jit.compiled()
def band_print(base: int, instrument: int, price: int) -> None:
    """A print, for the volatility bands."""
    printed(risk_base(base), instrument, price, session_at(base).time)
