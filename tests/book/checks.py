"""What must hold of the books' memory at any moment, and how it is compared with the twin's.

    check(books)      walks every side, page, slot, level, queue, hash and free list, as `tables.py`
                      draws them, and asserts what each owes to the others
                      it returns the walk as plain lists, as the naive twin's `picture` does
    agree(books, twin) both pictures, every fact of every book, and every count
    answers(...)      events applied one by one in compiled code, with each answer kept

The walk is plain Python over numpy columns and uses nothing of the code it judges, but for asking
`find_order` and `find_page` whether they find what is there. Worst case: some microseconds for
each live order and level.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
from naive import FACTS, NaiveBooks

from hftlib.book import tables
from hftlib.book.apply import apply_event
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.ladder import find_page
from hftlib.book.references import find_order
from hftlib.book.tables import SENT_MAX, SIDE_MASK, SLOTS, UNIT_BYTES, books_at
from hftlib.core import jit
from hftlib.core.events import EVENT_BYTES
from hftlib.core.instruments import Instruments

MASK_31 = 2**31 - 1


def made(ticks: list[int], capacity: Capacity) -> tuple[Books, NaiveBooks]:
    """Books and their twin, with an instrument for each tick."""
    instruments = Instruments()
    for number, tick in enumerate(ticks):
        instruments.add(f"S{number}", venue="TEST", tick=tick)
    return Books(instruments, capacity=capacity), NaiveBooks(ticks, capacity)


@jit.compiled("void(int64, int64, int64, int64)")
def answers(base: int, events_address: int, count: int, into: int) -> None:
    """`apply_event` for each of a run of events; the answers go to an array of int64."""
    for number in range(count):
        done = apply_event(base, events_address + number * EVENT_BYTES)
        jit.store_i64(into + number * 8, done)


@jit.compiled("void(int64, int64, int64, int64)")
def found_orders(base: int, references: int, count: int, into: int) -> None:
    for number in range(count):
        reference = jit.load_i64(references + number * 8)
        jit.store_i64(into + number * 8, find_order(books_at(base), base, reference))


@jit.compiled("int64(int64, int64, int64)")
def found_page(base: int, side: int, number: int) -> int:
    return find_page(books_at(base), base, side, number) + 0  # an int64, whatever the field is


def answered(books: Books, array: np.ndarray[Any, Any]) -> list[int]:
    into = np.zeros(len(array), np.int64)
    answers(books.address, array.ctypes.data, len(array), into.ctypes.data)
    return into.tolist()


def agree(books: Books, twin: NaiveBooks) -> None:
    """All that can be asked of the books is what the twin says."""
    ours, theirs = check(books), twin.picture()
    for side in sorted(ours.keys() | theirs.keys()):
        for place, pair in enumerate(zip(ours.get(side, []), theirs.get(side, []), strict=False)):
            assert pair[0] == pair[1], f"side {side}, level {place} from the best"
        assert len(ours.get(side, [])) == len(theirs.get(side, [])), f"levels of side {side}"
    header, book = books.header, books.arena["book"]
    assert (header["orders"], header["levels"]) == (len(twin.orders), twin.levels)
    assert header["pages"] == len(twin.pages)
    counts = header["impossible"].tolist()
    assert {n: count for n, count in enumerate(counts) if count} == dict(twin.impossible)
    for name in FACTS:
        assert book[name].tolist() == [facts[name] for facts in twin.facts], name


def check(books: Books, *, all_named: bool = False) -> dict[int, list[Any]]:
    """Assert what holds of any books; with `all_named`, that no quantity is without its orders."""
    walk = _Walk(books)
    sides: dict[int, list[Any]] = {}
    for side in range(2 * int(books.header["instruments"])):
        levels = walk.side(side)
        if levels:
            sides[side] = levels
    if all_named:
        for level in (level for levels in sides.values() for level in levels):
            assert level[1] == sum(q for _, q in level[3]) and level[2] == len(level[3])
    walk.nothing_is_left_over()
    _references(books)
    return sides


class _Walk:
    """One walk from the books' sides down to their orders; what was met is noted on the way."""

    def __init__(self, books: Books) -> None:
        self.books, self.header = books, books.header
        arena = books.arena
        self.book, self.none = arena["book"], int(self.header["page_none"])
        self.pages = dict(enumerate(arena["pages"].tolist(), self.none))
        slots = arena.layout.slots
        first = (slots["levels"].offset - slots["books"].offset) // UNIT_BYTES
        used = np.flatnonzero(arena["levels"].view(np.int64).reshape(-1, 4).any(axis=1))
        rows = zip((first + used).tolist(), arena["levels"][used].tolist(), strict=True)
        self.levels = dict(rows)
        live = np.flatnonzero(arena["orders"]["level"])
        numbers = (live + int(self.header["homes"])).tolist()
        self.orders = dict(zip(numbers, arena["orders"][live].tolist(), strict=True))
        self.met: dict[str, set[int]] = {"pages": set(), "levels": set(), "orders": set()}
        assert not any(self.pages[self.none]), "none is not empty"
        assert min(self.levels, default=self.none * SLOTS + SLOTS) >= self.none * SLOTS + SLOTS

    def side(self, side: int) -> list[Any]:
        """The levels of a side, best first: (key, quantity, orders, [(reference, quantity)])."""
        state = self.book["ask" if side & 1 else "bid"][side >> 1]
        grid = (int(state["scale"]), int(state["shift"]))
        numbers: list[int] = []
        page, before, number_before = self._first_page(state), 0, -(2**63)
        while page:
            bits, chained, number, owner, better, worse = self.pages[page]
            assert (owner, better) == (side, before) and number > number_before
            assert chained & ~bits == 0 and bits != 0
            assert found_page(self.books.address, side, number) == page
            self._meet("pages", page)
            for slot in range(SLOTS):
                there = self._slot(page * SLOTS + slot, bits, chained, slot)
                for level in there:
                    assert self.levels[level][0] * grid[0] >> grid[1] == number * SLOTS + slot
                numbers += there
            page, before, number_before = worse, page, number
        levels = [self._level(number, side) for number in numbers]
        assert all(better[0] < worse[0] for better, worse in pairwise(levels))
        return levels

    def _first_page(self, state: Any) -> int:
        page = int(state["page"])
        assert state["number"] == (self.pages[page][2] if page else 0)
        return page

    def _slot(self, own: int, bits: int, chained: int, slot: int) -> list[int]:
        """The levels of a slot that are there, in order of price."""
        bit, chain, level = 1 << (SLOTS - 1 - slot), [], own
        while level in self.levels and (level == own or level != 0):
            assert len(chain) < len(self.levels), "a chain without an end"
            assert level == own or level >= self.header["extras"]
            chain.append(level)
            level = self.levels[level][5]
        assert (len(chain) > 1) == bool(chained & bit)
        there = [level for level in chain if self.levels[level][1] != 0]
        assert bool(there) == bool(bits & bit)
        assert all(level in there for level in chain[1:])
        return sorted(there, key=lambda level: self.levels[level][0])

    def _level(self, number: int, side: int) -> tuple[int, int, int, list[tuple[int, int]]]:
        self._meet("levels", number)
        key, quantity, count, last, order, _ = self.levels[number]
        queue, before = [], number
        while order not in (0, number):  # 0: there never was one
            reference, size, level, ahead, behind, flags = self.orders[order]
            assert (level, ahead, flags & SIDE_MASK) == (number, before, side) and size > 0
            self._meet("orders", order)
            queue.append((reference, size))
            before, order = order, behind
        assert before == (last or number)
        assert quantity > 0 and quantity >= sum(size for _, size in queue)
        return key, quantity, count, queue

    def _meet(self, what: str, number: int) -> None:
        assert number not in self.met[what], f"{number} of the {what} is in two places"
        self.met[what].add(number)

    def nothing_is_left_over(self) -> None:
        """Each order, level and page is met on the walk or free, never both, never neither."""
        header = self.header
        for what, met in self.met.items():
            assert header[what] == len(met), what
        assert self.met["orders"] == self.orders.keys()
        assert self.met["levels"] == {n for n, one in self.levels.items() if one[1] != 0}
        extras = int(header["extras"])
        behind = [self.levels[extras + n][5] for n in range(int(header["extras_used"]))]
        _free(int(header["extra_free"]), behind, extras, self.met["levels"])
        behind = [self.pages[self.none + 1 + n][5] for n in range(int(header["pages_used"]))]
        _free(int(header["page_free"]), behind, self.none + 1, self.met["pages"])
        places = self.books.arena["places"]
        entries = [(n, s, p) for n, s, p in places[places["page"] != 0].tolist()]
        there = [(self.pages[p][2], self.pages[p][3], p) for p in self.met["pages"]]
        assert sorted(entries) == sorted(there)


