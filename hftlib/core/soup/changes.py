"""How a client's session changes state: through one door, with a reason, the last ones kept.

Worst case: CHANGES_KEPT changes are remembered, older ones are only counted.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.core.soup import memory as m
from hftlib.core.soup import pipes

client_at = jit.record_at(m.CLIENT)
_change_at = jit.record_at(m.CHANGE)
IN, OUT = field_offset(m.CLIENT, "incoming"), field_offset(m.CLIENT, "outgoing")
_LOG, _CHANGE_BYTES = field_offset(m.CLIENT, "log"), m.CHANGE.itemsize


@jit.compiled()
def fall(client: int, reason: int) -> None:
    """The connection is no more; dial again later. One that was leaving is over."""
    c = client_at(client)
    if c.state == m.LEAVING:
        end(client, reason)
        return
    c.falls += 1
    c.dial_at = c.now + c.backoff_ns
    c.backoff_ns = min(2 * c.backoff_ns, c.backoff_ns_max)
    _cut(client, m.DOWN, reason, m.OUT_DOWN)


@jit.compiled()
def end(client: int, reason: int) -> None:
    _cut(client, m.OVER, reason, m.OUT_OVER)


@jit.compiled()
def _cut(client: int, state: int, reason: int, kind: int) -> None:
    pipes.empty(client + IN)
    pipes.wipe(pipes.first(client + OUT), pipes.held(client + OUT))  # perhaps a password
    pipes.empty(client + OUT)
    become(client, state, reason)
    client_at(client).tell = kind


@jit.compiled()
def become(client: int, state: int, reason: int) -> None:
    """The one door from state to state; the last changes are kept."""
    c = client_at(client)
    kept = client + _LOG + c.changes % m.CHANGES_KEPT * _CHANGE_BYTES
    change = _change_at(kept)
    change.at, change.state, change.reason = c.now, state, reason
    c.changes += 1
    c.state, c.reason, c.since = state, reason, c.now
