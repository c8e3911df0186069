"""Parent orders over whole tapes: planted truths, two venues, and the same in both modes."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.core import events, orders
from hftlib.core.parents import ONE, POST, SPLIT, SWEEP
from hftlib.execution.curves import VolumeCurve
from hftlib.research.backtest import ran
from hftlib.research.result_check import violations
from hftlib.research.setting_up import settings_of, strategy_of
from hftlib.research.tape import to_tape
from tests.research.test_backtest_feeds import at, quote
from tests.tapes import OPEN, ArraySource

SECOND = 10**9
NEAR, FAR = 0, 1
ONE_VENUE = hft.Venue(feed_latency="1ms", order_latency="1ms")


@hft.strategy
class Works:
    """Begins one parent as soon as its instrument trades, and looks what became of it."""

    algo: int = hft.param(1)
    side: int = hft.param(1)
    quantity: int = hft.param(1_000)
    limit: float = hft.param(float(-(2**60)))
    seconds: float = hft.param(0.0)
    slices: int = hft.param(0)
    jitter: float = hft.param(0.0)
    patience: float = hft.param(-1.0)
    rate: float = hft.param(0.0)
    clip: int = hft.param(0)
    finish: bool = hft.param(False)
    begins: int = hft.param(2_000_000)
    id: int = hft.state()
    filled: int = hft.state()
    fills: int = hft.state()
    over_at: int = hft.state()
    reason: int = hft.state()
    mean: float = hft.state()

    def on_book(self, ctx, i):
        if self.id == 0 and i == 0 and ctx.book(i).has_both and ctx.time > OPEN + self.begins:
            self.id = ctx.parent(
                i,
                self.side,
                self.quantity,
                algo=self.algo,
                limit=self.limit,
                seconds=self.seconds,
                slices=self.slices,
                jitter=self.jitter,
                patience=self.patience,
                rate=self.rate,
                clip=self.clip,
                finish=self.finish,
            )
        self.look(ctx)

    def on_fill(self, ctx, i, fill):
        self.fills += fill.quantity
        self.look(ctx)

    def look(self, ctx):
        if self.id > 0:
            parent = ctx.parent_of(self.id)
            self.filled = ctx.parent_filled(self.id)
            self.mean = parent.mean_price
            self.reason = parent.reason
            if parent.is_over and self.over_at == 0:
                self.over_at = ctx.time - OPEN


def run(tape, venue=ONE_VENUE, curves=None, strategy=Works, **params):
    """What the strategy saw, and the run's records."""
    settings = settings_of(venue, tape)
    made, ended = ran(strategy_of(strategy, params), tape, settings, hft.Limits(), curves=curves)
    assert ended == ""
    state = made.session.arena["state"][0]
    made_orders, fills = made.orders, made.fills
    assert fills["quantity"].sum() == state["fills"]
    assert state["id"] > 0, orders.REASONS[-int(state["id"])]
    children = made_orders[made_orders["parent"] == state["id"]]
    assert len(children) == len(made_orders)
    assert children["filled"].sum() == fills["quantity"].sum() <= params.get("quantity", 1_000)
    return state, children, fills


def tape_of(parts, venues=("XNAS",)):
    table = hft_instruments(venues)
    array = np.concatenate(parts)
    return to_tape(ArraySource(array[np.argsort(array["time"], kind="stable")], table))


def hft_instruments(venues):
    from hftlib.core.instruments import Instruments

    table = Instruments()
    for venue in venues:
        table.add("AAA", venue=venue, tick=100, round_lot=1)
    return table


