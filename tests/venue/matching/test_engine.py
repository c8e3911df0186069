"""The matching engine in stories: commands in, the exact reports out, a rule each."""

from __future__ import annotations

import numpy as np
import pytest
from matching_words import Market

from hftlib.book.book import Level
from hftlib.core.errors import InputError
from hftlib.venue.matching import records as r
from hftlib.venue.matching.engine import MatchingEngine, Size, read_log

pytestmark = pytest.mark.modes


def test_the_first_to_come_is_the_first_to_trade():
    m = Market()
    m.sell("ann", 100, 10.00)
    m.sell("bob", 100, 10.00)
    m.sell("cyd", 100, 9.99)
    m.quietly()
    m.buy("dan", 250, 10.00)
    assert m.said() == [
        "dan: accepted 4, 250 @ 10.00",
        "dan: executed 4, 100 @ 9.99",
        "cyd: executed 3, 100 @ 9.99  [E3 100]",
        "dan: executed 4, 100 @ 10.00",
        "ann: executed 1, 100 @ 10.00  [E1 100]",
        "dan: executed 4, 50 @ 10.00",
        "bob: executed 2, 50 @ 10.00  [E2 50]",
    ]
    assert m.queue(r.SELL) == [(10.00, 50, 2)]


def test_what_is_left_of_a_taker_shows_after_its_trades():
    m = Market()
    m.sell("ann", 100, 10.00)
    m.buy("bob", 300, 10.01)
    assert m.said() == [
        "ann: accepted 1, 100 @ 10.00  [A1 100]",
        "bob: accepted 2, 300 @ 10.01",
        "bob: executed 2, 100 @ 10.00",
        "ann: executed 1, 100 @ 10.00  [E1 100]",
        "bob: added 2  [A2 200]",
    ]


def test_a_market_order_and_one_for_the_moment_leave_nothing_behind():
    m = Market()
    m.sell("ann", 100, 10.00)
    m.quietly()
    m.buy("bob", 150)
    m.buy("cyd", 10, 12.00, lasts=r.IOC)
    assert m.said() == [
        "bob: accepted 2, 150 @ market",
        "bob: executed 2, 100 @ 10.00",
        "ann: executed 1, 100 @ 10.00  [E1 100]",
        "bob: cancelled 2, 50, NOTHING_THERE",
        "cyd: accepted 3, 10 @ 12.00",
        "cyd: cancelled 3, 10, MOMENT_OVER",
    ]


def test_fill_or_kill_is_all_or_nothing():
    m = Market()
    m.sell("ann", 100, 10.00)
    m.sell("ann", 100, 10.01, shows=r.HIDDEN)
    m.quietly()
    m.buy("bob", 201, 10.01, lasts=r.IOC, minimum=201)
    m.buy("bob", 200, 10.01, lasts=r.IOC, minimum=200)
    assert m.said() == [
        "bob: accepted 3, 201 @ 10.01",
        "bob: cancelled 3, 201, TOO_LITTLE",
        "bob: accepted 4, 200 @ 10.01",
        "bob: executed 4, 100 @ 10.00",
        "ann: executed 1, 100 @ 10.00  [E1 100]",
        "bob: executed 4, 100 @ 10.01",
        "ann: executed 2, 100 @ 10.01  [P 100]",
    ]


def test_one_that_may_only_add_is_refused_where_it_would_take():
    m = Market()
    m.sell("ann", 100, 10.00, shows=r.HIDDEN)
    m.quietly()
    m.buy("bob", 100, 10.00, flags=r.POST_ONLY)
    m.buy("bob", 100, 9.99, flags=r.POST_ONLY)
    assert m.said() == ["bob: rejected, WOULD_TAKE", "bob: accepted 2, 100 @ 9.99  [A2 100]"]


