"""Passwords: argon2id at rest, and the same work for a name that nobody has.

    kept = hashed("correct horse battery")       $argon2id$v=19$m=65536,t=3,p=4$...
    is_right(kept, given)                        None for `kept`: a name that does not exist

Worst case: 64 MiB and a tenth of a second for each; two at once, the others wait.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from hftlib.core.errors import InputError

LEAST, MOST = 10, 256
AT_ONCE = 2
_turns = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """As it is kept; refused where it is too short to be one."""
    if not LEAST <= len(password) <= MOST:
        raise InputError(
            f"A password has at least {LEAST} characters, {MOST} at most",
            where="the password",
            do="Take some words that nobody guesses.",
        )
    with _turns:
        return str(_hasher().hash(password))


def is_right(kept: str | None, given: str) -> bool:
    """Whether it is that password; for a name that does not exist as much work, and no."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    with _turns:
        try:
            _hasher().verify(kept or _nobodys(), given[:MOST])
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False
    return kept is not None and len(given) <= MOST


@cache
def _nobodys() -> str:
    """A hash that no password has: of bytes that nobody knows."""
    import secrets

    return str(_hasher().hash(secrets.token_hex(32)))


@cache
def _hasher() -> Any:
    from hftlib.ops.access.needed import require

    require("argon2", "argon2-cffi")
    from argon2 import PasswordHasher

    return PasswordHasher()
