"""What a frame can be: every kind of a journal, with its number, its direction and what it holds.

The numbers are for ever: a journal of years ago is read by them. One is only ever added, at the
end of its row, and a kind that is not known is still a whole frame that can be read and shown.

    own   1...   the journal's own words: opened, carried on, repaired, closed, notes, digests
    in   16...   what came from outside and can change a decision
    out  48...   what went outside

Direction is seen from the process that writes: an exchange hears orders, a trader says them. So
what is a command to one and from the other has two kinds, COMMAND and ORDER.
Worst case: 65,535 kinds, as a frame has 16 bits for them.
"""

from __future__ import annotations

from dataclasses import dataclass

OPENED, CARRIED_ON, REPAIRED, CLOSED, NOTE, DIGEST, CLOCK = range(1, 8)
DATAGRAM, SESSION_IN, EVENT, REPORT, TIMER, DIRECTIVE, ORDER, CONTROL, CONNECTED = range(16, 25)
SESSION_OUT, COMMAND, ANSWER, DATAGRAM_OUT, SHADOW = range(48, 53)
NUMBER_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of frame. `record` names the drawn record it holds, where it holds one."""

    number: int
    name: str
    direction: str
    holds: str
    record: str = ""


_TABLE = (
    (OPENED, "OPENED", "own", "JSON: what was opened, by whom, of which digests and versions"),
    (CARRIED_ON, "CARRIED_ON", "own", "JSON: a process went on with the journal, after which end"),
    (REPAIRED, "REPAIRED", "own", "JSON: what a repair cut off, and the file that keeps it"),
    (CLOSED, "CLOSED", "own", "JSON: the journal was closed, whole"),
    (NOTE, "NOTE", "own", "text, UTF-8"),
    (DIGEST, "DIGEST", "own", "digest of all state after the frame before this one"),
    (CLOCK, "CLOCK", "own", "how the host's clock stands beside the journal's time", "clock look"),
    (DATAGRAM, "DATAGRAM", "in", "a datagram's bytes, as received"),
    (SESSION_IN, "SESSION_IN", "in", "bytes of a session's stream, as received"),
    (EVENT, "EVENT", "in", "an event that no wire brought", "event"),
    (REPORT, "REPORT", "in", "a venue's report", "event"),
    (TIMER, "TIMER", "in", "a timer that went off: its number, int64"),
    (DIRECTIVE, "DIRECTIVE", "in", "what a person or a watch ordered"),
    (ORDER, "ORDER", "in", "what an engine was told, at a venue"),
    (CONTROL, "CONTROL", "in", "what an operator told the process, JSON"),
    (CONNECTED, "CONNECTED", "in", "a session came or went, JSON"),
    (SESSION_OUT, "SESSION_OUT", "out", "bytes of a session's stream, as sent"),
    (COMMAND, "COMMAND", "out", "a command to a venue", "command"),
    (ANSWER, "ANSWER", "out", "what an engine answered, at a venue"),
    (DATAGRAM_OUT, "DATAGRAM_OUT", "out", "a datagram's bytes, as sent"),
    (SHADOW, "SHADOW", "out", "commands that were not sent, and what a venue's model answered"),
)
KINDS = {row[0]: Kind(*row) for row in _TABLE}
BY_NAME = {kind.name: kind for kind in KINDS.values()}


def name_of(number: int) -> str:
    """Its name, or its number where this version knows none."""
    kind = KINDS.get(number)
    return kind.name if kind else f"KIND_{number}"
