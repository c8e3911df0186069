"""The rules of the books told one by one: queues, impossible inputs, full memory, late starts."""

from __future__ import annotations

import numpy as np
import pytest
from checks import agree, answered, check, check_nothing_is_left, made
from flows import ALL, Flow
from stories import ASK, BID, add, event, level, quantities, queue, tell

from hftlib.book import tables
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import events, jit
from hftlib.core.events import BUY, NOT_PRINTABLE, SELL

# Prices of garbage overflow on their way to no level; uncompiled, numpy says so.
WRAPS = pytest.mark.filterwarnings("ignore:overflow encountered")
SMALL = Capacity(instruments=3, orders=32, levels=16, pages=8, homes=16)


def books_of(capacity: Capacity = SMALL) -> Books:
    return made([1] * capacity.instruments, capacity)[0]


@pytest.mark.modes
@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    ("kind", "fields", "left"),
    [
        (events.EXECUTE, {"quantity": 4}, "keeps its place with less"),
        (events.EXECUTE, {"quantity": 10}, "leaves"),
        (events.CANCEL, {"quantity": 4}, "keeps its place with less"),
        (events.CANCEL, {"quantity": 10}, "leaves"),
        (events.DELETE, {}, "leaves"),
        (events.REPLACE, {"other": 9, "price": 100, "quantity": 3}, "goes to the end"),
        (events.REPLACE, {"other": -1, "price": 100, "quantity": 3}, "goes to the end"),
        (events.REPLACE, {"other": 9, "price": 101, "quantity": 3}, "goes elsewhere"),
    ],
)
def test_at_every_place_of_a_queue(place: int, kind: int, fields: dict, left: str):
    books = books_of()
    before = [(reference, 10) for reference in (11, 27, 43, 5, 2)]
    assert tell(books, *(add(*one) for one in before)) == [1] * 5
    reference = before[place][0]
    new = fields.get("other", 0)
    fields = fields | ({"other": reference} if new == -1 else {})  # replaced under its own name
    assert tell(books, event(kind, reference, **fields)) == [1]
    others = before[:place] + before[place + 1 :]
    wanted = {
        "keeps its place with less": [*before[:place], (reference, 6), *before[place + 1 :]],
        "leaves": others,
        "goes to the end": [*others, (fields.get("other"), 3)],
        "goes elsewhere": others,
    }[left]
    assert queue(books) == wanted
    assert queue(books, 101) == ([(9, 3)] if left == "goes elsewhere" else [])
    for one, _ in [*wanted, *queue(books, 101)]:
        assert tell(books, event(events.DELETE, one)) == [1]
    check_nothing_is_left(books)


