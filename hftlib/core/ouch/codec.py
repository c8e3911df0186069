"""OUCH messages to records and back, both ways, compiled: what a client and a venue run.

    decode_outbound(message, length, record, options)     bytes of the message, or what is wrong
    encode_inbound(record, options, room, target)         bytes written, or what is wrong

`record` has room for RECORD_BYTES_MAX and is drawn in `messages`; its `type` says which it is.
`options` is an OPTIONS record; to encode none, 0. What is wrong is one of `options.REASONS`,
negative, with its place in `wrong_at`: nothing is read beyond `length` or written beyond `room`.

A message whose fixed part is whole is in the record even when its appendage is refused: an
execution counts, whatever is said behind it.

Worst case: the addresses are trusted; 300 bytes of elements are walked one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.jit import WireMessage
from hftlib.core.ouch.messages import (
    INBOUND,
    INBOUND_CODEC,
    OUTBOUND,
    OUTBOUND_CODEC,
)
from hftlib.core.ouch.options import (
    APPENDAGE_LENGTH,
    EMPTY,
    GOOD,
    NO_ROOM,
    TOO_LONG,
    TOO_SHORT,
    UNKNOWN_TYPE,
    clear,
    element_bytes,
    options_at,
    read_elements,
    write_elements,
)

LENGTH_BYTES = 2


def _own_lengths(messages: dict[str, WireMessage]) -> np.ndarray[Any, Any]:
    """By type: 1 where the drawing ends with the length of the appendage."""
    own = np.zeros(256, np.int64)
    for letter, message in messages.items():
        own[ord(letter)] = message.fields[-1].name == "appendage"
    return own


_in_lengths, _out_lengths = INBOUND_CODEC.lengths, OUTBOUND_CODEC.lengths
_in_own, _out_own = _own_lengths(INBOUND), _own_lengths(OUTBOUND)
_decode_in, _decode_out = INBOUND_CODEC.decode, OUTBOUND_CODEC.decode
_encode_in, _encode_out = INBOUND_CODEC.encode, OUTBOUND_CODEC.encode


@jit.compiled("int64(int64, int64, int64, int64)")
def decode_inbound(message: int, length: int, record: int, options: int) -> int:
    """Read a message to the venue: its length, or what is wrong with it."""
    clear(options)
    if length < 1:
        return EMPTY
    kind = jit.load_u8(message)
    size = _in_lengths[kind]
    if size == 0 or size > length:
        return _no_message(size, length, options)
    _decode_in(message, length, record)
    return _appendage(message, length, size, _in_own[kind], options)


@jit.compiled("int64(int64, int64, int64, int64)")
def decode_outbound(message: int, length: int, record: int, options: int) -> int:
    """Read a message from the venue: its length, or what is wrong with it."""
    clear(options)
    if length < 1:
        return EMPTY
    kind = jit.load_u8(message)
    size = _out_lengths[kind]
    if size == 0 or size > length:
        return _no_message(size, length, options)
    _decode_out(message, length, record)
    return _appendage(message, length, size, _out_own[kind], options)


@jit.compiled("int64(int64, int64, int64, int64)")
def encode_inbound(record: int, options: int, room: int, target: int) -> int:
    """Write a message to the venue: its length, or what is wrong."""
    kind = jit.load_u8(record)
    size = _in_lengths[kind]
    if size == 0 or size > room:
        return UNKNOWN_TYPE if size == 0 else NO_ROOM
    _encode_in(record, room, target)
    return _append(options, size, _in_own[kind], room, target)


@jit.compiled("int64(int64, int64, int64, int64)")
def encode_outbound(record: int, options: int, room: int, target: int) -> int:
    """Write a message from the venue: its length, or what is wrong."""
    kind = jit.load_u8(record)
    size = _out_lengths[kind]
    if size == 0 or size > room:
        return UNKNOWN_TYPE if size == 0 else NO_ROOM
    _encode_out(record, room, target)
    return _append(options, size, _out_own[kind], room, target)


@jit.inlined
def _no_message(size: int, length: int, options: int) -> int:
    if size == 0:
        return UNKNOWN_TYPE
    options_at(options).wrong_at = length
    return TOO_SHORT


@jit.compiled()
def _appendage(message: int, length: int, size: int, own: int, options: int) -> int:
    """What follows the fixed part: its length, then elements up to the end of the message."""
    begin = size
    if own == 0:
        if length == size:
            return length
        begin = size + LENGTH_BYTES
        options_at(options).tail = 1
    options_at(options).wrong_at = begin - LENGTH_BYTES
    if begin > length:
        return TOO_LONG
    if jit.load_be_u16(message + begin - LENGTH_BYTES) != length - begin:
        return APPENDAGE_LENGTH if own != 0 else TOO_LONG
    wrong = read_elements(message, begin, length, options)
    return length if wrong == GOOD else wrong


@jit.compiled()
def _append(options: int, size: int, own: int, room: int, target: int) -> int:
    """Write what follows the fixed part: bytes of the whole message."""
    follows, tail = 0, 0
    if options != 0:
        follows, tail = element_bytes(options), options_at(options).tail
    begin = size
    if own == 0:
        if follows == 0 and tail == 0:
            return size
        begin = size + LENGTH_BYTES
    if begin + follows > room:
        return NO_ROOM
    jit.store_be_u16(target + begin - LENGTH_BYTES, follows)
    if follows != 0:
        write_elements(options, target + begin)
    return begin + follows
