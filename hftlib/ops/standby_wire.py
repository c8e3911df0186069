"""What a runner and its standby say to each other, by TCP, and how each knows the other.

    standby ─ HELLO  {protocol, nonce}                               to whoever comes
    runner  ─ OFFER  {protocol, nonce, epoch, header, probe}         header: of the first segment
    standby ─ STANDS {epoch, standing}  │ REFUSED {why, fenced}      what it has (`replicating.py`)
    runner  ─ FOLLOW {}                 │ REFUSED {why}              the same bytes, or not
    runner  ─ FRAMES segment, begin, frames as they lie there        standby ─ ACK sequence, epoch
              SEAL {head}    a block ends here    BEAT    nothing new; an ACK all the same
              END {head, sequence}    it was closed                  standby ─ ENDED {head}

    message   ┌──────┬───────┬────────┬────────┬───────────┬─────────────┐
              │ kind │ zeros │ length │ number │ tag       │ payload ... │
              └──────┴───────┴────────┴────────┴───────────┴─────────────┘
              0      1       4        8        16          32

Both have a secret, or neither. With one each message but HELLO has a tag: a keyed BLAKE2b of its
head and payload, by a key made of the secret and both nonces, for each direction another. So who
does not know it says nothing that is believed, and nothing can be said twice or left out; what is
said can be read on the way. Without one tags are zeros: that is for loopback only.

Worst case: before it is believed, a message has at most HANDSHAKE_BYTES_MAX.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import secrets
import socket
import struct
from collections import deque
from hashlib import blake2b
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError

PROTOCOL = 1
HELLO, OFFER, STANDS, REFUSED, FOLLOW, FRAMES, SEAL, BEAT, END, ACK, ENDED = range(1, 12)
HANDSHAKE_BYTES_MAX = 4096
NONCE_BYTES, SECRET_BYTES_MIN, SECRET_BYTES_MAX = 32, 16, 4096
PLACE = struct.Struct("<qq")  # of FRAMES: segment and begin; of ACK: sequence and epoch
_HEAD = struct.Struct("<B3sIQ16s")
_PERSON, _ZEROS = b"hft standby", bytes(16)
Buffer = bytes | memoryview
PORT_MAX, BACKLOG = 65_535, 64  # a runner is not to wait behind who knocks and says nothing


class Wire:
    """One end of a connection: messages to bytes, and bytes to messages."""

    def __init__(self, own: socket.socket, secret: bytes, is_runner: bool, other: str) -> None:
        self.socket, self._secret, self._is_runner = own, secret, is_runner
        self.other = other
        self.nonce = secrets.token_bytes(NONCE_BYTES)
        self.length_max = HANDSHAKE_BYTES_MAX
        self._keys = b"", b""  # of what we say, of what we hear
        self._said = self._heard = 0
        self._buffer = bytearray()
        self.is_believed = False  # the last message had the right tag

    def agree(self, nonce: bytes) -> None:
        """The other's nonce: from here on messages have tags, where there is a secret."""
        if not self._secret:
            return
        standby, runner = (nonce, self.nonce) if self._is_runner else (self.nonce, nonce)
        base = blake2b(self._secret, person=_PERSON).digest()
        ways = [
            blake2b(standby + runner + way, key=base, digest_size=32, person=_PERSON).digest()
            for way in (b"from the runner", b"from the standby")
        ]
        self._keys = (ways[0], ways[1]) if self._is_runner else (ways[1], ways[0])

    def packed(self, kind: int, *parts: Buffer) -> list[Buffer]:
        """A message as the buffers to be sent."""
        length = sum(len(one) for one in parts)
        tag = _tag(self._keys[0], kind, length, self._said, parts)
        head = _HEAD.pack(kind, b"\0\0\0", length, self._said, tag)
        self._said += 1
        return [head, *parts]

    def say(self, kind: int, *parts: Buffer) -> None:
        """Send it; OSError where the other does not take it."""
        self.socket.sendall(b"".join(self.packed(kind, *parts)))

    def tell(self, kind: int, **says: Any) -> None:
        self.say(kind, as_json(**says))

    def feed(self, data: bytes) -> None:
        """Bytes that came."""
        self._buffer += data

    def next(self) -> tuple[int, bytes] | None:
        """The next message that is whole; None: more is to come. What is none is refused."""
        if len(self._buffer) < _HEAD.size:
            return None
        kind, zeros, length, number, tag = _HEAD.unpack_from(self._buffer)
        if zeros != b"\0\0\0" or not HELLO <= kind <= ENDED or number != self._heard:
            raise self.wrong("these are no messages of a runner and its standby")
        if length > self.length_max:
            raise self.wrong(f"a message of {length:,} bytes is more than it may be")
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(memoryview(self._buffer)[_HEAD.size : end])
        del self._buffer[:end]
        self._heard += 1
        if kind == OFFER and not self._is_runner:  # it has the nonce that makes the key
            self.agree(bytes.fromhex(said(self, payload, nonce=str)["nonce"]))
        wanted = _tag(self._keys[1], kind, length, number, (payload,))
        self.is_believed = hmac.compare_digest(tag, wanted)
        if not self.is_believed and kind not in (HELLO, REFUSED):
            raise self.wrong(
                "it does not know our secret"
                if self._secret
                else "it has a secret, and there is none here"
            )
        return kind, payload

    def wrong(self, what: str) -> InputError:
        who = "standby" if self._is_runner else "runner"
        return InputError(
            f"Who is there does not speak as a {who} does: {what}",
            where=self.other,
            do="Name the address that `hft standby` says, and give both the same --secret FILE.",
        )

    def close(self) -> None:
        self.socket.close()


