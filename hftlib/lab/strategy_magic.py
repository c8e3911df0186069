"""`%%strategy`: a cell that is a strategy; it is compiled, and shown with a quick backtest.

    %%strategy --tape day.tape -p edge_ticks=2
    class Maker:
        edge_ticks: int = hft.param(1, low=1, high=5)

        def on_book(self, ctx, i):
            ...

The cell runs as any other, `@hft.strategy` is put to its last class where nobody has, and the class
stays in the notebook under its name. Shown are its parameters and, with a tape, the result's page;
`_` is the result. A tape is a path, a name in data/tapes, or a variable that is one. What is wrong
with the class is one sentence, with the line of the cell as it is seen.

Worst case: the backtest goes over the whole tape; `--begin` and `--end` make it shorter.
"""

from __future__ import annotations

import argparse
import ast
import shlex
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.lab import cells

_WHERE = "%%strategy"
_DO = f"Write {_WHERE} --tape TAPE -p name=value --begin 09:30 --end 09:40 --order-latency 250us."


class _Words(argparse.ArgumentParser):
    """Says what it does not understand, instead of ending the kernel."""

    def error(self, message: str) -> Any:
        raise InputError(f"The line is not understood: {message}", where=_WHERE, do=_DO)


def strategy(line: str, cell: str, shell: Any) -> Any:
    """Run the cell with its class decorated, and show it; the result, where a tape is given."""
    from hftlib.strategy.files import given_parameters

    asked = _asked(line)
    text, name = _decorated(line, cell)
    # Its lines are kept as those of any cell are, so that errors and the compiler find them.
    place = shell.compile.cache(text, shell.execution_count, raw_code=text)
    shell.user_ns.setdefault("hft", __import__("hftlib"))
    exec(compile(text, place, "exec"), shell.user_ns)
    one = shell.user_ns[name](**given_parameters(asked.param, _WHERE))
    one.entry()  # compiled now: what the compiler refuses is refused here
    cells.show_page(one._repr_html_())
    return _tried(one, asked, shell) if asked.tape else None


def _asked(line: str) -> argparse.Namespace:
    words = _Words(add_help=False)
    words.add_argument("--tape", default="")
    words.add_argument("-p", "--param", action="append", default=[])
    words.add_argument("--begin")
    words.add_argument("--end")
    words.add_argument("--order-latency", default="0ns")
    words.add_argument("--feed-latency", default="0ns")
    words.add_argument("--limits")
    try:
        return words.parse_args(shlex.split(line))
    except ValueError as error:
        raise InputError(f"The line is not understood: {error}", where=_WHERE, do=_DO) from None


def _decorated(line: str, cell: str) -> tuple[str, str]:
    """The cell, each of its lines where it is seen, and the name of its class."""
    lines = [f"# {_WHERE} {line}", *cell.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError as error:
        raise InputError(
            f"The cell is no Python: {error.msg}",
            where=f"{_WHERE}, line {error.lineno or 0}: {(error.text or '').strip()}",
            do="Mend the line; magics such as %time have no place in a strategy's cell.",
        ) from None
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.ClassDef):
        raise InputError(
            "The cell's last statement is no class",
            where=_WHERE,
            do="Write the class of the strategy, and what it needs above it.",
        )
    if not last.decorator_list:
        above = last.lineno - 2
        if lines[above].strip() and not lines[above].lstrip().startswith("#"):
            raise InputError(
                f"Nothing says that {last.name} is a strategy",
                where=f"{_WHERE}, line {last.lineno}",
                do="Write @hft.strategy above the class, or leave a line empty there.",
            )
        lines[above] = "@hft.strategy"
    return "\n".join(lines) + "\n", last.name


def _tried(one: Any, asked: argparse.Namespace, shell: Any) -> Any:
    import hftlib as hft
    from hftlib.research.store import found
    from hftlib.research.tape import Tape, open_tape

    given = shell.user_ns.get(asked.tape)
    tape = given if isinstance(given, Tape) else open_tape(found(str(given or asked.tape)))
    if asked.begin or asked.end:
        tape = tape.between(asked.begin, asked.end)
    venue = hft.Venue(order_latency=asked.order_latency, feed_latency=asked.feed_latency)
    limits = Path(asked.limits) if asked.limits else None
    return hft.backtest(one, tape, venue=venue, limits=limits)
