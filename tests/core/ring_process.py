"""Both ends of a ring as compiled loops, and a process to run one of them in.

An item betrays every accident: its first word is its number in the sequence, the words between
are mixed from that number, and the last one is a checksum over all the others.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from processes import SIGKILL, kill_myself, other_end, patience_ends_ns, patience_is_over

from hftlib.core import jit, ring
from hftlib.core.ring import DONE, NOT_NOW, Ring

TORN, EMPTY = -1, -2
PUSH, POP, RESERVE_PUBLISH, PEEK_RELEASE, RESERVE_ONLY, PEEK_ONLY = range(6)
TAKEN, OUT_OF_ORDER, TORN_ITEMS = range(3)  # what the loops report
SALT = 0x5DEECE66D
MASK = (1 << 62) - 1

_bytes_at = jit.array_at(np.uint8)
_words_at = jit.array_at(np.int64)


def item_of(count_bytes: int) -> np.dtype[Any]:
    """An item of that many bytes: its number, then the other words."""
    fields = [("sequence", "i8")]
    if count_bytes > 8:
        fields.append(("words", "i8", (count_bytes // 8 - 1,)))  # type: ignore[arg-type]
    return np.dtype(fields)


@jit.compiled()
def fill(slot: int, item_bytes: int, sequence: int, dwell: int) -> None:
    """Write a whole item, pausing `dwell` times after each word."""
    jit.store_i64(slot, sequence)
    check = sequence ^ SALT
    for offset in range(8, item_bytes, 8):
        for _ in range(dwell):
            jit.pause()
        word = check if offset == item_bytes - 8 else (sequence * 0x9E3779B1 + offset) & MASK
        jit.store_i64(slot + offset, word)
        check ^= word


@jit.compiled()
def sequence_of(slot: int, item_bytes: int) -> int:
    """The number of the item there, or TORN if its words do not belong together."""
    sequence = jit.load_i64(slot)
    check = sequence ^ SALT
    for offset in range(8, item_bytes, 8):
        word = jit.load_i64(slot + offset)
        last = offset == item_bytes - 8
        if word != (check if last else (sequence * 0x9E3779B1 + offset) & MASK):
            return TORN
        check ^= word
    return sequence


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def step(kind: int, address: int, item_bytes: int, number: int, scratch: int) -> int:
    """One operation on a ring, and its outcome: DONE, NOT_NOW, EMPTY, TORN or an item's number."""
    if kind == PUSH:
        fill(scratch, item_bytes, number, 0)
        return ring.push(address, scratch)
    if kind == POP:
        if ring.pop(address, scratch) == NOT_NOW:
            return EMPTY
        return sequence_of(scratch, item_bytes)
    if kind in (RESERVE_PUBLISH, RESERVE_ONLY):
        slot = ring.reserve(address)
        if slot == 0:
            return NOT_NOW
        fill(slot, item_bytes, number, 0)
        if kind == RESERVE_PUBLISH:
            ring.publish(address)
        return DONE
    slot = ring.peek(address)
    if slot == 0:
        return EMPTY
    sequence = sequence_of(slot, item_bytes)
    if kind == PEEK_RELEASE:
        ring.release(address)
    return sequence


@jit.compiled("void(int64, int64, int64, int64, int64, int64)")
def steps(
    address: int, item_bytes: int, kinds_address: int, outcomes: int, count: int, scratch: int
) -> None:
    """Do many operations and note every outcome; items are numbered by operation."""
    kinds = _bytes_at(kinds_address, count)
    noted = _words_at(outcomes, count)
    for number in range(count):
        kind = np.int64(kinds[number])
        noted[number] = step(kind, address, item_bytes, number, scratch)


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def produce(
    address: int, item_bytes: int, first: int, end: int, dwell: int, deadline_ns: int
) -> int:
    """Publish items `first` to `end`; returns how often the ring was full."""
    refused = 0
    sequence = first
    spins = 0
    while sequence < end:
        slot = ring.reserve(address)
        if slot == 0:
            refused += 1
            spins += 1
            if patience_is_over(spins, deadline_ns):
                return refused
            continue
        spins = 0
        fill(slot, item_bytes, sequence, dwell)
        ring.publish(address)
        sequence += 1
    return refused


