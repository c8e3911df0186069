"""The market without us: what is left is what others did, order by order, against a slow twin."""

import random

import numpy as np
import pytest

from hftlib.core import events as e
from hftlib.core import orders as o
from hftlib.core.events import EVENT
from hftlib.research.parity.without_us import without_orders

OURS = {7, 8, 9}
MS = 1_000_000


def told(*rows):
    """(time, kind, reference, other, price, quantity, side) as events."""
    made = np.zeros(len(rows), EVENT)
    for n, row in enumerate(rows):
        names = ("time", "kind", "reference", "other", "price", "quantity", "side")
        for name, value in zip(names, row, strict=True):
            made[n][name] = value
    made["received"], made["sequence"] = made["time"] + 5, np.arange(len(rows)) + 1
    return made


def fills(*matches, taker=0):
    made = np.zeros(len(matches), o.FILL)
    made["match"], made["taker"] = matches, taker
    return made


def test_our_order_is_gone_and_who_met_it_comes_all_the_same():
    found = told(
        (1, e.ADD, 5, 0, 100, 50, e.BUY),
        (2, e.ADD, 7, 0, 100, 30, e.BUY),
        (3, e.EXECUTE, 5, 901, 0, 50, 0),
        (4, e.EXECUTE, 7, 902, 0, 20, 0),
        (5, e.CANCEL, 7, 0, 0, 5, 0),
        (6, e.DELETE, 7, 0, 0, 0, 0),
    )
    left = without_orders(found, np.array([7]), fills(902), fills(), 0)
    assert left["kind"].tolist() == [e.ADD, e.EXECUTE, e.TRADE]
    assert left[2]["price"] == 100 and left[2]["side"] == e.SELL and left[2]["other"] == 902
    assert left[2]["quantity"] == 20 and left[2]["reference"] == 0


def test_an_order_is_ours_under_every_number_that_it_ever_had():
    found = told(
        (1, e.ADD, 7, 0, 100, 30, e.SELL),
        (2, e.REPLACE, 7, 8, 101, 30, 0),
        (3, e.REPLACE, 8, 9, 102, 30, 0),
        (4, e.EXECUTE, 9, 900, 0, 10, 0),
    )
    for known in (np.array([7]), np.array([8]), np.array([9]), np.zeros(0, np.int64)):
        left = without_orders(found.copy(), known, fills(900), fills(), 0)
        assert left["kind"].tolist() == [e.TRADE]
        assert left[0]["price"] == 102 and left[0]["side"] == e.BUY


def test_what_we_took_stays_for_a_while_and_then_goes():
    found = told(
        (0, e.ADD, 5, 0, 100, 50, e.SELL),
        (10, e.EXECUTE, 5, 901, 0, 50, 0),
        (12, e.ADD, 6, 0, 101, 50, e.SELL),
        (30, e.ADD, 4, 0, 101, 50, e.SELL),
    )
    left = without_orders(found, np.zeros(0, np.int64), fills(), fills(901, taker=1), 5)
    assert left["kind"].tolist() == [e.ADD, e.ADD, e.CANCEL, e.ADD]
    assert left["time"].tolist() == [0, 12, 15, 30] and left["received"].tolist() == [5, 17, 20, 35]
    assert left[2]["quantity"] == 50 and left[2]["reference"] == 5


def test_what_we_took_goes_before_the_feed_speaks_of_the_same_order_again():
    found = told(
        (0, e.ADD, 5, 0, 100, 50, e.SELL),
        (10, e.EXECUTE, 5, 901, 0, 20, 0),
        (12, e.DELETE, 5, 0, 0, 0, 0),
        (50, e.ADD, 6, 0, 101, 50, e.SELL),
    )
    left = without_orders(found, np.zeros(0, np.int64), fills(), fills(901, taker=1), 30)
    assert left["kind"].tolist() == [e.ADD, e.CANCEL, e.DELETE, e.ADD]
    assert (np.diff(left["time"]) >= 0).all()


def test_another_instruments_trade_of_the_same_number_is_not_ours():
    found = told((0, e.ADD, 5, 0, 100, 50, e.SELL), (10, e.EXECUTE, 5, 901, 0, 50, 0))
    found["instrument"] = 3
    left = without_orders(found.copy(), np.zeros(0, np.int64), fills(), fills(901, taker=1), 5)
    assert left["kind"].tolist() == [e.ADD, e.EXECUTE]


def random_market(seed):
    """Orders of many that come, shrink, are executed, replaced and go; a third of them are ours."""
    dice = random.Random(seed)
    rows, alive, number, match = [], {}, 0, 0
    ours, stood = set(), []
    for time in range(300):
        what = dice.random()
        if what < 0.45 or not alive:
            number += 1
            alive[number] = [dice.randrange(90, 110), dice.randrange(10, 60), dice.choice((1, 2))]
            rows.append((time, e.ADD, number, 0, *alive[number]))
            if dice.random() < 0.33:
                ours.add(number)
            continue
        one = dice.choice(sorted(alive))
        price, size, side = alive[one]
        part = dice.randrange(1, size + 1)
        if what < 0.6:
            match += 1
            rows.append((time, e.EXECUTE, one, match, 0, part, 0))
            if one in ours:
                stood.append(match)
        elif what < 0.7:
            rows.append((time, e.CANCEL, one, 0, 0, part, 0))
        elif what < 0.85:
            rows.append((time, e.DELETE, one, 0, 0, 0, 0))
            part = size
        else:
            number += 1
            alive[number] = [price + 1, size, side]
            rows.append((time, e.REPLACE, one, number, price + 1, size, 0))
            if one in ours:
                ours.add(number)
            part = size
        alive[one][1] -= part
        if alive[one][1] == 0:
            del alive[one]
    return told(*rows), ours, fills(*stood)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_is_what_a_slow_twin_leaves(seed):
    found, ours, stood = random_market(seed)
    wanted, prices = [], {}
    for one in found.tolist():
        row = dict(zip(found.dtype.names, one, strict=True))
        if row["kind"] in (e.ADD, e.REPLACE):
            name = "other" if row["kind"] == e.REPLACE else "reference"
            prices[row[name]] = row["price"]
        if row["reference"] not in ours:
            wanted.append((row["time"], row["kind"], row["reference"], row["quantity"]))
        elif row["kind"] == e.EXECUTE:
            wanted.append((row["time"], e.TRADE, prices[row["reference"]], row["quantity"]))
    known = np.array(sorted(ours))[:: 1 + seed % 3]  # not every number has to be told
    roots = np.union1d(known, [one for one in ours if one in set(found["reference"].tolist())])
    left = without_orders(found, roots, stood, fills(), 0)
    made = [
        (
            r["time"],
            r["kind"],
            r["price"] if r["kind"] == e.TRADE else r["reference"],
            r["quantity"],
        )
        for r in left
    ]
    assert made == wanted and len(wanted) < len(found)
