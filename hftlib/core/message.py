"""A wire message as a person reads and writes it, for notebooks, tests and error messages.

    order = Message.of(ADD, reference=7, side="B", shares=100, stock="AAPL", price="185.01")
    order.stock, order.price        'AAPL', Decimal('185.0100')
    bytes(order)                    what goes on the wire; `Message.read(ADD, ...)` takes it back

Text shows without the spaces it is padded with and prices with their decimal point; `record` holds
every bit as it came, so garbage goes back out unchanged. Nothing here is compiled.
Worst case: some 10 µs a message, so files are read by `decode` of the codec instead.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.jit import WireField, WireMessage
from hftlib.core.units import exact_fraction, is_whole, shown


class Message:
    """One message: its drawing and its record. Fields are attributes."""

    __slots__ = ("_place", "drawing")

    def __init__(self, drawing: WireMessage, place: np.ndarray[Any, Any]) -> None:
        self.drawing = drawing
        self._place = place

    @classmethod
    def read(cls, drawing: WireMessage, data: bytes) -> Message:
        """The message in these bytes, which are as many as it is drawn with."""
        if len(data) != drawing.size:
            raise InputError(
                f"A message {drawing.name!r} has {drawing.size} bytes, not {len(data)}",
                where=f"the bytes {shown(bytes(data[:20]))}",
                do="Cut the input where its framing says that a message ends.",
            )
        source = np.frombuffer(data, np.uint8)
        place = np.zeros(1, drawing.dtype)
        drawing.decode(source.ctypes.data, place.ctypes.data)
        return cls(drawing, place)

    @classmethod
    def of(cls, drawing: WireMessage, **values: object) -> Message:
        """The message with these fields; the others are 0 or blank."""
        known = {field.name: field for field in drawing.fields}
        for name in values.keys() - known.keys():
            raise InputError(
                f"A message {drawing.name!r} has no field {name!r}",
                where=f"the call that makes a message {drawing.name!r}",
                do=f"Its fields are {', '.join(known)}.",
            )
        place = np.zeros(1, drawing.dtype)
        raw = place.view(np.uint8)
        for field in drawing.fields:
            native = _native(field, values[field.name]) if field.name in values else _blank(field)
            raw[field.record_at : field.record_at + len(native)] = np.frombuffer(native, np.uint8)
        return cls(drawing, place)

    @property
    def record(self) -> Any:
        """The record itself: what compiled code sees."""
        return self._place[0]

    @property
    def fields(self) -> dict[str, Any]:
        """Every field by name, as people read it."""
        raw = self._place.tobytes()
        return {field.name: _shown(field, raw) for field in self.drawing.fields}

    def __getattr__(self, name: str) -> Any:
        for field in self.drawing.fields:
            if field.name == name:
                return _shown(field, self._place.tobytes())
        names = ", ".join(field.name for field in self.drawing.fields)
        raise AttributeError(f"a message {self.drawing.name!r} has no {name!r}; it has {names}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(field.name for field in self.drawing.fields)]

    def __bytes__(self) -> bytes:
        target = np.zeros(self.drawing.size, np.uint8)
        self.drawing.encode(self._place.ctypes.data, target.ctypes.data)
        return target.tobytes()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.drawing.name == other.drawing.name and bytes(self) == bytes(other)

    def __hash__(self) -> int:
        return hash((self.drawing.name, bytes(self)))

    def __repr__(self) -> str:
        fields = (f"{name}={value}" for name, value in self.fields.items() if name != "type")
        return f"<{self.drawing.name} {' '.join(fields)}>"


def _shown(field: WireField, record: bytes) -> Any:
    raw = record[field.record_at : field.record_at + field.record_size]
    if field.is_text or field.kind == "char":
        return raw.decode("ascii", "backslashreplace").rstrip(" ")
    number = int.from_bytes(raw, "little", signed=field.is_signed)
    return Decimal(number).scaleb(-field.decimals) if field.decimals else number


def _native(field: WireField, value: object) -> bytes:
    """The bytes of the record that hold this value, or a refusal."""
    if field.is_text or field.kind == "char":
        text = value.encode("ascii", "replace") if isinstance(value, str) else value
        if not isinstance(text, bytes) or len(text) > field.size:
            raise _wrong(field, value, f"give text of at most {field.size} letters")
        return text.ljust(field.size)
    if not field.decimals and not is_whole(value):
        raise _wrong(field, value, "give a whole number")
    units = exact_fraction(value, field.name) * 10**field.decimals
    bits = 8 * field.size
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if field.is_signed else (0, 2**bits)
    if units.denominator != 1 or not low <= units < high:
        scale = 10**field.decimals
        step = f" in steps of 1/{scale:,}" if field.decimals else ""
        raise _wrong(field, value, f"give {low // scale} to {(high - 1) // scale}{step}")
    return int(units).to_bytes(field.record_size, "little", signed=field.is_signed)


def _blank(field: WireField) -> bytes:
    is_letters = field.is_text or field.kind == "char"
    return (b" " if is_letters else b"\0") * field.record_size


def _wrong(field: WireField, value: object, do: str) -> InputError:
    return InputError(
        f"{shown(value)} does not fit into {field.name}, which is {field.kind} on the wire",
        where=f"the value given as {field.name}",
        do=f"Please {do}.",
    )
