"""Mode `replicated`: what a standby has, told to the journal, and whether a copy is one of it.

    tells = Replication(journal)
    tells.acknowledge(sequence)       the standby has all up to there: `is_durable` says so
    tells.turn_to("power")            until the standby is back, and then "replicated" again
    tells.give_up("the standby ...")  nothing is appended any more, so nothing leaves

    standing = standing_of(folder, chain, place)    where a copy ends, and what it is up to there
    difference(folder, standing)                    "" where a journal begins with the same bytes

A standing names the sealed blocks with the hash of the last, and a hash of the bytes behind them.
So two journals that agree in it are the same up to there, byte for byte, headers and all.

Worst case: the hash of what is not sealed yet, a block or the few more that sealing is behind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from hftlib.core.errors import HftError
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import DURABILITIES, PROCESS, REPLICATED, STANDBY
from hftlib.core.journal.segments import Segment, Session, place, session_of
from hftlib.core.journal.walking import Place, Walk
from hftlib.core.journal.writing import Journal

SEALS_S = 2.0  # a journal may seal a block that its copy has sealed already
_LOOK_S = 0.005
_PERSON = b"hft standing"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a copy ends, and what it is up to there."""

    sequence: int
    segment: int
    position: int
    blocks: int
    head: str
    rest: str

    @property
    def place(self) -> Place:
        """The frame that comes next."""
        return Place(self.segment, self.position, self.sequence + 1)


class Replication:
    """What moves `durable` of a journal that a standby follows; one thread beside the appender."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._record, self._helper = journal, journal._record, journal._helper
        self.acknowledged = 0

    @property
    def sequence(self) -> int:
        """Of the last frame."""
        return int(self._record["sequence"])

    @property
    def durability(self) -> str:
        """What holds now."""
        now = int(self._record["mode"])
        return next(name for name, mode in DURABILITIES.items() if mode == now)

    def acknowledge(self, sequence: int) -> None:
        """The standby has all frames up to this one."""
        self.acknowledged = sequence
        if self._record["mode"] == REPLICATED:
            self._record["durable"] = sequence

    def turn_to(self, durability: str) -> None:
        """Another mode from now on. What was durable may wait again, and never the other way."""
        mode, syncer = DURABILITIES[durability], self._helper.syncer
        if mode == self._record["mode"]:
            return
        if mode == REPLICATED:
            self._record["durable"] = self.acknowledged
            self._record["mode"] = mode
            syncer.stop()
            self._record["durable"] = self.acknowledged  # whatever a last sync said of it
            return
        self._record["durable"] = max(self.acknowledged, syncer.synced)
        self._record["mode"] = mode
        if mode != PROCESS:
            syncer.start(self._helper.tell)

    def give_up(self, why: str) -> None:
        """Nothing is appended any more: who cannot prove what it does must not trade."""
        if self._record["failure"] == 0:
            self._helper.fail(STANDBY, why)
            self._helper.tell()


def standing_of(folder: Path, chain: Chain, at: Place) -> Standing:
    """Of a journal up to this place; nobody may be sealing it meanwhile."""
    rest = _rest(folder, chain.session, chain.place, at)
    last = at.sequence - 1
    return Standing(last, at.segment, at.position, len(chain.blocks), chain.head.hex(), rest)


def difference(folder: Path, standing: Standing, last: int) -> str:
    """How a copy differs from this journal, whose last frame is `last`; "" where it does not."""
    if standing.sequence > last:
        return f"it has {standing.sequence:,} frames, and the journal {last:,}"
    chain = _sealed(folder, standing.blocks)
    if chain is None:
        return f"it has {standing.blocks:,} sealed blocks, and the journal fewer"
    if chain.head.hex() != standing.head:
        return f"its first {standing.blocks:,} blocks are others than the journal's"
    where = standing.segment, standing.position
    if not chain.place <= where or standing.position > chain.session.segment_bytes:
        return "it ends where no frame of the journal does"
    try:
        Walk(folder, chain.session, standing.place)
        rest = _rest(folder, chain.session, chain.place, standing.place)
    except HftError as error:
        return f"it ends where the journal cannot be read: {error.what}"
    return "" if rest == standing.rest else "its last frames are others than the journal's"


def _sealed(folder: Path, blocks: int) -> Chain | None:
    """The chain up to so many blocks; None where they are not there in time."""
    until = time.monotonic() + SEALS_S
    while True:
        chain = Chain.index(folder, session_of(folder))
        if len(chain.blocks) >= blocks:
            del chain.blocks[blocks:]
            return chain
        if time.monotonic() > until:
            return None
        time.sleep(_LOOK_S)


def _rest(folder: Path, session: Session, begin: tuple[int, int], end: Place) -> str:
    """The hash of the bytes from there to there; of a segment that is left, to its very end."""
    made = blake2b(digest_size=32, person=_PERSON)
    number, at = begin
    while (number, at) < (end.segment, end.position):
        segment = Segment(place(folder, number), number, session)
        stop = end.position if number == end.segment else session.segment_bytes
        made.update(number.to_bytes(8, "little") + at.to_bytes(8, "little"))
        made.update(segment.view(at, stop))
        number, at = number + 1, 0
    return made.hexdigest()
