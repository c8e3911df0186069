"""Level data told as stories: what is ahead of us, trades, and quotes that come to our price."""

from __future__ import annotations

import pytest
from venue_words import (
    add,
    buy,
    cancel,
    cross,
    delete,
    event,
    execute,
    filled,
    level,
    made,
    quote,
    replace,
    sell,
    status,
    told,
    trade,
)

from hftlib.core import events
from hftlib.core.events import BUY, SELL

pytestmark = [
    pytest.mark.modes,
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]
RISK = "risk-averse"


def test_only_trades_bring_a_risk_averse_order_forward():
    exchange = made(RISK)
    assert told(exchange, level(100, 10), buy(7, 5)) == ["7 accepted 5 @ 100 behind 10"]
    assert told(exchange, level(100, 30), trade(100, 6, SELL), level(100, 24)) == []
    assert told(exchange, trade(100, 4, SELL)) == []  # ten are gone: we are first
    assert told(exchange, trade(100, 3, SELL)) == ["7 filled 3 @ 100 maker"]
    assert told(exchange, trade(100, 9, SELL)) == ["7 filled 2 @ 100 maker"]


def test_a_level_smaller_than_what_was_ahead_brings_it_forward():
    exchange = made(RISK)
    told(exchange, level(100, 10), buy(7, 5), level(100, 3), level(100, 20))
    assert told(exchange, trade(100, 5, SELL)) == ["7 filled 2 @ 100 maker"]


def test_a_buyer_does_not_fill_our_bid():
    exchange = made(RISK)
    told(exchange, buy(7, 5))
    assert told(exchange, trade(100, 50, BUY)) == []
    assert told(exchange, trade(101, 50, SELL)) == []


def test_a_trade_through_our_price_fills_us_whole():
    exchange = made(RISK)
    told(exchange, level(100, 1000), buy(7, 5), sell(8, 5, 105))
    assert told(exchange, trade(99, 1, SELL)) == ["7 filled 5 @ 100 maker"]
    assert told(exchange, trade(106, 1, BUY)) == ["8 filled 5 @ 105 maker"]


def test_a_quote_that_comes_to_our_price_fills_us_whole():
    exchange = made(RISK)
    told(exchange, level(100, 1000), buy(7, 5), buy(8, 5, 99), level(102, 5, SELL))
    assert told(exchange, level(101, 5, SELL)) == []
    assert told(exchange, level(100, 1, SELL)) == ["7 filled 5 @ 100 maker"]
    assert told(exchange, level(98, 1, SELL)) == ["8 filled 5 @ 99 maker"]


def test_two_of_ours_at_one_price_share_a_print():
    exchange = made(RISK)
    told(exchange, level(100, 10), buy(7, 5), buy(8, 5))
    assert told(exchange, trade(100, 17, SELL)) == [
        "7 filled 5 @ 100 maker",
        "8 filled 2 @ 100 maker",
    ]
    assert told(exchange, trade(100, 2, SELL)) == ["8 filled 2 @ 100 maker"]


def test_without_partial_fills_the_first_share_fills_all():
    exchange = made(RISK, partial_fills=False)
    told(exchange, level(100, 10), buy(7, 5))
    assert told(exchange, trade(100, 10, SELL)) == []
    assert told(exchange, trade(100, 1, SELL)) == ["7 filled 5 @ 100 maker"]
    told(exchange, level(102, 3, SELL), level(103, 9, SELL))
    assert filled(told(exchange, buy(8, 50, 103))) == ["8 filled 50 @ 102 taker"]
    assert filled(told(exchange, buy(9, 50, 103))) == ["9 filled 50 @ 102 taker"]


def test_of_an_unexplained_decrease_the_power_rule_gives_each_part_its_share():
    exchange = made("power(1)")
    told(exchange, level(100, 40), buy(7, 5), level(100, 80))
    # 40 ahead, 40 behind: of 20 that left, 10 stood ahead.
    told(exchange, level(100, 60))
    assert told(exchange, trade(100, 30, SELL)) == []
    assert told(exchange, trade(100, 1, SELL)) == ["7 filled 1 @ 100 maker"]


def test_a_decrease_that_trades_explain_counts_once():
    exchange = made("power(2)")
    told(exchange, level(100, 40), buy(7, 5), level(100, 80))
    told(exchange, trade(100, 20, SELL), level(100, 60))
    assert told(exchange, trade(100, 20, SELL)) == []
    assert told(exchange, trade(100, 1, SELL)) == ["7 filled 1 @ 100 maker"]


def test_pro_rata_gives_ours_their_part_rounded_down():
    exchange = made("pro-rata")
    told(exchange, level(100, 70), buy(7, 20), buy(8, 10))
    assert told(exchange, trade(100, 9, SELL)) == ["7 filled 1 @ 100 maker"]
    assert told(exchange, trade(100, 50, SELL)) == [
        "7 filled 9 @ 100 maker",
        "8 filled 5 @ 100 maker",
    ]


