"""A child that writes a runner's journal until its standard input ends, or so many rounds.

In each round an order, a piece of the venue's stream cut anywhere, a note, market data, a timer.
Orders, fills and notes are numbered from 1, so who reads them knows what is missing or twice.
"""

from __future__ import annotations

import random
import select
import sys
from pathlib import Path

from hftlib.core import ouch
from hftlib.core.journal import Journal, kinds
from hftlib.core.soup import frames as soup
from hftlib.feed.mold import packet

ABOUT = {"what": "runner"}
SIZES = {"segment_bytes": 1 << 18, "block_bytes": 1 << 14}


class Day:
    """What happens, round by round."""

    def __init__(self, seed: int, first: int = 1) -> None:
        self.chance, self.round, self.stream = random.Random(seed), first, b""

    def write(self, journal: Journal) -> None:
        n, self.round = self.round, self.round + 1
        time_ns = 1_795_300_000_000_000_000 + n * 1_000_000
        told = ouch.inbound("O", urn=n, side="B", quantity=n, symbol="AAA", price="99.5")
        sent = soup.encode(b"U", bytes(told))
        sent += soup.encode(b"R") if n % 5 == 0 else b""
        journal.append(kinds.SESSION_OUT, time_ns, sent, 0)
        fill = ouch.outbound("E", timestamp=n, urn=n, quantity=n, price="99.5", match=n)
        self.stream += soup.encode(b"S", bytes(fill))
        size = self.chance.randrange(len(self.stream) + 1)
        piece, self.stream = self.stream[:size], self.stream[size:]
        if piece:
            journal.append(kinds.SESSION_IN, time_ns, piece, 0)
        journal.append(kinds.DATAGRAM, time_ns, packet.encode("S", n, [b"A" * 36]), 0)
        journal.append(kinds.TIMER, time_ns, b"")
        journal.append(kinds.NOTE, time_ns, str(n).encode())

    def end(self, journal: Journal) -> None:
        if self.stream:
            journal.append(kinds.SESSION_IN, 1_795_399_000_000_000_000, self.stream, 0)


def written(folder: Path, rounds: int, seed: int = 1) -> Path:
    """A closed journal of so many rounds."""
    with Journal.create(folder, ABOUT, **SIZES) as journal:
        day = Day(seed)
        for _ in range(rounds):
            day.write(journal)
        day.end(journal)
    return folder


def main() -> None:
    folder, seed, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with Journal.create(folder, ABOUT, **SIZES) as journal:
        day = Day(seed)
        while not select.select([sys.stdin], [], [], pause)[0]:
            day.write(journal)
        day.end(journal)
    print(day.round - 1, flush=True)


if __name__ == "__main__":
    main()
