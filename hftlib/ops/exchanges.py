"""The exchanges of a runner as a command line names them, and what is of each account.

    exchanges = Exchanges(["XNAS=a.json", "XBOS=b.json"], "hft live")     or ["exchange.json"]
    exchanges.told(WAIT_S)                           what each says of itself, by venue
    exchanges.each(["frm1a", "XBOS=frm2a"], "frm1a", "--user")    {"XNAS": "frm1a", "XBOS": "frm2a"}
    exchanges.fees(["taker=1bp", "XBOS=maker=-0.2bp"])            texts of each venue's fees
    exchanges.latencies(["50", "XBOS=120"])             None, {"XNAS": 50.0, "XBOS": 120.0}

A venue's name is what instruments, limits and routes know it by. One exchange may go without: it
is `unnamed` then. The order in which they are given is that of feeds, links and instruments.

Worst case: the same exchange given under two names is known by its address, once it said that.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.engine.live.memory import LINKS_MAX
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.launching import UNNAMED, copy_place, exchange_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PLACES = ("order_entry", "line_a", "line_b", "recovery", "drop_copy")
_DO = "Write --exchange exchange.json, or of several --exchange XNAS=a.json --exchange XBOS=b.json."


class Exchanges:
    """Files by venue. With `known`, those of a day that goes on, their order and names are its."""

    def __init__(self, given: Sequence[str | Path], where: str, known: Sequence[str] = ()) -> None:
        self._where = f"{where} --exchange"
        usual = known[0] if len(known) == 1 else UNNAMED
        self.files: dict[str, Path] = {}
        for text in map(str, given):
            name, path = self._divided(text)
            if (not name and len(given) > 1) or (not name and len(known) > 1):
                raise self._wrong(f"{shown(text)} is one of several exchanges, and has no name")
            if (name or usual) in self.files:
                raise self._wrong(f"The venue {name} is named twice")
            self.files[name or usual] = path
        if not 1 <= len(self.files) <= LINKS_MAX:
            raise self._wrong(f"{len(self.files)} exchanges are given; a runner takes 1 to 16")
        if known:
            self._require(known)

    def _divided(self, text: str) -> tuple[str, Path]:
        """A name, if there is one, and a file."""
        name, equals, path = text.partition("=")
        if not equals or "/" in name:
            return "", Path(text)
        if not _NAME.fullmatch(name):
            raise self._wrong(
                f"{shown(name)} is no name of a venue: letters and digits, 16 of them"
            )
        if not path:
            raise self._wrong(f"The venue {name} is named without a file")
        return name, Path(path)

    def _require(self, known: Sequence[str]) -> None:
        here, day = ", ".join(self.files), ", ".join(known)
        if set(known) != set(self.files):
            raise InputError(
                f"The exchanges given are {here}, those of this day {day}",
                where=self._where,
                do="Name each exchange of this day, and no other.",
            )
        self.files = {name: self.files[name] for name in known}

    @property
    def venues(self) -> tuple[str, ...]:
        return tuple(self.files)

    def told(self, patience_s: float = 0.0) -> dict[str, dict[str, Any]]:
        """What each says of itself; the same address at two venues is refused."""
        until = time.monotonic() + patience_s
        found, taken = {}, dict[tuple[Any, ...], str]()
        for venue, path in self.files.items():
            told = exchange_of(path, max(0.0, until - time.monotonic()))
            for place in {tuple(told[one]) for one in _PLACES if told.get(one)}:
                if other := taken.get(place):
                    raise self._wrong(
                        f"{venue} and {other} are one exchange: both have {place[0]}:{place[1]}"
                    )
                taken[place] = venue
            found[venue] = told
        return found

    def each(self, given: Sequence[str], usual: str, option: str) -> dict[str, str]:
        """By venue: what is given for it, else what is given for all, else the usual."""
        found: dict[str, str] = {}
        for text in given:
            name, equals, value = text.partition("=")
            venue = self._known(name, option) if equals else ""
            if venue in found:
                whom = f"for {venue}" if venue else "for all"
                do = f"Give one, or one for each venue: {option} {self.venues[0]}=..."
                raise InputError(f"{option} is given twice {whom}", where=option, do=do)
            found[venue] = value if equals else text
        return {one: found.get(one, found.get("", usual)) for one in self.venues}

    def fees(self, given: Sequence[str]) -> dict[str, dict[str, str]]:
        """By venue: `taker=1bp` is of all, and `XBOS=taker=2bp` of one, which goes before."""
        texts: dict[str, list[str]] = {venue: [] for venue in self.venues}
        for text in sorted(given, key=lambda one: one.count("=") > 1):
            name, _, rest = text.partition("=")
            is_own = "=" in rest
            for venue in [self._known(name.strip(), "--fee")] if is_own else self.venues:
                texts[venue].append(rest if is_own else text)
        return {venue: fees_of(mine) for venue, mine in texts.items()}

    def latencies(self, given: Sequence[str]) -> tuple[float | None, dict[str, float]]:
        """Of a shadow, us: what holds for all, or what is said of venues."""
        texts = self.each(given, "", "--latency-us")
        found = {venue: _number(text, "--latency-us") for venue, text in texts.items() if text}
        if len(found) == len(texts) and len(set(found.values())) == 1:
            return next(iter(found.values())), {}
        return None, found

    def copies(self, users: Mapping[str, str], words: Mapping[str, str]) -> dict[str, DropCopy]:
        """Who hears each drop copy; an exchange that has none is refused."""
        return {
            venue: DropCopy(copy_place(path), users[venue], words[venue])
            for venue, path in self.files.items()
        }

    def _known(self, name: str, option: str) -> str:
        if name not in self.files:
            do = f"Use {', '.join(self.venues)}, as named by --exchange."
            raise InputError(f"There is no venue {shown(name)} here", where=option, do=do)
        return name

    def _wrong(self, what: str) -> InputError:
        return InputError(what, where=self._where, do=_DO)


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        do = f"Give a number, {option} 50, or of one venue: {option} XBOS=120."
        raise InputError(f"{shown(text)} is no number", where=option, do=do)
    return value


def passwords(venues: Sequence[str], usual: str, variable: str) -> dict[str, str]:
    """By venue: HFT_PASSWORD_XBOS where there is one, else what is given for all."""
    return {
        one: os.environ.get(f"{variable}_{one.replace('-', '_').upper()}", usual) for one in venues
    }


def fees_of(texts: Sequence[str]) -> dict[str, str]:
    """What fills cost, as texts of a journal's first frame: `taker_per_unit=0.0030`."""
    from hftlib.core.fees import Fees

    made = {}
    for text in texts:
        name, equals, value = (one.strip() for one in text.partition("="))
        if not equals or not value:
            do = "Write --fee name=value: taker=1.5bp, maker_per_unit=-0.0020."
            raise InputError(f"{text!r} is no fee", where="hft live --fee", do=do)
        made[name] = value
    Fees(**made)  # a name or a value that is none is refused here
    return made


def venues_of(about: Mapping[str, Any]) -> list[str]:
    """Of a journal's first frame: where its runner trades, in the order of its feeds."""
    return [str(one["venue"]) for one in about["feeds"]]
