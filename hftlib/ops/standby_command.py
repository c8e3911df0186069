"""`hft standby`: a process that has what a runner's journal has, and says so.

    hft standby --listen 127.0.0.1:7700 --journal copy.journal
    hft standby --listen 10.0.0.2:7700 --journal copy.journal --secret FILE --sync
    hft standby promote copy.journal       it takes over: hft live --resume --journal copy.journal
    hft standby status copy.journal

Ctrl-C and a polite kill end it between two groups; started again it goes on where its copy ends. It
ends by itself when the journal was closed, and with it the copy. Worst case: what it cannot put
down it does not acknowledge, and the runner's orders wait, as was said there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import InputError, StateError
from hftlib.terminal import Json, leave_through_finally, patience

SHOWN_S, TOLD_S, POLLED_S = 0.25, 1.0, 0.01
standby = typer.Typer(help="Keep a runner's journal as well, and say so.")


@standby.callback(invoke_without_command=True)
def standby_command(
    context: typer.Context,
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0: any that is free.")] = "",
    journal: Annotated[
        Path | None, typer.Option(help="The copy's folder; made, or gone on.")
    ] = None,
    secret: Annotated[
        Path | None, typer.Option(help="A file that the runner has too; needed beyond this host.")
    ] = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Say so once it is on the disk, in groups.")
    ] = False,
    control: Annotated[str, typer.Option(help='Where to be told things; "off": nowhere.')] = "",
    json_out: Json = False,
) -> None:
    """Take a runner's frames, keep them, and acknowledge them."""
    if context.invoked_subcommand is not None:
        return
    from hftlib.ops.standby_wire import address_of, secret_of

    where = "hft standby --listen"
    if journal is None or not listen:
        do = "Write hft standby --listen 127.0.0.1:7700 --journal copy.journal."
        raise InputError("A standby listens somewhere and keeps a copy", where=where, do=do)
    place = address_of(listen, where, least=0)
    known = secret_of(secret, place[0], where)
    leave_through_finally()
    _compiled()
    _keep(journal, place, known, sync, control, json_out)


def _keep(
    journal: Path, place: tuple[str, int], secret: bytes, sync: bool, control: str, json_out: bool
) -> None:
    from hftlib.core import jit
    from hftlib.core.control.places import place as socket_place
    from hftlib.core.control.serving import Control
    from hftlib.ops.standby import Standby

    path = socket_place("standby", control)
    say = _say_json if json_out else _say
    found: list[Standby] = []
    ears = Control(path, lambda said: _obey(found[0], said)) if path is not None else None
    try:
        named = str(path) if path is not None else ""
        made = Standby(journal, place, secret, synced=sync, control=named, say=say)
        found.append(made)
        jit.freeze()
        host, port = made.place
        more = {"at": f"{host}:{port}", "copy": str(journal), "frames": made.keeps.sequence}
        say("listens", more | {"synced": sync, "secret": bool(secret), "control": named})
        _turn(made, ears, _every(made, json_out))
    except KeyboardInterrupt:
        pass
    finally:
        for one in found:
            one.close()
        if ears is not None:
            ears.close()


def _turn(made: Any, ears: Any, every: Callable[[], None]) -> None:
    next_poll = 0.0
    while not made.is_over:
        made.turn()
        now = time.monotonic()
        if ears is not None and now >= next_poll:
            ears.poll()
            next_poll = now + POLLED_S
        every()
    if made.keeps.why:
        raise StateError(made.keeps.why, where=str(made.keeps.folder), do="hft journal verify.")


def _obey(made: Any, said: dict[str, Any]) -> dict[str, Any]:
    """What its control socket is told."""
    if said == {"do": "status"}:
        return dict(made.status)
    if said == {"do": "promote"}:
        return {"epoch": made.promote().epoch, "frames": made.keeps.acknowledged}
    raise InputError("That is nothing to do", where="the standby", do="Say status, or promote.")


@standby.command("promote")
def promote_command(
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="The copy's folder.")],
    json_out: Json = False,
) -> None:
    """Let a copy take over: its runner sends nothing any more, and --resume goes on with it."""
    from hftlib.core.control.asking import told
    from hftlib.core.journal.walking import is_live
    from hftlib.ops import epochs

    now = epochs.read(copy)
    if now.role == epochs.COPY and now.control and is_live(copy):
        made = told(Path(now.control), {"do": "promote"}, "standby")
        epoch = int(made["epoch"])
    else:
        epoch = epochs.taken_over(copy).epoch
    if json_out:
        print(json.dumps({"copy": str(copy), "epoch": epoch}))
    else:
        print(f"{copy} took over: epoch {epoch}. hft live --resume --journal {copy} goes on.")


@standby.command("status")
def status_command(
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="The copy's folder.")],
    json_out: Json = False,
) -> None:
    """What a standby has, and whom it follows."""
    from hftlib.core.control.asking import told
    from hftlib.ops import epochs

    now = epochs.read(copy)
    if now.role != epochs.COPY or not now.control:
        do = "Start it: hft standby --listen HOST:PORT --journal COPY."
        raise StateError("No standby that listens keeps this copy", where=str(copy), do=do)
    found = told(Path(now.control), {"do": "status"}, "standby")
    found.pop("ok", None)
    if json_out:
        print(json.dumps(found))
        return
    follows = f"follows {found['follows']}" if found["follows"] else "follows nobody now"
    print(f"{copy}: {found['acknowledged']:,} frames, epoch {found['epoch']}, {follows}")
    if found["why"]:
        print(found["why"])


def _compiled() -> None:
    """Nothing compiles while a runner waits."""
    from hftlib.core import jit
    from hftlib.core.journal import copying

    assert copying is not None
    with patience() as advance:
        jit.warm(lambda done, total, name: advance(done / total, f"compiling {name}"))


def _every(made: Any, json_out: bool) -> Callable[[], None]:
    """A line a second for machines, where something came; for people what happens is said."""
    shown = [0.0, -1]

    def line() -> None:
        now = time.monotonic()
        if now - shown[0] >= TOLD_S and made.keeps.acknowledged != shown[1]:
            shown[:] = [now, made.keeps.acknowledged]
            _say_json("at", {"frames": made.keeps.acknowledged})

    return line if json_out else lambda: None


def _say(what: str, more: dict[str, Any]) -> None:
    words = ", ".join(f"{name} {value}" for name, value in more.items() if value not in ("", False))
    print(f"{what}: {words}", flush=True)


def _say_json(what: str, more: dict[str, Any]) -> None:
    print(json.dumps({"what": what} | more, ensure_ascii=False), flush=True)
