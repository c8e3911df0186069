"""Limits into memory: the arrays of risk, how large they are, and what is written into them.

    room = RiskRoom(instruments, ["QueueImbalance"], limits)
    Layout(..., **room.slots()) ─▶ room.lay(arena)

Rows of scopes: the firm, the portfolios, the strategies, then each instrument, then a spare one for
a number that is none. Worst case: 832 bytes a scope, and 128 for each instrument
of each scope above.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instrument, Instruments
from hftlib.risk.controls import (
    CONTROLS,
    FIRM,
    GROUPS,
    INSTRUMENT,
    LEVELS,
    MONEY_ONE,
    NAMES,
    NO_LIMIT,
    PORTFOLIO,
    RING_LIMITS,
    STRATEGY,
    UNSET,
    WINDOW_NAMES,
    WINDOWS,
)
from hftlib.risk.launching import require_launch
from hftlib.risk.limits import CHOICES, EVERY, Limits
from hftlib.risk.memory import (
    ANY_PRICE,
    CHANGE,
    FOREVER,
    HOLDING,
    NO_SHORT,
    RECENT,
    RECENT_MAX,
    RESTRICTED,
    RISK,
    RULE,
    SCOPE,
)

CHANGES_MAX = 1024
RING_LEAST, RING_USUAL = 64, 1024
GUARD_NS = 100_000_000
MINUTE_NS = 60_000_000_000
PHASES_MAX = 4
MULTIPLIER_ONE = 10**6
# Groups whose checks need to know what positions are worth now.
_NEED_MARKS = ("money", "break", "risk")
_MAY_BE_NEGATIVE = ("spread", "future", "combo")


class RiskRoom:
    """The scopes of a session, by name, and their memory."""

    def __init__(self, instruments: Instruments, strategies: Sequence[str], limits: Limits) -> None:
        self.instruments, self.strategies, self.limits = instruments, list(strategies), limits
        limits.require_symbols(instruments.symbols)
        limits.require_strategies(strategies)
        require_launch(instruments, limits)
        self.portfolios = list(dict.fromkeys(limits.portfolio_of(one) for one in strategies))
        self.scopes = self._scopes()
        self._rings = [self._ring_sizes(level, given) for level, _, given in self.scopes]
        named = {key for _, _, one in self.scopes for key in one if key in NAMES}
        groups = {CONTROLS[NAMES.index(key)].group for key in named}
        windowed = bool(limits.rules.get("bands_percent")) or "collar_window_bps" in named
        # Whether anything limited hangs on every change of a book.
        self.watching = windowed or not groups.isdisjoint((*_NEED_MARKS, "data"))
        self.uppers = 1 + len(self.portfolios) + len(self.strategies)

    def _scopes(self) -> list[tuple[int, str, dict[str, int]]]:
        """Level, name and limits of each row."""
        made: list[tuple[int, str, dict[str, int]]] = [(FIRM, "", self.limits.firm)]
        for name in self.portfolios:
            made.append((PORTFOLIO, name, self.limits.portfolio.get(name, {})))
        for name in self.strategies:
            made.append((STRATEGY, name, self.limits.of_strategy(name)))
        table = self.instruments
        for name, symbol in zip(table.names, table.symbols, strict=True):
            made.append((INSTRUMENT, name, self.limits.of_instrument(symbol)))
        return made

    @property
    def names(self) -> list[str]:
        """Each scope as people write it."""
        return [
            f"{LEVELS[level]}:{name}" if name else LEVELS[level] for level, name, _ in self.scopes
        ]

    def row(self, level: int, name: str = "") -> int:
        """The row of a scope; -1: there is none of this name."""
        if level == FIRM:
            return 0
        for row, (other, known, _) in enumerate(self.scopes):
            if other == level and (known == name or (level == PORTFOLIO and not name)):
                return row
        return -1

    @staticmethod
    def _ring_sizes(level: int, given: dict[str, int]) -> list[int]:
        """A power of two above what is counted and above where a breaker goes on to HALTED."""
        sizes, times = [], max(2, -(-given.get("halt_at_percent", 150) // 100))
        for name in RING_LIMITS:
            usual = 0 if level == INSTRUMENT else RING_USUAL
            least = max(times * given[name] + 2, RING_LEAST) if name in given else usual
            sizes.append(1 << (least - 1).bit_length() if least else 0)
        return sizes

    def slots(self) -> dict[str, Any]:
        """What an arena needs for risk."""
        count = len(self.instruments)
        return {
            "risk": RISK,
            "scopes": (SCOPE, len(self.scopes) + 1),
            "holdings": (HOLDING, self.uppers * (count + 1)),
            "rules": (RULE, count + 1),
            "stamps": (np.dtype(np.int64), max(1, sum(map(sum, self._rings)))),
            "recent": (RECENT, self.uppers * RECENT_MAX),
            "changes": (CHANGE, CHANGES_MAX),
        }

    def lay(self, arena: Arena) -> None:
        """Write it all into an arena that has these slots."""
        self._lay_header(arena)
        self._lay_scopes(arena["scopes"])
        self._lay_rules(arena["rules"])
        groups = arena["scopes"]["groups"]
        every = int(np.bitwise_or.reduce(groups))
        risk = arena["risk"][0]
        risk["groups"] = every
        risk["marks"] = any(every >> GROUPS.index(one) & 1 for one in _NEED_MARKS)
        data = every >> GROUPS.index("data") & 1
        risk["next_guard"] = 0 if data else FOREVER

    def _lay_header(self, arena: Arena) -> None:
        risk, slots = arena["risk"][0], arena.layout.slots
        risk["instruments"], risk["strategies"] = len(self.instruments), len(self.strategies)
        risk["portfolios"], risk["scopes"] = len(self.portfolios), len(self.scopes)
        for field, slot in (
            ("scopes_at", "scopes"),
            ("holdings_at", "holdings"),
            ("rules_at", "rules"),
            ("stamps_at", "stamps"),
            ("recent_at", "recent"),
            ("changes_at", "changes"),
        ):
            risk[field] = slots[slot].offset - slots["risk"].offset
        risk["changes_max"], risk["holdings"] = CHANGES_MAX, slots["holdings"].count
        risk["recents"], risk["stamps"] = slots["recent"].count, slots["stamps"].count
        risk["guard_ns"] = GUARD_NS
        for name in ("self_match", "when_closed", "too_fast", "stale_books", "crossed_books"):
            risk[name] = self._choice(name)
        risk["outside_bands"] = 1 - self._choice("outside_bands")  # 0 refuses, everywhere

    def _choice(self, name: str) -> int:
        return CHOICES[name].index(self.limits.rules.get(name, CHOICES[name][0]))

    def _lay_scopes(self, scopes: np.ndarray[Any, Any]) -> None:
        scopes["limits"][:, : len(NAMES)] = UNSET
        scopes["limits"][:, len(NAMES) :] = NO_LIMIT
        scopes["windows"][:, : len(WINDOWS)] = [one.usual for one in WINDOWS]
        scopes["ring_mask"] = -1
        stamps = 0
        for row, (level, name, given) in enumerate(self.scopes):
            scope = scopes[row]
            scope["level"], scope["parent"] = level, self._parent(level, name)
            for key, value in given.items():
                if key in WINDOW_NAMES:
                    scope["windows"][WINDOW_NAMES.index(key)] = value
                    continue
                which = NAMES.index(key)
                scope["limits"][which] = value
                scope["groups"] |= 1 << GROUPS.index(CONTROLS[which].group)
            for ring, size in enumerate(self._rings[row]):
                if size:
                    scope["ring_at"][ring], scope["ring_mask"][ring] = stamps, size - 1
                    stamps += size
        money = scopes["groups"] >> GROUPS.index("money") & 1
        scopes["keeps"][: self.uppers] = money[: self.uppers]
        if money[self.uppers :].any():  # an instrument's holding is the firm's
            scopes["keeps"][0] = 1
        self._lay_market_windows(scopes)

    def _lay_market_windows(self, scopes: np.ndarray[Any, Any]) -> None:
        """A price has one window of a kind: its instrument's own, else the longest of any scope."""
        for name in ("collar_window_ms", "volatility_window_ms"):
            which = WINDOW_NAMES.index(name)
            above = [given[name] for _, _, given in self.scopes[: self.uppers] if name in given]
            for row, (level, _, given) in enumerate(self.scopes):
                if level == INSTRUMENT and name not in given and above:
                    scopes[row]["windows"][which] = max(above)

    def _parent(self, level: int, name: str) -> int:
        if level != STRATEGY:
            return 0
        return 1 + self.portfolios.index(self.limits.portfolio_of(name))

    def _lay_rules(self, rules: np.ndarray[Any, Any]) -> None:
        given = self.limits.rules
        rules["tick"], rules["reference"] = 1, self._choice("collar_reference")
        rules["factor"] = 1.0
        for one in self.instruments:
            rule = rules[one.row]
            rule["tick"] = one.tick
            rule["factor"] = self._factor(one)
            flags = ANY_PRICE if one.kind in _MAY_BE_NEGATIVE else 0
            for name, flag in (
                ("restricted", RESTRICTED),
                ("no_short", NO_SHORT),
                ("any_price", ANY_PRICE),
            ):
                listed = given.get(name, ())
                flags |= flag if one.symbol in listed or EVERY in listed else 0
            rule["flags"] = flags
            launch = self.limits.launch
            if "price_low" in launch or "price_high" in launch:
                rule["low"] = round(launch.get("price_low", 0.0) / one.price_size)
                high = launch.get("price_high", 0.0) / one.price_size
                rule["high"] = round(high) if high else NO_LIMIT
            fixed = _of(given.get("static_price", {}), one.symbol)
            if fixed:
                rule["fixed"] = round(2 * fixed / one.price_size)
            self._lay_phases(rule, one)

    def _lay_phases(self, rule: Any, one: Instrument) -> None:
        """The stretches of its calendar in which orders may leave, and where bands are doubled."""
        given, table = self.limits.rules, self.instruments.phases
        rows = table[table["calendar"] == one.calendar.encode()]
        wanted = given.get("phases", ())
        if wanted:
            open_rows = [row for row in rows if row["name"].decode() in wanted]
            if not 1 <= len(open_rows) <= PHASES_MAX:
                known = sorted({row["name"].decode() for row in rows})
                raise InputError(
                    f"{one.symbol} has {len(open_rows)} phases named {', '.join(wanted)}",
                    where="Limits(rules={'phases': ...})",
                    do=f"Name 1 to {PHASES_MAX} of its calendar: {', '.join(known) or 'none'}.",
                )
            rule["phases"] = len(open_rows)
            for n, row in enumerate(open_rows):
                rule["begins"][n], rule["ends"][n] = row["begin"], row["end"]
        percent = _of(given.get("bands_percent", {}), one.symbol)
        if not percent:
            return
        rule["bands"] = round(percent * 100)
        trading = [row for row in rows if row["name"] == b"continuous"]
        if trading:
            early = given.get("bands_double_open_minutes", 15) * MINUTE_NS
            late = given.get("bands_double_close_minutes", 25) * MINUTE_NS
            rule["band_opens"] = min(int(row["begin"]) for row in trading) + early
            rule["band_closes"] = max(int(row["end"]) for row in trading) - late

    def _factor(self, one: Instrument) -> float:
        """Money of one price unit times one lot, in the currency of the limits."""
        currency = self.limits.currency or self.instruments[0].currency
        rate = 1.0
        if one.currency != currency:
            if one.currency not in self.limits.rates:
                raise InputError(
                    f"{one.symbol} trades in {one.currency}, limits are in {currency}",
                    where="Limits(currency=..., rates=...)",
                    do=f'Say what one {one.currency} is worth: rates={{"{one.currency}": 1.1}}.',
                )
            rate = self.limits.rates[one.currency]
        multiplier = int(self.instruments.table[one.row]["multiplier"]) or MULTIPLIER_ONE
        contract = one.lot_size * (multiplier / MULTIPLIER_ONE)
        return one.price_size * contract * rate * MONEY_ONE


def _of(table: dict[str, float], symbol: str) -> float:
    return table.get(symbol, table.get(EVERY, 0.0))
