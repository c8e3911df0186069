"""Each control one below its limit, at it and one beyond, at each of the four levels.

Orders go the engine's own way: `place` and `change`, reports, changes of a book. What is refused
must bear its reason, its level, the limit and what was seen; a breaker's scope must go to REDUCING
just beyond its limit and to HALTED far beyond it.
"""

from __future__ import annotations

import pytest

import hftlib as hft
from hftlib.core import events, orders
from hftlib.core.instruments import Instruments
from hftlib.core.orders import REASONS
from hftlib.engine.enforcing import watched
from hftlib.risk.controls import CONTROLS, HALTED, LEVELS, MONEY_ONE, NAMES, REDUCING
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import Limits
from tests.risk.stage import MID, MS, Stage, limited

modes = pytest.mark.modes
BUY, SELL = events.BUY, events.SELL
REASON = {one.name: one.reason for one in CONTROLS}


# What is refused: each story asks for something whose size is `seen` and returns the answer.


def one_order(desk, seen, level):
    return desk.buy(MID, seen)


def an_order_worth(desk, seen, level):
    return desk.buy(1, seen)


def many_open(desk, seen, level):
    return [desk.buy(MID - n, 1) for n in range(seen)][-1]


def a_price_beyond(desk, seen, level):
    desk.market()
    return desk.buy(MID + seen, 1)


def a_sale_beyond(desk, seen, level):
    desk.market()
    return desk.sell(MID - seen, 1)


def beyond_the_windows_begin(desk, seen, level):
    desk.market()
    desk.market(bid=2 * MID, ask=2 * MID + 2, when=MS)
    return desk.buy(MID + seen, 1)


def replaces(desk, seen, level):
    numbers = [desk.buy(MID - 50, 1) for _ in range(seen)]
    for number in numbers:
        desk.accept(number)
    return [desk.change(number, MID - 60, 1) or 1 for number in numbers][-1]


def worth_one(desk):
    desk.session.arena["markets"]["last"] = 1
    watched(desk.base, 0)


def a_position_worth(desk, seen, level):
    worth_one(desk)
    return desk.buy(1, seen)


def a_short_position_worth(desk, seen, level):
    worth_one(desk)
    return desk.sell(1, seen)


def both_sides_worth(desk, seen, level):
    worth_one(desk)
    assert desk.sell(1, 2) > 0
    return desk.buy(1, seen - 2)


def bought_open_and_asked_for(desk, seen, level):
    worth_one(desk)
    desk.bought(1, 2)
    assert desk.buy(1, 3) > 0
    assert desk.sell(1, 1) > 0
    return desk.buy(1, seen - 6)


def value_at_risk(desk, seen, level):
    desk.tell_risk(level, 0, seen)
    return desk.buy(MID, 1)


def shortfall(desk, seen, level):
    desk.tell_risk(level, 1, seen)
    return desk.buy(MID, 1)


REFUSED = [
    ("order_quantity_lots", 10, one_order),
    ("order_value_money", 10, an_order_worth),
    ("open_orders", 3, many_open),
    ("collar_bps", 10, a_price_beyond),
    ("collar_bps", 10, a_sale_beyond),
    ("collar_ticks", 10, a_price_beyond),
    ("collar_ticks", 10, a_sale_beyond),
    ("collar_window_bps", 10, beyond_the_windows_begin),
    ("messages", 3, many_open),
    ("new_orders", 3, many_open),
    ("paced_orders", 3, many_open),
    ("replaces", 3, replaces),
    ("position_lots", 10, one_order),
    ("position_value_money", 10, a_position_worth),
    ("position_value_money", 10, a_short_position_worth),
    ("gross_exposure_money", 10, a_position_worth),
    ("gross_exposure_money", 10, a_short_position_worth),
    ("net_exposure_money", 10, a_position_worth),
    ("net_exposure_money", 10, a_short_position_worth),
    ("capital_money", 10, both_sides_worth),
    ("capital_money", 10, bought_open_and_asked_for),
    ("value_at_risk_money", 10, value_at_risk),
    ("shortfall_money", 10, shortfall),
]


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize(
    ("name", "most", "story"), REFUSED, ids=[f"{one[0]}-{one[2].__name__}" for one in REFUSED]
)
def test_what_is_refused_begins_one_beyond_its_limit(name, most, story, level):
    for seen in (most - 1, most, most + 1):
        desk = Stage(limits=limited(level, {name: most}), tick=1)
        answer = story(desk, seen, level)
        if seen <= most:
            assert answer > 0, desk.last_refusal()
        else:
            assert answer == -REASON[name]
            assert desk.last_refusal() == (REASONS[REASON[name]], level, most, seen)


