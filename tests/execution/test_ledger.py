"""The ledger against its slow twin, by hand, and at the edges of what it can count."""

import random
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from ledger_naive import NaiveLedger

from hftlib.core.events import BUY, SELL
from hftlib.core.jit import BOUNDS_CHECKED, COMPILED
from hftlib.core.orders import FILL
from hftlib.execution import ledger_memory as memory
from hftlib.execution.ledger import book, book_many, take_back
from hftlib.execution.ledger_memory import (
    AVERAGE,
    FIFO,
    MONEY_MAX,
    NO_ACCOUNT,
    NO_ENTRY,
    NO_FILL,
    NO_LOT,
    NO_TRADE,
    TOO_LARGE,
    Room,
    address_of,
    amounts,
    drawn,
    grown,
)
from hftlib.execution.ledger_shares import share_below

pytestmark = pytest.mark.modes
BOTH = pytest.mark.parametrize("method", [FIFO, AVERAGE], ids=["fifo", "average"])
# Uncompiled a fill takes some 100 us, compiled some tens of ns.
MANY = 400_000 if COMPILED and not BOUNDS_CHECKED else 100_000 if COMPILED else 3_000


def fills(rows):
    """(side, price, quantity, fee, strategy, instrument), the last three when they matter."""
    made = np.zeros(len(rows), FILL)
    for n, row in enumerate(rows):
        side, price, quantity, fee, strategy, instrument = (*row, *(0, 0, 0)[len(row) - 3 :])
        made[n]["number"], made[n]["match"], made[n]["order"] = n + 1, 100 + n, 10 + n
        made[n]["time"] = 1_000 * n
        made[n]["side"], made[n]["price"], made[n]["quantity"] = side, price, quantity
        made[n]["fee"], made[n]["strategy"], made[n]["instrument"] = fee, strategy, instrument
    return made


def booked(rows, method, room=None):
    ledger = drawn(room or Room(8, 64, 256), method)
    array = fills(rows)
    assert book_many(address_of(ledger), array.ctypes.data, len(array)) == len(array)
    return ledger


def lots_of(ledger, account):
    """Signed quantity and price of each open lot, oldest first."""
    made, number = [], int(account["first_lot"])
    sign = 1 if account["quantity"] > 0 else -1
    while number:
        lot = ledger["lots"][number]
        made.append((sign * int(lot["quantity"]), int(lot["price"])))
        number = int(lot["next"])
    return made


def test_the_examples_of_publication_564():
    """IRS Publication 564 (2009), table 3: 160 shares at 25, 240 at 20, 10 at 30; 210 are sold at
    32. The cost of those is 5,000 by first in, first out, and 210 of 410 of 9,100 by average."""
    rows = [(BUY, 2500, 160), (BUY, 2000, 240), (BUY, 3000, 10), (SELL, 3200, 210)]
    (one,) = amounts(booked(rows, FIFO))
    assert one["realised"] == 672_000 - 500_000
    assert (one["quantity"], one["cost"]) == (200, 910_000 - 500_000)
    (one,) = amounts(booked(rows, AVERAGE))
    assert one["realised"] == 672_000 - ceil(Fraction(910_000 * 210, 410))
    # Its other example: 100 each for 1,000, 1,200 and 2,600; of 150 sold the cost is 2,400.
    (one,) = amounts(booked([(BUY, 10, 100), (BUY, 12, 100), (BUY, 26, 100), (SELL, 0, 150)], 2))
    assert (one["realised"], one["cost"]) == (-2_400, 2_400)


def test_first_in_first_out_closes_the_oldest_and_turns():
    ledger = booked(
        [(BUY, 100, 10), (BUY, 110, 10), (SELL, 120, 15), (SELL, 90, 10), (BUY, 80, 2)], FIFO
    )
    (one,) = amounts(ledger)
    # 10 of 20 and 5 of 10 each; then 5 of -20 each, and 5 sold short at 90; then 2 of 10 each.
    assert ledger["entries"]["realised"][:5].tolist() == [0, 0, 250, -100, 20]
    assert (one["quantity"], one["realised"], one["cost"]) == (-3, 170, -270)
    assert lots_of(ledger, one) == [(-3, 90)]


