"""The layout of an arena: which arrays, of what, how many, and where.

    layout = Layout(orders=(ORDER, 100_000), books=(BOOK, 64), clock=CLOCK)

A layout is written as canonical JSON, and its digest is the digest of that text: two programs
agree about an arena exactly when they agree about the text. Each array starts on a 128-byte
boundary, since processors fetch cache lines in pairs. Worst case: a bad name or size is a sentence.
"""

from __future__ import annotations

import hashlib
import html
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.records import describe, described, is_plain, rounded_up

ALIGNMENT_BYTES = 128
HEADER_BYTES = 192
PAGE_BYTES = 4096
TOTAL_BYTES_MAX = 1 << 46
ARRAYS_MAX = 1024
TEXT_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one array lies."""

    dtype: np.dtype[Any]
    count: int
    offset: int

    @property
    def nbytes(self) -> int:
        return self.dtype.itemsize * self.count


class Layout:
    """Names, dtypes, counts and offsets of an arena's arrays, in the order given."""

    def __init__(
        self, /, **arrays: np.dtype[Any] | type | tuple[np.dtype[Any] | type, int]
    ) -> None:
        wanted = {name: _shape(name, given) for name, given in arrays.items()}
        if len(wanted) > ARRAYS_MAX:
            raise _wrong(f"{len(wanted)} arrays", f"an arena holds at most {ARRAYS_MAX}")
        body = [
            {"name": name, "dtype": describe(dtype), "count": count}
            for name, (dtype, count) in wanted.items()
        ]
        self.text = json.dumps(body, separators=(",", ":")).encode()
        if len(self.text) > TEXT_BYTES_MAX:
            raise _wrong("all arrays", f"their description takes {len(self.text):,} bytes")
        self.digest = hashlib.sha256(self.text).digest()
        self.data_offset = rounded_up(HEADER_BYTES + len(self.text), PAGE_BYTES)
        self.slots: dict[str, Slot] = {}
        offset = self.data_offset
        for name, (dtype, count) in wanted.items():
            self.slots[name] = Slot(dtype, count, offset)
            offset = rounded_up(offset + dtype.itemsize * count, ALIGNMENT_BYTES)
        self.data_bytes = offset - self.data_offset
        if self.data_bytes > TOTAL_BYTES_MAX:
            raise _wrong("all arrays", f"they take {self.data_bytes:,} bytes together")

    @property
    def total_bytes(self) -> int:
        """Size of the whole mapping: header, text and arrays, in whole pages."""
        return self.data_offset + rounded_up(self.data_bytes, PAGE_BYTES)

    @classmethod
    def from_text(cls, text: bytes) -> Layout:
        """The layout that `text` describes; raises ValueError and the like if it is damaged."""
        rows = json.loads(text)
        made = cls(**{row["name"]: (described(row["dtype"]), row["count"]) for row in rows})
        if made.text != text:
            raise ValueError("the text is not in canonical form")
        return made

    def difference(self, other: Layout) -> str:
        """The first way in which two layouts differ, in words."""
        for name in (*self.slots, *other.slots):
            if name not in self.slots or name not in other.slots:
                return f"only one of them has an array {name!r}"
        for name, ours in self.slots.items():
            theirs = other.slots[name]
            if describe(ours.dtype) != describe(theirs.dtype):
                return f"the records of {name!r} have different fields, offsets or alignment"
            if ours.count != theirs.count:
                return f"{name!r} holds {ours.count} items in one and {theirs.count} in the other"
        return "the arrays stand in a different order"

    def rows(self) -> list[tuple[str, str, int, int, int]]:
        """One row per array: name, fields, count, offset, bytes."""
        return [
            (
                name,
                ", ".join(slot.dtype.names or (str(slot.dtype),)),
                slot.count,
                slot.offset,
                slot.nbytes,
            )
            for name, slot in self.slots.items()
        ]

    def html(self, caption: str) -> str:
        """The layout as a table, for notebooks."""
        body = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(fields)}</td>"
            f"<td>{count:,}</td><td>{offset:,}</td><td>{nbytes:,}</td></tr>"
            for name, fields, count, offset, nbytes in self.rows()
        )
        heads = "".join(f"<th>{h}</th>" for h in ("array", "fields", "items", "offset", "bytes"))
        return f"<table><caption>{html.escape(caption)}</caption><tr>{heads}</tr>{body}</table>"


def _shape(name: str, given: Any) -> tuple[np.dtype[Any], int]:
    kind, count = given if isinstance(given, tuple) and len(given) == 2 else (given, 1)
    if not name.isidentifier() or len(name) > 64:
        raise _wrong(name, "a name is an identifier of at most 64 characters")
    try:
        dtype = np.dtype(kind)
    except (TypeError, ValueError, SyntaxError):
        raise _wrong(name, f"{kind!r} is not a dtype") from None
    if kind is None or dtype.subdtype is not None or not is_plain(dtype):
        raise _wrong(name, f"{kind!r} is not plain memory of a fixed size, one item of it")
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise _wrong(name, f"an array holds a whole number of items, at least one, not {count!r}")
    if dtype.itemsize * int(count) > TOTAL_BYTES_MAX:
        raise _wrong(
            name, f"{count:,} items of {dtype.itemsize} bytes are more than an arena holds"
        )
    return dtype, int(count)


def _wrong(name: str, what: str) -> InputError:
    return InputError(
        f"This cannot be laid out: {what}",
        where=f"array {name!r} of Layout(...)",
        do="Give each array as name=dtype or name=(dtype, count).",
    )
