"""`hft exchange --tape`: what it makes of a tape, and that a participant can trade on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from tapes import ArraySource, event
from test_exchange_process import PROGRAM, ROOT, started

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.feed.tape_file import write_tape
from hftlib.venue.floor.tape_demo import of_tape

T0 = 1_577_716_200_000_000_000  # 09:30:00 in New York


def test_symbols_ticks_and_prices_are_the_tapes_the_busiest_first(tmp_path):
    table = Instruments()
    for name, tick in (("QUIET", 100), ("BUSY", 500), ("TOOLONGNAME", 100), ("NEVER", 100)):
        table.add(name, venue="XNAS", price_unit="0.0001", tick=tick)
    table.add("COIN", venue="X", price_unit="0.00000001", tick=1)
    fields = {"time": T0, "side": 1, "quantity": 100}
    told = [
        event("ADD", instrument=0, reference=1, price=5_000, **fields),
        event("ADD", instrument=1, reference=2, price=12_0300, **fields),
        event("TRADE", instrument=1, price=12_0650, **fields),
        event("ADD", instrument=2, reference=3, price=12_0000, **fields),
        event("ADD", instrument=4, reference=4, price=12_0000, **fields),
    ]
    path = tmp_path / "some.tape"
    write_tape(path, ArraySource(np.concatenate(told), table))
    made = of_tape(str(path), speed=5.0, tape_from="09:30:01")
    found = [(s.name, s.reference_price_money, s.tick_money) for s in made.symbols]
    assert found == [("BUSY", "12.0500", "0.0500"), ("QUIET", "1.0000", "0.0100")]
    assert (made.clock.pace, made.clock.speed, made.clock.start) == ("faster", 5.0, "09:30:01")
    assert made.clock.date == "2019-12-30" and made.market.tape == str(path)
    assert of_tape(str(path)).clock.pace == "wall"


def test_a_tape_of_nothing_that_is_a_share_is_a_sentence(tmp_path):
    table = Instruments()
    table.add("COIN", venue="X", price_unit="0.00000001", tick=1)
    path = tmp_path / "coins.tape"
    write_tape(path, ArraySource(event("ADD", time=T0, reference=1, side=1, price=1), table))
    with pytest.raises(InputError, match="no instrument that can be traded here"):
        of_tape(str(path))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--tape", "day.tape", "--from", "25:00"), "'25:00' is no time of a day"),
        (("--tape", "day.tape", "--from", "9:30"), "'9:30' is no time of a day"),
        (("--demo", "--from", "09:30"), "Only a tape can begin at a time of its day"),
    ],
)
def test_a_time_that_is_none_is_refused_before_anything_is_opened_or_compiled(
    tmp_path, options, sentence
):
    cache = tmp_path / "cache"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", PROGRAM, "exchange", *options]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and sentence in done.stderr and "hft exchange --from" in done.stderr
    assert not [path for path in cache.rglob("*") if path.is_file()], "nothing was compiled"


def test_the_command_plays_a_tape_to_whoever_listens(tmp_path):
    write_tape(tmp_path / "day.tape", hft.synthetic(symbols=2, seconds=20, seed=3))
    options = ("--from", "09:30:02", "--speed", "40", "--seconds", "1.5")
    exchange = started(tmp_path, "--tape", "day.tape", *options)
    try:
        assert exchange.wait(600) == 0  # on a host that is busy, all of it may have to be compiled
    finally:
        exchange.kill()
    places, told = map(json.loads, (tmp_path / "exchange.json").read_text().splitlines())
    counts = told["counts"]
    assert counts["tape_events"] == len(hft.open_tape(tmp_path / "day.tape"))
    assert counts["messages"] > counts["tape_orders"] > 500
    assert "tape_refused" not in counts and places["session"] == "HFTX"
