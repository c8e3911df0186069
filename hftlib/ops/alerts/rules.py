"""What `hft alerts` looks for and whom it tells: a TOML file, or `default.toml` without one.

    [rules.loss]
    kind = "loss"                  # one of conditions.KINDS, which says what more it knows
    more_than_money = 10_000
    severity = "critical"          # info, warning, critical
    for_s = 1                      # it must hold for so long
    action = "halt"                # halt, reduce, flatten, cancel-all, command; nothing without it
    scope = "firm"

    [receivers.desk]
    url_env = "HFT_ALERTS_DESK"    # apprise's URLs: from the environment, or
    url_file = "/etc/hft/desk"     # from a file that nobody else reads (0600)

    [tell]
    critical = [["desk"], ["head"]]     # who; unacknowledged for escalate_s: the next list too

Worst case: a name or a value that is none is refused, and everything wrong is said at once.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hftlib.core.errors import HftError, InputError
from hftlib.core.times import zone_named

BYTES_MAX = 1 << 20
DEFAULT = Path(__file__).with_name("default.toml")
URLS_ENV = "HFT_ALERTS_URLS"
SEVERITIES = ("info", "warning", "critical")
Severity = Literal["info", "warning", "critical"]
Seconds = Annotated[float, Field(ge=0, le=86_400 * 7)]
Positive = Annotated[float, Field(gt=0, le=86_400 * 7)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rule(Table):
    """One thing that must not be. What its kind does not know is refused."""

    kind: str
    severity: Severity = "warning"
    for_s: Seconds = 0.0
    clear_s: Seconds = 1.0  # it must be gone for so long before it is over
    runners: tuple[str, ...] = ()  # of these alone
    action: Literal["halt", "reduce", "flatten", "cancel-all", "command"] | None = None
    scope: str = "firm"
    command: tuple[str, ...] = ()
    exchange: str = ""  # cancel-all: the file that `hft exchange` printed
    times: Annotated[int, Field(ge=1, le=100)] = 1
    window_s: Positive = 3_600.0
    more_than_money: float | None = Field(default=None, gt=0)
    more_than_ms: float | None = Field(default=None, gt=0)
    per_second: float | None = Field(default=None, gt=0)
    over_s: Positive = 10.0
    share: float | None = Field(default=None, gt=0, le=1)
    less_than_bytes: int | None = Field(default=None, gt=0)
    less_than_share: float | None = Field(default=None, gt=0, le=1)
    count: str = ""  # rate: commands, refused, rejected, reports, strangers
    reasons: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    stage: str = "decide"
    under_us: float | None = Field(default=None, gt=0)
    objective: float | None = Field(default=None, gt=0, lt=1)
    burn: float | None = Field(default=None, gt=0)
    least: Annotated[int, Field(ge=1)] = 100

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        from hftlib.ops.alerts.conditions import KINDS

        known = KINDS.get(self.kind)
        if known is None:
            raise ValueError(f"there is no kind {self.kind!r}; there is {', '.join(sorted(KINDS))}")
        missing = [name for name in known.needs if getattr(self, name) in (None, ())]
        if missing:
            raise ValueError(f"the kind {self.kind} needs {' and '.join(missing)}")
        own = self.model_fields_set - _COMMON - set(known.needs) - set(known.takes)
        if own:
            raise ValueError(f"the kind {self.kind} has no {' and no '.join(sorted(own))}")
        if self.action == "command" and not self.command:
            raise ValueError('the action "command" needs command = ["program", "argument"]')
        if self.action == "cancel-all" and not self.exchange:
            raise ValueError('the action "cancel-all" needs exchange = "exchange.json"')
        if self.action != "command" and self.command:
            raise ValueError('command is for action = "command" alone')
        if any(word in ("resume", "allow-entry") for word in self.command):
            raise ValueError("no rule lifts what was stopped: a person does")
        return self


_COMMON = {
    "kind",
    "severity",
    "for_s",
    "clear_s",
    "runners",
    "action",
    "scope",
    "command",
    "exchange",
}
_COMMON |= {"times", "window_s"}


class Receiver(Table):
    """Where somebody hears: apprise's URLs, which may hold secrets, and so stand elsewhere."""

    url_env: str = ""
    url_file: str = ""
    grows_s: Annotated[float, Field(gt=0, le=60)] = 1.0  # the first wait after a failure

    @model_validator(mode="after")
    def _one(self) -> Receiver:
        if bool(self.url_env) == bool(self.url_file):
            raise ValueError("give url_env or url_file; a URL itself has no place in this file")
        return self


