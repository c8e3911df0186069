"""Limits in words: what a set of limits allows, refuses and stops, for a person to read.

    for sentence in explained(limits): print(sentence)

Each sentence has its scope, so that a risk officer can read a file aloud. What is not limited is
said too: a gap is what a reader looks for. Worst case: a line for each limit of each scope.
"""

from __future__ import annotations

from dataclasses import dataclass

from hftlib.core.orders import REASONS
from hftlib.risk.controls import CONTROLS, MONEY_ONE, NAMES, WINDOW_NAMES, WINDOWS, Control
from hftlib.risk.limits import CHOICES, EVERY, Limits

_UNIT_WORDS = {"lots": "lots", "bps": "basis points", "ticks": "ticks", "count": ""}
RULE_WORDS: dict[str, dict[str, str]] = {
    "self_match": {
        "venue": "orders of our own that would meet are the venue's affair",
        "cancel_newest": "an order that would meet one of our own is refused",
        "cancel_oldest": "orders of our own that a new one would meet are cancelled",
        "cancel_both": "orders of our own that would meet are cancelled, and the new one refused",
        "decrement": "an order that would meet our own is made smaller by what it would meet",
    },
    "when_closed": {
        "refuse": "orders are refused while an instrument is halted or outside of its phases",
        "hold": "orders wait while an instrument is halted or outside of its phases",
    },
    "outside_bands": {
        "hold": "orders outside of the volatility bands wait",
        "refuse": "orders outside of the volatility bands are refused",
    },
    "too_fast": {
        "refuse": "orders above the soft pace are refused",
        "hold": "orders above the soft pace wait",
    },
    "stale_books": {
        "pause": "an instrument whose book may be wrong is not traded, and its orders go",
        "allow": "an instrument is traded even while its book may be wrong",
    },
    "crossed_books": {
        "pause": "an instrument whose book is crossed or locked is not traded, and its orders go",
        "allow": "an instrument is traded even while its book is crossed or locked",
    },
    "collar_reference": {
        "mid": "collars compare with the middle of the book",
        "last": "collars compare with the last trade",
        "static": "collars compare with the prices of static_price",
    },
    "restricted": {"": "no order may leave in these"},
    "no_short": {"": "these may not be sold below nothing"},
    "any_price": {"": "prices of these may be zero or below"},
    "phases": {"": "orders may leave in these phases of the calendar only"},
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that limits say."""

    scope: str
    limit: str
    value: str
    says: str


def explained(limits: Limits) -> list[Sentence]:
    """Everything that is limited, then the rules that hold, then what nobody limits."""
    made = []
    for level, name, given in limits.scopes():
        scope = _scope(level, name)
        for key, value in given.items():
            made.append(Sentence(scope, key, amount(limits, key, value), _says(key, given)))
    for name, choices in CHOICES.items():
        chosen = limits.rules.get(name, choices[0])
        made.append(Sentence("rules", name, chosen, RULE_WORDS[name][chosen]))
    for name in ("restricted", "no_short", "any_price", "phases"):
        if limits.rules.get(name):
            made.append(
                Sentence("rules", name, ", ".join(limits.rules[name]), RULE_WORDS[name][""])
            )
    for name, value in limits.launch.items():
        told = ", ".join(value) if isinstance(value, tuple) else f"{value:,}"
        made.append(Sentence("launch", name, told, "a session beyond it refuses to start"))
    return made


def unlimited(limits: Limits) -> list[str]:
    """The controls that nobody sets at any level."""
    named = {key for _, _, given in limits.scopes() for key in given}
    return [one.name for one in CONTROLS if one.name not in named]


def amount(limits: Limits, name: str, value: int) -> str:
    """A limit with its unit."""
    if name in WINDOW_NAMES:
        unit = WINDOWS[WINDOW_NAMES.index(name)].unit
        return f"{value:,} {unit}"
    unit = CONTROLS[NAMES.index(name)].unit
    if unit == "money":
        return f"{value / MONEY_ONE:,.2f} {limits.currency or 'money'}"
    return f"{value:,} {_UNIT_WORDS.get(unit, unit)}".strip()


def _scope(level: str, name: str) -> str:
    if level == "firm":
        return "firm"
    return f"every {level}" if name == EVERY else f"{level} {name}"


def _says(name: str, given: dict[str, int]) -> str:
    if name in WINDOW_NAMES:
        return WINDOWS[WINDOW_NAMES.index(name)].says
    one = CONTROLS[NAMES.index(name)]
    return f"{one.says}; {_then(one, given)}"


def _then(one: Control, given: dict[str, int]) -> str:
    if one.does == "refuse":
        return f'else refused: "{REASONS[one.reason]}"'
    if one.name == "executions":
        return "else HALTED until a person lifts it"
    if one.name in ("stale_ms", "clock_skew_ms"):
        return "else its orders are cancelled and none leaves"
    if one.name == "fill_rate_percent":
        return "else REDUCING"
    halt = given.get("halt_at_percent", WINDOWS[WINDOW_NAMES.index("halt_at_percent")].usual)
    return f"else REDUCING, and HALTED beyond {halt} % of it"
