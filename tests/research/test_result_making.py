"""Several strategies in one backtest: each as if alone where they do not meet, bound together where
they do; and what comes of it in results.
"""

import numpy as np
import pytest

import hftlib as hft
from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.numbers import EACH
from hftlib.core.orders import POSITION_TOO_LARGE, REASONS, SELF_MATCH
from hftlib.research.result import Result
from hftlib.research.tape import to_tape
from tests.research.beside import COUNTED_BY_THE_VENUE, Quoter, Stopper, Worker, levels_of

VENUE = hft.Venue(order_latency="150us", feed_latency="40us")
QUICK = hft.Venue()
LIMITS = hft.Limits(position_lots=2_000)
SECONDS = 60 if jit.COMPILED else 6


@pytest.fixture(scope="module")
def tape():
    made = to_tape(hft.synthetic(symbols=3, seconds=SECONDS, seed=4))
    return made["09:30":]


@pytest.fixture(scope="module")
def levels(tape):
    return levels_of(tape)


def rows(result, name, number):
    """Rows of a log without what the venue or the session counted for all; numbers as if alone."""
    array = result.records[name]
    kept = [one for one in array.dtype.names if one not in COUNTED_BY_THE_VENUE]
    made = {one: array[one].tolist() for one in kept}
    for one in ("id", "order"):
        if one in array.dtype.names:
            made[one] = np.where(array[one] > 0, array[one] - number * EACH, 0).tolist()
    return made


def is_as_alone(part, alone, number):
    for name in ("orders", "fills", "refusals"):
        assert rows(part, name, number) == rows(alone, name, 0), name
    for name in ("equity", "changes"):
        assert part.records[name].tolist() == alone.records[name].tolist(), name
    # A fill has another number, and the same market after it.
    places = dict(zip(part.records["fills"]["number"].tolist(), range(10**9), strict=False))
    others = dict(zip(alone.records["fills"]["number"].tolist(), range(10**9), strict=False))
    marks = [
        sorted((known[f], h, m) for f, h, m in one.records["markouts"][_MARK].tolist())
        for one, known in ((part, places), (alone, others))
    ]
    assert marks[0] == marks[1]
    for name in ("refused", "rejected", "ended_by_venue", "ended"):
        assert getattr(part, name) == getattr(alone, name), name
    own = {k: v for k, v in part.counts.items() if k not in ("steps", "markouts left out")}
    theirs = {k: v for k, v in alone.counts.items() if k not in ("steps", "markouts left out")}
    assert own == theirs


_MARK = ["fill", "horizon", "twice_mid"]
LEAST = 20 if jit.COMPILED else 0
APART = {
    "maker": Quoter(row=0, edge=0),
    "other": Quoter(row=1, edge=0, clip=300, wait="3ms"),
    "worker": Worker(row=2),
}


@pytest.mark.modes
@pytest.mark.parametrize("feed", ["orders", "levels"])
@pytest.mark.parametrize("venue", [VENUE, QUICK], ids=["late", "at once"])
def test_who_meet_nobody_do_what_they_would_alone(tape, levels, feed, venue):
    """Each in an instrument of its own: nothing that another does can reach it."""
    recorded_ = tape if feed == "orders" else levels
    together = hft.backtest(APART, recorded_, venue=venue, limits=LIMITS)
    assert together.check() == []
    for number, (name, one) in enumerate(APART.items()):
        alone = hft.backtest({name: one}, recorded_, venue=venue, limits=LIMITS)
        assert len(alone.records["fills"]) > LEAST and alone.check() == []
        is_as_alone(together.strategies[name], alone, number)
    assert len(together.records["fills"]) == sum(
        len(one.records["fills"]) for one in together.strategies.values()
    )


@pytest.mark.modes
def test_on_a_feed_of_levels_even_in_one_instrument(levels):
    """Both only buy, so neither meets the other; each bids at prices of its own."""
    both = {
        "near": Quoter(row=0, edge=0, lean=0, sells=False),
        "far": Quoter(row=0, edge=20, wait="13ms", lean=0, sells=False),
    }
    many = hft.Limits(position_lots=10**6)
    together = hft.backtest(both, levels, venue=VENUE, limits=many)
    assert together.rejected == together.ended_by_venue == {}
    for number, (name, one) in enumerate(both.items()):
        alone = hft.backtest({name: one}, levels, venue=VENUE, limits=many)
        is_as_alone(together.strategies[name], alone, number)
    assert len(together.strategies["near"].records["fills"]) >= LEAST // 2


