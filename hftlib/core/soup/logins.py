"""Who may log in to a SoupBinTCP server, and what a server tells of its clients.

Passwords are compared in the driver, and wiped from the memory of a session, which others may map.
Worst case: a login that no frame can carry is refused when the server is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hftlib.core.errors import InputError
from hftlib.core.soup import frames
from hftlib.core.units import shown


@dataclass(frozen=True, slots=True)
class Login:
    """Who may log in, and to what. `cancel_on_disconnect` is for the venue behind the server."""

    user: str
    password: str = field(repr=False)
    stream: str
    exclusive: bool = True
    cancel_on_disconnect: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """One thing that a server tells: LOGIN, MESSAGE, DEBUG or GONE, and of whom."""

    kind: str
    login: Login | None
    connection: int
    data: bytes = b""
    number: int = 0
    reason: str = ""


def streams_of(logins: Sequence[Login]) -> dict[str, int]:
    """The streams by name, each with its place."""
    if not logins:
        raise InputError(
            "A server without logins serves nobody",
            where="SoupServer(logins=...)",
            do='Give at least one: Login("user", "secret", stream="OUCH1").',
        )
    seen: set[str] = set()
    for login in logins:
        frames.login(login.user, login.password, login.stream)  # refuses what is no text of these
        if login.user in seen or not login.stream.strip():
            raise InputError(
                f"{shown(login.user)} has a login already, or no stream",
                where="SoupServer(logins=...)",
                do="Give each user one login, with the name of a stream.",
            )
        seen.add(login.user)
    return {name: n for n, name in enumerate(dict.fromkeys(login.stream for login in logins))}
