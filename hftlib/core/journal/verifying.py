"""Is every byte of a journal what was written? Every CRC, every zero, and the whole chain.

    report = verify("day.journal", head=noted)
    report.is_whole, report.problems, report.head

What each finding means: a CRC that is wrong is an accident; a hash that is wrong while the CRCs
are right is an edit by somebody who knows this page; a `head` that is no longer in the chain is a
journal that was cut short or made anew. Only a head noted elsewhere, or a key, shows the last.
Worst case: it reads all there is, at the speed of hashing, about 1 GB/s.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError
from hftlib.core.journal import kinds
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import ENDS_SEGMENT, PAGE_BYTES, REPAIR_NAME
from hftlib.core.journal.reading import last_kind, unsealed_close
from hftlib.core.journal.scanning import MORE
from hftlib.core.journal.segments import numbers_of, session_of
from hftlib.core.journal.walking import Damage, Walk, after, end_of, is_live

LOOKS = 5
CLOSED, LIVE, CUT_OFF, DAMAGED = "closed", "live", "cut off", "damaged"


@dataclass(slots=True)
class Report:
    """What `verify` found. `sealed` frames are in the chain; later ones have their CRCs only."""

    folder: str
    state: str = CUT_OFF
    segments: int = 0
    blocks: int = 0
    frames: int = 0
    sealed: int = 0
    head: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        told = (
            f"{self.folder}: {self.state}; {self.frames:,} frames in {self.segments:,} segments, "
            f"{self.sealed:,} of them sealed in {self.blocks:,} blocks; head {self.head}"
        )
        return "\n".join([told, *self.problems])


def verify(folder: Path | str, *, head: str = "", key: bytes | None = None) -> Report:
    """Walk over all of a journal. `head` is one noted before: the journal then must begin so."""
    target = Path(folder)
    report = Report(str(target))
    session = session_of(target)
    report.segments = len(numbers_of(target))
    chain = Chain(target, session, key)
    live = is_live(target)
    report.problems += _chain_problems(chain, live)
    report.head, report.sealed, report.blocks = chain.head.hex(), chain.sealed, len(chain.blocks)
    good, damage = first_damage(target, chain, alone=not live)
    if damage:
        report.frames = damage.sequence - 1
        where = f"Block {good}: " if good < len(chain.blocks) else ""
        report.problems.append(f"{where}{damage}.")
    else:
        report.frames = last_frame(target, chain)
        wrong = "" if live else unsealed_close(chain, report.frames)
        report.problems += [f"{wrong}."] if wrong and not report.problems else []
    if (target / REPAIR_NAME).exists():
        report.problems.append("A repair of it was begun and not ended: make it again.")
    report.state = DAMAGED if report.problems else _state(target, live)
    if head and not _is_in(head, chain):
        report.problems.append(
            f"The head {head} is none of this journal's: it was cut short, or made anew."
        )
        report.state = DAMAGED
    return report


def _chain_problems(chain: Chain, live: bool) -> list[str]:
    """Read the chain; a record that is just being written may be seen half, and is read again."""
    told = ""
    for _ in range(LOOKS if live else 1):
        chain.blocks.clear()
        try:
            chain.read()
        except HftError as error:
            told = f"{error.what}, in {error.where}."
            time.sleep(0.01)
        else:
            return []
    return [told]


def last_frame(folder: Path, chain: Chain) -> int:
    """The sequence of the last good frame, where the chain is good."""
    return end_of(folder, chain.session, after(chain))[0].sequence - 1


def first_damage(folder: Path, chain: Chain, alone: bool) -> tuple[int, Damage | None]:
    """How many sealed blocks are as the chain says, and what is wrong first, there or behind."""
    before = chain.root
    try:
        walk = Walk(folder, chain.session, None, alone)
    except HftError as error:
        return 0, Damage(0, PAGE_BYTES, 1, error.what)
    for number, block in enumerate(chain.blocks):
        one = block[0]
        begin, end = int(one["begin"]), int(one["end"])
        what = _wrong(walk, one)
        if what is None:
            found = chain.hash_of(before, walk.segment, begin, end)
            if found == one["hash"].tobytes():
                before = found
                continue
            what = "a block's hash is not that of its bytes, though each CRC is: it was edited"
        if isinstance(what, str):
            at = max(begin, PAGE_BYTES)
            what = Damage(int(one["segment"]), at, int(one["first"]), what)
        return number, what
    while walk.step() == MORE:
        pass
    return len(chain.blocks), walk.damage()


def _wrong(walk: Walk, one: Any) -> Damage | str | None:
    """What is wrong with the frames of a block, over which the walk now goes."""
    frames, end = 0, int(one["end"])
    while True:
        stop = walk.step(full=end)
        frames += len(walk.positions)
        if stop != MORE or walk.at_segment_end or walk.place.position >= end:
            break
    if stop < 0:
        return walk.damage()
    if stop != MORE:
        return walk.missing()
    if walk.segment.number != int(one["segment"]) or walk.place.position != end:
        return "a block's frames do not end where the chain says"
    if walk.at_segment_end != (int(one["sealed"]) == ENDS_SEGMENT):
        return "a segment does not end with the block that the chain says"
    if frames != int(one["frames"]) or walk.place.time_max != int(one["time_max"]):
        return "a block's frames are not those that the chain counted"
    begins = max(int(one["begin"]), PAGE_BYTES)
    if frames and walk.segment.time(begins) != int(one["first_time"]):
        return "a block's first time is not that of the chain"
    return None


def _is_in(head: str, chain: Chain) -> bool:
    heads = [chain.root.hex(), *(block[0]["hash"].tobytes().hex() for block in chain.blocks)]
    return head.strip().lower() in heads


def _state(folder: Path, live: bool) -> str:
    if live:
        return LIVE
    return CLOSED if last_kind(folder) == kinds.CLOSED else CUT_OFF