@pytest.mark.modes
@pytest.mark.parametrize("feed", ["orders", "levels"])
def test_however_they_are_run_it_is_the_same(tape, levels, feed):
    """All in one instrument, so that they meet at the venue and in its queue."""
    strategies = {"a": Quoter(edge=0), "b": Quoter(edge=1, wait="3ms"), "c": Worker()}
    one = tape if feed == "orders" else levels
    first = hft.backtest(strategies, one, venue=VENUE, limits=LIMITS)
    assert first.check() == [] and len(first.fills) > LEAST
    assert REASONS[SELF_MATCH] in {**first.rejected, **first.ended_by_venue}, "they do meet"
    others = [hft.backtest(strategies, one, venue=VENUE, limits=LIMITS, steps=97)]
    if jit.COMPILED:
        others += [
            hft.backtest(strategies, one, venue=VENUE, limits=LIMITS, compiled=False),
            hft.backtest(strategies, one[:], venue=VENUE, limits=LIMITS),
        ]
    assert {other.digest for other in others} == {first.digest}
    for name, part in first.strategies.items():
        assert {other.strategies[name].digest for other in others} == {part.digest}
        assert all(other.strategies[name].counts == part.counts for other in others)


@pytest.mark.parametrize("mode", ["cancel_newest", "cancel_oldest", "decrement"])
@pytest.mark.parametrize("feed", ["orders", "levels"])
def test_where_risk_keeps_them_apart_nothing_meets_at_the_venue(tape, levels, feed, mode):
    limits = hft.Limits(position_lots=2_000, rules={"self_match": mode})
    strategies = {"a": Quoter(edge=0), "b": Quoter(edge=0, wait="3ms"), "c": Worker()}
    venue = hft.Venue(order_latency="150us")
    made = hft.backtest(
        strategies, tape if feed == "orders" else levels, venue=venue, limits=limits
    )
    assert made.check() == [] and len(made.fills) > 20
    met = {**made.rejected, **made.ended_by_venue}
    assert REASONS[SELF_MATCH] not in met
    if mode == "cancel_newest":
        assert made.refused["it would meet an order of our own"] > 0


def test_what_all_hold_is_the_sum_of_what_each_holds(tape):
    strategies = {"a": Quoter(edge=0), "b": Quoter(row=1, edge=0), "c": Worker(row=0)}
    made = hft.backtest(strategies, tape, venue=VENUE, limits=LIMITS, every="1s")
    parts = list(made.strategies.values())
    for name in ("orders", "fills", "refusals"):
        assert len(made.records[name]) == sum(len(one.records[name]) for one in parts)
    sums: dict[tuple[int, int], list[int]] = {}
    fields = ("position", "cash", "fees", "open_orders")
    for part in parts:
        for row in part.records["equity"]:
            held = sums.setdefault((int(row["time"]), int(row["instrument"])), [0] * len(fields))
            for n, field in enumerate(fields):
                held[n] += int(row[field])
    last = int(made.records["equity"]["time"][-1])  # which is sampled more than once
    for row in made.records["equity"]:
        if row["time"] != last:
            key = int(row["time"]), int(row["instrument"])
            assert [int(row[field]) for field in fields] == sums[key]
    pnl = sum(one.stats["pnl_net"] for one in parts)
    assert made.stats["pnl_net"] == pytest.approx(pnl, abs=1e-6)
    assert made.stats["fees"] == pytest.approx(sum(one.stats["fees"] for one in parts))
    assert (np.diff(made.records["fills"]["received"]) >= 0).all()
    assert made.counts["commands"] == sum(one.counts["commands"] for one in parts)
    assert made.counts["events"] == parts[0].counts["events"] == len(tape)


# Bound together.


def bound(tape, **limits):
    strategies = {"a": Quoter(edge=0), "b": Quoter(edge=0, wait="3ms")}
    return hft.backtest(
        strategies, tape, venue=VENUE, limits=hft.Limits(open_orders=None, **limits)
    )


