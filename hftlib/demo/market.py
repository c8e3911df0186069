"""The demo on market data: a day of exchange bytes becomes a tape, and the tape a book.

The market is made up, its bytes are not: ITCH 5.0 as Nasdaq sends it, the same for a seed anywhere.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from hftlib.bench import market as bench
from hftlib.demo.saying import say
from hftlib.feed.itch import parse
from hftlib.feed.synthetic.market import synthetic
from hftlib.feed.tape_file import write_tape
from hftlib.research.tape import open_tape

SYMBOLS, SECONDS, SEED = 20, 1800, 7
LEVELS = 5
RUNS = 3


def show(console: Console, bar: Progress) -> None:
    """The steps on market data, one after another."""
    with tempfile.TemporaryDirectory(prefix="hft-demo-") as folder:
        itch, tape_path = Path(folder, "market.itch50"), Path(folder, "market.tape")
        market = synthetic(symbols=SYMBOLS, seconds=SECONDS, seed=SEED)
        task = bar.add_task("making a market", total=None)
        market.write_itch(itch)
        bar.remove_task(task)
        first = parse(itch.read_bytes()[2:14])
        text = f"{SYMBOLS} stocks, {SECONDS // 60} minutes from seed {SEED}, as ITCH 5.0: "
        say(console, "market", f"{text}{itch.stat().st_size:,} bytes, first {first!r}")
        task = bar.add_task("writing the tape", total=None)
        write_tape(tape_path, market)
        bar.remove_task(task)
        tape = open_tape(tape_path)
        say(console, "tape", f"{len(tape):,} events, digest {tape.digest[:12]}…")
        task = bar.add_task("reading it", total=RUNS + 2)
        reading = bench.read_file("book", itch, RUNS, lambda n, _: bar.update(task, completed=n))
        bar.remove_task(task)
        figure = reading.measurement
        text = f"{figure.median:.0f} ns a message from bytes to the full book of every stock, "
        text += f"{figure.ratio:.0f} times the bare walk over the frames"
        say(console, "speed", text)
        symbol = tape.symbols[0]
        say(console, "book", f"{symbol} in the middle of it, as `tape.book_at` gives it:")
        console.print(str(tape.book_at((tape.begin + tape.end) // 2, symbol)), style="dim")
