"""How near to its limits: held beside a recount that looks at every moment."""

from __future__ import annotations

from live_day_twin import BOUGHT, told

from hftlib.research.day.limits_used import limits_used
from hftlib.research.day.session import read_session

SECOND = 10**9


def test_the_highest_use_is_what_a_slow_recount_finds(traded):
    session = read_session(traded)
    found = {(one.scope, one.name): one for one in limits_used(session)}
    held = most = 0
    for one in told(traded).trades:
        held += BOUGHT[one.side] * one.quantity
        most = max(most, abs(held))
    position = found["instrument:AAA", "position_lots"]
    assert (position.used, position.limit) == (most, 500) and position.share == most / 500
    sent = [r["time_ns"] for r in session.facts.rows if r["event"] in ("NEW", "MODIFY")]
    busiest = max(sum(time - SECOND < one <= time for one in sent) for time in sent)
    messages = found["firm", "messages"]
    assert (messages.used, messages.limit) == (busiest, 5_000)
    largest = max(r["quantity"] for r in session.facts.rows if r["event"] == "NEW")
    assert found["instrument:AAA", "order_quantity_lots"].used >= largest
    shares = [one.share for one in limits_used(session)]
    assert shares == sorted(shares, reverse=True)


def test_refusals_are_counted_with_their_limit(traded):
    session = read_session(traded)
    position = next(one for one in limits_used(session) if one.name == "position_lots")
    rows = session.result.refusals
    told_of = rows[(rows["reason"] == "the position could go above its limit")]
    assert position.refused == len(told_of) > 0


def test_a_session_without_limits_has_none(quiet):
    assert limits_used(read_session(quiet)) == []
