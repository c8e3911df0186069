"""The server's machine: logins, replays, heartbeats, and clients of every bad sort."""

from __future__ import annotations

import pytest
from fuzzing import fuzz_seconds, fuzzed
from soup_pair import SECOND, Server

from hftlib.core import jit
from hftlib.core.soup import frames
from hftlib.core.soup import memory as m
from hftlib.core.soup import server as s

pytestmark = pytest.mark.modes
LOGIN = frames.login("user", "secret")


def message(data: bytes) -> bytes:
    return frames.encode(b"S", data)


def served(server: Server, sequence: int = 1, now: int = 0) -> int:
    """A connection that has logged in."""
    n = server.admit(now)
    assert server.hear(n, frames.login("user", "secret", "", sequence), now) == ["LOGIN"]
    return n


def test_a_login_is_answered_and_all_messages_from_the_number_asked_for_follow():
    server = Server()
    for n in range(1, 6):
        assert server.publish(b"m%d" % n) == n
    one, two, newest = served(server), served(server, 4), served(server, 0)
    all_five = b"".join(message(b"m%d" % n) for n in range(1, 6))
    assert server.said(one, 0) == frames.accepted("OUCH1", 1) + all_five
    assert server.said(two, 0) == frames.accepted("OUCH1", 4) + message(b"m4") + message(b"m5")
    assert server.said(newest, 0) == frames.accepted("OUCH1", 5) + message(b"m5")
    server.publish(b"m6")
    assert [server.said(n, 1) for n in (one, two, newest)] == [message(b"m6")] * 3
    empty = Server()
    n = served(empty, 0)
    assert empty.said(n, 0) == frames.accepted("OUCH1", 1)


def test_messages_of_clients_come_out_and_nothing_else_does():
    server = Server()
    n = served(server)
    data = frames.encode(b"U", b"order") + b"\0\1R" + frames.encode(b"+", b"hi")
    assert server.hear(n, data[:4], 1) == []
    assert server.hear(n, data[4:], 1) == ["MESSAGE", "DEBUG"]
    assert server.told == [("MESSAGE", b"order"), ("DEBUG", b"hi")]
    assert server.hear(n, frames.encode(b"O"), 2) == ["GONE"]
    assert server.told[-1] == ("GONE", "it logged out")
    assert server.at(n)[0] == "FREE"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (frames.encode(b"U", b"x"), "data came before a login"),
        (frames.encode(b"O"), "it logged out"),
        (b"\0\0", "a frame has something wrong inside it"),
        (b"\0\1?", "a frame has something wrong inside it"),
        (b"\0\1H", "a frame has something wrong inside it"),
        (b"\0\x2eL" + b" " * 45, "a frame has something wrong inside it"),
        (b"\xff\xff", "a frame is longer than any may be"),
        (b"GET / HTTP/1.1\r\n\r\n", "a frame is longer than any may be"),
        (LOGIN + LOGIN, "a second login"),
        (b"", "the peer closed the connection"),
    ],
)
def test_who_begins_wrongly_is_gone_for_a_reason_that_is_counted(data, why):
    server = Server()
    n = server.admit(0)
    server.hear(n, data, 0)
    assert server.told == [("GONE", why)]
    assert server.record["gone"][0][m.REASONS.index(why)] == 1 == server.record["gone"][0].sum()
    assert server.admit(1) == n, "its place is free"


@pytest.mark.parametrize(("letter", "why"), [("A", m.UNAUTHORISED), ("S", m.UNAVAILABLE)])
def test_a_refused_login_is_told_why_and_then_closed(letter, why):
    server = Server(stall_ns=SECOND)
    server.rejecting = letter
    n = served(server)
    assert server.tick(n, 1) == []
    assert server.said(n, 2) == frames.encode(b"J", letter.encode())
    assert server.hear(n, LOGIN, 3) == [], "it is not listened to any more"
    assert server.tick(n, 4) == ["GONE"] and server.told == [("GONE", m.REASONS[why])]
    unread = served(server)
    assert server.tick(unread, SECOND + 4) == ["GONE"], "it did not even take the answer"


def test_heartbeats_of_both_sides():
    server = Server()
    n = served(server)
    server.said(n, 0)
    for second in range(1, 15):
        assert server.tick(n, second * SECOND - 1) == [] == server.tick(n, second * SECOND)
        assert server.said(n, second * SECOND) == b"\0\1H"
    assert server.tick(n, 15 * SECOND) == ["GONE"], "a connection whose other end is long gone"
    assert server.told == [("GONE", "nothing was heard for too long")]


