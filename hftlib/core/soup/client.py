"""The client's side of a SoupBinTCP session: bytes and times in, frames and events out.

    DOWN ─ time to dial ─▶ DIALLING ─ connected ─▶ LOGIN ─ accepted ─▶ LIVE ─ logout ─▶ LEAVING
      ▲                        │                     │                   │                 │
      └─── no answer, closed, silent, garbage; a longer wait each time ──┘                 ▼
           rejected as unauthorised; end of session; told to stop ─────────────────────▶ OVER

The driver moves bytes and asks what follows, until nothing does, after each call:

    dialled(client, login, now)     connected: the login goes out; `login` is a frame of `frames`
    space(client), received(client, count, now)     bytes put behind `incoming`; 0: the peer closed
    following(client) -> kind       0: nothing; else one of OUT_*, with its fields in the record
    tick(client, now)               what time brings
    send, logout, stop              what we want
    `outgoing`, sent(client, count, now)            bytes to be sent, and how many were

The sequenced messages have numbers that nobody writes down: each side counts. `next` is the number
of the next one, and what a login asks for, so a lost connection costs nothing but time. What comes
again is counted and not told; what the server skips is told as lost.

A password is in this memory only until it is sent: others may look at it.

Worst case: a frame is bounded by `frame_bytes_max`; a longer one ends the connection.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.core.soup import memory as m
from hftlib.core.soup import pipes
from hftlib.core.soup.changes import IN, OUT, become, client_at, end, fall
from hftlib.core.soup.frames import INCOMPLETE, LENGTH_BYTES, SERVER, examine

_SESSION = field_offset(m.CLIENT, "session")
_FOUND = field_offset(m.CLIENT, "found")
_TYPE = LENGTH_BYTES
_A, _J, _S, _H, _Z, _DEBUG = (ord(letter) for letter in "AJSHZ+")
_R, _U, _O, _L, _UNAVAILABLE = (ord(letter) for letter in "RUOLS")


@jit.compiled("int64(int64, int64, int64)")
def dialled(client: int, login: int, now: int) -> int:
    """The connection stands: log in, asking for the next message. 0 if nobody asked for it."""
    c = client_at(client)
    if c.state != m.DIALLING:
        return 0
    _pass(c, now)
    frame = pipes.behind(client + OUT)
    pipes.put_bytes(client + OUT, login, m.LOGIN_BYTES)
    for n in range(m.SESSION_BYTES):  # padded on the left, as specified
        jit.store_u8(frame + m.LOGIN_SESSION + n, ord(" "))
    for n in range(c.session_length):
        letter = jit.load_u8(client + _SESSION + n)
        place = m.LOGIN_SESSION + m.SESSION_BYTES - c.session_length + n
        jit.store_u8(frame + place, letter)
    pipes.put_number(frame + m.LOGIN_SEQUENCE, m.SEQUENCE_BYTES, c.next)
    c.heard = c.spoke = c.now
    become(client, m.LOGIN, m.CONNECTED)
    return 1


@jit.compiled("int64(int64, int64, int64)")
def received(client: int, count: int, now: int) -> int:
    """So many bytes are behind `incoming`; none or fewer: the peer is gone."""
    c = client_at(client)
    _pass(c, now)
    if not m.LOGIN <= c.state <= m.LEAVING:
        return 0
    if count <= 0:
        fall(client, m.CLOSED)
        return 0
    pipes.filled(client + IN, count)
    c.heard = c.now
    return 1


@jit.compiled("int64(int64)")
def following(client: int) -> int:
    """What is next to be told, or 0: all is told."""
    c = client_at(client)
    if c.tell != 0:
        kind = c.tell
        c.tell = 0
        return kind
    pipe = client + IN
    while m.LOGIN <= c.state <= m.LEAVING:
        frame, available = pipes.first(pipe), pipes.held(pipe)
        if available < LENGTH_BYTES:
            return 0
        length = jit.load_be_u16(frame)
        if length > c.frame_bytes_max:
            fall(client, m.OVERSIZED)
            break
        found = examine(frame, available, SERVER)
        if found == INCOMPLETE:
            return 0
        pipes.taken(pipe, LENGTH_BYTES + length)
        if found < 0:
            c.bad_frames += 1
            continue
        c.address, c.length = frame + pipes.HEADER_BYTES, length - 1
        kind = _read(client, jit.load_u8(frame + _TYPE))
        if kind != 0:
            return kind
    kind = c.tell
    c.tell = 0
    return kind


@jit.compiled("int64(int64, int64)")
def tick(client: int, now: int) -> int:
    """What time brings: dialling, heartbeats, patience that ends. What follows is to be asked."""
    c = client_at(client)
    _pass(c, now)
    waited = c.now - c.since
    if c.state == m.DOWN and c.now >= c.dial_at:
        c.dials += 1
        become(client, m.DIALLING, m.TIME_TO_DIAL)
        c.tell = m.OUT_DIAL
    elif c.state != m.LIVE and m.DIALLING <= c.state <= m.LEAVING and waited >= c.login_ns:
        fall(client, m.NO_ANSWER)
    elif c.state == m.LIVE or c.state == m.LEAVING:
        if c.now - c.heard >= c.silence_ns:
            fall(client, m.SILENT)
        elif c.now - c.spoke >= c.heartbeat_ns and pipes.held(client + OUT) == 0:
            pipes.put_frame(client + OUT, _R, 0, 0)
            c.heartbeats += 1
            c.spoke = c.now
    return 1 if c.tell != 0 else 0


@jit.compiled("int64(int64, int64, int64, int64)")
def send(client: int, message: int, length: int, now: int) -> int:
    """Send one message, unsequenced: 0, or why it cannot be."""
    c = client_at(client)
    if c.state != m.LIVE:
        c.unsent += 1
        return m.NOT_LIVE
    if not 0 <= length < c.frame_bytes_max:
        c.unsent += 1
        return m.TOO_LONG
    if not pipes.put_frame(client + OUT, _U, message, length):
        c.unsent += 1
        return m.NO_ROOM
    _pass(c, now)
    c.spoke = c.now
    c.messages_sent += 1
    return 0


@jit.compiled("int64(int64, int64, int64)")
def sent(client: int, count: int, now: int) -> int:
    """So many bytes of `outgoing` were sent: how many still wait."""
    c = client_at(client)
    _pass(c, now)
    count = min(count, pipes.held(client + OUT))
    if c.state == m.LOGIN:
        pipes.wipe(pipes.first(client + OUT), count)
    pipes.taken(client + OUT, count)
    return pipes.held(client + OUT)


@jit.compiled("int64(int64, int64)")
def logout(client: int, now: int) -> int:
    """Say goodbye, and wait for the server to close: 1; a client that is not live just stops."""
    c = client_at(client)
    if c.state != m.LIVE:
        return stop(client, now)
    _pass(c, now)
    pipes.put_frame(client + OUT, _O, 0, 0)
    become(client, m.LEAVING, m.ASKED)
    return 1


@jit.compiled("int64(int64, int64)")
def stop(client: int, now: int) -> int:
    """No more of it, without a word to the server."""
    c = client_at(client)
    _pass(c, now)
    if c.state == m.OVER:
        return 0
    end(client, m.ASKED)
    return 1


@jit.compiled("int64(int64, int64)")
def hurry(client: int, now: int) -> int:
    """Dial at the next tick, and wait again as at first: 1 for one that is down."""
    c = client_at(client)
    _pass(c, now)
    if c.state != m.DOWN:
        return 0
    c.dial_at, c.backoff_ns = c.now, c.backoff_ns_min
    return 1


@jit.compiled("int64(int64, int64, int64)")
def failed(client: int, reason: int, now: int) -> int:
    """The connection could not be made, or broke, as the driver found out."""
    c = client_at(client)
    _pass(c, now)
    if not m.DIALLING <= c.state <= m.LEAVING:
        return 0
    fall(client, reason)
    return 1


@jit.compiled()
def _read(client: int, letter: int) -> int:
    """One good frame of the server: what to tell of it, or 0."""
    c = client_at(client)
    if letter == _H:
        c.heartbeats_heard += 1
        return 0
    if letter == _DEBUG:
        c.debugs += 1
        return m.OUT_DEBUG
    if letter == _A:
        return _accepted(client)
    if letter == _J:
        return _rejected(client)
    if c.state == m.LOGIN:
        fall(client, m.BEFORE_LOGIN)
        return 0
    if letter == _Z:
        end(client, m.END_OF_SESSION)
        return 0
    c.number = c.coming
    c.coming += 1
    if c.number < c.next:
        c.repeated += 1
        return 0
    c.next = c.coming
    c.messages += 1
    return m.OUT_MESSAGE


@jit.compiled()
def _accepted(client: int) -> int:
    c = client_at(client)
    if c.state != m.LOGIN:
        return _count_bad(c)
    number = pipes.number_at(c.address + m.SESSION_BYTES, m.SEQUENCE_BYTES)
    if number < 1:
        fall(client, m.NO_NUMBER)
        return 0
    length = pipes.trim(c.address, m.SESSION_BYTES, client + _FOUND)
    known = c.session_length > 0
    other = known and not pipes.is_same(client + _FOUND, client + _SESSION, m.SESSION_BYTES)
    pipes.trim(client + _FOUND, m.SESSION_BYTES, client + _SESSION)
    c.session_length = length
    c.skipped = 0
    if other or c.next == 0:
        c.next = number
    elif number > c.next:
        c.skipped = number - c.next
        c.lost += c.skipped
        c.next = number
    c.coming = c.number = number
    c.logins += 1
    c.backoff_ns = c.backoff_ns_min
    become(client, m.LIVE, m.ACCEPTED)
    if other:
        c.sessions += 1
        return m.OUT_SESSION
    return m.OUT_LIVE


@jit.compiled()
def _rejected(client: int) -> int:
    c = client_at(client)
    if c.state != m.LOGIN:
        return _count_bad(c)
    c.rejections += 1
    if jit.load_u8(c.address) == _UNAVAILABLE:
        fall(client, m.UNAVAILABLE)
    else:
        end(client, m.UNAUTHORISED)  # again would be refused again, and may lock the account
    return 0


@jit.inlined
def _count_bad(c: Any) -> int:
    c.bad_frames += 1
    return 0


@jit.inlined
def _pass(c: Any, now: int) -> None:
    c.now = max(c.now, now)