def _free(head: int, links: list[int], first: int, live: set[int]) -> None:
    """Of the numbers from `first` on, each is live or in the list of free ones."""
    free: set[int] = set()
    while head:
        assert head not in free and head not in live, f"{head} is free twice, or live"
        free.add(head)
        head = links[head - first]
    here = {number for number in live if number >= first}
    assert len(free) + len(here) == len(links), "some are neither live nor free"


def _references(books: Books) -> None:
    """Each live order is found, at home or as a guest; the hash holds the guests, and only them."""
    header, orders = books.header, books.arena["orders"]
    homes = int(header["home_mask"]) + 1
    first = int(header["homes"])
    live = np.flatnonzero(orders["level"])
    references, found = np.ascontiguousarray(orders["reference"][live]), np.zeros_like(live)
    assert len(np.unique(references)) == len(live)
    found_orders(books.address, references.ctypes.data, len(live), found.ctypes.data)
    assert np.array_equal(found, live + first)
    at_home = live < homes
    wanted = references & (homes - 1)
    assert np.array_equal(live[at_home], wanted[at_home])
    guests = live[~at_home]
    entries = books.arena["guests"][books.arena["guests"] != 0]
    assert np.array_equal(np.sort(entries & MASK_31), guests + first)
    sent = Counter(wanted[~at_home].tolist())
    told = orders["side"][:homes] // (SIDE_MASK + 1)
    for home in np.flatnonzero(told).tolist():
        assert told[home] in (sent[home], SENT_MAX)  # a full count stays
    assert sent.keys() <= set(np.flatnonzero(told).tolist())
    used = int(header["guests_used"])
    links = orders["behind"][homes : homes + used].tolist()
    live_guests = set((guests + first).tolist())
    _free(int(header["guest_free"]), links, int(header["strangers"]), live_guests)


def check_nothing_is_left(books: Books) -> None:
    """After the last order and level are gone, all memory is as free as at the start."""
    check(books)
    header, arena = books.header, books.arena
    assert (header["orders"], header["levels"], header["pages"]) == (0, 0, 0)
    assert not arena["orders"]["level"].any() and not arena["guests"].any()
    assert not arena["places"]["page"].any() and not arena["levels"]["quantity"].any()
    assert not arena["levels"]["orders"].any() and not arena["pages"]["bits"].any()
    sent = arena["orders"]["side"] // (tables.SIDE_MASK + 1)
    assert set(np.unique(sent).tolist()) <= {0, SENT_MAX}
