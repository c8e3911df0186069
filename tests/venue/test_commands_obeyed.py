"""What may be asked of the exchange, told as stories: each kind of order, cancels and replaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from venue_words import (
    add,
    answers,
    buy,
    cancel,
    command,
    execute,
    filled,
    made,
    new,
    replace,
    sell,
    told,
    trade,
)

from hftlib.core.events import BUY, SELL
from hftlib.core.numbers import EACH, SLOTS_MAX
from hftlib.core.orders import FOK, IOC, MARKET, NEW, POST_ONLY, STOP, STOP_LIMIT
from hftlib.venue.impact import Impact

pytestmark = [
    pytest.mark.modes,
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]


def market(**settings: Any) -> Any:
    """Asks of 10 at 101, 102, 103 and bids of 10 at 99, 98."""
    exchange = made(**settings)
    asks = [add(price, 10, price, SELL) for price in (101, 102, 103)]
    told(exchange, *asks, add(99, 10, 99), add(98, 10, 98))
    return exchange


def test_a_limit_takes_up_to_its_price_and_its_rest_stands():
    exchange = market()
    assert told(exchange, buy(7, 25, 102)) == [
        "7 accepted 25 @ 102 behind 0",
        "7 filled 10 @ 101 taker",
        "7 filled 10 @ 102 taker",
    ]
    assert told(exchange, add(1, 9, 102, SELL)) == ["7 filled 5 @ 102 maker"]


def test_what_lasts_for_the_moment_is_canceled():
    exchange = market()
    assert told(exchange, buy(7, 15, 101, lasts=IOC)) == [
        "7 accepted 15 @ 101 behind 0",
        "7 filled 10 @ 101 taker",
        "7 expired 5 MOMENT_OVER",
    ]
    assert told(exchange, buy(8, 15, 100, lasts=IOC)) == [
        "8 accepted 15 @ 100 behind 0",
        "8 expired 15 MOMENT_OVER",
    ]


def test_fill_or_kill_is_whole_or_nothing():
    exchange = market()
    assert told(exchange, buy(7, 21, 102, lasts=FOK)) == ["7 rejected NOT_WHOLE"]
    assert told(exchange, buy(8, 20, 102, lasts=FOK)) == [
        "8 accepted 20 @ 102 behind 0",
        "8 filled 10 @ 101 taker",
        "8 filled 10 @ 102 taker",
    ]


def test_a_market_order_takes_all_there_is():
    exchange = market()
    assert told(exchange, sell(7, 25, 0, kind=MARKET)) == [
        "7 accepted 25 @ 0 behind 0",
        "7 filled 10 @ 99 taker",
        "7 filled 10 @ 98 taker",
        "7 canceled 5 NOTHING_THERE",
    ]


def test_post_only_never_takes():
    exchange = market()
    assert told(exchange, buy(7, 5, 101, flags=POST_ONLY)) == ["7 rejected WOULD_TAKE"]
    assert told(exchange, buy(7, 5, 100, flags=POST_ONLY)) == ["7 accepted 5 @ 100 behind 0"]
    assert told(exchange, replace(7, 5, 101)) == ["7 replace rejected WOULD_TAKE"]
    assert told(exchange, cancel(7)) == ["7 canceled 5 ASKED"]


def test_a_stop_waits_for_a_print_and_takes():
    exchange = market()
    assert told(exchange, buy(7, 15, 0, kind=STOP, trigger=101)) == ["7 accepted 15 @ 0 behind 0"]
    assert told(exchange, trade(100, 5, BUY)) == []
    assert told(exchange, execute(101, 4)) == [
        "7 filled 6 @ 101 taker",
        "7 filled 9 @ 102 taker",
    ]


def test_a_stop_limit_stands_where_it_may_not_take():
    exchange = market()
    stop = sell(7, 15, 99, kind=STOP_LIMIT, trigger=99)
    assert told(exchange, stop) == ["7 accepted 15 @ 99 behind 0"]
    assert told(exchange, replace(7, 14, 99)) == ["7 replaced 14 @ 99 behind 0"]
    assert told(exchange, execute(99, 4)) == ["7 filled 6 @ 99 taker"]
    assert told(exchange, add(1, 20, 99)) == ["7 filled 8 @ 99 maker"]


def test_stops_wake_in_the_order_of_their_triggers():
    exchange = market()
    told(exchange, buy(7, 5, 0, kind=STOP, trigger=102), buy(8, 5, 0, kind=STOP, trigger=101))
    told(exchange, buy(9, 5, 0, kind=STOP, trigger=104))
    assert told(exchange, trade(103, 1, BUY)) == [
        "8 filled 5 @ 101 taker",
        "7 filled 5 @ 101 taker",
    ]
    assert told(exchange, cancel(9)) == ["9 canceled 5 ASKED"]


SELF = {
    "cancel newest": ["8 filled 10 @ 101 taker", "8 canceled 10 SELF_MATCH"],
    "cancel oldest": [
        "8 filled 10 @ 101 taker",
        "7 canceled 5 SELF_MATCH",
        "8 filled 10 @ 102 taker",
    ],
    "cancel both": [
        "8 filled 10 @ 101 taker",
        "7 canceled 5 SELF_MATCH",
        "8 canceled 10 SELF_MATCH",
    ],
}


@pytest.mark.parametrize("rule", SELF)
def test_we_never_trade_with_ourselves(rule: str):
    exchange = market(self_match=rule)
    told(exchange, sell(7, 5, 101))
    assert told(exchange, buy(8, 20, 103))[1:] == SELF[rule]


def test_a_cancel_that_crosses_a_fill_comes_too_late():
    exchange = market()
    told(exchange, buy(7, 5, 100), add(1, 10, 100))
    assert told(exchange, execute(1, 10), cancel(7)) == [
        "7 filled 5 @ 100 maker",
        "7 cancel rejected UNKNOWN_ORDER",
    ]
    assert told(exchange, replace(7, 9, 100)) == ["7 replace rejected UNKNOWN_ORDER"]


def test_a_replace_that_a_fill_overtook_asks_for_no_more_than_was_meant():
    exchange = market()
    told(exchange, buy(7, 5, 100), add(1, 10, 100), execute(1, 3))
    assert told(exchange, replace(7, 4, 100)) == ["7 replaced 1 @ 100 behind 0"]
    assert told(exchange, execute(1, 7)) == ["7 filled 1 @ 100 maker"]
    told(exchange, buy(8, 5, 100), add(2, 10, 100), execute(2, 3))
    assert told(exchange, replace(8, 3, 100)) == ["8 canceled 2 ASKED"]


def test_a_replace_to_a_marketable_price_takes():
    exchange = market()
    told(exchange, buy(7, 12, 100))
    assert told(exchange, replace(7, 12, 101)) == [
        "7 replaced 12 @ 101 behind 0",
        "7 filled 10 @ 101 taker",
    ]
    assert told(exchange, replace(7, 12, 100)) == ["7 replaced 2 @ 100 behind 0"]


def test_a_price_off_the_grid_is_refused():
    exchange = made(tick=5)
    assert told(exchange, buy(7, 5, 101), buy(7, 5, 100)) == [
        "7 rejected OFF_GRID",
        "7 accepted 5 @ 100 behind 0",
    ]
    assert told(exchange, replace(7, 5, 99)) == ["7 replace rejected OFF_GRID"]
    assert told(exchange, buy(8, 5, 0, kind=STOP, trigger=7)) == ["8 rejected OFF_GRID"]
    assert told(exchange, buy(8, 5, 2**60)) == ["8 rejected OFF_GRID"]


GARBAGE = [
    command(NEW, 7),
    command(77, 7),
    buy(0, 5),
    buy(-5, 5),
    buy(2**61, 5),
    buy(7, 0),
    buy(7, -1),
    buy(7, 2**62),
    buy(7, 5, kind=0),
    buy(7, 5, kind=9),
    buy(7, 5, lasts=0),
    buy(7, 5, display=-1),
    buy(7, 5, instrument=2),
    buy(7, 5, instrument=2**32 - 1),
    buy(7, 5, flags=POST_ONLY, lasts=IOC),
    buy(7, 5, flags=POST_ONLY, kind=MARKET),
    new(7, 0, 5, 100),
    new(7, 3, 5, 100),
]


@pytest.mark.parametrize("wrong", GARBAGE)
def test_garbage_is_refused_with_a_reason(wrong: Any):
    exchange = market()
    assert told(exchange, wrong) == [f"{int(wrong['order'][0])} rejected VENUE_NO_KIND"]
    assert exchange.header["live"] == 0


def test_an_order_whose_place_is_taken_finds_no_room():
    exchange = made(own_max=4)
    story = [buy(1, 5), buy(5, 5), cancel(1), buy(5, 5), cancel(1)]
    assert told(exchange, *story) == [
        "1 accepted 5 @ 100 behind 0",
        "5 rejected VENUE_FULL",
        "1 canceled 5 ASKED",
        "5 accepted 5 @ 100 behind 0",
        "1 cancel rejected UNKNOWN_ORDER",
    ]


def test_orders_of_several_strategies_have_places_of_their_own():
    exchange = made(strategies=3)
    numbers = [7, EACH + 7, 2 * EACH + 7]
    story = [buy(number, 5) for number in numbers]
    assert told(exchange, *story, buy(EACH + 7, 5), buy(9 * EACH + 7, 5), cancel(EACH + 7)) == [
        "7 accepted 5 @ 100 behind 0",
        f"{EACH + 7} accepted 5 @ 100 behind 5",
        f"{2 * EACH + 7} accepted 5 @ 100 behind 10",
        f"{EACH + 7} rejected VENUE_FULL",
        f"{9 * EACH + 7} rejected VENUE_FULL",  # there is no tenth: its place is the second's
        f"{EACH + 7} canceled 5 ASKED",
    ]
    assert exchange.header["own_max"] == 4 * SLOTS_MAX


def test_reports_beyond_their_room_are_counted():
    exchange = made()
    told(exchange, add(1, 10, 101, SELL))
    exchange.arena["venue"]["reports_max"] = 1
    assert told(exchange, buy(7, 5, 101)) == ["7 filled 5 @ 101 taker"]
    assert exchange.header["reports_lost"] == 1


def test_what_a_report_says_beside_itself():
    exchange = market()
    first = answers(exchange, add(1, 4, 100), buy(7, 5, 100, strategy=3))[1][0]
    assert (first["twice_mid"], first["ahead"], first["strategy"]) == (201, 4, 3)
    assert first["entered"] == first["event"]["time"]
    told(exchange, add(2, 9, 100))
    second = answers(exchange, execute(2, 9))[0][0]
    assert (second["twice_mid"], second["ahead"], second["entered"]) == (201, 4, first["entered"])
    assert second["event"]["sequence"] == first["event"]["sequence"] + 1


def test_our_taking_makes_later_taking_worse():
    exchange = market(impact=Impact(permanent=1, per=10))
    assert filled(told(exchange, buy(7, 20, 105))) == [
        "7 filled 10 @ 101 taker",
        "7 filled 10 @ 103 taker",
    ]
    # By now the price has moved two ticks: what stands at 103 costs more than the limit.
    assert filled(told(exchange, buy(8, 5, 104, lasts=IOC))) == []
    assert filled(told(exchange, sell(9, 5, 99))) == ["9 filled 5 @ 99 taker"]


def test_a_shift_of_the_listing_is_against_us_on_both_sides():
    exchange = market()
    exchange.arena["listings"]["shift"] = 1
    assert filled(told(exchange, buy(7, 5, 102))) == ["7 filled 5 @ 102 taker"]
    assert filled(told(exchange, sell(8, 5, 98))) == ["8 filled 5 @ 98 taker"]


def test_two_instruments_know_nothing_of_each_other():
    exchange = made()
    story = [buy(7, 5), buy(8, 5, instrument=1), add(1, 10, instrument=1)]
    told(exchange, *story)
    assert told(exchange, execute(1, 10, instrument=1)) == ["8 filled 5 @ 100 maker"]
    assert exchange.arena["listings"]["live"].tolist() == [1, 0]


def test_memory_is_given_back():
    exchange = market()
    before = exchange.books.digest()
    for _ in range(200):
        told(exchange, buy(7, 5, 100), sell(8, 5, 101), cancel(7), cancel(8))
    assert exchange.books.digest() == before
    assert exchange.arena["listings"]["busy"].tolist() == [0, 0]
    assert np.all(exchange.arena["own"]["state"] == 0)
