"""Limits as people write them: levels, names, values, rules, and a sentence for what is none."""

import pytest

from hftlib.core import orders
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.orders import REASONS
from hftlib.risk.controls import COLLAR_WINDOW, MESSAGES_WINDOW, NO_LIMIT, VOLATILITY_WINDOW
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import COUNT_MAX, Limits
from tests.engine.desk import Desk

modes = pytest.mark.modes


def table(*symbols, calendar=""):
    made = Instruments()
    for symbol in symbols or ("AAA", "BBB"):
        made.add(symbol, venue="XNAS", calendar=calendar)
    return made


@modes
def test_the_position_is_counted_as_if_all_open_orders_were_filled():
    desk = Desk(limits=Limits(position_lots=100))
    first = desk.buy(10_000, 60)
    assert first > 0
    assert desk.buy(10_000, 41) == -orders.POSITION_TOO_LARGE
    assert desk.buy(10_000, 40) > 0
    assert desk.sell(10_100, 100) > 0, "the other side has its own room"
    assert desk.sell(10_100, 1) == -orders.POSITION_TOO_LARGE
    desk.accept(first)
    desk.fill(first, 10_000, 60)
    assert desk.sell(10_100, 60) > 0, "what is held may be sold on top"
    assert desk.refused() == {REASONS[orders.POSITION_TOO_LARGE]: 2}


@modes
def test_a_sale_below_the_market_is_worth_what_the_market_pays():
    desk = Desk(limits=Limits(order_value_money=100))  # dollars; a price unit is 0.0001
    market = desk.session.arena["markets"]
    market["bid"][0], market["last"][0] = 1_000_000, 1_000_000
    assert desk.sell(100, 1) > 0
    assert desk.sell(100, 2) == -orders.VALUE_TOO_LARGE
    assert desk.sell(100, 2**52) == -orders.VALUE_TOO_LARGE
    assert Desk().sell(100, 2**52) > 0, "alone, without a market, it is worth its limit"


@modes
def test_a_market_order_is_worth_what_the_other_side_asks():
    desk = Desk(limits=Limits(order_value_money=100))
    market = desk.session.arena["markets"]
    market["bid"][0], market["ask"][0], market["last"][0] = 400_000, 600_000, 10
    assert desk.buy(0, 1, kind=orders.MARKET) > 0
    assert desk.buy(0, 2, kind=orders.MARKET) == -orders.VALUE_TOO_LARGE
    assert desk.sell(0, 2, kind=orders.MARKET) > 0


@modes
def test_of_two_levels_the_tightest_refuses_and_is_told():
    limits = Limits(order_quantity_lots=50, strategy={"order_quantity_lots": 20})
    desk = Desk(limits=limits)
    assert desk.buy(10_000, 20) > 0
    assert desk.buy(10_000, 21) == -orders.ORDER_TOO_LARGE
    assert desk.buy(10_000, 51) == -orders.ORDER_TOO_LARGE
    rows = desk.session.arena["refusals"][:2]
    assert rows["level"].tolist() == [2, 1], "the instrument is asked first"
    assert rows["limit"].tolist() == [20, 50]


def test_limits_by_symbol():
    desk = Desk("AAA", "BBB", limits=Limits(instrument={"BBB": {"position_lots": 10}}))
    assert desk.buy(10_000, 1_000) > 0
    assert desk.buy(10_000, 11, instrument=1) == -orders.POSITION_TOO_LARGE
    with pytest.raises(InputError, match="no instrument 'CCC' to limit"):
        Desk("AAA", limits=Limits(instrument={"CCC": {"position_lots": 10}}))


def test_an_instruments_own_limit_goes_before_that_of_every_one():
    limits = Limits(
        position_lots=5,
        instrument={"AAA": {"position_lots": 7}, "*": {"open_orders": 3}},
        strategy={"*": {"messages": 9}, "one": {"messages": 4, "new_orders": 2}},
    )
    assert limits.of_instrument("AAA") == {"open_orders": 3, "position_lots": 7}
    assert limits.of_instrument("BBB") == {"open_orders": 3, "position_lots": 5}
    assert limits.of_strategy("one") == {"messages": 4, "new_orders": 2}
    assert limits.of_strategy("two") == {"messages": 9}
    assert Limits().of_instrument("AAA") == {"open_orders": 64}
    assert Limits(open_orders=None).of_instrument("AAA") == {}, "whoever says so has none"


def test_money_is_kept_in_ten_thousandths_and_told_as_written():
    limits = Limits(order_value_money=0.1, firm={"daily_loss_money": 1_234.5678})
    assert limits.of_instrument("AAA")["order_value_money"] == 1_000
    assert limits.firm == {"daily_loss_money": 12_345_678}
    assert limits.text == (
        "open_orders 64, order_value_money 0.1; firm: daily_loss_money 1,234.5678"
    )
    assert repr(Limits()) == "<Limits: open_orders 64>"
    assert "self_match decrement" in Limits(rules={"self_match": "decrement"}).text


