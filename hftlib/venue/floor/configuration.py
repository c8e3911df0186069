"""What an exchange is, in a file: `exchange.toml`, checked before anything listens.

    [exchange]
    session = "HFTX"                 # name of the feed's session
    order_entry_port = 0             # 0: any that is free; so for each port

    [[symbols]]
    name = "AAA"
    reference_price_money = "100.00"
    tick_money = "0.01"

    [[firms]]
    name = "FRM1"

    [[accounts]]
    user = "frm1a"
    password = "secret"
    firm = "FRM1"

    [[accounts]]
    user = "frm1d"
    password = "secret"
    firm = "FRM1"
    hears = "drop copy"

    [market]
    flow = "agents"                  # or "tape", and tape = "day.tape"
    events_per_second = 200          # of each symbol

    [[schedule]]
    at = "09:31:00"                  # or after_seconds = 60
    do = "halt"
    symbols = ["AAA"]

A name that is none here is refused, and so is a key that stands twice (by TOML itself). Money is
text, so that nothing is rounded on the way.

Worst case: a file of over a megabyte is refused unread.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, ValidationError

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.venue.floor.doings import (
    Clock,
    DoingTable,
    FaultTable,
    Table,
    refusal,
    require_known,
    require_time,
)
from hftlib.venue.floor.market_tables import (
    LuldTable,
    MarketTable,
    require_luld,
    require_market,
)

BYTES_MAX = 1 << 20
PRICE_UNITS = 10_000
Port = Annotated[StrictInt, Field(ge=0, le=65_535)]
Count = Annotated[StrictInt, Field(ge=1, le=1 << 40)]
Money = Annotated[StrictStr, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$")]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Address = Annotated[StrictStr, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$")]
Prevention = Literal["none", "cancel newest", "cancel oldest", "cancel both", "decrement both"]
State = Literal["closed", "auction", "trading"]


def _text(most: int) -> Any:
    return Annotated[StrictStr, Field(min_length=1, max_length=most, pattern=r"^[!-~]+$")]


class ExchangeTable(Table):
    session: _text(10) = "HFTX"  # type: ignore[valid-type]
    host: Address = "127.0.0.1"
    order_entry_port: Port = 0
    drop_copy_port: Port = 0
    recovery_port: Port = 0
    line_a_group: Address = "239.255.71.1"
    line_a_port: Port = 0
    line_b_group: Address = "239.255.71.2"
    line_b_port: Port = 0
    interface: Address = "127.0.0.1"
    state: State = "trading"
    orders_max: Annotated[StrictInt, Field(ge=16, le=1 << 22)] = 1 << 16
    connections_max: Annotated[StrictInt, Field(ge=1, le=4_096)] = 64
    feed_messages_max: Count = 1 << 23
    feed_store_bytes_max: Count = 1 << 28
    session_messages_max: Count = 1 << 20
    session_store_bytes_max: Count = 1 << 26
    control: StrictStr = ""  # a socket to be told things; "off"; else one in a folder of one's own
    journal: StrictStr = ""  # a folder; "": nothing is kept


class ClockTable(Table):
    pace: Literal["wall", "faster", "lockstep"] = "wall"
    speed: Positive = 1.0
    date: Annotated[StrictStr, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    start: Clock = "09:30:00"
    zone: StrictStr = "America/New_York"


class SymbolTable(Table):
    name: _text(8)  # type: ignore[valid-type]
    reference_price_money: Money = "100.00"
    tick_money: Money = "0.01"
    round_lot_shares: Annotated[StrictInt, Field(ge=1, le=10_000)] = 100
    bands_bps: Annotated[StrictInt, Field(ge=0, le=10_000)] = 0


class FirmTable(Table):
    name: _text(4)  # type: ignore[valid-type]
    self_match: Prevention = "none"


class AccountTable(Table):
    user: _text(6)  # type: ignore[valid-type]
    password: _text(10) = Field(repr=False)  # type: ignore[valid-type]
    firm: StrictStr
    hears: Literal["orders", "drop copy"] = "orders"
    group: Annotated[StrictInt, Field(ge=0, le=65_535)] = 0
    cancel_on_disconnect: StrictBool = False
    purges: StrictBool = False  # cancels and disables for its whole firm, and enters nothing


class Configuration(Table):
    """All of it; `read` makes one of a file, `demo.demo` one without."""

    exchange: ExchangeTable = ExchangeTable()
    clock: ClockTable = ClockTable()
    symbols: Annotated[list[SymbolTable], Field(min_length=1, max_length=10_000)]
    firms: Annotated[list[FirmTable], Field(min_length=1, max_length=1_000)]
    accounts: Annotated[list[AccountTable], Field(min_length=1, max_length=4_000)]
    market: MarketTable = MarketTable()
    luld: LuldTable | None = None
    schedule: list[DoingTable] = Field(default_factory=list)
    faults: list[FaultTable] = Field(default_factory=list)
    faults_seed: Annotated[StrictInt, Field(ge=0)] = 1


def read(path: Path) -> Configuration:
    """The configuration in a file, or a sentence on what is wrong and where in it."""
    try:
        if path.stat().st_size > BYTES_MAX:
            do = f"A configuration has at most {BYTES_MAX:,} bytes."
            raise InputError("This file is too large", where=str(path), do=do)
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        do = "Name a TOML file; docs/exchange.md shows one."
        raise InputError(f"This file cannot be read: {why}", where=str(path), do=do) from None
    except tomllib.TOMLDecodeError as error:
        do = "Write tables such as [exchange] and lines such as order_entry_port = 0."
        raise InputError(f"This is no TOML: {error}", where=str(path), do=do) from None
    market = tables.get("market")
    if isinstance(market, dict) and isinstance(market.get("tape"), str) and market["tape"]:
        market["tape"] = str(path.parent / market["tape"])  # beside the file that names it
    return checked(tables, str(path))


def checked(tables: dict[str, Any], where: str) -> Configuration:
    """The same, once every name, kind, range and reference was looked at."""
    try:
        made = Configuration(**tables)
    except ValidationError as error:
        raise refusal(error, where, _names()) from None
    _agree(made, where)
    return made


def price_units(money: str) -> int:
    """Ten-thousandths of the currency, exactly: four decimals at most are let in."""
    whole, _, rest = money.partition(".")
    return int(whole) * PRICE_UNITS + int(rest.ljust(4, "0") or 0)


def _agree(made: Configuration, where: str) -> None:
    """What one table says of another must be there, once."""
    for table, names in (
        ("symbols", [one.name for one in made.symbols]),
        ("firms", [one.name for one in made.firms]),
        ("accounts", [one.user for one in made.accounts]),
    ):
        again = next((name for name in names if names.count(name) > 1), None)
        if again is not None:
            _refuse(f"{shown(again)} is there twice", f"{where}, at {table}", "Name each once.")
    firms = [one.name for one in made.firms]
    for n, account in enumerate(made.accounts):
        if account.firm not in firms:
            do = f"The firms are {', '.join(firms)}."
            _refuse(f"There is no firm {shown(account.firm)}", f"{where}, at accounts.{n}", do)
        if account.purges and account.hears != "orders":
            do = "Give the drop copy an account of its own."
            _refuse("A drop copy only hears; it cannot purge", f"{where}, at accounts.{n}", do)
    for n, symbol in enumerate(made.symbols):
        tick, price = price_units(symbol.tick_money), price_units(symbol.reference_price_money)
        if tick == 0 or price == 0 or price % tick or price < PRICE_UNITS:
            do = "Give a price of at least 1.00 that is a multiple of the tick."
            _refuse(
                f"{symbol.reference_price_money} is no price with a tick of {symbol.tick_money}",
                f"{where}, at symbols.{n}",
                do,
            )
    require_market(made.market, where)
    require_luld(made, where)
    known = {one.name for one in made.symbols}
    users = {one.user for one in made.accounts if one.hears == "orders"}
    for n, fault in enumerate(made.faults):
        place = f"{where}, at faults.{n}"
        require_time(fault, place)
        require_known(fault, place, known, users)
    for n, doing in enumerate(made.schedule):
        place = f"{where}, at schedule.{n}"
        require_time(doing, place)
        require_known(doing, place, known, users)


def _refuse(what: str, where: str, do: str) -> None:
    raise InputError(what, where=where, do=do)


def _names() -> list[str]:
    tables = (ExchangeTable, ClockTable, SymbolTable, FirmTable, AccountTable, MarketTable)
    names = [name for table in (*tables, DoingTable, Configuration) for name in table.model_fields]
    names += [*FaultTable.model_fields, *LuldTable.model_fields]
    return list(dict.fromkeys(names))