def test_what_is_hidden_trades_behind_what_shows_and_nobody_sees_it():
    m = Market()
    m.sell("ann", 100, 10.00, shows=r.HIDDEN)
    m.sell("bob", 100, 10.00)
    assert m.said() == [
        "ann: accepted 1, 100 @ 10.00",
        "bob: accepted 2, 100 @ 10.00  [A2 100]",
    ]
    m.buy("cyd", 150, 10.00)
    assert m.said()[1:] == [
        "cyd: executed 3, 100 @ 10.00",
        "bob: executed 2, 100 @ 10.00  [E2 100]",
        "cyd: executed 3, 50 @ 10.00",
        "ann: executed 1, 50 @ 10.00  [P 50]",
    ]


def test_a_reserve_order_shows_a_part_and_the_next_part_at_the_end():
    m = Market()
    m.sell("ann", 300, 10.00, display=100)
    m.sell("bob", 100, 10.00)
    m.quietly()
    m.buy("cyd", 120, 10.00)
    assert m.said() == [
        "cyd: accepted 3, 120 @ 10.00",
        "cyd: executed 3, 100 @ 10.00",
        "ann: executed 1, 100 @ 10.00  [E1 100]",
        "cyd: executed 3, 20 @ 10.00",
        "bob: executed 2, 20 @ 10.00  [E2 20]",
        "ann: priority 4 was 1, 200 @ 10.00, REFRESHED  [A4 100]",
    ]
    assert m.queue(r.SELL) == [(10.00, 80, 2), (10.00, 100, 4)]


def test_what_a_reserve_order_holds_back_trades_unseen_before_the_next_price():
    m = Market()
    m.sell("ann", 300, 10.00, display=100)
    m.sell("bob", 100, 10.01)
    m.quietly()
    m.buy("cyd", 350, 10.01)
    assert m.said() == [
        "cyd: accepted 3, 350 @ 10.01",
        "cyd: executed 3, 100 @ 10.00",
        "ann: executed 1, 100 @ 10.00  [E1 100]",
        "cyd: executed 3, 200 @ 10.00",
        "ann: executed 1, 200 @ 10.00  [P 200]",
        "cyd: executed 3, 50 @ 10.01",
        "bob: executed 2, 50 @ 10.01  [E2 50]",
    ]


def test_less_at_the_same_price_keeps_its_place_anything_else_does_not():
    m = Market()
    first = m.buy("ann", 100, 10.00)
    m.buy("bob", 100, 10.00)
    m.quietly()
    first = m.replace("ann", first, 60, 10.00)
    assert m.said() == ["ann: replaced 1 was 1, 60 @ 10.00  [X1 40]"]
    assert m.queue(r.BUY) == [(10.00, 60, 1), (10.00, 100, 2)]
    first = m.replace("ann", first, 61, 10.00)
    assert m.said() == ["ann: replaced 3 was 1, 61 @ 10.00  [U1 61]"]
    assert m.queue(r.BUY) == [(10.00, 100, 2), (10.00, 61, 3)]
    m.replace("ann", first, 61, 10.01)
    assert m.said() == ["ann: replaced 4 was 3, 61 @ 10.01  [U3 61]"]


def test_a_replace_says_how_much_in_all_and_a_refused_one_changes_nothing():
    m = Market()
    mine = m.buy("ann", 100, 10.00)
    m.sell("bob", 30, 10.00)
    m.quietly()
    mine = m.replace("ann", mine, 50, 10.00)
    assert m.said() == ["ann: replaced 1 was 1, 20 @ 10.00  [X1 50]"]
    m.replace("ann", mine, 50, 10.005)
    assert m.said() == ["ann: rejected, OFF_GRID"]
    assert m.queue(r.BUY) == [(10.00, 20, 1)]
    m.replace("ann", mine, 30, 10.00)
    assert m.said() == ["ann: cancelled 1, 20, ASKED  [D1 20]"]
    m.replace("ann", mine, 30, 10.00)
    assert m.said() == ["ann: rejected, NO_ORDER"]


