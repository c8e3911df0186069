"""`hft bench ouch`: what it costs to say an order in OUCH 5.0, and to understand an answer.

    encode       a record as a new order, with one optional field
    decode       an execution, into a record
    command      a COMMAND through the gateway: checks, window, reference, memory, session's frame
    life         a new order, its acceptance and its fill: all that the gateway does for an order
    kill         the cancel of one of 10,000 open orders, into a frame, all in a row

Each beside the probe of the machine that does the least of the same: a copy of as many bytes, from
one place to another. Prices and numbers differ from lap to lap. No socket is in any of it.

Worst case of the method: a mean over a hundred thousand laps hides single slow ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.bench.harness import Bench, require_compiled
from hftlib.core import clock, events, jit, orders, ouch
from hftlib.core.instruments import Instruments
from hftlib.core.orders import COMMAND
from hftlib.core.ouch import codec
from hftlib.core.ouch import options as o
from hftlib.core.ouch.messages import INBOUND, OUTBOUND, RECORD_BYTES_MAX
from hftlib.core.soup import laying as soup_laying
from hftlib.core.soup import memory as soup
from hftlib.core.soup import pipes
from hftlib.core.soup.changes import OUT
from hftlib.execution.ouch import asking, hearing, laying
from hftlib.execution.ouch import memory as m
from hftlib.execution.ouch.gateway import SETTINGS

LAPS = 100_000
KILLED = 10_000
KILL_NS = 10_000_000 / KILLED  # all of them within ten milliseconds
ORDERS = 1 << 12
ROOM = 512
ENTER_BYTES, EXECUTED_BYTES, ACCEPTED_BYTES = 47 + 6, 36, 64
_enter_at = jit.record_at(INBOUND["O"].dtype)
_executed_at = jit.record_at(OUTBOUND["E"].dtype)
_accepted_at = jit.record_at(OUTBOUND["A"].dtype)
_command_at = jit.record_at(COMMAND)


@jit.compiled("float64(int64, int64, int64, int64)")
def encode_laps(record: int, options: int, target: int, laps: int) -> float:
    """New orders, one after another, each with its own reference, price and quantity."""
    enter = _enter_at(record)
    start = clock.monotonic_ns()
    written = 0
    for n in range(laps):
        enter.urn, enter.quantity, enter.price = n, 100 + n % 7, 1_000_000 + n % 97
        written += codec.encode_inbound(record, options, ROOM, target)
    cost = (clock.monotonic_ns() - start) / laps
    return cost if written == laps * ENTER_BYTES else -1.0


@jit.compiled("float64(int64, int64, int64, int64)")
def decode_laps(message: int, record: int, options: int, laps: int) -> float:
    """Executions, one after another, each with its own reference and quantity."""
    executed = _executed_at(record)
    start = clock.monotonic_ns()
    total = 0
    for n in range(laps):
        jit.store_be_u32(message + 9, n)
        codec.decode_outbound(message, EXECUTED_BYTES, record, options)
        total += executed.urn
    cost = (clock.monotonic_ns() - start) / laps
    return cost if total == laps * (laps - 1) // 2 else -1.0


@jit.compiled("float64(int64, int64, int64, int64)")
def copy_laps(source: int, target: int, count: int, laps: int) -> float:
    """The least that moving a message takes."""
    start = clock.monotonic_ns()
    total = 0
    for n in range(laps):
        jit.store_i64(source, n)
        pipes.copy(target, source, count)
        total += jit.load_i64(target)
    cost = (clock.monotonic_ns() - start) / laps
    return cost if total == laps * (laps - 1) // 2 else -1.0


@jit.compiled("float64(int64, int64, int64, int64, int64)")
def command_laps(gateway: int, client: int, command_address: int, answer: int, laps: int) -> float:
    """Commands through the gateway into the session's frames; each order is then rejected."""
    g, command = m.gateway_at(gateway), _command_at(command_address)
    now, spent = g.time, 0
    sent = g.entered
    for n in range(laps):
        now += 1_000
        command.order, command.price, command.quantity = 1 + n, 1_000_000 + n % 97, 100 + n % 13
        begun = clock.monotonic_ns()
        asking.submit(gateway, command_address, now)
        asking.push(gateway, client, now)
        spent += clock.monotonic_ns() - begun
        jit.store_be_u32(answer + 9, g.last_urn)
        hearing.hear(gateway, answer, 29, n + 1, now)
        g.reports = 0
        pipes.empty(client + OUT)
    return spent / laps if g.entered == sent + laps else -1.0


@jit.compiled("float64(int64, int64, int64, int64, int64, int64)")
def life_laps(
    gateway: int, client: int, command_address: int, accepted: int, executed: int, laps: int
) -> float:
    """Whole lives: sent, accepted, filled; one clock around all of them."""
    g, command = m.gateway_at(gateway), _command_at(command_address)
    now, told = g.time, 0
    start = clock.monotonic_ns()
    for n in range(laps):
        now += 1_000
        command.order, command.price, command.quantity = 1 + n, 1_000_000 + n % 97, 100
        asking.submit(gateway, command_address, now)
        asking.push(gateway, client, now)
        jit.store_be_u32(accepted + 9, g.last_urn)
        jit.store_be_u32(executed + 9, g.last_urn)
        hearing.hear(gateway, accepted, ACCEPTED_BYTES, n + 1, now)
        hearing.hear(gateway, executed, EXECUTED_BYTES, n + 2, now)
        told += g.reports
        g.reports = 0
        pipes.empty(client + OUT)
    cost = (clock.monotonic_ns() - start) / laps
    return cost if told >= 2 * laps else -1.0


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def fill_book(gateway: int, client: int, command_address: int, accepted: int, count: int) -> int:
    """So many orders that the venue has: how many there are."""
    g, command = m.gateway_at(gateway), _command_at(command_address)
    command.what, command.price, command.quantity = orders.NEW, 1_000_000, 100
    for n in range(1, count + 1):
        command.order = n
        asking.submit(gateway, command_address, n)
        asking.push(gateway, client, n)
        jit.store_be_u32(accepted + 9, g.last_urn)
        hearing.hear(gateway, accepted, ACCEPTED_BYTES, n, n)
        g.reports = 0
        pipes.empty(client + OUT)
    return g.entered


