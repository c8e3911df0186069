"""Execution costs once more, slowly: fractions, one order and one fill at a time."""

from __future__ import annotations

from fractions import Fraction

from hftlib.book.reading import NO_PRICE
from hftlib.core.events import BUY
from hftlib.research.result_money import ratios_of


def unit(instruments, row, what="money"):
    one = instruments.table[row]
    names = ("price_unit_over", "price_unit_under", "lot_unit_over", "lot_unit_under", "multiplier")
    return ratios_of(*(int(one[name]) for name in names))[what]


def middle(twice):
    return None if twice <= NO_PRICE else Fraction(int(twice), 2)


def last_middle(result, row, until=None):
    """Of the samples of an instrument, the last that knew it."""
    found = None
    for one in result.records["equity"]:
        if one["instrument"] == row and (until is None or one["time"] <= until):
            known = middle(one["twice_mid"])
            found = known if known is not None else found
    return found


def shortfalls(result):
    """Of each order: execution, opportunity, fees in the currency, or None."""
    made = {}
    for order in result.records["orders"]:
        row = int(order["instrument"])
        sign = 1 if order["side"] == BUY else -1
        arrival = middle(order["twice_mid"])
        fills = [f for f in result.records["fills"] if f["order"] == order["id"]]
        left = int(order["quantity"]) - sum(int(f["quantity"]) for f in fills)
        over = int(order["done"]) or result._span()[1]
        end = arrival if left == 0 else last_middle(result, row, over)
        if arrival is None or end is None:
            made[int(order["id"])] = None
            continue
        money = unit(result.instruments, row)
        paid = sum(sign * (int(f["price"]) - arrival) * int(f["quantity"]) for f in fills)
        missed = sign * (end - arrival) * left
        fees = sum(int(f["fee"]) for f in fills)
        made[int(order["id"])] = (paid * money, missed * money, fees * money)
    return made


def attribution(result, horizon):
    """Of each instrument: spread, adverse, inventory, unattributed, P&L before fees; or None."""
    marks = {
        (int(m["fill"]), int(m["horizon"])): middle(m["twice_mid"])
        for m in result.records["markouts"]
    }
    made = {}
    for row in sorted({int(f["instrument"]) for f in result.records["fills"]}):
        fills = [f for f in result.records["fills"] if f["instrument"] == row]
        signs = [1 if f["side"] == BUY else -1 for f in fills]
        held = sum(s * int(f["quantity"]) for s, f in zip(signs, fills, strict=True))
        last = last_middle(result, row)
        if last is None and held:
            made[row] = None
            continue
        last = last or Fraction(0)
        sums = [Fraction(0)] * 4
        for sign, fill in zip(signs, fills, strict=True):
            q, price, before = (
                sign * int(fill["quantity"]),
                int(fill["price"]),
                middle(fill["twice_mid"]),
            )
            after = marks.get((int(fill["number"]), horizon))
            after = last if after is None else after
            if before is None:
                sums[3] += q * (last - price)
            else:
                sums[0] += q * (before - price)
                sums[1] += q * (after - before)
                sums[2] += q * (last - after)
        cash = -sum(
            s * int(f["price"]) * int(f["quantity"]) for s, f in zip(signs, fills, strict=True)
        )
        money = unit(result.instruments, row)
        made[row] = [*(x * money for x in sums), (cash + held * last) * money]
    return made
