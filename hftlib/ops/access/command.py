"""`hft access`: who may look at the desk and act on it.

    hft access add ann --role operator          asks for the password; shows the second factor once
    hft access list
    hft access roles ann --role risk            these and no others
    hft access password ann                     a new one; --code: a new second factor as well
    hft access token grafana --scope look       for a program; shown once
    hft access token ann --revoke 4f2a81c0
    hft access remove ann

Each change is a line of the audit log. No secret is an argument: a password is typed, or is the one
line of a file of mode 0600 (--password-file). Worst case: none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json, person, show

if TYPE_CHECKING:
    from hftlib.ops.access.people import Found, People, Person

access = typer.Typer(
    help="People of the desk: roles, passwords, second factors, tokens.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As they log in: small letters.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="researcher, approver, operator, risk, auditor. Repeatable."),
]
Place = Annotated[
    Path | None, typer.Option("--people", help="The file of people; this user's without it.")
]
PasswordFile = Annotated[
    Path | None, typer.Option(help="One line, mode 0600; without it you are asked.")
]
DAYS_MAX = 3_650


@access.command("add")
def add_command(
    name: Name,
    role: Roles = None,
    password_file: PasswordFile = None,
    people: Place = None,
    json_out: Json = False,
) -> None:
    """Somebody new: a password, roles, and a second factor, which is shown once."""
    from hftlib.ops.access.codes import new_secret, uri
    from hftlib.ops.access.passwords import hashed
    from hftlib.ops.access.people import Person, require_name, require_roles
    from hftlib.ops.access.vault import open_vault

    roles, place = require_roles(role or []), _people(people)
    if place.named(require_name(name)) is not None:
        raise _taken(name)
    kept, secret, vault = hashed(_password(password_file)), new_secret(), open_vault(make=True)

    def add(found: Found) -> None:
        if name in found:
            raise _taken(name)
        found[name] = Person(name, roles, kept, vault.seal(secret))

    place.change(add)
    _audited(f"add {name}", roles=", ".join(roles))
    told = {"name": name, "roles": list(roles), "otpauth": uri(secret, name), "key": vault.where}
    if json_out:
        print(json.dumps(told))
        return
    print(f"{name} may be {', '.join(roles)}. Into their authenticator, now or never again:")
    print(f"\n    {told['otpauth']}\n\n    by hand: {secret}\n")
    print(f"The secret is sealed under the key in {vault.where}.", file=sys.stderr)


@access.command("list")
def list_command(people: Place = None, json_out: Json = False) -> None:
    """Who there is, their roles and tokens; nothing that proves them."""
    from rich.table import Table

    from hftlib.core.times import to_text

    rows = [_told(one) for _, one in sorted(_people(people).all().items())]
    if json_out:
        print(json.dumps(rows, indent=2))
        return
    table = Table("name", "roles", "tokens")
    for row in rows:
        tokens = [
            f"{one['id']} {one['scope']} until {to_text(one['until_ns'])[:10]} {one['note']}"
            for one in row["tokens"]
        ]
        table.add_row(row["name"], ", ".join(row["roles"]), "\n".join(tokens))
    show(table)


@access.command("roles")
def roles_command(name: Name, role: Roles = None, people: Place = None) -> None:
    """Other roles for somebody: these and no others."""
    from dataclasses import replace

    from hftlib.ops.access.people import require_roles

    roles = require_roles(role or [])
    _change(people, name, lambda one: replace(one, roles=roles))
    _audited(f"roles {name}", roles=", ".join(roles))
    print(f"{name} may be {', '.join(roles)}.")


@access.command("password")
def password_command(
    name: Name,
    code: Annotated[
        bool, typer.Option("--code", help="A new second factor as well, shown once.")
    ] = False,
    password_file: PasswordFile = None,
    people: Place = None,
) -> None:
    """Another password for somebody, whose sessions end."""
    from dataclasses import replace

    from hftlib.ops.access.codes import new_secret, uri
    from hftlib.ops.access.passwords import hashed
    from hftlib.ops.access.vault import open_vault

    _require(_people(people), name)
    kept, secret = hashed(_password(password_file)), new_secret()
    sealed = open_vault(make=True).seal(secret) if code else ""
    _change(people, name, lambda one: replace(one, password=kept, totp=sealed or one.totp))
    _audited(f"password {name}", second_factor=code)
    print(f"The password of {name} is another one.")
    if code:
        print(f"Into their authenticator, now or never again:\n\n    {uri(secret, name)}\n")


@access.command("token")
def token_command(
    name: Name,
    scope: Annotated[str, typer.Option(help="look; act may tighten as well.")] = "look",
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="How long it holds.")] = 90,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    revoke: Annotated[str, typer.Option(metavar="ID", help="Take this one away.")] = "",
    people: Place = None,
    json_out: Json = False,
) -> None:
    """A token for a program, by which it is this person: shown once."""
    from dataclasses import replace

    from hftlib.core import clock
    from hftlib.ops.access.people import SCOPES
    from hftlib.ops.access.tokens import new_token

    if revoke:
        _revoke(people, name, revoke)
        return
    if scope not in SCOPES:
        raise InputError(f"There is no scope {scope!r}", where="--scope", do="Use look or act.")
    if len(note) > 60 or not note.isprintable():
        raise InputError("This is no note", where="--note", do="Use at most 60 letters.")
    until = clock.now_ns() + days * 86_400 * 10**9
    text, id_, kept = new_token(scope, until, note)
    _change(people, name, lambda one: replace(one, tokens={**one.tokens, id_: kept}))
    _audited(f"token {name}", id=id_, scope=scope, days=days)
    if json_out:
        print(json.dumps({"name": name, "id": id_, "token": text, "until_ns": until}))
    else:
        print(f"{text}\nIt is shown once. Send it as: Authorization: Bearer TOKEN")


@access.command("remove")
def remove_command(name: Name, people: Place = None) -> None:
    """Somebody is gone, their sessions and tokens with them."""
    place = _people(people)
    _require(place, name)

    def without(found: Found) -> None:
        found.pop(name, None)

    place.change(without)
    _audited(f"remove {name}")
    print(f"{name} is gone.")


def _people(given: Path | None) -> People:
    from hftlib.ops.access.people import People, people_place

    return People(given or people_place())


def _require(place: People, name: str) -> Person:
    found = place.named(name)
    if found is None:
        do = "See who there is: hft access list."
        raise InputError(f"There is nobody called {name!a}", where=str(place.path), do=do)
    return found


def _taken(name: str) -> InputError:
    do = "Take another name, or change theirs: hft access roles, hft access password."
    return InputError(f"There is a {name} already", where="hft access add", do=do)


def _change(given: Path | None, name: str, how: Any) -> None:
    place = _people(given)
    _require(place, name)

    def change(found: Found) -> None:
        if name in found:  # gone meanwhile: then there is nothing to change
            found[name] = how(found[name])

    place.change(change)


def _revoke(given: Path | None, name: str, id_: str) -> None:
    from dataclasses import replace

    if id_ not in _require(_people(given), name).tokens:
        do = "See which there are: hft access list."
        raise InputError(f"{name} has no token {id_!a}", where="--revoke", do=do)

    def without(one: Person) -> Person:
        return replace(one, tokens={k: v for k, v in one.tokens.items() if k != id_})

    _change(given, name, without)
    _audited(f"revoke {name}", id=id_)
    print(f"The token {id_} of {name} is gone.")


def _told(one: Person) -> dict[str, Any]:
    tokens = [
        {"id": id_, "scope": kept.scope, "until_ns": kept.until_ns, "note": kept.note}
        for id_, kept in one.tokens.items()
    ]
    return {"name": one.name, "roles": list(one.roles), "tokens": tokens}


def _password(file: Path | None) -> str:
    from hftlib.ops.passphrases import line_of_file

    if file is not None:
        return line_of_file(file)
    if not sys.stdin.isatty():
        what, do = "Nobody is at a terminal to type the password", "Give a file: --password-file."
        raise InputError(what, where="the password", do=do)
    import getpass

    words = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != words:
        raise InputError("The two differ", where="the password", do="Type it again.")
    return words


def _audited(what: str, **facts: Any) -> None:
    from hftlib.core.audit import AuditLog, audit_place

    with AuditLog(audit_place()) as log:
        log.append(who=person(), did="access", what=what, **facts)