@jit.compiled("float64(int64, int64, int64, int64)")
def kill_laps(gateway: int, client: int, command_address: int, count: int) -> float:
    """Cancels for all of them, until none waits."""
    g, command = m.gateway_at(gateway), _command_at(command_address)
    command.what = orders.CANCEL
    start = clock.monotonic_ns()
    for n in range(1, count + 1):
        command.order = n
        asking.submit(gateway, command_address, n)
    waiting = asking.push(gateway, client, count + 1)
    cost = (clock.monotonic_ns() - start) / count
    return cost if waiting == 0 and g.cancelled == count else -1.0


class Bed:
    """A gateway whose session is taken for live, and the messages of a venue."""

    def __init__(self, **more: int) -> None:
        table = Instruments()
        table.add("AAPL", venue="XNAS")
        settings = SETTINGS | {"orders_max": ORDERS, "window_max": 1_000, "window_ns": 1_000} | more
        self.gateway = laying.gateway_memory(
            table,
            venue="XNAS",
            firm="",
            capacity="P",
            is_dropping=False,
            is_reducing=True,
            **settings,
        )
        self.client = soup_laying.client_memory(1, "")
        self.client[: soup.CLIENT.itemsize].view(soup.CLIENT)["state"] = soup.LIVE
        self.command = np.zeros(1, COMMAND)
        self.command["what"], self.command["side"] = orders.NEW, events.BUY
        self.command["kind"], self.command["lasts"] = orders.LIMIT, orders.DAY
        self.accepted = _bytes("A", quantity=100, price="100", reference=1, state="L")
        self.executed = _bytes("E", quantity=100, price="100", match=1, liquidity="A")
        self.rejected = _bytes("J", reason=1)

    def fresh(self) -> tuple[int, int, int]:
        """Gateway, client and command, as if the day began."""
        row = self.gateway[: m.GATEWAY.itemsize].view(m.GATEWAY)
        row["state"], row["last_urn"], row["reports"] = m.OPEN, 0, 0
        return self.gateway.ctypes.data, self.client.ctypes.data, self.command.ctypes.data


def _bytes(letter: str, **values: Any) -> np.ndarray[Any, Any]:
    return np.frombuffer(bytes(ouch.outbound(letter, **values)), np.uint8).copy()


def benches() -> list[Bench]:
    """Each with the copy of as many bytes."""
    require_compiled("hft bench ouch")
    bed = Bed()
    target, source = np.zeros(ROOM, np.uint8), np.zeros(ROOM, np.uint8)
    record, options = np.zeros(RECORD_BYTES_MAX, np.uint8), np.zeros(1, o.OPTIONS)
    enter, chosen = np.zeros(RECORD_BYTES_MAX, np.uint8), np.zeros(1, o.OPTIONS)
    enter[0] = ord("O")
    o.put(chosen.ctypes.data, o.TAGS["firm"].number, events.code("FIRM"))
    encoded = (enter.ctypes.data, chosen.ctypes.data, target.ctypes.data, LAPS)
    decoded = (bed.executed.ctypes.data, record.ctypes.data, options.ctypes.data, LAPS)

    def copied(count: int) -> float:
        return copy_laps(source.ctypes.data, target.ctypes.data, count, LAPS)

    def command() -> float:
        return command_laps(*bed.fresh(), bed.rejected.ctypes.data, LAPS)

    def life() -> float:
        answers = (bed.accepted.ctypes.data, bed.executed.ctypes.data)
        return life_laps(*bed.fresh(), *answers, LAPS)

    def killed() -> float:
        one = Bed(orders_max=1 << 14, window_max=0)
        found = fill_book(*one.fresh(), one.accepted.ctypes.data, KILLED)
        return kill_laps(*one.fresh(), KILLED) if found == KILLED else -1.0

    entered, filled = "a copy of its 53 bytes", "a copy of its 36 bytes"
    return [
        Bench(
            "OUCH: a new order encoded",
            lambda: encode_laps(*encoded),
            against=entered,
            probe=lambda: copied(ENTER_BYTES),
        ),
        Bench(
            "OUCH: an execution decoded",
            lambda: decode_laps(*decoded),
            against=filled,
            probe=lambda: copied(EXECUTED_BYTES),
        ),
        Bench(
            "a command through the gateway to a frame",
            command,
            against=entered,
            probe=lambda: copied(ENTER_BYTES),
        ),
        Bench(
            "an order sent, accepted and filled",
            life,
            against="three such copies",
            probe=lambda: 3 * copied(ACCEPTED_BYTES),
        ),
        Bench(
            "the cancel of one of 10,000 orders",
            killed,
            budget=KILL_NS,
            against="a copy of its 12 bytes",
            probe=lambda: copied(12),
        ),
    ]
