"""The server's side of SoupBinTCP sessions: many connections, each on its own, and their streams.

    FREE ─ admit ─▶ WAITING ─ login ─▶ ASKING ─ accept ─▶ SERVED ─ end of session ─▶ CLOSING
                       │                  └──── reject ──────┼────────────────────▶ CLOSING
                       └─ no login, garbage, silence, slow, logout, closed ─▶ GONE ─ release ─▶ FREE

The driver moves bytes and asks what follows for a connection, until nothing does, after each call:

    admit(server, now) -> connection, or -1        a socket came; `oldest_waiting` can be sent off
    received(server, connection, count, now)       bytes put behind its `incoming`
    following(server, connection) -> kind          a login to decide on, a message, its end
    accept, reject(server, connection, ..., now)   the driver knows who may; the login is wiped
    publish(server, stream, message, length)       stored for good, sent by `fill`
    fill(server, connection)                       copies what it may read into `outgoing`
    tick(server, connection, now)                  heartbeats, and patience that ends

What a client is to get is a number in a stream, so one that reads slowly costs no memory, and it
goes when it takes nothing for `stall_ns`. A connection without a login has `login_ns`, and makes
room when others come: garbage cannot keep clients out for long.

Worst case: `fill` copies what fits into one pipe; `oldest_waiting` looks at every connection.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.core.soup import memory as m
from hftlib.core.soup import pipes
from hftlib.core.soup.frames import CLIENT, INCOMPLETE, LENGTH_BYTES, examine

_server_at = jit.record_at(m.SERVER)
connection_of, connection_address = jit.rows(
    _server_at, m.CONNECTION, "connections_at", "connections"
)
stream_of, _ = jit.rows(_server_at, m.STREAM, "streams_at", "streams")
IN, OUT = field_offset(m.CONNECTION, "incoming"), field_offset(m.CONNECTION, "outgoing")
_GONE = field_offset(m.SERVER, "gone")
_H, _Z, _S, _A, _J = (ord(letter) for letter in "HZSAJ")
_L, _U, _R, _O, _DEBUG = (ord(letter) for letter in "LURO+")
ANSWER_BYTES = m.SESSION_BYTES + m.SEQUENCE_BYTES


@jit.compiled("int64(int64, int64)")
def admit(server: int, now: int) -> int:
    """A place for a new connection; -1: there is none."""
    s = _server_at(server)
    s.now = max(s.now, now)
    for n in range(s.connections):
        c = connection_of(server, n)
        if c.state == m.FREE:
            c.state, c.reason, c.since, c.opened = m.WAITING, m.START, s.now, s.now
            c.heard = c.spoke = c.progress = s.now
            c.stream, c.account, c.next, c.told_gone, c.messages = -1, -1, 0, 0, 0
            pipes.empty(connection_address(server, n) + IN)
            pipes.empty(connection_address(server, n) + OUT)
            s.admitted += 1
            return n
    return -1


@jit.compiled("int64(int64)")
def oldest_waiting(server: int) -> int:
    """The connection that has waited longest without a login; -1: all have one."""
    oldest, since = -1, 0
    for n in range(_server_at(server).connections):
        c = connection_of(server, n)
        if c.state == m.WAITING and (oldest < 0 or c.opened < since):
            oldest, since = n, c.opened
    return oldest


@jit.compiled("int64(int64, int64, int64, int64)")
def received(server: int, n: int, count: int, now: int) -> int:
    """So many bytes are behind the connection's `incoming`; none or fewer: it is closed."""
    s, c = _server_at(server), connection_of(server, n)
    s.now = max(s.now, now)
    if count <= 0:
        drop(server, n, c.reason if c.state == m.CLOSING else m.CLOSED)
        return 0
    if not m.WAITING <= c.state <= m.SERVING:
        return 0
    pipes.filled(connection_address(server, n) + IN, count)
    c.heard = s.now
    return 1