def positions_of(result):
    """What all hold after each fill, largest by size."""
    return int(np.abs(result.records["fills"]["position"]).max(initial=0))


@pytest.mark.parametrize("level", ["firm", "portfolio"])
def test_a_limit_of_all_is_never_passed_by_all_together(tape, level):
    given = {"position_lots": 150}
    if level == "portfolio":
        given = {"both": {"strategies": ["a", "b"], **given}}
    made = bound(tape, **{level: given})
    assert positions_of(made) <= 150 < positions_of(bound(tape)), "it is the limit that holds them"
    assert REASONS[POSITION_TOO_LARGE] not in made.refused, "quotes are made smaller instead"
    assert made.counts["quotes made smaller"] > 0


def test_a_halt_of_the_firm_stops_both_and_one_of_a_strategy_that_one(tape):
    middle = tape.begin + tape.duration // 2
    about = {"at": middle, "who": "ann", "why": "odd fills"}
    for scope, hit in (("firm", "ab"), ("strategy:b", "b")):
        strategies = {"a": Quoter(edge=0), "b": Quoter(edge=0, row=1)}
        made = hft.backtest(
            strategies, tape, venue=QUICK, limits=LIMITS, directives=[hft.halt(scope, **about)]
        )
        for name, one in made.strategies.items():
            late = int(one.records["orders"]["sent"].max())
            assert (late <= middle) is (name in hit)
            done = one.records["orders"]["done"]
            if name in hit:
                assert done.min() > 0 and done.max() <= middle, "what stood is taken back"
                assert "trading is halted" in str(one.refused) or one.refused == {}
        assert list(made.risk_log["scope"]) == [scope]


def test_one_that_loses_stops_all_of_its_portfolio_and_nobody_else(tape):
    limits = hft.Limits(
        portfolio={
            "losers": {"strategies": ["a", "b"], "daily_loss_money": 0.01, "halt_at_percent": 100},
            "rest": {"strategies": ["c"]},
        },
        position_lots=2_000,
    )
    strategies = {"a": Worker(row=0), "b": Quoter(row=1, edge=0), "c": Quoter(row=2, edge=0)}
    made = hft.backtest(strategies, tape, venue=VENUE, limits=limits)
    log = made.risk_log
    assert list(log["scope"].unique()) == ["portfolio:losers"]
    halted = int(made.records["changes"]["time"][-1])
    for name, one in made.strategies.items():
        sent = one.records["orders"]["sent"]
        assert (sent.max() <= halted) == (name != "c")


# One stops, the others go on.


@pytest.mark.modes
@pytest.mark.parametrize("fails", [False, True], ids=["stops", "fails"])
@pytest.mark.parametrize("compiled", [True, False])
def test_one_that_ends_is_called_no_more_and_the_others_go_on(tape, fails, compiled):
    strategies = {"first": Stopper(after=40, fails=fails), "second": Quoter(edge=0)}
    given = {"venue": VENUE, "limits": LIMITS, "compiled": compiled}
    if fails:
        with pytest.warns(UserWarning, match="Not all did not run to the end"):
            made = hft.backtest(strategies, tape, **given)
    else:
        made = hft.backtest(strategies, tape, **given)
    first, second = made.strategies.values()
    assert not first.ok and second.ok and not made.ok
    assert made.ended == f"first: {first.ended}"
    assert ("ZeroDivisionError" in first.ended) if fails else first.ended == "it called ctx.stop(7)"
    assert first.counts["on_book calls"] == 40
    assert first.counts.get("on_stop calls", 0) == (0 if fails else 1)
    table = first.records["orders"]
    assert len(table) > 0 and (table["done"] > 0).all(), "its orders are taken back"
    if jit.COMPILED:
        assert second.records["fills"]["received"].max() > table["done"].max()
    assert made.check() == []
    # The other never met it: its day is the one that it would have had alone.
    alone = hft.backtest({"second": Quoter(edge=0)}, tape, venue=VENUE, limits=LIMITS)
    is_as_alone(second, alone, 1)


