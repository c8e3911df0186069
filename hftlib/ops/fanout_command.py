"""`hft fanout`: what a journal says, to Redis Streams or NATS JetStream, while it is written.

    hft fanout day.journal --to redis://127.0.0.1:6379/0 --stream trading
    hft fanout day.journal --to nats://127.0.0.1:4222 --stream trading --until-end

Started again it goes on where the stream ends. Ctrl-C and a polite kill end it between two batches
or in one: what was sent is found out at the next start. Worst case: a server that takes nothing is
dialled again every few seconds, for ever; the journal keeps what it missed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from hftlib.core.errors import HostError, InputError
from hftlib.terminal import Json, leave_through_finally

SHOWN_S = 0.25
TOLD_S = 1.0
SCHEMES = {"redis": "redis", "rediss": "redis", "nats": "nats", "tls": "nats"}
DO = "Write --to redis://HOST:PORT/0 or --to nats://HOST:PORT."


def fanout_command(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The journal's folder.")],
    to: Annotated[str, typer.Option("--to", help="redis://HOST:PORT/0 or nats://HOST:PORT.")],
    stream: Annotated[str, typer.Option("--stream", help="Its name there; of this journal only.")],
    kinds: Annotated[
        str,
        typer.Option(
            "--kinds", help="SESSION_IN,DIRECTIVE,...; all; without it all but DATAGRAM and TIMER."
        ),
    ] = "",
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop when the journal is closed.")
    ] = False,
    json_out: Json = False,
) -> None:
    """Publish the events of a journal to Redis or NATS, each once and in order."""
    from hftlib.ops.fanout import Fanout, text_of

    leave_through_finally()
    made = _stream(to, stream)
    say = _say_json if json_out else _say
    with ExitStack() as left:
        left.callback(made.close)
        tailer = Fanout(journal, made, _wanted(kinds), say)
        every = _every(tailer, json_out, left)
        try:
            _run(tailer, until_end, every)
        except KeyboardInterrupt:
            pass
        finally:
            if tailer.counts.dials:
                say("end", {"after": text_of(tailer.after), "events": tailer.counts.events})


def _run(tailer: Any, until_end: bool, every: Callable[[], None]) -> None:
    while True:
        busy = tailer.turn()
        every()
        if not busy and until_end and tailer.is_done:
            tailer.require_closed()
            return


def _every(tailer: Any, json_out: bool, left: ExitStack) -> Callable[[], None]:
    """What is shown as it goes: a table that stays, or lines for machines, or nothing."""
    from rich.console import Console
    from rich.live import Live

    console, shown = Console(stderr=True), [0.0, -1.0]

    def due(seconds: float) -> bool:
        now = time.monotonic()
        if now - shown[0] < seconds:
            return False
        shown[0] = now
        return True

    def line() -> None:
        if due(TOLD_S) and tailer.counts.frame != shown[1]:
            shown[1] = tailer.counts.frame
            _say_json("at", {"frame": tailer.counts.frame, "events": tailer.counts.events})

    if json_out:
        return line
    if not console.is_terminal:
        return lambda: None
    live = left.enter_context(Live(console=console, auto_refresh=False, transient=True))

    def table() -> None:
        if due(SHOWN_S):
            live.update(_row(tailer), refresh=True)

    return table


def _row(tailer: Any) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(box=SIMPLE, pad_edge=False)
    for name in ("journal", "stream", "state"):
        made.add_column(name, overflow="fold")
    for name in ("frame", "events", "connections"):
        made.add_column(name, justify="right")
    counts = tailer.counts
    numbers = (f"{counts.frame:,}", f"{counts.events:,}", f"{counts.dials:,}")
    place = f"{tailer.stream.name} at {tailer.stream.place}"
    made.add_row(str(tailer.folder), place, tailer.state, *numbers)
    return made


def _say(what: str, more: dict[str, Any]) -> None:
    words = ", ".join(f"{name} {value}" for name, value in more.items())
    print(f"{what}: {words}", flush=True)


def _say_json(what: str, more: dict[str, Any]) -> None:
    print(json.dumps({"what": what} | more, ensure_ascii=False), flush=True)


def _stream(to: str, name: str) -> Any:
    """The stream at the server that was named, without a word of its password anywhere."""
    try:
        parts = urlsplit(to)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"This names no server: {error}", where="--to", do=DO) from None
    if parts.scheme not in SCHEMES or not host:
        shown = f"{parts.scheme}://..." if parts.scheme else "--to"
        raise InputError("This names no server of Redis or NATS", where=shown, do=DO)
    if not name:
        raise InputError("The stream has no name", where="--stream", do="Give it one.")
    place = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
    extra = SCHEMES[parts.scheme]
    try:
        if extra == "redis":
            from hftlib.ops.fanout_redis import RedisStream

            return RedisStream(to, place, name)
        from hftlib.ops.fanout_nats import NatsStream

        return NatsStream(to, place, name)
    except ModuleNotFoundError as error:
        if error.name not in ("redis", "nats"):
            raise
        raise HostError(
            f"The client of {extra} is not installed",
            where=place,
            do=f"pip install 'hftlib[{extra}]'",
        ) from None


def _wanted(names: str) -> frozenset[int]:
    """The kinds by their numbers."""
    from hftlib.core.journal import kinds as known
    from hftlib.ops.fanout import MARKET

    every = frozenset(range(known.NUMBER_MAX + 1))  # those of later versions, too
    if not names:
        return every - set(MARKET)
    if names == "all":
        return every
    found = set()
    for name in names.split(","):
        kind = known.BY_NAME.get(name.strip().upper())
        if kind is None:
            do = f"Use all, or some of {','.join(known.BY_NAME)}."
            raise InputError(f"There is no kind {name.strip()!r}", where="--kinds", do=do)
        found.add(kind.number)
    return frozenset(found)
