"""The second factor: codes of 30 seconds (TOTP, RFC 6238), each of which is accepted once.

    secret = new_secret()                         for the person's authenticator: uri(secret, name)
    Codes(place).accept("ann", secret, code, now)

A code is of one step of 30 s; that before and that after count too, for clocks that differ. Which
step of a person was used last is on the disk before the code counts, in a file beside that of the
people, so that a code that somebody has seen is refused also after a restart, and by another desk
of the same people.

Worst case: whoever needs two codes in a row waits for the next, 30 s at most.
"""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.ops.access.needed import require
from hftlib.ops.access.private import alone, read_private, write_private

STEP_S, AROUND, DIGITS = 30, 1, 6
ISSUER = "hftlib"
WHAT = "The file of used codes"


def new_secret() -> str:
    """160 bits, as authenticators take them."""
    require("pyotp")
    import pyotp

    return str(pyotp.random_base32())


def uri(secret: str, name: str) -> str:
    """What an authenticator reads: shown once."""
    import pyotp

    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))


class Codes:
    """Which codes were used already."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def accept(self, name: str, secret: str, code: str, now_s: float) -> bool:
        """Whether this code proves the person now; it does so once."""
        step = _step_of(secret, code, now_s)
        if step is None:
            return False
        with alone(self._place, WHAT):
            used = self._used()
            if step <= used.get(name, 0):
                return False
            write_private(self._place, json.dumps(used | {name: step}).encode(), WHAT)
        return True

    def _used(self) -> dict[str, int]:
        data = read_private(self._place, WHAT)
        if not data:
            return {}
        try:
            found: Any = json.loads(data)
            if not all(type(step) is int for step in found.values()):
                raise ValueError
        except (ValueError, AttributeError, RecursionError):
            do = "Take it away two minutes from now: all codes that were used are over then."
            raise InputError(f"{WHAT} is damaged", where=str(self._place), do=do) from None
        return dict(found)


def _step_of(secret: str, code: str, now_s: float) -> int | None:
    """The step that the code is of; all of them are looked at, in the same time."""
    require("pyotp")
    import pyotp

    given = code if len(code) == DIGITS and code.isascii() and code.isdigit() else "-" * DIGITS
    maker, middle, found = pyotp.TOTP(secret), int(now_s) // STEP_S, None
    for step in range(middle - AROUND, middle + AROUND + 1):
        if hmac.compare_digest(str(maker.generate_otp(step)), given):
            found = step
    return found
