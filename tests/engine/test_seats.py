"""Several strategies in one session: whose order is whose, and what binds them all together."""

import random

import numpy as np
import pytest

import hftlib as hft
from hftlib.core import events, orders
from hftlib.core.errors import InputError
from hftlib.core.numbers import EACH, SLOTS_MAX, STRATEGIES_MAX
from hftlib.core.orders import REASONS
from hftlib.engine import path
from hftlib.engine.enforcing import guard
from hftlib.engine.own_orders import make_way
from hftlib.engine.seats import seat_of, soonest
from hftlib.risk.limits import SELF_MATCH, Limits
from tests.engine.desk import Quiet
from tests.engine.market_step import market_step
from tests.risk.stage import MID, MS, Stage

pytestmark = pytest.mark.modes
ALL_CALLBACKS = (1 << 8) - 1
MODES = SELF_MATCH[1:]


def stages(*names, handles=0, **given):
    """A stage for each strategy of one session."""
    strategies = {name: Quiet(handles=handles) for name in names}
    first = Stage(strategy=strategies, tick=1, **given)
    return [first, *(first.beside(n) for n in range(1, len(names)))]


def cancelled(*desks):
    """What each was made to cancel, and all it has sent is taken away."""
    return [sorted(row[1] for row in desk.sent() if row[0] == "cancel") for desk in desks]


def two_in_one(**limits):
    members = {"strategies": ["A", "B"], **limits}
    return Limits(portfolio={"pair": members, "rest": {"strategies": ["C"]}}, open_orders=None)


def said(make, scope, **more):
    about = {"at": 0, "who": "ann", "why": "odd fills"} | more
    return make(scope, **about)


# Whose is whose.


def test_a_number_alone_says_whose_order_it_is():
    first, second, third = stages("A", "B", "C")
    numbers = [desk.buy(MID - 9, 1) for desk in (first, second, third, first, third)]
    assert numbers == [1, EACH + 1, 2 * EACH + 1, 2, 2 * EACH + 2]
    owners = [first, second, third, first, third]
    for number, owner in zip(numbers, owners, strict=True):
        assert seat_of(third.base, number) == owner.base
        assert owner.order(number)["strategy"] == owner.seat.number


@pytest.mark.parametrize("number", [0, -1, 3 * EACH + 1, 2**61, 2**62])
def test_a_report_that_is_nobodys_is_counted_by_the_first(number):
    first, second, _ = stages("A", "B", "C")
    second.accept(number)
    assert first.counts() == {"impossible": 1} and second.counts() == {}


def test_a_report_changes_the_order_that_it_names_and_nobody_elses():
    first, second = stages("A", "B")
    ours, theirs = first.buy(MID - 9, 5), second.buy(MID - 9, 7)
    first.accept(theirs)  # through whichever desk it comes
    first.fill(theirs, MID - 9, 7)
    assert first.order(ours)["state"] == orders.PENDING_NEW
    assert (first.position()["quantity"], second.position()["quantity"]) == (0, 7)
    assert first.position()["fills"] == 0 and second.position()["fills"] == 1
    assert len({int(desk.seat["context"]["time"][0]) for desk in (first, second)}) == 1