def test_a_replace_that_takes_leaves_first():
    m = Market()
    mine = m.buy("ann", 100, 9.99)
    m.sell("bob", 40, 10.00)
    m.quietly()
    m.replace("ann", mine, 100, 10.00)
    assert m.said() == [
        "ann: replaced 3 was 1, 100 @ 10.00  [D1 100]",
        "ann: executed 3, 40 @ 10.00",
        "bob: executed 2, 40 @ 10.00  [E2 40]",
        "ann: added 3  [A3 60]",
    ]


def test_a_cancel_of_a_part_says_how_much_may_be_executed_in_all():
    m = Market()
    mine = m.buy("ann", 100, 10.00)
    m.sell("bob", 30, 10.00)
    m.quietly()
    m.cancel("ann", mine, 50)
    m.cancel("ann", mine, 50)
    m.cancel("ann", mine)
    m.cancel("ann", mine)
    assert m.said() == [
        "ann: cancelled 1, 50, ASKED  [X1 50]",
        "ann: cancel rejected, NOTHING_LESS",
        "ann: cancelled 1, 20, ASKED  [D1 20]",
        "ann: cancel rejected, NO_ORDER",
    ]


@pytest.mark.parametrize("quantity", [-1, -(2**63), 2**63 - 1])
def test_a_cancel_may_name_any_number(quantity):
    m = Market()
    mine = m.buy("ann", 100, 10.00)
    m.sell("bob", 30, 10.00)
    m.quietly()
    m.cancel("ann", mine, quantity)
    none = "ann: cancel rejected, NOTHING_LESS"
    assert m.said() == [none if quantity > 0 else "ann: cancelled 1, 70, ASKED  [D1 70]"]


def test_a_number_used_before_is_not_heard():
    m = Market()
    m.buy("ann", 100, 10.00)
    m.buy("ann", 100, 10.00, urn=1)
    assert m.said() == ["ann: accepted 1, 100 @ 10.00  [A1 100]"]
    assert m.engine.header["ignored"] == 1


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        (r.NEWEST, ["ann: prevented 3, 150, SELF_MATCH"]),
        (
            r.OLDEST,
            [
                "ann: prevented 1, 100, SELF_MATCH  [D1 100]",
                "ann: executed 3, 50 @ 10.00",
                "bob: executed 2, 50 @ 10.00  [E2 50]",
                "ann: added 3  [A3 100]",
            ],
        ),
        (
            r.BOTH,
            ["ann: prevented 1, 100, SELF_MATCH  [D1 100]", "ann: prevented 3, 150, SELF_MATCH"],
        ),
        (
            r.DECREMENT,
            [
                "ann: prevented 3, 100, SELF_MATCH",
                "ann: prevented 1, 100, SELF_MATCH  [D1 100]",
                "ann: executed 3, 50 @ 10.00",
                "bob: executed 2, 50 @ 10.00  [E2 50]",
            ],
        ),
    ],
)
def test_nobody_trades_with_himself_in_four_ways(way, wanted):
    m = Market()
    m.sell("ann", 100, 10.00)
    m.sell("bob", 50, 10.00)
    m.quietly()
    m.buy("ann", 150, 10.00, prevention=way)
    assert m.said()[1:] == wanted


@pytest.mark.parametrize(
    ("way", "quantity", "minimum", "executed"),
    [
        (r.NEWEST, 60, 50, 0),
        (r.OLDEST, 60, 50, 50),
        (r.OLDEST, 60, 51, 0),
        (r.DECREMENT, 150, 50, 50),
        (r.DECREMENT, 150, 51, 0),
    ],
)
def test_a_minimum_counts_what_self_match_prevention_leaves(way, quantity, minimum, executed):
    m = Market()
    m.sell("ann", 100, 10.00, display=10)
    m.sell("bob", 50, 10.00, display=20)
    m.quietly()
    m.buy("ann", quantity, 10.00, lasts=r.IOC, minimum=minimum, prevention=way)
    told = [one for one in m.reports if one["kind"] == r.EXECUTED and one["session"] == 1]
    assert sum(int(one["quantity"]) for one in told) == executed


def test_other_groups_of_a_firm_may_meet():
    m = Market()
    m.sell("ann", 100, 10.00, group=1)
    m.buy("ann", 100, 10.00, group=2, prevention=r.NEWEST)
    assert "ann: executed 2, 100 @ 10.00" in m.said()


