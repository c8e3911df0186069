"""Which events of a tape file a slice has: a stretch of positions, or the list of instruments'.

    stretch   first ... last                    by time or position; nothing is stored
    list      positions of one instrument       a view of the file's own index
              of several                        merged once, eight bytes an event at most

Selections never change; narrowing one makes another. A list is checked when it is made, so that
compiled walks can follow it. Worst case: merging the lists of all instruments sorts them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import ALL, EVENT
from hftlib.feed.tape_reading import TapeFile
from hftlib.feed.walk import WALK, gather, rises_below


class Selection:
    """Events of one file, in order of arrival."""

    def __init__(
        self,
        file: TapeFile,
        first: int,
        last: int,
        rows: tuple[int, ...] | None = None,
        places: np.ndarray[Any, Any] | None = None,
    ) -> None:
        self.file, self.rows, self.places = file, rows, places
        self.first, self.last = first, max(first, last)
        self._walk = np.zeros(1, WALK)
        self._walk["events"], self._walk["first"] = file.events.ctypes.data, first
        self._walk["count"] = len(self)
        if places is not None:
            self._walk["positions"] = places.ctypes.data
            self._walk["item_bytes"] = places.itemsize

    def __len__(self) -> int:
        return self.last - self.first if self.places is None else len(self.places)

    @property
    def walk_address(self) -> int:
        """Where the WALK over the events lies; valid while the selection is held."""
        return int(self._walk.ctypes.data)

    @property
    def is_whole(self) -> bool:
        return self.rows is None and len(self) == len(self.file.events)

    def position(self, index: int) -> int:
        """Where an event of this selection stands on the tape."""
        return self.first + index if self.places is None else int(self.places[index])

    def part(self, first: int, last: int) -> Selection:
        """Some of it, counted in its own events."""
        last = max(first, last)
        if self.places is None:
            return Selection(self.file, self.first + first, self.first + last)
        # Even of no events it has a place, for its book knows what came before it.
        begin = self.position(first) if first < len(self) else self.last
        end = self.position(last - 1) + 1 if first < last else begin
        return Selection(self.file, begin, end, self.rows, self.places[first:last])

    def narrowed(self, first: int, last: int) -> Selection:
        """What of it lies between two positions of the tape."""
        if self.places is None:
            return Selection(self.file, first, last)
        # Of the same type as the list, which numpy would convert whole otherwise.
        top = np.iinfo(self.places.dtype).max
        ends = np.minimum([first, max(first, last)], top).astype(self.places.dtype)
        low, high = np.searchsorted(self.places, ends)
        return Selection(self.file, first, last, self.rows, self.places[low:high])

    def since_start(self) -> Selection:
        """The same instruments from the tape's first event on, up to where this one ends."""
        everything = Selection(self.file, 0, len(self.file.events))
        wider = everything if self.rows is None else everything.of_rows(self.rows)
        return wider.narrowed(0, self.last)

    def of_rows(self, rows: tuple[int, ...]) -> Selection:
        """The events of these instruments, and those that concern every instrument."""
        file = self.file
        lists = [file.positions_of(row) for row in rows]
        others = file.positions_of(len(file.instruments))
        if len(others):
            lists.append(others[file.events["instrument"][others] == ALL])
        lists = [one for one in lists if len(one)] or lists[:1]
        merged = lists[0] if len(lists) == 1 else np.sort(np.concatenate(lists))
        made = Selection(file, 0, len(file.events), rows, merged)
        if not rises_below(made.walk_address, len(file.events)):
            raise InputError(
                "The index by instrument of this tape is damaged",
                where=str(file.path),
                do="Check it with tape.verify(), and import the recorded data again.",
            )
        return made.narrowed(self.first, self.last)

    def events(self, first: int, last: int) -> np.ndarray[Any, Any]:
        """Some of its events side by side: a view, or a copy where they lie apart."""
        if self.places is None:
            return self.file.events[self.first + first : self.first + last]
        made = np.zeros(last - first, EVENT)
        gather(self.walk_address, first, last - first, made.ctypes.data)
        return made
