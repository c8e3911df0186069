"""An OUCH message as a person reads and writes it, for notebooks, tests and error messages.

    told = decode(data, OUTBOUND)       <ouch E executed timestamp=... urn=7 quantity=100 ...>
    told.price, told.options            Decimal('185.0100'), {'firm': 'MLRO'}
    bytes(inbound("O", urn=1, side="B", options={"min_quantity": 100}))

Fields are attributes, those behind the message in `options` by name; both ways give the same
bytes, garbage included. Nothing here is compiled but the codec it calls.

Worst case: some 20 µs a message.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.jit import WireMessage
from hftlib.core.message import Message
from hftlib.core.ouch import codec
from hftlib.core.ouch import options as o
from hftlib.core.ouch.messages import INBOUND, OUTBOUND, RECORD_BYTES_MAX
from hftlib.core.units import exact_fraction, is_whole, shown

MESSAGE_BYTES_MAX = 512
PRICE_DECIMALS = 4


class OuchMessage:
    """One message of one direction, with its optional fields."""

    __slots__ = ("_options", "body", "direction")

    def __init__(
        self, direction: dict[str, WireMessage], body: Message, options: np.ndarray[Any, Any]
    ) -> None:
        self.direction = direction
        self.body = body
        self._options = options

    @property
    def options(self) -> dict[str, Any]:
        """The optional fields by name, in the order they have on the wire."""
        there = self._options[0]
        tags = there["order"][: int(there["count"])]
        return {o.tag_of(int(n))[0]: _shown(int(n), int(there["values"][n])) for n in tags}

    @property
    def unknown_options(self) -> int:
        """How many optional fields have a tag that is none we know; they are left out."""
        return int(self._options["unknown"][0])

    @property
    def fields(self) -> dict[str, Any]:
        """Every field of the fixed part by name, as people read it."""
        return self.body.fields

    def __getattr__(self, name: str) -> Any:
        return getattr(self.body, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.fields]

    def __bytes__(self) -> bytes:
        target = np.zeros(MESSAGE_BYTES_MAX, np.uint8)
        encode = codec.encode_inbound if self.direction is INBOUND else codec.encode_outbound
        record = np.zeros(RECORD_BYTES_MAX, np.uint8)
        raw = np.frombuffer(self.body.record.tobytes(), np.uint8)
        record[: len(raw)] = raw
        size = encode(
            record.ctypes.data, self._options.ctypes.data, len(target), target.ctypes.data
        )
        return target[: int(size)].tobytes()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OuchMessage):
            return NotImplemented
        return self.direction is other.direction and bytes(self) == bytes(other)

    def __hash__(self) -> int:
        return hash(bytes(self))

    def __repr__(self) -> str:
        hidden = ("type", "appendage")
        fields = [f"{k}={v}" for k, v in self.fields.items() if k not in hidden]
        fields += [f"{k}={v}" for k, v in self.options.items()]
        if self.unknown_options:
            fields.append(f"({self.unknown_options} of an unknown tag)")
        return f"<{' '.join([self.body.drawing.name, *fields])}>"


def decode(data: bytes, direction: dict[str, WireMessage]) -> OuchMessage:
    """The message in these bytes, or a refusal that says what is wrong where."""
    raw = bytes(data)
    source = np.frombuffer(raw + b"\0", np.uint8)
    record, options = np.zeros(RECORD_BYTES_MAX, np.uint8), np.zeros(1, o.OPTIONS)
    read = codec.decode_inbound if direction is INBOUND else codec.decode_outbound
    found = int(read(source.ctypes.data, len(raw), record.ctypes.data, options.ctypes.data))
    if found <= 0:
        way = "to" if direction is INBOUND else "from"
        raise InputError(
            f"This is no OUCH message {way} a venue: {o.REASONS[found]}",
            where=f"byte {int(options['wrong_at'][0])} of {shown(raw[:40])}",
            do=f"The types are {' '.join(direction)}; check where the message begins and ends.",
        )
    drawing = direction[chr(raw[0])]
    place = record[: drawing.dtype.itemsize].view(drawing.dtype)
    return OuchMessage(direction, Message(drawing, place), options)


def inbound(letter: str, options: dict[str, Any] | None = None, **values: object) -> OuchMessage:
    """A message to the venue with these fields; the others are 0 or blank."""
    return _built(INBOUND, letter, options or {}, values)


def outbound(letter: str, options: dict[str, Any] | None = None, **values: object) -> OuchMessage:
    """A message from the venue with these fields; the others are 0 or blank."""
    return _built(OUTBOUND, letter, options or {}, values)


def _built(
    direction: dict[str, WireMessage], letter: str, options: dict[str, Any], values: dict[str, Any]
) -> OuchMessage:
    if letter not in direction:
        way = "to" if direction is INBOUND else "from"
        raise InputError(
            f"OUCH 5.0 has no message {shown(letter)} {way} the venue",
            where="the call that makes a message",
            do=f"The types are {' '.join(direction)}.",
        )
    made = np.zeros(1, o.OPTIONS)
    for name, value in options.items():
        if name not in o.TAGS:
            raise InputError(
                f"OUCH 5.0 has no optional field {shown(name)}",
                where=f"the options of a message {letter}",
                do=f"They are {', '.join(o.TAGS)}.",
            )
        o.put(made.ctypes.data, o.TAGS[name].number, _native(name, value))
    body = Message.of(direction[letter], type=letter, **values)
    return OuchMessage(direction, body, made)


def _shown(number: int, value: int) -> Any:
    """An optional field as people read it."""
    _, tag = o.tag_of(number)
    if tag.kind == o.LETTERS:
        raw = (value & ((1 << 8 * tag.size) - 1)).to_bytes(tag.size, "big")
        return raw.decode("ascii", "backslashreplace").rstrip(" ")
    if tag.kind == o.PRICE:
        return Decimal(value).scaleb(-PRICE_DECIMALS)
    return value


def _native(name: str, value: object) -> int:
    """The number that stands for it, or a refusal."""
    tag = o.TAGS[name]
    bits = 8 * tag.size
    if tag.kind == o.LETTERS:
        if isinstance(value, str) and value.isascii() and len(value) <= tag.size:
            return events.code(value.ljust(tag.size))
        raise _wrong(name, value, f"give text of at most {tag.size} letters")
    low, high = (-(1 << bits - 1), 1 << bits - 1) if tag.kind == o.SIGNED else (0, 1 << bits)
    high = min(high, 1 << 63)
    if tag.kind != o.PRICE and not is_whole(value):
        raise _wrong(name, value, "give a whole number")
    units = exact_fraction(value, name) * (10**PRICE_DECIMALS if tag.kind == o.PRICE else 1)
    if units.denominator != 1 or not low <= units < high:
        raise _wrong(name, value, f"it has {tag.size} bytes on the wire")
    return int(units)


def _wrong(name: str, value: object, do: str) -> InputError:
    return InputError(
        f"{shown(value)} does not fit into {name}",
        where=f"the optional field {name}",
        do=f"Please {do}.",
    )