def test_a_stop_wakes_by_a_trade_and_may_wake_the_next():
    m = Market()
    m.sell("ann", 10, 10.00)
    m.sell("ann", 10, 10.05)
    m.sell("ann", 10, 10.10)
    m.buy("bob", 10, None, style=r.STOP, trigger=100_000)
    m.buy("cyd", 10, 10.10, style=r.STOP, trigger=100_500)
    m.quietly()
    m.buy("dan", 10, 10.00)
    assert m.said() == [
        "dan: accepted 6, 10 @ 10.00",
        "dan: executed 6, 10 @ 10.00",
        "ann: executed 1, 10 @ 10.00  [E1 10]",
        "bob: priority 7 was 4, 10 @ market, WOKEN",
        "bob: executed 7, 10 @ 10.05",
        "ann: executed 2, 10 @ 10.05  [E2 10]",
        "cyd: priority 8 was 5, 10 @ 10.10, WOKEN",
        "cyd: executed 8, 10 @ 10.10",
        "ann: executed 3, 10 @ 10.10  [E3 10]",
    ]


def test_a_peg_follows_unseen_and_meets_in_the_middle():
    m = Market()
    m.buy("ann", 100, 10.00)
    m.sell("ann", 100, 10.05)
    m.buy("bob", 50, None, style=r.PEG_MID, shows=r.HIDDEN)
    m.quietly()
    m.buy("ann", 100, 10.02)
    assert m.said() == [
        "ann: accepted 4, 100 @ 10.02  [A4 100]",
        "bob: priority 5 was 3, 50 @ 10.0350, REPEGGED",
    ]
    m.sell("cyd", 50, 10.03, lasts=r.IOC)
    assert m.said() == [
        "cyd: accepted 6, 50 @ 10.03",
        "cyd: executed 6, 50 @ 10.0350",
        "bob: executed 5, 50 @ 10.0350  [P 50]",
    ]


def test_a_peg_with_nothing_to_follow_is_parked():
    m = Market()
    m.sell("bob", 50, 9.00, style=r.PEG_SAME, shows=r.HIDDEN)
    mine = m.sell("ann", 10, 10.00)
    assert m.said() == [
        "bob: accepted 1, 50 @ 9.00",
        "ann: accepted 2, 10 @ 10.00  [A2 10]",
        "bob: priority 3 was 1, 50 @ 10.00, REPEGGED",
    ]
    m.cancel("ann", mine)
    assert m.said()[1:] == ["bob: priority 3 was 3, 50 @ 0.00, REPEGGED"]


def test_an_auction_gathers_and_crosses_at_the_price_of_most_shares():
    m = Market(r.AUCTION)
    m.buy("ann", 300, 10.02)
    m.buy("bob", 100, None, cross=r.OPENING)
    m.sell("cyd", 250, 10.00)
    m.sell("dan", 200, 10.03)
    m.quietly()
    m.tell(r.INDICATE, cross=r.OPENING, price=100_100)
    m.tell(r.CROSS, cross=r.OPENING, price=100_100, state=r.TRADING)
    assert m.said() == [
        "paired 250 @ 10.01, 150 to buy, near 10.01, far 0.00",
        "bob: executed 2, 100 @ 10.01",
        "cyd: executed 3, 100 @ 10.01  [C3 100]",
        "ann: executed 1, 150 @ 10.01  [C1 150]",
        "cyd: executed 3, 150 @ 10.01  [C3 150]",
        "crossed 250 @ 10.01",
        "state trading",
    ]
    assert m.queue(r.BUY) == [(10.02, 150, 1)]


def test_a_cross_takes_the_least_surplus_between_prices():
    m = Market(r.AUCTION)
    m.buy("ann", 100, 10.05)
    m.buy("ann", 50, 10.00)
    m.sell("bob", 100, 10.00)
    m.sell("bob", 50, 10.05)
    m.quietly()
    m.tell(r.CROSS, cross=r.OPENING, state=r.TRADING, price=100_000)
    assert "crossed 100 @ 10.01" in m.said()


