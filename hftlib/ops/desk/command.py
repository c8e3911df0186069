"""`hft desk`: what a desk looks at all day, in a browser.

    hft desk                                   beside hft live on a laptop: http://127.0.0.1:8470
    hft desk --runner maker=/run/hft/maker.socket --shelf releases --trusted keys
    hft desk --view 10.0.0.5:8470 --control 10.0.0.5:8471 --certificate server.pem \\
        --key server.key --client-authority authority.pem
    hft desk certificate --into tls --host desk.example

The view plane looks, the control plane acts as well. Without people (`hft access add`) there is the
view plane alone, on this host alone, for anybody of it.
Worst case: none; it reads what others keep.
"""

from __future__ import annotations

import ipaddress
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json

if TYPE_CHECKING:
    from hftlib.ops.access.people import People

VIEW, CONTROL, OFF = "127.0.0.1:8470", "127.0.0.1:8471", "off"

desk = typer.Typer(
    help="A page over all runners: what they hold, do and may; and what stops them.",
    invoke_without_command=True,
)


@desk.callback()
def desk_command(
    context: typer.Context,
    runner: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SOCKET", help="Only these; all of yours without. Repeatable."),
    ] = None,
    people: Annotated[Path | None, typer.Option(help="Who may: as hft access wrote it.")] = None,
    shelf: Annotated[Path | None, typer.Option(help="The folder of releases: rollouts.")] = None,
    trusted: Annotated[Path | None, typer.Option(help="Keys that rollouts are held to.")] = None,
    alerts: Annotated[Path | None, typer.Option(help="The folder of hft alerts.")] = None,
    audit: Annotated[Path | None, typer.Option(help="The log; this user's without it.")] = None,
    view: Annotated[str, typer.Option(metavar="ADDRESS:PORT", help="Where it looks.")] = VIEW,
    control: Annotated[
        str, typer.Option(metavar="ADDRESS:PORT", help="Where it acts; off: nowhere.")
    ] = CONTROL,
    certificate: Annotated[Path | None, typer.Option(help="TLS: the server's, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    client_authority: Annotated[
        Path | None, typer.Option(help="Clients of control need a certificate of it.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Another name of this desk. Repeatable.")
    ] = None,
    idle: Annotated[
        float, typer.Option(min=0.01, max=1_440.0, help="Minutes until control logs out.")
    ] = 30.0,
    json_out: Json = False,
) -> None:
    """Serve the desk until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    from hftlib.ops.access.needed import require

    for module in ("fastapi", "uvicorn"):
        require(module)
    from hftlib.ops.desk.opening import Wishes, opened

    wishes = Wishes(
        runners=tuple(runner or ()),
        people=_people(people),
        shelf=shelf,
        trusted=trusted,
        alerts=alerts,
        audit=audit,
        view=_address(view, "--view"),
        control=None if control == OFF else _address(control, "--control"),
        certificate=certificate,
        key=key,
        authority=client_authority,
        hosts=tuple(host or ()),
        idle_s=idle * 60.0,
    )
    opened(wishes, lambda told: _say(told, json_out))


@desk.command("certificate")
def certificate_command(
    into: Annotated[Path, typer.Option(help="A folder for them.")] = Path("tls"),
    host: Annotated[
        list[str] | None, typer.Option(help="Names and addresses of the desk. Repeatable.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How long they hold.")] = 365,
    json_out: Json = False,
) -> None:
    """An authority, a server's and a client's certificate, to begin with."""
    from hftlib.ops.desk.certificates import made

    files = made(into, host or [], days)
    if json_out:
        print(json.dumps([str(path) for path in files]))
        return
    print(
        f"hft desk --certificate {into}/server.pem --key {into}/server.key "
        f"--client-authority {into}/authority.pem\n"
        f"Into the browser: {into}/authority.pem to trust it, {into}/client.p12 to be let in.\n"
        f"Keep {into}/authority.key away from here: it makes more of them."
    )


def _people(given: Path | None) -> People | None:
    """Who there is; nobody where no file says so."""
    from hftlib.ops.access.people import People, people_place

    found = People(given or people_place())
    if given is not None and not given.exists():
        do = "Make somebody: hft access add ann --role operator --people FILE."
        raise InputError("There is no file of people", where=str(given), do=do)
    return found if found.all() else None


def _address(text: str, option: str) -> tuple[str, int]:
    address, colon, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    try:
        is_right = bool(colon) and 0 <= int(port) <= 65_535 and port.isascii()
        if address != "localhost":
            ipaddress.ip_address(address)
    except ValueError:
        is_right = False
    if not is_right:
        do = f"Write ADDRESS:PORT, an address of this host: {VIEW}."
        raise InputError(f"{text!a} is no address and port", where=option, do=do)
    return address, int(port)


def _say(told: dict[str, Any], json_out: bool) -> None:
    if json_out:
        print(json.dumps(told), flush=True)
        return
    print(f"look: {told['view']}", flush=True)
    if told["control"]:
        print(f"act:  {told['control']}", flush=True)
    else:
        print(f"Nobody acts here: {told['why']}", file=sys.stderr, flush=True)
