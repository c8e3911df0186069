"""A runner's memory in a file beside its journal, so that a restart need not read the whole day.

    path = keep(way, walk)             as it stands behind the frames that were walked over
    place, told = take_up(way, folder) the newest that fits, in memory again, and where it goes on

    FOLDER/snapshots/000000123456.snapshot       the number of the last frame in it
      ┌───────┬────────┬──────────────┬──────────────────────────────┬─────────┐
      │ magic │ length │ head as JSON │ of each piece: runs, pages   │ SHA-256 │
      └───────┴────────┴──────────────┴──────────────────────────────┴─────────┘

Only pages that are not zeros are kept: most of a runner's memory is room. A snapshot says which
journal it is of, how far and with which hash that was sealed, the last frame in it, and which code
made it. One that is not of this journal, of these bytes, of frames that a repair has cut off, or of
other code is passed over with a sentence: the next older one, or the whole day, does as well, and a
wrong memory never does.

Addresses hold in one process: `Live.join` and `Session.connect` write them in again.
Worst case: as many bytes as the memory has, read once and hashed once.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import HftError, InputError
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import FRAME_BYTES
from hftlib.core.journal.segments import no_room, session_of, sync_folder
from hftlib.core.journal.segments import place as segment_place
from hftlib.core.journal.walking import Place, Walk
from hftlib.engine.live.laying import Live
from hftlib.engine.live.way import Way

MAGIC = b"HFTSNAP1"
FOLDER, ENDING = "snapshots", ".snapshot"
PAGE_BYTES = 4096
KEPT_FILES = 3
_AT_ONCE = 1 << 12  # pages that are looked at together
_HEAD_AT = 16
_DIGEST_BYTES = 32


def keep(way: Way, walk: Walk) -> Path:
    """Write it, whole or not at all; older ones than the last few go."""
    folder, place = walk.folder, walk.place
    chain = Chain.index(folder, walk.session)
    pieces = way.live.pieces()
    head = {
        "journal": walk.session.identity.hex(),
        "code": code(),
        "place": asdict(place),
        "sealed": len(chain.blocks),
        "head": chain.head.hex() if chain.blocks else "",
        "last": _last_frame(way, walk),
        "counts": way.counts,
        "pieces": {name: len(piece) for name, piece in pieces.items()},
    }
    target = folder / FOLDER / f"{place.sequence - 1:012d}{ENDING}"
    part = target.with_suffix(".part")
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        _write(part, json.dumps(head).encode(), list(pieces.values()))
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise no_room(target, error) from None
    for old in snapshots_of(folder)[KEPT_FILES:]:
        old.unlink(missing_ok=True)
    return target


def take_up(way: Way, folder: Path | str) -> tuple[Place, list[str]]:
    """The newest that fits, in this memory: where the journal goes on, and what was passed over."""
    told = []
    for path in snapshots_of(folder):
        try:
            head, pages = _read(path)
            _require_fit(head, Path(folder), way.live)
        except HftError as error:
            told.append(f"{path.name} is passed over: {error.what}")
            continue
        _restore(way.live, pages)
        way.counts = head["counts"]
        way.last = (head["last"][0], head["last"][1]) if head["last"] else None
        return Place(**head["place"]), [*told, f"from {path.name}"]
    return Place(), told


def snapshots_of(folder: Path | str) -> list[Path]:
    """Those of a journal, the newest first."""
    found = [one for one in (Path(folder) / FOLDER).glob(f"*{ENDING}") if one.stem.isdecimal()]
    return sorted(found, key=lambda one: int(one.stem), reverse=True)


def code() -> str:
    """What must be the same for a memory to be read: the rooms' text, and how it is compiled."""
    return f"{jit.source_digest()} {jit.COMPILED:d}"


def _write(path: Path, head: bytes, pieces: list[np.ndarray[Any, Any]]) -> None:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for part in (MAGIC, len(head).to_bytes(_HEAD_AT - len(MAGIC), "little"), head):
            digest.update(part)
            file.write(part)
        for piece in pieces:
            runs = _runs(piece)
            parts: list[Any] = [len(runs).to_bytes(8, "little"), runs.tobytes()]
            parts += [piece[begin:end].data for begin, end in runs]
            for one in parts:
                digest.update(one)
                file.write(one)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())


