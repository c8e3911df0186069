"""Order-by-order data told as stories: our orders among real ones, filled exactly in their turn."""

from __future__ import annotations

import pytest
from venue_words import (
    add,
    buy,
    cancel,
    cancel_real,
    cross,
    delete,
    event,
    execute,
    filled,
    level,
    made,
    replace,
    replace_real,
    sell,
    status,
    told,
    trade,
)

from hftlib.core import events
from hftlib.core.events import BUY, NOT_PRINTABLE, SELL

pytestmark = [
    pytest.mark.modes,
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]


def test_an_order_fills_when_the_real_orders_ahead_of_it_are_gone():
    exchange = made()
    story = [add(1, 10), buy(7, 5), add(2, 10)]
    assert told(exchange, *story) == ["7 accepted 5 @ 100 behind 10"]
    assert told(exchange, execute(1, 10)) == []
    assert told(exchange, execute(2, 3)) == ["7 filled 3 @ 100 maker"]
    assert told(exchange, execute(2, 4)) == ["7 filled 2 @ 100 maker"]
    assert exchange.header["live"] == 0


def test_cancels_ahead_bring_an_order_forward_and_those_behind_do_not():
    exchange = made()
    told(exchange, add(1, 10), add(2, 10), buy(7, 5), add(3, 10))
    assert told(exchange, delete(1), cancel_real(2, 9), cancel_real(3, 5)) == []
    assert told(exchange, execute(2, 1)) == []
    assert told(exchange, execute(3, 5)) == ["7 filled 5 @ 100 maker"]


def test_one_print_never_fills_two_of_our_orders_with_the_same_shares():
    exchange = made()
    told(exchange, buy(7, 5), buy(8, 5), add(1, 10))
    assert told(exchange, execute(1, 7)) == ["7 filled 5 @ 100 maker", "8 filled 2 @ 100 maker"]
    assert told(exchange, execute(1, 3)) == ["8 filled 3 @ 100 maker"]


def test_our_order_between_real_ones_and_another_behind_them():
    exchange = made()
    told(exchange, add(1, 10), buy(7, 4), add(2, 10), buy(8, 4), add(3, 10))
    assert told(exchange, execute(1, 10)) == []
    assert told(exchange, execute(2, 10)) == ["7 filled 4 @ 100 maker"]
    assert told(exchange, execute(3, 10)) == ["8 filled 4 @ 100 maker"]


def test_better_prices_of_ours_come_first_at_their_own_prices():
    exchange = made()
    told(exchange, add(1, 10, 98), buy(7, 4, 99), buy(8, 4, 100), buy(9, 4, 98))
    assert told(exchange, execute(1, 10)) == [
        "8 filled 4 @ 100 maker",
        "7 filled 4 @ 99 maker",
    ]
    assert exchange.header["live"] == 1


def test_an_execution_out_of_order_fills_all_of_ours_ahead_of_it():
    exchange = made()
    told(exchange, add(1, 10), buy(7, 4), add(2, 10), buy(8, 4), add(3, 10))
    assert told(exchange, execute(3, 6)) == ["7 filled 4 @ 100 maker", "8 filled 2 @ 100 maker"]


def test_history_goes_on_unaltered():
    """The order that traded in truth trades on the tape, whatever we got of it."""
    exchange = made()
    told(exchange, buy(7, 5), add(1, 10))
    assert told(exchange, execute(1, 10)) == ["7 filled 5 @ 100 maker"]
    assert exchange.books.header["orders"] == 0


def test_an_execution_at_another_price_fills_only_what_is_better_than_both():
    exchange = made()
    told(exchange, add(1, 10, 100), buy(7, 4, 101), buy(8, 4, 102))
    # The seller got 101: one of ours at 101 was no better for him than what he got.
    assert told(exchange, execute(1, 10, price=101)) == ["8 filled 4 @ 102 maker"]


def test_what_a_cross_will_print_fills_nothing_before_the_cross():
    exchange = made()
    told(exchange, buy(7, 5), add(1, 10))
    assert told(exchange, execute(1, 10, flags=NOT_PRINTABLE)) == []


def test_a_hidden_trade_fills_better_prices_and_its_own_when_nothing_real_is_ahead():
    exchange = made()
    told(exchange, add(1, 10, 99), buy(7, 5, 99), buy(8, 2, 100), add(2, 10, 103, SELL))
    assert told(exchange, trade(99, 4, SELL)) == ["8 filled 2 @ 100 maker"]
    assert told(exchange, delete(1), trade(99, 4, SELL)) == ["7 filled 4 @ 99 maker"]


