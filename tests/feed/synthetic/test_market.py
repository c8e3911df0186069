"""The market as people use it: the same bytes everywhere, whole files, a source of events."""

from __future__ import annotations

import gc
import hashlib
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_judge import Judge

import hftlib as hft
from hftlib.core import events
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.feed.source import CHUNK_EVENTS_MAX, Source
from hftlib.feed.synthetic import market as module
from hftlib.feed.synthetic.flow import TURN_BYTES_MAX

SMALL = {"symbols": 2, "seconds": 2, "rate": 3}


@pytest.mark.modes
def test_a_seed_gives_these_bytes_on_any_machine_compiled_or_not() -> None:
    market = hft.synthetic(**SMALL, seed=7)
    assert market.digest() == "6a1f1e60c14cb2b7465795ad218b21e0999aae937b6864bd31f29206810651bb"


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, "90d11982ebe0ddbc813f317490a927e5db149610b6d00f4115a0cebe473dcc6a"),
        (
            {"symbols": 20, "seconds": 600, "seed": 2**62},
            "6f6e652291484441e2fdbf851baee322378d16582a89711cc928b21d4c25b0f4",
        ),
        (
            {"symbols": ["SPY", "QQQ"], "seconds": 23_400, "seed": -1, "halts": 3},
            "6fcc83431f8dd01a58562068ab016d5802acb7ff76d2a7fb522274ace971e17e",
        ),
    ],
)
def test_larger_markets_give_these(wish: dict[str, Any], expected: str) -> None:
    assert hft.synthetic(**wish).digest() == expected


def test_every_argument_changes_the_bytes() -> None:
    wishes: list[dict[str, Any]] = [
        {},
        {"symbols": 3},
        {"symbols": ["AAA", "XYZ"]},
        {"seconds": 3},
        {"rate": 4},
        {"spread_ticks": 9},
        {"halts": 0},
        {"seed": 8},
    ]
    digests = {hft.synthetic(**{**SMALL, **wish}).digest() for wish in wishes}
    assert len(digests) == len(wishes)
    # The date stands in no message of ITCH 5.0, only in the events.
    other_day = hft.synthetic(**SMALL, date="2026-01-06")
    assert other_day.digest() == hft.synthetic(**SMALL).digest()
    one, two = (next(m.chunks())["time"][0] for m in (hft.synthetic(**SMALL), other_day))
    assert two - one == 86_400 * 10**9


def test_the_bytes_do_not_depend_on_the_size_of_the_chunks() -> None:
    market = hft.synthetic(symbols=3, seconds=120, seed=5)
    whole = market.itch_bytes()
    for room in (TURN_BYTES_MAX, TURN_BYTES_MAX + 1, 300_007):
        parts = [chunk.tobytes() for chunk in market.itch_chunks(room)]
        assert len(parts) > 3 and b"".join(parts) == whole
    with pytest.raises(InputError, match="do not hold what can happen at once"):
        next(market.itch_chunks(TURN_BYTES_MAX - 1))


def test_two_readings_at_once_do_not_disturb_each_other() -> None:
    market = hft.synthetic(symbols=2, seconds=60, seed=5)
    whole = market.itch_bytes()
    pairs = zip(market.itch_chunks(TURN_BYTES_MAX), market.itch_chunks(TURN_BYTES_MAX), strict=True)
    parts = [(one.tobytes(), other.tobytes()) for one, other in pairs]
    assert b"".join(one for one, _ in parts) == whole == b"".join(other for _, other in parts)


def test_its_events_are_its_messages() -> None:
    market: Source = hft.synthetic(symbols=["AAA", "BRK.B"], seconds=900, seed=5, rate=100)
    kept, shares = [], []
    for chunk in market.chunks():
        assert len(chunk) <= CHUNK_EVENTS_MAX and chunk.dtype == events.EVENT
        kept.append(chunk.copy())
        shares.append(market.share_done)
    tape = np.concatenate(kept)
    counts = Judge().day(module.SyntheticMarket.itch_bytes(market)).counts
    assert market.counts == dict(counts)
    assert len(tape) == sum(counts.values()) > CHUNK_EVENTS_MAX
    assert not (tape["kind"] == events.UNREADABLE).any()
    assert market.instruments.symbols == ["AAA", "BRK.B"]
    assert market.instruments[1].tick == 100 and market.instruments[1].round_lot == 100
    assert (np.diff(tape["time"]) >= 0).all()
    assert shares == sorted(shares) and 0 <= shares[0] < 1
    assert market.share_done == 1.0
    assert hft.to_text(int(tape["time"][0]), zone="America/New_York").startswith("2026-01-05T09:29")


def test_a_file_is_the_bytes_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    market, path = hft.synthetic(**SMALL, seed=7), tmp_path / "small.itch50"
    told: list[float] = []
    count = market.write_itch(path, progress=lambda share, _what: told.append(share))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == market.digest()
    assert path.stat().st_size == count and told[-1] <= 1.0
    with pytest.raises(StateError, match="a file of that name already"):
        market.write_itch(path)
    other = hft.synthetic(**SMALL, seed=8)
    other.write_itch(path, overwrite=True)
    assert path.read_bytes() == other.itch_bytes()
    assert os.listdir(tmp_path) == ["small.itch50"]
    with pytest.raises(HostError, match="No such file or directory"):
        market.write_itch(tmp_path / "nowhere" / "small.itch50")


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(HostError, match="File too large"):
            hft.synthetic(symbols=5, seconds=60).write_itch(tmp_path / "market.itch50")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_the_memory_of_a_long_day_is_that_of_a_short_one() -> None:
    def peak(seconds: int) -> int:
        import tracemalloc

        gc.collect()
        tracemalloc.start()
        for _ in hft.synthetic(symbols=2, seconds=seconds, rate=50).itch_chunks():
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(6_000) < 1.1 * peak(60)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"symbols": 0}, "0 is not possible"),
        ({"symbols": 257}, "Give 1 to 256"),
        ({"symbols": []}, "0 is not possible"),
        ({"symbols": ["TOOLONGNAME"]}, "no symbol of the venue"),
        ({"symbols": ["lower"]}, "no symbol of the venue"),
        ({"symbols": ["A", "A"]}, "twice"),
        ({"symbols": [7]}, "no symbol of the venue"),
        ({"symbols": 1.5}, "symbols"),
        ({"symbols": None}, "symbols"),
        ({"symbols": True}, "symbols"),
        ({"seconds": 0}, "Give 1 to 23,400"),
        ({"seconds": 23_401}, "Give 1 to 23,400"),
        ({"seconds": 1.5}, "seconds"),
        ({"seconds": "60"}, "seconds"),
        ({"seed": 2**63}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"rate": 0}, "rate"),
        ({"rate": 2_001}, "Give 1 to 2,000"),
        ({"spread_ticks": 101}, "Give 1 to 100"),
        ({"halts": -1}, "halts"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "yesterday"}, "date"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_reason(wish: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        hft.synthetic(**wish)


def test_made_up_names_are_told_apart() -> None:
    names = hft.synthetic(symbols=256).wish.symbols
    assert names[:3] == ("AAA", "BBB", "CCC") and len(set(names)) == 256


def test_a_market_too_large_for_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY_BYTES_MAX", 10_000)
    with pytest.raises(InputError, match="more than 10,000 bytes"):
        hft.synthetic(symbols=2, seconds=60).itch_bytes()


def test_it_shows_what_it_is() -> None:
    assert repr(hft.synthetic()) == "<synthetic market, 5 stocks, 1 m, seed 7>"