def test_what_waited_for_a_cross_is_over_with_it():
    m = Market()
    m.sell("ann", 100, 10.00, cross=r.CLOSING)
    m.sell("bob", 100, 10.00)
    m.buy("cyd", 100, 9.99)
    m.quietly()
    m.tell(r.CROSS, cross=r.CLOSING, state=r.CLOSED)
    assert m.said() == [
        "crossed 0 @ 0.00",
        "ann: cancelled 1, 100, CROSS_OVER",
        "state closed",
    ]


def test_while_halted_only_cancels_and_then_an_auction():
    m = Market()
    mine = m.buy("ann", 100, 10.00)
    m.tell(r.SET_STATE, state=r.HALTED)
    m.quietly()
    m.sell("bob", 100, 10.00)
    m.replace("ann", mine, 50, 10.00)
    m.cancel("ann", mine, 60)
    m.tell(r.SET_STATE, state=r.AUCTION)
    m.sell("bob", 100, 10.00)
    m.tell(r.SET_STATE, state=r.TRADING)
    m.tell(r.CROSS, cross=r.REOPENING, state=r.TRADING)
    assert m.said() == [
        "bob: rejected, IS_HALTED",
        "ann: rejected, IS_HALTED",
        "ann: cancelled 1, 40, ASKED  [X1 40]",
        "state auction",
        "bob: accepted 2, 100 @ 10.00  [A2 100]",
        "rejected, IS_CROSSED",
        "ann: executed 1, 60 @ 10.00  [C1 60]",
        "bob: executed 2, 60 @ 10.00  [C2 60]",
        "crossed 60 @ 10.00",
        "state trading",
    ]


@pytest.mark.parametrize("hidden", [r.BUY, r.SELL])
def test_what_is_hidden_crosses_too(hidden):
    m = Market(r.AUCTION)
    m.buy("ann", 10, 10.00, shows=r.HIDDEN if hidden == r.BUY else r.SHOWN)
    m.sell("bob", 10, 10.00, shows=r.HIDDEN if hidden == r.SELL else r.SHOWN)
    m.quietly()
    m.tell(r.SET_STATE, state=r.TRADING)
    m.cancel("bob", 1)
    m.sell("bob", 10, 10.01, shows=r.HIDDEN if hidden == r.SELL else r.SHOWN)
    m.tell(r.SET_STATE, state=r.TRADING)
    told = m.said()
    assert told[0] == "rejected, IS_CROSSED" and told[-1] == "state trading"


def test_nothing_trades_or_stands_beyond_the_bands():
    m = Market()
    m.sell("ann", 10, 10.50)
    m.sell("ann", 10, 10.51)
    m.tell(r.SET_BANDS, price=100_000, bps=500)
    m.quietly()
    m.buy("bob", 30, 10.51)
    m.sell("cyd", 10, 9.49)
    assert m.said() == [
        "bob: accepted 3, 30 @ 10.51",
        "bob: executed 3, 10 @ 10.50",
        "ann: executed 1, 10 @ 10.50  [E1 10]",
        "bob: cancelled 3, 20, OUTSIDE_BANDS",
        "cyd: accepted 4, 10 @ 9.49",
        "cyd: cancelled 4, 10, OUTSIDE_BANDS",
    ]


def test_an_order_ends_at_its_time_before_the_next_command():
    m = Market()
    m.buy("ann", 10, 10.00, lasts=r.GTT, expire=5)
    m.time = 5
    m.sell("bob", 10, 10.00)
    assert m.said() == [
        "ann: accepted 1, 10 @ 10.00  [A1 10]",
        "ann: cancelled 1, 10, TIME_OVER  [D1 10]",
        "bob: accepted 2, 10 @ 10.00  [A2 10]",
    ]


