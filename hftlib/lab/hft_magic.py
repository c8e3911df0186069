"""`%hft ...`: any `hft` command from a cell, its words and colours below it, Ctrl-C included.

    %hft status
    %hft backtest ideas.py:Maker --tape {path} -p edge_ticks=2

The line is cut into words here, as a shell would, and given to a process of its own: nothing is a
shell's to read, so `;`, `|` and `$(...)` are plain text. `{name}` and `$name` of the notebook are
filled in word by word, after cutting: what is in a variable stays one word, spaces and quotes too.

Worst case: a command that asks for something is told that nobody answers; one that does not end
within END_S of an interrupt is ended.
"""

from __future__ import annotations

import codecs
import os
import shlex
import signal
import subprocess
import sys
from importlib import import_module
from typing import Any

from hftlib.core.errors import InputError

END_S, COLUMNS = 10.0, "110"
_PROGRAM = "from hftlib.cli import main; main()"


def hft(line: str, shell: Any) -> None:
    """Run it, showing what it says as it says it; a failure is its code, said once."""
    code = run(words_of(line, shell))
    if code:
        print(f"hft ended with {code}", file=sys.stderr)


def words_of(line: str, shell: Any) -> list[str]:
    """The words of the line, with the notebook's variables in them."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InputError(
            f"The line cannot be cut into words: {error}",
            where=f"%hft {line}",
            do="Close each quote that begins.",
        ) from None
    return [str(shell.var_expand(word)) for word in words] or ["--help"]


def run(words: list[str]) -> int:
    """One command as a process, its output passed on piece by piece."""
    environment = {**os.environ, "COLUMNS": COLUMNS, "FORCE_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,  # an interrupt of the kernel is passed on, once
    )
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        while piece := os.read(process.stdout.fileno(), 1 << 16):
            print(decoder.decode(piece), end="", flush=True)
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=END_S)
            print(decoder.decode(rest, final=True), end="", flush=True)
        except subprocess.TimeoutExpired:
            pass
        return process.poll() or 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def complete(_shell: Any, event: Any) -> list[str]:
    """What may come next, from the commands themselves."""
    import typer

    # The command line lies above this room, and is looked at only when somebody asks.
    here: Any = typer.main.get_command(import_module("hftlib.cli").app)
    words = event.line.split()[1:]
    if words and not event.line[-1:].isspace():
        words.pop()
    for word in words:
        here = getattr(here, "commands", {}).get(word, here)
    if str(event.symbol).startswith("-"):
        return sorted({name for one in here.params for name in getattr(one, "opts", ())})
    return sorted(getattr(here, "commands", {}))
