"""`%load_ext hftlib`: the magics, formatters for what has no page of its own, errors as sentences.

    %%strategy --tape day.tape -p edge_ticks=2      `strategy_magic.py`
    %hft status                                     `hft_magic.py`

What hftlib refuses is shown as its three answers and the line of the cell that asked for it, and
the cell has failed as ever. Worst case: another extension that wants `HftError`'s place takes it.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from typing import Any

from hftlib.core.errors import HftError
from hftlib.lab import hft_magic, strategy_magic
from hftlib.lab.formatters import register, unregister


def load(shell: Any) -> None:
    """What `%load_ext hftlib` does."""

    def hft(line: str) -> None:
        """Any hft command: `%hft status`, `%hft data show day.tape AAA --at 09:35`."""
        hft_magic.hft(line, shell)

    def strategy(line: str, cell: str) -> Any:
        """A cell that is a strategy: `%%strategy --tape day.tape -p edge_ticks=2`."""
        return strategy_magic.strategy(line, cell, shell)

    # Its words are filled in one by one, after they were cut.
    hft._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
    shell.register_magic_function(hft, "line", "hft")
    shell.register_magic_function(strategy, "cell", "strategy")
    for name in ("%hft", "hft"):
        shell.set_hook("complete_command", hft_magic.complete, str_key=name)
    shell.set_custom_exc((HftError,), _shown)
    register(shell)


def unload(shell: Any) -> None:
    """Take it all back."""
    from hftlib.lab.live import stop_all

    stop_all()
    for kind, name in (("line", "hft"), ("cell", "strategy")):
        shell.magics_manager.magics[kind].pop(name, None)
    shell.set_custom_exc((), None)
    unregister(shell)


def _shown(shell: Any, kind: type, error: HftError, trace: Any, tb_offset: Any = None) -> list[str]:
    """In the place of a traceback."""
    lines = [
        f"\x1b[31m{kind.__name__}\x1b[0m: {error.what}",
        f"where: {error.where}",
        f"do:    {error.do}",
    ]
    lines += [f"\x1b[2m{text}\x1b[0m" for text in _asked_at(shell, trace)]
    shell._showtraceback(kind, error, lines)
    return lines


def _asked_at(shell: Any, trace: Any) -> Iterator[str]:
    """The last line of a cell on the way there."""
    found = ""
    while trace is not None:
        code, number = trace.tb_frame.f_code, trace.tb_lineno
        told = shell.compile.format_code_name(code.co_filename)
        if told:
            text = linecache.getline(code.co_filename, number).strip()
            found = f"{told[0]} {told[1]}, line {number}: {text}"
        trace = trace.tb_next
    if found and "get_ipython().run_" not in found:
        yield found