def test_orders_of_a_whole_firm_are_cancelled_by_whichever_session_they_came():
    m = Market()
    m.buy("ann", 10, 10.00)
    m.buy("bob", 10, 10.00)
    m.quietly()
    m.tell(r.MASS_CANCEL, session=2, firm=1, symbol=r.ALL)
    m.tell(r.MASS_CANCEL, session=2, firm=0, symbol=r.ALL, flags=r.OF_ALL)
    m.tell(r.MASS_CANCEL, session=2, firm=1, symbol=r.ALL, flags=r.OF_ALL)
    assert m.said() == [
        "bob: mass cancelled, 0",
        "bob: rejected, NO_FIRM",
        "ann: cancelled 1, 10, MASS  [D1 10]",
        "bob: mass cancelled, 1",
    ]


def test_many_are_cancelled_a_firm_is_disabled_a_session_cut_off():
    m = Market()
    m.buy("ann", 10, 10.00)
    m.buy("bob", 10, 10.00)
    m.tell(r.DISABLE, session=1, firm=1)
    m.quietly()
    m.buy("ann", 10, 10.00)
    m.tell(r.MASS_CANCEL, session=1, firm=1, symbol=r.ALL)
    m.tell(r.ENABLE, session=1, firm=1)
    m.buy("ann", 10, 10.00)
    m.tell(r.DISCONNECT, session=2)
    m.tell(r.MASS_CANCEL, session=0, symbol=0)
    assert m.said() == [
        "ann: rejected, FIRM_DISABLED",
        "ann: cancelled 1, 10, MASS  [D1 10]",
        "ann: mass cancelled, 1",
        "ann: enabled",
        "ann: accepted 3, 10 @ 10.00  [A3 10]",
        "bob: cancelled 2, 10, CUT_OFF  [D2 10]",
        "bob: mass cancelled, 1",
        "ann: cancelled 3, 10, EXCHANGE  [D3 10]",
        "mass cancelled, 1",
    ]


def test_a_trade_is_broken_once():
    m = Market()
    m.sell("ann", 10, 10.00)
    m.buy("bob", 10, 10.00)
    m.quietly()
    m.tell(r.BREAK, match=1)
    m.tell(r.BREAK, match=1)
    m.tell(r.BREAK, match=2)
    assert m.said() == [
        "bob: broken, 10 @ 10.00, EXCHANGE  [B 0]",
        "ann: broken, 10 @ 10.00, EXCHANGE",
        "rejected, NO_TRADE",
        "rejected, NO_TRADE",
    ]


def test_a_sale_is_marked_anew_and_made_smaller_in_its_place():
    m = Market()
    mine = m.sell("ann", 10, 10.00)
    m.quietly()
    m.tell(r.MODIFY, session=1, urn=mine, side=r.SHORT, quantity=4)
    assert m.said() == ["ann: modified 1, 6, ASKED  [X1 6]"]
    m.tell(r.MODIFY, session=1, urn=mine, side=r.BUY)
    assert m.said() == ["ann: cancel rejected, NO_SIDE"]
    m.buy("bob", 10, 10.00)
    assert m.reports[2]["side"] == r.SHORT and m.reports[2]["quantity"] == 4


def test_the_day_ends_for_what_lasts_the_day_then_for_all():
    m = Market()
    m.buy("ann", 10, 10.00)
    m.buy("bob", 10, 10.00, lasts=r.GTX)
    m.quietly()
    m.tell(r.SYSTEM, letter=ord("M"))
    assert m.said()[1:] == ["ann: cancelled 1, 10, DAY_OVER  [D1 10]"]
    m.tell(r.SYSTEM, letter=ord("E"))
    assert m.said()[1:] == ["bob: cancelled 2, 10, DAY_OVER  [D2 10]"]


def test_prices_below_a_dollar_have_a_finer_grid():
    m = Market()
    m.buy("ann", 10, 0.9999)
    m.buy("ann", 10, 1.0001)
    assert m.said() == ["ann: accepted 1, 10 @ 0.9999  [A1 10]", "ann: rejected, OFF_GRID"]


# Room.


