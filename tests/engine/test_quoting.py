"""A quote: two sides that follow what the strategy last said, one message under way for each."""

import math

import pytest

from hftlib.core import orders
from hftlib.core.events import BUY, SELL
from hftlib.engine import path, services
from hftlib.risk.limits import Limits
from tests.engine.desk import Desk

pytestmark = pytest.mark.modes


def quoted(bid: int = 9_900, ask: int = 10_100, **settings) -> tuple[Desk, int, int]:
    """A desk whose quote stands: the desk, its bid and its ask."""
    desk = Desk(**settings)
    desk.quote(bid, ask, 100)
    (_, first, *_), (_, second, *_) = desk.sent()
    desk.accept(first)
    desk.accept(second)
    assert desk.sent() == []
    return desk, first, second


def test_the_first_quote_sends_both_sides():
    desk = Desk()
    desk.quote(9_950.0, 10_050.0, 100)
    assert desk.sent() == [("new", 1, BUY, 9_900, 100), ("new", 2, SELL, 10_100, 100)]


def test_the_same_quote_again_sends_nothing():
    desk, *_ = quoted()
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == []


def test_another_price_replaces_and_the_other_side_keeps_its_place():
    desk, bid, _ = quoted()
    desk.quote(9_800, 10_100, 100)
    assert desk.sent() == [("replace", bid, BUY, 9_800, 100)]


def test_what_changes_while_a_message_is_under_way_waits_for_the_answer():
    desk, bid, _ = quoted()
    desk.quote(9_800, 10_100, 100)
    desk.quote(9_700, 10_100, 100)
    desk.quote(9_600, 10_100, 100)
    assert len(desk.sent()) == 1
    desk.report(orders.REPLACED, bid, price=9_800, quantity=100)
    assert desk.sent() == [("replace", bid, BUY, 9_600, 100)]


def test_a_side_is_left_alone_while_some_of_it_stands():
    desk, bid, _ = quoted()
    desk.fill(bid, 9_900, 30)
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == []
    desk.quote(9_900, 10_100, 50)  # less than the 70 that stand; the ask's 100 as well
    assert desk.sent() == [("replace", bid, BUY, 9_900, 80), ("replace", 2, SELL, 10_100, 50)]


def test_a_filled_side_stays_empty_until_the_next_quote():
    desk, bid, _ = quoted()
    desk.fill(bid, 9_900, 100)
    assert desk.sent() == []
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == [("new", 3, BUY, 9_900, 100)]


def test_no_price_takes_a_side_off_and_is_counted():
    desk, bid, ask = quoted()
    assert desk.quote(math.nan, 10_100, 100) == -orders.NO_PRICE
    assert desk.sent() == [("cancel", bid, BUY, 9_900, 100)]
    desk.quote(9_900, 10_100, 0)
    assert desk.sent() == [("cancel", ask, SELL, 10_100, 100)]
    assert desk.refused() == {orders.REASONS[orders.NO_PRICE]: 1}


def test_a_cancelled_side_that_is_wanted_again_comes_back_after_the_answer():
    desk, bid, _ = quoted()
    desk.quote(9_900, 10_100, 0, 100)
    desk.quote(9_800, 10_100, 100)
    assert desk.sent() == [("cancel", bid, BUY, 9_900, 100)]
    desk.report(orders.CANCELED, bid, other=orders.ASKED)
    assert desk.sent() == [("new", 3, BUY, 9_800, 100)]


def test_a_refused_side_waits_for_the_strategy():
    desk, *_ = quoted()
    desk.quote(9_900, 10_100, 100)
    desk.report(orders.CANCELED, 1, other=orders.SELF_MATCH)
    assert desk.sent() == []
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == [("new", 3, BUY, 9_900, 100)]


def test_the_position_limit_makes_a_quote_smaller_and_then_takes_it_off():
    desk, bid, ask = quoted(limits=Limits(position_lots=150))
    desk.fill(bid, 9_900, 100)
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == [("new", 3, BUY, 9_900, 50)]
    desk.accept(3)
    desk.fill(3, 9_900, 50)
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == []
    assert desk.position()["quantity"] == 150
    assert desk.session.arena["session"]["clipped"][0] == 2
    assert desk.refused() == {}
    desk.quote(9_900, 10_200, 250)
    assert desk.sent() == [("replace", ask, SELL, 10_200, 250)], "selling has room for all"


def test_a_quote_withdrawn_while_a_replace_is_under_way_goes_at_once():
    desk, bid, ask = quoted()
    desk.quote(9_800, 10_100, 100)
    desk.sent()
    desk.quote(0, 0, 0)
    assert desk.sent() == [
        ("cancel", bid, BUY, 9_900, 100),
        ("cancel", ask, SELL, 10_100, 100),
    ]
    desk.report(orders.REPLACE_REJECTED, bid, other=orders.HALTED)
    desk.report(orders.CANCELED, bid, other=orders.ASKED)
    assert desk.sent() == []
    assert desk.position()["quote_bid"] == 0


