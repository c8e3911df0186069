"""The optional fields behind an OUCH message: elements of {u8 length, u8 tag, value}.

    OPTIONS   tags 0b1000            bit 3: the element of tag 3 is there
              order 3                its place among the elements, as they came
              values[3] 500          its value: a number, or the letters of a text as `events.code`

The length of an element counts its tag and its value. Elements are kept in the order they came in,
so what was read is written again byte for byte; one of a tag that is none here is left out and
counted, since a venue may add some, and whoever may not overlook it looks at `unknown`.

Worst case: an element of a wrong length, a tag twice, or bytes left over are each told with the
place where they are; what was read before it stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hftlib.core import jit
from hftlib.core.records import field_offset, record

NUMBER, SIGNED, PRICE, LETTERS = range(4)
TAGS_MAX = 32
ELEMENT_BYTES_MAX = 10


@dataclass(frozen=True, slots=True)
class Tag:
    """One kind of element."""

    number: int
    size: int
    kind: int
    why: str


TAGS = {
    "secondary_reference": Tag(1, 8, NUMBER, "another number of the venue's for the order"),
    "firm": Tag(2, 4, LETTERS, "for whom it is entered"),
    "min_quantity": Tag(3, 4, NUMBER, "the least that may be filled"),
    "customer_type": Tag(4, 1, LETTERS, "R retail, N not"),
    "max_floor": Tag(5, 4, NUMBER, "how much of it shows"),
    "price_type": Tag(6, 1, LETTERS, "L limit, P market peg, R primary peg, M, Q, m midpoint, ..."),
    "peg_offset": Tag(7, 4, SIGNED, "from what it is pegged to, four decimals"),
    "discretion_price": Tag(9, 8, PRICE, "to which it may go, unseen"),
    "discretion_type": Tag(10, 1, LETTERS, "as price_type, of that price"),
    "discretion_offset": Tag(11, 4, SIGNED, "as peg_offset, of that price"),
    "post_only": Tag(12, 1, LETTERS, "P: it may only make, N"),
    "random_reserve": Tag(13, 4, NUMBER, "shares by which what shows varies"),
    "route": Tag(14, 4, NUMBER, "where it may go on to"),
    "expire_time": Tag(15, 4, NUMBER, "seconds it lives, with tif 6"),
    "trade_now": Tag(16, 1, LETTERS, "Y, N"),
    "handling": Tag(17, 1, LETTERS, "I imbalance only, O, ..."),
    "weight": Tag(18, 1, LETTERS, "what it did to the best price"),
    "display_quantity": Tag(22, 4, NUMBER, "what shows now, of one restated"),
    "display_price": Tag(23, 8, PRICE, "likewise, its price"),
    "group": Tag(24, 2, NUMBER, "a group of the firm's, for AIQ"),
    "located": Tag(25, 1, LETTERS, "Y: the shares to sell short are located"),
    "locate_broker": Tag(26, 4, LETTERS, "by whom"),
    "side": Tag(27, 1, LETTERS, "B, S, T, E"),
    "urn_index": Tag(28, 1, NUMBER, "which of several counts of user references"),
    "self_match": Tag(29, 1, LETTERS, "what AIQ does when it would meet one of its own"),
    "tag_30": Tag(30, 2, NUMBER, "no name is known to us"),
}
_BY_NUMBER = {tag.number: (name, tag) for name, tag in TAGS.items()}

OPTIONS = record(
    "ouch options",
    328,
    """
    0   tags      int64      bit n: the element of tag n is there
    8   count     int64      elements, in the order they came in
    16  unknown   int64      elements of no tag that is one here, left out
    24  wrong_at  int64      where in the message something is wrong, if it was refused
    32  tail      int64      1: an appendage stands where the type has none by itself
    40  order     uint8[32]  their tags, as they came
    72  values    int64[32]  by tag
    """,
)
OPTIONS_BYTES = OPTIONS.itemsize
_ORDER, _VALUES = field_offset(OPTIONS, "order"), field_offset(OPTIONS, "values")

# What is wrong with a message, as negative answers of the codec.
GOOD = 0
(
    EMPTY,
    UNKNOWN_TYPE,
    TOO_SHORT,
    TOO_LONG,
    APPENDAGE_LENGTH,
    CUT_OFF,
    TAG_LENGTH,
    TAG_TWICE,
    NO_ROOM,
) = range(-1, -10, -1)
REASONS = {
    EMPTY: "there are no bytes",
    UNKNOWN_TYPE: "its type is unknown",
    TOO_SHORT: "it ends before its type does",
    TOO_LONG: "bytes follow its end that are no appendage",
    APPENDAGE_LENGTH: "the length of its appendage is not what follows",
    CUT_OFF: "an element goes beyond the end of the appendage, or has no tag",
    TAG_LENGTH: "an element has another length than its tag has",
    TAG_TWICE: "a tag comes twice",
    NO_ROOM: "there is no room for it",
}

_sizes = np.zeros(256, np.int64)  # bytes of a value by its tag; 0: no such tag
_signed = np.zeros(256, np.int64)
for _tag in TAGS.values():
    _sizes[_tag.number], _signed[_tag.number] = _tag.size, _tag.kind == SIGNED

options_at = jit.record_at(OPTIONS)


@jit.inlined
def clear(options: int) -> None:
    """No elements."""
    there = options_at(options)
    there.tags, there.count, there.unknown, there.wrong_at, there.tail = 0, 0, 0, 0, 0


@jit.compiled()
def put(options: int, tag: int, value: int) -> None:
    """One element, as the last; or another value for one that is there."""
    there = options_at(options)
    if there.tags >> tag & 1 == 0:
        jit.store_u8(jit.nth(options + _ORDER, there.count, TAGS_MAX, 1), tag)
        there.count += 1
        there.tags |= 1 << tag
    jit.store_i64(jit.nth(options + _VALUES, tag, TAGS_MAX, 8), value)


@jit.inlined
def has(options: int, tag: int) -> bool:
    return (options_at(options).tags >> tag & 1) != 0


@jit.inlined
def value_of(options: int, tag: int) -> int:
    """The value of an element that is there."""
    return jit.load_i64(jit.nth(options + _VALUES, tag, TAGS_MAX, 8))


@jit.compiled()
def read_elements(message: int, begin: int, end: int, options: int) -> int:
    """Read the elements from one offset of a message to another: GOOD, or what is wrong."""
    there = options_at(options)
    place = begin
    while place < end:
        there.wrong_at = place
        length = jit.load_u8(message + place)
        if length == 0 or place + 1 + length > end:
            return CUT_OFF
        tag = jit.load_u8(message + place + 1)
        size = _sizes[tag]
        if size == 0:
            there.unknown += 1
        elif size != length - 1:
            return TAG_LENGTH
        elif there.tags >> tag & 1:
            return TAG_TWICE
        else:
            put(options, tag, _value(message + place + 2, size, _signed[tag]))
        place += 1 + length
    there.wrong_at = 0
    return GOOD


@jit.compiled()
def element_bytes(options: int) -> int:
    """How many bytes the elements take."""
    there = options_at(options)
    total = 0
    for n in range(there.count):
        total += 2 + _sizes[jit.load_u8(jit.nth(options + _ORDER, n, TAGS_MAX, 1))]
    return total


@jit.compiled()
def write_elements(options: int, target: int) -> int:
    """Write the elements, as many bytes as `element_bytes` says: the address behind them."""
    there = options_at(options)
    for n in range(there.count):
        tag = jit.load_u8(jit.nth(options + _ORDER, n, TAGS_MAX, 1))
        size = _sizes[tag]
        value = jit.load_i64(jit.nth(options + _VALUES, tag, TAGS_MAX, 8))
        jit.store_u8(target, 1 + size)
        jit.store_u8(target + 1, tag)
        if size == 1:
            jit.store_u8(target + 2, value)
        elif size == 2:
            jit.store_be_u16(target + 2, value)
        elif size == 4:
            jit.store_be_u32(target + 2, value)
        else:
            jit.store_be_i64(target + 2, value)
        target += 2 + size
    return target


@jit.inlined
def _value(place: int, size: int, signed: int) -> int:
    if size == 1:
        return jit.load_u8(place)
    if size == 2:
        return jit.load_be_u16(place)
    if size == 4:
        value = jit.load_be_u32(place)
        return value - (value >> 31 << 32) if signed != 0 else value
    return jit.load_be_i64(place)


def tag_of(number: int) -> tuple[str, Tag]:
    """The tag of this number, by name."""
    return _BY_NUMBER[number]
