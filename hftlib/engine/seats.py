"""Seats: the part of a session's memory that belongs to one strategy, and the way from one to all.

    seat 0 ── next_seat ──▶ seat 1 ── next_seat ──▶ seat 2     0 at the last
       ▲─────── first_seat ────┘───────────────────────┘

Whatever takes `base` takes the header of a seat. What concerns everybody, such as time or a state
of risk, goes along the seats in the order in which the strategies were given, always from the
first: so what comes of it does not hang on who caused it.

Worst case: a walk along all seats, STRATEGIES_MAX of them, some ns each. A session of one strategy
asks whether it is alone, and walks nowhere.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.numbers import whose
from hftlib.engine.memory import (
    FOREVER,
    RUNNING,
    context_address,
    context_at,
    execution_base,
    session_at,
)
from hftlib.execution.memory import execution_at
from hftlib.execution.parents import parents_of


@jit.inlined
def is_alone(base: int) -> bool:
    """Whether the session has one strategy."""
    session = session_at(base)
    return session.next_seat == 0 and session.first_seat == 0


@jit.inlined
def first_of(base: int) -> int:
    """The first seat, from any."""
    return base + session_at(base).first_seat


@jit.inlined
def after(base: int) -> int:
    """The seat behind this one; 0 behind the last."""
    step = session_at(base).next_seat
    return base + step if step != 0 else 0


@jit.compiled()
def seat_of(base: int, number: int) -> int:
    """The seat whose order this is; a number that is nobody's is left to the first to wonder at."""
    seat = first_of(base)
    if number > 0:
        for _ in range(whose(number)):
            step = session_at(seat).next_seat
            if step == 0:
                return first_of(base)
            seat += step
    return seat


@jit.compiled()
def soonest(base: int) -> int:
    """When the earliest alarm of all is due; FOREVER without any."""
    seat, due = first_of(base), FOREVER
    while seat != 0:
        due = min(due, session_at(seat).next_timer)
        seat = after(seat)
    return due


@jit.compiled()
def seat_of_alarm(base: int) -> int:
    """Whose alarm is the earliest; at equal times the first's."""
    seat = found = first_of(base)
    while seat != 0:
        if session_at(seat).next_timer < session_at(found).next_timer:
            found = seat
        seat = after(seat)
    return found


@jit.compiled()
def anybody_eager(base: int) -> bool:
    """Whether some strategy is shown each event."""
    seat = first_of(base)
    while seat != 0:
        if session_at(seat).eager != 0:
            return True
        seat = after(seat)
    return False


@jit.inlined
def has_stopped(base: int) -> bool:
    """Whether a strategy will not go on, and nobody has dealt with that yet."""
    stopped = context_at(context_address(base)).stopped != RUNNING
    return stopped and session_at(base).over == 0


@jit.compiled()
def somebody_stopped(base: int) -> bool:
    seat = first_of(base)
    while seat != 0:
        if has_stopped(seat):
            return True
        seat = after(seat)
    return False


@jit.compiled()
def somebody_waits(base: int) -> bool:
    """Whether commands wait to be taken away, or a strategy has stopped."""
    seat = first_of(base)
    while seat != 0:
        if execution_at(execution_base(seat)).commands != 0 or has_stopped(seat):
            return True
        seat = after(seat)
    return False


@jit.compiled()
def leave(base: int) -> None:
    """A strategy runs no longer: nothing wakes it, and it is shown no more than risk asks for."""
    session = session_at(base)
    session.timers_used, session.next_timer = 0, FOREVER
    parents_of(execution_base(base)).next = FOREVER
    if session.watching == 0 and not is_alone(base):
        session.eager = 0


@jit.compiled("int64(int64)")
def open_orders(base: int) -> int:
    """How many orders of all strategies are open."""
    seat, count = first_of(base), 0
    while seat != 0:
        count += execution_at(execution_base(seat)).open_orders
        seat = after(seat)
    return count
