"""The one gate of parent orders, and what it counts: children never come to more than their parent.

    may_send(base, parent, lots)   filled + working + lots <= quantity, or ABOVE_PARENT and a halt
    may_grow(base, order, ...)     the same for a replace that makes a child larger
    working(base, parent)          all that its open children may yet come to
    count_fill(base, order, ...)   a fill of a child is a fill of its parent

What the venue says was taken off, or is open after a replace, is compared with what we knew. Where
lots are missing a fill was lost, or is late: they are `unknown`, and count until the fill comes.

`working` is summed over the children at each question, from the orders themselves; there is no
second count that could drift away from them. A child counts with the larger of what it asks for
and what a replace under way will ask for, from the moment before it leaves until a report says
that it is over. So a report that is lost, late or doubled, a reject or a venue that is gone can
only make a parent ask for less.

`base` is the header of execution, `slot` the parent's. Worst case: LEGS_MAX orders are read for
each question. A fill beyond the quantity, by a venue that contradicts itself, halts the parent.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.parents import (
    DONE,
    FREE,
    HALTED,
    LEG,
    LEG_BYTES,
    LEGS_AT,
    LEGS_MAX,
    PARENT,
    PARENT_BITS,
    PARENT_BYTES,
    PARENTS,
    PARENTS_MAX,
    PLACE,
    RUNNING,
)
from hftlib.execution.counting import counted_lots
from hftlib.execution.memory import execution_at, order_of, slot_of

_header_at = jit.record_at(PARENTS)
_leg_at = jit.record_at(LEG)


@jit.inlined
def parents_of(base: int) -> Any:
    """The header of all parents."""
    return _header_at(base + execution_at(base).parents_at)


_parent_row, _parent_address = jit.rows(_header_at, PARENT, "parents_at", "mask", 1)
_place_row, _ = jit.rows(_header_at, PLACE, "places_at", "instruments", 1)


_, _log_row = jit.rows(_header_at, PARENT, "log_at", "log_max")


@jit.inlined
def _log_address(base: int, number: int) -> int:
    return _log_row(base + execution_at(base).parents_at, number)


@jit.inlined
def parent_of(base: int, slot: int) -> Any:
    return _parent_row(base + execution_at(base).parents_at, slot)


@jit.inlined
def place_of(base: int, instrument: int) -> Any:
    """What is known of an instrument as a place to trade at."""
    return _place_row(base + execution_at(base).parents_at, instrument)


@jit.inlined
def points_address(base: int) -> int:
    """Where the points of all curves of volume lie."""
    return base + execution_at(base).parents_at + parents_of(base).points_at


@jit.inlined
def offers_address(base: int) -> int:
    """Room for the offers that a route weighs."""
    return base + execution_at(base).parents_at + parents_of(base).offers_at


@jit.inlined
def leg_of(base: int, slot: int, number: int) -> Any:
    legs = _parent_address(base + execution_at(base).parents_at, slot) + LEGS_AT
    return _leg_at(jit.nth(legs, number, LEGS_MAX, LEG_BYTES))


@jit.inlined
def is_over(order: Any) -> bool:
    """Whether nothing can be asked of an order any more; fills from before may yet be told."""
    return order.state == orders.FREE or order.state >= orders.ENDING


@jit.inlined
def is_unanswered(order: Any) -> bool:
    """Whether the venue has said nothing of it yet."""
    return not is_over(order) and order.accepted == 0


@jit.inlined
def child_of(base: int, slot: int, number: int) -> Any:
    """The order of a leg; the empty one where it has none, or that has lost its place."""
    return order_of(base, slot_of(base, leg_of(base, slot, number).order))


@jit.inlined
def child_left(order: Any) -> int:
    """The most that may yet be filled of an order."""
    return max(0, counted_lots(order))


@jit.compiled()
def working(base: int, slot: int) -> int:
    """The most that may yet be filled of all children, or was, without a word of it."""
    lots = 0
    for number in range(LEGS_MAX):
        lots += child_left(child_of(base, slot, number))
    return lots


@jit.compiled()
def unknown_lots(base: int, slot: int) -> int:
    """Of these, lots of which no word came: of children that ended, or that nobody knows of."""
    lots = 0
    for number in range(LEGS_MAX):
        order = child_of(base, slot, number)
        if order.state == orders.ENDING or order.state == orders.UNKNOWN:
            lots += child_left(order)
    return lots


@jit.compiled()
def open_children(base: int, slot: int) -> int:
    """How many children are not over."""
    count = 0
    for number in range(LEGS_MAX):
        count += 0 if is_over(child_of(base, slot, number)) else 1
    return count


@jit.compiled()
def may_send(base: int, slot: int, lots: int) -> int:
    """The gate: 0, or why the parent may not ask for so much more. Too much halts it."""
    parent = parent_of(base, slot)
    if slot == 0 or parent.state != RUNNING:
        return orders.NOT_RUNNING
    if lots <= 0:
        return orders.NO_QUANTITY
    if lots > parent.quantity - parent.filled - working(base, slot):
        halt(base, slot, orders.ABOVE_PARENT)
        return orders.ABOVE_PARENT
    return 0


@jit.compiled()
def may_grow(base: int, order: Any, quantity: int) -> int:
    """The same for a replace, after which an order that may be a child asks for so much in all."""
    if order.parent == 0:
        return 0
    slot = slot_of_child(base, order)
    number = leg_number(base, slot, order.id)
    if number < 0:
        return orders.NOT_RUNNING
    asked = leg_of(base, slot, number).asked
    # What it asked for once is counted; reports that came late may make it seem more or less.
    if quantity <= asked:
        return 0
    return may_send(base, slot, max(1, quantity - order.filled - child_left(order)))


@jit.compiled()
def has_grown(base: int, order: Any, quantity: int) -> None:
    """The replace has left."""
    slot = slot_of_child(base, order)
    number = leg_number(base, slot, order.id)
    if number >= 0:
        leg = leg_of(base, slot, number)
        leg.asked = max(leg.asked, quantity)


@jit.compiled()
def leg_number(base: int, slot: int, order: int) -> int:
    """The leg of a child; -1 where the parent has none of this number."""
    for number in range(LEGS_MAX):
        if slot != 0 and leg_of(base, slot, number).order == order:
            return number
    return -1


@jit.compiled()
def halt(base: int, slot: int, reason: int) -> None:
    """For good: no child leaves any more, and who drives it takes back those that are out."""
    parent = parent_of(base, slot)
    if parent.state == FREE or parent.done != 0 or parent.state == HALTED:
        return
    parent.state, parent.reason, parent.next = HALTED, reason, 0
    parents_of(base).halted += 1


@jit.inlined
def slot_of_parent(base: int, number: int) -> int:
    """The slot of a parent by its number; 0 where it has lost its place."""
    if number <= 0:
        return 0
    slot = number & parents_of(base).mask
    return slot if parent_of(base, slot).id == number else 0


@jit.inlined
def slot_of_child(base: int, order: Any) -> int:
    """The slot of an order's parent; 0 where that has lost its place to a later one."""
    slot = order.parent & parents_of(base).mask
    parent = parent_of(base, slot)
    same = parent.id & PARENT_BITS == order.parent and order.id > parent.older
    return slot if order.parent != 0 and same else 0


