"""Recorded market data: not part of the project, found beside it or under HFT_DATA, else a skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PLACES = [
    *filter(None, os.environ.get("HFT_DATA", "").split(os.pathsep)),
    Path(__file__).parent.parent.parent / "shared" / "data",
]


def recorded(name: str) -> Path:
    """The path of a recorded file or folder; the test is skipped with a sentence without it."""
    for place in map(Path, PLACES):
        if (place / name).exists():
            return place / name
    pytest.skip(f"no recorded data {name}: put it under a folder that HFT_DATA names")


def recorded_all(pattern: str) -> list[Path]:
    """All recorded files that match, from every place there is; for parametrized tests."""
    return sorted({path for place in PLACES for path in Path(place).glob(pattern)})
