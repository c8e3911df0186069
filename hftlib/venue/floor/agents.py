"""A market of our own: traders from a seed, as one session of the exchange's own.

    flow(floor, crowd, now)     all that they do up to now, one command after another

For each symbol a price wanders, and at exponentially distributed times somebody

    puts an order into a slot, some ticks from that price        SLOTS orders stand at most
    takes out the one that is there                              so a book neither ends nor grows
    or takes what the other side shows, at once or never

Orders from when the price was elsewhere are met by the new ones: so the book lives. The same seed
and the same times give the same commands, for nothing here looks at the book.

    CROWD    AGENT × symbols (price, next time, chance, the number in each slot)

Worst case: `flow` does COMMANDS_PER_CALL at once, and goes on with the rest at its next call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.records import field_offset, record
from hftlib.feed.synthetic import chance
from hftlib.venue.floor.memory import COMMAND_AT, command_at, floor_at
from hftlib.venue.floor.obeying import blank_command, obey
from hftlib.venue.matching.records import (
    BUY,
    CANCEL,
    DAY,
    ENTER,
    IOC,
    PLAIN,
    SELL,
    SHOWN,
)

SLOTS = 64
COMMANDS_PER_CALL = 4_096
MOVES_ONE_IN, TAKES_ONE_IN = 8, 10
TICKS_AWAY_MAX, LOT, LOTS_MAX = 24, 100, 9

CROWD = record(
    "floor crowd",
    64,
    """
    0   session   int64  whose orders they are
    8   agents    int64
    16  tables    int64  address of the logarithms
    24  urn       int64  the last number used
    32  commands  int64  ever
    40  firm      int64
    """,
)
AGENT = record(
    "floor agent",
    640,
    """
    0    words  int64[4]   state of its chance
    32   due    int64      when it acts next
    40   every  int64      ns between two acts, on average
    48   price  int64      where it thinks the market is
    56   tick   int64
    64   least  int64      the price never wanders below, or above twice where it began
    72   most   int64
    80   slots  int64[64]  numbers of its orders, 0: none
    """,
)
_FIRST, _AGENT_BYTES = CROWD.itemsize, AGENT.itemsize
_SLOTS_AT = field_offset(AGENT, "slots")
_crowd_at = jit.record_at(CROWD)
_agent_at = jit.record_at(AGENT)


@jit.compiled("int64(int64, int64, int64)")
def flow(floor: int, crowd: int, now: int) -> int:
    """Whatever is due by now, the earliest first: how many commands."""
    c = _crowd_at(crowd)
    done = 0
    while done < COMMANDS_PER_CALL:
        earliest, due = -1, now
        for n in range(c.agents):
            agent = _agent_at(crowd + _FIRST + n * _AGENT_BYTES)
            if agent.due <= due:
                earliest, due = n, agent.due - 1
        if earliest < 0:
            return done
        _act(floor, crowd, earliest)
        done += 1
    return done


@jit.inlined
def _act(floor: int, crowd: int, n: int) -> None:
    """One act of one agent, at its time."""
    c = _crowd_at(crowd)
    address = crowd + _FIRST + n * _AGENT_BYTES
    agent = _agent_at(address)
    blank_command(floor)
    command = command_at(floor + COMMAND_AT)
    command.time = max(agent.due, floor_at(floor).now)
    command.session, command.firm, command.symbol = c.session, c.firm, n
    _wander(address)
    slot = jit.nth(address + _SLOTS_AT, chance.below(address, SLOTS), SLOTS, 8)
    if chance.below(address, TAKES_ONE_IN) == 0:
        _order(address, command, c, IOC)
        command.price = agent.price + (3 if command.side == BUY else -3) * agent.tick
    elif jit.load_i64(slot) != 0:
        command.kind, command.urn = CANCEL, jit.load_i64(slot)
        jit.store_i64(slot, 0)
    else:
        _order(address, command, c, DAY)
        jit.store_i64(slot, c.urn)
    obey(floor)
    c.commands += 1
    agent.due += 1 + (agent.every * chance.waiting(c.tables, address) >> chance.ONE_BITS)


@jit.inlined
def _order(address: int, command: Any, c: Any, lasts: int) -> None:
    """A new order of a side, some ticks from the price."""
    agent = _agent_at(address)
    c.urn += 1
    command.kind, command.urn = ENTER, c.urn
    command.side = BUY + chance.below(address, 2)
    away = chance.heavy(address, TICKS_AWAY_MAX) * agent.tick
    command.price = agent.price + (away if command.side == SELL else -away)
    command.quantity = LOT * chance.heavy(address, LOTS_MAX)
    command.style, command.lasts, command.shows = PLAIN, lasts, SHOWN


@jit.inlined
def _wander(address: int) -> None:
    agent = _agent_at(address)
    if chance.below(address, MOVES_ONE_IN) == 0:
        step = agent.tick if chance.below(address, 2) == 0 else -agent.tick
        agent.price = min(max(agent.price + step, agent.least), agent.most)


def crowd_memory(
    session: int,
    firm: int,
    prices: list[int],
    ticks: list[int],
    rate_per_second: float,
    seed: int,
    begin: int,
) -> np.ndarray[Any, Any]:
    """CROWD and one AGENT for each symbol, who begin to act at this time."""
    size = CROWD.itemsize + len(prices) * AGENT.itemsize
    memory = np.zeros(size // 8, np.int64).view(np.uint8)
    crowd = memory[: CROWD.itemsize].view(CROWD)
    crowd["session"], crowd["firm"], crowd["agents"] = session, firm, len(prices)
    crowd["tables"] = chance.tables().ctypes.data
    agents = memory[CROWD.itemsize :].view(AGENT)
    for row, (price, tick) in enumerate(zip(prices, ticks, strict=True)):
        agents["words"][row] = chance.seeded("floor agent", seed, row)
        agents["price"][row], agents["tick"][row] = price, tick
        agents["least"][row] = max(price // 2, (TICKS_AWAY_MAX + 1) * tick) // tick * tick
        agents["most"][row] = 2 * price
    agents["due"], agents["every"] = begin, round(1e9 / rate_per_second)
    return memory
