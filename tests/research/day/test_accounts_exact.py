"""Money of a day held beside a slow recount of its frames, in fractions and plain Python."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from live_day_twin import BOUGHT, told

from hftlib.core.numbers import EACH
from hftlib.research.day.accounts import accounts_of, summed
from hftlib.research.day.curves import curves_of
from hftlib.research.day.report import day_report
from hftlib.research.day.session import read_session

UNIT = Fraction(1, 10_000)


def recounted(days):
    """Position, cash and turnover of several journals' trades."""
    trades = [one for day in days for one in day.trades]
    position = sum(BOUGHT[one.side] * one.quantity for one in trades)
    cash = -sum(BOUGHT[one.side] * one.quantity * one.price for one in trades) * UNIT
    turnover = sum(one.quantity * one.price for one in trades) * UNIT
    return len(trades), position, cash, turnover


def test_the_sums_are_those_of_the_frames(traded, report):
    day = told(traded)
    fills, position, cash, turnover = recounted([day])
    mark = Fraction(day.last("AAA"), 2) * UNIT
    (total,) = report.totals
    assert total["fills"] == fills > 30
    assert total["position"] == position
    assert total["turnover"] == turnover
    assert total["gross"] == cash + position * mark
    assert total["net"] == total["gross"] - total["fees"]
    rates = {True: Fraction(-2, 100_000), False: Fraction(1, 10_000)}
    owed = sum(one.quantity * one.price * UNIT * rates[one.maker] for one in day.trades)
    assert abs(total["fees"] - owed) <= fills * UNIT, "each fee is rounded once"


def test_each_strategy_has_what_its_own_orders_brought(traded, report):
    day = told(traded)
    numbers = {row["user_reference"]: int(row["order_id"]) for row in report.tables["orders"]
               if row["event"] == "NEW"}  # fmt: skip
    held = {"Joiner": 0, "QueueImbalance": 0}
    for one in day.trades:
        name = ("Joiner", "QueueImbalance")[numbers[one.root] // EACH]
        held[name] += BOUGHT[one.side] * one.quantity
    found = {one["strategy"]: one["position"] for one in summed(report.accounts, ("strategy",))}
    assert found == held
    parts = summed(report.accounts, ("strategy",))
    (total,) = report.totals
    for name in ("fills", "turnover", "gross", "fees", "net"):
        assert sum(one[name] for one in parts) == total[name]


def test_where_it_came_from_adds_up(report):
    (row,) = report.figures["pnl"]["attribution"]
    parts = ("spread", "adverse", "inventory", "unattributed", "held_over_seams")
    assert sum(Fraction(row[name]) for name in parts) == Fraction(row["gross"])
    assert Fraction(row["gross"]) - Fraction(row["fees"]) == Fraction(row["net"])
    assert Fraction(row["held_over_seams"]) == 0, "a kill and a restart are one session"


def test_two_runners_of_a_switch_are_one_account(switched):
    made = day_report(*reversed(switched), parity=False)
    assert [one.name for one in made.sessions] == ["blue.journal", "green.journal"]
    assert not any(one.carries for one in made.sessions)
    days = [told(one) for one in switched]
    fills, position, cash, turnover = recounted(days)
    (total,) = made.totals
    assert (total["fills"], total["position"], total["turnover"]) == (fills, position, turnover)
    assert total["gross"] == cash + position * Fraction(days[1].last("AAA"), 2) * UNIT
    (curve,) = made.curves
    assert curve.net[-1] == pytest.approx(float(total["net"]))
    (row,) = made.figures["pnl"]["attribution"]
    parts = ("spread", "adverse", "inventory", "unattributed", "held_over_seams")
    assert sum(Fraction(row[name]) for name in parts) == Fraction(row["gross"])
    switch = next(row for row in made.actions if row["did"] == "switch")
    assert (switch["who"], switch["why"], switch["what"]) == ("ann", "wider", "to green.journal")


def test_one_that_took_over_from_a_stranger_counts_what_it_was_told(switched):
    green = day_report(switched[1], parity=False)
    both = day_report(*switched, parity=False)
    assert green.totals[0]["position"] == both.totals[0]["position"]
    assert green.totals[0]["gross"] == both.totals[0]["gross"]
    assert green.totals[0]["fills"] < both.totals[0]["fills"]
    assert any("took over from" in one for one in green.not_told)
    assert not any("took over from" in one for one in both.not_told)


@pytest.mark.parametrize("name", ["traded", "shadowed", "switched"])
def test_the_curve_ends_where_the_accounts_do(name, request):
    found = request.getfixturevalue(name)
    sessions = [read_session(one) for one in (found if isinstance(found, tuple) else [found])]
    if len(sessions) > 1:
        sessions[1].carries = False
    else:
        sessions[0].carries = bool(sessions[0].facts.carried)
    (curve,), (total,) = curves_of(sessions), summed(accounts_of(sessions), ())
    assert curve.net[-1] == pytest.approx(float(total["net"]))
    assert curve.gross[-1] == pytest.approx(float(total["gross"]))
    top, deepest = 0.0, 0.0
    for value in curve.net[~np.isnan(curve.net)].tolist():
        top = max(top, value)
        deepest = max(deepest, top - value)
    assert curve.drawdown == pytest.approx(deepest)


def test_a_day_without_a_fill_has_no_account(quiet):
    made = day_report(quiet, parity=False)
    assert made.accounts == [] and made.totals == [] and made.orders["orders"] == 0
    assert "Nothing was traded" in made._repr_html_() and "Nothing was sent" in made._repr_html_()
