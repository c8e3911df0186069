"""A ledger of fills: position, cash, cost, realised P&L and fees of each account, to the last unit.

    book        one FILL, all or nothing: 0, or minus the reason why not
    book_many   many of them, up to where room runs short
    take_back   a trade the venue broke: the account is then as if it had never been

What is closed goes by one of two methods. First in, first out: the oldest lots are closed first,
each at its own price; a lot filled at the price of the newest joins it, for nothing tells the two
apart. Average cost: what is held has one cost, and closing q of p lots takes cost * q / p of it,
rounded up to a whole money unit (so that rounding never shows a profit early; less than one unit
a fill), and all that is left with the last lot. A fill that turns a position closes what there is
and opens the rest. Fees stand apart, and belong to no lot. A fill of a quantity below zero is how
the log tells of a broken trade: it takes back the one of its match number, order and quantity.

Between any two fills, exactly, for both methods:

    realised == cash + cost          so          realised + unrealised == cash + position * mark

Worst case: a closing fill walks the lots it closes, each once in its life; a take-back goes through
all entries. No amount goes beyond MONEY_MAX: the fill that would take one there is refused
(TOO_LARGE), counted, and changes nothing.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import FILL, FILL_BYTES
from hftlib.execution.ledger_memory import (
    BOOKED,
    BROKEN,
    FIFO,
    LEFT_OUT,
    MONEY_MAX,
    NO_ACCOUNT,
    NO_ENTRY,
    NO_FILL,
    NO_LOT,
    NO_TRADE,
    TOO_LARGE,
    account_of,
    entry_of,
    free_place,
    ledger_at,
    lot_of,
    place_of,
)
from hftlib.execution.ledger_shares import share_below

_fill_at = jit.record_at(FILL)


@jit.compiled("int64(int64, int64)")
def book(base: int, fill_address: int) -> int:
    """Take in one fill: 0, or minus the reason, and then nothing is changed."""
    ledger = ledger_at(base)
    fill = _fill_at(fill_address)
    reason = _book(base, fill)
    if reason != 0:
        ledger.refused[reason] += 1
        if ledger.first_refused == 0:
            ledger.first_refused = fill.number
    return -reason


@jit.compiled("int64(int64, int64, int64)")
def book_many(base: int, fills_address: int, count: int) -> int:
    """Take in fills that lie side by side: how many, up to where the ledger has to grow."""
    ledger = ledger_at(base)
    for n in range(count):
        full = ledger.accounts == ledger.accounts_max or ledger.lots_live == ledger.lots_max
        if full or ledger.entries == ledger.entries_max:
            return n
        again = _fill_at(fills_address + n * FILL_BYTES).quantity < 0 and ledger.method == FIFO
        if again and ledger.lots_max - ledger.lots_live < ledger.entries:
            return n
        book(base, fills_address + n * FILL_BYTES)
    return count


@jit.compiled()
def _book(base: int, fill: Any) -> int:
    ledger = ledger_at(base)
    side = int(fill.side)
    if fill.quantity == 0 or (side != BUY and side != SELL):
        return NO_FILL
    if fill.quantity < 0:
        return _taken_back(base, fill)
    if ledger.entries == ledger.entries_max:
        return NO_ENTRY
    place = free_place(base, int(fill.strategy), int(fill.instrument))
    number = place_of(base, place).account
    if number == 0 and ledger.accounts == ledger.accounts_max:
        return NO_ACCOUNT
    # Of a new account slot 0 answers, which stays empty.
    reason = _fits(base, account_of(base, number), side, fill.price, fill.quantity, fill.fee)
    if reason != 0:
        return reason
    if number == 0:
        ledger.accounts += 1
        number = ledger.accounts
        account = account_of(base, number)
        account.strategy, account.instrument = int(fill.strategy), int(fill.instrument)
        place_of(base, place).account = number
    entry = entry_of(base, ledger.entries)
    ledger.entries += 1
    entry.number, entry.time, entry.match = fill.number, fill.time, fill.match
    entry.order, entry.price, entry.quantity = fill.order, fill.price, fill.quantity
    entry.fee, entry.account, entry.side, entry.state = fill.fee, number, side, BOOKED
    entry.realised = _post(base, account_of(base, number), entry)
    return 0


@jit.compiled()
def _taken_back(base: int, fill: Any) -> int:
    """The log says that a trade is broken."""
    for n in range(ledger_at(base).entries):
        entry = entry_of(base, n)
        if entry.match != fill.match or entry.order != fill.order or entry.state != BOOKED:
            continue
        here = account_of(base, int(entry.account)).instrument == int(fill.instrument)
        if here and entry.quantity == -fill.quantity:
            return _break(base, entry)
    return NO_TRADE


@jit.compiled()
def _fits(base: int, account: Any, side: int, price: int, quantity: int, fee: int) -> int:
    """0, or why these may not be added to the account."""
    ledger = ledger_at(base)
    size = abs(price)
    if quantity > MONEY_MAX or (size != 0 and quantity > MONEY_MAX // size):
        return TOO_LARGE
    if not -MONEY_MAX <= fee <= MONEY_MAX or abs(account.fees + fee) > MONEY_MAX:
        return TOO_LARGE
    signed = price * quantity if side == SELL else -price * quantity
    if abs(account.cash + signed) > MONEY_MAX:
        return TOO_LARGE
    if (account.bought if side == BUY else account.sold) + quantity > MONEY_MAX:
        return TOO_LARGE
    position = account.quantity
    closes = position < 0 if side == BUY else position > 0
    held = account.weight if ledger.method == FIFO else abs(account.cost)
    opening = quantity - min(abs(position), quantity) if closes else quantity
    if opening > 0 and (0 if closes else held) + size * opening > MONEY_MAX:
        return TOO_LARGE
    # One that turns a position has given all its lots back before it needs one.
    if ledger.method != FIFO or closes or ledger.lots_live < ledger.lots_max:
        return 0
    return 0 if position != 0 and lot_of(base, account.last_lot).price == price else NO_LOT


@jit.compiled()
def _post(base: int, account: Any, entry: Any) -> int:
    """Add an entry that fits: what it realised."""
    ledger = ledger_at(base)
    price, quantity, position = entry.price, entry.quantity, account.quantity
    sign = 1 if entry.side == BUY else -1
    if sign > 0:
        account.bought += quantity
    else:
        account.sold += quantity
    account.cash -= sign * price * quantity
    account.fees += entry.fee
    account.fills += 1
    account.quantity = position + sign * quantity
    closing, realised = 0, 0
    if position * sign < 0:
        closing = min(abs(position), quantity)
        if ledger.method == FIFO:
            cost = -sign * _close(base, account, closing)
        else:
            cost = -share_below(-account.cost, closing, abs(position))
        account.cost -= cost
        realised = -sign * price * closing - cost
        account.realised += realised
    opening = quantity - closing
    if opening > 0:
        account.cost += sign * price * opening
        if ledger.method == FIFO:
            _open(base, account, price, opening, entry.time)
    return realised


@jit.compiled()
def _close(base: int, account: Any, quantity: int) -> int:
    """Take this much from the oldest lots: price times quantity of it."""
    ledger = ledger_at(base)
    cost = 0
    while quantity > 0:
        number = account.first_lot
        lot = lot_of(base, number)
        taken = min(quantity, lot.quantity)
        cost += taken * lot.price
        account.weight -= taken * abs(lot.price)
        lot.quantity -= taken
        quantity -= taken
        if lot.quantity == 0:
            account.first_lot = lot.next
            if account.first_lot == 0:
                account.last_lot = 0
            account.lots -= 1
            lot.next = ledger.free_lot
            ledger.free_lot = number
            ledger.lots_live -= 1
    return cost


@jit.compiled()
def _open(base: int, account: Any, price: int, quantity: int, time: int) -> None:
    """A lot behind the others, or more of the newest where it has this price."""
    ledger = ledger_at(base)
    account.weight += quantity * abs(price)
    if account.last_lot != 0 and lot_of(base, account.last_lot).price == price:
        lot_of(base, account.last_lot).quantity += quantity
        return
    number = ledger.free_lot
    if number != 0:
        ledger.free_lot = lot_of(base, number).next
    else:
        ledger.lots_drawn += 1
        number = ledger.lots_drawn
    ledger.lots_live += 1
    lot = lot_of(base, number)
    lot.price, lot.quantity, lot.since, lot.next = price, quantity, time, 0
    if account.last_lot != 0:
        lot_of(base, account.last_lot).next = number
    else:
        account.first_lot = number
    account.last_lot = number
    account.lots += 1


@jit.compiled("int64(int64, int64, int64, int64)")
def take_back(base: int, instrument: int, match: int, order: int) -> int:
    """Take back the fills of a trade that the venue broke: how many, or minus NO_LOT.

    `order` of 0: of whichever order. Their accounts are added up anew without them.
    """
    ledger = ledger_at(base)
    found = 0
    for n in range(ledger.entries):
        entry = entry_of(base, n)
        if entry.match != match or entry.state != BOOKED:
            continue
        if order != 0 and entry.order != order:
            continue
        if account_of(base, int(entry.account)).instrument != instrument:
            continue
        reason = _break(base, entry)
        if reason != 0:
            return -reason
        found += 1
    return found


@jit.compiled()
def _break(base: int, entry: Any) -> int:
    """An entry no longer counts: 0, or NO_LOT and nothing is changed."""
    ledger = ledger_at(base)
    number = int(entry.account)
    account = account_of(base, number)
    # The lots of an account are fewer than its fills: then none can be missing below.
    room = ledger.lots_max - ledger.lots_live + account.lots
    if ledger.method == FIFO and room < account.fills:
        return NO_LOT
    entry.state, entry.realised = BROKEN, 0
    ledger.broken += 1
    _again(base, number)
    return 0


@jit.compiled()
def _again(base: int, number: int) -> None:
    """Add up the entries of an account from nothing."""
    ledger = ledger_at(base)
    account = account_of(base, number)
    if ledger.method == FIFO:
        _close(base, account, abs(account.quantity))
    account.quantity, account.cash, account.fees, account.cost = 0, 0, 0, 0
    account.realised, account.bought, account.sold, account.fills = 0, 0, 0, 0
    for n in range(ledger.entries):
        entry = entry_of(base, n)
        if int(entry.account) != number or entry.state != BOOKED:
            continue
        side = int(entry.side)
        # Without the broken one an amount may pass its bound for a while, where it did not before.
        reason = _fits(base, account, side, entry.price, entry.quantity, entry.fee)
        if reason != 0:
            entry.state, entry.realised = LEFT_OUT, 0
            ledger.refused[reason] += 1
            continue
        entry.realised = _post(base, account, entry)
