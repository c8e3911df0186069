"""The receiver over real sockets of the loopback: lossy lines, recovery and its absence, errors."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mold_market import PATIENCE_S, Market, Relay, message

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.feed.mold import MoldReceiver, MoldServer
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.receiver import BATCH_DELIVERIES, TURN_DATAGRAMS
from hftlib.feed.mold.sequencer import Delivery

HERE = "127.0.0.1"
ROUGH = {"loss": 0.01, "reorder": 0.05, "again": 0.02}
CALM = {"loss": 0.0, "reorder": 0.0, "again": 0.0}


@contextmanager
def feed(
    lines: int, count: int, *, wire: dict[str, float], recovers: bool = True, **settings: Any
) -> Iterator[tuple[MoldReceiver, Market]]:
    """A receiver of so many lines, and the market that it will hear once that is started."""
    places: list[tuple[str, int]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind((HERE, 0))
        recovery = found.getsockname()
    server = MoldServer("TODAY", places, recovery, payload_bytes_max=200)
    asked = recovery if recovers else None
    with MoldReceiver([(HERE, 0)] * lines, asked, first_sequence=1, **settings) as receiver:
        assert len(receiver.poll()) == 0  # compiled now, not while datagrams arrive
        relays = [
            Relay(to, seed, lag=5 * seed, **wire) for seed, to in enumerate(receiver.addresses)
        ]
        server.destinations += [relay.socket.getsockname() for relay in relays]
        yield receiver, Market(server, relays, count)


def heard(receiver: MoldReceiver, done: Callable[[], bool]) -> list[Delivery]:
    """All that is delivered until it is done."""
    until, out = time.monotonic() + PATIENCE_S, []
    while not done():
        assert time.monotonic() < until, (receiver, receiver.stats)
        out += receiver.blocks(receiver.poll(timeout_ms=5))
    return out


def texts(out: list[Delivery]) -> list[bytes]:
    return [text for one in out for text in one.messages]


def notices(out: list[Delivery]) -> list[tuple[str, int, int]]:
    return [(m.DELIVERIES[d.kind], d.first, d.after) for d in out if d.kind != m.OUT_MESSAGES]


@pytest.mark.parametrize("lines", [1, 2])
def test_nothing_is_lost_or_doubled_or_out_of_order_over_lossy_lines(lines: int) -> None:
    count = 20_000
    # With two lines there is time for the other one to bring what the first has lost.
    patience_ns = 1_000_000 if lines == 1 else 50_000_000
    with feed(lines, count, wire=ROUGH, patience_ns=patience_ns) as (receiver, market), market:
        out = heard(receiver, lambda: receiver.ended)
        assert texts(out) == [message(number) for number in range(1, count + 1)]
        stats = receiver.stats
        assert not receiver.stale and "lost" not in stats
        for relay in market.relays:
            assert min(relay.lost, relay.reordered, relay.repeated) > 10
        assert stats["gaps"] > 10 and stats["line A: again"] > 10
        if lines == 1:  # what one line loses only the server can bring
            assert stats["late"] > 10 and stats["requests sent"] > 10
        else:
            assert stats["line B: first"] > 10 and stats["line B: again"] > 10
        kinds = [name for name, _, _ in notices(out)]
        assert kinds[-1] == "ENDED" and set(kinds) == {"GAP", "RECOVERED", "ENDED"}
        stale = False
        for one in out:  # a notice stands before whatever it is about
            stale = {m.OUT_GAP: True, m.OUT_RECOVERED: False}.get(one.kind, stale)
            assert one.kind != m.OUT_ENDED or not stale


def test_without_recovery_each_loss_is_told_and_the_books_stay_stale() -> None:
    count = 20_000
    with feed(1, count, wire=ROUGH, recovers=False, patience_ns=20_000_000) as (receiver, market):
        with market:
            out = heard(receiver, lambda: receiver.ended)
        at, lost = 1, 0
        for one in out:
            if one.kind == m.OUT_MESSAGES:
                wanted = [message(number) for number in range(one.first, one.after)]
                assert one.messages == wanted
            if one.kind in (m.OUT_MESSAGES, m.OUT_LOST):
                assert one.first == at < one.after
                at, lost = one.after, lost + (one.kind == m.OUT_LOST) * (one.after - one.first)
        assert at == count + 1 and lost == receiver.stats["lost"] > 10
        assert receiver.stale and receiver.ended
        after_first_loss = notices(out)[[n[0] for n in notices(out)].index("LOST") :]
        assert "RECOVERED" not in {name for name, _, _ in after_first_loss}


def test_heartbeats_show_a_lost_tail_and_recovery_brings_it() -> None:
    with feed(1, 200, wire=CALM, repeat_ns=50_000_000) as (receiver, market):
        market.ends = False
        market.relays[0].drop_data_from = 161
        with market:
            out = heard(receiver, lambda: receiver.sequencer.expected == 201)
        assert texts(out) == [message(number) for number in range(1, 201)]
        assert notices(out)[0] == ("GAP", 161, 201)
        assert receiver.stats["line A: heartbeat"] > 0
        assert receiver.stats["late"] == 40


def test_the_end_of_the_session_does_not_stop_recovery() -> None:
    with feed(1, 400, wire=CALM) as (receiver, market):
        market.relays[0].drop_data_from = 41  # then nothing but the end is heard
        with market:
            out = heard(receiver, lambda: receiver.ended)
        assert texts(out) == [message(number) for number in range(1, 401)]
        assert receiver.stats["late"] == 360 and "line A: heartbeat" not in receiver.stats
        assert notices(out)[0][0] == "GAP" and notices(out)[-1] == ("ENDED", 401, 401)


def test_a_dead_recovery_server_is_asked_a_bounded_number_of_times() -> None:
    settings = {"repeat_ns": 20_000_000, "tries_max": 3}
    with feed(1, 80, wire=CALM, **settings) as (receiver, market):
        market.relays[0].drop_data_from = 41
        assert market.server._asked is not None
        market.server._asked.close()
        market.server._asked = None
        with market:
            out = heard(receiver, lambda: receiver.ended)
        stats = receiver.stats
        assert texts(out) == [message(number) for number in range(1, 41)]
        assert notices(out) == [("GAP", 41, 81), ("LOST", 41, 81), ("ENDED", 81, 81)]
        assert out[-2].reason == m.UNANSWERED and receiver.stale
        assert stats["requests"] == 3 == stats["requests sent"] + stats.get("requests unsent", 0)


def test_who_has_the_beginning_goes_on_from_there_and_asks_for_what_it_missed() -> None:
    """A process takes a snapshot up to 400, ends, and another one goes on from it."""
    told = list(map(message, range(1, 1_001)))
    with MoldServer("TODAY", [], (HERE, 0), payload_bytes_max=200) as server:
        asked = server.recovery_address
        with MoldReceiver([(HERE, 0)], asked) as first:
            server.destinations = [first.addresses[0]]
            server.publish(told[:400], 0)
            before = heard(first, lambda: first.sequencer.expected == 401)
            name, following = first.sequencer.session, first.sequencer.expected
        server.publish(told[400:900], 0)  # nobody hears these
        with MoldReceiver([(HERE, 0)], asked, session=name, first_sequence=following) as second:
            server.destinations = [second.addresses[0]]
            assert second.stale
            out, until, now = [], time.monotonic() + PATIENCE_S, 0
            while len(texts(out)) < 600:
                assert time.monotonic() < until, (second, second.stats)
                server.publish(told[900:], now) if not now else server.step(now)
                now += 1
                out += second.blocks(second.poll(timeout_ms=1))
            assert texts(before) + texts(out) == told
            assert notices(out) == [("GAP", 401, out[0].after), ("RECOVERED", 1_001, 1_001)]
            stats = second.stats
            assert stats["late"] >= 500 and "lost" not in stats and not second.stale


def sent(receiver: MoldReceiver, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        for datagram in datagrams:
            own.sendto(datagram, receiver.addresses[0])


def test_more_than_a_batch_holds_comes_with_the_next_polls() -> None:
    count = 10_000
    settings = {"first_sequence": 1, "capacity": 1 << 14, "patience_ns": 1 << 60}
    with MoldReceiver([(HERE, 0)], **settings) as receiver:
        made = list(p.packets("S", 1, map(message, range(1, count + 1))))
        for one in made[1:]:
            sent(receiver, one)
            receiver.poll()
        heard(receiver, lambda: receiver.stats["datagrams"] == len(made) - 1)
        sent(receiver, made[0])
        batches: list[int] = []
        out: list[Delivery] = []
        while receiver.sequencer.state == "GAP" or batches[-1]:
            out += receiver.blocks(receiver.poll())
            batches.append(len(out) - sum(batches))
        assert len(batches) > 2 and max(batches) == BATCH_DELIVERIES
        assert texts(out) == [message(number) for number in range(1, count + 1)]


def test_a_flood_does_not_keep_a_request_from_falling_due() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HERE, 0))
        server.settimeout(10)
        with MoldReceiver([(HERE, 0)], server.getsockname(), patience_ns=0) as receiver:
            sent(receiver, p.encode("S", 1, [b"a"]), *[p.encode("S", 3, [b"c"])] * 2_000)
            receiver.poll()
            assert receiver.stats["datagrams"] == TURN_DATAGRAMS
            assert server.recv(100) == p.header("S", 2, 1)


def test_a_datagram_beyond_the_buffer_is_counted_and_not_half_taken() -> None:
    with MoldReceiver([(HERE, 0)], datagram_bytes_max=64) as receiver:
        large, small = p.encode("S", 1, [b"x" * 60]), p.encode("S", 1, [b"y"])
        sent(receiver, large, small, b"junk", b"")
        out = heard(receiver, lambda: receiver.stats.get("datagrams") == 4)
        assert texts(out) == [b"y"]
        assert receiver.stats["line A: cut off by the receive buffer"] == 1
        assert receiver.stats["line A: shorter than a header"] == 2


def test_the_kernel_says_when_a_datagram_came() -> None:
    with MoldReceiver([(HERE, 0)]) as receiver:
        before = time.time_ns()
        sent(receiver, p.encode("S", 1, [b"a"]))
        after = time.time_ns()
        time.sleep(0.05)
        (one,) = heard(receiver, lambda: receiver.stats.get("datagrams") == 1)
        assert before <= one.received <= after, "when it was read, not when it came"


def test_what_the_kernel_drops_for_want_of_room_is_counted() -> None:
    with MoldReceiver([(HERE, 0)], silence_ns=1 << 60) as receiver:
        own = receiver._intakes[0].socket
        assert own is not None
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sent(receiver, *(p.encode("S", 1, [b"x" * 1000]) for _ in range(200)))
        heard(receiver, lambda: len(receiver.poll()) == 0)
        sent(receiver, p.encode("S", 1, [b"x"]))  # the count comes with the next datagram
        before = receiver.stats["datagrams"]
        heard(receiver, lambda: receiver.stats["datagrams"] > before)
        stats = receiver.stats
        assert stats["datagrams"] + stats["line A: dropped by the kernel"] == 201


def test_a_multicast_group_is_joined_through_the_card_that_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind((HERE, 0))
        port = found.getsockname()[1]
    group = ("239.255.77.1", port)
    try:
        receiver = MoldReceiver([group], interfaces=[HERE])
    except HostError as error:
        pytest.skip(f"this machine has no multicast on its loopback: {error}")
    with receiver, MoldServer("S", [group], interface=HERE) as server:
        server.publish([b"to all"], 0)
        if server.counts.get("packets sent") != 1:
            pytest.skip(f"this machine sends no multicast on its loopback: {server.counts}")
        assert texts(heard(receiver, lambda: "datagrams" in receiver.stats)) == [b"to all"]
        with MoldReceiver([group], interfaces=[HERE]) as second:  # a group may have many members
            server.publish([b"and again"], 0)
            assert texts(heard(second, lambda: "datagrams" in second.stats)) == [b"and again"]


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: MoldReceiver([]), InputError, "one line or two"),
        (lambda: MoldReceiver([(HERE, 1), (HERE, 2), (HERE, 3)]), InputError, "one line or two"),
        (lambda: MoldReceiver([HERE]), InputError, "no address of a line"),
        (lambda: MoldReceiver([(HERE, 70_000)]), InputError, "70000 is no UDP port"),
        (lambda: MoldReceiver([("nasdaq.com", 1)]), InputError, "no IPv4 address"),
        (lambda: MoldReceiver([("8.8.8.8", 5_555)]), HostError, "no such address"),
        (lambda: MoldReceiver([("239.1.1.1", 0)], interfaces=["8.8.8.8"]), HostError, "card here"),
        (lambda: MoldReceiver([("239.1.1.1", 0)], interfaces=["eth0"]), InputError, "IPv4"),
        (lambda: MoldReceiver([(HERE, 0)], interfaces=HERE), InputError, "card for each line"),
        (lambda: MoldReceiver([(HERE, 0)], interfaces=[HERE] * 2), InputError, "card for each"),
        (lambda: MoldReceiver([(HERE, 0)], recovery=("x", 1)), InputError, "no IPv4 address"),
        (lambda: MoldReceiver([(HERE, 0)], capacity=5), InputError, "power of two"),
        (lambda: MoldReceiver([(HERE, 0)], datagram_bytes_max=1), InputError, "size of a datagram"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_sentence(
    make: Callable[[], object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        make()


def test_a_port_in_use_is_named_and_nothing_stays_open() -> None:
    with MoldReceiver([(HERE, 0)]) as first:
        port = first.addresses[0][1]
        with pytest.raises(HostError, match=rf"port is in use. Where: {HERE}:{port}"):
            MoldReceiver([(HERE, 0), (HERE, port)])
        assert repr(first) == (
            f"<MoldReceiver {HERE}:{port}: <Sequencer WAITING, stale: start; session -, next 0, "
            "0 messages out, 0 held, 0 lost>>"
        )
    with pytest.raises(StateError, match="This receiver is closed"):
        first.poll()
    MoldReceiver([(HERE, port)]).close()