@jit.compiled("int64(int64, int64)")
def following(server: int, n: int) -> int:
    """What is next to be told of a connection, or 0: all is told."""
    s, c = _server_at(server), connection_of(server, n)
    pipe = connection_address(server, n) + IN
    while c.state == m.WAITING or c.state == m.SERVING:
        frame, available = pipes.first(pipe), pipes.held(pipe)
        if available < LENGTH_BYTES:
            return 0
        length = jit.load_be_u16(frame)
        if length > s.frame_bytes_max:
            drop(server, n, m.OVERSIZED)
            break
        found = examine(frame, available, CLIENT)
        if found == INCOMPLETE:
            return 0
        if found < 0:
            drop(server, n, m.GARBAGE)
            break
        pipes.taken(pipe, LENGTH_BYTES + length)
        s.address, s.length = frame + pipes.HEADER_BYTES, length - 1
        kind = _read(server, n, jit.load_u8(frame + LENGTH_BYTES))
        if kind != 0:
            return kind
    if c.state == m.GONE and c.told_gone == 0:
        c.told_gone = 1
        return m.HAS_GONE
    return 0


@jit.compiled("int64(int64, int64, int64, int64, int64, int64, int64)")
def accept(
    server: int, n: int, account: int, stream: int, sequence: int, session: int, now: int
) -> int:
    """Serve this stream from this message on; 0 wants the newest. Returns the number said."""
    s, c = _server_at(server), connection_of(server, n)
    s.now = max(s.now, now)
    if c.state != m.ASKING:
        return 0
    pipes.wipe(s.address, s.length)
    count = stream_of(server, stream).count
    c.next = sequence if sequence > 0 else max(1, count)
    c.stream, c.account = stream, account
    out = connection_address(server, n) + OUT
    pipes.empty(out)  # nothing is ever said before the answer
    answer = pipes.behind(out)
    pipes.put_frame(out, _A, session, ANSWER_BYTES)  # the name, and then the number over it
    pipes.put_number(answer + pipes.HEADER_BYTES + m.SESSION_BYTES, m.SEQUENCE_BYTES, c.next)
    c.state, c.reason, c.since, c.spoke, c.progress = m.SERVING, m.ACCEPTED, s.now, s.now, s.now
    s.logins += 1
    return c.next


@jit.compiled("int64(int64, int64, int64, int64)")
def reject(server: int, n: int, letter: int, now: int) -> int:
    """Refuse the login, A not authorised or S not available, and close when that is sent."""
    s, c = _server_at(server), connection_of(server, n)
    s.now = max(s.now, now)
    if c.state != m.ASKING:
        return 0
    pipes.wipe(s.address, s.length)
    out = connection_address(server, n) + OUT
    pipes.empty(out)
    frame = pipes.behind(out)
    if pipes.put_frame(out, _J, frame, 1):  # room for the letter, which is written over it
        jit.store_u8(frame + pipes.HEADER_BYTES, letter)
    reason = m.UNAVAILABLE if letter == _S else m.UNAUTHORISED
    c.state, c.reason, c.since, c.progress = m.CLOSING, reason, s.now, s.now
    return 1


@jit.compiled("int64(int64, int64, int64, int64)")
def publish(server: int, stream: int, message: int, length: int) -> int:
    """Store one message for whoever reads the stream: its number, or minus why not."""
    t = stream_of(server, stream)
    begin = jit.load_i64(server + t.index_at + 8 * t.count)
    if t.ended != 0:
        t.refused += 1
        return -m.ENDED
    if not 0 <= length < 0xFFFF:
        t.refused += 1
        return -m.TOO_LONG
    if t.count == t.messages_max or begin + pipes.HEADER_BYTES + length > t.bytes_max:
        t.refused += 1
        return -m.NO_ROOM
    frame = server + t.blocks_at + begin
    jit.store_be_u16(frame, 1 + length)
    jit.store_u8(frame + LENGTH_BYTES, _S)
    pipes.copy(frame + pipes.HEADER_BYTES, message, length)
    t.count += 1
    jit.store_i64(server + t.index_at + 8 * t.count, begin + pipes.HEADER_BYTES + length)
    return t.count


