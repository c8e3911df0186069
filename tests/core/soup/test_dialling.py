"""The client on real sockets, against our server, a broken one and Nasdaq's own library."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from random import Random

import pytest
from nasdaq_protocols import soup

from hftlib.core.errors import InputError, StateError
from hftlib.core.soup import frames
from hftlib.core.soup.dialling import SoupClient
from hftlib.core.soup.serving import Login, SoupServer

HERE = ("127.0.0.1", 0)
MS = 1_000_000
USER = Login("user", "secret", stream="OUCH1")
FAST = {"backoff_ns_min": MS, "backoff_ns_max": 20 * MS}
RECONNECTS = 1_000


def both(client: SoupClient, server: SoupServer, holds, seconds: float = 10) -> list:
    """Poll both until it holds: what the client told."""
    told, end = [], time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{client!r} {client.counts} {server.counts}"
        told += client.poll(1)
        server.poll()
    return told


def test_a_day_with_a_lost_connection_and_a_logout():
    with SoupServer(HERE, [USER]) as server, SoupClient(server.address, "user", "secret") as client:
        server.publish("OUCH1", b"one")
        told = both(client, server, lambda: client.next_one == 2)
        assert [(one.kind, one.number, one.data) for one in told] == [
            ("LIVE", 1, b""),
            ("MESSAGE", 1, b"one"),
        ]
        client.send(b"order")
        both(client, server, lambda: server.counts.get("messages") == 1)
        for n in list(server._sockets):
            server.drop(n)
        told = both(client, server, lambda: client.state == "DOWN")
        assert told[-1].kind == "DOWN" and client.session == "OUCH1"
        server.publish("OUCH1", b"two")
        told = both(client, server, lambda: client.next_one == 3)
        assert [one.data for one in told if one.kind == "MESSAGE"] == [b"two"]
        client.logout()
        both(client, server, lambda: client.state == "OVER")
        assert server.counts["gone: it logged out"] == 1
        assert "next message 3" in repr(client)
        with pytest.raises(StateError, match="the session is not live"):
            client.send(b"late")


def test_nobody_there_is_dialled_again():
    door = socket.create_server(("127.0.0.1", 0))
    address = door.getsockname()
    door.close()
    with SoupClient(address, "user", "secret", **FAST) as client:
        end = time.monotonic() + 5
        while client.counts.get("falls", 0) < 5 and time.monotonic() < end:
            client.poll(1)
        assert client.counts["falls"] >= 5
        assert client.reason in ("the connection could not be made", "it is time to dial")


def test_a_server_that_closes_at_once_or_says_garbage_is_dialled_again():
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(5)
        with SoupClient(door.getsockname(), "user", "secret", **FAST) as client:
            for data in (b"", b"\0\0" * 50, b"\xff\xff" + bytes(70_000), frames.encode(b"S", b"x")):
                falls = client.counts.get("falls", 0)
                client.poll(30)
                own, _ = door.accept()
                own.sendall(data)
                own.close()
                end = time.monotonic() + 5
                while client.counts.get("falls", 0) == falls and time.monotonic() < end:
                    client.poll(1)
                assert client.counts["falls"] == falls + 1
            assert client.next_one == 1


def test_a_wrong_password_is_told_and_not_tried_again():
    with SoupServer(HERE, [USER]) as server, SoupClient(server.address, "user", "wr0ng") as client:
        told = both(client, server, lambda: client.state == "OVER")
        assert told[-1].reason == "the login is not authorised"
        assert client.poll(20) == [] and server.counts["admitted"] == 1
        assert b"wr0ng" not in client._memory.tobytes() + server._memory[:1_000_000].tobytes()


def test_what_is_no_client_is_refused():
    with pytest.raises(InputError, match="no number of a message"):
        SoupClient(HERE, "user", "secret", next_one=-1)
    with pytest.raises(InputError, match="is no TCP port"):
        SoupClient(("127.0.0.1", 70_000), "user", "secret")
    with pytest.raises(InputError, match="names are not looked up"):
        SoupClient(("venue.example", 1), "user", "secret")
    with pytest.raises(InputError, match="no setting 'stall_ns'"):
        SoupClient(HERE, "user", "secret", stall_ns=1)


def test_a_heartbeat_keeps_both_sides_alive():
    quick = {"heartbeat_ns": 20 * MS, "silence_ns": 200 * MS}
    with (
        SoupServer(HERE, [USER], **quick) as server,
        SoupClient(server.address, "user", "secret", **quick) as client,
    ):
        end = time.monotonic() + 0.7
        both(client, server, lambda: time.monotonic() > end)
        assert client.state == "LIVE" and client.counts["logins"] == 1
        assert client.counts["heartbeats"] > 5 and client.counts["heartbeats_heard"] > 5


def test_ours_against_nasdaqs_server_over_a_thousand_reconnects():
    random = Random(5)
    messages = [random.randbytes(random.randrange(200)) for _ in range(3 * RECONNECTS)]
    heard: list[bytes] = []
    ready = threading.Event()
    where: list = []

    class Session(soup.SoupServerSession, session_type="server"):
        async def on_login(self, msg):
            assert (msg.user, msg.password) == ("user", "secret")
            first = int(msg.sequence)
            asyncio.get_running_loop().call_soon(self.replay, first)
            return soup.LoginAccepted("DAY1", first)

        def replay(self, first):
            for data in messages[first - 1 : first - 1 + random.randrange(8)]:
                self.send_seq_msg(data)
            if random.random() < 0.5:
                self.initiate_close()
            else:
                asyncio.get_running_loop().call_later(0.002, self.initiate_close)

        async def on_unsequenced(self, msg):
            heard.append(msg.data)

    async def serve():
        server = await asyncio.get_running_loop().create_server(Session, *HERE)
        where.append((server.sockets[0].getsockname(), asyncio.get_running_loop(), asyncio.Event()))
        ready.set()
        await where[0][2].wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(5)
    got: list[tuple[int, bytes]] = []
    with SoupClient(where[0][0], "user", "secret", backoff_ns_min=1, backoff_ns_max=1) as client:
        end = time.monotonic() + 120
        while (len(got) < len(messages) or client.counts["logins"] < RECONNECTS) and (
            time.monotonic() < end
        ):
            for told in client.poll(5):
                if told.kind == "MESSAGE":
                    got.append((told.number, told.data))
                if told.kind == "LIVE" and client.state == "LIVE":
                    client.send(b"%d" % client.counts["logins"])
        counts = client.counts
    where[0][1].call_soon_threadsafe(where[0][2].set)
    thread.join(5)
    assert got == list(enumerate(messages, 1))
    assert counts["logins"] >= RECONNECTS and "repeated" not in counts and "lost" not in counts
    assert heard and all(int(data) <= counts["logins"] for data in heard)