# What happens: each story makes something happen whose size is `seen`.


def fills(desk, seen, level):
    for _ in range(seen):
        desk.bought(MID, 1)


def loses(desk, seen, level):
    desk.market(MID - 1, MID + 1)
    desk.bought(MID, 1)
    desk.market(MID - 1 - seen, MID + 1 - seen)


def falls(desk, seen, level):
    loses(desk, -30, level)
    desk.market(MID + 29 - seen, MID + 31 - seen)


def a_bad_trade(desk, seen, level):
    desk.bought(MID, 1)
    number = desk.sell(MID - seen, 1)
    desk.accept(number)
    desk.fill(number, MID - seen, 1)


def a_bad_cover(desk, seen, level):
    number = desk.sell(MID, 1)
    desk.accept(number)
    desk.fill(number, MID, 1)
    desk.bought(MID + seen, 1)


def slips(desk, seen, level):
    desk.market()
    for _ in range(8):
        number = desk.buy(MID + seen, 1)
        desk.accept(number)
        desk.fill(number, MID + seen, 1)


def tries(desk, seen, level):
    for _ in range(seen):
        desk.buy(MID, 1)


def ranges(desk, seen, level):
    desk.market()
    desk.market(MID - 1 + seen, MID + 1 + seen, when=MS)


BROKEN = [
    ("daily_loss_money", 20, loses),
    ("drawdown_money", 20, falls),
    ("trade_loss_money", 20, a_bad_trade),
    ("trade_loss_money", 20, a_bad_cover),
    ("slippage_bps", 20, slips),
    ("message_rate", 4, tries),
    ("volatility_bps", 20, ranges),
]


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize(
    ("name", "most", "story"), BROKEN, ids=[f"{one[0]}-{one[2].__name__}" for one in BROKEN]
)
def test_a_breaker_goes_to_reducing_and_far_beyond_its_limit_to_halted(name, most, story, level):
    # An instrument's price moves for all: whoever limits it, the instrument reduces.
    where = "instrument" if name == "volatility_bps" else level
    far = most * 3 // 2
    for seen, state in (
        (most - 1, ""),
        (most, ""),
        (most + 1, "reducing"),
        (far, "reducing"),
        (far + 1, "halted"),
    ):
        desk = Stage(limits=limited(level, {name: most}), tick=1)
        story(desk, seen, level)
        wanted = {where: (state, REASONS[REASON[name]])} if state else {}
        assert desk.states() == wanted
        if state and name != "message_rate":
            assert desk.changes()[-1] == (state, REASONS[REASON[name]], most, seen)


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
def test_one_execution_too_many_halts_until_a_person_says_otherwise(level):
    desk = Stage(limits=limited(level, {"executions": 3, "executions_window_ms": 1}), tick=1)
    fills(desk, 3, level)
    assert desk.states() == {}
    fills(desk, 1, level)
    why = REASONS[orders.TOO_MANY_EXECUTIONS]
    assert desk.states() == {level: ("halted", why)}
    assert desk.changes() == [("halted", why, 3, 4)]


@modes
def test_the_window_of_executions_ends_with_its_last_nanosecond():
    for gap, halted in ((MS - 1, True), (MS, False)):
        desk = Stage(limits=limited("firm", {"executions": 1, "executions_window_ms": 1}), tick=1)
        first, second = desk.buy(MID, 1), desk.buy(MID, 1)
        desk.fill(first, MID, 1)
        desk.time += gap - 10  # `report` itself takes 10
        desk.fill(second, MID, 1)
        assert bool(desk.states()) is halted


