"""OUCH 5.0 read slowly, by `struct` and slices, from a table of its own: the twin of the codec.

A format for the fixed part of each type, as the protocol lists offsets and widths; whether it ends
with the length of an appendage; and the size of each tag's value. Nothing is shared with hftlib.
"""

from __future__ import annotations

import struct

# Letter: its format, and whether the last of its fields is the length of the appendage.
TO_VENUE = {
    "O": (">cIcI8sQccccc14sH", True),
    "U": (">cIIIQccc14sH", True),
    "X": (">cII", False),
    "M": (">cIcI", False),
    "C": (">cI4s8sH", True),
    "D": (">cI4sH", True),
    "E": (">cI4sH", True),
    "Q": (">c", False),
}
FROM_VENUE = {
    "S": (">cQc", False),
    "A": (">cQIcI8sQccQcccc14sH", True),
    "U": (">cQIIcI8sQccQcccc14sH", True),
    "C": (">cQIIc", False),
    "D": (">cQIIcIQcc", False),
    "E": (">cQIIQcQH", True),
    "B": (">cQIQc14s", False),
    "J": (">cQIH14s", False),
    "P": (">cQI", False),
    "I": (">cQI", False),
    "T": (">cQIQcQ", False),
    "M": (">cQIcI", False),
    "R": (">cQIcH", True),
    "X": (">cQI4s8sH", True),
    "G": (">cQI4sH", True),
    "K": (">cQI4sH", True),
    "Q": (">cQI", False),
}
LENGTHS = "O47 U40 X9 M10 C19 D11 E11 Q1"
LENGTHS_BACK = "S10 A64 U68 C18 D32 E36 B36 J29 P13 I13 T30 M18 R16 X27 G19 K19 Q13"
SIZES = "1:8 2:4 3:4 4:1 5:4 6:1 7:4 9:8 10:1 11:4 12:1 13:4 14:4 15:4 16:1 17:1 18:1 22:4 23:8"
SIZES += " 24:2 25:1 26:4 27:1 28:1 29:1 30:2"
TAG_SIZES = {int(tag): int(size) for tag, size in (one.split(":") for one in SIZES.split())}
SIGNED = (7, 11)


def lengths(words: str) -> dict[str, int]:
    return {word[0]: int(word[1:]) for word in words.split()}


def elements(data: bytes) -> list[tuple[int, int]] | str:
    """(tag, value) of each element of an appendage; or what is wrong with it."""
    found: list[tuple[int, int]] = []
    while data:
        size, data = data[0], data[1:]
        if size == 0 or size > len(data):
            return "an element goes beyond the end of the appendage, or has no tag"
        tag, value, data = data[0], data[1:size], data[size:]
        if tag not in TAG_SIZES:
            continue
        if len(value) != TAG_SIZES[tag]:
            return "an element has another length than its tag has"
        if tag in dict(found):
            return "a tag comes twice"
        # Eight bytes are kept as int64, whichever number they are.
        signed = tag in SIGNED or len(value) == 8
        found.append((tag, int.from_bytes(value, "big", signed=signed)))
    return found


def read(data: bytes, table: dict[str, tuple[str, bool]]) -> tuple[tuple, list] | str:
    """The fields and the elements of a message; or what is wrong with it."""
    if not data:
        return "there are no bytes"
    if chr(data[0]) not in table:
        return "its type is unknown"
    form, own = table[chr(data[0])]
    size = struct.calcsize(form)
    if len(data) < size:
        return "it ends before its type does"
    fields, rest = struct.unpack(form, data[:size]), data[size:]
    if own:
        if fields[-1] != len(rest):
            return "the length of its appendage is not what follows"
    elif rest:
        if len(rest) < 2 or int.from_bytes(rest[:2], "big") != len(rest) - 2:
            return "bytes follow its end that are no appendage"
        rest = rest[2:]
    found = elements(rest)
    return found if isinstance(found, str) else (fields, found)