REFUSED = [
    (event(events.DELETE, 99), tables.NO_ORDER),
    (event(events.EXECUTE, 99, quantity=1, side=BUY), tables.NO_ORDER),
    (event(events.EXECUTE, 99, quantity=1, side=3, price=100), tables.NO_ORDER),
    (event(events.CANCEL, 99, quantity=1, side=255, price=100), tables.NO_ORDER),
    (event(events.REPLACE, 99, other=7, quantity=1, side=BUY, price=100), tables.NO_ORDER),
    (event(events.CANCEL, 99, quantity=1, side=BUY, price=5), tables.NO_ORDER),
    (event(events.CANCEL, 99, quantity=1, side=BUY, price=-(2**63)), tables.NO_ORDER),
    (event(events.CANCEL, 99, quantity=0, side=BUY, price=100), tables.NO_QUANTITY),
    (event(events.CANCEL, 99, quantity=1, side=BUY, price=100), tables.TOO_MUCH_LEVEL),
    (add(1, 5), tables.DOUBLE_ORDER),
    (add(1, 5, instrument=1), tables.DOUBLE_ORDER),
    (add(3, 0), tables.NO_QUANTITY),
    (add(3, -1), tables.NO_QUANTITY),
    (add(3, tables.QUANTITY_MAX), tables.NO_QUANTITY),
    (add(3, 5, price=tables.KEY_MAX), tables.WRONG_PRICE),
    (add(3, 5, price=-tables.KEY_MAX), tables.WRONG_PRICE),
    (add(3, 5, price=-(2**63), side=SELL), tables.WRONG_PRICE),
    (add(3, 5, side=0), tables.NO_SIDE),
    (add(3, 5, side=3), tables.NO_SIDE),
    (add(3, 5, instrument=3), tables.NO_INSTRUMENT),
    (add(3, 5, instrument=ALL), tables.NO_INSTRUMENT),
    (event(events.NOTICE, instrument=3), tables.NO_INSTRUMENT),
    (event(events.DELETE, 1, instrument=1), tables.OTHER_INSTRUMENT),
    (event(events.EXECUTE, 1, quantity=0), tables.NO_QUANTITY),
    (event(events.CANCEL, 1, quantity=-5), tables.NO_QUANTITY),
    (event(events.REPLACE, 1, other=9, quantity=0, price=100), tables.NO_QUANTITY),
    (event(events.REPLACE, 1, other=9, quantity=2**63 - 1, price=100), tables.NO_QUANTITY),
    (event(events.REPLACE, 1, other=9, quantity=1, price=2**56), tables.WRONG_PRICE),
    (event(events.REPLACE, 1, other=2, quantity=1, price=100), tables.DOUBLE_ORDER),
    (level(100, -1), tables.NO_QUANTITY),
    (level(100, tables.QUANTITY_MAX), tables.NO_QUANTITY),
    (level(2**60, 1), tables.WRONG_PRICE),
    (level(100, 1, side=0), tables.NO_SIDE),
    (level(100, 1, side=200), tables.NO_SIDE),
    (level(100, 1, instrument=ALL), tables.NO_INSTRUMENT),
    (event(events.QUOTE, price=2**57, quantity=1, side=BUY), tables.WRONG_PRICE),
    (event(events.QUOTE, price=100, quantity=-1, side=BUY), tables.NO_QUANTITY),
    (event(events.QUOTE, price=100, quantity=1), tables.NO_SIDE),
    (event(events.CLEAR, side=3), tables.NO_SIDE),
]


@WRAPS
@pytest.mark.modes
def test_what_is_impossible_is_counted_by_reason_and_changes_no_level():
    books = books_of()
    assert tell(books, add(1, 5), add(2, 7, 101), add(4, 1, 105, SELL)) == [1, 1, 1]
    before = check(books)
    counted = np.zeros(16, np.int64)
    for wrong, reason in REFUSED:
        assert tell(books, wrong) == [-reason], (wrong, tables.REASONS[reason])
        assert check(books) == before, wrong
        counted[reason] += 1
        assert books.header["impossible"].tolist() == counted.tolist()
    assert books.impossible == {tables.REASONS[n]: counted[n] for n in np.flatnonzero(counted)}
    assert not books.stale  # a feed that says nonsense is not a feed that lost messages


@pytest.mark.modes
def test_more_taken_off_than_was_there_empties_the_order_and_is_counted():
    for kind in (events.EXECUTE, events.CANCEL):
        books = books_of()
        assert tell(books, add(1, 5), event(kind, 1, quantity=6)) == [1, -tables.TOO_MUCH]
        assert books.arena["book"]["volume"][0] == (5 if kind == events.EXECUTE else 0)
        check_nothing_is_left(books)


@pytest.mark.modes
@pytest.mark.parametrize("kind", [0, events.BREAK, events.SESSION, events.IMBALANCE, 19, 255])
def test_what_says_nothing_to_a_book_says_nothing(kind: int):
    books = books_of()
    tell(books, add(1, 5))
    before = check(books)
    fields = {"quantity": 2, "price": 100, "side": BUY, "other": 8}
    assert tell(books, event(kind, 1, **fields), event(kind, 1, **fields, instrument=ALL)) == [0, 0]
    assert check(books) == before and books.impossible == {}


