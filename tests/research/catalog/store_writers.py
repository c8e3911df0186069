"""Processes that write to a store, and stop where a test wants them to be killed.

python store_writers.py half|named STORE TAPE
python store_writers.py all STORE TAPE...
python store_writers.py read STORE STOP_FILE
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import hftlib as hft
from hftlib.research.catalog.adding import FolderWriter, noted
from hftlib.research.catalog.disk import Folder


def say_and_sleep(word):
    print(word, flush=True)
    time.sleep(600)


class Slow(Folder):
    """All parts have their names, and the JSON is still to come."""

    def commit(self, entry):
        say_and_sleep("named")


def write(how, place, name):
    """Add a tape up to some point, and wait there."""
    folder = (Slow if how == "named" else Folder)(Path(place))
    tape = hft.open_tape(name)

    def progress(share, _what):
        if how == "half" and share == 1.0:  # all parts are written, none has its name
            say_and_sleep("half")

    with folder.writing():
        FolderWriter(folder).ticks(noted("ticks", tape.digest, tape), tape, progress)


def read(place, stop):
    """Ask again and again; what was seen, and whatever went wrong."""
    seen, rounds, store = set(), 0, hft.store(place)
    text = "SELECT file, count(*) AS n FROM ticks GROUP BY file"
    print("reading", flush=True)
    while not Path(stop).exists():
        for row in store.query(text).itertuples(index=False):
            seen.add((row.file, row.n))
        for file, count in (
            store.ticks(columns="file").groupby("file", observed=True).size().items()
        ):
            seen.add((file, count))
        rounds += 1
        print("round", flush=True)
    print(json.dumps({"rounds": rounds, "seen": sorted(seen)}), flush=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "read":
        read(*rest)
    elif what == "all":
        for one in rest[1:]:
            hft.store(rest[0]).add(one)
    else:
        write(what, *rest)