class Tell(Table):
    """Who hears of what: lists of receivers, the second where the first does not acknowledge."""

    info: tuple[tuple[Word, ...], ...] = ()
    warning: tuple[tuple[Word, ...], ...] = ()
    critical: tuple[tuple[Word, ...], ...] = ()
    escalate_s: Positive = 120.0
    repeat_s: Positive = 900.0
    group_s: Annotated[float, Field(ge=0, le=2)] = 0.3
    resolved: bool = True


class Quiet(Table):
    """Hours in which less is told; it is shown all the same, and told afterwards if it lasts."""

    begin: time
    end: time
    zone: str = "UTC"
    below: Severity = "critical"


class Heartbeat(Table):
    """A dead man's switch: an address that is fetched again and again, while all is well here."""

    url_env: str
    every_s: Annotated[float, Field(ge=0.2, le=3_600)] = 30.0


class Rules(Table):
    """All of a file."""

    rules: dict[Word, Rule] = {}
    receivers: dict[Word, Receiver] = {}
    tell: Tell = Tell()
    quiet: Quiet | None = None
    heartbeat: Heartbeat | None = None
    default_rules: bool = True  # those of default.toml hold beside these, which come first

    @model_validator(mode="after")
    def _known(self) -> Rules:
        named = {one for levels in _levels(self.tell) for level in levels for one in level}
        unknown = sorted(named - self.receivers.keys())
        if unknown:
            raise ValueError(f"tell names {unknown[0]!r}, which is no receiver here")
        if self.quiet is not None:
            try:
                zone_named(self.quiet.zone)
            except HftError:
                raise ValueError(f"quiet: there is no zone {self.quiet.zone!r}") from None
        return self

    def levels(self, severity: str) -> tuple[tuple[str, ...], ...]:
        """Who is told at first, then who as well; all receivers where nothing is said."""
        found = getattr(self.tell, severity)
        return found or ((tuple(self.receivers),) if self.receivers else ())


def _levels(tell: Tell) -> list[tuple[tuple[str, ...], ...]]:
    return [getattr(tell, one) for one in SEVERITIES]


def read_rules(path: Path | None) -> Rules:
    """The rules of a file, and the default ones beside them; every fault in one sentence."""
    default = _checked(_told(DEFAULT), DEFAULT)
    if path is None:
        if os.environ.get(URLS_ENV):
            return default.model_copy(update={"receivers": {"people": Receiver(url_env=URLS_ENV)}})
        return default
    given = _checked(_told(path), path)
    if not given.default_rules:
        return given
    return given.model_copy(update={"rules": default.rules | given.rules})


def _told(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
        if len(data) > BYTES_MAX:
            raise ValueError(f"it has more than {BYTES_MAX:,} bytes")
        return tomllib.loads(data.decode())
    except (OSError, ValueError) as error:
        do = "Name a TOML file as docs/alerts.md has it; `hft alerts` alone needs none."
        why = getattr(error, "strerror", None) or error
        raise InputError(f"These are no rules: {why}", where=str(path), do=do) from None


def _checked(given: dict[str, Any], path: Path) -> Rules:
    try:
        return Rules.model_validate_json(json.dumps(given, default=str), strict=True)
    except ValidationError as error:
        faults = []
        for one in error.errors():
            place = ".".join(map(str, one["loc"])) or "the file"
            faults.append(f"{place}: {one['msg'].removeprefix('Value error, ')}")
        do = "See docs/alerts.md."
        raise InputError("; ".join(faults[:5]), where=str(path), do=do) from None


def urls_of(receiver: Receiver, environment: Mapping[str, str]) -> list[str]:
    """The addresses themselves; they are shown nowhere."""
    if receiver.url_env:
        found = environment.get(receiver.url_env, "")
        if not found.split():
            do = f"Set {receiver.url_env} to URLs as apprise has them, with blanks between."
            where = f"receivers, url_env = {receiver.url_env!r}"
            raise InputError("This variable is not set", where=where, do=do)
        return found.split()
    path = Path(receiver.url_file)
    do = f"Run `chmod 600 {path}`; one URL a line, as apprise has them."
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise InputError("Others may read this file of URLs", where=str(path), do=do)
            found = file.read(BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = f"This file of URLs cannot be read: {getattr(error, 'strerror', None) or 'no text'}"
        raise InputError(why, where=str(path), do=do) from None
    made = [one.strip() for one in found.splitlines() if one.strip() and one[0] != "#"]
    if not made:
        raise InputError("This file has no URL", where=str(path), do=do)
    return made