@pytest.mark.modes
def test_trades_print_where_they_count():
    books = books_of()
    told = []
    for one in (
        add(1, 10),
        event(events.EXECUTE, 1, quantity=2),
        event(events.EXECUTE, 1, quantity=3, price=99, flags=NOT_PRINTABLE),
        event(events.TRADE, quantity=4, price=98),
        event(events.TRADE, quantity=0, price=97),
        event(events.CROSS, quantity=6, price=96),
        event(events.EXECUTE, 1, quantity=100, price=95),
    ):
        tell(books, one)
        book = books.arena["book"][0]
        told.append(tuple(int(book[name]) for name in ("last", "last_size", "volume", "trades")))
    assert told == [
        (0, 0, 0, 0),
        (100, 2, 2, 1),
        (100, 2, 2, 1),  # printed elsewhere
        (98, 4, 6, 2),
        (98, 4, 6, 2),
        (96, 6, 12, 3),
        (95, 5, 17, 4),
    ]


@pytest.mark.modes
def test_an_execution_that_names_its_price_is_a_trade_whatever_the_book_knows():
    books = books_of()
    known = event(events.LEVEL, side=BUY, price=100, quantity=50)
    orphan = event(events.EXECUTE, 7, side=BUY, price=100, quantity=80)
    assert tell(books, known, orphan) == [1, -tables.TOO_MUCH_LEVEL]
    assert tell(books, event(events.EXECUTE, 8, quantity=5)) == [-tables.NO_ORDER]
    book = books.arena["book"][0]
    assert (book["last"], book["volume"], book["trades"]) == (100, 80, 1)


@pytest.mark.modes
def test_no_sum_wraps():
    books = books_of()
    huge = tables.QUANTITY_MAX - 1
    assert tell(books, event(events.CROSS, price=1, quantity=2**62)) == [-tables.NO_QUANTITY]
    assert tell(books, event(events.TRADE, price=1, quantity=-1)) == [-tables.NO_QUANTITY]
    for _ in range(70):
        tell(books, event(events.CROSS, price=1, quantity=huge))
    book = books.arena["book"][0]
    book["volume"] = tables.TOTAL_MAX
    tell(books, event(events.CROSS, price=1, quantity=huge))
    assert book["volume"] == tables.TOTAL_MAX
    tell(books, event(events.LEVEL, side=BUY, price=100, quantity=huge))
    quantities = books.arena["levels"]["quantity"]
    quantities[quantities == huge] = tables.TOTAL_MAX
    assert tell(books, add(1, 10)) == [-tables.NO_QUANTITY]


@pytest.mark.modes
def test_what_could_not_be_read_makes_books_stale_until_a_new_start():
    books = books_of()
    unknown = event(events.UNREADABLE, events.UNKNOWN_TYPE, instrument=events.ALL)
    assert tell(books, unknown) == [0] and not books.stale
    tell(books, event(events.UNREADABLE, events.WRONG_LENGTH))
    assert set(books.stale.values()) == {"a message could not be read"} and len(books.stale) == 1
    tell(books, event(events.UNREADABLE, events.CUT_OFF, instrument=events.ALL))
    assert len(books.stale) == len(books.instruments)
    tell(books, event(events.GAP, instrument=events.ALL), event(events.CLEAR))
    assert len(books.stale) == len(books.instruments) - 1
    tell(books, event(events.CLEAR, instrument=events.ALL))
    assert not books.stale


@pytest.mark.modes
def test_a_level_from_a_snapshot_has_quantity_whose_orders_have_no_names():
    books = books_of()
    whose = {"side": BUY, "price": 100}
    assert tell(books, level(100, 50, reference=3), add(1, 10)) == [1, 1]
    assert (quantities(books), queue(books)) == ({100: 60}, [(1, 10)])
    assert tell(
        books,
        event(events.EXECUTE, 70, quantity=20, **whose),
        event(events.DELETE, 71, quantity=30, **whose),
        event(events.CANCEL, 72, quantity=1, **whose),
    ) == [1, 1, -tables.TOO_MUCH_LEVEL]
    assert (quantities(books), queue(books)) == ({100: 10}, [(1, 10)])
    assert books.arena["book"][0]["volume"] == 20
    assert tell(books, level(100, 50), event(events.DELETE, 1, quantity=10, **whose)) == [1, 1]
    assert (quantities(books), queue(books)) == ({100: 40}, [])  # 1 has lost its name
    assert tell(books, event(events.DELETE, 1, quantity=40, **whose)) == [1]
    check_nothing_is_left(books)


