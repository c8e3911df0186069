"""Memory that is used again: each run is, to the last byte, what a backtest of its own is."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.research.setting_up import settings_of, tape_of
from hftlib.research.sweep.reruns import Ground, Reruns
from hftlib.research.sweep.trying import result_from
from hftlib.risk.limits import Limits
from tests.research.sweep_desk import VENUE, Chancy, tapes

SLOW = hft.Latency.lognormal("1ms", "5ms")
HORIZONS = (10**6, 10**9)
SECOND = 10**9


def ground(venue=VENUE, limits=None, directives=(), part=slice(None)):
    tape = tape_of(hft.open_tape(tapes()[0])[part])
    held = limits or Limits()
    return Ground(tape, settings_of(venue, tape), held, {}, directives, HORIZONS, SECOND)


def judged(ground, venue, number, result):
    """Against a backtest that begins from nothing."""
    chance = np.random.default_rng(number)
    params = {"edge": int(chance.integers(1, 4)), "lean": float(chance.uniform(0, 3))}
    params["clip"] = int(chance.choice([1, 100, 5_000]))
    run, ended = ground.go(Chancy(**params))
    ours = result_from(run, ground.ground, ended, ground.ground.tape.end)
    alone = hft.backtest(
        Chancy, ground.ground.tape, params=params, venue=venue, every=SECOND, horizons=HORIZONS,
        limits=ground.ground.limits, directives=ground.ground.directives,
    )  # fmt: skip
    assert ours.digest == alone.digest and ours.check() == []
    for name, rows in alone.records.items():
        assert np.array_equal(ours.records[name], rows), name
    assert ours.stats.to_dict() == alone.stats.to_dict()
    assert {**ours.counts} == {**alone.counts} and ours.refused == alone.refused
    result.append(len(ours.records["fills"]))


@pytest.mark.parametrize(
    "venue",
    [
        VENUE,
        hft.Venue(feed_latency=SLOW, order_latency=hft.Latency(SLOW, response=SLOW), seed=5),
        hft.Venue(order_latency="1ms", impact=hft.Impact(), fees=hft.Fees(maker="-0.2bp")),
    ],
    ids=["near", "drawn", "impact"],
)
def test_run_after_run_is_what_a_backtest_alone_is(venue):
    made, fills = Reruns(ground(venue)), []
    for number in range(12):
        judged(made, venue, number, fills)
    assert sum(fills) > 100 and len(set(fills)) > 3


def test_limits_and_directives_begin_anew_as_well():
    halt = hft.halt("firm", at=ground().tape.begin + 20 * SECOND, who="ann", why="odd fills")
    limits = Limits(position_lots=300, messages=200)
    made, fills = Reruns(ground(limits=limits, directives=(halt,))), []
    for number in range(6):
        judged(made, VENUE, number, fills)


def test_a_slice_begins_with_the_books_as_they_stood():
    made, fills = Reruns(ground(part=slice(700, 1_500))), []
    for number in range(6):
        judged(made, VENUE, number, fills)
    assert sum(fills)


def test_books_that_grow_and_runs_that_were_given_up_leave_nothing_behind():
    made, fills = Reruns(ground()), []
    small = ground().tape
    from hftlib.research.setting_up import first_room

    made.ground.room = first_room(small).__class__(instruments=1, orders=32, levels=32, pages=8)
    judged(made, VENUE, 1, fills)
    assert made.ground.room.orders > 32

    class EnoughError(Exception):
        pass

    def look(run):
        if run.seen > run.count:
            raise EnoughError

    for number in range(3):
        with pytest.raises(EnoughError):
            made.go(Chancy(edge=1), look, looks=16)
        judged(made, VENUE, number, fills)