def end_orders(desk, filled, rejected, cancelled):
    for n in range(filled + rejected + cancelled):
        number = desk.buy(MID, 1)
        assert number > 0, desk.last_refusal()
        desk.sent()
        if n < filled:
            desk.accept(number)
            desk.fill(number, MID, 1)
        elif n < filled + rejected:
            desk.report(orders.REJECTED, number, other=orders.OFF_GRID)
        else:
            desk.accept(number)
            desk.report(orders.CANCELED, number, other=orders.ASKED)


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize(
    ("filled", "ended", "state"),
    [(0, 19, ""), (10, 20, ""), (9, 20, "reducing"), (0, 20, "reducing")],
)
def test_too_few_fills_among_the_orders_that_ended(level, filled, ended, state):
    desk = Stage(limits=limited(level, {"fill_rate_percent": 50}), tick=1)
    end_orders(desk, filled, 0, ended - filled)
    why = REASONS[orders.FILL_RATE]
    assert desk.states() == ({level: (state, why)} if state else {})
    if state:
        assert desk.changes() == [("reducing", why, 50, 100 * filled // ended)]


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize(
    ("rejected", "ended", "state", "seen"),
    [
        (19, 19, "", 0),  # nobody speaks of fewer than twenty
        (2, 20, "", 0),
        (3, 20, "reducing", 15),
        (4, 20, "halted", 20),
    ],
)
def test_too_many_rejects_among_the_orders_that_ended(level, rejected, ended, state, seen):
    desk = Stage(limits=limited(level, {"reject_rate_percent": 10}), tick=1)
    end_orders(desk, ended - rejected, rejected, 0)
    why = REASONS[orders.REJECT_RATE]
    assert desk.states() == ({level: (state, why)} if state else {})
    if state:
        assert desk.changes() == [(state, why, 10, seen)]


@modes
def test_only_the_last_sixty_orders_count():
    desk = Stage(limits=limited("firm", {"reject_rate_percent": 10}), tick=1)
    end_orders(desk, 60, 0, 0)
    end_orders(desk, 0, 6, 0)
    assert desk.states() == {}
    end_orders(desk, 0, 1, 0)
    assert desk.changes() == [("reducing", REASONS[orders.REJECT_RATE], 10, 12)]


@modes
def test_a_rate_first_limited_during_a_session_counts_from_then_on():
    desk = Stage(limits=Limits(reject_rate_percent=100), tick=1)
    end_orders(desk, 0, 0, 30)
    said = {"at": 0, "who": "ann", "why": "calmer", "role": "trader"}
    assert desk.told(hft.set_limit("firm", fill_rate_percent=50, **said)) == 0
    end_orders(desk, 0, 0, 19)
    assert desk.states() == {}
    end_orders(desk, 0, 0, 1)
    assert desk.changes()[-1] == ("reducing", REASONS[orders.FILL_RATE], 50, 0)


@modes
def test_a_fill_rate_is_not_a_reject_rate():
    desk = Stage(limits=limited("firm", {"reject_rate_percent": 0}), tick=1)
    end_orders(desk, 10, 0, 20)
    assert desk.states() == {}


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize("name", ["stale_ms", "clock_skew_ms"])
def test_old_news_and_clocks_apart_to_the_nanosecond(level, name):
    for late, told in ((0, 0), (5 * MS, 0), (5 * MS + 1, 6)):
        desk = Stage(limits=limited(level, {name: 5}), tick=1)
        desk.time = 10**15
        row = desk.session.arena["markets"][0]
        desk.session.arena["session"]["time"] = desk.time
        row["bid"], row["ask"], row["last"], row["state"] = MID - 1, MID + 1, MID, events.TRADING
        if name == "stale_ms":
            row["time"] = desk.time
            desk.wait(late)
        else:
            row["time"] = desk.time - late
        answer = desk.buy(MID, 1)
        if told:
            assert answer == -REASON[name]
            assert desk.last_refusal() == (REASONS[REASON[name]], level, 5, told)
        else:
            assert answer > 0


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
def test_the_same_order_again_only_after_its_time(level):
    for ago, seen in ((0, 0), (10 * MS - 1, 9), (10 * MS, None), (10 * MS + 1, None)):
        desk = Stage(limits=limited(level, {"duplicate_ms": 10}), tick=1)
        assert desk.buy(MID, 5) > 0
        desk.wait(ago)
        answer = desk.buy(MID, 5)
        if seen is None:
            assert answer > 0
        else:
            why = REASONS[orders.DUPLICATE]
            assert (answer, desk.last_refusal()) == (-orders.DUPLICATE, (why, level, 10, seen))


@modes
def test_an_order_that_differs_in_anything_is_no_duplicate():
    desk = Stage("AAA", "BBB", limits=limited("firm", {"duplicate_ms": 10}), tick=1)
    assert desk.buy(MID, 5) > 0
    assert desk.buy(MID + 1, 5) > 0
    assert desk.buy(MID, 6) > 0
    assert desk.sell(MID, 5) > 0
    assert desk.buy(MID, 5, instrument=1) > 0
    assert desk.buy(MID, 5) == -orders.DUPLICATE
    assert desk.buy(MID + 1, 5) == -orders.DUPLICATE


@modes
def test_a_refused_order_is_not_remembered_and_uses_up_no_pace():
    given = {"duplicate_ms": 10, "messages": 1, "order_quantity_lots": 5}
    desk = Stage(limits=limited("firm", given), tick=1)
    assert desk.buy(MID, 6) == -orders.ORDER_TOO_LARGE
    assert desk.buy(MID, 5) > 0
    assert desk.buy(MID, 4) == -orders.TOO_FAST


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize("name", ["messages", "new_orders", "paced_orders"])
def test_any_window_not_only_whole_ones(level, name):
    desk = Stage(limits=limited(level, {name: 2, "messages_window_ms": 1}), tick=1)
    answers = []
    for at in (0, 600_000, 999_999, 1_000_000, 1_599_999, 1_600_000, 2_000_000):
        desk.session.arena["session"]["time"] = desk.time = 10**15 + at
        answers.append(desk.buy(MID, 1) > 0)
    assert answers == [True, True, False, True, False, True, True]


@modes
def test_new_orders_and_replaces_each_count_for_themselves_and_together_as_messages():
    desk = Stage(limits=limited("firm", {"new_orders": 1, "replaces": 1, "messages": 3}), tick=1)
    first = desk.buy(MID, 2)
    desk.accept(first)
    assert desk.buy(MID, 1) == -orders.TOO_MANY_ORDERS
    assert desk.change(first, MID - 1, 2) == 0
    desk.report(orders.REPLACED, first, price=MID - 1, quantity=2)
    assert desk.change(first, MID - 2, 2) == -orders.TOO_MANY_REPLACES
    desk.report(orders.CANCELED, first, other=orders.ASKED)
    assert desk.cancel(first) == -orders.NO_ORDER, "a cancel is never too fast"


@modes
def test_no_messages_at_all_where_the_limit_is_none():
    for name in ("messages", "new_orders", "paced_orders"):
        for level in LEVELS[1:]:
            desk = Stage(limits=limited(level, {name: 0}), tick=1)
            assert desk.buy(MID, 1) == -REASON[name]


@modes
def test_a_pace_first_set_during_a_session_counts_from_then_on():
    desk = Stage(limits=Limits(messages=100), tick=1)
    assert desk.buy(MID, 1) > 0 and desk.buy(MID, 1) > 0
    said = {"at": 0, "who": "ann", "why": "calmer", "role": "trader"}
    assert desk.told(hft.set_limit("firm", messages=2, **said)) == 0
    assert desk.buy(MID, 1) > 0 and desk.buy(MID, 1) > 0
    assert desk.buy(MID, 1) == -orders.TOO_FAST


@modes
def test_attempts_count_whether_they_leave_or_not():
    desk = Stage(limits=limited("strategy", {"message_rate": 4, "order_quantity_lots": 1}), tick=1)
    for _ in range(4):
        assert desk.buy(MID, 2) == -orders.ORDER_TOO_LARGE
    assert desk.buy(MID, 1) == -orders.REDUCING_ONLY
    assert desk.states() == {"strategy": ("reducing", REASONS[orders.MESSAGE_RATE])}
    assert desk.changes() == [("reducing", REASONS[orders.MESSAGE_RATE], 4, 5)]
    tries(desk, 2, "")
    assert desk.changes()[1] == ("halted", REASONS[orders.MESSAGE_RATE], 4, 7)
    assert desk.buy(MID, 1) == -orders.TRADING_HALTED


@modes
def test_a_breaker_counts_as_far_as_it_may_have_to_see():
    given = {"message_rate": 31, "halt_at_percent": 300, "open_orders": 0}
    desk = Stage(limits=limited("instrument", given), tick=1)
    tries(desk, 93, "")
    assert [one[0] for one in desk.changes()] == ["reducing"]
    tries(desk, 1, "")
    assert desk.changes()[-1] == ("halted", REASONS[orders.MESSAGE_RATE], 31, 94)


@modes
def test_what_is_told_of_a_window_leaves_out_what_is_as_old_as_it():
    desk = Stage(limits=limited("firm", {"message_rate": 2, "messages_window_ms": 1}), tick=1)
    tries(desk, 2, "")
    desk.wait(MS)
    tries(desk, 2, "")
    assert desk.changes() == []
    tries(desk, 1, "")
    assert desk.changes() == [("reducing", REASONS[orders.MESSAGE_RATE], 2, 3)]


@modes
def test_a_breaker_of_one_level_leaves_the_others_active_and_never_falls_by_itself():
    desk = Stage(limits=limited("firm", {"daily_loss_money": 20}), tick=1)
    loses(desk, 25, "firm")
    assert desk.states() == {"firm": ("reducing", REASONS[orders.LOSS])}
    desk.market(2 * MID - 1, 2 * MID + 1)
    assert desk.states() == {"firm": ("reducing", REASONS[orders.LOSS])}
    desk.market(MID - 101, MID - 99)
    assert desk.states() == {"firm": ("halted", REASONS[orders.LOSS])}


@modes
def test_loss_counts_fees_and_what_is_realised():
    desk = Stage(limits=limited("firm", {"daily_loss_money": 20}), tick=1)
    desk.market()
    desk.bought(MID, 1)
    desk.session.arena["positions"]["fees"][0] += 20
    desk.market(MID - 1, MID + 1, last=MID + 1)
    number = desk.sell(MID, 1)
    desk.accept(number)
    desk.fill(number, MID - 1, 1)
    assert desk.changes() == [("reducing", REASONS[orders.LOSS], 20, 21)]


@modes
def test_against_a_middle_of_nothing_no_slippage_is_counted():
    given = limited("firm", {"slippage_bps": 0}, rules={"any_price": "*"})
    desk = Stage(limits=given, tick=1)
    desk.market(bid=-1, ask=1, last=1)
    for _ in range(9):
        desk.bought(1, 1)
    assert desk.states() == {}


@modes
def test_the_average_cost_through_parts_and_turns():
    desk = Stage(limits=limited("firm", {"trade_loss_money": 20}), tick=1)

    def trades(side, price, quantity):
        number = desk.place(side, price, quantity)
        assert number > 0, desk.last_refusal()
        desk.accept(number)
        desk.fill(number, price, quantity)
        return desk.changes()

    trades(BUY, MID, 1)
    trades(BUY, MID + 20, 3)  # 15 above MID each
    trades(SELL, MID + 10, 2)  # loses 10
    assert trades(SELL, MID + 5, 1) == [], "loses 10 as well"
    assert trades(SELL, MID + 5, 3) == [], "loses 10, and goes short 2"
    assert trades(BUY, MID + 15, 2) == [], "loses 20 of the two"
    trades(SELL, MID, 2)
    trades(SELL, MID + 20, 2)
    assert trades(BUY, MID + 21, 3) == [("halted", REASONS[orders.TRADE_LOSS], 20, 33)]


@modes
def test_a_broken_trade_leaves_no_cost_behind():
    desk = Stage(limits=limited("firm", {"trade_loss_money": 20}), tick=1)
    number = desk.bought(MID, 1)
    match = 70_000 + desk.reports - 1
    desk.report(orders.BROKEN, number, other=match)
    assert desk.position()["quantity"] == 0
    desk.bought(2 * MID, 1)
    number = desk.sell(2 * MID, 1)
    desk.accept(number)
    desk.fill(number, 2 * MID, 1)
    assert desk.states() == {}


@modes
def test_what_is_not_limited_is_not_asked():
    desk = Stage(limits=Limits(open_orders=None), tick=1)
    desk.market()
    for n in range(10):
        assert desk.buy(5 * MID, 10**9 + n) > 0


def test_every_control_stands_in_a_test_here():
    stories = {one[0] for one in (*REFUSED, *BROKEN)}
    stories |= {"executions", "fill_rate_percent", "reject_rate_percent"}
    stories |= {"stale_ms", "clock_skew_ms", "duplicate_ms"}
    assert stories == set(NAMES)


# An instrument's own rules.


@modes
@pytest.mark.parametrize(
    ("rules", "side", "price", "quantity", "reason"),
    [
        ({"restricted": ["AAA"]}, BUY, MID, 1, orders.RESTRICTED),
        ({"restricted": "*"}, SELL, MID, 1, orders.RESTRICTED),
        ({"restricted": ["BBB"]}, BUY, MID, 1, 0),
        ({}, BUY, 0, 1, orders.PRICE_NOT_POSITIVE),
        ({}, SELL, -5, 1, orders.PRICE_NOT_POSITIVE),
        ({}, SELL, 1, 1, 0),
        ({"any_price": ["AAA"]}, SELL, -5, 1, 0),
        ({"no_short": ["AAA"]}, SELL, MID, 1, orders.NO_SHORT),
        ({"no_short": ["BBB"]}, SELL, MID, 1, 0),
        ({"no_short": ["AAA"]}, BUY, MID, 1, 0),
    ],
)
def test_lists_and_signs(rules, side, price, quantity, reason):
    desk = Stage("AAA", "BBB", limits=Limits(rules=rules), tick=1)
    answer = desk.place(side, price, quantity)
    assert answer == -reason if reason else answer > 0


@modes
def test_what_is_held_may_be_sold_and_no_more():
    desk = Stage(limits=Limits(rules={"no_short": ["AAA"]}), tick=1)
    desk.bought(MID, 3)
    first = desk.sell(MID, 2)
    assert first > 0
    assert desk.sell(MID, 2) == -orders.NO_SHORT
    assert desk.last_refusal() == (REASONS[orders.NO_SHORT], "instrument", 0, 1)
    assert desk.sell(MID, 1) > 0
    desk.accept(first)
    assert desk.change(first, MID, 3) == -orders.NO_SHORT
    assert desk.change(first, MID + 5, 2) == 0, "it asks for no more"


@modes
def test_a_sale_from_before_the_list_may_still_have_another_price():
    desk = Stage(limits=Limits(rules={"no_short": ["AAA"]}), tick=1)
    flags = desk.session.arena["rules"]["flags"]
    flags[0], kept = 0, int(flags[0])
    number = desk.sell(MID, 2)
    desk.accept(number)
    flags[0] = kept
    assert desk.change(number, MID, 3) == -orders.NO_SHORT
    assert desk.change(number, MID + 5, 2) == 0


@modes
@pytest.mark.parametrize(
    ("state", "leaves"),
    [
        (events.TRADING, True),
        (events.QUOTATION_ONLY, True),
        (events.HALTED, False),
        (events.PAUSED, False),
        (0, True),
    ],
)
def test_nothing_leaves_while_the_venue_has_stopped(state, leaves):
    desk = Stage(tick=1)
    desk.session.arena["markets"]["state"] = state
    answer = desk.buy(MID, 1)
    assert (answer > 0) is leaves
    if not leaves:
        assert answer == -orders.NOT_TRADING
        assert desk.last_refusal()[1:] == ("instrument", 0, state)


@modes
@pytest.mark.parametrize("how", ["pause", "allow"])
@pytest.mark.parametrize(
    ("field", "value", "reason", "seen"),
    [
        ("stale", 3, orders.STALE, 3),
        ("bid", MID + 1, orders.CROSSED, 2 * MID + 2),
        ("bid", MID + 2, orders.CROSSED, 2 * MID + 3),
        ("bid", MID, 0, 0),
    ],
)
def test_books_that_may_be_wrong(how, field, value, reason, seen):
    rules = {"stale_books": how, "crossed_books": how}
    desk = Stage(limits=Limits(rules=rules), tick=1)
    row = desk.session.arena["markets"][0]
    row["bid"], row["ask"] = MID - 1, MID + 1
    row[field] = value
    answer = desk.buy(MID, 1)
    if how == "allow" or not reason:
        assert answer > 0
    else:
        assert answer == -reason
        assert desk.last_refusal() == (REASONS[reason], "instrument", 0, seen)


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("order_value_money", 10**9),
        ("position_value_money", 0),
        ("gross_exposure_money", 0),
        ("net_exposure_money", 0),
        ("capital_money", 0),
    ],
)
def test_what_nobody_can_value_does_not_leave_where_money_is_limited(name, limit, level):
    desk = Stage(limits=limited(level, {name: 10**9}), tick=1)
    assert desk.buy(0, 1, kind=orders.MARKET) == -orders.NO_VALUE
    assert desk.last_refusal() == (REASONS[orders.NO_VALUE], level, limit, 0)
    assert desk.buy(5, 1) > 0, "a limit says what it may cost"
    desk.market()
    assert desk.buy(0, 1, kind=orders.MARKET) > 0
    free = Stage(limits=limited(level, {"position_lots": 5, "order_quantity_lots": 5}), tick=1)
    assert free.buy(0, 1, kind=orders.MARKET) > 0, "lots are lots at any price"


