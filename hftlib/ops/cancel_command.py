"""`hft cancel-all` and `hft allow-entry`: at the venue itself, without any runner.

    hft cancel-all --exchange exchange.json --user frm1k --why "the host is lost"
    hft allow-entry --exchange exchange.json --user frm1k --why "found out" --second bob

The account must be one that purges (docs/exchange.md). No order of its firm is let in any more, all
that stand go, by whichever session they came, and the drop copy is heard to its end to prove it.
Until `allow-entry` the firm sends nothing: so a runner that still runs somewhere is stopped too.

Worst case: a venue that cannot be reached; after `--seconds` it says what it waited for, and leaves
3: what was asked may have been done all the same.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hftlib.core.errors import InputError, StateError
from hftlib.terminal import Json, leave_through_finally

if TYPE_CHECKING:
    from hftlib.ops.drop_copy import DropCopy
    from hftlib.ops.exchanges import Exchanges
    from hftlib.ops.last_resort import LastResort, Resorts

SHOWN_MAX = 50
Exchange = Annotated[Path, typer.Option(help="What `hft exchange --json` printed.")]
User = Annotated[str, typer.Option(help="An account that purges.")]
Why = Annotated[str, typer.Option(help="It is printed with what was done.")]
Password = Annotated[str, typer.Option(envvar="HFT_CANCEL_PASSWORD")]
CopyUser = Annotated[str, typer.Option(help='Hears the drop copy; "": nothing is proved.')]
CopyPassword = Annotated[str, typer.Option(envvar="HFT_COPY_PASSWORD")]
Seconds = Annotated[float, typer.Option(help="Give up after so long; 0: never.", min=0.0)]
Say = Callable[[str, dict[str, Any]], None]


def cancel_all_command(
    exchange: Exchange,
    why: Why,
    user: User = "frm1k",
    password: Password = "secret",
    copy_user: CopyUser = "frm1d",
    copy_password: CopyPassword = "secret",
    keep_entry: Annotated[
        bool, typer.Option("--keep-entry", help="New orders of the firm are still let in.")
    ] = False,
    seconds: Seconds = 30.0,
    json_out: Json = False,
) -> None:
    """Cancel at the venue all that a firm has standing, and let nothing new in."""
    from hftlib.ops.cancel_session import CancelSession
    from hftlib.ops.drop_copy import DropCopy
    from hftlib.ops.last_resort import LastResort, see_through
    from hftlib.ops.launching import copy_place

    leave_through_finally()
    copy = DropCopy(copy_place(exchange), copy_user, copy_password) if copy_user else None
    session = CancelSession(_entry_of(exchange), user, password)
    resort = LastResort(session, copy, spoken(json_out), "C" if keep_entry else "DC")
    try:
        resort.begin(f"{getpass.getuser()}: {why}")
        if not see_through(resort, seconds):
            raise _unsure(resort.why, seconds, f"hft cancel-all --user {user}")
    finally:
        resort.close()
    _print_cancelled(resort, json_out)
    if not resort.is_proved:
        raise StateError(
            "The venue says that it cancelled; nothing proves that nothing stands",
            where="hft cancel-all",
            do="Name who hears the drop copy: --copy-user.",
        )


def allow_entry_command(
    exchange: Exchange,
    why: Why,
    second: Annotated[str, typer.Option(help="The second person that agrees.")],
    who: Annotated[str, typer.Option(help="Who says so; you without it.")] = "",
    user: User = "frm1k",
    password: Password = "secret",
    seconds: Seconds = 30.0,
    json_out: Json = False,
) -> None:
    """Let orders of a firm in again, after `cancel-all` or the watchdog: two people say so."""
    from hftlib.ops.cancel_session import CancelSession
    from hftlib.ops.last_resort import LastResort, see_through

    leave_through_finally()
    first = who or getpass.getuser()
    if first == second.strip() or not second.strip():
        do = "Name another one: --second NAME."
        raise InputError("It takes two people", where="hft allow-entry --second", do=do)
    say = spoken(json_out)
    session = CancelSession(_entry_of(exchange), user, password)
    resort = LastResort(session, None, lambda _what, _more: None, "E")
    try:
        resort.begin(why)
        if not see_through(resort, seconds):
            raise _unsure(resort.why, seconds, f"hft allow-entry --user {user}")
    finally:
        resort.close()
    say("entry is allowed", {"who": first, "second": second, "why": why})


def resort_of(
    exchanges: Exchanges,
    users: Mapping[str, str],
    password: str,
    copies: Mapping[str, DropCopy],
    say: Say,
) -> LastResort | Resorts | None:
    """A watchdog's own, at each venue that an account is named for; all by venue."""
    wanted = {venue: user for venue, user in users.items() if user}
    if not wanted:
        return None
    from hftlib.ops.cancel_session import CancelSession
    from hftlib.ops.exchanges import passwords
    from hftlib.ops.last_resort import LastResort, Resorts

    words = passwords(exchanges.venues, password, "HFT_CANCEL_PASSWORD")
    made = []
    for venue, user in wanted.items():
        session = CancelSession(_entry_of(exchanges.files[venue]), user, words[venue])
        tells = say if len(copies) == 1 else partial(_say_of, say, venue)
        made.append(LastResort(session, copies[venue], tells))
    return made[0] if len(made) == 1 else Resorts(made)


def _say_of(say: Say, venue: str, what: str, more: dict[str, Any]) -> None:
    say(what, {"venue": venue} | more)


def spoken(json_out: bool) -> Say:
    """A line for each thing that happens: of JSON, or for people."""

    def say(what: str, more: dict[str, Any]) -> None:
        if json_out:
            print(json.dumps({"what": what} | more), flush=True)
        else:
            words = (one if name in _BARE else f"{name} {one}" for name, one in more.items())
            print(f"{what}: {', '.join(map(str, words))}", flush=True)

    return say


_BARE = ("why", "process", "who")


def _entry_of(exchange: Path) -> tuple[str, int]:
    from hftlib.ops.launching import exchange_of

    host, port = exchange_of(exchange)["order_entry"]
    return str(host), int(port)


def _print_cancelled(resort: LastResort, json_out: bool) -> None:
    found = resort.cancelled
    if json_out:
        names = ("of", "urn", "side", "symbol", "price")
        rows = [{n: getattr(one, n) for n in names} | {"quantity": q} for one, q in found]
        print(json.dumps({"what": "cancelled", "orders": rows}), flush=True)
        return
    for order, count in found[:SHOWN_MAX]:
        side = "buys" if order.side == "B" else "sells"
        print(f"  session {order.of}, order {order.urn}: {side} {count:,} {order.symbol} at"
              f" {order.price}")  # fmt: skip
    if len(found) > SHOWN_MAX:
        print(f"  and {len(found) - SHOWN_MAX:,} more")


def _unsure(why: str, seconds: float, where: str) -> StateError:
    return StateError(
        f"After {seconds:g} s it is not known that nothing stands: {why or 'no answer yet'}",
        where=where,
        do="Say it again, or call the venue's desk: it can cancel for you.",
    )
