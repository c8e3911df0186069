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

import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError

CACHE_LINE_BYTES = 64
BYTES_MAX = 2**31 - 1  # numpy's own bound for one record
_PLAIN = re.compile(r"[<>|]([biu][1248]|f[248]|[SUV][0-9]{1,10})", re.ASCII)
_ROW = re.compile(
    r"^(\d+)\s+([a-z][a-z0-9_]*)\s+([A-Za-z][A-Za-z0-9_]*)(?:\[(\d+)\])?(?:\s+(.*))?$"
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A record as drawn: kept for the generated reference."""

    name: str
    module: str
    text: str
    dtype: np.dtype[Any]


# numba gives every record a method of this name, which hides the field.
_TAKEN = {"view"}
RECORDS: dict[str, Drawing] = {}


def record(name: str, size: int, drawing: str, **parts: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a drawn table of `offset name type why` rows, `size` bytes in all."""
    names: list[str] = []
    formats: list[Any] = []
    offsets: list[int] = []
    end = 0
    for line in filter(None, map(str.strip, drawing.splitlines())):
        offset, field, kind, count = _parsed(name, line)
        scalar = _scalar(name, line, parts.get(kind, kind))
        if field in _TAKEN:
            raise _wrong(name, line, f"compiled code cannot read a field named {field!r}")
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
    if not names:
        raise _wrong(name, drawing, "it has no rows")
    if end > size:
        raise _wrong(name, drawing, f"the fields end at {end}, beyond the stated {size} bytes")
    try:
        dtype = np.dtype(
            {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}, align=True
        )
    except (ValueError, TypeError) as error:
        raise _wrong(name, drawing, str(error)) from None
    module = sys._getframe(1).f_globals.get("__name__", "")
    text = "\n".join(map(str.strip, drawing.strip().splitlines()))
    RECORDS[name] = Drawing(name, module, text, dtype)
    return dtype


def items(count_of: np.dtype[Any], count: int) -> np.dtype[Any]:
    """`count` records side by side, as one dtype: a field of a larger record."""
    return np.dtype((count_of, (count,)))


def field_offset(dtype: np.dtype[Any], name: str) -> int:
    """Where a field begins, in bytes from the start of the record."""
    assert dtype.fields is not None, dtype
    return dtype.fields[name][1]


def fill(place: np.ndarray[Any, Any], value: Any, where: str) -> None:
    """Set the one item of `place` to a record or a tuple of its fields; nothing is converted."""
    dtype = place.dtype
    try:
        if getattr(value, "dtype", None) != dtype:
            _require_fields(dtype, value)
        place[0] = value
    except (ValueError, TypeError, OverflowError) as error:
        fields = ", ".join(dtype.names or (str(dtype),))
        raise InputError(
            f"{value!r} is not a value for this record: {error}",
            where=where,
            do=f"Pass a record, or a tuple of exactly these fields: {fields}.",
        ) from None


def _require_fields(dtype: np.dtype[Any], value: Any) -> None:
    if dtype.names is None:
        base = dtype.subdtype[0] if dtype.subdtype else dtype
        if base.kind in "iu" and np.asarray(value).dtype.kind not in "iu":
            raise TypeError(f"{value!r} is not a whole number")
        return
    parts = value.item() if isinstance(value, np.void) else value
    if not isinstance(parts, tuple) or len(parts) != len(dtype.names):
        raise TypeError(f"it has {len(dtype.names)} fields")
    for name, part in zip(dtype.names, parts, strict=True):
        _require_fields(dtype[name], part)


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
        # numpy would understand far more than `describe` writes: lists, shapes, objects, aliases.
        if not _PLAIN.fullmatch(data):
            raise ValueError(f"type {data!r} is not plain memory")
        return np.dtype(data)
    if "items" in data:
        shape = tuple(_whole(n) for n in data["shape"])
        return np.dtype((described(data["items"], depth + 1), shape))
    names = [str(row[0]) for row in data["fields"]]
    formats = [described(row[1], depth + 1) for row in data["fields"]]
    offsets = [_whole(row[2]) for row in data["fields"]]
    size = _whole(data["size"])
    layout: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    return np.dtype(layout, align=bool(data["aligned"]))


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is plain memory of a fixed size, which can be described and read back."""
    if dtype.hasobject or dtype.itemsize == 0:
        return False
    try:
        return bool(describe(described(describe(dtype))) == describe(dtype))
    except ValueError:
        return False


def differences(
    dtype: np.dtype[Any], ours: bytes, theirs: bytes, path: str = ""
) -> list[tuple[str, Any, Any]]:
    """Which fields of two values of one dtype differ, byte for byte, as (path, ours, theirs)."""
    if ours == theirs:
        return []
    parts: list[tuple[str, np.dtype[Any], int]]
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        places = ("".join(f"[{n}]" for n in index) for index in np.ndindex(*shape))
        parts = [(place, base, base.itemsize * n) for n, place in enumerate(places)]
    elif dtype.fields is not None:
        dot = "." if path else ""
        parts = [(dot + name, *dtype.fields[name][:2]) for name in dtype.names or ()]
    else:
        return [(path, _shown(dtype, ours), _shown(dtype, theirs))]
    found: list[tuple[str, Any, Any]] = []
    for name, inner, begin in parts:
        end = begin + inner.itemsize
        found += differences(inner, ours[begin:end], theirs[begin:end], path + name)
    return found


def _shown(dtype: np.dtype[Any], value: bytes) -> Any:
    try:
        return np.frombuffer(value, dtype)[0].item()
    except (ValueError, SystemError):  # bytes that are no text
        return value


def _parsed(name: str, line: str) -> tuple[int, str, str, int | None]:
    match = _ROW.match(line)
    if match is None:
        raise _wrong(name, line, "a row reads `offset name type why`")
    offset, field, kind, count, _why = match.groups()
    if count is not None and int(count) < 1:
        raise _wrong(name, line, "an array holds at least one item")
    return int(offset), field, kind, int(count) if count else None


def _scalar(name: str, line: str, kind: np.dtype[Any] | str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(kind)
    except (TypeError, ValueError):
        raise _wrong(name, line, f"there is no type {kind!r}") from None
    if not is_plain(dtype):
        raise _wrong(name, line, f"type {str(kind)!r} is not plain memory of a fixed size")
    return dtype


def _whole(number: Any) -> int:
    if type(number) is not int or not 0 <= number <= BYTES_MAX:
        raise ValueError(f"{number!r} is no number of bytes or items")
    return number


def _wrong(name: str, line: str, what: str) -> InputError:
    return InputError(
        f"The record {name!r} is drawn wrongly: {what}",
        where=f"the drawing {line.strip()!r}",
        do="Correct the drawing; offsets are bytes from the start of the record.",
    )
