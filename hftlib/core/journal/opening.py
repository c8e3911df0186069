"""What must hold before a journal is written: arguments, the claim on it, and its last block.

Worst case: the hash of one block, a megabyte, when a journal is carried on.
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hftlib.core import claim, clock
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal.chain import Chain, checked_key, room_for
from hftlib.core.journal.layout import (
    CHAIN_NAME,
    DURABILITIES,
    PAGE_BYTES,
    REPAIR_NAME,
    REPLICATED,
    SEGMENT_BYTES_MAX,
    SEGMENT_BYTES_MIN,
    WRITER_NAME,
)
from hftlib.core.journal.reading import unsealed_close
from hftlib.core.journal.segments import Segment, Session, make, no_room, place, sync_folder
from hftlib.core.journal.walking import Damage, Place, after, end_of, remedy
from hftlib.core.units import is_whole, shown

Held = tuple[mmap.mmap, claim.Claim]


def number_of_durability(durability: str, followed: bool = False) -> int:
    """The number of a mode; one that is none, or that nobody can keep here, is refused.

    `followed`: somebody tells the journal what its standby has (`replicating.py`).
    """
    if durability not in DURABILITIES:
        raise _refused(
            f"There is no durability {shown(durability)}",
            f"Use one of: {', '.join(DURABILITIES)}.",
        )
    mode = DURABILITIES[durability]
    if mode == REPLICATED and not followed:
        raise _refused(
            "A journal is replicated where a standby follows it, and none does here",
            "Name one: `hft live --durability replicated --standby HOST:PORT`; or use 'power'.",
        )
    return mode


def new_session(
    durability: str,
    segment_bytes: int,
    block_bytes: int,
    key: bytes | None,
    target: Path,
    followed: bool = False,
) -> Session:
    """What all segments of a new journal will say."""
    mode = number_of_durability(durability, followed)
    least, most = SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX
    if not is_whole(segment_bytes) or segment_bytes % PAGE_BYTES:
        raise _refused(f"A segment cannot have {shown(segment_bytes)} bytes", "Give whole pages.")
    if not least <= segment_bytes <= most:
        do = f"Give from {least:,} to {most:,} bytes."
        raise _refused(f"A segment cannot have {segment_bytes:,} bytes", do)
    if not is_whole(block_bytes) or not PAGE_BYTES <= block_bytes <= most:
        do = f"Give from {PAGE_BYTES:,} to {most:,} bytes."
        raise _refused(f"A block cannot have {shown(block_bytes)} bytes", do)
    identity, now = secrets.token_bytes(16), clock.now_ns()
    made = Session(identity, int(segment_bytes), int(block_bytes), mode, int(bool(key)), now)
    checked_key(made, key, target)
    return made


def folder_made(target: Path, session: Session) -> tuple[Segment, Held]:
    """The folder of a new journal with its first files, claimed."""
    try:
        target.mkdir(mode=0o700)
        sync_folder(target.parent)
    except FileExistsError:
        raise StateError(
            "There is something already",
            where=str(target),
            do="Go on with it by Journal.carry_on(folder), or give another name.",
        ) from None
    except OSError as error:
        raise no_room(target, error) from None
    try:
        held = claimed(target)
        return _first_files(target, session), held
    except (OSError, HftError) as error:
        shutil.rmtree(target, ignore_errors=True)  # what was begun is nobody's journal
        raise no_room(target, error) if isinstance(error, OSError) else error from None


def claimed(folder: Path) -> Held:
    """The file `writer`, mapped, and the claim to write this journal."""
    path = folder / WRITER_NAME
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise no_room(path, error) from None
    try:
        os.posix_fallocate(descriptor, 0, PAGE_BYTES)
        memory = mmap.mmap(descriptor, PAGE_BYTES, access=mmap.ACCESS_WRITE)
        return memory, claim.Claim(descriptor, path, memory, "journal")
    except OSError as error:
        raise no_room(path, error) from None
    finally:
        os.close(descriptor)


def _first_files(folder: Path, session: Session) -> Segment:
    """The chain and the first segment of a new journal; OSError where there is no room."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(folder / CHAIN_NAME, flags, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, room_for(session, 1))
    finally:
        os.close(descriptor)
    return make(folder, 0, session)


def ends(chain: Chain, repaired: bool) -> tuple[Place, Place]:
    """Where the chain of a journal ends, and where its frames do; refused where it is damaged.

    All segments are looked at, that they are there and of this journal, and all bytes behind the
    chain's last block but one. What was sealed before is for `verify`.
    """
    folder, sealed = chain.path.parent, after(chain)
    for number in range(sealed.segment):
        Segment(place(folder, number), number, chain.session)
    end, torn = end_of(folder, chain.session, sealed, alone=True)
    wrong = str(torn or _last_block_damage(folder, chain) or "")
    if not repaired and (folder / REPAIR_NAME).exists():
        wrong = "a repair of it was begun and not ended"
    wrong = wrong or ("" if repaired else unsealed_close(chain, end.sequence - 1))
    if wrong:
        what = f"The journal does not end as it should: {wrong}"
        raise StateError(what, where=str(folder), do=remedy(folder))
    return sealed, end


def _last_block_damage(folder: Path, chain: Chain) -> Damage | None:
    """What is wrong with the last sealed block, if its bytes have another hash than the chain."""
    if not chain.blocks:
        return None
    last = chain.blocks[-1][0]
    number, begin, end = (int(last[name]) for name in ("segment", "begin", "end"))
    before = chain.blocks[-2][0]["hash"].tobytes() if len(chain.blocks) > 1 else chain.root
    what = "the last sealed block has another hash than the chain says"
    try:
        segment = Segment(place(folder, number), number, chain.session)
        if chain.hash_of(before, segment, begin, end) == last["hash"].tobytes():
            return None
    except HftError as error:
        what = error.what
    return Damage(number, begin, int(last["first"]), what)


def as_json(about: Mapping[str, Any], where: str) -> bytes:
    """What a journal says of itself, as the payload of a frame."""
    try:
        text = json.dumps(dict(about), ensure_ascii=False, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"What is said of a journal is JSON, and this is not: {error}",
            where=where,
            do="Give a mapping of names to texts, numbers, lists and mappings.",
        ) from None
    return text.encode()


def _refused(what: str, do: str) -> InputError:
    return InputError(what, where="Journal.create(...)", do=do)
