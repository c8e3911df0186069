"""Opening recordings: every source says the same of what is no file, and waits for no pipe."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hftlib.core.errors import InputError
from hftlib.feed.coinbase import CoinbaseSource
from hftlib.feed.depth_json import DepthSource
from hftlib.feed.files import opened
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.lobster import LobsterSource
from hftlib.feed.recorded_npz import HftBacktestSource
from hftlib.research.importing import kind_of

UNITS = {"symbol": "BTC-USD", "price_unit": "0.01", "lot_unit": 1}
READERS: list[Callable[[Path], object]] = [
    opened,
    kind_of,
    ItchSource,
    lambda path: LobsterSource(path, symbol="AMZN", date="2012-06-21"),
    lambda path: DepthSource(path, **UNITS),  # type: ignore[arg-type]
    lambda path: CoinbaseSource(path, **UNITS),  # type: ignore[arg-type]
    lambda path: HftBacktestSource(path, symbol="BTC", tick_size="0.1", lot_size="0.001"),
]


@pytest.mark.parametrize("read", READERS)
def test_what_cannot_be_opened_is_told_alike(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    cases = {
        tmp_path / "none": "There is no such file",
        tmp_path: "It is a folder, not a file",
        tmp_path / "file" / "inside": "Its path goes through a file",
        tmp_path / "pipe": "It cannot be opened: it is a pipe or a device",
        tmp_path / "nul\0": "It cannot be opened: embedded null byte",
    }
    for path, sentence in cases.items():
        with pytest.raises(InputError, match=sentence):
            read(path)