def test_each_counts_in_a_range_of_its_own_however_often_its_slots_are_used():
    first, second = stages("A", "B", orders_max=4)
    seen = []
    for _ in range(40):
        for desk in (first, second):
            number = desk.buy(MID - 9, 1)
            desk.report(orders.REJECTED, number, other=orders.HALTED)
            desk.sent()
            seen.append(number)
    assert len(set(seen)) == len(seen)
    assert {one // EACH for one in seen} == {0, 1}


def test_timers_ring_by_time_and_then_in_the_strategies_order():
    desks = stages("A", "B", "C", handles=ALL_CALLBACKS)
    for desk, due in zip(desks, (5_000, 3_000, 3_000), strict=True):
        session = desk.seat["session"][0]
        session["timers"]["due"][0], session["timers_used"], session["next_timer"] = due, 1, due
    rung = []
    for _ in desks:
        before = [int(desk.seat["session"]["callbacks"][0][5]) for desk in desks]
        time = int(soonest(desks[0].base))
        path.timer(desks[0].base)
        after = [int(desk.seat["session"]["callbacks"][0][5]) for desk in desks]
        rung.append((time, (np.array(after) - before).tolist().index(1)))
    assert rung == [(3_000, 1), (3_000, 2), (5_000, 0)]


def test_a_cut_is_known_of_everybodys_orders():
    desks = stages("A", "B")
    numbers = [desk.buy(MID - 9, 1) for desk in desks]
    desks[1].report(orders.DISCONNECTED, 0, instrument=events.ALL)
    for desk, number in zip(desks, numbers, strict=True):
        assert desk.order(number)["state"] == orders.UNKNOWN


@pytest.mark.parametrize(
    "count, orders_max, what",
    [
        (0, 16, "0 strategies are too few"),
        (STRATEGIES_MAX + 1, 16, "33 strategies are too many"),
        (2, 2 * SLOTS_MAX, "8,192 open orders of each strategy are too many"),
    ],
)
def test_what_finds_no_room_is_refused(count, orders_max, what):
    with pytest.raises(InputError, match=what):
        stages(*(f"S{n}" for n in range(count)), orders_max=orders_max)


# Limits that several reach together.


@pytest.mark.parametrize("level", ["firm", "portfolio"])
def test_a_position_limit_is_reached_together(level):
    given = {"position_lots": 100}
    limits = two_in_one(**given) if level == "portfolio" else Limits(firm=given, open_orders=None)
    first, second, third = stages("A", "B", "C", limits=limits)
    assert first.buy(MID - 9, 60) > 0
    assert second.buy(MID - 9, 41) == -orders.POSITION_TOO_LARGE
    assert second.last_refusal() == (REASONS[orders.POSITION_TOO_LARGE], level, 100, 101)
    assert second.buy(MID - 9, 40) > 0
    assert (third.buy(MID - 9, 1) > 0) is (level == "portfolio")
    # What one sells frees nothing before it is sold: buys of the others may fill first.
    assert second.sell(MID + 9, 100) > 0
    assert first.buy(MID - 8, 1) == -orders.POSITION_TOO_LARGE


def test_gross_exposure_is_that_of_all_together():
    limits = two_in_one(gross_exposure_money=2)  # two lots at MID
    first, second, third = stages("A", "B", "C", limits=limits)
    for desk in (first, second, third):
        desk.market()
    assert first.buy(MID, 1) > 0
    assert second.sell(MID + 9, 1) > 0, "of one instrument a sale and a purchase do not add"
    assert second.buy(MID, 1) > 0
    assert second.buy(MID, 1) == -orders.GROSS_TOO_LARGE
    assert third.buy(MID, 1) > 0


def test_a_loss_made_together_reduces_both():
    limits = two_in_one(daily_loss_money=0.0020, halt_at_percent=300)
    first, second, third = stages("A", "B", "C", limits=limits)
    first.market()
    for desk in (first, second, third):
        desk.bought(MID, 1)
    opened = [desk.buy(MID - 50, 1) for desk in (first, second, third)]
    for desk in (first, second, third):
        desk.sent()
    first.market(MID - 11, MID - 9)  # ten each: as much as is allowed
    assert first.states() == {}
    first.market(MID - 12, MID - 10)
    assert first.states() == {"portfolio": ("reducing", REASONS[orders.LOSS])}
    assert cancelled(first, second, third) == [[opened[0]], [opened[1]], []]
    assert second.buy(MID - 50, 1) == -orders.REDUCING_ONLY
    assert third.buy(MID - 50, 1) > 0


def test_messages_of_all_count_for_the_firm():
    limits = Limits(firm={"messages": 4, "messages_window_ms": 1_000}, open_orders=None)
    desks = stages("A", "B", limits=limits)
    sent = [desks[n % 2].buy(MID - 9 - n, 1) for n in range(6)]
    assert [one > 0 for one in sent] == [True] * 4 + [False] * 2


# States.


@pytest.mark.parametrize(
    "scope, hit", [("firm", "ABC"), ("portfolio:pair", "AB"), ("strategy:B", "B")]
)
@pytest.mark.parametrize("state", ["halt", "reduce"])
def test_a_state_binds_every_strategy_below_it_and_nobody_else(scope, hit, state):
    desks = stages("A", "B", "C", limits=two_in_one())
    opened = [[desk.buy(MID - 9, 1), desk.buy(MID - 8, 2)] for desk in desks]
    for desk in desks:
        desk.sent()
    assert desks[2].told(said(getattr(hft, state), scope)) == 0
    expected = [numbers if name in hit else [] for name, numbers in zip("ABC", opened, strict=True)]
    assert cancelled(*desks) == expected
    for name, desk in zip("ABC", desks, strict=True):
        assert (desk.buy(MID - 7, 1) > 0) is (name not in hit)
        worst = {"halt": 2, "reduce": 1}[state] if name in hit else 0
        assert desk.seat["context"]["trading_state"][0] == worst


def test_one_reduces_while_the_other_goes_on():
    first, second = stages("A", "B")
    first.bought(MID, 5)
    first.told(said(hft.reduce, "strategy:A"))
    assert first.buy(MID, 1) == -orders.REDUCING_ONLY
    assert first.sell(MID + 9, 5) > 0
    assert first.sell(MID + 9, 1) == -orders.REDUCING_ONLY
    assert second.buy(MID - 9, 1) > 0 and second.sell(MID + 9, 1) > 0


def test_a_scope_that_reduces_counts_what_all_below_it_hold():
    """One is long, the other short as much: the portfolio holds nothing that could be reduced."""
    first, second, _ = stages("A", "B", "C", limits=two_in_one())
    first.bought(MID, 5)
    number = second.sell(MID, 3)
    second.accept(number)
    second.fill(number, MID, 3)
    first.told(said(hft.reduce, "portfolio:pair"))
    assert first.sell(MID + 9, 3) == -orders.REDUCING_ONLY, "it would be one short"
    assert second.sell(MID + 9, 2) > 0, "the portfolio is two long, whoever sells them"
    assert first.sell(MID + 9, 1) == -orders.REDUCING_ONLY


def test_what_waits_of_others_is_refused_when_all_are_halted():
    limits = Limits(firm={"paced_orders": 1}, rules={"too_fast": "hold"})
    first, second = stages("A", "B", limits=limits, handles=ALL_CALLBACKS)
    assert first.buy(MID - 9, 1) > 0
    waits = second.buy(MID - 9, 1)
    assert second.order(waits)["state"] == orders.HELD
    first.told(said(hft.halt, "firm"))
    assert second.order(waits)["state"] == orders.WAS_REFUSED
    assert second.refused() == {}, "it was an order, and ended"
    assert second.seat["session"]["callbacks"][0][3] == 1, "and it is told"
    assert second.last_refusal()[0] == REASONS[orders.TRADING_HALTED]


def test_each_has_its_own_view_of_how_old_data_may_be():
    limits = Limits(strategy={"A": {"stale_ms": 10}, "B": {"stale_ms": 1_000}})
    first, second = stages("A", "B", limits=limits)
    first.market()
    number, other = first.buy(MID - 9, 1), second.buy(MID - 9, 1)
    first.sent(), second.sent()
    first.wait(11 * MS)
    guard(first.base, first.time)
    assert cancelled(first, second) == [[number], []]
    assert first.buy(MID - 9, 1) == -orders.STALE
    assert second.buy(MID - 9, 1) > 0
    first.wait(1_000 * MS)
    guard(first.base, first.time)
    assert other in cancelled(second)[0]
    first.market()
    assert first.buy(MID - 8, 1) > 0 and second.buy(MID - 8, 1) > 0


def test_nobodys_old_view_of_the_market_becomes_everybodys():
    """One is shown nothing until it is called; its quote is moved by an answer, without a call."""
    first, second = stages("A", "B")
    for desk in (first, second):
        desk.seat["session"]["eager"] = 1
    orders_of_others = iter(range(1, 9))

    def market(bid, ask):
        for side, price in ((events.BUY, bid), (events.SELL, ask)):
            made = np.zeros(1, events.EVENT)
            made["kind"], made["side"], made["price"] = events.ADD, side, price
            made["reference"], made["quantity"] = next(orders_of_others), 10
            made["time"] = first.time
            market_step(first.base, made.ctypes.data, first.time)

    market(9_990, 10_090)
    first.quote(9_980, 10_100, 5)
    (bid, _), first.seat["session"]["eager"] = [row[1] for row in first.sent()], 0
    first.quote(9_970, 10_100, 5)  # remembered until the first price is acknowledged
    market(10_000, 10_080)
    assert second.buy(9_900, 1) > 0
    rule = first.session.arena["rules"][0]
    assert rule["middle"] == 20_080
    first.accept(bid)
    assert [row[:2] for row in first.sent()] == [("replace", bid)]
    assert rule["middle"] == 20_080
    assert first.seat["markets"]["bid"][0] == 10_000


def test_a_limit_set_on_the_way_is_watched_for_everybody():
    desks = stages("A", "B")
    desks[0].market()
    desks[1].bought(MID, 1)
    told = said(hft.set_limit, "firm", daily_loss_money=0.0020)
    assert desks[1].told(told) == 0
    for desk in desks:
        session = desk.seat["session"][0]
        assert (session["watching"], session["eager"]) == (1, 1)
    desks[0].market(MID - 22, MID - 20)
    assert desks[0].states() == {"firm": ("reducing", REASONS[orders.LOSS])}


# Orders that would meet another strategy's.


def meeting(mode, seller=0, buyer=1):
    desks = stages(
        "A", "B", limits=Limits(rules={"self_match": mode, "crossed_books": "allow"}), orders_max=64
    )
    number = desks[seller].sell(10_000, 50)
    desks[seller].accept(number)
    desks[seller].sent()
    return desks[seller], desks[buyer], number


def what(desk):
    return [(row[0], row[1], row[4]) for row in desk.sent()]


ORDERS_OF = pytest.mark.parametrize("seller, buyer", [(0, 1), (1, 0)])


@ORDERS_OF
def test_the_newest_is_refused(seller, buyer):
    seller, buyer, _ = meeting("cancel_newest", seller, buyer)
    assert buyer.buy(10_000, 20) == -orders.OWN_ORDER
    assert what(seller) == what(buyer) == []


@ORDERS_OF
def test_the_oldest_leaves_in_the_newest_ones_line_and_before_it(seller, buyer):
    seller, buyer, old = meeting("cancel_oldest", seller, buyer)
    new = buyer.buy(10_000, 20)
    assert [row[:2] for row in what(buyer)] == [("cancel", old), ("new", new)]
    assert what(seller) == []
    assert seller.order(old)["pending"] == orders.CANCEL_PENDING


@ORDERS_OF
def test_both_go(seller, buyer):
    seller, buyer, old = meeting("cancel_both", seller, buyer)
    assert buyer.buy(10_000, 20) == -orders.OWN_ORDER
    assert [row[:2] for row in what(buyer)] == [("cancel", old)]


@ORDERS_OF
def test_both_are_made_smaller(seller, buyer):
    one, other, old = meeting("decrement", seller, buyer)
    new = other.buy(10_000, 70)
    assert what(other) == [("cancel", old, 50), ("new", new, 20)]
    one, other, old = meeting("decrement", seller, buyer)
    assert other.buy(10_000, 20) == -orders.OWN_ORDER
    assert what(other) == [("replace", old, 30)]
    assert one.position()["open_sell"] == 50, "until the venue says so"


def test_lots_are_taken_off_one_strategy_after_the_other():
    desks = stages("A", "B", "C", limits=Limits(rules={"self_match": "decrement"}), orders_max=64)
    for desk in desks[:2]:
        desk.accept(desk.sell(10_000, 50))
        desk.sent()
    new = desks[2].buy(10_000, 120)
    assert what(desks[2]) == [("cancel", 1, 50), ("cancel", EACH + 1, 50), ("new", new, 20)]


def test_without_room_for_a_cancel_the_new_one_stays_here():
    seller, buyer, old = meeting("cancel_oldest")
    buyer.seat["execution"]["commands"] = buyer.seat["execution"]["commands_max"][0] - 1
    assert buyer.buy(10_000, 20) == -orders.TOO_MANY_AT_ONCE
    assert buyer.sent()[-1][:2] == ("cancel", old) and what(seller) == []
    seller, buyer, old = meeting("cancel_oldest")
    full = int(seller.seat["execution"]["commands_max"][0])
    seller.seat["execution"]["commands"] = full
    assert buyer.buy(10_000, 20) == -orders.OWN_ORDER
    assert int(seller.seat["execution"]["commands"][0]) == full and what(buyer) == []
    assert seller.order(old)["pending"] == 0


def test_what_finds_no_room_in_the_other_line_stays_where_it_was():
    desks = stages("A", "B", limits=Limits(rules={"self_match": "cancel_oldest"}), orders_max=64)
    numbers = [desks[0].sell(10_000 + n, 1) for n in range(3)]
    desks[0].sent()
    desks[1].seat["execution"]["commands"] = desks[1].seat["execution"]["commands_max"][0] - 1
    assert make_way(desks[1].base, 0, events.BUY, 10_005, 1, 0)
    assert desks[1].sent()[-1][:2] == ("cancel", numbers[2])
    assert [row[:2] for row in desks[0].sent()] == [("cancel", n) for n in numbers[1::-1]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_no_two_of_all_ever_stand_where_they_would_meet(mode, seed):
    """By what was sent, in the order in which it leaves: one strategy's line after another's."""
    chance = random.Random(seed)
    limits = Limits(rules={"self_match": mode}, open_orders=None)
    desks = stages("A", "B", "C", limits=limits, orders_max=256)
    refused = sent = across = 0
    for _ in range(150):
        desk = chance.choice(desks)
        side = chance.choice((events.BUY, events.SELL))
        number = desk.place(side, 10_000 + chance.randint(-4, 4), chance.randint(1, 60))
        refused += number == -orders.OWN_ORDER
        sent += number > 0
        lines = [one.sent() for one in desks]
        assert all(not line for line, one in zip(lines, desks, strict=True) if one is not desk)
        across += any(row[1] // EACH != desk.seat.number for row in lines[desk.seat.number])
        if number > 0 and chance.random() < 0.7:
            desk.accept(number)
        tables = np.concatenate([one.seat["own_orders"] for one in desks])
        live = tables[(tables["state"] != orders.FREE) & (tables["state"] < orders.OVER)]
        live = live[live["pending"] & orders.CANCEL_PENDING == 0]
        bids = live[live["side"] == events.BUY]["price"]
        asks = live[live["side"] == events.SELL]["price"]
        assert bids.max(initial=-1) < asks.min(initial=10**9)
        for one in live:
            if chance.random() < 0.05:
                left = int(one["quantity"] - one["filled"])
                desks[int(one["strategy"])].fill(int(one["id"]), int(one["price"]), left)
    assert sent > 20 and (refused > 5 or mode == "cancel_oldest")
    assert across > 5 or mode == "cancel_newest"
