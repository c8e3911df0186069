"""One line of the audit log: who did what to what, when, why, in the one way it can be written.

    format number before      which line: the SHA-256 of the one before it, for the first 64 zeros
    time_ns                   nanoseconds since 1970, UTC, by the clock of the host that wrote it
    who did what why          a person or a process, a word, a thing, a sentence (may be empty)
    facts                     more, by name: from where, the outcome, figures

    line = line_of(text, where)        out of a log; whether it follows is the reader's to say
    line.text(), line.digest

Canonical as a step of a rollout: ASCII, sorted keys, no blanks, so that what is read must be
exactly what would be written. What a stranger sends is logged too: text is cut at its limit, and
what does not print is written as its number, so that a log on a terminal is only ever text.

Worst case: 64 KiB, a line of which nothing is plain ASCII.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hftlib.core.errors import InputError

FORMAT = 1
FIRST = "0" * 64
LINE_BYTES_MAX = 64 << 10
WHO_MAX, DID_MAX, WHAT_MAX, WHY_MAX = 80, 40, 200, 300
FACTS_MAX, FACT_MAX = 20, 200
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FACT = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_TEXTS = {"who": (1, WHO_MAX), "did": (1, DID_MAX), "what": (0, WHAT_MAX), "why": (0, WHY_MAX)}
_DO = "Do not believe it. Compare with a copy, and ask who could write the file."


@dataclass(frozen=True, slots=True)
class Line:
    """What happened once."""

    number: int
    before: str
    time_ns: int
    who: str
    did: str
    what: str
    why: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """What the line says, as it is written."""
        names = ("number", "before", "time_ns", "who", "did", "what", "why")
        return {"format": FORMAT, "facts": dict(self.facts)} | {n: getattr(self, n) for n in names}

    def text(self) -> bytes:
        return _canonical(self.told())

    @property
    def digest(self) -> str:
        """As `tail -n 1 FILE | sha256sum` has it."""
        return hashlib.sha256(self.text()).hexdigest()


def printable(value: object, most: int) -> str:
    """Text on one line that a terminal may show, of at most so many characters."""
    try:
        text = value if isinstance(value, str) else str(value)
    except Exception:  # a stranger's __str__
        text = f"a {type(value).__name__}"
    text = " ".join(text[: 4 * most].split())
    safe = "".join(c if c.isprintable() and ord(c) < 0xD800 else f"\\u{ord(c):04x}" for c in text)
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"


def fact(value: object) -> Any:
    """A fact as it can stand in a line."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return printable(value, FACT_MAX)


def facts_of(given: Mapping[str, object]) -> dict[str, Any]:
    """All of them, or a sentence: their names are the program's own."""
    for name in given:
        if not _FACT.fullmatch(name):
            do = "Use small letters, digits and _, at most 40."
            raise InputError(f"{name!a} names no fact", where="the audit log", do=do)
    if len(given) > FACTS_MAX:
        do = "Say it in more lines than one."
        what = f"{len(given)} facts in one line, and {FACTS_MAX} may be"
        raise InputError(what, where="the audit log", do=do)
    return {name: fact(value) for name, value in given.items()}


def line_of(text: bytes, where: str) -> Line:
    """The line that these bytes are, or a sentence on what is wrong with them."""
    if len(text) > LINE_BYTES_MAX:
        raise wrong(f"has more than {LINE_BYTES_MAX:,} bytes", where)
    try:
        told = json.loads(text.decode("ascii"))
        is_canonical = isinstance(told, dict) and _canonical(told) == text
    except (ValueError, RecursionError, TypeError):
        raise wrong("is no JSON of plain values", where) from None
    if not is_canonical:
        raise wrong("is not written as a line of the log is: a byte was changed", where)
    if type(told.get("format")) is not int or told["format"] != FORMAT:
        raise wrong(f"is not of format {FORMAT}, which this version reads", where)
    del told["format"]
    if not _is_right(told):
        raise wrong("says something that cannot stand there", where)
    return Line(**told)


def wrong(what: str, where: str) -> InputError:
    return InputError(f"The line {what}", where=where, do=_DO)


def _is_right(told: dict[str, Any]) -> bool:
    if set(told) != {"number", "before", "time_ns", "facts", *_TEXTS}:
        return False
    before, facts = told["before"], told["facts"]
    return (
        _is_count(told["number"], 1)
        and _is_count(told["time_ns"], 0)
        and isinstance(before, str)
        and _DIGEST.fullmatch(before) is not None
        and all(_is_text(told[name], *bounds) for name, bounds in _TEXTS.items())
        and isinstance(facts, dict)
        and len(facts) <= FACTS_MAX
        and all(_FACT.fullmatch(name) and _is_fact(value) for name, value in facts.items())
    )


def _is_count(told: Any, least: int) -> bool:
    return type(told) is int and least <= told < 2**63


def _is_text(told: Any, least: int, most: int) -> bool:
    return isinstance(told, str) and least <= len(told) <= most and told.isprintable()


def _is_fact(told: Any) -> bool:
    if isinstance(told, str):
        return _is_text(told, 0, FACT_MAX)
    return told is None or (type(told) in (bool, int, float) and fact(told) == told)


def _canonical(told: Mapping[str, Any]) -> bytes:
    text = json.dumps(
        told, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return f"{text}\n".encode("ascii")
