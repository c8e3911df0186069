"""Wire messages: packed big-endian bytes outside, an aligned record inside, from one drawing.

A message is declared as its specification draws it, and nothing else is written by hand:

    ADD = jit.wire_message("add order", 36, '''
        0   type       char     'A'
        11  reference  u64      the order
        24  stock      text[8]  padded with spaces
        32  price      u32.4    four implied decimals
        ''')                                            (the rows between left out here)

    kind        on the wire       in the record
    char        1 byte            uint8
    text[n]     n bytes           Sn, every byte of it
    u8 u16 u32  big-endian        uint8 uint16 uint32
    u48         6 bytes           int64
    u64         8 bytes           int64, the same 64 bits
    i8 .. i64   big-endian        int8 .. int64
    u32.4       as u32            as u32; `.4` tells people where the decimal point stands

`ADD.decode(message_address, record_address)` and `ADD.encode(record_address, message_address)`
become straight-line loads and stores wherever compiled code calls them. All bytes of a message
belong to exactly one field, so decoding and encoding give the same bytes back, garbage included.

Worst case: the two trust their addresses. `wire_codec` makes a pair for a whole protocol, which
looks at the type byte and writes nothing where a message is too short for its type.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from llvmlite import ir

from hftlib.core.errors import InputError
from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.moves import Plan, decode_by, emit_decode, emit_encode, encode_by, place
from hftlib.core.records import RECORDS, record, rounded_up

_ROW = re.compile(
    r"(?P<at>\d+)\s+(?P<name>[a-z]\w*)\s+"
    r"(?P<kind>char|text\[(?P<length>[1-9]\d*)\]|(?P<sign>[ui])(?P<bits>8|16|32|48|64)"
    r"(?:\.(?P<decimals>\d+))?)(?:\s+(?P<why>.*))?",
    re.ASCII,
)
_BYTE, _WORD = ir.IntType(8), ir.IntType(64)


@dataclass(frozen=True, slots=True)
class WireField:
    """One field of a message: where it stands on the wire and in the record."""

    name: str
    kind: str
    at: int
    size: int
    record_at: int
    record_size: int
    decimals: int
    why: str

    @property
    def is_text(self) -> bool:
        return self.kind.startswith("text")

    @property
    def is_signed(self) -> bool:
        return self.kind.startswith("i")


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A message as drawn: its record, and the two ways between that and its bytes."""

    name: str
    size: int
    fields: tuple[WireField, ...]
    dtype: np.dtype[Any]
    decode: Callable[[int, int], None]
    encode: Callable[[int, int], None]

    @property
    def plan(self) -> Plan:
        return _plan(self.fields)


@dataclass(frozen=True, slots=True)
class WireCodec:
    """All messages of one direction of a protocol, told apart by their first byte."""

    messages: dict[int, WireMessage]
    lengths: np.ndarray[Any, Any]
    record_bytes_max: int
    decode: Callable[[int, int, int], int]
    encode: Callable[[int, int, int], int]


def wire_message(name: str, size: int, drawing: str) -> WireMessage:
    """The message of a drawn table of `offset name kind why` rows that cover all `size` bytes."""
    fields = _fields(name, size, drawing)
    last = fields[-1]
    record_size = rounded_up(last.record_at + last.record_size, 8)
    dtype = record(name, record_size, "\n".join(map(_record_row, fields)))
    # The drawing belongs to the module that declared it, not to this one.
    module = sys._getframe(1).f_globals.get("__name__", "")
    RECORDS[name] = replace(RECORDS[name], module=module)
    decode, encode = _both_ways(_plan(fields))
    return WireMessage(name, size, fields, dtype, decode, encode)


def wire_codec(messages: dict[str, WireMessage]) -> WireCodec:
    """A pair of functions for all messages, by their type letter, which their byte 0 holds.

    `decode(message_address, length_bytes, record_address)` and
    `encode(record_address, room_bytes, message_address)` return the size that the type has, or 0
    for an unknown type or no byte at all. They write only where the size fits the second argument.
    """
    by_type = {ord(letter): message for letter, message in messages.items()}
    for message in messages.values():
        first = message.fields[0]
        if (first.name, first.kind) != ("type", "char"):
            raise _wrong(message.name, first.name, "a message of a codec begins with `type char`")
    lengths = np.zeros(256, np.int64)
    for code, message in by_type.items():
        lengths[code] = message.size
    rows = tuple((code, message.size, message.plan) for code, message in sorted(by_type.items()))
    size_max = max(message.dtype.itemsize for message in messages.values())
    return WireCodec(by_type, lengths, size_max, _chosen(rows, True), _chosen(rows, False))


