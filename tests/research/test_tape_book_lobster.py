"""A LOBSTER day from its file to a tape to books: at any time they are what LOBSTER published."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from recorded import recorded

import hftlib as hft
from hftlib.core import events
from hftlib.feed.lobster import LobsterSource
from hftlib.feed.tape_file import write_tape

TIMES = ("09:30:01", "09:31", "10:00", "11:17:23.5", "12:30", "15:59:59")


@pytest.mark.parametrize("sample", ["AMZN_2012-06-21_1", "AMZN_2012-06-21_5", "GOOG_2012-06-21_1"])
def test_the_book_of_a_tape_is_the_published_one(sample, tmp_path):
    path = recorded(f"lobster/LOBSTER_SampleFile_{sample}.zip")
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if "_orderbook_" in name)
        rows = archive.read(name).decode("ascii").split()
    write_tape(tmp_path / "day.tape", LobsterSource(path))
    tape = hft.open_tape(tmp_path / "day.tape")
    for time in TIMES:
        moment = hft.to_ns(f"2012-06-21 {time}", zone="America/New_York")
        row = int(tape.events["sequence"][tape.events["time"] <= moment].max()) - 1
        numbers = np.array(rows[row].split(","), np.int64)
        book = tape.book_at(moment)
        for side, first in ((book.asks, 0), (book.bids, 2)):
            found = [(level.price, level.quantity) for level in side(100)]
            prices, sizes = numbers[first::4] / 10_000, numbers[first + 1 :: 4]
            assert np.array(found) == pytest.approx(np.column_stack((prices, sizes))), time
    traded = np.isin(tape.events["kind"], (events.EXECUTE, events.TRADE))
    assert tape.bars("1h")["volume"].sum() == tape.events["quantity"][traded].sum()