@jit.compiled()
def oldest(address: int, scratch: int) -> int:
    """Where the oldest item can be read: in the scratch, else in place; 0 if there is none."""
    if scratch == 0:
        return ring.peek(address)
    return scratch if ring.pop(address, scratch) == DONE else 0


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64)")
def consume(
    address: int, item_bytes: int, scratch: int, first: int, end: int, report_at: int, until_ns: int
) -> None:
    """Take items `first` to `end` and report what was wrong with any of them."""
    report = _words_at(report_at, 3)
    sequence = first
    spins = 0
    while sequence < end:
        slot = oldest(address, scratch)
        if slot == 0:
            spins += 1
            if patience_is_over(spins, until_ns):
                return
            continue
        spins = 0
        found = sequence_of(slot, item_bytes)
        if scratch == 0:
            ring.release(address)
        report[TAKEN] += 1
        if found == TORN:
            report[TORN_ITEMS] += 1
        elif found != sequence:
            report[OUT_OF_ORDER] += 1
        sequence += 1


@jit.compiled("int64(int64, int64, int64, int64)")
def pushed(address: int, item_address: int, spins: int, deadline_ns: int) -> int:
    """Push, waiting for room; NOT_NOW once patience is over."""
    while ring.push(address, item_address) == NOT_NOW:
        spins += 1
        if patience_is_over(spins, deadline_ns):
            return NOT_NOW
    return DONE


@jit.compiled("int64(int64, int64, int64, int64)")
def popped(address: int, item_address: int, spins: int, deadline_ns: int) -> int:
    """Pop, waiting for an item; NOT_NOW once patience is over."""
    while ring.pop(address, item_address) == NOT_NOW:
        spins += 1
        if patience_is_over(spins, deadline_ns):
            return NOT_NOW
    return DONE


@jit.compiled("void(int64, int64, int64, int64, int64)")
def echo(there: int, back: int, scratch: int, count: int, deadline_ns: int) -> None:
    """Send every item back as it came."""
    for _ in range(count):
        if popped(there, scratch, 0, deadline_ns) == NOT_NOW:
            return
        if pushed(back, scratch, 0, deadline_ns) == NOT_NOW:
            return


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64)")
def ask(
    there: int, back: int, item_bytes: int, scratch: int, count: int, report_at: int, until: int
) -> None:
    """Send items one by one, each after the answer to the one before."""
    report = _words_at(report_at, 3)
    for sequence in range(count):
        fill(scratch, item_bytes, sequence, 0)
        if pushed(there, scratch, 0, until) == NOT_NOW:
            return
        jit.store_i64(scratch, TORN)
        if popped(back, scratch, 0, until) == NOT_NOW:
            return
        report[TAKEN] += 1
        found = sequence_of(scratch, item_bytes)
        if found == TORN:
            report[TORN_ITEMS] += 1
        elif found != sequence:
            report[OUT_OF_ORDER] += 1


@jit.compiled("int64(int64, int64)")
def die_within(address: int, item_bytes: int) -> int:
    """Be killed with half an item written and none published."""
    slot = ring.reserve(address)
    for offset in range(0, item_bytes // 2, 8):
        jit.store_i64(slot + offset, -offset - 1)
    kill_myself(SIGKILL)
    return 0


def main() -> None:
    task, path, *numbers = sys.argv[1:]
    arena = other_end(path)
    there = Ring(arena["there"])
    item_bytes = there.dtype.itemsize
    if task == "produce":
        first, end, dwell = map(int, numbers)
        print(produce(there.address, item_bytes, first, end, dwell, patience_ends_ns()))
    elif task == "echo":
        scratch = np.zeros(item_bytes // 8, np.int64)
        back = Ring(arena["back"])
        count = int(numbers[0])
        echo(there.address, back.address, scratch.ctypes.data, count, patience_ends_ns())
    elif task == "die":
        die_within(there.address, item_bytes)