def test_the_run_is_over_when_all_have_stopped(tape):
    strategies = {"a": Stopper(after=10), "b": Stopper(after=60)}
    made = hft.backtest(strategies, tape, venue=VENUE, limits=LIMITS)
    assert made.ended == "a: it called ctx.stop(7); b: it called ctx.stop(7)"
    assert made.counts["events"] < len(tape) // 2


def test_two_of_one_class_that_fail_uncompiled_have_each_its_own_reason(tape):
    @hft.strategy
    class Fails:
        """Fails in one of two ways."""

        how: int = hft.param(0)

        def on_book(self, ctx, i):
            if self.how == 0:
                raise ValueError("of one kind")
            raise KeyError("of another")

    both = {"a": Fails(how=0), "b": Fails(how=1)}
    with pytest.warns(UserWarning):
        made = hft.backtest(both, tape, compiled=False)
    assert "of one kind" in made.strategies["a"].ended
    assert "of another" in made.strategies["b"].ended


def test_what_interrupts_one_uncompiled_ends_all(tape):
    @hft.strategy
    class Interrupted:
        """As if somebody pressed Ctrl-C in it."""

        count: int = hft.state()

        def on_book(self, ctx, i):
            self.count += 1
            if self.count == 20:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hft.backtest([Quoter, Interrupted], tape, compiled=False)


# What comes of it.


@pytest.fixture(scope="module")
def made(tape):
    strategies = {"a": Quoter(edge=0), "b": Worker(), "idle": Quoter(row=2, edge=20)}
    return hft.backtest(strategies, tape, venue=VENUE, limits=hft.Limits(position_lots=300))


def test_rows_say_whose_they_are_by_name(made):
    for frame in (made.orders, made.fills, made.refusals):
        assert set(frame["strategy"].unique()) <= {"a", "b", "idle"}
    assert set(made.fills["strategy"].unique()) >= {"a", "b"}
    assert (made.fills["strategy"] == "a").sum() == len(made.strategies["a"].fills)
    assert "strategy" not in made.equity and "strategy" not in made.positions


def test_it_shows_itself(made):
    assert repr(made).startswith("<Result of a, b, idle:")
    page, table = made._repr_html_(), str(made.strategies)
    for name in ("a", "b", "idle"):
        assert f"<td>{name}</td>" in page and f" {name} " in table
    assert "beside" in made.strategies["a"]._repr_html_()
    assert list(made.strategies) == ["a", "b", "idle"] and len(made.strategies) == 3
    with pytest.raises(InputError, match="no strategy 'c' in this result"):
        made.strategies["c"]


def test_a_ledger_and_costs_are_by_name(made):
    table = made.ledger("fifo").table(by="strategy")
    assert {row["strategy"] for row in table.exact} == {"a", "b"}
    gross = sum(float(row["gross"]) for row in table.exact)
    assert gross == pytest.approx(made.stats["pnl_gross"], abs=1e-6)
    assert {key[0] for key in made.tca().table(by="strategy").rows} >= {"a", "b"}


def test_it_is_saved_with_its_parts(made, tmp_path):
    place = made.save(tmp_path / "run")
    loaded = Result.load(place)
    assert loaded.digest == made.digest and list(loaded.strategies) == list(made.strategies)
    for name, part in loaded.strategies.items():
        assert part.digest == made.strategies[name].digest
        assert part.about == made.strategies[name].about
    assert loaded.fills["strategy"].tolist() == made.fills["strategy"].tolist()
    assert loaded.check() == []
    (place / "strategies" / "b" / "fills.npy").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be loaded"):
        Result.load(place)


def test_of_one_alone_the_parts_are_itself(tape):
    made = hft.backtest(Quoter, tape[:2_000], limits=LIMITS)
    assert made.strategies["Quoter"] is made and list(made.strategies) == ["Quoter"]
    assert "strategy" not in made.fills and made.orders["strategy"].dtype.kind == "u"


def test_no_future_is_seen_by_several(tape):
    found = hft.check_lookahead({"a": Quoter(edge=0), "b": Worker()}, tape[:2_000], cuts=2)
    assert found.ok and found.compared > 20 and found.strategy == "a, b"


def test_it_is_compared_like_any_other(made):
    first, second = made.strategies["a"], made.strategies["b"]
    assert "strategy" in first.compare(second).differences
    assert made.compare(made).same
