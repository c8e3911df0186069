"""The server: what it sends, what it answers, what it will not, and where its store ends."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from broken_datagrams import rounds
from fuzzing import mutated

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.feed.mold import MoldServer
from hftlib.feed.mold import packet as p

HERE = "127.0.0.1"
SECOND = 1_000_000_000


@contextmanager
def ear() -> Iterator[socket.socket]:
    """A socket that hears what is sent to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((HERE, 0))
        own.settimeout(10)
        yield own


def waiting(own: socket.socket) -> list[bytes]:
    """All that has arrived: on the loopback a datagram is there when sending it returns."""
    own.setblocking(False)
    out = []
    while True:
        try:
            out.append(own.recv(65_536))
        except BlockingIOError:
            return out


def ask(server: MoldServer, own: socket.socket, request: bytes, now: int = 0) -> list[bytes]:
    place = server.recovery_address
    assert place is not None
    own.sendto(request, place)
    server.step(now)
    return waiting(own)


def test_all_destinations_hear_the_same_numbered_packets_then_heartbeats_then_the_end() -> None:
    with ear() as a, ear() as b:
        places = [a.getsockname(), b.getsockname()]
        with MoldServer("TODAY", places, payload_bytes_max=64) as server:
            server.step(0)
            assert server.publish([b"x" * 20, b"", b"y" * 30], now=5) == 2
            server.step(5 + SECOND - 1)
            server.step(5 + SECOND)
            server.end(6 + SECOND)
            server.step(6 + 2 * SECOND)
        heard = waiting(a)
        assert waiting(b) == heard
        assert [p.header_of(one)[1:] for one in heard] == [
            (1, 0),
            (1, 2),
            (3, 1),
            (4, 0),
            (4, p.END_COUNT),
            (4, p.END_COUNT),
        ]
        texts = [text for one in heard for text in p.messages_of(one)]
        assert texts == [b"x" * 20, b"", b"y" * 30]
        assert all(p.verdict(one) in (p.MESSAGES, p.HEARTBEAT, p.END) for one in heard)
        assert "ended, 3 messages" in repr(server) or "closed, 3 messages" in repr(server)


def test_a_reply_is_one_packet_of_what_was_asked_for_as_far_as_it_fits() -> None:
    chance = random.Random(1)
    texts = [chance.randbytes(chance.randrange(300)) for _ in range(500)]
    with MoldServer("S", recovery=(HERE, 0)) as server, ear() as own:
        for first in range(0, 500, 50):
            server.publish(texts[first : first + 50], 0)
        for _ in range(300):
            first, count = chance.randrange(1, 501), chance.randrange(1, 20)
            (reply,) = ask(server, own, p.header("S", first, count))
            session, number, given = p.header_of(reply)
            assert (session, number) == (server.session, first) and 1 <= given <= count
            assert p.messages_of(reply) == texts[first - 1 : first - 1 + given]
            assert len(reply) <= 1400
            more = first - 1 + given
            if given < count and more < 500:
                assert len(reply) + 2 + len(texts[more]) > 1400
        assert server.counts["requests answered"] == 300


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (p.header("OTHER", 1, 1), "another session"),
        (p.header("S", 0, 1), "no such message"),
        (p.header("S", 4, 1), "no such message"),
        (p.header("S", 2**62, 1), "no such message"),
        (p.header("S", 1, 0), "no such count"),
        (p.header("S", 1, 0xFFFF), "no such count"),
        (p.header("S", 1, 1)[:-1], "not 20 bytes"),
        (p.header("S", 1, 1) + b"\0", "not 20 bytes"),
        (b"", "not 20 bytes"),
    ],
)
def test_what_is_no_request_gets_no_answer_and_is_counted(request_: bytes, why: str) -> None:
    with MoldServer("S", recovery=(HERE, 0)) as server, ear() as own:
        server.publish([b"a", b"b", b"c"], 0)
        assert ask(server, own, request_) == []
        assert server.counts[f"requests ignored: {why}"] == 1
        assert len(ask(server, own, p.header("S", 3, 0xFFFE))) == 1


