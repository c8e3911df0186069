"""What frames of a journal say, as flat events: for tables, and for who publishes them.

    decoder = Decoder(about)            by the journal's first frame; {} reads what any may hold
    for told in decoder.take(frame):    frames in their order, none left out that is a session's
        told                            {"frame": 4711, "n": 1, "time": ..., "kind": "SESSION_IN",
                                         "source": 0, "what": "executed", "urn": 7, ...}

    SESSION_IN, SESSION_OUT   each message: logins, OUCH by its fields; heartbeats are left out
    DIRECTIVE, COMMAND, ...   the record, by its fields; of SHADOW each command and report
    CONNECTED                 begun, lost and why, ended, resumed, taken over
    DATAGRAM                  its session, first number, count, and how many messages of each type
    JSON and text             `text`, as far as TEXT_MAX bytes; other bytes in hexadecimal digits

What a message calls `time` or `kind` is `its_time`, `its_kind`: those without are the frame's.
Values are whole numbers and text; a price is text with its decimals. A stream is cut anywhere, so a
message comes with the frame that ends it, and `rests` is what waits for its end: given to another
decoder, that one goes on in the middle of a journal. No password is told, whoever wrote it.

Worst case: some 40 µs a message of OUCH; a rest of 65,537 bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from hftlib.core import clock_look, events, orders, ouch
from hftlib.core.errors import HftError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame
from hftlib.core.journal.shadows import pieces_of
from hftlib.core.records import RECORDS
from hftlib.core.soup import memory as soup
from hftlib.engine.live.memory import BEGUN, CARRIED, ENDED, LINES_EACH, LOST, RESUMED
from hftlib.engine.live.taking_over import HEAD_WORDS, POSITION_WORDS
from hftlib.feed.mold import packet
from hftlib.risk import directives as risk
from hftlib.risk.authority import ROLES
from hftlib.risk.controls import NAMES, TRADING_STATES

Told = dict[str, Any]
TEXT_MAX, BYTES_MAX = 4_096, 256
_SESSIONS = (kinds.SESSION_IN, kinds.SESSION_OUT)
_DATAGRAMS = (kinds.DATAGRAM, kinds.DATAGRAM_OUT)
_OF_VENUES = (*_SESSIONS, *_DATAGRAMS, kinds.CONNECTED, kinds.SHADOW)
_CONNECTED = {BEGUN: "begun", LOST: "lost", ENDED: "ended", RESUMED: "resumed"}
_COMMANDS = ("", "new", "cancel", "replace")
_LIFE = {
    "A": "login accepted",
    "J": "login rejected",
    "O": "logout",
    "Z": "end of session",
    "+": "debug",
}
_BEATS = "RH"


class Decoder:
    """One reader's decoder, which knows what of each stream is still without its end."""

    def __init__(self, about: Mapping[str, Any], rests: Mapping[str, str] | None = None) -> None:
        self._of = str(about.get("what", ""))
        self._venues = _several(about.get("links")) if self._of == "runner" else []
        self._rests = {name: bytes.fromhex(data) for name, data in (rests or {}).items()}

    @property
    def rests(self) -> dict[str, str]:
        """By direction and source, such as "in 0", in hexadecimal digits; empty ones are not."""
        return {name: data.hex() for name, data in self._rests.items() if data}

    def take(self, frame: Frame) -> list[Told]:
        """What this frame says; nothing of a heartbeat, or of a message that is still to end."""
        head = {
            "time": frame.time,
            "kind": frame.name,
            "source": frame.source,
            "length": len(frame.payload),
        }
        if frame.kind in _OF_VENUES and self._venues:
            n = frame.source // (LINES_EACH if frame.kind == kinds.DATAGRAM else 1)
            head |= {"venue": self._venues[n]} if n < len(self._venues) else {}
        made = []
        for number, told in enumerate(self._told(frame), 1):
            own = {f"its_{name}" if name in head else name: told[name] for name in told}
            made.append({"frame": frame.sequence, "n": number} | head | own)
        return made

    def _told(self, frame: Frame) -> Iterator[Told]:
        if frame.kind in _SESSIONS and self._of == "runner":
            yield from self._stream(frame)
        elif frame.kind == kinds.SESSION_IN and self._of == "exchange":
            yield _message(frame.payload, ouch.INBOUND)
        elif frame.kind == kinds.CONNECTED and self._of == "runner":
            for way in ("in", "out"):
                self._rests.pop(f"{way} {frame.source}", None)  # a connection begins anew
            yield _connected(frame.payload)
        elif frame.kind == kinds.DIRECTIVE and len(frame.payload) == risk.DIRECTIVE_BYTES:
            yield _directive(frame.payload)
        elif frame.kind == kinds.ORDER and self._of == "exchange":
            yield _record("matching command", frame.payload)
        elif frame.kind == kinds.SHADOW:
            for name, data in pieces_of(frame.payload):
                yield _record(name, data)
        elif frame.kind in _DATAGRAMS:
            yield _datagram(frame.payload, is_request=frame.kind == kinds.DATAGRAM_OUT)
        else:
            yield _plain(frame)

    def _stream(self, frame: Frame) -> Iterator[Told]:
        """Each whole message of SoupBinTCP; what is left waits for the next frame of its stream."""
        is_ours = frame.kind == kinds.SESSION_OUT
        name = f"{'out' if is_ours else 'in'} {frame.source}"
        data, begin = self._rests.get(name, b"") + frame.payload, 0
        while begin + 2 <= len(data):
            end = begin + 2 + int.from_bytes(data[begin : begin + 2], "big")
            if end > len(data):
                break
            letter, body = data[begin + 2 : begin + 3].decode("latin-1"), data[begin + 3 : end]
            begin = end
            if letter in "US" and letter:
                yield _message(body, ouch.INBOUND if is_ours else ouch.OUTBOUND)
            elif letter not in _BEATS or not letter:
                yield _life(letter, body)
        self._rests[name] = data[begin:]


