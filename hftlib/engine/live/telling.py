"""What frames hold, in words: bytes of sessions as the messages they are.

Worst case: bytes that are no whole frames of SoupBinTCP are told as letters and hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Iterator

from hftlib.core import ouch
from hftlib.core.errors import HftError
from hftlib.core.journal import kinds, showing
from hftlib.core.journal.reading import Frame

SHOWN_BYTES = 64


def payload_text(kind: int, payload: bytes) -> str:
    """A payload in one line."""
    if kind in (kinds.SESSION_OUT, kinds.SESSION_IN):
        return "; ".join(_frames(payload, kind == kinds.SESSION_OUT))
    if kind == kinds.SHADOW:
        return showing.words(Frame(0, 0, kind, 0, payload))
    return payload[:SHOWN_BYTES].hex(" ")


def _frames(data: bytes, is_ours: bool) -> Iterator[str]:
    """Each frame of SoupBinTCP: the message in it, or its type."""
    while data:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 3 or len(data) < 2 + length:
            yield f"{len(data)} bytes of a frame: {data[:SHOWN_BYTES].hex(' ')}"
            return
        letter, message = chr(data[2]), data[3 : 2 + length]
        yield _message(message, is_ours) if letter in "US" and message else f"frame {letter}"
        data = data[2 + length :]


def _message(message: bytes, is_ours: bool) -> str:
    try:
        told = ouch.decode(message, ouch.INBOUND if is_ours else ouch.OUTBOUND)
    except HftError:
        return message[:SHOWN_BYTES].hex(" ")
    return str(told)
