"""`hft bench live`: every datagram of a day is timed, and an odd day is refused in a sentence."""

from __future__ import annotations

import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to, trade

from hftlib.bench import live as bench
from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.journal.reading import frames

pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A day of trading, and one on which nothing happened."""
    folder = tmp_path_factory.mktemp("days")
    with Floor() as floor:
        listened_to(floor)
        first = begun(floor, folder / "traded")
        trade(floor, 8)
        first.runner.stop()
        floor.others.remove(first)
        second = begun(floor, folder / "idle")
        second.runner.stop()
    return folder


def test_every_datagram_is_timed_once_with_what_left_because_of_it(day):
    kinds = [one.name for one in frames(day / "traded")]
    asked = [
        kind == "DATAGRAM" and kinds[n + 1] == "SESSION_OUT" for n, kind in enumerate(kinds[:-1])
    ]
    found = bench.through(day / "traded")
    assert found[bench.ORDER].count == sum(asked) > 5
    assert found[bench.NOTHING].count == kinds.count("DATAGRAM") - sum(asked) > 5
    assert bench.journaled(day / "traded").count == sum(asked)
    for row in bench.benches(day / "traded"):
        assert row.run() > 0 and (row.probe is None or 0 < row.probe() < row.run())


def test_a_day_without_orders_or_none_at_all_is_refused(day):
    with pytest.raises(InputError, match="No order left because of a datagram that day"):
        bench.benches(day / "idle")
    with pytest.raises(InputError, match="needs a journal"):
        bench.benches()