def _both_ways(plan: Plan) -> tuple[Callable[[int, int], None], Callable[[int, int], None]]:
    def decode(message: int, record: int) -> None:
        decode_by(plan, message, record)

    @lowers(decode, "void(int64, int64)")
    def _(_context: Any, builder: Any, message: Any, record: Any) -> None:
        emit_decode(builder, plan, message, record)

    def encode(record: int, message: int) -> None:
        encode_by(plan, record, message)

    @lowers(encode, "void(int64, int64)")
    def _(_context: Any, builder: Any, record: Any, message: Any) -> None:
        emit_encode(builder, plan, record, message)

    return decode, encode


def _chosen(
    rows: tuple[tuple[int, int, Plan], ...], decodes: bool
) -> Callable[[int, int, int], int]:
    """One of the two functions of a codec: the type byte chooses the row."""
    move, emit = (decode_by, emit_decode) if decodes else (encode_by, emit_encode)

    def chosen(source: int, limit_bytes: int, target: int) -> int:
        if limit_bytes < 1:
            return 0
        code = ctypes.c_uint8.from_address(int(source)).value
        for row_code, size, plan in rows:
            if row_code == code:
                if size <= limit_bytes:
                    move(plan, source, target)
                return size
        return 0

    @lowers(chosen, "int64(int64, int64, int64)")
    def _(_context: Any, builder: Any, source: Any, limit_bytes: Any, target: Any) -> Any:
        from numba.core import cgutils

        result = cgutils.alloca_once_value(builder, ir.Constant(_WORD, 0))
        some = builder.icmp_signed(">", limit_bytes, ir.Constant(_WORD, 0))
        with builder.if_then(some):
            done = builder.append_basic_block("done")
            code = builder.load(place(builder, source, 0, _BYTE))
            switch = builder.switch(code, done)
            for row_code, size, plan in rows:
                block = builder.append_basic_block(f"type_{row_code}")
                switch.add_case(ir.Constant(_BYTE, row_code), block)
                builder.position_at_end(block)
                builder.store(ir.Constant(_WORD, size), result)
                fits = builder.icmp_signed("<=", ir.Constant(_WORD, size), limit_bytes)
                with builder.if_then(fits):
                    emit(builder, plan, source, target)
                builder.branch(done)
            builder.position_at_end(done)
        return builder.load(result)

    return chosen


# Reading the drawing.


def _fields(name: str, size: int, drawing: str) -> tuple[WireField, ...]:
    fields: list[WireField] = []
    end = record_end = 0
    for line in filter(None, map(str.strip, drawing.splitlines())):
        row = _ROW.fullmatch(line)
        if row is None:
            raise _wrong(name, line, "a row reads `offset name kind why`")
        at, bytes_ = int(row["at"]), int(row["length"] or int(row["bits"] or 8) // 8)
        if at != end:
            raise _wrong(name, line, f"it begins at {at}; the field before it ends at {end}")
        wide = 8 if row["bits"] == "48" else bytes_
        record_at = record_end if row["length"] else rounded_up(record_end, wide)
        fields.append(
            WireField(
                name=row["name"],
                kind=row["kind"].partition(".")[0],
                at=at,
                size=bytes_,
                record_at=record_at,
                record_size=wide,
                decimals=int(row["decimals"] or 0),
                why=row["why"] or "",
            )
        )
        end, record_end = at + bytes_, record_at + wide
    if not fields or end != size:
        raise _wrong(name, drawing, f"the fields end at {end}, the message at {size}")
    return tuple(fields)


def _plan(fields: tuple[WireField, ...]) -> Plan:
    return tuple((f.at, f.size, f.record_at, 0 if f.is_text else f.record_size) for f in fields)


def _record_row(field: WireField) -> str:
    """The field's row in the drawing of the record, which says where it came from."""
    sign = "int" if field.is_signed or field.record_size == 8 else "uint"
    kind = f"S{field.size}" if field.is_text else f"{sign}{8 * field.record_size}"
    return f"{field.record_at} {field.name} {kind} {field.kind} at {field.at}: {field.why}"


def _wrong(name: str, line: str, what: str) -> InputError:
    return InputError(
        f"The message {name!r} is drawn wrongly: {what}",
        where=f"the drawing {line.strip()!r}",
        do="Correct the drawing; every byte of a message belongs to exactly one field.",
    )
