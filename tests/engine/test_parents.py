"""Parent orders as stories: what goes out, when, at which price; and what never goes out."""

import itertools

import pytest

from hftlib.core import orders, parents
from hftlib.core.events import BUY, HALTED, SELL, STATUS, TRADING
from hftlib.core.parents import FINISH, SHOWN_BY_VENUE
from hftlib.engine import path, services
from hftlib.risk.authority import PROCESS, ROLES
from hftlib.risk.limits import Limits
from hftlib.risk.people import Directive, go_on, halt
from hftlib.risk.recovering import HOLD
from tests.engine.parent_desk import SECOND, ParentDesk

pytestmark = pytest.mark.modes


@pytest.fixture
def desk():
    return ParentDesk()


def news(desk):
    return [row[1:] for row in desk.sent() if row[0] == "new"]


# TWAP: slices, patience, the end.


def test_a_twap_posts_a_slice_at_a_time_and_is_done_at_its_end(desk):
    start = desk.time
    number = desk.begin(1_000, seconds=10.0, slices=4, patience=100.0)
    desk.act()
    for n in range(4):
        desk.until(start + n * 2_500_000_000)
        ((order, side, price, quantity),) = news(desk)
        assert (side, price, quantity) == (BUY, 10_000, 250)
        desk.accept(order)
        desk.fill(order, 10_000, 250)
        assert desk.parent(number)["filled"] == 250 * (n + 1)
    assert desk.state(number) == "done"
    assert not desk.alarms and desk.parent(number)["value"] == 1_000 * 10_000


def test_what_a_slice_left_is_taken_after_its_patience(desk):
    number = desk.begin(1_000, seconds=10.0, slices=4, patience=1.0)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    desk.until(desk.time + SECOND)
    assert desk.sent() == [("replace", order, BUY, 10_100, 250)]
    desk.report(orders.REPLACED, order, price=10_100, quantity=250)
    desk.fill(order, 10_100, 250, taker=True)
    desk.until(desk.time + 2 * SECOND)
    assert [row[2] for row in news(desk)] == [10_000], "the next slice is posted again"
    assert desk.parent(number)["behind"] != parents.FOREVER


def test_a_child_that_waits_keeps_its_place_and_the_next_slice_stands_beside_it(desk):
    desk.begin(1_000, seconds=10.0, slices=4, patience=100.0)
    desk.act()
    ((first, *_),) = news(desk)
    desk.accept(first)
    desk.until(desk.time + 3 * SECOND)
    assert [row[0] for row in desk.sent()] == ["new"]


