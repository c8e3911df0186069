"""The server on real sockets: bad clients of every sort, in numbers, and a strange good one.

The strange one is Nasdaq's own library (PyPI `nasdaq-protocols`), which judges both our sides.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from fuzzing import fuzz_seconds
from nasdaq_protocols import soup

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.soup import frames
from hftlib.core.soup import memory as m
from hftlib.core.soup.dialling import SoupClient
from hftlib.core.soup.serving import Login, SoupServer

HERE = ("127.0.0.1", 0)
SECOND = m.SECOND_NS
USER = Login("user", "secret", stream="OUCH1", cancel_on_disconnect=True)
OTHER = Login("other", "word", stream="OUCH2")
RECONNECTS = 1_000


def connected(server: SoupServer, *data: bytes) -> socket.socket:
    """A plain socket that has said this."""
    own = socket.create_connection(server.address, timeout=5)
    for one in data:
        own.sendall(one)
    return own


def until(server: SoupServer, holds, seconds: float = 10) -> list:
    """Poll until it holds: all that was told."""
    told, end = [], time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{server!r} {server.counts} {told[-3:]}"
        told += server.poll(1)
    return told


def read(own: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = own.recv(count - len(data))
        assert part, data
        data += part
    return data


@contextmanager
def running(server: SoupServer, work=lambda: None) -> Iterator[None]:
    """The server polls in a thread of its own and does this in between."""
    stop = threading.Event()
    failed = []

    def run():
        try:
            while not stop.is_set():
                server.poll(1)
                work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        server.close()
        assert not failed, failed


def test_a_login_messages_and_what_the_server_tells_of_them():
    with SoupServer(HERE, [USER, OTHER]) as server:
        server.publish("OUCH1", b"one")
        own = connected(server, frames.login("user", "secret"), frames.encode(b"U", b"order"))
        told = until(server, lambda: server.counts.get("messages"))
        assert [(one.kind, one.login, one.data) for one in told] == [
            ("LOGIN", USER, b""),
            ("MESSAGE", USER, b"order"),
        ]
        expected = frames.accepted("OUCH1", 1) + frames.encode(b"S", b"one")
        assert read(own, len(expected)) == expected
        server.publish("OUCH2", b"not his")
        server.publish("OUCH1", b"two")
        assert read(own, 6) == frames.encode(b"S", b"two")
        own.close()
        (gone,) = until(server, lambda: not server.connections)
        assert (gone.kind, gone.login, gone.reason) == (
            *("GONE", USER, "the peer closed the connection"),
        )
        assert gone.login.cancel_on_disconnect and "secret" not in repr(told)


@pytest.mark.parametrize(
    ("login", "answer"),
    [
        (frames.login("user", "wrong"), b"A"),
        (frames.login("nobody", "secret"), b"A"),
        (frames.login("user", ""), b"A"),
        (frames.login("", ""), b"A"),
        (frames.login("user", "secret", "OUCH2"), b"S"),
        (frames.login("user", "secret", "OUCH1", 9), b"S"),
        (frames.login("user", "secret")[:-20] + b"x".rjust(20), b"S"),
        (frames.login("user", "secret")[:-20] + b" " * 20, b"S"),
        (frames.login("user", "secret")[:-20] + b"-1".rjust(20), b"S"),
        (b"\0\x2fL" + b"\xff" * 46, b"A"),
    ],
)
def test_a_login_that_is_refused_says_why(login, answer):
    with SoupServer(HERE, [USER, OTHER]) as server:
        own = connected(server, login)
        until(server, lambda: server.counts.get("admitted") and not server.connections)
        assert read(own, 4) == frames.encode(b"J", answer) and own.recv(1) == b""
        own.close()


@pytest.mark.parametrize("number", [b"1".ljust(20), b"1".rjust(20), b"  1" + b" " * 17])
def test_the_number_of_a_login_may_be_padded_on_either_side(number):
    with SoupServer(HERE, [USER]) as server:
        own = connected(server, frames.login("user", "secret")[:-20] + number)
        until(server, lambda: server.counts.get("logins"))
        assert read(own, 33) == frames.accepted("OUCH1", 1)
        own.close()


def test_a_second_login_takes_the_place_of_one_that_may_be_half_open():
    with SoupServer(HERE, [USER]) as server:
        first = connected(server, frames.login("user", "secret"))
        until(server, lambda: server.counts.get("logins"))
        second = connected(server, frames.login("user", "secret"))
        told = until(server, lambda: server.counts["logins"] == 2)
        assert [one.kind for one in told] == ["GONE", "LOGIN"]
        assert told[0].reason == "another login of its account took its place"
        assert read(first, 33) and first.recv(1) == b""
        assert server.connections == 1
        first.close()
        second.close()


def test_readers_may_share_a_stream():
    logins = [Login(name, "w", "FEED", exclusive=False) for name in ("a", "b")]
    with SoupServer(HERE, logins) as server:
        owns = [connected(server, frames.login(name, "w")) for name in ("a", "b", "a")]
        until(server, lambda: server.counts.get("logins") == 3)
        server.publish("FEED", b"x")
        expected = frames.accepted("FEED", 1) + frames.encode(b"S", b"x")
        for own in owns:
            assert read(own, len(expected)) == expected
            own.close()


def test_thousands_of_garbage_connections_keep_nobody_out():
    random = Random(7)
    count = 2_000 if fuzz_seconds() < 10 else 20_000
    said = 0
    with SoupServer(HERE, [USER], connections_max=16) as server:
        good = SoupClient(server.address, "user", "secret")
        garbage: list[socket.socket] = []
        for n in range(count):
            what = random.choice(
                (b"", b"\0", b"\xff\xff", b"\0\0", b"GET / HTTP/1.1\r\n\r\n", random.randbytes(30))
            )
            garbage.append(connected(server, what))
            if len(garbage) > 40:
                garbage.pop(random.randrange(len(garbage))).close()
            server.poll()
            good.poll()
            assert server.connections <= 16
            if good.state == "LIVE" and n % 10 == 0:
                good.send(b"%d" % n)
                said += 1
        for own in garbage:
            own.close()
        heard = until(server, lambda: server.connections == 1)
        assert good.state == "LIVE" and heard is not None
        assert server.counts["messages"] == said >= count // 10 - 5
        ended = sum(n for name, n in server.counts.items() if name.startswith("gone"))
        assert ended + 1 == server.counts["admitted"] == count + 1
        assert server.counts["gone: room was needed for another connection"] > 0
        good.close()


def test_a_full_server_turns_others_away_and_counts_them():
    logins = [Login(f"u{n}", "w", f"S{n}") for n in range(2)]
    with SoupServer(HERE, logins, connections_max=2) as server:
        owns = [connected(server, frames.login(f"u{n}", "w")) for n in range(2)]
        until(server, lambda: server.counts.get("logins") == 2)
        late = connected(server)
        until(server, lambda: server.counts.get("full") == 1)
        assert late.recv(1) == b"" and server.connections == 2
        for own in [*owns, late]:
            own.close()


def test_a_client_that_does_not_read_is_let_go_and_the_server_goes_on():
    with SoupServer(HERE, [USER, OTHER], stall_ns=SECOND // 5) as server:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect(server.address)
        slow.sendall(frames.login("user", "secret"))
        good = SoupClient(server.address, "other", "word")
        until(server, lambda: server.counts.get("logins"))
        for _ in range(6_000):
            server.publish("OUCH1", b"x" * 1_000)
        server.publish("OUCH2", b"for him")
        got = []
        until(server, lambda: got.extend(good.poll()) or len(got) >= 2)
        told = until(server, lambda: "gone: it did not read what was sent" in server.counts)
        assert [one.reason for one in told if one.kind == "GONE"] == [
            "it did not read what was sent"
        ]
        assert got[-1].data == b"for him" and good.state == "LIVE"
        slow.close()
        good.close()


def test_a_silent_client_is_let_go():
    with SoupServer(HERE, [USER], silence_ns=SECOND // 10, login_ns=SECOND // 10) as server:
        owns = [connected(server, frames.login("user", "secret")), connected(server, b"\0")]
        until(server, lambda: server.counts.get("admitted") == 2 and not server.connections)
        assert server.counts["gone: nothing was heard for too long"] == 1
        assert server.counts["gone: no login in time"] == 1
        for own in owns:
            own.close()


def test_a_server_that_cannot_be_is_refused():
    with SoupServer(HERE, [USER]) as server:
        with pytest.raises(HostError, match="Nothing can listen there"):
            SoupServer(server.address, [USER])
        assert repr(server).startswith("<SoupServer 127.0.0.1:")
    with pytest.raises(InputError, match="serves nobody"):
        SoupServer(HERE, [])
    with pytest.raises(InputError, match="has a login already"):
        SoupServer(HERE, [USER, USER])
    with pytest.raises(InputError, match="is no connections_max"):
        SoupServer(HERE, [USER], connections_max=0)
    with pytest.raises(InputError, match="no setting 'patience'"):
        SoupServer(HERE, [USER], patience=3)
    with pytest.raises(InputError, match="is no user"):
        SoupServer(HERE, [Login("too long a name", "x", "S")])
    with (
        SoupServer(HERE, [USER], messages_max=1) as server,
        pytest.raises(StateError, match="there is no room"),
    ):
        server.publish("OUCH1", b"1")
        server.publish("OUCH1", b"2")


def test_nasdaqs_client_loses_and_doubles_nothing_over_a_thousand_reconnects():
    random = Random(3)
    messages = [random.randbytes(random.randrange(1, 200)) for _ in range(3 * RECONNECTS)]
    pending = iter(messages)

    def work():
        for _ in range(random.randrange(20)):
            data = next(pending, None)
            if data is not None:
                server.publish("OUCH1", data)

    async def go() -> list[bytes]:
        got: list[bytes] = []
        logins = 0
        while len(got) < len(messages) or logins < RECONNECTS:
            session = await soup.connect_async(
                server.address, "user", "secret", "OUCH1", sequence=len(got) + 1
            )
            logins += 1
            assert session.session_id.session == "OUCH1"
            session.send_unseq_data(b"%d" % logins)
            wanted = min(len(messages) - len(got), random.randrange(7))
            for _ in range(wanted):
                message = await asyncio.wait_for(session.receive_msg(), 5)
                got.append(message.data)
            if random.random() < 0.3:
                session.logout()
                while not session.is_closed():
                    await asyncio.sleep(0)
            else:
                await session.close()
        return got

    server = SoupServer(HERE, [USER])
    with running(server, work):
        assert asyncio.run(go()) == messages
        counts = server.counts
    assert counts["logins"] >= RECONNECTS and counts.get("gone: it logged out", 0) > 100
