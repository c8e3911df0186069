"""Records: every dtype that crosses a boundary, declared by its own drawing.

A record's layout is written once, as the table a person reads, and `record()` turns that table
into the numpy dtype. So the drawing cannot drift from the memory: each offset is written by hand
and checked here against the field before it, its natural alignment and the stated size.

    offset  name      type        why
    0       head      int64       next item the producer writes

A type is a numpy scalar (`int64 float64 uint8 S8 ...`), an array of one (`int64[128]`), or the name
of another record given as a keyword. All drawn records stand in `RECORDS`, from which
`docs/layouts.md` is generated. Worst case: a wrong drawing stops the import with a sentence.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError

CACHE_LINE_BYTES = 64
_ROW = re.compile(
    r"^(\d+)\s+([a-z][a-z0-9_]*)\s+([A-Za-z][A-Za-z0-9_]*)(?:\[(\d+)\])?(?:\s+(.*))?$"
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A record as drawn: kept for the generated reference."""

    name: str
    text: str
    dtype: np.dtype[Any]


RECORDS: dict[str, Drawing] = {}


def record(name: str, size: int, drawing: str, **parts: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a drawn table of `offset name type why` rows, `size` bytes in all."""
    names: list[str] = []
    formats: list[Any] = []
    offsets: list[int] = []
    end = 0
    for line in filter(None, map(str.strip, drawing.splitlines())):
        offset, field, kind, count = _parsed(name, line)
        scalar = parts[kind] if kind in parts else _scalar(name, line, kind)
        if field in names:
            raise _wrong(name, line, f"the field {field!r} is drawn twice")
        if offset < end:
            raise _wrong(
                name, line, f"offset {offset} overlaps the field before it, which ends at {end}"
            )
        if offset % scalar.alignment:
            raise _wrong(name, line, f"offset {offset} is not a multiple of {scalar.alignment}")
        names.append(field)
        formats.append((scalar, (count,)) if count else scalar)
        offsets.append(offset)
        end = offset + scalar.itemsize * (count or 1)
    if end > size:
        raise _wrong(name, drawing, f"the fields end at {end}, beyond the stated {size} bytes")
    try:
        dtype = np.dtype(
            {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}, align=True
        )
    except (ValueError, TypeError) as error:
        raise _wrong(name, drawing, str(error)) from None
    RECORDS[name] = Drawing(name, "\n".join(map(str.strip, drawing.strip().splitlines())), dtype)
    return dtype


def items(count_of: np.dtype[Any], count: int) -> np.dtype[Any]:
    """`count` records side by side, as one dtype: a field of a larger record."""
    return np.dtype((count_of, (count,)))


def field_offset(dtype: np.dtype[Any], name: str) -> int:
    """Where a field begins, in bytes from the start of the record."""
    assert dtype.fields is not None, dtype
    return dtype.fields[name][1]


def rounded_up(value: int, step: int) -> int:
    """The smallest multiple of `step` that is at least `value`."""
    return -(-value // step) * step


def describe(dtype: np.dtype[Any]) -> Any:
    """A dtype as JSON-ready data; offsets and padding included, so nothing is guessed when read."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return {"items": describe(base), "shape": list(shape)}
    if dtype.fields is None:
        return dtype.str
    return {
        "fields": [
            [n, describe(dtype.fields[n][0]), dtype.fields[n][1]] for n in dtype.names or ()
        ],
        "size": dtype.itemsize,
        "aligned": dtype.isalignedstruct,
    }


def described(data: Any, depth: int = 0) -> np.dtype[Any]:
    """The dtype that `describe` described. The data may come from a damaged file: trust nothing."""
    if depth > 8:
        raise ValueError("records nested more than eight deep")
    if isinstance(data, str):
        dtype = np.dtype(data)
        if dtype.hasobject or dtype.kind not in "biufSUV":
            raise ValueError(f"type {data!r} is not plain memory")
        return dtype
    if "items" in data:
        shape = tuple(int(n) for n in data["shape"])
        return np.dtype((described(data["items"], depth + 1), shape))
    names = [str(row[0]) for row in data["fields"]]
    formats = [described(row[1], depth + 1) for row in data["fields"]]
    offsets = [int(row[2]) for row in data["fields"]]
    size = int(data["size"])
    layout: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    return np.dtype(layout, align=bool(data["aligned"]))


def differences(
    dtype: np.dtype[Any], ours: Any, theirs: Any, path: str = ""
) -> list[tuple[str, Any, Any]]:
    """Which fields of two values of one dtype differ, byte for byte, as (path, ours, theirs)."""
    if dtype.fields is None:
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        if ours.tobytes() == theirs.tobytes():
            return []
        if ours.ndim == 0:
            return [(path, ours.item(), theirs.item())]
        width = math.prod(ours.shape)
        flat_ours, flat_theirs = ours.reshape(width), theirs.reshape(width)
        found: list[tuple[str, Any, Any]] = []
        for index in range(width):
            a, b = flat_ours[index], flat_theirs[index]
            if a.tobytes() != b.tobytes():
                found += differences(ours.dtype, a, b, f"{path}[{index}]")
        return found
    found = []
    for name in dtype.names or ():
        inner = dtype.fields[name][0]
        base = inner.subdtype[0] if inner.subdtype else inner
        dotted = f"{path}.{name}" if path else name
        a, b = ours[name], theirs[name]
        if inner.subdtype and base.fields:
            for index in range(len(a)):
                found += differences(base, a[index], b[index], f"{dotted}[{index}]")
        else:
            found += differences(base, a, b, dotted)
    return found


def _parsed(name: str, line: str) -> tuple[int, str, str, int | None]:
    match = _ROW.match(line)
    if match is None:
        raise _wrong(name, line, "a row reads `offset name type why`")
    offset, field, kind, count, _why = match.groups()
    if count is not None and int(count) < 1:
        raise _wrong(name, line, "an array holds at least one item")
    return int(offset), field, kind, int(count) if count else None


def _scalar(name: str, line: str, kind: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(kind)
    except TypeError:
        raise _wrong(name, line, f"there is no type {kind!r}") from None
    if dtype.hasobject or dtype.itemsize == 0:
        raise _wrong(name, line, f"type {kind!r} is not plain memory of a fixed size")
    return dtype


def _wrong(name: str, line: str, what: str) -> InputError:
    return InputError(
        f"The record {name!r} is drawn wrongly: {what}",
        where=f"the drawing {line.strip()!r}",
        do="Correct the drawing; offsets are bytes from the start of the record.",
    )