def test_a_strategy_has_one_portfolio():
    limits = Limits(
        portfolio={
            "equities": {"strategies": ["one", "two"], "messages": 5},
            "rest": {"strategies": ["*"], "messages": 6},
        }
    )
    names = [limits.portfolio_of(one) for one in ("one", "two", "three")]
    assert names == ["equities", "equities", "rest"]
    room = RiskRoom(table(), ["one", "two", "three"], limits)
    assert room.names[:6] == [
        *("firm", "portfolio:equities", "portfolio:rest"),
        *("strategy:one", "strategy:two", "strategy:three"),
    ]
    parents = [room._parent(level, name) for level, name, _ in room.scopes]
    assert parents[:6] == [0, 0, 0, 1, 1, 2]
    with pytest.raises(InputError, match="More than one portfolio has the strategy one"):
        Limits(portfolio={"a": {"strategies": ["one"]}, "b": {"strategies": ["one"]}})
    with pytest.raises(InputError, match="More than one portfolio has every other strategy"):
        Limits(portfolio={"a": {}, "b": {"strategies": "*"}})
    with pytest.raises(InputError, match="no strategy 'four' to limit"):
        RiskRoom(table(), ["one"], Limits(portfolio={"a": {"strategies": ["one", "four"]}}))
    with pytest.raises(InputError, match="no strategy 'four' to limit"):
        RiskRoom(table(), ["one"], Limits(strategy={"four": {"messages": 1}}))


@pytest.mark.parametrize("value", [-1, 1.5, "many", True, float("nan"), float("inf"), 2**62])
def test_what_is_no_limit_is_refused_with_a_sentence(value):
    with pytest.raises(InputError, match="is no limit"):
        Limits(position_lots=value)


@pytest.mark.parametrize("value", [-0.01, "1", True, float("nan"), float("inf"), 1e30])
def test_what_is_no_money_is_refused_with_a_sentence(value):
    with pytest.raises(InputError, match="is no limit"):
        Limits(order_value_money=value)


def test_what_cannot_be_counted_is_refused():
    assert Limits(messages=COUNT_MAX).of_instrument("AAA")["messages"] == COUNT_MAX
    for name in ("messages", "new_orders", "replaces", "paced_orders", "executions"):
        with pytest.raises(InputError, match="too many to count"):
            Limits(**{name: COUNT_MAX + 1})
    with pytest.raises(InputError, match="is no window"):
        Limits(messages_window_ms=0)


def test_an_unknown_limit_is_told_with_the_likely_one():
    with pytest.raises(InputError, match="Did you mean 'position_lots'"):
        Limits(postion=5)
    with pytest.raises(InputError, match="by its name"):
        Limits(1_000)
    with pytest.raises(InputError, match="Did you mean 'messages'"):
        Limits(firm={"mesages": 5})
    with pytest.raises(InputError, match="Did you mean 'restricted'"):
        Limits(rules={"restrict": ["AAA"]})
    with pytest.raises(InputError, match="Did you mean 'venues'"):
        Limits(launch={"venue": ["XNAS"]})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"instrument": 5}, "gives no limits by name"),
        ({"firm": [5]}, "gives no limits by name"),
        ({"strategy": {"one": {"messages": 1}, "two": 5}}, "is no name with its limits"),
        ({"portfolio": {"a": {"strategies": [5]}}}, "is no list of names"),
        ({"rules": {"self_match": "never"}}, "is no choice here"),
        ({"rules": {"restricted": 5}}, "is no list of names"),
        ({"rules": {"bands_percent": 0}}, "for \\* is none"),
        ({"rules": {"bands_percent": float("inf")}}, "for \\* is none"),
        ({"rules": {"static_price": {"AAA": "5"}}}, "for AAA is none"),
        ({"rules": {"bands_double_open_minutes": 1.5}}, "is no number of minutes"),
        ({"rules": {"bands_double_close_minutes": -1}}, "is no number of minutes"),
        ({"launch": {"price_high": -1}}, "is no bound"),
        ({"launch": {"price_high": float("inf")}}, "is no bound"),
        ({"launch": {"instruments": 5}}, "is no list of names"),
        ({"rates": {"EUR": 0}}, "is no rate of EUR"),
        ({"rates": {"EUR": float("inf")}}, "is no rate of EUR"),
        ({"rates": {"EUR": "1"}}, "is no rate of EUR"),
    ],
)
def test_what_is_none_is_a_sentence(given, sentence):
    with pytest.raises(InputError, match=sentence):
        Limits(**given)


@pytest.mark.parametrize(
    "rules",
    [
        {"restricted": ["CCC"]},
        {"no_short": ["CCC"]},
        {"any_price": "CCC"},
        {"bands_percent": {"CCC": 5}},
        {"static_price": {"CCC": 5}},
    ],
)
def test_a_rule_for_a_symbol_that_is_not_there_binds_nobody_and_is_refused(rules):
    with pytest.raises(InputError, match="no instrument 'CCC' to limit"):
        RiskRoom(table(), ["one"], Limits(rules=rules))


