"""Numbers of orders: whose they are, and that places of different strategies never coincide."""

import random

import pytest

from hftlib.core import jit
from hftlib.core.numbers import EACH, SLOTS_MAX, STRATEGIES_MAX, place_of, whose

pytestmark = pytest.mark.modes


@jit.compiled("int64(int64)")
def asked(number: int) -> int:
    return whose(number)


@jit.compiled("int64(int64, int64, int64)")
def placed(number: int, each: int, mask: int) -> int:
    return place_of(number, each, mask)


@pytest.mark.parametrize("strategy", range(STRATEGIES_MAX))
def test_a_range_is_one_strategys(strategy):
    for local in (1, 2, SLOTS_MAX, EACH - 1):
        assert asked(strategy * EACH + local) == strategy


@pytest.mark.parametrize("count", [1, 2, 3, 8, STRATEGIES_MAX])
def test_orders_that_are_open_together_have_places_of_their_own(count):
    """Any SLOTS_MAX of a strategy whose low bits differ, as those of its open orders do."""
    chance = random.Random(count)
    shares = 1 << (count - 1).bit_length()
    mask = shares * SLOTS_MAX - 1
    seen = set()
    for strategy in range(count):
        for slot in range(1, SLOTS_MAX, 7):
            number = strategy * EACH + slot + SLOTS_MAX * chance.randrange(EACH // SLOTS_MAX - 1)
            place = placed(number, SLOTS_MAX, mask)
            assert 0 <= place <= mask and place not in seen
            seen.add(place)


def test_of_one_strategy_the_place_is_its_low_bits_whatever_the_number():
    chance = random.Random(1)
    for _ in range(500):
        number = chance.randrange(-(2**62), 2**62)
        assert placed(number, 1 << 16, (1 << 16) - 1) == number & 0xFFFF
