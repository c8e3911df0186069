"""One step of a rollout: who moved which release to which stage, why, in a line that is signed.

    format number before        which line: the SHA-256 of the one before it, for the first 64 zeros
    name serial digest signer   the release, and the key that signed it
    what stage                  asked, moved, rolled back or taken away; shadow, canary or champion
    at by key why evidence      when by the signer's clock, who, a sentence, what was measured
    signature                   Ed25519 over "hft-rollout-step 1" and the line without it

    told = signed_step(draft, number, before, name, key)      canonical_line(told) is its line
    step = step_of(line, shelf, where)                        out of a log; nothing is trusted yet

Canonical: ASCII, sorted keys, no blanks. What is read must be exactly what would be written, so a
key that stands twice, NaN or another spelling are all the same thing, a line that differs.
Worst case: 16 KiB of text, refused above that before it is parsed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.release.keys import NAME as KEY_NAME
from hftlib.core.release.keys import PrivateKey, PublicKey
from hftlib.core.release.manifest import SERIAL_MAX
from hftlib.core.units import shown

FORMAT = 1
ASKED, MOVED, ROLLED_BACK, TAKEN_AWAY = "asked", "moved", "rolled back", "taken away"
SHADOW, CANARY, CHAMPION, PREVIOUS = "shadow", "canary", "champion", "previous"
WHATS, STAGES = (ASKED, MOVED, ROLLED_BACK, TAKEN_AWAY), (SHADOW, CANARY, CHAMPION)
FIRST = "0" * 64
LINE_BYTES_MAX, WHY_MIN, WHY_MAX, FIGURES_MAX, FIGURE_MAX = 16 << 10, 3, 300, 100, 300
_DOMAIN = b"hft-rollout-step 1\n"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)
_AT = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ", re.ASCII)
_DO = "Do not run it. Fetch the log again, or ask who wrote it."


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to add, before it has its place in a log."""

    what: str
    stage: str
    serial: int
    digest: str
    signer: str
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a log."""

    number: int
    before: str
    name: str
    what: str
    stage: str
    serial: int
    digest: str
    signer: str  # name and id of the key that signed the release
    at: str
    by: str
    key: str
    why: str
    evidence: Mapping[str, Any]
    signature: str
    release: Path  # its folder on the shelf, which nobody has looked at yet

    @property
    def who(self) -> str:
        return f"{self.by} {self.key}"

    def told(self) -> dict[str, Any]:
        """What its line says."""
        return {"format": FORMAT} | {name: getattr(self, name) for name in _CHECKS}

    def text(self) -> bytes:
        return canonical_line(self.told())

    @property
    def line(self) -> str:
        """SHA-256 of its line, as `sha256sum` has it of the line with its end."""
        return hashlib.sha256(self.text()).hexdigest()

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether this key has signed it, under its own name."""
        data = _unsigned(self.told())
        return key.name == self.by and key.has_signed(data, base64.b64decode(self.signature))


def signed_step(
    draft: Draft, number: int, before: str, name: str, key: PrivateKey
) -> dict[str, Any]:
    """What the line of a new step says."""
    told = {
        "format": FORMAT,
        "number": number,
        "before": before,
        "name": name,
        "what": draft.what,
        "stage": draft.stage,
        "serial": draft.serial,
        "digest": draft.digest,
        "signer": draft.signer,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "by": key.public.name,
        "key": key.public.id,
        "why": " ".join(draft.why.split()),
        "evidence": dict(draft.evidence),
    }
    return told | {"signature": base64.b64encode(key.sign(_unsigned(told))).decode()}


