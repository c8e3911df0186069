"""Timers: as many as there are places, each by its number, the earliest first."""

import pytest

from hftlib.core import orders
from hftlib.engine import path, services
from hftlib.engine.memory import FOREVER, TIMERS_MAX
from tests.engine.desk import Desk


@pytest.fixture
def desk():
    return Desk()


def set_timer(desk, delay, number):
    return services.timer(desk.session.arena.address_of("context"), delay, number)


def waiting(desk):
    """The timers that are set: when each is due, by number."""
    rows = desk.session.arena["session"]["timers"][0]
    return {int(row["number"]): int(row["due"]) for row in rows if row["due"] != FOREVER}


def next_timer(desk):
    return int(desk.session.arena["session"]["next_timer"][0])


@pytest.mark.modes
def test_there_are_so_many_timers_and_no_more(desk):
    for number in range(TIMERS_MAX):
        assert set_timer(desk, 5_000 + number, number) == 0
    assert set_timer(desk, 2_000, 99) == -orders.NO_ROOM
    assert waiting(desk) == {n: 6_000 + n for n in range(TIMERS_MAX)}
    # One that is set already is moved, though all places are taken.
    assert set_timer(desk, 2_000, 7) == 0
    assert waiting(desk)[7] == next_timer(desk) == 3_000


@pytest.mark.modes
def test_timers_go_off_in_order_and_leave_their_place(desk):
    for number in range(TIMERS_MAX):
        set_timer(desk, 5_000 + 7 * number % 64, number)
    heard = []
    while next_timer(desk) != FOREVER:
        before = waiting(desk)
        path.timer(desk.base)
        (gone,) = set(before) - set(waiting(desk))
        heard.append(before[gone])
    assert heard == sorted(heard)
    assert len(heard) == TIMERS_MAX
    assert set_timer(desk, 2_000, 99) == 0
    assert list(waiting(desk)) == [99]