@jit.compiled("int64(int64, int64)")
def fill(server: int, n: int) -> int:
    """Copy what the connection may read into its `outgoing`: bytes that wait there."""
    s, c = _server_at(server), connection_of(server, n)
    out = connection_address(server, n) + OUT
    if c.state == m.SERVING:
        t = stream_of(server, c.stream)
        if c.next <= t.count:
            if pipes.held(out) == 0:
                c.progress = s.now
            index = server + t.index_at
            begin = jit.load_i64(index + 8 * (c.next - 1))
            after = _fitting(index, c.next, t.count, begin + pipes.space(out))
            if after > c.next:
                end = jit.load_i64(index + 8 * (after - 1))
                pipes.put_bytes(out, server + t.blocks_at + begin, end - begin)
                c.next, c.spoke = after, s.now
        elif t.ended != 0 and pipes.put_frame(out, _Z, 0, 0):
            c.state, c.reason, c.since = m.CLOSING, m.END_OF_SESSION, s.now
    return pipes.held(out)


@jit.compiled("int64(int64, int64, int64, int64)")
def sent(server: int, n: int, count: int, now: int) -> int:
    """So many bytes of the connection's `outgoing` were sent: how many still wait."""
    s, c = _server_at(server), connection_of(server, n)
    s.now = max(s.now, now)
    out = connection_address(server, n) + OUT
    if count > 0:
        c.progress = s.now
        pipes.taken(out, min(count, pipes.held(out)))
    return pipes.held(out)


@jit.compiled("int64(int64, int64, int64)")
def tick(server: int, n: int, now: int) -> int:
    """What time brings to a connection; what follows is to be asked."""
    s, c = _server_at(server), connection_of(server, n)
    s.now = max(s.now, now)
    waits = pipes.held(connection_address(server, n) + OUT)
    if c.state == m.WAITING or c.state == m.ASKING:
        if s.now - c.opened >= s.login_ns:
            drop(server, n, m.NO_LOGIN)
    elif c.state == m.SERVING:
        if s.now - c.heard >= s.silence_ns:
            drop(server, n, m.SILENT)
        elif waits > 0 and s.now - c.progress >= s.stall_ns:
            drop(server, n, m.SLOW)
        elif waits == 0 and s.now - c.spoke >= s.heartbeat_ns:
            pipes.put_frame(connection_address(server, n) + OUT, _H, 0, 0)
            c.spoke = c.progress = s.now
            s.heartbeats += 1
    elif c.state == m.CLOSING and (waits == 0 or s.now - c.progress >= s.stall_ns):
        drop(server, n, c.reason)
    return 1 if c.state == m.GONE else 0


@jit.compiled("int64(int64, int64, int64)")
def drop(server: int, n: int, reason: int) -> int:
    """The connection ends, for this reason, which is counted once."""
    s, c = _server_at(server), connection_of(server, n)
    if c.state == m.FREE or c.state == m.GONE:
        return 0
    c.state, c.reason, c.since = m.GONE, reason, s.now
    place = jit.nth(server + _GONE, reason, m.REASONS_MAX, 8)
    jit.store_i64(place, jit.load_i64(place) + 1)
    return 1


@jit.compiled("int64(int64, int64)")
def release(server: int, n: int) -> int:
    """Its socket is closed: its place is free."""
    c = connection_of(server, n)
    if c.state != m.GONE:
        return 0
    c.state = m.FREE
    return 1


@jit.compiled()
def _read(server: int, n: int, letter: int) -> int:
    """One good frame of a client: what to tell of it, or 0."""
    s, c = _server_at(server), connection_of(server, n)
    if letter == _R:
        return 0
    if letter == _DEBUG:
        s.debugs += 1
        return m.HAS_DEBUG
    if letter == _O:
        drop(server, n, m.LOGGED_OUT)
    elif letter == _L:
        if c.state == m.WAITING:
            c.state, c.since = m.ASKING, s.now
            return m.HAS_LOGIN
        drop(server, n, m.SECOND_LOGIN)
    elif c.state == m.WAITING:
        drop(server, n, m.NOT_LOGGED_IN)
    else:
        c.messages += 1
        s.messages += 1
        return m.HAS_MESSAGE
    return 0


@jit.compiled()
def _fitting(index: int, number: int, count: int, limit: int) -> int:
    """The number behind the last message that ends by this byte; by halves."""
    low, high = number, count + 1
    while low < high:
        middle = (low + high + 1) // 2
        if jit.load_i64(index + 8 * (middle - 1)) <= limit:
            low = middle
        else:
            high = middle - 1
    return low