def canonical_line(told: Mapping[str, Any]) -> bytes:
    """The one line of plain values, with its end."""
    text = json.dumps(
        told, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return f"{text}\n".encode("ascii")


def step_of(line: bytes, shelf: Path, where: str) -> Step:
    """The step that this line is, or a sentence on what is wrong with it."""
    if len(line) > LINE_BYTES_MAX:
        raise wrong(f"has more than {LINE_BYTES_MAX:,} bytes", where)
    try:
        told = json.loads(line.decode("ascii"))
        is_canonical = isinstance(told, dict) and canonical_line(told) == line
    except (ValueError, RecursionError, TypeError):
        raise wrong("is no JSON of plain values", where) from None
    if not is_canonical:
        raise wrong("is not written as a step is: a key twice, or another spelling", where)
    if told.get("format") != FORMAT or type(told["format"]) is not int:
        raise wrong(f"is not of format {FORMAT}, which this version reads", where)
    del told["format"]
    if set(told) != set(_CHECKS):
        odd = sorted(set(told) ^ set(_CHECKS))[0]
        has = "has an unknown key" if odd in told else "lacks the key"
        raise wrong(f"{has} {ascii(odd)[:60]}", where)
    for name, is_good in _CHECKS.items():
        if not is_good(told[name]):
            raise wrong(f"says something that cannot be in {name!r}", where)
    return Step(**told, release=shelf / f"{told['name']}-{told['serial']}")


def require_name(name: str) -> str:
    """A release's name, which becomes a file's: anything else is refused."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        do = "Write the name alone, as `hft release show` has it: letters, digits, - and _."
        raise InputError(f"{shown(name)} is no name of a release", where="the rollout", do=do)
    return name


def require_why(why: str) -> str:
    """A sentence that can stand in a log."""
    text = " ".join(why.split())
    if not WHY_MIN <= len(text) <= WHY_MAX or not text.isprintable():
        do = f'Say it in a sentence of {WHY_MIN} to {WHY_MAX} letters: --why "...".'
        what = f"{shown(why)} does not say why" if text else "Nobody says why"
        raise InputError(what, where="--why", do=do)
    return text


def is_same_person(one: str, other: str) -> bool:
    """Whether two keys, each as name and id, are of one person: either of the two is the same."""
    (name, key), (other_name, other_key) = one.split(), other.split()
    return name.casefold() == other_name.casefold() or key == other_key


def wrong(what: str, where: str) -> InputError:
    return InputError(f"It {what}", where=where, do=_DO)


def _unsigned(told: Mapping[str, Any]) -> bytes:
    """What is signed: never the bytes of a manifest, which begin otherwise."""
    return _DOMAIN + canonical_line(
        {name: one for name, one in told.items() if name != "signature"}
    )


def _is_like(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda told: isinstance(told, str) and pattern.fullmatch(told) is not None


def _is_text(told: Any, least: int, most: int) -> bool:
    return isinstance(told, str) and least <= len(told) <= most and told.isprintable()


def _is_signer(told: Any) -> bool:
    name, _, key = told.partition(" ") if isinstance(told, str) else ("", "", "")
    return bool(KEY_NAME.fullmatch(name) and _KEY.fullmatch(key))


def _is_figure(told: Any) -> bool:
    if told is None or isinstance(told, bool):
        return True
    if isinstance(told, int):
        return -(2**63) <= told < 2**63
    if isinstance(told, float):
        return math.isfinite(told)
    return _is_text(told, 0, FIGURE_MAX)


def _is_evidence(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and len(told) <= FIGURES_MAX
        and all(_is_text(name, 1, 100) and _is_figure(one) for name, one in told.items())
    )


def _is_signature(told: Any) -> bool:
    try:
        raw = base64.b64decode(told, validate=True) if isinstance(told, str) else b""
    except (binascii.Error, ValueError):
        return False
    return len(raw) == 64 and base64.b64encode(raw).decode() == told


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "number": lambda told: type(told) is int and told > 0,
    "before": _is_like(_DIGEST),
    "name": _is_like(_NAME),
    "what": lambda told: isinstance(told, str) and told in WHATS,
    "stage": lambda told: isinstance(told, str) and told in STAGES,
    "serial": lambda told: type(told) is int and 0 < told <= SERIAL_MAX,
    "digest": _is_like(_DIGEST),
    "signer": _is_signer,
    "at": _is_like(_AT),
    "by": _is_like(KEY_NAME),
    "key": _is_like(_KEY),
    "why": lambda told: _is_text(told, WHY_MIN, WHY_MAX),
    "evidence": _is_evidence,
    "signature": _is_signature,
}
