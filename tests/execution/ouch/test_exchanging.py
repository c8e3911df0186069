"""A turn of the gateway as object code: no allocation, no exception, no Python; and in bounds."""

from __future__ import annotations

import pytest
from ouch_desk import SECOND, Desk

from hftlib.core import jit, object_code, orders
from hftlib.core.ouch import codec
from hftlib.core.soup import client as session
from hftlib.core.soup import memory as soup
from hftlib.core.soup import server, sockets
from hftlib.core.soup.changes import IN
from hftlib.execution.ouch import asking, exchanging


@jit.callback("int64(int64, int64, int64, int64, int64)")
def turns(base: int, client: int, descriptor: int, now: int, received: int) -> int:
    """One turn, system calls and all."""
    return exchanging.exchange(base, client, descriptor, now, received)


@jit.callback("int64(int64, int64, int64)")
def asks(base: int, command: int, time: int) -> int:
    asking.submit(base, command, time)
    return 0


@jit.callback("int64(int64, int64, int64)")
def serves(base: int, connection: int, now: int) -> int:
    """What a server does for a connection while it lasts."""
    server.received(base, connection, 1, now)
    server.following(base, connection)
    server.tick(base, connection, now)
    server.publish(base, 0, base, 1)
    return server.fill(base, connection)


@jit.callback("int64(int64, int64, int64, int64)")
def codes(message: int, length: int, record: int, options: int) -> int:
    """All four ways of the codec."""
    done = codec.decode_inbound(message, length, record, options)
    done += codec.encode_inbound(record, options, length, message)
    done += codec.decode_outbound(message, length, record, options)
    return done + codec.encode_outbound(record, options, length, message)


@pytest.mark.skipif(
    jit.BOUNDS_CHECKED or not jit.COMPILED, reason="checks raise, and what raises is not emitted"
)
@pytest.mark.parametrize("callback", [turns, asks, serves, codes], ids=lambda one: one.name)
def test_what_runs_on_the_tick_path_needs_no_python_and_no_memory(callback):
    assert object_code.link(jit.emit(callback)) != 0


@pytest.mark.modes
def test_reports_that_nobody_takes_stop_the_hearing_and_not_the_session():
    desk = Desk(orders_max=4, slots=4)
    desk.venue.chances = dict.fromkeys(desk.venue.chances, 0.0)
    desk.open()
    number = desk.new(100_000)
    desk.carry(2)
    order = desk.venue.orders[1]
    for _ in range(200):
        desk.venue.fill(order, 1)
    desk.publish()
    wire = desk.server.said(desk.connection, desk.now)
    assert len(wire) > 200 * 36
    sockets.put(desk.client.base + IN, wire)
    session.received(desk.client.base, len(wire), desk.now)  # nobody asks what follows yet
    told = exchanging.exchange(desk.base, desk.client.base, -1, desk.now, desk.now)
    assert told == exchanging.CROWDED and 0 < desk.count("reports") < desk.count("reports_max")
    for _ in range(20):
        desk.take_reports()
        told = exchanging.exchange(desk.base, desk.client.base, -1, desk.now, desk.now)
    assert told == 0 and desk.kinds(number).count("FILLED") == 200
    assert desk.count("reports_lost") == 0


@pytest.mark.modes
def test_a_turn_says_what_the_driver_must_do():
    desk = Desk()

    def turn(descriptor: int = -1) -> int:
        return int(exchanging.exchange(desk.base, desk.client.base, descriptor, desk.now, desk.now))

    assert turn() == soup.OUT_DIAL and turn() == 0
    desk.now += 60 * SECOND
    assert turn() == soup.OUT_DOWN, "nobody answered"
    desk.open()
    desk.new()
    desk.carry(2)
    desk.server.end()
    desk.from_venue()
    desk.carry(2)
    assert desk.kinds()[-1] == "DISCONNECTED" and desk.client.at[0] == "OVER"
    assert orders.REPORTS[desk.last()["kind"] - orders.ACCEPTED] == "DISCONNECTED"
