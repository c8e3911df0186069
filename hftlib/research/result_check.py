"""What has to balance in any result, to the last unit: a sentence for each thing that does not.

Every fill belongs to an order and takes no more than it asked for; what an order says of itself is
the sum of its fills; positions, cash and fees are running sums of the fills, and every sample shows
what was held then. All of it is compared as whole numbers, nothing is close enough.

Worst case: one pass over fills for each of the rules, and at most ten sentences a rule; the last
one says how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.core import orders as o
from hftlib.core.events import BUY, SELL
from hftlib.core.instruments import Instruments
from hftlib.core.parents import PARENT_BITS

Array = np.ndarray[Any, Any]
SENTENCES_MAX = 10
_ID_BITS = 47  # of an order's number, above which its parent's stand


def violations(
    instruments: Instruments, arrays: dict[str, Array], horizons: int, whole: bool = True
) -> list[str]:
    """What does not balance; nothing when all does. Not `whole`: other strategies had fills too."""
    fills, orders, equity = arrays["fills"], arrays["orders"], arrays["equity"]
    symbols = instruments.symbols
    found = _bounded(_of_fills(fills, whole))
    found += _bounded(_of_orders(orders, fills))
    found += _bounded(_against_orders(orders, fills))
    found += _bounded(_of_parents(arrays["parents"], orders))
    for row in np.unique(np.append(fills["instrument"], equity["instrument"])).tolist():
        chosen = fills[fills["instrument"] == row]
        found += _bounded(_of_sums(chosen, symbols[row]))
        found += _bounded(_of_samples(chosen, equity[equity["instrument"] == row], symbols[row]))
    return found + _bounded(_of_markouts(arrays["markouts"], fills, horizons))


def _of_fills(fills: Array, whole: bool) -> Iterator[str]:
    numbers = np.sort(fills["number"])
    for n in numbers[1:][np.diff(numbers) == 0].tolist():
        yield f"fill {n} is there more than once"
    # Reports of several venues overtake each other, so the order may be another.
    if whole and (numbers != np.arange(1, len(fills) + 1)).any():
        low, high = int(numbers[0]), int(numbers[-1])
        missing = len(np.setdiff1d(np.arange(1, len(fills) + 1), numbers))
        yield (
            f"{len(fills):,} fills bear numbers from {low} to {high},"
            f" and {missing:,} of 1 to {len(fills)} are missing"
        )
    back = np.flatnonzero(np.diff(fills["received"]) < 0)
    for before, n in zip(_named(fills, back), _named(fills, back + 1), strict=True):
        yield f"fill {n} was received before fill {before}"
    for n in np.flatnonzero(fills["quantity"] <= 0).tolist():
        yield f"fill {fills['number'][n]} is of {fills['quantity'][n]} lots"
    for n in _named(fills, ~np.isin(fills["side"], (BUY, SELL))):
        yield f"fill {n} neither buys nor sells"
    for n in _named(fills, fills["received"] < fills["time"]):
        yield f"fill {n} was received before it happened"
    for n in _named(fills, fills["entered"] > fills["time"]):
        yield f"fill {n} happened before its order entered the queue"


def _named(fills: Array, chosen: Array) -> list[int]:
    """The numbers of these fills."""
    numbers: list[int] = fills["number"][chosen].tolist()
    return numbers


def _of_orders(orders: Array, fills: Array) -> Iterator[str]:
    ids, counts = np.unique(orders["id"], return_counts=True)
    for one in ids[counts > 1].tolist():
        yield f"order {one} is there more than once"
    at = _order_of_fill(orders, fills)
    known = at >= 0
    sums = {name: np.zeros(len(orders), np.int64) for name in ("filled", "value", "fees")}
    np.add.at(sums["filled"], at[known], fills["quantity"][known])
    np.add.at(sums["value"], at[known], (fills["price"] * fills["quantity"])[known])
    np.add.at(sums["fees"], at[known], fills["fee"][known])
    for name, total in sums.items():
        for n in np.flatnonzero(orders[name] != total).tolist():
            what = f"order {orders['id'][n]} says {name} {orders[name][n]}"
            yield f"{what}, its fills add up to {total[n]}"
    for n in np.flatnonzero(orders["filled"] > orders["quantity"]).tolist():
        what = f"order {orders['id'][n]} asked for {orders['quantity'][n]} lots"
        yield f"{what} and got {orders['filled'][n]}"
    done = orders["state"] >= o.OVER
    silent = done & (orders["reason"] == 0) & (orders["filled"] < orders["quantity"])
    for n in np.flatnonzero(silent).tolist():
        yield f"order {orders['id'][n]} ended unfilled and without a reason"


def _against_orders(orders: Array, fills: Array) -> Iterator[str]:
    at = _order_of_fill(orders, fills)
    for n in np.flatnonzero(at < 0).tolist():
        yield f"fill {fills['number'][n]} is of order {fills['order'][n]}, which is not there"
    known = np.flatnonzero(at >= 0)
    theirs, ours = orders[at[known]], fills[known]
    for name in ("instrument", "side", "strategy"):
        for n in np.flatnonzero(theirs[name] != ours[name]).tolist():
            yield f"fill {ours['number'][n]} and its order {theirs['id'][n]} differ in their {name}"
    # The limit of an order that was replaced may have been another when it was filled.
    limited = np.isin(theirs["kind"], (o.LIMIT, o.STOP_LIMIT)) & (theirs["replaces"] == 0)
    dear = (ours["side"] == BUY) & (ours["price"] > theirs["price"])
    cheap = (ours["side"] == SELL) & (ours["price"] < theirs["price"])
    for n in np.flatnonzero(limited & (dear | cheap)).tolist():
        what = f"fill {ours['number'][n]} at {ours['price'][n]}"
        yield f"{what} is beyond the limit {theirs['price'][n]} of order {theirs['id'][n]}"
    for n in np.flatnonzero(ours["received"] < theirs["sent"]).tolist():
        yield f"fill {ours['number'][n]} was received before order {theirs['id'][n]} was sent"


def _of_parents(parents: Array, orders: Array) -> Iterator[str]:
    """A child names its parent by its low bits; of two with the same ones, the last before it."""
    children = orders[orders["parent"] != 0]
    by_age = np.lexsort((parents["older"], parents["id"] & PARENT_BITS))
    rows = parents[by_age]
    begins = (rows["id"] & PARENT_BITS) << _ID_BITS | rows["older"] + 1
    named = children["parent"].astype(np.int64)
    at = np.searchsorted(begins, named << _ID_BITS | children["id"], "right") - 1
    known = np.zeros(len(children), bool)
    if len(rows):
        known = (at >= 0) & (rows["id"][at] & PARENT_BITS == named)
    for n in np.flatnonzero(~known).tolist():
        yield f"order {children['id'][n]} names a parent that is not there"
    for name in ("filled", "value", "fees"):
        sums = np.zeros(len(rows), np.int64)
        np.add.at(sums, at[known], children[name][known])
        for n in np.flatnonzero(rows[name] != sums).tolist():
            what = f"parent {rows['id'][n]} says {name} {rows[name][n]}"
            yield f"{what}, its children add up to {sums[n]}"
    for n in np.flatnonzero(rows["filled"] > rows["quantity"]).tolist():
        what = f"parent {rows['id'][n]} asked for {rows['quantity'][n]} lots"
        yield f"{what} and got {rows['filled'][n]}"


def _of_sums(fills: Array, symbol: str) -> Iterator[str]:
    signed = np.where(fills["side"] == BUY, fills["quantity"], -fills["quantity"])
    sums = {"position": np.cumsum(signed), "cash": np.cumsum(-signed * fills["price"])}
    for name, total in sums.items():
        for n in np.flatnonzero(fills[name] != total).tolist():
            what = f"{symbol}: after fill {fills['number'][n]} the {name} is {fills[name][n]}"
            yield f"{what}, its fills add up to {total[n]}"


def _of_samples(fills: Array, samples: Array, symbol: str) -> Iterator[str]:
    for n in np.flatnonzero(np.diff(samples["time"]) < 0).tolist():
        yield f"{symbol}: sample {n + 2} is before sample {n + 1}"
    if not len(samples):
        if len(fills):
            yield f"{symbol} was traded and has no sample of its equity"
        return
    states = {
        "position": np.append(0, fills["position"]),
        "cash": np.append(0, fills["cash"]),
        "fees": np.append(0, np.cumsum(fills["fee"])),
    }
    # A fill of the same ns may have come just before the sample or just after it.
    low = np.searchsorted(fills["received"], samples["time"], side="left")
    high = np.searchsorted(fills["received"], samples["time"], side="right")
    fits = np.zeros(len(samples), bool)
    for step in range(int((high - low).max()) + 1):
        at = np.minimum(low + step, high)
        fits |= np.all([state[at] == samples[name] for name, state in states.items()], axis=0)
    for n in np.flatnonzero(~fits).tolist():
        what = ", ".join(f"{name} {samples[name][n]}" for name in states)
        due = ", ".join(f"{name} {state[high[n]]}" for name, state in states.items())
        yield f"{symbol}: the sample at {samples['time'][n]} has {what}; by its fills {due}"
    if len(fills) and samples["time"][-1] < fills["received"][-1]:
        yield f"{symbol}: the last sample is from before the last fill"


def _of_markouts(markouts: Array, fills: Array, horizons: int) -> Iterator[str]:
    for n in np.flatnonzero(~np.isin(markouts["fill"], fills["number"])).tolist():
        yield f"markout {n + 1} is of fill {markouts['fill'][n]}, which is not there"
    for n in np.flatnonzero((markouts["horizon"] < 0) | (markouts["horizon"] >= horizons)).tolist():
        what = f"markout {n + 1} is of horizon {markouts['horizon'][n]}"
        yield f"{what}; there are {horizons}, counted from 0"
    pairs = np.stack([markouts["fill"], markouts["horizon"]], axis=1)
    different, counts = np.unique(pairs, axis=0, return_counts=True)
    for fill, horizon in different[counts > 1].tolist():
        yield f"fill {fill} has more than one markout at horizon {horizon}"


def _order_of_fill(orders: Array, fills: Array) -> Array:
    """Where the order of each fill stands, -1 nowhere."""
    if not len(orders):
        return np.full(len(fills), -1)
    order = np.argsort(orders["id"], kind="stable")
    ids = orders["id"][order]
    place = np.minimum(np.searchsorted(ids, fills["order"]), len(ids) - 1)
    return np.where(ids[place] == fills["order"], order[place], -1)


def _bounded(sentences: Iterator[str]) -> list[str]:
    every = list(sentences)
    left = len(every) - SENTENCES_MAX
    return every if left <= 0 else [*every[:SENTENCES_MAX], f"and {left:,} more of these"]