def test_average_cost_rounds_against_us_and_ends_with_nothing_left():
    rows = [(BUY, 10, 2), (BUY, 11, 1), (SELL, 12, 1), (SELL, 12, 1), (SELL, 12, 1)]
    ledger = booked(rows, AVERAGE)
    # 31 for 3: 10 1/3 counts as 11, then 20 for 2, then what is left.
    assert ledger["entries"]["realised"][:5].tolist() == [0, 0, 1, 2, 2]
    (one,) = amounts(ledger)
    assert (one["cost"], one["realised"]) == (0, 5)
    ledger = booked([(SELL, 10, 2), (SELL, 11, 1), (BUY, 9, 1)], AVERAGE)
    # 31 came in for 3: 10 1/3 counts as 10.
    assert ledger["entries"]["realised"][2] == 1


def test_fees_stand_apart():
    (one,) = amounts(booked([(BUY, 100, 1, 3), (SELL, 100, 1, -5)], FIFO))
    assert (one["fees"], one["cash"], one["realised"]) == (-2, 0, 0)


def test_a_lot_at_the_price_of_the_newest_joins_it():
    ledger = booked([(BUY, 5, 1), (BUY, 5, 2), (BUY, 6, 1), (BUY, 5, 1)], FIFO)
    (one,) = amounts(ledger)
    assert lots_of(ledger, one) == [(3, 5), (1, 6), (1, 5)]
    assert one["lots"] == 3 and ledger["ledger"]["lots_live"][0] == 3


class Duel:
    """Random fills into both; prices of a spread may be zero or less."""

    def __init__(self, seed, method, strategies=3, instruments=4):
        self.dice = random.Random(seed)
        self.sizes = (strategies, instruments)
        self.prices = [self.dice.randrange(-50, 10_000) for _ in range(instruments)]
        self.prices[0] = self.dice.randrange(-20, 1)

    def rows(self, count):
        made = []
        for _ in range(count):
            strategy, instrument = (self.dice.randrange(n) for n in self.sizes)
            self.prices[instrument] += self.dice.randrange(-3, 4)
            quantity = self.dice.choice((1, 1, 2, 100, self.dice.randrange(1, 10_000)))
            fee = self.dice.randrange(-20, 40)
            side = BUY if self.dice.random() < 0.5 else SELL
            made.append((side, self.prices[instrument], quantity, fee, strategy, instrument))
        return made


def compare(ledger, naive, marks):
    accounts = amounts(ledger)
    assert {(int(a["strategy"]), int(a["instrument"])) for a in accounts} == set(naive.accounts)
    total_lots = 0
    for one in accounts:
        twin = naive.accounts[int(one["strategy"]), int(one["instrument"])]
        assert int(one["quantity"]) == twin.position
        assert int(one["cost"]) == twin.cost
        for name in ("cash", "fees", "realised", "bought", "sold", "fills"):
            assert int(one[name]) == getattr(twin, name), name
        # What was earned and what is open are all there is, at any mark.
        mark = Fraction(marks[int(one["instrument"])], 2)
        unrealised = int(one["quantity"]) * mark - int(one["cost"])
        whole = int(one["cash"]) + int(one["quantity"]) * mark
        assert int(one["realised"]) + unrealised == whole
        mine = lots_of(ledger, one)
        assert mine == joined(twin.lots)
        assert int(one["lots"]) == len(mine)
        assert int(one["weight"]) == sum(abs(quantity * price) for quantity, price in mine)
        total_lots += len(mine)
    header = ledger["ledger"][0]
    assert header["lots_live"] == total_lots
    free, number = 0, int(header["free_lot"])
    while number:
        free, number = free + 1, int(ledger["lots"][number]["next"])
    assert free + total_lots == header["lots_drawn"]
    assert not header["refused"].any()