def test_children_move_with_the_market_but_not_too_often(desk):
    desk.begin(1_000, seconds=10.0, slices=1, patience=100.0, gap=0.5)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    desk.show(10_100, 10_200)
    assert desk.sent() == [("replace", order, BUY, 10_100, 1_000)]
    desk.report(orders.REPLACED, order, price=10_100, quantity=1_000)
    desk.show(10_200, 10_300)
    desk.show(10_300, 10_400)
    assert desk.sent() == []
    desk.until(desk.time + SECOND // 2)
    assert desk.sent() == [("replace", order, BUY, 10_300, 1_000)]


def test_no_child_goes_beyond_the_limit(desk):
    desk.begin(1_000, side=SELL, seconds=4.0, slices=2, patience=1.0, limit=10_050.0)
    desk.act()
    ((order, side, price, _),) = news(desk)
    assert (side, price) == (SELL, 10_100)
    desk.accept(order)
    desk.until(desk.time + SECOND)
    assert desk.sent() == [], "10,050 lies between two ticks, and a seller asks for more: 10,100"
    desk.show(10_100, 10_200)
    assert desk.sent() == [], "it stands where it may trade"


def test_at_its_end_an_unfinished_parent_is_over_and_takes_its_children_back(desk):
    number = desk.begin(1_000, seconds=10.0, slices=1, patience=100.0)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    desk.until(desk.time + 10 * SECOND)
    assert desk.sent() == [("cancel", order, BUY, 10_000, 1_000)]
    assert desk.state(number) == "ending", "it may still be filled"
    desk.fill(order, 10_000, 100)
    desk.ended(order)
    assert desk.state(number) == "done" and desk.parent(number)["filled"] == 100


def test_one_that_must_finish_takes_all_that_is_left_before_its_end(desk):
    number = desk.begin(1_000, seconds=10.0, slices=2, patience=3.0, flags=FINISH)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    desk.fill(order, 10_000, 400)
    desk.until(desk.time + 7 * SECOND)
    sent = desk.sent()
    assert ("replace", order, BUY, 10_100, 500) in sent
    # The second slice was posted and has no answer yet; what it asks for is all that is left.
    assert [row[4] for row in sent if row[0] == "new"] == [500]
    assert desk.state(number) == "running"


def test_jitter_delays_slices_within_their_own_time():
    times = []
    for seed in (1, 2):
        desk = ParentDesk()
        start = desk.time
        desk.begin(400, seconds=4.0, slices=4, jitter=0.9, seed=seed, patience=100.0)
        while len(times) < 4 * seed:
            desk.wake()
            for order, *_ in news(desk):
                desk.accept(order)
                times.append(desk.time - start)
    for one in (times[:4], times[4:]):
        assert all(n * SECOND <= t < n * SECOND + 0.9 * SECOND for n, t in enumerate(one))
    assert times[:4] != times[4:]


# The other algorithms.


def test_pov_is_a_share_of_what_others_print(desk):
    number = desk.begin(1_000, algo=parents.POV, rate=0.2, patience=100.0, clip=50)
    desk.act()
    desk.trade(10_000, 150)
    assert desk.sent() == [], "37 lots are less than a clip"
    desk.trade(10_000, 850)
    ((order, _, price, quantity),) = news(desk)
    assert (price, quantity) == (10_000, 250), "250 of 1,250 are a fifth"
    desk.accept(order)
    desk.fill(order, 10_000, 250)
    desk.trade(10_000, 10_000)
    ((order, _, _, quantity),) = news(desk)
    assert quantity == 750, "no more than the parent"
    desk.accept(order)
    desk.fill(order, 10_000, 750)
    assert desk.state(number) == "done"


def test_an_iceberg_shows_a_part_at_a_time(desk):
    number = desk.begin(250, algo=parents.ICEBERG, limit=10_000.0, display=100)
    desk.act()
    for quantity in (100, 100, 50):
        ((order, _, price, sent),) = news(desk)
        assert (price, sent) == (10_000, quantity)
        desk.accept(order)
        desk.fill(order, 10_000, quantity - 10)
        assert desk.sent() == [], "some of it still shows"
        desk.fill(order, 10_000, 10)
    assert desk.state(number) == "done" and desk.sent() == []


def test_an_iceberg_of_the_venues_is_one_order(desk):
    desk.begin(250, algo=parents.ICEBERG, limit=10_000.0, display=100, flags=SHOWN_BY_VENUE)
    desk.act()
    ((order, _, _, quantity),) = news(desk)
    assert quantity == 250 and desk.order(order)["display"] == 100


@pytest.mark.parametrize(
    ("peg", "offset", "price"),
    [
        (parents.PRIMARY, 0, 10_000),
        (parents.PRIMARY, -2, 9_800),
        (parents.PRIMARY, 1, 10_100),
        (parents.PRIMARY, 9, 10_300),  # one tick before the ask: it never takes
        (parents.MID, 0, 10_200),
        (parents.MID, 1, 10_300),
        (parents.OPPOSITE, 0, 10_400),
        (parents.OPPOSITE, -3, 10_100),
    ],
)
def test_a_peg_stands_where_it_is_said(peg, offset, price):
    desk = ParentDesk(bid=10_000, ask=10_400)
    desk.begin(100, algo=parents.PEG, peg=peg, offset=offset)
    desk.act()
    ((_, _, sent, quantity),) = news(desk)
    assert (sent, quantity) == (price, 100)


def test_implementation_shortfall_begins_with_more():
    desk = ParentDesk()
    desk.begin(1_000, algo=parents.IS, seconds=10.0, slices=5, urgency=3.0, patience=100.0, clip=1)
    start, sizes = desk.time, []
    for n in range(5):
        desk.until(start + 2 * n * SECOND)
        ((order, _, _, quantity),) = news(desk)
        sizes.append(quantity)
        desk.accept(order)
        desk.fill(order, 10_000, quantity)
    assert sum(sizes) == 1_000
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 2 * 200


# The gate.


def test_the_gate_refuses_what_goes_beyond_the_parent_and_halts_it(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 60)
    assert first > 0
    desk.accept(first)
    assert desk.child(number, 10_000, 41) == -orders.ABOVE_PARENT
    desk.act()
    assert [row[:2] for row in desk.sent()] == [("new", first), ("cancel", first)]
    assert desk.state(number) == "halted"
    assert desk.parent(number)["reason"] == orders.ABOVE_PARENT
    assert desk.child(number, 10_000, 1) == -orders.NOT_RUNNING
    assert desk.steer(number, parents.RESUME_PARENT) == -orders.NOT_RUNNING, "it is for good"
    desk.ended(first)
    assert desk.state(number) == "halted" and desk.parent(number)["done"] > 0
    assert desk.refused() == {
        orders.REASONS[orders.ABOVE_PARENT]: 1,
        orders.REASONS[orders.NOT_RUNNING]: 1,
    }


def test_a_replace_passes_the_same_gate(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 60)
    desk.accept(first)
    assert desk.change(first, 10_000, 100) == 0
    assert desk.child(number, 10_000, 1) == -orders.ABOVE_PARENT, "the replace may come about"
    assert desk.state(number) == "halted"


def test_a_replace_beyond_the_parent_is_refused_and_halts_it(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 60)
    desk.accept(first)
    desk.sent()
    assert desk.change(first, 10_000, 101) == -orders.ABOVE_PARENT
    desk.act()
    assert desk.sent() == [("cancel", first, BUY, 10_000, 60)]
    assert desk.state(number) == "halted"


def test_a_child_of_which_nothing_is_heard_counts_to_the_end(desk):
    number = desk.begin(100, algo=parents.MANUAL, seconds=5.0)
    assert desk.child(number, 10_000, 60) > 0  # and never a word of it
    desk.until(desk.time + 3 * SECOND)
    assert ("cancel", 1) in [row[:2] for row in desk.sent()], "silence is asked to end"
    assert desk.child(number, 10_000, 50) == -orders.ABOVE_PARENT
    desk.until(desk.time + 60 * SECOND)
    assert desk.state(number) == "halted" and desk.parent(number)["done"] == 0


def test_where_an_end_does_not_add_up_what_is_missing_counts_until_it_is_heard_of(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 60)
    desk.accept(first)
    desk.report(orders.CANCELED, first, other=orders.ASKED, quantity=40)  # so 20 were filled
    assert desk.parent(number)["unknown"] == 20
    second = desk.child(number, 10_000, 80)
    assert second > 0
    desk.fill(first, 10_000, 20)
    row = desk.parent(number)
    assert (row["filled"], row["unknown"]) == (20, 0)
    desk.accept(second)
    desk.fill(second, 10_000, 80)
    assert desk.state(number) == "running" or desk.parent(number)["filled"] == 100
    assert desk.child(number, 10_000, 1) < 0


def test_a_replace_that_leaves_less_than_it_asked_for_tells_of_a_lost_fill(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 60)
    desk.accept(first)
    assert desk.change(first, 10_100, 60) == 0
    desk.report(orders.REPLACED, first, price=10_100, quantity=40)
    # Twenty of sixty were filled or are on their way: nobody said, so all sixty count.
    assert desk.child(number, 10_000, 41) == -orders.ABOVE_PARENT


def test_a_late_fill_counts_though_the_child_is_over(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 60)
    desk.accept(first)
    desk.ended(first)
    desk.fill(first, 10_000, 60)  # the venue contradicts itself, but the money has moved
    assert desk.parent(number)["filled"] == 60
    assert desk.child(number, 10_000, 41) == -orders.ABOVE_PARENT


def test_a_fill_beyond_the_quantity_halts(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 100)
    desk.accept(first)
    desk.fill(first, 10_000, 70)
    desk.fill(first, 10_000, 70)
    assert desk.state(number) == "halted"


def test_an_order_of_an_earlier_parent_counts_for_no_later_one():
    desk = ParentDesk()
    first = desk.begin(100, algo=parents.MANUAL)
    old = desk.child(first, 10_000, 100)
    desk.accept(old)
    desk.ended(old)
    desk.steer(first, parents.STOP_PARENT)
    for _ in range(63):  # its slot comes round again
        last = desk.begin(100, algo=parents.MANUAL)
        assert last > 0
        desk.steer(last, parents.STOP_PARENT)
    last = desk.begin(100, algo=parents.MANUAL)
    assert (last - first) % parents.PARENTS_MAX == 0 or last > first
    desk.fill(old, 10_000, 10)
    assert desk.parent(last)["filled"] == 0


def test_so_many_parents_and_no_more(desk):
    numbers = [desk.begin(100, algo=parents.MANUAL) for _ in range(63)]
    assert min(numbers) > 0 and len(set(numbers)) == 63
    assert desk.begin(100, algo=parents.MANUAL) == -orders.NO_ROOM
    desk.steer(numbers[5], parents.STOP_PARENT)
    assert desk.begin(100, algo=parents.MANUAL) > 0


def test_so_many_children_at_once_and_no_more():
    desk = ParentDesk(orders_max=32)
    number = desk.begin(100, algo=parents.MANUAL)
    made = [desk.child(number, 10_000, 1) for _ in range(parents.LEGS_MAX)]
    assert min(made) > 0
    assert desk.child(number, 10_000, 1) == -orders.NO_ROOM
    assert desk.state(number) == "running"


# Refusals, pauses, halts.


def test_rejects_make_it_wait_longer_each_time_and_then_rest(desk):
    number = desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    desk.act()
    times = []
    for _ in range(16):
        while not (rows := news(desk)):
            desk.wake()
        times.append(desk.time)
        desk.report(orders.REJECTED, rows[0][0], other=orders.VENUE_FULL)
    waits = [b - a for a, b in itertools.pairwise(times)]
    assert waits == sorted(waits) and waits[-1] >= SECOND
    assert desk.state(number) == "paused"
    assert desk.parent(number)["reason"] == orders.VENUE_FULL
    desk.until(desk.time + 100 * SECOND)
    assert news(desk) == []
    assert desk.steer(number, parents.RESUME_PARENT) == 0
    assert len(news(desk)) == 1


def test_what_risk_refuses_is_not_sent_again_at_once():
    desk = ParentDesk(limits=Limits(position_lots=10))
    number = desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    desk.act()
    for _ in range(20):
        desk.show(10_000, 10_100)
    assert desk.sent() == []
    assert sum(desk.refused().values()) < 3
    assert desk.parent(number)["reason"] == orders.POSITION_TOO_LARGE


def test_paused_it_takes_back_its_children_and_resumed_it_goes_on(desk):
    number = desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    desk.steer(number, parents.PAUSE_PARENT)
    assert [row[:2] for row in desk.sent()] == [("cancel", order)]
    desk.ended(order)
    desk.show(10_100, 10_200)
    assert desk.sent() == []
    desk.steer(number, parents.RESUME_PARENT)
    ((_, _, price, quantity),) = news(desk)
    assert (price, quantity) == (10_100, 100)


def test_a_child_the_strategy_takes_back_lets_its_parent_rest(desk):
    number = desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    services.cancel(desk.context, order)
    desk.ended(order)
    assert desk.state(number) == "paused"
    other = desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    desk.act()
    services.cancel_all(desk.context, -1)
    desk.act()
    desk.ended(news(desk)[0][0])
    assert desk.state(number) == desk.state(other) == "done"


def test_taking_back_all_of_an_instrument_ends_its_parents_and_no_others():
    desk = ParentDesk("AAA", "BBB", venues=("V0", "V1"))  # rows 0 and 1 are one thing, 2 and 3
    routes = [desk.begin(100, algo=parents.SPLIT, row=row) for row in (0, 2)]
    single = desk.begin(100, algo=parents.PEG, row=0)
    services.cancel_all(desk.context, 1)
    states = [int(desk.parent(number)["state"]) for number in (*routes, single)]
    assert states == [parents.ENDING, parents.RUNNING, parents.RUNNING]


def test_an_iceberg_goes_on_though_a_fill_was_lost(desk):
    number = desk.begin(250, algo=parents.ICEBERG, limit=10_000.0, display=100)
    desk.act()
    ((first, *_),) = news(desk)
    desk.accept(first)
    desk.report(orders.CANCELED, first, other=orders.HALTED, quantity=40)
    while not (rows := news(desk)):
        desk.wake()
    assert rows[0][3] == 100 and desk.parent(number)["unknown"] == 60
    desk.accept(rows[0][0])
    desk.fill(rows[0][0], 10_000, 100)
    assert [row[3] for row in news(desk)] == [90], (
        "250 less 100 filled, less 60 of which no word came"
    )


def test_while_its_instrument_does_not_trade_nothing_new_is_sent(desk):
    desk.event(STATUS, reference=HALTED)
    desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    desk.act()
    assert desk.sent() == []
    desk.event(STATUS, reference=TRADING)
    assert len(news(desk)) == 1


@pytest.mark.parametrize("algo", [parents.PEG, parents.SPLIT, parents.SWEEP])
def test_without_a_session_a_parent_waits_and_nothing_is_refused(desk, algo):
    rules = desk.session.arena["rules"]
    rules["cut_off"][:] = 1
    number = desk.begin(100, algo=algo)
    desk.act()
    for _ in range(40):
        desk.until(desk.time + SECOND)
        desk.show(10_000, 10_100)
    assert desk.sent() == [] and desk.refused() == {} and desk.state(number) == "running"
    rules["cut_off"][:] = 0
    path.opened(desk.base, 0, desk.time)
    desk.until(desk.time)
    assert len(news(desk)) == 1, "at once, and not with the next event"


def test_while_the_firm_is_held_a_parent_waits_and_nothing_is_refused(desk):
    """As before the open, and after a restart."""
    told(desk, Directive(HOLD, "firm", desk.time, "hours", "closed", ROLES[PROCESS]))
    number = desk.begin(100, algo=parents.PEG)
    desk.act()
    for _ in range(40):
        desk.until(desk.time + SECOND)
        desk.show(10_000, 10_100)
    assert desk.sent() == [] and desk.refused() == {} and desk.state(number) == "running"
    told(desk, go_on(at=desk.time, who="hours", why="open"))
    desk.until(desk.time)
    assert len(news(desk)) == 1


def test_halted_by_a_person_it_rests_with_the_reason(desk):
    told(desk, halt("firm", at=desk.time, who="ann", why="odd"))
    number = desk.begin(100, algo=parents.PEG)
    desk.act()
    desk.until(desk.time + 100 * SECOND)
    assert desk.state(number) == "paused"
    assert desk.refused() == {orders.REASONS[desk.parent(number)["reason"]]: 16}


def told(desk, directive):
    row = directive.row(desk.session.risk, desk.time)
    path.directive(desk.base, row.ctypes.data)


def test_a_stopped_strategy_sends_nothing(desk):
    desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY, delay=1.0)
    desk.session.arena["context"]["stopped"] = 1
    desk.until(desk.time + 2 * SECOND)
    desk.show(10_100, 10_200)
    assert desk.sent() == [] and not desk.alarms


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ({"row": 1}, orders.NO_INSTRUMENT),
        ({"row": -1}, orders.NO_INSTRUMENT),
        ({"side": 0}, orders.NO_KIND),
        ({"algo": 0}, orders.NO_KIND),
        ({"algo": 99}, orders.NO_KIND),
        ({"quantity": 0}, orders.NO_QUANTITY),
        ({"quantity": 2**53}, orders.NO_QUANTITY),
        ({"limit": float("nan")}, orders.NO_PRICE),
        ({"limit": float("inf")}, orders.NO_PRICE),
        ({"seconds": 0.0}, orders.NO_DURATION),
        ({"seconds": 1e-6}, orders.NO_DURATION),
        ({"seconds": float("nan")}, orders.NO_SETTING),
        ({"seconds": 1e9}, orders.NO_SETTING),
        ({"jitter": 1.0}, orders.NO_SETTING),
        ({"slices": 4097}, orders.NO_SETTING),
        ({"gap": -1.0}, orders.NO_SETTING),
        ({"display": -1}, orders.NO_SETTING),
        ({"flags": 4}, orders.NO_SETTING),
        ({"offset": 10**9}, orders.NO_SETTING),
        ({"algo": parents.VWAP_CURVE}, orders.NO_CURVE),
        ({"algo": parents.POV}, orders.NO_RATE),
        ({"algo": parents.POV, "rate": 0.95}, orders.NO_RATE),
        ({"algo": parents.ICEBERG, "display": 10}, orders.NO_DISPLAY),
        ({"algo": parents.ICEBERG, "limit": 10_000.0}, orders.NO_DISPLAY),
        ({"algo": parents.PEG, "peg": 0}, orders.NO_SETTING),
        ({"algo": parents.IS, "urgency": float("nan")}, orders.NO_SETTING),
        ({"algo": parents.PEG, "seconds": 0.0, "flags": FINISH}, orders.NO_DURATION),
    ],
)
def test_each_wrong_wish_has_its_reason(desk, draft, reason):
    assert desk.begin(**({"seconds": 10.0} | draft)) == -reason
    assert desk.refused() == {orders.REASONS[reason]: 1}
    assert orders.REASONS[reason]


def test_what_is_no_parent_is_told(desk):
    assert desk.steer(7, parents.STOP_PARENT) == -orders.NO_PARENT
    assert desk.steer(-1, parents.STOP_PARENT) == -orders.NO_PARENT
    assert desk.steer(0, parents.STOP_PARENT) == -orders.NO_PARENT
    assert desk.child(3, 10_000, 1) == -orders.NO_PARENT
    number = desk.begin(100, seconds=10.0)
    assert desk.child(number, 10_000, 1) == -orders.NO_KIND


def test_time_stands_when_a_parent_wants_to_act_at_once(desk):
    desk.begin(100, algo=parents.PEG, peg=parents.PRIMARY)
    arena = desk.session.arena
    before = int(arena["session"]["time"][0])
    assert before > 0
    arena["parents"]["next"] = arena["session"]["next_timer"] = 0
    path.timer(desk.base)
    assert arena["session"]["time"][0] == before
