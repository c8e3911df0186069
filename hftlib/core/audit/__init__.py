"""Who looked and who acted: an append-only log whose lines each hold the digest of the one before.

    log = AuditLog(path)
    log.append(who="ann", did="act", what="halt firm", why="odd fills", outcome="done")
    for line in read_audit(path): ...        every line, held against the chain as it is read

    line.py       one line: what stands in it, how it is written, its digest
    file.py       the file: only a plain one that nobody else may write, its lock, a torn end
    writing.py    a line is added, on the disk before it counts
    reading.py    all lines verified; an anchor noted before; where the log of this user is

Worst case: whoever may write the file may cut its end off, or write the whole anew; a copy
elsewhere, or the digest of its last line noted elsewhere, shows that.
"""

from hftlib.core.audit.line import Line
from hftlib.core.audit.reading import Verified, audit_place, lines_of, read_audit, verified
from hftlib.core.audit.writing import AuditLog, mend

__all__ = [
    "AuditLog",
    "Line",
    "Verified",
    "audit_place",
    "lines_of",
    "mend",
    "read_audit",
    "verified",
]