@pytest.mark.modes
def test_the_number_of_orders_that_a_feed_tells_is_kept_when_it_can_be_one():
    books = books_of()
    for told, kept in [(3, 3), (0, 0), (-1, 0), (2**30, 2**30), (2**30 + 1, 0), (2**63 - 1, 0)]:
        tell(books, level(100, 5, reference=told))
        assert check(books)[BID][0][2] == kept


@pytest.mark.modes
def test_quote_and_clear_take_everything_off_a_side():
    books = books_of()
    everything = [add(n, n, 90 + n) for n in range(1, 6)] + [add(9, 1, 200, SELL), level(80, 4)]
    tell(books, *everything)
    assert tell(books, event(events.QUOTE, side=BUY, price=101, quantity=8)) == [1]
    assert (quantities(books, BID), quantities(books, ASK)) == ({101: 8}, {200: 1})
    assert books.header["orders"] == 1
    assert tell(books, event(events.QUOTE, side=BUY, quantity=0)) == [1]
    assert (quantities(books, BID), quantities(books, ASK)) == ({}, {200: 1})
    tell(books, *everything[:5], add(7, 1, instrument=1), add(8, 1, instrument=2))
    assert tell(books, event(events.CLEAR, side=SELL)) == [1]
    assert (len(quantities(books, BID)), quantities(books, ASK)) == (5, {})
    assert tell(books, event(events.CLEAR)) == [1]
    assert (quantities(books, BID), quantities(books, BID, 1)) == ({}, {100: 1})
    assert tell(books, event(events.CLEAR, instrument=ALL)) == [1]
    check_nothing_is_left(books)


@pytest.mark.modes
def test_clear_with_a_price_takes_the_levels_from_the_best_up_to_there():
    books = books_of()
    tell(books, *(add(10 + n, 1, 90 + n) for n in range(4)), level(92, 5))
    tell(books, *(add(20 + n, 1, 100 + n, SELL) for n in range(4)))
    assert tell(books, event(events.CLEAR, side=BUY, price=92)) == [1]
    assert (quantities(books, BID), len(quantities(books, ASK))) == ({91: 1, 90: 1}, 4)
    assert tell(books, event(events.CLEAR, side=SELL, price=101)) == [1]
    assert list(quantities(books, ASK)) == [102, 103]
    assert tell(books, event(events.CLEAR, side=SELL, price=101)) == [1]  # none is as good as that
    assert list(quantities(books, ASK)) == [102, 103]
    for wrong in (tables.KEY_MAX, -(2**63)):
        clear = event(events.CLEAR, side=SELL, price=wrong)
        assert tell(books, clear) == [-tables.WRONG_PRICE]
    assert tell(books, event(events.CLEAR, price=90)) == [1]  # both sides: all of them
    check_nothing_is_left(books)


@pytest.mark.modes
def test_a_gap_makes_books_stale_until_it_is_recovered():
    books = books_of()
    symbols = [one.symbol for one in books.instruments]
    assert tell(books, event(events.GAP, instrument=1)) == [0]
    assert list(books.stale) == [symbols[1]]
    assert tell(books, event(events.GAP, instrument=ALL)) == [0]
    assert list(books.stale) == symbols
    assert tell(books, event(events.RECOVERED, instrument=0)) == [0]
    assert list(books.stale) == symbols[1:]
    assert tell(books, event(events.RECOVERED, instrument=ALL)) == [0]
    assert books.stale == {}
    tell(books, event(events.STATUS, events.HALTED, instrument=ALL))
    tell(books, event(events.STATUS, events.TRADING, instrument=2))
    state = [events.HALTED, events.HALTED, events.TRADING]
    assert books.arena["book"]["state"].tolist() == state