def test_what_we_took_of_a_level_is_gone_until_it_is_told_anew():
    exchange = made(RISK)
    told(exchange, level(101, 10, SELL), level(102, 10, SELL))
    assert filled(told(exchange, buy(7, 8, 101))) == ["7 filled 8 @ 101 taker"]
    assert filled(told(exchange, buy(8, 8, 102))) == [
        "8 filled 2 @ 101 taker",
        "8 filled 6 @ 102 taker",
    ]
    told(exchange, level(101, 10, SELL))  # the same quantity says nothing new
    assert filled(told(exchange, buy(9, 5, 101))) == []
    told(exchange, cancel(9), level(101, 11, SELL))
    assert filled(told(exchange, buy(10, 5, 101))) == ["10 filled 5 @ 101 taker"]


def test_the_rest_of_a_taker_stands_and_fills_when_the_quote_comes_closer():
    exchange = made(RISK)
    told(exchange, level(101, 3, SELL))
    assert told(exchange, buy(7, 8, 101)) == [
        "7 accepted 8 @ 101 behind 0",
        "7 filled 3 @ 101 taker",
    ]
    assert told(exchange, level(101, 9, SELL)) == []
    assert told(exchange, level(100, 1, SELL)) == ["7 filled 5 @ 101 maker"]


def test_after_a_clear_ours_live_on_behind_no_more_than_the_new_level():
    exchange = made(RISK)
    told(exchange, level(100, 30), buy(7, 5), event(events.CLEAR), level(100, 8))
    assert told(exchange, trade(100, 8, SELL)) == []
    assert told(exchange, trade(100, 1, SELL)) == ["7 filled 1 @ 100 maker"]


def test_where_only_the_best_is_told_what_stands_at_our_price_is_learned_later():
    exchange = made(RISK)
    told(exchange, quote(101, 10), buy(7, 5), buy(8, 5, 101))
    told(exchange, trade(101, 15, SELL), quote(100, 40))
    assert told(exchange, trade(100, 40, SELL)) == []
    assert told(exchange, trade(100, 2, SELL)) == ["7 filled 2 @ 100 maker"]


def test_an_iceberg_goes_behind_the_level_with_its_next_part():
    exchange = made(RISK)
    told(exchange, level(100, 10), buy(7, 10, display=4))
    assert told(exchange, trade(100, 20, SELL)) == ["7 filled 4 @ 100 maker"]
    assert told(exchange, trade(100, 10, SELL)) == []
    assert told(exchange, trade(100, 1, SELL)) == ["7 filled 1 @ 100 maker"]
    assert told(exchange, trade(99, 1, SELL)) == ["7 filled 5 @ 100 maker"]


def test_a_replace_for_more_goes_behind_the_level():
    exchange = made(RISK)
    told(exchange, level(100, 10), buy(7, 5), trade(100, 10, SELL), level(100, 6))
    assert told(exchange, replace(7, 4, 100)) == ["7 replaced 4 @ 100 behind 10"]
    assert told(exchange, replace(7, 9, 100)) == ["7 replaced 9 @ 100 behind 6"]
    assert told(exchange, trade(100, 7, SELL)) == ["7 filled 1 @ 100 maker"]


def test_halts_and_crosses():
    exchange = made(RISK)
    told(exchange, buy(7, 5, 101), level(105, 5, SELL), status("H"))
    assert told(exchange, trade(99, 9, SELL), level(100, 4, SELL)) == []
    assert told(exchange, cross(100, 3)) == ["7 filled 3 @ 100 maker"]


def test_our_newer_order_does_not_meet_our_older_one():
    exchange = made(RISK, self_match="cancel oldest")
    told(exchange, sell(7, 5, 101), level(102, 5, SELL))
    assert told(exchange, buy(8, 4, 102)) == [
        "8 accepted 4 @ 102 behind 0",
        "7 canceled 5 SELF_MATCH",
        "8 filled 4 @ 102 taker",
    ]


def test_order_by_order_data_can_be_used_by_level():
    exchange = made(RISK)
    told(exchange, add(1, 10), add(2, 10), buy(7, 5))
    assert told(exchange, execute(1, 10), delete(2)) == []
    told(exchange, add(3, 10))
    assert told(exchange, execute(3, 4)) == ["7 filled 4 @ 100 maker"]
    assert told(exchange, add(4, 1, 100, SELL)) == ["7 filled 1 @ 100 maker"]


def test_auto_is_fifo_where_orders_have_names_and_risk_averse_elsewhere():
    exchange = made("auto")
    told(exchange, add(1, 10), buy(7, 5))
    assert told(exchange, delete(1), add(2, 5), execute(2, 5)) == ["7 filled 5 @ 100 maker"]
    exchange = made("auto")
    told(exchange, level(100, 10), buy(7, 5), level(100, 9))
    assert told(exchange, trade(100, 10, SELL)) == ["7 filled 1 @ 100 maker"]
