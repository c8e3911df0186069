"""A source: anything that can be read, in order of arrival, into a tape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from hftlib.core.instruments import Instruments

CHUNK_EVENTS_MAX = 65_536


class Source(Protocol):
    """What a tape is written from. Memory stays bounded: chunks come one at a time."""

    name: str
    """What it is, for people: `ITCH 5.0, 12302019.NASDAQ_ITCH50`."""
    instruments: Instruments
    """Complete when the chunks are exhausted; rows that were given out never move."""
    is_one_stream: bool
    """Whether all of it is one stream that its venue numbers: then time and numbers only rise."""
    counts: dict[str, int]
    """What was met, by name; for summaries."""

    @property
    def share_done(self) -> float:
        """How much of the input is read, 0 to 1; for the progress bar."""
        ...

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Arrays of at most CHUNK_EVENTS_MAX events, each valid until the next is asked for."""
        ...