@pytest.mark.modes
@pytest.mark.parametrize(
    ("capacity", "reason", "too_many"),
    [
        (Capacity(2, 4, 9, 9, 2), tables.ORDERS_FULL, add(9, 1, 100)),
        (Capacity(2, 9, 4, 9, 2), tables.LEVELS_FULL, add(9, 1, 104)),
        (Capacity(2, 9, 9, 4, 2), tables.PAGES_FULL, add(9, 1, 4 * 32 + 5)),
    ],
)
def test_full_memory_is_counted_makes_stale_and_harms_nothing(capacity, reason, too_many):
    books = books_of(capacity)
    apart = 32 if reason == tables.PAGES_FULL else 1
    tell(books, *(add(n, 1, n * apart) for n in range(4)))
    before = check(books)
    assert tell(books, too_many) == [-reason]
    assert check(books) == before
    assert list(books.stale) == ["S0"] and "full" in books.stale["S0"]
    assert tell(books, event(events.DELETE, 0), too_many) == [1, 1]
    assert tell(books, event(events.RECOVERED, instrument=ALL)) == [0]
    assert list(books.stale) == ["S0"]  # what was refused is still missing
    ends = [event(events.DELETE, n) for n in (1, 2, 3, 9)]
    assert tell(books, *ends) == [1] * 4
    check_nothing_is_left(books)


@pytest.mark.parametrize(
    "capacity",
    [
        Capacity(4, 50, 400, 400, 16),
        Capacity(4, 4_000, 20, 400, 64),
        Capacity(4, 4_000, 400, 5, 1 << 12),
        Capacity(4, 40, 20, 8, 1),
        Capacity(4, 1, 1, 1, 1),
    ],
    ids=["orders", "levels", "pages", "all", "one of each"],
)
@pytest.mark.parametrize("flow", [Flow(), Flow(step=40, off_grid=3), Flow(garbage=0.05)])
def test_a_slow_twin_agrees_in_books_that_are_always_full(capacity: Capacity, flow: Flow):
    books, twin = made([1, 100, 7], capacity)
    for part in np.array_split(flow.made(20_000, 9), 8):
        assert answered(books, part) == twin.apply(part)
        agree(books, twin)
    counts = books.header["impossible"]
    assert counts[[tables.ORDERS_FULL, tables.LEVELS_FULL, tables.PAGES_FULL]].sum() > 100
    assert tell(books, event(events.CLEAR, instrument=ALL)) == [1]
    check_nothing_is_left(books)


def test_a_replace_that_finds_no_room_loses_its_order_and_says_so():
    books = books_of(Capacity(1, 9, 2, 9, 2))
    tell(books, add(1, 5, 100), add(2, 5, 100), add(3, 5, 101))
    moved = event(events.REPLACE, 1, other=4, price=102, quantity=5)
    assert tell(books, moved) == [-tables.LEVELS_FULL]
    assert queue(books) == [(2, 5)] and list(books.stale) == ["S0"]


@pytest.mark.modes
def test_after_everything_is_gone_all_memory_is_free_again():
    count = 30_000 if jit.COMPILED else 600
    capacity = Capacity(instruments=4, orders=1 << 12, levels=1 << 11, pages=1 << 9, homes=1 << 8)
    books, twin = made([1, 100, 7], capacity)
    array = Flow(off_grid=50, step=100, width=90).made(count, 11)
    assert answered(books, array) == twin.apply(array)
    live = [(reference, order[0] >> 1) for reference, order in twin.orders.items()]
    assert len(live) > 50
    for reference, instrument in np.random.default_rng(0).permutation(live).tolist():
        gone = event(events.DELETE, reference, instrument=instrument)
        assert answered(books, gone) == twin.apply(gone) == [1]
    agree(books, twin)
    for side, levels in enumerate(twin.sides):
        for key in list(levels):  # what has no names is left
            price, which = (key, SELL) if side & 1 else (-key, BUY)
            gone = level(price, 0, side=which, instrument=side >> 1)
            assert answered(books, gone) == twin.apply(gone) == [1]
    check_nothing_is_left(books)