def _runs(piece: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where it is not zeros: begin and end of each run of pages, int64, in bytes."""
    pages = -(-len(piece) // PAGE_BYTES)
    used = np.zeros(pages + 2, np.int8)
    for first in range(0, pages, _AT_ONCE):
        some = piece[first * PAGE_BYTES : (first + _AT_ONCE) * PAGE_BYTES]
        whole = len(some) // PAGE_BYTES
        lines = some[: whole * PAGE_BYTES].reshape(whole, PAGE_BYTES).view(np.int64)
        used[1 + first : 1 + first + whole] = lines.any(axis=1)
        if whole * PAGE_BYTES < len(some):
            used[1 + first + whole] = some[whole * PAGE_BYTES :].any()
    edges = np.flatnonzero(np.diff(used)).reshape(-1, 2).astype(np.int64)
    return np.minimum(edges * PAGE_BYTES, len(piece))


def _read(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Its head, and of each piece where bytes go and the bytes."""
    try:
        held = memoryview(path.read_bytes())
    except OSError as error:
        raise _no_snapshot(path, f"it cannot be read: {error.strerror}") from None
    body = held[:-_DIGEST_BYTES]
    if held[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != held[-_DIGEST_BYTES:]:
        raise _no_snapshot(path, "its bytes are not those that were written")
    at = _HEAD_AT + int.from_bytes(held[len(MAGIC) : _HEAD_AT], "little")
    head = json.loads(bytes(held[_HEAD_AT:at]))
    pages = []
    for _ in head["pieces"]:
        count = int.from_bytes(body[at : at + 8], "little")
        runs = np.frombuffer(body[at + 8 : at + 8 + 16 * count], np.int64).reshape(-1, 2)
        at += 8 + 16 * count
        found = []
        for begin, end in runs.tolist():
            found.append((begin, end, body[at : at + end - begin]))
            at += end - begin
        pages.append(found)
    return head, pages


def _last_frame(way: Way, walk: Walk) -> tuple[int, int, str] | None:
    """Segment, position and head of the last frame, or of the mark that ends its segment."""
    last = way.last
    if walk.at_segment_end:
        last = walk.segment.number, walk.place.position - FRAME_BYTES
    return (*last, _head_at(walk.folder, *last)) if last else None


def _head_at(folder: Path, segment: int, position: int) -> str:
    """What stands there, as long as the head of a frame: its number, time, size and CRC."""
    try:
        with segment_place(folder, segment).open("rb") as file:
            file.seek(position)
            return file.read(FRAME_BYTES).hex()
    except OSError:  # it is gone
        return ""


def _require_fit(head: dict[str, Any], folder: Path, live: Live) -> None:
    session = session_of(folder)
    if head["journal"] != session.identity.hex():
        raise _no_snapshot(folder, "it is of another journal")
    if head["code"] != code():
        raise _no_snapshot(folder, "another version of hftlib made it")
    if head["pieces"] != {name: len(piece) for name, piece in live.pieces().items()}:
        raise _no_snapshot(folder, "its memory is laid out otherwise")
    last = head["last"]
    if last and _head_at(folder, last[0], last[1]) != last[2]:
        raise _no_snapshot(folder, "it holds frames that the journal no longer has")
    sealed = head["sealed"]
    blocks = Chain.index(folder, session).blocks
    if sealed and (
        len(blocks) < sealed or blocks[sealed - 1][0]["hash"].tobytes().hex() != head["head"]
    ):
        raise _no_snapshot(folder, "the journal before it is not the one that it was made from")


def _restore(live: Live, pages: list[Any]) -> None:
    for piece, found in zip(live.pieces().values(), pages, strict=True):
        at = 0
        for begin, end, data in [*found, (len(piece), len(piece), b"")]:
            if piece[at:begin].any():  # else its pages need not be touched
                piece[at:begin] = 0
            piece[begin:end] = np.frombuffer(data, np.uint8)
            at = end
    live.join()
    live.session.connect()


def _no_snapshot(path: Path, why: str) -> InputError:
    return InputError(why, where=str(path), do="Let the whole day be read.")
