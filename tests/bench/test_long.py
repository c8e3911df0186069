"""The endless day of `hftlib.bench.long`: it only goes forward, and each time from empty books."""

import numpy as np

from hftlib.bench.long import Again, many_short, one_long, own_mib
from hftlib.core import events
from hftlib.feed.synthetic.market import synthetic
from hftlib.research.tape import to_tape


def test_a_day_again_and_again_is_one_tape_of_what_was_asked(tmp_path):
    day = to_tape(synthetic(symbols=1, seconds=20))
    made = to_tape(Again(day, 3 * len(day)), tmp_path / "long.tape")
    assert len(made) == 3 * (len(day) + 1)
    told = made.events
    assert (np.diff(told["time"].astype(np.int64)) >= 0).all()
    clears = np.flatnonzero((told["kind"] == events.CLEAR) & (told["instrument"] == events.ALL))
    assert clears.tolist() == [0, len(day) + 1, 2 * (len(day) + 1)]
    assert np.array_equal(told["price"][1 : len(day) + 1], day.events["price"])


def test_what_it_tells_is_what_it_ran(capsys):
    day = to_tape(synthetic(symbols=1, seconds=20))
    one_long(day, 2_000)
    many_short(day, 2)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 5 and "2 backtests" in said[-1]
    assert own_mib() > 10
