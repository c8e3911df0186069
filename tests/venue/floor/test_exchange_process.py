"""The exchange as a process: the same again from a seed, at the prompt, traded on by a script."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from floor_desk import Floor

from hftlib.core.errors import InputError, StateError
from hftlib.venue.floor.configuration import read
from hftlib.venue.floor.exchange import Exchange
from hftlib.venue.matching import records as r

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "exchange.md"
AGENTS = {"flow": "agents", "events_per_second": 500.0, "seed": 5}
PROGRAM = "from hftlib.cli import main; main()"


def feed_of(steps: list[int], seed: int = 5) -> bytes:
    schedule = [{"after_seconds": 0.5, "do": "halt", "symbols": ["BBB"]}]
    with Floor(market=AGENTS | {"seed": seed}, schedule=schedule) as floor:
        for step in steps:
            floor.step_ns = step
            floor.step()
        parts, count = floor.exchange.parts, floor.exchange.counts["messages"]
        blocks, offsets = parts.feed.store
        return blocks[: int(offsets[count])].tobytes()


def test_the_same_seed_and_times_give_the_same_feed_however_they_are_cut():
    second, ms = 1_000_000_000, 1_000_000
    whole = feed_of([second, second])
    assert len(whole) > 30_000
    assert feed_of([ms] * 2_000) == whole
    assert feed_of([7 * ms] * 285 + [5 * ms]) == whole
    assert feed_of([second, second], seed=6) != whole


def test_agents_make_a_book_that_lives_and_neither_ends_nor_grows():
    with Floor(market=AGENTS, step_ns=50_000_000) as floor:
        most, sides = 0, 0
        for _ in range(400):
            floor.step()
            most = max(most, floor.exchange.counts["orders"])
            books = [floor.exchange.engine.books.of(name) for name in ("AAA", "BBB")]
            sides += sum(bool(b.best_bid and b.best_ask) for b in books)
        assert most <= 2 * 64 and sides > 700
        rows = floor.exchange.engine.arena["symbols"]
        assert (rows["trades"] > 300).all() and floor.exchange.counts["messages"] > 10_000


def test_a_schedule_that_cannot_be_kept_is_noted_and_the_day_goes_on():
    schedule = [
        {"after_seconds": 0.1, "do": "halt", "symbols": ["AAA"]},
        {"after_seconds": 0.2, "do": "closing cross", "symbols": ["AAA"]},
        {"at": "09:30:01", "do": "end"},
    ]
    with Floor(schedule=schedule, step_ns=50_000_000) as floor:
        floor.until(lambda: floor.exchange.is_over)
        assert floor.exchange.notes == [
            "closing cross of AAA: the symbol cannot do this from its state"
        ]
        with pytest.raises(InputError, match="There is no symbol 'NONE'"):
            floor.exchange.command(r.SET_STATE, symbol="NONE")


def test_an_exchange_whose_store_is_full_stops_with_a_sentence():
    with (
        Floor(market=AGENTS, exchange={"feed_messages_max": 200}, step_ns=10_000_000) as floor,
        pytest.raises(StateError, match="The feed's store is full"),
    ):
        floor.until(lambda: floor.exchange.is_over)


def test_the_file_of_the_page_runs_its_day(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "exchange.toml"
    file.write_text(text.replace('pace = "wall"', 'pace = "lockstep"'))
    with Exchange(read(file)) as exchange:
        begun = exchange.clock.first
        states = []
        for second in (4, 6, 59, 61):
            exchange.step(begun + second * 1_000_000_000)
            states.append(r.STATES[int(exchange.engine.arena["symbols"]["state"][0])])
        assert states == ["auction", "trading", "trading", "halted"]
        assert exchange.notes == [] and exchange.counts["messages"] > 5_000


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (folder / "exchange.json").open("w") as out:
        command = [sys.executable, "-c", PROGRAM, "exchange", "--json", *options]
        return subprocess.Popen(command, stdout=out, text=True, cwd=folder, env=environment)


def test_the_script_of_the_page_trades_on_the_demo_and_ctrl_c_ends_the_day(tmp_path):
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len([line for line in script.splitlines() if line.strip()]) <= 27
    (tmp_path / "trade.py").write_text(script)
    exchange = started(tmp_path, "--demo")
    try:
        while not (tmp_path / "exchange.json").read_text().endswith("\n"):
            assert exchange.poll() is None
            time.sleep(0.05)
        time.sleep(2.0)  # the market needs a moment to make a book
        done = subprocess.run(
            [sys.executable, "trade.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    finally:
        exchange.send_signal(signal.SIGINT)
        exchange.wait(30)
    told = done.stdout.splitlines()
    assert told[0].startswith("ACCEPTED 300") and told[1].startswith("FILLED")
    assert exchange.returncode == 0
    places, counts = map(json.loads, (tmp_path / "exchange.json").read_text().splitlines())
    assert {"order_entry", "drop_copy", "line_a", "line_b", "recovery"} <= set(places)
    assert counts["counts"]["heard"] >= 1 and counts["counts"]["executions"] >= 1
    assert counts["notes"] == []


def test_seconds_end_it_and_nothing_or_too_much_is_refused(tmp_path):
    exchange = started(tmp_path, "--demo", "--seconds", "0.5")
    assert exchange.wait(300) == 0
    assert len((tmp_path / "exchange.json").read_text().splitlines()) == 2
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "exchange"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "hft exchange --demo" in done.stderr