@modes
def test_a_spread_that_may_cost_nothing_is_valued_at_nothing():
    rules = {"any_price": ["AAA"]}
    desk = Stage(limits=limited("firm", {"gross_exposure_money": 10**9}, rules=rules), tick=1)
    assert desk.buy(0, 1, kind=orders.MARKET) > 0


@modes
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_is_worth_nothing_stands_on_the_side_on_which_it_is_asked_for(side):
    given = limited("firm", {"net_exposure_money": 5 * MID}, rules={"any_price": ["AAA"]})
    desk = Stage("AAA", "BBB", limits=given, tick=1)
    desk.market(instrument=1)
    number = getattr(desk, side)(MID, 5, instrument=1)
    desk.accept(number)
    desk.fill(number, MID, 5)
    desk.market(bid=-1, ask=1, last=0)
    told = {"at": "10:00", "who": "ann", "why": "careful", "role": "trader"}
    less = 4 * MID / MONEY_ONE
    assert desk.told(hft.set_limit("firm", net_exposure_money=less, **told)) == 0
    other = {"buy": "sell", "sell": "buy"}[side]
    assert getattr(desk, other)(0, 1) > 0, "on the other side nothing stands"
    assert getattr(desk, side)(0, 1) == -orders.NET_TOO_LARGE


