"""The arena: all state of a session in one mapping that describes itself.

    offset 0            192                    data_offset (a page)
      ┌───────────────┬──────────────────────┬─────────┬─────────┬──────────
      │ header record │ layout as JSON text  │ array 0 │ array 1 │ ...
      └───────────────┴──────────────────────┴─────────┴─────────┴──────────
        magic, sizes,   names, dtypes, counts  each on a 128-byte boundary
        digest of text  and offsets

State is reached by offsets, never by pointers, so a snapshot is one copy, a dashboard is a
read-only mapping of the same file, and a standby is a second arena fed the same events.

The mapping is private memory, a file, or shared memory (a file under /dev/shm). A file has at most
one writer (`claim.py`) and any number of readers; only the other end of a ring may write beside it.
The writer brackets each event with `changes` (odd while it works), so a reader can take a picture
that belongs together, and whoever finds the arena of a killed writer knows whether it died between
two events or within one.

Worst case: a read-only mapping written to by compiled code is a crash of the *reader*; numba does
not honour numpy's read-only flag. A busy writer can starve `consistent`, which then says so.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import claim, mapping, picture
from hftlib.core.comparison import Difference, compared
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout
from hftlib.core.mapping import ARENA_HEADER, shared_memory
from hftlib.core.picture import Answer
from hftlib.core.records import field_offset

__all__ = ["Arena", "Difference", "shared_memory"]


class Arena:
    """Named arrays in one mapping. Make one with `create`, `open` or `snapshot`."""

    def __init__(
        self,
        memory: mmap.mmap,
        layout: Layout,
        path: Path | None = None,
        writer: claim.Claim | None = None,
    ) -> None:
        self.layout = layout
        self.path = path
        self._writer = writer
        # Held by every view below, so the memory stays mapped as long as anybody can see it.
        self._bytes = np.frombuffer(memory, np.uint8)
        self._header = self._bytes[: ARENA_HEADER.itemsize].view(ARENA_HEADER)
        self._arrays = {
            name: self._bytes[slot.offset : slot.offset + slot.nbytes].view(slot.dtype)
            for name, slot in layout.slots.items()
        }

    @classmethod
    def create(
        cls, layout: Layout, path: Path | str | None = None, *, huge_pages: bool = False
    ) -> Arena:
        """A new arena of zeros: in private memory, or in a file that must not exist yet.

        Use `shared_memory(name)` for a path whose file is memory. All memory is taken now:
        nothing on the tick path can fail for lack of it later.
        """
        _require_layout(layout)
        if path is None:
            memory = mapping.taken(-1, layout.total_bytes)
            mapping.fill(memory, layout, huge_pages)
            return cls(memory, layout)
        target = Path(path)
        descriptor, part = mapping.new_file(target, layout.total_bytes)
        try:
            memory = mapping.taken(descriptor, layout.total_bytes)
            writer = claim.Claim(descriptor, part, memory)
            mapping.fill(memory, layout, huge_pages)
            mapping.publish(part, target)
        finally:
            os.close(descriptor)
            part.unlink(missing_ok=True)
        return cls(memory, layout, target, writer)

    @classmethod
    def open(
        cls,
        path: Path | str,
        layout: Layout | None = None,
        *,
        writable: bool = False,
        exclusive: bool = True,
    ) -> Arena:
        """The arena in a file, as another process or an earlier one left it.

        `layout` is what the caller's code expects; an arena laid out otherwise is refused.
        `writable` makes this process its one writer. With `exclusive=False` it may write beside
        the owner, though not `change` or `restore`: for the other end of a ring, and nothing else.
        """
        if layout is not None:
            _require_layout(layout)
        target = Path(path)
        descriptor = mapping.opened(target, writable)
        try:
            found = mapping.checked(descriptor, target, layout)
            memory = mapping.taken(descriptor, found.total_bytes, writable)
            claimed = writable and exclusive
            writer = claim.Claim(descriptor, target, memory) if claimed else None
        finally:
            os.close(descriptor)
        mapping.populate(memory, writable)
        arena = cls(memory, found, target, writer)
        if claimed:
            arena._header["writer_pid"] = os.getpid()
        return arena

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        if name not in self._arrays:
            raise InputError(
                f"There is no array {name!r}",
                where=repr(self),
                do=f"Use one of: {', '.join(self._arrays) or 'none, the layout is empty'}.",
            )
        return self._arrays[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._arrays)

    @property
    def address(self) -> int:
        """Where the mapping lies in this process; compiled code adds the layout's offsets.

        Valid only while the arena, or an array of it, is held: with the last the memory goes.
        """
        return int(self._bytes.ctypes.data)

    def address_of(self, name: str) -> int:
        """Where an array lies; valid only while the arena, or an array of it, is held."""
        return int(self[name].ctypes.data)

    @property
    def state(self) -> np.ndarray[Any, Any]:
        """All arrays, one behind the other as they lie, as bytes."""
        return self._bytes[self.layout.data_offset :]

    @property
    def writable(self) -> bool:
        return bool(self._bytes.flags.writeable)

    @property
    def changes_address(self) -> int:
        """Where `changes` lies: compiled writers keep it with `seqlock.begin` and `seqlock.end`.

        `begin` refuses a torn arena, as `change` does; no writer may go on when it says TORN.
        """
        return self.address + field_offset(ARENA_HEADER, "changes")

    @property
    def torn(self) -> bool:
        """True while a change is being applied; for good if the writer died within one."""
        return bool(self._changes & 1)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Apply one event: readers of `consistent` see all of it or nothing.

        An exception inside leaves the arena torn, as a crash would: half an event was applied.
        A torn arena takes no further change, which would hide that; `restore` makes it whole.
        """
        self._require_writer("change")
        if self.torn:
            raise StateError(
                "A change to this arena began and never ended, so half an event is applied",
                where=repr(self),
                do="Restore the last snapshot and replay the journal.",
            )
        self._changes += 1
        yield
        self._changes += 1

    def consistent(self, read: Callable[[Arena], Answer], attempts: int = 1000) -> Answer:
        """What `read` returns when no change happened while it ran.

        Arrays and records of this arena in the answer, also in a tuple, list or dict of it, are
        copied: the picture stays as it was. What else leads here, such as an object with an array
        in it, is for `read` to copy.
        """
        return picture.taken(
            lambda: read(self), lambda: self._changes, self._bytes, attempts, repr(self)
        )

    def snapshot(self, into: Arena | None = None) -> Arena:
        """A copy in private memory; `into` an earlier one costs no new memory."""
        target = into if into is not None else Arena.create(self.layout)
        target.restore(self)
        return target

    def save(self, path: Path | str) -> Path:
        """A copy in a file, whole or not at all, on the disk before this returns.

        It replaces any file but an arena that is being written. A change meanwhile leaves the copy
        torn: what others change is saved with `arena.consistent(Arena.snapshot).save(path)`.
        """
        mapping.save(Path(path), self._bytes, self.path)
        return Path(path)

    def restore(self, source: Arena | Path | str) -> None:
        """Make the state here equal to that of a snapshot; torn, if that was torn or changing."""
        self._require_writer("restore")
        other = source if isinstance(source, Arena) else Arena.open(source, self.layout)
        self._require_same_layout(other)
        if other is self:
            return
        before = other._changes
        self._changes = (self._changes + 1) | 1  # odd, also where a dead writer left it odd
        self.state[...] = other.state
        if not before & 1 and other._changes == before:
            self._changes += 1

    def compare(self, other: Arena, limit: int = 20) -> list[Difference]:
        """The first `limit` values that differ, byte for byte; an empty list means equal."""
        self._require_same_layout(other)
        return list(islice(compared(self.layout, self._bytes, other._bytes), limit))

    def digest(self) -> str:
        """SHA-256 of the layout and all state; equal digests mean equal arenas."""
        digest = hashlib.sha256(self.layout.digest)
        digest.update(self.state.data)
        return digest.hexdigest()

    def close(self) -> None:
        """Let another process write. The memory stays as long as an array of it is used."""
        if self._writer is not None:
            self._writer.let_go()

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def __repr__(self) -> str:
        place = str(self.path) if self.path else "private memory"
        mode = "writable" if self.writable else "read-only"
        return f"<Arena {len(self._bytes):,} bytes, {len(self._arrays)} arrays, {mode}, {place}>"

    def _repr_html_(self) -> str:
        return self.layout.html(repr(self))

    @property
    def _changes(self) -> int:
        return int(self._header["changes"][0])

    @_changes.setter
    def _changes(self, count: int) -> None:
        # What `seqlock.begin` and `seqlock.end` store, without their compiler: whoever only looks
        # at an arena starts fast. Python reorders nothing, and x86-64 no stores.
        self._header["changes"] = count

    def _require_writer(self, what: str) -> None:
        if self.path is None or (self._writer is not None and self._writer.held):
            return
        raise claim.missing(self._writer, self.writable, what, repr(self))

    def _require_same_layout(self, other: Arena) -> None:
        if self.layout.digest != other.layout.digest:
            raise InputError(
                f"The two arenas are laid out differently: {self.layout.difference(other.layout)}",
                where=f"{self!r} and {other!r}",
                do="Compare and restore arenas of one layout only.",
            )


def _require_layout(layout: object) -> None:
    if not isinstance(layout, Layout):
        raise InputError(
            f"A layout is needed, and this is a {type(layout).__name__}",
            where="Arena.create(layout) or Arena.open(path, layout)",
            do="Write Layout(name=dtype) or Layout(name=(dtype, count)), a name for each array.",
        )