def test_a_hidden_trade_that_says_no_side_counts_only_outside_of_the_spread():
    exchange = made()
    told(exchange, add(1, 10, 97), add(2, 10, 103, SELL), buy(7, 3, 98), sell(8, 3, 102))
    assert told(exchange, trade(100, 50)) == []
    assert told(exchange, trade(97, 2)) == ["7 filled 2 @ 98 maker"]
    assert told(exchange, trade(103, 2)) == ["8 filled 2 @ 102 maker"]


def test_a_real_order_that_meets_our_price_trades_with_us_and_stays_smaller():
    exchange = made()
    told(exchange, sell(7, 5, 101), sell(8, 5, 102))
    assert told(exchange, add(1, 7, 103, BUY)) == [
        "7 filled 5 @ 101 maker",
        "8 filled 2 @ 102 maker",
    ]
    assert exchange.books.header["orders"] == 1  # ours at 102; nothing is left of the real one
    assert told(exchange, execute(1, 7)) == []  # what the tape says of it concerns nobody
    assert (exchange.header["consumed"], exchange.books.impossible) == (7, {})


def test_what_is_left_of_a_real_order_that_met_us_stands():
    exchange = made()
    told(exchange, sell(7, 5, 101))
    assert told(exchange, add(1, 12, 101, BUY)) == ["7 filled 5 @ 101 maker"]
    assert exchange.books.of("ONE").bids(1)[0].quantity == 7
    assert told(exchange, execute(1, 12)) == []
    assert (exchange.header["consumed"], exchange.books.header["orders"]) == (5, 0)
    assert exchange.books.impossible == {}


def test_a_replaced_order_that_meets_us_trades_with_us():
    exchange = made()
    told(exchange, sell(7, 5, 101), add(1, 9, 99))
    assert told(exchange, replace_real(1, 2, 9, 101)) == ["7 filled 5 @ 101 maker"]
    assert exchange.books.of("ONE").bids(1)[0].quantity == 4
    assert told(exchange, delete(2)) == []
    assert (exchange.header["consumed"], exchange.books.header["orders"]) == (5, 0)


def test_what_we_took_of_an_order_does_not_come_back_by_a_replace():
    exchange = made()
    told(exchange, add(1, 10, 101, SELL))
    assert told(exchange, buy(7, 4, 101)) == [
        "7 accepted 4 @ 101 behind 0",
        "7 filled 4 @ 101 taker",
    ]
    told(exchange, replace_real(1, 2, 10, 102))
    assert exchange.books.of("ONE").asks(1)[0] == (pytest.approx(0.0102), 6, 1)
    assert told(exchange, buy(8, 9, 102)) == [
        "8 accepted 9 @ 102 behind 0",
        "8 filled 6 @ 102 taker",
    ]
    told(exchange, cancel_real(2, 10), delete(2))
    assert exchange.books.header["orders"] == 1  # the rest of ours
    assert exchange.header["consumed"] == 14


def test_a_crossing_order_is_consumed_once():
    """Two of our takers cannot buy the same shares."""
    exchange = made()
    told(exchange, add(1, 10, 101, SELL), add(2, 10, 102, SELL))
    assert told(exchange, buy(7, 8, 102)) == [
        "7 accepted 8 @ 102 behind 0",
        "7 filled 8 @ 101 taker",
    ]
    assert filled(told(exchange, buy(8, 8, 102))) == [
        "8 filled 2 @ 101 taker",
        "8 filled 6 @ 102 taker",
    ]
    assert filled(told(exchange, buy(9, 8, 102))) == ["9 filled 4 @ 102 taker"]
    assert filled(told(exchange, execute(1, 10), execute(2, 10))) == []
    assert exchange.books.impossible == {}


def test_a_level_without_names_is_taken_first_and_history_about_it_is_clipped():
    exchange = made()
    told(exchange, level(101, 10, SELL), add(1, 5, 101, SELL))
    assert filled(told(exchange, buy(7, 12, 101))) == ["7 filled 12 @ 101 taker"]
    unknown = execute(99, 10, side=SELL, price=101)
    assert told(exchange, unknown) == []
    assert exchange.header["consumed"] == 10
    assert exchange.books.of("ONE").asks(1)[0].quantity == 3


def test_a_level_told_anew_sends_ours_to_its_end_and_leaves_other_prices_alone():
    exchange = made()
    told(exchange, add(1, 10, 100), buy(7, 5, 100), add(2, 10, 99), buy(8, 5, 99), add(3, 4, 99))
    told(exchange, level(100, 30))
    assert told(exchange, execute(9, 30, side=BUY, price=100)) == []
    told(exchange, add(4, 1, 100))
    assert told(exchange, execute(4, 1)) == ["7 filled 1 @ 100 maker"]
    told(exchange, cancel(7))
    told(exchange, execute(2, 10))
    assert told(exchange, execute(3, 4)) == ["8 filled 4 @ 99 maker"]