def test_a_newer_price_is_tried_after_an_older_one_was_refused():
    desk, bid, _ = quoted()
    desk.quote(9_800, 10_100, 100)
    desk.quote(9_700, 10_100, 100)
    desk.sent()
    desk.report(orders.REPLACE_REJECTED, bid, other=orders.WOULD_TAKE)
    assert desk.sent() == [("replace", bid, BUY, 9_700, 100)]
    desk.report(orders.REPLACE_REJECTED, bid, other=orders.WOULD_TAKE)
    assert desk.sent() == [], "the price that was refused is not tried again"


@pytest.mark.parametrize("all_of_them", [True, False])
def test_what_the_strategy_takes_back_does_not_come_back(all_of_them):
    desk, bid, ask = quoted()
    if all_of_them:
        assert services.cancel_all(desk.context, -1) == 2
    else:
        assert [services.cancel(desk.context, number) for number in (bid, ask)] == [0, 0]
    desk.sent()
    for number in (bid, ask):
        desk.report(orders.CANCELED, number, other=orders.ASKED)
    assert desk.sent() == []


def test_post_only_asked_for_later_takes_another_order():
    desk, bid, ask = quoted()
    desk.quote(9_800, 10_100, 100, flags=orders.POST_ONLY)
    assert [row[:2] for row in desk.sent()] == [("cancel", bid), ("cancel", ask)]
    desk.report(orders.CANCELED, bid, other=orders.ASKED)
    assert desk.sent() == [("new", 3, BUY, 9_800, 100)]
    assert desk.order(3)["flags"] == orders.POST_ONLY


def test_the_limit_of_one_order_counts_what_is_still_wanted():
    desk, bid, _ = quoted(limits=Limits(order_quantity_lots=150))
    desk.fill(bid, 9_900, 60)
    desk.quote(9_800, 10_100, 100)
    assert desk.sent() == [("replace", bid, BUY, 9_800, 160)]
    assert desk.refused() == {}


def cut_off(desk, is_so=True):
    desk.session.arena["rules"]["cut_off"][:] = is_so


def test_without_a_session_a_quote_is_remembered_and_nothing_is_refused():
    desk = Desk()
    cut_off(desk)
    for n in range(200):
        desk.at(1_000 + n)
        assert desk.quote(9_900 - 100 * (n % 3), 10_100, 100) == 0
    assert desk.sent() == [] and not desk.seat["session"]["refused"][0].any()
    assert desk.buy(9_900, 100) == -orders.CUT_OFF, "an order that is no quote is refused at once"
    cut_off(desk, is_so=False)
    path.opened(desk.base, 0, desk.time)
    assert desk.sent() == [("new", 1, BUY, 9_800, 100), ("new", 2, SELL, 10_100, 100)]
    path.opened(desk.base, 0, desk.time)
    assert desk.sent() == [], "what is under way is not sent twice"


def test_on_a_stale_book_a_quote_waits_for_the_next_wish_and_nothing_is_refused():
    desk = Desk()
    desk.session.arena["markets"]["stale"][:] = 1
    for n in range(200):
        desk.at(1_000 + n)
        assert desk.quote(9_900, 10_100, 100) == 0
    assert desk.sent() == [] and not desk.seat["session"]["refused"][0].any()
    assert desk.buy(9_900, 100) == -orders.STALE, "an order that is no quote is refused at once"
    desk.session.arena["risk"]["stale_books"] = 1  # allowed: it goes as ever
    desk.quote(9_900, 0, 100)
    assert desk.sent() == [("new", 1, BUY, 9_900, 100)]
    desk.session.arena["risk"]["stale_books"] = 0
    desk.session.arena["markets"]["stale"][:] = 0
    desk.quote(9_900, 10_100, 100)
    assert desk.sent() == [("new", 2, SELL, 10_100, 100)]


def test_a_quote_withdrawn_or_a_strategy_stopped_meanwhile_sends_nothing_when_it_opens():
    desk = Desk("AAA", "BBB")
    cut_off(desk)
    desk.quote(9_900, 10_100, 100)
    desk.quote(9_900, 10_100, 0)
    cut_off(desk, is_so=False)
    path.opened(desk.base, 0, desk.time)
    assert desk.sent() == []
    cut_off(desk)
    desk.quote(9_900, 10_100, 100)
    desk.seat["context"]["stopped"] = 1
    cut_off(desk, is_so=False)
    path.opened(desk.base, 0, desk.time)
    assert desk.sent() == []


def test_a_cancel_that_the_venue_does_not_know_is_not_asked_again_at_once():
    desk, bid, _ = quoted()
    desk.quote(0, 10_100, 0, 100)
    assert desk.sent() == [("cancel", bid, BUY, 9_900, 100)]
    desk.report(orders.CANCEL_REJECTED, bid, other=orders.UNKNOWN_ORDER)
    assert desk.sent() == []
    desk.quote(0, 10_100, 0, 100)  # the strategy says so again: one more, and no more
    assert desk.sent() == [("cancel", bid, BUY, 9_900, 100)]