@pytest.mark.parametrize(
    ("launch", "more", "sentence"),
    [
        ({"instruments": ["AAA"]}, {}, "BBB is not among the instruments that may be traded"),
        ({"venues": ["BATS"]}, {}, "XNAS is not among the venues that may be traded"),
        ({"position_lots": 10}, {}, "AAA may be launched with position_lots of 10 at most"),
        ({"position_lots": 10}, {"position_lots": 11}, "position_lots of 10 at most"),
        ({"order_value_money": 10}, {"order_value_money": 10.01}, "order_value_money of 10 at"),
    ],
)
def test_a_release_refuses_to_start_beyond_what_it_may(launch, more, sentence):
    with pytest.raises(InputError, match=sentence):
        RiskRoom(table(), ["one"], Limits(launch=launch, **more))


def test_a_release_starts_within_what_it_may():
    launch = {"instruments": ["AAA", "BBB"], "venues": "XNAS", "position_lots": 10}
    launch["order_value_money"] = 10.5
    RiskRoom(table(), ["one"], Limits(launch=launch, position_lots=10, order_value_money=10.5))


def test_phases_are_those_of_the_calendar():
    made = table("AAA", calendar="day")
    made.add_phase("day", "continuous", 100, 200)
    made.add_phase("day", "closing", 200, 300)
    made.add_phase("other", "auction", 0, 50)
    room = RiskRoom(made, ["one"], Limits(rules={"phases": ["continuous", "closing"]}))
    arena = Arena.create(Layout(**room.slots()))
    room.lay(arena)
    rule = arena["rules"][0]
    assert rule["phases"] == 2
    assert rule["begins"][:2].tolist() == [100, 200] and rule["ends"][:2].tolist() == [200, 300]
    for wanted in (["auction"], ["contiuous"]):
        room = RiskRoom(made, ["one"], Limits(rules={"phases": wanted}))
        with pytest.raises(InputError, match="AAA has 0 phases named"):
            room.lay(arena)
    for n in range(4):
        made.add_phase("day", "closing", 400 + 10 * n, 405 + 10 * n)
    room = RiskRoom(made, ["one"], Limits(rules={"phases": ["closing"]}))
    with pytest.raises(InputError, match="AAA has 5 phases named closing"):
        room.lay(arena)


@modes
def test_orders_leave_from_the_first_moment_of_a_phase_to_before_its_end():
    desk = Desk(limits=Limits())
    rule, session = desk.session.arena["rules"][0], desk.session.arena["session"]
    rule["phases"], rule["begins"][:2], rule["ends"][:2] = 2, (100, 200), (150, 250)
    answers = []
    for now in (99, 100, 149, 150, 199, 200, 249, 250):
        session["time"] = now
        answers.append(desk.buy(10_000, 1) > 0)
    assert answers == [False, True, True, False, False, True, True, False]


def test_a_price_has_one_window_its_own_or_the_longest_of_any_scope():
    names = {"collar_window_ms": COLLAR_WINDOW, "volatility_window_ms": VOLATILITY_WINDOW}
    for name, which in names.items():
        limits = Limits(instrument={"AAA": {name: 5}}, strategy={name: 70_000}, firm={name: 9})
        desk = Desk("AAA", "BBB", limits=limits)
        windows = desk.session.arena["scopes"]["windows"]
        assert windows[:5, which].tolist() == [9, 60_000, 70_000, 5, 70_000]
        desk = Desk(limits=Limits())
        assert desk.session.arena["scopes"]["windows"][3, which] == 60_000
    desk = Desk(limits=Limits(firm={"messages_window_ms": 7}))
    windows = desk.session.arena["scopes"]["windows"][:4, MESSAGES_WINDOW]
    assert windows.tolist() == [7, 1_000, 1_000, 1_000]


def test_another_currency_needs_its_rate():
    made = table()
    made.add("EEE", venue="XETR", currency="EUR")
    room = RiskRoom(made, ["one"], Limits())
    with pytest.raises(InputError, match="EEE trades in EUR, limits are in USD"):
        room._factor(made[2])
    room = RiskRoom(made, ["one"], Limits(rates={"EUR": 1.5}))
    assert room._factor(made[2]) == pytest.approx(1.5)
    room = RiskRoom(made, ["one"], Limits(currency="EUR", rates={"USD": 0.5}))
    assert [room._factor(made[n]) for n in (0, 2)] == [0.5, 1.0]


def test_what_nobody_limits_has_no_limit():
    scopes = Desk(limits=Limits(open_orders=None)).session.arena["scopes"]
    assert scopes["limits"][0].max() == NO_LIMIT
    assert scopes["groups"].tolist()[:3] == [0, 0, 0]