def as_json(**says: Any) -> bytes:
    return json.dumps(says).encode()


def said(wire: Wire, payload: bytes, **kinds: type) -> dict[str, Any]:
    """A message's names, each of the type that it must have; more of them are left out."""
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        raise wire.wrong("a message does not say what it must") from None
    return names_of(wire, told, **kinds)


def names_of(wire: Wire, told: Any, **kinds: type) -> dict[str, Any]:
    """The same of what was read already."""
    try:
        made = {name: told[name] for name in kinds}
    except (KeyError, TypeError):
        raise wire.wrong("a message does not say what it must") from None
    for name, kind in kinds.items():
        good = type(made[name]) is kind
        if good and kind is int:
            good = 0 <= made[name] < 1 << 62
        if good and name in ("nonce", "header", "head", "rest"):
            good = all(one in "0123456789abcdef" for one in made[name])
            good = good and len(made[name]) % 2 == 0
        if not good:
            raise wire.wrong(f"a message's {name} is none")
    return made


def _tag(key: bytes, kind: int, length: int, number: int, parts: tuple[Buffer, ...]) -> bytes:
    if not key:
        return _ZEROS
    made = blake2b(_HEAD.pack(kind, b"\0\0\0", length, number, _ZEROS), digest_size=16, key=key)
    for one in parts:
        made.update(one)
    return made.digest()


def taken(out: deque[Buffer], count: int) -> None:
    """So many bytes of what waits are gone."""
    while count:
        first = out[0]
        if count < len(first):
            out[0] = memoryview(first)[count:]
            return
        count -= len(out.popleft())
    while out and not len(out[0]):
        out.popleft()


def address_of(text: str, where: str, least: int = 1) -> tuple[str, int]:
    """HOST:PORT as it is given; an address of IPv6 in brackets."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdecimal() or len(port) > 5:
        raise InputError(f"{text!r} is no HOST:PORT", where=where, do="Write 127.0.0.1:7700.")
    if not least <= int(port) <= PORT_MAX:
        do = f"Give a port from {least} to {PORT_MAX:,}."
        raise InputError(f"{text!r} has no port that can be", where=where, do=do)
    return host, int(port)


def secret_of(path: Path | None, host: str, where: str) -> bytes:
    """The secret of a file, which its owner alone may read; none is for loopback only."""
    if path is None:
        if _is_loopback(host):
            return b""
        raise InputError(
            f"{host} is not this host alone, and there is no secret",
            where=where,
            do="Make one on both: `head -c 32 /dev/urandom > FILE; chmod 600 FILE`, "
            "then --secret FILE.",
        )
    try:
        with path.open("rb") as file:
            held = file.read(SECRET_BYTES_MAX + 1)
        mode = path.stat().st_mode
    except OSError as error:
        do = "Name a file that you may read."
        raise InputError(
            f"There is no secret there: {error.strerror}", where=str(path), do=do
        ) from None
    if mode & 0o077:
        do = f"Keep it to yourself: chmod 600 {path}"
        raise InputError("Others may read or write the secret", where=str(path), do=do)
    if not SECRET_BYTES_MIN <= len(held) <= SECRET_BYTES_MAX:
        do = f"Give from {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX:,}: head -c 32 /dev/urandom."
        raise InputError(f"A secret of {len(held):,} bytes is none", where=str(path), do=do)
    return held


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def dialled(place: tuple[str, int], seconds: float) -> socket.socket:
    """A connection to a standby; a sentence where there is none."""
    try:
        own = socket.create_connection(place, timeout=seconds)
    except OSError as error:
        raise HostError(
            f"No standby answers: {error.strerror or error}",
            where=f"{place[0]}:{place[1]}",
            do="Start one: hft standby --listen HOST:PORT --journal COPY.",
        ) from None
    own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return own


def listening(place: tuple[str, int]) -> socket.socket:
    """A standby's door; a sentence where there can be none."""
    try:
        family = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)[0][0]
        own = socket.create_server(place, family=family, backlog=BACKLOG)
    except OSError as error:
        raise HostError(
            f"Nothing can listen there: {error.strerror or error}",
            where=f"{place[0]}:{place[1]}",
            do="Give an address of this host, and a port that is free.",
        ) from None
    own.setblocking(False)
    return own
