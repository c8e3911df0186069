"""The exchange as a whole: garbage in, what its memory owes to itself, and its settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_exchange_duels import Flow
from venue_words import buy, made, told

from hftlib.book.capacity import Capacity
from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.events import ALL, EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.orders import COMMAND
from hftlib.venue import tables
from hftlib.venue.exchange import Exchange, queue_rule

pytestmark = [
    pytest.mark.modes,
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered"),
    pytest.mark.filterwarnings("ignore:invalid value encountered"),
]
EDGES = (0, 1, -1, 2, 5, 100, 255, 2**31, 2**32 - 1, 2**40, 2**56 - 1, 2**56, -(2**56))
EDGES += (2**61, 2**62, 2**62 + 3, 2**63 - 1, -(2**63))
STEPS = 3000 if jit.COMPILED and not jit.BOUNDS_CHECKED else 500


def spoiled(one: Any, chance: np.random.Generator) -> Any:
    """Now and then a field is some telling number, or the event another's kind."""
    dtype = one.dtype
    for name in dtype.names:
        if chance.integers(0, 25) == 0:
            number = int(chance.choice(np.array(EDGES)))
            one[name] = np.array(number & (2**64 - 1), np.uint64).astype(dtype[name])
    if dtype == EVENT and chance.integers(0, 10) == 0:
        one["kind"] = chance.integers(0, 20)
        one["instrument"] = chance.choice(np.array([0, 1, 2, ALL]))
    return one


def lists_of(exchange: Exchange, row: int) -> list[list[int]]:
    """The four lists, walked forwards, each link back checked."""
    own, listing = exchange.arena["own"], exchange.arena["listings"][row]
    found = []
    for which in range(4):
        one, before, walked = int(listing["first"][which]), 0, []
        while one != 0:
            assert own["before"][one] == before
            assert not walked or own["key"][before] <= own["key"][one]
            walked.append(one)
            before, one = one, int(own["next"][one])
        assert listing["last"][which] == before
        found.append(walked)
    return found


def check(exchange: Exchange) -> None:
    """What the parts of the memory owe to each other."""
    own, takens = exchange.arena["own"], exchange.arena["takens"]
    books = exchange.books.standing()
    ours = {int(r["reference"]): r for r in books if r["reference"] >= tables.OWN_REFERENCE}
    in_books = 0
    for row in range(2):
        lists, listing = lists_of(exchange, row), exchange.arena["listings"][row]
        assert sum(map(len, lists)) == listing["live"]
        places = takens["place"]
        heard = (places != 0) & (places >> 2 == row) & (takens["told"] == -1)
        assert listing["busy"] == listing["live"] + heard.sum()
        for side, walked in enumerate(lists[:2]):
            for one in map(int, walked):
                order = own[one]
                assert (order["state"], order["side"]) == (tables.STANDING, side + 1)
                assert 0 < order["shown"] <= order["quantity"] - order["filled"]
                if listing["rule"] == tables.FIFO:
                    stood = ours[tables.OWN_REFERENCE + int(order["id"])]
                    assert (stood["quantity"], stood["price"]) == (order["shown"], order["price"])
                    in_books += 1
    assert in_books == len(ours)
    assert exchange.header["live"] == np.count_nonzero(own["state"])


@pytest.mark.parametrize("rule", ["fifo", "risk-averse", "power(2)", "log", "pro-rata", "auto"])
def test_garbage_is_survived_and_leaves_the_memory_whole(rule: str):
    exchange = made(rule, own_max=32)
    flow, chance = Flow(5, rule in ("fifo", "auto")), np.random.default_rng(6)
    for step in range(STEPS):
        one = spoiled(flow.made(), chance)
        if one.dtype == COMMAND:
            exchange.command(one, step)
        else:
            exchange.event(one)
        if step % 16 == 0:
            check(exchange)
    check(exchange)
    assert exchange.header["match"] > 0


def test_books_too_small_for_our_orders_end_them_with_a_reason():
    instruments = Instruments()
    instruments.add("ONE", venue="TEST")
    settings = SimpleNamespace(
        queue="fifo", partial_fills=True, self_match="cancel newest", impact=None
    )
    capacity = Capacity(instruments=1, orders=4, levels=2, pages=2)
    exchange = Exchange(instruments, settings, capacity=capacity, own_max=8)
    assert told(exchange, buy(1, 5, 100), buy(2, 5, 99), buy(3, 5, 98)) == [
        "1 accepted 5 @ 100 behind 0",
        "2 accepted 5 @ 99 behind 0",
        "3 rejected VENUE_FULL",
    ]


def test_settings_that_make_no_sense_are_refused_with_a_sentence():
    assert queue_rule("power(3)") == (tables.POWER, 3)
    for queue in ("power(9)", "power(0.5)", "first", ""):
        with pytest.raises(InputError, match="There is no queue rule"):
            queue_rule(queue)
    with pytest.raises(InputError, match="no self-match rule"):
        made(self_match="cancel none")
    with pytest.raises(InputError, match="no number of own orders"):
        made(own_max=0)


def test_the_rule_of_one_instrument_is_chosen_before_its_first_order():
    exchange = made("fifo")
    exchange.set_rule("TWO", "log")
    assert exchange.arena["listings"]["rule"].tolist() == [tables.FIFO, tables.LOG]
    told(exchange, buy(7, 5))
    with pytest.raises(InputError, match="orders of ours in its queue already"):
        exchange.set_rule("ONE", "log")
    assert repr(exchange).startswith("<Exchange of 2 instruments: 1 orders of ours live")


def test_the_same_story_gives_the_same_bytes():
    def played() -> str:
        exchange, flow = made("fifo", own_max=256), Flow(3, True)
        told(exchange, *(flow.made() for _ in range(300)))
        for name in tables.VENUE.names:
            if name.startswith("call_"):
                exchange.arena["venue"][name] = 0
        return exchange.arena.digest()

    assert played() == played()
