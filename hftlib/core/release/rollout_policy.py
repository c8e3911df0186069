"""`rollout.toml`: what days must show before a release goes on, and what ends it at once; checked.

    policy = policy_of(text, "rollout.toml")      or read_policy(path)
    policy.shadow, policy.canary                  Conditions of leaving that stage
    policy.share, policy.scale, policy.mode       how a canary and how a champion are run
    policy.breach                                 Breach: rules that hold all of the time
    run_as(text, "canary", where)                 RunAs: mode, share and scale, of a stage alone

Every condition must be said, so that none has a value that the file does not show; of a breach
what is left out is not looked at. A release carries its policy with it, signed: what a stage asks
for is what it asked for when the release was made. A host that launches a release reads how it is
run there and nothing else: what a later hftlib asks of a policy keeps no older one from running.
Worst case: a file of 64 KiB; a longer one is refused.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.keywords import require_known
from hftlib.core.release.rollout_step import CANARY, CHAMPION, SHADOW, STAGES
from hftlib.core.units import shown

FILE = Path("pipelines") / "rollout.toml"
BYTES_MAX = 1 << 16
MODES = ("paper", "live")
_MOST = 1e15
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_DO = "docs/rollout.md and pipelines/rollout.toml show each."


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all days of a stage together must show before the next one."""

    days_min: int
    minutes_min: float
    orders_min: int
    fills_min: int
    decisions_share_min: float
    fills_share_min: float
    pnl_min: float
    pnl_max: float
    worst_day_min: float
    refused_share_max: float
    rejected_share_max: float
    order_p99_us_max: float
    identical: bool


@dataclass(frozen=True, slots=True)
class Breach:
    """What a champion may never do; None: not looked at."""

    silence_ms: float = 3_000
    loss_money: float | None = None
    refused_per_second: float | None = None
    rejected_per_second: float | None = None
    latency_p99_us: float | None = None
    stale_ms: float | None = None


@dataclass(frozen=True, slots=True)
class RunAs:
    """How `hft live` runs a release in a stage."""

    mode: str
    share: float | None = None
    scale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy; `where` is the file it was read from."""

    shadow: Conditions
    canary: Conditions
    share: float
    scale: tuple[str, ...]
    mode: str
    breach: Breach
    where: str

    def conditions(self, stage: str) -> Conditions:
        """Of leaving this stage; nothing comes after a champion."""
        if stage in (SHADOW, CANARY):
            return self.shadow if stage == SHADOW else self.canary
        do = f"Ask about {SHADOW} or {CANARY}."
        what = f"A policy has no conditions of leaving the stage {shown(stage)}"
        raise InputError(what, where=self.where, do=do)

    def mode_of(self, stage: str) -> str:
        """The mode of `hft live` that a release has in a stage."""
        return self.mode if stage == CHAMPION else stage


def found_policy(given: Path | None) -> Path | None:
    """The policy that is named, or that of the current folder, or hftlib's own; None: none."""
    if given is not None:
        return given
    own = Path(__file__).resolve().parents[3] / FILE
    return next((one for one in (FILE, own) if one.is_file()), None)


