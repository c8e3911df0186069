"""`hft cancel-all` and `hft allow-entry`: at the venue itself, without any runner.

    hft cancel-all --exchange exchange.json --user frm1k --why "the host is lost"
    hft allow-entry --exchange exchange.json --user frm1k --why "found out" --second bob
    hft cancel-all --exchange XNAS=a.json --exchange XBOS=b.json --user XBOS=frm2k --why "..."

Of several exchanges all are asked at once, and each says for itself what came of it.

The account must be one that purges (docs/exchange.md). No order of its firm is let in any more, all
that stand go, by whichever session they came, and the drop copy is heard to its end to prove it.
Until `allow-entry` the firm sends nothing: so a runner that still runs somewhere is stopped too.

Worst case: a venue that cannot be reached; after `--seconds` it says what it waited for, and leaves
3: what was asked may have been done all the same. The others are done by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hftlib.core.errors import InputError, StateError
from hftlib.terminal import Json, leave_through_finally, person

if TYPE_CHECKING:
    from hftlib.ops.drop_copy import DropCopy
    from hftlib.ops.exchanges import Exchanges
    from hftlib.ops.last_resort import LastResort, Resorts

SHOWN_MAX = 50
Exchange = Annotated[
    list[str],
    typer.Option(
        metavar="[VENUE=]FILE", help="What `hft exchange --json` printed; repeat for several."
    ),
]
User = Annotated[
    list[str] | None,
    typer.Option(metavar="[VENUE=]USER", help="An account that purges; frm1k without it."),
]
Why = Annotated[str, typer.Option(help="It is printed with what was done.")]
Password = Annotated[str, typer.Option(envvar="HFT_CANCEL_PASSWORD")]
CopyUser = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[VENUE=]USER", help='Hears the drop copy; frm1d without it, "": nothing is proved.'
    ),
]
CopyPassword = Annotated[str, typer.Option(envvar="HFT_COPY_PASSWORD")]
Seconds = Annotated[float, typer.Option(help="Give up after so long; 0: never.", min=0.0)]
Say = Callable[[str, dict[str, Any]], None]


def cancel_all_command(
    exchange: Exchange,
    why: Why,
    user: User = None,
    password: Password = "secret",
    copy_user: CopyUser = None,
    copy_password: CopyPassword = "secret",
    keep_entry: Annotated[
        bool, typer.Option("--keep-entry", help="New orders of the firm are still let in.")
    ] = False,
    seconds: Seconds = 30.0,
    json_out: Json = False,
) -> None:
    """Cancel at each venue all that a firm has standing, and let nothing new in."""
    from hftlib.ops.drop_copy import DropCopy
    from hftlib.ops.exchanges import Exchanges, passwords
    from hftlib.ops.launching import copy_place

    leave_through_finally()
    exchanges = Exchanges(exchange, "hft cancel-all")
    users = exchanges.each(user or [], "frm1k", "--user")
    hears = exchanges.each(copy_user or [], "frm1d", "--copy-user")
    words = passwords(exchanges.venues, copy_password, "HFT_COPY_PASSWORD")
    copies = {
        venue: DropCopy(copy_place(path), hears[venue], words[venue]) if hears[venue] else None
        for venue, path in exchanges.files.items()
    }
    letters = "C" if keep_entry else "DC"
    say = spoken(json_out)
    made = _resorts(exchanges, users, password, copies, say, letters)
    _see(made, f"{person()}: {why}", seconds)
    several = len(made) > 1
    for venue, resort in made.items():
        if resort.is_done:
            _print_cancelled(resort, json_out, venue if several else "")
    _require_done(made, users, seconds, "hft cancel-all")
    unproved = [venue for venue, resort in made.items() if not resort.is_proved]
    if unproved:
        of = f" of {', '.join(unproved)}" * several
        raise StateError(
            f"The venue says that it cancelled; nothing proves that nothing stands{of}",
            where="hft cancel-all",
            do="Name who hears the drop copy: --copy-user.",
        )


def allow_entry_command(
    exchange: Exchange,
    why: Why,
    second: Annotated[str, typer.Option(help="The second person that agrees.")],
    who: Annotated[str, typer.Option(help="Who says so; you without it.")] = "",
    user: User = None,
    password: Password = "secret",
    seconds: Seconds = 30.0,
    json_out: Json = False,
) -> None:
    """Let orders of a firm in again, after `cancel-all` or the watchdog: two people say so."""
    from hftlib.ops.exchanges import Exchanges

    leave_through_finally()
    first = who or person()
    if first == second.strip() or not second.strip():
        do = "Name another one: --second NAME."
        raise InputError("It takes two people", where="hft allow-entry --second", do=do)
    say = spoken(json_out)
    exchanges = Exchanges(exchange, "hft allow-entry")
    users = exchanges.each(user or [], "frm1k", "--user")
    quiet = dict.fromkeys(exchanges.venues)
    made = _resorts(exchanges, users, password, quiet, lambda _what, _more: None, "E")
    _see(made, why, seconds)
    for venue, resort in made.items():
        if resort.is_done:
            at = {"venue": venue} if len(made) > 1 else {}
            say("entry is allowed", at | {"who": first, "second": second, "why": why})
    _require_done(made, users, seconds, "hft allow-entry")


def _resorts(
    exchanges: Exchanges,
    users: Mapping[str, str],
    password: str,
    copies: Mapping[str, DropCopy | None],
    say: Say,
    letters: str,
) -> dict[str, LastResort]:
    """One at each venue; of several each says whose it is."""
    from hftlib.ops.cancel_session import CancelSession
    from hftlib.ops.exchanges import passwords
    from hftlib.ops.last_resort import LastResort

    exchanges.told()  # one exchange under two names is refused
    words = passwords(exchanges.venues, password, "HFT_CANCEL_PASSWORD")
    made = {}
    for venue, path in exchanges.files.items():
        session = CancelSession(_entry_of(path), users[venue], words[venue])
        tells = say if len(users) == 1 else partial(_say_of, say, venue)
        made[venue] = LastResort(session, copies[venue], tells, letters)
    return made


def _see(made: Mapping[str, LastResort], why: str, seconds: float) -> None:
    """All at once, until each is done, or so long."""
    from hftlib.ops.last_resort import Resorts, see_through

    every = Resorts(list(made.values()))
    try:
        every.begin(why)
        see_through(every, seconds)
    finally:
        every.close()


def _require_done(
    made: Mapping[str, LastResort], users: Mapping[str, str], seconds: float, where: str
) -> None:
    """Whoever is not known to be done is named, with what it waits for."""
    open_yet = {venue: one.why or "no answer yet" for venue, one in made.items() if not one.is_done}
    if not open_yet:
        return
    several = len(made) > 1
    why = "; ".join(f"{venue}: " * several + told for venue, told in open_yet.items())
    names = " ".join(f"--user {venue}={users[venue]}" for venue in open_yet)
    raise _unsure(
        why, seconds, f"{where} {names if several else f'--user {users[next(iter(users))]}'}"
    )


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


def _print_cancelled(resort: LastResort, json_out: bool, venue: str) -> None:
    """Each order that was taken back; at which venue, where there are several."""
    found = resort.cancelled
    at = {"venue": venue} if venue else {}
    if json_out:
        names = ("of", "urn", "side", "symbol", "price")
        rows = [{n: getattr(one, n) for n in names} | {"quantity": q} for one, q in found]
        print(json.dumps({"what": "cancelled", **at, "orders": rows}), flush=True)
        return
    for order, count in found[:SHOWN_MAX]:
        side = "buys" if order.side == "B" else "sells"
        whose = f"{venue}: " * bool(venue) + f"session {order.of}, order {order.urn}"
        print(f"  {whose}: {side} {count:,} {order.symbol} at {order.price}")
    if len(found) > SHOWN_MAX:
        print(f"  and {len(found) - SHOWN_MAX:,} more")


def _unsure(why: str, seconds: float, where: str) -> StateError:
    return StateError(
        f"After {seconds:g} s it is not known that nothing stands: {why or 'no answer yet'}",
        where=where,
        do="Say it again, or call the venue's desk: it can cancel for you.",
    )
