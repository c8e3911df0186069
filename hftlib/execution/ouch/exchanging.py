"""One turn of a gateway on its socket, compiled: read, hear, resume, send what may be sent.

    exchange(gateway, client, descriptor, now, received) -> what the driver must do

`now` is a monotonic time for patience and pace, `received` the time that reports bear. What is to
be done is 0, nothing more, or one of the session's tells (dial, hang up), or CROWDED: take the
reports away and come again.

Worst case: half of the reports' room is heard before it returns.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.soup import client as session
from hftlib.core.soup import memory as soup
from hftlib.core.soup import pipes, sockets
from hftlib.core.soup.changes import IN, OUT, client_at
from hftlib.execution.ouch.asking import push
from hftlib.execution.ouch.hearing import hear
from hftlib.execution.ouch.memory import gateway_at, is_crowded
from hftlib.execution.ouch.resuming import answered, opened, shut, wait_for_answer

CROWDED = 100


@jit.compiled()
def listen(base: int, client: int, now: int, received: int) -> int:
    """All that the session has to tell: 0, or what the driver must do."""
    c = client_at(client)
    while True:
        if is_crowded(base):
            return CROWDED
        kind = session.following(client)
        if kind == soup.OUT_MESSAGE:
            if hear(base, c.address, c.length, c.number, received) != 0:
                answered(base, client, now)
        elif kind == soup.OUT_LIVE or kind == soup.OUT_SESSION:
            is_other = 1 if kind == soup.OUT_SESSION else 0
            opened(base, client, c.skipped, is_other, now)
        elif kind == soup.OUT_DOWN or kind == soup.OUT_OVER:
            shut(base)
            return kind
        elif kind != soup.OUT_DEBUG:
            return kind


@jit.compiled("int64(int64, int64, int64)")
def flush(client: int, descriptor: int, now: int) -> int:
    """Hand what the session has to say to the kernel: 0, or BROKEN."""
    while pipes.held(client + OUT) > 0:
        gone = sockets.give(client + OUT, descriptor)
        if gone == sockets.BROKEN:
            session.failed(client, soup.BROKE, now)
            return sockets.BROKEN
        if gone <= 0:
            return 0
        session.sent(client, gone, now)
    return 0


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def exchange(base: int, client: int, descriptor: int, now: int, received: int) -> int:
    """One turn; with a descriptor of -1 others carry the bytes."""
    gateway_at(base).time = received
    session.tick(client, now)
    while True:
        told = listen(base, client, now, received)
        if told != 0:
            return told
        if descriptor < 0:
            break
        got = sockets.take(client + IN, descriptor)
        if got == sockets.NOTHING or got == sockets.FULL:
            break
        if got == sockets.BROKEN:
            session.failed(client, soup.BROKE, now)
        else:
            session.received(client, got, now)
    wait_for_answer(base, now)
    push(base, client, now)
    if descriptor >= 0:
        flush(client, descriptor, now)
    return listen(base, client, now, received)
