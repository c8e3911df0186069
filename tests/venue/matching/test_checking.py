"""Everything that is refused: for each reason a command that is refused for that, and one that is
not. Nothing that is refused leaves a trace in the book."""

from __future__ import annotations

from typing import Any

import pytest
from matching_words import Market

from hftlib.venue.matching import reasons
from hftlib.venue.matching import records as r

pytestmark = pytest.mark.modes
MAX = r.PRICE_MAX
STOP = {"style": r.STOP, "trigger": 100_100}
PEG = {"style": r.PEG_MID, "shows": r.HIDDEN}

# The reason, what makes the order wrong, and the nearest that is right.
WRONG: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("NO_FIRM", {"firm": 0}, {"firm": 1}),
    ("NO_FIRM", {"firm": 5}, {"firm": 4}),
    ("NO_SYMBOL", {"symbol": 1}, {"symbol": 0}),
    ("NO_SYMBOL", {"symbol": r.ALL}, {}),
    ("NO_SIDE", {"side": 0}, {"side": 1}),
    ("NO_SIDE", {"side": 5}, {"side": 4}),
    ("BAD_STYLE", {"style": 0}, {}),
    ("BAD_STYLE", {"style": 6}, PEG),
    ("BAD_CROSS", {"cross": 4}, {"cross": 3}),
    ("BAD_PREVENTION", {"prevention": 5}, {"prevention": 4}),
    ("BAD_QUANTITY", {"quantity": 0}, {"quantity": 1}),
    ("BAD_QUANTITY", {"quantity": 1_000_000}, {"quantity": 999_999}),
    ("BAD_QUANTITY", {"quantity": -1}, {}),
    ("BAD_QUANTITY", {"quantity": 2**62}, {}),
    ("BAD_PRICE", {"price": 0}, {"price": 1}),
    ("BAD_PRICE", {"price": -100}, {}),
    ("BAD_PRICE", {"price": MAX + 100}, {"price": MAX}),
    ("BAD_PRICE", {"price": 2**62}, {"price": r.MARKET}),
    ("OFF_GRID", {"price": 100_050}, {"price": 100_000}),
    ("OFF_GRID", {"price": 10_001}, {"price": 9_999}),
    ("BAD_LASTING", {"lasts": 0}, {"lasts": r.GTX}),
    ("BAD_LASTING", {"lasts": 5}, {}),
    ("BAD_LASTING", {"lasts": r.GTT, "expire": 0}, {"lasts": r.GTT, "expire": 1}),
    ("BAD_DISPLAY", {"shows": 0}, {"shows": r.ATTRIBUTED}),
    ("BAD_DISPLAY", {"shows": 4}, {"shows": r.HIDDEN}),
    ("BAD_DISPLAY", {"display": -1}, {"display": 1}),
    ("BAD_DISPLAY", {"display": 1_000_000}, {"display": 999_999}),
    ("BAD_DISPLAY", {"display": 5, "shows": r.HIDDEN}, {}),
    ("BAD_DISPLAY", PEG | {"shows": r.SHOWN}, PEG),
    ("BAD_DISPLAY", PEG | {"display": 5}, {}),
    ("BAD_TRIGGER", {"style": r.STOP}, STOP),
    ("BAD_TRIGGER", STOP | {"trigger": MAX + 1}, STOP | {"trigger": MAX}),
    ("BAD_PRICE", PEG | {"offset": MAX + 1}, PEG | {"offset": MAX}),
    ("BAD_PRICE", PEG | {"offset": -MAX - 1}, PEG | {"offset": -MAX}),
    ("BAD_LASTING", STOP | {"lasts": r.IOC}, {"lasts": r.IOC}),
    ("BAD_CROSS", STOP | {"cross": 1}, {"cross": 1}),
    ("BAD_CROSS", {"cross": 1, "display": 5}, {}),
    ("BAD_LASTING", {"cross": 1, "lasts": r.IOC}, {}),
    ("BAD_STYLE", {"flags": r.POST_ONLY, "lasts": r.IOC}, {"flags": r.POST_ONLY}),
    ("BAD_STYLE", {"flags": r.POST_ONLY, "price": r.MARKET}, {}),
    ("BAD_STYLE", STOP | {"flags": r.POST_ONLY}, {}),
    ("BAD_STYLE", {"flags": r.POST_ONLY, "cross": 1}, {}),
    ("BAD_MINIMUM", {"minimum": 11}, {"minimum": 10}),
    ("BAD_MINIMUM", {"minimum": -1}, {}),
    ("BAD_MINIMUM", STOP | {"minimum": 5}, {}),
    ("BAD_MINIMUM", {"minimum": 5, "flags": r.POST_ONLY}, {}),
    ("BAD_MINIMUM", {"minimum": 5, "cross": 1}, {}),
    ("WOULD_TAKE", {"flags": r.POST_ONLY, "price": 110_000}, {"price": 110_000}),
)
BY_STATE = (
    (r.CLOSED, "NOT_OPEN", {}),
    (r.HALTED, "IS_HALTED", {}),
    (r.PAUSED, "IS_HALTED", {}),
    (r.AUCTION, "NOT_TRADING", {"lasts": r.IOC}),
    (r.AUCTION, "NOT_TRADING", {"minimum": 5}),
    (r.AUCTION, "NOT_TRADING", {"price": r.MARKET}),
)