def flat(seconds, rows=(0,), trades=None, ask=101_000, quantity=500):
    """10.00 bid and 10.10 asked all the time, told again each 10 ms; trades as (ms, row, lots)."""
    parts = []
    for row in rows:
        parts.append(at(0, "STATUS", row, reference=events.TRADING))
        parts += [quote(0, row, 1, 100_000, quantity), quote(0, row, 2, ask, quantity)]
        for ms in range(5, 1000 * seconds, 10):
            parts.append(quote(ms, row, 1, 100_000, quantity + ms // 10 % 2))
    for ms, row, lots in trades or ():
        parts.append(at(ms, "TRADE", row, side=2, price=100_000, quantity=lots))
    return parts


def test_a_twap_on_a_flat_market_ends_exactly_at_its_quantity_and_time():
    tape = tape_of(flat(12, quantity=50_000))
    state, children, fills = run(tape, seconds=10.0, slices=10, patience=0.2, quantity=1_003)
    assert fills["quantity"].sum() == 1_003
    assert (fills["price"] == 101_000).all(), "nobody sold at the bid, so all was taken"
    when = (fills["received"] - OPEN) / SECOND
    assert np.bincount(when.astype(int), weights=fills["quantity"], minlength=11)[:10].tolist() == [
        1_003 * (n + 1) // 10 - 1_003 * n // 10 for n in range(10)
    ]
    assert state["over_at"] < 10.5 * SECOND
    assert len(children) == 10


def test_jitter_moves_slices_but_not_what_they_come_to():
    tape = tape_of(flat(12, quantity=50_000))
    _, children, fills = run(tape, seconds=10.0, slices=5, patience=0.1, jitter=0.8)
    assert fills["quantity"].sum() == 1_000
    assert len(children) == 5 and len(set(np.diff(children["sent"]).tolist())) == 4


def test_pov_has_its_share_of_all_volume():
    chance = np.random.default_rng(3)
    trades = [(int(ms), 0, int(chance.integers(10, 200))) for ms in range(20, 29_000, 60)]
    tape = tape_of(flat(30, trades=trades))
    _, _, fills = run(tape, algo=hft.POV, rate=0.25, quantity=10**6, patience=0.5, clip=1)
    printed = np.cumsum([lots for *_, lots in trades])
    for second in (5, 10, 20, 28):
        others = printed[[ms < 1000 * second for ms, *_ in trades]][-1] - trades[0][2]
        own = fills["quantity"][fills["received"] < OPEN + second * SECOND].sum()
        # Behind by what printed within its patience and the way there, never ahead.
        late = sum(lots for ms, _, lots in trades if 1000 * second - 700 < ms < 1000 * second)
        assert own <= (others + own) * 0.25 + 1
        assert own >= (others - late) / 3 - 10
    assert own / (own + others) == pytest.approx(0.25, abs=0.01)


def test_vwap_follows_the_curve_of_another_day():
    """Volume doubles in the second half of the day before; so do the slices today."""
    before = [(ms, 0, 100 if ms < 5_000 else 300) for ms in range(50, 10_000, 100)]
    yesterday = tape_of(flat(10, trades=before))
    curve = hft.volume_curve(yesterday, "AAA", every="1s")
    assert curve.days == 1
    tape = tape_of(flat(12, quantity=50_000))
    _state, _, fills = run(
        tape,
        algo=hft.VWAP_CURVE,
        curves={"AAA": curve},
        seconds=9.9,
        slices=100,
        patience=0.01,
        quantity=10_000,
        begins=0,
    )
    assert fills["quantity"].sum() == 10_000
    start = fills["received"].min()
    for second in (2, 4, 6, 8):
        done = fills["quantity"][fills["received"] < start + second * SECOND].sum() / 10_000
        assert done == pytest.approx(curve.share_at(OPEN + second * SECOND), abs=0.02)
    assert curve.share_at(OPEN + 5 * SECOND) == pytest.approx(0.25, abs=0.01)


def test_a_curve_of_volume_is_what_was_printed_by_then():
    trades = [(ms, 0, 10 + ms % 7) for ms in range(37, 20_000, 113)]
    curve = hft.volume_curve(tape_of(flat(21, trades=trades)), "AAA", every="2s")
    whole = sum(lots for *_, lots in trades)
    for second in (2, 4, 10, 18, 20):
        done = sum(lots for ms, _, lots in trades if ms < 1000 * second)
        assert curve.share_at(OPEN + second * SECOND) == pytest.approx(done / whole, abs=1e-6)
    assert curve.points[-1] == ONE and "1 day" in repr(curve)


def test_a_mistake_with_curves_is_told():
    tape = tape_of(flat(1))
    with pytest.raises(hft.HftError, match="no curve of volume"):
        hft.backtest(Works, tape, curves={"AAA": 3})
    with pytest.raises(hft.HftError, match="no curves by symbol"):
        hft.backtest(Works, tape, curves=VolumeCurve(np.array([ONE]), SECOND))
    with pytest.raises(hft.HftError, match="BBB"):
        hft.backtest(Works, tape, curves={"BBB": VolumeCurve(np.array([ONE]), SECOND)})
    with pytest.raises(hft.HftError, match="no curve of volume"):
        VolumeCurve(np.array([5, 4, ONE]), SECOND)
    with pytest.raises(hft.HftError, match="more than a day"):
        VolumeCurve(np.array([1, ONE]), 86_400 * SECOND)
    with pytest.raises(hft.HftError, match="Nothing of"):
        hft.volume_curve(tape, "AAA")


# Two venues.


def two(near=None, far=None, near_fees=None, far_fees=None):
    return {
        "NEAR": hft.Venue(feed_latency="1ms", order_latency="1ms", fees=near_fees or hft.Fees()),
        "FAR": hft.Venue(feed_latency="1ms", order_latency="20ms", fees=far_fees or hft.Fees()),
    }


def both(parts):
    return tape_of(parts, venues=("NEAR", "FAR"))


def test_a_sweep_takes_the_cheapest_of_both_venues_fees_counted():
    """FAR asks 10.09 and charges 2 cents; NEAR asks 10.10 and charges nothing."""
    parts = flat(2, rows=(NEAR,))
    parts += flat(2, rows=(FAR,), ask=100_900)
    venue = two(far_fees=hft.Fees(taker_per_unit="0.02"))
    _state, children, fills = run(both(parts), venue, algo=SWEEP, quantity=600)
    by_venue = {row: fills["quantity"][fills["instrument"] == row].sum() for row in (NEAR, FAR)}
    assert by_venue == {NEAR: 500, FAR: 100}
    assert (children["lasts"] == orders.IOC).all()
    free = two()
    _, _, fills = run(both(parts), free, algo=SWEEP, quantity=600)
    assert fills["quantity"][fills["instrument"] == FAR].sum() == 500


def test_its_orders_arrive_together():
    """FAR is 19 ms farther than NEAR, so NEAR's order waits for so long."""
    tape = both(flat(2, rows=(NEAR, FAR)))
    _, children, fills = run(tape, two(), algo=SWEEP, quantity=800)
    assert fills["quantity"].sum() == 800
    near, far = (children[children["instrument"] == row] for row in (NEAR, FAR))
    assert len(near) == len(far) == 1
    assert near["sent"][0] - far["sent"][0] == 19_000_000
    assert near["venue_accepted"][0] == far["venue_accepted"][0]


def test_a_venue_whose_way_is_not_known_is_sent_to_at_once():
    drawn = hft.Latency.lognormal("20ms", "21ms")
    venue = two() | {"FAR": hft.Venue(feed_latency="1ms", order_latency=drawn)}
    _, children, fills = run(both(flat(2, rows=(NEAR, FAR))), venue, algo=SWEEP, quantity=800)
    assert fills["quantity"].sum() == 800
    assert len(children) == 2 and children["sent"][0] == children["sent"][1]


def test_what_one_venue_does_not_give_is_taken_at_the_other():
    """NEAR's quote is gone when the order arrives: the rest goes to FAR."""
    parts = flat(2, rows=(NEAR, FAR))
    parts.append(quote(506, NEAR, 2, 101_000, 0))
    tape = both(parts)
    _state, children, fills = run(
        tape, two(), algo=SWEEP, quantity=400, limit=101_000.0, begins=505_500_000
    )
    near = children[children["instrument"] == NEAR]
    assert near["filled"].sum() == 0 and len(near) >= 1
    assert fills["quantity"][fills["instrument"] == FAR].sum() == 400


def test_a_venue_that_is_halted_is_left_out_and_comes_back():
    parts = flat(3, rows=(NEAR, FAR))
    parts.append(at(200, "STATUS", NEAR, reference=events.HALTED))
    parts.append(at(1_500, "STATUS", NEAR, reference=events.TRADING))
    parts += [quote(1_500, NEAR, 1, 100_000, 500), quote(1_500, NEAR, 2, 101_000, 500)]
    _state, children, fills = run(
        both(parts), two(), algo=SWEEP, quantity=1_500, seconds=2.5, begins=300_000_000
    )
    near = children[children["instrument"] == NEAR]
    assert near["sent"].min() > OPEN + 1_500_000_000
    assert fills["quantity"][fills["received"] < OPEN + SECOND].sum() == 500


def test_a_sweep_that_finds_nothing_more_is_over():
    tape = both(flat(1, rows=(NEAR, FAR)))
    state, children, fills = run(tape, two(), algo=SWEEP, quantity=5_000)
    assert fills["quantity"].sum() == 1_000
    assert state["over_at"] > 0 and state["reason"] == orders.NOTHING_THERE
    assert children["quantity"].sum() == 1_000, "no quote was tried twice"


def test_a_split_stands_where_more_is_traded_for_what_is_before_it():
    trades = [(ms, FAR if ms % 40 else NEAR, 60) for ms in range(20, 1_900, 10)]
    tape = both(flat(2, rows=(NEAR, FAR), trades=trades))
    _, children, _fills = run(
        tape, two(), algo=SPLIT, quantity=400, seconds=1.0, begins=1_000_000_000
    )
    asked = {row: children["quantity"][children["instrument"] == row].sum() for row in (NEAR, FAR)}
    assert asked[FAR] == pytest.approx(3 * asked[NEAR], rel=0.1)
    assert asked[NEAR] + asked[FAR] == 400
    assert (children["lasts"] == orders.DAY).all()


@pytest.mark.parametrize(("rebate", "chosen"), [("-0.0001", NEAR), ("-0.5", FAR)])
def test_a_post_stands_where_that_is_worth_most(rebate, chosen):
    """NEAR trades twice as much; FAR pays more for standing."""
    trades = [(ms, FAR if ms % 30 == 0 else NEAR, 60) for ms in range(20, 1_900, 10)]
    tape = both(flat(2, rows=(NEAR, FAR), trades=trades))
    venue = two(far_fees=hft.Fees(maker_per_unit=rebate))
    _, children, _ = run(tape, venue, algo=POST, quantity=100, seconds=0.5, begins=1_000_000_000)
    assert set(children["instrument"].tolist()) == {chosen}


def test_both_modes_send_the_same():
    trades = [(ms, ms // 10 % 2, 60) for ms in range(20, 1_900, 30)]
    tape = both(flat(2, rows=(NEAR, FAR), trades=trades))
    for params in (
        {"algo": SPLIT, "seconds": 1.0, "finish": True, "patience": 0.2},
        {"algo": SWEEP, "quantity": 3_000},
        {"algo": hft.TWAP, "seconds": 1.0, "slices": 7, "jitter": 0.5, "patience": 0.05},
    ):
        results = [
            hft.backtest(Works, tape, params=params, venue=two(), compiled=compiled)
            for compiled in (True, False)
        ]
        assert results[0].digest == results[1].digest
        assert results[0].check() == [] and len(results[0].records["fills"]) > 0


@hft.strategy
class Steers:
    """Does by hand what can be done to a parent."""

    id: int = hft.state()
    manual: int = hft.state()
    answers: int = hft.state(size=16)
    used: int = hft.state()

    def on_start(self, ctx):
        ctx.timer(10_000_000, 1)
        ctx.timer(200_000_000, 2)
        ctx.timer(400_000_000, 3)
        ctx.timer(600_000_000, 4)

    def on_timer(self, ctx, number):
        if number == 1:
            k = hft.urgency(1e-6, 50.0, 0.001, 1.0, 10, 0.0)
            self.note(int(k * 1000))
            self.id = ctx.parent(0, hft.BUY, 100, algo=hft.IS, seconds=1, slices=10, urgency=k)
            self.note(ctx.pause_parent(self.id))
        elif number == 2:
            self.note(ctx.parent_of(self.id).is_running)
            self.note(ctx.resume_parent(self.id))
            self.manual = ctx.parent(0, hft.SELL, 50, algo=hft.MANUAL)
            self.note(ctx.child(self.manual, 101_000.0, 40) > 0)
        elif number == 3:
            self.note(ctx.parent_filled(self.id) > 0)
            self.note(ctx.child(self.manual, 101_000.0, 0))
            self.note(ctx.child(self.manual, 101_000.0, 11))
        else:
            self.note(ctx.parent_of(self.manual).state)
            self.note(ctx.parent_of(self.manual).reason)
            self.note(ctx.cancel_parent(self.id))
            self.note(ctx.cancel_parent(99))

    def note(self, value):
        self.answers[self.used] = value
        self.used += 1


def test_what_a_strategy_may_do_to_a_parent():
    tape = tape_of(flat(2, quantity=50_000))
    settings = settings_of(ONE_VENUE, tape)
    told = []
    for compiled in (True, False):
        made, ended = ran(
            strategy_of(Steers, None), tape, settings, hft.Limits(), compiled=compiled
        )
        assert ended == ""
        state = made.session.arena["state"][0]
        told.append(state["answers"][: state["used"]].tolist())
        assert made.parents["id"].tolist() == [2, 1], "in the order in which they ended"
        assert made.parents["filled"].tolist()[0] == 0
    kappa = hft.urgency(1e-6, 50.0, 0.001, 1.0, 10, 0.0)
    assert kappa == pytest.approx(1.58, abs=0.01)
    above, none = -orders.ABOVE_PARENT, -orders.NO_PARENT
    assert told[0] == told[1]
    assert told[0] == [
        int(kappa * 1000),
        0,
        0,
        0,
        1,
        1,
        -orders.NO_QUANTITY,
        above,
        4,
        orders.ABOVE_PARENT,
        0,
        none,
    ]


def test_a_mistake_in_a_strategy_has_its_sentence():
    tape = tape_of(flat(1))
    result = hft.backtest(Works, tape, params={"algo": hft.VWAP_CURVE, "seconds": 1.0})
    assert list(result.refused) == [orders.REASONS[orders.NO_CURVE]]
    with pytest.raises(hft.HftError, match="Did you mean 'parent'"):

        @hft.strategy
        class Misspelt:
            def on_book(self, ctx, i):
                ctx.parrent(i, hft.BUY, 100)


def test_a_result_tells_of_each_parent(tmp_path):
    tape = to_tape(hft.synthetic(symbols=2, seconds=20, seed=3))
    result = hft.backtest(
        Works,
        tape,
        params={"algo": hft.TWAP, "quantity": 900, "seconds": 8.0, "clip": 100, "finish": True},
        venue=ONE_VENUE,
    )
    assert result.check() == []
    (row,) = result.parents.to_dict("records")
    children = result.orders[result.orders["parent"] == 1]
    assert (row["algorithm"], row["side"], row["state"]) == ("TWAP", "buy", "done")
    assert (row["quantity"], row["filled"]) == (900, 900)
    assert row["children"] == len(children) and children["filled"].sum() == 900
    paid = (children["average"] * children["filled"]).sum() / 900
    assert row["average"] == pytest.approx(paid)
    bps = 1e4 * (paid - row["arrival_mid"]) / row["arrival_mid"]
    assert row["slippage_bps"] == pytest.approx(bps)
    assert row["fees"] == pytest.approx(children["fees"].sum())
    assert row["began"] <= children["sent"].min() < row["ended"]

    again = hft.Result.load(result.save(tmp_path / "kept"))
    assert again.parents.equals(result.parents)


def test_a_parent_whose_children_do_not_add_up_is_told_of():
    tape = to_tape(hft.synthetic(symbols=1, seconds=10, seed=3))
    params = {"algo": hft.TWAP, "quantity": 500, "seconds": 4.0, "finish": True}
    result = hft.backtest(Works, tape, params=params, venue=ONE_VENUE)
    parents = result.records["parents"].copy()
    parents["filled"] += 1
    orders = result.records["orders"].copy()
    arrays = result.records | {"parents": parents}
    told = violations(result.instruments, arrays, len(result.horizons))
    assert told == ["parent 1 says filled 501, its children add up to 500", *told[1:]]
    orders["parent"][-1] = 7
    arrays = result.records | {"orders": orders}
    told = violations(result.instruments, arrays, len(result.horizons))
    assert any("names a parent that is not there" in one for one in told)
