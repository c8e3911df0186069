"""The tick path's steps: when a strategy hears of its books, and what it reads then."""

import numpy as np
import pytest

from hftlib.core import events
from hftlib.core.events import BUY, EVENT, LAST, SELL
from hftlib.strategy.abi import ON_BOOK, ON_TRADE
from tests.engine.desk import Desk, Quiet
from tests.engine.market_step import market_step

pytestmark = pytest.mark.modes


def heard(*rows, marked=True):
    """How often on_book and on_trade were called for (kind, side, price, quantity, flags) rows."""
    desk = Desk(strategy=Quiet(handles=(1 << ON_BOOK) | (1 << ON_TRADE)))
    desk.session.arena["markets"]["marked"] = marked
    for n, (kind, side, price, quantity, flags) in enumerate(rows):
        event = np.zeros(1, EVENT)
        event["kind"], event["side"], event["price"] = kind, side, price
        event["quantity"], event["flags"], event["time"] = quantity, flags, 5_000 + n
        market_step(desk.base, event.ctypes.data, 6_000 + n)
    calls = desk.session.arena["session"]["callbacks"][0]
    return int(calls[ON_BOOK]), int(calls[ON_TRADE]), desk.session.arena["markets"][0]


BID, ASK = (events.LEVEL, BUY, 9_900, 5), (events.LEVEL, SELL, 10_000, 7)


def test_a_message_of_several_events_is_told_of_once_it_is_whole():
    books, _, market = heard((*BID, 0), (*ASK, LAST))
    assert books == 1
    assert (market["bid"], market["ask"], market["ask_quantity"]) == (9_900, 10_000, 7)
    assert heard((*BID, 0), (*ASK, LAST), marked=False)[0] == 2


def test_a_message_that_ends_with_an_event_of_no_effect_is_told_of_all_the_same():
    gone = (events.LEVEL, BUY, 9_700, 0, LAST)  # nothing stood there
    assert heard((*BID, 0), (*ASK, 0), gone)[0] == 1
    trade = (events.TRADE, SELL, 9_900, 2, LAST)
    assert heard((*BID, 0), trade)[:2] == (1, 1)
    assert heard((*BID, LAST), gone)[0] == 1, "nothing changed since"


def test_a_trade_without_a_side_has_that_of_the_quote_it_met():
    rows = [(*BID, LAST), (*ASK, LAST)]
    for price, side in ((9_900, SELL), (10_000, BUY), (9_950, 0)):
        desk = Desk(strategy=Quiet(handles=1 << ON_TRADE))
        for row in (*rows, (events.TRADE, 0, price, 1, LAST)):
            event = np.zeros(1, EVENT)
            for name, value in zip(
                ("kind", "side", "price", "quantity", "flags"), row, strict=True
            ):
                event[name] = value
            market_step(desk.base, event.ctypes.data, 9)
        assert desk.session.arena["session"]["trade"][0]["side"] == side