def market() -> Market:
    made = Market()
    made.sell("dan", 100, 11.00)
    made.quietly()
    return made


def entered(m: Market, fields: dict[str, Any]) -> str:
    m.ask("ann", {"side": r.BUY, "quantity": 10, "price": 100_000} | fields)
    return m.said()[0]


@pytest.mark.parametrize(("reason", "wrong", "right"), WRONG)
def test_what_is_wrong_is_refused_for_that_and_what_is_right_is_not(reason, wrong, right):
    m = market()
    before = m.engine.books.digest()
    assert entered(m, wrong) == f"ann: rejected, {reason}"
    assert m.engine.books.digest() == before
    header = m.engine.header
    assert header["live"] == 1 and header["number"] == 1 and header["refused"] == 1
    assert entered(m, right).startswith("ann: accepted 2")


@pytest.mark.parametrize(("state", "reason", "fields"), BY_STATE)
def test_what_a_state_does_not_take(state, reason, fields):
    m = Market(state)
    assert entered(m, fields) == f"ann: rejected, {reason}"


def test_a_refused_number_is_used_all_the_same():
    m = market()
    entered(m, {"quantity": 0})
    entered_again = {"side": r.BUY, "quantity": 10, "price": 100_000, "urn": 1}
    m.ask("ann", entered_again)
    assert m.said() == []


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (0, {}, "BAD_KIND"),
        (18, {}, "BAD_KIND"),
        (255, {}, "BAD_KIND"),
        (r.ENTER, {}, "NO_SESSION"),
        (r.ACCOUNT, {}, "NO_SESSION"),
        (r.ENTER, {"session": 5}, "NO_SESSION"),
        (r.CANCEL, {"session": 2**32 - 1}, "NO_SESSION"),
        (r.DISCONNECT, {}, "NO_SESSION"),
        (r.MEET, {}, "NO_SESSION"),
        (r.SET_STATE, {"session": 1}, "NO_SESSION"),
        (r.BREAK, {"session": 1}, "NO_SESSION"),
        (r.SET_STATE, {"symbol": 1, "state": 1}, "NO_SYMBOL"),
        (r.SET_STATE, {"state": 5}, "BAD_STATE"),
        (r.SET_BANDS, {"symbol": 1}, "NO_SYMBOL"),
        (r.SET_BANDS, {"symbol": r.ALL}, "NO_SYMBOL"),
        (r.SET_BANDS, {"price": -1}, "BAD_PRICE"),
        (r.SET_BANDS, {"price": 100, "bps": 10_001}, "BAD_PRICE"),
        (r.CROSS, {"symbol": 1, "cross": 1}, "NO_SYMBOL"),
        (r.CROSS, {"cross": 0}, "BAD_CROSS"),
        (r.INDICATE, {"cross": 4}, "BAD_CROSS"),
        (r.CROSS, {"cross": 1, "price": MAX + 1}, "BAD_PRICE"),
        (r.CROSS, {"cross": 1, "state": 5}, "BAD_STATE"),
        (r.BREAK, {"match": 0}, "NO_TRADE"),
        (r.BREAK, {"match": -1}, "NO_TRADE"),
        (r.BREAK, {"match": 2**62}, "NO_TRADE"),
        (r.DISABLE, {"firm": 0}, "NO_FIRM"),
        (r.ENABLE, {"firm": 5}, "NO_FIRM"),
        (r.MASS_CANCEL, {"firm": 5, "symbol": r.ALL}, "NO_FIRM"),
        (r.MASS_CANCEL, {"symbol": 1}, "NO_SYMBOL"),
        (r.MASS_CANCEL, {"firm": 0, "symbol": r.ALL, "flags": r.OF_ALL}, "NO_FIRM"),
    ],
)
def test_commands_that_cannot_be_are_refused(kind, fields, reason):
    m = market()
    m.tell(kind, **fields)
    (told,) = m.said()
    assert told.endswith(f"rejected, {reason}")


def test_a_cross_needs_orders_gathered_or_trading():
    m = Market(r.HALTED)
    m.tell(r.CROSS, cross=r.REOPENING, state=r.TRADING)
    assert m.said() == ["rejected, BAD_STATE"]


def test_every_reason_of_a_refusal_is_shown_here_or_in_a_story():
    shown = {reason for reason, _, _ in WRONG} | {reason for _, reason, _ in BY_STATE}
    last = reasons.NAMES.index("WOULD_TAKE")
    elsewhere = {"NO_SESSION", "FIRM_DISABLED"}
    assert shown | elsewhere == set(reasons.NAMES[1 : last + 1])