def read_policy(path: Path) -> Policy:
    """The policy of a file, or a sentence on what is wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        do = "Name a policy of rollout, a TOML file."
        raise InputError(f"This policy cannot be read: {why}", where=str(path), do=do) from None
    return policy_of(text, str(path))


def policy_of(text: str, where: str) -> Policy:
    """The policy that this text is, or a sentence on what is wrong with it."""
    tables = _tables(text, where)
    for name in tables:
        if name not in STAGES:
            do = f"A policy has {', '.join(f'[{stage}]' for stage in STAGES)}."
            raise _wrong(where, f"There is no section {shown(name)} in a policy", do)
    given = {stage: _table(tables.get(stage), stage, where) for stage in STAGES}
    share, scale = _canary(given[CANARY], f"[canary] of {where}")
    mode, breach = _champion(given[CHAMPION], where)
    return Policy(
        shadow=_conditions(given[SHADOW], f"[shadow] of {where}"),
        canary=_conditions(given[CANARY], f"[canary] of {where}"),
        share=share,
        scale=scale,
        mode=mode,
        breach=breach,
        where=where,
    )


def run_as(text: str, stage: str, where: str) -> RunAs:
    """What this text says of how a canary or a champion is run; of a shadow none says anything."""
    if stage == SHADOW:
        return RunAs(SHADOW)
    given = _table(_tables(text, where).get(stage), stage, where)
    place = f"[{stage}] of {where}"
    return RunAs(CANARY, *_canary(given, place)) if stage == CANARY else RunAs(_mode(given, place))


def _tables(text: str, where: str) -> dict[str, Any]:
    if len(text.encode()) > BYTES_MAX:
        do = f"A policy has at most {BYTES_MAX:,} bytes."
        raise InputError("This policy is too large", where=where, do=do)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        do = "Write tables such as [shadow] and lines such as days_min = 2."
        raise InputError(f"This is no TOML: {error}", where=where, do=do) from None


def _canary(given: dict[str, Any], where: str) -> tuple[float, tuple[str, ...]]:
    """How a canary is run; what is left in `given` are its conditions."""
    share = _said(given, "share", where)
    if not _is_number(share) or not 0 < share < 1:
        raise _wrong(where, f"share = {shown(share)} is no share", "Give one above 0 and below 1.")
    scale = given.pop("scale", ["clip"])
    names = isinstance(scale, list) and all(isinstance(one, str) for one in scale)
    names = names and all(_WORD.fullmatch(one) for one in scale)
    if not names or not scale:
        do = 'Name the parameters of size: scale = ["clip"].'
        raise _wrong(where, f"scale = {shown(scale)} names no parameters", do)
    if len(set(scale)) < len(scale):
        raise _wrong(where, "scale names a parameter twice", "Name each once.")
    return float(share), tuple(scale)


def _champion(given: dict[str, Any], where: str) -> tuple[str, Breach]:
    place = f"[champion] of {where}"
    require_known(given, ["mode", "breach"], place)
    mode = _mode(given, place)
    place = f"[champion.breach] of {where}"
    rules = _table(given.get("breach"), "champion.breach", where)
    require_known(rules, [one.name for one in fields(Breach)], place)
    if not rules:
        do = "Say at least how much it may lose: loss_money = 500."
        raise _wrong(place, "It has no rule, so nothing would be a breach", do)
    for name, value in rules.items():
        if not _is_number(value) or not 0 < value < _MOST:
            raise _wrong(place, f"{name} = {shown(value)} is no rule", "Give a number above 0.")
    return mode, Breach(**rules)


def _mode(given: dict[str, Any], where: str) -> str:
    mode = _said(given, "mode", where)
    if mode not in MODES:
        do = f"Use {' or '.join(MODES)}."
        raise _wrong(where, f"mode = {shown(mode)} is no mode of a champion", do)
    return str(mode)


def _conditions(given: Mapping[str, Any], where: str) -> Conditions:
    known = [one.name for one in fields(Conditions)]
    require_known(given, known, where)
    for name in known:
        if name not in given:
            raise _wrong(where, f"It does not say {name}", _DO)
        _require(name, given[name], where)
    made = Conditions(**given)
    if made.pnl_min > made.pnl_max:
        what = f"pnl_min = {made.pnl_min:g} is above pnl_max = {made.pnl_max:g}: no P&L is within"
        raise _wrong(where, what, "Give a band that has an inside.")
    if made.worst_day_min > 0 and made.worst_day_min * made.days_min > made.pnl_max:
        what = (
            f"{made.days_min:,} days of worst_day_min = {made.worst_day_min:g} each are more than"
            f" pnl_max = {made.pnl_max:g}: no days are within"
        )
        raise _wrong(where, what, "Give a lower worst day, or a wider band.")
    return made


def _require(name: str, value: Any, where: str) -> None:
    """Of the right kind and within its bounds."""
    if name == "identical":
        if value is not True:
            what = f"identical = {shown(value)}: what does not replay byte for byte shows nothing"
            raise _wrong(where, what, "Write identical = true.")
    elif name in ("days_min", "orders_min", "fills_min"):
        least = 1 if name == "days_min" else 0
        if type(value) is not int or not least <= value < _MOST:
            do = f"Give a whole number from {least} on."
            raise _wrong(where, f"{name} = {shown(value)} is no count", do)
    elif "_share_" in name:
        if not _is_number(value) or not 0 <= value <= 1:
            raise _wrong(where, f"{name} = {shown(value)} is no share", "Give one from 0 to 1.")
    elif name == "order_p99_us_max" and value == math.inf:
        return  # of a strategy that acts by timers alone there is no such figure
    elif not _is_number(value) or abs(value) >= _MOST:
        raise _wrong(where, f"{name} = {shown(value)} is no number", _DO)
    elif name in ("minutes_min", "order_p99_us_max") and value < 0:
        raise _wrong(where, f"{name} = {shown(value)} is below 0", "Give a number from 0 on.")


def _table(found: Any, name: str, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _wrong(where, f"It has no table [{name}]", _DO)
    return dict(found)


def _said(given: dict[str, Any], name: str, where: str) -> Any:
    if name not in given:
        raise _wrong(where, f"It does not say {name}", _DO)
    return given.pop(name)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _wrong(where: str, what: str, do: str) -> InputError:
    return InputError(what, where=where, do=do)
