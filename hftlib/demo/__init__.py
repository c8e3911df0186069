"""`hft demo`: what hftlib is for, done for real in minutes, on nothing but this machine.

    loop.py     from a strategy's notebook by its gates to a champion that trades, and back
    desk.py     the folder in which its commands run        page.py   the page it leaves

`hft demo ground` shows what all that stands on:

    memory.py   plain memory between processes, and machine code where there is no compiler
    market.py   a market in exchange bytes, its tape, its books

Worst case: a step that fails says which and why.
"""

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from hftlib.bench.harness import require_compiled
from hftlib.core.errors import InputError
from hftlib.core.units import shown

LOOP, GROUND = PARTS = ("loop", "ground")


def run(part: str = LOOP, into: Path = Path("demo")) -> None:
    """One part of the demo, step by step."""
    if part not in PARTS:
        do = f"Use {' or '.join(PARTS)}."
        raise InputError(f"The demo has no part {shown(part)}", where="hft demo", do=do)
    require_compiled("hft demo")
    console = Console(highlight=False)
    if part == GROUND:
        from hftlib.demo import market, memory

        with Progress(console=console, transient=True) as bar:
            memory.show(console, bar)
            market.show(console, bar)
        return
    from hftlib.demo import loop
    from hftlib.demo.desk import Desk

    with Desk.at(into, console) as desk:
        loop.show(desk)