def test_no_login_in_time_and_room_for_others():
    server = Server(connections=3, login_ns=5 * SECOND)
    first, second, third = (server.admit(now) for now in range(3))
    assert server.admit(3) == -1
    assert s.oldest_waiting(server.base) == first
    server.hear(first, LOGIN, 4)
    assert s.oldest_waiting(server.base) == second
    assert server.tick(third, 5 * SECOND + 1) == []
    assert server.tick(third, 5 * SECOND + 2) == ["GONE"]
    assert server.told == [("GONE", "no login in time")]
    assert server.tick(first, 6 * SECOND) == [] and server.admit(6 * SECOND) == third


def test_a_slow_reader_costs_no_more_memory_and_is_let_go():
    server = Server(stall_ns=3 * SECOND, silence_ns=100 * SECOND)
    slow, good = served(server), served(server)
    for n in range(1_500):
        assert server.publish(b"%05d" % n + b"x" * 500) == n + 1
    for second in range(1, 4):
        assert server.tick(slow, second * SECOND - 1) == []
        assert len(server.said(good, second * SECOND)) > 0
        s.fill(server.base, slow)
    assert server.rows["outgoing"][slow]["end"] <= server.rows["outgoing"][slow]["room"]
    assert server.tick(slow, 3 * SECOND) == ["GONE"]
    assert server.told == [("GONE", "it did not read what was sent")]
    rest = b""
    while part := server.said(good, 4 * SECOND):
        rest += part
    assert rest.endswith(message(b"01499" + b"x" * 500)) and server.at(good)[0] == "SERVED"


def test_a_slow_reader_that_takes_a_little_stays():
    server = Server(stall_ns=SECOND, silence_ns=10**6 * SECOND)
    n = served(server)
    for _ in range(500):
        server.publish(b"x" * 500)
    for second in range(1, 50):
        assert len(server.said(n, second * SECOND - 1, 1)) == 1
        assert server.tick(n, second * SECOND) == []


def test_the_end_of_a_session_comes_after_its_messages_and_to_those_who_come_later():
    server = Server()
    n = served(server)
    server.publish(b"last")
    server.end()
    assert server.publish(b"more") == -m.ENDED
    assert server.said(n, 0) == frames.accepted("OUCH1", 1) + message(b"last")
    assert server.said(n, 0) == frames.encode(b"Z")
    assert server.tick(n, 1) == ["GONE"]
    late = served(server, 2, 5)
    assert server.said(late, 5) == frames.accepted("OUCH1", 2) + frames.encode(b"Z")
    assert server.told == [("GONE", "the session has ended")]


def test_a_stream_is_bounded_and_says_so():
    server = Server(messages=3)
    assert [server.publish(b"x") for _ in range(5)] == [1, 2, 3, -m.NO_ROOM, -m.NO_ROOM]
    assert server.publish(b"x" * 0xFFFF) == -m.TOO_LONG
    big = Server()
    longest = b"y" * 0xFFFE
    while big.publish(longest) > 0:
        pass
    assert big.stream["count"][0] == (1 << 20) // (0xFFFE + 3)
    n = served(big)
    got = big.said(n, 0)[len(frames.accepted("OUCH1", 1)) :]
    while part := big.said(n, 0):
        got += part
    assert got == message(longest) * int(big.stream["count"][0])


def test_garbage_from_clients_never_breaks_it():
    good = LOGIN + frames.encode(b"U", b"order") * 3 + b"\0\1R" + frames.encode(b"O")
    samples = [good, LOGIN, b"\0\1R" * 5, frames.encode(b"+", b"x" * 100)]
    server = Server(connections=2)
    now, rounds = 0, 0
    for data in fuzzed(samples, seconds=fuzz_seconds(), rounds_max=None if jit.COMPILED else 100):
        now += 1_000
        rounds += 1
        n = server.admit(now)
        assert n >= 0, "each one that went left its place"
        server.hear(n, data[:1_900], now)
        server.said(n, now)
        if server.at(n)[0] != "FREE":
            server.hear(n, b"", now)
            server.follow(n, now)
        assert server.at(n)[0] == "FREE"
    assert server.record["gone"][0].sum() == rounds == server.record["admitted"][0]