@pytest.mark.parametrize("instrument", [0, events.ALL])
def test_a_clear_does_not_lose_our_orders(instrument: int):
    exchange = made()
    told(exchange, add(1, 10, 100), buy(7, 5, 100), buy(8, 5, 99), sell(9, 5, 102))
    told(exchange, event(events.CLEAR, instrument=instrument))
    assert exchange.books.header["orders"] == 3
    told(exchange, add(2, 10, 99))
    assert told(exchange, execute(2, 12)) == ["7 filled 5 @ 100 maker", "8 filled 5 @ 99 maker"]
    assert told(exchange, cancel(9)) == ["9 canceled 5 ASKED"]


def test_a_replace_for_more_loses_its_place_and_one_for_less_keeps_it():
    exchange = made()
    told(exchange, buy(7, 5), add(1, 10), buy(8, 5), add(2, 10))
    assert told(exchange, replace(7, 3, 100)) == ["7 replaced 3 @ 100 behind 0"]
    assert told(exchange, replace(8, 6, 100)) == ["8 replaced 6 @ 100 behind 23"]
    assert told(exchange, execute(1, 10)) == ["7 filled 3 @ 100 maker"]
    assert told(exchange, execute(2, 10)) == []
    told(exchange, add(3, 10))
    assert told(exchange, execute(3, 10)) == ["8 filled 6 @ 100 maker"]


def test_an_iceberg_shows_its_next_part_at_the_end_of_the_queue():
    exchange = made()
    told(exchange, buy(7, 10, display=4), add(1, 10))
    assert exchange.books.of("ONE").bids(1)[0].quantity == 14
    assert told(exchange, execute(1, 5)) == ["7 filled 4 @ 100 maker"]
    assert told(exchange, execute(1, 5)) == []
    told(exchange, add(2, 10))
    assert told(exchange, execute(2, 9)) == ["7 filled 4 @ 100 maker"]
    told(exchange, delete(2), add(3, 10))
    assert told(exchange, execute(3, 9)) == ["7 filled 2 @ 100 maker"]
    assert exchange.header["live"] == 0


def test_a_whole_iceberg_goes_before_worse_prices():
    exchange = made()
    told(exchange, buy(7, 10, 101, display=4), add(1, 20, 100))
    assert filled(told(exchange, execute(1, 20))) == [
        "7 filled 4 @ 101 maker",
        "7 filled 4 @ 101 maker",
        "7 filled 2 @ 101 maker",
    ]


def test_while_trading_is_halted_only_cancels_and_crosses_do_anything():
    exchange = made()
    told(exchange, add(1, 10, 100), buy(7, 5, 101), buy(8, 5, 100))
    told(exchange, status("H"))
    assert told(exchange, execute(1, 5), add(2, 9, 101, SELL), trade(99, 9, SELL)) == []
    assert told(exchange, buy(9, 5), replace(7, 4, 100)) == [
        "9 rejected HALTED",
        "7 replace rejected HALTED",
    ]
    assert told(exchange, cross(100, 3)) == ["7 filled 3 @ 100 maker"]
    assert told(exchange, cancel(8)) == ["8 canceled 5 ASKED"]
    told(exchange, status("T"))
    assert told(exchange, execute(1, 5)) == ["7 filled 2 @ 101 maker"]


def test_a_cross_serves_each_side_and_never_its_own_price():
    exchange = made()
    told(exchange, status("H"), status("T"), buy(7, 5, 102), sell(8, 5, 104), status("H"))
    assert told(exchange, cross(103, 0)) == []
    assert told(exchange, cross(102, 9)) == []
    assert told(exchange, cross(101, 3)) == ["7 filled 3 @ 101 maker"]
    assert told(exchange, cross(105, 4)) == ["8 filled 4 @ 105 maker"]


def test_events_that_use_numbers_of_our_range_are_left_out():
    exchange = made()
    told(exchange, buy(7, 5))
    ours = 2**62 + 7
    assert told(exchange, delete(ours), execute(ours, 5), add(2**62 + 9, 4, 90)) == []
    assert (exchange.header["foreign"], exchange.books.header["orders"]) == (3, 1)


def test_of_orders_without_partial_fills_each_fills_whole():
    exchange = made(partial_fills=False)
    told(exchange, buy(7, 5), add(1, 10))
    assert told(exchange, execute(1, 1)) == ["7 filled 5 @ 100 maker"]
    told(exchange, add(2, 1, 103, SELL), add(3, 9, 105, SELL))
    assert filled(told(exchange, buy(8, 50, 104))) == ["8 filled 50 @ 103 taker"]
