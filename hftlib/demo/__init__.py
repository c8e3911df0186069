"""`hft demo`: what hftlib can do so far, done for real in a minute, on nothing but this machine.

    memory.py   plain memory between processes, and machine code where there is no compiler
    market.py   a market in exchange bytes, its tape, its books

Worst case: a step that fails says which and why.
"""

from rich.console import Console
from rich.progress import Progress

from hftlib.bench.harness import require_compiled


def run() -> None:
    """The demo, step by step."""
    require_compiled("hft demo")
    from hftlib.demo import market, memory

    console = Console(highlight=False)
    with Progress(console=console, transient=True) as bar:
        memory.show(console, bar)
        market.show(console, bar)