def test_an_order_too_many_is_refused_and_one_price_too_many_ends():
    m = Market(size=Size(orders=4, levels=3, pages=64, sessions=4, firms=4, trades=4))
    for price in (10.00, 10.01, 10.02):
        m.buy("ann", 10, price)
    m.quietly()
    m.buy("ann", 10, 10.03)
    assert m.said() == ["ann: accepted 4, 10 @ 10.03", "ann: cancelled 4, 10, NO_ROOM"]
    m.buy("ann", 10, 10.02)
    m.buy("ann", 10, 10.02)
    assert m.said() == ["ann: accepted 5, 10 @ 10.02  [A5 10]", "ann: rejected, NO_ROOM"]
    assert m.engine.header["live"] == 4


def test_a_reserve_order_without_room_to_hide_ends_whole():
    m = Market(size=Size(orders=8, levels=1, pages=64, sessions=4, firms=4, trades=4))
    m.sell("ann", 100, 10.00, display=10)
    m.sell("bob", 10, 10.00)
    m.quietly()
    m.buy("cyd", 15, 10.00, lasts=r.IOC)
    assert m.said() == [
        "cyd: accepted 3, 15 @ 10.00",
        "cyd: executed 3, 10 @ 10.00",
        "ann: executed 1, 10 @ 10.00  [E1 10]",
        "ann: cancelled 1, 90, NO_ROOM",
        "cyd: executed 3, 5 @ 10.00",
        "bob: executed 2, 5 @ 10.00  [E2 5]",
    ]


def test_reports_that_fill_their_room_are_taken_in_parts():
    m = Market()
    commands = np.zeros(6000, r.COMMAND)
    commands["kind"], commands["session"] = r.ACCOUNT, 1
    told = m.engine.obey(commands)
    assert len(told) == 6000 > m.engine.header["reports_max"]
    assert (np.diff(told["sequence"]) == 1).all()


def test_what_follows_goes_on_when_reports_are_taken():
    """Stops that wake one another say more than there is room for: all of it is said."""
    size = Size(orders=16, levels=64, pages=64, sessions=4, firms=4, trades=64)
    m = Market(size=size)
    m.engine.header["reports_room"] = m.engine.header["reports_max"]  # one step at a time
    for n in range(6):
        m.sell("ann", 10, 10.00 + n / 100)
    for n in range(5):
        m.buy("bob", 10, None, style=r.STOP, trigger=100_000 + 100 * n)
    m.quietly()
    m.buy("cyd", 10, 10.00)
    told = m.said()
    assert sum("WOKEN" in one for one in told) == 5 and len(told) == 18
    assert m.engine.header["live"] == 0


# Nonsense from Python.


def test_what_is_no_command_is_a_sentence():
    made = MatchingEngine(["AAA"], size=Size(orders=4))
    with pytest.raises(InputError, match="no commands side by side"):
        made.obey(np.zeros(3))
    assert len(made.obey(np.zeros(0, r.COMMAND))) == 0


@pytest.mark.parametrize("symbols", [[], ["AAA", "AAA"], ["TOOLONGNAME"], [""], ["Ä"]])
def test_symbols_that_are_none_are_a_sentence(symbols):
    with pytest.raises(InputError, match="symbol"):
        MatchingEngine(symbols)


@pytest.mark.parametrize("wrong", [{"orders": 0}, {"firms": 1 << 16}, {"levels": 2.5}])
def test_sizes_that_are_none_are_a_sentence(wrong):
    with pytest.raises(InputError, match="is no number of"):
        Size(**wrong)


def test_a_log_that_ends_within_a_command_is_a_sentence(tmp_path):
    (tmp_path / "torn").write_bytes(b"x" * 130)
    with pytest.raises(InputError, match="ends within a command"):
        read_log(tmp_path / "torn")


def test_it_says_what_it_is():
    m = Market()
    m.buy("ann", 10, 10.00)
    assert repr(m.engine) == ("<MatchingEngine of 1 symbols: 1 orders, 2 commands, 2 reports>")
    assert m.engine.books.of("AAA").best_bid == Level(10.00, 10, 1)
