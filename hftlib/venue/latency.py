"""Latency in memory: how long a message is under way; constant, drawn, or as it was measured.

All five legs of a venue are one block, which may be moved as it is:

    LATENCY feed │ entry │ cancel │ replace │ response │ tables ...

A leg's address is `address + leg * LATENCY_BYTES`; people write legs as `hftlib.venue.delays` says.

A draw has no state: its bits come from the seed, the leg, the time and a key by a hash, so a tape
and a slice of it have the same latencies wherever both have the event. The key tells apart what
happens at one time (an order's number, an event's sequence) and must not count from the beginning
of the slice. Draws do not know of each other: what may not be overtaken (a feed's next event, the
next command of one session) arrives no earlier than the one before, and whoever calls sees to it.

A record of zeros is no latency at all. Worst case: 73 minutes; a measured leg is searched in
some 20 steps unless the last answer is near: `near` remembers it and decides nothing.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import record
from hftlib.core.stirring import WORD, stirred
from hftlib.venue.quantiles import STEPS, VALUES

LATENCY = record(
    "latency",
    64,
    """
    0   kind      int64  CONSTANT, DRAWN, MEASURED, RECORDED
    8   constant  int64  ns; of RECORDED: where the tape does not say
    16  seed      int64  32 bits, of the seed and the leg
    24  table_at  int64  bytes from here to the table: quantiles, or times and then latencies
    32  count     int64  values of the quantile table, or measurements
    40  steps     int64  1: a measurement holds until the next; 0: a line between them
    48  near      int64  the measurement that was found last
    """,
)
LATENCY_BYTES = LATENCY.itemsize
LEGS = ("feed", "entry", "cancel", "replace", "response")
FEED, ENTRY, CANCEL, REPLACE, RESPONSE = range(5)

CONSTANT, DRAWN, MEASURED, RECORDED = range(4)
LATENCY_NS_MAX = (1 << 42) - 1
_FRACTION_BITS = 20
_FRACTION = 1 << _FRACTION_BITS

_at = jit.record_at(LATENCY)


@jit.compiled("int64(int64, int64, int64)")
def latency_at(address: int, time: int, key: int) -> int:
    """Nanoseconds that what is sent at `time` takes; never below zero."""
    latency = _at(address)
    if latency.kind == DRAWN:
        return quantile_at(address + latency.table_at, mixed(latency.seed, time, key))
    if latency.kind == MEASURED:
        return _measured(address, time)
    return latency.constant


@jit.compiled("int64(int64, int64, int64, int64)")
def feed_latency_at(address: int, time: int, received: int, key: int) -> int:
    """The same for a market event: as recorded, where that is wanted and the tape has it."""
    if _at(address).kind == RECORDED and received > 0:
        return min(max(received - time, 0), LATENCY_NS_MAX)
    return latency_at(address, time, key)


@jit.compiled("int64(int64, int64, int64)")
def mixed(seed: int, time: int, key: int) -> int:
    """32 even bits of these three: the same in any mode, since no step leaves an int64."""
    bits = stirred(seed ^ (time & WORD))
    bits = stirred(bits ^ ((time >> 32) & WORD))
    bits = stirred(bits ^ (key & WORD))
    # Once more the seed: else two seeds would differ only in which time has which draw.
    return stirred((seed + (bits ^ ((key >> 32) & WORD))) & WORD)


@jit.compiled("int64(int64, int64)")
def quantile_at(table_address: int, bits: int) -> int:
    """The value that `bits` / 2**32 of the distribution lie below: a step and a way along it."""
    step = bits >> 22
    part = (bits >> 2) & (_FRACTION - 1)
    if step == STEPS - 1:  # the last step is cut into as many again: the tail
        step = STEPS + 1 + ((bits >> 12) & (STEPS - 1))
        part = (bits & 0xFFF) << (_FRACTION_BITS - 12)
    low = jit.load_i64(jit.nth(table_address, step, VALUES, 8))
    high = jit.load_i64(jit.nth(table_address, step + 1, VALUES, 8))
    return low + ((high - low) * part >> _FRACTION_BITS)


@jit.compiled("int64(int64, int64)")
def _measured(address: int, time: int) -> int:
    """The measurement before `time`, or a line from it to the next."""
    latency = _at(address)
    count = latency.count
    times = address + latency.table_at
    values = times + 8 * count
    at = _found(times, count, latency.near, time)
    latency.near = at
    value = jit.load_i64(jit.nth(values, at, count, 8))
    begin = jit.load_i64(jit.nth(times, at, count, 8))
    if latency.steps != 0 or time <= begin or at + 1 == count:
        return value
    span = jit.load_i64(jit.nth(times, at + 1, count, 8)) - begin
    # The span in at most 42 bits, so that the part of it stays within an int64.
    shift = max(0, 64 - jit.leading_zeros(span) - 42)
    part = (((time - begin) >> shift) << _FRACTION_BITS) // (span >> shift)
    after = jit.load_i64(jit.nth(values, at + 1, count, 8))
    return value + ((after - value) * part >> _FRACTION_BITS)


@jit.inlined
def _found(times: int, count: int, near: int, time: int) -> int:
    """The last of the ordered times that is not after `time`; 0 when all are."""
    low, high = 0, count
    if jit.load_i64(jit.nth(times, near, count, 8)) <= time:
        low = near
        # Time mostly goes on by less than a few measurements.
        reach = min(near + 4, count - 1)
        if jit.load_i64(jit.nth(times, reach, count, 8)) > time:
            high = reach
    else:
        high = near
    while high - low > 1:
        middle = (low + high) >> 1
        if jit.load_i64(jit.nth(times, middle, count, 8)) <= time:
            low = middle
        else:
            high = middle
    return low