@modes
@pytest.mark.parametrize("how", ["mid", "last", "static"])
def test_each_reference_of_a_collar(how):
    rules = {"collar_reference": how, "static_price": 3.0}
    desk = Stage(limits=limited("firm", {"collar_ticks": 5}, rules=rules), tick=1)
    if how != "static":
        assert desk.buy(50_000, 1) > 0, "nothing is known yet"
    desk.market(bid=MID - 1, ask=MID + 1, last=2 * MID)
    reference = {"mid": MID, "last": 2 * MID, "static": 3 * MID}[how]
    assert desk.buy(reference + 5, 1) > 0
    assert desk.buy(reference + 6, 1) == -orders.OUTSIDE_COLLAR
    assert desk.sell(reference - 5, 1) > 0
    assert desk.sell(reference - 6, 1) == -orders.OUTSIDE_COLLAR
    assert desk.buy(1, 1) > 0 and desk.sell(10 * MID, 1) > 0, "the cheap side is far as it likes"
    assert desk.buy(0, 1, kind=orders.MARKET) > 0, "it has no limit to compare"


@modes
def test_where_one_side_is_empty_the_mark_stands_for_the_middle():
    desk = Stage(limits=limited("firm", {"collar_ticks": 5}), tick=1)
    desk.market(bid=-(2**60), ask=MID + 1, last=MID)
    assert desk.buy(MID + 5, 1) > 0
    assert desk.buy(MID + 6, 1) == -orders.OUTSIDE_COLLAR