def joined(lots):
    """Neighbours of one price as one: what the ledger keeps of them."""
    made = []
    for quantity, price in lots:
        if made and made[-1][1] == price:
            made[-1] = (made[-1][0] + quantity, price)
        else:
            made.append((quantity, price))
    return made


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_the_twins_agree_over_many_random_fills(method, seed):
    duel = Duel(seed, method)
    ledger = drawn(Room(16, 1 << 16, MANY), method)
    naive = NaiveLedger(memory.METHODS[method])
    done, step = 0, max(1, MANY // 20)
    while done < MANY:
        rows = duel.rows(min(step, MANY - done))
        array = fills(rows)
        assert book_many(address_of(ledger), array.ctypes.data, len(array)) == len(array)
        took = [
            naive.fill(row[4], row[5], row[0], row[1], row[2], row[3], 100 + n, 10 + n)
            for n, row in enumerate(rows)
        ]
        assert ledger["entries"]["realised"][done : done + len(rows)].tolist() == took
        done += len(rows)
        compare(ledger, naive, [2 * price + 1 for price in duel.prices])


@BOTH
@pytest.mark.parametrize("seed", range(8))
def test_trades_that_were_broken_never_were(method, seed):
    duel = Duel(seed, method, 2, 2)
    rows = duel.rows(120)
    ledger, naive = booked(rows, method, Room(8, 256, 256)), NaiveLedger(memory.METHODS[method])
    for n, row in enumerate(rows):
        naive.fill(row[4], row[5], row[0], row[1], row[2], row[3], 100 + n, 10 + n)
    broken = duel.dice.sample(range(120), 25)
    for count, n in enumerate(broken, 1):
        instrument = rows[n][5]
        assert take_back(address_of(ledger), 1 - instrument, 100 + n, 0) == 0, "another's"
        assert take_back(address_of(ledger), instrument, 100 + n, 0) == 1
        assert take_back(address_of(ledger), instrument, 100 + n, 0) == 0, "once is enough"
        naive = naive.without(instrument, 100 + n)
        compare(ledger, naive, [2 * price for price in duel.prices])
        assert ledger["ledger"]["broken"][0] == count
        assert ledger["entries"]["realised"][n] == 0
    after = fills(duel.rows(30))
    book_many(address_of(ledger), after.ctypes.data, 30)
    for n in range(30):
        one = after[n]
        names = ("strategy", "instrument", "side", "price", "quantity", "fee")
        naive.fill(*(int(one[name]) for name in names))
    compare(ledger, naive, [2 * price for price in duel.prices])


def breaking(one):
    """How the log of fills tells that a trade is broken: the same with its signs turned."""
    made = one.copy()
    made["number"] += 1_000
    made["quantity"], made["fee"] = -made["quantity"], -made["fee"]
    return made


@BOTH
@pytest.mark.parametrize("seed", range(6))
def test_the_log_tells_of_breaks_by_quantities_below_zero(method, seed):
    duel = Duel(seed, method, 2, 2)
    rows, naive = duel.rows(150), NaiveLedger(memory.METHODS[method])
    array, told = fills(rows), []
    for n, row in enumerate(rows):
        told.append(array[n : n + 1])
        naive.fill(row[4], row[5], row[0], row[1], row[2], row[3], 100 + n, 10 + n)
        if duel.dice.random() < 0.3:
            which = duel.dice.randrange(n + 1)
            if any((r[6], r[7]) == (100 + which, 10 + which) for r in naive.all):
                told.append(breaking(array[which : which + 1]))
                naive = naive.without(rows[which][5], 100 + which)
    log = np.zeros(len(told), FILL)
    for n, one in enumerate(told):
        log[n : n + 1] = one
    ledger, done = drawn(Room(8, 2, 512), method), 0
    while done < len(log):
        took = book_many(address_of(ledger), log[done:].ctypes.data, len(log) - done)
        done += took
        if done < len(log):
            ledger = grown(ledger, Room(8, 2 * int(ledger["ledger"]["lots_max"][0]), 512))
    assert ledger["ledger"]["broken"][0] == len(told) - len(rows) > 10
    compare(ledger, naive, [2 * price for price in duel.prices])
    # A break of another quantity is none, and the same break again finds nothing.
    other = breaking(next(one for one in told[::-1] if one["quantity"][0] > 0))
    other["quantity"] -= 1
    assert book(address_of(ledger), other.ctypes.data) == -NO_TRADE
    again = next(one for one in told if one["quantity"][0] < 0)
    assert book(address_of(ledger), again.ctypes.data) == -NO_TRADE


def test_of_two_fills_of_one_trade_the_order_says_which():
    rows = [(BUY, 10, 5, 0, 0, 0), (SELL, 10, 5, 0, 1, 0)]
    ledger, array = drawn(Room(4, 4, 4), FIFO), fills(rows)
    array["match"] = 7
    book_many(address_of(ledger), array.ctypes.data, 2)
    assert take_back(address_of(ledger), 0, 7, 11) == 1
    assert amounts(ledger)["quantity"].tolist() == [5, 0]
    ledger = drawn(Room(4, 4, 4), FIFO)
    book_many(address_of(ledger), array.ctypes.data, 2)
    assert take_back(address_of(ledger), 0, 7, 0) == 2
    assert amounts(ledger)["fills"].tolist() == [0, 0]


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_a_ledger_that_grows_on_the_way_is_the_same(method, seed):
    rows = Duel(seed, method, 5, 6).rows(400)
    array = fills(rows)
    whole = booked(rows, method, Room(64, 1024, 1024))
    ledger, done = drawn(Room(1, 1, 1), method), 0
    while done < len(array):
        base, rest = address_of(ledger), array[done:]
        done += book_many(base, rest.ctypes.data, len(rest))
        header = ledger["ledger"][0]
        room = Room(*(int(header[f"{name}_max"]) * 2 for name in ("accounts", "lots", "entries")))
        ledger = grown(ledger, room)
    assert amounts(ledger).tobytes() == amounts(whole).tobytes()
    assert ledger["entries"][:400].tobytes() == whole["entries"][:400].tobytes()
    assert not ledger["ledger"]["refused"][0].any()


def state(ledger):
    """All but the counts of what was refused."""
    header = ledger["ledger"][0].copy()
    header["refused"], header["first_refused"] = 0, 0
    return [header.tobytes(), *(ledger[one].tobytes() for one in ("accounts", "lots", "entries"))]


ROOMS = [
    (Room(1, 8, 8), [(BUY, 1, 1, 0, 0, 0), (BUY, 1, 1, 0, 0, 1)], NO_ACCOUNT),
    (Room(2, 1, 8), [(BUY, 1, 1), (BUY, 2, 1)], NO_LOT),
    (Room(2, 8, 1), [(BUY, 1, 1), (SELL, 2, 1)], NO_ENTRY),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 2, 0)], NO_FILL),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 2, -3)], NO_TRADE),
    (Room(2, 8, 8), [(BUY, 1, 1), (0, 2, 1)], NO_FILL),
    (Room(2, 8, 8), [(BUY, 1, 1), (3, 2, 1)], NO_FILL),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 1 << 40, 1 << 30)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1), (SELL, -(1 << 40), 1 << 30)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 1, MONEY_MAX)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 0, MONEY_MAX)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 0, MONEY_MAX + 1)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 1, 1, MONEY_MAX + 1)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1, 1), (BUY, 1, 1, MONEY_MAX)], TOO_LARGE),
    (Room(2, 8, 8), [(SELL, 1, 1, -1), (BUY, 1, 1, -MONEY_MAX)], TOO_LARGE),
    (Room(2, 8, 8), [(BUY, 1, 1), (BUY, 2, MONEY_MAX // 2)], TOO_LARGE),
    (Room(2, 8, 8), [(SELL, 1, 1), (SELL, 2, MONEY_MAX // 2)], TOO_LARGE),
    # The money spent is none, but what the lots cost is too much to add up.
    (Room(2, 8, 8), [(BUY, 3, 1 << 59), (BUY, -3, 1 << 59)], TOO_LARGE),
]


@pytest.mark.parametrize(("room", "rows", "reason"), ROOMS)
def test_what_cannot_be_booked_changes_nothing_and_is_counted(room, rows, reason):
    ledger, array = drawn(room, FIFO), fills(rows)
    assert book(address_of(ledger), array.ctypes.data) == 0
    before = state(ledger)
    assert book(address_of(ledger), array[1:].ctypes.data) == -reason
    assert state(ledger) == before
    header = ledger["ledger"][0]
    assert header["refused"].tolist() == [int(n == reason) for n in range(8)]
    assert header["first_refused"] == 2


def test_cash_alone_may_be_too_much():
    most = 1 << 59
    rows = [(BUY, 0, most), (SELL, 4, most), (BUY, 0, most), (SELL, 4, most)]
    ledger, array = drawn(Room(2, 8, 8), FIFO), fills(rows)
    book_many(address_of(ledger), array.ctypes.data, 4)
    (one,) = amounts(ledger)
    assert (int(one["cash"]), int(one["quantity"])) == (MONEY_MAX, most)
    assert ledger["ledger"]["refused"][0].tolist() == [int(n == TOO_LARGE) for n in range(8)]


@BOTH
def test_one_that_turns_a_large_position_needs_room_for_what_it_opens_only(method):
    part = 1 << 57
    (one,) = amounts(booked([(BUY, 3, 4 * part), (SELL, 2, 7 * part)], method))
    assert (int(one["quantity"]), int(one["cost"])) == (-3 * part, -6 * part)


def test_the_largest_amounts_are_exact():
    most = MONEY_MAX // 3
    ledger = booked([(BUY, 3, most), (SELL, 1, most)], AVERAGE)
    (one,) = amounts(ledger)
    assert (int(one["realised"]), int(one["cost"])) == (-2 * most, 0)
    ledger = booked([(BUY, 3, most), (SELL, 1, most // 7)], AVERAGE)
    (one,) = amounts(ledger)
    assert int(one["cost"]) == 3 * (most - most // 7)


def test_shares_of_any_size_are_rounded_down_exactly():
    dice = random.Random(5)
    sizes = [1 << n for n in range(62)] + [(1 << n) - 1 for n in range(1, 62)] + [3, 7, MONEY_MAX]
    for _ in range(20_000 if COMPILED else 4_000):
        whole = max(1, min(MONEY_MAX, dice.choice(sizes) + dice.randrange(-1, 2)))
        part = dice.choice((whole, dice.randrange(whole + 1), whole - 1, 0))
        amount = dice.choice((-1, 1)) * min(MONEY_MAX, dice.choice(sizes) + dice.randrange(9))
        assert share_below(amount, part, whole) == floor(Fraction(amount) * part / whole)
        assert -share_below(-amount, part, whole) == ceil(Fraction(amount) * part / whole)


def test_a_take_back_that_may_lack_lots_is_refused_before_it_begins():
    rows = [(BUY, 1, 1), (SELL, 2, 1), (BUY, 3, 1), (SELL, 4, 1), (BUY, 5, 1)]
    ledger = booked(rows, FIFO, Room(2, 2, 8))
    before = state(ledger)
    assert take_back(address_of(ledger), 0, 101, 0) == -NO_LOT
    assert state(ledger) == before
    assert take_back(address_of(booked(rows, AVERAGE, Room(2, 2, 8))), 0, 101, 0) == 1
    ledger = grown(ledger, Room(2, 8, 8))
    assert take_back(address_of(ledger), 0, 101, 0) == 1
    (one,) = amounts(ledger)
    # Bought at 1 and 3, sold at 4; then bought at 5: 3 and 5 are left.
    assert (one["quantity"], one["realised"], one["cost"]) == (2, 3, 8)