@jit.compiled()
def count_fill(base: int, order: Any, lots: int, price: int, fee: int) -> None:
    """A child traded; what it may yet come to went down by as much already."""
    slot = slot_of_child(base, order)
    if slot == 0:
        return
    parent = parent_of(base, slot)
    parent.filled += lots
    parent.value += lots * price
    parent.fees += fee
    if parent.filled > parent.quantity:
        halt(base, slot, orders.ABOVE_PARENT)


@jit.compiled()
def next_slot(base: int) -> int:
    """The slot of the next parent, which takes its number; 0 when all are in use."""
    header = parents_of(base)
    number = header.last + 1
    for _ in range(2 * PARENTS_MAX):
        slot = number & header.mask
        parent = parent_of(base, slot)
        # The low bits of its number stand in its children, where 0 means none.
        if slot != 0 and number & PARENT_BITS != 0 and (parent.state == FREE or parent.done != 0):
            _clear(base, slot)
            parent.id = number
            parent.older = execution_at(base).last_order
            parent.strategy = execution_at(base).strategy
            header.last = number
            header.slots[header.active] = slot
            header.active += 1
            header.started += 1
            return slot
        number += 1
    return 0


@jit.inlined
def _clear(base: int, slot: int) -> None:
    parent = parent_of(base, slot)
    parent.reason, parent.filled, parent.value, parent.fees = 0, 0, 0, 0
    parent.unknown, parent.refusals, parent.retry = 0, 0, 0
    parent.children, parent.due, parent.done, parent.tries = 0, 0, 0, 0
    for number in range(LEGS_MAX):
        leg = leg_of(base, slot, number)
        leg.order, leg.quantity, leg.takes, leg.asked = 0, 0, 0, 0


@jit.compiled()
def retire(base: int, place: int, time: int) -> None:
    """The parent at this place of the list is over: it is written down, and keeps its slot until
    that is needed."""
    header = parents_of(base)
    parent = parent_of(base, header.slots[place])
    parent.done = time
    if parent.state != HALTED:
        parent.state = DONE
    header.active -= 1
    header.ended += 1
    if header.logged < header.log_max:
        source = _parent_address(base + execution_at(base).parents_at, header.slots[place])
        jit.copy_words(_log_address(base, header.logged), source, PARENT_BYTES)
        header.logged += 1
    else:
        header.unlogged += 1
    for n in range(place, header.active):
        header.slots[n] = header.slots[n + 1]
