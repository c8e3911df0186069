"""Orders are found by reference wherever they had to go, and the hash of guests stays whole."""

from __future__ import annotations

import numpy as np
import pytest
from checks import agree, answered, check, check_nothing_is_left, made

from hftlib.book.capacity import Capacity
from hftlib.book.references import tag_of
from hftlib.book.tables import SENT_MAX
from hftlib.core import events, jit
from hftlib.core.events import EVENT


def adds(references: np.ndarray) -> np.ndarray:
    array = np.zeros(len(references), EVENT)
    array["kind"], array["side"] = events.ADD, events.BUY
    array["reference"], array["price"], array["quantity"] = references, 100, 1
    return array


def deletes(references: np.ndarray) -> np.ndarray:
    array = adds(references)
    array["kind"], array["side"] = events.DELETE, 0
    return array


@pytest.mark.parametrize("homes", [1, 16, 1 << 12])
@pytest.mark.parametrize("step", [1, 1 << 12, 1 << 31, (1 << 31) + 1, -(1 << 40)])
def test_orders_come_and_go_in_any_order(homes: int, step: int):
    """Some thousand references, side by side or all with one home: each found, each leaves."""
    count = 3_000
    references = np.arange(-count // 2, count // 2, dtype=np.int64) * step
    books, twin = made([1], Capacity(1, count, 8, 8, homes))
    array = adds(references)
    assert answered(books, array) == twin.apply(array) == [1] * count
    agree(books, twin)
    chance = np.random.default_rng(homes)
    for part in np.array_split(chance.permutation(references), 4):
        array = np.concatenate([deletes(part), adds(part[::3]), deletes(part[::3]), deletes(part)])
        assert answered(books, array) == twin.apply(array)
        agree(books, twin)
    check_nothing_is_left(books)


def test_a_home_that_sent_on_more_guests_than_it_can_count_still_finds_them_all():
    count = SENT_MAX + 500
    references = np.arange(count, dtype=np.int64) << 20
    books, _ = made([1], Capacity(1, count, 8, 8, 1 << 10))
    assert answered(books, adds(references)) == [1] * count
    check(books, all_named=True)
    assert books.arena["orders"]["side"].max() >> 20 == SENT_MAX
    assert answered(books, deletes(references[::2])) == [1] * len(references[::2])
    check(books)
    assert answered(books, adds(references)).count(1) == len(references[::2])
    assert answered(books, deletes(references)) == [1] * count
    check_nothing_is_left(books)
    assert answered(books, deletes(references)) == [-1] * count


@pytest.mark.modes
def test_references_with_one_tag_are_told_apart():
    """An enemy's choice: the tag of a reference folds its high bits onto its low ones."""
    count = 200 if jit.COMPILED else 40
    low = np.arange(count, dtype=np.int64)
    references = (low << 31) | (low ^ 12345)  # reference ^ reference >> 31 ends in the same 31 bits
    assert len({tag_of(int(reference)) for reference in references}) == 1
    books, twin = made([1], Capacity(1, 256, 8, 8, 1))
    everything = np.concatenate([adds(references), deletes(references[::2]), adds(references)])
    assert answered(books, everything) == twin.apply(everything)
    agree(books, twin)
    assert answered(books, deletes(references)) == [1] * count
    check_nothing_is_left(books)


@pytest.mark.modes
def test_a_tag_has_31_bits_in_every_mode():
    chance = np.random.default_rng(0)
    edges = [0, 1, -1, 2**31 - 1, 2**31, 2**63 - 1, -(2**63)]
    for reference in [*edges, *chance.integers(-(2**63), 2**63 - 1, 50).tolist()]:
        folded = (reference ^ (reference >> 31)) & (2**31 - 1)
        mixed = folded * 0x5BD1E995
        assert tag_of(reference) == (mixed ^ (mixed >> 31)) & (2**31 - 1)


@pytest.mark.modes
def test_a_guest_stays_found_when_its_home_becomes_free_and_taken_again():
    books, twin = made([1], Capacity(1, 8, 8, 8, 4))
    first, guest, third = np.array([[4], [8], [12]])
    for step in (
        adds(first), adds(guest), deletes(first), adds(guest), adds(third), adds(first),
        deletes(third), deletes(guest), adds(guest), deletes(first), deletes(guest),
    ):  # fmt: skip
        assert answered(books, step) == twin.apply(step)
        agree(books, twin)
    check_nothing_is_left(books)