def _several(links: Any) -> list[str]:
    """The venues of several links, in their order, which is that of the feeds; of one nothing."""
    found = [one for one in links if isinstance(one, dict)] if isinstance(links, list) else []
    return [str(one.get("venue", "")) for one in found] if len(found) > 1 else []


def _message(data: bytes, direction: Any) -> Told:
    if not data:
        return {"what": "an empty message"}
    try:
        told = ouch.decode(data, direction)
    except HftError as error:
        return {"what": "no message", "why": error.what, "bytes": data[:BYTES_MAX].hex()}
    fields = {name: _value(value) for name, value in told.fields.items()}
    for name in ("type", "appendage"):
        fields.pop(name, None)
    options = {name: _value(value) for name, value in told.options.items()}
    name = told.body.drawing.name.partition(f" {data[:1].decode('latin-1')} ")[2]
    return {"what": name} | options | fields


def _life(letter: str, body: bytes) -> Told:
    """How a session begins and ends; of a login all but the password."""
    if letter == "L" and len(body) == soup.LOGIN_BYTES - 3:
        text = body.decode("latin-1")
        parts = {"user": text[:6], "session": text[16:26], "first": text[26:]}
        return {"what": "login"} | {name: part.strip() for name, part in parts.items()}
    if letter == "L":
        return {"what": "a login of another length"}
    if letter == "A" and len(body) == 30:
        text = body.decode("latin-1")
        return {"what": _LIFE["A"], "session": text[:10].strip(), "first": text[10:].strip()}
    known = _LIFE.get(letter, "a frame of an unknown type")
    return {"what": known} | ({"text": _text(body)} if body else {})


def _connected(payload: bytes) -> Told:
    if len(payload) > 16 and len(payload) % 8 == 0:
        return _carried(np.frombuffer(payload, np.int64))
    if len(payload) != 16:
        return {"what": "no connection", "bytes": payload[:BYTES_MAX].hex()}
    what, why = (int(one) for one in np.frombuffer(payload, np.int64))
    told: Told = {"what": _CONNECTED.get(what, f"connection {what}")}
    if what == LOST and 0 <= why < len(soup.REASONS):
        told["why"] = soup.REASONS[why]
    return told


def _carried(words: Any) -> Told:
    """What another runner held, as far as it is held: seat, instrument, quantity."""
    if words[0] != CARRIED or not 0 <= words[1] <= (len(words) - HEAD_WORDS) // POSITION_WORDS:
        return {"what": "no connection", "bytes": words.tobytes()[:BYTES_MAX].hex()}
    end = HEAD_WORDS + POSITION_WORDS * int(words[1])
    rows = words[HEAD_WORDS:end].reshape(-1, POSITION_WORDS)
    held = "; ".join(f"{row[0]}, {row[1]}: {row[2]:+d}" for row in rows[rows[:, 2] != 0])
    return {"what": "taken over", "positions": int(words[1]), "held": held[:TEXT_MAX]}


