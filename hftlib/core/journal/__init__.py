"""The journal: every event in and every command out, in the order they happened, for ever.

    writing.py    Journal: create, carry on, append, sync, close
    appending.py  `append`, the compiled function of the tick path
    sealing.py    the helper thread: segments ahead, syncs, the hash chain
    reading.py    frames of a journal, and the tail of one that is being written
    verifying.py  every CRC and the whole chain
    repairing.py  cut off a torn end, and keep it
    copying.py    a standby's end: the same bytes in another process
    replicating.py  what a standby has, told to the journal; whether a copy is one of it
    layout.py     how it lies on disk, drawn

What it is for, what each durability promises and what it cannot: `docs/journal.md`.
"""

from hftlib.core.journal.appending import FAILED, NO_ROOM, TOO_LONG, append, is_durable, last_words
from hftlib.core.journal.kinds import KINDS, Kind
from hftlib.core.journal.reading import Frame, frames, tail
from hftlib.core.journal.repairing import Repair, repair
from hftlib.core.journal.verifying import Report, verify
from hftlib.core.journal.writing import Journal

__all__ = [
    "FAILED",
    "KINDS",
    "NO_ROOM",
    "TOO_LONG",
    "Frame",
    "Journal",
    "Kind",
    "Repair",
    "Report",
    "append",
    "frames",
    "is_durable",
    "last_words",
    "repair",
    "tail",
    "verify",
]