@modes
def test_a_collar_window_ends_and_the_next_begins_where_the_market_is():
    desk = Stage(limits=limited("firm", {"collar_window_bps": 10, "collar_window_ms": 5}), tick=1)
    desk.market()
    desk.market(2 * MID - 1, 2 * MID + 1, when=5 * MS - 1)
    assert desk.buy(MID + 10, 1) > 0
    assert desk.buy(MID + 11, 1) == -orders.MOVED_TOO_FAR
    assert desk.last_refusal() == (REASONS[orders.MOVED_TOO_FAR], "firm", 10, 11)
    desk.market(2 * MID - 1, 2 * MID + 1, when=1)
    assert desk.buy(2 * MID + 20, 1) > 0
    assert desk.buy(2 * MID + 21, 1) == -orders.MOVED_TOO_FAR


@modes
def test_prices_that_may_be_launched():
    desk = Stage(limits=Limits(launch={"price_low": 1.0, "price_high": 2.0}), tick=1)
    assert desk.buy(10_000, 1) > 0 and desk.sell(20_000, 1) > 0
    assert desk.buy(9_999, 1) == -orders.NOT_LAUNCHED
    assert desk.last_refusal() == (REASONS[orders.NOT_LAUNCHED], "instrument", 10_000, 9_999)
    assert desk.sell(20_001, 1) == -orders.NOT_LAUNCHED
    assert desk.last_refusal() == (REASONS[orders.NOT_LAUNCHED], "instrument", 20_000, 20_001)


