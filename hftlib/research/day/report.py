"""The report of a day, put together: one object that shows itself, is saved, and says its figures.

    report = day_report("day.journal")
    report = day_report("blue.journal", "green.journal", audit="audit.log", alerts="alerts")
    report                          a page in a notebook
    report.figures                  all of it as plain values, as `hft report day --json` prints it
    report.tables["orders"]         rows of the record of orders, and of the other exports
    report.save("report")           page, PDF, exports and a manifest

Journals of a day that went on elsewhere (a switch to another runner) make one report; a kill and a
restart are in one journal anyhow. Worst case: each journal is read three times, and a backtest of
it is run twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, InputError
from hftlib.research.day.accounts import Account, accounts_of, summed
from hftlib.research.day.acting import actions_of, audit_lines
from hftlib.research.day.curves import DayCurve, curves_of
from hftlib.research.day.figures import execution_rows, latency_rows, order_figures
from hftlib.research.day.incidents import alert_lines, incidents_of
from hftlib.research.day.limits_used import Used, limits_used
from hftlib.research.day.session import DaySession, read_session
from hftlib.research.day.told_of import figures_of
from hftlib.terminal import patience

JOURNALS_MAX = 64
_WHERE = "hft.day_report(journal, ...)"


@dataclass
class DayReport:
    """All that is known of a day."""

    sessions: list[DaySession]
    audit: list[Any] = field(default_factory=list)
    alerts: list[Any] = field(default_factory=list)
    parities: Mapping[str, Any] = field(default_factory=dict)  # by journal: a Parity, or a sentence
    told: list[str] = field(default_factory=list)  # what was not given, as sentences
    digest: str = ""  # of the manifest, once it was saved

    @cached_property
    def accounts(self) -> list[Account]:
        return accounts_of(self.sessions)

    @cached_property
    def curves(self) -> list[DayCurve]:
        return curves_of(self.sessions)

    @cached_property
    def actions(self) -> list[dict[str, Any]]:
        return actions_of(self.sessions, self.audit)

    @cached_property
    def incidents(self) -> list[dict[str, Any]]:
        return incidents_of(self.sessions, self.alerts)

    @cached_property
    def orders(self) -> dict[str, Any]:
        """Counts and rates of the whole day's orders."""
        return order_figures(row for one in self.sessions for row in one.facts.rows)

    @cached_property
    def latencies(self) -> list[dict[str, Any]]:
        return latency_rows(self.sessions)

    @cached_property
    def execution(self) -> list[dict[str, Any]]:
        return execution_rows(self.sessions)

    @cached_property
    def limits(self) -> dict[str, list[Used]]:
        """By journal, the highest use of each limit."""
        return {one.name: limits_used(one) for one in self.sessions}

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each export, by its name."""
        from hftlib.research.day.tables import tables_of

        return tables_of(self)

    @cached_property
    def figures(self) -> dict[str, Any]:
        """All of it as plain values."""
        return figures_of(self)

    @property
    def totals(self) -> list[dict[str, Any]]:
        """P&L by currency, exact."""
        return summed(self.accounts, ())

    @property
    def zone(self) -> str:
        """Of the venues, where they share one; UTC otherwise."""
        zones = {one.zone for one in self.sessions}
        return zones.pop() if len(zones) == 1 else "UTC"

    @property
    def not_told(self) -> list[str]:
        """What is missing, and why, as sentences."""
        made = list(self.told)
        for one in self.sessions:
            if one.why_none:
                made.append(f"{one.name}: no P&L, no fills by the engine: {one.why_none}")
            if one.before and one.carries:
                made.append(
                    f"{one.name} took over from {one.before}, which is not among the journals:"
                    " what that one held and earned counts as it was told"
                )
            about = one.result.about if one.result is not None else {}
            made += [f"{one.name}: {sentence}" for sentence in about.get("not told", ())]
        return list(dict.fromkeys(made))

    def save(self, folder: Path | str, *, pdf: bool = True) -> Path:
        """Page, PDF and exports with a manifest, in a new folder."""
        from hftlib.research.day.saving import saved

        return saved(self, Path(folder), pdf=pdf)

    def __repr__(self) -> str:
        names = ", ".join(one.name for one in self.sessions)
        money = [
            f"{float(one['net']):,.2f} {one['currency']} after fees"
            for one in self.totals
            if one["net"] is not None
        ]
        counts = f"{self.orders['orders']:,} orders, {self.orders['fills']:,} fills"
        worst = sum(one["severity"] != "info" for one in self.incidents)
        parts = [counts, *money, f"{worst:,} incidents"]
        return f"<Report of {names}: {', '.join(parts)}>"

    def __rich__(self) -> Any:
        from hftlib.research.day.spoken import spoken

        return spoken(self)

    def _repr_html_(self) -> str:
        from hftlib.research.day.page import element

        return element(self)


def day_report(
    *journals: Path | str,
    audit: Path | str | None = None,
    alerts: Path | str | None = None,
    tape: Any = None,
    replay: bool = False,
    parity: bool = True,
    damaged: bool = False,
) -> DayReport:
    """The report of one journal, or of several of a day.

    `replay` proves each by its code again; `damaged` reports on what is whole of a damaged one;
    `tape` is the market to hold it against in place of the one it heard.
    """
    places = _places(journals)
    kept = audit_lines(None if audit is None else Path(audit))
    fired = alert_lines(None if alerts is None else Path(alerts))
    market = None if tape is None else _market(tape, is_used=parity)
    with patience() as advance:
        sessions = []
        for n, place in enumerate(places):
            advance(n / len(places) * 0.7, f"reading {place.name}")
            sessions.append(read_session(place, damaged=damaged, replays=replay))
        sessions.sort(key=lambda one: (one.facts.begin, one.name))
        _join(sessions)
        made = DayReport(sessions, kept, fired)
        if audit is None:
            made.told.append("who looked and acted elsewhere: no audit log was given (--audit)")
        if alerts is None:
            made.told.append("alerts: no log of them was given (--alerts)")
        made.told.append("on which host it ran: a journal does not say")
        if parity:
            advance(0.75, "beside the backtest")
            made.parities = {one.name: parity_of(one, market) for one in sessions}
    return made


def _market(tape: Any, *, is_used: bool) -> Any:
    """The tape to hold a day against, opened before anything is read."""
    from hftlib.research.setting_up import tape_of
    from hftlib.research.store import found

    if not is_used:
        do = "Leave the tape out, or ask for the backtest: without --no-parity."
        raise InputError("A tape is for the backtest alone", where="--tape", do=do)
    return tape_of(found(tape) if isinstance(tape, str) else tape)


def parity_of(session: DaySession, market: Any = None) -> Any:
    """What `hft.compare` says of it; a sentence where it cannot."""
    from hftlib.research.parity.comparing import compare
    from hftlib.research.parity.session import Session

    if session.result is None:
        return session.why_none
    if session.cut:
        return "the journal is damaged"
    if not len(session.result.records["orders"]):
        return "nothing was sent, so there is nothing to hold beside a backtest"
    if len({one.currency for one in session.result.instruments}) > 1:
        return "its instruments are of several currencies, which do not add up"
    try:
        other = None
        if market is not None:
            day = Session(session.folder)
            other = day.backtest(market, day.with_fees(None))
        return compare(session.folder, other)
    except HftError as error:
        return error.what


def _places(journals: Sequence[Any]) -> list[Path]:
    if not journals or len(journals) > JOURNALS_MAX:
        what = "No journal is given" if not journals else f"More than {JOURNALS_MAX} journals"
        do = "Give the folders that `hft live --journal FOLDER` wrote on that day."
        raise InputError(what, where=_WHERE, do=do)
    places = []
    for one in journals:
        if not isinstance(one, str | Path):
            do = "Give the folder of a journal, as text or Path."
            raise InputError(f"A {type(one).__name__} is no journal", where=_WHERE, do=do)
        places.append(Path(one))
    names = [one.resolve().name for one in places]
    for name in names:
        if names.count(name) > 1:
            what = f"Two journals are called {name!r}, and rows say which by name"
            do = "Give each once; where two share a name, rename one folder."
            raise InputError(what, where=_WHERE, do=do)
    return [one.resolve() for one in places]


def _join(sessions: list[DaySession]) -> None:
    """Who took over from one that is here goes on with what that one did."""
    names = {one.name for one in sessions}
    for one in sessions:
        one.carries = bool(one.facts.carried) and Path(one.before).name not in names
