"""Cut off the damaged end of a journal, keep what is cut, and say so in the journal itself.

    cut      from the first frame that is none, or from a block that was edited, to the end
    kept     000003.at-8192.damaged   the rest of the segment; 000004.segment.damaged   later ones
             chain.damaged            the chain as it was, where records of it go
    said     a frame REPAIRED: what was cut, why, and the files that keep it; then CLOSED

Nobody repairs in passing: who goes on with a damaged journal is sent here. Frames that were sealed
go only where that is allowed by name, for a sealed block that is damaged is no torn end: a disk has
failed, a host lost power in mode `process`, or somebody edited it.

What is kept is on the disk before anything is cut. A repair that is itself cut off is made again:
until it has said what it did, a file `repair` is there, with which no journal is carried on.
Worst case: it verifies the whole journal first, at some 1 GB/s.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from hftlib.core.errors import HftError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.chain import Chain, room_for
from hftlib.core.journal.layout import PAGE_BYTES, REPAIR_NAME
from hftlib.core.journal.opening import Held, claimed
from hftlib.core.journal.reading import unsealed_close
from hftlib.core.journal.scanning import last_not_zero
from hftlib.core.journal.segments import (
    Segment,
    Session,
    no_room,
    numbers_of,
    place,
    session_of,
    sync_folder,
)
from hftlib.core.journal.verifying import first_damage, last_frame
from hftlib.core.journal.walking import Damage
from hftlib.core.journal.writing import Journal

PLACES_MAX = 1000
_SAID = ("wrong", "kept", "cut_bytes", "unsealed_blocks")
_NOTED = ("wrong", "unsealed_blocks", "before")


@dataclass(slots=True)
class Repair:
    """What was wrong, what went, and where it is kept."""

    folder: str
    wrong: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    cut_bytes: int = 0
    unsealed_blocks: int = 0
    last_frame: int = 0
    before: list[str] = field(default_factory=list)
    """What earlier repairs have kept."""

    def __str__(self) -> str:
        if not self.wrong:
            return f"{self.folder}: nothing is wrong with it, nothing was done."
        told = (
            f"{self.folder}: it goes on after frame {self.last_frame:,}; {self.cut_bytes:,} bytes "
            f"were cut off and {self.unsealed_blocks:,} sealed blocks with them."
        )
        return "\n".join([told, *self.wrong, *(f"kept: {name}" for name in self.kept)])


def repair(
    folder: Path | str,
    *,
    sealed_too: bool = False,
    key: bytes | None = None,
    time: int | None = None,
) -> Repair:
    """Make a journal one that can be carried on. Refuses to cut sealed blocks unless told to."""
    target = Path(folder)
    session = session_of(target)
    held = claimed(target)
    made = _begun(target)
    try:
        chain = Chain(target, session, key)
        torn = _read(chain)
        if torn:
            made.wrong.append(torn)
        total, earlier = len(chain.blocks) + bool(torn), made.unsealed_blocks
        good, damage = first_damage(target, chain, alone=True)
        while damage is not None:
            made.wrong.append(f"{damage}.")
            good = _blocks_before(chain, damage, good)
            _require_allowed(target, made, total - good, sealed_too)
            _note(target, made)
            cut(target, session, damage)
            del chain.blocks[good:]
            good, damage = first_damage(target, chain, alone=True)
        gone = total - len(chain.blocks)
        _require_allowed(target, made, gone, sealed_too)
        made.unsealed_blocks = max(gone, earlier)
        if gone:
            _note(target, made)
            _write_chain(chain)
        if not made.wrong and (wrong := unsealed_close(chain, last_frame(target, chain))):
            made.wrong.append(f"{wrong}.")
        if made.wrong:
            made.kept = [name for name in _kept_in(target) if name not in made.before]
            sizes = ((target / name).stat().st_size for name in made.kept if name[0] != "c")
            made.cut_bytes = sum(sizes)
            _note(target, made)
            made.last_frame = _say(held, chain, made, time)
            (target / REPAIR_NAME).unlink()
        else:
            held[1].let_go()
    except OSError as error:
        held[1].let_go()
        raise no_room(target, error) from None
    except BaseException:
        held[1].let_go()
        raise
    return made


def _begun(folder: Path) -> Repair:
    """What a repair that was cut off has done already."""
    made = Repair(str(folder), before=_kept_in(folder))
    with suppress(OSError, ValueError, TypeError):
        told = json.loads((folder / REPAIR_NAME).read_text())
        made = replace(made, **{name: told[name] for name in told if name in _NOTED})
    return made


def _kept_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.damaged*"))


def _note(folder: Path, made: Repair) -> None:
    """Keep what is done so far, for a repair that has to go on with it."""
    part = folder / f"{REPAIR_NAME}.part"
    part.write_text(json.dumps({name: getattr(made, name) for name in _NOTED}))
    _synced(part)
    part.replace(folder / REPAIR_NAME)
    sync_folder(folder)


def _read(chain: Chain) -> str:
    """Read the chain up to its first damaged record, and say what is wrong with that one."""
    try:
        chain.read()
    except HftError as error:
        return f"{error.what}, in {error.where}."
    return ""


def _blocks_before(chain: Chain, damage: Damage, good: int) -> int:
    """How many sealed blocks stay when this is cut."""
    if not damage.cuts:
        return len(chain.blocks)
    cut = damage.segment, damage.position
    ends = [(int(block[0]["segment"]), int(block[0]["end"])) for block in chain.blocks[:good]]
    return sum(end <= cut for end in ends)


def _require_allowed(folder: Path, made: Repair, blocks: int, sealed_too: bool) -> None:
    if blocks and not sealed_too:
        raise StateError(
            f"This is more than a torn end, {blocks:,} sealed blocks would go: {made.wrong[-1]}",
            where=str(folder),
            do="Take the journal from its copy; or allow it: `hft journal repair --sealed-too`, "
            "repair(folder, sealed_too=True). What goes is kept beside it.",
        )


def cut(folder: Path, session: Session, damage: Damage) -> None:
    """Keep what is behind the damage, then make it zeros."""
    segment = Segment(place(folder, damage.segment), damage.segment, session, writable=True)
    size = session.segment_bytes
    try:
        end = last_not_zero(segment.address, damage.position, size)
        if end > damage.position:
            name = f"{segment.path.stem}.at-{damage.position}.damaged"
            _keep(folder / name, bytes(segment.view(damage.position, end)))
        if damage.cuts:
            _take_away(folder, session, damage.segment)
        segment.clear(damage.position, size)
        segment.sync()
    finally:
        segment.let_go()
    sync_folder(folder)


def _take_away(folder: Path, session: Session, last: int) -> None:
    """Segments behind the last one: kept under another name, unless nothing is in them."""
    for number in [n for n in numbers_of(folder) if n > last]:
        path = place(folder, number)
        if _is_empty(path, number, session):
            path.unlink()
            continue
        kept = _free(folder / f"{path.name}.damaged")
        path.rename(kept)


def _is_empty(path: Path, number: int, session: Session) -> bool:
    try:
        segment = Segment(path, number, session)
    except HftError:
        return False
    return last_not_zero(segment.address, PAGE_BYTES, session.segment_bytes) == PAGE_BYTES


def _write_chain(chain: Chain) -> None:
    """The chain with its good records only; as it was, it is kept."""
    kept = _free(chain.path.with_name("chain.damaged"))
    shutil.copyfile(chain.path, kept)
    part = chain.path.with_suffix(".part")
    good = b"".join(block.tobytes() for block in chain.blocks)
    room = room_for(chain.session, len(numbers_of(chain.path.parent)))
    part.write_bytes(good + bytes(max(0, room - len(good))))
    for path in (kept, part):
        _synced(path)
    part.replace(chain.path)
    sync_folder(chain.path.parent)


def _keep(path: Path, data: bytes) -> None:
    kept = _free(path)
    kept.write_bytes(data)
    _synced(kept)


def _free(path: Path) -> Path:
    """A name that nothing has yet."""
    names = (path.with_name(f"{path.name}.{number}") for number in range(2, PLACES_MAX))
    return next(name for name in (path, *names) if not name.exists())


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _say(held: Held, chain: Chain, made: Repair, time: int | None) -> int:
    """Go on with the journal, for as long as it takes to say what was done to it."""
    about = {name: getattr(made, name) for name in _SAID}
    with Journal._gone_on(held, chain, kinds.REPAIRED, about, time) as journal:
        last = journal.sequence - 1
        journal.close(time=time)
    return last