# REDUCING and HALTED.


def forced(desk, level, state):
    desk.scope(level)["state"] = state


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
def test_reducing_lets_out_what_brings_the_position_nearer_to_nothing(level):
    desk = Stage(tick=1)
    desk.bought(MID, 10)
    forced(desk, level, REDUCING)
    assert desk.buy(MID, 1) == -orders.REDUCING_ONLY
    assert desk.last_refusal() == (REASONS[orders.REDUCING_ONLY], level, 0, 11)
    first = desk.sell(MID, 6)
    assert first > 0
    assert desk.sell(MID, 5) == -orders.REDUCING_ONLY, "it would go beyond nothing"
    assert desk.last_refusal()[3] == 1
    desk.accept(first)
    assert desk.change(first, MID + 1, 11) == -orders.REDUCING_ONLY
    assert desk.change(first, MID + 1, 10) == 0
    desk.report(orders.REPLACED, first, price=MID + 1, quantity=10)
    assert desk.change(first, MID + 1, 4) == 0, "less is always calmer"


@modes
@pytest.mark.parametrize("level", LEVELS[1:])
def test_halted_lets_out_cancels_only(level):
    desk = Stage(tick=1)
    desk.bought(MID, 10)
    first = desk.sell(MID, 5)
    desk.accept(first)
    desk.sent()
    forced(desk, level, HALTED)
    for answer in (desk.buy(MID, 1), desk.sell(MID, 1), desk.change(first, MID, 1)):
        assert answer == -orders.TRADING_HALTED
        assert desk.last_refusal() == (REASONS[orders.TRADING_HALTED], level, 0, 0)
    assert desk.cancel(first) == 0
    assert [one[0] for one in desk.sent()] == ["cancel"]


