"""Modes of a runner: what becomes of its orders, and what must be so before it may begin.

    shadow   feeds as ever; a model answers in place of each venue, nothing is sent
    paper    an exchange that says it is a simulator
    canary   the wire, with sizes and limits times a share
    live     the wire

    mode = Mode("canary", share=0.1)
    mode.require_exchange(told)         what `hft exchange --json` printed, or whoever else
    mode.changes(about)                 what of the journal's first frame it makes another

A mode is in the journal's first frame and nowhere changes after that. `wire`, a backtest over the
wire, is none of these: `hft.wire_backtest`.

Worst case: a limit or a clip that the share would bring to nothing is refused with a sentence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.engine.live.making import distance_text, fees_text
from hftlib.engine.live.shadow_laying import ShadowPlan
from hftlib.risk.controls import CONTROLS
from hftlib.risk.limits import LAUNCH, as_written
from hftlib.risk.limits_file import limits_of
from hftlib.risk.limits_text import limits_text
from hftlib.strategy.files import strategy_named

MODES = ("shadow", "paper", "canary", "live")
SHADOW, PAPER, CANARY, LIVE = MODES
LATENCY_US, CLIP = 50.0, "clip"
_SIZES = {one.name for one in CONTROLS if one.unit in ("lots", "money")}
_LAUNCHED = [name for name in LAUNCH if name.endswith(("_lots", "_money"))]
_WHERE = "hft live --mode"


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode with its settings; those of another mode are refused."""

    name: str = PAPER
    latency_us: float | None = None
    share: float | None = None
    scale: Sequence[str] = ()
    latency_at: Mapping[str, float] = field(default_factory=dict)  # of venues that have another

    def __post_init__(self) -> None:
        if self.name not in MODES:
            do = f"Use {', '.join(MODES)}."
            raise InputError(f"{shown(self.name)} is no mode", where=_WHERE, do=do)
        for option, given, owner in (
            ("--latency-us", self.latency_us is not None or bool(self.latency_at), "shadow"),
            ("--share", self.share is not None, "canary"),
            ("--scale", bool(self.scale), "canary"),
        ):
            if given and self.name != owner:
                raise InputError(
                    f"{option} is of the mode {owner}, not of {self.name}",
                    where=f"{_WHERE} {self.name}",
                    do=f"Leave it out, or say --mode {owner}.",
                )
        if self.name == CANARY and (self.share is None or not 0 < self.share < 1):
            what = "no share" if self.share is None else f"{shown(self.share)}, which is no share"
            raise InputError(
                f"A canary is given {what}",
                where=f"{_WHERE} canary",
                do="Give --share 0.1: above 0 and below 1.",
            )

    def require_exchange(self, told: Mapping[str, Any], venue: str = "") -> None:
        """Refuse paper on what does not say that it is a simulator; `venue` is one of several."""
        if self.name == PAPER and told.get("simulator") is not True:
            which = f"The exchange {venue}" if venue else "This exchange"
            raise InputError(
                f"{which} does not say that it is a simulator",
                where=f"{_WHERE} paper",
                do="Use what `hft exchange --json` prints, or --mode shadow, which sends nothing.",
            )

    def require_consent(
        self,
        told: Mapping[str, Any],
        limits: Path | None,
        yes: bool,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        """Who sends to a venue says limits, and means it; `ask` is None where nobody can be asked.

        A canary on a simulator sends to nobody else.
        """
        sends = self.name in (CANARY, LIVE)
        if not sends or (self.name == CANARY and told.get("simulator") is True):
            return
        if limits is None:
            raise InputError(
                f"No limits are given for the mode {self.name}",
                where=f"{_WHERE} {self.name}",
                do="Give --limits limits.toml; `hft limits` shows what may be in it.",
            )
        if yes:
            return
        if ask is None:
            raise InputError(
                f"Nobody is at a terminal to say that {self.name} is meant",
                where=f"{_WHERE} {self.name}",
                do="Give --yes.",
            )
        if (said := ask(f"Orders will go to a venue. Type {self.name} to go on: ")) != self.name:
            raise InputError(
                f"{shown(said)} is not {self.name}, so nothing was begun",
                where=f"{_WHERE} {self.name}",
                do=f"Type {self.name}, or choose --mode shadow.",
            )

    def changes(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """What of the journal's first frame is another in this mode."""
        if self.name == SHADOW:
            usual = _plan(LATENCY_US if self.latency_us is None else self.latency_us)
            own = {venue: _plan(us) for venue, us in self.latency_at.items()}
            at = {venue: plan for venue, plan in own.items() if plan != usual}
            return {"shadow": usual} | ({"shadow_at": at} if at else {})
        if self.name != CANARY:
            return {}
        share = Fraction(Decimal(repr(self.share)))
        strategies, told = _smaller_clips(about["strategies"], self.scale or (CLIP,), share)
        text, more = _smaller_limits(about["limits"], share)
        return {
            "strategies": strategies,
            "limits": text,
            "canary": {"share": self.share, "scaled": told + more},
        }


def _plan(us: float) -> dict[str, Any]:
    """Of a venue's model so far away, one way."""
    ns = round(1_000 * us)
    return asdict(ShadowPlan(order_ns=ns, report_ns=ns))


def asked() -> Callable[[str], str] | None:
    """How to ask whoever started it; None: nobody is there."""
    return input if sys.stdin.isatty() and sys.stdout.isatty() else None


def mode_text(about: Mapping[str, Any]) -> str:
    """The mode of a journal's first frame with its setting, and what fills cost, in words."""
    fees, release = fees_text(about), release_text(about)
    told = [_mode_text(about), f"fees: {fees}" if fees else "", release]
    return "; ".join(one for one in told if one)


def release_text(about: Mapping[str, Any]) -> str:
    """The release of a journal's first frame in words; empty where it has none."""
    told = about.get("release")
    if not told:
        return ""
    back = f", gone back to: {told['older']}" if told.get("older") else ""
    at = f", {told['stage']} by {told['allowed']}, step {told['step']}" if told.get("stage") else ""
    which = f"{told['name']}-{told['serial']}, {told['digest'][:12]}"
    return f"release {which}, by {told['key']}{at}{back}"


def _mode_text(about: Mapping[str, Any]) -> str:
    name = str(about.get("mode", ""))
    if about.get("shadow"):
        models = f"model{'s' * (len(about['links']) > 1)}"
        return f"{name}, {distance_text(about)} to the {models}: nothing is sent"
    if canary := about.get("canary"):
        return f"{name} of {canary['share']:g}"
    return name


def scaled_lines(about: Mapping[str, Any]) -> list[str]:
    """What a canary made smaller, a line each."""
    told = about.get("canary")
    if not told:
        return []
    lines = [f"canary: {told['share']:g} of what was given"]
    width = max((len(one["what"]) for one in told["scaled"]), default=0)
    return lines + [
        f"  {one['what']:{width}}  {one['from']} -> {one['to']}" for one in told["scaled"]
    ]


def _smaller_clips(
    strategies: Sequence[Mapping[str, Any]], names: Sequence[str], share: Fraction
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Strategies with their parameters of size made smaller, and what was made of what."""
    made, told = [], []
    for one in strategies:
        kind = strategy_named(one["named"])
        params, declared = dict(one["params"]), kind.declared_parameters()
        values = kind(**params).parameters
        for name in names:
            if name not in declared:
                raise InputError(
                    f"{one['class']} has no parameter {name}",
                    where="hft live --mode canary --scale",
                    do=f"Name its parameter of size, of {', '.join(declared) or 'none'}.",
                )
            less = _smaller(declared[name], values[name], share)
            if less is None:
                raise InputError(
                    f"{one['class']}.{name} = {values[name]} times {float(share):g} is"
                    f" {_bound(declared[name])}",
                    where="hft live --mode canary",
                    do=f"Give a larger -p {name}=..., or a larger --share.",
                )
            params[name] = less
            told.append({"what": f"{one['class']}.{name}", "from": values[name], "to": less})
        made.append({**one, "params": params})
    return made, told


def _smaller(field: Any, value: Any, share: Fraction) -> Any:
    """The largest value that the parameter may have at the share or below; None: there is none."""
    most = Fraction(value) * share
    less = float(most) if isinstance(value, float) else int(most // 1)
    if field.choices is not None:
        less = max((one for one in field.choices if one <= most), default=0)
    return None if less <= 0 or (field.low is not None and less < field.low) else less


def _bound(field: Any) -> str:
    return "nothing" if field.low is None or field.low <= 0 else f"below its low, {field.low}"


def _smaller_limits(text: str, share: Fraction) -> tuple[str, list[dict[str, Any]]]:
    """Limits with all of lots and of money made smaller, as text, and what was made of what."""
    if not text:
        return text, []
    limits, told = limits_of(text, Path("the limits")), []
    for level, name, values in limits.scopes():
        for key in sorted(_SIZES & values.keys()):
            whose = " ".join(part for part in (level, "" if name == "*" else name, key) if part)
            before, less = values[key], int(values[key] * share // 1)
            told.append(_noted(whose, as_written(key, before), as_written(key, less), less))
            values[key] = less
    for key in _LAUNCHED:
        if key in limits.launch:
            most = Fraction(limits.launch[key]) * share
            bound: float = int(most // 1) if key.endswith("_lots") else float(most)
            was = f"{limits.launch[key]:,.15g}"
            told.append(_noted(f"launch {key}", was, f"{bound:,.15g}", bound))
            limits.launch[key] = bound
    return limits_text(limits), told


def _noted(what: str, before: str, after: str, less: float) -> dict[str, Any]:
    if less <= 0 and before != "0":
        raise InputError(
            f"The limit {what} {before} would be nothing",
            where="hft live --mode canary --share",
            do="Give a larger share, or a larger limit.",
        )
    return {"what": what, "from": before, "to": after}
