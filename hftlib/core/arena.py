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
one writer (the kernel's file lock says so, and gives it up when the writer dies) and any number of
readers; only the other end of a ring may write beside it. The writer brackets each event with
`changes` (odd while it works), so a reader can take a picture that belongs together, and whoever
finds the arena of a killed writer knows whether it died between two events or within one.

Worst case: a read-only mapping written to by compiled code is a crash of the *reader*; numba does
not honour numpy's read-only flag. A busy writer can starve `consistent`, which then says so.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hftlib.core import mapping
from hftlib.core.comparison import Difference, compared
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout
from hftlib.core.mapping import ARENA_HEADER, shared_memory
from hftlib.core.records import field_offset

__all__ = ["Arena", "Difference", "shared_memory"]

Answer = TypeVar("Answer")


class Arena:
    """Named arrays in one mapping. Make one with `create`, `open` or `snapshot`."""

    def __init__(self, memory: mmap.mmap, layout: Layout, path: Path | None) -> None:
        self._lock = -1
        self.layout = layout
        self.path = path
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
        if path is None:
            arena = cls(mapping.private(layout.total_bytes, huge_pages), layout, None)
            mapping.write_header(arena._bytes, layout)
            return arena
        target = Path(path)
        descriptor, part = mapping.new_file(target, layout.total_bytes)
        try:
            mapping.lock_for_writing(descriptor, target)
            memory = mmap.mmap(descriptor, layout.total_bytes)
            if huge_pages:
                mapping.prefer_huge_pages(memory)
            arena = cls(memory, layout, target)
            mapping.write_header(arena._bytes, layout)
            mapping.publish(part, target)
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            part.unlink(missing_ok=True)
        arena._lock = descriptor
        return arena

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
        the owner: for the other end of a ring, and for nothing else.
        """
        target = Path(path)
        try:
            descriptor = os.open(target, (os.O_RDWR if writable else os.O_RDONLY) | os.O_NONBLOCK)
        except OSError as error:
            raise InputError(
                f"The arena cannot be opened: {error.strerror}",
                where=str(target),
                do="Check the path; an arena is made with Arena.create(layout, path).",
            ) from None
        try:
            found = mapping.checked(descriptor, target, layout)
            if writable and exclusive:
                mapping.lock_for_writing(descriptor, target)
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            memory = mmap.mmap(descriptor, found.total_bytes, access=access)
            arena = cls(memory, found, target)
        except BaseException:
            os.close(descriptor)
            raise
        if writable and exclusive:
            arena._lock = descriptor
            arena._header["writer_pid"] = os.getpid()
        else:
            os.close(descriptor)
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
        """Where the mapping lies in this process; compiled code adds the layout's offsets."""
        return int(self._bytes.ctypes.data)

    def address_of(self, name: str) -> int:
        return int(self[name].ctypes.data)

    @property
    def writable(self) -> bool:
        return bool(self._bytes.flags.writeable)

    @property
    def changes_address(self) -> int:
        """Where `changes` lies: compiled writers keep it with `seqlock.begin` and `seqlock.end`."""
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
        self._require_writable("change")
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
        """What `read` returns when no change happened while it ran."""
        for _ in range(attempts):
            before = self._changes
            if not before & 1:
                try:
                    answer = read(self)
                except Exception:
                    # Half an event can trip any reader up; only a failure at rest is its own.
                    if self._changes == before:
                        raise
                else:
                    if self._changes == before:
                        return answer
            time.sleep(0)
        state = "is or died within a change" if self.torn else "is changing it all the time"
        raise StateError(
            f"No consistent picture in {attempts} attempts: the writer {state}",
            where=repr(self),
            do="Read less at once, or restore the last snapshot and replay the journal.",
        )

    def snapshot(self, into: Arena | None = None) -> Arena:
        """A copy in private memory; `into` an earlier one costs no new memory."""
        target = into if into is not None else Arena.create(self.layout)
        target.restore(self)
        return target

    def save(self, path: Path | str) -> Path:
        """A copy in a file, whole or not at all, on the disk before this returns.

        What another process changes is saved with `arena.consistent(Arena.snapshot).save(path)`.
        """
        mapping.save(Path(path), self._bytes, self.path)
        return Path(path)

    def restore(self, source: Arena | Path | str) -> None:
        """Make the state here equal to that of a snapshot; torn, if that was torn or changing."""
        self._require_writable("restore")
        other = source if isinstance(source, Arena) else Arena.open(source, self.layout)
        self._require_same_layout(other)
        if other is self:
            return
        before = other._changes
        self._changes = (self._changes + 1) | 1  # odd, also where a dead writer left it odd
        self._bytes[self.layout.data_offset :] = other._bytes[self.layout.data_offset :]
        if not before & 1 and other._changes == before:
            self._changes += 1

    def compare(self, other: Arena, limit: int = 20) -> list[Difference]:
        """The first `limit` values that differ, byte for byte; an empty list means equal."""
        self._require_same_layout(other)
        return list(islice(compared(self.layout, self._bytes, other._bytes), limit))

    def digest(self) -> str:
        """SHA-256 of the layout and all state; equal digests mean equal arenas."""
        digest = hashlib.sha256(self.layout.digest)
        digest.update(self._bytes[self.layout.data_offset :].data)
        return digest.hexdigest()

    def close(self) -> None:
        """Let another process write. The memory stays as long as an array of it is used."""
        if self._lock >= 0:
            mapping.unlock(self._lock)
            self._lock = -1

    def __del__(self) -> None:
        # Dropped without close(): the file stays locked as long as an array of it is used.
        if self._lock >= 0:
            os.close(self._lock)

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

    def _require_writable(self, what: str) -> None:
        if not self.writable:
            raise StateError(
                f"A read-only arena cannot {what}",
                where=repr(self),
                do="Open it with writable=True in the one process that owns it.",
            )

    def _require_same_layout(self, other: Arena) -> None:
        if self.layout.digest != other.layout.digest:
            raise InputError(
                f"The two arenas are laid out differently: {self.layout.difference(other.layout)}",
                where=f"{self!r} and {other!r}",
                do="Compare and restore arenas of one layout only.",
            )