@modes
def test_risk_beyond_its_limit_lets_out_what_reduces():
    desk = Stage(limits=limited("firm", {"value_at_risk_money": 10}), tick=1)
    desk.bought(MID, 5)
    desk.tell_risk("firm", 0, 11)
    assert desk.sell(MID, 5) > 0
    assert desk.sell(MID, 1) == -orders.RISK_TOO_LARGE
    assert desk.buy(MID, 1) == -orders.RISK_TOO_LARGE


@modes
def test_what_is_too_large_already_may_still_be_made_smaller():
    given = dict.fromkeys(("position_value_money", "gross_exposure_money"), 20)
    given |= dict.fromkeys(("net_exposure_money", "capital_money"), 20) | {"position_lots": 20}
    desk = Stage(limits=limited("firm", given), tick=1)
    worth_one(desk)
    desk.bought(1, 20)
    desk.session.arena["markets"]["last"] = 3
    watched(desk.base, 0)
    assert desk.sell(3, 20) > 0
    assert desk.buy(3, 1) < 0


@modes
def test_what_asks_for_no_more_may_still_have_another_price():
    given = dict.fromkeys(("position_value_money", "gross_exposure_money"), 20)
    given |= dict.fromkeys(("net_exposure_money", "capital_money"), 20) | {"position_lots": 20}
    desk = Stage(limits=limited("firm", given), tick=1)
    worth_one(desk)
    number = desk.buy(1, 20)
    desk.accept(number)
    scope = desk.scope("firm")
    scope["limits"][NAMES.index("position_lots")] = 5
    desk.session.arena["markets"]["last"] = 3
    watched(desk.base, 0)
    assert desk.change(number, 2, 20) == 0


@modes
def test_a_replace_is_no_duplicate_of_the_order_it_replaces():
    desk = Stage(limits=limited("firm", {"duplicate_ms": 10}), tick=1)
    first, second = desk.buy(MID, 5), desk.buy(MID + 1, 5)
    for number in (first, second):
        desk.accept(number)
    assert desk.change(first, MID + 1, 5) == 0
    desk.report(orders.REPLACED, first, price=MID + 1, quantity=5)
    assert desk.buy(MID + 2, 5) > 0
    assert desk.change(first, MID + 2, 5) == 0


@modes
def test_the_money_of_another_currency_and_of_a_contract():
    table = Instruments()
    table.add("AAA", venue="XNAS", price_unit="0.01", lot_unit=10)
    table.add("FFF", venue="XCME", currency="EUR", price_unit="0.25")
    table.table["multiplier"][1] = 50 * 10**6
    room = RiskRoom(table, ["one"], Limits(currency="USD", rates={"EUR": 1.25}))
    worth = [room._factor(one) / MONEY_ONE for one in table]
    assert worth == [0.01 * 10, 0.25 * 50 * 1.25]
