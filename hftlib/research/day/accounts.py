"""What the day came to, exactly: the fills of all its journals by strategy, instrument and venue.

    accounts = accounts_of(sessions)
    summed(accounts, ("strategy",))         rows of position, cash, fees, P&L as Fractions

Cash is what was sold less what was bought; what is held at the end counts at the last middle that
any of the journals knew. What a runner took over from one that is not among the journals counts as
it was told. Worst case: one pass over the fills in plain Python, some 3 microseconds each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hftlib.core.events import BUY
from hftlib.core.units import exact_fraction
from hftlib.research.day.session import DaySession
from hftlib.research.ledger_tables import money_unit
from hftlib.research.result_money import UNKNOWN_BELOW

KEYS = ("strategy", "symbol", "venue", "currency")
Key = tuple[str, str, str, str]


@dataclass
class Account:
    """One strategy in one instrument; money in its currency."""

    key: Key
    worth: Fraction  # of a price of 1 and a quantity of 1
    fills: int = 0
    bought: Fraction = Fraction(0)
    sold: Fraction = Fraction(0)
    cash: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    turnover: Fraction = Fraction(0)
    carried: Fraction = Fraction(0)  # the position that it took over
    mark: Fraction | None = None

    @property
    def position(self) -> Fraction:
        return self.carried + self.bought - self.sold

    @property
    def gross(self) -> Fraction | None:
        """Before fees; None where something is held that has no price."""
        if not self.position:
            return self.cash
        return None if self.mark is None else self.cash + self.position * self.mark * self.worth


def accounts_of(sessions: Sequence[DaySession]) -> list[Account]:
    """An account for each strategy and instrument that was traded or taken over."""
    made: dict[Key, Account] = {}
    marks: dict[tuple[str, str], Fraction] = {}
    for one in sessions:
        if one.result is not None:
            _book(made, one)
            if one.carries:
                _carry(made, one)
            marks |= _marks(one.result)
    for account in made.values():
        account.mark = marks.get((account.key[1], account.key[2]))
    return [made[key] for key in sorted(made)]


def strategies_in(result: Any) -> list[str]:
    """The names of what ran, as fills count them."""
    return list(result.about.get("strategies") or [str(result.about.get("strategy", ""))])


def _account(made: dict[Key, Account], result: Any, row: int, seat: int) -> Account:
    one, names = result.instruments[row], strategies_in(result)
    key = (names[seat] if seat < len(names) else "", one.symbol, one.venue, one.currency)
    if key not in made:
        unit = exact_fraction(one.price_unit.size, "") * exact_fraction(one.lot_unit.size, "")
        made[key] = Account(key, money_unit(result.instruments, row) / unit)
    return made[key]


def _book(made: dict[Key, Account], session: DaySession) -> None:
    result: Any = session.result
    units: dict[int, tuple[Fraction, Fraction]] = {}
    names = ("instrument", "strategy", "quantity", "price", "fee", "side")
    fills = result.records["fills"]
    for row, seat, lots, price, fee, side in zip(
        *(fills[name].tolist() for name in names), strict=True
    ):
        if row not in units:
            size = exact_fraction(result.instruments[row].lot_unit.size, "")
            units[row] = size, money_unit(result.instruments, row)
        size, money = units[row]
        account = _account(made, result, row, seat)
        value = lots * price * money
        account.fills += lots > 0
        account.fees += fee * money
        account.turnover += abs(value)
        if side == BUY:
            account.bought += lots * size
            account.cash -= value
        else:
            account.sold += lots * size
            account.cash += value


def _carry(made: dict[Key, Account], session: DaySession) -> None:
    """What it took over from a runner whose journal is not here."""
    result: Any = session.result
    for seat, row, lots, cash, fees in session.facts.carried:
        if 0 <= row < len(result.instruments):
            account, money = _account(made, result, row, seat), money_unit(result.instruments, row)
            account.carried += lots * exact_fraction(result.instruments[row].lot_unit.size, "")
            account.cash += cash * money
            account.fees += fees * money


def _marks(result: Any) -> dict[tuple[str, str], Fraction]:
    """The last known middle of each instrument, in its currency."""
    equity = result.records["equity"]
    known = equity["twice_mid"] > UNKNOWN_BELOW
    last = dict(
        zip(equity["instrument"][known].tolist(), equity["twice_mid"][known].tolist(), strict=True)
    )
    made = {}
    for row, twice in last.items():
        one = result.instruments[row]
        size = exact_fraction(one.price_unit.size, "")
        made[one.symbol, one.venue] = Fraction(twice, 2) * size
    return made


def summed(accounts: Iterable[Account], by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Sums by strategy, symbol, venue or several, and always by currency; amounts as Fractions."""
    names = (*by, *(() if "currency" in by else ("currency",)))
    groups: dict[tuple[str, ...], list[Account]] = {}
    for one in accounts:
        key = tuple(one.key[KEYS.index(name)] for name in names)
        groups.setdefault(key, []).append(one)
    return [dict(zip(names, key, strict=True)) | _sum(groups[key]) for key in sorted(groups)]


def _sum(group: list[Account]) -> dict[str, Any]:
    gross = [one.gross for one in group]
    known = None if None in gross else sum((one or Fraction(0) for one in gross), Fraction(0))
    fees = sum((one.fees for one in group), Fraction(0))
    instruments = {one.key[1:3] for one in group}
    return {
        "fills": sum(one.fills for one in group),
        "turnover": sum((one.turnover for one in group), Fraction(0)),
        "position": sum((one.position for one in group), Fraction(0))
        if len(instruments) == 1
        else None,
        "gross": known,
        "fees": fees,
        "net": None if known is None else known - fees,
    }
