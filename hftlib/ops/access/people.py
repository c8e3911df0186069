"""The file of people: who there is, in which roles, and what proves them.

    people = People(path)                     hftlib's own place without one: ~/.config/hftlib
    people.named("ann")                       a Person, or None; read again when the file changed
    people.change(lambda found: ...)          alone with it; on the disk before it returns

    {"format": 1, "people": {"ann": {"roles": ["operator"], "password": "$argon2id$...",
        "totp": "gAAAA... (sealed)", "tokens": {"4f2a81c0": {"digest": ..., "scope": "look",
        "until_ns": ..., "note": "grafana"}}}}}

Mode 0600; refused where others may read or write it. It holds nothing that can be used as it is.
Worst case: 4 MiB, a few thousand people; read whole when it changed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.ops.access.private import BYTES_MAX, alone, read_private, write_private
from hftlib.ops.access.roles import ROLES
from hftlib.ops.access.vault import config_folder

WHAT = "The file of people"
FORMAT = 1
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,30}", re.ASCII)  # a directive holds 32 bytes of it
SCOPES = ("look", "act")
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TOKEN = re.compile(r"[0-9a-f]{8}", re.ASCII)
_DO = "Restore it from a copy, or take the person away and add them again: hft access."


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: enough to know it again, and nothing to use."""

    digest: str = field(repr=False)
    scope: str
    until_ns: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One of them."""

    name: str
    roles: tuple[str, ...]
    password: str = field(repr=False)
    totp: str = field(repr=False)  # sealed
    tokens: Mapping[str, Token] = field(default_factory=dict, repr=False)

    def told(self) -> dict[str, Any]:
        """As the file has it."""
        tokens = {id_: asdict(one) for id_, one in sorted(self.tokens.items())}
        return {
            "roles": list(self.roles),
            "password": self.password,
            "totp": self.totp,
            "tokens": tokens,
        }


Found = dict[str, Person]


class People:
    """The file, read when it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] = ()
        self._found: Found = {}

    def all(self) -> Found:
        """Everybody, by name."""
        try:
            now = os.stat(self.path)
        except OSError:
            self._seen, self._found = (), {}
            return self._found
        seen = (now.st_ino, now.st_mtime_ns, now.st_size, now.st_mode, now.st_uid)
        if seen != self._seen:
            self._found = _people_of(read_private(self.path, WHAT), self.path)
            self._seen = seen
        return self._found

    def named(self, name: str) -> Person | None:
        return self.all().get(name)

    def change(self, how: Callable[[Found], None]) -> None:
        """Read it, change what was read, write it: alone."""
        with alone(self.path, WHAT):
            found = _people_of(read_private(self.path, WHAT), self.path)
            how(found)
            told = {"format": FORMAT, "people": {n: p.told() for n, p in sorted(found.items())}}
            write_private(self.path, f"{json.dumps(told, indent=1)}\n".encode(), WHAT)
        self._seen = ()


def people_place() -> Path:
    """Where this user's file is: $HFT_PEOPLE, or with this user's settings."""
    given = os.environ.get("HFT_PEOPLE")
    return Path(given) if given else config_folder() / "people.json"


def require_name(name: str) -> str:
    if not NAME.fullmatch(name):
        do = "Begin with a letter; small letters, digits, - . and _ may follow, 31 in all."
        raise InputError(f"Nobody can be called {shown(name)}", where="hft access", do=do)
    return name


def require_roles(roles: list[str]) -> tuple[str, ...]:
    for role in roles:
        if role not in ROLES:
            do = f"Use one of {', '.join(ROLES)}."
            raise InputError(f"There is no role {shown(role)}", where="--role", do=do)
    if not roles:
        do = f"Name one or more of {', '.join(ROLES)}."
        raise InputError("No role is given", where="--role", do=do)
    return tuple(role for role in ROLES if role in roles)


def _people_of(data: bytes, path: Path) -> Found:
    if not data:
        return {}
    try:
        if len(data) > BYTES_MAX:
            raise ValueError("it is longer than it may be")
        told = json.loads(data, object_pairs_hook=_once)
        if told["format"] != FORMAT or set(told) != {"format", "people"}:
            raise ValueError("it is not of this format")
        return {name: _person(name, one) for name, one in told["people"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # Not the error's own text where it quotes what it read: that may be a secret.
        why = str(error) if type(error) is ValueError else "it is not JSON as hft access writes it"
        raise InputError(f"{WHAT} is damaged: {why}", where=str(path), do=_DO) from None


def _person(name: str, told: dict[str, Any]) -> Person:
    texts = (told["password"], told["totp"])
    is_right = (
        NAME.fullmatch(name)
        and set(told) == {"roles", "password", "totp", "tokens"}
        and isinstance(told["roles"], list)
        and all(role in ROLES for role in told["roles"])
        and all(isinstance(text, str) and len(text) < 1_000 for text in texts)
        and told["password"].startswith("$argon2id$")
    )
    if not is_right:
        raise ValueError(f"what it says of {shown(name)} cannot be")
    tokens = {id_: _token(id_, one) for id_, one in told["tokens"].items()}
    return Person(name, tuple(told["roles"]), told["password"], told["totp"], tokens)


def _token(id_: str, told: dict[str, Any]) -> Token:
    made = Token(**told)
    is_right = (
        _TOKEN.fullmatch(id_)
        and isinstance(made.digest, str)
        and _DIGEST.fullmatch(made.digest)
        and made.scope in SCOPES
        and type(made.until_ns) is int
        and isinstance(made.note, str)
    )
    if not is_right:
        raise ValueError("one of its tokens cannot be")
    return made


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice would be two people."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found
