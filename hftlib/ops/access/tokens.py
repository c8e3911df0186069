"""Tokens for programs: shown once, kept as a digest, for a scope and until a time.

    text, id_, kept = new_token("look", until_ns)       hft_4f2a81c0_<43 letters>
    token_of(people, text, now_ns)                      the person and the token, or nothing

`look` reads. `act` may also tighten (halt, reduce, flatten, kill); nothing that loosens is ever
done by a token alone: it has no second factor. Worst case: none; 256 bits are not guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from hftlib.ops.access.people import People, Person, Token

_TEXT = re.compile(r"hft_([0-9a-f]{8})_([A-Za-z0-9_-]{43})", re.ASCII)


def new_token(scope: str, until_ns: int, note: str = "") -> tuple[str, str, Token]:
    """Its text, which nobody sees again; its id; what is kept."""
    id_ = secrets.token_hex(4)
    text = f"hft_{id_}_{secrets.token_urlsafe(32)}"
    return text, id_, Token(_digest(text), scope, until_ns, note)


def token_of(people: People, text: str, now_ns: int) -> tuple[Person, Token] | None:
    """Whose token that is, while it holds."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    digest = _digest(text)
    for person in people.all().values():
        kept = person.tokens.get(found[1])
        if kept is not None and hmac.compare_digest(kept.digest, digest):
            return (person, kept) if now_ns < kept.until_ns else None
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
