"""Venues that mark where a message ends, beside venues that do not: told of when whole."""

import numpy as np
from tapes import OPEN, ArraySource, event

import hftlib as hft
from hftlib.core.events import LAST
from hftlib.core.instruments import Instruments
from hftlib.research.backtest import ran
from hftlib.research.setting_up import settings_of, strategy_of
from hftlib.research.tape import to_tape

MARKED, SILENT, PLAIN = range(3)


@hft.strategy
class CountsBooks:
    """How often the book of each instrument was told of."""

    heard: int = hft.state(size=3)

    def on_book(self, ctx, i):
        self.heard[i] += 1


def heard(rows):
    """Told of, by instrument, after LEVELs of (instrument, side, flags)."""
    table = Instruments()
    for symbol, venue in (("A", "MARKS"), ("B", "MARKS"), ("A", "PLAIN")):
        table.add(symbol, venue=venue, tick=100, round_lot=1)
    made = [
        event("LEVEL", time=OPEN + n, instrument=row, side=side, price=50_000 * side, flags=flags)
        for n, (row, side, flags) in enumerate(rows)
    ]
    for n, one in enumerate(made):
        one["quantity"] = n + 1
    tape = to_tape(ArraySource(np.concatenate(made), table))
    run, ended = ran(strategy_of(CountsBooks, {}), tape, settings_of(None, tape), hft.Limits())
    assert ended == ""
    return run.session.arena["state"][0]["heard"].tolist()


def test_a_venue_that_marks_no_ends_is_heard_beside_one_that_does():
    message = [(MARKED, 1, 0), (MARKED, 2, LAST), (PLAIN, 1, 0), (PLAIN, 2, 0)]
    assert heard(3 * message) == [3, 0, 6]


def test_an_instrument_of_a_venue_that_marks_waits_for_its_own_mark():
    assert heard([(MARKED, 1, LAST), (SILENT, 1, 0)]) == [1, 0, 0]
    assert heard([(MARKED, 1, LAST), (SILENT, 1, 0), (SILENT, 1, LAST)]) == [1, 1, 0]