def test_a_message_that_no_datagram_can_carry_is_refused_with_all_that_came_with_it() -> None:
    most = p.DATAGRAM_BYTES_MAX - p.HEADER_BYTES - p.BLOCK_BYTES
    with ear() as own, MoldServer("S", [own.getsockname()], store_bytes_max=1 << 20) as server:
        with pytest.raises(InputError, match="65,486 bytes is more than UDP carries"):
            server.publish([b"a", bytes(most + 1)], 0)
        assert server.next_sequence == 1
        assert server.publish([bytes(most)], 0) == 1 and len(waiting(own)[0]) == 65_507


def test_requests_of_random_bytes_do_no_harm() -> None:
    asked = 0
    with MoldServer("S", recovery=(HERE, 0), replies_per_second=1 << 30) as server, ear() as own:
        server.publish([b"a", b"b"], 0)
        for chance in rounds():
            for _ in range(10):
                asked += 1
                for reply in ask(server, own, mutated(p.header("S", 1, 2), chance), now=asked):
                    assert p.messages_of(reply) in ([b"a", b"b"], [b"a"], [b"b"])
        named = ("requests", "packets not")
        counted = sum(count for name, count in server.counts.items() if name.startswith(named))
        assert counted == asked


def test_an_asker_has_a_budget_and_so_have_all_together() -> None:
    with ear() as own:
        for rates in ({"replies_per_second": 3}, {"replies_per_second_in_all": 3}):
            with MoldServer("S", recovery=(HERE, 0), **rates) as server:
                server.publish([b"a"], 0)
                wanted = p.header("S", 1, 1)
                answers = [len(ask(server, own, wanted, now)) for now in (0, 1, 2, 3, 4)]
                assert answers == [1, 1, 1, 0, 0]
                assert len(ask(server, own, wanted, SECOND)) == 1
                assert server.counts["requests ignored: asked too often"] == 2


def test_a_store_that_is_full_refuses_before_anything_is_sent() -> None:
    for bounds in ({"messages_max": 3}, {"store_bytes_max": 9}):
        with ear() as own, MoldServer("S", [own.getsockname()], **bounds) as server:
            server.publish([b"a", b"b"], 0)
            with pytest.raises(StateError, match="store of the session is full: 2 messages"):
                server.publish([b"c", b"d"], 0)
            server.publish([b"c"], 0)
            assert [p.messages_of(one) for one in waiting(own)] == [[b"a", b"b"], [b"c"]]


def test_a_store_may_be_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "today"
    with MoldServer("S", path=path, store_bytes_max=4096, recovery=(HERE, 0)) as server:
        server.publish([b"kept"], 0)
        with ear() as own:
            assert p.messages_of(ask(server, own, p.header("S", 1, 1))[0]) == [b"kept"]
        assert path.read_bytes()[:6] == b"\0\4kept"
        with pytest.raises(InputError, match="cannot be made: File exists"):
            MoldServer("S", path=path)


def test_nobody_listening_is_no_failure_of_the_publisher() -> None:
    with ear() as own:
        place = own.getsockname()
    with MoldServer("S", [place, (HERE, 0)]) as server:
        for now in range(5):
            server.publish([b"a"], now)
            time.sleep(0.001)
        assert server.next_sequence == 6
        assert any(name.startswith("packets not sent") for name in server.counts)


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: MoldServer(""), InputError, "no session"),
        (lambda: MoldServer("S", [("x", 1)]), InputError, "no IPv4 address"),
        (lambda: MoldServer("S", ["x"]), InputError, "no address of a destination"),
        (lambda: MoldServer("S", payload_bytes_max=3), InputError, "3 is no payload_bytes_max"),
        (lambda: MoldServer("S", payload_bytes_max=1 << 20), InputError, "payload_bytes_max"),
        (lambda: MoldServer("S", messages_max=0), InputError, "0 is no messages_max"),
        (lambda: MoldServer("S", recovery=("8.8.8.8", 5_555)), HostError, "no such address"),
        (lambda: MoldServer("S", interface="lo"), InputError, "no IPv4 address"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    make: Callable[[], object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        make()


def test_an_ended_and_a_closed_server_take_no_more() -> None:
    server = MoldServer("S")
    server.end(0)
    with pytest.raises(StateError, match="session has ended"):
        server.publish([b"a"], 1)
    server.close()
    for call in (lambda: server.step(0), lambda: server.end(0), lambda: server.publish([], 0)):
        with pytest.raises(StateError, match="server is closed"):
            call()