def _directive(payload: bytes) -> Told:
    found = _fields(risk.DIRECTIVE, payload)
    what = found.pop("what")
    told: Told = {"what": _named(risk.DIRECTIVES, what)}
    if what == risk.SET_STATE:
        found["state"] = _named(TRADING_STATES, found.pop("value"))
    if what == risk.SET_LIMIT:
        found["limit"] = _named(NAMES, found.pop("which"))
    if what == risk.SET_PARAMETER:
        found["parameter"], word = found.pop("second"), found["value"]
        if found.pop("which") & risk.FLOAT:
            found["value"] = float(np.array([word], np.int64).view(np.float64)[0])
    for name in ("role", "second_role"):
        found[name] = _named(ROLES, found[name])
    del found["outcome"]  # what comes of it is decided later
    kept = ("scope", "value")
    return told | {name: one for name, one in found.items() if one or (name in kept and one == 0)}


def _datagram(payload: bytes, *, is_request: bool) -> Told:
    """What it brings, by number and by type; market data themselves are on the tape."""
    if len(payload) < packet.HEADER_BYTES:
        return {"what": "no datagram", "bytes": payload.hex()}
    count = int.from_bytes(payload[packet.COUNT_OFFSET : packet.HEADER_BYTES], "big")
    first = int.from_bytes(payload[packet.SEQUENCE_OFFSET : packet.COUNT_OFFSET], "big")
    name = payload[: packet.SESSION_BYTES].decode("ascii", "replace").strip()
    told: Told = {"what": "messages", "session": name, "first": first, "count": count}
    if is_request:
        return told | {"what": "request"}
    if count in (0, packet.END_COUNT):
        return told | {"what": "end of session" if count else "heartbeat", "count": 0}
    letters: Counter[str] = Counter()
    at = packet.HEADER_BYTES
    while at + 2 < len(payload):
        letters[payload[at + 2 : at + 3].decode("latin-1")] += 1
        at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return told | {"types": " ".join(f"{one}{letters[one]}" for one in sorted(letters))}


def _plain(frame: Frame) -> Told:
    """What any journal's frame holds, by its kind alone."""
    kind = kinds.KINDS.get(frame.kind)
    if kind is not None and kind.record:
        return _record(kind.record, frame.payload)
    if frame.kind == kinds.TIMER:
        number = {"timer": int.from_bytes(frame.payload, "little", signed=True)}
        return {"what": "timer"} | (number if len(frame.payload) == 8 else {})
    is_text = kind is not None and (kind.holds.startswith("JSON") or kind.number == kinds.NOTE)
    what = frame.name.lower().replace("_", " ")
    if is_text or frame.kind in (kinds.CONNECTED, kinds.CONTROL):
        return {"what": what, "text": _text(frame.payload)}
    return {"what": what} | ({"bytes": frame.payload[:BYTES_MAX].hex()} if frame.payload else {})


def _record(name: str, payload: bytes) -> Told:
    """A drawn record by its fields; what is 0 is left out."""
    drawn = RECORDS.get(name)
    if drawn is None or len(payload) != drawn.dtype.itemsize:
        return {"what": f"no {name}", "bytes": payload[:BYTES_MAX].hex()}
    found = _fields(drawn.dtype, payload)
    what = name
    if name == "event":
        kind = int(found.pop("kind"))
        first = orders.ACCEPTED
        what = _named(orders.REPORTS, kind - first) if kind >= first else _named(events.KINDS, kind)
    elif name == "command":
        what = _named(_COMMANDS, found.pop("what"))
    elif name == "clock look":
        found["why"] = _named(clock_look.LOOKS, found["why"])
    if "side" in found and name in ("event", "command"):
        found["side"] = _named(events.SIDES, found["side"])
    return {"what": what.lower()} | {field: value for field, value in found.items() if value}


def _fields(dtype: np.dtype[Any], payload: bytes) -> Told:
    one = np.frombuffer(payload, dtype)[0]
    return {name: _value(one[name].item()) for name in dtype.names or ()}


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return repr(value) if value else 0
    return str(value) if isinstance(value, Decimal) else value


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def _text(data: bytes) -> str:
    return data[:TEXT_MAX].decode("utf-8", "replace")
